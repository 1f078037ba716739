/* SPDX-License-Identifier: Apache-2.0 */
/* Mechanisms that burn CPU time: tiny reads, switches, yields, herds, timers, address-space interrupts.
 *
 * A rate alone is nothing: modern kernels switch a million times a second without anybody caring. What counts is the
 * CPU time of the party that does it, and that nothing else explains that time better; so each party of processes
 * gets the one mechanism that fits it best, and none is named below WASTED_LEAST of a CPU. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "checklist/cpu_storm.h"
#include "model/lost.h"

/* ---- what a party does ---- */

struct crowd { /* its threads */
	size_t all;
	size_t threads; /* that were put on a CPU at least ten times a second: the rest is about them */
	double slices, run, runnable;
	double waits[WAIT_MAX];
	double *rates; /* slices per second of each, sorted */
};

static int by_value(const void *x, const void *y)
{
	const double *a = x, *b = y;

	return *a < *b ? -1 : *a > *b;
}

static double or_zero(double x)
{
	return isnan(x) ? 0 : x;
}

static double *pids_of(const struct view *v, const struct member *m, size_t *n)
{
	size_t cap = 0;
	double *pids = NULL;

	*n = 0;
	for (size_t p = 0; p < interval_rows(v->window, SCOPE_PROCESS); p++)
		if (member_has(v, m, p)) {
			pids = mem_grow(pids, &cap, *n + 1, sizeof(*pids));
			pids[(*n)++] = (double)interval_row(v->window, SCOPE_PROCESS, p)->id.key;
		}
	if (*n)
		qsort(pids, *n, sizeof(*pids), by_value);
	return pids;
}

static void crowd_read(struct crowd *c, const struct view *v, const struct member *m)
{
	const struct interval *iv = v->window;
	size_t npids, cap = 0;
	double *pids = pids_of(v, m, &npids);

	*c = (struct crowd){ 0 };
	for (size_t t = 0; npids && t < interval_rows(iv, SCOPE_THREAD); t++) {
		double pid = interval_last(iv, M_THREAD_PID, t),
		       slices = interval_rate(iv, M_THREAD_SLICES, t);

		if (isnan(pid) || !bsearch(&pid, pids, npids, sizeof(*pids), by_value))
			continue;
		c->all++;
		if (!(slices >= 10))
			continue;
		c->run += or_zero(interval_rate(iv, M_THREAD_RUN, t));
		c->runnable += or_zero(interval_rate(iv, M_THREAD_RUNNABLE, t));
		for (enum wait w = 0; w < WAIT_ZOMBIE; w++)
			c->waits[w] += or_zero(interval_rate(iv, wait_metric(w), t));
		c->slices += slices;
		c->rates = mem_grow(c->rates, &cap, c->threads + 1, sizeof(*c->rates));
		c->rates[c->threads++] = slices;
	}
	if (c->threads)
		qsort(c->rates, c->threads, sizeof(*c->rates), by_value);
	mem_free(pids);
}

/* Are most threads woken at the very same rate? A broadcast wakes each once; threads that fight for a lock differ by
 * several percent even in ten seconds. */
static bool in_step(const struct crowd *c)
{
	double median = c->threads ? c->rates[c->threads / 2] : 0;
	size_t near = 0;

	for (size_t i = 0; i < c->threads; i++)
		near += fabs(c->rates[i] - median) <= HERD_STEP * median;
	return near >= 0.9 * (double)c->threads;
}

/* Share of the sampled sleep of a kind. */
static double sleep_share(const struct crowd *c, enum wait a, enum wait b)
{
	double all = 0;

	for (enum wait w = WAIT_FUTEX; w < WAIT_ZOMBIE; w++)
		all += c->waits[w];
	return all > 0 ? (c->waits[a] + c->waits[b]) / all : NAN;
}

struct party_facts {
	double user, system, voluntary, involuntary, faults, calls, bytes;
	bool io_known;
	struct crowd crowd;
};

static void facts_read(struct party_facts *f, const struct view *v, const struct member *m)
{
	double reads = member_rate(v, m, M_PROC_SYSCR), writes = member_rate(v, m, M_PROC_SYSCW);

	*f = (struct party_facts){
		.user = or_zero(member_rate(v, m, M_PROC_USER)),
		.system = or_zero(member_rate(v, m, M_PROC_SYSTEM)),
		.voluntary = or_zero(member_rate(v, m, M_PROC_VCSW)),
		.involuntary = or_zero(member_rate(v, m, M_PROC_NVCSW)),
		.faults = or_zero(member_rate(v, m, M_PROC_MINFLT)),
		.io_known = !isnan(reads),
		.calls = or_zero(reads) + or_zero(writes),
		.bytes = or_zero(member_rate(v, m, M_PROC_RCHAR)) +
			 or_zero(member_rate(v, m, M_PROC_WCHAR)),
	};
	crowd_read(&f->crowd, v, m);
}

/* ---- which mechanism ---- */

