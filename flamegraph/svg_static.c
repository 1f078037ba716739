/* SPDX-License-Identifier: Apache-2.0 */
/* The picture without a script: title, heat map, frames, what colours mean, what is missing.
 *
 * A frame that has room for a name is an element of its own, with its details as a title. Narrower ones are one path per
 * colour, of which a file can hold a hundred thousand. */
#include "flamegraph/drawing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"

#define GLYPH       7.25 /* width of a sign of 12 px in a font whose signs have one width */
#define NAMED       26   /* pixels from which a frame has a name */
#define NARROW_MOST 40000
#define HEAT_SHADES 6
#define XML_MOST    2000 /* bytes of a name */

/* ---- text ---- */

static void put_escaped(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		switch (s[i]) {
		case '<':
			buf_str(out, "&lt;");
			break;
		case '>':
			buf_str(out, "&gt;");
			break;
		case '&':
			buf_str(out, "&amp;");
			break;
		case '"':
			buf_str(out, "&quot;");
			break;
		case '\'':
			buf_str(out, "&#39;");
			break;
		default:
			buf_char(out, s[i]);
		}
}

/* Bytes of as many characters as fit into so many columns. */
static size_t fitting(const char *s, size_t n, size_t columns)
{
	size_t at = 0;

	while (at < n) {
		uint32_t c;
		size_t len = text_utf8(s + at, n - at, &c), width;

		if (!len)
			len = 1;
		width = text_width(s + at, len);
		if (width > columns)
			break;
		columns -= width;
		at += len;
	}
	return at;
}

void xml_text(struct buf *out, const char *s, size_t most)
{
	size_t n = strlen(s), fits;
	struct buf b = { 0 };

	text_printable(&b, s, n > XML_MOST ? XML_MOST : n);
	if (!b.data)
		return;
	fits = most && text_width(b.data, b.len) > most ? fitting(b.data, b.len, most - 1) : b.len;
	put_escaped(out, b.data, fits);
	if (fits < b.len || n > XML_MOST)
		buf_str(out, "…");
	buf_done(&b);
}

/* One line of the picture. */
static void put_line(struct buf *out, const struct drawing *d, const char *class, unsigned y,
		     const char *text, double size)
{
	buf_printf(out, "<text class=\"%s\" x=\"%d\" y=\"%u\">", class, DRAWING_MARGIN, y);
	xml_text(out, text, (size_t)((d->width - 2 * DRAWING_MARGIN) / (size * GLYPH / 12)));
	buf_str(out, "</text>\n");
}

/* ---- frames ---- */

struct place {
	double x, y, w;
};

static bool place_of(const struct drawing *d, const struct calltree_node *x, unsigned top,
		     struct place *p)
{
	double scale = (d->width - 2 * DRAWING_MARGIN) / d->tree.node[0].total[0];
	unsigned row = d->args->icicle ? x->depth : d->tree.depth - x->depth;

	p->x = DRAWING_MARGIN + x->start * scale;
	p->w = x->total[0] * scale;
	p->y = top + row * DRAWING_ROW;
	return p->w >= d->min_width;
}

static void put_details(struct buf *out, const struct drawing *d, const struct calltree_node *x,
			const char *name)
{
	uint32_t module = x->frame ? d->ss->frame[x->frame].module : 0;
	double all = d->tree.node[0].total[0];

	xml_text(out, name, 0);
	if (module) {
		buf_str(out, " (");
		xml_text(out, stackset_text(d->ss, module), 0);
		buf_str(out, ")");
	}
	if (d->diff)
		buf_printf(out, ", before %.2f %%, after %.2f %% of all",
			   d->before > 0 ? 100 * x->total[1] / d->before : 0,
			   d->after > 0 ? 100 * x->total[2] / d->after : 0);
	else
		buf_printf(out, ", %.2f %% of all", 100 * x->total[0] / all);
}

static void put_named(struct buf *out, struct drawing *d, const struct calltree_node *x,
		      const struct place *p)
{
	const char *name = x->frame ? stackset_text(d->ss, d->ss->frame[x->frame].name) : "all";
	unsigned class = x->frame ? drawing_class(d, x) : palette_kind_class(FRAME_LOST);

	d->used[class] = true;
	buf_str(out, "<g><title>");
	put_details(out, d, x, name);
	buf_printf(
		out,
		"</title><rect class=\"c%u\" x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"%d\"/>",
		class, p->x, p->y, fmax(p->w - 0.5, 0.5), DRAWING_ROW - 1);
	buf_printf(out, "<text x=\"%.1f\" y=\"%.0f\">", p->x + 3, p->y + 13);
	xml_text(out, name, (size_t)fmax(1, (p->w - 6) / GLYPH));
	buf_str(out, "</text></g>\n");
}

/* Frames by class, the number of class c from first[c] on. */
static void sort_narrow(const struct drawing *d, unsigned top, double least, uint32_t *list,
			size_t *first)
{
	size_t count[PALETTE_CLASSES + 1] = { 0 };
	struct place p;

	for (int fill = 0; fill < 2; fill++) {
		for (uint32_t i = 1; i < d->tree.n; i++) {
			const struct calltree_node *x = &d->tree.node[i];
			unsigned class;

			if (!place_of(d, x, top, &p) || p.w >= NAMED || p.w < least)
				continue;
			class = drawing_class(d, x);
			if (fill)
				list[count[class]++] = i;
			else
				count[class + 1]++;
		}
		for (unsigned c = 0; c < PALETTE_CLASSES && !fill; c++)
			count[c + 1] += count[c];
		if (!fill)
			memcpy(first, count, sizeof(count));
	}
}

