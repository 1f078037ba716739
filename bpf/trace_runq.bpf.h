/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A long wait for a CPU as an event, with who ran instead. Called from the switch that ends the wait, while the slices that
 * overlap it are charged (slices.bpf.h): nothing is looked for twice, and nothing is left of it unless it is asked for. */
#ifndef SIXTY_BPF_TRACE_RUNQ_H
#define SIXTY_BPF_TRACE_RUNQ_H

#include "bpf/trace.bpf.h"

/* Gathered between begin and end; a switch is not interrupted by another on its CPU. */
struct runq_scratch {
	struct wire_ran ran[WIRE_RAN];
	__u64 others_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct runq_scratch);
} trace_runqs SEC(".maps");

hidden struct runq_scratch *runq_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&trace_runqs, &zero);
}

hidden bool runq_wanted(__u64 wait)
{
	return config.trace_runq_ns && wait >= config.trace_runq_ns;
}

hidden void runq_begin(void)
{
	struct runq_scratch *s = runq_scratch();

	if (s)
		__builtin_memset(s, 0, sizeof(*s));
}

hidden void runq_add(__u32 tgid, bool rt, __u64 ns)
{
	struct runq_scratch *s = runq_scratch();

	if (!s)
		return;
	for (int i = 0; i < WIRE_RAN; i++) {
		struct wire_ran *r = &s->ran[i];

		if (r->ns && r->tgid != tgid)
			continue;
		r->tgid = tgid;
		r->rt |= rt;
		r->ns += ns;
		return;
	}
	s->others_ns += ns;
}

hidden void runq_end(struct task_struct *victim, __u64 wait, __u64 throttled, __u64 unseen)
{
	struct runq_scratch *s = runq_scratch();
	struct wire_runq *r;

	trace_count(TRACE_RUNQ);
	if (!s || !trace_wants(tgid_of(victim)) || !TRACE_NEW(r, TRACE_RUNQ, victim))
		return;
	r->wait_ns = wait;
	r->throttled_ns = throttled;
	r->unseen_ns = unseen;
	r->others_ns = s->others_ns;
	__builtin_memcpy(r->ran, s->ran, sizeof(r->ran));
	TRACE_PUT(r);
}

#endif
