/* SPDX-License-Identifier: Apache-2.0 */
/* The process table, looked at from within.
 *
 *   table compare        each record of the iterator against /proc/PID read by hand. A record that is the same before and
 *                        after that reading is of a process at rest, and every column must be equal
 *   table bench WAY N    CPU time of N sweeps over all processes, milliseconds, one per line, after one that is not
 *                        counted. WAY: iterator, kept, files
 *   table show WAY PID…  columns of these processes as the collector has them: "PID METRIC VALUE"
 *
 * Exit status 3: there is no iterator here; why stands on standard output. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "bpf/wire.h"
#include "collectors/bpf_engine.h"
#include "collectors/host.h"
#include "collectors/table.h"
#include "collectors/tasks.h"

struct tool {
	struct root root;
	struct host host;
	struct status *status;
	size_t nstatus, status_cap;
	struct collector_env env;
	struct tasks t;
	struct snapshot snap;
};

static int open_tool(struct tool *x)
{
	struct err e = { 0 };

	metrics_init();
	if (root_open(&x->root, "/", &e)) {
		fprintf(stderr, "table: %s\n", e.msg);
		return 1;
	}
	host_read(&x->host, &x->root);
	x->env = (struct collector_env){ .root = &x->root,
					 .host = &x->host,
					 .status = &x->status,
					 .nstatus = &x->nstatus,
					 .status_cap = &x->status_cap };
	if (bpf_engine_open(&x->env.bpf, BPF_TABLE, &e))
		printf("%s\n", e.msg);
	else if (!bpf_engine_has(x->env.bpf, BPF_TABLE))
		for (size_t i = 0; bpf_probes[i].program; i++)
			if (bpf_probes[i].group == BPF_TABLE)
				printf("%s\n", bpf_engine_fate(x->env.bpf, i)->why);
	snapshot_init(&x->snap, &x->host);
	return 0;
}

static bool has_iterator(const struct tool *x)
{
	return bpf_engine_has(x->env.bpf, BPF_TABLE);
}

/* ---- compare ---- */

struct rows {
	struct wire_row *list;
	size_t n, cap;
};

static void add_row(void *ctx, const void *record)
{
	struct rows *r = ctx;

	r->list = mem_grow(r->list, &r->cap, r->n + 1, sizeof(*r->list));
	r->list[r->n++] = *(const struct wire_row *)record;
}

static int sweep(struct tool *x, struct rows *r)
{
	struct err e = { 0 };
	int err;

	r->n = 0;
	err = bpf_engine_put(x->env.bpf, "table_ask", &(struct wire_ask){ .io = 1 });
	if (err)
		return err;
	err = bpf_engine_iterate(x->env.bpf, "table_sweep", sizeof(struct wire_row), add_row, r,
				 &e);
	if (err)
		fprintf(stderr, "table: %s\n", e.msg);
	return err;
}

/* What /proc says of one process. */
struct by_hand {
	struct task_stat stat;
	struct task_status status;
	struct buf stat_text, status_text, text;
	uint64_t resident; /* of statm: the sum that stat should have */
	uint64_t mapped;   /* pages by a walk over the page tables */
	uint64_t fds, io, mnt_ns;
	bool has_fds, has_mapped, has_io, there;
};

static struct text read_file(struct tool *x, unsigned pid, const char *name, struct buf *b)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%u/%s", pid, name);
	if (root_read(&x->root, path, b, ROOT_FILE_CAP))
		return text_n("", 0);
	return text_n(b->data, b->len);
}

static int count_entry(void *ctx, const char *name)
{
	(void)name;
	++*(uint64_t *)ctx;
	return 0;
}

/* What does not change by being looked at. */
static void read_besides(struct tool *x, unsigned pid, struct by_hand *h)
{
	struct text in = read_file(x, pid, "io", &h->text), line, key;
	char path[64], link[64];
	uint64_t v;

	h->has_io = text_len(in) > 0;
	h->io = h->mnt_ns = 0;
	while (text_line(&in, &line))
		if (text_until(&line, ':', &key) && text_is_u64(line, &v))
			h->io += v;
	snprintf(path, sizeof(path), "proc/%u/ns/mnt", pid);
	if (root_readlink(&x->root, path, link, sizeof(link)) > 0)
		sscanf(link, "mnt:[%" SCNu64 "]", &h->mnt_ns);
}

