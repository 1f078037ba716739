/* SPDX-License-Identifier: Apache-2.0 */
/* Paragraphs: words that flow into lines no wider than the terminal, by columns and not by bytes. */
#include <string.h>

#include "base/text.h"
#include "export/style.h"

void para_begin(struct para *p, struct buf *out, const struct style *s, unsigned col, unsigned left)
{
	*p = (struct para){ .out = out, .s = s, .left = left, .col = col, .fresh = true };
}

static void new_line(struct para *p)
{
	buf_char(p->out, '\n');
	buf_fill(p->out, ' ', p->left);
	if (p->lead)
		buf_str(p->out, p->lead);
	p->col = p->left + (p->lead ? (unsigned)strlen(p->lead) : 0);
	p->fresh = true;
}

/* Bytes that fit into the columns that are left, at least one character. */
static size_t cut(const char *text, size_t n, unsigned columns)
{
	size_t i = 0, col = 0;

	while (i < n) {
		size_t len = 1, w;

		while (i + len < n && ((unsigned char)text[i + len] & 0xc0) == 0x80)
			len++;
		w = text_width(text + i, len);
		if (i && col + w > columns)
			break;
		col += w;
		i += len;
	}
	return i;
}

/* Escaped text as one piece. */
static void put(struct para *p, enum ink ink, const char *text, size_t n)
{
	unsigned columns = style_columns(p->s);
	size_t w = text_width(text, n);

	if (!n)
		return;
	if (!p->fresh && p->col + 1 + w > columns)
		new_line(p);
	if (!p->fresh) {
		buf_char(p->out, ' ');
		p->col++;
	}
	if (ink != INK_PLAIN)
		style_ink(p->out, p->s, ink);
	while (p->col + w > columns) {
		size_t some = cut(text, n, columns > p->col ? columns - p->col : 1);

		if (some == n)
			break;
		buf_add(p->out, text, some);
		text += some;
		n -= some;
		w = text_width(text, n);
		new_line(p);
	}
	buf_add(p->out, text, n);
	p->col += (unsigned)w;
	p->fresh = false;
	if (ink != INK_PLAIN)
		style_ink(p->out, p->s, INK_PLAIN);
}

/* What stays with the word behind it: a number with its unit, a "[a]" with its explanation. */
static bool is_number(struct text w)
{
	bool digit = false;

	if (text_len(w) == 3 && w.p[0] == '[' && w.p[2] == ']')
		return true;

	for (const char *c = w.p; c < w.end; c++) {
		digit |= *c >= '0' && *c <= '9';
		if (!strchr("0123456789.,+-<>~(", *c))
			return false;
	}
	return digit;
}

void para_words(struct para *p, enum ink ink, const char *raw)
{
	struct text rest = text_of(raw), word;
	struct buf unit = { 0 };

	while (text_word(&rest, &word)) {
		if (unit.len)
			buf_char(&unit, ' ');
		style_escape(&unit, p->s, word.p, text_len(word));
		if (is_number(word))
			continue;
		put(p, ink, unit.data, unit.len);
		buf_clear(&unit);
	}
	if (unit.len)
		put(p, ink, unit.data, unit.len);
	buf_done(&unit);
}

void para_piece(struct para *p, enum ink ink, const char *raw)
{
	struct buf safe = { 0 };

	style_escape(&safe, p->s, raw, strlen(raw));
	if (safe.len)
		put(p, ink, safe.data, safe.len);
	buf_done(&safe);
}

/* Bytes up to the next blank that stands outside of quotes. */
static size_t shell_word(const char *p, size_t n)
{
	char quote = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (quote)
			quote = p[i] == quote ? 0 : quote;
		else if (p[i] == '\'' || p[i] == '"')
			quote = p[i];
		else if (p[i] == ' ')
			break;
	}
	return i;
}

/* Bytes before a comment: a '#' that begins a word. */
static size_t before_comment(const char *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		if (p[i] == '#')
			return i;
		i += shell_word(p + i, n - i) + 1;
	}
	return n;
}

static void comment(struct para *p, const char *text, size_t n)
{
	struct text rest = text_n(text, n), word;

	if (p->col + 1 + text_width(text, n) > style_columns(p->s)) {
		p->lead = "# ";
		new_line(p);
		text_skip(&rest, "#");
	}
	while (text_word(&rest, &word))
		put(p, INK_PLAIN, word.p, text_len(word));
	p->lead = NULL;
}

void para_command(struct para *p, const char *raw)
{
	unsigned columns = style_columns(p->s);
	struct buf safe = { 0 };
	size_t length;

	style_escape(&safe, p->s, raw, strlen(raw));
	length = before_comment(safe.data, safe.len);
	for (size_t i = 0; i < length;) {
		size_t n = shell_word(safe.data + i, length - i), w = text_width(safe.data + i, n);
		bool last = i + n + strspn(safe.data + i + n, " ") >= length;

		if (!p->fresh && n && p->col + 1 + w + (last ? 0 : 2) > columns) {
			buf_str(p->out, " \\");
			new_line(p);
		}
		if (!p->fresh && n) {
			buf_char(p->out, ' ');
			p->col++;
		}
		buf_add(p->out, safe.data + i, n);
		p->col += (unsigned)w;
		p->fresh = false;
		i += n + 1;
	}
	if (length < safe.len)
		comment(p, safe.data + length, safe.len - length);
	buf_done(&safe);
}

void para_end(struct para *p)
{
	buf_char(p->out, '\n');
}
