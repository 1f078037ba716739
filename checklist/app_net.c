/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of services, as far as their sockets tell: who queues for whom, who waits for an answer. What a request is, and whether
 * its answer was an error, only the protocol says. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/app_red.h"
#include "checklist/net.h"
#include "checklist/rule.h"

#define SAMPLES  "samples of sockets"
#define THREADS  "samples of threads"
#define DIAG     "sock_diag"
#define PROTOCOL "eBPF: requests and answers read from the sockets"

static double or_zero(double x)
{
	return isnan(x) ? 0 : x;
}

static const struct space *space_of(const struct view *v, size_t ep, const struct space *s,
				    size_t n)
{
	return space_by_name(s, n, last_text(v, M_EP_NETNS, ep));
}

static struct finding *start(const struct rule *r, const struct view *v, struct findings *fs,
			     size_t ep)
{
	struct finding *f = rule_fire(r, fs);

	snprintf(f->instance, sizeof(f->instance), "%s",
		 snapshot_name(v->last, SCOPE_ENDPOINT, ep));
	f->estimated = true;
	end_offends(f, v, ep_server(v, ep), ep_port(v, ep), 1);
	port_offends(f, v, ep);
	end_suffers(f, v, ep_client(v, ep), ep_port(v, ep));
	return f;
}

/* Sum over the processes of the server's name: forked workers share the listening socket. */
static double of_its_kind(const struct view *v, const char *comm,
			  double (*amount)(const struct view *v, int64_t pid))
{
	double sum = 0;

	for (size_t p = 0; p < interval_rows(v->window, SCOPE_PROCESS); p++)
		if (!strcmp(interval_name(v->window, SCOPE_PROCESS, p), comm))
			sum += or_zero(amount(
				v, (int64_t)interval_row(v->window, SCOPE_PROCESS, p)->id.key));
	return sum;
}

/* ---- one thread for all ---- */

static unsigned busy_processes(const struct view *v, const char *comm)
{
	unsigned n = 0;

	for (size_t p = 0; p < interval_rows(v->window, SCOPE_PROCESS); p++)
		n += !strcmp(interval_name(v->window, SCOPE_PROCESS, p), comm) &&
		     cpu_of(v, (int64_t)interval_row(v->window, SCOPE_PROCESS, p)->id.key) >= 0.3;
	return n;
}

static void check_single_thread(const struct rule *r, const struct view *v, struct findings *fs)
{
	if (red_single_thread(r, v, fs))
		return;
	for (size_t e = 0; e < endpoints_of(v); e++) {
		struct end server = ep_server(v, e);
		double queue = or_zero(ep_mean(v, M_EP_UNREAD, e)) +
			       or_zero(ep_mean(v, M_EP_QUEUED, e)),
		       run, second;
		char name[96], label[160];
		struct finding *f;

		if (last_value(v, M_EP_LOCAL, e) != 1 || !server.pid || queue < 1)
			continue;
		run = busiest_thread_of(v, server.pid, &second);
		if (!(run >= r->floor) || second >= 0.3 || busy_processes(v, server.comm) > 1)
			continue;
		f = start(r, v, fs, e);
		finding_summary(
			f,
			"The one thread of %s that serves %s is on a CPU %.0f %% of the time, and %.1f connections wait with unread requests",
			end_label(server, "the server", name, sizeof(name)),
			ep_label(v, e, label, sizeof(label)), run * 100, queue);
		f->impact.serial = fmin(run, 1);
		f->confidence = 0.85;
		finding_evidence(f, "thread.run of its busiest thread", run, "s/s", r->floor,
				 "proc/PID/task/TID/schedstat");
		finding_evidence(f, "thread.run of the next one", second, "s/s", 0.3,
				 "proc/PID/task/TID/schedstat");
		finding_evidence(f, "endpoint.unread + endpoint.accept_queued", queue,
				 "connections", 1, SAMPLES);
		finding_next(f, "pidstat -t -p %lld 1 3", (long long)server.pid);
		finding_next(f, "perf top -t $(ps -L -o tid= --sort=-pcpu -p %lld | head -1)",
			     (long long)server.pid);
	}
}

/* ---- all workers taken ---- */

