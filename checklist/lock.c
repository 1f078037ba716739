/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of locks.
 *
 * What a sleeper waits for is told by the futex operation and the expected value that it sleeps with (the collector
 * does that); who holds the lock is not: the owner's number is in the program's own memory. With eBPF each wake-up from a
 * lock tells what the thread that handed it on was kept from by. Without, the holder is inferred from what those who take
 * part do at the same moment: somebody on a CPU holds it by working, somebody asleep elsewhere holds it while he waits. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/app.h"
#include "checklist/parties.h"
#include "checklist/rule.h"
#include "model/cause.h"
#include "model/lost.h"

#define SEEN_LEAST 0.05 /* of the time somebody must wait: less is chance */
#define STRETCH    1.25 /* (useful + lost) / useful: below it nobody would notice */
#define LOCK_SHARE \
	0.5 /* of the time on futexes that is a lock's: below it the waiters sit in queues mostly */
#define HOLDER_SHARE 0.5 /* of the queue time in which the holder was seen to run, or to sleep */

/* ---- one process and its lock ---- */

struct lock_case {
	struct row_id id;
	const char *name;
	size_t row; /* in the window */
	double wait, queue, running, asleep,
		turns;      /* per second; running and asleep as parts of queue */
	double queued_else; /* seconds per second that the same threads slept on other futexes */
	double useful;      /* CPU seconds per second */
	double threads;     /* that waited */
	bool measured;      /* wait is exact, not sampled */
	bool rooted;        /* running and asleep are by wake-ups, not by samples */
	const struct lock_root
		*root; /* what holders were kept from by, mostly; NULL: not known, or nothing */
	double root_share;
};

/* Why a lock is held: what its holders were kept from by. */
static const struct lock_root {
	enum metric_id id;
	const char *does;     /* "its holder …" */
	enum resource blames; /* findings of this resource explain it; RES_MAX: none */
} lock_roots[] = {
	{ M_TIME_ROOT_CPU, "runs", RES_MAX },
	{ M_TIME_ROOT_RUNNABLE, "waits for a CPU", RES_CPU },
	{ M_TIME_ROOT_THROTTLED, "waits for the CPU quota of its group", RES_CPU },
	{ M_TIME_ROOT_DISK, "waits for a disk", RES_DISK },
	{ M_TIME_ROOT_MEMORY, "waits for memory", RES_MEMORY },
	{ M_TIME_ROOT_SLEEP, "sleeps", RES_MAX },
	{ M_TIME_ROOT_REPLY, "waits for a reply", RES_MAX },
};
#define LOCK_ROOTS  (sizeof(lock_roots) / sizeof(*lock_roots))
#define ROOTS_LEAST 0.3 /* of the wait must have a known root */

static double or_zero(double x)
{
	return x > 0 ? x : 0;
}

/* What the process's threads did: only those that took part in the lock count. */
static void sum_threads(const struct view *v, struct lock_case *c)
{
	const struct interval *iv = v->window;

	for (size_t t = 0; t < interval_rows(iv, SCOPE_THREAD); t++) {
		if (interval_last(iv, M_THREAD_PID, t) != (double)c->id.key)
			continue;
		c->useful += or_zero(interval_rate(iv, M_THREAD_RUN, t));
		if (!(interval_rate(iv, M_THREAD_MUTEX, t) > 0))
			continue;
		c->threads++;
		c->queued_else += or_zero(interval_rate(iv, M_THREAD_FUTEX, t));
	}
}

/* The exact wait, of locks that are told by operation and value alone; those of runtimes with another protocol are
 * known from samples only. */
static void measure(const struct view *v, struct lock_case *c)
{
	size_t t = interval_find(v->window, SCOPE_TIME, c->id);
	double wait = interval_rate(v->window, M_TIME_MUTEX, t);

	c->measured = wait >= c->wait / 8;
	if (c->measured)
		c->wait = wait;
}

