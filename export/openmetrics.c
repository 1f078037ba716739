/* SPDX-License-Identifier: Apache-2.0 */
/* OpenMetrics text: every metric at the window's end, raw (counters are cumulative, in base units), then the findings.
 *
 * Rates are the reader's business: a scraper has two scrapes. Threads, sockets and events come and go by the thousand
 * and are written with --verbose only. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "export/counts.h"
#include "export/exporter.h"
#include "export/hists.h"
#include "export/red.h"

/* The labels of every row of a scope, written once and used by each of its metrics. */
struct labels {
	struct buf text; /* NUL-terminated strings */
	size_t *at;      /* per row, into text */
	bool *twin;      /* the same labels are on a later row: a series must be unique */
	size_t nrows;
};

/* clang-format off */
static const char *const label_names[SCOPE_MAX] = {
	[SCOPE_SYSTEM] = "",        [SCOPE_CPU] = "cpu",         [SCOPE_IRQ] = "irq",         [SCOPE_NUMA] = "node",
	[SCOPE_SLAB] = "slab",      [SCOPE_DISK] = "device",     [SCOPE_FS] = "mountpoint",   [SCOPE_NETIF] = "interface",
	[SCOPE_QDISC] = "qdisc",    [SCOPE_NETNS] = "netns",     [SCOPE_SOCKET] = "socket",   [SCOPE_CGROUP] = "cgroup",
	[SCOPE_ENDPOINT] = "endpoint",
	[SCOPE_PROCESS] = "comm",   [SCOPE_THREAD] = "comm",     [SCOPE_EVENT] = "event",
	[SCOPE_TIME] = "comm",      [SCOPE_PAIR] = "pair",
	[SCOPE_STACK] = "stack",    [SCOPE_MECHANISM] = "mechanism",
};
/* clang-format on */

/* ---- text ---- */

void openmetrics_escape(struct buf *out, const char *raw)
{
	struct buf safe = { 0 };

	text_printable(&safe, raw, strlen(raw));
	for (size_t i = 0; i < safe.len; i++) {
		if (safe.data[i] == '\\' || safe.data[i] == '"')
			buf_char(out, '\\');
		buf_char(out, safe.data[i]);
	}
	buf_done(&safe);
}

static void put_label(struct buf *out, const char *name, const char *raw, bool first)
{
	buf_printf(out, "%s%s=\"", first ? "{" : ",", name);
	openmetrics_escape(out, raw);
	buf_char(out, '"');
}

static void put_value(struct buf *out, double v)
{
	if (isinf(v)) {
		buf_str(out, v > 0 ? " +Inf\n" : " -Inf\n");
		return;
	}
	if (fabs(v) < 0x1p53 && v == trunc(v)) {
		buf_printf(out, " %.0f\n", v);
		return;
	}
	buf_printf(out, " %.15g\n",
		   v); /* one digit less than a double has: 5.489493, not 5.4894929999999995 */
}

static bool ends_in(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n >= k && !strcmp(s + n - k, suffix);
}

/* "net.rx_bytes" in bytes is sixty_net_rx_bytes: the unit is the name's last word, and the words that samples of other
 * types end in are not to be the last word of a gauge. */
