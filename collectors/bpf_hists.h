/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_BPF_HISTS_H
#define SIXTY_COLLECTORS_BPF_HISTS_H

#include "base/root.h"
#include "bpf/wire.h"
#include "collectors/bpf_engine.h"
#include "collectors/collector.h"
#include "model/hist.h"

/* Distributions that eBPF programs count: what they need of the engine, and reading them.
 *
 *   bpf_hists_plan  →  bpf_engine_open_with  →  bpf_hists_open  →  bpf_hists_read, again and again  →  bpf_hists_close */
struct bpf_hists;

struct hist_wish {
	uint32_t kinds; /* 1u << enum wire_hist_kind */
	enum wire_hist_key
		key; /* of the keyed kind; HIST_KEYS: each kind's own, of which one at most needs an index */
	uint32_t pid, disk; /* 0: all; a disk is major << 20 | minor */
	uint64_t group;     /* 0: all; with its hierarchy and depth (collectors/hist_target.h) */
	unsigned group_in, group_level;
	bool untimed; /* a queue keeps no times: requests are to be noted where they begin */
};

struct bpf_hists_plan {
	struct wire_hist_config config;
	uint32_t cells;
	uint64_t groups; /* of programs */
};

void bpf_hists_plan(struct bpf_hists_plan *out, const struct hist_wish *w);

void bpf_hists_open(struct bpf_hists **out, struct bpf_engine *engine,
		    const struct bpf_hists_plan *plan, const struct root *root);
void bpf_hists_close(struct bpf_hists *h); /* accepts NULL */

/* Who knows the names of functions of the kernel (collectors/collector.h); without it they are numbers. */
void bpf_hists_namer(struct bpf_hists *h, name_kernel_fn *namer);
/* Take a reading of what nothing but reading measures: once a second. */
void bpf_hists_tick(struct bpf_hists *h);

/* Add all that was counted so far to *out, which is empty or cleared. Names are raw. What has not ended yet is of this moment. */
int bpf_hists_read(struct bpf_hists *h, struct hists *out, struct err *e);

/* Can this kind be had? Otherwise why not, or what of it is missing ("" when nothing is). */
bool bpf_hists_has(const struct bpf_engine *b, enum wire_hist_kind k);
void bpf_hists_why(const struct bpf_engine *b, enum wire_hist_kind k, char *out, size_t size);

#endif
