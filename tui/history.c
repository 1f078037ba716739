/* SPDX-License-Identifier: Apache-2.0 */
/* What is drawn over time: one point per refresh, NaN where nothing was known. */
#include "tui/history.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* Sum or largest over the rows of a scope; NaN when none is known. */
static double over_rows(const struct now *now, enum metric_id id, bool largest, const char *but)
{
	enum scope sc = metric_get(id)->scope;
	struct snapshot *s = now_rows(now, sc);
	double sum = NAN;

	for (size_t r = 0; s && r < snapshot_rows(s, sc); r++) {
		double v;

		if (!strcmp(snapshot_name(s, sc, r), but))
			continue;
		v = now_value(now, id, snapshot_id(s, sc, r));
		if (isnan(v))
			continue;
		sum = isnan(sum) ? v : largest ? fmax(sum, v) : sum + v;
	}
	return sum;
}

static double share_used(const struct now *now, enum metric_id free_id, enum metric_id all_id)
{
	double all = now_system(now, all_id);

	return all > 0 ? 1 - now_system(now, free_id) / all : NAN;
}

static double point(const struct now *now, enum track t)
{
	switch (t) {
	case TRACK_CPU:
		return now_system(now, M_SYS_BUSY);
	case TRACK_MEMORY:
		return share_used(now, M_MEM_AVAILABLE, M_MEM_TOTAL);
	case TRACK_SWAP:
		return share_used(now, M_SWAP_FREE, M_SWAP_TOTAL);
	case TRACK_DISK:
		return over_rows(now, M_DISK_BUSY, true, "");
	case TRACK_DISK_IN:
		return now_system(now, M_PAGED_IN);
	case TRACK_DISK_OUT:
		return now_system(now, M_PAGED_OUT);
	case TRACK_NET_IN:
		return over_rows(now, M_NETIF_RX_BYTES, false, "lo");
	case TRACK_NET_OUT:
		return over_rows(now, M_NETIF_TX_BYTES, false, "lo");
	case TRACK_PSI_CPU:
		return now_system(now, M_PSI_CPU_SOME);
	case TRACK_PSI_IO:
		return now_system(now, M_PSI_IO_SOME);
	case TRACK_PSI_MEMORY:
		return now_system(now, M_PSI_MEM_SOME);
	case TRACK_FAULTS:
		return now_system(now, M_MAJOR_FAULTS);
	case TRACK_SWITCHES:
		return now_system(now, M_CTXT);
	default:
		return NAN;
	}
}

static void push(float *v, size_t n, double x)
{
	if (n == HISTORY_POINTS)
		memmove(v, v + 1, (n - 1) * sizeof(*v));
	v[n == HISTORY_POINTS ? n - 1 : n] = (float)x;
}

static size_t cpu_place(struct history *h, struct row_id id)
{
	size_t i = 0;

	while (i < h->ncpus && (h->ids[i].key != id.key || h->ids[i].birth != id.birth))
		i++;
	if (i < h->ncpus || i == HISTORY_CPUS)
		return i;
	h->ids[h->ncpus++] = id;
	for (size_t k = 0; k < HISTORY_POINTS; k++)
		h->cpus[i][k] = NAN;
	return i;
}

static void add_cpus(struct history *h, const struct now *now)
{
	struct snapshot *s = now_rows(now, SCOPE_CPU);
	bool seen[HISTORY_CPUS] = { false };

	if (!h->cpus)
		h->cpus = mem_array(HISTORY_CPUS, sizeof(*h->cpus));
	for (size_t r = 0; s && r < snapshot_rows(s, SCOPE_CPU); r++) {
		struct row_id id = snapshot_id(s, SCOPE_CPU, r);
		size_t i = cpu_place(h, id);

		if (i == HISTORY_CPUS)
			continue;
		push(h->cpus[i], h->n, now_value(now, M_CPU_BUSY, id));
		seen[i] = true;
	}
	for (size_t i = 0; i < h->ncpus; i++)
		if (!seen[i])
			push(h->cpus[i], h->n, NAN);
}

void history_add(struct history *h, const struct now *now)
{
	add_cpus(h, now);
	for (enum track t = 0; t < TRACK_MAX; t++)
		push(h->points[t], h->n, point(now, t));
	if (h->n < HISTORY_POINTS)
		h->n++;
}

void history_done(struct history *h)
{
	mem_free(h->cpus);
	memset(h, 0, sizeof(*h));
}

double history_most(const float *v, size_t n)
{
	double most = 0;

	for (size_t i = 0; i < n; i++)
		if ((double)v[i] > most)
			most = (double)v[i];
	return most;
}
