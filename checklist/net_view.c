/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces, endpoints, sockets and parties as the rules of the network see them. See net.h. */
#include "checklist/net.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/parties.h"
#include "model/lost.h"

/* ---- cells ---- */

double last_value(const struct view *v, enum metric_id id, size_t last_row)
{
	return snapshot_value(v->last, id, last_row);
}

const char *last_text(const struct view *v, enum metric_id id, size_t last_row)
{
	const char *t = snapshot_text(v->last, id, last_row);

	return t ? t : "";
}

double grown(const struct view *v, enum metric_id id, size_t last_row, bool from_zero)
{
	enum scope sc = metric_get(id)->scope;
	double now = snapshot_value(v->last, id, last_row), before;
	size_t first = snapshot_find(v->first, sc, snapshot_id(v->last, sc, last_row));

	if (isnan(now))
		return NAN;
	before = snapshot_value(v->first, id, first);
	if (isnan(before))
		return from_zero ? now : NAN;
	return now >= before ? now - before : NAN;
}

/* ---- namespaces ---- */

/* The same counter of our namespace and of another one. */
#define PID_MOST 4194304 /* PID_MAX_LIMIT; a capture may say anything */

static int64_t pid_from(double p)
{
	return p > 0 && p <= PID_MOST ? (int64_t)p : 0;
}

static const struct {
	enum metric_id ours, other;
} counters[SPACE_COUNTERS] = {
	[NS_TCP_ACTIVE] = { M_TCP_ACTIVE, M_NETNS_TCP_ACTIVE },
	[NS_TCP_PASSIVE] = { M_TCP_PASSIVE, M_NETNS_TCP_PASSIVE },
	[NS_TCP_ATTEMPT_FAILS] = { M_TCP_ATTEMPT_FAILS, M_NETNS_TCP_ATTEMPT_FAILS },
	[NS_TCP_ESTAB_RESETS] = { M_TCP_ESTAB_RESETS, M_NETNS_TCP_ESTAB_RESETS },
	[NS_TCP_IN_SEGS] = { M_TCP_IN_SEGS, M_NETNS_TCP_IN_SEGS },
	[NS_TCP_OUT_SEGS] = { M_TCP_OUT_SEGS, M_NETNS_TCP_OUT_SEGS },
	[NS_TCP_RETRANS] = { M_TCP_RETRANS, M_NETNS_TCP_RETRANS },
	[NS_TCP_OUT_RSTS] = { M_TCP_OUT_RSTS, M_NETNS_TCP_OUT_RSTS },
	[NS_UDP_IN] = { M_UDP_IN, M_NETNS_UDP_IN },
	[NS_UDP_OUT] = { M_UDP_OUT, M_NETNS_UDP_OUT },
	[NS_UDP_NO_PORTS] = { M_UDP_NO_PORTS, M_NETNS_UDP_NO_PORTS },
	[NS_UDP_RCVBUF_ERRS] = { M_UDP_RCVBUF_ERRS, M_NETNS_UDP_RCVBUF_ERRS },
	[NS_UDP6_IN] = { M_UDP6_IN, M_NETNS_UDP6_IN },
	[NS_UDP6_OUT] = { M_UDP6_OUT, M_NETNS_UDP6_OUT },
	[NS_UDP6_NO_PORTS] = { M_UDP6_NO_PORTS, M_NETNS_UDP6_NO_PORTS },
	[NS_UDP6_RCVBUF_ERRS] = { M_UDP6_RCVBUF_ERRS, M_NETNS_UDP6_RCVBUF_ERRS },
	[NS_TCP_SYNCOOKIES] = { M_TCP_SYNCOOKIES, M_NETNS_TCP_SYNCOOKIES },
	[NS_TCP_LISTEN_OVERFLOWS] = { M_TCP_LISTEN_OVERFLOWS, M_NETNS_TCP_LISTEN_OVERFLOWS },
	[NS_TCP_LISTEN_DROPS] = { M_TCP_LISTEN_DROPS, M_NETNS_TCP_LISTEN_DROPS },
	[NS_TCP_TIMEOUTS] = { M_TCP_TIMEOUTS, M_NETNS_TCP_TIMEOUTS },
	[NS_TCP_DSACK_RECV] = { M_TCP_DSACK_RECV, M_NETNS_TCP_DSACK_RECV },
	[NS_TCP_ABORT_DATA] = { M_TCP_ABORT_DATA, M_NETNS_TCP_ABORT_DATA },
	[NS_TCP_ABORT_CLOSE] = { M_TCP_ABORT_CLOSE, M_NETNS_TCP_ABORT_CLOSE },
	[NS_TCP_ABORT_MEMORY] = { M_TCP_ABORT_MEMORY, M_NETNS_TCP_ABORT_MEMORY },
	[NS_TCP_ABORT_TIMEOUT] = { M_TCP_ABORT_TIMEOUT, M_NETNS_TCP_ABORT_TIMEOUT },
	[NS_TCP_TW_OVERFLOW] = { M_TCP_TW_OVERFLOW, M_NETNS_TCP_TW_OVERFLOW },
	[NS_TCP_REQQ_COOKIES] = { M_TCP_REQQ_COOKIES, M_NETNS_TCP_REQQ_COOKIES },
	[NS_TCP_REQQ_DROPS] = { M_TCP_REQQ_DROPS, M_NETNS_TCP_REQQ_DROPS },
	[NS_TCP_ZERO_WINDOW_TO] = { M_TCP_ZERO_WINDOW_TO, M_NETNS_TCP_ZERO_WINDOW_TO },
	[NS_TCP_SYN_RETRANS] = { M_TCP_SYN_RETRANS, M_NETNS_TCP_SYN_RETRANS },
	[NS_CONNTRACK_DROPS] = { M_CONNTRACK_DROPS, M_NETNS_CONNTRACK_DROPS },
	[NS_CONNTRACK_EARLY_DROPS] = { M_CONNTRACK_EARLY_DROPS, M_NETNS_CONNTRACK_EARLY_DROPS },
	[NS_CONNTRACK_INSERT_FAILED] = { M_CONNTRACK_INSERT_FAILED,
					 M_NETNS_CONNTRACK_INSERT_FAILED },
	[NS_TCP_TIME_WAIT] = { M_TCP_TIME_WAIT, M_NETNS_TCP_TIME_WAIT },
	[NS_TCP_CURRENT] = { M_TCP_CURRENT, M_NETNS_TCP_CURRENT },
	[NS_PORTS_FIRST] = { M_PORTS_FIRST, M_NETNS_PORTS_FIRST },
	[NS_PORTS_LAST] = { M_PORTS_LAST, M_NETNS_PORTS_LAST },
	[NS_CONNTRACK_COUNT] = { M_CONNTRACK_COUNT, M_NETNS_CONNTRACK_COUNT },
	[NS_CONNTRACK_MAX] = { M_CONNTRACK_MAX, M_NETNS_CONNTRACK_MAX },
};

