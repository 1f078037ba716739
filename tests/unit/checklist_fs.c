/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/fs.h"
#include "model/event.h"
#include "tests/unit/scene.h"
#include "tests/unit/unit.h"

#define GB 1e9

static struct scene s;

static struct row_id fs(const char *point, const char *type, double size, double available)
{
	struct row_id f = scene_named(&s, SCOPE_FS, point);

	scene_text(&s, M_FS_TYPE, f, type);
	scene_text(&s, M_FS_SOURCE, f, "/dev/vda1");
	scene_text(&s, M_FS_DISK, f, "vda");
	scene_text(&s, M_FS_OPTIONS, f, "rw");
	scene_level(&s, M_FS_READONLY, f, 0);
	scene_level(&s, M_FS_SIZE, f, size);
	scene_level(&s, M_FS_FREE, f, available);
	scene_level(&s, M_FS_AVAILABLE, f, available);
	scene_level(&s, M_FS_INODES, f, 100000);
	scene_level(&s, M_FS_INODES_FREE, f, 50000);
	scene_level(&s, M_FS_HUNG, f, 0);
	return f;
}

static struct row_id writer(int64_t pid, const char *comm, double calls, double bytes)
{
	struct row_id p = scene_process(&s, pid, comm);

	scene_grow(&s, M_PROC_SYSCW, p, calls);
	scene_grow(&s, M_PROC_WCHAR, p, bytes);
	scene_grow(&s, M_PROC_WRITE_BYTES, p, bytes);
	return p;
}

static void waits(int64_t pid, const char *comm, enum metric_id wait, double seconds,
		  const char *wchan)
{
	struct row_id t = scene_thread(&s, pid, pid, comm);

	scene_process(&s, pid, comm);
	scene_grow(&s, M_THREAD_USER, t, 0.1);
	scene_grow(&s, wait, t, seconds);
	scene_text(&s, M_THREAD_WCHAN, t, wchan);
}

static const struct finding *found(const char *id)
{
	return scene_finding(&s, id);
}

static bool has_offender(const struct finding *f, const char *name)
{
	for (unsigned i = 0; i < f->noffenders; i++)
		if (!strcmp(f->offenders[i].name, name))
			return true;
	return false;
}

TEST(a_full_file_system_with_a_writer_whose_calls_write_nothing_is_no_space)
{
	scene_open(&s, 2, 10);
	scene_text(&s, M_FS_USERS, fs("/data", "ext4", 1 * GB, 0), "100:w:10 200:r:3");
	writer(100, "metrics", 2000, 900);
	writer(200, "reader", 2000, 2000 * 4096.0);
	scene_judge_table(&s, rules_fs);
	const struct finding *f = found("fs.no_space");
	CHECK(f != NULL);
	CHECK_INT(f->severity, SEV_CRIT);
	CHECK_NEAR(f->impact.failed, 200, 1e-6);
	CHECK(has_offender(f, "/data"));
	CHECK(has_offender(f, "metrics"));
	CHECK(!has_offender(f, "reader"));
	CHECK_STR(f->victims[0].name, "metrics");
	scene_close(&s);
}

TEST(a_full_file_system_that_nobody_writes_to_is_worth_an_info_at_most)
{
	scene_open(&s, 2, 10);
	fs("/archive", "ext4", 1 * GB, 0);
	scene_judge_table(&s, rules_fs);
	for (size_t i = 0; i < s.report.findings.n; i++)
		CHECK_INT(s.report.findings.list[i].severity, SEV_INFO);
	scene_close(&s);
}

/* An event loop wakes itself through an eventfd: eight bytes a call, all of them written. */
TEST(many_tiny_writes_elsewhere_are_not_failing_writes)
{
	scene_open(&s, 2, 10);
	scene_text(&s, M_FS_USERS, fs("/data", "ext4", 1 * GB, 0), "100:w:10");
	writer(100, "loop", 20000, 160000);
	scene_judge_table(&s, rules_fs);
	const struct finding *f = found("fs.no_space");
	CHECK(f != NULL);
	CHECK_INT(f->severity, SEV_WARN);
	CHECK(isnan(f->impact.failed));
	CHECK(f->confidence <= 0.7);
	CHECK_HAS(f->summary, "cannot be seen");
	scene_close(&s);
}