static void check_workers(const struct rule *r, const struct view *v, struct findings *fs)
{
	static struct space spaces[SPACES];
	size_t n = spaces_of(v, spaces);

	if (red_workers(r, v, fs))
		return;
	for (size_t e = 0; e < endpoints_of(v); e++) {
		const struct space *s = space_of(v, e, spaces, n);
		double busy = ep_mean(v, M_EP_QUEUE_BUSY, e), queued = ep_mean(v, M_EP_QUEUED, e),
		       pinned = ep_mean(v, M_EP_PINNED, e);
		double workers = last_value(v, M_EP_WORKERS, e), accepts, wait, run, second;
		struct end server = ep_server(v, e);
		char name[96], label[160], shown[32], client[96], taken[40];
		struct finding *f;

		if (!(busy >= r->floor) || !(queued >= 1) || !(workers >= 1) ||
		    !(pinned >= 0.6 * busy) || !s)
			continue;
		/* all that the namespace accepts: an upper bound of what this endpoint does, so the wait is a lower bound */
		accepts = space_rate(v, s, NS_TCP_PASSIVE);
		wait = queued / accepts;
		if (!(accepts * interval_seconds(v->window) >= 1) || !(wait >= 0.05))
			continue;
		run = busiest_thread_of(v, server.pid, &second);
		if (run >= 0.9)
			continue; /* it works as fast as it can: another finding */
		f = start(r, v, fs, e);
		snprintf(taken, sizeof(taken), workers > 1 ? "All %.0f workers" : "The only worker",
			 workers);
		finding_summary(
			f,
			"%s of %s %s taken: %.1f connections to %s wait in the accept queue, about %s each%s%s",
			taken, end_label(server, "the server", name, sizeof(name)),
			workers > 1 ? "are" : "is", queued, ep_label(v, e, label, sizeof(label)),
			unit_duration(shown, sizeof(shown), wait),
			ep_client(v, e).pid ? "; waiting: " : "",
			end_label(ep_client(v, e), "", client, sizeof(client)));
		f->impact.lost = queued;
		f->confidence = 0.85;
		finding_evidence(f, "endpoint.accept_queue_busy", busy, "share of the window",
				 r->floor, SAMPLES);
		finding_evidence(f, "endpoint.accept_queued", queued, "connections", 1, SAMPLES);
		finding_evidence(f, "endpoint.accepted", workers, "connections at a time", NAN,
				 SAMPLES);
		finding_evidence(f, "endpoint.pinned", pinned, "share of the window", 0.6 * busy,
				 SAMPLES);
		finding_evidence(f, "tcp.passive_opens", accepts, "1/s", NAN, "proc/net/snmp");
		if (!isnan(run))
			finding_evidence(f, "thread.run of its busiest thread", run, "s/s", 0.9,
					 "proc/PID/task/TID/schedstat");
		finding_next(f, "ss -ltn 'sport = :%d'", ep_port(v, e));
		if (server.pid)
			finding_next(f, "grep -H . /proc/%lld/task/*/wchan", (long long)server.pid);
	}
}

/* ---- slow answers ---- */

struct answers {
	double waiting; /* client connections that wait for an answer, mean */
	double rate;    /* answers per second */
};

/* Of connections that live long enough to have rows: only those that got an answer in the window count, for one that never
 * does may be waiting for an event by design. */
static struct answers answers_at(const struct view *v, size_t ep, const struct space *s)
{
	double seconds = interval_seconds(v->window);
	struct answers a = { 0, 0 };

	for (size_t k = 0; k < sockets_of(v); k++) {
		double in, out;

		if (sock_serves(v, k) || !sock_at(v, k, ep))
			continue;
		in = or_zero(sock_grown(v, M_SOCK_DATA_SEGS_IN, k));
		out = or_zero(sock_grown(v, M_SOCK_DATA_SEGS_OUT, k));
		if (in < 1 || out < 1)
			continue;
		a.waiting += or_zero(sock_grown(v, M_SOCK_AWAITING, k)) /
			     or_zero(grown(v, M_EP_SAMPLED, ep, true));
		a.rate += fmin(in, out) / seconds;
	}
	if (a.rate > 0)
		return a;
	a.waiting = or_zero(ep_mean(v, M_EP_AWAITING_NEW, ep));
	a.rate = ep_count(v, M_EP_SEEN_NEW, ep) >= 3 ? or_zero(space_rate(v, s, NS_TCP_ACTIVE)) : 0;
	return a;
}

/* Sleeps that are work: a thread that waits for its next request sits in poll or recv, and a pool waits on futexes. */
static double working_waits(const struct view *v, int64_t pid)
{
	static const enum wait waits[] = { WAIT_TIMER, WAIT_DISK, WAIT_FS,    WAIT_KLOCK,
					   WAIT_CHILD, WAIT_PIPE, WAIT_FLOCK, WAIT_D_OTHER };
	double sum = 0;

	for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++)
		sum += or_zero(waits_of(v, pid, waits[i]));
	return sum;
}

static double asleep_on_timers(const struct view *v, int64_t pid)
{
	return waits_of(v, pid, WAIT_TIMER);
}

