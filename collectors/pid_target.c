/* SPDX-License-Identifier: Apache-2.0 */
/* Processes by the numbers that a container gives them.
 *
 * A process has a number in its own PID namespace and in each that is around it. /proc/PID/status tells them from the one
 * that /proc is of inwards (NSpid), so that the same namespace stands at the same place for all that are in it. */
#include "collectors/pid_target.h"

#include <errno.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "collectors/trace_who.h"

#define LEVELS 33 /* the kernel allows 32 below the first */

struct numbers {
	uint64_t tgid;
	int own[LEVELS]; /* of this thread, outermost first */
	unsigned n;
};

static int read_numbers(const struct root *root, int pid, struct numbers *out)
{
	struct text all, line, word;
	struct buf b = { 0 };
	char path[32];
	uint64_t v;
	int err;

	*out = (struct numbers){ 0 };
	snprintf(path, sizeof(path), "proc/%d/status", pid);
	err = root_read(root, path, &b, 65536);
	all = text_n(b.data ? b.data : "", b.len);
	while (!err && text_line(&all, &line)) {
		if (text_skip(&line, "Tgid:"))
			text_u64(&line, &out->tgid);
		else if (text_skip(&line, "NSpid:"))
			while (out->n < LEVELS && text_word(&line, &word) && text_is_u64(word, &v))
				out->own[out->n++] = (int)v;
	}
	buf_done(&b);
	return err;
}

static int check_process(const struct root *root, int pid, struct err *e)
{
	struct numbers n;

	if (read_numbers(root, pid, &n))
		return err_set(e, -ESRCH, "there is no process %d", pid);
	if (n.tgid && n.tgid != (uint64_t)pid)
		return err_set(e, -ESRCH, "%d is a thread of process %llu: give that", pid,
			       (unsigned long long)n.tgid);
	return 0;
}

/* ---- namespaces ---- */

static int open_ns(const struct root *root, int pid)
{
	char path[40];

	snprintf(path, sizeof(path), "proc/%d/ns/pid", pid);
	return root_openat(root, path);
}

static bool identify(int fd, struct stat *st)
{
	return fd >= 0 && !fstat(fd, st);
}

/* Is the namespace of this process the one, or inside of it? */
static bool is_within(const struct root *root, int pid, const struct stat *ns)
{
	int fd = open_ns(root, pid), parent;
	bool found = false;
	struct stat st;

	for (unsigned i = 0; i < LEVELS && !found && identify(fd, &st); i++) {
		found = st.st_ino == ns->st_ino && st.st_dev == ns->st_dev;
		if (found)
			break;
		parent = ioctl(fd, NS_GET_PARENT);
		close(fd);
		fd = parent;
	}
	if (fd >= 0)
		close(fd);
	return found;
}

/* ---- containers ---- */

struct member_search {
	const struct root *root;
	const char *pattern;
	int any,
		pid; /* in any namespace; in one inside of /proc's, the outermost of those. 0: none */
	unsigned level; /* of pid's */
};

/* A line of /proc/PID/cgroup is NUMBER:CONTROLLERS:/PATH. */
static bool is_in_group(const struct root *root, int pid, const char *pattern)
{
	const char *colon = strchr(pattern, ':'),
		   *want = pattern[0] != '/' && colon ? colon + 1 : pattern;
	struct text all, line, part;
	struct buf b = { 0 };
	bool in = false;
	char file[40], path[1200];

	snprintf(file, sizeof(file), "proc/%d/cgroup", pid);
	if (!root_read(root, file, &b, 65536)) {
		all = text_n(b.data, b.len);
		while (!in && text_line(&all, &line)) {
			if (!text_until(&line, ':', &part) || !text_until(&line, ':', &part))
				continue;
			text_copy(path, sizeof(path), line);
			in = trace_who_path_matches(path, want);
		}
	}
	buf_done(&b);
	return in;
}

static int look_at_member(void *ctx, const char *name)
{
	struct member_search *s = ctx;
	struct numbers n;
	uint64_t pid;

	if (!text_is_u64(text_of(name), &pid) || pid > INT32_MAX ||
	    !is_in_group(s->root, (int)pid, s->pattern) || read_numbers(s->root, (int)pid, &n))
		return 0;
	s->any = (int)pid;
	if (n.n < 2 || (s->pid && n.n >= s->level))
		return 0;
	s->pid = (int)pid;
	s->level = n.n;
	return 0;
}

static int find_member(const struct root *root, const char *pattern, int *pid, struct err *e)
{
	struct member_search s = { .root = root, .pattern = pattern };

	if (trace_who_check_pattern(pattern, e))
		return err_set(
			e, -EINVAL,
			"--ns takes a process, /PATH of a control group, or at least 8 digits of a container's id, not '%s'",
			pattern);
	root_list(root, "proc", look_at_member, &s);
	if (!s.any)
		return err_set(e, -ESRCH,
			       "there is no process in a control group or container '%s'", pattern);
	if (!s.pid)
		return err_set(
			e, -ESRCH,
			"the processes of '%s' have no PID namespace of their own: give -p without --ns",
			pattern);
	*pid = s.pid;
	return 0;
}

/* ---- a number in a namespace ---- */

struct number_search {
	const struct root *root;
	int want;
	unsigned level; /* place in NSpid */
	struct stat ns;
	int found; /* 0: not yet */
};

static int look_at_number(void *ctx, const char *name)
{
	struct number_search *s = ctx;
	struct numbers n;
	uint64_t pid;

	if (!text_is_u64(text_of(name), &pid) || pid > INT32_MAX ||
	    read_numbers(s->root, (int)pid, &n) || n.n <= s->level || n.own[s->level] != s->want ||
	    !is_within(s->root, (int)pid, &s->ns))
		return 0;
	s->found = (int)pid;
	return 1;
}

/* All digits, and no more than a number of a process can have. */
static bool is_process(const char *ns, int *pid)
{
	uint64_t v;

	if (strlen(ns) > 7 || !text_is_u64(text_of(ns), &v) || !v)
		return false;
	*pid = (int)v;
	return true;
}

int pid_target_find(const struct root *root, int pid, const char *ns, int *found, struct err *e)
{
	struct number_search s = { .root = root, .want = pid };
	struct numbers n;
	int of = 0, fd, err;

	*found = pid;
	if (!ns)
		return check_process(root, pid, e);
	if (!is_process(ns, &of)) {
		err = find_member(root, ns, &of, e);
		if (err)
			return err;
	}
	fd = open_ns(root, of);
	if (read_numbers(root, of, &n) || fd == -ENOENT || fd == -ESRCH)
		err = err_set(e, -ESRCH, "--ns: there is no process %d", of);
	else if (fd < 0)
		err = err_errno(
			e, fd, "--ns: cannot look at the PID namespace of process %d (run as root)",
			of);
	else
		err = identify(fd, &s.ns)
			      ? 0
			      : err_errno(e, -errno, "--ns: the PID namespace of process %d", of);
	if (fd >= 0)
		close(fd);
	if (err)
		return err;
	if (!n.n)
		return err_set(
			e, -ENOSYS,
			"--ns: this kernel does not tell the numbers of other PID namespaces");
	s.level = n.n - 1;
	root_list(root, "proc", look_at_number, &s);
	if (!s.found)
		return err_set(
			e, -ESRCH,
			"there is no process %d in the PID namespace of %s (pid:[%llu]); `nsenter -t %d -p -m ps -e` has them",
			pid, ns, (unsigned long long)s.ns.st_ino, of);
	*found = s.found;
	return 0;
}
