/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "collectors/logline.h"
#include "collectors/table.h"
#include "tests/unit/rig.h"
#include "tests/unit/unit.h"

static struct logline l;

static void line(const char *text, unsigned level)
{
	logline_read(text_of(text), level, &l);
}

static void is(const char *text, enum event_kind kind, const char *device)
{
	line(text, 3);
	if (l.kind != kind || strcmp(l.device, device))
		unit_fail(__FILE__, __LINE__, "%s: got %s \"%s\", expected %s \"%s\"", text,
			  event_kind_name(l.kind), l.device, event_kind_name(kind), device);
}

static void names(const char *text, enum event_kind kind, int64_t pid, const char *comm)
{
	line(text, 6);
	if (l.kind != kind || l.pid != pid || strcmp(l.comm, comm))
		unit_fail(__FILE__, __LINE__, "%s: got %s %lld \"%s\"", text,
			  event_kind_name(l.kind), (long long)l.pid, l.comm);
}

TEST(lines_of_failing_disks_name_the_disk)
{
	is("I/O error, dev loop0, sector 204800 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2",
	   EVENT_IO_ERROR, "loop0");
	is("blk_update_request: critical medium error, dev sda, sector 12 op 0x0:(READ)",
	   EVENT_IO_ERROR, "sda");
	is("Buffer I/O error on dev sda1, logical block 0, lost async page write", EVENT_IO_ERROR,
	   "sda1");
	is("sd 2:0:0:0: [sdc] tag#0 FAILED Result: hostbyte=DID_BAD_TARGET driverbyte=DRIVER_OK",
	   EVENT_SCSI_RESET, "sdc");
	is("sd 2:0:0:0: rejecting I/O to offline device", EVENT_IO_ERROR, "");
	is("ata3.00: exception Emask 0x0 SAct 0x0 SErr 0x0 action 0x6 frozen", EVENT_ATA_RESET,
	   "ata3");
	is("ata1: hard resetting link", EVENT_ATA_RESET, "ata1");
	is("nvme nvme0: I/O 22 QID 3 timeout, reset controller", EVENT_NVME_RESET, "nvme0");
	is("nvme nvme1: controller is down; will reset: CSTS=0xffffffff", EVENT_NVME_RESET,
	   "nvme1");
	is("nvme0n1: I/O Cmd(0x2) @ LBA 0, 8 blocks, I/O Error (sct 0x2 / sc 0x81)", EVENT_IO_ERROR,
	   "nvme0n1");
	is("md/raid1:md0: Disk failure on sdb1, disabling device.", EVENT_MD_DEGRADED, "md0");
	is("device-mapper: multipath: 253:0: Failing path 8:16.", EVENT_PATH_DOWN, "253:0");
	is("device-mapper: thin: 253:4: reached low water mark for data device: sending event.",
	   EVENT_THIN_FULL, "253:4");
	is("device-mapper: thin: 253:4: switching pool to out-of-data-space (queue IO) mode",
	   EVENT_THIN_FULL, "253:4");
	is("critical space allocation error, dev dm-3, sector 9", EVENT_THIN_FULL, "dm-3");
	is("operation not supported error, dev loop1, sector 0 op 0x9:(WRITE_ZEROES)", EVENT_NONE,
	   "");
}

TEST(lines_of_failing_file_systems_name_the_device)
{
	is("EXT4-fs error (device loop0): ext4_journal_check_start:84: comm ordlog: Detected aborted journal",
	   EVENT_FS_ERROR, "loop0");
	CHECK_STR(l.comm, "ordlog");
	is("EXT4-fs (loop0): Remounting filesystem read-only", EVENT_FS_READONLY, "loop0");
	is("Aborting journal on device dm-1-8.", EVENT_FS_READONLY, "dm-1");
	is("JBD2: I/O error when updating journal superblock for loop0-8.", EVENT_FS_ERROR,
	   "loop0");
	is("XFS (sda1): metadata I/O error in \"xfs_read_agf\" at daddr 0x1", EVENT_FS_ERROR,
	   "sda1");
	is("XFS (dm-0): Filesystem has been shut down due to log error (0x2).", EVENT_FS_READONLY,
	   "dm-0");
	is("BTRFS error (device sdb1: state A): bdev /dev/sdb1 errs: wr 1, rd 0", EVENT_FS_ERROR,
	   "sdb1");
	is("BTRFS info (device sdb1): forced readonly", EVENT_FS_READONLY, "sdb1");
	is("nfs: server filer1 not responding, still trying", EVENT_NFS_TIMEOUT, "filer1");
}

