/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about connections that are being made: queues of listening sockets, handshakes that fail, connections too short. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/net.h"
#include "checklist/net_rules.h"

#define NETSTAT "proc/net/netstat"
#define SNMP    "proc/net/snmp"
#define SAMPLES "samples of sockets"
#define HANDSHAKE \
	0.2 /* seconds: a connection that takes longer to be made is late wherever the peer is */
#define SHORT_RATE 500 /* connections a second from which on making them is a load */
#define PER_CONNECTION \
	100e-6 /* CPU seconds that making, closing and remembering one costs at most, both ends */

static double or_zero(double x)
{
	return isnan(x) ? 0 : x;
}

static void name_endpoint(struct finding *f, const struct view *v, size_t ep)
{
	snprintf(f->instance, sizeof(f->instance), "%s",
		 snapshot_name(v->last, SCOPE_ENDPOINT, ep));
}

/* ---- accept queues ---- */

/* What the listening sockets of an endpoint dropped in the window. */
static double listener_drops(const struct view *v, size_t ep, const struct space *s)
{
	double sum = 0;

	for (size_t k = 0; k < sockets_of(v); k++)
		if (sock_is(v, k, M_SOCK_STATE, "LISTEN") && sock_in(v, k, s) &&
		    last_value(v, M_SOCK_PORT, k) == ep_port(v, ep))
			sum += or_zero(sock_grown(v, M_SOCK_DROPS, k));
	return sum;
}

static void overflow_at(const struct rule *r, const struct view *v, struct findings *fs,
			const struct space *s, size_t ep)
{
	double seconds = interval_seconds(v->window), drops = listener_drops(v, ep, s);
	double limit = last_value(v, M_EP_BACKLOG_LIMIT, ep),
	       peak = last_value(v, M_EP_BACKLOG_PEAK, ep);
	double busy = ep_mean(v, M_EP_QUEUE_BUSY, ep),
	       waiting = or_zero(ep_mean(v, M_EP_CONNECTING, ep));
	double passive = space_rate(v, s, NS_TCP_PASSIVE);
	char server[96], client[96], label[160], where[128];
	struct finding *f;

	/* half-open connections that do not fit are dropped at the same counter: then the accept queue is not full */
	if (drops < r->floor * seconds || !(peak >= limit) || !(busy >= 0.1))
		return;
	f = rule_fire(r, fs);
	name_endpoint(f, v, ep);
	end_label(ep_server(v, ep), "the server", server, sizeof(server));
	finding_summary(
		f,
		"%s does not accept connections to %s%s fast enough: its accept queue of %.0f is full, %.1f connection requests/s are dropped and %s waits",
		server, ep_label(v, ep, label, sizeof(label)),
		space_suffix(s, where, sizeof(where)), limit, drops / seconds,
		end_label(ep_client(v, ep), "whoever connects", client, sizeof(client)));
	f->impact.failed = drops / seconds;
	if (waiting > 0)
		f->impact.lost = waiting;
	f->severity = SEV_CRIT; /* nothing more gets in */
	end_offends(f, v, ep_server(v, ep), ep_port(v, ep), 1);
	port_offends(f, v, ep);
	space_offends(f, s, ep_port(v, ep));
	end_suffers(f, v, ep_client(v, ep), ep_port(v, ep));
	finding_evidence(f, "socket.drops of the listening socket", drops / seconds, "1/s",
			 r->floor, "sock_diag");
	finding_evidence(f, "endpoint.accept_queue_peak", peak, "connections", limit, SAMPLES);
	finding_evidence(f, "endpoint.accept_queue_busy", busy, "share of the window", NAN,
			 SAMPLES);
	finding_evidence(f, "tcp.listen_overflows", space_rate(v, s, NS_TCP_LISTEN_OVERFLOWS),
			 "1/s", NAN, NETSTAT);
	if (passive >= 0)
		finding_evidence(f, "tcp.passive_opens", passive, "1/s", NAN, SNMP);
	if (waiting > 0)
		finding_evidence(f, "endpoint.connecting", waiting, "connections", NAN, SAMPLES);
	finding_next(f, "ss -ltn 'sport = :%d'", ep_port(v, ep));
	if (ep_server(v, ep).pid)
		finding_next(f, "grep -H . /proc/%lld/task/*/wchan",
			     (long long)ep_server(v, ep).pid);
	finding_next(f, "sysctl net.core.somaxconn");
}

