/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_PERF_EVENTS_H
#define SIXTY_COLLECTORS_PERF_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/root.h"
#include "model/counts.h"

/* What an event is called, and what the kernel wants to be asked for it.
 *
 *   cycles, page-faults         generic events, by the names of perf
 *   sched:sched_switch          a tracepoint
 *   msr/tsc/, cpu/event=0x3c/   an event of a PMU, as it is described below /sys/bus/event_source/devices
 *   r1a2                        a raw one: the number in the manual of the CPU
 *   RETIRED_INSTRUCTIONS        all that libpfm4 knows of this CPU
 *
 * ":u" or ":k" behind it counts the program, or the kernel, alone. */
struct perf_event {
	char name[COUNT_NAME]; /* as it was asked for */
	char unit[COUNT_UNIT]; /* "" for events */
	double scale;
	enum count_role role;
	uint32_t type; /* PERF_TYPE_… or the number of a PMU */
	uint64_t config, config1, config2;
	bool user, kernel; /* where it is counted */
	char pmu[32];      /* the PMU, where it was named: "msr" */
};

/* 0; -EINVAL, -ENOENT: there is no such event, and the sentence says where names come from. That it has a name says nothing of whether
 * it can be counted here: see perf_event_refused(). */
int perf_event_find(const struct root *root, const char *name, struct perf_event *out,
		    struct err *e);

struct perf_event_attr;
/* Fill in what the event is; the rest is zero. */
void perf_event_fill(const struct perf_event *ev, struct perf_event_attr *a);

/* Sample it, so many times a second, or, with a period, every so many of them. A tracepoint is taken at every hit. */
void perf_event_rate(struct perf_event_attr *a, unsigned hz, uint64_t period);
bool perf_event_is_tracepoint(const struct perf_event *ev);

/* Can it be sampled on this machine? 0, or -errno with the reason and the way out. */
int perf_event_check(const struct root *root, const struct perf_event *ev, unsigned hz,
		     uint64_t period, struct err *e);

/* perf_event_open(), close-on-exec. A descriptor or -errno. */
int perf_event_fd(struct perf_event_attr *a, int pid, int cpu, int group);

/* Why the kernel refused to open it, as half a sentence for people. code: -errno. */
void perf_event_refused(const struct root *root, const struct perf_event *ev, int code, char *out,
			size_t size);

#endif
