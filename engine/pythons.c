/* SPDX-License-Identifier: Apache-2.0 */
/* Names of interpreted functions, and their places among frames of C:
 *
 *   C, from inside     eval ………… eval … main             calls of the C function that interprets
 *   Python             f  g| h  i  j|                    entries; | ends what one call runs
 *
 * The two lists are read one after the other, and a call that has just begun, or is about to end, has no entry of its own. Both have
 * the same outermost end, so they are laid side by side from there, unless one of the two was cut. */
#include "engine/pythons.h"

#include <string.h>

#include "base/mem.h"
#include "symbols/python.h"

#define SLOTS_LEAST 256u
#define MARKS       (WIRE_PYTHON_END | WIRE_PYTHON_CUT)
#define TEXT_MOST   1024

static uint64_t hash_of(const struct wire_program_key *k, uint64_t code)
{
	uint64_t h = (code ^ k->start ^ (uint64_t)k->tgid << 40 ^ k->exec) * 0x9e3779b97f4a7c15ull;

	return h ^ h >> 29;
}

static bool is_place(const struct python_place *s, const struct wire_program_key *k, uint64_t code)
{
	return s->code == code && s->key.tgid == k->tgid && s->key.exec == k->exec &&
	       s->key.start == k->start;
}

static struct python_place *find(const struct pythons *p, const struct wire_program_key *key,
				 uint64_t code)
{
	size_t at = hash_of(key, code) & (p->nslots - 1);

	while (p->slots[at].function && !is_place(&p->slots[at], key, code))
		at = (at + 1) & (p->nslots - 1);
	return &p->slots[at];
}

static void grow(struct pythons *p)
{
	struct python_place *old = p->slots;
	size_t n = p->nslots;

	if (2 * (p->used + 1) <= p->nslots)
		return;
	p->nslots = n ? 2 * n : SLOTS_LEAST;
	p->slots = mem_array(p->nslots, sizeof(*p->slots));
	for (size_t i = 0; i < n; i++)
		if (old[i].function)
			*find(p, &old[i].key, old[i].code) = old[i];
	mem_free(old);
}

static char *copy(const char *bytes, size_t n, size_t most, unsigned wide)
{
	char text[TEXT_MOST];

	return mem_dup(python_text(text, sizeof(text), bytes, n < most ? n : most, wide));
}

void pythons_learn(struct pythons *p, const struct wire_program_key *key,
		   const struct wire_python_code *c)
{
	struct python_place *s;
	struct python_function *f;

	grow(p);
	s = find(p, key, c->code);
	p->used += !s->function;
	if (!p->n)
		p->n = 1;
	p->list = mem_grow(p->list, &p->cap, p->n + 1, sizeof(*p->list));
	f = &p->list[p->n];
	f->name = copy(c->name, c->name_bytes, sizeof(c->name), c->name_wide);
	f->file = copy(c->file, c->file_bytes, sizeof(c->file), c->file_wide);
	f->line = c->line;
	*s = (struct python_place){ .key = *key, .code = c->code, .function = (uint32_t)p->n++ };
}

void pythons_number(const struct pythons *p, const struct wire_program_key *key, uint64_t *entries,
		    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t code = entries[i] & ~MARKS, number = 0;

		if (code && p->nslots)
			number = find(p, key, code)->function;
		/* what has no name is a function all the same; what is none is all bits */
		entries[i] = (entries[i] & MARKS) | (code ? number : ~MARKS);
	}
}

void pythons_done(struct pythons *p)
{
	for (size_t i = 1; i < p->n; i++) {
		mem_free(p->list[i].name);
		mem_free(p->list[i].file);
	}
	mem_free(p->list);
	mem_free(p->slots);
	memset(p, 0, sizeof(*p));
}

/* ---- side by side ---- */

/* The end of what begins at entry i. */
static size_t end_of(const uint64_t *entries, size_t n, size_t i)
{
	while (i < n && !(entries[i] & WIRE_PYTHON_END))
		i++;
	return i < n ? i + 1 : n;
}

void pythons_share(const uint64_t *entries, size_t n, size_t calls, bool whole, size_t *from,
		   size_t *to)
{
	bool cut = n && (entries[n - 1] & WIRE_PYTHON_CUT);
	size_t shares = 0, call = 0, at = 0;

	for (size_t i = 0; i < calls; i++)
		from[i] = to[i] = 0;
	if (!calls)
		return;
	for (size_t i = 0; i < n; i = end_of(entries, n, i))
		shares++;
	if (whole && !cut && calls > shares)
		call = calls - shares; /* the innermost have none yet */
	while (at < n && call < calls) {
		size_t more = end_of(entries, n, at);

		/* more than there are calls: the innermost has what is too much */
		for (; whole && !cut && !call && shares > calls && more < n; shares--)
			more = end_of(entries, n, more);
		from[call] = at;
		to[call++] = at = more;
	}
}
