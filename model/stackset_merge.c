/* SPDX-License-Identifier: Apache-2.0 */
/* Two sets of stacks in one: what has a number there gets one here, once. */
#include "model/stackset.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

/* Numbers of the other set by ours, 0 where not asked for yet. Stacks: plus one. */
struct map {
	struct stackset *into;
	const struct stackset *from;
	uint32_t *frame, *stack, *thread;
};

static int map_string(const struct map *m, uint32_t theirs, uint32_t *ours, struct err *e)
{
	return stackset_string(m->into, text_of(stackset_text(m->from, theirs)), ours, e);
}

static int map_frame(struct map *m, uint32_t theirs, uint32_t *ours, struct err *e)
{
	const struct stack_frame *f = &m->from->frame[theirs];
	struct frame_text t = { .name = text_of(stackset_text(m->from, f->name)),
				.module = text_of(stackset_text(m->from, f->module)),
				.file = text_of(stackset_text(m->from, f->file)),
				.line = f->line,
				.kind = f->kind };
	int err = 0;

	if (!m->frame[theirs])
		err = stackset_frame(m->into, &t, &m->frame[theirs], e);
	*ours = m->frame[theirs];
	return err;
}

/* Callers have lower numbers than what they call. */
static int map_stacks(struct map *m, struct err *e)
{
	const struct prefix *p = &m->from->stacks;

	for (size_t i = 1; i < p->n; i++) {
		uint32_t frame;
		int err = map_frame(m, p->node[i].key, &frame, e);

		if (!err)
			err = stackset_push(m->into, m->stack[p->node[i].parent], frame,
					    &m->stack[i], e);
		if (err)
			return err;
	}
	return 0;
}

static int map_threads(struct map *m, struct err *e)
{
	for (size_t i = 1; i <= m->from->nthreads; i++) {
		const struct stack_thread *t = &m->from->thread[i];
		int err = stackset_thread(m->into, t->pid, t->tid,
					  text_of(stackset_text(m->from, t->name)), &m->thread[i],
					  e);

		if (err)
			return err;
	}
	return 0;
}

static uint64_t shifted(uint64_t time_ns, int64_t shift_ns)
{
	if (time_ns == STACK_NO_TIME)
		return time_ns;
	if (shift_ns < 0 && time_ns < -(uint64_t)shift_ns)
		return 0;
	return time_ns + (uint64_t)shift_ns;
}

static int add_samples(struct map *m, int64_t shift_ns, struct err *e)
{
	const struct stackset *from = m->from;

	for (size_t i = 0; i < from->nsamples; i++) {
		struct stack_sample s = from->sample[i];
		int err = map_string(m, s.cause, &s.cause, e);

		s.time_ns = shifted(s.time_ns, shift_ns);
		s.stack = m->stack[s.stack];
		s.thread = m->thread[s.thread];
		if (!err)
			err = stackset_add(m->into, &s, from->weight + i * from->nvalues, e);
		if (err)
			return err;
	}
	return 0;
}

/* A set that is weighed in nothing yet takes over what the other is weighed in. */
static int same_values(struct stackset *into, const struct stackset *from, struct err *e)
{
	bool same = into->nvalues == from->nvalues;

	for (size_t v = 0; !into->nsamples && !into->nvalues && v < from->nvalues; v++) {
		int err = stackset_value(into, stackset_text(from, from->value[v].name),
					 stackset_text(from, from->value[v].unit), e);

		if (err < 0)
			return err;
		same = v + 1 == from->nvalues;
	}
	for (size_t v = 0; same && v < from->nvalues; v++)
		same = !strcmp(stackset_text(into, into->value[v].name),
			       stackset_text(from, from->value[v].name)) &&
		       !strcmp(stackset_text(into, into->value[v].unit),
			       stackset_text(from, from->value[v].unit));
	return same ? 0
		    : err_set(e, -EINVAL, "one is weighed in %s, the other in %s",
			      stackset_text(into, into->value[0].name),
			      stackset_text(from, from->value[0].name));
}

int stackset_merge(struct stackset *into, const struct stackset *from, int64_t shift_ns,
		   struct err *e)
{
	struct map m = { .into = into, .from = from };
	int err;

	if (into == from)
		return err_set(e, -EINVAL, "stacks cannot be added to themselves");
	err = same_values(into, from, e);
	if (err)
		return err;
	m.frame = mem_try((from->nframes + 1) * sizeof(*m.frame), SIZE_MAX);
	m.stack = mem_try(from->stacks.n * sizeof(*m.stack), SIZE_MAX);
	m.thread = mem_try((from->nthreads + 1) * sizeof(*m.thread), SIZE_MAX);
	err = m.frame && m.stack && m.thread ? 0 : err_set(e, -ENOMEM, "no memory for more stacks");
	if (!err)
		err = map_stacks(&m, e);
	if (!err)
		err = map_threads(&m, e);
	if (!err)
		err = add_samples(&m, shift_ns, e);
	for (size_t i = 0; !err && i < from->nlosses; i++)
		stackset_lose(into, stackset_text(from, from->loss[i].what), from->loss[i].count);
	mem_free(m.frame);
	mem_free(m.stack);
	mem_free(m.thread);
	return err;
}
