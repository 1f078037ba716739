/* SPDX-License-Identifier: Apache-2.0 */
/* Reads: every pace into its chain, chains into seconds and the window. */
#include "engine/look.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static bool has_pace(const struct session *s, const struct collector *c, enum file_pace pace)
{
	return pace == (c->seldom && s->args.live && !s->args.replay ? PACE_EDGE : c->pace);
}

/* Read every collector of a pace into the chain's next snapshot. */
void look_read_pace(struct session *s, enum file_pace pace, struct snapshot *out)
{
	snapshot_clear(out);
	out->time_ns = clock_boot_ns();
	out->wall_ns = clock_wall_ns();
	for (size_t i = 0; collectors[i]; i++) {
		struct err e = { 0 };
		int err;

		if (!has_pace(s, collectors[i], pace) || !s->states[i])
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

void look_swap(struct snapshot *a, struct snapshot *b)
{
	struct snapshot t = *a;

	*a = *b;
	*b = t;
}

/* Take the reading in chain.b into the sums. */
void look_advance(struct session *s, enum file_pace pace)
{
	struct chain *c = &s->chains[pace];

	if (!c->started) {
		c->started = true;
		if (pace != PACE_EDGE)
			snapshot_merge(&c->first, &c->b);
		look_swap(&c->a, &c->b);
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
	look_swap(&c->a, &c->b);
}

void look_read(struct session *s, enum file_pace pace)
{
	look_read_pace(s, pace, &s->chains[pace].b);
	look_advance(s, pace);
}

/* The second is kept, and added to what it is a part of. */
void look_end_second(struct session *s, struct interval *whole)
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

void look_tick(struct session *s, uint64_t now)
{
	for (size_t i = 0; collectors[i]; i++)
		if (collectors[i]->tick && s->states[i])
			collectors[i]->tick(s->states[i], now);
}

/* Read what groups of programs have measured so far, and stop them: that is all that will be known of it. */
void look_stop_early(struct session *s, uint64_t groups)
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
/* The oldest ones go. */
void look_drop_seconds(struct session *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		interval_done(s->seconds[i]);
		mem_free(s->seconds[i]);
	}
	s->nseconds -= n;
	if (n && s->nseconds)
		memmove(s->seconds, s->seconds + n, s->nseconds * sizeof(*s->seconds));
}

/* Files are read from one step of a recording at a time. */
int look_open_step(struct session *s, size_t step, struct err *e)
{
	char name[32];

	root_close(&s->root);
	snprintf(name, sizeof(name), "%04zu", step);
	return root_open_below(&s->root, &s->replayed, name, e);
}

/* One step of a capture: files under DIR/NNNN, tables beside them; the ends have both paces' worth of tables. */
int look_replay_step(struct session *s, size_t step, bool end, struct err *e)
{
	const struct capture_step *at = &s->capture.steps[step];
	int err = look_open_step(s, step, e);

	if (err)
		return err;
	for (int p = 0; p < PACES; p++) {
		struct snapshot *b = &s->chains[p].b;

		if (p == PACE_EDGE && !end)
			continue;
		look_read_pace(s, p, b);
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
		look_advance(s, p);
	}
	look_end_second(s, &s->window);
	return 0;
}

/* The window has its two ends: what was read at them, and what the faster paces read first and last. */
void look_join_ends(struct session *s)
{
	struct chain *edge = &s->chains[PACE_EDGE];

	interval_add(&s->window, &s->edge);
	for (int p = 0; p < PACE_EDGE; p++) {
		snapshot_absorb(&edge->a, &s->chains[p].first);
		snapshot_absorb(
			&edge->b,
			&s->chains[p].a); /* look_advance() has put the last reading into a */
	}
}

/* What is judged: the window as it is now, between these two readings. */
void look_make_view(struct session *s, struct snapshot *first, struct snapshot *last)
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
		.reds = s->probing.red && !s->args.live ? &s->probing.reds : NULL,
	};
	s->view_ready = true;
}
