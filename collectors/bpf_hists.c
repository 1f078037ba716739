/* SPDX-License-Identifier: Apache-2.0 */
/* Distributions of the kernel side: cells of a per-CPU map, an index from keys to blocks of them, names of keys. */
#include "collectors/bpf_hists.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "collectors/bpf_syscalls.h"

#define CELL_BYTES   ((sizeof(struct wire_hist) + 7) & ~(size_t)7)
#define CELLS_BYTES  (64u << 20) /* of all CPUs */
#define BLOCKS_LEAST 8

struct bpf_hists {
	struct bpf_engine *engine;
	const struct root *root;
	struct bpf_hists_plan plan;
	enum wire_hist_kind keyed; /* HIST_KINDS: none */
	int cpus, cells_fd, index_fd, names_fd;
	char *cell; /* one, of every CPU */
	struct wire_hist_index *index;
	char (*names)[64];                 /* of blocks; "" until it is met */
	uint64_t open, open_sum, open_max; /* while sweeping */
	struct hists *out;
	name_kernel_fn *namer;
};

/* ---- the plan ---- */

static const unsigned most_blocks[HIST_KEYS] = {
	[HIST_BY_PROCESS] = 512,  [HIST_BY_CAUSE] = PART_MAX, [HIST_BY_DISK] = 64,
	[HIST_BY_OPERATION] = 48, [HIST_BY_CALL] = 384,       [HIST_BY_VECTOR] = 16,
	[HIST_BY_LINE] = 256,     [HIST_BY_FUNCTION] = 512,
};

static uint32_t blocks_for(enum wire_hist_key key, unsigned width)
{
	int cpus = bpf_possible_cpus();
	size_t room = CELLS_BYTES / (CELL_BYTES * (size_t)(cpus > 0 ? cpus : 1) * width);

	if (room < BLOCKS_LEAST)
		room = BLOCKS_LEAST;
	return room < most_blocks[key] ? (uint32_t)room : most_blocks[key];
}

#define DISKS (1u << HIST_BIOLAT | 1u << HIST_BITESIZE)

void bpf_hists_plan(struct bpf_hists_plan *out, const struct hist_wish *w)
{
	struct wire_hist_config *c = &out->config;

	*out = (struct bpf_hists_plan){ .config = { .kinds = w->kinds,
						    .pid = w->pid,
						    .disk = w->disk,
						    .group = w->group,
						    .group_in = w->group_in,
						    .group_level = w->group_level,
						    .width = 1 } };
	for (unsigned k = 0; k < HIST_KINDS; k++) {
		if (!(w->kinds & 1u << k) || !hist_kinds[k].name)
			continue;
		c->key[k] = w->key == HIST_KEYS ? hist_kinds[k].key : w->key;
		c->first[k] = out->cells;
		out->cells += hist_measures((enum wire_hist_kind)k);
		out->groups |= BPF_HIST(k);
		if (!most_blocks[c->key[k]])
			continue;
		c->width = hist_measures((enum wire_hist_kind)k);
		c->blocks = blocks_for((enum wire_hist_key)c->key[k], c->width);
		c->owner = (w->kinds & DISKS) && c->key[k] == HIST_BY_PROCESS;
	}
	c->owner = c->owner || ((w->kinds & DISKS) && (w->pid || w->group));
	c->noted = c->owner || ((w->kinds & DISKS) && w->untimed);
	if (c->noted)
		out->groups |= BPF_NOTED;
	c->shared = out->cells;
	out->cells += c->width * c->blocks;
}

/* ---- names ---- */

/* clang-format off */
static const char *const part_names[PART_MAX] = {
	[PART_RUN] = "running", [PART_STOLEN] = "stolen", [PART_RUNNABLE] = "preempted", [PART_THROTTLED] = "throttled",
	[PART_DISK] = "disk", [PART_WRITEBACK] = "writeback", [PART_RECLAIM] = "reclaim", [PART_FAULT] = "fault",
	[PART_KLOCK] = "kernel lock", [PART_FROZEN] = "stopped", [PART_FS] = "file system",
	[PART_UNINTERRUPTIBLE] = "uninterruptible", [PART_MUTEX] = "lock", [PART_FUTEX] = "futex", [PART_FLOCK] = "file lock",
	[PART_SOCKET] = "socket", [PART_PIPE] = "pipe", [PART_POLL] = "poll", [PART_TIMER] = "timer", [PART_CHILD] = "child",
	[PART_SLEEP] = "sleep", [PART_REPLY] = "reply", [PART_RESIDUAL] = "not known",
};
static const char *const vectors[] = {
	"HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU",
};
/* enum req_op */
static const char *const operations[] = {
	[0] = "read", [1] = "write", [2] = "flush", [3] = "discard", [5] = "secure erase", [7] = "zone append",
	[9] = "write zeroes", [10] = "zone open", [11] = "zone close", [12] = "zone finish", [13] = "zone reset",
	[15] = "zone reset", [17] = "zone reset all", [34] = "driver in", [35] = "driver out",
};
/* clang-format on */

