/* SPDX-License-Identifier: Apache-2.0 */
/* The USE table: utilization, saturation and errors of every resource.
 *
 * The short form has the rows that matter and one line for each family of resources; a cell that is unknown refers
 * to its reason below the table. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "export/style.h"
#include "export/text.h"

/* ---- reasons: [a], [b], … ---- */

struct reasons {
	const char *text[26];
	unsigned n;
};

/* The letter of a reason; 0 when there is none or the alphabet is used up. */
static char reason_letter(struct reasons *rs, const char *why)
{
	if (!*why)
		return 0;
	for (unsigned i = 0; i < rs->n; i++)
		if (!strcmp(rs->text[i], why))
			return (char)('a' + i);
	if (rs->n == sizeof(rs->text) / sizeof(*rs->text))
		return 0;
	rs->text[rs->n] = why;
	return (char)('a' + rs->n++);
}

static void unknown_cell(char *out, size_t size, struct reasons *rs, const char *why)
{
	char letter = reason_letter(rs, why);

	if (letter)
		snprintf(out, size, "- [%c]", letter);
	else
		snprintf(out, size, "-");
}

static void print_reasons(struct buf *out, const struct style *s, const struct reasons *rs)
{
	struct para p;

	if (!rs->n)
		return;
	buf_str(out, "  ");
	para_begin(&p, out, s, 2, 2);
	for (unsigned i = 0; i < rs->n; i++) {
		char text[128];

		snprintf(text, sizeof(text), "%s[%c] %s", i ? "· " : "", 'a' + i, rs->text[i]);
		para_words(&p, INK_PLAIN, text);
	}
	para_end(&p);
}

/* ---- lines ---- */

enum { COL_RESOURCE, COL_INSTANCE, COL_UTILIZATION, COL_WORST, COL_SATURATION, COL_ERRORS, COLS };

static const char *const titles[COLS] = {
	"", "", "utilization", "worst 1s", "saturation", "errors"
};

struct line {
	const struct use_row *u;
	char cells[COLS][128]; /* printable */
};

struct grid {
	const struct style *s;
	struct line *lines;
	size_t n, cap;
	struct reasons reasons;
	unsigned widths[COLS], bar;
};

static void put_name(char *out, size_t size, const struct style *s, const char *raw)
{
	struct buf safe = { 0 };

	style_escape(&safe, s, raw, strlen(raw));
	snprintf(out, size, "%s", safe.len ? safe.data : "");
	buf_done(&safe);
}

static void add_line(struct grid *g, const struct use_row *u, const char *instance)
{
	char number[32], text[96];
	struct line *l;

	g->lines = mem_grow(g->lines, &g->cap, g->n + 1, sizeof(*g->lines));
	l = &g->lines[g->n++];
	l->u = u;
	put_name(l->cells[COL_RESOURCE], sizeof(l->cells[0]), g->s, resource_name(u->resource));
	put_name(l->cells[COL_INSTANCE], sizeof(l->cells[0]), g->s, instance);
	unit_format(l->cells[COL_UTILIZATION], sizeof(l->cells[0]), UNIT_RATIO, 0, u->utilization);
	if (isnan(u->utilization))
		unknown_cell(l->cells[COL_UTILIZATION], sizeof(l->cells[0]), &g->reasons,
			     u->why_utilization);
	unit_format(l->cells[COL_WORST], sizeof(l->cells[0]), UNIT_RATIO, 0, u->worst_second);
	/* "of segments sent again" is a share */
	if (!strncmp(u->saturation_unit, "of ", 3))
		unit_format(number, sizeof(number), UNIT_RATIO, 0, u->saturation);
	else
		style_number(number, sizeof(number), u->saturation);
	snprintf(text, sizeof(text), "%s%s%s", number, *u->saturation_unit ? " " : "",
		 u->saturation_unit);
	put_name(l->cells[COL_SATURATION], sizeof(l->cells[0]), g->s, text);
	if (isnan(u->saturation))
		unknown_cell(l->cells[COL_SATURATION], sizeof(l->cells[0]), &g->reasons,
			     u->why_saturation);
	style_number(l->cells[COL_ERRORS], sizeof(l->cells[0]), u->errors);
	if (isnan(u->errors))
		unknown_cell(l->cells[COL_ERRORS], sizeof(l->cells[0]), &g->reasons, u->why_errors);
}