size_t spaces_of(const struct view *v, struct space out[SPACES])
{
	size_t n = 1;

	out[0] = (struct space){ .row_name = "", .label = "", .row = SIZE_MAX, .comm = "" };
	for (size_t r = 0; r < snapshot_rows(v->last, SCOPE_NETNS) && n < SPACES; r++) {
		double pid = last_value(v, M_NETNS_PID, r);

		out[n++] = (struct space){
			.row_name = snapshot_name(v->last, SCOPE_NETNS, r),
			.label = last_text(v, M_NETNS_LABEL, r),
			.row = r,
			.id = snapshot_id(v->last, SCOPE_NETNS, r),
			.pid = pid_from(pid),
			.comm = last_text(v, M_NETNS_COMM, r),
		};
	}
	return n;
}

static size_t window_row(const struct view *v, const struct space *s)
{
	return s->row == SIZE_MAX ? 0 : interval_find(v->window, SCOPE_NETNS, s->id);
}

double space_delta(const struct view *v, const struct space *s, enum space_counter c)
{
	return interval_delta(v->window, s->row == SIZE_MAX ? counters[c].ours : counters[c].other,
			      window_row(v, s));
}

double space_rate(const struct view *v, const struct space *s, enum space_counter c)
{
	return interval_rate(v->window, s->row == SIZE_MAX ? counters[c].ours : counters[c].other,
			     window_row(v, s));
}

double space_level(const struct view *v, const struct space *s, enum space_counter c)
{
	return s->row == SIZE_MAX ? last_value(v, counters[c].ours, 0)
				  : last_value(v, counters[c].other, s->row);
}

const struct space *space_by_name(const struct space *s, size_t n, const char *row_name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(s[i].row_name, row_name))
			return &s[i];
	return NULL;
}

char *space_suffix(const struct space *s, char *out, size_t size)
{
	out[0] = '\0';
	if (s->row != SIZE_MAX)
		snprintf(out, size, " in network namespace %s",
			 s->label[0] ? s->label : s->row_name);
	return out;
}

