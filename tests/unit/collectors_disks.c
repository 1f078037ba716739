/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "collectors/disks.h"
#include "collectors/table.h"
#include "model/interval.h"
#include "tests/unit/rig.h"
#include "tests/unit/unit.h"

static struct rig r;

static void disk(const char *name, const char *dev, const char *seq)
{
	char path[80];

	snprintf(path, sizeof(path), "sys/block/%s/dev", name);
	unit_file(path, dev);
	if (!seq)
		return;
	snprintf(path, sizeof(path), "sys/block/%s/diskseq", name);
	unit_file(path, seq);
}

TEST(diskstats_of_three_kernel_generations_fill_the_columns_they_have)
{
	disk("sda", "8:0\n", NULL);
	disk("sdb", "8:16\n", NULL);
	disk("nvme0n1", "259:0\n", "7\n");
	unit_file("proc/diskstats",
		  "   8       0 sda 1 2 3 4 5 6 7 8 9 10 11\n"
		  "   8      16 sdb 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15\n"
		  " 259       0 nvme0n1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19\n");
	rig_open(&r, &collector_disks);
	CHECK_INT(rig_read(&r), 0);
	CHECK_NEAR(rig_value(&r, M_DISK_READS, "sda"), 1, 0);
	CHECK_NEAR(rig_value(&r, M_DISK_READ_MERGES, "sda"), 2, 0);
	CHECK_NEAR(rig_value(&r, M_DISK_READ_BYTES, "sda"), 3 * 512, 0);
	CHECK_NEAR(rig_value(&r, M_DISK_READ_TIME, "sda"), 0.004, 1e-9);
	CHECK_NEAR(rig_value(&r, M_DISK_WRITES, "sda"), 5, 0);
	CHECK_NEAR(rig_value(&r, M_DISK_WRITE_MERGES, "sda"), 6, 0);
	CHECK_NEAR(rig_value(&r, M_DISK_WRITE_BYTES, "sda"), 7 * 512, 0);
	CHECK_NEAR(rig_value(&r, M_DISK_WRITE_TIME, "sda"), 0.008, 1e-9);
	CHECK_NEAR(rig_value(&r, M_DISK_IN_FLIGHT, "sda"), 9, 0);
	CHECK_NEAR(rig_value(&r, M_DISK_IO_MS, "sda"), 0.010, 1e-9);
	CHECK_NEAR(rig_value(&r, M_DISK_QUEUE_TIME, "sda"), 0.011, 1e-9);
	CHECK(isnan(rig_value(&r, M_DISK_DISCARDS, "sda")));
	CHECK(isnan(rig_value(&r, M_DISK_FLUSHES, "sda")));
	CHECK_NEAR(rig_value(&r, M_DISK_DISCARDS, "sdb"), 12, 0);
	CHECK_NEAR(rig_value(&r, M_DISK_DISCARD_BYTES, "sdb"), 14 * 512, 0);
	CHECK_NEAR(rig_value(&r, M_DISK_DISCARD_TIME, "sdb"), 0.015, 1e-9);
	CHECK(isnan(rig_value(&r, M_DISK_FLUSHES, "sdb")));
	CHECK_NEAR(rig_value(&r, M_DISK_FLUSHES, "nvme0n1"), 16, 0);
	CHECK_NEAR(rig_value(&r, M_DISK_FLUSH_TIME, "nvme0n1"), 0.017, 1e-9);
	CHECK_NEAR(rig_value(&r, M_DISK_DEVNO, "nvme0n1"), 259 << 20, 0);
	rig_close(&r);
}

TEST(partitions_are_no_disks)
{
	disk("sda", "8:0\n", "1\n");
	disk("cciss!c0d0", "104:0\n", "2\n");
	unit_file("proc/diskstats", "8 0 sda 1 0 0 0 0 0 0 0 0 0 0\n"
				    "8 1 sda1 1 0 0 0 0 0 0 0 0 0 0\n"
				    "104 0 cciss/c0d0 5 0 0 0 0 0 0 0 0 0 0\n"
				    "104 1 cciss/c0d0p1 5 0 0 0 0 0 0 0 0 0 0\n");
	rig_open(&r, &collector_disks);
	rig_read(&r);
	CHECK_UINT(snapshot_rows(&r.snap[1], SCOPE_DISK), 2);
	CHECK(rig_row(&r, SCOPE_DISK, "sda1") == SIZE_MAX);
	CHECK_NEAR(rig_value(&r, M_DISK_READS, "cciss/c0d0"), 5, 0);
	rig_close(&r);
}

