/* SPDX-License-Identifier: Apache-2.0 */
/* What processes have open, as far as only the links tell: inotify instances, which are limited per user and counted
 * nowhere. A microsecond or two per open file of the whole machine, so it is done once, at the end, for a fixed price;
 * links are read and never followed. */
#include "collectors/tasks.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/root.h"

#define PRICE_NS 3000000u
#define STD_FDS  3u     /* who has no more has no inotify instance */
#define FDS_MOST 20000u /* of one process */

struct look {
	struct tasks *t;
	struct proc *p;
	uint64_t until_ns;
	uint32_t n;
};

static int look_at_link(void *ctx, const char *name)
{
	const struct root *root;
	struct look *l = ctx;
	char path[64], target[64];
	ssize_t n;

	if (++l->n > FDS_MOST || (l->n % 64 == 0 && task_cpu_ns() > l->until_ns))
		return 1;
	if (strlen(name) > 12)
		return 0;
	snprintf(path, sizeof(path), "proc/%d/fd/%s", l->p->pid, name);
	root = l->t->env->root;
	n = root->live ? readlinkat(root->fd, path, target, sizeof(target))
		       : root_readlink(root, path, target, sizeof(target));
	l->p->inotify += n > 0 && text_starts(text_n(target, (size_t)n), "anon_inode:inotify");
	return 0;
}

void files_look(struct tasks *t)
{
	uint64_t until = task_cpu_ns() + PRICE_NS;
	char path[40];

	t->looked_at = t->to_look_at = 0;
	for (size_t i = 0; i < t->nprocs; i++) {
		struct look l = { .t = t, .p = &t->procs[i], .until_ns = until };

		l.p->inotify = 0;
		if (l.p->kthread || l.p->state == 'Z')
			continue;
		t->to_look_at++;
		if (l.p->has_fds && l.p->fds <= STD_FDS) {
			t->looked_at++;
			continue;
		}
		if (task_cpu_ns() > until)
			continue;
		snprintf(path, sizeof(path), "proc/%d/fd", l.p->pid);
		t->looked_at += root_list(t->env->root, path, look_at_link, &l) <= 0;
	}
}

void files_put(struct tasks *t, struct snapshot *out)
{
	for (size_t i = 0; i < t->nprocs; i++) {
		const struct proc *p = &t->procs[i];

		if (p->inotify)
			snapshot_set(out, M_PROC_INOTIFY,
				     snapshot_find(out, SCOPE_PROCESS,
						   (struct row_id){ (uint64_t)p->pid, p->start }),
				     p->inotify, metric_source(M_PROC_INOTIFY, F_PID_FD));
	}
	snapshot_set(out, M_FD_WALK_SHARE, snapshot_system_row(out),
		     t->to_look_at ? t->looked_at * 1000 / t->to_look_at : 1000,
		     metric_source(M_FD_WALK_SHARE, F_PID_FD));
}
