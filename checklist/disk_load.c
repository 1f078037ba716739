/* SPDX-License-Identifier: Apache-2.0 */
/* What disks did, and whose I/O it was.
 *
 * A device made of others counts its I/O as they count theirs: the lowest one that explains the time is to blame.
 *
 *      ext4 on loop0  ── file on / ──▶  vda          time of vda >= half of that of loop0: vda explains it
 *      processes that use loop0 are users of vda, too
 *
 * /proc does not say which process waits for which disk. Open files tell which disks it uses (disk.users, looked for
 * only when a disk is busy); without that, waiting is divided by what each disk had to wait for. */
#include "checklist/disk_load.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"

#define DEEP_QUEUE     2.0  /* requests: one is served, one waits */
#define FEW_REQUESTS   20.0 /* in a second: below it a mean says little */
#define LOWER_EXPLAINS 0.5  /* of the upper device's time */
#define PROCESS_DISKS  16

/* ---- one disk ---- */

static double or_zero(double x)
{
	return x > 0 ? x : 0;
}

/* What a device of the class needs for a request when it has nothing else to do: access time, and bytes at the pace of
 * a slow one of its class. Generous on purpose: it tells broken from ordinary, not good from better. */
static double class_norm(const struct view *v, const struct disk_load *d)
{
	static const struct {
		const char *kind;
		double access, bytes_per_second;
	} classes[] = {
		{ "nvme", 0.0005, 500e6 }, { "scsi", 0.002, 200e6 }, { "virtio", 0.002, 200e6 },
		{ "xen", 0.002, 200e6 },   { "mmc", 0.010, 20e6 },   { "loop", 0.002, 200e6 },
		{ "zram", 0.0002, 500e6 }, { "ram", 0.0001, 1e9 },   { "pmem", 0.0001, 1e9 },
		{ "nbd", 0.005, 100e6 },   { "rbd", 0.010, 100e6 },  { "drbd", 0.005, 100e6 },
	};
	double access = 0.002, pace = 200e6;

	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		if (!strcmp(d->kind, classes[i].kind)) {
			access = classes[i].access;
			pace = classes[i].bytes_per_second;
		}
	/* a guest's disk says it rotates whatever it is made of; a loop device repeats what is below it */
	if (view_last(v, M_DISK_ROTATIONAL, d->id) == 1 && strcmp(d->kind, "virtio") &&
	    strcmp(d->kind, "xen") && strcmp(d->kind, "loop")) {
		access = 0.012;
		pace = 80e6;
	}
	return access + (d->size > 0 ? d->size / pace : 0);
}

/* The shortest mean of a second in which at most two requests were in flight; where the queue was deep all the time,
 * the time between completions: a device that serves one after the other cannot be faster than that. */
static double unloaded_time(const struct view *v, const struct disk_load *d)
{
	double best = NAN;

	for (size_t i = 0; i < v->nseconds; i++) {
		struct interval *s = v->seconds[i];
		size_t row = interval_find(s, SCOPE_DISK, d->id);
		double await = interval_value(s, M_DISK_AWAIT, row),
		       n = interval_value(s, M_DISK_IOPS, row);

		if (interval_value(s, M_DISK_QUEUE, row) <= DEEP_QUEUE && await > 0 &&
		    (n >= FEW_REQUESTS || n * await >= 0.1) && !(await >= best))
			best = await;
	}
	if (isnan(best) && d->iops > 0 && d->queue > DEEP_QUEUE)
		best = fmin(d->await, d->busy / d->iops);
	return best;
}

/* Seconds at the end of the window with requests in flight and none completed. Looks at every reading that is kept. */
static double stuck_for(const struct view *v, struct row_id id)
{
	double sum = 0;

	for (size_t i = v->nseconds; i-- > 0;) {
		struct interval *s = v->seconds[i];
		size_t row = interval_find(s, SCOPE_DISK, id);

		if (!(interval_last(s, M_DISK_IN_FLIGHT, row) > 0) ||
		    interval_value(s, M_DISK_IOPS, row) != 0)
			break;
		sum += interval_seconds(s);
	}
	return sum;
}