/* What holders were kept from by, as far as wake-ups tell. */
static void find_root(const struct view *v, struct lock_case *c)
{
	size_t t = interval_find(v->window, SCOPE_TIME, c->id);
	double known = 0, most = 0, running = 0;

	for (size_t i = 0; i < LOCK_ROOTS; i++) {
		double part = or_zero(interval_rate(v->window, lock_roots[i].id, t));

		known += part;
		if (lock_roots[i].id == M_TIME_ROOT_CPU)
			running = part;
		if (part > most) {
			most = part;
			c->root = &lock_roots[i];
		}
	}
	if (!c->measured || known < ROOTS_LEAST * c->wait) {
		c->root = NULL;
		return;
	}
	c->rooted = true;
	c->root_share = most / known;
	c->running = running / known;
	c->asleep = 1 - c->running;
}

/* Does this process lose time to a user-space lock, enough to be noticed? */
static bool lock_case(const struct rule *r, const struct view *v, size_t row, struct lock_case *c)
{
	const struct interval *iv = v->window;
	double queue = interval_rate(iv, M_PROC_LOCK_QUEUE, row);

	*c = (struct lock_case){ .row = row,
				 .wait = interval_rate(iv, M_PROC_LOCK_WAIT, row),
				 .queue = queue };
	if (!(c->wait >= r->floor) || !(queue >= SEEN_LEAST))
		return false;
	c->id = interval_row(iv, SCOPE_PROCESS, row)->id;
	measure(v, c);
	if (c->wait < r->floor)
		return false;
	c->name = interval_name(iv, SCOPE_PROCESS, row);
	c->running = or_zero(interval_rate(iv, M_PROC_LOCK_RUNNING, row)) / queue;
	c->asleep = or_zero(interval_rate(iv, M_PROC_LOCK_ASLEEP, row)) / queue;
	c->turns = or_zero(interval_rate(iv, M_PROC_LOCK_TURNS, row));
	find_root(v, c);
	sum_threads(v, c);
	return (c->useful + c->wait) / fmax(c->useful, 1e-6) >= STRETCH;
}

static struct finding *lock_finding(const struct rule *r, const struct view *v, struct findings *fs,
				    const struct lock_case *c)
{
	struct finding *f = rule_fire(r, fs);
	struct party *p;
	char label[96];

	process_label(label, sizeof(label), c->name, (int64_t)c->id.key);
	snprintf(f->instance, sizeof(f->instance), "%s", label);
	f->estimated = !c->measured;
	f->impact.lost = c->wait;
	p = finding_offender(f, PARTY_PROCESS, c->name, (int64_t)c->id.key, 1);
	process_cgroup(v, c->id, p->cgroup, sizeof(p->cgroup));
	p = finding_victim(f, PARTY_PROCESS, c->name, (int64_t)c->id.key, c->wait);
	process_cgroup(v, c->id, p->cgroup, sizeof(p->cgroup));
	finding_evidence(f, c->measured ? "time.lock" : "proc.lock.wait", c->wait, "s/s", r->floor,
			 c->measured ? "eBPF: tp_btf/sched_switch" : "/proc/TID/syscall, sampled");
	finding_evidence(f, "proc.lock.queue", c->queue, "ratio", SEEN_LEAST,
			 "/proc/TID/syscall, sampled");
	return f;
}

static void check_futex_contention(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t row = 0; row < interval_rows(v->window, SCOPE_PROCESS); row++) {
		struct lock_case c;
		struct finding *f;
		double switches;
		char label[96];

		if (!lock_case(r, v, row, &c) || c.running < HOLDER_SHARE ||
		    c.wait < LOCK_SHARE * (c.wait + c.queued_else))
			continue;
		switches = interval_rate(v->window, M_PROC_VCSW, row);
		f = lock_finding(r, v, fs, &c);
		f->confidence = 0.85;
		process_label(label, sizeof(label), c.name, (int64_t)c.id.key);
		finding_summary(
			f,
			"%.0f threads of %s fight over a lock: %.2f s/s of waiting for it, while those that have it run "
			"(%.1f CPUs used)",
			c.threads, label, c.wait, c.useful);
		finding_evidence(f, "holder running", c.running, "ratio", HOLDER_SHARE,
				 c.rooted ? "eBPF: tp_btf/sched_waking" : "state samples");
		finding_evidence(f, "proc.voluntary_switches", switches, "1/s", NAN,
				 "/proc/TID/status");
		finding_next(f,
			     "perf record -g -p %llu -- sleep 5; perf report   # who calls futex",
			     (unsigned long long)c.id.key);
		finding_next(f, "strace -f -c -e futex -p %llu   # slows it down",
			     (unsigned long long)c.id.key);
	}
}

