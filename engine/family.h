/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_FAMILY_H
#define SIXTY_ENGINE_FAMILY_H

#include <stddef.h>

struct root;

/* Call each() for every process that descends from one of `pids`, without those, from one look at /proc. Stops when it returns
 * non-zero, and returns that. 0 or -errno. */
int family_of(const struct root *root, const int *pids, size_t n, int (*each)(void *ctx, int pid),
	      void *ctx);

#endif
