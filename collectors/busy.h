/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_BUSY_H
#define SIXTY_COLLECTORS_BUSY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/root.h"
#include "collectors/disks.h"

/* Which disks are worth a walk over open files: those with half a request in the queue on average since the last look,
 * and those that hold requests and complete none. */
struct busy_disk {
	char name[DISK_NAME];
	uint64_t devno, done, queue_ms;
	bool busy, stuck, whole;
};

struct busy_disks {
	const struct root *root;
	int fd;
	struct buf text;
	struct busy_disk *list;
	size_t n, cap;
	uint64_t read_ns;
	bool any_busy, any_stuck;
};

void busy_init(struct busy_disks *b, const struct root *root);
void busy_done(struct busy_disks *b);
void busy_look(struct busy_disks *b, uint64_t now_ns);

#endif
