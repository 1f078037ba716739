/* SPDX-License-Identifier: Apache-2.0 */
/* rest: processes at rest of which everything is known by construction, until standard input ends.
 *
 * Says "rest PID" of itself, "NAME PID" for each, then "ready". Each is killed by the kernel when the parent goes, whatever the way.
 *
 *   touched    64 MiB of anonymous memory
 *   shared     16 MiB of shared memory
 *   threads    40 threads asleep, and 20 that used some CPU and are dead
 *   stopped    by SIGSTOP
 *   zombie     ended, not waited for
 *   headless   its first thread has ended, another sleeps
 *   orphan     its parent has ended
 *   files      100 open files besides the usual ones
 *   session    leads a session and a group
 *   nice       nice 7, policy batch
 *   odd        a name with a line break, brackets and blanks
 *   children   had one that used CPU and was waited for */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "rest: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void burn(long ms)
{
	struct timespec t;

	do
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	while (t.tv_sec * 1000 + t.tv_nsec / 1000000 < ms);
}

static void touch(size_t bytes, int flags)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	memset(p, 1, bytes);
}

static void touched(void)
{
	touch(64u << 20, MAP_PRIVATE);
}

static void shared(void)
{
	touch(16u << 20, MAP_SHARED);
}

static void *sleeper(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static void *dying(void *arg)
{
	(void)arg;
	burn(10);
	return NULL;
}

static void start(void *(*run)(void *), pthread_t *id)
{
	pthread_attr_t a;

	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, 65536);
	if (pthread_create(id, &a, run, NULL))
		die("pthread_create");
	pthread_attr_destroy(&a);
}

static void threads(void)
{
	pthread_t id, dead[20];

	for (int i = 0; i < 20; i++)
		start(dying, &dead[i]);
	for (int i = 0; i < 20; i++)
		pthread_join(dead[i], NULL);
	for (int i = 0; i < 40; i++)
		start(sleeper, &id);
}

static void stopped(void)
{
	raise(SIGSTOP);
}

static void zombie(void)
{
	_exit(3);
}

static void headless(void)
{
	pthread_t id;

	start(sleeper, &id);
	syscall(SYS_exit, 0);
}

static void files(void)
{
	for (int i = 0; i < 100; i++)
		if (open("/dev/null", O_RDONLY) < 0)
			die("open");
}

static void session(void)
{
	if (setsid() < 0)
		die("setsid");
}

static void niced(void)
{
	struct sched_param p = { 0 };

	if (setpriority(PRIO_PROCESS, 0, 7) || sched_setscheduler(0, SCHED_BATCH, &p))
		die("setpriority");
}

static void odd(void)
{
	prctl(PR_SET_NAME, ") 1 (\n R) x");
}

static void children(void)
{
	pid_t pid = fork();

	if (!pid) {
		burn(50);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void plain(void)
{
}

/* clang-format off */
static const struct {
	const char *name;
	void (*be)(void);
	char state; /* at rest: S unless it says so; such a one cannot tell when it is there */
} kinds[] = {
	{ "touched", touched, 0 }, { "shared", shared, 0 }, { "threads", threads, 0 }, { "stopped", stopped, 'T' },
	{ "zombie", zombie, 'Z' }, { "headless", headless, 'Z' }, { "files", files, 0 }, { "session", session, 0 },
	{ "nice", niced, 0 }, { "odd", odd, 0 }, { "children", children, 0 }, { "orphan", plain, 0 },
};
/* clang-format on */

static void become(size_t i, int ready)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	burn(20); /* so that times are not all zero */
	if (kinds[i].state)
		dprintf(ready, "%s %d\n", kinds[i].name, (int)getpid());
	kinds[i].be();
	dprintf(ready, "%s %d\n", kinds[i].name, (int)getpid());
	for (;;)
		pause();
}

/* An orphan has no parent whose death could kill it: it looks for the end of a pipe that the first process holds. */
static void orphan(size_t i, int ready, int held)
{
	pid_t parent = getpid();
	char c;

	if (fork())
		_exit(0);
	while (getppid() == parent) /* until it has been adopted */
		usleep(1000);
	dprintf(ready, "%s %d\n", kinds[i].name, (int)getpid());
	while (read(held, &c, 1) > 0)
		;
	_exit(0);
}

static char state_of(pid_t pid, char *text, size_t size)
{
	char path[64], *p;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY);
	n = fd < 0 ? -1 : read(fd, text, size - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	p = strrchr(text, ')');
	return p ? p[2] : 0;
}

/* All of them sleep, are stopped or have ended. */
static void wait_for_rest(const pid_t *pids, size_t n)
{
	char text[1024];

	for (size_t i = 0; i < n; i++) {
		char want = kinds[i].state ? kinds[i].state : 'S';

		while (pids[i] && state_of(pids[i], text, sizeof(text)) != want)
			usleep(1000);
	}
}

int main(void)
{
	enum { N = sizeof(kinds) / sizeof(*kinds) };
	pid_t pids[N] = { 0 };
	char line[64], name[32], c;
	int ready[2], held[2], pid;
	FILE *from;

	if (pipe(ready) || pipe(held))
		die("pipe");
	for (size_t i = 0; i < N; i++) {
		pid_t child = fork();

		if (child < 0)
			die("fork");
		if (!child) {
			close(ready[0]);
			close(held[1]);
			if (!strcmp(kinds[i].name, "orphan"))
				orphan(i, ready[1], held[0]);
			become(i, ready[1]);
		}
		if (!strcmp(kinds[i].name, "orphan"))
			waitpid(child, NULL, 0);
		else
			pids[i] = child;
	}
	close(ready[1]);
	close(held[0]);
	printf("rest %d\n", (int)getpid());
	from = fdopen(ready[0], "r");
	for (size_t i = 0; i < N && from && fgets(line, sizeof(line), from); i++) {
		if (sscanf(line, "%31s %d", name, &pid) == 2)
			printf("%s %d\n", name, pid);
	}
	wait_for_rest(pids, N);
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return 0;
}
