/* SPDX-License-Identifier: Apache-2.0 */
/* hot SECONDS THREADS: threads that spend three quarters of their CPU time in a function called hot_three, and one quarter in
 * hot_one, both called by hot_work. Told by each thread's own CPU clock, so it is true however long they wait. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double until;

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The clock is read every 100 us or so: its own time is not seen. */
#define BURN(seconds)                                                  \
	do {                                                           \
		double end = now(CLOCK_THREAD_CPUTIME_ID) + (seconds); \
		while (now(CLOCK_THREAD_CPUTIME_ID) < end)             \
			for (volatile int i = 0; i < 50000; i++)       \
				;                                      \
	} while (0)

__attribute__((noinline)) static void hot_three(void)
{
	BURN(0.03);
}

__attribute__((noinline)) static void hot_one(void)
{
	BURN(0.01);
}

__attribute__((noinline)) static void *hot_work(void *arg)
{
	while (now(CLOCK_MONOTONIC) < until) {
		hot_three();
		hot_one();
	}
	return arg;
}

int main(int argc, char **argv)
{
	int threads = argc > 2 ? atoi(argv[2]) : 1;
	pthread_t id[64];

	if (argc < 2 || threads < 1 || threads > 64) {
		fprintf(stderr, "usage: hot SECONDS THREADS\n");
		return 2;
	}
	until = now(CLOCK_MONOTONIC) + atof(argv[1]);
	for (int i = 0; i < threads; i++)
		if (pthread_create(&id[i], NULL, hot_work, NULL))
			return 1;
	for (int i = 0; i < threads; i++)
		pthread_join(id[i], NULL);
	return 0;
}
