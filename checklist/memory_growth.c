/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of memory that grows or is held for nothing: leaks, kernel caches, idle huge pages, full tmpfs. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "checklist/cgroup.h"
#include "checklist/claims.h"
#include "checklist/makers.h"
#include "checklist/rule.h"

static const struct row_id machine;

static double seconds_of(const struct view *v)
{
	return interval_seconds(v->window);
}

static double zero(double x)
{
	return isnan(x) ? 0 : x;
}

/* ---- leak ---- */

#define MONOTONE      0.8        /* of the seconds */
#define SECONDS_LEAST 2          /* looks after the first: fewer say nothing about "all the time" */
#define RATE_LEAST    (64 << 10) /* bytes per second: slower growth reaches no limit within the hour */
#define ANON_PART     0.5        /* of the growth has to be anonymous or shared memory */
#define FELT_PART     0.5        /* of the growth has to be missing somewhere */
#define HOUR          3600.0
#define YOUNG         120.0 /* seconds: a program that has just started fills what it needs */

struct leak {
	struct row_id id;
	double rate;   /* bytes per second */
	double steady; /* share of seconds in which it grew */
	double rss, age;
	double left, to_limit;
	size_t group; /* whose limit comes first; CGROUP_NONE: the machine's memory */
};

/* What a group can still take: up to its limit, and what it can drop of its cache. */
static double room_in(const struct view *v, size_t group)
{
	double cache = zero(cgroup_level(v, M_CG_MEM_ACTIVE_FILE, group)) +
		       zero(cgroup_level(v, M_CG_MEM_INACTIVE_FILE, group));

	return cgroup_level(v, M_CG_MEM_LIMIT, group) - cgroup_level(v, M_CG_MEM_CURRENT, group) +
	       cache - zero(cgroup_level(v, M_CG_MEM_DIRTY, group));
}

/* Which limit is met first? */
static void find_limit(const struct view *v, struct leak *l)
{
	size_t g = cgroup_of(v, l->id, "memory");

	l->group = CGROUP_NONE;
	l->left = view_last(v, M_MEM_AVAILABLE, machine);
	for (int level = 0; g != CGROUP_NONE && level < 64; level++, g = cgroup_parent(v, g)) {
		double room = room_in(v, g);

		if (isfinite(room) && !(room >= l->left)) {
			l->left = fmax(0, room);
			l->group = g;
		}
	}
	l->to_limit = l->left / l->rate;
}

/* Growth that nobody misses is not a leak: another process gave back as much, or the pages were there before and are
 * only mapped now. */
static bool is_felt(const struct view *v, const struct leak *l)
{
	size_t g = cgroup_of(v, l->id, "memory");
	double grown = l->rate * seconds_of(v);

	if (-view_growth(v, M_MEM_AVAILABLE, machine) >= FELT_PART * grown)
		return true;
	return cgroup_level(v, M_CG_MEM_ANON, g) - cgroup_level_first(v, M_CG_MEM_ANON, g) >=
	       FELT_PART * grown;
}

static bool is_anonymous(const struct view *v, const struct leak *l)
{
	double grown = l->rate * seconds_of(v);
	double anon = zero(view_growth(v, M_PROC_RSS_ANON, l->id)) +
		      zero(view_growth(v, M_PROC_RSS_SHMEM, l->id));
	double file = view_growth(v, M_PROC_RSS_FILE, l->id);

	/* kinds are read once a process is active, which may be after the first look: then what is known decides */
	return anon >= ANON_PART * grown || isnan(file) || !(file >= ANON_PART * grown);
}

/* Share of the window's seconds at whose end a level was higher than ever before: a sawtooth does not count, and a row
 * that is missing in a second did not move in it. A second without any row was not looked at (the sweep of all
 * processes sets its own pace) and says nothing. */
static double share_of_growing_seconds(const struct view *v, enum metric_id id, struct row_id row)
{
	enum scope scope = metric_get(id)->scope;
	double most = snapshot_value(v->first, id, snapshot_find(v->first, scope, row)), grew = 0,
	       looked = 0;

	if (isnan(most))
		return NAN;
	for (size_t i = 0; i < v->nseconds; i++) {
		double now =
			interval_last(v->seconds[i], id, interval_find(v->seconds[i], scope, row));

		looked += interval_rows(v->seconds[i], scope) > 0;
		if (now > most) {
			grew++;
			most = now;
		}
	}
	return looked >= SECONDS_LEAST ? grew / looked : NAN;
}

