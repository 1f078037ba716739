/* SPDX-License-Identifier: Apache-2.0 */
/* Processes, their mappings, and binaries.
 *
 *   key of a sample ─▶ program ─▶ mappings ─▶ files ─▶ rules, once for all processes ─▶ kernel */
#include "engine/programs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "collectors/bpf_profile.h"
#include "symbols/jitdump.h"
#include "symbols/python.h"

#define RULES_BYTES (96u << 20) /* in the kernel, of all binaries: 300 of a server have 30 MB */
#define FILES_OPEN  16384u
/* Between two looks at a process whose code is not where it was. Programs map their libraries one by one when they begin. */
#define AGAIN_NS 2000000u
/* After so many looks without a change, that is no matter of mappings. */
#define SETTLED    64u
#define SETTLED_NS 64000000u
#define VDSO_BYTES 8192u /* of it that hold code and symbols, at least */

/* ---- opening and closing ---- */

/* Each binary is held open; most systems allow 1,024 unless asked. */
static void allow_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur >= FILES_OPEN)
		return;
	r.rlim_cur = r.rlim_max < FILES_OPEN ? r.rlim_max : FILES_OPEN;
	setrlimit(RLIMIT_NOFILE, &r);
}

int programs_open(struct programs *p, struct err *e)
{
	memset(p, 0, sizeof(*p));
	allow_files();
	p->tables = mem_grow(p->tables, &p->tables_cap, 1, sizeof(*p->tables));
	p->ntables = 1; /* the first is none */
	return images_open(&p->images, e);
}

void programs_close(struct programs *p)
{
	for (size_t i = 0; i < p->n; i++) {
		mem_free(p->list[i].mappings);
		mem_free(p->list[i].places);
		if (p->list[i].jit >= 0)
			close(p->list[i].jit);
	}
	for (size_t i = 0; i < p->nfiles; i++) {
		mem_free(p->files[i].rules);
		if (p->files[i].fd >= 0)
			close(p->files[i].fd);
	}
	mem_free(p->list);
	mem_free(p->slots);
	mem_free(p->files);
	mem_free(p->tables);
	images_close(&p->images);
	memset(p, 0, sizeof(*p));
}

/* ---- files ---- */

/* Its rules get a table in the kernel, while there is room. */
static void give_table(struct programs *p, struct program_file *f)
{
	uint64_t bytes = (uint64_t)f->head.nblocks * sizeof(*f->rules);
	uint32_t table = (uint32_t)p->ntables;

	if (!f->head.nblocks)
		return;
	if (table >= WIRE_TABLES || p->rule_bytes + bytes > RULES_BYTES ||
	    (p->profile && bpf_profile_rules(p->profile, table, f->rules, f->head.nblocks))) {
		p->loss.refused++;
		return;
	}
	p->tables = mem_grow(p->tables, &p->tables_cap, p->ntables + 1, sizeof(*p->tables));
	p->tables[p->ntables++] = (struct walk_rules){ f->rules, f->head.nblocks };
	p->rule_bytes += bytes;
	f->table = table;
}

static uint32_t find_file(const struct programs *p, const struct image_mapping *m)
{
	for (size_t i = 0; i < p->nfiles; i++)
		if (p->files[i].inode == m->inode && p->files[i].device == m->device)
			return (uint32_t)i;
	return PROGRAM_NO_FILE;
}

static struct program_file *new_file(struct programs *p)
{
	struct program_file *f;

	p->files = mem_grow(p->files, &p->files_cap, p->nfiles + 1, sizeof(*p->files));
	f = &p->files[p->nfiles++];
	memset(f, 0, sizeof(*f));
	f->fd = -1;
	return f;
}

/* A process may end between two questions: its files are asked for again with the next one that has them. */
static uint32_t take_file(struct programs *p, int pid, const struct image_mapping *m)
{
	uint32_t found = find_file(p, m);
	struct program_file *f = found != PROGRAM_NO_FILE ? &p->files[found] : new_file(p);

	if (f->fd >= 0)
		return found;
	f->device = m->device;
	f->inode = m->inode;
	snprintf(f->name, sizeof(f->name), "%.*s", IMAGE_NAME - 1, m->name);
	if (!images_file(&p->images, pid, m, &f->head, &f->rules, &f->fd))
		give_table(p, f);
	f->dump = f->fd >= 0 && jitdump_is(f->name) && !images_owned(&p->images, pid, f->fd);
	if (f->dump)
		f->head.error = 0; /* it is no program, and needs not be one */
	f->python = python_version(f->name);
	if (f->python &&
	    (f->fd < 0 || images_symbol(&p->images, f->fd, PYTHON_RUNTIME, &f->python_runtime)))
		f->python = 0;
	return (uint32_t)(f - p->files);
}

