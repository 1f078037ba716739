/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_MOUNTS_H
#define SIXTY_COLLECTORS_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/child.h"
#include "base/root.h"
#include "collectors/census.h"
#include "collectors/disks.h"
#include "collectors/mountinfo.h"
#include "collectors/openfiles.h"

/* One file system, however often it is mounted: by device number, as the kernel keeps superblocks. */
struct fs {
	uint64_t devno, birth;
	uint64_t mount; /* id of the mount that stands for it */
	int64_t pid;    /* whose namespace; 0: ours */
	char *point, *type, *source, *super;
	struct fs_kind kind;
	unsigned readonly;      /* as fs.readonly */
	unsigned round;         /* of the mount tables in which it was seen last */
	char disk[DISK_NAME];   /* "" when it has none */
	char device[DISK_NAME]; /* disk or partition: its name in sys/fs/ext4 */
	bool whole;             /* the mount shows its root, not a directory in it */

	bool known, hidden; /* space was told; another mount lies on top */
	uint64_t size, free, available, inodes, inodes_free;
	uint64_t asked_ns, space_ns;
	uint64_t before_available, before_ns;
	bool hung;
	unsigned hangs;
};

struct mounts {
	const struct root *root;
	struct buf text, own; /* scratch; our mount table as it was parsed last */
	struct fs *list;
	size_t n, cap;
	struct mount_id *ids;
	size_t nids, ids_cap;
	unsigned round;
	const struct census *census; /* NULL or empty: /proc is listed, and asked */
	struct namespace *spaces;
	size_t nspaces, spaces_cap;
	struct resident *residents; /* of namespaces; nknown: as it was before this round */
	size_t nresidents, residents_cap, nknown;
};

#define FS_CAP        2048
#define MOUNT_CAP     65536
#define NAMESPACE_CAP 64

void mounts_init(struct mounts *m, const struct root *root);
void mounts_done(struct mounts *m);

/* Read our mount table, and with `others` those of processes in other mount namespaces. 0 or -errno of our own. */
int mounts_read(struct mounts *m, bool others);

/* Ask for the space of one that is due, in the child. See fs_ask in fsspace.c. */
struct fs_space {
	struct child child;
	bool open;
	struct buf request, answer;
	size_t *due;
	size_t due_cap;
};

void fs_space_open(struct fs_space *s, struct err *e);
void fs_space_close(struct fs_space *s);
/* Everybody whose turn it is: local ones each time, others and the unchanging with `all`. */
void fs_space_ask(struct fs_space *s, struct mounts *m, uint64_t now_ns, bool all);
/* Blocks of deleted files that are open. */
void fs_space_ask_deleted(struct fs_space *s, struct openfiles *w);

#endif
