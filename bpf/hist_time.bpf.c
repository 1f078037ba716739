/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How late the kernel does what was to be done by itself: timers and work queues, by the function that they call. */
#include "bpf/hist.bpf.h"

hidden __u32 function_block(enum wire_hist_kind k, __u64 function)
{
	if (hist_by(k, HIST_BY_FUNCTION))
		return hist_block(config.hist.first[k], function & WIRE_HIST_FUNCTION, 0);
	return config.hist.first[k];
}

/* ---- timers ---- */

/* now: as the timer's own clock has it. The slack that a timer allows counts as late: its sleeper waits for it all the same. */
SEC("tp_btf/hrtimer_expire_entry")
int BPF_PROG(hist_timer, struct hrtimer *timer, __s64 *now)
{
	__s64 at = 0, late;

	count_event(PROG_HIST_TIMER);
	if (bpf_probe_read_kernel(&at, sizeof(at), now))
		return 0;
	late = at - timer->_softexpires;
	hist_put(function_block(HIST_TIMER, (__u64)timer->function), late > 0 ? late : 0);
	return 0;
}

/* ---- work queues ---- */

struct hist_work {
	__u64 since;
	__u64 block;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WIRE_HIST_REQUESTS);
	__type(key, __u64); /* work, until it begins; then the thread that does it */
	__type(value, struct hist_work);
} hist_works SEC(".maps");

hidden void note_work(__u64 key, __u64 since, __u32 block)
{
	struct hist_work w = { .since = since, .block = block };

	if (bpf_map_update_elem(&hist_works, &key, &w, BPF_ANY))
		hist_lose(LOSS_HIST_STARTS);
}

/* In a queue, or set aside until others of its queue have ended. */
SEC("tp_btf/workqueue_queue_work")
int BPF_PROG(hist_work_queue, int cpu, void *pool, struct work_struct *work)
{
	count_event(PROG_HIST_WORK);
	note_work((__u64)work, bpf_ktime_get_ns(), 0);
	return 0;
}

SEC("tp_btf/workqueue_execute_start")
int BPF_PROG(hist_work_start, struct work_struct *work)
{
	__u32 block = function_block(HIST_WORKQUEUE, (__u64)work->func);
	__u64 key = (__u64)work, now = bpf_ktime_get_ns();
	struct hist_work *w = bpf_map_lookup_elem(&hist_works, &key);

	if (w) { /* otherwise it was queued before we came */
		hist_put(block + WORK_DELAY, now - w->since);
		bpf_map_delete_elem(&hist_works, &key);
	}
	note_work((__u64)bpf_get_current_task_btf(), now, block);
	return 0;
}

SEC("tp_btf/workqueue_execute_end")
int hist_work_end(void *ctx)
{
	__u64 key = (__u64)bpf_get_current_task_btf();
	struct hist_work *w = bpf_map_lookup_elem(&hist_works, &key);

	if (!w)
		return 0;
	hist_put(w->block + WORK_RUN, bpf_ktime_get_ns() - w->since);
	bpf_map_delete_elem(&hist_works, &key);
	return 0;
}
