/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a look at the machine, closes it, and reports of it. */
#include "engine/look.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "collectors/host.h"
#include "engine/ledger.h"

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
		return err ? err : look_open_step(s, 0, e);
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
	look_live_free(s);
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

/* ---- handing out ---- */

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
	r->reds = s->probing.red && !s->args.live ? &s->probing.reds : NULL;
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

int session_timer(const struct session *s)
{
	return s->args.replay ? -1 : s->loop.timer;
}

int session_signals(const struct session *s)
{
	return s->loop.signals;
}