/* ---- endpoints ---- */

size_t endpoints_of(const struct view *v)
{
	return snapshot_rows(v->last, SCOPE_ENDPOINT);
}

double ep_mean(const struct view *v, enum metric_id id, size_t ep)
{
	double seconds = grown(v, M_EP_SAMPLED, ep, true);

	return seconds > 0 ? grown(v, id, ep, true) / seconds : NAN;
}

double ep_count(const struct view *v, enum metric_id id, size_t ep)
{
	return grown(v, id, ep, true);
}

bool ep_is(const struct view *v, size_t ep, const char *proto)
{
	return !strcmp(last_text(v, M_EP_PROTO, ep), proto);
}

bool ep_in(const struct view *v, size_t ep, const struct space *s)
{
	return !strcmp(last_text(v, M_EP_NETNS, ep), s->row_name);
}

int ep_port(const struct view *v, size_t ep)
{
	double port = last_value(v, M_EP_PORT, ep);

	return port > 0 ? (int)whole(port) : 0;
}

char *ep_label(const struct view *v, size_t ep, char *out, size_t size)
{
	if (ep_is(v, ep, "unix"))
		snprintf(out, size, "%s", last_text(v, M_EP_ADDRESS, ep));
	else
		snprintf(out, size, "%s:%d", last_text(v, M_EP_ADDRESS, ep), ep_port(v, ep));
	return out;
}

size_t ep_most(const struct view *v, const struct space *s, enum metric_id id, const char *proto)
{
	size_t most = SIZE_MAX;
	double best = 0;

	for (size_t e = 0; e < endpoints_of(v); e++) {
		double x = metric_get(id)->kind == KIND_GAUGE ? last_value(v, id, e)
							      : grown(v, id, e, true);

		if (x > best && ep_in(v, e, s) && ep_is(v, e, proto)) {
			best = x;
			most = e;
		}
	}
	return most;
}

/* ---- sockets ---- */

size_t sockets_of(const struct view *v)
{
	return snapshot_rows(v->last, SCOPE_SOCKET);
}

bool sock_is(const struct view *v, size_t sock, enum metric_id label, const char *text)
{
	return !strcmp(last_text(v, label, sock), text);
}

bool sock_in(const struct view *v, size_t sock, const struct space *s)
{
	return sock_is(v, sock, M_SOCK_NETNS, s->row_name);
}

double sock_grown(const struct view *v, enum metric_id id, size_t sock)
{
	return grown(v, id, sock, last_value(v, M_SOCK_NEW, sock) == 1);
}

bool sock_at(const struct view *v, size_t sock, size_t ep)
{
	return sock_is(v, sock, M_SOCK_ENDPOINT, snapshot_name(v->last, SCOPE_ENDPOINT, ep));
}

bool sock_serves(const struct view *v, size_t sock)
{
	return last_value(v, M_SOCK_SERVER, sock) == 1;
}

/* ---- parties ---- */

static struct end end_of(const struct view *v, size_t row, enum metric_id pid, enum metric_id comm)
{
	double p = last_value(v, pid, row);

	return (struct end){ .pid = pid_from(p), .comm = last_text(v, comm, row) };
}

struct end ep_client(const struct view *v, size_t ep)
{
	return end_of(v, ep, M_EP_CLIENT_PID, M_EP_CLIENT_COMM);
}

struct end ep_server(const struct view *v, size_t ep)
{
	return end_of(v, ep, M_EP_SERVER_PID, M_EP_SERVER_COMM);
}

struct end sock_end(const struct view *v, size_t sock)
{
	return end_of(v, sock, M_SOCK_PID, M_SOCK_COMM);
}

char *end_label(struct end e, const char *unknown, char *out, size_t size)
{
	if (!e.pid)
		snprintf(out, size, "%s", unknown);
	else
		process_label(out, size, e.comm, e.pid);
	return out;
}

static void place(struct party *p, const struct view *v, int64_t pid, int port)
{
	size_t row = view_process(v, pid);

	p->port = port;
	if (row != SIZE_MAX)
		process_cgroup(v, snapshot_id(v->last, SCOPE_PROCESS, row), p->cgroup,
			       sizeof(p->cgroup));
}

void end_offends(struct finding *f, const struct view *v, struct end e, int port, double share)
{
	if (e.pid)
		place(finding_offender(f, PARTY_PROCESS, e.comm, e.pid, share), v, e.pid, port);
}

