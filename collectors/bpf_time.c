/* SPDX-License-Identifier: Apache-2.0 */
/* Where the time of threads goes: reads what the programs of bpf/sched.bpf.c have measured.
 *
 *   live threads (iterator) ─┐                    ┌─▶ TIME rows: one per process
 *   dead ones (sched_dead)  ─┴─▶ sums per process ┤
 *                                                 └─▶ short-lived children: one row per parent and name
 *   live threads that did something ──────────────▶ THREAD rows
 *   sched_pairs ──────────────────────────────────▶ PAIR rows
 *
 * All counts are cumulative since the first sweep, where each thread's account was opened; a process's sum never falls,
 * since what a thread did stays in it when the thread dies. */
#include "collectors/bpf_time.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "bpf/wire.h"
#include "collectors/table.h"

#define THREAD_ROWS  8192u      /* threads that get a row of their own */
#define THREAD_LEAST 1000000u   /* nanoseconds that it must have run or lost for that */
#define COUNTED_MAX  (1u << 20) /* processes */

/* What a part is called in the TIME and THREAD tables. */
static const struct {
	enum metric_id time, thread;
} columns[PART_MAX] = {
	[PART_RUN] = { M_TIME_RUN, M_NONE },
	[PART_STOLEN] = { M_TIME_STOLEN, M_NONE },
	[PART_RUNNABLE] = { M_TIME_RUNNABLE, M_NONE }, /* THREAD has the scheduler's own */
	[PART_THROTTLED] = { M_TIME_THROTTLED, M_THREAD_THROTTLED },
	[PART_DISK] = { M_TIME_DISK, M_THREAD_DISK },
	[PART_WRITEBACK] = { M_TIME_WRITEBACK, M_THREAD_WRITEBACK },
	[PART_RECLAIM] = { M_TIME_RECLAIM, M_THREAD_RECLAIM },
	[PART_FAULT] = { M_TIME_FAULT, M_THREAD_FAULT },
	[PART_KLOCK] = { M_TIME_KLOCK, M_THREAD_KLOCK },
	[PART_FROZEN] = { M_TIME_FROZEN, M_THREAD_FROZEN },
	[PART_FS] = { M_TIME_FS, M_THREAD_FS },
	[PART_UNINTERRUPTIBLE] = { M_TIME_D_OTHER, M_THREAD_D_OTHER },
	[PART_MUTEX] = { M_TIME_MUTEX, M_THREAD_MUTEX },
	[PART_FUTEX] = { M_TIME_FUTEX, M_THREAD_FUTEX },
	[PART_FLOCK] = { M_TIME_FLOCK, M_THREAD_FLOCK },
	[PART_SOCKET] = { M_TIME_SOCKET, M_THREAD_SOCKET },
	[PART_PIPE] = { M_TIME_PIPE, M_THREAD_PIPE },
	[PART_POLL] = { M_TIME_POLL, M_THREAD_POLL },
	[PART_TIMER] = { M_TIME_TIMER, M_THREAD_TIMER },
	[PART_CHILD] = { M_TIME_CHILD, M_THREAD_CHILD },
	[PART_SLEEP] = { M_TIME_SLEEP, M_THREAD_SLEEP },
	[PART_REPLY] = { M_TIME_REPLY, M_NONE },
	[PART_RESIDUAL] = { M_TIME_RESIDUAL, M_NONE },
};

/* Why locks were held; ROOT_UNKNOWN is what is left of the waits. */
static const enum metric_id root_columns[ROOT_MAX] = {
	[ROOT_CPU] = M_TIME_ROOT_CPU,
	[ROOT_RUNNABLE] = M_TIME_ROOT_RUNNABLE,
	[ROOT_THROTTLED] = M_TIME_ROOT_THROTTLED,
	[ROOT_DISK] = M_TIME_ROOT_DISK,
	[ROOT_MEMORY] = M_TIME_ROOT_MEMORY,
	[ROOT_SLEEP] = M_TIME_ROOT_SLEEP,
	[ROOT_REPLY] = M_TIME_ROOT_REPLY,
};

