/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of limits that programs run into: descriptors, tasks, inotify. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/app.h"
#include "checklist/cgroup.h"

/* ---- descriptors ---- */

bool process_ran(const struct view *v, struct row_id id)
{
	size_t row = interval_find(v->window, SCOPE_PROCESS, id);

	return row != SIZE_MAX && (interval_delta(v->window, M_PROC_USER, row) > 0 ||
				   interval_delta(v->window, M_PROC_SYSTEM, row) > 0 ||
				   interval_delta(v->window, M_PROC_VCSW, row) > 0);
}

static void fd_sentence(struct finding *f, const char *label, double fds, double limit,
			double growth)
{
	char how_long[32];

	if (fds >= limit)
		finding_summary(
			f,
			"%s has all %.0f descriptors open that its limit allows: each further open, accept or socket fails "
			"with EMFILE",
			label, limit);
	else if (growth > 0)
		finding_summary(
			f,
			"%s has %.0f of %.0f descriptors open and opens %.1f more a second: at its limit in %s",
			label, fds, limit, growth,
			unit_duration(how_long, sizeof(how_long), (limit - fds) / growth));
	else
		finding_summary(
			f,
			"%s has %.0f of %.0f descriptors open: %.0f more, and open, accept and socket fail",
			label, fds, limit, limit - fds);
}

#define LITTLE_LEFT \
	0.95 /* of the limit: a burst of connections, or a log that is reopened, and it is met */
#define FEW_LEFT 128

/* It grows towards its limit, or works with next to nothing left. A pool that fills its limit by design sleeps. */
static bool is_short(const struct view *v, struct row_id id, double fds, double limit,
		     double growth)
{
	return growth > 0 ||
	       (fds >= LITTLE_LEFT * limit && limit - fds <= FEW_LEFT && process_ran(v, id));
}

static void fd_finding(const struct rule *r, const struct view *v, struct findings *fs, size_t row,
		       double fds, double limit)
{
	struct row_id id = snapshot_id(v->last, SCOPE_PROCESS, row);
	const char *name = snapshot_name(v->last, SCOPE_PROCESS, row);
	double growth = view_growth(v, M_PROC_FDS, id) / interval_seconds(v->window);
	struct finding *f = rule_fire(r, fs);
	struct party *p;
	char label[96];

	process_label(label, sizeof(label), name, (int64_t)id.key);
	snprintf(f->instance, sizeof(f->instance), "%s", label);
	fd_sentence(f, label, fds, limit, growth);
	if (fds < limit) {
		f->impact.to_limit = growth > 0 ? (limit - fds) / growth : NAN;
		f->severity = is_short(v, id, fds, limit, growth) ? SEV_WARN : SEV_INFO;
	}
	p = finding_offender(f, PARTY_PROCESS, name, (int64_t)id.key, 1);
	process_cgroup(v, id, p->cgroup, sizeof(p->cgroup));
	finding_victim(f, PARTY_PROCESS, name, (int64_t)id.key, NAN);
	finding_evidence(f, "proc.fds", fds, "descriptors", r->floor * limit, "/proc/PID/fd");
	finding_evidence(f, "proc.fd_limit", limit, "descriptors", NAN, "/proc/PID/limits, soft");
	if (!isnan(growth))
		finding_evidence(f, "proc.fds growth", growth, "descriptors/s", 0,
				 "both ends of the window");
	finding_next(f,
		     "ls -l /proc/%llu/fd | awk '{print $NF}' | sort | uniq -c | sort -rn | head",
		     (unsigned long long)id.key);
	finding_next(f, "prlimit --pid %llu --nofile", (unsigned long long)id.key);
}

/* At the limit: the process ran, so it is likely to have asked for one more. Near it: a pool that is full by design
 * neither grows nor reaches the end. */
static void each_near_limit(const struct rule *r, const struct view *v, struct findings *fs,
			    bool at_limit)
{
	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_PROCESS); row++) {
		double fds = snapshot_value(v->last, M_PROC_FDS, row),
		       limit = snapshot_value(v->last, M_PROC_FD_LIMIT, row);

		if (!(limit > 0) || !(fds >= r->floor * limit) || (fds >= limit) != at_limit)
			continue;
		if (!at_limit || process_ran(v, snapshot_id(v->last, SCOPE_PROCESS, row)))
			fd_finding(r, v, fs, row, fds, limit);
	}
}

