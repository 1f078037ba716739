/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The process table: one record per process, with what /proc/PID/stat and status would say of it at that moment.
 *
 * Threads are passed over by the iterator and read where their process is: under RCU, and again if one of them ended
 * meanwhile (it moves what it did to its process under signal_struct::stats_lock). What a record cannot hold whole is
 * marked, and read from /proc. */
#include "bpf/memory.bpf.h"
#include "bpf/numbers.bpf.h"

#define TABLE_THREADS 65536 /* of one process: a longer walk is left to /proc */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_row);
} table_record SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_ask);
} table_ask SEC(".maps");

/* ---- who has not moved ---- */

/* What a process was like when it was told of, as one number, by its own. Where two processes have the same place, both are
 * told in full each time. In an array neighbours share a line of the cache, which storage of tasks does not. */
#define SEEN_PLACES (1 << 16)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SEEN_PLACES);
	__type(key, __u32);
	__type(value, __u64);
} table_seen SEC(".maps");

/* 0: it runs, or is about to, or has more threads than the one that is looked at. */
hidden __u64 looks_like(struct task_struct *t)
{
	__u64 h = t->start_boottime;

	if (!t->__state || t->signal->nr_threads != 1)
		return 0;
	h = mix(h, t->nvcsw + t->nivcsw);
	h = mix(h, (__u64)BPF_CORE_READ(t, real_parent));
	h = mix(h, t->__state | (__u64)t->exit_state << 32);
	return mix(h, (__u64)t->static_prio) | 1;
}

/* True: it has one thread, which has not been on a CPU since it was told of, and that is said. What others do to it all the
 * same (pages that are taken from it, what it has open by name) is told with the next WIRE_TURN_ALL.
 *
 * A function of its own for the stack's sake. What it compares is read before what is told: who moves in between is told
 * of once more. */
apart int is_told(struct bpf_iter__task *ctx, struct task_struct *t, __u32 turn)
{
	__u32 place = t->pid & (SEEN_PLACES - 1);
	struct wire_idle idle = {};
	struct ours o = {};
	__u64 *seen = bpf_map_lookup_elem(&table_seen, &place), now, was;

	if (!seen)
		return 0;
	now = looks_like(t);
	was = *seen;
	*seen = now;
	if (turn != WIRE_TURN_MOVED || !now || was != now)
		return 0;
	find_ours(&o);
	idle.pid = o.level ? number_of(BPF_CORE_READ(t, thread_pid), &o) : (__u32)t->pid;
	idle.size = sizeof(idle);
	idle.start = t->start_boottime;
	if (idle.pid)
		bpf_seq_write(ctx->meta->seq, &idle, sizeof(idle));
	return 1;
}

/* ---- sums over threads ---- */

struct walk {
	__u64 node, head; /* of signal_struct::thread_head */
	__u64 leader;
	__u32 threads, blocked;
	__u64 utime, stime, exec, minflt, majflt;
	__s64 pages[MM_KINDS];
};

hidden bool is_blocked(__u32 state)
{
	return (state & TASK_UNINTERRUPTIBLE) && !(state & TASK_NOLOAD);
}

#define IO_WORDS 7

/* Not on the stack, where the walk over threads leaves no room. */
struct aside {
	__u64 words[IO_WORDS];
	__u64 io, vcsw, nvcsw; /* sums */
	bool wanted;           /* io */
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct aside);
} table_aside SEC(".maps");

hidden void begin_aside(bool io_wanted)
{
	__u32 zero = 0;
	struct aside *x = bpf_map_lookup_elem(&table_aside, &zero);

	if (!x)
		return;
	x->wanted = io_wanted;
	x->io = x->vcsw = x->nvcsw = 0;
}

/* Switches, and if it is wanted what is accounted for I/O, all added up: whoever asks wants to know whether it moves. */
hidden void add_aside(const void *ioac, __u64 vcsw, __u64 nvcsw)
{
	__u32 size = bpf_core_type_size(struct task_io_accounting), zero = 0;
	struct aside *x = bpf_map_lookup_elem(&table_aside, &zero);

	if (!x)
		return;
	x->vcsw += vcsw;
	x->nvcsw += nvcsw;
	if (!x->wanted)
		return;
	if (size > sizeof(x->words))
		size = sizeof(x->words);
	bpf_probe_read_kernel(x->words, size, ioac);
	for (int i = 0; i < IO_WORDS; i++)
		x->io += x->words[i];
}

hidden void take_aside(struct wire_row *w)
{
	__u32 zero = 0;
	const struct aside *x = bpf_map_lookup_elem(&table_aside, &zero);

	if (!x)
		return;
	w->io = x->io;
	w->vcsw = x->vcsw;
	w->nvcsw = x->nvcsw;
}

