/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about datagrams: name look-ups without an answer, ports without a listener, receivers that are too slow. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/net.h"
#include "checklist/net_rules.h"

#define DNS_PORT 53
#define SAMPLES  "samples of sockets"
#define SNMP     "proc/net/snmp, proc/net/snmp6"

static double or_zero(double x)
{
	return isnan(x) ? 0 : x;
}

static double both(const struct view *v, const struct space *s, enum space_counter four,
		   enum space_counter six)
{
	double a = space_rate(v, s, four), b = space_rate(v, s, six);

	return isnan(a) ? b : a + or_zero(b);
}

/* ---- name look-ups ---- */

/* Unread questions pile up at a resolver on this machine. */
static size_t silent_resolver(const struct view *v, size_t ep)
{
	for (size_t s = 0; s < sockets_of(v); s++)
		if (sock_is(v, s, M_SOCK_PROTO, "udp") &&
		    last_value(v, M_SOCK_PORT, s) == DNS_PORT &&
		    last_value(v, M_SOCK_RQUEUE, s) > 0 &&
		    (sock_is(v, s, M_SOCK_LOCAL, last_text(v, M_EP_ADDRESS, ep)) ||
		     sock_is(v, s, M_SOCK_LOCAL, "*")))
			return s;
	return SIZE_MAX;
}

static void dns_at(const struct rule *r, const struct view *v, struct findings *fs,
		   const struct space *s, size_t ep)
{
	double waiting = ep_mean(v, M_EP_AWAITING, ep), open = ep_mean(v, M_EP_CLIENTS, ep);
	double in = or_zero(both(v, s, NS_UDP_IN, NS_UDP6_IN)),
	       out = or_zero(both(v, s, NS_UDP_OUT, NS_UDP6_OUT));
	size_t resolver;
	struct finding *f;
	struct end who;
	char client[96], label[160], where[128], server[96];

	/* sockets that were opened while we looked on and have had nothing to read for a second; an answer closes them */
	if (!(waiting >= r->floor) || waiting < 0.25 * open)
		return;
	who = ep_client(v, ep);
	resolver = silent_resolver(v, ep);
	f = rule_fire(r, fs);
	snprintf(f->instance, sizeof(f->instance), "%s",
		 snapshot_name(v->last, SCOPE_ENDPOINT, ep));
	finding_summary(
		f, "The name server %s does not answer%s: %.1f look-ups of %s wait at any time%s%s",
		ep_label(v, ep, label, sizeof(label)), space_suffix(s, where, sizeof(where)),
		waiting, end_label(who, "a program", client, sizeof(client)),
		resolver == SIZE_MAX ? "" : "; its questions lie unread in the queue of ",
		resolver == SIZE_MAX
			? ""
			: end_label(sock_end(v, resolver), "a resolver on this machine", server,
				    sizeof(server)));
	f->impact.lost = waiting;
	f->estimated = true;
	f->confidence = in < 0.5 * out || resolver != SIZE_MAX ? 0.9 : 0.7;
	port_offends(f, v, ep);
	if (resolver != SIZE_MAX)
		end_offends(f, v, sock_end(v, resolver), DNS_PORT, NAN);
	/* who asks is named with the port: an operator looks for it in /etc/resolv.conf of that program */
	end_offends(f, v, who, DNS_PORT, NAN);
	space_offends(f, s, DNS_PORT);
	end_suffers(f, v, who, DNS_PORT);
	finding_evidence(f, "endpoint.awaiting_reply", waiting, "look-ups", r->floor, SAMPLES);
	finding_evidence(f, "endpoint.oldest_wait", last_value(v, M_EP_OLDEST, ep), "s", NAN,
			 SAMPLES);
	finding_evidence(f, "udp.in_datagrams", in, "1/s", NAN, SNMP);
	finding_evidence(f, "udp.out_datagrams", out, "1/s", NAN, SNMP);
	finding_next(f, "ss -unp 'dport = :53'");
	finding_next(f, "dig +tries=1 +time=2 @%s example.com", last_text(v, M_EP_ADDRESS, ep));
	if (who.pid)
		finding_next(f, "cat /proc/%lld/root/etc/resolv.conf", (long long)who.pid);
}

void net_dns_timeout(const struct rule *r, const struct view *v, struct findings *fs)
{
	static struct space spaces[SPACES];
	size_t n = spaces_of(v, spaces);

	for (size_t i = 0; i < n; i++)
		for (size_t e = 0; e < endpoints_of(v); e++)
			if (ep_port(v, e) == DNS_PORT && ep_is(v, e, "udp") &&
			    ep_in(v, e, &spaces[i]))
				dns_at(r, v, fs, &spaces[i], e);
}

/* ---- nobody there ---- */

/* Datagrams that go to an address of this namespace whose port has no socket. */
static size_t orphan_endpoint(const struct view *v, const struct space *s)
{
	size_t most = SIZE_MAX;
	double best = 0;

	for (size_t e = 0; e < endpoints_of(v); e++) {
		double open = ep_mean(v, M_EP_CLIENTS, e);

		if (open > best && ep_is(v, e, "udp") && ep_in(v, e, s) &&
		    last_value(v, M_EP_OURS, e) == 1 && last_value(v, M_EP_LOCAL, e) == 0) {
			best = open;
			most = e;
		}
	}
	return most;
}

