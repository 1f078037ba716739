/* SPDX-License-Identifier: Apache-2.0 */
/* Which format a text has, and who reads it. */
#include "flamegraph/read.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/gzip.h"

/* In this order: folded text is what nothing else claims. */
/* clang-format off */
static const struct {
	enum read_format format;
	const char *name;
	bool (*is)(struct text in);
	read_fn *read;
} formats[READ_FORMATS] = {
	{ READ_PROFILE,    "sixty.profile/1", read_is_profile,    read_profile },
	{ READ_SPEEDSCOPE, "speedscope",      read_is_speedscope, read_speedscope },
	{ READ_PPROF,      "pprof",           read_is_pprof,      read_pprof },
	{ READ_PERF,       "perf script",     read_is_perf,       read_perf },
	{ READ_FOLDED,     "folded",          NULL,               read_folded },
};
/* clang-format on */

const char *read_format_name(enum read_format f)
{
	for (size_t i = 0; i < READ_FORMATS; i++)
		if (formats[i].format == f)
			return formats[i].name;
	return "";
}

static int read_plain(struct stackset *ss, struct text in, enum read_format *format, struct err *e)
{
	for (size_t i = 0; i < READ_FORMATS; i++) {
		int err;

		if (formats[i].is && !formats[i].is(in))
			continue;
		if (format)
			*format = formats[i].format;
		err = formats[i].read(ss, in, e);
		if (!err && !ss->nsamples)
			err = err_set(e, -EINVAL, "there are no samples in it");
		return err ? err_wrap(e, err, "read as %s", formats[i].name) : 0;
	}
	return err_set(e, -EINVAL, "nobody reads that");
}

int read_stacks(struct stackset *ss, struct text in, enum read_format *format, struct err *e)
{
	struct buf plain = { 0 };
	int err;

	if (!text_len(in))
		return err_set(e, -EINVAL, "it is empty");
	if (!gzip_is(in))
		return read_plain(ss, in, format, e);
	err = gzip_unpack(in, &plain, READ_MOST, e);
	if (!err)
		err = read_plain(ss, text_n(plain.data, plain.len), format, e);
	buf_done(&plain);
	return err;
}

static int read_all(int fd, struct buf *out)
{
	struct stat st;

	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    (uint64_t)st.st_size <= READ_MOST)
		buf_reserve(out, (size_t)st.st_size + 1);
	for (;;) {
		ssize_t n;

		/* a file of the size that was told is read without growing */
		buf_reserve(out, out->cap - out->len > 1 ? 1 : 1u << 20);
		n = read(fd, out->data + out->len, out->cap - out->len - 1);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			out->len += (size_t)n;
		out->data[out->len] = '\0';
		if (out->len > READ_MOST)
			return -EFBIG;
		if (!n)
			return 0;
	}
}

int read_file(const char *path, struct buf *out, struct err *e)
{
	bool standard = !strcmp(path, "-");
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), err;

	if (fd < 0)
		return err_errno(e, -errno, "cannot open %s", path);
	buf_clear(out);
	err = read_all(fd, out);
	if (!standard)
		close(fd);
	return err ? err_errno(e, err, "cannot read %s", standard ? "standard input" : path) : 0;
}