TEST(lines_of_the_kernel_and_the_hardware_are_known)
{
	is("EDAC MC0: 1 CE memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0", EVENT_EDAC, "MC0");
	is("mce: [Hardware Error]: Machine check events logged", EVENT_MCE, "");
	is("CPU3: Core temperature above threshold, cpu clock throttled (total events = 1)",
	   EVENT_THERMAL, "CPU3");
	is("rcu: INFO: rcu_preempt self-detected stall on CPU", EVENT_RCU_STALL, "");
	is("rcu: INFO: rcu_sched detected stalls on CPUs/tasks:", EVENT_RCU_STALL, "");
	is("BUG: kernel NULL pointer dereference, address: 0000000000000008", EVENT_OOPS, "");
	is("WARNING: CPU: 0 PID: 77 at fs/ext4/inode.c:1 f+0x1/0x2", EVENT_WARNING, "");
	CHECK_INT(l.pid, 77);
	is("NETDEV WATCHDOG: eth0 (e1000e): transmit queue 0 timed out", EVENT_NETDEV_WATCHDOG,
	   "eth0");
	is("e1000e 0000:00:19.0 eth1: NETDEV WATCHDOG: CPU: 3: transmit queue 0 timed out 5000 ms",
	   EVENT_NETDEV_WATCHDOG, "eth1");
	is("igb 0000:01:00.0 eth0: igb: eth0 NIC Link is Down", EVENT_LINK_DOWN, "eth0");
	is("mlx5_core 0000:08:00.0 ens1f0: Link down", EVENT_LINK_DOWN, "ens1f0");
	is("nf_conntrack: table full in netns 4026532281, dropping packet", EVENT_CONNTRACK_FULL,
	   "");
	is("nf_conntrack: nf_conntrack: table full, dropping packet", EVENT_CONNTRACK_FULL, "");
	is("watchdog: Watchdog detected hard LOCKUP on cpu 2", EVENT_HARD_LOCKUP, "2");
	is("something new that nobody has a pattern for", EVENT_OTHER_ERROR, "");
	line("ata5: SATA link down (SStatus 0 SControl 300)", 6);
	CHECK_INT(l.kind, EVENT_NONE);
	line("an ordinary message", 6);
	CHECK_INT(l.kind, EVENT_NONE);
}

TEST(lines_about_programs_name_the_process_even_with_a_hostile_name)
{
	names("Memory cgroup out of memory: Killed process 4242 (thumbd) total-vm:1kB, anon-rss:1kB",
	      EVENT_OOM_KILL, 4242, "thumbd");
	names("Out of memory: Killed process 12 (a) b (c) total-vm:1kB", EVENT_OOM_KILL, 12,
	      "a) b (c");
	names("INFO: task kworker/0:1:1234 blocked for more than 120 seconds.", EVENT_HUNG_TASK,
	      1234, "kworker/0:1");
	names("watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [evil:name:77]", EVENT_SOFT_LOCKUP,
	      77, "evil:name");
	names("app[99]: segfault at 18 ip 0000 sp 0000 error 6 in app[5555+1]", EVENT_SEGFAULT, 99,
	      "app");
	names("a[1] b[99]: segfault at 18 ip 0000 sp 0000 error 6", EVENT_SEGFAULT, 99, "a[1] b");
	names("traps: app[99] general protection fault ip:1 sp:2 error:0", EVENT_SEGFAULT, 99,
	      "app");
	names("app[x]: segfault at 18", EVENT_SEGFAULT, 0, "");
	names("cgroup: fork rejected by pids controller in /svc-ci", EVENT_FORK_REJECTED, 0, "");
	CHECK_STR(l.cgroup, "/svc-ci");
}

