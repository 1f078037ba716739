/* SPDX-License-Identifier: Apache-2.0 */
/* The processes that did something: their threads, I/O, memory by kind, switches.
 *
 * Whoever used a tick of CPU, faulted, sits in D, was stopped, or was born in the window is followed, the busiest
 * first, up to a bound. Who is followed stays so: a series that begins and ends in the middle tells nothing. In a watch
 * without an end that would be everybody in time: there it is who does something now, until it has been idle for a while. */
#include "collectors/tasks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/root.h"
#include "model/lost.h"

/* ---- who ---- */

struct candidate {
	uint64_t score;
	int32_t pid;
};

/* How much a process is worth looking at; 0: not at all. CPU ticks weigh most, then being blocked. */
static uint64_t score(const struct proc *p)
{
	uint64_t ticks = p->cpu > p->cpu0 ? p->cpu - p->cpu0 : 0,
		 faults = p->faults > p->faults0 ? p->faults - p->faults0 : 0;
	uint64_t s = ticks * 1000 + (faults < 1000 ? faults : 1000);

	if (p->fd_limit && p->fds >= p->fd_limit - p->fd_limit / 10)
		s += 200; /* short of descriptors: does it still do something? */

	switch (p->state) {
	case 'Z':
	case 'X':
		return 0;
	case 'D':
		return s + 5000;
	case 'R':
		return s + 500;
	case 'T':
	case 't':
		return s + 300;
	default:
		return s + (p->old || p->kthread ? 0 : 1);
	}
}

static int best_first(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;

	if (a->score != b->score)
		return a->score < b->score ? 1 : -1;
	return (a->pid > b->pid) - (a->pid < b->pid);
}

/* The pid of a process in a fixture may be anything, so this one's own is left out only on the live machine. */
struct followed *tasks_follow_one(struct tasks *t, struct proc *p, uint64_t now)
{
	struct followed *f;

	if (p->followed || t->nfollowed == FOLLOWED_MAX)
		return p->followed;
	f = mem_alloc(sizeof(*f));
	f->pid = p->pid;
	f->start = p->start;
	f->fd_io = -1;
	f->kthread = p->kthread;
	f->last_ns = now;
	p->followed = f;
	t->list[t->nfollowed++] = f;
	tasks_follow_threads(t, f, now);
	return f;
}

static void close_thread(struct tasks *t, struct thread *th)
{
	task_close(t, &th->fd_sched);
	task_close(t, &th->fd_wchan);
	task_close(t, &th->fd_stat);
	task_close(t, &th->fd_syscall);
}

void tasks_unfollow(struct tasks *t, struct followed *f)
{
	for (size_t i = 0; i < f->n; i++)
		close_thread(t, &f->threads[i]);
	task_close(t, &f->fd_io);
	t->nthreads -= f->n;
	for (size_t i = 0; i < t->nfollowed; i++)
		if (t->list[i] == f) {
			t->list[i] = t->list[--t->nfollowed];
			break;
		}
	mem_free(f->threads);
	mem_free(f);
}

#define LIVE_LEAST 200u /* score: less than a tick, and not blocked */
#define LIVE_IDLE  5u   /* sweeps */

/* Who has been idle is let go; what others did is counted from here on. */
static void drop_idle(struct tasks *t)
{
	for (size_t i = t->nfollowed; i-- > 0;) {
		struct followed *f = t->list[i];
		struct proc *p = task_proc(t, f->pid);

		if (!p || p->followed != f)
			continue;
		f->idle = score(p) >= LIVE_LEAST ? 0 : f->idle + 1;
		if (f->idle < LIVE_IDLE)
			continue;
		p->followed = NULL;
		tasks_unfollow(t, f);
	}
}

static void begin_again(struct tasks *t)
{
	for (size_t i = 0; i < t->nprocs; i++) {
		t->procs[i].cpu0 = t->procs[i].cpu;
		t->procs[i].faults0 = t->procs[i].faults;
	}
}