void net_listen_overflow(const struct rule *r, const struct view *v, struct findings *fs)
{
	static struct space spaces[SPACES];
	size_t n = spaces_of(v, spaces);

	for (size_t i = 0; i < n; i++) {
		if (!(space_delta(v, &spaces[i], NS_TCP_LISTEN_OVERFLOWS) > 0))
			continue;
		for (size_t e = 0; e < endpoints_of(v); e++)
			if (ep_in(v, e, &spaces[i]) && ep_is(v, e, "tcp") &&
			    last_value(v, M_EP_LOCAL, e) == 1)
				overflow_at(r, v, fs, &spaces[i], e);
	}
}

/* Threads that wait for work while connections wait for them: poll, or accept itself. */
static double idle_of(const struct view *v, int64_t pid)
{
	return waits_of(v, pid, WAIT_POLL) + waits_of(v, pid, WAIT_SOCKET);
}

void net_accept_slow(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t e = 0; e < endpoints_of(v); e++) {
		double busy = ep_mean(v, M_EP_QUEUE_BUSY, e), queued = ep_mean(v, M_EP_QUEUED, e),
		       idle;
		struct end server = ep_server(v, e);
		char name[96], label[160];
		struct finding *f;

		if (!(busy >= r->floor) || !(queued >= 1) || !server.pid)
			continue;
		idle = idle_of(v, server.pid);
		/* at least one thread with nothing to do all the time, and little work in the process */
		if (!(idle >= 0.8) || !(cpu_of(v, server.pid) < 0.5))
			continue;
		f = rule_fire(r, fs);
		name_endpoint(f, v, e);
		finding_summary(
			f,
			"%s leaves %.1f connections to %s waiting in the accept queue while its threads wait for work",
			end_label(server, "the server", name, sizeof(name)), queued,
			ep_label(v, e, label, sizeof(label)));
		f->impact.lost = queued;
		f->estimated = true;
		f->confidence = 0.7;
		end_offends(f, v, server, ep_port(v, e), 1);
		port_offends(f, v, e);
		end_suffers(f, v, ep_client(v, e), ep_port(v, e));
		finding_evidence(f, "endpoint.accept_queue_busy", busy, "share of the window",
				 r->floor, SAMPLES);
		finding_evidence(f, "endpoint.accept_queued", queued, "connections", 1, SAMPLES);
		finding_evidence(f, "idle threads of the server", idle, "threads", 0.8,
				 "samples of threads");
		finding_next(f, "ss -ltnx");
		finding_next(f, "strace -f -e trace=accept,accept4,epoll_wait,poll -p %lld",
			     (long long)server.pid);
	}
}

/* ---- half-open connections ---- */

