/* SPDX-License-Identifier: Apache-2.0 */
/* Names of places in programs: functions, what is inlined into them, code that was made in memory.
 *
 *   stacks ─▶ spots: (binary, place in it), each once ─▶ one question per binary ─▶ frames
 *
 * Functions that have no name are called after their place: they can be told apart, and looked up elsewhere. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/root.h"
#include "engine/namer.h"
#include "symbols/jitdump.h"
#include "symbols/perfmap.h"
#include "symbols/python.h"

#define OF_PROGRAM \
	0x80000000u /* the owner of a spot is a program: code in memory that belongs to no file */
#define SLOTS_LEAST 4096u
#define DETAILS_MS  3000 /* for debug information of all binaries */

/* ---- spots ---- */

static uint64_t spot_hash(uint32_t owner, uint64_t place)
{
	uint64_t h = (place ^ (uint64_t)owner << 40) * 0x9e3779b97f4a7c15ull;

	return h ^ h >> 31;
}

static size_t spot_slot(const struct namer *nm, uint32_t owner, uint64_t place)
{
	size_t at = spot_hash(owner, place) & (nm->nslots - 1);

	while (nm->slots[at]) {
		const struct spot *s = &nm->spots[nm->slots[at] - 1];

		if (s->owner == owner && s->place == place)
			break;
		at = (at + 1) & (nm->nslots - 1);
	}
	return at;
}

static void rehash(struct namer *nm)
{
	mem_free(nm->slots);
	nm->slots = mem_array(nm->nslots, sizeof(*nm->slots));
	for (size_t i = 0; i < nm->n; i++)
		nm->slots[spot_slot(nm, nm->spots[i].owner, nm->spots[i].place)] = (uint32_t)i + 1;
}

static void add_spot(struct namer *nm, uint32_t owner, uint64_t place)
{
	size_t at;

	if (2 * (nm->n + 1) > nm->nslots) {
		nm->nslots = nm->nslots ? 2 * nm->nslots : SLOTS_LEAST;
		rehash(nm);
	}
	at = spot_slot(nm, owner, place);
	if (nm->slots[at])
		return;
	nm->spots = mem_grow(nm->spots, &nm->cap, nm->n + 1, sizeof(*nm->spots));
	nm->spots[nm->n++] = (struct spot){ .owner = owner, .place = place };
	nm->slots[at] = (uint32_t)nm->n;
}

/* False: the program has nothing there. */
static bool spot_of(const struct namer *nm, uint32_t program, uint64_t address, uint32_t *owner,
		    uint64_t *place)
{
	const struct program_place *at;
	uint64_t distance;

	at = programs_place(&nm->args->programs->list[program], address, &distance);
	if (!at)
		return false;
	*owner = at->file != PROGRAM_NO_FILE ? at->file : OF_PROGRAM | program;
	*place = at->file != PROGRAM_NO_FILE ? at->offset + distance : address;
	return true;
}

void namer_collect(struct namer *nm)
{
	const struct rawstacks *r = nm->args->raw;

	for (size_t i = 0; i < r->nstacks; i++) {
		const struct raw_stack *s = &r->stacks[i];
		const uint64_t *user = r->addresses + s->at + s->kernel;
		uint32_t owner;
		uint64_t place;

		for (size_t k = 0; s->program != RAW_NO_PROGRAM && k < s->user; k++)
			if (spot_of(nm, s->program, namer_inside(k, user[k]), &owner, &place))
				add_spot(nm, owner, place);
	}
}

/* ---- names of programs ---- */

static int by_owner(const void *a, const void *b)
{
	const struct spot *x = a, *y = b;

	if (x->owner != y->owner)
		return x->owner < y->owner ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

/* The function that has a frame; file and line are "" and 0 where they are not known. */
static int name_spot(struct namer *nm, struct spot *s, const struct image_symbol *y,
		     const char *module, const char *file, uint32_t line)
{
	char place[IMAGE_NAME + 32];
	struct frame_text f = { .name = text_of(y->name),
				.module = text_of(module),
				.file = text_of(file),
				.line = line,
				.kind = FRAME_USER };

	if (!y->name[0]) {
		snprintf(place, sizeof(place), "[%s+0x%" PRIx64 "]", module, y->start);
		f.name = text_of(place);
	}
	return stackset_frame(nm->ss, &f, &s->frame, nm->e);
}

static unsigned time_left(const struct namer *nm)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	return now < nm->deadline_ns ? (unsigned)((nm->deadline_ns - now) / 1000000u) : 0;
}

/* ---- debug information ---- */

struct details {
	struct namer *nm;
	struct spot *list;
	struct image_symbol *names;
	const char *module;
	int err;
};

static void keep_inlined(struct details *d, struct spot *s, const struct dwarf_step *step)
{
	struct namer *nm = d->nm;
	struct frame_text f = { .name = text_of(step->name),
				.module = text_of(d->module),
				.file = text_of(step->file),
				.line = step->line,
				.kind = FRAME_INLINED };

	if (!nm->args->inlines)
		return;
	if (!s->ninlined)
		s->inlined = (uint32_t)nm->ninlined;
	nm->inlined =
		mem_grow(nm->inlined, &nm->inlined_cap, nm->ninlined + 1, sizeof(*nm->inlined));
	d->err = stackset_frame(nm->ss, &f, &nm->inlined[nm->ninlined], nm->e);
	nm->ninlined++;
	s->ninlined++;
}

