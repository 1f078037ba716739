/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of services that only requests answer: how many fail, and which operation holds up the others. What else requests tell
 * stands in app_red_slow.c. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/app_red.h"

/* Of rules that nothing else answers. */
static bool ask(const struct rule *r, const struct view *v, struct findings *fs)
{
	if (red_followed(v))
		return true;
	rule_unknown(r, fs, "%s", r->needs);
	return false;
}

/* ---- errors ---- */

#define ERRORS_LEAST 5

static bool fails(const struct rule *r, const struct red_row *row)
{
	return row->errors >= ERRORS_LEAST && row->requests &&
	       (double)row->errors / (double)row->requests >= r->floor;
}

/* Another service that passes this one's errors on: its process asks here. */
static const struct red_row *passes_on(const struct rule *r, const struct view *v,
				       const struct red_row *origin, enum wire_red_protocol p)
{
	struct end client = red_client_of(v, origin);

	for (size_t i = 0; i < v->reds->n; i++) {
		const struct red_row *row = &v->reds->rows[i];

		if (row != origin && red_serves(row) && red_protocol(row) == p && fails(r, row) &&
		    client.pid && !strcmp(client.comm, row->comm) &&
		    strcmp(row->comm, origin->comm) != 0)
			return row;
	}
	return NULL;
}

static void add_origins(const struct rule *r, const struct view *v, struct finding *f,
			const struct red_row *front, char *words, size_t size)
{
	words[0] = '\0';
	for (size_t i = 0; i < v->reds->n; i++) {
		const struct red_row *row = &v->reds->rows[i];
		struct red_service s;

		if (!red_serves(row) || row == front || !fails(r, row) ||
		    passes_on(r, v, row, red_protocol(front)) != front)
			continue;
		s = red_service_of(v, row);
		end_offends(f, v, red_owner_of(row), row->key.port, NAN);
		if (!*words)
			snprintf(words, size, "; they come from %s, which it asks", s.label);
	}
}

static void put_kinds(const struct view *v, const struct red_row *row, char *out, size_t size)
{
	const struct red_name *name = reds_top(v->reds, row, RED_ERROR, 0);

	snprintf(out, size, "%s", name ? name->name : "errors");
}

static void fail(const struct rule *r, const struct view *v, struct findings *fs,
		 const struct red_row *row, const char *what)
{
	struct red_service s = red_service_of(v, row);
	double seconds = v->reds->seconds, rate = (double)row->errors / seconds,
	       share = (double)row->errors / (double)row->requests;
	struct finding *f = red_start(r, v, fs, &s);
	char kind[64], origins[260], number[32];

	put_kinds(v, row, kind, sizeof(kind));
	add_origins(r, v, f, row, origins, sizeof(origins));
	snprintf(number, sizeof(number), rate < 10 ? "%.1f" : "%.0f", rate);
	finding_summary(f, "%s answers %.0f %% of its requests with %s (%s/s, most of them %s)%s",
			s.label, 100 * share, what, number, kind, origins);
	f->impact.failed = rate;
	f->severity = share >= r->crit ? SEV_CRIT : SEV_WARN;
	f->confidence = 0.95;
	finding_evidence(f, "red.errors / red.requests", share, "ratio", r->floor, REQUESTS);
	finding_evidence(f, "red.errors", rate, "1/s", NAN, REQUESTS);
	finding_evidence(f, "red.rate", s.rate, "1/s", NAN, REQUESTS);
	red_tell_next(f, &s);
	if (row->pid)
		finding_next(f, "ls -l /proc/%lld/fd # its log", (long long)row->pid);
}

static void check_errors(const struct rule *r, const struct view *v, struct findings *fs, bool http,
			 const char *what)
{
	if (!ask(r, v, fs))
		return;
	for (size_t i = 0; i < v->reds->n; i++) {
		const struct red_row *row = &v->reds->rows[i];

		if (red_serves(row) && (red_protocol(row) == RED_HTTP) == http && fails(r, row) &&
		    !passes_on(r, v, row, red_protocol(row)))
			fail(r, v, fs, row, what);
	}
}

