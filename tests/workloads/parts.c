/* SPDX-License-Identifier: Apache-2.0 */
/* parts THREADS CYCLE RUN SLEEP FUTEX DISK BESIDE FILE: threads whose time is spent as asked for, and measured by themselves.
 *
 * All times are microseconds. In each cycle a thread computes for RUN, sleeps for SLEEP, waits on a futex for FUTEX and
 * reads FILE around the page cache until it was blocked for DISK; what is left of CYCLE it sleeps too. BESIDE: at the begin
 * of the cycle a process on the same CPU is woken that computes for so long (both should be bound to one CPU).
 *
 * Says "ready PID BESIDE_PID" and works until standard input ends. Then one line for each thread and cycle:
 *     TID NOW RUNNING WAITING SLEEP FUTEX DISK SWITCHES
 * sums in nanoseconds, NOW by CLOCK_BOOTTIME. Running is the thread's CPU clock, waiting the scheduler's run_delay
 * (/proc/thread-self/schedstat), and what is left of a phase was spent asleep in it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CYCLES_MAX 65536
#define BLOCK      4096u

struct sums {
	uint64_t now, run, wait, switches;
	int64_t sleep, futex,
		disk; /* what two clocks do not agree on may make a first one negative */
};

struct worker {
	pthread_t thread;
	int tid, schedstat, disk;
	struct sums sums, *log;
	size_t cycles;
	uint32_t word, seed;
	char *block;
};

static uint64_t run_us, sleep_us, futex_us, disk_us, cycle_us, beside_us, blocks;
static const char *file;
static volatile int stop;
static uint32_t *turns; /* shared with the process beside */

