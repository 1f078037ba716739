/* SPDX-License-Identifier: Apache-2.0 */
/* File systems: what is mounted where, space and inodes, errors they have counted, and, when one is nearly full,
 * filling, hung or broken, or a disk is busy, who has files open there.
 *
 * The mount tables and the space of local ones are read every second; servers, images and other mount namespaces every
 * fifth and at the end, and values in between are those of the last asking. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "collectors/sysfs.h"
#include "collectors/busy.h"
#include "collectors/collector.h"
#include "collectors/mounts.h"
#include "collectors/openfiles.h"
#include "collectors/table.h"

#define FULL_ROUND 5 /* seconds */
#define SPACES_ROUND \
	20 /* between two searches for mount namespaces: a link of every process is asked */
#define NEARLY_FULL   0.95   /* look for writers */
#define HOLDS_DELETED 0.80   /* look for deleted files that are open */
#define SOON_SECONDS  3600.0 /* to full, at the pace of the last second */
#define STUCK_ROUND   3
#define USERS_SHOWN   24
#define DELETED_SHOWN 8

struct filesystems_state {
	const struct collector_env *env;
	struct mounts mounts;
	struct fs_space space;
	struct openfiles files;
	struct census census;
	unsigned census_read; /* at which reading it was taken, from 1 */
	struct busy_disks busy;
	struct buf label;
	unsigned reads;
	int code;
	bool looked_deleted;
};

/* ---- what asks for an explanation ---- */

static double share_free(uint64_t free, uint64_t all)
{
	return all ? (double)free / (double)all : 1;
}

static bool fills_soon(const struct fs *f)
{
	double seconds = (double)(f->space_ns - f->before_ns) * 1e-9;
	double pace;

	if (!f->before_ns || seconds <= 0 || f->before_available <= f->available)
		return false;
	pace = (double)(f->before_available - f->available) / seconds;
	return (double)f->available / pace < SOON_SECONDS;
}

static bool has_space(const struct fs *f)
{
	return f->known && f->size && !f->kind.image && f->readonly != 1;
}

static bool wants_users(const struct fs *f)
{
	if (f->hung || f->readonly == 2)
		return true;
	return has_space(f) &&
	       (share_free(f->available, f->size) <= 1 - NEARLY_FULL ||
		share_free(f->inodes_free, f->inodes) <= 1 - NEARLY_FULL || fills_soon(f));
}

static bool wants_deleted(const struct fs *f)
{
	return has_space(f) && !f->kind.layer &&
	       (share_free(f->available, f->size) <= 1 - HOLDS_DELETED || fills_soon(f));
}

/* ---- rows ---- */

static void set(struct snapshot *out, enum metric_id id, size_t row, uint64_t v, enum file_id file)
{
	snapshot_set(out, id, row, v, metric_source(id, file));
}

static void set_text(struct snapshot *out, enum metric_id id, size_t row, const char *text,
		     enum file_id file)
{
	snapshot_set_text(out, id, row, text, strlen(text), metric_source(id, file));
}

/* An overlay shows the space of the file system that its upper directory lies on. */
static const struct fs *below_layer(const struct mounts *m, const struct fs *f)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct fs *g = &m->list[i];
		uint64_t apart = g->free > f->free ? g->free - f->free : f->free - g->free;

		if (!g->kind.layer && g->known && g->size == f->size && apart <= f->size / 100)
			return g;
	}
	return NULL;
}

static void put_space(struct filesystems_state *s, const struct fs *f, struct snapshot *out,
		      size_t row)
{
	const struct fs *below;

	if (f->asked_ns)
		set(out, M_FS_HUNG, row, f->hung, F_STATVFS);
	if (!f->known || !f->size)
		return;
	set(out, M_FS_SIZE, row, f->size, F_STATVFS);
	set(out, M_FS_FREE, row, f->free, F_STATVFS);
	set(out, M_FS_AVAILABLE, row, f->available, F_STATVFS);
	if (f->inodes) {
		set(out, M_FS_INODES, row, f->inodes, F_STATVFS);
		set(out, M_FS_INODES_FREE, row, f->inodes_free, F_STATVFS);
	}
	below = f->kind.layer ? below_layer(&s->mounts, f) : NULL;
	if (below)
		set_text(out, M_FS_LAYER_OF, row, below->point, F_STATVFS);
}

