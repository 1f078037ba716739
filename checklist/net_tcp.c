/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about connections that are established: loss, closed windows, small buffers, held-back segments. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/net.h"
#include "checklist/net_rules.h"

#define DIAG    "sock_diag"
#define SAMPLES "samples of sockets"

static double or_zero(double x)
{
	return isnan(x) ? 0 : x;
}

/* ---- packet loss ---- */

struct loss {
	double retrans, out; /* of the sockets of an endpoint, in the window */
	double busy;         /* connections with data in flight, mean */
	double rto;          /* the longest */
	size_t worst;        /* socket with most retransmissions */
	double worst_retrans;
};

static struct loss loss_at(const struct view *v, size_t ep)
{
	struct loss l = { .worst = SIZE_MAX };

	for (size_t s = 0; s < sockets_of(v); s++) {
		double retrans, spurious;

		if (!sock_at(v, s, ep))
			continue;
		retrans = or_zero(sock_grown(v, M_SOCK_RETRANS, s));
		spurious = or_zero(sock_grown(v, M_SOCK_DSACKS, s));
		l.out += or_zero(sock_grown(v, M_SOCK_DATA_SEGS_OUT, s));
		l.busy += or_zero(sock_grown(v, M_SOCK_BUSY, s)) / interval_seconds(v->window);
		l.retrans += fmax(0, retrans - spurious);
		l.rto = fmax(l.rto, or_zero(last_value(v, M_SOCK_RTO, s)));
		if (retrans > l.worst_retrans) {
			l.worst_retrans = retrans;
			l.worst = s;
		}
	}
	return l;
}

/* The endpoint of the namespace that loses most time, with a share of loss above the floor. */
static size_t worst_endpoint(const struct rule *r, const struct view *v, const struct space *s,
			     struct loss *out)
{
	size_t worst = SIZE_MAX;
	double most = 0;

	for (size_t e = 0; e < endpoints_of(v); e++) {
		double stalled = ep_mean(v, M_EP_RECOVERY, e);
		struct loss l;

		if (!(stalled > most) || !ep_in(v, e, s) || !ep_is(v, e, "tcp"))
			continue;
		l = loss_at(v, e);
		/* connections too short for rows have none of their own: the namespace's counters speak for them */
		if (l.out > 0 &&
		    (l.retrans < 10 || l.retrans / l.out < r->floor || stalled < 0.05 * l.busy))
			continue;
		most = stalled;
		worst = e;
		*out = l;
	}
	return worst;
}

static void loss_finding(const struct rule *r, const struct view *v, struct findings *fs,
			 const struct space *s, size_t ep, const struct loss *l, double share,
			 double lost)
{
	struct finding *f = rule_fire(r, fs);
	const char *netif = l->worst == SIZE_MAX ? "" : last_text(v, M_SOCK_NETIF, l->worst);
	double own = l->out > 0 ? l->retrans / l->out : share,
	       timeouts = space_rate(v, s, NS_TCP_TIMEOUTS);
	char where[128], client[96], server[96], label[160];
	struct end c = { 0, "" }, d = { 0, "" };

	space_suffix(s, where, sizeof(where));
	f->impact.lost = lost;
	f->estimated = true;
	snprintf(f->instance, sizeof(f->instance), "%s", s->row_name);
	if (ep != SIZE_MAX) {
		c = ep_client(v, ep);
		d = ep_server(v, ep);
		finding_summary(
			f,
			"%.1f %% of TCP segments are lost and sent again between %s and %s (%s%s%s)%s: connections spend %.2f s/s in recovery",
			own * 100, end_label(c, "clients", client, sizeof(client)),
			end_label(d, "the server", server, sizeof(server)),
			ep_label(v, ep, label, sizeof(label)), *netif ? ", by " : "", netif, where,
			lost);
		port_offends(f, v, ep);
		snprintf(f->instance, sizeof(f->instance), "%s",
			 snapshot_name(v->last, SCOPE_ENDPOINT, ep));
		end_suffers(f, v, c, ep_port(v, ep));
		end_suffers(f, v, d, ep_port(v, ep));
		finding_evidence(f, "endpoint.recovering", lost, "connections", 0.05, SAMPLES);
		finding_next(f, "ss -tin '( sport = :%d or dport = :%d )'", ep_port(v, ep),
			     ep_port(v, ep));
	} else {
		finding_summary(
			f,
			"%.1f %% of TCP segments are lost and sent again%s, %.1f timeouts/s: short connections, none of which could be followed",
			share * 100, where, timeouts);
		f->confidence = 0.7;
	}
	if (*netif && strcmp(netif, "lo")) {
		finding_offender(f, PARTY_NETIF, netif, 0, NAN);
		finding_next(f, "tc -s qdisc show dev %s; ip -s link show %s", netif, netif);
	}
	space_offends(f, s, 0);
	if (l->out > 0)
		finding_evidence(f, "socket.retransmits / socket.data_segments_out", own, "ratio",
				 r->floor, DIAG);
	finding_evidence(f, "tcp.retransmits, spurious ones taken off", share,
			 "ratio of segments sent", NAN, "proc/net/snmp, proc/net/netstat");
	if (!isnan(timeouts))
		finding_evidence(f, "tcp.timeouts", timeouts, "1/s", NAN, "proc/net/netstat");
	finding_next(
		f, "nstat -az TcpRetransSegs TcpOutSegs TcpExtTCPTimeouts TcpExtTCPLostRetransmit");
}

