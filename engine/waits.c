/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks by number, and what was spent in them. */
#include "engine/waits.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SLOTS_LEAST 1024u

/* ---- stacks ---- */

static size_t slot_of(const struct waits *w, uint64_t id)
{
	size_t at = (id ^ id >> 32) & (w->nslots - 1);

	while (w->slots[at] && w->stacks[w->slots[at] - 1].id != id)
		at = (at + 1) & (w->nslots - 1);
	return at;
}

static void grow(struct waits *w)
{
	if (2 * (w->nstacks + 1) <= w->nslots)
		return;
	w->nslots = w->nslots ? 2 * w->nslots : SLOTS_LEAST;
	mem_free(w->slots);
	w->slots = mem_array(w->nslots, sizeof(*w->slots));
	for (size_t i = 0; i < w->nstacks; i++)
		w->slots[slot_of(w, w->stacks[i].id)] = (uint32_t)i + 1;
}

void waits_stack(struct waits *w, const struct wire_profile *s, uint32_t raw, uint32_t thread)
{
	size_t at;

	grow(w);
	at = slot_of(w, s->id);
	if (w->slots[at])
		return;
	w->stacks = mem_grow(w->stacks, &w->stacks_cap, w->nstacks + 1, sizeof(*w->stacks));
	w->stacks[w->nstacks++] = (struct wait_stack){
		.id = s->id, .next = s->next, .raw = raw, .thread = thread, .interrupt = !s->tid
	};
	w->slots[at] = (uint32_t)w->nstacks;
}

uint32_t waits_find(const struct waits *w, uint64_t id)
{
	return w->nslots && id >= WIRE_STACK_FIRST ? w->slots[slot_of(w, id)] : 0;
}

/* ---- sleepers ---- */

void waits_sleeper(struct waits *w, const struct wire_profile *s, uint32_t raw, bool closing)
{
	struct sleepers *l = closing ? &w->closing : &w->opening;

	l->list = mem_grow(l->list, &l->cap, l->n + 1, sizeof(*l->list));
	l->list[l->n++] = (struct sleeper){ .since = s->next, .tid = s->tid, .raw = raw };
	l->sorted = false;
}

static int by_tid(const void *a, const void *b)
{
	const struct sleeper *x = a, *y = b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return (x->since > y->since) - (x->since < y->since);
}

#define LAST_SLEEP UINT64_MAX

