/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about mechanisms that burn CPU time: what cpu_storm.c finds, in sentences. */
#include <math.h>
#include <string.h>

#include "checklist/claims.h"
#include "checklist/cpu_storm.h"

static double cpus_used(const struct view *v)
{
	return system_value(v->window, M_SYS_BUSY) * interval_last(v->window, M_SYS_CPUS, 0);
}

/* Those who waited for a CPU while the storm took it. */
static void storm_victims(struct finding *f, const struct view *v, double share)
{
	unsigned classes = 1u << QUEUE_SATURATED | 1u << QUEUE_BURSTS | 1u << QUEUE_NEIGHBOUR;
	struct queue_picture q;
	struct ranking victims;
	double waits;

	queue_classify(v, &q);
	waits = q.waits[QUEUE_SATURATED] + q.waits[QUEUE_BURSTS] + q.waits[QUEUE_NEIGHBOUR];
	queue_victims(v, &q, classes, &victims);
	if (share >= 0.5 && waits >= 0.05) {
		f->impact.lost = waits;
		finding_victims(f, v, &victims, FINDING_PARTIES, 0.02);
		finding_symptom(f, "threads wait %.2g s/s for a CPU", waits);
	}
	queue_done(&q);
}

static struct finding *fire(const struct rule *r, const struct view *v, struct findings *fs,
			    const struct storm *s)
{
	double used = cpus_used(v);
	struct finding *f = rule_fire(r, fs);
	struct party *p;

	f->impact.wasted = s->wasted;
	f->estimated = true;
	/* what a niced job wastes is time that nobody else wanted */
	if (claims_is_background(v, s->who.id))
		f->severity = SEV_INFO;
	p = finding_offender(f, PARTY_PROCESS, s->who.name, s->who.pid,
			     (s->user + s->system) / fmax(used, s->user + s->system));
	process_cgroup(v, s->who.id, p->cgroup, sizeof(p->cgroup));
	finding_evidence(f, "proc.system", s->system, "s/s", WASTED_LEAST, "/proc/PID/stat");
	finding_evidence(f, "proc.user", s->user, "s/s", NAN, "/proc/PID/stat");
	storm_victims(f, v, p->share);
	return f;
}

/* The one storm of this kind that wastes most, if there is one. */
static bool find_kind(const struct view *v, enum storm_kind kind, struct storm *out)
{
	struct storm storms[STORMS];
	size_t n = storm_find(v, storms, STORMS);

	for (size_t i = 0; i < n; i++)
		if (storms[i].kind == kind) {
			*out = storms[i];
			return true;
		}
	return false;
}

void check_switch_storm(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct storm s;
	struct finding *f;
	char label[96];

	if (!find_kind(v, STORM_SWITCH, &s))
		return;
	f = fire(r, v, fs, &s);
	f->confidence = 0.85;
	finding_summary(
		f,
		"%s switch%s %.0f thousand times a second: %.2g CPUs go into the kernel, a turn has %.1f us",
		member_label(label, sizeof(label), &s.who), *member_s(&s.who) ? "es" : "",
		s.switches / 1e3, s.system, 1e6 * (s.user + s.system) / s.switches);
	finding_evidence(f, "context switches of the party", s.switches, "1/s", SWITCH_LEAST,
			 "/proc/PID/task/TID/status");
	finding_evidence(f, "sys.context_switches", system_rate(v->window, M_CTXT), "1/s", NAN,
			 "/proc/stat");
	finding_evidence(f, "CPU time per switch", (s.user + s.system) / s.switches, "s",
			 SWITCH_RUN, "/proc/PID/stat");
	finding_next(f, "pidstat -w -t -p %lld 1 5", (long long)s.who.pid);
	finding_next(f, "perf trace -s -p %lld -- sleep 5", (long long)s.who.pid);
}

