/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_VIEW_H
#define SIXTY_MODEL_VIEW_H

#include "bpf/wire.h"
#include "model/cause.h"
#include "model/host.h"
#include "model/interval.h"
#include "model/red.h"
#include "model/snapshot.h"

/* How a source fared: one line of doctor, of "not checked", of the ledger. */
struct status {
	const char *name; /* path of a file or name of a collector */
	int code;         /* 0 or -errno */
	char why[160];    /* "" when all is well */
};

/* Estimated or measured time of one process in the window, thread-seconds; see model/cause.h. */
struct lost_row {
	struct row_id id;
	const char *name;
	int64_t pid;
	int64_t tid;            /* of a thread's row; 0: the row of a process */
	double time[CAUSE_MAX]; /* thread-seconds in the window */
	double queued[QUEUED_MAX]; /* of time[CAUSE_RUNNABLE]: why, by enum wire_queued; short waits have no reason */
	double lost;    /* sum of what counts as lost */
	bool sampled;   /* blocked parts come from state samples, not from the kernel's clock */
	bool exact;     /* measured at context switches: the parts add up to `threads` */
	bool split;     /* enough ticks to tell user from system time */
	double threads; /* wall time of all threads, thread-seconds; 0 unless exact */
	double sent, received, io_read, io_written; /* bytes in the window; NaN unknown */
	double inflicted; /* thread-seconds that threads of other processes waited for a CPU while this one ran */
	double open; /* seconds of the longest lost interval that has not ended; NaN unknown */
	uint64_t short_lived; /* processes that were born and died meanwhile: pid is their parent */
};

/* All that a rule may look at. Nothing here is owned; text comes from `last`. */
struct view {
	const struct host *host;
	struct interval *window;         /* the whole window */
	struct interval *const *seconds; /* its parts of about one second, oldest first */
	size_t nseconds;
	struct snapshot *first, *last; /* every table at the two ends, joined over paces */
	const struct status *status;
	size_t nstatus;
	const struct lost_row *lost; /* per process, most lost first */
	size_t nlost;
	const struct lost_row *threads; /* of the process that was asked for, most lost first */
	size_t nthreads;
	double lost_total;       /* thread-seconds per second over all processes */
	const struct reds *reds; /* requests of services; NULL: they were not followed */
	double measured; /* share of the window in which the time of threads was measured, where it was; else 1 */
};

/* A double as a whole number: 0 when it is none, or larger than any PID, port or count. A capture may say anything. */
static inline int64_t whole(double x)
{
	return x > -9e15 && x < 9e15 ? (int64_t)x : 0;
}

/* Worst second of a metric: largest interval_value over view->seconds for the row with this identity. NaN when unknown. */
double view_worst(const struct view *v, enum metric_id id, struct row_id row);
/* Share of the seconds in which the metric was at least `limit`. NaN when unknown. */
double view_share_at_least(const struct view *v, enum metric_id id, struct row_id row,
			   double limit);

/* Gauge or label of a thing at the window's end, by identity. NaN / NULL when unknown. */
double view_last(const struct view *v, enum metric_id id, struct row_id row);
const char *view_label(const struct view *v, enum metric_id id, struct row_id row);
/* Growth of a gauge between the two ends. */
double view_growth(const struct view *v, enum metric_id id, struct row_id row);

/* The process's cgroup under a v1 controller ("cpu") or the v2 path (controller ""). "" when unknown. */
char *view_cgroup(const struct view *v, struct row_id process, const char *controller, char *out,
		  size_t size);

const struct lost_row *view_lost(const struct view *v,
				 struct row_id process); /* NULL: nothing known */
const struct lost_row *view_lost_pid(const struct view *v, int64_t pid);
/* The process row (in `last`) of a pid; SIZE_MAX if it is not there. */
size_t view_process(const struct view *v, int64_t pid);

#endif