/* The end of a path tells more than its beginning; and one long name must not take the room of all bars. */
static void shorten_paths(struct grid *g)
{
	size_t most = style_columns(g->s) / 3;

	for (size_t i = 0; i < g->n; i++) {
		char *cell = g->lines[i].cells[COL_INSTANCE], cut[sizeof(g->lines[i].cells[0])];
		const char *from = cell;

		if (*cell != '/')
			continue;
		while (text_width(from, strlen(from)) >= most)
			do
				from++;
			while (((unsigned char)*from & 0xc0) == 0x80);
		if (from == cell)
			continue;
		snprintf(cut, sizeof(cut), "%s%s", style_glyph(g->s, GLYPH_ELLIPSIS), from);
		memcpy(cell, cut, sizeof(cut));
	}
}

/* ---- layout ---- */

/* Give up what is over: first from one column, down to its least width. */
static void shrink(unsigned *width, unsigned least, unsigned *over)
{
	unsigned most = *width > least ? *width - least : 0, give = *over < most ? *over : most;

	*width -= give;
	*over -= give;
}

/* Columns are as wide as what is in them; the bar has what is left. */
static void layout(struct grid *g)
{
	unsigned columns = style_columns(g->s), used = COLS, over;

	for (unsigned c = 0; c < COLS; c++) {
		g->widths[c] = (unsigned)strlen(titles[c]);
		for (size_t i = 0; i < g->n; i++) {
			unsigned w = (unsigned)text_width(g->lines[i].cells[c],
							  strlen(g->lines[i].cells[c]));

			if (w > g->widths[c])
				g->widths[c] = w;
		}
		used += g->widths[c];
	}
	/* the title of the bar and its number is one */
	g->widths[COL_UTILIZATION] -= 4;
	used -= 4;
	over = used > columns ? used - columns : 0;
	shrink(&g->widths[COL_SATURATION], 20, &over);
	shrink(&g->widths[COL_INSTANCE], 14, &over);
	shrink(&g->widths[COL_SATURATION], 14, &over);
	shrink(&g->widths[COL_INSTANCE], 8, &over);
	used = COLS;
	for (unsigned c = 0; c < COLS; c++)
		used += g->widths[c];
	if (columns >= used + 5)
		g->bar = columns - used - 1 > 20 ? 20 : columns - used - 1;
}

