/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: what it is used for, what moves in and out, who has most of it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "tui/grid.h"
#include "tui/screens.h"

struct part {
	const char *name;
	enum metric_id id;
	char letter;
	enum paint paint;
};

static const struct part uses[] = {
	{ "programs", M_MEM_ANON, 'P', PAINT_USER },
	{ "shared", M_MEM_SHMEM, 'S', PAINT_STOLEN },
	{ "kernel", M_MEM_SLAB, 'K', PAINT_SYSTEM },
	{ "page tables", M_MEM_PAGE_TABLES, 'T', PAINT_LOCK },
	{ "free", M_MEM_FREE, '.', PAINT_IDLE },
};

/* What is left after the parts that are counted: cache, and what nobody counts. */
static void draw_uses(struct ui *ui, struct canvas *c, struct area a)
{
	double all = now_system(&ui->now, M_MEM_TOTAL), sum = 0;
	int at = 0, x = a.x;
	char text[64], number[32];
	double rest = all;

	for (size_t i = 0; i < sizeof(uses) / sizeof(*uses); i++)
		rest -= fmax(0, now_system(&ui->now, uses[i].id));
	for (size_t i = 0; i <= sizeof(uses) / sizeof(*uses); i++) {
		/* the cache stands before what is free */
		bool cache = i == sizeof(uses) / sizeof(*uses) - 1,
		     is_free = i == sizeof(uses) / sizeof(*uses);
		const struct part *p = is_free ? &uses[i - 1] : &uses[i];
		double v = cache ? fmax(0, rest) : now_system(&ui->now, p->id);
		int to;

		if (!(all > 0) || isnan(v))
			continue;
		sum += v;
		to = (int)lrint(sum / all * a.columns);
		if (to > a.columns)
			to = a.columns;
		for (; at < to; at++)
			canvas_fill(c, a.x + at, a.y, 1, cache ? 'c' : (unsigned char)p->letter,
				    cache ? PAINT_DISK : p->paint);
		snprintf(text, sizeof(text), "%s %s  ", cache ? "cache and other" : p->name,
			 unit_format(number, sizeof(number), UNIT_BYTES, 0, v));
		x += canvas_text(c, x, a.y + 1, a.x + a.columns - x, cache ? PAINT_DISK : p->paint,
				 text);
	}
}

struct rate_line {
	const char *name;
	enum metric_id ids[3];
	const char *words[3];
};

static const struct rate_line moves[] = {
	{ "swap", { M_SWAP_IN, M_SWAP_OUT, M_NONE }, { "in", "out", NULL } },
	{ "storage", { M_PAGED_IN, M_PAGED_OUT, M_NONE }, { "in", "out", NULL } },
	{ "faults", { M_FAULTS, M_MAJOR_FAULTS, M_NONE }, { "all", "with I/O", NULL } },
	{ "reclaim",
	  { M_SCAN_KSWAPD, M_SCAN_DIRECT, M_ALLOCSTALLS },
	  { "by kswapd", "direct", "stalls" } },
	{ "refaults",
	  { M_REFAULT_FILE, M_REFAULT_ANON, M_NONE },
	  { "of files", "of programs", NULL } },
	{ "dirty",
	  { M_MEM_DIRTY, M_MEM_WRITEBACK, M_DIRTY_LIMIT },
	  { "waits", "is written", "limit" } },
	{ "promised",
	  { M_MEM_COMMITTED, M_MEM_COMMIT_LIMIT, M_NONE },
	  { "asked for", "limit", NULL } },
};

static void draw_moves(struct ui *ui, struct canvas *c, struct area a, const struct rate_line *m)
{
	char text[200] = "", number[32];

	for (int i = 0; i < 3 && m->ids[i] != M_NONE; i++) {
		const struct metric *d = metric_get(m->ids[i]);
		double v = now_system(&ui->now, m->ids[i]);
		/* of a derived metric the inputs are rates */
		int rate = d->kind == KIND_COUNTER || d->kind == KIND_DERIVED;

		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s %s",
			 i ? "   " : "", m->words[i],
			 unit_format(number, sizeof(number), d->unit, rate, v));
	}
	canvas_text(c, a.x, a.y, 10, PAINT_STRONG, m->name);
	canvas_text(c, a.x + 11, a.y, a.columns - 11, PAINT_PLAIN, text);
}

