/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_SESSION_H
#define SIXTY_ENGINE_SESSION_H

#include <stdbool.h>

#include "base/err.h"
#include "model/now.h"
#include "model/report.h"
#include "model/view.h"

/* One look at the machine: open the collectors, watch a window, hand out the view.
 *
 *   session_open  →  session_watch  →  session_view / session_report  →  session_close
 *
 * One thread, one poll(): a timer of 100 ms, and signals. What is read at which pace is the collectors' own word. */
struct session;
struct bpf_engine;

struct session_args {
	double seconds;      /* length of the window */
	const char *root;    /* "/" or a fixture */
	const char *replay;  /* directory of a capture; NULL: live */
	const char *capture; /* directory to record into; NULL: none */
	int capture_steps;   /* readings to record, 2 or more */
	bool with_args;      /* record argument vectors and environments */
	int64_t pid;         /* a process to be looked at thread by thread; 0: none */
	const char *
		cgroup; /* the time of this control group's threads only, thread by thread; NULL: all */
	uint64_t bpf; /* groups of eBPF programs (collectors/bpf_engine.h); 0: none */
	double budget; /* share of one CPU that each of them may cost (engine/budget.h); 0: no limit */
	uint32_t hists;    /* distributions besides: 1u << enum wire_hist_kind */
	bool hists_by_key; /* told apart by their own keys, of which one at most may need an index */
	bool live;         /* it will be watched without an end: see session_live_start() */
	bool bpf_all; /* also those that do not pay here, or wait for a suspicion: to see whether they work */
	/* Called each second with what the last second held (a picture while we wait); may be NULL. */
	void (*on_second)(void *ctx, const struct view *v, double elapsed, double total);
	void *ctx;
};

/* 0 or -errno. Handlers for SIGINT and SIGTERM are blocked from here to session_close and read in the loop. */
int session_open(struct session **out, const struct session_args *args, struct err *e);

/* Watch. 0: the whole window; -EINTR: SIGINT ended it early and what was seen is there;
 * -ECANCELED: SIGTERM or a hang-up, nothing should be printed; otherwise an error. */
int session_watch(struct session *s, struct err *e);

/* ---- without an end: a dashboard ----
 *
 *   session_live_start  →  poll session_timer() and session_signals()  →  session_live_tick  →  session_now, session_view
 *
 * Each refresh reads what moves fast; a window of two halves slides, and when a half is complete everything is read
 * and can be judged. Of a capture there is no timer: session_live_seek() goes to a step of it. */
struct live_args {
	double seconds;  /* between refreshes, 0.1 or more */
	unsigned halves; /* 2: the window slides by halves; 1: each refresh is a window of its own */
};

enum { SESSION_REFRESHED = 1, SESSION_JUDGED };

/* Instead of session_watch(). A capture is shown at its last step. */
int session_live_start(struct session *s, const struct live_args *args, struct err *e);
int session_timer(const struct session *s);   /* to be polled for reading; -1: a capture */
int session_signals(const struct session *s); /* the same */
/* One of them is readable. 0: nothing new; SESSION_REFRESHED: session_now() is; SESSION_JUDGED: session_view() too; negative as
 * session_watch(). */
int session_live_tick(struct session *s);
void session_live_pace(struct session *s, double seconds);
/* What was read last; good until the next tick. */
void session_now(struct session *s, struct now *out);
/* Steps of the capture, the one that is shown, and its time. */
size_t session_steps(const struct session *s, size_t *at, int64_t *wall_ns);
int64_t session_step_time(const struct session *s,
			  size_t step); /* wall clock, ns; 0: no such step */
int session_live_seek(struct session *s, size_t step, struct err *e);

const struct view *session_view(struct session *s);
/* The eBPF programs of the session; NULL: there are none. */
const struct bpf_engine *session_bpf(const struct session *s);
const struct host *session_host(const struct session *s);
/* Fill a report with what every command shows: window, ledger, view. Findings are the checklist's. */
void session_report(struct session *s, struct report *r);
void session_close(struct session *s);

#endif