/* "6 threads of x[5] stand in line" */
static const char *line_of(char *out, size_t size, const struct lock_case *c, const char *label)
{
	if (c->threads >= 2)
		snprintf(out, size, "%.0f threads of %s stand in line", c->threads, label);
	else
		snprintf(out, size, "threads of %s stand in line", label);
	return out;
}

/* A queue of workers sleeps on a condition variable, and a leader that waits for connections does so in poll: neither
 * is a lock with a holder asleep. */
static void check_convoy(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t row = 0; row < interval_rows(v->window, SCOPE_PROCESS); row++) {
		struct lock_case c;
		const char *wchan;
		struct finding *f;
		char label[96], who[160];

		if (!lock_case(r, v, row, &c) || c.asleep < HOLDER_SHARE ||
		    (c.turns <= 0 && !c.rooted))
			continue;
		wchan = view_label(v, M_PROC_LOCK_WCHAN, c.id);
		f = lock_finding(r, v, fs, &c);
		process_label(label, sizeof(label), c.name, (int64_t)c.id.key);
		if (c.rooted) {
			f->confidence = 0.9;
			f->root = c.root->blames;
			finding_summary(
				f,
				"%s for a lock whose holder %s%s%.40s: %.2f s/s lost while it uses %.2f CPUs",
				line_of(who, sizeof(who), &c, label), c.root->does,
				c.root->id == M_TIME_ROOT_SLEEP && wchan ? " in " : "",
				c.root->id == M_TIME_ROOT_SLEEP && wchan ? wchan : "", c.wait,
				c.useful);
			finding_evidence(f, metric_get(c.root->id)->name, c.root_share, "ratio",
					 NAN, "eBPF: tp_btf/sched_waking");
		} else {
			/* a holder that waits for a disk or a reply is the symptom of another cause, which has rules of its own */
			f->confidence = wchan && wait_of('S', wchan, false) == WAIT_TIMER ? 0.85
											  : 0.7;
			finding_summary(
				f,
				"%s for a lock whose holder sleeps%s%.40s: %.2f s/s lost while it uses %.2f CPUs",
				line_of(who, sizeof(who), &c, label), wchan ? " in " : "",
				wchan ? wchan : "", c.wait, c.useful);
		}
		finding_evidence(f, "holder off the CPU", c.asleep, "ratio", HOLDER_SHARE,
				 c.rooted ? "eBPF: tp_btf/sched_waking" : "state samples");
		finding_evidence(f, "proc.lock.turns", c.turns, "1/s", NAN,
				 "state samples: another thread is outside the lock");
		finding_next(
			f,
			"for t in /proc/%llu/task/*; do cat $t/wchan; echo; done | sort | uniq -c",
			(unsigned long long)c.id.key);
		finding_next(
			f,
			"gdb -p %llu -batch -ex 'thread apply all bt'   # the one not in __lll_lock_wait holds it",
			(unsigned long long)c.id.key);
	}
}

/* ---- the same, in a server ---- */

/* A lock that is most of what the threads of a server do, while somebody waits for its answers. */
void check_server_lock(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t row = 0; row < interval_rows(v->window, SCOPE_PROCESS); row++) {
		struct demand d = { 0 };
		struct lock_case c;
		struct finding *f;
		char label[96];
		double share;

		if (!lock_case(r, v, row, &c) || fmax(c.running, c.asleep) < HOLDER_SHARE ||
		    c.wait < LOCK_SHARE * (c.wait + c.queued_else))
			continue;
		share = c.wait / (c.wait + c.useful + c.asleep * c.queue);
		demand_add(v, (int64_t)c.id.key, &d);
		if (share < LOCK_SHARE || !d.server || demand_total(&d) <= 0)
			continue;
		f = lock_finding(r, v, fs, &c);
		f->confidence = 0.8;
		f->offenders[0].port = d.port;
		process_label(label, sizeof(label), c.name, (int64_t)c.id.key);
		finding_summary(
			f,
			"the threads of the server %s wait %.2f s/s for one lock, %.0f %% of their working time: requests are "
			"served one at a time",
			label, c.wait, 100 * share);
		finding_evidence(f, "share of working time", share, "ratio", LOCK_SHARE,
				 "state samples");
		if (d.client > 0)
			finding_victim(f, PARTY_PROCESS, d.client_name, d.client, NAN);
		finding_next(
			f,
			"gdb -p %llu -batch -ex 'thread apply all bt'   # who holds it, and doing what",
			(unsigned long long)c.id.key);
	}
}

