/* SPDX-License-Identifier: Apache-2.0 */
/* Why threads waited for a CPU: each second of it gets one class.
 *
 * With eBPF each wait of half a millisecond or more was looked at when it ended (bpf/queue.bpf.h). What is left, the short
 * waits and those that have not ended, and all of it where there is no eBPF, is judged by process: the kernel's own
 * nanoseconds say how long; which CPUs were idle in the window, what the thread was allowed to use, and what else ran say
 * why, and a process that waited for two reasons is counted under the stronger one. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "checklist/claims.h"
#include "checklist/cpu.h"

#define FULL_SHARE      0.9  /* of all CPUs in use: no CPU to be had */
#define IDLE_OUTSIDE    0.3  /* CPUs: less than a third of one is no place to go to */
#define IDLE_INSIDE     0.15 /* per allowed CPU: more means that the thread could have run there */
#define THROTTLED_SHARE 0.1  /* of the quota periods */
#define TAKEN_SHARE \
	0.3 /* of the time in use: from here on real-time tasks, interrupts, steal explain a wait */
#define TAKEN_LEAST \
	0.3 /* CPUs: an audio thread or a busy network card takes nothing that anybody misses */
#define NEIGHBOUR_RATIO 3.0  /* wait per run of the victim against the offender's */
#define LEAST_WAIT      0.02 /* s/s of a process: below it nothing is asked */
#define IDLE_LEAST \
	0.05 /* CPUs, by /proc/stat: with less, nobody was kept from an idle one, whatever was seen of it */

/* ---- CPU lists ---- */

void cpu_set_parse(struct cpu_set *s, const char *list)
{
	memset(s, 0, sizeof(*s));
	if (!list || !*list ||
	    !text_cpulist(text_of(list), s->bits, sizeof(s->bits) / sizeof(*s->bits)))
		memset(s, 0xff, sizeof(*s));
}

bool cpu_set_has(const struct cpu_set *s, unsigned cpu)
{
	return cpu < 8 * sizeof(s->bits) && s->bits[cpu / 64] >> cpu % 64 & 1;
}

int cpu_number(const char *name)
{
	struct text t = text_of(name);
	uint64_t n;

	return text_skip(&t, "cpu") && text_is_u64(t, &n) &&
			       n < 8 * sizeof(((struct cpu_set *)0)->bits)
		       ? (int)n
		       : -1;
}

/* ---- the machine ---- */

struct cpu_idle {
	unsigned id;
	double idle; /* 0..1, I/O wait included */
};

struct machine {
	const struct view *v;
	double seconds;
	struct cpu_idle *cpus;
	size_t ncpus;
};

static double known(double x)
{
	return isnan(x) ? 0 : x;
}

static void machine_read(struct machine *m, const struct view *v)
{
	size_t rows = interval_rows(v->window, SCOPE_CPU);

	*m = (struct machine){ .v = v, .seconds = interval_seconds(v->window) };
	m->cpus = mem_array(rows + 1, sizeof(*m->cpus));
	for (size_t c = 0; c < rows; c++) {
		double idle = interval_rate(v->window, M_CPU_IDLE, c);
		int id = cpu_number(interval_name(v->window, SCOPE_CPU, c));

		if (isnan(idle) || id < 0)
			continue;
		idle += known(interval_rate(v->window, M_CPU_IOWAIT, c));
		m->cpus[m->ncpus++] = (struct cpu_idle){ (unsigned)id, fmin(1, idle) };
	}
}

/* Idle CPUs inside and outside a set. */
static void idle_around(const struct machine *m, const struct cpu_set *set, double *inside,
			double *outside, unsigned *allowed)
{
	*inside = *outside = 0;
	*allowed = 0;
	for (size_t i = 0; i < m->ncpus; i++) {
		if (cpu_set_has(set, m->cpus[i].id)) {
			*inside += m->cpus[i].idle;
			++*allowed;
		} else {
			*outside += m->cpus[i].idle;
		}
	}
}