TEST(patterns_never_read_past_a_short_or_binary_line)
{
	static const char *const odd[] = { "",
					   "[",
					   "ata",
					   "(device ",
					   "process ",
					   "EDAC ",
					   "task ",
					   "]: segfault at ",
					   "dev ",
					   "traps: ] ",
					   ": Link down",
					   "illed process total-vm",
					   "blocked for more thantask ",
					   "BUG: soft lockup [",
					   "\001\002\377dev \200, sector" };

	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		line(odd[i], 3);
		CHECK(l.kind < EVENT_MAX);
	}
}

/* ---- the collector, on a captured log ---- */

static struct rig r;

static size_t event(uint64_t seq)
{
	return snapshot_find(&r.snap[1], SCOPE_EVENT, (struct row_id){ .key = seq });
}

static double number(enum metric_id id, uint64_t seq)
{
	return snapshot_value(&r.snap[1], id, event(seq));
}

static const char *text(enum metric_id id, uint64_t seq)
{
	return snapshot_text(&r.snap[1], id, event(seq));
}

static void read_log(const char *log)
{
	unit_file("dev/kmsg", log);
	rig_open(&r, &collector_kmsg);
	CHECK_INT(rig_read(&r), 0);
}

TEST(records_keep_time_level_facility_and_text)
{
	read_log(
		"6,100,1000000,-;an ordinary line\n"
		"3,101,2500000,-;ata3.00: exception Emask 0x0\n SUBSYSTEM=scsi\n DEVICE=+scsi:2:0:0:0\n"
		"11,102,3000000,-;EDAC MC0: 1 CE memory read error on x\n"
		"4,103,4000000,-,caller=T1;a warning\n");
	CHECK_UINT(snapshot_rows(&r.snap[1], SCOPE_EVENT), 3);
	CHECK(event(100) == SIZE_MAX);
	CHECK_NEAR(number(M_EVENT_TIME, 101), 2.5, 1e-9);
	CHECK_NEAR(number(M_EVENT_LEVEL, 101), 3, 0);
	CHECK_NEAR(number(M_EVENT_FACILITY, 101), 0, 0);
	CHECK_NEAR(number(M_EVENT_KIND, 101), EVENT_ATA_RESET, 0);
	CHECK_STR(text(M_EVENT_DEVICE, 101), "ata3");
	CHECK_STR(text(M_EVENT_TEXT, 101), "ata3.00: exception Emask 0x0");
	CHECK_NEAR(number(M_EVENT_FACILITY, 102), 1, 0);
	CHECK_NEAR(number(M_EVENT_LEVEL, 102), 3, 0);
	CHECK_STR(text(M_EVENT_TEXT, 103), "a warning");
	CHECK_NEAR(number(M_EVENT_LIVE, 103), 0, 0);
	rig_close(&r);
}

TEST(the_property_of_a_line_names_the_device_when_its_text_does_not)
{
	rig_link("sys/dev/block/8:16", "../../devices/block/sdb");
	read_log("3,1,10,-;something broke\n SUBSYSTEM=block\n DEVICE=b8:16\n"
		 "3,2,20,-;something else\n DEVICE=+pci:0000:00:1c.0\n"
		 "3,3,30,-;and more\n DEVICE=c4:64\n");
	CHECK_STR(text(M_EVENT_DEVICE, 1), "sdb");
	CHECK_STR(text(M_EVENT_DEVICE, 2), "pci:0000:00:1c.0");
	CHECK(text(M_EVENT_DEVICE, 3) == NULL);
	rig_close(&r);
}

