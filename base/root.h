/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_BASE_ROOT_H
#define SIXTY_BASE_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct buf;
struct err;

/* The tree that system files are read from: "/" on the live machine, a fixture in tests.
 * Paths are relative ("proc/stat"). Under any root but "/" a path cannot leave it, not even by a
 * symbolic link (openat2 RESOLVE_IN_ROOT): a fixture may come from somebody else. */
struct root {
	int fd;
	bool live;      /* this is the real / */
	char path[256]; /* for messages */
};

#define ROOT_FILE_CAP (16u << 20) /* no file of /proc or /sys that we read is larger */

int root_open(struct root *r, const char *path, struct err *e);
/* A directory of another root as a root of its own: never live, and no symbolic link is followed on the way. */
int root_open_below(struct root *r, const struct root *parent, const char *name, struct err *e);
void root_close(struct root *r);

/* Open for reading, O_CLOEXEC | O_NONBLOCK | O_NOCTTY. fd or -errno (no sentence: absence is
 * normal). */
int root_openat(const struct root *r, const char *path);

/* fd of a directory, for whoever walks a tree: what is in it is opened with openat(fd, NAME, … | O_NOFOLLOW), one
 * name at a time, so that the walk stays inside. */
int root_opendir(const struct root *r, const char *path);

/* Read a whole file, replacing what out holds (out keeps its memory between calls).
 * At most cap bytes: more is -EFBIG. 0 or -errno. */
int root_read(const struct root *r, const char *path, struct buf *out, size_t cap);

/* The same from an fd kept open: pread from 0 until the end. */
int root_reread(int fd, struct buf *out, size_t cap);

/* Call fn for each entry but "." and ".."; stop when it returns non-zero and return that. -errno
 * if it cannot be opened. */
int root_list(const struct root *r, const char *path, int (*fn)(void *ctx, const char *name),
	      void *ctx);

/* Target of a symbolic link, NUL-terminated. Length or -errno (-ENAMETOOLONG if it does not
 * fit). */
ssize_t root_readlink(const struct root *r, const char *path, char *out, size_t size);

#endif
