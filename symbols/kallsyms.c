/* SPDX-License-Identifier: Apache-2.0 */
/* Names of kernel addresses: the nearest text symbol at or below, from /proc/kallsyms.
 *
 * The file has up to some hundred thousand lines, sorted by nothing (modules and BPF programs come last), and is wanted
 * for a handful of addresses: it is read once, and only the best candidate of each is kept. */
#include "symbols/kallsyms.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/root.h"
#include "base/text.h"
#include "symbols/sought.h"

#define BLOCK    65536u
#define FARTHEST (1u << 20) /* no function is larger */

static bool is_text(char type)
{
	return type == 't' || type == 'T' || type == 'w' || type == 'W';
}

static void copy_name(char *to, const char *p, const char *end)
{
	size_t n = (size_t)(end - p);

	if (n >= KALLSYMS_NAME)
		n = KALLSYMS_NAME - 1;
	memcpy(to, p, n);
	to[n] = '\0';
}

static bool parse_hex(const char **p, const char *end, uint64_t *out)
{
	const char *s = *p;
	uint64_t v = 0;

	for (; s < end && *s != ' '; s++) {
		unsigned d;

		if (*s >= '0' && *s <= '9')
			d = (unsigned)(*s - '0');
		else if (*s >= 'a' && *s <= 'f')
			d = (unsigned)(*s - 'a') + 10;
		else
			return false;
		v = v << 4 | d;
	}
	if (s == *p || s - *p > 16 || s == end)
		return false;
	*p = s + 1;
	*out = v;
	return true;
}

/* The addresses asked for, in ascending order: a symbol that starts at or below one of them does so for all that follow,
 * so it is kept at the first only, and handed on when all have been seen. */
struct lookup {
	struct sought *sorted; /* places are struct kallsym */
	size_t n;
};

/* "ffffffff81000000 T _text" or "ffffffffc0000000 t name\t[module]"; true when the address was not hidden. */
static bool take_line(const char *p, const char *end, const struct lookup *l)
{
	const char *name, *tail;
	struct kallsym *k;
	uint64_t at;
	size_t i;

	if (!parse_hex(&p, end, &at) || end - p < 3 || p[1] != ' ')
		return false;
	if (!at || !is_text(*p))
		return at != 0;
	i = sought_from(l->sorted, l->n, at);
	if (i == l->n)
		return true;
	k = l->sorted[i].place;
	if (at < k->start || (at == k->start && k->name[0]))
		return true; /* farther, or an alias: the first name is the usual one */
	name = p + 2;
	tail = memchr(name, '\t', (size_t)(end - name));
	k->start = at;
	copy_name(k->name, name, tail ? tail : end);
	k->module[0] = '\0';
	if (tail && end - tail > 3 && tail[1] == '[' && end[-1] == ']')
		copy_name(k->module, tail + 2, end - 1);
	return true;
}

static void hand_on(const struct lookup *l)
{
	for (size_t i = 1; i < l->n; i++) {
		const struct kallsym *before = l->sorted[i - 1].place;
		struct kallsym *k = l->sorted[i].place;

		if (before->start <= k->start)
			continue;
		k->start = before->start;
		memcpy(k->name, before->name, sizeof(k->name));
		memcpy(k->module, before->module, sizeof(k->module));
	}
	for (size_t i = 0; i < l->n; i++) {
		struct kallsym *k = l->sorted[i].place;

		if (k->start && k->address - k->start > FARTHEST) {
			k->start = 0;
			k->name[0] = k->module[0] = '\0';
		}
	}
}

int kallsyms_resolve(const struct root *root, struct kallsym *list, size_t n)
{
	char *block = mem_alloc(BLOCK);
	int fd = root_openat(root, "proc/kallsyms"), rc = fd;
	struct lookup l = { .sorted = mem_array(n + 1, sizeof(*l.sorted)), .n = n };
	size_t have = 0;
	bool shown = false;
	ssize_t got;

	for (size_t i = 0; i < n; i++) {
		list[i].start = 0;
		list[i].name[0] = list[i].module[0] = '\0';
		l.sorted[i] = (struct sought){ list[i].address, &list[i] };
	}
	sought_sort(l.sorted, n);
	if (fd < 0)
		goto out;
	while ((got = read(fd, block + have, BLOCK - have)) != 0) {
		const char *p = block, *end;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			rc = -errno;
			goto out;
		}
		have += (size_t)got;
		end = block + have;
		for (const char *nl; (nl = memchr(p, '\n', (size_t)(end - p))); p = nl + 1)
			shown |= take_line(p, nl, &l);
		have = (size_t)(end - p);
		if (have == BLOCK)
			have = 0; /* no line is that long: not what it should be */
		memmove(block, p, have);
	}
	hand_on(&l);
	rc = shown ? 0 : -EPERM;
out:
	if (fd >= 0)
		close(fd);
	mem_free(block);
	mem_free(l.sorted);
	return rc;
}