static void read_by_hand(struct tool *x, unsigned pid, struct by_hand *h)
{
	struct text in, line;
	uint64_t size;
	char path[64];

	h->there = task_parse_stat(read_file(x, pid, "stat", &h->stat_text), &h->stat);
	if (!h->there)
		return;
	task_parse_status(read_file(x, pid, "status", &h->status_text), &h->status);
	in = read_file(x, pid, "statm", &h->text);
	h->resident = 0;
	if (text_u64(&in, &size))
		text_u64(&in, &h->resident);
	in = read_file(x, pid, "smaps_rollup", &h->text);
	h->has_mapped = false;
	while (text_line(&in, &line))
		if (text_skip(&line, "Rss:"))
			h->has_mapped = text_u64(&line, &h->mapped);
	h->mapped /= x->host.page_size / 1024;
	snprintf(path, sizeof(path), "proc/%u/fd", pid);
	h->fds = 0;
	h->has_fds = root_list(&x->root, path, count_entry, &h->fds) == 0;
	read_besides(x, pid, h);
}

static void differ(unsigned *wrong, const struct wire_row *w, const char *what, uint64_t iterator,
		   uint64_t proc)
{
	if (iterator == proc)
		return;
	++*wrong;
	printf("not ok %u (%.15s) %s: iterator %" PRId64 ", /proc %" PRId64 "\n", w->pid, w->comm,
	       what, (int64_t)iterator, (int64_t)proc);
}

/* Columns of stat that both have, and what they are. */
/* clang-format off */
static const struct { unsigned col; const char *name; } columns[] = {
	{ 1, "pid" }, { 3, "state" }, { 4, "ppid" }, { 5, "pgrp" }, { 6, "session" }, { 7, "tty_nr" }, { 9, "kthread" },
	{ 10, "minflt" }, { 11, "cminflt" }, { 12, "majflt" }, { 13, "cmajflt" }, { 14, "utime" }, { 15, "stime" },
	{ 16, "cutime" }, { 17, "cstime" }, { 18, "priority" }, { 19, "nice" }, { 20, "num_threads" }, { 22, "starttime" },
	{ 23, "vsize" }, { 39, "processor" }, { 40, "rt_priority" }, { 41, "policy" }, { 42, "blkio" },
};
static const struct { enum status_field field; unsigned col; const char *name; } kinds[] = {
	{ STATUS_ANON, COLUMN_ANON, "RssAnon" }, { STATUS_FILE, COLUMN_FILE, "RssFile" },
	{ STATUS_SHMEM, COLUMN_SHMEM, "RssShmem" }, { STATUS_SWAP, COLUMN_SWAP, "VmSwap" },
};
/* clang-format on */

static bool is_time(unsigned col)
{
	return (col >= 14 && col <= 17) || col == 42;
}

/* Pages of one kind that a kernel may leave out of what it shows: CPUs hold them back (6.2 to 6.16); before, threads held
 * what 64 faults brought, sixteen pages each. What is right is in the page tables. */
static uint64_t held_back(const struct tool *x, const struct wire_row *w)
{
	unsigned batch = 2 * x->host.cpus > 32 ? 2 * x->host.cpus : 32;

	return (uint64_t)batch * x->host.possible_cpus + (uint64_t)1024 * w->threads;
}

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static void compare_pages(struct tool *x, const struct wire_row *w, const struct task_stat *st,
			  const struct by_hand *h, unsigned *wrong, unsigned *inexact)
{
	uint64_t kib = x->host.page_size / 1024;

	if (h->has_mapped)
		differ(wrong, w, "pages in page tables", st->f[24], h->mapped);
	if (h->resident != st->f[24]) {
		++*inexact;
		if (apart(h->resident, st->f[24]) > 3 * held_back(x, w))
			differ(wrong, w, "resident pages", st->f[24], h->resident);
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		uint64_t pages = h->status.f[kinds[i].field] / kib;

		if (!(h->status.has & 1u << kinds[i].field))
			continue;
		if (apart(pages, st->f[kinds[i].col]) > held_back(x, w))
			differ(wrong, w, kinds[i].name, st->f[kinds[i].col], pages);
	}
}

static void compare_one(struct tool *x, const struct wire_row *w, const struct by_hand *h,
			unsigned *wrong, unsigned *inexact)
{
	struct task_stat st;
	uint64_t u = 0, s = 0;

	table_stat(w, &x->host, boot_shift_ns(&x->root), &st);
	table_times(w, &u, &s);
	st.f[14] = u;
	st.f[15] = s;
	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++) {
		unsigned col = columns[i].col;

		differ(wrong, w, columns[i].name, is_time(col) ? st.f[col] / st.tick : st.f[col],
		       h->stat.f[col]);
	}
	if (text_len(st.comm) != text_len(h->stat.comm) ||
	    memcmp(st.comm.p, h->stat.comm.p, text_len(st.comm)) != 0) {
		++*wrong;
		printf("not ok %u name: iterator '%.*s', /proc '%.*s'\n", w->pid,
		       (int)text_len(st.comm), st.comm.p, (int)text_len(h->stat.comm),
		       h->stat.comm.p);
	}
	if (h->status.has & 1u << STATUS_UID)
		differ(wrong, w, "uid", w->uid, h->status.f[STATUS_UID]);
	if (w->has_fds && h->has_fds)
		differ(wrong, w, "open files", w->fds, h->fds);
	if (h->has_io)
		differ(wrong, w, "io", w->io, h->io);
	if (h->mnt_ns)
		differ(wrong, w, "mount namespace", w->mnt_ns, h->mnt_ns);
	compare_pages(x, w, &st, h, wrong, inexact);
}

