/* SPDX-License-Identifier: Apache-2.0 */
/* Processes and threads.
 *
 * Where there are many, a BPF iterator reads them all at once; else each costs one pread of a file that stays open. What
 * costs more is asked only of those that did something.
 * A machine with three hundred processes is swept each second, one with a hundred thousand at the two ends of the
 * window and as often in between as a fixed share of one CPU allows: see sweep_due(). */
#include "collectors/tasks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/root.h"
#include "collectors/table.h"

#define FILES_MAX    8192u /* kept open at most */
#define FILES_SPARED 96u   /* of the limit, for everybody else */
#define SWEEP_SHARE  1600u /* a sweep's CPU time, as a part of the time until the next: 0.06 % */
#define SETTLED_NS   900000000u /* after this long, who moved is known well enough */
#define PROBE_NS     4000000000u

/* ---- shared helpers ---- */

uint64_t task_cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

void task_close(struct tasks *t, int *keep)
{
	if (*keep < 0)
		return;
	close(*keep);
	*keep = -1;
	t->fds--;
}

ssize_t task_read(struct tasks *t, int *keep, const char *path)
{
	int fd = keep && *keep >= 0 ? *keep : root_openat(t->env->root, path);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = pread(fd, t->text, TASK_TEXT, 0);
	if (n < 0)
		n = -errno;
	if (keep && *keep >= 0)
		return n;
	if (keep && n >= 0 && t->env->root->live && t->fds < t->fds_max) {
		*keep = fd;
		t->fds++;
	} else {
		close(fd);
	}
	return n;
}

struct text task_text(const struct tasks *t, ssize_t n)
{
	return text_n(t->text, n > 0 ? (size_t)n : 0);
}

/* "0.08 0.03 0.01 2/345 6789": threads in all after the slash, then the number that was given last. */
bool task_loadavg(struct tasks *t, uint64_t *threads, int32_t *last_pid)
{
	ssize_t n = task_read(t, &t->fd_loadavg, "proc/loadavg");
	struct text in = task_text(t, n), word, running;
	uint64_t last;

	for (int i = 0; i < 4; i++)
		if (!text_word(&in, &word))
			return false;
	if (!text_until(&word, '/', &running) || !text_is_u64(word, threads))
		return false;
	if (!text_word(&in, &word) || !text_is_u64(word, &last) || last > INT32_MAX)
		return false;
	*last_pid = (int32_t)last;
	return true;
}

int proc_by_pid(const void *x, const void *y)
{
	const struct proc *a = x, *b = y;

	return (a->pid > b->pid) - (a->pid < b->pid);
}

struct proc *task_proc(struct tasks *t, int32_t pid)
{
	struct proc key = { .pid = pid };

	return t->nprocs ? bsearch(&key, t->procs, t->nprocs, sizeof(key), proc_by_pid) : NULL;
}

/* ---- names ---- */

#define NAMES_MAX   4096u
#define NAMES_BYTES (4u << 20)

static uint32_t name_hash(struct text t)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (const char *p = t.p; p < t.end; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3u;
	return (uint32_t)(h ^ h >> 32);
}

static uint32_t *name_slot(const struct names *ns, struct text t)
{
	size_t i = name_hash(t) & (ns->nslots - 1);

	for (; ns->slots[i]; i = (i + 1) & (ns->nslots - 1)) {
		const char *have = ns->text.data + ns->slots[i];

		if (strlen(have) == text_len(t) && !memcmp(have, t.p, text_len(t)))
			break;
	}
	return &ns->slots[i];
}

uint32_t names_id(struct names *ns, struct text t)
{
	uint32_t *slot, id;

	if (!text_len(t) || memchr(t.p, '\0', text_len(t)))
		return 0;
	if (!ns->slots) {
		ns->nslots = 2 * NAMES_MAX;
		ns->slots = mem_array(ns->nslots, sizeof(*ns->slots));
		buf_char(&ns->text, '\0');
	}
	slot = name_slot(ns, t);
	id = *slot;
	if (id)
		return id;
	if (ns->n >= NAMES_MAX || ns->text.len + text_len(t) >= NAMES_BYTES)
		return 0;
	ns->n++;
	id = (uint32_t)ns->text.len;
	buf_add(&ns->text, t.p, text_len(t));
	buf_char(&ns->text, '\0');
	*slot = id;
	return id;
}

const char *names_text(const struct names *ns, uint32_t id)
{
	return id && id < ns->text.len ? ns->text.data + id : "";
}

void names_done(struct names *ns)
{
	buf_done(&ns->text);
	mem_free(ns->slots);
	*ns = (struct names){ 0 };
}

