/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the program in words. Everything printed here stands in a row somewhere else: metrics.def,
 * files.def, the rules of checklist/. */
#include "cmd/catalogue.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

const char *catalogue_source(const struct metric *m, unsigned source, char *out, size_t size)
{
	const struct source *s = &m->sources[source];
	const char *path = files[s->file].path;

	if (s->key)
		snprintf(out, size, "%s, %s", path, s->key);
	else if (s->col && files[s->file].shape != SHAPE_OWN)
		snprintf(out, size, "%s, word %d", path, s->col);
	else
		snprintf(out, size, "%s", path);
	return out;
}

const char *catalogue_unit(const struct metric *m)
{
	const char *name = unit_name(m->unit, m->kind == KIND_COUNTER);

	return *name ? name : "number";
}

const char *catalogue_pace(enum file_pace pace)
{
	static const char *const names[] = { "every 100 ms", "every second",
					     "at both ends of the window" };

	return names[pace];
}

/* ---- JSON ---- */

/* Limits of 0 are limits that the rule does not have. */
static void put_limit(struct json *j, const char *key, double v)
{
	if (v != 0)
		json_number(j, key, v);
	else
		json_null(j, key);
}

static void put_words(struct json *j, const char *key, const char *list)
{
	struct text rest = text_of(list ? list : ""), word;

	json_array(j, key);
	while (text_word(&rest, &word))
		json_string_n(j, NULL, word.p, text_len(word));
	json_end_array(j);
}

void catalogue_rule_json(struct json *j, const char *key, const struct rule *r)
{
	json_object(j, key);
	json_string(j, "id", r->id);
	json_string(j, "question", r->question);
	json_string(j, "resource", resource_name(r->resource));
	json_string(j, "aspect", aspect_name(r->aspect));
	json_string(j, "metric", r->metric == M_NONE ? NULL : metric_get(r->metric)->name);
	json_bool(j, "judged", r->check != NULL);
	put_limit(j, "floor", r->floor);
	put_limit(j, "warn", r->warn);
	put_limit(j, "crit", r->crit);
	json_string(j, "fires", r->fires);
	json_string(j, "needs", r->needs);
	json_string(j, "meaning", r->meaning);
	json_string(j, "lookalikes", r->lookalikes);
	json_string(j, "action", r->action);
	put_words(j, "symptoms", r->symptoms);
	json_end_object(j);
}

void catalogue_metric_json(struct json *j, const char *key, enum metric_id id)
{
	const struct metric *m = metric_get(id);
	char where[160];

	json_object(j, key);
	json_string(j, "name", m->name);
	json_string(j, "scope", scope_name(m->scope));
	json_string(j, "kind", kind_name(m->kind));
	json_string(j, "unit", catalogue_unit(m));
	json_string(j, "resource", resource_name(m->resource));
	json_string(j, "aspect", aspect_name(m->aspect));
	json_string(j, "help", m->help);
	json_array(j, "sources");
	for (unsigned i = 0; i < m->nsources; i++)
		json_string(j, NULL, catalogue_source(m, i, where, sizeof(where)));
	json_end_array(j);
	json_array(j, "inputs");
	for (unsigned i = 0; i < METRIC_INPUTS && m->kind == KIND_DERIVED; i++)
		if (m->inputs[i] != M_NONE)
			json_string(j, NULL, metric_get(m->inputs[i])->name);
	json_end_array(j);
	json_end_object(j);
}

/* ---- pages ---- */

/* Text of a table cell or a paragraph: what Markdown would take for its own is escaped. */
static void put_plain(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if (strchr("|<>*_`[]\\", *s))
			buf_char(out, '\\');
		buf_char(out, *s == '\n' ? ' ' : *s);
	}
}

