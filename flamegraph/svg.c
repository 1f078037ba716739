/* SPDX-License-Identifier: Apache-2.0 */
/* The SVG file: stacks become a tree, the tree a picture and an array, and both go into one document with the script. */
#include "flamegraph/svg.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/units.h"
#include "flamegraph/drawing.h"

#define SIGNIFICANT 3 /* standard deviations of the sampling error */

/* ---- words ---- */

static void weight_words(struct buf *out, const struct stackset *ss, size_t value, double w)
{
	const char *unit = stackset_text(ss, ss->value[value].unit);
	char text[32];

	if (!strcmp(unit, "nanoseconds"))
		buf_str(out, unit_duration(text, sizeof(text), w / 1e9));
	else if (!strcmp(unit, "bytes"))
		buf_str(out, unit_format(text, sizeof(text), UNIT_BYTES, 0, w));
	else
		buf_printf(out, w == floor(w) ? "%.0f" : "%.4g", w);
}

void drawing_title(struct buf *out, const struct drawing *d)
{
	uint32_t own = d->ss->about.title;

	buf_str(out, d->args->title ? d->args->title
		     : own          ? stackset_text(d->ss, own)
		     : d->diff      ? "Flame graph: difference"
				    : "Flame graph");
}

static void fact(struct buf *out, const char *text)
{
	if (!*text)
		return;
	buf_str(out, out->len ? " · " : "");
	buf_str(out, text);
}

static void diff_facts(struct buf *out, const struct drawing *d)
{
	buf_printf(
		out,
		"before %.0f, after %.0f %s, both as 100 %%; a frame is as wide as it is where it is larger; orange: larger after, blue: smaller",
		d->before, d->after,
		d->counts ? "samples" : stackset_text(d->ss, d->ss->value[0].unit));
	buf_str(out,
		d->counts ? "; grey: within three standard deviations of the sampling error"
			  : "; weights are no numbers of samples: what is chance cannot be told");
}

void drawing_facts(struct buf *out, const struct drawing *d)
{
	const struct stack_about *a = &d->ss->about;
	char text[64];
	struct buf b = { 0 };

	if (d->diff) {
		diff_facts(out, d);
		return;
	}
	weight_words(&b, d->ss, 0, d->tree.node[0].total[0]);
	buf_printf(&b, " %s%s",
		   strcmp(stackset_text(d->ss, d->ss->value[0].unit), "count") ? "of " : "",
		   stackset_text(d->ss, d->ss->value[0].name));
	fact(out, b.data);
	buf_done(&b);
	fact(out, stackset_text(d->ss, a->target));
	fact(out, stackset_text(d->ss, a->mode));
	fact(out, stackset_text(d->ss, a->event));
	if (a->hertz > 0) {
		snprintf(text, sizeof(text), "%g Hz", a->hertz);
		fact(out, text);
	}
	if (a->seconds > 0)
		fact(out, unit_duration(text, sizeof(text), a->seconds));
	fact(out, stackset_text(d->ss, a->host));
	fact(out, stackset_text(d->ss, a->kernel));
	if (a->start_ns) {
		time_t t = (time_t)(a->start_ns / 1000000000);
		struct tm tm;

		if (gmtime_r(&t, &tm) && strftime(text, sizeof(text), "%F %T UTC", &tm))
			fact(out, text);
	}
	fact(out, stackset_text(d->ss, a->command));
}

void drawing_losses(struct buf *out, const struct drawing *d)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < d->ss->nlosses; i++) {
		buf_clear(&b);
		buf_printf(&b, "%s%.0f %s", i ? "" : "missing: ", d->ss->loss[i].count,
			   stackset_text(d->ss, d->ss->loss[i].what));
		fact(out, b.data);
	}
	if (d->tree.left_out) {
		buf_clear(&b);
		buf_printf(&b, "%zu frames narrower than %.2g %% are not in this file",
			   d->tree.left_out, 100 * d->tree.least / d->tree.node[0].total[0]);
		fact(out, b.data);
	}
	buf_done(&b);
}

/* ---- colours ---- */

/* How far two shares are apart, in standard deviations of what is left to chance if they are the same. */
static double deviations(double before, double all_before, double after, double all_after)
{
	double p = (before + after) / (all_before + all_after);
	double variance = p * (1 - p) * (1 / all_before + 1 / all_after);
	double d = after / all_after - before / all_before;

	return variance > 0 ? d / sqrt(variance) : 0;
}

unsigned drawing_class(const struct drawing *d, const struct calltree_node *x)
{
	double points, z;

	if (!d->diff)
		return palette_class(d->args->palette, d->ss, x->frame);
	points = 100 * (x->total[2] / d->after - x->total[1] / d->before);
	z = d->counts    ? deviations(x->total[1], d->before, x->total[2], d->after)
	    : points > 0 ? SIGNIFICANT
	    : points < 0 ? -SIGNIFICANT
			 : 0;
	return palette_change_class(z >= SIGNIFICANT    ? CHANGE_MORE
				    : z <= -SIGNIFICANT ? CHANGE_LESS
							: CHANGE_NONE,
				    fabs(points));
}

/* ---- what is drawn ---- */

