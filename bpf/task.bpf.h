/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is kept of every thread while we look: in task storage, which the kernel frees with the task.
 *
 * It is made by the first sweep over all tasks and for newborn ones; scheduler paths only look it up, since allocating
 * under a run-queue lock can wait for that very lock. A thread without it is counted as unseen. */
#ifndef SIXTY_BPF_TASK_H
#define SIXTY_BPF_TASK_H

#include "bpf/common.bpf.h"

/* A time off the CPU, and what it was for. */
struct off_time {
	__u64 start, end;
	__u32 root; /* enum wire_root */
	__u32 spare;
};

struct task_time {
	__u64 since; /* start of the open interval */
	__u64 born;  /* when the accounting of this thread began */
	__u64 run_delay; /* sched_info.run_delay when it left the CPU; while it is on one, when it came */
	__u64 throttled; /* clock of its cfs_rq then */
	__u64 cfs_rq;
	__u64 stolen; /* taken() of its CPU when it came onto it */
	__u64 exec;   /* se.sum_exec_runtime when it came onto a CPU */
	__u64 pcount; /* sched_info.pcount before it came */
	__u64 stack;  /* why it is in D state */
	__u64 klock;  /* address of the kernel lock that it waits for */
	__u32 part;   /* of the open interval; PART_RUN while on a CPU */
	__u8 dirty;   /* in balance_dirty_pages */
	__u8 newborn; /* was born while we look */
	__u8 closed;  /* its process has died, and it has been counted there */
	__u8 iowait;  /* for distributions: left the CPU in it */
	__u64 slices;
	__u64 lock, lock_since; /* for distributions: of the kernel that it sleeps for; 0: none */
	__u64 parts[PART_MAX];
	/* see wake.bpf.h */
	struct off_time locked, own;
	__u32 heir; /* enum wire_root: what the waker hands on */
	__u32 tgid; /* of its process, where numbers are translated: a dead one has none */
	__u32 spare;
	__u32 turn; /* odd while a switch writes here: the sweep reads again */
	__u64 roots[ROOT_MAX];
	__u64 queued[QUEUED_MAX];
	__u64 sent, received; /* bytes, see bytes.bpf.c */
	struct wire_deep deep[WIRE_DEEP];
	/* for profiles of time off the CPU, see waits.bpf.h */
	__u64 wait_stack, waker; /* of the wait that is open; the waker stays until the next one */
	__u64 woken;             /* when */
	__u64 asked;             /* when its stack was copied last */
	__u32 scale;             /* so many waits does this one stand for; 0: it was not chosen */
	__u8 depth;              /* of the chain of wakers */
	__u8 unwanted;           /* was in another control group when it left the CPU */
	__u8 copied;             /* its stack was read in its sleep */
	__u8 was_long;           /* the wait before */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_time);
} sched_tasks SEC(".maps");

/* on_cpu is there on SMP kernels only; every kernel that has BTF in practice is one. */
struct task_struct___smp {
	int on_cpu;
} __attribute__((preserve_access_index));

hidden bool on_cpu(struct task_struct *t)
{
	struct task_struct___smp *s = (void *)t;

	return bpf_core_field_exists(s->on_cpu) && BPF_CORE_READ(s, on_cpu);
}

/* Charged to the thread that submits a read, and to the one that makes a page dirty: who writes it back later is not in it. */
hidden void bytes_of(struct task_struct *t, const struct task_time *tt, struct wire_bytes *b)
{
	if (tt) {
		b->sent = tt->sent;
		b->received = tt->received;
	}
	if (bpf_core_field_exists(t->ioac.read_bytes)) {
		b->io_read = t->ioac.read_bytes;
		b->io_written = t->ioac.write_bytes;
	}
}

#endif
