/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks with weights: everything once, bounds, merging. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "model/stackset.h"
#include "tests/unit/unit.h"

static uint32_t frame(struct stackset *ss, const char *name, enum frame_kind kind)
{
	struct frame_text f = { .name = text_of(name), .kind = kind };
	struct err e = { 0 };
	uint32_t id = 0;

	if (stackset_frame(ss, &f, &id, &e))
		unit_fail(__FILE__, __LINE__, "%s", e.msg);
	return id;
}

static uint32_t two(struct stackset *ss, const char *caller, const char *callee)
{
	uint32_t f[] = { frame(ss, caller, FRAME_USER), frame(ss, callee, FRAME_KERNEL) }, id = 0;

	CHECK_INT(stackset_stack(ss, f, 2, &id, NULL), 0);
	return id;
}

static void add(struct stackset *ss, uint32_t stack, uint64_t time_ns, double weight)
{
	struct stack_sample s = { .stack = stack, .time_ns = time_ns };
	struct err e = { 0 };

	if (stackset_add(ss, &s, &weight, &e))
		unit_fail(__FILE__, __LINE__, "%s", e.msg);
}

TEST(the_same_frame_and_the_same_stack_are_kept_once)
{
	struct stackset *ss = stackset_new();
	uint32_t a = frame(ss, "a", FRAME_USER), out[4];

	CHECK_UINT(frame(ss, "a", FRAME_USER), a);
	CHECK(frame(ss, "a", FRAME_KERNEL) != a);
	CHECK_UINT(frame(ss, "a", FRAME_USER), a);
	CHECK_UINT(two(ss, "main", "read"), two(ss, "main", "read"));
	CHECK(two(ss, "main", "read") != two(ss, "read", "main"));
	CHECK_UINT(stackset_frames(ss, two(ss, "main", "read"), out, 4), 2);
	CHECK_STR(stackset_text(ss, ss->frame[out[0]].name), "read");
	CHECK_STR(stackset_text(ss, ss->frame[out[1]].name), "main");
	CHECK_UINT(stackset_frames(ss, 12345, out, 4), 0);
	stackset_free(ss);
}

TEST(many_strings_frames_and_stacks_keep_their_numbers)
{
	struct stackset *ss = stackset_new();
	uint32_t first[1000], id;
	char name[32];

	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < 1000; i++) {
			snprintf(name, sizeof(name), "function_%u", i * 7919);
			id = two(ss, name, name);
			if (round)
				CHECK_UINT(id, first[i]);
			first[i] = id;
		}
	CHECK_UINT(ss->nframes, 2000);
	CHECK_UINT(ss->stacks.n, 2001);
	stackset_free(ss);
}

TEST(many_threads_keep_their_numbers)
{
	struct stackset *ss = stackset_new();
	uint32_t id;

	for (unsigned round = 0; round < 2; round++)
		for (int i = 1; i <= 5000; i++) {
			CHECK_INT(stackset_thread(ss, i / 7, i, text_of(i % 2 ? "odd" : ""), &id,
						  NULL),
				  0);
			CHECK_UINT(id, (unsigned)i);
		}
	CHECK_INT(stackset_thread(ss, 0, 1, text_of("renamed"), &id, NULL), 0);
	CHECK_UINT(id, 5001);
	stackset_free(ss);
}

TEST(a_string_ends_at_a_nul_byte_and_has_a_limit)
{
	struct stackset *ss = stackset_new();
	struct buf b = { 0 };
	struct err e = { 0 };
	uint32_t a, c;

	CHECK_INT(stackset_string(ss, text_n("ab\0cd", 5), &a, &e), 0);
	CHECK_STR(stackset_text(ss, a), "ab");
	CHECK_INT(stackset_string(ss, text_of("abc"), &c, &e), 0);
	CHECK(a != c);
	CHECK_INT(stackset_string(ss, text_of(""), &c, &e), 0);
	CHECK_UINT(c, 0);
	buf_fill(&b, 'x', STACKSET_NAME + 1);
	CHECK_INT(stackset_string(ss, text_n(b.data, b.len), &a, &e), -E2BIG);
	CHECK_HAS(e.msg, "65536 bytes");
	CHECK_INT(stackset_string(ss, text_n(b.data, b.len - 1), &a, &e), 0);
	CHECK_STR(stackset_text(ss, 999), "");
	buf_done(&b);
	stackset_free(ss);
}

TEST(a_stack_that_is_too_deep_is_an_error)
{
	struct stackset *ss = stackset_new();
	uint32_t f = frame(ss, "again", FRAME_USER), id = 0;
	struct err e = { 0 };

	for (unsigned i = 0; i < STACKSET_DEPTH; i++)
		CHECK_INT(stackset_push(ss, id, f, &id, &e), 0);
	CHECK_INT(stackset_push(ss, id, f, &id, &e), -E2BIG);
	CHECK_HAS(e.msg, "4096 frames");
	CHECK_INT(stackset_push(ss, 0, 77, &id, &e), -EINVAL);
	stackset_free(ss);
}

