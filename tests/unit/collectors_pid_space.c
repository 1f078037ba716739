/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of processes: whose /proc shows, and what a container calls them. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "collectors/pid_space.h"
#include "collectors/pid_target.h"
#include "tests/unit/rig.h"
#include "tests/unit/unit.h"

static void process(const char *pid, const char *tgid, const char *numbers, const char *ns)
{
	char path[64], text[128];

	snprintf(path, sizeof(path), "proc/%s/status", pid);
	snprintf(text, sizeof(text), "Name:\tx\nTgid:\t%s\nNSpid:\t%s\nThreads:\t1\n", tgid,
		 numbers);
	unit_file(path, text);
	snprintf(path, sizeof(path), "proc/%s/ns/pid", pid);
	rig_link(path, ns);
}

static void own(struct root *root, const char *numbers, const char *ns, const char *first)
{
	struct err e = { 0 };

	process("self", "100", numbers, ns);
	if (first)
		process("1", "1", "1", first);
	CHECK_INT(root_open(root, unit_tmpdir(), &e), 0);
}

TEST(numbers_of_the_outermost_namespace_are_the_kernels)
{
	struct pid_space s;
	struct root root;

	own(&root, "4711", "pid:[4026531836]", "pid:[4026531836]");
	pid_space_read(&s, &root);
	CHECK(!s.nested);
	CHECK_INT(s.below, 0);
	CHECK_INT(s.self, 4711);
	root_close(&root);
}

TEST(a_container_with_a_proc_of_its_own_is_nested)
{
	struct pid_space s;
	struct root root;

	own(&root, "7", "pid:[4026532180]", NULL);
	pid_space_read(&s, &root);
	CHECK(s.nested);
	CHECK_INT(s.below, 0);
	CHECK_INT(s.self, 7);
	root_close(&root);
}

TEST(a_namespace_below_that_of_proc_takes_the_numbers_of_proc)
{
	struct pid_space s;
	struct root root;

	own(&root, "4711\t7", "pid:[4026532180]", "pid:[4026531836]");
	pid_space_read(&s, &root);
	CHECK(!s.nested);
	CHECK_INT(s.below, 1);
	CHECK_INT(s.self, 4711);
	root_close(&root);
}

TEST(a_kernel_that_tells_no_numbers_leaves_our_own)
{
	struct pid_space s;
	struct root root;
	struct err e = { 0 };

	unit_file("proc/self/status", "Name:\tx\n");
	CHECK_INT(root_open(&root, unit_tmpdir(), &e), 0);
	pid_space_read(&s, &root);
	CHECK(!s.nested);
	CHECK_INT(s.self, getpid());
	root_close(&root);
}

/* 20 is the first of a container, 21 its seventh; 30 is a seventh as well, of another container, and 22 a thread of 21. */
static void containers(struct root *root)
{
	struct err e = { 0 };

	unit_file("ns/host", "");
	unit_file("ns/a", "");
	unit_file("ns/b", "");
	process("1", "1", "1", "/ns/host");
	process("7", "7", "7", "/ns/host");
	process("20", "20", "20\t1", "/ns/a");
	process("21", "21", "21\t7", "/ns/a");
	process("22", "21", "22\t8", "/ns/a");
	process("30", "30", "30\t7", "/ns/b");
	unit_file("proc/20/cgroup", "4:memory:/docker/0123456789abcdef\n0::/\n");
	unit_file("proc/21/cgroup", "4:memory:/docker/0123456789abcdef\n0::/\n");
	unit_file("proc/30/cgroup", "4:memory:/docker/fedcba9876543210\n0::/\n");
	unit_file("proc/7/cgroup", "0::/system.slice/a.service\n");
	CHECK_INT(root_open(root, unit_tmpdir(), &e), 0);
}

static int find(const struct root *root, int pid, const char *ns, struct err *e)
{
	int found = -1, err;

	*e = (struct err){ 0 };
	err = pid_target_find(root, pid, ns, &found, e);
	return err ? err : found;
}

TEST(a_number_is_looked_up_in_the_namespace_that_is_named)
{
	struct root root;
	struct err e;

	containers(&root);
	CHECK_INT(find(&root, 7, NULL, &e), 7);
	CHECK_INT(find(&root, 7, "20", &e), 21);
	CHECK_INT(find(&root, 7, "30", &e), 30);
	CHECK_INT(find(&root, 7, "1", &e), 7);
	CHECK_INT(find(&root, 7, "0123456789ab", &e), 21);
	CHECK_INT(find(&root, 7, "/docker/fedcba9876543210", &e), 30);
	CHECK_INT(find(&root, 7, "memory:/docker/0123456789abcdef", &e), 21);
	root_close(&root);
}

TEST(what_cannot_be_found_is_told_with_its_reason)
{
	struct root root;
	struct err e;

	containers(&root);
	CHECK_INT(find(&root, 9, NULL, &e), -ESRCH);
	CHECK_HAS(e.msg, "no process 9");
	CHECK_INT(find(&root, 22, NULL, &e), -ESRCH);
	CHECK_HAS(e.msg, "thread of process 21");
	CHECK_INT(find(&root, 9, "20", &e), -ESRCH);
	CHECK_HAS(e.msg, "no process 9 in the PID namespace of 20");
	CHECK_INT(find(&root, 1, "99", &e), -ESRCH);
	CHECK_HAS(e.msg, "no process 99");
	CHECK_INT(find(&root, 1, "aaaaaaaaaaaa", &e), -ESRCH);
	CHECK_HAS(e.msg, "no process in a control group or container");
	CHECK_INT(find(&root, 7, "/system.slice/a.service", &e), -ESRCH);
	CHECK_HAS(e.msg, "without --ns");
	CHECK_INT(find(&root, 7, "x", &e), -EINVAL);
	CHECK_HAS(e.msg, "--ns takes");
	root_close(&root);
}