static void take_step(void *ctx, const struct dwarf_step *step)
{
	struct details *d = ctx;
	struct spot *s = &d->list[step->place];
	struct image_symbol *y = &d->names[step->place];

	if (d->err || s->frame)
		return;
	if (step->inlined) {
		keep_inlined(d, s, step);
		return;
	}
	if (!y->name[0])
		snprintf(y->name, sizeof(y->name), "%s", step->name);
	d->err = name_spot(d->nm, s, y, d->module, step->file, step->line);
}

static int find_details(struct namer *nm, const struct program_file *f, struct spot *list,
			const uint64_t *places, struct image_symbol *names, size_t n)
{
	struct details d = { .nm = nm, .list = list, .names = names, .module = f->name };
	uint64_t began = clock_ns(CLOCK_MONOTONIC), most = (uint64_t)DETAILS_MS * 1000000u;
	unsigned left = time_left(nm);
	int err = -ETIMEDOUT;

	if ((!nm->args->inlines && !nm->args->lines) || f->fd < 0)
		return 0;
	if (nm->details_ns < most && left)
		err = images_lines(&nm->args->programs->images, f->fd, places, n, nm->args->lines,
				   left < (most - nm->details_ns) / 1000000u
					   ? left
					   : (unsigned)((most - nm->details_ns) / 1000000u),
				   take_step, &d);
	nm->details_ns += clock_ns(CLOCK_MONOTONIC) - began;
	nm->loss->undetailed += err && err != -ENOENT && err != -EINVAL;
	return d.err;
}

static int name_file(struct namer *nm, struct spot *list, size_t n)
{
	const struct program_file *f = &nm->args->programs->files[list[0].owner];
	uint64_t *places = mem_array(n, sizeof(*places));
	struct image_symbol *names = mem_array(n, sizeof(*names));
	int err = -EBADF;

	for (size_t i = 0; i < n; i++)
		places[i] = names[i].start = list[i].place;
	if (f->fd >= 0)
		err = time_left(nm) ? images_names(&nm->args->programs->images, f->fd, places, n,
						   names, time_left(nm))
				    : -ETIMEDOUT;
	nm->loss->files += err != 0;
	err = find_details(nm, f, list, places, names, n);
	for (size_t i = 0; i < n; i++)
		list[i].runs_python = python_runs(names[i].name);
	for (size_t i = 0; i < n && !err; i++)
		if (!list[i].frame)
			err = name_spot(nm, &list[i], &names[i], f->name, "", 0);
	mem_free(places);
	mem_free(names);
	return err;
}

/* ---- code in memory ---- */

static bool read_all(int fd, struct buf *b)
{
	return fd >= 0 && !root_reread(fd, b, PERFMAP_BYTES);
}

/* The dump that a process has mapped, if it has. */
static void read_dump(const struct namer *nm, const struct program *g, struct perfmap *map,
		      struct buf *names)
{
	memset(map, 0, sizeof(*map));
	for (size_t i = 1; i <= g->n && !map->n; i++)
		if (g->places[i].file != PROGRAM_NO_FILE &&
		    nm->args->programs->files[g->places[i].file].dump)
			jitdump_read(nm->args->programs->files[g->places[i].file].fd, map, names);
}

/* Code that the process made: its map may have been written since it was met. */
static int name_memory(struct namer *nm, struct spot *list, size_t n)
{
	struct program *g = &nm->args->programs->list[list[0].owner & ~OF_PROGRAM];
	struct buf text = { 0 }, dumped = { 0 };
	struct perfmap map, dump;
	int err = 0;

	if (g->jit < 0)
		g->jit = images_jit(&nm->args->programs->images, (int)g->key.tgid);
	if (!read_all(g->jit, &text))
		buf_clear(&text);
	perfmap_parse(text_n(text.data, text.len), &map);
	read_dump(nm, g, &dump, &dumped);
	for (size_t i = 0; i < n && !err; i++) {
		struct text name = perfmap_find(&map, list[i].place);
		const struct program_place *at;
		char said[64];
		uint64_t distance;

		if (!text_len(name))
			name = perfmap_find(&dump, list[i].place);
		if (text_len(name)) {
			err = namer_frame(nm, name, "[jit]", FRAME_JIT, &list[i].frame);
			continue;
		}
		at = programs_place(g, list[i].place, &distance);
		snprintf(said, sizeof(said), "[%s+0x%" PRIx64 "]",
			 at && at->name[0] ? at->name : "anonymous code", distance);
		err = namer_frame(nm, text_of(said), "", FRAME_USER, &list[i].frame);
	}
	mem_free(map.list);
	mem_free(dump.list);
	buf_done(&text);
	buf_done(&dumped);
	return err;
}

int namer_programs(struct namer *nm)
{
	int err = 0;

	if (nm->n)
		qsort(nm->spots, nm->n, sizeof(*nm->spots), by_owner);
	for (size_t i = 0, k; i < nm->n && !err; i = k) {
		k = i + 1;
		while (k < nm->n && nm->spots[k].owner == nm->spots[i].owner)
			k++;
		err = nm->spots[i].owner & OF_PROGRAM ? name_memory(nm, &nm->spots[i], k - i)
						      : name_file(nm, &nm->spots[i], k - i);
	}
	if (nm->n)
		rehash(nm);
	return err;
}

const struct spot *namer_spot(const struct namer *nm, const struct raw_stack *s, size_t k)
{
	uint64_t address = nm->args->raw->addresses[s->at + s->kernel + k], place;
	uint32_t owner;
	size_t at;

	if (!spot_of(nm, s->program, namer_inside(k, address), &owner, &place))
		return NULL;
	at = spot_slot(nm, owner, place);
	return nm->slots[at] ? &nm->spots[nm->slots[at] - 1] : NULL;
}
