/* SPDX-License-Identifier: Apache-2.0 */
/* What happened between two snapshots. The only place where counters are subtracted.
 *
 * A counter that went down was reset (a device came back, a module was reloaded, iowait was corrected by the kernel):
 * the cell is unknown for that part, the part is counted in `resets`, and the rest of the window still counts. */
#include "model/interval.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "model/host.h"

void interval_init(struct interval *iv, const struct host *h)
{
	memset(iv, 0, sizeof(*iv));
	iv->host = h;
	for (int i = 0; i < SCOPE_MAX; i++) {
		iv->tables[i].scope = i;
		iv->tables[i].ncols = scope_columns(i);
	}
	buf_char(&iv->strings, '\0');
}

void interval_done(struct interval *iv)
{
	for (int i = 0; i < SCOPE_MAX; i++) {
		mem_free(iv->tables[i].rows);
		mem_free(iv->tables[i].cells);
		mem_free(iv->tables[i].slots);
	}
	buf_done(&iv->strings);
	memset(iv, 0, sizeof(*iv));
}

void interval_clear(struct interval *iv)
{
	for (int i = 0; i < SCOPE_MAX; i++) {
		struct itable *t = &iv->tables[i];

		t->nrows = 0;
		t->known = false;
		t->seconds = 0;
		if (t->nslots)
			memset(t->slots, 0, t->nslots * sizeof(*t->slots));
	}
	buf_clear(&iv->strings);
	buf_char(&iv->strings, '\0');
	iv->start_ns = iv->end_ns = 0;
	iv->resets = 0;
}

double interval_seconds(const struct interval *iv)
{
	return (double)(iv->end_ns - iv->start_ns) * 1e-9;
}

/* ---- rows ---- */

static size_t slot_of(const struct itable *t, struct row_id id)
{
	uint64_t h = (id.key ^ id.birth * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;
	size_t i = (h ^ h >> 32) & (t->nslots - 1);

	while (t->slots[i]) {
		struct row_id have = t->rows[t->slots[i] - 1].id;

		if (have.key == id.key && have.birth == id.birth)
			break;
		i = (i + 1) & (t->nslots - 1);
	}
	return i;
}

static void index_rows(struct itable *t)
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
		t->slots[slot_of(t, t->rows[r].id)] = (uint32_t)r + 1;
}

static void make_room(struct itable *t, size_t rows)
{
	size_t cap = t->cap ? t->cap : 8;

	if (rows <= t->cap)
		return;
	while (cap < rows)
		cap *= 2;
	t->rows = mem_resize(t->rows, cap, sizeof(*t->rows));
	if (t->ncols)
		t->cells = mem_resize(t->cells, cap, t->ncols * sizeof(*t->cells));
	t->cap = cap;
}

/* Find or add; a new row's cells are absent. */
static size_t row_for(struct interval *iv, enum scope sc, struct row_id id, const char *name)
{
	struct itable *t = &iv->tables[sc];
	size_t slot, len = strlen(name);
	struct irow *row;

	index_rows(t);
	slot = slot_of(t, id);
	if (t->slots[slot])
		return t->slots[slot] - 1;
	make_room(t, t->nrows + 1);
	row = &t->rows[t->nrows];
	*row = (struct irow){ .id = id };
	if (len) {
		row->name = (uint32_t)iv->strings.len;
		buf_add(&iv->strings, name, len + 1);
	}
	for (unsigned c = 0; c < t->ncols; c++)
		t->cells[t->nrows * t->ncols + c] = (struct cell){ .why = WHY_ABSENT };
	t->slots[slot] = (uint32_t)++t->nrows;
	return t->nrows - 1;
}

size_t interval_rows(const struct interval *iv, enum scope s)
{
	return iv->tables[s].nrows;
}

const struct irow *interval_row(const struct interval *iv, enum scope s, size_t row)
{
	return row < iv->tables[s].nrows ? &iv->tables[s].rows[row] : NULL;
}

