/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Attached only while threads wait for locks: see wake.bpf.h. */
#include "bpf/task.bpf.h"
#include "bpf/wake.bpf.h"

/* Runs in the waker, when p is about to be made runnable. */
SEC("tp_btf/sched_waking")
int BPF_PROG(wake_chain, struct task_struct *p)
{
	struct task_time *tt = bpf_task_storage_get(&sched_tasks, p, 0, 0), *waker;
	struct task_struct *current;

	count_event(PROG_WAKE);
	if (!tt || !is_lock(tt->part))
		return 0;
	current = bpf_get_current_task_btf();
	waker = current->pid ? bpf_task_storage_get(&sched_tasks, current, 0, 0) : 0;
	if (!waker) {
		tt->heir = ROOT_UNKNOWN;
		return 0;
	}
	tt->heir = hand_on(waker, tt->since, bpf_ktime_get_ns());
	return 0;
}
