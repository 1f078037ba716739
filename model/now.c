/* SPDX-License-Identifier: Apache-2.0 */
/* The latest of everything, across readings of different paces. */
#include "model/now.h"

#include <math.h>

struct interval *now_interval(const struct now *n, enum scope sc)
{
	for (size_t i = n->nseconds; i-- > 0;)
		if (n->seconds[i]->tables[sc].known)
			return n->seconds[i];
	return NULL;
}

struct snapshot *now_rows(const struct now *n, enum scope sc)
{
	for (int i = 0; i < NOW_LATEST; i++)
		if (n->latest[i] && snapshot_rows(n->latest[i], sc))
			return n->latest[i];
	return NULL;
}

/* A cell of a snapshot: true when it was filled. */
static bool stands(const struct now *n, enum metric_id id, struct row_id row, double *v)
{
	enum scope sc = metric_get(id)->scope;

	for (int i = 0; i < NOW_LATEST; i++) {
		struct snapshot *s = n->latest[i];
		size_t r = s ? snapshot_find(s, sc, row) : SIZE_MAX;

		*v = r == SIZE_MAX ? NAN : snapshot_value(s, id, r);
		if (!isnan(*v))
			return true;
	}
	return false;
}

static double moved(const struct now *n, enum metric_id id, struct row_id row)
{
	const struct metric *m = metric_get(id);
	struct interval *iv = now_interval(n, m->scope);
	size_t r = iv ? interval_find(iv, m->scope, row) : SIZE_MAX;
	double v;

	if (!iv)
		return NAN;
	if (r != SIZE_MAX)
		return interval_value(iv, id, r);
	/* sparse: a row that is not there did not move, if it was read at all */
	return m->kind == KIND_COUNTER && stands(n, id, row, &v) ? 0 : NAN;
}

double now_value(const struct now *n, enum metric_id id, struct row_id row)
{
	double v;

	if (metric_get(id)->kind == KIND_COUNTER || metric_get(id)->kind == KIND_DERIVED)
		return moved(n, id, row);
	stands(n, id, row, &v);
	return v;
}

const char *now_text(const struct now *n, enum metric_id id, struct row_id row)
{
	enum scope sc = metric_get(id)->scope;

	for (int i = 0; i < NOW_LATEST; i++) {
		struct snapshot *s = n->latest[i];
		size_t r = s ? snapshot_find(s, sc, row) : SIZE_MAX;
		const char *text = r == SIZE_MAX ? NULL : snapshot_text(s, id, r);

		if (text)
			return text;
	}
	return NULL;
}

double now_system(const struct now *n, enum metric_id id)
{
	struct interval *iv = now_interval(n, SCOPE_SYSTEM);

	if (metric_get(id)->kind == KIND_GAUGE)
		return now_value(n, id, (struct row_id){ 0 });
	return iv ? system_value(iv, id) : NAN;
}
