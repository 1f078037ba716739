/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of page faults and of moving pages about: fault storms, cold pages, compaction, huge pages. */
#include <math.h>
#include <stdio.h>

#include "base/units.h"
#include "checklist/cgroup.h"
#include "checklist/claims.h"
#include "checklist/makers.h"
#include "checklist/memory_pressure.h"
#include "checklist/rule.h"

static const struct row_id machine;

static double zero(double x)
{
	return isnan(x) ? 0 : x;
}

static double pages_per_second(const struct view *v, enum metric_id id)
{
	return zero(system_rate(v->window, id)) / v->host->page_size;
}

/* ---- minor faults ---- */

#define STORM_SHARE   0.5 /* of all faults come from this process */
#define STORM_SECONDS 0.8 /* of the seconds have the rate */
#define FAULT_COST \
	2.5e-6 /* seconds at most for a fault, the zeroed page and its way back; 0.25 to 2.5 us were measured */
#define WASTED_OF_RUN 0.2 /* of the process's CPU time: worth knowing */
#define WASTED_MOST   0.4 /* of it: what the process mainly does, and why it is slow */
#define GROWTH_PART   0.3 /* of the faults may be first use of memory that stays */

struct storm {
	struct row_id id;
	double faults, system, run, wasted;
	double kept; /* share of faults that left the process larger */
};

static bool find_storm(const struct rule *r, const struct view *v, size_t row, struct storm *s)
{
	double all = system_rate(v->window, M_FAULTS), grown;

	*s = (struct storm){ .id = interval_row(v->window, SCOPE_PROCESS, row)->id };
	s->faults = interval_rate(v->window, M_PROC_MINFLT, row);
	if (!(s->faults >= r->floor) || s->faults < STORM_SHARE * all)
		return false;
	s->system = zero(interval_rate(v->window, M_PROC_SYSTEM, row));
	s->run = s->system + zero(interval_rate(v->window, M_PROC_USER, row));
	s->wasted = fmin(s->system, s->faults * FAULT_COST);
	grown = fmax(0, zero(view_growth(v, M_PROC_RSS, s->id))) / v->host->page_size;
	s->kept = grown / (s->faults * interval_seconds(v->window));
	return s->wasted >= r->warn && s->wasted >= WASTED_OF_RUN * s->run &&
	       s->kept <= GROWTH_PART &&
	       view_share_at_least(v, M_FAULTS, machine, r->floor) >= STORM_SECONDS;
}

static void check_minor(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t row = 0; row < interval_rows(v->window, SCOPE_PROCESS); row++) {
		const char *comm = interval_name(v->window, SCOPE_PROCESS, row);
		struct finding *f;
		struct party *o;
		struct storm s;
		char who[96];

		if (!find_storm(r, v, row, &s))
			continue;
		f = rule_fire(r, fs);
		process_label(who, sizeof(who), comm, (int64_t)s.id.key);
		snprintf(f->instance, sizeof(f->instance), "%.100s", who);
		if (claims_is_background(v, s.id) || s.wasted < WASTED_MOST * s.run)
			f->severity = SEV_INFO;
		f->estimated = true;
		f->confidence = 0.85;
		f->impact.wasted = s.wasted;
		finding_summary(
			f,
			"%s takes %.0f page faults/s without I/O and gives the memory back each time: about %.2f CPUs go "
			"into faults (it uses %.2f CPUs, %.2f of them in the kernel).",
			who, s.faults, s.wasted, s.run, s.system);
		o = finding_offender(f, PARTY_PROCESS, comm, (int64_t)s.id.key,
				     fmin(1, s.faults / system_rate(v->window, M_FAULTS)));
		process_cgroup(v, s.id, o->cgroup, sizeof(o->cgroup));
		finding_evidence(f, "proc.minor_faults", s.faults, "faults/s", r->floor,
				 "proc/PID/stat");
		finding_evidence(f, "proc.system", s.system, "CPUs", NAN, "proc/PID/stat");
		finding_evidence(f, "faults whose page stayed", s.kept, "ratio", GROWTH_PART,
				 "proc/PID/stat");
		finding_next(
			f,
			"perf trace -F all --no-syscalls -p %lld -- sleep 1 | head   # where it faults",
			(long long)s.id.key);
		finding_next(
			f,
			"timeout 3 strace -f -c -e trace=memory -p %lld   # mmap, munmap, brk, madvise",
			(long long)s.id.key);
	}
}

