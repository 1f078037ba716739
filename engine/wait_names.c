/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks of waits: the thread's own, the cause of the wait on top of it, and on top of that who ended it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "collectors/bpf_time.h"
#include "engine/namer.h"
#include "engine/profile_modes.h"
#include "engine/waits.h"
#include "model/cause.h"

#define PASSAGE     16 /* frames of the way into the scheduler, and of the program that looks at it */
#define CHAIN_LINKS 8

/* The one list of what a thread's time can be, and by what mechanism it sleeps. */
/* clang-format off */
static const struct {
	enum cause cause;
	const char *frame;
} parts[PART_MAX] = {
	[PART_RUN]             = { CAUSE_USER,      "[running]" },
	[PART_STOLEN]          = { CAUSE_STOLEN,    "[stolen]" },
	[PART_RUNNABLE]        = { CAUSE_RUNNABLE,  "[runnable]" },
	[PART_THROTTLED]       = { CAUSE_THROTTLED, "[throttled]" },
	[PART_DISK]            = { CAUSE_DISK,      "[disk]" },
	[PART_WRITEBACK]       = { CAUSE_WRITEBACK, "[writeback]" },
	[PART_RECLAIM]         = { CAUSE_RECLAIM,   "[reclaim]" },
	[PART_FAULT]           = { CAUSE_FAULT,     "[fault]" },
	[PART_KLOCK]           = { CAUSE_LOCK,      "[lock: kernel]" },
	[PART_FROZEN]          = { CAUSE_STOPPED,   "[stopped]" },
	[PART_FS]              = { CAUSE_OTHER,     "[other: file system server]" },
	[PART_UNINTERRUPTIBLE] = { CAUSE_OTHER,     "[other: uninterruptible]" },
	[PART_MUTEX]           = { CAUSE_LOCK,      "[lock: mutex]" },
	[PART_FUTEX]           = { CAUSE_WORK,      "[awaiting_work: futex]" },
	[PART_FLOCK]           = { CAUSE_LOCK,      "[lock: file]" },
	[PART_SOCKET]          = { CAUSE_WORK,      "[awaiting_work: socket]" },
	[PART_PIPE]            = { CAUSE_WORK,      "[awaiting_work: pipe]" },
	[PART_POLL]            = { CAUSE_WORK,      "[awaiting_work: poll]" },
	[PART_TIMER]           = { CAUSE_WORK,      "[awaiting_work: timer]" },
	[PART_CHILD]           = { CAUSE_WORK,      "[awaiting_work: child]" },
	[PART_SLEEP]           = { CAUSE_WORK,      "[awaiting_work]" },
	[PART_REPLY]           = { CAUSE_REPLY,     "[awaiting_reply]" },
	[PART_RESIDUAL]        = { CAUSE_RESIDUAL,  "[residual]" },
};
/* clang-format on */

/* How many of the innermost functions are the way to this one, itself included; 0: it is not there. */
static size_t passage(const struct namer *nm, const struct raw_stack *s, const char *function)
{
	size_t n = s->kernel < PASSAGE ? s->kernel : PASSAGE;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(namer_kernel(nm, s, i), function))
			return i + 1;
	return 0;
}

/* D state that no flag tells apart is told by the functions of the kernel. */
static unsigned part_of(const struct namer *nm, const struct raw_stack *s)
{
	unsigned part = s->part < PART_MAX ? s->part : PART_RESIDUAL;

	for (size_t i = 0; i < s->kernel && part == PART_UNINTERRUPTIBLE; i++)
		part = deep_part_of(namer_kernel(nm, s, i));
	return part;
}

static int push(struct namer *nm, uint32_t *stack, const char *name, enum frame_kind kind)
{
	uint32_t frame;
	int err = namer_frame(nm, text_of(name), "", kind, &frame);

	return err ? err : stackset_push(nm->ss, *stack, frame, stack, nm->e);
}

