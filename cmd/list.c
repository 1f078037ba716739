/* SPDX-License-Identifier: Apache-2.0 */
/* sixty list: the tables that the program is made of, for people, for scripts, for docs/. */
#include "cmd/commands.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "checklist/rule.h"
#include "cmd/catalogue.h"
#include "cmd/output.h"
#include "collectors/collector.h"
#include "export/style.h"
#include "model/hist.h"
#include "model/metric.h"
#include "model/trace.h"

struct list_args {
	struct output_args output;
	bool markdown;
};

static const struct list_args defaults = { .markdown = false };

/* clang-format off */
static const struct opt opts[] = {
	{ 0, "markdown", OPT_FLAG, offsetof(struct list_args, markdown), NULL,
	  "as a page of documentation (metrics and rules)", 0, 0, NULL },
	PRINT_OPTS(struct list_args, output),
	{ .name = NULL }
};
/* clang-format on */

struct listing {
	const char *what;
	void (*text)(struct buf *out, const struct style *s);
	void (*json)(struct json *j);
	void (*markdown)(struct buf *out);
};

static void heading(struct buf *out, const struct style *s, const char *title)
{
	if (out->len)
		buf_char(out, '\n');
	style_put(out, s, INK_TITLE, title);
	buf_char(out, '\n');
}

/* A name in bold, then words that hang below it. */
static void entry(struct para *p, struct buf *out, const struct style *s, const char *name,
		  unsigned width)
{
	unsigned n = (unsigned)strlen(name);

	if (n > width)
		width = n;
	buf_str(out, "  ");
	style_ink(out, s, INK_STRONG);
	style_name(out, s, name, -(int)width);
	style_ink(out, s, INK_PLAIN);
	para_begin(p, out, s, 2 + width, 6);
	p->fresh = false;
}

/* ---- metrics ---- */

static void metrics_text(struct buf *out, const struct style *s)
{
	for (int sc = 0; sc < SCOPE_MAX; sc++) {
		bool begun = false;

		for (enum metric_id id = M_NONE + 1; id < M_MAX; id++) {
			const struct metric *m = metric_get(id);
			char about[64];
			struct para p;

			if ((int)m->scope != sc)
				continue;
			if (!begun)
				heading(out, s, scope_name(sc));
			begun = true;
			entry(&p, out, s, m->name, 26);
			snprintf(about, sizeof(about), "%s, %s:", kind_name(m->kind),
				 catalogue_unit(m));
			para_words(&p, INK_PLAIN, about);
			para_words(&p, INK_PLAIN, m->help);
			para_end(&p);
		}
	}
}

static void metrics_json(struct json *j)
{
	for (enum metric_id id = M_NONE + 1; id < M_MAX; id++)
		catalogue_metric_json(j, NULL, id);
}

/* ---- rules ---- */

static void rule_text(struct buf *out, const struct style *s, const struct rule *r)
{
	struct para p;

	entry(&p, out, s, r->id, 28);
	para_words(&p, INK_PLAIN, r->question);
	if (!r->check)
		para_words(&p, INK_PLAIN, "(not judged by this build)");
	para_end(&p);
}

static void rules_text(struct buf *out, const struct style *s)
{
	for (enum resource res = 0; res < RES_MAX; res++) {
		heading(out, s, resource_name(res));
		for (size_t t = 0; rules[t]; t++)
			for (const struct rule *r = rules[t]; r->id; r++)
				if (r->resource == res)
					rule_text(out, s, r);
	}
}

static void rules_json(struct json *j)
{
	for (size_t t = 0; rules[t]; t++)
		for (const struct rule *r = rules[t]; r->id; r++)
			catalogue_rule_json(j, NULL, r);
}

/* ---- collectors ---- */

static void collectors_text(struct buf *out, const struct style *s)
{
	for (size_t i = 0; collectors[i]; i++) {
		const struct collector *c = collectors[i];
		char pace[64];
		struct para p;

		entry(&p, out, s, c->name, 16);
		snprintf(pace, sizeof(pace), "%s:", catalogue_pace(c->pace));
		para_words(&p, INK_PLAIN, pace);
		para_words(&p, INK_PLAIN, c->what);
		if (*c->needs) {
			para_words(&p, INK_STRONG, "needs");
			para_words(&p, INK_PLAIN, c->needs);
		}
		para_end(&p);
	}
}

