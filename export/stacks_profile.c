/* SPDX-License-Identifier: Apache-2.0 */
/* sixty.profile/1: the tables of a stackset as they are, one row per line, so that nothing is lost on the way to another
 * format. */
#include "export/stacks.h"

#include <math.h>

#include "base/json.h"

/* A row of numbers, written by hand: there are a million of them. */
static void cell(struct buf *out, double v)
{
	if (v == floor(v) && v < 1e18)
		buf_printf(out, "%.0f", v);
	else
		buf_printf(out, "%.17g", v);
}

static void begin_table(struct buf *out, const char *name)
{
	buf_printf(out, ",\n\"%s\":[", name);
}

static void begin_row(struct buf *out, bool first)
{
	buf_str(out, first ? "\n[" : ",\n[");
}

static void put_about(struct json *j, const struct stackset *ss)
{
	const struct stack_about *a = &ss->about;
	/* clang-format off */
	const struct { const char *key; uint32_t id; } texts[] = {
		{ "title", a->title }, { "host", a->host }, { "kernel", a->kernel }, { "target", a->target },
		{ "command", a->command }, { "event", a->event }, { "mode", a->mode },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (texts[i].id)
			json_string(j, texts[i].key, stackset_text(ss, texts[i].id));
	if (a->start_ns)
		json_u64(j, "start_ns", a->start_ns);
	if (a->seconds > 0)
		json_number(j, "seconds", a->seconds);
	if (a->hertz > 0)
		json_number(j, "hertz", a->hertz);
}

static void put_values(struct json *j, const struct stackset *ss)
{
	json_array(j, "values");
	for (size_t v = 0; v < ss->nvalues; v++) {
		json_object(j, NULL);
		json_string(j, "name", stackset_text(ss, ss->value[v].name));
		json_string(j, "unit", stackset_text(ss, ss->value[v].unit));
		json_end_object(j);
	}
	json_end_array(j);
	json_array(j, "losses");
	for (size_t i = 0; i < ss->nlosses; i++) {
		json_object(j, NULL);
		json_string(j, "what", stackset_text(ss, ss->loss[i].what));
		json_number(j, "count", ss->loss[i].count);
		json_end_object(j);
	}
	json_end_array(j);
	json_array(j, "kinds");
	for (unsigned k = 0; k < FRAME_KINDS; k++)
		json_string(j, NULL, frame_kind_name((enum frame_kind)k));
	json_end_array(j);
	json_array(j, "strings");
	for (uint32_t i = 0; i <= ss->nstrings; i++)
		json_string(j, NULL, stackset_text(ss, i));
	json_end_array(j);
}

static void put_frames(struct buf *out, const struct stackset *ss)
{
	begin_table(out, "frames");
	for (size_t i = 1; i <= ss->nframes; i++) {
		const struct stack_frame *f = &ss->frame[i];

		begin_row(out, i == 1);
		buf_printf(out, "%u,%u,%u,%u,%u]", f->name, f->module, f->file, f->line,
			   (unsigned)f->kind);
	}
	buf_char(out, ']');
}

static void put_rows(struct buf *out, const struct stackset *ss)
{
	begin_table(out, "stacks");
	for (size_t i = 1; i < ss->stacks.n; i++) {
		begin_row(out, i == 1);
		buf_printf(out, "%u,%u]", ss->stacks.node[i].parent, ss->stacks.node[i].key);
	}
	buf_char(out, ']');
	begin_table(out, "threads");
	for (size_t i = 1; i <= ss->nthreads; i++) {
		begin_row(out, i == 1);
		buf_printf(out, "%d,%d,%u]", ss->thread[i].pid, ss->thread[i].tid,
			   ss->thread[i].name);
	}
	buf_char(out, ']');
	begin_table(out, "samples");
	for (size_t i = 0; i < ss->nsamples; i++) {
		const struct stack_sample *s = &ss->sample[i];

		begin_row(out, !i);
		if (s->time_ns == STACK_NO_TIME)
			buf_str(out, "null");
		else
			buf_printf(out, "%llu", (unsigned long long)s->time_ns);
		buf_printf(out, ",%u,%u,%u", s->thread, s->cause, s->stack);
		for (size_t v = 0; v < ss->nvalues; v++) {
			buf_char(out, ',');
			cell(out, ss->weight[i * ss->nvalues + v]);
		}
		buf_char(out, ']');
	}
	buf_char(out, ']');
}

int stacks_profile(struct buf *out, const struct stackset *ss, struct err *e)
{
	struct json j;

	(void)e;
	json_begin(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "sixty.profile/1");
	put_about(&j, ss);
	put_values(&j, ss);
	put_frames(out, ss);
	put_rows(out, ss);
	buf_str(out, "}\n");
	return 0;
}
