/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/disk_load.h"
#include "model/event.h"
#include "tests/unit/scene.h"
#include "tests/unit/unit.h"

static struct scene s;

/* A disk that did so many operations of a size in 10 s, each with a wait; as many as fit in time were in flight. */
static struct row_id disk(const char *name, const char *kind, double reads, double writes,
			  double size, double await)
{
	struct row_id d = scene_named(&s, SCOPE_DISK, name);
	double busy = (reads + writes) * await;

	scene_text(&s, M_DISK_KIND, d, kind);
	scene_level(&s, M_DISK_SIZE, d, 1e11);
	scene_grow(&s, M_DISK_READS, d, reads);
	scene_grow(&s, M_DISK_WRITES, d, writes);
	scene_grow(&s, M_DISK_READ_BYTES, d, reads * size);
	scene_grow(&s, M_DISK_WRITE_BYTES, d, writes * size);
	scene_grow(&s, M_DISK_READ_TIME, d, reads * await);
	scene_grow(&s, M_DISK_WRITE_TIME, d, writes * await);
	scene_grow(&s, M_DISK_QUEUE_TIME, d, (reads + writes) * await);
	scene_grow(&s, M_DISK_IO_MS, d, busy < 10 ? busy : 10);
	scene_level(&s, M_DISK_IN_FLIGHT, d, (reads + writes) * await >= 10 ? 1 : 0);
	return d;
}

/* A process that moved bytes and whose threads waited in D at a place for so many seconds. */
static struct row_id worker(int64_t pid, const char *comm, double reads, double writes,
			    enum metric_id wait, double seconds, const char *wchan)
{
	struct row_id p = scene_process(&s, pid, comm), t = scene_thread(&s, pid, pid, comm);

	scene_grow(&s, M_PROC_READ_BYTES, p, reads);
	scene_grow(&s, M_PROC_WRITE_BYTES, p, writes);
	scene_level(&s, M_PROC_NICE, p, 0);
	scene_grow(&s, M_THREAD_RUN, t, 0.1);
	scene_grow(&s, M_THREAD_USER, t, 0.1);
	if (seconds > 0)
		scene_grow(&s, wait, t, seconds);
	scene_text(&s, M_THREAD_WCHAN, t, wchan);
	return p;
}

static const struct finding *found(const char *id)
{
	return scene_finding(&s, id);
}

static const char *offender(const struct finding *f, unsigned i)
{
	return i < f->noffenders ? f->offenders[i].name : "(none)";
}

TEST(a_standing_queue_that_threads_wait_in_is_saturation)
{
	scene_open(&s, 4, 10);
	disk("nvme0n1", "nvme", 900000, 0, 4096, 0.0004); /* 36 in flight */
	worker(100, "docs", 900000 * 4096.0, 0, M_THREAD_DISK, 300, "__iomap_dio_rw");
	scene_judge_table(&s, rules_disk);
	const struct finding *f = found("disk.saturated");
	CHECK(f != NULL);
	CHECK_STR(offender(f, 0), "docs");
	CHECK_INT(f->offenders[0].pid, 100);
	CHECK_STR(offender(f, 1), "nvme0n1");
	CHECK_STR(f->victims[0].name, "docs");
	CHECK_NEAR(f->impact.lost, 30, 0.01);
	CHECK_HAS(f->summary, "IOPS limit");
	CHECK(f->confidence >= 0.5);
	CHECK(!found("disk.slow_device"));
	CHECK(!found("disk.noisy_neighbour_io"));
	CHECK(!found("disk.hung_io_dstate"));
	scene_close(&s);
}

TEST(a_busy_disk_without_a_queue_is_silent)
{
	scene_open(&s, 4, 10);
	disk("vda", "virtio", 1000, 0, 262144, 0.009); /* 90 % busy, less than one in flight */
	worker(100, "media", 262144e3, 0, M_THREAD_DISK, 9, "folio_wait_bit_common");
	scene_judge_table(&s, rules_disk);
	CHECK(s.report.findings.n == 0);
	scene_close(&s);
}

TEST(a_deep_queue_that_nobody_waits_in_is_silent)
{
	scene_open(&s, 4, 10);
	disk("nvme0n1", "nvme", 0, 50000, 131072, 0.002); /* 10 in flight, writeback */
	worker(100, "batch", 0, 5e9, M_THREAD_DISK, 0, "");
	scene_judge_table(&s, rules_disk);
	CHECK(s.report.findings.n == 0);
	scene_close(&s);
}