TEST(images_overlays_tmpfs_and_read_only_mounts_are_never_full)
{
	scene_open(&s, 2, 10);
	fs("/snap/core", "squashfs", 1 * GB, 0);
	fs("/mnt/dvd", "iso9660", 1 * GB, 0);
	scene_text(&s, M_FS_LAYER_OF, fs("/var/lib/docker/overlay2/x/merged", "overlay", 1 * GB, 0),
		   "/");
	fs("/dev/shm", "tmpfs", 1 * GB, 0);
	scene_level(&s, M_FS_READONLY, fs("/usr", "ext4", 1 * GB, 0), 1);
	scene_judge_table(&s, rules_fs);
	CHECK_UINT(s.report.findings.n, 0);
	scene_close(&s);
}

TEST(a_file_system_that_ran_full_while_we_watched_is_critical)
{
	scene_open(&s, 2, 10);
	struct row_id f = fs("/data", "xfs", 10 * GB, 0);
	scene_move(&s, M_FS_AVAILABLE, f, 1 * GB, 0);
	scene_judge_table(&s, rules_fs);
	CHECK(found("fs.no_space") != NULL);
	CHECK_INT(found("fs.no_space")->severity, SEV_CRIT);
	scene_close(&s);
}

TEST(no_inodes_with_free_space_is_found)
{
	scene_open(&s, 2, 10);
	struct row_id f = fs("/sess", "ext4", 1 * GB, 0.9 * GB);
	scene_level(&s, M_FS_INODES_FREE, f, 0);
	scene_judge_table(&s, rules_fs);
	CHECK(found("fs.no_inodes") != NULL);
	CHECK(has_offender(found("fs.no_inodes"), "/sess"));
	CHECK(found("fs.no_inodes")->severity >= SEV_WARN);
	CHECK(!found("fs.no_space"));
	scene_close(&s);
}

TEST(a_file_system_that_makes_inodes_as_needed_has_no_limit_of_them)
{
	scene_open(&s, 2, 10);
	struct row_id f = scene_named(&s, SCOPE_FS, "/btrfs");
	scene_text(&s, M_FS_TYPE, f, "btrfs");
	scene_level(&s, M_FS_READONLY, f, 0);
	scene_level(&s, M_FS_SIZE, f, GB);
	scene_level(&s, M_FS_FREE, f, GB / 2);
	scene_level(&s, M_FS_AVAILABLE, f, GB / 2);
	scene_judge_table(&s, rules_fs);
	CHECK_UINT(s.report.findings.n, 0);
	scene_close(&s);
}

TEST(steady_growth_towards_the_end_is_filling_up_and_names_the_writer)
{
	scene_open(&s, 2, 10);
	struct row_id f = fs("/var", "ext4", 0.9 * GB, 0);
	scene_move(&s, M_FS_AVAILABLE, f, 0.7 * GB, 0.4 * GB);
	scene_text(&s, M_FS_USERS, f, "100:w:9 200:r:9");
	writer(100, "logger", 5000, 3e8);
	writer(200, "other", 10, 9e8);
	scene_judge_table(&s, rules_fs);
	const struct finding *g = found("fs.filling_up");
	CHECK(g != NULL);
	CHECK_NEAR(g->impact.to_limit, 0.4 / 0.03, 0.1);
	CHECK_INT(impact_severity(&g->impact, 2), SEV_CRIT);
	CHECK(has_offender(g, "logger"));
	CHECK(!has_offender(g, "other"));
	CHECK(has_offender(g, "/var"));
	scene_close(&s);
}

TEST(a_copy_on_a_large_empty_disk_is_not_filling_up)
{
	scene_open(&s, 2, 10);
	struct row_id f = fs("/data", "ext4", 1000 * GB, 0);
	scene_move(&s, M_FS_AVAILABLE, f, 802 * GB, 800 * GB); /* 200 MB/s: full in 67 minutes */
	struct row_id g = fs("/build", "ext4", 270 * GB, 0);
	scene_move(&s, M_FS_AVAILABLE, g, 87 * GB,
		   85 * GB); /* full in 7 minutes at this pace, which no build keeps up */
	scene_move(&s, M_FS_SIZE, g, 270 * GB, 270 * GB);
	scene_judge_table(&s, rules_fs);
	CHECK(!found("fs.filling_up") || strcmp(found("fs.filling_up")->instance, "/data"));
	scene_close(&s);
}

