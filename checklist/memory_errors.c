/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of memory that failed somebody: kills for want of memory, hardware errors, nodes that ran dry. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "checklist/cgroup.h"
#include "checklist/makers.h"
#include "checklist/rule.h"
#include "model/event.h"

static const struct row_id machine;

static double zero(double x)
{
	return isnan(x) ? 0 : x;
}

static bool is_live(const struct view *v, size_t event, enum event_kind kind)
{
	return snapshot_value(v->last, M_EVENT_LIVE, event) == 1 &&
	       snapshot_value(v->last, M_EVENT_KIND, event) == kind;
}

/* ---- kills ---- */

#define PLACES_MAX 8
#define KILLED_MAX 4 /* named of one place */
#define LOOP_KILLS 3 /* in one window: it is killed, started and killed again */

struct killed {
	int64_t pid;
	const char *comm;
};

/* Kills by whose limit was met: a control group's, or ("") the machine's. */
struct place {
	const char *path;
	size_t group; /* CGROUP_NONE when it is not there (any more) */
	double logged, counted;
	struct killed killed[KILLED_MAX];
	size_t nkilled;
};

struct places {
	struct place list[PLACES_MAX];
	size_t n;
};

static struct place *place_of(struct places *all, const char *path, size_t group)
{
	struct place *p;

	for (size_t i = 0; i < all->n; i++)
		if (!strcmp(all->list[i].path, path))
			return &all->list[i];
	if (all->n == PLACES_MAX)
		return NULL;
	p = &all->list[all->n++];
	*p = (struct place){ .path = path, .group = group };
	return p;
}

static size_t memory_group(const struct view *v, const char *path)
{
	for (size_t g = 0; g < cgroup_count(v); g++)
		if (!cgroup_device(v, g) && !strcmp(cgroup_path(v, g), path) &&
		    !isnan(cgroup_level(v, M_CG_MEM_LIMIT, g)))
			return g;
	return CGROUP_NONE;
}

/* The kernel log says who was killed, and whose limit it was. */
static void add_events(const struct view *v, struct places *all)
{
	for (size_t e = 0; e < snapshot_rows(v->last, SCOPE_EVENT); e++) {
		const char *path = snapshot_text(v->last, M_EVENT_CGROUP, e),
			   *comm = snapshot_text(v->last, M_EVENT_COMM, e);
		double pid = snapshot_value(v->last, M_EVENT_PID, e);
		struct place *p;

		if (!is_live(v, e, EVENT_OOM_KILL))
			continue;
		p = place_of(all, path ? path : "",
			     path && *path ? memory_group(v, path) : CGROUP_NONE);
		if (!p)
			continue;
		p->logged++;
		if (p->nkilled < KILLED_MAX)
			p->killed[p->nkilled++] =
				(struct killed){ interval_whole(pid), comm ? comm : "?" };
	}
}

/* Kills that were counted in this group and not in one below it: v2 counts them in every group above, too. */
static double own_kills(const struct view *v, size_t group)
{
	double kills = cgroup_delta(v, M_CG_MEM_OOM_KILLS, group);

	if (!(kills > 0) || !cgroup_is_v2(v, group))
		return kills;
	for (size_t g = 0; g < cgroup_count(v); g++)
		if (cgroup_parent(v, g) == group && !cgroup_device(v, g))
			kills -= zero(cgroup_delta(v, M_CG_MEM_OOM_KILLS, g));
	return kills;
}

/* Groups count what happened to their processes; whose limit it was is told by who ran into one. */
static void add_counters(const struct view *v, struct places *all)
{
	for (size_t g = 0; g < cgroup_count(v); g++) {
		double kills = own_kills(v, g);
		size_t holder = g;
		struct place *p;

		if (!(kills > 0))
			continue;
		if (isfinite(cgroup_tightest(v, M_CG_MEM_LIMIT, g, &holder)) &&
		    (cgroup_delta(v, M_CG_MEM_MAX_EVENTS, holder) > 0 ||
		     cgroup_delta(v, M_CG_MEM_OOM_EVENTS, holder) > 0))
			p = place_of(all, cgroup_path(v, holder), holder);
		else
			p = place_of(all, "", CGROUP_NONE);
		if (p)
			p->counted += kills;
	}
}

static double add_machine(const struct view *v, struct places *all)
{
	double total = system_delta(v->window, M_OOM_KILL), known = 0;
	struct place *p;

	for (size_t i = 0; i < all->n; i++)
		known += fmax(all->list[i].logged, all->list[i].counted);
	/* nobody claims them: in groups that are gone, or in none */
	if (total > known) {
		p = place_of(all, "", CGROUP_NONE);
		if (p)
			p->counted += total - known;
	}
	return isnan(total) ? known : total;
}