static void put_errors(struct filesystems_state *s, const struct fs *f, struct snapshot *out,
		       size_t row)
{
	uint64_t v;

	if (strncmp(f->type, "ext", 3) || !*f->device ||
	    !sysfs_u64(s->env->root, &v, "sys/fs/ext4/%s/errors_count", f->device))
		return;
	set(out, M_FS_ERRORS, row, v, F_SYS_FS);
	if (v && sysfs_u64(s->env->root, &v, "sys/fs/ext4/%s/last_error_time", f->device))
		set(out, M_FS_ERROR_TIME, row, v, F_SYS_FS);
}

static size_t put_fs(struct filesystems_state *s, const struct fs *f, struct snapshot *out)
{
	struct row_id id = { .key = row_id_of_name((const char *)&f->devno, sizeof(f->devno)).key,
			     .birth = f->birth };
	size_t row = snapshot_row(out, SCOPE_FS, id, f->point, strlen(f->point));

	set_text(out, M_FS_TYPE, row, f->type, F_MOUNTINFO);
	set_text(out, M_FS_SOURCE, row, f->source, F_MOUNTINFO);
	set_text(out, M_FS_OPTIONS, row, f->super, F_MOUNTINFO);
	set(out, M_FS_READONLY, row, f->readonly, F_MOUNTINFO);
	set(out, M_FS_DEVNO, row, f->devno, F_MOUNTINFO);
	set(out, M_FS_NAMESPACE, row, (uint64_t)f->pid, F_MOUNTINFO);
	if (*f->disk)
		set_text(out, M_FS_DISK, row, f->disk, F_MOUNTINFO);
	put_space(s, f, out, row);
	put_errors(s, f, out, row);
	return row;
}

/* ---- who has files open ---- */

