/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_TUI_UI_H
#define SIXTY_TUI_UI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/now.h"
#include "model/report.h"
#include "tui/canvas.h"
#include "tui/history.h"
#include "tui/key.h"
#include "tui/settings.h"

/* The dashboard: what is shown, and what keys do to it. It draws into a canvas and knows neither the terminal nor
 * where numbers come from; what it wants done to the machine it asks of its owner. */

/* What only the owner of a machine can tell. All may be NULL: a capture has no machine. */
struct ui_owner {
	void *ctx;
	/* NULL: not known (yet); what is asked for is there when the screen is drawn next, if it can be had */
	const char *(*command)(void *ctx, int64_t pid, uint64_t birth);
	const char *(*user)(void *ctx, int64_t uid);
	int64_t self; /* our own process */
};

/* What ui_key() wants done. */
enum ui_want {
	WANT_NOTHING,
	WANT_DRAW,
	WANT_QUIT,
	WANT_SUSPEND,
	WANT_REDRAW,   /* the whole terminal */
	WANT_SIGNAL,   /* ui.number to the processes of ui.targets */
	WANT_NICE,     /* ui.number is their new nice value */
	WANT_AFFINITY, /* ui.cpus are those that they may use from now on */
	WANT_IO,       /* ui.number is their new I/O priority, as the kernel has it */
	WANT_SAVE,     /* the settings */
	WANT_THEME,    /* another one is set */
	WANT_PACE,     /* settings.seconds has changed */
	WANT_STEP      /* of the capture: ui.step */
};

/* A list with a cursor. The cursor stays on its row (by identity) while rows move. */
struct list {
	size_t at, top, rows; /* cursor, first row that is shown, how many there are */
	int left;             /* columns that are scrolled off */
	int page;             /* rows on the screen */
	int sort;             /* column */
	bool reverse;
	bool held; /* `id` is to be found again: the cursor was moved by hand */
	struct row_id id;
};

#define UI_LINE    128
#define UI_TARGETS 64
#define UI_CPUS    1024

enum prompt {
	PROMPT_NONE,
	PROMPT_FILTER,
	PROMPT_SEARCH,
	PROMPT_SIGNAL,
	PROMPT_NICE,
	PROMPT_AFFINITY,
	PROMPT_IO,
	PROMPT_TIME,
	PROMPT_PACE
};

struct target {
	int64_t pid;
	uint64_t birth;
};

struct procs; /* tui/procs.h */

struct ui {
	const struct ui_owner *owner;
	struct now now;
	const struct report *report; /* of the last judgement; NULL: none yet */
	struct history history;
	struct settings settings;
	unsigned screen;
	bool paused, readonly, help, replay, ascii;
	size_t steps, step; /* of a capture */
	enum prompt prompt;
	bool confirm; /* the prompt's question has to be answered by y */
	char line[UI_LINE];
	char message[UI_LINE];
	bool bad; /* it is one */
	int number;
	char answer[UI_LINE];        /* that was given to the question, as it is shown */
	uint64_t cpus[UI_CPUS / 64]; /* a mask */
	struct target targets[UI_TARGETS];
	size_t ntargets;
	struct list lists[16]; /* by screen */
	struct procs *procs;
	/* the verdict */
	enum verdict verdict;
	char summary[512];
	int64_t since_ns,
		judged_ns; /* wall clock: of the first judgement with this verdict, of the last */
	int help_top;
};

struct screen {
	char key;
	const char *name; /* "Overview" */
	const char *tag;  /* for the line at the bottom */
	const char *help; /* paragraphs, parted by newlines */
	void (*draw)(struct ui *ui, struct canvas *c, struct area a);
	/* True when the key was its own. */
	bool (*on_key)(struct ui *ui, const struct key *k, enum ui_want *want);
};

extern const struct screen screens[]; /* ended by name == NULL */
#define SCREEN_PROCESSES 1
size_t screens_count(void);
size_t screen_by_name(const char *name); /* SIZE_MAX: there is none */

void ui_init(struct ui *ui, const struct ui_owner *owner);
void ui_done(struct ui *ui);
/* New numbers. The report is NULL, or stays until the next call. */
void ui_refresh(struct ui *ui, const struct now *now);
void ui_judged(struct ui *ui, const struct report *r);
/* A capture has moved to another step: what was gathered on the way does not count. */
void ui_forget(struct ui *ui);
void ui_draw(struct ui *ui, struct canvas *c);
enum ui_want ui_key(struct ui *ui, const struct key *k);
void ui_say(struct ui *ui, bool bad, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The latest value of a thing; what is only read with the window is taken from there. NaN: unknown. */
double ui_value(const struct ui *ui, enum metric_id id, struct row_id row);
const char *ui_text(const struct ui *ui, enum metric_id id, struct row_id row);
/* The same as text: "-" when it is unknown. At most 11 columns. */
const char *ui_cell(const struct ui *ui, enum metric_id id, struct row_id row, char *out,
		    size_t size);

#endif
