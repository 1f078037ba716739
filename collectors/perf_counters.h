/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_PERF_COUNTERS_H
#define SIXTY_COLLECTORS_PERF_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/root.h"
#include "collectors/perf_events.h"
#include "model/counts.h"

/* Counters of events, on CPUs or of threads. Nothing is stopped: the kernel adds up at each context switch.
 *
 *   perf_counters_open  →  perf_counters_read, again and again  →  perf_counters_close */
struct perf_counters;

struct perf_target {
	bool machine; /* all CPUs that are online, whoever runs there */
	const int *
		pids; /* else npids processes, all their threads, and what those give birth to from now on */
	size_t npids;
	bool on_exec; /* counting begins when the process runs another program: for a command that is held */
};

/* An event that cannot be counted here is no error, if another one can: its row says why. */
int perf_counters_open(struct perf_counters **out, const struct root *root,
		       const struct perf_event *events, size_t n, const struct perf_target *t,
		       struct err *e);

/* What has been counted since it was opened: a row for each event, in their order, in place of what `out` has. 0 or -errno. */
int perf_counters_read(struct perf_counters *c, struct counts *out);

void perf_counters_close(struct perf_counters *c); /* accepts NULL */

#endif
