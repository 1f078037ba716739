/* SPDX-License-Identifier: Apache-2.0 */
/* Control groups on trees made by hand: v1, v2, both, and what goes wrong in between. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "collectors/cgroup_tree.h"
#include "collectors/table.h"
#include "tests/unit/rig.h"
#include "tests/unit/unit.h"

#define V2 "31 24 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"

static void v2_tree(void)
{
	unit_file("proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" V2);
	unit_file("sys/fs/cgroup/cgroup.procs", "");
	unit_file("sys/fs/cgroup/svc/cgroup.events", "populated 1\nfrozen 0\n");
	unit_file("sys/fs/cgroup/svc/cpu.max", "25000 100000\n");
	unit_file("sys/fs/cgroup/svc/cpu.stat",
		  "usage_usec 1000000\nuser_usec 600000\nsystem_usec 400000\nnr_periods 100\n"
		  "nr_throttled 40\nthrottled_usec 2500000\n");
	unit_file("sys/fs/cgroup/svc/memory.max", "max\n");
	unit_file("sys/fs/cgroup/svc/memory.current", "4096\n");
}

TEST(v2_group_has_quota_usage_and_throttling)
{
	struct rig r;

	v2_tree();
	rig_open(&r, &collector_cgroups);
	CHECK_INT(rig_read(&r), 0);
	CHECK_STR(rig_text(&r, M_CG_MODE, ""), "v2");
	CHECK_STR(rig_text(&r, M_CG_PATH, "/svc"), "/svc");
	CHECK_STR(rig_text(&r, M_CG_CONTROLLERS, "/svc"), "");
	CHECK_STR(rig_text(&r, M_CG_DIR, "/svc"), "sys/fs/cgroup/svc");
	CHECK_NEAR(rig_value(&r, M_CG_CPU_QUOTA, "/svc"), 0.025, 1e-9);
	CHECK_NEAR(rig_value(&r, M_CG_CPU_PERIOD, "/svc"), 0.1, 1e-9);
	CHECK_NEAR(rig_value(&r, M_CG_CPU_USAGE, "/svc"), 1.0, 1e-9);
	CHECK_NEAR(rig_value(&r, M_CG_CPU_SYSTEM, "/svc"), 0.4, 1e-9);
	CHECK_NEAR(rig_value(&r, M_CG_CPU_THROTTLED, "/svc"), 40, 1e-9);
	CHECK_NEAR(rig_value(&r, M_CG_CPU_THROTTLED_TIME, "/svc"), 2.5, 1e-9);
	CHECK_NEAR(rig_value(&r, M_CG_MEM_CURRENT, "/svc"), 4096, 1e-9);
	CHECK(isinf(rig_value(&r, M_CG_MEM_LIMIT, "/svc")));
	CHECK(isnan(rig_value(&r, M_CG_PIDS_MAX, "/svc")));
	CHECK_NEAR(rig_value(&r, M_CG_GROUPS, ""), 2, 0);
	CHECK_NEAR(rig_value(&r, M_CG_LEFT_OUT, ""), 0, 0);
	rig_close(&r);
}

TEST(the_machines_own_root_group_is_left_out)
{
	struct rig r;

	v2_tree();
	unit_file("sys/fs/cgroup/cpu.stat", "usage_usec 99\n");
	rig_open(&r, &collector_cgroups);
	rig_read(&r);
	CHECK(rig_row(&r, SCOPE_CGROUP, "/") == SIZE_MAX);
	rig_close(&r);
}

TEST(a_root_group_with_limits_is_that_of_a_container)
{
	struct rig r;

	unit_file("proc/self/mountinfo", V2);
	unit_file("sys/fs/cgroup/cgroup.events", "populated 1\nfrozen 0\n");
	unit_file("sys/fs/cgroup/memory.max", "134217728\n");
	unit_file("sys/fs/cgroup/memory.events", "low 0\nhigh 1\nmax 22\noom 3\noom_kill 2\n");
	rig_open(&r, &collector_cgroups);
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_CG_MEM_LIMIT, "/"), 134217728, 0);
	CHECK_NEAR(rig_value(&r, M_CG_MEM_MAX_EVENTS, "/"), 22, 0);
	CHECK_NEAR(rig_value(&r, M_CG_MEM_OOM_KILLS, "/"), 2, 0);
	rig_close(&r);
}

TEST(paths_are_those_of_proc_pid_cgroup_when_a_part_is_mounted)
{
	struct rig r;

	unit_file(
		"proc/self/mountinfo",
		"40 30 0:30 /docker/ab\\040c /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n");
	unit_file("sys/fs/cgroup/memory/memory.limit_in_bytes", "1048576\n");
	unit_file("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "9223372036854771712\n");
	rig_open(&r, &collector_cgroups);
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_CG_MEM_LIMIT, "memory:/docker/ab c"), 1048576, 0);
	CHECK(isinf(rig_value(&r, M_CG_MEM_LIMIT, "memory:/docker/ab c/job")));
	CHECK_STR(rig_text(&r, M_CG_DIR, "memory:/docker/ab c/job"), "sys/fs/cgroup/memory/job");
	rig_close(&r);
}

TEST(v1_hierarchies_are_read_by_what_they_carry)
{
	struct rig r;

	unit_file("proc/self/mountinfo",
		  "41 30 0:31 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
		  "42 30 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		  "43 30 0:33 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
		  "44 30 0:34 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n"
		  "45 30 0:35 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
		  "46 30 0:36 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices\n");
	unit_file("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n");
	unit_file("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
	unit_file("sys/fs/cgroup/cpu,cpuacct/a/cpu.stat",
		  "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n");
	unit_file("sys/fs/cgroup/cpu,cpuacct/a/cpuacct.usage", "5000000000\n");
	unit_file("sys/fs/cgroup/cpu,cpuacct/a/cpuacct.stat", "user 300\nsystem 200\n");
	unit_file("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n");
	unit_file("sys/fs/cgroup/memory/a/memory.failcnt", "7\n");
	unit_file("sys/fs/cgroup/memory/a/memory.oom_control",
		  "oom_kill_disable 0\nunder_oom 1\noom_kill 4\n");
	unit_file(
		"sys/fs/cgroup/memory/a/memory.stat",
		"cache 1\nrss 2\nworkingset_refault_file 9\ntotal_cache 100\n"
		"total_rss 200\ntotal_workingset_refault_file 3\ntotal_pgmajfault 8\ntotal_swap 77\n");
	unit_file("sys/fs/cgroup/systemd/a/cgroup.procs", "1\n");
	unit_file("sys/fs/cgroup/devices/a/cgroup.procs", "1\n");
	unit_file("sys/fs/cgroup/freezer/a/freezer.state", "FREEZING\n");
	unit_file("sys/fs/cgroup/freezer/a/freezer.self_freezing", "1\n");
	unit_file("sys/fs/cgroup/pids/a/pids.max", "60\n");
	unit_file("sys/fs/cgroup/pids/a/pids.current", "59\n");
	unit_file("sys/fs/cgroup/pids/a/pids.events", "max 12\n");
	rig_open(&r, &collector_cgroups);
	rig_read(&r);
	CHECK_STR(rig_text(&r, M_CG_MODE, ""), "v1");
	CHECK(isinf(rig_value(&r, M_CG_CPU_QUOTA, "cpu,cpuacct:/a")));
	CHECK_NEAR(rig_value(&r, M_CG_CPU_USAGE, "cpu,cpuacct:/a"), 5, 1e-9);
	CHECK_NEAR(rig_value(&r, M_CG_CPU_SYSTEM, "cpu,cpuacct:/a"), 2, 1e-9);
	CHECK(isinf(rig_value(&r, M_CG_MEM_LIMIT, "memory:/a")));
	CHECK_NEAR(rig_value(&r, M_CG_MEM_MAX_EVENTS, "memory:/a"), 7, 0);
	CHECK_NEAR(rig_value(&r, M_CG_MEM_OOM_KILLS, "memory:/a"), 4, 0);
	CHECK_NEAR(rig_value(&r, M_CG_MEM_UNDER_OOM, "memory:/a"), 1, 0);
	CHECK_NEAR(rig_value(&r, M_CG_MEM_ANON, "memory:/a"), 200, 0);
	CHECK_NEAR(rig_value(&r, M_CG_MEM_REFAULT_FILE, "memory:/a"), 3 * 4096, 0);
	CHECK_NEAR(rig_value(&r, M_CG_SWAP_CURRENT, "memory:/a"), 77, 0);
	CHECK_NEAR(rig_value(&r, M_CG_FROZEN, "freezer:/a"), 1, 0);
	CHECK_NEAR(rig_value(&r, M_CG_FREEZE_ASKED, "freezer:/a"), 1, 0);
	CHECK_NEAR(rig_value(&r, M_CG_PIDS_REJECTED, "pids:/a"), 12, 0);
	CHECK_NEAR(rig_value(&r, M_CG_PIDS_MAX, "pids:/a"), 60, 0);
	CHECK(rig_row(&r, SCOPE_CGROUP, "devices:/a") == SIZE_MAX);
	rig_close(&r);
}

TEST(hybrid_machines_have_both)
{
	struct rig r;

	unit_file("proc/self/mountinfo",
		  "42 30 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		  "43 30 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
	unit_file("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1000\n");
	unit_file("sys/fs/cgroup/unified/a/cgroup.events", "populated 1\nfrozen 1\n");
	unit_file("sys/fs/cgroup/unified/a/cgroup.freeze", "0\n");
	unit_file("sys/fs/cgroup/unified/a/memory.pressure",
		  "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\n"
		  "full avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n");
	rig_open(&r, &collector_cgroups);
	rig_read(&r);
	CHECK_STR(rig_text(&r, M_CG_MODE, ""), "hybrid");
	CHECK_NEAR(rig_value(&r, M_CG_MEM_LIMIT, "memory:/a"), 1000, 0);
	CHECK_NEAR(rig_value(&r, M_CG_FROZEN, "/a"), 1, 0);
	CHECK_NEAR(rig_value(&r, M_CG_FREEZE_ASKED, "/a"), 0, 0);
	CHECK_NEAR(rig_value(&r, M_CG_PSI_MEM_SOME, "/a"), 1.5, 1e-9);
	CHECK_NEAR(rig_value(&r, M_CG_PSI_MEM_FULL, "/a"), 0.5, 1e-9);
	rig_close(&r);
}

TEST(io_limits_have_a_row_per_device)
{
	struct rig r;

	v2_tree();
	rig_link("sys/dev/block/8:16", "../../devices/pci0000:00/block/sdb");
	unit_file("sys/fs/cgroup/svc/io.max", "8:16 rbps=2097152 wbps=max riops=max wiops=120\n");
	unit_file("sys/fs/cgroup/svc/io.stat",
		  "8:0 rbytes=1000 wbytes=20 rios=3 wios=4 dbytes=0 dios=0\n8:1\n"
		  "8:16 rbytes=500 wbytes=0 rios=1 wios=0 dbytes=0 dios=0 cost.usage=9\n");
	rig_open(&r, &collector_cgroups);
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_CG_IO_READ_BYTES, "/svc"), 1500, 0);
	CHECK_NEAR(rig_value(&r, M_CG_IO_WRITES, "/svc"), 4, 0);
	CHECK(isnan(rig_value(&r, M_CG_IO_MAX_RBPS, "/svc")));
	CHECK_STR(rig_text(&r, M_CG_IO_DEVICE, "/svc [sdb]"), "sdb");
	CHECK_STR(rig_text(&r, M_CG_PATH, "/svc [sdb]"), "/svc");
	CHECK_NEAR(rig_value(&r, M_CG_IO_MAX_RBPS, "/svc [sdb]"), 2097152, 0);
	CHECK(isinf(rig_value(&r, M_CG_IO_MAX_WBPS, "/svc [sdb]")));
	CHECK_NEAR(rig_value(&r, M_CG_IO_MAX_WIOPS, "/svc [sdb]"), 120, 0);
	CHECK_NEAR(rig_value(&r, M_CG_IO_READ_BYTES, "/svc [sdb]"), 500, 0);
	rig_close(&r);
}

TEST(blkio_throttle_is_the_same_of_v1)
{
	struct rig r;

	unit_file("proc/self/mountinfo",
		  "42 30 0:32 / /sys/fs/cgroup/blkio rw - cgroup cgroup rw,blkio\n");
	unit_file("sys/fs/cgroup/blkio/geo/blkio.throttle.read_bps_device", "252:0 1048576\n");
	unit_file("sys/fs/cgroup/blkio/geo/blkio.throttle.write_iops_device", "252:0 10\n");
	unit_file(
		"sys/fs/cgroup/blkio/geo/blkio.throttle.io_service_bytes",
		"252:0 Read 4096\n252:0 Write 512\n252:0 Sync 4608\n252:0 Async 0\n252:0 Discard 0\n252:0 Total 4608\nTotal 4608\n");
	rig_open(&r, &collector_cgroups);
	rig_read(&r);
	/* no name in /sys/dev/block: the numbers have to do */
	CHECK_NEAR(rig_value(&r, M_CG_IO_MAX_RBPS, "blkio:/geo [252:0]"), 1048576, 0);
	CHECK_NEAR(rig_value(&r, M_CG_IO_MAX_WIOPS, "blkio:/geo [252:0]"), 10, 0);
	CHECK_NEAR(rig_value(&r, M_CG_IO_READ_BYTES, "blkio:/geo [252:0]"), 4096, 0);
	CHECK_NEAR(rig_value(&r, M_CG_IO_WRITE_BYTES, "blkio:/geo"), 512, 0);
	CHECK(isnan(rig_value(&r, M_CG_IO_READS, "blkio:/geo")));
	rig_close(&r);
}

