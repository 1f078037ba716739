/* SPDX-License-Identifier: Apache-2.0 */
/* Processes as pidstat -urd and top show them, over one and the same window. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "checklist/makers.h"
#include "checklist/rule.h"

#define PIDSTAT_ROWS 60
#define TOP_ROWS     40
#define SHORT_ROWS   5    /* in the short form */
#define WORTH_CPU    0.01 /* of one CPU: less is not worth a line there */
#define WORTH_WAIT   0.05
#define WORTH_IO     (1 << 20) /* bytes a second */

struct shown {
	struct row_id id;
	size_t row,
		last; /* in the window (SIZE_MAX: it did not move), in view->last (SIZE_MAX: it ended) */
	double cpu, io, rss;
	const char *name;
};

static double or_0(double x)
{
	return x > 0 ? x : 0;
}

static int busiest_first(const void *x, const void *y)
{
	const struct shown *a = x, *b = y;

	if (a->cpu != b->cpu)
		return a->cpu < b->cpu ? 1 : -1;
	if (a->io != b->io)
		return a->io < b->io ? 1 : -1;
	if (a->rss != b->rss)
		return a->rss < b->rss ? 1 : -1;
	return (a->id.key > b->id.key) - (a->id.key < b->id.key);
}

/* Seconds of CPU per second of the window: one that lived for a tenth of it and was busy then counts as a tenth. */
static double cpu_of(const struct view *v, size_t row, enum metric_id part)
{
	return interval_delta(v->window, part, row) / interval_seconds(v->window);
}

static struct shown *collect(const struct view *v, bool idle_too, size_t *n)
{
	size_t moved = interval_rows(v->window, SCOPE_PROCESS),
	       all = snapshot_rows(v->last, SCOPE_PROCESS);
	struct shown *list = mem_array(moved + all + 1, sizeof(*list));

	*n = 0;
	for (size_t r = 0; r < moved; r++) {
		struct row_id id = interval_row(v->window, SCOPE_PROCESS, r)->id;
		size_t last = snapshot_find(v->last, SCOPE_PROCESS, id);

		list[(*n)++] = (struct shown){
			.id = id,
			.row = r,
			.last = last,
			.name = interval_name(v->window, SCOPE_PROCESS, r),
			.cpu = or_0(cpu_of(v, r, M_PROC_USER)) + or_0(cpu_of(v, r, M_PROC_SYSTEM)),
			.io = or_0(interval_rate(v->window, M_PROC_READ_BYTES, r)) +
			      or_0(interval_rate(v->window, M_PROC_WRITE_BYTES, r)),
			.rss = or_0(snapshot_value(v->last, M_PROC_RSS, last)),
		};
	}
	for (size_t r = 0; r < all && idle_too; r++) {
		struct row_id id = snapshot_id(v->last, SCOPE_PROCESS, r);

		if (interval_find(v->window, SCOPE_PROCESS, id) == SIZE_MAX)
			list[(*n)++] =
				(struct shown){ .id = id,
						.row = SIZE_MAX,
						.last = r,
						.rss = or_0(snapshot_value(v->last, M_PROC_RSS, r)),
						.name = snapshot_name(v->last, SCOPE_PROCESS, r) };
	}
	if (*n)
		qsort(list, *n, sizeof(*list), busiest_first);
	return list;
}

/* Share of the window that its threads waited for a CPU; NaN for one whose threads were not followed. */
static double waited(const struct view *v, int64_t pid)
{
	const struct lost_row *l = view_lost_pid(v, pid);

	return l ? l->time[CAUSE_RUNNABLE] / interval_seconds(v->window) : NAN;
}

static double memory_share(const struct view *v, size_t last)
{
	return 100 * snapshot_value(v->last, M_PROC_RSS, last) /
	       (v->host->memory_bytes ? (double)v->host->memory_bytes : NAN);
}

/* ---- pidstat ---- */

static void pidstat_row(const struct view *v, struct report *out, struct sheet *s,
			const struct shown *p, bool matters)
{
	const struct interval *iv = v->window;
	double user = cpu_of(v, p->row, M_PROC_USER), system = cpu_of(v, p->row, M_PROC_SYSTEM);
	size_t row = sheet_row(s, matters);
	const double cells[] = {
		(double)p->id.key,
		100 * user,
		100 * system,
		100 * waited(v, (int64_t)p->id.key),
		100 * (user + system),
		snapshot_value(v->last, M_PROC_CPU, p->last),
		interval_rate(iv, M_PROC_MINFLT, p->row),
		interval_rate(iv, M_PROC_MAJFLT, p->row),
		snapshot_value(v->last, M_PROC_VSZ, p->last) / 1024,
		snapshot_value(v->last, M_PROC_RSS, p->last) / 1024,
		memory_share(v, p->last),
		interval_rate(iv, M_PROC_READ_BYTES, p->row) / 1024,
		interval_rate(iv, M_PROC_WRITE_BYTES, p->row) / 1024,
	};

	for (unsigned c = 0; c < sizeof(cells) / sizeof(*cells); c++)
		sheet_number(s, row, c, cells[c]);
	sheet_text(out, s, row, (unsigned)(sizeof(cells) / sizeof(*cells)), p->name);
}

