/* SPDX-License-Identifier: Apache-2.0 */
/* CPUs: how busy each was over time, and what it does now. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tui/grid.h"
#include "tui/screens.h"

#define NUMBERS 56 /* columns of what stands beside the map */

struct one {
	struct row_id id;
	const char *name;
};

static int by_name(const void *x, const void *y)
{
	const struct one *a = x, *b = y;

	return strverscmp(a->name, b->name);
}

/* The map's row of a CPU; NULL: it is one too many. */
static const float *points_of(const struct ui *ui, struct row_id id)
{
	const struct history *h = &ui->history;

	for (size_t i = 0; i < h->ncpus; i++)
		if (h->ids[i].key == id.key && h->ids[i].birth == id.birth)
			return h->cpus[i];
	return NULL;
}

static void draw_one(const struct ui *ui, struct canvas *c, struct area a, const struct one *o)
{
	static const enum metric_id shares[] = { M_CPU_USER,    M_CPU_SYSTEM, M_CPU_IRQ,
						 M_CPU_SOFTIRQ, M_CPU_STEAL,  M_CPU_IOWAIT };
	const float *points = points_of(ui, o->id);
	int map = a.columns - NUMBERS - 6;
	char text[32];
	double busy = ui_value(ui, M_CPU_BUSY, o->id), wait = ui_value(ui, M_CPU_RUNNABLE, o->id);
	int x = a.x + 6;

	canvas_text(c, a.x, a.y, 5, PAINT_STRONG, o->name);
	for (int i = 0; i < map; i++) {
		size_t n = ui->history.n;
		size_t back = (size_t)(map - i);

		if (points && back <= n)
			canvas_heat(c, x + i, a.y, (double)points[n - back]);
	}
	x += map > 0 ? map + 1 : 0;
	snprintf(text, sizeof(text), isnan(busy) ? "-" : "%.0f", 100 * busy);
	canvas_right(c, x, a.y, 5, PAINT_STRONG, text);
	x += 6;
	for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++, x += 6) {
		double v = ui_value(ui, shares[i], o->id);

		snprintf(text, sizeof(text), isnan(v) ? "-" : "%.0f", 100 * v);
		canvas_right(c, x, a.y, 5, v >= 0.005 ? PAINT_PLAIN : PAINT_DIM, text);
	}
	snprintf(text, sizeof(text), isnan(wait) ? "-" : "%.2f", wait);
	canvas_right(c, x, a.y, 6, wait >= 0.005 ? PAINT_PLAIN : PAINT_DIM, text);
	x += 7;
	canvas_text(c, x, a.y, a.x + a.columns - x, PAINT_PLAIN,
		    ui_cell(ui, M_CPU_FREQ, o->id, text, sizeof(text)));
}

void cpus_draw(struct ui *ui, struct canvas *c, struct area a)
{
	struct list *l = &ui->lists[ui->screen];
	struct snapshot *s = now_rows(&ui->now, SCOPE_CPU);
	size_t n = s ? snapshot_rows(s, SCOPE_CPU) : 0;
	struct one *list = mem_array(n + 1, sizeof(*list));
	int map = a.columns - NUMBERS - 6;

	for (size_t i = 0; i < n; i++)
		list[i] = (struct one){ snapshot_id(s, SCOPE_CPU, i),
					snapshot_name(s, SCOPE_CPU, i) };
	if (n)
		qsort(list, n, sizeof(*list), by_name);
	canvas_print(c, a.x, a.y, a.columns, PAINT_HEAD,
		     "%-6s%-*s %5s %5s %5s %5s %5s %5s %5s %6s %s", "CPU", map > 0 ? map : 0,
		     map > 12 ? "BUSY, OVER TIME" : "", "BUSY%", "USER", "SYS", "IRQ", "SOFT",
		     "STEAL", "IOWT", "WAITS", "CLOCK");
	l->rows = n;
	l->page = a.rows - 1;
	if (l->at + (size_t)l->page > n)
		l->at = n > (size_t)l->page ? n - (size_t)l->page : 0;
	for (int y = 0; y < l->page && l->at + (size_t)y < n; y++)
		draw_one(ui, c, (struct area){ a.x, a.y + 1 + y, a.columns, 1 },
			 &list[l->at + (size_t)y]);
	if (!n)
		canvas_text(c, a.x, a.y + 1, a.columns, PAINT_DIM, "No CPU was read.");
	mem_free(list);
}
