/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of memory: what fires, what looks like it and stays silent. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/event.h"
#include "tests/unit/scene.h"
#include "tests/unit/unit.h"

#define MIB (1024.0 * 1024)
#define GIB (1024 * MIB)

/* A machine with memory to spare, a group with a limit, a process in it. */
struct memory {
	struct scene s;
	struct row_id group, process, thread;
};

static void memory_open(struct memory *m, double limit)
{
	struct scene *s = &m->s;

	scene_open(s, 2, 10);
	scene_level(s, M_MEM_TOTAL, scene_system, 8 * GIB);
	scene_level(s, M_MEM_AVAILABLE, scene_system, 6 * GIB);
	scene_level(s, M_CG_GROUPS, scene_system, 1);
	scene_level(s, M_CG_LEFT_OUT, scene_system, 0);
	scene_text(s, M_SWAP_DEVICES, scene_system, "/dev/vdb");
	scene_grow(s, M_SWAP_IN, scene_system, 0);
	scene_grow(s, M_SWAP_OUT, scene_system, 0);
	scene_grow(s, M_REFAULT_FILE, scene_system, 0);
	scene_grow(s, M_REFAULT_ANON, scene_system, 0);
	scene_grow(s, M_OOM_KILL, scene_system, 0);
	m->group = scene_named(s, SCOPE_CGROUP, "/svc");
	scene_text(s, M_CG_PATH, m->group, "/svc");
	scene_text(s, M_CG_CONTROLLERS, m->group, "");
	scene_text(s, M_CG_DIR, m->group, "sys/fs/cgroup/svc");
	scene_level(s, M_CG_MEM_LIMIT, m->group, limit);
	scene_level(s, M_CG_MEM_CURRENT, m->group, limit);
	m->process = scene_process(s, 77, "searchd");
	m->thread = scene_thread(s, 77, 77, "searchd");
	scene_text(s, M_PROC_CGROUP, m->process, "0::/svc");
	scene_grow(s, M_THREAD_USER, m->thread, 1);
	scene_grow(s, M_PROC_USER, m->process, 1);
}

static void comes_back(struct memory *m, double file, double anon, double major)
{
	scene_grow(&m->s, M_CG_MEM_REFAULT_FILE, m->group, file);
	scene_grow(&m->s, M_CG_MEM_REFAULT_ANON, m->group, anon);
	scene_grow(&m->s, M_CG_MEM_MAJOR_FAULTS, m->group, major);
	scene_grow(&m->s, M_CG_MEM_MAX_EVENTS, m->group, 5000);
	scene_grow(&m->s, M_REFAULT_FILE, scene_system, file);
	scene_grow(&m->s, M_REFAULT_ANON, scene_system, anon);
	scene_grow(&m->s, M_MAJOR_FAULTS, scene_system, major);
	scene_grow(&m->s, M_PAGED_IN, scene_system, file + anon);
	scene_grow(&m->s, M_PROC_READ_BYTES, m->process, file + anon);
}

static const struct finding *judge(struct memory *m, const char *id)
{
	scene_judge_table(&m->s, rules_memory);
	return scene_finding(&m->s, id);
}

TEST(file_pages_that_come_back_by_faults_are_a_group_that_thrashes)
{
	const struct finding *f;
	struct memory m;

	memory_open(&m, 128 * MIB);
	comes_back(&m, 1000 * MIB, 0, 20000);
	scene_grow(&m.s, M_THREAD_DISK, m.thread, 8);
	f = judge(&m, "memory.memcg_reclaim_thrash");
	CHECK(f != NULL);
	CHECK_NEAR(f->impact.lost, 0.8, 1e-6);
	CHECK_STR(f->instance, "/svc");
	CHECK_STR(f->offenders[0].name, "/svc");
	CHECK_STR(f->victims[0].name, "searchd");
	CHECK_HAS(f->summary, "128 MiB");
	CHECK_INT((int)m.s.report.findings.n, 1);
	scene_close(&m.s);
}

TEST(file_pages_that_come_back_by_read_are_a_cache_that_is_too_small)
{
	struct memory m;

	memory_open(&m, 128 * MIB);
	comes_back(&m, 1000 * MIB, 0, 3);
	scene_grow(&m.s, M_THREAD_DISK, m.thread, 8);
	CHECK(judge(&m, "memory.pagecache_thrash") != NULL);
	CHECK_INT((int)m.s.report.findings.n, 1);
	scene_close(&m.s);
}

