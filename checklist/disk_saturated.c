/* SPDX-License-Identifier: Apache-2.0 */
/* More requests than a disk serves: who sends them, and who waits behind them.
 *
 * Busy time says nothing: a disk that serves 32 requests at once is 100 % busy with one. What counts is a queue that
 * stands for most of the window, threads that wait for it, and a device that is no slower than it always is (else it is
 * the device). A thread that waits for the one request it has just sent is how I/O works, and no queue. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "checklist/claims.h"
#include "checklist/disk.h"

#define OTHERS_LEAST  0.2 /* s/s lost by those who are not the offender */
#define OTHERS_PART   0.2 /* of what the offender waits for itself */
#define OFFENDER_PART 0.5 /* of the bytes: below it there is no one neighbour to name */
#define VICTIM_PART   0.3 /* of the bytes: above it a victim is an offender, too */
#define STRETCH_LEAST 1.25
#define QUEUEING      2.0 /* await over the unloaded time from which waiting is more than half of it */

static const enum cause waits[] = { CAUSE_DISK, CAUSE_FAULT };

struct disk_case {
	const struct disk_load *d;
	struct ranking users, victims;
	double own, others; /* lost by the first user, and by everybody else at normal priority */
	bool known;         /* which processes use this disk */
};

static bool same(const struct member *a, const struct member *b)
{
	return a->pid == b->pid || !strcmp(a->name, b->name);
}

static double share_of(const struct ranking *users, const struct member *m)
{
	for (size_t i = 0; i < users->n; i++)
		if (same(&users->top[i], m))
			return users->top[i].share;
	return 0;
}

static bool is_stretched(const struct view *v, const struct member *m)
{
	const struct lost_row *l = view_lost(v, m->id);
	double useful =
		l ? (l->time[CAUSE_USER] + l->time[CAUSE_SYSTEM]) / interval_seconds(v->window) : 0;

	return m->amount >= (STRETCH_LEAST - 1) * useful;
}

static void divide(const struct view *v, struct disk_case *c)
{
	for (size_t i = 0; i < c->victims.n; i++) {
		const struct member *m = &c->victims.top[i];

		if (claims_is_background(v, m->id) || !is_stretched(v, m))
			continue;
		if (c->users.n && same(m, &c->users.top[0]))
			c->own += m->amount;
		else if (share_of(&c->users, m) < VICTIM_PART)
			c->others += m->amount;
	}
}

static bool is_queue(const struct rule *r, const struct disk_load *d)
{
	return !d->explained && d->stuck == 0 && d->deep >= r->floor && !disk_is_slow(d);
}

static bool is_neighbour(const struct disk_case *c)
{
	return c->users.n && c->users.top[0].share >= OFFENDER_PART && c->others >= OTHERS_LEAST &&
	       c->others >= OTHERS_PART * c->own;
}

static void look_at(const struct disk_loads *l, size_t i, struct disk_case *c)
{
	*c = (struct disk_case){ .d = &l->list[i] };
	disk_users(l, i, &c->users);
	disk_victims(l, i, waits, 2, &c->victims);
	c->known = disk_users_known(l, c->users.n ? &c->users : &c->victims);
	divide(l->v, c);
}

/* Throughput that does not move while requests wait is the device's limit, or its provider's. */
static double spread(const struct view *v, enum metric_id id, struct row_id disk)
{
	double sum = 0, squares = 0;
	size_t n = 0;

	for (size_t i = 0; i < v->nseconds; i++) {
		double x = interval_value(v->seconds[i], id,
					  interval_find(v->seconds[i], SCOPE_DISK, disk));

		if (isnan(x))
			continue;
		sum += x;
		squares += x * x;
		n++;
	}
	if (n < 3 || sum <= 0)
		return NAN;
	return sqrt(fmax(0, squares / (double)n - sum * sum / (double)(n * n))) / (sum / (double)n);
}

static void add_evidence(const struct view *v, struct finding *f, const struct disk_case *c)
{
	const struct disk_load *d = c->d;

	finding_evidence(f, "disk.queue", d->queue, "requests", 2, "proc/diskstats");
	finding_evidence(f, "seconds with a queue", d->deep, "", 0.5, "proc/diskstats");
	finding_evidence(f, "disk.await", d->await, "s",
			 isnan(d->unloaded) ? NAN : QUEUEING * d->unloaded, "proc/diskstats");
	if (!isnan(d->unloaded))
		finding_evidence(f, "unloaded latency, as far as seen", d->unloaded, "s", NAN,
				 "proc/diskstats");
	finding_evidence(f, "disk.iops", d->iops, "1/s", NAN, "proc/diskstats");
	finding_evidence(f, "disk.bytes", d->read_bytes + d->write_bytes, "bytes/s", NAN,
			 "proc/diskstats");
	finding_evidence(f, "mean size", d->size, "bytes", NAN, "proc/diskstats");
	finding_evidence(f, "share of writes", d->writes / fmax(1e-9, d->reads + d->writes), "",
			 NAN, "proc/diskstats");
	finding_evidence(f, "spread of operations per second", spread(v, M_DISK_IOPS, d->id), "",
			 NAN, "proc/diskstats");
	finding_evidence(f, "psi.io.some", system_rate(v->window, M_PSI_IO_SOME), "s/s", NAN,
			 "proc/pressure/io");
	finding_evidence(f, "thread.wait.disk", c->victims.total, "s/s", NAN, "state samples");
}

static double confidence(const struct disk_case *c)
{
	double p = 0.92;

	if (!(c->d->await >= QUEUEING * c->d->unloaded))
		p *= 0.9; /* the device may be as fast with this queue as without it */
	if (!c->known)
		p *= 0.85;
	if (!c->users.n)
		p *= 0.8;
	return p;
}

