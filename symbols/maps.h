/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_SYMBOLS_MAPS_H
#define SIXTY_SYMBOLS_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"

/* Code that a process has mapped: the lines of /proc/PID/maps (fs/proc/task_mmu.c) with the x bit, in their order, which is
 * ascending. */
struct mapping {
	uint64_t start, end; /* addresses */
	uint64_t offset;     /* of start in the file */
	uint64_t inode;      /* 0: no file */
	uint64_t device;     /* of it: major << 20 | minor */
	struct text
		path; /* in the text that was parsed, without " (deleted)"; "[vdso]"; empty: memory without a name */
};

#define MAPPINGS_MAX 65536u /* vm.max_map_count is the same by default */

/* /proc/PID/maps as it is, at most 16 MiB of it. 0 or -errno; buf_done() it in either case. */
int maps_read(int pid, struct buf *text);

/* Fill *list (mem_free it), which points into the text. What is no such line is left out. Returns the number of mappings. */
size_t maps_parse(struct text in, struct mapping **list);

/* Last part of its path, raw. */
struct text maps_name(const struct mapping *m);

/* The mapping of an address, or NULL. */
const struct mapping *maps_find(const struct mapping *list, size_t n, uint64_t address);

#endif
