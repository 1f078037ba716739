/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Syscalls: how long each takes, and how those end that fail. Whoever is not looked at pays for it as well: with a program at
 * its entry and exit every syscall takes the kernel's slow way. */
#include "bpf/hist.bpf.h"

struct hist_call {
	__u64 since; /* 0: none is seen */
	__u32 nr, block;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct hist_call);
} hist_calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, WIRE_HIST_ERRORS);
	__type(key, struct wire_hist_error);
	__type(value, __u64);
} hist_errors SEC(".maps");

/* Numbers of 32-bit programs mean something else: theirs are one row. */
hidden __u32 call_number(struct task_struct *t, long id)
{
#if defined(__TARGET_ARCH_x86)
	if (t->thread_info.status & TS_COMPAT)
		return WIRE_SYSCALLS;
#endif
	return (__u64)id < WIRE_SYSCALLS ? id : WIRE_SYSCALLS;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(hist_call_enter, struct pt_regs *regs, long id)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct hist_call *call;

	count_event(PROG_HIST_CALL);
	if (!hist_wants(t))
		return 0;
	call = bpf_task_storage_get(&hist_calls, t, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!call) {
		hist_lose(LOSS_HIST_STARTS);
		return 0;
	}
	call->nr = call_number(t, id);
	if (hist_by(HIST_SYSCALL, HIST_BY_CALL))
		call->block = hist_block(config.hist.first[HIST_SYSCALL], call->nr, 0);
	else
		call->block = hist_block_of(HIST_SYSCALL, t);
	call->since = bpf_ktime_get_ns();
	return 0;
}

hidden void count_error(__u32 nr, long ret)
{
	struct wire_hist_error e = { .call = nr, .code = -ret };
	__u64 *n = bpf_map_lookup_elem(&hist_errors, &e), one = 1;

	if (n)
		(*n)++;
	else if (bpf_map_update_elem(&hist_errors, &e, &one, BPF_NOEXIST)) {
		/* another CPU was first: its row has one of ours as well */
		n = bpf_map_lookup_elem(&hist_errors, &e);
		if (n)
			(*n)++;
		else
			hist_lose(LOSS_HIST_ERRORS);
	}
}

SEC("tp_btf/sys_exit")
int BPF_PROG(hist_call_exit, struct pt_regs *regs, long ret)
{
	struct hist_call *call =
		bpf_task_storage_get(&hist_calls, bpf_get_current_task_btf(), 0, 0);
	__u64 now = bpf_ktime_get_ns();

	if (!call || !call->since)
		return 0;
	hist_put(call->block, now - call->since);
	call->since = 0;
	/* the kernel's own codes reach to 4095; those above 511 mean that the call is made again */
	if (ret < 0 && ret > -4096)
		count_error(call->nr, ret);
	return 0;
}
