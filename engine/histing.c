/* SPDX-License-Identifier: Apache-2.0 */
/* Distributions, interval by interval. */
#include "engine/histing.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/root.h"
#include "collectors/bpf_hists.h"
#include "collectors/hist_target.h"
#include "collectors/host.h"
#include "engine/budget.h"
#include "engine/ledger.h"
#include "engine/loop.h"
#include "engine/naming.h"

#define TICK_NS 100000000u

/* Two of each twenty ticks are measured by the kernel, from the second on: see bpf_engine_calibrate_begin(). */
#define CALIBRATE_FROM  1
#define CALIBRATE_TO    3
#define CALIBRATE_EVERY 20

#define SECOND_TICKS    10
#define BUDGET_SPAN     10 /* seconds: a look may be endless */

struct histing {
	struct histing_args args;
	struct root root;
	struct host host;
	struct bpf_engine *engine;
	struct bpf_hists *bpf;
	struct bpf_hists_plan plan;
	struct wire_counts counts; /* when it began */
	struct hists before, now;
	struct report report;
	struct loop loop;
	uint64_t started_ns, interval_ns; /* of the interval that is open */
	int64_t interval_wall_ns;
	uint64_t ticks, done; /* intervals */
	double open_seconds;
	bool interrupted, ended, calibrating;
	struct budget budget;
	struct histing_excess excess; /* program: NULL while there is none */
};

/* ---- opening and closing ---- */

static int find_target(struct histing *h, struct hist_wish *w, struct err *e)
{
	const struct histing_args *a = &h->args;
	int err = 0;

	if (a->cgroup)
		err = hist_find_group(&h->root, a->cgroup, w, e);
	return err ? err : hist_find_disk(&h->root, a->disk, w, e);
}

static int open_programs(struct histing *h, const struct hist_wish *w, struct err *e)
{
	struct bpf_options o = { .hist = &h->plan.config };
	char why[300];
	int err;

	bpf_hists_plan(&h->plan, w);
	o.hist_cells = h->plan.cells;
	err = bpf_engine_open_with(&h->engine, h->plan.groups, &o, e);
	if (err)
		return err;
	if (!bpf_hists_has(h->engine, h->args.kind)) {
		bpf_hists_why(h->engine, h->args.kind, why, sizeof(why));
		return err_set(e, -ENOSYS, "cannot measure %s: %s", hist_kinds[h->args.kind].name,
			       why[0] ? why : "its programs could not be attached");
	}
	bpf_hists_open(&h->bpf, h->engine, &h->plan, &h->root);
	bpf_hists_namer(h->bpf, naming_kernel);
	return 0;
}

int histing_open(struct histing **out, const struct histing_args *a, struct err *e)
{
	struct histing *h = mem_alloc(sizeof(*h));
	struct hist_wish w = { .kinds = 1u << a->kind, .key = a->key, .pid = (uint32_t)a->pid };
	uint64_t began = clock_ns(CLOCK_MONOTONIC);
	int rc = -EINVAL, err;

	*out = NULL;
	h->args = *a;
	h->root.fd = -1;
	report_init(&h->report, "sixty.hist/1", &h->host);
	err = loop_open(&h->loop, e);
	if (!err)
		err = root_open(&h->root, "/", e);
	if (!err)
		err = find_target(h, &w, e);
	if (!err)
		err = open_programs(h, &w, e);
	if (err) {
		rc = err;
		goto out;
	}
	host_read(&h->host, &h->root);
	h->open_seconds = (double)(clock_ns(CLOCK_MONOTONIC) - began) * 1e-9;
	rc = 0;
out:
	if (rc) {
		histing_close(h);
		h = NULL;
	}
	*out = h;
	return rc;
}

void histing_close(struct histing *h)
{
	if (!h)
		return;
	bpf_hists_close(h->bpf);
	bpf_engine_close(h->engine);
	root_close(&h->root);
	hists_done(&h->before);
	hists_done(&h->now);
	report_done(&h->report);
	loop_close(&h->loop);
	mem_free(h);
}

bool histing_process_ended(const struct histing *h)
{
	return h->ended;
}

const struct histing_excess *histing_excess(const struct histing *h)
{
	return h->excess.program ? &h->excess : NULL;
}

/* ---- intervals ---- */

static void swap(struct hists *a, struct hists *b)
{
	struct hists t = *a;

	*a = *b;
	*b = t;
}

static void copy(struct hists *to, const struct hists *from)
{
	hists_clear(to);
	if (from->n) {
		to->rows = mem_grow(to->rows, &to->cap, from->n, sizeof(*to->rows));
		memcpy(to->rows, from->rows, from->n * sizeof(*to->rows));
	}
	if (from->nfailures) {
		to->failures = mem_grow(to->failures, &to->failures_cap, from->nfailures,
					sizeof(*to->failures));
		memcpy(to->failures, from->failures, from->nfailures * sizeof(*to->failures));
	}
	to->n = from->n;
	to->nfailures = from->nfailures;
}

static void fill_ledger(struct histing *h)
{
	struct ledger *l = &h->report.ledger;

	*l = (struct ledger){ .wall_seconds =
				      (double)(clock_ns(CLOCK_MONOTONIC) - h->started_ns) * 1e-9,
			      .attach_seconds = h->open_seconds };
	ledger_self(l);
	ledger_bpf(l, h->engine, &h->counts);
}