void check_yield_storm(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct storm s;
	struct finding *f;
	char label[96];

	if (!find_kind(v, STORM_YIELD, &s))
		return;
	f = fire(r, v, fs, &s);
	f->confidence = 0.75;
	finding_summary(
		f,
		"%s give%s up the CPU %.0f thousand times a second without ever sleeping (sched_yield in a loop?): %.2g CPUs go into the scheduler",
		member_label(label, sizeof(label), &s.who), member_s(&s.who), s.rate / 1e3,
		s.system);
	finding_evidence(f, "involuntary switches of the party", s.rate, "1/s", YIELD_LEAST,
			 "/proc/PID/task/TID/status");
	finding_evidence(f, "sys.context_switches", system_rate(v->window, M_CTXT), "1/s", NAN,
			 "/proc/stat");
	finding_next(f, "strace -c -f -e trace=sched_yield -p %lld", (long long)s.who.pid);
	finding_next(f, "perf top -p %lld", (long long)s.who.pid);
}

void check_herd(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct storm s;
	struct finding *f;
	char label[96];

	if (!find_kind(v, STORM_HERD, &s))
		return;
	f = fire(r, v, fs, &s);
	f->confidence = 0.8;
	finding_summary(
		f,
		"%.0f threads of %s are woken together %.0f thousand times a second, run %.0f us and sleep again: %.2g CPUs for nothing",
		s.threads, member_label(label, sizeof(label), &s.who), s.rate / 1e3,
		1e6 * s.run_per_slice, s.wasted);
	finding_evidence(f, "wake-ups of the party", s.rate, "1/s", HERD_RATE,
			 "/proc/PID/task/TID/schedstat");
	finding_evidence(f, "threads woken at one rate", s.threads, "threads", HERD_THREADS,
			 "/proc/PID/task/TID/schedstat");
	finding_evidence(f, "run per wake-up", s.run_per_slice, "s", HERD_RUN,
			 "/proc/PID/task/TID/schedstat");
	finding_evidence(f, "wait per wake-up", s.wait_per_slice, "s", HERD_QUEUE * s.run_per_slice,
			 "/proc/PID/task/TID/schedstat");
	finding_next(f, "pidstat -w -t -p %lld 1 5", (long long)s.who.pid);
	finding_next(f, "strace -c -f -p %lld", (long long)s.who.pid);
}

void check_timer_storm(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct storm s;
	struct finding *f;
	char label[96];

	if (!find_kind(v, STORM_TIMER, &s))
		return;
	f = fire(r, v, fs, &s);
	f->confidence = 0.85;
	finding_summary(
		f,
		"%s run%s timers that fire %.0f thousand times a second: %.2g CPUs go into timer interrupts and wake-ups",
		member_label(label, sizeof(label), &s.who), member_s(&s.who), s.rate / 1e3,
		s.wasted);
	finding_evidence(f, "cpu.irq.local_timer", sum_over_cpus(v, M_CPU_IRQ_LOC), "1/s",
			 TICK_RATE * v->host->cpus + TIMER_LEAST, "/proc/interrupts");
	finding_evidence(f, "context switches of the party", s.switches, "1/s", NAN,
			 "/proc/PID/task/TID/status");
	finding_next(f, "watch -d -n 1 'grep LOC /proc/interrupts'");
	finding_next(
		f,
		"strace -f -c -e trace=timerfd_settime,timer_settime,nanosleep,clock_nanosleep,epoll_wait,read -p %lld",
		(long long)s.who.pid);
}

void check_tlb_storm(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct storm s;
	struct finding *f;
	char label[96];

	if (!find_kind(v, STORM_TLB, &s))
		return;
	f = fire(r, v, fs, &s);
	f->confidence = 0.7;
	finding_summary(
		f,
		"%s change%s address space so often that CPUs interrupt each other %.0f thousand times a second: %.2g CPUs in the kernel",
		member_label(label, sizeof(label), &s.who), member_s(&s.who), s.rate / 1e3,
		s.system);
	finding_evidence(f, "cpu.irq.tlb_shootdown", s.rate, "1/s", TLB_LEAST, "/proc/interrupts");
	finding_evidence(f, "cpu.irq.function_call", sum_over_cpus(v, M_CPU_IRQ_CAL), "1/s", NAN,
			 "/proc/interrupts");
	finding_next(f, "strace -f -c -e trace=mprotect,munmap,madvise,mremap -p %lld",
		     (long long)s.who.pid);
	finding_next(f, "perf top -p %lld", (long long)s.who.pid);
}

