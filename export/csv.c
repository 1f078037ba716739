/* SPDX-License-Identifier: Apache-2.0 */
/* CSV as RFC 4180 has it: one line per metric and thing, with its value over the window: the rate of a counter, the
 * mean of a level, the result of a derived metric. Unknown values have no line. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/counts.h"
#include "export/exporter.h"
#include "export/fields.h"
#include "export/hists.h"
#include "export/red.h"

#define LINE_END "\r\n"

static void put_number(struct buf *out, double v)
{
	char s[40];

	if (isinf(v)) {
		buf_str(out, v > 0 ? "inf" : "-inf");
		return;
	}
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(s, sizeof(s), "%.*g", digits, v);
		if (digits >= 9 || strtod(s, NULL) == v)
			break;
	}
	buf_str(out, s);
}

/* Tasks are told by number and name, everything else by name. */
static void put_instance(struct buf *out, const struct interval *iv, enum scope sc, size_t row)
{
	const char *name = interval_name(iv, sc, row);
	char text[512];

	if (sc == SCOPE_PROCESS || sc == SCOPE_THREAD || sc == SCOPE_SOCKET)
		snprintf(text, sizeof(text), "%" PRIu64 "/%s", interval_row(iv, sc, row)->id.key,
			 name);
	else if (sc == SCOPE_TIME && interval_last(iv, M_TIME_TID, row) > 0)
		snprintf(text, sizeof(text), "%.0f/%.0f/%s", interval_last(iv, M_TIME_PID, row),
			 interval_last(iv, M_TIME_TID, row), name);
	else if (sc == SCOPE_TIME)
		snprintf(text, sizeof(text), "%.0f/%s%s", interval_last(iv, M_TIME_PID, row), name,
			 interval_delta(iv, M_TIME_SHORT, row) > 0 ? " (short-lived)" : "");
	else
		snprintf(text, sizeof(text), "%s", name);
	csv_field(out, text);
}

static void write_csv(struct buf *out, const struct report *r, const struct style *s)
{
	const struct interval *iv = r->view ? r->view->window : NULL;

	(void)s;
	if (r->parts == REPORT_HISTS) {
		csv_hists(out, r);
		return;
	}
	if (r->parts == REPORT_COUNTS) {
		csv_counts(out, r);
		return;
	}
	if (r->parts == REPORT_RED) {
		csv_red(out, r);
		return;
	}
	buf_str(out, "metric,scope,instance,value,unit,kind" LINE_END);
	for (enum metric_id id = M_NONE + 1; iv && id < M_MAX; id++) {
		const struct metric *m = metric_get(id);

		if (m->kind == KIND_LABEL)
			continue;
		for (size_t row = 0; row < interval_rows(iv, m->scope); row++) {
			double v = interval_value(iv, id, row);

			if (isnan(v))
				continue;
			buf_printf(out, "%s,%s,", m->name, scope_name(m->scope));
			put_instance(out, iv, m->scope, row);
			buf_char(out, ',');
			put_number(out, v);
			buf_printf(out, ",%s,%s" LINE_END,
				   unit_name(m->unit, m->kind == KIND_COUNTER), kind_name(m->kind));
		}
	}
}

extern const struct exporter exporter_csv;
const struct exporter exporter_csv = {
	.name = "csv",
	.help = "metric, scope, instance, value, unit, kind: one line each, over the window",
	.write = write_csv,
};
