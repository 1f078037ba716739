/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "bpf/wire.h"
#include "collectors/census.h"
#include "collectors/mounts.h"
#include "collectors/table.h"
#include "tests/unit/rig.h"
#include "tests/unit/unit.h"

static struct rig r;
static struct mount m;

static const char *plain(struct text t)
{
	static char out[5000];

	mountinfo_unescape(out, sizeof(out), t);
	return out;
}

TEST(a_mountinfo_line_has_all_its_fields)
{
	CHECK(mountinfo_line(
		text_of("36 35 98:5 /mnt1 /mnt/par\\040ent rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue"),
		&m));
	CHECK_UINT(m.id, 36);
	CHECK_UINT(m.parent, 35);
	CHECK_UINT(m.devno, 98 << 20 | 5);
	CHECK_STR(plain(m.root), "/mnt1");
	CHECK_STR(plain(m.point), "/mnt/par ent");
	CHECK_STR(plain(m.options), "rw,noatime");
	CHECK_STR(plain(m.type), "ext3");
	CHECK_STR(plain(m.source), "/dev/root");
	CHECK_STR(plain(m.super), "rw,errors=continue");
	CHECK(mountinfo_has(m.super, "rw"));
	CHECK(mountinfo_has(m.super, "errors=continue"));
	CHECK(!mountinfo_has(m.super, "errors"));
	CHECK(!mountinfo_has(m.super, "ro"));
}

TEST(an_empty_source_does_not_shift_the_fields)
{
	CHECK(mountinfo_line(text_of("36 35 0:40 / /run/x rw - tmpfs  rw,size=4k"), &m));
	CHECK_STR(plain(m.source), "");
	CHECK_STR(plain(m.super), "rw,size=4k");
}

TEST(hostile_mount_points_are_unescaped_to_their_bytes)
{
	CHECK(mountinfo_line(
		text_of("1 0 0:1 / /a\\011b\\012c\\134d\\043e\\000f\\9x\\07 rw - tmpfs \\040 rw"),
		&m));
	CHECK_STR(plain(m.point), "/a\tb\nc\\d#e?f\\9x\\07");
	CHECK_STR(plain(m.source), " ");
	CHECK(mountinfo_line(text_of("1 0 0:1 / /\033[2J\377 rw - tmpfs x rw"), &m));
	CHECK_STR(plain(m.point), "/\033[2J\377");
}