void net_syn_flood(const struct rule *r, const struct view *v, struct findings *fs)
{
	static struct space spaces[SPACES];
	size_t n = spaces_of(v, spaces);

	for (size_t i = 0; i < n; i++) {
		const struct space *s = &spaces[i];
		double cookies = fmax(or_zero(space_rate(v, s, NS_TCP_SYNCOOKIES)),
				      or_zero(space_rate(v, s, NS_TCP_REQQ_COOKIES)));
		double drops = or_zero(space_rate(v, s, NS_TCP_REQQ_DROPS)),
		       made = or_zero(space_rate(v, s, NS_TCP_PASSIVE));
		size_t ep = ep_most(v, s, M_EP_HALF_OPEN, "tcp");
		char server[96], label[160], where[128], peers[48];
		double half, limit, addresses;
		struct finding *f;

		/* clients that complete their handshake are a crowd, not a flood */
		if (cookies + drops < r->floor || made > cookies + drops || ep == SIZE_MAX)
			continue;
		half = ep_mean(v, M_EP_HALF_OPEN, ep);
		limit = last_value(v, M_EP_BACKLOG_LIMIT, ep);
		addresses = last_value(v, M_EP_PEERS, ep);
		if (!(half >= fmin(0.5 * limit, 32)))
			continue;
		f = rule_fire(r, fs);
		name_endpoint(f, v, ep);
		snprintf(peers, sizeof(peers), addresses >= 64 ? "more than 60" : "%.0f",
			 addresses);
		finding_summary(
			f,
			"SYN flood on %s of %s%s: %.0f half-open connections from %s addresses fill its queue, %.0f SYNs/s get a cookie or are dropped and %.1f/s become connections",
			ep_label(v, ep, label, sizeof(label)),
			end_label(ep_server(v, ep), "the server", server, sizeof(server)),
			space_suffix(s, where, sizeof(where)), half, peers, cookies + drops, made);
		f->impact.failed = cookies + drops;
		f->confidence = addresses >= 8 ? 0.9 : 0.75;
		end_offends(f, v, ep_server(v, ep), ep_port(v, ep), NAN);
		port_offends(f, v, ep);
		space_offends(f, s, ep_port(v, ep));
		end_suffers(f, v, ep_server(v, ep), ep_port(v, ep));
		finding_evidence(f, "tcp.syncookies_sent, tcp.request_queue_drops", cookies + drops,
				 "1/s", r->floor, NETSTAT);
		finding_evidence(f, "endpoint.half_open", half, "connections", limit, SAMPLES);
		finding_evidence(f, "endpoint.peers", addresses, "addresses", 8, SAMPLES);
		finding_evidence(f, "tcp.passive_opens", made, "1/s", NAN, SNMP);
		finding_next(f, "ss -tn state syn-recv 'sport = :%d'", ep_port(v, ep));
		finding_next(f, "sysctl net.ipv4.tcp_syncookies net.ipv4.tcp_max_syn_backlog");
	}
}

/* ---- handshakes without an answer ---- */

/* Is the silence explained by a full accept queue on this very machine? */
static bool queue_is_full(const struct view *v, size_t ep)
{
	return last_value(v, M_EP_LOCAL, ep) == 1 &&
	       last_value(v, M_EP_BACKLOG_PEAK, ep) >= last_value(v, M_EP_BACKLOG_LIMIT, ep) &&
	       ep_mean(v, M_EP_QUEUE_BUSY, ep) >= 0.1;
}

static void timeout_at(const struct rule *r, const struct view *v, struct findings *fs,
		       const struct space *s, size_t ep)
{
	double waiting = ep_mean(v, M_EP_CONNECTING, ep),
	       again = or_zero(ep_mean(v, M_EP_RETRYING, ep));
	double opens = space_rate(v, s, NS_TCP_ACTIVE), each = waiting / opens,
	       made = ep_mean(v, M_EP_CLIENTS, ep);
	bool retried = again >= r->floor,
	     late = each >= HANDSHAKE && waiting >= 1 && !(made > waiting);
	char client[96], label[160], where[128];
	struct finding *f;

	if (!(waiting >= r->floor) || (!retried && !late) || queue_is_full(v, ep))
		return;
	f = rule_fire(r, fs);
	name_endpoint(f, v, ep);
	end_label(ep_client(v, ep), "a program", client, sizeof(client));
	finding_summary(
		f,
		"Connections of %s to %s%s get no answer: %.1f of them wait at any time%s; a filter or a dead host swallows the SYNs",
		client, ep_label(v, ep, label, sizeof(label)),
		space_suffix(s, where, sizeof(where)), waiting,
		retried ? ", sending their SYN again" : "");
	f->impact.lost = waiting;
	f->impact.failed = fmin(opens, waiting);
	f->estimated = true;
	f->confidence = retried ? 0.9 : 0.7;
	port_offends(f, v, ep);
	end_offends(f, v, ep_client(v, ep), ep_port(v, ep), NAN);
	space_offends(f, s, ep_port(v, ep));
	end_suffers(f, v, ep_client(v, ep), ep_port(v, ep));
	finding_evidence(f, "endpoint.connecting", waiting, "connections", r->floor, SAMPLES);
	finding_evidence(f, "endpoint.connecting_again", again, "connections", r->floor, SAMPLES);
	finding_evidence(f, "tcp.syn_retransmits", space_rate(v, s, NS_TCP_SYN_RETRANS), "1/s", NAN,
			 NETSTAT);
	finding_evidence(f, "tcp.active_opens", opens, "1/s", NAN, SNMP);
	finding_next(f, "ss -tnp state syn-sent 'dport = :%d'", ep_port(v, ep));
	finding_next(f, "nft list ruleset; iptables-save -c");
	finding_next(f, "tcptraceroute %s %d", last_text(v, M_EP_ADDRESS, ep), ep_port(v, ep));
}

