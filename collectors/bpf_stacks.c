/* SPDX-License-Identifier: Apache-2.0 */
/* In which functions CPUs were: the samples of bpf/samples.bpf.c, named and summed when the window ends.
 *
 *   samples_stacks ─┬─▶ kernel stacks ─▶ names ─▶ mechanisms (of all processes)
 *                   └─▶ of processes that used a CPU ─▶ names ─▶ stacks with equal names are one ─▶ the largest
 *
 * Naming costs a millisecond, and programs a child that reads their files, so it is left out where nobody used much. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bpf/wire.h"
#include "collectors/bpf_engine.h"
#include "collectors/table.h"
#include "model/mechanism.h"

#define USED_LEAST     0.05 /* of one CPU: a process, or the kernel in all, that is worth names */
#define PROCESSES      12u
#define PROCESS_STACKS 64u /* of one process that are named */
#define KERNEL_STACKS  1024u
#define ROWS           8u /* of one process */
#define FRAMES_TEXT    2048u

struct stack {
	struct wire_sample_key key;
	struct wire_sample s;
};

struct bpf_stacks {
	const struct collector_env *env;
	uint64_t opened_ns;
	struct snapshot *out;
	struct stack *list;
	size_t n, cap;
	/* names of kernel addresses, sorted */
	uint64_t *kernel;
	char (*kernel_names)[KERNEL_NAME];
	size_t nkernel;
};

/* ---- reading ---- */

static void take(void *ctx, const void *key, const void *value)
{
	struct bpf_stacks *t = ctx;

	t->list = mem_grow(t->list, &t->cap, t->n + 1, sizeof(*t->list));
	memcpy(&t->list[t->n].key, key, sizeof(t->list->key));
	memcpy(&t->list[t->n].s, value, sizeof(t->list->s));
	t->n++;
}

/* By process, the most frequent first. */
static int by_process(const void *x, const void *y)
{
	const struct stack *a = x, *b = y;

	if (a->key.tgid != b->key.tgid)
		return a->key.tgid < b->key.tgid ? -1 : 1;
	if (a->s.count != b->s.count)
		return a->s.count > b->s.count ? -1 : 1;
	return (a->key.hash > b->key.hash) - (a->key.hash < b->key.hash);
}

static size_t depth(const struct wire_sample *s)
{
	size_t n = 0;

	while (n < WIRE_SAMPLE_FRAMES && s->ip[n])
		n++;
	return n;
}

/* ---- names of the kernel ---- */

static int by_value(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return (a > b) - (a < b);
}

static void name_kernel(struct bpf_stacks *t)
{
	size_t n = 0, cap = 0, distinct = 0, taken = 0;
	uint64_t *all = NULL;

	for (size_t i = 0; i < t->n && taken < KERNEL_STACKS; i++) {
		size_t frames = depth(&t->list[i].s);

		if (t->list[i].key.user)
			continue;
		taken++;
		all = mem_grow(all, &cap, n + frames + 1, sizeof(*all));
		memcpy(all + n, t->list[i].s.ip, frames * sizeof(*all));
		n += frames;
	}
	if (n)
		qsort(all, n, sizeof(*all), by_value);
	for (size_t i = 0; i < n; i++)
		if (!distinct || all[i] != all[distinct - 1])
			all[distinct++] = all[i];
	t->kernel = all;
	t->nkernel = distinct;
	t->kernel_names = mem_array(distinct + 1, sizeof(*t->kernel_names));
	if (distinct && t->env->name_kernel)
		t->env->name_kernel(t->env->bpf, t->env->root, all, distinct, t->kernel_names);
}

static const char *kernel_name(const struct bpf_stacks *t, uint64_t ip)
{
	const uint64_t *at = t->nkernel ? bsearch(&ip, t->kernel, t->nkernel, sizeof(ip), by_value)
					: NULL;

	return at ? t->kernel_names[at - t->kernel] : "";
}

/* ---- mechanisms ---- */

struct sum {
	uint64_t samples, best;
	uint32_t best_pid;
};

static size_t judge(const struct bpf_stacks *t, const struct wire_sample *s)
{
	for (size_t i = 0; i < depth(s); i++) {
		size_t m = mechanism_of(kernel_name(t, s->ip[i]));

		if (m != MECHANISM_OTHER)
			return m;
	}
	return MECHANISM_OTHER;
}

static void put(struct bpf_stacks *t, enum metric_id id, enum file_id file, size_t row, uint64_t v)
{
	snapshot_set(t->out, id, row, v, metric_source(id, file));
}

