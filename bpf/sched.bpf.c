/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where every thread's time goes: one program at each context switch closes the interval of the thread that leaves the
 * CPU and of the one that comes.
 *
 *        running              off the CPU
 *   |---------------|------------------------------|  next's interval ends here
 *                   |   blocked    |  waiting      |
 *                                  └ sched_info.run_delay + (rq clock − last_queued)
 *
 * The tracepoint comes before the kernel's own bookkeeping (sched_info_switch), so that last_queued of `next` still
 * stands, and its wait is exact to about 1 µs (off.bpf.h). */
#include "bpf/ladder.bpf.h"
#include "bpf/slices.bpf.h"
#include "bpf/dead.bpf.h"
#include "bpf/off.bpf.h"
#include "bpf/wake.bpf.h"
#include "bpf/hist_sched.bpf.h"

/* Frames of those who wait in D state for no reason that a flag tells, by hash: user space knows the names. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct wire_stack);
} sched_stacks SEC(".maps");

hidden __u64 stack_key(const struct wire_stack *s)
{
	__u64 h = 0xcbf29ce484222325ull;

	for (int i = 0; i < WIRE_FRAMES; i++)
		h = (h ^ s->ip[i]) * 0x9e3779b97f4a7c15ull;
	return h ? h : 1;
}

hidden __u64 keep_stack(const struct wire_stack *s, struct cpu *c)
{
	__u64 key = stack_key(s);

	if (bpf_map_lookup_elem(&sched_stacks, &key))
		return key;
	if (bpf_map_update_elem(&sched_stacks, &key, s, BPF_ANY)) {
		count_loss(c, LOSS_DEEP_FULL, 0);
		return 0;
	}
	return key;
}

/* Not static: the verifier looks at it once, and not on each way that leads to it. */
__noinline int sched_deep(struct task_time *tt, __u64 ns)
{
	if (!tt || !tt->stack)
		return 0;
	for (int i = 0; i < WIRE_DEEP; i++) {
		if (!tt->deep[i].stack)
			tt->deep[i].stack = tt->stack;
		if (tt->deep[i].stack == tt->stack) {
			tt->deep[i].ns += ns;
			return 0;
		}
	}
	return 0;
}

/* Time off the CPU that ends here goes to what it was spent in. */
hidden void add_off(struct cpu *c, struct task_struct *t, struct cfs_rq *cfs, struct task_time *tt,
		    __u64 off, __u64 clock, struct split *s)
{
	__u32 part = tt->part;

	split_off(c, t, cfs, tt, off, clock, s);
	tt->parts[PART_RUNNABLE] += s->wait - s->throttled;
	tt->parts[PART_THROTTLED] += s->throttled;
	if (part >= PART_MAX)
		part = PART_RESIDUAL;
	tt->parts[part] += off - s->wait;
	if (part == PART_UNINTERRUPTIBLE)
		sched_deep(tt, off - s->wait);
}

/* A positive difference of clocks; others are counted. */
hidden __u64 elapsed(struct cpu *c, __u64 now, __u64 since)
{
	if ((__s64)(now - since) >= 0)
		return now - since;
	count_loss(c, LOSS_CLOCK, 0);
	return 0;
}

/* The next interval begins now; never before the last one ended, or what lies between would be counted twice. */
hidden void move_on(struct task_time *tt, __u64 now)
{
	if ((__s64)(now - tt->since) > 0)
		tt->since = now;
}

/* The switch to prev was not seen. The scheduler knows when it came: what lies before was spent off the CPU. */
hidden __u64 late_arrival(struct cpu *c, struct task_struct *prev, struct cfs_rq *cfs,
			  struct task_time *tt, __u64 now, __u64 all)
{
	struct split s;
	__u64 ran = 0;

	count_loss(c, LOSS_MISSED, all);
	if (cfs && cfs->rq->clock > prev->sched_info.last_arrival)
		ran = cfs->rq->clock - prev->sched_info.last_arrival;
	if (ran > all)
		ran = all;
	add_off(c, prev, cfs, tt, all - ran, 0,
		&s); /* it is in no queue: run_delay has all of its waits */
	if (s.wait)
		charge_wait(c, prev, tt, now - ran, &s, false);
	return ran;
}

