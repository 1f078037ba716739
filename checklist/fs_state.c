/* SPDX-License-Identifier: Apache-2.0 */
/* File systems that changed their state (read-only, frozen, not answering), and those whose names and inodes are what
 * threads wait for. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/cgroup.h"
#include "checklist/disk.h"
#include "checklist/events.h"
#include "checklist/fs.h"
#include "checklist/parties.h"

/* ---- read-only ---- */

/* The newest line of the log about a file system of this disk or partition. */
static bool logged(const struct view *v, const struct fs_view *at, enum event_kind kind,
		   struct event_row *out)
{
	const char *slash = strrchr(at->source, '/');
	const char *device = slash ? slash + 1 : at->source;
	bool found = false;

	for (size_t row = 0; row < event_count(v); row++) {
		struct event_row e;
		char disk[64];

		if (!event_at(v, row, &e) || e.kind != kind || !*e.device)
			continue;
		event_disk(v, e.device, disk, sizeof(disk));
		if (strcmp(e.device, device) && (!*at->disk || strcmp(disk, at->disk)))
			continue;
		*out = e;
		found = true;
	}
	return found;
}

struct ro_case {
	bool kernel;            /* the kernel did it, after an error */
	bool now;               /* in the window */
	struct event_row event; /* kind EVENT_NONE: none */
	double errors;          /* that the file system has noted */
};

static bool look_at_ro(const struct view *v, const struct fs_view *at, struct ro_case *c)
{
	double before =
		snapshot_value(v->first, M_FS_READONLY, snapshot_find(v->first, SCOPE_FS, at->id));
	double last = snapshot_value(v->last, M_FS_ERROR_TIME, at->row),
	       boot = (double)v->host->boot_wall_ns * 1e-9;

	*c = (struct ro_case){ .errors = snapshot_value(v->last, M_FS_ERRORS, at->row),
			       .event = { .text = "", .comm = "" } };
	c->now = at->readonly > 0 && before == 0;
	if (!logged(v, at, EVENT_FS_READONLY, &c->event) &&
	    !logged(v, at, EVENT_FS_ERROR, &c->event))
		c->event.kind = EVENT_NONE;
	if (c->event.kind == EVENT_FS_READONLY)
		c->now |= c->event.live;
	/* XFS that shut down still says rw: there the log tells, of what happened in the window only (a line of before may
	 * be about another device that had this name) */
	c->kernel = at->readonly == 2 ||
		    (c->event.kind == EVENT_FS_READONLY && (c->event.live || at->readonly == 1)) ||
		    (at->readonly == 1 && c->errors > 0 && last > boot);
	return c->kernel || c->now;
}

static void report_ro(const struct rule *r, const struct view *v, struct findings *fs,
		      const struct fs_view *at, const struct ro_case *c)
{
	struct fs_user users[FS_USERS_MAX];
	size_t n = fs_users(v, at, users, FS_USERS_MAX);
	struct finding *f = rule_fire(r, fs);
	char who[96] = "";

	snprintf(f->instance, sizeof(f->instance), "%s", at->point);
	f->severity = c->kernel ? SEV_CRIT : SEV_INFO;
	f->confidence = c->kernel ? 0.95 : 0.9;
	if (*at->disk)
		finding_offender(f, PARTY_DEVICE, at->disk, 0, NAN);
	finding_offender(f, PARTY_FILESYSTEM, at->point, 0, NAN);
	if (*c->event.comm)
		finding_victim(f, PARTY_PROCESS, c->event.comm, c->event.pid, NAN);
	for (size_t i = 0; i < n && f->nvictims < 4; i++)
		if (users[i].use != 'r')
			finding_victim(f, PARTY_PROCESS, users[i].comm, users[i].pid, NAN);
	if (f->nvictims)
		process_label(who, sizeof(who), f->victims[0].name, f->victims[0].pid);
	if (c->kernel)
		finding_summary(
			f,
			"%.140s (%.60s on %s) was made read-only by the kernel after an error%s%s%s: all writes fail%s%.100s%s.",
			at->point, at->type, *at->source ? at->source : at->disk,
			c->now ? " in the window" : "", *who ? "; writes there: " : "", who,
			*c->event.text ? " (\"" : "", c->event.text, *c->event.text ? "\")" : "");
	else
		finding_summary(
			f,
			"%.140s was mounted read-only in the window, without an error that the kernel has noted.",
			at->point);
	finding_evidence(f, "fs.readonly", at->readonly, "", 0, "proc/self/mountinfo");
	finding_evidence(f, "fs.errors", c->errors, "errors", 0, "sys/fs");
	if (c->event.kind != EVENT_NONE)
		finding_evidence(f, "age of the line in the log", c->event.age, "s", NAN,
				 "dev/kmsg");
	finding_next(f, "dmesg -T | grep -E 'EXT4|XFS|BTRFS|I/O error|read-only' | tail");
	finding_next(f, "umount '%.120s' && fsck %.60s   # after the device is well", at->point,
		     at->source);
}

