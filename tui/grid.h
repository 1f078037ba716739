/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_TUI_GRID_H
#define SIXTY_TUI_GRID_H

#include "tui/ui.h"

/* A table with a cursor: titles, rows in some order, one column that sorts. */
struct grid_column {
	const char *title;
	int width; /* of its cells; negative: left-aligned; the last column takes what is left */
};

struct grid {
	const struct grid_column *columns;
	int ncolumns;
	struct list *list; /* cursor and sort order */
	size_t nrows;
	void *ctx;
	/* Text of a cell, and its paint. */
	enum paint (*cell)(void *ctx, size_t row, int column, char *out, size_t size);
	struct row_id (*id)(void *ctx, size_t row);
	/* Paint of the whole row: PAINT_PLAIN leaves the cells theirs; may be NULL. */
	enum paint (*row)(void *ctx, size_t row);
	const char *empty; /* what is said when there is no row */
};

void grid_draw(struct ui *ui, struct canvas *c, struct area a, struct grid *g);

/* Keys that move a cursor. True when it was one. */
bool list_key(struct list *l, const struct key *k);
/* < > and r change what sorts. True when it was one. */
bool list_sort_key(struct list *l, const struct key *k, int ncolumns);

/* Rows of a scope with metrics as columns. */
enum how {
	HOW_NAME,
	HOW_VALUE,   /* now, in its unit */
	HOW_TEXT,    /* a label */
	HOW_SHARE_OF /* the value, as a share of another metric */
};

struct metric_column {
	const char *title;
	int width;
	enum how how;
	enum metric_id metric, of;
};

#define METRIC_COLUMNS 20

/* Columns end with a NULL title. `keep` may be NULL: all rows are shown. */
void metric_table(struct ui *ui, struct canvas *c, struct area a, struct list *l, enum scope sc,
		  const struct metric_column *columns, const char *empty,
		  bool (*keep)(const struct ui *ui, struct row_id id, const char *name));
int metric_columns_count(const struct metric_column *columns);

/* "cpu  ▇▇▇▇▁▁▁▁  42 %  text …  ▁▂▃▅": one line. */
void meter(struct canvas *c, struct area a, const char *name, double ratio, enum paint p,
	   const char *text, const float *points, size_t n, double most);
/* A line over the whole width between two parts, with a title. */
void heading(struct canvas *c, struct area a, const char *title, const char *more);

#endif
