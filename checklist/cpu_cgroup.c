/* SPDX-License-Identifier: Apache-2.0 */
/* A CPU quota that makes its group wait.
 *
 * The kernel counts throttling only in the group that has the quota: with the quota on a parent the leaf's cpu.stat says
 * 0. So every group with a quota is asked, and its victims are the processes in it and below it. Throttled threads are
 * runnable to the scheduler: their wait is part of run delay, and on a machine with idle CPUs it is all of it. */
#include <math.h>
#include <stdio.h>

#include "checklist/cgroup.h"
#include "checklist/claims.h"
#include "checklist/makers.h"
#include "checklist/rule.h"

#define STRETCH_LEAST 1.25 /* a victim takes a quarter longer */
#define CPU_SHARE     0.02 /* or this part of the machine's CPUs is lost */
#define BUSY_MOST \
	0.9 /* above it others compete for the CPUs too, and not all waiting is the quota's */

struct throttle {
	size_t group;
	double share;      /* of periods that ran out */
	double cpus, used; /* allowed and used, in CPUs */
	double time;       /* throttled, CPU-seconds per second */
	double lost, stretch;
	double busy;    /* of the machine */
	double sampled; /* share of seconds in which it ran out */
	struct ranking waiters, runners;
};

static double useful_of(const struct view *v, struct row_id process)
{
	const struct lost_row *l = view_lost(v, process);

	return l ? l->time[CAUSE_USER] + l->time[CAUSE_SYSTEM] : NAN;
}

/* How much longer does the worst hit process take? Niced and batch work has agreed to wait. */
static double worst_stretch(const struct view *v, const struct ranking *r)
{
	double worst = NAN, seconds = interval_seconds(v->window);

	for (size_t i = 0; i < r->n; i++) {
		const struct member *m = &r->top[i];
		double useful = useful_of(v, m->id) / seconds, stretch;

		if (claims_is_background(v, m->id) || m->amount < 0.02)
			continue;
		stretch = useful > 0 ? (useful + m->amount / m->processes) / useful : INFINITY;
		worst = fmax(isnan(worst) ? 0 : worst, stretch);
	}
	return worst;
}

/* Waiting that is the quota's doing. What the kernel counts is time of CPUs on which at least one thread was held, so
 * it is the least that was lost; run delay of the group is the most, and right when CPUs were free. */
static double lost_to(const struct throttle *t)
{
	double waited = t->waiters.total;

	if (!(waited > 0))
		return t->time;
	if (t->busy < BUSY_MOST)
		return waited;
	return fmin(waited, t->time);
}

static bool measure(const struct view *v, size_t group, struct throttle *t)
{
	static const enum cause runnable[] = { CAUSE_RUNNABLE, CAUSE_THROTTLED };
	static const enum metric_id cpu[] = { M_PROC_USER, M_PROC_SYSTEM };
	double periods = cgroup_delta(v, M_CG_CPU_PERIODS, group),
	       throttled = cgroup_delta(v, M_CG_CPU_THROTTLED, group);
	double sampled;

	*t = (struct throttle){ .group = group, .cpus = cgroup_cpus(v, group) };
	if (!(throttled > 0) || !(periods > 0))
		return false;
	t->share = fmin(1, throttled / periods);
	t->time = cgroup_rate(v, M_CG_CPU_THROTTLED_TIME, group);
	t->busy = system_value(v->window, M_SYS_BUSY);
	sampled = cgroup_delta(v, M_CG_SAMPLED, group);
	t->sampled = sampled > 0 ? cgroup_delta(v, M_CG_CPU_THROTTLED_SAMPLED, group) / sampled
				 : NAN;
	cgroup_rank_lost(v, group, runnable, 2, &t->waiters);
	cgroup_rank(v, group, cpu, 2, &t->runners);
	t->used = cgroup_rate(v, M_CG_CPU_USAGE, group);
	if (isnan(t->used))
		t->used = t->runners.total;
	t->lost = lost_to(t);
	t->stretch = worst_stretch(v, &t->waiters);
	return true;
}

static bool is_harm(const struct view *v, const struct rule *r, const struct throttle *t)
{
	if (t->share < r->floor || !(t->lost >= r->warn))
		return false;
	if (!t->waiters.n) /* nobody is known to wait: the kernel's own clock has to do */
		return t->time >= CPU_SHARE * v->host->cpus;
	return t->stretch >= STRETCH_LEAST ||
	       (!isnan(t->stretch) && t->lost >= CPU_SHARE * v->host->cpus);
}

static void summarize(struct finding *f, const struct view *v, const struct throttle *t)
{
	double quota = cgroup_level(v, M_CG_CPU_QUOTA, t->group),
	       period = cgroup_level(v, M_CG_CPU_PERIOD, t->group);
	char who[96] = "its threads", idle[64] = "";

	if (t->waiters.n)
		member_label(who, sizeof(who), &t->waiters.top[0]);
	else if (t->runners.n)
		member_label(who, sizeof(who), &t->runners.top[0]);
	if (t->busy < BUSY_MOST)
		snprintf(idle, sizeof(idle), ", while %.0f %% of the machine's CPU time was free",
			 100 * (1 - t->busy));
	finding_summary(
		f,
		"The CPU quota of cgroup %.160s, %.3g CPUs (%.3g ms in each %.3g ms), ran out in %.0f %% of periods: "
		"%s waited %.2f s/s%s.",
		cgroup_path(v, t->group), t->cpus, quota * 1e3, period * 1e3, 100 * t->share, who,
		t->lost, idle);
}