/* ---- who has it ---- */

struct owner {
	struct row_id id;
	const char *name;
	double rss;
};

static int most_first(const void *x, const void *y)
{
	const struct owner *a = x, *b = y;

	if (a->rss != b->rss)
		return a->rss < b->rss ? 1 : -1;
	return a->id.key < b->id.key ? -1 : a->id.key > b->id.key;
}

static void draw_owners(struct ui *ui, struct canvas *c, struct area a)
{
	struct snapshot *s = now_rows(&ui->now, SCOPE_PROCESS);
	size_t rows = s ? snapshot_rows(s, SCOPE_PROCESS) : 0, n = 0;
	struct owner *list = mem_array(rows + 1, sizeof(*list));
	char text[32], swap[32];

	heading(c, (struct area){ a.x, a.y, a.columns, 1 }, "Largest processes",
		"resident memory, shared pages counted in each");
	for (size_t r = 0; r < rows; r++) {
		double rss = snapshot_value(s, M_PROC_RSS, r);

		if (rss > 0)
			list[n++] = (struct owner){ snapshot_id(s, SCOPE_PROCESS, r),
						    snapshot_name(s, SCOPE_PROCESS, r), rss };
	}
	if (n)
		qsort(list, n, sizeof(*list), most_first);
	for (size_t i = 0; i < n && (int)i < a.rows - 1; i++)
		canvas_print(c, a.x, a.y + 1 + (int)i, a.columns, PAINT_PLAIN,
			     "%8llu %11s  swap %11s  %s", (unsigned long long)list[i].id.key,
			     unit_format(text, sizeof(text), UNIT_BYTES, 0, list[i].rss),
			     ui_cell(ui, M_PROC_SWAP, list[i].id, swap, sizeof(swap)),
			     list[i].name);
	mem_free(list);
}

void memory_draw(struct ui *ui, struct canvas *c, struct area a)
{
	const struct history *h = &ui->history;
	int end = a.y + a.rows;
	char text[64], number[32], whole[32];
	double swap = now_system(&ui->now, M_SWAP_TOTAL);

	draw_uses(ui, c, a);
	a.y += 2;
	snprintf(text, sizeof(text), "%s can be had",
		 unit_format(number, sizeof(number), UNIT_BYTES, 0,
			     now_system(&ui->now, M_MEM_AVAILABLE)));
	if (a.y < end)
		meter(c, (struct area){ a.x, a.y++, a.columns, 1 }, "memory",
		      h->n ? (double)h->points[TRACK_MEMORY][h->n - 1] : NAN, PAINT_MEMORY, text,
		      h->points[TRACK_MEMORY], h->n, 1);
	snprintf(text, sizeof(text), "%s left of %s",
		 unit_format(number, sizeof(number), UNIT_BYTES, 0,
			     now_system(&ui->now, M_SWAP_FREE)),
		 unit_format(whole, sizeof(whole), UNIT_BYTES, 0, swap));
	if (a.y < end && swap > 0)
		meter(c, (struct area){ a.x, a.y++, a.columns, 1 }, "swap",
		      h->n ? (double)h->points[TRACK_SWAP][h->n - 1] : NAN, PAINT_STOLEN, text,
		      h->points[TRACK_SWAP], h->n, 1);
	else if (a.y < end && swap <= 0)
		canvas_text(c, a.x, a.y++, a.columns, PAINT_DIM, "swap    none");
	for (size_t i = 0; i < sizeof(moves) / sizeof(*moves) && a.y < end; i++)
		draw_moves(ui, c, (struct area){ a.x, a.y++, a.columns, 1 }, &moves[i]);
	a.rows = end - a.y;
	if (a.rows >= 2)
		draw_owners(ui, c, a);
}