TEST(what_is_no_mountinfo_line_is_refused)
{
	static const char *const bad[] = {
		"",
		" ",
		"36",
		"36 35",
		"x 35 98:0 / /m rw - ext3 s rw",
		"36 35 98 / /m rw - ext3 s rw",
		"36 35 98:0 / /m rw shared:1",
		"36 35 98:0 / /m rw -",
		"36 35 98:0 / /m rw - ext3",
		"36 35 98:0 /  rw - ext3 s rw",
		"36 35 99999999999999999999999:0 / /m rw - ext3 s rw",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (mountinfo_line(text_of(bad[i]), &m))
			unit_fail(__FILE__, __LINE__, "accepted: %s", bad[i]);
}

TEST(unescaping_never_writes_past_the_end)
{
	char small[4] = "zzz";

	CHECK_UINT(mountinfo_unescape(small, 3, text_of("\\040\\040\\040")), 2);
	CHECK_STR(small, "  ");
	CHECK(small[3] == '\0');
}

static void tree(const char *mountinfo)
{
	unit_file("proc/self/mountinfo", mountinfo);
	rig_link("sys/dev/block/8:2", "../../devices/block/sda/sda2");
	unit_file("sys/devices/block/sda/sda2/partition", "2\n");
	rig_link("sys/class/block/sdb1", "../../devices/block/sdb/sdb1");
	unit_file("sys/devices/block/sdb/sdb1/partition", "1\n");
}

TEST(a_file_system_is_one_row_however_often_it_is_mounted)
{
	tree("21 1 8:2 /srv/sub /opt/a rw - ext4 /dev/sda2 rw,errors=remount-ro\n"
	     "22 1 8:2 / /mnt/long/er rw - ext4 /dev/sda2 rw,errors=remount-ro\n"
	     "23 1 8:2 / /data rw - ext4 /dev/sda2 rw,errors=remount-ro\n"
	     "24 1 8:2 / /mnt/other ro - ext4 /dev/sda2 rw,errors=remount-ro\n"
	     "25 1 0:31 /vol /pool rw - btrfs /dev/sdb1 ro,subvol=/vol\n"
	     "26 1 0:5 / /proc rw - proc proc rw\n"
	     "27 1 0:44 / /img ro - squashfs /dev/loop0 ro\n");
	rig_open(&r, &collector_filesystems);
	CHECK_INT(rig_read(&r), 0);
	CHECK_UINT(snapshot_rows(&r.snap[1], SCOPE_FS), 3);
	CHECK_STR(rig_text(&r, M_FS_TYPE, "/data"), "ext4");
	CHECK_STR(rig_text(&r, M_FS_DISK, "/data"), "sda");
	CHECK_STR(rig_text(&r, M_FS_OPTIONS, "/data"), "rw,errors=remount-ro");
	CHECK_NEAR(rig_value(&r, M_FS_READONLY, "/data"), 0, 0);
	CHECK_NEAR(rig_value(&r, M_FS_NAMESPACE, "/data"), 0, 0);
	CHECK_STR(rig_text(&r, M_FS_DISK, "/pool"), "sdb");
	CHECK_NEAR(rig_value(&r, M_FS_READONLY, "/pool"), 1, 0);
	CHECK(isnan(rig_value(&r, M_FS_SIZE, "/data")));
	CHECK_HAS(rig_status(&r, "statvfs"), "captured");
	rig_close(&r);
}

TEST(an_aborted_ext4_is_read_only_without_saying_ro)
{
	tree("21 1 8:2 / /data rw - ext4 /dev/sda2 rw,emergency_ro,errors=remount-ro\n");
	unit_file("sys/fs/ext4/sda2/errors_count", "3\n");
	unit_file("sys/fs/ext4/sda2/last_error_time", "1700000000\n");
	rig_open(&r, &collector_filesystems);
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_FS_READONLY, "/data"), 2, 0);
	CHECK_NEAR(rig_value(&r, M_FS_ERRORS, "/data"), 3, 0);
	CHECK_NEAR(rig_value(&r, M_FS_ERROR_TIME, "/data"), 1700000000, 0);
	rig_close(&r);
}

TEST(a_file_system_keeps_its_row_when_it_goes_read_only_and_loses_it_when_unmounted)
{
	struct row_id before;

	tree("21 1 8:2 / /data rw - ext4 /dev/sda2 rw\n22 1 0:9 / /tmp rw - tmpfs tmpfs rw\n");
	rig_open(&r, &collector_filesystems);
	rig_read(&r);
	before = snapshot_id(&r.snap[1], SCOPE_FS, rig_row(&r, SCOPE_FS, "/data"));
	tree("21 1 8:2 / /data ro - ext4 /dev/sda2 ro\n");
	rig_read(&r);
	CHECK_UINT(snapshot_rows(&r.snap[1], SCOPE_FS), 1);
	CHECK_UINT(snapshot_find(&r.snap[1], SCOPE_FS, before), 0);
	CHECK_NEAR(rig_value(&r, M_FS_READONLY, "/data"), 1, 0);
	rig_close(&r);
}

