/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that requests answer, and their look-alikes. */
#include <math.h>
#include <string.h>

#include "checklist/net.h"
#include "tests/unit/scene.h"
#include "tests/unit/unit.h"

#define SECONDS 10
#define MS      1000000ull

struct stage {
	struct scene s;
	struct reds reds;
};

static void stage_open(struct stage *t)
{
	*t = (struct stage){ .reds = { .seconds = SECONDS } };
	scene_open(&t->s, 2, SECONDS);
}

static void stage_close(struct stage *t)
{
	reds_done(&t->reds);
	scene_close(&t->s);
}

/* n requests that took `ms` each, of which they lay unread for `unread`. */
static struct red_row *serve(struct stage *t, int64_t pid, const char *comm, uint16_t port,
			     enum wire_red_protocol p, uint64_t n, uint64_t ms, uint64_t unread)
{
	struct red_row *row = reds_row(&t->reds);

	row->slot = (uint32_t)t->reds.n;
	row->key = (struct wire_red_key){ .role = RED_SERVER, .port = port };
	row->pid = pid;
	strncpy(row->comm, comm, sizeof(row->comm) - 1);
	row->requests = row->protocols[p] = n;
	hist_add(&row->total, ms * MS, n);
	hist_add(&row->wait, unread * MS, n);
	row->swept = true;
	return row;
}

static struct red_name *name(struct stage *t, const struct red_row *row, enum wire_red_kind kind,
			     const char *text, uint64_t n, uint64_t ms)
{
	struct red_name *x = reds_name(&t->reds);

	x->cell = (uint32_t)t->reds.nnames;
	x->slot = row->slot;
	x->kind = kind;
	strcpy(x->name, text);
	x->count = x->timed = n;
	x->ns = n * ms * MS;
	return x;
}

static const struct finding *judge(struct stage *t, const char *id)
{
	scene_build(&t->s);
	t->s.view.reds = &t->reds;
	scene_judge(&t->s, id);
	return scene_finding(&t->s, id);
}

/* ---- errors ---- */

TEST(a_server_that_answers_with_5xx_is_told_with_its_share)
{
	const struct finding *f;
	struct red_row *row;
	struct stage t;

	stage_open(&t);
	row = serve(&t, 10, "nginx", 80, RED_HTTP, 1000, 1, 0);
	row->errors = 300;
	name(&t, row, RED_ERROR, "503", 300, 0);
	f = judge(&t, "app.http_5xx");
	CHECK(f != NULL);
	CHECK_INT(f->severity, SEV_CRIT);
	CHECK_NEAR(f->impact.failed, 30, 1e-9);
	CHECK_INT(f->offenders[0].pid, 10);
	CHECK_INT(f->offenders[0].port, 80);
	CHECK_HAS(f->summary, "30 % of its requests");
	CHECK_HAS(f->summary, "503");
	stage_close(&t);
}

TEST(a_few_5xx_among_many_answers_are_a_warning_or_nothing)
{
	struct red_row *row;
	struct stage t;

	stage_open(&t);
	row = serve(&t, 10, "nginx", 80, RED_HTTP, 1000, 1, 0);
	row->errors = 20;
	CHECK_INT(judge(&t, "app.http_5xx")->severity, SEV_WARN);
	stage_close(&t);

	stage_open(&t);
	row = serve(&t, 10, "nginx", 80, RED_HTTP, 1000, 1, 0);
	row->errors = 9;     /* below 1 % */
	row->refusals = 900; /* the clients' own */
	row = serve(&t, 11, "tiny", 81, RED_HTTP, 4, 1, 0);
	row->errors = 4; /* too few to say anything */
	CHECK(!judge(&t, "app.http_5xx"));
	stage_close(&t);
}

