/* SPDX-License-Identifier: Apache-2.0 */
/* Reading text that somebody else wrote: /proc, captures, option values, names of processes.
 *
 * A struct text is a slice and a cursor at once. Every function stops at end, none needs a NUL,
 * and a number that does not fit is refused instead of wrapped. */
#include "base/text.h"

#include <string.h>

#include "base/buf.h"

#define MAX_DIGITS 19 /* 10^19 still fits in 64 bits */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_space(char c)
{
	return is_blank(c) || c == '\n' || c == '\r';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

struct text text_of(const char *s)
{
	return text_n(s, s ? strlen(s) : 0);
}

struct text text_n(const char *s, size_t n)
{
	static const char nothing[1];

	if (!s)
		return (struct text){ nothing, nothing };
	return (struct text){ s, s + n };
}

/* Slices */

bool text_until(struct text *t, char sep, struct text *out)
{
	const char *q;

	if (t->p >= t->end)
		return false;
	q = memchr(t->p, sep, text_len(*t));
	*out = (struct text){ t->p, q ? q : t->end };
	t->p = q ? q + 1 : t->end;
	return true;
}

bool text_line(struct text *t, struct text *out)
{
	return text_until(t, '\n', out);
}

bool text_word(struct text *t, struct text *out)
{
	const char *q;

	while (t->p < t->end && is_space(*t->p))
		t->p++;
	if (t->p >= t->end)
		return false;
	for (q = t->p; q < t->end && !is_space(*q); q++)
		;
	*out = (struct text){ t->p, q };
	t->p = q < t->end ? q + 1 : q;
	return true;
}

void text_skip_blanks(struct text *t)
{
	while (t->p < t->end && is_blank(*t->p))
		t->p++;
}

bool text_skip(struct text *t, const char *prefix)
{
	if (!text_starts(*t, prefix))
		return false;
	t->p += strlen(prefix);
	return true;
}

struct text text_trim(struct text t)
{
	while (t.p < t.end && is_space(*t.p))
		t.p++;
	while (t.p < t.end && is_space(t.end[-1]))
		t.end--;
	return t;
}

bool text_eq(struct text t, const char *s)
{
	return text_len(t) == strlen(s) && text_starts(t, s);
}

bool text_starts(struct text t, const char *prefix)
{
	size_t n = strlen(prefix);

	return n <= text_len(t) && !memcmp(t.p, prefix, n);
}

bool text_has(struct text t, const char *needle)
{
	return memmem(t.p, text_len(t), needle, strlen(needle)) != NULL;
}

const char *text_last(struct text t, char c)
{
	return memrchr(t.p, c, text_len(t));
}

char *text_copy(char *out, size_t size, struct text t)
{
	size_t n = text_len(t);

	if (!size)
		return out;
	if (n > size - 1)
		n = size - 1;
	memcpy(out, t.p, n);
	out[n] = '\0';
	return out;
}

/* Numbers */

/* v = v * base + d, or false if that does not fit. */
static bool push_digit(uint64_t *v, unsigned base, unsigned d)
{
	return !__builtin_mul_overflow(*v, base, v) && !__builtin_add_overflow(*v, d, v);
}

bool text_u64(struct text *t, uint64_t *v)
{
	struct text c = *t;
	uint64_t n = 0;

	text_skip_blanks(&c);
	if (c.p >= c.end || !is_digit(*c.p))
		return false;
	for (; c.p < c.end && is_digit(*c.p); c.p++) {
		if (!push_digit(&n, 10, (unsigned)(*c.p - '0')))
			return false;
	}
	*t = c;
	*v = n;
	return true;
}

bool text_s64(struct text *t, int64_t *v)
{
	struct text c = *t;
	uint64_t n;
	bool minus;

	text_skip_blanks(&c);
	minus = text_skip(&c, "-");
	if (c.p >= c.end || !is_digit(*c.p) || !text_u64(&c, &n))
		return false;
	if (n > (uint64_t)INT64_MAX + minus)
		return false;
	*t = c;
	*v = minus ? (int64_t)(0 - n) : (int64_t)n;
	return true;
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool text_hex(struct text *t, uint64_t *v)
{
	struct text c = *t;
	uint64_t n = 0;

	text_skip_blanks(&c);
	if (!text_skip(&c, "0x"))
		text_skip(&c, "0X");
	if (c.p >= c.end || hex_value(*c.p) < 0)
		return false;
	for (; c.p < c.end && hex_value(*c.p) >= 0; c.p++) {
		if (!push_digit(&n, 16, (unsigned)hex_value(*c.p)))
			return false;
	}
	*t = c;
	*v = n;
	return true;
}

bool text_fixed(struct text *t, unsigned digits, uint64_t *v)
{
	struct text c = *t;
	unsigned kept = 0;
	uint64_t n;

	if (digits > MAX_DIGITS || !text_u64(&c, &n))
		return false;
	if (text_len(c) >= 2 && *c.p == '.' && is_digit(c.p[1])) {
		for (c.p++; c.p < c.end && is_digit(*c.p); c.p++) {
			if (kept == digits)
				continue;
			if (!push_digit(&n, 10, (unsigned)(*c.p - '0')))
				return false;
			kept++;
		}
	}
	for (; kept < digits; kept++) {
		if (!push_digit(&n, 10, 0))
			return false;
	}
	*t = c;
	*v = n;
	return true;
}

bool text_is_u64(struct text t, uint64_t *v)
{
	uint64_t n;

	t = text_trim(t);
	if (!text_u64(&t, &n) || text_len(t))
		return false;
	*v = n;
	return true;
}

static bool cpulist_part(struct text part, uint64_t *mask, size_t words)
{
	uint64_t first, last;

	part = text_trim(part);
	if (!text_u64(&part, &first))
		return false;
	last = first;
	if (text_skip(&part, "-") && !text_u64(&part, &last))
		return false;
	if (text_len(part) || last < first || last / 64 >= words)
		return false;
	for (; first <= last; first++)
		mask[first / 64] |= 1ull << (first % 64);
	return true;
}

bool text_cpulist(struct text t, uint64_t *mask, size_t words)
{
	struct text part;

	t = text_trim(t);
	while (text_until(&t, ',', &part)) {
		if (!cpulist_part(part, mask, words))
			return false;
	}
	return true;
}

/* Names from outside */

/* Continuation bytes and smallest code point by lead byte: an overlong form is broken. */
static unsigned utf8_lead(unsigned char c, uint32_t *bits, uint32_t *least)
{
	if (c >= 0xc2 && c <= 0xdf) {
		*bits = c & 0x1f;
		*least = 0x80;
		return 1;
	}
	if ((c & 0xf0) == 0xe0) {
		*bits = c & 0x0f;
		*least = 0x800;
		return 2;
	}
	if (c >= 0xf0 && c <= 0xf4) {
		*bits = c & 0x07;
		*least = 0x10000;
		return 3;
	}
	return 0;
}

size_t text_utf8(const char *s, size_t n, uint32_t *cp)
{
	const unsigned char *u = (const unsigned char *)s;
	uint32_t v, least;
	unsigned more;

	if (!n)
		return 0;
	if (u[0] < 0x80) {
		*cp = u[0];
		return 1;
	}
	more = utf8_lead(u[0], &v, &least);
	if (!more || n <= more)
		return 0;
	for (unsigned i = 1; i <= more; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (u[i] & 0x3f);
	}
	if (v < least || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*cp = v;
	return more + 1;
}

/* What can move the cursor, reorder its neighbours or pass unseen is not printable. The two
 * joiners (U+200C, U+200D) stay: Persian and many emoji are not the same without them. */
static bool is_printable(uint32_t cp)
{
	/* clang-format off */
	static const struct { uint32_t first, last; } hidden[] = {
		{0x0000, 0x001f}, {0x007f, 0x009f},   /* control */
		{0x00ad, 0x00ad},                     /* soft hyphen */
		{0x061c, 0x061c}, {0x180e, 0x180e},
		{0x200b, 0x200b},                     /* zero-width space */
		{0x200e, 0x200f},                     /* direction marks */
		{0x2028, 0x202e},                     /* line and paragraph separators, overrides */
		{0x2060, 0x206f},                     /* word joiner, isolates, deprecated formats */
		{0xfdd0, 0xfdef},                     /* not characters */
		{0xfeff, 0xfeff},                     /* byte order mark */
		{0xfff9, 0xfffb},                     /* annotations */
		{0x1d173, 0x1d17a},
		{0xe0000, 0xe0fff},                   /* tags, invisible */
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		if (cp >= hidden[i].first && cp <= hidden[i].last)
			return false;
	}
	return (cp & 0xfffe) != 0xfffe;
}

#define PRINTABLE_MAX 16 /* four bytes, each as \xNN */

/* The next character of s (n > 0), made safe in unit[]. Returns the bytes taken from s. */
static size_t printable_unit(const char *s, size_t n, char unit[PRINTABLE_MAX], size_t *len)
{
	static const char hex[] = "0123456789abcdef";
	uint32_t cp;
	size_t took = text_utf8(s, n, &cp);

	*len = 0;
	if (took && is_printable(cp)) {
		memcpy(unit, s, took);
		*len = took;
		return took;
	}
	if (!took)
		took = 1;
	for (size_t i = 0; i < took; i++) {
		unsigned char c = (unsigned char)s[i];

		unit[(*len)++] = '\\';
		unit[(*len)++] = 'x';
		unit[(*len)++] = hex[c >> 4];
		unit[(*len)++] = hex[c & 15];
	}
	return took;
}

void text_printable(struct buf *out, const char *s, size_t n)
{
	char unit[PRINTABLE_MAX];
	size_t len;

	buf_reserve(out, n);
	while (n) {
		size_t took = printable_unit(s, n, unit, &len);

		buf_add(out, unit, len);
		s += took;
		n -= took;
	}
}

char *text_printable_into(char *out, size_t size, const char *s, size_t n)
{
	char unit[PRINTABLE_MAX];
	size_t at = 0, len;

	if (!size)
		return out;
	while (n) {
		size_t took = printable_unit(s, n, unit, &len);

		if (len > size - 1 - at)
			break; /* never half an escape, never half a character */
		memcpy(out + at, unit, len);
		at += len;
		s += took;
		n -= took;
	}
	out[at] = '\0';
	return out;
}
