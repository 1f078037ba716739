/* SPDX-License-Identifier: Apache-2.0 */
/* Loading, attaching and reading the BPF object.
 *
 * What the kernel supports is found by trying: all that is wanted is loaded at once, and a program that is refused is left
 * out at the next try. On a kernel that has everything that is one try, and one parse of the kernel's types (20–25 ms,
 * the largest part of the price). */
#include "collectors/bpf_engine.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "bpf/wire.h"
#include "collectors/bpf_object.h"
#include "collectors/bpf_syscalls.h"
#include "collectors/pid_space.h"

#define PROBES_MAX   128
#define RECORD_BYTES 65536u
#define EMPTY_RUNS   64
#define NAMES        "names_kernel"

struct bpf_engine {
	struct bpf_object *object;
	struct bpf_link *links[PROBES_MAX];
	struct bpf_link **sample_links; /* one per CPU that is online */
	size_t nsample_links;
	struct bpf_fate fates[PROBES_MAX];
	bool left_out[PROBES_MAX];
	bool switch_state, nameless;
	uint64_t groups;
	struct bpf_options options;
	struct pid_space space;
	int cpus, stats_fd;
	double seconds;
	char *bytes; /* RECORD_BYTES, for iterators */
	struct {
		uint64_t ns, runs;
	} before[PROBES_MAX];
	uint64_t map_bytes;
	uint64_t attached_ns, recursion; /* of programs that are detached */
	uint64_t *seen,
		*grown; /* events: [cpu * PROG_MAX + counter], at the last second() and since the one before */
};

/* ---- what libbpf says ---- */

/* libbpf has one print hook for the process. It names the program that was refused, and only there. */
static struct {
	char first[160];    /* of a refusal: the most telling line */
	char program[64];   /* that was refused */
	char verifier[160]; /* what it minds, "" when it was not asked */
} said;

#define LOG_BYTES (256u << 10)

/* The verifier's log ends with what it minds, and then its statistics: "processed 4711 insns …". */
__attribute__((format(printf, 1, 0))) static void take_log(const char *fmt, va_list ap)
{
	char *log = mem_try(LOG_BYTES, LOG_BYTES), *end, *line;

	if (!log)
		return;
	vsnprintf(log, LOG_BYTES, fmt, ap);
	end = strstr(log, "\nprocessed ");
	if (end) {
		*end = '\0';
		line = strrchr(log, '\n');
		snprintf(said.verifier, sizeof(said.verifier), "%.150s", line ? line + 1 : log);
	}
	mem_free(log);
}

__attribute__((format(printf, 2, 0))) static int listen_to(enum libbpf_print_level level,
							   const char *fmt, va_list ap)
{
	char line[512];
	va_list again;

	if (level == LIBBPF_DEBUG)
		return 0;
	va_copy(again, ap);
	vsnprintf(line, sizeof(line), fmt, ap);
	if (strstr(line, "BEGIN PROG LOAD LOG"))
		take_log(fmt, again);
	va_end(again);
	line[strcspn(line, "\n")] = '\0';
	if (!strncmp(line, "libbpf: prog '", 14)) {
		const char *name = line + 14, *end = strchr(name, '\'');

		if (end && strstr(end, "fail") && (size_t)(end - name) < sizeof(said.program)) {
			memcpy(said.program, name, (size_t)(end - name));
			said.program[end - name] = '\0';
		}
	}
	if (!said.first[0])
		snprintf(said.first, sizeof(said.first), "%.150s",
			 strncmp(line, "libbpf: ", 8) ? line : line + 8);
	return 0;
}

static double cpu_seconds(void)
{
	return (double)clock_ns(CLOCK_PROCESS_CPUTIME_ID) * 1e-9;
}

/* ---- loading ---- */

static size_t probe_of(const char *program)
{
	size_t i = 0;

	while (bpf_probes[i].program && strcmp(bpf_probes[i].program, program))
		i++;
	return i;
}

static bool wanted(const struct bpf_engine *b, size_t i)
{
	return (bpf_probes[i].group & b->groups) && !b->left_out[i] &&
	       (!bpf_probes[i].instead_of || b->left_out[probe_of(bpf_probes[i].instead_of)]);
}