static bool find_leak(const struct view *v, size_t row, struct leak *l)
{
	*l = (struct leak){ .id = snapshot_id(v->last, SCOPE_PROCESS, row) };
	l->rate = view_growth(v, M_PROC_RSS, l->id) / seconds_of(v);
	if (!(l->rate >= RATE_LEAST))
		return false;
	l->steady = share_of_growing_seconds(v, M_PROC_RSS, l->id);
	l->rss = snapshot_value(v->last, M_PROC_RSS, row);
	l->age = (double)v->last->time_ns * 1e-9 - (double)l->id.birth / v->host->ticks_per_second;
	if (!(l->steady >= MONOTONE))
		return false;
	find_limit(v, l);
	return l->to_limit < HOUR && is_anonymous(v, l) && is_felt(v, l);
}

static void report_leak(const struct rule *r, const struct view *v, struct findings *fs,
			const struct leak *l)
{
	const char *comm =
		snapshot_name(v->last, SCOPE_PROCESS, snapshot_find(v->last, SCOPE_PROCESS, l->id));
	char who[96], rate[16], rss[16], left[16], when[24], where[224];
	long long pid = (long long)l->id.key;
	struct finding *f = rule_fire(r, fs);
	struct party *o;

	process_label(who, sizeof(who), comm, pid);
	f->impact.to_limit = l->to_limit;
	f->confidence = l->age < YOUNG ? 0.7 : 0.85;
	o = finding_offender(f, PARTY_PROCESS, comm, pid, NAN);
	if (l->group != CGROUP_NONE) {
		snprintf(o->cgroup, sizeof(o->cgroup), "%s", cgroup_path(v, l->group));
		snprintf(where, sizeof(where), "the limit of cgroup %.160s",
			 cgroup_path(v, l->group));
	} else {
		process_cgroup(v, l->id, o->cgroup, sizeof(o->cgroup));
		snprintf(where, sizeof(where), "the machine's memory");
	}
	snprintf(f->instance, sizeof(f->instance), "%.100s", who);
	finding_summary(
		f,
		"%s grows by %s, in %.0f %% of the seconds watched; it has %s, and %s is reached in %s.",
		who, unit_format(rate, sizeof(rate), UNIT_BYTES, 1, l->rate), 100 * l->steady,
		unit_format(rss, sizeof(rss), UNIT_BYTES, 0, l->rss), where,
		unit_duration(when, sizeof(when), l->to_limit));
	finding_evidence(f, "proc.rss growth", l->rate, "bytes/s", NAN, "proc/PID/stat");
	finding_evidence(f, "seconds in which it grew", l->steady, "ratio", MONOTONE,
			 "proc/PID/stat");
	finding_evidence(f, "proc.rss", l->rss, "bytes", NAN, "proc/PID/stat");
	finding_evidence(f, "left", l->left, "bytes", NAN,
			 l->group == CGROUP_NONE ? "proc/meminfo" : "memory.stat");
	if (l->age < YOUNG)
		finding_evidence(f, "running for (may still be filling what it needs)", l->age, "s",
				 YOUNG, "proc/PID/stat");
	finding_next(f, "pidstat -r -p %lld 1 5   # RSS goes on growing?", pid);
	finding_next(f, "pmap -X %lld | sort -k7 -n | tail   # which mapping grows", pid);
	unit_format(left, sizeof(left), UNIT_BYTES, 0, l->left);
	finding_symptom(f, "%s left before %s", left, where);
}

static void check_leak(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct leak l;

	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_PROCESS); row++)
		if (find_leak(v, row, &l))
			report_leak(r, v, fs, &l);
}

/* ---- slab ---- */

#define SLAB_LEAST    (2 << 20) /* bytes per second */
#define NEGATIVE_PART 0.3       /* of the growth in bytes */

struct slab_growth {
	double rate, unreclaimable, negative; /* bytes per second */
	double steady;
	const char *cache;
	double cache_rate, cache_bytes;
	size_t group;
	double group_rate;
	struct ranking runners;
};

