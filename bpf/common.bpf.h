/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What every program uses: the configuration, the counters of events and of losses. */
#ifndef SIXTY_BPF_COMMON_H
#define SIXTY_BPF_COMMON_H

#include "bpf/kernel.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "bpf/wire.h"

#define hidden static __always_inline
/* With a stack of its own: what is called one after the other shares the 512 bytes. */
#define apart static __attribute__((noinline))

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Read-only once loaded: the verifier drops branches that it makes dead. */
const volatile struct wire_config config SEC(".rodata.config") = {};

/* The state of a CPU, one row: a program looks it up once. */
struct slice {
	__u64 start, end;
	__u32 tgid;       /* 0: idle */
	__u32 rt;         /* real-time or deadline class */
	__u64 irq, steal; /* of it: what interrupts and the hypervisor took */
};

/* When a CPU stopped being idle, and how long it had been that so far. */
struct idle_mark {
	__u64 at, total;
};

/* The throttle clock of a queue when a thread of it last left this CPU. */
struct throttled {
	__u64 cfs_rq, clock;
};

struct cpu {
	struct wire_counts counts;
	/* interrupts: see irq.bpf.c */
	__u64 irq_total; /* of outermost intervals that have ended */
	__u64 irq_since;
	__u64 irq_depth;
	/* the run queue's clock: see off.bpf.h */
	__u64 clock_off;  /* ktime minus that clock */
	__u64 clock_at;   /* when that was found */
	__u64 hard_since; /* for distributions: of the one that runs; 0: not seen */
	__u64 hard_total;
	__u64 soft_since, soft_hard; /* hard_total then */
	__u64 spin, spin_since;      /* lock that somebody spins for; 0: none */
	/* slices: see slices.bpf.h */
	__u64 slice_head;      /* number of slices so far */
	__u64 slice_last;      /* end of the last one: start of the next */
	__u64 short_waits;     /* ns that were not charged yet */
	__u32 here, here_tgid; /* who came last: who must be the next to leave */
	__u64 here_rt;
	__u64 irq_seen, drift_seen; /* at the end of the last slice */
	struct slice slices[WIRE_SLICES];
	/* idle time: see queue.bpf.h */
	__u64 idle_since; /* 0: is not idle, or nobody saw since when */
	__u64 idle_total, mark_head, looked_at;
	struct idle_mark marks[WIRE_MARKS];
	struct throttled throttled[8];
	__u64 number;
	struct wire_stack frames; /* being looked at: the stack of a program has 512 bytes */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cpu);
} ledger_cpus SEC(".maps");

hidden struct cpu *this_cpu(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ledger_cpus, &zero);
}

hidden void count_event(enum wire_program p)
{
	struct cpu *c = this_cpu();

	if (c)
		c->counts.events[p]++;
}

hidden void count_loss(struct cpu *c, enum wire_loss l, __u64 ns)
{
	c->counts.loss[l]++;
	c->counts.loss_ns[l] += ns;
}

/* One more word into a hash. */
hidden __u64 mix(__u64 h, __u64 word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

#endif
