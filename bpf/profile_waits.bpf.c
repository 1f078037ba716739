/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Profiles of time off the CPU. This program at sched_switch is loaded in place of the one that accounts for the time of threads,
 * never beside it: see waits.bpf.h for what it does. */
#include "bpf/ladder.bpf.h"
#include "bpf/waits.bpf.h"

#define CHAIN_DEEPEST 8

/* ---- lengths ---- */

static __attribute__((noinline)) int add_wait(struct task_struct *t, struct wire_wait_key *key,
					      __u64 ns, __u64 count)
{
	struct wire_wait fresh = { .ns = ns, .count = count }, *w;
	struct wire_wait_key k =
		*key; /* on our own stack: the verifier of 6.1 takes no other memory for a key */
	struct cpu *c;

	k.tgid = t->tgid;
	k.tid = t->pid;
	w = bpf_map_lookup_elem(&profile_waits, &k);
	if (!w) {
		__builtin_memcpy(fresh.comm, t->comm, sizeof(fresh.comm));
		if (!bpf_map_update_elem(&profile_waits, &k, &fresh, BPF_NOEXIST))
			return 0;
		w = bpf_map_lookup_elem(&profile_waits, &k);
	}
	if (w) {
		__sync_fetch_and_add(&w->ns, ns);
		__sync_fetch_and_add(&w->count, count);
		return 0;
	}
	c = this_cpu();
	if (c)
		count_loss(c, LOSS_WAITS, ns);
	return 0;
}

/* A wait, and what of it was waiting for a CPU at its end. */
hidden void add_parts(struct task_struct *t, const struct task_time *tt, __u64 length,
		      const struct split *s, __u32 scale)
{
	__u64 wait = s->wait < length ? s->wait : length;
	__u64 throttled = s->throttled < wait ? s->throttled : wait;
	struct wire_wait_key key = { .stack = tt->wait_stack,
				     .waker = tt->waker,
				     .part = tt->part };

	if (length > wait)
		add_wait(t, &key, (length - wait) * scale, scale);
	if (!wait)
		return;
	key.waker = 0;
	if (wait > throttled) {
		key.part = PART_RUNNABLE;
		add_wait(t, &key, (wait - throttled) * scale, length > wait ? 0 : scale);
	}
	if (throttled) {
		key.part = PART_THROTTLED;
		add_wait(t, &key, throttled * scale, length > wait ? 0 : scale);
	}
}

hidden void end_wait(struct cpu *c, struct wire_choice *w, struct task_struct *t,
		     struct task_time *tt, __u64 off, const struct split *s, __u64 now)
{
	__u64 length = in_window(tt->since, now);
	__u32 part = tt->part, scale = tt->scale;

	if (!length || tt->closed || tt->unwanted)
		return;
	if (off < config.profile.shortest_ns || off > config.profile.longest_ns) {
		w->filtered++;
		return;
	}
	barrier_var(part);
	w->ns[part & (PART_SLOTS - 1)] += length;
	tt->was_long = off >= WAIT_LONG_NS;
	if (tt->was_long) {
		if (!scale) {
			__u64 began = bpf_ktime_get_ns();

			tt->wait_stack = take_late_stack(c, t);
			spend(w, true, began);
		}
		scale = 1;
	}
	if (scale)
		add_parts(t, tt, length, s, scale);
}

/* ---- switches ---- */

hidden void end_run(struct task_struct *t, struct task_time *tt, __u32 state, __u64 now)
{
	struct wire_wait_key key = { .part = PART_RUN };

	if (!config.profile.running)
		return;
	if (tt->part == PART_RUN && !tt->unwanted)
		tt->parts[PART_RUN] += in_window(tt->since, now);
	if (state & TASK_DEAD && tt->parts[PART_RUN])
		add_wait(t, &key, tt->parts[PART_RUN], 0);
}

hidden void wait_begins(void *ctx, struct cpu *c, struct wire_choice *w, struct task_struct *prev,
			struct cfs_rq *cfs, __u32 state, __u64 now)
{
	struct task_time *tt = bpf_task_storage_get(&sched_tasks, prev, 0, 0);

