/* SPDX-License-Identifier: Apache-2.0 */
/* What CPUs are and what slows them: run-queue statistics, clock frequency, heat, topology. Read at the window's ends.
 *
 * /proc/schedstat has a line per CPU and, between them, lines of scheduling domains with whole CPU masks, which are
 * skipped. The CPU line has had these nine numbers since version 14 (2.6.30); 15 (2.6.38), 16 (6.11) and 17 (6.16)
 * changed the domain lines only. Its first six are counted only while kernel.sched_schedstats is 1. */
#include "collectors/collector.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "collectors/held.h"
#include "collectors/table.h"

#define CPUS    16384
#define CPU_DIR "sys/devices/system/cpu"
#define SLOW_NS 20000000u /* before 5.18 one reading of scaling_cur_freq could sleep for 10 ms */

/* ---- schedstat ---- */

struct schedstat_state {
	struct collector_env env;
	struct held file;
	struct buf text;
};

static int schedstat_open(void *state, const struct collector_env *env, struct err *e)
{
	struct schedstat_state *s = state;

	(void)e;
	s->env = *env;
	s->file.path = "proc/schedstat";
	return 0;
}

static void read_run_queue(struct text name, struct text line, struct snapshot *out)
{
	/* yields, (legacy), schedules, idle, wake-ups, local wake-ups, run, wait, slices */
	enum { YIELDS, SCHEDULES = 2, RUN = 6, WAIT, SLICES, NUMBERS };
	uint64_t v[NUMBERS];
	size_t row;

	for (size_t i = 0; i < NUMBERS; i++)
		if (!text_u64(&line, &v[i]))
			return;
	row = snapshot_named_row(out, SCOPE_CPU, name.p, text_len(name));
	snapshot_set(out, M_CPU_RUN, row, v[RUN], metric_source(M_CPU_RUN, F_SCHEDSTAT));
	snapshot_set(out, M_CPU_RUNNABLE, row, v[WAIT], metric_source(M_CPU_RUNNABLE, F_SCHEDSTAT));
	snapshot_set(out, M_CPU_SLICES, row, v[SLICES], metric_source(M_CPU_SLICES, F_SCHEDSTAT));
	if (!v[SCHEDULES])
		return; /* not counted: absent, not zero */
	snapshot_set(out, M_CPU_YIELDS, row, v[YIELDS], metric_source(M_CPU_YIELDS, F_SCHEDSTAT));
	snapshot_set(out, M_CPU_SCHEDULES, row, v[SCHEDULES],
		     metric_source(M_CPU_SCHEDULES, F_SCHEDSTAT));
}

static int schedstat_read(void *state, struct snapshot *out, struct err *e)
{
	struct schedstat_state *s = state;
	struct text in, line, name;
	uint64_t version = 0;
	size_t rows = 0;
	int err = held_read(&s->file, s->env.root, &s->text, &in);

	(void)e;
	if (err) {
		collector_status(&s->env, s->file.path, err, "%s",
				 err == -ENOENT ? "this kernel has no CONFIG_SCHEDSTATS"
						: strerror(-err));
		return 0;
	}
	in = whole_lines(in);
	if (!text_line(&in, &line) || !text_skip(&line, "version") || !text_u64(&line, &version) ||
	    version < 14 || version > 17) {
		collector_status(&s->env, s->file.path, -ENOTSUP, "its version %llu is not known",
				 (unsigned long long)version);
		return 0;
	}
	collector_status(&s->env, s->file.path, 0, "%s", "");
	snapshot_begin(out, SCOPE_CPU, clock_boot_ns());
	while (rows < CPUS && text_line(&in, &line)) {
		if (!text_starts(line, "cpu") || !text_word(&line, &name) || text_len(name) > 9)
			continue;
		read_run_queue(name, line, out);
		rows++;
	}
	return 0;
}

static void schedstat_close(void *state)
{
	struct schedstat_state *s = state;

	held_close(&s->file);
	buf_done(&s->text);
}

/* ---- sysfs ---- */

struct cpus_state {
	struct collector_env env;
	struct buf text;
	unsigned *ids; /* CPUs that have a directory, in order */
	size_t n, cap;
};

static int cpus_open(void *state, const struct collector_env *env, struct err *e)
{
	struct cpus_state *s = state;

	(void)e;
	s->env = *env;
	return 0;
}

static int note_cpu(void *ctx, const char *name)
{
	struct cpus_state *s = ctx;
	struct text t = text_of(name);
	uint64_t id;

	if (!text_skip(&t, "cpu") || !text_is_u64(t, &id) || id >= CPUS || s->n >= CPUS)
		return 0;
	s->ids = mem_grow(s->ids, &s->cap, s->n + 1, sizeof(*s->ids));
	s->ids[s->n++] = (unsigned)id;
	return 0;
}

static int by_number(const void *x, const void *y)
{
	const unsigned *a = x, *b = y;

	return *a < *b ? -1 : *a > *b;
}

