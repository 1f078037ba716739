/* SPDX-License-Identifier: Apache-2.0 */
/* Services that are slow, as their requests tell, and why: one thread for all, no free worker, their own work, another service. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/app_red.h"

static double waiting_for_cpu(const struct view *v, const struct lost_row *l)
{
	(void)v;
	return l->time[CAUSE_RUNNABLE] + l->time[CAUSE_THROTTLED];
}

static double blocked(const struct view *v, const struct lost_row *l)
{
	double sum = 0;

	(void)v;
	for (enum cause c = CAUSE_DISK; c <= CAUSE_OTHER; c++)
		sum += l->time[c];
	return sum;
}

static double awaiting(const struct view *v, const struct lost_row *l)
{
	(void)v;
	return l->time[CAUSE_REPLY];
}

bool red_single_thread(const struct rule *r, const struct view *v, struct findings *fs)
{
	if (!red_followed(v))
		return false;
	for (size_t i = 0; i < v->reds->n; i++) {
		struct red_service s = red_service_of(v, &v->reds->rows[i]);
		double run, second;
		struct finding *f;
		char each[32];

		if (!red_queues(&s) || !s.row->pid)
			continue;
		run = busiest_thread_of(v, s.row->pid, &second);
		if (!(run >= r->floor) || second >= 0.3 ||
		    red_of_its_kind(v, s.row->comm, red_running) > run + 0.3)
			continue;
		f = red_start(r, v, fs, &s);
		finding_summary(
			f,
			"The one thread of %s is on a CPU %.0f %% of the time, and requests lie unread for %s on average, %.1f at any time",
			s.label, fmin(run, 1) * 100,
			unit_duration(each, sizeof(each), hist_mean(&s.row->wait) * 1e-9),
			s.unread);
		f->impact.serial = fmin(run, 1);
		f->confidence = 0.9;
		finding_evidence(f, "thread.run of its busiest thread", run, "s/s", r->floor,
				 "proc/PID/task/TID/schedstat");
		finding_evidence(f, "thread.run of the next one", second, "s/s", 0.3,
				 "proc/PID/task/TID/schedstat");
		finding_evidence(f, "red.queue_wait, requests that lie unread", s.unread,
				 "requests", 1, REQUESTS);
		red_tell_durations(f, &s);
		red_tell_next(f, &s);
		finding_next(f, "sixty profile -p %lld", (long long)s.row->pid);
	}
	return true;
}

/* Requests on connections that nobody has accepted yet count as unread: what a worker does not take, it does not read. */
bool red_workers(const struct rule *r, const struct view *v, struct findings *fs)
{
	(void)r;
	if (!red_followed(v))
		return false;
	for (size_t i = 0; i < v->reds->n; i++) {
		struct red_service s = red_service_of(v, &v->reds->rows[i]);
		double run, second, taken;
		struct finding *f;
		char each[32], client[96];
		struct end who;

		if (!red_queues(&s) || !s.row->pid || !s.row->backlog ||
		    !(hist_mean(&s.row->wait) >= 5e7))
			continue;
		run = busiest_thread_of(v, s.row->pid, &second);
		if (run >= 0.9)
			continue; /* it works as fast as it can: another finding */
		taken = s.busy - s.unread;
		f = red_start(r, v, fs, &s);
		who = red_client_of(v, s.row);
		finding_summary(
			f,
			"All workers of %s are taken (%.1f requests are worked on at any time): requests wait %s on average until one takes them, %u connections in the accept queue%s%s",
			s.label, taken,
			unit_duration(each, sizeof(each), hist_mean(&s.row->wait) * 1e-9),
			s.row->backlog, who.pid ? "; waiting: " : "",
			end_label(who, "", client, sizeof(client)));
		f->impact.lost = s.unread;
		f->confidence = 0.9;
		finding_evidence(f, "red.queue_wait, requests that wait for a worker", s.unread,
				 "requests", 1, REQUESTS);
		finding_evidence(f, "red.queue_wait, mean", hist_mean(&s.row->wait) * 1e-9, "s",
				 0.05, REQUESTS);
		finding_evidence(f, "red.backlog", s.row->backlog, "connections", 1,
				 "its listening socket");
		finding_evidence(f, "requests that are worked on", taken, "requests", NAN,
				 REQUESTS);
		red_tell_durations(f, &s);
		red_tell_next(f, &s);
		finding_next(f, "grep -H . /proc/%lld/task/*/wchan", (long long)s.row->pid);
	}
	return true;
}