TEST(samples_need_a_unit_a_stack_and_a_weight_that_can_be)
{
	struct stackset *ss = stackset_new();
	struct stack_sample s = { .stack = 0 };
	double w = 1, bad[] = { -1, 2e18, __builtin_nan(""), __builtin_inf() };
	struct err e = { 0 };

	CHECK_INT(stackset_add(ss, &s, &w, &e), -EINVAL);
	CHECK_INT(stackset_value(ss, "samples", "count", &e), 0);
	CHECK_INT(stackset_value(ss, "off-cpu", "nanoseconds", &e), 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		double pair[] = { 1, bad[i] };

		CHECK_INT(stackset_add(ss, &s, pair, &e), -EINVAL);
	}
	s.stack = 5;
	CHECK_INT(stackset_add(ss, &s, (double[]){ 1, 1 }, &e), -EINVAL);
	s.stack = 0;
	s.thread = 1;
	CHECK_INT(stackset_add(ss, &s, (double[]){ 1, 1 }, &e), -EINVAL);
	s.thread = 0;
	CHECK_INT(stackset_add(ss, &s, (double[]){ 1, 1 }, &e), 0);
	CHECK_INT(stackset_value(ss, "late", "count", &e), -EBUSY);
	stackset_free(ss);
}

TEST(weights_are_summed_by_stack_within_a_range_of_time)
{
	struct stackset *ss = stackset_new();
	uint32_t a, b;
	double *w;

	stackset_value(ss, "samples", "count", NULL);
	a = two(ss, "main", "read");
	b = two(ss, "main", "write");
	add(ss, a, 10, 1);
	add(ss, a, 20, 2);
	add(ss, b, 20, 4);
	add(ss, b, STACK_NO_TIME, 8);
	w = stackset_weights(ss, 0, 0, 0);
	CHECK_NEAR(w[a], 3, 0);
	CHECK_NEAR(w[b], 12, 0);
	mem_free(w);
	w = stackset_weights(ss, 0, 20, 21);
	CHECK_NEAR(w[a], 2, 0);
	CHECK_NEAR(w[b], 4, 0);
	mem_free(w);
	CHECK_NEAR(stackset_total(ss, 0), 15, 0);
	stackset_free(ss);
}

TEST(merged_sets_share_what_they_have_in_common)
{
	struct stackset *x = stackset_new(), *y = stackset_new();
	struct err e = { 0 };
	uint32_t a, c;
	double *w;

	stackset_value(y, "samples", "count", NULL);
	two(y, "other", "numbers");
	a = two(y, "main", "read");
	CHECK_INT(stackset_thread(y, 7, 8, text_of("worker"), &c, NULL), 0);
	CHECK_INT(stackset_add(y, &(struct stack_sample){ .stack = a, .thread = c, .time_ns = 5 },
			       &(double){ 2 }, &e),
		  0);
	stackset_lose(y, "the ring was full", 3);
	CHECK_INT(stackset_merge(x, y, 100, &e), 0);
	CHECK_INT(stackset_merge(x, y, -100, &e), 0);
	CHECK_UINT(x->stacks.n, y->stacks.n);
	CHECK_UINT(x->nsamples, 2);
	CHECK_UINT(x->sample[0].time_ns, 105);
	CHECK_UINT(x->sample[1].time_ns, 0);
	CHECK_UINT(x->nthreads, 1);
	CHECK_UINT(x->nlosses, 1);
	CHECK_NEAR(stackset_lost(x), 6, 0);
	w = stackset_weights(x, 0, 0, 0);
	CHECK_NEAR(w[two(x, "main", "read")], 4, 0);
	mem_free(w);
	CHECK_INT(stackset_merge(x, x, 0, &e), -EINVAL);
	stackset_free(y);
	y = stackset_new();
	stackset_value(y, "off-cpu", "nanoseconds", NULL);
	CHECK_INT(stackset_merge(x, y, 0, &e), -EINVAL);
	CHECK_HAS(e.msg, "off-cpu");
	stackset_free(x);
	stackset_free(y);
}

TEST(losses_beyond_the_table_are_counted_in_its_last_row)
{
	struct stackset *ss = stackset_new();
	char what[32];

	for (unsigned i = 0; i < STACKSET_LOSSES + 10; i++) {
		snprintf(what, sizeof(what), "reason %u", i);
		stackset_lose(ss, what, 1);
	}
	stackset_lose(ss, "nothing", 0);
	stackset_lose(ss, "nonsense", __builtin_nan(""));
	CHECK_UINT(ss->nlosses, STACKSET_LOSSES);
	CHECK_NEAR(stackset_lost(ss), STACKSET_LOSSES + 10, 0);
	stackset_free(ss);
}

TEST(kinds_of_frames_go_into_suffixes_and_come_back)
{
	for (unsigned k = 0; k < FRAME_KINDS; k++) {
		enum frame_kind kind = (enum frame_kind)k;
		struct buf b = { 0 };
		struct text t;

		buf_str(&b, "vfs_read");
		buf_str(&b, frame_kind_suffix(kind));
		t = text_n(b.data, b.len);
		CHECK_UINT(frame_kind_cut(&t), k);
		CHECK(text_eq(t, "vfs_read"));
		CHECK_UINT(frame_kind_by_name(text_of(frame_kind_name(kind))), k);
		buf_done(&b);
	}
	/* a suffix alone is a name, and an unknown one belongs to it */
	struct text bare = text_of("_[k]"), odd = text_of("a_[x]");

	CHECK_UINT(frame_kind_cut(&bare), FRAME_USER);
	CHECK_UINT(text_len(bare), 4);
	CHECK_UINT(frame_kind_cut(&odd), FRAME_USER);
	CHECK_UINT(text_len(odd), 5);
	CHECK_UINT(frame_kind_by_name(text_of("nonsense")), FRAME_KINDS);
}