void net_packet_loss(const struct rule *r, const struct view *v, struct findings *fs)
{
	static struct space spaces[SPACES];
	size_t n = spaces_of(v, spaces);

	for (size_t i = 0; i < n; i++) {
		const struct space *s = &spaces[i];
		double seconds = interval_seconds(v->window),
		       out = space_delta(v, s, NS_TCP_OUT_SEGS);
		double retrans = space_delta(v, s, NS_TCP_RETRANS) -
				 or_zero(space_delta(v, s, NS_TCP_SYN_RETRANS)) -
				 or_zero(space_delta(v, s, NS_TCP_DSACK_RECV));
		double share = retrans / (out + fmax(0, retrans)),
		       timeouts = or_zero(space_delta(v, s, NS_TCP_TIMEOUTS)), lost;
		struct loss l = { .worst = SIZE_MAX };
		size_t ep;

		if (!(retrans >= seconds) || !(out > 0))
			continue;
		ep = worst_endpoint(r, v, s, &l);
		/* a timeout takes 200 ms at least */
		lost = ep != SIZE_MAX ? ep_mean(v, M_EP_RECOVERY, ep) : timeouts * 0.2 / seconds;
		if (lost < r->warn ||
		    (ep == SIZE_MAX && (share < 2 * r->floor || timeouts < seconds)))
			continue;
		loss_finding(r, v, fs, s, ep, &l, share, lost);
	}
}

/* ---- the receiver's window ---- */

/* The other end of a connection whose both ends are on this machine; SIZE_MAX if it is elsewhere. */
static size_t mirror_of(const struct view *v, size_t sock)
{
	double port = last_value(v, M_SOCK_PORT, sock),
	       peer = last_value(v, M_SOCK_PEER_PORT, sock);
	const char *local = last_text(v, M_SOCK_LOCAL, sock),
		   *remote = last_text(v, M_SOCK_REMOTE, sock);

	for (size_t s = 0; s < sockets_of(v); s++)
		if (s != sock && last_value(v, M_SOCK_PORT, s) == peer &&
		    last_value(v, M_SOCK_PEER_PORT, s) == port &&
		    sock_is(v, s, M_SOCK_LOCAL, remote) && sock_is(v, s, M_SOCK_REMOTE, local))
			return s;
	return SIZE_MAX;
}

struct blocked {
	double lost;          /* connections held, mean */
	double limited, busy; /* seconds of the window, all of them */
	unsigned n;
	size_t worst,
		reader; /* the connection held longest; its other end, SIZE_MAX when elsewhere */
	double worst_time;
};

static struct blocked blocked_at(const struct view *v, size_t ep)
{
	struct blocked b = { .worst = SIZE_MAX, .reader = SIZE_MAX };

