/* SPDX-License-Identifier: Apache-2.0 */
/* One look at the machine.
 *
 * Collectors have a pace, and each pace has its chain of snapshots; a chain's neighbours give intervals, and intervals
 * add up to seconds and to the window:
 *
 *   FAST    |.........|.........|.........|      every 100 ms ┐
 *   SECOND  |---------|---------|---------|      every second ┴─▶ seconds[] ─┐
 *   EDGE    |-----------------------------|      the two ends ───────────────┴─▶ window
 *
 * In replay the steps of the capture stand for the seconds. */
#include "engine/session.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/root.h"
#include "collectors/collector.h"
#include "collectors/hist_target.h"
#include "collectors/host.h"
#include "engine/capture.h"
#include "engine/ledger.h"
#include "engine/loop.h"
#include "engine/probing.h"
#include "engine/recording.h"
#include "model/lost.h"

#define TICK_NS (1000000000 / TICKS_A_SECOND)
#define PACES   (PACE_EDGE + 1)

/* Of a watch without an end: the first judgement comes early. */
#define LIVE_SETTLE    5 /* ticks: until our own start is over, which is not what is to be judged */
#define LIVE_FIRST     2.0 /* seconds */
#define LIVE_HALF      5.0
#define LIVE_REPLAY_NS 10500000000u /* of a capture are judged together */

struct chain {
	struct snapshot a, b;  /* the reading before, and the last one */
	struct snapshot first; /* kept for view.first; EDGE keeps it in a */
	bool started;
};

#define LIVE_ENDS 3

/* Of a watch without an end. */
struct live {
	struct live_args args;
	struct snapshot ends[LIVE_ENDS]; /* of the two halves */
	struct interval older, newer;    /* the two halves */
	size_t nolder, stale;            /* seconds[] of the older half; of the one before it */
	uint64_t ticks, due, edge_due;   /* so far; of the next refresh; of the end of this half */
	uint64_t budgeted;               /* seconds */
	bool settled;
	size_t at;             /* step of a capture */
	struct hists hists[2]; /* as they were at the last two ends */
};

struct session {
	struct session_args args;
	struct root root;     /* of system files; in replay, of the step that is read */
	struct root replayed; /* the capture that is replayed */
	struct host host;
	struct collector_env env;
	struct status *status;
	size_t nstatus, status_cap;
	void **states; /* one per collector; NULL: could not be opened */
	struct probing probing;
	bool *stopped; /* per collector: its programs were stopped before the window's end */
	struct snapshot early; /* what those have read last */
	struct chain chains[PACES];
	struct interval step, second, edge, window;
	struct interval **seconds;
	size_t nseconds, seconds_cap;
	struct lost_row *lost, *threads;
	struct view view;
	bool view_ready;
	struct hist_wish group;     /* the control group that is looked at */
	struct hists hists;         /* of the window */
	struct capture capture;     /* that is replayed */
	struct recording recording; /* the capture that is made */
	struct loop loop;
	uint64_t start_ns, late_ticks;
	int64_t start_wall_ns;
	struct live live;
	double open_seconds;
};

static int64_t clock_wall_ns(void)
{
	return (int64_t)clock_ns(CLOCK_REALTIME);
}

/* ---- opening and closing ---- */

static void open_collectors(struct session *s)
{
	size_t n = 0;

	while (collectors[n])
		n++;
	s->states = mem_array(n + 1, sizeof(*s->states));
	s->stopped = mem_array(n + 1, sizeof(*s->stopped));
	for (size_t i = 0; i < n; i++) {
		const struct collector *c = collectors[i];
		struct err e = { 0 };

		if (s->args.replay && !c->files)
			continue; /* its tables are in the capture */
		s->states[i] = mem_alloc(c->state_size ? c->state_size : 1);
		if (!c->open || !c->open(s->states[i], &s->env, &e))
			continue;
		collector_status(&s->env, c->name, e.code ? e.code : -EIO, "%s", e.msg);
		if (c->close)
			c->close(s->states[i]);
		mem_free(s->states[i]);
		s->states[i] = NULL;
	}
}

