/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of services for programs: JSON, OpenMetrics, CSV. */
#include "export/red.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "export/fields.h"
#include "export/hists.h"

#define LINE_END        "\r\n"
#define OPERATIONS_MOST 64

static bool is_server(const struct red_row *row)
{
	return row->key.role == RED_SERVER;
}

/* ---- JSON ---- */

static void put_errors(struct json *j, const struct reds *s, const struct red_row *row)
{
	const struct red_name *name;

	json_object(j, "errors_by_kind");
	for (unsigned i = 0; i < OPERATIONS_MOST && (name = reds_top(s, row, RED_ERROR, i)); i++) {
		char key[64];

		json_u64(j, text_printable_into(key, sizeof(key), name->name, strlen(name->name)),
			 name->count);
	}
	if (row->silent)
		json_u64(j, "unanswered", row->silent);
	json_end_object(j);
}

static void put_operations(struct json *j, const struct reds *s, const struct red_row *row)
{
	const struct red_name *name;

	json_array(j, "operations");
	for (unsigned i = 0; i < OPERATIONS_MOST && (name = reds_top(s, row, RED_OPERATION, i));
	     i++) {
		json_object(j, NULL);
		json_printable(j, "name", name->name);
		json_u64(j, "count", name->count);
		json_u64(j, "errors", name->errors);
		json_u64(j, "timed", name->timed);
		json_number(j, "sum", (double)name->ns * 1e-9);
		json_number(j, "mean",
			    name->timed ? (double)name->ns * 1e-9 / (double)name->timed : NAN);
		json_end_object(j);
	}
	json_end_array(j);
}

/* Seconds per second that its processes spent on each; null where nobody measured it. */
static void put_service(struct json *j, const struct report *r, const struct red_row *row)
{
	const struct lost_row *l = r->view ? view_lost_pid(r->view, row->pid) : NULL;
	double s = r->seconds, lock, disk, other;

	if (!is_server(row) || !l || !l->exact) {
		json_null(j, "service_time");
		return;
	}
	lock = l->time[CAUSE_LOCK];
	disk = l->time[CAUSE_DISK] + l->time[CAUSE_WRITEBACK];
	other = l->time[CAUSE_THROTTLED] + l->time[CAUSE_RECLAIM] + l->time[CAUSE_FAULT] +
		l->time[CAUSE_STOPPED] + l->time[CAUSE_OTHER];
	json_object(j, "service_time");
	json_number(j, "running", (l->time[CAUSE_USER] + l->time[CAUSE_SYSTEM]) / s);
	json_number(j, "runnable", l->time[CAUSE_RUNNABLE] / s);
	json_number(j, "lock", lock / s);
	json_number(j, "disk", disk / s);
	json_number(j, "awaiting_reply", l->time[CAUSE_REPLY] / s);
	json_number(j, "other", other / s);
	json_end_object(j);
}

static void put_level(struct json *j, const char *key, const struct red_row *row, double v)
{
	json_number(j, key, row->swept ? v : NAN);
}

static void put_row(struct json *j, const struct report *r, const struct red_row *row)
{
	const struct reds *s = r->reds;
	char peer[80];

	json_object(j, NULL);
	json_printable(j, "service", row->comm);
	json_string(j, "role", is_server(row) ? "server" : "client");
	json_u64(j, "port", row->key.port);
	json_known(j, "peer", is_server(row) ? "" : red_peer(row, peer, sizeof(peer)));
	if (row->pid)
		json_s64(j, "pid", row->pid);
	else
		json_null(j, "pid");
	json_known(j, "container", row->container);
	json_known(j, "cgroup", row->cgroup);
	json_u64(j, "netns", row->key.netns);
	json_string(j, "protocol", red_protocol_name(red_protocol(row)));
	json_bool(j, "exchanges", red_is_opaque(row));
	json_u64(j, "requests", row->requests);
	json_u64(j, "errors", row->errors);
	json_u64(j, "client_errors", row->refusals);
	put_errors(j, s, row);
	json_number(j, "rate", (double)row->requests / s->seconds);
	json_number(j, "error_rate", (double)row->errors / s->seconds);
	json_number(j, "p50", red_percentile(&row->total, 0.5));
	json_number(j, "p90", red_percentile(&row->total, 0.9));
	json_number(j, "p99", red_percentile(&row->total, 0.99));
	json_number(j, "max", red_max(&row->total));
	json_number(j, "mean", hist_mean(&row->total) * 1e-9);
	json_number(j, "error", HIST_ERROR);
	json_object(j, "queue_wait");
	json_number(j, "p50", red_percentile(&row->wait, 0.5));
	json_number(j, "p99", red_percentile(&row->wait, 0.99));
	json_number(j, "max", red_max(&row->wait));
	json_number(j, "mean", hist_mean(&row->wait) * 1e-9);
	json_end_object(j);
	put_service(j, r, row);
	put_level(j, "open", row, row->open);
	put_level(j, "inflight", row, row->inflight);
	put_level(j, "oldest_inflight", row, row->oldest);
	put_level(j, "backlog", row, is_server(row) ? row->backlog : NAN);
	put_level(j, "backlog_most", row, is_server(row) ? row->backlog_most : NAN);
	json_u64(j, "bytes_in", row->bytes_in);
	json_u64(j, "bytes_out", row->bytes_out);
	json_u64(j, "batched", row->batched);
	json_u64(j, "unparted", row->unparted);
	json_u64(j, "unread", row->unread);
	json_u64(j, "waiting_by_design", row->waiting);
	put_operations(j, s, row);
	json_end_object(j);
}

