/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_HISTING_H
#define SIXTY_ENGINE_HISTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/hist.h"
#include "model/report.h"

/* Watch one kind of distribution, interval by interval.
 *
 *   histing_open  →  histing_run  →  histing_close
 *
 * One thread, one poll(): the next end of an interval, signals, and whether the reader of standard output is still there. The
 * kernel's counters are never cleared: an interval is what was counted at its end less what was at its beginning. */
struct histing;

struct histing_args {
	enum wire_hist_kind kind;
	enum wire_hist_key key;
	int pid;                   /* 0: all */
	const char *cgroup, *disk; /* NULL: all */
	double interval;           /* seconds; 0: one interval of all */
	double seconds;            /* 0: until a signal */
	uint64_t count;            /* intervals; 0: no limit */
	double budget; /* share of one CPU that each program may cost (engine/budget.h), in any ten seconds; 0: no limit */
	/* An interval is over; the report holds it and lives until the call returns. Signals have their usual effect meanwhile.
	 * An error ends the run. */
	int (*on_interval)(void *ctx, const struct report *r);
	void *ctx;
};

/* Errors: -EINVAL and the like for a wrong process, disk or group; else what is missing here. */
int histing_open(struct histing **out, const struct histing_args *a, struct err *e);
/* 0, also when SIGINT or the end of the process has ended it; -ECANCELED: SIGTERM or a hang-up; -EPIPE: the reader has gone. */
int histing_run(struct histing *h, struct err *e);
/* The budget has ended it: by what, and when. NULL: it has not. */
struct histing_excess {
	const char *program;
	double share, seconds;
};
const struct histing_excess *histing_excess(const struct histing *h);
bool histing_process_ended(const struct histing *h);
void histing_close(struct histing *h); /* accepts NULL */

#endif
