/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_STACKS_H
#define SIXTY_MODEL_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/view.h"

/* A stack in which a process was seen on a CPU. */
struct stack_seen {
	const char *frames; /* functions, innermost first, separated by ';' */
	double share;       /* of the samples of this process, 0..1 */
	double samples;
	bool kernel;
};

/* The most frequent stacks of a process, at most `max`, without those that were seen once or twice. Returns how many. */
size_t stacks_of(const struct view *v, int64_t pid, struct stack_seen *out, size_t max);

/* What the kernel did with CPU time, the most first. */
struct mechanism_seen {
	const char *name;
	double seconds; /* of CPU time in the window */
	int64_t pid;    /* most of it in the time of this process; 0: of none */
	double pid_share;
};

size_t mechanisms_seen(const struct view *v, struct mechanism_seen *out, size_t max);

#endif
