/* SPDX-License-Identifier: Apache-2.0 */
/* Our own format, sixty.profile/1: the tables of a stackset as JSON arrays, so that everything comes back as it was.
 *
 * Numbers in it name rows of the file's tables. They become numbers of the set, which may have rows already. */
#include "flamegraph/read.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "flamegraph/jin.h"

#define ROW_MOST 8 /* numbers in a row of a table: four and the weights */

struct column {
	uint32_t *id; /* by number in the file */
	size_t n, cap;
};

struct profile {
	struct stackset *ss;
	struct column strings, frames, stacks, threads;
	struct buf text;
};

static int bad(struct err *e, const char *what, size_t row)
{
	return err_set(e, -EINVAL, "row %zu of its %s is not right", row, what);
}

static int append(struct column *c, uint32_t id, struct err *e)
{
	if (c->n == c->cap) {
		size_t now = c->n ? c->n * 2 : 256;
		void *q = mem_try_resize(c->id, now, sizeof(*c->id), (size_t)4 << 28);

		if (!q)
			return err_set(e, -E2BIG, "too many rows");
		c->id = q;
		c->cap = now;
	}
	c->id[c->n++] = id;
	return 0;
}

static bool lookup(const struct column *c, double n, uint32_t *id)
{
	if (!(n >= 0 && n < (double)c->n) || n != (double)(size_t)n)
		return false;
	*id = c->id[(size_t)n];
	return true;
}

/* Numbers of a row; null is -1. Returns how many, 0 for what is no row of numbers. */
static size_t row_numbers(struct text row, double *out)
{
	struct text cells, v;
	bool broken = false;
	size_t n = 0;

	if (!jin_is_array(row))
		return 0;
	cells = jin_inside(row);
	while (n < ROW_MOST && jin_next(&cells, NULL, &v, &broken)) {
		if (jin_is_null(v))
			out[n++] = -1;
		else if (!jin_number(v, &out[n++]))
			return 0;
	}
	return broken || text_len(cells) ? 0 : n;
}

typedef int row_fn(struct profile *p, struct text row, size_t number, struct err *e);

static int each_row(struct profile *p, struct text file, const char *key, row_fn *fn, struct err *e)
{
	struct text list, v;
	bool broken = false;
	size_t n = 0;
	int err = 0;

	if (!jin_member(file, key, &list) || !jin_is_array(list))
		return err_set(e, -EINVAL, "it has no %s", key);
	list = jin_inside(list);
	while (!err && jin_next(&list, NULL, &v, &broken))
		err = fn(p, v, n++, e);
	return err ? err : broken ? err_set(e, -EINVAL, "its %s are no JSON", key) : 0;
}

static int add_string(struct profile *p, struct text row, size_t number, struct err *e)
{
	uint32_t id;
	int err;

	if (!jin_string(row, &p->text))
		return bad(e, "strings", number);
	err = stackset_string(p->ss, text_n(p->text.data, p->text.len), &id, e);
	return err ? err : append(&p->strings, id, e);
}

/* [name, module, file, line, kind] */
static int add_frame(struct profile *p, struct text row, size_t number, struct err *e)
{
	double c[ROW_MOST];
	uint32_t name, module, file, id;
	struct frame_text f = { 0 };
	struct buf copy = { 0 };
	size_t n[2];
	int err;

	if (row_numbers(row, c) != 5 || !lookup(&p->strings, c[0], &name) ||
	    !lookup(&p->strings, c[1], &module) || !lookup(&p->strings, c[2], &file) ||
	    !(c[3] >= 0 && c[3] <= UINT32_MAX) || !(c[4] >= 0 && c[4] < FRAME_KINDS))
		return bad(e, "frames", number);
	/* the texts are in the set, which must not be given its own: it may move them */
	buf_str(&copy, stackset_text(p->ss, name));
	n[0] = copy.len;
	buf_str(&copy, stackset_text(p->ss, module));
	n[1] = copy.len;
	buf_str(&copy, stackset_text(p->ss, file));
	if (copy.data) {
		f.name = text_n(copy.data, n[0]);
		f.module = text_n(copy.data + n[0], n[1] - n[0]);
		f.file = text_n(copy.data + n[1], copy.len - n[1]);
	}
	f.line = (uint32_t)c[3];
	f.kind = (enum frame_kind)c[4];
	err = stackset_frame(p->ss, &f, &id, e);
	buf_done(&copy);
	return err ? err : append(&p->frames, id, e);
}

/* [caller, frame]: stack 0 is empty and not in the file, nor is frame 0, which is none. */
static int add_stack(struct profile *p, struct text row, size_t number, struct err *e)
{
	double c[ROW_MOST];
	uint32_t caller, frame, id;
	int err;

	if (row_numbers(row, c) != 2 || !lookup(&p->stacks, c[0], &caller) ||
	    !lookup(&p->frames, c[1], &frame) || !frame)
		return bad(e, "stacks", number);
	err = stackset_push(p->ss, caller, frame, &id, e);
	return err ? err : append(&p->stacks, id, e);
}

