/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Profiles of time off the CPU: whose waits are looked at, and how their stacks are taken.
 *
 *   leaves the CPU ─▶ chosen, one in 1 << shift ─▶ its stack, by a number; sent through the ring when it is new
 *   is woken       ─▶ number of the waker's stack
 *   comes back     ─▶ profile_waits[thread, stack, cause, waker] += length
 *
 * A stack costs microseconds, a switch happens up to a million times a second. So stacks may take a few percent of a CPU:
 * where more are wanted, one wait in two, in four … is chosen, at random, and weighs as much more. A wait that turned out to
 * be long counts for itself alone, whether it was chosen or not: nothing that is rare hangs on a die. */
#ifndef SIXTY_BPF_WAITS_H
#define SIXTY_BPF_WAITS_H

#include "bpf/off.bpf.h"
#include "bpf/profile.bpf.h"

#define CHOICE_SHIFT   26       /* of time: a choice is thought over every 67 ms, */
#define CHOICE_NS      1340000u /* of which stacks may take 2 % */
#define CHOICE_LONG_NS 5370000u /* after long waits 8 % */
#define CHOICE_MOST    12
#define WAIT_LONG_NS   1000000u
#define ASKED_NS       20000000u

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WIRE_WAITS);
	__type(key, struct wire_wait_key);
	__type(value, struct wire_wait);
} profile_waits SEC(".maps");

/* Stacks that user space has. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WIRE_WAIT_STACKS);
	__type(key, __u64);
	__type(value, __u32);
} profile_sent SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_choice);
} profile_choice SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_window);
} profile_window SEC(".maps");

/* False where the programs are attached to see whether they can be: accounts are somebody else's then. */
hidden bool waits_wanted(void)
{
	__u32 zero = 0;
	struct wire_window *w = bpf_map_lookup_elem(&profile_window, &zero);

	return w && w->until;
}

hidden bool stacks_wanted(void)
{
	__u32 zero = 0;
	struct wire_window *w = bpf_map_lookup_elem(&profile_window, &zero);

	return w && w->from != WIRE_NOT_YET;
}

/* How much of the time from `since` to `now` counts. */
hidden __u64 in_window(__u64 since, __u64 now)
{
	__u32 zero = 0;
	struct wire_window *w = bpf_map_lookup_elem(&profile_window, &zero);
	__u64 from, until;

	if (!w || w->from >= WIRE_NEARLY)
		return 0;
	from = w->from > since ? w->from : since;
	until = w->until < now ? w->until : now;
	return until > from ? until - from : 0;
}

/* ---- accounts ---- */

