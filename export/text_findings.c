/* SPDX-License-Identifier: Apache-2.0 */
/* Findings for a person. The first one in full, the others short enough that several fit on 24 lines; --verbose
 * shows all of each. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "export/style.h"
#include "export/text.h"

#define LABEL_COLUMNS 9 /* "  hurts  " */

/* How much of a finding is shown. */
struct depth {
	unsigned parties, evidence, symptoms, next, stacks, frames;
};

static const struct depth everything = { FINDING_PARTIES, FINDING_EVIDENCE, FINDING_LINES,
					 FINDING_LINES,   FINDING_STACKS,   24 };
static const struct depth leading = { 4, 4, 3, 2, 1, 4 };
static const struct depth following = { 2, 0, 0, 1, 0, 0 };

static void label(struct buf *out, const struct style *s, struct para *p, const char *word)
{
	buf_str(out, "  ");
	style_put(out, s, INK_STRONG, word);
	buf_fill(out, ' ', LABEL_COLUMNS - 2 - strlen(word));
	para_begin(p, out, s, LABEL_COLUMNS, LABEL_COLUMNS);
}

static void more(struct para *p, unsigned n)
{
	char text[32];

	if (!n)
		return;
	snprintf(text, sizeof(text), "(+%u more)", n);
	para_piece(p, INK_PLAIN, text);
}

/* ---- headline ---- */

static void impact_words(char *out, size_t size, const struct finding *f, const struct style *s)
{
	const struct impact *i = &f->impact;
	const char *about = f->estimated ? style_glyph(s, GLYPH_ABOUT) : "";
	char n[32];

	out[0] = '\0';
	if (i->lost > 0)
		snprintf(out, size, "%s%s s/s lost", about, style_number(n, sizeof(n), i->lost));
	else if (i->failed > 0)
		snprintf(out, size, "%s%s operations/s fail", about,
			 style_number(n, sizeof(n), i->failed));
	else if (i->serial > 0)
		snprintf(out, size, "%s%s s/s behind one thread", about,
			 style_number(n, sizeof(n), i->serial));
	else if (i->wasted > 0)
		snprintf(out, size, "%s%s CPU s/s wasted", about,
			 style_number(n, sizeof(n), i->wasted));
	else if (i->to_limit >= 0)
		snprintf(out, size, "limit in %s%s", about,
			 unit_duration(n, sizeof(n), i->to_limit));
}

/* Faces of the impact that the headline has no room for. */
static void other_faces(struct buf *out, const struct finding *f, const struct style *s)
{
	const struct impact *i = &f->impact;
	unsigned known = (i->lost > 0) + (i->failed > 0) + (i->serial > 0) + (i->wasted > 0) +
			 (i->to_limit >= 0);
	char n[32], text[96];
	struct para p;

	if (known < 2)
		return;
	label(out, s, &p, "impact");
	if (i->lost > 0) {
		snprintf(text, sizeof(text), "%s s/s lost", style_number(n, sizeof(n), i->lost));
		para_words(&p, INK_PLAIN, text);
	}
	if (i->failed > 0) {
		snprintf(text, sizeof(text), "· %s operations/s fail",
			 style_number(n, sizeof(n), i->failed));
		para_words(&p, INK_PLAIN, text);
	}
	if (i->serial > 0) {
		snprintf(text, sizeof(text), "· %s s/s behind one thread",
			 style_number(n, sizeof(n), i->serial));
		para_words(&p, INK_PLAIN, text);
	}
	if (i->wasted > 0) {
		snprintf(text, sizeof(text), "· %s CPU s/s wasted",
			 style_number(n, sizeof(n), i->wasted));
		para_words(&p, INK_PLAIN, text);
	}
	if (i->to_limit >= 0) {
		snprintf(text, sizeof(text), "· limit in %s",
			 unit_duration(n, sizeof(n), i->to_limit));
		para_words(&p, INK_PLAIN, text);
	}
	para_end(&p);
}

static unsigned badge(struct buf *out, const struct style *s, enum severity sev)
{
	static const struct {
		const char *word;
		enum ink ink;
	} badges[] = {
		[SEV_INFO] = { "INFO", INK_INFO },
		[SEV_WARN] = { "WARN", INK_WARN },
		[SEV_CRIT] = { "CRIT", INK_CRIT },
	};

	if (!s->color) {
		buf_str(out, badges[sev].word);
		return 4;
	}
	style_ink(out, s, badges[sev].ink);
	buf_printf(out, " %s ", badges[sev].word);
	style_ink(out, s, INK_PLAIN);
	return 6;
}

