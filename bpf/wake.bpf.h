/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Why a lock was held so long: who waits for one inherits what the thread that hands it on was kept from by.
 *
 *   holder  |--- disk ---|run|                      last time off the CPU: disk
 *   waiter     |---- lock ----|<- woken by holder   more than half of the wait lies in it: root is the disk
 *   next          |----- lock ------|               woken by waiter, whose last time off was a lock with root disk: the disk
 *
 * Each thread remembers its last long time off the CPU, and each wake-up from a lock looks at that of the waker: a step for
 * each link of the chain, however long it is. */
#ifndef SIXTY_BPF_WAKE_H
#define SIXTY_BPF_WAKE_H

#include "bpf/off.bpf.h"

hidden bool is_lock(__u32 part)
{
	return part == PART_MUTEX || part == PART_KLOCK || part == PART_FLOCK;
}

/* What a time off the CPU was for. heir: what the waker handed on. */
hidden __u32 root_of(__u32 part, __u32 heir, __u64 off, const struct split *s)
{
	if (s->wait > off / 2)
		return s->throttled > s->wait / 2 ? ROOT_THROTTLED : ROOT_RUNNABLE;
	if (is_lock(part))
		return heir;
	switch (part) {
	case PART_DISK:
	case PART_WRITEBACK:
		return ROOT_DISK;
	case PART_RECLAIM:
	case PART_FAULT:
		return ROOT_MEMORY;
	case PART_REPLY:
		return ROOT_REPLY;
	case PART_UNINTERRUPTIBLE:
	case PART_RESIDUAL:
		return ROOT_UNKNOWN;
	}
	return ROOT_SLEEP;
}

/* Pieces of one kind with little between them are one time: whoever holds a lock over ten reads waits for the disk ten times.
 * A short one of another kind does not hide a long one before it. */
hidden void extend(struct off_time *o, __u32 root, __u64 now, __u64 off)
{
	__u64 length = o->end - o->start, gap = now - off - o->end;

	if (o->root == root && (gap < length || gap < off)) {
		o->end = now;
	} else if (off >= length / 4 || gap > length) {
		o->start = now - off;
		o->end = now;
		o->root = root;
	}
}

/* A time off the CPU has ended. Of a thread that has got its lock counts what it does with it from here on. */
hidden void note_off(struct cpu *c, struct task_time *tt, __u64 now, __u64 off,
		     const struct split *s)
{
	__u32 root = root_of(tt->part, tt->heir, off, s);

	if (!is_lock(tt->part)) {
		extend(&tt->own, root, now, off);
		return;
	}
	tt->roots[tt->heir & (ROOT_MAX - 1)] += off - s->wait;
	c->counts.lock_ns += off - s->wait;
	tt->locked.start = now - off;
	tt->locked.end = now;
	tt->locked.root = root;
	tt->own.start = tt->own.end = now;
	tt->own.root = ROOT_UNKNOWN;
	tt->heir = ROOT_UNKNOWN;
}

hidden __u64 overlap_of(const struct off_time *o, __u64 since, __u64 now)
{
	__u64 from = o->start > since ? o->start : since, to = o->end < now ? o->end : now;

	return to > from ? to - from : 0;
}

/* What kept the waker from handing on earlier what somebody sleeps for since then. */
hidden __u32 hand_on(const struct task_time *waker, __u64 since, __u64 now)
{
	__u64 own = overlap_of(&waker->own, since, now),
	      locked = overlap_of(&waker->locked, since, now);

	if (2 * (own + locked) <= now - since)
		return ROOT_CPU;
	return own >= locked ? waker->own.root : waker->locked.root;
}

#endif
