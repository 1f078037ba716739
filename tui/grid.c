/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, meters, headings: what screens are made of. */
#include "tui/grid.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"

/* ---- the cursor ---- */

static void move_to(struct list *l, long at)
{
	long last = l->rows ? (long)l->rows - 1 : 0;

	l->at = (size_t)(at < 0 ? 0 : at > last ? last : at);
	l->held = false; /* the next drawing finds out who that is */
}

bool list_key(struct list *l, const struct key *k)
{
	long at = (long)l->at, page = l->page > 1 ? l->page - 1 : 1;

	switch (k->press) {
	case PRESS_UP:
		move_to(l, at - 1);
		return true;
	case PRESS_DOWN:
		move_to(l, at + 1);
		return true;
	case PRESS_PAGE_UP:
		move_to(l, at - page);
		return true;
	case PRESS_PAGE_DOWN:
		move_to(l, at + page);
		return true;
	case PRESS_WHEEL_UP:
		move_to(l, at - 3);
		return true;
	case PRESS_WHEEL_DOWN:
		move_to(l, at + 3);
		return true;
	case PRESS_HOME:
		move_to(l, 0);
		return true;
	case PRESS_END:
		move_to(l, (long)l->rows);
		return true;
	case PRESS_LEFT:
		l->left -= l->left > 0;
		return true;
	case PRESS_RIGHT:
		l->left++;
		return true;
	default:
		return false;
	}
}

bool list_sort_key(struct list *l, const struct key *k, int ncolumns)
{
	if (k->press != PRESS_CHAR)
		return false;
	switch (k->ch) {
	case '<':
	case ',':
		l->sort = (l->sort + ncolumns - 1) % ncolumns;
		return true;
	case '>':
	case '.':
		l->sort = (l->sort + 1) % ncolumns;
		return true;
	case 'r':
	case 'R':
		l->reverse = !l->reverse;
		return true;
	default:
		return false;
	}
}

/* ---- the table ---- */

/* Where the row of the cursor is now; it stays where it was when that one has gone. */
static void find_cursor(struct grid *g)
{
	struct list *l = g->list;

	l->rows = g->nrows;
	if (l->at >= g->nrows)
		l->at = g->nrows ? g->nrows - 1 : 0;
	if (l->held)
		for (size_t i = 0; i < g->nrows; i++) {
			struct row_id id = g->id(g->ctx, i);

			if (id.key == l->id.key && id.birth == l->id.birth) {
				l->at = i;
				break;
			}
		}
	/* the first row is whoever is first, until the cursor is moved */
	if (g->nrows && (l->at || l->held)) {
		l->id = g->id(g->ctx, l->at);
		l->held = true;
	}
	if (l->at < l->top)
		l->top = l->at;
	if (l->page > 0 && l->at >= l->top + (size_t)l->page)
		l->top = l->at - (size_t)l->page + 1;
	if (l->top && g->nrows < l->top + (size_t)l->page)
		l->top = g->nrows > (size_t)l->page ? g->nrows - (size_t)l->page : 0;
}

static void put_cell(struct canvas *c, int x, int y, int width, int room, enum paint p,
		     const char *text)
{
	int w = width < 0 ? -width : width;

	if (w > room)
		w = room;
	if (width < 0)
		canvas_text(c, x, y, w, p, text);
	else
		canvas_right(c, x, y, w, p, text);
}

/* Width of a column that begins at x: the last one takes the rest. */
static int width_at(const struct grid *g, int column, int room)
{
	int w = g->columns[column].width;

	return column == g->ncolumns - 1 && w < 0 ? -room : w;
}

/* The first column says what a row is about and always stays; behind it some may be scrolled off. */
static int next_column(const struct grid *g, int column)
{
	return column + 1 + (column ? 0 : g->list->left);
}

static void draw_titles(struct canvas *c, struct area a, const struct grid *g)
{
	int x = a.x, end = a.x + a.columns;

	for (int i = 0; i < g->ncolumns && x < end; i = next_column(g, i)) {
		int w = width_at(g, i, end - x);
		bool sorts = i == g->list->sort;
		char title[40];

		snprintf(title, sizeof(title), "%s%s", g->columns[i].title,
			 !sorts             ? ""
			 : g->list->reverse ? "\xe2\x86\x91"
					    : "\xe2\x86\x93");
		put_cell(c, x, a.y, w, end - x, sorts ? PAINT_SORT : PAINT_HEAD, title);
		x += abs(w) + 1;
	}
}