void votes_add(struct votes *v, uint32_t id, uint32_t weight)
{
	unsigned least = 0;

	for (unsigned i = 0; i < 3; i++) {
		if (v->n[i] && v->id[i] == id) {
			v->n[i] += weight;
			return;
		}
		if (v->n[i] < v->n[least])
			least = i;
	}
	if (v->n[least] > weight) {
		v->n[least] -=
			weight; /* Misra and Gries: a rare name wears others down instead of entering */
		return;
	}
	v->id[least] = id;
	v->n[least] = weight;
}

uint32_t votes_winner(const struct votes *v)
{
	unsigned best = 0;

	for (unsigned i = 1; i < 3; i++)
		if (v->n[i] > v->n[best])
			best = i;
	return v->n[best] ? v->id[best] : 0;
}

/* ---- the collector ---- */

static unsigned columns_of(enum file_id file, enum scope scope, struct stat_column *out,
			   unsigned max)
{
	unsigned n = 0;

	for (unsigned c = 0; c < scope_columns(scope) && n < max; c++) {
		enum metric_id id = scope_metric(scope, c);
		unsigned source = metric_source(id, file);
		int col = source ? metric_get(id)->sources[source - 1].col : 0;

		if (col > 0 && col <= (int)TABLE_COLUMNS)
			out[n++] = (struct stat_column){ id, (unsigned)col, source, c };
	}
	return n;
}

/* sixty itself uses no select(), so more files than 1024 are safe; children that are started for what may block use none. */
static unsigned files_bound(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl))
		return 0;
	if (rl.rlim_cur < FILES_MAX && rl.rlim_cur < rl.rlim_max) {
		struct rlimit more = { rl.rlim_max < FILES_MAX ? rl.rlim_max : FILES_MAX,
				       rl.rlim_max };

		if (!setrlimit(RLIMIT_NOFILE, &more))
			rl = more;
	}
	if (rl.rlim_cur > FILES_MAX)
		rl.rlim_cur = FILES_MAX;
	return rl.rlim_cur > 2 * FILES_SPARED ? (unsigned)rl.rlim_cur - FILES_SPARED : 0;
}

static int tasks_open(void *state, const struct collector_env *env, struct err *e)
{
	struct tasks *t = state;

	(void)e;
	t->env = env;
	t->text = mem_alloc(TASK_TEXT);
	t->fd_loadavg = -1;
	t->fds_by_stat = env->root->live ? -1 : 0;
	t->fds_max = files_bound();
	t->nproc_columns = columns_of(F_PID_STAT, SCOPE_PROCESS, t->proc_columns,
				      sizeof(t->proc_columns) / sizeof(*t->proc_columns));
	t->ntable_columns = columns_of(F_BPF_TABLE, SCOPE_PROCESS, t->table_columns,
				       sizeof(t->table_columns) / sizeof(*t->table_columns));
	t->nthread_columns = columns_of(F_TID_STAT, SCOPE_THREAD, t->thread_columns,
					sizeof(t->thread_columns) / sizeof(*t->thread_columns));
	table_open(t);
	return 0;
}

/* The first reading, the one a second later that tells who moves, the last one, and in between as often as the last sweep's
 * price allows. */
static bool sweep_due(const struct tasks *t, uint64_t now)
{
	return t->sweeps < 2 || t->env->closing || t->env->live ||
	       now - t->sweep_ns >= t->sweep_cost_ns * SWEEP_SHARE;
}

static void put_counts(const struct tasks *t, struct snapshot *out)
{
	uint64_t threads = 0, zombies = 0, stopped = 0, blocked = 0;
	size_t row = snapshot_system_row(out);

	for (size_t i = 0; i < t->nprocs; i++) {
		const struct proc *p = &t->procs[i];

		threads += p->threads;
		zombies += p->state == 'Z';
		stopped += p->state == 'T' || p->state == 't';
		blocked += p->state == 'D';
	}
	snapshot_set(out, M_PROCESSES, row, t->nprocs, metric_source(M_PROCESSES, F_TASK_SWEEP));
	snapshot_set(out, M_THREADS, row, threads, metric_source(M_THREADS, F_TASK_SWEEP));
	snapshot_set(out, M_ZOMBIES, row, zombies, metric_source(M_ZOMBIES, F_TASK_SWEEP));
	snapshot_set(out, M_STOPPED, row, stopped, metric_source(M_STOPPED, F_TASK_SWEEP));
	snapshot_set(out, M_BLOCKED_D, row, blocked, metric_source(M_BLOCKED_D, F_TASK_SWEEP));
	snapshot_set(out, M_THREADS_ACTIVE, row, t->nthreads,
		     metric_source(M_THREADS_ACTIVE, F_TASK_SWEEP));
	snapshot_set(out, M_TASKS_UNSEEN, row, t->unseen,
		     metric_source(M_TASKS_UNSEEN, F_TASK_SWEEP));
	table_put(t, out);
	snapshot_set(out, M_FLOCK_TURNS, row, t->flock_turns,
		     metric_source(M_FLOCK_TURNS, F_LOCKS));
	snapshot_set(out, M_SAMPLES_TAKEN, row, t->samples,
		     metric_source(M_SAMPLES_TAKEN, F_TID_SAMPLES));
	snapshot_set(out, M_SAMPLES_SKIPPED, row, t->skipped,
		     metric_source(M_SAMPLES_SKIPPED, F_TID_SAMPLES));
}

