/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about waiting for a CPU: all busy, in bursts, the wrong CPUs, somebody in front. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/claims.h"
#include "checklist/cpu.h"

#define FULL_SECONDS \
	0.8 /* share of the seconds that must be full before the machine is called saturated */
#define STRETCH 1.25 /* (useful + lost) / useful that a victim notices */
#define BURST_STRETCH \
	2.0 /* with idle time left, a random queue reaches 1.5 at 60 % use all by itself */
#define BURST_FLOOR 0.2  /* s/s */
#define BURST_WAIT  2e-3 /* s per turn: shorter queues are the scheduler at work */
#define STORM_SHARE 0.5  /* of the CPU time in use: the storm is the cause, full CPUs its symptom */
#define OTHERS_MOST 0.1  /* of the waiting: below it the harm is the offender's own */
#define LEAST_RUN   0.005 /* CPUs: who runs less is not looked at more closely */

/* ---- sentences ---- */

/* CPU time over all that was used, not only over what is known of living processes. */
static void cpu_users(const struct view *v, const struct queue_picture *q, struct ranking *users)
{
	rank_cpu(v, users);
	for (size_t i = 0; i < users->n; i++)
		users->top[i].share = users->top[i].amount / fmax(users->total, q->busy);
}

/* Who ran while the victims waited; where that was not measured, who used most. */
static void cpu_offenders(struct finding *f, const struct view *v, const struct queue_picture *q,
			  unsigned classes, const struct ranking *users)
{
	struct ranking takers;
	char metric[64];

	if (!queue_takers(v, q, classes, &takers)) {
		finding_offenders(f, v, users, 3, 0.1);
		if (!f->noffenders)
			finding_offenders(f, v, users, 1, 0);
		return;
	}
	finding_offenders(f, v, &takers, 3, 0.1);
	if (!f->noffenders)
		finding_offenders(f, v, &takers, 1, 0);
	snprintf(metric, sizeof(metric), "waited behind %.32s", takers.top[0].name);
	finding_evidence(f, metric, takers.top[0].amount, "s/s", NAN, queue_source(v));
}

static bool same_member(const struct member *a, const struct member *b)
{
	return a->pid == b->pid || (!strcmp(a->name, b->name) && a->processes > 1);
}

static double waits_of_others(const struct member *taker, const struct ranking *victims)
{
	double others = 0;

	for (size_t i = 0; i < victims->n; i++)
		if (!same_member(taker, &victims->top[i]))
			others += victims->top[i].amount;
	return others;
}

/* Who waits: "its own threads wait 9.8 s/s; nobody else suffers" or "webwork[4711] waits 1.9 s/s". */
static void who_waits(char *out, size_t size, const struct member *taker,
		      const struct ranking *victims)
{
	const struct member *other = NULL;
	double own = 0, others = 0;
	char label[96];

	for (size_t i = 0; i < victims->n; i++) {
		if (taker && same_member(taker, &victims->top[i])) {
			own += victims->top[i].amount;
		} else {
			others += victims->top[i].amount;
			if (!other)
				other = &victims->top[i];
		}
	}
	if (own > 0 && others < 0.02)
		snprintf(out, size, "its own threads wait %.2g s/s and nobody else suffers", own);
	else if (!other)
		snprintf(out, size, "short-lived tasks wait");
	else if (own > 2 * others)
		snprintf(out, size, "its own threads wait %.2g s/s, others %.2g s/s (%s most)", own,
			 others, member_label(label, sizeof(label), other));
	else if (others > 1.2 * other->amount)
		snprintf(out, size, "%s wait%s %.2g s/s, %.2g s/s with the others",
			 member_label(label, sizeof(label), other), member_s(other), other->amount,
			 others);
	else
		snprintf(out, size, "%s wait%s %.2g s/s", member_label(label, sizeof(label), other),
			 member_s(other), other->amount);
}

static void common_evidence(struct finding *f, const struct view *v, const struct queue_picture *q,
			    double waits, double floor)
{
	finding_evidence(f, "thread.runnable", waits, "s/s", floor, queue_source(v));
	finding_evidence(f, "sys.cpu.busy", system_value(v->window, M_SYS_BUSY), "ratio", NAN,
			 "/proc/stat");
	if (!isnan(q->psi))
		finding_evidence(f, "psi.cpu.some", q->psi, "s/s", NAN, "/proc/pressure/cpu");
	finding_evidence(f, "sys.procs_running", interval_mean(v->window, M_PROCS_RUNNING, 0),
			 "tasks", q->cpus, "/proc/stat");
}

