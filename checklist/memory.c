/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of memory that is short: what was thrown out comes back, or allocations wait.
 *
 * memory_pressure.c says which kind of shortage a group or the machine has; each rule here owns one kind. A group's
 * limit is asked first: when most of what comes back comes back in groups with a limit, the machine is not short. */
#include <math.h>
#include <stdio.h>

#include "base/units.h"
#include "checklist/makers.h"
#include "checklist/memory_pressure.h"
#include "checklist/rule.h"

#define GREW_LEAST (1 << 20) /* bytes per second of growth that make somebody the taker */

typedef void (*describe)(struct finding *f, const struct view *v, const struct pressure *p);

static bool has_limit(const struct view *v, size_t group)
{
	return isfinite(cgroup_level(v, M_CG_MEM_LIMIT, group)) ||
	       isfinite(cgroup_level(v, M_CG_MEM_HIGH, group));
}

/* Ask every group with a limit, then the machine; report those that have this kind of shortage. */
static void each_shortage(const struct rule *r, const struct view *v, struct findings *fs,
			  enum shortage kind, describe tell)
{
	struct pressure p;
	struct finding *f;

	for (size_t g = 0; g < cgroup_count(v); g++) {
		if (!has_limit(v, g))
			continue;
		pressure_of(v, g, &p);
		if (p.kind != kind || !pressure_hurts(v, &p, r->warn))
			continue;
		f = rule_fire(r, fs);
		pressure_finding(f, r, v, &p);
		tell(f, v, &p);
	}
	pressure_of(v, CGROUP_NONE, &p);
	if (p.kind != kind || !pressure_hurts(v, &p, r->warn) || pressure_is_in_groups(v))
		return;
	f = rule_fire(r, fs);
	pressure_finding(f, r, v, &p);
	tell(f, v, &p);
}

/* ---- who took the memory ---- */

static double growth_of(const struct view *v, size_t row, const void *arg)
{
	struct row_id id = interval_row(v->window, SCOPE_PROCESS, row)->id;

	(void)arg;
	return view_growth(v, M_PROC_RSS, id) / interval_seconds(v->window);
}

/* Who grew while others were reclaimed; if nobody did, who has most. */
static void blame_takers(struct finding *f, const struct view *v, const struct pressure *p,
			 struct ranking *takers)
{
	static const enum metric_id anon[] = { M_PROC_RSS_ANON, M_PROC_RSS_SHMEM, M_PROC_SWAP };

	if (p->group == CGROUP_NONE) {
		rank_by(v, growth_of, NULL, takers);
		if (takers->total < GREW_LEAST)
			cgroup_rank(v, p->group, anon, 3, takers);
	} else {
		cgroup_rank(v, p->group, anon, 3, takers);
	}
	finding_offenders(f, v, takers, 3, 0.1);
}

static const char *taker(const struct ranking *r, char *out, size_t size)
{
	if (!r->n)
		snprintf(out, size, "its processes");
	else
		member_label(out, size, &r->top[0]);
	return out;
}

/* ---- one kind each ---- */

static void tell_swap(struct finding *f, const struct view *v, const struct pressure *p)
{
	const char *devices = view_label(v, M_SWAP_DEVICES, (struct row_id){ 0 });
	char place[224], in[16], out[16], who[96];
	struct ranking takers;

	blame_takers(f, v, p, &takers);
	finding_summary(
		f,
		"Memory of %s does not hold its working set: %s in and %s out of swap (%.60s); %s loses "
		"%.2f s/s.",
		pressure_place(v, p, place, sizeof(place)),
		unit_format(in, sizeof(in), UNIT_BYTES, 1, p->swap_in),
		unit_format(out, sizeof(out), UNIT_BYTES, 1, p->swap_out),
		devices && *devices ? devices : "?",
		taker(p->blocked.n ? &p->blocked : &takers, who, sizeof(who)), p->lost);
	finding_next(f, "vmstat 1 5   # si and so both high: it turns over");
	if (takers.n)
		finding_next(f, "grep -E 'VmRSS|VmSwap' /proc/%lld/status",
			     (long long)takers.top[0].pid);
}

static void check_swap(const struct rule *r, const struct view *v, struct findings *fs)
{
	each_shortage(r, v, fs, SHORTAGE_SWAP, tell_swap);
}

static void tell_swap_disk(struct finding *f, const struct view *v, const struct pressure *p)
{
	const char *devices = view_label(v, M_SWAP_DEVICES, (struct row_id){ 0 });
	char in[16], who[96];
	struct ranking takers;

	blame_takers(f, v, p, &takers);
	finding_summary(
		f,
		"%s waits for its memory to be read back from swap (%s from %.60s, nearly nothing goes out): "
		"%.2f s/s lost.",
		taker(p->blocked.n ? &p->blocked : &takers, who, sizeof(who)),
		unit_format(in, sizeof(in), UNIT_BYTES, 1, p->swap_in),
		devices && *devices ? devices : "?", p->lost);
	finding_next(f, "iostat -xz 1 3   # latency of the swap device");
}

