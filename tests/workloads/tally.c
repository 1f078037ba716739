/* SPDX-License-Identifier: Apache-2.0 */
/* Work of a known size, for tests that count it by another way:
 *
 *   tally WHAT N [FILE]
 *
 * Prints "ready", waits for SIGUSR1, works, prints "done", and waits for SIGUSR1 again before it ends: whoever looks at it
 * from outside finds it asleep at both ends.
 *
 *   calls     N times: getpgid() that succeeds, getpgid() that fails with ESRCH, close() that fails with EBADF
 *   switches  two threads hand a byte to and fro N times, on one CPU
 *   spins     N times 3 ms of CPU time, then 1 ms asleep
 *   sleeps    N times 20 ms asleep
 *   waits     two threads that compute N ms of CPU time each, on one CPU
 *   faults    reads one byte of each of N pages of FILE, which is not in the page cache
 *   connects  N connections to a listener of its own
 *   mutex     two threads: one holds a lock for 20 ms, the other waits for it, N times
 *   syncs     N times one byte written to FILE, and fsync() */
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

static long count;
static const char *file;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void await(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigwait(&set, &sig);
}

static void say(const char *word)
{
	puts(word);
	fflush(stdout);
}

static void pause_ms(long ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000 };

	nanosleep(&t, NULL);
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

static void calls(void)
{
	for (long i = 0; i < count; i++)
		if (getpgid(0) < 0 || getpgid(0x7fffffff) >= 0 || close(-1) >= 0)
			die("calls");
}

static int there[2], back[2];

static void *answer(void *arg)
{
	char c;

	for (long i = 0; i < count; i++)
		if (read(there[0], &c, 1) != 1 || write(back[1], &c, 1) != 1)
			die("answer");
	return arg;
}

static void switches(void)
{
	pthread_t t;
	char c = 0;

	one_cpu();
	if (pipe(there) || pipe(back))
		die("pipe");
	pthread_create(&t, NULL, answer, NULL);
	for (long i = 0; i < count; i++)
		if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			die("switches");
	pthread_join(t, NULL);
}

static void spin(clockid_t clock, int64_t ms)
{
	int64_t until = clock_ns(clock) + ms * 1000000;

	while (clock_ns(clock) < until)
		;
}

static void spins(void)
{
	for (long i = 0; i < count; i++) {
		spin(CLOCK_THREAD_CPUTIME_ID, 3);
		pause_ms(1);
	}
}

static void sleeps(void)
{
	for (long i = 0; i < count; i++)
		pause_ms(20);
}

static void *compute(void *arg)
{
	spin(CLOCK_THREAD_CPUTIME_ID, count);
	return arg;
}

static void waits(void)
{
	pthread_t t;

	one_cpu();
	pthread_create(&t, NULL, compute, NULL);
	compute(NULL);
	pthread_join(t, NULL);
}

static void faults(void)
{
	int fd = open(file, O_RDONLY);
	volatile char *p;
	unsigned sum = 0;

	if (fd < 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		die(file);
	p = mmap(NULL, (size_t)count * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || madvise((void *)p, (size_t)count * PAGE, MADV_RANDOM))
		die("mmap");
	for (long i = 0; i < count; i++)
		sum += (unsigned char)p[i * PAGE];
	printf("sum %u\n", sum);
}

static void connects(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(listener, (struct sockaddr *)&a, size) || listen(listener, 16) ||
	    getsockname(listener, (struct sockaddr *)&a, &size))
		die("listen");
	for (long i = 0; i < count; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0), other;

		if (connect(fd, (struct sockaddr *)&a, size))
			die("connect");
		pause_ms(5);
		other = accept(listener, NULL, NULL);
		if (other < 0)
			die("accept");
		close(fd);
		close(other);
	}
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t held, done;

static void *hold(void *arg)
{
	for (long i = 0; i < count; i++) {
		pthread_mutex_lock(&lock);
		pthread_barrier_wait(&held);
		pause_ms(20);
		pthread_mutex_unlock(&lock);
		pthread_barrier_wait(&done);
	}
	return arg;
}

static void mutex(void)
{
	pthread_t t;

	pthread_barrier_init(&held, NULL, 2);
	pthread_barrier_init(&done, NULL, 2);
	pthread_create(&t, NULL, hold, NULL);
	for (long i = 0; i < count; i++) {
		pthread_barrier_wait(&held);
		pthread_mutex_lock(&lock);
		pthread_mutex_unlock(&lock);
		pthread_barrier_wait(&done);
	}
	pthread_join(t, NULL);
}

static void syncs(void)
{
	int fd = open(file, O_WRONLY | O_CREAT, 0600);

	for (long i = 0; i < count; i++)
		if (write(fd, "x", 1) != 1 || fsync(fd))
			die(file);
	close(fd);
}

static const struct {
	const char *name;
	void (*run)(void);
} works[] = {
	{ "calls", calls },       { "switches", switches }, { "spins", spins },
	{ "sleeps", sleeps },     { "waits", waits },       { "faults", faults },
	{ "connects", connects }, { "mutex", mutex },       { "syncs", syncs },
};

int main(int argc, char **argv)
{
	void (*run)(void) = NULL;
	sigset_t set;

	for (size_t i = 0; argc > 2 && i < sizeof(works) / sizeof(*works); i++)
		if (!strcmp(argv[1], works[i].name))
			run = works[i].run;
	count = argc > 2 ? atol(argv[2]) : 0;
	file = argc > 3 ? argv[3] : "";
	if (!run || count <= 0) {
		fprintf(stderr, "usage: tally WHAT N [FILE]\n");
		return 2;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	say("ready");
	await();
	run();
	say("done");
	await();
	return 0;
}
