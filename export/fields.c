/* SPDX-License-Identifier: Apache-2.0 */
#include "export/fields.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"

void json_printable_n(struct json *j, const char *key, const char *raw, size_t n)
{
	struct buf safe = { 0 };

	text_printable(&safe, raw, n);
	json_string_n(j, key, safe.len ? safe.data : "", safe.len);
	buf_done(&safe);
}

void json_printable(struct json *j, const char *key, const char *raw)
{
	json_printable_n(j, key, raw, strlen(raw));
}

void json_known(struct json *j, const char *key, const char *raw)
{
	if (*raw)
		json_printable(j, key, raw);
	else
		json_null(j, key);
}

static void csv_safe(struct buf *safe, const char *raw, size_t n)
{
	if (n && *raw && strchr("=+-@", *raw))
		buf_char(safe, '\'');
	text_printable(safe, raw, n);
}

static void put_quoted(struct buf *out, const struct buf *safe)
{
	buf_char(out, '"');
	for (size_t i = 0; i < safe->len; i++) {
		if (safe->data[i] == '"')
			buf_char(out, '"');
		buf_char(out, safe->data[i]);
	}
	buf_char(out, '"');
}

void csv_quoted(struct buf *out, const char *raw, size_t n)
{
	struct buf safe = { 0 };

	csv_safe(&safe, raw, n);
	put_quoted(out, &safe);
	buf_done(&safe);
}

void csv_field(struct buf *out, const char *raw)
{
	struct buf safe = { 0 };

	csv_safe(&safe, raw, strlen(raw));
	if (safe.len && strpbrk(safe.data, ",\" "))
		put_quoted(out, &safe);
	else
		buf_add(out, safe.len ? safe.data : "", safe.len);
	buf_done(&safe);
}