double sum_over_cpus(const struct view *v, enum metric_id id)
{
	double sum = NAN;

	for (size_t c = 0; c < interval_rows(v->window, SCOPE_CPU); c++) {
		double x = interval_rate(v->window, id, c);

		if (!isnan(x))
			sum = or_zero(sum) + x;
	}
	return sum;
}

/* Timer interrupts beyond the tick. */
static double timer_rate(const struct view *v)
{
	double loc = sum_over_cpus(v, M_CPU_IRQ_LOC);

	return loc - TICK_RATE * v->host->cpus;
}

static bool is_tlb(const struct view *v, const struct party_facts *f)
{
	double tlb = sum_over_cpus(v, M_CPU_IRQ_TLB);

	return tlb >= TLB_LEAST && f->crowd.all != 1 && f->faults < 2 * tlb &&
	       f->faults * FAULT_COST < 0.5 * f->system;
}

/* Asleep in anything but timers and polls: woken by somebody, not by the clock. Who reads its timers fast enough is
 * hardly ever seen asleep. */
static bool is_timer(const struct view *v, const struct party_facts *f)
{
	double rate = timer_rate(v), other = 0, run = f->crowd.waits[WAIT_RUN];
	static const enum wait by_others[] = { WAIT_FUTEX, WAIT_FLOCK, WAIT_SOCKET, WAIT_PIPE };

	for (size_t i = 0; i < sizeof(by_others) / sizeof(*by_others); i++)
		other += f->crowd.waits[by_others[i]];
	return rate >= TIMER_LEAST && f->voluntary + f->involuntary >= 0.1 * rate &&
	       other <=
		       0.5 * (other + run + f->crowd.waits[WAIT_TIMER] + f->crowd.waits[WAIT_POLL]);
}

/* Giving up the CPU to somebody who is runnable counts as involuntary; so does being preempted by a wake-up, but then
 * somebody slept before, voluntarily. */
static bool is_yield(const struct view *v, const struct party_facts *f)
{
	double all = system_rate(v->window, M_CTXT);

	return f->involuntary >= YIELD_LEAST && f->involuntary >= 3 * f->voluntary &&
	       f->involuntary >= 0.5 * all;
}

static bool is_herd(const struct party_facts *f)
{
	const struct crowd *c = &f->crowd;

	if (c->waits[WAIT_MUTEX] > c->waits[WAIT_FUTEX])
		return false; /* they sleep in a lock, not in a queue: lock.futex_contention */
	return c->threads >= HERD_THREADS && c->slices >= HERD_RATE &&
	       c->run <= HERD_RUN * c->slices && c->runnable >= HERD_QUEUE * c->run &&
	       f->voluntary >= 2 * f->involuntary && in_step(c) &&
	       f->user <= f->system && /* a fight for a lock has work behind the lock */
	       !(sleep_share(c, WAIT_TIMER, WAIT_PIPE) > 0.5);
}

static bool is_switch(const struct party_facts *f)
{
	double switches = f->voluntary + f->involuntary;

	return switches >= SWITCH_LEAST && f->user + f->system <= SWITCH_RUN * switches &&
	       f->system >= SYSTEM_SHARE * (f->user + f->system);
}

static bool is_syscall(const struct party_facts *f)
{
	return f->calls >= CALL_LEAST && f->bytes <= CALL_BYTES * f->calls &&
	       f->system >= SYSTEM_SHARE * (f->user + f->system) &&
	       f->voluntary + f->involuntary < 0.3 * f->calls &&
	       f->faults * FAULT_COST < 0.5 * f->system;
}

/* Who sleeps for a device switches as often as the device answers: that is the device's doing. */
static bool waits_for_devices(const struct crowd *c)
{
	double blocked = 0, asleep = 0;

	for (enum wait w = WAIT_DISK; w <= WAIT_D_OTHER; w++)
		blocked += w == WAIT_FROZEN ? 0 : c->waits[w];
	for (enum wait w = WAIT_D_OTHER + 1; w < WAIT_ZOMBIE; w++)
		asleep += c->waits[w];
	return blocked > 0.5 * (blocked + asleep);
}

static enum storm_kind kind_of(const struct view *v, const struct party_facts *f)
{
	if (waits_for_devices(&f->crowd))
		return STORM_NONE;
	if (f->faults * FAULT_COST >= 0.5 * f->system)
		return STORM_NONE; /* page faults: the rules of memory */
	if (is_yield(v, f))
		return STORM_YIELD;
	if (is_herd(f))
		return STORM_HERD;
	if (is_timer(v, f))
		return STORM_TIMER;
	if (is_switch(f))
		return STORM_SWITCH;
	if (is_syscall(f))
		return STORM_SYSCALL;
	if (is_tlb(v, f))
		return STORM_TLB;
	return STORM_NONE;
}

