/* SPDX-License-Identifier: Apache-2.0 */
/* Processes whose first thread sleeps while others of their threads sit in state D.
 *
 * The state in /proc/PID/stat is that of the first thread only, and a thread that hangs on a disk uses no CPU and takes
 * no fault: nothing else would make anybody look at such a process. So when the kernel counts tasks that are blocked on
 * I/O, the threads of everybody who seems to do nothing are asked; when it counts none, a few are asked once, since
 * waits for a file system's server are not counted there. */
#include <stdio.h>

#include "base/root.h"
#include "base/text.h"
#include "collectors/tasks.h"

#define ASKED_BLOCKED 1024u /* threads, in one sweep */
#define ASKED_ONCE    192u
#define ASKED_OF_ONE  48u /* of one process: pools wait together */

/* "procs_blocked 3": one of the last lines of /proc/stat. */
static bool kernel_counts_blocked(struct tasks *t)
{
	struct text in, line;
	uint64_t v;

	if (root_read(t->env->root, "proc/stat", &t->locks, ROOT_FILE_CAP))
		return false;
	in = text_n(t->locks.data, t->locks.len);
	while (text_line(&in, &line))
		if (text_skip(&line, "procs_blocked "))
			return text_is_u64(line, &v) && v > 0;
	return false;
}

struct asking {
	struct tasks *t;
	int32_t pid;
	unsigned left, *budget;
};

static int ask_thread(void *ctx, const char *name)
{
	struct asking *a = ctx;
	struct task_stat st;
	char path[64];
	uint64_t tid;
	ssize_t n;

	if (!a->left || !*a->budget)
		return -1;
	if (!text_is_u64(text_of(name), &tid) || tid > INT32_MAX || (int32_t)tid == a->pid)
		return 0;
	a->left--;
	--*a->budget;
	snprintf(path, sizeof(path), "proc/%d/task/%d/stat", a->pid, (int)tid);
	n = task_read(a->t, NULL, path);
	return n > 0 && task_parse_stat(task_text(a->t, n), &st) && st.f[3] == 'D';
}

void blocked_probe(struct tasks *t, uint64_t now)
{
	bool counted = kernel_counts_blocked(t);
	unsigned budget = counted ? ASKED_BLOCKED : t->sweeps == 1 ? ASKED_ONCE : 0;
	size_t i = 0;

	for (; i < t->nprocs && budget; i++) {
		struct proc *p = &t->procs[(t->blocked_at + i) % t->nprocs];
		struct asking a = { .t = t, .pid = p->pid, .left = ASKED_OF_ONE, .budget = &budget };
		char path[40];

		if (p->kthread || p->followed || p->threads < 2 || p->state == 'D' ||
		    p->state == 'Z')
			continue;
		snprintf(path, sizeof(path), "proc/%d/task", p->pid);
		if (root_list(t->env->root, path, ask_thread, &a) == 1)
			tasks_follow_one(t, p, now);
	}
	t->blocked_at += i;
}