static bool measure(const struct view *v, size_t row, struct disk_load *d)
{
	const struct interval *iv = v->window;
	const char *kind, *alias;

	*d = (struct disk_load){ .row = row, .id = interval_row(iv, SCOPE_DISK, row)->id };
	d->iops = interval_value(iv, M_DISK_IOPS, row);
	d->in_flight = interval_last(iv, M_DISK_IN_FLIGHT, row);
	d->suspended = view_last(v, M_DISK_SUSPENDED, d->id) == 1 &&
		       view_growth(v, M_DISK_SUSPENDED, d->id) == 0 && !(d->iops > 0);
	if (!(d->iops > 0) && !(d->in_flight > 0) && !d->suspended)
		return false;
	kind = view_label(v, M_DISK_KIND, d->id);
	alias = view_label(v, M_DISK_ALIAS, d->id);
	d->name = interval_name(iv, SCOPE_DISK, row);
	d->kind = kind ? kind : "";
	d->alias = alias ? alias : "";
	d->reads = or_zero(interval_value(iv, M_DISK_READS, row));
	d->writes = or_zero(interval_value(iv, M_DISK_WRITES, row));
	d->discards = or_zero(interval_value(iv, M_DISK_DISCARDS, row));
	d->flushes = or_zero(interval_value(iv, M_DISK_FLUSHES, row));
	d->read_bytes = or_zero(interval_value(iv, M_DISK_READ_BYTES, row));
	d->write_bytes = or_zero(interval_value(iv, M_DISK_WRITE_BYTES, row));
	d->await = interval_value(iv, M_DISK_AWAIT, row);
	d->flush_await = interval_value(iv, M_DISK_FLUSH_AWAIT, row);
	d->queue = or_zero(interval_value(iv, M_DISK_QUEUE, row));
	d->busy = or_zero(interval_value(iv, M_DISK_BUSY, row));
	d->size = d->reads + d->writes > 0
			  ? (d->read_bytes + d->write_bytes) / (d->reads + d->writes)
			  : NAN;
	d->deep = view_share_at_least(v, M_DISK_QUEUE, d->id, DEEP_QUEUE);
	d->norm = class_norm(v, d);
	d->unloaded = unloaded_time(v, d);
	d->stuck = d->suspended ? interval_seconds(v->window) : stuck_for(v, d->id);
	d->weight = d->stuck > 0 ? fmax(fmax(d->queue, d->in_flight), 1) : d->queue;
	return true;
}

/* ---- stacking ---- */

static size_t find_disk(const struct disk_loads *l, struct text name)
{
	for (size_t i = 0; i < l->n; i++)
		if (text_eq(name, l->list[i].name))
			return i;
	return SIZE_MAX;
}

static void add_lower(struct disk_loads *l, struct disk_load *d, struct text name)
{
	size_t lower = find_disk(l, name);

	if (lower != SIZE_MAX && &l->list[lower] != d && d->nlower < DISK_LOWER_MAX)
		d->lower[d->nlower++] = lower;
}

static void find_lower(struct disk_loads *l, struct disk_load *d)
{
	const char *list = view_label(l->v, M_DISK_LOWER, d->id), *disk;
	struct text rest = text_of(list ? list : ""), name;
	size_t fs;

	while (text_line(&rest, &name))
		add_lower(l, d, name);
	if (strcmp(d->kind, "loop") || d->alias[0] != '/')
		return;
	fs = fs_of_path(l->v, d->alias);
	disk = fs == SIZE_MAX ? NULL : snapshot_text(l->v->last, M_FS_DISK, fs);
	if (disk)
		add_lower(l, d, text_of(disk));
}

static bool is_explained(const struct disk_loads *l, const struct disk_load *d)
{
	double below = 0;
	bool stuck = false;

	for (size_t i = 0; i < d->nlower; i++) {
		below += l->list[d->lower[i]].queue;
		stuck |= l->list[d->lower[i]].stuck > 0;
	}
	if (d->stuck > 0)
		return stuck;
	return d->nlower && below >= LOWER_EXPLAINS * d->queue;
}

/* Is `disk` the other one, or below it? The depth is bounded: a captured tree may be a ring. */
static bool lies_below(const struct disk_loads *l, size_t disk, size_t upper, int depth)
{
	if (disk == upper)
		return true;
	if (depth == 0)
		return false;
	for (size_t i = 0; i < l->list[upper].nlower; i++)
		if (lies_below(l, disk, l->list[upper].lower[i], depth - 1))
			return true;
	return false;
}

void disk_loads_init(struct disk_loads *l, const struct view *v)
{
	*l = (struct disk_loads){ .v = v };
	for (size_t row = 0; row < interval_rows(v->window, SCOPE_DISK); row++) {
		struct disk_load d;

		if (!measure(v, row, &d))
			continue;
		l->list = mem_grow(l->list, &l->cap, l->n + 1, sizeof(*l->list));
		l->list[l->n++] = d;
	}
	for (size_t i = 0; i < l->n; i++)
		find_lower(l, &l->list[i]);
	for (size_t i = 0; i < l->n; i++)
		l->list[i].explained = is_explained(l, &l->list[i]);
}

void disk_loads_done(struct disk_loads *l)
{
	mem_free(l->list);
}

/* ---- whose I/O ---- */

char users_find(const char *users, int64_t pid, unsigned *times)
{
	struct text rest = text_of(users ? users : ""), word, part;
	uint64_t v;

	while (text_word(&rest, &word)) {
		if (!text_until(&word, ':', &part) || !text_is_u64(part, &v) || (int64_t)v != pid ||
		    !text_until(&word, ':', &part) || !text_len(part))
			continue;
		if (times)
			*times = text_is_u64(word, &v) ? (unsigned)v : 0;
		return *part.p;
	}
	return 0;
}