static double runnable_of(const struct view *v, int64_t pid)
{
	const struct lost_row *l = view_lost_pid(v, pid);

	return l ? l->time[CAUSE_RUNNABLE] / interval_seconds(v->window) : 0;
}

/* The endpoint elsewhere that the server itself waits for. */
static size_t dependency_of(const struct view *v, int64_t pid, double least)
{
	for (size_t e = 0; e < endpoints_of(v); e++)
		if (ep_client(v, e).pid == pid && last_value(v, M_EP_LOCAL, e) != 1 &&
		    ep_mean(v, M_EP_AWAITING, e) >= least)
			return e;
	return SIZE_MAX;
}

static bool is_slow(const struct rule *r, const struct view *v, size_t ep,
		    const struct space *spaces, size_t n, struct answers *a)
{
	const struct space *s = space_of(v, ep, spaces, n);

	if (!s || !ep_is(v, ep, "tcp") || last_value(v, M_EP_LOCAL, ep) != 1 ||
	    !ep_server(v, ep).pid || !ep_client(v, ep).pid ||
	    ep_client(v, ep).pid == ep_server(v, ep).pid)
		return false;
	*a = answers_at(v, ep, s);
	/* longer than some seconds is a long poll or a batch job rather than a slow answer */
	return a->waiting >= 1 && a->rate * interval_seconds(v->window) >= 3 &&
	       a->waiting / a->rate >= r->floor && a->waiting / a->rate <= 10;
}

static void check_slow_server(const struct rule *r, const struct view *v, struct findings *fs)
{
	static struct space spaces[SPACES];
	size_t n = spaces_of(v, spaces);

	if (red_slow_server(r, v, fs))
		return;
	for (size_t e = 0; e < endpoints_of(v); e++) {
		double cpu, sleeps, runnable, timers, own;
		struct answers a;
		char name[96], client[96], label[160], shown[32];
		const char *part;
		struct finding *f;
		struct end server;

		if (!is_slow(r, v, e, spaces, n, &a))
			continue;
		server = ep_server(v, e);
		cpu = of_its_kind(v, server.comm, cpu_of);
		runnable = of_its_kind(v, server.comm, runnable_of);
		sleeps = of_its_kind(v, server.comm, working_waits);
		timers = of_its_kind(v, server.comm, asleep_on_timers);
		own = cpu + runnable + sleeps;
		/* whoever only polls while clients wait answers when something happens: that may be its job */
		if (own < 0.5 * a.waiting)
			continue;
		part = cpu + runnable >= 0.5 * own ? "on or for a CPU"
		       : timers >= 0.5 * own       ? "asleep by its own timers"
						   : "blocked in disk, files, pipes or children";
		f = start(r, v, fs, e);
		finding_summary(
			f,
			"%s answers requests to %s after %s on average: %.1f requests of %s wait at any time, and the server spends them %s",
			end_label(server, "the server", name, sizeof(name)),
			ep_label(v, e, label, sizeof(label)),
			unit_duration(shown, sizeof(shown), a.waiting / a.rate), a.waiting,
			end_label(ep_client(v, e), "clients", client, sizeof(client)), part);
		f->impact.lost = a.waiting;
		f->confidence = 0.6;
		finding_evidence(f, "requests that wait for an answer", a.waiting, "connections", 1,
				 SAMPLES);
		finding_evidence(f, "answers", a.rate, "1/s", NAN, DIAG);
		finding_evidence(f, "mean time to the answer", a.waiting / a.rate, "s", r->floor,
				 "requests waiting / answers");
		finding_evidence(f, "CPU time of the server", cpu, "s/s", NAN, "proc/PID/stat");
		finding_evidence(f, "sleeping timers, disk, files, pipes, children", sleeps, "s/s",
				 NAN, THREADS);
		finding_next(f, "grep -H . /proc/%lld/task/*/wchan", (long long)server.pid);
		finding_next(f, "strace -f -r -p %lld", (long long)server.pid);
	}
}

