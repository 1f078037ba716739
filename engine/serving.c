/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of services, interval by interval. Nothing is cleared in the kernel: two readings are subtracted. */
#include "engine/serving.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/root.h"
#include "collectors/bpf_red.h"
#include "collectors/hist_target.h"
#include "collectors/host.h"
#include "engine/budget.h"
#include "engine/ledger.h"
#include "engine/loop.h"

#define TICK_NS 100000000u

/* Two of each twenty ticks are measured by the kernel: see bpf_engine_calibrate_begin(). */
#define CALIBRATE_FROM  1
#define CALIBRATE_TO    3
#define CALIBRATE_EVERY 20

#define SECOND_TICKS    10
#define BUDGET_SPAN     10 /* seconds: a look may be endless */

struct serving {
	struct serving_args args;
	struct root root;
	struct host host;
	struct bpf_engine *engine;
	struct bpf_red *red;
	struct wire_red_config plan;
	struct wire_counts counts; /* when it began */
	struct reds before, now;
	struct report report;
	struct loop loop;
	uint64_t started_ns, interval_ns; /* of the interval that is open */
	int64_t interval_wall_ns;
	uint64_t ticks, done; /* intervals */
	double open_seconds;
	bool interrupted, calibrating;
	struct budget budget;
	struct serving_excess excess; /* program: NULL while there is none */
};

/* ---- opening and closing ---- */

static int open_programs(struct serving *s, struct err *e)
{
	const struct serving_args *a = &s->args;
	struct red_wish w = { .port = (uint32_t)a->port,
			      .pid = (uint32_t)a->pid,
			      .clients = !a->no_clients,
			      .no_content = a->no_content };
	struct bpf_options o = { .red = &s->plan };
	struct hist_wish group = { 0 };
	int err;

	if (a->cgroup) {
		err = hist_find_group(&s->root, a->cgroup, &group, e);
		if (err)
			return err;
		o.group = group.group;
		o.group_in = group.group_in;
		o.group_level = group.group_level;
	}
	bpf_red_plan(&s->plan, &w, &s->root);
	err = bpf_engine_open_with(&s->engine, BPF_RED | BPF_RED_QUEUE, &o, e);
	if (err)
		return err;
	if (!bpf_engine_has(s->engine, BPF_RED))
		return err_set(
			e, -ENOSYS,
			"cannot follow requests (kernels before 6.3 have no trace point for it): %s",
			bpf_engine_why(s->engine, BPF_RED));
	return bpf_red_open(&s->red, s->engine, &s->plan, &s->root, e);
}

int serving_open(struct serving **out, const struct serving_args *a, struct err *e)
{
	struct serving *s = mem_alloc(sizeof(*s));
	uint64_t began = clock_ns(CLOCK_MONOTONIC);
	int rc = -EINVAL, err;

	*out = NULL;
	s->args = *a;
	s->root.fd = -1;
	report_init(&s->report, "sixty.red/1", &s->host);
	err = loop_open(&s->loop, e);
	if (!err)
		err = root_open(&s->root, "/", e);
	if (!err)
		err = open_programs(s, e);
	if (err) {
		rc = err;
		goto out;
	}
	host_read(&s->host, &s->root);
	s->open_seconds = (double)(clock_ns(CLOCK_MONOTONIC) - began) * 1e-9;
	rc = 0;
out:
	if (rc) {
		serving_close(s);
		s = NULL;
	}
	*out = s;
	return rc;
}

void serving_close(struct serving *s)
{
	if (!s)
		return;
	bpf_red_close(s->red);
	bpf_engine_close(s->engine);
	root_close(&s->root);
	reds_done(&s->before);
	reds_done(&s->now);
	report_done(&s->report);
	loop_close(&s->loop);
	mem_free(s);
}

const struct serving_excess *serving_excess(const struct serving *s)
{
	return s->excess.program ? &s->excess : NULL;
}

/* ---- intervals ---- */

static void fill_ledger(struct serving *s)
{
	struct ledger *l = &s->report.ledger;

	*l = (struct ledger){ .wall_seconds =
				      (double)(clock_ns(CLOCK_MONOTONIC) - s->started_ns) * 1e-9,
			      .attach_seconds = s->open_seconds };
	ledger_self(l);
	ledger_bpf(l, s->engine, &s->counts);
}

static int end_interval(struct serving *s, bool last, struct err *e)
{
	struct reds all = { 0 };
	uint64_t now;
	int err;

	reds_clear(&s->now);
	err = bpf_red_read(s->red, &s->now, e);
	now = clock_ns(CLOCK_MONOTONIC);
	if (err)
		return err;
	reds_copy(&all, &s->now);
	reds_subtract(&s->now, &s->before);
	reds_tidy(&s->now);
	s->report.parts = REPORT_RED;
	s->report.reds = &s->now;
	s->report.seconds = (double)(now - s->interval_ns) * 1e-9;
	s->report.start_wall_ns = s->interval_wall_ns;
	s->report.interrupted = s->interrupted;
	s->report.interval = (unsigned)s->done;
	s->report.more = !last;
	fill_ledger(s);
	s->interval_ns = now;
	s->interval_wall_ns = (int64_t)clock_ns(CLOCK_REALTIME);
	s->done++;
	sigprocmask(SIG_SETMASK, &s->loop.before, NULL);
	err = s->args.on_interval(s->args.ctx, &s->report);
	sigprocmask(SIG_BLOCK, &s->loop.ours, NULL);
	reds_done(&s->before);
	s->before = all;
	return err;
}

