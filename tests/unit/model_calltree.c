/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks added up: totals, order, what is left out, functions. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/calltree.h"
#include "tests/unit/unit.h"

/* "main;read" with a weight. */
static uint32_t add(struct stackset *ss, const char *folded, double weight)
{
	struct text rest = text_of(folded), name;
	struct stack_sample s = { .time_ns = STACK_NO_TIME };
	struct err e = { 0 };
	int err = 0;

	if (!ss->nvalues)
		stackset_value(ss, "samples", "count", NULL);
	while (!err && text_until(&rest, ';', &name)) {
		struct frame_text f = { .kind = frame_kind_cut(&name), .name = name };
		uint32_t id;

		err = stackset_frame(ss, &f, &id, &e);
		if (!err)
			err = stackset_push(ss, s.stack, id, &s.stack, &e);
	}
	if (!err)
		err = stackset_add(ss, &s, &weight, &e);
	if (err)
		unit_fail(__FILE__, __LINE__, "%s", e.msg);
	return s.stack;
}

static void grow(struct calltree *t, const struct stackset *ss, struct calltree_args a)
{
	double *w = stackset_weights(ss, 0, 0, 0);
	struct err e = { 0 };

	a.weights[0] = w;
	if (calltree_build(t, ss, &a, &e))
		unit_fail(__FILE__, __LINE__, "%s", e.msg);
	mem_free(w);
}

/* "depth name start total self" of every node. */
static const char *drawn(const struct calltree *t, const struct stackset *ss)
{
	static char out[2000];
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct calltree_node *x = &t->node[i];

		n += (size_t)snprintf(
			out + n, sizeof(out) - n, "%s%u %s %g %g %g", i ? ", " : "", x->depth,
			x->frame ? stackset_text(ss, ss->frame[x->frame].name) : "all", x->start,
			x->total[0], x->self[0]);
	}
	return out;
}

TEST(a_tree_has_totals_and_its_calls_stand_by_name)
{
	struct stackset *ss = stackset_new();
	struct calltree t;
	uint32_t stack;

	add(ss, "main;write", 2);
	add(ss, "main;read;copy", 3);
	stack = add(ss, "main", 1);
	add(ss, "idle", 4);
	grow(&t, ss, (struct calltree_args){ 0 });
	CHECK_STR(
		drawn(&t, ss),
		"0 all 0 10 0, 1 idle 0 4 4, 1 main 4 6 1, 2 read 4 3 0, 3 copy 4 3 3, 2 write 7 2 2");
	CHECK_UINT(t.depth, 3);
	CHECK_UINT(t.left_out, 0);
	CHECK_UINT(t.node[2].next, 6);
	CHECK_UINT(t.node[3].next, 5);
	CHECK_UINT(t.node[4].parent, 3);
	CHECK_UINT(t.of_stack[stack], 2);
	calltree_done(&t);
	stackset_free(ss);
}

TEST(a_reversed_tree_begins_with_what_was_called_last)
{
	struct stackset *ss = stackset_new();
	struct calltree t;

	add(ss, "main;a;copy", 2);
	add(ss, "main;b;copy", 3);
	grow(&t, ss, (struct calltree_args){ .reverse = true });
	CHECK_STR(drawn(&t, ss),
		  "0 all 0 5 0, 1 copy 0 5 0, 2 a 0 2 0, 3 main 0 2 2, 2 b 2 3 0, 3 main 2 3 3");
	CHECK(!t.of_stack);
	calltree_done(&t);
	stackset_free(ss);
}

TEST(small_nodes_are_left_out_and_counted)
{
	struct stackset *ss = stackset_new();
	struct calltree t;
	uint32_t stack;

	add(ss, "main;big", 90);
	stack = add(ss, "main;small;tiny", 9);
	add(ss, "main;none", 1);
	grow(&t, ss, (struct calltree_args){ .least = 10 });
	CHECK_STR(drawn(&t, ss), "0 all 0 100 0, 1 main 0 100 0, 2 big 0 90 90");
	CHECK_UINT(t.left_out, 3);
	CHECK_UINT(t.of_stack[stack], 1);
	calltree_done(&t);
	grow(&t, ss, (struct calltree_args){ .most = 4 });
	CHECK_UINT(t.n - 1, 4);
	CHECK_UINT(t.left_out, 1);
	calltree_done(&t);
	/* small and tiny weigh the same: both or none */
	grow(&t, ss, (struct calltree_args){ .most = 3 });
	CHECK_UINT(t.n - 1, 2);
	calltree_done(&t);
	stackset_free(ss);
}

TEST(the_largest_nodes_of_many_are_kept)
{
	struct stackset *ss = stackset_new();
	struct calltree t;
	char name[32];

	for (unsigned i = 1; i <= 5000; i++) {
		snprintf(name, sizeof(name), "f%u", i * 7919 % 5003);
		add(ss, name, i * 7919 % 5003);
	}
	grow(&t, ss, (struct calltree_args){ .most = 100 });
	CHECK_UINT(t.n, 101);
	CHECK_UINT(t.left_out, 4900);
	for (size_t i = 1; i < t.n; i++)
		CHECK(t.node[i].total[0] > 4890);
	calltree_done(&t);
	stackset_free(ss);
}

TEST(a_tree_of_nothing_is_one_node)
{
	struct stackset *ss = stackset_new();
	struct calltree t;

	stackset_value(ss, "samples", "count", NULL);
	grow(&t, ss, (struct calltree_args){ .most = 1 });
	CHECK_STR(drawn(&t, ss), "0 all 0 0 0");
	calltree_done(&t);
	grow(&t, ss, (struct calltree_args){ .reverse = true });
	CHECK_STR(drawn(&t, ss), "0 all 0 0 0");
	calltree_done(&t);
	stackset_free(ss);
}

TEST(a_function_that_calls_itself_counts_once_in_its_total)
{
	struct stackset *ss = stackset_new();
	double *w;
	struct function_seen *f;
	size_t n;

	add(ss, "main;fib;fib;fib", 5);
	add(ss, "main;fib", 2);
	add(ss, "main;read", 1);
	add(ss, "main;read_[k]", 1);
	w = stackset_weights(ss, 0, 0, 0);
	CHECK_INT(calltree_functions(ss, w, &f, &n, NULL), 0);
	CHECK_UINT(n, 4);
	CHECK_STR(stackset_text(ss, ss->frame[f[0].frame].name), "fib");
	CHECK_NEAR(f[0].self, 7, 0);
	CHECK_NEAR(f[0].total, 7, 0);
	CHECK_STR(stackset_text(ss, ss->frame[f[3].frame].name), "main");
	CHECK_NEAR(f[3].self, 0, 0);
	CHECK_NEAR(f[3].total, 9, 0);
	mem_free(f);
	mem_free(w);
	stackset_free(ss);
}
