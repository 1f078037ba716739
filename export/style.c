/* SPDX-License-Identifier: Apache-2.0 */
/* Colours, widths, bars: how text for people looks, so that no other file has an escape sequence in it. */
#include "export/style.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define COLUMNS_LEAST 40
#define COLUMNS_MOST  250

unsigned style_columns(const struct style *s)
{
	if (s->columns < COLUMNS_LEAST)
		return COLUMNS_LEAST;
	return s->columns > COLUMNS_MOST ? COLUMNS_MOST : s->columns;
}

/* ---- ink ---- */

/* White on red and black on yellow or green are legible whatever the terminal's own colours are. */
/* clang-format off */
static const char *const inks[] = {
	[INK_PLAIN] = "\033[0m",      [INK_STRONG] = "\033[1m",      [INK_TITLE] = "\033[1;4m",
	[INK_ALARM] = "\033[1;31m",   [INK_CRIT] = "\033[1;37;41m",  [INK_WARN] = "\033[30;43m",
	[INK_INFO] = "\033[7m",       [INK_GOOD] = "\033[30;42m",
};
/* clang-format on */

void style_ink(struct buf *out, const struct style *s, enum ink i)
{
	if (s->color)
		buf_str(out, inks[i]);
}

void style_put(struct buf *out, const struct style *s, enum ink i, const char *text)
{
	if (i != INK_PLAIN)
		style_ink(out, s, i);
	buf_str(out, text);
	if (i != INK_PLAIN)
		style_ink(out, s, INK_PLAIN);
}

/* ---- glyphs and escapes ---- */

/* clang-format off */
static const struct { const char *utf8, *ascii; } glyphs[GLYPH_MAX] = {
	[GLYPH_DOT] = { "·", "|" },
	[GLYPH_ELLIPSIS] = { "…", "~" },
	[GLYPH_ABOUT] = { "≈", "~" },
	[GLYPH_AT_LEAST] = { "≥", ">=" },
	[GLYPH_BELOW] = { "<", "<" },
};
/* clang-format on */

const char *style_glyph(const struct style *s, enum glyph g)
{
	return s->ascii ? glyphs[g].ascii : glyphs[g].utf8;
}

/* Signs that our own sentences use. */
/* clang-format off */
static const struct { const char *utf8, *ascii; } spellings[] = {
	{ "≥", ">=" }, { "≤", "<=" }, { "≈", "~" },  { "µ", "u" },   { "μ", "u" },  { "·", "|" },  { "×", "x" },
	{ "–", "-" },  { "—", "-" },  { "−", "-" },  { "→", "->" },  { "…", "..." }, { "°", "" },  { "’", "'" },
	{ "“", "\"" }, { "”", "\"" }, { "‘", "'" },  { "Δ", "d" },   { "Σ", "sum" },
};
/* clang-format on */

static size_t spelling(const char *p, size_t n, const char **ascii)
{
	for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
		size_t len = strlen(spellings[i].utf8);

		if (n >= len && !memcmp(p, spellings[i].utf8, len)) {
			*ascii = spellings[i].ascii;
			return len;
		}
	}
	return 0;
}

void style_escape(struct buf *out, const struct style *s, const char *raw, size_t n)
{
	struct buf safe = { 0 };

	if (!s->ascii) {
		text_printable(out, raw, n);
		return;
	}
	text_printable(&safe, raw, n);
	for (size_t i = 0; i < safe.len;) {
		const char *ascii;
		size_t took = spelling(safe.data + i, safe.len - i, &ascii);

		if (took) {
			buf_str(out, ascii);
			i += took;
		} else if ((unsigned char)safe.data[i] < 0x80) {
			buf_char(out, safe.data[i++]);
		} else {
			buf_printf(out, "\\x%02x", (unsigned char)safe.data[i++]);
		}
	}
	buf_done(&safe);
}

/* ---- cells ---- */

/* Bytes of the character at p: what may not be cut apart. */
static size_t char_bytes(const char *p, size_t n)
{
	size_t len = 1;

	while (len < n && ((unsigned char)p[len] & 0xc0) == 0x80)
		len++;
	return len;
}

/* Bytes of the longest start of text that is at most `width` columns wide. */
static size_t fitting(const char *text, size_t n, size_t width)
{
	size_t i = 0, col = 0;

	while (i < n) {
		size_t len = char_bytes(text + i, n - i), w = text_width(text + i, len);

		if (col + w > width)
			break;
		col += w;
		i += len;
	}
	return i;
}

void style_cell(struct buf *out, const struct style *s, const char *text, int width)
{
	size_t n = strlen(text), w = text_width(text, n),
	       want = (size_t)(width < 0 ? -width : width);

	if (w > want) {
		size_t keep = want ? fitting(text, n, want - 1) : 0;

		buf_add(out, text, keep);
		w = text_width(text, keep);
		if (want) {
			buf_str(out, style_glyph(s, GLYPH_ELLIPSIS));
			w++;
		}
		buf_fill(out, ' ', want - w);
		return;
	}
	if (width > 0)
		buf_fill(out, ' ', want - w);
	buf_add(out, text, n);
	if (width < 0)
		buf_fill(out, ' ', want - w);
}

