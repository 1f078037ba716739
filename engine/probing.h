/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_PROBING_H
#define SIXTY_ENGINE_PROBING_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "collectors/bpf_hists.h"
#include "collectors/bpf_red.h"
#include "collectors/collector.h"
#include "engine/budget.h"
#include "model/hist.h"
#include "symbols/names.h"

struct session_args;

#define TICKS_A_SECOND 10 /* of a session */

/* The eBPF programs of a session: which, what they cost and how long they may, and the distributions that they keep.
 *
 *   probing_open  →  probing_begin  →  probing_tick, probing_second …  →  probing_end  →  probing_close
 *
 * Where there is no eBPF, nothing of it does anything. */
struct probing {
	struct collector_env *env; /* whose bpf is ours */
	uint64_t groups;           /* wanted here */
	bool live;                 /* there is no end */
	struct bpf_hists *hists;   /* NULL: none */
	struct bpf_hists_plan plan;
	struct hists first;  /* distributions when the window began */
	struct bpf_red *red; /* NULL: requests are not followed */
	struct wire_red_config red_plan;
	struct reds red_first, reds; /* when the window began; of the window */
	struct budget budget;
	size_t dearest;                 /* of the programs, when the budget does not suffice */
	uint64_t ticks, calibrate_from; /* ticks so far; from which on programs are calibrated */
	bool calibrating, calibrated;
	struct names names; /* of functions: a child that is asked */
	bool names_open;
};

/* Load and attach; `group` is the control group whose threads are told, if any. Without eBPF there is still the half of the report that /proc gives: the reason becomes a status. */
void probing_open(struct probing *p, struct collector_env *env, const struct session_args *args,
		  const struct hist_wish *group);
void probing_close(struct probing *p);

void probing_hists(struct probing *p, struct hists *out); /* distributions so far */

void probing_begin(struct probing *p); /* what was counted before belongs to no window */
/* So many ticks have passed; TICKS_A_SECOND are a second. */
void probing_tick(struct probing *p, uint64_t passed);
/* Until then each tick counts: what programs cost is measured between two of them. */
bool probing_needs_ticks(const struct probing *p);
/* A second is over: groups that cost too much, to be stopped with probing_stop() once they have been read; 0: none. */
uint64_t probing_second(struct probing *p);
void probing_stop(struct probing *p, uint64_t groups);
void probing_end(struct probing *p, struct hists *window); /* distributions of the window */

#endif