static const enum metric_id queued_columns[QUEUED_MAX] = {
	[QUEUED_BEHIND] = M_TIME_QUEUED_BEHIND, [QUEUED_CONFINED] = M_TIME_QUEUED_CONFINED,
	[QUEUED_PASSED] = M_TIME_QUEUED_PASSED, [QUEUED_WOKEN] = M_TIME_QUEUED_WOKEN,
	[QUEUED_DROWSY] = M_TIME_QUEUED_DROWSY, [QUEUED_REALTIME] = M_TIME_QUEUED_REALTIME,
	[QUEUED_IRQ] = M_TIME_QUEUED_IRQ,       [QUEUED_STEAL] = M_TIME_QUEUED_STEAL,
};

/* ---- accounts ---- */

struct account {
	uint64_t key, start; /* process id and start (ns), or a parent's and a name's */
	uint32_t pid, tid;
	bool kthread, alive; /* alive: a thread of it was met */
	char comm[WIRE_COMM];
	struct wire_bytes bytes;
	uint64_t short_lived, seen, utime, stime, exec, slices, open;
	uint64_t parts[PART_MAX], roots[ROOT_MAX], queued[QUEUED_MAX];
};

/* What samples say of a process. */
struct sampled {
	uint32_t pid;
	struct wire_sampled count;
};

struct place {
	unsigned column, source;
};

struct bpf_time {
	const struct collector_env *env;
	struct snapshot *out;     /* while it is read */
	struct account *accounts; /* as they came */
	size_t naccounts, accounts_cap;
	uint32_t *index; /* place in accounts + 1, at the hash of who it is; 0: free */
	size_t slots;    /* a power of two, more than half of them free */
	struct deep_stacks deep;
	struct sampled *samples; /* by pid */
	size_t nsamples, samples_cap;
	struct place places[M_MAX]; /* of TIME metrics */
	unsigned threads;
	bool has_io; /* the kernel accounts for block I/O by thread */
	uint64_t threads_left_out;
	int64_t shift_ns; /* what /proc adds to start times: a time namespace */
	uint32_t self;
	char *gone; /* keys that are to be deleted */
	size_t ngone, gone_cap;
	uint32_t *pids; /* that live, sorted */
	size_t npids, pids_cap;
};

static uint64_t hash_of(uint64_t key, uint64_t start)
{
	uint64_t h = key * 0x9e3779b97f4a7c15u ^ start;

	h *= 0xbf58476d1ce4e5b9u;
	return h ^ h >> 29;
}

static uint32_t *slot_of(const struct bpf_time *t, uint64_t key, uint64_t start)
{
	size_t i = hash_of(key, start) & (t->slots - 1);

	for (; t->index[i]; i = (i + 1) & (t->slots - 1)) {
		const struct account *a = &t->accounts[t->index[i] - 1];

		if (a->key == key && a->start == start)
			break;
	}
	return &t->index[i];
}

static bool make_room(struct bpf_time *t)
{
	size_t slots = t->slots ? 2 * t->slots : 1024;

	if (2 * (t->naccounts + 1) < t->slots)
		return true;
	if (t->naccounts >= COUNTED_MAX)
		return false;
	mem_free(t->index);
	t->index = mem_array(slots, sizeof(*t->index));
	t->slots = slots;
	for (size_t i = 0; i < t->naccounts; i++)
		*slot_of(t, t->accounts[i].key, t->accounts[i].start) = (uint32_t)i + 1;
	return true;
}

static struct account *account_of(struct bpf_time *t, uint64_t key, uint64_t start, uint32_t pid)
{
	uint32_t *slot;

	if (!make_room(t))
		return NULL;
	slot = slot_of(t, key, start);
	if (!*slot) {
		t->accounts = mem_grow(t->accounts, &t->accounts_cap, t->naccounts + 1,
				       sizeof(*t->accounts));
		t->accounts[t->naccounts++] =
			(struct account){ .key = key, .start = start, .pid = pid };
		*slot = (uint32_t)t->naccounts;
	}
	return &t->accounts[*slot - 1];
}

/* ---- live threads ---- */

/* D state is told apart by the kernel stack: what a stack means is known when it was seen before this sweep. */
static void settle_deep(struct bpf_time *t, const struct wire_task *w, uint64_t *parts)
{
	for (int i = 0; i < WIRE_DEEP; i++) {
		uint64_t ns = w->deep[i].ns;
		unsigned part;

		if (!w->deep[i].stack || ns > parts[PART_UNINTERRUPTIBLE])
			continue;
		part = deep_part(&t->deep, w->deep[i].stack);
		parts[PART_UNINTERRUPTIBLE] -= ns;
		parts[part] += ns;
	}
}

