/* SPDX-License-Identifier: Apache-2.0 */
/* Writing that has to wait: for flushes (fsync), for room among the dirty pages, for discards. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "checklist/claims.h"
#include "checklist/disk.h"

#define FLUSH_SHARE   0.05 /* flushes per write: with ordinary writeback there is one in hundreds */
#define DIRTY_WAITS   0.05 /* s/s of one process from which it is named */
#define DISCARD_SHARE 0.3  /* of the device's time */

/* ---- where threads wait ---- */

static bool is_one_of(const char *wchan, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (!strncmp(wchan, *prefixes, strlen(*prefixes)))
			return true;
	return false;
}

static double blocked_time(const struct interval *iv, size_t thread)
{
	static const enum metric_id blocked[] = { M_THREAD_DISK, M_THREAD_D_OTHER, M_THREAD_KLOCK,
						  M_THREAD_WRITEBACK, M_THREAD_FS };
	double sum = 0;

	for (size_t i = 0; i < sizeof(blocked) / sizeof(*blocked); i++) {
		double s = interval_delta(iv, blocked[i], thread);

		sum += s > 0 ? s : 0;
	}
	return sum;
}

double lost_in(const struct view *v, int64_t pid, const char *const *prefixes)
{
	const struct interval *iv = v->window;
	double sum = 0;

	for (size_t t = 0; t < interval_rows(iv, SCOPE_THREAD); t++) {
		double owner = interval_last(iv, M_THREAD_PID, t), blocked;
		const char *wchan;
		size_t p;

		if (isnan(owner) || (pid && whole(owner) != pid))
			continue;
		blocked = blocked_time(iv, t);
		if (!(blocked > 0))
			continue;
		wchan = view_label(v, M_THREAD_WCHAN, interval_row(iv, SCOPE_THREAD, t)->id);
		if (!wchan || !is_one_of(wchan, prefixes))
			continue;
		p = view_process(v, whole(owner));
		if (p == SIZE_MAX || snapshot_value(v->last, M_PROC_KTHREAD, p) != 1)
			sum += blocked;
	}
	return sum / interval_seconds(iv);
}

/* ---- fsync ---- */

static const char *const in_fsync[] = { "submit_bio_wait",
					"blkdev_issue_flush",
					"jbd2_log_wait",
					"__jbd2_log_wait",
					"jbd2_complete_transaction",
					"ext4_sync",
					"ext4_fc_",
					"ext4_force_commit",
					"folio_wait_",
					"wait_on_page",
					"__folio_wait",
					"__filemap_fdatawait",
					"file_write_and_wait",
					"xfs_log_force",
					"xlog_",
					"xfs_file_fsync",
					"btrfs_sync",
					"btrfs_log",
					"wait_log_commit",
					"f2fs_",
					"iomap_dio_complete",
					NULL };

struct sync_case {
	const struct disk_loads *l;
	size_t disk;
};

static double rate_of(const struct view *v, enum metric_id id, struct row_id process)
{
	double x = interval_rate(v->window, id, interval_find(v->window, SCOPE_PROCESS, process));

	return x > 0 ? x : 0;
}

/* Time a process waits in functions that fsync waits in. A process that reads more than it writes waits for reads. */
static double synced(const struct view *v, const struct lost_row *row, const void *arg)
{
	static const enum cause causes[] = { CAUSE_DISK, CAUSE_LOCK, CAUSE_OTHER };
	double lost = lost_to_causes(v, row, causes, 3), in;

	(void)arg;
	if (!(lost > 0) ||
	    rate_of(v, M_PROC_WRITE_BYTES, row->id) <= rate_of(v, M_PROC_READ_BYTES, row->id))
		return 0;
	in = lost_in(v, row->pid, in_fsync);
	/* wait channels may be hidden; then all its waiting for disks has to do */
	if (in == 0)
		return 0;
	return fmin(lost, in);
}

