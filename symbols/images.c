/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the child, which answers what a process has mapped, opens the files, and reads what they say of their frames and
 * functions. A file that hangs or kills it loses only what it would have said. */
#include "symbols/images.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/root.h"
#include "base/text.h"
#include "symbols/elf.h"
#include "symbols/elf_debug.h"
#include "symbols/image_lines.h"
#include "symbols/maps.h"

#define PLACES      16384u /* in one question */
#define DEADLINE_MS 2000   /* for one file: 100 MB of program take a quarter of a second */
#define LATER_MS    200
#define BLOCKS_CAP  (CHILD_ANSWER_CAP / sizeof(struct wire_rules) - 16)
#define VDSO_CAP    (1u << 20)

enum question { ASK_MAPPINGS, ASK_FILE, ASK_NAMES, ASK_LINES, ASK_JIT, ASK_SYMBOL, ASK_OWNER };

struct ask {
	uint32_t question;
	int32_t pid;
	int32_t fd;                /* ASK_NAMES, ASK_LINES: of the parent */
	uint32_t n;                /* likewise: places, behind this */
	uint32_t lines, budget_ms; /* ASK_LINES */
	uint32_t servers;          /* debug files may be fetched from servers */
	uint64_t start, end, inode;
	char path[IMAGE_PATH];
};

/* ---- in the child ---- */

static int open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

static int open_mapping(const struct ask *a)
{
	char path[IMAGE_PATH + 64];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, a->pid, a->start,
		 a->end);
	fd = open_regular(path);
	if (fd >= 0)
		return fd;
	/* through the process's own root; somebody may have put another file there */
	snprintf(path, sizeof(path), "/proc/%d/root%s", a->pid, a->path);
	fd = open_regular(path);
	if (fd >= 0 && (fstat(fd, &st) || st.st_ino != a->inode)) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

static int answer_mappings(const struct ask *a, struct buf *answer)
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
	for (size_t i = 0; i < n && answer->len + sizeof(struct image_mapping) < CHILD_ANSWER_CAP;
	     i++) {
		const struct mapping *m = &list[i];
		struct image_mapping im = { .start = m->start,
					    .end = m->end,
					    .offset = m->offset,
					    .inode = m->inode,
					    .device = m->device };

		text_copy(im.name, sizeof(im.name), maps_name(m));
		if (text_len(m->path) < sizeof(im.path))
			text_copy(im.path, sizeof(im.path), m->path);
		buf_add(answer, &im, sizeof(im));
	}
	mem_free(list);
	buf_done(&text);
	return 0;
}

/* Rows as blocks, as the kernel searches them. */
static void add_blocks(const struct unwind_file *f, struct image_file *head, struct buf *out)
{
	size_t n = f->rows.n;

	if (n > BLOCKS_CAP * WIRE_RULES) {
		n = BLOCKS_CAP * WIRE_RULES;
		head->error = -E2BIG;
	}
	head->nrows = (uint32_t)n;
	for (size_t i = 0; i < n; i += WIRE_RULES) {
		struct wire_rules b;

		memset(&b, 0, sizeof(b));
		for (size_t k = 0; k < WIRE_RULES; k++) {
			const struct unwind_row *row = &f->rows.list[i + k];

			b.pc[k] = UINT32_MAX;
			if (i + k >= n || row->pc < f->base || row->pc - f->base >= UINT32_MAX)
				continue;
			b.pc[k] = (uint32_t)(row->pc - f->base);
			b.rule[k] = row->rule;
		}
		buf_add(out, &b, sizeof(b));
		head->nblocks++;
	}
}

static void fill_head(const struct unwind_file *f, int error, struct image_file *head)
{
	*head = (struct image_file){ .base = f->base,
				     .nsegments = (uint32_t)f->nsegments,
				     .refused = (uint32_t)f->rows.refused,
				     .error = error };
	memcpy(head->segments, f->segments, sizeof(head->segments));
}