static void check_swap_disk(const struct rule *r, const struct view *v, struct findings *fs)
{
	each_shortage(r, v, fs, SHORTAGE_SWAP_DISK, tell_swap_disk);
}

static void tell_memcg(struct finding *f, const struct view *v, const struct pressure *p)
{
	static const enum metric_id faults[] = { M_PROC_MAJFLT };
	char place[224], back[16], who[96];
	struct ranking r;

	cgroup_rank(v, p->group, faults, 1, &r);
	finding_offenders(f, v, &r, 3, 0.1);
	finding_summary(
		f,
		"The working set of %s does not fit: %s of file pages that were just thrown out come back by page "
		"faults (%.0f major faults/s), %s loses %.2f s/s.",
		pressure_place(v, p, place, sizeof(place)),
		unit_format(back, sizeof(back), UNIT_BYTES, 1, p->refault_file), p->major,
		taker(&r, who, sizeof(who)), p->lost);
}

static void check_memcg(const struct rule *r, const struct view *v, struct findings *fs)
{
	each_shortage(r, v, fs, SHORTAGE_MEMCG_RECLAIM, tell_memcg);
}

static void tell_pagecache(struct finding *f, const struct view *v, const struct pressure *p)
{
	static const enum metric_id reads[] = { M_PROC_READ_BYTES };
	char place[224], back[16], total[16], who[96];
	struct ranking r;

	cgroup_rank(v, p->group, reads, 1, &r);
	finding_offenders(f, v, &r, 3, 0.1);
	if (p->reads > 0)
		finding_evidence(f, "read from storage", p->reads, "bytes/s", NAN, "proc/PID/io");
	finding_summary(
		f,
		"The page cache of %s is too small for what is read again and again: %s of %s read were in memory "
		"shortly before; %s waits %.2f s/s for them.",
		pressure_place(v, p, place, sizeof(place)),
		unit_format(back, sizeof(back), UNIT_BYTES, 1, p->refault_file),
		unit_format(total, sizeof(total), UNIT_BYTES, 1, p->reads),
		taker(r.n ? &r : &p->blocked, who, sizeof(who)), p->lost);
}

static void check_pagecache(const struct rule *r, const struct view *v, struct findings *fs)
{
	each_shortage(r, v, fs, SHORTAGE_PAGECACHE, tell_pagecache);
}

static void tell_high(struct finding *f, const struct view *v, const struct pressure *p)
{
	char high[16], who[96];
	struct ranking takers;

	blame_takers(f, v, p, &takers);
	finding_summary(
		f,
		"The kernel holds back the threads of cgroup %.160s because it is above memory.high (%s): %s loses "
		"%.2f s/s.",
		cgroup_path(v, p->group), unit_format(high, sizeof(high), UNIT_BYTES, 0, p->high),
		taker(p->blocked.n ? &p->blocked : &takers, who, sizeof(who)), p->lost);
	finding_evidence(f, "memory.high", p->high, "bytes", NAN, "memory.high");
	finding_next(f, "cat /%.140s/memory.events   # high rises", cgroup_dir(v, p->group));
}

static void check_high(const struct rule *r, const struct view *v, struct findings *fs)
{
	each_shortage(r, v, fs, SHORTAGE_MEMCG_HIGH, tell_high);
}

static void tell_direct(struct finding *f, const struct view *v, const struct pressure *p)
{
	struct ranking takers;
	char who[96], victim[96];

	blame_takers(f, v, p, &takers);
	finding_evidence(f, "allocations that had to reclaim", p->allocstalls, "times/s", 10,
			 "proc/vmstat");
	finding_summary(
		f,
		"Memory is taken faster than it is freed in the background: %.0f allocations/s reclaim memory "
		"themselves, %s loses %.2f s/s; %s takes most.",
		p->allocstalls, taker(&p->blocked, victim, sizeof(victim)), p->lost,
		taker(&takers, who, sizeof(who)));
}

static void check_direct(const struct rule *r, const struct view *v, struct findings *fs)
{
	each_shortage(r, v, fs, SHORTAGE_DIRECT_RECLAIM, tell_direct);
}

/* ---- shared memory in a group ---- */

#define SHMEM_PART 0.4

