/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/stat, ten times a second: where the time of every CPU went, switches, forks, tasks that want to run. While the
 * machine does next to nothing, twice a second: the kernel sums every interrupt of every CPU for each reading.
 *
 * Kernels differ in how many columns a CPU has (steal came in 2.6.11, guest_nice in 2.6.33): what is not there stays
 * absent. Lines of CPUs come and go with hot-plug, numbers may be missing in between. The intr line has one number
 * per possible interrupt, thousands on a large machine; only its first, the sum, is looked at. */
#include "collectors/collector.h"

#include <string.h>

#include "collectors/held.h"
#include "collectors/table.h"

#define CPU_ROWS      16384 /* a hostile file could have millions */

#define REST_NS       450000000u /* a little less than 5 ticks */
#define CALM_FRACTION 20         /* of the time of all CPUs may be busy in calm */

struct stat_state {
	const struct collector_env *env;
	struct held file;
	struct buf text;
	int code;
	uint64_t busy, idle, read_ns; /* at the last reading: ticks, ticks, boot clock */
	bool calm;
};

/* Columns after the name, for the line of all CPUs and for the line of one. */
/* clang-format off */
static const struct { enum metric_id all, one; } columns[] = {
	{ M_SYS_USER,    M_CPU_USER },    { M_SYS_NICE,  M_CPU_NICE },  { M_SYS_SYSTEM, M_CPU_SYSTEM },
	{ M_SYS_IDLE,    M_CPU_IDLE },    { M_SYS_IOWAIT, M_CPU_IOWAIT }, { M_SYS_IRQ,  M_CPU_IRQ },
	{ M_SYS_SOFTIRQ, M_CPU_SOFTIRQ }, { M_SYS_STEAL, M_CPU_STEAL }, { M_SYS_GUEST,  M_CPU_GUEST },
	{ M_SYS_GUEST_NICE, M_CPU_GUEST_NICE },
};
/* clang-format on */

/* In the order of the softirq line, which the kernel has kept since 2.6.30. */
/* clang-format off */
static const enum metric_id vectors[] = {
	M_SOFTIRQ_HI, M_SOFTIRQ_TIMER, M_SOFTIRQ_NET_TX, M_SOFTIRQ_NET_RX, M_SOFTIRQ_BLOCK,
	M_SOFTIRQ_POLL, M_SOFTIRQ_TASKLET, M_SOFTIRQ_SCHED, M_SOFTIRQ_HRTIMER, M_SOFTIRQ_RCU,
};
/* clang-format on */

/* clang-format off */
static const struct { const char *key; enum metric_id id; } singles[] = {
	{ "ctxt", M_CTXT }, { "processes", M_FORKS }, { "procs_running", M_PROCS_RUNNING },
	{ "procs_blocked", M_PROCS_BLOCKED }, { "intr", M_INTR },
};
/* clang-format on */

static void set(struct snapshot *out, enum metric_id id, size_t row, struct text *line)
{
	uint64_t v;

	if (text_u64(line, &v))
		snapshot_set(out, id, row, v, metric_source(id, F_STAT));
	else
		line->p = line->end; /* what follows garbage has no known meaning */
}

static bool is_cpu(struct text name)
{
	size_t n = text_len(name);

	if (n < 4 || n > 9 || memcmp(name.p, "cpu", 3))
		return false;
	for (size_t i = 3; i < n; i++)
		if (name.p[i] < '0' || name.p[i] > '9')
			return false;
	return true;
}

static void read_softirq(struct snapshot *out, size_t system, struct text line)
{
	set(out, M_SOFTIRQS, system, &line);
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
		set(out, vectors[i], system, &line);
}

static void read_single(struct snapshot *out, size_t system, struct text key, struct text line)
{
	for (size_t i = 0; i < sizeof(singles) / sizeof(*singles); i++)
		if (text_eq(key, singles[i].key))
			set(out, singles[i].id, system, &line);
}

