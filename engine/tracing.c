/* SPDX-License-Identifier: Apache-2.0 */
/* A stream of events in order of time.
 *
 *   ring of the kernel ──┐
 *   list of mounts ──────┼─▶ filter ─▶ held, sorted ─▶ on_event() once nothing older can come
 *   BPF programs ────────┘              (one turn of 50 ms)
 *
 * Records are taken out of the ring as they are put in, so they are nearly sorted: putting one in its place is looking at
 * its neighbour. */
#include "engine/tracing.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/root.h"
#include "collectors/bpf_trace.h"
#include "collectors/host.h"
#include "collectors/trace_mounts.h"
#include "collectors/trace_who.h"
#include "engine/ledger.h"
#include "engine/loop.h"
#include "engine/naming.h"

#define TURN_NS      50000000
#define TURNS_A_POLL 20 /* of BPF programs */
#define TURNS_KEPT   4  /* of unused CPU time */
#define LAST_SECONDS 1  /* of CPU time, of the last turn */
#define HELD_MOST    4096
#define CHECK_BUDGET 32 /* records between two looks at the clock */
#define FUNCTIONS    64 /* names of kernel functions that are kept */

/* One slice of 200 ms in each two seconds in which the kernel times our programs. */
#define CALIBRATE_FROM  2
#define CALIBRATE_TO    6
#define CALIBRATE_EVERY 40

struct held {
	uint64_t time;
	unsigned slot;
};

struct function {
	uint64_t address;
	char name[KERNEL_NAME];
};

struct tracing {
	struct tracing_args args;
	struct root root;
	struct host host;
	struct bpf_trace *bpf;
	struct trace_mounts *mounts;
	struct trace_who *who;
	struct trace_names names;
	unsigned events; /* that can be had */
	uint32_t last_program;
	struct loop loop;
	/* held records */
	char (*slots)[TRACE_RECORD_MOST];
	unsigned *unused, nunused;
	struct held *order;
	size_t nheld;
	/* names that cost something */
	struct function functions[FUNCTIONS];
	char disk[64];
	/* accounts */
	uint64_t shown[TRACE_MAX], nshown, filtered;
	uint64_t started_ns, ended_ns, turns;
	double allowance, paused, load_cpu;
	bool ending,
		drowned; /* the last turn; and it takes too long: what is left is counted only */
	uint64_t unread[TRACE_MAX];
	unsigned unchecked;
	bool interrupted, calibrating;
};

static double cpu_seconds(void)
{
	return (double)clock_ns(CLOCK_PROCESS_CPUTIME_ID) * 1e-9;
}

/* ---- names ---- */

static const char *name_drop(void *ctx, unsigned reason)
{
	struct tracing *t = ctx;

	return bpf_trace_drop_reason(t->bpf, reason);
}

static const char *name_reset(void *ctx, unsigned reason)
{
	struct tracing *t = ctx;

	return bpf_trace_reset_reason(t->bpf, reason);
}

static const char *name_disk(void *ctx, unsigned major, unsigned minor)
{
	struct tracing *t = ctx;
	char path[48], target[256];
	const char *slash;
	ssize_t n;

	snprintf(path, sizeof(path), "sys/dev/block/%u:%u", major, minor);
	n = root_readlink(&t->root, path, target, sizeof(target));
	slash = n > 0 ? strrchr(target, '/') : NULL;
	if (!slash)
		return NULL;
	snprintf(t->disk, sizeof(t->disk), "%.63s", slash + 1);
	return t->disk;
}

/* Few functions drop packets, and each is looked up once. */
static const char *name_function(void *ctx, uint64_t address)
{
	struct tracing *t = ctx;
	struct function *f = &t->functions[(address >> 4) % FUNCTIONS];

	if (f->address != address) {
		f->address = address;
		naming_kernel(t->bpf ? bpf_trace_engine(t->bpf) : NULL, &t->root, &address, 1,
			      &f->name);
	}
	return f->name[0] ? f->name : NULL;
}

static const char *name_comm(void *ctx, uint32_t pid)
{
	struct tracing *t = ctx;

	return trace_who_comm(t->who, pid);
}

static const char *name_cgroup(void *ctx, const uint64_t ids[3], unsigned which)
{
	struct tracing *t = ctx;

	return trace_who_group(t->who, ids, which);
}

const struct trace_names *tracing_names(const struct tracing *t)
{
	return &t->names;
}

