/* SPDX-License-Identifier: Apache-2.0 */
/* Hierarchies of control groups: found in mountinfo, walked with a bound.
 *
 * A machine may have one hierarchy (v2), a dozen (v1: one per controller or set of controllers) or both (hybrid:
 * systemd's v2 tree without controllers beside v1). Inside a container the mount shows only a part, and
 * /proc/PID/cgroup may or may not show the same part: the fourth field of mountinfo says which.
 *
 * A directory of cgroupfs says in its link count how many directories it holds, so leaves are not listed. */
#include "collectors/cgroup_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

/* ---- mounts ---- */

/* Blanks, tabs, newlines and backslashes of paths are written as \040 and so on. */
static bool unescape(struct text in, char *out, size_t size)
{
	size_t n = 0;

	while (in.p < in.end) {
		char c = *in.p++;

		if (c == '\\' && in.end - in.p >= 3 && (in.p[0] & ~3) == '0' &&
		    (in.p[1] & ~7) == '0' && (in.p[2] & ~7) == '0') {
			c = (char)((in.p[0] & 3) << 6 | (in.p[1] & 7) << 3 | (in.p[2] & 7));
			in.p += 3;
		}
		if (n + 1 >= size)
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return true;
}

static bool is_controller(struct text option)
{
	static const char *const known[] = {
		"cpu",        "cpuacct", "cpuset",  "memory",  "freezer",
		"blkio",      "pids",    "devices", "net_cls", "net_prio",
		"perf_event", "hugetlb", "rdma",    "misc",    "debug",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (text_eq(option, known[i]))
			return true;
	return false;
}

static bool is_looked_at(struct text controller)
{
	static const char *const used[] = { "cpu",     "cpuacct", "cpuset", "memory",
					    "freezer", "blkio",   "pids" };

	for (size_t i = 0; i < sizeof(used) / sizeof(*used); i++)
		if (text_eq(controller, used[i]))
			return true;
	return false;
}

/* The options of the superblock name the controllers, in the order that /proc/PID/cgroup uses. */
static bool controllers_of(struct text options, char *out, size_t size)
{
	struct text o;
	bool useful = false;
	size_t n = 0;

	while (text_until(&options, ',', &o)) {
		if (!is_controller(o))
			continue;
		useful |= is_looked_at(o);
		if (n + text_len(o) + 2 > size)
			return false;
		if (n)
			out[n++] = ',';
		memcpy(out + n, o.p, text_len(o));
		n += text_len(o);
	}
	out[n] = '\0';
	return useful;
}

/* "36 35 98:0 /above /at rw,opts shared:1 - cgroup cgroup rw,cpu,cpuacct" */
static bool parse_mount(struct text line, struct cgroup_mount *m)
{
	struct text word, above, at, type, options;

	for (int i = 0; i < 3; i++)
		if (!text_word(&line, &word))
			return false;
	if (!text_word(&line, &above) || !text_word(&line, &at))
		return false;
	do {
		if (!text_word(&line, &word))
			return false;
	} while (!text_eq(word, "-"));
	if (!text_word(&line, &type) || !text_word(&line, &word))
		return false;
	memset(m, 0, sizeof(*m));
	m->v2 = text_eq(type, "cgroup2");
	if (!m->v2 && !text_eq(type, "cgroup"))
		return false;
	if (!m->v2 && (!text_word(&line, &options) ||
		       !controllers_of(options, m->controllers, sizeof(m->controllers))))
		return false;
	text_skip(&at, "/");
	if (text_eq(above, "/"))
		above.p = above.end;
	return unescape(at, m->at, sizeof(m->at)) && unescape(above, m->above, sizeof(m->above));
}

static struct cgroup_mount *same_hierarchy(struct cgroup_mount *list, size_t n,
					   const struct cgroup_mount *m)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].v2 == m->v2 && !strcmp(list[i].controllers, m->controllers))
			return &list[i];
	return NULL;
}

size_t cgroup_mounts(const struct root *root, struct cgroup_mount *out, size_t max,
		     struct buf *text)
{
	struct text rest, line;
	size_t n = 0;

