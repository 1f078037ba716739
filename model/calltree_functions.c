/* SPDX-License-Identifier: Apache-2.0 */
/* Functions, wherever they are called from. */
#include "model/calltree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int by_function(const void *a, const void *b, void *ctx)
{
	const struct stackset *ss = ctx;
	const struct stack_frame *x = &ss->frame[*(const uint32_t *)a];
	const struct stack_frame *y = &ss->frame[*(const uint32_t *)b];

	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	if (x->module != y->module)
		return x->module < y->module ? -1 : 1;
	return (int)x->kind - (int)y->kind;
}

/* By frame: the number of its function. Lines and files do not make another function. Returns how many there are; 0 without
 * memory. */
static uint32_t number_functions(const struct stackset *ss, uint32_t *function)
{
	uint32_t *order = mem_try((ss->nframes + 1) * sizeof(*order), SIZE_MAX), n = 0;

	if (!order)
		return 0;
	for (uint32_t i = 0; i < ss->nframes; i++)
		order[i] = i + 1;
	if (ss->nframes)
		qsort_r(order, ss->nframes, sizeof(*order), by_function, (void *)ss);
	for (uint32_t i = 0; i < ss->nframes; i++) {
		if (!i || by_function(&order[i - 1], &order[i], (void *)ss))
			n++;
		function[order[i]] = n;
	}
	mem_free(order);
	return n + 1; /* they are numbered from 1 */
}

static int by_weight(const void *a, const void *b, void *ctx)
{
	const struct stackset *ss = ctx;
	const struct function_seen *x = a, *y = b;

	if (x->self != y->self)
		return x->self > y->self ? -1 : 1;
	if (x->total != y->total)
		return x->total > y->total ? -1 : 1;
	int order = strcmp(stackset_text(ss, ss->frame[x->frame].name),
			   stackset_text(ss, ss->frame[y->frame].name));

	return order ? order : x->frame < y->frame ? -1 : x->frame > y->frame;
}

/* last: by function, the stack that was counted last, so that recursion counts once. */
static void add_stack(const struct stackset *ss, uint32_t stack, double weight,
		      const uint32_t *function, uint32_t *last, struct function_seen *list)
{
	bool innermost = true;

	for (uint32_t s = stack; s; s = ss->stacks.node[s].parent) {
		uint32_t frame = ss->stacks.node[s].key, f = function[frame];

		list[f].frame = frame;
		if (innermost)
			list[f].self += weight;
		if (last[f] != stack)
			list[f].total += weight;
		last[f] = stack;
		innermost = false;
	}
}

int calltree_functions(const struct stackset *ss, const double *weights, struct function_seen **out,
		       size_t *n, struct err *e)
{
	uint32_t *function = mem_try((ss->nframes + 1) * sizeof(*function), SIZE_MAX);
	uint32_t count = function ? number_functions(ss, function) : 0;
	uint32_t *last = mem_try(count * sizeof(*last), SIZE_MAX);
	struct function_seen *list = mem_try(count * sizeof(*list), SIZE_MAX);
	int err = list && last ? 0 : err_set(e, -ENOMEM, "no memory to add up functions");

	*n = 0;
	*out = NULL;
	for (uint32_t i = 1; i < ss->stacks.n && !err; i++)
		if (weights[i] > 0)
			add_stack(ss, i, weights[i], function, last, list);
	for (uint32_t f = 1; f < count && !err; f++)
		if (list[f].total > 0)
			list[(*n)++] = list[f];
	if (!err && *n)
		qsort_r(list, *n, sizeof(*list), by_weight, (void *)ss);
	mem_free(function);
	mem_free(last);
	if (err)
		mem_free(list);
	else
		*out = list;
	return err;
}