static void name_from(char *out, size_t size, const char *const *names, size_t n, uint64_t key)
{
	if (key < n && names[key])
		snprintf(out, size, "%s", names[key]);
	else
		snprintf(out, size, "%llu", (unsigned long long)key);
}

static void name_disk(const struct bpf_hists *h, char *out, size_t size, uint64_t key)
{
	unsigned major = (unsigned)(key >> 20), minor = (unsigned)(key & 0xfffff);
	char path[48], target[256];
	const char *slash;
	ssize_t n;

	snprintf(path, sizeof(path), "sys/dev/block/%u:%u", major, minor);
	n = root_readlink(h->root, path, target, sizeof(target));
	slash = n > 0 ? strrchr(target, '/') : NULL;
	if (slash)
		snprintf(out, size, "%.63s", slash + 1);
	else
		snprintf(out, size, "%u:%u", major, minor);
}

/* What the kernel side has noted when it met the key. */
static void name_noted(const struct bpf_hists *h, char *out, size_t size, __u32 block)
{
	char name[WIRE_HIST_NAME] = "";

	if (bpf_map_lookup_elem(h->names_fd, &block, name))
		name[0] = '\0';
	snprintf(out, size, "%.*s", (int)sizeof(name), name);
}

/* A process that was met before its exec has another name now. The one that was noted is for those that are gone. */
static void name_process(const struct bpf_hists *h, char *out, size_t size, uint64_t pid,
			 __u32 block)
{
	struct buf b = { 0 };
	char path[32];

	if (pid == WIRE_OUTSIDE) {
		snprintf(out, size, "(outside)");
		return;
	}
	snprintf(path, sizeof(path), "proc/%u/comm", (unsigned)pid);
	if (pid && !root_read(h->root, path, &b, 64) && b.len > 1)
		snprintf(out, size, "%.*s", (int)(b.len - 1 < 15 ? b.len - 1 : 15), b.data);
	else if (!*out)
		name_noted(h, out, size, block);
	buf_done(&b);
}

static const char *name_of(struct bpf_hists *h, enum wire_hist_key by, uint64_t key, __u32 block)
{
	char *name = h->names[block];
	size_t size = sizeof(h->names[block]);

	if (by == HIST_BY_PROCESS)
		name_process(h, name, size, key, block);
	if (*name)
		return name;
	switch (by) {
	case HIST_BY_LINE:
		name_noted(h, name, size, block);
		break;
	case HIST_BY_DISK:
		name_disk(h, name, size, key);
		break;
	case HIST_BY_CAUSE:
		name_from(name, size, part_names, PART_MAX, key);
		break;
	case HIST_BY_OPERATION:
		name_from(name, size, operations, sizeof(operations) / sizeof(*operations), key);
		break;
	case HIST_BY_VECTOR:
		name_from(name, size, vectors, sizeof(vectors) / sizeof(*vectors), key);
		break;
	case HIST_BY_CALL:
		bpf_syscall_name(name, size, (unsigned)key);
		break;
	default:
		break;
	}
	return name;
}

/* ---- reading ---- */

static int read_cell(struct bpf_hists *h, __u32 cell)
{
	return bpf_map_lookup_elem(h->cells_fd, &cell, h->cell);
}

static const struct wire_hist *on_cpu(const struct bpf_hists *h, int cpu)
{
	return (const void *)(h->cell + (size_t)cpu * CELL_BYTES);
}

static void take_cpu(struct hist *into, const struct wire_hist *w)
{
	into->sum += w->sum;
	if (w->max > into->max)
		into->max = w->max;
	for (unsigned i = 0; i < HIST_SLOTS; i++)
		into->slots[i] += w->slots[i];
	into->max_known = true;
}

static bool is_empty(const struct bpf_hists *h)
{
	for (int cpu = 0; cpu < h->cpus; cpu++)
		for (unsigned i = 0; i < HIST_SLOTS; i++)
			if (on_cpu(h, cpu)->slots[i])
				return false;
	return true;
}