void check_readonly(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_FS); row++) {
		struct fs_view at;
		struct ro_case c;

		if (fs_at(v, row, &at) && look_at_ro(v, &at, &c))
			report_ro(r, v, fs, &at, &c);
	}
}

/* ---- who waits where ---- */

struct places {
	const char *const *prefixes;
};

static double lost_there(const struct view *v, const struct lost_row *row, const void *arg)
{
	static const enum cause blocked[] = { CAUSE_DISK, CAUSE_LOCK, CAUSE_OTHER,
					      CAUSE_WRITEBACK };
	const struct places *p = arg;
	double lost = lost_to_causes(v, row, blocked, 4);

	return lost > 0 ? fmin(lost, lost_in(v, row->pid, p->prefixes)) : 0;
}

static void rank_waiting(const struct view *v, const char *const *prefixes, struct ranking *out)
{
	struct places p = { prefixes };

	rank_lost_by(v, lost_there, &p, out);
}

/* The file system that the first of them has files open on, if open files were looked at; of `type` if not NULL. */
static bool fs_of_waiters(const struct view *v, const struct ranking *who, const char *const *types,
			  struct fs_view *out)
{
	size_t only = SIZE_MAX, matching = 0;

	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_FS); row++) {
		const char *users = snapshot_text(v->last, M_FS_USERS, row);
		bool match = !types;

		if (!fs_at(v, row, out))
			continue;
		for (const char *const *t = types; t && *t && !match; t++)
			match = !strncmp(out->type, *t, strlen(*t));
		if (!match)
			continue;
		only = row;
		matching++;
		for (size_t i = 0; users && i < who->n; i++)
			if (users_find(users, who->top[i].pid, NULL))
				return true;
	}
	return types && matching == 1 && fs_at(v, only, out);
}

/* ---- frozen ---- */

static const char *const in_freeze[] = { "percpu_rwsem_wait", "__percpu_down_read",
					 "sb_start_write", "__sb_start_write", NULL };

/* A frozen file system takes no writes; a per-CPU rwsem guards other things, too (forks while a cgroup moves), but
 * those are held for milliseconds. */
void check_frozen_fs(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct ranking who;
	struct finding *f;
	struct fs_view at;
	bool known;
	char name[96];

	rank_waiting(v, in_freeze, &who);
	if (!who.n || who.total < r->warn)
		return;
	known = fs_of_waiters(v, &who, NULL, &at);
	f = rule_fire(r, fs);
	f->confidence = known ? 0.85 : 0.7;
	f->estimated = true;
	f->impact.lost = who.total;
	if (known) {
		snprintf(f->instance, sizeof(f->instance), "%s", at.point);
		finding_offender(f, PARTY_FILESYSTEM, at.point, 0, NAN);
		if (*at.disk)
			finding_offender(f, PARTY_DEVICE, at.disk, 0, NAN);
	}
	finding_victims(f, v, &who, 4, 0.05);
	finding_summary(
		f,
		"%s%.140s is frozen (fsfreeze, a snapshot that was not finished): %s waits %.2f s/s to write.",
		known ? "" : "A file system", known ? at.point : "",
		member_label(name, sizeof(name), &who.top[0]), who.total);
	finding_evidence(f, "blocked at the gate for writers", who.total, "s/s", r->warn,
			 "state samples (percpu_rwsem_wait)");
	finding_next(f, "cat /proc/%lld/stack   # sb_start_write, mnt_want_write",
		     (long long)who.top[0].pid);
	if (known)
		finding_next(
			f,
			"fsfreeze -u '%.140s'   # when no snapshot is being made; xfs_freeze -u, dmsetup resume",
			at.point);
}

