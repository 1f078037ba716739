/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that live too short for any sweep.
 *
 * /proc/loadavg ends in the number that was given last. When it moves, the newest few are looked at while they are
 * young: a sample of all births, which names the parents and what they start. */
#include "collectors/tasks.h"

#include <stdio.h>
#include <string.h>

#define LOOKS 3 /* newborns per tick */

static void add_birth(struct tasks *t, const struct task_status *st)
{
	int32_t parent = (int32_t)st->f[STATUS_PPID];
	size_t i = 0;

	while (i < t->nbroods && t->broods[i].parent != parent)
		i++;
	if (i == t->nbroods) {
		if (t->nbroods == BROODS)
			return;
		t->broods[t->nbroods++] = (struct brood){ .parent = parent };
	}
	t->broods[i].n++;
	votes_add(&t->broods[i].names, names_id(&t->names, st->name), 1);
}

/* Threads take numbers too, and /proc shows them when asked: only who leads a process counts. */
static void look_at(struct tasks *t, int32_t pid)
{
	const unsigned all = 1u << STATUS_TGID | 1u << STATUS_PPID;
	struct task_status st;
	char path[40];
	ssize_t n;

	snprintf(path, sizeof(path), "proc/%d/status", pid);
	n = task_read(t, NULL, path);
	if (n <= 0)
		return;
	task_parse_status(task_text(t, n), &st);
	if ((st.has & all) == all && st.f[STATUS_TGID] == (uint64_t)pid && st.f[STATUS_PPID] > 0 &&
	    st.f[STATUS_PPID] <= INT32_MAX)
		add_birth(t, &st);
}

void birth_tick(struct tasks *t)
{
	uint64_t threads;
	int32_t pid, from;

	if (!task_loadavg(t, &threads, &pid))
		return;
	from = t->last_pid;
	t->last_pid = pid;
	if (!from ||
	    pid <= from) /* the first look, nothing new, or the numbers began again from below */
		return;
	for (int i = 0; i < LOOKS && pid - i > from; i++)
		look_at(t, pid - i);
}

void birth_put(struct tasks *t, struct snapshot *out)
{
	for (size_t i = 0; i < t->nbroods; i++) {
		const struct brood *b = &t->broods[i];
		const struct proc *p = task_proc(t, b->parent);
		const char *name = names_text(&t->names, votes_winner(&b->names));
		size_t row = p ? snapshot_find(out, SCOPE_PROCESS,
					       (struct row_id){ (uint64_t)p->pid, p->start })
			       : SIZE_MAX;

		if (row == SIZE_MAX)
			continue;
		snapshot_set(out, M_PROC_NEWBORN, row, b->n,
			     metric_source(M_PROC_NEWBORN, F_PID_SAMPLES));
		if (*name)
			snapshot_set_text(out, M_PROC_NEWBORN_NAME, row, name, strlen(name),
					  metric_source(M_PROC_NEWBORN_NAME, F_PID_SAMPLES));
	}
}