static void find_cache(const struct view *v, struct slab_growth *g)
{
	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_SLAB); row++) {
		struct row_id id = snapshot_id(v->last, SCOPE_SLAB, row);
		double now = snapshot_value(v->last, M_SLAB_BYTES, row);
		double then = snapshot_value(v->first, M_SLAB_BYTES,
					     snapshot_find(v->first, SCOPE_SLAB, id));
		double rate = (now - zero(then)) / seconds_of(v);

		if (rate > g->cache_rate) {
			g->cache_rate = rate;
			g->cache_bytes = now;
			g->cache = snapshot_name(v->last, SCOPE_SLAB, row);
		}
	}
}

/* The innermost group that the growth is charged to. */
static void find_slab_group(const struct view *v, struct slab_growth *g)
{
	g->group = CGROUP_NONE;
	for (size_t row = 0; row < cgroup_count(v); row++) {
		double rate = (cgroup_level(v, M_CG_MEM_SLAB, row) -
			       cgroup_level_first(v, M_CG_MEM_SLAB, row)) /
			      seconds_of(v);

		if (rate >= 0.5 * g->rate &&
		    (g->group == CGROUP_NONE || cgroup_is_above(v, g->group, row) ||
		     rate > g->group_rate)) {
			g->group = row;
			g->group_rate = rate;
		}
	}
}

/* Most of the growth is names of files that do not exist: each a dentry, kept in case somebody asks again. */
static double negative_rate(const struct view *v)
{
	double size = snapshot_value(v->last, M_SLAB_OBJECT_SIZE,
				     snapshot_find_name(v->last, SCOPE_SLAB, "dentry"));

	return zero(view_growth(v, M_DENTRIES_NEGATIVE, machine)) * (isnan(size) ? 192 : size) /
	       seconds_of(v);
}

static bool measure_slab(const struct rule *r, const struct view *v, struct slab_growth *g)
{
	static const enum metric_id system[] = { M_PROC_SYSTEM };

	*g = (struct slab_growth){ .rate = view_growth(v, M_MEM_SLAB, machine) / seconds_of(v) };
	if (!(g->rate >= r->floor))
		return false;
	g->steady = share_of_growing_seconds(v, M_MEM_SLAB, machine);
	g->unreclaimable = view_growth(v, M_MEM_SLAB_UNRECLAIMABLE, machine) / seconds_of(v);
	g->negative = negative_rate(v);
	find_cache(v, g);
	find_slab_group(v, g);
	cgroup_rank(v, g->group, system, 1, &g->runners);
	return g->steady >= MONOTONE;
}

static void report_slab(const struct rule *r, const struct view *v, struct findings *fs,
			const struct slab_growth *g, double to_limit)
{
	struct finding *f = rule_fire(r, fs);
	char rate[16], who[96] = "the kernel", what[80] = "", where[200] = "";
	bool negative = g->negative >= NEGATIVE_PART * g->rate;

	if (g->runners.n)
		member_label(who, sizeof(who), &g->runners.top[0]);
	if (g->cache)
		snprintf(what, sizeof(what), ", most of all the cache %.32s", g->cache);
	if (g->group != CGROUP_NONE)
		snprintf(where, sizeof(where), ", charged to cgroup %.140s",
			 cgroup_path(v, g->group));
	f->estimated = true;
	f->confidence = g->runners.n && g->runners.top[0].share >= 0.5 ? 0.85 : 0.65;
	f->impact.to_limit = to_limit;
	f->impact.wasted = g->runners.total > 0 ? g->runners.top[0].amount : NAN;
	finding_summary(f, "Kernel memory grows by %s%s%s; %s spends %.2f CPUs in the kernel%s.",
			unit_format(rate, sizeof(rate), UNIT_BYTES, 1, g->rate), what, where, who,
			g->runners.n ? g->runners.top[0].amount : 0,
			negative ? " and asks for files that do not exist, over and over" : "");
	finding_offenders(f, v, &g->runners, 3, 0.1);
	if (g->group != CGROUP_NONE)
		finding_offender(f, PARTY_CGROUP, cgroup_path(v, g->group), 0,
				 fmin(1, g->group_rate / g->rate));
	finding_evidence(f, "mem.slab growth", g->rate, "bytes/s", r->floor, "proc/meminfo");
	finding_evidence(f, "part that cannot be dropped", g->unreclaimable, "bytes/s", NAN,
			 "proc/meminfo");
	finding_evidence(f, "seconds in which it grew", g->steady, "ratio", MONOTONE,
			 "proc/meminfo");
	if (g->cache)
		finding_evidence(f, g->cache, g->cache_rate, "bytes/s", NAN, "proc/slabinfo");
	if (g->negative > 0)
		finding_evidence(f, "names of files that do not exist", g->negative, "bytes/s", NAN,
				 "proc/sys/fs/dentry-state");
	finding_next(f, "slabtop -o -s c | head -20");
	if (g->runners.n && negative)
		finding_next(f, "timeout 3 strace -f -c -p %lld   # failing stat, access, open",
			     (long long)g->runners.top[0].pid);
	else if (g->runners.n)
		finding_next(f, "timeout 3 perf top -g -p %lld   # who allocates",
			     (long long)g->runners.top[0].pid);
}