static void collectors_json(struct json *j)
{
	for (size_t i = 0; collectors[i]; i++) {
		const struct collector *c = collectors[i];

		json_object(j, NULL);
		json_string(j, "name", c->name);
		json_string(j, "what", c->what);
		json_string(j, "needs", *c->needs ? c->needs : NULL);
		json_string(j, "pace", catalogue_pace(c->pace));
		json_array(j, "scopes");
		for (int sc = 0; sc < SCOPE_MAX; sc++)
			if (c->scopes & 1u << sc)
				json_string(j, NULL, scope_name(sc));
		json_end_array(j);
		json_end_object(j);
	}
}

/* ---- files ---- */

static void files_text(struct buf *out, const struct style *s)
{
	for (enum file_id id = F_NONE + 1; id < F_MAX; id++) {
		char pace[64];
		struct para p;

		entry(&p, out, s, files[id].path, 28);
		snprintf(pace, sizeof(pace), "%s:", catalogue_pace(files[id].pace));
		para_words(&p, INK_PLAIN, pace);
		para_words(&p, INK_PLAIN, files[id].what);
		para_end(&p);
	}
}

static void files_json(struct json *j)
{
	for (enum file_id id = F_NONE + 1; id < F_MAX; id++) {
		json_object(j, NULL);
		json_string(j, "path", files[id].path);
		json_string(j, "what", files[id].what);
		json_string(j, "scope", scope_name(files[id].scope));
		json_string(j, "pace", catalogue_pace(files[id].pace));
		json_end_object(j);
	}
}

/* ---- events ---- */

static void events_text(struct buf *out, const struct style *s)
{
	struct buf text = { 0 };

	for (unsigned i = 0; i < TRACE_MAX; i++) {
		const struct trace_event *ev = &trace_events[i];
		struct para p;

		buf_clear(&text);
		buf_printf(&text, "%s;", ev->what);
		if (*ev->needs)
			buf_printf(&text, " needs: %s;", ev->needs);
		if (*ev->price)
			buf_printf(&text, " costs: %s;", ev->price);
		buf_str(&text, " columns:");
		for (const struct trace_column *c = ev->columns; c->key; c++)
			buf_printf(&text, " %s", c->key);
		entry(&p, out, s, ev->name, 12);
		para_words(&p, INK_PLAIN, text.data);
		para_end(&p);
	}
	buf_done(&text);
}

static void events_json(struct json *j)
{
	for (unsigned i = 0; i < TRACE_MAX; i++) {
		const struct trace_event *ev = &trace_events[i];

		json_object(j, NULL);
		json_string(j, "name", ev->name);
		json_string(j, "what", ev->what);
		json_string(j, "needs", *ev->needs ? ev->needs : NULL);
		json_string(j, "price", *ev->price ? ev->price : NULL);
		json_bool(j, "min", ev->slow);
		json_bool(j, "process", !ev->anonymous);
		json_array(j, "columns");
		for (const struct trace_column *c = ev->columns; c->key; c++) {
			json_object(j, NULL);
			json_string(j, "key", c->key);
			json_string(j, "what", c->what);
			json_end_object(j);
		}
		json_end_array(j);
		json_end_object(j);
	}
}

/* ---- distributions ---- */

static void hists_text(struct buf *out, const struct style *s)
{
	struct buf text = { 0 };

	for (unsigned i = 0; i < HIST_KINDS; i++) {
		const struct hist_kind *k = &hist_kinds[i];
		struct para p;

		if (!k->name)
			continue;
		buf_clear(&text);
		buf_printf(&text, "%s; per %s", k->what, hist_key_name(k->key));
		for (unsigned key = 0; key < HIST_KEYS; key++)
			if (key != k->key && (!key || (k->keys & 1u << key)))
				buf_printf(&text, ", %s", hist_key_name((enum wire_hist_key)key));
		buf_printf(&text, ";%s", k->process ? " -p and -C;" : "");
		if (*k->limits)
			buf_printf(&text, " limits: %s;", k->limits);
		if (k->price)
			buf_printf(&text, " costs: %s;", k->price);
		entry(&p, out, s, k->name, 12);
		para_words(&p, INK_PLAIN, text.data);
		para_end(&p);
	}
	buf_done(&text);
}

