/* SPDX-License-Identifier: Apache-2.0 */
/* File systems that are full, or will be.
 *
 * A full file system hurts nobody until somebody writes to it, and ENOSPC itself cannot be seen from /proc. What can be
 * seen: a process that has files open there for writing and whose write calls write nothing (calls are counted whether
 * they succeed or not, bytes only when they do), free space that reached its end in the window, growth that stopped. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "checklist/fs.h"
#include "checklist/parties.h"

#define FULL_SHARE    0.001 /* of the size that is left */
#define FULL_BYTES    (256 << 20)
#define FAILING_CALLS 1.0 /* per second */
#define FAILING_BYTES 4.0 /* per call: an eventfd takes 8 at a time, a call that fails 0 */
#define SEEN_OFTEN    2   /* looks in which a writer was seen */
#define STEADY        0.7 /* of the seconds in which space shrank */
#define SOON          3600.0
#define VERY_SOON     600.0
#define AT_ONCE       60.0
#define USED_MUCH     0.8
#define USED_HALF     0.5
#define GREW_MUCH     0.01 /* of the size, in the window */
#define DELETED_SHARE 0.05
#define DELETED_BYTES (16 << 20)
#define SHORT_OF_ROOM 0.1

/* ---- rows ---- */

static const char *label(const struct view *v, enum metric_id id, size_t row)
{
	const char *s = snapshot_text(v->last, id, row);

	return s ? s : "";
}

static bool is_image(const char *type)
{
	static const char *const images[] = { "squashfs", "iso9660", "erofs",
					      "cramfs",   "romfs",   "udf" };

	for (size_t i = 0; i < sizeof(images) / sizeof(*images); i++)
		if (!strcmp(type, images[i]))
			return true;
	return false;
}

bool fs_at(const struct view *v, size_t row, struct fs_view *out)
{
	size_t first;

	*out = (struct fs_view){ .row = row, .id = snapshot_id(v->last, SCOPE_FS, row) };
	first = snapshot_find(v->first, SCOPE_FS, out->id);
	out->point = snapshot_name(v->last, SCOPE_FS, row);
	out->type = label(v, M_FS_TYPE, row);
	out->source = label(v, M_FS_SOURCE, row);
	out->disk = label(v, M_FS_DISK, row);
	out->size = snapshot_value(v->last, M_FS_SIZE, row);
	out->free = snapshot_value(v->last, M_FS_FREE, row);
	out->available = snapshot_value(v->last, M_FS_AVAILABLE, row);
	out->inodes = snapshot_value(v->last, M_FS_INODES, row);
	out->inodes_free = snapshot_value(v->last, M_FS_INODES_FREE, row);
	out->first_available = snapshot_value(v->first, M_FS_AVAILABLE, first);
	out->first_inodes_free = snapshot_value(v->first, M_FS_INODES_FREE, first);
	out->readonly = snapshot_value(v->last, M_FS_READONLY, row);
	out->writable = out->readonly == 0 && !is_image(out->type);
	out->own = out->size > 0 && !snapshot_text(v->last, M_FS_LAYER_OF, row);
	return *out->type != '\0';
}

static double rate(const struct view *v, enum metric_id id, struct row_id process)
{
	double x = interval_rate(v->window, id, interval_find(v->window, SCOPE_PROCESS, process));

	return x > 0 ? x : 0;
}

size_t fs_users(const struct view *v, const struct fs_view *fs, struct fs_user *out, size_t max)
{
	struct text rest = text_of(label(v, M_FS_USERS, fs->row)), word, pid, use;
	size_t n = 0;
	uint64_t p, times;

	while (n < max && text_word(&rest, &word)) {
		struct fs_user *u = &out[n];
		size_t row;

		if (!text_until(&word, ':', &pid) || !text_until(&word, ':', &use) ||
		    !text_is_u64(pid, &p) || !text_len(use))
			continue;
		row = view_process(v, (int64_t)p);
		if (row == SIZE_MAX)
			continue;
		*u = (struct fs_user){ .pid = (int64_t)p,
				       .id = snapshot_id(v->last, SCOPE_PROCESS, row),
				       .use = *use.p };
		u->comm = snapshot_name(v->last, SCOPE_PROCESS, row);
		u->times = text_is_u64(word, &times) ? (unsigned)times : 1;
		u->calls = rate(v, M_PROC_SYSCW, u->id);
		u->per_call = u->calls > 0 ? rate(v, M_PROC_WCHAR, u->id) / u->calls : 0;
		u->bytes = rate(v, M_PROC_WRITE_BYTES, u->id);
		u->failing = u->use == 'w' && u->calls >= FAILING_CALLS &&
			     u->per_call < FAILING_BYTES;
		n++;
	}
	return n;
}