#define TABLE_FULL \
	0.98 /* of the machine's tables: the last entries are kept for root, or for each CPU */

static void file_table_full(const struct rule *r, const struct view *v, struct findings *fs)
{
	double open = view_last(v, M_FILES_OPEN, (struct row_id){ 0 }),
	       most = view_last(v, M_FILES_MAX, (struct row_id){ 0 });
	struct ranking who;
	struct finding *f;

	if (!(most > 0) || isinf(most) || !(open >= TABLE_FULL * most))
		return;
	rank_metric(v, M_PROC_FDS, &who);
	f = rule_fire(r, fs);
	snprintf(f->instance, sizeof(f->instance), "machine");
	finding_summary(
		f,
		"the machine has %.0f of %.0f files open: open, accept and socket fail with ENFILE for everybody but root",
		open, most);
	finding_offenders(f, v, &who, 3, 0.1);
	finding_evidence(f, "sys.files_open", open, "files", TABLE_FULL * most,
			 "/proc/sys/fs/file-nr");
	finding_next(
		f,
		"for p in /proc/[0-9]*; do echo $(ls $p/fd | wc -l) $p $(cat $p/comm); done | sort -rn | head");
	finding_next(f, "sysctl fs.file-max");
}

void check_emfile(const struct rule *r, const struct view *v, struct findings *fs)
{
	each_near_limit(r, v, fs, true);
	file_table_full(r, v, fs);
}

void check_fd_near_limit(const struct rule *r, const struct view *v, struct findings *fs)
{
	each_near_limit(r, v, fs, false);
}

/* ---- sockets that are never closed ---- */

struct unclosed {
	int64_t pid;
	const char *name, *remote;
	double sockets; /* in CLOSE-WAIT at both ends of the window */
};

static bool is_close_wait(const struct snapshot *s, size_t row)
{
	const char *state = snapshot_text(s, M_SOCK_STATE, row);

	return state && !strcmp(state, "CLOSE-WAIT");
}

/* A socket that was closed by the peer before the window, and is still not closed here, has been forgotten: a busy
 * program closes within milliseconds. */
static double still_unclosed(const struct view *v, int64_t pid, struct unclosed *out)
{
	*out = (struct unclosed){ .pid = pid, .name = "" };
	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_SOCKET); row++) {
		size_t before = snapshot_find(v->first, SCOPE_SOCKET,
					      snapshot_id(v->last, SCOPE_SOCKET, row));
		const char *name = snapshot_text(v->last, M_SOCK_COMM, row);

		if (snapshot_value(v->last, M_SOCK_PID, row) != (double)pid ||
		    !is_close_wait(v->last, row) || before == SIZE_MAX ||
		    !is_close_wait(v->first, before))
			continue;
		out->sockets++;
		out->name = name ? name : out->name;
		out->remote = snapshot_text(v->last, M_SOCK_REMOTE, row);
	}
	return out->sockets;
}

static void close_wait_finding(const struct rule *r, const struct view *v, struct findings *fs,
			       const struct unclosed *u)
{
	size_t row = view_process(v, u->pid);
	struct row_id id = snapshot_id(v->last, SCOPE_PROCESS, row);
	double all = view_last(v, M_TCP_N_CLOSE_WAIT, (struct row_id){ 0 });
	double growth = view_growth(v, M_TCP_N_CLOSE_WAIT, (struct row_id){ 0 }) /
			interval_seconds(v->window);
	double fds = snapshot_value(v->last, M_PROC_FDS, row),
	       limit = snapshot_value(v->last, M_PROC_FD_LIMIT, row);
	struct finding *f = rule_fire(r, fs);
	struct party *p;
	char label[96];

	process_label(label, sizeof(label), u->name, u->pid);
	snprintf(f->instance, sizeof(f->instance), "%s", label);
	f->confidence = 0.8;
	f->severity = growth > 0 ? SEV_WARN : SEV_INFO;
	if (growth > 0 && limit > fds)
		f->impact.to_limit = (limit - fds) / growth;
	finding_summary(
		f,
		"%s does not close connections that its peers have closed: at least %.0f sockets stay in CLOSE-WAIT, %.1f more a "
		"second",
		label, u->sockets, growth > 0 ? growth : 0);
	p = finding_offender(f, PARTY_PROCESS, u->name, u->pid, 1);
	process_cgroup(v, id, p->cgroup, sizeof(p->cgroup));
	finding_evidence(f, "sockets in CLOSE-WAIT at both ends", u->sockets, "sockets", r->floor,
			 "sock_diag");
	finding_evidence(f, "tcp.state_close_wait", all, "sockets", NAN,
			 "sock_diag, all processes");
	if (limit > 0)
		finding_evidence(f, "proc.fds", fds, "descriptors", limit,
				 "/proc/PID/fd, /proc/PID/limits");
	finding_next(f, "ss -tnp state close-wait | grep pid=%lld,", (long long)u->pid);
}

