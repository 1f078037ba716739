/* SPDX-License-Identifier: Apache-2.0 */
/* Raw numbers at one moment. What each column means is in metrics.def; nothing here divides or subtracts. */
#include "model/snapshot.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "model/host.h"

void snapshot_init(struct snapshot *s, const struct host *h)
{
	memset(s, 0, sizeof(*s));
	s->host = h;
	for (int i = 0; i < SCOPE_MAX; i++) {
		s->tables[i].scope = i;
		s->tables[i].ncols = scope_columns(i);
		buf_char(&s->tables[i].strings, '\0');
	}
}

void snapshot_done(struct snapshot *s)
{
	for (int i = 0; i < SCOPE_MAX; i++) {
		struct table *t = &s->tables[i];

		mem_free(t->ids);
		mem_free(t->names);
		mem_free(t->values);
		mem_free(t->sources);
		mem_free(t->slots);
		buf_done(&t->strings);
	}
	memset(s, 0, sizeof(*s));
}

void snapshot_clear(struct snapshot *s)
{
	for (int i = 0; i < SCOPE_MAX; i++) {
		s->tables[i].nrows = 0;
		s->tables[i].time_ns = 0;
		if (s->tables[i].nslots)
			memset(s->tables[i].slots, 0, s->tables[i].nslots * sizeof(uint32_t));
		buf_clear(&s->tables[i].strings);
		buf_char(&s->tables[i].strings, '\0');
	}
	s->time_ns = 0;
	s->wall_ns = 0;
}

void snapshot_begin(struct snapshot *s, enum scope scope, uint64_t time_ns)
{
	s->tables[scope].time_ns = time_ns;
}

/* ---- identity ---- */

static uint64_t mix(uint64_t x)
{
	/* the finalizer of splitmix64: every input bit reaches every output bit */
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9u;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

struct row_id row_id_of_name(const char *name, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a, then mixed */

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)name[i]) * 0x100000001b3u;
	return (struct row_id){ .key = mix(h) };
}

static bool same_id(struct row_id a, struct row_id b)
{
	return a.key == b.key && a.birth == b.birth;
}

static size_t slot_of(const struct table *t, struct row_id id)
{
	size_t i = mix(id.key ^ mix(id.birth)) & (t->nslots - 1);

	while (t->slots[i] && !same_id(t->ids[t->slots[i] - 1], id))
		i = (i + 1) & (t->nslots - 1);
	return i;
}

/* Keep the index at most half full. */
static void index_rows(struct table *t)
{
	size_t want = 16;

	while (want < 2 * (t->nrows + 1))
		want *= 2;
	if (want <= t->nslots)
		return;
	mem_free(t->slots);
	t->slots = mem_array(want, sizeof(*t->slots));
	t->nslots = want;
	for (size_t r = 0; r < t->nrows; r++)
		t->slots[slot_of(t, t->ids[r])] = (uint32_t)r + 1;
}

/* ---- rows ---- */

static void make_room(struct table *t, size_t rows)
{
	size_t cap = t->cap ? t->cap : 8;

	if (rows <= t->cap)
		return;
	while (cap < rows)
		cap *= 2;
	t->ids = mem_resize(t->ids, cap, sizeof(*t->ids));
	t->names = mem_resize(t->names, cap, sizeof(*t->names));
	if (t->ncols) {
		t->values = mem_resize(t->values, cap, t->ncols * sizeof(*t->values));
		t->sources = mem_resize(t->sources, cap, t->ncols);
	}
	t->cap = cap;
}

void snapshot_reserve(struct snapshot *s, enum scope scope, size_t rows)
{
	struct table *t = &s->tables[scope];

	make_room(t, t->nrows + rows);
}

static uint32_t keep(struct table *t, const char *p, size_t n)
{
	size_t at = t->strings.len;

	if (!n || at + n + 1 > UINT32_MAX)
		return 0;
	buf_add(&t->strings, p, n);
	buf_char(&t->strings, '\0');
	return (uint32_t)at;
}

size_t snapshot_row(struct snapshot *s, enum scope scope, struct row_id id, const char *name,
		    size_t name_len)
{
	struct table *t = &s->tables[scope];
	size_t slot;

	index_rows(t);
	slot = slot_of(t, id);
	if (t->slots[slot])
		return t->slots[slot] - 1;
	make_room(t, t->nrows + 1);
	t->ids[t->nrows] = id;
	t->names[t->nrows] = keep(t, name, name_len);
	if (t->ncols)
		memset(t->sources + t->nrows * t->ncols, 0, t->ncols);
	t->slots[slot] = (uint32_t)++t->nrows;
	return t->nrows - 1;
}

size_t snapshot_named_row(struct snapshot *s, enum scope scope, const char *name, size_t name_len)
{
	return snapshot_row(s, scope, row_id_of_name(name, name_len), name, name_len);
}

size_t snapshot_system_row(struct snapshot *s)
{
	return snapshot_row(s, SCOPE_SYSTEM, (struct row_id){ 0 }, "", 0);
}

size_t snapshot_rows(const struct snapshot *s, enum scope scope)
{
	return s->tables[scope].nrows;
}

const char *snapshot_name(const struct snapshot *s, enum scope scope, size_t row)
{
	return row < s->tables[scope].nrows
		       ? s->tables[scope].strings.data + s->tables[scope].names[row]
		       : "";
}

struct row_id snapshot_id(const struct snapshot *s, enum scope scope, size_t row)
{
	return row < s->tables[scope].nrows ? s->tables[scope].ids[row] : (struct row_id){ 0 };
}

size_t snapshot_find(struct snapshot *s, enum scope scope, struct row_id id)
{
	struct table *t = &s->tables[scope];

	if (!t->nrows)
		return SIZE_MAX;
	index_rows(t);
	return (size_t)t->slots[slot_of(t, id)] - 1; /* an empty slot is 0 - 1 = SIZE_MAX */
}