void net_udp_no_port(const struct rule *r, const struct view *v, struct findings *fs)
{
	static struct space spaces[SPACES];
	size_t n = spaces_of(v, spaces);

	for (size_t i = 0; i < n; i++) {
		const struct space *s = &spaces[i];
		double lost = both(v, s, NS_UDP_NO_PORTS, NS_UDP6_NO_PORTS),
		       in = or_zero(both(v, s, NS_UDP_IN, NS_UDP6_IN)), share = NAN;
		char client[96], label[160], where[128];
		struct end who = { 0, "" };
		struct finding *f;
		size_t ep;

		/* strays of scans and of services that were just restarted are normal */
		if (!(lost >= r->floor) || lost < 0.05 * (in + lost))
			continue;
		ep = orphan_endpoint(v, s);
		if (ep != SIZE_MAX)
			who = ep_client(v, ep);
		if (!who.pid)
			who = opener_of(v, s, &share);
		f = rule_fire(r, fs);
		space_suffix(s, where, sizeof(where));
		if (ep != SIZE_MAX) {
			snprintf(f->instance, sizeof(f->instance), "%s",
				 snapshot_name(v->last, SCOPE_ENDPOINT, ep));
			finding_summary(f,
					"%.0f datagrams/s of %s go to %s%s, where nobody listens",
					lost,
					end_label(who, "a program here", client, sizeof(client)),
					ep_label(v, ep, label, sizeof(label)), where);
			port_offends(f, v, ep);
		} else {
			finding_summary(
				f, "%.0f datagrams/s arrive%s for a port that nobody listens on",
				lost, where);
			f->confidence = 0.7;
		}
		end_offends(f, v, who, ep == SIZE_MAX ? 0 : ep_port(v, ep), share);
		space_offends(f, s, 0);
		f->impact.failed = lost;
		finding_evidence(f, "udp.no_ports", lost, "1/s", r->floor, SNMP);
		finding_evidence(f, "udp.in_datagrams", in, "1/s", NAN, SNMP);
		finding_next(f, "ss -uanp");
		finding_next(f, "tcpdump -c 20 -ni any 'icmp[0] == 3 or icmp6[0] == 1'");
	}
}

/* ---- slow receivers ---- */

void net_udp_overflow(const struct rule *r, const struct view *v, struct findings *fs)
{
	static struct space spaces[SPACES];
	size_t n = spaces_of(v, spaces);

	for (size_t i = 0; i < n; i++) {
		const struct space *s = &spaces[i];
		double lost = both(v, s, NS_UDP_RCVBUF_ERRS, NS_UDP6_RCVBUF_ERRS),
		       in = or_zero(both(v, s, NS_UDP_IN, NS_UDP6_IN)), most = 0, cpu;
		char receiver[96], where[128];
		size_t worst = SIZE_MAX;
		struct finding *f;
		struct end who = { 0, "" };
		int port = 0;

		if (!(lost >= r->floor) || lost < 1e-3 * (in + lost))
			continue;
		for (size_t k = 0; k < sockets_of(v); k++) {
			double drops = sock_grown(v, M_SOCK_DROPS, k);

			if (drops > most && sock_is(v, k, M_SOCK_PROTO, "udp") &&
			    sock_in(v, k, s)) {
				most = drops;
				worst = k;
			}
		}
		f = rule_fire(r, fs);
		space_suffix(s, where, sizeof(where));
		if (worst != SIZE_MAX) {
			who = sock_end(v, worst);
			port = (int)whole(last_value(v, M_SOCK_PORT, worst));
			snprintf(f->instance, sizeof(f->instance), "%s udp %d", s->row_name, port);
		}
		end_label(who, "a receiver", receiver, sizeof(receiver));
		finding_summary(
			f,
			"%s does not read UDP port %d%s fast enough: %.0f of %.0f datagrams/s are dropped because its buffer (%.0f KiB) is full",
			receiver, port, where, lost, in + lost,
			worst == SIZE_MAX ? NAN : last_value(v, M_SOCK_RCVBUF, worst) / 1024);
		f->impact.failed = lost;
		f->severity = lost >= 0.05 * (in + lost) ? SEV_CRIT : SEV_WARN;
		end_offends(f, v, who, port, most / (lost * interval_seconds(v->window)));
		if (worst != SIZE_MAX)
			finding_offender(f, PARTY_PORT, last_text(v, M_SOCK_LOCAL, worst), 0, NAN)
				->port = port;
		space_offends(f, s, port);
		end_suffers(f, v, who, port);
		finding_evidence(f, "udp.receive_buffer_errors", lost, "1/s", r->floor, SNMP);
		finding_evidence(f, "udp.in_datagrams", in, "1/s", NAN, SNMP);
		if (worst != SIZE_MAX) {
			finding_evidence(f, "socket.drops", most / interval_seconds(v->window),
					 "1/s", NAN, "sock_diag");
			finding_evidence(f, "socket.receive_queue",
					 last_value(v, M_SOCK_RQUEUE, worst), "bytes",
					 last_value(v, M_SOCK_RCVBUF, worst), "sock_diag");
		}
		cpu = cpu_of(v, who.pid);
		if (!isnan(cpu))
			finding_evidence(f, "CPU time of the receiver", cpu, "s/s", NAN,
					 "proc/PID/stat");
		finding_next(f, "ss -uanmp 'sport = :%d'", port);
		finding_next(f, "sysctl net.core.rmem_max net.core.rmem_default");
	}
}