/* Busy where it may run, idle where it may not. */
static bool confines(const struct machine *m, const char *list)
{
	struct cpu_set set;
	double inside, outside;
	unsigned allowed;

	if (!list || !*list)
		return false;
	cpu_set_parse(&set, list);
	idle_around(m, &set, &inside, &outside, &allowed);
	return allowed && outside >= IDLE_OUTSIDE && inside / allowed <= IDLE_INSIDE;
}

/* Share of the seconds in which hardly any CPU time was left; I/O wait is left. */
static double full_share(const struct view *v)
{
	size_t n = 0, full = 0;

	for (size_t i = 0; i < v->nseconds; i++) {
		double idle = system_rate(v->seconds[i], M_SYS_IDLE),
		       cpus = interval_last(v->seconds[i], M_SYS_CPUS, 0);

		if (isnan(idle) || isnan(cpus))
			continue;
		idle += known(system_rate(v->seconds[i], M_SYS_IOWAIT));
		n++;
		full += idle <= (1 - FULL_SHARE) * cpus;
	}
	return n ? (double)full / (double)n : NAN;
}

static bool is_realtime(double policy)
{
	return policy == 1 || policy == 2 || policy == 6; /* SCHED_FIFO, SCHED_RR, SCHED_DEADLINE */
}

static double realtime_cpu(const struct view *v)
{
	double by_thread = 0, by_process = 0;

	for (size_t t = 0; t < interval_rows(v->window, SCOPE_THREAD); t++)
		if (is_realtime(interval_last(v->window, M_THREAD_POLICY, t)))
			by_thread += known(interval_rate(v->window, M_THREAD_RUN, t));
	for (size_t p = 0; p < interval_rows(v->window, SCOPE_PROCESS); p++)
		if (is_realtime(interval_last(v->window, M_PROC_POLICY, p)))
			by_process += known(interval_rate(v->window, M_PROC_USER, p)) +
				      known(interval_rate(v->window, M_PROC_SYSTEM, p));
	return fmax(by_thread, by_process);
}

double cpu_waiting(const struct view *v, const char **source)
{
	double queues = NAN, followed = NAN, psi = system_rate(v->window, M_PSI_CPU_SOME);

	*source = "s/s waiting";
	for (size_t c = 0; c < interval_rows(v->window, SCOPE_CPU); c++) {
		double w = interval_rate(v->window, M_CPU_RUNNABLE, c);

		if (!isnan(w))
			queues = known(queues) + w;
	}
	if (!isnan(queues))
		return queues;
	for (size_t i = 0; i < v->nlost; i++)
		followed = known(followed) +
			   v->lost[i].time[CAUSE_RUNNABLE] / interval_seconds(v->window);
	if (psi > known(followed)) {
		*source = "s/s (PSI some)";
		return psi;
	}
	return followed;
}

/* ---- control groups ---- */

/* Name of the CGROUP row of a process under a controller: "cpu,cpuacct:/svc" (v1) or "/svc" (v2). */
static bool cgroup_row_name(const struct view *v, struct row_id process, const char *controller,
			    char *out, size_t size)
{
	const char *all = view_label(v, M_PROC_CGROUP, process);
	struct text rest = text_of(all ? all : ""), line, number, names, name;
	bool found = false;

	while (text_line(&rest, &line)) {
		struct text parts;

		if (!text_until(&line, ':', &number) || !text_until(&line, ':', &names))
			continue;
		if (!text_len(names) && !found) {
			text_copy(out, size, line);
			found = true;
		}
		for (parts = names; text_until(&parts, ',', &name);)
			if (text_eq(name, controller)) {
				snprintf(out, size, "%.*s:%.*s", (int)text_len(names), names.p,
					 (int)text_len(line), line.p);
				return true;
			}
	}
	return found;
}

/* Cut the last part of "cpu:/a/b": "cpu:/a", "cpu:/", then nothing more. */
static bool to_parent(char *name)
{
	char *slash = strrchr(name, '/');

	if (!slash || !slash[1])
		return false;
	if (slash == name || slash[-1] == ':')
		slash++;
	*slash = '\0';
	return true;
}

static bool group_throttled(const struct view *v, const char *name)
{
	size_t row = interval_find_name(v->window, SCOPE_CGROUP, name);
	double periods = interval_delta(v->window, M_CG_CPU_PERIODS, row);
	double throttled = interval_delta(v->window, M_CG_CPU_THROTTLED, row);

	return throttled > 0 && throttled >= THROTTLED_SHARE * known(periods);
}

