/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_COUNTING_H
#define SIXTY_ENGINE_COUNTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/report.h"

/* Counts of events for a while, or interval by interval.
 *
 *   counting_open  →  counting_run  →  counting_close
 *
 * One thread, one poll(). Nothing is stopped, and nothing written to, in any process. */
struct counting;

struct counting_args {
	const char *const *events; /* nevents names; 0: those that everybody wants to see */
	size_t nevents;
	const int *
		pids; /* npids, as /proc numbers them, with their children; 0 and no command: all CPUs */
	size_t npids;
	char *const *command; /* NULL-terminated; NULL: none */
	double seconds;       /* 0: until the command or all processes end, or SIGINT */
	double interval;      /* 0: one of all */
	uint64_t count;       /* of intervals; 0: no limit */
	/* An interval is over: 0 to go on. The report lives until it returns. */
	int (*on_interval)(void *ctx, const struct report *r);
	void *ctx;
};

/* -EINVAL, -ENOENT: an event that has no such name. -errno: nothing of it can be counted. */
int counting_open(struct counting **out, const struct counting_args *a, struct err *e);
/* 0, also after SIGINT; -ECANCELED: SIGTERM or a hang-up; what on_interval returned. */
int counting_run(struct counting *c, struct err *e);
/* Of the command, as wait() has it; -1: there is none, or it runs still. */
int counting_exit_status(const struct counting *c);
void counting_close(struct counting *c); /* accepts NULL */

#endif