/* The cells of a kind that no key has: all, each CPU's, or the rest. */
static int read_first(struct bpf_hists *h, enum wire_hist_kind k, unsigned measure)
{
	enum wire_hist_key by = (enum wire_hist_key)h->plan.config.key[k];
	int err = read_cell(h, h->plan.config.first[k] + measure);

	if (err)
		return err;
	if (by == HIST_BY_CPU) {
		for (int cpu = 0; cpu < h->cpus; cpu++) {
			struct hist_row *row =
				hists_row(h->out, k, measure, by, (uint64_t)cpu, false);

			take_cpu(&row->h, on_cpu(h, cpu));
			snprintf(row->name, sizeof(row->name), "cpu%d", cpu);
		}
		return 0;
	}
	if (by != HIST_BY_NOTHING && measure && is_empty(h))
		return 0;
	for (int cpu = 0; cpu < h->cpus; cpu++)
		take_cpu(&hists_row(h->out, k, measure, by, 0, by != HIST_BY_NOTHING)->h,
			 on_cpu(h, cpu));
	return 0;
}

static int read_block(struct bpf_hists *h, uint64_t key, __u32 block)
{
	enum wire_hist_key by = (enum wire_hist_key)h->plan.config.key[h->keyed];

	if (block >= h->plan.config.blocks)
		return 0;
	for (unsigned m = 0; m < h->plan.config.width; m++) {
		__u32 cell = h->plan.config.shared + block * h->plan.config.width + m;
		struct hist_row *row;
		int err = read_cell(h, cell);

		if (err)
			return err;
		row = hists_row(h->out, h->keyed, m, by,
				by == HIST_BY_PROCESS && key == WIRE_OUTSIDE ? 0 : key, false);
		for (int cpu = 0; cpu < h->cpus; cpu++)
			take_cpu(&row->h, on_cpu(h, cpu));
		snprintf(row->name, sizeof(row->name), "%s", name_of(h, by, key, block));
	}
	return 0;
}

static uint64_t key_of(uint64_t word)
{
	return (word >> 16) - 1;
}

/* All that have come up since the last reading, at once. */
static void name_functions(struct bpf_hists *h)
{
	size_t n = 0, most = h->plan.config.blocks + 1;
	uint64_t *addresses = mem_array(most, sizeof(*addresses));
	char(*names)[KERNEL_NAME] = mem_array(most, sizeof(*names));
	__u32 *blocks = mem_array(most, sizeof(*blocks));

	for (size_t i = 0; i < WIRE_HIST_INDEX && n < most; i++) {
		uint64_t word = h->index->words[i];
		__u32 block = word & 0xffff;

		if (!word || block >= h->plan.config.blocks || h->names[block][0])
			continue;
		blocks[n] = block;
		addresses[n++] = key_of(word) | ~WIRE_HIST_FUNCTION;
	}
	if (n && h->namer)
		h->namer(h->engine, h->root, addresses, n, names);
	for (size_t i = 0; i < n; i++)
		if (names[i][0])
			snprintf(h->names[blocks[i]], sizeof(*h->names), "%s", names[i]);
		else
			snprintf(h->names[blocks[i]], sizeof(*h->names), "0x%llx",
				 (unsigned long long)addresses[i]);
	mem_free(addresses);
	mem_free(names);
	mem_free(blocks);
}

static int read_keys(struct bpf_hists *h)
{
	__u32 zero = 0;
	int err;

	if (h->keyed == HIST_KINDS)
		return 0;
	err = bpf_map_lookup_elem(h->index_fd, &zero, h->index);
	if (!err && h->plan.config.key[h->keyed] == HIST_BY_FUNCTION)
		name_functions(h);
	for (size_t i = 0; !err && i < WIRE_HIST_INDEX; i++) {
		uint64_t word = h->index->words[i];

		if (word)
			err = read_block(h, key_of(word), (__u32)(word & 0xffff));
	}
	return err;
}

static void take_failure(void *ctx, const void *key, const void *value)
{
	const struct wire_hist_error *e = key;
	const uint64_t *each = value;
	struct bpf_hists *h = ctx;
	struct hist_failure *f = hists_failure(h->out, e->call, e->code);

	bpf_syscall_name(f->call, sizeof(f->call), e->call);
	for (int cpu = 0; cpu < h->cpus; cpu++)
		f->count += each[cpu];
}

static void take_wait(void *ctx, const void *record)
{
	const struct wire_task *t = record;
	struct bpf_hists *h = ctx;

	if (!t->wait_ns || (h->plan.config.pid && t->tgid != h->plan.config.pid))
		return;
	h->open++;
	h->open_sum += t->wait_ns;
	if (t->wait_ns > h->open_max)
		h->open_max = t->wait_ns;
}

static bool is_stopped(const struct bpf_engine *b, const char *program)
{
	size_t i = 0;

	while (bpf_probes[i].program && strcmp(bpf_probes[i].program, program) != 0)
		i++;
	return bpf_probes[i].program && bpf_engine_fate(b, i)->stopped > 0;
}

