/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What runs, some tens of times a second on every CPU: in the kernel or in the program, in which stack, and whether it only
 * spins. Counted in the kernel; nothing is sent for a sample. */
#include "bpf/common.bpf.h"

/* Kernel stacks and user stacks (by frame pointers) of samples, by process. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WIRE_STACKS);
	__type(key, struct wire_sample_key);
	__type(value, struct wire_sample);
} samples_stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WIRE_SAMPLED);
	__type(key, __u32);
	__type(value, struct wire_sampled);
} samples_tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_sample);
} samples_scratch SEC(".maps");

#define CODE 64 /* bytes around the instruction that are looked at */

/* Does the code around the instruction pause? Whoever spins on purpose says so: pause on x86, yield, wfe or isb on arm64. */
hidden bool is_pausing(__u64 ip)
{
	__u8 code[CODE] = {};

	if (bpf_probe_read_user(code, sizeof(code), (void *)(ip - CODE / 2)))
		return false;
#if defined(__TARGET_ARCH_x86)
	for (int i = 0; i < CODE - 1; i++)
		if (code[i] == 0xf3 && code[i + 1] == 0x90)
			return true;
#elif defined(__TARGET_ARCH_arm64)
	for (int i = 0; i < CODE; i += 4) {
		__u32 insn = code[i] | code[i + 1] << 8 | code[i + 2] << 16 |
			     (__u32)code[i + 3] << 24;

		if (insn == 0xd503203f || insn == 0xd503205f || insn == 0xd5033fdf)
			return true;
	}
#endif
	return false;
}

hidden __u64 user_ip(struct bpf_perf_event_data *ctx)
{
#if defined(__TARGET_ARCH_x86)
	return ctx->regs.ip;
#elif defined(__TARGET_ARCH_arm64)
	return ctx->regs.pc;
#endif
}

hidden void keep_sample(struct cpu *c, __u32 tgid, bool user, struct wire_sample *s)
{
	struct wire_sample_key key = { .tgid = tgid, .user = user, .hash = 0xcbf29ce484222325ull };
	struct wire_sample *have;

	for (int i = 0; i < WIRE_SAMPLE_FRAMES; i++)
		key.hash = (key.hash ^ s->ip[i]) * 0x9e3779b97f4a7c15ull;
	have = bpf_map_lookup_elem(&samples_stacks, &key);
	if (have) {
		__sync_fetch_and_add(&have->count, 1);
		return;
	}
	s->count = 1;
	if (bpf_map_update_elem(&samples_stacks, &key, s, BPF_NOEXIST))
		count_loss(c, LOSS_SAMPLES_FULL, 0);
}

hidden struct wire_sampled *sampled_task(__u32 tgid)
{
	struct wire_sampled *t = bpf_map_lookup_elem(&samples_tasks, &tgid), first = {};

	if (!t) {
		bpf_map_update_elem(&samples_tasks, &tgid, &first, BPF_NOEXIST);
		t = bpf_map_lookup_elem(&samples_tasks, &tgid);
	}
	return t;
}

SEC("perf_event")
int samples_tick(struct bpf_perf_event_data *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct cpu *c = this_cpu();
	__u32 zero = 0, tgid;
	struct wire_sample *s = bpf_map_lookup_elem(&samples_scratch, &zero);
	struct wire_sampled *t;
	long kernel;

	if (!c || !s)
		return 0;
	c->counts.events[PROG_SAMPLE]++;
	if (!task->pid)
		return 0; /* idle */
	tgid = or_outside(tgid_of(task));
	t = sampled_task(tgid);
	if (!t) {
		count_loss(c, LOSS_SAMPLES_FULL, 0);
		return 0;
	}
	__builtin_memset(s, 0, sizeof(*s));
	kernel = bpf_get_stack(ctx, s->ip, sizeof(s->ip), 0);
	if (kernel > 0) {
		__sync_fetch_and_add(&t->kernel, 1);
		keep_sample(c, tgid, 0, s);
		return 0;
	}
	__sync_fetch_and_add(&t->user, 1);
	if (is_pausing(user_ip(ctx)))
		__sync_fetch_and_add(&t->spinning, 1);
	if (bpf_get_stack(ctx, s->ip, sizeof(s->ip), BPF_F_USER_STACK) > 0)
		keep_sample(c, tgid, 1, s);
	return 0;
}
