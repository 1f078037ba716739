/* SPDX-License-Identifier: Apache-2.0 */
/* Counters are read at the ends of intervals, and subtracted: nothing is set back in the kernel. */
#include "engine/counting.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "collectors/host.h"
#include "collectors/perf_counters.h"
#include "engine/command.h"
#include "engine/family.h"
#include "engine/ledger.h"
#include "engine/loop.h"

#define TICK_NS  100000000u /* between two looks whether a process is there still */
#define PIDS_CAP 65536u

struct counting {
	struct counting_args args;
	struct root root;
	struct host host;
	struct perf_event *events;
	size_t nevents;
	int *pids; /* with their children */
	size_t npids, pids_cap;
	struct perf_counters *counters;
	struct counts before, now, all;
	struct started command;
	int ended_fd; /* readable when the command has ended; -1: none */
	struct report report;
	struct loop loop;
	uint64_t started_ns, interval_ns, done;
	int64_t interval_wall_ns;
	double open_seconds;
	bool interrupted;
};

/* ---- what is counted ---- */

/* clang-format off */
static const char *const of_threads[] = {
	"task-clock", "context-switches", "cpu-migrations", "page-faults", "major-faults",
	"cycles", "instructions", "cache-references", "cache-misses", "branches", "branch-misses", NULL
};
/* Of a CPU task-clock runs on while it is idle. */
static const char *const of_cpus[] = {
	"context-switches", "cpu-migrations", "page-faults", "major-faults",
	"cycles", "instructions", "cache-references", "cache-misses", "branches", "branch-misses", NULL
};
/* Where the slots of the pipeline go, as the kernel describes it for this CPU: the first of these that is there, whole. */
static const char *const shares[][7] = {
	{ "cpu/slots/", "cpu/topdown-retiring/", "cpu/topdown-bad-spec/", "cpu/topdown-fe-bound/", "cpu/topdown-be-bound/", NULL },
	{ "cpu_core/slots/", "cpu_core/topdown-retiring/", "cpu_core/topdown-bad-spec/", "cpu_core/topdown-fe-bound/", "cpu_core/topdown-be-bound/", NULL },
	{ "cpu/topdown-total-slots/", "cpu/topdown-slots-issued/", "cpu/topdown-slots-retired/", "cpu/topdown-fetch-bubbles/",
	  "cpu/topdown-recovery-bubbles/", NULL },
};
/* clang-format on */

static int add_event(struct counting *c, const char *name, struct err *e)
{
	struct perf_event ev;
	int err = perf_event_find(&c->root, name, &ev, e);

	if (!err)
		c->events[c->nevents++] = ev;
	return err;
}

static void add_shares(struct counting *c)
{
	size_t before = c->nevents;
	struct err e;

	for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++) {
		bool whole = true;

		for (size_t k = 0; shares[i][k] && whole; k++)
			whole = !add_event(c, shares[i][k], &e);
		if (whole)
			return;
		c->nevents = before;
	}
}

static int find_events(struct counting *c, struct err *e)
{
	const struct counting_args *a = &c->args;
	const char *const *usual = a->npids || a->command ? of_threads : of_cpus;
	int err = 0;

	c->events = mem_array(a->nevents + 32, sizeof(*c->events));
	for (size_t i = 0; i < a->nevents && !err; i++)
		err = add_event(c, a->events[i], e);
	if (a->nevents || err)
		return err;
	for (size_t i = 0; usual[i] && !err; i++)
		err = add_event(c, usual[i], e);
	add_shares(c);
	return err;
}

/* ---- who ---- */

static int add_pid(void *ctx, int pid)
{
	struct counting *c = ctx;

	if (c->npids >= PIDS_CAP)
		return -E2BIG;
	c->pids = mem_grow(c->pids, &c->pids_cap, c->npids + 1, sizeof(*c->pids));
	c->pids[c->npids++] = pid;
	return 0;
}

static int find_pids(struct counting *c, struct err *e)
{
	const struct counting_args *a = &c->args;
	int err = 0;

	if (a->command)
		return add_pid(c, (int)c->command.pid);
	for (size_t i = 0; i < a->npids && !err; i++)
		err = add_pid(c, a->pids[i]);
	if (!err && a->npids)
		err = family_of(&c->root, a->pids, a->npids, add_pid, c);
	return err ? err_errno(e, err, "cannot list processes") : 0;
}