static int grow(struct drawing *d, const double *const *weights, struct err *e)
{
	struct calltree_args a = { .most = SVG_NODES, .reverse = d->args->reverse };
	int err;

	memcpy(a.weights, weights, sizeof(a.weights));
	err = calltree_build(&d->tree, d->ss, &a, e);
	if (!err && !(d->tree.node[0].total[0] > 0))
		err = err_set(e, -EINVAL, "there are no samples to draw");
	return err;
}

static int grow_one(struct drawing *d, struct err *e)
{
	double *w = stackset_weights(d->ss, 0, 0, 0);
	int err = w ? 0 : err_set(e, -ENOMEM, "no memory to draw stacks");

	if (!err)
		err = grow(d, (const double *const[CALLTREE_COLUMNS]){ w }, e);
	if (!err)
		err = heat_make(&d->heat, d->ss, &d->tree, e);
	mem_free(w);
	return err;
}

/* Both are normalised to the total of what comes after, and a stack is as wide as it is where it is larger, so that what has
 * vanished is still there. */
static int grow_two(struct drawing *d, struct err *e)
{
	double *before = stackset_weights(d->ss, 0, 0, 0),
	       *after = stackset_weights(d->ss, 1, 0, 0);
	double *width = mem_try(d->ss->stacks.n * sizeof(*width), SIZE_MAX);
	int err = before && after && width ? 0 : err_set(e, -ENOMEM, "no memory to draw stacks");

	d->before = stackset_total(d->ss, 0);
	d->after = stackset_total(d->ss, 1);
	if (!err && !(d->before > 0 && d->after > 0))
		err = err_set(e, -EINVAL, "there are no samples %s",
			      d->before > 0 ? "after" : "before");
	for (size_t i = 0; i < d->ss->stacks.n && !err; i++)
		width[i] = fmax(before[i] * d->after / d->before, after[i]);
	if (!err)
		err = grow(d, (const double *const[CALLTREE_COLUMNS]){ width, before, after }, e);
	mem_free(before);
	mem_free(after);
	mem_free(width);
	return err;
}

/* Weights are numbers of samples. Events are no such thing: a sample stands for many. */
static bool is_count(const struct stackset *ss)
{
	return ss->nvalues && !strcmp(stackset_text(ss, ss->value[0].unit), "count") &&
	       !strcmp(stackset_text(ss, ss->value[0].name), "samples");
}

static int both(struct stackset *out, const struct stackset *before, const struct stackset *after,
		struct err *e)
{
	const char *unit = stackset_text(after, after->value[0].unit);
	int err = stackset_value(out, "before", unit, e);

	if (err >= 0)
		err = stackset_value(out, "after", unit, e);
	if (err >= 0)
		err = stackset_add_plain(out, 0, before, e);
	if (!err)
		err = stackset_add_plain(out, 1, after, e);
	if (!err && after->about.title)
		err = stackset_string(out, text_of(stackset_text(after, after->about.title)),
				      &out->about.title, e);
	for (size_t i = 0; i < before->nlosses && !err; i++)
		stackset_lose(out, stackset_text(before, before->loss[i].what),
			      before->loss[i].count);
	for (size_t i = 0; i < after->nlosses && !err; i++)
		stackset_lose(out, stackset_text(after, after->loss[i].what), after->loss[i].count);
	return err;
}

/* ---- the document ---- */

static void document(struct buf *out, struct drawing *d)
{
	struct buf picture = { 0 }, title = { 0 };
	unsigned height = drawing_static(&picture, d);

	drawing_title(&title, d);
	for (unsigned c = 0; d->diff && c < PALETTE_CLASSES; c++)
		d->used[c] |= c >= FRAME_KINDS * PALETTE_SHADES;
	for (uint32_t i = 1; i < d->tree.n; i++)
		d->used[drawing_class(d, &d->tree.node[i])] = true;
	buf_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	buf_printf(
		out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" id=\"flame\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\">\n<title>",
		d->width, height, d->width, height);
	xml_text(out, title.data, 0);
	buf_str(out, "</title>\n<style>\n");
	buf_str(out, flame_css);
	palette_css(out, d->used);
	buf_str(out,
		"</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n<g id=\"static\">\n");
	buf_add(out, picture.data, picture.len);
	buf_str(out, "</g>\n<script type=\"application/json\" id=\"flame-data\">");
	drawing_data(out, d);
	buf_str(out, "</script>\n<script><![CDATA[\n");
	buf_str(out, flame_js);
	buf_str(out, "]]></script>\n</svg>\n");
	buf_done(&picture);
	buf_done(&title);
}

int svg_write(struct buf *out, const struct stackset *ss, const struct svg_args *a, struct err *e)
{
	struct drawing d = { .ss = ss,
			     .args = a,
			     .diff = a->before != NULL,
			     .width = a->width ? a->width : SVG_WIDTH,
			     .min_width = a->min_width < 0 ? SVG_MIN_WIDTH : a->min_width };
	struct stackset *two = NULL;
	int err = 0;

	if (!ss->nvalues || (a->before && !a->before->nvalues))
		return err_set(e, -EINVAL, "there are no samples to draw");
	if (a->before) {
		two = stackset_new();
		d.ss = two;
		d.counts = is_count(ss) && is_count(a->before);
		err = both(two, a->before, ss, e);
	}
	if (!err)
		err = a->before ? grow_two(&d, e) : grow_one(&d, e);
	if (!err)
		document(out, &d);
	calltree_done(&d.tree);
	mem_free(d.heat.cell);
	stackset_free(two);
	return err;
}
