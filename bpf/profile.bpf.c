/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Profiles: whole stacks of what runs, so many times a second on every CPU, or where something happens, through one ring buffer. */
#include "bpf/profile.bpf.h"
#include "bpf/python.bpf.h"
#include "bpf/waits.bpf.h"

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
	walk_user(t, s, SLOT_TICK, true);
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
	__u32 slot = SLOT_TICK;

	if (!c || (!t->pid && !config.profile.event) || !profile_wants(t)) /* pid 0: idle */
		return 0;
	c->counts.events[PROG_PROFILE]++;
	s = bpf_map_lookup_elem(&profile_scratch, &slot);
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
	__u32 slot = SLOT_TICK;

	if (!c)
		return 0;
	c->counts.events[PROG_PROFILE_EVENT]++;
	if (!profile_wants(t))
		return 0;
	s = bpf_map_lookup_elem(&profile_scratch, &slot);
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
	if (config.profile.waits)
		wait_born(t);
	return 0;
}
