/* SPDX-License-Identifier: Apache-2.0 */
/* One look at every process: stat, and how many files it has open.
 *
 * What is there, from the iterator or from the list of /proc, and the list of known processes are both sorted by number, so
 * a sweep is a merge. A kept file belongs to one process for ever: when its number is used again, reading says ESRCH, and
 * the new one is opened. */
#include "collectors/tasks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/root.h"
#include "bpf/wire.h"

#define PIDS_MAX 8388608 /* twice PID_MAX_LIMIT: no honest /proc has more */
#define CGROUPS_OF_ALL \
	4096 /* beyond so many processes only the followed ones are asked for their cgroup */
#define FDS_WORTH_LIMIT 48 /* with fewer open files nobody is near a limit that is in use */

/* ---- the list ---- */

static int add_pid(void *ctx, const char *name)
{
	struct tasks *t = ctx;
	struct text in = text_of(name);
	uint64_t pid;

	if (*name < '1' || *name > '9' || !text_is_u64(in, &pid) || pid > INT32_MAX)
		return 0;
	if (t->npids == PIDS_MAX)
		return 0;
	t->pids = mem_grow(t->pids, &t->pids_cap, t->npids + 1, sizeof(*t->pids));
	t->pids[t->npids++] = (int32_t)pid;
	return 0;
}

static int by_number(const void *x, const void *y)
{
	const int32_t a = *(const int32_t *)x, b = *(const int32_t *)y;

	return (a > b) - (a < b);
}

static int list_pids(struct tasks *t)
{
	bool sorted = true;
	size_t n = 0;
	int err;

	t->npids = 0;
	err = root_list(t->env->root, "proc", add_pid, t);
	if (err < 0)
		return err;
	for (size_t i = 1; i < t->npids && sorted; i++)
		sorted = t->pids[i - 1] < t->pids[i];
	if (sorted)
		return 0;
	qsort(t->pids, t->npids, sizeof(*t->pids), by_number);
	for (size_t i = 0; i < t->npids; i++)
		if (!n || t->pids[n - 1] != t->pids[i])
			t->pids[n++] = t->pids[i];
	t->npids = n;
	return 0;
}

/* ---- one process ---- */

static ssize_t read_stat(struct tasks *t, struct proc *p, struct task_stat *st)
{
	char path[40];
	ssize_t n;

	snprintf(path, sizeof(path), "proc/%d/stat", p->pid);
	n = task_read(t, &p->fd, path);
	if (n < 0 && p->fd >= 0) {
		task_close(t,
			   &p->fd); /* that one is gone; perhaps the number was given to another */
		n = task_read(t, &p->fd, path);
	}
	if (n < 0)
		return n;
	return task_parse_stat(task_text(t, n), st) ? n : -EINVAL;
}

void tasks_forget(struct tasks *t, struct proc *p)
{
	if (p->followed)
		tasks_unfollow(t, p->followed);
	task_close(t, &p->fd);
	mem_free(p->told);
	*p = (struct proc){ .pid = p->pid, .fd = -1 };
}

static void take(struct proc *p, const struct task_stat *st, bool first_sweep)
{
	p->ppid = (int32_t)st->f[4];
	p->state = (char)st->f[3];
	p->kthread = st->f[9];
	p->threads = (uint32_t)st->f[20];
	p->cpu = (st->f[14] + st->f[15] + st->f[16] + st->f[17]) / st->tick;
	p->faults = st->f[10] + st->f[12];
	if (p->start)
		return;
	p->start = st->f[22];
	/* what came after the first look began at zero, and all that it did was done in the window */
	p->cpu0 = first_sweep ? p->cpu : 0;
	p->faults0 = first_sweep ? p->faults : 0;
	p->old = first_sweep;
}

/* ---- files of a process ---- */

static int count_name(void *ctx, const char *name)
{
	(void)name;
	++*(uint32_t *)ctx;
	return 0;
}

/* Since 6.2 the size of /proc/PID/fd is the number of open files, which costs half a microsecond; before, it is 0. */
static bool fds_of_self(void)
{
	struct stat st;

	return !stat("/proc/self/fd", &st) && st.st_size > 0;
}

