/* SPDX-License-Identifier: Apache-2.0 */
/* fork, then wait on a pipe, then exec: whoever watches knows the number before anything has happened. */
#include "engine/command.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void run(char *const *argv, const sigset_t *mask, int go, int why) __attribute__((noreturn));

static void run(char *const *argv, const sigset_t *mask, int go, int why)
{
	char byte;
	ssize_t n;
	int err;

	do
		n = read(go, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(127); /* nobody wants it any more */
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	err = errno;
	n = write(why, &err, sizeof(err));
	_exit(127);
}

int command_hold(struct started *c, char *const *argv, const sigset_t *mask, struct err *e)
{
	int go[2] = { -1, -1 }, why[2] = { -1, -1 };

	memset(c, 0, sizeof(*c));
	c->go = c->why = -1;
	if (pipe2(go, O_CLOEXEC) || pipe2(why, O_CLOEXEC))
		goto fail;
	c->pid = fork();
	if (c->pid < 0)
		goto fail;
	if (!c->pid) {
		close(go[1]);
		close(why[0]);
		run(argv, mask, go[0], why[1]);
	}
	close(go[0]);
	close(why[1]);
	c->go = go[1];
	c->why = why[0];
	return 0;
fail:
	err_errno(e, -errno, "cannot start %s", argv[0]);
	for (int i = 0; i < 2; i++) {
		if (go[i] >= 0)
			close(go[i]);
		if (why[i] >= 0)
			close(why[i]);
	}
	c->pid = 0;
	return e ? e->code : -EAGAIN;
}

int command_begin(struct started *c, const char *name, struct err *e)
{
	int err = 0;
	ssize_t n;

	if (write(c->go, "", 1) != 1)
		return err_errno(e, -errno, "cannot start %s", name);
	/* closed by exec, or by its end; an errno comes before */
	do
		n = read(c->why, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(err))
		return err_errno(e, -err, "cannot run %s", name);
	return 0;
}

bool command_ended(struct started *c)
{
	struct rusage r;

	if (!c->pid || c->ended || wait4(c->pid, &c->status, WNOHANG, &r) != c->pid)
		return c->ended;
	c->ended = true;
	c->cpu_seconds = (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
			 (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e-6;
	return true;
}

void command_done(struct started *c)
{
	if (!c->pid)
		return;
	if (c->go >= 0)
		close(c->go);
	if (c->why >= 0)
		close(c->why);
	c->pid = 0;
}