static void name_parties(struct finding *f, const struct view *v, const struct place *p)
{
	static const enum metric_id rss[] = { M_PROC_RSS };
	struct ranking takers;

	if (*p->path) {
		struct party *o = finding_offender(f, PARTY_CGROUP, p->path, 0, 1);

		snprintf(o->cgroup, sizeof(o->cgroup), "%s", p->path);
	}
	for (size_t i = 0; i < p->nkilled; i++) {
		bool again = false;

		for (size_t j = 0; j < i; j++)
			again |= !strcmp(p->killed[i].comm, p->killed[j].comm);
		if (!again && *p->path)
			finding_offender(f, PARTY_PROCESS, p->killed[i].comm, p->killed[i].pid,
					 NAN);
		finding_victim(f, PARTY_PROCESS, p->killed[i].comm, p->killed[i].pid, NAN);
	}
	/* who has the memory now: the successor of the killed one, or the one that was spared */
	if (*p->path && p->group == CGROUP_NONE)
		return;
	cgroup_rank(v, p->group, rss, 1, &takers);
	finding_offenders(f, v, &takers, 2, 0.2);
}

static void report_kills(const struct rule *r, const struct view *v, struct findings *fs,
			 const struct place *p)
{
	double kills = fmax(p->logged, p->counted),
	       limit = cgroup_level(v, M_CG_MEM_LIMIT, p->group);
	char who[64] = "", size[16] = "", times[48];
	struct finding *f = rule_fire(r, fs);

	f->impact.failed = kills / interval_seconds(v->window);
	f->confidence = p->logged > 0 || p->group != CGROUP_NONE ? 0.97 : 0.8;
	f->severity = kills >= LOOP_KILLS || !*p->path ? SEV_CRIT : SEV_WARN;
	snprintf(f->instance, sizeof(f->instance), "%s", p->path);
	if (p->nkilled)
		snprintf(who, sizeof(who), " (%.40s[%lld])", p->killed[p->nkilled - 1].comm,
			 (long long)p->killed[p->nkilled - 1].pid);
	if (isfinite(limit))
		unit_format(size, sizeof(size), UNIT_BYTES, 0, limit);
	plural(times, sizeof(times), kills, "process", "processes");
	if (*p->path)
		finding_summary(
			f,
			"%s of cgroup %.160s %s killed in %.0f s because the group met its memory limit%s%s%s: %s.",
			times, p->path, kills >= 1.5 ? "were" : "was", interval_seconds(v->window),
			*size ? " of " : "", size, who,
			kills >= LOOP_KILLS ? "it is started and killed again and again"
					    : "the machine itself is not short");
	else
		finding_summary(f, "The machine ran out of memory and killed %s in %.0f s%s.",
				times, interval_seconds(v->window), who);
	name_parties(f, v, p);
	finding_evidence(f, "mem.oom_kill", kills, "kills", 0,
			 p->group != CGROUP_NONE ? "memory events of the group" : "proc/vmstat");
	if (p->logged > 0)
		finding_evidence(f, "kills in the kernel log", p->logged, "kills", NAN, "dev/kmsg");
	if (isfinite(limit))
		finding_evidence(f, "limit", limit, "bytes", NAN, "memory limit of the group");
	if (p->group != CGROUP_NONE) {
		finding_evidence(f, "limit met", cgroup_rate(v, M_CG_MEM_MAX_EVENTS, p->group),
				 "times/s", NAN, "memory events of the group");
		finding_evidence(f, "most it ever had", cgroup_level(v, M_CG_MEM_PEAK, p->group),
				 "bytes", NAN, "memory peak of the group");
	}
	finding_next(f, "dmesg -T | grep -A3 -i 'oom-kill\\|killed process' | tail -20");
	if (p->group != CGROUP_NONE)
		finding_next(f, "grep . /%.120s/memory.{events,oom_control,failcnt} 2>/dev/null",
			     cgroup_dir(v, p->group));
	else
		finding_next(f, "ps -eo pid,rss,oom_score_adj,comm --sort=-rss 2>/dev/null | head");
}

static void check_oom(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct places all = { .n = 0 };

	add_events(v, &all);
	add_counters(v, &all);
	add_machine(v, &all);
	for (size_t i = 0; i < all.n; i++)
		if (fmax(all.list[i].logged, all.list[i].counted) > 0)
			report_kills(r, v, fs, &all.list[i]);
}

