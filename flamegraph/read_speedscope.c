/* SPDX-License-Identifier: Apache-2.0 */
/* Files of speedscope.app: frames that all profiles share, and profiles of samples or of events (a frame opens, it closes). */
#include "flamegraph/read.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "flamegraph/jin.h"

struct speedscope {
	struct stackset *ss;
	uint32_t *frame; /* of the file's numbers */
	size_t nframes, frames_cap;
	struct buf text;
	uint32_t unit; /* of the first profile, as a string of ss */
	double scale;  /* of this profile's numbers to what we keep */
	size_t other_units, other_types;
};

static struct text taken(struct speedscope *s, struct text object, const char *key)
{
	struct text v;

	if (!jin_member(object, key, &v) || !jin_string(v, &s->text))
		return text_of("");
	return text_n(s->text.data, s->text.len);
}

static int add_frame(struct speedscope *s, struct text object, struct err *e)
{
	struct buf file = { 0 };
	struct frame_text f = { 0 };
	struct text v;
	uint64_t line;
	int err;

	f.file = taken(s, object, "file");
	buf_add(&file, f.file.p, text_len(f.file));
	f.file = text_n(file.data, file.len);
	f.name = taken(s, object, "name");
	f.kind = frame_kind_cut(&f.name);
	if (jin_member(object, "line", &v) && jin_u64(v, &line) && line <= UINT32_MAX)
		f.line = (uint32_t)line;
	if (s->nframes == s->frames_cap) {
		size_t now = s->nframes ? s->nframes * 2 : 256;
		void *q = mem_try_resize(s->frame, now, sizeof(*s->frame),
					 sizeof(*s->frame) * STACKSET_FRAMES);

		if (!q) {
			buf_done(&file);
			return err_set(e, -E2BIG, "too many frames");
		}
		s->frame = q;
		s->frames_cap = now;
	}
	err = stackset_frame(s->ss, &f, &s->frame[s->nframes], e);
	if (!err)
		s->nframes++;
	buf_done(&file);
	return err;
}

static int add_frames(struct speedscope *s, struct text file, struct err *e)
{
	struct text shared, list, v;
	bool broken = false;
	int err = 0;

	if (!jin_member(file, "shared", &shared) || !jin_member(shared, "frames", &list) ||
	    !jin_is_array(list))
		return err_set(e, -EINVAL, "it has no shared.frames");
	list = jin_inside(list);
	while (!err && jin_next(&list, NULL, &v, &broken))
		err = add_frame(s, v, e);
	return broken ? err_set(e, -EINVAL, "shared.frames is no JSON") : err;
}

static int frame_at(struct speedscope *s, struct text v, uint32_t *frame, struct err *e)
{
	uint64_t i;

	if (!jin_u64(v, &i) || i >= s->nframes)
		return err_set(e, -EINVAL, "a frame that is not in shared.frames");
	*frame = s->frame[i];
	return 0;
}

static int add_sampled(struct speedscope *s, struct text profile, struct stack_sample sample,
		       struct err *e)
{
	struct text samples, weights = text_of(""), list, v, w;
	bool broken = false, weighed;
	double weight = 1;
	int err = 0;

	if (!jin_member(profile, "samples", &samples) || !jin_is_array(samples))
		return err_set(e, -EINVAL, "a profile without samples");
	weighed = jin_member(profile, "weights", &weights) && jin_is_array(weights);
	samples = jin_inside(samples);
	weights = jin_inside(weights);
	while (!err && jin_next(&samples, NULL, &list, &broken)) {
		struct text frames = jin_inside(list);

		sample.stack = 0;
		while (!err && jin_next(&frames, NULL, &v, &broken)) {
			uint32_t frame = 0;

			err = frame_at(s, v, &frame, e);
			if (!err)
				err = stackset_push(s->ss, sample.stack, frame, &sample.stack, e);
		}
		if (!err && weighed &&
		    (!jin_next(&weights, NULL, &w, &broken) || !jin_number(w, &weight)))
			err = err_set(e, -EINVAL, "fewer weights than samples");
		weight *= weighed ? s->scale : 1;
		if (!err)
			err = stackset_add(s->ss, &sample, &weight, e);
	}
	return err ? err : broken ? err_set(e, -EINVAL, "its samples are no JSON") : 0;
}