/* ---- opening and closing ---- */

static void miss(struct buf *missing, const char *event, const char *why)
{
	buf_printf(missing, "%s: %s\n", event, why);
}

#define NEEDS_NO_PROGRAM (1u << TRACE_MOUNT | 1u << TRACE_BPF)

static void open_programs(struct tracing *t, struct buf *missing, struct err *e)
{
	struct bpf_trace_args a = { .events = t->args.events & ~NEEDS_NO_PROGRAM,
				    .pid = t->args.pid,
				    .slow_ns = t->args.slow_ns };
	double began = cpu_seconds();
	char why[300];

	if (a.events && bpf_trace_open(&t->bpf, &a, e))
		miss(missing, "eBPF", e->msg);
	for (unsigned i = 0; i < TRACE_MAX && t->bpf; i++) {
		if (!(a.events & 1u << i))
			continue;
		if (bpf_trace_has(t->bpf, (enum wire_trace)i))
			t->events |= 1u << i;
		bpf_trace_why(t->bpf, (enum wire_trace)i, why, sizeof(why));
		if (why[0])
			miss(missing, trace_events[i].name, why);
	}
	t->load_cpu = cpu_seconds() - began;
}

static void open_others(struct tracing *t, struct buf *missing)
{
	struct err e = { 0 };
	int err;

	if (t->args.events & 1u << TRACE_MOUNT) {
		if (trace_mounts_open(&t->mounts, &t->root, &e))
			miss(missing, "mount", e.msg);
		else
			t->events |= 1u << TRACE_MOUNT;
	}
	if (!(t->args.events & 1u << TRACE_BPF))
		return;
	err = bpf_programs_poll(&t->last_program, NULL, NULL);
	if (err) {
		err_errno(&e, err, "cannot ask for the numbers of BPF programs");
		miss(missing, "bpf", e.msg);
	} else {
		t->events |= 1u << TRACE_BPF;
	}
}

static void make_room(struct tracing *t)
{
	t->slots = mem_array(HELD_MOST, sizeof(*t->slots));
	t->unused = mem_array(HELD_MOST, sizeof(*t->unused));
	t->order = mem_array(HELD_MOST, sizeof(*t->order));
	for (unsigned i = 0; i < HELD_MOST; i++)
		t->unused[i] = HELD_MOST - 1 - i;
	t->nunused = HELD_MOST;
}

int tracing_open(struct tracing **out, const struct tracing_args *a, struct buf *missing,
		 struct err *e)
{
	struct tracing *t = mem_alloc(sizeof(*t));
	int rc = -EINVAL, err;

	*out = NULL;
	t->args = *a;
	t->root.fd = -1;
	err = loop_open(&t->loop, e);
	if (!err)
		err = root_open(&t->root, "/", e);
	if (err) {
		rc = err;
		goto out;
	}
	host_read(&t->host, &t->root);
	t->who = trace_who_new(&t->root, t->host.ticks_per_second);
	t->names = (struct trace_names){ .ctx = t,
					 .drop_reason = name_drop,
					 .reset_reason = name_reset,
					 .disk = name_disk,
					 .function = name_function,
					 .comm = name_comm,
					 .cgroup = name_cgroup,
					 .page_bytes = (uint64_t)sysconf(_SC_PAGESIZE) };
	make_room(t);
	open_programs(t, missing, e);
	open_others(t, missing); /* its own programs are not news */
	if (!t->events) {
		rc = err_set(
			e, e->code ? e->code : -ENOSYS,
			"none of these events can be had here; `sixty doctor` says what is missing");
		goto out;
	}
	rc = 0;
out:
	if (rc) {
		tracing_close(t);
		t = NULL;
	}
	*out = t;
	return rc;
}

void tracing_close(struct tracing *t)
{
	if (!t)
		return;
	bpf_trace_close(t->bpf);
	trace_mounts_close(t->mounts);
	trace_who_free(t->who);
	root_close(&t->root);
	loop_close(&t->loop);
	mem_free(t->slots);
	mem_free(t->unused);
	mem_free(t->order);
	mem_free(t);
}

/* ---- records ---- */

static void show(struct tracing *t, const void *record)
{
	const struct wire_event *e = record;

	if (t->args.count && t->nshown >= t->args.count)
		return;
	t->shown[e->tag]++;
	t->nshown++;
	t->args.on_event(t->args.ctx, record, trace_who_exe(t->who, e->pid, e->start),
			 trace_who_cgroup(t->who, (const uint64_t *)e->cgroups));
}

