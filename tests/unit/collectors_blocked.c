/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "collectors/table.h"
#include "tests/unit/rig.h"
#include "tests/unit/unit.h"

static struct rig r;

static void task(const char *path, int tid, char state, unsigned threads)
{
	char text[300];

	snprintf(text, sizeof(text),
		 "%d (pool) %c 1 1 1 0 -1 4194304 10 0 0 0 5 5 0 0 20 0 %u 0 500 1000 100\n", tid,
		 state, threads);
	unit_file(path, text);
}

static bool followed(int tid)
{
	for (size_t i = 0; i < snapshot_rows(&r.snap[1], SCOPE_THREAD); i++)
		if (snapshot_id(&r.snap[1], SCOPE_THREAD, i).key == (uint64_t)tid)
			return true;
	return false;
}

static void pool(char state)
{
	task("proc/100/stat", 100, 'S', 3);
	task("proc/100/task/100/stat", 100, 'S', 3);
	task("proc/100/task/101/stat", 101, state, 3);
	task("proc/100/task/102/stat", 102, state, 3);
}

/* A pool of readers hung on a dead disk: its first thread slept in pause(), no thread used CPU, and for the whole window
 * nobody was seen to wait. */
TEST(a_pool_that_hangs_behind_a_sleeping_first_thread_is_followed)
{
	unit_file("proc/stat", "cpu  1 0 1 1 0 0 0 0 0 0\nprocs_running 1\nprocs_blocked 2\n");
	pool('D');
	rig_open(&r, &collector_tasks);
	rig_read(&r);
	CHECK(followed(101));
	CHECK(followed(102));
	rig_close(&r);
}

TEST(a_pool_that_only_sleeps_is_left_alone)
{
	unit_file("proc/stat", "cpu  1 0 1 1 0 0 0 0 0 0\nprocs_running 1\nprocs_blocked 2\n");
	pool('S');
	rig_open(&r, &collector_tasks);
	rig_read(&r);
	rig_read(&r);
	CHECK(!followed(101));
	rig_close(&r);
}

/* The kernel counts only waits for block I/O there: a dead file server is not among them. */
TEST(a_few_are_asked_once_though_the_kernel_counts_nobody)
{
	unit_file("proc/stat", "cpu  1 0 1 1 0 0 0 0 0 0\nprocs_running 1\nprocs_blocked 0\n");
	pool('D');
	rig_open(&r, &collector_tasks);
	rig_read(&r);
	rig_read(&r);
	CHECK(followed(101));
	rig_close(&r);
}