static void choose_programs(struct bpf_engine *b)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, b->object) bpf_program__set_autoload(p, false);
	for (size_t i = 0; bpf_probes[i].program; i++) {
		p = bpf_object__find_program_by_name(b->object, bpf_probes[i].program);
		if (p && wanted(b, i))
			bpf_program__set_autoload(p, true);
	}
	p = bpf_object__find_program_by_name(b->object, "ledger_empty");
	if (p)
		bpf_program__set_autoload(p, true);
	p = bpf_object__find_program_by_name(b->object, NAMES);
	if (p)
		bpf_program__set_autoload(p, !b->nameless);
	p = bpf_object__find_program_by_name(b->object, "ledger_ours");
	if (p)
		bpf_program__set_autoload(p, b->space.nested);
}

/* The cells take memory on every CPU. */
static void size_hist_map(struct bpf_engine *b, struct bpf_map *m)
{
	const struct wire_hist_config *h = b->options.hist;
	const char *name = bpf_map__name(m);

	if (!strcmp(name, "hist_cells"))
		bpf_map__set_max_entries(m, b->options.hist_cells);
	else if (!strcmp(name, "hist_names"))
		bpf_map__set_max_entries(m, h->blocks ? h->blocks : 1);
	else if (!strcmp(name, "hist_requests"))
		bpf_map__set_autocreate(m, (b->groups & BPF_NOTED) != 0);
	else if (!strcmp(name, "hist_works"))
		bpf_map__set_autocreate(m, (b->groups & BPF_HIST(HIST_WORKQUEUE)) != 0);
	else if (!strcmp(name, "hist_errors"))
		bpf_map__set_autocreate(m, (b->groups & BPF_HIST(HIST_SYSCALL)) != 0);
}

