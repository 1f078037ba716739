/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_CALLTREE_H
#define SIXTY_MODEL_CALLTREE_H

#include "model/stackset.h"

/* What weights of stacks add up to: a tree of calls as a flame graph draws it, and a list of functions.
 *
 * Nodes stand in the order of a walk: a node, then what it calls by name, then its next neighbour. Node 0 is all of it
 * (frame 0). A node's calls lie beside each other from its start on; what remains of its width at the right is its own weight
 * and that of calls which were left out. */
#define CALLTREE_COLUMNS 3

struct calltree_node {
	uint32_t frame, parent;
	uint32_t depth;                 /* 0 for node 0 */
	uint32_t next;                  /* behind the last of what it calls */
	double start;                   /* weight to the left of it */
	double total[CALLTREE_COLUMNS]; /* with what it calls */
	double self[CALLTREE_COLUMNS];  /* without */
};

struct calltree {
	struct calltree_node *node;
	size_t n, columns;
	uint32_t depth;  /* of the deepest node */
	size_t left_out; /* nodes that were too small */
	double least;    /* no node of this weight or more was left out */
	uint32_t *of_stack; /* by stack: the node that it is in, or that its nearest caller is in; NULL when reversed */
};

/* weights: one array of ss->stacks.n per column, the first of which gives widths. Nodes below `least` are left out, and the
 * smallest ones until there are at most `most` (0: no limit) besides node 0. reverse: what was called last comes first.
 * 0, -ENOMEM or -E2BIG (a reversed tree of too many nodes). */
struct calltree_args {
	const double *weights[CALLTREE_COLUMNS]; /* NULL behind the last */
	double least;
	size_t most;
	bool reverse;
};
int calltree_build(struct calltree *t, const struct stackset *ss, const struct calltree_args *a,
		   struct err *e);
void calltree_done(struct calltree *t);

/* A function, wherever it is called: frames with the same name, module and kind. A stack that holds it twice counts once in
 * its total. */
struct function_seen {
	uint32_t frame; /* one of them */
	double self, total;
};

/* All functions, those with the most self first (then total, then name). To be freed with mem_free(). 0 or -ENOMEM. */
int calltree_functions(const struct stackset *ss, const double *weights, struct function_seen **out,
		       size_t *n, struct err *e);

#endif
