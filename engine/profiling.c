/* SPDX-License-Identifier: Apache-2.0 */
/* Watching: samples come through a ring; those of a process that is met for the first time bring a copy of their stack, and what
 * that process has mapped is looked at at once, so that the kernel can walk the next ones by itself. */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "collectors/bpf_engine.h"
#include "collectors/bpf_hists.h"
#include "collectors/hist_target.h"
#include "collectors/pid_target.h"
#include "engine/family.h"
#include "engine/ledger.h"
#include "engine/profiling_parts.h"

#define TICK_NS        100000000u
#define PROGRESS_TICKS 5
#define SAMPLES_MOST   20000000u /* half a gigabyte */

/* The kernel measures what the program costs from the second tick to the fourth: see bpf_engine_calibrate_begin(). */
#define CALIBRATE_FROM 1
#define CALIBRATE_TO   3

/* ---- samples ---- */

static void count_walk(struct profiling *p, const struct raw_stack *s, bool guessed)
{
	if (s->walk == WALK_NONE)
		return;
	p->result.walked++;
	p->result.walks[s->walk < WALK_MAX ? s->walk : WALK_UNKNOWN]++;
	p->result.guessed += guessed && s->walk == WALK_WHOLE;
}

/* What the kernel could not walk is walked here, with what is known by now. */
static void walk_copy(struct profiling *p, const struct wire_profile *s, const uint8_t *copy,
		      struct raw_stack *raw, uint64_t *user, bool *guessed)
{
	struct walk_copy c = { .bytes = copy, .size = s->copied, .regs = s->regs };
	enum wire_walk why;

	if (s->walk == WALK_UNMAPPED)
		programs_look_again(&p->programs, raw->program);
	raw->user = (uint16_t)programs_walk(&p->programs, raw->program, &c, user, WIRE_USER_FRAMES,
					    &why, guessed);
	raw->walk = (uint8_t)why;
	p->result.copied++;
}

static void take_user(struct profiling *p, const struct wire_profile *s, const uint8_t *copy,
		      struct raw_stack *raw, uint64_t *user, bool *guessed)
{
	raw->program = (uint32_t)programs_of(&p->programs, &s->key, s->comm);
	if (p->programs.list[raw->program].error) {
		p->result.gone++;
		raw->user = 0;
		raw->walk = WALK_UNKNOWN;
		return;
	}
	if (copy)
		walk_copy(p, s, copy, raw, user, guessed);
	else if (s->walk == WALK_UNMAPPED)
		programs_look_again(&p->programs, raw->program);
	else if (s->walk == WALK_UNKNOWN &&
		 !s->user) { /* not even the top of its stack could be copied */
		raw->user = 1;
		user[0] = s->regs.ip;
		raw->walk = WALK_UNREADABLE;
	}
}

/* The stack of a record. */
static uint32_t stack_of(void *ctx, const struct wire_profile *s, const uint64_t *ip,
			 const uint8_t *copy)
{
	struct profiling *p = ctx;
	struct raw_stack raw = { .program = RAW_NO_PROGRAM,
				 .kernel = s->kernel,
				 .user = s->user,
				 .walk = s->walk < WALK_MAX ? s->walk : WALK_UNKNOWN,
				 .part = s->part };
	uint64_t frames[WIRE_KERNEL_FRAMES + WIRE_USER_FRAMES + WIRE_PYTHON];
	bool guessed = s->guessed;

	memcpy(frames, ip, s->kernel * sizeof(*ip));
	if (!copy)
		memcpy(frames + s->kernel, ip + s->kernel, s->user * sizeof(*ip));
	if (s->walk != WALK_NONE && s->walk != WALK_COMPAT)
		take_user(p, s, copy, &raw, frames + s->kernel, &guessed);
	if (s->python && !copy && raw.user == s->user) {
		raw.python = s->python;
		memcpy(frames + s->kernel + s->user, ip + s->kernel + s->user,
		       s->python * sizeof(*ip));
		pythons_number(&p->pythons, &s->key, frames + s->kernel + s->user, s->python);
	}
	count_walk(p, &raw, guessed);
	return rawstacks_stack(&p->raw, &raw, frames);
}

static void take(void *ctx, const struct wire_profile *s, const uint64_t *ip, const uint8_t *copy)
{
	struct profiling *p = ctx;
	struct raw_sample x = { .weight = s->weight };

	if (s->python == WIRE_PYTHON_CODE) {
		pythons_learn(&p->pythons, &s->key,
			      (const struct wire_python_code *)(const void *)copy);
		return;
	}
	if (s->id) {
		x.thread = rawstacks_thread(&p->raw, s->key.tgid, s->tid, s->comm);
		waits_stack(&p->waiting.waits, s, stack_of(p, s, ip, copy), x.thread);
		return;
	}
	if (s->time < p->started_ns || (p->stopped_ns && s->time > p->stopped_ns))
		return;
	if (p->raw.nsamples >= SAMPLES_MOST) {
		p->full = true;
		return;
	}
	x.time = s->time - p->started_ns;
	x.stack = stack_of(p, s, ip, copy);
	x.thread = rawstacks_thread(&p->raw, s->key.tgid, s->tid, s->comm);
	p->result.samples++;
	rawstacks_add(&p->raw, &x);
}

