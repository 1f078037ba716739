/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What profiles on and off the CPU share: whom they are about, the head of a record, the ring. */
#ifndef SIXTY_BPF_PROFILE_H
#define SIXTY_BPF_PROFILE_H

#include "bpf/hist.bpf.h"
#include "bpf/walk.bpf.h"

/* User space sets its size before it is made. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} profile_ring SEC(".maps");

/* Processes whose samples are wanted, where not all are. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WIRE_PROFILED);
	__type(key, __u32);
	__type(value, __u32);
} profile_chosen SEC(".maps");

hidden bool profile_is_chosen(struct task_struct *t)
{
	__u32 tgid = t->tgid;

	return !config.profile.chosen || bpf_map_lookup_elem(&profile_chosen, &tgid);
}

hidden bool profile_wants(struct task_struct *t)
{
	return profile_is_chosen(t) && (!config.hist.group || hist_in_group(t));
}

hidden void profile_head(struct profile_scratch *s, struct task_struct *t)
{
	__builtin_memset(&s->p, 0, sizeof(s->p));
	s->p.time = bpf_ktime_get_ns();
	s->p.key.tgid = t->tgid;
	s->p.key.exec = (__u32)t->self_exec_id;
	s->p.key.start = t->group_leader->start_boottime;
	s->p.tid = t->pid;
	s->p.cpu = bpf_get_smp_processor_id();
	s->p.scale = 1;
	__builtin_memcpy(s->p.comm, t->comm, sizeof(s->p.comm));
}

/* The first sample of a program wakes user space, so that the next ones find rules; the others wait to be fetched. False: the ring is
 * full. */
hidden bool profile_send(struct cpu *c, struct profile_scratch *s)
{
	__u64 size = sizeof(s->p) + ((__u64)s->p.kernel + s->p.user + s->p.python) * 8,
	      flags = BPF_RB_NO_WAKEUP;

	if (s->p.copied) {
		size = sizeof(s->p) + WIRE_KERNEL_FRAMES * 8 + (__u64)s->p.copied;
		flags = BPF_RB_FORCE_WAKEUP;
	}
	if (size > sizeof(*s))
		size = sizeof(*s);
	if (!bpf_ringbuf_output(&profile_ring, s, size, flags))
		return true;
	count_loss(c, LOSS_PROFILE_RING, 0);
	return false;
}

#endif