TEST(a_full_group_in_which_nothing_comes_back_is_healthy)
{
	struct memory m;

	memory_open(&m, 128 * MIB);
	comes_back(&m, 0, 0, 0);
	scene_grow(&m.s, M_THREAD_DISK, m.thread, 8);
	judge(&m, "");
	CHECK_INT((int)m.s.report.findings.n, 0);
	scene_close(&m.s);
}

TEST(pages_that_come_back_while_nobody_waits_are_nobodys_business)
{
	struct memory m;

	memory_open(&m, 128 * MIB);
	comes_back(&m, 1000 * MIB, 0, 20000);
	scene_grow(&m.s, M_THREAD_DISK, m.thread, 0.1);
	judge(&m, "");
	CHECK_INT((int)m.s.report.findings.n, 0);
	scene_close(&m.s);
}

TEST(niced_work_that_thrashes_in_its_own_group_is_silent)
{
	struct memory m;

	memory_open(&m, 128 * MIB);
	comes_back(&m, 1000 * MIB, 0, 20000);
	scene_grow(&m.s, M_THREAD_DISK, m.thread, 8);
	scene_level(&m.s, M_PROC_NICE, m.process, 19);
	judge(&m, "");
	CHECK_INT((int)m.s.report.findings.n, 0);
	scene_close(&m.s);
}

TEST(disk_reads_that_are_new_do_not_count_as_memory)
{
	struct memory m;

	memory_open(&m, 128 * MIB);
	comes_back(&m, 20 * MIB, 0, 0);
	scene_grow(&m.s, M_PROC_READ_BYTES, m.process, 4000 * MIB);
	scene_grow(&m.s, M_THREAD_DISK, m.thread, 8);
	judge(&m, "");
	CHECK_INT((int)m.s.report.findings.n, 0);
	scene_close(&m.s);
}

TEST(memory_that_goes_to_swap_and_comes_back_is_swap_thrash)
{
	const struct finding *f;
	struct memory m;

	memory_open(&m, 256 * MIB);
	comes_back(&m, 0, 1000 * MIB, 20000);
	scene_grow(&m.s, M_SWAP_IN, scene_system, 1000 * MIB);
	scene_grow(&m.s, M_SWAP_OUT, scene_system, 900 * MIB);
	scene_grow(&m.s, M_CG_PSI_MEM_SOME, m.group, 6);
	f = judge(&m, "memory.swap_thrash");
	CHECK(f != NULL);
	/* nobody was caught asleep: the stall is on a CPU, as with compressed swap */
	CHECK_NEAR(f->impact.lost, 0.6, 1e-6);
	CHECK_HAS(f->summary, "/dev/vdb");
	CHECK_INT((int)m.s.report.findings.n, 1);
	scene_close(&m.s);
}

TEST(swap_that_only_comes_back_is_the_bill_of_an_earlier_shortage)
{
	struct memory m;

	memory_open(&m, 256 * MIB);
	comes_back(&m, 0, 100 * MIB, 3000);
	scene_grow(&m.s, M_SWAP_IN, scene_system, 100 * MIB);
	scene_grow(&m.s, M_SWAP_OUT, scene_system, 0);
	scene_grow(&m.s, M_THREAD_FAULT, m.thread, 5);
	CHECK(judge(&m, "memory.swap_disk_latency") != NULL);
	CHECK_INT((int)m.s.report.findings.n, 1);
	scene_close(&m.s);
}

TEST(swap_in_use_without_traffic_is_silent)
{
	struct memory m;

	memory_open(&m, 256 * MIB);
	scene_level(&m.s, M_SWAP_TOTAL, scene_system, GIB);
	scene_level(&m.s, M_SWAP_FREE, scene_system, 0);
	judge(&m, "");
	CHECK_INT((int)m.s.report.findings.n, 0);
	scene_close(&m.s);
}

TEST(memory_high_that_holds_threads_back_is_named)
{
	struct memory m;

	memory_open(&m, INFINITY);
	scene_level(&m.s, M_CG_MEM_HIGH, m.group, 512 * MIB);
	scene_level(&m.s, M_CG_MEM_CURRENT, m.group, 520 * MIB);
	scene_grow(&m.s, M_CG_MEM_HIGH_EVENTS, m.group, 900);
	scene_grow(&m.s, M_THREAD_RECLAIM, m.thread, 9);
	CHECK(judge(&m, "memory.memcg_high_throttle") != NULL);
	CHECK_HAS(scene_finding(&m.s, "memory.memcg_high_throttle")->summary, "512 MiB");
	scene_close(&m.s);
}