/* The part of a process's waiting that is this disk's: 1 if it uses no other busy one, 0 if it uses only others. Of
 * stacked devices only those that are not explained by lower ones count. */
static double part_of(const struct disk_loads *l, size_t disk, int64_t pid, bool *known)
{
	double own = 0, all = 0, any = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct disk_load *d = &l->list[i];
		bool uses = false;

		if (d->explained)
			continue;
		any += d->weight;
		for (size_t u = 0; u < l->n && !uses; u++)
			uses = lies_below(l, i, u, 4) &&
			       users_find(view_label(l->v, M_DISK_USERS, l->list[u].id), pid, NULL);
		if (!uses)
			continue;
		all += d->weight;
		if (i == disk)
			own = d->weight;
	}
	*known = all > 0;
	if (all > 0)
		return own / all;
	return any > 0 ? l->list[disk].weight / any : 0;
}

double lost_to_causes(const struct view *v, const struct lost_row *row, const enum cause *causes,
		      size_t n)
{
	double seconds = interval_seconds(v->window), sum = 0;

	if (seconds <= 0 || view_last(v, M_PROC_KTHREAD, row->id) == 1)
		return 0;
	for (size_t i = 0; i < n; i++)
		sum += row->time[causes[i]];
	return sum / seconds;
}

struct asked {
	const struct disk_loads *l;
	size_t disk;
	const enum cause *causes;
	size_t n;
};

static double lost_on(const struct view *v, const struct lost_row *row, const void *arg)
{
	const struct asked *a = arg;
	double lost = lost_to_causes(v, row, a->causes, a->n);
	bool known;

	return lost > 0 ? lost * part_of(a->l, a->disk, row->pid, &known) : 0;
}

void disk_victims(const struct disk_loads *l, size_t disk, const enum cause *causes, size_t n,
		  struct ranking *out)
{
	struct asked a = { l, disk, causes, n };

	rank_lost_by(l->v, lost_on, &a, out);
}

static double bytes_on(const struct view *v, size_t row, const void *arg)
{
	const struct asked *a = arg;
	double bytes = or_zero(interval_rate(v->window, M_PROC_READ_BYTES, row)) +
		       or_zero(interval_rate(v->window, M_PROC_WRITE_BYTES, row)) -
		       or_zero(interval_rate(v->window, M_PROC_CANCELLED_WRITE, row));
	bool known;

	if (!(bytes > 0))
		return 0;
	return bytes * part_of(a->l, a->disk,
			       (int64_t)interval_row(v->window, SCOPE_PROCESS, row)->id.key,
			       &known);
}

void disk_users(const struct disk_loads *l, size_t disk, struct ranking *out)
{
	struct asked a = { .l = l, .disk = disk };

	rank_by(l->v, bytes_on, &a, out);
}

bool disk_users_known(const struct disk_loads *l, const struct ranking *r)
{
	bool known = false;

	for (size_t i = 0; i < l->n && r->n && !known; i++)
		if (!l->list[i].explained)
			part_of(l, i, r->top[0].pid, &known);
	return known;
}

/* ---- file systems by path ---- */

static bool is_prefix(const char *point, const char *path)
{
	size_t n = strlen(point);

	if (n == 1 && *point == '/')
		return *path == '/';
	return !strncmp(point, path, n) && (path[n] == '/' || !path[n]);
}

size_t fs_of_path(const struct view *v, const char *path)
{
	size_t best = SIZE_MAX, best_len = 0;

	for (size_t r = 0; r < snapshot_rows(v->last, SCOPE_FS); r++) {
		const char *point = snapshot_name(v->last, SCOPE_FS, r);
		double other = snapshot_value(v->last, M_FS_NAMESPACE, r);

		if (other > 0 || !*point || !is_prefix(point, path) || strlen(point) < best_len)
			continue;
		best = r;
		best_len = strlen(point);
	}
	return best;
}

/* ---- words ---- */

char *disk_label(char *out, size_t size, const struct disk_load *d)
{
	if (*d->alias)
		snprintf(out, size, "%s (%.80s)", d->name, d->alias);
	else
		snprintf(out, size, "%s", d->name);
	return out;
}

char *disk_work(char *out, size_t size, const struct disk_load *d)
{
	bool reads = d->read_bytes >= d->write_bytes;
	double n = reads ? d->reads : d->writes, bytes = reads ? d->read_bytes : d->write_bytes;
	char block[16], rate[16], pace[16];

	snprintf(out, size, "%s of %s at %s/s, %s", reads ? "reads" : "writes",
		 unit_format(block, sizeof(block), UNIT_BYTES, 0, n > 0 ? bytes / n : NAN),
		 unit_format(rate, sizeof(rate), UNIT_COUNT, 0, n),
		 unit_format(pace, sizeof(pace), UNIT_BYTES, 1, bytes));
	return out;
}

const char *disk_pattern(const struct disk_load *d)
{
	if (!(d->size > 0))
		return "unknown";
	return d->size <= 32768   ? "small or random"
	       : d->size < 131072 ? "medium"
				  : "large or sequential";
}