const char *interval_name(const struct interval *iv, enum scope s, size_t row)
{
	return row < iv->tables[s].nrows ? iv->strings.data + iv->tables[s].rows[row].name : "";
}

size_t interval_find(struct interval *iv, enum scope s, struct row_id id)
{
	struct itable *t = &iv->tables[s];

	if (!t->nrows)
		return SIZE_MAX;
	index_rows(t);
	return (size_t)t->slots[slot_of(t, id)] - 1;
}

size_t interval_find_name(struct interval *iv, enum scope s, const char *name)
{
	return interval_find(iv, s, row_id_of_name(name, strlen(name)));
}

/* ---- difference ---- */

/* Tasks carry their start time in ticks: one that began after the earlier reading began at zero, and all it has
 * counted belongs to the interval. Anything else that is new has an unknown past. */
static bool starts_at_zero(const struct snapshot *a, enum scope sc, struct row_id id)
{
	double birth;

	if (sc == SCOPE_TIME || sc == SCOPE_PAIR || sc == SCOPE_STACK || sc == SCOPE_MECHANISM)
		return true; /* what is measured counts from when we began to look */
	if (sc != SCOPE_PROCESS && sc != SCOPE_THREAD)
		return false;
	birth = (double)id.birth / a->host->ticks_per_second;
	/* start times are cut to ticks: one tick of grace */
	return birth + 1.0 / a->host->ticks_per_second >= (double)a->tables[sc].time_ns * 1e-9;
}

/* Threads that did nothing get no row: one that has one later counts from when we began to look. */
static bool is_measured(const struct metric *m, unsigned source)
{
	return source && source <= m->nsources &&
	       (m->sources[source - 1].file == F_BPF_TASKS ||
		m->sources[source - 1].file == F_BPF_BYTES ||
		m->sources[source - 1].file == F_BPF_WAKES);
}

struct reading {
	bool there;
	unsigned source;
	uint64_t raw;
	double factor; /* of the source, for differences */
	double value;  /* in base units */
};

static struct reading reading(const struct snapshot *s, const struct metric *m,
			      const struct table *t, size_t row)
{
	struct reading r = { 0 };
	enum scale scale;
	unsigned source;

	if (row == SIZE_MAX)
		return r;
	source = t->sources[row * t->ncols + m->column];
	if (!source)
		return r;
	r.there = true;
	r.source = source;
	r.raw = t->values[row * t->ncols + m->column];
	scale = m->sources[source <= m->nsources ? source - 1 : 0].scale;
	r.factor = scale_factor(scale, s->host);
	r.value = scale_value(r.raw, scale, s->host);
	return r;
}

/* Growth that no machine is capable of: a counter that went below zero and round, or was overwritten (steal time after
 * a migration has done so). A million threads may wait at once; nothing moves a petabyte a second. */
static bool is_impossible(const struct metric *m, double growth, double seconds)
{
	return growth > (m->unit == UNIT_SECONDS ? 1e6 : 1e15) * (seconds + 1);
}

/* The same quantity from another source: the difference is known to the coarser one's unit. */
static struct cell other_source(struct reading a, struct reading b, double seconds,
				uint64_t *resets)
{
	struct cell c = { 0 };
	double growth = b.value - a.value;

	if (growth < -fmax(a.factor, b.factor)) {
		c.why = WHY_RESET;
		++*resets;
		return c;
	}
	c.sum = fmax(growth, 0);
	c.seconds = seconds;
	return c;
}

static struct cell counter_cell(const struct metric *m, struct reading a, struct reading b,
				bool from_zero, double seconds, uint64_t *resets)
{
	struct cell c = { 0 };

	if (!b.there) {
		c.why = WHY_ABSENT;
	} else if (!a.there && !from_zero) {
		c.why = WHY_FIRST;
	} else if (a.there && a.factor != b.factor) {
		return other_source(a, b, seconds, resets);
	} else if (a.there && (b.raw < a.raw ||
			       is_impossible(m, (double)(b.raw - a.raw) * b.factor, seconds))) {
		c.why = WHY_RESET;
		++*resets;
	} else {
		c.sum = (double)(b.raw - (a.there ? a.raw : 0)) * b.factor;
		c.seconds = seconds;
	}
	return c;
}

