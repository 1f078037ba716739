/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_NOW_H
#define SIXTY_MODEL_NOW_H

#include "model/host.h"
#include "model/interval.h"
#include "model/snapshot.h"

/* The latest of everything, for who looks on: what happened since the refresh before, and how things stand. What is
 * judged is a longer window (model/view.h). */
#define NOW_LATEST 3

struct now {
	const struct host *host;
	struct interval *const *seconds; /* between refreshes, oldest first */
	size_t nseconds;
	struct snapshot
		*latest[NOW_LATEST]; /* that read different tables, fastest first; NULL: none */
	int64_t wall_ns;             /* of the last refresh */
};

/* The last interval that has this table; NULL: none. */
struct interval *now_interval(const struct now *n, enum scope sc);
/* The snapshot that has the rows of a scope: the fastest one that has any; NULL: none. */
struct snapshot *now_rows(const struct now *n, enum scope sc);

/* Of a thing by its identity. A counter is its rate, a gauge and a label how it stands, a derived metric its result. A counter
 * that did not move is 0; what was not read is NaN or NULL. */
double now_value(const struct now *n, enum metric_id id, struct row_id row);
const char *now_text(const struct now *n, enum metric_id id, struct row_id row);
/* Of the machine. */
double now_system(const struct now *n, enum metric_id id);

#endif