static bool begins(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

static void size_red_map(struct bpf_engine *b, struct bpf_map *m)
{
	const char *name = bpf_map__name(m);
	bool sized = !strcmp(name, "red_slots") || !strcmp(name, "red_known") ||
		     !strcmp(name, "red_services");

	bpf_map__set_autocreate(m, (b->groups & BPF_RED) != 0);
	if (sized && b->options.red)
		bpf_map__set_max_entries(m, b->options.red->services);
}

/* A profile borrows the choice of a control group, and no more. */
static bool has_hists(const struct bpf_engine *b)
{
	return b->options.hist && !b->options.profile;
}

static void choose_profile_map(struct bpf_engine *b, struct bpf_map *m)
{
	static const char *const of_waits[] = { "profile_waits", "profile_sent", "profile_choice",
						"profile_window", "profile_asleep" };
	bool waits = (b->groups & BPF_WAITS) != 0,
	     wanted = waits || (b->groups & (BPF_PROFILE | BPF_EVENT));

	for (size_t i = 0; i < sizeof(of_waits) / sizeof(*of_waits); i++)
		if (!strcmp(bpf_map__name(m), of_waits[i]))
			wanted = waits;
	bpf_map__set_autocreate(m, wanted);
	if (!waits && !strcmp(bpf_map__name(m), "profile_scratch"))
		bpf_map__set_max_entries(m, 1); /* only ticks take stacks */
}

/* Maps of what is not wanted are not made: they take memory. */
static void choose_maps(struct bpf_engine *b)
{
	bool traces = (b->groups & BPF_TRACES) || b->options.runq_ns;
	struct bpf_map *m;

	bpf_object__for_each_map(m, b->object)
	{
		const char *name = bpf_map__name(m);

		if (begins(name, "table_"))
			bpf_map__set_autocreate(m, (b->groups & BPF_TABLE) != 0);
		else if (begins(name, "trace_"))
			bpf_map__set_autocreate(m, traces);
		else if (begins(name, "profile_"))
			choose_profile_map(b, m);
		else if (begins(name, "hist_"))
			/* old verifiers look at functions that nobody calls, too */
			bpf_map__set_autocreate(m, has_hists(b) || !strcmp(name, "hist_cells"));
		else if (begins(name, "red_"))
			size_red_map(b, m);
		else if (begins(name, "samples_"))
			bpf_map__set_autocreate(m, (b->groups & BPF_SAMPLES) != 0);
		else if (begins(name, "sched_") && strcmp(name, "sched_tasks") != 0)
			bpf_map__set_autocreate(m, (b->groups & BPF_TIME) != 0);
		if (begins(name, "hist_") && has_hists(b))
			size_hist_map(b, m);
		if (bpf_map__type(m) == BPF_MAP_TYPE_RINGBUF && b->options.ring_bytes)
			bpf_map__set_max_entries(m, (__u32)b->options.ring_bytes);
	}
}

#define ONLINE_BYTES 4096

/* Where it cannot be read, no CPU is looked at. One that goes offline in the window is taken for idle from then on. */
static void read_online(struct wire_config *c)
{
	uint64_t mask[WIRE_CPUS / 64] = { 0 };
	FILE *f = fopen("/sys/devices/system/cpu/online", "re");
	char *list = f ? mem_try(ONLINE_BYTES, ONLINE_BYTES) : NULL;

	if (list && fgets(list, ONLINE_BYTES, f) &&
	    text_cpulist(text_trim(text_of(list)), mask, WIRE_CPUS / 64))
		for (size_t i = 0; i < WIRE_CPUS / 64; i++)
			c->online[i] = mask[i];
	mem_free(list);
	if (f)
		fclose(f);
}

static int configure(struct bpf_engine *b, struct err *e)
{
	struct wire_config c = {
		.self = b->space.self,
		.nested = b->space.nested,
		.below = b->space.below,
		.switch_state = b->switch_state,
		.cpus = (__u32)b->cpus,
		.time = (b->groups & BPF_TIME) != 0,
		.long_wait_ns = 500000,
		.charge_ns = 200000,
		.trace_slow_ns = b->options.slow_ns,
		.trace_runq_ns = b->options.runq_ns,
		.trace_pid = b->options.pid,
		.trace_group_dead = b->options.group_dead,
		.trace_victim_task = b->options.victim_task,
		.trace_reset_reason = b->options.reset_reason,
	};
	struct bpf_map *m = bpf_object__find_map_by_name(b->object, ".rodata.config");
	int err;

	if (c.trace_runq_ns && c.trace_runq_ns < c.long_wait_ns)
		c.long_wait_ns = c.trace_runq_ns;
	if (b->options.hist)
		c.hist = *b->options.hist;
	if (b->options.profile)
		c.profile = *b->options.profile;
	if (b->options.red)
		c.red = *b->options.red;
	if (b->options.group) {
		c.hist.group = b->options.group;
		c.hist.group_in = b->options.group_in;
		c.hist.group_level = b->options.group_level;
	}
	bpf_syscalls_fill(c.syscalls);
	read_online(&c);
	if (!m)
		return err_set(e, -EINVAL, "the eBPF object has no configuration");
	err = bpf_map__set_initial_value(m, &c, sizeof(c));
	return err ? err_errno(e, err, "the eBPF object's configuration has another size") : 0;
}

/* And what is worth nothing without it: each try costs a parse of the kernel's types. */
static void leave_out(struct bpf_engine *b, size_t refused)
{
	const struct bpf_probe *r = &bpf_probes[refused];

	for (size_t i = 0; bpf_probes[i].program; i++) {
		if (i != refused &&
		    !(r->needed && bpf_probes[i].needed && bpf_probes[i].group == r->group))
			continue;
		b->left_out[i] = true;
		snprintf(b->fates[i].why, sizeof(b->fates[i].why), "%.100s%s%.50s", said.first,
			 said.verifier[0] ? ": " : "", said.verifier);
	}
}

/* One try. -EAGAIN: a program was refused and is left out from now on. */
static int try_load(struct bpf_engine *b, struct err *e)
{
	const void *start;
	size_t size, i;
	int err;

	said.first[0] = said.program[0] = said.verifier[0] = '\0';
	start = bpf_object_bytes(&size);
	b->object = bpf_object__open_mem(start, size, NULL);
	if (!b->object)
		return err_errno(e, -errno, "cannot read the eBPF object: %s", said.first);
	choose_programs(b);
	choose_maps(b);
	err = configure(b, e);
	if (err)
		return err;
	err = bpf_object__load(b->object);
	if (!err)
		return 0;
	bpf_object__close(b->object);
	b->object = NULL;
	i = probe_of(said.program);
	if (!strcmp(said.program, NAMES) && !b->nameless) {
		b->nameless = true; /* a kernel before 5.13 has no such helper */
		return -EAGAIN;
	}
	if (!said.program[0] || !bpf_probes[i].program || b->left_out[i])
		return err_errno(e, err, "the kernel refuses eBPF: %s", said.first);
	if (!strcmp(said.program, "sched_switch") && b->switch_state) {
		b->switch_state =
			false; /* a kernel before 5.18: its tracepoint has three arguments */
		return -EAGAIN;
	}
	leave_out(b, i);
	return -EAGAIN;
}

static int load(struct bpf_engine *b, struct err *e)
{
	int err = -EAGAIN;

	for (size_t tries = 0; err == -EAGAIN && tries < PROBES_MAX; tries++)
		err = try_load(b, e);
	return err;
}

static void read_space(struct bpf_engine *b)
{
	struct root root;

	b->space = (struct pid_space){ .self = (uint32_t)getpid() };
	if (root_open(&root, "/", NULL))
		return;
	pid_space_read(&b->space, &root);
	root_close(&root);
}

/* The programs learn whose numbers ours are, from one that runs as us. */
static int find_numbers(struct bpf_engine *b, struct err *e)
{
	const struct bpf_program *p = bpf_object__find_program_by_name(b->object, "ledger_ours");
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int err;

	if (!b->space.nested)
		return 0;
	err = p ? bpf_prog_test_run_opts(bpf_program__fd(p), &opts) : -ENOENT;
	return err ? err_errno(e, err,
			       "cannot tell the numbers of this PID namespace (run it on the host)")
		   : 0;
}

/* A timer on every CPU that is online now. A CPU that comes later is not sampled. */
static int attach_samples(struct bpf_engine *b, struct bpf_program *p)
{
	struct perf_event_attr a = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.size = sizeof(a),
		.sample_freq = b->options.hz ? b->options.hz : SAMPLE_HZ,
		.freq = 1,
	};
	size_t before = b->nsample_links;
	int err = -ENODEV;

	/* where everything is tried there are both: the event is for the program of events */
	if (b->options.event && !b->options.suspect)
		a = *b->options.event;
	if (!b->sample_links) /* there are three that sample */
		b->sample_links = mem_array(3 * (size_t)b->cpus, sizeof(*b->sample_links));
	for (int cpu = 0; cpu < b->cpus; cpu++) {
		int fd = (int)syscall(SYS_perf_event_open, &a, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
		struct bpf_link *l;

		if (fd < 0) {
			if (errno != ENODEV)
				err = -errno; /* that is: not for a CPU that is offline */
			continue;
		}
		l = bpf_program__attach_perf_event(p, fd);
		if (!l) {
			err = -errno;
			close(fd);
			continue;
		}
		b->sample_links[b->nsample_links++] = l;
	}
	return b->nsample_links > before ? 0 : err;
}

/* By its number: the file system of tracepoints need not be mounted. One descriptor sees the hits of all CPUs. */
static int attach_event(struct bpf_engine *b, struct bpf_program *p, struct bpf_link **link)
{
	struct perf_event_attr a = *b->options.event;
	int fd = -1;

	for (int cpu = 0; cpu < b->cpus && fd < 0; cpu++)
		fd = (int)syscall(SYS_perf_event_open, &a, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	*link = fd < 0 ? NULL : bpf_program__attach_perf_event(p, fd);
	if (*link)
		return 0;
	if (fd >= 0)
		close(fd);
	return -errno;
}

static void attach_one(struct bpf_engine *b, size_t i)
{
	struct bpf_program *p = bpf_object__find_program_by_name(b->object, bpf_probes[i].program);
	struct bpf_fate *f = &b->fates[i];

	f->ns_per_event = NAN;
	if (!wanted(b, i) || !p)
		return;
	snprintf(f->how, sizeof(f->how), "%s", bpf_program__section_name(p));
	said.first[0] = '\0';
	if (bpf_program__type(p) == BPF_PROG_TYPE_PERF_EVENT) {
		errno = -attach_samples(b, p);
		f->attached = !errno;
	} else if (bpf_probes[i].group == BPF_EVENT) {
		errno = b->options.event ? -attach_event(b, p, &b->links[i]) : EINVAL;
		f->attached = !errno;
	} else {
		b->links[i] = bpf_program__attach(p);
		f->attached = b->links[i] != NULL;
	}
	f->spare = false;
	if (!f->attached)
		snprintf(f->why, sizeof(f->why), "cannot be attached: %s", strerror(errno));
}

static void attach(struct bpf_engine *b)
{
	for (size_t i = 0; bpf_probes[i].program; i++) {
		b->fates[i].ns_per_event = NAN;
		/* nothing is lost while there is nothing to look at */
		if (bpf_probes[i].group & BPF_WAKE & b->groups && !b->options.suspect &&
		    !b->left_out[i])
			b->fates[i].spare = true;
		else
			attach_one(b, i);
	}
}

void bpf_engine_start(struct bpf_engine *b, uint64_t groups)
{
	for (size_t i = 0; bpf_probes[i].program; i++)
		if (bpf_probes[i].group & groups && !b->fates[i].attached && b->fates[i].spare)
			attach_one(b, i);
}

/* Of two programs that do the same, one is enough. */
static void find_spares(struct bpf_engine *b)
{
	for (size_t i = 0; bpf_probes[i].program; i++) {
		size_t other;

		if (!bpf_probes[i].instead_of)
			continue;
		other = probe_of(bpf_probes[i].instead_of);
		if (b->fates[i].attached)
			b->fates[other].spare = true;
		else
			b->fates[i].spare = !b->left_out[i];
	}
}

static void count_map_bytes(struct bpf_engine *b)
{
	struct bpf_map *m;

	bpf_object__for_each_map(m, b->object)
	{
		uint64_t size = bpf_map__value_size(m), n = bpf_map__max_entries(m);

		if (bpf_map__fd(m) < 0)
			continue;
		switch (bpf_map__type(m)) {
		case BPF_MAP_TYPE_RINGBUF:
			size = 1; /* max_entries are bytes */
			break;
		case BPF_MAP_TYPE_PERCPU_ARRAY:
		case BPF_MAP_TYPE_PERCPU_HASH:
			n *= (uint64_t)b->cpus;
			break;
		case BPF_MAP_TYPE_TASK_STORAGE:
		case BPF_MAP_TYPE_SK_STORAGE:
			n = 0; /* grows with the tasks: counted when they are read */
			break;
		default:
			break;
		}
		b->map_bytes += n * (size + bpf_map__key_size(m));
	}
}

/* Reading our object costs milliseconds: not where the least of programs is refused. */
static int try_least(struct err *e)
{
	const struct bpf_insn least[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL, "GPL", least, 2, NULL);

	if (fd < 0)
		return err_errno(e, fd, "the kernel refuses eBPF");
	close(fd);
	return 0;
}

int bpf_possible_cpus(void)
{
	libbpf_set_print(listen_to); /* before anything that has something to say */
	return libbpf_num_possible_cpus();
}

int bpf_engine_open(struct bpf_engine **out, uint64_t groups, struct err *e)
{
	return bpf_engine_open_with(out, groups, &(struct bpf_options){ 0 }, e);
}

int bpf_engine_open_with(struct bpf_engine **out, uint64_t groups, const struct bpf_options *o,
			 struct err *e)
{
	struct bpf_engine *b = mem_alloc(sizeof(*b));
	double began = cpu_seconds();
	int rc = -EINVAL, err;

	*out = NULL;
	b->groups = groups;
	b->options = *o;
	b->switch_state = true;
	b->stats_fd = -1;
	b->cpus = bpf_possible_cpus();
	if (b->cpus <= 0) {
		rc = err_set(e, -EINVAL, "cannot tell the number of possible CPUs");
		goto out;
	}
	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		rc = err_errno(
			e, -errno,
			"no types of this kernel (/sys/kernel/btf/vmlinux, CONFIG_DEBUG_INFO_BTF)");
		goto out;
	}
	read_space(b);
	err = try_least(e);
	if (!err)
		err = load(b, e);
	if (!err)
		err = find_numbers(b, e);
	if (err) {
		rc = err;
		goto out;
	}
	attach(b);
	b->attached_ns = clock_ns(CLOCK_MONOTONIC);
	find_spares(b);
	count_map_bytes(b);
	b->bytes = mem_alloc(RECORD_BYTES);
	b->seconds = cpu_seconds() - began;
	rc = 0;
out:
	if (rc) {
		bpf_engine_close(b);
		b = NULL;
	}
	*out = b;
	return rc;
}

static void stop_samples(struct bpf_engine *b)
{
	for (size_t i = 0; i < b->nsample_links; i++)
		bpf_link__destroy(b->sample_links[i]);
	b->nsample_links = 0;
}

void bpf_engine_close(struct bpf_engine *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < PROBES_MAX; i++)
		bpf_link__destroy(b->links[i]);
	stop_samples(b);
	mem_free(b->sample_links);
	if (b->object)
		bpf_object__close(b->object);
	if (b->stats_fd >= 0)
		close(b->stats_fd);
	mem_free(b->bytes);
	mem_free(b->seen);
	mem_free(b->grown);
	mem_free(b);
}