void check_close_wait(const struct rule *r, const struct view *v, struct findings *fs)
{
	int64_t done[32];
	size_t ndone = 0;

	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_SOCKET) && ndone < 32; row++) {
		double pid = snapshot_value(v->last, M_SOCK_PID, row);
		struct unclosed u;
		bool seen = false;

		if (!(pid > 0) || !is_close_wait(v->last, row))
			continue;
		for (size_t i = 0; i < ndone; i++)
			seen |= done[i] == interval_whole(pid);
		if (seen)
			continue;
		done[ndone++] = interval_whole(pid);
		if (still_unclosed(v, interval_whole(pid), &u) >= r->floor)
			close_wait_finding(r, v, fs, &u);
	}
}

/* ---- tasks ---- */

/* Members of the group, those with most children and threads first. */
static double tasks_of(const struct view *v, size_t row, const void *arg)
{
	const size_t *group = arg;
	struct row_id id = interval_row(v->window, SCOPE_PROCESS, row)->id;
	double children = view_last(v, M_PROC_CHILDREN, id),
	       threads = view_last(v, M_PROC_THREADS, id);

	if (!cgroup_contains(v, *group, id))
		return 0;
	return (children > 0 ? children : 0) + (threads > 0 ? threads : 0);
}

static void pids_finding(const struct rule *r, const struct view *v, struct findings *fs,
			 size_t group, double rejected)
{
	double now = cgroup_level(v, M_CG_PIDS_CURRENT, group),
	       most = cgroup_level(v, M_CG_PIDS_MAX, group);
	const char *path = cgroup_path(v, group);
	struct finding *f = rule_fire(r, fs);
	struct ranking who;
	struct party *p;

	snprintf(f->instance, sizeof(f->instance), "%.120s", path);
	f->impact.failed = rejected;
	f->confidence = 0.97;
	finding_summary(
		f,
		"%.120s has %.0f of %.0f tasks that its pids limit allows: %.1f forks a second fail with EAGAIN",
		path, now, most, rejected);
	p = finding_offender(f, PARTY_CGROUP, path, 0, 1);
	snprintf(p->cgroup, sizeof(p->cgroup), "%s", path);
	rank_by(v, tasks_of, &group, &who);
	finding_offenders(f, v, &who, 3, 0.05);
	for (size_t i = 0; i < who.n && i < 3; i++)
		finding_victim(f, PARTY_PROCESS, who.top[i].name, who.top[i].pid, NAN);
	finding_evidence(f, "cgroup.pids_rejected", rejected, "forks/s", r->floor, "pids.events");
	finding_evidence(f, "cgroup.pids_current", now, "tasks", most, "pids.current, pids.max");
	finding_next(f, "ps -eo pid,ppid,nlwp,comm,cgroup | grep %.80s", path);
	finding_next(f, "cat /%.150s/pids.max", cgroup_dir(v, group));
}

static double tasks_of_process(const struct view *v, size_t row, const void *arg)
{
	struct row_id id = interval_row(v->window, SCOPE_PROCESS, row)->id;
	double zombies = view_last(v, M_PROC_ZOMBIES, id),
	       children = view_last(v, M_PROC_CHILDREN, id);

	(void)arg;
	return (zombies > 0 ? zombies : 0) + (children > 0 ? children : 0) +
	       fmax(0, view_last(v, M_PROC_THREADS, id) - 1);
}

