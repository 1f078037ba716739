/* SPDX-License-Identifier: Apache-2.0 */
/* Lost time per process, from the THREAD rows of a window. */
#include "model/lost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum metric_id wait_metric(enum wait w)
{
	static const enum metric_id ids[WAIT_MAX] = {
		[WAIT_RUN] = M_THREAD_ONRUN,
		[WAIT_DISK] = M_THREAD_DISK,
		[WAIT_WRITEBACK] = M_THREAD_WRITEBACK,
		[WAIT_RECLAIM] = M_THREAD_RECLAIM,
		[WAIT_FAULT] = M_THREAD_FAULT,
		[WAIT_KLOCK] = M_THREAD_KLOCK,
		[WAIT_FROZEN] = M_THREAD_FROZEN,
		[WAIT_FS] = M_THREAD_FS,
		[WAIT_D_OTHER] = M_THREAD_D_OTHER,
		[WAIT_MUTEX] = M_THREAD_MUTEX,
		[WAIT_FUTEX] = M_THREAD_FUTEX,
		[WAIT_FLOCK] = M_THREAD_FLOCK,
		[WAIT_SOCKET] = M_THREAD_SOCKET,
		[WAIT_PIPE] = M_THREAD_PIPE,
		[WAIT_POLL] = M_THREAD_POLL,
		[WAIT_TIMER] = M_THREAD_TIMER,
		[WAIT_CHILD] = M_THREAD_CHILD,
		[WAIT_SLEEP] = M_THREAD_SLEEP,
		[WAIT_ZOMBIE] = M_NONE,
	};

	return ids[w];
}

static void add(double *to, double v)
{
	if (!isnan(v))
		*to += v;
}