static void count_fds(struct tasks *t, struct proc *p)
{
	uint32_t n = 0;
	struct stat st;
	char path[40];

	if (t->fds_by_stat < 0)
		t->fds_by_stat = fds_of_self();
	snprintf(path, sizeof(path), "proc/%d/fd", p->pid);
	p->has_fds = p->fds_from_table = false;
	if (t->env->root->live) {
		if (fstatat(t->env->root->fd, path, &st, 0))
			return;
		if (!p->from_table || !p->has_owner) {
			p->owner = st.st_uid;
			p->has_owner = true;
		}
		if (t->fds_by_stat) {
			p->fds = st.st_size > UINT32_MAX ? UINT32_MAX : (uint32_t)st.st_size;
			p->has_fds = true;
			return;
		}
	}
	if (t->nprocs > CGROUPS_OF_ALL && !p->followed)
		return;
	if (root_list(t->env->root, path, count_name, &n) < 0)
		return;
	p->fds = n;
	p->has_fds = true;
}

static void read_limits(struct tasks *t, struct proc *p)
{
	struct task_limits l;
	char path[40];
	ssize_t n;

	p->limits_read = true;
	snprintf(path, sizeof(path), "proc/%d/limits", p->pid);
	n = task_read(t, NULL, path);
	task_parse_limits(task_text(t, n), &l);
	p->fd_limit = l.has_files ? l.files : 0;
	p->task_limit = l.has_tasks ? l.tasks : 0;
}

/* A process may have been moved just after it was born: ask a second time. */
static void read_cgroup(struct tasks *t, struct proc *p)
{
	struct text all;
	char path[40];
	ssize_t n;

	snprintf(path, sizeof(path), "proc/%d/cgroup", p->pid);
	n = task_read(t, NULL, path);
	if (n <= 0)
		return;
	all = task_text(t, n);
	if ((size_t)n == TASK_TEXT) { /* cut at a line's end: half a path is another path */
		const char *end = text_last(all, '\n');

		all.end = end ? end : all.p;
	}
	p->cgroup = names_id(&t->names, text_trim(all));
}

/* ---- rows ---- */

/* What the iterator said, to be said again as long as the process does not move. */
struct told {
	uint64_t start; /* in ticks */
	char comm[WIRE_NAME_MAX + 1];
	uint64_t cells[]; /* as table_columns[] */
};

static void keep_told(struct tasks *t, struct proc *p, const struct task_stat *st)
{
	if (!p->told)
		p->told = mem_alloc(sizeof(*p->told) + t->ntable_columns * sizeof(*p->told->cells));
	p->told->start = st->f[22];
	text_copy(p->told->comm, sizeof(p->told->comm), st->comm);
	for (unsigned i = 0; i < t->ntable_columns; i++)
		p->told->cells[i] = st->f[t->table_columns[i].col];
}

static void put_told(struct tasks *t, struct proc *p, struct snapshot *out)
{
	const struct told *told = p->told;
	const struct stat_column *c = t->table_columns;

	p->row = snapshot_row(out, SCOPE_PROCESS, (struct row_id){ (uint64_t)p->pid, told->start },
			      told->comm, strlen(told->comm));
	for (unsigned i = 0; i < t->ntable_columns; i++)
		snapshot_set_column(out, SCOPE_PROCESS, c[i].column, p->row, told->cells[i],
				    c[i].source);
}

static void put_row(struct tasks *t, struct proc *p, const struct task_stat *st,
		    struct snapshot *out)
{
	const struct stat_column *c = p->from_table ? t->table_columns : t->proc_columns;
	unsigned n = p->from_table ? t->ntable_columns : t->nproc_columns;

	p->row = snapshot_row(out, SCOPE_PROCESS, (struct row_id){ st->f[1], st->f[22] },
			      st->comm.p, text_len(st->comm));
	for (unsigned i = 0; i < n; i++)
		if (c[i].col <= st->n)
			snapshot_set_column(out, SCOPE_PROCESS, c[i].column, p->row,
					    st->f[c[i].col], c[i].source);
}

