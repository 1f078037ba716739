/* SPDX-License-Identifier: Apache-2.0 */
/* The device itself: far slower than its kind, or not answering at all. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "checklist/disk.h"

#define SLOW_FACTOR \
	5.0 /* times what its class needs: the distance between a bad day and a bad disk */
#define STUCK_LEAST 2.0 /* seconds without a completion: slower than any device that works */
#define PSI_LEAST \
	0.5 /* s/s: when no thread was seen waiting, the kernel's own stall time has to speak */

static const enum cause waits[] = { CAUSE_DISK, CAUSE_FAULT, CAUSE_WRITEBACK };
static const enum cause any_block[] = { CAUSE_DISK, CAUSE_FAULT, CAUSE_WRITEBACK, CAUSE_LOCK,
					CAUSE_OTHER };

bool disk_is_slow(const struct disk_load *d)
{
	return d->unloaded >= SLOW_FACTOR * d->norm;
}

void finding_device(struct finding *f, const struct disk_load *d, double share)
{
	finding_offender(f, PARTY_DEVICE, d->name, 0, share);
}

static void next_commands(struct finding *f, const struct disk_load *d)
{
	if (!strcmp(d->kind, "loop"))
		finding_next(f, "losetup -l /dev/%s   # which file, on which file system", d->name);
	else if (!strcmp(d->kind, "dm"))
		finding_next(f, "dmsetup table %s; dmsetup info %s; lsblk -s /dev/%s", d->alias,
			     d->alias, d->name);
	else if (!strcmp(d->kind, "nvme") || !strcmp(d->kind, "scsi"))
		finding_next(
			f, "smartctl -a /dev/%s   # media errors, reallocated sectors, temperature",
			d->name);
	else
		finding_next(f, "lsblk -s -o NAME,TYPE,SIZE,SCHED,ROTA /dev/%s", d->name);
	finding_next(f, "dmesg -T --level=err,warn | tail -30");
}

/* ---- slow ---- */

/* Threads cannot wait longer for a device than it had requests: more comes from something before it. */
static double plausible(const struct disk_load *d, double lost)
{
	return fmin(lost, 1.5 * d->queue + 0.1);
}

static void report_slow(const struct rule *r, const struct view *v, struct findings *fs,
			const struct disk_load *d, const struct ranking *victims, double lost)
{
	struct finding *f = rule_fire(r, fs);
	char disk[128], own[32], norm[32], await[32], who[96] = "its users";

	snprintf(f->instance, sizeof(f->instance), "%s", d->name);
	f->confidence = d->deep < 0.5 ? 0.9 : 0.85;
	f->estimated = true;
	f->impact.lost = lost;
	if (victims->n)
		member_label(who, sizeof(who), &victims->top[0]);
	finding_device(f, d, 1);
	finding_victims(f, v, victims, 4, 0.05);
	finding_summary(
		f,
		"%s is slow: a request takes it %s by itself (about %s is ordinary for its kind), %s with the queue; "
		"it does %.1f operations/s and %s waits %.2f s/s.",
		disk_label(disk, sizeof(disk), d), unit_duration(own, sizeof(own), d->unloaded),
		unit_duration(norm, sizeof(norm), d->norm),
		unit_duration(await, sizeof(await), d->await), d->iops, who,
		victims->n ? victims->top[0].amount : NAN);
	finding_evidence(f, "service time", d->unloaded, "s", SLOW_FACTOR * d->norm,
			 "proc/diskstats");
	finding_evidence(f, "disk.await", d->await, "s", NAN, "proc/diskstats");
	finding_evidence(f, "disk.queue", d->queue, "requests", NAN, "proc/diskstats");
	finding_evidence(f, "disk.iops", d->iops, "1/s", NAN, "proc/diskstats");
	finding_evidence(f, "mean size", d->size, "bytes", NAN, "proc/diskstats");
	finding_evidence(f, "thread.wait.disk", victims->total, "s/s", r->warn, "state samples");
	finding_evidence(f, "psi.io.some", system_rate(v->window, M_PSI_IO_SOME), "s/s", NAN,
			 "proc/pressure/io");
	finding_symptom(f, "%s is %.0f %% busy", d->name, fmin(100, 100 * d->busy));
	next_commands(f, d);
	finding_next(f, "iostat -xz 1   # r_await, w_await of %s", d->name);
}

