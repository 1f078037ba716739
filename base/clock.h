/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_BASE_CLOCK_H
#define SIXTY_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds of a clock that is never before its zero: CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME,
 * CLOCK_PROCESS_CPUTIME_ID … (clock_gettime(2)). */
static inline uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#endif
