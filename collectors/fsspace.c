/* SPDX-License-Identifier: Apache-2.0 */
/* Space and inodes of file systems, asked in a forked child: statvfs on a dead server sleeps for as long as it likes.
 *
 * Local ones are asked together; the child tells which one it is at, so the one that hangs is known and left out of
 * the next try. Those with a server are asked one by one. One that hung is asked again after 1, 2, 4 … rounds. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <fcntl.h>

#include "base/err.h"
#include "base/mem.h"
#include "collectors/mounts.h"

#define DEADLINE_MS   200
#define REMOTE_MS     600 /* for all servers together, in one reading */
#define HANGS_AT_ONCE 3
#define ROUND_NS      2000000000ull

enum op { OP_SPACE, OP_FILE };

struct item {           /* of a request; the path follows */
	uint64_t mount; /* that the path must lie on; 0: any */
	uint32_t op, len;
};

struct told { /* of an answer, one per item */
	int32_t rc;
	uint32_t hidden;
	uint64_t v[5];
};

/* ---- in the child ---- */

/* Another mount may lie on top of the path. The mount of a path is known without asking its file system. */
static bool is_hidden(const char *path, uint64_t mount)
{
#ifdef STATX_MNT_ID
	struct statx st;

	if (mount &&
	    !statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_MNT_ID, &st) &&
	    (st.stx_mask & STATX_MNT_ID))
		return st.stx_mnt_id != mount;
#endif
	(void)path;
	return false;
}

static void tell_space(const char *path, uint64_t mount, struct told *t)
{
	struct statvfs v;

	if (is_hidden(path, mount)) {
		t->hidden = 1;
		return;
	}
	if (statvfs(path, &v)) {
		t->rc = -errno;
		return;
	}
	t->v[0] = (uint64_t)v.f_blocks * v.f_frsize;
	t->v[1] = (uint64_t)v.f_bfree * v.f_frsize;
	t->v[2] = (uint64_t)v.f_bavail * v.f_frsize;
	t->v[3] = v.f_files;
	t->v[4] = v.f_ffree;
}

static void tell_file(const char *path, struct told *t)
{
	struct stat st;

	if (stat(path, &st)) {
		t->rc = -errno;
		return;
	}
	t->v[0] = (uint64_t)st.st_blocks * 512;
	t->v[1] = st.st_ino;
	t->v[2] = st.st_nlink;
}

static int tell(void *ctx, const void *request, size_t n, struct buf *answer, int *fd)
{
	const char *p = request, *end = p + n;

	(void)ctx;
	(void)fd;
	for (uint64_t at = 0; (size_t)(end - p) > sizeof(struct item); at++) {
		struct told t = { 0 };
		struct item i;

		memcpy(&i, p, sizeof(i));
		p += sizeof(i);
		if (!i.len || i.len > (size_t)(end - p) || p[i.len - 1])
			return -EINVAL;
		child_set_progress(at);
		if (i.op == OP_SPACE)
			tell_space(p, i.mount, &t);
		else
			tell_file(p, &t);
		p += i.len;
		buf_add(answer, &t, sizeof(t));
	}
	return 0;
}

/* ---- in the parent ---- */

void fs_space_open(struct fs_space *s, struct err *e)
{
	s->open = child_open(&s->child, "sixty-statvfs", tell, NULL, e) == 0;
}

void fs_space_close(struct fs_space *s)
{
	child_close(&s->child);
	buf_done(&s->request);
	buf_done(&s->answer);
	mem_free(s->due);
}

static void add_item(struct fs_space *s, enum op op, uint64_t mount, const char *path)
{
	struct item i = { .mount = mount, .op = op, .len = (uint32_t)strlen(path) + 1 };

	buf_add(&s->request, &i, sizeof(i));
	buf_add(&s->request, path, i.len);
}

static bool answer_at(const struct fs_space *s, size_t at, struct told *t)
{
	if ((at + 1) * sizeof(*t) > s->answer.len)
		return false;
	memcpy(t, s->answer.data + at * sizeof(*t), sizeof(*t));
	return true;
}