static void report_fsync(const struct rule *r, const struct view *v, struct findings *fs,
			 const struct disk_load *d, const struct ranking *who)
{
	struct finding *f = rule_fire(r, fs);
	char name[96], disk[128], one[32], rate[16], size[16];
	double write_size = d->writes > 0 ? d->write_bytes / d->writes : NAN;

	snprintf(f->instance, sizeof(f->instance), "%s", d->name);
	f->confidence = 0.88;
	f->estimated = true;
	f->impact.lost = who->total;
	finding_offenders(f, v, who, 3, 0.1);
	finding_device(f, d, NAN);
	finding_victims(f, v, who, 4, 0.05);
	finding_summary(
		f,
		"%s forces %s to flush its cache %s times a second (writes of %s, %s per flush) and waits %.2f s/s for it.",
		member_label(name, sizeof(name), &who->top[0]), disk_label(disk, sizeof(disk), d),
		unit_format(rate, sizeof(rate), UNIT_COUNT, 0, d->flushes),
		unit_format(size, sizeof(size), UNIT_BYTES, 0, write_size),
		unit_duration(one, sizeof(one), d->flush_await), who->total);
	finding_evidence(f, "disk.flushes", d->flushes, "1/s", r->floor, "proc/diskstats");
	finding_evidence(f, "disk.flush_await", d->flush_await, "s", NAN, "proc/diskstats");
	finding_evidence(f, "flushes per write", d->flushes / fmax(1, d->writes), "", FLUSH_SHARE,
			 "proc/diskstats");
	finding_evidence(f, "disk.write_size", write_size, "bytes", NAN, "proc/diskstats");
	finding_evidence(f, "blocked in fsync and the journal", who->total, "s/s", r->warn,
			 "state samples");
	finding_evidence(f, "disk.queue", d->queue, "requests", NAN, "proc/diskstats");
	finding_next(f, "strace -f -c -e trace=fsync,fdatasync,sync_file_range,msync -p %lld",
		     (long long)who->top[0].pid);
	finding_next(f, "iostat -xz 1   # f/s, f_await of %s", d->name);
}

void check_fsync_storm(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct disk_loads l;
	struct ranking who;
	bool any = false;

	if (!v->last->tables[SCOPE_DISK].time_ns)
		return;
	disk_loads_init(&l, v);
	for (size_t i = 0; i < l.n; i++)
		any |= l.list[i].flushes >= r->floor;
	if (any)
		rank_lost_by(v, synced, NULL, &who);
	for (size_t i = 0; i < l.n && any; i++) {
		const struct disk_load *d = &l.list[i];

		if (d->explained || d->flushes < r->floor || d->flushes < FLUSH_SHARE * d->writes ||
		    disk_is_slow(d) || who.total < r->warn)
			continue;
		report_fsync(r, v, fs, d, &who);
		break; /* the waits are told by function, not by disk: one finding */
	}
	disk_loads_done(&l);
}

/* ---- dirty throttling ---- */

/* The disk that the writer's pages wait for: of those it has files open on for writing the one that writes with the
 * longest queue; if that is not known, of all. */
static const struct disk_load *written_disk(const struct disk_loads *l, int64_t pid)
{
	const struct disk_load *best = NULL;
	bool best_used = false;

	for (size_t i = 0; i < l->n; i++) {
		const struct disk_load *d = &l->list[i];
		bool used = users_find(view_label(l->v, M_DISK_USERS, d->id), pid, NULL) == 'w';

		if (d->explained || !(d->writes > 0 || d->in_flight > 0) || (best_used && !used))
			continue;
		if (!best || (used && !best_used) || d->weight > best->weight)
			best = d;
		best_used |= used;
	}
	return best;
}

static void dirty_evidence(const struct view *v, struct finding *f, const struct disk_load *d)
{
	double strict = d ? view_last(v, M_DISK_BDI_STRICT, d->id) : NAN,
	       ratio = d ? view_last(v, M_DISK_BDI_RATIO, d->id) : NAN;

	finding_evidence(f, "mem.dirty", system_value(v->window, M_MEM_DIRTY), "bytes", NAN,
			 "proc/vmstat");
	finding_evidence(f, "mem.writeback", system_value(v->window, M_MEM_WRITEBACK), "bytes", NAN,
			 "proc/vmstat");
	finding_evidence(f, "mem.dirty_limit", view_last(v, M_DIRTY_LIMIT, (struct row_id){ 0 }),
			 "bytes", NAN, "proc/vmstat");
	if (strict == 1 || ratio < 1)
		finding_evidence(f, "share of the limit that this device may take", ratio, "", NAN,
				 "sys/block");
	if (!d)
		return;
	finding_evidence(f, "written by the device", d->write_bytes, "bytes/s", NAN,
			 "proc/diskstats");
	finding_evidence(f, "disk.queue", d->queue, "requests", NAN, "proc/diskstats");
	finding_evidence(f, "disk.await", d->await, "s", NAN, "proc/diskstats");
}