/* Between two events, what is open is a sample. */
static int add_event(struct speedscope *s, struct text event, struct stack_sample *sample,
		     double *at, struct err *e)
{
	struct text type, v;
	uint32_t frame = 0;
	double now, weight;
	int err = 0;

	if (!jin_member(event, "at", &v) || !jin_number(v, &now) ||
	    !jin_member(event, "frame", &v) || !jin_member(event, "type", &type))
		return err_set(e, -EINVAL, "an event without type, frame and at");
	err = frame_at(s, v, &frame, e);
	if (!err && now < *at)
		err = err_set(e, -EINVAL, "an event before the one before it");
	weight = (now - *at) * s->scale;
	if (!err && sample->stack && weight > 0)
		err = stackset_add(s->ss, sample, &weight, e);
	*at = now;
	if (err)
		return err;
	if (text_eq(type, "\"O\""))
		return stackset_push(s->ss, sample->stack, frame, &sample->stack, e);
	if (!text_eq(type, "\"C\"") || !sample->stack ||
	    s->ss->stacks.node[sample->stack].key != frame)
		return err_set(e, -EINVAL, "an event that closes what is not open");
	sample->stack = s->ss->stacks.node[sample->stack].parent;
	return 0;
}

static int add_evented(struct speedscope *s, struct text profile, struct stack_sample sample,
		       struct err *e)
{
	struct text events, v;
	bool broken = false;
	double at = 0;
	int err = 0;

	if (!jin_member(profile, "events", &events) || !jin_is_array(events))
		return err_set(e, -EINVAL, "a profile without events");
	if (jin_member(profile, "startValue", &v))
		jin_number(v, &at);
	events = jin_inside(events);
	while (!err && jin_next(&events, NULL, &v, &broken))
		err = add_event(s, v, &sample, &at, e);
	return err ? err : broken ? err_set(e, -EINVAL, "its events are no JSON") : 0;
}

/* clang-format off */
static const struct { const char *unit, *name, *ours; double scale; } units[] = {
	{ "none",         "samples", "count",       1 },
	{ "nanoseconds",  "time",    "nanoseconds", 1 },
	{ "microseconds", "time",    "nanoseconds", 1e3 },
	{ "milliseconds", "time",    "nanoseconds", 1e6 },
	{ "seconds",      "time",    "nanoseconds", 1e9 },
	{ "bytes",        "size",    "bytes",       1 },
};
/* clang-format on */

/* False: of another unit than the profiles before it. */
static bool take_unit(struct speedscope *s, struct text profile, struct err *e, int *err)
{
	struct text unit = taken(s, profile, "unit");
	size_t i = 0, n = sizeof(units) / sizeof(*units);

	*err = 0;
	while (i < n && !text_eq(unit, units[i].unit))
		i++;
	if (i == n)
		i = 0;
	s->scale = units[i].scale;
	if (!s->ss->nvalues) {
		*err = stackset_value(s->ss, units[i].name, units[i].ours, e);
		*err = *err < 0 ? *err : 0;
		return true;
	}
	return !strcmp(stackset_text(s->ss, s->ss->value[0].unit), units[i].ours);
}

static int add_profile(struct speedscope *s, struct text profile, struct err *e)
{
	struct stack_sample sample = { .time_ns = STACK_NO_TIME };
	struct text type;
	int err;

	if (!take_unit(s, profile, e, &err)) {
		s->other_units++;
		return 0;
	}
	if (!err)
		err = stackset_thread(s->ss, 0, 0, taken(s, profile, "name"), &sample.thread, e);
	if (err)
		return err;
	type = taken(s, profile, "type");
	if (text_eq(type, "sampled"))
		return add_sampled(s, profile, sample, e);
	if (text_eq(type, "evented"))
		return add_evented(s, profile, sample, e);
	s->other_types++;
	return 0;
}

int read_speedscope(struct stackset *ss, struct text in, struct err *e)
{
	struct speedscope s = { .ss = ss };
	struct text file, list = text_of(""), v;
	bool broken = false;
	int err = 0;

	if (!jin_document(in, &file) || !jin_is_object(file))
		return err_set(e, -EINVAL, "it is no JSON object");
	err = add_frames(&s, file, e);
	if (!err && (!jin_member(file, "profiles", &list) || !jin_is_array(list)))
		err = err_set(e, -EINVAL, "it has no profiles");
	list = jin_inside(list);
	while (!err && jin_next(&list, NULL, &v, &broken))
		err = add_profile(&s, v, e);
	if (!err && broken)
		err = err_set(e, -EINVAL, "its profiles are no JSON");
	if (!err)
		err = stackset_string(ss, taken(&s, file, "name"), &ss->about.title, e);
	stackset_lose(ss, "profiles in another unit than the first", (double)s.other_units);
	stackset_lose(ss, "profiles of a type that is not known", (double)s.other_types);
	mem_free(s.frame);
	buf_done(&s.text);
	return err;
}

static struct text beginning(struct text in)
{
	if (text_len(in) > 4096)
		in.end = in.p + 4096;
	return in;
}

bool read_is_speedscope(struct text in)
{
	struct text first = text_trim(beginning(in)), end = in;

	if (text_len(end) > 4096)
		end.p = end.end - 4096;
	/* the schema stands at the beginning, or at the end where keys are sorted otherwise */
	return text_starts(first, "{") &&
	       (text_has(first, "speedscope") || text_has(end, "speedscope"));
}