static int by_row_pid(const void *x, const void *y)
{
	const struct lost_row *a = x, *b = y;

	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

/* Rows stand by pid until they are ranked. */
static struct lost_row *row_of(struct lost_row *rows, size_t n, int64_t pid)
{
	struct lost_row key = { .pid = pid };

	return n ? bsearch(&key, rows, n, sizeof(key), by_row_pid) : NULL;
}

static enum cause cause_of(enum wait w, const struct interval *iv)
{
	if (w == WAIT_FLOCK && !(system_rate(iv, M_FLOCK_TURNS) >= FLOCK_TURNS_LEAST))
		return CAUSE_WORK;
	return wait_cause(w);
}

static void add_thread(struct lost_row *row, const struct interval *iv, size_t t)
{
	add(&row->time[CAUSE_USER], interval_delta(iv, M_THREAD_USER, t));
	add(&row->time[CAUSE_SYSTEM], interval_delta(iv, M_THREAD_SYSTEM, t));
	add(&row->time[CAUSE_RUNNABLE], interval_delta(iv, M_THREAD_RUNNABLE, t));
	for (enum wait w = WAIT_RUN + 1; w < WAIT_MAX; w++) {
		double s = interval_delta(iv, wait_metric(w), t);

		if (s > 0) {
			row->time[cause_of(w, iv)] += s;
			row->sampled = true;
		}
	}
}

/* A kernel thread that waits for a disk or a lock does its work that way: who waits for it has lost the time, and is
 * counted himself. */
static void forgive(struct lost_row *row)
{
	for (enum cause c = CAUSE_DISK; c <= CAUSE_OTHER; c++) {
		row->time[CAUSE_WORK] += row->time[c];
		row->time[c] = 0;
	}
}

/* Identity and name of the processes come from the PROCESS table; a pid that ended and came back has two rows there:
 * the one whose threads moved is the later one. */
static void identify(struct lost_row *rows, size_t n, const struct interval *iv)
{
	for (size_t p = 0; p < interval_rows(iv, SCOPE_PROCESS); p++) {
		const struct irow *r = interval_row(iv, SCOPE_PROCESS, p);
		struct lost_row *row = row_of(rows, n, (int64_t)r->id.key);

		if (row && r->id.birth >= row->id.birth) {
			row->id = r->id;
			row->name = interval_name(iv, SCOPE_PROCESS, p);
			if (interval_last(iv, M_PROC_KTHREAD, p) > 0)
				forgive(row);
		}
	}
}

/* ---- measured ---- */

/* Parts of the TIME table that are one cause each. */
static const struct {
	enum metric_id id;
	enum wait wait; /* WAIT_MAX: cause says it */
	enum cause cause;
} parts[] = {
	{ M_TIME_STOLEN, WAIT_MAX, CAUSE_STOLEN },
	{ M_TIME_RUNNABLE, WAIT_MAX, CAUSE_RUNNABLE },
	{ M_TIME_THROTTLED, WAIT_MAX, CAUSE_THROTTLED },
	{ M_TIME_DISK, WAIT_DISK, 0 },
	{ M_TIME_WRITEBACK, WAIT_WRITEBACK, 0 },
	{ M_TIME_RECLAIM, WAIT_RECLAIM, 0 },
	{ M_TIME_FAULT, WAIT_FAULT, 0 },
	{ M_TIME_KLOCK, WAIT_KLOCK, 0 },
	{ M_TIME_FROZEN, WAIT_FROZEN, 0 },
	{ M_TIME_FS, WAIT_FS, 0 },
	{ M_TIME_D_OTHER, WAIT_D_OTHER, 0 },
	{ M_TIME_MUTEX, WAIT_MUTEX, 0 },
	{ M_TIME_FUTEX, WAIT_FUTEX, 0 },
	{ M_TIME_FLOCK, WAIT_FLOCK, 0 },
	{ M_TIME_SOCKET, WAIT_SOCKET, 0 },
	{ M_TIME_PIPE, WAIT_PIPE, 0 },
	{ M_TIME_POLL, WAIT_POLL, 0 },
	{ M_TIME_TIMER, WAIT_TIMER, 0 },
	{ M_TIME_CHILD, WAIT_CHILD, 0 },
	{ M_TIME_SLEEP, WAIT_SLEEP, 0 },
	{ M_TIME_REPLY, WAIT_MAX, CAUSE_REPLY },
	{ M_TIME_RESIDUAL, WAIT_MAX, CAUSE_RESIDUAL },
};

static const enum metric_id queued[QUEUED_MAX] = {
	[QUEUED_BEHIND] = M_TIME_QUEUED_BEHIND, [QUEUED_CONFINED] = M_TIME_QUEUED_CONFINED,
	[QUEUED_PASSED] = M_TIME_QUEUED_PASSED, [QUEUED_WOKEN] = M_TIME_QUEUED_WOKEN,
	[QUEUED_DROWSY] = M_TIME_QUEUED_DROWSY, [QUEUED_REALTIME] = M_TIME_QUEUED_REALTIME,
	[QUEUED_IRQ] = M_TIME_QUEUED_IRQ,       [QUEUED_STEAL] = M_TIME_QUEUED_STEAL,
};

#define TICKS_LEAST \
	50 /* below that the split into user and system is too rough: error 1/sqrt(ticks) */

/* The sweeps lie a little before the window's first reading and after its last one, or well before it when the programs had
 * to stop, and accounts reach from sweep to sweep: what they say is brought to the length of the window. */
static double to_window(const struct interval *iv, enum scope s)
{
	double swept = iv->tables[s].seconds;

	return swept > 0 && interval_seconds(iv) > 0 ? interval_seconds(iv) / swept : 1;
}

static void stretch(struct itable *t, enum metric_id id, double by)
{
	for (size_t r = 0; id != M_NONE && r < t->nrows; r++)
		t->cells[r * t->ncols + metric_get(id)->column].sum *= by;
}

void lost_align(struct interval *window)
{
	struct itable *t = &window->tables[SCOPE_THREAD];
	double by = to_window(window, SCOPE_TIME);

	for (enum wait w = WAIT_RUN + 1; w < WAIT_MAX; w++)
		stretch(t, wait_metric(w), by);
	stretch(t, M_THREAD_THROTTLED, by);
}

/* Running is exact; how much of it was in the kernel is known by ticks. */
static void split_running(struct lost_row *row, const struct interval *iv, size_t r)
{
	double run = interval_delta(iv, M_TIME_RUN, r) * to_window(iv, SCOPE_TIME),
	       user = interval_delta(iv, M_TIME_USER, r),
	       system = interval_delta(iv, M_TIME_SYSTEM, r), ticked = user + system;

	row->split = ticked * iv->host->ticks_per_second >= TICKS_LEAST;
	row->time[CAUSE_USER] = ticked > 0 ? run * user / ticked : run;
	row->time[CAUSE_SYSTEM] = ticked > 0 ? run * system / ticked : 0;
}

static struct lost_row measured(const struct interval *iv, size_t r)
{
	struct lost_row row = {
		.id = interval_row(iv, SCOPE_TIME, r)->id,
		.name = interval_name(iv, SCOPE_TIME, r),
		.pid = interval_whole(interval_last(iv, M_TIME_PID, r)),
		.tid = interval_whole(interval_last(iv, M_TIME_TID, r)),
		.exact = true,
	};

	double scale = to_window(iv, SCOPE_TIME);

	row.threads = interval_delta(iv, M_TIME_TOTAL, r) * scale;
	row.short_lived = (uint64_t)interval_whole(interval_delta(iv, M_TIME_SHORT, r));
	row.open = interval_last(iv, M_TIME_OPEN, r);
	row.sent = interval_delta(iv, M_TIME_SENT, r) * scale;
	row.received = interval_delta(iv, M_TIME_RECEIVED, r) * scale;
	row.io_read = interval_delta(iv, M_TIME_IO_READ, r) * scale;
	row.io_written = interval_delta(iv, M_TIME_IO_WRITTEN, r) * scale;
	split_running(&row, iv, r);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		enum cause c = parts[i].wait == WAIT_MAX ? parts[i].cause
							 : cause_of(parts[i].wait, iv);

		add(&row.time[c], interval_delta(iv, parts[i].id, r) * scale);
	}
	for (unsigned i = 0; i < QUEUED_MAX; i++)
		add(&row.queued[i], interval_delta(iv, queued[i], r) * scale);
	if (interval_last(iv, M_TIME_KTHREAD, r) > 0)
		forgive(&row);
	return row;
}

