/* SPDX-License-Identifier: Apache-2.0 */
/* USE of disks and file systems; iostat. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/makers.h"
#include "checklist/rule.h"
#include "model/event.h"

#define MATTERS_BUSY \
	0.3 /* of the time with I/O in flight: worth a line in the short form; decides nothing */
#define MATTERS_FULL 0.85 /* of a file system */

static double or_zero(double x)
{
	return isnan(x) ? 0 : x;
}

static void reason(char *out, size_t size, double value, const char *why)
{
	if (isnan(value))
		snprintf(out, size, "%s", why);
}

/* ---- disks ---- */

/* Lines of the kernel log about this disk in the window: where the driver has no counter, the log is all there is. */
static double logged_errors(const struct view *v, const char *disk)
{
	size_t n = snapshot_rows(v->last, SCOPE_EVENT);
	double errors = 0;

	if (!v->last->tables[SCOPE_EVENT].time_ns)
		return NAN;
	for (size_t r = 0; r < n; r++) {
		const char *device = snapshot_text(v->last, M_EVENT_DEVICE, r);

		errors += device && !strcmp(device, disk) &&
			  snapshot_value(v->last, M_EVENT_LIVE, r) > 0 &&
			  snapshot_value(v->last, M_EVENT_KIND, r) == EVENT_IO_ERROR;
	}
	return errors;
}

static bool is_idle_loop(const struct interval *iv, size_t row)
{
	return !(interval_value(iv, M_DISK_IOPS, row) > 0) &&
	       !(interval_mean(iv, M_DISK_IN_FLIGHT, row) > 0);
}

static void add_disk(const struct view *v, struct report *out, size_t row)
{
	const struct interval *iv = v->window;
	struct row_id id = interval_row(iv, SCOPE_DISK, row)->id;
	const char *name = interval_name(iv, SCOPE_DISK, row);
	double counted = interval_delta(iv, M_DISK_IO_ERRORS, row), logged = logged_errors(v, name);
	struct use_row *u = report_use(out, RES_DISK, name);

	u->utilization = interval_value(iv, M_DISK_BUSY, row);
	u->worst_second = view_worst(v, M_DISK_BUSY, id);
	u->saturation = interval_value(iv, M_DISK_QUEUE, row);
	u->saturation_unit = "requests in flight";
	u->errors = isnan(counted) ? logged : or_zero(logged) + counted;
	u->matters = u->utilization >= MATTERS_BUSY || u->errors > 0 ||
		     interval_last(iv, M_DISK_IN_FLIGHT, row) > 0;
	reason(u->why_utilization, sizeof(u->why_utilization), u->utilization,
	       why_text(interval_why(iv, M_DISK_BUSY, row)));
	reason(u->why_saturation, sizeof(u->why_saturation), u->saturation,
	       why_text(interval_why(iv, M_DISK_QUEUE, row)));
	reason(u->why_errors, sizeof(u->why_errors), u->errors,
	       "no error counter and the kernel log cannot be read");
}

void use_disk(const struct view *v, struct report *out)
{
	for (size_t r = 0; r < interval_rows(v->window, SCOPE_DISK); r++)
		if (strncmp(interval_name(v->window, SCOPE_DISK, r), "loop", 4) ||
		    !is_idle_loop(v->window, r))
			add_disk(v, out, r);
}

/* ---- file systems ---- */

/* A read-only image is full by nature, and a layer of another file system shows that one's space again. */
static bool is_countable(const struct view *v, size_t row)
{
	return snapshot_value(v->last, M_FS_SIZE, row) > 0 &&
	       !snapshot_text(v->last, M_FS_LAYER_OF, row);
}

static void add_fs(const struct view *v, struct report *out, size_t row, const char *what,
		   double used, double errors)
{
	char name[96];
	struct use_row *u;

	snprintf(name, sizeof(name), "%.80s%s", snapshot_name(v->last, SCOPE_FS, row), what);
	u = report_use(out, RES_FS, name);
	u->utilization = used;
	u->errors = errors;
	u->matters = used >= MATTERS_FULL && !(snapshot_value(v->last, M_FS_READONLY, row) == 1);
	snprintf(u->why_saturation, sizeof(u->why_saturation),
		 "writes fail when it is full, they do not queue");
	reason(u->why_utilization, sizeof(u->why_utilization), used,
	       snapshot_value(v->last, M_FS_HUNG, row) > 0 ? "it did not answer statvfs in time"
							   : "size unknown");
	reason(u->why_errors, sizeof(u->why_errors), errors, "this type counts no errors");
}

