/* SPDX-License-Identifier: Apache-2.0 */
/* Who descends from whom, by the parents in /proc/PID/stat. */
#include "engine/family.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/root.h"
#include "base/text.h"

struct person {
	int pid, parent;
	bool in; /* one of them, or known to descend from them */
};

struct family {
	const struct root *root;
	struct person *list;
	size_t n, cap;
};

static int parent_of(const struct root *root, int pid)
{
	struct buf b = { 0 };
	struct text t, word;
	const char *close;
	char path[32];
	uint64_t parent = 0;

	snprintf(path, sizeof(path), "proc/%d/stat", pid);
	if (!root_read(root, path, &b, 4096)) {
		t = text_n(b.data, b.len);
		close = text_last(t, ')'); /* the name may hold anything */
		if (close) {
			t.p = close + 1;
			if (!text_word(&t, &word) || !text_u64(&t, &parent) || parent > INT_MAX)
				parent = 0;
		}
	}
	buf_done(&b);
	return (int)parent;
}

static int take(void *ctx, const char *name)
{
	struct family *f = ctx;
	uint64_t pid;

	if (!text_is_u64(text_of(name), &pid) || !pid || pid > INT_MAX)
		return 0;
	f->list = mem_grow(f->list, &f->cap, f->n + 1, sizeof(*f->list));
	f->list[f->n++] =
		(struct person){ .pid = (int)pid, .parent = parent_of(f->root, (int)pid) };
	return 0;
}

static int by_pid(const void *a, const void *b)
{
	const struct person *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static struct person *find(const struct family *f, int pid)
{
	struct person key = { .pid = pid };

	return f->n ? bsearch(&key, f->list, f->n, sizeof(*f->list), by_pid) : NULL;
}

static bool is_in(const struct family *f, int pid)
{
	const struct person *p = find(f, pid);

	return p && p->in;
}

int family_of(const struct root *root, const int *pids, size_t n, int (*each)(void *ctx, int pid),
	      void *ctx)
{
	struct family f = { .root = root };
	int err = root_list(root, "proc", take, &f);
	bool more = true;

	if (f.n)
		qsort(f.list, f.n, sizeof(*f.list), by_pid);
	for (size_t k = 0; k < n; k++) {
		struct person *p = find(&f, pids[k]);

		if (p)
			p->in = true;
	}
	while (!err && more) {
		more = false;
		for (size_t i = 0; i < f.n && !err; i++) {
			struct person *p = &f.list[i];

			if (p->in || !is_in(&f, p->parent))
				continue;
			p->in = more = true;
			err = each(ctx, p->pid);
		}
	}
	mem_free(f.list);
	return err;
}
