/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/loop.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"

int loop_open(struct loop *l, struct err *e)
{
	*l = LOOP_CLOSED;
	sigemptyset(&l->ours);
	sigaddset(&l->ours, SIGINT);
	sigaddset(&l->ours, SIGTERM);
	sigaddset(&l->ours, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &l->ours, &l->before))
		return err_errno(e, -errno, "cannot block signals");
	l->signals = signalfd(-1, &l->ours, SFD_CLOEXEC | SFD_NONBLOCK);
	if (l->signals < 0)
		return err_errno(e, -errno, "cannot read signals");
	l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return l->timer < 0 ? err_errno(e, -errno, "cannot make a timer") : 0;
}

int loop_start(struct loop *l, uint64_t tick_ns, struct err *e)
{
	struct timespec tick = { .tv_sec = (time_t)(tick_ns / 1000000000u),
				 .tv_nsec = (long)(tick_ns % 1000000000u) };
	struct itimerspec it = { .it_interval = tick, .it_value = tick };

	return timerfd_settime(l->timer, 0, &it, NULL)
		       ? err_errno(e, -errno, "cannot start a timer")
		       : 0;
}

void loop_close(struct loop *l)
{
	if (l->timer >= 0)
		close(l->timer);
	if (l->signals >= 0) {
		close(l->signals);
		sigprocmask(SIG_SETMASK, &l->before, NULL);
	}
	*l = LOOP_CLOSED;
}

int loop_signal(int signals)
{
	struct signalfd_siginfo si;

	if (read(signals, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return 0;
	return si.ssi_signo == SIGINT ? -EINTR : -ECANCELED;
}

int loop_sleep(const struct loop *l, uint64_t until_ns)
{
	struct pollfd p[2] = { { .fd = l->signals, .events = POLLIN },
			       { .fd = STDOUT_FILENO } }; /* whether its reader has gone */
	uint64_t now;
	int err;

	while ((now = clock_ns(CLOCK_MONOTONIC)) < until_ns) {
		struct timespec t = { .tv_sec = (time_t)((until_ns - now) / 1000000000u),
				      .tv_nsec = (long)((until_ns - now) % 1000000000u) };

		if (ppoll(p, 2, &t, NULL) < 0 && errno != EINTR)
			return -errno;
		err = loop_signal(l->signals);
		if (err)
			return err;
		if (p[1].revents & (POLLERR | POLLHUP))
			return -EPIPE;
	}
	return 0;
}