/* Caches of names and inodes grow whenever somebody walks a tree, and are dropped when memory is wanted: that is their
 * purpose. What cannot be dropped, and names of nothing, are another matter. */
static void check_slab(const struct rule *r, const struct view *v, struct findings *fs)
{
	double available = view_last(v, M_MEM_AVAILABLE, machine);
	struct slab_growth g;

	if (!measure_slab(r, v, &g))
		return;
	if (g.unreclaimable >= r->floor && g.unreclaimable >= 0.5 * g.rate &&
	    available / g.unreclaimable < HOUR)
		report_slab(r, v, fs, &g, available / g.unreclaimable);
	else if (g.negative >= NEGATIVE_PART * g.rate)
		report_slab(r, v, fs, &g, NAN);
}

/* ---- huge page pools ---- */

#define POOL_LEAST     (256 << 20)
#define POOL_OF_MEMORY 0.05

static void check_pool(const struct rule *r, const struct view *v, struct findings *fs)
{
	double stall = system_rate(v->window, M_PSI_MEM_SOME), idle = 0, total = 0;
	char text[16];
	struct finding *f;

	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_NUMA); row++) {
		double page = snapshot_value(v->last, M_POOL_PAGE, row);

		total += zero(snapshot_value(v->last, M_POOL_TOTAL, row) * page);
		idle += zero((snapshot_value(v->last, M_POOL_FREE, row) -
			      snapshot_value(v->last, M_POOL_RESERVED, row)) *
			     page);
	}
	if (!(idle >= fmax(POOL_LEAST, POOL_OF_MEMORY * (double)v->host->memory_bytes)) ||
	    !(stall >= r->warn))
		return;
	f = rule_fire(r, fs);
	f->impact.lost = stall;
	f->confidence = 0.75;
	finding_summary(
		f,
		"%s of memory lie idle in huge page pools that nobody uses, while tasks stall %.2f s/s for want of "
		"memory.",
		unit_format(text, sizeof(text), UNIT_BYTES, 0, idle), stall);
	finding_offender(f, PARTY_KERNEL, "huge page pool", 0, NAN);
	finding_evidence(f, "idle huge pages", idle, "bytes", POOL_LEAST,
			 "sys/kernel/mm/hugepages");
	finding_evidence(f, "huge page pools", total, "bytes", NAN, "sys/kernel/mm/hugepages");
	finding_evidence(f, "stalled on memory (at least one task)", stall, "s/s", r->warn,
			 "proc/pressure/memory");
	finding_next(f, "grep -H . /sys/kernel/mm/hugepages/*/{nr,free,resv}_hugepages");
	finding_next(f, "sysctl vm.nr_hugepages   # lower it by what is free");
}

/* ---- tmpfs ---- */

#define TMPFS_FULL (64 << 10) /* bytes left: the next write of any size fails or is cut short */
#define CALL_BYTES 16.0       /* written per call: below it most calls write nothing */
#define USERS_MAX  16

struct tmpfs_user {
	int64_t pid;
	struct row_id id;
	const char *comm;
	double calls, per_call;
	bool writes;
};

