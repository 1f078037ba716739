/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_TRACING_H
#define SIXTY_ENGINE_TRACING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "export/trace.h"
#include "model/trace.h"

/* A stream of events: from the kernel's ring, the list of mounts, the numbers of BPF programs, put in order of time.
 *
 *   tracing_open  →  tracing_run  →  tracing_totals  →  tracing_close
 *
 * One thread, one poll(): a timer of 50 ms, signals, mounts, and whether the reader of what is written is still there.
 * Nobody is woken per event. Memory does not grow: what cannot be read in time is lost in the ring, and counted. */
struct tracing;

struct tracing_args {
	unsigned events;           /* 1u << enum wire_trace */
	uint32_t pid;              /* 0: all */
	const char *cgroup, *comm; /* NULL: all; comm is a pattern of the shell */
	uint64_t slow_ns;
	double seconds; /* 0: until a signal */
	uint64_t count; /* 0: no limit */
	double budget;  /* share of a CPU that reading may take */
	int out;        /* what is written to: the run ends when its reader has gone */
	/* An event, in order. exe and cgroup live until the next call. */
	void (*on_event)(void *ctx, const void *record, const char *exe, const char *cgroup);
	/* After each batch: write it. -EINTR and the like end the run. signals: for loop_signal(). */
	int (*on_batch)(void *ctx, int signals);
	void *ctx;
};

/* Events that cannot be had are told in `missing` (one line each, for people); none at all is an error. */
int tracing_open(struct tracing **out, const struct tracing_args *a, struct buf *missing,
		 struct err *e);
/* 0: time or count is over; -EINTR: SIGINT; -ECANCELED: SIGTERM or a hang-up; -EPIPE: the reader has gone. */
int tracing_run(struct tracing *t, struct err *e);
void tracing_totals(struct tracing *t, struct trace_totals *out);
void tracing_close(struct tracing *t); /* accepts NULL */

const struct trace_names *tracing_names(const struct tracing *t);

#endif