	for (size_t s = 0; s < sockets_of(v); s++) {
		double t = or_zero(sock_grown(v, M_SOCK_ZERO_WINDOW, s));

		if (!(t > 0) || !sock_at(v, s, ep))
			continue;
		b.n++;
		b.limited += or_zero(sock_grown(v, M_SOCK_RWND_LIMITED, s));
		b.busy += or_zero(sock_grown(v, M_SOCK_BUSY, s));
		if (t > b.worst_time) {
			b.worst_time = t;
			b.worst = s;
		}
	}
	if (b.worst != SIZE_MAX)
		b.reader = mirror_of(v, b.worst);
	return b;
}

static void zero_window_at(const struct rule *r, const struct view *v, struct findings *fs,
			   size_t ep)
{
	double lost = ep_mean(v, M_EP_ZERO_WINDOW, ep),
	       all = ep_mean(v, M_EP_CLIENTS, ep) + ep_mean(v, M_EP_SERVED, ep);
	struct blocked b;
	struct finding *f;
	struct end reader, writer;
	char rl[96], wl[96], label[160];

	if (!(lost >= r->floor))
		return;
	b = blocked_at(v, ep);
	if (b.worst == SIZE_MAX || (b.busy > 0 && b.limited < 0.5 * b.busy))
		return;
	/* a slow reader far away is the reader's business, unless nearly all of them are */
	if (b.reader == SIZE_MAX && lost < 0.8 * all)
		return;
	f = rule_fire(r, fs);
	writer = sock_end(v, b.worst);
	reader = b.reader == SIZE_MAX ? (struct end){ 0, "" } : sock_end(v, b.reader);
	if (!reader.pid && b.reader != SIZE_MAX && sock_serves(v, b.reader))
		reader = ep_server(v, ep);
	ep_label(v, ep, label, sizeof(label));
	snprintf(f->instance, sizeof(f->instance), "%s",
		 snapshot_name(v->last, SCOPE_ENDPOINT, ep));
	finding_summary(
		f,
		"%s does not read what it is sent (%s): its receive window is closed and %s waits %.2f s/s with data to send",
		end_label(reader, "the receiver", rl, sizeof(rl)), label,
		end_label(writer, "the sender", wl, sizeof(wl)), lost);
	f->impact.lost = lost;
	f->estimated = true;
	f->confidence = b.reader == SIZE_MAX ? 0.7 : 0.9;
	end_offends(f, v, reader, ep_port(v, ep), NAN);
	port_offends(f, v, ep);
	end_suffers(f, v, writer, ep_port(v, ep));
	finding_evidence(f, "endpoint.zero_window", lost, "connections", r->floor, SAMPLES);
	finding_evidence(f, "socket.window_limited / socket.busy",
			 b.busy > 0 ? b.limited / b.busy : NAN, "ratio", 0.5, DIAG);
	if (b.reader != SIZE_MAX)
		finding_evidence(f, "socket.receive_queue", last_value(v, M_SOCK_RQUEUE, b.reader),
				 "bytes unread", NAN, DIAG);
	finding_next(f, "ss -tinm '( sport = :%d or dport = :%d )'", ep_port(v, ep),
		     ep_port(v, ep));
	if (reader.pid)
		finding_next(f, "grep -H . /proc/%lld/task/*/wchan", (long long)reader.pid);
}

void net_zero_window(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t e = 0; e < endpoints_of(v); e++)
		zero_window_at(r, v, fs, e);
}

/* ---- the sender's buffer ---- */

