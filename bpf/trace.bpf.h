/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Events: a record each, through one ring buffer. A record that finds no room is counted under its event. */
#ifndef SIXTY_BPF_TRACE_H
#define SIXTY_BPF_TRACE_H

#include "bpf/numbers.bpf.h"

/* User space sets its size before it is made; without events it is not made. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} trace_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TRACE_MAX);
	__type(key, __u32);
	__type(value, __u64);
} trace_lost SEC(".maps");

/* An argument of a tracepoint as a mere number: for pointers that may be NULL or are none. Verifiers differ in what they
 * believe of those; what is read through bpf_probe_read_kernel() needs no belief. */
hidden __u64 trace_argument(__u64 *ctx, int n)
{
	__u64 v = 0;

	bpf_probe_read_kernel(&v, sizeof(v), ctx + n);
	return v;
}

hidden void trace_lose(__u32 tag)
{
	__u64 *n = bpf_map_lookup_elem(&trace_lost, &tag);

	if (n)
		(*n)++;
}

hidden void trace_count(enum wire_trace tag)
{
	struct cpu *c = this_cpu();

	if (c)
		c->counts.events[PROG_TRACE + tag]++;
}

/* Is anybody interested in what this process does? Not in what sixty does to show it. */
hidden bool trace_wants(__u32 tgid)
{
	return tgid != config.self && (!config.trace_pid || tgid == config.trace_pid);
}

hidden __u64 trace_group(struct css_set *set, __u64 subsystem)
{
	struct cgroup_subsys_state *css = 0;

	bpf_probe_read_kernel(&css, sizeof(css), &set->subsys[subsystem & 15]);
	return css ? BPF_CORE_READ(css, cgroup, kn, id) : 0;
}

hidden void trace_who(struct wire_event *e, struct task_struct *t)
{
	struct css_set *set = t->cgroups;

	e->pid = tgid_of(t);
	e->tid = tid_of(t);
	e->ppid = config.nested ? nested_tgid(t->real_parent) : (__u32)t->real_parent->tgid;
	e->uid = t->cred->uid.val;
	e->start = t->group_leader->start_boottime;
	__builtin_memcpy(e->comm, t->comm, sizeof(e->comm));
	if (!set)
		return;
	e->cgroups[0] = set->dfl_cgrp->kn->id;
	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		e->cgroups[1] = trace_group(set, bpf_core_enum_value(enum cgroup_subsys_id,
								     memory_cgrp_id));
	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, cpu_cgrp_id))
		e->cgroups[2] =
			trace_group(set, bpf_core_enum_value(enum cgroup_subsys_id, cpu_cgrp_id));
}

/* The head of a record, its body still as the ring had it. t: 0 when nobody is known. */
hidden void trace_head(struct wire_event *e, enum wire_trace tag, struct task_struct *t)
{
	__builtin_memset(e, 0, sizeof(*e));
	e->tag = tag;
	e->cpu = bpf_get_smp_processor_id();
	e->time = bpf_ktime_get_ns();
	if (t)
		trace_who(e, t);
}

/* A zeroed record of this event, or NULL: then it is counted as lost. */
#define TRACE_NEW(record, tag, task)                                           \
	({                                                                     \
		record = bpf_ringbuf_reserve(&trace_ring, sizeof(*record), 0); \
		if (record) {                                                  \
			__builtin_memset(record, 0, sizeof(*record));          \
			trace_head(&record->e, tag, task);                     \
		} else {                                                       \
			trace_lose(tag);                                       \
		}                                                              \
		record;                                                        \
	})

/* User space comes by itself, some twenty times a second: nobody is woken for an event. */
#define TRACE_PUT(record) bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP)

#endif