static bool is_lost(unsigned part)
{
	return (part >= PART_RUNNABLE && part <= PART_MUTEX && part != PART_FROZEN);
}

static uint64_t to_ticks(const struct bpf_time *t, uint64_t start_ns)
{
	unsigned hz = t->env->host->ticks_per_second;

	return (start_ns + (uint64_t)t->shift_ns) / (1000000000u / (hz ? hz : 100));
}

static void put_thread(struct bpf_time *t, const struct wire_task *w, const uint64_t *parts)
{
	uint64_t notable = parts[PART_RUN];
	size_t row;

	for (unsigned p = 0; p < PART_MAX; p++)
		if (is_lost(p))
			notable += parts[p];
	if (notable < THREAD_LEAST || w->tgid == WIRE_OUTSIDE)
		return;
	if (t->threads >= THREAD_ROWS) {
		t->threads_left_out++;
		return;
	}
	t->threads++;
	row = snapshot_row(t->out, SCOPE_THREAD, (struct row_id){ w->pid, to_ticks(t, w->start) },
			   w->comm, strnlen(w->comm, WIRE_COMM));
	snapshot_set(t->out, M_THREAD_PID, row, w->tgid, metric_source(M_THREAD_PID, F_BPF_TASKS));
	for (unsigned p = 0; p < PART_MAX; p++)
		if (columns[p].thread != M_NONE)
			snapshot_set(t->out, columns[p].thread, row, parts[p],
				     metric_source(columns[p].thread, F_BPF_TASKS));
}

static void add_bytes(struct wire_bytes *to, const struct wire_bytes *b)
{
	to->sent += b->sent;
	to->received += b->received;
	to->io_read += b->io_read;
	to->io_written += b->io_written;
}

static void add_thread(struct account *a, const struct wire_task *w, const uint64_t *parts)
{
	a->alive = true;
	if (w->pid == w->tgid || !a->comm[0] || a->tid)
		memcpy(a->comm, w->comm, sizeof(a->comm));
	a->kthread = w->flags & WIRE_KTHREAD;
	a->seen += w->seen_ns;
	a->utime += w->utime;
	a->stime += w->stime;
	a->exec += w->exec;
	a->slices += w->slices;
	add_bytes(&a->bytes, &w->bytes);
	if (is_lost(w->part) && w->open_ns > a->open)
		a->open = w->open_ns;
	for (unsigned p = 0; p < PART_MAX; p++)
		a->parts[p] += parts[p];
	for (unsigned i = 0; i < ROOT_MAX; i++)
		a->roots[i] += w->roots[i];
	for (unsigned i = 0; i < QUEUED_MAX; i++)
		a->queued[i] += w->queued[i];
}

/* A thread's own row, told from its process's by a key that no process has. */
#define OWN_ROW (1ull << 63)

static void take_thread(void *ctx, const void *record)
{
	struct bpf_time *t = ctx;
	const struct wire_task *w = record;
	uint64_t parts[PART_MAX];
	struct account *a;

	if (t->env->one_group && !w->in_group)
		return;
	a = account_of(t, w->tgid, w->group_start, w->tgid);
	memcpy(parts, w->parts, sizeof(parts));
	settle_deep(t, w, parts);
	t->has_io = w->has_io;
	if (a)
		add_thread(a, w, parts);
	if (t->env->one_group || (t->env->pid && w->tgid == t->env->pid)) {
		a = account_of(t, OWN_ROW | w->pid, w->start, w->tgid);
		if (a) {
			a->tid = w->pid;
			add_thread(a, w, parts);
		}
	}
	put_thread(t, w, parts);
}

/* ---- who is gone ---- */

/* In a watch without an end, what is known of processes that have ended is told once, and then its place is given free:
 * otherwise the maps would be full within the day. A process of which no thread lives is not written to any more. */
static void forget_key(struct bpf_time *t, const void *key, size_t size)
{
	size_t at = t->ngone * size;

	t->gone = mem_grow(t->gone, &t->gone_cap, at + size, 1);
	memcpy(t->gone + at, key, size);
	t->ngone++;
}

static bool is_alive(const struct bpf_time *t, uint64_t key, uint64_t start)
{
	const uint32_t *slot = t->slots ? slot_of(t, key, start) : NULL;

	return slot && *slot && t->accounts[*slot - 1].alive;
}

static int by_number(const void *x, const void *y)
{
	const uint32_t *a = x, *b = y;

	return *a < *b ? -1 : *a > *b;
}