size_t snapshot_find_name(struct snapshot *s, enum scope scope, const char *name)
{
	return snapshot_find(s, scope, row_id_of_name(name, strlen(name)));
}

/* ---- cells ---- */

/* The cell's index, or SIZE_MAX if the metric has no cell there. */
static size_t cell_of(const struct snapshot *s, enum metric_id id, size_t row)
{
	const struct metric *m = metric_get(id);
	const struct table *t = &s->tables[m->scope];

	if (id == M_NONE || m->kind == KIND_DERIVED || row >= t->nrows)
		return SIZE_MAX;
	return row * t->ncols + m->column;
}

void snapshot_set(struct snapshot *s, enum metric_id id, size_t row, uint64_t value,
		  unsigned source)
{
	struct table *t = &s->tables[metric_get(id)->scope];
	size_t c = cell_of(s, id, row);

	if (c == SIZE_MAX || !source || (t->sources[c] && t->sources[c] < source))
		return;
	t->values[c] = value;
	t->sources[c] = (uint8_t)source;
}

void snapshot_set_text(struct snapshot *s, enum metric_id id, size_t row, const char *p, size_t n,
		       unsigned source)
{
	snapshot_set(s, id, row, keep(&s->tables[metric_get(id)->scope], p, n), source);
}

void snapshot_add(struct snapshot *s, enum metric_id id, size_t row, uint64_t value,
		  unsigned source)
{
	struct table *t = &s->tables[metric_get(id)->scope];
	size_t c = cell_of(s, id, row);

	if (c == SIZE_MAX || !source)
		return;
	t->values[c] = (t->sources[c] ? t->values[c] : 0) + value;
	t->sources[c] = (uint8_t)source;
}

bool snapshot_raw(const struct snapshot *s, enum metric_id id, size_t row, uint64_t *value)
{
	const struct table *t = &s->tables[metric_get(id)->scope];
	size_t c = cell_of(s, id, row);

	if (c == SIZE_MAX || !t->sources[c])
		return false;
	*value = t->values[c];
	return true;
}

double snapshot_value(const struct snapshot *s, enum metric_id id, size_t row)
{
	const struct metric *m = metric_get(id);
	size_t c = cell_of(s, id, row);
	unsigned source = c == SIZE_MAX ? 0 : s->tables[m->scope].sources[c];

	if (!source)
		return NAN;
	if (source > m->nsources) /* a captured table may say anything */
		source = 1;
	return scale_value(s->tables[m->scope].values[c], m->sources[source - 1].scale, s->host);
}

const char *snapshot_text(const struct snapshot *s, enum metric_id id, size_t row)
{
	const struct buf *strings = &s->tables[metric_get(id)->scope].strings;
	uint64_t at;

	if (metric_get(id)->unit != UNIT_TEXT || !snapshot_raw(s, id, row, &at))
		return NULL;
	return at < strings->len ? strings->data + at : NULL;
}

static void merge_table(struct snapshot *dst, const struct snapshot *src, enum scope sc)
{
	const struct table *t = &src->tables[sc];

	make_room(&dst->tables[sc], t->nrows);
	for (size_t r = 0; r < t->nrows; r++) {
		const char *name = snapshot_name(src, sc, r);
		size_t to = snapshot_row(dst, sc, t->ids[r], name, strlen(name));
		struct table *d = &dst->tables[sc];

		for (unsigned c = 0; c < t->ncols; c++) {
			uint8_t source = t->sources[r * t->ncols + c];
			uint64_t v = t->values[r * t->ncols + c];

			if (!source)
				continue;
			if (metric_get(scope_metric(sc, c))->unit == UNIT_TEXT) {
				const char *text = t->strings.data + v;

				v = keep(d, text, strlen(text));
			}
			d->values[to * d->ncols + c] = v;
			d->sources[to * d->ncols + c] = source;
		}
	}
	if (t->time_ns > dst->tables[sc].time_ns)
		dst->tables[sc].time_ns = t->time_ns;
}

void snapshot_carry(struct snapshot *dst, const struct snapshot *src)
{
	for (int sc = 0; sc < SCOPE_MAX; sc++)
		if (!dst->tables[sc].time_ns && src->tables[sc].time_ns)
			merge_table(dst, src, sc);
}

void snapshot_merge(struct snapshot *dst, const struct snapshot *src)
{
	for (int sc = 0; sc < SCOPE_MAX; sc++)
		merge_table(dst, src, sc);
	if (src->time_ns > dst->time_ns) {
		dst->time_ns = src->time_ns;
		dst->wall_ns = src->wall_ns;
	}
}

static void move_table(struct snapshot *dst, struct snapshot *src, enum scope sc)
{
	struct table *to = &dst->tables[sc], *from = &src->tables[sc], t = *to;

	if (to->nrows) {
		merge_table(dst, src, sc);
		return;
	}
	*to = *from;
	*from = t;
	if (from->time_ns > to->time_ns)
		to->time_ns = from->time_ns;
	from->time_ns = 0;
}

void snapshot_take(struct snapshot *dst, struct snapshot *src)
{
	for (int sc = 0; sc < SCOPE_MAX; sc++)
		if (!dst->tables[sc].time_ns && src->tables[sc].time_ns)
			move_table(dst, src, sc);
}

void snapshot_absorb(struct snapshot *dst, struct snapshot *src)
{
	for (int sc = 0; sc < SCOPE_MAX; sc++)
		move_table(dst, src, sc);
	if (src->time_ns > dst->time_ns) {
		dst->time_ns = src->time_ns;
		dst->wall_ns = src->wall_ns;
	}
}