void fs_offenders(struct finding *f, const struct fs_view *fs, const struct fs_user *users,
		  size_t n)
{
	snprintf(f->instance, sizeof(f->instance), "%s", fs->point);
	finding_offender(f, PARTY_FILESYSTEM, fs->point, 0, NAN);
	for (size_t i = 0; i < n && f->noffenders < 4; i++)
		if (users[i].use == 'w')
			finding_offender(f, PARTY_PROCESS, users[i].comm, users[i].pid, NAN);
	if (*fs->disk)
		finding_offender(f, PARTY_DEVICE, fs->disk, 0, NAN);
}

/* ---- full ---- */

static double full_limit(const struct fs_view *fs)
{
	return fmin(FULL_SHARE * fs->size, FULL_BYTES);
}

static void space_evidence(struct finding *f, const struct fs_view *fs)
{
	finding_evidence(f, "fs.available", fs->available, "bytes", full_limit(fs), "statvfs");
	finding_evidence(f, "fs.available when the window opened", fs->first_available, "bytes",
			 NAN, "statvfs");
	finding_evidence(f, "kept for root", fs->free - fs->available, "bytes", NAN, "statvfs");
	finding_evidence(f, "fs.size", fs->size, "bytes", NAN, "statvfs");
}

static void report_full(const struct rule *r, struct findings *fs, const struct fs_view *at,
			struct fs_user *users, size_t n, bool filled_now)
{
	struct finding *f;
	const struct fs_user *worst = NULL, *writer = NULL;
	double failing = 0;
	char size[16], who[96] = "";

	for (size_t i = 0; i < n; i++) {
		if (users[i].failing) {
			failing += users[i].calls;
			if (!worst || users[i].calls > worst->calls)
				worst = &users[i];
		}
		if (users[i].use == 'w' && users[i].times >= SEEN_OFTEN && !writer)
			writer = &users[i];
	}
	f = rule_fire(r, fs);
	f->estimated = true;
	fs_offenders(f, at, users, n);
	unit_format(size, sizeof(size), UNIT_BYTES, 0, at->size);
	if (worst || writer)
		process_label(who, sizeof(who), worst ? worst->comm : writer->comm,
			      worst ? worst->pid : writer->pid);
	if (failing > 0) {
		f->severity = SEV_CRIT;
		f->confidence = 0.9;
		f->impact.failed = failing;
		finding_summary(
			f, "%.160s (%s, %s) is full: about %.0f write calls/s of %s write nothing.",
			at->point, size, at->type, failing, who);
	} else if (filled_now) {
		f->severity = SEV_CRIT;
		f->confidence = 0.85;
		f->impact.to_limit = 0;
		finding_summary(f, "%.160s (%s, %s) has run full in the window%s%s.", at->point,
				size, at->type, writer ? "; files open there for writing: " : "",
				who);
	} else {
		f->severity = writer ? SEV_WARN : SEV_INFO;
		f->confidence = writer ? 0.6 : 0.9;
		finding_summary(
			f,
			writer ? "%.160s (%s, %s) is full, and %s has files open there for writing; whether its writes fail "
				 "cannot be seen from /proc."
			       : "%.160s (%s, %s) is full; nobody was seen writing there%s.",
			at->point, size, at->type, writer ? who : "");
	}
	for (size_t i = 0; i < n && f->nvictims < 4; i++)
		if (users[i].failing ||
		    (failing == 0 && users[i].use == 'w' && users[i].times >= SEEN_OFTEN))
			finding_victim(f, PARTY_PROCESS, users[i].comm, users[i].pid, NAN);
	space_evidence(f, at);
	if (failing > 0)
		finding_evidence(f, "write calls that write next to nothing", failing, "1/s",
				 FAILING_CALLS, "proc/PID/io");
	finding_next(f, "df -h '%.140s'; du -xh -d2 '%.140s' | sort -h | tail", at->point,
		     at->point);
	finding_next(f, "lsof +L1 '%.140s'   # deleted files that are still open", at->point);
}