TEST(kernel_threads_that_wait_for_a_disk_are_no_victims)
{
	scene_open(&s, 4, 10);
	disk("nvme0n1", "nvme", 0, 50000, 131072, 0.002);
	struct row_id k = worker(9, "kworker/u8:1", 0, 5e9, M_THREAD_DISK, 30, "blk_mq_get_tag");
	scene_level(&s, M_PROC_KTHREAD, k, 1);
	scene_judge_table(&s, rules_disk);
	CHECK(s.report.findings.n == 0);
	scene_close(&s);
}

TEST(others_behind_one_senders_queue_are_a_noisy_neighbour)
{
	scene_open(&s, 4, 10);
	disk("vda", "virtio", 200000, 0, 65536, 0.0006); /* 12 in flight */
	worker(100, "backup", 13e9, 0, M_THREAD_DISK, 20, "folio_wait_bit_common");
	worker(200, "db", 1e8, 0, M_THREAD_DISK, 18, "folio_wait_bit_common");
	scene_judge_table(&s, rules_disk);
	const struct finding *f = found("disk.noisy_neighbour_io");
	CHECK(f != NULL);
	CHECK_STR(offender(f, 0), "backup");
	CHECK_INT((int)f->nvictims, 1);
	CHECK_STR(f->victims[0].name, "db");
	CHECK_NEAR(f->impact.lost, 1.8, 0.01);
	CHECK(!found("disk.saturated"));
	scene_close(&s);
}

TEST(a_device_far_slower_than_its_kind_is_slow_and_not_saturated)
{
	scene_open(&s, 4, 10);
	disk("vdb", "virtio", 250, 0, 4096, 0.16); /* 25/s, 4 in flight: 40 ms each */
	worker(100, "pg", 1e6, 0, M_THREAD_DISK, 39, "submit_bio_wait");
	scene_judge_table(&s, rules_disk);
	const struct finding *f = found("disk.slow_device");
	CHECK(f != NULL);
	CHECK_STR(offender(f, 0), "vdb");
	CHECK_STR(f->victims[0].name, "pg");
	CHECK(!found("disk.saturated"));
	scene_close(&s);
}

TEST(a_spinning_disk_that_takes_its_time_is_not_slow)
{
	scene_open(&s, 4, 10);
	struct row_id d = disk("sda", "scsi", 900, 0, 8192, 0.011);
	scene_level(&s, M_DISK_ROTATIONAL, d, 1);
	worker(100, "db", 900 * 8192.0, 0, M_THREAD_DISK, 9.8, "folio_wait_bit_common");
	scene_judge_table(&s, rules_disk);
	CHECK(s.report.findings.n == 0);
	scene_close(&s);
}

TEST(large_writes_may_take_as_long_as_their_bytes_need)
{
	scene_open(&s, 4, 10);
	disk("vda", "virtio", 0, 1000, 1 << 20, 0.0095); /* 1 MiB each in 9.5 ms */
	worker(100, "copy", 0, 1e9, M_THREAD_DISK, 9, "folio_wait_bit_common");
	scene_judge_table(&s, rules_disk);
	CHECK(!found("disk.slow_device"));
	scene_close(&s);
}

TEST(requests_that_never_complete_are_hung_io)
{
	scene_open(&s, 4, 10);
	struct row_id d = disk("loop0", "loop", 0, 0, 0, 0);
	scene_level(&s, M_DISK_IN_FLIGHT, d, 6);
	scene_text(&s, M_DISK_ALIAS, d, "/mnt/x.img");
	worker(100, "cms", 0, 0, M_THREAD_DISK, 60, "submit_bio_wait");
	scene_judge_table(&s, rules_disk);
	const struct finding *f = found("disk.hung_io_dstate");
	CHECK(f != NULL);
	CHECK_STR(offender(f, 0), "loop0");
	CHECK_STR(f->victims[0].name, "cms");
	CHECK_NEAR(f->impact.lost, 6, 0.01);
	CHECK_HAS(f->summary, "at least 10 s");
	scene_close(&s);
}

TEST(a_stale_counter_of_requests_that_nobody_waits_for_is_silent)
{
	scene_open(&s, 4, 10);
	struct row_id d = disk("sdb", "scsi", 0, 0, 0, 0);
	scene_level(&s, M_DISK_IN_FLIGHT, d, 1);
	worker(100, "web", 0, 0, M_THREAD_POLL, 9, "ep_poll");
	scene_judge_table(&s, rules_disk);
	CHECK(s.report.findings.n == 0);
	scene_close(&s);
}

