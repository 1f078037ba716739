/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks by the names and kinds of their functions alone: what two builds of a program have in common, and what fits into
 * formats that know nothing else. */
#include "model/stackset.h"

#include <errno.h>
#include <math.h>

#include "base/mem.h"

static int plain_frames(struct stackset *into, const struct stackset *from, uint32_t *map,
			struct err *e)
{
	int err = 0;

	for (size_t i = 1; i <= from->nframes && !err; i++) {
		struct frame_text f = { .name = text_of(stackset_text(from, from->frame[i].name)),
					.kind = from->frame[i].kind };

		err = stackset_frame(into, &f, &map[i], e);
	}
	return err;
}

int stackset_add_plain(struct stackset *into, size_t value, const struct stackset *from,
		       struct err *e)
{
	uint32_t *frame = mem_try((from->nframes + 1) * sizeof(*frame), SIZE_MAX);
	uint32_t *stack = mem_try(from->stacks.n * sizeof(*stack), SIZE_MAX);
	double *w = stackset_weights(from, 0, 0, 0);
	int err = frame && stack && w ? 0 : err_set(e, -ENOMEM, "no memory for more stacks");

	if (!err)
		err = plain_frames(into, from, frame, e);
	for (size_t i = 1; i < from->stacks.n && !err; i++)
		err = stackset_push(into, stack[from->stacks.node[i].parent],
				    frame[from->stacks.node[i].key], &stack[i], e);
	for (size_t i = 0; i < from->stacks.n && !err; i++) {
		struct stack_sample s = { .time_ns = STACK_NO_TIME, .stack = stack[i] };
		double weights[STACKSET_VALUES] = { 0 };

		weights[value] = fmin(w[i], STACKSET_WEIGHT);
		if (w[i] > 0)
			err = stackset_add(into, &s, weights, e);
	}
	mem_free(frame);
	mem_free(stack);
	mem_free(w);
	return err;
}
