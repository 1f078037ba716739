/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks and samples. Each table is an array and a hash of numbers into it, which is made anew when it is two thirds full. */
#include "model/stackset.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- tables ---- */

static int no_memory(struct err *e, const char *what)
{
	return err_set(e, -ENOMEM, "no memory for more %s", what);
}

static int too_many(struct err *e, const char *what, size_t most)
{
	return err_set(e, -E2BIG, "more than %zu %s", most, what);
}

/* Make room for one more element behind n of them. */
static int room(void **p, size_t n, size_t *cap, size_t size)
{
	size_t now = n < 64 ? 64 : n + n / 2;
	void *q;

	if (n < *cap)
		return 0;
	q = mem_try_resize(*p, now, size, SIZE_MAX);
	if (!q)
		return -ENOMEM;
	*p = q;
	*cap = now;
	return 0;
}

static uint64_t mix(uint64_t x)
{
	x *= 0x9e3779b97f4a7c15ull;
	return x ^ x >> 32;
}

static uint32_t hash_text(struct text t)
{
	uint64_t h = text_len(t), word;

	for (; text_len(t) >= sizeof(word); t.p += sizeof(word)) {
		memcpy(&word, t.p, sizeof(word));
		h = mix(h ^ word);
	}
	word = 0;
	memcpy(&word, t.p, text_len(t));
	return (uint32_t)mix(h ^ word);
}

static uint32_t hash_frame(const struct stack_frame *f)
{
	uint64_t h = mix(f->name);

	h = mix(h ^ f->module);
	h = mix(h ^ f->file);
	return (uint32_t)mix(h ^ ((uint64_t)f->line << 3 | f->kind));
}

static uint32_t hash_thread(const struct stack_thread *t)
{
	return (uint32_t)mix(mix((uint64_t)(uint32_t)t->pid << 32 | (uint32_t)t->tid) ^ t->name);
}

/* Hash of the i-th element of a table. */
typedef uint32_t hash_fn(const struct stackset *ss, uint32_t i);

static uint32_t string_hash(const struct stackset *ss, uint32_t i)
{
	return ss->string_hash[i];
}

static uint32_t frame_hash(const struct stackset *ss, uint32_t i)
{
	return hash_frame(&ss->frame[i]);
}

static uint32_t thread_hash(const struct stackset *ss, uint32_t i)
{
	return hash_thread(&ss->thread[i]);
}

/* Slots for n elements and one more: twice as many when two thirds are taken. */
static int more_slots(const struct stackset *ss, uint32_t **slot, size_t *slots, size_t n,
		      hash_fn *hash)
{
	size_t now = *slots ? *slots * 2 : 256;
	uint32_t *fresh;

	if (*slots && (n + 1) * 3 <= *slots * 2)
		return 0;
	fresh = mem_try(now * sizeof(*fresh), SIZE_MAX);
	if (!fresh)
		return -ENOMEM;
	for (uint32_t i = 1; i <= n; i++) {
		size_t at = hash(ss, i) & (now - 1);

		while (fresh[at])
			at = (at + 1) & (now - 1);
		fresh[at] = i;
	}
	mem_free(*slot);
	*slot = fresh;
	*slots = now;
	return 0;
}

/* ---- life ---- */

struct stackset *stackset_new(void)
{
	struct stackset *ss = mem_alloc(sizeof(*ss));

	if (prefix_init(&ss->stacks))
		abort(); /* a few KiB of our own: like mem_alloc() */
	return ss;
}

void stackset_free(struct stackset *ss)
{
	if (!ss)
		return;
	prefix_done(&ss->stacks);
	mem_free(ss->text);
	mem_free(ss->string);
	mem_free(ss->string_hash);
	mem_free(ss->string_frame);
	mem_free(ss->string_slot);
	mem_free(ss->frame);
	mem_free(ss->frame_slot);
	mem_free(ss->thread);
	mem_free(ss->thread_slot);
	mem_free(ss->sample);
	mem_free(ss->weight);
	mem_free(ss);
}

/* ---- strings ---- */

