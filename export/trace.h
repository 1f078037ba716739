/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_EXPORT_TRACE_H
#define SIXTY_EXPORT_TRACE_H

#include "export/exporter.h"
#include "model/report.h"
#include "model/trace.h"

/* Events as text, JSON and CSV, one line each; and what the look has cost and lost. */
struct trace_line {
	const void *record;
	const char *time;   /* as it is to be shown */
	const char *exe;    /* NULL: not known */
	const char *cgroup; /* NULL: not known */
	const struct trace_names *names;
};

struct trace_writer {
	const char *name;
	/* Before the first line, and after the last one; may write nothing. events: 1u << enum wire_trace. */
	void (*head)(struct buf *out, unsigned events, const struct style *s);
	void (*line)(struct buf *out, unsigned events, const struct style *s,
		     const struct trace_line *l);
};

extern const struct trace_writer trace_writers[]; /* text, json, csv; ended by a row without a name */

/* What the look was worth. */
struct trace_totals {
	unsigned events; /* that were looked for */
	double seconds;
	bool interrupted;
	uint64_t shown[TRACE_MAX], lost[TRACE_MAX], filtered;
	bool lost_known;
	double paused_seconds; /* nothing was read in, so as not to take more of a CPU than allowed */
	struct ledger ledger; /* what it has cost */
};

void trace_totals_text(struct buf *out, const struct trace_totals *t, const struct style *s);
/* The last object: schema sixty.trace/1. */
void trace_totals_json(struct buf *out, const struct trace_totals *t);

#endif