TEST(file_systems_of_other_mount_namespaces_are_found)
{
	tree("21 1 8:2 / / rw - ext4 /dev/sda2 rw\n");
	rig_link("proc/self/ns/mnt", "mnt:[100]");
	rig_link("proc/1/ns/mnt", "mnt:[100]");
	rig_link("proc/77/ns/mnt", "mnt:[200]");
	rig_link("proc/78/ns/mnt", "mnt:[200]");
	unit_file(
		"proc/77/mountinfo",
		"50 1 0:60 / / rw - overlay overlay rw\n51 50 0:61 / /hid\\040den rw - tmpfs t rw\n"
		"52 50 8:2 /etc/hosts /etc/hosts rw - ext4 /dev/sda2 rw\n");
	unit_file("proc/78/mountinfo", "50 1 0:60 / / rw - overlay overlay rw\n");
	rig_open(&r, &collector_filesystems);
	rig_read(&r);
	CHECK_UINT(snapshot_rows(&r.snap[1], SCOPE_FS), 3);
	CHECK_NEAR(rig_value(&r, M_FS_NAMESPACE, "/proc/77/root"), 77, 0);
	CHECK_NEAR(rig_value(&r, M_FS_NAMESPACE, "/proc/77/root/hid den"), 77, 0);
	CHECK_STR(rig_text(&r, M_FS_DISK, "/"), "sda");
	rig_close(&r);
}

TEST(a_thousand_hostile_mounts_are_bounded)
{
	static char text[1 << 20];
	size_t n = 0;

	for (int i = 0; i < 5000; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "%d 1 0:%d / /m%d rw - xfs /dev/x%d rw\n", i, 100 + i, i, i);
	unit_file("proc/self/mountinfo", text);
	rig_open(&r, &collector_filesystems);
	CHECK_INT(rig_read(&r), 0);
	CHECK_UINT(snapshot_rows(&r.snap[1], SCOPE_FS), FS_CAP);
	rig_close(&r);
}

TEST(space_of_the_live_root_is_what_statvfs_says)
{
	struct statvfs v;
	size_t row = SIZE_MAX;
	double size;

	rig_open_live(&r, &collector_filesystems);
	if (rig_read(&r) || statvfs("/", &v))
		SKIP("no mount table here");
	row = rig_row(&r, SCOPE_FS, "/");
	if (row == SIZE_MAX)
		SKIP("/ is not in the mount table here");
	size = rig_value(&r, M_FS_SIZE, "/");
	CHECK_NEAR(size, (double)v.f_blocks * (double)v.f_frsize, 0);
	CHECK_NEAR(rig_value(&r, M_FS_FREE, "/"), (double)v.f_bfree * (double)v.f_frsize,
		   size * 0.05);
	CHECK(rig_value(&r, M_FS_AVAILABLE, "/") <= rig_value(&r, M_FS_FREE, "/"));
	CHECK_NEAR(rig_value(&r, M_FS_HUNG, "/"), 0, 0);
	rig_close(&r);
}

/* ---- space, asked in a child ---- */

static struct fs_space space;
static struct mounts mounts;
static struct fs list[4];

static int sleepy(void *ctx, const void *request, size_t n, struct buf *answer, int *fd)
{
	(void)ctx;
	(void)request;
	(void)n;
	(void)answer;
	(void)fd;
	for (;;)
		pause();
	return 0;
}

static void four_file_systems(void)
{
	static char points[4][40];

	for (int i = 0; i < 4; i++) {
		snprintf(points[i], sizeof(points[i]), "/");
		list[i] = (struct fs){ .devno = (uint64_t)i,
				       .point = points[i],
				       .type = points[i],
				       .source = points[i] };
	}
	mounts = (struct mounts){ .list = list, .n = 4, .cap = 4 };
}

TEST(local_file_systems_are_asked_together)
{
	four_file_systems();
	fs_space_open(&space, NULL);
	CHECK(space.open);
	fs_space_ask(&space, &mounts, 1000000000, true);
	for (int i = 0; i < 4; i++) {
		CHECK(list[i].known);
		CHECK(list[i].size > 0);
		CHECK(!list[i].hung);
	}
	fs_space_close(&space);
}

TEST(a_path_that_is_gone_is_unknown_and_not_zero)
{
	four_file_systems();
	list[2].point = (char[]){ "/no/such/place" };
	fs_space_open(&space, NULL);
	fs_space_ask(&space, &mounts, 1000000000, true);
	CHECK(!list[2].known);
	CHECK(!list[2].hung);
	CHECK(list[3].known);
	fs_space_close(&space);
}