static void read_comm(const struct root *root, int pid, char *out, size_t size)
{
	struct buf b = { 0 };
	char path[48];

	*out = '\0';
	snprintf(path, sizeof(path), "proc/%d/comm", pid);
	if (!root_read(root, path, &b, 64))
		text_copy(out, size, text_trim(text_n(b.data, b.len)));
	buf_done(&b);
}

static void name_target(struct counting *c)
{
	const struct counting_args *a = &c->args;
	size_t size = sizeof(c->now.target);
	char comm[32];

	c->now.machine = !a->npids && !a->command;
	if (a->command) {
		snprintf(c->now.target, size, "%s", a->command[0]);
	} else if (!a->npids) {
		snprintf(c->now.target, size, "all CPUs");
	} else {
		read_comm(&c->root, a->pids[0], comm, sizeof(comm));
		if (c->npids == 1)
			snprintf(c->now.target, size, "%s[%d]", comm, a->pids[0]);
		else
			snprintf(c->now.target, size, "%s[%d] and %zu more", comm, a->pids[0],
				 c->npids - 1);
	}
}

/* ---- opening and closing ---- */

static int open_counters(struct counting *c, struct err *e)
{
	const struct counting_args *a = &c->args;
	struct perf_target t = { .machine = !a->npids && !a->command,
				 .on_exec = a->command != NULL };
	int err = find_pids(c, e);

	if (err)
		return err;
	t.pids = c->pids;
	t.npids = c->npids;
	name_target(c);
	return perf_counters_open(&c->counters, &c->root, c->events, c->nevents, &t, e);
}

int counting_open(struct counting **out, const struct counting_args *a, struct err *e)
{
	struct counting *c = mem_alloc(sizeof(*c));
	uint64_t began = clock_ns(CLOCK_MONOTONIC);
	int rc = -EINVAL, err;

	*out = NULL;
	c->args = *a;
	c->loop = LOOP_CLOSED;
	c->root.fd = c->command.go = c->command.why = c->ended_fd = -1;
	report_init(&c->report, "sixty.stat/1", &c->host);
	c->report.parts = REPORT_COUNTS;
	err = root_open(&c->root, "/", e);
	if (!err)
		err = find_events(c, e);
	if (!err)
		err = loop_open(&c->loop, e);
	if (!err && a->command)
		err = command_hold(&c->command, a->command, &c->loop.before, e);
	if (!err)
		err = open_counters(c, e);
	if (err) {
		rc = err;
		goto out;
	}
	if (c->command.pid)
		c->ended_fd = (int)syscall(SYS_pidfd_open, c->command.pid, 0);
	host_read(&c->host, &c->root);
	c->open_seconds = (double)(clock_ns(CLOCK_MONOTONIC) - began) * 1e-9;
	rc = 0;
out:
	if (rc) {
		counting_close(c);
		c = NULL;
	}
	*out = c;
	return rc;
}

void counting_close(struct counting *c)
{
	if (!c)
		return;
	command_done(&c->command);
	if (c->ended_fd >= 0)
		close(c->ended_fd);
	perf_counters_close(c->counters);
	counts_done(&c->before);
	counts_done(&c->now);
	counts_done(&c->all);
	mem_free(c->events);
	mem_free(c->pids);
	report_done(&c->report);
	loop_close(&c->loop);
	root_close(&c->root);
	mem_free(c);
}

int counting_exit_status(const struct counting *c)
{
	return c->command.ended ? c->command.status : -1;
}

/* ---- intervals ---- */

/* now = all - before, and the next interval begins with all. */
static void subtract(struct counting *c)
{
	c->now.n = 0;
	for (size_t i = 0; i < c->all.n; i++) {
		struct count_row *row = counts_add(&c->now);

		*row = c->all.rows[i];
		if (i >= c->before.n)
			continue;
		row->raw -= c->before.rows[i].raw;
		row->enabled_ns -= c->before.rows[i].enabled_ns;
		row->running_ns -= c->before.rows[i].running_ns;
	}
}

