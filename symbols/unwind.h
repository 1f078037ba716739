/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_SYMBOLS_UNWIND_H
#define SIXTY_SYMBOLS_UNWIND_H

#include <stddef.h>
#include <stdint.h>

#include "symbols/eh_frame.h"

/* What a binary says about its stack: where it wants its code, and the rules for it. */
#define UNWIND_SEGMENTS 32

struct unwind_segment {
	uint64_t offset, size; /* in the file */
	uint64_t address;      /* of its first byte, as the file numbers addresses */
};

struct unwind_file {
	uint64_t base; /* lowest address that it loads */
	struct unwind_segment segments[UNWIND_SEGMENTS];
	size_t nsegments;
	struct unwind_rows rows; /* none: it has no .eh_frame */
};

/* Read the rules of an ELF file, or of one that lies in memory (the vdso). 0; -ENOEXEC: no ELF file of 64 bits and this
 * machine's byte order, or of another machine; -E2BIG: larger than anything real, what was read so far is kept. The file may be
 * hostile: its size bounds the work. Free with unwind_file_done(), also after an error. */
int unwind_read(int fd, struct unwind_file *out);
int unwind_read_memory(const void *data, size_t size, struct unwind_file *out);
void unwind_file_done(struct unwind_file *f);

/* The address of a byte of the file; UINT64_MAX: it is not loaded. */
uint64_t unwind_address(const struct unwind_file *f, uint64_t offset);

#endif
