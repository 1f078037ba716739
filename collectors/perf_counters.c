/* SPDX-License-Identifier: Apache-2.0 */
/* A descriptor for each event and each thread, or each CPU. Two events whose ratio is wanted are a group: the kernel counts
 * both at the same time, or none. */
#include "collectors/perf_counters.h"

#include <errno.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "collectors/perf_pmu.h"

#define CPUS_MAX   8192u
#define LOOKS_MAX  16u /* at the threads of a process that makes new ones all the time */
#define FILES_WANT 65536u

struct place {
	int pid, cpu; /* one of them is -1 */
};

struct perf_counters {
	const struct root *root;
	struct perf_event *events;
	size_t nevents;
	struct place *places;
	size_t nplaces, cap;
	int *fds;      /* [place * nevents + event]; -1: none */
	int *refused;  /* by event: -errno of the last place that refused it; 0: none did */
	bool *counted; /* by event: somewhere */
	bool inherit, on_exec;
};

/* Counted together with which? */
static const enum count_role leaders[COUNT_ROLES] = {
	[COUNT_INSTRUCTIONS] = COUNT_CYCLES,    [COUNT_CACHE_MISSES] = COUNT_CACHE_REFERENCES,
	[COUNT_BRANCH_MISSES] = COUNT_BRANCHES, [COUNT_RETIRING] = COUNT_SLOTS,
	[COUNT_BAD_SPECULATION] = COUNT_SLOTS,  [COUNT_FRONTEND_BOUND] = COUNT_SLOTS,
	[COUNT_BACKEND_BOUND] = COUNT_SLOTS,
};

/* ---- where ---- */

static void add_place(struct perf_counters *c, int pid, int cpu)
{
	c->places = mem_grow(c->places, &c->cap, c->nplaces + 1, sizeof(*c->places));
	c->places[c->nplaces++] = (struct place){ pid, cpu };
}

static int add_cpus(struct perf_counters *c, struct err *e)
{
	uint64_t mask[CPUS_MAX / 64] = { 0 };
	struct buf b = { 0 };
	int err = root_read(c->root, "sys/devices/system/cpu/online", &b, 65536);

	if (!err && !text_cpulist(text_trim(text_n(b.data, b.len)), mask, CPUS_MAX / 64))
		err = -EINVAL;
	buf_done(&b);
	if (err)
		return err_errno(e, err, "cannot tell which CPUs are online");
	for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++)
		if (mask[cpu / 64] >> cpu % 64 & 1)
			add_place(c, -1, (int)cpu);
	return 0;
}

struct threads {
	struct perf_counters *c;
	size_t from; /* places before are another process's */
};

static int add_thread(void *ctx, const char *name)
{
	struct threads *t = ctx;
	uint64_t tid;

	if (!text_is_u64(text_of(name), &tid) || !tid || tid > INT_MAX)
		return 0;
	for (size_t i = t->from; i < t->c->nplaces; i++)
		if (t->c->places[i].pid == (int)tid)
			return 0;
	add_place(t->c, (int)tid, -1);
	return 0;
}

static void allow_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur >= FILES_WANT)
		return;
	r.rlim_cur = r.rlim_max < FILES_WANT ? r.rlim_max : FILES_WANT;
	setrlimit(RLIMIT_NOFILE, &r);
}

/* ---- opening ---- */

static int *fd_of(struct perf_counters *c, size_t place, size_t event)
{
	return &c->fds[place * c->nevents + event];
}

static int leader_of(struct perf_counters *c, size_t place, size_t event)
{
	const struct perf_event *ev = &c->events[event];
	enum count_role role = leaders[ev->role];

	for (size_t i = 0; role && i < event; i++)
		if (c->events[i].role == role && c->events[i].user == ev->user &&
		    c->events[i].kernel == ev->kernel && *fd_of(c, place, i) >= 0)
			return *fd_of(c, place, i);
	return -1;
}

static int open_one(struct perf_counters *c, size_t place, size_t event)
{
	const struct place *p = &c->places[place];
	struct perf_event *ev = &c->events[event];
	int group = leader_of(c, place, event), fd;
	struct perf_event_attr a;

	for (;;) {
		perf_event_fill(ev, &a);
		a.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
		a.inherit = c->inherit;
		/* those of a group follow its leader */
		a.disabled = c->on_exec && group < 0;
		a.enable_on_exec = a.disabled;
		fd = perf_event_fd(&a, p->pid, p->cpu, group);
		if (fd >= 0 || fd == -ESRCH || fd == -EMFILE)
			return fd;
		if (group >= 0) {
			group = -1;
		} else if (fd == -EACCES && ev->kernel && ev->user && !c->counted[event]) {
			ev->kernel = false; /* what anybody may count of his own processes */
		} else {
			return fd;
		}
	}
}

/* A PMU that is not each CPU's own is asked on some CPUs only. */
static bool is_elsewhere(struct perf_counters *c, size_t place, size_t event)
{
	uint64_t mask[CPUS_MAX / 64] = { 0 };
	int cpu = c->places[place].cpu;

	return cpu >= 0 && perf_pmu_cpus(c->root, c->events[event].pmu, mask, CPUS_MAX / 64) &&
	       !(mask[cpu / 64] >> cpu % 64 & 1);
}

