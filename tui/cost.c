/* SPDX-License-Identifier: Apache-2.0 */
/* What sixty itself costs this machine, program by program, and what it has not seen. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "tui/grid.h"
#include "tui/screens.h"

struct loss {
	const char *what;
	size_t offset;
};

#define LOSS(field, text)                            \
	{                                            \
		text, offsetof(struct ledger, field) \
	}

static const struct loss losses[] = {
	LOSS(counters_reset, "counters that went back"),
	LOSS(late_ticks, "ticks that came late"),
	LOSS(unseen_threads, "threads that nobody followed"),
	LOSS(samples_skipped, "samples of threads that were left out"),
	LOSS(hidden_processes, "processes that eBPF does not show"),
	LOSS(unseen_switches, "context switches of threads without an account"),
	LOSS(missed_switches, "context switches that were missed"),
	LOSS(clock_anomalies, "intervals of negative length"),
	LOSS(storage_refused, "threads that got no storage"),
	LOSS(dead_full, "dead threads that found no room"),
	LOSS(stacks_full, "kernel stacks that found no room"),
	LOSS(pairs_full, "waits whose offender found no room"),
	LOSS(recursion, "program runs that the kernel skipped"),
};

static int draw_self(struct ui *ui, struct canvas *c, struct area a)
{
	const struct ledger *l = &ui->report->ledger;
	char text[300], rss[32], maps[32];
	double bpf = l->wall_seconds > 0 ? l->cpu_seconds_bpf / l->wall_seconds : NAN;

	heading(c, (struct area){ a.x, a.y, a.columns, 1 }, "What looking costs",
		"since the start");
	if (ui->replay) {
		canvas_text(c, a.x + 1, a.y + 1, a.columns - 1, PAINT_DIM,
			    "This is a capture: what it cost was paid elsewhere.");
		return 2;
	}
	snprintf(text, sizeof(text),
		 "sixty itself: %.2f %% of one CPU (%.2f s in %.0f s), %s of memory at most",
		 l->wall_seconds > 0 ? 100 * l->cpu_seconds_self / l->wall_seconds : NAN,
		 l->cpu_seconds_self, l->wall_seconds,
		 unit_format(rss, sizeof(rss), UNIT_BYTES, 0, (double)l->rss_bytes));
	canvas_text(c, a.x + 1, a.y + 1, a.columns - 1, PAINT_PLAIN, text);
	if (l->bpf)
		snprintf(
			text, sizeof(text),
			"its eBPF programs: %.3f %% of one CPU, charged to whoever ran; loading %.0f ms; maps %s",
			100 * bpf, 1000 * l->load_cpu_seconds,
			unit_format(maps, sizeof(maps), UNIT_BYTES, 0, (double)l->map_bytes));
	else
		snprintf(text, sizeof(text), "no eBPF programs: `sixty doctor` says why");
	canvas_text(c, a.x + 1, a.y + 2, a.columns - 1, PAINT_PLAIN, text);
	return 3;
}

static int draw_losses(struct ui *ui, struct canvas *c, struct area a)
{
	const char *l = (const char *)&ui->report->ledger;
	int y = 1, n = 0;

	heading(c, (struct area){ a.x, a.y, a.columns, 1 }, "What was not seen", "since the start");
	for (size_t i = 0; i < sizeof(losses) / sizeof(*losses) && y < a.rows; i++) {
		uint64_t count;

		memcpy(&count, l + losses[i].offset, sizeof(count));
		if (!count)
			continue;
		canvas_print(c, a.x + 1, a.y + y++, a.columns - 1, PAINT_WARN, "%10llu %s",
			     (unsigned long long)count, losses[i].what);
		n++;
	}
	if (!n)
		canvas_text(c, a.x + 1, a.y + y++, a.columns - 1, PAINT_GOOD, "Nothing was lost.");
	return y;
}

static void draw_programs(struct ui *ui, struct canvas *c, struct area a)
{
	const struct ledger *l = &ui->report->ledger;
	struct list *list = &ui->lists[ui->screen];

	canvas_print(c, a.x, a.y, a.columns, PAINT_HEAD, "%-24s %12s %10s %12s  %-14s %s",
		     "PROGRAM", "EVENTS/s", "ns EACH", "% OF ONE CPU", "HOOK", "WHAT FOR");
	list->rows = l->nprograms;
	list->page = a.rows - 1;
	if (list->at >= l->nprograms)
		list->at = l->nprograms ? l->nprograms - 1 : 0;
	for (size_t i = list->at; i < l->nprograms && (int)(i - list->at) < a.rows - 1; i++) {
		const struct program_cost *p = &l->programs[i];
		double rate = l->wall_seconds > 0 ? (double)p->events / l->wall_seconds : NAN;
		char each[32] = "-", share[32] = "-";

		if (!isnan(p->ns_per_event)) {
			snprintf(each, sizeof(each), "%.0f", p->ns_per_event);
			snprintf(share, sizeof(share), "%.4f", rate * p->ns_per_event * 1e-7);
		}
		canvas_print(c, a.x, a.y + 1 + (int)(i - list->at), a.columns, PAINT_PLAIN,
			     "%-24s %12.1f %10s %12s  %-14s %s%s", p->name, rate, each, share,
			     p->how, p->stopped > 0 ? "[stopped: too dear] " : "", p->what);
	}
}

void cost_draw(struct ui *ui, struct canvas *c, struct area a)
{
	int end = a.y + a.rows;

	if (!ui->report) {
		canvas_text(c, a.x, a.y, a.columns, PAINT_DIM, "Known after the first judgement.");
		return;
	}
	a.y += draw_self(ui, c, a);
	a.rows = end - a.y;
	if (a.rows > 2)
		a.y += draw_losses(ui, c, a);
	a.rows = end - a.y;
	if (a.rows > 2 && ui->report->ledger.nprograms)
		draw_programs(ui, c, a);
}