/* cpu.idle 1: the group runs only when nobody else wants the CPU. */
static bool group_idle(const struct view *v, const char *name)
{
	return snapshot_value(v->last, M_CG_CPU_IDLE,
			      snapshot_find_name(v->last, SCOPE_CGROUP, name)) > 0;
}

/* Is that so of the process's group or of one above it? */
static bool any_group(const struct view *v, struct row_id process,
		      bool (*is)(const struct view *v, const char *name))
{
	char name[300];

	if (!cgroup_row_name(v, process, "cpu", name, sizeof(name)))
		return false;
	do {
		if (is(v, name))
			return true;
	} while (to_parent(name));
	return false;
}

static const char *cpuset_of(const struct view *v, struct row_id process)
{
	char name[300];
	size_t row;

	if (!cgroup_row_name(v, process, "cpuset", name, sizeof(name)))
		return NULL;
	row = snapshot_find_name(v->last, SCOPE_CGROUP, name);
	return snapshot_text(v->last, M_CG_CPUSET, row);
}

/* ---- classes ---- */

/* Part of each process's waiting that was spent by threads which may not use the idle CPUs. */
static void add_pinned(const struct machine *m, double *pinned)
{
	const struct view *v = m->v;

	for (size_t t = 0; t < interval_rows(v->window, SCOPE_THREAD); t++) {
		double wait = interval_delta(v->window, M_THREAD_RUNNABLE, t),
		       pid = interval_last(v->window, M_THREAD_PID, t);
		const char *list;

		if (!(wait > 0) || isnan(pid))
			continue;
		list = view_label(v, M_THREAD_CPUS_ALLOWED,
				  interval_row(v->window, SCOPE_THREAD, t)->id);
		if (!list)
			list = snapshot_text(v->last, M_PROC_CPUS_ALLOWED,
					     view_process(v, interval_whole(pid)));
		if (!confines(m, list))
			continue;
		for (size_t i = 0; i < v->nlost; i++)
			if (v->lost[i].pid == interval_whole(pid))
				pinned[i] += wait;
	}
}

static enum queue_class taken_class(const struct queue_picture *q)
{
	double used = q->busy + q->steal;

	if (q->rt >= TAKEN_SHARE * used && q->rt >= TAKEN_LEAST)
		return QUEUE_RT;
	if (q->steal >= TAKEN_SHARE * used && q->steal >= TAKEN_LEAST)
		return QUEUE_STEAL;
	if (q->irq >= TAKEN_SHARE * used && q->irq >= TAKEN_LEAST)
		return QUEUE_SOFTIRQ;
	return q->full >= 0.8 ? QUEUE_SATURATED : QUEUE_BURSTS;
}

static enum queue_class class_of(const struct machine *m, const struct queue_picture *q,
				 const struct lost_row *l, double pinned)
{
	double wait = l->time[CAUSE_RUNNABLE];

	if (!(wait > 0))
		return QUEUE_NONE;
	if (claims_is_background(m->v, l->id))
		return QUEUE_BACKGROUND;
	if (wait >= LEAST_WAIT * m->seconds && any_group(m->v, l->id, group_throttled))
		return QUEUE_THROTTLED;
	if (wait >= LEAST_WAIT * m->seconds && any_group(m->v, l->id, group_idle))
		return QUEUE_BACKGROUND;
	if (pinned >= wait / 2)
		return confines(m, cpuset_of(m->v, l->id)) ? QUEUE_CPUSET : QUEUE_AFFINITY;
	return taken_class(q);
}

/* Where the measured reasons go; what others took or had is QUEUE_NONE here. */
static const enum queue_class queued_class[QUEUED_MAX] = {
	[QUEUED_PASSED] = QUEUE_IMBALANCE, [QUEUED_WOKEN] = QUEUE_WOKEN,
	[QUEUED_DROWSY] = QUEUE_WAKEUP,    [QUEUED_REALTIME] = QUEUE_RT,
	[QUEUED_IRQ] = QUEUE_SOFTIRQ,      [QUEUED_STEAL] = QUEUE_STEAL,
};