static void parse_stat(struct text in, struct snapshot *out)
{
	size_t system = snapshot_system_row(out), cpus = 0, row;
	struct text line, name;

	while (text_line(&in, &line)) {
		if (!text_word(&line, &name))
			continue;
		if (text_eq(name, "cpu")) {
			for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
				set(out, columns[i].all, system, &line);
		} else if (is_cpu(name)) {
			if (cpus == CPU_ROWS)
				continue;
			cpus++;
			row = snapshot_named_row(out, SCOPE_CPU, name.p, text_len(name));
			for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
				set(out, columns[i].one, row, &line);
		} else if (text_eq(name, "softirq")) {
			read_softirq(out, system, line);
		} else {
			read_single(out, system, name, line);
		}
	}
	if (cpus)
		snapshot_set(out, M_SYS_CPUS, system, cpus, metric_source(M_SYS_CPUS, F_STAT));
}

/* Did the machine do next to nothing since the last reading, and does nobody wait now? What comes and goes between two
 * readings is in the counters all the same; only how many wanted to run at a moment is seen less often. */
static bool is_calm(struct stat_state *s, struct snapshot *out)
{
	uint64_t busy = 0, idle = 0, running = 0, blocked = 0, v, was_busy = s->busy;
	uint64_t was_idle = s->idle;

	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++) {
		enum metric_id id = columns[i].all;

		if (id == M_SYS_GUEST) /* the rest is part of user and nice */
			break;
		if (!snapshot_raw(out, id, 0, &v))
			continue;
		if (id == M_SYS_IDLE || id == M_SYS_IOWAIT)
			idle += v;
		else
			busy += v;
	}
	if (!snapshot_raw(out, M_PROCS_RUNNING, 0, &running) ||
	    !snapshot_raw(out, M_PROCS_BLOCKED, 0, &blocked))
		return false;
	s->busy = busy;
	s->idle = idle;
	/* the one that runs is ourselves; iowait may go back */
	return s->read_ns && running <= 1 && !blocked && busy >= was_busy && idle >= was_idle &&
	       (busy - was_busy) * CALM_FRACTION <= busy - was_busy + idle - was_idle;
}

static int stat_open(void *state, const struct collector_env *env, struct err *e)
{
	struct stat_state *s = state;

	(void)e;
	s->env = env;
	s->file.path = "proc/stat";
	s->code = 1;
	return 0;
}

static int stat_read(void *state, struct snapshot *out, struct err *e)
{
	struct stat_state *s = state;
	struct text text;
	uint64_t now = clock_boot_ns();
	int err;

	if (s->calm && s->env->root->live && !s->env->closing && now - s->read_ns < REST_NS)
		return 0;
	err = held_read(&s->file, s->env->root, &s->text, &text);
	if (err != s->code)
		collector_status(s->env, s->file.path, err, "%s", err ? strerror(-err) : "");
	s->code = err;
	if (err)
		return err_errno(e, err, "cannot read /proc/stat");
	now = clock_boot_ns();
	snapshot_begin(out, SCOPE_SYSTEM, now);
	snapshot_begin(out, SCOPE_CPU, now);
	parse_stat(whole_lines(text), out);
	s->calm = is_calm(s, out);
	s->read_ns = now;
	return 0;
}

static void stat_close(void *state)
{
	struct stat_state *s = state;

	held_close(&s->file);
	buf_done(&s->text);
}

static const char *const stat_files[] = { "proc/stat", NULL };

const struct collector collector_cpu = {
	.name = "cpu",
	.what = "time of every CPU by state, context switches, forks, runnable tasks",
	.needs = "",
	.pace = PACE_FAST,
	.scopes = 1u << SCOPE_SYSTEM | 1u << SCOPE_CPU,
	.files = stat_files,
	.keeps_files = true,
	.state_size = sizeof(struct stat_state),
	.open = stat_open,
	.read = stat_read,
	.close = stat_close,
};
