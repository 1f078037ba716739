/* SPDX-License-Identifier: Apache-2.0 */
/* tall SECONDS THREADS [CHILDREN]: threads, and as many in each child, that burn CPU time below twenty calls. Prints what the three
 * functions took, in seconds of CPU time, of all threads of this process. */
#include "burn.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEPTH 20

static double until, sums[3];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *tall_work(void *arg)
{
	while (burn_clock(CLOCK_MONOTONIC) < until)
		climb(DEPTH);
	pthread_mutex_lock(&lock);
	for (int i = 0; i < 3; i++)
		sums[i] += burn_seconds[i];
	pthread_mutex_unlock(&lock);
	return arg;
}

int main(int argc, char **argv)
{
	int threads = argc > 2 ? atoi(argv[2]) : 1, children = argc > 3 ? atoi(argv[3]) : 0;
	pthread_t id[64];

	if (argc < 2 || threads < 1 || threads > 64) {
		fprintf(stderr, "usage: tall SECONDS THREADS [CHILDREN]\n");
		return 2;
	}
	until = burn_clock(CLOCK_MONOTONIC) + atof(argv[1]);
	for (int i = 0; i < children; i++)
		if (!fork())
			break;
	for (int i = 0; i < threads; i++)
		if (pthread_create(&id[i], NULL, tall_work, NULL))
			return 1;
	for (int i = 0; i < threads; i++)
		pthread_join(id[i], NULL);
	while (wait(NULL) > 0)
		;
	printf("%.3f %.3f %.3f\n", sums[0], sums[1], sums[2]);
	return 0;
}
