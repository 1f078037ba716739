/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_MECHANISM_H
#define SIXTY_MODEL_MECHANISM_H

#include <stddef.h>

/* What the kernel does with CPU time, told by the functions in its stack: about thirty kinds of work that people know. */
struct mechanism {
	const char *name; /* "page fault": stable, in tables and JSON */
	const char *what;
	const char *prefixes; /* of function names, separated by blanks */
};

#define MECHANISM_OTHER 0 /* no function of the stack is known */

extern const struct mechanism mechanisms[];
extern const size_t nmechanisms;

/* The mechanism that a kernel function belongs to; MECHANISM_OTHER when the table does not know it. Of a stack, the innermost
 * function that is known decides. */
size_t mechanism_of(const char *function);

#endif
