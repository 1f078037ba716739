/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of processes as a whole: children that are not reaped, that crash; processes that are held; who writes too
 * much log. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/app.h"
#include "checklist/cgroup.h"
#include "model/event.h"

/* ---- who waits ---- */

static double rate_or_0(const struct view *v, enum metric_id id, size_t row)
{
	double x = interval_rate(v->window, id, row);

	return x > 0 ? x : 0;
}

static void demand_of_endpoints(const struct view *v, int64_t pid, struct demand *d)
{
	for (size_t e = 0; e < snapshot_rows(v->last, SCOPE_ENDPOINT); e++) {
		size_t row = interval_find(v->window, SCOPE_ENDPOINT,
					   snapshot_id(v->last, SCOPE_ENDPOINT, e));
		const char *client = snapshot_text(v->last, M_EP_CLIENT_COMM, e);
		double client_pid = snapshot_value(v->last, M_EP_CLIENT_PID, e);
		double queued, unread, awaiting;

		if (snapshot_value(v->last, M_EP_SERVER_PID, e) != (double)pid)
			continue;
		d->server = true;
		queued = rate_or_0(v, M_EP_QUEUED, row);
		unread = rate_or_0(v, M_EP_UNREAD, row);
		awaiting = rate_or_0(v, M_EP_AWAITING, row);
		if (queued + unread + awaiting <= 0)
			continue;
		d->queued += queued;
		d->unread += unread;
		d->awaiting += awaiting;
		if (snapshot_value(v->last, M_EP_PORT, e) > 0)
			d->port = (int)interval_whole(snapshot_value(v->last, M_EP_PORT, e));
		if (client_pid > 0) {
			d->client = (int64_t)client_pid;
			snprintf(d->client_name, sizeof(d->client_name), "%s",
				 client ? client : "");
		}
	}
}

/* Sockets that belong to no endpoint of its own: a client, a worker with inherited connections. */
static void demand_of_sockets(const struct view *v, int64_t pid, struct demand *d)
{
	double unread = 0;

	for (size_t s = 0; s < snapshot_rows(v->last, SCOPE_SOCKET); s++)
		if (snapshot_value(v->last, M_SOCK_PID, s) == (double)pid)
			unread += rate_or_0(v, M_SOCK_UNREAD,
					    interval_find(v->window, SCOPE_SOCKET,
							  snapshot_id(v->last, SCOPE_SOCKET, s)));
	if (unread > d->unread)
		d->unread = unread;
}

void demand_add(const struct view *v, int64_t pid, struct demand *d)
{
	demand_of_endpoints(v, pid, d);
	demand_of_sockets(v, pid, d);
}

/* A connection that is queued or unread is the server's view of the client that awaits: the larger one counts. */
double demand_total(const struct demand *d)
{
	return fmax(d->queued + d->unread, d->awaiting);
}

static void demand_tell(struct finding *f, const struct demand *d)
{
	if (d->queued > 0)
		finding_evidence(f, "endpoint.accept_queued", d->queued, "s/s", NAN,
				 "sock_diag, sampled");
	if (d->unread > 0)
		finding_evidence(f, "endpoint.unread", d->unread, "s/s", NAN, "sock_diag, sampled");
	if (d->awaiting > 0)
		finding_evidence(f, "endpoint.awaiting_reply", d->awaiting, "s/s", NAN,
				 "sock_diag, sampled");
	if (d->client > 0)
		finding_victim(f, PARTY_PROCESS, d->client_name, d->client, NAN);
}

/* ---- children ---- */

/* Seconds until the machine has no number left for another task; NaN when the zombies do not grow. */
static double until_full(const struct view *v, double growth)
{
	const struct row_id sys = { 0 };
	double most = fmin(view_last(v, M_PID_MAX, sys), view_last(v, M_THREADS_MAX, sys)),
	       now = view_last(v, M_THREADS, sys);

	return growth > 0 && most > now ? (most - now) / growth : NAN;
}

