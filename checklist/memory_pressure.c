/* SPDX-License-Identifier: Apache-2.0 */
/* Which kind of shortage, whose, and what it costs.
 *
 * A page that comes back soon after it was reclaimed is a refault: the kernel keeps a shadow of what it dropped, so this
 * is counted, not guessed. A group at its limit without refaults is a group that uses its cache well. */
#include "checklist/memory_pressure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "checklist/claims.h"

#define REFAULT_LEAST \
	(1            \
	 << 20) /* bytes per second: 256 pages; below it nobody waits measurably even for a slow disk */
#define OUT_OF_IN \
	0.1 /* swapped out per swapped in: above it memory turns over, below it something comes back */
#define ANON_PART 0.5 /* of what comes back */
#define PAGES_A_FAULT \
	32 /* that readahead brings in with one major fault, at most in the usual setting */
#define NEAR_LIMIT    0.95
#define OWN_PART      0.8 /* of the machine's refaults: then its stall time is this group's */
#define ALLOCSTALLS   10  /* per second */
#define STRETCH_LEAST 1.25
#define CPU_SHARE     0.02

static double zero(double x)
{
	return isnan(x) ? 0 : x;
}

/* ---- measuring ---- */

static void measure_machine(const struct view *v, struct pressure *p)
{
	p->refault_anon = system_rate(v->window, M_REFAULT_ANON);
	p->refault_file = system_rate(v->window, M_REFAULT_FILE);
	p->major = system_rate(v->window, M_MAJOR_FAULTS);
	p->current = view_last(v, M_MEM_TOTAL, (struct row_id){ 0 }) -
		     view_last(v, M_MEM_AVAILABLE, (struct row_id){ 0 });
	p->limit = p->high = INFINITY;
	p->limit_hits = p->high_hits = 0;
	p->shmem = view_last(v, M_MEM_SHMEM, (struct row_id){ 0 });
	p->stall = system_rate(v->window, M_PSI_MEM_SOME);
	p->stall_is_own = true;
	p->reads = system_rate(v->window, M_PAGED_IN);
	p->scanned = zero(system_rate(v->window, M_SCAN_KSWAPD)) +
		     zero(system_rate(v->window, M_SCAN_DIRECT));
}

/* v1 has no pressure files: if nearly all that comes back on this machine comes back in this group, the machine's stall
 * time is the group's. */
static void measure_stall(const struct view *v, struct pressure *p)
{
	double all = zero(system_rate(v->window, M_REFAULT_ANON)) +
		     zero(system_rate(v->window, M_REFAULT_FILE));
	double own = zero(p->refault_anon) + zero(p->refault_file);

	p->stall = cgroup_rate(v, M_CG_PSI_MEM_SOME, p->group);
	p->stall_is_own = !isnan(p->stall);
	if (isnan(p->stall) && all > 0 && own >= OWN_PART * all)
		p->stall = system_rate(v->window, M_PSI_MEM_SOME);
}

static void measure_group(const struct view *v, struct pressure *p)
{
	p->refault_anon = cgroup_rate(v, M_CG_MEM_REFAULT_ANON, p->group);
	p->refault_file = cgroup_rate(v, M_CG_MEM_REFAULT_FILE, p->group);
	p->major = cgroup_rate(v, M_CG_MEM_MAJOR_FAULTS, p->group);
	p->current = cgroup_level(v, M_CG_MEM_CURRENT, p->group);
	p->limit = cgroup_level(v, M_CG_MEM_LIMIT, p->group);
	p->high = cgroup_level(v, M_CG_MEM_HIGH, p->group);
	p->limit_hits = zero(cgroup_rate(v, M_CG_MEM_MAX_EVENTS, p->group));
	p->high_hits = zero(cgroup_rate(v, M_CG_MEM_HIGH_EVENTS, p->group));
	p->shmem = cgroup_level(v, M_CG_MEM_SHMEM, p->group);
	p->scanned = cgroup_rate(v, M_CG_MEM_SCAN, p->group);
	measure_stall(v, p);
}

/* What the group's processes read is asked only where it matters: it means looking at every process. */
static void measure_reads(const struct view *v, struct pressure *p)
{
	static const enum metric_id reads[] = { M_PROC_READ_BYTES };
	struct ranking readers;

	if (p->group == CGROUP_NONE)
		return;
	cgroup_rank(v, p->group, reads, 1, &readers);
	p->reads = readers.total;
}

/* Time blocked on disks counts when at least half of what was read had been in memory before. */
static void measure_blocked(const struct view *v, struct pressure *p)
{
	static const enum cause causes[] = { CAUSE_RECLAIM, CAUSE_FAULT, CAUSE_DISK };
	double back = zero(p->refault_anon) + zero(p->refault_file);
	bool disk = back >= REFAULT_LEAST && !(back < 0.5 * p->reads);

	cgroup_rank_lost(v, p->group, causes, disk ? 3 : 2, &p->blocked);
	p->lost = fmax(p->blocked.total, zero(p->stall));
}

static double lowest_limit(const struct pressure *p)
{
	return fmin(p->limit, isnan(p->high) ? INFINITY : p->high);
}

