/* SPDX-License-Identifier: Apache-2.0 */
/* Disks and control groups by the names that people give them. */
#include "collectors/hist_target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "collectors/cgroup_tree.h"
#include "collectors/trace_who.h"

/* ---- disks ---- */

static bool is_plain(const char *name)
{
	return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static bool has_file(const struct root *root, const char *path)
{
	int fd = root_openat(root, path);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int read_small(const struct root *root, const char *path, uint64_t *first, char sep,
		      uint64_t *second)
{
	struct buf b = { 0 };
	struct text t, part;
	int err = root_read(root, path, &b, 256);

	t = text_n(b.data, b.len);
	if (!err && (!text_until(&t, sep, &part) || !text_u64(&part, first)))
		err = -EINVAL;
	if (!err && second && !text_u64(&t, second))
		err = -EINVAL;
	buf_done(&b);
	return err;
}

/* Disks without hardware queues (zram, md, dm) have no requests, whatever their iostats says. */
static bool has_requests(const struct root *root, const char *name)
{
	char path[320];
	int fd;

	snprintf(path, sizeof(path), "sys/block/%.255s/mq", name);
	fd = root_opendir(root, path);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool keeps_no_times(const struct root *root, const char *name)
{
	char path[320];
	uint64_t on = 1;

	if (!has_requests(root, name))
		return false;
	snprintf(path, sizeof(path), "sys/block/%.255s/queue/iostats", name);
	return !read_small(root, path, &on, '\n', NULL) && !on;
}

struct queues {
	const struct root *root;
	bool untimed;
};

static int look_at_queue(void *ctx, const char *name)
{
	struct queues *q = ctx;

	q->untimed = q->untimed || keeps_no_times(q->root, name);
	return 0;
}

int hist_find_disk(const struct root *root, const char *name, struct hist_wish *w, struct err *e)
{
	struct queues q = { .root = root };
	uint64_t major = 0, minor = 0;
	char path[320];

	if (!name) {
		root_list(root, "sys/block", look_at_queue, &q);
		w->untimed = q.untimed;
		return 0;
	}
	if (!strncmp(name, "/dev/", 5))
		name += 5;
	snprintf(path, sizeof(path), "sys/block/%.255s/dev", name);
	if (is_plain(name) && !read_small(root, path, &major, ':', &minor)) {
		if (!has_requests(root, name))
			return err_set(
				e, -EINVAL,
				"%s passes its I/O on to other disks and has no requests of its own: watch those",
				name);
		w->disk = (uint32_t)(major << 20 | minor);
		w->untimed = keeps_no_times(root, name);
		return 0;
	}
	snprintf(path, sizeof(path), "sys/class/block/%.255s/partition", name);
	if (is_plain(name) && has_file(root, path))
		return err_set(
			e, -EINVAL,
			"%s is a partition: requests are counted by disk, give the disk that it is on",
			name);
	return err_set(e, -ENODEV, "there is no disk '%s'; `ls /sys/block` has them", name);
}

/* ---- control groups ---- */

#define GROUPS_MOST 200000

struct search {
	const char *pattern; /* path, or digits of a container's id */
	bool by_path;
	char found[CGROUP_PATH];
	uint64_t id;
	unsigned level, hits;
};

static unsigned depth(const char *path)
{
	unsigned n = 0;

	for (; *path; path++)
		n += path[0] == '/' && path[1] && path[1] != '/';
	return n;
}

static bool is_same_path(const char *path, const char *pattern)
{
	size_t n = strlen(pattern);

	while (n && pattern[n - 1] == '/')
		n--;
	return strlen(path) == n && !strncmp(path, pattern, n);
}

/* The last word of the path begins with the id, perhaps behind "docker-" and the like. */
static bool is_container(const char *path, const char *id)
{
	const char *last = strrchr(path, '/'), *at = last;

	while (at && (at = strstr(at, id))) {
		if (at > path && strchr("/-:", at[-1]))
			return true;
		at++;
	}
	return false;
}

static void look_at_group(void *ctx, const struct cgroup_mount *m, const char *path, int dirfd)
{
	struct search *s = ctx;
	struct stat st;

	if (s->by_path ? !is_same_path(path, s->pattern) : !is_container(path, s->pattern))
		return;
	if (fstat(dirfd, &st))
		return;
	s->hits++;
	/* a container may have groups below its own: the one that is highest */
	if (s->hits > 1 && depth(path) >= s->level - depth(m->above))
		return;
	s->id = st.st_ino;
	s->level = depth(m->above) + depth(path);
	snprintf(s->found, sizeof(s->found), "%s", path);
}

static int search_mount(const struct root *root, const struct cgroup_mount *m, unsigned in,
			struct search *s, struct hist_wish *w)
{
	size_t budget = GROUPS_MOST;

	s->hits = 0;
	if (cgroup_walk(root, m, &budget, look_at_group, s) < 0 || !s->hits)
		return -ENOENT;
	w->group = s->id;
	w->group_in = in;
	w->group_level = s->level;
	return 0;
}

static bool carries(const struct cgroup_mount *m, unsigned in)
{
	static const char *const controllers[] = { "", "memory", "cpu" };

	return in ? cgroup_carries(m, controllers[in]) : m->v2;
}

/* A namespace of its own shows paths and depths that are not the kernel's. */
#define FIRST_NAMESPACE "cgroup:[4026531835]"

static int check_namespace(const struct root *root, struct err *e)
{
	char ns[64];

	if (root_readlink(root, "proc/self/ns/cgroup", ns, sizeof(ns)) > 0 &&
	    strcmp(ns, FIRST_NAMESPACE) != 0)
		return err_set(
			e, -EOPNOTSUPP,
			"cannot choose a control group from inside a namespace of control groups (a container): run it on the host");
	return 0;
}

int hist_find_group(const struct root *root, const char *pattern, struct hist_wish *w,
		    struct err *e)
{
	static const char *const prefixes[] = { ":", "memory:", "cpu:" };
	struct cgroup_mount mounts[CGROUP_MOUNTS];
	struct search s = { .pattern = pattern };
	const char *colon = strchr(pattern, ':');
	struct buf text = { 0 };
	size_t n;
	int err = trace_who_check_pattern(pattern, e);

	if (!err)
		err = check_namespace(root, e);
	if (err)
		return err;
	s.by_path = strchr(pattern, '/') != NULL;
	if (s.by_path && colon && pattern[0] != '/')
		s.pattern = colon + 1;
	n = cgroup_mounts(root, mounts, CGROUP_MOUNTS, &text);
	buf_done(&text);
	for (unsigned in = 0; in < 3; in++) {
		if (s.pattern != pattern &&
		    strncmp(pattern, prefixes[in], strlen(prefixes[in])) != 0)
			continue;
		for (size_t i = 0; i < n; i++)
			if (carries(&mounts[i], in) && !search_mount(root, &mounts[i], in, &s, w))
				return 0;
		/* a controller that no v1 hierarchy carries is one of v2 */
		for (size_t i = 0; in && s.pattern != pattern && i < n; i++)
			if (mounts[i].v2 && !search_mount(root, &mounts[i], 0, &s, w))
				return 0;
	}
	return err_set(e, -ENOENT, "there is no control group '%s'", pattern);
}
