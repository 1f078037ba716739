/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_LOOK_H
#define SIXTY_ENGINE_LOOK_H

#include "base/clock.h"
#include "base/root.h"
#include "collectors/collector.h"
#include "collectors/hist_target.h"
#include "engine/capture.h"
#include "engine/loop.h"
#include "engine/probing.h"
#include "engine/recording.h"
#include "engine/session.h"
#include "model/lost.h"

/* What the parts of a session share: session.c opens and reports, look.c reads, watch.c watches a window,
 * live.c one without an end. Nobody else includes this.
 *
 * Collectors have a pace, and each pace has its chain of snapshots; a chain's neighbours give intervals, and intervals
 * add up to seconds and to the window:
 *
 *   FAST    |.........|.........|.........|      every 100 ms ┐
 *   SECOND  |---------|---------|---------|      every second ┴─▶ seconds[] ─┐
 *   EDGE    |-----------------------------|      the two ends ───────────────┴─▶ window
 *
 * In replay the steps of the capture stand for the seconds. */

#define TICK_NS (1000000000 / TICKS_A_SECOND)
#define PACES   (PACE_EDGE + 1)

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
	uint64_t step;                   /* ticks from one wake-up to the next */
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

/* Read every collector of a pace into a snapshot. */
void look_read_pace(struct session *s, enum file_pace pace, struct snapshot *out);
/* Take the reading in the chain's b into the sums. */
void look_advance(struct session *s, enum file_pace pace);
/* Both. */
void look_read(struct session *s, enum file_pace pace);
/* Let collectors do what they do ten times a second. */
void look_tick(struct session *s, uint64_t now);
/* Read what groups of programs have measured so far, and stop them: that is all that will be known of it. */
void look_stop_early(struct session *s, uint64_t groups);
/* The second is kept, and added to what it is a part of. */
void look_end_second(struct session *s, struct interval *whole);
/* The oldest n seconds go. */
void look_drop_seconds(struct session *s, size_t n);
/* Files are read from one step of a recording at a time. 0 or -errno. */
int look_open_step(struct session *s, size_t step, struct err *e);
/* One step of a capture into the sums; end: it is one of the two ends of what is judged. 0 or -errno. */
int look_replay_step(struct session *s, size_t step, bool end, struct err *e);
/* The window has its two ends: what was read at them, and what the faster paces read first and last. */
void look_join_ends(struct session *s);
/* What is judged: the window as it is now, between these two readings. */
void look_make_view(struct session *s, struct snapshot *first, struct snapshot *last);
void look_swap(struct snapshot *a, struct snapshot *b);
void look_live_free(struct session *s);

static inline int64_t clock_wall_ns(void)
{
	return (int64_t)clock_ns(CLOCK_REALTIME);
}

#endif