/* What could not be read is said once, at the end, when it is known. */
static void tell(const struct tasks *t)
{
	if (t->wchan_seen >= 20 && t->wchan_zero * 2 > t->wchan_seen)
		collector_status(t->env, "proc/PID/wchan", -EPERM,
				 "wait channels read as 0: run as root");
	else if (t->wchan_seen)
		collector_status(t->env, "proc/PID/wchan", 0, "%s", "");
	if (t->syscall_denied && !t->syscall_seen)
		collector_status(
			t->env, "proc/PID/syscall", -EPERM,
			"threads on futexes cannot be told apart: run as root (CAP_SYS_PTRACE)");
	else if (t->syscall_seen)
		collector_status(t->env, "proc/PID/syscall", 0, "%s", "");
}

/* Where somebody looks on all day and eBPF measures the same, samples are for what it does not tell: names of wait
 * channels, turns at locks. */
#define SELDOM_NS 450000000u

static bool samples_seldom(const struct tasks *t)
{
	return t->env->live && t->env->time_measured;
}

static int tasks_read(void *state, struct snapshot *out, struct err *e)
{
	struct tasks *t = state;
	uint64_t now = clock_boot_ns(), cpu = task_cpu_ns();
	int err;

	snapshot_begin(out, SCOPE_SYSTEM, now);
	if (!sweep_due(t, now)) {
		put_counts(t, out);
		return 0;
	}
	t->threads_due = t->env->edge || !samples_seldom(t);
	snapshot_begin(out, SCOPE_PROCESS, now);
	if (t->threads_due)
		snapshot_begin(out, SCOPE_THREAD, now);
	err = tasks_sweep(t, out);
	if (err)
		return err_errno(e, err, "cannot list /proc");
	if (!t->first_ns)
		t->first_ns = now;
	if ((!t->probes && now - t->first_ns >= SETTLED_NS) ||
	    (t->probes == 1 && now - t->first_ns >= PROBE_NS))
		lock_probe(t, now);
	if (t->threads_due)
		blocked_probe(t, now);
	tasks_follow(t, now);
	if (!samples_seldom(t))
		tasks_sample(t, now, true);
	tasks_sweep_put(t, out);
	tasks_follow_put(t, out, now);
	birth_put(t, out);
	flock_put(t, out);
	put_counts(t, out);
	if (t->env->closing) {
		files_look(t);
		files_put(t, out);
		tell(t);
	}
	t->sweeps++;
	t->sweep_ns = now;
	t->sweep_cost_ns = task_cpu_ns() - cpu;
	return 0;
}

static void tasks_tick(void *state, uint64_t now)
{
	struct tasks *t = state;

	if (!samples_seldom(t) || now - t->sampled_ns >= SELDOM_NS) {
		tasks_sample(t, now, false);
		t->sampled_ns = now;
	}
	flock_tick(t, now);
	birth_tick(t);
}

static void tasks_close_all(void *state)
{
	struct tasks *t = state;

	for (size_t i = 0; i < t->nprocs; i++)
		tasks_forget(t, &t->procs[i]);
	while (t->nfollowed)
		tasks_unfollow(t, t->list[t->nfollowed - 1]);
	task_close(t, &t->fd_loadavg);
	child_close(&t->locks_child);
	mem_free(t->procs);
	mem_free(t->pids);
	mem_free(t->table.hidden);
	mem_free(t->text);
	buf_done(&t->locks);
	names_done(&t->names);
}

const struct collector collector_tasks = {
	.name = "tasks",
	.what = "processes and their threads: time, state, memory, I/O, limits, what they wait for",
	.needs = "root for other users' processes",
	.pace = PACE_SECOND,
	.scopes = 1u << SCOPE_PROCESS | 1u << SCOPE_THREAD | 1u << SCOPE_SYSTEM,
	.files = NULL,
	.state_size = sizeof(struct tasks),
	.open = tasks_open,
	.read = tasks_read,
	.tick = tasks_tick,
	.close = tasks_close_all,
};
