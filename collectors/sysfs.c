/* SPDX-License-Identifier: Apache-2.0 */
/* One-value files of /sys. */
#include "collectors/sysfs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define VALUE_BYTES 4096 /* sysfs gives a page at most */

static struct text read_value(const struct root *r, const char *path, char *space)
{
	int fd = root_openat(r, path);
	ssize_t n = -1;

	if (fd >= 0) {
		do
			n = read(fd, space, VALUE_BYTES);
		while (n < 0 && errno == EINTR);
		close(fd);
	}
	return text_n(space, n > 0 ? (size_t)n : 0);
}

static __attribute__((format(printf, 3, 0))) bool path_of(char *path, size_t size, const char *fmt,
							  va_list ap)
{
	int n = vsnprintf(path, size, fmt, ap);

	return n >= 0 && (size_t)n < size;
}

bool sysfs_u64(const struct root *r, uint64_t *v, const char *fmt, ...)
{
	char path[512], space[VALUE_BYTES];
	struct text t;
	va_list ap;
	bool fits;

	va_start(ap, fmt);
	fits = path_of(path, sizeof(path), fmt, ap);
	va_end(ap);
	if (!fits)
		return false;
	t = text_trim(read_value(r, path, space));
	if (text_starts(t, "0x"))
		return text_hex(&t, v) && !text_len(t);
	return text_is_u64(t, v);
}

bool sysfs_text(const struct root *r, char *out, size_t size, const char *fmt, ...)
{
	char path[512], space[VALUE_BYTES];
	struct text t, line;
	va_list ap;
	bool fits;

	out[0] = '\0';
	va_start(ap, fmt);
	fits = path_of(path, sizeof(path), fmt, ap);
	va_end(ap);
	if (!fits)
		return false;
	t = read_value(r, path, space);
	if (!text_line(&t, &line))
		return false;
	text_copy(out, size, text_trim(line));
	return true;
}
