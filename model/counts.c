/* SPDX-License-Identifier: Apache-2.0 */
/* Ratios are rows of a table: what, of what. Those of the four shares of a pipeline ("top-down", level 1) are differences, and
 * written out. */
#include "model/counts.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

void counts_done(struct counts *c)
{
	mem_free(c->rows);
	memset(c, 0, sizeof(*c));
}

struct count_row *counts_add(struct counts *c)
{
	struct count_row *row;

	c->rows = mem_grow(c->rows, &c->cap, c->n + 1, sizeof(*c->rows));
	row = &c->rows[c->n++];
	*row = (struct count_row){ .scale = 1, .user = true, .kernel = true };
	return row;
}

double count_value(const struct count_row *row)
{
	if (row->why[0] || !row->running_ns)
		return NAN;
	return (double)row->raw * row->scale * (double)row->enabled_ns / (double)row->running_ns;
}

double count_share(const struct count_row *row)
{
	if (row->why[0] || !row->enabled_ns)
		return NAN;
	return row->running_ns >= row->enabled_ns
		       ? 1
		       : (double)row->running_ns / (double)row->enabled_ns;
}

/* ---- ratios ---- */

/* clang-format off */
static const struct {
	const char *name, *of;
	enum count_role what, base;
	bool percent;
} pairs[] = {
	{ "instructions per cycle", "cycles",           COUNT_INSTRUCTIONS,     COUNT_CYCLES,           false },
	{ "cache misses",           "cache references", COUNT_CACHE_MISSES,     COUNT_CACHE_REFERENCES, true },
	{ "branches mispredicted",  "branches",         COUNT_BRANCH_MISSES,    COUNT_BRANCHES,         true },
	{ "retiring",               "pipeline slots",   COUNT_RETIRING,         COUNT_SLOTS,            true },
	{ "bad speculation",        "pipeline slots",   COUNT_BAD_SPECULATION,  COUNT_SLOTS,            true },
	{ "frontend bound",         "pipeline slots",   COUNT_FRONTEND_BOUND,   COUNT_SLOTS,            true },
	{ "backend bound",          "pipeline slots",   COUNT_BACKEND_BOUND,    COUNT_SLOTS,            true },
};
/* clang-format on */

/* The first of that role which was counted in the same of user and kernel as `like`. */
static const struct count_row *find(const struct counts *c, enum count_role role,
				    const struct count_row *like)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct count_row *row = &c->rows[i];

		if (row->role == role && !isnan(count_value(row)) &&
		    (!like || (row->user == like->user && row->kernel == like->kernel)))
			return row;
	}
	return NULL;
}

static void add(struct count_ratio *out, size_t *n, const struct count_ratio *r)
{
	if (*n < COUNT_RATIOS)
		out[(*n)++] = *r;
}

static void add_pairs(const struct counts *c, struct count_ratio *out, size_t *n)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		const struct count_row *base = find(c, pairs[i].base, NULL), *what;

		what = base ? find(c, pairs[i].what, base) : NULL;
		if (!what || !(count_value(base) > 0))
			continue;
		add(out, n,
		    &(struct count_ratio){ .name = pairs[i].name,
					   .of = pairs[i].of,
					   .percent = pairs[i].percent,
					   .value = count_value(what) / count_value(base),
					   .base = count_value(base),
					   .counted = fmin(count_share(what), count_share(base)) });
	}
}

/* Before Ice Lake the four shares come from five other events. */
static void add_slots(const struct counts *c, struct count_ratio *out, size_t *n)
{
	const struct count_row *total = find(c, COUNT_TOTAL_SLOTS, NULL), *part[4];
	struct count_ratio r = { .of = "pipeline slots", .percent = true };
	double v[4];

	if (!total || !(count_value(total) > 0))
		return;
	r.base = count_value(total);
	r.counted = count_share(total);
	for (unsigned i = 0; i < 4; i++) {
		part[i] = find(c, COUNT_SLOTS_ISSUED + i, total);
		if (!part[i])
			return;
		v[i] = count_value(part[i]) / r.base;
		r.counted = fmin(r.counted, count_share(part[i]));
	}
	r.name = "retiring";
	r.value = v[1];
	add(out, n, &r);
	r.name = "bad speculation";
	r.value = fmax(0, v[0] - v[1] + v[3]);
	add(out, n, &r);
	r.name = "frontend bound";
	r.value = v[2];
	add(out, n, &r);
	r.name = "backend bound";
	r.value = fmax(0, 1 - v[1] - v[2] - fmax(0, v[0] - v[1] + v[3]));
	add(out, n, &r);
}

/* What a thread uses of CPUs; of a machine the clock runs on while it is idle. */
static void add_cpus(const struct counts *c, struct count_ratio *out, size_t *n)
{
	const struct count_row *clock = c->machine ? NULL : find(c, COUNT_TASK_CLOCK, NULL);

	if (clock && c->seconds > 0)
		add(out, n,
		    &(struct count_ratio){ .name = "CPUs used",
					   .of = "",
					   .value = count_value(clock) / c->seconds,
					   .base = c->seconds,
					   .counted = count_share(clock) });
}

/* How fast the clock ran while it ran: cycles in nanoseconds of CPU time. */
static void add_clock(const struct counts *c, struct count_ratio *out, size_t *n)
{
	const struct count_row *clock = c->machine ? NULL : find(c, COUNT_TASK_CLOCK, NULL);
	const struct count_row *cycles = find(c, COUNT_CYCLES, NULL);

	if (clock && cycles && cycles->user && cycles->kernel && count_value(clock) > 0)
		add(out, n,
		    &(struct count_ratio){ .name = "GHz",
					   .of = "seconds of CPU time",
					   .value = count_value(cycles) / count_value(clock) * 1e-9,
					   .base = count_value(clock),
					   .counted =
						   fmin(count_share(clock), count_share(cycles)) });
}

size_t counts_ratios(const struct counts *c, struct count_ratio *out)
{
	size_t n = 0;

	add_cpus(c, out, &n);
	add_clock(c, out, &n);
	add_pairs(c, out, &n);
	add_slots(c, out, &n);
	return n;
}
