/* SPDX-License-Identifier: Apache-2.0 */
/* sixty explain: what a rule or a metric means, how it is measured, what else looks like it, what to do. */
#include "cmd/commands.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "checklist/rule.h"
#include "cmd/catalogue.h"
#include "cmd/output.h"
#include "export/style.h"
#include "model/metric.h"

#define LABEL_COLUMNS 16

struct explain_args {
	struct output_args output;
};

static const struct explain_args defaults = { .output = { .json = false } };

/* clang-format off */
static const struct opt opts[] = {
	PRINT_OPTS(struct explain_args, output),
	{ .name = NULL }
};
/* clang-format on */

static void part(struct buf *out, const struct style *s, const char *title, const char *text)
{
	struct para p;

	if (!text || !*text)
		return;
	buf_str(out, "  ");
	style_put(out, s, INK_STRONG, title);
	buf_fill(out, ' ', LABEL_COLUMNS - 2 - strlen(title));
	para_begin(&p, out, s, LABEL_COLUMNS, LABEL_COLUMNS);
	para_words(&p, INK_PLAIN, text);
	para_end(&p);
}

static void headline(struct buf *out, const struct style *s, const char *name, const char *about,
		     const char *text)
{
	struct para p;

	para_begin(&p, out, s, 0, 2);
	para_piece(&p, INK_TITLE, name);
	para_words(&p, INK_PLAIN, about);
	para_end(&p);
	buf_str(out, "  ");
	para_begin(&p, out, s, 2, 2);
	para_words(&p, INK_PLAIN, text);
	para_end(&p);
	buf_char(out, '\n');
}

/* ---- rules ---- */

static void rule_text(struct buf *out, const struct style *s, const struct rule *r)
{
	char about[64];

	snprintf(about, sizeof(about), "(%s, %s)", resource_name(r->resource),
		 aspect_name(r->aspect));
	headline(out, s, r->id, about, r->question);
	if (!r->check)
		part(out, s, "not judged", r->needs);
	part(out, s, "means", r->meaning);
	part(out, s, "fires when", r->fires);
	part(out, s, "looks alike", r->lookalikes);
	part(out, s, "what to do", r->action);
	if (r->check)
		part(out, s, "needs", r->needs);
	if (r->metric != M_NONE)
		part(out, s, "metric", metric_get(r->metric)->name);
	part(out, s, "symptoms", r->symptoms);
}

/* ---- metrics ---- */

static void metric_text(struct buf *out, const struct style *s, enum metric_id id)
{
	const struct metric *m = metric_get(id);
	struct buf list = { 0 };
	char text[192], where[160];

	snprintf(text, sizeof(text), "(%s of %s, %s)", kind_name(m->kind), scope_name(m->scope),
		 catalogue_unit(m));
	headline(out, s, m->name, text, m->help);
	snprintf(text, sizeof(text), "%s, %s", resource_name(m->resource), aspect_name(m->aspect));
	part(out, s, "about", text);
	for (unsigned i = 0; i < m->nsources; i++)
		part(out, s, i ? "or" : "source", catalogue_source(m, i, where, sizeof(where)));
	for (unsigned i = 0; m->kind == KIND_DERIVED && i < METRIC_INPUTS; i++)
		if (m->inputs[i] != M_NONE)
			buf_printf(&list, "%s%s", list.len ? " " : "",
				   metric_get(m->inputs[i])->name);
	part(out, s, "derived from", list.data);
	buf_clear(&list);
	for (size_t t = 0; rules[t]; t++)
		for (const struct rule *r = rules[t]; r->id; r++)
			if (r->metric == id)
				buf_printf(&list, "%s%s", list.len ? " " : "", r->id);
	part(out, s, "rules", list.len ? list.data : "");
	buf_done(&list);
}

/* ---- names that are not there ---- */

static unsigned common_prefix(const char *a, const char *b)
{
	unsigned n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

/* Letters of a that stand in b in the same order: a slip of the fingers costs one or two. */
static unsigned in_order(const char *a, const char *b)
{
	unsigned n = 0;

	for (; *a; a++) {
		const char *at = strchr(b, *a);

		if (!at)
			continue;
		b = at + 1;
		n++;
	}
	return n;
}

static unsigned likeness(const char *asked, const char *name)
{
	size_t longer = strlen(asked) > strlen(name) ? strlen(asked) : strlen(name);

	if (strstr(name, asked))
		return 100;
	return longer ? (unsigned)((60 * in_order(asked, name) + 40 * common_prefix(asked, name)) /
				   longer)
		      : 0;
}

static const char *closest(const char *asked)
{
	const char *best = NULL;
	unsigned best_score = 65;

	for (size_t t = 0; rules[t]; t++)
		for (const struct rule *r = rules[t]; r->id; r++)
			if (likeness(asked, r->id) > best_score) {
				best_score = likeness(asked, r->id);
				best = r->id;
			}
	for (enum metric_id id = M_NONE + 1; id < M_MAX; id++)
		if (likeness(asked, metric_get(id)->name) > best_score) {
			best_score = likeness(asked, metric_get(id)->name);
			best = metric_get(id)->name;
		}
	return best;
}

static int unknown(const char *asked)
{
	const char *near = closest(asked);
	struct err e;

	if (near)
		err_set(&e, -1, "there is no rule or metric '%.100s'; did you mean %s?", asked,
			near);
	else
		err_set(&e, -1,
			"there is no rule or metric '%.100s'; `sixty list rules` and `sixty list metrics` have them all",
			asked);
	output_error(&e);
	return 2;
}

/* ---- command ---- */

static void write_json(struct buf *out, const struct rule *r, enum metric_id id)
{
	struct json j;

	json_begin(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "sixty.explain/1");
	if (r)
		catalogue_rule_json(&j, "rule", r);
	else
		catalogue_metric_json(&j, "metric", id);
	json_end_object(&j);
	buf_char(out, '\n');
}

static int explain_run(const void *args, int argc, char **argv)
{
	const struct explain_args *a = args;
	const struct rule *r;
	enum metric_id id;
	struct buf b = { 0 };
	struct err e = { 0 };
	struct output o;

	if (argc != 1)
		return output_usage(
			"explain",
			"needs the id of one rule or metric, as in `sixty explain cpu.saturated`");
	r = rule_by_id(argv[0]);
	id = metric_by_name(argv[0]);
	if (!r && id == M_NONE)
		return unknown(argv[0]);
	if (output_open(&o, &a->output, &e))
		return output_refused(&e);
	if (a->output.json)
		write_json(&b, r, id);
	else if (r)
		rule_text(&b, &o.style, r);
	else
		metric_text(&b, &o.style, id);
	return output_done(&o, &b);
}

const struct command command_explain = {
	.name = "explain",
	.summary = "say what a finding or a metric means, how it is measured and what to do",
	.usage = "sixty explain ID [--json]",
	.description =
		"ID is the id of a finding, such as cpu.saturated, or the name of a metric, such as disk.busy.",
	.examples = "sixty explain disk.saturated\ta rule\n"
		    "sixty explain disk.busy\ta metric\n",
	.opts = opts,
	.defaults = &defaults,
	.args_size = sizeof(struct explain_args),
	.run = explain_run,
};
