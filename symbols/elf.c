/* SPDX-License-Identifier: Apache-2.0 */
/* Functions by place in a file: program headers turn the place into an address, symbol tables name it. Each table is read
 * once, whatever its size, and only what covers a place that was asked for is kept. */
#include "symbols/elf.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <libiberty/demangle.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "symbols/elf_debug.h"
#include "symbols/sought.h"

#define SEGMENTS_MAX  256u
#define SECTIONS_MAX  65536u
#define NAME_MAX_RAW  4096u      /* of a mangled name: longer ones are cut, not demangled */
#define UNPACKED_MOST (1u << 30) /* bytes of all sections that are compressed */
#define FARTHEST      (4u << 20) /* a symbol without a size covers no more */

struct lookup {
	struct sought *sorted; /* places are struct elf_place */
	size_t n;
};

/* The address that the file gives to one of its bytes; false when no segment loads it. */
static bool address_of(Elf *elf, size_t nsegments, uint64_t offset, uint64_t *out)
{
	for (size_t i = 0; i < nsegments; i++) {
		GElf_Phdr h;

		if (!gelf_getphdr(elf, (int)i, &h) || h.p_type != PT_LOAD)
			continue;
		if (offset >= h.p_offset && offset - h.p_offset < h.p_filesz) {
			*out = h.p_vaddr + (offset - h.p_offset);
			return true;
		}
	}
	return false;
}

static void find_addresses(Elf *elf, struct elf_place *list, size_t n, struct lookup *l)
{
	size_t nsegments = 0;

	if (elf_getphdrnum(elf, &nsegments) || nsegments > SEGMENTS_MAX)
		nsegments = 0;
	for (size_t i = 0; i < n; i++) {
		list[i].start = list[i].size = 0;
		list[i].rank = 0;
		list[i].name[0] = '\0';
		if (address_of(elf, nsegments, list[i].offset, &l->sorted[l->n].address))
			l->sorted[l->n++].place = &list[i];
	}
	sought_sort(l->sorted, l->n);
}

char *elf_plain_name(const char *raw, char *out, size_t size)
{
	char *plain = NULL;

	if (strnlen(raw, NAME_MAX_RAW) < NAME_MAX_RAW && raw[0] == '_')
		plain = cplus_demangle(raw, DMGL_AUTO);
	snprintf(out, size, "%s", plain ? plain : raw);
	free(plain);
	return out;
}

size_t elf_addresses(Elf *elf, const uint64_t *places, size_t n, struct sought *out)
{
	size_t nsegments = 0, found = 0;

	if (elf_getphdrnum(elf, &nsegments) || nsegments > SEGMENTS_MAX)
		nsegments = 0;
	for (size_t i = 0; i < n; i++)
		if (address_of(elf, nsegments, places[i], &out[found].address))
			out[found++].place = (void *)&places[i];
	sought_sort(out, found);
	return found;
}

bool elf_bombs(Elf *elf)
{
	Elf_Scn *s = NULL;
	uint64_t sum = 0;
	size_t n = 0;

	while ((s = elf_nextscn(elf, s))) {
		GElf_Shdr h;
		GElf_Chdr c;

		if (++n > SECTIONS_MAX || !gelf_getshdr(s, &h))
			return true;
		if (!(h.sh_flags & SHF_COMPRESSED))
			continue;
		if (!gelf_getchdr(s, &c) || c.ch_size > UNPACKED_MOST - sum)
			return true;
		sum += c.ch_size;
	}
	return false;
}

/* One function may have several names: the one that other files call it by is the usual one. */
static unsigned rank_of(const GElf_Sym *s)
{
	unsigned bind = GELF_ST_BIND(s->st_info);

	return bind == STB_GLOBAL ? 2 : bind == STB_WEAK;
}

/* Does this symbol tell more of the place than what it has? One with a size that covers it, then the nearest below. */
static bool is_better(const struct elf_place *p, uint64_t address, const GElf_Sym *s)
{
	bool covers = s->st_size && address - s->st_value < s->st_size,
	     covered = p->size && address - p->start < p->size;

	if (s->st_size && !covers)
		return false;
	if (!p->name[0])
		return covers || address - s->st_value <= FARTHEST;
	if (covers != covered)
		return covers;
	if (s->st_value == p->start)
		return rank_of(s) > p->rank;
	return s->st_value > p->start;
}