void net_connect_timeout(const struct rule *r, const struct view *v, struct findings *fs)
{
	static struct space spaces[SPACES];
	size_t n = spaces_of(v, spaces);

	for (size_t i = 0; i < n; i++)
		for (size_t e = 0; e < endpoints_of(v); e++)
			if (ep_in(v, e, &spaces[i]) && ep_is(v, e, "tcp"))
				timeout_at(r, v, fs, &spaces[i], e);
}

/* ---- handshakes that are refused ---- */

/* Where the refused connections go to: seen while their SYN was out, never seen established. */
static size_t refused_endpoint(const struct view *v, const struct space *s)
{
	size_t most = SIZE_MAX;
	double best = 0;

	for (size_t e = 0; e < endpoints_of(v); e++) {
		double hits = ep_count(v, M_EP_SYN_HITS, e);

		if (hits > best && ep_in(v, e, s) && ep_is(v, e, "tcp") &&
		    !(ep_mean(v, M_EP_CLIENTS, e) > 0.1) && !(ep_mean(v, M_EP_RETRYING, e) > 0) &&
		    !(last_value(v, M_EP_LOCAL, e) == 1)) {
			best = hits;
			most = e;
		}
	}
	return most;
}

void net_refused(const struct rule *r, const struct view *v, struct findings *fs)
{
	static struct space spaces[SPACES];
	size_t n = spaces_of(v, spaces);

	for (size_t i = 0; i < n; i++) {
		const struct space *s = &spaces[i];
		double fails = space_rate(v, s, NS_TCP_ATTEMPT_FAILS),
		       resets = space_rate(v, s, NS_TCP_OUT_RSTS), share = NAN;
		double half_open =
			s->row == SIZE_MAX ? or_zero(system_rate(v->window, M_TCP_EMBRYONIC)) : 0;
		struct end who = { 0, "" };
		char client[96], label[160] = "", where[128];
		struct finding *f;
		bool here;
		size_t ep;

		fails -= half_open; /* handshakes from outside that were given up */
		if (!(fails >= r->floor))
			continue;
		ep = refused_endpoint(v, s);
		if (ep != SIZE_MAX)
			who = ep_client(v, ep);
		if (!who.pid)
			who = opener_of(v, s, &share);
		here = resets >= 0.8 * fails;
		f = rule_fire(r, fs);
		end_label(who, "A program", client, sizeof(client));
		if (ep != SIZE_MAX) {
			name_endpoint(f, v, ep);
			finding_summary(
				f,
				"%.0f connections/s are refused: %s connects to %s%s, where nothing listens",
				fails, client, ep_label(v, ep, label, sizeof(label)),
				space_suffix(s, where, sizeof(where)));
			port_offends(f, v, ep);
		} else {
			finding_summary(
				f,
				"%.0f connections/s are refused%s: %s connects to a port where nothing listens%s",
				fails, space_suffix(s, where, sizeof(where)), client,
				here ? ", on this machine" : "");
			f->confidence = who.pid ? 0.8 : 0.7;
		}
		f->impact.failed = fails;
		end_offends(f, v, who, ep == SIZE_MAX ? 0 : ep_port(v, ep), share);
		space_offends(f, s, 0);
		end_suffers(f, v, who, ep == SIZE_MAX ? 0 : ep_port(v, ep));
		finding_evidence(f, "tcp.attempt_fails", fails, "1/s", r->floor, SNMP);
		finding_evidence(f, "tcp.active_opens", space_rate(v, s, NS_TCP_ACTIVE), "1/s", NAN,
				 SNMP);
		finding_evidence(f, "tcp.out_resets", resets, "1/s", NAN, SNMP);
		if (ep != SIZE_MAX)
			finding_evidence(f, "endpoint.syn_seen", ep_count(v, M_EP_SYN_HITS, ep),
					 "attempts caught", 1, SAMPLES);
		if (who.pid)
			finding_next(f, "strace -f -e trace=connect -p %lld", (long long)who.pid);
		finding_next(f, "ss -ltnp");
	}
}