TEST(a_suspended_mapping_is_hung_io_that_names_the_mapper)
{
	scene_open(&s, 4, 10);
	struct row_id d = disk("dm-2", "dm", 0, 0, 0, 0);
	scene_text(&s, M_DISK_ALIAS, d, "vg-data");
	scene_level(&s, M_DISK_SUSPENDED, d, 1);
	worker(100, "db", 0, 0, M_THREAD_DISK, 10, "folio_wait_bit_common");
	scene_judge_table(&s, rules_disk);
	CHECK(found("disk.hung_io_dstate") != NULL);
	CHECK_HAS(found("disk.hung_io_dstate")->summary, "suspended");
	scene_close(&s);
}

TEST(of_stacked_devices_the_lowest_that_explains_the_time_is_blamed)
{
	struct disk_loads l;

	scene_open(&s, 4, 10);
	struct row_id root = scene_named(&s, SCOPE_FS, "/"),
		      var = scene_named(&s, SCOPE_FS, "/var");
	scene_text(&s, M_FS_DISK, root, "vdb");
	scene_text(&s, M_FS_DISK, var, "vda");
	struct row_id dm = disk("dm-0", "dm", 9000, 0, 4096, 0.11);
	struct row_id loop = disk("loop0", "loop", 9000, 0, 4096, 0.105);
	disk("vda", "virtio", 9000, 0, 4096, 0.1);
	disk("vdb", "virtio", 10, 0, 4096, 0.001);
	scene_text(&s, M_DISK_LOWER, dm, "loop0");
	scene_text(&s, M_DISK_ALIAS, loop, "/var/lib/disk.img");
	scene_text(&s, M_DISK_USERS, dm, "100:w:3");
	worker(100, "db", 9000 * 4096.0, 0, M_THREAD_DISK, 900, "folio_wait_bit_common");
	scene_judge_table(&s, rules_disk);
	disk_loads_init(&l, &s.view);
	CHECK_UINT(l.n, 4);
	CHECK(l.list[0].explained);
	CHECK(l.list[1].explained);
	CHECK(!l.list[2].explained);
	disk_loads_done(&l);
	size_t n = 0;
	for (size_t i = 0; i < s.report.findings.n; i++)
		n += !strncmp(s.report.findings.list[i].id, "disk.", 5);
	CHECK_UINT(n, 1);
	CHECK_STR(s.report.findings.list[0].instance, "vda");
	CHECK_STR(s.report.findings.list[0].victims[0].name, "db");
	scene_close(&s);
}

TEST(a_ring_of_devices_does_not_hang_the_look)
{
	struct disk_loads l;

	scene_open(&s, 4, 10);
	struct row_id a = disk("dm-0", "dm", 9000, 0, 4096, 0.01),
		      b = disk("dm-1", "dm", 9000, 0, 4096, 0.01);
	scene_text(&s, M_DISK_LOWER, a, "dm-1\ndm-0");
	scene_text(&s, M_DISK_LOWER, b, "dm-0");
	worker(100, "db", 1e6, 0, M_THREAD_DISK, 20, "folio_wait_bit_common");
	scene_judge_table(&s, rules_disk);
	disk_loads_init(&l, &s.view);
	CHECK_UINT(l.n, 2);
	disk_loads_done(&l);
	scene_close(&s);
}

TEST(open_files_tell_which_disk_a_process_waits_for)
{
	static const enum cause waits[] = { CAUSE_DISK };
	struct disk_loads l;
	struct ranking r;

	scene_open(&s, 4, 10);
	struct row_id a = disk("vda", "virtio", 90000, 0, 4096, 0.001),
		      b = disk("vdb", "virtio", 90000, 0, 4096, 0.003);
	scene_text(&s, M_DISK_USERS, a, "100:w:3 300:r:1");
	scene_text(&s, M_DISK_USERS, b, "200:r:2 300:r:1");
	worker(100, "one", 1e8, 0, M_THREAD_DISK, 10, "x");
	worker(200, "two", 1e8, 0, M_THREAD_DISK, 10, "x");
	worker(300, "both", 1e8, 0, M_THREAD_DISK, 10, "x");
	worker(400, "unknown", 1e8, 0, M_THREAD_DISK, 10, "x");
	scene_build(&s);
	disk_loads_init(&l, &s.view);
	disk_victims(&l, 0, waits, 1, &r);
	CHECK_INT((int)r.n, 3);
	CHECK_STR(r.top[0].name, "one");
	CHECK_NEAR(r.top[0].amount, 1, 1e-6);
	CHECK_NEAR(r.top[1].amount, 0.25, 1e-6);
	CHECK_NEAR(r.top[2].amount, 0.25, 1e-6);
	CHECK(disk_users_known(&l, &r));
	disk_loads_done(&l);
	scene_close(&s);
}

