/* SPDX-License-Identifier: Apache-2.0 */
/* Folded text: what every flame graph reads. Sorted, and each stack once, although modules and lines, which have no place in
 * it, may tell apart what it cannot. */
#include "export/stacks.h"

#include <errno.h>
#include <math.h>

#include "base/mem.h"
#include "model/calltree.h"

/* A name may hold what parts frames, or ends a line. */
static void put_name(struct buf *out, const struct stackset *ss, const struct stack_frame *f)
{
	struct text name = text_of(stackset_text(ss, f->name));
	size_t at = out->len;

	text_printable(out, name.p, text_len(name));
	for (; at < out->len; at++)
		if (out->data[at] == ';')
			out->data[at] = ':';
	buf_str(out, frame_kind_suffix(f->kind));
}

static void put_weight(struct buf *out, double w)
{
	if (w == floor(w))
		buf_printf(out, " %.0f\n", w);
	else if (w >= 1)
		buf_printf(out, " %.3f\n", w);
	else
		buf_printf(out, " %.9f\n", w);
}

/* line: the names from the outermost caller to node i; ends: where each level ends in it. */
static void put_tree(struct buf *out, const struct stackset *ss, const struct calltree *t)
{
	size_t *ends = mem_array(t->depth + 1, sizeof(*ends));
	struct buf line = { 0 };

	for (size_t i = 1; i < t->n; i++) {
		const struct calltree_node *x = &t->node[i];

		line.len = ends[x->depth - 1];
		if (x->depth > 1)
			buf_char(&line, ';');
		put_name(&line, ss, &ss->frame[x->frame]);
		ends[x->depth] = line.len;
		if (!(x->self[0] > 0))
			continue;
		buf_add(out, line.data, line.len);
		put_weight(out, x->self[0]);
	}
	buf_done(&line);
	mem_free(ends);
}

int stacks_folded(struct buf *out, const struct stackset *ss, struct err *e)
{
	struct stackset *plain = stackset_new();
	struct calltree t = { 0 };
	double *w = NULL;
	int err = stackset_value(plain, "weight", "", e);

	if (err >= 0)
		err = stackset_add_plain(plain, 0, ss, e);
	if (!err) {
		w = stackset_weights(plain, 0, 0, 0);
		err = w ? 0 : err_set(e, -ENOMEM, "no memory to fold stacks");
	}
	if (!err)
		err = calltree_build(&t, plain, &(struct calltree_args){ .weights = { w } }, e);
	if (!err)
		put_tree(out, plain, &t);
	mem_free(w);
	calltree_done(&t);
	stackset_free(plain);
	return err;
}