/* Files are read from one step of a recording at a time. */
static int open_step(struct session *s, size_t step, struct err *e)
{
	char name[32];

	root_close(&s->root);
	snprintf(name, sizeof(name), "%04zu", step);
	return root_open_below(&s->root, &s->replayed, name, e);
}

/* A machine that is slow is slow for us as well: behind a storm of context switches a window of 3 s was seen to take 51,
 * and the least nice process to wait for seconds (kernels that favour the task that was just woken can starve all others).
 * What we use is small (see the ledger), so we ask for the lowest real-time priority, as long as we behave: whoever
 * computes for half a second without sleeping (a hundred thousand processes, or a mistake of ours) is made normal. */
#define REALTIME_PRIORITY 1
#define REALTIME_MOST_US  500000

static void give_way(int signal)
{
	static const struct sched_param normal;

	(void)signal;
	(void)!sched_setscheduler(0, SCHED_OTHER, &normal);
}

static void ask_to_be_served_first(void)
{
	struct rlimit most;
	struct sched_param first = { .sched_priority = REALTIME_PRIORITY };
	struct sigaction act = { .sa_handler = give_way, .sa_flags = SA_RESTART };

	/* without the right to: late ticks in the ledger tell what it did */
	(void)!setpriority(PRIO_PROCESS, 0, -20);
	if (getrlimit(RLIMIT_RTTIME, &most))
		return;
	most.rlim_cur = REALTIME_MOST_US;
	if (!sigaction(SIGXCPU, &act, NULL) && !setrlimit(RLIMIT_RTTIME, &most))
		(void)!sched_setscheduler(0, SCHED_RR, &first);
}

static int open_source(struct session *s, struct err *e)
{
	int err;

	if (s->args.replay) {
		err = capture_open(&s->capture, s->args.replay, e);
		if (err)
			return err;
		s->host = s->capture.host;
		err = root_open(&s->replayed, s->args.replay, e);
		return err ? err : open_step(s, 0, e);
	}
	err = root_open(&s->root, s->args.root ? s->args.root : "/", e);
	if (err)
		return err;
	ask_to_be_served_first();
	host_read(&s->host, &s->root);
	return s->args.capture ? recording_open(&s->recording, s->args.capture, e) : 0;
}

int session_open(struct session **out, const struct session_args *args, struct err *e)
{
	struct session *s = mem_alloc(sizeof(*s));
	uint64_t began = clock_boot_ns();
	int rc = -EINVAL, err;

	metrics_init();
	s->args = *args;
	s->root.fd = s->replayed.fd = -1;
	s->env = (struct collector_env){
		.root = &s->root,
		.host = &s->host,
		.status = &s->status,
		.nstatus = &s->nstatus,
		.status_cap = &s->status_cap,
		.pid = args->pid,
		.live = args->live,
		.one_group = args->cgroup != NULL,
	};
	/* before collectors keep files open: where descriptors are few, the loop goes first */
	err = loop_open(&s->loop, e);
	if (!err)
		err = open_source(s, e);
	if (!err && args->cgroup)
		err = hist_find_group(&s->root, args->cgroup, &s->group, e);
	if (err) {
		rc = err;
		goto out;
	}
	for (int p = 0; p < PACES; p++) {
		snapshot_init(&s->chains[p].a, &s->host);
		snapshot_init(&s->chains[p].b, &s->host);
		snapshot_init(&s->chains[p].first, &s->host);
	}
	interval_init(&s->step, &s->host);
	interval_init(&s->second, &s->host);
	interval_init(&s->edge, &s->host);
	interval_init(&s->window, &s->host);
	snapshot_init(&s->early, &s->host);
	probing_open(&s->probing, &s->env, &s->args, &s->group);
	open_collectors(s);
	s->open_seconds = (double)(clock_boot_ns() - began) * 1e-9;
	rc = 0;
out:
	if (rc) {
		session_close(s);
		s = NULL;
	}
	*out = s;
	return rc;
}

