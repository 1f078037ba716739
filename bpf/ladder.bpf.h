/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Why a thread is off the CPU: the first rung that holds, from its state, flags, registers and arguments.
 *
 * No program looks at syscalls as they are made: the number and the arguments of the one a thread sleeps in lie in its
 * saved user registers. On a page fault or an interrupt the number is -1. */
#ifndef SIXTY_BPF_LADDER_H
#define SIXTY_BPF_LADDER_H

#include "bpf/task.bpf.h"
#include "bpf/reply.bpf.h"

struct call {
	int nr; /* -1: none */
	__u64 a0, a1, a2;
};

hidden void call_of(struct task_struct *t, struct call *c)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(t);

#if defined(__TARGET_ARCH_x86)
	c->nr = (int)regs->orig_ax;
	c->a0 = regs->di;
	c->a1 = regs->si;
	c->a2 = regs->dx;
	/* Numbers of 32-bit syscalls mean something else. */
	if (c->nr >= 0 && (t->thread_info.status & TS_COMPAT))
		c->nr = WIRE_SYSCALLS;
#elif defined(__TARGET_ARCH_arm64)
	c->nr = regs->syscallno;
	c->a0 = regs->orig_x0;
	c->a1 = regs->user_regs.regs[1];
	c->a2 = regs->user_regs.regs[2];
#endif
}

hidden struct file *file_of(struct task_struct *t, __u32 fd)
{
	struct files_struct *files = t->files;
	struct fdtable *fdt;
	struct file **table, *file = 0;

	if (!files)
		return 0;
	fdt = files->fdt;
	if (!fdt || fd >= fdt->max_fds)
		return 0;
	table = fdt->fd;
	bpf_probe_read_kernel(&file, sizeof(file), table + fd);
	return file;
}

/* Clients that have a time-out poll their one socket instead of reading it. False: more than one, or not for reading. */
hidden bool polls_one(const struct call *c, __u32 *fd)
{
	struct {
		__s32 fd;
		__s16 events, revents;
	} first;

	if (c->a1 != 1 || bpf_probe_read_user(&first, sizeof(first), (void *)c->a0) ||
	    first.fd < 0 || !(first.events & 1))
		return false;
	*fd = first.fd;
	return true;
}

/* A sleep until something comes from a file, or can be written to it. What kind of call it is goes through as a number and
 * is asked for at the end: a branch for each would have the verifier walk to the file on each. */
hidden enum wire_part part_of_file(struct task_struct *t, const struct call *c, __u32 kind)
{
	__u32 fd = c->a0, mode = 0, part = PART_SLEEP;
	struct file *file;

	if (kind == CALL_POLL && !polls_one(c, &fd))
		return PART_POLL;
	file = file_of(t, fd);
	if (file)
		mode = BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT;
	if (mode == S_IFSOCK)
		part = kind != CALL_WRITE && awaits_reply(file) ? PART_REPLY : PART_SOCKET;
	else if (mode == S_IFIFO)
		part = PART_PIPE;
	return kind == CALL_POLL && part != PART_REPLY ? PART_POLL : part;
}

/* FUTEX_WAIT for the value 2 is a contended mutex of glibc, of Rust and of most who wrote their own since Drepper's "Futexes
 * are tricky"; priority-inheriting operations are locks by definition. */
hidden enum wire_part part_of_futex(const struct call *c)
{
	__u32 op = c->a1 & 127;

	if (op == 6 || op == 13 || (op == 0 && (__u32)c->a2 == 2))
		return PART_MUTEX;
	return PART_FUTEX;
}

hidden enum wire_part part_of_call(struct task_struct *t, const struct call *c)
{
	__u32 kind;

	if ((__u32)c->nr >= WIRE_SYSCALLS)
		return PART_SLEEP;
	kind = config.syscalls[c->nr & (WIRE_SYSCALLS - 1)];
	if (kind >= CALL_READ && kind <= CALL_POLL)
		return part_of_file(t, c, kind);
	switch (kind) {
	case CALL_FUTEX:
		return part_of_futex(c);
	case CALL_FLOCK:
		return PART_FLOCK;
	case CALL_SEND:
		return PART_SOCKET;
	case CALL_SELECT:
		return PART_POLL;
	case CALL_TIMER:
		return PART_TIMER;
	case CALL_CHILD:
		return PART_CHILD;
	}
	return PART_SLEEP;
}

/* With which state prev leaves the CPU, at sched_switch(preempt, prev, next, state); 0: it would rather run on.
 * fa2c3254d7cf (5.18): another CPU may wake prev while we are here, and its own state is then no longer why it left. */
hidden __u32 state_at_switch(const unsigned long long *ctx, struct task_struct *prev, bool preempt)
{
	__u32 state = config.switch_state ? (__u32)ctx[3] : prev->__state;

	return preempt ? 0 : state;
}

/* t is not on a CPU, or is about to leave it; state is its state mask, not 0. */
hidden enum wire_part part_of(struct task_struct *t, const struct task_time *tt, __u32 state)
{
	bool kthread = t->flags & PF_KTHREAD;
	struct call c = { .nr = WIRE_SYSCALLS };

	if (state & (TASK_STOPPED | TASK_TRACED | TASK_FROZEN))
		return PART_FROZEN;
	/* a kernel thread that is idle is in D with TASK_NOLOAD */
	if (kthread && (!(state & TASK_UNINTERRUPTIBLE) || (state & TASK_NOLOAD)))
		return PART_SLEEP;
	if (BPF_CORE_READ_BITFIELD(t, in_memstall))
		return PART_RECLAIM;
	if (tt->klock)
		return PART_KLOCK;
	if (tt->dirty)
		return PART_WRITEBACK;
	if (!kthread)
		call_of(t, &c);
	if (c.nr < 0)
		return PART_FAULT;
	if (state & TASK_UNINTERRUPTIBLE)
		return BPF_CORE_READ_BITFIELD(t, in_iowait) ? PART_DISK : PART_UNINTERRUPTIBLE;
	return part_of_call(t, &c);
}

/* The thread goes on while its account is opened, and a switch that comes just before what is written here is lost. Whoever
 * is about to sleep has said so (__state) before the switch: so a look at that afterwards finds what would stay wrong for
 * as long as the sleep. What is wrong of a thread that runs or will, its next switch mends. */
hidden void open_part(struct task_struct *t, struct task_time *tt)
{
	__u32 state = t->__state, part = PART_RUNNABLE;

	if (state)
		part = part_of(t, tt, state);
	else if (on_cpu(t))
		part = PART_RUN;
	tt->part = part;
	barrier();
	if (t->__state == state)
		return;
	if (t->__state)
		tt->part = PART_RESIDUAL;
	else
		tt->part = on_cpu(t) ? PART_RUN : PART_RUNNABLE;
}

#endif