TEST(a_group_that_goes_in_the_middle_is_simply_not_there)
{
	char from[200], to[200];
	struct rig r;

	v2_tree();
	unit_file("sys/fs/cgroup/svc/inner/cpu.stat", "usage_usec 5\n");
	unit_file("sys/fs/cgroup/z/cpu.stat", "usage_usec 7\n");
	rig_open(&r, &collector_cgroups);
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_CG_CPU_USAGE, "/svc/inner"), 5e-6, 1e-12);
	r.c->tick(r.state, 1000000000);
	snprintf(from, sizeof(from), "%s/sys/fs/cgroup/svc", unit_tmpdir());
	snprintf(to, sizeof(to), "%s/gone", unit_tmpdir());
	CHECK_INT(rename(from, to), 0);
	r.c->tick(r.state, 3000000000);
	CHECK_INT(rig_read(&r), 0);
	CHECK(rig_row(&r, SCOPE_CGROUP, "/svc") == SIZE_MAX);
	CHECK(rig_row(&r, SCOPE_CGROUP, "/svc/inner") == SIZE_MAX);
	CHECK_NEAR(rig_value(&r, M_CG_CPU_USAGE, "/z"), 7e-6, 1e-12);
	rig_close(&r);
}

TEST(quota_is_sampled_each_second_between_readings)
{
	struct rig r;

	v2_tree();
	rig_open(&r, &collector_cgroups);
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_CG_SAMPLED, "/svc"), 0, 0);
	r.c->tick(r.state, 10000000000);
	r.c->tick(r.state, 10500000000); /* not due */
	r.c->tick(r.state, 11000000000); /* nothing moved */
	unit_file("sys/fs/cgroup/svc/cpu.stat",
		  "usage_usec 1000000\nnr_periods 110\nnr_throttled 45\nthrottled_usec 2600000\n");
	r.c->tick(r.state, 12000000000);
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_CG_SAMPLED, "/svc"), 2, 1e-6);
	CHECK_NEAR(rig_value(&r, M_CG_CPU_THROTTLED_SAMPLED, "/svc"), 1, 1e-6);
	CHECK_NEAR(rig_value(&r, M_CG_CPU_THROTTLED, "/svc"), 45, 0);
	rig_close(&r);
}