TEST(space_that_comes_and_goes_is_not_filling_up)
{
	scene_open(&s, 2, 10);
	struct row_id f = fs("/tmp", "ext4", 1 * GB, 0);
	scene_move(&s, M_FS_AVAILABLE, f, 0.3 * GB, 0.3 * GB);
	scene_judge_table(&s, rules_fs);
	CHECK_UINT(s.report.findings.n, 0);
	scene_close(&s);
}

TEST(deleted_files_matter_when_room_is_short)
{
	for (int full = 0; full < 2; full++) {
		scene_open(&s, 2, 10);
		struct row_id f = fs("/var", "ext4", 1 * GB, full ? 0 : 0.5 * GB);
		scene_level(&s, M_FS_DELETED, f, 0.4 * GB);
		scene_text(&s, M_FS_DELETED_BY, f,
			   "100 7 400000000 /var/log/app log\n200 3 12 /var/x");
		scene_process(&s, 100, "appd");
		scene_judge_table(&s, rules_fs);
		const struct finding *g = found("fs.deleted_open_file");
		CHECK((g != NULL) == (full == 1));
		if (g) {
			CHECK_STR(g->offenders[0].name, "appd");
			CHECK_INT(g->offenders[0].pid, 100);
			CHECK_NEAR(g->offenders[0].share, 1, 0.01);
			CHECK_HAS(g->summary, "/var/log/app log");
			CHECK_INT(g->severity, SEV_CRIT);
		}
		scene_close(&s);
	}
}

TEST(an_aborted_file_system_is_found_however_it_says_so)
{
	scene_open(&s, 2, 10);
	scene_level(&s, M_FS_READONLY, fs("/a", "ext4", GB, GB / 2), 2);
	struct row_id b = fs("/b", "ext4", GB, GB / 2);
	scene_level(&s, M_FS_READONLY, b, 1);
	scene_grow(&s, M_FS_ERRORS, b, 0);
	scene_level(&s, M_FS_ERROR_TIME, b, 2000000000);
	scene_judge_table(&s, rules_fs);
	CHECK_UINT(s.report.findings.n, 2);
	for (int i = 0; i < 2; i++) {
		CHECK_STR(s.report.findings.list[i].id, "fs.remounted_readonly");
		CHECK_INT(s.report.findings.list[i].severity, SEV_CRIT);
		CHECK(has_offender(&s.report.findings.list[i], "vda"));
	}
	scene_close(&s);
}

TEST(a_file_system_that_is_read_only_all_the_time_is_silent_and_a_remount_by_hand_is_an_info)
{
	scene_open(&s, 2, 10);
	scene_level(&s, M_FS_READONLY, fs("/boot", "ext4", GB, GB / 2), 1);
	scene_move(&s, M_FS_READONLY, fs("/usr", "ext4", GB, GB / 2), 0, 1);
	scene_judge_table(&s, rules_fs);
	CHECK_UINT(s.report.findings.n, 1);
	CHECK_STR(s.report.findings.list[0].instance, "/usr");
	CHECK_INT(s.report.findings.list[0].severity, SEV_INFO);
	scene_close(&s);
}

TEST(the_log_tells_of_a_shutdown_that_the_options_do_not_show)
{
	struct row_id id = { .key = 5 };

	scene_open(&s, 2, 10);
	fs("/data", "xfs", GB, GB / 2);
	scene_named(&s, SCOPE_DISK, "vda");
	snapshot_row(&s.last, SCOPE_EVENT, id, "", 0);
	scene_level(&s, M_EVENT_TIME, id, 1004);
	scene_level(&s, M_EVENT_LIVE, id, 1);
	scene_level(&s, M_EVENT_LEVEL, id, 1);
	scene_level(&s, M_EVENT_KIND, id, EVENT_FS_READONLY);
	scene_text(&s, M_EVENT_DEVICE, id, "vda1");
	scene_text(&s, M_EVENT_TEXT, id, "XFS (vda1): Filesystem has been shut down");
	scene_judge_table(&s, rules_fs);
	CHECK(found("fs.remounted_readonly") != NULL);
	CHECK_HAS(found("fs.remounted_readonly")->summary, "shut down");
	scene_close(&s);
}

