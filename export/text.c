/* SPDX-License-Identifier: Apache-2.0 */
/* The report for a person: what is wrong comes first and fits on the first screen, what supports it follows.
 *
 *   verdict                       one sentence
 *   machine, window, lost time
 *   findings                      text_findings.c
 *   time of threads               text_time.c
 *   kernel by kind of work        text_kernel.c
 *   USE table                     text_use.c
 *   requests of services          text_red.c
 *   60-second checklist           text_sheets.c
 *   ruled out, not checked, cost  text_rest.c
 */
#include "export/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "export/counts.h"
#include "export/hists.h"
#include "export/style.h"

void text_title(struct buf *out, const struct style *s, const char *title)
{
	buf_char(out, '\n');
	style_put(out, s, INK_TITLE, title);
	buf_char(out, '\n');
}

static enum ink verdict_ink(const struct report *r)
{
	if (r->verdict == VERDICT_HEALTHY)
		return INK_GOOD;
	if (r->verdict == VERDICT_ACTIONABLE && r->findings.n &&
	    r->findings.list[0].severity == SEV_CRIT)
		return INK_CRIT;
	return INK_WARN;
}

static void verdict(struct buf *out, const struct report *r, const struct style *s)
{
	static const char *const words[] = { "HEALTHY", "ACTIONABLE", "INCONCLUSIVE" };
	struct para p;

	para_begin(&p, out, s, 0, 2);
	if (s->color) {
		style_ink(out, s, verdict_ink(r));
		buf_printf(out, " %s ", words[r->verdict]);
		style_ink(out, s, INK_PLAIN);
		p.col = (unsigned)strlen(words[r->verdict]) + 2;
	} else {
		buf_printf(out, "%s:", words[r->verdict]);
		p.col = (unsigned)strlen(words[r->verdict]) + 1;
	}
	p.fresh = false;
	para_words(&p, INK_STRONG, r->summary);
	para_end(&p);
}

/* A person on the machine thinks in its local time; a replayed capture has no locality. */
static void when(char *out, size_t size, const struct report *r)
{
	time_t t = (time_t)(r->start_wall_ns / 1000000000);
	struct tm tm;

	if (!r->replayed && localtime_r(&t, &tm)) {
		strftime(out, size, "%Y-%m-%d %H:%M:%S %Z", &tm);
		return;
	}
	if (!gmtime_r(&t, &tm))
		memset(&tm, 0, sizeof(tm));
	strftime(out, size, "%Y-%m-%d %H:%M:%S UTC", &tm);
}

static void machine(struct buf *out, const struct report *r, const struct style *s)
{
	const struct host *h = r->host;
	char text[256], number[32];
	struct para p;

	buf_fill(out, ' ', 2);
	para_begin(&p, out, s, 2, 2);
	para_piece(&p, INK_STRONG, h->hostname);
	snprintf(text, sizeof(text), "· Linux %s %s · %u CPU%s ·", h->kernel, h->arch, h->cpus,
		 h->cpus == 1 ? "" : "s");
	para_words(&p, INK_PLAIN, text);
	para_words(&p, INK_PLAIN,
		   unit_format(number, sizeof(number), UNIT_BYTES, 0, (double)h->memory_bytes));
	if (*h->virtualization && strcmp(h->virtualization, "none")) {
		para_words(&p, INK_PLAIN, "·");
		para_piece(&p, INK_PLAIN, h->virtualization);
	}
	if (h->container)
		para_words(&p, INK_PLAIN, "· in a container");
	if (!h->root)
		para_words(&p, INK_PLAIN, "· not root");
	snprintf(text, sizeof(text), "· %s%.1f s from", r->interrupted ? "interrupted after " : "",
		 r->seconds);
	para_words(&p, INK_PLAIN, text);
	when(text, sizeof(text), r);
	para_piece(&p, INK_PLAIN, text);
	para_end(&p);
}

/* Threads that were seen to stand still, or more where findings know of waits that look like sleep from outside
 * (for a reply that does not come). */
static double all_lost(const struct report *r)
{
	double claimed = 0;

	for (size_t i = 0; i < r->findings.n; i++)
		if (r->findings.list[i].severity >= SEV_WARN && r->findings.list[i].impact.lost > 0)
			claimed += r->findings.list[i].impact.lost;
	return claimed > r->lost_total ? claimed : r->lost_total;
}

/* Below this nobody notices, and a share of it says nothing. */
#define NOTICEABLE 0.05

/* "s/s" is our unit of harm; it is told once, where it is first used. */
static void lost_time(struct buf *out, const struct report *r, const struct style *s)
{
	char number[32], text[256];
	struct para p;

	if (isnan(r->lost_total))
		return;
	style_number(number, sizeof(number), all_lost(r));
	snprintf(text, sizeof(text), "Lost to waiting: %s thread-seconds per second (s/s)", number);
	buf_fill(out, ' ', 2);
	para_begin(&p, out, s, 2, 2);
	para_words(&p, INK_PLAIN, text);
	if (r->findings.n && r->findings.list[0].severity >= SEV_WARN && !isnan(r->explained) &&
	    r->lost_total >= NOTICEABLE) {
		snprintf(text, sizeof(text), "· %.0f %% explained", 100 * r->explained);
		para_words(&p, INK_PLAIN, text);
	}
	para_end(&p);
}

/* Whoever ran this on a terminal now sees the end: the ledger. Say again what matters. */
static void closing(struct buf *out, const struct report *r, const struct style *s)
{
	unsigned lines = 0;

	if (!s->rows)
		return;
	for (size_t i = 0; i < out->len; i++)
		lines += out->data[i] == '\n';
	if (lines < s->rows)
		return;
	buf_char(out, '\n');
	verdict(out, r, s);
}

static void write_text(struct buf *out, const struct report *r, const struct style *s)
{
	if (!(r->parts & REPORT_VERDICT)) {
		machine(out, r, s);
		if (r->parts & REPORT_HISTS)
			text_hists(out, r, s);
		else if (r->parts & REPORT_COUNTS)
			text_counts(out, r, s);
		else if (r->parts & REPORT_RED)
			text_red(out, r, s);
		else
			text_time(out, r, s);
		if (!r->more)
			text_ledger(out, r, s);
		return;
	}
	verdict(out, r, s);
	machine(out, r, s);
	lost_time(out, r, s);
	text_findings(out, r, s);
	if (r->verdict != VERDICT_ACTIONABLE)
		text_cleared(out, r, s);
	text_time(out, r, s);
	text_kernel(out, r, s);
	text_use(out, r, s);
	text_red(out, r, s);
	text_sheets(out, r, s);
	if (r->verdict == VERDICT_ACTIONABLE)
		text_cleared(out, r, s);
	text_unknown(out, r, s);
	text_ledger(out, r, s);
	closing(out, r, s);
}

extern const struct exporter exporter_text;
const struct exporter exporter_text = {
	.name = "text",
	.help = "for a person: verdict, findings, USE table, 60-second checklist",
	.write = write_text,
};
