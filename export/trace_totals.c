/* SPDX-License-Identifier: Apache-2.0 */
/* The two ledgers of a trace: what was lost, and what it has cost. */
#include <inttypes.h>
#include <math.h>

#include "base/json.h"
#include "base/units.h"
#include "export/style.h"
#include "export/trace.h"

static uint64_t sum(const uint64_t *n)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < TRACE_MAX; i++)
		all += n[i];
	return all;
}

/* " (exec 6, exit 6)" */
static void put_counts(struct buf *out, const uint64_t *n, unsigned events, bool zeros)
{
	bool first = true;

	for (unsigned i = 0; i < TRACE_MAX; i++) {
		if (!(events & 1u << i) || (!n[i] && !zeros))
			continue;
		buf_printf(out, "%s%s %" PRIu64, first ? " (" : ", ", trace_events[i].name, n[i]);
		first = false;
	}
	if (!first)
		buf_char(out, ')');
}

/* Is the price of every program that did something known? */
static bool is_whole(const struct ledger *l)
{
	for (size_t i = 0; i < l->nprograms; i++)
		if (l->programs[i].events && isnan(l->programs[i].ns_per_event))
			return false;
	return true;
}

static const char *duration(char out[32], double seconds)
{
	return unit_format(out, 32, UNIT_SECONDS, 0, seconds);
}

static void put_events(struct buf *out, const struct trace_totals *t)
{
	uint64_t lost = sum(t->lost);
	char time[32];

	buf_printf(out, "%" PRIu64 " events in %s%s", sum(t->shown), duration(time, t->seconds),
		   t->interrupted ? ", interrupted" : "");
	put_counts(out, t->shown, t->events, true);
	if (!t->lost_known)
		buf_str(out, "; what was lost is not known");
	else if (lost)
		buf_printf(out, "; lost %" PRIu64 " events", lost);
	else
		buf_str(out, "; lost none");
	if (lost)
		put_counts(out, t->lost, t->events, false);
}

static void put_cost(struct buf *out, const struct trace_totals *t)
{
	const struct ledger *l = &t->ledger;
	char a[32], b[32], c[32], d[32];

	buf_printf(out, "cost: CPU of sixty %s, %s of it to load; of its programs %s%s",
		   duration(a, l->cpu_seconds_self), duration(b, l->load_cpu_seconds),
		   duration(c, l->cpu_seconds_bpf),
		   is_whole(l) ? "" : " and what was not measured");
	for (size_t i = 0, n = 0; i < l->nprograms; i++) {
		const struct program_cost *g = &l->programs[i];

		if (g->events)
			buf_printf(
				out, "%s%s %" PRIu64 " x %s", n++ ? ", " : ": ", g->name, g->events,
				isnan(g->ns_per_event) ? "?" : duration(a, g->ns_per_event * 1e-9));
	}
	buf_printf(out, "; maps %s",
		   unit_format(d, sizeof(d), UNIT_BYTES, 0, (double)l->map_bytes));
	if (t->paused_seconds > 0)
		buf_printf(out, "; reading paused for %s to stay within --budget",
			   duration(a, t->paused_seconds));
}

static void put_para(struct buf *out, const struct style *s, enum ink ink, struct buf *text)
{
	struct para p;

	para_begin(&p, out, s, 0, 2);
	para_words(&p, ink, text->data);
	para_end(&p);
	buf_clear(text);
}

void trace_totals_text(struct buf *out, const struct trace_totals *t, const struct style *s)
{
	struct buf text = { 0 };

	put_events(&text, t);
	put_para(out, s, sum(t->lost) ? INK_ALARM : INK_PLAIN, &text);
	put_cost(&text, t);
	put_para(out, s, INK_PLAIN, &text);
	buf_done(&text);
}

static void json_counts(struct json *j, const char *key, const struct trace_totals *t,
			const uint64_t *n, bool known)
{
	json_object(j, key);
	for (unsigned i = 0; i < TRACE_MAX; i++) {
		if (!(t->events & 1u << i))
			continue;
		if (known)
			json_u64(j, trace_events[i].name, n[i]);
		else
			json_null(j, trace_events[i].name);
	}
	json_end_object(j);
}

static void json_programs(struct json *j, const struct ledger *l)
{
	json_array(j, "programs");
	for (size_t i = 0; i < l->nprograms; i++) {
		json_object(j, NULL);
		json_string(j, "name", l->programs[i].name);
		json_u64(j, "events", l->programs[i].events);
		json_number(j, "ns_per_event", l->programs[i].ns_per_event);
		json_end_object(j);
	}
	json_end_array(j);
}

void trace_totals_json(struct buf *out, const struct trace_totals *t)
{
	const struct ledger *l = &t->ledger;
	struct json j;

	json_begin(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "sixty.trace/1");
	json_number(&j, "seconds", t->seconds);
	json_bool(&j, "interrupted", t->interrupted);
	json_counts(&j, "events", t, t->shown, true);
	json_u64(&j, "filtered", t->filtered);
	json_object(&j, "ledger");
	json_object(&j, "cost");
	json_number(&j, "cpu_seconds_self", l->cpu_seconds_self);
	json_number(&j, "cpu_seconds_bpf", l->cpu_seconds_bpf);
	json_bool(&j, "cpu_seconds_bpf_whole", is_whole(l));
	json_number(&j, "load_cpu_seconds", l->load_cpu_seconds);
	json_number(&j, "rss_bytes", (double)l->rss_bytes);
	json_number(&j, "map_bytes", (double)l->map_bytes);
	json_number(&j, "paused_seconds", t->paused_seconds);
	json_programs(&j, l);
	json_end_object(&j);
	json_object(&j, "loss");
	json_counts(&j, "events", t, t->lost, t->lost_known);
	json_u64(&j, "missed_runs", l->recursion);
	json_end_object(&j);
	json_end_object(&j);
	json_end_object(&j);
	buf_char(out, '\n');
}
