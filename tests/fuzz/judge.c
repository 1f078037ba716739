/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz everything behind the collectors: two readings of any numbers are subtracted, judged by every rule and printed
 * in one of the formats, chosen by the first byte. Then come tables as in a capture, each behind a line "@0 process" or
 * "@1 process". */
#include "tests/fuzz/fuzz.h"

#include <math.h>

#include "checklist/rule.h"
#include "export/exporter.h"
#include "model/lost.h"
#include "model/tsv.h"

static enum scope scope_of(struct text name)
{
	for (int sc = 0; sc < SCOPE_MAX; sc++)
		if (text_eq(name, scope_name(sc)))
			return sc;
	return SCOPE_MAX;
}

/* Up to the next line that begins with '@'. */
static struct text next_table(struct text *in)
{
	struct text line, rest = *in, table = { in->p, in->p };

	while (rest.p < rest.end && *rest.p != '@' && text_line(&rest, &line))
		table.end = rest.p;
	*in = rest;
	return table;
}

static void read_tables(struct snapshot s[2], struct text in)
{
	struct text line, step, name;
	struct err e;

	while (text_line(&in, &line)) {
		struct text table;
		enum scope sc;

		if (!text_skip(&line, "@") || !text_word(&line, &step) || !text_word(&line, &name))
			continue;
		sc = scope_of(name);
		table = next_table(&in);
		if (sc == SCOPE_MAX)
			continue;
		snapshot_begin(&s[text_eq(step, "1")], sc,
			       text_eq(step, "1") ? 11000000000 : 1000000000);
		tsv_read(&s[text_eq(step, "1")], sc, table, &e);
	}
}

static void check_text(const struct exporter *x, const struct buf *out)
{
	uint32_t cp;

	for (size_t at = 0; at < out->len;) {
		size_t took = text_utf8(out->data + at, out->len - at, &cp);

		require(took > 0);
		require(cp >= 0x20 || cp == '\n' || (cp == '\r' && !strcmp(x->name, "csv")));
		require(cp != 0x7f && !(cp >= 0x80 && cp < 0xa0));
		at += took;
	}
}

static void print(struct report *r, unsigned choice)
{
	static const unsigned widths[] = { 60, 120, 250 };
	size_t n = 0;

	while (exporters[n])
		n++;
	const struct exporter *x = exporters[choice % n];
	struct style style = {
		.columns = widths[choice / n % 3],
		.verbose = choice & 64,
		.ascii = choice & 128,
		.color = choice & 32,
	};
	struct buf out = { 0 };

	x->write(&out, r, &style);
	if (!style.color)
		check_text(x, &out);
	buf_done(&out);
}

static void check_findings(const struct findings *fs)
{
	for (size_t i = 0; i < fs->n; i++) {
		const struct finding *f = &fs->list[i];

		if (getenv("FUZZ_SHOW"))
			fprintf(stderr, "%s: %s\n", f->id, f->summary);
		require(f->confidence >= 0 && f->confidence <= 1);
		require(*f->summary);
		require(!(f->impact.lost < 0) && !(f->impact.failed < 0) &&
			!(f->impact.wasted < 0) && !(f->impact.to_limit < 0));
		require(!isinf(f->impact.lost) && !isinf(f->impact.failed) &&
			!isinf(f->impact.wasted));
		require(f->noffenders <= FINDING_PARTIES && f->nvictims <= FINDING_PARTIES &&
			f->nevidence <= FINDING_EVIDENCE);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned choice = fuzz_choice(&data, &size);
	struct text in = fuzz_copy(data, size);
	struct snapshot s[2];
	struct interval window, *seconds[1] = { &window };
	struct report r;
	struct view v;
	double total = 0;
	size_t nlost = 0;

	metrics_init();
	snapshot_init(&s[0], &fuzz_host);
	snapshot_init(&s[1], &fuzz_host);
	interval_init(&window, &fuzz_host);
	s[0].time_ns = 1000000000;
	s[1].time_ns = 11000000000;
	read_tables(s, in);
	interval_diff(&window, &s[0], &s[1]);
	v = (struct view){ .host = &fuzz_host,
			   .window = &window,
			   .seconds = seconds,
			   .nseconds = 1,
			   .first = &s[0],
			   .last = &s[1] };
	v.lost = lost_build(&window, &nlost, &total);
	v.nlost = nlost;
	v.lost_total = total;
	report_init(&r, "sixty.triage/1", &fuzz_host);
	r.view = &v;
	r.seconds = 10;
	checklist_run(&v, &r);
	check_findings(&r.findings);
	print(&r, choice);
	report_done(&r);
	free((void *)v.lost);
	interval_done(&window);
	snapshot_done(&s[0]);
	snapshot_done(&s[1]);
	free((char *)in.p);
	return 0;
}