void tasks_follow(struct tasks *t, uint64_t now)
{
	struct candidate *c = mem_array(t->nprocs + 1, sizeof(*c));
	uint64_t least = t->env->live ? LIVE_LEAST : 1;
	size_t n = 0;

	if (t->env->live)
		drop_idle(t);
	for (size_t i = 0; t->threads_due && i < t->nfollowed; i++)
		tasks_follow_threads(t, t->list[i], now);
	for (size_t i = 0; i < t->nprocs; i++) {
		const struct proc *p = &t->procs[i];
		uint64_t s = p->followed ? 0 : score(p);

		if (s >= least)
			c[n++] = (struct candidate){ s, p->pid };
	}
	if (n)
		qsort(c, n, sizeof(*c), best_first);
	for (size_t i = 0; i < n; i++) {
		struct proc *p = task_proc(t, c[i].pid);

		if (!p || !tasks_follow_one(t, p, now))
			t->unseen += t->env->closing;
	}
	if (t->env->live)
		begin_again(t);
	mem_free(c);
}

/* ---- threads ---- */

struct tid_list {
	int32_t tids[8192];
	size_t n;
};

static int add_tid(void *ctx, const char *name)
{
	struct tid_list *l = ctx;
	uint64_t tid;

	if (l->n < sizeof(l->tids) / sizeof(*l->tids) && text_is_u64(text_of(name), &tid) && tid &&
	    tid <= INT32_MAX)
		l->tids[l->n++] = (int32_t)tid;
	return 0;
}

static int by_number(const void *x, const void *y)
{
	const int32_t a = *(const int32_t *)x, b = *(const int32_t *)y;

	return (a > b) - (a < b);
}

static int by_tid(const void *x, const void *y)
{
	const struct thread *a = x, *b = y;

	return (a->tid > b->tid) - (a->tid < b->tid);
}

static struct thread *find_thread(struct followed *f, size_t n, int32_t tid)
{
	struct thread key = { .tid = tid };

	return n ? bsearch(&key, f->threads, n, sizeof(key), by_tid) : NULL;
}

static void drop_gone(struct tasks *t, struct followed *f)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->n; i++) {
		if (f->threads[i].gone) {
			close_thread(t, &f->threads[i]);
			continue;
		}
		if (kept != i)
			f->threads[kept] = f->threads[i];
		kept++;
	}
	t->unseen += f->n - kept; /* what they did last is not known */
	t->nthreads -= f->n - kept;
	f->n = kept;
}

static void add_thread(struct tasks *t, struct followed *f, int32_t tid, uint64_t now)
{
	f->threads = mem_grow(f->threads, &f->cap, f->n + 1, sizeof(*f->threads));
	f->threads[f->n++] = (struct thread){
		.tid = tid,
		.last_ns = now,
		.fd_sched = -1,
		.fd_wchan = -1,
		.fd_stat = -1,
		.fd_syscall = -1,
	};
	t->nthreads++;
}

/* Newcomers are added, those that went are dropped. Of a crowd beyond the bound an even part is taken, not the
 * oldest: pools grow at the end. */
void tasks_follow_threads(struct tasks *t, struct followed *f, uint64_t now)
{
	static struct tid_list l;
	size_t room = THREADS_OF_ONE, known = f->n, stride;
	char path[40];

	l.n = 0;
	snprintf(path, sizeof(path), "proc/%d/task", f->pid);
	root_list(t->env->root, path, add_tid, &l);
	qsort(l.tids, l.n, sizeof(*l.tids), by_number);
	for (size_t i = 0; i < known; i++)
		f->threads[i].gone =
			!bsearch(&f->threads[i].tid, l.tids, l.n, sizeof(*l.tids), by_number);
	drop_gone(t, f);
	known = f->n;
	if (room > THREADS_MAX - t->nthreads + known)
		room = THREADS_MAX - t->nthreads + known;
	stride = room > known ? (l.n - known + room - known - 1) / (room - known) : 0;
	for (size_t i = 0, fresh = 0; i < l.n && f->n < room; i++)
		if (!find_thread(f, known, l.tids[i]) && stride && fresh++ % stride == 0)
			add_thread(t, f, l.tids[i], now);
	if (f->n > known)
		qsort(f->threads, f->n, sizeof(*f->threads), by_tid);
	if (l.n - f->n > f->unseen)
		t->unseen += l.n - f->n - f->unseen;
	f->unseen = l.n - f->n;
}

/* ---- rows ---- */