static void check_slow_dependency(const struct rule *r, const struct view *v, struct findings *fs)
{
	static struct space spaces[SPACES];
	size_t n = spaces_of(v, spaces);

	if (red_slow_dependency(r, v, fs))
		return;
	for (size_t e = 0; e < endpoints_of(v); e++) {
		char name[96], label[160], own[160], shown[32];
		struct answers a;
		struct finding *f;
		size_t d;

		if (!is_slow(r, v, e, spaces, n, &a))
			continue;
		d = dependency_of(v, ep_server(v, e).pid, 0.5 * a.waiting);
		if (d == SIZE_MAX)
			continue;
		f = rule_fire(r, fs);
		snprintf(f->instance, sizeof(f->instance), "%s",
			 snapshot_name(v->last, SCOPE_ENDPOINT, d));
		finding_summary(
			f,
			"%s waits for %s: %.1f of its requests there are unanswered, and its own clients at %s wait %s on average",
			end_label(ep_server(v, e), "a server", name, sizeof(name)),
			ep_label(v, d, label, sizeof(label)), ep_mean(v, M_EP_AWAITING, d),
			ep_label(v, e, own, sizeof(own)),
			unit_duration(shown, sizeof(shown), a.waiting / a.rate));
		f->impact.lost = a.waiting;
		f->estimated = true;
		f->confidence = 0.6;
		port_offends(f, v, d);
		end_suffers(f, v, ep_server(v, e), ep_port(v, e));
		end_suffers(f, v, ep_client(v, e), ep_port(v, e));
		finding_evidence(f, "endpoint.awaiting_reply of the dependency",
				 ep_mean(v, M_EP_AWAITING, d), "connections", 0.5 * a.waiting,
				 SAMPLES);
		finding_evidence(f, "requests that wait for the server", a.waiting, "connections",
				 1, SAMPLES);
		finding_next(f, "ss -tinp 'dport = :%d'", ep_port(v, d));
	}
}

/* ---- retries without a pause ---- */

static void check_retry_storm(const struct rule *r, const struct view *v, struct findings *fs)
{
	static struct space spaces[SPACES];
	size_t n = spaces_of(v, spaces);

	for (size_t i = 0; i < n; i++) {
		const struct space *s = &spaces[i];
		double fails = space_rate(v, s, NS_TCP_ATTEMPT_FAILS), share, cpu;
		size_t ep = ep_most(v, s, M_EP_SYN_HITS, "tcp");
		char name[96], label[160];
		struct end who;
		struct finding *f;

		if (!(fails >= r->floor))
			continue;
		who = opener_of(v, s, &share);
		cpu = cpu_of(v, who.pid);
		/* a pause between two tries would leave the CPU idle */
		if (!who.pid || !(cpu >= r->warn))
			continue;
		f = rule_fire(r, fs);
		snprintf(f->instance, sizeof(f->instance), "%s", s->row_name);
		finding_summary(
			f,
			"%s tries failed connections again at once: %.0f of its attempts/s%s%s fail, and it burns %.2f CPUs",
			end_label(who, "a program", name, sizeof(name)), fails,
			ep == SIZE_MAX ? "" : " to ",
			ep == SIZE_MAX ? "" : ep_label(v, ep, label, sizeof(label)), cpu);
		f->impact.failed = fails;
		f->impact.wasted = cpu;
		f->severity = SEV_CRIT; /* every operation fails */
		f->confidence = 0.85;
		end_offends(f, v, who, ep == SIZE_MAX ? 0 : ep_port(v, ep), share);
		if (ep != SIZE_MAX)
			port_offends(f, v, ep);
		space_offends(f, s, 0);
		finding_evidence(f, "tcp.attempt_fails", fails, "1/s", r->floor, "proc/net/snmp");
		finding_evidence(f, "CPU time of the client", cpu, "s/s", r->warn, "proc/PID/stat");
		finding_evidence(f, "share of the new sockets seen", share, "ratio", NAN,
				 "samples of proc/PID/fd");
		finding_next(f, "strace -f -e trace=connect -p %lld", (long long)who.pid);
	}
}