static void live_free(struct session *s)
{
	for (int i = 0; i < LIVE_ENDS; i++)
		snapshot_done(&s->live.ends[i]);
	interval_done(&s->live.older);
	interval_done(&s->live.newer);
	hists_done(&s->live.hists[0]);
	hists_done(&s->live.hists[1]);
}

void session_close(struct session *s)
{
	if (!s)
		return;
	for (size_t i = 0; s->states && collectors[i]; i++) {
		if (s->states[i] && collectors[i]->close)
			collectors[i]->close(s->states[i]);
		mem_free(s->states[i]);
	}
	mem_free(s->states);
	mem_free(s->stopped);
	snapshot_done(&s->early);
	probing_close(&s->probing);
	hists_done(&s->hists);
	for (int p = 0; p < PACES; p++) {
		snapshot_done(&s->chains[p].a);
		snapshot_done(&s->chains[p].b);
		snapshot_done(&s->chains[p].first);
	}
	for (size_t i = 0; i < s->nseconds; i++) {
		interval_done(s->seconds[i]);
		mem_free(s->seconds[i]);
	}
	mem_free(s->seconds);
	interval_done(&s->step);
	interval_done(&s->second);
	interval_done(&s->edge);
	interval_done(&s->window);
	live_free(s);
	mem_free(s->lost);
	mem_free(s->threads);
	mem_free(s->status);
	capture_close(&s->capture);
	recording_close(&s->recording);
	root_close(&s->root);
	root_close(&s->replayed);
	loop_close(&s->loop);
	mem_free(s);
}

/* ---- reading ---- */

/* Read every collector of a pace into the chain's next snapshot. */
static void read_pace(struct session *s, enum file_pace pace, struct snapshot *out)
{
	snapshot_clear(out);
	out->time_ns = clock_boot_ns();
	out->wall_ns = clock_wall_ns();
	for (size_t i = 0; collectors[i]; i++) {
		struct err e = { 0 };
		int err;

		if (collectors[i]->pace != pace || !s->states[i])
			continue;
		if (s->stopped[i]) {
			if (!s->args.live) /* where there is no end, it is unknown from here on */
				snapshot_merge(out, &s->early);
			continue;
		}
		err = collectors[i]->read(s->states[i], out, &e);
		if (err)
			collector_status(&s->env, collectors[i]->name, err, "%s", e.msg);
	}
}

static void swap_snapshots(struct snapshot *a, struct snapshot *b)
{
	struct snapshot t = *a;

	*a = *b;
	*b = t;
}

/* Take the reading in chain.b into the sums. */
static void advance(struct session *s, enum file_pace pace)
{
	struct chain *c = &s->chains[pace];

	if (!c->started) {
		c->started = true;
		if (pace != PACE_EDGE)
			snapshot_merge(&c->first, &c->b);
		swap_snapshots(&c->a, &c->b);
		return;
	}
	if (pace == PACE_EDGE) {
		snapshot_carry(&c->b, &c->a);
		interval_diff(&s->edge, &c->a, &c->b);
		return; /* both ends stay: they become view.first and view.last */
	}
	snapshot_take(&c->b, &c->a);
	interval_diff(&s->step, &c->a, &c->b);
	interval_add(&s->second, &s->step);
	swap_snapshots(&c->a, &c->b);
}

static void read_live(struct session *s, enum file_pace pace)
{
	read_pace(s, pace, &s->chains[pace].b);
	advance(s, pace);
}

/* Where descriptors are few, what everything else stands on gets them: it is read once, and its files stay open. */
static void open_files(struct session *s)
{
	struct snapshot *out = &s->chains[PACE_FAST].b;

	for (size_t i = 0; collectors[i]; i++)
		if (collectors[i]->keeps_files && s->states[i])
			collectors[i]->read(s->states[i], out, &(struct err){ 0 });
	snapshot_clear(out);
}