/* ---- what it is asked ---- */

bool bpf_engine_has(const struct bpf_engine *b, uint64_t group)
{
	if (!b || !(b->groups & group))
		return false;
	for (size_t i = 0; bpf_probes[i].program; i++)
		if ((bpf_probes[i].group & group) && bpf_probes[i].needed && !b->fates[i].attached)
			return false;
	return true;
}

const char *bpf_engine_why(const struct bpf_engine *b, uint64_t group)
{
	for (size_t i = 0; bpf_probes[i].program; i++)
		if ((bpf_probes[i].group & group) && bpf_probes[i].needed && !b->fates[i].attached)
			return b->fates[i].why;
	return "";
}

const struct bpf_fate *bpf_engine_fate(const struct bpf_engine *b, size_t probe)
{
	return &b->fates[probe];
}

double bpf_engine_seconds(const struct bpf_engine *b)
{
	return b->seconds;
}

double bpf_engine_age(const struct bpf_engine *b)
{
	return (double)(clock_ns(CLOCK_MONOTONIC) - b->attached_ns) * 1e-9;
}

double bpf_engine_stopped(const struct bpf_engine *b, uint64_t group)
{
	for (size_t i = 0; bpf_probes[i].program; i++)
		if ((bpf_probes[i].group & group) && b->fates[i].stopped > 0)
			return b->fates[i].stopped;
	return 0;
}