static struct cell gauge_cell(struct reading a, struct reading b, double seconds)
{
	struct cell c = { 0 };
	double before, now;

	if (!b.there) {
		c.why = WHY_ABSENT;
		return c;
	}
	now = b.value;
	before = a.there ? a.value : now;
	c.last = now;
	c.peak = fmax(now, before);
	c.sum = (now + before) / 2 * seconds;
	c.seconds = seconds;
	return c;
}

/* Did any counter of the row move? Rows that slept are left out of the big tables. */
static bool moved(const struct table *a, const struct table *b, size_t ra, size_t rb)
{
	for (unsigned c = 0; c < b->ncols; c++) {
		size_t ia = ra * a->ncols + c, ib = rb * b->ncols + c;

		/* what most cells are comes first: this runs for every cell of every process each second */
		if (!b->sources[ib] || (a->sources[ia] && a->values[ia] == b->values[ib]))
			continue;
		if (metric_get(scope_metric(b->scope, c))->kind == KIND_COUNTER)
			return true;
	}
	return false;
}

static bool is_sparse(enum scope sc)
{
	return sc == SCOPE_PROCESS || sc == SCOPE_THREAD || sc == SCOPE_SOCKET ||
	       sc == SCOPE_CGROUP;
}

static void diff_row(struct interval *out, const struct snapshot *a, const struct snapshot *b,
		     enum scope sc, size_t ra, size_t rb, double seconds)
{
	const struct table *ta = &a->tables[sc], *tb = &b->tables[sc];
	bool from_zero = ra == SIZE_MAX && starts_at_zero(a, sc, tb->ids[rb]);
	size_t r = row_for(out, sc, tb->ids[rb], snapshot_name(b, sc, rb));
	struct itable *t = &out->tables[sc];

	t->rows[r].born = ra == SIZE_MAX;
	t->rows[r].lived = t->rows[r].covered = seconds;
	if (from_zero)
		t->rows[r].lived =
			fmin(seconds, fmax(0, (double)tb->time_ns * 1e-9 -
						      (double)tb->ids[rb].birth /
							      a->host->ticks_per_second));
	for (unsigned c = 0; c < t->ncols; c++) {
		const struct metric *m;
		struct reading va, vb;

		if (!tb->sources[rb * tb->ncols + c])
			continue; /* absent, as the cells of a new row are */
		m = metric_get(scope_metric(sc, c));
		va = reading(a, m, ta, ra);
		vb = reading(b, m, tb, rb);
		if (m->kind == KIND_COUNTER)
			t->cells[r * t->ncols + c] =
				counter_cell(m, va, vb, from_zero || is_measured(m, vb.source),
					     seconds, &out->resets);
		else if (m->kind == KIND_GAUGE)
			t->cells[r * t->ncols + c] = gauge_cell(va, vb, seconds);
	}
}

static void diff_table(struct interval *out, struct snapshot *a, struct snapshot *b, enum scope sc)
{
	const struct table *ta = &a->tables[sc], *tb = &b->tables[sc];
	double seconds = (double)(tb->time_ns - ta->time_ns) * 1e-9;

	out->tables[sc].known = true;
	out->tables[sc].seconds = seconds;
	if (!is_sparse(sc))
		make_room(&out->tables[sc], tb->nrows);
	for (size_t rb = 0; rb < tb->nrows; rb++) {
		size_t ra = snapshot_find(a, sc, tb->ids[rb]);

		if (ra != SIZE_MAX && is_sparse(sc) && !moved(ta, tb, ra, rb))
			continue;
		diff_row(out, a, b, sc, ra, rb, seconds);
	}
	for (size_t ra = 0; ra < ta->nrows; ra++) {
		size_t r;

		if (snapshot_find(b, sc, ta->ids[ra]) != SIZE_MAX)
			continue;
		r = row_for(out, sc, ta->ids[ra], snapshot_name(a, sc, ra));
		out->tables[sc].rows[r].gone = true;
		out->tables[sc].rows[r].covered = seconds;
	}
}