/* Stacks are sorted by process: what one process adds to each kind of work is known when its last stack was seen. */
static void put_mechanisms(struct bpf_stacks *t)
{
	struct sum *sums = mem_array(nmechanisms, sizeof(*sums));
	uint64_t *own = mem_array(nmechanisms, sizeof(*own));

	for (size_t i = 0; i < t->n; i++) {
		bool last = i + 1 == t->n || t->list[i + 1].key.tgid != t->list[i].key.tgid;

		if (!t->list[i].key.user)
			own[judge(t, &t->list[i].s)] += t->list[i].s.count;
		for (size_t m = 0; last && m < nmechanisms; m++) {
			sums[m].samples += own[m];
			if (own[m] > sums[m].best) {
				sums[m].best = own[m];
				sums[m].best_pid = t->list[i].key.tgid;
			}
			own[m] = 0;
		}
	}
	for (size_t m = 0; m < nmechanisms; m++) {
		size_t row;

		if (!sums[m].samples)
			continue;
		row = snapshot_named_row(t->out, SCOPE_MECHANISM, mechanisms[m].name,
					 strlen(mechanisms[m].name));
		put(t, M_MECH_SAMPLES, F_BPF_MECHANISMS, row, sums[m].samples);
		put(t, M_MECH_TIME, F_BPF_MECHANISMS, row,
		    sums[m].samples * (1000000000u / SAMPLE_HZ));
		put(t, M_MECH_PID, F_BPF_MECHANISMS, row, sums[m].best_pid);
		put(t, M_MECH_PID_SAMPLES, F_BPF_MECHANISMS, row, sums[m].best);
	}
	mem_free(sums);
	mem_free(own);
}

/* ---- stacks of one process ---- */

struct named {
	char frames[FRAMES_TEXT];
	uint64_t count;
	bool kernel;
};

/* Where a file has no name for a place, the file alone: a stripped library would be a hundred stacks of one sample. */
static void drop_place(char *name)
{
	char *plus = strstr(name, "+0x");

	if (*name == '[' && plus && plus[1 + strcspn(plus + 1, "+]")] == ']')
		memmove(plus, "]", 2);
}

/* Frame pointers that lead nowhere: the program was built without, and what follows is not its stack. */
static bool leads_nowhere(const char *name)
{
	return !strcmp(name, "[unmapped]");
}

/* A semicolon separates frames. */
static void add_frame(char *text, const char *name, const char *mark)
{
	size_t have = strlen(text), n;

	if (have + strlen(name) + 8 > FRAMES_TEXT)
		return;
	n = (size_t)snprintf(text + have, FRAMES_TEXT - have, "%s%s%s", have ? ";" : "", name,
			     mark);
	for (size_t i = have + (have > 0); i < have + n; i++)
		if (text[i] == ';')
			text[i] = ':';
}

static void write_kernel(const struct bpf_stacks *t, const struct wire_sample *s, char *text)
{
	for (size_t i = 0; i < depth(s); i++) {
		const char *name = kernel_name(t, s->ip[i]);
		char address[24];

		snprintf(address, sizeof(address), "[0x%llx]", (unsigned long long)s->ip[i]);
		add_frame(text, *name ? name : address, "_[k]");
	}
}

/* Addresses of callers lie behind the call: one byte back is inside it. */
static uint64_t inside(size_t i, uint64_t ip)
{
	return i ? ip - 1 : ip;
}

static void write_program(const struct wire_sample *s, char (*names)[PROGRAM_NAME], size_t *at,
			  char *text)
{
	bool whole = true;

	for (size_t i = 0; i < depth(s); i++, (*at)++) {
		whole = whole && (!i || !leads_nowhere(names[*at]));
		drop_place(names[*at]);
		if (whole)
			add_frame(text, names[*at], "");
	}
}

static void name_stacks(struct bpf_stacks *t, const struct stack *first, size_t n,
			struct named *out)
{
	uint64_t *ips = mem_array(n * WIRE_SAMPLE_FRAMES + 1, sizeof(*ips));
	char(*names)[PROGRAM_NAME] = mem_array(n * WIRE_SAMPLE_FRAMES + 1, sizeof(*names));
	size_t nips = 0, at = 0;

	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; first[k].key.user && i < depth(&first[k].s); i++)
			ips[nips++] = inside(i, first[k].s.ip[i]);
	if (nips && t->env->name_program)
		t->env->name_program(t->env->namer, (int)first->key.tgid, ips, nips, names);
	for (size_t k = 0; k < n; k++) {
		out[k].count = first[k].s.count;
		out[k].kernel = !first[k].key.user;
		if (out[k].kernel)
			write_kernel(t, &first[k].s, out[k].frames);
		else
			write_program(&first[k].s, names, &at, out[k].frames);
	}
	mem_free(ips);
	mem_free(names);
}

static int by_count(const void *x, const void *y)
{
	const struct named *a = x, *b = y;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return strcmp(a->frames, b->frames);
}

static int by_frames(const void *x, const void *y)
{
	const struct named *a = x, *b = y;

	return strcmp(a->frames, b->frames);
}

/* Equal names are one stack. Returns how many are left. */
static size_t merge(struct named *list, size_t n)
{
	size_t left = 0;

	qsort(list, n, sizeof(*list), by_frames);
	for (size_t i = 0; i < n; i++) {
		if (left && !strcmp(list[left - 1].frames, list[i].frames))
			list[left - 1].count += list[i].count;
		else if (left++ != i)
			list[left - 1] = list[i];
	}
	qsort(list, left, sizeof(*list), by_count);
	return left;
}

