/* SPDX-License-Identifier: Apache-2.0 */
/* The table of mounted file systems: ours, and those of processes in other mount namespaces (containers).
 *
 * A file system is mounted in many places: bind mounts, namespaces. One entry per superblock; of its mounts the one
 * that stands for it is in our namespace if possible, shows the whole of it if possible, and has the shortest path. */
#include "collectors/mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/snapshot.h"

#define TABLE_CAP (8u << 20)
#define POINT     4096

struct namespace
{
	uint64_t inode;
	int64_t pid; /* a process in it */
	bool seen;
};

void mounts_init(struct mounts *m, const struct root *root)
{
	memset(m, 0, sizeof(*m));
	m->root = root;
}

static void fs_done(struct fs *f)
{
	mem_free(f->point);
	mem_free(f->type);
	mem_free(f->source);
	mem_free(f->super);
}

void mounts_done(struct mounts *m)
{
	for (size_t i = 0; i < m->n; i++)
		fs_done(&m->list[i]);
	mem_free(m->list);
	mem_free(m->ids);
	mem_free(m->spaces);
	mem_free(m->residents);
	buf_done(&m->text);
	buf_done(&m->own);
}

/* ---- one mount ---- */

static void replace(char **to, struct text t)
{
	char text[POINT];
	size_t n = mountinfo_unescape(text, sizeof(text), t);

	if (*to && !strcmp(*to, text))
		return;
	mem_free(*to);
	*to = mem_dup_n(text, n);
}

static struct fs *find(struct mounts *m, uint64_t devno)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->list[i].devno == devno)
			return &m->list[i];
	return NULL;
}

/* "ro" of the file system itself, not of the mount. ext4 says emergency_ro or shutdown after an error. */
static unsigned readonly_of(struct text super)
{
	if (mountinfo_has(super, "emergency_ro") || mountinfo_has(super, "shutdown"))
		return 2;
	return mountinfo_has(super, "ro");
}

static const char *basename_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The disk is that of the device number. btrfs, and others with several devices, have a number of their own: there the
 * source tells. /dev/mapper names are links, which only the number resolves. */
static void find_disk(struct mounts *m, struct fs *f)
{
	f->disk[0] = f->device[0] = '\0';
	if (f->devno >> 20 && disk_of_devno(m->root, f->devno, f->disk)) {
		char link[64], target[512];
		ssize_t n;

		snprintf(link, sizeof(link), "sys/dev/block/%llu:%llu",
			 (unsigned long long)(f->devno >> 20),
			 (unsigned long long)(f->devno & 0xfffff));
		n = root_readlink(m->root, link, target, sizeof(target));
		if (n > 0)
			snprintf(f->device, sizeof(f->device), "%.*s", DISK_NAME - 1,
				 basename_of(target));
		return;
	}
	if (!strncmp(f->source, "/dev/", 5) &&
	    !disk_of_name(m->root, basename_of(f->source), f->disk))
		f->disk[0] = '\0';
}

static struct fs *add_fs(struct mounts *m, const struct mount *mt)
{
	struct fs *f;

	if (m->n == FS_CAP)
		return NULL;
	m->list = mem_grow(m->list, &m->cap, m->n + 1, sizeof(*m->list));
	f = &m->list[m->n++];
	*f = (struct fs){ .devno = mt->devno, .kind = fs_kind(mt->type) };
	return f;
}

static bool stands_better(const struct fs *f, const struct mount *mt, int64_t pid, bool whole,
			  size_t len)
{
	if (f->round == 0)
		return true;
	if ((pid == 0) != (f->pid == 0))
		return pid == 0;
	if (whole != f->whole)
		return whole;
	if (mt->id == f->mount && pid == f->pid)
		return false;
	return len < strlen(f->point);
}

static void describe(struct mounts *m, struct fs *f, const struct mount *mt, int64_t pid)
{
	char path[POINT + 32];
	size_t n = pid ? (size_t)snprintf(path, sizeof(path), "/proc/%lld/root", (long long)pid)
		       : 0;

	mountinfo_unescape(path + n, sizeof(path) - n, mt->point);
	if (pid && !strcmp(path + n, "/"))
		path[n] = '\0';
	if (!f->point || strcmp(f->point, path)) {
		mem_free(f->point);
		f->point = mem_dup(path);
	}
	replace(&f->type, mt->type);
	replace(&f->source, mt->source);
	f->mount = mt->id;
	f->pid = pid;
	f->whole = text_eq(mt->root, "/");
	f->hidden = false;
	f->birth = row_id_of_name(f->type, strlen(f->type)).key ^
		   row_id_of_name(f->source, strlen(f->source)).key << 1;
	find_disk(m, f);
}

static void add_mount(struct mounts *m, const struct mount *mt, int64_t pid)
{
	struct fs *f = find(m, mt->devno);
	bool whole = text_eq(mt->root, "/"), fresh = !f;

	if (fs_kind(mt->type).pseudo)
		return;
	if (m->nids < MOUNT_CAP) {
		m->ids = mem_grow(m->ids, &m->ids_cap, m->nids + 1, sizeof(*m->ids));
		m->ids[m->nids++] = (struct mount_id){ mt->id, mt->devno };
	}
	if (fresh)
		f = add_fs(m, mt);
	if (!f)
		return;
	/* a new round starts with no mount standing for it */
	if (fresh || f->round != m->round || stands_better(f, mt, pid, whole, text_len(mt->point)))
		describe(m, f, mt, pid);
	f->round = m->round;
	f->readonly = readonly_of(mt->super);
	replace(&f->super, mt->super);
}

