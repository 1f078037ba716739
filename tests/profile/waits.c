/* SPDX-License-Identifier: Apache-2.0 */
/* A program that knows how long it waited, for what, and in which function: waits SECONDS FILE.
 *
 * A thread for each kind. It measures wall time and its own CPU time around each wait; what is left it was off the CPU. In the end
 * it prints a line "function thread seconds cause" for each, and one for a thread that slept all the time. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLOCK  2097152
#define BLOCKS 16

static double until, began_main;
static const char *path;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static double now(int clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void pause_ms(int ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000L };

	nanosleep(&t, NULL);
}

struct kind {
	const char *name, *cause;
	void (*open)(struct kind *k);
	void (*wait)(struct kind *k);
	double off;
	int fd, other, tid;
	char *bytes;
	pthread_t thread;
};

/* ---- who ends the waits ---- */

static void *hold_mutex(void *arg)
{
	(void)arg;
	for (;;) {
		pthread_mutex_lock(&mutex);
		pause_ms(9);
		pthread_mutex_unlock(&mutex);
		pause_ms(1);
	}
	return NULL;
}

static void *feed(void *arg)
{
	for (;;) {
		pause_ms(5);
		if (write(*(int *)arg, "x", 1) != 1)
			exit(1);
	}
	return NULL;
}

static void *hold_file(void *arg)
{
	for (;;) {
		flock(*(int *)arg, LOCK_EX);
		pause_ms(8);
		flock(*(int *)arg, LOCK_UN);
		pause_ms(1);
	}
	return NULL;
}

static void start(void *(*run)(void *), void *arg)
{
	pthread_t t;

	if (pthread_create(&t, NULL, run, arg))
		exit(1);
}

/* ---- waits ---- */

void wait_timer(struct kind *k);
void wait_pipe(struct kind *k);
void wait_poll(struct kind *k);
void wait_mutex(struct kind *k);
void wait_file(struct kind *k);
void wait_child(struct kind *k);
void wait_disk(struct kind *k);

void wait_timer(struct kind *k)
{
	(void)k;
	pause_ms(7);
}

static void open_pipe(struct kind *k)
{
	int fds[2];

	if (pipe(fds))
		exit(1);
	k->fd = fds[0];
	k->other = fds[1];
	start(feed, &k->other);
}

void wait_pipe(struct kind *k)
{
	char byte;

	if (read(k->fd, &byte, 1) != 1)
		exit(1);
}

void wait_poll(struct kind *k)
{
	struct pollfd p[2] = { { .fd = k->fd, .events = POLLIN }, { .fd = -1 } };
	char byte;

	if (poll(p, 2, -1) != 1 || read(k->fd, &byte, 1) != 1)
		exit(1);
}

static void open_mutex(struct kind *k)
{
	(void)k;
	start(hold_mutex, NULL);
}

void wait_mutex(struct kind *k)
{
	(void)k;
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
}

static void open_file(struct kind *k)
{
	k->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	k->other = open(path, O_RDWR | O_CLOEXEC);
	start(hold_file, &k->other);
}

void wait_file(struct kind *k)
{
	flock(k->fd, LOCK_EX);
	flock(k->fd, LOCK_UN);
}

void wait_child(struct kind *k)
{
	pid_t pid = fork();

	(void)k;
	if (!pid) {
		pause_ms(12);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void open_disk(struct kind *k)
{
	if (posix_memalign((void **)&k->bytes, 4096, BLOCK))
		exit(1);
	memset(k->bytes, 1, BLOCK);
	k->fd = open(path, O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
	if (k->fd < 0)
		return; /* not on this file system */
	for (int i = 0; i < BLOCKS; i++)
		if (pwrite(k->fd, k->bytes, BLOCK, (off_t)i * BLOCK) != BLOCK)
			exit(1);
	fsync(k->fd);
}

void wait_disk(struct kind *k)
{
	static unsigned at;

	at = at * 1103515245u + 12345u;
	if (k->fd < 0)
		pause_ms(10);
	else if (pread(k->fd, k->bytes, BLOCK, (off_t)(at >> 8) % BLOCKS * BLOCK) != BLOCK)
		exit(1);
}

/* clang-format off */
static struct kind kinds[] = {
	{ .name = "wait_timer", .cause = "awaiting_work: timer", .wait = wait_timer },
	{ .name = "wait_pipe",  .cause = "awaiting_work: pipe",  .wait = wait_pipe, .open = open_pipe },
	{ .name = "wait_poll",  .cause = "awaiting_work: poll",  .wait = wait_poll, .open = open_pipe },
	{ .name = "wait_mutex", .cause = "lock: mutex",          .wait = wait_mutex, .open = open_mutex },
	{ .name = "wait_file",  .cause = "lock: file",           .wait = wait_file, .open = open_file },
	{ .name = "wait_child", .cause = "awaiting_work: child", .wait = wait_child },
	{ .name = "wait_disk",  .cause = "disk",                 .wait = wait_disk, .open = open_disk },
};
/* clang-format on */
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static void *run(void *arg)
{
	struct kind *k = arg;

	k->tid = (int)syscall(SYS_gettid);
	while (now(CLOCK_MONOTONIC) < until) {
		double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_THREAD_CPUTIME_ID);

		k->wait(k);
		cpu = now(CLOCK_THREAD_CPUTIME_ID) - cpu;
		k->off += now(CLOCK_MONOTONIC) - wall - cpu;
		/* looking at clocks takes time that is in neither: not too often */
		pause_ms(2);
	}
	return NULL;
}

static int sleeper;

static void *sleep_whole(void *arg)
{
	(void)arg;
	sleeper = (int)syscall(SYS_gettid);
	for (;;)
		pause();
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	path = argv[2];
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].open)
			kinds[i].open(&kinds[i]);
	began_main = now(CLOCK_MONOTONIC);
	until = began_main + atof(argv[1]);
	start(sleep_whole, NULL);
	for (size_t i = 0; i < KINDS; i++)
		pthread_create(&kinds[i].thread, NULL, run, &kinds[i]);
	for (size_t i = 0; i < KINDS; i++)
		pthread_join(kinds[i].thread, NULL);
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].wait != wait_disk || kinds[i].fd >= 0)
			printf("%s %d %.6f %s\n", kinds[i].name, kinds[i].tid, kinds[i].off,
			       kinds[i].cause);
	printf("sleep_whole %d %.6f awaiting_work: timer\n", sleeper,
	       now(CLOCK_MONOTONIC) - began_main);
	return 0;
}