static enum queue_class measured_class(const struct machine *m, const struct queue_picture *q,
				       const struct lost_row *l, enum wire_queued why,
				       enum queue_class rest)
{
	bool pinned = rest == QUEUE_CPUSET || rest == QUEUE_AFFINITY;

	if (q->idle < IDLE_LEAST && (why == QUEUED_PASSED || why == QUEUED_CONFINED))
		return rest;
	if (why == QUEUED_CONFINED)
		return pinned                                ? rest
		       : confines(m, cpuset_of(m->v, l->id)) ? QUEUE_CPUSET
							     : QUEUE_AFFINITY;
	if (why != QUEUED_BEHIND)
		return queued_class[why];
	if (pinned)
		return rest;
	return q->full >= 0.8 ? QUEUE_SATURATED : QUEUE_BURSTS;
}

/* A row's waiting, by class. */
static void split_waiting(const struct machine *m, const struct queue_picture *q,
			  const struct lost_row *l, double pinned, double *time)
{
	enum queue_class rest = class_of(m, q, l, pinned);
	double left = l->time[CAUSE_RUNNABLE];

	for (enum wire_queued why = 0;
	     why < QUEUED_MAX && rest != QUEUE_BACKGROUND && rest != QUEUE_THROTTLED; why++) {
		double part = fmin(l->queued[why], left);

		if (!(part > 0))
			continue;
		time[measured_class(m, q, l, why, rest)] += part;
		left -= part;
	}
	time[rest] += left;
}

/* ---- neighbours ---- */

struct group {
	char path[192];
	struct row_id most; /* the process that used most */
	double used, run, wait;
};

static struct group *group_of(struct group **list, size_t *n, size_t *cap, const char *path)
{
	for (size_t i = 0; i < *n; i++)
		if (!strcmp((*list)[i].path, path))
			return &(*list)[i];
	*list = mem_grow(*list, cap, *n + 1, sizeof(**list));
	snprintf((*list)[*n].path, sizeof((*list)[*n].path), "%s", path);
	return &(*list)[(*n)++];
}

/* Wait and run of a group's runnable threads: how far its part is below that of an equal thread elsewhere. */
static bool is_squeezed(const struct group *g, const struct group *taker, double run, double wait)
{
	double fair = run / (run + wait), got = g->run / (g->run + g->wait);

	return g != taker && g->wait >= LEAST_WAIT &&
	       g->wait / fmax(g->run, 1e-3) >= NEIGHBOUR_RATIO * taker->wait / taker->run &&
	       got < 0.7 * fair;
}

/* Of those who wait because all CPUs are busy: groups that get far less than the one that takes most. */
static void find_neighbours(const struct machine *m, struct queue_picture *q)
{
	const struct view *v = m->v;
	struct group *groups = NULL, *taker = NULL;
	size_t n = 0, cap = 0;
	double run = 0, wait = 0;
	char path[192];

	for (size_t i = 0; i < v->nlost; i++) {
		const struct lost_row *l = &v->lost[i];
		double used = (l->time[CAUSE_USER] + l->time[CAUSE_SYSTEM]) / m->seconds;
		struct group *g;

		/* kernel threads and whoever left before its group was read are compared with nobody */
		process_cgroup(v, l->id, path, sizeof(path));
		if (!*path || q->of[i][QUEUE_BACKGROUND] > 0 || q->of[i][QUEUE_THROTTLED] > 0)
			continue;
		g = group_of(&groups, &n, &cap, path);
		g->run += used;
		g->wait += l->time[CAUSE_RUNNABLE] / m->seconds;
		run += used;
		wait += l->time[CAUSE_RUNNABLE] / m->seconds;
		if (used > g->used) {
			g->used = used;
			g->most = l->id;
		}
	}
	for (size_t i = 0; i < n; i++)
		if (!taker || groups[i].run > taker->run)
			taker = &groups[i];
	if (taker && n > 1 && taker->run >= run / 2) {
		q->taker = taker->most;
		snprintf(q->taker_cgroup, sizeof(q->taker_cgroup), "%s", taker->path);
		for (size_t i = 0; i < v->nlost; i++) {
			if (!(q->of[i][QUEUE_SATURATED] > 0))
				continue;
			process_cgroup(v, v->lost[i].id, path, sizeof(path));
			for (size_t k = 0; k < n; k++)
				if (!strcmp(groups[k].path, path) &&
				    is_squeezed(&groups[k], taker, run, wait)) {
					q->of[i][QUEUE_NEIGHBOUR] = q->of[i][QUEUE_SATURATED];
					q->of[i][QUEUE_SATURATED] = 0;
				}
		}
	}
	mem_free(groups);
}