TEST(names_of_groups_may_hold_any_byte)
{
	struct rig r;

	v2_tree();
	unit_file("sys/fs/cgroup/a\nb\x01\xff [sda]/cpu.stat", "usage_usec 42\n");
	rig_open(&r, &collector_cgroups);
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_CG_CPU_USAGE, "/a\nb\x01\xff [sda]"), 42e-6, 1e-12);
	CHECK_STR(rig_text(&r, M_CG_PATH, "/a\nb\x01\xff [sda]"), "/a\nb\x01\xff [sda]");
	CHECK(rig_text(&r, M_CG_IO_DEVICE, "/a\nb\x01\xff [sda]") == NULL);
	rig_close(&r);
}

TEST(nonsense_in_files_is_absent_not_zero)
{
	struct rig r;
	char *big = malloc(400 << 10);

	v2_tree();
	unit_file("sys/fs/cgroup/svc/cpu.max", "\xff\xfe garbage\n");
	unit_file("sys/fs/cgroup/svc/memory.max", "");
	unit_file("sys/fs/cgroup/svc/memory.current", "-5\n");
	unit_file("sys/fs/cgroup/svc/memory.events",
		  "oom_kill\nmax 99999999999999999999999999\nhigh 3");
	unit_file("sys/fs/cgroup/svc/io.max", "8 rbps=1\n:1 rbps=2\n8:99999999999 rbps=3\n=\n");
	unit_file("sys/fs/cgroup/svc/io.stat", "x:y rbytes=1\n8:0 rbytes= wbytes=1x rios\n");
	memset(big, 'a', (400 << 10) - 1);
	big[(400 << 10) - 1] = '\0';
	unit_file("sys/fs/cgroup/svc/memory.stat", big);
	rig_open(&r, &collector_cgroups);
	CHECK_INT(rig_read(&r), 0);
	CHECK(isnan(rig_value(&r, M_CG_CPU_QUOTA, "/svc")));
	CHECK(isnan(rig_value(&r, M_CG_MEM_LIMIT, "/svc")));
	CHECK(isnan(rig_value(&r, M_CG_MEM_CURRENT, "/svc")));
	CHECK(isnan(rig_value(&r, M_CG_MEM_OOM_KILLS, "/svc")));
	CHECK(isnan(rig_value(&r, M_CG_MEM_MAX_EVENTS, "/svc")));
	CHECK_NEAR(rig_value(&r, M_CG_MEM_HIGH_EVENTS, "/svc"), 3, 0);
	CHECK(isnan(rig_value(&r, M_CG_IO_READ_BYTES, "/svc")));
	CHECK(isnan(rig_value(&r, M_CG_MEM_ANON, "/svc")));
	free(big);
	rig_close(&r);
}

