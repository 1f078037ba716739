/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about tables of the network that run full: connection tracking, ports, TIME-WAIT, neighbours. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/net.h"
#include "checklist/net_rules.h"

#define SAMPLES "samples of sockets"

static double or_zero(double x)
{
	return isnan(x) ? 0 : x;
}

/* ---- connection tracking ---- */

static bool listens_inside(const struct view *v, const struct space *s, int port)
{
	for (size_t e = 0; e < endpoints_of(v); e++)
		if (ep_in(v, e, s) && last_value(v, M_EP_LOCAL, e) == 1 && ep_port(v, e) == port)
			return true;
	return false;
}

/* The endpoint that connections wait for most: of clients inside the namespace, or outside of a service inside. */
static size_t waiting_for(const struct view *v, const struct space *s)
{
	size_t most = SIZE_MAX;
	double best = 0.1;

	for (size_t e = 0; e < endpoints_of(v); e++) {
		double waiting = ep_mean(v, M_EP_CONNECTING, e);

		if (waiting > best && ep_is(v, e, "tcp") &&
		    (ep_in(v, e, s) || listens_inside(v, s, ep_port(v, e)))) {
			best = waiting;
			most = e;
		}
	}
	return most;
}

void net_conntrack_full(const struct rule *r, const struct view *v, struct findings *fs)
{
	static struct space spaces[SPACES];
	size_t n = spaces_of(v, spaces);

	for (size_t i = 0; i < n; i++) {
		const struct space *s = &spaces[i];
		double count = space_level(v, s, NS_CONNTRACK_COUNT),
		       max = space_level(v, s, NS_CONNTRACK_MAX);
		double drops = or_zero(space_delta(v, s, NS_CONNTRACK_DROPS)),
		       early = or_zero(space_delta(v, s, NS_CONNTRACK_EARLY_DROPS));
		double seconds = interval_seconds(v->window), waiting = NAN;
		char where[128], label[160], client[96];
		struct finding *f;
		size_t ep;

		/* a full table that drops nothing hurts nobody; entries thrown out early are connections forgotten */
		if (!(count >= r->floor * max) || drops + early < 1)
			continue;
		ep = waiting_for(v, s);
		f = rule_fire(r, fs);
		snprintf(f->instance, sizeof(f->instance), "%s", s->row_name);
		space_suffix(s, where, sizeof(where));
		if (ep != SIZE_MAX) {
			waiting = ep_mean(v, M_EP_CONNECTING, ep);
			finding_summary(
				f,
				"The connection tracking table%s is full (%.0f of %.0f): %.1f packets/s are dropped, and %s waits for connections to %s",
				where, count, max, drops / seconds,
				end_label(ep_client(v, ep), "a client", client, sizeof(client)),
				ep_label(v, ep, label, sizeof(label)));
			f->impact.lost = waiting;
		} else {
			finding_summary(
				f,
				"The connection tracking table%s is full (%.0f of %.0f): %.1f packets/s of new connections are dropped",
				where, count, max, (drops + early) / seconds);
		}
		f->impact.failed = (drops + early) / seconds;
		finding_offender(f, PARTY_KERNEL, "nf_conntrack", 0, NAN);
		space_offends(f, s, ep == SIZE_MAX ? 0 : ep_port(v, ep));
		if (ep != SIZE_MAX) {
			port_offends(f, v, ep);
			end_offends(f, v, ep_client(v, ep), ep_port(v, ep), NAN);
			end_suffers(f, v, ep_client(v, ep), ep_port(v, ep));
		}
		finding_evidence(f, "conntrack.entries", count, "entries", max,
				 "proc/sys/net/netfilter/nf_conntrack_count");
		finding_evidence(f, "conntrack.drops", drops / seconds, "1/s", NAN,
				 "proc/net/stat/nf_conntrack");
		finding_evidence(f, "conntrack.early_drops", early / seconds, "1/s", NAN,
				 "proc/net/stat/nf_conntrack");
		if (s->pid)
			finding_next(f, "nsenter -t %lld -n conntrack -S", (long long)s->pid);
		else
			finding_next(f, "conntrack -S");
		finding_next(
			f,
			"sysctl net.netfilter.nf_conntrack_max net.netfilter.nf_conntrack_tcp_timeout_established");
	}
}

