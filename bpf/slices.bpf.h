/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who ran while somebody waited: each CPU remembers its last slices, and a wait that has ended is charged to those that
 * overlap it.
 *
 *   slices of this CPU   |--- A ---|-- B --|------ A ------|
 *   the wait of V             |<------------------------->|
 *   charged                    A: 5      B: 8    A: 12
 *
 * What the ring no longer has, and what was waited on another CPU, are rows of their own: rows add up to the waits. */
#ifndef SIXTY_BPF_SLICES_H
#define SIXTY_BPF_SLICES_H

#include "bpf/numbers.bpf.h"
#include "bpf/off.bpf.h"
#include "bpf/queue.bpf.h"
#include "bpf/trace_runq.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WIRE_PAIRS);
	__type(key, struct wire_pair_key);
	__type(value, struct wire_pair);
} sched_pairs SEC(".maps");

hidden void slice_push(struct cpu *c, __u32 tgid, bool rt, __u64 now, __u64 irq, __u64 steal)
{
	struct slice *s = &c->slices[c->slice_head & (WIRE_SLICES - 1)];

	s->start = c->slice_last ? c->slice_last : now;
	s->end = now;
	s->tgid = tgid;
	s->rt = rt;
	s->irq = irq;
	s->steal = steal;
	c->slice_last = now;
	c->slice_head++;
}

hidden bool is_rt(struct task_struct *t)
{
	return t->policy != 0 && t->policy != 3 && t->policy != 5; /* SCHED_OTHER, BATCH, IDLE */
}

/* One that dies has no number any more: it had one when it came. */
hidden __u32 slice_owner(struct cpu *c, struct task_struct *prev)
{
	if (!prev->pid)
		return 0;
	if (config.nested && c->here == (__u32)prev->pid)
		return c->here_tgid;
	return or_outside(tgid_of(prev));
}

/* What others than threads took since the last slice ended. */
hidden void since_last(struct cpu *c, const struct cfs_rq *cfs, __u64 *irq, __u64 *steal)
{
	struct rq *rq = cfs ? cfs->rq : 0;
	__u64 drift = rq ? rq->clock - rq->clock_task : c->drift_seen;

	*irq = c->irq_total - c->irq_seen;
	*steal = drift - c->drift_seen;
	if (bpf_core_field_exists(((struct rq *)0)->prev_irq_time))
		*steal -= *irq;
	if ((__s64)*steal < 0)
		*steal = 0;
	c->irq_seen = c->irq_total;
	c->drift_seen = drift;
}

/* prev leaves at `now` after it ran for `ran`. Where the switch in between was not seen, two slices end here. */
hidden void slice_end(struct cpu *c, struct task_struct *prev, struct task_struct *next,
		      const struct cfs_rq *cfs, __u64 now, __u64 ran)
{
	__u64 irq, steal;

	since_last(c, cfs, &irq, &steal);
	if (c->here != (__u32)prev->pid && c->slice_last && now - ran > c->slice_last)
		slice_push(c, c->here_tgid, c->here_rt, now - ran, 0, 0);
	if (!c->slice_last)
		irq = steal = 0; /* of all the time before */
	slice_push(c, slice_owner(c, prev), prev->pid && is_rt(prev), now, irq, steal);
	note_idle(c, !prev->pid, !next->pid, now);
	c->here = next->pid;
	c->here_tgid = next->pid ? or_outside(tgid_of(next)) : 0;
	c->here_rt = next->pid && is_rt(next);
}

/* Not static: the verifier looks at it once, and not on each way that leads to it. */
__noinline int slices_pair(__u32 victim, __u32 offender, __u32 rt, __u64 ns)
{
	struct wire_pair_key key = { .victim = victim, .offender = offender };
	struct wire_pair *p = bpf_map_lookup_elem(&sched_pairs, &key), first = {};
	struct cpu *c;

	if (!p) {
		bpf_map_update_elem(&sched_pairs, &key, &first, BPF_NOEXIST);
		p = bpf_map_lookup_elem(&sched_pairs, &key);
	}
	if (!p) {
		c = this_cpu();
		if (c)
			count_loss(c, LOSS_PAIRS_FULL, ns);
		return 0;
	}
	__sync_fetch_and_add(&p->ns, ns);
	__sync_fetch_and_add(&p->waits, 1);
	if (rt)
		__sync_fetch_and_add(&p->rt_ns, ns);
	return 0;
}

