/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Distributions that a context switch ends: waits for a CPU, slices, time off the CPU. They are branches of the one program at
 * sched_switch; the verifier removes those that are not wanted.
 *
 * Where nothing but a distribution is wanted, the account of parts is not kept:
 *
 *   slices             no state of a thread: one slice ends where the CPU's next begins
 *   waits for a CPU    one look-up, of the thread that comes; what leaves is not looked at
 *   all else           a look-up at each end, since why it left decides */
#ifndef SIXTY_BPF_HIST_SCHED_H
#define SIXTY_BPF_HIST_SCHED_H

#include "bpf/hist.bpf.h"
#include "bpf/ladder.bpf.h"
#include "bpf/off.bpf.h"

#define HIST_BIT(k)  (1u << (k))
#define HISTS_CAUSED (HIST_BIT(HIST_OFFCPU) | HIST_BIT(HIST_LOCK) | HIST_BIT(HIST_MAJFAULT))
#define HISTS_LEAVE  (HISTS_CAUSED | HIST_BIT(HIST_WAKEUP))
#define HISTS_COME   (HISTS_LEAVE | HIST_BIT(HIST_RUNQLAT))

/* Whoever was waiting already when we came has waited for longer than we have looked. */
hidden __u64 hist_whole_wait(struct task_struct *t, const struct task_time *tt, __u64 clock,
			     const struct split *s)
{
	__u64 wait = s->wait - s->throttled, queued = t->sched_info.last_queued;

	if (tt->since != tt->born || tt->newborn || s->throttled || !queued)
		return wait;
	return (__s64)(clock - queued - wait) > 0 ? clock - queued : wait;
}

/* Before the account is moved on. */
hidden void hist_waited(struct task_struct *t, const struct task_time *tt, __u64 clock,
			const struct split *s)
{
	__u32 block;

	if (!hist_on(HIST_RUNQLAT) || !hist_wants(t))
		return;
	block = hist_block_of(HIST_RUNQLAT, t);
	hist_put(block + RUNQLAT_WAIT, hist_whole_wait(t, tt, clock, s));
	if (s->throttled)
		hist_put(block + RUNQLAT_THROTTLED, s->throttled);
}

hidden void hist_slice(struct cpu *c, struct task_struct *prev, struct task_struct *next, __u64 now)
{
	__u64 since = c->slice_last;
	bool same = c->here == (__u32)prev->pid;

	c->slice_last = now;
	c->here = next->pid;
	if (!prev->pid || !since)
		return;
	if (!same || (__s64)(now - since) < 0) {
		count_loss(c, same ? LOSS_CLOCK : LOSS_MISSED, 0);
		return;
	}
	if (hist_wants(prev))
		hist_put(hist_block_of(HIST_CPUDIST, prev), now - since);
}

hidden void hist_leave(struct cpu *c, struct task_struct *prev, __u32 state, __u64 now)
{
	struct task_time *tt = bpf_task_storage_get(&sched_tasks, prev, 0, 0);
	struct cfs_rq *cfs;

	if (!tt) {
		count_loss(c, LOSS_UNSEEN, 0);
		return;
	}
	tt->since = now;
	if (state & TASK_DEAD)
		return;
	cfs = prev->se.cfs_rq;
	tt->cfs_rq = (__u64)cfs;
	tt->throttled = cfs ? throttle_clock(cfs) : 0;
	tt->run_delay = prev->sched_info.run_delay;
	tt->iowait = BPF_CORE_READ_BITFIELD(prev, in_iowait);
	if (!state)
		tt->part = PART_RUNNABLE;
	else
		tt->part = config.hist.kinds & HISTS_CAUSED ? part_of(prev, tt, state) : PART_SLEEP;
}

hidden void hist_blocked(struct task_struct *t, __u32 part, bool iowait, __u64 ns)
{
	if (part == PART_RESIDUAL)
		return; /* was not on a CPU yet */
	if (hist_on(HIST_OFFCPU)) {
		__u32 rest = config.hist.first[HIST_OFFCPU];

		hist_put(hist_by(HIST_OFFCPU, HIST_BY_CAUSE) ? hist_block(rest, part, 0)
							     : hist_block_of(HIST_OFFCPU, t),
			 ns);
	}
	if (hist_on(HIST_MAJFAULT) && part == PART_FAULT)
		hist_put(hist_block_of(HIST_MAJFAULT, t) + (iowait ? FAULT_DISK : FAULT_OTHER), ns);
	if (hist_on(HIST_LOCK) && (part == PART_MUTEX || part == PART_FLOCK))
		hist_put(hist_block_of(HIST_LOCK, t) +
				 (part == PART_MUTEX ? LOCK_FUTEX : LOCK_FLOCK),
			 ns);
}