static void keep(struct counting *c)
{
	struct counts t = c->before;

	c->before = c->all;
	c->all = t;
}

static void fill_report(struct counting *c, uint64_t now, bool last)
{
	struct report *r = &c->report;

	r->counts = &c->now;
	r->seconds = (double)(now - c->interval_ns) * 1e-9;
	c->now.seconds = r->seconds;
	r->start_wall_ns = c->interval_wall_ns;
	r->interrupted = c->interrupted;
	r->interval = (unsigned)c->done;
	r->more = !last;
	r->ledger = (struct ledger){ .wall_seconds = (double)(now - c->started_ns) * 1e-9,
				     .attach_seconds = c->open_seconds };
	ledger_self(&r->ledger);
	r->ledger.cpu_seconds_self -=
		c->command.cpu_seconds; /* it is no part of what looking costs */
}

static int end_interval(struct counting *c, bool last, struct err *e)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	int err = perf_counters_read(c->counters, &c->all);

	if (err)
		return err_errno(e, err, "cannot read the counters");
	subtract(c);
	fill_report(c, now, last);
	keep(c);
	c->interval_ns = now;
	c->interval_wall_ns = (int64_t)clock_ns(CLOCK_REALTIME);
	c->done++;
	sigprocmask(SIG_SETMASK, &c->loop.before, NULL);
	err = c->args.on_interval(c->args.ctx, &c->report);
	sigprocmask(SIG_BLOCK, &c->loop.ours, NULL);
	return err;
}

/* ---- the loop ---- */

static bool has_ended(struct counting *c)
{
	if (c->args.command)
		return command_ended(&c->command);
	for (size_t i = 0; i < c->npids; i++)
		if (!kill(c->pids[i], 0) || errno != ESRCH)
			return false;
	return c->npids > 0;
}

/* 0: the time has come; -ESRCH: what is counted has ended; others: see loop_signal(). */
static int wait_until(struct counting *c, uint64_t until)
{
	struct pollfd fds[2] = { { .fd = c->loop.signals, .events = POLLIN },
				 { .fd = c->ended_fd, .events = POLLIN } };
	uint64_t now;
	int err;

	while ((now = clock_ns(CLOCK_MONOTONIC)) < until) {
		uint64_t left = until - now < TICK_NS ? until - now : TICK_NS;
		struct timespec t = { .tv_nsec = (long)left };

		if (ppoll(fds, 2, &t, NULL) < 0 && errno != EINTR)
			return -errno;
		err = loop_signal(c->loop.signals);
		if (err)
			return err;
		if (has_ended(c))
			return -ESRCH;
	}
	return 0;
}

static uint64_t in_ns(double seconds)
{
	return (uint64_t)llround(seconds * 1e9);
}

static int start(struct counting *c, struct err *e)
{
	/* a command's counters begin with its program, others have run since they were opened */
	int err = c->args.command ? 0 : perf_counters_read(c->counters, &c->before);

	if (err)
		return err_errno(e, err, "cannot read the counters");
	c->started_ns = c->interval_ns = clock_ns(CLOCK_MONOTONIC);
	c->interval_wall_ns = (int64_t)clock_ns(CLOCK_REALTIME);
	return c->args.command ? command_begin(&c->command, c->args.command[0], e) : 0;
}

int counting_run(struct counting *c, struct err *e)
{
	const struct counting_args *a = &c->args;
	int err = start(c, e);
	uint64_t stop, end;

	if (err)
		return err;
	stop = a->seconds > 0 ? c->started_ns + in_ns(a->seconds) : UINT64_MAX;
	end = c->started_ns;
	for (;;) {
		uint64_t next = a->interval > 0 ? end + in_ns(a->interval) : stop;
		bool last;

		end = next < stop ? next : stop;
		err = wait_until(c, end);
		c->interrupted = err == -EINTR;
		if (err && !c->interrupted && err != -ESRCH)
			return err_errno(e, err, "cannot watch");
		last = err || end >= stop || (a->count && c->done + 1 >= a->count);
		err = end_interval(c, last, e);
		if (err || last)
			return err;
	}
}
