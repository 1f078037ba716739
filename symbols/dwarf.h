/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_SYMBOLS_DWARF_H
#define SIXTY_SYMBOLS_DWARF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What debug information tells of a place in code besides its function: which functions the compiler has put in there without a
 * frame of their own, and the lines of the source. */

#define DWARF_INLINED 16 /* functions that are inlined at one place; of more, the outermost */

/* One function at a place. Those that were inlined come first, the innermost at the beginning; the last is that which has a frame. */
struct dwarf_step {
	size_t place;     /* index into the list of places */
	const char *name; /* demangled; "" when it is not known */
	const char *file; /* as the compiler was told; "" */
	uint32_t line; /* in it: of the place, or of the call of what was inlined; 0: not known */
	bool inlined;
};

struct dwarf_question {
	int fd;                 /* of the binary */
	const uint64_t *places; /* n offsets in it */
	size_t n;
	bool lines;        /* files and lines are wanted too */
	uint64_t until_ns; /* CLOCK_MONOTONIC: what has not been found by then stays without an answer */
};

/* each() is called for all steps of a place, then of the next one; strings live until it returns. Places without debug information
 * are left out. 0; -ENOENT: there is none for this file; -ETIMEDOUT; -EINVAL: it cannot be read.
 * The file may be hostile: call it in a child process that may crash or hang (base/child.h). */
int dwarf_find(const struct dwarf_question *q, void (*each)(void *ctx, const struct dwarf_step *s),
	       void *ctx);

#endif
