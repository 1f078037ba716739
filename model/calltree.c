/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks added up. Stacks are a tree already: callers have lower numbers than what they call, so that one pass backwards gives
 * the totals, and only the nodes that are wide enough to be seen are ever sorted. */
#include "model/calltree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* What is built from: a tree of prefixes and, per column, what its nodes weigh. */
struct source {
	const struct prefix *p;
	const double *self[CALLTREE_COLUMNS];
	double *total[CALLTREE_COLUMNS];
	size_t columns;
};

/* ---- totals ---- */

static double *totals(const struct prefix *p, const double *self)
{
	double *t = mem_try(p->n * sizeof(*t), SIZE_MAX);

	if (!t)
		return NULL;
	memcpy(t, self, p->n * sizeof(*t));
	for (size_t i = p->n - 1; i > 0; i--)
		t[p->node[i].parent] += t[i];
	return t;
}

/* The k-th largest of n numbers, k from 0; v is left in disorder, with what is larger in front of it. */
static double kth_largest(double *v, size_t n, size_t k)
{
	ptrdiff_t low = 0, high = (ptrdiff_t)n - 1, want = (ptrdiff_t)k;

	while (low < high) {
		double pivot = v[low + (high - low) / 2];
		ptrdiff_t i = low, j = high;

		while (i <= j) {
			while (v[i] > pivot)
				i++;
			while (v[j] < pivot)
				j--;
			if (i > j)
				break;
			double x = v[i];

			v[i++] = v[j];
			v[j--] = x;
		}
		if (want <= j)
			high = j;
		else if (want >= i)
			low = i;
		else
			break;
	}
	return v[k];
}

/* The weight from which on nodes are kept. Nodes of the same weight are kept or left out together. */
static int limit(const struct source *s, const struct calltree_args *a, double *least,
		 struct err *e)
{
	const double *t = s->total[0];
	size_t n = 0;
	double *v, kth;

	*least = a->least;
	for (size_t i = 1; i < s->p->n; i++)
		n += t[i] > 0 && t[i] >= *least;
	if (!a->most || n <= a->most)
		return 0;
	v = mem_try(n * sizeof(*v), SIZE_MAX);
	if (!v)
		return err_set(e, -ENOMEM, "no memory to add up stacks");
	n = 0;
	for (size_t i = 1; i < s->p->n; i++)
		if (t[i] > 0 && t[i] >= *least)
			v[n++] = t[i];
	kth = kth_largest(v, n, a->most);
	/* the kth has no room any more: what is larger has */
	*least = kth;
	for (size_t i = 0; i < a->most; i++)
		if (v[i] > kth && (*least <= kth || v[i] < *least))
			*least = v[i];
	if (*least <= kth)
		*least = kth + kth * 1e-9; /* all of the most are as small: none is kept */
	mem_free(v);
	return 0;
}

/* ---- order ---- */

static int by_name(const void *a, const void *b, void *ctx)
{
	const struct stackset *ss = ctx;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int order =
		strcmp(stackset_text(ss, ss->frame[x].name), stackset_text(ss, ss->frame[y].name));

	return order ? order : x < y ? -1 : x > y;
}

/* Place of every frame in the order of names. */
static uint32_t *ranks(const struct stackset *ss)
{
	size_t n = ss->nframes;
	uint32_t *order = mem_try((n + 1) * sizeof(*order), SIZE_MAX);
	uint32_t *rank = mem_try((n + 1) * sizeof(*rank), SIZE_MAX);

	if (order && rank) {
		for (size_t i = 0; i < n; i++)
			order[i] = (uint32_t)i + 1;
		if (n)
			qsort_r(order, n, sizeof(*order), by_name, (void *)ss);
		for (size_t i = 0; i < n; i++)
			rank[order[i]] = (uint32_t)i;
	} else {
		mem_free(rank);
		rank = NULL;
	}
	mem_free(order);
	return rank;
}

/* A node that is kept, before it has its place: number in the source, in the order of numbers. */
struct kept {
	uint32_t source, parent; /* parent: index of its kept parent */
	uint32_t rank;
	uint32_t child, sibling; /* lists, 0 ends them */
};

