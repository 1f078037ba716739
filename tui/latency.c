/* SPDX-License-Identifier: Apache-2.0 */
/* How long things take: distributions of the window, a line each, and the shape of the one at the cursor. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "tui/grid.h"
#include "tui/screens.h"

static const char *percentile(const struct hist_row *r, double q, char *out, size_t size)
{
	if (hist_count(&r->h) < hist_least(q) || !hist_count(&r->h)) {
		snprintf(out, size, "-"); /* too few for it to mean anything */
		return out;
	}
	return unit_format(out, size, hist_kinds[r->kind].unit, 0,
			   hist_value(r->kind, hist_percentile(&r->h, q)));
}

static enum paint hist_cell(void *ctx, size_t row, int column, char *out, size_t size)
{
	const struct ui *ui = ctx;
	const struct hist_row *r = &ui->report->hists->rows[row];
	const struct hist_kind *k = &hist_kinds[r->kind];

	switch (column) {
	case 0:
		snprintf(out, size, "%s %s", k->name, k->measures[r->measure].name);
		break;
	case 1:
		snprintf(out, size, "%s", r->rest ? "others" : r->name[0] ? r->name : "all");
		break;
	case 2:
		unit_format(out, size, UNIT_COUNT, 1,
			    ui->report->seconds > 0
				    ? (double)hist_count(&r->h) / ui->report->seconds
				    : NAN);
		break;
	case 3:
		percentile(r, 0.5, out, size);
		break;
	case 4:
		percentile(r, 0.9, out, size);
		break;
	case 5:
		percentile(r, 0.99, out, size);
		break;
	case 6:
		unit_format(out, size, k->unit, 0,
			    hist_count(&r->h) ? hist_value(r->kind, (double)hist_max(&r->h)) : NAN);
		break;
	default:
		if (r->open_known && r->open)
			snprintf(out, size, "%llu", (unsigned long long)r->open);
		else
			snprintf(out, size, "%s", r->open_known ? "0" : "-");
	}
	return PAINT_PLAIN;
}

static struct row_id hist_id(void *ctx, size_t row)
{
	const struct ui *ui = ctx;
	const struct hist_row *r = &ui->report->hists->rows[row];

	return (struct row_id){ .key = r->key + ((uint64_t)r->rest << 63),
				.birth = (uint64_t)r->kind << 16 | r->measure << 8 | r->by };
}

/* How many values are in each power of two, from the first that has any to the last. */
static void draw_shape(struct canvas *c, struct area a, const struct hist_row *r)
{
	const struct hist_kind *k = &hist_kinds[r->kind];
	uint64_t count = hist_count(&r->h), most = 0, sums[64] = { 0 };
	int first = -1, last = -1;
	char from[32], to[32], title[100];

	snprintf(title, sizeof(title), "%s: %s", k->name, k->measures[r->measure].what);
	heading(c, (struct area){ a.x, a.y, a.columns, 1 }, title, r->name);
	for (unsigned i = 0; i < 64 * HIST_SUB && count; i++)
		sums[i / HIST_SUB] += r->h.slots[i];
	for (int i = 0; i < 64; i++)
		if (sums[i]) {
			first = first < 0 ? i : first;
			last = i;
			most = sums[i] > most ? sums[i] : most;
		}
	for (int i = first; i >= 0 && i <= last && i - first < a.rows - 1; i++) {
		int y = a.y + 1 + i - first;

		unit_format(from, sizeof(from), k->unit, 0,
			    hist_value(r->kind, (double)hist_low((unsigned)i * HIST_SUB)));
		unit_format(to, sizeof(to), k->unit, 0,
			    hist_value(r->kind,
				       (double)hist_high((unsigned)i * HIST_SUB + HIST_SUB - 1)));
		canvas_right(c, a.x, y, 10, PAINT_DIM, from);
		canvas_text(c, a.x + 11, y, 1, PAINT_DIM, "\xe2\x80\x93");
		canvas_right(c, a.x + 12, y, 10, PAINT_DIM, to);
		canvas_print(c, a.x + 23, y, 10, PAINT_PLAIN, "%9llu", (unsigned long long)sums[i]);
		canvas_bar(c, a.x + 34, y, a.columns - 35, (double)sums[i] / (double)most,
			   PAINT_DISK);
	}
}

void latency_draw(struct ui *ui, struct canvas *c, struct area a)
{
	static const struct grid_column titles[] = { { "WHAT", -16 }, { "OF", -14 }, { "RATE", 10 },
						     { "p50", 9 },    { "p90", 9 },  { "p99", 9 },
						     { "MOST", 9 },   { "OPEN", 6 } };
	const struct hists *h = ui->report ? ui->report->hists : NULL;
	struct list *l = &ui->lists[ui->screen];
	int table = a.rows > 12 ? a.rows / 2 : a.rows;
	struct grid g = { .columns = titles,
			  .ncolumns = sizeof(titles) / sizeof(*titles),
			  .list = l,
			  .nrows = h ? h->n : 0,
			  .ctx = ui,
			  .cell = hist_cell,
			  .id = hist_id };

	if (!h) {
		canvas_flow(
			c, a, PAINT_DIM,
			ui->replay ? "Distributions are not part of a capture."
			: ui->report
				? "Distributions are counted by eBPF, which is not there: `sixty doctor` says why."
				: "Counted until the first judgement.");
		return;
	}
	g.empty = "Nothing was counted yet.";
	l->sort = -1;
	if (h->n && (int)h->n + 1 < table)
		table = (int)h->n + 2;
	grid_draw(ui, c, (struct area){ a.x, a.y, a.columns, table }, &g);
	if (l->at < h->n && a.rows - table > 2)
		draw_shape(c, (struct area){ a.x, a.y + table, a.columns, a.rows - table },
			   &h->rows[l->at]);
}

bool latency_key(struct ui *ui, const struct key *k, enum ui_want *want)
{
	*want = WANT_DRAW;
	return list_key(&ui->lists[ui->screen], k);
}
