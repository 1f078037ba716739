/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_OPENFILES_H
#define SIXTY_COLLECTORS_OPENFILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/root.h"
#include "collectors/census.h"

/* Who has files open where: a walk over /proc/PID/fd of the processes that did I/O since the last walk or sit in
 * state D. Costs milliseconds, so its user walks only when a file system or a disk asks for an explanation.
 * Only links and fdinfo are read, never the files: nothing here can hang on a dead server. */
struct mount_id {
	uint64_t id, devno; /* mnt_id of fdinfo, and the file system that it belongs to */
};

struct file_user {
	int64_t pid;
	uint64_t start; /* in ticks */
	uint64_t devno; /* of the file system, or of the whole disk if `block` */
	bool block;     /* a disk's node in /dev is open */
	char use;       /* 'w' open for writing, 'r' for reading, 'c' only the working directory */
	unsigned times; /* walks in which it was seen */
	unsigned walk;  /* the last of them */
};

struct deleted_file {
	int64_t pid;
	int fd;
	uint64_t devno;
	uint64_t bytes,
		inode; /* filled by whoever may ask the file itself; bytes are UINT64_MAX until then */
	uint32_t path; /* offset in `paths` */
};

struct openfiles {
	const struct root *root;
	struct buf text;
	struct seen_task *seen;
	size_t nseen, seen_cap; /* by pid, of the last walk */
	struct seen_task *now;
	size_t nnow, now_cap; /* of the walk in progress */
	struct file_user *users;
	size_t nusers, users_cap;
	struct deleted_file *deleted;
	size_t ndeleted, deleted_cap;
	struct buf paths;
	const struct census *census; /* NULL or empty: /proc is listed, and read */
	const struct mount_id *mounts;
	size_t nmounts;
	unsigned walks, budget, task_budget;
	int64_t self;
	bool want_deleted;
	bool cut; /* the last walk met a cap */
};

void openfiles_init(struct openfiles *w, const struct root *root);
void openfiles_done(struct openfiles *w);

/* One walk. mounts is sorted by id. deleted: look at the files of every process, and list those that are deleted but
 * still open (of file systems in `mounts`); the list of the walk before is dropped. stuck: something does not answer,
 * so the threads of processes that do nothing are looked at, too. */
void openfiles_walk(struct openfiles *w, const struct mount_id *mounts, size_t n, bool deleted,
		    bool stuck);

/* Append "pid:use:times" of everybody who has files open there, most often seen first, at most `max`. */
void openfiles_users(const struct openfiles *w, uint64_t devno, bool block, size_t max,
		     struct buf *out);

#endif
