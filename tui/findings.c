/* SPDX-License-Identifier: Apache-2.0 */
/* What was found, with its evidence; what is ruled out; what could not be checked. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "tui/grid.h"
#include "tui/screens.h"

/* Text that may be longer than the screen: lines before `top` are skipped. */
struct page {
	struct canvas *c;
	struct area a;
	int y; /* of the next line, from the top of the text */
	int top;
};

static void flow(struct page *p, int indent, enum paint paint, const char *text)
{
	/* a paragraph's height is only known by flowing it: on a line below the canvas nothing is drawn */
	int at = p->a.y + p->y - p->top;
	struct area part = { p->a.x + indent, at, p->a.columns - indent - 1,
			     p->a.y + p->a.rows - at };

	if (at < p->a.y) { /* scrolled off: measure it outside */
		part.y = (int)p->c->rows;
		part.rows = CANVAS_MOST;
		p->y += canvas_flow(p->c, part, paint, text);
		return;
	}
	if (part.rows <= 0) {
		part.y = (int)p->c->rows;
		part.rows = CANVAS_MOST;
	}
	p->y += canvas_flow(p->c, part, paint, text);
}

static void title(struct page *p, const char *text, const char *more)
{
	int at = p->a.y + p->y - p->top;

	if (at >= p->a.y && at < p->a.y + p->a.rows)
		heading(p->c, (struct area){ p->a.x, at, p->a.columns, 1 }, text, more);
	p->y++;
}

static enum paint severity_paint(enum severity s)
{
	return s == SEV_CRIT ? PAINT_CRIT : s == SEV_WARN ? PAINT_WARN : PAINT_INFO;
}

static void impact_text(const struct impact *i, char *out, size_t size)
{
	char number[32];

	out[0] = '\0';
	if (i->lost > 0)
		snprintf(out, size, "%.2f s/s lost", i->lost);
	if (i->failed > 0)
		snprintf(out + strlen(out), size - strlen(out), "%s%.1f failures/s",
			 out[0] ? ", " : "", i->failed);
	if (i->wasted > 0)
		snprintf(out + strlen(out), size - strlen(out), "%s%.2f CPUs spent on it",
			 out[0] ? ", " : "", i->wasted);
	if (i->serial > 0)
		snprintf(out + strlen(out), size - strlen(out), "%s%.2f s/s behind one thread",
			 out[0] ? ", " : "", i->serial);
	if (!isnan(i->to_limit))
		snprintf(out + strlen(out), size - strlen(out), "%sa limit in %s",
			 out[0] ? ", " : "", unit_duration(number, sizeof(number), i->to_limit));
}

static void parties(struct page *p, const char *word, const struct party *list, unsigned n)
{
	char text[600];
	size_t used = (size_t)snprintf(text, sizeof(text), "%s", word);

	for (unsigned i = 0; i < n && used < sizeof(text); i++) {
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s %s%s%.100s", i ? "," : "",
			list[i].kind == PARTY_PROCESS ? "" : party_kind_name(list[i].kind),
			list[i].kind == PARTY_PROCESS ? "" : " ", list[i].name);
		if (used < sizeof(text) && list[i].pid)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "[%lld]",
						 (long long)list[i].pid);
		if (used < sizeof(text) && !isnan(list[i].share))
			used += (size_t)snprintf(text + used, sizeof(text) - used, " %.0f %%",
						 100 * list[i].share);
		if (used < sizeof(text) && !isnan(list[i].lost))
			used += (size_t)snprintf(text + used, sizeof(text) - used, " %.2f s/s",
						 list[i].lost);
	}
	if (n)
		flow(p, 4, PAINT_PLAIN, text);
}

/* A value in the unit that the contract names; one that is no unit of ours is a word. */
static void quantity(char *out, size_t size, double v, const char *unit)
{
	for (enum unit u = UNIT_NONE + 1; u < UNIT_MAX; u++)
		for (int rate = 0; rate < 2; rate++)
			if (!strcmp(unit_name(u, rate), unit)) {
				unit_format(out, size, u, rate, v);
				return;
			}
	if (isnan(v))
		snprintf(out, size, "unknown");
	else
		snprintf(out, size, "%.4g %s", v, unit);
}

