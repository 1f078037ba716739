/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sweep: one record per thread, read through a BPF iterator. The first sweep gives every thread its storage and opens
 * its interval; each later one credits the interval that is open up to now. */
#include "bpf/ladder.bpf.h"
#include "bpf/off.bpf.h"
#include "bpf/hist.bpf.h"

hidden void open_interval(struct task_struct *t, struct cfs_rq *cfs, struct task_time *tt,
			  __u64 now)
{
	tt->born = tt->since = now;
	if (config.nested)
		tt->tgid = or_outside(tgid_of(t));
	tt->exec = t->se.sum_exec_runtime;
	tt->run_delay = t->sched_info.run_delay;
	tt->pcount = t->sched_info.pcount - 1; /* if it is on a CPU; set when it comes otherwise */
	tt->cfs_rq = (__u64)cfs;
	tt->throttled = cfs ? throttle_clock(cfs) : 0;
	open_part(t, tt);
}

/* The parts may change under our hands: read them until they stood still. */
hidden void copy_parts(const struct task_time *tt, struct wire_task *w)
{
	for (int i = 0; i < PART_MAX; i++)
		w->parts[i] = *(volatile __u64 *)&tt->parts[i];
	for (int i = 0; i < ROOT_MAX; i++)
		w->roots[i] = tt->roots[i];
	for (int i = 0; i < QUEUED_MAX; i++)
		w->queued[i] = tt->queued[i];
	for (int i = 0; i < WIRE_DEEP; i++)
		w->deep[i] = tt->deep[i];
}

/* The open interval of an account. */
struct reading {
	__u64 since, now;
	__u32 part, spare;
};

/* False when a switch was writing meanwhile. */
hidden bool read_account(const struct task_time *tt, struct wire_task *w, struct reading *o)
{
	__u32 turn = *(volatile __u32 *)&tt->turn;

	barrier();
	o->since = *(volatile __u64 *)&tt->since;
	o->part = *(volatile __u32 *)&tt->part;
	copy_parts(tt, w);
	o->now = bpf_ktime_get_ns();
	barrier();
	return !(turn & 1) && turn == *(volatile __u32 *)&tt->turn;
}

hidden void credit(struct task_struct *t, struct cfs_rq *cfs, struct task_time *tt,
		   struct wire_task *w)
{
	struct cpu *c = this_cpu();
	struct reading o;
	struct split s;
	__u64 open;
	__u32 part;

	/* no loop: kernels before 6.3 do not accept it as clang turns it round */
	if (!read_account(tt, w, &o) && !read_account(tt, w, &o) && !read_account(tt, w, &o))
		read_account(tt, w, &o);
	part = o.part;
	open = o.now > o.since ? o.now - o.since : 0;
	w->open_ns = open;
	w->part = part;
	w->slices = tt->slices;
	w->seen_ns = o.since + open - tt->born;
	if (part >= PART_MAX)
		return;
	if (part == PART_RUN) {
		w->parts[PART_RUN] += open;
		return;
	}
	/* the clock of its queue was read at the last tick: ours is that of another CPU, but younger */
	split_off(0, t, cfs, tt, open, c && c->clock_at ? o.now - c->clock_off : 0, &s);
	w->parts[PART_RUNNABLE] += s.wait - s.throttled;
	w->parts[PART_THROTTLED] += s.throttled;
	/* 6.1 wants to see the mask, which clang drops where it knows better */
	barrier_var(part);
	w->parts[part & (PART_SLOTS - 1)] += open - s.wait;
	if (s.wait > open / 2)
		w->part = s.throttled > s.wait / 2 ? PART_THROTTLED : PART_RUNNABLE;
}

/* Of the interval that is open. run_delay may be moved by the switch that ends it, under our hands. */
hidden __u64 open_wait(struct task_struct *t, const struct task_time *tt)
{
	__u64 queued = t->sched_info.last_queued;
	__s64 before = t->sched_info.run_delay - tt->run_delay, rest;
	struct cpu *c = this_cpu();

	if (!queued || !c || !c->clock_at || on_cpu(t))
		return 0;
	rest = bpf_ktime_get_ns() - c->clock_off - queued;
	return (before > 0 ? before : 0) + (rest > 0 ? rest : 0);
}

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_task);
} tasks_record SEC(".maps");

/* Pointers are read by a helper here, where speed is nothing: each that a program follows by itself costs the verifier a
 * search of all the kernel's types, two milliseconds when it is loaded. */
hidden void describe(struct task_struct *t, struct wire_task *w)
{
	w->pid = or_outside(tid_of(t));
	w->tgid = or_outside(tgid_of(t));
	w->ppid = read_tgid_of(BPF_CORE_READ(t, real_parent));
	w->uid = BPF_CORE_READ(t, cred, uid.val);
	w->start = t->start_boottime;
	w->group_start = BPF_CORE_READ(t, group_leader, start_boottime);
	w->state = t->__state;
	w->flags = t->flags;
	w->policy = t->policy;
	w->nice = t->static_prio - 120;
	w->rt_priority = t->rt_priority;
	w->nthreads = BPF_CORE_READ(t, signal, nr_threads);
	w->utime = t->utime;
	w->stime = t->stime;
	w->exec = t->se.sum_exec_runtime;
	w->run_delay = t->sched_info.run_delay;
	w->minflt = t->min_flt;
	w->majflt = t->maj_flt;
	w->nvcsw = t->nvcsw;
	w->nivcsw = t->nivcsw;
	__builtin_memcpy(w->comm, t->comm, sizeof(w->comm));
	/* who is dead and waits for its parent has left it */
	w->in_group = config.hist.group && !t->exit_state && hist_in_group(t);
}

hidden void lose_storage(void)
{
	struct cpu *c = this_cpu();

	if (c)
		count_loss(c, LOSS_NO_STORAGE, 0);
}

SEC("iter/task")
int tasks_sweep(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct seq_file *seq =
		ctx->meta->seq; /* here, before anything branches: see sched_switch */
	__u32 zero = 0;
	struct wire_task *w = bpf_map_lookup_elem(&tasks_record, &zero);
	struct task_time *tt;
	struct cfs_rq *cfs;

	if (!t || !w)
		return 0;
	cfs = t->se.cfs_rq;
	barrier_var(cfs);
	barrier_var(seq);
	__builtin_memset(w, 0, sizeof(*w));
	tt = bpf_task_storage_get(&sched_tasks, t, 0, 0);
	if (!tt) {
		tt = bpf_task_storage_get(&sched_tasks, t, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (tt)
			open_interval(t, cfs, tt, bpf_ktime_get_ns());
		else
			lose_storage();
	}
	describe(t, w);
	w->has_io = bpf_core_field_exists(t->ioac.read_bytes);
	bytes_of(t, tt, &w->bytes);
	if (tt && !tt->closed) {
		w->wait_ns = open_wait(t, tt);
		credit(t, cfs, tt, w);
	}
	bpf_seq_write(seq, w, sizeof(*w));
	return 0;
}