void style_name(struct buf *out, const struct style *s, const char *raw, int width)
{
	struct buf safe = { 0 };

	style_escape(&safe, s, raw, strlen(raw));
	style_cell(out, s, safe.data ? safe.data : "", width);
	buf_done(&safe);
}

/* ---- bars ---- */

void style_bar(struct buf *out, const struct style *s, double ratio, unsigned width)
{
	static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█" };
	unsigned full, rest;

	if (isnan(ratio)) {
		buf_fill(out, ' ', width);
		return;
	}
	ratio = fmin(fmax(ratio, 0), 1);
	full = (unsigned)lrint(ratio * width * 8);
	if (!full && ratio > 0)
		full = 1;
	rest = full % 8;
	full /= 8;
	if (s->ascii) {
		full += rest >= 4 || (rest && !full);
		buf_fill(out, '#', full);
		buf_fill(out, '.', width - full);
		return;
	}
	for (unsigned i = 0; i < full; i++)
		buf_str(out, eighths[8]);
	buf_str(out, eighths[rest]);
	buf_fill(out, ' ', width - full - (rest > 0));
}

/* ---- shades ---- */

void style_shade(struct buf *out, const struct style *s, unsigned shade)
{
	static const char *const utf8[] = { " ", "·", "░", "▒", "▓", "█" };
	static const char *const ascii[] = { " ", ".", ":", "+", "#", "@" };
	static const unsigned colors[] = { 0, 226, 220, 208, 202, 196 };

	if (shade > STYLE_SHADES)
		shade = STYLE_SHADES;
	if (s->color && shade)
		buf_printf(out, "\033[38;5;%um", colors[shade]);
	buf_str(out, s->ascii ? ascii[shade] : utf8[shade]);
	if (shade)
		style_ink(out, s, INK_PLAIN);
}

/* ---- numbers ---- */

char *style_number(char *out, size_t size, double v)
{
	double a = fabs(v);

	if (isnan(v))
		snprintf(out, size, "-");
	else if (isinf(v))
		snprintf(out, size, "no limit");
	else if (a == 0)
		snprintf(out, size, "0");
	else if (a < 0.005)
		snprintf(out, size, "%s0.01", v < 0 ? ">-" : "<");
	else if (v == trunc(v) && a < 10000)
		snprintf(out, size, "%.0f", v);
	else if (a < 9.995)
		snprintf(out, size, "%.2f", v);
	else if (a < 99.95)
		snprintf(out, size, "%.1f", v);
	else if (a < 9999.5)
		snprintf(out, size, "%.0f", v);
	else
		unit_format(out, size, UNIT_NONE, 0, v);
	return out;
}

/* What rules write as units, in the words of the contract. */
/* clang-format off */
static const struct {
	const char *word;
	enum unit   unit;
	bool        per_second;
	double      factor;
} quantities[] = {
	{ "bytes", UNIT_BYTES, false, 1 },      { "bytes/s", UNIT_BYTES, true, 1 },     { "B/s", UNIT_BYTES, true, 1 },
	{ "B", UNIT_BYTES, false, 1 },          { "seconds", UNIT_SECONDS, false, 1 },  { "s", UNIT_SECONDS, false, 1 },
	{ "ms", UNIT_SECONDS, false, 1e-3 },    { "us", UNIT_SECONDS, false, 1e-6 },    { "ratio", UNIT_RATIO, false, 1 },
	{ "%", UNIT_RATIO, false, 1e-2 },       { "hertz", UNIT_HERTZ, false, 1 },      { "Hz", UNIT_HERTZ, false, 1 },
	{ "celsius", UNIT_CELSIUS, false, 1 },  { "bits", UNIT_BITS, false, 1 },        { "bits/s", UNIT_BITS, true, 1 },
	{ "bit/s", UNIT_BITS, true, 1 },     { "1/s", UNIT_NONE, true, 1 },        { "MiB", UNIT_BYTES, false, 0x1p20 },   { "KiB", UNIT_BYTES, false, 0x1p10 },
};
/* clang-format on */

char *style_quantity(char *out, size_t size, double v, const char *unit)
{
	char number[32];

	if (isnan(v)) {
		snprintf(out, size, "-");
		return out;
	}
	for (size_t i = 0; isfinite(v) && i < sizeof(quantities) / sizeof(*quantities); i++)
		if (!strcmp(unit, quantities[i].word))
			return unit_format(out, size, quantities[i].unit, quantities[i].per_second,
					   v * quantities[i].factor);
	if (!strncmp(unit, "share of ", 9)) {
		snprintf(out, size, "%s %s", unit_format(number, sizeof(number), UNIT_RATIO, 0, v),
			 unit + 6);
		return out;
	}
	style_number(number, sizeof(number), v);
	if (!strcmp(unit, "count") || !*unit || isinf(v))
		snprintf(out, size, "%s", number);
	else if (!strcmp(unit, "count/s"))
		snprintf(out, size, "%s/s", number);
	else
		snprintf(out, size, "%s%s%s", number, *unit == '/' ? "" : " ", unit);
	return out;
}
