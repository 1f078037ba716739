/* SPDX-License-Identifier: Apache-2.0 */
#include "base/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "tests/unit/unit.h"

static struct root r;
static struct buf out;

static const char *below(const char *path)
{
	static char full[4][256];
	static unsigned turn;
	char *s = full[turn++ % 4];

	snprintf(s, 256, "%s/%s", unit_tmpdir(), path);
	return s;
}

static void open_fixture(void)
{
	struct err e = { 0 };

	unit_file("tree/proc/stat", "cpu 1 2 3\n");
	unit_file("outside", "secret");
	if (root_open(&r, below("tree"), &e))
		SKIP("%s", e.msg);
	CHECK(!r.live);
}

TEST(the_real_root_is_recognised_by_what_it_is)
{
	struct err e = { 0 };

	CHECK_INT(root_open(&r, "/", &e), 0);
	CHECK(r.live);
	root_close(&r);
	CHECK_INT(root_open(&r, "/../.", &e), 0);
	CHECK(r.live);
	root_close(&r);
	CHECK_INT(r.fd, -1);
	root_close(&r);
	root_close(NULL);
}

TEST(a_root_that_is_not_there_is_named)
{
	struct err e = { 0 };

	CHECK_INT(root_open(&r, "/nowhere/at/all", &e), -ENOENT);
	CHECK_STR(e.msg, "cannot open the directory /nowhere/at/all: No such file or directory");
	unit_file("file", "x");
	CHECK_INT(root_open(&r, below("file"), NULL), -ENOTDIR);
}

TEST(a_root_below_another_is_never_the_live_one)
{
	struct err e = { 0 };
	struct root step;

	open_fixture();
	unit_file("tree/0000/proc/stat", "cpu 7\n");
	CHECK_INT(symlink("/", below("tree/0001")), 0);
	CHECK_INT(symlink("0000", below("tree/0002")), 0);
	CHECK_INT(root_open_below(&step, &r, "0000", &e), 0);
	CHECK(!step.live);
	CHECK_INT(root_read(&step, "proc/stat", &out, 100), 0);
	CHECK_STR(out.data, "cpu 7\n");
	root_close(&step);
	CHECK_INT(root_open_below(&step, &r, "0001", &e), -ELOOP);
	CHECK_HAS(e.msg, "/tree/0001: symbolic links are not followed");
	CHECK_INT(root_open_below(&step, &r, "0002", &e), -ELOOP);
	CHECK_INT(root_open_below(&step, &r, "0003", &e), -ENOENT);
	CHECK_HAS(e.msg, "/tree/0003: No such file or directory");
	CHECK_INT(step.fd, -1);
	root_close(&step);
	root_close(&r);

	/* Neither is the machine's own / when it is looked at from there. */
	CHECK_INT(root_open(&r, "/", NULL), 0);
	CHECK_INT(root_open_below(&step, &r, ".", NULL), 0);
	CHECK(!step.live);
	root_close(&step);
	root_close(&r);
}

TEST(files_of_the_live_system_are_read_whole)
{
	CHECK_INT(root_open(&r, "/", NULL), 0);
	CHECK_INT(root_read(&r, "proc/self/status", &out, ROOT_FILE_CAP), 0);
	CHECK_HAS(out.data, "Name:");
	CHECK_UINT(strlen(out.data), out.len);
	CHECK_INT(root_read(&r, "proc/no/such/file", &out, ROOT_FILE_CAP), -ENOENT);
	CHECK_UINT(out.len, 0);
	root_close(&r);
	buf_done(&out);
}

