/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_RAWSTACKS_H
#define SIXTY_ENGINE_RAWSTACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"

/* Samples as they come: stacks of addresses, each kept once, and who was in which when. */
#define RAW_NO_PROGRAM UINT32_MAX

struct raw_stack {
	uint64_t hash;
	size_t at; /* in addresses[]: kernel frames, then user frames, then entries of CPython; innermost first */
	uint32_t program; /* of struct programs; RAW_NO_PROGRAM: a thread of the kernel */
	uint16_t kernel, user;
	uint8_t walk;   /* enum wire_walk */
	uint8_t part;   /* enum wire_part */
	uint8_t python; /* entries, see engine/pythons.h */
};

struct raw_thread {
	uint32_t tgid, tid;
	char comm[WIRE_COMM];
};

struct raw_sample {
	uint64_t time; /* ns since the beginning */
	uint64_t weight;
	uint32_t stack, thread;
};

struct rawstacks {
	uint64_t *addresses;
	size_t naddresses, addresses_cap;
	struct raw_stack *stacks;
	size_t nstacks, stacks_cap;
	uint32_t *stack_slots;
	size_t nstack_slots;
	struct raw_thread *threads;
	size_t nthreads, threads_cap;
	uint32_t *thread_slots;
	size_t nthread_slots;
	struct raw_sample *samples;
	size_t nsamples, samples_cap;
};

/* s: `at` and `hash` are filled in. frames: s->kernel + s->user + s->python. Returns its number. */
uint32_t rawstacks_stack(struct rawstacks *r, struct raw_stack *s, const uint64_t *frames);
uint32_t rawstacks_thread(struct rawstacks *r, uint32_t tgid, uint32_t tid, const char *comm);
void rawstacks_add(struct rawstacks *r, const struct raw_sample *s);
void rawstacks_done(struct rawstacks *r);

#endif