void check_writeback(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct ranking who;
	struct disk_loads l;
	const struct disk_load *d;
	struct finding *f;
	char name[96], disk[128] = "the disks", made[16] = "", done[16] = "-";

	rank_lost(v, CAUSE_WRITEBACK, &who);
	if (!who.n || who.total < r->warn)
		return;
	disk_loads_init(&l, v);
	d = written_disk(&l, who.top[0].pid);
	f = rule_fire(r, fs);
	f->estimated = true;
	f->confidence = d ? 0.9 : 0.8;
	f->impact.lost = who.total;
	if (d) {
		snprintf(f->instance, sizeof(f->instance), "%s", d->name);
		disk_label(disk, sizeof(disk), d);
		unit_format(done, sizeof(done), UNIT_BYTES, 1, d->write_bytes);
	}
	finding_offenders(f, v, &who, 3, DIRTY_WAITS);
	if (d)
		finding_device(f, d, NAN);
	finding_victims(f, v, &who, 4, DIRTY_WAITS);
	unit_format(made, sizeof(made), UNIT_BYTES, 1,
		    member_rate(v, &who.top[0], M_PROC_WRITE_BYTES));
	finding_summary(
		f,
		"%s writes faster than %s takes it: the kernel pauses it %.2f s/s until dirty pages are written (%s made, %s written).",
		member_label(name, sizeof(name), &who.top[0]), disk, who.top[0].amount, made, done);
	finding_evidence(f, "thread.wait.writeback", who.total, "s/s", r->warn,
			 "state samples (balance_dirty_pages)");
	dirty_evidence(v, f, d);
	finding_next(
		f,
		"grep -E 'Dirty|Writeback:' /proc/meminfo; sysctl vm.dirty_ratio vm.dirty_background_ratio vm.dirty_bytes");
	finding_next(f, "pidstat -d -p %lld 1", (long long)who.top[0].pid);
	finding_next(f, d ? "iostat -xz 1   # wkB/s, w_await of %s" : "iostat -xz 1",
		     d ? d->name : "");
	disk_loads_done(&l);
}

/* ---- discards ---- */

void check_discard_storm(const struct rule *r, const struct view *v, struct findings *fs)
{
	static const enum cause causes[] = { CAUSE_DISK };
	struct disk_loads l;

	disk_loads_init(&l, v);
	for (size_t i = 0; i < l.n; i++) {
		const struct disk_load *d = &l.list[i];
		double time = interval_rate(v->window, M_DISK_DISCARD_TIME, d->row);
		struct ranking victims;
		struct finding *f;
		char who[96], disk[128];

		if (d->explained || d->discards < r->floor || !(time >= DISCARD_SHARE * d->queue) ||
		    time < DISCARD_SHARE)
			continue;
		disk_victims(&l, i, causes, 1, &victims);
		if (!victims.n || victims.total < r->warn)
			continue;
		f = rule_fire(r, fs);
		snprintf(f->instance, sizeof(f->instance), "%s", d->name);
		f->confidence = 0.75;
		f->estimated = true;
		f->impact.lost = victims.total * fmin(1, time / fmax(d->queue, 1e-9));
		finding_device(f, d, NAN);
		finding_victims(f, v, &victims, 4, 0.05);
		finding_summary(
			f,
			"%s spends %.0f %% of its time on discards (TRIM), %.0f a second; %s waits %.2f s/s.",
			disk_label(disk, sizeof(disk), d), 100 * fmin(1, time / d->queue),
			d->discards, member_label(who, sizeof(who), &victims.top[0]),
			victims.top[0].amount);
		finding_evidence(f, "disk.discards", d->discards, "1/s", r->floor,
				 "proc/diskstats");
		finding_evidence(f, "time of discards", time, "s/s", DISCARD_SHARE,
				 "proc/diskstats");
		finding_next(
			f,
			"grep discard /proc/mounts   # fstrim once a week costs less than the mount option");
	}
	disk_loads_done(&l);
}
