/* SPDX-License-Identifier: Apache-2.0 */
/* Who did it, and who suffered: the same few questions of every rule. */
#include "checklist/parties.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct claim { /* one process before parties are formed */
	struct row_id id;
	const char *name, *cgroup;
	double amount;
};

struct claims {
	struct claim *list;
	size_t n, cap;
};

static const char *cgroup_text(const struct view *v, struct row_id process)
{
	const char *cgroup = view_label(v, M_PROC_CGROUP, process);

	return cgroup ? cgroup : "";
}

static void claim(struct claims *c, const struct view *v, struct row_id id, const char *name,
		  double amount)
{
	if (!(amount > 0))
		return;
	c->list = mem_grow(c->list, &c->cap, c->n + 1, sizeof(*c->list));
	c->list[c->n++] = (struct claim){
		.id = id, .name = name, .cgroup = cgroup_text(v, id), .amount = amount
	};
}

static int same_party(const struct claim *a, const struct claim *b)
{
	int order = strcmp(a->name, b->name);

	return order ? order : strcmp(a->cgroup, b->cgroup);
}

/* By party, and in a party the largest first. */
static int by_party(const void *x, const void *y)
{
	const struct claim *a = x, *b = y;
	int order = same_party(a, b);

	if (order)
		return order;
	if (a->amount != b->amount)
		return a->amount < b->amount ? 1 : -1;
	return a->id.key < b->id.key ? -1 : a->id.key > b->id.key;
}

static bool ranks_before(const struct member *a, const struct member *b)
{
	return a->amount != b->amount ? a->amount > b->amount : a->pid < b->pid;
}

static void insert(struct ranking *r, const struct member *m)
{
	size_t at = r->n;

	r->parties++;
	while (at > 0 && ranks_before(m, &r->top[at - 1]))
		at--;
	if (at == FINDING_PARTIES)
		return;
	if (r->n < FINDING_PARTIES)
		r->n++;
	memmove(&r->top[at + 1], &r->top[at], (r->n - 1 - at) * sizeof(*m));
	r->top[at] = *m;
}

static void form_parties(struct claims *c, struct ranking *out)
{
	*out = (struct ranking){ 0 };
	if (c->n)
		qsort(c->list, c->n, sizeof(*c->list), by_party);
	for (size_t i = 0, end; i < c->n; i = end) {
		struct member m = { .id = c->list[i].id,
				    .pid = (int64_t)c->list[i].id.key,
				    .name = c->list[i].name };

		for (end = i; end < c->n && !same_party(&c->list[i], &c->list[end]); end++) {
			m.amount += c->list[end].amount;
			m.processes++;
		}
		out->total += m.amount;
		insert(out, &m);
	}
	for (size_t i = 0; i < out->n; i++)
		out->top[i].share = out->top[i].amount / out->total;
	mem_free(c->list);
}

void rank_by(const struct view *v,
	     double (*amount)(const struct view *v, size_t row, const void *arg), const void *arg,
	     struct ranking *out)
{
	struct claims c = { 0 };

	for (size_t p = 0; p < interval_rows(v->window, SCOPE_PROCESS); p++)
		claim(&c, v, interval_row(v->window, SCOPE_PROCESS, p)->id,
		      interval_name(v->window, SCOPE_PROCESS, p), amount(v, p, arg));
	form_parties(&c, out);
}

struct metric_list {
	const enum metric_id *ids;
	size_t n;
};

static double sum_of_metrics(const struct view *v, size_t row, const void *arg)
{
	const struct metric_list *l = arg;
	double sum = 0;

	for (size_t i = 0; i < l->n; i++) {
		double x = interval_value(v->window, l->ids[i], row);

		if (x > 0)
			sum += x;
	}
	return sum;
}

void rank_metrics(const struct view *v, const enum metric_id *metrics, size_t n,
		  struct ranking *out)
{
	struct metric_list l = { metrics, n };

	rank_by(v, sum_of_metrics, &l, out);
}

void rank_metric(const struct view *v, enum metric_id metric, struct ranking *out)
{
	rank_metrics(v, &metric, 1, out);
}

/* A process born in the window counts from its birth: seconds of CPU over the whole window, not over its life. */
static double cpu_of(const struct view *v, size_t row, const void *arg)
{
	double user = interval_delta(v->window, M_PROC_USER, row),
	       system = interval_delta(v->window, M_PROC_SYSTEM, row);

	(void)arg;
	return ((user > 0 ? user : 0) + (system > 0 ? system : 0)) / interval_seconds(v->window);
}

void rank_cpu(const struct view *v, struct ranking *out)
{
	rank_by(v, cpu_of, NULL, out);
}

void rank_lost_by(const struct view *v,
		  double (*amount)(const struct view *v, const struct lost_row *row,
				   const void *arg),
		  const void *arg, struct ranking *out)
{
	struct claims c = { 0 };

	for (size_t i = 0; i < v->nlost; i++) {
		const struct lost_row *l = &v->lost[i];

		claim(&c, v, (struct row_id){ (uint64_t)l->pid, l->id.birth }, l->name,
		      amount(v, l, arg));
	}
	form_parties(&c, out);
}