TEST(allocations_that_reclaim_on_a_machine_that_is_short_are_direct_reclaim)
{
	const struct finding *f;
	struct memory m;
	struct row_id hog;

	memory_open(&m, INFINITY);
	scene_grow(&m.s, M_ALLOCSTALL_NORMAL, scene_system, 500);
	scene_grow(&m.s, M_SCAN_DIRECT, scene_system, 2000 * MIB);
	scene_grow(&m.s, M_THREAD_RECLAIM, m.thread, 4);
	hog = scene_process(&m.s, 99, "grower");
	scene_grow(&m.s, M_PROC_USER, hog, 1);
	scene_move(&m.s, M_PROC_RSS, hog, 100 * MIB, 900 * MIB);
	f = judge(&m, "memory.direct_reclaim");
	CHECK(f != NULL);
	CHECK_STR(f->offenders[0].name, "grower");
	CHECK_STR(f->victims[0].name, "searchd");
	scene_close(&m.s);
}

TEST(shared_memory_that_fills_a_group_is_told_before_its_thrashing)
{
	const struct finding *f;
	struct memory m;

	memory_open(&m, 128 * MIB);
	comes_back(&m, 1000 * MIB, 0, 20000);
	scene_grow(&m.s, M_THREAD_DISK, m.thread, 8);
	scene_level(&m.s, M_CG_MEM_SHMEM, m.group, 100 * MIB);
	scene_level(&m.s, M_PROC_RSS_SHMEM, m.process, 90 * MIB);
	scene_judge_table(&m.s, rules_memory);
	CHECK(scene_finding(&m.s, "memory.memcg_reclaim_thrash") != NULL);
	checklist_conclude(&m.s.view, &m.s.report);
	CHECK(!scene_finding(&m.s, "memory.memcg_reclaim_thrash"));
	f = scene_finding(&m.s, "memory.shmem_in_memcg");
	CHECK(f != NULL);
	CHECK_HAS(f->summary, "100 MiB");
	scene_close(&m.s);
}

/* ---- growth ---- */

static void leaks(struct memory *m, double from, double to)
{
	memory_open(m, 2 * GIB);
	scene_level(&m->s, M_CG_MEM_CURRENT, m->group, 1 * GIB);
	scene_move(&m->s, M_CG_MEM_ANON, m->group, from, to);
	scene_move(&m->s, M_MEM_AVAILABLE, scene_system, 6 * GIB, 6 * GIB - (to - from));
	scene_move(&m->s, M_PROC_RSS, m->process, from, to);
	scene_move(&m->s, M_PROC_RSS_ANON, m->process, from, to);
}

TEST(a_process_that_grows_all_the_time_reaches_its_groups_limit)
{
	const struct finding *f;
	struct memory m;

	leaks(&m, 100 * MIB, 700 * MIB);
	scene_judge_table(&m.s, rules_memory_growth);
	f = scene_finding(&m.s, "memory.leak");
	CHECK(f != NULL);
	CHECK_NEAR(f->impact.to_limit, 1024.0 / 60, 0.01);
	CHECK_STR(f->offenders[0].name, "searchd");
	CHECK_INT(f->offenders[0].pid, 77);
	CHECK_STR(f->offenders[0].cgroup, "/svc");
	scene_close(&m.s);
}

TEST(a_big_process_that_does_not_grow_is_silent)
{
	struct memory m;

	leaks(&m, 1900 * MIB, 1900 * MIB);
	scene_judge_table(&m.s, rules_memory_growth);
	CHECK_INT((int)m.s.report.findings.n, 0);
	scene_close(&m.s);
}

TEST(growth_that_lasts_for_days_is_silent)
{
	struct memory m;

	leaks(&m, 100 * MIB, 101 * MIB);
	scene_judge_table(&m.s, rules_memory_growth);
	CHECK_INT((int)m.s.report.findings.n, 0);
	scene_close(&m.s);
}

TEST(mapped_file_pages_are_no_leak)
{
	struct memory m;

	leaks(&m, 100 * MIB, 700 * MIB);
	scene_level(&m.s, M_PROC_RSS_ANON, m.process, 50 * MIB);
	scene_move(&m.s, M_PROC_RSS_FILE, m.process, 50 * MIB, 650 * MIB);
	scene_judge_table(&m.s, rules_memory_growth);
	CHECK_INT((int)m.s.report.findings.n, 0);
	scene_close(&m.s);
}