static void load_symptom(struct finding *f, const struct view *v)
{
	double load = interval_last(v->window, M_LOAD1, 0);

	if (load > v->host->cpus)
		finding_symptom(f, "load average %.1f on %u CPUs", load, v->host->cpus);
}

/* ---- all busy ---- */

/* Tasks that came and went before anybody could follow them: the run queue itself, seen every 100 ms, less sixty and
 * less those that are known to wait, whatever for. */
static double unseen_queue(const struct view *v, const struct queue_picture *q)
{
	double waiting = interval_mean(v->window, M_PROCS_RUNNING, 0) - 1 - q->cpus;

	/* rates, not sums: threads are followed from some moment of the window on */
	for (size_t t = 0; t < interval_rows(v->window, SCOPE_THREAD); t++) {
		double w = interval_rate(v->window, M_THREAD_RUNNABLE, t);

		waiting -= w > 0 ? w : 0;
	}
	return waiting > 0.25 * q->cpus && q->psi > 0.3 ? q->psi * waiting : 0;
}

static void clear_cpu(const struct view *v, const struct queue_picture *q, struct findings *fs)
{
	double all = 0;

	for (enum queue_class c = QUEUE_THROTTLED; c < QUEUE_CLASSES; c++)
		all += c == QUEUE_WOKEN ? 0 : q->waits[c];
	if (all < 0.05 && !(q->psi > 0.2))
		findings_clear(fs, RES_CPU, "",
			       "%.0f %% of %.0f CPUs used, waiting for one %.3f s/s",
			       100 * q->busy / q->cpus, q->cpus,
			       isnan(q->psi) ? all : fmax(all, q->psi));
	(void)v;
}

void check_saturated(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct ranking victims, users;
	struct queue_picture q;
	struct finding *f;
	char who[300], label[96];
	double waits, unseen;

	queue_classify(v, &q);
	clear_cpu(v, &q, fs);
	queue_victims(v, &q, 1u << QUEUE_SATURATED, &victims);
	waits = q.waits[QUEUE_SATURATED];
	unseen = unseen_queue(v, &q);
	if (!(q.full >= FULL_SECONDS) || storm_share(v) >= STORM_SHARE)
		goto out;
	if (!(waits >= r->floor && queue_hurts(v, &victims, r->floor, STRETCH)) &&
	    !(unseen > 2 * waits && unseen >= r->floor))
		goto out;
	f = rule_fire(r, fs);
	f->impact.lost = unseen > 2 * waits ? unseen : waits;
	f->confidence = unseen > 2 * waits ? 0.75 : q.psi < 0.1 ? 0.7 : 0.95;
	f->estimated = unseen > 2 * waits;
	cpu_users(v, &q, &users);
	cpu_offenders(f, v, &q, 1u << QUEUE_SATURATED, &users);
	finding_victims(f, v, &victims, FINDING_PARTIES, 0.02);
	f->self_inflicted = users.n &&
			    waits_of_others(&users.top[0], &victims) <= OTHERS_MOST * waits;
	who_waits(who, sizeof(who), users.n ? &users.top[0] : NULL, &victims);
	finding_summary(
		f, "All %.0f CPUs are busy: %s use%s %.2g of them (%.0f %% of the CPU time); %s",
		q.cpus,
		users.n ? member_label(label, sizeof(label), &users.top[0]) : "nobody known",
		users.n ? member_s(&users.top[0]) : "s", users.n ? users.top[0].amount : NAN,
		users.n ? 100 * users.top[0].share : NAN, who);
	common_evidence(f, v, &q, waits, r->floor);
	finding_evidence(f, "seconds with >= 90 % used", q.full, "ratio", FULL_SECONDS,
			 "/proc/stat");
	load_symptom(f, v);
	if (users.n)
		finding_next(f, "pidstat -t -u -p %lld 1 5", (long long)users.top[0].pid);
	if (users.n)
		finding_next(f, "perf record -g -p %lld -- sleep 10 && perf report",
			     (long long)users.top[0].pid);
	finding_next(f, "cat /proc/pressure/cpu");
out:
	queue_done(&q);
}

