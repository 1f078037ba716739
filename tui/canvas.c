/* SPDX-License-Identifier: Apache-2.0 */
/* A grid of cells. Widths of characters are base/text.h's; a wide character takes two cells, and half of one that was
 * written over becomes a blank. */
#include "tui/canvas.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static const struct spot blank = { .ch = { ' ' }, .width = 1 };

void canvas_clear(struct canvas *c)
{
	for (size_t i = 0; i < (size_t)c->columns * c->rows; i++)
		c->spots[i] = blank;
}

void canvas_size(struct canvas *c, unsigned columns, unsigned rows)
{
	c->columns = columns < 1 ? 1 : columns > CANVAS_MOST ? CANVAS_MOST : columns;
	c->rows = rows < 1 ? 1 : rows > CANVAS_MOST ? CANVAS_MOST : rows;
	c->spots = mem_grow(c->spots, &c->cap, (size_t)c->columns * c->rows, sizeof(*c->spots));
	canvas_clear(c);
}

void canvas_done(struct canvas *c)
{
	mem_free(c->spots);
	memset(c, 0, sizeof(*c));
}

static struct spot *spot_at(struct canvas *c, int x, int y)
{
	if (x < 0 || y < 0 || x >= (int)c->columns || y >= (int)c->rows)
		return NULL;
	return &c->spots[(size_t)y * c->columns + (size_t)x];
}

/* What is left of a wide character when one of its halves is written over. */
static void cut_wide(struct canvas *c, int x, int y)
{
	struct spot *s = spot_at(c, x, y), *other;

	if (!s || s->width == 1)
		return;
	other = spot_at(c, s->width == 2 ? x + 1 : x - 1, y);
	if (other) {
		enum paint p = other->paint;

		*other = blank;
		other->paint = p;
	}
	s->width = 1;
}

static void put(struct canvas *c, int x, int y, uint32_t ch, unsigned width, enum paint p)
{
	struct spot *s = spot_at(c, x, y), *second;

	if (!s)
		return;
	if (width == 2 && !spot_at(c, x + 1, y)) {
		ch = ' ';
		width = 1;
	}
	cut_wide(c, x, y);
	*s = (struct spot){ .ch = { ch }, .paint = p, .width = (uint8_t)width };
	if (width != 2)
		return;
	cut_wide(c, x + 1, y);
	second = spot_at(c, x + 1, y);
	*second = (struct spot){ .paint = p };
}

static void put_mark(struct canvas *c, int x, int y, uint32_t ch)
{
	struct spot *s = spot_at(c, x, y);

	if (s && !s->width)
		s = spot_at(c, x - 1, y);
	for (int i = 1; s && i <= CANVAS_MARKS; i++)
		if (!s->ch[i]) {
			s->ch[i] = ch;
			return;
		}
}

/* Signs of ours where only ASCII is to be used; anything else of that kind becomes a question mark. */
static const struct {
	uint32_t ch;
	char ascii;
} plain[] = {
	{ 0x00b7, '-' }, { 0x2026, '~' }, { 0x2192, '>' }, { 0x2190, '<' }, { 0x2191, '^' },
	{ 0x2193, 'v' }, { 0x2265, '>' }, { 0x2264, '<' }, { 0x2248, '~' }, { 0x2502, '|' },
	{ 0x251c, '|' }, { 0x2514, '`' }, { 0x2500, '-' }, { 0x00b5, 'u' }, { 0x2022, '*' },
	{ 0x25b8, '>' }, { 0x25be, 'v' }, { 0x2588, '#' }, { 0x2591, '.' }, { 0x2592, ':' },
	{ 0x2593, '#' }, { 0x2013, '-' }, { 0x00d7, 'x' },
};

static uint32_t as_ascii(uint32_t ch)
{
	if (ch < 0x80)
		return ch;
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (plain[i].ch == ch)
			return (unsigned char)plain[i].ascii;
	return '?';
}

#define TEXT_MOST 4096 /* bytes of a text that are looked at */

/* A text made printable, in a buffer of its own. */
static void printable(const char *text, struct buf *out)
{
	size_t n = strnlen(text, TEXT_MOST);

	text_printable(out, text, n);
}

static unsigned width_of(const struct canvas *c, const char *p, size_t n, uint32_t ch)
{
	return c->ascii && ch >= 0x80 ? 1 : (unsigned)text_width(p, n);
}

