/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_SYMBOLS_PYTHON_H
#define SIXTY_SYMBOLS_PYTHON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"

/* CPython from 3.8 to 3.13: where its structures have what a profile needs. */

#define PYTHON_RUNTIME "_PyRuntime" /* the variable that all begins with */

/* The minor version that a binary's name tells, "python3.11", "libpython3.8.so.1.0"; 0: it is not CPython, or none that is known. */
unsigned python_version(const char *name);

/* Fill in what the kernel needs for a version that python_version() has told. */
void python_layout(unsigned minor, uint64_t runtime, struct wire_python *out);

/* Is that the name of the C function that runs a program? Compilers may have cut it in parts. */
bool python_runs(const char *symbol);

/* A string object's text as UTF-8; wide: bytes of each character, 0: ASCII. What is no character becomes U+FFFD. Returns out. */
char *python_text(char *out, size_t size, const char *bytes, size_t n, unsigned wide);

#endif