/* It was away meanwhile, and neither its leaving nor its coming back was seen. The scheduler knows how long it ran and how
 * long it waited; the rest it slept, for no reason that is known. */
hidden __u64 unseen_trip(struct cpu *c, struct task_struct *prev, struct task_time *tt, __u64 all)
{
	__u64 ran = prev->se.sum_exec_runtime - tt->exec;
	__s64 wait = prev->sched_info.run_delay - tt->run_delay;

	count_loss(c, LOSS_MISSED, all);
	if (ran > all)
		ran = all;
	if (wait < 0)
		wait = 0;
	if ((__u64)wait > all - ran)
		wait = all - ran;
	tt->parts[PART_RUNNABLE] += wait;
	if (wait)
		slices_pair(or_outside(tgid_of(prev)), WIRE_TOO_OLD, 0, wait);
	tt->parts[PART_RESIDUAL] += all - ran - wait;
	return ran;
}

/* The account is written between these, on one CPU at a time: the sweep on another sees that it is in the middle. */
hidden void turn(struct task_time *tt)
{
	barrier();
	*(volatile __u32 *)&tt->turn = tt->turn + 1;
	barrier();
}

hidden __u64 close_run(void *ctx, struct cpu *c, struct task_struct *prev, struct cfs_rq *cfs,
		       struct task_time *tt, __u32 state, __u64 now)
{
	__u64 ran, stolen = 0;

	ran = elapsed(c, now, tt->since);
	if (tt->part != PART_RUN)
		ran = late_arrival(c, prev, cfs, tt, now, ran);
	else if (prev->sched_info.pcount != tt->pcount + 1)
		ran = unseen_trip(c, prev, tt, ran);
	else
		stolen = taken(cfs, c) - tt->stolen;
	if (stolen > ran)
		stolen = (__s64)stolen < 0 ? 0 : ran;
	tt->parts[PART_RUN] += ran - stolen;
	tt->parts[PART_STOLEN] += stolen;
	tt->slices++;
	move_on(tt, now);
	if (state & TASK_DEAD) {
		bury(prev, tt, c);
		return ran;
	}
	tt->cfs_rq = (__u64)cfs;
	tt->throttled = cfs ? throttle_clock(cfs) : 0;
	note_throttle(c, cfs, tt->throttled);
	tt->run_delay = prev->sched_info.run_delay;
	tt->stack = 0;
	tt->part = state ? part_of(prev, tt, state) : PART_RUNNABLE;
	/* whoever waits for a kernel thread has lost the time, not the kernel thread */
	if (tt->part == PART_UNINTERRUPTIBLE && !(prev->flags & PF_KTHREAD)) {
		__builtin_memset(&c->frames, 0, sizeof(c->frames));
		bpf_get_stack(ctx, &c->frames, sizeof(c->frames), 0);
		tt->stack = keep_stack(&c->frames, c);
	}
	return ran;
}

hidden __u64 leave(void *ctx, struct cpu *c, struct task_struct *prev, struct cfs_rq *cfs,
		   __u32 state, __u64 now)
{
	struct task_time *tt = bpf_task_storage_get(&sched_tasks, prev, 0, 0);
	__u64 ran;

	if (!tt) {
		count_loss(c, LOSS_UNSEEN, 0);
		return now;
	}
	turn(tt);
	ran = close_run(ctx, c, prev, cfs, tt, state, now);
	turn(tt);
	return ran;
}

/* Its leaving was not seen. The scheduler knows how long it ran; why it left nobody does. */
hidden __u64 early_departure(struct cpu *c, struct task_struct *next, struct task_time *tt,
			     __u64 all)
{
	__u64 ran = next->se.sum_exec_runtime - tt->exec;

	count_loss(c, LOSS_MISSED, all);
	if (ran > all)
		ran = all;
	tt->parts[PART_RUN] += ran;
	tt->part = PART_RESIDUAL;
	tt->run_delay = next->sched_info.run_delay;
	return all - ran;
}