/* What a look at /proc changes itself, or what moves without the process. */
static void forget_looks(struct wire_row *w)
{
	w->shown_utime = w->shown_stime = 0;
}

static bool at_rest(const struct wire_row *a, const struct rows *after)
{
	for (size_t i = 0; i < after->n; i++) {
		struct wire_row x = *a, y = after->list[i];

		if (y.pid != x.pid)
			continue;
		forget_looks(&x);
		forget_looks(&y);
		return !memcmp(&x, &y, sizeof(x));
	}
	return false;
}

static int compare(struct tool *x)
{
	unsigned compared = 0, moving = 0, wrong = 0, inexact = 0, cut = 0;
	struct rows before = { 0 }, after = { 0 };
	struct by_hand *hands;

	if (sweep(x, &before))
		return 1;
	hands = mem_array(before.n + 1, sizeof(*hands));
	for (size_t i = 0; i < before.n; i++)
		read_by_hand(x, before.list[i].pid, &hands[i]);
	if (sweep(x, &after))
		return 1;
	for (size_t i = 0; i < before.n; i++) {
		cut += before.list[i].cut != 0;
		if (before.list[i].cut || !hands[i].there || !at_rest(&before.list[i], &after)) {
			moving++;
			continue;
		}
		compared++;
		compare_one(x, &before.list[i], &hands[i], &wrong, &inexact);
	}
	printf("compared %u, moving %u, cut %u, wrong %u, resident pages not as in statm %u\n",
	       compared, moving, cut, wrong, inexact);
	return wrong || !compared;
}

/* ---- the collector, one way or another ---- */

static int force(struct tool *x, const char *way)
{
	x->t.table.way = !strcmp(way, "iterator") ? TABLE_ITERATOR
			 : !strcmp(way, "kept")   ? TABLE_KEPT
						  : TABLE_FILES;
	if (x->t.table.way == TABLE_FILES)
		x->t.fds_max = 0;
	return x->t.table.way == TABLE_ITERATOR && !has_iterator(x) ? 3 : 0;
}

static int read_table(struct tool *x)
{
	int err;

	snapshot_clear(&x->snap);
	snapshot_begin(&x->snap, SCOPE_PROCESS, clock_boot_ns());
	err = tasks_sweep(&x->t, &x->snap);
	if (!err)
		tasks_sweep_put(&x->t, &x->snap);
	x->t.sweeps++;
	return err;
}

static int bench(struct tool *x, const char *way, int n)
{
	int err = force(x, way);

	for (int i = 0; !err && i <= n; i++) {
		uint64_t began = task_cpu_ns();

		err = read_table(x);
		if (i && !err)
			printf("%.3f\n", (double)(task_cpu_ns() - began) * 1e-6);
	}
	return err;
}

static int show(struct tool *x, const char *way, char **pids)
{
	int err = force(x, way);

	if (!err)
		err = read_table(x);
	for (; !err && *pids; pids++) {
		struct proc *p = task_proc(&x->t, atoi(*pids));

		printf("%s found %d\n", *pids, p ? 1 + p->from_table : 0);
		for (unsigned c = 0; p && c < scope_columns(SCOPE_PROCESS); c++) {
			enum metric_id id = scope_metric(SCOPE_PROCESS, c);

			if (metric_get(id)->unit != UNIT_TEXT &&
			    metric_get(id)->kind != KIND_DERIVED)
				printf("%s %s %.9f\n", *pids, metric_get(id)->name,
				       snapshot_value(&x->snap, id, p->row));
		}
	}
	return err;
}

int main(int argc, char **argv)
{
	struct tool *x = mem_alloc(sizeof(*x));
	struct err e = { 0 };

	if (argc < 2 || open_tool(x))
		return 2;
	if (!strcmp(argv[1], "compare"))
		return has_iterator(x) ? compare(x) : 3;
	if (collector_tasks.open(&x->t, &x->env, &e)) {
		fprintf(stderr, "table: %s\n", e.msg);
		return 2;
	}
	if (!strcmp(argv[1], "bench") && argc == 4)
		return bench(x, argv[2], atoi(argv[3]));
	if (!strcmp(argv[1], "show") && argc > 3)
		return show(x, argv[2], argv + 3);
	fprintf(stderr, "usage: table compare | bench WAY N | show WAY PID…\n");
	return 2;
}