/* The vdso is no file, but the same in all processes: a copy of ours stands for it. */
static uint32_t take_vdso(struct programs *p, const struct image_mapping *m)
{
	const void *ours = (const void *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);
	struct image_mapping key = { .device = UINT64_MAX };
	uint32_t found = find_file(p, &key);
	struct program_file *f;
	size_t size = (size_t)(m->end - m->start);

	if (found != PROGRAM_NO_FILE)
		return found;
	f = new_file(p);
	f->device = UINT64_MAX;
	snprintf(f->name, sizeof(f->name), "[vdso]");
	images_vdso(&f->head, &f->rules);
	if (ours && f->head.nsegments && size >= VDSO_BYTES / 2 && size <= (1u << 20)) {
		f->fd = memfd_create("vdso", MFD_CLOEXEC);
		if (f->fd >= 0 && write(f->fd, ours, size) != (ssize_t)size) {
			close(f->fd);
			f->fd = -1;
		}
	}
	give_table(p, f);
	return (uint32_t)(p->nfiles - 1);
}

uint64_t programs_unread(const struct programs *p)
{
	uint64_t n = 0;

	for (size_t i = 0; i < p->nfiles; i++)
		n += p->files[i].fd < 0 || p->files[i].head.error;
	return n;
}

/* ---- mappings ---- */

/* The address that the file gives to the byte at its offset, or UINT64_MAX. */
static uint64_t file_address(const struct image_file *f, uint64_t offset)
{
	for (size_t i = 0; i < f->nsegments; i++) {
		const struct unwind_segment *s = &f->segments[i];
		/* a mapping begins with the page that the segment begins in */
		uint64_t from = s->offset & ~4095ull;

		if (offset >= from &&
		    offset - s->offset + (s->offset - from) < s->size + (s->offset - from))
			return s->address + (offset - s->offset);
	}
	return UINT64_MAX;
}

static void take_mapping(struct programs *p, struct program *g, const struct image_mapping *m)
{
	struct wire_mapping *w = &g->mappings[g->n + 1];
	struct program_place *place = &g->places[g->n + 1];
	const struct program_file *f;
	uint64_t address;

	*w = (struct wire_mapping){ .start = m->start, .end = m->end };
	*place = (struct program_place){ .file = PROGRAM_NO_FILE, .offset = m->offset };
	snprintf(place->name, sizeof(place->name), "%.*s", (int)sizeof(place->name) - 1, m->name);
	g->n++;
	if (m->inode)
		place->file = take_file(p, (int)g->key.tgid, m);
	else if (!strcmp(m->name, "[vdso]"))
		place->file = take_vdso(p, m);
	if (place->file == PROGRAM_NO_FILE)
		return;
	f = &p->files[place->file];
	g->incomplete = g->incomplete || f->fd < 0;
	address = file_address(&f->head, m->offset);
	if (f->python && address != UINT64_MAX)
		python_layout(f->python, m->start - address + f->python_runtime, &g->python);
	if (!f->table || address == UINT64_MAX)
		return;
	w->bias = m->start - (address - f->head.base);
	w->table = f->table;
	w->blocks = f->head.nblocks;
}

static bool is_same(const struct program *g, const struct image_mapping *list, size_t n)
{
	if (g->n != n || !g->mappings)
		return false;
	for (size_t i = 0; i < n; i++)
		if (g->mappings[i + 1].start != list[i].start ||
		    g->mappings[i + 1].end != list[i].end ||
		    g->places[i + 1].offset != list[i].offset)
			return false;
	return true;
}

static void tell_kernel(struct programs *p, struct program *g)
{
	if (!p->profile || !g->mappings)
		return;
	if (bpf_profile_mappings(p->profile, &g->key, g->mappings, (uint32_t)g->n, g->settled) &&
	    !g->unlisted) {
		g->unlisted = true;
		p->loss.unlisted++;
	}
	if (g->python.runtime)
		bpf_profile_python(p->profile, &g->key, &g->python);
}