static void headline(struct buf *out, const struct finding *f, const struct style *s)
{
	char impact[96], sure[64];
	struct para p;

	para_begin(&p, out, s, 0, 2);
	p.col = badge(out, s, f->severity);
	p.fresh = false;
	para_piece(&p, INK_STRONG, f->id);
	if (*f->instance)
		para_piece(&p, INK_STRONG, f->instance);
	impact_words(impact, sizeof(impact), f, s);
	if (*impact) {
		para_piece(&p, INK_PLAIN, "·");
		para_piece(&p, INK_PLAIN, impact);
	}
	snprintf(sure, sizeof(sure), "· %.0f %% sure%s", 100 * f->confidence,
		 f->estimated ? ", estimated" : "");
	para_words(&p, INK_PLAIN, sure);
	para_end(&p);
}

/* ---- parties ---- */

static void party_name(char *out, size_t size, const struct party *p)
{
	const char *what =
		p->kind == PARTY_PROCESS || p->kind == PARTY_DEVICE ? "" : party_kind_name(p->kind);
	char pid[32] = "", port[16] = "";

	if (p->pid)
		snprintf(pid, sizeof(pid), "[%" PRId64 "]", p->pid);
	if (p->port > 0)
		snprintf(port, sizeof(port), p->kind == PARTY_PORT ? "%d" : ":%d", p->port);
	/* "127.0.0.1:80" says its port itself */
	if (p->kind == PARTY_PORT && strchr(p->name, ':'))
		snprintf(out, size, "%s%s", p->name, pid);
	else if (p->kind == PARTY_PORT)
		snprintf(out, size, "port %s%s%s%s", *port ? port : p->name,
			 *port && *p->name ? " " : "", *port ? p->name : "", pid);
	else
		snprintf(out, size, "%s%s%s%s%s", what, *what ? " " : "", p->name, pid, port);
}

/* "transcoded[4242] 92 % of it", "webwork[4711] 1.90 s/s in /svc-a" */
static void party_text(char *out, size_t size, const struct party *x, bool first_offender,
		       bool verbose)
{
	char name[192], number[32], amount[64] = "";
	bool elsewhere = verbose && *x->cgroup && strcmp(x->cgroup, "/") && x->kind != PARTY_CGROUP;

	party_name(name, sizeof(name), x);
	if (!isnan(x->share))
		snprintf(amount, sizeof(amount), " %s%s",
			 unit_format(number, sizeof(number), UNIT_RATIO, 0, x->share),
			 first_offender ? " of it" : "");
	else if (!isnan(x->lost))
		snprintf(amount, sizeof(amount), " %s s/s",
			 style_number(number, sizeof(number), x->lost));
	snprintf(out, size, "%s%s%s%s", name, amount, elsewhere ? " in " : "",
		 elsewhere ? x->cgroup : "");
}

static void parties(struct para *p, const struct party *list, unsigned n, unsigned most,
		    const struct style *s)
{
	for (unsigned i = 0; i < n && i < most; i++) {
		char text[512];

		party_text(text, sizeof(text) - 1, &list[i], !i, s->verbose);
		if (i + 1 < n)
			strcat(text, ",");
		para_piece(p, INK_PLAIN, text);
	}
	if (n > most)
		more(p, n - most);
}

/* ---- evidence ---- */

static void threshold_words(char *out, size_t size, const struct evidence *e, const struct style *s)
{
	char number[48];

	out[0] = '\0';
	if (isnan(e->threshold))
		return;
	snprintf(out, size, " (%s %s)",
		 style_glyph(s, e->value >= e->threshold ? GLYPH_AT_LEAST : GLYPH_BELOW),
		 style_quantity(number, sizeof(number), e->threshold, e->unit));
}

static void evidence_row(struct buf *out, const struct style *s, const struct evidence *e)
{
	char number[48], limit[64], text[320];
	struct para p;

	buf_fill(out, ' ', LABEL_COLUMNS);
	threshold_words(limit, sizeof(limit), e, s);
	snprintf(text, sizeof(text), "%s %s%s", e->metric,
		 style_quantity(number, sizeof(number), e->value, e->unit), limit);
	para_begin(&p, out, s, LABEL_COLUMNS, LABEL_COLUMNS + 2);
	para_words(&p, INK_PLAIN, text);
	if (*e->source) {
		snprintf(text, sizeof(text), "from %s", e->source);
		para_words(&p, INK_PLAIN, text);
	}
	para_end(&p);
}

static void evidence(struct buf *out, const struct finding *f, const struct style *s, unsigned most)
{
	struct para p;

	if (!f->nevidence || !most)
		return;
	if (s->verbose) {
		label(out, s, &p, "seen");
		para_words(&p, INK_PLAIN, "value (threshold) source");
		para_end(&p);
		for (unsigned i = 0; i < f->nevidence; i++)
			evidence_row(out, s, &f->evidence[i]);
		return;
	}
	label(out, s, &p, "seen");
	for (unsigned i = 0; i < f->nevidence && i < most; i++) {
		const struct evidence *e = &f->evidence[i];
		char number[48], limit[64], text[256];

		threshold_words(limit, sizeof(limit), e, s);
		snprintf(text, sizeof(text), "%s %s%s%s", e->metric,
			 style_quantity(number, sizeof(number), e->value, e->unit), limit,
			 i + 1 < f->nevidence && i + 1 < most ? "," : "");
		para_piece(&p, INK_PLAIN, text);
	}
	if (f->nevidence > most)
		more(&p, f->nevidence - most);
	para_end(&p);
}

