/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Profiles: whole stacks of what runs, so many times a second on every CPU, or where something happens, through one ring buffer. */
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

hidden bool profile_wants(struct task_struct *t)
{
	__u32 tgid = t->tgid;

	if (config.profile.chosen && !bpf_map_lookup_elem(&profile_chosen, &tgid))
		return false;
	return !config.hist.group || hist_in_group(t);
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

#include "bpf/python.bpf.h"

/* The first sample of a program wakes user space, so that the next ones find rules; the others wait to be fetched. */
hidden void profile_send(struct cpu *c, struct profile_scratch *s)
{
	__u64 size = sizeof(s->p) + ((__u64)s->p.kernel + s->p.user + s->p.python) * 8,
	      flags = BPF_RB_NO_WAKEUP;

	if (s->p.copied) {
		size = sizeof(s->p) + WIRE_KERNEL_FRAMES * 8 + (__u64)s->p.copied;
		flags = BPF_RB_FORCE_WAKEUP;
	}
	if (size > sizeof(*s))
		size = sizeof(*s);
	if (bpf_ringbuf_output(&profile_ring, s, size, flags))
		count_loss(c, LOSS_PROFILE_RING, 0);
}

hidden void profile_take(void *ctx, struct task_struct *t, struct cpu *c, struct profile_scratch *s,
			 __u64 weight)
{
	long n;

	profile_head(s, t);
	s->p.weight = weight;
	if (!config.profile.no_kernel) {
		n = bpf_get_stack(ctx, s->ip, WIRE_KERNEL_FRAMES * 8, 0);
		s->p.kernel = n > 0 ? (__u64)n >> 3 : 0;
	}
	walk_user(t, s);
	if (!s->p.copied)
		python_frames(t, s);
	profile_send(c, s);
}

/* A timer, or another event that the kernel samples: then it says how many a sample stands for. */
SEC("perf_event")
int profile_tick(struct bpf_perf_event_data *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct profile_scratch *s;
	struct cpu *c = this_cpu();
	__u32 zero = 0;

	if (!c || (!t->pid && !config.profile.event) || !profile_wants(t)) /* pid 0: idle */
		return 0;
	c->counts.events[PROG_PROFILE]++;
	s = bpf_map_lookup_elem(&profile_scratch, &zero);
	if (s)
		profile_take(ctx, t, c, s, config.profile.event ? ctx->sample_period : 0);
	return 0;
}

/* A tracepoint: the kernel does not sample these for programs. */
SEC("tracepoint")
int profile_event(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct profile_scratch *s;
	struct cpu *c = this_cpu();
	__u32 zero = 0;

	if (!c)
		return 0;
	c->counts.events[PROG_PROFILE_EVENT]++;
	if (!profile_wants(t))
		return 0;
	s = bpf_map_lookup_elem(&profile_scratch, &zero);
	if (!s || ++s->passed < config.profile.period)
		return 0;
	s->passed = 0;
	profile_take(ctx, t, c, s, config.profile.period);
	return 0;
}

/* Children of those that are wanted are wanted. */
SEC("tp_btf/task_newtask")
int BPF_PROG(profile_fork, struct task_struct *t)
{
	__u32 parent = bpf_get_current_pid_tgid() >> 32, child = t->tgid, one = 1;

	count_event(PROG_PROFILE_FORK);
	if (child != parent && bpf_map_lookup_elem(&profile_chosen, &parent) &&
	    bpf_map_update_elem(&profile_chosen, &child, &one, BPF_ANY))
		hist_lose(LOSS_PROFILE_FORK);
	return 0;
}
