/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_COUNTS_H
#define SIXTY_MODEL_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What was counted of some events in a window, and the ratios that people ask for: how much of one per how much of another.
 *
 * A PMU has fewer counters than there are wishes; then the kernel lets events take turns, and what a row has is multiplied up from
 * the time in which it was counted. How long that was stands beside every number. */

/* What an event is for the ratios. */
enum count_role {
	COUNT_OTHER,
	COUNT_CYCLES,
	COUNT_INSTRUCTIONS,
	COUNT_CACHE_REFERENCES,
	COUNT_CACHE_MISSES,
	COUNT_BRANCHES,
	COUNT_BRANCH_MISSES,
	COUNT_TASK_CLOCK,
	COUNT_SLOTS,
	COUNT_RETIRING,
	COUNT_BAD_SPECULATION,
	COUNT_FRONTEND_BOUND,
	COUNT_BACKEND_BOUND,
	COUNT_TOTAL_SLOTS, /* before Ice Lake: others of the same four shares */
	COUNT_SLOTS_ISSUED,
	COUNT_SLOTS_RETIRED,
	COUNT_FETCH_BUBBLES,
	COUNT_RECOVERY_BUBBLES,
	COUNT_ROLES
};

#define COUNT_NAME 96
#define COUNT_UNIT 16

struct count_row {
	char name[COUNT_NAME]; /* as it was asked for */
	char unit[COUNT_UNIT]; /* "s", "Joules"; "" for events */
	double scale;          /* of one count in that unit */
	enum count_role role;
	bool user, kernel; /* in which of the two it was counted */
	uint64_t raw;      /* as counted */
	uint64_t enabled_ns,
		running_ns; /* it should be counted, and was; of all counters together */
	char why[160];      /* it cannot be counted at all; "": it can */
};

struct counts {
	char target[160]; /* "redis-server[4242]", "all CPUs", "./build.sh" */
	bool machine;     /* of CPUs, idle time included, not of threads */
	double seconds;
	struct count_row *rows;
	size_t n, cap;
};

struct count_ratio {
	const char *name; /* "instructions per cycle" */
	const char *of;   /* what it is a share of: "cycles"; "" for wall time */
	bool percent;
	double value, base; /* base: how much of `of` */
	double counted;     /* the least share of the time in which one of the two was counted */
};

#define COUNT_RATIOS 12

void counts_done(struct counts *c);
struct count_row *counts_add(struct counts *c); /* zeroed, scale 1; valid until the next one */

/* In the unit of the row, multiplied up to the whole window. NaN: it was not counted. */
double count_value(const struct count_row *row);
/* Share of the time in which it was counted: 1 is always. NaN: it was not wanted for any time. */
double count_share(const struct count_row *row);

/* The ratios whose both sides are there. Returns how many. */
size_t counts_ratios(const struct counts *c, struct count_ratio *out);

#endif