static void report_throttle(const struct rule *r, const struct view *v, struct findings *fs,
			    const struct throttle *t)
{
	struct finding *f = rule_fire(r, fs);
	const char *dir = cgroup_dir(v, t->group), *path = cgroup_path(v, t->group);
	double burst = cgroup_level(v, M_CG_CPU_BURST, t->group);
	const char *source = cgroup_is_v2(v, t->group) ? "cpu.stat, cpu.max"
						       : "cpu.stat, cpu.cfs_quota_us";
	struct party *p;

	snprintf(f->instance, sizeof(f->instance), "%s", path);
	f->impact.lost = t->lost;
	f->confidence = t->busy < BUSY_MOST ? 0.95 : 0.8;
	f->estimated = !(t->busy < BUSY_MOST);
	summarize(f, v, t);
	p = finding_offender(f, PARTY_CGROUP, path, 0, 1);
	snprintf(p->cgroup, sizeof(p->cgroup), "%s", path);
	finding_offenders(f, v, &t->runners, 3, 0.1);
	if (t->waiters.n)
		finding_victims(f, v, &t->waiters, 4, 0.05);
	else
		finding_victim(f, PARTY_CGROUP, path, 0, t->lost);
	finding_evidence(f, "periods that ran out", t->share, "ratio", r->floor, source);
	finding_evidence(f, "throttled", t->time, "s/s", NAN, source);
	finding_evidence(f, "allowed", t->cpus, "CPUs", NAN, source);
	finding_evidence(f, "used", t->used, "CPUs", NAN,
			 cgroup_is_v2(v, t->group) ? "cpu.stat" : "cpuacct.usage");
	if (t->waiters.n)
		finding_evidence(f, "run delay of the group", t->waiters.total, "s/s", r->warn,
				 "schedstat");
	if (t->sampled >= 0)
		finding_evidence(f, "seconds in which it ran out", t->sampled, "ratio", NAN,
				 source);
	if (burst > 0 && isfinite(burst))
		finding_evidence(f, "burst", burst, "s", NAN, source);
	finding_evidence(f, "busy CPUs of the machine", t->busy, "ratio", NAN, "proc/stat");
	finding_next(
		f, "grep . /%.120s/cpu.stat   # again after a second: nr_throttled, throttled time",
		dir);
	if (cgroup_is_v2(v, t->group))
		finding_next(f, "cat /%.120s/cpu.max   # quota and period in microseconds", dir);
	else
		finding_next(f, "cat /%.80s/cpu.cfs_quota_us /%.80s/cpu.cfs_period_us", dir, dir);
	finding_next(f, "systemd-cgls %.120s   # who lives there", path);
}

static void check_throttled(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct throttle t;

	for (size_t g = 0; g < cgroup_count(v); g++)
		if (isfinite(cgroup_cpus(v, g)) && measure(v, g, &t) && is_harm(v, r, &t))
			report_throttle(r, v, fs, &t);
}

const struct rule rules_cpu_cgroup[] = {
	{
		.id = "cpu.cgroup_throttled",
		.question =
			"Do threads wait because the CPU quota of their control group has run out?",
		.resource = RES_CPU,
		.aspect = ASPECT_SATURATION,
		.metric = M_CG_GROUPS,
		.floor = 0.01,
		.warn = 0.05,
		.crit = 1,
		.fires =
			"the quota ran out in at least 1 % of its periods, and the group's threads lost at least 0.05 s/s to it, "
			"with a process that takes a quarter longer, or 2 % of the machine's CPUs lost",
		.needs =
			"cpu.stat of control groups with a quota; schedstat says how long each process waited",
		.meaning =
			"A group with a quota (docker --cpus, a Kubernetes CPU limit, CPUQuota= of systemd) may run so long in "
			"each period, usually 100 ms, summed over all CPUs. A program with many threads uses it up in a few "
			"milliseconds and then stands still for the rest of the period, whatever the machine has free. "
			"Throttled time is part of the threads' run delay; on a machine with free CPUs it is all of it.",
		.lookalikes =
			"cpu.saturated: no CPU is free and no quota is involved. cpu.cpuset_confined: the group may use few "
			"CPUs, all the time. A quota that runs out while only niced work waits hurts nobody.",
		.action =
			"Raise or remove the quota (requests and shares protect others too), allow a burst (cpu.max.burst), or "
			"start fewer threads: a pool sized for the machine's CPUs eats a quota of one CPU at once.",
		.symptoms =
			"cpu.saturated cpu.runqueue_latency_bursts cpu.noisy_neighbour_shares cpu.scheduler_imbalance "
			"cpu.wakeup_latency cpu.affinity_imbalance app.slow_server app.worker_pool_exhausted "
			"net.accept_queue_slow net.accept_queue_slow",
		.check = check_throttled,
	},
	{ .id = NULL }
};
