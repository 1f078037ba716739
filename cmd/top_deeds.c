/* SPDX-License-Identifier: Apache-2.0 */
/* What a person has done to processes: signals, nice values, allowed CPUs, I/O priorities.
 *
 * A number may have been given to somebody else since it was on the screen: a descriptor of the process is taken, and
 * then it is looked whether that is still the one. */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmd/top.h"

#define IO_WHO_PROCESS 1 /* a thread, by its number; linux/ioprio.h */

/* -ESRCH: it is somebody else by now. */
static int open_process(const struct target *t)
{
	int fd = (int)syscall(SYS_pidfd_open, (pid_t)t->pid, 0);

	if (fd < 0)
		return -errno;
	if (owner_birth_of(t->pid) == t->birth)
		return fd;
	close(fd);
	return -ESRCH;
}

static void say_how(struct ui *ui, const char *what, size_t done, int err, int64_t failed)
{
	if (!err)
		ui_say(ui, false, "%s: %zu process%s", what, done, done == 1 ? "" : "es");
	else
		ui_say(ui, true, "%s: process %lld: %s (%zu done)", what, (long long)failed,
		       strerror(-err), done);
}

/* What is done to one process, which stays the same one: 0 or -1 with errno. */
typedef int process_deed(int fd, pid_t pid, const struct ui *ui);

static int send_signal(int fd, pid_t pid, const struct ui *ui)
{
	(void)pid;
	return (int)syscall(SYS_pidfd_send_signal, fd, ui->number, NULL, 0);
}

static int set_nice(int fd, pid_t pid, const struct ui *ui)
{
	(void)fd;
	return setpriority(PRIO_PROCESS, (id_t)pid, ui->number);
}

/* To every thread; one that has ended meanwhile is no failure. */
static int to_threads(int fd, pid_t pid, const struct ui *ui,
		      int (*deed)(pid_t tid, const struct ui *ui))
{
	char path[40];
	struct dirent *d;
	int err = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		return -1;
	/* as long as the process lives its number is its own, and so is what was opened by it */
	if (syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0))
		err = errno;
	while (!err && (d = readdir(dir))) {
		pid_t tid = (pid_t)atoi(d->d_name);

		if (tid > 0 && deed(tid, ui) && errno != ESRCH)
			err = errno;
	}
	closedir(dir);
	errno = err;
	return err ? -1 : 0;
}

static int allow_thread(pid_t tid, const struct ui *ui)
{
	return sched_setaffinity(tid, sizeof(ui->cpus), (const cpu_set_t *)(const void *)ui->cpus);
}

static int allow_cpus(int fd, pid_t pid, const struct ui *ui)
{
	return to_threads(fd, pid, ui, allow_thread);
}

static int set_io_of_thread(pid_t tid, const struct ui *ui)
{
	return (int)syscall(SYS_ioprio_set, IO_WHO_PROCESS, tid, ui->number);
}

static int set_io(int fd, pid_t pid, const struct ui *ui)
{
	return to_threads(fd, pid, ui, set_io_of_thread);
}

static void to_each(struct ui *ui, const char *name, process_deed *deed)
{
	size_t done = 0;
	int64_t failed = 0;
	int err = 0;
	char what[120];

	for (size_t i = 0; i < ui->ntargets; i++) {
		int fd = open_process(&ui->targets[i]), one = fd < 0 ? fd : 0;

		if (fd >= 0) {
			if (deed(fd, (pid_t)ui->targets[i].pid, ui))
				one = -errno;
			close(fd);
		}
		done += !one;
		if (one && !err) {
			err = one;
			failed = ui->targets[i].pid;
		}
	}
	snprintf(what, sizeof(what), "%s %.60s", name, ui->answer);
	say_how(ui, what, done, err, failed);
}

void owner_signal(struct ui *ui)
{
	to_each(ui, "signal", send_signal);
}

void owner_renice(struct ui *ui)
{
	to_each(ui, "nice", set_nice);
}

void owner_allow_cpus(struct ui *ui)
{
	to_each(ui, "allowed CPUs", allow_cpus);
}

void owner_io_priority(struct ui *ui)
{
	to_each(ui, "I/O priority", set_io);
}