TEST(a_file_system_that_never_answers_is_hung_and_asked_less_and_less)
{
	unsigned killed;

	four_file_systems();
	mounts.n = 1;
	list[0].kind.remote = true;
	CHECK_INT(child_open(&space.child, "sleepy", sleepy, NULL, NULL), 0);
	space.open = true;
	fs_space_ask(&space, &mounts, 1000000000, true);
	CHECK(list[0].hung);
	CHECK(!list[0].known);
	CHECK_UINT(list[0].hangs, 1);
	killed = space.child.killed;
	CHECK_UINT(killed, 1);
	fs_space_ask(&space, &mounts, 2000000000, true); /* too soon */
	CHECK_UINT(space.child.killed, killed);
	CHECK(list[0].hung);
	fs_space_ask(&space, &mounts, 3100000000, true);
	CHECK_UINT(list[0].hangs, 2);
	fs_space_ask(&space, &mounts, 5200000000, true); /* now it takes twice as long */
	CHECK_UINT(list[0].hangs, 2);
	fs_space_ask(&space, &mounts, 7200000000, true);
	CHECK_UINT(list[0].hangs, 3);
	fs_space_close(&space);
}

/* The second of a batch hangs: the others must still be known. */
static int second_hangs(void *ctx, const void *request, size_t n, struct buf *answer, int *fd)
{
	const char *path = memmem(request, n, "/hang", 5);

	(void)ctx;
	(void)fd;
	if (path) {
		child_set_progress(1);
		for (;;)
			pause();
	}
	/* what the real child gives per item: a code, a flag, five numbers */
	for (size_t i = 0; i < 3; i++) {
		uint64_t told[6] = { 0, 4096, 2048, 1024, 0, 0 };

		buf_add(answer, told, sizeof(told));
	}
	return 0;
}

TEST(one_that_hangs_does_not_hide_the_others)
{
	four_file_systems();
	list[1].point = (char[]){ "/hang" };
	CHECK_INT(child_open(&space.child, "second", second_hangs, NULL, NULL), 0);
	space.open = true;
	fs_space_ask(&space, &mounts, 1000000000, true);
	CHECK(list[1].hung);
	CHECK(!list[1].known);
	CHECK(list[0].known && list[2].known && list[3].known);
	CHECK_UINT(list[3].size, 4096);
	CHECK_UINT(list[3].available, 1024);
	fs_space_close(&space);
}

TEST(numbers_of_a_lying_file_system_are_kept_in_order)
{
	struct statvfs v;

	four_file_systems();
	mounts.n = 1;
	fs_space_open(&space, NULL);
	fs_space_ask(&space, &mounts, 1000000000, true);
	CHECK_INT(statvfs("/", &v), 0);
	CHECK(list[0].available <= list[0].free);
	CHECK(list[0].free <= list[0].size);
	CHECK(list[0].inodes_free <= list[0].inodes);
	fs_space_close(&space);
}

TEST(autofs_is_never_asked)
{
	four_file_systems();
	mounts.n = 1;
	list[0].kind = fs_kind(text_of("autofs"));
	fs_space_open(&space, NULL);
	fs_space_ask(&space, &mounts, 1000000000, true);
	CHECK_UINT(list[0].asked_ns, 0);
	CHECK(fs_kind(text_of("fuse.sshfs")).remote);
	CHECK(fs_kind(text_of("nfs4")).remote);
	CHECK(fs_kind(text_of("squashfs")).image);
	CHECK(fs_kind(text_of("overlay")).layer);
	CHECK(!fs_kind(text_of("ext4")).remote);
	fs_space_close(&space);
}

/* ---- who has files open ---- */

static struct openfiles walk;
static const struct mount_id ids[] = { { 30, 0x800002 }, { 31, 0x800010 } };