/* True when it is not what it was. */
static bool look(struct programs *p, struct program *g)
{
	struct image_mapping *list;
	bool changed = false;
	size_t n;
	int err = images_mappings(&p->images, (int)g->key.tgid, &list, &n);

	g->looked_ns = clock_ns(CLOCK_MONOTONIC);
	if (!err && n && (g->incomplete || !is_same(g, list, n))) {
		mem_free(g->mappings);
		mem_free(g->places);
		g->mappings = mem_array(n + 1, sizeof(*g->mappings));
		g->places = mem_array(n + 1, sizeof(*g->places));
		g->n = 0;
		g->incomplete = false;
		for (size_t i = 0; i < n; i++)
			take_mapping(p, g, &list[i]);
		changed = true;
	}
	mem_free(list);
	if (!err && !n)
		err = -ESRCH; /* on its way out: it has no memory any more */
	if (err && !g->mappings)
		g->error = err;
	return changed;
}

bool programs_look_again(struct programs *p, size_t program)
{
	struct program *g = &p->list[program];
	uint64_t wait = g->settled ? SETTLED_NS : AGAIN_NS;
	bool changed;

	if (g->error || clock_ns(CLOCK_MONOTONIC) - g->looked_ns < wait)
		return false;
	changed = look(p, g);
	g->unchanged = changed ? 0 : g->unchanged + 1;
	g->settled = g->unchanged >= SETTLED;
	tell_kernel(p, g);
	return changed;
}

/* ---- programs ---- */

static uint64_t hash_of(const struct wire_program_key *k)
{
	uint64_t h = (k->start ^ (uint64_t)k->tgid << 32 ^ k->exec) * 0x9e3779b97f4a7c15ull;

	return h ^ h >> 29;
}

static bool is_key(const struct wire_program_key *a, const struct wire_program_key *b)
{
	return a->tgid == b->tgid && a->exec == b->exec && a->start == b->start;
}

static void rehash(struct programs *p)
{
	p->nslots = p->nslots ? 2 * p->nslots : 256;
	mem_free(p->slots);
	p->slots = mem_array(p->nslots, sizeof(*p->slots));
	for (size_t i = 0; i < p->n; i++) {
		size_t at = hash_of(&p->list[i].key) & (p->nslots - 1);

		while (p->slots[at])
			at = (at + 1) & (p->nslots - 1);
		p->slots[at] = (uint32_t)i + 1;
	}
}

static size_t find_slot(const struct programs *p, const struct wire_program_key *key)
{
	size_t at = hash_of(key) & (p->nslots - 1);

	while (p->slots[at] && !is_key(&p->list[p->slots[at] - 1].key, key))
		at = (at + 1) & (p->nslots - 1);
	return at;
}

size_t programs_of(struct programs *p, const struct wire_program_key *key, const char *comm)
{
	struct program *g;
	size_t at;

	if (2 * (p->n + 1) > p->nslots)
		rehash(p);
	at = find_slot(p, key);
	if (p->slots[at])
		return p->slots[at] - 1;
	p->list = mem_grow(p->list, &p->cap, p->n + 1, sizeof(*p->list));
	g = &p->list[p->n];
	memset(g, 0, sizeof(*g));
	g->key = *key;
	memcpy(g->comm, comm, sizeof(g->comm));
	g->comm[sizeof(g->comm) - 1] = '\0';
	p->slots[at] = (uint32_t)++p->n;
	g->jit = images_jit(&p->images, (int)key->tgid);
	look(p, g);
	if (g->error) {
		p->loss.gone += g->error == -ESRCH || g->error == -ENOENT;
		p->loss.unread += g->error != -ESRCH && g->error != -ENOENT;
	}
	tell_kernel(p, g);
	return p->n - 1;
}

size_t programs_walk(const struct programs *p, size_t program, const struct walk_copy *c,
		     uint64_t *ip, size_t max, enum wire_walk *why, bool *guessed)
{
	const struct program *g = &p->list[program];
	struct walk_world w = { .mappings = g->mappings ? g->mappings + 1 : NULL,
				.nmappings = g->n,
				.tables = p->tables,
				.ntables = p->ntables };

	return walk_copied(&w, c, ip, max, why, guessed);
}

const struct program_place *programs_place(const struct program *g, uint64_t address,
					   uint64_t *distance)
{
	size_t lo = 1, hi = g->n + 1;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (g->mappings[mid].end <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo > g->n || g->mappings[lo].start > address)
		return NULL;
	*distance = address - g->mappings[lo].start;
	return &g->places[lo];
}