TEST(errors_that_a_proxy_passes_on_are_one_finding)
{
	const struct finding *f;
	struct red_row *row;
	struct row_id ep;
	struct stage t;

	stage_open(&t);
	row = serve(&t, 10, "nginx", 80, RED_HTTP, 1000, 1, 0);
	row->errors = 300;
	row = serve(&t, 20, "upstreamd", 8080, RED_HTTP, 1000, 1, 0);
	row->errors = 300;
	ep = scene_named(&t.s, SCOPE_ENDPOINT, "tcp 127.0.0.1:8080");
	scene_level(&t.s, M_EP_PORT, ep, 8080);
	scene_level(&t.s, M_EP_LOCAL, ep, 1);
	scene_text(&t.s, M_EP_PROTO, ep, "tcp");
	scene_level(&t.s, M_EP_CLIENT_PID, ep, 10);
	scene_text(&t.s, M_EP_CLIENT_COMM, ep, "nginx");
	f = judge(&t, "app.http_5xx");
	CHECK(f != NULL);
	CHECK_INT(t.s.report.findings.n, 1);
	CHECK_INT(f->offenders[0].pid, 10);
	CHECK_HAS(f->summary, "they come from upstreamd[20] at port 8080");
	stage_close(&t);
}

TEST(error_replies_of_other_protocols_are_server_errors)
{
	struct red_row *row;
	struct stage t;

	stage_open(&t);
	row = serve(&t, 10, "postgres", 5432, RED_POSTGRES, 100, 1, 0);
	row->errors = 50;
	name(&t, row, RED_ERROR, "53", 50, 0);
	CHECK(judge(&t, "app.server_errors") != NULL);
	CHECK(!judge(&t, "app.http_5xx"));
	stage_close(&t);
}

TEST(where_requests_are_not_followed_their_rules_are_unknown)
{
	struct scene s;

	scene_open(&s, 2, SECONDS);
	scene_judge(&s, "app.http_5xx");
	CHECK_HAS(scene_unknown(&s, "app.http_5xx"), "eBPF");
	scene_judge(&s, "app.slow_command");
	CHECK(scene_unknown(&s, "app.slow_command") != NULL);
	scene_close(&s);
}

/* ---- queues ---- */

static void thread(struct stage *t, int64_t pid, const char *comm, double run)
{
	struct row_id p = scene_process(&t->s, pid, comm), th = scene_thread(&t->s, pid, pid, comm);

	scene_grow(&t->s, M_PROC_USER, p, run);
	scene_grow(&t->s, M_PROC_SYSTEM, p, 0);
	scene_grow(&t->s, M_THREAD_RUN, th, run);
}

TEST(requests_that_lie_unread_before_a_busy_thread_are_its_saturation)
{
	const struct finding *f;
	struct stage t;

	stage_open(&t);
	thread(&t, 10, "redis-server", 9.8);
	serve(&t, 10, "redis-server", 6379, RED_REDIS, 100000, 5, 4);
	f = judge(&t, "app.single_threaded_server_saturated");
	CHECK(f != NULL);
	CHECK_INT(f->offenders[0].pid, 10);
	CHECK_HAS(f->summary, "98 %");
	stage_close(&t);

	stage_open(&t); /* busy, and nobody waits */
	thread(&t, 10, "redis-server", 9.8);
	serve(&t, 10, "redis-server", 6379, RED_REDIS, 1000, 1, 0);
	CHECK(!judge(&t, "app.single_threaded_server_saturated"));
	stage_close(&t);
}

TEST(requests_that_wait_for_a_worker_are_a_pool_that_is_exhausted)
{
	const struct finding *f;
	struct red_row *row;
	struct stage t;

	stage_open(&t);
	thread(&t, 10, "wsgiwork", 0.1);
	row = serve(&t, 10, "wsgiwork", 80, RED_HTTP, 50, 6000, 5800);
	row->backlog = 29;
	f = judge(&t, "app.worker_pool_exhausted");
	CHECK(f != NULL);
	CHECK_NEAR(f->impact.lost, 29, 0.01);
	CHECK_HAS(f->summary, "29 connections in the accept queue");
	CHECK(!judge(&t, "app.slow_server")); /* the same thing */
	stage_close(&t);
}

/* ---- slow ---- */

TEST(a_server_that_sleeps_in_its_requests_is_slow)
{
	const struct finding *f;
	struct stage t;
	struct row_id th;

	stage_open(&t);
	thread(&t, 10, "python3", 0.1);
	for (int i = 0; i < 16; i++) {
		th = scene_thread(&t.s, 10, 100 + i, "python3");
		scene_grow(&t.s, M_THREAD_RUN, th, 0.01);
		scene_grow(&t.s, M_THREAD_TIMER, th, 9.5);
	}
	serve(&t, 10, "python3", 80, RED_HTTP, 260, 600, 0);
	f = judge(&t, "app.slow_server");
	CHECK(f != NULL);
	CHECK_NEAR(f->impact.lost, 15.6, 0.1);
	CHECK_HAS(f->summary, "asleep by its own timers");
	CHECK(f->confidence <= 0.7);
	stage_close(&t);
}

