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
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/root.h"
#include "bpf/wire.h"
#include "collectors/bpf_hists.h"
#include "collectors/collector.h"
#include "collectors/hist_target.h"
#include "collectors/host.h"
#include "engine/budget.h"
#include "engine/capture.h"
#include "engine/ledger.h"
#include "engine/naming.h"
#include "engine/recording.h"
#include "model/lost.h"
#include "symbols/names.h"

#define TICK_NS        100000000
#define TICKS_A_SECOND 10
#define PACES          (PACE_EDGE + 1)

struct chain {
	struct snapshot a, b;  /* the reading before, and the last one */
	struct snapshot first; /* kept for view.first; EDGE keeps it in a */
	bool started;
};

struct session {
	struct session_args args;
	struct root root;     /* of system files; in replay, of the step that is read */
	struct root replayed; /* the capture that is replayed */
	struct host host;
	struct collector_env env;
	struct names names; /* of programs: a child that is asked */
	bool names_open;
	struct status *status;
	size_t nstatus, status_cap;
	void **states; /* one per collector; NULL: could not be opened */
	struct budget budget;
	bool *stopped; /* per collector: its programs were stopped before the window's end */
	struct snapshot early; /* what those have read last */
	struct chain chains[PACES];
	struct interval step, second, edge, window;
	struct interval **seconds;
	size_t nseconds, seconds_cap;
	struct lost_row *lost, *threads;
	struct view view;
	bool view_ready;
	struct bpf_hists *bpf_hists; /* NULL: none */
	struct bpf_hists_plan plan;
	struct hist_wish group;          /* the control group that is looked at */
	struct hists hists_first, hists; /* at the beginning; of the window */
	struct capture capture;          /* that is replayed */
	struct recording recording;      /* the capture that is made */
	sigset_t old_mask;
	int signals, timer;
	uint64_t start_ns, late_ticks;
	int64_t start_wall_ns;
	double open_seconds;
	uint64_t ticks, calibrate_from; /* ticks so far; from which on programs are calibrated */
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

/* ---- eBPF ---- */

#define CALIBRATE_FROM 2 /* ticks: when everything has settled */
#define CALIBRATE_FOR  2

/* How long names of programs may take in all: what is not read by then is named by file and place. */
#define NAMES_MS 250

static void name_program(void *namer, int pid, const uint64_t *addresses, size_t n,
			 char (*names)[PROGRAM_NAME])
{
	struct session *s = namer;
	struct err e;

	if (!s->names_open && names_open(&s->names, NAMES_MS, &e)) {
		for (size_t i = 0; i < n; i++)
			snprintf(names[i], PROGRAM_NAME, "[no process to look it up]");
		return;
	}
	s->names_open = true;
	names_of(&s->names, pid, addresses, n, names);
}

/* Without eBPF there is still the half of the report that /proc gives. */
static void open_bpf(struct session *s)
{
	struct hist_wish w = { .kinds = s->args.hists,
			       .key = s->args.hists_by_key ? HIST_KEYS : HIST_BY_NOTHING };
	struct bpf_options o = { .suspect = s->args.bpf_all,
				 .group = s->group.group,
				 .group_in = s->group.group_in,
				 .group_level = s->group.group_level };
	uint64_t groups = s->args.bpf;
	struct err e = { 0 };

	if (!groups || s->args.replay || !s->root.live)
		return;
	if (!s->args.bpf_all && tasks_processes(&s->root) < TABLE_LEAST)
		groups &= ~(uint64_t)BPF_TABLE;
	if (w.kinds) {
		bpf_hists_plan(&s->plan, &w);
		o.hist = &s->plan.config;
		o.hist_cells = s->plan.cells;
		groups |= s->plan.groups;
	}
	if (!groups)
		return;
	if (bpf_engine_open_with(&s->env.bpf, groups, &o, &e)) {
		collector_status(&s->env, "eBPF", e.code, "%s", e.msg);
		return;
	}
	if (w.kinds)
		bpf_hists_open(&s->bpf_hists, s->env.bpf, &s->plan, &s->root);
	s->env.name_kernel = naming_kernel;
	s->env.name_program = name_program;
	s->env.namer = s;
	s->env.time_measured = bpf_engine_has(s->env.bpf, BPF_TIME);
	for (size_t i = 0; bpf_probes[i].program; i++) {
		const struct bpf_fate *f = bpf_engine_fate(s->env.bpf, i);

		if ((bpf_probes[i].group & groups) && !f->spare)
			collector_status(&s->env, bpf_probes[i].program, f->attached ? 0 : -ENOSYS,
					 "%s%s%s", f->why, f->attached ? "" : ": ",
					 f->attached ? "" : bpf_probes[i].without);
	}
}

/* What had been counted before the window is no part of it. */
static void read_hists(struct session *s, struct hists *out)
{
	struct err e = { 0 };
	int err = s->bpf_hists ? bpf_hists_read(s->bpf_hists, out, &e) : 0;

	if (!err)
		return;
	hists_clear(out);
	collector_status(&s->env, "distributions", err, "%s", e.msg);
}

static void calibrate(struct session *s)
{
	if (!s->env.bpf)
		return;
	s->ticks++;
	if (s->ticks == s->calibrate_from)
		bpf_engine_calibrate_begin(s->env.bpf);
	if (s->ticks == s->calibrate_from + CALIBRATE_FOR)
		bpf_engine_calibrate_end(s->env.bpf);
}

/* Read what a group of programs has measured so far, and stop them: that is all that will be known of it. */
static void stop_group(struct session *s, uint64_t group, size_t dearest)
{
	if (group & BPF_TIME)
		group |= BPF_IRQ; /* what it takes from threads, of which nobody asks any more */
	s->env.closing = true;
	s->env.extrapolate = fmax(1, s->budget.seconds / fmax(s->budget.elapsed, 1));
	for (size_t i = 0; collectors[i]; i++) {
		struct err e = { 0 };

		if (!(collectors[i]->bpf & group) || !s->states[i] || s->stopped[i])
			continue;
		if (!collectors[i]->read(s->states[i], &s->early, &e))
			s->stopped[i] = true;
	}
	s->env.closing = false;
	s->env.extrapolate = 0;
	bpf_engine_stop(s->env.bpf, group);
	collector_status(
		&s->env, bpf_probes[dearest].program, -EDQUOT,
		"stopped after %.1f s, with what belongs to it: it cost %.1f %% of a CPU (--budget); what it says is of that time",
		bpf_engine_fate(s->env.bpf, dearest)->stopped, 100 * s->budget.rate[dearest]);
}

/* Waits for locks from here on are worth the price of looking at every wake-up. */
#define LOCKS_LEAST 0.02 /* thread-seconds per second */

static void suspect_locks(struct session *s)
{
	struct wire_counts counts;

	if (!s->env.bpf || !(s->args.bpf & BPF_WAKE) || bpf_engine_has(s->env.bpf, BPF_WAKE) ||
	    bpf_engine_counts(s->env.bpf, &counts))
		return;
	if ((double)counts.lock_ns * 1e-9 >= LOCKS_LEAST * (double)s->ticks / TICKS_A_SECOND)
		bpf_engine_start(s->env.bpf, BPF_WAKE);
	if (bpf_engine_has(s->env.bpf, BPF_WAKE))
		s->calibrate_from = s->ticks + 1; /* once more, for the newcomer */
}

static void keep_budget(struct session *s)
{
	size_t dearest = 0;

	if (!s->env.bpf || s->ticks < CALIBRATE_FROM + CALIBRATE_FOR)
		return;
	bpf_engine_loads_begin(s->env.bpf);
	for (size_t i = 0; bpf_probes[i].program; i++)
		budget_spend(&s->budget, i, bpf_engine_load(s->env.bpf, i), 1);
	if (budget_exceeded(&s->budget, 1, &dearest))
		stop_group(s, bpf_probes[dearest].group, dearest);
}

static int open_loop(struct session *s, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, &s->old_mask))
		return err_errno(e, -errno, "cannot block signals");
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals < 0)
		return err_errno(e, -errno, "cannot read signals");
	/* made before collectors keep files open: where descriptors are few, the loop goes first */
	s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return s->timer < 0 ? err_errno(e, -errno, "cannot make a timer") : 0;
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
	s->signals = s->timer = s->root.fd = s->replayed.fd = -1;
	s->env = (struct collector_env){
		.root = &s->root,
		.host = &s->host,
		.status = &s->status,
		.nstatus = &s->nstatus,
		.status_cap = &s->status_cap,
		.pid = args->pid,
		.one_group = args->cgroup != NULL,
	};
	err = open_loop(s, e);
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
	budget_init(&s->budget, args->budget, args->seconds);
	s->calibrate_from = CALIBRATE_FROM;
	open_bpf(s);
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
	if (s->names_open)
		names_close(&s->names);
	bpf_hists_close(s->bpf_hists);
	bpf_engine_close(s->env.bpf);
	hists_done(&s->hists_first);
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
	mem_free(s->lost);
	mem_free(s->threads);
	mem_free(s->status);
	capture_close(&s->capture);
	recording_close(&s->recording);
	root_close(&s->root);
	root_close(&s->replayed);
	if (s->timer >= 0)
		close(s->timer);
	if (s->signals >= 0) {
		close(s->signals);
		sigprocmask(SIG_SETMASK, &s->old_mask, NULL);
	}
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