void check_slow_device(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct disk_loads l;

	disk_loads_init(&l, v);
	for (size_t i = 0; i < l.n; i++) {
		const struct disk_load *d = &l.list[i];
		struct ranking victims;
		double lost;

		if (d->explained || d->stuck >= STUCK_LEAST || !disk_is_slow(d) ||
		    d->unloaded < r->floor)
			continue;
		disk_victims(&l, i, waits, 2, &victims);
		lost = plausible(d, victims.total);
		if (lost >= r->warn)
			report_slow(r, v, fs, d, &victims, lost);
	}
	disk_loads_done(&l);
}

/* ---- not answering ---- */

static void users_as_victims(const struct view *v, struct finding *f, const struct disk_load *d)
{
	const char *users = view_label(v, M_DISK_USERS, d->id);

	for (size_t p = 0; users && p < snapshot_rows(v->last, SCOPE_PROCESS); p++) {
		int64_t pid = (int64_t)snapshot_id(v->last, SCOPE_PROCESS, p).key;

		if (users_find(users, pid, NULL) && snapshot_value(v->last, M_PROC_STATE, p) == 'D')
			finding_victim(f, PARTY_PROCESS, snapshot_name(v->last, SCOPE_PROCESS, p),
				       pid, NAN);
	}
}

static void report_hung(const struct rule *r, const struct view *v, struct findings *fs,
			const struct disk_load *d, const struct ranking *victims)
{
	struct finding *f = rule_fire(r, fs);
	double window = interval_seconds(v->window);
	char disk[128], age[32], who[96] = "somebody";

	snprintf(f->instance, sizeof(f->instance), "%s", d->name);
	f->confidence = victims->total >= 0.5 ? 0.92 : 0.65;
	f->estimated = true;
	f->impact.lost = victims->total > 0 ? victims->total
					    : system_rate(v->window, M_PSI_IO_SOME);
	finding_device(f, d, 1);
	finding_victims(f, v, victims, 4, 0.05);
	if (!f->nvictims)
		users_as_victims(v, f, d);
	if (victims->n)
		member_label(who, sizeof(who), &victims->top[0]);
	else if (f->nvictims)
		process_label(who, sizeof(who), f->victims[0].name, f->victims[0].pid);
	unit_duration(age, sizeof(age), d->stuck);
	disk_label(disk, sizeof(disk), d);
	if (d->suspended)
		finding_summary(
			f,
			"The device mapper has held back all I/O of %s for at least %s (it is suspended); %s hangs in state D (%.2f s/s).",
			disk, age, who, victims->total);
	else
		finding_summary(
			f,
			"%s does not answer: %.0f requests have been in flight for %s%s and none completed; %s hangs in state D "
			"(%.2f s/s).",
			disk, d->in_flight, d->stuck >= window * 0.95 ? "at least " : "", age, who,
			victims->total);
	finding_evidence(f, "age of the oldest request, at least", d->stuck, "s", r->floor,
			 "proc/diskstats");
	finding_evidence(f, "disk.in_flight", d->in_flight, "requests", 1, "proc/diskstats");
	finding_evidence(f, "operations completed meanwhile", 0, "1/s", NAN, "proc/diskstats");
	finding_evidence(f, "blocked threads", victims->total, "s/s", r->warn, "state samples");
	finding_evidence(f, "psi.io.some", system_rate(v->window, M_PSI_IO_SOME), "s/s", NAN,
			 "proc/pressure/io");
	finding_symptom(f, "%s is %.0f %% busy at 0 operations/s", d->name,
			fmin(100, 100 * d->busy));
	finding_symptom(f, "load average %.1f", system_value(v->window, M_LOAD1));
	if (d->suspended)
		finding_next(f, "dmsetup info %s; dmsetup resume %s   # if nobody is about to",
			     d->alias, d->alias);
	next_commands(f, d);
	if (f->nvictims)
		finding_next(f, "cat /proc/%lld/stack; grep -H State /proc/%lld/task/*/status",
			     (long long)f->victims[0].pid, (long long)f->victims[0].pid);
}

void check_hung_io(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct disk_loads l;

	disk_loads_init(&l, v);
	for (size_t i = 0; i < l.n; i++) {
		const struct disk_load *d = &l.list[i];
		struct ranking victims;

		if (d->explained || d->stuck < r->floor)
			continue;
		disk_victims(&l, i, any_block, sizeof(any_block) / sizeof(*any_block), &victims);
		/* a counter of requests that was never taken back has nobody who waits */
		if (victims.total >= r->warn || system_rate(v->window, M_PSI_IO_SOME) >= PSI_LEAST)
			report_hung(r, v, fs, d, &victims);
	}
	disk_loads_done(&l);
}