TEST(users_are_found_by_whole_numbers)
{
	unsigned times = 9;

	CHECK_INT(users_find("110:w:6 11:r:2", 11, &times), 'r');
	CHECK_UINT(times, 2);
	CHECK_INT(users_find("110:w:6 11:r:2", 10, NULL), 0);
	CHECK_INT(users_find("", 1, NULL), 0);
	CHECK_INT(users_find(NULL, 1, NULL), 0);
	CHECK_INT(users_find("x:w:1 5 5: 5:c", 5, &times), 'c');
	CHECK_UINT(times, 0);
}

TEST(a_limit_of_a_group_is_found_though_the_disk_is_idle)
{
	scene_open(&s, 4, 10);
	disk("vda", "virtio", 2000, 0, 4096, 0.0003);
	struct row_id g = scene_named(&s, SCOPE_CGROUP, "blkio:/svc [vda]");
	scene_text(&s, M_CG_PATH, g, "/svc");
	scene_text(&s, M_CG_CONTROLLERS, g, "blkio");
	scene_text(&s, M_CG_DIR, g, "sys/fs/cgroup/blkio/svc");
	scene_text(&s, M_CG_IO_DEVICE, g, "vda");
	scene_level(&s, M_CG_IO_MAX_RIOPS, g, 200);
	scene_grow(&s, M_CG_IO_READS, g, 1990);
	struct row_id p = worker(100, "geo", 8e6, 0, M_THREAD_DISK, 78, "__iomap_dio_rw");
	scene_text(&s, M_PROC_CGROUP, p, "7:blkio:/svc\n0::/");
	scene_judge_table(&s, rules_disk);
	const struct finding *f = found("disk.cgroup_io_throttled");
	CHECK(f != NULL);
	CHECK_STR(offender(f, 0), "/svc");
	CHECK_STR(f->victims[0].name, "geo");
	CHECK_NEAR(f->impact.lost, 7.8, 0.01);
	CHECK_HAS(f->summary, "200");
	scene_close(&s);
}

TEST(a_group_below_its_limit_and_one_on_a_saturated_disk_are_not_throttled)
{
	scene_open(&s, 4, 10);
	disk("vda", "virtio", 20000, 0, 4096, 0.004); /* 8 in flight */
	for (int i = 0; i < 2; i++) {
		struct row_id g =
			scene_named(&s, SCOPE_CGROUP, i ? "blkio:/b [vda]" : "blkio:/a [vda]");

		scene_text(&s, M_CG_PATH, g, i ? "/b" : "/a");
		scene_text(&s, M_CG_CONTROLLERS, g, "blkio");
		scene_text(&s, M_CG_IO_DEVICE, g, "vda");
		scene_level(&s, M_CG_IO_MAX_RIOPS, g, 1000);
		scene_grow(&s, M_CG_IO_READS, g, i ? 9900 : 5000);
	}
	scene_text(&s, M_PROC_CGROUP, worker(100, "a", 8e6, 0, M_THREAD_DISK, 40, "x"),
		   "7:blkio:/a");
	scene_text(&s, M_PROC_CGROUP, worker(200, "b", 8e6, 0, M_THREAD_DISK, 40, "x"),
		   "7:blkio:/b");
	scene_judge(&s, "disk.cgroup_io_throttled");
	CHECK(!found("disk.cgroup_io_throttled"));
	scene_close(&s);
}

static void flushes(struct row_id d, double n, double each)
{
	scene_grow(&s, M_DISK_FLUSHES, d, n);
	scene_grow(&s, M_DISK_FLUSH_TIME, d, n * each);
}

