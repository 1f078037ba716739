/* SPDX-License-Identifier: Apache-2.0 */
/* The metric table: metrics.def and files.def turned into arrays.
 *
 * A SOURCE line belongs to the METRIC line above it. The preprocessor cannot say "above", so both are put into one
 * list of lines in file order, and metrics_init() walks it once. */
#include "model/metric.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/host.h"

const struct file_row files[F_MAX] = {
#define FILE_ROW(id, p, sh, sc, pa, w)    \
	[F_##id] = { .name = #id,         \
		     .path = p,           \
		     .shape = SHAPE_##sh, \
		     .scope = SCOPE_##sc, \
		     .pace = PACE_##pa,   \
		     .what = w },
#include "model/files.def"
#undef FILE_ROW
};

/* ---- functions of DERIVED rows: inputs are interval values, any may be NaN ---- */

static double first_input(const double *in)
{
	return in[0];
}

/* a / b; nothing happened is not a duration of 0. */
static double quotient(const double *in)
{
	return in[1] > 0 ? in[0] / in[1] : NAN;
}

/* (a + b) / (c + d): mean over two kinds of operations. One kind alone will do. */
static double quotient_of_pairs(const double *in)
{
	double over = (in[0] > 0 ? in[0] : 0) + (in[1] > 0 ? in[1] : 0);
	double under = (in[2] > 0 ? in[2] : 0) + (in[3] > 0 ? in[3] : 0);

	return under > 0 ? over / under : NAN;
}

/* 1 - free / all */
static double share_used(const double *in)
{
	return in[1] > 0 ? 1 - in[0] / in[1] : NAN;
}

/* As df: used / (used + available), which is 1 when only root's reserve is left. */
static double share_taken(const double *in)
{
	double used = in[2] - in[0];

	return used + in[1] > 0 ? used / (used + in[1]) : NAN;
}

/* Utilization: 1 - idle - iowait - steal. iowait is idle time; stolen time is nobody's work here. Inputs are seconds
 * per second; ticks are coarser than the clock, so a fully busy CPU may come out a little above 1. */
static double used(double unused, double cpus)
{
	double busy = 1 - unused / cpus;

	return busy < 0 ? 0 : busy > 1 ? 1 : busy; /* NaN stays NaN */
}

/* No iowait or steal column (a very old kernel, or a reset in the window): that part is taken as not there. */
static double or_zero(double x)
{
	return isnan(x) ? 0 : x;
}

static double busy_of_one(const double *in)
{
	return used(in[0] + or_zero(in[1]) + or_zero(in[2]), 1);
}

static double busy_of_all(const double *in)
{
	return used(in[0] + or_zero(in[1]) + or_zero(in[2]), in[3]);
}

/* Parts of which a kernel has only some. */
static double sum_of_known(const double *in)
{
	double sum = NAN;

	for (int i = 0; i < METRIC_INPUTS; i++)
		if (!isnan(in[i]))
			sum = isnan(sum) ? in[i] : sum + in[i];
	return sum;
}

struct line {
	enum metric_id id; /* M_NONE: a source of the metric above */
	struct metric metric;
	struct source source;
};

#define KEY(k) .key = k
#define COL(c) .col = c
#define OWN    .col = 0
#define FROM(...)           \
	{                   \
		__VA_ARGS__ \
	}

static const struct line lines[] = {
#define METRIC(i, n, u, k, s, r, a, h)      \
	{ .id = M_##i,                      \
	  .metric = { .name = n,            \
		      .unit = UNIT_##u,     \
		      .kind = KIND_##k,     \
		      .scope = SCOPE_##s,   \
		      .resource = RES_##r,  \
		      .aspect = ASPECT_##a, \
		      .help = h } },
#define DERIVED(i, n, u, s, r, a, fn, from, h) \
	{ .id = M_##i,                         \
	  .metric = { .name = n,               \
		      .unit = UNIT_##u,        \
		      .kind = KIND_DERIVED,    \
		      .scope = SCOPE_##s,      \
		      .resource = RES_##r,     \
		      .aspect = ASPECT_##a,    \
		      .derive = fn,            \
		      .inputs = from,          \
		      .help = h } },
#define SOURCE(f, where, sc) { .source = { .file = F_##f, where, .scale = SCALE_##sc } },
#include "model/metrics.def"
#undef METRIC
#undef DERIVED
#undef SOURCE
};

static struct metric metrics[M_MAX];
static enum metric_id by_column[SCOPE_MAX][M_MAX];
static unsigned columns[SCOPE_MAX];