static void put_more(struct tasks *t, const struct proc *p, struct snapshot *out, size_t row)
{
	const char *cgroup = names_text(&t->names, p->cgroup);
	enum file_id owner = p->from_table ? F_BPF_TABLE : F_PID_FD;
	enum file_id fds = p->fds_from_table ? F_BPF_TABLE : F_PID_FD;

	if (p->has_fds)
		snapshot_set(out, M_PROC_FDS, row, p->fds, metric_source(M_PROC_FDS, fds));
	if (p->has_owner)
		snapshot_set(out, M_PROC_OWNER, row, p->owner, metric_source(M_PROC_OWNER, owner));
	if (p->fd_limit)
		snapshot_set(out, M_PROC_FD_LIMIT, row, p->fd_limit,
			     metric_source(M_PROC_FD_LIMIT, F_PID_LIMITS));
	if (p->task_limit)
		snapshot_set(out, M_PROC_NPROC_LIMIT, row, p->task_limit,
			     metric_source(M_PROC_NPROC_LIMIT, F_PID_LIMITS));
	if (*cgroup)
		snapshot_set_text(out, M_PROC_CGROUP, row, cgroup, strlen(cgroup),
				  metric_source(M_PROC_CGROUP, F_PID_CGROUP));
	if (p->children)
		snapshot_set(out, M_PROC_CHILDREN, row, p->children,
			     metric_source(M_PROC_CHILDREN, F_TASK_SWEEP));
	if (p->zombies)
		snapshot_set(out, M_PROC_ZOMBIES, row, p->zombies,
			     metric_source(M_PROC_ZOMBIES, F_TASK_SWEEP));
}

/* ---- the sweep ---- */

static void count_children(struct tasks *t)
{
	for (size_t i = 0; i < t->nprocs; i++)
		t->procs[i].children = t->procs[i].zombies = 0;
	for (size_t i = 0; i < t->nprocs; i++) {
		struct proc *parent = task_proc(t, t->procs[i].ppid);

		if (!parent)
			continue;
		if (t->procs[i].state == 'Z')
			parent->zombies++;
		else
			parent->children++;
	}
}

static void ask_more(struct tasks *t, struct proc *p)
{
	if (p->kthread || p->state == 'Z')
		return;
	if (!p->fds_fresh && (!p->has_fds || p->followed || !t->sweeps || t->env->closing))
		count_fds(t, p); /* of the others at both ends of the window */
	if (!p->limits_read && (p->followed || (p->has_fds && p->fds >= FDS_WORTH_LIMIT)))
		read_limits(t, p);
	if ((!p->cgroup || (!p->old && p->cgroup_reads < 2)) &&
	    (p->followed || t->nprocs <= CGROUPS_OF_ALL)) {
		p->cgroup_reads++;
		read_cgroup(t, p);
	}
}

/* What the iterator has found, as if it had been read from stat and fd. */
static void take_record(struct tasks *t, struct proc *p, const struct wire_row *w,
			struct task_stat *st)
{
	table_stat(w, t->env->host, t->table.shift_ns, st);
	if (p->start && p->start != st->f[22])
		tasks_forget(t, p); /* the same number, another process */
	task_close(t, &p->fd);
	table_times(w, &p->shown_utime, &p->shown_stime);
	st->f[14] = p->shown_utime;
	st->f[15] = p->shown_stime;
	p->fds_fresh = w->full && w->has_fds;
	if (w->full) {
		p->fds = w->fds;
		p->has_fds = p->fds_from_table = w->has_fds;
		p->owner = w->uid;
		p->has_owner = true;
	} else if (st->f[3] == 'Z') {
		p->has_fds = false; /* it has let go of them */
	}
}

/* Read one process into its place, from its record if there is one; false: it is gone. */
static bool visit(struct tasks *t, struct proc *p, const struct wire_row *w, struct snapshot *out)
{
	struct task_stat st;

	if (w) {
		take_record(t, p, w, &st);
	} else if (read_stat(t, p, &st) < 0 || (int32_t)st.f[1] != p->pid) {
		tasks_forget(t, p);
		return false;
	} else if (p->start && p->start != st.f[22]) {
		tasks_forget(t, p);
	}
	p->from_table = w != NULL;
	p->fds_fresh &= p->from_table;
	take(p, &st, !t->sweeps);
	put_row(t, p, &st, out);
	if (w && t->env->live) {
		keep_told(t, p, &st);
	} else {
		mem_free(p->told);
		p->told = NULL;
	}
	return true;
}

