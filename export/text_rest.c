/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the text report: what was cleared, what could not be judged, what looking cost and missed. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "export/style.h"
#include "export/text.h"

#define CLEARED_SHORT 3 /* lines of one resource in the short form */

/* ---- ruled out ---- */

static void cleared_line(struct buf *out, const struct style *s, const struct cleared *c)
{
	struct para p;

	buf_str(out, "  ");
	para_begin(&p, out, s, 2, 10);
	para_piece(&p, INK_STRONG, resource_name(c->resource));
	if (*c->instance)
		para_piece(&p, INK_PLAIN, c->instance);
	para_words(&p, INK_PLAIN, c->why);
	para_end(&p);
}

void text_cleared(struct buf *out, const struct report *r, const struct style *s)
{
	unsigned seen[RES_MAX] = { 0 }, left_out = 0;
	char text[64];

	if (!r->findings.ncleared)
		return;
	text_title(out, s, "Ruled out");
	for (size_t i = 0; i < r->findings.ncleared; i++) {
		const struct cleared *c = &r->findings.cleared[i];

		if (!s->verbose && seen[c->resource]++ >= CLEARED_SHORT)
			left_out++;
		else
			cleared_line(out, s, c);
	}
	if (!left_out)
		return;
	snprintf(text, sizeof(text), "  (+%u more with --verbose)\n", left_out);
	buf_str(out, text);
}

/* ---- not checked ---- */

/* Rules with the same reason stand on one line. The short form takes for the reason what stands before its first
 * colon: "eBPF: owners of futexes" and "eBPF: delay per packet" are the same lack. */
static size_t reason_length(const struct unknown *u, bool verbose)
{
	const char *colon = verbose ? NULL : strstr(u->why, ": ");

	return colon ? (size_t)(colon - u->why) : strlen(u->why);
}

static bool same_reason(const struct unknown *a, const struct unknown *b, bool verbose)
{
	size_t n = reason_length(a, verbose);

	return n == reason_length(b, verbose) && !memcmp(a->why, b->why, n);
}

static void unknown_group(struct buf *out, const struct findings *fs, const struct style *s,
			  size_t first, bool *done)
{
	const struct unknown *u = &fs->unknown[first];
	size_t length = strlen(u->why);
	char why[sizeof(u->why) + 2];
	struct para p;

	/* A reason that all of them share is told in full. */
	for (size_t i = first; i < fs->nunknown; i++)
		if (same_reason(u, &fs->unknown[i], s->verbose) &&
		    strcmp(u->why, fs->unknown[i].why) != 0)
			length = reason_length(u, s->verbose);
	buf_str(out, "  ");
	para_begin(&p, out, s, 2, 4);
	snprintf(why, sizeof(why), "%.*s:", (int)length, u->why);
	para_words(&p, INK_STRONG, why);
	for (size_t i = first; i < fs->nunknown; i++) {
		if (!same_reason(u, &fs->unknown[i], s->verbose))
			continue;
		done[i] = true;
		para_piece(&p, INK_PLAIN, fs->unknown[i].id);
	}
	para_end(&p);
}

void text_unknown(struct buf *out, const struct report *r, const struct style *s)
{
	const struct findings *fs = &r->findings;
	bool *done;

	if (!fs->nunknown)
		return;
	text_title(out, s, "Not checked, because");
	done = mem_array(fs->nunknown, sizeof(*done));
	for (size_t i = 0; i < fs->nunknown; i++)
		if (!done[i])
			unknown_group(out, fs, s, i, done);
	mem_free(done);
}

/* ---- ledger ---- */

static void label(struct para *p, const char *word)
{
	para_piece(p, INK_STRONG, word);
	buf_fill(p->out, ' ', p->left - 1 - p->col);
	p->col = p->left - 1;
}

