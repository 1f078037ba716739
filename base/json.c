/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON: commas, escapes and numbers that every reader accepts.
 *
 * Whether a comma is due follows from the last byte written, so nesting needs no state and has
 * no limit: behind '{', '[' and ':' none is due, and a string never ends in one of them. */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

#define EXACT_MAX 9007199254740992.0 /* 2^53: above it a double no longer holds every integer */
#define DIGITS    9

static void json_quote(struct buf *out, const char *s, size_t n)
{
	buf_reserve(out, n + 2);
	buf_char(out, '"');
	while (n) {
		uint32_t cp;
		size_t took = text_utf8(s, n, &cp);

		if (!took) {
			buf_str(out, "\xef\xbf\xbd"); /* U+FFFD */
			took = 1;
		} else if (cp == '"' || cp == '\\') {
			buf_char(out, '\\');
			buf_char(out, *s);
		} else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0)) {
			buf_printf(out, "\\u%04x", (unsigned)cp);
		} else {
			buf_add(out, s, took);
		}
		s += took;
		n -= took;
	}
	buf_char(out, '"');
}

/* What stands in front of a value: a comma if one is due, and the name. */
static void json_lead(struct json *j, const char *key)
{
	struct buf *out = j->out;

	if (out->len > j->start && !strchr("{[:", out->data[out->len - 1]))
		buf_char(out, ',');
	if (key) {
		json_quote(out, key, strlen(key));
		buf_char(out, ':');
	}
}

void json_begin(struct json *j, struct buf *out)
{
	*j = (struct json){ .out = out, .start = out->len };
}

void json_object(struct json *j, const char *key)
{
	json_lead(j, key);
	buf_char(j->out, '{');
}

void json_end_object(struct json *j)
{
	buf_char(j->out, '}');
}

void json_array(struct json *j, const char *key)
{
	json_lead(j, key);
	buf_char(j->out, '[');
}

void json_end_array(struct json *j)
{
	buf_char(j->out, ']');
}

void json_string(struct json *j, const char *key, const char *s)
{
	if (s)
		json_string_n(j, key, s, strlen(s));
	else
		json_null(j, key);
}

void json_string_n(struct json *j, const char *key, const char *s, size_t n)
{
	json_lead(j, key);
	json_quote(j->out, s, n);
}

void json_number(struct json *j, const char *key, double v)
{
	char s[40];

	if (!isfinite(v)) {
		json_null(j, key);
		return;
	}
	if (fabs(v) <= EXACT_MAX && v == trunc(v)) {
		json_s64(j, key, (int64_t)v);
		return;
	}
	for (int digits = 1; digits <= DIGITS; digits++) {
		snprintf(s, sizeof(s), "%.*g", digits, v);
		if (strtod(s, NULL) == v)
			break;
	}
	/* The decimal point follows the locale of the process; JSON does not. */
	for (char *p = s; *p; p++) {
		if (!strchr("0123456789+-e", *p))
			*p = '.';
	}
	json_lead(j, key);
	buf_str(j->out, s);
}

void json_u64(struct json *j, const char *key, uint64_t v)
{
	json_lead(j, key);
	buf_printf(j->out, "%llu", (unsigned long long)v);
}

void json_s64(struct json *j, const char *key, int64_t v)
{
	json_lead(j, key);
	buf_printf(j->out, "%lld", (long long)v);
}

void json_bool(struct json *j, const char *key, bool v)
{
	json_lead(j, key);
	buf_str(j->out, v ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
	json_lead(j, key);
	buf_str(j->out, "null");
}