/* ---- not answering ---- */

void check_hung_mount(const struct rule *r, const struct view *v, struct findings *fs)
{
	static const char *const far[] = { "fuse_simple", "__fuse_", "request_wait",      "nfs",
					   "rpc_",        "cifs",    "wait_for_response", "ceph_",
					   "__ceph",      "p9_",     "autofs_",           NULL };
	static const enum cause blocked[] = { CAUSE_DISK, CAUSE_FAULT, CAUSE_OTHER, CAUSE_LOCK,
					      CAUSE_WRITEBACK };
	struct ranking servers, all;

	rank_waiting(v, far, &servers);
	cgroup_rank_lost(v, CGROUP_NONE, blocked, 5, &all);
	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_FS); row++) {
		struct fs_view at;
		struct finding *f;
		double part;
		const char *users = snapshot_text(v->last, M_FS_USERS, row);
		/* of those with files open there every wait counts, of others only that for a server */
		const struct ranking *who = users ? &all : &servers;

		if (!fs_at(v, row, &at) || snapshot_value(v->last, M_FS_HUNG, row) != 1)
			continue;
		part = view_share_at_least(v, M_FS_HUNG, at.id, 0.5);
		if (!(part >= r->floor))
			continue;
		f = rule_fire(r, fs);
		snprintf(f->instance, sizeof(f->instance), "%s", at.point);
		finding_offender(f, PARTY_FILESYSTEM, at.point, 0, 1);
		f->impact.lost = 0;
		for (size_t i = 0; i < who->n && f->nvictims < 4; i++) {
			const struct member *m = &who->top[i];

			if ((users && !users_find(users, m->pid, NULL)) ||
			    view_last(v, M_PROC_KTHREAD, m->id) == 1)
				continue;
			finding_victim(f, PARTY_PROCESS, m->name, m->pid, m->amount);
			f->impact.lost += m->amount;
		}
		f->estimated = true;
		f->confidence = f->nvictims && users ? 0.9 : 0.75;
		if (!(f->impact.lost >= r->warn)) {
			f->severity = SEV_INFO;
			f->impact.lost = NAN;
		}
		finding_summary(
			f,
			"%.140s (%.40s of %.80s) does not answer: statvfs gave nothing within 200 ms in %.0f %% of the seconds%s%s.",
			at.point, at.type, at.source, 100 * part,
			f->nvictims ? ", and hanging there: " : "",
			f->nvictims ? f->victims[0].name : "");
		finding_evidence(f, "seconds without an answer", part, "", r->floor,
				 "statvfs in a child");
		finding_evidence(f, "blocked on it", f->impact.lost, "s/s", r->warn,
				 "state samples");
		finding_next(f, "timeout 2 stat -f '%.140s'; grep -F ' %.100s ' /proc/mounts",
			     at.point, at.point);
		finding_next(f,
			     "umount -l '%.140s'   # lets new users go, those inside keep hanging",
			     at.point);
	}
}

/* ---- slow servers ---- */