TEST(growth_that_nobody_misses_is_no_leak)
{
	struct memory m;

	leaks(&m, 100 * MIB, 700 * MIB);
	scene_level(&m.s, M_CG_MEM_ANON, m.group, 100 * MIB);
	scene_level(&m.s, M_MEM_AVAILABLE, scene_system, 6 * GIB);
	scene_judge_table(&m.s, rules_memory_growth);
	CHECK_INT((int)m.s.report.findings.n, 0);
	scene_close(&m.s);
}

static void slab_grows(struct memory *m, double unreclaimable, double negative)
{
	struct row_id dentry;

	memory_open(m, INFINITY);
	scene_move(&m->s, M_MEM_SLAB, scene_system, 100 * MIB, 500 * MIB);
	scene_move(&m->s, M_MEM_SLAB_UNRECLAIMABLE, scene_system, 10 * MIB,
		   10 * MIB + unreclaimable);
	scene_move(&m->s, M_DENTRIES_NEGATIVE, scene_system, 1000, 1000 + negative);
	dentry = scene_named(&m->s, SCOPE_SLAB, "dentry");
	scene_move(&m->s, M_SLAB_BYTES, dentry, 50 * MIB, 430 * MIB);
	scene_level(&m->s, M_SLAB_OBJECT_SIZE, dentry, 192);
	scene_move(&m->s, M_CG_MEM_SLAB, m->group, 10 * MIB, 400 * MIB);
	scene_grow(&m->s, M_PROC_SYSTEM, m->process, 8);
	scene_judge_table(&m->s, rules_memory_growth);
}

TEST(names_of_files_that_do_not_exist_fill_the_slab)
{
	const struct finding *f;
	struct memory m;

	slab_grows(&m, 0, 2000000);
	f = scene_finding(&m.s, "memory.slab_growth");
	CHECK(f != NULL);
	CHECK_STR(f->offenders[0].name, "searchd");
	CHECK_HAS(f->summary, "dentry");
	CHECK_HAS(f->summary, "do not exist");
	CHECK(isnan(f->impact.to_limit));
	scene_close(&m.s);
}

TEST(a_walk_over_files_that_exist_fills_caches_and_is_healthy)
{
	struct memory m;

	slab_grows(&m, 0, 0);
	CHECK_INT((int)m.s.report.findings.n, 0);
	scene_close(&m.s);
}

TEST(kernel_memory_that_cannot_be_dropped_has_an_end)
{
	const struct finding *f;
	struct memory m;

	slab_grows(&m, 400 * MIB, 0);
	f = scene_finding(&m.s, "memory.slab_growth");
	CHECK(f != NULL);
	CHECK_NEAR(f->impact.to_limit, 6 * 1024 / 40.0, 0.1);
	scene_close(&m.s);
}

TEST(an_idle_pool_matters_when_somebody_is_short)
{
	struct memory m;
	struct row_id pool;

	for (int short_of_memory = 0; short_of_memory < 2; short_of_memory++) {
		memory_open(&m, INFINITY);
		pool = scene_named(&m.s, SCOPE_NUMA, "pool 2048kB");
		scene_level(&m.s, M_POOL_PAGE, pool, 2 * MIB);
		scene_level(&m.s, M_POOL_TOTAL, pool, 1024);
		scene_level(&m.s, M_POOL_FREE, pool, 1000);
		scene_level(&m.s, M_POOL_RESERVED, pool, 0);
		scene_grow(&m.s, M_PSI_MEM_SOME, scene_system, short_of_memory ? 3 : 0);
		scene_judge(&m.s, "memory.hugetlb_idle_pool");
		CHECK((scene_finding(&m.s, "memory.hugetlb_idle_pool") != NULL) == short_of_memory);
		scene_close(&m.s);
	}
}

static void tmpfs(struct memory *m, double available, double calls, double bytes, const char *users)
{
	struct row_id fs;

	memory_open(m, INFINITY);
	fs = scene_named(&m->s, SCOPE_FS, "/var/spool");
	scene_text(&m->s, M_FS_TYPE, fs, "tmpfs");
	scene_level(&m->s, M_FS_SIZE, fs, 256 * MIB);
	scene_level(&m->s, M_FS_AVAILABLE, fs, available);
	scene_text(&m->s, M_FS_USERS, fs, users);
	scene_grow(&m->s, M_PROC_SYSCW, m->process, calls);
	scene_grow(&m->s, M_PROC_WCHAR, m->process, bytes);
	scene_judge(&m->s, "memory.tmpfs_full");
}

