/* SPDX-License-Identifier: Apache-2.0 */
/* A little of every process at once. See census.h. */
#include "collectors/census.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/root.h"
#include "base/text.h"
#include "bpf/wire.h"
#include "collectors/bpf_engine.h"
#include "collectors/tasks.h"

/* "NSpid:  7": one number when /proc is of our own namespace, more when it is of one around it. */
bool census_own_proc(const struct root *root)
{
	struct text all, line, word;
	struct buf b = { 0 };
	unsigned numbers = 0;

	if (!root_read(root, "proc/self/status", &b, ROOT_FILE_CAP)) {
		all = text_n(b.data, b.len);
		while (text_line(&all, &line))
			if (text_skip(&line, "NSpid:"))
				while (text_word(&line, &word))
					numbers++;
	}
	buf_done(&b);
	return numbers == 1;
}

void census_add(struct census *c, const struct wire_row *w)
{
	if (w->cut & WIRE_CUT_THREADS)
		return;
	if (c->n && c->rows[c->n - 1].pid >= (int32_t)w->pid)
		return; /* born behind our back, under a number from below */
	c->rows = mem_grow(c->rows, &c->cap, c->n + 1, sizeof(*c->rows));
	c->rows[c->n++] = (struct census_row){
		.pid = (int32_t)w->pid,
		.told = true,
		.threads = w->threads,
		.start = (w->start + (uint64_t)c->shift_ns) / c->tick_ns,
		.io = w->io,
		.mnt_ns = w->mnt_ns,
		.state = table_state(w->state, w->exit_state),
		.kernel = w->flags & WIRE_KTHREAD,
	};
}

static int by_pid(const void *x, const void *y)
{
	const struct census_row *a = x, *b = y;

	return (a->pid > b->pid) - (a->pid < b->pid);
}

static bool is_told(const struct census *c, int32_t pid)
{
	struct census_row key = { .pid = pid };

	return c->ntold && bsearch(&key, c->rows, c->ntold, sizeof(key), by_pid);
}

static int add_number(void *ctx, const char *name)
{
	struct census *c = ctx;
	uint64_t pid;

	if (*name < '1' || *name > '9' || !text_is_u64(text_of(name), &pid) || pid > INT32_MAX ||
	    is_told(c, (int32_t)pid))
		return 0;
	c->rows = mem_grow(c->rows, &c->cap, c->n + 1, sizeof(*c->rows));
	c->rows[c->n++] = (struct census_row){ .pid = (int32_t)pid };
	return 0;
}

int census_list(struct census *c, const struct root *root)
{
	int err;

	c->ntold = c->n;
	err = root_list(root, "proc", add_number, c);
	if (c->n > c->ntold)
		qsort(c->rows, c->n, sizeof(*c->rows), by_pid);
	return err < 0 ? err : 0;
}

static void add_record(void *ctx, const void *record)
{
	census_add(ctx, record);
}

void census_take(struct census *c, const struct collector_env *env)
{
	unsigned hz = env->host->ticks_per_second ? env->host->ticks_per_second : 100;
	struct wire_ask ask = { .since = UINT64_MAX, .io = 1 };
	struct err e;

	c->n = 0;
	if (!env->root->live || !bpf_engine_has(env->bpf, BPF_TABLE) || !census_own_proc(env->root))
		return;
	c->tick_ns = 1000000000u / hz;
	c->shift_ns = boot_shift_ns(env->root);
	if (bpf_engine_put(env->bpf, "table_ask", &ask) ||
	    bpf_engine_iterate(env->bpf, "table_sweep", sizeof(struct wire_row), add_record, c,
			       &e) ||
	    census_list(c, env->root))
		c->n = 0;
}

void census_done(struct census *c)
{
	mem_free(c->rows);
}