static void delete_gone(struct bpf_time *t, const char *map, size_t size)
{
	int fd = bpf_engine_fd(t->env->bpf, map);

	for (size_t i = 0; i < t->ngone; i++)
		bpf_map_delete_elem(fd, t->gone + i * size);
	t->ngone = 0;
}

/* The row of zeros takes what finds no room; of the short-lived the key is their parent. */
static void forget_dead(struct bpf_time *t, const struct wire_dead_key *k)
{
	if (t->env->live && k->tgid && !is_alive(t, k->tgid, k->start))
		forget_key(t, k, sizeof(*k));
}

static void find_alive(struct bpf_time *t)
{
	t->npids = 0;
	for (size_t i = 0; i < t->naccounts; i++) {
		if (!t->accounts[i].alive)
			continue;
		t->pids = mem_grow(t->pids, &t->pids_cap, t->npids + 1, sizeof(*t->pids));
		t->pids[t->npids++] = t->accounts[i].pid;
	}
	if (t->npids)
		qsort(t->pids, t->npids, sizeof(*t->pids), by_number);
}

static void forget_pair(struct bpf_time *t, const struct wire_pair_key *k)
{
	uint32_t victim = k->victim;

	if (t->env->live && t->npids &&
	    !bsearch(&victim, t->pids, t->npids, sizeof(victim), by_number))
		forget_key(t, k, sizeof(*k));
}

/* ---- dead threads ---- */

static void take_dead(void *ctx, const void *key, const void *value)
{
	const struct wire_dead_key *k = key;
	const struct wire_dead *d = value;
	struct bpf_time *t = ctx;
	uint64_t id = k->tgid;
	struct account *a;

	if (t->env->one_group && !(k->kind & WIRE_GROUP))
		return;
	if (k->kind & WIRE_SHORT)
		for (int i = 0; i < WIRE_COMM && k->comm[i]; i++)
			id = (id ^ (unsigned char)k->comm[i]) * 0x100000001b3u + (1ull << 32);
	a = account_of(t, id, k->start, k->tgid);
	if (!a)
		return;
	forget_dead(t, k);
	if (!a->comm[0]) /* nothing of it is alive */
		memcpy(a->comm, k->kind & WIRE_SHORT ? k->comm : d->comm, sizeof(a->comm));
	if (k->kind & WIRE_SHORT)
		a->short_lived += d->processes;
	a->seen += d->seen_ns;
	a->utime += d->utime;
	a->stime += d->stime;
	a->exec += d->exec;
	a->slices += d->slices;
	add_bytes(&a->bytes, &d->bytes);
	for (unsigned p = 0; p < PART_MAX; p++)
		a->parts[p] += d->parts[p];
	for (unsigned i = 0; i < ROOT_MAX; i++)
		a->roots[i] += d->roots[i];
	for (unsigned i = 0; i < QUEUED_MAX; i++)
		a->queued[i] += d->queued[i];
}

/* ---- rows ---- */

/* Each fills a cell of every row: where they lie is looked up once. */
static void find_places(struct bpf_time *t)
{
	for (unsigned c = 0; c < scope_columns(SCOPE_TIME); c++) {
		enum metric_id id = scope_metric(SCOPE_TIME, c);

		t->places[id] = (struct place){ c, metric_source(id, F_BPF_TASKS) };
	}
}

static void put(struct bpf_time *t, enum metric_id id, size_t row, uint64_t v)
{
	snapshot_set_column(t->out, SCOPE_TIME, t->places[id].column, row, v, t->places[id].source);
}

/* ---- samples ---- */

static void take_sampled(void *ctx, const void *key, const void *value)
{
	struct bpf_time *t = ctx;
	struct sampled *s;

	t->samples = mem_grow(t->samples, &t->samples_cap, t->nsamples + 1, sizeof(*t->samples));
	s = &t->samples[t->nsamples++];
	memcpy(&s->pid, key, sizeof(s->pid));
	memcpy(&s->count, value, sizeof(s->count));
}

