/* SPDX-License-Identifier: Apache-2.0 */
/* Disks that fail: errors in the kernel log, pools without space, arrays without a member, paths that are down. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "checklist/disk.h"
#include "checklist/events.h"

#define DISKS_MAX   16   /* named in one window */
#define FAILED_CRIT 0.05 /* of the disk's operations */
#define ALIKE       2.0  /* a process's and a disk's bytes per second that may be the same I/O */

/* ---- errors ---- */

struct tally {
	char disk[64];
	double failed, resets, before; /* lines in the window, and just before it */
	const char *text, *comm;
	int64_t pid;
};

static struct tally *tally_of(struct tally *list, size_t *n, const char *disk)
{
	for (size_t i = 0; i < *n; i++)
		if (!strcmp(list[i].disk, disk))
			return &list[i];
	if (*n == DISKS_MAX)
		return NULL;
	list[*n] = (struct tally){ .text = "", .comm = "" };
	snprintf(list[*n].disk, sizeof(list[*n].disk), "%s", disk);
	return &list[(*n)++];
}

/* Lines that a program wrote to the log say that it wrote them: they are judged by kernel.log_errors. */
static bool is_disk_error(const struct event_row *e)
{
	return e->kernel && (e->kind == EVENT_IO_ERROR || e->kind == EVENT_ATA_RESET ||
			     e->kind == EVENT_SCSI_RESET || e->kind == EVENT_NVME_RESET);
}

static size_t count_errors(const struct view *v, struct tally *list)
{
	size_t n = 0;

	for (size_t row = 0; row < event_count(v); row++) {
		struct event_row e;
		struct tally *t;
		char disk[64];

		if (!event_at(v, row, &e) || !is_disk_error(&e))
			continue;
		event_disk(v, e.device, disk, sizeof(disk));
		t = tally_of(list, &n, disk);
		if (!t)
			continue;
		if (!e.live)
			t->before++;
		else if (e.kind == EVENT_IO_ERROR)
			t->failed++;
		else
			t->resets++;
		t->text = e.text;
		if (*e.comm) {
			t->comm = e.comm;
			t->pid = e.pid;
		}
	}
	return n;
}

static size_t load_of(const struct disk_loads *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->list[i].name, name))
			return i;
	return SIZE_MAX;
}

static double io_of(const struct interval *iv, size_t row)
{
	double r = interval_rate(iv, M_PROC_READ_BYTES, row),
	       w = interval_rate(iv, M_PROC_WRITE_BYTES, row);

	return (r > 0 ? r : 0) + (w > 0 ? w : 0);
}

/* The process whose I/O is as much as the disk's, when open files were not looked at. NULL: several, or none. */
static size_t alike(const struct view *v, const struct disk_load *d)
{
	double bytes = d->read_bytes + d->write_bytes, best = INFINITY;
	size_t found = SIZE_MAX;

	for (size_t p = 0; p < interval_rows(v->window, SCOPE_PROCESS) && bytes > 0; p++) {
		double ratio = io_of(v->window, p) / bytes, off = fmax(ratio, 1 / ratio);

		if (ratio > 0 && off < ALIKE && off < best) {
			best = off;
			found = p;
		}
	}
	return found;
}

static void name_victims(const struct view *v, struct finding *f, const struct disk_loads *l,
			 size_t at, const struct tally *t)
{
	struct ranking users;
	size_t p;

	if (*t->comm)
		finding_victim(f, PARTY_PROCESS, t->comm, t->pid, NAN);
	if (at == SIZE_MAX)
		return;
	disk_users(l, at, &users);
	if (disk_users_known(l, &users)) {
		for (size_t i = 0; i < users.n && i < 3; i++)
			finding_victim(f, PARTY_PROCESS, users.top[i].name, users.top[i].pid, NAN);
		return;
	}
	p = alike(v, &l->list[at]);
	if (p != SIZE_MAX)
		finding_victim(f, PARTY_PROCESS, interval_name(v->window, SCOPE_PROCESS, p),
			       (int64_t)interval_row(v->window, SCOPE_PROCESS, p)->id.key, NAN);
}

