/* SPDX-License-Identifier: Apache-2.0 */
/* The sheets of the 60-second checklist, with the columns that people know from the classic tools.
 *
 * A sheet may be wider than the terminal. First columns that are zero in every shown row are left out (and named),
 * then the sheet is folded into blocks that each begin with what names the row: its first column and, if that is
 * a text, its last one. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "export/style.h"
#include "export/text.h"

#define TEXT_LEAST 8
#define FLOWING    24
#define TEXT_MOST  28 /* of a text column that is not the last */

struct grid {
	const struct report *r;
	const struct sheet *sheet;
	const struct style *s;
	bool *shown;     /* per row */
	unsigned *times; /* per row: how often it stands there */
	bool *hidden;    /* per column: zero everywhere */
	unsigned *widths;
	unsigned gap; /* blanks between columns */
	size_t nshown;
};

static const struct sheet_cell *cell_at(const struct grid *g, size_t row, unsigned col)
{
	return &g->sheet->cells[row * g->sheet->ncolumns + col];
}

static bool is_text_column(const struct grid *g, unsigned col)
{
	return g->sheet->columns[col].decimals < 0;
}

static void cell_text(const struct grid *g, size_t row, unsigned col, struct buf *out)
{
	const struct sheet_cell *c = cell_at(g, row, col);
	int decimals = g->sheet->columns[col].decimals;

	buf_clear(out);
	if (c->text)
		style_escape(out, g->s, g->r->strings.data + c->text,
			     strlen(g->r->strings.data + c->text));
	else if (isnan(c->number))
		buf_str(out, "-");
	else if (isinf(c->number))
		buf_str(out, "max");
	else
		buf_printf(out, "%.*f", decimals < 0 ? 0 : decimals, c->number);
	if (!out->len)
		buf_str(out, "");
}

/* As wide as what is in it; `roomy`: not narrower than the column would like to be. */
static unsigned width_of(const struct grid *g, unsigned col, bool roomy)
{
	const struct sheet_column *column = &g->sheet->columns[col];
	size_t widest = text_width(column->title, strlen(column->title));
	size_t least = !roomy ? 0 : (size_t)(column->width < 0 ? -column->width : column->width);
	struct buf text = { 0 };

	if (is_text_column(g, col))
		least = least < TEXT_LEAST ? least : TEXT_LEAST;
	if (widest < least)
		widest = least;
	for (size_t row = 0; row < g->sheet->nrows; row++) {
		size_t w;

		if (!g->shown[row])
			continue;
		cell_text(g, row, col, &text);
		w = text_width(text.data, text.len);
		if (w > widest)
			widest = w;
	}
	buf_done(&text);
	if (is_text_column(g, col) && widest > TEXT_MOST && col + 1 < g->sheet->ncolumns)
		widest = TEXT_MOST;
	return (unsigned)widest;
}

/* Nothing in the column of the shown rows but zeros and unknowns, at least one of them a zero. */
static bool is_zero_column(const struct grid *g, unsigned col)
{
	bool zero = false;

	if (!col || is_text_column(g, col))
		return false;
	for (size_t row = 0; row < g->sheet->nrows; row++) {
		const struct sheet_cell *c = cell_at(g, row, col);

		if (!g->shown[row])
			continue;
		if (c->text || c->number != 0)
			return false;
		zero = true;
	}
	return zero;
}

/* A last column of text flows over lines, so it needs no more than FLOWING. */
static unsigned needed(const struct grid *g, unsigned col)
{
	bool flows = col + 1 == g->sheet->ncolumns && is_text_column(g, col);

	return flows && g->widths[col] > FLOWING ? FLOWING : g->widths[col];
}

static unsigned total_width(const struct grid *g)
{
	unsigned total = 0;

	for (unsigned c = 0; c < g->sheet->ncolumns; c++)
		if (!g->hidden[c])
			total += needed(g, c) + (total ? g->gap : 0);
	return total;
}

/* Give up comfort before columns: first the spare width, then the wider gap. */
static void fit(struct grid *g, unsigned columns)
{
	for (int roomy = 1; roomy >= 0; roomy--)
		for (g->gap = 2; g->gap >= 1; g->gap--) {
			for (unsigned c = 0; c < g->sheet->ncolumns; c++)
				g->widths[c] = width_of(g, c, roomy);
			if (total_width(g) <= columns)
				return;
		}
	g->gap = 1;
}

/* From the right, as many as needed: what tools put last is what is missed least. */
static void hide_zeros(struct grid *g, unsigned columns)
{
	for (unsigned c = g->sheet->ncolumns; c-- > 0 && total_width(g) > columns;)
		if (is_zero_column(g, c))
			g->hidden[c] = true;
}

/* ---- printing ---- */

