/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_TRACE_MOUNTS_H
#define SIXTY_COLLECTORS_TRACE_MOUNTS_H

#include "base/err.h"
#include "base/root.h"
#include "model/trace.h"

/* Mounts that come, go and change: the kernel wakes whoever polls /proc/self/mountinfo (POLLPRI), and says no more. What
 * has happened is told by comparing the list with the one before. */
struct trace_mounts;

int trace_mounts_open(struct trace_mounts **out, const struct root *root, struct err *e);
void trace_mounts_close(struct trace_mounts *m);   /* accepts NULL */
int trace_mounts_fd(const struct trace_mounts *m); /* to be polled for POLLPRI */

/* Read the list again and hand out what differs. 0 or -errno. */
int trace_mounts_read(struct trace_mounts *m, void (*each)(void *ctx, const struct trace_mount *r),
		      void *ctx);

#endif