/* Columns of printable text. */
static int width_of_text(const struct canvas *c, const char *p, size_t n)
{
	uint32_t ch;
	int sum = 0;

	for (size_t i = 0, k; i < n && (k = text_utf8(p + i, n - i, &ch)); i += k)
		sum += (int)width_of(c, p + i, k, ch);
	return sum;
}

/* Nearly all text is plain: its columns, or -1 when it is not plain up to `most` of them. */
static int plain_width(const char *text, int most)
{
	int n = 0;

	while (n < most && text[n] >= ' ' && text[n] <= '~')
		n++;
	return n == most || !text[n] ? n : -1;
}

int canvas_width(const struct canvas *c, const char *text)
{
	struct buf b = { 0 };
	int width = plain_width(text, TEXT_MOST);

	if (width >= 0)
		return width;
	printable(text, &b);
	width = width_of_text(c, b.data, b.len);
	buf_done(&b);
	return width;
}

static int put_text(struct canvas *c, int x, int y, int width, enum paint p, const char *s,
		    size_t n)
{
	bool cut = width_of_text(c, s, n) > width;
	int at = x, end = x + width - cut;
	uint32_t ch;

	if (width <= 0)
		return 0;
	for (size_t i = 0, k; i < n && (k = text_utf8(s + i, n - i, &ch)); i += k) {
		unsigned w = width_of(c, s + i, k, ch);

		if (at + (int)w > end)
			break;
		if (!w)
			put_mark(c, at - 1, y, ch);
		else
			put(c, at, y, c->ascii ? as_ascii(ch) : ch, w, p);
		at += (int)w;
	}
	if (cut)
		put(c, at++, y, c->ascii ? '~' : 0x2026, 1, p);
	return at - x;
}

static int put_plain(struct canvas *c, int x, int y, int width, enum paint p, const char *s, int n)
{
	int shown = n > width ? width - 1 : n;

	for (int i = 0; i < shown; i++)
		put(c, x + i, y, (unsigned char)s[i], 1, p);
	if (n > width)
		put(c, x + shown++, y, c->ascii ? '~' : 0x2026, 1, p);
	return shown;
}

int canvas_text(struct canvas *c, int x, int y, int width, enum paint p, const char *text)
{
	struct buf b = { 0 };
	int columns;

	if (y < 0 || y >= (int)c->rows || width <= 0 || !*text)
		return 0;
	columns = plain_width(text, width < TEXT_MOST ? width + 1 : TEXT_MOST);
	if (columns >= 0)
		return put_plain(c, x, y, width, p, text, columns);
	printable(text, &b);
	columns = put_text(c, x, y, width, p, b.data, b.len);
	buf_done(&b);
	return columns;
}

int canvas_print(struct canvas *c, int x, int y, int width, enum paint p, const char *fmt, ...)
{
	struct buf b = { 0 };
	va_list ap;
	int columns;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	columns = b.len ? canvas_text(c, x, y, width, p, b.data) : 0;
	buf_done(&b);
	return columns;
}

void canvas_right(struct canvas *c, int x, int y, int width, enum paint p, const char *text)
{
	int w = canvas_width(c, text);

	canvas_text(c, x + (w < width ? width - w : 0), y, w < width ? w : width, p, text);
}

void canvas_fill(struct canvas *c, int x, int y, int width, uint32_t ch, enum paint p)
{
	for (int i = 0; i < width; i++)
		put(c, x + i, y, c->ascii ? as_ascii(ch) : ch, 1, p);
}

void canvas_repaint(struct canvas *c, int x, int y, int width, enum paint p)
{
	for (int i = 0; i < width; i++) {
		struct spot *s = spot_at(c, x + i, y);

		if (s)
			s->paint = (uint8_t)p;
	}
}

/* Parts of a cell, from none to all of it. */
static const uint32_t eighths_right[] = { ' ',    0x258f, 0x258e, 0x258d, 0x258c,
					  0x258b, 0x258a, 0x2589, 0x2588 };
static const uint32_t eighths_up[] = { ' ',    0x2581, 0x2582, 0x2583, 0x2584,
				       0x2585, 0x2586, 0x2587, 0x2588 };
static const char levels_ascii[] = " .:-=+*#@";

void canvas_bar(struct canvas *c, int x, int y, int width, double ratio, enum paint p)
{
	int n;

	if (isnan(ratio) || width <= 0)
		return;
	ratio = ratio < 0 ? 0 : ratio > 1 ? 1 : ratio;
	n = (int)lrint(ratio * width * 8);
	if (ratio > 0 && !n)
		n = 1;
	for (int i = 0; i < width; i++, n -= 8) {
		int part = n > 8 ? 8 : n < 0 ? 0 : n;

		if (c->ascii)
			put(c, x + i, y, part >= 4 || (part && !i) ? '|' : ' ', 1, p);
		else
			put(c, x + i, y, eighths_right[part], 1, p);
	}
}