	if (!tt)
		return;
	end_run(prev, tt, state, now);
	tt->since = now;
	tt->wait_stack = WIRE_STACK_CROWDED;
	tt->waker = 0;
	tt->scale = 0;
	tt->depth = 0;
	tt->copied = 0;
	if (state & TASK_DEAD) {
		tt->closed = 1;
		return;
	}
	tt->cfs_rq = (__u64)cfs;
	tt->throttled = cfs ? throttle_clock(cfs) : 0;
	note_throttle(c, cfs, tt->throttled);
	tt->run_delay = prev->sched_info.run_delay;
	tt->part = state ? part_of(prev, tt, state) : PART_RUNNABLE;
	tt->unwanted = config.hist.group && !hist_in_group(prev);
	if (tt->unwanted)
		return;
	if (!stacks_wanted()) {
		tt->scale = 1;
		tt->wait_stack = WIRE_STACK_NONE; /* is read in its sleep */
		return;
	}
	tt->scale = choose_wait(w, tt->was_long, now);
	if (tt->newborn == 1)
		tt->scale = 1; /* its first may be its last */
	tt->newborn = tt->newborn ? 2 : 0;
	if (tt->scale) {
		tt->wait_stack = take_wait_stack(ctx, c, prev, tt);
		tt->since += spend(w, tt->was_long, now);
	}
}

hidden void wait_ends(struct cpu *c, struct wire_choice *w, struct task_struct *next,
		      struct cfs_rq *cfs, bool from_idle, __u64 now)
{
	struct task_time *tt = bpf_task_storage_get(&sched_tasks, next, 0, 0);
	struct split s;
	__u64 off;

	if (!tt)
		return;
	off = now - tt->since;
	if (tt->part == PART_RUN || (__s64)off < 0) {
		count_loss(c, LOSS_MISSED, 0); /* its leaving was not seen */
	} else {
		split_off(c, next, cfs, tt, off, queue_clock(c, cfs, now, from_idle), &s);
		end_wait(c, w, next, tt, off, &s, now);
	}
	tt->part = PART_RUN;
	tt->dirty = 0;
	tt->since = now;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(profile_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct cfs_rq *from = prev->se.cfs_rq, *to = next->se.cfs_rq; /* once: see sched_switch */
	struct cpu *c = this_cpu();
	__u64 now = bpf_ktime_get_ns();
	__u32 zero = 0, state;
	struct wire_choice *w = bpf_map_lookup_elem(&profile_choice, &zero);

	barrier_var(from);
	barrier_var(to);
	if (!c || !w || !waits_wanted())
		return 0;
	c->counts.events[PROG_PROFILE_SWITCH]++;
	state = state_at_switch(ctx, prev, preempt);
	if (next->pid)
		wait_ends(c, w, next, to, !prev->pid, now);
	else
		queue_clock(c, from, now, false);
	if (prev->pid)
		wait_begins(ctx, c, w, prev, from, state, now);
	return 0;
}

/* Runs in the waker, or in what has interrupted it. */
SEC("tp_btf/sched_waking")
int BPF_PROG(profile_waking, struct task_struct *p)
{
	struct task_time *tt = bpf_task_storage_get(&sched_tasks, p, 0, 0), *waker = 0;
	struct wire_choice *w;
	struct task_struct *current;
	__u32 zero = 0;
	__u64 now, next = 0;
	struct cpu *c;

	count_event(PROG_PROFILE_WAKING);
	if (!tt || !waits_wanted() || tt->part == PART_RUN || tt->part == PART_RUNNABLE ||
	    !tt->scale || tt->waker)
		return 0;
	c = this_cpu();
	w = bpf_map_lookup_elem(&profile_choice, &zero);
	if (!c || !w)
		return 0;
	current = bpf_get_current_task_btf();
	now = bpf_ktime_get_ns();
	if (config.profile.wakers == WAKERS_WHOLE && current->pid)
		waker = bpf_task_storage_get(&sched_tasks, current, 0, 0);
	/* who was itself woken while p slept has waited for somebody else before */
	if (waker && waker->waker && (__s64)(waker->woken - tt->since) > 0 &&
	    waker->depth < CHAIN_DEEPEST) {
		next = waker->waker;
		tt->depth = waker->depth + 1;
	}
	tt->waker = take_waker_stack(ctx, c, current, waker, next);
	tt->woken = now;
	tt->since += spend(w, tt->was_long, now);
	return 0;
}

/* ---- who is off the CPU ---- */

hidden void open_wait_account(struct task_struct *t, struct cfs_rq *cfs, struct task_time *tt,
			      __u64 now)
{
	tt->born = tt->since = now;
	tt->run_delay = t->sched_info.run_delay;
	tt->cfs_rq = (__u64)cfs;
	tt->throttled = cfs ? throttle_clock(cfs) : 0;
	tt->wait_stack = WIRE_STACK_NONE;
	tt->scale = tt->was_long = 1;
	tt->unwanted = config.hist.group && !hist_in_group(t);
	open_part(t, tt);
}

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_asleep);
} profile_asleep SEC(".maps");

