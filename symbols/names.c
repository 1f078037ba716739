/* SPDX-License-Identifier: Apache-2.0 */
/* Two questions to the child: where do these addresses of process PID lie, and what are these places of one file called?
 *
 *   addresses ─▶ /proc/PID/maps ─▶ (mapping, offset in its file) ─▶ one question per file ─▶ names
 *
 * A file that hangs or kills the child loses its own names only. */
#include "symbols/names.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/root.h"
#include "symbols/elf.h"
#include "symbols/maps.h"

#define ADDRESSES  16384u /* in one question */
#define IMAGE_NAME 96
#define IMAGE_PATH 512

enum question { ASK_WHERE, ASK_NAMES };

struct ask {
	uint32_t question;
	int32_t pid;
	uint64_t start, end, inode; /* ASK_NAMES: the mapping */
	uint32_t n;
	char path[IMAGE_PATH]; /* ASK_NAMES: where map_files is closed to us */
			       /* then n addresses, or n places */
};

/* Answer to ASK_WHERE. */
struct where {
	uint64_t start, end, offset, inode; /* start 0: not mapped */
	uint64_t place;                     /* of the address in the file */
	char name[IMAGE_NAME];
	char path[IMAGE_PATH];
};

/* ---- in the child ---- */

static int open_mapping(const struct ask *a)
{
	char path[IMAGE_PATH + 64];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, a->pid, a->start,
		 a->end);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		/* through the process's own root; somebody may have put another file there */
		snprintf(path, sizeof(path), "/proc/%d/root%s", a->pid, a->path);
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	}
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_ino != a->inode) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

static int answer_where(const struct ask *a, const uint64_t *addresses, struct buf *answer)
{
	struct buf text = { 0 };
	struct mapping *list;
	int err = maps_read(a->pid, &text);
	size_t n;

	if (err) {
		buf_done(&text);
		return err;
	}
	n = maps_parse(text_n(text.data, text.len), &list);
	for (uint32_t i = 0; i < a->n; i++) {
		const struct mapping *m = maps_find(list, n, addresses[i]);
		struct where w = { 0 };

		if (m) {
			w.start = m->start;
			w.end = m->end;
			w.offset = m->offset;
			w.inode = m->inode;
			w.place = addresses[i] - m->start + m->offset;
			text_copy(w.name, sizeof(w.name), maps_name(m));
			if (text_len(m->path) < sizeof(w.path))
				text_copy(w.path, sizeof(w.path), m->path);
		}
		buf_add(answer, &w, sizeof(w));
	}
	mem_free(list);
	buf_done(&text);
	return 0;
}

static int answer_names(const struct ask *a, const uint64_t *places, struct buf *answer)
{
	struct elf_place *list;
	int fd = open_mapping(a), err;

	if (fd < 0)
		return fd;
	list = mem_array(a->n + 1, sizeof(*list));
	for (uint32_t i = 0; i < a->n; i++)
		list[i].offset = places[i];
	err = elf_name(fd, list, a->n);
	close(fd);
	for (uint32_t i = 0; !err && i < a->n; i++) {
		char name[SYMBOL_NAME] = "";

		snprintf(name, sizeof(name), "%s", list[i].name);
		buf_add(answer, name, sizeof(name));
	}
	mem_free(list);
	return err;
}

static int answer(void *ctx, const void *request, size_t size, struct buf *out, int *fd)
{
	struct ask a;
	uint64_t *list;
	int err;

	(void)ctx;
	(void)fd;
	if (size < sizeof(a))
		return -EINVAL;
	memcpy(&a, request, sizeof(a));
	if (a.n > ADDRESSES || size != sizeof(a) + a.n * sizeof(uint64_t))
		return -EINVAL;
	a.path[sizeof(a.path) - 1] = '\0';
	list = mem_array(a.n + 1, sizeof(*list));
	memcpy(list, (const char *)request + sizeof(a), a.n * sizeof(uint64_t));
	err = a.question == ASK_WHERE ? answer_where(&a, list, out) : answer_names(&a, list, out);
	mem_free(list);
	return err;
}