static void zombie_finding(const struct rule *r, const struct view *v, struct findings *fs,
			   size_t row, double zombies)
{
	struct row_id id = snapshot_id(v->last, SCOPE_PROCESS, row);
	const char *name = snapshot_name(v->last, SCOPE_PROCESS, row);
	double growth = view_growth(v, M_PROC_ZOMBIES, id) / interval_seconds(v->window);
	struct finding *f = rule_fire(r, fs);
	struct party *p;
	char label[96], left[32] = "";

	process_label(label, sizeof(label), name, (int64_t)id.key);
	snprintf(f->instance, sizeof(f->instance), "%s", label);
	f->severity = growth > 0 ? SEV_WARN : SEV_INFO;
	f->impact.to_limit = until_full(v, growth);
	if (!isnan(f->impact.to_limit))
		unit_duration(left, sizeof(left), f->impact.to_limit);
	finding_summary(
		f, "%s does not wait for its children: %.0f zombies, %.1f more each second%s%s",
		label, zombies, growth > 0 ? growth : 0,
		*left ? "; the machine is out of PIDs in " : "", left);
	p = finding_offender(f, PARTY_PROCESS, name, (int64_t)id.key, 1);
	process_cgroup(v, id, p->cgroup, sizeof(p->cgroup));
	finding_evidence(f, "proc.zombies", zombies, "processes", r->floor, "/proc/PID/stat");
	finding_evidence(f, "proc.zombies growth", growth, "processes/s", 0,
			 "both ends of the window");
	finding_evidence(f, "sys.threads", view_last(v, M_THREADS, (struct row_id){ 0 }), "tasks",
			 view_last(v, M_PID_MAX, (struct row_id){ 0 }),
			 "/proc/PID/stat, kernel.pid_max");
	finding_next(f, "ps --ppid %llu -o pid,stat,etime,comm", (unsigned long long)id.key);
	finding_next(
		f,
		"the parent must wait for its children; ending the parent hands them to init, which reaps them");
}

void check_zombies(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_PROCESS); row++) {
		double zombies = snapshot_value(v->last, M_PROC_ZOMBIES, row);

		if (zombies >= r->floor)
			zombie_finding(r, v, fs, row, zombies);
	}
}

/* ---- crashes ---- */

struct crashes {
	const char *name;
	double n;
	int64_t pid; /* of the last one */
	const char *line;
};

static bool is_crash(const struct view *v, size_t row)
{
	return snapshot_value(v->last, M_EVENT_KIND, row) == EVENT_SEGFAULT &&
	       snapshot_value(v->last, M_EVENT_LIVE, row) == 1;
}

static size_t count_crashes(const struct view *v, struct crashes *list, size_t max)
{
	size_t n = 0;

	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_EVENT); row++) {
		const char *name = snapshot_text(v->last, M_EVENT_COMM, row);
		double pid = snapshot_value(v->last, M_EVENT_PID, row);
		size_t i = 0;

		if (!is_crash(v, row) || !name || !*name)
			continue;
		while (i < n && strcmp(list[i].name, name))
			i++;
		if (i == max)
			continue;
		if (i == n)
			list[n++] = (struct crashes){ .name = name };
		list[i].n++;
		list[i].pid = pid > 0 ? interval_whole(pid) : list[i].pid;
		list[i].line = snapshot_text(v->last, M_EVENT_TEXT, row);
	}
	return n;
}

/* Who starts it again and again: a process whose newborn children, or living ones, have that name. */
static size_t find_parent(const struct view *v, const char *name)
{
	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_PROCESS); row++) {
		const char *born = snapshot_text(v->last, M_PROC_NEWBORN_NAME, row);

		if (born && !strcmp(born, name))
			return row;
	}
	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_PROCESS); row++) {
		double parent = snapshot_value(v->last, M_PROC_PPID, row);

		if (!strcmp(snapshot_name(v->last, SCOPE_PROCESS, row), name) && parent > 1)
			return view_process(v, (int64_t)parent);
	}
	return SIZE_MAX;
}

static void crash_finding(const struct rule *r, const struct view *v, struct findings *fs,
			  const struct crashes *c)
{
	double rate = c->n / interval_seconds(v->window);
	size_t parent = find_parent(v, c->name);
	struct row_id id = snapshot_id(v->last, SCOPE_PROCESS, parent);
	const char *parent_name = snapshot_name(v->last, SCOPE_PROCESS, parent);
	struct finding *f = rule_fire(r, fs);
	char label[96];

	process_label(label, sizeof(label), parent_name, (int64_t)id.key);
	snprintf(f->instance, sizeof(f->instance), "%s", c->name);
	f->impact.failed = rate;
	f->confidence = parent == SIZE_MAX ? 0.85 : 0.95;
	finding_summary(f, "%.64s crashes again and again: %.0f times in the window%s%s", c->name,
			c->n, parent == SIZE_MAX ? "" : ", and is started anew by ",
			parent == SIZE_MAX ? "" : label);
	finding_offender(f, PARTY_PROCESS, c->name, c->pid, 1);
	if (parent != SIZE_MAX)
		finding_offender(f, PARTY_PROCESS, parent_name, (int64_t)id.key, NAN);
	finding_evidence(f, "crashes in the kernel log", c->n, "crashes", r->floor, "/dev/kmsg");
	if (snapshot_value(v->last, M_PROC_NEWBORN, parent) > 0)
		finding_evidence(f, "proc.newborn_children",
				 rate_or_0(v, M_PROC_NEWBORN,
					   interval_find(v->window, SCOPE_PROCESS, id)),
				 "1/s", NAN, "sampled births");
	if (c->line)
		finding_symptom(f, "%.150s", c->line);
	finding_next(f, "dmesg -T | grep -F '%.60s[' | tail", c->name);
	finding_next(f, "coredumpctl list %.60s   # or ulimit -c unlimited in what starts it",
		     c->name);
}

