/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_SYMBOLS_NAMES_H
#define SIXTY_SYMBOLS_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "base/child.h"

#define SYMBOL_NAME 160

/* Names of code addresses of processes, asked of a child: a file may lie on a server that does not answer, and an ELF file
 * may be made to crash whoever reads it. Programs are opened by their mapping, so that deleted ones and those of containers
 * are found as well; nothing in the process is stopped.
 *
 *   names_open  →  names_of (for each process)  →  names_close */
struct names {
	struct child child;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC: after that nothing more is asked */
	unsigned unanswered;  /* files that could not be read in time, or at all */
};

/* budget_ms: for all that is asked. 0 or -errno. */
int names_open(struct names *s, unsigned budget_ms, struct err *e);

/* One name per address: a function, "[libfoo.so+0x1234]" where the file has no name for it, "[vdso]", "[anonymous code]", "[unmapped]",
 * "[process ended]", "[not readable in time]". Raw bytes from the file: whoever prints them escapes them. */
void names_of(struct names *s, int pid, const uint64_t *addresses, size_t n,
	      char (*out)[SYMBOL_NAME]);

void names_close(struct names *s);

#endif
