/* SPDX-License-Identifier: Apache-2.0 */
/* Where the time of threads went: one line per process (or thread), and for the process that was asked for every part
 * with what it means, and a bar of its whole wall time. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "export/style.h"
#include "export/text.h"

#define SHORT_ROWS   5    /* in the triage's short form */
#define SHORT_LEAST  0.02 /* seconds lost per second that are worth a line there */
#define LISTED_LEAST 0.0005
#define LISTED_ROWS  40 /* of `sixty time`, without --verbose */

/* The columns of the table: several causes of one kind share one. */
static const struct column {
	const char *title;
	enum cause first, last;
	char letter; /* of the bar */
	const char *word;
} columns[] = {
	{ "running", CAUSE_USER, CAUSE_SYSTEM, '#', "running" },
	{ "stolen", CAUSE_STOLEN, CAUSE_STOLEN, 's', "stolen by interrupts or the hypervisor" },
	{ "waiting", CAUSE_RUNNABLE, CAUSE_RUNNABLE, 'w', "waiting for a CPU" },
	{ "quota", CAUSE_THROTTLED, CAUSE_THROTTLED, 'q', "throttled by a CPU quota" },
	{ "disk", CAUSE_DISK, CAUSE_WRITEBACK, 'd', "disk" },
	{ "memory", CAUSE_RECLAIM, CAUSE_FAULT, 'm', "memory" },
	{ "lock", CAUSE_LOCK, CAUSE_LOCK, 'l', "lock" },
	{ "other", CAUSE_STOPPED, CAUSE_OTHER, 'o', "stopped or blocked otherwise" },
	{ "reply", CAUSE_REPLY, CAUSE_REPLY, 'r', "waiting for a reply" },
	{ "work", CAUSE_WORK, CAUSE_WORK, '.', "waiting for work" },
	{ "", CAUSE_RESIDUAL, CAUSE_RESIDUAL, '?', "residual" },
};
#define COLUMNS (sizeof(columns) / sizeof(*columns))

static const struct {
	enum cause cause;
	const char *means;
} meanings[] = {
	{ CAUSE_USER, "on a CPU, in the program" },
	{ CAUSE_SYSTEM, "on a CPU, in the kernel" },
	{ CAUSE_STOLEN, "on a CPU that interrupts or the hypervisor took" },
	{ CAUSE_RUNNABLE, "waiting for a CPU" },
	{ CAUSE_THROTTLED, "waiting for the CPU quota of its control group" },
	{ CAUSE_DISK, "blocked on block I/O" },
	{ CAUSE_WRITEBACK, "paused for too many dirty pages" },
	{ CAUSE_RECLAIM, "blocked for memory: reclaim, refaults, swap" },
	{ CAUSE_FAULT, "blocked in a page fault" },
	{ CAUSE_LOCK, "waiting for a lock" },
	{ CAUSE_STOPPED, "stopped, traced or frozen" },
	{ CAUSE_OTHER, "blocked for another reason" },
	{ CAUSE_REPLY, "waiting for an answer" },
	{ CAUSE_WORK, "asleep: a timer, or nothing to do" },
	{ CAUSE_RESIDUAL, "not told apart" },
};

static double part_of(const struct lost_row *l, const struct column *c)
{
	double sum = 0;

	for (enum cause k = c->first; k <= c->last; k++)
		sum += l->time[k];
	return sum;
}

static double active(const struct lost_row *l)
{
	return l->time[CAUSE_USER] + l->time[CAUSE_SYSTEM] + l->lost;
}

/* ---- the bar ---- */

/* Cells of each column, so that they add up to the width: the largest remainders get what rounding leaves. */
static void share_out(const struct lost_row *l, unsigned width, unsigned *cells)
{
	double rest[COLUMNS], total = l->threads;
	unsigned used = 0;

	for (size_t i = 0; i < COLUMNS; i++) {
		double exact = total > 0 ? part_of(l, &columns[i]) / total * width : 0;

		cells[i] = (unsigned)exact;
		rest[i] = exact - cells[i];
		used += cells[i];
	}
	while (used < width) {
		size_t best = 0;

		for (size_t i = 1; i < COLUMNS; i++)
			if (rest[i] > rest[best])
				best = i;
		cells[best]++;
		rest[best] = -1;
		used++;
	}
}

static enum ink ink_of(const struct column *c)
{
	return c->first == CAUSE_USER                                  ? INK_GOOD
	       : c->first >= CAUSE_RUNNABLE && c->first <= CAUSE_OTHER ? INK_ALARM
								       : INK_PLAIN;
}

/* Letters say what colours say. */
static void bar(struct buf *out, const struct style *s, const struct lost_row *l, unsigned width)
{
	unsigned cells[COLUMNS];

	share_out(l, width, cells);
	for (size_t i = 0; i < COLUMNS; i++) {
		if (!cells[i])
			continue;
		style_ink(out, s, ink_of(&columns[i]));
		buf_fill(out, columns[i].letter, cells[i]);
		style_ink(out, s, INK_PLAIN);
	}
}