TEST(without_sys_a_partition_is_known_by_its_name)
{
	unit_file("proc/diskstats", "8 0 sda 1 0 0 0 0 0 0 0 0 0 0\n"
				    "8 1 sda1 1 0 0 0 0 0 0 0 0 0 0\n"
				    "259 0 nvme0n1 1 0 0 0 0 0 0 0 0 0 0\n"
				    "259 1 nvme0n1p1 1 0 0 0 0 0 0 0 0 0 0\n"
				    "259 2 nvme0n12 1 0 0 0 0 0 0 0 0 0 0\n"
				    "65 0 sdaa 1 0 0 0 0 0 0 0 0 0 0\n"
				    "7 1 loop1 1 0 0 0 0 0 0 0 0 0 0\n"
				    "7 11 loop11 1 0 0 0 0 0 0 0 0 0 0\n");
	rig_open(&r, &collector_disks);
	rig_read(&r);
	CHECK(rig_row(&r, SCOPE_DISK, "sda1") == SIZE_MAX);
	CHECK(rig_row(&r, SCOPE_DISK, "nvme0n1p1") == SIZE_MAX);
	CHECK(rig_row(&r, SCOPE_DISK, "nvme0n12") != SIZE_MAX);
	CHECK(rig_row(&r, SCOPE_DISK, "sdaa") != SIZE_MAX);
	CHECK(rig_row(&r, SCOPE_DISK, "loop11") != SIZE_MAX);
	CHECK_UINT(snapshot_rows(&r.snap[1], SCOPE_DISK), 6);
	rig_close(&r);
}

/* A loop device got another file within a tenth of a second: counters began anew and ran past the old ones. Judged by
 * name alone that was a rate of its own; it is another disk. */
TEST(a_disk_that_is_gone_and_back_under_its_name_is_another_disk)
{
	struct interval iv;
	size_t old, new;

	disk("loop0", "7:0\n", "41\n");
	unit_file("proc/diskstats", "7 0 loop0 100 0 800 10 0 0 0 0 0 10 10 0 0 0 0 0 0\n");
	rig_open(&r, &collector_disks);
	rig_read(&r);
	disk("loop0", "7:0\n", "42\n");
	unit_file("proc/diskstats", "7 0 loop0 20 0 160 2 0 0 0 0 0 2 2 0 0 0 0 0 0\n");
	rig_read(&r);
	interval_init(&iv, &r.host);
	interval_diff(&iv, &r.snap[0], &r.snap[1]);
	CHECK_UINT(interval_rows(&iv, SCOPE_DISK), 2);
	new = interval_find(&iv, SCOPE_DISK, disk_id("loop0", 5, true, 42, 0));
	old = interval_find(&iv, SCOPE_DISK, disk_id("loop0", 5, true, 41, 0));
	CHECK(new != SIZE_MAX &&old != SIZE_MAX);
	CHECK(interval_row(&iv, SCOPE_DISK, new)->born);
	CHECK(interval_row(&iv, SCOPE_DISK, old)->gone);
	CHECK(isnan(interval_rate(&iv, M_DISK_READS, new)));
	CHECK_UINT(iv.resets, 0);
	interval_done(&iv);
	rig_close(&r);
}

TEST(without_diskseq_a_counter_that_went_down_is_a_reset)
{
	struct interval iv;

	disk("sdb", "8:16\n", NULL);
	unit_file("proc/diskstats", "8 16 sdb 100 0 800 10 0 0 0 0 0 10 10\n");
	rig_open(&r, &collector_disks);
	rig_read(&r);
	unit_file("proc/diskstats", "8 16 sdb 20 0 160 2 0 0 0 0 0 2 2\n");
	rig_read(&r);
	interval_init(&iv, &r.host);
	interval_diff(&iv, &r.snap[0], &r.snap[1]);
	CHECK_UINT(interval_rows(&iv, SCOPE_DISK), 1);
	CHECK(isnan(interval_rate(&iv, M_DISK_READS, 0)));
	CHECK_INT(interval_why(&iv, M_DISK_READS, 0), WHY_RESET);
	interval_done(&iv);
	rig_close(&r);
}

