/* SPDX-License-Identifier: Apache-2.0 */
/* The format is that of tools/perf/Documentation/jitdump-specification.txt of the kernel:
 *
 *   header, then records {id, size, time, …}     LOAD: code and its name; MOVE: it lies elsewhere now; others tell of lines and frames
 *
 * The code itself is in there too, so that the file is large and little of it is read. */
#include "symbols/jitdump.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define MAGIC       0x4a695444u /* of a machine with the same byte order */
#define RECORDS_MAX 500000u
#define MOVES_MAX   10000u
#define NAME_MOST   512u
#define WINDOW      65536u

enum { LOAD = 0, MOVE = 1 };

struct header {
	uint32_t magic, version, size, machine, pad, pid;
	uint64_t time, flags;
};

struct record {
	uint32_t id, size;
	uint64_t time;
};

struct load {
	uint32_t pid, tid;
	uint64_t vma, address, size, index;
};

struct move {
	uint32_t pid, tid;
	uint64_t vma, from, to, size, index;
};

struct reader {
	int fd;
	uint64_t from; /* of the window in the file */
	size_t n;
	char *window;
	struct perfmap *out;
	struct buf *names;
	struct where {
		uint64_t index;
		size_t name, length; /* in names */
	} * where;                   /* beside the entries */
	size_t where_cap;
};

bool jitdump_is(const char *name)
{
	struct text t = text_of(name);
	uint64_t pid;

	return text_skip(&t, "jit-") && text_u64(&t, &pid) && text_starts(t, ".dump");
}

/* n bytes at a place, or NULL. Valid until the next call. */
static const char *bytes_at(struct reader *r, uint64_t at, size_t n)
{
	ssize_t got;

	if (at >= r->from && at - r->from + n <= r->n)
		return r->window + (at - r->from);
	do
		got = pread(r->fd, r->window, WINDOW, (off_t)at);
	while (got < 0 && errno == EINTR);
	r->from = at;
	r->n = got > 0 ? (size_t)got : 0;
	return n <= r->n ? r->window : NULL;
}

static void add(struct reader *r, uint64_t start, uint64_t size, const struct where *w)
{
	struct perfmap *m = r->out;

	if (!size || start + size < start)
		return;
	m->list = mem_grow(m->list, &m->cap, m->n + 1, sizeof(*m->list));
	r->where = mem_grow(r->where, &r->where_cap, m->n + 1, sizeof(*r->where));
	m->list[m->n] = (struct perfmap_entry){ .start = start, .size = size, .line = m->n };
	r->where[m->n++] = *w;
}

static void take_load(struct reader *r, uint64_t at, uint64_t end)
{
	const char *p = bytes_at(r, at, sizeof(struct load)), *name;
	size_t most = end - at - sizeof(struct load);
	struct where w;
	struct load l;

	if (!p)
		return;
	memcpy(&l, p, sizeof(l));
	most = most < NAME_MOST ? most : NAME_MOST;
	name = bytes_at(r, at + sizeof(l), most);
	if (!name || !most || !*name)
		return;
	w = (struct where){ .index = l.index,
			    .name = r->names->len,
			    .length = strnlen(name, most) };
	buf_add(r->names, name, w.length);
	add(r, l.address, l.size, &w);
}

static void take_move(struct reader *r, uint64_t at)
{
	const char *p = bytes_at(r, at, sizeof(struct move));
	struct move m;

	if (!p)
		return;
	memcpy(&m, p, sizeof(m));
	for (size_t i = r->out->n; i--;)
		if (r->where[i].index == m.index) {
			struct where w = r->where[i];

			add(r, m.to, m.size, &w);
			return;
		}
}

static void read_records(struct reader *r, uint64_t at)
{
	size_t moves = 0;

	for (size_t i = 0; i < RECORDS_MAX; i++) {
		const char *p = bytes_at(r, at, sizeof(struct record));
		struct record h;

		if (!p)
			return;
		memcpy(&h, p, sizeof(h));
		if (h.size < sizeof(h))
			return;
		if (h.id == LOAD && h.size > sizeof(h) + sizeof(struct load))
			take_load(r, at + sizeof(h), at + h.size);
		else if (h.id == MOVE && h.size >= sizeof(h) + sizeof(struct move) &&
			 moves++ < MOVES_MAX)
			take_move(r, at + sizeof(h));
		at += h.size;
	}
}

int jitdump_read(int fd, struct perfmap *out, struct buf *names)
{
	struct reader r = { .fd = fd, .out = out, .names = names };
	struct header h = { 0 };
	const char *p;

	memset(out, 0, sizeof(*out));
	r.window = mem_alloc(WINDOW);
	p = bytes_at(&r, 0, sizeof(h));
	if (p)
		memcpy(&h, p, sizeof(h));
	if (h.magic == MAGIC && h.size >= sizeof(h))
		read_records(&r, h.size);
	for (size_t i = 0; i < out->n; i++)
		out->list[i].name = text_n(names->data + r.where[i].name, r.where[i].length);
	perfmap_order(out);
	mem_free(r.where);
	mem_free(r.window);
	return h.magic == MAGIC ? 0 : -EINVAL;
}
