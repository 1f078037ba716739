/* SPDX-License-Identifier: Apache-2.0 */
/* Names for processes and control groups of events. A process may be gone when its event is read: what is learned from
 * one event serves the next. */
#include "collectors/trace_who.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "collectors/cgroup_tree.h"

#define PROCESSES   2048 /* powers of two */
#define GROUPS      512
#define HIERARCHIES 3
#define EXE_MOST    1024

struct process {
	uint32_t pid;
	uint64_t start;
	char *exe; /* NULL: could not be told */
};

struct named {
	uint32_t pid;
	char comm[16];
};

struct group {
	uint64_t id;
	unsigned which;
	char *path;
};

struct trace_who {
	const struct root *root;
	unsigned hz;
	int64_t tick_shift; /* /proc shows start times shifted by it: a time namespace */
	struct process processes[PROCESSES];
	struct named names[PROCESSES];
	struct group groups[GROUPS];
	struct cgroup_mount mounts[CGROUP_MOUNTS];
	int fds[HIERARCHIES]; /* of their mounts; -1: none */
	size_t mount_of[HIERARCHIES];
	char comm[17];
};

/* ---- hierarchies ---- */

static bool serves(const struct cgroup_mount *m, unsigned which)
{
	static const char *const controllers[] = { "", "memory", "cpu" };

	return which ? cgroup_carries(m, controllers[which]) : m->v2;
}

/* A controller that no v1 hierarchy carries is one of v2, where its numbers are those of the unified hierarchy. */
static void open_hierarchies(struct trace_who *w)
{
	struct buf text = { 0 };
	size_t n = cgroup_mounts(w->root, w->mounts, CGROUP_MOUNTS, &text);

	buf_done(&text);
	for (unsigned which = 0; which < HIERARCHIES; which++) {
		w->fds[which] = -1;
		for (size_t i = 0; i < n && w->fds[which] < 0; i++)
			if (serves(&w->mounts[i], which)) {
				w->fds[which] = root_opendir(w->root, w->mounts[i].at);
				w->mount_of[which] = i;
			}
	}
	for (unsigned which = 1; which < HIERARCHIES; which++)
		if (w->fds[which] < 0 && w->fds[0] >= 0) {
			w->fds[which] = fcntl(w->fds[0], F_DUPFD_CLOEXEC, 3);
			w->mount_of[which] = w->mount_of[0];
		}
}

#define FILEID_KERNFS 0xfe /* include/linux/exportfs.h; the handle is the number */