/* Its stack in the sleep that began then, + 1; 0: it was not read. */
static uint32_t find_sleeper(struct sleepers *l, uint32_t tid, uint64_t since)
{
	const struct sleeper key = { .tid = tid, .since = since }, *found;
	size_t lo = 0, hi = l->n;

	if (!l->sorted && l->n)
		qsort(l->list, l->n, sizeof(*l->list), by_tid);
	l->sorted = true;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (by_tid(&l->list[mid], &key) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	found = lo ? &l->list[lo - 1] : NULL;
	if (!found || found->tid != tid || (since != LAST_SLEEP && found->since != since))
		return 0;
	return found->raw + 1;
}

/* ---- waits ---- */

static uint32_t no_stack(struct rawstacks *r, enum wire_walk why, unsigned part)
{
	struct raw_stack s = { .program = RAW_NO_PROGRAM,
			       .walk = (uint8_t)why,
			       .part = (uint8_t)part };

	return rawstacks_stack(r, &s, NULL);
}

/* The same stack, for this cause. */
static uint32_t with_part(struct rawstacks *r, uint32_t raw, unsigned part)
{
	struct raw_stack s = r->stacks[raw];
	uint64_t frames[WIRE_KERNEL_FRAMES + WIRE_USER_FRAMES];

	memcpy(frames, r->addresses + s.at, ((size_t)s.kernel + s.user) * sizeof(*frames));
	s.part = (uint8_t)part;
	return rawstacks_stack(r, &s, frames);
}

static void add(struct waits *w, const struct raw_wait *x)
{
	w->list = mem_grow(w->list, &w->cap, w->n + 1, sizeof(*w->list));
	w->list[w->n++] = *x;
}

static void add_run(struct waits *w, uint32_t thread, uint64_t ns)
{
	if (!ns)
		return;
	w->runs = mem_grow(w->runs, &w->runs_cap, w->nruns + 1, sizeof(*w->runs));
	w->runs[w->nruns].thread = thread;
	w->runs[w->nruns++].ns = ns;
}

void waits_take(struct waits *w, struct rawstacks *r, const struct wire_wait_key *key,
		const struct wire_wait *v)
{
	uint32_t thread = rawstacks_thread(r, key->tgid, key->tid, v->comm), known;
	unsigned part = key->part < PART_MAX ? key->part : PART_RESIDUAL;
	struct raw_wait x = { .ns = v->ns, .count = v->count, .thread = thread };

	if (part == PART_RUN) {
		add_run(w, thread, v->ns);
		return;
	}
	if (key->stack == WIRE_STACK_NONE) {
		known = find_sleeper(&w->opening, key->tid, LAST_SLEEP);
		w->asleep += !known;
		x.stack = known ? with_part(r, known - 1, part) : no_stack(r, WALK_ASLEEP, part);
	} else {
		known = waits_find(w, key->stack);
		x.stack = known ? with_part(r, w->stacks[known - 1].raw, part)
				: no_stack(r, WALK_CROWDED, part);
	}
	x.waker = waits_find(w, key->waker);
	add(w, &x);
}

/* ---- what is open ---- */

static uint32_t open_stack(struct waits *w, struct rawstacks *r, const struct wire_asleep *a,
			   unsigned part)
{
	uint32_t known = waits_find(w, a->stack);

	if (known)
		return with_part(r, w->stacks[known - 1].raw, part);
	known = find_sleeper(&w->opening, a->tid, a->since);
	if (!known)
		known = find_sleeper(&w->closing, a->tid, a->since);
	if (known)
		return with_part(r, known - 1, part);
	w->asleep++;
	return no_stack(r, a->stack == WIRE_STACK_NONE ? WALK_ASLEEP : WALK_CROWDED, part);
}

static void add_open(struct waits *w, struct rawstacks *r, const struct wire_asleep *a,
		     uint32_t thread, unsigned part, uint64_t ns, uint64_t count)
{
	struct raw_wait x = { .ns = ns, .count = count, .thread = thread };

	if (!ns)
		return;
	x.stack = open_stack(w, r, a, part);
	add(w, &x);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void waits_take_open(struct waits *w, struct rawstacks *r, const struct wire_asleep *a,
		     const struct waits_bounds *b)
{
	uint32_t thread = rawstacks_thread(r, a->key.tgid, a->tid, a->comm);
	uint64_t from = a->since > b->from ? a->since : b->from;
	uint64_t length = b->until > from ? b->until - from : 0, wait, throttled;
	unsigned part = a->part < PART_MAX ? a->part : PART_RESIDUAL;

	add_run(w, thread, a->ran + (part == PART_RUN ? length : 0));
	if (part == PART_RUN || !length)
		return;
	if (b->until - a->since < b->shortest_ns ||
	    (b->longest_ns && b->until - a->since > b->longest_ns))
		return;
	w->open++;
	wait = least(a->wait, length);
	throttled = least(a->throttled, wait);
	add_open(w, r, a, thread, part, length - wait, 1);
	add_open(w, r, a, thread, PART_RUNNABLE, wait - throttled, length == wait);
	add_open(w, r, a, thread, PART_THROTTLED, throttled, 0);
}

/* ---- stacks that were not taken ---- */

struct place {
	uint64_t ip; /* of the program */
	uint32_t program, tid, part, wait;
};

static struct place place_of(const struct waits *w, const struct rawstacks *r, size_t i)
{
	const struct raw_stack *s = &r->stacks[w->list[i].stack];

	return (struct place){ .ip = s->user ? r->addresses[s->at + s->kernel] : 0,
			       .program = s->program,
			       .tid = r->threads[w->list[i].thread].tid,
			       .part = s->part,
			       .wait = (uint32_t)i };
}

#define ORDER(a, b)                                \
	do {                                       \
		if ((a) != (b))                    \
			return (a) < (b) ? -1 : 1; \
	} while (0)

static int by_function(const struct place *x, const struct place *y)
{
	ORDER(x->program, y->program);
	ORDER(x->ip, y->ip);
	ORDER(x->part, y->part);
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = by_function(x, y);

	if (order)
		return order;
	ORDER(x->tid, y->tid);
	return 0;
}

/* Those of list[n] that are like `key`, from *from on. Returns how many. */
static size_t range(const struct place *list, size_t n, const struct place *key, bool same_thread,
		    size_t *from)
{
	struct place k = *key;
	size_t lo = 0, hi = n, end;

	if (!same_thread)
		k.tid = 0;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (by_place(&list[mid], &k) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (end = lo; end < n; end++)
		if (same_thread ? by_place(&list[end], &k) : by_function(&list[end], &k))
			break;
	*from = lo;
	return end - lo;
}

static bool hand_on(struct waits *w, const struct place *to, size_t n, struct raw_wait *x)
{
	double all = 0, counts = 0;

	for (size_t i = 0; i < n; i++)
		all += (double)w->list[to[i].wait].ns;
	if (all <= 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct raw_wait *y = &w->list[to[i].wait];
		double share = (double)y->ns / all;

		y->ns += (uint64_t)(share * (double)x->ns);
		counts += share * (double)x->count;
		y->count += (uint64_t)counts;
		counts -= (double)(uint64_t)counts;
	}
	x->ns = x->count = 0;
	return true;
}

uint64_t waits_impute(struct waits *w, const struct rawstacks *r)
{
	struct place *known = mem_array(w->n + 1, sizeof(*known)),
		     *late = mem_array(w->n + 1, sizeof(*late));
	size_t nknown = 0, nlate = 0, from, n;
	uint64_t ns = 0, each;

	for (size_t i = 0; i < w->n; i++) {
		const struct raw_stack *s = &r->stacks[w->list[i].stack];

		if (s->program == RAW_NO_PROGRAM || !s->user)
			continue;
		if (s->walk == WALK_UNCHOSEN)
			late[nlate++] = place_of(w, r, i);
		else
			known[nknown++] = place_of(w, r, i);
	}
	if (nknown)
		qsort(known, nknown, sizeof(*known), by_place);
	for (size_t i = 0; i < nlate; i++) {
		struct raw_wait *x = &w->list[late[i].wait];

		each = x->ns;
		n = range(known, nknown, &late[i], true, &from);
		if (!n)
			n = range(known, nknown, &late[i], false, &from);
		if (n && hand_on(w, known + from, n, x))
			ns += each;
	}
	mem_free(known);
	mem_free(late);
	return ns;
}

/* ---- time on CPUs ---- */

struct runner {
	uint32_t thread; /* of struct rawstacks */
	uint32_t first;  /* of those that are the same thread under another name */
	double ns, samples;
};

static const struct rawstacks *sorted_raw; /* for qsort(), which has no context */

static int by_thread(const void *a, const void *b)
{
	const struct raw_thread *x = &sorted_raw->threads[((const struct runner *)a)->thread],
				*y = &sorted_raw->threads[((const struct runner *)b)->thread];

	ORDER(x->tgid, y->tgid);
	ORDER(x->tid, y->tid);
	return 0;
}

/* list[i] is thread i; the first of each thread has the sums. */
static struct runner *count_runs(const struct waits *w, const struct rawstacks *r)
{
	struct runner *order = mem_array(r->nthreads + 1, sizeof(*order)),
		      *list = mem_array(r->nthreads + 1, sizeof(*list));

	for (size_t i = 0; i < r->nthreads; i++)
		order[i].thread = list[i].thread = (uint32_t)i;
	sorted_raw = r;
	if (r->nthreads)
		qsort(order, r->nthreads, sizeof(*order), by_thread);
	for (size_t i = 0, first = 0; i < r->nthreads; i++) {
		if (by_thread(&order[first], &order[i]))
			first = i;
		list[order[i].thread].first = order[first].thread;
	}
	mem_free(order);
	for (size_t i = 0; i < w->nruns; i++)
		list[list[w->runs[i].thread].first].ns += (double)w->runs[i].ns;
	for (size_t i = 0; i < r->nsamples; i++)
		list[list[r->samples[i].thread].first].samples++;
	return list;
}

void waits_weigh(struct waits *w, struct rawstacks *r)
{
	struct runner *list = count_runs(w, r);

	for (size_t i = 0; i < r->nsamples; i++) {
		const struct runner *x = &list[list[r->samples[i].thread].first];

		if (x->ns > 0)
			r->samples[i].weight = (uint64_t)(x->ns / x->samples);
	}
	for (size_t i = 0; i < r->nthreads; i++) {
		struct raw_wait x = { .thread = (uint32_t)i, .ns = (uint64_t)list[i].ns };

		if (list[i].first != i || list[i].samples > 0 || !x.ns)
			continue;
		x.stack = no_stack(r, WALK_BETWEEN, PART_RUN);
		add(w, &x);
	}
	mem_free(list);
}

void waits_done(struct waits *w)
{
	mem_free(w->stacks);
	mem_free(w->slots);
	mem_free(w->opening.list);
	mem_free(w->closing.list);
	mem_free(w->list);
	mem_free(w->runs);
	memset(w, 0, sizeof(*w));
}
