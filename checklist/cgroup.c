/* SPDX-License-Identifier: Apache-2.0 */
/* Who is in a control group, what holds for it, what it did. */
#include "checklist/cgroup.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define LEVELS_MAX 64 /* of nesting: a path cannot make us walk for ever */

static const char *label(const struct view *v, enum metric_id id, size_t group)
{
	const char *s = snapshot_text(v->last, id, group);

	return s ? s : "";
}

size_t cgroup_count(const struct view *v)
{
	return snapshot_rows(v->last, SCOPE_CGROUP);
}

const char *cgroup_path(const struct view *v, size_t group)
{
	return label(v, M_CG_PATH, group);
}

const char *cgroup_dir(const struct view *v, size_t group)
{
	return label(v, M_CG_DIR, group);
}

const char *cgroup_device(const struct view *v, size_t group)
{
	return snapshot_text(v->last, M_CG_IO_DEVICE, group);
}

bool cgroup_is_v2(const struct view *v, size_t group)
{
	return !*label(v, M_CG_CONTROLLERS, group);
}

/* ---- finding ---- */

static bool names_controller(struct text names, const char *controller)
{
	struct text name;

	while (text_until(&names, ',', &name))
		if (text_eq(name, controller))
			return true;
	return false;
}

static size_t find(const struct view *v, struct text controllers, struct text path)
{
	char name[2048];
	int n = snprintf(name, sizeof(name), "%.*s%s%.*s", (int)text_len(controllers),
			 controllers.p, text_len(controllers) ? ":" : "", (int)text_len(path),
			 path.p);

	return n > 0 && (size_t)n < sizeof(name) ? snapshot_find_name(v->last, SCOPE_CGROUP, name)
						 : CGROUP_NONE;
}

/* Lines are "12:cpu,cpuacct:/path" (v1) and "0::/path" (v2). On a hybrid machine the v2 tree has no controllers, so it
 * is asked only when no v1 hierarchy carries this one. */
size_t cgroup_of(const struct view *v, struct row_id process, const char *controller)
{
	const char *all = view_label(v, M_PROC_CGROUP, process);
	struct text rest = text_of(all ? all : ""), line, number, names;
	struct text v2 = { NULL, NULL };

	while (text_line(&rest, &line)) {
		if (!text_until(&line, ':', &number) || !text_until(&line, ':', &names))
			continue;
		if (!text_len(names))
			v2 = line;
		else if (names_controller(names, controller))
			return find(v, names, line);
	}
	return v2.p ? find(v, text_of(""), v2) : CGROUP_NONE;
}

size_t cgroup_parent(const struct view *v, size_t group)
{
	struct text controllers = text_of(label(v, M_CG_CONTROLLERS, group)),
		    path = text_of(cgroup_path(v, group));
	const char *slash = text_last(path, '/');

	/* a row of one device hangs below its group */
	if (cgroup_device(v, group))
		return find(v, controllers, path);
	if (!slash || text_eq(path, "/"))
		return CGROUP_NONE;
	path.end = slash == path.p ? slash + 1 : slash;
	return find(v, controllers, path);
}

static bool path_below(const char *path, const char *top)
{
	size_t n = strlen(top);

	if (n == 1) /* "/" */
		return *path == '/';
	return n && !strncmp(path, top, n) && (path[n] == '\0' || path[n] == '/');
}

bool cgroup_contains(const struct view *v, size_t group, struct row_id process)
{
	const char *all = view_label(v, M_PROC_CGROUP, process),
		   *controllers = label(v, M_CG_CONTROLLERS, group);
	struct text rest = text_of(all ? all : ""), line, number, names;
	char path[2048];

	while (text_line(&rest, &line)) {
		if (!text_until(&line, ':', &number) || !text_until(&line, ':', &names) ||
		    !text_eq(names, controllers))
			continue;
		return path_below(text_copy(path, sizeof(path), line), cgroup_path(v, group));
	}
	return false;
}

bool cgroup_is_above(const struct view *v, size_t group, size_t other)
{
	return !strcmp(label(v, M_CG_CONTROLLERS, group), label(v, M_CG_CONTROLLERS, other)) &&
	       path_below(cgroup_path(v, other), cgroup_path(v, group));
}

/* ---- values ---- */

static size_t row_at_first(const struct view *v, size_t group)
{
	return snapshot_find(v->first, SCOPE_CGROUP, snapshot_id(v->last, SCOPE_CGROUP, group));
}