/* A thread is looked at if it has storage. Where a control group is asked for, who is in it changes: all have. */
hidden struct task_time *wait_account(struct task_struct *t)
{
	if (!profile_is_chosen(t))
		return 0;
	return bpf_task_storage_get(&sched_tasks, t, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

hidden void wait_born(struct task_struct *t)
{
	struct task_time *tt = wait_account(t);

	if (!tt) {
		if (profile_is_chosen(t))
			hist_lose(LOSS_NO_STORAGE);
		return;
	}
	tt->since = tt->born = bpf_ktime_get_ns();
	tt->part = PART_RESIDUAL; /* until it is put on a run queue for the first time */
	tt->newborn = tt->was_long = 1;
}

/* ---- the choice ---- */

/* How many waits this one stands for; 0: it is not chosen. Who has just waited for long is likely to do so again, and can do so
 * only so often: those have a budget of their own. */
hidden __u32 choose_wait(struct wire_choice *w, bool was_long, __u64 now)
{
	struct wire_pace *p = &w->pace[was_long];
	__u64 passed = (now - p->began) >> CHOICE_SHIFT;
	__u32 shift;

	if (passed) {
		/* what was not spent may be spent from now on */
		if (passed > 1 || p->spent < CHOICE_NS / 4)
			p->shift = p->shift > passed ? p->shift - passed : 0;
		p->began = now;
		p->spent = 0;
	}
	w->waits++;
	shift = p->shift & 15;
	if (shift && (bpf_get_prandom_u32() & ((1u << shift) - 1)))
		return 0;
	w->chosen++;
	return 1u << shift;
}

/* Returns what has been spent. It is our time, and no part of the wait: else those that are chosen would be longer than the others. */
hidden __u64 spend(struct wire_choice *w, bool was_long, __u64 since)
{
	struct wire_pace *p = &w->pace[was_long];
	__u64 ns = bpf_ktime_get_ns() - since;

	p->spent += ns;
	if (p->spent < (was_long ? CHOICE_LONG_NS : CHOICE_NS) || p->shift >= CHOICE_MOST)
		return ns;
	p->shift++;
	p->spent = 0;
	if (p->shift > p->most)
		p->most = p->shift;
	return ns;
}

/* ---- numbers of stacks ---- */

struct stack_hash {
	__u64 h;
	__u32 slot, n;
	__u32 whose;     /* 1: a waker's */
	__u32 interrupt; /* frames up to the one where an interrupt came in; 0: it did not */
};

static long hash_frame(__u32 i, struct stack_hash *h)
{
	__u32 slot = h->slot;
	struct profile_scratch *s = bpf_map_lookup_elem(&profile_scratch, &slot);
	__u64 at = i;

	barrier_var(at);
	if (!s || at >= WIRE_KERNEL_FRAMES + WIRE_USER_FRAMES || at >= h->n)
		return 1;
	h->h = mix(h->h, s->ip[at]);
	if (h->whose && s->ip[at] - config.profile.irq_from < config.profile.irq_size) {
		h->interrupt = i + 1;
		return 1;
	}
	return 0;
}

/* A number that says all that is in the record. Callers give the hash of what it is besides its frames. */
hidden __u64 stack_number(__u64 h)
{
	h = mix(h, h >> 32);
	return h < WIRE_STACK_FIRST ? h + WIRE_STACK_FIRST : h;
}

/* Send it if it is new. Returns its number, or why it has none. */
hidden __u64 send_stack(struct cpu *c, struct profile_scratch *s, __u64 id)
{
	__u32 one = 1;

	s->p.id = id;
	if (bpf_map_lookup_elem(&profile_sent, &id))
		return id;
	if (bpf_map_update_elem(&profile_sent, &id, &one, BPF_ANY)) {
		count_loss(c, LOSS_WAIT_STACKS, 0);
		return WIRE_STACK_CROWDED;
	}
	if (profile_send(c, s))
		return id;
	bpf_map_delete_elem(&profile_sent, &id);
	return WIRE_STACK_CROWDED;
}

/* What was copied is walked by user space, and is like no other. */
hidden __u64 unique_number(const struct profile_scratch *s)
{
	return stack_number(mix(mix(s->p.time, s->p.tid), s->p.cpu));
}

hidden __u64 hash_program(const struct profile_scratch *s)
{
	return mix(mix((__u64)s->p.key.tgid << 32 | s->p.key.exec, s->p.key.start), s->p.kernel);
}

/* ---- stacks ---- */

/* A copy costs more than all the rest. One makes user space look at the process, which takes it some milliseconds. tt: NULL: it has
 * no account. */
hidden void walk_or_ask(struct task_struct *t, struct task_time *tt, struct profile_scratch *s,
			enum walk_slot slot)
{
	bool copy = tt && s->p.time - tt->asked > ASKED_NS;

	if (walk_user(t, s, slot, copy) && copy)
		tt->asked = s->p.time;
}

/* Of the thread that is about to leave. */
hidden __u64 take_wait_stack(void *ctx, struct cpu *c, struct task_struct *t, struct task_time *tt)
{
	__u32 slot = SLOT_SWITCH;
	struct profile_scratch *s = bpf_map_lookup_elem(&profile_scratch, &slot);
	struct stack_hash h = { .slot = SLOT_SWITCH };
	long n;

	if (!s)
		return WIRE_STACK_CROWDED;
	profile_head(s, t);
	if (!config.profile.no_kernel) {
		n = bpf_get_stack(ctx, s->ip, WIRE_KERNEL_FRAMES * 8, 0);
		s->p.kernel = n > 0 ? (__u64)n >> 3 : 0;
	}
	walk_or_ask(t, tt, s, SLOT_SWITCH);
	if (s->p.copied)
		return send_stack(c, s, unique_number(s));
	h.h = hash_program(s);
	h.n = s->p.kernel + s->p.user;
	bpf_loop(WIRE_KERNEL_FRAMES + WIRE_USER_FRAMES, hash_frame, &h, 0);
	return send_stack(c, s, stack_number(mix(h.h, s->p.walk)));
}

/* Of a thread that comes back from a long wait that was not chosen: what its registers and the kernel still say. */
hidden __u64 take_late_stack(struct cpu *c, struct task_struct *t)
{
	__u32 slot = SLOT_SWITCH;
	struct profile_scratch *s = bpf_map_lookup_elem(&profile_scratch, &slot);
	struct stack_hash h = { .slot = SLOT_SWITCH };
	enum wire_walk why;
	long n;

	if (!s)
		return WIRE_STACK_CROWDED;
	profile_head(s, t);
	if (!config.profile.no_kernel) {
		n = bpf_get_task_stack(t, s->ip, WIRE_KERNEL_FRAMES * 8, 0);
		s->p.kernel = n > 0 ? (__u64)n >> 3 : 0;
	}
	if (user_registers(t, &s->p.regs, &why)) {
		first_frame(s);
		why = WALK_UNCHOSEN;
	}
	s->p.walk = why;
	h.h = hash_program(s);
	h.n = s->p.kernel + s->p.user;
	bpf_loop(WIRE_KERNEL_FRAMES + 1, hash_frame, &h, 0);
	return send_stack(c, s, stack_number(mix(h.h, WALK_UNCHOSEN)));
}

/* Is it the thread that does this, or what has interrupted it? Interrupts have stacks of their own, but those that come while a
 * program runs: then no syscall is being made. A place on the stack that is in use says it: the arguments of the tracepoint. */
enum context { CONTEXT_THREAD, CONTEXT_INTERRUPT, CONTEXT_UNSURE };

#define STACK_MOST 65536 /* bytes of a thread's stack: 16 KiB, more with large pages or KASAN */

hidden enum context context_of(void *ctx, struct cpu *c, struct task_struct *t)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(t);

	*(volatile __u64 *)&c->number =
		(__u64)ctx; /* a pointer is no number before it has been in a map */
	if (*(volatile __u64 *)&c->number - (__u64)BPF_CORE_READ(t, stack) >= STACK_MOST)
		return CONTEXT_INTERRUPT;
	if (t->flags & PF_KTHREAD)
		return CONTEXT_THREAD;
#if defined(__TARGET_ARCH_x86)
	return (int)BPF_CORE_READ(regs, orig_ax) < 0 ? CONTEXT_UNSURE : CONTEXT_THREAD;
#elif defined(__TARGET_ARCH_arm64)
	return BPF_CORE_READ(regs, syscallno) < 0 ? CONTEXT_UNSURE : CONTEXT_THREAD;
#endif
}

/* Which interrupt it is; 0: it is none. */
hidden __u64 take_interrupt(void *ctx, struct cpu *c, struct profile_scratch *s)
{
	struct stack_hash h = { .slot = SLOT_WAKING, .whose = 1 };
	long n = bpf_get_stack(ctx, s->ip, WIRE_KERNEL_FRAMES * 8, 0);

	s->p.kernel = n > 0 ? (__u64)n >> 3 : 0;
	h.n = s->p.kernel;
	bpf_loop(WIRE_KERNEL_FRAMES, hash_frame, &h, 0);
	if (!h.interrupt)
		return 0;
	__builtin_memset(&s->p.key, 0, sizeof(s->p.key));
	__builtin_memset(&s->p.comm, 0, sizeof(s->p.comm));
	s->p.tid = 0;
	s->p.kernel = h.interrupt;
	return send_stack(c, s, stack_number(mix(h.h, 1)));
}

hidden __u64 hash_name(const struct profile_scratch *s)
{
	__u64 first, second;

	__builtin_memcpy(&first, s->p.comm, sizeof(first));
	__builtin_memcpy(&second, s->p.comm + 8, sizeof(second));
	return mix(mix(hash_program(s), first), second);
}

/* Of the thread that wakes another one, or of the interrupt that does. next: who has woken it. */
hidden __u64 take_waker_stack(void *ctx, struct cpu *c, struct task_struct *t, struct task_time *tt,
			      __u64 next)
{
	__u32 slot = SLOT_WAKING;
	struct profile_scratch *s = bpf_map_lookup_elem(&profile_scratch, &slot);
	struct stack_hash h = { .slot = SLOT_WAKING };
	enum context where = context_of(ctx, c, t);
	__u64 id;
	long n;

	if (!s)
		return WIRE_STACK_CROWDED;
	profile_head(s, t);
	s->p.walk = WALK_NONE;
	if (where != CONTEXT_THREAD) {
		id = take_interrupt(ctx, c, s);
		if (id)
			return id;
	}
	if (config.profile.wakers != WAKERS_WHOLE || !t->pid) {
		s->p.kernel = 0; /* its name is enough */
		return send_stack(c, s, stack_number(mix(hash_name(s), 2)));
	}
	n = where == CONTEXT_THREAD ? bpf_get_stack(ctx, s->ip, WIRE_KERNEL_FRAMES * 8, 0) : 0;
	if (where == CONTEXT_THREAD)
		s->p.kernel = n > 0 ? (__u64)n >> 3 : 0;
	s->p.next = next;
	walk_or_ask(t, tt, s, SLOT_WAKING);
	if (s->p.copied)
		return send_stack(c, s, unique_number(s));
	h.n = s->p.kernel + s->p.user;
	bpf_loop(WIRE_KERNEL_FRAMES + WIRE_USER_FRAMES, hash_frame, &h, 0);
	return send_stack(c, s, stack_number(mix(mix(h.h, hash_name(s)), next)));
}

#endif