static void count(struct para *p, bool *any, uint64_t n, const char *one, const char *many)
{
	char text[160];

	if (!n)
		return;
	snprintf(text, sizeof(text), "%s%" PRIu64 " %s", *any ? "· " : "", n, n == 1 ? one : many);
	para_words(p, INK_PLAIN, text);
	*any = true;
}

static void cost(struct buf *out, const struct report *r, const struct style *s)
{
	const struct ledger *l = &r->ledger;
	char number[32], text[160];
	struct para p;

	buf_str(out, "  ");
	para_begin(&p, out, s, 2, 10);
	label(&p, "cost");
	if (r->replayed && !(l->wall_seconds > 0)) {
		para_words(&p, INK_PLAIN, "paid when this was captured");
		para_end(&p);
		return;
	}
	snprintf(text, sizeof(text), "%.3f CPU seconds", l->cpu_seconds_self);
	para_words(&p, INK_PLAIN, text);
	if (l->wall_seconds > 0) {
		snprintf(text, sizeof(text), "in %.1f s = %.2f %% of one CPU", l->wall_seconds,
			 100 * l->cpu_seconds_self / l->wall_seconds);
		para_words(&p, INK_PLAIN, text);
	}
	if (l->attach_seconds > 0) {
		snprintf(text, sizeof(text), "· start %s",
			 unit_duration(number, sizeof(number), l->attach_seconds));
		para_words(&p, INK_PLAIN, text);
	}
	if (l->rss_bytes) {
		snprintf(text, sizeof(text), "· %s of memory (RSS)",
			 unit_format(number, sizeof(number), UNIT_BYTES, 0, (double)l->rss_bytes));
		para_words(&p, INK_PLAIN, text);
	}
	para_end(&p);
}

/* What the programs cost everybody, the dearest first. */
static void programs(struct buf *out, const struct report *r, const struct style *s)
{
	const struct ledger *l = &r->ledger;
	bool done[LEDGER_PROGRAMS] = { false };
	bool all = s->verbose || r->parts == REPORT_HISTS || r->parts == REPORT_RED;
	char number[32], size[32], text[200];
	struct para p;

	if (!l->bpf)
		return;
	buf_str(out, "  ");
	para_begin(&p, out, s, 2, 10);
	label(&p, "eBPF");
	snprintf(text, sizeof(text), "%.3f CPU seconds charged to everybody", l->cpu_seconds_bpf);
	para_words(&p, INK_PLAIN, text);
	if (l->wall_seconds > 0) {
		snprintf(text, sizeof(text), "= %.2f %% of one CPU",
			 100 * l->cpu_seconds_bpf / l->wall_seconds);
		para_words(&p, INK_PLAIN, text);
	}
	snprintf(text, sizeof(text), "· loading %s of CPU · maps %s",
		 unit_duration(number, sizeof(number), l->load_cpu_seconds),
		 unit_format(size, sizeof(size), UNIT_BYTES, 0, (double)l->map_bytes));
	para_words(&p, INK_PLAIN, text);
	for (size_t shown = 0; shown < (all ? l->nprograms : 1); shown++) {
		size_t best = LEDGER_PROGRAMS;

		for (size_t i = 0; i < l->nprograms; i++)
			if (!done[i] && l->programs[i].events && l->programs[i].ns_per_event >= 0 &&
			    (best == LEDGER_PROGRAMS ||
			     (double)l->programs[i].events * l->programs[i].ns_per_event >
				     (double)l->programs[best].events *
					     l->programs[best].ns_per_event))
				best = i;
		if (best == LEDGER_PROGRAMS)
			break;
		done[best] = true;
		snprintf(text, sizeof(text), "· %s %" PRIu64 " x %.0f ns", l->programs[best].name,
			 l->programs[best].events, l->programs[best].ns_per_event);
		para_words(&p, INK_PLAIN, text);
	}
	para_end(&p);
}

