/* SPDX-License-Identifier: Apache-2.0 */
/* Names of events. What is the same on every machine is a table; what the kernel describes is read; libpfm4 is asked last, since
 * it looks at all tracepoints when it begins (25 ms). */
#include "collectors/perf_events.h"

#include <ctype.h>
#include <errno.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <perfmon/pfmlib_perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "collectors/perf_pmu.h"

#define HW(id)     PERF_TYPE_HARDWARE, PERF_COUNT_HW_##id
#define SW(id)     PERF_TYPE_SOFTWARE, PERF_COUNT_SW_##id
#define CPUS_TRIED 64
#define NAMES_OF \
	"names are those of perf (cycles, page-faults), of libpfm4, tracepoints (sched:sched_switch), events of a PMU (msr/tsc/) and raw ones (r1a2)"

/* clang-format off */
static const struct {
	const char *name;
	uint32_t type;
	uint64_t config;
	enum count_role role;
} generic[] = {
	{ "cycles",                  HW(CPU_CYCLES),              COUNT_CYCLES },
	{ "cpu-cycles",              HW(CPU_CYCLES),              COUNT_CYCLES },
	{ "instructions",            HW(INSTRUCTIONS),            COUNT_INSTRUCTIONS },
	{ "cache-references",        HW(CACHE_REFERENCES),        COUNT_CACHE_REFERENCES },
	{ "cache-misses",            HW(CACHE_MISSES),            COUNT_CACHE_MISSES },
	{ "branches",                HW(BRANCH_INSTRUCTIONS),     COUNT_BRANCHES },
	{ "branch-instructions",     HW(BRANCH_INSTRUCTIONS),     COUNT_BRANCHES },
	{ "branch-misses",           HW(BRANCH_MISSES),           COUNT_BRANCH_MISSES },
	{ "bus-cycles",              HW(BUS_CYCLES),              COUNT_OTHER },
	{ "stalled-cycles-frontend", HW(STALLED_CYCLES_FRONTEND), COUNT_OTHER },
	{ "stalled-cycles-backend",  HW(STALLED_CYCLES_BACKEND),  COUNT_OTHER },
	{ "ref-cycles",              HW(REF_CPU_CYCLES),          COUNT_OTHER },
	{ "cpu-clock",               SW(CPU_CLOCK),               COUNT_OTHER },
	{ "task-clock",              SW(TASK_CLOCK),              COUNT_TASK_CLOCK },
	{ "page-faults",             SW(PAGE_FAULTS),             COUNT_OTHER },
	{ "faults",                  SW(PAGE_FAULTS),             COUNT_OTHER },
	{ "minor-faults",            SW(PAGE_FAULTS_MIN),         COUNT_OTHER },
	{ "major-faults",            SW(PAGE_FAULTS_MAJ),         COUNT_OTHER },
	{ "context-switches",        SW(CONTEXT_SWITCHES),        COUNT_OTHER },
	{ "cs",                      SW(CONTEXT_SWITCHES),        COUNT_OTHER },
	{ "cpu-migrations",          SW(CPU_MIGRATIONS),          COUNT_OTHER },
	{ "migrations",              SW(CPU_MIGRATIONS),          COUNT_OTHER },
	{ "alignment-faults",        SW(ALIGNMENT_FAULTS),        COUNT_OTHER },
	{ "emulation-faults",        SW(EMULATION_FAULTS),        COUNT_OTHER },
	{ "cgroup-switches",         PERF_TYPE_SOFTWARE, 11,      COUNT_OTHER }, /* since 5.13 */
};
/* clang-format on */

/* ---- kinds of names ---- */

static bool is_clock(const struct perf_event *ev)
{
	return ev->type == PERF_TYPE_SOFTWARE &&
	       (ev->config == PERF_COUNT_SW_CPU_CLOCK || ev->config == PERF_COUNT_SW_TASK_CLOCK);
}

static bool find_generic(struct text name, struct perf_event *out)
{
	for (size_t i = 0; i < sizeof(generic) / sizeof(*generic); i++) {
		if (!text_eq(name, generic[i].name))
			continue;
		out->type = generic[i].type;
		out->config = generic[i].config;
		out->role = generic[i].role;
		if (is_clock(out)) {
			out->scale = 1e-9;
			snprintf(out->unit, sizeof(out->unit), "s");
		}
		return true;
	}
	return false;
}

static bool find_raw(struct text name, struct perf_event *out)
{
	if (text_len(name) < 2 || *name.p != 'r' || !isxdigit((unsigned char)name.p[1]))
		return false;
	name.p++;
	if (!text_hex(&name, &out->config) || text_len(name))
		return false;
	out->type = PERF_TYPE_RAW;
	return true;
}

