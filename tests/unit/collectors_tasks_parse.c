/* SPDX-License-Identifier: Apache-2.0 */
/* The text of /proc/PID files turned into numbers, and names kept once. */
#include "collectors/tasks.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "tests/unit/unit.h"

TEST(nonsense_in_stat_is_refused_and_short_lines_are_read_as_far_as_they_go)
{
	struct task_stat st;
	char old[] = "5 (old) S 1 1 1 0 -1 2097152 0 0 0 0 1 2 0 0 20 0 1 0 77 0 0 0 0 0";

	CHECK(!task_parse_stat(text_of(""), &st));
	CHECK(!task_parse_stat(text_of("12"), &st));
	CHECK(!task_parse_stat(text_of("12 (cut"), &st));
	CHECK(!task_parse_stat(text_of(")12(x S 1"), &st));
	CHECK(!task_parse_stat(text_of("12 (x)"), &st));
	CHECK(!task_parse_stat(text_of("12 (x) "), &st));
	CHECK(!task_parse_stat(text_of("12 (x) S 1 2 3"), &st));
	CHECK(!task_parse_stat(text_of("x (x) S 1 1 1 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 77 0"), &st));
	CHECK(task_parse_stat(text_of(old), &st));
	CHECK_UINT(st.f[22], 77);
	CHECK_UINT(st.f[9], 1);
	CHECK_INT(st.n, 27);
}

TEST(limits_are_soft_ones_and_unlimited_is_a_value)
{
	struct task_limits l;

	task_parse_limits(
		text_of("Limit                     Soft Limit           Hard Limit           Units     \n"
			"Max processes             unlimited            96364                processes \n"
			"Max open files            1024                 524288               files     \n"),
		&l);
	CHECK(l.has_files && l.has_tasks);
	CHECK_UINT(l.files, 1024);
	CHECK_UINT(l.tasks, VALUE_UNLIMITED);
	task_parse_limits(text_of("Max open files            lots\n"), &l);
	CHECK(!l.has_files && !l.has_tasks);
}

TEST(a_futex_sleep_is_a_locks_by_operation_and_value)
{
	static const struct {
		const char *args;
		enum lock_wait want;
	} rows[] = {
		{ "0x55d478587060 0x80 0x2 0x0 0x0 0x0 0x7f 0x7f", LOCK_YES }, /* mutex of glibc */
		{ "0x55d478587060 0x0 0x2 0x0 0x0 0x0 0x7f 0x7f",
		  LOCK_YES }, /* shared between processes */
		{ "0x55d478587060 0x86 0x0 0x0 0x0 0x0 0x7f 0x7f", LOCK_YES }, /* FUTEX_LOCK_PI */
		{ "0x55d478587060 0x80 0x800004d2 0x0 0x0 0x0 0x7f 0x7f",
		  LOCK_YES }, /* musl: owner with waiters bit */
		{ "0x55d478587060 0x89 0x2 0x0 0x0 0xffffffff 0x7f 0x7f", LOCK_LIKELY }, /* Rust */
		{ "0x55d478587108 0x189 0x0 0x0 0x0 0xffffffff 0x7f 0x7f",
		  LOCK_NO }, /* condition variable */
		{ "0x55d478587108 0x189 0x2 0x0 0x0 0xffffffff 0x7f 0x7f", LOCK_NO },
		{ "0x55d478587108 0x89 0x2 0x7ffe10 0x0 0xffffffff 0x7f 0x7f",
		  LOCK_NO }, /* with a timeout */
		{ "0x55d478587108 0x80 0x0 0x0 0x0 0x0 0x7f 0x7f",
		  LOCK_NO }, /* Go's note, a parked thread */
		{ "0x55d478587108 0x80 0xffffffff 0x0 0x0 0x0 0x7f 0x7f",
		  LOCK_NO }, /* libgomp, a counter below zero */
		{ "0x55d478587108 0x80", LOCK_NO },
	};
	uint64_t word;
	char line[200];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(line, sizeof(line), "%ld %s\n", (long)SYS_futex, rows[i].args);
		CHECK_INT(task_parse_lock_wait(text_of(line), &word), rows[i].want);
	}
	CHECK_INT(task_parse_lock_wait(text_of("running\n"), &word), LOCK_NO);
	CHECK_INT(task_parse_lock_wait(text_of("-1 0x7ffe 0x7fff\n"), &word), LOCK_NO);
	CHECK_INT(task_parse_lock_wait(text_of(""), &word), LOCK_NO);
	snprintf(line, sizeof(line), "%ld 0x1 0x80 0x2 0x0 0x0 0x0 0x7f 0x7f\n",
		 (long)SYS_futex + 1);
	CHECK_INT(task_parse_lock_wait(text_of(line), &word), LOCK_NO);
}

TEST(the_name_that_was_seen_most_wins_over_many_rare_ones)
{
	struct votes v = { 0 };

	for (uint32_t i = 0; i < 100; i++) {
		votes_add(&v, 7, 1);
		votes_add(&v, 100 + i, 1);
	}
	CHECK_UINT(votes_winner(&v), 7);
	v = (struct votes){ 0 };
	CHECK_UINT(votes_winner(&v), 0);
}

TEST(names_are_kept_once_and_never_with_a_nul)
{
	struct names n = { 0 };
	uint32_t a = names_id(&n, text_of("ep_poll")), b = names_id(&n, text_of("do_wait"));

	CHECK(a && b && a != b);
	CHECK_UINT(names_id(&n, text_of("ep_poll")), a);
	CHECK_STR(names_text(&n, b), "do_wait");
	CHECK_UINT(names_id(&n, text_n("a\0b", 3)), 0);
	CHECK_UINT(names_id(&n, text_of("")), 0);
	CHECK_STR(names_text(&n, 0), "");
	names_done(&n);
}

TEST(status_is_read_by_key_and_the_effective_user_is_the_second)
{
	struct task_status st;

	task_parse_status(
		text_of("Name:\tkworker/0:1\nTgid:\t12\nPPid:\t2\nUid:\t5\t6\t7\t8\nVmSwap:\t  9 kB\nRssAnon:\tx kB\n"
			":\t1\nCpus_allowed_list:\t0-3,8\nvoluntary_ctxt_switches:\t77\nnonvoluntary_ctxt_switches:\t\n"),
		&st);
	CHECK_UINT(st.f[STATUS_UID], 6);
	CHECK_UINT(st.f[STATUS_SWAP], 9);
	CHECK_UINT(st.f[STATUS_VCSW], 77);
	CHECK(!(st.has & 1u << STATUS_ANON));
	CHECK(!(st.has & 1u << STATUS_NVCSW));
	CHECK(text_eq(st.name, "kworker/0:1"));
	CHECK(text_eq(st.cpus, "0-3,8"));
	task_parse_status(text_of(""), &st);
	CHECK_UINT(st.has, 0);
	CHECK_INT(text_len(st.cpus), 0);
}