static double rate_of(const struct view *v, enum storm_kind k, const struct party_facts *f)
{
	switch (k) {
	case STORM_TLB:
		return sum_over_cpus(v, M_CPU_IRQ_TLB);
	case STORM_TIMER:
		return timer_rate(v);
	case STORM_YIELD:
		return f->involuntary;
	case STORM_HERD:
		return f->crowd.slices;
	case STORM_SYSCALL:
		return f->calls;
	default:
		return f->voluntary + f->involuntary;
	}
}

static void fill(struct storm *s, const struct view *v, const struct member *m,
		 const struct party_facts *f)
{
	const struct crowd *c = &f->crowd;

	s->who = *m;
	s->user = f->user;
	s->system = f->system;
	s->rate = rate_of(v, s->kind, f);
	/* threads woken for nothing waste their user time too; elsewhere the kernel's part is the mechanism's */
	s->wasted = s->kind == STORM_HERD     ? f->user + f->system
		    : s->kind == STORM_SWITCH ? fmin(f->system, SWITCH_COST * s->rate)
					      : f->system;
	s->threads = (double)c->threads;
	s->calls = f->calls;
	s->bytes_per_call = f->calls > 0 ? f->bytes / f->calls : NAN;
	s->switches = f->voluntary + f->involuntary;
	s->run_per_slice = c->slices > 0 ? c->run / c->slices : NAN;
	s->wait_per_slice = c->slices > 0 ? c->runnable / c->slices : NAN;
	s->io_known = f->io_known;
}

size_t storm_find(const struct view *v, struct storm *out, size_t max)
{
	struct ranking users;
	size_t n = 0;

	rank_cpu(v, &users);
	for (size_t i = 0; i < users.n && n < max; i++) {
		struct party_facts f;

		if (users.top[i].amount < WASTED_LEAST)
			break;
		facts_read(&f, v, &users.top[i]);
		out[n] = (struct storm){ .kind = kind_of(v, &f) };
		if (out[n].kind != STORM_NONE) {
			fill(&out[n], v, &users.top[i], &f);
			n += out[n].wasted >= WASTED_LEAST;
		}
		mem_free(f.crowd.rates);
	}
	return n;
}

/* Its calls are not reads or writes, it does not fault, switch or fork. */
static bool is_unexplained(const struct view *v, const struct member *m,
			   const struct party_facts *f)
{
	return kind_of(v, f) == STORM_NONE && f->system >= 0.5 * (f->user + f->system) &&
	       f->faults * FAULT_COST < 0.3 * f->system && f->bytes < 50e6 * f->system &&
	       !(snapshot_value(v->last, M_PROC_KTHREAD, view_process(v, m->pid)) > 0);
}

bool storm_unseen_calls(const struct view *v, struct unseen_calls *out)
{
	struct ranking users;
	bool found = false;

	rank_metric(v, M_PROC_SYSTEM, &users);
	for (size_t i = 0; i < users.n && users.top[i].amount >= 0.5 && !found; i++) {
		struct party_facts f;

		facts_read(&f, v, &users.top[i]);
		found = is_unexplained(v, &users.top[i], &f);
		*out = (struct unseen_calls){ users.top[i], f.system, f.io_known };
		mem_free(f.crowd.rates);
	}
	return found;
}

/* ---- processes that are gone before anybody looks ---- */

double short_lived_cpu(const struct view *v)
{
	static const enum metric_id child[] = { M_PROC_CHILD_USER, M_PROC_CHILD_SYSTEM };
	double used = system_value(v->window, M_SYS_BUSY) * interval_last(v->window, M_SYS_CPUS, 0);
	double interrupts = or_zero(system_rate(v->window, M_SYS_IRQ)) +
			    or_zero(system_rate(v->window, M_SYS_SOFTIRQ));
	struct ranking alive, reaped, newborn;
	double gone;

	if (isnan(used) || !interval_rows(v->window, SCOPE_PROCESS))
		return NAN;
	rank_cpu(v, &alive);
	rank_metrics(v, child, 2, &reaped);
	gone = fmax(0, used - interrupts - alive.total);
	rank_metric(v, M_PROC_NEWBORN, &newborn);
	/* New threads are counted as forks too, and idle CPUs do some work that nobody is billed for: there must be
	 * children. One that ran for hours and ended now brings all its hours: never more than is missing. A parent
	 * that ignores SIGCHLD is billed for none; then those caught alive stand for them. */
	if (reaped.total >= 0.25 * gone)
		return fmin(gone, reaped.total);
	return newborn.n ? gone : fmin(gone, reaped.total);
}

double storm_share(const struct view *v)
{
	double cpu = 0,
	       used = system_value(v->window, M_SYS_BUSY) * interval_last(v->window, M_SYS_CPUS, 0);
	double gone = short_lived_cpu(v), forks = system_rate(v->window, M_FORKS);
	struct storm storms[STORMS];
	size_t n = storm_find(v, storms, STORMS);

	for (size_t i = 0; i < n; i++)
		cpu += storms[i].user + storms[i].system;
	if (gone >= GONE_LEAST && forks >= FORK_LEAST && gone / forks <= FORK_CPU)
		cpu += gone;
	return used > 0 ? cpu / used : 0;
}