static void report_server(const struct rule *r, const struct view *v, struct findings *fs,
			  const char *const *prefixes, const char *const *types, const char *what)
{
	struct ranking who;
	struct finding *f;
	struct fs_view at;
	bool known;
	char name[96];

	rank_waiting(v, prefixes, &who);
	if (!who.n || who.total < r->warn)
		return;
	known = fs_of_waiters(v, &who, types, &at);
	f = rule_fire(r, fs);
	f->confidence = known ? 0.8 : 0.7;
	f->estimated = true;
	f->impact.lost = who.total;
	if (known) {
		snprintf(f->instance, sizeof(f->instance), "%s", at.point);
		finding_offender(f, PARTY_FILESYSTEM, at.point, 0, NAN);
	}
	finding_victims(f, v, &who, 4, 0.05);
	finding_summary(f, "%s waits %.2f s/s for the %s%s%.140s.",
			member_label(name, sizeof(name), &who.top[0]), who.total, what,
			known ? " behind " : "", known ? at.point : "");
	finding_evidence(f, "blocked on the server", who.total, "s/s", r->warn,
			 "state samples (wait channel)");
	finding_next(f, "cat /proc/%lld/stack", (long long)who.top[0].pid);
	if (types[0][0] == 'n')
		finding_next(f, "nfsiostat 1 3; nfsstat -c");
}

void check_fuse_slow(const struct rule *r, const struct view *v, struct findings *fs)
{
	static const char *const waits[] = { "request_wait_answer", "fuse_simple", "__fuse_",
					     "fuse_get_req",        "fuse_wait",   NULL };
	static const char *const types[] = { "fuse", NULL };

	report_server(r, v, fs, waits, types, "server process of a FUSE file system");
}

void check_nfs_slow(const struct rule *r, const struct view *v, struct findings *fs)
{
	static const char *const waits[] = {
		"nfs", "rpc_", "__rpc", "cifs_", "wait_for_response", "ceph_", "__ceph", "p9_", NULL
	};
	static const char *const types[] = { "nfs", "cifs", "smb", "ceph", "9p", NULL };

	report_server(r, v, fs, waits, types, "server of a network file system");
}

/* ---- names and inodes ---- */

static const char *const in_names[] = { "do_unlinkat",
					"do_rmdir",
					"do_renameat",
					"lock_rename",
					"filename_",
					"open_last_lookups",
					"path_openat",
					"lookup_",
					"walk_component",
					"iterate_dir",
					"vfs_",
					"start_this_handle",
					"wait_transaction_locked",
					"add_transaction_credits",
					"do_get_write_access",
					"jbd2__journal",
					"xfs_ilock",
					"xfs_trans",
					"xlog_grant",
					"xfs_log_reserve",
					"btrfs_tree",
					"__btrfs_tree",
					"btrfs_commit_transaction",
					"wait_current_trans",
					NULL };

static const char *const in_journal[] = {
	"jbd2_",      "xlog_",      "xfsaild",     "btrfs_commit", "wait_on_page",
	"folio_wait", "submit_bio", "io_schedule", "blkdev_issue", NULL
};

/* Time that the journals' own threads were not asleep waiting for work. They are told by where they wait. */
static double journal_busy(const struct view *v)
{
	static const char *const waits[] = { "jbd2_", "kjournald2", "xlog_", "xfsaild", NULL };
	const struct interval *iv = v->window;
	double sum = 0;

	for (size_t t = 0; t < interval_rows(iv, SCOPE_THREAD); t++) {
		const char *wchan =
			view_label(v, M_THREAD_WCHAN, interval_row(iv, SCOPE_THREAD, t)->id);
		double disk = interval_rate(iv, M_THREAD_DISK, t),
		       run = interval_rate(iv, M_THREAD_RUN, t);
		double owner = interval_last(iv, M_THREAD_PID, t);
		size_t p = isnan(owner) ? SIZE_MAX : view_process(v, whole(owner));
		bool journal = false;

		if (p == SIZE_MAX || !wchan || snapshot_value(v->last, M_PROC_KTHREAD, p) != 1)
			continue;
		for (const char *const *w = waits; *w && !journal; w++)
			journal = !strncmp(wchan, *w, strlen(*w));
		if (journal)
			sum += (disk > 0 ? disk : 0) + (run > 0 ? run : 0);
	}
	return sum;
}

/* Files made or removed per second, the net of it: free inodes move. */
static double inode_churn(const struct view *v, const struct fs_view *at)
{
	double sum = 0, before = NAN;

	for (size_t i = 0; i < v->nseconds; i++) {
		double now = interval_last(v->seconds[i], M_FS_INODES_FREE,
					   interval_find(v->seconds[i], SCOPE_FS, at->id));

		if (!isnan(now) && !isnan(before))
			sum += fabs(now - before);
		before = now;
	}
	return sum / interval_seconds(v->window);
}