void net_sndbuf_limited(const struct rule *r, const struct view *v, struct findings *fs)
{
	double lost = 0, most = 0, seconds = interval_seconds(v->window);
	size_t worst = SIZE_MAX;
	struct finding *f;
	char label[96];

	for (size_t s = 0; s < sockets_of(v); s++) {
		double limited = sock_grown(v, M_SOCK_SNDBUF_LIMITED, s),
		       busy = sock_grown(v, M_SOCK_BUSY, s);

		/* within a millisecond the acknowledgement is back anyway */
		if (!(limited >= 0.5 * busy) || !(limited > 0) ||
		    !(last_value(v, M_SOCK_MIN_RTT, s) >= 1e-3))
			continue;
		lost += limited / seconds;
		if (limited > most) {
			most = limited;
			worst = s;
		}
	}
	if (worst == SIZE_MAX || lost < r->floor)
		return;
	f = rule_fire(r, fs);
	finding_summary(
		f,
		"%s sends slower than the network would take it: its send buffer of %.0f KiB is full %.2f s/s, at a round trip of %.1f ms",
		end_label(sock_end(v, worst), "A program", label, sizeof(label)),
		last_value(v, M_SOCK_SNDBUF, worst) / 1024, lost,
		last_value(v, M_SOCK_RTT, worst) * 1e3);
	f->impact.lost = lost;
	f->confidence = 0.8;
	end_offends(f, v, sock_end(v, worst), (int)whole(last_value(v, M_SOCK_PEER_PORT, worst)),
		    NAN);
	finding_evidence(f, "socket.send_buffer_limited", lost, "s/s", r->floor, DIAG);
	finding_evidence(f, "socket.send_buffer", last_value(v, M_SOCK_SNDBUF, worst), "bytes", NAN,
			 DIAG);
	finding_next(f, "ss -tinm '( dport = :%d )'",
		     (int)whole(last_value(v, M_SOCK_PEER_PORT, worst)));
	finding_next(f, "sysctl net.ipv4.tcp_wmem net.core.wmem_max");
}

/* ---- Nagle and delayed acknowledgements ---- */

void net_nagle(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t e = 0; e < endpoints_of(v); e++) {
		double lost = ep_mean(v, M_EP_NAGLE, e), longest = 0, rtt = NAN, min_rtt = NAN;
		char sender[96], label[160];
		bool served = false;
		struct finding *f;
		struct end who = { 0, "" };

		if (!(lost >= r->floor))
			continue;
		for (size_t s = 0; s < sockets_of(v); s++) {
			double held = or_zero(sock_grown(v, M_SOCK_NAGLE, s));

			if (!(held > longest) || !sock_at(v, s, e))
				continue;
			longest = held;
			rtt = last_value(v, M_SOCK_RTT, s);
			min_rtt = last_value(v, M_SOCK_MIN_RTT, s);
			who = sock_end(v, s);
			served = sock_serves(v, s);
		}
		/* over a long path a round trip is what a held-back segment has to wait: only the delay timer is a fault */
		if (!(min_rtt < 0.01) || !(rtt >= min_rtt + 0.01))
			continue;
		f = rule_fire(r, fs);
		if (!who.pid && !served)
			who = ep_client(v, e);
		finding_summary(
			f,
			"%s writes its messages to %s in small pieces: the last piece waits for the peer's delayed acknowledgement (about %.0f ms each), %.2f s/s",
			end_label(who, "A program", sender, sizeof(sender)),
			ep_label(v, e, label, sizeof(label)), rtt * 1e3, lost);
		snprintf(f->instance, sizeof(f->instance), "%s",
			 snapshot_name(v->last, SCOPE_ENDPOINT, e));
		f->impact.lost = lost;
		f->estimated = true;
		f->confidence = 0.75;
		end_offends(f, v, who, ep_port(v, e), NAN);
		port_offends(f, v, e);
		end_suffers(f, v, ep_client(v, e), ep_port(v, e));
		finding_evidence(f, "endpoint.nagle", lost, "connections", r->floor, SAMPLES);
		finding_evidence(f, "socket.rtt", rtt, "s", NAN, DIAG);
		finding_evidence(f, "socket.min_rtt", min_rtt, "s", 0.01, DIAG);
		if (who.pid)
			finding_next(
				f,
				"strace -f -e trace=write,writev,sendto,sendmsg,setsockopt -p %lld",
				(long long)who.pid);
	}
}

/* ---- path MTU ---- */

/* Large segments go out again and again and nothing is acknowledged, though the handshake worked. */
static bool is_stuck(const struct view *v, size_t s)
{
	return last_value(v, M_SOCK_BACKOFF, s) >= 2 && last_value(v, M_SOCK_MSS, s) >= 1000 &&
	       last_value(v, M_SOCK_UNACKED, s) > 0 &&
	       or_zero(sock_grown(v, M_SOCK_BYTES_ACKED, s)) < last_value(v, M_SOCK_MSS, s) &&
	       or_zero(sock_grown(v, M_SOCK_BYTES_RETRANS, s)) >=
		       0.5 * last_value(v, M_SOCK_MSS, s) *
			       or_zero(sock_grown(v, M_SOCK_RETRANS, s));
}

