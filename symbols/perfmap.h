/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_SYMBOLS_PERFMAP_H
#define SIXTY_SYMBOLS_PERFMAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* Code that a process made while it ran: lines of /tmp/perf-PID.map, "START SIZE NAME" in hexadecimal. Any bytes may stand there. */
#define PERFMAP_BYTES (64u << 20)

struct perfmap_entry {
	uint64_t start, size;
	size_t line;      /* the later one counts: code is moved, and its place used again */
	struct text name; /* in the text that was parsed */
};

struct perfmap {
	struct perfmap_entry *list; /* by start */
	size_t n, cap;
};

void perfmap_parse(struct text in, struct perfmap *out); /* mem_free out->list */

/* What was filled in by hand, by start. */
void perfmap_order(struct perfmap *m);

/* The name of the code at an address; empty: there is none. */
struct text perfmap_find(const struct perfmap *m, uint64_t address);

#endif