static void put_process(struct bpf_stacks *t, const struct stack *first, size_t n, uint64_t samples)
{
	size_t named = n < PROCESS_STACKS ? n : PROCESS_STACKS, left;
	struct named *list = mem_array(named + 1, sizeof(*list));

	name_stacks(t, first, named, list);
	left = merge(list, named);
	for (size_t i = 0; i < left && i < ROWS; i++) {
		char name[32];
		size_t row;

		snprintf(name, sizeof(name), "%u/%zu", first->key.tgid, i + 1);
		row = snapshot_named_row(t->out, SCOPE_STACK, name, strlen(name));
		put(t, M_STACK_PID, F_BPF_STACKS, row, first->key.tgid);
		put(t, M_STACK_KERNEL, F_BPF_STACKS, row, list[i].kernel);
		put(t, M_STACK_SAMPLES, F_BPF_STACKS, row, list[i].count);
		put(t, M_STACK_OF, F_BPF_STACKS, row, samples);
		snapshot_set_text(t->out, M_STACK_FRAMES, row, list[i].frames,
				  strlen(list[i].frames),
				  metric_source(M_STACK_FRAMES, F_BPF_STACKS));
	}
	mem_free(list);
}

/* ---- who is worth it ---- */

struct group {
	size_t first, n;
	uint64_t samples;
};

static int by_samples(const void *x, const void *y)
{
	const struct group *a = x, *b = y;

	if (a->samples != b->samples)
		return a->samples > b->samples ? -1 : 1;
	return a->first < b->first ? -1 : 1;
}

static size_t group_processes(const struct bpf_stacks *t, struct group *list)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (!i || t->list[i].key.tgid != t->list[i - 1].key.tgid)
			list[n++] = (struct group){ .first = i };
		list[n - 1].n++;
		list[n - 1].samples += t->list[i].s.count;
	}
	if (n)
		qsort(list, n, sizeof(*list), by_samples);
	return n;
}

static void put_all(struct bpf_stacks *t, double seconds)
{
	struct group *groups = mem_array(t->n + 1, sizeof(*groups));
	size_t n = group_processes(t, groups);
	double least = USED_LEAST * seconds * SAMPLE_HZ;
	uint64_t kernel = 0;

	for (size_t i = 0; i < t->n; i++)
		kernel += t->list[i].key.user ? 0 : t->list[i].s.count;
	if (n && ((double)kernel >= least || (double)groups[0].samples >= least)) {
		name_kernel(t);
		put_mechanisms(t);
	}
	for (size_t i = 0; i < n && i < PROCESSES && (double)groups[i].samples >= least; i++)
		put_process(t, &t->list[groups[i].first], groups[i].n, groups[i].samples);
	mem_free(groups);
}

/* ---- the collector ---- */

static int stacks_open(void *state, const struct collector_env *env, struct err *e)
{
	struct bpf_stacks *t = state;

	t->env = env;
	t->opened_ns = clock_boot_ns();
	if (!bpf_engine_has(env->bpf, BPF_SAMPLES))
		return err_set(e, -ENOSYS, "%s",
			       env->bpf ? "CPUs could not be sampled, or nobody asked for it"
					: "there is no eBPF here: see the line about eBPF");
	return 0;
}

static int stacks_read(void *state, struct snapshot *out, struct err *e)
{
	struct bpf_stacks *t = state;
	uint64_t now = clock_boot_ns();
	int err;

	snapshot_begin(out, SCOPE_STACK, now);
	snapshot_begin(out, SCOPE_MECHANISM, now);
	if (!t->env->closing)
		return 0;
	t->out = out;
	err = bpf_engine_walk(t->env->bpf, "samples_stacks", sizeof(struct wire_sample_key),
			      sizeof(struct wire_sample), take, t);
	if (err)
		return err_errno(e, err, "cannot read the samples of CPUs");
	if (t->n)
		qsort(t->list, t->n, sizeof(*t->list), by_process);
	put_all(t, (double)(now - t->opened_ns) * 1e-9);
	return 0;
}

static void stacks_close(void *state)
{
	struct bpf_stacks *t = state;

	mem_free(t->list);
	mem_free(t->kernel);
	mem_free(t->kernel_names);
}

const struct collector collector_bpf_stacks = {
	.name = "stacks",
	.what = "in which functions the busiest processes and the kernel were, by samples of every CPU (eBPF)",
	.needs = "root (CAP_BPF and CAP_PERFMON) and a kernel with BTF",
	.pace = PACE_EDGE,
	.scopes = 1u << SCOPE_STACK | 1u << SCOPE_MECHANISM,
	.files = NULL,
	.bpf = BPF_SAMPLES,
	.state_size = sizeof(struct bpf_stacks),
	.open = stacks_open,
	.read = stacks_read,
	.close = stacks_close,
};