/* The file system of tracepoints, also where nobody has mounted it: then from a mount that is seen by nobody else, and gone with
 * its descriptor. */
static int open_tracing(const struct root *root, struct root *out)
{
	struct err e;
	int fs, err;

	*out = (struct root){ .fd = -1 };
	if (!root_open_below(out, root, "sys/kernel/tracing", &e)) {
		int fd = root_openat(out, "available_events");

		if (fd >= 0) {
			close(fd);
			return 0;
		}
		root_close(out);
	}
	if (!root->live)
		return -ENOENT;
	fs = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	err = syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) ? -errno : 0;
	if (!err) {
		out->fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
		err = out->fd < 0 ? -errno : 0;
	}
	close(fs);
	return err;
}

static bool is_word(struct text t)
{
	for (const char *p = t.p; p < t.end; p++)
		if (!isalnum((unsigned char)*p) && *p != '_' && *p != '-' && *p != '.')
			return false;
	return text_len(t) > 0 && *t.p != '.';
}

/* "sched:sched_switch": its number. */
static int find_tracepoint(const struct root *root, struct text name, struct perf_event *out,
			   struct err *e)
{
	struct text system, event = name, number;
	struct root tracing;
	struct buf b = { 0 };
	char path[256];
	int err;

	text_until(&event, ':', &system);
	if (!is_word(system) || !is_word(event))
		return -ENOENT;
	err = open_tracing(root, &tracing);
	if (err)
		return err_errno(
			e, err,
			"cannot read tracepoints, and so not tell what '%s' is (run it as root)",
			out->name);
	snprintf(path, sizeof(path), "events/%.*s/%.*s/id", (int)text_len(system), system.p,
		 (int)text_len(event), event.p);
	err = root_read(&tracing, path, &b, 64);
	number = text_n(b.data, b.len);
	if (!err && !text_is_u64(number, &out->config))
		err = -EINVAL;
	buf_done(&b);
	root_close(&tracing);
	out->type = PERF_TYPE_TRACEPOINT;
	if (err == -ENOENT)
		return -ENOENT;
	return err ? err_errno(e, err, "cannot read the number of tracepoint '%s' (run it as root)",
			       out->name)
		   : 0;
}

/* What libpfm4 knows of the CPU that it sees. */
static int find_pfm(const char *name, struct perf_event *out, struct err *e)
{
	struct perf_event_attr a = { .size = sizeof(a) };
	pfm_perf_encode_arg_t arg = { .attr = &a, .size = sizeof(arg) };
	static int ready = 1; /* not asked yet */

	if (ready > 0)
		ready = pfm_initialize();
	if (ready != PFM_SUCCESS)
		return err_set(
			e, -ENOENT,
			"there is no event '%s', and libpfm4 knows no CPU here (%s); " NAMES_OF,
			out->name, pfm_strerror(ready));
	ready = pfm_get_os_event_encoding(name, PFM_PLM0 | PFM_PLM3, PFM_OS_PERF_EVENT, &arg);
	if (ready != PFM_SUCCESS) {
		const char *why = pfm_strerror(ready);

		ready = PFM_SUCCESS;
		return err_set(e, -ENOENT, "there is no event '%s' (libpfm4: %s); " NAMES_OF,
			       out->name, why);
	}
	out->type = a.type;
	out->config = a.config;
	out->config1 = a.config1;
	out->config2 = a.config2;
	return 0;
}

/* ":u", ":k" and ":uk" at the end. */
static struct text take_modes(struct text name, struct perf_event *out)
{
	const char *colon = text_last(name, ':');
	bool user = false, kernel = false;

	if (!colon || colon + 1 == name.end || colon == name.p)
		return name;
	for (const char *p = colon + 1; p < name.end; p++) {
		if (*p != 'u' && *p != 'k')
			return name;
		user = user || *p == 'u';
		kernel = kernel || *p == 'k';
	}
	out->user = user;
	out->kernel = kernel;
	name.end = colon;
	return name;
}

int perf_event_find(const struct root *root, const char *name, struct perf_event *out,
		    struct err *e)
{
	struct text t = text_of(name);
	char plain[COUNT_NAME];
	int err;

