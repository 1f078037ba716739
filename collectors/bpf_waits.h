/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_BPF_WAITS_H
#define SIXTY_COLLECTORS_BPF_WAITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "bpf/wire.h"

/* Time off the CPU for profiles (bpf/waits.bpf.h), of an engine that has BPF_WAITS.
 *
 *   bpf_waits_window(not yet)  →  bpf_waits_sweep, bpf_waits_sleepers  →  bpf_waits_window(nearly), bpf_waits_sleepers
 *   →  bpf_waits_window(from now on)  →  …
 *   →  bpf_waits_window(until now), bpf_waits_sweep, bpf_waits_sleepers  →  bpf_waits_walk, bpf_waits_choice */
struct bpf_engine;

struct bpf_waits_args {
	enum wire_wakers wakers;
	bool running;                     /* time on CPUs is added up, thread by thread */
	uint64_t shortest_ns, longest_ns; /* of waits that count; longest 0: all */
	uint64_t irq_from, irq_size;      /* kernel code where interrupts come in; 0: not known */
};

/* Only what lies between these counts, in ns of CLOCK_MONOTONIC; until UINT64_MAX: no end yet. from WIRE_NOT_YET: accounts may be
 * opened; WIRE_NEARLY: and stacks are taken. 0 or -errno. */
int bpf_waits_window(struct bpf_engine *b, uint64_t from, uint64_t until);

/* Every thread that is looked at, as it is. The first sweep opens accounts, one after the window's end closes them. */
int bpf_waits_sweep(struct bpf_engine *b, void (*each)(void *ctx, const struct wire_asleep *a),
		    void *ctx, struct err *e);

/* Stacks of those that are off the CPU and of which none was taken, each once: read in a child, which may hang. 0, -ETIMEDOUT: not
 * all of them in that time, or -errno. */
int bpf_waits_sleepers(struct bpf_engine *b, unsigned deadline_ms,
		       void (*each)(void *ctx, const struct wire_profile *s, const uint64_t *ip,
				    const uint8_t *copy),
		       void *ctx, struct err *e);

/* What has ended. 0 or -errno. */
int bpf_waits_walk(struct bpf_engine *b,
		   void (*each)(void *ctx, const struct wire_wait_key *key,
				const struct wire_wait *w),
		   void *ctx);

/* The sum over all CPUs; `most` of a pace is the most of them. 0 or -errno. */
int bpf_waits_choice(struct bpf_engine *b, struct wire_choice *sum);

#endif
