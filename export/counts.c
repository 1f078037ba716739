/* SPDX-License-Identifier: Apache-2.0 */
/* Counts for programs: JSON, OpenMetrics, CSV. What could not be counted is null, or absent, and never 0. */
#include "export/counts.h"

#include <math.h>
#include <string.h>

#include "export/fields.h"
#include "export/hists.h"

static const char *mode_of(const struct count_row *row)
{
	return row->user && row->kernel ? "all" : row->user ? "user" : "kernel";
}

/* ---- JSON ---- */

static void json_row(struct json *j, const struct count_row *row, double seconds)
{
	double v = count_value(row);

	json_object(j, NULL);
	json_printable(j, "event", row->name);
	json_printable(j, "unit", row->unit);
	json_string(j, "mode", mode_of(row));
	json_number(j, "count", v);
	json_number(j, "per_second", seconds > 0 ? v / seconds : NAN);
	json_number(j, "counted", count_share(row));
	if (row->why[0])
		json_printable(j, "reason", row->why);
	else
		json_null(j, "reason");
	json_end_object(j);
}

static void json_ratio(struct json *j, const struct count_ratio *r)
{
	json_object(j, NULL);
	json_string(j, "name", r->name);
	json_number(j, "value", r->value);
	json_string(j, "of", *r->of ? r->of : "seconds");
	json_number(j, "base", r->base);
	json_number(j, "counted", r->counted);
	json_end_object(j);
}

void json_counts(struct json *j, const struct report *r)
{
	struct count_ratio ratios[COUNT_RATIOS];
	size_t n = counts_ratios(r->counts, ratios);

	json_printable(j, "target", r->counts->target);
	json_array(j, "counts");
	for (size_t i = 0; i < r->counts->n; i++)
		json_row(j, &r->counts->rows[i], r->counts->seconds);
	json_end_array(j);
	json_array(j, "ratios");
	for (size_t i = 0; i < n; i++)
		json_ratio(j, &ratios[i]);
	json_end_array(j);
}

/* ---- OpenMetrics ---- */

static void put_labels(struct buf *out, const struct count_row *row)
{
	buf_str(out, "{event=\"");
	openmetrics_escape(out, row->name);
	buf_printf(out, "\",mode=\"%s\",unit=\"", mode_of(row));
	openmetrics_escape(out, row->unit);
	buf_str(out, "\"}");
}

void openmetrics_counts(struct buf *out, const struct report *r)
{
	const struct counts *c = r->counts;

	buf_str(out, "# TYPE sixty_stat_count gauge\n"
		     "# HELP sixty_stat_count How often it happened in the window\n");
	for (size_t i = 0; i < c->n; i++) {
		if (isnan(count_value(&c->rows[i])))
			continue;
		buf_str(out, "sixty_stat_count");
		put_labels(out, &c->rows[i]);
		buf_printf(out, " %.15g\n", count_value(&c->rows[i]));
	}
	buf_str(out,
		"# TYPE sixty_stat_counted_ratio gauge\n"
		"# UNIT sixty_stat_counted_ratio ratio\n"
		"# HELP sixty_stat_counted_ratio Share of the time in which it was counted; the count is multiplied up\n");
	for (size_t i = 0; i < c->n; i++) {
		if (isnan(count_share(&c->rows[i])))
			continue;
		buf_str(out, "sixty_stat_counted_ratio");
		put_labels(out, &c->rows[i]);
		buf_printf(out, " %.9g\n", count_share(&c->rows[i]));
	}
}

/* ---- CSV ---- */

#define LINE_END "\r\n"

void csv_counts(struct buf *out, const struct report *r)
{
	const struct counts *c = r->counts;

	if (!r->interval)
		buf_str(out, "start,seconds,event,mode,count,unit,counted" LINE_END);
	for (size_t i = 0; i < c->n; i++) {
		const struct count_row *row = &c->rows[i];

		if (isnan(count_value(row)))
			continue;
		buf_printf(out, "%.3f,%.6f,", (double)r->start_wall_ns * 1e-9, c->seconds);
		csv_quoted(out, row->name, strlen(row->name));
		buf_printf(out, ",%s,%.15g,", mode_of(row), count_value(row));
		csv_quoted(out, row->unit, strlen(row->unit));
		buf_printf(out, ",%.9g" LINE_END, count_share(row));
	}
}
