/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_TUI_TERM_H
#define SIXTY_TUI_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "tui/canvas.h"
#include "tui/key.h"

/* The terminal: the only user of ncurses.
 *
 *   canvas ─▶ ncurses ─▶ a file in memory ─▶ pending ─▶ terminal, as it takes it
 *
 * ncurses decides which bytes turn the old screen into the new one, and never writes to the terminal itself: a terminal that
 * does not read (a stopped pager, a slow line) only keeps its old picture, and keys and readings go on. */
struct terminal;

struct term_options {
	const struct theme *theme;
	bool color; /* false: whatever the theme says */
};

/* Needs standard input and output to be a terminal. 0 or -errno. */
int term_open(struct terminal **out, const struct term_options *o, struct err *e);
void term_close(struct terminal *t); /* as it was before; accepts NULL */

int term_fd(
	const struct terminal *t); /* to be polled: for keys, and for room while term_pending() */
bool term_pending(const struct terminal *t);
/* Write what the terminal takes now. 0 or -errno when it has gone. */
int term_flush(struct terminal *t);

void term_size(const struct terminal *t, unsigned *columns, unsigned *rows);
void term_resized(struct terminal *t); /* ask for its size again */
void term_theme(struct terminal *t, const struct term_options *o);
/* Show a canvas of its size. False: the last one is still on its way, this one was not taken. */
bool term_show(struct terminal *t, const struct canvas *c);
void term_redraw(struct terminal *t); /* everything, with the next one */

/* The next key that is there. */
bool term_key(struct terminal *t, struct key *k);

/* Give the terminal back for a while (Ctrl-Z), and take it again. */
void term_leave(struct terminal *t);
void term_return(struct terminal *t);

/* For a parent that outlives the one who draws: how the terminal was, and what brings it back. */
struct term_guard;
struct term_guard *term_guard_open(void); /* NULL: there is no terminal */
void term_guard_restore(const struct term_guard *g);
void term_guard_close(struct term_guard *g);

#endif
