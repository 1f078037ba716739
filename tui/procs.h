/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_TUI_PROCS_H
#define SIXTY_TUI_PROCS_H

#include <regex.h>

#include "tui/ui.h"

/* The screen of processes: which rows, in what order, with which columns.
 *
 *   procs.c          the screen and its keys
 *   procs_rows.c     rows: filter, order, tree, threads
 *   procs_columns.c  what a column shows
 *   procs_detail.c   one process */
struct prow {
	struct row_id id;
	size_t at, moved; /* row in the snapshot, in the interval (SIZE_MAX: it did not move) */
	const struct lost_row *lost; /* NULL: nothing known */
	bool thread;                 /* id.key is its own number; at is its row in the window */
	int64_t pid, ppid;
	unsigned depth;
	bool last; /* of its parent's children */
	double number;
	const char *text; /* that sorts */
};

/* What rows are read from; made for each drawing. */
struct psource {
	const struct ui *ui;
	struct snapshot *s;   /* with the processes */
	struct interval *iv;  /* what they did since the last refresh; NULL: nothing known */
	const struct view *v; /* NULL: not judged yet */
	double seconds;       /* of its window */
	const struct lost_row **by_pid; /* sorted */
	size_t nlost;
};

struct pcolumn {
	const char *key, *title;
	int width;
	const char *help;
	double (*number)(const struct psource *s, const struct prow *r);
	/* NULL: the number in the unit */
	void (*text)(const struct psource *s, const struct prow *r, char *out, size_t size);
	enum unit unit;
	bool per_second;
	bool ascending;        /* what is smallest comes first */
	enum metric_id metric; /* M_NONE: its functions say it */
};

/* Below half a percent nobody is told from anybody: lists that jump for nothing cannot be read. */
#define PROCS_LEAST   0.005
#define PROCS_COLUMNS 24
#define PROCS_TAGS    UI_TARGETS
#define PROCS_TERMS   8

struct procs {
	struct pcolumn columns[PROCS_COLUMNS];
	int ncolumns;
	char chosen[SETTINGS_LIST]; /* what columns[] was made from */
	bool columns_made;
	char filter[UI_LINE], search[UI_LINE];
	regex_t re;
	bool has_re;
	bool follow, detail, choosing;
	struct row_id of; /* detail */
	struct row_id tags[PROCS_TAGS];
	size_t ntags;
	struct list choice; /* of columns */
	struct prow *rows;  /* as they were drawn last */
	size_t nrows, cap;
};

struct procs *procs_new(void);
void procs_free(struct procs *p);
void procs_set_filter(struct ui *ui, const char *text);
/* To the next row that has the text; from the one behind the cursor on when `next`. */
void procs_search(struct ui *ui, const char *text, bool next);

/* procs_columns.c */
extern const struct pcolumn procs_known[]; /* ended by key == NULL */
extern const char procs_default[], procs_medium[], procs_narrow[];
/* A column by its key, or of a metric of processes by its name. False: there is none. */
bool procs_column(const char *key, struct pcolumn *out);
void procs_choose(struct procs *p, const char *keys); /* those that are not known are left out */
double pvalue(const struct psource *s, const struct prow *r, enum metric_id id);
void pcell(const struct psource *s, const struct prow *r, const struct pcolumn *c, char *out,
	   size_t size);
void prow_cgroup(const struct psource *s, const struct prow *r, char *out, size_t size);
void prow_user(const struct psource *s, const struct prow *r, char *out, size_t size);
const char *prow_command(const struct psource *s, const struct prow *r);
double prow_age(const struct psource *s, const struct prow *r);
char prow_state(const struct psource *s, const struct prow *r);

/* procs_rows.c */
void psource_open(struct psource *s, const struct ui *ui);
void psource_close(struct psource *s);
void procs_collect(struct ui *ui, const struct psource *s);
bool prow_of(const struct psource *s, struct row_id id, struct prow *out);

/* procs_detail.c */
void procs_detail(struct ui *ui, struct canvas *c, struct area a, const struct psource *s);

#endif
