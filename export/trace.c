/* SPDX-License-Identifier: Apache-2.0 */
/* One event, one line. */
#include "export/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/units.h"
#include "export/fields.h"
#include "export/style.h"

#define TIME_COLUMNS   15
#define COMM_COLUMNS   16
#define CGROUP_COLUMNS 20

static size_t comm_len(const struct wire_event *e)
{
	return strnlen(e->comm, sizeof(e->comm));
}

/* ---- text ---- */

static int event_columns(unsigned events)
{
	int most = 5;

	for (unsigned i = 0; i < TRACE_MAX; i++)
		if (events & 1u << i && (int)strlen(trace_events[i].name) > most)
			most = (int)strlen(trace_events[i].name);
	return most;
}

static void text_head(struct buf *out, unsigned events, const struct style *s)
{
	char head[160];

	snprintf(head, sizeof(head), "%-*s %-*s %7s %-*s %-*s ", TIME_COLUMNS, "TIME",
		 event_columns(events), "EVENT", "PID", COMM_COLUMNS, "COMM", CGROUP_COLUMNS,
		 "CGROUP");
	style_put(out, s, INK_TITLE, head);
	style_put(out, s, INK_TITLE, s->verbose ? "EXECUTABLE, PARENT, USER; WHAT" : "WHAT");
	buf_char(out, '\n');
}

/* Of a long path the end says most. */
static void put_cgroup(struct buf *out, const struct style *s, const char *path)
{
	struct buf safe = { 0 };
	const char *from;

	style_escape(&safe, s, path ? path : "-", path ? strlen(path) : 1);
	from = safe.data;
	while (text_width(from, strlen(from)) > CGROUP_COLUMNS) {
		uint32_t cp;
		size_t n = text_utf8(from, strlen(from), &cp);

		from += n ? n : 1;
	}
	style_cell(out, s, from, -CGROUP_COLUMNS);
	buf_done(&safe);
}

/* What holds blanks or quotes is quoted, so that it cannot pass for something else. */
static void put_raw(struct buf *out, const struct style *s, const char *raw, size_t n)
{
	bool quote = !n || memchr(raw, ' ', n) || memchr(raw, '"', n) || memchr(raw, ',', n);
	struct buf safe = { 0 };

	style_escape(&safe, s, raw, n);
	if (quote)
		buf_char(out, '"');
	for (size_t i = 0; i < safe.len; i++) {
		if (quote && safe.data[i] == '"')
			buf_char(out, '\\');
		buf_char(out, safe.data[i]);
	}
	if (quote)
		buf_char(out, '"');
	buf_done(&safe);
}

static void put_list(struct buf *out, const struct style *s, const struct trace_value *v)
{
	for (size_t at = 0; at < v->size;) {
		size_t n = strnlen(v->text + at, v->size - at);

		if (at)
			buf_char(out, ' ');
		put_raw(out, s, v->text + at, n);
		at += n + 1;
	}
}

/* NULL: the number itself stands for it. */
static const char *who_ran(const struct wire_ran *r, const struct trace_names *n)
{
	const char *name;

	if (!r->tgid)
		return "idle";
	if (r->tgid == WIRE_OUTSIDE)
		return "(outside of this PID namespace)";
	name = n->comm ? n->comm(n->ctx, r->tgid) : NULL;
	return name;
}

static void put_ran(struct buf *out, const struct style *s, const struct trace_value *v,
		    const struct trace_names *n)
{
	char number[32];

	for (size_t i = 0; i < v->size; i++) {
		const char *name = who_ran(&v->ran[i], n);

		if (i)
			buf_str(out, " + ");
		if (name)
			put_raw(out, s, name, strlen(name));
		if (v->ran[i].tgid && v->ran[i].tgid != WIRE_OUTSIDE)
			buf_printf(out, "[%u]", v->ran[i].tgid);
		buf_printf(out, " %s",
			   unit_format(number, sizeof(number), UNIT_SECONDS, 0,
				       (double)v->ran[i].ns * 1e-9));
	}
}

static void put_value(struct buf *out, const struct style *s, const struct trace_value *v,
		      const struct trace_names *n)
{
	char number[32];

	switch (v->kind) {
	case VALUE_NONE:
		break;
	case VALUE_TEXT:
		put_raw(out, s, v->text, v->size);
		break;
	case VALUE_LIST:
		put_list(out, s, v);
		break;
	case VALUE_NUMBER:
		buf_printf(out, "%.0f", v->number);
		break;
	case VALUE_SECONDS:
		buf_str(out, unit_format(number, sizeof(number), UNIT_SECONDS, 0, v->number));
		break;
	case VALUE_BYTES:
		buf_str(out, unit_format(number, sizeof(number), UNIT_BYTES, 0, v->number));
		break;
	case VALUE_RAN:
		put_ran(out, s, v, n);
		break;
	}
}

