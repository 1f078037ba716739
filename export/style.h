/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_EXPORT_STYLE_H
#define SIXTY_EXPORT_STYLE_H

#include <stddef.h>

#include "export/exporter.h"

/* What text for people is made of: inks, glyphs, escaped names, numbers, bars, wrapped paragraphs.
 *
 * Colour is never the only bearer of a meaning, and no ink depends on the background: a badge brings its own
 * background along, everything else is bold, underlined, red or the terminal's own colour. */
enum ink { INK_PLAIN, INK_STRONG, INK_TITLE, INK_ALARM, INK_CRIT, INK_WARN, INK_INFO, INK_GOOD };

/* Switch; INK_PLAIN ends any other. Nothing without colour. */
void style_ink(struct buf *out, const struct style *s, enum ink i);
/* A text between two switches. Not escaped: for our own words. */
void style_put(struct buf *out, const struct style *s, enum ink i, const char *text);

/* " · ", "…", "≈": the ASCII form where UTF-8 is not to be used. */
enum glyph { GLYPH_DOT, GLYPH_ELLIPSIS, GLYPH_ABOUT, GLYPH_AT_LEAST, GLYPH_BELOW, GLYPH_MAX };
const char *style_glyph(const struct style *s, enum glyph g);

/* Append text from outside: text_printable(), and in ASCII mode no byte above 0x7e: signs that have a usual
 * spelling ("≥", "µ", "–") get it, other characters become \xNN. */
void style_escape(struct buf *out, const struct style *s, const char *raw, size_t n);

/* Exactly |width| columns (left-aligned when negative): cut with an ellipsis or filled with blanks. `text` is printable. */
void style_cell(struct buf *out, const struct style *s, const char *text, int width);
/* The same for text from outside. */
void style_name(struct buf *out, const struct style *s, const char *raw, int width);

/* A bar of `width` columns for 0..1; blanks when it is unknown. */
void style_bar(struct buf *out, const struct style *s, double ratio, unsigned width);

/* How much of the most there is, as a sign of one column that is darker, and redder, the more there is: 0 is a blank. */
#define STYLE_SHADES 5
void style_shade(struct buf *out, const struct style *s, unsigned shade);

/* "3.20", "41", "12.3 k", "<0.01", "-": at most 7 columns. */
char *style_number(char *out, size_t size, double v);
/* A value whose unit is a word of the contract ("ratio", "s/s", "bytes/s", "count", "ms", …), for people. */
char *style_quantity(char *out, size_t size, double v, const char *unit);

/* Words that flow into lines of s->columns. Continuation lines begin at column `left`. */
struct para {
	struct buf *out;
	const struct style *s;
	unsigned left, col;
	bool fresh;       /* the line holds nothing of this paragraph yet */
	const char *lead; /* what continuation lines begin with, or NULL */
};

/* col: columns of the current line that are written already. */
void para_begin(struct para *p, struct buf *out, const struct style *s, unsigned col,
		unsigned left);
/* Words parted by blanks; a number stays with the word behind it. Raw text, escaped here. */
void para_words(struct para *p, enum ink i, const char *raw);
/* One piece that is not broken unless it is longer than a line. */
void para_piece(struct para *p, enum ink i, const char *raw);
/* A shell command: lines that do not fit end in a backslash, so that it can be copied as it stands. A comment behind it
 * goes below it if it does not fit, every line with its own '#'. */
void para_command(struct para *p, const char *raw);
void para_end(struct para *p);

/* Columns for prose and tables: s->columns, kept within 40 and 250. */
unsigned style_columns(const struct style *s);

#endif