static void one_finding(struct page *p, const struct finding *f)
{
	char text[700], impact[120];

	impact_text(&f->impact, impact, sizeof(impact));
	snprintf(text, sizeof(text), "%s %s %s", severity_name(f->severity), f->id, f->instance);
	flow(p, 0, severity_paint(f->severity), text);
	snprintf(text, sizeof(text), "%s%s%.0f %% sure%s", impact, impact[0] ? " \xc2\xb7 " : "",
		 100 * f->confidence, f->estimated ? ", estimated" : "");
	flow(p, 4, PAINT_DIM, text);
	flow(p, 4, PAINT_STRONG, f->summary);
	parties(p, "by", f->offenders, f->noffenders);
	parties(p, "hurts", f->victims, f->nvictims);
	for (unsigned i = 0; i < f->nevidence; i++) {
		const struct evidence *e = &f->evidence[i];
		char value[64], limit[64];
		size_t used;

		quantity(value, sizeof(value), e->value, e->unit);
		quantity(limit, sizeof(limit), e->threshold, e->unit);
		used = (size_t)snprintf(text, sizeof(text), "seen %s %s", e->metric, value);
		if (!isnan(e->threshold))
			snprintf(text + used, sizeof(text) - used, " (limit %s)", limit);
		flow(p, 4, PAINT_PLAIN, text);
	}
	for (unsigned i = 0; i < f->nsymptoms; i++) {
		snprintf(text, sizeof(text), "with it: %s", f->symptoms[i]);
		flow(p, 4, PAINT_PLAIN, text);
	}
	for (unsigned i = 0; i < f->nnext; i++) {
		snprintf(text, sizeof(text), "next: %s", f->next[i]);
		flow(p, 4, PAINT_INFO, text);
	}
	p->y++;
}

bool scroll_key(struct ui *ui, const struct key *k, enum ui_want *want)
{
	*want = WANT_DRAW;
	return list_key(&ui->lists[ui->screen], k);
}

/* The scroll position is kept within the text that was drawn. */
static void settle(struct list *l, const struct page *p)
{
	int most = p->y - p->a.rows;

	l->page = p->a.rows;
	l->rows = (size_t)(most > 0 ? most + 1 : 1);
	if (l->at >= l->rows)
		l->at = l->rows - 1;
}

void findings_draw(struct ui *ui, struct canvas *c, struct area a)
{
	const struct report *r = ui->report;
	struct list *l = &ui->lists[ui->screen];
	struct page p = { .c = c, .a = a, .top = (int)l->at };
	char text[400];

	if (!r) {
		canvas_text(c, a.x, a.y, a.columns, PAINT_DIM,
			    "The first judgement comes after two seconds.");
		return;
	}
	snprintf(text, sizeof(text), "%s, over the last %.0f s", verdict_name(r->verdict),
		 r->seconds);
	title(&p, "Findings", text);
	if (!r->findings.n)
		flow(&p, 1, PAINT_GOOD, r->summary);
	for (size_t i = 0; i < r->findings.n; i++)
		one_finding(&p, &r->findings.list[i]);
	title(&p, "Ruled out", "with the largest effect that the data still allow");
	for (size_t i = 0; i < r->findings.ncleared; i++) {
		const struct cleared *f = &r->findings.cleared[i];

		snprintf(text, sizeof(text), "%s %s: %s", resource_name(f->resource), f->instance,
			 f->why);
		flow(&p, 1, PAINT_PLAIN, text);
	}
	title(&p, "Not checked", "and why");
	for (size_t i = 0; i < r->findings.nunknown; i++) {
		const struct unknown *f = &r->findings.unknown[i];

		snprintf(text, sizeof(text), "%s: %s", f->id, f->why);
		flow(&p, 1, PAINT_DIM, text);
	}
	settle(l, &p);
}