/* The text of CPU_DIR/cpuN/what; false when it is not there. */
static bool read_attribute(struct cpus_state *s, unsigned cpu, const char *what, struct text *out)
{
	char path[128];

	snprintf(path, sizeof(path), CPU_DIR "/cpu%u/%s", cpu, what);
	if (root_read(s->env.root, path, &s->text, 1 << 16))
		return false;
	*out = text_trim(text_n(s->text.data, s->text.len));
	return text_len(*out) > 0;
}

static bool read_number(struct cpus_state *s, unsigned cpu, const char *what, uint64_t *v)
{
	struct text t;

	return read_attribute(s, cpu, what, &t) && text_u64(&t, v);
}

struct attribute {
	const char *path; /* below cpuN */
	enum metric_id id;
	enum file_id file;
};

/* The first of a group tells whether the group is there. */
/* clang-format off */
static const struct attribute frequency[] = {
	{ "cpufreq/cpuinfo_max_freq", M_CPU_FREQ_MAX, F_CPUFREQ },
	{ "cpufreq/scaling_max_freq", M_CPU_FREQ_LIMIT, F_CPUFREQ },
	{ "cpufreq/bios_limit", M_CPU_FREQ_LIMIT, F_CPUFREQ },
	{ NULL, M_NONE, F_NONE },
};
/* clang-format on */

/* clang-format off */
static const struct attribute heat[] = {
	{ "thermal_throttle/core_throttle_count", M_CPU_CORE_THROTTLES, F_THERMAL },
	{ "thermal_throttle/core_throttle_total_time_ms", M_CPU_CORE_THROTTLED, F_THERMAL },
	{ "thermal_throttle/package_throttle_count", M_CPU_PACKAGE_THROTTLES, F_THERMAL },
	{ "thermal_throttle/package_throttle_total_time_ms", M_CPU_PACKAGE_THROTTLED, F_THERMAL },
	{ NULL, M_NONE, F_NONE },
};
/* clang-format on */

static size_t row_of(unsigned cpu, struct snapshot *out)
{
	char name[16];

	snprintf(name, sizeof(name), "cpu%u", cpu);
	return snapshot_named_row(out, SCOPE_CPU, name, strlen(name));
}

static bool read_group(struct cpus_state *s, unsigned cpu, const struct attribute *a,
		       struct snapshot *out)
{
	uint64_t v, have;

	if (!read_number(s, cpu, a->path, &v))
		return false;
	for (; a->path; a++) {
		size_t row;

		if (!read_number(s, cpu, a->path, &v))
			continue;
		row = row_of(cpu, out);
		/* two files may say the same thing (policy and firmware limit the frequency): the lower one holds */
		if (!snapshot_raw(out, a->id, row, &have) || v < have)
			snapshot_set(out, a->id, row, v, metric_source(a->id, a->file));
	}
	return true;
}

static void read_current_frequency(struct cpus_state *s, struct snapshot *out)
{
	uint64_t begun = clock_boot_ns(), v;
	struct text t;

	for (size_t i = 0; i < s->n && clock_boot_ns() - begun < SLOW_NS; i++) {
		if (read_number(s, s->ids[i], "cpufreq/scaling_cur_freq", &v))
			snapshot_set(out, M_CPU_FREQ, row_of(s->ids[i], out), v,
				     metric_source(M_CPU_FREQ, F_CPUFREQ));
		if (read_attribute(s, s->ids[i], "cpufreq/scaling_governor", &t))
			snapshot_set_text(out, M_CPU_GOVERNOR, row_of(s->ids[i], out), t.p,
					  text_len(t), metric_source(M_CPU_GOVERNOR, F_CPUFREQ));
	}
}

/* "0-1,64": the first number. */
static bool first_of(struct cpus_state *s, unsigned cpu, const char *what, const char *older,
		     uint64_t *v)
{
	return read_number(s, cpu, what, v) || read_number(s, cpu, older, v);
}

/* A CPU is the first of its core or package if the list of those that share it begins with itself. Offline CPUs have
 * no topology directory. */
static void read_topology(struct cpus_state *s, struct snapshot *out)
{
	uint64_t v, cores = 0, packages = 0;
	size_t system;

	for (size_t i = 0; i < s->n; i++) {
		unsigned cpu = s->ids[i];

		if (!first_of(s, cpu, "topology/core_cpus_list", "topology/thread_siblings_list",
			      &v))
			continue;
		cores += v == cpu;
		snapshot_set(out, M_CPU_CORE, row_of(cpu, out), v,
			     metric_source(M_CPU_CORE, F_TOPOLOGY));
		if (first_of(s, cpu, "topology/package_cpus_list", "topology/core_siblings_list",
			     &v))
			packages += v == cpu;
		if (read_number(s, cpu, "topology/physical_package_id", &v))
			snapshot_set(out, M_CPU_PACKAGE, row_of(cpu, out), v,
				     metric_source(M_CPU_PACKAGE, F_TOPOLOGY));
	}
	if (!cores)
		return;
	system = snapshot_system_row(out);
	snapshot_set(out, M_CPU_CORES, system, cores, metric_source(M_CPU_CORES, F_TOPOLOGY));
	if (packages)
		snapshot_set(out, M_CPU_PACKAGES, system, packages,
			     metric_source(M_CPU_PACKAGES, F_TOPOLOGY));
}

