/* SPDX-License-Identifier: Apache-2.0 */
/* Questions that rules ask again and again. */
#include "model/view.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

double view_worst(const struct view *v, enum metric_id id, struct row_id row)
{
	double worst = NAN;

	for (size_t i = 0; i < v->nseconds; i++) {
		double x = interval_value(v->seconds[i], id,
					  interval_find(v->seconds[i], metric_get(id)->scope, row));

		if (!isnan(x) && !(x <= worst))
			worst = x;
	}
	return worst;
}

double view_share_at_least(const struct view *v, enum metric_id id, struct row_id row, double limit)
{
	size_t known = 0, above = 0;

	for (size_t i = 0; i < v->nseconds; i++) {
		double x = interval_value(v->seconds[i], id,
					  interval_find(v->seconds[i], metric_get(id)->scope, row));

		known += !isnan(x);
		above += x >= limit;
	}
	return known ? (double)above / (double)known : NAN;
}

double view_last(const struct view *v, enum metric_id id, struct row_id row)
{
	return snapshot_value(v->last, id, snapshot_find(v->last, metric_get(id)->scope, row));
}

const char *view_label(const struct view *v, enum metric_id id, struct row_id row)
{
	return snapshot_text(v->last, id, snapshot_find(v->last, metric_get(id)->scope, row));
}

double view_growth(const struct view *v, enum metric_id id, struct row_id row)
{
	return view_last(v, id, row) -
	       snapshot_value(v->first, id, snapshot_find(v->first, metric_get(id)->scope, row));
}

/* Lines are "12:cpu,cpuacct:/path" (v1) and "0::/path" (v2). */
char *view_cgroup(const struct view *v, struct row_id process, const char *controller, char *out,
		  size_t size)
{
	const char *all = view_label(v, M_PROC_CGROUP, process);
	struct text rest = text_of(all ? all : ""), line, number, names, name;

	out[0] = '\0';
	while (text_line(&rest, &line)) {
		if (!text_until(&line, ':', &number) || !text_until(&line, ':', &names))
			continue;
		if (!*controller && text_len(names) == 0)
			return text_copy(out, size, line);
		while (*controller && text_until(&names, ',', &name))
			if (text_eq(name, controller))
				return text_copy(out, size, line);
	}
	return out;
}

const struct lost_row *view_lost(const struct view *v, struct row_id process)
{
	for (size_t i = 0; i < v->nlost; i++)
		if (v->lost[i].id.key == process.key && v->lost[i].id.birth == process.birth)
			return &v->lost[i];
	return NULL;
}

const struct lost_row *view_lost_pid(const struct view *v, int64_t pid)
{
	for (size_t i = 0; i < v->nlost; i++)
		if (v->lost[i].pid == pid && !v->lost[i].short_lived)
			return &v->lost[i];
	return NULL;
}

size_t view_process(const struct view *v, int64_t pid)
{
	const struct table *t = &v->last->tables[SCOPE_PROCESS];

	for (size_t r = 0; r < t->nrows; r++)
		if ((int64_t)t->ids[r].key == pid)
			return r;
	return SIZE_MAX;
}