/* ---- opening and closing ---- */

static int choose(struct profiling *p, int pid, struct err *e)
{
	int err = bpf_profile_choose(p->bpf, (uint32_t)pid);

	return err ? err_errno(e, err, "cannot choose process %d", pid) : 0;
}

struct chooser {
	struct profiling *p;
	struct err *e;
};

static int choose_child(void *ctx, int pid)
{
	struct chooser *c = ctx;

	return choose(c->p, pid, c->e);
}

static int find_event(struct profiling *p, struct bpf_profile_args *b, struct err *e)
{
	const struct profiling_args *a = &p->args;
	int err;

	if (!a->event)
		return 0;
	err = perf_event_find(&p->root, a->event, &p->event, e);
	if (!err)
		err = perf_event_check(&p->root, &p->event, a->hz, a->period, e);
	b->event = &p->event;
	b->period = a->period;
	return err;
}

static int open_programs(struct profiling *p, struct err *e)
{
	const struct profiling_args *a = &p->args;
	struct hist_wish group = { 0 };
	struct bpf_waits_args waits = { .shortest_ns = a->shortest_ns,
					.longest_ns = a->longest_ns };
	struct bpf_profile_args b = { .hz = kind_of(p)->samples ? a->hz : 0,
				      .chosen = a->npids || a->command,
				      .no_kernel = a->no_kernel };
	struct chooser c = { p, e };
	int err = find_event(p, &b, e), pid;

	for (size_t i = 0; i < a->npids && !err; i++)
		err = pid_target_find(&p->root, a->pids[i], NULL, &pid, e);
	if (!err && a->cgroup) {
		err = hist_find_group(&p->root, a->cgroup, &group, e);
		b.group = &group;
	}
	if (kind_of(p)->waits) {
		waiting_args(&waits, kind_of(p), &p->root);
		b.waits = &waits;
	}
	if (!err)
		err = bpf_profile_open(&p->bpf, &b, e);
	p->programs.profile = p->bpf;
	for (size_t i = 0; i < a->npids && !err; i++)
		err = choose(p, a->pids[i], e);
	/* those first: children that are born while the others are looked for are chosen by the kernel */
	if (!err && a->npids)
		err = family_of(&p->root, a->pids, a->npids, choose_child, &c);
	if (!err && a->command)
		err = choose(p, (int)p->command.pid, e);
	if (!err && kind_of(p)->waits) {
		p->waiting.running = kind_of(p)->running;
		p->waiting.bounds.shortest_ns = a->shortest_ns;
		p->waiting.bounds.longest_ns = a->longest_ns;
		err = waiting_open(&p->waiting, bpf_profile_engine(p->bpf), stack_of, p, e);
	}
	return err;
}

int profiling_open(struct profiling **out, const struct profiling_args *a, struct err *e)
{
	struct profiling *p = mem_alloc(sizeof(*p));
	uint64_t began = clock_ns(CLOCK_MONOTONIC);
	int rc = -EINVAL, err;

	*out = NULL;
	p->args = *a;
	p->loop = LOOP_CLOSED;
	p->root.fd = p->command.go = p->command.why = -1;
	p->result.exit_status = -1;
	report_init(&p->report, "sixty.profile/1", &p->host);
	err = programs_open(&p->programs, e);
	p->programs.images.servers = a->servers;
	if (!err)
		err = loop_open(&p->loop, e);
	if (!err && a->command)
		err = command_hold(&p->command, a->command, &p->loop.before, e);
	if (!err)
		err = root_open(&p->root, "/", e);
	if (!err)
		err = open_programs(p, e);
	if (err) {
		rc = err;
		goto out;
	}
	host_read(&p->host, &p->root);
	p->open_seconds = (double)(clock_ns(CLOCK_MONOTONIC) - began) * 1e-9;
	rc = 0;
out:
	if (rc) {
		profiling_close(p);
		p = NULL;
	}
	*out = p;
	return rc;
}

void profiling_close(struct profiling *p)
{
	if (!p)
		return;
	command_done(&p->command);
	programs_close(&p->programs);
	bpf_profile_close(p->bpf);
	rawstacks_done(&p->raw);
	pythons_done(&p->pythons);
	waiting_done(&p->waiting);
	root_close(&p->root);
	report_done(&p->report);
	loop_close(&p->loop);
	mem_free(p);
}

/* ---- the loop ---- */

static bool has_ended(struct profiling *p)
{
	if (p->args.command)
		return command_ended(&p->command);
	for (size_t i = 0; i < p->args.npids; i++)
		if (!kill(p->args.pids[i], 0) || errno != ESRCH)
			return false;
	return p->args.npids > 0;
}