/* ---- spinning ---- */

#define SAMPLES_LEAST 30  /* fewer say nothing */
#define SPIN_SHARE    0.3 /* of the process's own CPU time: less is the usual spin before a sleep */
#define SPIN_HARM \
	0.1 /* s/s that somebody must wait for a CPU: who spins on a machine of his own harms nobody */

/* Seconds per second that others, or its own threads, waited for a CPU. */
static double spin_harm(const struct lost_row *l, double seconds)
{
	return (l->time[CAUSE_RUNNABLE] + l->inflicted) / seconds;
}

static void spin_finding(const struct rule *r, const struct view *v, struct findings *fs,
			 const struct lost_row *l, double share, double samples)
{
	double seconds = interval_seconds(v->window),
	       run = (l->time[CAUSE_USER] + l->time[CAUSE_SYSTEM]) / seconds;
	struct finding *f = rule_fire(r, fs);
	struct party *p;
	char label[96];

	process_label(label, sizeof(label), l->name, l->pid);
	snprintf(f->instance, sizeof(f->instance), "%s", label);
	/* a share of n samples is known to sqrt(p(1-p)/n) */
	f->confidence = samples >= 200 ? 0.85 : 0.75;
	f->impact.wasted = share * run;
	f->impact.lost = spin_harm(l, seconds);
	finding_summary(
		f,
		"%s spins: %.0f %% of its %.2g CPUs go into loops that wait for memory to change, and threads wait %.2g s/s for "
		"a CPU meanwhile",
		label, 100 * share, run, f->impact.lost);
	p = finding_offender(f, PARTY_PROCESS, l->name, l->pid, 1);
	process_cgroup(v, l->id, p->cgroup, sizeof(p->cgroup));
	p = finding_victim(f, PARTY_PROCESS, l->name, l->pid, l->time[CAUSE_RUNNABLE] / seconds);
	process_cgroup(v, l->id, p->cgroup, sizeof(p->cgroup));
	finding_evidence(f, "samples in code that pauses", share, "ratio", SPIN_SHARE,
			 "eBPF: perf_event/cpu-clock");
	finding_evidence(f, "samples", samples, "count", SAMPLES_LEAST,
			 "eBPF: perf_event/cpu-clock");
	finding_evidence(f, "cpu.wasted", f->impact.wasted, "s/s", r->floor,
			 "eBPF: perf_event/cpu-clock");
	finding_evidence(f, "waited for a CPU", f->impact.lost, "s/s", SPIN_HARM,
			 "eBPF: tp_btf/sched_switch");
	finding_next(f, "perf record -g -p %lld -- sleep 5; perf annotate   # the loop with pause",
		     (long long)l->pid);
}

static void check_spin(const struct rule *r, const struct view *v, struct findings *fs)
{
	double seconds = interval_seconds(v->window);

	for (size_t i = 0; i < v->nlost; i++) {
		const struct lost_row *l = &v->lost[i];
		size_t t = interval_find(v->window, SCOPE_TIME, l->id);
		double user = interval_delta(v->window, M_TIME_IN_USER, t),
		       kernel = interval_delta(v->window, M_TIME_IN_KERNEL, t),
		       spinning = interval_delta(v->window, M_TIME_SPINNING, t),
		       share = spinning / (user + kernel);
		double run = (l->time[CAUSE_USER] + l->time[CAUSE_SYSTEM]) / seconds;

		if (l->short_lived || !(spinning >= SAMPLES_LEAST) || !(share >= SPIN_SHARE) ||
		    share * run < r->floor || spin_harm(l, seconds) < SPIN_HARM)
			continue;
		spin_finding(r, v, fs, l, share, user + kernel);
	}
}