/* Everything up to `until` is complete. */
static void release(struct tracing *t, uint64_t until)
{
	size_t n = 0;

	while (n < t->nheld && t->order[n].time <= until) {
		show(t, t->slots[t->order[n].slot]);
		t->unused[t->nunused++] = t->order[n].slot;
		n++;
	}
	t->nheld -= n;
	memmove(t->order, t->order + n, t->nheld * sizeof(*t->order));
}

static bool passes(struct tracing *t, const struct wire_event *e)
{
	char comm[WIRE_COMM + 1];

	if (t->args.comm) {
		snprintf(comm, sizeof(comm), "%.16s", e->comm);
		if (!comm[0] || fnmatch(t->args.comm, comm, 0))
			return false;
	}
	return !t->args.cgroup ||
	       trace_who_in_cgroup(t->who, (const uint64_t *)e->cgroups, t->args.cgroup);
}

static void hold(struct tracing *t, const void *record, size_t size)
{
	const struct wire_event *e = record;
	size_t at;

	if (e->tag == TRACE_EXEC) {
		const struct wire_exec *x = record;
		char path[WIRE_PATH];

		snprintf(path, sizeof(path), "%.*s", WIRE_PATH - 1, x->path);
		trace_who_exec(t->who, e->pid, e->start, x->path_size < WIRE_PATH ? path : "");
	}
	if (!passes(t, e)) {
		t->filtered++;
		return;
	}
	if (!t->nunused)
		release(t, t->order[t->nheld / 2].time); /* at least one */
	at = t->nheld++;
	for (; at && t->order[at - 1].time > e->time; at--)
		t->order[at] = t->order[at - 1];
	t->order[at] = (struct held){ .time = e->time, .slot = t->unused[--t->nunused] };
	memcpy(t->slots[t->order[at].slot], record, size);
}

/* false: enough for this turn. */
static bool take(void *ctx, const void *record, size_t size)
{
	struct tracing *t = ctx;

	if (!trace_record_ok(record, size))
		return true;
	if (t->drowned) {
		t->unread[((const struct wire_event *)record)->tag]++;
		return true;
	}
	hold(t, record, size);
	if (t->args.count && t->nshown >= t->args.count)
		return false;
	if (++t->unchecked < CHECK_BUDGET)
		return true;
	t->unchecked = 0;
	if (cpu_seconds() < t->allowance)
		return true;
	t->drowned = t->ending;
	return t->ending;
}

static void take_mount(void *ctx, const struct trace_mount *r)
{
	struct tracing *t = ctx;
	struct trace_mount now = *r;

	now.e.time = clock_ns(CLOCK_MONOTONIC);
	hold(t, &now, sizeof(now));
}

static void take_program(void *ctx, const struct trace_bpf *r)
{
	struct tracing *t = ctx;
	struct trace_bpf now = *r;

	now.e.time = clock_ns(CLOCK_MONOTONIC);
	hold(t, &now, sizeof(now));
}

/* ---- turns ---- */

static void calibrate(struct tracing *t)
{
	uint64_t at = t->turns % CALIBRATE_EVERY;

	if (!t->bpf)
		return;
	if (at == CALIBRATE_FROM)
		bpf_engine_calibrate_begin(bpf_trace_engine(t->bpf));
	else if (at == CALIBRATE_TO)
		bpf_engine_calibrate_end(bpf_trace_engine(t->bpf));
	t->calibrating = at >= CALIBRATE_FROM && at < CALIBRATE_TO;
}

static void stop_calibrating(struct tracing *t)
{
	if (t->calibrating)
		bpf_engine_calibrate_end(bpf_trace_engine(t->bpf));
	t->calibrating = false;
}

/* CPU time that may have been used when this turn ends. What earlier turns have left is kept for a few at most: all that is
 * read in one turn is held in memory until it is written. */
static void allow(struct tracing *t, uint64_t turns)
{
	double used = cpu_seconds();
	double most = used + t->args.budget * TURNS_KEPT * TURN_NS * 1e-9;

	t->allowance += t->args.budget * (double)turns * TURN_NS * 1e-9;
	if (t->allowance > most)
		t->allowance = most;
}