double cgroup_delta(const struct view *v, enum metric_id id, size_t group)
{
	size_t row, first;
	double delta, now;

	if (group == CGROUP_NONE)
		return NAN;
	row = interval_find(v->window, SCOPE_CGROUP, snapshot_id(v->last, SCOPE_CGROUP, group));
	delta = interval_delta(v->window, id, row);
	if (!isnan(delta))
		return delta;
	now = snapshot_value(v->last, id, group);
	first = row_at_first(v, group);
	/* made in the window: it counted from zero, provided that it would have been seen before */
	if (first == SIZE_MAX)
		return view_last(v, M_CG_LEFT_OUT, (struct row_id){ 0 }) > 0 ? NAN : now;
	return row == SIZE_MAX && !isnan(now) && !isnan(snapshot_value(v->first, id, first)) ? 0
											     : NAN;
}

double cgroup_rate(const struct view *v, enum metric_id id, size_t group)
{
	double seconds = interval_seconds(v->window);

	return seconds > 0 ? cgroup_delta(v, id, group) / seconds : NAN;
}

double cgroup_level(const struct view *v, enum metric_id id, size_t group)
{
	return group == CGROUP_NONE ? NAN : snapshot_value(v->last, id, group);
}

double cgroup_level_first(const struct view *v, enum metric_id id, size_t group)
{
	return group == CGROUP_NONE ? NAN : snapshot_value(v->first, id, row_at_first(v, group));
}

double cgroup_tightest(const struct view *v, enum metric_id id, size_t group, size_t *where)
{
	double least = NAN;

	for (int level = 0; group != CGROUP_NONE && level < LEVELS_MAX; level++) {
		double limit = cgroup_level(v, id, group);

		if (!isnan(limit) && !(limit >= least)) {
			least = limit;
			if (where)
				*where = group;
		}
		group = cgroup_parent(v, group);
	}
	return least;
}

double cgroup_cpus(const struct view *v, size_t group)
{
	double quota = cgroup_level(v, M_CG_CPU_QUOTA, group),
	       period = cgroup_level(v, M_CG_CPU_PERIOD, group);

	return isinf(quota) ? INFINITY : period > 0 ? quota / period : NAN;
}

/* ---- devices ---- */

size_t cgroup_device_row(const struct view *v, size_t group, const char *device)
{
	char name[2200];
	int n = snprintf(name, sizeof(name), "%s [%s]", snapshot_name(v->last, SCOPE_CGROUP, group),
			 device);

	return n > 0 && (size_t)n < sizeof(name) ? snapshot_find_name(v->last, SCOPE_CGROUP, name)
						 : CGROUP_NONE;
}

size_t cgroup_io_limits(const struct view *v, size_t group, size_t *rows, size_t max)
{
	size_t n = 0;

	if (group == CGROUP_NONE)
		return 0;
	for (size_t r = 0; r < cgroup_count(v) && n < max; r++)
		if (cgroup_device(v, r) && cgroup_is_above(v, r, group))
			rows[n++] = r;
	return n;
}

/* ---- ranking ---- */

struct asked {
	size_t group;
	const enum cause *causes;
	const enum metric_id *metrics;
	size_t n;
};

static struct row_id process_id(const struct view *v, size_t row)
{
	return interval_row(v->window, SCOPE_PROCESS, row)->id;
}

static double lost_of(const struct view *v, size_t row, const void *arg)
{
	const struct asked *a = arg;
	struct row_id id = process_id(v, row);
	const struct lost_row *l = view_lost(v, id);
	double seconds = interval_seconds(v->window), sum = 0;

	if (!l || seconds <= 0 || (a->group != CGROUP_NONE && !cgroup_contains(v, a->group, id)))
		return 0;
	for (size_t i = 0; i < a->n; i++)
		sum += l->time[a->causes[i]];
	return sum / seconds;
}

static double metrics_of(const struct view *v, size_t row, const void *arg)
{
	const struct asked *a = arg;
	double sum = 0;

	if (a->group != CGROUP_NONE && !cgroup_contains(v, a->group, process_id(v, row)))
		return 0;
	for (size_t i = 0; i < a->n; i++) {
		double x = interval_value(v->window, a->metrics[i], row);

		if (x > 0)
			sum += x;
	}
	return sum;
}

void cgroup_rank_lost(const struct view *v, size_t group, const enum cause *causes, size_t n,
		      struct ranking *out)
{
	struct asked a = { .group = group, .causes = causes, .n = n };

	rank_by(v, lost_of, &a, out);
}

void cgroup_rank(const struct view *v, size_t group, const enum metric_id *metrics, size_t n,
		 struct ranking *out)
{
	struct asked a = { .group = group, .metrics = metrics, .n = n };

	rank_by(v, metrics_of, &a, out);
}
