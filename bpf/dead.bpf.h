/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What dead threads did, kept by process; processes that were born while we look by parent and name. */
#ifndef SIXTY_BPF_DEAD_H
#define SIXTY_BPF_DEAD_H

#include "bpf/hist.bpf.h"
#include "bpf/numbers.bpf.h"
#include "bpf/task.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WIRE_DEAD);
	__type(key, struct wire_dead_key);
	__type(value, struct wire_dead);
} sched_dead SEC(".maps");

hidden void dead_key(struct task_struct *t, struct wire_dead_key *key)
{
	struct task_struct *leader = t->group_leader;
	struct task_time *lt = bpf_task_storage_get(&sched_tasks, leader, 0, 0);

	key->kind = config.hist.group && hist_in_group(t) ? WIRE_GROUP : 0;
	if (!lt || !lt->newborn) {
		key->tgid = config.nested ? (lt ? lt->tgid : WIRE_OUTSIDE) : t->tgid;
		key->start = leader->start_boottime;
		return;
	}
	key->kind |= WIRE_SHORT;
	key->tgid = or_outside(read_tgid_of(BPF_CORE_READ(t, real_parent)));
	key->start = BPF_CORE_READ(t, real_parent, group_leader, start_boottime);
	__builtin_memcpy(key->comm, leader->comm, sizeof(key->comm));
}

/* Too large for the stack. */
const volatile struct wire_dead dead_none SEC(".rodata.dead") = {};

hidden void bury(struct task_struct *t, struct task_time *tt, struct cpu *c)
{
	struct wire_dead_key key = {};
	struct wire_bytes b = {};
	struct wire_dead *d;

	if (tt->closed)
		return;
	tt->closed = 1;
	dead_key(t, &key);
	d = bpf_map_lookup_elem(&sched_dead, &key);
	if (!d) {
		bpf_map_update_elem(&sched_dead, &key, (const void *)&dead_none, BPF_NOEXIST);
		d = bpf_map_lookup_elem(&sched_dead, &key);
		if (d)
			BPF_CORE_READ_INTO(&d->comm, t, group_leader, comm);
	}
	if (!d) {
		struct wire_dead_key rest = {};

		count_loss(c, LOSS_DEAD_FULL, tt->since - tt->born);
		d = bpf_map_lookup_elem(&sched_dead, &rest);
		if (!d)
			return;
	}
	bytes_of(t, tt, &b);
	__sync_fetch_and_add(&d->bytes.sent, b.sent);
	__sync_fetch_and_add(&d->bytes.received, b.received);
	__sync_fetch_and_add(&d->bytes.io_read, b.io_read);
	__sync_fetch_and_add(&d->bytes.io_written, b.io_written);
	__sync_fetch_and_add(&d->threads, 1);
	__sync_fetch_and_add(&d->processes, t->pid == t->tgid);
	__sync_fetch_and_add(&d->seen_ns, tt->since - tt->born);
	__sync_fetch_and_add(&d->slices, tt->slices);
	__sync_fetch_and_add(&d->utime, t->utime);
	__sync_fetch_and_add(&d->stime, t->stime);
	__sync_fetch_and_add(&d->exec, t->se.sum_exec_runtime);
	for (int i = 0; i < PART_MAX; i++)
		__sync_fetch_and_add(&d->parts[i], tt->parts[i]);
	for (int i = 0; i < ROOT_MAX; i++)
		__sync_fetch_and_add(&d->roots[i], tt->roots[i]);
	for (int i = 0; i < QUEUED_MAX; i++)
		__sync_fetch_and_add(&d->queued[i], tt->queued[i]);
}

#endif
