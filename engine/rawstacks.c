/* SPDX-License-Identifier: Apache-2.0 */
/* Two hash tables, of stacks and of threads, that only grow. */
#include "engine/rawstacks.h"

#include <string.h>

#include "base/mem.h"

#define SLOTS_LEAST 1024u

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

/* ---- stacks ---- */

static bool is_stack(const struct rawstacks *r, const struct raw_stack *a,
		     const struct raw_stack *b, const uint64_t *frames)
{
	return a->hash == b->hash && a->program == b->program && a->kernel == b->kernel &&
	       a->user == b->user && a->python == b->python && a->walk == b->walk &&
	       a->part == b->part &&
	       !memcmp(r->addresses + a->at, frames,
		       ((size_t)a->kernel + a->user + a->python) * sizeof(*frames));
}

static void grow_stacks(struct rawstacks *r)
{
	if (2 * (r->nstacks + 1) <= r->nstack_slots)
		return;
	r->nstack_slots = r->nstack_slots ? 2 * r->nstack_slots : SLOTS_LEAST;
	mem_free(r->stack_slots);
	r->stack_slots = mem_array(r->nstack_slots, sizeof(*r->stack_slots));
	for (size_t i = 0; i < r->nstacks; i++) {
		size_t at = r->stacks[i].hash & (r->nstack_slots - 1);

		while (r->stack_slots[at])
			at = (at + 1) & (r->nstack_slots - 1);
		r->stack_slots[at] = (uint32_t)i + 1;
	}
}

uint32_t rawstacks_stack(struct rawstacks *r, struct raw_stack *s, const uint64_t *frames)
{
	size_t n = (size_t)s->kernel + s->user + s->python, at;

	s->hash = mix(mix(s->program, s->kernel), (uint64_t)s->walk << 8 | s->part);
	for (size_t i = 0; i < n; i++)
		s->hash = mix(s->hash, frames[i]);
	grow_stacks(r);
	at = s->hash & (r->nstack_slots - 1);
	while (r->stack_slots[at]) {
		if (is_stack(r, &r->stacks[r->stack_slots[at] - 1], s, frames))
			return r->stack_slots[at] - 1;
		at = (at + 1) & (r->nstack_slots - 1);
	}
	s->at = r->naddresses;
	r->addresses = mem_grow(r->addresses, &r->addresses_cap, r->naddresses + n + 1,
				sizeof(*r->addresses));
	memcpy(r->addresses + s->at, frames, n * sizeof(*frames));
	r->naddresses += n;
	r->stacks = mem_grow(r->stacks, &r->stacks_cap, r->nstacks + 1, sizeof(*r->stacks));
	r->stacks[r->nstacks++] = *s;
	r->stack_slots[at] = (uint32_t)r->nstacks;
	return (uint32_t)r->nstacks - 1;
}

/* ---- threads ---- */

static size_t thread_slot(const struct rawstacks *r, uint32_t tgid, uint32_t tid, const char *comm)
{
	size_t at = mix(tgid, tid) & (r->nthread_slots - 1);

	while (r->thread_slots[at]) {
		const struct raw_thread *t = &r->threads[r->thread_slots[at] - 1];

		if (t->tgid == tgid && t->tid == tid &&
		    !strncmp(t->comm, comm, sizeof(t->comm) - 1))
			break;
		at = (at + 1) & (r->nthread_slots - 1);
	}
	return at;
}

static void grow_threads(struct rawstacks *r)
{
	if (2 * (r->nthreads + 1) <= r->nthread_slots)
		return;
	r->nthread_slots = r->nthread_slots ? 2 * r->nthread_slots : SLOTS_LEAST;
	mem_free(r->thread_slots);
	r->thread_slots = mem_array(r->nthread_slots, sizeof(*r->thread_slots));
	for (size_t i = 0; i < r->nthreads; i++) {
		const struct raw_thread *t = &r->threads[i];

		r->thread_slots[thread_slot(r, t->tgid, t->tid, t->comm)] = (uint32_t)i + 1;
	}
}

uint32_t rawstacks_thread(struct rawstacks *r, uint32_t tgid, uint32_t tid, const char *comm)
{
	struct raw_thread *t;
	size_t at;

	grow_threads(r);
	at = thread_slot(r, tgid, tid, comm);
	if (r->thread_slots[at])
		return r->thread_slots[at] - 1;
	r->threads = mem_grow(r->threads, &r->threads_cap, r->nthreads + 1, sizeof(*r->threads));
	t = &r->threads[r->nthreads++];
	*t = (struct raw_thread){ .tgid = tgid, .tid = tid };
	memcpy(t->comm, comm, strnlen(comm, sizeof(t->comm) - 1));
	r->thread_slots[at] = (uint32_t)r->nthreads;
	return (uint32_t)r->nthreads - 1;
}

/* ---- samples ---- */

void rawstacks_add(struct rawstacks *r, const struct raw_sample *s)
{
	r->samples = mem_grow(r->samples, &r->samples_cap, r->nsamples + 1, sizeof(*r->samples));
	r->samples[r->nsamples++] = *s;
}

void rawstacks_done(struct rawstacks *r)
{
	mem_free(r->addresses);
	mem_free(r->stacks);
	mem_free(r->stack_slots);
	mem_free(r->threads);
	mem_free(r->thread_slots);
	mem_free(r->samples);
	memset(r, 0, sizeof(*r));
}