hidden void come(struct cpu *c, struct task_struct *next, struct cfs_rq *cfs, bool from_idle,
		 __u64 now)
{
	struct task_time *tt = bpf_task_storage_get(&sched_tasks, next, 0, 0);
	struct split s;
	__u64 off, clock;

	if (!tt) {
		count_loss(c, LOSS_UNSEEN, 0);
		return;
	}
	turn(tt);
	off = elapsed(c, now, tt->since);
	if (tt->part == PART_RUN)
		off = early_departure(c, next, tt, off);
	clock = queue_clock(c, cfs, now, from_idle);
	add_off(c, next, cfs, tt, off, clock, &s);
	hist_waited(next, tt, clock, &s);
	if (s.wait)
		charge_wait(c, next, tt, now, &s, from_idle);
	note_off(c, tt, now, off, &s);
	tt->part = PART_RUN;
	tt->dirty = 0;
	move_on(tt, now);
	tt->stolen = taken(cfs, c);
	tt->exec = next->se.sum_exec_runtime;
	tt->pcount = next->sched_info.pcount;
	tt->run_delay += s.wait;
	turn(tt);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	/* once, and before anything branches: on kernels up to 6.18 each pointer that the verifier sees read from a task, on
	 * each path, costs it several searches through all types by name, half a millisecond each */
	struct cfs_rq *from = prev->se.cfs_rq, *to = next->se.cfs_rq;
	struct cpu *c = this_cpu();
	__u64 now = bpf_ktime_get_ns(), ran = 0;
	__u32 state;

	barrier_var(from);
	barrier_var(to);
	if (!c)
		return 0;
	c->counts.events[PROG_SWITCH]++;
	c->irq_depth = 0; /* no interrupt is going on here, whatever was seen of it */
	state = state_at_switch(ctx, prev, preempt);
	if (!config.time) {
		hist_switch(c, prev, next, state, now);
		return 0;
	}
	if (prev->pid)
		ran = leave(ctx, c, prev, from, state, now);
	slice_end(c, prev, next, from, now, ran);
	if (next->pid)
		come(c, next, to, !prev->pid, now);
	else
		queue_clock(c, from, now, false);
	return 0;
}

SEC("tp_btf/task_newtask")
int BPF_PROG(sched_newtask, struct task_struct *task)
{
	struct task_time *tt =
		bpf_task_storage_get(&sched_tasks, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	struct cpu *c = this_cpu();

	if (!c)
		return 0;
	c->counts.events[PROG_NEWTASK]++;
	if (!tt) {
		count_loss(c, LOSS_NO_STORAGE, 0);
		return 0;
	}
	tt->since = tt->born = bpf_ktime_get_ns();
	tt->part = PART_RESIDUAL; /* until it is put on a run queue for the first time */
	tt->newborn = 1;
	if (config.nested)
		tt->tgid = or_outside(tgid_of(task));
	return 0;
}

/* Fires just before the sleep; what wakes it up is the same thread on its way out of io_schedule_timeout(). */
SEC("tp_btf/balance_dirty_pages")
int sched_dirty(void *ctx)
{
	struct task_time *tt = bpf_task_storage_get(&sched_tasks, bpf_get_current_task_btf(), 0, 0);

	count_event(PROG_DIRTY);
	if (tt)
		tt->dirty = 1;
	return 0;
}

/* Only where the fast path failed. Spinning is running: no sleep follows from it. */
SEC("tp_btf/contention_begin")
int BPF_PROG(sched_contention, void *lock, unsigned int flags)
{
	struct task_time *tt;

	count_event(PROG_CONTENTION);
	if (hist_on(HIST_LOCK))
		hist_contention((__u64)lock, flags);
	if (flags & LCB_F_SPIN)
		return 0;
	tt = bpf_task_storage_get(&sched_tasks, bpf_get_current_task_btf(), 0, 0);
	if (tt)
		tt->klock = (__u64)lock;
	return 0;
}

SEC("tp_btf/contention_end")
int BPF_PROG(sched_contended, void *lock, int ret)
{
	struct task_time *tt;

	count_event(PROG_CONTENDED);
	if (hist_on(HIST_LOCK))
		hist_contended((__u64)lock);
	tt = bpf_task_storage_get(&sched_tasks, bpf_get_current_task_btf(), 0, 0);
	if (tt && tt->klock == (__u64)lock)
		tt->klock = 0;
	return 0;
}
