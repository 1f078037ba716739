/* SPDX-License-Identifier: Apache-2.0 */
/* From addresses to names.
 *
 *   stacks ─▶ places in programs, each once (spot_names.c) ─▶ frames
 *          ─▶ addresses of the kernel, each once ─▶ one pass over /proc/kallsyms ─▶ frames
 *
 * and from samples and waits (wait_names.c) to a set of stacks. */
#include "engine/profile_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/namer.h"
#include "engine/profile_modes.h"

int namer_frame(struct namer *nm, struct text name, const char *module, enum frame_kind kind,
		uint32_t *frame)
{
	struct frame_text f = { .name = name, .module = text_of(module), .kind = kind };

	return stackset_frame(nm->ss, &f, frame, nm->e);
}

/* ---- names of the kernel ---- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static size_t kernel_addresses(const struct rawstacks *r, uint64_t **out)
{
	uint64_t *list = NULL;
	size_t n = 0, cap = 0, distinct = 0;

	for (size_t i = 0; i < r->nstacks; i++) {
		const struct raw_stack *s = &r->stacks[i];

		list = mem_grow(list, &cap, n + s->kernel + 1, sizeof(*list));
		for (size_t k = 0; k < s->kernel; k++)
			list[n++] = namer_inside(k, r->addresses[s->at + k]);
	}
	if (n)
		qsort(list, n, sizeof(*list), by_value);
	for (size_t i = 0; i < n; i++)
		if (!distinct || list[i] != list[distinct - 1])
			list[distinct++] = list[i];
	*out = list;
	return distinct;
}

static int name_kernel(struct namer *nm)
{
	uint64_t *addresses;
	int err = 0;

	nm->nkernel = kernel_addresses(nm->args->raw, &addresses);
	nm->kernel = mem_array(nm->nkernel + 1, sizeof(*nm->kernel));
	nm->kernel_frames = mem_array(nm->nkernel + 1, sizeof(*nm->kernel_frames));
	for (size_t i = 0; i < nm->nkernel; i++)
		nm->kernel[i].address = addresses[i];
	mem_free(addresses);
	if (nm->nkernel && kallsyms_resolve(nm->args->root, nm->kernel, nm->nkernel))
		nm->loss->kernel = true;
	for (size_t i = 0; i < nm->nkernel && !err; i++) {
		const struct kallsym *k = &nm->kernel[i];
		char place[32];

		snprintf(place, sizeof(place), "[kernel+0x%" PRIx64 "]", k->address);
		err = namer_frame(nm, text_of(k->name[0] ? k->name : place),
				  k->module[0] ? k->module : "kernel", FRAME_KERNEL,
				  &nm->kernel_frames[i]);
	}
	return err;
}

static const struct kallsym *find_kernel(const struct namer *nm, uint64_t address)
{
	return nm->nkernel
		       ? bsearch(&address, nm->kernel, nm->nkernel, sizeof(*nm->kernel), by_value)
		       : NULL;
}

static uint32_t kernel_frame(const struct namer *nm, uint64_t address)
{
	const struct kallsym *k = find_kernel(nm, address);

	return k ? nm->kernel_frames[k - nm->kernel] : 0;
}

const char *namer_kernel(const struct namer *nm, const struct raw_stack *s, size_t i)
{
	const struct kallsym *k =
		find_kernel(nm, namer_inside(i, nm->args->raw->addresses[s->at + i]));

	return k ? k->name : "";
}

/* ---- stacks ---- */

/* clang-format off */
static const char *const lost_names[WALK_MAX] = {
	[WALK_UNKNOWN]    = "[callers lost: the process was not known yet]",
	[WALK_UNMAPPED]   = "[callers lost: no code at the return address]",
	[WALK_GAP]        = "[callers lost: code without unwind rules]",
	[WALK_HARD]       = "[callers lost: unwind rules too complex]",
	[WALK_UNREADABLE] = "[callers lost: stack not in memory]",
	[WALK_BACKWARDS]  = "[callers lost: broken stack]",
	[WALK_DEEP]       = "[callers lost: more than 256 frames]",
	[WALK_COMPAT]     = "[stack lost: 32-bit program]",
	[WALK_SHORT]      = "[callers lost: copy of the stack too short]",
	[WALK_UNCHOSEN]   = "[callers not looked at: one wait in many is]",
	[WALK_ASLEEP]     = "[stack not read: it slept when the profile began]",
	[WALK_CROWDED]    = "[stack lost: no room for more different ones]",
	[WALK_BETWEEN]    = "[on a CPU between two samples]",
};
/* clang-format on */