static void take_symbol(Elf *elf, size_t strings, const GElf_Sym *s, const struct lookup *l)
{
	uint64_t end = s->st_value + (s->st_size ? s->st_size : FARTHEST);
	const char *raw = NULL;

	if (end < s->st_value)
		end = UINT64_MAX;
	for (size_t i = sought_from(l->sorted, l->n, s->st_value);
	     i < l->n && l->sorted[i].address < end; i++) {
		struct elf_place *p = l->sorted[i].place;

		if (!is_better(p, l->sorted[i].address, s))
			continue;
		if (!raw)
			raw = elf_strptr(elf, strings, s->st_name);
		if (!raw || !*raw)
			return;
		p->start = s->st_value;
		p->size = s->st_size;
		p->rank = rank_of(s);
		elf_plain_name(raw, p->name, sizeof(p->name));
	}
}

static bool is_function(const GElf_Sym *s)
{
	unsigned type = GELF_ST_TYPE(s->st_info);

	return (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE) &&
	       s->st_shndx != SHN_UNDEF && s->st_shndx != SHN_ABS && s->st_value;
}

static void read_table(Elf *elf, Elf_Scn *section, const GElf_Shdr *h, const struct lookup *l)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t n;

	if (!data || !h->sh_entsize || data->d_size < h->sh_entsize)
		return;
	n = data->d_size / h->sh_entsize;
	for (size_t i = 0; i < n && i <= INT32_MAX; i++) {
		GElf_Sym s;

		if (gelf_getsym(data, (int)i, &s) && is_function(&s))
			take_symbol(elf, h->sh_link, &s, l);
	}
}

/* False: it has none of this type. */
static bool read_tables(Elf *elf, unsigned type, const struct lookup *l)
{
	Elf_Scn *section = NULL;
	bool found = false;
	size_t n = 0;

	while ((section = elf_nextscn(elf, section)) && n++ < SECTIONS_MAX) {
		GElf_Shdr h;

		if (gelf_getshdr(section, &h) && h.sh_type == type) {
			read_table(elf, section, &h, l);
			found = true;
		}
	}
	return found;
}

/* What was stripped off: addresses are the same there. */
static void read_elsewhere(Elf *elf, int fd, const struct lookup *l)
{
	int other = elf_debug_file(elf, fd);
	Elf *debug = other >= 0 ? elf_begin(other, ELF_C_READ, NULL) : NULL;
	char *data = NULL;
	size_t size;

	if (!debug) {
		data = elf_debug_data(elf, &size);
		debug = data ? elf_memory(data, size) : NULL;
	}
	if (debug && elf_kind(debug) == ELF_K_ELF)
		read_tables(debug, SHT_SYMTAB, l);
	elf_end(debug);
	free(data);
	if (other >= 0)
		close(other);
}

int elf_name(int fd, struct elf_place *list, size_t n)
{
	struct lookup l = { .sorted = mem_array(n + 1, sizeof(*l.sorted)) };
	Elf *elf;
	int rc = -EINVAL;

	elf_version(EV_CURRENT);
	/* read, not mapped: a file that shrinks meanwhile is an error then, and no SIGBUS */
	elf = elf_begin(fd, ELF_C_READ, NULL);
	for (size_t i = 0; i < n; i++)
		list[i].name[0] = '\0';
	if (elf && elf_kind(elf) == ELF_K_ELF) {
		find_addresses(elf, list, n, &l);
		if (!read_tables(elf, SHT_SYMTAB, &l))
			read_elsewhere(elf, fd, &l);
		read_tables(elf, SHT_DYNSYM, &l);
		rc = 0;
	}
	elf_end(elf);
	mem_free(l.sorted);
	return rc;
}

/* ---- one symbol ---- */

static bool find_in_table(Elf *elf, Elf_Scn *section, const GElf_Shdr *h, const char *name,
			  uint64_t *value)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t n = data && h->sh_entsize ? data->d_size / h->sh_entsize : 0;

	for (size_t i = 0; i < n && i <= INT32_MAX; i++) {
		const char *is;
		GElf_Sym s;

		if (!gelf_getsym(data, (int)i, &s) || s.st_shndx == SHN_UNDEF)
			continue;
		is = elf_strptr(elf, h->sh_link, s.st_name);
		if (is && !strcmp(is, name)) {
			*value = s.st_value;
			return true;
		}
	}
	return false;
}

int elf_symbol(int fd, const char *name, uint64_t *value)
{
	static const unsigned types[] = { SHT_DYNSYM, SHT_SYMTAB };
	int rc = -EINVAL;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		rc = -ENOENT;
	for (size_t t = 0; rc == -ENOENT && t < sizeof(types) / sizeof(*types); t++) {
		Elf_Scn *section = NULL;
		size_t looked = 0;
		GElf_Shdr h;

		while (rc == -ENOENT && (section = elf_nextscn(elf, section)) &&
		       looked++ < SECTIONS_MAX)
			if (gelf_getshdr(section, &h) && h.sh_type == types[t] &&
			    find_in_table(elf, section, &h, name, value))
				rc = 0;
	}
	elf_end(elf);
	return rc;
}