hidden void describe_wait(struct task_struct *t, struct cfs_rq *cfs, const struct task_time *tt,
			  struct wire_asleep *a)
{
	struct cpu *c = this_cpu();
	struct split s = {};
	__u64 open;

	a->key.tgid = t->tgid;
	a->key.exec = (__u32)t->self_exec_id;
	a->key.start = BPF_CORE_READ(t, group_leader, start_boottime);
	a->tid = t->pid;
	__builtin_memcpy(a->comm, t->comm, sizeof(a->comm));
	a->since = tt->since;
	a->part = tt->part;
	a->stack = tt->wait_stack;
	a->waker = tt->part == PART_RUN ? 0 : tt->waker;
	a->scale = tt->scale;
	a->ran = tt->parts[PART_RUN];
	a->now = bpf_ktime_get_ns();
	open = a->now > a->since ? a->now - a->since : 0;
	if (tt->part != PART_RUN) {
		split_off(0, t, cfs, tt, open, c && c->clock_at ? a->now - c->clock_off : 0, &s);
		a->wait = s.wait;
		a->throttled = s.throttled;
	}
}

/* At the beginning it opens the accounts of all that are there; at the end it tells what is open, and closes them. */
SEC("iter/task")
int profile_sweep(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	__u32 zero = 0;
	struct wire_asleep *a = bpf_map_lookup_elem(&profile_asleep, &zero);
	struct wire_window *w = bpf_map_lookup_elem(&profile_window, &zero);
	struct task_time *tt;
	struct cfs_rq *cfs;
	__u64 now;

	if (!t || !a || !w || t->exit_state || !profile_is_chosen(t))
		return 0;
	cfs = t->se.cfs_rq;
	barrier_var(cfs);
	tt = bpf_task_storage_get(&sched_tasks, t, 0, 0);
	if (!tt) {
		tt = wait_account(t);
		now = bpf_ktime_get_ns();
		if (!tt) {
			hist_lose(LOSS_NO_STORAGE);
			return 0;
		}
		open_wait_account(t, cfs, tt, now);
	}
	if (tt->unwanted || tt->closed)
		return 0;
	__builtin_memset(a, 0, sizeof(*a));
	describe_wait(t, cfs, tt, a);
	if (!bpf_seq_write(ctx->meta->seq, a, sizeof(*a)) && w->until <= a->now)
		tt->closed = 1;
	return 0;
}

hidden __u32 copy_sleepers_stack(struct task_struct *t, struct profile_scratch *s, __u64 sp)
{
	__u8 *to = (__u8 *)&s->ip[WIRE_KERNEL_FRAMES];
	__u32 n = 0;

	for (int i = 0; i < WIRE_COPY / WIRE_COPY_STEP; i++) {
		if (bpf_copy_from_user_task(to + i * WIRE_COPY_STEP, WIRE_COPY_STEP,
					    (void *)(sp + i * WIRE_COPY_STEP), t, 0))
			break;
		n += WIRE_COPY_STEP;
	}
	return n;
}

/* Stacks of those that are off the CPU and whose stack nobody has taken when they left it. Memory of a sleeper can be read by
 * a program that may itself have to wait: it is run by a child of ours. */
SEC("iter.s/task")
int profile_sleepers(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	__u32 slot = SLOT_SLEEPER;
	struct profile_scratch *s = bpf_map_lookup_elem(&profile_scratch, &slot);
	struct task_time *tt;
	enum wire_walk why;
	__u64 size;
	long n;

	if (!t || !s || t->exit_state)
		return 0;
	tt = bpf_task_storage_get(&sched_tasks, t, 0, 0);
	if (!tt || tt->part == PART_RUN || tt->unwanted || tt->copied ||
	    (tt->scale && tt->wait_stack != WIRE_STACK_NONE))
		return 0;
	profile_head(s, t);
	s->p.next = tt->since;
	if (!config.profile.no_kernel) {
		n = bpf_get_task_stack(t, s->ip, WIRE_KERNEL_FRAMES * 8, 0);
		s->p.kernel = n > 0 ? (__u64)n >> 3 : 0;
	}
	if (user_registers(t, &s->p.regs, &why)) {
		s->p.copied = copy_sleepers_stack(t, s, s->p.regs.sp);
		why = WALK_UNKNOWN;
	}
	s->p.walk = why;
	size = s->p.copied;
	barrier_var(size);
	if (size > WIRE_COPY)
		return 0;
	size += sizeof(s->p) + WIRE_KERNEL_FRAMES * 8;
	/* where there is no room it is shown to us again */
	if (!bpf_seq_write(ctx->meta->seq, s, size))
		tt->copied = 1;
	return 0;
}
