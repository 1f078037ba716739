/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_INTERVAL_H
#define SIXTY_MODEL_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/metric.h"
#include "model/snapshot.h"

/* What happened between two snapshots: doubles in base units, with the seconds each cell really covers.
 * Intervals add up (a second of ten tenths, a window of ten seconds, files read at different paces); only
 * when a value is asked for is anything divided by time. Sparse: a row whose counters did not move is not there
 * (unless it is new or gone), so a hundred thousand sleeping processes cost nothing; levels of such rows are read from the last snapshot. */
enum why {
	WHY_OK,
	WHY_ABSENT, /* no source answered */
	WHY_FIRST,  /* only one reading */
	WHY_RESET,  /* the counter went down: neither a negative rate nor 2^64 */
	WHY_NEW,    /* the row appeared and cannot have started at zero */
	WHY_MAX
};

struct cell {
	double sum;        /* counter: difference; gauge: integral over time */
	double seconds;    /* that sum covers */
	double last, peak; /* gauge only */
	uint8_t why; /* enum why; a cell with seconds > 0 is known even if a part of the window was not */
};

struct irow {
	struct row_id id;
	uint32_t name;
	bool born;    /* appeared in the interval */
	bool gone;    /* not there at the end */
	double lived; /* seconds that the row is known to have existed while it moved */
	double covered; /* seconds of the interval that the row's cells speak of, or in which it did not exist */
};

struct itable {
	enum scope scope;
	unsigned ncols;
	bool known; /* both ends were read */
	double seconds; /* between the readings of this table; a sparse row that is not covered did not move */
	size_t nrows, cap;
	struct irow *rows;
	struct cell *cells; /* [row * ncols + col] */
	uint32_t *slots;
	size_t nslots;
};

struct interval {
	const struct host *host;
	uint64_t start_ns, end_ns; /* CLOCK_BOOTTIME */
	struct itable tables[SCOPE_MAX];
	struct buf strings;
	uint64_t resets; /* counters that went down */
};

void interval_init(struct interval *iv, const struct host *h);
void interval_done(struct interval *iv);
void interval_clear(struct interval *iv);

/* out = b − a, for each table that both have read. */
void interval_diff(struct interval *out, struct snapshot *a, struct snapshot *b);

/* into += more. more follows into in time, or covers the same time with other metrics. */
void interval_add(struct interval *into, const struct interval *more);

double interval_seconds(const struct interval *iv);
size_t interval_rows(const struct interval *iv, enum scope s);
const char *interval_name(const struct interval *iv, enum scope s, size_t row);
const struct irow *interval_row(const struct interval *iv, enum scope s, size_t row);
size_t interval_find(struct interval *iv, enum scope s,
		     struct row_id id); /* SIZE_MAX: no such row */
size_t interval_find_name(struct interval *iv, enum scope s, const char *name);

/* Seconds of the interval that the row existed. */
double interval_lived(const struct interval *iv, enum scope s, size_t row);

/* All NaN when unknown. row SIZE_MAX is allowed and unknown; a counter of a row that did not move is the caller's 0. */
double interval_delta(const struct interval *iv, enum metric_id id,
		      size_t row); /* counter: growth in the interval */
double interval_rate(const struct interval *iv, enum metric_id id,
		     size_t row); /* counter: growth per second */
double interval_mean(const struct interval *iv, enum metric_id id,
		     size_t row); /* gauge: time-weighted mean */
double interval_last(const struct interval *iv, enum metric_id id, size_t row); /* gauge */
double interval_peak(const struct interval *iv, enum metric_id id, size_t row); /* gauge */
/* What a column shows: rate of a counter, mean of a gauge, result of a derived metric. */
double interval_value(const struct interval *iv, enum metric_id id, size_t row);
enum why interval_why(const struct interval *iv, enum metric_id id, size_t row);
const char *why_text(enum why w);

/* Shorthands for the one SYSTEM row. */
double system_rate(const struct interval *iv, enum metric_id id);
double system_delta(const struct interval *iv, enum metric_id id);
double system_value(const struct interval *iv, enum metric_id id);

/* A number from outside that is to be counted or looked up by (a pid, a port, a row): 0 when it is unknown, and cut
 * where a double has no whole numbers left. A plain cast of what does not fit is undefined. */
int64_t interval_whole(double v);

#endif