TEST(a_link_among_groups_leads_nowhere)
{
	struct rig r;

	v2_tree();
	unit_file("secret/cpu.stat", "usage_usec 1\n");
	rig_link("sys/fs/cgroup/link", "../../../secret");
	unit_file("sys/fs/cgroup/trap/cgroup.events", "populated 1\n");
	rig_link("sys/fs/cgroup/trap/cpu.stat", "../../../../secret/cpu.stat");
	rig_open(&r, &collector_cgroups);
	rig_read(&r);
	CHECK(rig_row(&r, SCOPE_CGROUP, "/link") == SIZE_MAX);
	CHECK(isnan(rig_value(&r, M_CG_CPU_USAGE, "/trap")));
	rig_close(&r);
}

TEST(groups_beyond_the_bound_are_counted)
{
	struct rig r;
	char path[300];

	v2_tree();
	for (int i = 0; i < 5003; i++) {
		snprintf(path, sizeof(path), "%s/sys/fs/cgroup/n%05d", unit_tmpdir(), i);
		if (mkdir(path, 0755))
			SKIP("cannot make %d directories", i);
	}
	rig_open(&r, &collector_cgroups);
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_CG_GROUPS, ""), 5000, 0);
	CHECK_NEAR(rig_value(&r, M_CG_LEFT_OUT, ""), 5, 0);
	CHECK_HAS(rig_status(&r, "control groups"), "5 groups");
	rig_close(&r);
}