bool pressure_at_limit(const struct pressure *p)
{
	return p->limit_hits > 0 || p->high_hits > 0 || p->current >= NEAR_LIMIT * lowest_limit(p);
}

/* ---- telling the kinds apart ---- */

static enum shortage swap_kind(const struct pressure *p)
{
	if (!(p->swap_out < OUT_OF_IN * p->swap_in))
		return SHORTAGE_SWAP;
	return p->blocked.total > 0 ? SHORTAGE_SWAP_DISK : SHORTAGE_NONE;
}

static enum shortage classify(const struct view *v, const struct pressure *p)
{
	bool machine = p->group == CGROUP_NONE;
	double anon = zero(p->refault_anon), file = zero(p->refault_file);

	if (machine && isnan(p->refault_anon)) /* before 5.9 only file pages have shadows */
		anon = zero(p->swap_in);
	if (!machine && !pressure_at_limit(p))
		return SHORTAGE_NONE;
	if (anon >= REFAULT_LEAST && anon >= ANON_PART * (anon + file))
		return swap_kind(p);
	if (machine && !(p->scanned >= REFAULT_LEAST))
		return SHORTAGE_NONE;
	if (file >= REFAULT_LEAST) {
		bool by_faults = zero(p->major) * PAGES_A_FAULT * v->host->page_size >= 0.5 * file;

		return by_faults && !machine ? SHORTAGE_MEMCG_RECLAIM : SHORTAGE_PAGECACHE;
	}
	if (p->high_hits > 0)
		return SHORTAGE_MEMCG_HIGH;
	return machine && p->allocstalls >= ALLOCSTALLS ? SHORTAGE_DIRECT_RECLAIM : SHORTAGE_NONE;
}

/* Most groups are far from their limit, and nothing comes back: no need to look at processes. */
static bool may_be_short(const struct pressure *p)
{
	if (p->group == CGROUP_NONE)
		return true;
	return pressure_at_limit(p) &&
	       (p->high_hits > 0 || zero(p->refault_anon) + zero(p->refault_file) >= REFAULT_LEAST);
}

void pressure_of(const struct view *v, size_t group, struct pressure *p)
{
	*p = (struct pressure){ .group = group };
	/* what zswap keeps compressed does not count as swap I/O */
	p->swap_in =
		zero(system_rate(v->window, M_SWAP_IN)) + zero(system_rate(v->window, M_ZSWAP_IN));
	p->swap_out = zero(system_rate(v->window, M_SWAP_OUT)) +
		      zero(system_rate(v->window, M_ZSWAP_OUT));
	p->allocstalls = system_value(v->window, M_ALLOCSTALLS);
	if (group == CGROUP_NONE)
		measure_machine(v, p);
	else
		measure_group(v, p);
	if (!may_be_short(p))
		return;
	measure_reads(v, p);
	measure_blocked(v, p);
	p->kind = classify(v, p);
}

/* ---- who is hurt ---- */

static bool stretched(const struct view *v, const struct member *m)
{
	const struct lost_row *l = view_lost(v, m->id);
	double useful =
		l ? (l->time[CAUSE_USER] + l->time[CAUSE_SYSTEM]) / interval_seconds(v->window) : 0;

	return m->amount / m->processes >= (STRETCH_LEAST - 1) * useful;
}

/* Is most of what comes back the doing of niced or batch work, which has agreed to wait? */
static bool is_background_work(const struct view *v, const struct pressure *p)
{
	static const enum metric_id major[] = { M_PROC_MAJFLT }, reads[] = { M_PROC_READ_BYTES };
	struct ranking r;

	cgroup_rank(v, p->group, major, 1, &r);
	if (!r.n)
		cgroup_rank(v, p->group, reads, 1, &r);
	return r.n && r.top[0].share >= 0.5 && claims_is_background(v, r.top[0].id);
}

bool pressure_hurts(const struct view *v, const struct pressure *p, double least)
{
	double lost = 0;
	bool slowed = false;

	if (!(p->lost >= least))
		return false;
	for (size_t i = 0; i < p->blocked.n; i++) {
		if (claims_is_background(v, p->blocked.top[i].id))
			continue;
		lost += p->blocked.top[i].amount;
		slowed |= stretched(v, &p->blocked.top[i]);
	}
	/* reclaim and decompression on a CPU are stalls that no state sample sees */
	if (zero(p->stall) > p->blocked.total && !is_background_work(v, p)) {
		lost = p->stall;
		slowed |= p->stall >= 1 - 1 / STRETCH_LEAST;
	}
	return lost >= least && (slowed || lost >= CPU_SHARE * v->host->cpus);
}

