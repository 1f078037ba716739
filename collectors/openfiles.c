/* SPDX-License-Identifier: Apache-2.0 */
/* Who has files open where. See openfiles.h. */
#include "collectors/openfiles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "collectors/sysfs.h"
#include "collectors/disks.h"

#define WALK_FDS     4096  /* links read in one walk over the active */
#define WALK_ALL_FDS 16384 /* in one walk over everybody */
#define PROCESS_FDS  512   /* of one process: a proxy with 60,000 connections is cut */
#define WALK_TASKS   2048  /* threads whose state is read when something is stuck */
#define TASKS        32768
#define USERS        512
#define DELETED      512
#define DELETED_MARK " (deleted)"
#define PF_KTHREAD   0x00200000u

struct seen_task {
	int64_t pid;
	uint64_t start;
	uint64_t io; /* bytes and calls so far, summed: only whether it moves matters */
	bool kernel;
};

void openfiles_init(struct openfiles *w, const struct root *root)
{
	memset(w, 0, sizeof(*w));
	w->root = root;
	w->self = root->live ? getpid() : 0;
}

void openfiles_done(struct openfiles *w)
{
	buf_done(&w->text);
	buf_done(&w->paths);
	mem_free(w->seen);
	mem_free(w->now);
	mem_free(w->users);
	mem_free(w->deleted);
}

/* ---- one open file ---- */

