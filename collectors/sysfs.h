/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_SYSFS_H
#define SIXTY_COLLECTORS_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/root.h"

/* One-value files of /sys. The path is built from a format; false (or "") when the file is not there, cannot be read
 * or holds something else: which attributes exist depends on kernel and driver. */
bool sysfs_u64(const struct root *r, uint64_t *v, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The first line, without its end. */
bool sysfs_text(const struct root *r, char *out, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