/* ---- bursts ---- */

/* Waiting per turn on a CPU, of the threads of these processes. */
static double wait_per_turn(const struct view *v, const struct ranking *victims)
{
	double wait = 0, turns = 0;

	for (size_t t = 0; t < interval_rows(v->window, SCOPE_THREAD); t++) {
		const struct lost_row *l =
			view_lost_pid(v, interval_whole(interval_last(v->window, M_THREAD_PID, t)));
		double w = interval_delta(v->window, M_THREAD_RUNNABLE, t),
		       n = interval_delta(v->window, M_THREAD_SLICES, t);

		if (!l || !(n > 0))
			continue;
		for (size_t i = 0; i < victims->n; i++)
			if (!strcmp(victims->top[i].name, l->name)) {
				wait += w > 0 ? w : 0;
				turns += n;
				break;
			}
	}
	return turns > 0 ? wait / turns : NAN;
}

void check_bursts(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct ranking victims, users, takers;
	struct queue_picture q;
	struct finding *f;
	char label[96];
	double waits, turn;

	queue_classify(v, &q);
	queue_victims(v, &q, 1u << QUEUE_BURSTS, &victims);
	waits = q.waits[QUEUE_BURSTS];
	turn = wait_per_turn(v, &victims);
	if (waits < r->floor || !(turn >= BURST_WAIT) ||
	    !queue_hurts(v, &victims, BURST_FLOOR, BURST_STRETCH) || storm_share(v) >= STORM_SHARE)
		goto out;
	f = rule_fire(r, fs);
	f->impact.lost = waits;
	f->confidence = 0.85;
	rank_cpu(v, &users);
	if (queue_takers(v, &q, 1u << QUEUE_BURSTS, &takers))
		users = takers;
	/* those who wait wake each other's neighbours up: the crowd is its own offender unless another party runs more */
	if (users.n && users.top[0].share >= 0.5)
		finding_offenders(f, v, &users, 2, 0.2);
	else
		finding_offenders(f, v, &victims, 1, 0);
	finding_victims(f, v, &victims, FINDING_PARTIES, 0.02);
	finding_summary(
		f,
		"Run queues are long in bursts though %.0f %% of the CPU time is idle: %s wait%s %.1f ms per turn, %.2g s/s",
		100 * q.idle / q.cpus, member_label(label, sizeof(label), &victims.top[0]),
		member_s(&victims.top[0]), turn * 1e3, victims.top[0].amount);
	common_evidence(f, v, &q, waits, r->floor);
	finding_evidence(f, "wait per turn", turn, "s", BURST_WAIT, queue_source(v));
	finding_evidence(f, "stretch", queue_stretch(v, &victims.top[0]), "ratio", BURST_STRETCH,
			 queue_source(v));
	finding_evidence(f, "sys.procs_running peak", interval_peak(v->window, M_PROCS_RUNNING, 0),
			 "tasks", NAN, "/proc/stat");
	finding_next(f, "perf sched record -- sleep 5 && perf sched latency -s max");
	finding_next(f, "pidstat -t -w -p %lld 1 5", (long long)victims.top[0].pid);
out:
	queue_done(&q);
}

/* ---- another cgroup ---- */