/* ---- major faults ---- */

#define BACK_PART \
	0.3 /* of what is read may have been in memory before: more is a shortage of memory */
#define MAJOR_SECONDS 0.5 /* of the seconds have faults: not just the start of a program */

/* Time blocked on disks belongs to faults as far as the process did not ask for it with read(). */
static double waits_in_faults(const struct view *v, size_t row, const void *arg)
{
	struct row_id id = interval_row(v->window, SCOPE_PROCESS, row)->id;
	const struct lost_row *l = view_lost(v, id);
	double faults = interval_rate(v->window, M_PROC_MAJFLT, row), asked, fetched, part;

	(void)arg;
	if (!l || !(faults >= 1))
		return 0;
	asked = zero(interval_rate(v->window, M_PROC_RCHAR, row));
	fetched = interval_rate(v->window, M_PROC_READ_BYTES, row);
	part = fetched > 0 ? fmax(0, 1 - asked / fetched) : 0;
	return (l->time[CAUSE_FAULT] + part * l->time[CAUSE_DISK]) / interval_seconds(v->window);
}

static bool is_stretched(const struct view *v, const struct member *m)
{
	const struct lost_row *l = view_lost(v, m->id);
	double useful =
		l ? (l->time[CAUSE_USER] + l->time[CAUSE_SYSTEM]) / interval_seconds(v->window) : 0;

	return m->amount / m->processes >= 0.25 * useful;
}

static void check_major(const struct rule *r, const struct view *v, struct findings *fs)
{
	double back = zero(system_rate(v->window, M_REFAULT_FILE)) +
		      zero(system_rate(v->window, M_REFAULT_ANON));
	double reads = system_rate(v->window, M_PAGED_IN),
	       faults = system_rate(v->window, M_MAJOR_FAULTS), swapped;
	static const enum metric_id major[] = { M_PROC_MAJFLT };
	struct ranking waiting, faulting;
	struct finding *f;
	char who[96];

	swapped = zero(system_rate(v->window, M_SWAP_IN));
	if (!(faults >= r->floor) || back > BACK_PART * reads || swapped > BACK_PART * reads ||
	    !(view_share_at_least(v, M_MAJOR_FAULTS, machine, 1) >= MAJOR_SECONDS))
		return;
	rank_by(v, waits_in_faults, NULL, &waiting);
	if (!waiting.n || !(waiting.total >= r->warn) ||
	    claims_is_background(v, waiting.top[0].id) || !is_stretched(v, &waiting.top[0]))
		return;
	f = rule_fire(r, fs);
	f->impact.lost = waiting.total;
	f->estimated = true;
	f->confidence = 0.8;
	member_label(who, sizeof(who), &waiting.top[0]);
	finding_summary(
		f,
		"%s waits %.2f s/s for pages that are read from storage as it touches them (%.0f major faults/s; "
		"nothing of it was in memory before).",
		who, waiting.top[0].amount, faults);
	cgroup_rank(v, CGROUP_NONE, major, 1, &faulting);
	finding_offenders(f, v, &faulting, 3, 0.1);
	finding_victims(f, v, &waiting, 4, 0.05);
	finding_evidence(f, "mem.major_faults", faults, "faults/s", r->floor, "proc/vmstat");
	finding_evidence(f, "pages that came back", back, "bytes/s", NAN, "proc/vmstat");
	finding_evidence(f, "read from storage", reads, "bytes/s", NAN, "proc/vmstat");
	finding_evidence(f, "blocked in page faults", waiting.total, "s/s", r->warn,
			 "state samples");
	finding_next(f, "pidstat -r -p %lld 1 5   # majflt/s", (long long)waiting.top[0].pid);
	finding_next(f, "perf trace -F maj --no-syscalls -p %lld -- sleep 2   # which file",
		     (long long)waiting.top[0].pid);
}

/* ---- compaction ---- */

#define SCAN_COST \
	1e-8 /* seconds per page looked at: 0.7e-8 was measured where most is free, more where it is torn */
