/* SPDX-License-Identifier: Apache-2.0 */
/* A file for speedscope.app: frames, and a profile of samples for each value. */
#include "export/stacks.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

static void put_frames(struct json *j, const struct stackset *ss)
{
	struct buf name = { 0 };

	json_object(j, "shared");
	json_array(j, "frames");
	for (size_t i = 1; i <= ss->nframes; i++) {
		const struct stack_frame *f = &ss->frame[i];

		buf_clear(&name);
		buf_str(&name, stackset_text(ss, f->name));
		buf_str(&name, frame_kind_suffix(f->kind));
		json_object(j, NULL);
		json_string_n(j, "name", name.data, name.len);
		if (f->file || f->module)
			json_string(j, "file", stackset_text(ss, f->file ? f->file : f->module));
		if (f->line)
			json_u64(j, "line", f->line);
		json_end_object(j);
	}
	json_end_array(j);
	json_end_object(j);
	buf_done(&name);
}

static void put_stack(struct buf *out, const struct stackset *ss, uint32_t stack)
{
	uint32_t frames[STACKSET_DEPTH];
	size_t n = stackset_frames(ss, stack, frames, STACKSET_DEPTH);

	buf_char(out, '[');
	for (size_t i = n; i > 0; i--)
		buf_printf(out, "%s%u", i < n ? "," : "", frames[i - 1] - 1);
	buf_char(out, ']');
}

static int put_profile(struct json *j, struct buf *out, const struct stackset *ss, size_t value)
{
	const char *unit = stackset_text(ss, ss->value[value].unit);
	double *w = stackset_weights(ss, value, 0, 0), total = 0;
	bool first = true;

	if (!w)
		return -ENOMEM;
	for (size_t i = 0; i < ss->stacks.n; i++)
		total += w[i];
	json_object(j, NULL);
	json_string(j, "type", "sampled");
	json_string(j, "name", stackset_text(ss, ss->value[value].name));
	json_string(j, "unit",
		    !strcmp(unit, "nanoseconds") || !strcmp(unit, "bytes") ? unit : "none");
	json_u64(j, "startValue", 0);
	json_number(j, "endValue", total);
	buf_str(out, ",\"samples\":[");
	for (uint32_t i = 0; i < ss->stacks.n; i++) {
		if (!(w[i] > 0))
			continue;
		buf_str(out, first ? "\n" : ",\n");
		put_stack(out, ss, i);
		first = false;
	}
	buf_str(out, "],\"weights\":[");
	first = true;
	for (size_t i = 0; i < ss->stacks.n; i++) {
		if (!(w[i] > 0))
			continue;
		buf_printf(out, w[i] == floor(w[i]) ? "%s%.0f" : "%s%.17g", first ? "" : ",", w[i]);
		first = false;
	}
	buf_char(out, ']');
	json_end_object(j);
	mem_free(w);
	return 0;
}

int stacks_speedscope(struct buf *out, const struct stackset *ss, struct err *e)
{
	uint32_t title = ss->about.title;
	struct json j;
	int err = 0;

	json_begin(&j, out);
	json_object(&j, NULL);
	json_string(&j, "$schema", "https://www.speedscope.app/file-format-schema.json");
	json_string(&j, "exporter", "sixty " SIXTY_VERSION);
	json_string(&j, "name", title ? stackset_text(ss, title) : "profile");
	json_u64(&j, "activeProfileIndex", 0);
	put_frames(&j, ss);
	json_array(&j, "profiles");
	for (size_t v = 0; v < ss->nvalues && !err; v++)
		err = put_profile(&j, out, ss, v);
	json_end_array(&j);
	json_end_object(&j);
	buf_char(out, '\n');
	return err ? err_set(e, err, "no memory to write a speedscope profile") : 0;
}
