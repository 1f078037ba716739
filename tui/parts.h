/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_TUI_PARTS_H
#define SIXTY_TUI_PARTS_H

#include "model/cause.h"
#include "model/event.h"
#include "tui/ui.h"

/* What more than one screen shows: where time went, what the kernel said. */
const char *cause_title(enum cause c); /* "waiting for a CPU" */
enum paint cause_paint(enum cause c);
/* The largest part of what was lost. */
enum cause worst_cause(const struct lost_row *l);
/* All of a process's time as one bar; the parts that it shows add up to the whole width. */
void time_bar(struct canvas *c, int x, int y, int width, const struct lost_row *l);
/* Thread-seconds that the parts add up to. */
double time_total(const struct lost_row *l);

struct event_line {
	double seconds; /* after boot */
	enum event_kind kind;
	int level; /* of the kernel log, 0 to 7 */
	const char *text;
};

/* The newest first, `most` of them at most; the caller frees *list. */
size_t events_latest(const struct ui *ui, struct event_line **list, size_t most);
void draw_event(const struct ui *ui, struct canvas *c, struct area a, const struct event_line *e);

#endif