void net_conntrack_insert(const struct rule *r, const struct view *v, struct findings *fs)
{
	static struct space spaces[SPACES];
	size_t n = spaces_of(v, spaces);

	for (size_t i = 0; i < n; i++) {
		double fails = space_rate(v, &spaces[i], NS_CONNTRACK_INSERT_FAILED);
		char where[128];
		struct finding *f;

		if (!(fails >= r->floor))
			continue;
		f = rule_fire(r, fs);
		snprintf(f->instance, sizeof(f->instance), "%s", spaces[i].row_name);
		finding_summary(
			f,
			"%.1f packets/s are dropped because two of them raced for one connection tracking entry%s: look-ups that send two questions from one port lose one and wait 5 s",
			fails, space_suffix(&spaces[i], where, sizeof(where)));
		f->impact.failed = fails;
		f->confidence = 0.7;
		finding_offender(f, PARTY_KERNEL, "nf_conntrack", 0, NAN);
		space_offends(f, &spaces[i], 0);
		finding_evidence(f, "conntrack.insert_failed", fails, "1/s", r->floor,
				 "proc/net/stat/nf_conntrack");
		finding_next(f, "conntrack -S");
	}
}

/* ---- ports ---- */

void net_ports_exhausted(const struct rule *r, const struct view *v, struct findings *fs)
{
	static struct space spaces[SPACES];
	size_t n = spaces_of(v, spaces);

	for (size_t i = 0; i < n; i++) {
		const struct space *s = &spaces[i];
		double range = space_level(v, s, NS_PORTS_LAST) -
			       space_level(v, s, NS_PORTS_FIRST) + 1,
		       used, growth;
		double opens = or_zero(space_rate(v, s, NS_TCP_ACTIVE)),
		       fails = or_zero(space_rate(v, s, NS_TCP_ATTEMPT_FAILS)), share = NAN;
		size_t ep = ep_most(v, s, M_EP_PORTS_USED, "tcp");
		char label[160], client[96], where[128], how_long[32];
		struct finding *f;
		struct end who;

		if (ep == SIZE_MAX || !(range > 0))
			continue;
		used = last_value(v, M_EP_PORTS_USED, ep);
		growth = grown(v, M_EP_PORTS_USED, ep, false) / interval_seconds(v->window);
		if (!(used >= r->floor * range))
			continue;
		/* a pool that is full and still: nobody asks for another port. TIME-WAIT ports that may be used again are no limit. */
		if (!(growth > 0) && opens + fails < 1)
			continue;
		if (last_value(v, M_TW_REUSE, 0) == 1 &&
		    last_value(v, M_EP_TIME_WAIT, ep) > 0.5 * used)
			continue;
		who = ep_client(v, ep);
		if (!who.pid)
			who = opener_of(v, s, &share);
		f = rule_fire(r, fs);
		snprintf(f->instance, sizeof(f->instance), "%s",
			 snapshot_name(v->last, SCOPE_ENDPOINT, ep));
		f->impact.to_limit = used >= range ? 0 : growth > 0 ? (range - used) / growth : NAN;
		finding_summary(
			f,
			"Connections to %s%s take %.0f of %.0f local ports (%.0f in TIME-WAIT)%s%s: %s cannot connect when none is left",
			ep_label(v, ep, label, sizeof(label)),
			space_suffix(s, where, sizeof(where)), used, range,
			last_value(v, M_EP_TIME_WAIT, ep),
			isnan(f->impact.to_limit) ? "" : ", all of them in ",
			isnan(f->impact.to_limit)
				? ""
				: unit_duration(how_long, sizeof(how_long), f->impact.to_limit),
			end_label(who, "the client", client, sizeof(client)));
		end_offends(f, v, who, ep_port(v, ep), share);
		port_offends(f, v, ep);
		space_offends(f, s, ep_port(v, ep));
		end_suffers(f, v, who, ep_port(v, ep));
		finding_evidence(f, "endpoint.ports_used", used, "ports", r->floor * range,
				 SAMPLES);
		finding_evidence(f, "local ports", range, "ports", NAN,
				 "proc/sys/net/ipv4/ip_local_port_range");
		finding_evidence(f, "tcp.active_opens", opens, "1/s", NAN, "proc/net/snmp");
		finding_next(f, "ss -Htan 'dport = :%d' | awk '{print $1}' | sort | uniq -c",
			     ep_port(v, ep));
		finding_next(f, "sysctl net.ipv4.ip_local_port_range net.ipv4.tcp_tw_reuse");
	}
}