/* ---- hardware ---- */

#define CORRECTED_RATE 1.0 /* per second: a module that fails, not a particle */

/* The module with most errors in the window, or the controller if modules are not told apart. */
static size_t worst_module(const struct view *v)
{
	double worst = 0;
	size_t found = SIZE_MAX;

	for (size_t row = 0; row < interval_rows(v->window, SCOPE_NUMA); row++) {
		double n = zero(interval_delta(v->window, M_MC_CORRECTED, row)) +
			   1000 * zero(interval_delta(v->window, M_MC_UNCORRECTED, row));
		bool module = strchr(interval_name(v->window, SCOPE_NUMA, row), '/') != NULL;

		if (n > worst || (module && n > 0 && n >= worst)) {
			worst = n;
			found = row;
		}
	}
	return found;
}

static void check_hardware(const struct rule *r, const struct view *v, struct findings *fs)
{
	double corrected = system_delta(v->window, M_ECC_CORRECTED),
	       fatal = system_delta(v->window, M_ECC_UNCORRECTED);
	double lost = zero(view_growth(v, M_MEM_CORRUPTED, machine)), logged = 0;
	const char *module = "a memory module", *label = NULL;
	struct finding *f;
	char bytes[16];
	size_t row;

	for (size_t e = 0; e < snapshot_rows(v->last, SCOPE_EVENT); e++)
		logged += is_live(v, e, EVENT_EDAC) || is_live(v, e, EVENT_MCE);
	if (!(corrected > 0) && !(fatal > 0) && !(lost > 0) && !(logged > 0)) {
		if (isnan(corrected) && isnan(fatal))
			rule_unknown(
				r, fs,
				"no memory controller driver (EDAC) counts errors here, as in most guests; the kernel "
				"log showed none");
		return;
	}
	f = rule_fire(r, fs);
	row = worst_module(v);
	if (row != SIZE_MAX) {
		module = interval_name(v->window, SCOPE_NUMA, row);
		label = view_label(v, M_MC_LABEL, interval_row(v->window, SCOPE_NUMA, row)->id);
	}
	if (fatal > 0 || lost > 0) {
		f->severity = SEV_CRIT;
		f->impact.failed = fmax(zero(fatal), 1) / interval_seconds(v->window);
	} else {
		f->severity = corrected >= CORRECTED_RATE * interval_seconds(v->window) ? SEV_WARN
											: SEV_INFO;
	}
	f->confidence = isnan(corrected) ? 0.8 : 0.95;
	finding_summary(
		f,
		"Memory hardware fails: %.0f corrected and %.0f uncorrected errors in %.0f s, worst %.60s%s%.60s%s.",
		zero(corrected), zero(fatal), interval_seconds(v->window), module,
		label && *label ? " (" : "", label ? label : "", label && *label ? ")" : "");
	finding_offender(f, PARTY_DEVICE, label && *label ? label : module, 0, NAN);
	finding_evidence(f, "mem.ecc_corrected", corrected, "errors",
			 CORRECTED_RATE * interval_seconds(v->window), "sys/devices/system/edac");
	finding_evidence(f, "mem.ecc_uncorrected", fatal, "errors", 0, "sys/devices/system/edac");
	if (lost > 0) {
		finding_evidence(f, "memory taken out of use", lost, "bytes", 0, "proc/meminfo");
		finding_symptom(f, "%s taken out of use",
				unit_format(bytes, sizeof(bytes), UNIT_BYTES, 0, lost));
	}
	if (logged > 0)
		finding_evidence(f, "lines in the kernel log", logged, "lines", NAN, "dev/kmsg");
	finding_next(
		f,
		"grep -H . /sys/devices/system/edac/mc/mc*/dimm*/dimm_{label,ce_count,ue_count}");
	finding_next(f, "ras-mc-ctl --errors; journalctl -k -g 'mce|EDAC'");
}

/* ---- nodes ---- */

#define FREE_ELSEWHERE 0.1  /* of a node's memory is free, while another has none */
#define HINT_RATE      1000 /* faults per second that look where pages are used */
#define REMOTE_PART    0.5
#define HINT_COST      1e-6   /* seconds per hinting fault */
#define MOVE_COST      1.5e-6 /* seconds per page moved */

static bool is_node(const char *name)
{
	struct text t = text_of(name);
	uint64_t n;

	return text_skip(&t, "node") && text_is_u64(t, &n);
}

