/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of CPUs in reports: the stacks of a process, and what the kernel did. */
#include <stdio.h>
#include <string.h>

#include "model/mechanism.h"
#include "model/stacks.h"
#include "tests/unit/scene.h"
#include "tests/unit/unit.h"

static void stack(struct scene *s, int pid, int rank, double samples, double of, const char *frames)
{
	struct row_id row;
	char name[32];

	snprintf(name, sizeof(name), "%d/%d", pid, rank);
	row = scene_named(s, SCOPE_STACK, name);
	scene_level(s, M_STACK_PID, row, pid);
	scene_level(s, M_STACK_KERNEL, row, 0);
	scene_level(s, M_STACK_SAMPLES, row, samples);
	scene_level(s, M_STACK_OF, row, of);
	scene_text(s, M_STACK_FRAMES, row, frames);
}

TEST(the_most_frequent_stacks_of_a_process_come_first)
{
	struct stack_seen list[2];
	struct scene s;

	scene_open(&s, 2, 10);
	stack(&s, 7, 1, 10, 100, "a;main");
	stack(&s, 7, 2, 60, 100, "b;main");
	stack(&s, 7, 3, 30, 100, "c;main");
	stack(&s, 8, 1, 90, 100, "of another");
	scene_build(&s);
	CHECK_UINT(stacks_of(&s.view, 7, list, 2), 2);
	CHECK_STR(list[0].frames, "b;main");
	CHECK_NEAR(list[0].share, 0.6, 1e-9);
	CHECK_STR(list[1].frames, "c;main");
	CHECK_UINT(stacks_of(&s.view, 9, list, 2), 0);
	scene_close(&s);
}

TEST(a_stack_that_was_seen_twice_is_chance)
{
	struct stack_seen list[2];
	struct scene s;

	scene_open(&s, 2, 10);
	stack(&s, 7, 1, 2, 2, "a;main");
	stack(&s, 7, 2, 3, 2, "more than there are");
	scene_build(&s);
	CHECK_UINT(stacks_of(&s.view, 7, list, 2), 0);
	scene_close(&s);
}

static void work(struct scene *s, const char *name, double seconds, int pid)
{
	struct row_id row = scene_named(s, SCOPE_MECHANISM, name);

	scene_level(s, M_MECH_TIME, row, seconds);
	scene_level(s, M_MECH_SAMPLES, row, seconds * 49);
	scene_level(s, M_MECH_PID, row, pid);
	scene_level(s, M_MECH_PID_SAMPLES, row, seconds * 49 / 2);
}

TEST(what_took_the_kernel_most_time_comes_first)
{
	struct mechanism_seen list[4];
	struct scene s;

	scene_open(&s, 2, 10);
	work(&s, "futex", 2, 7);
	work(&s, "zeroing", 4, 8);
	scene_build(&s);
	CHECK_UINT(mechanisms_seen(&s.view, list, 4), 2);
	CHECK_STR(list[0].name, "zeroing");
	CHECK_INT(list[0].pid, 8);
	CHECK_NEAR(list[0].seconds, 4, 1e-6);
	CHECK_NEAR(list[0].pid_share, 0.5, 1e-2);
	CHECK_UINT(mechanisms_seen(&s.view, list, 1), 1);
	CHECK_STR(list[0].name, "zeroing");
	scene_close(&s);
}

static const char *kind_of(const char *function)
{
	return mechanisms[mechanism_of(function)].name;
}

TEST(kernel_functions_have_kinds_that_people_know)
{
	CHECK_STR(kind_of("native_queued_spin_lock_slowpath"), "spin lock");
	CHECK_STR(kind_of("clear_page_erms"), "zeroing");
	CHECK_STR(kind_of("do_anonymous_page"), "page fault");
	CHECK_STR(kind_of("shrink_lruvec"), "reclaim");
	CHECK_STR(kind_of("tcp_v4_rcv"), "network receive");
	CHECK_STR(kind_of("tcp_recvmsg_locked"), "sockets");
	CHECK_STR(kind_of("nf_hook_slow"), "packet filter");
	CHECK_STR(kind_of("ext4_file_write_iter"), "file systems");
	CHECK_STR(kind_of("futex_wake"), "futex");
	CHECK_STR(kind_of("__x64_sys_futex"), "futex");
	CHECK_STR(kind_of("__x64_sys_getppid"), "system calls");
	CHECK_STR(kind_of("do_syscall_64"), "system calls");
	CHECK_STR(kind_of("try_to_wake_up"), "wake-ups");
	CHECK_STR(kind_of("pick_next_task_fair"), "scheduler");
	CHECK_STR(kind_of("my_driver_does_things"), "other");
	CHECK_STR(kind_of(""), "other");
}

/* A prefix that an earlier row has in full would never decide. */
TEST(every_prefix_of_the_table_decides)
{
	for (size_t i = 1; i < nmechanisms; i++)
		for (const char *p = mechanisms[i].prefixes; *p; p += strspn(p, " ")) {
			char one[96];
			size_t n = strcspn(p, " ");

			snprintf(one, sizeof(one), "%.*s", (int)n, p);
			if (mechanism_of(one) != i)
				unit_fail(__FILE__, __LINE__, "%s of \"%s\" decides for \"%s\"",
					  one, mechanisms[i].name, kind_of(one));
			p += n;
		}
}