uint64_t bpf_engine_map_bytes(const struct bpf_engine *b)
{
	return b->map_bytes;
}

int bpf_engine_cpus(const struct bpf_engine *b)
{
	return b->cpus;
}

int bpf_engine_fd(const struct bpf_engine *b, const char *map)
{
	return bpf_object__find_map_fd_by_name(b->object, map);
}

int bpf_engine_put(struct bpf_engine *b, const char *map, const void *value)
{
	int fd = bpf_engine_fd(b, map);
	__u32 zero = 0;

	return fd < 0 ? -ENOENT : bpf_map_update_elem(fd, &zero, value, BPF_ANY);
}

/* Of the record that begins here; 0: it is not all there. Of several kinds each says its own in its second word, and a record
 * that would be larger than what is read at once is none of ours. */
static size_t record_size(const char *at, size_t have, size_t size)
{
	uint32_t words[2];

	if (size != BPF_SIZE_TOLD)
		return have >= size ? size : 0;
	if (have < sizeof(words))
		return 0;
	memcpy(words, at, sizeof(words));
	return words[1] >= sizeof(words) && words[1] <= have ? words[1] : 0;
}

int bpf_engine_iterator(struct bpf_engine *b, const char *program, struct err *e)
{
	size_t i = probe_of(program);
	int fd;

	if (!bpf_probes[i].program || !b->links[i])
		return err_set(e, -ENOENT, "the iterator %s is not attached", program);
	fd = bpf_iter_create(bpf_link__fd(b->links[i]));
	return fd < 0 ? err_errno(e, fd, "cannot start the iterator %s", program) : fd;
}