static bool is_asked(const struct fs_view *at)
{
	return at->writable && at->own && strcmp(at->type, "tmpfs") && strcmp(at->type, "ramfs");
}

void check_no_space(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_FS); row++) {
		struct fs_user users[FS_USERS_MAX];
		struct fs_view at;
		size_t n;

		if (!fs_at(v, row, &at) || !is_asked(&at) || !(at.available <= full_limit(&at)))
			continue;
		n = fs_users(v, &at, users, FS_USERS_MAX);
		report_full(r, fs, &at, users, n,
			    at.first_available > fmax(full_limit(&at), at.size * r->floor));
	}
}

/* ---- inodes ---- */

void check_no_inodes(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_FS); row++) {
		struct fs_user users[FS_USERS_MAX];
		struct fs_view at;
		struct finding *f;
		char room[16];
		bool now;
		size_t n;

		if (!fs_at(v, row, &at) || !is_asked(&at) || !(at.inodes > 0) ||
		    !(at.inodes_free <= at.inodes * r->floor) || at.inodes_free > 8 ||
		    at.available <= full_limit(&at) || !strncmp(at.type, "fuse", 4) ||
		    !strncmp(at.type, "nfs", 3))
			continue;
		n = fs_users(v, &at, users, FS_USERS_MAX);
		now = at.first_inodes_free > at.inodes_free;
		f = rule_fire(r, fs);
		fs_offenders(f, &at, users, n);
		f->severity = now ? SEV_CRIT : SEV_WARN;
		f->confidence = now || n ? 0.9 : 0.75;
		f->impact.to_limit = now ? 0 : NAN;
		for (size_t i = 0; i < n && i < 3; i++)
			finding_victim(f, PARTY_PROCESS, users[i].comm, users[i].pid, NAN);
		finding_summary(
			f,
			"%.160s has no inodes left (%.0f in use): no file can be made there, though %s are free%s%s.",
			at.point, at.inodes - at.inodes_free,
			unit_format(room, sizeof(room), UNIT_BYTES, 0, at.available),
			n ? "; files are open there by " : "", n ? users[0].comm : "");
		finding_evidence(f, "fs.inodes_free", at.inodes_free, "inodes",
				 at.inodes * r->floor, "statvfs");
		finding_evidence(f, "fs.inodes", at.inodes, "inodes", NAN, "statvfs");
		finding_evidence(f, "fs.inodes_free when the window opened", at.first_inodes_free,
				 "inodes", NAN, "statvfs");
		finding_evidence(f, "fs.available", at.available, "bytes", NAN, "statvfs");
		finding_next(f, "df -i '%.140s'; du --inodes -x -d2 '%.140s' | sort -n | tail",
			     at.point, at.point);
	}
}

/* ---- filling ---- */

/* Share of the seconds in which the gauge went down. */
static double shrinking(const struct view *v, enum metric_id id, struct row_id fs)
{
	double before = NAN;
	size_t known = 0, down = 0;

	for (size_t i = 0; i < v->nseconds; i++) {
		double now = interval_last(v->seconds[i], id,
					   interval_find(v->seconds[i], SCOPE_FS, fs));

		if (!isnan(now) && !isnan(before)) {
			known++;
			down += now < before;
		}
		before = isnan(now) ? before : now;
	}
	return known >= 2 ? (double)down / (double)known : NAN;
}

struct filling {
	double pace, to_full, steady, grew; /* per second; seconds; shares */
	double used;
};