TEST(rates_waits_and_queue_come_from_the_differences)
{
	struct interval iv;

	disk("vda", "254:0\n", "9\n");
	unit_file("proc/diskstats",
		  "254 0 vda 1000 10 8000 500 2000 20 16000 900 3 4000 5000 0 0 0 0 50 60\n");
	rig_open(&r, &collector_disks);
	rig_read(&r);
	unit_file("proc/diskstats",
		  "254 0 vda 1200 15 8400 900 2100 70 18000 1100 5 4600 7500 4 0 64 8 60 160\n");
	rig_read(&r);
	interval_init(&iv, &r.host);
	interval_diff(&iv, &r.snap[0], &r.snap[1]);
	CHECK_NEAR(interval_value(&iv, M_DISK_READS, 0), 200, 1e-9);
	CHECK_NEAR(interval_value(&iv, M_DISK_READ_BYTES, 0), 400 * 512, 1e-9);
	CHECK_NEAR(interval_value(&iv, M_DISK_READ_AWAIT, 0), 0.002, 1e-9);
	CHECK_NEAR(interval_value(&iv, M_DISK_WRITE_AWAIT, 0), 0.002, 1e-9);
	CHECK_NEAR(interval_value(&iv, M_DISK_AWAIT, 0), 0.002, 1e-9);
	CHECK_NEAR(interval_value(&iv, M_DISK_READ_SIZE, 0), 1024, 1e-9);
	CHECK_NEAR(interval_value(&iv, M_DISK_WRITE_SIZE, 0), 10240, 1e-9);
	CHECK_NEAR(interval_value(&iv, M_DISK_QUEUE, 0), 2.5, 1e-9);
	CHECK_NEAR(interval_value(&iv, M_DISK_BUSY, 0), 0.6, 1e-9);
	CHECK_NEAR(interval_value(&iv, M_DISK_FLUSH_AWAIT, 0), 0.01, 1e-9);
	CHECK_NEAR(interval_value(&iv, M_DISK_DISCARD_AWAIT, 0), 0.002, 1e-9);
	CHECK_NEAR(interval_value(&iv, M_DISK_IOPS, 0), 200 + 100 + 4 + 10, 1e-9);
	CHECK_NEAR(interval_peak(&iv, M_DISK_IN_FLIGHT, 0), 5, 0);
	interval_done(&iv);
	rig_close(&r);
}

TEST(a_disk_without_io_has_no_wait_and_no_size_instead_of_zero)
{
	struct interval iv;

	disk("vda", "254:0\n", "9\n");
	unit_file("proc/diskstats", "254 0 vda 1000 10 8000 500 2000 20 16000 900 0 4000 5000\n");
	rig_open(&r, &collector_disks);
	rig_read(&r);
	rig_read(&r);
	interval_init(&iv, &r.host);
	interval_diff(&iv, &r.snap[0], &r.snap[1]);
	CHECK_NEAR(interval_value(&iv, M_DISK_IOPS, 0), 0, 0);
	CHECK(isnan(interval_value(&iv, M_DISK_AWAIT, 0)));
	CHECK(isnan(interval_value(&iv, M_DISK_READ_SIZE, 0)));
	CHECK(isnan(interval_value(&iv, M_DISK_FLUSHES, 0)));
	interval_done(&iv);
	rig_close(&r);
}