TEST(writes_that_write_nothing_to_a_full_tmpfs_fail)
{
	const struct finding *f;
	struct memory m;

	tmpfs(&m, 0, 2000, 0, "77:c:3 1:r:1");
	f = scene_finding(&m.s, "memory.tmpfs_full");
	CHECK(f != NULL);
	CHECK_NEAR(f->impact.failed, 200, 1e-6);
	CHECK_STR(f->instance, "/var/spool");
	CHECK_STR(f->offenders[1].name, "searchd");
	scene_close(&m.s);
}

TEST(a_full_tmpfs_that_is_only_read_is_silent)
{
	struct memory m;

	tmpfs(&m, 0, 2000, 2000 * 4096, "77:r:3");
	CHECK(!scene_finding(&m.s, "memory.tmpfs_full"));
	scene_close(&m.s);
	tmpfs(&m, 0, 0, 0, "garbage 9:: :x:y 77");
	CHECK(!scene_finding(&m.s, "memory.tmpfs_full"));
	scene_close(&m.s);
}

TEST(a_tmpfs_with_room_is_silent)
{
	struct memory m;

	tmpfs(&m, 10 * MIB, 2000, 0, "77:w:3");
	CHECK(!scene_finding(&m.s, "memory.tmpfs_full"));
	scene_close(&m.s);
}

/* ---- faults ---- */

static void faults(struct memory *m, double minor, double user, double system, double grown)
{
	memory_open(m, INFINITY);
	scene_grow(&m->s, M_FAULTS, scene_system, minor * 1.05);
	scene_grow(&m->s, M_PROC_MINFLT, m->process, minor);
	scene_grow(&m->s, M_PROC_USER, m->process, user);
	scene_grow(&m->s, M_PROC_SYSTEM, m->process, system);
	scene_move(&m->s, M_PROC_RSS, m->process, 100 * MIB, 100 * MIB + grown);
	scene_judge_table(&m->s, rules_memory_faults);
}

TEST(memory_that_is_mapped_and_unmapped_all_the_time_is_a_fault_storm)
{
	const struct finding *f;
	struct memory m;

	faults(&m, 4e6, 2, 12, 0);
	f = scene_finding(&m.s, "memory.minor_fault_storm");
	CHECK(f != NULL);
	CHECK_NEAR(f->impact.wasted, 1.0, 1e-6);
	CHECK_STR(f->offenders[0].name, "searchd");
	CHECK_INT(f->severity, SEV_WARN);
	scene_close(&m.s);
}

TEST(memory_that_is_touched_once_and_kept_is_no_storm)
{
	struct memory m;

	faults(&m, 4e6, 2, 12, 3e6 * 4096);
	CHECK(!scene_finding(&m.s, "memory.minor_fault_storm"));
	scene_close(&m.s);
}

TEST(faults_beside_much_work_are_no_storm)
{
	struct memory m;

	faults(&m, 1.2e6, 18, 2, 0);
	CHECK(!scene_finding(&m.s, "memory.minor_fault_storm"));
	scene_close(&m.s);
}

static void cold(struct memory *m, double back, double asked)
{
	memory_open(m, INFINITY);
	scene_grow(&m->s, M_MAJOR_FAULTS, scene_system, 5000);
	scene_grow(&m->s, M_REFAULT_FILE, scene_system, back);
	scene_grow(&m->s, M_PAGED_IN, scene_system, 600 * MIB);
	scene_grow(&m->s, M_PROC_MAJFLT, m->process, 5000);
	scene_grow(&m->s, M_PROC_READ_BYTES, m->process, 600 * MIB);
	scene_grow(&m->s, M_PROC_RCHAR, m->process, asked);
	scene_grow(&m->s, M_THREAD_DISK, m->thread, 6);
	scene_judge(&m->s, "memory.major_faults");
}

TEST(pages_touched_for_the_first_time_are_major_faults)
{
	struct memory m;

	cold(&m, 0, 0);
	CHECK(scene_finding(&m.s, "memory.major_faults") != NULL);
	CHECK_NEAR(scene_finding(&m.s, "memory.major_faults")->impact.lost, 0.6, 1e-6);
	scene_close(&m.s);
}

TEST(pages_that_were_in_memory_before_are_another_matter)
{
	struct memory m;

	cold(&m, 400 * MIB, 0);
	CHECK(!scene_finding(&m.s, "memory.major_faults"));
	scene_close(&m.s);
}

TEST(reads_that_were_asked_for_are_not_faults)
{
	struct memory m;

	cold(&m, 0, 600 * MIB);
	CHECK(!scene_finding(&m.s, "memory.major_faults"));
	scene_close(&m.s);
}