static int end_interval(struct histing *h, bool last, struct err *e)
{
	struct hists all = { 0 };
	uint64_t now;
	int err;

	hists_clear(&h->now);
	err = bpf_hists_read(h->bpf, &h->now, e);
	now = clock_ns(CLOCK_MONOTONIC);
	if (err)
		return err;
	copy(&all, &h->now); /* what has come so far: the next interval begins with it */
	hists_subtract(&h->now, &h->before);
	hists_tidy(&h->now);
	h->report.parts = REPORT_HISTS;
	h->report.hists = &h->now;
	h->report.seconds = (double)(now - h->interval_ns) * 1e-9;
	h->report.start_wall_ns = h->interval_wall_ns;
	h->report.interrupted = h->interrupted;
	h->report.pid = h->args.pid;
	h->report.interval = (unsigned)h->done;
	h->report.more = !last;
	fill_ledger(h);
	h->interval_ns = now;
	h->interval_wall_ns = (int64_t)clock_ns(CLOCK_REALTIME);
	h->done++;
	sigprocmask(SIG_SETMASK, &h->loop.before, NULL);
	err = h->args.on_interval(h->args.ctx, &h->report);
	sigprocmask(SIG_BLOCK, &h->loop.ours, NULL);
	swap(&h->before, &all);
	hists_done(&all);
	return err;
}

/* ---- the loop ---- */

static void calibrate(struct histing *h)
{
	uint64_t at = h->ticks % CALIBRATE_EVERY;

	if (at == CALIBRATE_FROM)
		bpf_engine_calibrate_begin(h->engine);
	else if (at == CALIBRATE_TO)
		bpf_engine_calibrate_end(h->engine);
	h->calibrating = at >= CALIBRATE_FROM && at < CALIBRATE_TO;
}

static void stop_calibrating(struct histing *h)
{
	if (h->calibrating)
		bpf_engine_calibrate_end(h->engine);
	h->calibrating = false;
}

static uint64_t in_ns(double seconds)
{
	return (uint64_t)llround(seconds * 1e9);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* A second is over. False: a program costs more than it may. */
static bool keep_budget(struct histing *h)
{
	struct wire_counts counts;
	size_t dearest = 0;

	if (h->budget.elapsed >= BUDGET_SPAN)
		budget_init(&h->budget, h->args.budget, BUDGET_SPAN);
	bpf_engine_second(h->engine, &counts);
	for (size_t i = 0; bpf_probes[i].program; i++)
		budget_spend(&h->budget, i, bpf_engine_load(h->engine, i), 1);
	if (!budget_exceeded(&h->budget, 1, &dearest))
		return true;
	h->excess = (struct histing_excess){
		.program = bpf_probes[dearest].program,
		.share = h->budget.rate[dearest],
		.seconds = (double)(clock_ns(CLOCK_MONOTONIC) - h->started_ns) * 1e-9,
	};
	return false;
}

/* What comes with a tick. -ESRCH: the process has ended; -EDQUOT: it costs too much. */
static int tick(struct histing *h)
{
	h->ticks++;
	calibrate(h);
	if (h->ticks % SECOND_TICKS == 1)
		bpf_hists_tick(h->bpf);
	if (h->ticks % SECOND_TICKS == 0 && !keep_budget(h))
		return -EDQUOT;
	return h->args.pid && kill(h->args.pid, 0) && errno == ESRCH ? -ESRCH : 0;
}

/* Run to the end of the interval at `end`. 0: it has come; -EINTR: SIGINT; others: see tick(). */
static int run_interval(struct histing *h, uint64_t end)
{
	for (;;) {
		uint64_t next = h->started_ns + (h->ticks + 1) * TICK_NS;
		int err = loop_sleep(&h->loop, earlier(next, end));

		if (!err && clock_ns(CLOCK_MONOTONIC) >= next)
			err = tick(h);
		if (err)
			return err;
		if (clock_ns(CLOCK_MONOTONIC) >= end)
			return 0;
	}
}

static int start(struct histing *h, struct err *e)
{
	int err = bpf_hists_read(h->bpf, &h->before, e);

	if (err)
		return err;
	err = bpf_engine_counts(h->engine, &h->counts);
	if (err)
		return err_errno(e, err, "cannot read the counters of programs");
	budget_init(&h->budget, h->args.budget,
		    h->args.seconds > 0 && h->args.seconds < BUDGET_SPAN ? h->args.seconds
									 : BUDGET_SPAN);
	h->started_ns = h->interval_ns = clock_ns(CLOCK_MONOTONIC);
	h->interval_wall_ns = (int64_t)clock_ns(CLOCK_REALTIME);
	return 0;
}

int histing_run(struct histing *h, struct err *e)
{
	const struct histing_args *a = &h->args;
	uint64_t stop, end;
	int err = start(h, e);

	stop = a->seconds > 0 ? h->started_ns + in_ns(a->seconds) : UINT64_MAX;
	end = h->started_ns;
	while (!err) {
		bool last;

		end = a->interval > 0 ? earlier(end + in_ns(a->interval), stop) : stop;
		err = run_interval(h, end);
		h->interrupted = err == -EINTR;
		h->ended = err == -ESRCH;
		if (err && !h->interrupted && !h->ended && !h->excess.program)
			break;
		if (h->excess.program)
			bpf_engine_stop(h->engine, h->plan.groups);
		last = err || end >= stop || (a->count && h->done + 1 >= a->count);
		if (last)
			stop_calibrating(h);
		err = end_interval(h, last, e);
		if (last)
			break;
	}
	stop_calibrating(h);
	if (err && err != -EPIPE && err != -ECANCELED && !e->msg[0])
		err_errno(e, err, "cannot watch");
	return err;
}
