/* SPDX-License-Identifier: Apache-2.0 */
/* spawn thread|process|named BURN PAUSE: one after the other, threads or processes that compute for BURN microseconds and end,
 * with PAUSE in between, until standard input ends. Named processes have each another name. Says "ready PID"; then after each a line
 *     NOW BORN RUN
 * by CLOCK_BOOTTIME, how many there were so far, and the nanoseconds of CPU time that they used by their own clocks. */
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t burn_us;
static volatile uint64_t *used; /* shared with children */

static uint64_t clock_ns(clockid_t c)
{
	struct timespec t;

	clock_gettime(c, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void burn(void)
{
	uint64_t end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + burn_us * 1000, now;

	while ((now = clock_ns(CLOCK_THREAD_CPUTIME_ID)) < end)
		for (volatile int i = 0; i < 1000; i++)
			;
	*used += now;
}

static void *thread(void *arg)
{
	(void)arg;
	burn();
	return NULL;
}

static void one(bool threads, bool named, unsigned long n)
{
	char name[16] = "spawned";
	pthread_t t;
	pid_t pid;

	if (threads) {
		if (pthread_create(&t, NULL, thread, NULL))
			exit(1);
		pthread_join(t, NULL);
		return;
	}
	pid = fork();
	if (pid < 0)
		exit(1);
	if (!pid) {
		if (named)
			snprintf(name, sizeof(name), "spawned%lu", n % 10000000);
		prctl(PR_SET_NAME, name);
		burn();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	unsigned long born = 0;
	useconds_t pause_us;

	if (argc != 4) {
		fprintf(stderr, "usage: spawn thread|process|named BURN PAUSE\n");
		return 2;
	}
	burn_us = strtoull(argv[2], NULL, 10);
	pause_us = (useconds_t)strtoul(argv[3], NULL, 10);
	used = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (used == MAP_FAILED)
		return 1;
	printf("ready %d\n", (int)getpid());
	fflush(stdout);
	while (poll(&in, 1, 0) == 0) {
		one(argv[1][0] == 't', argv[1][0] == 'n', born);
		born++;
		printf("%llu %lu %llu\n", (unsigned long long)clock_ns(CLOCK_BOOTTIME), born,
		       (unsigned long long)*used);
		usleep(pause_us);
	}
	return 0;
}
