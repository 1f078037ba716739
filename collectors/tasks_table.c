/* SPDX-License-Identifier: Apache-2.0 */
/* The process table through a BPF iterator.
 *
 * A record has what /proc/PID/stat has, taken at one moment, and is turned into the same columns, so that whatever comes
 * after does not know where they are from. Differences, all on purpose: CPU time is in nanoseconds, pages are exact
 * (since 6.2 stat leaves out what CPUs hold back), and a frozen task is D on every kernel (before 6.11 stat has R).
 *
 * An iterator does not show everybody everywhere: the kernel may hide processes from eBPF. /proc/loadavg counts the
 * threads of the machine, so that a process that is missing is noticed without a list of /proc; then the list is read,
 * and who stands there only is read from there from now on. */
#include "collectors/tasks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/root.h"
#include "bpf/wire.h"
#include "collectors/bpf_engine.h"
#include "collectors/census.h"

/* ---- which way ---- */

enum table_way table_choose(const struct table_facts *f, char *why, size_t size)
{
	enum table_way other = f->live && f->files ? TABLE_KEPT : TABLE_FILES;
	const char *how = other == TABLE_KEPT ? "/proc/PID/stat, kept open" : "/proc/PID/stat";

	if (!f->live)
		snprintf(why, size, "%s: a tree of files", how);
	else if (f->processes < TABLE_LEAST && !f->endless)
		snprintf(why, size, "%s: %zu processes; from %d on eBPF is cheaper", how,
			 f->processes, TABLE_LEAST);
	else if (!f->attached)
		snprintf(why, size, "%s: %s", how, f->why_not);
	else if (!f->own_proc)
		snprintf(why, size, "%s: /proc shows another PID namespace than our own", how);
	else
		snprintf(why, size, "eBPF iterator, %zu processes at once", f->processes);
	return f->live && f->attached && f->own_proc && (f->endless || f->processes >= TABLE_LEAST)
		       ? TABLE_ITERATOR
		       : other;
}

static int count_process(void *ctx, const char *name)
{
	*(size_t *)ctx += *name >= '1' && *name <= '9';
	return 0;
}

size_t tasks_processes(const struct root *root)
{
	size_t n = 0;

	return root_list(root, "proc", count_process, &n) < 0 ? 0 : n;
}

/* The outermost PID namespace has a fixed inode number. */
static bool is_whole(const struct root *root)
{
	char ns[64];

	return root_readlink(root, "proc/self/ns/pid", ns, sizeof(ns)) > 0 &&
	       !strcmp(ns, "pid:[4026531836]");
}

static const char *why_not_attached(const struct bpf_engine *b)
{
	for (size_t i = 0; b && bpf_probes[i].program; i++) {
		const struct bpf_fate *f = bpf_engine_fate(b, i);

		if (bpf_probes[i].group == BPF_TABLE && !f->attached)
			return *f->why ? f->why : "the iterator was not asked for";
	}
	return "there is no eBPF here";
}

void table_open(struct tasks *t)
{
	const struct root *root = t->env->root;
	struct table_facts f = { .live = root->live,
				 .endless = t->env->live,
				 .files = t->fds_max,
				 .attached = bpf_engine_has(t->env->bpf, BPF_TABLE) };
	char why[256];

	if (f.live) {
		f.processes = tasks_processes(root);
		f.own_proc = census_own_proc(root);
	}
	if (!f.attached)
		f.why_not = why_not_attached(t->env->bpf);
	t->table.way = table_choose(&f, why, sizeof(why));
	if (f.live)
		collector_status(t->env, "process table", 0, "%s", why);
	t->table.whole = is_whole(root);
	t->table.shift_ns = boot_shift_ns(root);
}

/* ---- one record ---- */

/* The masks of task_struct::__state that stand for a letter; include/linux/sched.h */
#define STATE_IDLE    0x0402u /* TASK_UNINTERRUPTIBLE | TASK_NOLOAD */
#define STATE_ASLEEP  0x9000u /* TASK_RTLOCK_WAIT | TASK_FROZEN: shown as uninterruptible */
#define STATE_LETTERS 0x007fu

