/* SPDX-License-Identifier: Apache-2.0 */
/* A library whose CPU time is known: 70 %, 20 % and 10 % of it by construction. */
#include "burn.h"

#include <time.h>

#define LOOPS 20000

__thread double burn_seconds[3];

double burn_clock(int clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

#define WORK(times)                                               \
	do {                                                      \
		for (volatile long i = 0; i < (times)*LOOPS; i++) \
			;                                         \
	} while (0)

void burn_seven(void);
void burn_two(void);
void burn_one(void);

void burn_seven(void)
{
	WORK(7);
}

void burn_two(void)
{
	WORK(2);
}

void burn_one(void)
{
	WORK(1);
}

void burn_all(void)
{
	void (*const work[])(void) = { burn_seven, burn_two, burn_one };

	for (int i = 0; i < 3; i++) {
		double begin = burn_clock(CLOCK_THREAD_CPUTIME_ID);

		work[i]();
		burn_seconds[i] += burn_clock(CLOCK_THREAD_CPUTIME_ID) - begin;
	}
}
