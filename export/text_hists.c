/* SPDX-License-Identifier: Apache-2.0 */
/* Distributions for a person: what they are, the numbers that matter, and bars by powers of two. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "export/hists.h"
#include "export/style.h"
#include "export/text.h"

#define DRAWN_ROWS    4 /* with more, there is a table, and bars with --verbose only */
#define TABLE_ROWS    40
#define FAILURES_MOST 20
#define NAME_WIDTH    22
#define CELL_WIDTH    9
#define EDGE_WIDTH    8

char *hist_row_name(const struct hist_row *row, char *out, size_t size)
{
	if (row->rest)
		snprintf(out, size, "others");
	else if (row->by == HIST_BY_NOTHING)
		snprintf(out, size, "all");
	else if (row->by == HIST_BY_PROCESS)
		snprintf(out, size, "%s[%" PRIu64 "]", row->name, row->key);
	else if (row->by == HIST_BY_LINE)
		snprintf(out, size, "%" PRIu64 " %s", row->key, row->name);
	else
		snprintf(out, size, "%s", row->name);
	return out;
}

/* A raw value with its unit; whole numbers of things. */
static char *quantity(char *out, size_t size, enum wire_hist_kind k, double raw)
{
	enum unit u = hist_kinds[k].unit;

	if (isnan(raw))
		snprintf(out, size, "-");
	else if (u == UNIT_NONE)
		style_number(out, size, raw);
	else
		unit_format(out, size, u, 0, hist_value(k, raw));
	return out;
}

static const struct hist_measure *measure_of(const struct hist_row *row)
{
	return &hist_kinds[row->kind].measures[row->measure];
}

/* ---- the numbers ---- */

static const struct {
	double q;
	const char *name;
} percentiles[] = { { 0.5, "p50" }, { 0.9, "p90" }, { 0.99, "p99" }, { 0.999, "p99.9" } };
#define PERCENTILES (sizeof(percentiles) / sizeof(*percentiles))

static void put_percentiles(struct para *p, const struct hist_row *row, uint64_t n)
{
	char number[32], text[96];

	for (size_t i = 0; i < PERCENTILES; i++) {
		uint64_t least = hist_least(percentiles[i].q);

		if (n < least)
			snprintf(text, sizeof(text), "· %s too few (needs %" PRIu64 ")",
				 percentiles[i].name, least);
		else
			snprintf(text, sizeof(text), "· %s %s", percentiles[i].name,
				 quantity(number, sizeof(number), row->kind,
					  hist_percentile(&row->h, percentiles[i].q)));
		para_words(p, INK_PLAIN, text);
		if (n < least)
			break;
	}
}

static void put_summary(struct buf *out, const struct report *r, const struct hist_row *row,
			const struct style *s)
{
	uint64_t n = hist_count(&row->h);
	char a[32], b[32], text[160];
	struct para p;

	buf_str(out, "  ");
	para_begin(&p, out, s, 2, 4);
	snprintf(text, sizeof(text), "%" PRIu64 " %s", n, measure_of(row)->what);
	para_words(&p, INK_PLAIN, text);
	if (!n) {
		para_end(&p);
		return;
	}
	snprintf(text, sizeof(text), "· %s/s · mean %s",
		 style_number(a, sizeof(a), (double)n / r->seconds),
		 quantity(b, sizeof(b), row->kind, hist_mean(&row->h)));
	para_words(&p, INK_PLAIN, text);
	put_percentiles(&p, row, n);
	snprintf(text, sizeof(text), "· max %s%s", row->h.max_known ? "" : "≤ ",
		 quantity(a, sizeof(a), row->kind, (double)hist_max(&row->h)));
	para_words(&p, INK_PLAIN, text);
	if (hist_kinds[row->kind].unit != UNIT_NONE) {
		snprintf(text, sizeof(text), "· total %s",
			 quantity(a, sizeof(a), row->kind, (double)row->h.sum));
		para_words(&p, INK_PLAIN, text);
	}
	para_end(&p);
}

static void put_open(struct buf *out, const struct hist_row *row, const struct style *s)
{
	char a[32], b[32], text[160];
	struct para p;

	if (!row->open_known || !row->open)
		return;
	buf_str(out, "  ");
	para_begin(&p, out, s, 2, 4);
	snprintf(text, sizeof(text),
		 "not ended, and not in it: %" PRIu64 " · the longest for %s · together %s",
		 row->open, quantity(a, sizeof(a), row->kind, (double)row->open_max),
		 quantity(b, sizeof(b), row->kind, (double)row->open_sum));
	para_words(&p, INK_PLAIN, text);
	para_end(&p);
}