void net_timewait_overflow(const struct rule *r, const struct view *v, struct findings *fs)
{
	static struct space spaces[SPACES];
	size_t n = spaces_of(v, spaces);

	for (size_t i = 0; i < n; i++) {
		const struct space *s = &spaces[i];
		double lost = space_rate(v, s, NS_TCP_TW_OVERFLOW), share = NAN;
		size_t ep = ep_most(v, s, M_EP_TIME_WAIT, "tcp");
		char where[128], label[160];
		struct finding *f;

		if (!(lost >= r->floor))
			continue;
		f = rule_fire(r, fs);
		snprintf(f->instance, sizeof(f->instance), "%s", s->row_name);
		finding_summary(
			f,
			"The table of TIME-WAIT connections is full%s: %.0f/s end without it, so that late segments may reset new connections%s%s",
			space_suffix(s, where, sizeof(where)), lost,
			ep == SIZE_MAX ? "" : "; most are of ",
			ep == SIZE_MAX ? "" : ep_label(v, ep, label, sizeof(label)));
		f->severity = SEV_INFO; /* nothing fails by it now */
		finding_offender(f, PARTY_KERNEL, "net.ipv4.tcp_max_tw_buckets", 0, NAN);
		if (ep != SIZE_MAX) {
			port_offends(f, v, ep);
			end_offends(f, v,
				    ep_client(v, ep).pid ? ep_client(v, ep)
							 : opener_of(v, s, &share),
				    ep_port(v, ep), share);
		}
		space_offends(f, s, 0);
		finding_evidence(f, "tcp.time_wait_overflows", lost, "1/s", r->floor,
				 "proc/net/netstat");
		finding_evidence(f, "tcp.time_wait", space_level(v, s, NS_TCP_TIME_WAIT),
				 "connections", last_value(v, M_TW_BUCKETS, 0),
				 "proc/net/sockstat");
		finding_next(f, "sysctl net.ipv4.tcp_max_tw_buckets");
	}
}

/* ---- neighbours ---- */

void net_neighbours_full(const struct rule *r, const struct view *v, struct findings *fs)
{
	double full = system_delta(v->window, M_NEIGH_FULL),
	       entries = last_value(v, M_NEIGH_ENTRIES, 0);
	double limit = last_value(v, M_NEIGH_LIMIT, 0);
	struct finding *f;

	if (!(full >= r->floor))
		return;
	f = rule_fire(r, fs);
	finding_summary(
		f,
		"The neighbour table is full (%.0f entries, limit %.0f): %.1f times a second a host of the local network cannot be reached",
		entries, limit, full / interval_seconds(v->window));
	f->impact.failed = full / interval_seconds(v->window);
	finding_offender(f, PARTY_KERNEL, "net.ipv4.neigh.default.gc_thresh3", 0, NAN);
	finding_evidence(f, "neighbour.table_fulls", full, "times", r->floor,
			 "proc/net/stat/arp_cache");
	finding_evidence(f, "neighbour.entries", entries, "entries", limit,
			 "proc/net/stat/arp_cache");
	finding_next(f, "ip -s neigh | wc -l");
	finding_next(
		f,
		"sysctl net.ipv4.neigh.default.gc_thresh1 net.ipv4.neigh.default.gc_thresh2 net.ipv4.neigh.default.gc_thresh3");
}