static bool measure(const struct view *v, const struct fs_view *at, enum metric_id id, double first,
		    double now, double all, struct filling *out)
{
	double seconds = interval_seconds(v->window);

	if (!(first > now) || !(all > 0) || seconds <= 0)
		return false;
	out->pace = (first - now) / seconds;
	out->to_full = now / out->pace;
	out->grew = (first - now) / all;
	out->used = 1 - now / all;
	out->steady = shrinking(v, id, at->id);
	return out->steady >= STEADY || isnan(out->steady);
}

static bool is_soon(const struct filling *g)
{
	if (g->to_full < AT_ONCE)
		return true;
	if (g->to_full < VERY_SOON && (g->used >= USED_HALF || g->grew >= GREW_MUCH))
		return true;
	return g->to_full < SOON && g->used >= USED_MUCH;
}

static double writes_of(const struct view *v, size_t row, const void *arg)
{
	double w = interval_rate(v->window, M_PROC_WRITE_BYTES, row),
	       c = interval_rate(v->window, M_PROC_CANCELLED_WRITE, row);
	const struct fs_user *users = arg;
	int64_t pid = (int64_t)interval_row(v->window, SCOPE_PROCESS, row)->id.key;

	for (; users->pid; users++)
		if (users->pid == pid)
			return users->use == 'w' ? w - (c > 0 ? c : 0) : 0;
	return 0;
}

static void report_filling(const struct rule *r, const struct view *v, struct findings *fs,
			   const struct fs_view *at, const struct filling *g, bool inodes)
{
	struct fs_user users[FS_USERS_MAX + 1] = { 0 };
	struct finding *f = rule_fire(r, fs);
	struct ranking writers;
	char left[32], pace[16], room[16], who[96] = "";

	fs_users(v, at, users, FS_USERS_MAX);
	rank_by(v, writes_of, users, &writers);
	snprintf(f->instance, sizeof(f->instance), "%s", at->point);
	f->confidence =
		(isnan(g->steady) ? 0.7 : 0.8 + 0.15 * (g->steady - STEADY) / (1 - STEADY)) *
		(writers.n ? 1 : 0.9);
	f->estimated = true;
	f->impact.to_limit = g->to_full;
	finding_offender(f, PARTY_FILESYSTEM, at->point, 0, NAN);
	finding_offenders(f, v, &writers, 3, 0.1);
	if (*at->disk)
		finding_offender(f, PARTY_DEVICE, at->disk, 0, NAN);
	if (writers.n)
		member_label(who, sizeof(who), &writers.top[0]);
	unit_format(pace, sizeof(pace), inodes ? UNIT_COUNT : UNIT_BYTES, !inodes, g->pace);
	unit_format(room, sizeof(room), inodes ? UNIT_COUNT : UNIT_BYTES, 0,
		    inodes ? at->inodes_free : at->available);
	finding_summary(f, "%.160s will be full in %s: it %s %s%s (%s left)%s%s%s.", at->point,
			unit_duration(left, sizeof(left), g->to_full),
			inodes ? "loses" : "fills at", pace, inodes ? " inodes/s" : "", room,
			*who ? ", and " : "", who, *who ? " writes most there" : "");
	finding_evidence(f, inodes ? "inodes used per second" : "growth", g->pace,
			 inodes ? "1/s" : "bytes/s", NAN, "statvfs");
	finding_evidence(f, inodes ? "fs.inodes_free" : "fs.available",
			 inodes ? at->inodes_free : at->available, inodes ? "inodes" : "bytes", NAN,
			 "statvfs");
	finding_evidence(f, "time to full", g->to_full, "s",
			 g->used >= USED_MUCH ? SOON : VERY_SOON, "statvfs");
	finding_evidence(f, "seconds in which it grew", g->steady, "", STEADY, "statvfs");
	finding_evidence(f, "used", g->used, "", NAN, "statvfs");
	finding_next(
		f, "du -xh -d2 '%.140s' | sort -h | tail; find '%.140s' -xdev -mmin -1 -size +10M",
		at->point, at->point);
	if (writers.n)
		finding_next(f, "ls -l /proc/%lld/fd | grep '%.100s'",
			     (long long)writers.top[0].pid, at->point);
}

