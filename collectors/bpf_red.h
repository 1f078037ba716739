/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_BPF_RED_H
#define SIXTY_COLLECTORS_BPF_RED_H

#include "base/root.h"
#include "bpf/wire.h"
#include "collectors/bpf_engine.h"
#include "model/red.h"

/* Requests of services, as eBPF programs count them.
 *
 *   bpf_red_plan  →  bpf_engine_open_with  →  bpf_red_open  →  bpf_red_read, again and again  →  bpf_red_close */
struct bpf_red;

struct red_wish {
	uint32_t port, pid; /* 0: all */
	bool clients;       /* dependencies too */
	bool no_content;    /* look at no byte of what is said */
};

void bpf_red_plan(struct wire_red_config *out, const struct red_wish *w, const struct root *root);

/* Finds the services that are there. 0 or -errno. */
int bpf_red_open(struct bpf_red **out, struct bpf_engine *engine,
		 const struct wire_red_config *plan, const struct root *root, struct err *e);
void bpf_red_close(struct bpf_red *r); /* accepts NULL */

/* All that was counted so far into *out, which is empty or cleared; open connections and queues are of this moment. */
int bpf_red_read(struct bpf_red *r, struct reds *out, struct err *e);

#endif