static void put_io(struct tasks *t, struct followed *f, struct snapshot *out, size_t row)
{
	static const struct {
		const char *key;
		enum metric_id id;
	} keys[] = {
		{ "rchar: ", M_PROC_RCHAR },
		{ "wchar: ", M_PROC_WCHAR },
		{ "syscr: ", M_PROC_SYSCR },
		{ "syscw: ", M_PROC_SYSCW },
		{ "read_bytes: ", M_PROC_READ_BYTES },
		{ "write_bytes: ", M_PROC_WRITE_BYTES },
		{ "cancelled_write_bytes: ", M_PROC_CANCELLED_WRITE },
	};
	struct text all, line;
	char path[40];
	uint64_t v;

	snprintf(path, sizeof(path), "proc/%d/io", f->pid);
	all = task_text(t, task_read(t, t->env->live ? &f->fd_io : NULL, path));
	while (text_line(&all, &line))
		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
			if (text_skip(&line, keys[i].key) && text_is_u64(line, &v))
				snapshot_set(out, keys[i].id, row, v,
					     metric_source(keys[i].id, F_PID_IO));
}

static void put_cpus(struct tasks *t, const struct followed *f, struct snapshot *out, size_t row)
{
	const char *cpus = names_text(&t->names, f->cpus);

	if (*cpus)
		snapshot_set_text(out, M_PROC_CPUS_ALLOWED, row, cpus, strlen(cpus),
				  metric_source(M_PROC_CPUS_ALLOWED, F_PID_STATUS));
}

/* What the process table had at one moment, it does not need to say again. */
static void put_status(struct tasks *t, struct followed *f, bool from_table, struct snapshot *out,
		       size_t row)
{
	static const struct {
		enum status_field field;
		enum metric_id id;
	} fields[] = {
		{ STATUS_UID, M_PROC_UID },       { STATUS_ANON, M_PROC_RSS_ANON },
		{ STATUS_FILE, M_PROC_RSS_FILE }, { STATUS_SHMEM, M_PROC_RSS_SHMEM },
		{ STATUS_SWAP, M_PROC_SWAP },
	};
	struct task_status st;
	char path[40];

	if (from_table && !t->threads_due) { /* all but the allowed CPUs */
		put_cpus(t, f, out, row);
		return;
	}
	snprintf(path, sizeof(path), "proc/%d/status", f->pid);
	task_parse_status(task_text(t, task_read(t, NULL, path)), &st);
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields) && !from_table; i++)
		if (st.has & 1u << fields[i].field)
			snapshot_set(out, fields[i].id, row, st.f[fields[i].field],
				     metric_source(fields[i].id, F_PID_STATUS));
	if (text_len(st.cpus))
		f->cpus = names_id(&t->names, st.cpus);
	put_cpus(t, f, out, row);
}

/* A thread's switches are read again only if it was on a CPU since. The sum of the process is made of differences,
 * because a sum over living threads falls when one ends. */
static void read_switches(struct tasks *t, struct followed *f, struct thread *th, uint64_t slices)
{
	const unsigned both = 1u << STATUS_VCSW | 1u << STATUS_NVCSW;
	struct task_status st;
	char path[64];

	if (th->has_status && slices && th->status_slices == slices)
		return;
	snprintf(path, sizeof(path), "proc/%d/task/%d/status", f->pid, th->tid);
	task_parse_status(task_text(t, task_read(t, NULL, path)), &st);
	if ((st.has & both) != both)
		return;
	if (th->has_status || th->born) {
		f->vcsw += st.f[STATUS_VCSW] - th->vcsw;
		f->nvcsw += st.f[STATUS_NVCSW] - th->nvcsw;
	}
	f->has_switches = true;
	th->has_status = true;
	th->status_slices = slices;
	th->vcsw = st.f[STATUS_VCSW];
	th->nvcsw = st.f[STATUS_NVCSW];
	th->cpus = names_id(&t->names, st.cpus);
}

static bool read_thread_stat(struct tasks *t, struct followed *f, struct thread *th,
			     struct task_stat *st)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "proc/%d/task/%d/stat", f->pid, th->tid);
	n = task_read(t, &th->fd_stat, path);
	if (n < 0 || !task_parse_stat(task_text(t, n), st))
		return false;
	if (th->start && th->start != st->f[22])
		return false;
	if (!th->start) {
		th->start = st->f[22];
		th->born = (double)th->start * 1e9 / t->env->host->ticks_per_second >
			   (double)t->first_ns;
	}
	return true;
}

/* The number of slices, 0 when the kernel does not count them (no CONFIG_SCHED_INFO: all three are zero). */
static uint64_t put_sched(struct tasks *t, struct followed *f, struct thread *th,
			  struct snapshot *out, size_t row)
{
	struct task_sched sc;
	char path[64];

