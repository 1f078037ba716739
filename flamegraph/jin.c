/* SPDX-License-Identifier: Apache-2.0 */
/* Reading JSON without building it: profiles are arrays of a million small numbers, and each is wanted once. */
#include "flamegraph/jin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void skip_space(struct text *t)
{
	while (t->p < t->end && (*t->p == ' ' || *t->p == '\n' || *t->p == '\t' || *t->p == '\r'))
		t->p++;
}

/* t stands at a quote: move behind the one that ends the string. */
static bool skip_string(struct text *t)
{
	for (const char *p = t->p + 1; p < t->end; p++) {
		if (*p == '\\') {
			p++;
		} else if (*p == '"') {
			t->p = p + 1;
			return true;
		}
	}
	return false;
}

/* t stands at a bracket: move behind the one that closes it. Brackets of both kinds count as one: whoever looks inside will
 * see. */
static bool skip_nested(struct text *t)
{
	size_t depth = 0;

	while (t->p < t->end) {
		char c = *t->p;

		if (c == '"') {
			if (!skip_string(t))
				return false;
			continue;
		}
		t->p++;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && !--depth)
			return true;
	}
	return false;
}

static bool is_plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '-' || c == '+' || c == '.';
}

static bool take_value(struct text *t, struct text *v)
{
	const char *begin;

	skip_space(t);
	if (t->p >= t->end)
		return false;
	begin = t->p;
	if (*begin == '"') {
		if (!skip_string(t))
			return false;
	} else if (*begin == '{' || *begin == '[') {
		if (!skip_nested(t))
			return false;
	} else {
		while (t->p < t->end && is_plain(*t->p))
			t->p++;
	}
	*v = (struct text){ begin, t->p };
	return t->p > begin;
}

bool jin_document(struct text t, struct text *v)
{
	if (!take_value(&t, v))
		return false;
	skip_space(&t);
	return !text_len(t);
}

bool jin_is_object(struct text v)
{
	return text_len(v) >= 2 && *v.p == '{' && v.end[-1] == '}';
}

bool jin_is_array(struct text v)
{
	return text_len(v) >= 2 && *v.p == '[' && v.end[-1] == ']';
}

bool jin_is_null(struct text v)
{
	return text_eq(v, "null");
}

struct text jin_inside(struct text v)
{
	if (jin_is_object(v) || jin_is_array(v))
		return (struct text){ v.p + 1, v.end - 1 };
	return (struct text){ v.p, v.p };
}

static bool take_key(struct text *t, struct text *key)
{
	skip_space(t);
	if (t->p >= t->end || *t->p != '"' || !take_value(t, key))
		return false;
	skip_space(t);
	return text_skip(t, ":");
}

bool jin_next(struct text *cursor, struct text *key, struct text *v, bool *broken)
{
	bool good = true;

	skip_space(cursor);
	if (!text_len(*cursor))
		return false;
	if (key)
		good = take_key(cursor, key);
	good = good && take_value(cursor, v);
	if (good) {
		skip_space(cursor);
		if (text_len(*cursor)) {
			good = text_skip(cursor, ",");
			skip_space(cursor);
			good = good && text_len(*cursor);
		}
	}
	if (!good) {
		if (broken)
			*broken = true;
		cursor->p = cursor->end;
	}
	return good;
}

bool jin_member(struct text object, const char *key, struct text *v)
{
	struct text rest, name;

	if (!jin_is_object(object))
		return false;
	rest = jin_inside(object);
	while (jin_next(&rest, &name, v, NULL)) {
		name.p++;
		name.end--;
		if (text_eq(name, key))
			return true;
	}
	return false;
}

/* ---- strings and numbers ---- */

static bool hex4(struct text *t, uint32_t *out)
{
	uint64_t v;
	struct text four = { t->p, t->p + 4 };

	if (text_len(*t) < 4)
		return false;
	for (const char *p = four.p; p < four.end; p++)
		if (!is_plain(*p) || *p == '-' || *p == '+' || *p == '.' || *p == 'x' || *p == 'X')
			return false;
	if (!text_hex(&four, &v) || text_len(four))
		return false;
	t->p += 4;
	*out = (uint32_t)v;
	return true;
}

static void put_utf8(struct buf *out, uint32_t c)
{
	char b[4];
	size_t n = 0;

	if (c < 0x80) {
		b[n++] = (char)c;
	} else if (c < 0x800) {
		b[n++] = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		b[n++] = (char)(0xe0 | c >> 12);
		b[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		b[n++] = (char)(0xf0 | c >> 18);
		b[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		b[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		b[n++] = (char)(0x80 | (c & 0x3f));
	buf_add(out, b, n);
}

static bool put_escape(struct buf *out, struct text *t)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	uint32_t c, low;
	char sign;

	if (!text_len(*t))
		return false;
	sign = *t->p++;
	if (sign != 'u') {
		at = sign ? strchr(from, sign) : NULL;
		if (at)
			buf_char(out, to[at - from]);
		return at != NULL;
	}
	if (!hex4(t, &c))
		return false;
	if (c >= 0xd800 && c < 0xdc00) {
		struct text rest = *t;

		if (text_skip(&rest, "\\u") && hex4(&rest, &low) && low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			*t = rest;
		}
	}
	put_utf8(out, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
	return true;
}

bool jin_string(struct text v, struct buf *out)
{
	buf_clear(out);
	if (text_len(v) < 2 || *v.p != '"' || v.end[-1] != '"')
		return false;
	v.p++;
	v.end--;
	while (text_len(v)) {
		const char *slash = memchr(v.p, '\\', text_len(v));

		buf_add(out, v.p, (size_t)((slash ? slash : v.end) - v.p));
		v.p = slash ? slash + 1 : v.end;
		if (slash && !put_escape(out, &v))
			return false;
	}
	return true;
}

bool jin_number(struct text v, double *n)
{
	char copy[64], *end;

	if (!text_len(v) || text_len(v) >= sizeof(copy) ||
	    !((*v.p >= '0' && *v.p <= '9') || *v.p == '-'))
		return false;
	text_copy(copy, sizeof(copy), v);
	*n = strtod(copy, &end);
	return end == copy + text_len(v) && isfinite(*n);
}

bool jin_u64(struct text v, uint64_t *n)
{
	double d;

	if (text_is_u64(v, n))
		return true;
	if (!jin_number(v, &d) || d < 0 || d >= 18446744073709551616.0)
		return false;
	*n = (uint64_t)d;
	return true;
}
