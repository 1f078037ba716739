/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Lengths of run queues, some tens of times a second on every CPU. */
#include "bpf/hist.bpf.h"

/* Since 152e11f6df29 (6.12) a thread that sleeps may stay in the queue for a while, and is counted there. */
hidden __u32 asleep_in_queue(struct rq *rq)
{
	if (bpf_core_field_exists(rq->cfs.h_nr_runnable)) /* c2a295bffeaf (6.14) */
		return rq->cfs.h_nr_queued - rq->cfs.h_nr_runnable;
	if (bpf_core_field_exists(((struct rq___delayed *)0)->cfs.h_nr_delayed))
		return BPF_CORE_READ((struct rq___delayed *)rq, cfs.h_nr_delayed);
	return 0;
}

SEC("perf_event")
int hist_tick(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct cfs_rq *cfs = t->se.cfs_rq;
	struct rq *rq = cfs ? cfs->rq : 0;
	__u32 n, asleep;

	count_event(PROG_HIST_TICK);
	if (!rq)
		return 0;
	n = rq->nr_running;
	asleep = asleep_in_queue(rq);
	hist_put(config.hist.first[HIST_RUNQLEN], asleep < n ? n - asleep : 0);
	return 0;
}