	*out = (struct perf_event){ .scale = 1, .user = true, .kernel = true };
	if (!text_len(t) || text_len(t) >= sizeof(out->name))
		return err_set(e, -EINVAL, "an event's name has 1 to %zu characters",
			       sizeof(out->name) - 1);
	text_copy(out->name, sizeof(out->name), t);
	t = take_modes(t, out);
	if (find_generic(t, out) || find_raw(t, out))
		return 0;
	if (memchr(t.p, '/', text_len(t)))
		return perf_pmu_find(root, t, out, e);
	if (memchr(t.p, ':', text_len(t))) {
		err = find_tracepoint(root, t, out, e);
		if (err != -ENOENT)
			return err;
	}
	return find_pfm(text_copy(plain, sizeof(plain), t), out, e);
}

/* ---- the kernel ---- */

void perf_event_fill(const struct perf_event *ev, struct perf_event_attr *a)
{
	memset(a, 0, sizeof(*a));
	a->size = sizeof(*a);
	a->type = ev->type;
	a->config = ev->config;
	a->config1 = ev->config1;
	a->config2 = ev->config2;
	a->exclude_kernel = !ev->kernel;
	a->exclude_hv = !ev->kernel;
	a->exclude_user = !ev->user;
}

int perf_event_fd(struct perf_event_attr *a, int pid, int cpu, int group)
{
	int fd = (int)syscall(SYS_perf_event_open, a, pid, cpu, group, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void perf_event_rate(struct perf_event_attr *a, unsigned hz, uint64_t period)
{
	if (a->type == PERF_TYPE_TRACEPOINT)
		return;
	a->freq = !period;
	if (period)
		a->sample_period = period;
	else
		a->sample_freq = hz;
}

bool perf_event_is_tracepoint(const struct perf_event *ev)
{
	return ev->type == PERF_TYPE_TRACEPOINT;
}

static bool is_hardware(const struct perf_event *ev)
{
	return ev->type == PERF_TYPE_HARDWARE || ev->type == PERF_TYPE_HW_CACHE ||
	       ev->type == PERF_TYPE_RAW;
}

/* Does this machine count anything in hardware? */
static bool has_pmu(void)
{
	struct perf_event_attr a = { .type = PERF_TYPE_HARDWARE,
				     .size = sizeof(a),
				     .config = PERF_COUNT_HW_CPU_CYCLES,
				     .disabled = 1,
				     .exclude_kernel = 1,
				     .exclude_hv = 1 };
	int fd = perf_event_fd(&a, 0, -1, -1);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int paranoia(const struct root *root)
{
	struct buf b = { 0 };
	int64_t level = 2;
	struct text t;

	if (!root_read(root, "proc/sys/kernel/perf_event_paranoid", &b, 64)) {
		t = text_n(b.data, b.len);
		text_s64(&t, &level);
	}
	buf_done(&b);
	return (int)level;
}

void perf_event_refused(const struct root *root, const struct perf_event *ev, int code, char *out,
			size_t size)
{
	bool absent = code == -ENOENT || code == -ENODEV || code == -EOPNOTSUPP;

	if (absent && is_hardware(ev) && !has_pmu())
		snprintf(
			out, size,
			"no PMU here: the machine shows no hardware counters, as virtual ones mostly do");
	else if (absent || code == -EINVAL)
		snprintf(out, size, "%s",
			 is_hardware(ev) ? "the PMU of this CPU does not have it"
					 : "this kernel cannot count it so");
	else if (code == -EACCES || code == -EPERM)
		snprintf(out, size,
			 "not allowed (kernel.perf_event_paranoid is %d; run it as root)",
			 paranoia(root));
	else
		snprintf(out, size, "perf_event_open: %s", strerror(-code));
}

/* On the first CPU that is online. */
int perf_event_check(const struct root *root, const struct perf_event *ev, unsigned hz,
		     uint64_t period, struct err *e)
{
	struct perf_event_attr a;
	char why[160];
	int fd = -ENODEV;

	if (perf_event_is_tracepoint(ev) && (!ev->user || !ev->kernel))
		return err_set(
			e, -EINVAL,
			"event '%s': a tracepoint is hit in the kernel, whatever called it: leave :u and :k out",
			ev->name);
	perf_event_fill(ev, &a);
	perf_event_rate(&a, hz, period);
	for (int cpu = 0; cpu < CPUS_TRIED && fd == -ENODEV; cpu++)
		fd = perf_event_fd(&a, -1, cpu, -1);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	/* a counter that cannot interrupt when it is full */
	if (fd == -EINVAL || fd == -EOPNOTSUPP)
		return err_set(e, fd, "cannot sample %s: it can only be counted (sixty stat -e %s)",
			       ev->name, ev->name);
	perf_event_refused(root, ev, fd, why, sizeof(why));
	return err_set(e, fd == -ENOENT ? -EOPNOTSUPP : fd,
		       "cannot sample %s: %s; without -e it is time on CPUs", ev->name, why);
}