/* The second is kept, and added to what it is a part of. */
static void end_second(struct session *s, struct interval *whole)
{
	struct interval *kept;

	if (!s->second.end_ns)
		return;
	kept = mem_alloc(sizeof(*kept));
	interval_init(kept, &s->host);
	interval_add(kept, &s->second);
	interval_add(whole, &s->second);
	interval_clear(&s->second);
	s->seconds = mem_grow(s->seconds, &s->seconds_cap, s->nseconds + 1, sizeof(*s->seconds));
	s->seconds[s->nseconds++] = kept;
}

static void tick_collectors(struct session *s, uint64_t now)
{
	for (size_t i = 0; collectors[i]; i++)
		if (collectors[i]->tick && s->states[i])
			collectors[i]->tick(s->states[i], now);
}

/* Read what groups of programs have measured so far, and stop them: that is all that will be known of it. */
static void stop_early(struct session *s, uint64_t groups)
{
	if (!groups)
		return;
	s->env.closing = true;
	for (size_t i = 0; collectors[i]; i++) {
		struct err e = { 0 };

		if (!(collectors[i]->bpf & groups) || !s->states[i] || s->stopped[i])
			continue;
		if (!collectors[i]->read(s->states[i], &s->early, &e))
			s->stopped[i] = true;
	}
	s->env.closing = false;
	probing_stop(&s->probing, groups);
}

/* ---- recording ---- */

/* Record what the chains have just read, and the raw files as they are now. After a step of a chain its last reading is
 * in a; only the second one of EDGE stays in b. */
static int record_step(struct session *s, const struct snapshot *ends, struct err *e)
{
	struct snapshot often;
	int err;

	if (!s->args.capture)
		return 0;
	snapshot_init(&often, &s->host);
	snapshot_merge(&often, &s->chains[PACE_SECOND].a);
	snapshot_merge(&often, &s->chains[PACE_FAST].a);
	err = recording_step(&s->recording, &s->root, &often, ends, clock_boot_ns(),
			     clock_wall_ns(), e);
	snapshot_done(&often);
	return err;
}

/* ---- watching ---- */

/* Wait for the next tick. 1: so many ticks have passed (in *ticks); negative: a signal. */
static int wait_tick(struct session *s, uint64_t *ticks)
{
	struct pollfd p[2] = { { .fd = s->loop.timer, .events = POLLIN },
			       { .fd = s->loop.signals, .events = POLLIN } };
	int sig;

	if (poll(p, 2, -1) < 0 && errno != EINTR)
		return -errno;
	sig = p[1].revents ? loop_signal(s->loop.signals) : 0;
	if (sig)
		return sig;
	return read(s->loop.timer, ticks, sizeof(*ticks)) == (ssize_t)sizeof(*ticks) ? 1 : 0;
}

static void show_second(struct session *s, uint64_t done, uint64_t total)
{
	struct view v = {
		.host = &s->host,
		.window = &s->window,
		.seconds = s->seconds,
		.nseconds = s->nseconds,
		.status = s->status,
		.nstatus = s->nstatus,
	};

	if (s->args.on_second)
		s->args.on_second(s->args.ctx, &v, (double)done / TICKS_A_SECOND,
				  (double)total / TICKS_A_SECOND);
}

/* Is a recording due after this tick? Steps are spread evenly; the two ends are written elsewhere. */
static bool step_due(const struct session *s, uint64_t done, uint64_t total)
{
	uint64_t between = (uint64_t)(s->args.capture_steps > 1 ? s->args.capture_steps - 1 : 1);

	size_t n = s->recording.capture.nsteps;

	return s->args.capture && done < total && n < between && done * between >= n * total;
}

static int watch_ticks(struct session *s, uint64_t total, struct err *e)
{
	uint64_t done = 0, shown = 0, passed = 0;
	bool fresh;

	show_second(s, 0, total);
	while (done < total) {
		int got = wait_tick(s, &passed), err;

		if (got < 0)
			return got;
		if (!got)
			continue;
		s->late_ticks += passed - 1;
		done += passed;
		if (done >= total)
			break;
		read_live(s, PACE_FAST);
		tick_collectors(s, clock_boot_ns());
		probing_tick(&s->probing);
		fresh = done / TICKS_A_SECOND > shown;
		if (fresh) {
			shown = done / TICKS_A_SECOND;
			read_live(s, PACE_SECOND);
			end_second(s, &s->window);
			stop_early(s, probing_second(&s->probing));
			show_second(s, done, total);
		}
		if (step_due(s, done, total)) {
			if (!fresh)
				read_live(s, PACE_SECOND);
			err = record_step(s, NULL, e);
			if (err)
				return err;
		}
	}
	return 0;
}