void queue_classify(const struct view *v, struct queue_picture *q)
{
	struct machine m;
	double *pinned = mem_array(v->nlost + 1, sizeof(*pinned));

	machine_read(&m, v);
	*q = (struct queue_picture){
		.cpus = interval_last(v->window, M_SYS_CPUS, 0),
		.full = full_share(v),
		.rt = realtime_cpu(v),
		.irq = known(system_rate(v->window, M_SYS_IRQ)) +
		       known(system_rate(v->window, M_SYS_SOFTIRQ)),
		.steal = known(system_rate(v->window, M_SYS_STEAL)),
		.idle = known(system_rate(v->window, M_SYS_IDLE)) +
			known(system_rate(v->window, M_SYS_IOWAIT)),
		.psi = system_rate(v->window, M_PSI_CPU_SOME),
		.of = mem_array(v->nlost + 1, sizeof(*q->of)),
	};
	if (isnan(q->cpus))
		q->cpus = v->host->cpus;
	q->busy = system_value(v->window, M_SYS_BUSY) * q->cpus;
	add_pinned(&m, pinned);
	for (size_t i = 0; i < v->nlost; i++)
		split_waiting(&m, q, &v->lost[i], pinned[i], q->of[i]);
	find_neighbours(&m, q);
	for (size_t i = 0; i < v->nlost; i++)
		for (enum queue_class c = 0; c < QUEUE_CLASSES; c++)
			q->waits[c] += q->of[i][c] / m.seconds;
	mem_free(pinned);
	mem_free(m.cpus);
}

void queue_done(struct queue_picture *q)
{
	mem_free(q->of);
	q->of = NULL;
}

/* ---- victims ---- */

struct wanted {
	const struct queue_picture *q;
	unsigned classes;
};

static double wait_in_classes(const struct view *v, const struct lost_row *row, const void *arg)
{
	const struct wanted *w = arg;

	double sum = 0;

	for (enum queue_class c = 0; c < QUEUE_CLASSES; c++)
		if (w->classes >> c & 1)
			sum += w->q->of[row - v->lost][c];
	return sum / interval_seconds(v->window);
}

void queue_victims(const struct view *v, const struct queue_picture *q, unsigned classes,
		   struct ranking *out)
{
	struct wanted w = { q, classes };

	rank_lost_by(v, wait_in_classes, &w, out);
}

static bool waits_in_classes(const struct view *v, const struct lost_row *row, const void *arg)
{
	return wait_in_classes(v, row, arg) > 0;
}

bool queue_takers(const struct view *v, const struct queue_picture *q, unsigned classes,
		  struct ranking *out)
{
	struct wanted w = { q, classes };

	return rank_takers(v, waits_in_classes, &w, out);
}

const char *queue_source(const struct view *v)
{
	return v->nlost && v->lost[0].exact ? "eBPF: tp_btf/sched_switch"
					    : "/proc/PID/task/TID/schedstat";
}

double queue_stretch(const struct view *v, const struct member *m)
{
	double run = 0;

	for (size_t i = 0; i < v->nlost; i++)
		if (!strcmp(v->lost[i].name, m->name))
			run += (v->lost[i].time[CAUSE_USER] + v->lost[i].time[CAUSE_SYSTEM]) /
			       interval_seconds(v->window);
	return run > 0 ? (run + m->amount) / run : INFINITY;
}

bool queue_hurts(const struct view *v, const struct ranking *victims, double floor, double stretch)
{
	for (size_t i = 0; i < victims->n; i++)
		if (victims->top[i].amount >= floor &&
		    queue_stretch(v, &victims->top[i]) >= stretch)
			return true;
	return false;
}
