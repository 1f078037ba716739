/* SPDX-License-Identifier: Apache-2.0 */
/* The players: one process whose threads each do one thing by a known amount, and a second one that meets a CPU quota.
 *
 *   prove_troupe_open()    fork, threads are made; all wait in read()
 *   prove_troupe_begin()   all play, beside each other where that changes nothing
 *   (a byte comes back)    all wait in read() again, so that the judge reads accounts that stand still
 *   prove_troupe_close()   killed
 *
 * Each notes in shared memory what it has done, by its own clock. They touch nothing but what prove_place.c has made. */
#include <errno.h>
#include <fcntl.h>
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

#include "base/clock.h"
#include "base/mem.h"
#include "engine/prove_stage.h"

struct play {
	const struct prove_place *place;
	struct prove_facts *facts;
	int starts[ROLES][2], ends[2]; /* pipes */
	int hold[2];                   /* the holder tells the waiter that it has the lock */
	pthread_mutex_t lock;
	int written; /* the file that two write to */
	int cpu;     /* for those that are to meet on one */
};

static struct play play;

uint64_t prove_now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static void nap(uint64_t ns)
{
	const struct timespec t = { .tv_nsec = (long)ns };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

static void compute_until(uint64_t end)
{
	volatile unsigned n = 0;

	while (prove_now() < end)
		for (int i = 0; i < 2000; i++)
			n++;
}

static void pin(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(play.cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static bool await(int fd)
{
	char byte;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

static void tell(int fd)
{
	while (write(fd, "", 1) < 0 && errno == EINTR)
		;
}

/* ---- threads ---- */

static void sleep_often(void)
{
	for (int i = 0; i < PROVE_SLEEPS; i++)
		nap(PROVE_SLEEP_NS);
}

static void compute(void)
{
	compute_until(prove_now() + PROVE_HOGS_NS);
}

static void compute_lightly(void)
{
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 5);
	compute();
}

static void hold_lock(void)
{
	for (int i = 0; i < PROVE_LOCKS; i++) {
		pthread_mutex_lock(&play.lock);
		tell(play.hold[1]);
		nap(PROVE_LOCK_NS);
		pthread_mutex_unlock(&play.lock);
		nap(1000000); /* the waiter has it meanwhile */
	}
}

/* Its wall time is that of its waits only. */
static void wait_for_lock(void)
{
	uint64_t waited = 0;

	for (int i = 0; i < PROVE_LOCKS && await(play.hold[0]); i++) {
		uint64_t began = prove_now();

		pthread_mutex_lock(&play.lock);
		waited += prove_now() - began;
		pthread_mutex_unlock(&play.lock);
	}
	play.facts->wall[ROLE_WAITER] = waited;
}

/* Two on one CPU: whoever is interrupted while it has the file's lock lets the other wait. */
static void write_file(void)
{
	uint64_t end = prove_now() + PROVE_WRITES_NS;
	size_t size = 4u << 20;
	char *bytes = mem_try(size, size);

	while (bytes && prove_now() < end)
		if (pwrite(play.written, bytes, size, 0) < 0)
			break;
	mem_free(bytes);
}

static void use_network(void)
{
	if (play.place->net)
		prove_play_net(play.facts);
}

static const struct {
	void (*act)(void);
	bool pinned, own_clock;
} roles[ROLES] = {
	[ROLE_SLEEPER] = { sleep_often, false, false },
	[ROLE_HEAVY] = { compute, true, false },
	[ROLE_LIGHT] = { compute_lightly, true, false },
	[ROLE_HOLDER] = { hold_lock, false, false },
	[ROLE_WAITER] = { wait_for_lock, false, true },
	[ROLE_WRITER] = { write_file, true, false },
	[ROLE_WRITER2] = { write_file, true, false },
	[ROLE_NET] = { use_network, false, false },
};

static void *run_role(void *arg)
{
	enum prove_role r = (enum prove_role)(size_t)arg;
	uint64_t began;

	play.facts->tids[r] = (uint32_t)syscall(SYS_gettid);
	if (roles[r].pinned)
		pin();
	tell(play.ends[1]);
	while (await(play.starts[r][0])) {
		began = prove_now();
		roles[r].act();
		if (!roles[r].own_clock)
			play.facts->wall[r] = prove_now() - began;
		tell(play.ends[1]);
	}
	return NULL;
}

static void start(enum prove_role r)
{
	tell(play.starts[r][1]);
}

static void await_ends(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		await(play.ends[0]);
}

/* ---- what the first thread does itself ---- */

struct life {
	uint64_t ns;
	pid_t tid;
};

static void *live_shortly(void *arg)
{
	uint64_t began = prove_now();
	struct life *l = arg;

	l->tid = (pid_t)syscall(SYS_gettid);

	compute_until(began + 2000000);
	nap(3000000);
	l->ns = prove_now() - began;
	return NULL;
}

static void bear_threads(struct prove_facts *f)
{
	for (int i = 0; i < PROVE_BIRTHS; i++) {
		uint64_t began = prove_now();
		struct life l = { 0 };
		pthread_t t;

		if (pthread_create(&t, NULL, live_shortly, &l))
			return;
		pthread_join(t, NULL);
		/* which does not wait for its very end */
		while (!syscall(SYS_tgkill, getpid(), l.tid, 0))
			sched_yield();
		f->born_most += prove_now() - began;
		f->born_least += l.ns;
		f->born++;
	}
}

static void bear_children(struct prove_facts *f)
{
	char name[] = "sixty", option[] = "--version";
	char *const argv[] = { name, option, NULL }, *const envp[] = { NULL };

	for (int i = 0; i < 2 * PROVE_CHILDREN; i++) {
		pid_t pid = fork();
		int status = 0;

		if (pid < 0) {
			snprintf(f->why_children, sizeof(f->why_children),
				 "no process can be made: %s", strerror(errno));
			return;
		}
		if (!pid) {
			if (i < PROVE_CHILDREN)
				execve("/proc/self/exe", argv, envp);
			_exit(PROVE_STATUS);
		}
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (WIFEXITED(status) &&
		    WEXITSTATUS(status) == (i < PROVE_CHILDREN ? 0 : PROVE_STATUS))
			f->children++;
	}
	if (f->children < 2 * PROVE_CHILDREN)
		snprintf(f->why_children, sizeof(f->why_children),
			 "only %u of %d children ended as they should", f->children,
			 2 * PROVE_CHILDREN);
}

static void ask_kernel(struct prove_facts *f)
{
	char path[64];

	for (int i = 0; i < PROVE_OPENS; i++) {
		snprintf(path, sizeof(path), PROVE_ABSENT "%d", i);
		f->opens += open(path, O_RDONLY | O_CLOEXEC) < 0 && errno == ENOENT;
	}
	for (int i = 0; i < PROVE_CALLS; i++)
		f->calls += syscall(SYS_close, -1) < 0 && errno == EBADF;
	for (int i = 0; i < PROVE_SIGNALS; i++)
		f->signals += !raise(SIGUSR1);
}

static void read_disks(struct prove_facts *f)
{
	void *block = NULL;
	uint64_t began;
	char path[40];
	int bare;

	if (posix_memalign(&block, 4096, 4096))
		return;
	began = prove_now();
	for (int i = 0; i < PROVE_READS && play.place->loop >= 0; i++) {
		if (pread(play.place->loop, block, 4096, (off_t)i * 65536) != 4096) {
			snprintf(f->why_reads, sizeof(f->why_reads),
				 "the loop device cannot be read past the cache: %s",
				 strerror(errno));
			break;
		}
		f->reads++;
	}
	f->reads_wall = prove_now() - began;
	/* the disk itself: what interrupts when it is done */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", play.place->file);
	bare = play.place->file >= 0 ? open(path, O_RDONLY | O_DIRECT | O_CLOEXEC) : -1;
	for (int i = 0; i < PROVE_READS && bare >= 0; i++)
		f->bare_reads += pread(bare, block, 4096, (off_t)i * 65536 + 32768) == 4096;
	if (bare >= 0)
		close(bare);
	free(block);
}

static void sync_file(struct prove_facts *f)
{
	for (int i = 0; i < PROVE_SYNCS && play.place->file >= 0; i++) {
		if (pwrite(play.place->file, "sixty", 5, 1048576) != 5 || fsync(play.place->file)) {
			snprintf(f->why_syncs, sizeof(f->why_syncs),
				 "the file cannot be synced: %s", strerror(errno));
			return;
		}
		f->syncs++;
	}
}

/* The memory of the one with the quota, which is charged to the group. */
static void reclaim(struct prove_facts *f)
{
	const char *name = play.place->v2_memory ? "memory.reclaim" : "memory.force_empty";
	char path[320];
	uint64_t began;
	int fd;

	if (!play.place->memory[0])
		return;
	snprintf(path, sizeof(path), "%s/%s", play.place->memory, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	began = prove_now();
	/* EAGAIN: it has tried, and found less than it was asked for */
	if (fd >= 0 && (write(fd, "1048576", 7) > 0 || errno == EAGAIN || errno == EBUSY))
		f->reclaims = 1;
	else
		snprintf(f->why_reclaim, sizeof(f->why_reclaim), "%s of a group of our own: %s",
			 name, strerror(errno));
	f->reclaim_wall = prove_now() - began;
	if (fd >= 0)
		close(fd);
}

static void perform(struct prove_facts *f)
{
	start(ROLE_NET); /* takes longest: it waits for time-outs of TCP */
	start(ROLE_SLEEPER);
	start(ROLE_HOLDER);
	start(ROLE_WAITER);
	bear_threads(f);
	bear_children(f);
	ask_kernel(f);
	read_disks(f);
	sync_file(f);
	await_ends(3);
	start(ROLE_HEAVY);
	start(ROLE_LIGHT);
	await_ends(2);
	start(ROLE_WRITER);
	start(ROLE_WRITER2);
	reclaim(f);
	await_ends(3);
}

/* ---- the processes ---- */

static void count_signal(int number)
{
	(void)number;
}

static void join_group(const char *group)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	fd = group[0] ? open(path, O_WRONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	(void)!write(fd, "0", 1);
	close(fd);
}

/* Dies with its parent, whatever becomes of that. */
static void depend_on(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

static char *touch_memory(void)
{
	char *bytes = mmap(NULL, PROVE_TOUCHED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);

	if (bytes == MAP_FAILED)
		return NULL;
	memset(bytes, 1, PROVE_TOUCHED);
	return bytes;
}

static void play_throttled(const struct prove_place *p, pid_t parent, int orders, int answers)
{
	depend_on(parent);
	join_group(p->cpu);
	if (strcmp(p->cpu, p->memory) != 0)
		join_group(p->memory);
	touch_memory();
	tell(answers);
	while (await(orders))
		compute_until(prove_now() + PROVE_HOGS_NS);
	_exit(0);
}

static void last_cpu(void)
{
	cpu_set_t set;

	play.cpu = 0;
	if (sched_getaffinity(0, sizeof(set), &set))
		return;
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			play.cpu = i;
}

static void play_main(const struct prove_place *p, struct prove_facts *f, pid_t parent, int orders,
		      int answers)
{
	struct sigaction act = { .sa_handler = count_signal, .sa_flags = SA_RESTART };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pthread_t t;

	depend_on(parent);
	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	sigaction(SIGUSR1, &act, NULL);
	f->address = 0x7f000000u | 1u << 23 | ((uint32_t)getpid() & 0x3fffffu) << 1 | 1;
	play = (struct play){ .place = p, .facts = f, .lock = PTHREAD_MUTEX_INITIALIZER };
	last_cpu();
	play.written = (int)syscall(SYS_memfd_create, "sixty-prove", 1u /* MFD_CLOEXEC */);
	if (play.written < 0 || pipe2(play.ends, O_CLOEXEC) || pipe2(play.hold, O_CLOEXEC))
		_exit(1);
	touch_memory();
	for (size_t r = 0; r < ROLES; r++)
		if (pipe2(play.starts[r], O_CLOEXEC) ||
		    pthread_create(&t, NULL, run_role, (void *)r))
			_exit(1);
	await_ends(ROLES);
	tell(answers);
	while (await(orders)) {
		perform(f);
		tell(answers);
	}
	_exit(0);
}

static void shut(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* Its pid, or -errno. */
static pid_t fork_player(struct prove_troupe *t, const struct prove_place *p, int orders,
			 int *answers, bool throttled)
{
	pid_t self = getpid(), pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		shut(answers[0]);
		shut(t->orders);
		shut(t->quota);
		signal(SIGINT, SIG_IGN); /* the judge decides */
		if (throttled)
			play_throttled(p, self, orders, answers[1]);
		play_main(p, t->facts, self, orders, answers[1]);
	}
	return pid;
}

static int open_pipes(struct prove_troupe *t, int *orders, int *quota, int *answers)
{
	if (pipe2(orders, O_CLOEXEC))
		return -errno;
	t->orders = orders[1];
	if (pipe2(quota, O_CLOEXEC))
		return -errno;
	t->quota = quota[1];
	if (pipe2(answers, O_CLOEXEC))
		return -errno;
	t->answers = answers[0];
	return 0;
}

int prove_troupe_open(struct prove_troupe *t, const struct prove_place *p, struct err *e)
{
	int orders[2] = { -1, -1 }, quota[2] = { -1, -1 }, answers[2] = { -1, -1 };
	int rc = -EINVAL;

	*t = (struct prove_troupe){ .orders = -1, .quota = -1, .answers = -1 };
	t->facts = mmap(NULL, sizeof(*t->facts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (t->facts == MAP_FAILED) {
		t->facts = NULL;
		return err_errno(e, -errno,
				 "cannot share memory with the processes that are to be measured");
	}
	rc = open_pipes(t, orders, quota, answers);
	if (!rc) {
		t->pid = fork_player(t, p, orders[0], answers, false);
		rc = t->pid < 0 ? t->pid : 0;
	}
	if (!rc && (p->cpu[0] || p->memory[0])) {
		t->throttled = fork_player(t, p, quota[0], answers, true);
		rc = t->throttled < 0 ? t->throttled : 0;
	}
	shut(orders[0]);
	shut(quota[0]);
	shut(answers[1]);
	if (rc)
		return err_errno(e, rc, "cannot make the processes that are to be measured");
	if (!await(t->answers) || (t->throttled && !await(t->answers)))
		return err_set(e, -ECHILD,
			       "the processes that are to be measured have ended at once");
	return 0;
}

void prove_troupe_begin(struct prove_troupe *t)
{
	tell(t->orders);
	if (t->throttled)
		tell(t->quota);
}

static void end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void prove_troupe_close(struct prove_troupe *t)
{
	end(t->pid);
	end(t->throttled);
	shut(t->orders);
	shut(t->quota);
	shut(t->answers);
	if (t->facts)
		munmap(t->facts, sizeof(*t->facts));
	*t = (struct prove_troupe){ .orders = -1, .quota = -1, .answers = -1 };
}