void canvas_spark(struct canvas *c, int x, int y, int width, const float *v, size_t n, double most,
		  enum paint p)
{
	size_t shown = n < (size_t)(width > 0 ? width : 0) ? n : (size_t)(width > 0 ? width : 0);

	for (size_t i = 0; i < shown; i++) {
		double value = (double)v[n - shown + i], part;
		int level, at = x + width - (int)shown + (int)i;

		if (isnan(value)) {
			put(c, at, y, c->ascii ? ' ' : 0x00b7, 1, PAINT_DIM);
			continue;
		}
		part = most > 0 ? value / most : 0;
		level = (int)lrint((part < 0 ? 0 : part > 1 ? 1 : part) * 8);
		if (value > 0 && !level)
			level = 1;
		put(c, at, y,
		    c->ascii ? (unsigned char)levels_ascii[level] : eighths_up[level ? level : 1],
		    1, level ? p : PAINT_DIM);
	}
}

void canvas_heat(struct canvas *c, int x, int y, double ratio)
{
	static const uint32_t signs[PAINT_HEATS] = { 0x2591, 0x2591, 0x2592, 0x2592,
						     0x2593, 0x2593, 0x2588, 0x2588 };
	int level;

	if (isnan(ratio)) {
		put(c, x, y, c->ascii ? ' ' : 0x00b7, 1, PAINT_DIM);
		return;
	}
	level = (int)((ratio < 0 ? 0 : ratio > 1 ? 1 : ratio) * PAINT_HEATS);
	if (level >= PAINT_HEATS)
		level = PAINT_HEATS - 1;
	if (ratio < 0.005)
		put(c, x, y, ' ', 1, PAINT_PLAIN);
	else if (c->ascii)
		put(c, x, y, (unsigned char)levels_ascii[level + 1], 1, PAINT_HEAT0 + level);
	else
		put(c, x, y, signs[level], 1, PAINT_HEAT0 + level);
}

int canvas_flow(struct canvas *c, struct area a, enum paint p, const char *text)
{
	struct buf b = { 0 };
	struct text rest, word;
	int x = 0, y = 0;

	printable(text, &b);
	rest = text_n(b.data, b.len);
	while (a.columns > 0 && text_word(&rest, &word)) {
		int w = width_of_text(c, word.p, text_len(word));

		if (x && x + 1 + w > a.columns) {
			x = 0;
			y++;
		}
		if (y >= a.rows)
			break;
		if (x)
			x++;
		x += put_text(c, a.x + x, a.y + y, a.columns - x, p, word.p, text_len(word));
	}
	buf_done(&b);
	return y >= a.rows ? a.rows : y + (x > 0);
}

static void dump_char(struct buf *out, uint32_t ch)
{
	if (ch < 0x80) {
		buf_char(out, (char)ch);
	} else if (ch < 0x800) {
		buf_char(out, (char)(0xc0 | ch >> 6));
		buf_char(out, (char)(0x80 | (ch & 0x3f)));
	} else if (ch < 0x10000) {
		buf_char(out, (char)(0xe0 | ch >> 12));
		buf_char(out, (char)(0x80 | (ch >> 6 & 0x3f)));
		buf_char(out, (char)(0x80 | (ch & 0x3f)));
	} else {
		buf_char(out, (char)(0xf0 | ch >> 18));
		buf_char(out, (char)(0x80 | (ch >> 12 & 0x3f)));
		buf_char(out, (char)(0x80 | (ch >> 6 & 0x3f)));
		buf_char(out, (char)(0x80 | (ch & 0x3f)));
	}
}

void canvas_dump(const struct canvas *c, struct buf *out)
{
	for (unsigned y = 0; y < c->rows; y++) {
		const struct spot *line = &c->spots[(size_t)y * c->columns];
		unsigned end = c->columns;

		while (end && line[end - 1].ch[0] == ' ' && !line[end - 1].ch[1])
			end--;
		for (unsigned x = 0; x < end; x++)
			for (int i = 0; i <= CANVAS_MARKS && line[x].ch[i]; i++)
				dump_char(out, line[x].ch[i]);
		buf_char(out, '\n');
	}
}
