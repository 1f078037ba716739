/* SPDX-License-Identifier: Apache-2.0 */
/* From the inode of a socket to a process. See sock_owner.h. */
#include "collectors/sock_owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "collectors/netns.h"

#define PIDS_CAP 4194304 /* PID_MAX_LIMIT */
#define LINK_CAP 40      /* "socket:[4294967295]" and no more is of interest */

static int proc_fd(struct owners *o)
{
	if (!o->proc) {
		int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return -errno;
		o->proc = fd + 1;
	}
	return o->proc - 1;
}

void owners_done(struct owners *o)
{
	if (o->proc)
		close(o->proc - 1);
	mem_free(o->pids);
	memset(o, 0, sizeof(*o));
}

int pids_list(int proc, pid_t **pids, size_t *cap, size_t *n)
{
	int fd = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	*n = 0;
	if (!d) {
		int err = -errno;

		if (fd >= 0)
			close(fd);
		return err;
	}
	while ((e = readdir(d)) && *n < PIDS_CAP) {
		char *end;
		long pid = strtol(e->d_name, &end, 10);

		if (*end || pid <= 0)
			continue;
		*pids = mem_grow(*pids, cap, *n + 1, sizeof(**pids));
		(*pids)[(*n)++] = (pid_t)pid;
	}
	closedir(d);
	return 0;
}

int pid_sockets(int proc, pid_t pid, int (*fn)(void *ctx, uint32_t inode), void *ctx)
{
	char path[32], target[LINK_CAP];
	struct dirent *e;
	int fd, rc = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%d/fd", (int)pid);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (!rc && (e = readdir(d))) {
		uint32_t inode;
		ssize_t n;

		if (e->d_name[0] == '.')
			continue;
		n = readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		if (sscanf(target, "socket:[%" SCNu32 "]", &inode) == 1)
			rc = fn(ctx, inode);
	}
	closedir(d);
	return rc < 0 ? rc : 0;
}

/* ---- what is known and what is wanted ---- */

const struct owner *owners_find(const struct owners *o, uint32_t inode)
{
	for (size_t i = o->nknown; i--;)
		if (o->known[i].inode == inode)
			return o->known[i].pid ? &o->known[i] : NULL;
	return NULL;
}

static bool is_known(const struct owners *o, uint32_t inode)
{
	for (size_t i = o->nknown; i--;)
		if (o->known[i].inode == inode)
			return true;
	return false;
}

void owners_want(struct owners *o, uint32_t inode)
{
	if (!inode || o->nwanted == OWNERS_WANTED || is_known(o, inode))
		return;
	for (size_t i = 0; i < o->nwanted; i++)
		if (o->wanted[i].inode == inode)
			return;
	o->wanted[o->nwanted].inode = inode;
	o->wanted[o->nwanted++].walk = o->walks;
}

static void learn(struct owners *o, uint32_t inode, pid_t pid, const char *comm)
{
	struct owner *w;

	if (o->nknown == OWNERS_KNOWN) { /* the oldest half makes room */
		memmove(o->known, o->known + OWNERS_KNOWN / 2,
			OWNERS_KNOWN / 2 * sizeof(*o->known));
		o->nknown = OWNERS_KNOWN / 2;
	}
	w = &o->known[o->nknown++];
	*w = (struct owner){ .inode = inode, .pid = pid };
	snprintf(w->comm, sizeof(w->comm), "%s", comm);
}

struct search {
	struct owners *o;
	pid_t pid;
	char comm[16];
	bool named;
};

static void read_comm(struct search *s)
{
	char path[32];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "%d/comm", (int)s->pid);
	fd = openat(s->o->proc - 1, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, s->comm, sizeof(s->comm) - 1);
		close(fd);
	}
	n = n > 0 && s->comm[n - 1] == '\n' ? n - 1 : n;
	s->comm[n > 0 ? n : 0] = '\0';
	s->named = true;
}

static int see_inode(void *ctx, uint32_t inode)
{
	struct search *s = ctx;
	struct owners *o = s->o;

	for (size_t i = 0; i < o->nwanted; i++) {
		if (o->wanted[i].inode != inode)
			continue;
		if (!s->named)
			read_comm(s);
		learn(o, inode, s->pid, s->comm);
		o->wanted[i] = o->wanted[--o->nwanted];
		break;
	}
	return !o->nwanted;
}

static void search_process(struct owners *o, pid_t pid)
{
	struct search s = { .o = o, .pid = pid };

	pid_sockets(o->proc - 1, pid, see_inode, &s);
}

/* ---- searching ---- */

/* A process that owned one such socket is likely to own the next. */
static void search_likely(struct owners *o, uint64_t until)
{
	pid_t tried[8];
	size_t n = 0;

	for (size_t i = o->nknown; i-- && o->nwanted && n < 8 && clock_cpu_ns() < until;) {
		pid_t pid = o->known[i].pid;
		bool again = !pid;

		for (size_t k = 0; k < n; k++)
			again |= tried[k] == pid;
		if (again)
			continue;
		tried[n++] = pid;
		search_process(o, pid);
	}
}

/* A walk is over: who was wanted before it began is nobody's, or we may not know. */
static void give_up(struct owners *o)
{
	size_t left = 0;

	for (size_t i = 0; i < o->nwanted; i++) {
		if (o->wanted[i].walk < o->walks)
			learn(o, o->wanted[i].inode, 0, "");
		else
			o->wanted[left++] = o->wanted[i];
	}
	o->nwanted = left;
}

bool owners_search(struct owners *o, uint64_t budget_ns)
{
	uint64_t until = clock_cpu_ns() + budget_ns;

	if (!o->nwanted)
		return true;
	if (proc_fd(o) < 0)
		return false;
	search_likely(o, until);
	if (!o->nwanted)
		return true;
	if (o->next >= o->npids) {
		if (pids_list(o->proc - 1, &o->pids, &o->pids_cap, &o->npids))
			return false;
		o->next = 0;
		o->walks++;
	}
	/* newest first: what is in trouble was rarely started with the machine */
	while (o->nwanted && o->next < o->npids && clock_cpu_ns() < until)
		search_process(o, o->pids[o->npids - 1 - o->next++]);
	if (!o->nwanted)
		return true;
	if (o->next < o->npids) {
		o->starved++;
		return false;
	}
	give_up(o);
	return !o->nwanted;
}
