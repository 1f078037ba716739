/* SPDX-License-Identifier: Apache-2.0 */
/* Locks: who waits for them, and what their holders were kept from. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/units.h"
#include "tui/grid.h"
#include "tui/screens.h"

struct waiter {
	const struct lost_row *row;
	double share;
};

static int most_first(const void *x, const void *y)
{
	const struct waiter *a = x, *b = y;

	if (a->share != b->share)
		return a->share < b->share ? 1 : -1;
	return a->row->pid < b->row->pid ? -1 : a->row->pid > b->row->pid;
}

static const struct {
	enum metric_id id;
	const char *what;
} roots[] = {
	{ M_TIME_ROOT_CPU, "running" },
	{ M_TIME_ROOT_RUNNABLE, "waiting for a CPU" },
	{ M_TIME_ROOT_THROTTLED, "throttled" },
	{ M_TIME_ROOT_DISK, "on disks" },
	{ M_TIME_ROOT_MEMORY, "in memory" },
	{ M_TIME_ROOT_SLEEP, "asleep by choice" },
	{ M_TIME_ROOT_REPLY, "awaiting a reply" },
};

/* What those that held the locks were doing meanwhile: known once wake-ups are followed. */
static void holders(const struct ui *ui, const struct lost_row *l, char *out, size_t size)
{
	const struct view *v = ui->report->view;
	size_t row = interval_find(v->window, SCOPE_TIME, l->id), used = 0;
	double all = 0;

	out[0] = '\0';
	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++) {
		double x = interval_delta(v->window, roots[i].id, row);

		all += x > 0 ? x : 0;
	}
	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots) && all > 0; i++) {
		double x = interval_delta(v->window, roots[i].id, row);

		if (x > 0.02 * all && used < size)
			used += (size_t)snprintf(out + used, size - used, "%s%s %.0f %%",
						 used ? ", " : "", roots[i].what, 100 * x / all);
	}
	if (!used)
		snprintf(out, size, "-");
}

void locks_draw(struct ui *ui, struct canvas *c, struct area a)
{
	const struct view *v = ui->report ? ui->report->view : NULL;
	struct waiter *list = mem_array((v ? v->nlost : 0) + 1, sizeof(*list));
	struct list *l = &ui->lists[ui->screen];
	double seconds = v ? interval_seconds(v->window) : 0;
	char text[200], open[32];
	size_t n = 0;

	for (size_t i = 0; v && i < v->nlost; i++)
		if (v->lost[i].time[CAUSE_LOCK] >= 0.005 * seconds)
			list[n++] = (struct waiter){ &v->lost[i],
						     v->lost[i].time[CAUSE_LOCK] / seconds };
	if (n)
		qsort(list, n, sizeof(*list), most_first);
	canvas_print(c, a.x, a.y, a.columns, PAINT_HEAD, "%8s %-16s %12s %12s  %s", "PID",
		     "PROCESS", "WAITS", "LONGEST OPEN", "MEANWHILE THE HOLDERS WERE");
	l->rows = n;
	l->page = a.rows - 1;
	if (l->at >= n)
		l->at = n ? n - 1 : 0;
	for (size_t i = l->at; i < n && (int)(i - l->at) < a.rows - 1; i++) {
		holders(ui, list[i].row, text, sizeof(text));
		canvas_print(c, a.x, a.y + 1 + (int)(i - l->at), a.columns, PAINT_PLAIN,
			     "%8lld %-16.16s %8.2f s/s %12s  %s", (long long)list[i].row->pid,
			     list[i].row->name, list[i].share,
			     list[i].row->open > 0
				     ? unit_duration(open, sizeof(open), list[i].row->open)
				     : "-",
			     text);
	}
	if (!n)
		canvas_text(c, a.x, a.y + 1, a.columns, PAINT_DIM,
			    v ? "No thread waited for a lock in the window."
			      : "Known after the first judgement.");
	mem_free(list);
}