/* isolated, nohz_full: lists of CPUs; "" or "(null)" for none. */
static void read_list(struct cpus_state *s, const char *path, enum metric_id id,
		      struct snapshot *out)
{
	uint64_t mask[CPUS / 64] = { 0 };
	bool known = !root_read(s->env.root, path, &s->text, 1 << 16);

	if (!known)
		return;
	if (!text_cpulist(text_trim(text_n(s->text.data, s->text.len)), mask, CPUS / 64))
		memset(mask, 0, sizeof(mask));
	for (size_t i = 0; i < s->n; i++)
		snapshot_set(out, id, row_of(s->ids[i], out),
			     mask[s->ids[i] / 64] >> s->ids[i] % 64 & 1,
			     metric_source(id, F_TOPOLOGY));
}

/* The name is in the first lines; the whole file is large on large machines, and slow on old kernels. */
static void read_model(struct cpus_state *s, struct snapshot *out)
{
	static const char *const keys[] = { "model name", "Model", "cpu model",
					    "cpu",        "uarch", "Hardware" };
	int fd = root_openat(s->env.root, "proc/cpuinfo");
	struct text in, line, key;
	char head[2048];
	ssize_t n;

	if (fd < 0)
		return;
	n = pread(fd, head, sizeof(head), 0);
	close(fd);
	if (n <= 0)
		return;
	in = whole_lines(text_n(head, (size_t)n));
	while (text_line(&in, &line)) {
		if (!text_until(&line, ':', &key))
			continue;
		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
			if (text_eq(text_trim(key), keys[i])) {
				line = text_trim(line);
				snapshot_set_text(out, M_CPU_MODEL, snapshot_system_row(out),
						  line.p, text_len(line),
						  metric_source(M_CPU_MODEL, F_CPUINFO));
				return;
			}
	}
}

static int cpus_read(void *state, struct snapshot *out, struct err *e)
{
	struct cpus_state *s = state;
	bool clocked = false, measured = false;
	int err;

	s->n = 0;
	err = root_list(s->env.root, CPU_DIR, note_cpu, s);
	if (err)
		return err_errno(e, err, "cannot list /" CPU_DIR);
	if (!s->n)
		return 0;
	qsort(s->ids, s->n, sizeof(*s->ids), by_number);
	snapshot_begin(out, SCOPE_CPU, clock_boot_ns());
	read_topology(s, out);
	read_list(s, CPU_DIR "/isolated", M_CPU_ISOLATED, out);
	read_list(s, CPU_DIR "/nohz_full", M_CPU_NOHZ_FULL, out);
	read_model(s, out);
	/* CPU 0 is nearly always there, and speaks for all: a guest has neither, and is asked twice, not 1000 times */
	for (size_t i = 0; i < s->n && (!i || clocked); i++)
		clocked = read_group(s, s->ids[i], frequency, out);
	for (size_t i = 0; i < s->n && (!i || measured); i++)
		measured = read_group(s, s->ids[i], heat, out);
	if (clocked)
		read_current_frequency(s, out);
	collector_status(&s->env, files[F_CPUFREQ].path, clocked ? 0 : -ENOENT, "%s",
			 clocked ? "" : "no frequency driver (usual in guests)");
	collector_status(
		&s->env, files[F_THERMAL].path, measured ? 0 : -ENOENT, "%s",
		measured
			? ""
			: "this machine reports no thermal throttling (usual in guests and on AMD)");
	return 0;
}

static void cpus_close(void *state)
{
	struct cpus_state *s = state;

	mem_free(s->ids);
	buf_done(&s->text);
}

static const char *const schedstat_files[] = { "proc/schedstat", NULL };

const struct collector collector_schedstat = {
	.name = "schedstat",
	.what = "exact time that tasks ran on and waited for each CPU",
	.needs = "a kernel with CONFIG_SCHEDSTATS",
	.pace = PACE_EDGE,
	.scopes = 1u << SCOPE_CPU,
	.files = schedstat_files,
	.state_size = sizeof(struct schedstat_state),
	.open = schedstat_open,
	.read = schedstat_read,
	.close = schedstat_close,
};

const struct collector collector_cpus = {
	.name = "cpus",
	.what = "topology, clock frequency and thermal throttling of CPUs",
	.needs = "",
	.pace = PACE_EDGE,
	.scopes = 1u << SCOPE_SYSTEM | 1u << SCOPE_CPU,
	.files = NULL,
	.state_size = sizeof(struct cpus_state),
	.open = cpus_open,
	.read = cpus_read,
	.close = cpus_close,
};