/* What each process took from others, by the slices that lay in their waits. */
static void add_inflicted(struct lost_row *rows, size_t n, const struct interval *iv)
{
	qsort(rows, n, sizeof(*rows), by_row_pid);
	for (size_t p = 0; p < interval_rows(iv, SCOPE_PAIR); p++) {
		int64_t victim = interval_whole(interval_last(iv, M_PAIR_VICTIM, p)),
			offender = interval_whole(interval_last(iv, M_PAIR_OFFENDER, p));
		struct lost_row *row =
			offender > 0 && offender != victim ? row_of(rows, n, offender) : NULL;

		if (row)
			add(&row->inflicted,
			    interval_delta(iv, M_PAIR_WAIT, p) * to_window(iv, SCOPE_PAIR));
	}
}

/* Rows of processes, or of single threads. */
static struct lost_row *measured_rows(const struct interval *iv, bool threads, size_t *n)
{
	size_t rows = interval_rows(iv, SCOPE_TIME), cap = 0;
	struct lost_row *list = NULL;

	*n = 0;
	for (size_t r = 0; r < rows; r++) {
		if (!(interval_delta(iv, M_TIME_TOTAL, r) > 0) ||
		    (interval_last(iv, M_TIME_TID, r) > 0) != threads)
			continue;
		list = mem_grow(list, &cap, *n + 1, sizeof(*list));
		list[(*n)++] = measured(iv, r);
	}
	if (*n && !threads)
		add_inflicted(list, *n, iv);
	return list;
}

/* ---- both ---- */

static int most_lost_first(const void *x, const void *y)
{
	const struct lost_row *a = x, *b = y;

	if (a->lost != b->lost)
		return a->lost < b->lost ? 1 : -1;
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

struct member {
	int64_t pid;
	size_t thread; /* row */
};

static int by_pid(const void *x, const void *y)
{
	const struct member *a = x, *b = y;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return a->thread < b->thread ? -1 : a->thread > b->thread;
}

/* Threads by process, to be freed by the caller. */
static struct member *members_of(const struct interval *window, size_t *n)
{
	size_t threads = interval_rows(window, SCOPE_THREAD);
	struct member *list = mem_array(threads + 1, sizeof(*list));

	*n = 0;
	for (size_t t = 0; t < threads; t++) {
		double pid = interval_last(window, M_THREAD_PID, t);

		if (!isnan(pid))
			list[(*n)++] = (struct member){ .pid = interval_whole(pid), .thread = t };
	}
	qsort(list, *n, sizeof(*list), by_pid);
	return list;
}

static struct lost_row *estimated_rows(struct interval *window, size_t *n)
{
	size_t nmembers, cap = 0;
	struct member *members = members_of(window, &nmembers);
	struct lost_row *rows = NULL;

	*n = 0;
	for (size_t i = 0; i < nmembers; i++) {
		size_t t = members[i].thread;

		if (!i || members[i].pid != members[i - 1].pid) {
			rows = mem_grow(rows, &cap, *n + 1, sizeof(*rows));
			rows[(*n)++] = (struct lost_row){
				.pid = members[i].pid,
				.name = interval_name(window, SCOPE_THREAD, t),
				.sent = NAN,
				.received = NAN,
				.io_read = NAN,
				.io_written = NAN,
			};
		}
		add_thread(&rows[*n - 1], window, t);
	}
	mem_free(members);
	identify(rows, *n, window);
	return rows;
}

static double rank(struct lost_row *rows, size_t n)
{
	double total = 0;

	for (size_t i = 0; i < n; i++) {
		for (enum cause c = 0; c < CAUSE_MAX; c++)
			if (cause_is_lost(c))
				rows[i].lost += rows[i].time[c];
		total += rows[i].lost;
	}
	if (n)
		qsort(rows, n, sizeof(*rows), most_lost_first);
	return total;
}

struct lost_row *lost_build(struct interval *window, size_t *n, double *total_per_second)
{
	struct lost_row *rows = measured_rows(window, false, n);
	double total;

	if (!rows)
		rows = estimated_rows(window, n);
	total = rank(rows, *n);
	*total_per_second = interval_seconds(window) > 0 ? total / interval_seconds(window) : 0;
	return rows;
}

struct lost_row *lost_threads(struct interval *window, size_t *n)
{
	struct lost_row *rows = measured_rows(window, true, n);

	rank(rows, *n);
	return rows;
}