static int open_place(struct perf_counters *c, size_t place, struct err *e)
{
	for (size_t i = 0; i < c->nevents; i++) {
		int fd = is_elsewhere(c, place, i) ? -ENODEV : open_one(c, place, i);

		*fd_of(c, place, i) = fd < 0 ? -1 : fd;
		if (fd >= 0) {
			c->counted[i] = true;
		} else if (fd == -EMFILE) {
			return err_set(
				e, fd,
				"cannot count %zu events of %zu threads: too many open files (ulimit -n)",
				c->nevents, c->nplaces);
		} else if (fd != -ESRCH) {
			c->refused[i] = fd;
		}
	}
	return 0;
}

static int open_places(struct perf_counters *c, size_t from, struct err *e)
{
	int err = 0;

	c->fds = mem_resize(c->fds, c->nplaces * c->nevents, sizeof(*c->fds));
	memset(&c->fds[from * c->nevents], -1, (c->nplaces - from) * c->nevents * sizeof(*c->fds));
	for (size_t i = from; i < c->nplaces && !err; i++)
		err = open_place(c, i, e);
	return err;
}

/* Threads that are born after their parent was opened are counted with it; those that were born just before are found by looking
 * again, until there is none. */
static int open_process(struct perf_counters *c, int pid, struct err *e)
{
	struct threads t = { c, c->nplaces };
	size_t before = t.from;
	char path[48];
	int err = 0;

	snprintf(path, sizeof(path), "proc/%d/task", pid);
	for (unsigned look = 0; look < LOOKS_MAX && !err; look++) {
		before = c->nplaces;
		err = root_list(c->root, path, add_thread, &t);
		if (err || c->nplaces == before)
			break;
		err = open_places(c, before, e);
	}
	if (c->nplaces == t.from)
		return -ESRCH;
	return err == -ENOENT || err == -ESRCH ? 0 : err;
}

/* An event that nobody could count is no failure, if there is another. */
static int check(struct perf_counters *c, struct err *e)
{
	char why[160];

	for (size_t i = 0; i < c->nevents; i++)
		if (c->counted[i])
			return 0;
	if (!c->refused[0])
		return err_set(e, -ESRCH, "what was to be counted has ended");
	perf_event_refused(c->root, &c->events[0], c->refused[0], why, sizeof(why));
	return err_set(e, -EOPNOTSUPP, "cannot count %s: %s", c->events[0].name, why);
}

int perf_counters_open(struct perf_counters **out, const struct root *root,
		       const struct perf_event *events, size_t n, const struct perf_target *t,
		       struct err *e)
{
	struct perf_counters *c = mem_alloc(sizeof(*c));
	int err = 0;

	*out = NULL;
	c->root = root;
	c->nevents = n;
	c->events = mem_array(n, sizeof(*c->events));
	memcpy(c->events, events, n * sizeof(*events));
	c->refused = mem_array(n, sizeof(*c->refused));
	c->counted = mem_array(n, sizeof(*c->counted));
	c->inherit = !t->machine;
	c->on_exec = t->on_exec;
	allow_files();
	if (t->machine) {
		err = add_cpus(c, e);
		if (!err)
			err = open_places(c, 0, e);
	}
	for (size_t i = 0; !t->machine && i < t->npids && !err; i++) {
		err = open_process(c, t->pids[i], e);
		err = err == -ESRCH ? 0 : err; /* a child that has ended since it was listed */
	}
	if (!err)
		err = check(c, e);
	if (err) {
		perf_counters_close(c);
		return err;
	}
	*out = c;
	return 0;
}

void perf_counters_close(struct perf_counters *c)
{
	if (!c)
		return;
	for (size_t i = 0; c->fds && i < c->nplaces * c->nevents; i++)
		if (c->fds[i] >= 0)
			close(c->fds[i]);
	mem_free(c->events);
	mem_free(c->places);
	mem_free(c->fds);
	mem_free(c->refused);
	mem_free(c->counted);
	mem_free(c);
}

/* ---- reading ---- */

static int add_fd(struct count_row *row, int fd)
{
	uint64_t v[3]; /* value, enabled, running */
	ssize_t n;

	do
		n = read(fd, v, sizeof(v));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n != (ssize_t)sizeof(v))
		return 0; /* pinned events in trouble read as nothing; ours are none */
	row->raw += v[0];
	row->enabled_ns += v[1];
	row->running_ns += v[2];
	return 0;
}

static void describe(const struct perf_counters *c, size_t i, struct count_row *row)
{
	const struct perf_event *ev = &c->events[i];

	memcpy(row->name, ev->name, sizeof(row->name));
	memcpy(row->unit, ev->unit, sizeof(row->unit));
	row->scale = ev->scale;
	row->role = ev->role;
	row->user = ev->user;
	row->kernel = ev->kernel;
	if (!c->counted[i])
		perf_event_refused(c->root, ev, c->refused[i], row->why, sizeof(row->why));
}

int perf_counters_read(struct perf_counters *c, struct counts *out)
{
	int err = 0;

	out->n = 0;
	for (size_t i = 0; i < c->nevents && !err; i++) {
		struct count_row *row = counts_add(out);

		describe(c, i, row);
		for (size_t p = 0; p < c->nplaces && !err; p++)
			if (*fd_of(c, p, i) >= 0)
				err = add_fd(row, *fd_of(c, p, i));
	}
	return err;
}
