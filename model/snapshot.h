/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_SNAPSHOT_H
#define SIXTY_MODEL_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/metric.h"

/* Every raw number at one moment: one table per scope, one row per thing, one u64 per metric, exactly as the
 * kernel gave it, and beside each the source it came from (0: not read, which is never the same as 0).
 *
 *            col 0      col 1      col 2
 *   row 0    123 [1]    –   [0]    7   [2]       [n] = index of the metric's source + 1
 *   row 1    …
 *
 * A row is matched between snapshots by identity, never by name alone: pid + start time, device number +
 * diskseq, inode + generation. Where the name is the identity (an interface, a cgroup path) key is its hash. */
struct row_id {
	uint64_t key;
	uint64_t birth; /* start time in ticks for tasks, diskseq, … ; 0 when the thing has none */
};

struct table {
	enum scope scope;
	unsigned ncols;
	size_t nrows, cap;
	uint64_t time_ns; /* CLOCK_BOOTTIME when it was read; 0: this table was not read */
	struct row_id *ids;
	uint32_t *names;  /* into strings */
	uint64_t *values; /* [row * ncols + col] */
	uint8_t *sources; /* the same shape */
	uint32_t *slots;  /* hash of identity → row + 1, built when first asked for */
	size_t nslots;
	struct buf strings; /* names and texts: NUL-terminated, offset 0 is "" */
};

struct snapshot {
	const struct host *host;
	uint64_t time_ns; /* CLOCK_BOOTTIME */
	int64_t wall_ns;
	struct table tables[SCOPE_MAX];
};

void snapshot_init(struct snapshot *s, const struct host *h);
void snapshot_done(struct snapshot *s);
void snapshot_clear(struct snapshot *s); /* keeps the memory */

/* Mark a table as read now (its time); rows are added after that. */
void snapshot_begin(struct snapshot *s, enum scope scope, uint64_t time_ns);

/* So many rows will be added: no more, or some more. */
void snapshot_reserve(struct snapshot *s, enum scope scope, size_t rows);

/* Find or add a row. The name is made part of the table's strings. */
size_t snapshot_row(struct snapshot *s, enum scope scope, struct row_id id, const char *name,
		    size_t name_len);
/* The same for things whose name is their identity. */
size_t snapshot_named_row(struct snapshot *s, enum scope scope, const char *name, size_t name_len);
struct row_id row_id_of_name(const char *name, size_t n);
/* SYSTEM has one row. */
size_t snapshot_system_row(struct snapshot *s);

/* Fill a cell. source is metric_source(id, file); a cell that is filled already keeps the better (lower) source. */
void snapshot_set(struct snapshot *s, enum metric_id id, size_t row, uint64_t value,
		  unsigned source);
/* The same by column of the scope's table, for who fills many cells of many rows: half as dear. */
static inline void snapshot_set_column(struct snapshot *s, enum scope scope, unsigned column,
				       size_t row, uint64_t value, unsigned source)
{
	struct table *t = &s->tables[scope];
	size_t c = row * t->ncols + column;

	if (!source || (t->sources[c] && t->sources[c] < source))
		return;
	t->values[c] = value;
	t->sources[c] = (uint8_t)source;
}
void snapshot_set_text(struct snapshot *s, enum metric_id id, size_t row, const char *p, size_t n,
		       unsigned source);
/* Add to a cell (absent counts as 0): for values that are sums over several lines. */
void snapshot_add(struct snapshot *s, enum metric_id id, size_t row, uint64_t value,
		  unsigned source);

size_t snapshot_rows(const struct snapshot *s, enum scope scope);
const char *snapshot_name(const struct snapshot *s, enum scope scope, size_t row);
struct row_id snapshot_id(const struct snapshot *s, enum scope scope, size_t row);
/* SIZE_MAX if there is no such row. Not const: builds the index. */
size_t snapshot_find(struct snapshot *s, enum scope scope, struct row_id id);
size_t snapshot_find_name(struct snapshot *s, enum scope scope, const char *name);

bool snapshot_raw(const struct snapshot *s, enum metric_id id, size_t row, uint64_t *value);
double snapshot_value(const struct snapshot *s, enum metric_id id,
		      size_t row); /* base units; NaN when absent */
const char *snapshot_text(const struct snapshot *s, enum metric_id id,
			  size_t row); /* NULL when absent */

/* Copy every row and filled cell of src into dst, by identity: joins snapshots that read different things. */
void snapshot_merge(struct snapshot *dst, const struct snapshot *src);

/* The same where nobody needs src afterwards, which may lose its rows: what dst has nothing of is moved, not copied. */
void snapshot_absorb(struct snapshot *dst, struct snapshot *src);

/* Copy the tables that dst did not read, with the time at which src read them: a collector may leave out a reading,
 * and the next difference then covers both parts. */
void snapshot_carry(struct snapshot *dst, const struct snapshot *src);
/* The same where nobody needs them in src afterwards: they are moved. */
void snapshot_take(struct snapshot *dst, struct snapshot *src);

#endif