static long add_thread(__u32 i, struct walk *k)
{
	struct task_struct *t;

	if (!k->node || k->node == k->head)
		return 1;
	t = (void *)(k->node - bpf_core_field_offset(struct task_struct, thread_node));
	k->threads++;
	k->utime += BPF_CORE_READ(t, utime);
	k->stime += BPF_CORE_READ(t, stime);
	k->exec += BPF_CORE_READ(t, se.sum_exec_runtime);
	k->minflt += BPF_CORE_READ(t, min_flt);
	k->majflt += BPF_CORE_READ(t, maj_flt);
	if ((__u64)t != k->leader && is_blocked(BPF_CORE_READ(t, __state)))
		k->blocked++;
	add_thread_pages(t, k->pages);
	add_aside(&t->ioac, BPF_CORE_READ(t, nvcsw), BPF_CORE_READ(t, nivcsw));
	k->node = (__u64)BPF_CORE_READ(t, thread_node.next);
	return 0;
}

hidden void walk_threads(struct task_struct *t, struct signal_struct *sig, struct walk *k)
{
	k->leader = (__u64)t;
	k->head = (__u64)sig + bpf_core_field_offset(struct signal_struct, thread_head);
	k->node = (__u64)BPF_CORE_READ(sig, thread_head.next);
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop)) {
		bpf_loop(TABLE_THREADS, add_thread, k, 0);
	} else {
		for (__u32 i = 0; i < 32; i++)
			if (add_thread(i, k))
				break;
	}
}

/* Most processes have one thread, and its fields are read without a helper. */
hidden void take_only_thread(struct task_struct *t, struct walk *k)
{
	k->threads = 1;
	k->utime = t->utime;
	k->stime = t->stime;
	k->exec = t->se.sum_exec_runtime;
	k->minflt = t->min_flt;
	k->majflt = t->maj_flt;
	add_aside(&t->ioac, t->nvcsw, t->nivcsw);
	add_thread_pages(t, k->pages);
}

hidden __u32 stats_turn(struct signal_struct *sig)
{
	return *(volatile unsigned int *)&sig->stats_lock.seqcount.seqcount.sequence;
}

hidden void sum_threads(struct task_struct *t, struct signal_struct *sig, struct wire_row *w,
			struct walk *k)
{
	__u32 turn = stats_turn(sig), threads = sig->nr_threads;

	if (threads == 1)
		take_only_thread(t, k);
	else
		walk_threads(t, sig, k);
	w->utime = sig->utime + k->utime;
	w->stime = sig->stime + k->stime;
	w->exec = sig->sum_sched_runtime + k->exec;
	w->minflt = sig->min_flt + k->minflt;
	w->majflt = sig->maj_flt + k->majflt;
	w->threads = threads;
	w->blocked = k->blocked;
	add_aside(&sig->ioac, sig->nvcsw, sig->nivcsw);
	if ((turn & 1) || turn != stats_turn(sig) || k->threads != threads)
		w->cut = WIRE_CUT_THREADS;
}

/* ---- names ---- */

/* A kernel thread's name is longer than comm, and a worker says what it works at: "kworker/u8:3+flush-8:0". Of a worker
 * that rescues others /proc had the short name only, as long as it was called like its queue. */
hidden void name_kthread(struct task_struct *t, struct wire_row *w)
{
	struct kthread *kt = BPF_CORE_READ(t, worker_private);
	struct worker *worker;
	bool is_worker;
	char *full;
	long n = 0;

	if (!kt || !bpf_core_field_exists(kt->full_name))
		return;
	full = BPF_CORE_READ(kt, full_name);
	is_worker = t->flags & PF_WQ_WORKER;
	if (full && (!is_worker || (w->comm[0] == 'k' && w->comm[7] == '/')))
		bpf_probe_read_kernel_str(w->comm, sizeof(w->comm), full);
	if (!is_worker)
		return;
	worker = BPF_CORE_READ(kt, data);
	if (!worker || !BPF_CORE_READ(worker, pool))
		return;
	for (; n < WIRE_NAME_MAX - WIRE_DESC - 1 && w->comm[n]; n++)
		;
	if (bpf_probe_read_kernel_str(&w->comm[n + 1], WIRE_DESC,
				      (char *)worker + bpf_core_field_offset(struct worker, desc)) >
	    1)
		w->comm[n] = BPF_CORE_READ(worker, current_work) ? '+' : '-';
}

/* ---- open files ---- */

#define FD_WORDS 1024

hidden __u32 bits_of(__u64 v)
{
	v -= v >> 1 & 0x5555555555555555ull;
	v = (v & 0x3333333333333333ull) + (v >> 2 & 0x3333333333333333ull);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return v * 0x0101010101010101ull >> 56;
}

struct bitmap {
	__u64 at;
	__u32 words, n;
};

static long add_bits(__u32 i, struct bitmap *b)
{
	__u64 word = 0;

	if (i >= b->words)
		return 1;
	bpf_probe_read_kernel(&word, sizeof(word), (void *)(b->at + i * sizeof(word)));
	b->n += bits_of(word);
	return 0;
}

