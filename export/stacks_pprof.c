/* SPDX-License-Identifier: Apache-2.0 */
/* pprof's profile.proto, packed with gzip. Frames become locations of one function each; what was inlined is a location of its
 * own, and kinds are suffixes of names, so that they come back. */
#include "export/stacks.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/gzip.h"
#include "base/mem.h"
#include "model/pprof.h"

/* ---- protocol buffers ---- */

static void put_varint(struct buf *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_char(out, (char)(v | 0x80));
	buf_char(out, (char)v);
}

static void put_number(struct buf *out, unsigned field, uint64_t v)
{
	if (!v)
		return;
	put_varint(out, field << 3);
	put_varint(out, v);
}

static void put_bytes(struct buf *out, unsigned field, const char *p, size_t n)
{
	put_varint(out, field << 3 | 2);
	put_varint(out, n);
	buf_add(out, p, n);
}

/* The message is emptied. */
static void put_message(struct buf *out, unsigned field, struct buf *message)
{
	put_bytes(out, field, message->data ? message->data : "", message->len);
	buf_clear(message);
}

/* ---- strings ---- */

/* Numbers in the file's table. Those of the set keep theirs, names with a suffix and our own words come behind them. */
struct writer {
	struct buf *out, message, part;
	const struct stackset *ss;
	uint32_t next;    /* string */
	struct buf extra; /* those that come behind, each with its NUL */
};

static uint32_t extra_string(struct writer *w, const char *a, const char *b)
{
	buf_str(&w->extra, a);
	buf_str(&w->extra, b);
	buf_char(&w->extra, '\0');
	return w->next++;
}

static void put_strings(struct writer *w)
{
	struct text rest = text_n(w->extra.data, w->extra.len), one;

	for (uint32_t i = 0; i <= w->ss->nstrings; i++) {
		const char *s = stackset_text(w->ss, i);

		put_bytes(w->out, PPROF_STRING_TABLE, s, strlen(s));
	}
	while (text_until(&rest, '\0', &one))
		put_bytes(w->out, PPROF_STRING_TABLE, one.p, text_len(one));
}

/* ---- tables ---- */

/* A mapping per module: its number is that of the string. */
static int put_mappings(struct writer *w)
{
	bool *seen = mem_try(w->ss->nstrings + 1, SIZE_MAX);

	if (!seen)
		return -ENOMEM;
	for (size_t i = 1; i <= w->ss->nframes; i++) {
		uint32_t module = w->ss->frame[i].module;

		if (!module || seen[module])
			continue;
		seen[module] = true;
		put_number(&w->message, 1, module);
		put_number(&w->message, 5, module);
		put_number(&w->message, 7, 1); /* it has functions */
		put_message(w->out, PPROF_MAPPING, &w->message);
	}
	mem_free(seen);
	return 0;
}

static void put_frames(struct writer *w)
{
	for (uint32_t i = 1; i <= w->ss->nframes; i++) {
		const struct stack_frame *f = &w->ss->frame[i];
		uint32_t name = f->name;

		if (f->kind != FRAME_USER)
			name = extra_string(w, stackset_text(w->ss, f->name),
					    frame_kind_suffix(f->kind));
		put_number(&w->message, 1, i);
		put_number(&w->message, 2, name);
		put_number(&w->message, 3, f->name);
		put_number(&w->message, 4, f->file);
		put_message(w->out, PPROF_FUNCTION, &w->message);
		put_number(&w->part, 1, i);
		put_number(&w->part, 2, f->line);
		put_number(&w->message, 1, i);
		put_number(&w->message, 2, f->module);
		put_message(&w->message, 4, &w->part);
		put_message(w->out, PPROF_LOCATION, &w->message);
	}
}

static void put_type(struct writer *w, unsigned field, const struct stack_value *v)
{
	put_number(&w->message, 1, v->name);
	put_number(&w->message, 2, v->unit);
	put_message(w->out, field, &w->message);
}

/* ---- samples ---- */

static int by_what(const void *a, const void *b, void *ctx)
{
	const struct stackset *ss = ctx;
	const struct stack_sample *x = &ss->sample[*(const uint32_t *)a];
	const struct stack_sample *y = &ss->sample[*(const uint32_t *)b];

	if (x->stack != y->stack)
		return x->stack < y->stack ? -1 : 1;
	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return x->cause < y->cause ? -1 : x->cause > y->cause;
}