static int watch_live(struct session *s, struct err *e)
{
	uint64_t total = (uint64_t)llround(s->args.seconds * TICKS_A_SECOND);
	int rc, err;

	/* The slow readings come first: the window is as long as was asked for between the first fast one and the last. */
	open_files(s);
	read_live(s, PACE_EDGE);
	probing_begin(&s->probing);
	read_live(s, PACE_SECOND);
	err = loop_start(&s->loop, TICK_NS, e);
	if (err)
		return err;
	s->start_ns = clock_boot_ns();
	s->start_wall_ns = clock_wall_ns();
	read_live(s, PACE_FAST);
	err = record_step(s, &s->chains[PACE_EDGE].a, e);
	if (err)
		return err;
	rc = watch_ticks(s, total ? total : 1, e);
	if (rc == -ECANCELED || (rc && rc != -EINTR))
		return rc;
	s->env.closing = true;
	read_live(s, PACE_FAST);
	read_live(s, PACE_SECOND);
	end_second(s, &s->window);
	read_live(s, PACE_EDGE);
	probing_end(&s->probing, &s->hists);
	err = record_step(s, &s->chains[PACE_EDGE].b, e);
	if (!err && s->args.capture)
		err = recording_finish(&s->recording, &s->host, e);
	return err ? err : rc;
}

/* One step of a capture: files under DIR/NNNN, tables beside them; the ends have both paces' worth of tables. */
static int replay_step(struct session *s, size_t step, bool end, struct err *e)
{
	const struct capture_step *at = &s->capture.steps[step];
	int err = open_step(s, step, e);

	if (err)
		return err;
	for (int p = 0; p < PACES; p++) {
		struct snapshot *b = &s->chains[p].b;

		if (p == PACE_EDGE && !end)
			continue;
		read_pace(s, p, b);
		b->time_ns = at->boot_ns;
		b->wall_ns = at->wall_ns;
		for (int sc = 0; sc < SCOPE_MAX; sc++)
			if (b->tables[sc].time_ns)
				b->tables[sc].time_ns = at->boot_ns;
		if (p != PACE_FAST)
			err = capture_read_tables(&s->root, p == PACE_SECOND ? "tables" : "ends", b,
						  at->boot_ns, e);
		if (err)
			return err;
		advance(s, p);
	}
	end_second(s, &s->window);
	return 0;
}

static int watch_replay(struct session *s, struct err *e)
{
	size_t n = s->capture.nsteps;

	s->start_ns = s->capture.steps[0].boot_ns;
	s->start_wall_ns = s->capture.steps[0].wall_ns;
	for (size_t i = 0; i < n; i++) {
		int err = replay_step(s, i, i == 0 || i == n - 1, e);

		if (err)
			return err;
	}
	return 0;
}

/* The window has its two ends: what was read at them, and what the faster paces read first and last. */
static void join_ends(struct session *s)
{
	struct chain *edge = &s->chains[PACE_EDGE];

	interval_add(&s->window, &s->edge);
	for (int p = 0; p < PACE_EDGE; p++) {
		snapshot_absorb(&edge->a, &s->chains[p].first);
		snapshot_absorb(&edge->b,
				&s->chains[p].a); /* advance() has put the last reading into a */
	}
}