#define MOVE_COST 1.5e-6 /* seconds per page moved: copy, unmap, map, flush */
#define CHEAP_FAULT \
	1e-6         /* seconds a minor fault takes at least in a guest, its zeroed page included */
#define STALLS     5 /* per second: allocations that compact themselves */
#define SCANNED    50000 /* pages per second: 200 MB/s of memory looked at */
#define LOST_LEAST 0.05  /* s/s blocked */
#define THP_PART   0.5   /* huge page faults per stall: they are what asks for large blocks */

struct compaction {
	double stalls, scanned, moved, failed; /* per second */
	double thp, fallback;                  /* huge page faults per second */
	double wasted, blocked;
	struct ranking runners, waiting;
};

static void measure_compaction(const struct view *v, struct compaction *c)
{
	static const enum cause reclaim[] = { CAUSE_RECLAIM };
	static const enum metric_id system[] = { M_PROC_SYSTEM };
	double left;

	*c = (struct compaction){ .stalls = zero(system_rate(v->window, M_COMPACT_STALL)) };
	c->scanned = pages_per_second(v, M_COMPACT_MIGRATE) + pages_per_second(v, M_COMPACT_FREE);
	c->moved = c->scanned > 0 ? pages_per_second(v, M_MIGRATED) : 0;
	c->failed = zero(system_rate(v->window, M_COMPACT_FAIL));
	c->fallback = zero(system_rate(v->window, M_THP_FAULT_FALLBACK));
	c->thp = c->fallback + zero(system_rate(v->window, M_THP_FAULT_ALLOC));
	cgroup_rank(v, CGROUP_NONE, system, 1, &c->runners);
	cgroup_rank_lost(v, CGROUP_NONE, reclaim, 1, &c->waiting);
	c->blocked = c->waiting.total;
	/* kernel time that page faults explain is not compaction's */
	left = fmax(0, c->runners.total - zero(system_rate(v->window, M_FAULTS)) * CHEAP_FAULT);
	c->wasted = fmin(left, c->scanned * SCAN_COST + c->moved * MOVE_COST);
}

static bool is_for_huge_pages(const struct compaction *c)
{
	return c->stalls >= STALLS && c->thp >= THP_PART * c->stalls;
}

static void compaction_evidence(struct finding *f, const struct rule *r, const struct view *v,
				const struct compaction *c)
{
	finding_offenders(f, v, &c->runners, 3, 0.1);
	finding_victims(f, v, &c->waiting, 3, 0.1);
	f->estimated = true;
	f->impact.wasted = c->wasted;
	if (c->stalls > 0 && c->blocked > 0)
		f->impact.lost = c->blocked;
	finding_evidence(f, "pages looked at", c->scanned, "pages/s", SCANNED, "proc/vmstat");
	finding_evidence(f, "pages moved", c->moved, "pages/s", NAN, "proc/vmstat");
	finding_evidence(f, "allocations that compact themselves", c->stalls, "times/s", STALLS,
			 "proc/vmstat");
	finding_evidence(f, "in vain", c->failed, "times/s", NAN, "proc/vmstat");
	finding_evidence(f, "CPU time spent on it", c->wasted, "CPUs", r->warn,
			 "proc/vmstat, calibrated");
	if (c->blocked > 0)
		finding_evidence(f, "blocked in reclaim and compaction", c->blocked, "s/s", NAN,
				 "state samples");
	finding_next(f, "grep -E 'compact_|thp_fault|htlb' /proc/vmstat   # again after a second");
	if (c->runners.n)
		finding_next(f, "timeout 3 perf top -g -p %lld   # compact_zone, migrate_pages?",
			     (long long)c->runners.top[0].pid);
}