/* ---- the loop ---- */

static void calibrate(struct serving *s)
{
	uint64_t at = s->ticks % CALIBRATE_EVERY;

	if (at == CALIBRATE_FROM)
		bpf_engine_calibrate_begin(s->engine);
	else if (at == CALIBRATE_TO)
		bpf_engine_calibrate_end(s->engine);
	s->calibrating = at >= CALIBRATE_FROM && at < CALIBRATE_TO;
}

static void stop_calibrating(struct serving *s)
{
	if (s->calibrating)
		bpf_engine_calibrate_end(s->engine);
	s->calibrating = false;
}

/* A second is over. False: a program costs more than it may. */
static bool keep_budget(struct serving *s)
{
	struct wire_counts counts;
	size_t dearest = 0;

	if (s->budget.elapsed >= BUDGET_SPAN)
		budget_init(&s->budget, s->args.budget, BUDGET_SPAN);
	bpf_engine_second(s->engine, &counts);
	for (size_t i = 0; bpf_probes[i].program; i++)
		budget_spend(&s->budget, i, bpf_engine_load(s->engine, i), 1);
	if (!budget_exceeded(&s->budget, 1, &dearest))
		return true;
	s->excess = (struct serving_excess){
		.program = bpf_probes[dearest].program,
		.share = s->budget.rate[dearest],
		.seconds = (double)(clock_ns(CLOCK_MONOTONIC) - s->started_ns) * 1e-9,
	};
	return false;
}

/* What comes with a tick. -ESRCH: the process has ended; -EDQUOT: it costs too much. */
static int tick(struct serving *s)
{
	s->ticks++;
	calibrate(s);
	if (s->ticks % SECOND_TICKS == 0 && !keep_budget(s))
		return -EDQUOT;
	return s->args.pid && kill(s->args.pid, 0) && errno == ESRCH ? -ESRCH : 0;
}

/* Run to the end of the interval at `end`. 0: it has come; -EINTR: SIGINT; others: see tick(). */
static int run_interval(struct serving *s, uint64_t end)
{
	for (;;) {
		uint64_t next = s->started_ns + (s->ticks + 1) * TICK_NS;
		int err = loop_sleep(&s->loop, next < end ? next : end);

		if (!err && clock_ns(CLOCK_MONOTONIC) >= next)
			err = tick(s);
		if (err)
			return err;
		if (clock_ns(CLOCK_MONOTONIC) >= end)
			return 0;
	}
}

static int start(struct serving *s, struct err *e)
{
	int err = bpf_red_read(s->red, &s->before, e);

	if (err)
		return err;
	err = bpf_engine_counts(s->engine, &s->counts);
	if (err)
		return err_errno(e, err, "cannot read the counters of programs");
	budget_init(&s->budget, s->args.budget,
		    s->args.seconds > 0 && s->args.seconds < BUDGET_SPAN ? s->args.seconds
									 : BUDGET_SPAN);
	s->started_ns = s->interval_ns = clock_ns(CLOCK_MONOTONIC);
	s->interval_wall_ns = (int64_t)clock_ns(CLOCK_REALTIME);
	return 0;
}

static uint64_t in_ns(double seconds)
{
	return (uint64_t)llround(seconds * 1e9);
}

int serving_run(struct serving *s, struct err *e)
{
	const struct serving_args *a = &s->args;
	uint64_t stop, end;
	int err = start(s, e);

	stop = a->seconds > 0 ? s->started_ns + in_ns(a->seconds) : UINT64_MAX;
	end = s->started_ns;
	while (!err) {
		bool last, over;

		end = a->interval > 0 ? end + in_ns(a->interval) : stop;
		end = end < stop ? end : stop;
		err = run_interval(s, end);
		s->interrupted = err == -EINTR;
		over = s->interrupted || err == -ESRCH || err == -EDQUOT;
		if (err && !over)
			break;
		if (s->excess.program)
			bpf_engine_stop(s->engine, BPF_RED);
		last = err || end >= stop || (a->count && s->done + 1 >= a->count);
		if (last)
			stop_calibrating(s);
		err = end_interval(s, last, e);
		if (last)
			break;
	}
	stop_calibrating(s);
	if (err && err != -EPIPE && err != -ECANCELED && !e->msg[0])
		err_errno(e, err, "cannot watch");
	return err;
}