static void take(struct fs *f, const struct told *t, uint64_t now_ns)
{
	f->hung = false;
	f->hangs = 0;
	f->hidden = t->hidden;
	f->known = !t->rc && !t->hidden;
	if (!f->known)
		return;
	f->before_available = f->available;
	f->before_ns = f->space_ns;
	f->size = t->v[0];
	f->free = t->v[1] < f->size ? t->v[1] : f->size;
	f->available = t->v[2] < f->free ? t->v[2] : f->free;
	f->inodes = t->v[3];
	f->inodes_free = t->v[4] < f->inodes ? t->v[4] : f->inodes;
	f->space_ns = now_ns;
}

static void hang(struct fs *f)
{
	f->hung = true;
	f->known = false;
	f->hangs++;
}

static bool is_due(const struct fs *f, uint64_t now_ns, bool all)
{
	if (f->kind.untouchable)
		return false;
	if (f->hung)
		return now_ns - f->asked_ns >= ROUND_NS << (f->hangs < 6 ? f->hangs - 1 : 5);
	return all || !(f->kind.remote || f->kind.layer || f->kind.image || f->readonly == 1);
}

/* Ask for due[from..to). False when there is no use in asking on. */
static bool ask_some(struct fs_space *s, struct mounts *m, size_t from, size_t *to, uint64_t now_ns)
{
	struct told t;
	size_t bad;
	int err;

	buf_clear(&s->request);
	for (size_t i = from; i < *to; i++) {
		struct fs *f = &m->list[s->due[i]];

		f->asked_ns = now_ns;
		add_item(s, OP_SPACE, f->mount, f->point);
	}
	err = child_ask(&s->child, s->request.data, s->request.len, DEADLINE_MS, &s->answer, NULL,
			NULL);
	if (!err) {
		for (size_t i = from; i < *to; i++)
			if (answer_at(s, i - from, &t))
				take(&m->list[s->due[i]], &t, now_ns);
		return false;
	}
	if (err != -ETIMEDOUT) {
		for (size_t i = from; i < *to; i++)
			m->list[s->due[i]].known = false;
		return false;
	}
	bad = from + (size_t)child_progress(&s->child);
	if (bad >= *to)
		bad = from;
	hang(&m->list[s->due[bad]]);
	memmove(&s->due[bad], &s->due[bad + 1], (--*to - bad) * sizeof(*s->due));
	return *to > from;
}

void fs_space_ask(struct fs_space *s, struct mounts *m, uint64_t now_ns, bool all)
{
	size_t n = 0, local;
	int hangs = 0;

	if (!s->open)
		return;
	s->due = mem_grow(s->due, &s->due_cap, m->n + 1, sizeof(*s->due));
	for (size_t i = 0; i < m->n; i++)
		if (!m->list[i].kind.remote && !m->list[i].hung && is_due(&m->list[i], now_ns, all))
			s->due[n++] = i;
	local = n;
	for (size_t i = 0; i < m->n; i++)
		if ((m->list[i].kind.remote || m->list[i].hung) && is_due(&m->list[i], now_ns, all))
			s->due[n++] = i;
	for (size_t i = local; i < n && hangs < REMOTE_MS / DEADLINE_MS; i++) {
		size_t to = i + 1;

		ask_some(s, m, i, &to, now_ns);
		hangs += m->list[s->due[i]].hung;
	}
	hangs = 0;
	while (local && hangs++ < HANGS_AT_ONCE && ask_some(s, m, 0, &local, now_ns))
		;
}

void fs_space_ask_deleted(struct fs_space *s, struct openfiles *w)
{
	char path[64];
	struct told t;

	if (!s->open || !w->ndeleted)
		return;
	buf_clear(&s->request);
	for (size_t i = 0; i < w->ndeleted; i++) {
		snprintf(path, sizeof(path), "/proc/%lld/fd/%d", (long long)w->deleted[i].pid,
			 w->deleted[i].fd);
		add_item(s, OP_FILE, 0, path);
	}
	if (child_ask(&s->child, s->request.data, s->request.len, DEADLINE_MS, &s->answer, NULL,
		      NULL))
		return;
	for (size_t i = 0; i < w->ndeleted; i++) {
		if (!answer_at(s, i, &t) || t.rc || t.v[2])
			continue; /* gone by now, or still has another name */
		w->deleted[i].bytes = t.v[0];
		w->deleted[i].inode = t.v[1];
	}
}