char table_state(uint32_t state, uint32_t exit_state)
{
	uint32_t shown = (state | exit_state) & STATE_LETTERS;

	if (state & STATE_ASLEEP)
		return 'D';
	if ((state & STATE_IDLE) == STATE_IDLE)
		return 'I';
	return "RSDTtXZP"[shown ? 32 - __builtin_clz(shown) : 0];
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void table_times(const struct wire_row *w, uint64_t *utime, uint64_t *stime)
{
	uint64_t shown_u = larger(*utime, w->shown_utime), shown_s = larger(*stime, w->shown_stime);
	uint64_t ran = w->exec, s, u;

	*utime = shown_u;
	*stime = shown_s;
	if (shown_u + shown_s >= ran)
		return;
	if (!w->stime)
		s = 0;
	else if (!w->utime)
		s = ran;
	else
		s = (uint64_t)((unsigned __int128)w->stime * ran / (w->stime + w->utime));
	s = larger(s, shown_s);
	u = ran - s;
	if (u < shown_u) {
		u = shown_u;
		s = ran - u;
	}
	*utime = u;
	*stime = s;
}

void table_stat(const struct wire_row *w, const struct host *h, int64_t shift_ns,
		struct task_stat *out)
{
	unsigned hz = h->ticks_per_second ? h->ticks_per_second : 100;
	uint64_t *f;

	*out = (struct task_stat){ .comm = text_n(w->comm, strnlen(w->comm, sizeof(w->comm))),
				   .n = TABLE_COLUMNS,
				   .tick = 1000000000u / hz };
	f = out->f;
	f[1] = w->pid;
	f[3] = (unsigned char)table_state(w->state, w->exit_state);
	f[4] = w->ppid;
	f[5] = w->pgrp;
	f[6] = w->session;
	f[7] = w->tty;
	f[9] = (w->flags & WIRE_KTHREAD) != 0;
	f[10] = w->minflt;
	f[11] = w->child_minflt;
	f[12] = w->majflt;
	f[13] = w->child_majflt;
	f[16] = w->child_utime;
	f[17] = w->child_stime;
	f[18] = (uint64_t)(int64_t)(w->prio - 100);
	f[19] = (uint64_t)(int64_t)(w->static_prio - 120);
	f[20] = w->threads;
	f[22] = (w->start + (uint64_t)shift_ns) / out->tick;
	f[23] = w->address_pages * h->page_size;
	f[24] = w->pages[0] + w->pages[1] + w->pages[3];
	f[39] = w->cpu;
	f[40] = w->rt_priority;
	f[41] = w->policy;
	f[42] = w->blkio_ns;
	f[COLUMN_UID] = w->uid;
	f[COLUMN_FILE] = w->pages[0];
	f[COLUMN_ANON] = w->pages[1];
	f[COLUMN_SWAP] = w->pages[2];
	f[COLUMN_SHMEM] = w->pages[3];
	f[COLUMN_VCSW] = w->vcsw;
	f[COLUMN_NVCSW] = w->nvcsw;
}

/* ---- who is missing ---- */

/* A process is missing for sure, or may be: b births and d deaths lay in the sweep, so that it has seen between
 * before - d and before + b threads of all, less those that are hidden. */
static void gap_bounds(const struct table_count *c, int64_t *least, int64_t *most)
{
	int64_t births = (int64_t)c->last_after - c->last_before;

	*least = (int64_t)c->after - births - (int64_t)c->shown;
	*most = (int64_t)c->before + births - (int64_t)c->shown;
}

bool table_must_list(const struct table_count *c, int64_t gap)
{
	int64_t least, most;

	if (!c->whole || c->last_after < c->last_before)
		return true;
	gap_bounds(c, &least, &most);
	return gap < least || gap > most;
}

int64_t table_gap(const struct table_count *c)
{
	int64_t least, most;

	gap_bounds(c, &least, &most);
	if (c->last_after < c->last_before || (least <= 0 && most >= 0))
		return 0;
	return least > 0 ? least : most;
}

void table_put(const struct tasks *t, struct snapshot *out)
{
	if (t->table.way == TABLE_ITERATOR)
		snapshot_set(out, M_TABLE_HIDDEN, snapshot_system_row(out), t->table.nhidden,
			     metric_source(M_TABLE_HIDDEN, F_BPF_TABLE));
}

/* A process is dated before it can be seen: by how much is not bounded, but this is plenty. */
#define UNBORN_NS 1000000000u

uint64_t table_since(const struct tasks *t)
{
	/* owner and open files of everybody at the two ends of the window, as through /proc */
	if (t->sweeps < 2 || t->env->closing || t->table.began_ns < UNBORN_NS)
		return 0;
	return t->table.began_ns - UNBORN_NS;
}

static int read_records(struct tasks *t, void (*each)(void *ctx, const void *row), void *ctx,
			struct err *e)
{
	struct wire_ask ask = { .since = table_since(t),
				.turn = !t->env->live  ? WIRE_TURN_NONE
					: t->env->edge ? WIRE_TURN_ALL
						       : WIRE_TURN_MOVED };
	int err = bpf_engine_put(t->env->bpf, "table_ask", &ask);

	if (err)
		return err_errno(e, err, "cannot write to table_ask");
	return bpf_engine_iterate(t->env->bpf, "table_sweep", BPF_SIZE_TOLD, each, ctx, e);
}

int table_sweep(struct tasks *t, void (*each)(void *ctx, const void *row), void *ctx)
{
	struct err e = { 0 };
	uint64_t began = clock_boot_ns() - (uint64_t)t->table.shift_ns;
	int err = (t->table.read ? t->table.read : read_records)(t, each, ctx, &e);

	t->table.began_ns = began;
	if (err) {
		t->table.way = t->fds_max ? TABLE_KEPT : TABLE_FILES;
		collector_status(t->env, "process table", 0, "/proc/PID/stat%s: %s",
				 t->fds_max ? ", kept open" : "", e.msg);
	}
	return err;
}
