/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_BPF_TRACE_H
#define SIXTY_COLLECTORS_BPF_TRACE_H

#include "bpf/wire.h"
#include "collectors/bpf_engine.h"
#include "model/trace.h"

/* Events from the kernel: load the programs of those that are wanted, read their ring, count what it lost.
 *
 *   bpf_trace_open  →  bpf_trace_read, again and again  →  bpf_trace_lost, bpf_trace_counts  →  bpf_trace_close */
struct bpf_trace;

struct bpf_trace_args {
	unsigned events; /* 1u << enum wire_trace */
	uint32_t pid;    /* 0: all */
	uint64_t slow_ns;
};

/* Opens even if some of the events are refused: ask bpf_trace_has(). Events that need no program are not its business. */
int bpf_trace_open(struct bpf_trace **out, const struct bpf_trace_args *a, struct err *e);
void bpf_trace_close(struct bpf_trace *t); /* accepts NULL */

bool bpf_trace_has(const struct bpf_trace *t, enum wire_trace event);
/* Why not, or what of it is missing; "" when nothing is. */
void bpf_trace_why(const struct bpf_trace *t, enum wire_trace event, char *out, size_t size);

/* Hand out what the ring holds until it is empty or each() returns false. 0 or -errno. */
int bpf_trace_read(struct bpf_trace *t, bool (*each)(void *ctx, const void *record, size_t size),
		   void *ctx);

/* Records that found no room, by event, since the beginning. */
int bpf_trace_lost(struct bpf_trace *t, uint64_t lost[TRACE_MAX]);
struct bpf_engine *bpf_trace_engine(struct bpf_trace *t);

/* "NO_SOCKET", or NULL when this kernel has no name for it. */
const char *bpf_trace_drop_reason(const struct bpf_trace *t, unsigned reason);
const char *bpf_trace_reset_reason(const struct bpf_trace *t, unsigned reason);

/* BPF programs that have been loaded since the last call (the first one finds none): there is no tracepoint for it, so
 * numbers are looked through. What is gone again between two calls is not seen. */
int bpf_programs_poll(uint32_t *last, void (*each)(void *ctx, const struct trace_bpf *p),
		      void *ctx);

#endif