static int largest_first(const void *x, const void *y)
{
	const struct deleted_file *a = x, *b = y;

	if (a->devno != b->devno)
		return a->devno < b->devno ? -1 : 1;
	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

/* One file may be open in many processes: its blocks count once, under the first of them. The list is sorted. */
static void put_deleted(struct filesystems_state *s, const struct fs *f, struct snapshot *out,
			size_t row)
{
	const struct openfiles *w = &s->files;
	const struct deleted_file *before = NULL;
	uint64_t sum = 0;
	unsigned shown = 0;

	buf_clear(&s->label);
	for (size_t i = 0; i < w->ndeleted; i++) {
		const struct deleted_file *d = &w->deleted[i];

		if (d->devno != f->devno || d->bytes == UINT64_MAX)
			continue;
		if (before && before->inode == d->inode)
			continue;
		before = d;
		sum += d->bytes;
		if (shown++ < DELETED_SHOWN)
			buf_printf(&s->label, "%s%lld %d %llu %s", s->label.len ? "\n" : "",
				   (long long)d->pid, d->fd, (unsigned long long)d->bytes,
				   w->paths.data + d->path);
	}
	set(out, M_FS_DELETED, row, sum, F_OPEN_FILES);
	if (s->label.len)
		set_text(out, M_FS_DELETED_BY, row, s->label.data, F_OPEN_FILES);
}

static void put_users(struct filesystems_state *s, const struct fs *f, struct snapshot *out,
		      size_t row)
{
	buf_clear(&s->label);
	openfiles_users(&s->files, f->devno, false, USERS_SHOWN, &s->label);
	if (s->label.len)
		set_text(out, M_FS_USERS, row, s->label.data, F_OPEN_FILES);
}

static void put_disk_users(struct filesystems_state *s, const struct busy_disk *d,
			   struct snapshot *out)
{
	size_t row;

	buf_clear(&s->label);
	openfiles_users(&s->files, d->devno, true, USERS_SHOWN, &s->label);
	for (size_t i = 0; i < s->mounts.n; i++)
		if (!strcmp(s->mounts.list[i].disk, d->name))
			openfiles_users(&s->files, s->mounts.list[i].devno, false, USERS_SHOWN,
					&s->label);
	if (!s->label.len)
		return;
	row = disk_row(out, s->env->root, d->name);
	set_text(out, M_DISK_USERS, row, s->label.data, F_OPEN_FILES);
}

/* At most once per reading. */
static void take_census(struct filesystems_state *s)
{
	if (s->census_read == s->reads + 1)
		return;
	s->census_read = s->reads + 1;
	census_take(&s->census, s->env);
}

/* Full or broken file systems are looked at every second, since a writer that fails opens its file for a moment only;
 * busy disks at the first two seconds and every third. */
static void look_at_files(struct filesystems_state *s)
{
	bool users = false, deleted = false;

	for (size_t i = 0; i < s->mounts.n; i++) {
		users |= wants_users(&s->mounts.list[i]);
		deleted |= wants_deleted(&s->mounts.list[i]);
	}
	deleted = deleted && (!s->looked_deleted || s->reads % FULL_ROUND == 0 || s->env->closing);
	if (!users && !deleted &&
	    (!s->busy.any_busy || (s->files.walks >= 2 && s->reads % STUCK_ROUND)))
		return;
	take_census(s);
	openfiles_walk(&s->files, s->mounts.ids, s->mounts.nids, deleted, s->busy.any_stuck);
	if (!deleted)
		return;
	s->looked_deleted = true;
	fs_space_ask_deleted(&s->space, &s->files);
	if (s->files.ndeleted)
		qsort(s->files.deleted, s->files.ndeleted, sizeof(*s->files.deleted),
		      largest_first);
}

/* ---- the collector ---- */

static int filesystems_read(void *state, struct snapshot *out, struct err *e)
{
	struct filesystems_state *s = state;
	bool all = s->reads % FULL_ROUND == 0 || s->env->closing;
	bool others = s->reads % SPACES_ROUND == 0 || s->env->closing;
	uint64_t now = clock_boot_ns();
	int err;

	if (others)
		take_census(s);
	err = mounts_read(&s->mounts, others);
	if (err != s->code) {
		s->code = err;
		collector_status(s->env, files[F_MOUNTINFO].path, err, "%s",
				 err ? strerror(-err) : "");
	}
	if (err)
		return err_errno(e, err, "cannot read %s", files[F_MOUNTINFO].path);
	fs_space_ask(&s->space, &s->mounts, now, all);
	busy_look(&s->busy, now);
	look_at_files(s);
	snapshot_begin(out, SCOPE_FS, now);
	for (size_t i = 0; i < s->mounts.n; i++) {
		const struct fs *f = &s->mounts.list[i];
		size_t row = put_fs(s, f, out);

		if (s->files.walks)
			put_users(s, f, out, row);
		if (s->looked_deleted && wants_deleted(f))
			put_deleted(s, f, out, row);
	}
	for (size_t i = 0; i < s->busy.n && s->files.walks; i++)
		if (s->busy.list[i].whole)
			put_disk_users(s, &s->busy.list[i], out);
	s->reads++;
	return 0;
}

static int filesystems_open(void *state, const struct collector_env *env, struct err *e)
{
	struct filesystems_state *s = state;
	struct err why = { 0 };

	(void)e;
	s->env = env;
	s->code = 1;
	mounts_init(&s->mounts, env->root);
	openfiles_init(&s->files, env->root);
	s->mounts.census = s->files.census = &s->census;
	busy_init(&s->busy, env->root);
	if (env->root->live)
		fs_space_open(&s->space, &why);
	collector_status(env, files[F_STATVFS].path, s->space.open ? 0 : -ENOSYS, "%s",
			 s->space.open     ? ""
			 : env->root->live ? why.msg
					   : "not in a captured tree");
	return 0;
}

static void filesystems_close(void *state)
{
	struct filesystems_state *s = state;

	fs_space_close(&s->space);
	openfiles_done(&s->files);
	census_done(&s->census);
	busy_done(&s->busy);
	mounts_done(&s->mounts);
	buf_done(&s->label);
}

const struct collector collector_filesystems = {
	.name = "filesystems",
	.what = "mounts, space and inodes, errors, open and deleted files",
	.needs = "root for open files of other users and for other mount namespaces",
	.pace = PACE_SECOND,
	.seldom = true,
	.scopes = 1u << SCOPE_FS,
	.state_size = sizeof(struct filesystems_state),
	.open = filesystems_open,
	.read = filesystems_read,
	.close = filesystems_close,
};