static size_t parse_users(const struct view *v, size_t row, struct tmpfs_user *users)
{
	const char *all = snapshot_text(v->last, M_FS_USERS, row);
	struct text rest = text_of(all ? all : ""), word, pid, use;
	size_t n = 0;
	uint64_t p;

	while (n < USERS_MAX && text_word(&rest, &word)) {
		size_t process, w;

		if (!text_until(&word, ':', &pid) || !text_until(&word, ':', &use) ||
		    !text_is_u64(pid, &p))
			continue;
		process = view_process(v, (int64_t)p);
		if (process == SIZE_MAX)
			continue;
		users[n] = (struct tmpfs_user){
			.pid = (int64_t)p,
			.id = snapshot_id(v->last, SCOPE_PROCESS, process),
			.comm = snapshot_name(v->last, SCOPE_PROCESS, process),
			.writes = text_eq(use, "w"),
		};
		w = interval_find(v->window, SCOPE_PROCESS, users[n].id);
		users[n].calls = zero(interval_rate(v->window, M_PROC_SYSCW, w));
		users[n].per_call =
			zero(interval_rate(v->window, M_PROC_WCHAR, w)) / users[n].calls;
		n++;
	}
	return n;
}

static bool writes_nothing(const struct tmpfs_user *u)
{
	return u->calls > 0 && u->per_call < CALL_BYTES;
}

/* Who fails most; if nobody is known to, somebody who has files open for writing. One of them is there. */
static const struct tmpfs_user *worst_user(const struct tmpfs_user *users, size_t n)
{
	const struct tmpfs_user *worst = &users[0];

	for (size_t i = 1; i < n; i++) {
		bool better = writes_nothing(&users[i])
				      ? !writes_nothing(worst) || users[i].calls > worst->calls
				      : users[i].writes && !worst->writes && !writes_nothing(worst);

		if (better)
			worst = &users[i];
	}
	return worst;
}

static void report_tmpfs(const struct rule *r, const struct view *v, struct findings *fs,
			 size_t row, const struct tmpfs_user *users, size_t n)
{
	const char *at = snapshot_name(v->last, SCOPE_FS, row);
	double size = snapshot_value(v->last, M_FS_SIZE, row), failing = 0;
	const struct tmpfs_user *worst = worst_user(users, n);
	struct finding *f = rule_fire(r, fs);
	char text[16], who[96];

	snprintf(f->instance, sizeof(f->instance), "%s", at);
	finding_offender(f, PARTY_FILESYSTEM, at, 0, NAN);
	for (size_t i = 0; i < n; i++) {
		bool fails = writes_nothing(&users[i]);

		if (!users[i].writes && !fails)
			continue;
		failing += fails ? users[i].calls : 0;
		finding_offender(f, PARTY_PROCESS, users[i].comm, users[i].pid, NAN);
		finding_victim(f, PARTY_PROCESS, users[i].comm, users[i].pid, NAN);
	}
	f->estimated = true;
	f->confidence = failing > 0 ? 0.9 : 0.6;
	f->impact.failed = failing > 0 ? failing : NAN;
	process_label(who, sizeof(who), worst->comm, worst->pid);
	if (failing > 0)
		finding_summary(
			f, "The tmpfs %.160s (%s) is full: about %.0f writes/s fail, most by %s.",
			at, unit_format(text, sizeof(text), UNIT_BYTES, 0, size), failing, who);
	else
		finding_summary(
			f,
			"The tmpfs %.160s (%s) is full, and %s has files open there for writing.",
			at, unit_format(text, sizeof(text), UNIT_BYTES, 0, size), who);
	finding_evidence(f, "fs.available", snapshot_value(v->last, M_FS_AVAILABLE, row), "bytes",
			 TMPFS_FULL, "statvfs");
	finding_evidence(f, "write calls that write next to nothing", failing, "calls/s", NAN,
			 "proc/PID/io");
	finding_next(f, "df -h '%.120s'; du -xsh '%.120s'/* | sort -h | tail -5", at, at);
	finding_next(f, "mount -o remount,size=… '%.120s'   # if the memory is there", at);
}

static void check_tmpfs(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct tmpfs_user users[USERS_MAX];

	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_FS); row++) {
		const char *type = snapshot_text(v->last, M_FS_TYPE, row);
		bool active = false;
		size_t n;

		if (!type || strcmp(type, "tmpfs") ||
		    !(snapshot_value(v->last, M_FS_SIZE, row) > 0) ||
		    !(snapshot_value(v->last, M_FS_AVAILABLE, row) <= r->floor))
			continue;
		n = parse_users(v, row, users);
		for (size_t i = 0; i < n; i++)
			active |= writes_nothing(&users[i]) ||
				  (users[i].calls > 0 && users[i].writes);
		if (active)
			report_tmpfs(r, v, fs, row, users, n);
	}
}