/* What is judged: the window as it is now, between these two readings. */
static void make_view(struct session *s, struct snapshot *first, struct snapshot *last)
{
	double total = 0, swept;
	size_t nlost = 0, nthreads = 0;

	mem_free(s->lost);
	mem_free(s->threads);
	lost_align(&s->window);
	s->lost = lost_build(&s->window, &nlost, &total);
	s->threads = lost_threads(&s->window, &nthreads);
	swept = s->window.tables[SCOPE_TIME].seconds;
	s->view = (struct view){
		.measured = nlost && s->lost[0].exact
				    ? fmin(1, swept / interval_seconds(&s->window))
				    : 1,
		.host = &s->host,
		.window = &s->window,
		.seconds = s->seconds,
		.nseconds = s->nseconds,
		.first = first,
		.last = last,
		.status = s->status,
		.nstatus = s->nstatus,
		.lost = s->lost,
		.nlost = nlost,
		.threads = s->threads,
		.nthreads = nthreads,
		.lost_total = total,
	};
	s->view_ready = true;
}

int session_watch(struct session *s, struct err *e)
{
	int rc = s->args.replay ? watch_replay(s, e) : watch_live(s, e);

	if (rc && rc != -EINTR)
		return rc;
	join_ends(s);
	make_view(s, &s->chains[PACE_EDGE].a, &s->chains[PACE_EDGE].b);
	return rc;
}

const struct view *session_view(struct session *s)
{
	return s->view_ready ? &s->view : NULL;
}

const struct bpf_engine *session_bpf(const struct session *s)
{
	return s->env.bpf;
}

const struct host *session_host(const struct session *s)
{
	return &s->host;
}

static uint64_t counted(const struct session *s, enum metric_id id)
{
	double n = system_delta(&s->window, id);

	return n > 0 ? (uint64_t)n : 0;
}

static uint64_t level(const struct session *s, enum metric_id id)
{
	double n = s->view_ready ? snapshot_value(s->view.last, id, 0) : 0;

	return n > 0 ? (uint64_t)n : 0;
}

void session_report(struct session *s, struct report *r)
{
	r->host = &s->host;
	r->view = session_view(s);
	r->hists = s->probing.hists ? &s->hists : NULL;
	r->start_wall_ns = s->start_wall_ns;
	r->seconds = interval_seconds(&s->window);
	r->replayed = s->args.replay != NULL;
	r->ledger.counters_reset = s->window.resets;
	r->ledger.late_ticks = s->late_ticks;
	r->ledger.unseen_threads = counted(s, M_TASKS_UNSEEN);
	r->ledger.samples_skipped = counted(s, M_SAMPLES_SKIPPED);
	r->ledger.hidden_processes = level(s, M_TABLE_HIDDEN);
	if (r->replayed)
		return; /* what looking cost was paid elsewhere */
	ledger_self(&r->ledger);
	r->ledger.wall_seconds = s->args.live ? (double)(clock_boot_ns() - s->start_ns) * 1e-9
					      : r->seconds;
	r->ledger.attach_seconds = s->open_seconds;
	ledger_bpf(&r->ledger, s->env.bpf, NULL);
}

/* ---- without an end ---- */

/* The window slides: it is made of two halves, and when the newer one is complete the older one is dropped.
 *
 *   ends[0]          ends[1]          ends[2]
 *      |----- older -----|----- newer -----|··· seconds of the next half
 *      └──────────── window ───────────────┘ */

static uint64_t ticks_of(double seconds)
{
	long long n = llround(seconds * TICKS_A_SECOND);

	return n < 1 ? 1 : (uint64_t)n;
}

/* Everything that was read last, in one snapshot. */
static void join_latest(struct session *s, struct snapshot *out)
{
	snapshot_clear(out);
	for (int p = PACES - 1; p >= 0; p--)
		snapshot_merge(out, &s->chains[p].a);
	out->time_ns = s->chains[PACE_FAST].a.time_ns;
	out->wall_ns = s->chains[PACE_FAST].a.wall_ns;
}

int session_live_start(struct session *s, const struct live_args *args, struct err *e)
{
	struct live *l = &s->live;

	l->args = *args;
	for (int i = 0; i < LIVE_ENDS; i++)
		snapshot_init(&l->ends[i], &s->host);
	interval_init(&l->older, &s->host);
	interval_init(&l->newer, &s->host);
	s->start_ns = clock_boot_ns();
	s->start_wall_ns = clock_wall_ns();
	if (s->args.replay)
		return session_live_seek(s, s->capture.nsteps - 1, e);
	read_live(s, PACE_EDGE);
	read_live(s, PACE_SECOND);
	read_live(s, PACE_FAST);
	return loop_start(&s->loop, TICK_NS, e);
}

