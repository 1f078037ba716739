/* SPDX-License-Identifier: Apache-2.0 */
/* Watches without an end, and goes through a capture step by step. */
#include "engine/look.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* The first judgement comes early. */
#define LIVE_SETTLE 5   /* ticks: until our own start is over, which is not what is to be judged */
#define LIVE_FIRST  2.0 /* seconds */
#define LIVE_HALF   5.0
#define LIVE_STRIDE \
	5 /* ticks between two wake-ups where eBPF measures, and nothing is due before */
#define LIVE_REPLAY_NS 10500000000u /* of a capture are judged together */

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

/* Ten wake-ups a second are for samples of what threads do, which stand for what eBPF measures exactly. Where it does, each
 * of them only costs. */
static uint64_t stride(const struct session *s)
{
	uint64_t n = ticks_of(s->live.args.seconds), step = LIVE_STRIDE;

	if (!s->live.settled || !s->env.time_measured || probing_needs_ticks(&s->probing))
		return 1;
	while (n % step)
		step--;
	return step;
}

static int set_pace(struct session *s, struct err *e)
{
	uint64_t step = stride(s);

	if (step == s->live.step)
		return 0;
	s->live.step = step;
	return loop_start(&s->loop, step * TICK_NS, e);
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
	s->env.edge = true;
	look_read(s, PACE_EDGE);
	look_read(s, PACE_SECOND);
	look_read(s, PACE_FAST);
	return set_pace(s, e);
}

/* What is judged begins here. */
static void live_settle(struct session *s)
{
	struct live *l = &s->live;
	struct chain *edge = &s->chains[PACE_EDGE];

	l->settled = true;
	s->env.edge = true;
	look_read_pace(s, PACE_EDGE, &edge->b);
	look_swap(&edge->a, &edge->b);
	look_read(s, PACE_SECOND);
	look_read(s, PACE_FAST);
	interval_clear(&s->second);
	join_latest(s, &l->ends[LIVE_ENDS - 1]);
	probing_hists(&s->probing, &l->hists[1]);
	l->due = l->ticks + ticks_of(l->args.seconds);
	l->edge_due = l->args.halves > 1 ? l->ticks + ticks_of(LIVE_FIRST) : l->due;
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
	hists_copy(&l->hists[1], &s->hists);
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

	look_read_pace(s, PACE_EDGE, &edge->b);
	interval_diff(&s->edge, &edge->a, &edge->b);
	interval_add(&l->newer, &s->edge);
	look_swap(&edge->a, &edge->b);
	for (int i = 0; i + 1 < LIVE_ENDS; i++)
		l->ends[i] = l->ends[i + 1];
	l->ends[LIVE_ENDS - 1] = oldest;
	join_latest(s, &l->ends[LIVE_ENDS - 1]);
	interval_clear(&s->window);
	if (l->args.halves > 1)
		interval_add(&s->window, &l->older);
	interval_add(&s->window, &l->newer);
	look_drop_seconds(s, l->stale + (l->args.halves > 1 ? 0 : l->nolder));
	s->start_wall_ns = clock_wall_ns() - (int64_t)(interval_seconds(&s->window) * 1e9);
	look_make_view(s, &l->ends[l->args.halves > 1 && l->older.end_ns ? 0 : 1],
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
	look_stop_early(s, groups);
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
	l->ticks += passed * l->step;
	s->late_ticks += (passed - 1) * l->step;
	look_tick(s, clock_boot_ns());
	probing_tick(&s->probing, passed * l->step);
	if (l->ticks / TICKS_A_SECOND > l->budgeted) {
		l->budgeted = l->ticks / TICKS_A_SECOND;
		live_budget(s);
	}
	if (!l->settled && l->ticks >= LIVE_SETTLE)
		live_settle(s);
	(void)set_pace(s, NULL); /* without it there are more wake-ups, and nothing else */
	if (!l->settled || l->ticks < l->due)
		return 0;
	l->due = l->ticks + ticks_of(l->args.seconds);
	s->env.edge = l->ticks >= l->edge_due;
	look_read(s, PACE_FAST);
	look_read(s, PACE_SECOND);
	look_end_second(s, &l->newer);
	s->view.seconds = s->seconds; /* of which the view has the first ones */
	if (!s->env.edge)
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
	if (!s->args.replay)
		(void)set_pace(s, NULL);
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
	look_drop_seconds(s, s->nseconds);
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
		int err = look_replay_step(s, i, i == from || i == step, e);

		if (err)
			return err;
	}
	look_join_ends(s);
	s->live.at = step;
	s->start_ns = steps[from].boot_ns;
	s->start_wall_ns = steps[from].wall_ns;
	look_make_view(s, &edge->a, from == step ? &edge->a : &edge->b);
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

void look_live_free(struct session *s)
{
	for (int i = 0; i < LIVE_ENDS; i++)
		snapshot_done(&s->live.ends[i]);
	interval_done(&s->live.older);
	interval_done(&s->live.newer);
	hists_done(&s->live.hists[0]);
	hists_done(&s->live.hists[1]);
}