void step_pidstat(const struct view *v, struct report *out)
{
	static const struct sheet_column columns[] = {
		{ "PID", "pid", 0, 7 },         { "%usr", "usr", 1, 5 },
		{ "%system", "system", 1, 7 },  { "%wait", "wait", 1, 5 },
		{ "%CPU", "cpu_total", 1, 5 },  { "CPU", "cpu", 0, 3 },
		{ "minflt/s", "minflt", 1, 8 }, { "majflt/s", "majflt", 1, 8 },
		{ "VSZ", "vsz", 0, 8 },         { "RSS", "rss", 0, 8 },
		{ "%MEM", "mem", 1, 5 },        { "kB_rd/s", "kb_rd", 1, 8 },
		{ "kB_wr/s", "kb_wr", 1, 8 },   { "Command", "command", -1, -16 },
	};
	struct sheet *s = report_sheet(out, "pidstat",
				       "which processes use CPU, fault, read and write (KiB)",
				       columns, sizeof(columns) / sizeof(*columns));
	size_t n, shown = 0;
	struct shown *list = collect(v, false, &n);

	for (size_t i = 0; i < n && shown < PIDSTAT_ROWS; i++) {
		bool worth = list[i].cpu >= WORTH_CPU || list[i].io >= WORTH_IO ||
			     waited(v, (int64_t)list[i].id.key) >= WORTH_WAIT;

		if (list[i].cpu <= 0 && list[i].io <= 0 && !worth &&
		    !(interval_rate(v->window, M_PROC_MINFLT, list[i].row) > 0))
			continue;
		pidstat_row(v, out, s, &list[i], worth && shown < SHORT_ROWS);
		shown++;
	}
	if (!shown)
		snprintf(s->note, sizeof(s->note), "no process did anything");
	mem_free(list);
}

/* ---- top ---- */

/* "12:34.56", as top prints minutes, seconds and hundredths. */
static void cpu_time(char *out, size_t size, double seconds)
{
	if (isnan(seconds))
		snprintf(out, size, "-");
	else
		snprintf(out, size, "%.0f:%05.2f", floor(seconds / 60),
			 seconds - 60 * floor(seconds / 60));
}

/* Priority as top shows it: 20 + nice, or rt and -1 - priority for real-time tasks. */
static void priority(char *out, size_t size, double policy, double rt, double nice)
{
	if (policy == 1 || policy == 2)
		snprintf(out, size, rt >= 99 ? "rt" : "%.0f", -1 - rt);
	else
		snprintf(out, size, isnan(nice) ? "-" : "%.0f", 20 + nice);
}

static void top_row(const struct view *v, struct report *out, struct sheet *s,
		    const struct shown *p, bool matters)
{
	const struct snapshot *l = v->last;
	double state = snapshot_value(l, M_PROC_STATE, p->last),
	       nice = snapshot_value(l, M_PROC_NICE, p->last);
	double user = snapshot_value(l, M_PROC_UID, p->last);
	size_t row = sheet_row(s, matters);
	char text[40], letter[2] = { state > ' ' && state < 127 ? (char)state : '?', '\0' };

	if (isnan(user))
		user = snapshot_value(l, M_PROC_OWNER, p->last);
	sheet_number(s, row, 0, (double)p->id.key);
	sheet_number(s, row, 1, user);
	priority(text, sizeof(text), snapshot_value(l, M_PROC_POLICY, p->last),
		 snapshot_value(l, M_PROC_RT_PRIORITY, p->last), nice);
	sheet_text(out, s, row, 2, text);
	sheet_number(s, row, 3, nice);
	sheet_number(s, row, 4, snapshot_value(l, M_PROC_VSZ, p->last) / 1024);
	sheet_number(s, row, 5, snapshot_value(l, M_PROC_RSS, p->last) / 1024);
	sheet_text(out, s, row, 6, letter);
	sheet_number(s, row, 7, 100 * p->cpu);
	sheet_number(s, row, 8, memory_share(v, p->last));
	cpu_time(text, sizeof(text),
		 snapshot_value(l, M_PROC_USER, p->last) +
			 snapshot_value(l, M_PROC_SYSTEM, p->last));
	sheet_text(out, s, row, 9, text);
	sheet_text(out, s, row, 10, p->name);
}

void step_top(const struct view *v, struct report *out)
{
	static const struct sheet_column columns[] = {
		{ "PID", "pid", 0, 7 },
		{ "UID", "uid", 0, 5 },
		{ "PR", "pr", -1, 3 },
		{ "NI", "ni", 0, 3 },
		{ "VIRT", "virt", 0, 8 },
		{ "RES", "res", 0, 8 },
		{ "S", "s", -1, 1 },
		{ "%CPU", "cpu", 1, 5 },
		{ "%MEM", "mem", 1, 5 },
		{ "TIME+", "time", -1, 9 },
		{ "COMMAND", "command", -1, -16 },
	};
	struct sheet *s = report_sheet(out, "top", "who is on top, and who is large (KiB)", columns,
				       sizeof(columns) / sizeof(*columns));
	size_t n, shown = 0;
	struct shown *list = collect(v, true, &n);

	for (size_t i = 0; i < n && shown < TOP_ROWS; i++) {
		if (list[i].last == SIZE_MAX)
			continue; /* top shows who is there now */
		top_row(v, out, s, &list[i], list[i].cpu >= WORTH_CPU && shown < SHORT_ROWS);
		shown++;
	}
	mem_free(list);
}
