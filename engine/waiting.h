/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_WAITING_H
#define SIXTY_ENGINE_WAITING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "collectors/bpf_waits.h"
#include "engine/profile_modes.h"
#include "engine/waits.h"

/* The part of a profile that looks at time off the CPU.
 *
 *   waiting_args  →  waiting_open  →  waiting_begin  →  …  →  waiting_end  →  waiting_finish  →  waiting_done */
struct root;
struct stackset;

/* How it went. */
struct waiting_result {
	uint64_t waits;  /* that ended, of threads that are wanted */
	uint64_t chosen; /* of them: whose stack was taken */
	unsigned one_in,
		one_in_long; /* at the busiest moment of the busiest CPU, of threads whose last wait was short, or long */
	uint64_t filtered;                /* shorter or longer than is wanted */
	uint64_t open;                    /* had not ended */
	uint64_t asleep;                  /* kinds of waits whose stack is not known */
	uint64_t sleepers;                /* stacks that were read of threads that slept */
	uint64_t lost_stacks, lost_waits; /* found no room */
	double lost_seconds;              /* of lost waits */
	double seconds;                   /* thread-seconds off the CPU, measured */
	double shown;                     /* what the stacks add up to */
	double imputed; /* of it: of long waits whose stack was not taken, see waits_impute() */
};

struct waiting {
	struct bpf_engine *engine;
	struct waits waits;
	struct waits_bounds bounds;
	uint32_t (*stack)(void *ctx, const struct wire_profile *s, const uint64_t *ip,
			  const uint8_t *copy);
	void *ctx;
	struct buf open;   /* of struct wire_asleep: stacks of some are read after them */
	uint64_t sleepers; /* stacks that were read */
	uint64_t unswept;  /* sweeps that failed */
	bool running;      /* time on CPUs counts too */
	bool cut, closing; /* cut: not all stacks of sleepers could be read in time */
};

/* What programs have to know. */
void waiting_args(struct bpf_waits_args *out, const struct profile_kind *k,
		  const struct root *root);

/* Accounts of all threads that are wanted are opened. stack: make a stack of a record and return its number. bounds are set before.
 * 0 or -errno. */
int waiting_open(struct waiting *w, struct bpf_engine *b,
		 uint32_t (*stack)(void *ctx, const struct wire_profile *s, const uint64_t *ip,
				   const uint8_t *copy),
		 void *ctx, struct err *e);
void waiting_begin(struct waiting *w, uint64_t from);
/* The window has ended; the programs run still. */
void waiting_end(struct waiting *w, uint64_t from, uint64_t until);
/* They do no more, and all records have been taken. before: the counts when it began. */
void waiting_finish(struct waiting *w, struct rawstacks *r, const struct wire_counts *before,
		    struct waiting_result *out);
/* What is missing. */
void waiting_lose(const struct waiting *w, const struct waiting_result *r, struct stackset *ss);
void waiting_done(struct waiting *w);

#endif
