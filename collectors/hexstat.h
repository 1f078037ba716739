/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_HEXSTAT_H
#define SIXTY_COLLECTORS_HEXSTAT_H

#include "base/text.h"

/* Files of /proc/net/stat: a line of names, then a line of hexadecimal numbers per CPU. */
#define HEXSTAT_COLUMNS 24

/* Sum of the column `name` over all CPUs; false if there is no such column or no CPU. The counters are 32 bits wide and
 * wrap one by one, so that a sum may go down: the interval treats that as a reset. */
bool hexstat_sum(struct text in, const char *name, uint64_t *sum);

/* The value of the first line: for columns that say the same on every CPU. */
bool hexstat_first(struct text in, const char *name, uint64_t *value);

#endif