static int turn(struct tracing *t, uint64_t passed, bool last)
{
	uint64_t began = clock_ns(CLOCK_MONOTONIC);
	int err = 0;

	t->turns++;
	if (last)
		t->allowance =
			cpu_seconds() + LAST_SECONDS; /* for what has been put in meanwhile */
	else
		allow(t, passed);
	t->ending = last;
	if (t->bpf && (last || cpu_seconds() < t->allowance))
		err = bpf_trace_read(t->bpf, take, t);
	else if (t->bpf)
		t->paused += (double)passed * TURN_NS * 1e-9;
	if (t->events & 1u << TRACE_BPF && (last || t->turns % TURNS_A_POLL == 0))
		bpf_programs_poll(&t->last_program, take_program, t);
	if (t->mounts && last)
		trace_mounts_read(t->mounts, take_mount, t);
	calibrate(t);
	release(t, last ? UINT64_MAX : began - TURN_NS);
	return err;
}

enum { AT_TIMER, AT_SIGNALS, AT_OUT, AT_MOUNTS, AT_MAX };

static int watch(struct tracing *t, uint64_t until)
{
	struct pollfd p[AT_MAX] = {
		[AT_TIMER] = { .fd = t->loop.timer, .events = POLLIN },
		[AT_SIGNALS] = { .fd = t->loop.signals, .events = POLLIN },
		[AT_OUT] = { .fd = t->args.out }, /* only whether its reader has gone */
		[AT_MOUNTS] = { .fd = t->mounts ? trace_mounts_fd(t->mounts) : -1,
				.events = POLLPRI },
	};

	for (;;) {
		uint64_t passed = 0;
		int err;

		if (poll(p, AT_MAX, -1) < 0 && errno != EINTR)
			return -errno;
		err = loop_signal(t->loop.signals);
		if (err)
			return err;
		if (p[AT_OUT].revents & (POLLERR | POLLHUP))
			return -EPIPE;
		if (p[AT_MOUNTS].revents & (POLLPRI | POLLERR))
			trace_mounts_read(t->mounts, take_mount, t);
		if (read(t->loop.timer, &passed, sizeof(passed)) != (ssize_t)sizeof(passed))
			continue;
		err = turn(t, passed, false);
		if (!err)
			err = t->args.on_batch(t->args.ctx, t->loop.signals);
		if (err)
			return err;
		if (t->args.count && t->nshown >= t->args.count)
			return 0;
		if (until && clock_ns(CLOCK_MONOTONIC) >= until)
			return 0;
	}
}

int tracing_run(struct tracing *t, struct err *e)
{
	int err, last;

	t->started_ns = clock_ns(CLOCK_MONOTONIC);
	t->allowance = cpu_seconds() + t->args.budget * TURNS_KEPT * TURN_NS * 1e-9;
	err = loop_start(&t->loop, TURN_NS, e);
	if (err)
		return err;
	err = watch(t, t->args.seconds > 0
			       ? t->started_ns + (uint64_t)llround(t->args.seconds * 1e9)
			       : 0);
	t->interrupted = err == -EINTR;
	t->ended_ns = clock_ns(CLOCK_MONOTONIC);
	if (err && err != -EINTR)
		return err == -EPIPE || err == -ECANCELED ? err
							  : err_errno(e, err, "cannot read events");
	last = turn(t, 1, true);
	if (!last)
		last = t->args.on_batch(t->args.ctx, t->loop.signals);
	return last ? last : err;
}

/* ---- accounts ---- */

void tracing_totals(struct tracing *t, struct trace_totals *out)
{
	memset(out, 0, sizeof(*out));
	out->events = t->events;
	out->seconds = (double)(t->ended_ns - t->started_ns) * 1e-9;
	out->interrupted = t->interrupted;
	memcpy(out->shown, t->shown, sizeof(out->shown));
	out->filtered = t->filtered;
	out->paused_seconds = t->paused;
	out->lost_known = true;
	if (t->bpf) {
		stop_calibrating(t);
		out->lost_known = !bpf_trace_lost(t->bpf, out->lost);
		for (int i = 0; i < TRACE_MAX; i++)
			out->lost[i] += t->unread[i];
		ledger_bpf(&out->ledger, bpf_trace_engine(t->bpf), NULL);
	}
	ledger_self(&out->ledger);
	out->ledger.load_cpu_seconds = t->load_cpu; /* what names the kernel's reasons included */
}