TEST(a_mount_that_does_not_answer_needs_somebody_who_waits)
{
	for (int waiting = 0; waiting < 2; waiting++) {
		scene_open(&s, 2, 10);
		struct row_id f = fs("/mnt/nfs", "nfs4", GB, GB / 2);
		scene_level(&s, M_FS_HUNG, f, 1);
		if (waiting)
			waits(100, "backup", M_THREAD_FS, 10, "rpc_wait_bit_killable");
		else
			waits(100, "web", M_THREAD_POLL, 10, "ep_poll");
		scene_judge_table(&s, rules_fs);
		CHECK(found("fs.hung_mount") != NULL);
		CHECK_INT(found("fs.hung_mount")->severity, waiting ? SEV_WARN : SEV_INFO);
		CHECK_INT((int)found("fs.hung_mount")->nvictims, waiting);
		scene_close(&s);
	}
}

TEST(a_mount_that_missed_one_answer_is_not_hung)
{
	scene_open(&s, 2, 10);
	scene_move(&s, M_FS_HUNG, fs("/mnt/nfs", "nfs4", GB, GB / 2), 1, 0);
	waits(100, "backup", M_THREAD_FS, 10, "rpc_wait_bit_killable");
	scene_judge(&s, "fs.hung_mount");
	CHECK(!found("fs.hung_mount"));
	scene_close(&s);
}

TEST(writers_at_the_gate_of_a_frozen_file_system)
{
	scene_open(&s, 2, 10);
	scene_text(&s, M_FS_USERS, fs("/data", "ext4", GB, GB / 2), "100:w:1");
	waits(100, "db", M_THREAD_KLOCK, 10, "percpu_rwsem_wait");
	scene_judge_table(&s, rules_fs);
	CHECK(found("fs.frozen") != NULL);
	CHECK(has_offender(found("fs.frozen"), "/data"));
	CHECK_STR(found("fs.frozen")->victims[0].name, "db");
	scene_close(&s);
}

TEST(threads_in_directories_and_the_journal_are_a_metadata_storm)
{
	scene_open(&s, 2, 10);
	waits(100, "mail", M_THREAD_KLOCK, 18, "do_unlinkat");
	scene_judge_table(&s, rules_fs);
	CHECK(found("fs.metadata_storm") != NULL);
	CHECK_STR(found("fs.metadata_storm")->offenders[0].name, "mail");
	CHECK_NEAR(found("fs.metadata_storm")->impact.lost, 1.8, 0.01);
	scene_close(&s);
}

TEST(a_fuse_server_that_waits_for_work_is_idle_and_its_clients_are_not)
{
	scene_open(&s, 2, 10);
	scene_text(&s, M_FS_TYPE, fs("/mnt/s3", "fuse.s3fs", GB, GB / 2), "fuse.s3fs");
	waits(100, "s3fs", M_THREAD_SLEEP, 10, "fuse_dev_do_read");
	waits(200, "app", M_THREAD_FS, 8, "request_wait_answer");
	scene_judge_table(&s, rules_fs);
	const struct finding *f = found("fs.fuse_slow");
	CHECK(f != NULL);
	CHECK_INT((int)f->nvictims, 1);
	CHECK_STR(f->victims[0].name, "app");
	CHECK(has_offender(f, "/mnt/s3"));
	CHECK(!found("fs.nfs_slow"));
	scene_close(&s);
}

/* ---- the kernel log ---- */

static void event(uint64_t seq, enum event_kind kind, double level, double facility,
		  const char *device, const char *text, double ago)
{
	struct row_id id = { .key = seq };

	snapshot_row(&s.last, SCOPE_EVENT, id, "", 0);
	scene_level(&s, M_EVENT_TIME, id, 1000 + s.duration - ago);
	scene_level(&s, M_EVENT_LIVE, id, ago >= 0 && ago <= s.duration);
	scene_level(&s, M_EVENT_LEVEL, id, level);
	scene_level(&s, M_EVENT_FACILITY, id, facility);
	scene_level(&s, M_EVENT_KIND, id, kind);
	scene_text(&s, M_EVENT_DEVICE, id, device);
	scene_text(&s, M_EVENT_TEXT, id, text);
}

TEST(repeated_hardware_errors_fire_and_a_programs_lines_count_less)
{
	for (int program = 0; program < 2; program++) {
		scene_open(&s, 2, 10);
		for (uint64_t i = 1; i < 8; i++)
			event(i, EVENT_EDAC, 3, program, "MC0", "EDAC MC0: 1 CE", 5);
		scene_judge_table(&s, rules_kernel);
		const struct finding *f = found("kernel.log_errors");
		CHECK(f != NULL);
		CHECK_INT(f->severity, SEV_WARN);
		CHECK(has_offender(f, "MC0"));
		CHECK(program ? f->confidence < 0.7 : f->confidence >= 0.9);
		if (program)
			CHECK_HAS(f->summary, "written by a program");
		scene_close(&s);
	}
}

