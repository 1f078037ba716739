/* SPDX-License-Identifier: Apache-2.0 */
/* What comes, goes and changes in /proc/self/mountinfo. */
#include "collectors/trace_mounts.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "collectors/mountinfo.h"

struct trace_mounts {
	int fd;
	struct buf before, now;
};

/* Ids are unique at any time. Both lists are in the same order but for what differs: looking goes on where it was
 * successful last. */
static bool find(const struct buf *list, struct text *cursor, uint64_t id, struct mount *out)
{
	struct text all = text_n(list->data, list->len), rest = *cursor, line;

	while (text_line(&rest, &line))
		if (mountinfo_line(line, out) && out->id == id) {
			*cursor = rest;
			return true;
		}
	while (all.p < cursor->p && text_line(&all, &line))
		if (mountinfo_line(line, out) && out->id == id) {
			*cursor = all;
			return true;
		}
	return false;
}

static bool same_text(struct text a, struct text b)
{
	return text_len(a) == text_len(b) && !memcmp(a.p, b.p, text_len(a));
}

/* An id is used again: the same one at another place is another mount. */
static bool is_same(const struct mount *a, const struct mount *b)
{
	return a->devno == b->devno && same_text(a->point, b->point) && same_text(a->root, b->root);
}

static void tell(const struct mount *m, enum trace_mount_what what,
		 void (*each)(void *ctx, const struct trace_mount *r), void *ctx)
{
	struct trace_mount r = { .e.tag = TRACE_MOUNT, .what = what, .id = (uint32_t)m->id };

	mountinfo_unescape(r.type, sizeof(r.type), m->type);
	mountinfo_unescape(r.source, sizeof(r.source), m->source);
	mountinfo_unescape(r.point, sizeof(r.point), m->point);
	text_copy(r.options, sizeof(r.options), m->options);
	each(ctx, &r);
}

static void tell_missing(const struct buf *from, const struct buf *in, bool gone,
			 void (*each)(void *ctx, const struct trace_mount *r), void *ctx)
{
	struct text all = text_n(from->data, from->len), cursor = text_n(in->data, in->len), line;
	struct mount m, other;

	while (text_line(&all, &line)) {
		if (!mountinfo_line(line, &m))
			continue;
		if (!find(in, &cursor, m.id, &other) || !is_same(&m, &other))
			tell(&m, gone ? MOUNT_REMOVED : MOUNT_ADDED, each, ctx);
		else if (!gone &&
			 (!same_text(m.options, other.options) || !same_text(m.super, other.super)))
			tell(&m, MOUNT_CHANGED, each, ctx);
	}
}

int trace_mounts_read(struct trace_mounts *m, void (*each)(void *ctx, const struct trace_mount *r),
		      void *ctx)
{
	struct buf t = m->before;
	int err = root_reread(m->fd, &m->now, ROOT_FILE_CAP);

	if (err)
		return err;
	tell_missing(&m->before, &m->now, true, each, ctx);
	tell_missing(&m->now, &m->before, false, each, ctx);
	m->before = m->now;
	m->now = t;
	return 0;
}

int trace_mounts_fd(const struct trace_mounts *m)
{
	return m->fd;
}

int trace_mounts_open(struct trace_mounts **out, const struct root *root, struct err *e)
{
	struct trace_mounts *m = mem_alloc(sizeof(*m));
	int err;

	*out = NULL;
	m->fd = root_openat(root, "proc/self/mountinfo");
	err = m->fd < 0 ? m->fd : root_reread(m->fd, &m->before, ROOT_FILE_CAP);
	if (err) {
		trace_mounts_close(m);
		return err_errno(e, err, "cannot read /proc/self/mountinfo");
	}
	*out = m;
	return 0;
}

void trace_mounts_close(struct trace_mounts *m)
{
	if (!m)
		return;
	if (m->fd >= 0)
		close(m->fd);
	buf_done(&m->before);
	buf_done(&m->now);
	mem_free(m);
}