static void report_errors(const struct rule *r, const struct view *v, struct findings *fs,
			  const struct disk_loads *l, const struct tally *t)
{
	struct finding *f = rule_fire(r, fs);
	size_t at = load_of(l, t->disk);
	double seconds = interval_seconds(v->window),
	       iops = at == SIZE_MAX ? NAN : l->list[at].iops;
	double now = t->failed + t->resets;
	char who[96] = "", label[160];

	snprintf(f->instance, sizeof(f->instance), "%s", t->disk);
	f->confidence = 0.95;
	f->impact.failed = t->failed > 0 ? t->failed / seconds : NAN;
	if (now == 0)
		f->severity = SEV_INFO; /* over, as far as the log knows */
	else if (t->failed / seconds >= FAILED_CRIT * iops)
		f->severity = SEV_CRIT;
	finding_offender(f, PARTY_DEVICE, *t->disk ? t->disk : "an unnamed device", 0, 1);
	name_victims(v, f, l, at, t);
	if (f->nvictims)
		process_label(who, sizeof(who), f->victims[0].name, f->victims[0].pid);
	if (at != SIZE_MAX)
		disk_label(label, sizeof(label), &l->list[at]);
	else
		snprintf(label, sizeof(label), "%s", *t->disk ? t->disk : "A device");
	if (now == 0)
		finding_summary(
			f,
			"%s had %.0f I/O errors in the minute before, and none since: \"%.120s\".",
			label, t->before, t->text);
	else if (t->failed > 0)
		finding_summary(
			f,
			"%s fails: at least %.0f operations ended in an I/O error in %.0f s%s%s%s: \"%.120s\".",
			label, t->failed, seconds, *who ? " (" : "", who, *who ? " uses it)" : "",
			t->text);
	else
		finding_summary(f, "%s was reset or timed out %.0f times in %.0f s: \"%.120s\".",
				label, t->resets, seconds, t->text);
	finding_evidence(f, "I/O errors in the window (the kernel logs only some of many)",
			 t->failed, "lines", r->floor, "dev/kmsg");
	finding_evidence(f, "resets and timeouts in the window", t->resets, "lines", NAN,
			 "dev/kmsg");
	finding_evidence(f, "in the minute before", t->before, "lines", NAN, "dev/kmsg");
	finding_evidence(f, "disk.iops", iops, "1/s", NAN, "proc/diskstats");
	if (at != SIZE_MAX)
		finding_evidence(f, "disk.io_errors",
				 interval_delta(v->window, M_DISK_IO_ERRORS, l->list[at].row), "",
				 NAN, "sys/block");
	finding_next(f, "dmesg -T --level=err,crit | grep -w %.60s | tail",
		     *t->disk ? t->disk : "error");
	if (*t->disk)
		finding_next(
			f,
			"smartctl -a /dev/%.60s   # or the storage below it: lsblk -s /dev/%.60s",
			t->disk, t->disk);
}

void check_io_errors(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct tally list[DISKS_MAX];
	struct disk_loads l;
	const char *why;
	size_t n;

	if (!events_known(v, &why)) {
		rule_unknown(r, fs, "the kernel log cannot be read (%s)", why);
		return;
	}
	n = count_errors(v, list);
	disk_loads_init(&l, v);
	for (size_t i = 0; i < n; i++)
		report_errors(r, v, fs, &l, &list[i]);
	disk_loads_done(&l);
}

/* ---- thin pools ---- */

void check_thin_full(const struct rule *r, const struct view *v, struct findings *fs)
{
	static const enum cause waits[] = { CAUSE_DISK, CAUSE_WRITEBACK };
	const char *why;
	struct event_row newest = { 0 };
	double lines = 0;
	struct ranking victims;
	struct disk_loads l;
	struct finding *f;
	char disk[64];
	size_t at;

	if (!events_known(v, &why)) {
		rule_unknown(r, fs, "the kernel log cannot be read (%s)", why);
		return;
	}
	for (size_t row = 0; row < event_count(v); row++) {
		struct event_row e;

		if (!event_at(v, row, &e) || e.kind != EVENT_THIN_FULL || !e.kernel)
			continue;
		newest = e;
		lines++;
	}
	if (lines < r->floor)
		return;
	event_disk(v, newest.device, disk, sizeof(disk));
	f = rule_fire(r, fs);
	snprintf(f->instance, sizeof(f->instance), "%s", disk);
	f->severity = newest.live ? SEV_CRIT : SEV_WARN;
	f->confidence = 0.9;
	finding_offender(f, PARTY_DEVICE, *disk ? disk : "thin pool", 0, 1);
	disk_loads_init(&l, v);
	at = load_of(&l, disk);
	if (at != SIZE_MAX) {
		disk_victims(&l, at, waits, 2, &victims);
		finding_victims(f, v, &victims, 3, 0.05);
		f->impact.lost = victims.total > 0 ? victims.total : NAN;
	}
	disk_loads_done(&l);
	finding_summary(f, "The thin pool %s has no space left%s: \"%.160s\".", disk,
			f->nvictims ? " and its users wait" : "", newest.text);
	finding_evidence(f, "lines about lack of space", lines, "lines", r->floor, "dev/kmsg");
	finding_next(f, "lvs -o+data_percent,metadata_percent; dmsetup status");
	finding_next(f, "lvextend -L +10G VG/POOL   # or fstrim what is mounted from it");
}

/* ---- arrays ---- */

static bool event_about(const struct view *v, enum event_kind kind, const char *disk, bool *live)
{
	bool found = false;

	*live = false;
	for (size_t row = 0; row < event_count(v); row++) {
		struct event_row e;

		if (!event_at(v, row, &e) || e.kind != kind || !e.kernel ||
		    (*e.device && strcmp(e.device, disk)))
			continue;
		found = true;
		*live |= e.live;
	}
	return found;
}