/* clang-format off */
const struct rule rules_app_net[] = {
	{
		.id = "app.worker_pool_exhausted", .question = "Do connections wait because every worker of a server is taken?",
		.resource = RES_APP, .aspect = ASPECT_SATURATION, .metric = M_EP_SAMPLED, .floor = 0.5, .warn = 0.5, .crit = 10,
		.fires = "connections in the accept queue for at least half of the window, one or more on average and at least 50 ms each, while "
			 "the number of accepted connections does not change and no thread of the server is busy",
		.needs = "sock_diag, samples of all connections",
		.meaning = "The server takes a connection only when a worker is free. Its workers wait for something else.",
		.lookalikes = "A server that uses a whole CPU (app.single_threaded_server_saturated); one that does not accept at all "
			      "(net.listen_overflow); one with idle workers (net.accept_queue_slow).",
		.action = "See what the workers wait for; then more workers, or shorter work.",
		.symptoms = "net.accept_queue_slow net.listen_overflow net.connect_timeout_blackhole app.slow_server", .check = check_workers,
	}, {
		.id = "app.single_threaded_server_saturated", .question = "Is a server limited by its one serving thread?",
		.resource = RES_APP, .aspect = ASPECT_SATURATION, .metric = M_EP_SAMPLED, .floor = 0.9, .warn = 0.9, .crit = 10,
		.fires = "one thread of the listening process on a CPU at least 90 % of the time, no other above 30 %, and one connection or more "
			 "with unread requests or unaccepted on average",
		.needs = "sock_diag, /proc/PID/task/TID/schedstat",
		.meaning = "Requests wait in their sockets until the event loop comes round. More CPUs do not help.",
		.lookalikes = "A busy thread without a queue (cpu.single_thread_bound).",
		.action = "Profile the thread; shorter commands; more instances.",
		.symptoms = "cpu.single_thread_bound app.slow_server net.accept_queue_slow net.listen_overflow", .check = check_single_thread,
	}, {
		.id = "app.slow_server", .question = "Do clients on this machine wait long for a server's answers?",
		.resource = RES_APP, .aspect = ASPECT_DURATION, .metric = M_EP_SAMPLED, .floor = 0.2, .warn = 1, .crit = 1e6,
		.fires = "requests of local clients wait 200 ms to 10 s on average, at least one at any time, and the server's threads spend at "
			 "least half of that on a CPU, waiting for one, asleep by timers, in disk, files, pipes or children",
		.needs = "sock_diag with both ends on this machine, samples of threads; exactly: " PROTOCOL,
		.meaning = "An estimate: connections on which data was sent and nothing has come back, divided by the answers per second. "
			   "Slow is what takes longer than an interactive service should; there is no history to compare with.",
		.lookalikes = "Long polls, blocking queue reads and push connections: the server only polls meanwhile, and nothing is said.",
		.action = "See what the server's threads do (stacks, its own log).", .symptoms = "", .check = check_slow_server,
	}, {
		.id = "app.slow_dependency", .question = "Does a server wait for another service?",
		.resource = RES_APP, .aspect = ASPECT_DURATION, .metric = M_EP_SAMPLED, .floor = 0.2, .warn = 1, .crit = 1e6,
		.fires = "a server whose clients wait as in app.slow_server has at least half as many unanswered requests at an endpoint elsewhere",
		.needs = "sock_diag, samples of all connections; exactly: " PROTOCOL,
		.meaning = "The server passes the waiting on: its time goes to a service on another machine.",
		.lookalikes = "A dependency on this machine is named itself (app.slow_server).",
		.action = "Look at that service, and at the path to it.", .symptoms = "app.slow_server", .check = check_slow_dependency,
	}, {
		.id = "app.retry_storm", .question = "Does a client retry failed connections without a pause?",
		.resource = RES_APP, .aspect = ASPECT_ERRORS, .metric = M_TCP_ATTEMPT_FAILS, .floor = 200, .warn = 0.5, .crit = 1e6,
		.fires = "at least 200 failed connection attempts a second, and the process that opens most sockets uses at least 0.5 CPUs",
		.needs = "/proc/net/snmp, samples of /proc/PID/fd",
		.meaning = "The service is down, and the client does nothing but try again. It will fall on the service when that comes back.",
		.lookalikes = "Many attempts with a pause between them (net.connection_refused). Retries of requests that get an error answer "
			      "need the protocol.",
		.action = "Exponential back-off with jitter, a circuit breaker.",
		.symptoms = "net.connection_refused net.connection_churn cpu.saturated cpu.syscall_storm cpu.context_switch_storm "
			    "cpu.runqueue_latency_bursts cpu.single_thread_bound cpu.softirq_saturated", .check = check_retry_storm,
	}, {
		.id = "app.db_lock_wait", .question = "Do database sessions wait for each other's locks?", .resource = RES_APP,
		.aspect = ASPECT_SATURATION, .metric = M_NONE, .fires = "sessions that wait for a lock of the database", .needs =
		PROTOCOL ", and the database's own view of its locks", .meaning = "One transaction holds what others need.", .lookalikes = "Time in the network (net.*).",
		.action = "pg_blocking_pids(), SHOW ENGINE INNODB STATUS.", .symptoms = "",
	}, {
		.id = "app.connection_pool_wait", .question = "Do requests wait for a free connection of a pool?", .resource = RES_APP,
		.aspect = ASPECT_SATURATION, .metric = M_NONE, .fires = "threads that wait for a pooled connection", .needs =
		"eBPF: the wake-up chain from the pool's condition variable to the socket", .meaning = "The pool is smaller than the work.",
		.lookalikes = "Time in the network (net.*).", .action = "A larger pool, shorter transactions.", .symptoms = "",
	}, { .id = NULL }
};
/* clang-format on */
