/* SPDX-License-Identifier: Apache-2.0 */
/* Machines made by hand: see scene.h. */
#include "tests/unit/scene.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/lost.h"
#include "tests/unit/unit.h"

#define SECOND      1000000000ull
#define OPENS_AT    (1000 * SECOND) /* after boot */
#define COUNTS_FROM 5000            /* a counter that has lived */

const struct row_id scene_system = { 0 };

void scene_open(struct scene *s, unsigned cpus, double seconds)
{
	metrics_init();
	memset(s, 0, sizeof(*s));
	s->duration = seconds;
	s->host = (struct host){
		.hostname = "scene",
		.kernel = "6.1.0",
		.arch = "x86_64",
		.cpus = cpus,
		.possible_cpus = cpus,
		.memory_bytes = 8ull << 30,
		.ticks_per_second = 100,
		.page_size = 4096,
		.root = true,
	};
	snapshot_init(&s->first, &s->host);
	snapshot_init(&s->last, &s->host);
	s->first.time_ns = OPENS_AT;
	s->last.time_ns = OPENS_AT + (uint64_t)(seconds * 1e9);
	for (int sc = 0; sc < SCOPE_MAX; sc++) {
		snapshot_begin(&s->first, sc, s->first.time_ns);
		snapshot_begin(&s->last, sc, s->last.time_ns);
	}
	interval_init(&s->window, &s->host);
	report_init(&s->report, "sixty.triage/1", &s->host);
}

void scene_close(struct scene *s)
{
	for (size_t i = 0; i < s->view.nseconds; i++)
		interval_done(&s->parts[i]);
	report_done(&s->report);
	interval_done(&s->window);
	snapshot_done(&s->first);
	snapshot_done(&s->last);
	mem_free(s->lost);
}

/* ---- rows ---- */

static struct row_id task(struct scene *s, enum scope sc, int64_t id, const char *comm, bool born)
{
	uint64_t ticks = (OPENS_AT + (born ? (uint64_t)(s->duration * 5e8) : 0) -
			  (born ? 0 : 900 * SECOND)) /
			 (SECOND / 100);
	struct row_id row = { .key = (uint64_t)id, .birth = ticks };

	if (!born)
		snapshot_row(&s->first, sc, row, comm, strlen(comm));
	snapshot_row(&s->last, sc, row, comm, strlen(comm));
	return row;
}

struct row_id scene_process(struct scene *s, int64_t pid, const char *comm)
{
	return task(s, SCOPE_PROCESS, pid, comm, false);
}

struct row_id scene_born_process(struct scene *s, int64_t pid, const char *comm)
{
	return task(s, SCOPE_PROCESS, pid, comm, true);
}

struct row_id scene_thread(struct scene *s, int64_t pid, int64_t tid, const char *comm)
{
	struct row_id row = task(s, SCOPE_THREAD, tid, comm, false);

	scene_level(s, M_THREAD_PID, row, (double)pid);
	return row;
}

struct row_id scene_named(struct scene *s, enum scope scope, const char *name)
{
	snapshot_named_row(&s->first, scope, name, strlen(name));
	return snapshot_id(&s->last, scope,
			   snapshot_named_row(&s->last, scope, name, strlen(name)));
}

/* ---- values ---- */

static void put(struct snapshot *snap, enum metric_id id, struct row_id row, uint64_t raw)
{
	enum scope sc = metric_get(id)->scope;
	size_t r = sc == SCOPE_SYSTEM ? snapshot_system_row(snap) : snapshot_find(snap, sc, row);

	if (r != SIZE_MAX)
		snapshot_set(snap, id, r, raw, 1);
}

static uint64_t raw_of(const struct scene *s, enum metric_id id, double value)
{
	if (isinf(value))
		return VALUE_UNLIMITED;
	return (uint64_t)llround(value / scale_factor(metric_get(id)->sources[0].scale, &s->host));
}

void scene_grow(struct scene *s, enum metric_id id, struct row_id row, double growth)
{
	bool born = metric_get(id)->scope != SCOPE_SYSTEM &&
		    snapshot_find(&s->first, metric_get(id)->scope, row) == SIZE_MAX;

	put(&s->first, id, row, COUNTS_FROM);
	put(&s->last, id, row, (born ? 0 : COUNTS_FROM) + raw_of(s, id, growth));
}

void scene_move(struct scene *s, enum metric_id id, struct row_id row, double from, double to)
{
	put(&s->first, id, row, raw_of(s, id, from));
	put(&s->last, id, row, raw_of(s, id, to));
}

void scene_level(struct scene *s, enum metric_id id, struct row_id row, double level)
{
	scene_move(s, id, row, level, level);
}

