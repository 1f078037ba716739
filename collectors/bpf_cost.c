/* SPDX-License-Identifier: Apache-2.0 */
/* Events that programs have counted, and what each costs. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "bpf/wire.h"
#include "collectors/bpf_parts.h"

#define EMPTY_RUNS 64

/* ---- events ---- */

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

/* ---- what they cost ---- */

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