static void missed(struct buf *out, const struct report *r, const struct style *s)
{
	const struct ledger *l = &r->ledger;
	bool any = false;
	struct para p;

	buf_str(out, "  ");
	para_begin(&p, out, s, 2, 10);
	label(&p, "missed");
	count(&p, &any, l->short_lived, "short-lived process (counted, not looked into)",
	      "short-lived processes (counted, not looked into)");
	count(&p, &any, l->hidden_processes, "process that eBPF does not show (read from /proc)",
	      "processes that eBPF does not show (read from /proc)");
	count(&p, &any, l->unseen_threads, "thread without a first reading",
	      "threads without a first reading");
	count(&p, &any, l->counters_reset, "counter reset", "counter resets");
	count(&p, &any, l->samples_skipped, "state sample skipped", "state samples skipped");
	count(&p, &any, l->late_ticks, "late tick", "late ticks");
	count(&p, &any, l->missed_switches, "context switch that eBPF was not shown",
	      "context switches that eBPF was not shown (repaired)");
	count(&p, &any, l->recursion, "run of an eBPF program left out",
	      "runs of eBPF programs left out");
	count(&p, &any, l->clock_anomalies, "clock that went back", "clocks that went back");
	count(&p, &any, l->storage_refused, "thread without an account",
	      "threads without an account");
	count(&p, &any, l->hist_untimed, "request whose beginning nobody had noted",
	      "requests whose beginning nobody had noted");
	count(&p, &any, l->hist_keys, "value that is with the others",
	      "values that are with the others");
	count(&p, &any, l->hist_starts, "value that was not taken", "values that were not taken");
	count(&p, &any, l->hist_errors, "error that was not counted",
	      "errors that were not counted");
	count(&p, &any, l->red_services, "connection of a service that found no place",
	      "connections of services that found no place");
	count(&p, &any, l->red_sockets, "connection that found no place",
	      "pieces of data on connections that found no place");
	count(&p, &any, l->red_names, "request that is under no name",
	      "requests that are under no name");
	count(&p, &any, l->dead_full + l->stacks_full + l->pairs_full + l->samples_full,
	      "entry that found an eBPF map full", "entries that found an eBPF map full");
	if (!any)
		para_words(&p, INK_PLAIN, "nothing that sixty knows of");
	para_end(&p);
}

/* What this kernel or machine does not have: worth a line only for those who want every line. */
static bool is_absence(const struct status *s)
{
	return s->code == -ENOENT || s->code == -ENODEV || s->code == -EOPNOTSUPP ||
	       s->code == -ENOSYS;
}

static bool happened(const struct status *s)
{
	return s->code == -EDQUOT || s->code == -ETIMEDOUT;
}

/* Sources that did not answer, each with its reason. */
static void sources(struct buf *out, const struct report *r, const struct style *s)
{
	const struct view *v = r->view;
	bool any = false, unsaid = false;
	struct para p;

	for (size_t i = 0; v && i < v->nstatus; i++) {
		char text[512];

		if (!v->status[i].code || (!s->verbose && is_absence(&v->status[i])))
			continue;
		if (!any) {
			buf_str(out, "  ");
			para_begin(&p, out, s, 2, 10);
			label(&p, "unread");
		}
		snprintf(text, sizeof(text), "%s%s", any ? "· " : "", v->status[i].name);
		para_words(&p, INK_PLAIN, text);
		/* what happened now no doctor can tell tomorrow */
		if (*v->status[i].why && (s->verbose || happened(&v->status[i]))) {
			snprintf(text, sizeof(text), "(%s)", v->status[i].why);
			para_words(&p, INK_PLAIN, text);
		}
		any = true;
		unsaid |= !s->verbose && !happened(&v->status[i]);
	}
	if (!any)
		return;
	if (unsaid)
		para_words(&p, INK_PLAIN, "(why: sixty doctor)");
	para_end(&p);
}

void text_ledger(struct buf *out, const struct report *r, const struct style *s)
{
	text_title(out, s, "What looking cost and missed");
	cost(out, r, s);
	programs(out, r, s);
	missed(out, r, s);
	sources(out, r, s);
}