TEST(hostile_diskstats_lines_are_left_out)
{
	char text[9000];
	size_t n;

	disk("sda", "8:0\n", "1\n");
	n = (size_t)snprintf(
		text, sizeof(text),
		"garbage\n\n8 0\n8 0 sda\n8 0 sda 1 2\n8 0 sda 1 2 3 4 5 6 7 8 9 10 -11\n"
		"99999999999999999999 0 sda 1 2 3 4 5 6 7 8 9 10 11\n8 0 ");
	memset(text + n, 'x', 4000);
	snprintf(text + n + 4000, sizeof(text) - n - 4000,
		 " 1 2 3 4 5 6 7 8 9 10 11\n8 0 sda 7 2 3 4 5 6 7 8 9 10 11 12");
	unit_file("proc/diskstats", text);
	rig_open(&r, &collector_disks);
	CHECK_INT(rig_read(&r), 0);
	CHECK_UINT(snapshot_rows(&r.snap[1], SCOPE_DISK), 1);
	CHECK_NEAR(rig_value(&r, M_DISK_READS, "sda"), 7, 0);
	rig_close(&r);
}

TEST(no_diskstats_is_told_and_not_fatal)
{
	rig_open(&r, &collector_disks);
	CHECK(rig_read(&r) < 0);
	CHECK_HAS(rig_status(&r, "proc/diskstats"), "No such file");
	unit_file("proc/diskstats", "8 0 sda 7 2 3 4 5 6 7 8 9 10 11\n");
	CHECK_INT(rig_read(&r), 0);
	CHECK_STR(rig_status(&r, "proc/diskstats"), "");
	rig_close(&r);
}

TEST(the_live_disks_are_those_of_sys_block)
{
	rig_open_live(&r, &collector_disks);
	if (rig_read(&r))
		SKIP("no /proc/diskstats here");
	for (size_t i = 0; i < snapshot_rows(&r.snap[1], SCOPE_DISK); i++) {
		char disk_name[DISK_NAME];

		CHECK(disk_of_name(&r.root, snapshot_name(&r.snap[1], SCOPE_DISK, i), disk_name));
		CHECK_STR(disk_name, snapshot_name(&r.snap[1], SCOPE_DISK, i));
	}
	rig_close(&r);
}

/* ---- sys/block ---- */

TEST(a_disk_tells_its_queue_its_kind_and_its_scheduler)
{
	disk("nvme0n1", "259:0\n", "3\n");
	unit_file("sys/block/nvme0n1/size", "2048\n");
	unit_file("sys/block/nvme0n1/ro", "1\n");
	unit_file("sys/block/nvme0n1/queue/rotational", "0\n");
	unit_file("sys/block/nvme0n1/queue/nr_requests", "1023\n");
	unit_file("sys/block/nvme0n1/queue/scheduler", "none [mq-deadline] kyber bfq\n");
	unit_file("sys/block/nvme0n1/device/ioerr_cnt", "0x1f\n");
	unit_file("sys/block/nvme0n1/device/nvme0/state", "live\n");
	unit_file("sys/block/nvme0n1/device/nvme1/state", "connecting\n");
	unit_file("sys/block/nvme0n1/device/nvme_other/state", "live\n");
	rig_open(&r, &collector_block);
	CHECK_INT(rig_read(&r), 0);
	CHECK_STR(rig_text(&r, M_DISK_KIND, "nvme0n1"), "nvme");
	CHECK_NEAR(rig_value(&r, M_DISK_SIZE, "nvme0n1"), 1048576, 0);
	CHECK_NEAR(rig_value(&r, M_DISK_READONLY, "nvme0n1"), 1, 0);
	CHECK_NEAR(rig_value(&r, M_DISK_ROTATIONAL, "nvme0n1"), 0, 0);
	CHECK_NEAR(rig_value(&r, M_DISK_REQUESTS, "nvme0n1"), 1023, 0);
	CHECK_NEAR(rig_value(&r, M_DISK_IO_ERRORS, "nvme0n1"), 31, 0);
	CHECK_STR(rig_text(&r, M_DISK_SCHEDULER, "nvme0n1"), "mq-deadline");
	CHECK_STR(rig_text(&r, M_DISK_PATHS, "nvme0n1"), "nvme0 live\nnvme1 connecting");
	CHECK(isnan(rig_value(&r, M_DISK_WBT, "nvme0n1")));
	rig_close(&r);
}

