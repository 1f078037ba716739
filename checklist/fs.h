/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CHECKLIST_FS_H
#define SIXTY_CHECKLIST_FS_H

#include <stdbool.h>

#include "checklist/rule.h"

/* File systems as rules ask about them: rows of view->last. */
struct fs_view {
	size_t row;
	struct row_id id;
	const char *point, *type, *source, *disk; /* never NULL */
	double size, free, available, inodes, inodes_free;
	double first_available, first_inodes_free;
	double readonly; /* 0, 1, 2 as fs.readonly */
	bool writable;   /* mounted read-write, and not an image */
	bool own;        /* has space of its own: no overlay, nothing hidden below another mount */
};

/* False for a row without a type (not read this time). */
bool fs_at(const struct view *v, size_t row, struct fs_view *out);

/* Who has files open on it, as far as looked at. */
struct fs_user {
	int64_t pid;
	struct row_id id;
	const char *comm;
	char use;               /* 'w', 'r', 'c' */
	unsigned times;         /* looks in which it was seen */
	double calls, per_call; /* write calls a second, bytes that each of them wrote */
	double bytes;           /* written to files per second */
	bool failing;           /* most of its write calls write nothing */
};

#define FS_USERS_MAX 16

size_t fs_users(const struct view *v, const struct fs_view *fs, struct fs_user *out, size_t max);
/* Put the file system, its disk, and those of its users that write into the offenders. */
void fs_offenders(struct finding *f, const struct fs_view *fs, const struct fs_user *users,
		  size_t n);

/* fs_space.c */
void check_no_space(const struct rule *r, const struct view *v, struct findings *fs);
void check_no_inodes(const struct rule *r, const struct view *v, struct findings *fs);
void check_filling_up(const struct rule *r, const struct view *v, struct findings *fs);
void check_deleted_open(const struct rule *r, const struct view *v, struct findings *fs);
/* fs_state.c */
void check_readonly(const struct rule *r, const struct view *v, struct findings *fs);
void check_frozen_fs(const struct rule *r, const struct view *v, struct findings *fs);
void check_hung_mount(const struct rule *r, const struct view *v, struct findings *fs);
void check_metadata(const struct rule *r, const struct view *v, struct findings *fs);
void check_fuse_slow(const struct rule *r, const struct view *v, struct findings *fs);
void check_nfs_slow(const struct rule *r, const struct view *v, struct findings *fs);

#endif