static int answer_file(const struct ask *a, struct buf *answer, int *fd)
{
	struct image_file head;
	struct unwind_file f;
	struct buf blocks = { 0 };
	int err;

	*fd = open_mapping(a);
	if (*fd < 0)
		return *fd;
	err = unwind_read(*fd, &f);
	fill_head(&f, err, &head);
	add_blocks(&f, &head, &blocks);
	buf_add(answer, &head, sizeof(head));
	buf_add(answer, blocks.data, blocks.len);
	buf_done(&blocks);
	unwind_file_done(&f);
	return 0;
}

/* Functions without a name are told apart by where they begin: call frames know that also of a stripped binary. */
static void find_starts(int fd, struct image_symbol *list, size_t n)
{
	struct unwind_file f;
	bool wanted = false;

	for (size_t i = 0; i < n; i++)
		wanted = wanted || !list[i].name[0];
	if (!wanted)
		return;
	unwind_read(fd, &f);
	for (size_t i = 0; i < n; i++) {
		uint64_t address = unwind_address(&f, list[i].start), start;

		if (list[i].name[0] || address == UINT64_MAX)
			continue;
		start = unwind_rows_start(&f.rows, address);
		if (start <= address && address - start <= list[i].start)
			list[i].start -= address - start;
	}
	unwind_file_done(&f);
}

static int open_theirs(const struct ask *a)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getppid(), a->fd);
	return open_regular(path);
}

static int answer_lines(const struct ask *a, const uint64_t *places, struct buf *answer)
{
	int fd = open_theirs(a), err;

	if (fd < 0)
		return fd;
	err = image_lines_answer(fd, places, a->n, a->lines, a->budget_ms, answer);
	close(fd);
	return err;
}

static int answer_names(const struct ask *a, const uint64_t *places, struct buf *answer)
{
	struct image_symbol *names;
	struct elf_place *list;
	int fd = open_theirs(a), err;

	if (fd < 0)
		return fd;
	list = mem_array(a->n + 1, sizeof(*list));
	names = mem_array(a->n + 1, sizeof(*names));
	for (uint32_t i = 0; i < a->n; i++)
		list[i].offset = names[i].start = places[i];
	err = elf_name(fd, list, a->n);
	for (uint32_t i = 0; !err && i < a->n; i++)
		snprintf(names[i].name, sizeof(names[i].name), "%s", list[i].name);
	if (!err)
		find_starts(fd, names, a->n);
	buf_add(answer, names, a->n * sizeof(*names));
	close(fd);
	mem_free(list);
	mem_free(names);
	return err;
}

static bool read_ids(int pid, uint64_t *inner, uint64_t *uid)
{
	struct buf b = { 0 };
	struct text all, line;
	struct root root;
	char path[64];
	bool found = false;

	if (root_open(&root, "/", NULL))
		return false;
	snprintf(path, sizeof(path), "proc/%d/status", pid);
	if (!root_read(&root, path, &b, 65536)) {
		all = text_n(b.data, b.len);
		*inner = (uint64_t)pid;
		while (text_line(&all, &line)) {
			if (text_skip(&line, "Uid:"))
				found = text_u64(&line, uid);
			else if (text_skip(&line, "NStgid:"))
				while (text_u64(&line, inner))
					; /* the last is that of the innermost namespace */
		}
	}
	root_close(&root);
	buf_done(&b);
	return found;
}

/* Whoever can write it can give any name to any address: it must be the process's own, or root's. */
static int answer_jit(const struct ask *a, int *fd)
{
	uint64_t inner, uid;
	struct stat st;
	char path[96];

	if (!read_ids(a->pid, &inner, &uid))
		return -ESRCH;
	snprintf(path, sizeof(path), "/proc/%d/root/tmp/perf-%" PRIu64 ".map", a->pid, inner);
	*fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
	if (*fd < 0)
		return -errno;
	if (fstat(*fd, &st) || !S_ISREG(st.st_mode) || (st.st_uid != uid && st.st_uid)) {
		close(*fd);
		*fd = -1;
		return -EPERM;
	}
	return 0;
}

static int answer_owner(const struct ask *a)
{
	int fd = open_theirs(a);
	uint64_t inner, uid;
	struct stat st;
	int err = 0;

	if (fd < 0)
		return fd;
	if (!read_ids(a->pid, &inner, &uid))
		err = -ESRCH;
	else if (fstat(fd, &st) || (st.st_uid != uid && st.st_uid))
		err = -EPERM;
	close(fd);
	return err;
}