static void end_second(struct session *s)
{
	struct interval *kept;

	if (!s->second.end_ns)
		return;
	kept = mem_alloc(sizeof(*kept));
	interval_init(kept, &s->host);
	interval_add(kept, &s->second);
	interval_add(&s->window, &s->second);
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

/* -EINTR for SIGINT, -ECANCELED for SIGTERM and SIGHUP, 0 when none is pending. */
static int pending_signal(struct session *s)
{
	struct signalfd_siginfo si;

	if (read(s->signals, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return 0;
	return si.ssi_signo == SIGINT ? -EINTR : -ECANCELED;
}

/* Wait for the next tick. 1: so many ticks have passed (in *ticks); negative: a signal. */
static int wait_tick(struct session *s, uint64_t *ticks)
{
	struct pollfd p[2] = { { .fd = s->timer, .events = POLLIN },
			       { .fd = s->signals, .events = POLLIN } };
	int sig;

	if (poll(p, 2, -1) < 0 && errno != EINTR)
		return -errno;
	sig = pending_signal(s);
	if (sig)
		return sig;
	return read(s->timer, ticks, sizeof(*ticks)) == (ssize_t)sizeof(*ticks) ? 1 : 0;
}

static int start_timer(struct session *s, struct err *e)
{
	struct itimerspec it = { .it_interval = { .tv_nsec = TICK_NS },
				 .it_value = { .tv_nsec = TICK_NS } };

	return timerfd_settime(s->timer, 0, &it, NULL)
		       ? err_errno(e, -errno, "cannot start a timer")
		       : 0;
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
		calibrate(s);
		fresh = done / TICKS_A_SECOND > shown;
		if (fresh) {
			shown = done / TICKS_A_SECOND;
			read_live(s, PACE_SECOND);
			end_second(s);
			keep_budget(s);
			suspect_locks(s);
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
	/* these keep their files open: where descriptors are few, what everything else stands on goes first */
	read_pace(s, PACE_FAST, &s->chains[PACE_FAST].b);
	read_pace(s, PACE_SECOND, &s->chains[PACE_SECOND].b);
	read_live(s, PACE_EDGE);
	read_hists(s, &s->hists_first);
	read_live(s, PACE_SECOND);
	err = start_timer(s, e);
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
	end_second(s);
	read_live(s, PACE_EDGE);
	read_hists(s, &s->hists);
	hists_subtract(&s->hists, &s->hists_first);
	hists_tidy(&s->hists);
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
	end_second(s);
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

static void make_view(struct session *s)
{
	struct chain *edge = &s->chains[PACE_EDGE];
	double total = 0, swept;
	size_t nlost = 0, nthreads = 0;

	interval_add(&s->window, &s->edge);
	for (int p = 0; p < PACE_EDGE; p++) {
		snapshot_absorb(&edge->a, &s->chains[p].first);
		snapshot_absorb(&edge->b,
				&s->chains[p].a); /* advance() has put the last reading into a */
	}
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
		.first = &edge->a,
		.last = &edge->b,
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

	if (!rc || rc == -EINTR)
		make_view(s);
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
	r->hists = s->bpf_hists ? &s->hists : NULL;
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
	r->ledger.wall_seconds = r->seconds;
	r->ledger.attach_seconds = s->open_seconds;
	ledger_bpf(&r->ledger, s->env.bpf, NULL);
}