/* ---- bars ---- */

/* Lines: powers of two, or every slot with --verbose and where values are small whole numbers. */
struct lines {
	unsigned first, last, step; /* slots */
	uint64_t most;
};

static uint64_t in_line(const struct hist *h, unsigned slot, unsigned step)
{
	uint64_t n = 0;

	for (unsigned i = slot; i < slot + step && i < HIST_SLOTS; i++)
		n += h->slots[i];
	return n;
}

static bool find_lines(const struct hist_row *row, const struct style *s, struct lines *l)
{
	bool any = false;

	*l = (struct lines){ .step = s->verbose || hist_kinds[row->kind].unit == UNIT_NONE
					     ? 1
					     : HIST_SUB };
	for (unsigned i = 0; i < HIST_SLOTS; i += l->step) {
		uint64_t n = in_line(&row->h, i, l->step);

		if (!n)
			continue;
		if (!any)
			l->first = i;
		l->last = i;
		any = true;
		if (n > l->most)
			l->most = n;
	}
	return any;
}

static void put_edge(struct buf *out, const struct style *s, const struct hist_row *row,
		     uint64_t at)
{
	char number[32];

	style_cell(out, s, quantity(number, sizeof(number), row->kind, (double)at), EDGE_WIDTH);
}

static void put_line(struct buf *out, const struct hist_row *row, const struct style *s,
		     const struct lines *l, unsigned slot, uint64_t all)
{
	uint64_t n = in_line(&row->h, slot, l->step);
	uint64_t low = hist_low(slot), high = hist_low(slot + l->step);
	char number[32];
	unsigned width;

	buf_str(out, "  ");
	put_edge(out, s, row, low);
	if (high - low > 1) {
		buf_str(out, " .. ");
		put_edge(out, s, row, high);
	} else {
		buf_fill(out, ' ', 4 + EDGE_WIDTH);
	}
	snprintf(number, sizeof(number), "%" PRIu64, n);
	buf_fill(out, ' ', 2);
	style_cell(out, s, number, 10);
	snprintf(number, sizeof(number), "%.1f %%", 100 * (double)n / (double)all);
	style_cell(out, s, number, 8);
	buf_fill(out, ' ', 2);
	width = style_columns(s) - (2 + EDGE_WIDTH + 4 + EDGE_WIDTH + 2 + 10 + 8 + 2);
	if (n)
		style_bar(out, s, (double)n / (double)l->most, width);
	while (out->len && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
	buf_char(out, '\n');
}

static void put_bars(struct buf *out, const struct hist_row *row, const struct style *s)
{
	uint64_t all = hist_count(&row->h);
	struct lines l;

	if (!find_lines(row, s, &l))
		return;
	for (unsigned i = l.first; i <= l.last; i += l.step)
		if (!s->verbose || in_line(&row->h, i, l.step))
			put_line(out, row, s, &l, i, all);
}

static void put_title(struct buf *out, const struct hist_row *row, const struct style *s)
{
	char name[128];

	buf_char(out, '\n');
	style_ink(out, s, INK_STRONG);
	buf_printf(out, "%s %s", hist_kinds[row->kind].name, measure_of(row)->name);
	if (row->by != HIST_BY_NOTHING && (!row->rest || hist_count(&row->h))) {
		buf_printf(out, ", %s ", hist_key_name(row->by));
		hist_row_name(row, name, sizeof(name));
		style_escape(out, s, name, strlen(name));
	}
	style_ink(out, s, INK_PLAIN);
	buf_char(out, '\n');
}

static void draw_row(struct buf *out, const struct report *r, const struct hist_row *row,
		     const struct style *s)
{
	put_title(out, row, s);
	put_summary(out, r, row, s);
	put_open(out, row, s);
	put_bars(out, row, s);
}

/* ---- the table ---- */

static void put_cell(struct buf *out, const struct style *s, const char *text)
{
	buf_char(out, ' ');
	style_cell(out, s, text, CELL_WIDTH);
}

static void table_head(struct buf *out, const struct hist_row *row, const struct style *s)
{
	static const char *const titles[] = { "count", "mean", "p50", "p99", "max", "total" };
	char title[64];

	buf_char(out, '\n');
	style_ink(out, s, INK_STRONG);
	snprintf(title, sizeof(title), "%s %s", hist_kinds[row->kind].name, measure_of(row)->name);
	style_cell(out, s, title, -NAME_WIDTH);
	for (size_t i = 0; i < sizeof(titles) / sizeof(*titles); i++)
		put_cell(out, s, titles[i]);
	style_ink(out, s, INK_PLAIN);
	buf_char(out, '\n');
}

static void table_row(struct buf *out, const struct hist_row *row, const struct style *s)
{
	uint64_t n = hist_count(&row->h);
	char name[128], number[40], bound[48];

	style_name(out, s, hist_row_name(row, name, sizeof(name)), -NAME_WIDTH);
	put_cell(out, s, style_number(number, sizeof(number), (double)n));
	put_cell(out, s, quantity(number, sizeof(number), row->kind, hist_mean(&row->h)));
	put_cell(out, s,
		 quantity(number, sizeof(number), row->kind, hist_percentile(&row->h, 0.5)));
	put_cell(out, s,
		 n < hist_least(0.99) ? "too few"
				      : quantity(number, sizeof(number), row->kind,
						 hist_percentile(&row->h, 0.99)));
	quantity(number, sizeof(number), row->kind, n ? (double)hist_max(&row->h) : NAN);
	snprintf(bound, sizeof(bound), "%s%s", row->h.max_known || !n ? "" : "<", number);
	put_cell(out, s, bound);
	put_cell(out, s, quantity(number, sizeof(number), row->kind, (double)row->h.sum));
	buf_char(out, '\n');
}

static void put_table(struct buf *out, const struct hists *h, const struct style *s)
{
	size_t shown = 0;

	for (size_t i = 0; i < h->n; i++) {
		const struct hist_row *row = &h->rows[i];

		if (!i || row->measure != row[-1].measure) {
			table_head(out, row, s);
			shown = 0;
		}
		if (shown++ < TABLE_ROWS || s->verbose)
			table_row(out, row, s);
		else if (i + 1 == h->n || row[1].measure != row->measure)
			buf_printf(out, "and %zu more, with --verbose\n", shown - TABLE_ROWS);
	}
}

static const char *failure_name(const struct hist_failure *f, char *out, size_t size)
{
	const char *name = strerrorname_np((int)f->code);

	if (name)
		return name;
	if (f->code >= 512 && f->code <= 516)
		return "made again (signal)";
	snprintf(out, size, "error %u", f->code);
	return out;
}

static void put_failures(struct buf *out, const struct hists *h, const struct style *s)
{
	size_t n = s->verbose || h->nfailures < FAILURES_MOST ? h->nfailures : FAILURES_MOST;

	if (!h->nfailures)
		return;
	buf_char(out, '\n');
	style_put(out, s, INK_STRONG, "calls that failed");
	buf_char(out, '\n');
	for (size_t i = 0; i < n; i++) {
		char number[40];

		buf_str(out, "  ");
		style_cell(out, s, h->failures[i].call, -NAME_WIDTH);
		style_cell(out, s, failure_name(&h->failures[i], number, sizeof(number)), -22);
		snprintf(number, sizeof(number), "%" PRIu64, h->failures[i].count);
		style_cell(out, s, number, 12);
		buf_char(out, '\n');
	}
	if (n < h->nfailures)
		buf_printf(out, "  and %zu more, with --verbose\n", h->nfailures - n);
}

/* ---- all ---- */

static void put_error(struct buf *out, const struct style *s)
{
	char text[160];
	struct para p;

	buf_char(out, '\n');
	para_begin(&p, out, s, 0, 2);
	snprintf(
		text, sizeof(text),
		"Percentiles are off by %.2f %% at most. A maximum with ≤ is the upper edge of its slot.",
		100 * HIST_ERROR);
	para_words(&p, INK_PLAIN, text);
	para_end(&p);
}

void text_hists(struct buf *out, const struct report *r, const struct style *s)
{
	const struct hists *h = r->hists;

	if (!h)
		return;
	if (h->n > DRAWN_ROWS)
		put_table(out, h, s);
	for (size_t i = 0; i < h->n && (h->n <= DRAWN_ROWS || s->verbose); i++)
		draw_row(out, r, &h->rows[i], s);
	put_failures(out, h, s);
	put_error(out, s);
}