TEST(fast_answers_idle_pools_and_long_polls_are_not_slow)
{
	struct stage t;

	stage_open(&t);
	thread(&t, 10, "nginx", 1);
	serve(&t, 10, "nginx", 80, RED_HTTP, 6000, 1, 0);
	CHECK(!judge(&t, "app.slow_server"));
	stage_close(&t);

	stage_open(&t); /* only waits for something to happen */
	thread(&t, 10, "broker", 0.1);
	serve(&t, 10, "broker", 80, RED_HTTP, 100, 2000, 0);
	CHECK(!judge(&t, "app.slow_server"));
	stage_close(&t);

	stage_open(&t); /* encrypted: exchanges are no requests */
	thread(&t, 10, "nginx", 9);
	serve(&t, 10, "nginx", 443, RED_TLS, 100, 2000, 0);
	CHECK(!judge(&t, "app.slow_server"));
	stage_close(&t);
}

TEST(a_dependency_that_answers_late_is_told_with_who_waits)
{
	const struct finding *f;
	struct red_row *row;
	struct stage t;

	stage_open(&t);
	scene_process(&t.s, 10, "webapp");
	row = serve(&t, 10, "webapp", 5432, RED_POSTGRES, 100, 500, 0);
	row->key.role = RED_CLIENT;
	row->key.family = 2;
	memcpy(row->key.addr, (uint8_t[]){ 10, 0, 0, 7 }, 4);
	f = judge(&t, "app.slow_dependency");
	CHECK(f != NULL);
	CHECK_HAS(f->summary, "webapp[10] waits for 10.0.0.7:5432");
	CHECK_INT(f->victims[0].pid, 10);
	CHECK_INT(f->offenders[0].port, 5432);
	stage_close(&t);
}

TEST(queries_are_slow_by_what_the_fast_half_of_them_shows)
{
	const struct finding *f;
	struct red_row *row;
	struct stage t;

	stage_open(&t);
	thread(&t, 10, "postgres", 5);
	row = serve(&t, 10, "postgres", 5432, RED_POSTGRES, 1000, 1, 0);
	hist_add(&row->total, 400 * MS, 150);
	name(&t, row, RED_OPERATION, "SELECT", 1150, 50);
	f = judge(&t, "app.slow_query");
	CHECK(f != NULL);
	CHECK_HAS(f->summary, "a tenth of its requests takes");
	CHECK_HAS(f->summary, "SELECT");
	stage_close(&t);

	stage_open(&t); /* as slow, and nobody waits: one in ten seconds */
	thread(&t, 10, "postgres", 0.1);
	row = serve(&t, 10, "postgres", 5432, RED_POSTGRES, 1000, 1, 0);
	hist_add(&row->total, 400 * MS, 1);
	name(&t, row, RED_OPERATION, "SELECT", 1001, 1);
	CHECK(!judge(&t, "app.slow_query"));
	stage_close(&t);
}

TEST(a_command_that_holds_up_the_others_is_told)
{
	const struct finding *f;
	struct red_row *row;
	struct stage t;

	stage_open(&t);
	row = serve(&t, 10, "redis-server", 6379, RED_REDIS, 10000, 1, 1);
	name(&t, row, RED_OPERATION, "KEYS", 50, 100);
	name(&t, row, RED_OPERATION, "GET", 9950, 0);
	f = judge(&t, "app.slow_command");
	CHECK(f != NULL);
	CHECK_HAS(f->summary, "KEYS takes 100 ms on average");
	stage_close(&t);

	stage_open(&t); /* long, and nobody else is there */
	row = serve(&t, 10, "redis-server", 6379, RED_REDIS, 50, 100, 0);
	name(&t, row, RED_OPERATION, "KEYS", 50, 100);
	CHECK(!judge(&t, "app.slow_command"));
	stage_close(&t);
}