static void compaction(struct memory *m, double scanned, double stalls, double thp, double system)
{
	memory_open(m, INFINITY);
	scene_grow(&m->s, M_COMPACT_STALL, scene_system, stalls);
	scene_grow(&m->s, M_COMPACT_MIGRATE, scene_system, scanned * 4096);
	scene_grow(&m->s, M_COMPACT_FREE, scene_system, 0);
	scene_grow(&m->s, M_MIGRATED, scene_system, scanned * 4096 / 100);
	scene_grow(&m->s, M_THP_FAULT_ALLOC, scene_system, thp / 2);
	scene_grow(&m->s, M_THP_FAULT_FALLBACK, scene_system, thp / 2);
	scene_grow(&m->s, M_PROC_SYSTEM, m->process, system);
	scene_grow(&m->s, M_THREAD_RECLAIM, m->thread, stalls > 0 ? 3 : 0);
	scene_judge_table(&m->s, rules_memory_faults);
}

TEST(compaction_in_a_loop_is_told_from_huge_page_faults)
{
	struct memory m;

	compaction(&m, 3e8, 0, 0, 8);
	CHECK(scene_finding(&m.s, "memory.compaction") != NULL);
	CHECK_STR(scene_finding(&m.s, "memory.compaction")->offenders[0].name, "searchd");
	CHECK(!scene_finding(&m.s, "memory.thp_stall"));
	scene_close(&m.s);
	compaction(&m, 1e7, 400, 1000, 4);
	CHECK(!scene_finding(&m.s, "memory.compaction"));
	CHECK(scene_finding(&m.s, "memory.thp_stall") != NULL);
	scene_close(&m.s);
}

TEST(compaction_now_and_then_is_silent)
{
	struct memory m;

	compaction(&m, 1e4, 2, 2, 1);
	CHECK_INT((int)m.s.report.findings.n, 0);
	scene_close(&m.s);
}

/* ---- kills and hardware ---- */

static void event(struct memory *m, enum event_kind kind, int pid, const char *comm,
		  const char *cgroup, bool live)
{
	struct row_id id = { .key = snapshot_rows(&m->s.last, SCOPE_EVENT) + 1 };
	size_t r = snapshot_row(&m->s.last, SCOPE_EVENT, id, "", 0);

	snapshot_set(&m->s.last, M_EVENT_LIVE, r, live, 1);
	snapshot_set(&m->s.last, M_EVENT_KIND, r, kind, 1);
	snapshot_set(&m->s.last, M_EVENT_PID, r, (uint64_t)pid, 1);
	snapshot_set_text(&m->s.last, M_EVENT_COMM, r, comm, strlen(comm), 1);
	if (*cgroup)
		snapshot_set_text(&m->s.last, M_EVENT_CGROUP, r, cgroup, strlen(cgroup), 1);
}

TEST(kills_by_a_groups_limit_name_the_group_and_the_killed)
{
	const struct finding *f;
	struct memory m;

	memory_open(&m, 96 * MIB);
	scene_grow(&m.s, M_OOM_KILL, scene_system, 5);
	scene_grow(&m.s, M_CG_MEM_OOM_KILLS, m.group, 5);
	scene_grow(&m.s, M_CG_MEM_MAX_EVENTS, m.group, 500);
	for (int i = 0; i < 5; i++)
		event(&m, EVENT_OOM_KILL, 500 + i, "thumbd", "/svc", true);
	event(&m, EVENT_OOM_KILL, 9, "old", "", false);
	scene_judge(&m.s, "memory.oom_kill");
	f = scene_finding(&m.s, "memory.oom_kill");
	CHECK(f != NULL);
	CHECK_INT((int)m.s.report.findings.n, 1);
	CHECK_NEAR(f->impact.failed, 0.5, 1e-9);
	CHECK_INT(f->severity, SEV_CRIT);
	CHECK_STR(f->offenders[0].name, "/svc");
	CHECK_STR(f->offenders[1].name, "thumbd");
	CHECK_HAS(f->summary, "5 processes of cgroup /svc");
	CHECK_HAS(f->summary, "96.0 MiB");
	scene_close(&m.s);
}