void net_pmtu_blackhole(const struct rule *r, const struct view *v, struct findings *fs)
{
	unsigned stuck = 0, alive = 0;
	size_t first = SIZE_MAX;
	struct finding *f;
	char label[96];

	for (size_t s = 0; s < sockets_of(v); s++)
		if (sock_is(v, s, M_SOCK_STATE, "ESTAB") && is_stuck(v, s) && !stuck++)
			first = s;
	for (size_t s = 0; stuck && s < sockets_of(v); s++)
		/* the path itself works: that is what tells it from a peer that is gone */
		alive += sock_is(v, s, M_SOCK_REMOTE, last_text(v, M_SOCK_REMOTE, first)) &&
			 !is_stuck(v, s) && last_value(v, M_SOCK_BACKOFF, s) == 0 &&
			 or_zero(sock_grown(v, M_SOCK_SEGS_IN, s)) > 0;
	if (stuck < r->floor || !alive)
		return;
	f = rule_fire(r, fs);
	finding_summary(
		f,
		"%u connections to %s are stuck on full-size segments (%.0f bytes) while small ones pass: something on the path drops large packets and does not say so (%s)",
		stuck, last_text(v, M_SOCK_REMOTE, first), last_value(v, M_SOCK_MSS, first),
		end_label(sock_end(v, first), "owner unknown", label, sizeof(label)));
	f->impact.lost = stuck;
	f->estimated = true;
	f->confidence = 0.6;
	finding_offender(f, PARTY_PORT, last_text(v, M_SOCK_REMOTE, first), 0, NAN)->port =
		(int)whole(last_value(v, M_SOCK_PEER_PORT, first));
	end_suffers(f, v, sock_end(v, first), (int)whole(last_value(v, M_SOCK_PEER_PORT, first)));
	finding_evidence(f, "connections stuck in timeouts", stuck, "connections", r->floor, DIAG);
	finding_evidence(f, "connections to the same address that work", alive, "connections", 1,
			 DIAG);
	finding_evidence(f, "socket.pmtu", last_value(v, M_SOCK_PMTU, first), "bytes", NAN, DIAG);
	finding_next(f, "ping -M do -s %d -c 3 %s",
		     (int)whole(last_value(v, M_SOCK_MSS, first)) + 12,
		     last_text(v, M_SOCK_REMOTE, first));
	finding_next(f, "sysctl net.ipv4.tcp_mtu_probing");
}

/* ---- queues on the path ---- */

static bool is_bloated(const struct view *v, size_t s)
{
	double rtt = last_value(v, M_SOCK_RTT, s), least = last_value(v, M_SOCK_MIN_RTT, s);

	return rtt >= 3 * least && rtt >= least + 0.05 &&
	       or_zero(sock_grown(v, M_SOCK_DATA_SEGS_OUT, s)) > 0;
}

static bool is_bulk(const struct view *v, size_t s)
{
	return or_zero(sock_grown(v, M_SOCK_BYTES_ACKED, s)) / interval_seconds(v->window) >=
		       100e3 &&
	       last_value(v, M_SOCK_WQUEUE, s) >= 65536;
}

