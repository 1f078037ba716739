/* SPDX-License-Identifier: Apache-2.0 */
/* Why a thread is in D state when no flag of it tells: the first function of its kernel stack that is not the scheduler's
 * own says it, by the same table as a wait channel of /proc. */
#include "collectors/bpf_time.h"

#include <string.h>

#include "base/mem.h"
#include "bpf/wire.h"
#include "model/cause.h"

#define STACKS_MAX 1024u

static const unsigned part_of_wait[WAIT_MAX] = {
	[WAIT_RUN] = PART_UNINTERRUPTIBLE,
	[WAIT_DISK] = PART_DISK,
	[WAIT_WRITEBACK] = PART_WRITEBACK,
	[WAIT_RECLAIM] = PART_RECLAIM,
	[WAIT_FAULT] = PART_FAULT,
	[WAIT_KLOCK] = PART_KLOCK,
	[WAIT_FROZEN] = PART_FROZEN,
	[WAIT_FS] = PART_FS,
	[WAIT_D_OTHER] = PART_UNINTERRUPTIBLE,
	[WAIT_MUTEX] = PART_MUTEX,
	[WAIT_FUTEX] = PART_FUTEX,
	[WAIT_FLOCK] = PART_FLOCK,
	[WAIT_SOCKET] = PART_SOCKET,
	[WAIT_PIPE] = PART_PIPE,
	[WAIT_POLL] = PART_POLL,
	[WAIT_TIMER] = PART_TIMER,
	[WAIT_CHILD] = PART_CHILD,
	[WAIT_SLEEP] = PART_UNINTERRUPTIBLE,
	[WAIT_ZOMBIE] = PART_UNINTERRUPTIBLE,
};

/* The way into the scheduler, ours and the program's own frames included: said by every stack, and meaning nothing. */
static bool is_passage(const char *name)
{
	static const char *const prefixes[] = { "__schedule",
						"schedule",
						"bpf_",
						"__bpf_",
						"__traceiter_sched",
						"preempt_schedule",
						"io_schedule",
						"wait_for_common",
						"__wait_for_common",
						"wait_for_completion",
						"__wait_on_bit",
						"out_of_line_wait" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return strncmp(name, "schedule_preempt_disabled", 25) != 0;
	return !*name;
}

unsigned deep_part_of(const char *function)
{
	return is_passage(function) ? PART_UNINTERRUPTIBLE
				    : part_of_wait[wait_of('D', function, false)];
}

/* The first frame that the table knows, from the sleeper outwards. */
static unsigned judge(char (*names)[KERNEL_NAME], size_t n)
{
	unsigned part = PART_UNINTERRUPTIBLE;

	for (size_t i = 0; i < n && part == PART_UNINTERRUPTIBLE; i++)
		part = deep_part_of(names[i]);
	return part;
}

struct fresh {
	struct deep_stacks *known;
	struct deep_stack *list;
	uint64_t *ips;
	size_t n, cap, ips_cap;
};

static bool is_known(const struct deep_stacks *d, uint64_t key)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->list[i].key == key)
			return true;
	return false;
}

static void take_stack(void *ctx, const void *key, const void *value)
{
	const struct wire_stack *s = value;
	struct fresh *f = ctx;
	uint64_t k;

	memcpy(&k, key, sizeof(k));
	if (f->known->n + f->n >= STACKS_MAX || is_known(f->known, k))
		return;
	f->list = mem_grow(f->list, &f->cap, f->n + 1, sizeof(*f->list));
	f->ips = mem_grow(f->ips, &f->ips_cap, (f->n + 1) * WIRE_FRAMES, sizeof(*f->ips));
	f->list[f->n].key = k;
	for (int i = 0; i < WIRE_FRAMES; i++)
		f->ips[f->n * WIRE_FRAMES + (size_t)i] = s->ip[i];
	f->n++;
}

void deep_learn(struct deep_stacks *d, const struct collector_env *env)
{
	struct fresh f = { .known = d };
	char(*names)[KERNEL_NAME];

	bpf_engine_walk(env->bpf, "sched_stacks", sizeof(uint64_t), sizeof(struct wire_stack),
			take_stack, &f);
	if (!f.n || !env->name_kernel)
		goto out;
	names = mem_array(f.n * WIRE_FRAMES, sizeof(*names));
	env->name_kernel(env->bpf, env->root, f.ips, f.n * WIRE_FRAMES, names);
	for (size_t i = 0; i < f.n; i++) {
		f.list[i].part = judge(names + i * WIRE_FRAMES, WIRE_FRAMES);
		d->list = mem_grow(d->list, &d->cap, d->n + 1, sizeof(*d->list));
		d->list[d->n++] = f.list[i];
	}
	mem_free(names);
out:
	mem_free(f.list);
	mem_free(f.ips);
}

unsigned deep_part(const struct deep_stacks *d, uint64_t key)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->list[i].key == key)
			return d->list[i].part;
	return PART_UNINTERRUPTIBLE;
}

void deep_done(struct deep_stacks *d)
{
	mem_free(d->list);
	*d = (struct deep_stacks){ 0 };
}
