/* SPDX-License-Identifier: Apache-2.0 */
/* proc/diskstats: the counters of every whole disk, ten times a second, and twice while no disk does anything.
 *
 * Which column is which metric lives in model/metrics.def. Kernel 4.18 added discard columns and 5.5 flush columns,
 * so a short line is normal: columns that are not there stay absent. Partitions are left out, their I/O is the disk's.
 *
 * A disk is matched by name and diskseq, so that one that was pulled and came back under its old name (or the next
 * image on the same loop device) is a new row and not a counter that jumps. */
#include "collectors/disks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "collectors/sysfs.h"
#include "collectors/collector.h"
#include "collectors/table.h"

#define COLUMNS   20
#define MANY      256 /* disks: from here on, once a second is enough */
#define SECOND_NS 1000000000u
#define REST_NS \
	450000000u /* between readings while no disk does anything; a little less than 5 ticks */

/* ---- identity ---- */

bool devno_parse(struct text t, uint64_t *devno)
{
	uint64_t major, minor;

	if (!text_u64(&t, &major) || !text_skip(&t, ":") || !text_u64(&t, &minor))
		return false;
	*devno = devno_of(major, minor);
	return true;
}

struct row_id disk_id(const char *name, size_t n, bool has_seq, uint64_t seq, uint64_t devno)
{
	struct row_id id = row_id_of_name(name, n);

	id.birth = has_seq ? seq : devno;
	return id;
}

char *disk_sysname(char out[DISK_NAME], const char *name)
{
	snprintf(out, DISK_NAME, "%s", name);
	for (char *p = out; *p; p++)
		if (*p == '/')
			*p = '!';
	return out;
}

size_t disk_row(struct snapshot *out, const struct root *r, const char *name)
{
	char sys[DISK_NAME], dev[32];
	size_t len = strlen(name);
	uint64_t seq = 0, devno;
	bool has_seq;

	if (len >= DISK_NAME ||
	    !sysfs_text(r, dev, sizeof(dev), "sys/block/%s/dev", disk_sysname(sys, name)) ||
	    !devno_parse(text_of(dev), &devno))
		return snapshot_named_row(out, SCOPE_DISK, name, len);
	has_seq = sysfs_u64(r, &seq, "sys/block/%s/diskseq", sys);
	return snapshot_row(out, SCOPE_DISK, disk_id(name, len, has_seq, seq, devno), name, len);
}

/* "../../devices/pci0000:00/…/block/vda/vda1" of a partition, "…/block/vda" of a disk. */
static bool disk_of_link(const struct root *r, const char *link, const char *partition_file,
			 char out[DISK_NAME])
{
	char target[512];
	ssize_t n = root_readlink(r, link, target, sizeof(target));
	struct text t, last, above = { 0 };
	const char *slash;
	uint64_t number;

	if (n <= 0)
		return false;
	t = text_n(target, (size_t)n);
	slash = text_last(t, '/');
	last = text_n(slash ? slash + 1 : t.p, (size_t)(t.end - (slash ? slash + 1 : t.p)));
	if (slash) {
		t.end = slash;
		slash = text_last(t, '/');
		above = text_n(slash ? slash + 1 : t.p,
			       (size_t)(t.end - (slash ? slash + 1 : t.p)));
	}
	text_copy(out, DISK_NAME,
		  sysfs_u64(r, &number, "%s", partition_file) && text_len(above) ? above : last);
	for (char *p = out; *p; p++)
		if (*p == '!')
			*p = '/';
	return out[0] != '\0';
}

bool disk_of_devno(const struct root *r, uint64_t devno, char out[DISK_NAME])
{
	char link[64], file[80];

	snprintf(link, sizeof(link), "sys/dev/block/%llu:%llu", (unsigned long long)(devno >> 20),
		 (unsigned long long)(devno & 0xfffff));
	snprintf(file, sizeof(file), "%s/partition", link);
	return disk_of_link(r, link, file, out);
}

bool disk_of_name(const struct root *r, const char *name, char out[DISK_NAME])
{
	char sys[DISK_NAME], link[64], file[80];

	if (!*name || strlen(name) >= DISK_NAME)
		return false;
	snprintf(link, sizeof(link), "sys/class/block/%s", disk_sysname(sys, name));
	snprintf(file, sizeof(file), "%s/partition", link);
	return disk_of_link(r, link, file, out);
}

