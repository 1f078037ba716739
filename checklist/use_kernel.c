/* SPDX-License-Identifier: Apache-2.0 */
/* dmesg: what the kernel said that may matter. */
#include <math.h>
#include <stdio.h>

#include "checklist/makers.h"
#include "checklist/rule.h"
#include "model/event.h"

#define WARNING_LEVEL 4 /* syslog: 0 emergency … 3 error, 4 warning */
#define MOST_LINES    20

static const struct sheet_column dmesg_columns[] = {
	{ "ago", "ago", -1, -8 },
	{ "level", "level", -1, -7 },
	{ "kind", "kind", -1, -12 },
	{ "message", "message", -1, -30 },
};

static const char *level_name(double level)
{
	static const char *const names[] = { "emerg", "alert", "crit", "err", "warning" };

	return level >= 0 && level <= WARNING_LEVEL ? names[(int)level] : "notice";
}

/* Error or worse, or of a kind that tells something whatever its level. */
static bool is_worth_a_line(const struct view *v, size_t row)
{
	double level = snapshot_value(v->last, M_EVENT_LEVEL, row),
	       kind = snapshot_value(v->last, M_EVENT_KIND, row);

	return level <= WARNING_LEVEL || kind > EVENT_NONE;
}

void step_dmesg(const struct view *v, struct report *out)
{
	struct sheet *s = report_sheet(
		out, "dmesg",
		"what the kernel complained of, newest last (since boot; lines of the window in the short form)",
		dmesg_columns, sizeof(dmesg_columns) / sizeof(*dmesg_columns));
	size_t n = snapshot_rows(v->last, SCOPE_EVENT), worth = 0, seen = 0;
	double now = (double)v->last->time_ns * 1e-9;
	char ago[32];

	if (!v->last->tables[SCOPE_EVENT].time_ns) {
		snprintf(s->note, sizeof(s->note),
			 "the kernel log cannot be read: see sixty doctor");
		return;
	}
	for (size_t r = 0; r < n; r++)
		worth += is_worth_a_line(v, r);
	for (size_t r = 0; r < n; r++) {
		double kind = snapshot_value(v->last, M_EVENT_KIND, r);
		size_t row;

		if (!is_worth_a_line(v, r) || seen++ + MOST_LINES < worth)
			continue;
		row = sheet_row(s, snapshot_value(v->last, M_EVENT_LIVE, r) > 0);
		sheet_text(out, s, row, 0,
			   unit_duration(ago, sizeof(ago),
					 fmax(0, now - snapshot_value(v->last, M_EVENT_TIME, r))));
		sheet_text(out, s, row, 1, level_name(snapshot_value(v->last, M_EVENT_LEVEL, r)));
		sheet_text(out, s, row, 2,
			   kind > EVENT_NONE && kind < EVENT_MAX
				   ? event_kind_name((enum event_kind)kind)
				   : "");
		sheet_text(out, s, row, 3, snapshot_text(v->last, M_EVENT_TEXT, r));
	}
	if (!s->nrows)
		snprintf(s->note, sizeof(s->note),
			 "no warning and no error since boot, as far as the log reaches back");
}