static void check_http(const struct rule *r, const struct view *v, struct findings *fs)
{
	check_errors(r, v, fs, true, "5xx");
}

static void check_replies(const struct rule *r, const struct view *v, struct findings *fs)
{
	check_errors(r, v, fs, false, "errors");
}

/* ---- one operation ---- */

static bool is_sql(const struct red_row *row)
{
	return red_protocol(row) == RED_POSTGRES || red_protocol(row) == RED_MYSQL;
}

static double mean_of(const struct red_name *op)
{
	return (double)op->ns * 1e-9 / (double)op->timed;
}

/* Mean of all requests that came alone, but those of this operation. */
static double mean_of_others(const struct view *v, const struct red_name *op)
{
	uint64_t n = 0, ns = 0;

	for (size_t i = 0; i < v->reds->nnames; i++) {
		const struct red_name *o = &v->reds->names[i];

		if (o != op && o->slot == op->slot && o->kind == RED_OPERATION) {
			n += o->timed;
			ns += o->ns;
		}
	}
	return n ? (double)ns * 1e-9 / (double)n : NAN;
}

/* A command that keeps the only thread busy: the others' requests lie unread meanwhile. */
static void check_command(const struct rule *r, const struct view *v, struct findings *fs)
{
	if (!ask(r, v, fs))
		return;
	for (size_t i = 0; i < v->reds->n; i++) {
		struct red_service s = red_service_of(v, &v->reds->rows[i]);
		const struct red_name *op = reds_top(v->reds, s.row, RED_OPERATION, 0);
		double share, others;
		struct finding *f;
		char each[32], rest[32];

		if (!red_serves(s.row) || red_protocol(s.row) != RED_REDIS || !op || !op->timed)
			continue;
		share = (double)op->ns * 1e-9 / v->reds->seconds;
		others = mean_of_others(v, op);
		if (!(share >= r->floor) || !(mean_of(op) >= 10 * others) || !(s.unread >= r->warn))
			continue;
		f = red_start(r, v, fs, &s);
		finding_summary(
			f,
			"%s takes %s on average at %s, %.0f %% of the time, and the other commands wait for it: %.2f of them lie unread at any time (they take %s)",
			op->name, unit_duration(each, sizeof(each), mean_of(op)), s.label,
			100 * share, s.unread, unit_duration(rest, sizeof(rest), others));
		f->impact.lost = s.unread;
		f->confidence = 0.8;
		finding_evidence(f, "share of the time", share, "s/s", r->floor, REQUESTS);
		finding_evidence(f, "mean of this command", mean_of(op), "s", 10 * others,
				 REQUESTS);
		finding_evidence(f, "mean of the others", others, "s", NAN, REQUESTS);
		finding_evidence(f, "red.queue_wait, requests that lie unread", s.unread,
				 "requests", r->warn, REQUESTS);
		finding_next(f, "redis-cli -p %u slowlog get 10", s.row->key.port);
	}
}

static void check_query(const struct rule *r, const struct view *v, struct findings *fs)
{
	if (!ask(r, v, fs))
		return;
	for (size_t i = 0; i < v->reds->n; i++) {
		struct red_service s = red_service_of(v, &v->reds->rows[i]);
		const struct red_name *op = reds_top(v->reds, s.row, RED_OPERATION, 0);
		double cpu;
		char words[160];
		struct finding *f;
		bool tail;

		if (!red_serves(s.row) || !is_sql(s.row) || !op || red_queues(&s) ||
		    !red_is_slow(r, &s, &tail))
			continue;
		cpu = red_of_its_kind(v, s.row->comm, red_running);
		red_slow_words(&s, tail, words, sizeof(words));
		f = red_start(r, v, fs, &s);
		finding_summary(
			f,
			"Queries to %s are slow: %s; %.1f are under way at any time, most of that %s, and it computes %.2f s/s for them",
			s.label, words, s.busy, op->name, cpu);
		f->impact.lost = s.busy;
		f->confidence = tail ? 0.75 : 0.7;
		finding_evidence(f, "requests under way", s.busy, "requests", 1, REQUESTS);
		red_tell_durations(f, &s);
		finding_evidence(f, "CPU time of the server", cpu, "s/s", NAN, "its threads");
		red_tell_next(f, &s);
	}
}