/* ---- stacks ---- */

/* "61 % of its samples in a < b < c …": who calls stands behind. */
static void stacks(struct buf *out, const struct finding *f, const struct style *s,
		   const struct depth *d)
{
	for (unsigned i = 0; i < f->nstacks && i < d->stacks; i++) {
		struct text all = text_of(f->stacks[i].frames), frame;
		char number[32], text[192];
		struct para p;

		label(out, s, &p, i ? "" : "stack");
		if (i == 0) {
			snprintf(text, sizeof(text), "[%" PRId64 "]", f->stacks[i].pid);
			para_piece(&p, INK_PLAIN, text);
		}
		para_words(&p, INK_PLAIN,
			   unit_format(number, sizeof(number), UNIT_RATIO, 0, f->stacks[i].share));
		for (unsigned n = 0; text_until(&all, ';', &frame); n++) {
			if (n == d->frames) {
				para_piece(&p, INK_PLAIN, style_glyph(s, GLYPH_ELLIPSIS));
				break;
			}
			snprintf(text, sizeof(text), "%s%.*s", n ? "< " : "", (int)text_len(frame),
				 frame.p);
			para_piece(&p, INK_PLAIN, text);
		}
		para_end(&p);
	}
}

/* ---- the whole ---- */

static void who(struct buf *out, const struct finding *f, const struct style *s,
		const struct depth *d)
{
	struct para p;

	if (f->noffenders) {
		label(out, s, &p, "by");
		parties(&p, f->offenders, f->noffenders, d->parties, s);
		if (!d->evidence && f->nvictims) {
			para_piece(&p, INK_PLAIN, "·");
			para_piece(&p, INK_STRONG, "hurts");
			parties(&p, f->victims, f->nvictims, d->parties, s);
			para_end(&p);
			return;
		}
		para_end(&p);
	}
	if (f->nvictims) {
		label(out, s, &p, "hurts");
		parties(&p, f->victims, f->nvictims, d->parties, s);
		para_end(&p);
	}
}

static void lines(struct buf *out, const struct finding *f, const struct style *s,
		  const struct depth *d)
{
	struct para p;

	if (f->nsymptoms && d->symptoms) {
		label(out, s, &p, "also");
		for (unsigned i = 0; i < f->nsymptoms && i < d->symptoms; i++) {
			if (i)
				para_piece(&p, INK_PLAIN, "·");
			para_words(&p, INK_PLAIN, f->symptoms[i]);
		}
		if (f->nsymptoms > d->symptoms)
			more(&p, f->nsymptoms - d->symptoms);
		para_end(&p);
	}
	for (unsigned i = 0; i < f->nnext && i < d->next; i++) {
		label(out, s, &p, i ? "" : "next");
		p.left = LABEL_COLUMNS + 2;
		if (f->next[i][0] == '#') /* advice that is no command */
			para_words(&p, INK_PLAIN, f->next[i] + 1);
		else
			para_command(&p, f->next[i]);
		para_end(&p);
	}
}

static void finding(struct buf *out, const struct finding *f, const struct style *s,
		    const struct depth *d, bool said)
{
	struct para p;

	headline(out, f, s);
	if (!said) {
		buf_fill(out, ' ', 2);
		para_begin(&p, out, s, 2, 2);
		para_words(&p, INK_PLAIN, f->summary);
		para_end(&p);
	}
	if (d == &everything)
		other_faces(out, f, s);
	who(out, f, s, d);
	evidence(out, f, s, d->evidence);
	stacks(out, f, s, d);
	lines(out, f, s, d);
}

/* Nobody is hurt: one paragraph. */
static void remark(struct buf *out, const struct finding *f, const struct style *s)
{
	char text[64];
	struct para p;

	para_begin(&p, out, s, 0, 2);
	p.col = badge(out, s, f->severity);
	p.fresh = false;
	snprintf(text, sizeof(text), "%s:", f->id);
	para_piece(&p, INK_STRONG, text);
	para_words(&p, INK_PLAIN, f->summary);
	para_end(&p);
}

void text_findings(struct buf *out, const struct report *r, const struct style *s)
{
	if (r->findings.n)
		buf_char(out, '\n');
	for (size_t i = 0; i < r->findings.n; i++) {
		const struct finding *f = &r->findings.list[i];

		if (s->verbose) {
			if (i)
				buf_char(out, '\n');
			finding(out, f, s, &everything, false);
		} else if (f->severity == SEV_INFO) {
			remark(out, f, s);
		} else {
			/* The verdict is usually the first finding's sentence: twice on one screen is once too often. */
			finding(out, f, s, i ? &following : &leading,
				!i && strstr(r->summary, f->summary));
		}
	}
}
