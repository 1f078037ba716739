/* SPDX-License-Identifier: Apache-2.0 */
/* Where .eh_frame lies in a binary: the program header PT_GNU_EH_FRAME leads to .eh_frame_hdr, and that to it. Section headers
 * are asked only when there is none, since whoever strips a file may have taken them. */
#include "symbols/unwind.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define FRAME_MAX (64u << 20) /* bytes of .eh_frame: the largest browsers have 20 MB */

struct image {
	int fd;
	const uint8_t *memory; /* NULL: read fd */
	size_t size;
};

/* What the file has at an offset: n bytes, or nothing. */
static bool get(const struct image *im, uint64_t offset, void *out, size_t n)
{
	size_t got = 0;

	if (im->memory) {
		if (offset > im->size || n > im->size - offset)
			return false;
		memcpy(out, im->memory + offset, n);
		return true;
	}
	if (offset > INT64_MAX - n)
		return false;
	while (got < n) {
		ssize_t r = pread(im->fd, (char *)out + got, n - got, (off_t)(offset + got));

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return false;
		got += (size_t)r;
	}
	return true;
}

static const struct unwind_machine *machine_of(const Elf64_Ehdr *h)
{
	if (h->e_machine == EM_X86_64)
		return &unwind_x86_64;
	return h->e_machine == EM_AARCH64 ? &unwind_arm64 : NULL;
}

struct frame_section {
	uint64_t offset, address, size;
};

/* Where the bytes from an address on lie in the file, and how many there are. */
static bool place_of(const struct image *im, const Elf64_Ehdr *h, uint64_t address,
		     struct frame_section *s)
{
	for (unsigned i = 0; i < h->e_phnum; i++) {
		Elf64_Phdr p;

		if (!get(im, h->e_phoff + (uint64_t)i * sizeof(p), &p, sizeof(p)))
			return false;
		if (p.p_type != PT_LOAD || address < p.p_vaddr || address - p.p_vaddr >= p.p_filesz)
			continue;
		s->address = address;
		s->offset = p.p_offset + (address - p.p_vaddr);
		s->size = p.p_filesz - (address - p.p_vaddr);
		return true;
	}
	return false;
}

/* .eh_frame_hdr: a version, three encodings, and where .eh_frame is. Linkers write one form of it: four bytes, relative. */
static bool by_header(const struct image *im, const Elf64_Ehdr *h, const Elf64_Phdr *p,
		      struct frame_section *s)
{
	uint8_t head[4];
	int32_t distance;

	if (!get(im, p->p_offset, head, sizeof(head)) || head[0] != 1 || head[1] != 0x1b ||
	    !get(im, p->p_offset + 4, &distance, sizeof(distance)))
		return false;
	return place_of(im, h, p->p_vaddr + 4 + (uint64_t)(int64_t)distance, s);
}

static bool by_section(const struct image *im, const Elf64_Ehdr *h, struct frame_section *s)
{
	Elf64_Shdr names, sh;

	if (h->e_shentsize != sizeof(sh) ||
	    !get(im, h->e_shoff + (uint64_t)h->e_shstrndx * sizeof(sh), &names, sizeof(names)))
		return false;
	for (unsigned i = 0; i < h->e_shnum; i++) {
		char name[sizeof(".eh_frame")];

		if (!get(im, h->e_shoff + (uint64_t)i * sizeof(sh), &sh, sizeof(sh)))
			return false;
		if (sh.sh_type == SHT_NOBITS || !(sh.sh_flags & SHF_ALLOC) ||
		    !get(im, names.sh_offset + sh.sh_name, name, sizeof(name)) ||
		    memcmp(name, ".eh_frame", sizeof(name)) != 0)
			continue;
		*s = (struct frame_section){ sh.sh_offset, sh.sh_addr, sh.sh_size };
		return true;
	}
	return false;
}

/* What is loaded, with PT_GNU_EH_FRAME on the way. */
static bool read_segments(const struct image *im, const Elf64_Ehdr *h, struct unwind_file *out,
			  struct frame_section *s)
{
	bool found = false;

	out->base = UINT64_MAX;
	for (unsigned i = 0; i < h->e_phnum; i++) {
		Elf64_Phdr p;

		if (!get(im, h->e_phoff + (uint64_t)i * sizeof(p), &p, sizeof(p)))
			return found;
		if (p.p_type == PT_GNU_EH_FRAME && !found)
			found = by_header(im, h, &p, s);
		if (p.p_type != PT_LOAD)
			continue;
		if (p.p_vaddr < out->base)
			out->base = p.p_vaddr;
		if (p.p_flags & PF_X && p.p_filesz && out->nsegments < UNWIND_SEGMENTS)
			out->segments[out->nsegments++] =
				(struct unwind_segment){ p.p_offset, p.p_filesz, p.p_vaddr };
	}
	return found;
}

static int read_image(const struct image *im, struct unwind_file *out)
{
	const struct unwind_machine *m;
	struct frame_section s = { 0 };
	Elf64_Ehdr h;
	uint8_t *data;
	int err;

	memset(out, 0, sizeof(*out));
	if (!get(im, 0, &h, sizeof(h)) || memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 ||
	    h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != ELFDATA2LSB ||
	    h.e_phentsize != sizeof(Elf64_Phdr))
		return -ENOEXEC;
	m = machine_of(&h);
	if (!m)
		return -ENOEXEC;
	if (!read_segments(im, &h, out, &s) && !by_section(im, &h, &s))
		return 0;
	/* by header the size is not known: up to the end of the segment, where a terminator stands before */
	data = mem_try(s.size, FRAME_MAX);
	if (!data)
		return s.size ? -E2BIG : 0;
	err = get(im, s.offset, data, s.size)
		      ? eh_frame_rows(data, s.size, s.address, m, &out->rows)
		      : 0;
	mem_free(data);
	unwind_rows_order(&out->rows);
	return err;
}

int unwind_read(int fd, struct unwind_file *out)
{
	return read_image(&(struct image){ .fd = fd }, out);
}

int unwind_read_memory(const void *data, size_t size, struct unwind_file *out)
{
	return read_image(&(struct image){ .fd = -1, .memory = data, .size = size }, out);
}

void unwind_file_done(struct unwind_file *f)
{
	unwind_rows_done(&f->rows);
	f->nsegments = 0;
}

uint64_t unwind_address(const struct unwind_file *f, uint64_t offset)
{
	for (size_t i = 0; i < f->nsegments; i++) {
		const struct unwind_segment *s = &f->segments[i];

		if (offset >= s->offset && offset - s->offset < s->size)
			return s->address + (offset - s->offset);
	}
	return UINT64_MAX;
}