static void task(int pid, const char *state, unsigned start, const char *io)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "proc/%d/stat", pid);
	snprintf(text, sizeof(text),
		 "%d (a) R (b)) %s 1 1 1 0 -1 4194304 0 0 0 0 1 1 0 0 20 0 1 0 %u 0 0\n", pid,
		 state, start);
	unit_file(path, text);
	snprintf(path, sizeof(path), "proc/%d/io", pid);
	unit_file(path, io);
}

static void open_file(int pid, int fd, const char *target, const char *flags, int mount)
{
	char path[64], text[128];

	snprintf(path, sizeof(path), "proc/%d/fd/%d", pid, fd);
	rig_link(path, target);
	snprintf(path, sizeof(path), "proc/%d/fdinfo/%d", pid, fd);
	snprintf(text, sizeof(text), "pos:\t0\nflags:\t%s\nmnt_id:\t%d\nino:\t9\n", flags, mount);
	unit_file(path, text);
}

static struct root tree_root;

static void start_files(void)
{
	CHECK_INT(root_open(&tree_root, unit_tmpdir(), NULL), 0);
	openfiles_init(&walk, &tree_root);
}

static const char *users(uint64_t devno, bool block)
{
	static struct buf out;

	buf_clear(&out);
	openfiles_users(&walk, devno, block, 10, &out);
	return out.len ? out.data : "";
}

TEST(only_processes_that_did_io_or_are_stuck_are_users)
{
	task(10, "S", 5, "rchar: 100\nwchar: 1\n");
	open_file(10, 3, "/data/log", "0102001", 30);
	task(11, "S", 5, "rchar: 7\n");
	open_file(11, 3, "/data/idle", "0100002", 30);
	task(12, "D", 5, "rchar: 7\n");
	open_file(12, 4, "/data/stuck", "0100000", 30);
	open_file(12, 5, "socket:[123]", "02", 9);
	start_files();
	openfiles_walk(&walk, ids, 2, false, false);
	CHECK_STR(users(0x800002, false), "12:r:1");
	task(10, "S", 5, "rchar: 101\nwchar: 1\n");
	openfiles_walk(&walk, ids, 2, false, false);
	CHECK_STR(users(0x800002, false), "12:r:2 10:w:1");
	CHECK_STR(users(0x800010, false), "");
	openfiles_done(&walk);
	root_close(&tree_root);
}

static struct census_row known[3];

TEST(of_whom_the_census_has_no_file_is_read_but_those_it_has_open)
{
	struct census census = { .rows = known, .n = 3 };

	known[0] =
		(struct census_row){ .pid = 10, .told = true, .start = 5, .io = 100, .state = 'S' };
	known[1] = (struct census_row){ .pid = 12, .told = true, .start = 5, .state = 'D' };
	known[2] = (struct census_row){ .pid = 13 };
	open_file(10, 3, "/data/log", "0102001", 30); /* no stat, no io */
	open_file(12, 4, "/data/stuck", "0100000", 30);
	task(13, "D", 5, "rchar: 7\n"); /* in it by number only */
	open_file(13, 4, "/data/hidden", "0100000", 30);
	start_files();
	walk.census = &census;
	openfiles_walk(&walk, ids, 2, false, false);
	CHECK_STR(users(0x800002, false), "12:r:1 13:r:1");
	known[0].io = 101;
	openfiles_walk(&walk, ids, 2, false, false);
	CHECK_STR(users(0x800002, false), "12:r:2 13:r:2 10:w:1");
	openfiles_done(&walk);
	root_close(&tree_root);
}

