/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_BASE_UNITS_H
#define SIXTY_BASE_UNITS_H

#include <stddef.h>

/* Base units of every number outside a snapshot. Counters become "unit per second" when divided
 * by time. */
enum unit {
	UNIT_NONE, /* a plain number: load average, queue length */
	UNIT_COUNT,
	UNIT_BYTES,
	UNIT_SECONDS,
	UNIT_RATIO, /* 1.0 = 100 % */
	UNIT_HERTZ,
	UNIT_CELSIUS,
	UNIT_BITS, /* bits, for link speeds */
	UNIT_TEXT, /* an offset into the snapshot's strings */
	UNIT_MAX
};

/* "bytes", "seconds", …; per_second gives "bytes/s", and "s/s" for seconds. Never NULL. */
const char *unit_name(enum unit u, int per_second);

/* A number for people, ASCII, at most 11 columns plus NUL: "1.5 GiB", "312 MiB/s", "4.2 ms", "97
 * %", "12.3 k". NaN gives "-"; what is too small or too large to show is "<0.01 ms" or ">999
 * EiB". Bytes are powers of 1024 with KiB/MiB/GiB; bits are powers of 1000 (Mbit/s). Returns
 * out. */
char *unit_format(char *out, size_t size, enum unit u, int per_second, double v);

/* A length of time in a sentence: "850 ms" / "3.2 s" / "4 min" / "2.1 h" / "3 d". One decimal below
 * ten unless it is 0, none from there on. */
char *unit_duration(char *out, size_t size, double seconds);

#endif