/* clang-format off */
const struct rule rules_app_red[] = {
	{
		.id = "app.http_5xx", .question = "Does an HTTP server answer with errors?", .resource = RES_APP, .aspect = ASPECT_ERRORS,
		.metric = M_NONE, .floor = 0.01, .warn = 0.01, .crit = 0.05,
		.fires = "five or more answers of a service in the window, and 1 % of all, are 5xx; critical from 5 % on",
		.needs = "eBPF: requests and answers, on their sockets (Linux 6.3)",
		.meaning = "The status of each answer, read where it is sent. Of a proxy and the service that it asks, which fails in turn, there is "
			   "one finding: where the errors get out, with where they come from.",
		.lookalikes = "4xx are the clients' errors. Health checks of a service that is down on purpose.",
		.action = "The server's error log; sixty red --port N has the routes.",
		.symptoms = "app.slow_server app.retry_storm", .check = check_http,
	}, {
		.id = "app.server_errors", .question = "Does a server answer with errors?", .resource = RES_APP, .aspect = ASPECT_ERRORS,
		.metric = M_NONE, .floor = 0.01, .warn = 0.01, .crit = 0.05,
		.fires = "five or more answers of a service in the window, and 1 % of all, are errors of its protocol; critical from 5 % on",
		.needs = "eBPF: requests and answers, on their sockets (Linux 6.3)",
		.meaning = "Error replies of Redis, PostgreSQL, MySQL and memcached, with the code or its class.",
		.lookalikes = "Errors that the client asks for: a unique key that is probed by inserting, a script that tries WRONGTYPE.",
		.action = "The server's log; the kind of error says whose it is.", .symptoms = "app.slow_server", .check = check_replies,
	}, {
		.id = "app.slow_query", .question = "Do database queries take long?", .resource = RES_APP, .aspect = ASPECT_DURATION,
		.metric = M_NONE, .floor = 0.2, .warn = 1, .crit = 10,
		.fires = "one query or more is under way at any time, and a tenth takes 8 times as long as the fast half (50 ms or more), or half of "
			 "them take 200 ms to 10 s; they are read at once",
		.needs = "eBPF: requests and answers, on their sockets (Linux 6.3)",
		.meaning = "Time from the query's message to the first byte of its answer, by what the fast half of the queries shows to be possible; "
			   "where all are slow, by what interactive services are built for, with less confidence.",
		.lookalikes = "Reports that are meant to take long; waiting for a lock of the database (app.db_lock_wait).",
		.action = "The database's slow log; EXPLAIN; an index.", .symptoms = "app.slow_server", .check = check_query,
	}, {
		.id = "app.slow_command", .question = "Does one command hold up a server?", .resource = RES_APP, .aspect = ASPECT_DURATION,
		.metric = M_NONE, .floor = 0.2, .warn = 0.05, .crit = 10,
		.fires = "one Redis command takes 20 % of the time, each 10 times as long as the others on average, and 0.05 requests or more lie "
			 "unread at any time",
		.needs = "eBPF: requests and answers, on their sockets (Linux 6.3)",
		.meaning = "A single-threaded server answers nobody while it works on a long command.",
		.lookalikes = "Blocking commands (BLPOP …) wait by design: they have no duration here.",
		.action = "SLOWLOG GET; SCAN instead of KEYS; smaller ranges.",
		.symptoms = "app.single_threaded_server_saturated app.slow_server cpu.single_thread_bound", .check = check_command,
	}, { .id = NULL }
};
/* clang-format on */