/* ---- deadlock ---- */

static void check_deadlock(const struct rule *r, const struct view *v, struct findings *fs)
{
	double seconds = interval_seconds(v->window);

	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_PROCESS); row++) {
		struct row_id id = snapshot_id(v->last, SCOPE_PROCESS, row);
		const char *name = snapshot_name(v->last, SCOPE_PROCESS, row);
		double stuck = snapshot_value(v->last, M_PROC_LOCK_STUCK, row),
		       words = snapshot_value(v->last, M_PROC_LOCK_STUCK_WORDS, row);
		double age = snapshot_value(v->last, M_PROC_LOCK_STUCK_AGE, row);
		size_t w = interval_find(v->window, SCOPE_PROCESS, id);
		double queue = or_zero(interval_delta(v->window, M_PROC_LOCK_QUEUE, w));
		double outside = or_zero(interval_delta(v->window, M_PROC_LOCK_RUNNING, w)) +
				 or_zero(interval_delta(v->window, M_PROC_LOCK_ASLEEP, w));
		struct finding *f;
		char label[96];

		/* two locks at least, watched for most of the window, and nobody of those who want them was ever outside */
		if (!(stuck >= r->floor) || !(words >= 2) ||
		    !(age >= fmin(fmax(3, 0.5 * seconds), 0.8 * seconds)) || outside > 0.05 * queue)
			continue;
		f = rule_fire(r, fs);
		process_label(label, sizeof(label), name, (int64_t)id.key);
		snprintf(f->instance, sizeof(f->instance), "%s", label);
		f->severity = SEV_CRIT;
		f->confidence = 0.75;
		f->estimated = true;
		f->impact.lost = stuck;
		finding_summary(
			f,
			"%.0f threads of %s wait for %.0f locks and none was released in %.0f s: a deadlock, or holders that never "
			"come back",
			stuck, label, words, age);
		finding_offender(f, PARTY_PROCESS, name, (int64_t)id.key, 1);
		finding_victim(f, PARTY_PROCESS, name, (int64_t)id.key, stuck);
		finding_evidence(f, "proc.lock.stuck_threads", stuck, "threads", r->floor,
				 "/proc/TID/syscall, schedstat");
		finding_evidence(f, "proc.lock.stuck_words", words, "locks", 2,
				 "/proc/TID/syscall");
		finding_evidence(f, "proc.lock.stuck_age", age, "s", NAN,
				 "watched without one turn on a CPU");
		finding_next(
			f,
			"gdb -p %llu -batch -ex 'thread apply all bt'   # who holds what the others want",
			(unsigned long long)id.key);
		finding_next(f, "grep -H . /proc/%llu/task/*/syscall   # second word: the lock",
			     (unsigned long long)id.key);
	}
}

/* ---- priority ---- */

/* Higher is more urgent: real time above everything, then by nice value. */
static double urgency(const struct view *v, struct row_id thread)
{
	double rt = view_last(v, M_THREAD_RT_PRIORITY, thread),
	       nice = view_last(v, M_THREAD_NICE, thread);

	return rt > 0 ? 100 + rt : 20 - (isnan(nice) ? 0 : nice);
}

#define URGENCY_GAP 5 /* nice levels: three times the weight */

struct inversion {
	size_t high, low; /* rows of threads */
	double waited, starved;
};

static bool find_inversion(const struct view *v, struct row_id process, double least,
			   struct inversion *out)
{
	const struct interval *iv = v->window;