static void family_name(char *out, size_t size, const struct metric *m, const char *unit)
{
	static const char *const reserved[] = { "_total", "_created", "_count",
						"_sum",   "_bucket",  "_info" };
	size_t n;

	snprintf(out, size, "sixty_%s", m->name);
	for (char *p = out; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", *p))
			*p = '_';
	n = strlen(out);
	if (*unit && !(ends_in(out, unit) && out[n - strlen(unit) - 1] == '_')) {
		snprintf(out + n, size - n, "_%s", unit);
		return;
	}
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (ends_in(out, reserved[i])) {
			snprintf(out + n, size - n, "_level");
			return;
		}
}

static const char *unit_word(enum unit u)
{
	return u == UNIT_NONE || u == UNIT_COUNT ? "" : unit_name(u, 0);
}

static void put_head(struct buf *out, const char *name, const char *type, const char *unit,
		     const char *help)
{
	buf_printf(out, "# TYPE %s %s\n", name, type);
	if (*unit)
		buf_printf(out, "# UNIT %s %s\n", name, unit);
	buf_printf(out, "# HELP %s ", name);
	openmetrics_escape(out, help);
	buf_char(out, '\n');
}

/* ---- labels ---- */

static void put_number(struct buf *out, const char *name, double value)
{
	char number[32];

	snprintf(number, sizeof(number), "%.0f", value);
	put_label(out, name, number, false);
}

/* Whose time it is: a process, one of its threads, or the children that it had for a moment. */
static void time_labels(struct buf *out, const struct snapshot *s, size_t row)
{
	double tid = snapshot_value(s, M_TIME_TID, row);

	put_number(out, "pid", snapshot_value(s, M_TIME_PID, row));
	if (tid > 0)
		put_number(out, "tid", tid);
	if (snapshot_value(s, M_TIME_SHORT, row) > 0)
		put_label(out, "short_lived", "1", false);
	put_number(out, "start", (double)snapshot_id(s, SCOPE_TIME, row).birth);
}

static void row_labels(struct buf *out, const struct snapshot *s, enum scope sc, size_t row)
{
	char number[32];

	if (sc == SCOPE_SYSTEM)
		return;
	put_label(out, label_names[sc], snapshot_name(s, sc, row), true);
	if (sc == SCOPE_TIME)
		time_labels(out, s, row);
	if (sc == SCOPE_PROCESS || sc == SCOPE_THREAD || sc == SCOPE_SOCKET || sc == SCOPE_EVENT) {
		snprintf(number, sizeof(number), "%llu",
			 (unsigned long long)snapshot_id(s, sc, row).key);
		put_label(out,
			  sc == SCOPE_PROCESS  ? "pid"
			  : sc == SCOPE_THREAD ? "tid"
					       : "id",
			  number, false);
	}
	buf_char(out, '}');
}

static const struct labels *sorting;

static int by_labels(const void *x, const void *y)
{
	size_t a = *(const size_t *)x, b = *(const size_t *)y;
	int cmp = strcmp(sorting->text.data + sorting->at[a], sorting->text.data + sorting->at[b]);

	return cmp ? cmp : a < b ? -1 : a > b;
}

static void mark_twins(struct labels *l)
{
	size_t *order = mem_array(l->nrows + 1, sizeof(*order));

	for (size_t i = 0; i < l->nrows; i++)
		order[i] = i;
	sorting = l;
	if (l->nrows)
		qsort(order, l->nrows, sizeof(*order), by_labels);
	for (size_t i = 0; i + 1 < l->nrows; i++)
		l->twin[order[i]] =
			!strcmp(l->text.data + l->at[order[i]], l->text.data + l->at[order[i + 1]]);
	mem_free(order);
}

static void labels_init(struct labels *l, const struct snapshot *s, enum scope sc)
{
	*l = (struct labels){ .nrows = snapshot_rows(s, sc) };
	l->at = mem_array(l->nrows + 1, sizeof(*l->at));
	l->twin = mem_array(l->nrows + 1, sizeof(*l->twin));
	for (size_t row = 0; row < l->nrows; row++) {
		l->at[row] = l->text.len;
		row_labels(&l->text, s, sc, row);
		buf_char(&l->text, '\0');
	}
	mark_twins(l);
}

static void labels_done(struct labels *l)
{
	buf_done(&l->text);
	mem_free(l->at);
	mem_free(l->twin);
}

/* ---- metrics ---- */

static void put_metric(struct buf *out, const struct snapshot *s, enum metric_id id,
		       const struct labels *l)
{
	const struct metric *m = metric_get(id);
	const char *unit = unit_word(m->unit);
	bool counter = m->kind == KIND_COUNTER, begun = false;
	char name[128];

	family_name(name, sizeof(name), m, unit);
	for (size_t row = 0; row < l->nrows; row++) {
		double v = snapshot_value(s, id, row);

		if (isnan(v) || l->twin[row])
			continue;
		if (!begun)
			put_head(out, name, counter ? "counter" : "gauge", unit, m->help);
		begun = true;
		buf_printf(out, "%s%s%s", name, counter ? "_total" : "", l->text.data + l->at[row]);
		put_value(out, v);
	}
}

static void put_metrics(struct buf *out, const struct snapshot *s, bool verbose)
{
	struct labels labels[SCOPE_MAX];

	for (int sc = 0; sc < SCOPE_MAX; sc++)
		labels_init(&labels[sc], s, sc);
	for (enum metric_id id = M_NONE + 1; id < M_MAX; id++) {
		const struct metric *m = metric_get(id);

		if (m->kind != KIND_COUNTER && m->kind != KIND_GAUGE)
			continue;
		if (!verbose && (m->scope == SCOPE_THREAD || m->scope == SCOPE_SOCKET ||
				 m->scope == SCOPE_EVENT))
			continue;
		put_metric(out, s, id, &labels[m->scope]);
	}
	for (int sc = 0; sc < SCOPE_MAX; sc++)
		labels_done(&labels[sc]);
}

/* ---- findings ---- */

static void finding_labels(struct buf *out, const struct finding *f, size_t rank)
{
	char number[24];

	put_label(out, "id", f->id, true);
	put_label(out, "severity", severity_name(f->severity), false);
	put_label(out, "object", f->instance, false);
	snprintf(number, sizeof(number), "%zu", rank + 1);
	put_label(out, "rank", number, false);
	buf_char(out, '}');
}

static void put_findings(struct buf *out, const struct findings *fs)
{
	bool any_loss = false;

	for (size_t i = 0; i < fs->n; i++)
		any_loss |= !isnan(fs->list[i].impact.lost);
	if (fs->n)
		put_head(out, "sixty_finding", "gauge", "",
			 "1 for each finding; rank 1 comes first");
	for (size_t i = 0; i < fs->n; i++) {
		buf_str(out, "sixty_finding");
		finding_labels(out, &fs->list[i], i);
		put_value(out, 1);
	}
	if (any_loss)
		put_head(out, "sixty_finding_lost_seconds_per_second", "gauge", "",
			 "Time that threads stood still because of the finding");
	for (size_t i = 0; i < fs->n; i++) {
		if (isnan(fs->list[i].impact.lost))
			continue;
		buf_str(out, "sixty_finding_lost_seconds_per_second");
		finding_labels(out, &fs->list[i], i);
		put_value(out, fs->list[i].impact.lost);
	}
}

static void put_verdict(struct buf *out, const struct report *r)
{
	put_head(out, "sixty_verdict", "stateset", "", "What the window was judged to be");
	for (enum verdict v = VERDICT_HEALTHY; v <= VERDICT_INCONCLUSIVE; v++) {
		buf_str(out, "sixty_verdict");
		put_label(out, "sixty_verdict", verdict_name(v), true);
		buf_char(out, '}');
		put_value(out, r->verdict == v);
	}
	if (isnan(r->lost_total))
		return;
	put_head(out, "sixty_lost_seconds_per_second", "gauge", "",
		 "Time that threads stood still against their will");
	buf_str(out, "sixty_lost_seconds_per_second");
	put_value(out, r->lost_total);
}

static void put_self(struct buf *out, const struct ledger *l)
{
	put_head(out, "sixty_self_cpu_seconds", "gauge", "seconds", "CPU time that this look cost");
	buf_str(out, "sixty_self_cpu_seconds");
	put_value(out, l->cpu_seconds_self);
	put_head(out, "sixty_self_rss_bytes", "gauge", "bytes", "Memory that this look took");
	buf_str(out, "sixty_self_rss_bytes");
	put_value(out, (double)l->rss_bytes);
}

static void write_openmetrics(struct buf *out, const struct report *r, const struct style *s)
{
	if (r->parts == REPORT_HISTS) {
		openmetrics_hists(out, r);
	} else if (r->parts == REPORT_COUNTS) {
		openmetrics_counts(out, r);
	} else if (r->parts == REPORT_RED) {
		openmetrics_red(out, r);
	} else {
		if (r->view)
			put_metrics(out, r->view->last, s->verbose);
		put_verdict(out, r);
		put_findings(out, &r->findings);
	}
	put_self(out, &r->ledger);
	buf_str(out, "# EOF\n");
}

extern const struct exporter exporter_openmetrics;
const struct exporter exporter_openmetrics = {
	.name = "openmetrics",
	.help = "every metric at the window's end, and the findings, for a scraper",
	.write = write_openmetrics,
};