void check_neighbour(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct ranking victims, users;
	struct queue_picture q;
	struct finding *f;
	char label[96], cgroup[192], path[192];
	struct party *p;

	queue_classify(v, &q);
	queue_victims(v, &q, 1u << QUEUE_NEIGHBOUR, &victims);
	if (q.waits[QUEUE_NEIGHBOUR] < r->floor || !queue_hurts(v, &victims, r->floor, STRETCH) ||
	    storm_share(v) >= STORM_SHARE)
		goto out;
	f = rule_fire(r, fs);
	f->impact.lost = q.waits[QUEUE_NEIGHBOUR];
	f->confidence = 0.8;
	rank_cpu(v, &users);
	p = finding_offender(f, PARTY_CGROUP, q.taker_cgroup, 0, NAN);
	snprintf(p->cgroup, sizeof(p->cgroup), "%s", q.taker_cgroup);
	for (size_t i = 0; i < users.n && f->noffenders < 3; i++) {
		process_cgroup(v, users.top[i].id, path, sizeof(path));
		if (strcmp(path, q.taker_cgroup))
			continue;
		p->share = (isnan(p->share) ? 0 : p->share) + users.top[i].share;
		snprintf(finding_offender(f, PARTY_PROCESS, users.top[i].name, users.top[i].pid,
					  users.top[i].share)
				 ->cgroup,
			 sizeof(path), "%s", path);
	}
	finding_victims(f, v, &victims, FINDING_PARTIES, 0.02);
	process_cgroup(v, victims.top[0].id, cgroup, sizeof(cgroup));
	finding_summary(
		f,
		"%s in cgroup %s get%s far less than an equal part of the CPUs: %.2g s/s of waiting while cgroup %s takes %.0f %% of the CPU time",
		member_label(label, sizeof(label), &victims.top[0]), cgroup,
		member_s(&victims.top[0]), victims.top[0].amount, q.taker_cgroup, 100 * p->share);
	common_evidence(f, v, &q, q.waits[QUEUE_NEIGHBOUR], r->floor);
	finding_evidence(f, "stretch", queue_stretch(v, &victims.top[0]), "ratio", STRETCH,
			 queue_source(v));
	finding_next(f, "systemd-cgtop -c -n 3");
	finding_next(f, "cat /sys/fs/cgroup%s/cpu.weight /sys/fs/cgroup/cpu%s/cpu.shares", cgroup,
		     cgroup);
out:
	queue_done(&q);
}

/* ---- idle CPUs that may not be used ---- */

static double isolated_idle(const struct view *v)
{
	double sum = 0;

	for (size_t c = 0; c < interval_rows(v->window, SCOPE_CPU); c++)
		if (interval_last(v->window, M_CPU_ISOLATED, c) > 0)
			sum += 1 - interval_value(v->window, M_CPU_BUSY, c);
	return sum;
}

static const char *allowed_of(const struct view *v, int64_t pid)
{
	for (size_t t = 0; t < interval_rows(v->window, SCOPE_THREAD); t++)
		if (interval_last(v->window, M_THREAD_PID, t) == (double)pid &&
		    view_label(v, M_THREAD_CPUS_ALLOWED,
			       interval_row(v->window, SCOPE_THREAD, t)->id))
			return view_label(v, M_THREAD_CPUS_ALLOWED,
					  interval_row(v->window, SCOPE_THREAD, t)->id);
	return snapshot_text(v->last, M_PROC_CPUS_ALLOWED, view_process(v, pid));
}

/* Who runs on the CPUs that the victims may use: they themselves, if they were pinned to one place together. */
static double cpu_in_crowd(const struct view *v, size_t row, const void *arg)
{
	struct cpu_set mine, theirs;
	double run = interval_delta(v->window, M_PROC_USER, row) +
		     interval_delta(v->window, M_PROC_SYSTEM, row);

	if (!(run >= LEAST_RUN * interval_seconds(v->window)))
		return 0;
	cpu_set_parse(&theirs, arg);
	cpu_set_parse(&mine,
		      allowed_of(v, (int64_t)interval_row(v->window, SCOPE_PROCESS, row)->id.key));
	for (size_t i = 0; i < sizeof(mine.bits) / sizeof(*mine.bits); i++)
		if (mine.bits[i] & theirs.bits[i])
			return run / interval_seconds(v->window);
	return 0;
}

static void crowd_cpus(struct finding *f, const struct view *v, const char *list)
{
	struct cpu_set set;
	char metric[64];
	unsigned shown = 0;

	cpu_set_parse(&set, list);
	for (size_t c = 0; c < interval_rows(v->window, SCOPE_CPU) && shown < 4; c++) {
		const char *name = interval_name(v->window, SCOPE_CPU, c);
		int id = cpu_number(name);

		if (id < 0 || !cpu_set_has(&set, (unsigned)id) ||
		    isnan(interval_value(v->window, M_CPU_BUSY, c)))
			continue;
		snprintf(metric, sizeof(metric), "%.16s busy", name);
		finding_evidence(f, metric, interval_value(v->window, M_CPU_BUSY, c), "ratio", 0.85,
				 "/proc/stat");
		shown++;
	}
}

static void check_confined(const struct rule *r, const struct view *v, struct findings *fs,
			   enum queue_class class)
{
	struct ranking victims, users;
	struct queue_picture q;
	struct finding *f;
	char label[96], cgroup[192];
	const char *list;
	double isolated;

