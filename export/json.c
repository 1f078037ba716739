/* SPDX-License-Identifier: Apache-2.0 */
/* A report as one JSON object: the contract that scripts depend on, described in docs/output.md and checked by
 * tests/schema/triage.schema.json.
 *
 * Absent is null, never 0. Names from outside are made printable first: a reader that copies a value to a terminal
 * is as safe as the reader of the text. */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "export/counts.h"
#include "export/exporter.h"
#include "export/fields.h"
#include "export/hists.h"
#include "export/red.h"
#include "model/stacks.h"

static void put_host(struct json *j, const struct host *h)
{
	json_object(j, "host");
	json_printable(j, "hostname", h->hostname);
	json_printable(j, "kernel", h->kernel);
	json_printable(j, "arch", h->arch);
	json_u64(j, "cpus", h->cpus);
	json_u64(j, "memory_bytes", h->memory_bytes);
	json_known(j, "virtualization", h->virtualization);
	json_bool(j, "container", h->container);
	json_end_object(j);
}

static void put_window(struct json *j, const struct report *r)
{
	time_t t = (time_t)(r->start_wall_ns / 1000000000);
	unsigned ms = (unsigned)(r->start_wall_ns / 1000000 % 1000);
	char date[32], start[48];
	struct tm tm;

	if (!gmtime_r(&t, &tm))
		memset(&tm, 0, sizeof(tm));
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(start, sizeof(start), "%s.%03uZ", date, ms);
	json_object(j, "window");
	json_string(j, "start", start);
	json_number(j, "seconds", r->seconds);
	json_end_object(j);
}

static void put_verdict(struct json *j, const struct report *r)
{
	json_object(j, "verdict");
	json_string(j, "status", verdict_name(r->verdict));
	json_printable(j, "summary", r->summary);
	json_number(j, "explained", r->explained);
	json_end_object(j);
}

/* ---- findings ---- */

static void put_party(struct json *j, const struct party *p)
{
	json_string(j, "kind", party_kind_name(p->kind));
	json_printable(j, "name", p->name);
	if (p->pid)
		json_s64(j, "pid", p->pid);
	else
		json_null(j, "pid");
	if (p->port)
		json_s64(j, "port", p->port);
	json_known(j, "cgroup", p->cgroup);
}

static void put_parties(struct json *j, const struct finding *f)
{
	json_array(j, "offenders");
	for (unsigned i = 0; i < f->noffenders; i++) {
		json_object(j, NULL);
		put_party(j, &f->offenders[i]);
		json_number(j, "share", f->offenders[i].share);
		json_end_object(j);
	}
	json_end_array(j);
	json_array(j, "victims");
	for (unsigned i = 0; i < f->nvictims; i++) {
		json_object(j, NULL);
		put_party(j, &f->victims[i]);
		json_number(j, "lost_seconds_per_second", f->victims[i].lost);
		json_end_object(j);
	}
	json_end_array(j);
}

static void put_evidence(struct json *j, const struct finding *f)
{
	json_array(j, "evidence");
	for (unsigned i = 0; i < f->nevidence; i++) {
		const struct evidence *e = &f->evidence[i];

		json_object(j, NULL);
		json_printable(j, "metric", e->metric);
		json_number(j, "value", e->value);
		json_printable(j, "unit", e->unit);
		json_number(j, "threshold", e->threshold);
		json_printable(j, "source", e->source);
		json_end_object(j);
	}
	json_end_array(j);
}

static void put_finding(struct json *j, const struct finding *f)
{
	json_object(j, NULL);
	json_string(j, "id", f->id);
	json_string(j, "severity", severity_name(f->severity));
	json_string(j, "resource", resource_name(f->resource));
	json_string(j, "aspect", aspect_name(f->aspect));
	json_number(j, "confidence", f->confidence);
	json_object(j, "impact");
	json_number(j, "lost_seconds_per_second", f->impact.lost);
	json_number(j, "failed_ops_per_second", f->impact.failed);
	json_number(j, "wasted_cpu_seconds_per_second", f->impact.wasted);
	json_number(j, "serial_seconds_per_second", f->impact.serial);
	json_number(j, "seconds_to_limit", f->impact.to_limit);
	json_end_object(j);
	json_printable(j, "summary", f->summary);
	put_parties(j, f);
	put_evidence(j, f);
	json_array(j, "symptoms");
	for (unsigned i = 0; i < f->nsymptoms; i++)
		json_printable(j, NULL, f->symptoms[i]);
	json_end_array(j);
	json_array(j, "next");
	for (unsigned i = 0; i < f->nnext; i++)
		json_printable(j, NULL, f->next[i]);
	json_end_array(j);
	json_end_object(j);
}

