/* SPDX-License-Identifier: Apache-2.0 */
/* What debug information says of places in a file, for tests that compare it with addr2line:
 *
 *   inlines FILE <ADDRESSES     numbers of the file's own addresses, in hexadecimal, one a line
 *
 * Prints for each "ADDRESS", then a line "NAME FILE:LINE" for each function there, the innermost first. */
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "symbols/dwarf.h"

#define MOST 65536

static uint64_t addresses[MOST], places[MOST];

/* Where in the file is it? */
static uint64_t place_of(Elf *elf, uint64_t address)
{
	size_t n = 0;

	elf_getphdrnum(elf, &n);
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr h;

		if (gelf_getphdr(elf, (int)i, &h) && h.p_type == PT_LOAD && address >= h.p_vaddr &&
		    address - h.p_vaddr < h.p_filesz)
			return address - h.p_vaddr + h.p_offset;
	}
	return UINT64_MAX;
}

static void print(void *ctx, const struct dwarf_step *s)
{
	size_t *last = ctx;

	if (*last != s->place)
		printf("0x%016" PRIx64 "\n", addresses[s->place]);
	*last = s->place;
	printf("%s %s:%u\n", s->name, *s->file ? s->file : "??", s->line);
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1, err;
	size_t n = 0, last = SIZE_MAX;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = fd >= 0 ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
	if (!elf) {
		fprintf(stderr, "usage: inlines FILE <ADDRESSES\n");
		return 2;
	}
	while (n < MOST && scanf("%" SCNx64, &addresses[n]) == 1) {
		places[n] = place_of(elf, addresses[n]);
		n++;
	}
	elf_end(elf);
	err = dwarf_find(
		&(struct dwarf_question){ .fd = fd,
					  .places = places,
					  .n = n,
					  .lines = true,
					  .until_ns = clock_ns(CLOCK_MONOTONIC) + 60000000000u },
		print, &last);
	close(fd);
	if (err)
		fprintf(stderr, "inlines: %d\n", err);
	return err != 0;
}
