/* SPDX-License-Identifier: Apache-2.0 */
/* Distributions for programs: JSON, OpenMetrics, CSV. */
#include "export/hists.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "export/fields.h"

static const char *unit_of(const struct hist_row *row)
{
	enum unit u = hist_kinds[row->kind].unit;

	return u == UNIT_SECONDS ? "s" : u == UNIT_BYTES ? "bytes" : "count";
}

static const char *measure_of(const struct hist_row *row)
{
	return hist_kinds[row->kind].measures[row->measure].name;
}

/* ---- JSON ---- */

static void json_key(struct json *j, const struct hist_row *row)
{
	json_object(j, "key");
	json_string(j, "measure", measure_of(row));
	if (row->rest) {
		json_bool(j, "others", true);
	} else if (row->by != HIST_BY_NOTHING) {
		json_printable(j, hist_key_name(row->by), row->name);
		if (row->by == HIST_BY_PROCESS)
			json_u64(j, "pid", row->key);
		else if (row->by == HIST_BY_LINE)
			json_u64(j, "irq", row->key);
		else if (row->by == HIST_BY_CALL)
			json_u64(j, "number", row->key);
	}
	json_end_object(j);
}

static void json_percentile(struct json *j, const char *key, const struct hist_row *row, double q,
			    uint64_t n)
{
	json_number(j, key,
		    n < hist_least(q) ? NAN : hist_value(row->kind, hist_percentile(&row->h, q)));
}

static void json_open(struct json *j, const struct hist_row *row)
{
	if (!row->open_known) {
		json_null(j, "open");
		return;
	}
	json_object(j, "open");
	json_u64(j, "count", row->open);
	json_number(j, "max_age", hist_value(row->kind, (double)row->open_max));
	json_number(j, "sum", hist_value(row->kind, (double)row->open_sum));
	json_end_object(j);
}

static void json_buckets(struct json *j, const struct hist_row *row)
{
	json_array(j, "buckets");
	for (unsigned i = 0; i < HIST_SLOTS; i++) {
		if (!row->h.slots[i])
			continue;
		json_array(j, NULL);
		json_number(j, NULL, hist_value(row->kind, (double)hist_low(i)));
		json_number(j, NULL, hist_value(row->kind, (double)hist_high(i)));
		json_u64(j, NULL, row->h.slots[i]);
		json_end_array(j);
	}
	json_end_array(j);
}

static void json_row(struct json *j, const struct hist_row *row)
{
	uint64_t n = hist_count(&row->h);

	json_object(j, NULL);
	json_string(j, "name", hist_kinds[row->kind].name);
	json_key(j, row);
	json_string(j, "unit", unit_of(row));
	json_u64(j, "count", n);
	json_number(j, "sum", hist_value(row->kind, (double)row->h.sum));
	json_number(j, "mean", hist_value(row->kind, hist_mean(&row->h)));
	json_percentile(j, "p50", row, 0.5, n);
	json_percentile(j, "p90", row, 0.9, n);
	json_percentile(j, "p99", row, 0.99, n);
	json_percentile(j, "p999", row, 0.999, n);
	json_number(j, "max", n ? hist_value(row->kind, (double)hist_max(&row->h)) : NAN);
	if (n)
		json_bool(j, "max_exact", row->h.max_known);
	else
		json_null(j, "max_exact");
	json_open(j, row);
	json_number(j, "error", HIST_ERROR);
	json_buckets(j, row);
	json_end_object(j);
}

static void json_failures(struct json *j, const struct hists *h)
{
	json_array(j, "failures");
	for (size_t i = 0; i < h->nfailures; i++) {
		json_object(j, NULL);
		json_string(j, "call", h->failures[i].call);
		json_string(j, "error", strerrorname_np((int)h->failures[i].code));
		json_u64(j, "code", h->failures[i].code);
		json_u64(j, "count", h->failures[i].count);
		json_end_object(j);
	}
	json_end_array(j);
}

void json_hists(struct json *j, const struct report *r)
{
	json_array(j, "histograms");
	for (size_t i = 0; r->hists && i < r->hists->n; i++)
		json_row(j, &r->hists->rows[i]);
	json_end_array(j);
	if (r->hists && r->hists->n && r->hists->rows[0].kind == HIST_SYSCALL)
		json_failures(j, r->hists);
}

