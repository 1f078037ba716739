/* SPDX-License-Identifier: Apache-2.0 */
/* A limit of I/O that somebody has set on a control group: the disk is idle and the application is slow.
 *
 * The kernel holds the group's requests back before they reach the device, so that neither await nor the queue shows
 * them. What tells is a rate at the limit, and threads of the group that wait longer than the disk had requests. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "checklist/cgroup.h"
#include "checklist/disk.h"

#define HELD_BACK 0.5 /* of the group's waiting, that the disk's own queue does not account for */

static const enum cause waits[] = { CAUSE_DISK, CAUSE_FAULT, CAUSE_WRITEBACK };

struct limit_kind {
	enum metric_id limit, rate;
	enum unit unit;
	const char *what, *v1, *v2;
};

static const struct limit_kind kinds[] = {
	{ M_CG_IO_MAX_RIOPS, M_CG_IO_READS, UNIT_COUNT, "reads", "blkio.throttle.read_iops_device",
	  "riops" },
	{ M_CG_IO_MAX_WIOPS, M_CG_IO_WRITES, UNIT_COUNT, "writes",
	  "blkio.throttle.write_iops_device", "wiops" },
	{ M_CG_IO_MAX_RBPS, M_CG_IO_READ_BYTES, UNIT_BYTES, "bytes read",
	  "blkio.throttle.read_bps_device", "rbps" },
	{ M_CG_IO_MAX_WBPS, M_CG_IO_WRITE_BYTES, UNIT_BYTES, "bytes written",
	  "blkio.throttle.write_bps_device", "wbps" },
};

struct io_limit {
	size_t row; /* of the group on the device */
	const struct limit_kind *kind;
	double limit, rate;
	double lost, queue; /* of the group; of the device */
	struct ranking victims;
};

static double device_queue(const struct view *v, const char *device)
{
	for (size_t r = 0; r < interval_rows(v->window, SCOPE_DISK); r++)
		if (!strcmp(interval_name(v->window, SCOPE_DISK, r), device))
			return interval_value(v->window, M_DISK_QUEUE, r);
	return NAN;
}

/* The limit that is met most; false when none is. */
static bool met(const struct rule *r, const struct view *v, size_t row, struct io_limit *l)
{
	*l = (struct io_limit){ .row = row };
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		double limit = cgroup_level(v, kinds[i].limit, row),
		       rate = cgroup_rate(v, kinds[i].rate, row);

		if (!isfinite(limit) || limit <= 0 || !(rate / limit >= r->floor))
			continue;
		if (l->kind && rate / limit <= l->rate / l->limit)
			continue;
		l->kind = &kinds[i];
		l->limit = limit;
		l->rate = rate;
	}
	return l->kind != NULL;
}

static bool is_harm(const struct rule *r, const struct view *v, struct io_limit *l)
{
	cgroup_rank_lost(v, l->row, waits, 3, &l->victims);
	l->lost = l->victims.total;
	l->queue = device_queue(v, cgroup_device(v, l->row));
	return l->lost >= r->warn && !(l->lost - l->queue < HELD_BACK * l->lost);
}

static void report_limit(const struct rule *r, const struct view *v, struct findings *fs,
			 const struct io_limit *l)
{
	struct finding *f = rule_fire(r, fs);
	const char *path = cgroup_path(v, l->row), *device = cgroup_device(v, l->row),
		   *dir = cgroup_dir(v, l->row);
	bool v2 = cgroup_is_v2(v, l->row);
	struct ranking users;
	static const enum metric_id bytes[] = { M_PROC_READ_BYTES, M_PROC_WRITE_BYTES };
	char who[96], limit[16];
	struct party *p;

	snprintf(f->instance, sizeof(f->instance), "%s", path);
	f->confidence = isnan(l->queue) ? 0.85 : 0.93;
	f->estimated = true;
	f->impact.lost = l->lost;
	p = finding_offender(f, PARTY_CGROUP, path, 0, 1);
	snprintf(p->cgroup, sizeof(p->cgroup), "%s", path);
	cgroup_rank(v, l->row, bytes, 2, &users);
	finding_offenders(f, v, &users, 2, 0.2);
	finding_offender(f, PARTY_DEVICE, device, 0, NAN);
	finding_victims(f, v, &l->victims, 4, 0.05);
	finding_summary(
		f,
		"Cgroup %.120s may do %s %s per second on %s and uses %.0f %% of that: %s waits %.2f s/s while %s holds %.1f "
		"requests.",
		path, unit_format(limit, sizeof(limit), l->kind->unit, 0, l->limit), l->kind->what,
		device, fmin(999, 100 * l->rate / l->limit),
		member_label(who, sizeof(who), &l->victims.top[0]), l->victims.top[0].amount,
		device, l->queue > 0 ? l->queue : 0.0);
	finding_evidence(f, l->kind->what, l->rate, l->kind->unit == UNIT_BYTES ? "bytes/s" : "1/s",
			 l->limit, v2 ? "io.stat, io.max" : l->kind->v1);
	finding_evidence(f, "blocked on disks in the group", l->lost, "s/s", r->warn,
			 "state samples");
	finding_evidence(f, "disk.queue", l->queue, "requests", NAN, "proc/diskstats");
	finding_next(f, v2 ? "cat /%.120s/io.max   # %s" : "cat /%.120s/%s", dir,
		     v2 ? l->kind->v2 : l->kind->v1);
	finding_next(f, "iostat -xz 1   # %s is not the limit", device);
}

void check_io_throttled(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t g = 0; g < cgroup_count(v); g++) {
		struct io_limit l;

		if (cgroup_device(v, g) && met(r, v, g, &l) && is_harm(r, v, &l))
			report_limit(r, v, fs, &l);
	}
}