static int by_parent_and_rank(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* Kept nodes; index 0 is all. A kept node's parent is kept, since it weighs at least as much. place: by number in the source,
 * the index here, or of the nearest caller that is kept. */
static struct kept *keep(const struct source *s, const uint32_t *rank, double least, size_t *n,
			 uint32_t *place)
{
	const double *t = s->total[0];
	size_t count = 1;
	struct kept *k;

	for (size_t i = 1; i < s->p->n; i++)
		count += t[i] > 0 && t[i] >= least;
	k = mem_try(count * sizeof(*k), SIZE_MAX);
	if (!k)
		return NULL;
	*n = 1;
	place[0] = 0;
	for (size_t i = 1; i < s->p->n; i++) {
		const struct prefix_node *x = &s->p->node[i];

		if (!(t[i] > 0 && t[i] >= least)) {
			place[i] = place[x->parent];
			continue;
		}
		k[*n] = (struct kept){ .source = (uint32_t)i,
				       .parent = place[x->parent],
				       .rank = rank[x->key] };
		place[i] = (uint32_t)(*n)++;
	}
	return k;
}

/* Hang kept nodes below their parents, by name. */
static int link_children(struct kept *k, size_t n)
{
	struct kept *sorted = mem_try(n * sizeof(*sorted), SIZE_MAX);

	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, k, n * sizeof(*k));
	for (size_t i = 0; i < n; i++)
		sorted[i].child = (uint32_t)i; /* its index in k, for now */
	qsort(sorted + 1, n - 1, sizeof(*sorted), by_parent_and_rank);
	for (size_t i = n - 1; i > 0; i--) {
		struct kept *parent = &k[sorted[i].parent], *me = &k[sorted[i].child];

		me->sibling = parent->child;
		parent->child = sorted[i].child;
	}
	mem_free(sorted);
	return 0;
}

/* ---- the tree ---- */

static void fill(struct calltree_node *node, const struct source *s, const struct kept *k)
{
	node->frame = k->source ? s->p->node[k->source].key : 0;
	node->depth = s->p->depth[k->source];
	for (size_t c = 0; c < s->columns; c++) {
		node->self[c] = s->self[c][k->source];
		node->total[c] = s->total[c][k->source];
	}
}

/* Walk the kept nodes into t->node. index: of a kept node, its number in the walk. */
static void walk(struct calltree *t, const struct source *s, const struct kept *k, uint32_t *index)
{
	uint32_t at = 0; /* the kept node that comes next */

	t->n = 0;
	for (;;) {
		struct calltree_node *node = &t->node[t->n];
		uint32_t parent = index[k[at].parent];

		index[at] = (uint32_t)t->n++;
		fill(node, s, &k[at]);
		node->parent = at ? parent : 0;
		if (at) {
			/* `next` of the parent holds, for now, where its last child ended */
			struct calltree_node *p = &t->node[parent];

			node->start = p->next ? t->node[p->next].start + t->node[p->next].total[0]
					      : p->start;
			p->next = index[at];
		}
		if (node->depth > t->depth)
			t->depth = node->depth;
		if (k[at].child) {
			at = k[at].child;
			continue;
		}
		while (at && !k[at].sibling) {
			t->node[index[at]].next = (uint32_t)t->n;
			at = k[at].parent;
		}
		if (!at)
			break;
		t->node[index[at]].next = (uint32_t)t->n;
		at = k[at].sibling;
	}
	t->node[0].next = (uint32_t)t->n;
}