int bpf_engine_iterate(struct bpf_engine *b, const char *program, size_t size,
		       void (*each)(void *ctx, const void *record), void *ctx, struct err *e)
{
	size_t have = 0;
	int rc = -EINVAL, fd = bpf_engine_iterator(b, program, e);
	ssize_t n;

	if (fd < 0) {
		rc = fd;
		goto out;
	}
	while ((n = read(fd, b->bytes + have, RECORD_BYTES - have)) != 0) {
		size_t at = 0;

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0) {
			rc = err_errno(e, -errno, "cannot read the iterator %s", program);
			goto out;
		}
		have += (size_t)n;
		for (size_t next; (next = record_size(b->bytes + at, have - at, size)); at += next)
			each(ctx, b->bytes + at);
		memmove(b->bytes, b->bytes + at, have - at);
		have -= at;
	}
	rc = 0;
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

/* The row of every CPU; *size is the distance between them. NULL: there is no memory. */
static char *read_cpus(struct bpf_engine *b, size_t *size)
{
	struct bpf_map *m = bpf_object__find_map_by_name(b->object, "ledger_cpus");
	__u32 zero = 0;
	char *each;

	*size = m ? (bpf_map__value_size(m) + 7) & ~(size_t)7 : 0;
	each = mem_try((size_t)b->cpus * *size, 256u << 20);
	if (each && !bpf_map_lookup_elem(bpf_map__fd(m), &zero, each))
		return each;
	mem_free(each);
	return NULL;
}

static void add_counts(struct wire_counts *sum, const struct wire_counts *c)
{
	for (int p = 0; p < PROG_MAX; p++)
		sum->events[p] += c->events[p];
	for (int l = 0; l < LOSS_MAX; l++) {
		sum->loss[l] += c->loss[l];
		sum->loss_ns[l] += c->loss_ns[l];
	}
	sum->lock_ns += c->lock_ns;
}

/* What one CPU has counted since it was asked last. */
static void grow(struct bpf_engine *b, int cpu, const struct wire_counts *c)
{
	for (size_t p = 0, k = (size_t)cpu * PROG_MAX; p < PROG_MAX; p++, k++) {
		b->grown[k] = c->events[p] - b->seen[k];
		b->seen[k] = c->events[p];
	}
}