static void add_table(struct mounts *m, struct text in, int64_t pid)
{
	struct text line;
	struct mount mt;

	while (text_line(&in, &line))
		if (mountinfo_line(line, &mt))
			add_mount(m, &mt, pid);
}

/* ---- other namespaces ---- */

static bool namespace_of(struct mounts *m, const char *pid, uint64_t *inode)
{
	char path[300], target[64];
	struct text t;
	ssize_t n;

	snprintf(path, sizeof(path), "proc/%s/ns/mnt", pid);
	n = root_readlink(m->root, path, target, sizeof(target));
	t = text_n(target, n > 0 ? (size_t)n : 0);
	return text_skip(&t, "mnt:[") && text_u64(&t, inode);
}

static void see_namespace(struct mounts *m, uint64_t inode, int64_t pid)
{
	for (size_t i = 0; i < m->nspaces; i++) {
		if (m->spaces[i].inode != inode)
			continue;
		if (!m->spaces[i].seen)
			m->spaces[i].pid = pid;
		m->spaces[i].seen = true;
		return;
	}
	if (m->nspaces == NAMESPACE_CAP)
		return;
	m->spaces = mem_grow(m->spaces, &m->spaces_cap, m->nspaces + 1, sizeof(*m->spaces));
	m->spaces[m->nspaces++] = (struct namespace){ .inode = inode, .pid = pid, .seen = true };
}

/* Links cost a few microseconds each, and hardly anybody moves to another namespace: who was asked before is not asked
 * again. */
struct resident {
	uint64_t pid, inode; /* 0: the kernel does not tell us */
};

static int by_pid(const void *x, const void *y)
{
	const struct resident *a = x, *b = y;

	return (a->pid > b->pid) - (a->pid < b->pid);
}

static int each_pid(void *ctx, const char *name)
{
	struct mounts *m = ctx;
	struct resident r = { 0 };
	const struct resident *known;

	if (*name < '1' || *name > '9' || !text_is_u64(text_of(name), &r.pid))
		return 0;
	known = m->nknown ? bsearch(&r, m->residents, m->nknown, sizeof(r), by_pid) : NULL;
	if (known)
		r.inode = known->inode;
	else if (!namespace_of(m, name, &r.inode))
		r.inode = 0;
	m->residents =
		mem_grow(m->residents, &m->residents_cap, m->nresidents + 1, sizeof(*m->residents));
	m->residents[m->nresidents++] = r;
	if (r.inode)
		see_namespace(m, r.inode, (int64_t)r.pid);
	return 0;
}

static void ask_all(struct mounts *m)
{
	size_t left = 0;

	m->nknown = m->nresidents;
	root_list(m->root, "proc", each_pid, m);
	/* those that were found now */
	for (size_t i = m->nknown; i < m->nresidents; i++)
		m->residents[left++] = m->residents[i];
	m->nresidents = left;
	if (left)
		qsort(m->residents, left, sizeof(*m->residents), by_pid);
}

static void visit_all(struct mounts *m)
{
	if (!m->census || !m->census->n)
		ask_all(m);
	for (size_t i = 0; m->census && i < m->census->n; i++) {
		const struct census_row *c = &m->census->rows[i];
		uint64_t inode = c->mnt_ns;
		char name[16];

		snprintf(name, sizeof(name), "%d", c->pid);
		if (c->told ? inode != 0 : namespace_of(m, name, &inode))
			see_namespace(m, inode, c->pid);
	}
}

static void find_namespaces(struct mounts *m)
{
	uint64_t own;
	size_t left = 0;

	for (size_t i = 0; i < m->nspaces; i++)
		m->spaces[i].seen = false;
	visit_all(m);
	if (!namespace_of(m, "self", &own))
		own = 0;
	for (size_t i = 0; i < m->nspaces; i++)
		if (m->spaces[i].seen && m->spaces[i].inode != own)
			m->spaces[left++] = m->spaces[i];
	m->nspaces = left;
}

static void add_namespaces(struct mounts *m)
{
	char path[64];

	for (size_t i = 0; i < m->nspaces; i++) {
		snprintf(path, sizeof(path), "proc/%lld/mountinfo", (long long)m->spaces[i].pid);
		if (!root_read(m->root, path, &m->text, TABLE_CAP))
			add_table(m, text_n(m->text.data, m->text.len), m->spaces[i].pid);
	}
}

/* ---- the whole ---- */

static int by_id(const void *x, const void *y)
{
	const struct mount_id *a = x, *b = y;

	return a->id < b->id ? -1 : a->id > b->id;
}

static void drop_unseen(struct mounts *m)
{
	size_t left = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (m->list[i].round == m->round)
			m->list[left++] = m->list[i];
		else
			fs_done(&m->list[i]);
	}
	m->n = left;
}

int mounts_read(struct mounts *m, bool others)
{
	int err = root_read(m->root, "proc/self/mountinfo", &m->text, TABLE_CAP);
	struct buf t = m->own;

	if (err)
		return err;
	if (!others && m->round && m->text.len == m->own.len &&
	    !memcmp(m->text.data, m->own.data, m->own.len))
		return 0;
	m->own = m->text;
	m->text = t;
	m->round++;
	m->nids = 0;
	add_table(m, text_n(m->own.data, m->own.len), 0);
	if (others)
		find_namespaces(m);
	add_namespaces(m);
	if (m->nids)
		qsort(m->ids, m->nids, sizeof(*m->ids), by_id);
	drop_unseen(m);
	return 0;
}
