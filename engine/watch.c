/* SPDX-License-Identifier: Apache-2.0 */
/* Watches a window with an end, and replays one. */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <unistd.h>

#include "engine/look.h"

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
		look_read(s, PACE_FAST);
		look_tick(s, clock_boot_ns());
		probing_tick(&s->probing, passed);
		fresh = done / TICKS_A_SECOND > shown;
		if (fresh) {
			shown = done / TICKS_A_SECOND;
			look_read(s, PACE_SECOND);
			look_end_second(s, &s->window);
			look_stop_early(s, probing_second(&s->probing));
			show_second(s, done, total);
		}
		if (step_due(s, done, total)) {
			if (!fresh)
				look_read(s, PACE_SECOND);
			err = record_step(s, NULL, e);
			if (err)
				return err;
		}
	}
	return 0;
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

static int watch_live(struct session *s, struct err *e)
{
	uint64_t total = (uint64_t)llround(s->args.seconds * TICKS_A_SECOND);
	int rc, err;

	/* The slow readings come first: the window is as long as was asked for between the first fast one and the last. */
	s->env.edge = true; /* all is read, all the time */
	open_files(s);
	look_read(s, PACE_EDGE);
	probing_begin(&s->probing);
	look_read(s, PACE_SECOND);
	err = loop_start(&s->loop, TICK_NS, e);
	if (err)
		return err;
	s->start_ns = clock_boot_ns();
	s->start_wall_ns = clock_wall_ns();
	look_read(s, PACE_FAST);
	err = record_step(s, &s->chains[PACE_EDGE].a, e);
	if (err)
		return err;
	rc = watch_ticks(s, total ? total : 1, e);
	if (rc == -ECANCELED || (rc && rc != -EINTR))
		return rc;
	s->env.closing = true;
	look_read(s, PACE_FAST);
	look_read(s, PACE_SECOND);
	look_end_second(s, &s->window);
	look_read(s, PACE_EDGE);
	probing_end(&s->probing, &s->hists);
	err = record_step(s, &s->chains[PACE_EDGE].b, e);
	if (!err && s->args.capture)
		err = recording_finish(&s->recording, &s->host, e);
	return err ? err : rc;
}

static int watch_replay(struct session *s, struct err *e)
{
	size_t n = s->capture.nsteps;

	s->start_ns = s->capture.steps[0].boot_ns;
	s->start_wall_ns = s->capture.steps[0].wall_ns;
	for (size_t i = 0; i < n; i++) {
		int err = look_replay_step(s, i, i == 0 || i == n - 1, e);

		if (err)
			return err;
	}
	return 0;
}

int session_watch(struct session *s, struct err *e)
{
	int rc = s->args.replay ? watch_replay(s, e) : watch_live(s, e);

	if (rc && rc != -EINTR)
		return rc;
	look_join_ends(s);
	look_make_view(s, &s->chains[PACE_EDGE].a, &s->chains[PACE_EDGE].b);
	return rc;
}