void check_filling_up(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_FS); row++) {
		struct filling g;
		struct fs_view at;

		if (!fs_at(v, row, &at) || !is_asked(&at))
			continue;
		if (at.available > full_limit(&at) &&
		    measure(v, &at, M_FS_AVAILABLE, at.first_available, at.available, at.size,
			    &g) &&
		    is_soon(&g))
			report_filling(r, v, fs, &at, &g, false);
		else if (at.inodes_free > 8 &&
			 measure(v, &at, M_FS_INODES_FREE, at.first_inodes_free, at.inodes_free,
				 at.inodes, &g) &&
			 is_soon(&g))
			report_filling(r, v, fs, &at, &g, true);
	}
}

/* ---- deleted files that are open ---- */

struct held_file {
	int64_t pid;
	double bytes;
	struct text path;
};

/* "pid fd bytes path" lines. */
static bool next_held(struct text *rest, struct held_file *h)
{
	struct text line;
	uint64_t pid, fd, bytes;

	while (text_line(rest, &line)) {
		if (!text_u64(&line, &pid) || !text_u64(&line, &fd) || !text_u64(&line, &bytes))
			continue;
		text_skip_blanks(&line);
		*h = (struct held_file){ .pid = (int64_t)pid,
					 .bytes = (double)bytes,
					 .path = line };
		return true;
	}
	return false;
}

static void report_deleted(const struct rule *r, const struct view *v, struct findings *fs,
			   const struct fs_view *at, double bytes)
{
	struct text rest = text_of(label(v, M_FS_DELETED_BY, at->row));
	struct finding *f = rule_fire(r, fs);
	struct held_file h, most = { 0 };
	char who[96] = "somebody", held[16], path[160] = "";

	snprintf(f->instance, sizeof(f->instance), "%s", at->point);
	f->severity = at->available <= full_limit(at) ? SEV_CRIT : SEV_WARN;
	f->confidence = 0.92;
	while (f->noffenders < 4 && next_held(&rest, &h)) {
		size_t p = view_process(v, h.pid);
		const char *comm = p == SIZE_MAX ? "" : snapshot_name(v->last, SCOPE_PROCESS, p);

		finding_offender(f, PARTY_PROCESS, comm, h.pid, bytes > 0 ? h.bytes / bytes : NAN);
		if (most.pid)
			continue;
		most = h;
		process_label(who, sizeof(who), comm, h.pid);
		text_copy(path, sizeof(path), h.path);
	}
	finding_offender(f, PARTY_FILESYSTEM, at->point, 0, NAN);
	finding_summary(
		f,
		"%s holds deleted files open on %.120s: %s (%.0f %% of it) come back only when they are closed, most of it %.120s.",
		who, at->point, unit_format(held, sizeof(held), UNIT_BYTES, 0, bytes),
		100 * bytes / at->size, path);
	finding_evidence(f, "fs.deleted_bytes", bytes, "bytes",
			 fmax(DELETED_BYTES, r->floor * at->size), "proc/PID/fd");
	finding_evidence(f, "fs.available", at->available, "bytes", SHORT_OF_ROOM * at->size,
			 "statvfs");
	finding_next(f, "lsof +L1 '%.140s'", at->point);
	if (most.pid)
		finding_next(
			f,
			"ls -l /proc/%lld/fd | grep deleted   # restart it, or truncate: : > /proc/%lld/fd/N",
			(long long)most.pid, (long long)most.pid);
}

void check_deleted_open(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_FS); row++) {
		double bytes = snapshot_value(v->last, M_FS_DELETED, row);
		struct fs_view at;
		struct filling g;
		bool filling;

		if (!fs_at(v, row, &at) || !at.writable || !at.own || !(bytes >= DELETED_BYTES) ||
		    !(bytes >= r->floor * at.size))
			continue;
		filling = measure(v, &at, M_FS_AVAILABLE, at.first_available, at.available, at.size,
				  &g) &&
			  is_soon(&g);
		if (at.available <= SHORT_OF_ROOM * at.size || filling)
			report_deleted(r, v, fs, &at, bytes);
	}
}