/* Is the node down to the level at which kswapd works, in all its zones together? */
static bool is_dry(const struct view *v, const char *node)
{
	double free = 0, low = 0;
	size_t n = strlen(node);

	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_NUMA); row++) {
		const char *name = snapshot_name(v->last, SCOPE_NUMA, row);

		if (strncmp(name, node, n) || name[n] != '/')
			continue;
		free += zero(snapshot_value(v->last, M_ZONE_FREE, row));
		low += zero(snapshot_value(v->last, M_ZONE_LOW, row));
	}
	return low > 0 && free <= 1.1 * low;
}

static void check_node_exhausted(const struct rule *r, const struct view *v, struct findings *fs)
{
	static const enum cause reclaim[] = { CAUSE_RECLAIM };
	double stalls = zero(system_value(v->window, M_ALLOCSTALLS)), elsewhere = 0;
	const char *dry = NULL, *roomy = NULL;
	struct ranking waiting;
	struct finding *f;
	char free[16], who[96];

	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_NUMA); row++) {
		const char *name = snapshot_name(v->last, SCOPE_NUMA, row);
		double part = snapshot_value(v->last, M_NODE_FREE, row) /
			      snapshot_value(v->last, M_NODE_TOTAL, row);

		if (!is_node(name))
			continue;
		if (is_dry(v, name))
			dry = name;
		else if (part >= FREE_ELSEWHERE &&
			 snapshot_value(v->last, M_NODE_FREE, row) > elsewhere) {
			roomy = name;
			elsewhere = snapshot_value(v->last, M_NODE_FREE, row);
		}
	}
	cgroup_rank_lost(v, CGROUP_NONE, reclaim, 1, &waiting);
	if (!dry || !roomy || stalls < r->floor || !(waiting.total >= r->warn))
		return;
	f = rule_fire(r, fs);
	f->impact.lost = waiting.total;
	f->estimated = true;
	f->confidence = 0.8;
	snprintf(f->instance, sizeof(f->instance), "%s", dry);
	member_label(who, sizeof(who), &waiting.top[0]);
	finding_summary(
		f,
		"Memory of %s is used up and %s waits for reclaim there, while %s has %s free: its memory policy or "
		"cpuset binds it.",
		dry, who, roomy, unit_format(free, sizeof(free), UNIT_BYTES, 0, elsewhere));
	finding_offender(f, PARTY_KERNEL, dry, 0, NAN);
	finding_offenders(f, v, &waiting, 3, 0.1);
	finding_victims(f, v, &waiting, 3, 0.1);
	finding_evidence(f, "mem.allocstalls", stalls, "times/s", r->floor, "proc/vmstat");
	finding_evidence(f, "free on the other node", elsewhere, "bytes", NAN,
			 "sys/devices/system/node");
	finding_evidence(f, "blocked in reclaim", waiting.total, "s/s", r->warn, "state samples");
	finding_next(f, "numastat -m; numastat -p %lld", (long long)waiting.top[0].pid);
	finding_next(f, "grep -E 'Mems_allowed_list' /proc/%lld/status",
		     (long long)waiting.top[0].pid);
}

static void check_numa(const struct rule *r, const struct view *v, struct findings *fs)
{
	double hints = zero(system_rate(v->window, M_NUMA_HINT_FAULTS)),
	       local = zero(system_rate(v->window, M_NUMA_HINT_LOCAL));
	double moved = zero(system_rate(v->window, M_NUMA_MIGRATED)) / v->host->page_size;
	static const enum metric_id cpu[] = { M_PROC_USER, M_PROC_SYSTEM };
	double remote = hints > 0 ? 1 - local / hints : 0,
	       wasted = hints * HINT_COST + moved * MOVE_COST;
	struct ranking runners;
	struct finding *f;

	if (hints < r->floor || remote < REMOTE_PART || wasted < r->warn)
		return;
	f = rule_fire(r, fs);
	f->impact.wasted = wasted;
	f->estimated = true;
	f->confidence = 0.6;
	cgroup_rank(v, CGROUP_NONE, cpu, 2, &runners);
	finding_summary(
		f,
		"Programs use memory of other NUMA nodes: %.0f %% of %.0f probed accesses/s are remote, and %.0f pages/s "
		"are moved after them (about %.2f CPUs).",
		100 * remote, hints, moved, wasted);
	finding_offenders(f, v, &runners, 3, 0.2);
	finding_evidence(f, "remote accesses", remote, "ratio", REMOTE_PART, "proc/vmstat");
	finding_evidence(f, "mem.numa_hint_faults", hints, "faults/s", r->floor, "proc/vmstat");
	finding_evidence(f, "pages moved between nodes", moved, "pages/s", NAN, "proc/vmstat");
	finding_next(f, "numastat -p %lld", runners.n ? (long long)runners.top[0].pid : 1);
	finding_next(f, "numactl --hardware   # distances and free memory");
}