static int by_lost_pid(const void *x, const void *y)
{
	const struct lost_row *a = *(const struct lost_row *const *)x,
			      *b = *(const struct lost_row *const *)y;

	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

/* Rows of processes by pid, to be freed: pairs are many. */
static const struct lost_row **rows_by_pid(const struct view *v, size_t *n)
{
	const struct lost_row **list = mem_array(v->nlost + 1, sizeof(*list));

	*n = 0;
	for (size_t i = 0; i < v->nlost; i++)
		if (!v->lost[i].short_lived)
			list[(*n)++] = &v->lost[i];
	qsort(list, *n, sizeof(*list), by_lost_pid);
	return list;
}

static const struct lost_row *row_with_pid(const struct lost_row **list, size_t n, double pid)
{
	struct lost_row key = { .pid = whole(pid) };
	const struct lost_row *k = &key, **found;

	found = bsearch(&k, list, n, sizeof(*list), by_lost_pid);
	return found ? *found : NULL;
}

bool rank_takers(const struct view *v,
		 bool (*is_victim)(const struct view *v, const struct lost_row *row,
				   const void *arg),
		 const void *arg, struct ranking *out)
{
	size_t pairs = interval_rows(v->window, SCOPE_PAIR), n;
	const struct lost_row **rows = rows_by_pid(v, &n);
	struct claims c = { 0 };

	for (size_t p = 0; p < pairs; p++) {
		const struct lost_row *victim =
			row_with_pid(rows, n, interval_last(v->window, M_PAIR_VICTIM, p));
		const struct lost_row *taker =
			row_with_pid(rows, n, interval_last(v->window, M_PAIR_OFFENDER, p));

		if (victim && taker && is_victim(v, victim, arg))
			claim(&c, v, taker->id, taker->name,
			      interval_rate(v->window, M_PAIR_WAIT, p));
	}
	mem_free(rows);
	form_parties(&c, out);
	return pairs && out->n;
}

static double lost_by_cause(const struct view *v, const struct lost_row *row, const void *arg)
{
	enum cause c = *(const enum cause *)arg;

	return (c == CAUSE_MAX ? row->lost : row->time[c]) / interval_seconds(v->window);
}

void rank_lost(const struct view *v, enum cause cause, struct ranking *out)
{
	rank_lost_by(v, lost_by_cause, &cause, out);
}

bool member_has(const struct view *v, const struct member *m, size_t row)
{
	return !strcmp(interval_name(v->window, SCOPE_PROCESS, row), m->name) &&
	       !strcmp(cgroup_text(v, interval_row(v->window, SCOPE_PROCESS, row)->id),
		       cgroup_text(v, m->id));
}

double member_rate(const struct view *v, const struct member *m, enum metric_id metric)
{
	double sum = NAN;

	for (size_t p = 0; p < interval_rows(v->window, SCOPE_PROCESS); p++) {
		double x = member_has(v, m, p) ? interval_rate(v->window, metric, p) : NAN;

		if (!isnan(x))
			sum = (isnan(sum) ? 0 : sum) + x;
	}
	return sum;
}

const struct member *ranking_find(const struct ranking *r, const struct view *v, int64_t pid)
{
	size_t row = view_process(v, pid);
	struct row_id id;

	if (row == SIZE_MAX)
		return NULL;
	id = snapshot_id(v->last, SCOPE_PROCESS, row);
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->top[i].name, snapshot_name(v->last, SCOPE_PROCESS, row)) &&
		    !strcmp(cgroup_text(v, r->top[i].id), cgroup_text(v, id)))
			return &r->top[i];
	return NULL;
}

char *process_label(char *out, size_t size, const char *name, int64_t pid)
{
	if (pid > 0)
		snprintf(out, size, "%s[%lld]", *name ? name : "?", (long long)pid);
	else
		snprintf(out, size, "%s", *name ? name : "?");
	return out;
}

char *member_label(char *out, size_t size, const struct member *m)
{
	char one[64];

	process_label(one, sizeof(one), m->name, m->pid);
	if (m->processes > 1)
		snprintf(out, size, "%s and %u more of its name", one, m->processes - 1);
	else
		snprintf(out, size, "%s", one);
	return out;
}

const char *member_s(const struct member *m)
{
	return m->processes > 1 ? "" : "s";
}

char *plural(char *out, size_t size, double n, const char *one, const char *many)
{
	snprintf(out, size, "%.0f %s", n, n >= 0.5 && n < 1.5 ? one : many);
	return out;
}

char *process_cgroup(const struct view *v, struct row_id process, char *out, size_t size)
{
	if (!*view_cgroup(v, process, "cpu", out, size))
		view_cgroup(v, process, "", out, size);
	return out;
}

void finding_offenders(struct finding *f, const struct view *v, const struct ranking *r, size_t max,
		       double least)
{
	for (size_t i = 0; i < r->n && i < max; i++) {
		const struct member *m = &r->top[i];
		struct party *p;

		if (m->share < least)
			break;
		p = finding_offender(f, PARTY_PROCESS, m->name, m->pid, m->share);
		process_cgroup(v, m->id, p->cgroup, sizeof(p->cgroup));
	}
}

void finding_victims(struct finding *f, const struct view *v, const struct ranking *r, size_t max,
		     double least)
{
	for (size_t i = 0; i < r->n && i < max; i++) {
		const struct member *m = &r->top[i];
		struct party *p;

		if (m->share < least)
			break;
		p = finding_victim(f, PARTY_PROCESS, m->name, m->pid, m->amount);
		process_cgroup(v, m->id, p->cgroup, sizeof(p->cgroup));
	}
}
