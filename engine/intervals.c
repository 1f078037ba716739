/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/intervals.h"

#include <errno.h>
#include <math.h>
#include <signal.h>

#include "base/clock.h"
#include "collectors/bpf_engine.h"
#include "engine/ledger.h"

#define TICK_NS 100000000u

/* Two of each twenty ticks are measured by the kernel, from the second on: see bpf_engine_calibrate_begin(). */
#define CALIBRATE_FROM  1
#define CALIBRATE_TO    3
#define CALIBRATE_EVERY 20

#define SECOND_TICKS    10
#define BUDGET_SPAN     10 /* seconds: a look may be endless */

static uint64_t in_ns(double seconds)
{
	return (uint64_t)llround(seconds * 1e9);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ---- intervals ---- */

static void fill_ledger(const struct intervals *iv, struct ledger *l)
{
	*l = (struct ledger){ .wall_seconds =
				      (double)(clock_ns(CLOCK_MONOTONIC) - iv->started_ns) * 1e-9,
			      .attach_seconds = iv->open_seconds };
	ledger_self(l);
	ledger_bpf(l, iv->engine, &iv->counts);
}

static int end_interval(struct intervals *iv, struct report *r, bool last, struct err *e)
{
	int err = iv->source->read(iv->of, e);
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (err)
		return err;
	r->seconds = (double)(now - iv->interval_ns) * 1e-9;
	r->start_wall_ns = iv->interval_wall_ns;
	r->interrupted = iv->interrupted;
	r->interval = (unsigned)iv->done;
	r->more = !last;
	iv->source->show(iv->of, r);
	fill_ledger(iv, &r->ledger);
	iv->interval_ns = now;
	iv->interval_wall_ns = (int64_t)clock_ns(CLOCK_REALTIME);
	iv->done++;
	sigprocmask(SIG_SETMASK, &iv->loop.before, NULL);
	err = iv->args.on_interval(iv->args.ctx, r);
	sigprocmask(SIG_BLOCK, &iv->loop.ours, NULL);
	return err;
}

/* ---- the loop ---- */

static void calibrate(struct intervals *iv)
{
	uint64_t at = iv->ticks % CALIBRATE_EVERY;

	if (at == CALIBRATE_FROM)
		bpf_engine_calibrate_begin(iv->engine);
	else if (at == CALIBRATE_TO)
		bpf_engine_calibrate_end(iv->engine);
	iv->calibrating = at >= CALIBRATE_FROM && at < CALIBRATE_TO;
}

static void stop_calibrating(struct intervals *iv)
{
	if (iv->calibrating)
		bpf_engine_calibrate_end(iv->engine);
	iv->calibrating = false;
}

/* A second is over. False: a program costs more than it may. */
static bool keep_budget(struct intervals *iv)
{
	struct wire_counts counts;
	size_t dearest = 0;

	if (iv->budget.elapsed >= BUDGET_SPAN)
		budget_init(&iv->budget, iv->args.budget, BUDGET_SPAN);
	bpf_engine_second(iv->engine, &counts);
	for (size_t i = 0; bpf_probes[i].program; i++)
		budget_spend(&iv->budget, i, bpf_engine_load(iv->engine, i), 1);
	if (!budget_exceeded(&iv->budget, 1, &dearest))
		return true;
	iv->excess = (struct budget_excess){
		.program = bpf_probes[dearest].program,
		.share = iv->budget.rate[dearest],
		.seconds = (double)(clock_ns(CLOCK_MONOTONIC) - iv->started_ns) * 1e-9,
	};
	return false;
}

/* What comes with a tick. -ESRCH: the process has ended; -EDQUOT: it costs too much. */
static int tick(struct intervals *iv)
{
	iv->ticks++;
	calibrate(iv);
	if (iv->ticks % SECOND_TICKS == 1 && iv->source->second)
		iv->source->second(iv->of);
	if (iv->ticks % SECOND_TICKS == 0 && !keep_budget(iv))
		return -EDQUOT;
	return iv->args.pid && kill(iv->args.pid, 0) && errno == ESRCH ? -ESRCH : 0;
}

/* Run to the end of the interval at `end`. 0: it has come; -EINTR: SIGINT; others: see tick(). */
static int run_interval(struct intervals *iv, uint64_t end)
{
	for (;;) {
		uint64_t next = iv->started_ns + (iv->ticks + 1) * TICK_NS;
		int err = loop_sleep(&iv->loop, earlier(next, end));

		if (!err && clock_ns(CLOCK_MONOTONIC) >= next)
			err = tick(iv);
		if (err)
			return err;
		if (clock_ns(CLOCK_MONOTONIC) >= end)
			return 0;
	}
}

static int start(struct intervals *iv, struct err *e)
{
	double seconds = iv->args.seconds;
	int err = iv->source->begin(iv->of, e);

	if (err)
		return err;
	err = bpf_engine_counts(iv->engine, &iv->counts);
	if (err)
		return err_errno(e, err, "cannot read the counters of programs");
	budget_init(&iv->budget, iv->args.budget,
		    seconds > 0 && seconds < BUDGET_SPAN ? seconds : BUDGET_SPAN);
	iv->started_ns = iv->interval_ns = clock_ns(CLOCK_MONOTONIC);
	iv->interval_wall_ns = (int64_t)clock_ns(CLOCK_REALTIME);
	return 0;
}

int intervals_run(struct intervals *iv, struct report *r, struct err *e)
{
	const struct interval_args *a = &iv->args;
	uint64_t stop, end;
	int err = start(iv, e);

	stop = a->seconds > 0 ? iv->started_ns + in_ns(a->seconds) : UINT64_MAX;
	end = iv->started_ns;
	while (!err) {
		bool last;

		end = a->interval > 0 ? earlier(end + in_ns(a->interval), stop) : stop;
		err = run_interval(iv, end);
		iv->interrupted = err == -EINTR;
		iv->ended = err == -ESRCH;
		if (err && !iv->interrupted && !iv->ended && !iv->excess.program)
			break;
		if (iv->excess.program)
			bpf_engine_stop(iv->engine, iv->groups);
		last = err || end >= stop || (a->count && iv->done + 1 >= a->count);
		if (last)
			stop_calibrating(iv);
		err = end_interval(iv, r, last, e);
		if (last)
			break;
	}
	stop_calibrating(iv);
	if (err && err != -EPIPE && err != -ECANCELED && !e->msg[0])
		err_errno(e, err, "cannot watch");
	return err;
}