const struct rule rules_memory_growth[] = {
	{
		.id = "memory.leak",
		.question = "Does a process grow all the time, and will it reach a limit soon?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_UTILIZATION,
		.metric = M_PROC_RSS,
		.floor = MONOTONE,
		.warn = HOUR,
		.crit = 600,
		.fires =
			"resident memory grew in at least 80 % of the seconds, it is anonymous or shared memory and is "
			"missing elsewhere, and at this pace its control group's limit or the machine's memory is used up within "
			"an hour (crit: ten minutes)",
		.needs = "proc/PID/stat each second, proc/PID/status, memory of the control group",
		.meaning =
			"Ten seconds cannot prove a leak; they can show who grows, how steadily, and when something breaks if it "
			"goes on. Page cache does not count, neither in the process nor in what is left.",
		.lookalikes =
			"A program that starts fills its caches and stops (it is young: confidence is lower). A big but stable "
			"process. Growing page cache.",
		.action =
			"Watch whether it stops (pidstat -r). If not, restart it at a time of your choice rather than the OOM "
			"killer's, and look for the allocation with a heap profiler.",
		.symptoms = "memory.minor_fault_storm memory.direct_reclaim",
		.check = check_leak,
	},
	{
		.id = "memory.slab_growth",
		.question = "Does kernel memory grow, and by whose doing?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_UTILIZATION,
		.metric = M_MEM_SLAB,
		.floor = SLAB_LEAST,
		.warn = HOUR,
		.crit = 600,
		.fires =
			"slab grows by at least 2 MiB/s in at least 80 % of the seconds, and either half of it cannot be reclaimed and "
			"memory lasts less than an hour, or a third of it is names of files that do not exist",
		.needs =
			"/proc/meminfo, /proc/slabinfo (root) for the cache, /proc/sys/fs/dentry-state (5.0) for negative names",
		.meaning =
			"Kernel objects (dentries, inodes, sockets, buffers) are memory that no process shows. The offender is the "
			"process that spends most time in the kernel in the group that the growth is charged to.",
		.lookalikes =
			"find, backups and builds fill the caches of names and inodes with things that exist: useful, and "
			"dropped on demand.",
		.action =
			"Find what asks for it: failing stat() of ever new names, files or sockets that are never closed, a driver.",
		.symptoms = "cpu.syscall_storm fs.metadata_storm cpu.saturated",
		.check = check_slab,
	},
	{
		.id = "memory.hugetlb_idle_pool",
		.question = "Does memory lie idle in a huge page pool while tasks are short of it?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_UTILIZATION,
		.metric = M_POOL_FREE,
		.floor = POOL_LEAST,
		.warn = 0.05,
		.crit = 1,
		.fires =
			"at least 256 MiB and 5 % of memory are free and not promised in pools, and tasks stall on memory for at least "
			"0.05 s/s (PSI)",
		.needs = "/sys/kernel/mm/hugepages, /proc/pressure/memory",
		.meaning =
			"Pages of a pool are taken from the machine when the pool is made, used or not, and nothing else may have "
			"them.",
		.lookalikes =
			"A pool in use by a database or virtual machines; an idle pool on a machine with memory to spare.",
		.action =
			"Lower vm.nr_hugepages by what is free and not reserved, or allow surplus pages "
			"(vm.nr_overcommit_hugepages) instead.",
		.symptoms =
			"memory.swap_thrash memory.pagecache_thrash memory.direct_reclaim memory.oom_kill",
		.check = check_pool,
	},
	{
		.id = "memory.tmpfs_full",
		.question = "Is a tmpfs full that somebody writes to?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_ERRORS,
		.metric = M_FS_AVAILABLE,
		.floor = TMPFS_FULL,
		.warn = 0,
		.crit = 0,
		.fires =
			"less than 64 KiB are left, and a process with files open there makes write calls that write nothing, or has "
			"them open for writing and is active",
		.needs =
			"statvfs of mounted file systems, proc/PID/fd and proc/PID/io of who uses it",
		.meaning =
			"A tmpfs keeps its files in memory and has a size of its own (half of memory unless told otherwise). Writers "
			"get ENOSPC although the disks are empty.",
		.lookalikes =
			"fs.no_space: a file system on a disk. A full tmpfs that is only read.",
		.action =
			"Delete what is old there, or remount it larger if the machine or the control group has the memory.",
		.symptoms = "fs.no_space fs.filling_up",
		.check = check_tmpfs,
	},
	{ .id = NULL }
};
