/* SPDX-License-Identifier: Apache-2.0 */
/* The tree that system files are read from: / on the live machine, a directory in a replay.
 *
 * A replayed directory may come from somebody else. Every path under it is resolved by the kernel
 * with RESOLVE_IN_ROOT, so neither ".." nor a symbolic link leaves it, and only regular files are
 * opened: a device node or a FIFO in an unpacked archive is refused before it is touched. */
#include "base/root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#define OPEN_FLAGS  (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
#define FIRST_READ  4096u
#define OPEN_TRIES  16         /* the kernel says EAGAIN when a rename raced with ".." */
#define NAMES_BYTES (4u << 20) /* of one directory in a replay */

static int open_resolved(int dirfd, const char *path, int flags, unsigned resolve)
{
	struct open_how how = {
		.flags = (unsigned)flags,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve,
	};
	long fd = -1;

	for (int i = 0; i < OPEN_TRIES; i++) {
		fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			break;
	}
	return -errno;
}

static int open_inside(int dirfd, const char *path, int flags)
{
	return open_resolved(dirfd, path, flags, 0);
}

/* Look first, then open that very file: an O_PATH fd touches nothing. */
static int open_regular(int dirfd, const char *path)
{
	int seen = open_inside(dirfd, path, O_PATH | O_CLOEXEC), rc = -EINVAL;
	char again[40];
	struct stat st;

	if (seen < 0)
		return seen;
	if (fstat(seen, &st)) {
		rc = -errno;
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		rc = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
		goto out;
	}
	snprintf(again, sizeof(again), "/proc/self/fd/%d", seen);
	rc = open(again, OPEN_FLAGS);
	if (rc < 0)
		rc = -errno;
out:
	close(seen);
	return rc;
}

static int open_any(const struct root *r, const char *path, int flags)
{
	int fd;

	if (!r->live)
		return open_inside(r->fd, path, flags);
	fd = openat(r->fd, path, flags);
	return fd < 0 ? -errno : fd;
}

static bool is_real_root(int fd)
{
	struct stat here, slash;

	return !fstat(fd, &here) && !stat("/", &slash) && here.st_dev == slash.st_dev &&
	       here.st_ino == slash.st_ino;
}

int root_open(struct root *r, const char *path, struct err *e)
{
	int rc = -EINVAL, probe;

	*r = (struct root){ .fd = -1 };
	snprintf(r->path, sizeof(r->path), "%s", path);
	r->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->fd < 0) {
		rc = err_errno(e, -errno, "cannot open the directory %s", path);
		goto out;
	}
	r->live = is_real_root(r->fd);
	if (!r->live) {
		probe = open_inside(r->fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (probe < 0) {
			rc = err_errno(e, probe, "cannot read below %s safely: openat2 (Linux 5.6)",
				       path);
			goto out;
		}
		close(probe);
	}
	rc = 0;
out:
	if (rc)
		root_close(r);
	return rc;
}

int root_open_below(struct root *r, const struct root *parent, const char *name, struct err *e)
{
	int fd = open_resolved(parent->fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC,
			       RESOLVE_NO_SYMLINKS);

	*r = (struct root){ .fd = fd < 0 ? -1 : fd };
	snprintf(r->path, sizeof(r->path), "%s/%s", parent->path, name);
	if (fd == -ELOOP)
		return err_set(e, fd,
			       "cannot open the directory %s/%s: symbolic links are not followed",
			       parent->path, name);
	return fd < 0 ? err_errno(e, fd, "cannot open the directory %s/%s", parent->path, name) : 0;
}

void root_close(struct root *r)
{
	if (!r || r->fd < 0)
		return;
	close(r->fd);
	r->fd = -1;
}

int root_openat(const struct root *r, const char *path)
{
	return r->live ? open_any(r, path, OPEN_FLAGS) : open_regular(r->fd, path);
}

int root_opendir(const struct root *r, const char *path)
{
	return open_any(r, path, OPEN_FLAGS | O_DIRECTORY);
}