/* ---- in the parent ---- */

int names_open(struct names *s, unsigned budget_ms, struct err *e)
{
	memset(s, 0, sizeof(*s));
	s->deadline_ns = clock_ns(CLOCK_MONOTONIC) + (uint64_t)budget_ms * 1000000u;
	return child_open(&s->child, "sixty-names", answer, NULL, e);
}

void names_close(struct names *s)
{
	child_close(&s->child);
}

static int ask(struct names *s, struct ask *a, const uint64_t *list, size_t size_of_one,
	       struct buf *out)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	struct buf request = { 0 };
	struct err e;
	int err;

	if (now >= s->deadline_ns)
		return -ETIMEDOUT;
	buf_add(&request, a, sizeof(*a));
	buf_add(&request, list, a->n * sizeof(*list));
	err = child_ask(&s->child, request.data, request.len,
			(unsigned)((s->deadline_ns - now) / 1000000u) + 1, out, NULL, &e);
	buf_done(&request);
	if (!err && out->len != a->n * size_of_one)
		err = -EPROTO;
	return err;
}

/* Places of the file that the i-th address lies in, all of them in one question. */
static void name_file(struct names *s, int pid, struct where *list, size_t i, size_t n,
		      char (*out)[SYMBOL_NAME])
{
	struct ask a = { .question = ASK_NAMES,
			 .pid = pid,
			 .start = list[i].start,
			 .end = list[i].end,
			 .inode = list[i].inode };
	uint64_t *places = mem_array(n + 1, sizeof(*places));
	size_t *which = mem_array(n + 1, sizeof(*which));
	struct buf names = { 0 };
	int err;

	memcpy(a.path, list[i].path, sizeof(a.path));
	for (size_t k = i; k < n; k++) {
		if (list[k].inode != a.inode || strcmp(list[k].name, list[i].name))
			continue;
		which[a.n] = k;
		places[a.n++] = list[k].place;
		if (k > i)
			list[k].inode = 0; /* done with this one */
	}
	err = ask(s, &a, places, SYMBOL_NAME, &names);
	s->unanswered += err != 0;
	for (uint32_t k = 0; k < a.n; k++) {
		const char *name = err ? "" : names.data + (size_t)k * SYMBOL_NAME;
		struct where *w = &list[which[k]];

		if (*name)
			snprintf(out[which[k]], SYMBOL_NAME, "%.*s", SYMBOL_NAME - 1, name);
		else
			snprintf(out[which[k]], SYMBOL_NAME, "[%s+0x%" PRIx64 "]", w->name,
				 w->place);
	}
	list[i].inode = 0;
	buf_done(&names);
	mem_free(places);
	mem_free(which);
}

void names_of(struct names *s, int pid, const uint64_t *addresses, size_t n,
	      char (*out)[SYMBOL_NAME])
{
	struct ask a = { .question = ASK_WHERE, .pid = pid };
	struct buf found = { 0 };
	struct where *list;
	int err;

	a.n = (uint32_t)(n < ADDRESSES ? n : ADDRESSES);
	err = a.n ? ask(s, &a, addresses, sizeof(*list), &found) : 0;
	for (size_t i = 0; i < n; i++)
		snprintf(out[i], SYMBOL_NAME, "%s",
			 !err                              ? "[unmapped]"
			 : err == -ENOENT || err == -ESRCH ? "[process ended]"
							   : "[not readable in time]");
	if (err || !a.n) {
		s->unanswered += err != 0;
		buf_done(&found);
		return;
	}
	list = mem_array(a.n, sizeof(*list));
	memcpy(list, found.data, a.n * sizeof(*list));
	buf_done(&found);
	for (size_t i = 0; i < a.n; i++)
		if (list[i].start && !list[i].inode)
			snprintf(out[i], SYMBOL_NAME, "%s",
				 list[i].name[0] ? list[i].name : "[anonymous code]");
	for (size_t i = 0; i < a.n; i++)
		if (list[i].start && list[i].inode)
			name_file(s, pid, list, i, a.n, out);
	mem_free(list);
}