TEST(writers_that_wait_for_flushes_are_an_fsync_storm)
{
	scene_open(&s, 4, 10);
	flushes(disk("vda", "virtio", 0, 100000, 2048, 0.0001), 20000, 0.0003);
	worker(100, "wal", 0, 2e8, M_THREAD_DISK, 30, "submit_bio_wait");
	scene_judge_table(&s, rules_disk);
	const struct finding *f = found("disk.fsync_storm");
	CHECK(f != NULL);
	CHECK_STR(offender(f, 0), "wal");
	CHECK_NEAR(f->impact.lost, 3, 0.01);
	scene_close(&s);
}

TEST(a_database_with_a_few_commits_and_a_reader_are_no_fsync_storm)
{
	scene_open(&s, 4, 10);
	flushes(disk("vda", "virtio", 0, 3000, 8192, 0.0003), 1000,
		0.001); /* 100 commits a second */
	worker(100, "db", 0, 2e7, M_THREAD_DISK, 1.2, "submit_bio_wait");
	worker(200, "reader", 1e9, 1, M_THREAD_DISK, 9, "folio_wait_bit_common");
	scene_judge_table(&s, rules_disk);
	CHECK(!found("disk.fsync_storm"));
	scene_close(&s);
}

TEST(ordinary_writeback_has_hardly_any_flushes)
{
	scene_open(&s, 4, 10);
	flushes(disk("vda", "virtio", 0, 100000, 65536, 0.0002), 600, 0.001);
	worker(100, "copy", 0, 6e9, M_THREAD_DISK, 9, "folio_wait_writeback");
	scene_judge_table(&s, rules_disk);
	CHECK(!found("disk.fsync_storm"));
	scene_close(&s);
}

TEST(writers_paused_for_dirty_pages_name_the_disk_they_write_to)
{
	scene_open(&s, 4, 10);
	struct row_id slow = disk("loop0", "loop", 0, 200, 1 << 20, 1.5),
		      fast = disk("vda", "virtio", 0, 5000, 65536, 0.001);
	scene_text(&s, M_DISK_USERS, slow, "100:w:9");
	scene_text(&s, M_DISK_USERS, fast, "200:w:9");
	scene_level(&s, M_DISK_BDI_STRICT, slow, 1);
	scene_level(&s, M_DISK_BDI_RATIO, slow, 0.01);
	worker(100, "export", 0, 3e8, M_THREAD_WRITEBACK, 18, "balance_dirty_pages");
	scene_judge_table(&s, rules_disk);
	const struct finding *f = found("disk.writeback_throttling");
	CHECK(f != NULL);
	CHECK_STR(offender(f, 0), "export");
	CHECK_STR(offender(f, 1), "loop0");
	CHECK_NEAR(f->impact.lost, 1.8, 0.01);
	CHECK(!found("disk.slow_device"));
	scene_close(&s);
}

TEST(a_writer_paused_for_a_moment_is_silent)
{
	scene_open(&s, 4, 10);
	disk("vda", "virtio", 0, 5000, 65536, 0.001);
	worker(100, "copy", 0, 3e8, M_THREAD_WRITEBACK, 1.0, "balance_dirty_pages");
	scene_judge_table(&s, rules_disk);
	CHECK(s.report.findings.n == 0);
	scene_close(&s);
}

/* ---- errors ---- */

static void event(uint64_t seq, enum event_kind kind, const char *device, const char *text,
		  double before_end, double facility)
{
	struct row_id id = { .key = seq };

	snapshot_row(&s.last, SCOPE_EVENT, id, "", 0);
	scene_level(&s, M_EVENT_TIME, id, 1000 + s.duration - before_end);
	scene_level(&s, M_EVENT_LIVE, id, before_end >= 0 && before_end <= s.duration);
	scene_level(&s, M_EVENT_LEVEL, id, 3);
	scene_level(&s, M_EVENT_FACILITY, id, facility);
	scene_level(&s, M_EVENT_KIND, id, kind);
	scene_text(&s, M_EVENT_DEVICE, id, device);
	scene_text(&s, M_EVENT_TEXT, id, text);
}

