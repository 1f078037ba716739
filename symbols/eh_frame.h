/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_SYMBOLS_EH_FRAME_H
#define SIXTY_SYMBOLS_EH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"

/* One rule for addresses from pc on (as the file numbers them), up to the next one. */
struct unwind_row {
	uint64_t pc;
	struct wire_rule rule;
};

struct unwind_rows {
	struct unwind_row *
		list; /* ascending, no two with the same address or one after the other with the same rule */
	size_t n, cap;
	uint64_t *starts; /* of functions that were described; ascending once they are ordered */
	size_t functions, starts_cap;
	size_t refused; /* descriptions that make no sense, or are of a kind that nobody writes */
};

#define UNWIND_ROWS_MAX (2u << 20) /* of one file */

/* Registers by their DWARF numbers. */
struct unwind_machine {
	unsigned sp, fp, ra;
	bool ra_in_register; /* a function begins with its return address in a register, not on the stack */
};

extern const struct unwind_machine unwind_x86_64, unwind_arm64;

/* Read the call frame information of a section .eh_frame that is loaded at `address`, up to its end or its terminator.
 * Any bytes may stand there. Adds to *out; 0, or -E2BIG: more rows or work than any real file has, those so far are kept. */
int eh_frame_rows(const uint8_t *data, size_t size, uint64_t address,
		  const struct unwind_machine *m, struct unwind_rows *out);

/* Order what was added, drop what says nothing new. */
void unwind_rows_order(struct unwind_rows *r);
void unwind_rows_done(struct unwind_rows *r);

/* Where the function of an address begins; UINT64_MAX: in none. */
uint64_t unwind_rows_start(const struct unwind_rows *r, uint64_t pc);

/* The rule for an address; UNWIND_GAP where there is none. */
const struct wire_rule *unwind_rows_find(const struct unwind_rows *r, uint64_t pc);

#endif
