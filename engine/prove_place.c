/* SPDX-License-Identifier: Apache-2.0 */
/* A place of our own: a file without a name and a loop device over it, control groups, a network namespace.
 *
 * What the kernel keeps for us by descriptor or by process is gone with us, however we end: the file has no name
 * (O_TMPFILE), the loop device lets go of it when it is closed (LO_FLAGS_AUTOCLEAR), a network namespace ends with its last
 * process. Control groups have names: a child that nobody else knows of waits for our end and removes them. One that was
 * left behind because that child was killed as well is removed by the next run. */
#include "engine/prove_stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "collectors/cgroup_tree.h"

#define FILE_BYTES  (4u << 20)
#define EXT4_MAGIC  0xef53
#define TMPFS_MAGIC 0x01021994
#define PREFIX      "sixty-prove-"

/* ---- the file, and the loop device over it ---- */

static int open_nameless(const char *dir, bool *ext4)
{
	struct statfs fs;
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &fs) || fs.f_type == TMPFS_MAGIC) {
		close(fd);
		return -EMEDIUMTYPE;
	}
	*ext4 = fs.f_type == EXT4_MAGIC;
	return fd;
}

static int fill(int fd)
{
	static char block[65536];

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (char)(i * 7 + 1);
	for (size_t at = 0; at < FILE_BYTES; at += sizeof(block))
		if (pwrite(fd, block, sizeof(block), (off_t)at) != (ssize_t)sizeof(block))
			return errno ? -errno : -EIO;
	return fdatasync(fd) ? -errno : 0;
}

static void open_file(struct prove_place *p)
{
	static const char *const dirs[] = { "/var/tmp", "/tmp", "/var/lib", "/root", "." };
	int err = -ENOENT;

	/* ext4 before others: it tells of its syncs */
	for (int any = 0; any < 2 && p->file < 0; any++)
		for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs) && p->file < 0; i++) {
			bool ext4 = false;
			int fd = open_nameless(dirs[i], &ext4);

			if (fd >= 0 && !ext4 && !any) {
				close(fd);
				continue;
			}
			err = fd < 0 ? fd : fill(fd);
			if (err) {
				if (fd >= 0)
					close(fd);
				continue;
			}
			p->file = fd;
			p->ext4 = ext4;
			snprintf(p->dir, sizeof(p->dir), "%s", dirs[i]);
		}
	if (p->file < 0)
		snprintf(
			p->why_file, sizeof(p->why_file),
			"no file without a name can be made on a disk (/var/tmp, /tmp, /var/lib, /root, .): %s",
			err == -EMEDIUMTYPE ? "they lie in memory" : strerror(-err));
}

static int set_loop(struct prove_place *p, int number)
{
	struct loop_config c = { .fd = (__u32)p->file,
				 .info = { .lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_READ_ONLY } };
	char path[32];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/dev/loop%d", number);
	fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, LOOP_CONFIGURE, &c) || fstat(fd, &st)) {
		int err = -errno;

		close(fd);
		return err;
	}
	p->loop = fd;
	p->loop_major = major(st.st_rdev);
	p->loop_minor = minor(st.st_rdev);
	snprintf(p->loop_name, sizeof(p->loop_name), "loop%d", number);
	return 0;
}

static void open_loop(struct prove_place *p)
{
	int control, err = -EBUSY;

	if (p->file < 0) {
		snprintf(p->why_loop, sizeof(p->why_loop), "%.*s", PROVE_WHY - 1, p->why_file);
		return;
	}
	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0) {
		snprintf(p->why_loop, sizeof(p->why_loop),
			 "there are no loop devices: /dev/loop-control: %s", strerror(errno));
		return;
	}
	/* somebody else may take the free one first */
	for (int tries = 0; tries < 8 && err == -EBUSY; tries++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		err = number < 0 ? -errno : set_loop(p, number);
	}
	close(control);
	if (err)
		snprintf(p->why_loop, sizeof(p->why_loop), "no loop device can be set up: %s",
			 strerror(-err));
}

/* ---- control groups ---- */

static int put_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* Of runs that were killed together with their janitor. */
static void remove_old(const char *at)
{
	DIR *d = opendir(at);
	struct dirent *de;

	while (d && (de = readdir(d))) {
		struct text name = text_of(de->d_name);
		uint64_t pid;

		if (text_skip(&name, PREFIX) && text_is_u64(name, &pid) && pid && pid < 1u << 30 &&
		    kill((pid_t)pid, 0) && errno == ESRCH)
			unlinkat(dirfd(d), de->d_name, AT_REMOVEDIR);
	}
	if (d)
		closedir(d);
}

/* Where a group of our own would be: below the root of the hierarchy that has the controller. */
static void plan_group(const struct root *root, const char *controller, char *out, size_t size,
		       bool *v2, char *why)
{
	struct cgroup_mount mounts[CGROUP_MOUNTS];
	struct buf text = { 0 };
	size_t n = cgroup_mounts(root, mounts, CGROUP_MOUNTS, &text);
	const struct cgroup_mount *m = NULL;
	char at[264];

	buf_done(&text);
	for (size_t i = 0; i < n; i++)
		if (!mounts[i].v2 && cgroup_carries(&mounts[i], controller))
			m = &mounts[i];
	for (size_t i = 0; i < n && !m; i++)
		if (mounts[i].v2)
			m = &mounts[i];
	if (!m) {
		snprintf(why, PROVE_WHY, "no hierarchy of control groups is mounted");
		return;
	}
	snprintf(at, sizeof(at), "/%s", m->at);
	remove_old(at);
	*v2 = m->v2;
	snprintf(out, size, "%.200s/" PREFIX "%d", at, (int)getpid());
}