static int answer_symbol(const struct ask *a, struct buf *answer)
{
	int fd = open_theirs(a), err;
	uint64_t address;

	if (fd < 0)
		return fd;
	err = elf_symbol(fd, a->path, &address);
	close(fd);
	if (!err)
		buf_add(answer, &address, sizeof(address));
	return err;
}

static int answer(void *ctx, const void *request, size_t size, struct buf *out, int *fd)
{
	struct ask a;
	uint64_t *list;
	int err;

	(void)ctx;
	if (size < sizeof(a))
		return -EINVAL;
	memcpy(&a, request, sizeof(a));
	if (a.n > PLACES || size != sizeof(a) + a.n * sizeof(uint64_t))
		return -EINVAL;
	a.path[sizeof(a.path) - 1] = '\0';
	elf_debug_servers(a.servers != 0);
	switch (a.question) {
	case ASK_MAPPINGS:
		return answer_mappings(&a, out);
	case ASK_FILE:
		return answer_file(&a, out, fd);
	case ASK_JIT:
		return answer_jit(&a, fd);
	case ASK_OWNER:
		return answer_owner(&a);
	case ASK_SYMBOL:
		return answer_symbol(&a, out);
	default:
		list = mem_array(a.n + 1, sizeof(*list));
		memcpy(list, (const char *)request + sizeof(a), a.n * sizeof(uint64_t));
		err = a.question == ASK_LINES ? answer_lines(&a, list, out)
					      : answer_names(&a, list, out);
		mem_free(list);
		return err;
	}
}

/* ---- in the parent ---- */

int images_open(struct images *im, struct err *e)
{
	memset(im, 0, sizeof(*im));
	return child_open(&im->child, "sixty-images", answer, NULL, e);
}

void images_close(struct images *im)
{
	child_close(&im->child);
}

static int ask(struct images *im, const struct ask *a, const uint64_t *places, unsigned deadline_ms,
	       struct buf *out, int *fd)
{
	struct buf request = { 0 };
	struct err e;
	int err;

	buf_add(&request, a, sizeof(*a));
	buf_add(&request, places, a->n * sizeof(*places));
	err = child_ask(&im->child, request.data, request.len, deadline_ms, out, fd, &e);
	buf_done(&request);
	return err;
}

int images_mappings(struct images *im, int pid, struct image_mapping **list, size_t *n)
{
	struct ask a = { .question = ASK_MAPPINGS, .pid = pid };
	struct buf b = { 0 };
	int err = ask(im, &a, NULL, DEADLINE_MS, &b, NULL);

	*list = NULL;
	*n = err ? 0 : b.len / sizeof(**list);
	if (*n) {
		*list = mem_array(*n, sizeof(**list));
		memcpy(*list, b.data, *n * sizeof(**list));
	}
	buf_done(&b);
	return err;
}

/* What the child sends may come from one that a hostile file has taken over. */
static int take_file(const struct buf *b, struct image_file *head, struct wire_rules **rules)
{
	if (b->len < sizeof(*head))
		return -EPROTO;
	memcpy(head, b->data, sizeof(*head));
	if (head->nsegments > UNWIND_SEGMENTS || head->nblocks > BLOCKS_CAP ||
	    b->len != sizeof(*head) + head->nblocks * sizeof(**rules))
		return -EPROTO;
	if (head->nblocks) {
		*rules = mem_array(head->nblocks, sizeof(**rules));
		memcpy(*rules, b->data + sizeof(*head), head->nblocks * sizeof(**rules));
	}
	return 0;
}

int images_file(struct images *im, int pid, const struct image_mapping *m, struct image_file *head,
		struct wire_rules **rules, int *fd)
{
	struct ask a = { .question = ASK_FILE,
			 .pid = pid,
			 .start = m->start,
			 .end = m->end,
			 .inode = m->inode };
	struct buf b = { 0 };
	int err;

	*rules = NULL;
	memset(head, 0, sizeof(*head));
	memcpy(a.path, m->path, sizeof(a.path));
	err = ask(im, &a, NULL, DEADLINE_MS, &b, fd);
	if (!err)
		err = take_file(&b, head, rules);
	buf_done(&b);
	return err;
}