static int read_counts(struct bpf_engine *b, struct wire_counts *sum, bool second)
{
	size_t size;
	char *each = read_cpus(b, &size);

	memset(sum, 0, sizeof(*sum));
	if (!each)
		return -ENOMEM;
	for (int cpu = 0; cpu < b->cpus; cpu++) {
		/* they stand at the front of each CPU's row */
		const struct wire_counts *c = (const void *)(each + (size_t)cpu * size);

		add_counts(sum, c);
		if (second)
			grow(b, cpu, c);
	}
	mem_free(each);
	for (size_t i = 0; bpf_probes[i].program; i++)
		if (bpf_probes[i].counter >= 0)
			b->fates[i].events = sum->events[bpf_probes[i].counter];
	return 0;
}

int bpf_engine_counts(struct bpf_engine *b, struct wire_counts *sum)
{
	return read_counts(b, sum, false);
}

int bpf_engine_second(struct bpf_engine *b, struct wire_counts *sum)
{
	size_t n = (size_t)b->cpus * PROG_MAX;

	if (!b->seen) {
		b->seen = mem_array(n, sizeof(*b->seen));
		b->grown = mem_array(n, sizeof(*b->grown));
	}
	return read_counts(b, sum, true);
}

double bpf_engine_load(const struct bpf_engine *b, size_t probe)
{
	const struct bpf_fate *f = &b->fates[probe];
	uint64_t most = 0;

	if (!f->attached || f->stopped > 0 || isnan(f->ns_per_event) ||
	    bpf_probes[probe].counter < 0 || !b->grown)
		return NAN;
	for (int cpu = 0; cpu < b->cpus; cpu++) {
		uint64_t n = b->grown[(size_t)cpu * PROG_MAX + (size_t)bpf_probes[probe].counter];

		most = n > most ? n : most;
	}
	return (double)most * f->ns_per_event * 1e-9;
}

/* Many at a time: a system call for each is what a walk costs. -ENOTSUP when nothing was handed out. */
#define WALK_BATCH 512

static int walk_batches(int fd, size_t key_size, size_t value_size,
			void (*each)(void *ctx, const void *key, const void *value), void *ctx)
{
	char *keys = mem_array(WALK_BATCH, key_size), *values = mem_array(WALK_BATCH, value_size);
	char places[2][128];
	void *from = NULL, *to = places[0];
	int err;

	do {
		__u32 n = WALK_BATCH;

		err = bpf_map_lookup_batch(fd, from, to, keys, values, &n, NULL);
		if (err && err != -ENOENT)
			break;
		for (__u32 i = 0; i < n; i++)
			each(ctx, keys + i * key_size, values + i * value_size);
		from = to;
		to = from == places[0] ? places[1] : places[0];
	} while (!err);
	mem_free(keys);
	mem_free(values);
	return err == -ENOENT ? 0 : from ? err : -ENOTSUP;
}

static int walk_keys(int fd, size_t value_size,
		     void (*each)(void *ctx, const void *key, const void *value), void *ctx)
{
	char keys[2][128], *key = NULL, *next = keys[0];
	void *value = mem_alloc(value_size);
	int err;

	while (!(err = bpf_map_get_next_key(fd, key, next))) {
		if (!bpf_map_lookup_elem(fd, next, value))
			each(ctx, next, value);
		key = next;
		next = next == keys[0] ? keys[1] : keys[0];
	}
	mem_free(value);
	return err == -ENOENT ? 0 : err;
}

int bpf_engine_walk(struct bpf_engine *b, const char *map, size_t key_size, size_t value_size,
		    void (*each)(void *ctx, const void *key, const void *value), void *ctx)
{
	int fd = bpf_engine_fd(b, map), err;

	if (fd < 0 || key_size > 128)
		return -ENOENT;
	err = walk_batches(fd, key_size, value_size, each, ctx);
	return err == -ENOTSUP ? walk_keys(fd, value_size, each, ctx) : err;
}

static uint64_t recursion_of(const struct bpf_engine *b, size_t i)
{
	struct bpf_program *p = bpf_object__find_program_by_name(b->object, bpf_probes[i].program);
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);

	return b->links[i] && !bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &size)
		       ? info.recursion_misses
		       : 0;
}

uint64_t bpf_engine_recursion(const struct bpf_engine *b)
{
	uint64_t misses = b->recursion;

	for (size_t i = 0; bpf_probes[i].program; i++)
		misses += recursion_of(b, i);
	return misses;
}

/* ---- names of kernel addresses ---- */

