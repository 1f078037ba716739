/* SPDX-License-Identifier: Apache-2.0 */
/* Waits for profiles: two sweeps over all threads, and maps that are read when the window has ended. */
#include "collectors/bpf_waits.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "collectors/bpf_engine.h"
#include "collectors/bpf_profile.h"

#define RECORD_MOST \
	(sizeof(struct wire_profile) + WIRE_KERNEL_FRAMES * sizeof(uint64_t) + WIRE_COPY)
#define PIPE_BYTES (1 << 20)

/* ---- the window ---- */

int bpf_waits_window(struct bpf_engine *b, uint64_t from, uint64_t until)
{
	struct wire_window w = { .from = from, .until = until };

	return bpf_engine_put(b, "profile_window", &w);
}

struct sweeper {
	void (*each)(void *ctx, const struct wire_asleep *a);
	void *ctx;
};

static void take_asleep(void *ctx, const void *record)
{
	const struct sweeper *s = ctx;

	s->each(s->ctx, record);
}

int bpf_waits_sweep(struct bpf_engine *b, void (*each)(void *ctx, const struct wire_asleep *a),
		    void *ctx, struct err *e)
{
	struct sweeper s = { each, ctx };

	return bpf_engine_iterate(b, "profile_sweep", sizeof(struct wire_asleep), take_asleep, &s,
				  e);
}

/* ---- stacks of sleepers ---- */

static void copy_all(int from, int to) __attribute__((noreturn));

/* In the child. It has no descriptor that would keep a program attached. */
static void copy_all(int from, int to)
{
	static char bytes[65536];
	ssize_t n;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(from, STDIN_FILENO);
	dup2(to, STDOUT_FILENO);
	syscall(SYS_close_range, 2u, ~0u, 0u);
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_DFL);
	while ((n = read(STDIN_FILENO, bytes, sizeof(bytes))) != 0) {
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		for (ssize_t at = 0, w; at < n; at += w) {
			w = write(STDOUT_FILENO, bytes + at, (size_t)(n - at));
			if (w <= 0)
				_exit(1);
		}
		if (n < 0)
			_exit(1);
	}
	_exit(0);
}

struct sleepers {
	void (*each)(void *ctx, const struct wire_profile *s, const uint64_t *ip,
		     const uint8_t *copy);
	void *ctx;
	char *bytes; /* aligned */
	size_t have;
};

/* As many whole records as have come. */
static void take_records(struct sleepers *s)
{
	size_t at = 0;

	while (s->have - at >= sizeof(struct wire_profile)) {
		const struct wire_profile *p = (const void *)(s->bytes + at);
		size_t size = sizeof(*p) + WIRE_KERNEL_FRAMES * sizeof(uint64_t) + p->copied;
		const uint64_t *ip;
		const uint8_t *copy;

		if (size > RECORD_MOST)
			size = RECORD_MOST;
		if (s->have - at < size)
			break;
		if (bpf_profile_record(p, size, &p, &ip, &copy))
			s->each(s->ctx, p, ip, copy);
		at += size;
	}
	memmove(s->bytes, s->bytes + at, s->have - at);
	s->have -= at;
}

/* 0: all has come. */
static int read_records(struct sleepers *s, int fd, uint64_t deadline_ns)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t now = clock_ns(CLOCK_MONOTONIC);
		ssize_t n;

		if (now >= deadline_ns)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)((deadline_ns - now) / 1000000u) + 1) <= 0)
			continue;
		n = read(fd, s->bytes + s->have, PIPE_BYTES - s->have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		s->have += (size_t)n;
		take_records(s);
	}
}

/* One that hangs in the kernel cannot be waited for: it is killed, and gone when it comes back. */
static int end_child(pid_t pid, int err)
{
	int status;

	if (err) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, WNOHANG);
		return err;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

int bpf_waits_sleepers(struct bpf_engine *b, unsigned deadline_ms,
		       void (*each)(void *ctx, const struct wire_profile *s, const uint64_t *ip,
				    const uint8_t *copy),
		       void *ctx, struct err *e)
{
	struct sleepers s = { .each = each, .ctx = ctx };
	uint64_t deadline_ns = clock_ns(CLOCK_MONOTONIC) + (uint64_t)deadline_ms * 1000000u;
	int rc = -EINVAL, fd, pipes[2], err;
	pid_t pid;

	fd = bpf_engine_iterator(b, "profile_sleepers", e);
	if (fd < 0)
		return fd;
	if (pipe2(pipes, O_CLOEXEC)) {
		rc = err_errno(e, -errno, "cannot read the stacks of sleepers");
		close(fd);
		return rc;
	}
	pid = fork();
	if (!pid) {
		close(pipes[0]);
		copy_all(fd, pipes[1]);
	}
	close(fd);
	close(pipes[1]);
	if (pid < 0) {
		rc = err_errno(e, -errno, "cannot read the stacks of sleepers");
		goto out;
	}
	s.bytes = mem_alloc(PIPE_BYTES);
	err = end_child(pid, read_records(&s, pipes[0], deadline_ns));
	rc = err ? err_errno(e, err, "cannot read the stacks of sleepers") : 0;
	mem_free(s.bytes);
out:
	close(pipes[0]);
	return rc;
}

/* ---- what has ended ---- */

struct walker {
	void (*each)(void *ctx, const struct wire_wait_key *key, const struct wire_wait *w);
	void *ctx;
};

static void take_wait(void *ctx, const void *key, const void *value)
{
	const struct walker *w = ctx;

	w->each(w->ctx, key, value);
}

int bpf_waits_walk(struct bpf_engine *b,
		   void (*each)(void *ctx, const struct wire_wait_key *key,
				const struct wire_wait *w),
		   void *ctx)
{
	struct walker w = { each, ctx };

	return bpf_engine_walk(b, "profile_waits", sizeof(struct wire_wait_key),
			       sizeof(struct wire_wait), take_wait, &w);
}

int bpf_waits_choice(struct bpf_engine *b, struct wire_choice *sum)
{
	int cpus = bpf_engine_cpus(b), fd = bpf_engine_fd(b, "profile_choice"), err;
	struct wire_choice *each = mem_array((size_t)cpus, sizeof(*each));
	uint32_t zero = 0;

	memset(sum, 0, sizeof(*sum));
	err = fd < 0 ? -ENOENT : bpf_map_lookup_elem(fd, &zero, each);
	for (int cpu = 0; cpu < cpus && !err; cpu++) {
		for (unsigned p = 0; p < PART_SLOTS; p++)
			sum->ns[p] += each[cpu].ns[p];
		sum->waits += each[cpu].waits;
		sum->chosen += each[cpu].chosen;
		sum->filtered += each[cpu].filtered;
		for (unsigned i = 0; i < 2; i++)
			if (each[cpu].pace[i].most > sum->pace[i].most)
				sum->pace[i].most = each[cpu].pace[i].most;
	}
	mem_free(each);
	return err;
}