/* Which calls they are is not to be seen from here. */
static void say_unseen_calls(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct unseen_calls u;
	char label[96];

	if (!storm_unseen_calls(v, &u))
		return;
	rule_unknown(
		r, fs,
		"%s spend%s %.2g CPUs in the kernel%s; which calls those are only eBPF: raw_syscalls can tell",
		member_label(label, sizeof(label), &u.who), member_s(&u.who), u.system,
		u.io_known ? "" : " and its I/O counters are not readable (run as root)");
}

void check_syscall_storm(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct storm s;
	struct finding *f;
	char label[96];

	if (!find_kind(v, STORM_SYSCALL, &s)) {
		say_unseen_calls(r, v, fs);
		return;
	}
	f = fire(r, v, fs, &s);
	f->confidence = 0.85;
	finding_summary(
		f,
		"%s make%s %.0f thousand reads and writes a second of %.0f bytes each: %.2g CPUs go into entering the kernel",
		member_label(label, sizeof(label), &s.who), member_s(&s.who), s.calls / 1e3,
		s.bytes_per_call, s.system);
	finding_evidence(f, "read and write calls of the party", s.calls, "1/s", CALL_LEAST,
			 "/proc/PID/io");
	finding_evidence(f, "bytes per call", s.bytes_per_call, "bytes", CALL_BYTES,
			 "/proc/PID/io");
	finding_next(f, "strace -c -f -p %lld", (long long)s.who.pid);
	finding_next(f, "perf trace -s -p %lld -- sleep 5", (long long)s.who.pid);
}

/* ---- processes that are gone before anybody looks ---- */

void check_short_lived(const struct rule *r, const struct view *v, struct findings *fs)
{
	static const enum metric_id child[] = { M_PROC_CHILD_USER, M_PROC_CHILD_SYSTEM };
	double forks = system_rate(v->window, M_FORKS), gone = short_lived_cpu(v);
	double used = cpus_used(v);
	struct ranking parents;
	struct finding *f;
	const char *child_name = NULL;
	char label[96];

	if (isnan(gone)) {
		rule_unknown(r, fs, "needs the CPU time of all processes");
		return;
	}
	if (!(forks >= FORK_LEAST) || gone < r->floor || gone / forks > FORK_CPU ||
	    view_share_at_least(v, M_FORKS, (struct row_id){ 0 }, FORK_LEAST) < GONE_SECONDS)
		return;
	rank_metric(v, M_PROC_NEWBORN, &parents);
	if (!parents.n || parents.top[0].share < 0.5)
		rank_metrics(v, child, 2, &parents);
	f = rule_fire(r, fs);
	f->estimated = true;
	f->confidence = parents.n ? 0.88 : 0.7;
	f->impact.wasted = gone;
	if (parents.n) {
		finding_offenders(f, v, &parents, 2, 0.2);
		child_name = view_label(v, M_PROC_NEWBORN_NAME, parents.top[0].id);
	}
	finding_summary(
		f,
		"%.0f processes a second live for %.1f ms of CPU each and take %.2g CPUs together: started by %s%s%.32s%s",
		forks, 1e3 * gone / forks, gone,
		parents.n ? member_label(label, sizeof(label), &parents.top[0]) : "?",
		child_name ? " (" : "", child_name ? child_name : "", child_name ? ")" : "");
	finding_evidence(f, "sys.forks", forks, "1/s", FORK_LEAST, "/proc/stat");
	finding_evidence(f, "CPU time of ended processes", gone, "s/s", r->floor,
			 "/proc/stat less /proc/PID/stat");
	finding_evidence(f, "CPU time per process", gone / forks, "s", FORK_CPU, "/proc/stat");
	storm_victims(f, v, used > 0 ? gone / used : 0);
	finding_next(f, "execsnoop-bpfcc -T");
	if (parents.n)
		finding_next(f, "strace -f -e trace=process -p %lld",
			     (long long)parents.top[0].pid);
}
