/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the process behind connections that are too short to be seen. See sock_hunter.h. */
#include "collectors/sock_hunter.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "collectors/netns.h"
#include "collectors/sock_owner.h"

#define MARK_NS 500000000u /* between two sweeps of CPU times */
#define AGAIN_NS \
	1500000000u /* then suspects are chosen anew: the first ones may be the wrong ones */
#define SCANS_ENOUGH 60
#define SWEEP_PIDS   4096        /* more are not swept: that would cost more than looking may */
#define TICK_BUDGET  500000u     /* ns of CPU */
#define DEAR_NS      100000u     /* a quick scan that costs more is made only … */
#define ASK_NS       1000000000u /* … as often as descriptors are asked again what they are */
#define ROUNDS       200         /* of all suspects in one tick, at most */
#define DENTS        4096
#define KTHREAD_FLAG 0x00200000u

static void drop_suspects(struct hunter *h)
{
	for (size_t i = 0; i < h->nsuspects; i++)
		if (h->suspects[i].dir)
			close(h->suspects[i].dir - 1);
	h->nsuspects = 0;
}

void hunter_done(struct hunter *h)
{
	drop_suspects(h);
	if (h->proc)
		close(h->proc - 1);
	mem_free(h->marks);
	mem_free(h->suspects);
	memset(h, 0, sizeof(*h));
}

/* ---- CPU times ---- */

static bool read_mark(int proc, pid_t pid, struct cpu_mark *m)
{
	char path[32], b[512];
	struct text t, name, word;
	const char *close_paren;
	uint64_t v[22];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%d/stat", (int)pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, b, sizeof(b));
	close(fd);
	t = text_n(b, n > 0 ? (size_t)n : 0);
	close_paren = text_last(t, ')');
	if (!text_until(&t, '(', &name) || !close_paren || close_paren < t.p)
		return false;
	*m = (struct cpu_mark){ .pid = pid };
	text_copy(m->comm, sizeof(m->comm), text_n(t.p, (size_t)(close_paren - t.p)));
	t.p = close_paren + 1;
	if (!text_word(&t, &word)) /* the state, column 3 */
		return false;
	for (int col = 4; col <= 22; col++) {
		v[col - 1] = 0;
		if (!text_word(&t, &word))
			return false;
		text_u64(&word, &v[col - 1]); /* some are negative: not those that are needed */
	}
	m->ticks = v[14]; /* in the kernel: opening sockets is little else */
	m->start = v[21];
	/* neither kernel threads, nor sixty itself and its other helpers */
	return !(v[8] & KTHREAD_FLAG) && pid != getppid() && (pid_t)v[3] != getppid();
}

static void mark_all(struct hunter *h, uint64_t now_ns)
{
	pid_t *pids = NULL;
	size_t cap = 0, n = 0;

	h->nmarks = 0;
	h->marked_ns = now_ns;
	if (pids_list(h->proc - 1, &pids, &cap, &n) == 0) {
		if (n > SWEEP_PIDS)
			n = SWEEP_PIDS;
		for (size_t i = 0; i < n; i++) {
			h->marks =
				mem_grow(h->marks, &h->marks_cap, h->nmarks + 1, sizeof(*h->marks));
			h->nmarks += read_mark(h->proc - 1, pids[i], &h->marks[h->nmarks]);
		}
	}
	mem_free(pids);
}

static bool is_cleared(const struct hunter *h, const struct cpu_mark *m)
{
	for (size_t i = 0; i < CLEARED; i++)
		if (h->cleared[i].pid == m->pid && h->cleared[i].start == m->start)
			return true;
	return false;
}

/* Who was looked at often enough without a new socket makes room for the next. */
static void clear_some(struct hunter *h)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->nsuspects; i++) {
		struct suspect *s = &h->suspects[i];

		if (s->sockets || s->scans < SCANS_ENOUGH) {
			s->used = s->sockets ? UINT64_MAX : 0;
			h->suspects[kept++] = *s;
			continue;
		}
		if (s->dir)
			close(s->dir - 1);
		h->cleared[h->ncleared++ % CLEARED] =
			(struct cpu_mark){ .pid = s->pid, .start = s->start };
	}
	h->nsuspects = kept;
}

static void choose(struct hunter *h, const struct cpu_mark *m, uint64_t used)
{
	struct suspect *s = NULL;

	if (is_cleared(h, m))
		return;
	for (size_t i = 0; i < h->nsuspects; i++)
		if (h->suspects[i].pid == m->pid && h->suspects[i].start == m->start)
			return;
	if (h->nsuspects < SUSPECTS) {
		s = &h->suspects[h->nsuspects++];
	} else {
		for (size_t i = 0; i < h->nsuspects; i++)
			if (h->suspects[i].used < used && (!s || h->suspects[i].used < s->used))
				s = &h->suspects[i];
		if (!s)
			return;
		if (s->dir)
			close(s->dir - 1);
	}
	*s = (struct suspect){ .pid = m->pid, .start = m->start, .used = used };
	memcpy(s->comm, m->comm, sizeof(s->comm));
}