const char *profile_lost_name(enum wire_walk w)
{
	return lost_names[w];
}

#define LOST_PROGRAM "[stack lost: the process ended before it was looked at]"

/* Functions of interpreted programs; number 0 is one whose name did not come. */
static int name_pythons(struct namer *nm)
{
	const struct pythons *p = nm->args->pythons;
	int err;

	nm->python_frames = mem_array(p->n + 1, sizeof(*nm->python_frames));
	err = namer_frame(nm, text_of("[Python function without a name]"), "", FRAME_INTERPRETED,
			  &nm->python_frames[0]);
	for (size_t i = 1; i < p->n && !err; i++) {
		const struct python_function *y = &p->list[i];
		const char *slash = strrchr(y->file, '/');
		struct frame_text f = { .name = text_of(*y->name ? y->name : "[Python function]"),
					.module = text_of(slash ? slash + 1 : y->file),
					.file = text_of(y->file),
					.line = y->line,
					.kind = FRAME_INTERPRETED };

		err = stackset_frame(nm->ss, &f, &nm->python_frames[i], nm->e);
	}
	return err;
}

static int name_losses(struct namer *nm)
{
	int err = 0;

	for (unsigned i = 0; i < WALK_MAX && !err; i++)
		if (lost_names[i])
			err = namer_frame(nm, text_of(lost_names[i]), "", FRAME_LOST, &nm->lost[i]);
	return err ? err
		   : namer_frame(nm, text_of(LOST_PROGRAM), "", FRAME_LOST, &nm->lost_program);
}

/* What was inlined there, the outermost first, as far as there is room for it. */
static size_t inlined_frames(const struct namer *nm, const struct spot *s, uint32_t *out,
			     size_t room)
{
	size_t n = 0;

	for (uint32_t i = s->ninlined; i-- && n < room;)
		out[n++] = nm->inlined[s->inlined + i];
	return n;
}

/* Entries [from, to) of a stack, the outermost first. */
static size_t python_frames(const struct namer *nm, const struct raw_stack *s, size_t from,
			    size_t to, uint32_t *out)
{
	const uint64_t *entries = nm->args->raw->addresses + s->at + s->kernel + s->user;
	size_t n = 0;

	while (to-- > from) {
		uint64_t number = entries[to] & ~(WIRE_PYTHON_END | WIRE_PYTHON_CUT);

		if (number < nm->args->pythons->n || !number)
			out[n++] = nm->python_frames[number];
	}
	return n;
}

/* Which entries go where: the i-th call from inside has [from[i], to[i]). Returns how many calls there are. */
static size_t share_python(const struct namer *nm, const struct raw_stack *s, size_t *from,
			   size_t *to)
{
	size_t calls = 0;

	for (size_t k = 0; s->python && k < s->user; k++) {
		const struct spot *at = namer_spot(nm, s, k);

		calls += at && at->runs_python;
	}
	if (calls)
		pythons_share(nm->args->raw->addresses + s->at + s->kernel + s->user, s->python,
			      calls, s->walk == WALK_WHOLE, from, to);
	return calls;
}

static size_t user_frames(const struct namer *nm, const struct raw_stack *s, uint32_t *out)
{
	size_t n = 0, from[WIRE_USER_FRAMES], to[WIRE_USER_FRAMES], calls;

	if (s->program == RAW_NO_PROGRAM) {
		if (nm->lost[s->walk])
			out[n++] = nm->lost[s->walk];
		return n;
	}
	if (nm->args->programs->list[s->program].error) {
		out[n++] = nm->lost_program;
		return n;
	}
	if (nm->lost[s->walk])
		out[n++] = nm->lost[s->walk];
	calls = share_python(nm, s, from, to);
	if (!calls) /* it is somewhere below what is known of the C stack */
		n += python_frames(nm, s, 0, s->python, out + n);
	for (size_t k = s->user; k--;) {
		const struct spot *at = namer_spot(nm, s, k);

		if (!at)
			continue;
		out[n++] = at->frame;
		/* what it interprets, before what is inlined into it */
		if (at->runs_python && calls)
			n += python_frames(nm, s, from[calls - 1], to[calls - 1], out + n);
		calls -= at->runs_python && calls;
		n += inlined_frames(nm, at, out + n,
				    NAMER_FRAMES - WIRE_KERNEL_FRAMES - WIRE_PYTHON - n - k);
	}
	return n;
}