/* "ext4_sync_fs [ext4]", or the address again. */
static void copy_name(char *out, size_t size, const char *name)
{
	snprintf(out, size, "%.*s", (int)strcspn(name, " "), strncmp(name, "0x", 2) ? name : "");
}

static int ask_names(struct bpf_engine *b, struct wire_symbols *s)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	struct bpf_program *p = bpf_object__find_program_by_name(b->object, NAMES);
	int fd = bpf_engine_fd(b, "names_asked"), err;
	__u32 zero = 0;

	if (!p || b->nameless || fd < 0)
		return -ENOSYS;
	err = bpf_map_update_elem(fd, &zero, s, BPF_ANY);
	if (!err)
		err = bpf_prog_test_run_opts(bpf_program__fd(p), &opts);
	return err ? err : bpf_map_lookup_elem(fd, &zero, s);
}

int bpf_engine_names(struct bpf_engine *b, const uint64_t *addresses, size_t n, size_t size,
		     char *names)
{
	struct wire_symbols *s = mem_alloc(sizeof(*s));
	int err = 0;

	for (size_t done = 0; done < n && !err; done += WIRE_SYMBOLS) {
		size_t some = n - done < WIRE_SYMBOLS ? n - done : WIRE_SYMBOLS;

		memset(s, 0, sizeof(*s));
		for (size_t i = 0; i < some; i++)
			s->ip[i] = addresses[done + i] ? addresses[done + i] : 1;
		err = ask_names(b, s);
		for (size_t i = 0; i < some && !err; i++)
			copy_name(names + (done + i) * size, size, s->name[i]);
	}
	mem_free(s);
	return err;
}

/* ---- stopping ---- */

void bpf_engine_stop(struct bpf_engine *b, uint64_t groups)
{
	double after = bpf_engine_age(b);

	for (size_t i = 0; bpf_probes[i].program; i++) {
		if (!(bpf_probes[i].group & groups) || !b->fates[i].attached ||
		    b->fates[i].stopped > 0)
			continue;
		b->recursion += recursion_of(b, i);
		bpf_link__destroy(b->links[i]);
		b->links[i] = NULL;
		b->fates[i].stopped = after;
	}
	if (groups & (BPF_SAMPLES | BPF_PROFILE | BPF_HIST(HIST_RUNQLEN)))
		stop_samples(b);
}

/* ---- what it costs ---- */

static bool run_time(const struct bpf_program *p, uint64_t *ns, uint64_t *runs)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);

	if (!p || bpf_program__fd(p) < 0 ||
	    bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &size))
		return false;
	*ns = info.run_time_ns;
	*runs = info.run_cnt;
	return true;
}

static const struct bpf_program *program_of(const struct bpf_engine *b, size_t i)
{
	return bpf_object__find_program_by_name(b->object, bpf_probes[i].program);
}

void bpf_engine_calibrate_begin(struct bpf_engine *b)
{
	b->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (b->stats_fd < 0)
		return;
	for (size_t i = 0; bpf_probes[i].program; i++)
		run_time(program_of(b, i), &b->before[i].ns, &b->before[i].runs);
}

uint64_t bpf_engine_runs(const struct bpf_engine *b, size_t probe)
{
	uint64_t ns, runs;

	return run_time(program_of(b, probe), &ns, &runs) ? runs - b->before[probe].runs : 0;
}

/* What the kernel's own measuring adds to each run: the run time of a program that does nothing. */
static double empty_ns(struct bpf_engine *b)
{
	const struct bpf_program *p = bpf_object__find_program_by_name(b->object, "ledger_empty");
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	uint64_t ns = 0, runs = 0;

	if (!p)
		return 0;
	for (int i = 0; i < EMPTY_RUNS; i++)
		if (bpf_prog_test_run_opts(bpf_program__fd(p), &opts))
			break;
	return run_time(p, &ns, &runs) && runs ? (double)ns / (double)runs : 0;
}

void bpf_engine_calibrate_end(struct bpf_engine *b)
{
	double empty;

	if (b->stats_fd < 0)
		return;
	empty = empty_ns(b);
	for (size_t i = 0; bpf_probes[i].program; i++) {
		uint64_t ns, runs;
		double each;

		if (!b->fates[i].attached || !run_time(program_of(b, i), &ns, &runs) ||
		    runs <= b->before[i].runs)
			continue;
		each = (double)(ns - b->before[i].ns) / (double)(runs - b->before[i].runs);
		b->fates[i].ns_per_event = fmax(0, each - empty);
	}
	close(b->stats_fd);
	b->stats_fd = -1;
}