void check_crash_loop(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct crashes list[32];
	size_t n = count_crashes(v, list, 32);

	for (size_t i = 0; i < n; i++)
		if (list[i].n >= r->floor)
			crash_finding(r, v, fs, &list[i]);
}

/* ---- held ---- */

static void stopped_finding(const struct rule *r, const struct view *v, struct findings *fs,
			    size_t row, const struct demand *d)
{
	struct row_id id = snapshot_id(v->last, SCOPE_PROCESS, row);
	const char *name = snapshot_name(v->last, SCOPE_PROCESS, row);
	bool traced = snapshot_value(v->last, M_PROC_STATE, row) == 't';
	struct finding *f = rule_fire(r, fs);
	struct party *p;
	char label[96];

	process_label(label, sizeof(label), name, (int64_t)id.key);
	snprintf(f->instance, sizeof(f->instance), "%s", label);
	f->impact.lost = demand_total(d);
	f->confidence = 0.9;
	finding_summary(f,
			"%s is %s and others wait for it: %.1f connections without an answer%s%s",
			label, traced ? "held by a debugger (state t)" : "stopped (state T)",
			demand_total(d), d->client > 0 ? ", among them of " : "",
			d->client > 0 ? d->client_name : "");
	p = finding_offender(f, PARTY_PROCESS, name, (int64_t)id.key, 1);
	p->port = d->port;
	process_cgroup(v, id, p->cgroup, sizeof(p->cgroup));
	demand_tell(f, d);
	finding_evidence(f, "proc.flock_inflicted",
			 rate_or_0(v, M_PROC_FLOCK_INFLICTED,
				   interval_find(v->window, SCOPE_PROCESS, id)),
			 "s/s", NAN, "/proc/locks");
	if (traced)
		finding_next(f, "grep TracerPid /proc/%llu/status", (unsigned long long)id.key);
	else
		finding_next(f, "kill -CONT %llu", (unsigned long long)id.key);
	if (d->port)
		finding_next(f, "ss -tn '( sport = :%d )'; ss -ltn '( sport = :%d )'", d->port,
			     d->port);
}

void check_stopped(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_PROCESS); row++) {
		struct row_id id = snapshot_id(v->last, SCOPE_PROCESS, row);
		double state = snapshot_value(v->last, M_PROC_STATE, row);
		struct demand d = { 0 };

		if (state != 'T' && state != 't')
			continue;
		demand_add(v, (int64_t)id.key, &d);
		d.awaiting += rate_or_0(v, M_PROC_FLOCK_INFLICTED,
					interval_find(v->window, SCOPE_PROCESS, id));
		if (demand_total(&d) >= r->floor)
			stopped_finding(r, v, fs, row, &d);
	}
}

/* What the members of a frozen group keep waiting, and how many they are. */
static size_t frozen_members(const struct view *v, size_t group, struct demand *d)
{
	size_t n = 0;

	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_PROCESS); row++) {
		struct row_id id = snapshot_id(v->last, SCOPE_PROCESS, row);

		if (!cgroup_contains(v, group, id))
			continue;
		n++;
		demand_add(v, (int64_t)id.key, d);
	}
	return n;
}