static void end_line(struct buf *out)
{
	while (out->len && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
	buf_char(out, '\n');
}

static void print_head(struct buf *out, const struct grid *g)
{
	unsigned percent = g->widths[COL_UTILIZATION] + (g->bar ? g->bar + 1 : 0);

	buf_fill(out, ' ', g->widths[COL_RESOURCE] + g->widths[COL_INSTANCE] + 2);
	style_cell(out, g->s,
		   percent >= strlen(titles[COL_UTILIZATION]) ? titles[COL_UTILIZATION] : "util.",
		   (int)percent);
	buf_char(out, ' ');
	style_cell(out, g->s, titles[COL_WORST], (int)g->widths[COL_WORST]);
	buf_str(out, "  ");
	style_cell(out, g->s, titles[COL_SATURATION], -(int)g->widths[COL_SATURATION]);
	buf_char(out, ' ');
	style_cell(out, g->s, titles[COL_ERRORS], (int)g->widths[COL_ERRORS]);
	end_line(out);
}

static void put(struct buf *out, const struct grid *g, const struct line *l, int col, int width,
		enum ink ink)
{
	if (ink != INK_PLAIN)
		style_ink(out, g->s, ink);
	style_cell(out, g->s, l->cells[col], width);
	if (ink != INK_PLAIN)
		style_ink(out, g->s, INK_PLAIN);
}

static void print_line(struct buf *out, const struct grid *g, const struct line *l)
{
	const struct use_row *u = l->u;

	put(out, g, l, COL_RESOURCE, -(int)g->widths[COL_RESOURCE], INK_PLAIN);
	buf_char(out, ' ');
	put(out, g, l, COL_INSTANCE, -(int)g->widths[COL_INSTANCE], INK_PLAIN);
	buf_char(out, ' ');
	if (g->bar) {
		style_bar(out, g->s, u->utilization, g->bar);
		buf_char(out, ' ');
	}
	put(out, g, l, COL_UTILIZATION, (int)g->widths[COL_UTILIZATION], INK_PLAIN);
	buf_char(out, ' ');
	put(out, g, l, COL_WORST, (int)g->widths[COL_WORST], INK_PLAIN);
	buf_str(out, "  ");
	put(out, g, l, COL_SATURATION, -(int)g->widths[COL_SATURATION],
	    u->saturation > 0 && u->matters ? INK_STRONG : INK_PLAIN);
	buf_char(out, ' ');
	put(out, g, l, COL_ERRORS, (int)g->widths[COL_ERRORS],
	    u->errors > 0 ? INK_ALARM : INK_PLAIN);
	end_line(out);
}

/* ---- the short form ---- */

/* The row that stands for a family in which nothing matters: the busiest. */
static const struct use_row *busiest(const struct report *r, enum resource res, unsigned *others)
{
	const struct use_row *best = NULL;

	*others = 0;
	for (size_t i = 0; i < r->nuse; i++) {
		const struct use_row *u = &r->use[i];

		if (u->resource != res || u->matters)
			continue;
		if (!best || u->utilization > best->utilization ||
		    (isnan(best->utilization) && !isnan(u->utilization)))
			best = u;
		++*others;
	}
	return best;
}

static void add_family(struct grid *g, const struct report *r, enum resource res)
{
	const struct use_row *calm;
	unsigned calm_rows;
	char name[160];

	for (size_t i = 0; i < r->nuse; i++)
		if (r->use[i].resource == res && r->use[i].matters)
			add_line(g, &r->use[i], r->use[i].instance);
	calm = busiest(r, res, &calm_rows);
	if (!calm)
		return;
	if (calm_rows > 1)
		snprintf(name, sizeof(name), "%s (+%u)", calm->instance, calm_rows - 1);
	else
		snprintf(name, sizeof(name), "%s", calm->instance);
	add_line(g, calm, name);
}

static void legend(struct buf *out, const struct style *s)
{
	struct para p;

	buf_fill(out, ' ', 2);
	para_begin(&p, out, s, 2, 2);
	para_words(
		&p, INK_PLAIN,
		"Utilization is a share of time (cpu; disk: with I/O in flight, not a capacity), of size "
		"(memory, fs, limits and tables) or of link speed (net).");
	para_end(&p);
}

void text_use(struct buf *out, const struct report *r, const struct style *s)
{
	struct grid g = { .s = s };
	char title[96];

	if (!r->nuse)
		return;
	snprintf(title, sizeof(title), "USE: utilization, saturation, errors in %.1f s",
		 r->seconds);
	text_title(out, s, title);
	if (s->verbose) {
		for (size_t i = 0; i < r->nuse; i++)
			add_line(&g, &r->use[i], r->use[i].instance);
	} else {
		for (enum resource res = 0; res < RES_MAX; res++)
			add_family(&g, r, res);
	}
	shorten_paths(&g);
	layout(&g);
	print_head(out, &g);
	for (size_t i = 0; i < g.n; i++)
		print_line(out, &g, &g.lines[i]);
	print_reasons(out, s, &g.reasons);
	if (s->verbose)
		legend(out, s);
	mem_free(g.lines);
}