/* What is judged begins here. */
static void live_settle(struct session *s)
{
	struct live *l = &s->live;
	struct chain *edge = &s->chains[PACE_EDGE];

	l->settled = true;
	read_pace(s, PACE_EDGE, &edge->b);
	swap_snapshots(&edge->a, &edge->b);
	read_live(s, PACE_SECOND);
	read_live(s, PACE_FAST);
	interval_clear(&s->second);
	join_latest(s, &l->ends[LIVE_ENDS - 1]);
	probing_hists(&s->probing, &l->hists[1]);
	l->due = l->ticks + ticks_of(l->args.seconds);
	l->edge_due = l->args.halves > 1 ? l->ticks + ticks_of(LIVE_FIRST) : l->due;
}

/* The oldest ones go. */
static void drop_seconds(struct session *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		interval_done(s->seconds[i]);
		mem_free(s->seconds[i]);
	}
	s->nseconds -= n;
	if (n && s->nseconds)
		memmove(s->seconds, s->seconds + n, s->nseconds * sizeof(*s->seconds));
}

static void copy_hists(struct hists *to, const struct hists *from)
{
	hists_clear(to);
	to->rows = mem_grow(to->rows, &to->cap, from->n + 1, sizeof(*to->rows));
	if (from->n)
		memcpy(to->rows, from->rows, from->n * sizeof(*to->rows));
	to->n = from->n;
}

/* Distributions of the window: what has come since it began. */
static void live_hists(struct session *s)
{
	struct live *l = &s->live;
	struct hists oldest = l->hists[0];
	bool both = l->args.halves > 1 && l->older.end_ns;

	if (!s->probing.hists)
		return;
	hists_clear(&s->hists);
	probing_hists(&s->probing, &s->hists);
	l->hists[0] = l->hists[1];
	l->hists[1] = both ? (struct hists){ 0 } : oldest;
	copy_hists(&l->hists[1], &s->hists);
	hists_subtract(&s->hists, both ? &oldest : &l->hists[0]);
	hists_tidy(&s->hists);
	if (both)
		hists_done(&oldest);
}

/* A half is complete: judge it together with the one before. */
static void live_boundary(struct session *s)
{
	struct chain *edge = &s->chains[PACE_EDGE];
	struct live *l = &s->live;
	struct snapshot oldest = l->ends[0];
	struct interval half = l->older;

	read_pace(s, PACE_EDGE, &edge->b);
	interval_diff(&s->edge, &edge->a, &edge->b);
	interval_add(&l->newer, &s->edge);
	swap_snapshots(&edge->a, &edge->b);
	for (int i = 0; i + 1 < LIVE_ENDS; i++)
		l->ends[i] = l->ends[i + 1];
	l->ends[LIVE_ENDS - 1] = oldest;
	join_latest(s, &l->ends[LIVE_ENDS - 1]);
	interval_clear(&s->window);
	if (l->args.halves > 1)
		interval_add(&s->window, &l->older);
	interval_add(&s->window, &l->newer);
	drop_seconds(s, l->stale + (l->args.halves > 1 ? 0 : l->nolder));
	s->start_wall_ns = clock_wall_ns() - (int64_t)(interval_seconds(&s->window) * 1e9);
	make_view(s, &l->ends[l->args.halves > 1 && l->older.end_ns ? 0 : 1],
		  &l->ends[LIVE_ENDS - 1]);
	live_hists(s);
	/* what is newer becomes older; the next half starts empty */
	l->older = l->newer;
	l->newer = half;
	interval_clear(&l->newer);
	l->stale = l->args.halves > 1 ? l->nolder : 0;
	l->nolder = s->nseconds - l->stale;
}

static void live_budget(struct session *s)
{
	uint64_t groups = probing_second(&s->probing);

	s->env.time_measured &= !(groups & BPF_TIME);
	stop_early(s, groups);
}