size_t namer_frames(const struct namer *nm, const struct raw_stack *s, size_t skip, uint32_t *out)
{
	const uint64_t *kernel = nm->args->raw->addresses + s->at;
	size_t n = user_frames(nm, s, out);

	for (size_t k = s->kernel; k-- > skip;)
		out[n++] = kernel_frame(nm, namer_inside(k, kernel[k]));
	return n;
}

static int make_root(struct namer *nm, const struct raw_thread *t, struct namer_root *out)
{
	uint32_t program, thread = 0, frames[2];
	size_t n = 0;
	char text[64];
	int err;

	snprintf(text, sizeof(text), "%.*s", WIRE_COMM, t->comm);
	err = stackset_thread(nm->ss, (int32_t)t->tgid, (int32_t)t->tid, text_of(text),
			      &out->thread, nm->e);
	if (!err)
		err = namer_frame(nm, text_of(text), "", FRAME_USER, &program);
	frames[n++] = err ? 0 : program;
	if (!err && nm->args->per_thread) {
		snprintf(text, sizeof(text), "%.*s/%u", WIRE_COMM, t->comm, t->tid);
		err = namer_frame(nm, text_of(text), "", FRAME_USER, &thread);
		frames[n++] = thread;
	}
	return err ? err : stackset_stack(nm->ss, frames, n, &out->stack, nm->e);
}

/* The stack in the set of one of ours, behind a root. Samples of a stack mostly have the same root. */
struct known {
	uint32_t root, stack;
	bool valid;
};

static int find_stack(struct namer *nm, const struct raw_stack *s, uint32_t root, struct known *k)
{
	uint32_t frames[NAMER_FRAMES];
	size_t n;
	int err = 0;

	if (k->valid && k->root == root)
		return 0;
	*k = (struct known){ .root = root, .stack = root, .valid = true };
	n = namer_frames(nm, s, 0, frames);
	for (size_t i = 0; i < n && !err; i++)
		if (frames[i])
			err = stackset_push(nm->ss, k->stack, frames[i], &k->stack, nm->e);
	return err;
}

static int add_samples(struct namer *nm)
{
	bool first = nm->args->events || nm->args->kind->waits; /* the weight is the first value */
	const struct rawstacks *r = nm->args->raw;
	struct namer_root *roots = mem_array(r->nthreads + 1, sizeof(*roots));
	struct known *known = mem_array(r->nstacks + 1, sizeof(*known));
	int err = 0;

	for (size_t i = 0; i < r->nthreads && !err; i++)
		err = make_root(nm, &r->threads[i], &roots[i]);
	for (size_t i = 0; i < r->nsamples && !err; i++) {
		const struct raw_sample *s = &r->samples[i];
		struct known *k = &known[s->stack];
		double weight = s->weight ? (double)s->weight : nm->args->weight;
		double weights[2] = { first ? weight : 1, first ? 1 : weight };
		struct stack_sample to = { .time_ns = s->time, .thread = roots[s->thread].thread };

		err = find_stack(nm, &r->stacks[s->stack], roots[s->thread].stack, k);
		to.stack = k->stack;
		if (!err)
			err = stackset_add(nm->ss, &to, weights, nm->e);
	}
	if (!err && nm->args->waits)
		err = namer_waits(nm, roots);
	mem_free(roots);
	mem_free(known);
	return err;
}

int profile_name(const struct naming_args *a, struct stackset *ss, struct naming_loss *loss,
		 struct err *e)
{
	struct namer nm = { .args = a,
			    .ss = ss,
			    .loss = loss,
			    .e = e,
			    .deadline_ns = clock_ns(CLOCK_MONOTONIC) +
					   (uint64_t)a->deadline_ms * 1000000u };
	int err;

	memset(loss, 0, sizeof(*loss));
	namer_collect(&nm);
	err = namer_programs(&nm);
	if (!err)
		err = name_kernel(&nm);
	if (!err)
		err = name_losses(&nm);
	if (!err)
		err = name_pythons(&nm);
	if (!err)
		err = add_samples(&nm);
	mem_free(nm.spots);
	mem_free(nm.inlined);
	mem_free(nm.python_frames);
	mem_free(nm.slots);
	mem_free(nm.kernel);
	mem_free(nm.kernel_frames);
	return err;
}