/* ---- cleared and unknown ---- */

static void put_cleared(struct json *j, const struct findings *fs)
{
	json_array(j, "ruled_out");
	for (size_t i = 0; i < fs->ncleared; i++) {
		const struct cleared *c = &fs->cleared[i];
		char why[sizeof(c->instance) + sizeof(c->why) + 2];

		snprintf(why, sizeof(why), "%s%s%s", c->instance, *c->instance ? " " : "", c->why);
		json_object(j, NULL);
		json_string(j, "resource", resource_name(c->resource));
		json_printable(j, "why", why);
		json_array(j, "evidence");
		json_end_array(j);
		json_end_object(j);
	}
	json_end_array(j);
}

/* Sections of the contract that are empty, each with its reason. */
static const struct {
	const char *id, *why;
} missing_sections[] = {
	{ "red",
	  "needs eBPF and a kernel of 6.3 or later, which was not there: /proc has no requests" },
	{ "time",
	  "needs eBPF, which was not there: /proc cannot split every thread's time exactly" },
	{ "histograms", "needs eBPF, which was not there: /proc has sums, not distributions" },
	{ "stacks", "needs eBPF, which was not there: /proc has no stack samples" },
};

static void put_unknown_one(struct json *j, const char *id, const char *why)
{
	json_object(j, NULL);
	json_string(j, "id", id);
	json_printable(j, "why", why);
	json_end_object(j);
}

static bool has_accounts(const struct report *r)
{
	return r->view && r->view->nlost && r->view->lost[0].exact;
}

static bool has_section(const struct report *r, const char *id)
{
	if (!strcmp(id, "red"))
		return r->reds && !r->reds->why[0];
	if (!strcmp(id, "time"))
		return has_accounts(r);
	if (!strcmp(id, "histograms"))
		return r->hists && r->hists->n;
	return !strcmp(id, "stacks") && r->view && r->view->last &&
	       r->view->last->tables[SCOPE_STACK].time_ns;
}

static void put_unknown(struct json *j, const struct report *r)
{
	const struct findings *fs = &r->findings;

	json_array(j, "unknown");
	for (size_t i = 0; i < fs->nunknown; i++)
		put_unknown_one(j, fs->unknown[i].id, fs->unknown[i].why);
	for (size_t i = 0; i < sizeof(missing_sections) / sizeof(*missing_sections); i++)
		if (!has_section(r, missing_sections[i].id))
			put_unknown_one(j, missing_sections[i].id, missing_sections[i].why);
	json_end_array(j);
}

/* ---- tables ---- */

static void put_reason(struct json *j, const char *key, double value, const char *why)
{
	if (isnan(value))
		json_printable(j, key, *why ? why : "no source answered");
}

static void put_use(struct json *j, const struct report *r)
{
	json_array(j, "use");
	for (size_t i = 0; i < r->nuse; i++) {
		const struct use_row *u = &r->use[i];

		json_object(j, NULL);
		json_string(j, "resource", resource_name(u->resource));
		json_printable(j, "instance", u->instance);
		json_number(j, "utilization", u->utilization);
		json_number(j, "saturation", u->saturation);
		json_known(j, "saturation_unit", u->saturation_unit);
		json_number(j, "errors", u->errors);
		json_number(j, "worst_second", u->worst_second);
		json_object(j, "reasons");
		put_reason(j, "utilization", u->utilization, u->why_utilization);
		put_reason(j, "saturation", u->saturation, u->why_saturation);
		put_reason(j, "errors", u->errors, u->why_errors);
		json_end_object(j);
		json_end_object(j);
	}
	json_end_array(j);
}

static void put_sheet(struct json *j, const struct report *r, const struct sheet *s)
{
	json_object(j, NULL);
	json_string(j, "step", s->step);
	json_array(j, "rows");
	for (size_t row = 0; row < s->nrows; row++) {
		json_object(j, NULL);
		for (unsigned c = 0; c < s->ncolumns; c++) {
			const struct sheet_cell *cell = &s->cells[row * s->ncolumns + c];

			if (cell->text)
				json_printable(j, s->columns[c].key, r->strings.data + cell->text);
			else
				json_number(j, s->columns[c].key, cell->number);
		}
		json_end_object(j);
	}
	json_end_array(j);
	json_end_object(j);
}