	*out = (struct inversion){ SIZE_MAX, SIZE_MAX, 0, 0 };
	for (size_t t = 0; t < interval_rows(iv, SCOPE_THREAD); t++) {
		double wait = interval_rate(iv, M_THREAD_MUTEX, t),
		       ready = interval_rate(iv, M_THREAD_RUNNABLE, t);

		if (interval_last(iv, M_THREAD_PID, t) != (double)process.key)
			continue;
		if (wait > out->waited) {
			out->waited = wait;
			out->high = t;
		}
		if (ready > out->starved &&
		    ready >= 2 * or_zero(interval_rate(iv, M_THREAD_RUN, t))) {
			out->starved = ready;
			out->low = t;
		}
	}
	return out->high != SIZE_MAX && out->low != SIZE_MAX && out->high != out->low &&
	       out->waited >= least && out->starved >= least &&
	       urgency(v, interval_row(iv, SCOPE_THREAD, out->high)->id) >=
		       urgency(v, interval_row(iv, SCOPE_THREAD, out->low)->id) + URGENCY_GAP;
}

static void check_inversion(const struct rule *r, const struct view *v, struct findings *fs)
{
	const struct interval *iv = v->window;

	for (size_t row = 0; row < interval_rows(iv, SCOPE_PROCESS); row++) {
		struct inversion inv;
		struct lock_case c;
		struct finding *f;
		int64_t high, low;
		char label[96];

		if (!lock_case(r, v, row, &c) || c.running < HOLDER_SHARE ||
		    !find_inversion(v, c.id, r->floor, &inv))
			continue;
		high = (int64_t)interval_row(iv, SCOPE_THREAD, inv.high)->id.key;
		low = (int64_t)interval_row(iv, SCOPE_THREAD, inv.low)->id.key;
		f = lock_finding(r, v, fs, &c);
		f->confidence = 0.6;
		process_label(label, sizeof(label), c.name, (int64_t)c.id.key);
		finding_summary(
			f,
			"thread %lld of %s waits %.2f s/s for a lock while the less urgent thread %lld, which takes part in it, "
			"waits %.2f s/s for a CPU: priority inversion",
			(long long)high, label, inv.waited, (long long)low, inv.starved);
		finding_evidence(f, "thread.wait.lock", inv.waited, "s/s", r->floor,
				 "/proc/TID/syscall, sampled");
		finding_evidence(f, "thread.runnable", inv.starved, "s/s", r->floor,
				 "/proc/TID/schedstat");
		finding_next(f, "ps -L -o tid,cls,rtprio,ni,stat,wchan,comm -p %llu",
			     (unsigned long long)c.id.key);
	}
}

/* ---- file locks ---- */

static void flock_finding(const struct rule *r, const struct view *v, struct findings *fs,
			  const struct ranking *waiters, const struct ranking *holders)
{
	struct finding *f = rule_fire(r, fs);
	const struct member *holder = holders->n ? &holders->top[0] : NULL;
	double turns = system_rate(v->window, M_FLOCK_TURNS);
	char who[128], whom[128];
	size_t many = 0;

	for (size_t i = 0; i < waiters->n; i++)
		many += waiters->top[i].processes;
	f->estimated = true;
	f->confidence = holder ? 0.85 : 0.7;
	f->impact.lost = waiters->total;
	member_label(whom, sizeof(whom), &waiters->top[0]);
	if (holder)
		finding_summary(f, "%s wait%s %.2f s/s for a file lock that %s hold%s", whom,
				many > 1 ? "" : "s", waiters->total,
				member_label(who, sizeof(who), holder),
				holder->processes > 1 ? "" : "s");
	else
		finding_summary(f, "%s wait%s %.2f s/s for a file lock", whom, many > 1 ? "" : "s",
				waiters->total);
	if (!(turns >= FLOCK_TURNS_LEAST)) {
		f->severity = SEV_INFO; /* a line by design, perhaps; nothing is known to be lost */
		f->impact.lost = NAN;
	}
	finding_offenders(f, v, holders, 3, 0.1);
	finding_victims(f, v, waiters, 4, 0.05);
	finding_evidence(f, "thread.wait.flock", waiters->total, "s/s", r->floor,
			 "/proc/TID/wchan, sampled");
	finding_evidence(f, "sys.flock_turns", turns, "1/s", FLOCK_TURNS_LEAST,
			 "/proc/locks, sampled");
	if (holder)
		finding_evidence(f, "proc.flock_inflicted", holder->amount, "s/s", NAN,
				 "/proc/locks, sampled");
	finding_next(f, "lslocks -o COMMAND,PID,TYPE,MODE,PATH,BLOCKER");
	if (holder)
		finding_next(f, "ls -l /proc/%lld/fd", (long long)holder->pid);
}