int root_read(const struct root *r, const char *path, struct buf *out, size_t cap)
{
	int fd = root_openat(r, path), rc;

	if (fd < 0) {
		buf_clear(out);
		return fd;
	}
	rc = root_reread(fd, out, cap);
	close(fd);
	return rc;
}

/* One pread behind what out holds. Bytes, 0 at the end, -errno; never more than cap + 1 in all. */
static ssize_t read_more(int fd, struct buf *out, size_t cap)
{
	size_t want = out->cap > out->len + 1 ? out->cap - out->len - 1 : 0;
	ssize_t n;

	if (want < FIRST_READ)
		want = out->len < FIRST_READ ? FIRST_READ : out->len;
	if (want > cap - out->len)
		want = cap - out->len + 1;
	buf_reserve(out, want);
	do
		n = pread(fd, out->data + out->len, want, (off_t)out->len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int root_reread(int fd, struct buf *out, size_t cap)
{
	ssize_t n;

	if (cap > SSIZE_MAX / 2)
		cap = SSIZE_MAX / 2;
	buf_clear(out);
	while ((n = read_more(fd, out, cap)) > 0) {
		out->len += (size_t)n;
		if (out->len > cap) {
			n = -EFBIG;
			break;
		}
	}
	if (n < 0)
		buf_clear(out);
	else
		out->data[out->len] = '\0';
	return (int)n;
}

static int list_live(DIR *d, int (*fn)(void *ctx, const char *name), void *ctx)
{
	struct dirent *de;
	int rc = 0;

	while (!rc) {
		errno = 0;
		de = readdir(d);
		if (!de)
			return -errno;
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			rc = fn(ctx, de->d_name);
	}
	return rc;
}

static int add_name(void *ctx, const char *name)
{
	struct buf *names = ctx;

	if (names->len > NAMES_BYTES)
		return -EFBIG;
	buf_add(names, name, strlen(name) + 1);
	return 0;
}

static int by_version(const void *a, const void *b)
{
	return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

/* A replay must not depend on the order in which a file system keeps names. Numbers go up, as
 * they do in the live /proc. */
static int list_sorted(DIR *d, int (*fn)(void *ctx, const char *name), void *ctx)
{
	struct buf names = { 0 };
	const char **sorted = NULL;
	size_t n = 0, cap = 0;
	int rc = list_live(d, add_name, &names);

	for (size_t at = 0; !rc && at < names.len; at += strlen(names.data + at) + 1) {
		sorted = mem_grow(sorted, &cap, n + 1, sizeof(*sorted));
		sorted[n++] = names.data + at;
	}
	if (n)
		qsort(sorted, n, sizeof(*sorted), by_version);
	for (size_t i = 0; !rc && i < n; i++)
		rc = fn(ctx, sorted[i]);
	mem_free(sorted);
	buf_done(&names);
	return rc;
}

int root_list(const struct root *r, const char *path, int (*fn)(void *ctx, const char *name),
	      void *ctx)
{
	int fd = open_any(r, path, OPEN_FLAGS | O_DIRECTORY), rc;
	DIR *d;

	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (!d) {
		rc = -errno;
		close(fd);
		return rc;
	}
	rc = r->live ? list_live(d, fn, ctx) : list_sorted(d, fn, ctx);
	closedir(d);
	return rc;
}

/* The live tree needs no walk inside: a link is asked where it is, which is one call instead of three. */
static ssize_t read_link(const struct root *r, const char *path, char *out, size_t size)
{
	int fd;
	ssize_t n;

	if (r->live) {
		n = readlinkat(r->fd, path, out, size);
		return n < 0 ? -errno : n;
	}
	fd = open_any(r, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fd;
	n = readlinkat(fd, "", out, size);
	if (n < 0)
		n = errno == ENOENT ? -EINVAL : -errno; /* what an O_PATH fd of no link says */
	close(fd);
	return n;
}

ssize_t root_readlink(const struct root *r, const char *path, char *out, size_t size)
{
	ssize_t n = size ? read_link(r, path, out, size) : -ENAMETOOLONG;

	if (n >= 0 && (size_t)n >= size)
		return -ENAMETOOLONG;
	if (n >= 0)
		out[n] = '\0';
	return n;
}
