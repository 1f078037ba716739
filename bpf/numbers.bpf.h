/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Numbers of processes, as the PID namespace gives them that /proc is of: the only ones that a user can know.
 *
 * Nearly always that is the outermost namespace, where the kernel's own numbers are right: then config.nested is 0, and the
 * verifier removes all the rest. */
#ifndef SIXTY_BPF_NUMBERS_H
#define SIXTY_BPF_NUMBERS_H

#include "bpf/common.bpf.h"

struct ours {
	__u32 level; /* 0: the outermost, where the kernel's own numbers are right */
	struct pid_namespace *ns;
};

hidden void read_number(struct pid *pid, __u32 level, struct upid *up)
{
	bpf_probe_read_kernel(up, sizeof(*up),
			      (char *)pid + bpf_core_field_offset(struct pid, numbers) +
				      level * sizeof(*up));
}

/* The same for every record: found by whoever attaches the programs, before they are (ledger_ours). */
static struct ours found SEC(".bss.numbers");
static bool is_found SEC(".bss.numbers");

hidden void find_ours(struct ours *o)
{
	struct task_struct *me = bpf_get_current_task_btf();
	struct upid up = {};
	struct pid *pid;

	if (!is_found) {
		pid = BPF_CORE_READ(me, thread_pid);
		found.level = BPF_CORE_READ(pid, level);
		/* /proc may be of a namespace around our own */
		found.level -= config.below < found.level ? config.below : found.level;
		read_number(pid, found.level, &up);
		found.ns = up.ns;
		is_found = true;
	}
	*o = found;
}

/* 0: it has no number there. */
hidden __u32 number_of(struct pid *pid, const struct ours *o)
{
	struct upid up = {};

	if (!pid || BPF_CORE_READ(pid, level) < o->level)
		return 0;
	read_number(pid, o->level, &up);
	return up.ns == o->ns ? up.nr : 0;
}

/* Of a process that has no number there, in the tables of who took what from whom; in events it is 0. */
hidden __u32 or_outside(__u32 number)
{
	return number ? number : WIRE_OUTSIDE;
}

/* Of the process of a task, 0: it has none. */
hidden __u32 nested_tgid(struct task_struct *t)
{
	return number_of(BPF_CORE_READ(t, group_leader, thread_pid), &found);
}

hidden __u32 tgid_of(struct task_struct *t)
{
	return config.nested ? nested_tgid(t) : (__u32)t->tgid;
}

hidden __u32 tid_of(struct task_struct *t)
{
	return config.nested ? number_of(BPF_CORE_READ(t, thread_pid), &found) : (__u32)t->pid;
}

/* The same of a task that the verifier knows nothing about. */
hidden __u32 read_tgid_of(struct task_struct *t)
{
	return config.nested ? nested_tgid(t) : (__u32)BPF_CORE_READ(t, tgid);
}

hidden __u32 read_tid_of(struct task_struct *t)
{
	return config.nested ? tid_of(t) : (__u32)BPF_CORE_READ(t, pid);
}

#endif