hidden void count_files(struct task_struct *t, struct wire_row *w)
{
	struct fdtable *fdt = BPF_CORE_READ(t, files, fdt);
	struct bitmap b = {};

	if (!fdt)
		return;
	b.at = (__u64)BPF_CORE_READ(fdt, open_fds);
	b.words = BPF_CORE_READ(fdt, max_fds) / 64;
	w->has_fds = b.words <= FD_WORDS;
	if (b.words <= 4) {
		for (__u32 i = 0; i < 4; i++)
			if (add_bits(i, &b))
				break;
	} else if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop)) {
		bpf_loop(FD_WORDS, add_bits, &b, 0);
	} else {
		w->has_fds = 0;
	}
	w->fds = b.n;
}

/* ---- the record ---- */

hidden __u32 cpu_of(struct task_struct *t)
{
	if (bpf_core_field_exists(t->thread_info.cpu))
		return t->thread_info.cpu;
	return bpf_core_field_exists(t->cpu) ? t->cpu : 0;
}

hidden __u64 blkio_delay(struct task_struct *t)
{
	struct task_delay_info *d = 0;

	if (bpf_core_field_exists(t->delays))
		d = BPF_CORE_READ(t, delays);
	return d ? BPF_CORE_READ(d, blkio_delay) : 0;
}

hidden void describe_family(struct task_struct *t, struct signal_struct *sig, const struct ours *o,
			    struct wire_row *w)
{
	struct task_struct *parent = BPF_CORE_READ(t, real_parent);
	struct pid *group = sig->pids[PIDTYPE_PGID], *session = sig->pids[PIDTYPE_SID];
	struct tty_struct *tty = sig->tty;

	if (o->level) {
		w->ppid = number_of(BPF_CORE_READ(parent, group_leader, thread_pid), o);
		w->pgrp = number_of(group, o);
		w->session = number_of(session, o);
	} else {
		w->ppid = BPF_CORE_READ(parent, tgid);
		w->pgrp = group ? group->numbers[0].nr : 0;
		w->session = session ? session->numbers[0].nr : 0;
	}
	if (tty) {
		__u32 minor = tty->driver->minor_start + tty->index;

		w->tty = (minor & 0xff) | (__u32)tty->driver->major << 8 | (minor & ~0xffu) << 12;
	}
}

hidden void describe_row(struct task_struct *t, struct signal_struct *sig, struct wire_row *w)
{
	w->start = t->start_boottime;
	w->state = t->__state;
	w->exit_state = t->exit_state;
	w->flags = t->flags;
	w->policy = t->policy;
	w->prio = t->prio;
	w->static_prio = t->static_prio;
	w->rt_priority = t->rt_priority;
	w->cpu = cpu_of(t);
	w->child_utime = sig->cutime;
	w->child_stime = sig->cstime;
	w->shown_utime = sig->prev_cputime.utime;
	w->shown_stime = sig->prev_cputime.stime;
	w->child_minflt = sig->cmin_flt;
	w->child_majflt = sig->cmaj_flt;
	w->blkio_ns = blkio_delay(t);
	__builtin_memcpy(w->comm, t->comm, sizeof(t->comm));
}

SEC("iter/task")
int table_sweep(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct signal_struct *sig;
	struct wire_row *w;
	struct ours o = {};
	struct walk k = {};
	struct wire_ask *ask;
	__u32 zero = 0;

	/* without a sighand it has been waited for, and is no longer in /proc */
	if (!t || t->pid != t->tgid || !t->sighand)
		return 0;
	w = bpf_map_lookup_elem(&table_record, &zero);
	ask = bpf_map_lookup_elem(&table_ask, &zero);
	if (!w || !ask)
		return 0;
	if (ask->turn && is_told(ctx, t, ask->turn))
		return 0;
	__builtin_memset(w, 0, sizeof(*w));
	w->size = sizeof(*w);
	find_ours(&o);
	w->pid = o.level ? number_of(BPF_CORE_READ(t, thread_pid), &o) : (__u32)t->pid;
	if (!w->pid)
		return 0;
	sig = t->signal;
	begin_aside(ask->io);
	if (ask->io)
		w->mnt_ns = BPF_CORE_READ(t, nsproxy, mnt_ns, ns.inum);
	sum_threads(t, sig, w, &k);
	take_aside(w);
	describe_row(t, sig, w);
	describe_family(t, sig, &o, w);
	if (t->flags & PF_KTHREAD) {
		name_kthread(t, w);
	} else {
		w->full = t->start_boottime >= ask->since;
		if (w->full) {
			w->uid = BPF_CORE_READ(t, cred, euid.val);
			count_files(t, w);
		}
		count_pages(t, k.pages, w);
	}
	bpf_seq_write(ctx->meta->seq, w, sizeof(*w));
	return 0;
}