struct labels {
	uint32_t pid, tid, thread, cause;
};

static void put_label(struct writer *w, uint32_t key, uint32_t str, uint64_t num)
{
	if (!str && !num)
		return;
	put_number(&w->part, 1, key);
	put_number(&w->part, 2, str);
	put_number(&w->part, 3, num);
	put_message(&w->message, 3, &w->part);
}

static void put_sample(struct writer *w, const struct stack_sample *s, const double *weights,
		       const struct labels *l)
{
	for (uint32_t at = s->stack; at; at = w->ss->stacks.node[at].parent)
		put_varint(&w->part, w->ss->stacks.node[at].key);
	put_message(&w->message, 1, &w->part);
	for (size_t v = 0; v < w->ss->nvalues; v++)
		put_varint(&w->part, (uint64_t)llround(fmin(weights[v], 9e18)));
	put_message(&w->message, 2, &w->part);
	if (s->thread) {
		const struct stack_thread *t = &w->ss->thread[s->thread];

		put_label(w, l->pid, 0, (uint64_t)t->pid);
		put_label(w, l->tid, 0, (uint64_t)t->tid);
		put_label(w, l->thread, t->name, 0);
	}
	put_label(w, l->cause, s->cause, 0);
	put_message(w->out, PPROF_SAMPLE, &w->message);
}

/* What has the same stack, thread and cause is one sample. */
static int put_samples(struct writer *w)
{
	const struct stackset *ss = w->ss;
	uint32_t *order = mem_try((ss->nsamples + 1) * sizeof(*order), SIZE_MAX);
	struct labels l;

	if (!order)
		return -ENOMEM;
	l.pid = extra_string(w, "pid", "");
	l.tid = extra_string(w, "tid", "");
	l.thread = extra_string(w, "thread", "");
	l.cause = extra_string(w, "cause", "");
	for (uint32_t i = 0; i < ss->nsamples; i++)
		order[i] = i;
	if (ss->nsamples)
		qsort_r(order, ss->nsamples, sizeof(*order), by_what, (void *)ss);
	for (size_t i = 0; i < ss->nsamples;) {
		double sum[STACKSET_VALUES] = { 0 };
		size_t first = i;

		for (; i < ss->nsamples && !by_what(&order[first], &order[i], (void *)ss); i++)
			for (size_t v = 0; v < ss->nvalues; v++)
				sum[v] += ss->weight[order[i] * ss->nvalues + v];
		put_sample(w, &ss->sample[order[first]], sum, &l);
	}
	mem_free(order);
	return 0;
}

static void put_about(struct writer *w)
{
	const struct stack_about *a = &w->ss->about;
	const uint32_t comments[] = { a->title, a->command, a->target };

	put_number(w->out, PPROF_TIME_NANOS, a->start_ns);
	put_number(w->out, PPROF_DURATION_NANOS, (uint64_t)(a->seconds * 1e9));
	if (w->ss->nvalues)
		put_type(w, PPROF_PERIOD_TYPE, &w->ss->value[0]);
	for (size_t i = 0; i < sizeof(comments) / sizeof(*comments); i++)
		put_number(w->out, PPROF_COMMENT, comments[i]);
	for (size_t i = 0; i < w->ss->nlosses; i++) {
		char count[32];

		snprintf(count, sizeof(count), "%.0f ", w->ss->loss[i].count);
		put_number(w->out, PPROF_COMMENT,
			   extra_string(w, count, stackset_text(w->ss, w->ss->loss[i].what)));
	}
}

int stacks_pprof(struct buf *out, const struct stackset *ss, struct err *e)
{
	struct buf plain = { 0 };
	struct writer w = { .out = &plain, .ss = ss, .next = (uint32_t)ss->nstrings + 1 };
	int err;

	for (size_t v = 0; v < ss->nvalues; v++)
		put_type(&w, PPROF_SAMPLE_TYPE, &ss->value[v]);
	err = put_samples(&w);
	if (!err)
		err = put_mappings(&w);
	if (!err) {
		put_frames(&w);
		put_about(&w);
		put_strings(&w);
		gzip_pack(text_n(plain.data, plain.len), out);
	}
	buf_done(&plain);
	buf_done(&w.message);
	buf_done(&w.part);
	buf_done(&w.extra);
	return err ? err_set(e, err, "no memory to write a pprof profile") : 0;
}