/* The disk that takes most writes and flushes; a device above it that makes up half of them is nearer to the file
 * system. */
static const struct disk_load *journal_disk(const struct disk_loads *l)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].writes + l->list[i].flushes > 0 &&
		    (best == SIZE_MAX || l->list[i].writes + l->list[i].flushes >
						 l->list[best].writes + l->list[best].flushes))
			best = i;
	for (size_t i = 0; i < l->n && best != SIZE_MAX; i++)
		for (size_t k = 0; k < l->list[i].nlower; k++)
			if (l->list[i].lower[k] == best &&
			    l->list[i].writes + l->list[i].flushes >=
				    0.5 * (l->list[best].writes + l->list[best].flushes)) {
				best = i;
				break;
			}
	return best == SIZE_MAX ? NULL : &l->list[best];
}

static bool fs_on_disk(const struct view *v, const char *disk, struct fs_view *out)
{
	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_FS); row++)
		if (fs_at(v, row, out) && !strcmp(out->disk, disk))
			return true;
	return false;
}

void check_metadata(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct ranking names, journal;
	struct disk_loads l;
	const struct disk_load *d;
	struct finding *f;
	struct fs_view at;
	double lost, busy;
	bool known;
	char who[96];

	rank_waiting(v, in_names, &names);
	if (!names.n || names.total < r->warn)
		return;
	rank_waiting(v, in_journal, &journal);
	busy = journal_busy(v);
	disk_loads_init(&l, v);
	d = journal_disk(&l);
	/* files are open for moments only: the disk tells more than open files do */
	known = d ? fs_on_disk(v, d->name, &at) : fs_of_waiters(v, &names, NULL, &at);
	lost = names.total + (ranking_find(&journal, v, names.top[0].pid)
				      ? ranking_find(&journal, v, names.top[0].pid)->amount
				      : 0);
	f = rule_fire(r, fs);
	f->confidence = (busy >= 0.1 || (d && d->flushes >= 20)) ? 0.88 : 0.7;
	f->estimated = true;
	f->impact.lost = lost;
	finding_offenders(f, v, &names, 3, 0.1);
	if (known)
		finding_offender(f, PARTY_FILESYSTEM, at.point, 0, NAN);
	if (d) {
		snprintf(f->instance, sizeof(f->instance), "%s", d->name);
		finding_device(f, d, NAN);
	}
	finding_victims(f, v, &names, 4, 0.05);
	finding_summary(
		f,
		"%s makes, removes and looks up files faster than the file system%s%.100s keeps up: its threads wait %.2f s/s for "
		"directories and the journal%s%s.",
		member_label(who, sizeof(who), &names.top[0]), known ? " " : "",
		known ? at.point : "", lost, d ? " on " : "", d ? d->name : "");
	finding_evidence(f, "blocked on directories and the journal", names.total, "s/s", r->warn,
			 "state samples (wait channel)");
	finding_evidence(f, "journal threads busy", busy, "s/s", NAN, "state samples");
	if (d) {
		finding_evidence(f, "disk.writes", d->writes, "1/s", NAN, "proc/diskstats");
		finding_evidence(f, "disk.flushes", d->flushes, "1/s", NAN, "proc/diskstats");
		finding_evidence(f, "disk.write_size",
				 d->writes > 0 ? d->write_bytes / d->writes : NAN, "bytes", NAN,
				 "proc/diskstats");
	}
	if (known)
		finding_evidence(f, "inodes made or freed", inode_churn(v, &at), "1/s", NAN,
				 "statvfs");
	finding_next(f, "strace -f -c -p %lld   # openat, unlink, rename, mkdir",
		     (long long)names.top[0].pid);
	finding_next(f, "grep -E 'dirsync|sync|data=journal|commit=' /proc/mounts");
	disk_loads_done(&l);
}