/* ---- OpenMetrics ---- */

static void put_labels(struct buf *out, const struct hist_row *row)
{
	buf_printf(out, "{measure=\"%s\"", measure_of(row));
	if (row->by != HIST_BY_NOTHING) {
		buf_printf(out, ",%s=\"", hist_key_name(row->by));
		openmetrics_escape(out, row->rest ? "others" : row->name);
		buf_char(out, '"');
	}
	/* others have no number, and a name may be that of many */
	if (row->by == HIST_BY_PROCESS || row->by == HIST_BY_LINE)
		buf_printf(out, ",%s=\"%" PRIu64 "\"", row->by == HIST_BY_PROCESS ? "pid" : "irq",
			   row->rest ? 0 : row->key);
}

static const char *family_unit(const struct hist_row *row)
{
	enum unit u = hist_kinds[row->kind].unit;

	return u == UNIT_SECONDS ? "_seconds" : u == UNIT_BYTES ? "_bytes" : "";
}

static void put_sample(struct buf *out, const struct hist_row *row, const char *suffix)
{
	buf_printf(out, "sixty_hist_%s%s%s", hist_kinds[row->kind].name, family_unit(row), suffix);
	put_labels(out, row);
}

static void put_series(struct buf *out, const struct hist_row *row)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < HIST_SLOTS; i++) {
		if (!row->h.slots[i])
			continue;
		n += row->h.slots[i];
		put_sample(out, row, "_bucket");
		/* le means: up to and with it; values are whole numbers */
		buf_printf(out, ",le=\"%.9g\"} %" PRIu64 "\n",
			   hist_value(row->kind, (double)(hist_high(i) - 1)), n);
	}
	put_sample(out, row, "_bucket");
	buf_printf(out, ",le=\"+Inf\"} %" PRIu64 "\n", n);
	put_sample(out, row, "_sum");
	buf_printf(out, "} %.15g\n", hist_value(row->kind, (double)row->h.sum));
	put_sample(out, row, "_count");
	buf_printf(out, "} %" PRIu64 "\n", n);
}

void openmetrics_hists(struct buf *out, const struct report *r)
{
	for (size_t i = 0; r->hists && i < r->hists->n; i++) {
		const struct hist_row *row = &r->hists->rows[i];
		const struct hist_kind *k = &hist_kinds[row->kind];

		if (!i || row[-1].kind != row->kind) {
			buf_printf(out, "# TYPE sixty_hist_%s%s histogram\n", k->name,
				   family_unit(row));
			if (*family_unit(row))
				buf_printf(out, "# UNIT sixty_hist_%s%s %s\n", k->name,
					   family_unit(row), family_unit(row) + 1);
			buf_printf(out, "# HELP sixty_hist_%s%s %s\n", k->name, family_unit(row),
				   k->what);
		}
		put_series(out, row);
	}
}

/* ---- CSV ---- */

#define LINE_END "\r\n"

void csv_hists(struct buf *out, const struct report *r)
{
	if (!r->interval)
		buf_str(out, "start,histogram,measure,by,key,low,high,unit,count" LINE_END);
	for (size_t i = 0; r->hists && i < r->hists->n; i++) {
		const struct hist_row *row = &r->hists->rows[i];
		char name[128];

		hist_row_name(row, name, sizeof(name));
		for (unsigned slot = 0; slot < HIST_SLOTS; slot++) {
			if (!row->h.slots[slot])
				continue;
			buf_printf(out, "%.3f,%s,%s,%s,", (double)r->start_wall_ns * 1e-9,
				   hist_kinds[row->kind].name, measure_of(row),
				   hist_key_name(row->by));
			csv_field(out, name);
			buf_printf(out, ",%.9g,%.9g,%s,%" PRIu64 LINE_END,
				   hist_value(row->kind, (double)hist_low(slot)),
				   hist_value(row->kind, (double)hist_high(slot)), unit_of(row),
				   row->h.slots[slot]);
		}
	}
}