static double timers_of(const struct view *v, const char *comm)
{
	double sum = 0;

	for (size_t i = 0; i < v->nlost; i++) {
		double t = strcmp(v->lost[i].name, comm) != 0
				   ? NAN
				   : waits_of(v, v->lost[i].pid, WAIT_TIMER);

		sum += isnan(t) ? 0 : t;
	}
	return sum;
}

bool red_slow_server(const struct rule *r, const struct view *v, struct findings *fs)
{
	if (!red_followed(v))
		return false;
	for (size_t i = 0; i < v->reds->n; i++) {
		struct red_service s = red_service_of(v, &v->reds->rows[i]);
		double run, cpu, stuck, reply, timers, own, worked;
		char words[160], client[96];
		const struct red_name *op;
		struct finding *f;
		const char *part;
		struct end who;
		bool tail;

		if (!red_serves(s.row) || red_is_opaque(s.row) || red_queues(&s) ||
		    !red_is_slow(r, &s, &tail))
			continue;
		worked = isnan(s.unread) ? s.busy : s.busy - s.unread;
		run = red_of_its_kind(v, s.row->comm, red_running);
		cpu = run + red_of_its_kind(v, s.row->comm, waiting_for_cpu);
		stuck = red_of_its_kind(v, s.row->comm, blocked);
		reply = red_of_its_kind(v, s.row->comm, awaiting);
		timers = timers_of(v, s.row->comm);
		own = cpu + stuck + timers;
		if (reply >= 0.5 * worked && own < 0.5 * worked)
			continue; /* it waits for another service */
		/* whoever only waits for something to happen may have that for its job */
		if (own < 0.5 * worked)
			continue;
		part = cpu >= 0.5 * own      ? "on or for a CPU"
		       : timers >= 0.5 * own ? "asleep by its own timers"
					     : "blocked in disk, files, locks or memory";
		who = red_client_of(v, s.row);
		red_slow_words(&s, tail, words, sizeof(words));
		f = red_start(r, v, fs, &s);
		finding_summary(
			f,
			"%s is slow: %s; %.1f requests of %s wait at any time, and the server spends them %s",
			s.label, words, s.busy, end_label(who, "clients", client, sizeof(client)),
			part);
		f->impact.lost = s.busy;
		f->confidence = tail ? 0.75 : 0.7; /* the norm of its kind is no measurement */
		f->estimated = true;
		finding_evidence(f, "requests under way", s.busy, "requests", 1, REQUESTS);
		red_tell_durations(f, &s);
		finding_evidence(f, "red.p90 / red.p50",
				 hist_percentile(&s.row->total, 0.9) /
					 hist_percentile(&s.row->total, 0.5),
				 "ratio", tail ? RED_TAIL : NAN, REQUESTS);
		finding_evidence(f, "CPU time of the server", run, "s/s", NAN, "its threads");
		finding_evidence(f, "asleep by timers", timers, "s/s", NAN, "its threads");
		op = reds_top(v->reds, s.row, RED_OPERATION, 0);
		if (op)
			finding_symptom(f, "most of the time went to %s", op->name);
		red_tell_next(f, &s);
		if (s.row->pid)
			finding_next(f, "grep -H . /proc/%lld/task/*/wchan", (long long)s.row->pid);
	}
	return true;
}

bool red_slow_dependency(const struct rule *r, const struct view *v, struct findings *fs)
{
	if (!red_followed(v))
		return false;
	for (size_t i = 0; i < v->reds->n; i++) {
		struct red_service s = red_service_of(v, &v->reds->rows[i]);
		char words[160], who[96];
		struct finding *f;
		bool tail;

		/* what speaks no protocol that is known may push, and answer when it likes */
		if (red_serves(s.row) || red_protocol(s.row) == RED_PLAIN || red_is_opaque(s.row) ||
		    !red_is_slow(r, &s, &tail))
			continue;
		red_slow_words(&s, tail, words, sizeof(words));
		f = red_start(r, v, fs, &s);
		finding_summary(f, "%s waits for %s: %s, %.1f are unanswered at any time",
				process_label(who, sizeof(who), s.row->comm, s.row->pid),
				f->instance, words, s.busy);
		f->impact.lost = s.busy;
		f->confidence = 0.7;
		finding_evidence(f, "requests under way", s.busy, "requests", 1, REQUESTS);
		red_tell_durations(f, &s);
		red_tell_next(f, &s);
		finding_next(f, "ss -tinp 'dport = :%u'", s.row->key.port);
	}
	return true;
}