/* One that has not moved since it was told of; whom we do not know like that is read. */
static bool visit_idle(struct tasks *t, struct proc *p, const struct wire_idle *w,
		       struct snapshot *out)
{
	uint64_t tick = 1000000000u / t->env->host->ticks_per_second;

	if (!p->told || p->told->start != (w->start + (uint64_t)t->table.shift_ns) / tick)
		return visit(t, p, NULL, out);
	p->from_table = true;
	p->fds_fresh = false;
	put_told(t, p, out);
	return true;
}

/* known processes before this sweep:  |kept …|…|at …………|, and behind them those that are new */
struct merge {
	struct tasks *t;
	struct snapshot *out;
	size_t known, kept, at;
	size_t hidden, hidden_kept; /* of t->table.hidden */
	int32_t last;               /* number that came last */
};

static bool visit_either(struct merge *m, struct proc *p, const struct wire_row *w)
{
	if (w && w->size == sizeof(struct wire_idle))
		return visit_idle(m->t, p, (const struct wire_idle *)(const void *)w, m->out);
	return visit(m->t, p, w, m->out);
}

/* w: its record, which may be a struct wire_idle; NULL: it is read from /proc. */
static bool merge_one(struct merge *m, int32_t pid, const struct wire_row *w)
{
	struct tasks *t = m->t;
	struct proc *p;

	m->last = pid;
	for (; m->at < m->known && t->procs[m->at].pid < pid; m->at++)
		tasks_forget(t, &t->procs[m->at]);
	if (m->at < m->known && t->procs[m->at].pid == pid) {
		p = &t->procs[m->at++];
		if (visit_either(m, p, w)) {
			if (p != &t->procs[m->kept]) /* until somebody has gone, all stay */
				t->procs[m->kept] = *p;
			m->kept++;
			return true;
		}
	} else {
		t->procs = mem_grow(t->procs, &t->procs_cap, t->nprocs + 1, sizeof(*t->procs));
		p = &t->procs[t->nprocs];
		*p = (struct proc){ .pid = pid, .fd = -1 };
		if (visit_either(m, p, w)) {
			t->nprocs++;
			return true;
		}
	}
	t->unseen++;
	return false;
}

static void merge_end(struct merge *m)
{
	struct tasks *t = m->t;

	for (; m->at < m->known; m->at++)
		tasks_forget(t, &t->procs[m->at]);
	if (t->nprocs)
		memmove(t->procs + m->kept, t->procs + m->known,
			(t->nprocs - m->known) * sizeof(*t->procs));
	t->nprocs -= m->known - m->kept;
	if (m->kept && m->kept < t->nprocs && t->procs[m->kept].pid < t->procs[m->kept - 1].pid)
		qsort(t->procs, t->nprocs, sizeof(*t->procs), proc_by_pid);
}

/* ---- through the iterator ---- */

/* Those that only /proc shows, up to but without this number. */
static void merge_hidden(struct merge *m, int32_t below)
{
	struct task_table *tb = &m->t->table;

	for (; m->hidden < tb->nhidden && tb->hidden[m->hidden] < below; m->hidden++)
		if (merge_one(m, tb->hidden[m->hidden], NULL))
			tb->hidden[m->hidden_kept++] = tb->hidden[m->hidden];
}

static void merge_record(void *ctx, const void *record)
{
	const struct wire_row *w = record;
	struct merge *m = ctx;
	struct task_table *tb = &m->t->table;
	int32_t pid = (int32_t)w->pid;

	if (pid <= m->last)
		return; /* they come by number: this one came into being behind our back, under a number from below */
	merge_hidden(m, pid);
	if (m->hidden < tb->nhidden && tb->hidden[m->hidden] == pid)
		m->hidden++; /* it has shown itself, or the number has another owner */
	merge_one(m, pid, w->size == sizeof(*w) && w->cut ? NULL : w);
}

static uint64_t threads_of_all(const struct tasks *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->nprocs; i++)
		n += t->procs[i].threads;
	return n;
}

