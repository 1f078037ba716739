/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_SERVING_H
#define SIXTY_ENGINE_SERVING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/report.h"

/* Requests of services, interval by interval. Counted in the kernel; user space wakes up ten times a second at most, and reads
 * at the end of each interval.
 *
 *   serving_open  →  serving_run  →  serving_close */
struct serving;

struct serving_args {
	int pid, port;      /* 0: all */
	const char *cgroup; /* NULL: all */
	bool no_content, no_clients;
	double interval, seconds; /* 0: one interval; until a signal */
	uint64_t count;           /* of intervals; 0: no limit */
	double budget;            /* share of a CPU that a program may cost; 0: no limit */
	int (*on_interval)(void *ctx, const struct report *r); /* non-zero ends the run */
	void *ctx;
};

/* A program that has cost more than it may: it has ended the run. */
struct serving_excess {
	const char *program;
	double share, seconds;
};

int serving_open(struct serving **out, const struct serving_args *a, struct err *e);
/* 0: the time is over, or SIGINT; -ECANCELED: SIGTERM or a hang-up; -EPIPE: the reader has gone. */
int serving_run(struct serving *s, struct err *e);
const struct serving_excess *serving_excess(const struct serving *s); /* NULL: none */
void serving_close(struct serving *s);                                /* accepts NULL */

#endif