	queue_classify(v, &q);
	queue_victims(v, &q, 1u << class, &victims);
	if (q.waits[class] < r->floor || !queue_hurts(v, &victims, r->floor, STRETCH))
		goto out;
	list = allowed_of(v, victims.top[0].pid);
	isolated = isolated_idle(v);
	f = rule_fire(r, fs);
	f->impact.lost = q.waits[class];
	f->confidence = 0.92;
	rank_by(v, cpu_in_crowd, list, &users);
	finding_offenders(f, v, &users, 3, 0.15);
	if (!f->noffenders)
		finding_offenders(f, v, &victims, 1, 0);
	if (class == QUEUE_CPUSET)
		finding_offender(f, PARTY_CGROUP,
				 process_cgroup(v, victims.top[0].id, cgroup, sizeof(cgroup)), 0,
				 NAN);
	finding_victims(f, v, &victims, FINDING_PARTIES, 0.02);
	snprintf(f->instance, sizeof(f->instance), "CPU %.100s", list ? list : "");
	finding_summary(
		f,
		"%s may use only CPU %.40s%s and wait%s %.2g s/s there while %.2g other CPUs are idle%s",
		member_label(label, sizeof(label), &victims.top[0]), list ? list : "?",
		class == QUEUE_CPUSET ? " (cpuset)" : " (affinity mask)", member_s(&victims.top[0]),
		victims.top[0].amount, q.idle,
		isolated > 0.3 ? "; CPUs isolated at boot (isolcpus) are among them" : "");
	common_evidence(f, v, &q, q.waits[class], r->floor);
	crowd_cpus(f, v, list);
	finding_evidence(f, "idle CPUs", q.idle, "CPUs", 0.3, "/proc/stat");
	finding_next(f, "taskset -acp %lld", (long long)victims.top[0].pid);
	finding_next(f, "mpstat -P ALL 1 5");
	if (class == QUEUE_CPUSET)
		finding_next(
			f,
			"grep -h . /sys/fs/cgroup/cpuset%s/cpuset.cpus /sys/fs/cgroup%s/cpuset.cpus.effective",
			cgroup, cgroup);
out:
	queue_done(&q);
}

void check_affinity(const struct rule *r, const struct view *v, struct findings *fs)
{
	check_confined(r, v, fs, QUEUE_AFFINITY);
}

void check_cpuset(const struct rule *r, const struct view *v, struct findings *fs)
{
	check_confined(r, v, fs, QUEUE_CPUSET);
}

/* ---- real time ---- */

static double realtime_of(const struct view *v, size_t row, const void *arg)
{
	struct row_id id = interval_row(v->window, SCOPE_PROCESS, row)->id;
	double policy = interval_last(v->window, M_PROC_POLICY, row), sum = 0;

	(void)arg;
	if (!(interval_rate(v->window, M_PROC_USER, row) +
		      interval_rate(v->window, M_PROC_SYSTEM, row) >=
	      LEAST_RUN))
		return 0;
	for (size_t t = 0; t < interval_rows(v->window, SCOPE_THREAD); t++) {
		double p = interval_last(v->window, M_THREAD_POLICY, t),
		       run = interval_rate(v->window, M_THREAD_RUN, t);

		if (interval_last(v->window, M_THREAD_PID, t) == (double)id.key &&
		    (p == 1 || p == 2 || p == 6) && run > 0)
			sum += run;
	}
	if (sum <= 0 && (policy == 1 || policy == 2 || policy == 6))
		sum = interval_rate(v->window, M_PROC_USER, row) +
		      interval_rate(v->window, M_PROC_SYSTEM, row);
	return sum;
}