/* [pid, tid, name]: thread 0 is none and not in the file. */
static int add_thread(struct profile *p, struct text row, size_t number, struct err *e)
{
	double c[ROW_MOST];
	struct buf copy = { 0 };
	uint32_t name, id;
	int err;

	if (row_numbers(row, c) != 3 || !(c[0] >= 0 && c[0] <= INT32_MAX) ||
	    !(c[1] >= 0 && c[1] <= INT32_MAX) || !lookup(&p->strings, c[2], &name))
		return bad(e, "threads", number);
	buf_str(&copy, stackset_text(p->ss, name));
	err = stackset_thread(p->ss, (int32_t)c[0], (int32_t)c[1], text_n(copy.data, copy.len), &id,
			      e);
	buf_done(&copy);
	return err ? err : append(&p->threads, id, e);
}

/* [time or null, thread, cause, stack, weights…] */
static int add_sample(struct profile *p, struct text row, size_t number, struct err *e)
{
	struct stack_sample s = { .time_ns = STACK_NO_TIME };
	double c[ROW_MOST];

	if (row_numbers(row, c) != 4 + p->ss->nvalues || !lookup(&p->threads, c[1], &s.thread) ||
	    !lookup(&p->strings, c[2], &s.cause) || !lookup(&p->stacks, c[3], &s.stack) ||
	    c[0] > 9e18)
		return bad(e, "samples", number);
	if (c[0] >= 0)
		s.time_ns = (uint64_t)c[0];
	return stackset_add(p->ss, &s, c + 4, e);
}

static bool take_text(struct profile *p, struct text object, const char *key, char *out,
		      size_t size)
{
	struct text v;

	*out = '\0';
	if (!jin_member(object, key, &v) || !jin_string(v, &p->text))
		return false;
	text_copy(out, size, text_n(p->text.data, p->text.len));
	return true;
}

/* {"name": "samples", "unit": "count"} */
static int add_value(struct profile *p, struct text row, size_t number, struct err *e)
{
	char name[128], unit[64];
	int v;

	if (!take_text(p, row, "name", name, sizeof(name)) ||
	    !take_text(p, row, "unit", unit, sizeof(unit)))
		return bad(e, "values", number);
	v = stackset_value(p->ss, name, unit, e);
	return v < 0 ? v : 0;
}

/* {"what": "…", "count": 3} */
static int add_loss(struct profile *p, struct text row, size_t number, struct err *e)
{
	char what[512];
	struct text v;
	double count;

	if (!take_text(p, row, "what", what, sizeof(what)) || !jin_member(row, "count", &v) ||
	    !jin_number(v, &count) || count < 0)
		return bad(e, "losses", number);
	stackset_lose(p->ss, what, count);
	return 0;
}

static int take_about(struct profile *p, struct text file, struct err *e)
{
	struct stack_about *a = &p->ss->about;
	/* clang-format off */
	const struct { const char *key; uint32_t *id; } texts[] = {
		{ "title", &a->title }, { "host", &a->host }, { "kernel", &a->kernel }, { "target", &a->target },
		{ "command", &a->command }, { "event", &a->event }, { "mode", &a->mode },
	};
	/* clang-format on */
	struct text v;
	double n;
	int err = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts) && !err; i++)
		if (jin_member(file, texts[i].key, &v) && jin_string(v, &p->text))
			err = stackset_string(p->ss, text_n(p->text.data, p->text.len), texts[i].id,
					      e);
	if (jin_member(file, "start_ns", &v))
		jin_u64(v, &a->start_ns);
	if (jin_member(file, "seconds", &v) && jin_number(v, &n) && n >= 0 && n < 1e9)
		a->seconds = n;
	if (jin_member(file, "hertz", &v) && jin_number(v, &n) && n >= 0 && n < 1e9)
		a->hertz = n;
	return err;
}

int read_profile(struct stackset *ss, struct text in, struct err *e)
{
	struct profile p = { .ss = ss };
	struct text file;
	int err = jin_document(in, &file) && jin_is_object(file)
			  ? 0
			  : err_set(e, -EINVAL, "it is no JSON object");

	if (!err)
		err = take_about(&p, file, e);
	if (!err)
		err = each_row(&p, file, "values", add_value, e);
	if (!err)
		err = append(&p.stacks, 0, e);
	if (!err)
		err = append(&p.frames, 0, e);
	if (!err)
		err = append(&p.threads, 0, e);
	if (!err)
		err = each_row(&p, file, "strings", add_string, e);
	if (!err)
		err = each_row(&p, file, "frames", add_frame, e);
	if (!err)
		err = each_row(&p, file, "stacks", add_stack, e);
	if (!err)
		err = each_row(&p, file, "threads", add_thread, e);
	if (!err)
		err = each_row(&p, file, "samples", add_sample, e);
	if (!err)
		err = each_row(&p, file, "losses", add_loss, e);
	mem_free(p.strings.id);
	mem_free(p.frames.id);
	mem_free(p.stacks.id);
	mem_free(p.threads.id);
	buf_done(&p.text);
	return err;
}

bool read_is_profile(struct text in)
{
	in = text_trim(in);
	if (text_len(in) > 200)
		in.end = in.p + 200;
	return text_starts(in, "{") && text_has(in, "\"sixty.profile/");
}
