/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_SYMBOLS_WALK_H
#define SIXTY_SYMBOLS_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"

/* The walk of bpf/walk.bpf.h, along a copy of a stack: for samples that came before the kernel knew the rules. */
struct walk_rules {
	const struct wire_rules *blocks;
	uint32_t n;
};

struct walk_world {
	const struct wire_mapping *mappings; /* ascending */
	size_t nmappings;
	const struct walk_rules *tables; /* by number */
	size_t ntables;
};

struct walk_copy {
	const uint8_t *bytes; /* what lies from regs.sp on */
	size_t size;
	struct wire_registers regs;
};

/* Fill ip[max] with the frames, innermost first; *why is where it ended, *guessed whether a frame pointer had to stand in for a
 * rule. Returns how many. */
size_t walk_copied(const struct walk_world *w, const struct walk_copy *c, uint64_t *ip, size_t max,
		   enum wire_walk *why, bool *guessed);

/* The rule for an address in a table; NULL: there is none. pc: as tables count. */
const struct wire_rule *walk_rule(const struct walk_rules *r, uint64_t pc);

#endif