void interval_diff(struct interval *out, struct snapshot *a, struct snapshot *b)
{
	interval_clear(out);
	out->start_ns = a->time_ns;
	out->end_ns = b->time_ns;
	for (int sc = 0; sc < SCOPE_MAX; sc++)
		if (a->tables[sc].time_ns && b->tables[sc].time_ns > a->tables[sc].time_ns)
			diff_table(out, a, b, sc);
}

/* ---- sum ---- */

static void add_cell(struct cell *into, const struct cell *more)
{
	if (more->seconds <= 0) {
		if (into->seconds <= 0 && into->why == WHY_ABSENT)
			into->why = more->why;
		else if (more->why == WHY_RESET && into->why == WHY_OK)
			into->why = WHY_RESET;
		return;
	}
	if (into->seconds <= 0)
		into->peak = more->peak;
	into->sum += more->sum;
	into->seconds += more->seconds;
	into->last = more->last;
	into->peak = fmax(into->peak, more->peak);
	if (into->why == WHY_ABSENT || into->why == WHY_FIRST)
		into->why = WHY_OK;
}

/* The seconds of a sparse row that its cells do not speak of were spent without moving; not so before birth and after death. */
static void cover(struct itable *t, const struct itable *f, size_t to, const struct irow *row,
		  bool fresh)
{
	struct irow *r = &t->rows[to];

	if (fresh) {
		r->born = row->born;
		r->covered = row->born ? t->seconds : 0;
	}
	r->covered += f->seconds;
	r->lived += row->lived;
	r->gone = row->gone;
}

/* Several collectors may fill one table at different paces: the second reading of the same time adds cells, not time. */
static bool covers_same_time(const struct interval *into, const struct interval *more)
{
	return into->end_ns && more->start_ns / 2 + more->end_ns / 2 < into->end_ns;
}

static void cover_the_dead(struct itable *t, double seconds)
{
	for (size_t r = 0; r < t->nrows; r++)
		if (t->rows[r].gone)
			t->rows[r].covered += seconds;
}

void interval_add(struct interval *into, const struct interval *more)
{
	bool empty = !into->end_ns, again = covers_same_time(into, more);

	for (int sc = 0; sc < SCOPE_MAX; sc++) {
		const struct itable *f = &more->tables[sc];
		bool overlay = again && into->tables[sc].seconds > 0;

		into->tables[sc].known |= f->known;
		make_room(&into->tables[sc], f->nrows);
		if (f->seconds > 0 && !overlay)
			cover_the_dead(&into->tables[sc], f->seconds);
		for (size_t r = 0; r < f->nrows; r++) {
			const struct irow *row = &f->rows[r];
			size_t before = into->tables[sc].nrows;
			size_t to = row_for(into, sc, row->id, more->strings.data + row->name);
			struct itable *t = &into->tables[sc];

			if (!overlay)
				cover(t, f, to, row, to == before);
			for (unsigned c = 0; c < t->ncols; c++) {
				const struct cell *cell = &f->cells[r * f->ncols + c];

				if (cell->seconds > 0 || cell->why != WHY_ABSENT)
					add_cell(&t->cells[to * t->ncols + c], cell);
			}
		}
		if (!overlay)
			into->tables[sc].seconds += f->seconds;
	}
	if (empty || more->start_ns < into->start_ns)
		into->start_ns = more->start_ns;
	if (more->end_ns > into->end_ns)
		into->end_ns = more->end_ns;
	into->resets += more->resets;
}

/* ---- values ---- */

static const struct cell *cell_of(const struct interval *iv, enum metric_id id,
				  enum metric_kind kind, size_t row)
{
	const struct metric *m = metric_get(id);
	const struct itable *t = &iv->tables[m->scope];
	const struct cell *c;

	if (id == M_NONE || m->kind != kind || row >= t->nrows)
		return NULL;
	c = &t->cells[row * t->ncols + m->column];
	return c->seconds > 0 ? c : NULL;
}

