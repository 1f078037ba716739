/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Events of processes: exec, exit, signals, the OOM killer. */
#include "bpf/trace.bpf.h"

hidden void copy_args(struct task_struct *t, struct wire_exec *r)
{
	struct mm_struct *mm = t->mm;
	__u64 size;

	r->args_size = r->args_cut = 0;
	if (!mm)
		return;
	size = mm->arg_end - mm->arg_start;
	if (size > WIRE_ARGS) {
		size = WIRE_ARGS;
		r->args_cut = 1;
	}
	/* written a moment ago by this very exec: in memory, unless it has been reclaimed since */
	if (size &&
	    !bpf_probe_read_user(r->args, size & (2 * WIRE_ARGS - 1), (void *)mm->arg_start))
		r->args_size = size;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(trace_exec, struct task_struct *t, int old_pid, struct linux_binprm *bprm)
{
	struct wire_exec *r;
	long n;

	trace_count(TRACE_EXEC);
	if (!trace_wants(tgid_of(t)))
		return 0;
	r = bpf_ringbuf_reserve(&trace_ring, sizeof(*r), 0);
	if (!r) {
		trace_lose(TRACE_EXEC);
		return 0;
	}
	trace_head(&r->e, TRACE_EXEC, t);
	n = bpf_probe_read_kernel_str(r->path, sizeof(r->path), bprm->filename);
	r->path_size = n > 0 ? n : 0;
	r->spare = 0;
	copy_args(t, r);
	TRACE_PUT(r);
	return 0;
}

#define THREADS_LOOKED_AT 64

/* What all threads have used: the dead ones in a sum, those that are not buried yet in the list. */
hidden __u64 cpu_time(struct signal_struct *sig, __u32 *missed)
{
	__u64 head = (__u64)sig + bpf_core_field_offset(struct signal_struct, thread_head);
	__u64 at = (__u64)sig->thread_head.next, ns = sig->sum_sched_runtime;
	int i;

	for (i = 0; i < THREADS_LOOKED_AT && at && at != head; i++) {
		struct task_struct *t =
			(void *)(at - bpf_core_field_offset(struct task_struct, thread_node));

		ns += BPF_CORE_READ(t, se.sum_exec_runtime);
		at = (__u64)BPF_CORE_READ(t, thread_node.next);
	}
	*missed = at && at != head;
	return ns;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(trace_exit, struct task_struct *t)
{
	struct signal_struct *sig = t->signal;
	struct task_struct *leader = t->group_leader;
	struct wire_exit *r;
	bool last;

	trace_count(TRACE_EXIT);
	/* Before the kernel told, two threads that ended together could both find that none was left. */
	if (config.trace_group_dead)
		last = ctx[1] & 1;
	else
		last = !sig->live.counter;
	if (!last || !trace_wants(tgid_of(t)) || !TRACE_NEW(r, TRACE_EXIT, t))
		return 0;
	r->e.tid = leader->pid;
	__builtin_memcpy(r->e.comm, leader->comm, sizeof(r->e.comm));
	r->status = sig->flags & SIGNAL_GROUP_EXIT ? sig->group_exit_code : leader->exit_code;
	r->ran_ns = bpf_ktime_get_boot_ns() - leader->start_boottime;
	r->cpu_ns = cpu_time(sig, &r->threads_missed);
	r->peak_pages = sig->maxrss;
	TRACE_PUT(r);
	return 0;
}

/* Two values of the pointer mean: from the kernel, without more information. */
hidden bool is_info(struct kernel_siginfo *info)
{
	return (__u64)info > 1;
}

SEC("tp_btf/signal_generate")
int trace_signal(__u64 *ctx)
{
	struct kernel_siginfo *info = (void *)trace_argument(ctx, 1);
	struct task_struct *from = bpf_get_current_task_btf();
	struct task_struct *to = (void *)ctx[2];
	__u32 to_pid = read_tgid_of(to);
	struct wire_signal *r;

	trace_count(TRACE_SIGNAL);
	if (!trace_wants(tgid_of(from)) && !trace_wants(to_pid))
		return 0;
	if (!TRACE_NEW(r, TRACE_SIGNAL, from))
		return 0;
	r->number = (int)ctx[0];
	/* SI_USER or SI_KERNEL, which is what these stand for */
	r->code = is_info(info) ? BPF_CORE_READ(info, si_code) : info ? 0x80 : 0;
	r->result = (int)ctx[4];
	r->other_pid = to_pid;
	r->other_tid = read_tid_of(to);
	BPF_CORE_READ_INTO(&r->other_comm, to, comm);
	TRACE_PUT(r);
	return 0;
}

hidden __u32 handler_of(struct k_sigaction *ka)
{
	__u64 h = (__u64)BPF_CORE_READ(ka, sa.sa_handler);

	return h < 2 ? h : 2; /* SIG_DFL, SIG_IGN */
}

SEC("tp_btf/signal_deliver")
int trace_signal_deliver(__u64 *ctx)
{
	struct kernel_siginfo *info = (void *)trace_argument(ctx, 1);
	struct task_struct *t = bpf_get_current_task_btf();
	struct wire_signal *r;
	int code = is_info(info) ? BPF_CORE_READ(info, si_code) : info ? 0x80 : 0;

	trace_count(TRACE_SIGNAL);
	if (!trace_wants(tgid_of(t)) || !TRACE_NEW(r, TRACE_SIGNAL, t))
		return 0;
	r->delivered = 1;
	r->number = (int)ctx[0];
	r->code = code;
	r->handler = handler_of((void *)ctx[2]);
	/* Only these have a sender: in others the field holds something else. SI_USER, SI_QUEUE, SI_TKILL. */
	if (is_info(info) && (code == 0 || code == -1 || code == -6))
		r->other_pid = r->other_tid = BPF_CORE_READ(info, _sifields._kill._pid);
	TRACE_PUT(r);
	return 0;
}

SEC("tp_btf/mark_victim")
int trace_oom(__u64 *ctx)
{
	struct task_struct *by = bpf_get_current_task_btf();
	struct wire_oom *r;

	trace_count(TRACE_OOM);
	r = bpf_ringbuf_reserve(&trace_ring, sizeof(*r), 0);
	if (!r) {
		trace_lose(TRACE_OOM);
		return 0;
	}
	__builtin_memset(r, 0, sizeof(*r));
	if (config.trace_victim_task) {
		struct task_struct *t = (void *)ctx[0];

		trace_head(&r->e, TRACE_OOM, t);
		r->score_adj = t->signal->oom_score_adj;
	} else {
		trace_head(&r->e, TRACE_OOM, 0);
		r->e.pid = r->e.tid = (__u32)ctx[0];
	}
	if (config.trace_pid && r->e.pid != config.trace_pid) {
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		return 0;
	}
	r->by_pid = tgid_of(by);
	__builtin_memcpy(r->by_comm, by->comm, sizeof(r->by_comm));
	TRACE_PUT(r);
	return 0;
}

SEC("tp_btf/module_load")
int BPF_PROG(trace_module, struct module *mod)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct wire_module *r;

	trace_count(TRACE_MODULE);
	if (!trace_wants(tgid_of(t)) || !TRACE_NEW(r, TRACE_MODULE, t))
		return 0;
	bpf_probe_read_kernel_str(r->name, sizeof(mod->name), &mod->name);
	TRACE_PUT(r);
	return 0;
}