static void legend(struct buf *out, const struct style *s, const struct lost_row *l, size_t n)
{
	bool any = false;
	struct para p;

	buf_str(out, "  ");
	para_begin(&p, out, s, 2, 2);
	for (size_t i = 0; i < COLUMNS; i++) {
		char text[80];
		bool used = false;

		for (size_t k = 0; k < n && !used; k++)
			used = part_of(&l[k], &columns[i]) > 0;
		if (!used)
			continue;
		snprintf(text, sizeof(text), "%s%c %s", any ? "· " : "", columns[i].letter,
			 columns[i].word);
		para_words(&p, INK_PLAIN, text);
		any = true;
	}
	para_end(&p);
}

/* ---- the table ---- */

#define NAME_WIDTH 24
#define CELL_WIDTH 8

static void name_of(char *out, size_t size, const struct lost_row *l)
{
	char safe[64];

	text_printable_into(safe, sizeof(safe), l->name, strlen(l->name));
	if (l->short_lived && !l->pid)
		snprintf(out, size, "%" PRIu64 "x %s < -", l->short_lived, safe);
	else if (l->short_lived)
		snprintf(out, size, "%" PRIu64 "x %s < %" PRId64, l->short_lived, safe, l->pid);
	else if (!l->pid)
		snprintf(out, size, "%s[-]", safe);
	else
		snprintf(out, size, "%s[%" PRId64 "]", safe, l->tid ? l->tid : l->pid);
}

static void cell(struct buf *out, const struct style *s, double v)
{
	char number[32] = "0", text[40];

	if (v >= 0.00005 || isnan(v))
		style_number(number, sizeof(number), v);
	snprintf(text, sizeof(text), "%8s", number);
	style_cell(out, s, text, CELL_WIDTH);
}

/* How many of the columns fit, "work" and the residual never. */
static size_t fitting(const struct style *s)
{
	size_t n = (style_columns(s) - NAME_WIDTH - 2) / CELL_WIDTH;

	return n < COLUMNS - 2 + 1 ? n - 1 : COLUMNS - 2;
}

/* Columns that are empty everywhere are left out. */
static bool is_used(const struct lost_row *rows, size_t n, const struct column *c, double seconds)
{
	for (size_t i = 0; i < n; i++)
		if (part_of(&rows[i], c) / seconds >= 0.00005)
			return true;
	return c->first == CAUSE_USER || c->first == CAUSE_RUNNABLE;
}

static void table(struct buf *out, const struct style *s, const struct lost_row *rows, size_t n,
		  double seconds, bool inflicted)
{
	size_t room = fitting(s), shown = 0;
	bool used[COLUMNS] = { false };
	char text[96];

	for (size_t i = 0; i < COLUMNS - 2; i++)
		if (is_used(rows, n, &columns[i], seconds) && shown < room) {
			used[i] = true;
			shown++;
		}
	inflicted = inflicted && shown < room;
	buf_str(out, "  ");
	buf_fill(out, ' ', NAME_WIDTH);
	style_cell(out, s, " threads", CELL_WIDTH);
	for (size_t i = 0; i < COLUMNS - 2; i++)
		if (used[i]) {
			snprintf(text, sizeof(text), "%8s", columns[i].title);
			style_cell(out, s, text, CELL_WIDTH);
		}
	if (inflicted)
		style_cell(out, s, "   took", CELL_WIDTH);
	buf_char(out, '\n');
	for (size_t r = 0; r < n; r++) {
		buf_str(out, "  ");
		name_of(text, sizeof(text), &rows[r]);
		style_cell(out, s, text, -NAME_WIDTH);
		cell(out, s, rows[r].threads / seconds);
		for (size_t i = 0; i < COLUMNS - 2; i++)
			if (used[i])
				cell(out, s, part_of(&rows[r], &columns[i]) / seconds);
		if (inflicted)
			cell(out, s, rows[r].inflicted / seconds);
		buf_char(out, '\n');
	}
}

/* ---- one process ---- */

static void parts(struct buf *out, const struct lost_row *l, double seconds)
{
	char number[32], text[160];

	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++) {
		double v = l->time[meanings[i].cause];

		if (v <= 0)
			continue;
		style_number(number, sizeof(number), v / seconds);
		snprintf(text, sizeof(text), "  %-16s %8s s/s  %5.1f %%   ",
			 cause_name(meanings[i].cause), number, 100 * v / l->threads);
		buf_str(out, text);
		buf_str(out, meanings[i].means);
		if ((meanings[i].cause == CAUSE_USER || meanings[i].cause == CAUSE_SYSTEM) &&
		    !l->split)
			buf_str(out, " (user or kernel: a guess, too few ticks)");
		buf_char(out, '\n');
	}
}