TEST(nesting_without_end_is_bounded)
{
	struct rig r;
	char path[4096];
	size_t n = (size_t)snprintf(path, sizeof(path), "%s/sys/fs/cgroup", unit_tmpdir());

	v2_tree();
	for (int i = 0; i < 200; i++) {
		n += (size_t)snprintf(path + n, sizeof(path) - n, "/d");
		if (mkdir(path, 0755))
			SKIP("cannot nest %d directories", i);
	}
	rig_open(&r, &collector_cgroups);
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_CG_LEFT_OUT, ""), 1, 0);
	rig_close(&r);
}

TEST(limits_are_kept_and_counters_are_read_again)
{
	struct rig r;

	v2_tree();
	rig_open(&r, &collector_cgroups);
	rig_read(&r);
	unit_file("sys/fs/cgroup/svc/memory.current", "8192\n");
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_CG_CPU_QUOTA, "/svc"), 0.025, 1e-9);
	CHECK_NEAR(rig_value(&r, M_CG_MEM_CURRENT, "/svc"), 8192, 0);
	rig_close(&r);
}

TEST(an_empty_group_is_not_counted_until_somebody_moves_in)
{
	struct rig r;

	v2_tree();
	unit_file("sys/fs/cgroup/idle/cgroup.events", "populated 0\nfrozen 0\n");
	unit_file("sys/fs/cgroup/idle/cpu.stat", "usage_usec 7\n");
	rig_open(&r, &collector_cgroups);
	rig_read(&r);
	CHECK(isnan(rig_value(&r, M_CG_CPU_USAGE, "/idle")));
	CHECK_NEAR(rig_value(&r, M_CG_POPULATED, "/idle"), 0, 0);
	unit_file("sys/fs/cgroup/idle/cgroup.events", "populated 1\nfrozen 0\n");
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_CG_CPU_USAGE, "/idle"), 7e-6, 1e-12);
	/* emptied in the window: what it did still counts */
	unit_file("sys/fs/cgroup/idle/cgroup.events", "populated 0\nfrozen 0\n");
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_CG_CPU_USAGE, "/idle"), 7e-6, 1e-12);
	rig_close(&r);
}

TEST(without_control_groups_the_reason_is_told)
{
	struct rig r;

	unit_file("proc/self/mountinfo",
		  "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\n- - - -\n36 35 0:1 / /x\n");
	rig_open(&r, &collector_cgroups);
	CHECK_INT(rig_read(&r), 0);
	CHECK_HAS(rig_status(&r, "control groups"), "no hierarchy");
	CHECK(isnan(rig_value(&r, M_CG_GROUPS, "")));
	rig_close(&r);
}

TEST(paths_are_ordered_as_the_walk_visits_them)
{
	CHECK(cgroup_path_order("/a", "/a/b") < 0);
	CHECK(cgroup_path_order("/a/b", "/a.b") < 0);
	CHECK(cgroup_path_order("/a/z", "/a\x01") < 0);
	CHECK(cgroup_path_order("/b", "/a/z") > 0);
	CHECK_INT(cgroup_path_order("/a/b", "/a/b"), 0);
}
