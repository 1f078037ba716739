/* SPDX-License-Identifier: Apache-2.0 */
/* The file of settings: read, checked, written. */
#include "tui/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tui/paint.h"

#define LINES_MOST 1000

void settings_init(struct settings *s)
{
	memset(s, 0, sizeof(*s));
	s->seconds = 1;
	snprintf(s->theme, sizeof(s->theme), "%s", themes[0].name);
}

void settings_done(struct settings *s)
{
	buf_done(&s->unknown);
}

static bool take_bool(struct text v, bool *out)
{
	*out = text_eq(v, "yes");
	return *out || text_eq(v, "no");
}

static bool take_interval(struct settings *s, struct text v)
{
	uint64_t hundredths;

	if (!text_fixed(&v, 2, &hundredths) || text_len(text_trim(v)))
		return false;
	s->seconds = (double)hundredths / 100;
	return s->seconds >= SETTINGS_SECONDS_LEAST && s->seconds <= SETTINGS_SECONDS_MOST;
}

static bool take_theme(struct settings *s, struct text v)
{
	text_copy(s->theme, sizeof(s->theme), v);
	return theme_by_name(s->theme) != NULL;
}

/* What a key takes, for the message. NULL: the key is not known. `*good` is false when the value is not of that kind. */
static const char *take(struct settings *s, struct text key, struct text v, bool *good)
{
	*good = true;
	if (text_eq(key, "interval")) {
		*good = take_interval(s, v);
		return "seconds, 0.1 to 60";
	}
	if (text_eq(key, "theme")) {
		*good = take_theme(s, v);
		return "default, safe or mono";
	}
	if (text_eq(key, "columns")) {
		*good = text_len(v) < sizeof(s->columns);
		text_copy(s->columns, sizeof(s->columns), v);
		return "names of columns, of 500 characters at most";
	}
	if (text_eq(key, "sort")) {
		*good = text_len(v) < sizeof(s->sort);
		text_copy(s->sort, sizeof(s->sort), v);
		return "the name of a column";
	}
	if (text_eq(key, "reverse"))
		*good = take_bool(v, &s->reverse);
	else if (text_eq(key, "tree"))
		*good = take_bool(v, &s->tree);
	else if (text_eq(key, "threads"))
		*good = take_bool(v, &s->threads);
	else if (text_eq(key, "kernel_threads"))
		*good = take_bool(v, &s->kernel);
	else
		return NULL;
	return "yes or no";
}

static bool is_text(struct text t)
{
	for (; t.p < t.end; t.p++)
		if (((unsigned char)*t.p < ' ' && *t.p != '\t') || *t.p == 0x7f)
			return false;
	return true;
}

int settings_parse(struct settings *s, struct text file, struct err *e)
{
	struct text line, key;
	unsigned number = 0;

	settings_init(s);
	while (text_line(&file, &line)) {
		struct text rest = text_trim(line);
		const char *kind = NULL;
		bool good = true, known = text_len(rest) && *rest.p != '#';
		char name[SETTINGS_NAME];

		if (++number > LINES_MOST) {
			settings_done(s);
			settings_init(s);
			return err_set(e, -EFBIG, "more than %d lines", LINES_MOST);
		}
		if (!is_text(line))
			kind = "control characters are no text", good = false;
		else if (known && !memchr(rest.p, '=', text_len(rest)))
			kind = "a line is KEY = VALUE", good = false;
		else if (known && text_until(&rest, '=', &key))
			kind = take(s, text_trim(key), text_trim(rest), &good);
		if (good && !kind) {
			buf_add(&s->unknown, line.p, text_len(line));
			buf_char(&s->unknown, '\n');
		}
		if (good)
			continue;
		text_printable_into(name, sizeof(name), line.p, text_len(line));
		settings_done(s);
		settings_init(s);
		return err_set(e, -EINVAL, "line %u, '%s': %s", number, name, kind);
	}
	return 0;
}

static const char *yes(bool b)
{
	return b ? "yes" : "no";
}

void settings_format(const struct settings *s, struct buf *out)
{
	buf_printf(out, "interval = %.4g\ntheme = %s\n", s->seconds, s->theme);
	if (s->columns[0])
		buf_printf(out, "columns = %s\n", s->columns);
	if (s->sort[0])
		buf_printf(out, "sort = %s\n", s->sort);
	buf_printf(out, "reverse = %s\ntree = %s\nthreads = %s\nkernel_threads = %s\n",
		   yes(s->reverse), yes(s->tree), yes(s->threads), yes(s->kernel));
	if (s->unknown.len)
		buf_add(out, s->unknown.data, s->unknown.len);
}