TEST(of_whom_the_census_has_no_namespace_is_asked)
{
	struct census census = { .rows = known, .n = 3 };
	struct mounts m2;

	tree("21 1 8:2 / / rw - ext4 /dev/sda2 rw\n");
	rig_link("proc/self/ns/mnt", "mnt:[100]");
	rig_link("proc/5/ns/mnt", "mnt:[300]"); /* hidden */
	unit_file("proc/5/mountinfo", "50 1 0:62 / / rw - overlay overlay rw\n");
	unit_file("proc/7/mountinfo", "50 1 0:60 / / rw - overlay overlay rw\n");
	rig_link("proc/8/ns/mnt", "mnt:[400]"); /* the census had none */
	unit_file("proc/8/mountinfo", "50 1 0:61 / / rw - overlay overlay rw\n");
	known[0] = (struct census_row){ .pid = 5 };
	known[1] = (struct census_row){ .pid = 7, .told = true, .mnt_ns = 200 };
	known[2] = (struct census_row){ .pid = 8, .told = true };
	CHECK_INT(root_open(&tree_root, unit_tmpdir(), NULL), 0);
	mounts_init(&m2, &tree_root);
	m2.census = &census;
	CHECK_INT(mounts_read(&m2, true), 0);
	CHECK_UINT(m2.n, 3);
	CHECK_STR(m2.list[1].point, "/proc/5/root");
	CHECK_STR(m2.list[2].point, "/proc/7/root");
	mounts_done(&m2);
	root_close(&tree_root);
}

TEST(who_changed_while_the_census_was_taken_is_in_it_by_number_only)
{
	struct census c = { .tick_ns = 10000000, .shift_ns = 20000000 };
	struct wire_row w = { .pid = 7, .start = 50000000, .threads = 2, .io = 9, .mnt_ns = 11 };

	w.state = 2;
	census_add(&c, &w);
	w.pid = 9;
	w.cut = WIRE_CUT_THREADS;
	census_add(&c, &w);
	w.pid = 3; /* they come by number */
	w.cut = 0;
	census_add(&c, &w);
	w.pid = 11;
	w.flags = WIRE_KTHREAD;
	w.cut = WIRE_CUT_PAGES; /* which are not in it */
	census_add(&c, &w);
	CHECK_UINT(c.n, 2);
	rig_directory("proc/3");
	rig_directory("proc/7");
	rig_directory("proc/9");
	rig_directory("proc/sys");
	CHECK_INT(root_open(&tree_root, unit_tmpdir(), NULL), 0);
	CHECK_INT(census_list(&c, &tree_root), 0);
	CHECK_UINT(c.n, 4); /* 11 may have ended, or not */
	CHECK(c.rows[0].pid == 3 && !c.rows[0].told);
	CHECK(c.rows[2].pid == 9 && !c.rows[2].told);
	CHECK(c.rows[3].pid == 11 && c.rows[3].told && c.rows[3].kernel);
	CHECK(c.rows[1].pid == 7 && c.rows[1].told && !c.rows[1].kernel);
	CHECK_UINT(c.rows[1].start, 7);
	CHECK_UINT(c.rows[1].io, 9);
	CHECK_UINT(c.rows[1].mnt_ns, 11);
	CHECK_INT(c.rows[1].state, 'D');
	census_done(&c);
	root_close(&tree_root);
}

TEST(a_pid_that_came_back_is_somebody_else)
{
	task(10, "S", 5, "rchar: 100\n");
	open_file(10, 3, "/data/log", "0100001", 30);
	start_files();
	openfiles_walk(&walk, ids, 2, false, false);
	task(10, "S", 6, "rchar: 900\n");
	openfiles_walk(&walk, ids, 2, false, false);
	CHECK_STR(users(0x800002, false), "");
	openfiles_done(&walk);
	root_close(&tree_root);
}

TEST(an_open_disk_node_is_a_use_of_the_disk)
{
	task(10, "D", 5, "");
	open_file(10, 3, "/dev/sdb1", "0140000", 31);
	rig_link("sys/class/block/sdb1", "../../devices/block/sdb/sdb1");
	unit_file("sys/devices/block/sdb/sdb1/partition", "1\n");
	unit_file("sys/block/sdb/dev", "8:16\n");
	start_files();
	openfiles_walk(&walk, ids, 2, false, false);
	CHECK_STR(users(0x800010, true), "10:r:1");
	openfiles_done(&walk);
	root_close(&tree_root);
}