/* What nobody counts has no line. */
static void bytes(struct buf *out, const struct lost_row *l, double seconds)
{
	const struct {
		const char *name, *means;
		double v;
	} rows[] = {
		{ "sent", "payload sent by TCP and UDP", l->sent },
		{ "received", "payload received", l->received },
		{ "disk_read", "read from block devices", l->io_read },
		{ "disk_written", "made dirty, or written around the page cache", l->io_written },
	};
	char number[32];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!isnan(rows[i].v))
			buf_printf(out, "  %-16s %16s         %s\n", rows[i].name,
				   unit_format(number, sizeof(number), UNIT_BYTES, 1,
					       rows[i].v / seconds),
				   rows[i].means);
}

/* Rows under a title; without --verbose not all of many. */
static void listed(struct buf *out, const struct report *r, const struct style *s,
		   const char *title, const struct lost_row *rows, size_t n, bool inflicted)
{
	size_t shown = !s->verbose && n > LISTED_ROWS ? LISTED_ROWS : n;

	text_title(out, s, title);
	table(out, s, rows, shown, r->seconds, inflicted);
	if (n > shown)
		buf_printf(out, "  (+%zu more with --verbose)\n", n - shown);
}

/* The bar of a row, and its parts. */
static void in_full(struct buf *out, const struct report *r, const struct style *s,
		    const struct lost_row *l, const char *name)
{
	char title[320], number[32];

	snprintf(title, sizeof(title), "Where the time of %s went: %s threads for %.1f s", name,
		 style_number(number, sizeof(number), l->threads / r->seconds), r->seconds);
	text_title(out, s, title);
	buf_str(out, "  [");
	bar(out, s, l, style_columns(s) - 4);
	buf_str(out, "]\n");
	legend(out, s, l, 1);
	buf_char(out, '\n');
	parts(out, l, r->seconds);
	bytes(out, l, r->seconds);
}

static void one_process(struct buf *out, const struct report *r, const struct style *s)
{
	const struct lost_row *l = view_lost_pid(r->view, r->pid);
	char name[96];

	if (!l)
		return;
	name_of(name, sizeof(name), l);
	in_full(out, r, s, l, name);
	if (r->view->nthreads > 1)
		listed(out, r, s, "Its threads, thread-seconds per second", r->view->threads,
		       r->view->nthreads, false);
}

static void one_group(struct buf *out, const struct report *r, const struct style *s)
{
	struct lost_row all = { .split = true };
	char safe[200], name[240];

	for (size_t i = 0; i < r->view->nlost; i++) {
		const struct lost_row *l = &r->view->lost[i];

		all.threads += l->threads;
		all.split = all.split &&
			    (l->split || !(l->time[CAUSE_USER] + l->time[CAUSE_SYSTEM] > 0));
		for (enum cause c = 0; c < CAUSE_MAX; c++)
			all.time[c] += l->time[c];
		for (int q = 0; q < QUEUED_MAX; q++)
			all.queued[q] += l->queued[q];
		/* of one that is not known, the sum is not */
		all.sent += l->sent;
		all.received += l->received;
		all.io_read += l->io_read;
		all.io_written += l->io_written;
	}
	text_printable_into(safe, sizeof(safe), r->cgroup, strlen(r->cgroup));
	snprintf(name, sizeof(name), "cgroup %s", safe);
	in_full(out, r, s, &all, name);
	listed(out, r, s, "Its processes, thread-seconds per second", r->view->lost, r->view->nlost,
	       true);
	if (r->view->nthreads > r->view->nlost)
		listed(out, r, s, "Their threads, thread-seconds per second", r->view->threads,
		       r->view->nthreads, false);
}

/* ---- all ---- */

void text_time(struct buf *out, const struct report *r, const struct style *s)
{
	bool brief = r->parts & REPORT_VERDICT;
	double least = (brief && !s->verbose ? SHORT_LEAST : s->verbose ? 0 : LISTED_LEAST);
	size_t most = brief ? SHORT_ROWS : LISTED_ROWS, n = 0, left;

	if (!r->view || !r->view->nlost || !r->view->lost[0].exact || !(r->seconds > 0))
		return;
	if (r->pid) {
		one_process(out, r, s);
		return;
	}
	if (r->cgroup) {
		one_group(out, r, s);
		return;
	}
	while (n < r->view->nlost && (s->verbose || n < most) &&
	       (brief ? r->view->lost[n].lost : active(&r->view->lost[n])) >= least * r->seconds)
		n++;
	if (!n)
		return;
	text_title(out, s, "Where the time of threads went, thread-seconds per second");
	table(out, s, r->view->lost, n, r->seconds, true);
	left = r->view->nlost - n;
	if (!brief && left)
		buf_printf(out, "  (+%zu that did less%s)\n", left,
			   s->verbose ? "" : "; all with --verbose");
}