/* Who waits for a CPU at this moment. Of which group a thread is the sweep does not tell, and nothing once it is stopped. */
static int read_open(struct bpf_hists *h, struct err *e)
{
	const struct wire_hist_config *c = &h->plan.config;
	struct hist_row *row;
	int err;

	if (!(c->kinds & 1u << HIST_RUNQLAT) || c->group ||
	    c->key[HIST_RUNQLAT] != HIST_BY_NOTHING || is_stopped(h->engine, "tasks_sweep"))
		return 0;
	h->open = h->open_sum = h->open_max = 0;
	err = bpf_engine_iterate(h->engine, "tasks_sweep", sizeof(struct wire_task), take_wait, h,
				 e);
	if (err)
		return err;
	row = hists_row(h->out, HIST_RUNQLAT, RUNQLAT_WAIT, HIST_BY_NOTHING, 0, false);
	row->open_known = true;
	row->open = h->open;
	row->open_sum = h->open_sum;
	row->open_max = h->open_max;
	return 0;
}

int bpf_hists_read(struct bpf_hists *h, struct hists *out, struct err *e)
{
	int err = 0;

	h->out = out;
	for (unsigned k = 0; k < HIST_KINDS && !err; k++)
		for (unsigned m = 0; (h->plan.config.kinds & 1u << k) && hist_kinds[k].name &&
				     !err && m < hist_measures((enum wire_hist_kind)k);
		     m++)
			err = read_first(h, (enum wire_hist_kind)k, m);
	if (!err)
		err = read_keys(h);
	if (!err && (h->plan.config.kinds & 1u << HIST_SYSCALL))
		err = bpf_engine_walk(h->engine, "hist_errors", sizeof(struct wire_hist_error),
				      (size_t)h->cpus * sizeof(uint64_t), take_failure, h);
	if (err)
		return err_errno(e, err, "cannot read distributions");
	return read_open(h, e);
}

/* ---- opening and closing ---- */

/* The records are not needed, the storage that the sweep gives every thread is. */
static void ignore(void *ctx, const void *record)
{
	(void)ctx;
	(void)record;
}

void bpf_hists_open(struct bpf_hists **out, struct bpf_engine *engine,
		    const struct bpf_hists_plan *plan, const struct root *root)
{
	struct bpf_hists *h = mem_alloc(sizeof(*h));

	h->engine = engine;
	h->root = root;
	h->plan = *plan;
	h->keyed = HIST_KINDS;
	for (unsigned k = 0; k < HIST_KINDS; k++)
		if ((plan->config.kinds & 1u << k) && most_blocks[plan->config.key[k]])
			h->keyed = (enum wire_hist_kind)k;
	h->cpus = bpf_engine_cpus(engine);
	h->cells_fd = bpf_engine_fd(engine, "hist_cells");
	h->index_fd = bpf_engine_fd(engine, "hist_index");
	h->names_fd = bpf_engine_fd(engine, "hist_names");
	h->cell = mem_array((size_t)h->cpus, CELL_BYTES);
	h->index = mem_alloc(sizeof(*h->index));
	h->names = mem_array(plan->config.blocks + 1, sizeof(*h->names));
	/* threads get their storage, and their open interval begins */
	bpf_engine_iterate(engine, "tasks_sweep", sizeof(struct wire_task), ignore, NULL, NULL);
	*out = h;
}

void bpf_hists_namer(struct bpf_hists *h, name_kernel_fn *namer)
{
	h->namer = namer;
}

void bpf_hists_tick(struct bpf_hists *h)
{
	if (h->plan.config.kinds & 1u << HIST_TCPRTT)
		bpf_engine_iterate(h->engine, "hist_rtt", 1, ignore, NULL, NULL);
}

void bpf_hists_close(struct bpf_hists *h)
{
	if (!h)
		return;
	mem_free(h->cell);
	mem_free(h->index);
	mem_free(h->names);
	mem_free(h);
}

bool bpf_hists_has(const struct bpf_engine *b, enum wire_hist_kind k)
{
	return bpf_engine_has(b, BPF_HIST(k));
}

void bpf_hists_why(const struct bpf_engine *b, enum wire_hist_kind k, char *out, size_t size)
{
	uint64_t groups = BPF_HIST(k) | BPF_NOTED;

	out[0] = '\0';
	for (size_t i = 0; bpf_probes[i].program; i++) {
		const struct bpf_fate *f = bpf_engine_fate(b, i);

		if (!(bpf_probes[i].group & groups) || f->attached || f->spare || !f->why[0])
			continue;
		snprintf(out, size, "%s: %s: %s", bpf_probes[i].program, f->why,
			 bpf_probes[i].without);
		return;
	}
}
