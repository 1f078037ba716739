/* SPDX-License-Identifier: Apache-2.0 */
/* Where time went, what the kernel said. */
#include "tui/parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

static const struct {
	const char *title;
	enum paint paint;
	char letter; /* in the bar, where there is room for it */
} causes[CAUSE_MAX] = {
	[CAUSE_USER] = { "running, user", PAINT_USER, 'u' },
	[CAUSE_SYSTEM] = { "running, kernel", PAINT_SYSTEM, 's' },
	[CAUSE_STOLEN] = { "stolen", PAINT_STOLEN, 'i' },
	[CAUSE_RUNNABLE] = { "waits for CPU", PAINT_RUNNABLE, 'R' },
	[CAUSE_THROTTLED] = { "throttled", PAINT_RUNNABLE, 'Q' },
	[CAUSE_DISK] = { "disk", PAINT_DISK, 'D' },
	[CAUSE_WRITEBACK] = { "writeback", PAINT_DISK, 'W' },
	[CAUSE_RECLAIM] = { "reclaim", PAINT_MEMORY, 'M' },
	[CAUSE_FAULT] = { "page faults", PAINT_MEMORY, 'F' },
	[CAUSE_LOCK] = { "locks", PAINT_LOCK, 'L' },
	[CAUSE_STOPPED] = { "stopped", PAINT_STOPPED, 'T' },
	[CAUSE_OTHER] = { "other blocking", PAINT_LOCK, 'O' },
	[CAUSE_REPLY] = { "awaits a reply", PAINT_NET, 'A' },
	[CAUSE_WORK] = { "awaits work", PAINT_IDLE, '.' },
	[CAUSE_RESIDUAL] = { "not accounted", PAINT_IDLE, '?' },
};

const char *cause_title(enum cause c)
{
	return causes[c].title;
}

enum paint cause_paint(enum cause c)
{
	return causes[c].paint;
}

enum cause worst_cause(const struct lost_row *l)
{
	enum cause worst = CAUSE_RUNNABLE;

	for (enum cause c = 0; c < CAUSE_MAX; c++)
		if (cause_is_lost(c) && l->time[c] > l->time[worst])
			worst = c;
	return worst;
}

double time_total(const struct lost_row *l)
{
	double sum = 0;

	for (enum cause c = 0; c < CAUSE_MAX; c++)
		sum += l->time[c] > 0 ? l->time[c] : 0;
	return sum;
}

/* Cells go to parts by their ends, so that rounding never adds up to more or less than the whole. */
void time_bar(struct canvas *c, int x, int y, int width, const struct lost_row *l)
{
	double all = time_total(l), sum = 0;
	int from = 0;

	for (enum cause k = 0; all > 0 && k < CAUSE_MAX; k++) {
		int to;

		sum += l->time[k] > 0 ? l->time[k] : 0;
		to = (int)lrint(sum / all * width);
		for (; from < to; from++)
			canvas_fill(c, x + from, y, 1, (unsigned char)causes[k].letter,
				    causes[k].paint);
	}
}

/* ---- events ---- */

static int newest_first(const void *x, const void *y)
{
	const struct event_line *a = x, *b = y;

	return a->seconds < b->seconds ? 1 : a->seconds > b->seconds ? -1 : 0;
}

size_t events_latest(const struct ui *ui, struct event_line **list, size_t most)
{
	struct snapshot *s = now_rows(&ui->now, SCOPE_EVENT);
	size_t rows = s ? snapshot_rows(s, SCOPE_EVENT) : 0, n = 0;

	*list = mem_array(rows + 1, sizeof(**list));
	for (size_t r = 0; r < rows; r++) {
		double at = snapshot_value(s, M_EVENT_TIME, r),
		       kind = snapshot_value(s, M_EVENT_KIND, r),
		       level = snapshot_value(s, M_EVENT_LEVEL, r);
		const char *text = snapshot_text(s, M_EVENT_TEXT, r);

		if (!text || isnan(at) || !(kind > EVENT_NONE))
			continue;
		(*list)[n++] = (struct event_line){
			.seconds = at,
			.kind = kind >= 0 && kind < EVENT_MAX ? (enum event_kind)kind : EVENT_NONE,
			.level = level >= 0 && level < 8 ? (int)level : 7,
			.text = text,
		};
	}
	if (n)
		qsort(*list, n, sizeof(**list), newest_first);
	return n < most ? n : most;
}

void draw_event(const struct ui *ui, struct canvas *c, struct area a, const struct event_line *e)
{
	int64_t wall = ui->now.host->boot_wall_ns / 1000000000 + (int64_t)fmin(e->seconds, 1e10);
	time_t t = (time_t)wall;
	char when[40] = "";
	struct tm tm;
	enum paint p = e->level <= 2 ? PAINT_CRIT : e->level == 3 ? PAINT_WARN : PAINT_PLAIN;
	int x;

	if (ui->replay ? gmtime_r(&t, &tm) : localtime_r(&t, &tm))
		strftime(when, sizeof(when), "%m-%d %H:%M:%S", &tm);
	x = canvas_text(c, a.x, a.y, a.columns, PAINT_DIM, when) + 1;
	if (e->kind > EVENT_OTHER_ERROR)
		x += canvas_text(c, a.x + x, a.y, a.columns - x, p, event_kind_title(e->kind)) + 1;
	canvas_text(c, a.x + x, a.y, a.columns - x, PAINT_PLAIN, e->text);
}
