/* SPDX-License-Identifier: Apache-2.0 */
/* Watching time off the CPU: who waits when the window begins, what ends in it, who waits when it ends. */
#include "engine/waiting.h"

#include <string.h>

#include "collectors/bpf_engine.h"
#include "model/stackset.h"
#include "symbols/kallsyms.h"

#define SLEEPERS_MS 3000

/* ---- where interrupts come in ---- */

/* From the first entry of a device or a timer to the end of them; entries of exceptions, which a thread makes itself, stand
 * before those on x86, and elsewhere. */
void waiting_args(struct bpf_waits_args *out, const struct profile_kind *k, const struct root *root)
{
	static const char *const names[] = { "asm_common_interrupt", "__irqentry_text_start",
					     "__irqentry_text_end" };
	uint64_t at[3] = { 0 }, from;

	out->running = k->running;
	out->wakers = k->wakers;
	if (!k->wakers || kallsyms_find(root, names, 3, at))
		return;
	from = at[0] > at[1] && at[0] < at[2] ? at[0] : at[1];
	if (from && at[2] > from) {
		out->irq_from = from;
		out->irq_size = at[2] - from;
	}
}

/* ---- the beginning ---- */

static void take_sleeper(void *ctx, const struct wire_profile *s, const uint64_t *ip,
			 const uint8_t *copy)
{
	struct waiting *w = ctx;

	waits_sleeper(&w->waits, s, w->stack(w->ctx, s, ip, copy), w->closing);
	w->sleepers++;
}

static void read_sleepers(struct waiting *w)
{
	struct err e = { 0 };

	if (bpf_waits_sleepers(w->engine, SLEEPERS_MS, take_sleeper, w, &e))
		w->cut = true;
}

static void ignore(void *ctx, const struct wire_asleep *a)
{
	(void)ctx;
	(void)a;
}

int waiting_open(struct waiting *w, struct bpf_engine *b,
		 uint32_t (*stack)(void *ctx, const struct wire_profile *s, const uint64_t *ip,
				   const uint8_t *copy),
		 void *ctx, struct err *e)
{
	int err = bpf_waits_window(b, WIRE_NOT_YET, UINT64_MAX);

	w->engine = b;
	w->stack = stack;
	w->ctx = ctx;
	if (err)
		return err_errno(e, err, "cannot tell the programs what counts");
	err = bpf_waits_sweep(b, ignore, NULL, e);
	if (err)
		return err;
	/* this takes as long as it takes to look at what they run; whoever has slept again meanwhile is read the second time */
	read_sleepers(w);
	bpf_waits_window(b, WIRE_NEARLY, UINT64_MAX);
	read_sleepers(w);
	return 0;
}

void waiting_begin(struct waiting *w, uint64_t from)
{
	bpf_waits_window(w->engine, from, UINT64_MAX);
}

/* ---- the end ---- */

static void keep_open(void *ctx, const struct wire_asleep *a)
{
	struct waiting *w = ctx;

	buf_add(&w->open, (const char *)a, sizeof(*a));
}

void waiting_end(struct waiting *w, uint64_t from, uint64_t until)
{
	struct err e = { 0 };

	w->bounds.from = from;
	w->bounds.until = until;
	w->closing = true;
	bpf_waits_window(w->engine, from, until);
	if (bpf_waits_sweep(w->engine, keep_open, w, &e))
		w->unswept++;
	read_sleepers(w);
}

struct taker {
	struct waits *waits;
	struct rawstacks *raw;
};

static void take_wait(void *ctx, const struct wire_wait_key *key, const struct wire_wait *v)
{
	const struct taker *t = ctx;

	waits_take(t->waits, t->raw, key, v);
}

static void take_open(struct waiting *w, struct rawstacks *r)
{
	struct wire_asleep a;

	for (size_t at = 0; at + sizeof(a) <= w->open.len; at += sizeof(a)) {
		memcpy(&a, w->open.data + at, sizeof(a));
		waits_take_open(&w->waits, r, &a, &w->bounds);
	}
}

static void count_lost(struct waiting *w, const struct wire_counts *before,
		       struct waiting_result *out)
{
	struct wire_counts now;

	if (bpf_engine_counts(w->engine, &now))
		return;
	out->lost_stacks = now.loss[LOSS_WAIT_STACKS] - before->loss[LOSS_WAIT_STACKS];
	out->lost_waits = now.loss[LOSS_WAITS] - before->loss[LOSS_WAITS];
	out->lost_seconds = (double)(now.loss_ns[LOSS_WAITS] - before->loss_ns[LOSS_WAITS]) * 1e-9;
}

void waiting_finish(struct waiting *w, struct rawstacks *r, const struct wire_counts *before,
		    struct waiting_result *out)
{
	struct taker t = { &w->waits, r };
	struct wire_choice c;

	take_open(w, r);
	for (size_t i = 0; i < w->waits.n; i++)
		out->seconds += (double)w->waits.list[i].ns * 1e-9;
	if (bpf_waits_walk(w->engine, take_wait, &t))
		w->unswept++;
	for (size_t i = 0; i < w->waits.n; i++)
		out->shown += (double)w->waits.list[i].ns * 1e-9;
	out->imputed = (double)waits_impute(&w->waits, r) * 1e-9;
	if (w->running)
		waits_weigh(&w->waits, r);
	out->open = w->waits.open;
	out->asleep = w->waits.asleep;
	out->sleepers = w->sleepers;
	count_lost(w, before, out);
	if (bpf_waits_choice(w->engine, &c)) {
		w->unswept++;
		return;
	}
	out->waits = c.waits;
	out->chosen = c.chosen;
	out->filtered = c.filtered;
	out->one_in = 1u << c.pace[0].most;
	out->one_in_long = 1u << c.pace[1].most;
	for (unsigned i = 0; i < PART_SLOTS; i++)
		out->seconds += (double)c.ns[i] * 1e-9;
}

void waiting_lose(const struct waiting *w, const struct waiting_result *r, struct stackset *ss)
{
	if (r->lost_waits)
		stackset_lose(ss, "waits that found no room: more than 65536 different ones",
			      (double)r->lost_waits);
	if (r->lost_stacks)
		stackset_lose(ss,
			      "stacks of waits that found no room: more than 65536 different ones",
			      (double)r->lost_stacks);
	if (r->asleep)
		stackset_lose(ss,
			      "waits that began before the profile, with a stack that was not read",
			      (double)r->asleep);
	if (w->cut)
		stackset_lose(ss, "looks at sleeping threads that did not end in time", 1);
	if (w->unswept)
		stackset_lose(ss, "looks at waits that failed", (double)w->unswept);
}

void waiting_done(struct waiting *w)
{
	waits_done(&w->waits);
	buf_done(&w->open);
}