/* Bytes per second of window; what nobody counted is null. */
static void put_bytes(struct json *j, const struct report *r, const struct lost_row *l)
{
	json_object(j, "bytes");
	json_number(j, "sent", l->sent / r->seconds);
	json_number(j, "received", l->received / r->seconds);
	json_number(j, "disk_read", l->io_read / r->seconds);
	json_number(j, "disk_written", l->io_written / r->seconds);
	json_end_object(j);
}

/* Seconds per second of window, by cause; a row's parts add up to its threads. */
static void put_account(struct json *j, const struct report *r, const struct lost_row *l)
{
	char cgroup[192];

	json_object(j, NULL);
	json_s64(j, "pid", l->pid);
	if (l->tid)
		json_s64(j, "tid", l->tid);
	else
		json_null(j, "tid");
	json_u64(j, "start", l->id.birth);
	json_printable(j, "comm", l->name);
	if (!*view_cgroup(r->view, l->id, "cpu", cgroup, sizeof(cgroup)))
		view_cgroup(r->view, l->id, "", cgroup, sizeof(cgroup)); /* v2 */
	json_known(j, "cgroup", cgroup);
	json_u64(j, "short_lived", l->short_lived);
	json_number(j, "threads", l->threads / r->seconds);
	for (enum cause c = CAUSE_USER; c <= CAUSE_THROTTLED; c++)
		json_number(j, cause_name(c), l->time[c] / r->seconds);
	json_object(j, "blocked");
	for (enum cause c = CAUSE_DISK; c <= CAUSE_OTHER; c++)
		json_number(j, cause_name(c), l->time[c] / r->seconds);
	json_end_object(j);
	for (enum cause c = CAUSE_REPLY; c < CAUSE_MAX; c++)
		json_number(j, cause_name(c), l->time[c] / r->seconds);
	json_number(j, "inflicted", l->inflicted / r->seconds);
	put_bytes(j, r, l);
	json_number(j, "open", l->open);
	json_end_object(j);
}

/* Who neither ran nor lost anything is counted nowhere else, and waits for work. */
#define ACCOUNT_LEAST 0.0005

static bool has_account(const struct report *r, const struct lost_row *l)
{
	double active = l->time[CAUSE_USER] + l->time[CAUSE_SYSTEM] + l->lost;

	if (!l->exact || (r->pid && l->pid != r->pid))
		return false;
	return r->pid || r->cgroup || active >= ACCOUNT_LEAST * r->seconds || l->inflicted > 0;
}

static void put_time(struct json *j, const struct report *r)
{
	json_array(j, "time");
	for (size_t i = 0; r->view && i < r->view->nlost; i++)
		if (has_account(r, &r->view->lost[i]))
			put_account(j, r, &r->view->lost[i]);
	for (size_t i = 0; r->view && i < r->view->nthreads; i++)
		put_account(j, r, &r->view->threads[i]);
	json_end_array(j);
}

static void put_frames(struct json *j, const char *frames)
{
	struct text all = text_of(frames), frame;

	json_array(j, "frames");
	while (text_until(&all, ';', &frame)) {
		char name[256];

		json_printable(j, NULL, text_copy(name, sizeof(name), frame));
	}
	json_end_array(j);
}

static void put_stacks(struct json *j, const struct report *r)
{
	json_array(j, "stacks");
	for (size_t i = 0; i < r->findings.n; i++) {
		const struct finding *f = &r->findings.list[i];

		for (unsigned n = 0; n < f->nstacks; n++) {
			json_object(j, NULL);
			json_string(j, "finding", f->id);
			json_string(j, "kind", "oncpu");
			json_s64(j, "pid", f->stacks[n].pid);
			json_number(j, "weight", f->stacks[n].share);
			put_frames(j, f->stacks[n].frames);
			json_end_object(j);
		}
	}
	json_end_array(j);
}

#define MECHANISMS_SHOWN 64

static void put_mechanisms(struct json *j, const struct report *r)
{
	struct mechanism_seen list[MECHANISMS_SHOWN];
	size_t n = r->view ? mechanisms_seen(r->view, list, MECHANISMS_SHOWN) : 0;

	json_array(j, "mechanisms");
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		json_printable(j, "name", list[i].name);
		json_number(j, "cpu_seconds_per_second", list[i].seconds / r->seconds);
		json_s64(j, "pid", list[i].pid);
		json_number(j, "pid_share", list[i].pid_share);
		json_end_object(j);
	}
	json_end_array(j);
}

/* ---- ledger ---- */