static void put_text(struct snapshot *snap, enum metric_id id, struct row_id row, const char *text)
{
	enum scope sc = metric_get(id)->scope;
	size_t r = sc == SCOPE_SYSTEM ? snapshot_system_row(snap) : snapshot_find(snap, sc, row);

	if (r != SIZE_MAX)
		snapshot_set_text(snap, id, r, text, strlen(text), 1);
}

void scene_text(struct scene *s, enum metric_id id, struct row_id row, const char *text)
{
	put_text(&s->first, id, row, text);
	put_text(&s->last, id, row, text);
}

/* ---- the view ---- */

/* The machine at a share of the window: counters and gauges move evenly. Tasks that were born are there from their birth. */
static void between(struct scene *s, struct snapshot *out, double share)
{
	uint64_t now = OPENS_AT + (uint64_t)(share * s->duration * 1e9);

	snapshot_clear(out);
	out->time_ns = now;
	for (int sc = 0; sc < SCOPE_MAX; sc++) {
		const struct table *to = &s->last.tables[sc], *from = &s->first.tables[sc];

		snapshot_begin(out, sc, now);
		for (size_t r = 0; r < to->nrows; r++) {
			size_t old = snapshot_find(&s->first, sc, to->ids[r]), row;
			const char *name = snapshot_name(&s->last, sc, r);

			if (old == SIZE_MAX && share < 1)
				continue;
			row = snapshot_row(out, sc, to->ids[r], name, strlen(name));
			for (unsigned c = 0; c < to->ncols; c++) {
				enum metric_id id = scope_metric(sc, c);
				uint64_t a = 0, b;

				if (!snapshot_raw(&s->last, id, r, &b) ||
				    metric_get(id)->unit == UNIT_TEXT)
					continue;
				if (old != SIZE_MAX && from->sources[old * from->ncols + c])
					a = from->values[old * from->ncols + c];
				if (b != VALUE_UNLIMITED && b >= a)
					b = a + (uint64_t)llround((double)(b - a) * share);
				else if (b != VALUE_UNLIMITED && metric_get(id)->kind == KIND_GAUGE)
					b = a - (uint64_t)llround((double)(a - b) * share);
				else if (b != VALUE_UNLIMITED && share < 1)
					b = a;
				snapshot_set(out, id, row, b, 1);
			}
		}
	}
}

static void build_seconds(struct scene *s)
{
	size_t n = (size_t)s->duration < SCENE_SECONDS ? (size_t)s->duration : SCENE_SECONDS;
	struct snapshot a, b;

	snapshot_init(&a, &s->host);
	snapshot_init(&b, &s->host);
	for (size_t i = 0; i < n; i++) {
		between(s, &a, (double)i / (double)n);
		between(s, &b, (double)(i + 1) / (double)n);
		interval_init(&s->parts[i], &s->host);
		interval_diff(&s->parts[i], &a, &b);
		s->seconds[i] = &s->parts[i];
	}
	s->view.nseconds = n;
	snapshot_done(&a);
	snapshot_done(&b);
}

void scene_build(struct scene *s)
{
	if (s->built)
		return;
	s->built = true;
	interval_diff(&s->window, &s->first, &s->last);
	build_seconds(s);
	s->view.host = &s->host;
	s->view.window = &s->window;
	s->view.seconds = s->seconds;
	s->view.first = &s->first;
	s->view.last = &s->last;
	s->lost = lost_build(&s->window, &s->view.nlost, &s->view.lost_total);
	s->view.lost = s->lost;
	s->report.view = &s->view;
	s->report.seconds = s->duration;
}

static void judge(struct scene *s, const struct rule *r)
{
	if (r->check)
		r->check(r, &s->view, &s->report.findings);
	else
		rule_unknown(r, &s->report.findings, "%s", r->needs);
}

void scene_judge(struct scene *s, const char *id)
{
	const struct rule *r = rule_by_id(id);

	if (!r)
		unit_fail(__FILE__, __LINE__, "there is no rule %s", id);
	scene_build(s);
	judge(s, r);
}

void scene_judge_table(struct scene *s, const struct rule *table)
{
	scene_build(s);
	for (; table->id; table++)
		judge(s, table);
}

const struct finding *scene_finding(const struct scene *s, const char *id)
{
	for (size_t i = 0; i < s->report.findings.n; i++)
		if (!strcmp(s->report.findings.list[i].id, id))
			return &s->report.findings.list[i];
	return NULL;
}

const char *scene_unknown(const struct scene *s, const char *id)
{
	for (size_t i = 0; i < s->report.findings.nunknown; i++)
		if (!strcmp(s->report.findings.unknown[i].id, id))
			return s->report.findings.unknown[i].why;
	return NULL;
}
