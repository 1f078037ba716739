/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_BPF_PROFILE_H
#define SIXTY_COLLECTORS_BPF_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "bpf/wire.h"
#include "collectors/collector.h"

/* Samples of stacks, and what the kernel must know to walk them.
 *
 *   bpf_profile_open  →  bpf_profile_read, again and again  →  bpf_profile_close */
struct bpf_profile;
struct bpf_engine;
struct hist_wish;
struct bpf_waits_args;
struct perf_event;

struct bpf_profile_args {
	unsigned hz;                    /* 0: what runs is not sampled */
	const struct perf_event *event; /* what is sampled; NULL: time on CPUs */
	uint64_t period;                /* every so many of them, in place of hz; 0: not given */
	bool chosen;                    /* only processes that are chosen, and their children */
	bool no_kernel;                 /* without frames of the kernel */
	const struct hist_wish *group;  /* of a control group only; NULL: of all */
	const struct bpf_waits_args *waits; /* time off the CPU, see bpf_waits.h; NULL: not wanted */
};

int bpf_profile_open(struct bpf_profile **out, const struct bpf_profile_args *a, struct err *e);
void bpf_profile_close(struct bpf_profile *p); /* accepts NULL */
struct bpf_engine *bpf_profile_engine(struct bpf_profile *p);

/* Readable when a sample came whose process is not known: others wait until they are fetched. */
int bpf_profile_fd(const struct bpf_profile *p);

/* -ENOSPC: more than WIRE_PROFILED. */
int bpf_profile_choose(struct bpf_profile *p, uint32_t tgid);

/* No more samples; what has come can still be read. */
void bpf_profile_stop(struct bpf_profile *p);

/* A record as programs make it: what it is of, kernel and user frames, what was copied of the stack (NULL: nothing). False: it is
 * shorter than it says. */
bool bpf_profile_record(const void *data, size_t size, const struct wire_profile **s,
			const uint64_t **ip, const uint8_t **copy);

/* Hand out all samples that have come: ip has kernel and user frames, and entries of CPython's frames; copy what was copied of the
 * stack. Both live until the call returns. Where python is WIRE_PYTHON_CODE, it is no sample: copy is a struct wire_python_code. 0 or
 * -errno. */
int bpf_profile_read(struct bpf_profile *p,
		     void (*each)(void *ctx, const struct wire_profile *s, const uint64_t *ip,
				  const uint8_t *copy),
		     void *ctx);

/* The rules of a binary, for all processes: a table of 1 … WIRE_TABLES − 1. -errno: there is none then. */
int bpf_profile_rules(struct bpf_profile *p, uint32_t table, const struct wire_rules *blocks,
		      uint32_t n);

/* A process runs CPython: samples have its frames from now on. 0 or -errno. */
int bpf_profile_python(struct bpf_profile *p, const struct wire_program_key *key,
		       const struct wire_python *python);

/* The mappings of a process, in place of what is there: `list` has n, ascending, behind one that is left free. settled: no more
 * are to be expected. -errno: it is as it was. */
int bpf_profile_mappings(struct bpf_profile *p, const struct wire_program_key *key,
			 struct wire_mapping *list, uint32_t n, bool settled);

#endif