void use_fs(const struct view *v, struct report *out)
{
	for (size_t r = 0; r < snapshot_rows(v->last, SCOPE_FS); r++) {
		double size = snapshot_value(v->last, M_FS_SIZE, r),
		       free_bytes = snapshot_value(v->last, M_FS_FREE, r);
		double inodes = snapshot_value(v->last, M_FS_INODES, r),
		       free_inodes = snapshot_value(v->last, M_FS_INODES_FREE, r);
		double avail = snapshot_value(v->last, M_FS_AVAILABLE, r);
		size_t row = interval_find(v->window, SCOPE_FS, snapshot_id(v->last, SCOPE_FS, r));
		double errors = interval_delta(v->window, M_FS_ERRORS, row);

		if (snapshot_value(v->last, M_FS_HUNG, r) > 0) {
			add_fs(v, out, r, "", NAN, errors);
			continue;
		}
		if (!is_countable(v, r))
			continue;
		/* as df does: of what everybody may use */
		add_fs(v, out, r, "", (size - free_bytes) / fmax(1, size - free_bytes + avail),
		       errors);
		if (inodes > 0)
			add_fs(v, out, r, " inodes", 1 - free_inodes / inodes, errors);
	}
}

/* ---- iostat -xz ---- */

static const struct sheet_column iostat_columns[] = {
	{ "Device", "device", -1, -9 },   { "r/s", "r_s", 1, 7 },
	{ "rkB/s", "rkB_s", 1, 8 },       { "rrqm/s", "rrqm_s", 1, 6 },
	{ "%rrqm", "rrqm_pct", 1, 5 },    { "r_await", "r_await", 2, 7 },
	{ "rareq-sz", "rareq_sz", 1, 8 }, { "w/s", "w_s", 1, 7 },
	{ "wkB/s", "wkB_s", 1, 8 },       { "wrqm/s", "wrqm_s", 1, 6 },
	{ "%wrqm", "wrqm_pct", 1, 5 },    { "w_await", "w_await", 2, 7 },
	{ "wareq-sz", "wareq_sz", 1, 8 }, { "d/s", "d_s", 1, 6 },
	{ "dkB/s", "dkB_s", 1, 7 },       { "drqm/s", "drqm_s", 1, 6 },
	{ "%drqm", "drqm_pct", 1, 5 },    { "d_await", "d_await", 2, 7 },
	{ "dareq-sz", "dareq_sz", 1, 8 }, { "f/s", "f_s", 1, 6 },
	{ "f_await", "f_await", 2, 7 },   { "aqu-sz", "aqu_sz", 2, 6 },
	{ "%util", "util", 1, 5 },
};

struct kind { /* reads, writes, discards: the same six columns */
	enum metric_id ops, bytes, merges, await, size;
};

static const struct kind kinds[] = {
	{ M_DISK_READS, M_DISK_READ_BYTES, M_DISK_READ_MERGES, M_DISK_READ_AWAIT,
	  M_DISK_READ_SIZE },
	{ M_DISK_WRITES, M_DISK_WRITE_BYTES, M_DISK_WRITE_MERGES, M_DISK_WRITE_AWAIT,
	  M_DISK_WRITE_SIZE },
	{ M_DISK_DISCARDS, M_DISK_DISCARD_BYTES, M_DISK_DISCARD_MERGES, M_DISK_DISCARD_AWAIT,
	  M_DISK_DISCARD_SIZE },
};

static void put_kind(struct sheet *s, size_t row, unsigned col, const struct interval *iv, size_t r,
		     const struct kind *k)
{
	double ops = interval_rate(iv, k->ops, r), merges = interval_rate(iv, k->merges, r);

	sheet_number(s, row, col, ops);
	sheet_number(s, row, col + 1, interval_rate(iv, k->bytes, r) / 1024);
	sheet_number(s, row, col + 2, merges);
	sheet_number(s, row, col + 3,
		     ops + merges > 0 ? 100 * merges / (ops + merges)
		     : isnan(ops)     ? NAN
				      : 0);
	/* no operation, no time of one: unknown, where iostat prints 0 */
	sheet_number(s, row, col + 4, 1000 * interval_value(iv, k->await, r));
	sheet_number(s, row, col + 5, interval_value(iv, k->size, r) / 1024);
}

void step_iostat(const struct view *v, struct report *out)
{
	struct sheet *s = report_sheet(
		out, "iostat",
		"which disk is slow or full of requests? (iostat -xz, kB = 1024 bytes, await in ms)",
		iostat_columns, sizeof(iostat_columns) / sizeof(*iostat_columns));
	struct interval *iv = v->window;

	for (size_t r = 0; r < interval_rows(iv, SCOPE_DISK); r++) {
		size_t row;

		if (is_idle_loop(iv, r))
			continue; /* -z */
		row = sheet_row(s, interval_value(iv, M_DISK_BUSY, r) >= 0.01 ||
					   interval_last(iv, M_DISK_IN_FLIGHT, r) > 0);
		sheet_text(out, s, row, 0, interval_name(iv, SCOPE_DISK, r));
		for (unsigned k = 0; k < 3; k++)
			put_kind(s, row, 1 + 6 * k, iv, r, &kinds[k]);
		sheet_number(s, row, 19, interval_rate(iv, M_DISK_FLUSHES, r));
		sheet_number(s, row, 20, 1000 * interval_value(iv, M_DISK_FLUSH_AWAIT, r));
		sheet_number(s, row, 21, interval_value(iv, M_DISK_QUEUE, r));
		sheet_number(s, row, 22, 100 * interval_value(iv, M_DISK_BUSY, r));
	}
	if (!s->nrows)
		snprintf(s->note, sizeof(s->note), "no disk did anything in the window");
}