static void check_compaction(const struct rule *r, const struct view *v, struct findings *fs)
{
	double pool = zero(system_rate(v->window, M_HUGETLB_ALLOC));
	struct compaction c;
	struct finding *f;
	char who[96] = "the kernel";

	measure_compaction(v, &c);
	if ((c.scanned < SCANNED && c.stalls < STALLS) || is_for_huge_pages(&c) ||
	    (c.wasted < r->warn && !(c.stalls > 0 && c.blocked >= LOST_LEAST)))
		return;
	f = rule_fire(r, fs);
	if (c.runners.n)
		member_label(who, sizeof(who), &c.runners.top[0]);
	f->confidence = c.runners.n && c.runners.top[0].share >= 0.5 ? 0.85 : 0.7;
	finding_summary(
		f,
		"Memory is being compacted all the time (%.0f pages/s looked at, %.0f moved): about %.2f CPUs go into it, "
		"and %s spends %.2f CPUs in the kernel.",
		c.scanned, c.moved, c.wasted, who, c.runners.n ? c.runners.top[0].amount : 0);
	compaction_evidence(f, r, v, &c);
	if (pool > 0)
		finding_evidence(f, "pages added to huge page pools", pool, "pages/s", NAN,
				 "proc/vmstat");
}

static void check_thp(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct compaction c;
	struct finding *f;
	char who[96] = "somebody";

	measure_compaction(v, &c);
	if (!is_for_huge_pages(&c) || (c.blocked < LOST_LEAST && c.wasted < r->warn))
		return;
	f = rule_fire(r, fs);
	if (c.waiting.n)
		member_label(who, sizeof(who), &c.waiting.top[0]);
	else if (c.runners.n)
		member_label(who, sizeof(who), &c.runners.top[0]);
	f->confidence = 0.75;
	finding_summary(
		f,
		"Page faults wait for memory to be compacted into huge pages: %.0f stalls/s for %.0f huge page faults/s, "
		"%.0f of them in vain; %s is hit most.",
		c.stalls, c.thp, c.fallback, who);
	compaction_evidence(f, r, v, &c);
	finding_evidence(f, "huge page faults", c.thp, "faults/s", NAN, "proc/vmstat");
	finding_next(
		f,
		"cat /sys/kernel/mm/transparent_hugepage/defrag   # 'defer' or 'madvise' does not stall");
}