static void draw_row(struct canvas *c, struct area a, int y, const struct grid *g, size_t row)
{
	int x = a.x, end = a.x + a.columns;
	enum paint whole = g->row ? g->row(g->ctx, row) : PAINT_PLAIN;
	char text[1024];

	for (int i = 0; i < g->ncolumns && x < end; i = next_column(g, i)) {
		int w = width_at(g, i, end - x);
		enum paint p;

		text[0] = '\0';
		p = g->cell(g->ctx, row, i, text, sizeof(text));
		put_cell(c, x, y, w, end - x, whole != PAINT_PLAIN ? whole : p, text);
		x += abs(w) + 1;
	}
	if (row == g->list->at && g->nrows > 1)
		canvas_repaint(c, a.x, y, a.columns, PAINT_SELECT);
}

void grid_draw(struct ui *ui, struct canvas *c, struct area a, struct grid *g)
{
	struct list *l = g->list;

	(void)ui;
	if (a.rows < 2 || a.columns < 1)
		return;
	l->page = a.rows - 1;
	if (l->left > g->ncolumns - 2)
		l->left = g->ncolumns > 1 ? g->ncolumns - 2 : 0;
	find_cursor(g);
	draw_titles(c, a, g);
	for (int y = 0; y < l->page && l->top + (size_t)y < g->nrows; y++)
		draw_row(c, a, a.y + 1 + y, g, l->top + (size_t)y);
	if (!g->nrows)
		canvas_flow(c, (struct area){ a.x, a.y + 1, a.columns, a.rows - 1 }, PAINT_DIM,
			    g->empty);
}

/* ---- rows of a scope ---- */

struct metric_row {
	struct row_id id;
	const char *name;
	double number; /* that sorts */
	const char *text;
};

struct metric_rows {
	const struct ui *ui;
	const struct metric_column *columns;
	struct metric_row *rows;
};

static double column_number(const struct ui *ui, const struct metric_column *m, struct row_id id)
{
	double v = ui_value(ui, m->metric, id), of;

	if (m->how != HOW_SHARE_OF)
		return v;
	of = ui_value(ui, m->of, id);
	return of > 0 && !isinf(of) ? v / of : NAN;
}

static enum paint metric_cell(void *ctx, size_t row, int column, char *out, size_t size)
{
	const struct metric_rows *t = ctx;
	const struct metric_column *m = &t->columns[column];
	const char *text;

	switch (m->how) {
	case HOW_NAME:
		snprintf(out, size, "%s", t->rows[row].name);
		break;
	case HOW_TEXT:
		text = ui_text(t->ui, m->metric, t->rows[row].id);
		snprintf(out, size, "%s", text ? text : "-");
		break;
	case HOW_VALUE:
		ui_cell(t->ui, m->metric, t->rows[row].id, out, size);
		break;
	case HOW_SHARE_OF:
		unit_format(out, size, UNIT_RATIO, 0, column_number(t->ui, m, t->rows[row].id));
		break;
	}
	return !strcmp(out, "-") || !strcmp(out, "0") || !strcmp(out, "0 %") ? PAINT_DIM
									     : PAINT_PLAIN;
}

static struct row_id metric_row_id(void *ctx, size_t row)
{
	return ((const struct metric_rows *)ctx)->rows[row].id;
}

/* Largest first, unknown last; text in its order. */
static int by_sort(const void *x, const void *y)
{
	const struct metric_row *a = x, *b = y;
	bool na = isnan(a->number), nb = isnan(b->number);
	int order;

	if (na != nb)
		return na - nb;
	if (!na && a->number != b->number)
		return a->number < b->number ? 1 : -1;
	order = a->text && b->text ? strcmp(a->text, b->text) : 0;
	return order ? order : strverscmp(a->name, b->name);
}

static int by_sort_reversed(const void *x, const void *y)
{
	return -by_sort(x, y);
}

