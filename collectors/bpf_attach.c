/* SPDX-License-Identifier: Apache-2.0 */
/* Attaches programs, by trying, and stops them. */
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
#include "bpf/wire.h"
#include "collectors/bpf_parts.h"

void bpf_read_space(struct bpf_engine *b)
{
	struct root root;

	b->space = (struct pid_space){ .self = (uint32_t)getpid() };
	if (root_open(&root, "/", NULL))
		return;
	pid_space_read(&b->space, &root);
	root_close(&root);
}

/* The programs learn whose numbers ours are, from one that runs as us. */
int bpf_find_numbers(struct bpf_engine *b, struct err *e)
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
	if (!bpf_is_wanted(b, i) || !p)
		return;
	snprintf(f->how, sizeof(f->how), "%s", bpf_program__section_name(p));
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

void bpf_attach(struct bpf_engine *b)
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
void bpf_find_spares(struct bpf_engine *b)
{
	for (size_t i = 0; bpf_probes[i].program; i++) {
		size_t other;

		if (!bpf_probes[i].instead_of)
			continue;
		other = bpf_probe_of(bpf_probes[i].instead_of);
		if (b->fates[i].attached)
			b->fates[other].spare = true;
		else
			b->fates[i].spare = !b->left_out[i];
	}
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

void bpf_stop_samples(struct bpf_engine *b)
{
	for (size_t i = 0; i < b->nsample_links; i++)
		bpf_link__destroy(b->sample_links[i]);
	b->nsample_links = 0;
}

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
		bpf_stop_samples(b);
}
