/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks on a terminal: what they are of, the functions that took most, a flame graph of text, what is missing. */
#include "export/stacks.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "model/calltree.h"

#define FUNCTIONS     15
#define FUNCTIONS_ALL 200 /* with --verbose */
#define LEVELS        24
#define LEVELS_ALL    200

char *stacks_weight(char *out, size_t size, const struct stackset *ss, size_t value, double weight)
{
	const char *unit = stackset_text(ss, ss->value[value].unit);

	if (!strcmp(unit, "nanoseconds"))
		return unit_duration(out, size, weight / 1e9);
	if (!strcmp(unit, "bytes"))
		return unit_format(out, size, UNIT_BYTES, 0, weight);
	snprintf(out, size, weight == floor(weight) ? "%.0f" : "%.4g", weight);
	return out;
}

static void put_words(struct buf *out, const struct style *s, const char *lead, const char *text)
{
	struct para p;

	buf_str(out, lead);
	para_begin(&p, out, s, (unsigned)strlen(lead), (unsigned)strlen(lead));
	para_words(&p, INK_PLAIN, text);
	para_end(&p);
}

static void put_head(struct buf *out, const struct stackset *ss, const struct style *s,
		     double total)
{
	const struct stack_about *a = &ss->about;
	const uint32_t words[] = { a->target, a->command, a->event, a->host };
	struct buf line = { 0 };
	char amount[32];

	style_ink(out, s, INK_TITLE);
	style_escape(out, s, a->title ? stackset_text(ss, a->title) : "Stacks",
		     strlen(a->title ? stackset_text(ss, a->title) : "Stacks"));
	style_ink(out, s, INK_PLAIN);
	buf_char(out, '\n');
	stacks_weight(amount, sizeof(amount), ss, 0, total);
	buf_printf(&line, "%s %s%s", amount,
		   strcmp(stackset_text(ss, ss->value[0].unit), "count") ? "of " : "",
		   stackset_text(ss, ss->value[0].name));
	if (a->seconds > 0) {
		unit_duration(amount, sizeof(amount), a->seconds);
		buf_printf(&line, " in %s", amount);
	}
	if (a->hertz > 0)
		buf_printf(&line, " at %g Hz", a->hertz);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (words[i])
			buf_printf(&line, " · %s", stackset_text(ss, words[i]));
	put_words(out, s, "  ", line.data);
	buf_done(&line);
}

/* ---- functions ---- */

static void put_share(struct buf *out, double part, double all)
{
	double share = all > 0 ? 100 * part / all : 0;

	buf_printf(out, share >= 99.95 ? "%5.0f %%" : "%5.1f %%", share);
}

static void put_function(struct buf *out, const struct stackset *ss, const struct style *s,
			 const struct function_seen *f, double all)
{
	const struct stack_frame *frame = &ss->frame[f->frame];
	const char *module = stackset_text(ss, frame->module), *slash = strrchr(module, '/');
	unsigned width = style_columns(s) - 20;
	struct buf name = { 0 };

	put_share(out, f->self, all);
	buf_str(out, "  ");
	put_share(out, f->total, all);
	buf_str(out, "  ");
	buf_str(&name, stackset_text(ss, frame->name));
	if (frame->kind != FRAME_USER)
		buf_printf(&name, " [%s]", frame_kind_name(frame->kind));
	if (*module && frame->kind != FRAME_KERNEL)
		buf_printf(&name, " (%s)", slash && slash[1] ? slash + 1 : module);
	style_name(out, s, name.data, -(int)width);
	while (out->len && out->data[out->len - 1] == ' ')
		out->len--;
	buf_char(out, '\n');
	buf_done(&name);
}

static int put_functions(struct buf *out, const struct stackset *ss, const struct style *s,
			 const double *w, double all, struct err *e)
{
	size_t n, shown, most = s->verbose ? FUNCTIONS_ALL : FUNCTIONS;
	struct function_seen *f;
	double rest = 0;
	int err = calltree_functions(ss, w, &f, &n, e);

	if (err)
		return err;
	buf_str(out, "\n");
	style_put(out, s, INK_TITLE, "Top functions");
	buf_str(out, ", in % of all\n   self    total\n");
	shown = n < most ? n : most;
	for (size_t i = 0; i < n; i++) {
		if (i < shown)
			put_function(out, ss, s, &f[i], all);
		else
			rest += f[i].self;
	}
	if (n > shown) {
		put_share(out, rest, all);
		buf_printf(out, "           %zu more%s\n", n - shown,
			   s->verbose ? "" : " (--verbose)");
	}
	mem_free(f);
	return 0;
}

