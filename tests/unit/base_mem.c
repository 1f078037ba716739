/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

/* Volatile: a compiler that sees an impossible size refuses to build the test. */
static volatile size_t impossible = SIZE_MAX;

TEST(memory_is_zeroed)
{
	char *p = mem_alloc(100), *q = mem_array(10, 10);

	for (int i = 0; i < 100; i++)
		CHECK_INT(p[i] | q[i], 0);
	mem_free(p);
	mem_free(q);
}

TEST(nothing_asked_for_is_still_a_pointer)
{
	void *a = mem_alloc(0), *b = mem_array(0, 8), *c = mem_resize(NULL, 0, 8);

	CHECK(a && b && c);
	mem_free(a);
	mem_free(b);
	mem_free(c);
	mem_free(NULL);
}

TEST(resizing_keeps_the_contents)
{
	uint32_t *p = mem_array(2, sizeof(*p));

	p[0] = 7;
	p[1] = 8;
	p = mem_resize(p, 1000, sizeof(*p));
	CHECK_INT(p[0], 7);
	CHECK_INT(p[1], 8);
	mem_free(p);
}

TEST(copies_end_in_nul)
{
	char *a = mem_dup("sixty"), *b = mem_dup_n("sixty", 3), *c = mem_dup_n(NULL, 0);

	CHECK_STR(a, "sixty");
	CHECK_STR(b, "six");
	CHECK_STR(c, "");
	mem_free(a);
	mem_free(b);
	mem_free(c);
}

static void multiply_past_the_end(void)
{
	mem_array(impossible / 2, 3);
}

static void resize_past_the_end(void)
{
	mem_resize(NULL, impossible / 2, 3);
}

static void ask_for_everything(void)
{
	mem_alloc(impossible);
}

static void copy_everything(void)
{
	mem_dup_n("x", impossible);
}

static void grow_past_the_end(void)
{
	size_t cap = 0;

	mem_grow(NULL, &cap, impossible, 16);
}

TEST(impossible_sizes_abort)
{
	CHECK_ABORTS(multiply_past_the_end);
	CHECK_ABORTS(resize_past_the_end);
	CHECK_ABORTS(ask_for_everything);
	CHECK_ABORTS(copy_everything);
	CHECK_ABORTS(grow_past_the_end);
}

static int hook_pipe[2];

static void leave_a_mark(void)
{
	if (write(hook_pipe[1], "h", 1) != 1)
		_exit(1);
	mem_alloc(impossible); /* the hook itself runs out of memory */
}

static void abort_with_hook(void)
{
	mem_on_abort(leave_a_mark);
	mem_alloc(impossible);
}

TEST(the_hook_runs_once_before_the_abort)
{
	char marks[8];

	CHECK_INT(pipe(hook_pipe), 0);
	CHECK_ABORTS(abort_with_hook);
	close(hook_pipe[1]);
	CHECK_INT(read(hook_pipe[0], marks, sizeof(marks)), 1);
}

TEST(a_size_from_outside_may_be_refused)
{
	char *p = mem_try(16, 16);

	CHECK(p);
	for (int i = 0; i < 16; i++)
		CHECK_INT(p[i], 0);
	mem_free(p);
	CHECK(!mem_try(0, 16));
	CHECK(!mem_try(17, 16));
	CHECK(!mem_try(impossible, impossible));
}

TEST(growing_doubles_keeps_and_zeroes)
{
	size_t cap = 0;
	uint64_t *p = mem_grow(NULL, &cap, 1, sizeof(*p));

	CHECK(cap >= 1);
	for (size_t i = 0; i < cap; i++) {
		CHECK_UINT(p[i], 0);
		p[i] = i + 1;
	}
	size_t before = cap;

	p = mem_grow(p, &cap, cap + 1, sizeof(*p));
	CHECK_UINT(cap, before * 2);
	for (size_t i = 0; i < cap; i++)
		CHECK_UINT(p[i], i < before ? i + 1 : 0);
	CHECK(mem_grow(p, &cap, 3, sizeof(*p)) == p);
	CHECK_UINT(cap, before * 2);
	mem_free(p);
}

TEST(a_refused_size_leaves_what_is_there)
{
	char *p = mem_try_resize(NULL, 4, 1, 100);

	CHECK(p);
	memcpy(p, "abc", 4);
	CHECK(!mem_try_resize(p, 101, 1, 100));
	CHECK(!mem_try_resize(p, SIZE_MAX / 2, 4, SIZE_MAX));
	CHECK(!mem_try_resize(p, 0, 4, 100));
	CHECK_STR(p, "abc");
	p = mem_try_resize(p, 100, 1, 100);
	CHECK_STR(p, "abc");
	mem_free(p);
}