static void add_hidden(struct task_table *tb, int32_t pid)
{
	tb->hidden = mem_grow(tb->hidden, &tb->hidden_cap, tb->nhidden + 1, sizeof(*tb->hidden));
	tb->hidden[tb->nhidden++] = pid;
}

/* Who is in /proc and was not among the records. What is younger than the sweep is not hidden: it will be in the next. */
static int find_hidden(struct tasks *t, struct snapshot *out, uint64_t began_ticks)
{
	size_t known = t->nprocs, at = 0;
	int err = list_pids(t);

	if (err)
		return err;
	for (size_t i = 0; i < t->npids; i++) {
		struct proc *p;

		while (at < known && t->procs[at].pid < t->pids[i])
			at++;
		if (at < known && t->procs[at].pid == t->pids[i])
			continue;
		t->procs = mem_grow(t->procs, &t->procs_cap, t->nprocs + 1, sizeof(*t->procs));
		p = &t->procs[t->nprocs];
		*p = (struct proc){ .pid = t->pids[i], .fd = -1 };
		if (!visit(t, p, NULL, out))
			continue;
		t->nprocs++;
		if (p->start < began_ticks)
			add_hidden(&t->table, p->pid);
	}
	if (known < t->nprocs)
		qsort(t->procs, t->nprocs, sizeof(*t->procs), proc_by_pid);
	if (t->table.nhidden)
		qsort(t->table.hidden, t->table.nhidden, sizeof(*t->table.hidden), by_number);
	return 0;
}

/* Is somebody missing? That costs two reads of /proc/loadavg, and the list only when the numbers do not fit. */
static int look_for_hidden(struct tasks *t, struct snapshot *out, struct table_count *c,
			   uint64_t began_ticks)
{
	struct task_table *tb = &t->table;
	int err;

	c->whole = tb->whole && task_loadavg(t, &c->after, &c->last_after);
	c->shown = threads_of_all(t);
	if (!table_must_list(c, tb->gap))
		return 0;
	err = find_hidden(t, out, began_ticks);
	c->whole = c->whole && task_loadavg(t, &c->after, &c->last_after);
	c->shown = threads_of_all(t);
	tb->gap = c->whole ? table_gap(c) : 0;
	return err;
}

/* ---- the sweep ---- */

/* Those of /proc that have not come yet. */
static int merge_files(struct merge *m)
{
	struct tasks *t = m->t;
	int err = list_pids(t);

	for (size_t i = 0; !err && i < t->npids; i++)
		if (t->pids[i] > m->last)
			merge_one(m, t->pids[i], NULL);
	return err;
}

static int sweep_iterator(struct merge *m)
{
	struct tasks *t = m->t;
	struct task_table *tb = &t->table;
	uint64_t began_ticks = clock_boot_ns() / (1000000000u / t->env->host->ticks_per_second);
	struct table_count c = { 0 };
	int err;

	tb->whole = tb->whole && task_loadavg(t, &c.before, &c.last_before);
	if (table_sweep(t, merge_record, m)) {
		tb->nhidden = 0; /* the rest comes from /proc, and they among it */
		err = merge_files(m);
		merge_end(m);
		return err;
	}
	merge_hidden(m, INT32_MAX);
	tb->nhidden = m->hidden_kept;
	merge_end(m);
	return look_for_hidden(t, m->out, &c, began_ticks);
}

int tasks_sweep(struct tasks *t, struct snapshot *out)
{
	struct merge m = { .t = t, .out = out, .known = t->nprocs };
	int err;

	snapshot_reserve(out, SCOPE_PROCESS, t->nprocs);
	if (t->table.way == TABLE_ITERATOR) {
		err = sweep_iterator(&m);
	} else {
		err = merge_files(&m);
		if (err)
			return err;
		merge_end(&m);
	}
	if (!err)
		count_children(t);
	return err;
}

void tasks_sweep_put(struct tasks *t, struct snapshot *out)
{
	for (size_t i = 0; i < t->nprocs; i++) {
		ask_more(t, &t->procs[i]);
		put_more(t, &t->procs[i], out, t->procs[i].row);
	}
}