	snprintf(path, sizeof(path), "proc/%d/task/%d/schedstat", f->pid, th->tid);
	if (!task_parse_sched(task_text(t, task_read(t, &th->fd_sched, path)), &sc) ||
	    (!sc.slices && !sc.run_ns))
		return 0;
	snapshot_set(out, M_THREAD_RUN, row, sc.run_ns,
		     metric_source(M_THREAD_RUN, F_TID_SCHEDSTAT));
	snapshot_set(out, M_THREAD_RUNNABLE, row, sc.wait_ns,
		     metric_source(M_THREAD_RUNNABLE, F_TID_SCHEDSTAT));
	snapshot_set(out, M_THREAD_SLICES, row, sc.slices,
		     metric_source(M_THREAD_SLICES, F_TID_SCHEDSTAT));
	return sc.slices;
}

static void put_samples(struct tasks *t, const struct thread *th, struct snapshot *out, size_t row)
{
	const char *wchan = names_text(&t->names, votes_winner(&th->wchan));

	for (enum wait w = 0; w < WAIT_MAX && !t->env->time_measured; w++)
		if (wait_metric(w) != M_NONE)
			snapshot_set(out, wait_metric(w), row, th->wait_ns[w],
				     metric_source(wait_metric(w), F_TID_SAMPLES));
	snapshot_set(out, M_THREAD_SAMPLES, row, th->samples,
		     metric_source(M_THREAD_SAMPLES, F_TID_SAMPLES));
	if (*wchan)
		snapshot_set_text(out, M_THREAD_WCHAN, row, wchan, strlen(wchan),
				  metric_source(M_THREAD_WCHAN, F_TID_SAMPLES));
}

static void put_thread(struct tasks *t, struct followed *f, struct thread *th, struct snapshot *out)
{
	const char *cpus;
	struct task_stat st;
	size_t row;

	if (!read_thread_stat(t, f, th, &st)) {
		th->gone = true;
		return;
	}
	row = snapshot_row(out, SCOPE_THREAD, (struct row_id){ (uint64_t)th->tid, th->start },
			   st.comm.p, text_len(st.comm));
	for (unsigned i = 0; i < t->nthread_columns; i++) {
		const struct stat_column *c = &t->thread_columns[i];

		if (c->col <= st.n)
			snapshot_set(out, c->id, row, st.f[c->col], c->source);
	}
	snapshot_set(out, M_THREAD_PID, row, (uint64_t)f->pid,
		     metric_source(M_THREAD_PID, F_TID_STAT));
	read_switches(t, f, th, put_sched(t, f, th, out, row));
	put_samples(t, th, out, row);
	if (!th->has_status)
		return;
	cpus = names_text(&t->names, th->cpus);
	snapshot_set(out, M_THREAD_VCSW, row, th->vcsw, metric_source(M_THREAD_VCSW, F_TID_STATUS));
	snapshot_set(out, M_THREAD_NVCSW, row, th->nvcsw,
		     metric_source(M_THREAD_NVCSW, F_TID_STATUS));
	snapshot_set_text(out, M_THREAD_CPUS_ALLOWED, row, cpus, strlen(cpus),
			  metric_source(M_THREAD_CPUS_ALLOWED, F_TID_STATUS));
}

static void put_followed(struct tasks *t, struct followed *f, struct snapshot *out, uint64_t now)
{
	size_t row =
		snapshot_find(out, SCOPE_PROCESS, (struct row_id){ (uint64_t)f->pid, f->start });
	const struct proc *p = task_proc(t, f->pid);
	bool from_table = p && p->from_table;

	for (size_t i = 0; t->threads_due && i < f->n; i++)
		put_thread(t, f, &f->threads[i], out);
	drop_gone(t, f);
	if (row == SIZE_MAX)
		return;
	if (!f->kthread) {
		put_io(t, f, out, row);
		put_status(t, f, from_table, out, row);
	}
	if (f->has_switches && !from_table) {
		snapshot_set(out, M_PROC_VCSW, row, f->vcsw,
			     metric_source(M_PROC_VCSW, F_TID_STATUS));
		snapshot_set(out, M_PROC_NVCSW, row, f->nvcsw,
			     metric_source(M_PROC_NVCSW, F_TID_STATUS));
	}
	lock_put(t, f, out, row, now);
}

void tasks_follow_put(struct tasks *t, struct snapshot *out, uint64_t now)
{
	for (size_t i = 0; i < t->nfollowed; i++)
		put_followed(t, t->list[i], out, now);
}