bool pressure_is_in_groups(const struct view *v)
{
	double all = zero(system_rate(v->window, M_REFAULT_ANON)) +
		     zero(system_rate(v->window, M_REFAULT_FILE)),
	       own = 0;

	for (size_t g = 0; g < cgroup_count(v); g++) {
		struct pressure p;
		size_t parent = cgroup_parent(v, g);

		if (!isfinite(cgroup_level(v, M_CG_MEM_LIMIT, g)) &&
		    !isfinite(cgroup_level(v, M_CG_MEM_HIGH, g)))
			continue;
		/* counters of a group include those below it */
		if (parent != CGROUP_NONE &&
		    isfinite(cgroup_tightest(v, M_CG_MEM_LIMIT, parent, NULL)))
			continue;
		pressure_of(v, g, &p);
		if (pressure_at_limit(&p))
			own += zero(p.refault_anon) + zero(p.refault_file);
	}
	return all > 0 && own >= 0.5 * all;
}

/* ---- words ---- */

char *pressure_place(const struct view *v, const struct pressure *p, char *out, size_t size)
{
	char text[16];

	if (p->group == CGROUP_NONE)
		snprintf(out, size, "the machine");
	else
		snprintf(out, size, "cgroup %.160s (limit %s)", cgroup_path(v, p->group),
			 unit_format(text, sizeof(text), UNIT_BYTES, 0, lowest_limit(p)));
	return out;
}

static void add_evidence(struct finding *f, const struct rule *r, const struct pressure *p, bool v2)
{
	bool group = p->group != CGROUP_NONE;
	const char *stat = group ? "memory.stat" : "proc/vmstat",
		   *events = v2 ? "memory.events" : "memory.failcnt";

	if (!isnan(p->refault_file))
		finding_evidence(f, "file pages that came back", p->refault_file, "bytes/s",
				 REFAULT_LEAST, stat);
	if (!isnan(p->refault_anon))
		finding_evidence(f, "anonymous pages that came back", p->refault_anon, "bytes/s",
				 REFAULT_LEAST, stat);
	if (!isnan(p->major))
		finding_evidence(f, "major faults", p->major, "faults/s", NAN, stat);
	if (p->swap_in > 0 || p->swap_out > 0) {
		finding_evidence(f, "swapped in", p->swap_in, "bytes/s", NAN, "proc/vmstat");
		finding_evidence(f, "swapped out", p->swap_out, "bytes/s", NAN, "proc/vmstat");
	}
	if (group) {
		finding_evidence(f, "memory", p->current, "bytes", NAN,
				 v2 ? "memory.current" : "memory.usage_in_bytes");
		finding_evidence(f, "part of the limit", p->current / lowest_limit(p), "ratio",
				 NEAR_LIMIT,
				 v2 ? "memory.max, memory.high" : "memory.limit_in_bytes");
		finding_evidence(f, "limit met", p->limit_hits + p->high_hits, "times/s", NAN,
				 events);
	}
	if (!isnan(p->stall))
		finding_evidence(f, "stalled on memory (at least one task)", p->stall, "s/s", NAN,
				 p->stall_is_own && group ? "memory.pressure"
							  : "proc/pressure/memory");
	finding_evidence(f, "blocked in reclaim, faults and reads", p->blocked.total, "s/s",
			 r->warn, "state samples");
}

/* Nobody was caught asleep: stalls on a CPU (decompression, reclaim) belong to whoever faults. How much of the stall is
 * whose is not known, and none of it is in the ledger of waits. */
static void victims_by_faults(struct finding *f, const struct view *v, const struct pressure *p)
{
	static const enum metric_id major[] = { M_PROC_MAJFLT };
	struct ranking r;

	cgroup_rank(v, p->group, major, 1, &r);
	for (size_t i = 0; i < r.n && i < 3 && r.top[i].share >= 0.1; i++)
		finding_victim(f, PARTY_PROCESS, r.top[i].name, r.top[i].pid, NAN);
}

void pressure_finding(struct finding *f, const struct rule *r, const struct view *v,
		      const struct pressure *p)
{
	bool v2 = p->group != CGROUP_NONE && cgroup_is_v2(v, p->group);

	f->impact.lost = p->lost > 0 ? p->lost : NAN;
	f->estimated = true;
	/* two independent clocks agree, or one of them is missing */
	f->confidence = isnan(p->stall) || !(p->blocked.total > 0) ? 0.8 : 0.9;
	if (p->blocked.n)
		finding_victims(f, v, &p->blocked, 4, 0.05);
	else
		victims_by_faults(f, v, p);
	if (p->group != CGROUP_NONE) {
		const char *path = cgroup_path(v, p->group);
		struct party *o = finding_offender(f, PARTY_CGROUP, path, 0, 1);

		snprintf(f->instance, sizeof(f->instance), "%s", path);
		snprintf(o->cgroup, sizeof(o->cgroup), "%s", path);
		if (!f->nvictims)
			finding_victim(f, PARTY_CGROUP, path, 0, p->lost > 0 ? p->lost : NAN);
		finding_next(
			f,
			"grep -E 'refault|pgmajfault' /%.140s/memory.stat   # again after a second",
			cgroup_dir(v, p->group));
	} else {
		finding_next(f, "vmstat 1 5   # si, so, bi, wa");
		finding_next(f, "sar -B 1 5   # majflt/s, pgscank/s, pgscand/s");
	}
	add_evidence(f, r, p, v2);
}