const struct rule rules_memory_faults[] = {
	{
		.id = "memory.minor_fault_storm",
		.question =
			"Does a process burn CPU time by mapping, touching and unmapping memory over and over?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_RATE,
		.metric = M_PROC_MINFLT,
		.floor = 50000,
		.warn = 0.25,
		.crit = 1,
		.fires =
			"one process takes at least 50,000 faults/s and half of all, in 80 % of the seconds, does not grow by them, "
			"and at least a quarter of a CPU and 40 % of its CPU time go into faults (info: a fifth)",
		.needs = "proc/PID/stat, /proc/vmstat",
		.meaning =
			"Each first touch of a page enters the kernel, which finds and zeroes a page. Memory that is given back "
			"(munmap, malloc trim, madvise DONTNEED) and taken again pays this every time. The cost is estimated from "
			"the number of faults and bounded by the time the process spends in the kernel.",
		.lookalikes =
			"A program that starts or grows touches new memory once. fork() in a row: cpu.short_lived_processes.",
		.action =
			"Keep buffers (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, another malloc, a pool), or use huge pages.",
		.symptoms =
			"memory.mmap_lock cpu.syscall_storm cpu.tlb_shootdown_ipi cpu.single_thread_bound cpu.saturated cpu.runqueue_latency_bursts",
		.check = check_minor,
	},
	{
		.id = "memory.major_faults",
		.question = "Do threads wait for pages of files that are read as they are touched?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_SATURATION,
		.metric = M_MAJOR_FAULTS,
		.floor = 20,
		.warn = 0.05,
		.crit = 1,
		.fires =
			"at least 20 major faults/s in half of the seconds, less than a third of what is read was in memory before, and "
			"a process is blocked in faults for at least 0.05 s/s and a quarter of its running time",
		.needs = "pgmajfault of /proc/vmstat, proc/PID/stat and io, state samples",
		.meaning =
			"A mapped file is read page by page when it is touched, and the thread waits each time: a latency per page "
			"instead of a throughput. Typical after a restart, a cache drop, or a first look at a large mapping.",
		.lookalikes =
			"memory.memcg_reclaim_thrash and memory.swap_thrash: the pages were in memory a moment ago. A single "
			"burst at the start of a program is normal and does not fire.",
		.action =
			"Warm the mapping (MAP_POPULATE, madvise WILLNEED, vmtouch), read with read(), or use a faster disk.",
		.symptoms = "disk.slow_device disk.saturated app.slow_server",
		.check = check_major,
	},
	{
		.id = "memory.compaction",
		.question =
			"Does the kernel spend its time moving pages to make large free blocks?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_SATURATION,
		.metric = M_COMPACT_STALL,
		.floor = SCANNED,
		.warn = 0.1,
		.crit = 1,
		.fires =
			"at least 50,000 pages/s are looked at or 5 allocations/s compact themselves, and about 0.1 CPU goes into it "
			"or 0.05 s/s are lost",
		.needs = "compact_* and pgmigrate_* of /proc/vmstat, proc/PID/stat",
		.meaning =
			"Huge pages and other large blocks need free memory in one piece; compaction moves pages to one end of a "
			"zone. It is started by allocations that fail, by kcompactd, by growing a huge page pool, or by hand "
			"(vm.compact_memory). Who burns the time is the process with most time in the kernel.",
		.lookalikes =
			"memory.thp_stall: faults ask for huge pages. NUMA balancing moves pages, too, but looks at none.",
		.action =
			"Stop what asks for it in a loop; make huge page pools at boot; spread requests (vm.compaction_proactiveness).",
		.symptoms =
			"cpu.saturated cpu.single_thread_bound memory.direct_reclaim memory.minor_fault_storm",
		.check = check_compaction,
	},
	{
		.id = "memory.thp_stall",
		.question = "Do page faults stall because they wait for a transparent huge page?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_SATURATION,
		.metric = M_THP_FAULT_ALLOC,
		.floor = STALLS,
		.warn = 0.1,
		.crit = 1,
		.fires =
			"at least 5 compaction stalls/s, with huge page faults in step, and 0.05 s/s lost or 0.1 CPU spent",
		.needs = "compact_stall and thp_fault_* of /proc/vmstat, state samples",
		.meaning =
			"With /sys/kernel/mm/transparent_hugepage/defrag at always (or madvise, for those who ask), a fault compacts "
			"memory itself before it settles for small pages.",
		.lookalikes = "memory.compaction: nobody faults, a pool or a person asks.",
		.action =
			"Set defrag to defer or defer+madvise, or switch huge pages off for the program (prctl PR_SET_THP_DISABLE).",
		.symptoms = "memory.direct_reclaim memory.minor_fault_storm",
		.check = check_thp,
	},
	{
		.id = "memory.mmap_lock",
		.question = "Do threads of a process queue for the lock of its address space?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_SATURATION,
		.fires = "threads blocked on mmap_lock, with the holder known",
		.needs =
			"eBPF: owner and kind of the lock that a thread is blocked on (a wait channel says only that it is a lock)",
		.meaning =
			"mmap, munmap and page faults of all threads of a process share one lock.",
		.lookalikes = "memory.minor_fault_storm shows the same processes by their faults.",
		.action = "Map and unmap less often, or use processes instead of threads.",
		.symptoms = "",
	},
	{
		.id = "memory.map_count_limit",
		.question = "Does a process fail to map memory because it has too many mappings?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_ERRORS,
		.fires = "mmap or mprotect fail with ENOMEM at vm.max_map_count",
		.needs =
			"eBPF: results of mmap and mprotect (counting lines of /proc/PID/maps takes the lock of the address space)",
		.meaning =
			"A process may have 65,530 mappings by default; databases and collectors with many small mappings meet that.",
		.lookalikes = "ENOMEM for want of memory or address space (ulimit -v).",
		.action = "Raise vm.max_map_count.",
		.symptoms = "",
	},
	{
		.id = "memory.bandwidth_saturated",
		.question = "Is the path to memory full?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_SATURATION,
		.fires =
			"bytes per second of the memory controllers near their limit, with CPUs stalled on loads",
		.needs =
			"eBPF: and hardware counters of the memory controllers, which guests seldom have",
		.meaning = "CPUs look busy while they wait for memory.",
		.lookalikes = "cpu.saturated: CPUs are busy with work.",
		.action = "Spread over sockets, touch less memory.",
		.symptoms = "",
	},
	{ .id = NULL }
};