struct overlap {
	__u64 begin, now, left;
	__u64 weight; /* in 1024ths */
	__u32 victim;
	__u32 spare;
	struct ran ran;
};

hidden __u64 weighed(const struct overlap *o, __u64 ns)
{
	return ns * o->weight >> 10;
}

/* Charge what the i-th slice from the end took of the wait. 1: nothing is left. */
static long charge_slice(__u32 i, struct overlap *o)
{
	struct cpu *c = this_cpu();
	__u64 from, to;
	struct slice *s;

	if (!c || i >= c->slice_head)
		return 1;
	s = &c->slices[(c->slice_head - 1 - i) & (WIRE_SLICES - 1)];
	if (s->end <= o->begin)
		return 1;
	from = s->start > o->begin ? s->start : o->begin;
	to = s->end < o->now ? s->end : o->now;
	if (to <= from)
		return 0;
	to -= from;
	if (to > o->left)
		to = o->left;
	o->left -= to;
	add_ran(&o->ran, s, to);
	slices_pair(o->victim, s->tgid, s->rt, weighed(o, to));
	if (config.trace_runq_ns)
		runq_add(s->tgid, s->rt, to);
	return !o->left;
}

__noinline int slices_charge(struct overlap *wait)
{
	struct overlap o;

	if (!wait)
		return 0;
	o = *wait;
	/* e6f2dd0f8067 (5.17) added bpf_loop(); before it every turn of a loop is verified by itself */
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop)) {
		bpf_loop(WIRE_SLICES, charge_slice, &o, 0);
	} else {
		for (__u32 i = 0; i < 8; i++)
			if (charge_slice(i, &o))
				break;
	}
	*wait = o;
	return 0;
}

/* A wait ends now, on this CPU. What was throttled of it was for quota, which is nobody's slice, and what was waited on
 * other CPUs is not in our ring. */
hidden void charge_wait(struct cpu *c, struct task_struct *victim, struct task_time *tt, __u64 now,
			const struct split *w, bool from_idle)
{
	struct overlap o = { .now = now, .victim = or_outside(tgid_of(victim)), .weight = 1024 };
	__u64 waited = w->wait - w->throttled;

	/* Short waits are added up, and the one that makes the sum large enough stands for all of it: each is chosen as
	 * often as it is long, and their sum is kept. */
	if (w->wait < config.long_wait_ns) {
		if (from_idle && !w->elsewhere)
			tt->queued[QUEUED_WOKEN] += waited;
		c->short_waits += w->wait;
		if (c->short_waits < config.charge_ns)
			return;
		o.weight = (c->short_waits << 10) / w->wait;
		c->short_waits = 0;
	}
	if (w->throttled)
		slices_pair(o.victim, WIRE_QUOTA, 0, weighed(&o, w->throttled));
	if (w->elsewhere)
		slices_pair(o.victim, WIRE_ELSEWHERE, 0, weighed(&o, w->elsewhere));
	if (runq_wanted(w->wait))
		runq_begin();
	o.left = waited - w->elsewhere;
	o.begin = now - o.left;
	slices_charge(&o);
	if (waited) {
		__u32 why = why_queued(c, victim, now, w, &o.ran, o.left + w->elsewhere, from_idle);

		if (why < QUEUED_MAX)
			tt->queued[why] += waited;
	}
	if (o.left)
		slices_pair(o.victim, WIRE_TOO_OLD, 0, weighed(&o, o.left));
	if (runq_wanted(w->wait))
		runq_end(victim, w->wait, w->throttled, o.left + w->elsewhere);
}

#endif
