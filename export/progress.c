/* SPDX-License-Identifier: Apache-2.0 */
/* The picture on a terminal while the window is watched: how far it is, and what the last second looked like.
 *
 *   watching ██████████▌           4 of 10 s  (Ctrl-C judges what was seen so far)
 *   cpu ████▏    42 %  running 3  blocked 0  vda █▏        12 %  eth0 in 1.2 MiB/s out 310 KiB/s
 *
 * Lines are cut to the width of the terminal: a wrapped one could not be taken off the screen again. */
#include "export/progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "export/style.h"

#define LINES    2
#define BAR      8
#define TIME_BAR 20

static void busy(struct buf *line, const struct style *s, const char *name, double ratio)
{
	char percent[32], text[32];

	if (isnan(ratio))
		return;
	if (line->len)
		buf_str(line, "  ");
	style_escape(line, s, name, strlen(name));
	buf_char(line, ' ');
	style_bar(line, s, ratio, BAR);
	unit_format(percent, sizeof(percent), UNIT_RATIO, 0, ratio);
	snprintf(text, sizeof(text), " %5s", percent);
	buf_str(line, text);
}

static void count(struct buf *line, const char *name, double v)
{
	char n[32];

	if (!isnan(v))
		buf_printf(line, "%s%s %s", line->len ? "  " : "", name,
			   style_number(n, sizeof(n), v));
}

/* The row with the largest value; SIZE_MAX when none is known. `but` is the name of one that is not asked for. */
static size_t largest(const struct interval *iv, enum scope sc, enum metric_id id, const char *but)
{
	size_t best = SIZE_MAX;
	double most = -1;

	for (size_t r = 0; r < interval_rows(iv, sc); r++) {
		double v = interval_value(iv, id, r);

		if (v > most && strcmp(interval_name(iv, sc, r), but) != 0) {
			most = v;
			best = r;
		}
	}
	return best;
}

static void net(struct buf *line, const struct style *s, const struct interval *iv)
{
	size_t r = largest(iv, SCOPE_NETIF, M_NETIF_RX_BYTES, "lo");
	char in[32], out[32];

	if (r == SIZE_MAX)
		return;
	buf_str(line, line->len ? "  " : "");
	style_escape(line, s, interval_name(iv, SCOPE_NETIF, r),
		     strlen(interval_name(iv, SCOPE_NETIF, r)));
	buf_printf(line, " in %s out %s",
		   unit_format(in, sizeof(in), UNIT_BYTES, 1,
			       interval_rate(iv, M_NETIF_RX_BYTES, r)),
		   unit_format(out, sizeof(out), UNIT_BYTES, 1,
			       interval_rate(iv, M_NETIF_TX_BYTES, r)));
}

static void now_line(struct buf *line, const struct view *v, const struct style *s)
{
	const struct interval *iv = v->nseconds ? v->seconds[v->nseconds - 1] : NULL;
	size_t disk;

	if (!iv)
		return;
	busy(line, s, "cpu", system_value(iv, M_SYS_BUSY));
	count(line, "running", interval_last(iv, M_PROCS_RUNNING, 0));
	count(line, "blocked", interval_last(iv, M_PROCS_BLOCKED, 0));
	disk = largest(iv, SCOPE_DISK, M_DISK_BUSY, "");
	if (disk != SIZE_MAX)
		busy(line, s, interval_name(iv, SCOPE_DISK, disk),
		     interval_value(iv, M_DISK_BUSY, disk));
	net(line, s, iv);
}

static void time_line(struct buf *line, double elapsed, double total, const struct style *s)
{
	buf_str(line, "watching ");
	style_bar(line, s, total > 0 ? elapsed / total : 0, TIME_BAR);
	buf_printf(line, " %2.0f of %.0f s  (Ctrl-C judges what was seen so far)", elapsed, total);
}

/* As much of a line as is safe on a terminal of so many columns: the last one may make it wrap, and so may the ^C that
 * the terminal adds. */
static void put_cut(struct buf *out, const struct style *s, const struct buf *line)
{
	unsigned columns = style_columns(s) - 3;

	if (!line->len)
		return;
	if (text_width(line->data, line->len) <= columns)
		buf_add(out, line->data, line->len);
	else
		style_cell(out, s, line->data, -(int)columns);
}

/* To the start of the first line that was drawn. */
static void rewind_lines(struct buf *out, unsigned drawn)
{
	buf_char(out, '\r');
	if (drawn > 1)
		buf_printf(out, "\033[%uA", drawn - 1);
}

unsigned progress_draw(struct buf *out, const struct view *v, double elapsed, double total,
		       const struct style *s, unsigned drawn)
{
	struct buf line = { 0 };

	if (drawn)
		rewind_lines(out, drawn);
	time_line(&line, elapsed, total, s);
	put_cut(out, s, &line);
	buf_str(out, "\033[K\n");
	buf_clear(&line);
	now_line(&line, v, s);
	put_cut(out, s, &line);
	buf_str(out, "\033[K");
	buf_done(&line);
	return LINES;
}

void progress_clear(struct buf *out, unsigned drawn)
{
	if (!drawn)
		return;
	rewind_lines(out, drawn);
	buf_str(out, "\033[J");
}