static void frozen_finding(const struct rule *r, const struct view *v, struct findings *fs,
			   size_t group, size_t members, const struct demand *d)
{
	const char *path = cgroup_path(v, group);
	struct finding *f = rule_fire(r, fs);
	struct party *p;
	size_t named = 0;
	char many[40];

	snprintf(f->instance, sizeof(f->instance), "%.120s", path);
	f->confidence = 0.85;
	f->impact.lost = demand_total(d) > 0 ? demand_total(d) : NAN;
	f->severity = demand_total(d) > 0 ? SEV_WARN : SEV_INFO;
	plural(many, sizeof(many), (double)members, "process", "processes");
	finding_summary(f, "%s of %.120s frozen by its freezer%s", many, path,
			demand_total(d) > 0 ? ", and others wait for an answer"
					    : ": no answer to anybody until it is thawed");
	p = finding_offender(f, PARTY_CGROUP, path, 0, 1);
	snprintf(p->cgroup, sizeof(p->cgroup), "%s", path);
	p->port = d->port;
	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_PROCESS) && named < 3; row++) {
		struct row_id id = snapshot_id(v->last, SCOPE_PROCESS, row);

		if (!cgroup_contains(v, group, id))
			continue;
		finding_victim(f, PARTY_PROCESS, snapshot_name(v->last, SCOPE_PROCESS, row),
			       (int64_t)id.key, NAN);
		named++;
	}
	demand_tell(f, d);
	finding_evidence(f, "cgroup.frozen", 1, "frozen", r->floor,
			 "freezer.state or cgroup.events");
	finding_next(f, "cat /%.150s/%s", cgroup_dir(v, group),
		     cgroup_is_v2(v, group) ? "cgroup.freeze" : "freezer.state");
	finding_next(f, "docker ps --filter status=paused   # or whoever froze it");
}

void check_frozen(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t group = 0; group < cgroup_count(v); group++) {
		size_t parent = cgroup_parent(v, group), members;
		struct demand d = { 0 };

		if (!(cgroup_level(v, M_CG_FROZEN, group) >= r->floor))
			continue;
		if (parent != CGROUP_NONE && cgroup_level(v, M_CG_FROZEN, parent) >= r->floor)
			continue; /* told of the one above */
		members = frozen_members(v, group, &d);
		if (members) /* an empty group that is frozen stops nobody */
			frozen_finding(r, v, fs, group, members, &d);
	}
}

/* ---- logs ---- */

#define LOG_WRITE_MOST 8192 /* bytes per call: a line, or a page of them */
#define LOG_FILE_SHARE 0.5  /* of the bytes written that must become dirty file pages */

static void log_finding(const struct rule *r, const struct view *v, struct findings *fs, size_t row,
			double calls, double bytes)
{
	const struct irow *p = interval_row(v->window, SCOPE_PROCESS, row);
	const char *name = interval_name(v->window, SCOPE_PROCESS, row);
	struct finding *f = rule_fire(r, fs);
	struct party *o;
	char label[96], rate[32];

	process_label(label, sizeof(label), name, (int64_t)p->id.key);
	f->severity = SEV_INFO;
	f->confidence = 0.6;
	snprintf(f->instance, sizeof(f->instance), "%s", label);
	finding_summary(
		f,
		"%s makes %.0f small writes a second to files, %s: as a program does that logs too much",
		label, calls, unit_format(rate, sizeof(rate), UNIT_BYTES, 1, bytes));
	o = finding_offender(f, PARTY_PROCESS, name, (int64_t)p->id.key, 1);
	process_cgroup(v, p->id, o->cgroup, sizeof(o->cgroup));
	finding_evidence(f, "proc.write_calls", calls, "calls/s", r->floor, "/proc/PID/io");
	finding_evidence(f, "proc.write_calls_bytes", bytes, "bytes/s", NAN, "/proc/PID/io");
	finding_next(f, "ls -l /proc/%llu/fd | grep -v -e socket -e pipe",
		     (unsigned long long)p->id.key);
}

/* Many small writes whose bytes become file pages, and little else read or written: a log, a journal, a trace. Not a
 * socket or a pipe, which dirty nothing; not a program that reads as much as it writes, as a build or a copy does. */
void check_log_spam(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct interval *iv = v->window;

	for (size_t row = 0; row < interval_rows(iv, SCOPE_PROCESS); row++) {
		double calls = interval_rate(iv, M_PROC_SYSCW, row),
		       bytes = interval_rate(iv, M_PROC_WCHAR, row);
		double dirtied = interval_rate(iv, M_PROC_WRITE_BYTES, row),
		       read = interval_rate(iv, M_PROC_RCHAR, row);

		if (!(calls >= r->floor) || !(bytes / calls <= LOG_WRITE_MOST) ||
		    !(dirtied >= LOG_FILE_SHARE * bytes) || read > bytes)
			continue;
		if (interval_lived(iv, SCOPE_PROCESS, row) >= 0.9 * interval_seconds(iv))
			log_finding(r, v, fs, row, calls, bytes);
	}
}