TEST(stacked_devices_name_the_disks_below_them)
{
	disk("sda", "8:0\n", NULL);
	disk("sdb", "8:16\n", NULL);
	disk("dm-0", "253:0\n", NULL);
	disk("md127", "9:127\n", NULL);
	disk("loop3", "7:3\n", NULL);
	unit_file("sys/block/sda/size", "99\n");
	unit_file("sys/block/sdb/size", "99\n");
	unit_file("sys/block/dm-0/size", "99\n");
	unit_file("sys/block/md127/size", "99\n");
	unit_file("sys/block/loop3/size", "99\n");
	unit_file("sys/block/loop3/loop/backing_file", "/srv/a b.img\n");
	unit_file("sys/block/dm-0/dm/name", "vg-data\n");
	unit_file("sys/block/dm-0/dm/suspended", "1\n");
	rig_link("sys/block/dm-0/slaves/sda2", "../../sda/sda2");
	rig_link("sys/class/block/sda2", "../../devices/block/sda/sda2");
	unit_file("sys/devices/block/sda/sda2/partition", "2\n");
	rig_link("sys/block/md127/slaves/sda", "../../sda");
	rig_link("sys/block/md127/slaves/sdb", "../../sdb");
	rig_link("sys/class/block/sda", "../../devices/block/sda");
	rig_link("sys/class/block/sdb", "../../devices/block/sdb");
	unit_file("sys/block/md127/md/degraded", "1\n");
	unit_file("sys/block/md127/md/raid_disks", "3\n");
	unit_file("sys/block/md127/md/array_state", "active\n");
	unit_file("sys/block/md127/md/sync_action", "recover\n");
	rig_open(&r, &collector_block);
	CHECK_INT(rig_read(&r), 0);
	CHECK_STR(rig_text(&r, M_DISK_LOWER, "dm-0"), "sda");
	CHECK_STR(rig_text(&r, M_DISK_ALIAS, "dm-0"), "vg-data");
	CHECK_NEAR(rig_value(&r, M_DISK_SUSPENDED, "dm-0"), 1, 0);
	CHECK_STR(rig_text(&r, M_DISK_LOWER, "md127"), "sda\nsdb");
	CHECK_NEAR(rig_value(&r, M_MD_DEGRADED, "md127"), 1, 0);
	CHECK_NEAR(rig_value(&r, M_MD_DISKS, "md127"), 3, 0);
	CHECK_STR(rig_text(&r, M_DISK_STATE, "md127"), "active");
	CHECK_STR(rig_text(&r, M_MD_ACTION, "md127"), "recover");
	CHECK_STR(rig_text(&r, M_DISK_KIND, "loop3"), "loop");
	CHECK_STR(rig_text(&r, M_DISK_ALIAS, "loop3"), "/srv/a b.img");
	CHECK(rig_text(&r, M_DISK_LOWER, "loop3") == NULL);
	rig_close(&r);
}

TEST(a_loop_device_without_a_file_is_no_row)
{
	disk("loop0", "7:0\n", NULL);
	unit_file("sys/block/loop0/size", "0\n");
	rig_open(&r, &collector_block);
	CHECK_INT(rig_read(&r), 0);
	CHECK_UINT(snapshot_rows(&r.snap[1], SCOPE_DISK), 0);
	rig_close(&r);
}

TEST(both_collectors_of_a_disk_mean_the_same_row)
{
	struct rig b;

	disk("vda", "254:0\n", "12\n");
	unit_file("sys/block/vda/size", "99\n");
	unit_file("proc/diskstats", "254 0 vda 7 2 3 4 5 6 7 8 9 10 11\n");
	rig_open(&r, &collector_disks);
	rig_open(&b, &collector_block);
	rig_read(&r);
	rig_read(&b);
	snapshot_merge(&r.snap[1], &b.snap[1]);
	CHECK_UINT(snapshot_rows(&r.snap[1], SCOPE_DISK), 1);
	CHECK_NEAR(rig_value(&r, M_DISK_READS, "vda"), 7, 0);
	CHECK_NEAR(rig_value(&r, M_DISK_SIZE, "vda"), 99 * 512, 0);
	rig_close(&b);
	rig_close(&r);
}
