/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_TUI_CANVAS_H
#define SIXTY_TUI_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "tui/paint.h"

/* A grid of cells: all that a screen knows of a terminal. What is put outside of it is cut, and text from anywhere
 * is made printable on the way in, so that no name can move the cursor or change a colour. */
#define CANVAS_MARKS 2    /* combining characters that a cell holds besides its own */
#define CANVAS_MOST  1000 /* columns and rows */

struct spot {
	uint32_t ch[1 + CANVAS_MARKS]; /* ch[0] 0: the second half of a wide character */
	uint8_t paint;
	uint8_t width; /* 1, 2, or 0 for the second half */
};

struct canvas {
	unsigned columns, rows;
	bool ascii;
	struct spot *spots; /* [y * columns + x] */
	size_t cap;
};

/* A part of it. */
struct area {
	int x, y, columns, rows;
};

void canvas_size(struct canvas *c, unsigned columns, unsigned rows); /* blank */
void canvas_clear(struct canvas *c);
void canvas_done(struct canvas *c);

/* Put text into at most `width` columns, cut with an ellipsis; columns that it took. */
int canvas_text(struct canvas *c, int x, int y, int width, enum paint p, const char *text);
int canvas_print(struct canvas *c, int x, int y, int width, enum paint p, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
/* The same, at the right end of the width. */
void canvas_right(struct canvas *c, int x, int y, int width, enum paint p, const char *text);
/* Columns that a text takes here. */
int canvas_width(const struct canvas *c, const char *text);
void canvas_fill(struct canvas *c, int x, int y, int width, uint32_t ch, enum paint p);
/* Another paint for what is there. */
void canvas_repaint(struct canvas *c, int x, int y, int width, enum paint p);

/* 0..1 as a bar; nothing when it is unknown. */
void canvas_bar(struct canvas *c, int x, int y, int width, double ratio, enum paint p);
/* The last `width` of n values, newest at the right, as heights of 0..most; a dot where a value is unknown. */
void canvas_spark(struct canvas *c, int x, int y, int width, const float *v, size_t n, double most,
		  enum paint p);
/* One cell of a heat map: 0..1; darker and fuller the more there is. */
void canvas_heat(struct canvas *c, int x, int y, double ratio);

/* Words that flow into lines of the area; lines that were used. */
int canvas_flow(struct canvas *c, struct area a, enum paint p, const char *text);

/* Lines without what is blank at their ends. */
void canvas_dump(const struct canvas *c, struct buf *out);

#endif