static int build(struct calltree *t, const struct stackset *ss, const struct source *s,
		 const struct calltree_args *a, struct err *e)
{
	uint32_t *rank = ranks(ss), *index = NULL;
	uint32_t *place = mem_try(s->p->n * sizeof(*place), SIZE_MAX);
	struct kept *k = NULL;
	size_t n = 0;
	int err = rank && place ? limit(s, a, &t->least, e) : -ENOMEM;

	if (!err) {
		k = keep(s, rank, t->least, &n, place);
		err = k ? link_children(k, n) : -ENOMEM;
	}
	if (!err) {
		index = mem_try(n * sizeof(*index), SIZE_MAX);
		t->node = mem_try(n * sizeof(*t->node), SIZE_MAX);
		err = index && t->node ? 0 : -ENOMEM;
	}
	if (!err) {
		walk(t, s, k, index);
		for (size_t i = 1; i < s->p->n; i++) {
			t->left_out += s->total[0][i] > 0;
			place[i] = index[place[i]];
		}
		t->left_out -= t->n - 1;
	}
	if (!err && !a->reverse) {
		t->of_stack = place;
		place = NULL;
	}
	mem_free(rank);
	mem_free(index);
	mem_free(place);
	mem_free(k);
	return err ? err_set(e, err, "no memory to add up stacks") : 0;
}

/* ---- reversed ---- */

/* Stacks from the inside out, in a tree of their own, with their weights. */
struct reversed {
	struct prefix p;
	double *self[CALLTREE_COLUMNS];
	size_t cap;
};

static int reversed_room(struct reversed *r, size_t columns)
{
	size_t cap = r->p.cap;

	for (size_t c = 0; c < columns && cap > r->cap; c++) {
		double *q = mem_try_resize(r->self[c], cap, sizeof(*q), SIZE_MAX);

		if (!q)
			return -ENOMEM;
		memset(q + r->cap, 0, (cap - r->cap) * sizeof(*q));
		r->self[c] = q;
	}
	r->cap = cap > r->cap ? cap : r->cap;
	return 0;
}

static int reverse(struct reversed *r, const struct stackset *ss, const struct calltree_args *a,
		   size_t columns)
{
	int err = prefix_init(&r->p);

	if (!err)
		err = reversed_room(r, columns);
	for (size_t i = 1; i < ss->stacks.n && !err; i++) {
		bool some = false;
		uint32_t at = 0;

		for (size_t c = 0; c < columns; c++)
			some |= a->weights[c][i] > 0;
		for (uint32_t s = (uint32_t)i; some && s && !err; s = ss->stacks.node[s].parent)
			err = prefix_child(&r->p, at, ss->stacks.node[s].key, &at);
		if (!err && some)
			err = reversed_room(r, columns);
		for (size_t c = 0; c < columns && !err; c++)
			r->self[c][at] += a->weights[c][i];
	}
	for (size_t c = 0; c < columns && !err; c++)
		r->self[c][0] += a->weights[c][0];
	return err;
}

int calltree_build(struct calltree *t, const struct stackset *ss, const struct calltree_args *a,
		   struct err *e)
{
	struct reversed r = { 0 };
	struct source s = { .p = &ss->stacks };
	int err = 0;

	*t = (struct calltree){ 0 };
	while (s.columns < CALLTREE_COLUMNS && a->weights[s.columns])
		s.columns++;
	if (a->reverse)
		err = reverse(&r, ss, a, s.columns);
	if (err)
		err_set(e, err,
			err == -ENOMEM ? "no memory to turn stacks round"
				       : "too many different stacks to turn round");
	for (size_t c = 0; c < s.columns && !err; c++) {
		if (a->reverse)
			s.p = &r.p;
		s.self[c] = a->reverse ? r.self[c] : a->weights[c];
		s.total[c] = totals(s.p, s.self[c]);
		if (!s.total[c])
			err = err_set(e, -ENOMEM, "no memory to add up stacks");
	}
	if (!err)
		err = build(t, ss, &s, a, e);
	t->columns = s.columns;
	for (size_t c = 0; c < CALLTREE_COLUMNS; c++) {
		mem_free(s.total[c]);
		mem_free(r.self[c]);
	}
	prefix_done(&r.p);
	if (err)
		calltree_done(t);
	return err;
}

void calltree_done(struct calltree *t)
{
	if (!t)
		return;
	mem_free(t->node);
	mem_free(t->of_stack);
	*t = (struct calltree){ 0 };
}