TEST(old_errors_warnings_and_what_has_a_rule_of_its_own_do_not_fill_the_log)
{
	scene_open(&s, 2, 10);
	event(1, EVENT_EDAC, 3, 0, "MC0", "old", 3000);
	event(2, EVENT_EDAC, 3, 0, "MC0", "just before", 40);
	event(3, EVENT_OTHER_ERROR, 4, 0, "", "a warning", 5);
	event(4, EVENT_NONE, 4, 0, "", "another", 5);
	event(5, EVENT_OOM_KILL, 3, 0, "", "Killed process", 5);
	event(6, EVENT_IO_ERROR, 3, 0, "sda", "I/O error", 5);
	event(7, EVENT_SEGFAULT, 6, 0, "", "segfault", 5);
	scene_judge_table(&s, rules_kernel);
	CHECK_UINT(s.report.findings.n, 0);
	scene_close(&s);
}

TEST(one_odd_line_is_an_info)
{
	scene_open(&s, 2, 10);
	event(1, EVENT_OTHER_ERROR, 3, 0, "", "usb 1-1: device descriptor read/64, error -71", 5);
	scene_judge_table(&s, rules_kernel);
	CHECK(found("kernel.log_errors") != NULL);
	CHECK_INT(found("kernel.log_errors")->severity, SEV_INFO);
	scene_close(&s);
}

TEST(hung_tasks_lockups_and_stalls_are_taken_from_the_log)
{
	scene_open(&s, 2, 10);
	event(1, EVENT_HUNG_TASK, 3, 0, "", "INFO: task cp:77 blocked for more than 120 seconds.",
	      30);
	event(2, EVENT_SOFT_LOCKUP, 0, 0, "1",
	      "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [x:1]", 3);
	event(3, EVENT_RCU_STALL, 3, 0, "", "rcu: INFO: rcu_sched self-detected stall on CPU", 3);
	scene_judge_table(&s, rules_kernel);
	CHECK(found("kernel.hung_task") != NULL);
	CHECK(found("kernel.soft_lockup") != NULL);
	CHECK_INT(found("kernel.soft_lockup")->severity, SEV_CRIT);
	CHECK(found("kernel.rcu_stall") != NULL);
	CHECK(!found("kernel.log_errors"));
	scene_close(&s);
}

TEST(counters_of_the_kernel_serve_when_the_log_is_closed)
{
	static const struct status denied = { .name = "dev/kmsg",
					      .code = -1,
					      .why = "Operation not permitted" };

	scene_open(&s, 2, 10);
	scene_grow(&s, M_SOFT_LOCKUPS, scene_system, 1);
	scene_build(&s);
	s.view.status = &denied;
	s.view.nstatus = 1;
	scene_judge_table(&s, rules_kernel);
	CHECK(found("kernel.soft_lockup") != NULL);
	CHECK_HAS(scene_unknown(&s, "kernel.rcu_stall"), "no counter");
	CHECK_HAS(scene_unknown(&s, "kernel.hung_task"), "not permitted");
	CHECK_HAS(scene_unknown(&s, "kernel.log_errors"), "not permitted");
	scene_close(&s);
}

TEST(only_new_taint_is_judged)
{
	scene_open(&s, 2, 10);
	scene_level(&s, M_TAINTED, scene_system, 4097);
	scene_judge_table(&s, rules_kernel);
	CHECK_UINT(s.report.findings.n, 0);
	scene_close(&s);

	scene_open(&s, 2, 10);
	scene_move(&s, M_TAINTED, scene_system, 4097, 4097 + 128);
	scene_grow(&s, M_OOPS_COUNT, scene_system, 1);
	scene_judge_table(&s, rules_kernel);
	CHECK(found("kernel.tainted_new") != NULL);
	CHECK_INT(found("kernel.tainted_new")->severity, SEV_CRIT);
	CHECK_HAS(found("kernel.tainted_new")->summary, "died");
	scene_close(&s);

	scene_open(&s, 2, 10);
	scene_move(&s, M_TAINTED, scene_system, 0, 4096);
	scene_judge_table(&s, rules_kernel);
	CHECK_INT(found("kernel.tainted_new")->severity, SEV_INFO);
	scene_close(&s);
}
