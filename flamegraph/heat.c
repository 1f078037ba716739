/* SPDX-License-Identifier: Apache-2.0 */
/* The heat map: a column per second, in it the parts of the second from the bottom to the top, so that what happens at the same
 * moment of every second, or for a short time once, is seen. */
#include "flamegraph/drawing.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

#define ROWS    50
#define COLUMNS 600    /* at most */
#define CELLS   150000 /* that the file is made to hold */

static int by_place(const void *a, const void *b)
{
	const struct heat_cell *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

static uint32_t place(const struct heat *h, uint64_t time_ns)
{
	double columns = (double)time_ns / 1e9 / h->span;
	double column = fmin(floor(columns), h->columns - 1);
	double row = fmin(floor((columns - column) * h->rows), h->rows - 1);

	return (uint32_t)(column * h->rows + row);
}

static void sum(struct heat *h, const struct stackset *ss, const struct calltree *t)
{
	size_t n = 0, to = 0;

	for (size_t i = 0; i < ss->nsamples; i++) {
		const struct stack_sample *s = &ss->sample[i];

		if (s->time_ns != STACK_NO_TIME)
			h->cell[n++] = (struct heat_cell){ .at = place(h, s->time_ns),
							   .node = t->of_stack[s->stack],
							   .weight = ss->weight[i * ss->nvalues] };
	}
	qsort(h->cell, n, sizeof(*h->cell), by_place);
	for (size_t i = 0; i < n; i++) {
		if (to && !by_place(&h->cell[to - 1], &h->cell[i]))
			h->cell[to - 1].weight += h->cell[i].weight;
		else
			h->cell[to++] = h->cell[i];
	}
	h->n = to;
}

int heat_make(struct heat *h, const struct stackset *ss, const struct calltree *t, struct err *e)
{
	double seconds = 0;
	size_t timed = 0;

	*h = (struct heat){ 0 };
	for (size_t i = 0; i < ss->nsamples; i++)
		if (ss->sample[i].time_ns != STACK_NO_TIME) {
			seconds = fmax(seconds, (double)ss->sample[i].time_ns / 1e9);
			timed++;
		}
	if (!timed || !t->of_stack)
		return 0;
	seconds = fmax(seconds, fmin(ss->about.seconds, 1e6));
	h->cell = mem_try(timed * sizeof(*h->cell), SIZE_MAX);
	if (!h->cell)
		return err_set(e, -ENOMEM, "no memory for a heat map");
	h->rows = ROWS;
	h->span = fmax(1, ceil(seconds / COLUMNS));
	for (;;) {
		h->columns = (unsigned)fmax(1, fmin(COLUMNS, ceil(seconds / h->span)));
		sum(h, ss, t);
		if (h->n <= CELLS || h->columns == 1)
			break;
		if (h->rows > 10)
			h->rows /= 2;
		else
			h->span *= 2;
	}
	return 0;
}
