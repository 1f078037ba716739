/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Distributions: a value is one more in a slot of a per-CPU cell, found without a lock and without a hash map of the kernel's.
 *
 *   kind, key ──▶ hist_index ──▶ block ──▶ hist_cells[block + measure].slots[hist_slot(value)]++
 *
 * Nothing is cleared in the kernel: user space subtracts. Maps are made as large as what is wanted needs. */
#ifndef SIXTY_BPF_HIST_H
#define SIXTY_BPF_HIST_H

#include "bpf/numbers.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_hist);
} hist_cells SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_hist_index);
} hist_index SEC(".maps");

/* What a block's key was called when it was first met; may be gone when it is read. */
struct hist_name {
	char name[WIRE_HIST_NAME];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hist_name);
} hist_names SEC(".maps");

hidden bool hist_on(enum wire_hist_kind k)
{
	return config.hist.kinds >> k & 1;
}

hidden bool hist_by(enum wire_hist_kind k, enum wire_hist_key key)
{
	return config.hist.key[k] == key;
}

/* Not static: the verifier looks at it once, and not on each way that leads to it. */
__noinline int hist_put(__u32 cell, __u64 value)
{
	struct wire_hist *h = bpf_map_lookup_elem(&hist_cells, &cell);
	__u32 slot = hist_slot(value);

	if (!h)
		return 0;
	h->sum += value;
	if (value > h->max)
		h->max = value;
	barrier_var(slot);
	h->slots[slot & (HIST_SLOTS - 1)]++;
	return 0;
}

hidden void hist_lose(enum wire_loss l)
{
	struct cpu *c = this_cpu();

	if (c)
		count_loss(c, l, 0);
}

hidden __u32 hist_cell(__u64 word)
{
	return config.hist.shared + (__u32)(word & 0xffff) * config.hist.width;
}

hidden void hist_christen(__u64 block, const char *name)
{
	__u32 at = block;
	struct hist_name *n = bpf_map_lookup_elem(&hist_names, &at);

	if (n)
		bpf_probe_read_kernel_str(n->name, sizeof(n->name), name);
}

/* The first cell of the block that this key has, or gets; of the rest's when there is none left. name: in the kernel, or 0. */
static __attribute__((noinline)) __u32 hist_block(__u32 rest, __u64 key, const char *name)
{
	__u32 zero = 0, at;
	struct wire_hist_index *x = bpf_map_lookup_elem(&hist_index, &zero);
	__u64 word, mine;

	if (!x)
		return rest;
	key++;
	at = (key * 0x9e3779b97f4a7c15ull) >> 40;
	for (int i = 0; i < WIRE_HIST_PROBES; i++, at++) {
		barrier_var(at);
		word = x->words[at & (WIRE_HIST_INDEX - 1)];
		if (word >> 16 == key)
			return hist_cell(word);
		if (word)
			continue;
		if (x->next >= config.hist.blocks)
			break;
		mine = __sync_fetch_and_add(&x->next, 1);
		if (mine >= config.hist.blocks)
			break;
		mine |= key << 16;
		word = __sync_val_compare_and_swap(&x->words[at & (WIRE_HIST_INDEX - 1)], 0, mine);
		if (!word) {
			if (name)
				hist_christen(mine & 0xffff, name);
			return hist_cell(mine);
		}
		if (word >> 16 == key)
			return hist_cell(word);
	}
	hist_lose(LOSS_HIST_KEYS);
	return rest;
}

/* ---- whom it is about ---- */

/* 7f203bc89eb6 (6.1) made ancestor_ids[] pointers. */
struct cgroup___ids {
	__u64 ancestor_ids[1];
} __attribute__((preserve_access_index));

hidden bool hist_in_group(struct task_struct *t)
{
	struct css_set *set = t->cgroups;
	struct cgroup *g = 0, *up = 0;
	__u64 id = 0;

	if (!set)
		return false;
	if (!config.hist.group_in) {
		g = BPF_CORE_READ(set, dfl_cgrp);
	} else {
		struct cgroup_subsys_state *css = 0;
		__u64 which = 0;

		if (config.hist.group_in == 1 &&
		    bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
			which = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
		else if (config.hist.group_in == 2 &&
			 bpf_core_enum_value_exists(enum cgroup_subsys_id, cpu_cgrp_id))
			which = bpf_core_enum_value(enum cgroup_subsys_id, cpu_cgrp_id);
		bpf_probe_read_kernel(&css, sizeof(css), &set->subsys[which & 15]);
		if (css)
			g = BPF_CORE_READ(css, cgroup);
	}
	if (!g || BPF_CORE_READ(g, level) < (int)config.hist.group_level)
		return false;
	if (bpf_core_field_exists(g->ancestors)) {
		bpf_probe_read_kernel(&up, sizeof(up), &g->ancestors[config.hist.group_level]);
		return up && BPF_CORE_READ(up, kn, id) == config.hist.group;
	}
	bpf_probe_read_kernel(&id, sizeof(id),
			      (__u64 *)&((struct cgroup___ids *)g)->ancestor_ids +
				      config.hist.group_level);
	return id == config.hist.group;
}

hidden bool hist_wants(struct task_struct *t)
{
	if (config.hist.pid && tgid_of(t) != config.hist.pid)
		return false;
	return !config.hist.group || hist_in_group(t);
}

/* The block of a value that belongs to a task, for kinds whose only other keys are told where the value is. */
hidden __u32 hist_block_of(enum wire_hist_kind k, struct task_struct *t)
{
	if (hist_by(k, HIST_BY_PROCESS))
		return hist_block(config.hist.first[k], or_outside(tgid_of(t)),
				  t->group_leader->comm);
	return config.hist.first[k];
}

#endif