TEST(errors_logged_by_the_kernel_in_the_window_are_disk_errors)
{
	scene_open(&s, 4, 10);
	disk("sda", "scsi", 100, 0, 4096, 0.001);
	for (uint64_t i = 0; i < 12; i++)
		event(i + 1, EVENT_IO_ERROR, "sda1", "I/O error, dev sda, sector 8", 5, 0);
	worker(100, "tsdb", 100 * 4096.0, 0, M_THREAD_DISK, 0, "x");
	scene_judge_table(&s, rules_disk);
	const struct finding *f = found("disk.io_errors");
	CHECK(f != NULL);
	CHECK_STR(offender(f, 0), "sda");
	CHECK_NEAR(f->impact.failed, 1.2, 1e-6);
	CHECK_INT(f->severity, SEV_CRIT);
	CHECK_STR(f->victims[0].name, "tsdb");
	scene_close(&s);
}

TEST(errors_of_an_hour_ago_and_those_a_program_wrote_are_no_disk_errors)
{
	scene_open(&s, 4, 10);
	disk("sda", "scsi", 1000, 0, 4096, 0.001);
	event(1, EVENT_IO_ERROR, "sda", "I/O error, dev sda, sector 8", 3600, 0);
	event(2, EVENT_ATA_RESET, "ata3.00", "ata3.00: exception Emask 0x0", 3, 1);
	event(3, EVENT_IO_ERROR, "sda", "from the future", -500, 0);
	scene_judge_table(&s, rules_disk);
	CHECK(!found("disk.io_errors"));
	scene_close(&s);
}

TEST(errors_just_before_the_window_are_worth_knowing)
{
	scene_open(&s, 4, 10);
	disk("sda", "scsi", 1000, 0, 4096, 0.001);
	event(1, EVENT_IO_ERROR, "sda", "I/O error, dev sda, sector 8", 30, 0);
	scene_judge_table(&s, rules_disk);
	CHECK(found("disk.io_errors") != NULL);
	CHECK_INT(found("disk.io_errors")->severity, SEV_INFO);
	scene_close(&s);
}

TEST(without_the_kernel_log_errors_are_unknown_and_not_absent)
{
	static const struct status denied = { .name = "dev/kmsg",
					      .code = -1,
					      .why = "Operation not permitted" };

	scene_open(&s, 4, 10);
	scene_build(&s);
	s.view.status = &denied;
	s.view.nstatus = 1;
	scene_judge(&s, "disk.io_errors");
	scene_judge(&s, "disk.thin_provision_full");
	CHECK(!found("disk.io_errors"));
	CHECK_HAS(scene_unknown(&s, "disk.io_errors"), "not permitted");
	CHECK_HAS(scene_unknown(&s, "disk.thin_provision_full"), "not permitted");
	scene_close(&s);
}

TEST(a_degraded_array_is_news_only_when_it_is_new)
{
	for (int fresh = 0; fresh < 2; fresh++) {
		scene_open(&s, 4, 10);
		struct row_id d = disk("md0", "md", 100, 0, 4096, 0.001);
		scene_text(&s, M_DISK_STATE, d, "active");
		scene_level(&s, M_MD_DISKS, d, 2);
		scene_move(&s, M_MD_DEGRADED, d, fresh ? 0 : 1, 1);
		scene_judge_table(&s, rules_disk);
		CHECK(found("disk.raid_degraded") != NULL);
		CHECK_INT(found("disk.raid_degraded")->severity, fresh ? SEV_WARN : SEV_INFO);
		scene_close(&s);
	}
}

TEST(paths_are_counted_and_no_path_left_is_critical)
{
	scene_open(&s, 4, 10);
	struct row_id a = disk("nvme0n1", "nvme", 100, 0, 4096, 0.001),
		      b = disk("nvme1n1", "nvme", 100, 0, 4096, 0.001);
	scene_text(&s, M_DISK_PATHS, a, "nvme0 live\nnvme1 connecting");
	scene_text(&s, M_DISK_PATHS, b, "nvme2 dead\nnvme3 connecting");
	disk("sdc", "scsi", 1, 0, 4096, 0.001);
	scene_judge_table(&s, rules_disk);
	size_t n = 0;
	for (size_t i = 0; i < s.report.findings.n; i++) {
		const struct finding *f = &s.report.findings.list[i];

		if (strcmp(f->id, "disk.path_down"))
			continue;
		n++;
		CHECK_INT(f->severity, strcmp(f->instance, "nvme0n1") ? SEV_CRIT : SEV_INFO);
	}
	CHECK_UINT(n, 2);
	scene_close(&s);
}

TEST(a_machine_without_disks_has_no_disk_findings)
{
	scene_open(&s, 4, 10);
	scene_judge_table(&s, rules_disk);
	CHECK(s.report.findings.n == 0);
	scene_close(&s);
}