/* Seconds in which a sparse row existed and did not move. */
static double quiet(const struct interval *iv, enum scope sc, size_t row)
{
	const struct itable *t = &iv->tables[sc];

	return is_sparse(sc) ? fmax(0, t->seconds - t->rows[row].covered) : 0;
}

/* Seconds that a cell speaks of, those included in which its row did not move. A cell that was read at another pace
 * than the others of its row speaks of the whole already. */
static double spoken_of(const struct interval *iv, enum scope sc, size_t row, const struct cell *c)
{
	return c->seconds + fmin(quiet(iv, sc, row), fmax(0, iv->tables[sc].seconds - c->seconds));
}

double interval_lived(const struct interval *iv, enum scope s, size_t row)
{
	const struct itable *t = &iv->tables[s];

	return row < t->nrows ? t->rows[row].lived + quiet(iv, s, row) : 0;
}

double interval_delta(const struct interval *iv, enum metric_id id, size_t row)
{
	const struct cell *c = cell_of(iv, id, KIND_COUNTER, row);

	return c ? c->sum : NAN;
}

double interval_rate(const struct interval *iv, enum metric_id id, size_t row)
{
	const struct cell *c = cell_of(iv, id, KIND_COUNTER, row);

	return c ? c->sum / spoken_of(iv, metric_get(id)->scope, row, c) : NAN;
}

double interval_mean(const struct interval *iv, enum metric_id id, size_t row)
{
	const struct cell *c = cell_of(iv, id, KIND_GAUGE, row);

	return c ? c->sum / c->seconds : NAN;
}

double interval_last(const struct interval *iv, enum metric_id id, size_t row)
{
	const struct cell *c = cell_of(iv, id, KIND_GAUGE, row);

	return c ? c->last : NAN;
}

double interval_peak(const struct interval *iv, enum metric_id id, size_t row)
{
	const struct cell *c = cell_of(iv, id, KIND_GAUGE, row);

	return c ? c->peak : NAN;
}

double interval_value(const struct interval *iv, enum metric_id id, size_t row)
{
	const struct metric *m = metric_get(id);
	double in[METRIC_INPUTS];

	switch (m->kind) {
	case KIND_COUNTER:
		return interval_rate(iv, id, row);
	case KIND_GAUGE:
		return interval_mean(iv, id, row);
	case KIND_DERIVED:
		for (int i = 0; i < METRIC_INPUTS; i++)
			in[i] = m->inputs[i] == M_NONE ? NAN
						       : interval_value(iv, m->inputs[i], row);
		return m->derive(in);
	default:
		return NAN;
	}
}

enum why interval_why(const struct interval *iv, enum metric_id id, size_t row)
{
	const struct metric *m = metric_get(id);
	const struct itable *t = &iv->tables[m->scope];

	if (id == M_NONE || row >= t->nrows)
		return WHY_ABSENT;
	if (m->kind == KIND_DERIVED)
		return interval_why(iv, m->inputs[0], row);
	return t->cells[row * t->ncols + m->column].why;
}

const char *why_text(enum why w)
{
	static const char *const texts[WHY_MAX] = {
		[WHY_OK] = "",
		[WHY_ABSENT] = "not offered by this kernel or not readable",
		[WHY_FIRST] = "only one reading so far",
		[WHY_RESET] = "the counter was reset in the window",
		[WHY_NEW] = "appeared in the window",
	};

	return texts[w];
}

double system_rate(const struct interval *iv, enum metric_id id)
{
	return interval_rate(iv, id, 0);
}

double system_delta(const struct interval *iv, enum metric_id id)
{
	return interval_delta(iv, id, 0);
}

double system_value(const struct interval *iv, enum metric_id id)
{
	return interval_value(iv, id, 0);
}

int64_t interval_whole(double v)
{
	const double most = 9007199254740992.0; /* 2^53 */

	return isnan(v) ? 0 : (int64_t)fmax(-most, fmin(v, most));
}