void check_rt_hog(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct ranking victims, users;
	struct queue_picture q;
	struct finding *f;
	char who[300], label[96];

	queue_classify(v, &q);
	queue_victims(v, &q, 1u << QUEUE_RT, &victims);
	if (q.waits[QUEUE_RT] < r->floor || !queue_hurts(v, &victims, r->floor, STRETCH))
		goto out;
	rank_by(v, realtime_of, NULL, &users);
	f = rule_fire(r, fs);
	f->impact.lost = q.waits[QUEUE_RT];
	f->confidence = 0.88;
	finding_offenders(f, v, &users, 3, 0.1);
	finding_victims(f, v, &victims, FINDING_PARTIES, 0.02);
	who_waits(who, sizeof(who), users.n ? &users.top[0] : NULL, &victims);
	finding_summary(
		f, "%s run%s at real-time priority and take%s %.2g CPUs before everybody else: %s",
		users.n ? member_label(label, sizeof(label), &users.top[0]) : "A real-time task",
		users.n ? member_s(&users.top[0]) : "s", users.n ? member_s(&users.top[0]) : "s",
		q.rt, who);
	common_evidence(f, v, &q, q.waits[QUEUE_RT], r->floor);
	finding_evidence(f, "real-time CPU time", q.rt, "CPUs", 0.3,
			 "/proc/PID/task/TID/{stat,schedstat}");
	if (users.n)
		finding_next(f, "chrt -a -p %lld", (long long)users.top[0].pid);
	finding_next(f, "cat /proc/sys/kernel/sched_rt_runtime_us");
out:
	queue_done(&q);
}

/* ---- one thread ---- */

/* The thread that ran most; its waiting counts as wanting to run. */
static size_t hottest_thread(const struct view *v, double *wants)
{
	size_t best = SIZE_MAX;

	*wants = 0;
	for (size_t t = 0; t < interval_rows(v->window, SCOPE_THREAD); t++) {
		double run = interval_rate(v->window, M_THREAD_RUN, t);
		double ticks = interval_rate(v->window, M_THREAD_USER, t) +
			       interval_rate(v->window, M_THREAD_SYSTEM, t);

		if (isnan(run))
			run = ticks;
		if (run > *wants) {
			*wants = run;
			best = t;
		}
	}
	return best;
}

/* One thread that is always running while other CPUs idle: nothing is lost that anybody can see from outside, so this
 * is information, unless a rule that sees the work queue up on it (a socket's backlog) takes it over. */
void check_single_thread(const struct rule *r, const struct view *v, struct findings *fs)
{
	double run, idle = system_rate(v->window, M_SYS_IDLE), nice, policy;
	size_t t = hottest_thread(v, &run), p;
	struct finding *f;
	struct row_id process;
	struct party *who;
	const char *name, *comm;
	char label[96];
	int64_t pid;

	if (t == SIZE_MAX || run < r->floor || !(idle >= 0.3) || v->host->cpus < 2)
		return;
	pid = interval_whole(interval_last(v->window, M_THREAD_PID, t));
	p = view_process(v, pid);
	nice = interval_last(v->window, M_THREAD_NICE, t);
	policy = interval_last(v->window, M_THREAD_POLICY, t);
	if (p == SIZE_MAX || nice > 0 || policy == 3 || policy == 5 ||
	    snapshot_value(v->last, M_PROC_KTHREAD, p) > 0)
		return;
	process = snapshot_id(v->last, SCOPE_PROCESS, p);
	comm = snapshot_name(v->last, SCOPE_PROCESS, p);
	name = interval_name(v->window, SCOPE_THREAD, t);
	f = rule_fire(r, fs);
	f->severity = SEV_INFO;
	f->confidence = 0.9;
	who = finding_offender(f, PARTY_PROCESS, comm, pid,
			       run / fmax(run, system_value(v->window, M_SYS_BUSY) *
						       interval_last(v->window, M_SYS_CPUS, 0)));
	process_cgroup(v, process, who->cgroup, sizeof(who->cgroup));
	process_label(label, sizeof(label), comm, pid);
	finding_summary(
		f,
		"One thread%s%.32s%s of %s uses a whole CPU (%.0f %%) while %.2g CPUs are idle: it can go no faster, and nothing is seen to wait for it",
		strcmp(name, comm) ? " (" : "", strcmp(name, comm) ? name : "",
		strcmp(name, comm) ? ")" : "", label, 100 * run, idle);
	finding_evidence(f, "thread.run", run, "s/s", r->floor, queue_source(v));
	finding_evidence(f, "sys.cpu.idle", idle, "CPUs", 0.3, "/proc/stat");
	finding_next(f, "pidstat -t -u -p %lld 1 5", (long long)pid);
	finding_next(f, "perf record -g -t %lld -- sleep 10 && perf report",
		     (long long)interval_row(v->window, SCOPE_THREAD, t)->id.key);
}