void json_red(struct json *j, const struct report *r)
{
	json_array(j, "red");
	for (size_t i = 0; r->reds && i < r->reds->n; i++)
		put_row(j, r, &r->reds->rows[i]);
	json_end_array(j);
}

/* ---- OpenMetrics ---- */

static void put_labels(struct buf *out, const struct red_row *row)
{
	char peer[80] = "";

	buf_str(out, "{service=\"");
	openmetrics_escape(out, row->comm);
	buf_printf(out, "\",role=\"%s\",port=\"%u\",netns=\"%u\",protocol=\"%s\",peer=\"",
		   is_server(row) ? "server" : "client", row->key.port, row->key.netns,
		   red_protocol_name(red_protocol(row)));
	openmetrics_escape(out, is_server(row) ? "" : red_peer(row, peer, sizeof(peer)));
	buf_printf(out, "\",pid=\"%" PRId64 "\"", row->pid);
}

static void put_counter(struct buf *out, const struct reds *s, const char *name, const char *help,
			size_t offset)
{
	buf_printf(out, "# TYPE sixty_red_%s counter\n# HELP sixty_red_%s %s\n", name, name, help);
	for (size_t i = 0; i < s->n; i++) {
		uint64_t v;

		memcpy(&v, (const char *)&s->rows[i] + offset, sizeof(v));
		buf_printf(out, "sixty_red_%s_total", name);
		put_labels(out, &s->rows[i]);
		buf_printf(out, "} %" PRIu64 "\n", v);
	}
}

static void put_durations(struct buf *out, const struct red_row *row)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < HIST_SLOTS; i++) {
		if (!row->total.slots[i])
			continue;
		n += row->total.slots[i];
		buf_str(out, "sixty_red_duration_seconds_bucket");
		put_labels(out, row);
		buf_printf(out, ",le=\"%.9g\"} %" PRIu64 "\n", (double)(hist_high(i) - 1) * 1e-9,
			   n);
	}
	buf_str(out, "sixty_red_duration_seconds_bucket");
	put_labels(out, row);
	buf_printf(out, ",le=\"+Inf\"} %" PRIu64 "\nsixty_red_duration_seconds_sum", n);
	put_labels(out, row);
	buf_printf(out, "} %.15g\nsixty_red_duration_seconds_count", (double)row->total.sum * 1e-9);
	put_labels(out, row);
	buf_printf(out, "} %" PRIu64 "\n", n);
}

void openmetrics_red(struct buf *out, const struct report *r)
{
	const struct reds *s = r->reds;

	if (!s || !s->n)
		return;
	put_counter(out, s, "requests", "Requests that were answered",
		    offsetof(struct red_row, requests));
	put_counter(out, s, "errors", "Requests whose answer was an error of the server",
		    offsetof(struct red_row, errors));
	buf_str(out,
		"# TYPE sixty_red_duration_seconds histogram\n"
		"# UNIT sixty_red_duration_seconds seconds\n"
		"# HELP sixty_red_duration_seconds From the request to the first byte of its answer\n");
	for (size_t i = 0; i < s->n; i++)
		put_durations(out, &s->rows[i]);
}

/* ---- CSV ---- */

static void put_seconds(struct buf *out, double v)
{
	buf_char(out, ',');
	if (!isnan(v))
		buf_printf(out, "%.9g", v);
}

void csv_red(struct buf *out, const struct report *r)
{
	const struct reds *s = r->reds;

	if (!r->interval)
		buf_str(out,
			"start,seconds,service,role,port,peer,pid,protocol,requests,errors,client_errors,p50,p90,p99,max,"
			"queue_p99,open,backlog,bytes_in,bytes_out" LINE_END);
	for (size_t i = 0; s && i < s->n; i++) {
		const struct red_row *row = &s->rows[i];
		char peer[80] = "";

		buf_printf(out, "%.3f,%.3f,", (double)r->start_wall_ns * 1e-9, s->seconds);
		csv_field(out, row->comm);
		buf_printf(out, ",%s,%u,", is_server(row) ? "server" : "client", row->key.port);
		csv_field(out, is_server(row) ? "" : red_peer(row, peer, sizeof(peer)));
		buf_printf(out, ",%" PRId64 ",%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64, row->pid,
			   red_protocol_name(red_protocol(row)), row->requests, row->errors,
			   row->refusals);
		put_seconds(out, red_percentile(&row->total, 0.5));
		put_seconds(out, red_percentile(&row->total, 0.9));
		put_seconds(out, red_percentile(&row->total, 0.99));
		put_seconds(out, red_max(&row->total));
		put_seconds(out, red_percentile(&row->wait, 0.99));
		put_seconds(out, row->swept ? row->open : NAN);
		put_seconds(out, row->swept && is_server(row) ? row->backlog : NAN);
		buf_printf(out, ",%" PRIu64 ",%" PRIu64 LINE_END, row->bytes_in, row->bytes_out);
	}
}
