/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/maps: "55e0-55f0 r-xp 00002000 08:01 1234    /usr/bin/x (deleted)". The path may hold anything but a newline. */
#include "symbols/maps.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/root.h"

#define MAPS_CAP (16u << 20)

int maps_read(int pid, struct buf *text)
{
	struct root root;
	char path[64];
	int err = root_open(&root, "/", NULL);

	if (err)
		return err;
	snprintf(path, sizeof(path), "proc/%d/maps", pid);
	err = root_read(&root, path, text, MAPS_CAP);
	root_close(&root);
	return err;
}

static struct text path_of(struct text rest)
{
	static const char gone[] = " (deleted)";
	size_t n = sizeof(gone) - 1;

	text_skip_blanks(&rest);
	if (text_len(rest) > n && !memcmp(rest.end - n, gone, n))
		rest.end -= n;
	return rest;
}

struct text maps_name(const struct mapping *m)
{
	const char *slash = text_last(m->path, '/');
	struct text name = m->path;

	if (slash)
		name.p = slash + 1;
	return name;
}

/* "08:01" */
static bool take_device(struct text *t, uint64_t *out)
{
	uint64_t major, minor;

	if (!text_hex(t, &major) || !text_skip(t, ":") || !text_hex(t, &minor))
		return false;
	*out = major << 20 | minor;
	return true;
}

static bool take_line(struct text line, struct mapping *m)
{
	struct text perms;

	memset(m, 0, sizeof(*m));
	if (!text_hex(&line, &m->start) || !text_skip(&line, "-") || !text_hex(&line, &m->end) ||
	    m->end <= m->start || !text_word(&line, &perms) || text_len(perms) < 3 ||
	    !text_hex(&line, &m->offset) || !take_device(&line, &m->device) ||
	    !text_u64(&line, &m->inode))
		return false;
	if (perms.p[2] != 'x')
		return false;
	m->path = path_of(line);
	return true;
}

size_t maps_parse(struct text in, struct mapping **list)
{
	size_t n = 0, cap = 0;
	struct text line;
	struct mapping m;

	*list = NULL;
	while (n < MAPPINGS_MAX && text_line(&in, &line)) {
		if (!take_line(line, &m) || (n && m.start < (*list)[n - 1].end))
			continue;
		*list = mem_grow(*list, &cap, n + 1, sizeof(**list));
		(*list)[n++] = m;
	}
	return n;
}

const struct mapping *maps_find(const struct mapping *list, size_t n, uint64_t address)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (list[mid].end <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && list[lo].start <= address ? &list[lo] : NULL;
}