/* Opens a group by its number, and asks the kernel what it is called. */
static char *find_path(struct trace_who *w, uint64_t id, unsigned which)
{
	const struct cgroup_mount *m = &w->mounts[w->mount_of[which]];
	union {
		struct file_handle h;
		char bytes[sizeof(struct file_handle) + sizeof(id)];
	} handle;
	char self[48], at[CGROUP_PATH + 300], full[sizeof(at) + sizeof(m->above)];
	size_t skip = strlen(m->at) + 1;
	ssize_t n;
	int fd;

	handle.h.handle_bytes = sizeof(id);
	handle.h.handle_type = FILEID_KERNFS;
	memcpy(handle.h.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(w->fds[which], &handle.h, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, at, sizeof(at) - 1);
	close(fd);
	if (n < (ssize_t)skip || (size_t)n >= sizeof(at) - 1 ||
	    memcmp(at + 1, m->at, skip - 1) != 0)
		return NULL;
	at[n] = '\0';
	snprintf(full, sizeof(full), "%s%s", m->above, at + skip);
	return mem_dup(full[0] ? full : "/");
}

const char *trace_who_group(struct trace_who *w, const uint64_t ids[3], unsigned which)
{
	uint64_t id = which < HIERARCHIES ? ids[which] : 0;
	struct group *g = &w->groups[(id * 3 + which) % GROUPS];

	if (!id || w->fds[which] < 0)
		return NULL;
	if (g->path && g->id == id && g->which == which)
		return g->path;
	mem_free(g->path);
	*g = (struct group){ .id = id, .which = which, .path = find_path(w, id, which) };
	return g->path;
}

const char *trace_who_cgroup(struct trace_who *w, const uint64_t ids[3])
{
	const char *best = NULL;

	for (unsigned which = 0; which < HIERARCHIES; which++) {
		const char *path = trace_who_group(w, ids, which);

		if (path && strcmp(path, "/") != 0)
			return path;
		best = path ? path : best;
	}
	return best;
}

static bool is_below(const char *path, const char *above)
{
	size_t n = strlen(above);

	while (n && above[n - 1] == '/')
		n--;
	return !strncmp(path, above, n) && (!path[n] || path[n] == '/');
}

/* "/docker/0123…", "/system.slice/docker-0123….scope" */
static bool names_container(const char *path, const char *id)
{
	const char *at = path;

	while ((at = strstr(at, id))) {
		if (at > path && strchr("/-:", at[-1]))
			return true;
		at++;
	}
	return false;
}

bool trace_who_path_matches(const char *path, const char *pattern)
{
	return pattern[0] == '/' ? is_below(path, pattern) : names_container(path, pattern);
}

bool trace_who_in_cgroup(struct trace_who *w, const uint64_t ids[3], const char *pattern)
{
	static const char *const prefixes[] = { ":", "memory:", "cpu:" };

	for (unsigned which = 0; which < HIERARCHIES; which++) {
		const char *path = trace_who_group(w, ids, which);
		size_t n = strlen(prefixes[which]);

		if (!path)
			continue;
		if (pattern[0] == '/'
			    ? is_below(path, pattern)
			    : !strncmp(pattern, prefixes[which], n) && is_below(path, pattern + n))
			return true;
		if (!strchr(pattern, '/') && names_container(path, pattern))
			return true;
	}
	return false;
}

int trace_who_check_pattern(const char *pattern, struct err *e)
{
	if (pattern[0] == '/' || !strncmp(pattern, ":/", 2) || !strncmp(pattern, "memory:/", 8) ||
	    !strncmp(pattern, "cpu:/", 5))
		return 0;
	if (strlen(pattern) >= 8 && strspn(pattern, "0123456789abcdef") == strlen(pattern))
		return 0;
	return err_set(
		e, -EINVAL,
		"'%s' is no control group: give /PATH, memory:/PATH, cpu:/PATH, or at least 8 digits of a container's id",
		pattern);
}

/* ---- processes ---- */

static void find_shift(struct trace_who *w)
{
	struct text all, line, word;
	struct buf b = { 0 };
	int64_t offset;

	if (root_read(w->root, "proc/self/timens_offsets", &b, 4096))
		return;
	all = text_n(b.data, b.len);
	while (text_line(&all, &line))
		if (text_word(&line, &word) && text_eq(word, "boottime") &&
		    text_s64(&line, &offset))
			w->tick_shift = offset * (int64_t)w->hz;
	buf_done(&b);
}

/* Does the number still belong to the process that began then? */
static bool is_same(struct trace_who *w, uint32_t pid, uint64_t start)
{
	struct buf b = { 0 };
	struct text all, word;
	const char *close;
	char path[32];
	uint64_t ticks = 0, want = start / (1000000000u / w->hz);
	bool same = false;

	snprintf(path, sizeof(path), "proc/%u/stat", pid);
	if (root_read(w->root, path, &b, 4096))
		goto out;
	all = text_n(b.data, b.len);
	close = text_last(all, ')');
	if (!close)
		goto out;
	all.p = close + 1;
	for (int i = 0; i < 19; i++) /* state is word 3, the start word 22 */
		if (!text_word(&all, &word))
			goto out;
	same = text_u64(&all, &ticks) && (int64_t)(ticks - want) == w->tick_shift;
out:
	buf_done(&b);
	return same;
}

static char *read_exe(struct trace_who *w, uint32_t pid, uint64_t start)
{
	char path[32], exe[EXE_MOST];
	ssize_t n;

	snprintf(path, sizeof(path), "proc/%u/exe", pid);
	n = root_readlink(w->root, path, exe, sizeof(exe));
	return n > 0 && is_same(w, pid, start) ? mem_dup(exe) : NULL;
}

static struct process *slot(struct trace_who *w, uint32_t pid)
{
	return &w->processes[pid % PROCESSES];
}

const char *trace_who_exe(struct trace_who *w, uint32_t pid, uint64_t start)
{
	struct process *p = slot(w, pid);

	if (!pid)
		return NULL;
	if (p->pid == pid && p->start == start)
		return p->exe;
	mem_free(p->exe);
	*p = (struct process){ .pid = pid, .start = start, .exe = read_exe(w, pid, start) };
	return p->exe;
}

void trace_who_exec(struct trace_who *w, uint32_t pid, uint64_t start, const char *path)
{
	struct process *p = slot(w, pid);

	mem_free(p->exe);
	*p = (struct process){ .pid = pid, .start = start, .exe = read_exe(w, pid, start) };
	if (!p->exe && path[0] == '/')
		p->exe = mem_dup(path);
}

const char *trace_who_comm(struct trace_who *w, uint32_t pid)
{
	struct named *n = &w->names[pid % PROCESSES];
	struct buf b = { 0 };
	char path[32];

	snprintf(path, sizeof(path), "proc/%u/comm", pid);
	if (!root_read(w->root, path, &b, 64) && b.len) {
		size_t len = b.len - (b.data[b.len - 1] == '\n');

		n->pid = pid;
		memset(n->comm, 0, sizeof(n->comm));
		memcpy(n->comm, b.data, len < sizeof(n->comm) ? len : sizeof(n->comm));
	}
	buf_done(&b);
	if (n->pid != pid)
		return NULL; /* ended, and we never heard of it */
	snprintf(w->comm, sizeof(w->comm), "%.16s", n->comm);
	return w->comm;
}

/* ---- life ---- */

struct trace_who *trace_who_new(const struct root *root, unsigned ticks_per_second)
{
	struct trace_who *w = mem_alloc(sizeof(*w));

	w->root = root;
	w->hz = ticks_per_second ? ticks_per_second : 100;
	find_shift(w);
	open_hierarchies(w);
	return w;
}

void trace_who_free(struct trace_who *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < PROCESSES; i++)
		mem_free(w->processes[i].exe);
	for (size_t i = 0; i < GROUPS; i++)
		mem_free(w->groups[i].path);
	for (unsigned i = 0; i < HIERARCHIES; i++)
		if (w->fds[i] >= 0)
			close(w->fds[i]);
	mem_free(w);
}