static bool devno_of_mount(const struct openfiles *w, uint64_t id, uint64_t *devno)
{
	size_t lo = 0, hi = w->nmounts;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (w->mounts[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == w->nmounts || w->mounts[lo].id != id)
		return false;
	*devno = w->mounts[lo].devno;
	return true;
}

static char stronger(char a, char b)
{
	static const char order[] = "crw";

	return strchr(order, a) > strchr(order, b) ? a : b;
}

static void note(struct openfiles *w, const struct seen_task *t, uint64_t devno, bool block,
		 char use)
{
	struct file_user *u;

	/* the same process stands at the end of the list */
	for (size_t i = w->nusers; i-- > 0;) {
		u = &w->users[i];
		if (u->pid != t->pid || u->start != t->start || u->devno != devno ||
		    u->block != block)
			continue;
		u->use = stronger(u->use, use);
		u->times += u->walk != w->walks;
		u->walk = w->walks;
		return;
	}
	if (w->nusers == USERS) {
		w->cut = true;
		return;
	}
	w->users = mem_grow(w->users, &w->users_cap, w->nusers + 1, sizeof(*w->users));
	w->users[w->nusers++] = (struct file_user){
		.pid = t->pid,
		.start = t->start,
		.devno = devno,
		.block = block,
		.use = use,
		.times = 1,
		.walk = w->walks,
	};
}

static void note_deleted(struct openfiles *w, const struct seen_task *t, int fd, uint64_t devno,
			 const char *path)
{
	if (w->ndeleted == DELETED) {
		w->cut = true;
		return;
	}
	w->deleted = mem_grow(w->deleted, &w->deleted_cap, w->ndeleted + 1, sizeof(*w->deleted));
	w->deleted[w->ndeleted++] = (struct deleted_file){
		.pid = t->pid,
		.fd = fd,
		.devno = devno,
		.bytes = UINT64_MAX,
		.path = (uint32_t)w->paths.len,
	};
	buf_add(&w->paths, path, strlen(path) + 1);
}

/* "/dev/sda1" is a way to the disk, not a file on the file system of /dev. */
static bool disk_node(const struct openfiles *w, const char *path, uint64_t *devno)
{
	char disk[DISK_NAME], sys[DISK_NAME], dev[32];

	if (strncmp(path, "/dev/", 5) || strlen(path + 5) >= DISK_NAME ||
	    !disk_of_name(w->root, path + 5, disk))
		return false;
	return sysfs_text(w->root, dev, sizeof(dev), "sys/block/%s/dev", disk_sysname(sys, disk)) &&
	       devno_parse(text_of(dev), devno);
}

/* flags (octal) and mnt_id of /proc/PID/fdinfo/FD. */
static bool read_fdinfo(struct openfiles *w, int64_t pid, int fd, char *use, uint64_t *mount)
{
	char path[64];
	struct text in, line;
	bool found = false;

	snprintf(path, sizeof(path), "proc/%lld/fdinfo/%d", (long long)pid, fd);
	if (root_read(w->root, path, &w->text, 65536))
		return false;
	*use = 'r';
	in = text_n(w->text.data, w->text.len);
	while (text_line(&in, &line)) {
		struct text v = line;

		if (text_skip(&v, "flags:")) {
			v = text_trim(v);
			/* O_RDONLY 0, O_WRONLY 1, O_RDWR 2: the last octal digit */
			if (text_len(v) && ((v.end[-1] - '0') & 3) != 0)
				*use = 'w';
		} else if (text_skip(&v, "mnt_id:")) {
			found = text_is_u64(v, mount);
		}
	}
	return found;
}

static void look_at_fd(struct openfiles *w, const struct seen_task *t, int fd, bool active)
{
	char link[64], path[4096];
	uint64_t mount, devno;
	ssize_t n;
	size_t mark;
	bool gone;
	char use;

	snprintf(link, sizeof(link), "proc/%lld/fd/%d", (long long)t->pid, fd);
	n = root_readlink(w->root, link, path, sizeof(path));
	if (n <= 0 || path[0] != '/') /* socket:[1], pipe:[2], anon_inode:… */
		return;
	mark = sizeof(DELETED_MARK) - 1;
	gone = (size_t)n > mark && !strcmp(path + n - mark, DELETED_MARK);
	if (!active && !(gone && w->want_deleted))
		return;
	if (!strncmp(path, "/memfd:", 7) || !read_fdinfo(w, t->pid, fd, &use, &mount))
		return;
	if (active && disk_node(w, path, &devno))
		note(w, t, devno, true, use);
	if (!devno_of_mount(w, mount, &devno))
		return;
	if (active)
		note(w, t, devno, false, use);
	if (gone && w->want_deleted) {
		path[n - (ssize_t)mark] = '\0';
		note_deleted(w, t, fd, devno, path);
	}
}

struct fd_walk {
	struct openfiles *w;
	const struct seen_task *task;
	bool active;
	unsigned left;
};

static int each_fd(void *ctx, const char *name)
{
	struct fd_walk *f = ctx;
	uint64_t fd;

	if (!f->left || !f->w->budget) {
		f->w->cut = true;
		return 1;
	}
	f->left--;
	f->w->budget--;
	if (text_is_u64(text_of(name), &fd) && fd <= INT32_MAX)
		look_at_fd(f->w, f->task, (int)fd, f->active);
	return 0;
}

static void look_at_files(struct openfiles *w, const struct seen_task *t, bool active)
{
	struct fd_walk f = { .w = w, .task = t, .active = active, .left = PROCESS_FDS };
	char path[64];

	snprintf(path, sizeof(path), "proc/%lld/fd", (long long)t->pid);
	root_list(w->root, path, each_fd, &f);
}

/* ---- processes ---- */

/* State letter, flags, number of threads and start time of /proc/PID/stat. comm may hold anything, so what follows its last ')' counts. */
static bool read_stat(struct openfiles *w, const char *path, struct seen_task *t, char *state,
		      uint64_t *threads)
{
	struct text in, word;
	const char *close;
	uint64_t v;

	if (root_read(w->root, path, &w->text, 65536))
		return false;
	in = text_n(w->text.data, w->text.len);
	close = text_last(in, ')');
	if (!close)
		return false;
	in.p = close + 1;
	for (int col = 3; col <= 22; col++) {
		if (!text_word(&in, &word))
			return false;
		if (col == 3)
			*state = *word.p;
		else if (col == 9 && text_is_u64(word, &v))
			t->kernel = v & PF_KTHREAD;
		else if (col == 20 && text_is_u64(word, &v))
			*threads = v;
		else if (col == 22)
			return text_is_u64(word, &t->start);
	}
	return false;
}

/* Does one of its threads sit in state D? The state of a process is that of its first thread only. */
struct task_walk {
	struct openfiles *w;
	int64_t pid;
};

static int each_task(void *ctx, const char *name)
{
	struct task_walk *k = ctx;
	struct seen_task t = { 0 };
	char path[300], state = '?';
	uint64_t threads;

	if (!k->w->task_budget)
		return -1;
	k->w->task_budget--;
	snprintf(path, sizeof(path), "proc/%lld/task/%s/stat", (long long)k->pid, name);
	return read_stat(k->w, path, &t, &state, &threads) && state == 'D';
}

static bool a_thread_is_stuck(struct openfiles *w, int64_t pid)
{
	struct task_walk k = { w, pid };
	char path[40];

	snprintf(path, sizeof(path), "proc/%lld/task", (long long)pid);
	return root_list(w->root, path, each_task, &k) == 1;
}

static uint64_t read_io(struct openfiles *w, int64_t pid)
{
	char path[40];
	struct text in, line, key;
	uint64_t sum = 0, v;

	snprintf(path, sizeof(path), "proc/%lld/io", (long long)pid);
	if (root_read(w->root, path, &w->text, 4096))
		return 0;
	in = text_n(w->text.data, w->text.len);
	while (text_line(&in, &line))
		if (text_until(&line, ':', &key) && text_is_u64(line, &v))
			sum += v;
	return sum;
}

static int by_pid(const void *x, const void *y)
{
	const struct seen_task *a = x, *b = y;

	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

static const struct seen_task *seen_before(const struct openfiles *w, int64_t pid)
{
	struct seen_task key = { .pid = pid };

	return w->nseen ? bsearch(&key, w->seen, w->nseen, sizeof(key), by_pid) : NULL;
}

/* Who it is and what it has done so far, from the census or from two files. */
static bool look_at_process(struct openfiles *w, const struct census_row *c, struct seen_task *t,
			    char *state, uint64_t *threads)
{
	char path[40];

	if (c && c->told) {
		t->start = c->start;
		t->kernel = c->kernel;
		t->io = c->io;
		*state = c->state;
		*threads = c->threads;
		return true;
	}
	snprintf(path, sizeof(path), "proc/%lld/stat", (long long)t->pid);
	if (!read_stat(w, path, t, state, threads))
		return false;
	if (!t->kernel)
		t->io = read_io(w, t->pid);
	return true;
}

/* c: its row of the census, if there is one. 1: that were enough. */
static int visit(struct openfiles *w, int64_t pid, const struct census_row *c)
{
	const struct seen_task *before = seen_before(w, pid);
	struct seen_task t = { .pid = pid };
	uint64_t threads = 1;
	char state = '?';
	bool active;

	if (w->nnow == TASKS) {
		w->cut = true;
		return 1;
	}
	if (before && before->kernel)
		t = *before; /* kernel threads open nothing, and their pids hardly come back */
	else if (pid == w->self || !look_at_process(w, c, &t, &state, &threads))
		return 0;
	w->now = mem_grow(w->now, &w->now_cap, w->nnow + 1, sizeof(*w->now));
	w->now[w->nnow++] = t;
	if (t.kernel)
		return 0;
	active = state == 'D' || (before && before->start == t.start && before->io != t.io) ||
		 (threads > 1 && w->task_budget && a_thread_is_stuck(w, t.pid));
	if (w->budget && (active || w->want_deleted))
		look_at_files(w, &t, active);
	return 0;
}

static int each_pid(void *ctx, const char *name)
{
	uint64_t pid;

	if (*name < '0' || *name > '9' || !text_is_u64(text_of(name), &pid) || pid > INT32_MAX)
		return 0;
	return visit(ctx, (int64_t)pid, NULL);
}

static void visit_all(struct openfiles *w)
{
	if (!w->census || !w->census->n) {
		root_list(w->root, "proc", each_pid, w);
		return;
	}
	for (size_t i = 0; i < w->census->n; i++)
		if (visit(w, w->census->rows[i].pid, &w->census->rows[i]))
			break;
}

void openfiles_walk(struct openfiles *w, const struct mount_id *mounts, size_t n, bool deleted,
		    bool stuck)
{
	struct seen_task *t = w->seen;
	size_t cap = w->seen_cap;

	w->mounts = mounts;
	w->nmounts = n;
	w->walks++;
	w->cut = false;
	w->want_deleted = deleted;
	w->budget = deleted ? WALK_ALL_FDS : WALK_FDS;
	w->task_budget = stuck ? WALK_TASKS : 0;
	w->nnow = 0;
	if (deleted) {
		w->ndeleted = 0;
		buf_clear(&w->paths);
	}
	visit_all(w);
	if (w->nnow)
		qsort(w->now, w->nnow, sizeof(*w->now), by_pid);
	w->seen = w->now;
	w->seen_cap = w->now_cap;
	w->nseen = w->nnow;
	w->now = t;
	w->now_cap = cap;
	w->mounts = NULL;
	w->nmounts = 0;
}

void openfiles_users(const struct openfiles *w, uint64_t devno, bool block, size_t max,
		     struct buf *out)
{
	unsigned least = UINT32_MAX;

	/* few walks, few users: pick the largest count again and again */
	while (max) {
		unsigned most = 0;

		for (size_t i = 0; i < w->nusers; i++)
			if (w->users[i].devno == devno && w->users[i].block == block &&
			    w->users[i].times < least && w->users[i].times > most)
				most = w->users[i].times;
		if (!most)
			return;
		for (size_t i = 0; i < w->nusers && max; i++) {
			const struct file_user *u = &w->users[i];

			if (u->devno != devno || u->block != block || u->times != most)
				continue;
			buf_printf(out, "%s%lld:%c:%u", out->len ? " " : "", (long long)u->pid,
				   u->use, u->times);
			max--;
		}
		least = most;
	}
}