/* ---- the collector ---- */

struct known { /* what is remembered of the disk on one line of the file */
	char name[DISK_NAME];
	uint64_t devno;
	uint64_t seq;
	bool has_seq, whole;
	int fd;        /* of diskseq, kept open; -1 */
	uint64_t done; /* reads + writes at the last reading: goes down when the disk is a new one */
	uint64_t busy; /* milliseconds with something to do, at the last reading */
};

struct disks_state {
	const struct collector_env *env;
	int fd;
	int code; /* how reading went; 1: not tried yet */
	struct buf text;
	struct known *known;
	size_t n, cap;
	uint64_t read_ns, checked_ns, reads;
	bool has_sys;
	bool moving; /* a disk has done something since the reading before, or is about to */
};

static unsigned sources[COLUMNS + 1];
static enum metric_id ids[COLUMNS + 1];

static void find_columns(void)
{
	for (enum metric_id id = M_NONE + 1; id < M_MAX; id++) {
		const struct metric *m = metric_get(id);

		for (unsigned i = 0; i < m->nsources; i++) {
			int col = m->sources[i].col;

			if (m->sources[i].file != F_DISKSTATS || col < 4 || col > COLUMNS)
				continue;
			ids[col] = id;
			sources[col] = i + 1;
		}
	}
}

static void forget(struct known *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
}

static void read_seq(struct disks_state *s, struct known *k)
{
	char sys[DISK_NAME], path[64], digits[24] = "";
	ssize_t n;

	disk_sysname(sys, k->name);
	if (!s->env->root->live) {
		k->has_seq = sysfs_u64(s->env->root, &k->seq, "sys/block/%s/diskseq", sys);
		return;
	}
	n = k->fd < 0 ? -1 : pread(k->fd, digits, sizeof(digits) - 1, 0);
	if (n <= 0) { /* not open, or the disk that it belonged to is gone */
		forget(k);
		snprintf(path, sizeof(path), "sys/block/%s/diskseq", sys);
		k->fd = root_openat(s->env->root, path);
		n = k->fd < 0 ? -1 : pread(k->fd, digits, sizeof(digits) - 1, 0);
	}
	k->has_seq = n > 0 && text_is_u64(text_n(digits, (size_t)n), &k->seq);
}

static bool all_digits(struct text t)
{
	for (const char *p = t.p; p < t.end; p++)
		if (*p < '0' || *p > '9')
			return false;
	return text_len(t) > 0;
}

/* Without /sys a partition is known by its name: that of the disk on a line above it and a number, with a 'p' between
 * them if the disk's name ends in a digit. */
static bool looks_like_partition(const struct disks_state *s, size_t at)
{
	const struct known *k = &s->known[at];

	for (size_t i = at; i-- > 0;) {
		size_t n = strlen(s->known[i].name);
		struct text rest;

		if (!s->known[i].whole || !n || strncmp(k->name, s->known[i].name, n))
			continue;
		rest = text_of(k->name + n);
		if (s->known[i].name[n - 1] >= '0' && s->known[i].name[n - 1] <= '9' &&
		    !text_skip(&rest, "p"))
			continue;
		if (all_digits(rest))
			return true;
	}
	return false;
}

static bool is_whole(struct disks_state *s, size_t at)
{
	char sys[DISK_NAME], dev[32];

	if (!s->has_sys)
		return !looks_like_partition(s, at);
	return sysfs_text(s->env->root, dev, sizeof(dev), "sys/block/%s/dev",
			  disk_sysname(sys, s->known[at].name));
}

/* The entry of this line; looked at anew when the line names another disk than it did. */
static struct known *know(struct disks_state *s, size_t at, struct text name, uint64_t devno)
{
	struct known *k;

	if (at >= s->n) {
		s->known = mem_grow(s->known, &s->cap, at + 1, sizeof(*s->known));
		s->known[at].fd = -1;
		s->n = at + 1;
	}
	k = &s->known[at];
	if (k->devno == devno && text_eq(name, k->name))
		return k;
	forget(k);
	*k = (struct known){ .devno = devno, .fd = -1 };
	text_copy(k->name, sizeof(k->name), name);
	k->whole = is_whole(s, at);
	if (k->whole)
		read_seq(s, k);
	return k;
}

