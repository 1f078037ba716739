/* SPDX-License-Identifier: Apache-2.0 */
/* A forked helper with questions and answers over a socket pair. See child.h. */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#define CHILD_SOCKET 3  /* the child's one descriptor above /dev/null */
#define REAP_TRIES   50 /* a killed child that is not stuck is gone within milliseconds */

struct frame {
	uint32_t size; /* of what follows */
	int32_t rc;    /* of the answer; 0 in a request */
	uint32_t has_fd;
};

static volatile uint64_t *my_progress; /* in the child */

void child_set_progress(uint64_t at)
{
	if (my_progress)
		*my_progress = at;
}

uint64_t child_progress(const struct child *c)
{
	return c->progress ? *c->progress : 0;
}

/* ---- the child's side: blocking, ends with its parent ---- */

static bool receive_all(int fd, void *p, size_t n)
{
	char *at = p;

	while (n) {
		ssize_t got = recv(fd, at, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += got;
		n -= (size_t)got;
	}
	return true;
}

static bool send_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n) {
		ssize_t put = send(fd, at, n, MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		at += put;
		n -= (size_t)put;
	}
	return true;
}

/* A frame with what follows it, at once: each message wakes the other side. */
static ssize_t send_frame(int socket, const struct frame *f, const void *body, int fd, int flags)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec io[] = { { .iov_base = (void *)(uintptr_t)f, .iov_len = sizeof(*f) },
			      { .iov_base = (void *)(uintptr_t)body, .iov_len = f->size } };
	struct msghdr m = { .msg_iov = io, .msg_iovlen = 2 };
	ssize_t put;

	if (fd >= 0) {
		m.msg_control = control.space;
		m.msg_controllen = sizeof(control.space);
		*CMSG_FIRSTHDR(&m) = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
						       .cmsg_level = SOL_SOCKET,
						       .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fd, sizeof(fd));
	}
	do
		put = sendmsg(socket, &m, MSG_NOSIGNAL | flags);
	while (put < 0 && errno == EINTR);
	return put < 0 ? -errno : put;
}

/* What of the body a message that was cut has left out. */
static size_t left_out(const struct frame *f, ssize_t put)
{
	return sizeof(*f) + f->size - (size_t)put;
}

static bool serve_one(const struct child *c, struct buf *request, struct buf *answer)
{
	struct frame f;
	ssize_t put;
	int fd = -1;

	if (!receive_all(CHILD_SOCKET, &f, sizeof(f)) || f.size > CHILD_REQUEST_CAP)
		return false;
	buf_clear(request);
	buf_reserve(request, f.size + 1);
	if (!receive_all(CHILD_SOCKET, request->data, f.size))
		return false;
	request->data[f.size] = '\0';
	buf_clear(answer);
	f = (struct frame){ .rc = c->answer(c->ctx, request->data, f.size, answer, &fd) };
	if (answer->len > CHILD_ANSWER_CAP) {
		buf_clear(answer);
		f.rc = -EFBIG;
	}
	f.size = (uint32_t)answer->len;
	f.has_fd = fd >= 0;
	put = send_frame(CHILD_SOCKET, &f, answer->data, fd, 0);
	if (fd >= 0)
		close(fd);
	return put >= (ssize_t)sizeof(f) &&
	       send_all(CHILD_SOCKET, answer->data + answer->len - left_out(&f, put),
			left_out(&f, put));
}

/* Nothing of the parent's may stay open here: a stuck child would keep a pipe's reader waiting for its end. */
static void leave_parent(int socket)
{
	int null;

	if (socket != CHILD_SOCKET)
		dup2(socket, CHILD_SOCKET);
	if (syscall(SYS_close_range, CHILD_SOCKET + 1, ~0u, 0))
		for (int fd = CHILD_SOCKET + 1, max = (int)sysconf(_SC_OPEN_MAX);
		     fd < max && fd < 65536; fd++)
			close(fd);
	null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < CHILD_SOCKET; fd++) {
		if (null < 0)
			close(fd);
		else if (null != fd)
			dup2(null, fd);
	}
	if (null > CHILD_SOCKET)
		close(null);
}

static void default_signals(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	/* Ctrl-C reaches the whole foreground group; the parent still wants answers for what it prints then. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void serve(const struct child *c, int socket, pid_t parent) __attribute__((noreturn));
static void serve(const struct child *c, int socket, pid_t parent)
{
	struct buf request = { 0 }, answer = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* died before the line above */
		_exit(0);
	prctl(PR_SET_NAME, c->name);
	default_signals();
	leave_parent(socket);
	my_progress = c->progress;
	mem_on_abort(NULL);
	while (serve_one(c, &request, &answer))
		;
	_exit(0);
}

/* ---- the parent's side: never waits longer than it was told ---- */

static void nap_ms(long ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000 };

	nanosleep(&t, NULL);
}

static bool reaped(pid_t pid)
{
	pid_t got;

	do
		got = waitpid(pid, NULL, WNOHANG);
	while (got < 0 && errno == EINTR);
	return got == pid || (got < 0 && errno == ECHILD);
}

static void reap_stuck(struct child *c)
{
	unsigned left = 0;

	for (unsigned i = 0; i < c->nstuck; i++)
		if (!reaped(c->stuck[i]))
			c->stuck[left++] = c->stuck[i];
	c->nstuck = left;
}

static void end_child(struct child *c)
{
	if (!c->pid)
		return;
	close(c->socket);
	c->socket = -1;
	kill(c->pid, SIGKILL);
	for (int i = 0; i < REAP_TRIES; i++) {
		if (reaped(c->pid)) {
			c->pid = 0;
			return;
		}
		nap_ms(1);
	}
	/* start_child() leaves room for it */
	c->stuck[c->nstuck++] = c->pid;
	c->pid = 0;
}