TEST(files_of_a_fixture_are_read_whole)
{
	char big[20001];

	memset(big, 'b', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	open_fixture();
	unit_file("tree/big", big);
	unit_file("tree/empty", "");
	CHECK_INT(root_read(&r, "proc/stat", &out, ROOT_FILE_CAP), 0);
	CHECK_STR(out.data, "cpu 1 2 3\n");
	CHECK_INT(root_read(&r, "/proc/stat", &out, ROOT_FILE_CAP), 0);
	CHECK_STR(out.data, "cpu 1 2 3\n");
	CHECK_INT(root_read(&r, "big", &out, ROOT_FILE_CAP), 0);
	CHECK_STR(out.data, big);
	CHECK_INT(root_read(&r, "empty", &out, ROOT_FILE_CAP), 0);
	CHECK_STR(out.data, "");
	root_close(&r);
	buf_done(&out);
}

TEST(a_file_above_its_cap_is_refused)
{
	open_fixture();
	unit_file("tree/ten", "0123456789");
	CHECK_INT(root_read(&r, "ten", &out, 10), 0);
	CHECK_UINT(out.len, 10);
	CHECK_INT(root_read(&r, "ten", &out, 9), -EFBIG);
	CHECK_UINT(out.len, 0);
	CHECK_INT(root_read(&r, "ten", &out, 0), -EFBIG);
	CHECK_INT(root_read(&r, "ten", &out, (size_t)-1), 0);
	CHECK_STR(out.data, "0123456789");
	root_close(&r);
	buf_done(&out);
}

TEST(an_open_file_is_read_again_from_its_start)
{
	int fd;

	open_fixture();
	fd = root_openat(&r, "proc/stat");
	CHECK(fd >= 0);
	for (int i = 0; i < 3; i++) {
		CHECK_INT(root_reread(fd, &out, ROOT_FILE_CAP), 0);
		CHECK_STR(out.data, "cpu 1 2 3\n");
	}
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
	CHECK_INT(root_reread(fd, &out, ROOT_FILE_CAP), -EBADF);
	root_close(&r);
	buf_done(&out);
}

TEST(a_path_cannot_climb_out_of_a_fixture)
{
	open_fixture();
	CHECK_INT(root_openat(&r, "../outside"), -ENOENT);
	CHECK_INT(root_openat(&r, "proc/../../outside"), -ENOENT);
	CHECK_INT(root_openat(&r, "/etc/passwd"), -ENOENT);
	root_close(&r);
}

TEST(a_symbolic_link_cannot_leave_a_fixture)
{
	open_fixture();
	CHECK_INT(symlink("/etc/passwd", below("tree/absolute")), 0);
	CHECK_INT(symlink("../outside", below("tree/relative")), 0);
	CHECK_INT(symlink("/proc", below("tree/folder")), 0);
	CHECK_INT(symlink("/proc/stat", below("tree/inside")), 0);
	CHECK_INT(symlink("loop", below("tree/loop")), 0);
	CHECK_INT(root_openat(&r, "absolute"), -ENOENT);
	CHECK_INT(root_openat(&r, "relative"), -ENOENT);
	CHECK_INT(root_openat(&r, "folder/self/status"), -ENOENT);
	CHECK_INT(root_openat(&r, "loop"), -ELOOP);
	/* An absolute link means the fixture's root, and that is where it leads. */
	CHECK_INT(root_read(&r, "inside", &out, ROOT_FILE_CAP), 0);
	CHECK_STR(out.data, "cpu 1 2 3\n");
	root_close(&r);
	buf_done(&out);
}

TEST(only_regular_files_of_a_fixture_are_opened)
{
	open_fixture();
	CHECK_INT(mkfifo(below("tree/fifo"), 0644), 0);
	CHECK_INT(root_openat(&r, "fifo"), -EINVAL);
	CHECK_INT(root_openat(&r, "proc"), -EISDIR);
	if (!mknod(below("tree/null"), S_IFCHR | 0666, 0x103))
		CHECK_INT(root_openat(&r, "null"), -EINVAL);
	root_close(&r);
}

static int collect(void *ctx, const char *name)
{
	struct buf *b = ctx;

	buf_printf(b, "%s ", name);
	return strcmp(name, "stop") ? 0 : 42;
}

TEST(a_fixture_is_listed_in_one_order_everywhere)
{
	open_fixture();
	unit_file("tree/list/10", "");
	unit_file("tree/list/9", "");
	unit_file("tree/list/sda", "");
	unit_file("tree/list/100", "");
	CHECK_INT(root_list(&r, "list", collect, &out), 0);
	CHECK_STR(out.data, "9 10 100 sda ");
	buf_clear(&out);
	unit_file("tree/list/stop", "");
	unit_file("tree/list/zzz", "");
	CHECK_INT(root_list(&r, "list", collect, &out), 42);
	CHECK_STR(out.data, "9 10 100 sda stop ");
	CHECK_INT(root_list(&r, "nothing", collect, &out), -ENOENT);
	CHECK_INT(root_list(&r, "proc/stat", collect, &out), -ENOTDIR);
	CHECK_INT(mkdir(below("tree/bare"), 0755), 0);
	buf_clear(&out);
	CHECK_INT(root_list(&r, "bare", collect, &out), 0);
	CHECK_STR(out.data, "");
	root_close(&r);
	buf_done(&out);
}

static int find_stat(void *ctx, const char *name)
{
	(void)ctx;
	CHECK(strcmp(name, ".") && strcmp(name, ".."));
	return !strcmp(name, "stat");
}

TEST(the_live_system_is_listed_without_dots)
{
	CHECK_INT(root_open(&r, "/", NULL), 0);
	CHECK_INT(root_list(&r, "proc/self", find_stat, NULL), 1);
	CHECK_INT(root_list(&r, "proc/self/task", find_stat, NULL), 0);
	CHECK_INT(root_list(&r, "proc/self/stat", find_stat, NULL), -ENOTDIR);
	root_close(&r);
}

TEST(links_are_read_but_not_followed)
{
	char target[16];

	open_fixture();
	CHECK_INT(symlink("0123456789", below("tree/link")), 0);
	CHECK_INT(root_readlink(&r, "link", target, sizeof(target)), 10);
	CHECK_STR(target, "0123456789");
	CHECK_INT(root_readlink(&r, "link", target, 11), 10);
	CHECK_INT(root_readlink(&r, "link", target, 10), -ENAMETOOLONG);
	CHECK_INT(root_readlink(&r, "link", target, 0), -ENAMETOOLONG);
	CHECK_INT(root_readlink(&r, "proc/stat", target, sizeof(target)), -EINVAL);
	CHECK_INT(root_readlink(&r, "../outside", target, sizeof(target)), -ENOENT);
	root_close(&r);
	CHECK_INT(root_open(&r, "/", NULL), 0);
	CHECK(root_readlink(&r, "proc/self", target, sizeof(target)) > 0);
	CHECK_INT(atoi(target), getpid());
	CHECK_INT(root_readlink(&r, "proc/self/stat", target, sizeof(target)), -EINVAL);
	root_close(&r);
}
