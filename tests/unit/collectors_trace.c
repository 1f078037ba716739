/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "collectors/trace_mounts.h"
#include "collectors/trace_who.h"
#include "tests/unit/unit.h"

#define ROOT_LINE "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
#define TMP_LINE  "21 20 0:30 / /tmp\\040dir rw - tmpfs tmp rw\n"

static char told[512];

static void note(void *ctx, const struct trace_mount *r)
{
	static const char *const words[] = { "+", "-", "~" };

	(void)ctx;
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s%s(%s) ", words[r->what],
		 r->point, r->type);
}

/* What is told when the list changes from one to the other. */
static const char *change(const char *before, const char *after)
{
	struct trace_mounts *m = NULL;
	struct root root;
	struct err e = { 0 };

	told[0] = '\0';
	unit_file("proc/self/mountinfo", before);
	CHECK_INT(root_open(&root, unit_tmpdir(), &e), 0);
	CHECK_INT(trace_mounts_open(&m, &root, &e), 0);
	unit_file("proc/self/mountinfo", after);
	CHECK_INT(trace_mounts_read(m, note, NULL), 0);
	CHECK_INT(trace_mounts_read(m, note, NULL), 0); /* nothing is told twice */
	trace_mounts_close(m);
	root_close(&root);
	return told;
}

TEST(a_mount_that_comes_is_told)
{
	CHECK_STR(change(ROOT_LINE, ROOT_LINE TMP_LINE), "+/tmp dir(tmpfs) ");
}

TEST(a_mount_that_goes_is_told)
{
	CHECK_STR(change(ROOT_LINE TMP_LINE, ROOT_LINE), "-/tmp dir(tmpfs) ");
}

TEST(a_mount_whose_options_change_is_told)
{
	CHECK_STR(change(ROOT_LINE, "20 1 8:1 / / ro - ext4 /dev/sda1 ro\n"), "~/(ext4) ");
}

TEST(a_number_that_is_used_again_is_one_that_went_and_one_that_came)
{
	CHECK_STR(change(ROOT_LINE TMP_LINE, ROOT_LINE "21 20 0:31 / /mnt rw - proc proc rw\n"),
		  "-/tmp dir(tmpfs) +/mnt(proc) ");
}

TEST(mounts_in_another_order_are_the_same)
{
	CHECK_STR(change(ROOT_LINE TMP_LINE, TMP_LINE ROOT_LINE), "");
}

TEST(lines_that_are_no_mounts_are_not_told)
{
	CHECK_STR(change(ROOT_LINE, ROOT_LINE "nonsense\n\n21\n21 20 0:30\n"), "");
}

static int pattern(const char *p)
{
	struct err e = { 0 };

	return trace_who_check_pattern(p, &e);
}

TEST(a_pattern_of_groups_is_a_path_or_the_beginning_of_an_id)
{
	CHECK_INT(pattern("/system.slice"), 0);
	CHECK_INT(pattern("memory:/a"), 0);
	CHECK_INT(pattern("0123456789ab"), 0);
	CHECK(pattern("0123") < 0);
	CHECK(pattern("") < 0);
	CHECK(pattern("name") < 0);
	CHECK(pattern("blkio:/a") < 0);
}

/* A process that is gone is known by the path that it was started with; one whose number was given away is not mixed up with
 * its successor. */
TEST(executables_belong_to_a_process_and_not_to_its_number)
{
	struct trace_who *w;
	struct root root;
	struct err e = { 0 };

	CHECK_INT(root_open(&root, unit_tmpdir(), &e), 0);
	w = trace_who_new(&root, 100);
	CHECK(!trace_who_exe(w, 7, 1000));
	trace_who_exec(w, 7, 1000, "/bin/gone");
	CHECK_STR(trace_who_exe(w, 7, 1000), "/bin/gone");
	CHECK(!trace_who_exe(w, 7, 2000));
	trace_who_exec(w, 8, 1000, "relative");
	CHECK(!trace_who_exe(w, 8, 1000));
	CHECK(!trace_who_exe(w, 0, 0));
	trace_who_free(w);
	root_close(&root);
}
