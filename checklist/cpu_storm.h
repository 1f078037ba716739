/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CHECKLIST_CPU_STORM_H
#define SIXTY_CHECKLIST_CPU_STORM_H

#include "checklist/cpu.h"

/* Where a storm begins. */
/* clang-format off */
#define WASTED_LEAST   0.2     /* CPU seconds per second: a fifth of a CPU is what people start to look for */
#define SYSTEM_SHARE   0.3     /* of the party's CPU time: below it, it computes */
#define FAULT_COST     0.5e-6  /* s: a minor page fault costs at least this */
#define TICK_RATE      1000.0  /* per CPU: the highest HZ; what is above comes from timers that were asked for */
#define TIMER_LEAST    10000.0 /* per second above that */
#define TLB_LEAST      5000.0  /* per second */
#define YIELD_LEAST    10000.0 /* per second; preemption alone makes some hundred per CPU */
#define SWITCH_LEAST   20000.0 /* per second and party */
#define SWITCH_RUN     20e-6   /* s: whoever runs longer per turn does something between two switches */
#define SWITCH_COST    5e-6    /* s: what a switch costs at most, with wake-up and lost caches */
#define CALL_LEAST     50000.0 /* reads and writes per second; at 0.3 us or more each */
#define CALL_BYTES     512.0   /* mean: larger ones move data */
#define HERD_THREADS   8
#define HERD_RATE      2000.0  /* wake-ups per second */
#define HERD_RUN       300e-6  /* s per wake-up: longer, and they do have something to do */
#define HERD_STEP      0.04    /* of the median rate */
#define HERD_QUEUE     4.0     /* waiting per running: woken together, they stand in line for nothing */
#define FORK_LEAST     100.0   /* short-lived processes: at least so many a second */
#define FORK_CPU       20e-3   /* s: each with at most so much CPU time (a compiler takes ten times it) */
#define GONE_LEAST     0.4     /* CPUs that they take together: shell scripts make some at any time */
#define GONE_SECONDS   0.7     /* share of the seconds with FORK_LEAST: a job of a moment is no storm */
/* clang-format on */

/* Sum of the rates of a metric of the CPUs; NaN when none knows it. */
double sum_over_cpus(const struct view *v, enum metric_id id);

/* A party that lives in the kernel for no reason that /proc shows: false if there is none. */
struct unseen_calls {
	struct member who;
	double system; /* CPUs */
	bool io_known;
};
bool storm_unseen_calls(const struct view *v, struct unseen_calls *out);

#endif