static int push_frames(struct namer *nm, uint32_t *stack, const uint32_t *frames, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		if (frames[i])
			err = stackset_push(nm->ss, *stack, frames[i], stack, nm->e);
	return err;
}

/* An interrupt is called after where it came in. */
static int push_interrupt(struct namer *nm, uint32_t *stack, const struct raw_stack *s)
{
	const char *name = s->kernel ? namer_kernel(nm, s, s->kernel - 1u) : "";
	char text[KALLSYMS_NAME + 32];

	if (!strncmp(name, "asm_", 4))
		name += 4;
	if (!strncmp(name, "sysvec_", 7))
		name += 7;
	snprintf(text, sizeof(text), "[woken by an interrupt%s%s]", *name ? ": " : "", name);
	return push(nm, stack, text, FRAME_WAKER);
}

/* The stack of a waker, the innermost first: what stands next to the wait is what ended it. */
static int push_wakers_stack(struct namer *nm, uint32_t *stack, const struct raw_stack *s)
{
	uint32_t frames[NAMER_FRAMES];
	size_t n = namer_frames(nm, s, passage(nm, s, "try_to_wake_up"), frames);
	int err = 0;

	while (n-- && !err) {
		const struct stack_frame *f = &nm->ss->frame[frames[n]];
		char name[IMAGE_NAME + 256];

		if (!frames[n])
			continue;
		snprintf(name, sizeof(name), "%s", stackset_text(nm->ss, f->name));
		err = push(nm, stack, name, FRAME_WAKER);
	}
	return err;
}

static int push_waker(struct namer *nm, uint32_t *stack, uint32_t waker)
{
	const struct wait_stack *w = &nm->args->waits->stacks[waker - 1];
	const struct raw_thread *t = &nm->args->raw->threads[w->thread];
	char text[64];
	int err;

	if (w->interrupt)
		return push_interrupt(nm, stack, &nm->args->raw->stacks[w->raw]);
	snprintf(text, sizeof(text), "[woken by %.*s]", WIRE_COMM, t->comm);
	err = push(nm, stack, text, FRAME_WAKER);
	if (!err && nm->args->kind->wakers == WAKERS_WHOLE)
		err = push_wakers_stack(nm, stack, &nm->args->raw->stacks[w->raw]);
	return err;
}

/* And who woke that one while the first slept, and so on. */
static int push_chain(struct namer *nm, uint32_t *stack, uint32_t waker)
{
	int err = 0;

	for (unsigned i = 0; waker && i < CHAIN_LINKS && !err; i++) {
		err = push_waker(nm, stack, waker);
		waker = waits_find(nm->args->waits, nm->args->waits->stacks[waker - 1].next);
	}
	return err;
}

static int add_wait(struct namer *nm, const struct raw_wait *x, const struct namer_root *root)
{
	const struct raw_stack *s = &nm->args->raw->stacks[x->stack];
	unsigned part = part_of(nm, s);
	uint32_t frames[NAMER_FRAMES];
	double weights[2] = { (double)x->ns, (double)x->count };
	struct stack_sample to = { .time_ns = STACK_NO_TIME, .thread = root->thread };
	size_t n = namer_frames(nm, s, passage(nm, s, "__schedule"), frames);
	int err;

	to.stack = root->stack;
	err = push_frames(nm, &to.stack, frames, n);
	if (!err && part != PART_RUN)
		err = push(nm, &to.stack, parts[part].frame, FRAME_BLOCKED);
	if (!err && x->waker)
		err = push_chain(nm, &to.stack, x->waker);
	if (!err)
		err = stackset_string(nm->ss, text_of(cause_name(parts[part].cause)), &to.cause,
				      nm->e);
	return err ? err : stackset_add(nm->ss, &to, weights, nm->e);
}

int namer_waits(struct namer *nm, const struct namer_root *roots)
{
	const struct waits *w = nm->args->waits;
	int err = 0;

	for (size_t i = 0; i < w->n && !err; i++)
		if (w->list[i].ns)
			err = add_wait(nm, &w->list[i], &roots[w->list[i].thread]);
	return err;
}