static bool make_group(char *path, char *why)
{
	if (!path[0])
		return false;
	if (!mkdir(path, 0755) || errno == EEXIST)
		return true;
	snprintf(why, PROVE_WHY, "no control group can be made (%.80s): %s", path, strerror(errno));
	path[0] = '\0';
	return false;
}

static int set_quota(const struct prove_place *p)
{
	char quota[32], period[32];
	int err;

	snprintf(period, sizeof(period), "%d", PROVE_PERIOD_US);
	snprintf(quota, sizeof(quota), "%d %s", PROVE_QUOTA_US, period);
	if (p->v2_cpu)
		return put_file(p->cpu, "cpu.max", quota);
	err = put_file(p->cpu, "cpu.cfs_period_us", period);
	*strchr(quota, ' ') = '\0';
	return err ? err : put_file(p->cpu, "cpu.cfs_quota_us", quota);
}

static void open_groups(struct prove_place *p)
{
	char path[sizeof(p->memory) + 16];
	int err;

	if (make_group(p->cpu, p->why_cpu)) {
		err = set_quota(p);
		if (err) {
			snprintf(p->why_cpu, sizeof(p->why_cpu),
				 "a control group of our own takes no CPU quota: %s",
				 err == -ENOENT ? "the cpu controller is not enabled at the root"
						: strerror(-err));
			rmdir(p->cpu);
			p->cpu[0] = '\0';
		}
	}
	if (!make_group(p->memory, p->why_memory))
		return;
	snprintf(path, sizeof(path), "%s/%s", p->memory,
		 p->v2_memory ? "memory.reclaim" : "memory.force_empty");
	if (!access(path, W_OK))
		return;
	snprintf(
		p->why_memory, sizeof(p->why_memory),
		"a control group of our own has no %s: the memory controller is not enabled at the root, or the kernel has no such file",
		strrchr(path, '/') + 1);
	if (strcmp(p->cpu, p->memory) != 0)
		rmdir(p->memory);
	p->memory[0] = '\0';
}

/* Empties the groups and removes them; those in it die with their parent, which may take a moment. */
static void remove_groups(const struct prove_place *p)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	for (int tries = 0; tries < 300; tries++) {
		bool cpu = !p->cpu[0] || !rmdir(p->cpu) || errno == ENOENT;
		bool memory = !p->memory[0] || !rmdir(p->memory) || errno == ENOENT;

		if (cpu && memory)
			return;
		nanosleep(&pause, NULL);
	}
}

static void open_janitor(struct prove_place *p)
{
	int fds[2];
	char byte;

	if ((!p->cpu[0] && !p->memory[0]) || pipe2(fds, O_CLOEXEC))
		return;
	p->janitor = fork();
	if (!p->janitor) {
		sigset_t all;

		prctl(PR_SET_NAME, "sixty-janitor");
		setsid();
		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		for (int fd = 0; fd < 1024; fd++)
			if (fd != fds[0])
				close(fd);
		while (read(fds[0], &byte, 1) < 0 && errno == EINTR)
			;
		remove_groups(p);
		_exit(0);
	}
	close(fds[0]);
	p->janitor_pipe = fds[1];
	if (p->janitor < 0) {
		p->janitor = 0;
		close(fds[1]);
		p->janitor_pipe = -1;
	}
}

/* ---- the network ---- */

static void open_net(struct prove_place *p)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd;

	if (unshare(CLONE_NEWNET)) {
		snprintf(p->why_net, sizeof(p->why_net), "no network namespace can be made: %s",
			 strerror(errno));
		return;
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	p->net = fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &r);
	if (!p->net)
		snprintf(p->why_net, sizeof(p->why_net),
			 "the loopback of a new network namespace cannot be set up: %s",
			 strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* ---- all ---- */

void prove_place_open(struct prove_place *p, const struct root *root)
{
	*p = (struct prove_place){ .loop = -1, .file = -1, .janitor_pipe = -1 };
	plan_group(root, "cpu", p->cpu, sizeof(p->cpu), &p->v2_cpu, p->why_cpu);
	plan_group(root, "memory", p->memory, sizeof(p->memory), &p->v2_memory, p->why_memory);
	open_janitor(p);
	open_groups(p);
	open_file(p);
	open_loop(p);
	open_net(p);
}

void prove_place_close(struct prove_place *p)
{
	if (p->loop >= 0)
		close(p->loop);
	if (p->file >= 0)
		close(p->file);
	if (p->janitor_pipe >= 0)
		close(p->janitor_pipe);
	if (p->janitor > 0)
		while (waitpid(p->janitor, NULL, 0) < 0 && errno == EINTR)
			;
	else
		remove_groups(p);
}