	if (root_read(root, "proc/self/mountinfo", text, ROOT_FILE_CAP))
		return 0;
	rest = text_n(text->data, text->len);
	while (text_line(&rest, &line)) {
		struct cgroup_mount m, *have;

		if (!parse_mount(line, &m))
			continue;
		have = same_hierarchy(out, n, &m);
		/* a bind mount of a part of a hierarchy, seen beside the whole */
		if (have && !(have->above[0] && !m.above[0]))
			continue;
		if (have)
			*have = m;
		else if (n < max)
			out[n++] = m;
	}
	return n;
}

const char *cgroup_mode(const struct cgroup_mount *m, size_t n)
{
	bool v1 = false, v2 = false;

	for (size_t i = 0; i < n; i++) {
		v1 |= !m[i].v2;
		v2 |= m[i].v2;
	}
	return v1 && v2 ? "hybrid" : v2 ? "v2" : v1 ? "v1" : "";
}

bool cgroup_carries(const struct cgroup_mount *m, const char *controller)
{
	struct text rest = text_of(m->controllers), name;

	while (text_until(&rest, ',', &name))
		if (text_eq(name, controller))
			return true;
	return false;
}

/* ---- walk ---- */

static int rank_of(char c)
{
	return c == '\0' ? 0 : c == '/' ? 1 : (unsigned char)c + 1;
}

int cgroup_path_order(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return rank_of(*a) - rank_of(*b);
}

struct walk {
	const struct cgroup_mount *mount;
	cgroup_visit visit;
	void *ctx;
	size_t *budget;
	long left_out;
	char path[CGROUP_PATH];
};

/* As getdents64() gives it. */
struct entry {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

static bool is_directory(int dirfd, const struct entry *d)
{
	struct stat st;

	if (!strcmp(d->name, ".") || !strcmp(d->name, ".."))
		return false;
	if (d->type != DT_UNKNOWN)
		return d->type == DT_DIR;
	return !fstatat(dirfd, d->name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of the directories in dirfd, sorted; names point into text. */
static const char **children(int dirfd, struct buf *text, size_t *n)
{
	_Alignas(struct entry) char chunk[8192];
	const char **names = NULL;
	size_t cap = 0;
	long got;

	*n = 0;
	while ((got = syscall(SYS_getdents64, dirfd, chunk, sizeof(chunk))) > 0)
		for (long at = 0; at < got;) {
			const struct entry *d = (const struct entry *)(chunk + at);

			if (is_directory(dirfd, d))
				buf_add(text, d->name, strlen(d->name) + 1);
			at += d->reclen;
		}
	for (size_t at = 0; at < text->len; at += strlen(text->data + at) + 1) {
		names = mem_grow(names, &cap, *n + 1, sizeof(*names));
		names[(*n)++] = text->data + at;
	}
	if (*n)
		qsort(names, *n, sizeof(*names), by_name);
	return names;
}

static void enter(struct walk *w, int dirfd, size_t len, unsigned depth);

static void enter_children(struct walk *w, int dirfd, size_t len, unsigned depth)
{
	struct buf text = { 0 };
	size_t n;
	const char **names = children(dirfd, &text, &n);

	for (size_t i = 0; i < n; i++) {
		size_t more = strlen(names[i]);
		int fd;

		if (!*w->budget || depth >= CGROUP_DEPTH || len + more + 2 > sizeof(w->path)) {
			w->left_out++;
			continue;
		}
		fd = openat(dirfd, names[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0) {
			/* removed since it was listed: not left out; no more descriptors: is */
			w->left_out += errno != ENOENT && errno != ENODEV;
			continue;
		}
		w->path[len] = '/';
		memcpy(w->path + len + 1, names[i], more + 1);
		enter(w, fd, len + 1 + more, depth + 1);
		w->path[len] = '\0';
		close(fd);
	}
	mem_free(names);
	buf_done(&text);
}

static void enter(struct walk *w, int dirfd, size_t len, unsigned depth)
{
	struct stat st;

	--*w->budget;
	w->visit(w->ctx, w->mount, w->path, dirfd);
	if (fstat(dirfd, &st) || st.st_nlink != 2)
		enter_children(w, dirfd, len, depth);
}

long cgroup_walk(const struct root *root, const struct cgroup_mount *m, size_t *budget,
		 cgroup_visit visit, void *ctx)
{
	struct walk w = { .mount = m, .visit = visit, .ctx = ctx, .budget = budget };
	int fd;

	if (!*budget)
		return 1;
	fd = root_opendir(root, m->at);
	if (fd < 0)
		return fd;
	enter(&w, fd, 0, 0);
	close(fd);
	return w.left_out;
}