TEST(deleted_files_are_found_in_idle_processes_too)
{
	task(10, "S", 5, "");
	open_file(10, 7, "/data/big (log) (deleted)", "0100002", 30);
	open_file(10, 8, "/memfd:x (deleted)", "0100002", 30);
	open_file(10, 9, "/other/gone (deleted)", "0100002", 99);
	open_file(10, 6, "/data/there", "0100002", 30);
	start_files();
	openfiles_walk(&walk, ids, 2, true, false);
	CHECK_UINT(walk.ndeleted, 1);
	CHECK_INT(walk.deleted[0].pid, 10);
	CHECK_INT(walk.deleted[0].fd, 7);
	CHECK_UINT(walk.deleted[0].devno, 0x800002);
	CHECK_STR(walk.paths.data + walk.deleted[0].path, "/data/big (log)");
	openfiles_walk(&walk, ids, 2, true, false);
	CHECK_UINT(walk.ndeleted, 1);
	openfiles_done(&walk);
	root_close(&tree_root);
}

TEST(a_stuck_thread_makes_its_process_a_user_when_something_does_not_answer)
{
	unit_file("proc/20/stat", "20 (srv) S 1 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 3 0 5 0 0\n");
	unit_file("proc/20/io", "rchar: 1\n");
	unit_file("proc/20/task/20/stat",
		  "20 (srv) S 1 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 3 0 5 0 0\n");
	unit_file("proc/20/task/21/stat",
		  "21 (srv) D 1 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 3 0 5 0 0\n");
	open_file(20, 3, "/data/x", "0100002", 30);
	start_files();
	openfiles_walk(&walk, ids, 2, false, false);
	CHECK_STR(users(0x800002, false), "");
	openfiles_walk(&walk, ids, 2, false, true);
	CHECK_STR(users(0x800002, false), "20:w:1");
	openfiles_done(&walk);
	root_close(&tree_root);
}

TEST(kernel_threads_and_hostile_stat_lines_are_passed_over)
{
	unit_file("proc/2/stat",
		  "2 (kthreadd) D 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 1 0 0\n");
	unit_file("proc/3/stat", "3 no parenthesis at all\n");
	unit_file("proc/4/stat", "4 (x) D\n");
	unit_file("proc/5/stat", "");
	rig_directory("proc/6");
	open_file(2, 3, "/data/x", "0100002", 30);
	open_file(4, 3, "/data/x", "0100002", 30);
	start_files();
	openfiles_walk(&walk, ids, 2, true, true);
	CHECK_STR(users(0x800002, false), "");
	CHECK_UINT(walk.ndeleted, 0);
	openfiles_done(&walk);
	root_close(&tree_root);
}

TEST(a_process_with_thousands_of_files_is_cut_and_that_is_told)
{
	task(10, "D", 5, "");
	for (int i = 0; i < 700; i++)
		open_file(10, i, "/data/x", "0100002", 30);
	start_files();
	openfiles_walk(&walk, ids, 2, false, false);
	CHECK(walk.cut);
	CHECK_STR(users(0x800002, false), "10:w:1");
	openfiles_done(&walk);
	root_close(&tree_root);
}

TEST(space_of_a_deleted_file_that_we_hold_is_told_by_the_child)
{
	char path[600], block[65536] = "x";
	int fd;

	snprintf(path, sizeof(path), "%s/held", unit_tmpdir());
	fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK_INT(write(fd, block, sizeof(block)), sizeof(block));
	CHECK_INT(fsync(fd), 0);
	unlink(path);
	memset(&walk, 0, sizeof(walk));
	walk.deleted =
		(struct deleted_file[]){ { .pid = getpid(), .fd = fd, .bytes = UINT64_MAX } };
	walk.ndeleted = 1;
	fs_space_open(&space, NULL);
	fs_space_ask_deleted(&space, &walk);
	CHECK(walk.deleted[0].bytes >= sizeof(block));
	CHECK(walk.deleted[0].bytes < 10 * sizeof(block));
	CHECK(walk.deleted[0].inode != 0);
	fs_space_close(&space);
	close(fd);
}
