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
	bool shown; /* an address was not hidden */
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

/* each: false: no more lines are wanted. 0 or -errno. */
static int each_line(const struct root *root,
		     bool (*each)(void *ctx, const char *p, const char *end), void *ctx)
{
	char *block = mem_alloc(BLOCK);
	int fd = root_openat(root, "proc/kallsyms"), rc = fd;
	size_t have = 0;
	bool more = true;
	ssize_t got;

	if (fd < 0)
		goto out;
	while (more && (got = read(fd, block + have, BLOCK - have)) != 0) {
		const char *p = block, *end;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			rc = -errno;
			goto out;
		}
		have += (size_t)got;
		end = block + have;
		for (const char *nl; more && (nl = memchr(p, '\n', (size_t)(end - p))); p = nl + 1)
			more = each(ctx, p, nl);
		have = (size_t)(end - p);
		if (have == BLOCK)
			have = 0; /* no line is that long: not what it should be */
		memmove(block, p, have);
	}
	rc = 0;
out:
	if (fd >= 0)
		close(fd);
	mem_free(block);
	return rc;
}

static bool resolve_line(void *ctx, const char *p, const char *end)
{
	struct lookup *l = ctx;

	l->shown |= take_line(p, end, l);
	return true;
}

int kallsyms_resolve(const struct root *root, struct kallsym *list, size_t n)
{
	struct lookup l = { .sorted = mem_array(n + 1, sizeof(*l.sorted)), .n = n };
	int err;

	for (size_t i = 0; i < n; i++) {
		list[i].start = 0;
		list[i].name[0] = list[i].module[0] = '\0';
		l.sorted[i] = (struct sought){ list[i].address, &list[i] };
	}
	sought_sort(l.sorted, n);
	err = each_line(root, resolve_line, &l);
	if (!err)
		hand_on(&l);
	mem_free(l.sorted);
	return err ? err : l.shown ? 0 : -EPERM;
}

/* ---- addresses of names ---- */

struct finder {
	const char *const *names;
	uint64_t *addresses;
	size_t n, left;
};

static bool find_line(void *ctx, const char *p, const char *end)
{
	struct finder *f = ctx;
	uint64_t at;

	if (!parse_hex(&p, end, &at) || end - p < 3 || p[1] != ' ' || !at)
		return true;
	p += 2;
	for (size_t i = 0; i < f->n; i++) {
		size_t length = strlen(f->names[i]);

		if (f->addresses[i] || (size_t)(end - p) != length ||
		    memcmp(p, f->names[i], length) != 0)
			continue;
		f->addresses[i] = at;
		f->left--;
	}
	return f->left > 0;
}

int kallsyms_find(const struct root *root, const char *const *names, size_t n, uint64_t *addresses)
{
	struct finder f = { names, addresses, n, n };

	memset(addresses, 0, n * sizeof(*addresses));
	return each_line(root, find_line, &f);
}
