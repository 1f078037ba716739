/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

TEST(a_buffer_grows_and_always_ends_in_nul)
{
	struct buf b = { 0 };

	buf_str(&b, "six");
	buf_char(&b, 't');
	buf_add(&b, "yXX", 1);
	buf_fill(&b, '!', 3);
	CHECK_STR(b.data, "sixty!!!");
	CHECK_UINT(b.len, 8);
	for (int i = 0; i < 10000; i++)
		buf_char(&b, 'x');
	CHECK_UINT(b.len, 10008);
	CHECK_UINT(strlen(b.data), b.len);
	CHECK(b.cap > b.len);
	buf_done(&b);
	CHECK(!b.data && !b.len && !b.cap);
	buf_done(&b);
	buf_done(NULL);
}

TEST(an_empty_addition_makes_an_empty_string)
{
	struct buf b = { 0 };

	buf_add(&b, NULL, 0);
	CHECK_STR(b.data, "");
	buf_clear(&b);
	CHECK_STR(b.data, "");
	buf_done(&b);
}

TEST(clearing_a_buffer_keeps_its_memory)
{
	struct buf b = { 0 };
	const char *data;

	buf_clear(&b);
	CHECK(!b.data);
	buf_fill(&b, 'a', 500);
	data = b.data;
	buf_clear(&b);
	CHECK_STR(b.data, "");
	buf_fill(&b, 'b', 500);
	CHECK(b.data == data);
	buf_done(&b);
}

TEST(reserving_does_not_change_the_contents)
{
	struct buf b = { 0 };

	buf_str(&b, "abc");
	buf_reserve(&b, 100000);
	CHECK(b.cap > 100003);
	CHECK_STR(b.data, "abc");
	buf_done(&b);
}

TEST(printing_takes_as_much_room_as_it_needs)
{
	struct buf b = { 0 };

	buf_printf(&b, "%d-%s", 5, "x");
	CHECK_STR(b.data, "5-x");
	buf_printf(&b, "%01000d|", 7);
	CHECK_UINT(b.len, 3 + 1001);
	CHECK_STR(b.data + b.len - 2, "7|");
	buf_done(&b);
}

static void reserve_everything(void)
{
	struct buf b = { .len = 5 };

	buf_reserve(&b, SIZE_MAX - 2);
}

TEST(an_impossible_buffer_aborts)
{
	CHECK_ABORTS(reserve_everything);
}

TEST(writing_reports_what_the_kernel_says)
{
	struct buf b = { 0 };
	int fds[2];

	buf_str(&b, "x");
	CHECK_INT(buf_write(&b, -1), -EBADF);
	CHECK_INT(pipe(fds), 0);
	close(fds[0]);
	signal(SIGPIPE, SIG_IGN);
	CHECK_INT(buf_write(&b, fds[1]), -EPIPE);
	buf_clear(&b);
	CHECK_INT(buf_write(&b, fds[1]), 0); /* nothing to write is no error */
	buf_done(&b);
}

/* 1 MiB through a pipe of 64 KiB: short writes, and EAGAIN where the fd is non-blocking. */
static void write_through_pipe(int flags)
{
	struct buf b = { 0 };
	char piece[4096];
	size_t seen = 0;
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	CHECK_INT(pipe(fds), 0);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		int rc;

		fcntl(fds[1], F_SETFL, flags);
		buf_fill(&b, 'z', 1 << 20);
		rc = buf_write(&b, fds[1]);
		_exit(rc ? 1 : 0);
	}
	close(fds[1]);
	while ((n = read(fds[0], piece, sizeof(piece))) > 0)
		seen += (size_t)n;
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
	CHECK_UINT(seen, 1 << 20);
}

TEST(everything_is_written_through_short_writes)
{
	write_through_pipe(0);
}

TEST(everything_is_written_to_a_non_blocking_pipe)
{
	write_through_pipe(O_NONBLOCK);
}