static int start_child(struct child *c, struct err *e)
{
	pid_t parent = getpid();
	int pair[2];

	reap_stuck(c);
	if (c->nstuck == CHILD_STUCK)
		return err_set(e, -EAGAIN, "%u helpers (%s) are stuck in the kernel already",
			       c->nstuck, c->name);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return err_errno(e, -errno, "cannot open a socket pair for a helper (%s)", c->name);
	*c->progress = 0;
	c->pid = fork();
	if (c->pid == 0)
		serve(c, pair[1], parent);
	close(pair[1]);
	if (c->pid < 0) {
		int err = -errno;

		c->pid = 0;
		close(pair[0]);
		return err_errno(e, err, "cannot fork a helper (%s)", c->name);
	}
	c->socket = pair[0];
	return 0;
}

int child_open(struct child *c, const char *name, child_answer_fn *answer, void *ctx, struct err *e)
{
	void *shared = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int err;

	*c = (struct child){ .name = name, .answer = answer, .ctx = ctx, .socket = -1 };
	if (shared == MAP_FAILED)
		return err_errno(e, -errno, "cannot share a page with a helper (%s)", name);
	c->progress = shared;
	err = start_child(c, e);
	if (err)
		child_close(c);
	return err;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 0 when the socket is ready for `events`. */
static int wait_for(int socket, short events, int64_t until_ms)
{
	struct pollfd p = { .fd = socket, .events = events };

	for (;;) {
		int64_t left = until_ms - now_ms();
		int n = poll(&p, 1, left > 0 ? (int)left : 0);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0 && left <= 0)
			return -ETIMEDOUT;
	}
}

static int put(int socket, const void *p, size_t n, int64_t until_ms)
{
	const char *at = p;

	while (n) {
		ssize_t sent = send(socket, at, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		int err;

		if (sent >= 0) {
			at += sent;
			n -= (size_t)sent;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -EPIPE;
		err = wait_for(socket, POLLOUT, until_ms);
		if (err)
			return err;
	}
	return 0;
}

/* A descriptor that comes along is kept in *fd; never more than one is sent. */
static int get(int socket, void *p, size_t n, int *fd, int64_t until_ms)
{
	char *at = p;

	while (n) {
		union {
			struct cmsghdr align;
			char space[CMSG_SPACE(sizeof(int))];
		} control;
		struct iovec io = { .iov_base = at, .iov_len = n };
		struct msghdr m = { .msg_iov = &io,
				    .msg_iovlen = 1,
				    .msg_control = control.space,
				    .msg_controllen = sizeof(control.space) };
		struct cmsghdr *h;
		ssize_t got = recvmsg(socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		int err;

		if (got < 0 && errno == EAGAIN) {
			err = wait_for(socket, POLLIN, until_ms);
			if (err)
				return err;
			continue;
		}
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -EPIPE;
		h = CMSG_FIRSTHDR(&m);
		if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS && *fd < 0)
			memcpy(fd, CMSG_DATA(h), sizeof(*fd));
		at += got;
		n -= (size_t)got;
	}
	return 0;
}

static int exchange(struct child *c, const void *request, size_t n, int64_t until_ms,
		    struct buf *answer, int *fd, int *answered)
{
	struct frame f = { .size = (uint32_t)n };
	ssize_t sent = send_frame(c->socket, &f, request, -1, MSG_DONTWAIT);
	int err = sent < (ssize_t)sizeof(f) ? -EPIPE : 0; /* the socket of one who waits has room */

	if (!err)
		err = put(c->socket, (const char *)request + n - left_out(&f, sent),
			  left_out(&f, sent), until_ms);
	if (!err)
		err = get(c->socket, &f, sizeof(f), fd, until_ms);
	if (err)
		return err;
	if (f.size > CHILD_ANSWER_CAP)
		return -EPIPE;
	buf_reserve(answer, (size_t)f.size + 1);
	err = get(c->socket, answer->data, f.size, fd, until_ms);
	if (err)
		return err;
	answer->len = f.size;
	answer->data[answer->len] = '\0';
	*answered = f.rc;
	return 0;
}

int child_ask(struct child *c, const void *request, size_t n, unsigned deadline_ms,
	      struct buf *answer, int *fd, struct err *e)
{
	int got_fd = -1, answered = 0, err;

	if (fd)
		*fd = -1;
	buf_clear(answer);
	if (!c->progress)
		return err_set(e, -EBADF, "the helper (%s) is closed", c->name ? c->name : "");
	if (n > CHILD_REQUEST_CAP)
		return err_set(e, -EMSGSIZE,
			       "a question of %zu bytes is too long for the helper (%s)", n,
			       c->name);
	err = c->pid ? 0 : start_child(c, e);
	if (err)
		return err;
	*c->progress = 0;
	err = exchange(c, request, n, now_ms() + deadline_ms, answer, &got_fd, &answered);
	if (err) {
		buf_clear(answer);
		if (got_fd >= 0)
			close(got_fd);
		c->killed += err == -ETIMEDOUT;
		end_child(c);
		return err == -ETIMEDOUT
			       ? err_set(e, err, "the helper (%s) gave no answer within %u ms",
					 c->name, deadline_ms)
			       : err_errno(e, err, "the helper (%s) died", c->name);
	}
	if (fd)
		*fd = got_fd;
	else if (got_fd >= 0)
		close(got_fd);
	return answered ? err_errno(e, answered, "%s", c->name) : 0;
}

void child_close(struct child *c)
{
	if (!c->progress)
		return;
	end_child(c);
	reap_stuck(c);
	munmap((void *)(uintptr_t)c->progress, sizeof(uint64_t));
	c->progress = NULL;
}
