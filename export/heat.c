/* SPDX-License-Identifier: Apache-2.0 */
/* Time × value: what a distribution looked like, interval by interval. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "export/hists.h"
#include "export/style.h"

#define HEAT_COLUMNS 240 /* intervals that are kept */
#define EDGE_WIDTH   9
#define FINE_LINES   12 /* if there are fewer, each is split */

struct column {
	double seconds;
	uint64_t slots[WIRE_HIST_MEASURES][HIST_SLOTS];
};

struct heat {
	enum wire_hist_kind kind;
	struct column *columns; /* a ring */
	uint64_t n;             /* so far */
};

struct heat *heat_new(void)
{
	struct heat *h = mem_alloc(sizeof(*h));

	h->columns = mem_array(HEAT_COLUMNS, sizeof(*h->columns));
	return h;
}

void heat_free(struct heat *h)
{
	if (!h)
		return;
	mem_free(h->columns);
	mem_free(h);
}

void heat_add(struct heat *h, const struct report *r)
{
	struct column *c = &h->columns[h->n++ % HEAT_COLUMNS];

	memset(c, 0, sizeof(*c));
	c->seconds = r->seconds;
	for (size_t i = 0; i < r->hists->n; i++) {
		const struct hist_row *row = &r->hists->rows[i];

		h->kind = row->kind;
		for (unsigned k = 0; k < HIST_SLOTS && row->measure < WIRE_HIST_MEASURES; k++)
			c->slots[row->measure][k] += row->h.slots[k];
	}
}

/* ---- drawing ---- */

struct picture {
	const struct heat *heat;
	unsigned measure, step; /* slots in a line */
	unsigned low, high;     /* slots, multiples of step: the first and the last line */
	unsigned width;         /* columns */
	uint64_t most;
};

/* i: 0 is the oldest of those that fit. */
static const struct column *column(const struct picture *p, unsigned i)
{
	return &p->heat->columns[(p->heat->n - p->width + i) % HEAT_COLUMNS];
}

static uint64_t cell(const struct picture *p, unsigned i, unsigned line)
{
	uint64_t n = 0;

	for (unsigned k = line; k < line + p->step && k < HIST_SLOTS; k++)
		n += column(p, i)->slots[p->measure][k];
	return n;
}

static bool find_range(struct picture *p)
{
	bool any = false;

	p->most = 0;
	for (unsigned line = 0; line < HIST_SLOTS; line += p->step)
		for (unsigned i = 0; i < p->width; i++) {
			uint64_t n = cell(p, i, line);

			if (!n)
				continue;
			if (!any)
				p->low = line;
			p->high = line;
			any = true;
			if (n > p->most)
				p->most = n;
		}
	return any;
}

/* By its logarithm: one in a thousand is still seen. */
static unsigned shade(uint64_t n, uint64_t most)
{
	if (!n)
		return 0;
	if (most < 2)
		return STYLE_SHADES;
	return 1 + (unsigned)lrint((STYLE_SHADES - 1) * log((double)n) / log((double)most));
}

static void put_edge(struct buf *out, const struct style *s, const struct picture *p, unsigned slot)
{
	enum unit u = hist_kinds[p->heat->kind].unit;
	double v = hist_value(p->heat->kind, (double)hist_low(slot));
	char number[32];

	if (u == UNIT_NONE)
		style_number(number, sizeof(number), v);
	else
		unit_format(number, sizeof(number), u, 0, v);
	style_cell(out, s, number, EDGE_WIDTH);
}

static void put_legend(struct buf *out, const struct style *s, const struct picture *p)
{
	char a[32], text[96];
	double span = 0;

	for (unsigned i = 0; i < p->width; i++)
		span += column(p, i)->seconds;
	buf_fill(out, ' ', EDGE_WIDTH + 1);
	snprintf(text, sizeof(text), "the last %s, %u intervals%s; ",
		 unit_duration(a, sizeof(a), span), p->width,
		 p->heat->n > p->width ? " (older ones have left)" : "");
	buf_str(out, text);
	buf_str(out, "1 ");
	for (unsigned i = 1; i <= STYLE_SHADES; i++)
		style_shade(out, s, i);
	buf_printf(out, " %" PRIu64 "\n", p->most);
}

static unsigned draw_measure(struct buf *out, const struct heat *h, unsigned measure,
			     const struct style *s)
{
	struct picture p = { .heat = h, .measure = measure, .step = HIST_SUB };
	unsigned room = style_columns(s) - EDGE_WIDTH - 3, lines = 0;

	p.width = h->n < HEAT_COLUMNS ? (unsigned)h->n : HEAT_COLUMNS;
	if (p.width > room)
		p.width = room;
	if (!find_range(&p))
		return 0;
	while (p.step > 1 && (p.high - p.low) / p.step + 1 < FINE_LINES) {
		p.step /= 2;
		find_range(&p);
	}
	style_ink(out, s, INK_STRONG);
	buf_printf(out, "%s: %s", hist_kinds[h->kind].name,
		   hist_kinds[h->kind].measures[measure].what);
	style_ink(out, s, INK_PLAIN);
	buf_char(out, '\n');
	for (unsigned line = p.high;; line -= p.step) {
		put_edge(out, s, &p, line);
		buf_str(out, " |");
		for (unsigned i = 0; i < p.width; i++)
			style_shade(out, s, shade(cell(&p, i, line), p.most));
		buf_str(out, "|\n");
		lines++;
		if (line == p.low)
			break;
	}
	put_legend(out, s, &p);
	return lines + 2;
}

unsigned heat_draw(struct buf *out, const struct heat *h, const struct style *s)
{
	unsigned lines = 0;

	for (unsigned m = 0; h->n && m < hist_measures(h->kind); m++)
		lines += draw_measure(out, h, m, s);
	if (lines)
		return lines;
	buf_str(out, "nothing has happened yet\n");
	return 1;
}