static double flock_wait(const struct view *v, size_t row, const void *arg)
{
	const struct interval *iv = v->window;
	uint64_t pid = interval_row(iv, SCOPE_PROCESS, row)->id.key;
	double sum = 0;

	(void)arg;
	for (size_t t = 0; t < interval_rows(iv, SCOPE_THREAD); t++)
		if (interval_last(iv, M_THREAD_PID, t) == (double)pid)
			sum += or_zero(interval_rate(iv, M_THREAD_FLOCK, t));
	return sum;
}

static bool anybody_in_flock(const struct view *v)
{
	for (size_t t = 0; t < interval_rows(v->window, SCOPE_THREAD); t++)
		if (interval_delta(v->window, M_THREAD_FLOCK, t) > 0)
			return true;
	return false;
}

static void check_flock(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct ranking waiters, holders;

	if (!anybody_in_flock(v))
		return;
	rank_metric(v, M_PROC_FLOCK_INFLICTED, &holders);
	rank_by(v, flock_wait, NULL, &waiters);
	if (waiters.total >= r->floor)
		flock_finding(r, v, fs, &waiters, &holders);
}

/* clang-format off */
const struct rule rules_lock[] = {
	{ .id = "lock.futex_contention", .question = "Do threads fight over a lock whose holders work?",
	  .resource = RES_LOCK, .aspect = ASPECT_SATURATION, .metric = M_PROC_LOCK_WAIT, .floor = 0.2, .check = check_futex_contention,
	  .fires = "threads of a process wait at least 0.2 s/s for contended user-space locks, in at least 5 % of the time somebody does, "
		   "a thread that takes part runs in at least half of that, at least half of their futex sleep is a lock's, and it "
		   "stretches the process's work by a quarter",
	  .needs = "/proc/TID/syscall (root), /proc/TID/wchan",
	  .meaning = "Threads in a futex sleep are asked ten times a second for the operation and the value they sleep with. A contended "
		     "mutex of glibc, musl, Go's runtime or Rust waits with a value of its own; a condition variable or a semaphore does "
		     "not. A lock counts once two threads have waited for it.",
	  .lookalikes = "An idle pool of workers sleeps on a condition variable: no lock. A broadcast that wakes everybody for one piece "
			"of work (cpu.thundering_herd) makes the woken queue for the mutex for a moment; they sleep on the condition mostly. "
			"Locks inside a runtime (Java monitors, Python's GIL) look like queues to the kernel and are not seen.",
	  .action = "Find who calls futex (perf record -g), make the locked part shorter, split the lock, or give each thread its own data.",
	  .symptoms = "own:cpu.saturated cpu.context_switch_storm cpu.runqueue_latency_bursts" },
	{ .id = "lock.convoy_idle_cpu", .question = "Do threads stand in line for a lock whose holder sleeps?",
	  .resource = RES_LOCK, .aspect = ASPECT_DURATION, .metric = M_PROC_LOCK_WAIT, .floor = 0.2, .check = check_convoy,
	  .fires = "threads of a process wait at least 0.2 s/s for contended user-space locks, the one outside the lock sleeps (timer, "
		   "disk, socket) in at least half of that, and it changes; with eBPF: those who hand the lock on were off the CPU for more "
		   "than half of the wait they end, in at least half of the waiting time",
	  .needs = "/proc/TID/syscall (root), /proc/TID/wchan",
	  .meaning = "Everybody is at rest and everybody waits: the holder does something slow with the lock held. The throughput is one "
		     "divided by the time the lock is held, whatever the number of threads and CPUs. What the holder waits for is handed on "
		     "from waker to sleeper, along the whole line: where that is a disk, memory or a CPU, a finding about it explains this one.",
	  .lookalikes = "Leader and followers: one thread waits for connections with the lock held, the rest wait for its place. It sleeps "
			"in poll or accept, which is not counted. Threads parked on mutexes of their own are not two on one lock.",
	  .action = "Find what the holder does (gdb, thread apply all bt): move the I/O or the sleep out of the locked part." },
	{ .id = "lock.spin_busywait", .question = "Do threads burn CPU time waiting for each other in user space?",
	  .resource = RES_LOCK, .aspect = ASPECT_UTILIZATION, .metric = M_TIME_SPINNING, .floor = 0.2, .check = check_spin,
	  .fires = "at least 30 % of a process's samples lie in code that pauses (x86 pause, arm64 yield, wfe, isb), at least 0.2 CPUs go into it, "
		   "and its own threads or others wait at least 0.1 s/s for a CPU meanwhile",
	  .needs = "eBPF samples of every CPU: from outside a spinning thread is a computing thread",
	  .meaning = "A spin lock in user space whose holder was put off the CPU makes all others burn their time slices. 49 samples a second "
		     "and CPU look at the 64 bytes of code around the instruction; the error of a share p of n samples is sqrt(p(1-p)/n).",
	  .lookalikes = "A loop that polls on purpose on CPUs of its own: then nobody waits. A spin lock without a pause instruction is not told "
			"from a computation.",
	  .action = "perf record -g -p PID; give way after some rounds (futex, pthread_mutex), or run no more threads than CPUs.",
	  .symptoms = "cpu.saturated cpu.single_thread_bound cpu.runqueue_latency_bursts" },
	{ .id = "lock.priority_inversion", .question = "Does an urgent thread wait for a lock whose holder does not get a CPU?",
	  .resource = RES_LOCK, .aspect = ASPECT_SATURATION, .metric = M_PROC_LOCK_WAIT, .floor = 0.2, .check = check_inversion,
	  .fires = "an urgent thread waits at least 0.2 s/s for a contended lock while a thread of the same process that is at least 5 nice "
		   "levels less urgent waits at least 0.2 s/s for a CPU, twice as long as it runs",
	  .needs = "/proc/TID/syscall (root), /proc/TID/schedstat; the owner itself would need eBPF",
	  .meaning = "The less urgent thread holds what the urgent one needs, and a third party keeps it off the CPU. The owner is inferred, "
		     "not read.",
	  .lookalikes = "An urgent and a patient thread that share a lock by chance on a machine whose CPUs are all busy.",
	  .action = "Use priority-inheritance mutexes (PTHREAD_PRIO_INHERIT), or run both threads at one priority.",
	  .symptoms = "lock.futex_contention" },
	{ .id = "lock.flock_contention", .question = "Do processes wait for a file lock?",
	  .resource = RES_LOCK, .aspect = ASPECT_SATURATION, .metric = M_THREAD_FLOCK, .floor = 0.2, .check = check_flock,
	  .fires = "threads sleep at least 0.2 s/s in flock(), fcntl(F_SETLKW) or lockf(); a line that moves less than once in two seconds is an information",
	  .needs = "/proc/TID/wchan (root), /proc/locks",
	  .meaning = "State samples of followed threads give the waiting time, /proc/locks who holds what others wait for.",
	  .lookalikes = "Jobs that take a lock in order not to run at once, and wait for the one before: a line that moves slowly.",
	  .action = "lslocks shows file, holder and blocked ones. Hold the lock for less time, or give each writer a file of its own." },
	{ .id = "lock.deadlock", .question = "Do threads wait for locks that are never released?",
	  .resource = RES_LOCK, .aspect = ASPECT_ERRORS, .metric = M_PROC_SAMPLED, .floor = 3, .check = check_deadlock,
	  .fires = "at least 3 threads of a process wait for at least 2 locks, two of them for the same one, without running once in most of "
		   "the window, and nobody who takes part was seen outside",
	  .needs = "/proc/TID/syscall (root), /proc/TID/schedstat; the cycle of owners itself would need eBPF",
	  .meaning = "The word that each sleeper waits for and the number of its turns on a CPU are compared over the window.",
	  .lookalikes = "Threads parked on mutexes of their own (each alone on its lock) are left out. A holder that sleeps for minutes with "
			"the lock held looks the same, and is as bad.",
	  .action = "gdb -p PID, thread apply all bt: find the cycle. Take locks in one order everywhere." },
	{ .id = NULL }
};
/* clang-format on */