TEST(counters_alone_tell_whose_limit_it_was)
{
	const struct finding *f;
	struct memory m;
	struct row_id leaf;

	memory_open(&m, 96 * MIB);
	leaf = scene_named(&m.s, SCOPE_CGROUP, "/svc/worker");
	scene_text(&m.s, M_CG_PATH, leaf, "/svc/worker");
	scene_text(&m.s, M_CG_CONTROLLERS, leaf, "");
	scene_level(&m.s, M_CG_MEM_LIMIT, leaf, INFINITY);
	scene_grow(&m.s, M_OOM_KILL, scene_system, 1);
	scene_grow(&m.s, M_CG_MEM_OOM_KILLS, m.group, 1);
	scene_grow(&m.s, M_CG_MEM_OOM_KILLS, leaf, 1);
	scene_grow(&m.s, M_CG_MEM_MAX_EVENTS, m.group, 50);
	scene_judge(&m.s, "memory.oom_kill");
	f = scene_finding(&m.s, "memory.oom_kill");
	CHECK(f != NULL);
	CHECK_INT((int)m.s.report.findings.n, 1);
	CHECK_STR(f->instance, "/svc");
	CHECK_INT(f->severity, SEV_WARN);
	CHECK_HAS(f->summary, "1 process of");
	scene_close(&m.s);
}

TEST(kills_that_no_group_claims_are_the_machines)
{
	const struct finding *f;
	struct memory m;

	memory_open(&m, INFINITY);
	scene_grow(&m.s, M_OOM_KILL, scene_system, 1);
	event(&m, EVENT_OOM_KILL, 12, "java", "", true);
	scene_level(&m.s, M_PROC_RSS, m.process, 6 * GIB);
	scene_judge(&m.s, "memory.oom_kill");
	f = scene_finding(&m.s, "memory.oom_kill");
	CHECK(f != NULL);
	CHECK_INT(f->severity, SEV_CRIT);
	CHECK_STR(f->victims[0].name, "java");
	CHECK_STR(f->offenders[0].name, "searchd");
	CHECK_HAS(f->summary, "The machine ran out of memory");
	scene_close(&m.s);
}

TEST(kills_of_the_past_are_silent)
{
	struct memory m;

	memory_open(&m, 96 * MIB);
	scene_grow(&m.s, M_CG_MEM_OOM_KILLS, m.group, 0);
	event(&m, EVENT_OOM_KILL, 12, "java", "", false);
	scene_judge(&m.s, "memory.oom_kill");
	CHECK_INT((int)m.s.report.findings.n, 0);
	scene_close(&m.s);
}

TEST(a_module_that_corrects_all_the_time_is_named)
{
	const struct finding *f;
	struct memory m;
	struct row_id dimm;

	memory_open(&m, INFINITY);
	dimm = scene_named(&m.s, SCOPE_NUMA, "mc0/dimm3");
	scene_text(&m.s, M_MC_LABEL, dimm, "DIMM_A2");
	scene_grow(&m.s, M_MC_CORRECTED, dimm, 40);
	scene_grow(&m.s, M_MC_CORRECTED, scene_named(&m.s, SCOPE_NUMA, "mc0"), 40);
	scene_grow(&m.s, M_ECC_CORRECTED, scene_system, 40);
	scene_grow(&m.s, M_ECC_UNCORRECTED, scene_system, 0);
	scene_judge(&m.s, "memory.hardware_errors");
	f = scene_finding(&m.s, "memory.hardware_errors");
	CHECK(f != NULL);
	CHECK_INT(f->severity, SEV_WARN);
	CHECK_STR(f->offenders[0].name, "DIMM_A2");
	scene_close(&m.s);
}

TEST(old_errors_are_silent_and_no_counters_are_unknown)
{
	struct memory m;

	memory_open(&m, INFINITY);
	scene_grow(&m.s, M_ECC_CORRECTED, scene_system, 0);
	scene_grow(&m.s, M_ECC_UNCORRECTED, scene_system, 0);
	scene_judge(&m.s, "memory.hardware_errors");
	CHECK_INT((int)m.s.report.findings.n, 0);
	CHECK(!scene_unknown(&m.s, "memory.hardware_errors"));
	scene_close(&m.s);
	memory_open(&m, INFINITY);
	scene_judge(&m.s, "memory.hardware_errors");
	CHECK(scene_unknown(&m.s, "memory.hardware_errors") != NULL);
	scene_close(&m.s);
}

