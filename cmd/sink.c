/* SPDX-License-Identifier: Apache-2.0 */
/* Files that appear whole or not at all.
 *
 * A new file is written without a name (O_TMPFILE) and gets one when it is complete, so nothing half-written is ever
 * seen. Replacing an old file needs a rename, since link(2) does not replace: between the two a crash leaves a part
 * called .FILE.sixty-PID, which the next run removes. Where there is no O_TMPFILE (NFS, FAT) or no /proc, the part has
 * that name from the beginning. */
#include "cmd/sink.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

/* Parts of runs that are over. */
static void remove_parts(const struct sink *k, const char *base)
{
	DIR *d = opendir(k->dir);
	struct dirent *de;

	while (d && (de = readdir(d))) {
		struct text name = text_of(de->d_name);
		uint64_t pid;

		if (text_skip(&name, ".") && text_skip(&name, base) &&
		    text_skip(&name, ".sixty-") && text_is_u64(name, &pid) && pid &&
		    pid <= INT_MAX && kill((pid_t)pid, 0) && errno == ESRCH)
			unlinkat(dirfd(d), de->d_name, 0);
	}
	if (d)
		closedir(d);
}

static void own_path(int fd, char out[64])
{
	snprintf(out, 64, "/proc/self/fd/%d", fd);
}

/* -1: it has to be done in another way. */
static int open_unnamed(const char *dir)
{
	int fd =
		open(dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0666); /* read when it has to be copied */
	char self[64];

	own_path(fd, self);
	if (fd < 0 || !access(self, F_OK))
		return fd;
	close(fd);
	return -1;
}

static int open_whole(struct sink *k, struct err *e)
{
	const char *slash = strrchr(k->file, '/'), *base = slash ? slash + 1 : k->file;
	struct stat old;

	if (!*base || strlen(k->file) >= sizeof(k->dir))
		return err_set(e, -EINVAL, "cannot write '%s': not the name of a file", k->file);
	snprintf(k->dir, sizeof(k->dir), "%.*s", slash ? (int)(slash - k->file + 1) : 2,
		 slash ? k->file : "./");
	snprintf(k->part, sizeof(k->part), "%s.%s.sixty-%d", k->dir, base, (int)getpid());
	k->whole = true;
	k->mode = !stat(k->file, &old) ? old.st_mode & 0777 : 0; /* a private file stays private */
	remove_parts(k, base);
	k->fd = open_unnamed(k->dir);
	if (k->fd < 0) {
		k->named = true;
		k->fd = open(k->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	}
	return k->fd < 0 ? err_errno(e, -errno, "cannot write %s", k->file) : 0;
}

/* Devices and pipes (-o /dev/stderr, -o /dev/full) are written straight. */
static bool is_special(const char *file)
{
	struct stat st;

	return !strncmp(file, "/dev/", 5) || !strncmp(file, "/proc/", 6) ||
	       (!stat(file, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode));
}

int sink_open(struct sink *k, const char *file, struct err *e)
{
	*k = (struct sink){ .file = file, .fd = STDOUT_FILENO };
	if (!file || !strcmp(file, "-"))
		return 0;
	if (!is_special(file))
		return open_whole(k, e);
	k->fd = open(file, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return k->fd < 0 ? err_errno(e, -errno, "cannot open %s", file) : 0;
}

/* A file system that lets nothing without a name have one later: what was written is written again, to the part. */
static int copy_to_part(struct sink *k)
{
	int fd = open(k->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666), rc = 0;
	char block[65536];
	off_t at = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	k->named = true;
	while (!rc && (n = pread(k->fd, block, sizeof(block), at)) > 0) {
		rc = buf_write(&(struct buf){ .data = block, .len = (size_t)n }, fd);
		at += n;
	}
	if (!rc && n < 0)
		rc = -errno;
	if (!rc && k->mode && fchmod(fd, k->mode))
		rc = -errno;
	if (close(fd) && !rc)
		rc = -errno;
	return rc;
}

static int give_name(struct sink *k)
{
	int err;

	char self[64];

	own_path(k->fd, self);
	if (!k->named) {
		if (!k->mode && !linkat(AT_FDCWD, self, AT_FDCWD, k->file, AT_SYMLINK_FOLLOW))
			return 0;
		if (!k->mode && errno != EEXIST &&
		    errno != ENOENT) /* somebody else has made it meanwhile */
			return -errno;
		if (linkat(AT_FDCWD, self, AT_FDCWD, k->part, AT_SYMLINK_FOLLOW)) {
			err = errno == ENOENT ? copy_to_part(k) : -errno;
			if (err)
				return err;
		}
	}
	return rename(k->part, k->file) ? -errno : 0;
}

int sink_keep(struct sink *k, struct err *e)
{
	int err = 0;

	if (k->whole) {
		if (k->mode && fchmod(k->fd, k->mode))
			err = -errno;
		if (!err)
			err = give_name(k);
		if (err)
			unlink(k->part);
	}
	if (k->fd != STDOUT_FILENO && close(k->fd) && !err)
		err = -errno;
	k->fd = -1;
	return err ? err_errno(e, err, "cannot write %s", k->file) : 0;
}

void sink_drop(struct sink *k)
{
	if (k->named)
		unlink(k->part);
	if (k->fd >= 0 && k->fd != STDOUT_FILENO)
		close(k->fd);
	k->fd = -1;
}