void end_suffers(struct finding *f, const struct view *v, struct end e, int port)
{
	for (unsigned i = 0; i < f->nvictims; i++)
		if (f->victims[i].pid == e.pid)
			return;
	if (e.pid)
		place(finding_victim(f, PARTY_PROCESS, e.comm, e.pid, NAN), v, e.pid, port);
}

void port_offends(struct finding *f, const struct view *v, size_t ep)
{
	char label[160];

	finding_offender(f, PARTY_PORT, ep_label(v, ep, label, sizeof(label)), 0, NAN)->port =
		ep_port(v, ep);
}

void space_offends(struct finding *f, const struct space *s, int port)
{
	if (s->row != SIZE_MAX)
		finding_offender(f, PARTY_NETNS, s->label[0] ? s->label : s->row_name, s->pid, NAN)
			->port = port;
}

static size_t process_row(const struct view *v, int64_t pid)
{
	size_t last = view_process(v, pid);

	return last == SIZE_MAX ? SIZE_MAX
				: interval_find(v->window, SCOPE_PROCESS,
						snapshot_id(v->last, SCOPE_PROCESS, last));
}

double cpu_of(const struct view *v, int64_t pid)
{
	size_t row = process_row(v, pid);

	return interval_rate(v->window, M_PROC_USER, row) +
	       interval_rate(v->window, M_PROC_SYSTEM, row);
}

double system_cpu_of(const struct view *v, int64_t pid)
{
	return interval_rate(v->window, M_PROC_SYSTEM, process_row(v, pid));
}

double waits_of(const struct view *v, int64_t pid, enum wait w)
{
	double sum = 0;

	for (size_t t = 0; t < interval_rows(v->window, SCOPE_THREAD); t++) {
		double s = interval_delta(v->window, wait_metric(w), t);

		if (s > 0 && interval_last(v->window, M_THREAD_PID, t) == (double)pid)
			sum += s;
	}
	return sum / interval_seconds(v->window);
}

double busiest_thread_of(const struct view *v, int64_t pid, double *second)
{
	double most = NAN;

	*second = 0;
	for (size_t t = 0; t < interval_rows(v->window, SCOPE_THREAD); t++) {
		double run = interval_delta(v->window, M_THREAD_RUN, t);

		if (isnan(run) || interval_last(v->window, M_THREAD_PID, t) != (double)pid)
			continue;
		run /= interval_seconds(v->window);
		if (isnan(most) || run > most) {
			*second = isnan(most) ? 0 : most;
			most = run;
		} else if (run > *second) {
			*second = run;
		}
	}
	return most;
}

/* Ours is the namespace that is none of the others. */
static bool lives_in(const struct view *v, size_t process, const struct space *s)
{
	double netns = last_value(v, M_PROC_NETNS, process);

	if (s->row != SIZE_MAX)
		return netns == last_value(v, M_NETNS_INODE, s->row);
	for (size_t r = 0; r < snapshot_rows(v->last, SCOPE_NETNS); r++)
		if (netns == last_value(v, M_NETNS_INODE, r))
			return false;
	return true;
}

struct end opener_of(const struct view *v, const struct space *s, double *share)
{
	struct end e = { 0, "" };
	double most = 0, total = 0;

	for (size_t r = 0; r < snapshot_rows(v->last, SCOPE_PROCESS); r++) {
		double n = last_value(v, M_PROC_SOCKETS_NEW, r);

		if (!(n > 0) || !lives_in(v, r, s))
			continue;
		total += n;
		if (n > most) {
			most = n;
			e = (struct end){ (int64_t)snapshot_id(v->last, SCOPE_PROCESS, r).key,
					  snapshot_name(v->last, SCOPE_PROCESS, r) };
		}
	}
	*share = total > 0 ? most / total : NAN;
	return e;
}

/* ---- interfaces ---- */

double net_rate(const struct view *v, enum metric_id id, size_t last_row)
{
	enum scope sc = metric_get(id)->scope;

	return interval_rate(v->window, id,
			     interval_find(v->window, sc, snapshot_id(v->last, sc, last_row)));
}

double net_mean(const struct view *v, enum metric_id id, size_t last_row)
{
	enum scope sc = metric_get(id)->scope;

	return interval_mean(v->window, id,
			     interval_find(v->window, sc, snapshot_id(v->last, sc, last_row)));
}

bool netif_virtual(const struct view *v, size_t netif)
{
	const char *kind = last_text(v, M_NETIF_KIND, netif);

	return kind[0] && strcmp(kind, "bond") && strcmp(kind, "team");
}