void images_vdso(struct image_file *head, struct wire_rules **rules)
{
	const uint8_t *at = (const uint8_t *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);
	struct buf text = { 0 }, blocks = { 0 };
	struct mapping *own = NULL;
	struct unwind_file f;
	size_t n;

	*rules = NULL;
	memset(head, 0, sizeof(*head));
	if (!at || maps_read((int)getpid(), &text)) {
		buf_done(&text);
		return;
	}
	n = maps_parse(text_n(text.data, text.len), &own);
	for (size_t i = 0; i < n; i++) {
		size_t size = (size_t)(own[i].end - own[i].start);

		if (own[i].start != (uintptr_t)at || size > VDSO_CAP)
			continue;
		unwind_read_memory(at, size, &f);
		fill_head(&f, 0, head);
		add_blocks(&f, head, &blocks);
		unwind_file_done(&f);
	}
	if (head->nblocks) {
		*rules = mem_array(head->nblocks, sizeof(**rules));
		memcpy(*rules, blocks.data, blocks.len);
	}
	buf_done(&blocks);
	buf_done(&text);
	mem_free(own);
}

int images_names(struct images *im, int fd, const uint64_t *places, size_t n,
		 struct image_symbol *names, unsigned deadline_ms)
{
	memset(names, 0, n * sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i].start = places[i];
	for (size_t at = 0; at < n;) {
		size_t part = n - at < PLACES ? n - at : PLACES;
		struct ask a = {
			.question = ASK_NAMES, .fd = fd, .n = (uint32_t)part, .servers = im->servers
		};
		struct buf b = { 0 };
		int err = ask(im, &a, places + at, deadline_ms, &b, NULL);

		if (!err && b.len == part * sizeof(*names))
			memcpy(&names[at], b.data, b.len);
		else if (!err)
			err = -EPROTO;
		buf_done(&b);
		if (err)
			return err;
		for (size_t i = at; i < at + part; i++)
			names[i].name[IMAGE_SYMBOL - 1] = '\0';
		at += part;
	}
	return 0;
}

int images_lines(struct images *im, int fd, const uint64_t *places, size_t n, bool lines,
		 unsigned budget_ms, void (*each)(void *ctx, const struct dwarf_step *s), void *ctx)
{
	int err = 0;

	for (size_t at = 0; at < n && !err; at += PLACES) {
		size_t part = n - at < PLACES ? n - at : PLACES;
		struct ask a = { .question = ASK_LINES,
				 .fd = fd,
				 .n = (uint32_t)part,
				 .lines = lines,
				 .budget_ms = budget_ms,
				 .servers = im->servers };
		struct buf b = { 0 };

		/* it ends by itself, unless the file has something that it cannot get out of */
		err = ask(im, &a, places + at, budget_ms + LATER_MS, &b, NULL);
		if (!err)
			err = image_lines_take(&b, part, at, each, ctx);
		buf_done(&b);
	}
	return err;
}

int images_jit(struct images *im, int pid)
{
	struct ask a = { .question = ASK_JIT, .pid = pid };
	struct buf b = { 0 };
	int fd = -1, err = ask(im, &a, NULL, DEADLINE_MS, &b, &fd);

	buf_done(&b);
	return err ? err : fd;
}

int images_symbol(struct images *im, int fd, const char *name, uint64_t *address)
{
	struct ask a = { .question = ASK_SYMBOL, .fd = fd };
	struct buf b = { 0 };
	int err;

	snprintf(a.path, sizeof(a.path), "%s", name);
	err = ask(im, &a, NULL, DEADLINE_MS, &b, NULL);
	if (!err && b.len != sizeof(*address))
		err = -EPROTO;
	if (!err)
		memcpy(address, b.data, sizeof(*address));
	buf_done(&b);
	return err;
}

int images_owned(struct images *im, int pid, int fd)
{
	struct ask a = { .question = ASK_OWNER, .pid = pid, .fd = fd };
	struct buf b = { 0 };
	int err = ask(im, &a, NULL, DEADLINE_MS, &b, NULL);

	buf_done(&b);
	return err;
}