/* The width from which at most NARROW_MOST narrow frames are drawn. */
static double narrow_least(const struct drawing *d, unsigned top)
{
	double least = d->min_width;

	for (;;) {
		size_t n = 0;
		struct place p;

		for (uint32_t i = 1; i < d->tree.n; i++)
			n += place_of(d, &d->tree.node[i], top, &p) && p.w < NAMED && p.w >= least;
		if (n <= NARROW_MOST)
			return least;
		least = fmax(least, 0.1) * 1.25;
	}
}

static void put_narrow(struct buf *out, struct drawing *d, unsigned top)
{
	uint32_t *list = mem_array(d->tree.n, sizeof(*list));
	size_t first[PALETTE_CLASSES + 1];

	sort_narrow(d, top, narrow_least(d, top), list, first);
	for (unsigned c = 0; c < PALETTE_CLASSES; c++) {
		if (first[c] == first[c + 1])
			continue;
		d->used[c] = true;
		buf_printf(out, "<path class=\"c%u\" d=\"", c);
		for (size_t i = first[c]; i < first[c + 1]; i++) {
			struct place p;

			place_of(d, &d->tree.node[list[i]], top, &p);
			buf_printf(out, "M%.1f %.0fh%.1fv%dh-%.1fz", p.x, p.y, fmax(p.w - 0.3, 0.3),
				   DRAWING_ROW - 1, fmax(p.w - 0.3, 0.3));
		}
		buf_str(out, "\"/>\n");
	}
	mem_free(list);
}

static unsigned put_frames(struct buf *out, struct drawing *d, unsigned top)
{
	struct place p;

	put_narrow(out, d, top);
	for (uint32_t i = 0; i < d->tree.n; i++)
		if (place_of(d, &d->tree.node[i], top, &p) && p.w >= NAMED)
			put_named(out, d, &d->tree.node[i], &p);
	return top + (d->tree.depth + 1) * DRAWING_ROW;
}

/* ---- heat map ---- */

static unsigned put_heat(struct buf *out, const struct drawing *d, unsigned top)
{
	const struct heat *h = &d->heat;
	double width = fmin(14, (double)(d->width - 2 * DRAWING_MARGIN - 90) / fmax(h->columns, 1));
	double height = 100.0 / fmax(h->rows, 1), most = 0, *cell;

	if (!h->n)
		return top;
	cell = mem_array((size_t)h->columns * h->rows, sizeof(*cell));
	for (size_t i = 0; i < h->n; i++) {
		cell[h->cell[i].at] += h->cell[i].weight;
		most = fmax(most, cell[h->cell[i].at]);
	}
	for (unsigned shade = 1; shade <= HEAT_SHADES; shade++) {
		buf_printf(out, "<path class=\"h%u\" d=\"", shade);
		for (unsigned i = 0; i < h->columns * h->rows; i++) {
			unsigned column = i / h->rows, row = i % h->rows;

			if (!(cell[i] > 0) || (unsigned)ceil(cell[i] / most * HEAT_SHADES) != shade)
				continue;
			buf_printf(out, "M%.1f %.1fh%.1fv%.1fh-%.1fz",
				   DRAWING_MARGIN + column * width,
				   top + (h->rows - 1 - row) * height, width * 0.95, height,
				   width * 0.95);
		}
		buf_str(out, "\"/>\n");
	}
	mem_free(cell);
	buf_printf(out, "<text class=\"s\" x=\"%.1f\" y=\"%u\">%g s</text>\n",
		   DRAWING_MARGIN + h->columns * width + 4, top + 10, h->span);
	buf_printf(out, "<text class=\"s\" x=\"%.1f\" y=\"%u\">0 s</text>\n",
		   DRAWING_MARGIN + h->columns * width + 4, top + 100);
	buf_printf(
		out,
		"<text class=\"s\" x=\"%d\" y=\"%u\">samples by second (left to right, %u columns of %g s) and offset in it (bottom to top)</text>\n",
		DRAWING_MARGIN, top + 116, h->columns, h->span);
	return top + 130;
}

/* ---- around it ---- */

static unsigned put_legend(struct buf *out, struct drawing *d, unsigned y)
{
	bool kinds[FRAME_KINDS] = { false };
	double x = DRAWING_MARGIN;

	if (d->diff || d->args->palette != PALETTE_KIND)
		return y;
	for (uint32_t i = 1; i < d->tree.n; i++)
		kinds[d->ss->frame[d->tree.node[i].frame].kind] = true;
	for (unsigned k = 0; k < FRAME_KINDS; k++) {
		const char *name = frame_kind_name((enum frame_kind)k);
		unsigned class = palette_kind_class((enum frame_kind)k);

		d->used[class] = true; /* the script's legend has them too */
		if (!kinds[k])
			continue;
		buf_printf(
			out,
			"<rect class=\"c%u\" x=\"%.0f\" y=\"%u\" width=\"12\" height=\"12\"/><text class=\"s\" x=\"%.0f\" y=\"%u\">%s</text>\n",
			class, x, y - 10, x + 16, y, name);
		x += 16 + (double)strlen(name) * GLYPH + 14;
	}
	return y + 18;
}

unsigned drawing_static(struct buf *out, struct drawing *d)
{
	struct buf b = { 0 };
	unsigned y = 24;

	drawing_title(&b, d);
	put_line(out, d, "t", y, b.data, 16);
	buf_clear(&b);
	drawing_facts(&b, d);
	if (b.len)
		put_line(out, d, "s", y += 18, b.data, 12);
	y = put_heat(out, d, y + 10);
	y = put_frames(out, d, y) + 18;
	y = put_legend(out, d, y);
	buf_clear(&b);
	drawing_losses(&b, d);
	if (b.len) {
		put_line(out, d, "s", y, b.data, 12);
		y += 18;
	}
	buf_done(&b);
	return y;
}