TEST(a_node_without_memory_beside_one_with_plenty_is_exhausted)
{
	static const char *const nodes[] = { "node0", "node1" };
	struct memory m;

	memory_open(&m, INFINITY);
	for (int i = 0; i < 2; i++) {
		struct row_id node = scene_named(&m.s, SCOPE_NUMA, nodes[i]), zone;
		char name[32];

		scene_level(&m.s, M_NODE_TOTAL, node, 4 * GIB);
		scene_level(&m.s, M_NODE_FREE, node, i ? 3 * GIB : 10 * MIB);
		snprintf(name, sizeof(name), "%s/Normal", nodes[i]);
		zone = scene_named(&m.s, SCOPE_NUMA, name);
		scene_level(&m.s, M_ZONE_FREE, zone, i ? 3 * GIB : 10 * MIB);
		scene_level(&m.s, M_ZONE_LOW, zone, 20 * MIB);
	}
	scene_grow(&m.s, M_ALLOCSTALL_NORMAL, scene_system, 900);
	scene_grow(&m.s, M_THREAD_RECLAIM, m.thread, 5);
	scene_judge(&m.s, "memory.node_exhausted");
	CHECK(scene_finding(&m.s, "memory.node_exhausted") != NULL);
	CHECK_STR(scene_finding(&m.s, "memory.node_exhausted")->instance, "node0");
	scene_close(&m.s);
}

TEST(stalls_of_niced_work_hurt_nobody)
{
	struct memory m;

	memory_open(&m, 256 * MIB);
	comes_back(&m, 0, 1000 * MIB, 20000);
	scene_grow(&m.s, M_SWAP_IN, scene_system, 1000 * MIB);
	scene_grow(&m.s, M_SWAP_OUT, scene_system, 900 * MIB);
	scene_grow(&m.s, M_CG_PSI_MEM_SOME, m.group, 6);
	scene_grow(&m.s, M_PROC_MAJFLT, m.process, 20000);
	scene_level(&m.s, M_PROC_NICE, m.process, 10);
	judge(&m, "");
	CHECK_INT((int)m.s.report.findings.n, 0);
	scene_close(&m.s);
}

TEST(a_machine_whose_reads_are_new_is_not_short_though_kswapd_works)
{
	struct memory m;

	memory_open(&m, INFINITY);
	scene_grow(&m.s, M_SCAN_KSWAPD, scene_system, 900 * MIB);
	scene_grow(&m.s, M_REFAULT_FILE, scene_system, 20 * MIB);
	scene_grow(&m.s, M_PAGED_IN, scene_system, 900 * MIB);
	scene_grow(&m.s, M_THREAD_DISK, m.thread, 8);
	judge(&m, "");
	CHECK_INT((int)m.s.report.findings.n, 0);
	scene_close(&m.s);
}

TEST(a_machine_that_reads_the_same_again_and_again_is_short_of_cache)
{
	struct memory m;

	memory_open(&m, INFINITY);
	scene_grow(&m.s, M_SCAN_KSWAPD, scene_system, 900 * MIB);
	scene_grow(&m.s, M_REFAULT_FILE, scene_system, 800 * MIB);
	scene_grow(&m.s, M_PAGED_IN, scene_system, 900 * MIB);
	scene_grow(&m.s, M_PROC_READ_BYTES, m.process, 900 * MIB);
	scene_grow(&m.s, M_THREAD_DISK, m.thread, 8);
	CHECK(judge(&m, "memory.pagecache_thrash") != NULL);
	CHECK_HAS(scene_finding(&m.s, "memory.pagecache_thrash")->summary, "the machine");
	CHECK_STR(scene_finding(&m.s, "memory.pagecache_thrash")->offenders[0].name, "searchd");
	scene_close(&m.s);
}

TEST(of_several_users_of_a_full_tmpfs_the_one_that_fails_most_is_named)
{
	struct memory m;
	struct row_id fs, other;

	memory_open(&m, INFINITY);
	fs = scene_named(&m.s, SCOPE_FS, "/run/q");
	scene_text(&m.s, M_FS_TYPE, fs, "tmpfs");
	scene_level(&m.s, M_FS_SIZE, fs, MIB);
	scene_level(&m.s, M_FS_AVAILABLE, fs, 0);
	scene_text(&m.s, M_FS_USERS, fs, "50:w:9 77:c:3");
	other = scene_process(&m.s, 50, "idle-writer");
	scene_grow(&m.s, M_PROC_SYSCW, other, 5);
	scene_grow(&m.s, M_PROC_WCHAR, other, 50000);
	scene_grow(&m.s, M_PROC_SYSCW, m.process, 300);
	scene_grow(&m.s, M_PROC_WCHAR, m.process, 0);
	scene_judge(&m.s, "memory.tmpfs_full");
	CHECK(scene_finding(&m.s, "memory.tmpfs_full") != NULL);
	CHECK_HAS(scene_finding(&m.s, "memory.tmpfs_full")->summary, "most by searchd[77]");
	CHECK_NEAR(scene_finding(&m.s, "memory.tmpfs_full")->impact.failed, 30, 1e-6);
	scene_close(&m.s);
}