static int by_pid(const void *x, const void *y)
{
	const struct sampled *a = x, *b = y;

	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

static int read_samples(struct bpf_time *t)
{
	int err;

	t->nsamples = 0;
	if (!bpf_engine_has(t->env->bpf, BPF_SAMPLES))
		return 0;
	err = bpf_engine_walk(t->env->bpf, "samples_tasks", sizeof(uint32_t),
			      sizeof(struct wire_sampled), take_sampled, t);
	if (t->nsamples)
		qsort(t->samples, t->nsamples, sizeof(*t->samples), by_pid);
	return err;
}

static void put_samples(struct bpf_time *t, const struct account *a, size_t row)
{
	struct sampled key = { .pid = a->pid };
	const struct sampled *s;

	if (a->tid || a->short_lived || a->pid == WIRE_OUTSIDE ||
	    !bpf_engine_has(t->env->bpf, BPF_SAMPLES))
		return;
	s = t->nsamples ? bsearch(&key, t->samples, t->nsamples, sizeof(key), by_pid) : NULL;
	snapshot_set(t->out, M_TIME_IN_USER, row, s ? s->count.user : 0,
		     metric_source(M_TIME_IN_USER, F_BPF_SAMPLES));
	snapshot_set(t->out, M_TIME_IN_KERNEL, row, s ? s->count.kernel : 0,
		     metric_source(M_TIME_IN_KERNEL, F_BPF_SAMPLES));
	snapshot_set(t->out, M_TIME_SPINNING, row, s ? s->count.spinning : 0,
		     metric_source(M_TIME_SPINNING, F_BPF_SAMPLES));
}

static void put_roots(struct bpf_time *t, const struct account *a, size_t row)
{
	for (unsigned i = 0; i < ROOT_MAX && bpf_engine_has(t->env->bpf, BPF_WAKE); i++)
		if (root_columns[i] != M_NONE)
			snapshot_set(t->out, root_columns[i], row, a->roots[i],
				     metric_source(root_columns[i], F_BPF_WAKES));
}

/* What is not accounted for here is absent. */
static void put_bytes(struct bpf_time *t, const struct account *a, size_t row)
{
	if (bpf_engine_has(t->env->bpf, BPF_BYTES)) {
		snapshot_set(t->out, M_TIME_SENT, row, a->bytes.sent,
			     metric_source(M_TIME_SENT, F_BPF_BYTES));
		snapshot_set(t->out, M_TIME_RECEIVED, row, a->bytes.received,
			     metric_source(M_TIME_RECEIVED, F_BPF_BYTES));
	}
	if (t->has_io) {
		put(t, M_TIME_IO_READ, row, a->bytes.io_read);
		put(t, M_TIME_IO_WRITTEN, row, a->bytes.io_written);
	}
}

static void put_account(struct bpf_time *t, const struct account *a)
{
	bool outside = a->pid ==
		       WIRE_OUTSIDE; /* all have that number: their beginning tells them apart */
	size_t row = snapshot_row(t->out, SCOPE_TIME,
				  (struct row_id){ outside ? a->key << 32 ^ a->start : a->key,
						   to_ticks(t, a->start) },
				  a->comm, strnlen(a->comm, WIRE_COMM));

	put(t, M_TIME_PID, row, outside ? 0 : a->pid);
	if (a->tid)
		put(t, M_TIME_TID, row, a->tid);
	put(t, M_TIME_KTHREAD, row, a->kthread);
	put(t, M_TIME_SHORT, row, a->short_lived);
	put(t, M_TIME_TOTAL, row, a->seen);
	put(t, M_TIME_USER, row, a->utime);
	put(t, M_TIME_SYSTEM, row, a->stime);
	put(t, M_TIME_EXEC, row, a->exec);
	put(t, M_TIME_SLICES, row, a->slices);
	put(t, M_TIME_OPEN, row, a->open);
	for (unsigned p = 0; p < PART_MAX; p++)
		put(t, columns[p].time, row, a->parts[p]);
	for (unsigned i = 0; i < QUEUED_MAX; i++)
		put(t, queued_columns[i], row, a->queued[i]);
	put_bytes(t, a, row);
	put_roots(t, a, row);
	put_samples(t, a, row);
}

static void take_pair(void *ctx, const void *key, const void *value)
{
	const struct wire_pair_key *k = key;
	const struct wire_pair *p = value;
	struct bpf_time *t = ctx;
	int64_t offender = k->offender >= WIRE_OUTSIDE ? (int32_t)k->offender
						       : (int64_t)k->offender;
	char name[48];
	size_t row;

	forget_pair(t, k);
	snprintf(name, sizeof(name), "%u>%lld", k->victim, (long long)offender);
	row = snapshot_row(t->out, SCOPE_PAIR,
			   (struct row_id){ .key = (uint64_t)k->victim << 32 | k->offender }, name,
			   strlen(name));
	snapshot_set(t->out, M_PAIR_VICTIM, row,
		     (uint64_t)(k->victim == WIRE_OUTSIDE ? (int32_t)k->victim
							  : (int64_t)k->victim),
		     metric_source(M_PAIR_VICTIM, F_BPF_PAIRS));
	snapshot_set(t->out, M_PAIR_OFFENDER, row, (uint64_t)offender,
		     metric_source(M_PAIR_OFFENDER, F_BPF_PAIRS));
	snapshot_set(t->out, M_PAIR_WAIT, row, p->ns, metric_source(M_PAIR_WAIT, F_BPF_PAIRS));
	snapshot_set(t->out, M_PAIR_RT, row, p->rt_ns, metric_source(M_PAIR_RT, F_BPF_PAIRS));
}

/* ---- the collector ---- */

/* The programs cannot make room: what finds none goes to this row, which has to be there before. */
static int make_rest(const struct bpf_engine *b)
{
	struct wire_dead rest = { .comm = "(others)" };
	struct wire_dead_key key = { 0 };

	return bpf_map_update_elem(bpf_engine_fd(b, "sched_dead"), &key, &rest, BPF_ANY);
}

static int time_open(void *state, const struct collector_env *env, struct err *e)
{
	struct bpf_time *t = state;

	t->env = env;
	t->self = (uint32_t)getpid();
	if (!bpf_engine_has(env->bpf, BPF_TIME))
		return err_set(e, -ENOSYS, "%s",
			       env->bpf ? "the programs that it needs could not be attached"
					: "there is no eBPF here: see the line about eBPF");
	if (make_rest(env->bpf))
		return err_errno(e, -errno, "cannot keep an account of threads that end");
	t->shift_ns = boot_shift_ns(env->root);
	find_places(t);
	return 0;
}

static int time_read(void *state, struct snapshot *out, struct err *e)
{
	struct bpf_time *t = state;
	uint64_t now;
	int err;

	t->out = out;
	t->threads = 0;
	t->threads_left_out = 0;
	t->naccounts = 0;
	if (t->slots)
		memset(t->index, 0, t->slots * sizeof(*t->index));
	deep_learn(&t->deep, t->env); /* may take a while: before the sweep that it is for */
	now = clock_boot_ns();
	snapshot_begin(out, SCOPE_TIME, now);
	snapshot_begin(out, SCOPE_PAIR, now);
	snapshot_begin(out, SCOPE_THREAD, now);
	err = bpf_engine_iterate(t->env->bpf, "tasks_sweep", sizeof(struct wire_task), take_thread,
				 t, e);
	if (!err)
		err = bpf_engine_walk(t->env->bpf, "sched_dead", sizeof(struct wire_dead_key),
				      sizeof(struct wire_dead), take_dead, t);
	delete_gone(t, "sched_dead", sizeof(struct wire_dead_key));
	find_alive(t);
	if (!err)
		err = read_samples(t);
	if (!err)
		err = bpf_engine_walk(t->env->bpf, "sched_pairs", sizeof(struct wire_pair_key),
				      sizeof(struct wire_pair), take_pair, t);
	delete_gone(t, "sched_pairs", sizeof(struct wire_pair_key));
	if (err)
		return e->msg[0] ? err : err_errno(e, err, "cannot read what eBPF has measured");
	snapshot_reserve(out, SCOPE_TIME, t->naccounts);
	for (size_t i = 0; i < t->naccounts; i++)
		put_account(t, &t->accounts[i]);
	return 0;
}

static void time_close(void *state)
{
	struct bpf_time *t = state;

	mem_free(t->accounts);
	mem_free(t->index);
	mem_free(t->samples);
	mem_free(t->gone);
	mem_free(t->pids);
	deep_done(&t->deep);
}

const struct collector collector_bpf_time = {
	.name = "time",
	.what = "where the time of every thread goes, and who ran while others waited (eBPF)",
	.needs = "root (CAP_BPF and CAP_PERFMON) and a kernel with BTF",
	.pace = PACE_EDGE,
	.scopes = 1u << SCOPE_TIME | 1u << SCOPE_PAIR | 1u << SCOPE_THREAD,
	.files = NULL,
	.bpf = BPF_TIME,
	.state_size = sizeof(struct bpf_time),
	.open = time_open,
	.read = time_read,
	.close = time_close,
};