const struct rule rules_memory_errors[] = {
	{
		.id = "memory.oom_kill",
		.question = "Were processes killed for want of memory?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_ERRORS,
		.metric = M_OOM_KILL,
		.floor = 0,
		.warn = 0,
		.crit = 0,
		.fires =
			"at least one process was killed in the window (crit: three, or by the machine as a whole)",
		.needs = "oom_kill of /proc/vmstat and of control groups; the kernel log for names",
		.meaning =
			"When a control group cannot be kept below its limit, or the machine runs out of memory, the kernel kills the "
			"process with the highest score. It says whose limit it was: a group's (the machine may have plenty), a "
			"NUMA node's or the machine's.",
		.lookalikes =
			"A kill by systemd-oomd, earlyoom or an operator leaves no OOM count: see the journal. Old kills in the "
			"log, before the window, do not count.",
		.action =
			"Raise the group's limit, or find out why it grows (memory.leak, memory.shmem_in_memcg). A service that is "
			"killed and restarted in a loop does no work.",
		.symptoms =
			"memory.memcg_reclaim_thrash memory.pagecache_thrash memory.major_faults memory.leak memory.direct_reclaim "
			"memory.minor_fault_storm app.crash_loop cpu.short_lived_processes kernel.log_errors app.zombies",
		.check = check_oom,
	},
	{
		.id = "memory.hardware_errors",
		.question = "Does memory hardware report errors?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_ERRORS,
		.metric = M_NONE,
		.floor = CORRECTED_RATE,
		.warn = 0,
		.crit = 0,
		.fires =
			"errors were counted in the window: uncorrected ones, or memory taken out of use, are crit; at least one "
			"corrected error per second is warn, fewer are info",
		.needs =
			"an EDAC driver (not in guests), HardwareCorrupted of /proc/meminfo, the kernel log",
		.meaning =
			"Corrected errors cost nothing by themselves (each raises an interrupt); many from one module announce an "
			"uncorrected one, which kills the process that reads the page, or the machine.",
		.lookalikes = "A single corrected error a week is normal.",
		.action = "Replace the module that is named.",
		.symptoms = "kernel.log_errors",
		.check = check_hardware,
	},
	{
		.id = "memory.numa_imbalance",
		.question = "Do programs pay for memory that lies on another NUMA node?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_SATURATION,
		.metric = M_NUMA_HINT_FAULTS,
		.floor = HINT_RATE,
		.warn = 0.1,
		.crit = 1,
		.fires =
			"at least 1,000 hinting faults/s, half of them remote, and about 0.1 CPU spent on them and on moving pages",
		.needs = "kernel.numa_balancing = 1: numa_* of /proc/vmstat",
		.meaning =
			"With NUMA balancing the kernel takes faults on purpose to see which node uses a page. Many remote ones mean "
			"that threads and their memory are apart. What the remote accesses themselves cost needs hardware counters.",
		.lookalikes =
			"numa_miss that rises while nothing waits: memory was put elsewhere once, at start.",
		.action =
			"Bind threads and memory together (numactl, cpusets), or one process per node.",
		.symptoms = "",
		.check = check_numa,
	},
	{
		.id = "memory.node_exhausted",
		.question = "Is one NUMA node out of memory while another has plenty?",
		.resource = RES_MEMORY,
		.aspect = ASPECT_SATURATION,
		.metric = M_ZONE_FREE,
		.floor = 10,
		.warn = 0.05,
		.crit = 1,
		.fires =
			"a node is at its low watermark, another has 10 % free, at least 10 allocations/s reclaim themselves and 0.05 "
			"s/s are lost in reclaim",
		.needs = "zoneinfo, node meminfo, allocstall of /proc/vmstat, state samples",
		.meaning =
			"A memory policy or a cpuset lets its processes allocate on one node only; the kernel then reclaims, and may "
			"kill, although the machine has memory.",
		.lookalikes = "memory.direct_reclaim: the whole machine is short.",
		.action = "Use MPOL_PREFERRED instead of BIND, widen cpuset.mems, or interleave.",
		.symptoms = "memory.direct_reclaim memory.oom_kill",
		.check = check_node_exhausted,
	},
	{ .id = NULL }
};