static void hists_json(struct json *j)
{
	for (unsigned i = 0; i < HIST_KINDS; i++) {
		const struct hist_kind *k = &hist_kinds[i];

		if (!k->name)
			continue;
		json_object(j, NULL);
		json_string(j, "name", k->name);
		json_string(j, "what", k->what);
		json_string(j, "unit", unit_name(k->unit, 0));
		json_string(j, "limits", *k->limits ? k->limits : NULL);
		json_string(j, "price", k->price);
		json_bool(j, "process", k->process);
		json_string(j, "per", hist_key_name(k->key));
		json_array(j, "keys");
		for (unsigned key = 0; key < HIST_KEYS; key++)
			if (!key || (k->keys & 1u << key))
				json_string(j, NULL, hist_key_name((enum wire_hist_key)key));
		json_end_array(j);
		json_array(j, "measures");
		for (const struct hist_measure *m = k->measures; m->name; m++) {
			json_object(j, NULL);
			json_string(j, "name", m->name);
			json_string(j, "what", m->what);
			json_end_object(j);
		}
		json_end_array(j);
		json_end_object(j);
	}
}

/* ---- command ---- */

/* clang-format off */
static const struct listing listings[] = {
	{ "metrics", metrics_text, metrics_json, catalogue_metrics_page },
	{ "rules", rules_text, rules_json, catalogue_rules_page },
	{ "collectors", collectors_text, collectors_json, NULL },
	{ "files", files_text, files_json, NULL },
	{ "events", events_text, events_json, NULL },
	{ "hists", hists_text, hists_json, NULL },
};
/* clang-format on */

static const struct listing *listing_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(listings) / sizeof(*listings); i++)
		if (!strcmp(listings[i].what, name))
			return &listings[i];
	return NULL;
}

static void write_json(struct buf *out, const struct listing *l)
{
	struct json j;

	json_begin(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "sixty.list/1");
	json_array(&j, l->what);
	l->json(&j);
	json_end_array(&j);
	json_end_object(&j);
	buf_char(out, '\n');
}

static int list_run(const void *args, int argc, char **argv)
{
	const struct list_args *a = args;
	const struct listing *l;
	struct buf b = { 0 };
	struct err e = { 0 };
	struct output o;

	if (argc != 1)
		return output_usage(
			"list", "needs one of: metrics, rules, collectors, files, events, hists");
	l = listing_by_name(argv[0]);
	if (!l)
		return output_usage(
			"list",
			"there is no table '%s': it has metrics, rules, collectors, files, events, hists",
			argv[0]);
	if (a->markdown && !l->markdown)
		return output_usage(
			"list",
			"%s have no page of documentation: --markdown is for metrics and rules",
			l->what);
	if (output_open(&o, &a->output, &e))
		return output_refused(&e);
	if (a->output.json)
		write_json(&b, l);
	else if (a->markdown)
		l->markdown(&b);
	else
		l->text(&b, &o.style);
	return output_done(&o, &b);
}

const struct command command_list = {
	.name = "list",
	.summary =
		"print the tables of metrics, rules, collectors, files, events and distributions",
	.usage = "sixty list metrics|rules|collectors|files|events|hists [--json|--markdown]",
	.description =
		"Metrics are the numbers that are read, rules the conditions that are looked for, collectors the parts that read, "
		"files what they read and how often, events what `sixty trace` prints, hists what `sixty hist` shows.",
	.examples = "sixty list rules\tthe catalogue of conditions\n"
		    "sixty list metrics --json\tfor scripts\n",
	.opts = opts,
	.defaults = &defaults,
	.args_size = sizeof(struct list_args),
	.run = list_run,
};