static uint64_t clock_ns(clockid_t c)
{
	struct timespec t;

	clock_gettime(c, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "parts: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* What the scheduler says of this thread: time on run queues and number of slices. */
static void read_schedstat(const struct worker *w, unsigned long long *wait,
			   unsigned long long *slices)
{
	char line[128];
	ssize_t n = pread(w->schedstat, line, sizeof(line) - 1, 0);

	if (n <= 0)
		die("schedstat");
	line[n] = '\0';
	if (sscanf(line, "%*u %llu %llu", wait, slices) != 2)
		die("schedstat");
}

/* Account for what was since the last call; what was neither run nor waited goes to *asleep. */
static void measure(struct worker *w, int64_t *asleep)
{
	unsigned long long wait, slices, again = 0;
	struct sums *s = &w->sums;
	uint64_t now, cpu;

	/* all clocks at one moment: not before and after a wait */
	do {
		read_schedstat(w, &wait, &slices);
		cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		now = clock_ns(CLOCK_BOOTTIME);
		read_schedstat(w, &again, &slices);
	} while (again != wait);
	if (asleep)
		*asleep += (int64_t)(now - s->now - (cpu - s->run) - (wait - s->wait));
	s->now = now;
	s->run = cpu;
	s->wait = wait;
	s->switches = slices;
}

static void compute(uint64_t us)
{
	uint64_t end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + us * 1000;

	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end)
		for (volatile int i = 0; i < 1000; i++)
			;
}

static struct timespec span(uint64_t us)
{
	return (struct timespec){ .tv_sec = (time_t)(us / 1000000),
				  .tv_nsec = (long)(us % 1000000) * 1000 };
}

static void read_blocked(struct worker *w, uint64_t us)
{
	int64_t end = w->sums.disk + (int64_t)us * 1000;

	while (w->sums.disk < end && !stop) {
		w->seed = w->seed * 1664525u + 1013904223u;
		if (pread(w->disk, w->block, BLOCK, (off_t)((w->seed >> 8) % blocks * BLOCK)) !=
		    BLOCK)
			die(file);
		measure(w, &w->sums.disk);
	}
}

static void cycle(struct worker *w)
{
	uint64_t end = w->sums.now + cycle_us * 1000;
	struct timespec t;

	if (beside_us) {
		__atomic_add_fetch(turns, 1, __ATOMIC_SEQ_CST);
		syscall(SYS_futex, turns, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
	compute(run_us);
	measure(w, NULL);
	if (sleep_us) {
		t = span(sleep_us);
		clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
		measure(w, &w->sums.sleep);
	}
	if (futex_us) {
		t = span(futex_us);
		syscall(SYS_futex, &w->word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0);
		measure(w, &w->sums.futex);
	}
	if (disk_us)
		read_blocked(w, disk_us);
	if (w->sums.now < end) {
		t = span((end - w->sums.now) / 1000);
		clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
		measure(w, &w->sums.sleep);
	}
	w->log[w->cycles++] = w->sums;
}

static void *work(void *arg)
{
	struct worker *w = arg;

	w->tid = (int)syscall(SYS_gettid);
	w->seed = (uint32_t)w->tid * 2654435761u;
	w->schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	if (w->schedstat < 0)
		die("/proc/thread-self/schedstat");
	if (disk_us) {
		w->disk = open(file, O_RDONLY | O_DIRECT | O_CLOEXEC);
		if (w->disk < 0 || posix_memalign((void **)&w->block, BLOCK, BLOCK))
			die(file);
	}
	measure(w, NULL);
	w->log[w->cycles++] = w->sums;
	while (!stop && w->cycles < CYCLES_MAX)
		cycle(w);
	return NULL;
}

static int beside(pid_t parent)
{
	uint32_t seen = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "beside");
	while (getppid() == parent) {
		uint32_t now = __atomic_load_n(turns, __ATOMIC_SEQ_CST);

		if (now == seen) {
			syscall(SYS_futex, turns, FUTEX_WAIT, seen, NULL, NULL, 0);
			continue;
		}
		seen = now;
		compute(beside_us);
	}
	return 0;
}

static int parse(char **argv, size_t *threads)
{
	struct stat st;

	*threads = strtoul(argv[1], NULL, 10);
	cycle_us = strtoull(argv[2], NULL, 10);
	run_us = strtoull(argv[3], NULL, 10);
	sleep_us = strtoull(argv[4], NULL, 10);
	futex_us = strtoull(argv[5], NULL, 10);
	disk_us = strtoull(argv[6], NULL, 10);
	beside_us = strtoull(argv[7], NULL, 10);
	file = argv[8];
	if (*threads < 1 || *threads > 4096)
		return -1;
	if (!disk_us)
		return 0;
	if (stat(file, &st) || st.st_size < (off_t)BLOCK)
		die(file);
	blocks = (uint64_t)st.st_size / BLOCK;
	return 0;
}

static void start(struct worker *w)
{
	/* pages of the log that are not written take no memory */
	w->log = mmap(NULL, CYCLES_MAX * sizeof(struct sums), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (w->log == MAP_FAILED || pthread_create(&w->thread, NULL, work, w))
		die("thread");
}

static void print(const struct worker *w)
{
	for (size_t i = 0; i < w->cycles; i++) {
		const struct sums *s = &w->log[i];

		printf("%d %llu %llu %llu %lld %lld %lld %llu\n", w->tid,
		       (unsigned long long)s->now, (unsigned long long)s->run,
		       (unsigned long long)s->wait, (long long)s->sleep, (long long)s->futex,
		       (long long)s->disk, (unsigned long long)s->switches);
	}
}

int main(int argc, char **argv)
{
	pid_t other = 0, me = getpid();
	struct worker *workers;
	size_t threads;
	char c;

	if (argc != 9 || parse(argv, &threads)) {
		fprintf(stderr, "usage: parts THREADS CYCLE RUN SLEEP FUTEX DISK BESIDE FILE\n");
		return 2;
	}
	turns = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (turns == MAP_FAILED)
		die("memory");
	if (beside_us && !(other = fork()))
		return beside(me);
	workers = calloc(threads, sizeof(*workers));
	if (!workers)
		die("memory");
	for (size_t i = 0; i < threads; i++)
		start(&workers[i]);
	printf("ready %d %d\n", (int)me, (int)other);
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	stop = 1;
	for (size_t i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		print(&workers[i]);
	}
	free(workers);
	if (other)
		kill(other, SIGKILL);
	return 0;
}