static int string_room(struct stackset *ss, size_t bytes)
{
	size_t cap = ss->strings_cap, want = ss->text_len + bytes;
	int err = 0;

	if (want > ss->text_cap) {
		size_t now = want < 4096 ? 4096 : want + want / 2;
		void *q = mem_try_resize(ss->text, now, 1, SIZE_MAX);

		if (!q)
			return -ENOMEM;
		ss->text = q;
		ss->text_cap = now;
	}
	/* three arrays of one length: the length counts as grown when all are */
	err = room((void **)&ss->string, ss->nstrings + 1, &cap, sizeof(*ss->string));
	if (!err && cap != ss->strings_cap) {
		size_t hash_cap = ss->strings_cap, frame_cap = hash_cap;

		err = room((void **)&ss->string_hash, ss->nstrings + 1, &hash_cap,
			   sizeof(*ss->string_hash));
		if (!err)
			err = room((void **)&ss->string_frame, ss->nstrings + 1, &frame_cap,
				   sizeof(*ss->string_frame));
		if (!err)
			ss->strings_cap = cap;
	}
	return err ? err
		   : more_slots(ss, &ss->string_slot, &ss->string_slots, ss->nstrings, string_hash);
}

/* Where it is in the hash, or where it belongs. */
static size_t string_find(const struct stackset *ss, struct text t, uint32_t hash)
{
	size_t at = hash & (ss->string_slots - 1);

	for (; ss->string_slot[at]; at = (at + 1) & (ss->string_slots - 1)) {
		uint32_t id = ss->string_slot[at];
		const char *s = ss->text + ss->string[id];

		/* a text holds no NUL, so one at the same place means the same length */
		if (ss->string_hash[id] == hash && !strncmp(s, t.p, text_len(t)) && !s[text_len(t)])
			break;
	}
	return at;
}

int stackset_string(struct stackset *ss, struct text t, uint32_t *id, struct err *e)
{
	const char *nul = text_len(t) ? memchr(t.p, '\0', text_len(t)) : NULL;
	size_t at = 0, n;
	uint32_t hash;

	if (nul)
		t.end = nul;
	n = text_len(t);
	*id = 0;
	if (!n)
		return 0;
	hash = hash_text(t);
	if (ss->string_slots) {
		at = string_find(ss, t, hash);
		*id = ss->string_slot[at];
		if (*id)
			return 0;
	}
	if (n > STACKSET_NAME)
		return err_set(e, -E2BIG, "a name of %zu bytes (%d at most)", n, STACKSET_NAME);
	if (ss->text_len + n + 1 > STACKSET_STRINGS)
		return too_many(e, "bytes of names", STACKSET_STRINGS);
	if (string_room(ss, n + 1))
		return no_memory(e, "names");
	at = string_find(ss, t, hash);
	*id = (uint32_t)++ss->nstrings;
	memcpy(ss->text + ss->text_len, t.p, n);
	ss->text[ss->text_len + n] = '\0';
	ss->string[*id] = (uint32_t)ss->text_len;
	ss->string_hash[*id] = hash;
	ss->string_frame[*id] = 0;
	ss->text_len += n + 1;
	ss->string_slot[at] = *id;
	return 0;
}

const char *stackset_text(const struct stackset *ss, uint32_t id)
{
	return id && id <= ss->nstrings ? ss->text + ss->string[id] : "";
}

/* ---- frames and stacks ---- */

static bool same_frame(const struct stack_frame *a, const struct stack_frame *b)
{
	return a->name == b->name && a->module == b->module && a->file == b->file &&
	       a->line == b->line && a->kind == b->kind;
}

static int add_frame(struct stackset *ss, const struct stack_frame *f, uint32_t *id, struct err *e)
{
	uint32_t hash = hash_frame(f);
	size_t at;

	if (room((void **)&ss->frame, ss->nframes + 1, &ss->frames_cap, sizeof(*ss->frame)) ||
	    more_slots(ss, &ss->frame_slot, &ss->frame_slots, ss->nframes, frame_hash))
		return no_memory(e, "functions");
	at = hash & (ss->frame_slots - 1);
	for (; ss->frame_slot[at]; at = (at + 1) & (ss->frame_slots - 1)) {
		*id = ss->frame_slot[at];
		if (same_frame(&ss->frame[*id], f))
			return 0;
	}
	if (ss->nframes >= STACKSET_FRAMES)
		return too_many(e, "functions", STACKSET_FRAMES);
	*id = (uint32_t)++ss->nframes;
	ss->frame[*id] = *f;
	ss->frame_slot[at] = *id;
	return 0;
}