static void metric_line(struct buf *out, const struct metric *m)
{
	char where[160];

	buf_printf(out, "| `%s` | %s | %s | %s, %s | ", m->name, catalogue_unit(m),
		   kind_name(m->kind), resource_name(m->resource), aspect_name(m->aspect));
	put_plain(out, m->help);
	buf_str(out, " | ");
	for (unsigned i = 0; i < m->nsources; i++) {
		buf_str(out, i ? "; else " : "");
		put_plain(out, catalogue_source(m, i, where, sizeof(where)));
	}
	for (unsigned i = 0; m->kind == KIND_DERIVED && i < METRIC_INPUTS; i++)
		if (m->inputs[i] != M_NONE)
			buf_printf(out, "%s`%s`", i ? ", " : "from ",
				   metric_get(m->inputs[i])->name);
	buf_str(out, " |\n");
}

void catalogue_metrics_page(struct buf *out)
{
	buf_str(out,
		"# Metrics\n\n"
		"Every number that sixty reads, with its sources, best first: the first one that answers wins.\n"
		"Written by `sixty list metrics --markdown` from model/metrics.def; do not edit.\n\n"
		"A *counter* grows for ever and is shown as its growth per second of the window.\n"
		"A *gauge* is a level: last value, peak and mean over time.\n"
		"A *label* is a name or a constant.\n"
		"A *derived* metric is computed from others.\n");
	for (int sc = 0; sc < SCOPE_MAX; sc++) {
		bool begun = false;

		for (enum metric_id id = M_NONE + 1; id < M_MAX; id++) {
			const struct metric *m = metric_get(id);

			if ((int)m->scope != sc)
				continue;
			if (!begun)
				buf_printf(
					out,
					"\n## %s\n\n| metric | unit | kind | about | what it is | source |\n"
					"|---|---|---|---|---|---|\n",
					scope_name(sc));
			begun = true;
			metric_line(out, m);
		}
	}
}

static void rule_part(struct buf *out, const char *title, const char *text)
{
	if (!text || !*text)
		return;
	buf_printf(out, "* **%s**: ", title);
	put_plain(out, text);
	buf_char(out, '\n');
}

static void rule_section(struct buf *out, const struct rule *r)
{
	struct text rest = text_of(r->symptoms ? r->symptoms : ""), word;
	bool first = true;

	buf_printf(out, "\n### %s\n\n", r->id);
	put_plain(out, r->question);
	buf_printf(out, " (%s, %s)\n\n", resource_name(r->resource), aspect_name(r->aspect));
	if (!r->check)
		rule_part(out, "Not judged by this build", r->needs);
	rule_part(out, "Meaning", r->meaning);
	rule_part(out, "Fires when", r->fires);
	rule_part(out, "Looks alike", r->lookalikes);
	rule_part(out, "What to do", r->action);
	if (r->check)
		rule_part(out, "Needs", r->needs);
	while (text_word(&rest, &word)) {
		bool own = text_skip(&word, "own:");

		buf_printf(out, "%s`%.*s`%s", first ? "* **Takes as symptoms**: " : ", ",
			   (int)text_len(word), word.p, own ? " (where nobody else suffers)" : "");
		first = false;
	}
	if (!first)
		buf_char(out, '\n');
}

void catalogue_rules_page(struct buf *out)
{
	unsigned judged = 0, all = 0;

	for (size_t t = 0; rules[t]; t++)
		for (const struct rule *r = rules[t]; r->id; r++) {
			judged += r->check != NULL;
			all++;
		}
	buf_printf(
		out,
		"# Rules\n\n"
		"Every condition that sixty knows: %u, of which this build judges %u.\n"
		"The others are listed as *not checked* in every report, with what they would need.\n"
		"Written by `sixty list rules --markdown` from the tables in checklist/; do not edit.\n\n"
		"A rule fires on an absolute floor *and* a measured impact on somebody in the window; a level alone never fires.\n",
		all, judged);
	for (enum resource res = 0; res < RES_MAX; res++) {
		buf_printf(out, "\n## %s\n", resource_name(res));
		for (size_t t = 0; rules[t]; t++)
			for (const struct rule *r = rules[t]; r->id; r++)
				if (r->resource == res)
					rule_section(out, r);
	}
}
