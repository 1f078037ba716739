/* SPDX-License-Identifier: Apache-2.0 */
/* Finding and entering network namespaces. See netns.h. */
#include "collectors/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define LOOK_AT_CLOCK 64 /* processes between two looks at the clock */

uint64_t clock_cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

char *netns_row_name(const struct netns *ns, char *out, size_t size)
{
	snprintf(out, size, "netns:%" PRIu64, ns->inode);
	return out;
}

/* "net:[4026531840]". 0 or -errno. */
static int inode_of(int dir, const char *path, uint64_t *inode)
{
	char text[64];
	ssize_t n = readlinkat(dir, path, text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return sscanf(text, "net:[%" SCNu64 "]", inode) == 1 ? 0 : -EINVAL;
}

int netns_of_process(int proc, pid_t pid, uint64_t *inode)
{
	char path[40];

	snprintf(path, sizeof(path), "%d/ns/net", (int)pid);
	return inode_of(proc, path, inode);
}

static struct netns *find_or_add(struct netns_list *l, uint64_t inode)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].inode == inode)
			return &l->list[i];
	if (l->n == NETNS_CAP) {
		l->beyond++;
		return NULL;
	}
	l->list[l->n] = (struct netns){ .inode = inode };
	return &l->list[l->n++];
}

static void read_comm(int proc, pid_t pid, char *out, size_t size)
{
	char path[40];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "%d/comm", (int)pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, out, size - 1);
		close(fd);
	}
	out[n > 0 ? n : 0] = '\0';
	if (n > 0 && out[n - 1] == '\n')
		out[n - 1] = '\0';
}

static void ask_process(struct netns_list *l, int proc, pid_t pid)
{
	struct netns *ns;
	uint64_t inode;
	int err = netns_of_process(proc, pid, &inode);

	if (err) {
		l->denied += err == -EACCES || err == -EPERM;
		return;
	}
	ns = find_or_add(l, inode);
	if (!ns)
		return;
	ns->processes++;
	/* kernel threads live in the machine's first namespace, which has a name of its own then */
	if (pid <= 2 && ns != &l->list[0] && !ns->name[0])
		snprintf(ns->name, sizeof(ns->name), "of the host");
	if ((!ns->pid || ns->pid <= 2) && ns != &l->list[0]) {
		ns->pid = pid;
		read_comm(proc, pid, ns->comm, sizeof(ns->comm));
	}
}

/* Names are bind mounts of the namespace onto files; a file that is none has another inode number, on another device. */
static void find_names(struct netns_list *l, dev_t nsfs)
{
	DIR *d = opendir("/run/netns");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		struct netns *ns;
		struct stat st;

		if (e->d_name[0] == '.' || strlen(e->d_name) >= sizeof(ns->name) ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) || st.st_dev != nsfs)
			continue;
		ns = find_or_add(l, st.st_ino);
		if (ns)
			snprintf(ns->name, sizeof(ns->name), "%s", e->d_name);
	}
	if (d)
		closedir(d);
}

int netns_find(struct netns_list *l, uint64_t budget_ns)
{
	uint64_t until = clock_cpu_ns() + budget_ns, own;
	struct dirent *e;
	struct stat st;
	DIR *d;

	memset(l, 0, sizeof(*l));
	if (inode_of(AT_FDCWD, "/proc/self/ns/net", &own) || stat("/proc/self/ns/net", &st))
		return -ENOENT;
	find_or_add(l, own);
	find_names(l, st.st_dev);
	d = opendir("/proc");
	if (!d)
		return -errno;
	while ((e = readdir(d))) {
		char *end;
		long pid = strtol(e->d_name, &end, 10);

		if (*end || pid <= 0)
			continue;
		if (++l->asked % LOOK_AT_CLOCK == 0 && clock_cpu_ns() > until) {
			l->left_out++;
			continue; /* only counted from here on */
		}
		if (l->left_out)
			l->left_out++;
		else
			ask_process(l, dirfd(d), (pid_t)pid);
	}
	closedir(d);
	return 0;
}

static int enter_path(const char *path, uint64_t inode)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || st.st_ino != inode)
		rc = -ESTALE;
	else if (setns(fd, CLONE_NEWNET))
		rc = -errno;
	close(fd);
	return rc;
}

int netns_enter(const struct netns *ns)
{
	char path[80];
	int rc = -ESTALE;

	if (ns->pid) {
		snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)ns->pid);
		rc = enter_path(path, ns->inode);
	}
	if (rc && rc != -EPERM && ns->name[0] && !strchr(ns->name, ' ')) {
		snprintf(path, sizeof(path), "/run/netns/%s", ns->name);
		rc = enter_path(path, ns->inode);
	}
	return rc == -ENOENT ? -ESTALE : rc;
}

int netns_return(int own)
{
	return setns(own, CLONE_NEWNET) ? -errno : 0;
}
