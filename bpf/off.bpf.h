/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Time off the CPU: how much of it was waiting for one, and how much of that for the group's quota. */
#ifndef SIXTY_BPF_OFF_H
#define SIXTY_BPF_OFF_H

#include "bpf/task.bpf.h"

#define CLOCK_KEPT_NS 8000000u

/* How long its group has been throttled, by the clock of its cfs_rq. Before 6.6 there is only the clock that load tracking
 * uses, which leaves out the time in which nothing was queued. */
hidden __u64 throttle_clock(struct cfs_rq *cfs)
{
	if (bpf_core_field_exists(cfs->throttled_clock_self_time))
		return cfs->throttled_clock_self_time;
	if (bpf_core_field_exists(((struct cfs_rq___pelt *)0)->throttled_clock_pelt_time))
		return BPF_CORE_READ((struct cfs_rq___pelt *)cfs, throttled_clock_pelt_time);
	return 0;
}

/* What others than threads have taken of this CPU so far: only differences mean anything. The two clocks of the run queue
 * drift apart by steal time, and by interrupt time where the kernel accounts for it; where it does not, our own
 * programs measure it. */
hidden __u64 taken(struct cfs_rq *cfs, struct cpu *c)
{
	struct rq *rq = cfs ? cfs->rq : 0;
	__u64 drift = rq ? rq->clock - rq->clock_task : 0;

	if (bpf_core_field_exists(((struct rq *)0)->prev_irq_time))
		return drift;
	return drift + c->irq_total;
}

/* The run queue's clock as it would be now, were it read now.
 *
 * The scheduler reads it before it chooses, unless a wake-up has just asked for this very choice: then the time of the
 * wake-up stands for both. From there to here it takes a microsecond, or as long as an idle CPU needs to wake up, or as
 * one without preemption stays in the kernel. All of that the thread has waited; sched_info says that it has run.
 * So the distance of the two clocks is kept where it is smallest; it drifts, and is found again when a thread leaves. */
hidden __u64 queue_clock(struct cpu *c, const struct cfs_rq *cfs, __u64 now, bool from_idle)
{
	__u64 off;

	if (!cfs)
		return 0;
	off = now - cfs->rq->clock;
	if ((__s64)(off - c->clock_off) < 0 || (!from_idle && now - c->clock_at > CLOCK_KEPT_NS)) {
		c->clock_off = off;
		c->clock_at = now;
	}
	return now - c->clock_off;
}

struct split {
	__u64 wait;      /* for a CPU, or for quota */
	__u64 throttled; /* part of it */
	__u64 elsewhere; /* part of it: queued on other CPUs before it was sent here */
};

/* A pointer is no number to the verifier before it has been in a map. */
hidden __u64 cfs_number(struct cpu *c, struct cfs_rq *cfs)
{
	*(volatile __u64 *)&c->number = (__u64)cfs;
	return *(volatile __u64 *)&c->number;
}

hidden struct throttled *throttled_of(struct cpu *c, __u64 cfs_rq)
{
	return &c->throttled[cfs_rq >> 9 & 7];
}

/* A thread leaves this CPU, whose queue has this throttle clock. */
hidden void note_throttle(struct cpu *c, struct cfs_rq *cfs, __u64 clock)
{
	__u64 number = cfs_number(c, cfs);
	struct throttled *t = throttled_of(c, number);

	t->cfs_rq = number;
	t->clock = clock;
}

/* Time off the CPU, and what the kernel's types say of it. */
struct away {
	__u64 off;    /* ns since it left */
	__u64 clock;  /* its queue's, now; 0: it is in no queue */
	__u64 moved;  /* what run_delay has grown by: waits that ended in a migration */
	__u64 queued; /* last_queued: the distance to the clock is the wait that still goes on */
	__u64 cfs_rq, throttle; /* its queue, and how long that one's group has been throttled */
	struct split split;     /* what comes of it */
};

/* By how much the throttle clock of its queue has gone on since it left that one. Who was sent to another CPU did not leave
 * that one's queue, but others of its group have, before they were throttled. */
hidden __u64 throttled_since(struct cpu *c, const struct task_time *tt, const struct away *a)
{
	struct throttled *t;

	if (tt->cfs_rq == a->cfs_rq)
		return a->throttle - tt->throttled;
	if (!c)
		return 0;
	t = throttled_of(c, a->cfs_rq);
	return t->cfs_rq == a->cfs_rq ? a->throttle - t->clock : 0;
}

/* Not static: the verifier looks at it once, and not on each way that leads to it. c: the CPU that the thread comes onto;
 * NULL: none. */
__noinline int off_split(struct cpu *c, const struct task_time *tt, struct away *a)
{
	__u64 w, th = 0, moved;

	if (!tt || !a)
		return 0;
	w = moved = a->moved;
	if (a->queued && (__s64)(a->clock - a->queued) > 0)
		w += a->clock - a->queued;
	if (w > a->off || tt->part == PART_RUNNABLE)
		w = a->off;
	if (moved > w)
		moved = w;
	if (w && a->cfs_rq) {
		th = throttled_since(c, tt, a);
		if (th > w - moved)
			th = w - moved;
	}
	a->split.wait = w;
	a->split.throttled = th;
	a->split.elsewhere = moved;
	return 0;
}

hidden void split_off(struct cpu *c, struct task_struct *t, struct cfs_rq *cfs,
		      const struct task_time *tt, __u64 off, __u64 clock, struct split *s)
{
	struct away a = {
		.off = off,
		.clock = clock,
		.moved = t->sched_info.run_delay - tt->run_delay,
		.queued = t->sched_info.last_queued,
		.cfs_rq = (__u64)cfs,
		.throttle = cfs ? throttle_clock(cfs) : 0,
	};

	off_split(c, tt, &a);
	*s = a.split;
}

#endif
