/* SPDX-License-Identifier: Apache-2.0 */
/* Walking along a copied stack. The same steps as in bpf/walk.bpf.h, one by one. */
#include "symbols/walk.h"

#include <string.h>

struct walker {
	const struct walk_world *world;
	const struct walk_copy *copy;
	uint64_t ip, sp, fp;
	bool inside; /* ip was interrupted, not behind a call */
	bool guessed;
	enum wire_walk end;
};

static bool stop(struct walker *w, enum wire_walk why)
{
	w->end = why;
	return false;
}

/* Behind the copy there may be more, before it there is nothing that a stack leads to. */
static bool get(struct walker *w, uint64_t at, uint64_t *out)
{
	uint64_t offset = at - w->copy->regs.sp;

	if (at < w->copy->regs.sp)
		return stop(w, WALK_BACKWARDS);
	if (w->copy->size < sizeof(*out) || offset > w->copy->size - sizeof(*out))
		return stop(w, WALK_SHORT);
	memcpy(out, w->copy->bytes + offset, sizeof(*out));
	return true;
}

static const struct wire_mapping *find_mapping(const struct walk_world *w, uint64_t ip)
{
	size_t lo = 0, hi = w->nmappings;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (w->mappings[mid].end <= ip)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < w->nmappings && w->mappings[lo].start <= ip ? &w->mappings[lo] : NULL;
}

const struct wire_rule *walk_rule(const struct walk_rules *r, uint64_t pc)
{
	size_t lo = 0, hi = r->n, at = 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->blocks[mid].pc[0] <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || pc >= UINT32_MAX)
		return NULL;
	while (at + 1 < WIRE_RULES && r->blocks[lo - 1].pc[at + 1] <= pc)
		at++;
	return &r->blocks[lo - 1].rule[at];
}

static bool step_to(struct walker *w, uint64_t ip, uint64_t sp, uint64_t fp, bool inside)
{
	if (!ip)
		return stop(w, WALK_WHOLE);
	if (!inside && sp <= w->sp && !w->inside)
		return stop(w, WALK_BACKWARDS);
	w->ip = ip;
	w->sp = sp;
	w->fp = fp;
	w->inside = inside;
	return true;
}

static bool step_by_pointer(struct walker *w)
{
	uint64_t fp, ip;

	if (!w->fp)
		return stop(w, WALK_WHOLE);
	if (w->fp < w->sp || w->fp & 7)
		return stop(w, WALK_GAP);
	if (!get(w, w->fp, &fp) || !get(w, w->fp + 8, &ip))
		return false;
	w->guessed = true;
	return step_to(w, ip, w->fp + 16, fp, false);
}

static uint64_t plus(uint64_t base, int64_t offset)
{
	return base + (uint64_t)offset;
}

static bool step_signal(struct walker *w, const struct wire_rule *r)
{
	uint64_t ip, sp, fp;

	return get(w, plus(w->sp, r->ra * 8), &ip) && get(w, plus(w->sp, r->cfa), &sp) &&
	       get(w, plus(w->sp, r->fp * 8), &fp) && step_to(w, ip, sp, fp, true);
}

static bool step_by_rule(struct walker *w, const struct wire_rule *r)
{
	uint64_t cfa, ip = w->copy->regs.lr, fp = w->fp, from;

	switch (r->how) {
	case UNWIND_SP:
		cfa = plus(w->sp, r->cfa);
		break;
	case UNWIND_FP:
		cfa = plus(fp, r->cfa);
		break;
	case UNWIND_PLT:
		cfa = w->sp + 8 + ((w->ip & 15) >= (uint64_t)r->cfa ? 8 : 0);
		break;
	case UNWIND_FP_LOAD:
		if (!get(w, plus(fp, r->cfa), &cfa))
			return false;
		break;
	case UNWIND_SIGNAL:
		return step_signal(w, r);
	case UNWIND_END:
		return stop(w, WALK_WHOLE);
	case UNWIND_GAP:
		return step_by_pointer(w);
	default:
		return stop(w, WALK_HARD);
	}
	from = plus(r->how == UNWIND_FP_LOAD ? fp : cfa, r->fp * 8);
	/* compilers do not say when a function has taken its caller's back: then it lay where the stack has ended since */
	if ((r->fp || r->how == UNWIND_FP_LOAD) && from >= w->sp && !get(w, from, &fp))
		return false;
	if (r->ra && !get(w, plus(cfa, r->ra * 8), &ip))
		return false;
	if (!r->ra && !w->inside)
		return stop(w, WALK_BACKWARDS);
	return step_to(w, ip, cfa, fp, false);
}

static bool step(struct walker *w)
{
	uint64_t ip = w->ip - !w->inside;
	const struct wire_mapping *m = find_mapping(w->world, ip);
	const struct wire_rule *r = NULL;

	if (!m)
		return stop(w, WALK_UNMAPPED);
	if (m->table && m->table < w->world->ntables)
		r = walk_rule(&w->world->tables[m->table], ip - m->bias);
	return r ? step_by_rule(w, r) : step_by_pointer(w);
}

size_t walk_copied(const struct walk_world *world, const struct walk_copy *c, uint64_t *ip,
		   size_t max, enum wire_walk *why, bool *guessed)
{
	struct walker w = { .world = world,
			    .copy = c,
			    .ip = c->regs.ip,
			    .sp = c->regs.sp,
			    .fp = c->regs.fp,
			    .inside = true,
			    .end = WALK_DEEP };
	size_t n = 0;

	while (n < max) {
		ip[n++] = w.ip;
		if (!step(&w))
			break;
	}
	*why = w.end;
	*guessed = w.guessed;
	return n;
}