static void put_whole_process(struct buf *out, const struct style *s, const struct trace_line *l)
{
	const struct wire_event *e = l->record;

	if (l->exe)
		put_raw(out, s, l->exe, strlen(l->exe));
	else
		buf_char(out, '-');
	if (e->pid)
		buf_printf(out, ", parent %u, user %u", e->ppid, e->uid);
	buf_str(out, "; ");
}

static void text_line_of(struct buf *out, unsigned events, const struct style *s,
			 const struct trace_line *l)
{
	const struct wire_event *e = l->record;
	const struct trace_event *ev = &trace_events[e->tag];
	struct trace_value v;
	char pid[16] = "-", comm[WIRE_COMM + 1];
	bool first = true;

	if (e->pid)
		snprintf(pid, sizeof(pid), "%u", e->pid);
	snprintf(comm, sizeof(comm), "%.*s", (int)comm_len(e), e->comm);
	buf_printf(out, "%-*s ", TIME_COLUMNS, l->time);
	style_ink(out, s, INK_STRONG);
	buf_printf(out, "%-*s", event_columns(events), ev->name);
	style_ink(out, s, INK_PLAIN);
	buf_printf(out, " %7s ", pid);
	style_name(out, s, comm[0] ? comm : "-", -COMM_COLUMNS);
	buf_char(out, ' ');
	put_cgroup(out, s, l->cgroup);
	buf_char(out, ' ');
	if (s->verbose)
		put_whole_process(out, s, l);
	for (const struct trace_column *c = ev->columns; c->key; c++) {
		trace_get(c, l->record, l->names, &v);
		if (v.kind == VALUE_NONE)
			continue;
		if (!first && c->label[0] != ' ')
			buf_str(out, c->label[0] ? ", " : " ");
		if (c->label[0])
			buf_printf(out, "%s ", c->label + (first && c->label[0] == ' '));
		first = false;
		put_value(out, s, &v, l->names);
	}
	buf_char(out, '\n');
}

/* ---- JSON ---- */

static void json_list(struct json *j, const char *key, const struct trace_value *v)
{
	json_array(j, key);
	for (size_t at = 0; at < v->size;) {
		size_t n = strnlen(v->text + at, v->size - at);

		json_printable_n(j, NULL, v->text + at, n);
		at += n + 1;
	}
	json_end_array(j);
}

static void json_ran(struct json *j, const char *key, const struct trace_value *v,
		     const struct trace_names *n)
{
	json_array(j, key);
	for (size_t i = 0; i < v->size; i++) {
		const char *name = who_ran(&v->ran[i], n);

		json_object(j, NULL);
		if (v->ran[i].tgid == WIRE_OUTSIDE)
			json_null(j, "pid");
		else
			json_u64(j, "pid", v->ran[i].tgid);
		if (name)
			json_printable_n(j, "comm", name, strlen(name));
		else
			json_null(j, "comm");
		json_number(j, "seconds", (double)v->ran[i].ns * 1e-9);
		json_end_object(j);
	}
	json_end_array(j);
}

static void json_value(struct json *j, const char *key, const struct trace_value *v,
		       const struct trace_names *n)
{
	switch (v->kind) {
	case VALUE_NONE:
		json_null(j, key);
		break;
	case VALUE_TEXT:
		json_printable_n(j, key, v->text, v->size);
		break;
	case VALUE_LIST:
		json_list(j, key, v);
		break;
	case VALUE_RAN:
		json_ran(j, key, v, n);
		break;
	default:
		json_number(j, key, v->number);
	}
}

static void json_text(struct json *j, const char *key, const char *s)
{
	if (s)
		json_printable_n(j, key, s, strlen(s));
	else
		json_null(j, key);
}

static void json_known_u64(struct json *j, const char *key, bool known, uint64_t v)
{
	if (known)
		json_u64(j, key, v);
	else
		json_null(j, key);
}