int metric_columns_count(const struct metric_column *columns)
{
	int n = 0;

	while (columns[n].title)
		n++;
	return n;
}

void metric_table(struct ui *ui, struct canvas *c, struct area a, struct list *l, enum scope sc,
		  const struct metric_column *columns, const char *empty,
		  bool (*keep)(const struct ui *ui, struct row_id id, const char *name))
{
	struct grid_column titles[METRIC_COLUMNS];
	struct metric_rows t = { .ui = ui, .columns = columns };
	int ncolumns = metric_columns_count(columns);
	struct snapshot *s = now_rows(&ui->now, sc);
	const struct metric_column *sort;
	struct grid g;
	size_t n = 0;

	if (!s && ui->report && ui->report->view)
		s = ui->report->view->last;
	for (int i = 0; i < ncolumns; i++)
		titles[i] = (struct grid_column){ columns[i].title, columns[i].width };
	if (l->sort >= ncolumns)
		l->sort = 0;
	sort = &columns[l->sort];
	t.rows = mem_array((s ? snapshot_rows(s, sc) : 0) + 1, sizeof(*t.rows));
	for (size_t r = 0; s && r < snapshot_rows(s, sc); r++) {
		struct metric_row *row = &t.rows[n];

		*row = (struct metric_row){ .id = snapshot_id(s, sc, r),
					    .name = snapshot_name(s, sc, r),
					    .number = NAN };
		if (keep && !keep(ui, row->id, row->name))
			continue;
		if (sort->how == HOW_TEXT)
			row->text = ui_text(ui, sort->metric, row->id);
		else if (sort->how != HOW_NAME)
			row->number = column_number(ui, sort, row->id);
		n++;
	}
	if (n)
		qsort(t.rows, n, sizeof(*t.rows), l->reverse ? by_sort_reversed : by_sort);
	g = (struct grid){ .columns = titles,
			   .ncolumns = ncolumns,
			   .list = l,
			   .nrows = n,
			   .ctx = &t,
			   .cell = metric_cell,
			   .id = metric_row_id,
			   .empty = empty };
	grid_draw(ui, c, a, &g);
	mem_free(t.rows);
}

/* ---- meters ---- */

#define METER_NAME  8
#define METER_RATIO 6

void meter(struct canvas *c, struct area a, const char *name, double ratio, enum paint p,
	   const char *text, const float *points, size_t n, double most)
{
	int bar = a.columns >= 120  ? 24
		  : a.columns >= 70 ? 16
				    : 8,
	    spark = a.columns >= 120  ? 40
		    : a.columns >= 76 ? 20
				      : 0,
	    x = a.x + METER_NAME;
	char number[32];

	canvas_text(c, a.x, a.y, METER_NAME - 1, PAINT_STRONG, name);
	canvas_fill(c, x, a.y, bar, 0x00b7, PAINT_DIM);
	canvas_bar(c, x, a.y, bar, ratio, p);
	for (int i = 0; i < bar; i++) /* what the bar does not reach is dotted */
		if (isnan(ratio) || i >= (int)ceil(ratio * bar))
			canvas_fill(c, x + i, a.y, 1, 0x00b7, PAINT_DIM);
	canvas_right(c, x + bar, a.y, METER_RATIO, PAINT_STRONG,
		     unit_format(number, sizeof(number), UNIT_RATIO, 0, ratio));
	x += bar + METER_RATIO + 2;
	canvas_text(c, x, a.y, a.x + a.columns - spark - x - (spark > 0), PAINT_PLAIN, text);
	if (spark)
		canvas_spark(c, a.x + a.columns - spark, a.y, spark, points, n,
			     most > 0 ? most : history_most(points, n), p);
}

void heading(struct canvas *c, struct area a, const char *title, const char *more)
{
	int x = canvas_text(c, a.x, a.y, a.columns, PAINT_STRONG, title);

	if (*more && x + 2 < a.columns)
		x += 2 + canvas_text(c, a.x + x + 2, a.y, a.columns - x - 2, PAINT_DIM, more);
	if (x + 1 < a.columns)
		canvas_fill(c, a.x + x + 1, a.y, a.columns - x - 1, 0x2500, PAINT_DIM);
}