void net_bufferbloat(const struct rule *r, const struct view *v, struct findings *fs)
{
	double lost = 0, worst_rtt = 0, min_rtt = NAN, seconds = interval_seconds(v->window),
	       most = 0;
	size_t bulk = SIZE_MAX, victim = SIZE_MAX;
	struct finding *f;
	char a[96], b[96];

	for (size_t s = 0; s < sockets_of(v); s++) {
		double bytes = or_zero(sock_grown(v, M_SOCK_BYTES_ACKED, s));

		if (is_bulk(v, s) && is_bloated(v, s) && bytes > most &&
		    or_zero(sock_grown(v, M_SOCK_RETRANS, s)) <
			    0.02 * or_zero(sock_grown(v, M_SOCK_DATA_SEGS_OUT, s))) {
			most = bytes;
			bulk = s;
		}
	}
	for (size_t s = 0; bulk != SIZE_MAX && s < sockets_of(v); s++) {
		double rtt = last_value(v, M_SOCK_RTT, s), least = last_value(v, M_SOCK_MIN_RTT, s);

		if (is_bulk(v, s) || !is_bloated(v, s) ||
		    !sock_is(v, s, M_SOCK_LOCAL, last_text(v, M_SOCK_LOCAL, bulk)))
			continue;
		lost += fmin(sock_grown(v, M_SOCK_BUSY, s),
			     sock_grown(v, M_SOCK_DATA_SEGS_OUT, s) * (rtt - least)) /
			seconds;
		if (rtt > worst_rtt) {
			worst_rtt = rtt;
			min_rtt = least;
			victim = s;
		}
	}
	if (victim == SIZE_MAX || !(lost >= r->floor))
		return;
	f = rule_fire(r, fs);
	finding_summary(
		f,
		"Bulk data of %s fills a queue on the path: round trips of %s take %.0f ms instead of %.1f ms",
		end_label(sock_end(v, bulk), "a program", a, sizeof(a)),
		end_label(sock_end(v, victim), "others", b, sizeof(b)), worst_rtt * 1e3,
		min_rtt * 1e3);
	f->impact.lost = lost;
	f->confidence = 0.7;
	end_offends(f, v, sock_end(v, bulk), (int)whole(last_value(v, M_SOCK_PEER_PORT, bulk)),
		    NAN);
	if (*last_text(v, M_SOCK_NETIF, bulk))
		finding_offender(f, PARTY_NETIF, last_text(v, M_SOCK_NETIF, bulk), 0, NAN);
	end_suffers(f, v, sock_end(v, victim), (int)whole(last_value(v, M_SOCK_PEER_PORT, victim)));
	finding_evidence(f, "socket.rtt", worst_rtt, "s", min_rtt + 0.05, DIAG);
	finding_evidence(f, "socket.min_rtt", min_rtt, "s", NAN, DIAG);
	finding_evidence(f, "socket.bytes_acked of the bulk flow", most / seconds, "bytes/s", NAN,
			 DIAG);
	finding_next(f, "tc qdisc show");
	finding_next(f, "ss -tin");
}

/* ---- TCP's memory ---- */

void net_tcp_memory(const struct rule *r, const struct view *v, struct findings *fs)
{
	double memory = last_value(v, M_TCP_MEMORY, 0),
	       pressure = last_value(v, M_TCP_MEM_PRESSURE, 0);
	double entered = or_zero(system_delta(v->window, M_TCP_MEM_PRESSURES)),
	       seconds = interval_seconds(v->window);
	double aborts = or_zero(system_delta(v->window, M_TCP_ABORT_MEMORY)),
	       pruned = or_zero(system_delta(v->window, M_TCP_OFO_DROPS));
	struct finding *f;

	if (isnan(memory) || isnan(pressure)) {
		rule_unknown(r, fs, "TCP's memory or its limits are not readable");
		return;
	}
	if (aborts < 1 && !(memory >= pressure && entered + pruned >= r->floor))
		return;
	f = rule_fire(r, fs);
	finding_summary(
		f,
		"TCP is short of memory: its buffers hold %.0f MiB of %.0f MiB, %.0f connections were reset for it and %.0f segments dropped",
		memory / 1048576, last_value(v, M_TCP_MEM_LIMIT, 0) / 1048576, aborts, pruned);
	f->impact.failed = (aborts + pruned) / seconds;
	finding_evidence(f, "tcp.memory", memory, "bytes", pressure, "proc/net/sockstat");
	finding_evidence(f, "tcp.aborts_on_memory", aborts, "connections", 1, "proc/net/netstat");
	finding_evidence(f, "tcp.memory_pressures", entered, "times", NAN, "proc/net/netstat");
	finding_offender(f, PARTY_KERNEL, "net.ipv4.tcp_mem", 0, NAN);
	finding_next(f, "ss -tm | sort -k2 -rn | head");
	finding_next(f, "sysctl net.ipv4.tcp_mem net.ipv4.tcp_max_orphans");
}