static bool is_left(const struct grid *g, unsigned col)
{
	return g->sheet->columns[col].width < 0 ||
	       (is_text_column(g, col) && g->sheet->columns[col].width <= 0);
}

static void trim_end(struct buf *out)
{
	while (out->len && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
}

/* A last column of text has whatever is left of the line; if that is little, it flows over several lines. */
static void last_text(struct buf *out, const struct grid *g, size_t row, unsigned col,
		      unsigned used)
{
	const struct sheet_cell *c = cell_at(g, row, col);
	struct para p;

	if (!c->text) {
		buf_str(out, "-");
		return;
	}
	para_begin(&p, out, g->s, used, used + 20 < style_columns(g->s) ? used : 4);
	para_words(&p, INK_PLAIN, g->r->strings.data + c->text);
	if (g->times[row] > 1) {
		char times[32];

		snprintf(times, sizeof(times), "(%u times)", g->times[row]);
		para_piece(&p, INK_PLAIN, times);
	}
}

/* Some columns of the sheet, by number. */
struct block {
	unsigned *columns, n;
};

static void print_row(struct buf *out, const struct grid *g, size_t row, const struct block *b,
		      bool title)
{
	struct buf text = { 0 };
	unsigned used = 0;

	for (unsigned i = 0; i < b->n; i++) {
		unsigned c = b->columns[i];
		bool last = i + 1 == b->n && is_text_column(g, c);

		if (i) {
			buf_fill(out, ' ', g->gap);
			used += g->gap;
		}
		if (!title && last &&
		    (used + g->widths[c] > style_columns(g->s) || g->times[row] > 1)) {
			last_text(out, g, row, c, used);
			break;
		}
		if (title) {
			buf_clear(&text);
			buf_str(&text, g->sheet->columns[c].title);
		} else {
			cell_text(g, row, c, &text);
		}
		if (last && title)
			buf_str(out, text.data);
		else
			style_cell(out, g->s, text.data,
				   is_left(g, c) ? -(int)g->widths[c] : (int)g->widths[c]);
		used += g->widths[c];
	}
	trim_end(out);
	buf_char(out, '\n');
	buf_done(&text);
}

static void print_block(struct buf *out, const struct grid *g, const struct block *b)
{
	style_ink(out, g->s, INK_STRONG);
	print_row(out, g, 0, b, true);
	style_ink(out, g->s, INK_PLAIN);
	for (size_t row = 0; row < g->sheet->nrows; row++)
		if (g->shown[row])
			print_row(out, g, row, b, false);
}

static unsigned block_width(const struct grid *g, const struct block *b)
{
	unsigned total = 0;

	for (unsigned i = 0; i < b->n; i++)
		total += (i + 1 == b->n ? needed(g, b->columns[i]) : g->widths[b->columns[i]]) +
			 (i ? g->gap : 0);
	return total;
}

/* What names a row stands in every block. */
static unsigned begin_block(const struct grid *g, struct block *b)
{
	unsigned last = g->sheet->ncolumns - 1;

	b->n = 0;
	b->columns[b->n++] = 0;
	if (last > 2 && is_text_column(g, last) && g->widths[last] <= FLOWING)
		b->columns[b->n++] = last;
	return b->n;
}

static void print_folded(struct buf *out, const struct grid *g, struct block *b)
{
	unsigned keys = begin_block(g, b), last = b->n > 1 ? b->columns[1] : g->sheet->ncolumns;

	for (unsigned c = 1; c < g->sheet->ncolumns; c++) {
		if (g->hidden[c] || c == last)
			continue;
		b->columns[b->n++] = c;
		if (b->n > keys + 1 && block_width(g, b) > style_columns(g->s)) {
			b->n--;
			print_block(out, g, b);
			begin_block(g, b);
			b->columns[b->n++] = c;
		}
	}
	if (b->n > keys)
		print_block(out, g, b);
}

static void print_grid(struct buf *out, const struct grid *g)
{
	struct block b = { .columns = mem_array(g->sheet->ncolumns + 1, sizeof(*b.columns)) };

	for (unsigned c = 0; c < g->sheet->ncolumns; c++)
		if (!g->hidden[c])
			b.columns[b.n++] = c;
	if (block_width(g, &b) <= style_columns(g->s))
		print_block(out, g, &b);
	else
		print_folded(out, g, &b);
	mem_free(b.columns);
}

static void print_hidden(struct buf *out, const struct grid *g)
{
	struct para p;
	bool any = false;

	for (unsigned c = 0; c < g->sheet->ncolumns; c++)
		any |= g->hidden[c];
	if (!any)
		return;
	buf_str(out, "  ");
	para_begin(&p, out, g->s, 2, 2);
	para_words(&p, INK_PLAIN, "all 0:");
	for (unsigned c = 0; c < g->sheet->ncolumns; c++)
		if (g->hidden[c])
			para_piece(&p, INK_PLAIN, g->sheet->columns[c].title);
	para_end(&p);
}

static void title_line(struct buf *out, const struct style *s, const struct sheet *sheet)
{
	struct para p;

	buf_char(out, '\n');
	para_begin(&p, out, s, 0, 2);
	if (strncmp(sheet->title, sheet->step, strlen(sheet->step)) != 0) {
		para_piece(&p, INK_STRONG, sheet->step);
		para_piece(&p, INK_PLAIN, "–");
	}
	if (*sheet->title)
		para_words(&p, INK_STRONG, sheet->title);
	para_end(&p);
}

static void note_line(struct buf *out, const struct style *s, const char *note)
{
	struct para p;

	if (!*note)
		return;
	buf_str(out, "  ");
	para_begin(&p, out, s, 2, 2);
	para_words(&p, INK_PLAIN, note);
	para_end(&p);
}

/* Rows that differ in nothing but their first column. */
static bool same_but_first(const struct grid *g, size_t a, size_t b)
{
	for (unsigned c = 1; c < g->sheet->ncolumns; c++) {
		uint32_t x = cell_at(g, a, c)->text, y = cell_at(g, b, c)->text;

		if (!x != !y || strcmp(g->r->strings.data + x, g->r->strings.data + y) != 0)
			return false;
	}
	return true;
}

/* A log says the same thing again and again: of rows that follow each other and are alike, the last one stays.
 * Numbers are never put together. */
static void join_repeats(struct grid *g)
{
	size_t before = SIZE_MAX;

	for (unsigned c = 0; c < g->sheet->ncolumns; c++)
		if (!is_text_column(g, c) || g->sheet->ncolumns < 2)
			return;
	for (size_t row = 0; row < g->sheet->nrows; row++) {
		if (!g->shown[row])
			continue;
		if (before != SIZE_MAX && same_but_first(g, before, row)) {
			g->shown[before] = false;
			g->times[row] = g->times[before] + 1;
		}
		before = row;
	}
}

static void print_sheet(struct buf *out, const struct report *r, const struct style *s,
			const struct sheet *sheet)
{
	struct grid g = { .r = r, .sheet = sheet, .s = s };
	unsigned columns = style_columns(s);

	title_line(out, s, sheet);
	note_line(out, s, sheet->note);
	g.shown = mem_array(sheet->nrows + 1, sizeof(*g.shown));
	g.times = mem_array(sheet->nrows + 1, sizeof(*g.times));
	g.hidden = mem_array(sheet->ncolumns + 1, sizeof(*g.hidden));
	g.widths = mem_array(sheet->ncolumns + 1, sizeof(*g.widths));
	for (size_t row = 0; row < sheet->nrows; row++) {
		g.shown[row] = s->verbose || sheet->matters[row];
		g.nshown += g.shown[row];
		g.times[row] = 1;
	}
	join_repeats(&g);
	fit(&g, columns);
	if (!s->verbose)
		hide_zeros(&g, columns);
	if (g.nshown && sheet->ncolumns)
		print_grid(out, &g);
	print_hidden(out, &g);
	if (!s->verbose && g.nshown < sheet->nrows) {
		char text[64];

		snprintf(text, sizeof(text), "(+%zu row%s with --verbose)", sheet->nrows - g.nshown,
			 sheet->nrows - g.nshown == 1 ? "" : "s");
		note_line(out, s, text);
	}
	mem_free(g.shown);
	mem_free(g.times);
	mem_free(g.hidden);
	mem_free(g.widths);
}

static bool matters(const struct sheet *sheet)
{
	for (size_t row = 0; row < sheet->nrows; row++)
		if (sheet->matters[row])
			return true;
	return false;
}

void text_sheets(struct buf *out, const struct report *r, const struct style *s)
{
	bool quiet = false;
	struct para p;

	if (!r->nsheets)
		return;
	text_title(out, s,
		   s->verbose ? "60-second checklist" : "60-second checklist: what stands out");
	for (size_t i = 0; i < r->nsheets; i++) {
		if (s->verbose || matters(&r->sheets[i]))
			print_sheet(out, r, s, &r->sheets[i]);
		else
			quiet = true;
	}
	if (!quiet)
		return;
	buf_char(out, '\n');
	para_begin(&p, out, s, 0, 2);
	para_words(&p, INK_PLAIN, "Nothing stands out (--verbose shows all):");
	for (size_t i = 0; i < r->nsheets; i++)
		if (!matters(&r->sheets[i]))
			para_piece(&p, INK_PLAIN, r->sheets[i].step);
	para_end(&p);
}