/* ---- connections that end by a reset ---- */

/* The endpoint whose connections come and go most and leave no TIME-WAIT behind. */
static size_t reset_endpoint(const struct view *v, const struct space *s)
{
	size_t most = SIZE_MAX;
	double best = 0;

	for (size_t e = 0; e < endpoints_of(v); e++) {
		double fresh = ep_count(v, M_EP_SEEN_NEW, e);

		if (fresh > best && ep_in(v, e, s) && ep_is(v, e, "tcp") &&
		    !(last_value(v, M_EP_TIME_WAIT, e) > fresh)) {
			best = fresh;
			most = e;
		}
	}
	return most;
}

void net_reset(const struct rule *r, const struct view *v, struct findings *fs)
{
	static struct space spaces[SPACES];
	size_t n = spaces_of(v, spaces);

	for (size_t i = 0; i < n; i++) {
		const struct space *s = &spaces[i];
		double resets = space_rate(v, s, NS_TCP_ESTAB_RESETS), opens, share, own;
		double aborts = or_zero(space_rate(v, s, NS_TCP_ABORT_DATA)) +
				or_zero(space_rate(v, s, NS_TCP_ABORT_CLOSE));
		struct end server = { 0, "" }, client = { 0, "" };
		char a[96], b[96], label[160], where[128];
		struct finding *f;
		size_t ep;

		opens = or_zero(space_rate(v, s, NS_TCP_ACTIVE)) +
			or_zero(space_rate(v, s, NS_TCP_PASSIVE));
		share = resets / fmax(opens, resets);
		own = aborts / resets;
		/* clients out there hang up by reset all the time; when programs here do it, less is a fault */
		if (!(resets >= r->floor) || share < (own >= 0.3 ? 0.05 : 0.25))
			continue;
		ep = reset_endpoint(v, s);
		f = rule_fire(r, fs);
		space_suffix(s, where, sizeof(where));
		if (ep != SIZE_MAX) {
			server = ep_server(v, ep);
			client = ep_client(v, ep);
			name_endpoint(f, v, ep);
			finding_summary(
				f,
				"%.0f established connections/s end by a reset (%.0f %% of those made)%s: %s at %s cuts off %s",
				resets, share * 100, where,
				end_label(server, own >= 0.3 ? "a program here" : "the peer", a,
					  sizeof(a)),
				ep_label(v, ep, label, sizeof(label)),
				end_label(client, "its clients", b, sizeof(b)));
			end_offends(f, v, server, ep_port(v, ep), 1);
			port_offends(f, v, ep);
			end_suffers(f, v, client, ep_port(v, ep));
			f->confidence = server.pid ? 0.85 : 0.7;
		} else {
			finding_summary(
				f,
				"%.0f established connections/s end by a reset (%.0f %% of those made)%s",
				resets, share * 100, where);
			f->confidence = 0.6;
		}
		space_offends(f, s, 0);
		f->impact.failed = resets;
		finding_evidence(f, "tcp.established_resets", resets, "1/s", r->floor, SNMP);
		finding_evidence(f, "share of the connections made", share, "ratio",
				 own >= 0.3 ? 0.05 : 0.25, SNMP);
		finding_evidence(f, "tcp.aborts_on_data + tcp.aborts_on_close", aborts, "1/s", NAN,
				 NETSTAT);
		finding_next(f, "nstat -az | grep -E 'Abort|EstabResets|OutRsts'");
		if (server.pid)
			finding_next(f, "strace -f -e trace=close,shutdown,setsockopt -p %lld",
				     (long long)server.pid);
	}
}