void metrics_init(void)
{
	enum metric_id above = M_NONE;

	if (metrics[lines[0].id].name)
		return;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		const struct line *l = &lines[i];
		struct metric *m;

		if (l->id == M_NONE) {
			m = &metrics[above];
			if (m->nsources == METRIC_SOURCES)
				abort(); /* a row of metrics.def has too many sources: seen by the first test */
			m->sources[m->nsources++] = l->source;
			continue;
		}
		above = l->id;
		m = &metrics[above];
		*m = l->metric;
		if (m->kind == KIND_DERIVED)
			continue;
		m->column = columns[m->scope]++;
		by_column[m->scope][m->column] = above;
	}
}

const struct metric *metric_get(enum metric_id id)
{
	return &metrics[id < M_MAX ? id : M_NONE];
}

enum metric_id metric_by_name(const char *name)
{
	for (enum metric_id id = M_NONE + 1; id < M_MAX; id++)
		if (!strcmp(metrics[id].name, name))
			return id;
	return M_NONE;
}

unsigned scope_columns(enum scope s)
{
	return columns[s];
}

enum metric_id scope_metric(enum scope s, unsigned column)
{
	return column < columns[s] ? by_column[s][column] : M_NONE;
}

unsigned metric_source(enum metric_id id, enum file_id file)
{
	const struct metric *m = metric_get(id);

	for (unsigned i = 0; i < m->nsources; i++)
		if (m->sources[i].file == file)
			return i + 1;
	return 0;
}

double scale_factor(enum scale s, const struct host *h)
{
	static const double fixed[SCALE_MAX] = {
		[SCALE_ONE] = 1,       [SCALE_KIB] = 1024,   [SCALE_MIB] = 1048576,
		[SCALE_SECTORS] = 512, [SCALE_SEC] = 1,      [SCALE_MSEC] = 1e-3,
		[SCALE_USEC] = 1e-6,   [SCALE_NSEC] = 1e-9,  [SCALE_CENTI] = 1e-2,
		[SCALE_MILLI] = 1e-3,  [SCALE_MICRO] = 1e-6, [SCALE_KILO] = 1e3,
		[SCALE_MEGA] = 1e6,    [SCALE_SIGNED] = 1,
	};

	if (s == SCALE_PAGES)
		return h->page_size;
	if (s == SCALE_TICKS)
		return 1.0 / h->ticks_per_second;
	return fixed[s];
}

double scale_value(uint64_t raw, enum scale s, const struct host *h)
{
	if (s == SCALE_SIGNED)
		return (double)(int64_t)raw;
	return raw == VALUE_UNLIMITED ? INFINITY : (double)raw * scale_factor(s, h);
}

static const char *const scope_names[SCOPE_MAX] = {
	[SCOPE_SYSTEM] = "system",   [SCOPE_CPU] = "cpu",
	[SCOPE_IRQ] = "irq",         [SCOPE_NUMA] = "numa",
	[SCOPE_SLAB] = "slab",       [SCOPE_DISK] = "disk",
	[SCOPE_FS] = "fs",           [SCOPE_NETIF] = "netif",
	[SCOPE_QDISC] = "qdisc",     [SCOPE_NETNS] = "netns",
	[SCOPE_SOCKET] = "socket",   [SCOPE_CGROUP] = "cgroup",
	[SCOPE_PROCESS] = "process", [SCOPE_THREAD] = "thread",
	[SCOPE_EVENT] = "event",     [SCOPE_ENDPOINT] = "endpoint",
	[SCOPE_TIME] = "time",       [SCOPE_PAIR] = "pair",
	[SCOPE_STACK] = "stack",     [SCOPE_MECHANISM] = "mechanism",
};

static const char *const resource_names[RES_MAX] = {
	[RES_CPU] = "cpu", [RES_LOCK] = "lock", [RES_MEMORY] = "memory", [RES_DISK] = "disk",
	[RES_FS] = "fs",   [RES_NET] = "net",   [RES_APP] = "app",       [RES_KERNEL] = "kernel",
};

const char *scope_name(enum scope s)
{
	return scope_names[s];
}

const char *resource_name(enum resource r)
{
	return resource_names[r];
}

const char *aspect_name(enum aspect a)
{
	static const char *const names[] = { "context", "utilization", "saturation",
					     "errors",  "rate",        "duration" };

	return names[a];
}

const char *kind_name(enum metric_kind k)
{
	static const char *const names[] = { "counter", "gauge", "label", "derived" };

	return names[k];
}
