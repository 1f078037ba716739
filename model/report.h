/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_REPORT_H
#define SIXTY_MODEL_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/counts.h"
#include "model/finding.h"
#include "model/hist.h"
#include "model/host.h"
#include "model/red.h"
#include "model/view.h"

/* What a command has to say: sections of the other nouns, for one window. A section that a command does not have
 * stays empty; exporters print what is there. */

struct use_row {
	enum resource resource;
	char instance[96];  /* "all", "cpu3", "vda", "/var", "tcp" */
	double utilization; /* ratio; NaN unknown */
	double saturation;
	const char *saturation_unit; /* "s/s waiting", "requests queued", … */
	double errors;               /* in the window */
	double worst_second;         /* utilization of the worst second */
	char why_utilization[80], why_saturation[80], why_errors[80]; /* reason when NaN */
	bool matters;                                                 /* in the short form too */
};

/* A table of the 60-second checklist: column titles people know, numbers or text in the cells. */
struct sheet_column {
	const char *title; /* "%usr" */
	const char *key;   /* "usr" in JSON */
	int decimals;      /* of numbers; -1: text column */
	int width;         /* least width; negative: left-aligned */
};

struct sheet_cell {
	double number;
	uint32_t text; /* into strings; 0: it is a number */
};

struct sheet {
	const char *step;  /* "vmstat" */
	const char *title; /* "vmstat 1" and what it answers */
	const struct sheet_column *columns;
	unsigned ncolumns;
	struct sheet_cell *cells; /* [row * ncolumns + col] */
	bool *matters;            /* per row: in the short form too */
	size_t nrows, cap;
	char note[160]; /* "" or why the sheet is empty */
};

/* What an eBPF program has cost everybody: events × nanoseconds measured in a part of the window. */
struct program_cost {
	const char *name, *what;
	char how[32]; /* hook it is attached to */
	uint64_t events;
	double ns_per_event; /* NaN: not measured */
	double stopped; /* seconds after its start, to stay within the budget; 0: it ran to the end */
};

#define LEDGER_PROGRAMS 64

struct ledger {
	double cpu_seconds_self, wall_seconds, attach_seconds;
	uint64_t rss_bytes;
	uint64_t counters_reset, unseen_threads, samples_skipped, late_ticks, short_lived;
	uint64_t hidden_processes; /* that eBPF does not show: nothing is lost but what it measures */
	/* eBPF */
	bool bpf; /* it was there: what follows is known */
	double cpu_seconds_bpf, load_cpu_seconds;
	uint64_t map_bytes;
	struct program_cost programs[LEDGER_PROGRAMS];
	size_t nprograms;
	uint64_t unseen_switches, missed_switches, clock_anomalies, storage_refused, dead_full,
		stacks_full, pairs_full, samples_full, recursion;
	uint64_t hist_keys, hist_untimed, hist_starts, hist_errors; /* enum wire_loss */
	uint64_t red_services, red_sockets, red_names;
};

enum verdict { VERDICT_HEALTHY, VERDICT_ACTIONABLE, VERDICT_INCONCLUSIVE };

/* What a command's report is made of: exporters print these. */
enum report_part {
	REPORT_VERDICT = 1u << 0, /* verdict, findings, ruled out, unknown, USE table, checklist */
	REPORT_TIME = 1u << 1,    /* where the time of threads went */
	REPORT_HISTS = 1u << 2,   /* distributions */
	REPORT_COUNTS = 1u << 3,  /* counts of events */
	REPORT_RED = 1u << 4,     /* requests of services */
	REPORT_TRIAGE = REPORT_VERDICT | REPORT_TIME | REPORT_HISTS | REPORT_RED,
};

struct report {
	const char *schema; /* "sixty.triage/1" */
	unsigned parts;     /* enum report_part */
	const struct host *host;
	int64_t start_wall_ns;
	double seconds;
	bool interrupted, replayed;
	unsigned interval; /* of those that are reported one after another: 0 is the first */
	bool more;         /* and this is not the last */
	enum verdict verdict;
	char summary[512];
	double explained; /* claimed / total lost; NaN when nothing was lost */
	double lost_total;
	struct findings findings;
	struct use_row *use;
	size_t nuse, use_cap;
	struct sheet *sheets;
	size_t nsheets, sheets_cap;
	struct buf strings; /* of the sheets */
	struct ledger ledger;
	const struct view *view;     /* for exporters that print every metric */
	const struct hists *hists;   /* NULL: none were looked for */
	const struct counts *counts; /* NULL: nothing was counted */
	const struct reds *reds;     /* NULL: requests were not followed */
	int64_t pid;                 /* the process that was asked for; 0: all */
	const char *cgroup; /* the control group that was asked for, as it was typed; NULL: all */
};

void report_init(struct report *r, const char *schema, const struct host *h);
void report_done(struct report *r);

struct use_row *report_use(struct report *r, enum resource res, const char *instance);
struct sheet *report_sheet(struct report *r, const char *step, const char *title,
			   const struct sheet_column *columns, unsigned ncolumns);
/* Add a row; cells start as unknown numbers. Returns its index. */
size_t sheet_row(struct sheet *s, bool matters);
void sheet_number(struct sheet *s, size_t row, unsigned col, double v);
void sheet_text(struct report *r, struct sheet *s, size_t row, unsigned col, const char *text);

const char *verdict_name(enum verdict v);

#endif
