/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_WAITS_H
#define SIXTY_ENGINE_WAITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "engine/rawstacks.h"

/* Time off the CPU: stacks come through the ring, each once and with a number; what was spent in them is read when the window has
 * ended.
 *
 *   waits_stack, waits_sleeper  →  waits_take, waits_take_open  →  list */
struct wait_stack {
	uint64_t id;
	uint64_t next; /* of a waker: the id of who woke it; 0: nobody, or not known */
	uint32_t raw, thread;
	bool interrupt; /* a waker that is no thread */
};

struct sleeper {
	uint64_t since;
	uint32_t tid, raw;
};

struct sleepers {
	struct sleeper *list; /* sorted by tid when they are looked for */
	size_t n, cap;
	bool sorted;
};

/* Waits that have the same stack, cause and waker. */
struct raw_wait {
	uint64_t ns, count;
	uint32_t stack, thread; /* of struct rawstacks; the stack has the cause */
	uint32_t waker;         /* number of a wait_stack + 1; 0: not known */
};

struct waits {
	struct wait_stack *stacks;
	size_t nstacks, stacks_cap;
	uint32_t *slots; /* of a hash table: number + 1 */
	size_t nslots;
	struct sleepers opening, closing;
	struct raw_wait *list;
	size_t n, cap;
	struct thread_run {
		uint32_t thread;
		uint64_t ns;
	} * runs; /* time on CPUs */
	size_t nruns, runs_cap;
	uint64_t asleep; /* waits whose stack is not known */
	uint64_t open;   /* waits that had not ended */
};

/* A record that has an id. */
void waits_stack(struct waits *w, const struct wire_profile *s, uint32_t raw, uint32_t thread);
/* One that was read while its thread slept, when the profile began or when it ended. */
void waits_sleeper(struct waits *w, const struct wire_profile *s, uint32_t raw, bool closing);

void waits_take(struct waits *w, struct rawstacks *r, const struct wire_wait_key *key,
		const struct wire_wait *v);

/* Waits that are open when the window ends, as far as they are wanted. */
struct waits_bounds {
	uint64_t from, until; /* the window */
	uint64_t shortest_ns, longest_ns;
};
void waits_take_open(struct waits *w, struct rawstacks *r, const struct wire_asleep *a,
		     const struct waits_bounds *b);

/* Long waits whose stack was not taken are handed on, in proportion, to those of the same thread, cause and innermost function
 * whose stack is known, else to those of the same program. Returns the nanoseconds of those that have found some. */
uint64_t waits_impute(struct waits *w, const struct rawstacks *r);

/* Give samples of what runs the weights that make them add up, thread by thread, to the time that it ran; what ran and was not sampled
 * becomes a wait of its own, without a stack. */
void waits_weigh(struct waits *w, struct rawstacks *r);

/* The number of a stack with this id + 1; 0: it is not known. */
uint32_t waits_find(const struct waits *w, uint64_t id);
void waits_done(struct waits *w);

#endif