TEST(an_oom_kill_knows_the_cgroup_of_the_line_before_it)
{
	read_log(
		"6,1,10,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"
		"oom_memcg=/svc-a,b,task_memcg=/svc-a,b/x,task=thumbd,pid=42,uid=0\n"
		"3,2,20,-;Memory cgroup out of memory: Killed process 42 (thumbd) total-vm:1kB\n"
		"3,3,30,-;Memory cgroup out of memory: Killed process 43 (other) total-vm:1kB\n");
	CHECK_STR(text(M_EVENT_CGROUP, 2), "/svc-a,b");
	CHECK_NEAR(number(M_EVENT_PID, 2), 42, 0);
	CHECK(text(M_EVENT_CGROUP, 3) == NULL);
	rig_close(&r);
}

TEST(fragments_of_old_kernels_are_joined)
{
	read_log("3,1,10,c;I/O error, \n3,2,11,+;dev sda, sector 7\n");
	CHECK_UINT(snapshot_rows(&r.snap[1], SCOPE_EVENT), 1);
	CHECK_STR(text(M_EVENT_TEXT, 1), "I/O error, dev sda, sector 7");
	CHECK_NEAR(number(M_EVENT_KIND, 1), EVENT_IO_ERROR, 0);
	CHECK_STR(text(M_EVENT_DEVICE, 1), "sda");
	rig_close(&r);
}

TEST(lost_records_are_counted_from_the_gap)
{
	read_log("3,10,1,-;one\n3,15,2,-;two\n");
	CHECK_NEAR(rig_value(&r, M_KMSG_LOST, ""), 4, 0);
	rig_close(&r);
}

TEST(truncated_binary_and_future_records_do_no_harm)
{
	static char big[40000];
	size_t n;

	n = (size_t)snprintf(
		big, sizeof(big),
		"\n\n;\n3\n3,1\n3,1,2\n3,1,2,-\nx,1,2,-;a\n3,x,2,-;b\n3,1,y,-;c\n DEVICE=b\n"
		"3,7,99999999999999,-;from the future\n"
		"3,8,18446744073709551615,-;from the end of time\n"
		"4294967299,9,5,-;huge priority\n3,20,6,-;\xff\xfe\x01 binary\n3,21,7,-;");
	memset(big + n, 'A', 30000);
	unit_file("dev/kmsg", big);
	rig_open(&r, &collector_kmsg);
	CHECK_INT(rig_read(&r), 0);
	CHECK_NEAR(number(M_EVENT_TIME, 7), 99999999.999999, 1e-3);
	CHECK(event(8) != SIZE_MAX);
	CHECK_UINT(strlen(text(M_EVENT_TEXT, 21)), 300);
	CHECK_HAS(text(M_EVENT_TEXT, 20), "binary");
	rig_close(&r);
}

TEST(the_newest_events_are_kept)
{
	static char log[64 * 1024];
	size_t n = 0;

	for (int i = 1; i <= 1500; i++)
		n += (size_t)snprintf(log + n, sizeof(log) - n, "3,%d,%d,-;bad %d\n", i, i, i);
	read_log(log);
	CHECK_UINT(snapshot_rows(&r.snap[1], SCOPE_EVENT), 512);
	CHECK(event(1500) != SIZE_MAX);
	CHECK(event(1500 - 511) != SIZE_MAX);
	CHECK(event(1500 - 512) == SIZE_MAX);
	rig_close(&r);
}

TEST(no_log_is_told)
{
	rig_open(&r, &collector_kmsg);
	CHECK_HAS(rig_status(&r, "dev/kmsg"), "No such file");
	rig_close(&r);
}

TEST(the_live_log_can_be_read_or_says_why_not)
{
	rig_open_live(&r, &collector_kmsg);
	CHECK(rig_status(&r, "dev/kmsg") != NULL);
	r.c->tick(r.state, 0);
	CHECK_INT(rig_read(&r), 0);
	for (size_t i = 0; i < snapshot_rows(&r.snap[1], SCOPE_EVENT); i++)
		CHECK(snapshot_value(&r.snap[1], M_EVENT_TIME, i) <
		      (double)clock_boot_ns() * 1e-9 + 1);
	rig_close(&r);
}
