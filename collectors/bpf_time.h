/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_BPF_TIME_H
#define SIXTY_COLLECTORS_BPF_TIME_H

#include "collectors/bpf_engine.h"
#include "collectors/collector.h"

/* What kernel stacks of D state mean, learned as they are met (collectors/bpf_deep.c). */
struct deep_stacks {
	struct deep_stack {
		uint64_t key;
		unsigned part; /* enum wire_part */
	} * list;
	size_t n, cap;
};

/* Name the stacks that have come up since the last call. */
void deep_learn(struct deep_stacks *d, const struct collector_env *env);
/* PART_UNINTERRUPTIBLE when the stack is not known or says nothing. */
unsigned deep_part(const struct deep_stacks *d, uint64_t key);
void deep_done(struct deep_stacks *d);

/* What a function of a sleeper's stack says: enum wire_part, or PART_UNINTERRUPTIBLE. The first that says something counts. */
unsigned deep_part_of(const char *function);

#endif
