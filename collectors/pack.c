/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots as bytes: a header per table, then per row its identity, its name and its filled cells. See pack.h. */
#include "collectors/pack.h"

#include <string.h>

struct packed_table {
	uint64_t time_ns;
	uint32_t scope, nrows;
};

struct packed_row {
	struct row_id id;
	uint32_t name_len, ncells;
};

struct packed_cell {
	uint64_t value; /* of a text: its length, the bytes follow */
	uint32_t column, source;
};

static void pack_row(struct buf *out, const struct snapshot *s, const struct table *t, size_t r)
{
	const char *name = snapshot_name(s, t->scope, r);
	struct packed_row row = { .id = t->ids[r], .name_len = (uint32_t)strlen(name) };

	for (unsigned c = 0; c < t->ncols; c++)
		row.ncells += t->sources[r * t->ncols + c] != 0;
	buf_add(out, &row, sizeof(row));
	buf_add(out, name, row.name_len);
	for (unsigned c = 0; c < t->ncols; c++) {
		struct packed_cell cell = { t->values[r * t->ncols + c], c,
					    t->sources[r * t->ncols + c] };
		const char *text;

		if (!cell.source)
			continue;
		if (metric_get(scope_metric(t->scope, c))->unit != UNIT_TEXT) {
			buf_add(out, &cell, sizeof(cell));
			continue;
		}
		text = t->strings.data + cell.value;
		cell.value = strlen(text);
		buf_add(out, &cell, sizeof(cell));
		buf_add(out, text, cell.value);
	}
}

void pack_snapshot(struct buf *out, const struct snapshot *s)
{
	for (int sc = 0; sc < SCOPE_MAX; sc++) {
		const struct table *t = &s->tables[sc];
		struct packed_table head = { t->time_ns, (uint32_t)sc, (uint32_t)t->nrows };

		if (!t->time_ns && !t->nrows)
			continue;
		buf_add(out, &head, sizeof(head));
		for (size_t r = 0; r < t->nrows; r++)
			pack_row(out, s, t, r);
	}
}

static bool take(const char **p, const char *end, void *out, size_t n)
{
	if ((size_t)(end - *p) < n)
		return false;
	memcpy(out, *p, n);
	*p += n;
	return true;
}

static bool unpack_cell(struct snapshot *into, enum scope sc, size_t row, const char **p,
			const char *end)
{
	struct packed_cell cell;
	enum metric_id id;

	if (!take(p, end, &cell, sizeof(cell)))
		return false;
	id = scope_metric(sc, cell.column);
	if (id == M_NONE || !cell.source || cell.source > METRIC_SOURCES)
		return false;
	if (metric_get(id)->unit != UNIT_TEXT) {
		snapshot_set(into, id, row, cell.value, cell.source);
		return true;
	}
	if ((size_t)(end - *p) < cell.value)
		return false;
	snapshot_set_text(into, id, row, *p, cell.value, cell.source);
	*p += cell.value;
	return true;
}

static bool unpack_row(struct snapshot *into, enum scope sc, const char **p, const char *end)
{
	struct packed_row row;
	size_t r;

	if (!take(p, end, &row, sizeof(row)) || (size_t)(end - *p) < row.name_len)
		return false;
	r = sc == SCOPE_SYSTEM ? snapshot_system_row(into)
			       : snapshot_row(into, sc, row.id, *p, row.name_len);
	*p += row.name_len;
	for (uint32_t c = 0; c < row.ncells; c++)
		if (!unpack_cell(into, sc, r, p, end))
			return false;
	return true;
}

bool unpack_snapshot(struct snapshot *into, const void *bytes, size_t n)
{
	const char *p = n ? bytes : "", *end = p + n;
	struct packed_table head;

	while (p < end) {
		if (!take(&p, end, &head, sizeof(head)) || head.scope >= SCOPE_MAX)
			return false;
		if (head.time_ns) /* else only cells for rows that somebody else reads */
			snapshot_begin(into, head.scope, head.time_ns);
		for (uint32_t r = 0; r < head.nrows; r++)
			if (!unpack_row(into, head.scope, &p, end))
				return false;
	}
	return true;
}