static void check_shmem(const struct rule *r, const struct view *v, struct findings *fs)
{
	static const enum metric_id shmem[] = { M_PROC_RSS_SHMEM };

	for (size_t g = 0; g < cgroup_count(v); g++) {
		struct pressure p;
		struct ranking holders;
		struct finding *f;
		char held[16], place[224];
		double kills;

		if (!has_limit(v, g))
			continue;
		pressure_of(v, g, &p);
		kills = cgroup_delta(v, M_CG_MEM_OOM_KILLS, g);
		if (!(p.shmem >= r->floor * fmin(p.limit, isnan(p.high) ? INFINITY : p.high)) ||
		    !pressure_at_limit(&p))
			continue;
		if (!(kills > 0) && (p.kind == SHORTAGE_NONE || !pressure_hurts(v, &p, r->warn)))
			continue;
		f = rule_fire(r, fs);
		pressure_finding(f, r, v, &p);
		if (kills > 0)
			f->impact.failed = kills / interval_seconds(v->window);
		cgroup_rank(v, g, shmem, 1, &holders);
		finding_offenders(f, v, &holders, 3, 0.1);
		finding_evidence(f, "shared memory and tmpfs files", p.shmem, "bytes", NAN,
				 "memory.stat");
		finding_summary(
			f,
			"%s of shared memory or tmpfs files fill %s and cannot be dropped: the rest of the group has "
			"to live in what is left%s.",
			unit_format(held, sizeof(held), UNIT_BYTES, 0, p.shmem),
			pressure_place(v, &p, place, sizeof(place)),
			kills > 0 ? ", and processes were killed" : "");
		finding_next(
			f,
			"df -h -t tmpfs; ipcs -m   # files in /dev/shm and other tmpfs, System V segments");
	}
}