int session_live_tick(struct session *s)
{
	struct live *l = &s->live;
	uint64_t passed;
	int sig = loop_signal(s->loop.signals);

	if (sig)
		return sig;
	if (s->args.replay ||
	    read(s->loop.timer, &passed, sizeof(passed)) != (ssize_t)sizeof(passed))
		return 0;
	l->ticks += passed;
	s->late_ticks += passed - 1;
	tick_collectors(s, clock_boot_ns());
	probing_tick(&s->probing);
	if (l->ticks / TICKS_A_SECOND > l->budgeted) {
		l->budgeted = l->ticks / TICKS_A_SECOND;
		live_budget(s);
	}
	if (!l->settled && l->ticks >= LIVE_SETTLE)
		live_settle(s);
	if (!l->settled || l->ticks < l->due)
		return 0;
	l->due = l->ticks + ticks_of(l->args.seconds);
	read_live(s, PACE_FAST);
	read_live(s, PACE_SECOND);
	end_second(s, &l->newer);
	s->view.seconds = s->seconds; /* of which the view has the first ones */
	if (l->ticks < l->edge_due)
		return SESSION_REFRESHED;
	l->edge_due = l->ticks + ticks_of(l->args.halves > 1 ? fmax(LIVE_HALF, l->args.seconds)
							     : l->args.seconds);
	live_boundary(s);
	return SESSION_JUDGED;
}

void session_live_pace(struct session *s, double seconds)
{
	s->live.args.seconds = seconds;
	s->live.due = s->live.ticks + ticks_of(seconds);
}

int session_timer(const struct session *s)
{
	return s->args.replay ? -1 : s->loop.timer;
}

int session_signals(const struct session *s)
{
	return s->loop.signals;
}

/* ---- replay, step by step ---- */

static void forget(struct session *s)
{
	for (int p = 0; p < PACES; p++) {
		struct chain *c = &s->chains[p];

		c->started = false;
		snapshot_clear(&c->a);
		snapshot_clear(&c->b);
		snapshot_clear(&c->first);
	}
	drop_seconds(s, s->nseconds);
	interval_clear(&s->step);
	interval_clear(&s->second);
	interval_clear(&s->edge);
	interval_clear(&s->window);
}

int session_live_seek(struct session *s, size_t step, struct err *e)
{
	const struct capture_step *steps = s->capture.steps;
	struct chain *edge = &s->chains[PACE_EDGE];
	size_t from = step;

	while (from > 0 && steps[step].boot_ns - steps[from - 1].boot_ns <= LIVE_REPLAY_NS)
		from--;
	forget(s);
	for (size_t i = from; i <= step; i++) {
		int err = replay_step(s, i, i == from || i == step, e);

		if (err)
			return err;
	}
	join_ends(s);
	s->live.at = step;
	s->start_ns = steps[from].boot_ns;
	s->start_wall_ns = steps[from].wall_ns;
	make_view(s, &edge->a, from == step ? &edge->a : &edge->b);
	return 0;
}

size_t session_steps(const struct session *s, size_t *at, int64_t *wall_ns)
{
	*at = s->live.at;
	*wall_ns = s->capture.nsteps ? s->capture.steps[s->live.at].wall_ns : 0;
	return s->capture.nsteps;
}

int64_t session_step_time(const struct session *s, size_t step)
{
	return step < s->capture.nsteps ? s->capture.steps[step].wall_ns : 0;
}

void session_now(struct session *s, struct now *out)
{
	s->view.status = s->status; /* grows */
	*out = (struct now){
		.host = &s->host,
		.seconds = s->seconds,
		.nseconds = s->nseconds,
		.wall_ns = s->args.replay ? s->capture.steps[s->live.at].wall_ns
					  : s->chains[PACE_FAST].a.wall_ns,
	};
	if (s->args.replay) {
		out->latest[0] = s->view.last;
		return;
	}
	for (int p = 0; p < PACES; p++)
		out->latest[p] = &s->chains[p].a;
}