static void choose_suspects(struct hunter *h, uint64_t now_ns)
{
	struct cpu_mark now;

	if (!h->suspects)
		h->suspects = mem_array(SUSPECTS, sizeof(*h->suspects));
	clear_some(h);
	for (size_t i = 0; i < h->nmarks; i++) {
		const struct cpu_mark *was = &h->marks[i];

		if (read_mark(h->proc - 1, was->pid, &now) && now.start == was->start &&
		    now.ticks > was->ticks)
			choose(h, &now, now.ticks - was->ticks);
	}
	h->marked_ns = 0;
	h->chosen_ns = now_ns;
}

/* ---- their sockets ---- */

struct dent { /* linux_dirent64, which no header has */
	uint64_t ino, off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

static uint32_t socket_inode(int dir, const char *name, bool *gone)
{
	char target[40];
	uint32_t inode;
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

	*gone = n < 0 && errno == ENOENT;
	if (n <= 0)
		return 0;
	target[n] = '\0';
	return sscanf(target, "socket:[%" SCNu32 "]", &inode) == 1 ? inode : 0;
}

/* `all`: ask again what the known ones are: a number may have been given to another socket. */
static void see_fd(struct suspect *s, const char *name, uint64_t *open, bool all)
{
	unsigned long fd = strtoul(name, NULL, 10);
	uint32_t inode;
	bool known, gone;

	if (name[0] == '.' || fd >= SUSPECT_FDS)
		return;
	open[fd / 64] |= 1ull << fd % 64;
	known = s->open[fd / 64] >> fd % 64 & 1;
	if (known && !all)
		return;
	inode = socket_inode(s->dir - 1, name, &gone);
	if (s->scans) {
		s->sockets += inode && inode != s->inode[fd];
		s->vanished += gone;
	}
	s->inode[fd] = inode;
}

static bool scan(struct suspect *s, int proc, bool all)
{
	uint64_t open[SUSPECT_FDS / 64] = { 0 }, began = clock_cpu_ns();
	char path[32], dents[DENTS] __attribute__((aligned(8)));
	long n;

	if (!s->dir) {
		int fd;

		snprintf(path, sizeof(path), "%d/fd", (int)s->pid);
		fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return false;
		s->dir = fd + 1;
	}
	if (lseek(s->dir - 1, 0, SEEK_SET))
		return false;
	while ((n = syscall(SYS_getdents64, s->dir - 1, dents, sizeof(dents))) > 0)
		for (long at = 0; at < n;) {
			const struct dent *d = (const struct dent *)(dents + at);

			see_fd(s, d->name, open, all);
			at += d->reclen;
		}
	memcpy(s->open, open, sizeof(s->open));
	s->scans++;
	if (!all)
		s->cost_ns = clock_cpu_ns() - began;
	return n == 0;
}

/* Asking again what every descriptor is costs as much as hundreds of quick scans. */
static void scan_one(struct hunter *h, struct suspect *s, uint64_t now_ns)
{
	bool all = !s->scans || now_ns - s->asked_ns >= ASK_NS;

	if (s->cost_ns >= DEAR_NS && !all)
		return;
	if (all)
		s->asked_ns = now_ns;
	scan(s, h->proc - 1, all);
}

static void scan_all(struct hunter *h, uint64_t now_ns)
{
	uint64_t until = clock_cpu_ns() + TICK_BUDGET;

	/* each tick begins with another one, so that a dear one does not starve the same others every time */
	for (unsigned k = 0; h->nsuspects && k < ROUNDS * h->nsuspects && clock_cpu_ns() < until;
	     k++)
		scan_one(h, &h->suspects[h->turn++ % h->nsuspects], now_ns);
}

void hunter_tick(struct hunter *h, uint64_t now_ns)
{
	if (!h->proc) {
		int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return;
		h->proc = fd + 1;
	}
	if (h->marked_ns && now_ns - h->marked_ns >= MARK_NS)
		choose_suspects(h, now_ns);
	else if (!h->marked_ns && (!h->chosen_ns || now_ns - h->chosen_ns > AGAIN_NS))
		mark_all(h, now_ns);
	else
		scan_all(h, now_ns);
}

void hunter_put(const struct hunter *h, struct snapshot *out)
{
	for (size_t i = 0; i < h->nsuspects; i++) {
		const struct suspect *s = &h->suspects[i];
		struct row_id id = { .key = (uint64_t)s->pid, .birth = s->start };
		uint64_t netns;
		size_t row;

		if (!s->sockets) /* only vanished ones: they may have been files */
			continue;
		row = snapshot_row(out, SCOPE_PROCESS, id, s->comm, strlen(s->comm));
		snapshot_set(out, M_PROC_SOCKETS_NEW, row, s->sockets + s->vanished,
			     metric_source(M_PROC_SOCKETS_NEW, F_PID_SOCKETS));
		if (netns_of_process(h->proc - 1, s->pid, &netns) == 0)
			snapshot_set(out, M_PROC_NETNS, row, netns,
				     metric_source(M_PROC_NETNS, F_PID_SOCKETS));
	}
}