static void json_line(struct buf *out, unsigned events, const struct style *s,
		      const struct trace_line *l)
{
	const struct wire_event *e = l->record;
	struct trace_value v;
	struct json j;

	(void)events;
	(void)s;
	json_begin(&j, out);
	json_object(&j, NULL);
	json_string(&j, "time", l->time);
	json_string(&j, "event", trace_events[e->tag].name);
	json_known_u64(&j, "pid", e->pid, e->pid);
	json_known_u64(&j, "tid", e->pid, e->tid);
	json_known_u64(&j, "ppid", e->pid, e->ppid);
	json_known_u64(&j, "uid", e->pid || e->tag == TRACE_BPF, e->uid);
	if (e->comm[0])
		json_printable_n(&j, "comm", e->comm, comm_len(e));
	else
		json_null(&j, "comm");
	json_text(&j, "exe", l->exe);
	json_text(&j, "cgroup", l->cgroup);
	for (const struct trace_column *c = trace_events[e->tag].columns; c->key; c++) {
		trace_get(c, l->record, l->names, &v);
		json_value(&j, c->key, &v, l->names);
	}
	json_end_object(&j);
	buf_char(out, '\n');
}

static void no_head(struct buf *out, unsigned events, const struct style *s)
{
	(void)out;
	(void)events;
	(void)s;
}

/* ---- CSV ---- */

/* Columns of several events with the same name are one. */
static bool seen_before(unsigned events, unsigned event, const char *key)
{
	for (unsigned i = 0; i < event; i++)
		for (const struct trace_column *c = trace_events[i].columns;
		     events & 1u << i && c->key; c++)
			if (!strcmp(c->key, key))
				return true;
	return false;
}

static void csv_head(struct buf *out, unsigned events, const struct style *s)
{
	(void)s;
	buf_str(out, "time,event,pid,tid,ppid,uid,comm,exe,cgroup");
	for (unsigned i = 0; i < TRACE_MAX; i++)
		for (const struct trace_column *c = trace_events[i].columns;
		     events & 1u << i && c->key; c++)
			if (!seen_before(events, i, c->key))
				buf_printf(out, ",%s", c->key);
	buf_str(out, "\r\n");
}

static void csv_value(struct buf *out, const struct trace_value *v, const struct trace_names *n)
{
	static const struct style plain = { .columns = 250, .ascii = true };
	struct buf text = { 0 };

	switch (v->kind) {
	case VALUE_NONE:
		return;
	case VALUE_TEXT:
		csv_quoted(out, v->text, v->size);
		return;
	case VALUE_NUMBER:
	case VALUE_BYTES:
		buf_printf(out, "%.0f", v->number);
		return;
	case VALUE_SECONDS:
		buf_printf(out, "%.9f", v->number);
		return;
	case VALUE_LIST:
	case VALUE_RAN:
		put_value(&text, &plain, v, n);
		csv_quoted(out, text.data, text.len);
		buf_done(&text);
	}
}

static const struct trace_column *column_of(unsigned event, const char *key)
{
	for (const struct trace_column *c = trace_events[event].columns; c->key; c++)
		if (!strcmp(c->key, key))
			return c;
	return NULL;
}

static void csv_line(struct buf *out, unsigned events, const struct style *s,
		     const struct trace_line *l)
{
	const struct wire_event *e = l->record;
	struct trace_value v;

	(void)s;
	buf_printf(out, "%s,%s,", l->time, trace_events[e->tag].name);
	if (e->pid)
		buf_printf(out, "%u,%u,%u,%u,", e->pid, e->tid, e->ppid, e->uid);
	else
		buf_str(out, ",,,,");
	if (e->comm[0])
		csv_quoted(out, e->comm, comm_len(e));
	buf_char(out, ',');
	if (l->exe)
		csv_quoted(out, l->exe, strlen(l->exe));
	buf_char(out, ',');
	if (l->cgroup)
		csv_quoted(out, l->cgroup, strlen(l->cgroup));
	for (unsigned i = 0; i < TRACE_MAX; i++)
		for (const struct trace_column *c = trace_events[i].columns;
		     events & 1u << i && c->key; c++) {
			const struct trace_column *own;

			if (seen_before(events, i, c->key))
				continue;
			buf_char(out, ',');
			own = column_of(e->tag, c->key);
			if (!own)
				continue;
			trace_get(own, l->record, l->names, &v);
			csv_value(out, &v, l->names);
		}
	buf_str(out, "\r\n");
}

const struct trace_writer trace_writers[] = { { "text", text_head, text_line_of },
					      { "json", no_head, json_line },
					      { "csv", csv_head, csv_line },
					      { NULL, NULL, NULL } };
