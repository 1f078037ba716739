/* SPDX-License-Identifier: Apache-2.0 */
/* What the script draws from: JSON with texts as they are to be shown, and numbers in a string of their own.
 *
 * A number is written in digits of base 32, the lowest first, one sign each; all but the last have 32 added. Signs are A-Z a-z
 * 0-9 - and _, so that nothing in it means anything to XML or JSON. */
#include "flamegraph/drawing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

static void put_number(struct buf *out, double v)
{
	static const char signs[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint64_t n = v > 0 ? (uint64_t)llround(fmin(v, 9e18)) : 0;

	for (; n >= 32; n >>= 5)
		buf_char(out, signs[32 + (n & 31)]);
	buf_char(out, signs[n]);
}

/* ---- frames ---- */

struct numbering {
	uint32_t *frame;  /* of the set, by the file's number */
	uint32_t *number; /* of the file, by the set's frame; 0: not used */
	size_t n;
};

static void number_frames(struct numbering *f, const struct drawing *d)
{
	f->frame = mem_array(d->tree.n + 1, sizeof(*f->frame));
	f->number = mem_array(d->ss->nframes + 1, sizeof(*f->number));
	f->n = 0;
	for (size_t i = 1; i < d->tree.n; i++) {
		uint32_t frame = d->tree.node[i].frame;

		if (!f->number[frame]) {
			f->frame[f->n++] = frame;
			f->number[frame] = (uint32_t)f->n;
		}
	}
}

/* What would end a script element, or begin one, is written in another way: it can stand in strings only. */
static void put_json(struct buf *out, const struct buf *json)
{
	for (size_t i = 0; i < json->len;) {
		size_t n = strcspn(json->data + i, "<>&");

		buf_add(out, json->data + i, n);
		i += n;
		if (i < json->len)
			buf_printf(out, "\\u%04x", (unsigned char)json->data[i++]);
	}
}

#define NAME_MOST 2000 /* bytes of one name; the rest of it is cut */

static void put_name(struct json *j, const char *s)
{
	struct buf b = { 0 };
	size_t n = strlen(s);

	text_printable(&b, s, n > NAME_MOST ? NAME_MOST : n);
	if (n > NAME_MOST)
		buf_str(&b, "…");
	json_string_n(j, NULL, b.data ? b.data : "", b.len);
	buf_done(&b);
}

/* Strings that frames use; the file's numbers by those of the set. */
static uint32_t *put_strings(struct json *j, const struct drawing *d, const struct numbering *f)
{
	uint32_t *number = mem_array(d->ss->nstrings + 1, sizeof(*number)), n = 0;

	json_array(j, "strings");
	json_string(j, NULL, "");
	for (size_t i = 0; i < f->n; i++) {
		const struct stack_frame *x = &d->ss->frame[f->frame[i]];
		const uint32_t ids[] = { x->name, x->module, x->file };

		for (size_t k = 0; k < 3; k++)
			if (ids[k] && !number[ids[k]]) {
				number[ids[k]] = ++n;
				put_name(j, stackset_text(d->ss, ids[k]));
			}
	}
	json_end_array(j);
	return number;
}

/* {name, module, file, line, kind, class} of each. */
static void put_frames(struct json *j, const struct drawing *d, const struct numbering *f)
{
	uint32_t *string = put_strings(j, d, f);
	struct buf b = { 0 };

	for (size_t i = 0; i < f->n; i++) {
		const struct stack_frame *x = &d->ss->frame[f->frame[i]];

		put_number(&b, string[x->name]);
		put_number(&b, string[x->module]);
		put_number(&b, string[x->file]);
		put_number(&b, x->line);
		put_number(&b, x->kind);
		put_number(&b, palette_class(d->args->palette, d->ss, f->frame[i]));
	}
	json_string_n(j, "frames", b.data ? b.data : "", b.len);
	buf_done(&b);
	mem_free(string);
}

/* ---- tree ---- */

/* What one unit in the file weighs: 1 where weights are whole numbers. */
static double quantum(const struct drawing *d)
{
	const struct calltree *t = &d->tree;

	for (size_t i = 0; i < t->n; i++)
		if (t->node[i].total[0] != floor(t->node[i].total[0]))
			return t->node[0].total[0] / 1e7;
	return t->node[0].total[0] < 9e15 ? 1 : t->node[0].total[0] / 1e12;
}

/* Weight of a node that neither it nor what is drawn of its calls has: that of calls which were left out. */
static double hidden(const struct calltree *t, uint32_t i)
{
	const struct calltree_node *x = &t->node[i];
	double calls = 0;

	for (uint32_t c = i + 1; c < x->next; c = t->node[c].next)
		calls += t->node[c].total[0];
	return fmax(0, x->total[0] - x->self[0] - calls);
}

/* {levels up from the node before, frame, total, hidden} and of a difference {before, after, class}; of node 0 no frame. */
static void put_tree(struct json *j, const struct drawing *d, const struct numbering *f)
{
	const struct calltree *t = &d->tree;
	double q = quantum(d);
	struct buf b = { 0 };

	for (uint32_t i = 0; i < t->n; i++) {
		const struct calltree_node *x = &t->node[i];

		put_number(&b, i ? t->node[i - 1].depth + 1 - x->depth : 0);
		put_number(&b, i ? f->number[x->frame] : 0);
		put_number(&b, x->total[0] / q);
		put_number(&b, hidden(t, i) / q);
		if (d->diff) {
			put_number(&b, x->total[1]);
			put_number(&b, x->total[2]);
			put_number(&b, drawing_class(d, x));
		}
	}
	json_number(j, "quantum", q);
	json_string_n(j, "tree", b.data, b.len);
	buf_done(&b);
}

/* {places from the one before, node, weight}. */
static void put_heat(struct json *j, const struct drawing *d)
{
	const struct heat *h = &d->heat;
	double q = quantum(d);
	struct buf b = { 0 };
	uint32_t at = 0;

	if (!h->n)
		return;
	for (size_t i = 0; i < h->n; i++) {
		put_number(&b, h->cell[i].at - at);
		put_number(&b, h->cell[i].node);
		put_number(&b, h->cell[i].weight / q);
		at = h->cell[i].at;
	}
	json_object(j, "heat");
	json_number(j, "columns", h->columns);
	json_number(j, "rows", h->rows);
	json_number(j, "span", h->span);
	json_string_n(j, "cells", b.data, b.len);
	json_end_object(j);
	buf_done(&b);
}

/* ---- the rest ---- */

static void put_text(struct json *j, const char *key,
		     void (*text)(struct buf *, const struct drawing *), const struct drawing *d)
{
	struct buf raw = { 0 }, b = { 0 };

	text(&raw, d);
	text_printable(&b, raw.data ? raw.data : "", raw.len);
	json_string_n(j, key, b.data ? b.data : "", b.len);
	buf_done(&raw);
	buf_done(&b);
}

static void put_word(struct json *j, const char *key, const char *s)
{
	struct buf b = { 0 };

	text_printable(&b, s, strlen(s));
	json_string_n(j, key, b.data ? b.data : "", b.len);
	buf_done(&b);
}

static void put_kinds(struct json *j)
{
	json_array(j, "kinds");
	for (unsigned k = 0; k < FRAME_KINDS; k++)
		json_string(j, NULL, frame_kind_name((enum frame_kind)k));
	json_end_array(j);
}

void drawing_data(struct buf *out, const struct drawing *d)
{
	const struct stack_value *v = &d->ss->value[0];
	struct numbering f;
	struct buf b = { 0 };
	struct json j;

	number_frames(&f, d);
	json_begin(&j, &b);
	json_object(&j, NULL);
	put_text(&j, "title", drawing_title, d);
	put_text(&j, "facts", drawing_facts, d);
	put_text(&j, "losses", drawing_losses, d);
	put_word(&j, "value", d->diff ? "share" : stackset_text(d->ss, v->name));
	put_word(&j, "unit", stackset_text(d->ss, v->unit));
	json_bool(&j, "icicle", d->args->icicle);
	json_bool(&j, "reverse", d->args->reverse);
	json_bool(&j, "diff", d->diff);
	json_bool(&j, "kindColors", d->args->palette == PALETTE_KIND && !d->diff);
	json_number(&j, "minWidth", d->min_width);
	json_number(&j, "leftOut", (double)d->tree.left_out);
	put_kinds(&j);
	if (d->diff) {
		json_number(&j, "before", d->before);
		json_number(&j, "after", d->after);
		json_bool(&j, "counts", d->counts);
	}
	put_frames(&j, d, &f);
	put_tree(&j, d, &f);
	put_heat(&j, d);
	json_end_object(&j);
	put_json(out, &b);
	buf_done(&b);
	mem_free(f.frame);
	mem_free(f.number);
}
