/* SPDX-License-Identifier: Apache-2.0 */
/* spin THREADS [NAME]: threads that compute until standard input ends. Says "ready PID TID…".
 * spin -w THREADS [NAME]: threads that wait for work on a condition variable instead, and never get any.
 * spin -y THREADS [NAME]: threads that give up the CPU as often as they can. */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREADS_MAX 1024

static volatile int tids[THREADS_MAX];
static char kind = 's';
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;

static void *thread(void *arg)
{
	size_t i = (size_t)arg;

	tids[i] = (int)syscall(SYS_gettid);
	if (kind == 'w') {
		pthread_mutex_lock(&lock);
		for (;;)
			pthread_cond_wait(&work, &lock);
	}
	for (;;)
		if (kind == 'y')
			sched_yield();
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t;
	size_t n;
	char c;

	if (argc > 1 && argv[1][0] == '-' && argv[1][1]) {
		kind = argv[1][1];
		argc--;
		argv++;
	}
	n = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	if (n < 1 || n > THREADS_MAX || !strchr("swy", kind)) {
		fprintf(stderr, "usage: spin [-w|-y] THREADS [NAME]\n");
		return 2;
	}
	if (argc > 2)
		prctl(PR_SET_NAME, argv[2]);
	for (size_t i = 0; i < n; i++)
		if (pthread_create(&t, NULL, thread, (void *)i))
			return 1;
	printf("ready %d", (int)getpid());
	for (size_t i = 0; i < n; i++) {
		while (!tids[i])
			usleep(1000);
		printf(" %d", tids[i]);
	}
	printf("\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return 0;
}