static void fill(struct snapshot *out, const struct known *k, const uint64_t *values, int columns)
{
	size_t len = strlen(k->name);
	size_t row = snapshot_row(
		out, SCOPE_DISK, disk_id(k->name, len, k->has_seq, k->seq, k->devno), k->name, len);

	snapshot_set(out, M_DISK_DEVNO, row, k->devno, metric_source(M_DISK_DEVNO, F_DISKSTATS));
	for (int col = 4; col <= columns; col++)
		snapshot_set(out, ids[col], row, values[col], sources[col]);
}

static bool read_line(struct disks_state *s, struct text line, size_t at, bool check,
		      struct snapshot *out)
{
	uint64_t values[COLUMNS + 1], major, minor;
	struct text name;
	struct known *k;
	int col = 3;

	if (!text_u64(&line, &major) || !text_u64(&line, &minor) || !text_word(&line, &name) ||
	    text_len(name) >= DISK_NAME)
		return false;
	while (col < COLUMNS && text_u64(&line, &values[col + 1]))
		col++;
	if (col < 14) /* a partition before 2.6.25, or nonsense */
		return false;
	k = know(s, at, name, devno_of(major, minor));
	if (!k->whole)
		return true;
	if (check || values[4] + values[8] < k->done)
		read_seq(s, k);
	k->done = values[4] + values[8];
	s->moving |= values[12] || values[13] != k->busy;
	k->busy = values[13];
	fill(out, k, values, col);
	return true;
}

static int read_text(struct disks_state *s)
{
	const char *path = files[F_DISKSTATS].path;

	if (!s->env->root->live)
		return root_read(s->env->root, path, &s->text, ROOT_FILE_CAP);
	if (s->fd < 0)
		s->fd = root_openat(s->env->root, path);
	return s->fd < 0 ? s->fd : root_reread(s->fd, &s->text, ROOT_FILE_CAP);
}

static int disks_read(void *state, struct snapshot *out, struct err *e)
{
	struct disks_state *s = state;
	uint64_t now = clock_boot_ns();
	bool check = now - s->checked_ns >= SECOND_NS;
	struct text in, line;
	size_t at = 0;
	int err;

	if (s->n >= MANY && s->read_ns && now - s->read_ns < SECOND_NS - SECOND_NS / 20)
		return 0;
	if (!s->moving && s->reads > 1 && s->env->root->live && !s->env->closing &&
	    now - s->read_ns < REST_NS)
		return 0;
	err = read_text(s);
	if (err != s->code) {
		s->code = err;
		collector_status(s->env, files[F_DISKSTATS].path, err, "%s",
				 err ? strerror(-err) : "");
	}
	if (err)
		return err_errno(e, err, "cannot read %s", files[F_DISKSTATS].path);
	snapshot_begin(out, SCOPE_DISK, now);
	s->moving = false;
	in = text_n(s->text.data, s->text.len);
	while (at < DISK_CAP && text_line(&in, &line))
		at += read_line(s, line, at, check, out);
	while (s->n > at)
		forget(&s->known[--s->n]);
	s->read_ns = now;
	s->reads++;
	if (check)
		s->checked_ns = now;
	return 0;
}

static int one_is_enough(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return 1;
}

static int disks_open(void *state, const struct collector_env *env, struct err *e)
{
	struct disks_state *s = state;

	(void)e;
	s->env = env;
	s->fd = -1;
	s->code = 1;
	s->has_sys = root_list(env->root, "sys/block", one_is_enough, NULL) == 1;
	find_columns();
	return 0;
}

static void disks_close(void *state)
{
	struct disks_state *s = state;

	for (size_t i = 0; i < s->n; i++)
		forget(&s->known[i]);
	if (s->fd >= 0)
		close(s->fd);
	mem_free(s->known);
	buf_done(&s->text);
}

const struct collector collector_disks = {
	.name = "disks",
	.what = "reads, writes, discards, flushes and queue of every disk",
	.needs = "",
	.pace = PACE_FAST,
	.scopes = 1u << SCOPE_DISK,
	.keeps_files = true,
	.state_size = sizeof(struct disks_state),
	.open = disks_open,
	.read = disks_read,
	.close = disks_close,
};