/* run_delay as it will be when the scheduler has taken the wait into it that ends here: what is more at the next switch to t is
 * the next wait. */
hidden void hist_mark(struct task_struct *t, struct task_time *tt, __u64 now)
{
	struct cfs_rq *cfs = t->se.cfs_rq;
	__u64 queued = t->sched_info.last_queued;
	__s64 rest = 0;

	if (queued && cfs)
		rest = cfs->rq->clock - queued;
	tt->run_delay = t->sched_info.run_delay + (rest > 0 ? rest : 0);
	tt->cfs_rq = (__u64)cfs;
	tt->throttled = cfs ? throttle_clock(cfs) : 0;
	tt->part = PART_RUN;
	tt->since = now;
}

hidden void hist_come(struct cpu *c, struct task_struct *next, bool from_idle, __u64 now)
{
	struct task_time *tt = bpf_task_storage_get(&sched_tasks, next, 0, 0);
	struct cfs_rq *cfs;
	struct split s;
	__u64 off, clock;
	__u32 part;
	bool missed;

	if (!tt) {
		count_loss(c, LOSS_UNSEEN, 0);
		return;
	}
	part = tt->part;
	off = now - tt->since;
	missed = (__s64)off < 0 || ((config.hist.kinds & HISTS_LEAVE) && part == PART_RUN);
	cfs = next->se.cfs_rq;
	clock = queue_clock(c, cfs, now, from_idle);
	split_off(c, next, cfs, tt, off, clock, &s);
	if (!missed)
		hist_waited(next, tt, clock, &s);
	hist_mark(next, tt, now);
	if (missed) {
		count_loss(c, LOSS_MISSED, 0);
		return;
	}
	if (!(config.hist.kinds & HISTS_LEAVE) || part == PART_RUNNABLE || !hist_wants(next))
		return;
	if (hist_on(HIST_WAKEUP))
		hist_put(hist_block_of(HIST_WAKEUP, next), s.wait - s.throttled);
	hist_blocked(next, part, tt->iowait, off - s.wait);
}

/* ---- locks of the kernel ---- */

/* A mutex is spun for first, and said to be contended again when that has failed: the first time counts. Spin locks are waited
 * for inside of that, and in interrupts: they are the CPU's. */
hidden void hist_contention(__u64 lock, __u32 flags)
{
	__u64 now = bpf_ktime_get_ns();
	struct task_time *tt;
	struct cpu *c = this_cpu();

	if (!c)
		return;
	if ((flags & LCB_F_SPIN) && !(flags & LCB_F_MUTEX)) {
		if (c->spin)
			count_loss(c, LOSS_HIST_STARTS, 0); /* of another one, by an interrupt */
		c->spin = lock;
		c->spin_since = now;
		return;
	}
	tt = bpf_task_storage_get(&sched_tasks, bpf_get_current_task_btf(), 0, 0);
	if (!tt) {
		count_loss(c, LOSS_UNSEEN, 0);
		return;
	}
	if (tt->lock != lock)
		tt->lock_since = now;
	tt->lock = lock;
}

hidden void hist_contended(__u64 lock)
{
	struct task_struct *t = bpf_get_current_task_btf();
	__u64 now = bpf_ktime_get_ns(), since;
	__u32 measure = LOCK_SPINNING;
	struct task_time *tt;
	struct cpu *c = this_cpu();

	if (!c)
		return;
	if (c->spin == lock) {
		since = c->spin_since;
		c->spin = 0;
	} else {
		tt = bpf_task_storage_get(&sched_tasks, t, 0, 0);
		if (!tt || tt->lock != lock)
			return; /* its beginning was not seen */
		since = tt->lock_since;
		tt->lock = 0;
		measure = LOCK_SLEEPING;
	}
	if (hist_wants(t))
		hist_put(hist_block_of(HIST_LOCK, t) + measure, now - since);
}

/* A switch, where the time of threads is not accounted for. */
hidden void hist_switch(struct cpu *c, struct task_struct *prev, struct task_struct *next,
			__u32 state, __u64 now)
{
	if (hist_on(HIST_CPUDIST))
		hist_slice(c, prev, next, now);
	if ((config.hist.kinds & HISTS_LEAVE) && prev->pid)
		hist_leave(c, prev, state, now);
	if (!(config.hist.kinds & HISTS_COME))
		return;
	if (next->pid)
		hist_come(c, next, !prev->pid, now);
	else
		queue_clock(c, prev->se.cfs_rq, now, false);
}

#endif
