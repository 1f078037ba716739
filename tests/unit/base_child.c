/* SPDX-License-Identifier: Apache-2.0 */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "tests/unit/unit.h"

/* A child is killed in the end, and what it has executed would not be counted. */
#ifdef SIXTY_COVERAGE
void __gcov_dump(void);
void __gcov_reset(void);

static void count_lines(void)
{
	__gcov_dump();
	__gcov_reset();
}
#else
static void count_lines(void)
{
}
#endif

/* What a question asks for is its first byte. */
static int clerk(void *ctx, const void *request, size_t n, struct buf *answer, int *fd)
{
	const char *q = request;

	count_lines();
	switch (n ? q[0] : 0) {
	case 'e': /* echo */
		buf_add(answer, q + 1, n - 1);
		return 0;
	case 'p': /* pid */
		buf_printf(answer, "%d", (int)getpid());
		return 0;
	case 'h': /* hang, after two items of a list */
		child_set_progress(2);
		for (;;)
			pause();
	case 's': /* stop: like a task that SIGKILL alone wakes */
		raise(SIGSTOP);
		return 0;
	case 'x':
		_exit(3);
	case 'f': /* a descriptor */
		*fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
		buf_str(answer, "here");
		return 0;
	case 'm': /* much */
		buf_fill(answer, 'm', 3u << 20);
		return 0;
	case 'M': /* too much */
		buf_fill(answer, 'm', CHILD_ANSWER_CAP + 1);
		return 0;
	case 'c':
		buf_str(answer, ctx);
		return 0;
	case 'o': /* descriptors that are open */
		for (int i = 0; i < 1024; i++)
			if (fcntl(i, F_GETFD) >= 0)
				buf_printf(answer, "%d ", i);
		return 0;
	default:
		return -ENOENT;
	}
}

static struct child c;
static struct buf answer;
static struct err e;

static int ask(const char *q)
{
	return child_ask(&c, q, strlen(q), 5000, &answer, NULL, &e);
}

static void start(void)
{
	CHECK_INT(child_open(&c, "clerk", clerk, (char[]){ "context" }, &e), 0);
}

static void end(void)
{
	child_close(&c);
	buf_done(&answer);
}

static pid_t clerk_pid(void)
{
	CHECK_INT(ask("p"), 0);
	return (pid_t)atoi(answer.data);
}

/* Not there, or a zombie that a lazy PID 1 has not reaped. */
static int dead(pid_t pid)
{
	char path[40], text[256] = "", *state;
	int fd;

	if (kill(pid, 0) && errno == ESRCH)
		return 1;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return 0;
	close(fd);
	state = strrchr(text, ')');
	return state && state[2] == 'Z';
}

static int gone(pid_t pid)
{
	for (int i = 0; i < 2000; i++) {
		if (dead(pid))
			return 1;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return 0;
}

TEST(a_child_answers_one_question_after_another)
{
	start();
	CHECK_INT(ask("ehello"), 0);
	CHECK_STR(answer.data, "hello");
	CHECK_INT(ask("e"), 0);
	CHECK_UINT(answer.len, 0);
	CHECK_INT(ask("c"), 0);
	CHECK_STR(answer.data, "context");
	CHECK_INT(ask("m"), 0);
	CHECK_UINT(answer.len, 3u << 20);
	end();
}

TEST(an_error_of_the_child_is_the_error_of_the_question)
{
	start();
	CHECK_INT(ask("?"), -ENOENT);
	CHECK_HAS(e.msg, "clerk: No such file");
	CHECK_INT(ask("M"), -EFBIG);
	CHECK_INT(ask("ealive"), 0);
	CHECK_STR(answer.data, "alive");
	end();
}

TEST(a_child_that_never_answers_is_killed_and_replaced)
{
	pid_t first, second;

	start();
	first = clerk_pid();
	CHECK_INT(child_ask(&c, "h", 1, 50, &answer, NULL, &e), -ETIMEDOUT);
	CHECK_HAS(e.msg, "no answer within 50 ms");
	CHECK_UINT(answer.len, 0);
	CHECK_UINT(child_progress(&c), 2);
	CHECK_UINT(c.killed, 1);
	CHECK(gone(first));
	second = clerk_pid();
	CHECK(second != first);
	CHECK_UINT(child_progress(&c), 0);
	CHECK_INT(child_ask(&c, "s", 1, 50, &answer, NULL, &e), -ETIMEDOUT);
	CHECK(gone(second));
	CHECK_INT(ask("eagain"), 0);
	CHECK_STR(answer.data, "again");
	end();
}

TEST(a_child_that_dies_is_replaced_at_the_next_question)
{
	start();
	CHECK_INT(ask("x"), -EPIPE);
	CHECK_INT(ask("eback"), 0);
	CHECK_STR(answer.data, "back");
	kill(c.pid, SIGKILL);
	CHECK_INT(ask("elost"), -EPIPE);
	CHECK_INT(ask("eback"), 0);
	end();
}

TEST(a_child_hands_over_a_descriptor)
{
	char text[64] = "";
	int fd;

	start();
	CHECK_INT(child_ask(&c, "f", 1, 5000, &answer, &fd, &e), 0);
	CHECK_STR(answer.data, "here");
	CHECK(fd >= 0);
	CHECK(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	CHECK_INT(child_ask(&c, "e", 1, 5000, &answer, &fd, &e), 0);
	CHECK_INT(fd, -1);
	end();
}

TEST(a_child_holds_no_descriptor_of_its_parent)
{
	int mine = open("/dev/null", O_RDONLY);

	CHECK(mine >= 0);
	CHECK(dup2(mine, 700) == 700);
	start();
	CHECK_INT(ask("o"), 0);
	CHECK_STR(answer.data, "0 1 2 3 ");
	end();
}

TEST(a_child_does_not_outlive_a_parent_that_is_killed)
{
	int out[2], status;
	pid_t parent, grandchild = 0;

	CHECK_INT(pipe(out), 0);
	parent = fork();
	if (!parent) {
		if (child_open(&c, "clerk", clerk, NULL, NULL) ||
		    child_ask(&c, "p", 1, 5000, &answer, NULL, NULL))
			_exit(1);
		grandchild = (pid_t)atoi(answer.data);
		if (write(out[1], &grandchild, sizeof(grandchild)) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	CHECK_INT(read(out[0], &grandchild, sizeof(grandchild)), sizeof(grandchild));
	kill(parent, SIGKILL);
	CHECK_INT(waitpid(parent, &status, 0), parent);
	CHECK(grandchild > 1);
	CHECK(gone(grandchild));
}

TEST(closing_ends_the_child_and_is_harmless_twice)
{
	pid_t pid;

	start();
	pid = clerk_pid();
	child_close(&c);
	CHECK(gone(pid));
	child_close(&c);
	CHECK_INT(ask("e"), -EBADF);
	c = (struct child){ 0 };
	child_close(&c);
	buf_done(&answer);
}

TEST(a_question_that_is_too_long_is_refused_before_it_is_sent)
{
	static char big[CHILD_REQUEST_CAP + 1];

	start();
	CHECK_INT(child_ask(&c, big, sizeof(big), 5000, &answer, NULL, &e), -EMSGSIZE);
	big[0] = 'e';
	CHECK_INT(child_ask(&c, big, CHILD_REQUEST_CAP, 5000, &answer, NULL, &e), 0);
	CHECK_UINT(answer.len, CHILD_REQUEST_CAP - 1);
	end();
}