/* ---- flame graph ---- */

/* Columns from `from` up to `to` of a line that is filled up to *at. */
static void put_cell(struct buf *out, const struct stackset *ss, const struct style *s,
		     uint32_t frame, unsigned from, unsigned to, unsigned *at)
{
	unsigned width = to - from;
	struct buf name = { 0 }, cut = { 0 };
	size_t used;

	buf_fill(out, ' ', from - *at);
	*at = to;
	buf_str(&name, frame ? stackset_text(ss, ss->frame[frame].name) : "all");
	if (width > 2)
		style_name(&cut, s, name.data, -(int)(width - 1));
	while (cut.len && cut.data[cut.len - 1] == ' ')
		cut.len--;
	used = cut.len ? text_width(cut.data, cut.len) : 0;
	buf_char(out, '|');
	if (cut.len)
		buf_add(out, cut.data, cut.len);
	for (; used + 1 < width; used++)
		buf_str(out, s->ascii ? "-" : "─");
	buf_done(&name);
	buf_done(&cut);
}

static void put_level(struct buf *out, const struct stackset *ss, const struct style *s,
		      const struct calltree *t, uint32_t depth, unsigned width)
{
	double scale = width / t->node[0].total[0];
	unsigned at = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct calltree_node *x = &t->node[i];
		unsigned from = (unsigned)lround(x->start * scale);
		unsigned to = (unsigned)lround((x->start + x->total[0]) * scale);

		if (x->depth == depth && to > from && from >= at && to <= width)
			put_cell(out, ss, s, x->frame, from, to, &at);
	}
	buf_char(out, '\n');
}

static int put_flames(struct buf *out, const struct stackset *ss, const struct style *s,
		      const double *w, double all, const struct stacks_text_args *a, struct err *e)
{
	unsigned width = style_columns(s) - 1, levels, most = s->verbose ? LEVELS_ALL : LEVELS;
	struct calltree t;
	struct calltree_args args = { .weights = { w },
				      .least = all / (2 * width),
				      .reverse = a->reverse };
	int err = calltree_build(&t, ss, &args, e);

	if (err)
		return err;
	levels = t.depth + 1 < most ? t.depth + 1 : most;
	buf_char(out, '\n');
	style_put(out, s, INK_TITLE, "Flame graph");
	buf_printf(out, ", %s %s %s; the whole width is all\n",
		   a->reverse ? "callers" : "what is called", a->icicle ? "below" : "on top of",
		   a->reverse ? "what they call" : "its caller");
	if (a->icicle)
		for (uint32_t d = 0; d < levels; d++)
			put_level(out, ss, s, &t, d, width);
	else
		for (uint32_t d = levels; d > 0; d--)
			put_level(out, ss, s, &t, d - 1, width);
	if (t.depth + 1 > levels)
		buf_printf(out, "  %u deeper levels are not drawn%s\n", t.depth + 1 - levels,
			   s->verbose ? "" : " (--verbose)");
	calltree_done(&t);
	return 0;
}

static void put_losses(struct buf *out, const struct stackset *ss, const struct style *s)
{
	if (!ss->nlosses)
		return;
	buf_char(out, '\n');
	style_put(out, s, INK_TITLE, "Missing");
	buf_char(out, '\n');
	for (size_t i = 0; i < ss->nlosses; i++) {
		struct buf line = { 0 };

		buf_printf(&line, "%.0f %s", ss->loss[i].count,
			   stackset_text(ss, ss->loss[i].what));
		put_words(out, s, "  ", line.data);
		buf_done(&line);
	}
}

int stacks_text(struct buf *out, const struct stackset *ss, const struct style *s,
		const struct stacks_text_args *a, struct err *e)
{
	double *w = stackset_weights(ss, 0, 0, 0), all = stackset_total(ss, 0);
	int err = 0;

	if (!w || !ss->nvalues) {
		mem_free(w);
		return err_set(e, w ? -EINVAL : -ENOMEM,
			       w ? "there are no samples" : "no memory to add up stacks");
	}
	put_head(out, ss, s, all);
	if (all > 0) {
		err = put_functions(out, ss, s, w, all, e);
		if (!err)
			err = put_flames(out, ss, s, w, all, a, e);
	}
	put_losses(out, ss, s);
	mem_free(w);
	return err;
}