const struct rule rules_memory[] = {
	{
		.id = "memory.memcg_reclaim_thrash",
		.question =
			"Does a control group throw out file pages that it needs again at once?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_SATURATION,
		.metric = M_CG_GROUPS,
		.floor = 1 << 20,
		.warn = 0.05,
		.crit = 1,
		.fires =
			"a group at its memory limit, at least 1 MiB/s of file pages come back by page faults, and at least "
			"0.05 s/s are lost",
		.needs =
			"memory.stat of control groups with workingset_refault (5.9 for v1), PSI or state samples for the loss",
		.meaning =
			"Programs run and map files through the page cache, which is charged to their control group. When the "
			"limit is smaller than the working set, the group reclaims pages of its own program text and data and "
			"reads them again a moment later. The machine may have gigabytes free.",
		.lookalikes =
			"memory.pagecache_thrash: the pages come back by read(). memory.major_faults: pages are touched for "
			"the first time, nothing comes back. A group that sits at its limit with a useful cache has no refaults.",
		.action =
			"Raise the limit (memory.max, docker --memory) to the working set: current size plus what comes back "
			"within a few seconds; or make the program touch less.",
		.symptoms =
			"memory.major_faults memory.direct_reclaim memory.pagecache_thrash disk.saturated "
			"disk.noisy_neighbour_io disk.slow_device cpu.context_switch_storm app.slow_server",
		.check = check_memcg,
	},
	{
		.id = "memory.pagecache_thrash",
		.question = "Is the page cache too small for files that are read again and again?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_SATURATION,
		.metric = M_REFAULT_FILE,
		.floor = 1 << 20,
		.warn = 0.05,
		.crit = 1,
		.fires =
			"at least 1 MiB/s of file pages that were reclaimed shortly before are read again by read() (or by faults "
			"on the machine as a whole), and readers lose at least 0.05 s/s",
		.needs =
			"workingset_refault_file of /proc/vmstat or memory.stat; state samples or PSI for the loss",
		.meaning =
			"A file that is read in a loop and is larger than what the cache may hold is never found in memory: each "
			"page is thrown out just before its next use. The disk does work that more memory, or a smaller scan, "
			"would save. The limit is a control group's or the machine's memory.",
		.lookalikes =
			"disk.saturated by reads of new data: nothing comes back. A big page cache is healthy: cache is free "
			"memory that is put to use.",
		.action =
			"Raise the group's limit, read in pieces that fit, or tell the kernel that the pages are not needed again "
			"(posix_fadvise DONTNEED, O_DIRECT) so that others keep theirs.",
		.symptoms =
			"disk.saturated disk.noisy_neighbour_io disk.slow_device memory.direct_reclaim memory.major_faults "
			"app.slow_server",
		.check = check_pagecache,
	},
	{
		.id = "memory.swap_thrash",
		.question = "Does memory go to swap and come back all the time?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_SATURATION,
		.metric = M_SWAP_IN,
		.floor = 1 << 20,
		.warn = 0.05,
		.crit = 1,
		.fires =
			"at least 1 MiB/s of anonymous pages come back from swap, at least half of all that comes back, while a "
			"tenth as much or more goes out; and at least 0.05 s/s are lost",
		.needs =
			"pswpin, pswpout and workingset_refault_anon (5.9) of /proc/vmstat, memory.stat of groups",
		.meaning =
			"The anonymous memory in use is larger than the memory there is (of the machine or of a control group's "
			"limit). What is swapped out is needed again soon. Compressed swap (zram, zswap) turns the wait for a disk "
			"into CPU time; the stall is the same.",
		.lookalikes =
			"Swap in use, even full, is no problem while nothing moves. memory.swap_disk_latency: something comes "
			"back once after a shortage that is over.",
		.action =
			"Give memory to whom it is short, or stop or shrink the process that takes it; then vm.swappiness and the "
			"size of swap are secondary.",
		.symptoms =
			"memory.major_faults memory.swap_disk_latency memory.direct_reclaim memory.memcg_reclaim_thrash "
			"memory.pagecache_thrash disk.saturated disk.slow_device disk.noisy_neighbour_io cpu.context_switch_storm cpu.tlb_shootdown_ipi cpu.saturated app.slow_server",
		.check = check_swap,
	},
	{
		.id = "memory.swap_disk_latency",
		.question =
			"Do threads wait for memory that an earlier shortage put on a slow swap device?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_SATURATION,
		.metric = M_SWAP_IN,
		.floor = 1 << 20,
		.warn = 0.05,
		.crit = 1,
		.fires =
			"at least 1 MiB/s come back from swap while less than a tenth of that goes out, and threads are blocked for "
			"at least 0.05 s/s",
		.needs = "pswpin and pswpout of /proc/vmstat, state samples",
		.meaning =
			"The shortage is over, its bill is not: pages are read back one by one as they are touched, each at the "
			"latency of the swap device.",
		.lookalikes = "memory.swap_thrash: as much goes out again.",
		.action =
			"If memory is free now, swapoff -a && swapon -a reads all of it back in one go. Put swap on a faster "
			"device, or on zram.",
		.symptoms = "memory.major_faults disk.saturated disk.slow_device app.slow_server",
		.check = check_swap_disk,
	},
	{
		.id = "memory.memcg_high_throttle",
		.question =
			"Does the kernel put threads to sleep because their group is above memory.high?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_SATURATION,
		.metric = M_CG_GROUPS,
		.floor = 0,
		.warn = 0.05,
		.crit = 1,
		.fires =
			"the high counter of memory.events rises, nothing comes back, and the group's threads lose at least 0.05 s/s",
		.needs = "control groups v2: memory.high, memory.events",
		.meaning =
			"Above memory.high allocating threads are made to reclaim and then sleep, up to two seconds at a time, so "
			"that the group grows slower. systemd sets it by MemoryHigh=.",
		.lookalikes =
			"memory.memcg_reclaim_thrash: pages come back, so the group needs them.",
		.action = "Raise memory.high, or find out why the group grows (memory.leak).",
		.symptoms = "memory.direct_reclaim app.slow_server",
		.check = check_high,
	},
	{
		.id = "memory.direct_reclaim",
		.question = "Do programs have to free memory themselves before they get some?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_SATURATION,
		.metric = M_SCAN_DIRECT,
		.floor = 10,
		.warn = 0.05,
		.crit = 1,
		.fires =
			"at least 10 allocations/s reclaim directly on the machine as a whole, nothing comes back, and at least "
			"0.05 s/s are lost",
		.needs = "allocstall and pgscan of /proc/vmstat, state samples or PSI",
		.meaning =
			"kswapd frees memory in the background between two watermarks. When memory is taken faster, the program "
			"that asks has to scan and free pages itself before it goes on.",
		.lookalikes =
			"Busy kswapd alone delays nobody. memory.memcg_reclaim_thrash: the reclaim is a group's own.",
		.action =
			"Find who takes memory so fast (the offender), or start background reclaim earlier: "
			"vm.watermark_scale_factor.",
		.symptoms = "app.slow_server",
		.check = check_direct,
	},
	{
		.id = "memory.shmem_in_memcg",
		.question = "Does shared memory or a tmpfs fill a control group's limit?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_UTILIZATION,
		.metric = M_CG_GROUPS,
		.floor = SHMEM_PART,
		.warn = 0.05,
		.crit = 1,
		.fires =
			"shared memory is at least 40 % of the limit of a group that is at its limit, and the group thrashes or has "
			"processes killed",
		.needs = "shmem in memory.stat of control groups",
		.meaning =
			"Files in a tmpfs (/dev/shm, an emptyDir in memory, /run) and shared segments are memory of the group that "
			"first touched them. They are not cache: without swap nothing can reclaim them, and they stay when the "
			"process that wrote them ends.",
		.lookalikes = "A large cgroup size made of page cache: reclaimable and harmless.",
		.action =
			"Delete the files, limit the tmpfs (size=), or raise the group's limit by what it holds.",
		.symptoms =
			"memory.memcg_reclaim_thrash memory.pagecache_thrash memory.swap_thrash memory.oom_kill memory.major_faults",
		.check = check_shmem,
	},
	{ .id = NULL }
};