static void machine_full(const struct rule *r, const struct view *v, struct findings *fs)
{
	const struct row_id sys = { 0 };
	double most = fmin(view_last(v, M_PID_MAX, sys), view_last(v, M_THREADS_MAX, sys)),
	       now = view_last(v, M_THREADS, sys);
	struct ranking who;
	struct finding *f;

	if (!(most > 0) || !(now >= TABLE_FULL * most))
		return;
	rank_by(v, tasks_of_process, NULL, &who);
	f = rule_fire(r, fs);
	snprintf(f->instance, sizeof(f->instance), "machine");
	finding_summary(
		f,
		"the machine has %.0f of %.0f tasks that kernel.pid_max and kernel.threads-max allow: fork fails for everybody",
		now, most);
	finding_offenders(f, v, &who, 3, 0.1);
	finding_evidence(f, "sys.threads", now, "tasks", TABLE_FULL * most,
			 "/proc/PID/stat, /proc/sys/kernel");
	finding_next(f, "ps -eo ppid= | sort | uniq -c | sort -rn | head");
	finding_next(f, "sysctl kernel.pid_max kernel.threads-max");
}

void check_pids_limit(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t group = 0; group < cgroup_count(v); group++) {
		double rejected = cgroup_rate(v, M_CG_PIDS_REJECTED, group);

		if (rejected > r->floor)
			pids_finding(r, v, fs, group, rejected);
	}
	machine_full(r, v, fs);
}

/* ---- inotify ---- */

struct inotify_user {
	double uid, instances;
	struct row_id most; /* the process with most of them */
	double of_most;
};

/* The limit is per user, so processes are summed by their owner. */
static size_t inotify_users(const struct view *v, struct inotify_user *users, size_t max)
{
	size_t n = 0;

	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_PROCESS); row++) {
		double inst = snapshot_value(v->last, M_PROC_INOTIFY, row),
		       uid = snapshot_value(v->last, M_PROC_OWNER, row);
		size_t i = 0;

		if (!(inst > 0) || isnan(uid))
			continue;
		while (i < n && users[i].uid != uid)
			i++;
		if (i == max)
			continue;
		if (i == n)
			users[n++] = (struct inotify_user){ .uid = uid };
		users[i].instances += inst;
		if (inst > users[i].of_most) {
			users[i].of_most = inst;
			users[i].most = snapshot_id(v->last, SCOPE_PROCESS, row);
		}
	}
	return n;
}

static void inotify_finding(const struct rule *r, const struct view *v, struct findings *fs,
			    const struct inotify_user *u, double limit)
{
	struct finding *f = rule_fire(r, fs);
	const char *name = snapshot_name(v->last, SCOPE_PROCESS,
					 snapshot_find(v->last, SCOPE_PROCESS, u->most));
	char label[96];

	process_label(label, sizeof(label), name, (int64_t)u->most.key);
	snprintf(f->instance, sizeof(f->instance), "user %.0f", u->uid);
	f->confidence = 0.8;
	finding_summary(
		f,
		"user %.0f has all %.0f inotify instances that are allowed, %.0f of them in %s: the next inotify_init fails with "
		"EMFILE",
		u->uid, limit, u->of_most, label);
	finding_offender(f, PARTY_PROCESS, name, (int64_t)u->most.key, u->of_most / u->instances);
	finding_evidence(f, "proc.inotify", u->instances, "instances", limit,
			 "/proc/PID/fd, summed by user");
	finding_next(
		f,
		"find /proc/[0-9]*/fd -lname 'anon_inode:inotify' 2>/dev/null | cut -d/ -f3 | sort | uniq -c | sort -rn | head");
	finding_next(f, "sysctl fs.inotify.max_user_instances");
}

void check_inotify(const struct rule *r, const struct view *v, struct findings *fs)
{
	double limit = view_last(v, M_INOTIFY_INSTANCES_MAX, (struct row_id){ 0 });
	double seen = view_last(v, M_FD_WALK_SHARE, (struct row_id){ 0 });
	struct inotify_user users[64];
	size_t n = inotify_users(v, users, 64), found = 0;

	for (size_t i = 0; i < n; i++)
		if (limit > 0 && users[i].instances >= r->floor * limit) {
			inotify_finding(r, v, fs, &users[i], limit);
			found++;
		}
	if (!found && !(seen >= 1))
		rule_unknown(
			r, fs,
			"too many open files to look at all in the time allowed: %.0f %% of the processes seen",
			seen > 0 ? 100 * seen : 0);
}