int stackset_frame(struct stackset *ss, const struct frame_text *t, uint32_t *id, struct err *e)
{
	struct stack_frame f = { .line = t->line, .kind = t->kind };
	uint32_t last;
	int err;

	if ((unsigned)t->kind >= FRAME_KINDS)
		return err_set(e, -EINVAL, "there is no kind of frame %u", (unsigned)t->kind);
	err = stackset_string(ss, t->name, &f.name, e);
	if (!err && !f.name)
		err = stackset_string(ss, text_of("[unknown]"), &f.name, e);
	if (!err)
		err = stackset_string(ss, t->module, &f.module, e);
	if (!err)
		err = stackset_string(ss, t->file, &f.file, e);
	if (err)
		return err;
	last = ss->string_frame[f.name];
	if (last && same_frame(&ss->frame[last], &f)) {
		*id = last;
		return 0;
	}
	err = add_frame(ss, &f, id, e);
	if (!err)
		ss->string_frame[f.name] = *id;
	return err;
}

int stackset_push(struct stackset *ss, uint32_t stack, uint32_t frame, uint32_t *id, struct err *e)
{
	int err;

	if (stack >= ss->stacks.n || !frame || frame > ss->nframes)
		return err_set(e, -EINVAL, "there is no stack %u or no frame %u", stack, frame);
	err = prefix_child(&ss->stacks, stack, frame, id);
	if (err == -E2BIG)
		return ss->stacks.depth[stack] >= STACKSET_DEPTH
			       ? err_set(e, err, "a stack of more than %d frames", STACKSET_DEPTH)
			       : too_many(e, "different stacks", PREFIX_NODES_MAX);
	return err ? no_memory(e, "stacks") : 0;
}

int stackset_stack(struct stackset *ss, const uint32_t *frames, size_t n, uint32_t *id,
		   struct err *e)
{
	int err = 0;

	if (n > STACKSET_DEPTH)
		return err_set(e, -E2BIG, "a stack of %zu frames (%d at most)", n, STACKSET_DEPTH);
	*id = 0;
	for (size_t i = 0; i < n && !err; i++)
		err = stackset_push(ss, *id, frames[i], id, e);
	return err;
}

size_t stackset_frames(const struct stackset *ss, uint32_t stack, uint32_t *out, size_t max)
{
	size_t n = 0;

	if (stack >= ss->stacks.n)
		return 0;
	for (; stack; stack = ss->stacks.node[stack].parent, n++)
		if (n < max)
			out[n] = ss->stacks.node[stack].key;
	return n;
}

int stackset_thread(struct stackset *ss, int32_t pid, int32_t tid, struct text name, uint32_t *id,
		    struct err *e)
{
	struct stack_thread t = { .pid = pid, .tid = tid };
	int err = stackset_string(ss, name, &t.name, e);
	size_t at;

	if (err)
		return err;
	if (room((void **)&ss->thread, ss->nthreads + 1, &ss->threads_cap, sizeof(*ss->thread)) ||
	    more_slots(ss, &ss->thread_slot, &ss->thread_slots, ss->nthreads, thread_hash))
		return no_memory(e, "threads");
	at = hash_thread(&t) & (ss->thread_slots - 1);
	for (; ss->thread_slot[at]; at = (at + 1) & (ss->thread_slots - 1)) {
		const struct stack_thread *x = &ss->thread[ss->thread_slot[at]];

		if (x->pid == pid && x->tid == tid && x->name == t.name) {
			*id = ss->thread_slot[at];
			return 0;
		}
	}
	if (ss->nthreads >= STACKSET_THREADS)
		return too_many(e, "threads", STACKSET_THREADS);
	*id = (uint32_t)++ss->nthreads;
	ss->thread[*id] = t;
	ss->thread_slot[at] = *id;
	return 0;
}