static void fill(const struct view *v, struct finding *f, const struct disk_case *c, double lost)
{
	snprintf(f->instance, sizeof(f->instance), "%s", c->d->name);
	f->confidence = confidence(c);
	f->estimated = true;
	f->impact.lost = lost;
	finding_offenders(f, v, &c->users, 3, 0.1);
	finding_device(f, c->d, NAN);
	finding_victims(f, v, &c->victims, 4, 0.03);
	add_evidence(v, f, c);
	finding_symptom(f, "%s is %.0f %% busy", c->d->name, fmin(100, 100 * c->d->busy));
	finding_next(f, "iostat -xz 1   # aqu-sz, r_await, w_await of %s", c->d->name);
	if (c->users.n) {
		finding_next(f, "pidstat -d -p %lld 1", (long long)c->users.top[0].pid);
		finding_next(f, "ionice -c 3 -p %lld   # if it can wait",
			     (long long)c->users.top[0].pid);
	}
}

static void report_saturated(const struct rule *r, const struct view *v, struct findings *fs,
			     const struct disk_case *c)
{
	struct finding *f = rule_fire(r, fs);
	char who[96] = "Somebody", disk[128], work[96], wait[32], victim[96] = "its threads";
	bool bandwidth = c->d->size >= 131072;

	fill(v, f, c, c->own + c->others);
	if (c->users.n)
		member_label(who, sizeof(who), &c->users.top[0]);
	if (c->victims.n)
		member_label(victim, sizeof(victim), &c->victims.top[0]);
	finding_summary(
		f,
		"%s saturates %s (%s limit, %s: %s): %.1f requests stand in its queue, each takes %s, and %s waits "
		"%.2f s/s.",
		who, disk_label(disk, sizeof(disk), c->d), bandwidth ? "bandwidth" : "IOPS",
		disk_pattern(c->d), disk_work(work, sizeof(work), c->d), c->d->queue,
		unit_duration(wait, sizeof(wait), c->d->await), victim,
		c->victims.n ? c->victims.top[0].amount : NAN);
}

/* ---- what was looked at and is not the limit ---- */

#define CLEARED_MAX 8

static bool is_accused(const struct findings *fs, const char *disk)
{
	for (size_t i = 0; i < fs->n; i++) {
		const struct finding *f = &fs->list[i];

		if (f->severity < SEV_WARN)
			continue;
		if (!strcmp(f->instance, disk))
			return true;
		for (unsigned k = 0; k < f->noffenders; k++)
			if (f->offenders[k].kind == PARTY_DEVICE &&
			    !strcmp(f->offenders[k].name, disk))
				return true;
	}
	return false;
}

static void clear_others(const struct disk_loads *l, struct findings *fs)
{
	size_t cleared = 0;

	for (size_t i = 0; i < l->n && cleared < CLEARED_MAX; i++) {
		const struct disk_load *d = &l->list[i];
		struct ranking victims;
		char wait[32];

		if (d->explained || is_accused(fs, d->name))
			continue;
		disk_victims(l, i, waits, 2, &victims);
		findings_clear(
			fs, RES_DISK, d->name,
			"%.1f requests in flight on average, %s each, %.0f a second; at most %.2f s/s lost there",
			d->queue,
			isnan(d->await) ? "no wait" : unit_duration(wait, sizeof(wait), d->await),
			d->iops, victims.total);
		cleared++;
	}
}

/* Stands last in the table, so that the disks which no rule has named can be cleared here. */
void check_disk_saturated(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct disk_loads l;

	disk_loads_init(&l, v);
	for (size_t i = 0; i < l.n; i++) {
		struct disk_case c;

		if (!is_queue(r, &l.list[i]))
			continue;
		look_at(&l, i, &c);
		if (c.own + c.others >= r->warn && !is_neighbour(&c))
			report_saturated(r, v, fs, &c);
	}
	clear_others(&l, fs);
	disk_loads_done(&l);
}

static void report_neighbour(const struct rule *r, const struct view *v, struct findings *fs,
			     const struct disk_case *c)
{
	struct finding *f = rule_fire(r, fs);
	const struct member *victim = NULL;
	char who[96], disk[128], work[96], whom[96] = "others", wait[32];

	fill(v, f, c, c->others);
	f->nvictims = 0;
	for (size_t i = 0; i < c->victims.n && f->nvictims < 4; i++) {
		const struct member *m = &c->victims.top[i];

		if (same(m, &c->users.top[0]) || share_of(&c->users, m) >= VICTIM_PART)
			continue;
		if (!victim)
			victim = m;
		finding_victim(f, PARTY_PROCESS, m->name, m->pid, m->amount);
	}
	if (victim)
		member_label(whom, sizeof(whom), victim);
	finding_summary(
		f,
		"%s sends %.0f %% of the I/O of %s (%s), and %s waits %.2f s/s behind its %.1f requests (%s each).",
		member_label(who, sizeof(who), &c->users.top[0]), 100 * c->users.top[0].share,
		disk_label(disk, sizeof(disk), c->d), disk_work(work, sizeof(work), c->d), whom,
		victim ? victim->amount : NAN, c->d->queue,
		unit_duration(wait, sizeof(wait), c->d->await));
}

void check_noisy_neighbour(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct disk_loads l;

	disk_loads_init(&l, v);
	for (size_t i = 0; i < l.n; i++) {
		struct disk_case c;

		if (!is_queue(r, &l.list[i]))
			continue;
		look_at(&l, i, &c);
		if (is_neighbour(&c) && c.others >= r->warn)
			report_neighbour(r, v, fs, &c);
	}
	disk_loads_done(&l);
}
