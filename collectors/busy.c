/* SPDX-License-Identifier: Apache-2.0 */
/* Which disks are busy now. See busy.h. */
#include "collectors/busy.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "collectors/sysfs.h"

#define QUEUE_SHARE 0.5 /* mean queue from which somebody may wait */

void busy_init(struct busy_disks *b, const struct root *root)
{
	memset(b, 0, sizeof(*b));
	b->root = root;
	b->fd = -1;
}

void busy_done(struct busy_disks *b)
{
	if (b->fd >= 0)
		close(b->fd);
	buf_done(&b->text);
	mem_free(b->list);
}

static bool read_text(struct busy_disks *b)
{
	if (!b->root->live)
		return !root_read(b->root, "proc/diskstats", &b->text, ROOT_FILE_CAP);
	if (b->fd < 0)
		b->fd = root_openat(b->root, "proc/diskstats");
	return b->fd >= 0 && !root_reread(b->fd, &b->text, ROOT_FILE_CAP);
}

static struct busy_disk *entry(struct busy_disks *b, size_t at, struct text name, uint64_t devno,
			       bool *fresh)
{
	struct busy_disk *d;
	char sys[DISK_NAME], dev[32];

	b->list = mem_grow(b->list, &b->cap, at + 1, sizeof(*b->list));
	d = &b->list[at];
	*fresh = at >= b->n || d->devno != devno || !text_eq(name, d->name);
	if (!*fresh)
		return d;
	*d = (struct busy_disk){ .devno = devno };
	text_copy(d->name, sizeof(d->name), name);
	d->whole = sysfs_text(b->root, dev, sizeof(dev), "sys/block/%s/dev",
			      disk_sysname(sys, d->name));
	return d;
}

static bool look_at(struct busy_disks *b, struct text line, size_t at, double seconds)
{
	uint64_t major, minor, v[15] = { 0 }, done;
	struct text name;
	struct busy_disk *d;
	bool fresh;

	if (!text_u64(&line, &major) || !text_u64(&line, &minor) || !text_word(&line, &name) ||
	    text_len(name) >= DISK_NAME)
		return false;
	for (int col = 4; col <= 14; col++)
		if (!text_u64(&line, &v[col]))
			return false;
	d = entry(b, at, name, devno_of(major, minor), &fresh);
	done = v[4] + v[8];
	d->busy = d->stuck = false;
	if (!fresh && d->whole && seconds > 0) {
		d->busy = v[14] >= d->queue_ms &&
			  (double)(v[14] - d->queue_ms) >= QUEUE_SHARE * 1000 * seconds;
		d->stuck = v[12] > 0 && done == d->done;
	}
	d->done = done;
	d->queue_ms = v[14];
	b->any_busy |= d->busy || d->stuck;
	b->any_stuck |= d->stuck;
	return true;
}

void busy_look(struct busy_disks *b, uint64_t now_ns)
{
	double seconds = b->read_ns ? (double)(now_ns - b->read_ns) * 1e-9 : 0;
	struct text in, line;
	size_t at = 0;

	b->any_busy = b->any_stuck = false;
	if (!read_text(b)) {
		b->n = 0;
		return;
	}
	in = text_n(b->text.data, b->text.len);
	while (at < DISK_CAP && text_line(&in, &line))
		at += look_at(b, line, at, seconds);
	b->n = at;
	b->read_ns = now_ns;
}