static void put_programs(struct json *j, const struct ledger *l)
{
	json_array(j, "programs");
	for (size_t i = 0; i < l->nprograms; i++) {
		json_object(j, NULL);
		json_string(j, "name", l->programs[i].name);
		json_string(j, "hook", l->programs[i].how);
		json_u64(j, "events", l->programs[i].events);
		json_number(j, "ns_per_event", l->programs[i].ns_per_event);
		json_bool(j, "calibrated", l->programs[i].ns_per_event >= 0);
		json_number(j, "stopped_after",
			    l->programs[i].stopped > 0 ? l->programs[i].stopped : NAN);
		json_end_object(j);
	}
	json_end_array(j);
}

static void put_maps(struct json *j, const struct ledger *l)
{
	json_object(j, "maps");
	if (l->bpf) {
		json_u64(j, "sched_dead", l->dead_full);
		json_u64(j, "sched_stacks", l->stacks_full);
		json_u64(j, "sched_pairs", l->pairs_full);
		json_u64(j, "samples_stacks", l->samples_full);
		json_u64(j, "sched_tasks", l->storage_refused);
		json_u64(j, "hist_index", l->hist_keys);
		json_u64(j, "hist_requests", l->hist_starts);
		json_u64(j, "hist_errors", l->hist_errors);
		json_u64(j, "red_services", l->red_services);
		json_u64(j, "red_sockets", l->red_sockets);
		json_u64(j, "red_names", l->red_names);
	}
	json_end_object(j);
}

static void put_ledger(struct json *j, const struct ledger *l)
{
	json_object(j, "ledger");
	json_object(j, "cost");
	json_number(j, "cpu_seconds_self", l->cpu_seconds_self);
	json_number(j, "cpu_seconds_bpf", l->cpu_seconds_bpf);
	json_number(j, "attach_seconds", l->attach_seconds);
	json_u64(j, "rss_bytes", l->rss_bytes);
	json_u64(j, "map_bytes", l->map_bytes);
	json_number(j, "load_cpu_seconds", l->bpf ? l->load_cpu_seconds : NAN);
	put_programs(j, l);
	json_end_object(j);
	json_object(j, "loss");
	json_u64(j, "ring_dropped", 0);
	put_maps(j, l);
	json_u64(j, "stacks_truncated", 0);
	json_u64(j, "counters_reset", l->counters_reset);
	json_u64(j, "unseen_threads", l->unseen_threads);
	json_u64(j, "recursion", l->recursion);
	json_u64(j, "clock", l->clock_anomalies);
	json_u64(j, "before_attach", l->missed_switches);
	json_u64(j, "unseen_switches", l->unseen_switches);
	json_u64(j, "throttled_perf", 0);
	json_u64(j, "samples_skipped", l->samples_skipped);
	json_u64(j, "late_ticks", l->late_ticks);
	json_u64(j, "untimed_requests", l->hist_untimed);
	json_u64(j, "short_lived", l->short_lived);
	json_u64(j, "hidden_processes", l->hidden_processes);
	json_end_object(j);
	json_end_object(j);
}

static void put_triage(struct json *j, const struct report *r)
{
	put_verdict(j, r);
	json_array(j, "findings");
	for (size_t i = 0; i < r->findings.n; i++)
		put_finding(j, &r->findings.list[i]);
	json_end_array(j);
	put_cleared(j, &r->findings);
	put_unknown(j, r);
	put_use(j, r);
	json_red(j, r);
	put_time(j, r);
	json_hists(j, r);
	put_stacks(j, r);
	put_mechanisms(j, r);
	json_array(j, "checklist");
	for (size_t i = 0; i < r->nsheets; i++)
		put_sheet(j, r, &r->sheets[i]);
	json_end_array(j);
}

static void write_json(struct buf *out, const struct report *r, const struct style *s)
{
	struct json j;

	(void)s;
	json_begin(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", r->schema);
	put_host(&j, r->host);
	put_window(&j, r);
	if (r->parts & REPORT_VERDICT)
		put_triage(&j, r);
	else if (r->parts & REPORT_TIME)
		put_time(&j, r);
	else if (r->parts & REPORT_HISTS)
		json_hists(&j, r);
	else if (r->parts & REPORT_COUNTS)
		json_counts(&j, r);
	else
		json_red(&j, r);
	put_ledger(&j, &r->ledger);
	json_end_object(&j);
	buf_char(out, '\n');
}

extern const struct exporter exporter_json;
const struct exporter exporter_json = {
	.name = "json",
	.help = "one object of schema sixty.triage/1, for scripts",
	.write = write_json,
};
