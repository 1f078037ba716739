/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_PID_SPACE_H
#define SIXTY_COLLECTORS_PID_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/root.h"

/* Whose numbers of processes /proc shows. */
struct pid_space {
	bool nested;    /* not those of the outermost PID namespace, which are the kernel's own */
	unsigned below; /* levels that we are below that namespace; 0: it is our own */
	uint32_t self;  /* our number in it */
};

void pid_space_read(struct pid_space *s, const struct root *root);

#endif
