/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses programs and maps, sets what is set before they are loaded, and loads them.
 *
 * What the kernel supports is found by trying: all that is wanted is loaded at once, and a program that is refused is left
 * out at the next try. On a kernel that has everything that is one try, and one parse of the kernel's types (20–25 ms,
 * the largest part of the price). */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "bpf/wire.h"
#include "collectors/bpf_object.h"
#include "collectors/bpf_parts.h"
#include "collectors/bpf_syscalls.h"

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

size_t bpf_probe_of(const char *program)
{
	size_t i = 0;

	while (bpf_probes[i].program && strcmp(bpf_probes[i].program, program))
		i++;
	return i;
}

bool bpf_is_wanted(const struct bpf_engine *b, size_t i)
{
	return (bpf_probes[i].group & b->groups) && !b->left_out[i] &&
	       (!bpf_probes[i].instead_of || b->left_out[bpf_probe_of(bpf_probes[i].instead_of)]);
}

/* ---- loading ---- */

static void choose_programs(struct bpf_engine *b)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, b->object) bpf_program__set_autoload(p, false);
	for (size_t i = 0; bpf_probes[i].program; i++) {
		p = bpf_object__find_program_by_name(b->object, bpf_probes[i].program);
		if (p && bpf_is_wanted(b, i))
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
	i = bpf_probe_of(said.program);
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

int bpf_load(struct bpf_engine *b, struct err *e)
{
	int err = -EAGAIN;

	for (size_t tries = 0; err == -EAGAIN && tries < PROBES_MAX; tries++)
		err = try_load(b, e);
	return err;
}

/* Reading our object costs milliseconds: not where the least of programs is refused. */
int bpf_try_least(struct err *e)
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
