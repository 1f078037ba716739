/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_BUDGET_H
#define SIXTY_ENGINE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

/* What eBPF programs may cost: a share of any one CPU, over the whole window, for each program, and twice that for all. A
 * program that would have spent more by the end of the next second is stopped; what it has measured up to then is kept. The
 * first second is always measured: less is an anecdote.
 *
 *   each second: budget_spend() for every program that runs, then budget_exceeded() */
#define BUDGET_PROGRAMS 128

struct budget {
	double each;                   /* share of one CPU; 0: no limit */
	double seconds;                /* length of the window */
	double elapsed;                /* of it */
	double spent[BUDGET_PROGRAMS]; /* CPU seconds on the CPU that the program used most */
	double rate[BUDGET_PROGRAMS];  /* of the last second: share of one CPU */
};

void budget_init(struct budget *b, double each, double seconds);

/* cpu_seconds of the CPU that it cost most, in the last `seconds`; NaN: it does not run, or nobody knows. */
void budget_spend(struct budget *b, size_t program, double cpu_seconds, double seconds);

/* `seconds` have passed. True when a program must stop now: *program is the one that costs most. */
bool budget_exceeded(struct budget *b, double seconds, size_t *program);

#endif