static void calibrate(struct profiling *p, bool stop)
{
	if (p->ticks == CALIBRATE_FROM && !stop) {
		bpf_engine_calibrate_begin(bpf_profile_engine(p->bpf));
		p->calibrating = true;
	} else if (p->calibrating && (stop || p->ticks >= CALIBRATE_TO)) {
		bpf_engine_calibrate_end(bpf_profile_engine(p->bpf));
		p->calibrating = false;
	}
}

static uint64_t lost(struct profiling *p, enum wire_loss l)
{
	struct wire_counts c;

	return bpf_engine_counts(bpf_profile_engine(p->bpf), &c) ? 0
								 : c.loss[l] - p->counts.loss[l];
}

static void tell(struct profiling *p)
{
	struct profiling_progress g = {
		.seconds = (double)(clock_ns(CLOCK_MONOTONIC) - p->started_ns) * 1e-9,
		.of = p->args.seconds,
		.samples = kind_of(p)->samples ? p->result.samples : p->waiting.waits.nstacks,
		.what = kind_of(p)->samples ? "samples" : "stacks",
	};

	if (!p->args.on_progress || p->ticks % PROGRESS_TICKS)
		return;
	g.lost = lost(p, LOSS_PROFILE_RING);
	p->args.on_progress(p->args.ctx, &g);
}

/* Up to `until`, or until somebody is met for the first time, or a signal comes. */
static int wait_until(struct profiling *p, uint64_t until)
{
	struct pollfd fds[2] = { { .fd = p->loop.signals, .events = POLLIN },
				 { .fd = bpf_profile_fd(p->bpf), .events = POLLIN } };
	uint64_t now = clock_ns(CLOCK_MONOTONIC), left = until > now ? until - now : 0;
	struct timespec t = { .tv_sec = (time_t)(left / 1000000000u),
			      .tv_nsec = (long)(left % 1000000000u) };

	if (ppoll(fds, 2, &t, NULL) < 0 && errno != EINTR)
		return -errno;
	return loop_signal(p->loop.signals);
}

static int watch(struct profiling *p, uint64_t end)
{
	for (;;) {
		uint64_t next = p->started_ns + (p->ticks + 1) * TICK_NS;
		int err = wait_until(p, next < end ? next : end);

		if (err)
			return err;
		err = bpf_profile_read(p->bpf, take, p);
		if (err)
			return err;
		if (clock_ns(CLOCK_MONOTONIC) >= next) {
			p->ticks++;
			calibrate(p, false);
			tell(p);
		}
		if (has_ended(p)) {
			p->result.ended = true;
			return 0;
		}
		if (clock_ns(CLOCK_MONOTONIC) >= end || p->full)
			return 0;
	}
}

static void finish(struct profiling *p)
{
	calibrate(p, true);
	if (!kind_of(p)->waits)
		bpf_profile_stop(p->bpf);
	p->stopped_ns = clock_ns(CLOCK_MONOTONIC);
	if (kind_of(p)->waits) {
		waiting_end(&p->waiting, p->started_ns, p->stopped_ns);
		bpf_profile_stop(p->bpf);
	}
	bpf_profile_read(p->bpf, take, p);
	if (kind_of(p)->waits)
		waiting_finish(&p->waiting, &p->raw, &p->counts, &p->result.waits);
	p->result.lost = lost(p, LOSS_PROFILE_RING);
	p->result.unborn = lost(p, LOSS_PROFILE_FORK);
	p->result.programs = p->programs.n;
	p->result.files = p->programs.nfiles;
	if (command_ended(&p->command))
		p->result.exit_status = p->command.status;
	p->report.seconds = (double)(p->stopped_ns - p->started_ns) * 1e-9;
	p->report.interrupted = p->result.interrupted;
}

int profiling_run(struct profiling *p, struct err *e)
{
	uint64_t end = UINT64_MAX;
	int err = bpf_engine_counts(bpf_profile_engine(p->bpf), &p->counts);

	if (err)
		return err_errno(e, err, "cannot read the counters of programs");
	p->started_ns = clock_ns(CLOCK_MONOTONIC);
	p->report.start_wall_ns = (int64_t)clock_ns(CLOCK_REALTIME);
	if (kind_of(p)->waits)
		waiting_begin(&p->waiting, p->started_ns);
	if (p->args.command) {
		err = command_begin(&p->command, p->args.command[0], e);
		if (err)
			return err;
	}
	if (p->args.seconds > 0)
		end = p->started_ns + (uint64_t)llround(p->args.seconds * 1e9);
	err = watch(p, end);
	p->result.interrupted = err == -EINTR;
	if (err == -ECANCELED)
		return err_set(e, err, "ended by a signal");
	if (err && err != -EINTR)
		return err_errno(e, err, "cannot watch");
	finish(p);
	return 0;
}