/* ---- connections too short ---- */

void net_churn(const struct rule *r, const struct view *v, struct findings *fs)
{
	static struct space spaces[SPACES];
	size_t n = spaces_of(v, spaces);

	for (size_t i = 0; i < n; i++) {
		const struct space *s = &spaces[i];
		double opens = fmax(or_zero(space_rate(v, s, NS_TCP_ACTIVE)),
				    or_zero(space_rate(v, s, NS_TCP_PASSIVE)));
		double fails = or_zero(space_rate(v, s, NS_TCP_ATTEMPT_FAILS)), cpu, wasted,
		       share = NAN;
		size_t ep = ep_most(v, s, M_EP_TIME_WAIT, "tcp");
		char a[96], b[96], label[160], where[128];
		struct end client, server;
		struct finding *f;

		/* connections that fail have findings of their own */
		if (opens - fails < SHORT_RATE)
			continue;
		if (ep == SIZE_MAX || ep_count(v, M_EP_SEEN_NEW, ep) < 1)
			ep = ep_most(v, s, M_EP_SEEN_NEW, "tcp");
		/* thousands of visitors with one connection each are what a public server is for */
		if (ep == SIZE_MAX || last_value(v, M_EP_PEERS, ep) > 4)
			continue;
		client = ep_client(v, ep);
		server = ep_server(v, ep);
		if (!client.pid)
			client = opener_of(v, s, &share);
		cpu = or_zero(system_cpu_of(v, client.pid)) + or_zero(system_cpu_of(v, server.pid));
		wasted = fmin(cpu, opens * PER_CONNECTION);
		if (wasted < r->floor)
			continue;
		f = rule_fire(r, fs);
		name_endpoint(f, v, ep);
		finding_summary(
			f,
			"%s makes %.0f short connections/s to %s of %s%s instead of keeping them: setting them up and down takes %.2f CPUs",
			end_label(client, "A program", a, sizeof(a)), opens,
			ep_label(v, ep, label, sizeof(label)),
			end_label(server, "a server", b, sizeof(b)),
			space_suffix(s, where, sizeof(where)), wasted);
		f->impact.wasted = wasted;
		f->estimated = true;
		f->confidence = client.pid ? 0.85 : 0.65;
		end_offends(f, v, client, ep_port(v, ep), share);
		port_offends(f, v, ep);
		space_offends(f, s, ep_port(v, ep));
		end_suffers(f, v, server, ep_port(v, ep));
		finding_evidence(f, "connections made", opens, "1/s", SHORT_RATE, SNMP);
		finding_evidence(f, "endpoint.time_wait", last_value(v, M_EP_TIME_WAIT, ep),
				 "connections", NAN, SAMPLES);
		finding_evidence(f, "tcp.time_wait", space_level(v, s, NS_TCP_TIME_WAIT),
				 "connections", NAN, "proc/net/sockstat");
		finding_evidence(f, "system CPU time of both ends", cpu, "s/s", r->floor,
				 "proc/PID/stat");
		finding_next(f,
			     "ss -s; ss -tan state time-wait 'dport = :%d or sport = :%d' | wc -l",
			     ep_port(v, ep), ep_port(v, ep));
		if (client.pid)
			finding_next(f, "strace -c -f -p %lld", (long long)client.pid);
	}
}