static void report_raid(const struct rule *r, const struct view *v, struct findings *fs, size_t row,
			double missing)
{
	const char *disk = snapshot_name(v->last, SCOPE_DISK, row),
		   *action = snapshot_text(v->last, M_MD_ACTION, row);
	double all = snapshot_value(v->last, M_MD_DISKS, row);
	double before = snapshot_value(v->first, M_MD_DEGRADED,
				       snapshot_find(v->first, SCOPE_DISK,
						     snapshot_id(v->last, SCOPE_DISK, row)));
	bool live, logged = event_about(v, EVENT_MD_DEGRADED, disk, &live),
		   fresh = missing > before || (logged && live);
	bool rebuilds = action && (!strcmp(action, "recover") || !strcmp(action, "resync") ||
				   !strcmp(action, "reshape"));
	struct finding *f = rule_fire(r, fs);

	snprintf(f->instance, sizeof(f->instance), "%s", disk);
	f->severity = fresh ? SEV_WARN : SEV_INFO;
	f->confidence = 0.97;
	finding_offender(f, PARTY_DEVICE, disk, 0, 1);
	finding_summary(f, "The array %s lacks %.0f of %.0f members%s%s: it has %s.", disk, missing,
			all, fresh ? ", since a moment ago" : "",
			rebuilds ? " and is being rebuilt" : "",
			rebuilds ? "less speed until that is done" : "no redundancy or less of it");
	finding_evidence(f, "md.degraded", missing, "members", r->floor, "sys/block");
	finding_evidence(f, "md.degraded when the window opened", before, "members", NAN,
			 "sys/block");
	finding_next(f, "cat /proc/mdstat; mdadm --detail /dev/%s", disk);
}

void check_raid_degraded(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_DISK); row++) {
		double missing = snapshot_value(v->last, M_MD_DEGRADED, row);
		const char *state = snapshot_text(v->last, M_DISK_STATE, row);

		if (missing >= r->floor && state && strcmp(state, "clear") &&
		    strcmp(state, "inactive"))
			report_raid(r, v, fs, row, missing);
	}
}

/* ---- paths ---- */

static unsigned count_down(const char *paths, unsigned *all, char *one, size_t size)
{
	struct text rest = text_of(paths ? paths : ""), line, name;
	unsigned down = 0;

	*all = 0;
	one[0] = '\0';
	while (text_line(&rest, &line)) {
		if (!text_until(&line, ' ', &name))
			continue;
		++*all;
		if (text_eq(line, "live"))
			continue;
		down++;
		snprintf(one, size, "%.*s is %.*s", (int)text_len(name), name.p,
			 (int)text_len(line), line.p);
	}
	return down;
}

static bool is_offline(const char *state)
{
	return state && (!strcmp(state, "offline") || !strcmp(state, "transport-offline") ||
			 !strcmp(state, "dead"));
}

struct path_case {
	const char *disk;
	char what[96]; /* "nvme1 is connecting" */
	unsigned down, all;
	bool fresh;   /* since the window opened */
	bool offline; /* the device has no other way */
};

static void report_path(const struct rule *r, struct findings *fs, const struct path_case *c)
{
	struct finding *f = rule_fire(r, fs);

	snprintf(f->instance, sizeof(f->instance), "%s", c->disk);
	f->severity = c->fresh ? SEV_WARN : SEV_INFO;
	f->confidence = 0.9;
	finding_offender(f, PARTY_DEVICE, c->disk, 0, 1);
	if (c->offline) {
		finding_summary(f, "%s is off line%s: %s.", c->disk,
				c->fresh ? " since a moment ago" : "", c->what);
	} else if (c->down == c->all) {
		f->severity = SEV_CRIT;
		finding_summary(f, "%s cannot be reached: %u of %u paths are down (%s).", c->disk,
				c->down, c->all, c->what);
	} else {
		finding_summary(f, "%s has lost %u of %u paths (%s); its I/O goes over the others.",
				c->disk, c->down, c->all, c->what);
	}
	finding_evidence(f, "paths down", c->down, "paths", r->floor, "sys/block");
	finding_next(f, "multipath -ll; nvme list-subsys; lsblk -s /dev/%s", c->disk);
}

void check_path_down(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_DISK); row++) {
		size_t before =
			snapshot_find(v->first, SCOPE_DISK, snapshot_id(v->last, SCOPE_DISK, row));
		const char *state = snapshot_text(v->last, M_DISK_STATE, row);
		struct path_case c = { .disk = snapshot_name(v->last, SCOPE_DISK, row) };
		char old[96];
		unsigned all_before;
		bool live;

		c.down = count_down(snapshot_text(v->last, M_DISK_PATHS, row), &c.all, c.what,
				    sizeof(c.what));
		if (c.down >= r->floor) {
			c.fresh = (event_about(v, EVENT_PATH_DOWN, c.disk, &live) && live) ||
				  c.down > count_down(snapshot_text(v->first, M_DISK_PATHS, before),
						      &all_before, old, sizeof(old));
			report_path(r, fs, &c);
		} else if (is_offline(state)) {
			c.offline = true;
			c.down = c.all = 1;
			c.fresh = !is_offline(snapshot_text(v->first, M_DISK_STATE, before));
			snprintf(c.what, sizeof(c.what), "its state is %.40s", state);
			report_path(r, fs, &c);
		}
	}
}