/* ---- samples ---- */

int stackset_value(struct stackset *ss, const char *name, const char *unit, struct err *e)
{
	struct stack_value v;
	int err;

	if (ss->nsamples)
		return err_set(e, -EBUSY, "there are samples that are not weighed in %s", name);
	if (ss->nvalues >= STACKSET_VALUES)
		return err_set(e, -E2BIG, "samples are weighed in at most %d units",
			       STACKSET_VALUES);
	err = stackset_string(ss, text_of(name), &v.name, e);
	if (!err)
		err = stackset_string(ss, text_of(unit), &v.unit, e);
	if (err)
		return err;
	ss->value[ss->nvalues] = v;
	return (int)ss->nvalues++;
}

static int sample_room(struct stackset *ss, struct err *e)
{
	size_t cap = ss->samples_cap, weights = ss->samples_cap;

	if (ss->nsamples >= STACKSET_SAMPLES)
		return too_many(e, "samples", STACKSET_SAMPLES);
	if (room((void **)&ss->sample, ss->nsamples, &cap, sizeof(*ss->sample)) ||
	    room((void **)&ss->weight, ss->nsamples, &weights, ss->nvalues * sizeof(*ss->weight)))
		return no_memory(e, "samples");
	ss->samples_cap = cap;
	return 0;
}

int stackset_add(struct stackset *ss, const struct stack_sample *s, const double *weights,
		 struct err *e)
{
	int err;

	if (!ss->nvalues)
		return err_set(e, -EINVAL, "nobody has said what samples are weighed in");
	if (s->stack >= ss->stacks.n || s->thread > ss->nthreads || s->cause > ss->nstrings)
		return err_set(e, -EINVAL, "a sample of a stack or a thread that is not there");
	for (size_t v = 0; v < ss->nvalues; v++)
		if (!(weights[v] >= 0 && weights[v] <= STACKSET_WEIGHT))
			return err_set(e, -EINVAL, "a sample that weighs %g", weights[v]);
	err = sample_room(ss, e);
	if (err)
		return err;
	ss->sample[ss->nsamples] = *s;
	memcpy(ss->weight + ss->nsamples * ss->nvalues, weights, ss->nvalues * sizeof(*weights));
	ss->nsamples++;
	return 0;
}

void stackset_lose(struct stackset *ss, const char *what, double count)
{
	uint32_t id = 0;
	size_t i = 0;

	if (!(count > 0) || !isfinite(count))
		return;
	stackset_string(ss, text_of(what), &id, NULL);
	while (i < ss->nlosses && ss->loss[i].what != id)
		i++;
	if (i == STACKSET_LOSSES)
		i--;
	else if (i == ss->nlosses)
		ss->loss[ss->nlosses++] = (struct stack_loss){ .what = id };
	ss->loss[i].count += count;
}

double stackset_lost(const struct stackset *ss)
{
	double sum = 0;

	for (size_t i = 0; i < ss->nlosses; i++)
		sum += ss->loss[i].count;
	return sum;
}

double *stackset_weights(const struct stackset *ss, size_t value, uint64_t from_ns, uint64_t to_ns)
{
	double *w = mem_try(ss->stacks.n * sizeof(*w), SIZE_MAX);

	if (!w || value >= ss->nvalues)
		return w;
	for (size_t i = 0; i < ss->nsamples; i++) {
		const struct stack_sample *s = &ss->sample[i];

		if (from_ns < to_ns &&
		    (s->time_ns == STACK_NO_TIME || s->time_ns < from_ns || s->time_ns >= to_ns))
			continue;
		w[s->stack] += ss->weight[i * ss->nvalues + value];
	}
	return w;
}

double stackset_total(const struct stackset *ss, size_t value)
{
	double sum = 0;

	for (size_t i = 0; value < ss->nvalues && i < ss->nsamples; i++)
		sum += ss->weight[i * ss->nvalues + value];
	return sum;
}
