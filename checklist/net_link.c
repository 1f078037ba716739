/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about interfaces, their queues, and what the kernel spends on packets. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/net.h"
#include "checklist/net_rules.h"

#define RTNL   "rtnetlink"
#define NETDEV "proc/net/dev"

static double or_zero(double x)
{
	return isnan(x) ? 0 : x;
}

static size_t netifs(const struct view *v)
{
	return snapshot_rows(v->last, SCOPE_NETIF);
}

static const char *netif_name(const struct view *v, size_t netif)
{
	return snapshot_name(v->last, SCOPE_NETIF, netif);
}

/* The name inside its namespace. */
static const char *short_name(const char *row)
{
	const char *slash = strncmp(row, "netns:", 6) ? NULL : strchr(row, '/');

	return slash ? slash + 1 : row;
}

static void netif_offends(struct finding *f, const char *row, double share)
{
	finding_offender(f, PARTY_NETIF, short_name(row), 0, share);
}

/* ---- full links ---- */

struct queue {                             /* what the disciplines of an interface say */
	double capacity;                   /* bit/s that the root enforces; NaN: none */
	size_t shaper;                     /* row that enforces it */
	double backlog;                    /* packets waiting, mean over all rows but inner ones */
	double drops, packets, overlimits; /* per second */
};

static bool on_dev(const struct view *v, size_t q, const char *dev)
{
	return !strcmp(last_text(v, M_QDISC_DEV, q), dev);
}

static bool is_root(const struct view *v, size_t q)
{
	return last_value(v, M_QDISC_CLASS, q) == 0 && !*last_text(v, M_QDISC_PARENT, q);
}

/* A class right below the root discipline: for htb and hfsc it is the link's rate. */
static bool is_root_class(const struct view *v, size_t q, const char *dev)
{
	size_t parent = snapshot_find_name(v->last, SCOPE_QDISC, last_text(v, M_QDISC_PARENT, q));

	return last_value(v, M_QDISC_CLASS, q) == 1 && on_dev(v, q, dev) && parent != SIZE_MAX &&
	       is_root(v, parent);
}

static struct queue queue_of(const struct view *v, const char *dev)
{
	struct queue out = { .capacity = NAN, .shaper = SIZE_MAX };
	double top = 0, sum = 0;
	unsigned classes = 0;

	for (size_t q = 0; q < snapshot_rows(v->last, SCOPE_QDISC); q++) {
		double ceil = last_value(v, M_QDISC_CEIL, q);

		if (!on_dev(v, q, dev))
			continue;
		if (is_root(v, q)) {
			out.backlog = or_zero(net_mean(v, M_QDISC_QLEN, q));
			out.drops = or_zero(net_rate(v, M_QDISC_DROPS, q));
			out.packets = or_zero(net_rate(v, M_QDISC_PACKETS, q));
			out.overlimits = or_zero(net_rate(v, M_QDISC_OVERLIMITS, q));
			if (ceil > 0) {
				out.capacity = ceil;
				out.shaper = q;
			}
		} else if (ceil > 0 && is_root_class(v, q, dev)) {
			classes++;
			sum += ceil;
			if (ceil > top) {
				top = ceil;
				if (isnan(out.capacity))
					out.shaper = q;
			}
		}
	}
	/* several classes below the root share nothing: only one of them is the whole link */
	if (isnan(out.capacity) && classes == 1)
		out.capacity = sum;
	else if (isnan(out.capacity))
		out.shaper = SIZE_MAX;
	return out;
}

/* Senders through this interface that have more to send, busiest first. */
struct senders {
	size_t top[3];
	unsigned n;
	double waiting; /* connections with unsent data, mean */
};

static void add_sender(const struct view *v, struct senders *out, size_t sock)
{
	unsigned at = out->n < 3 ? out->n++ : 3;

	for (; at && (at == 3 || sock_grown(v, M_SOCK_BYTES_ACKED, out->top[at - 1]) <
					 sock_grown(v, M_SOCK_BYTES_ACKED, sock));
	     at--)
		if (at < 3)
			out->top[at] = out->top[at - 1];
	if (at < 3)
		out->top[at] = sock;
}

static struct senders senders_by(const struct view *v, const char *dev)
{
	struct senders out = { .n = 0 };

	for (size_t s = 0; s < sockets_of(v); s++) {
		double busy = or_zero(sock_grown(v, M_SOCK_BUSY, s)) / interval_seconds(v->window);

		if (!sock_is(v, s, M_SOCK_NETIF, dev) || !(busy > 0.2))
			continue;
		if (last_value(v, M_SOCK_WQUEUE, s) > 0)
			out.waiting += fmin(1, busy);
		add_sender(v, &out, s);
	}
	return out;
}

/* The name of the row that holds the other end's process: "rsyncd[4711] to 10.0.0.2:873". */
static void sender_label(const struct view *v, size_t sock, char *out, size_t size)
{
	char who[96];

	snprintf(out, size, "%s to %s:%d",
		 end_label(sock_end(v, sock), "a program", who, sizeof(who)),
		 last_text(v, M_SOCK_REMOTE, sock),
		 (int)whole(last_value(v, M_SOCK_PEER_PORT, sock)));
}

static void saturated_finding(const struct rule *r, const struct view *v, struct findings *fs,
			      size_t netif, const struct queue *q, double used, double capacity,
			      const char *direction)
{
	const char *dev = netif_name(v, netif);
	struct senders by = senders_by(v, dev);
	char rate[32], sender[200] = "";
	struct finding *f = rule_fire(r, fs);

	snprintf(f->instance, sizeof(f->instance), "%s", dev);
	unit_format(rate, sizeof(rate), UNIT_BITS, 1, capacity);
	if (by.n)
		sender_label(v, by.top[0], sender, sizeof(sender));
	finding_summary(f, "%s %s %.0f %% of the %s that %s: %.0f packets wait%s%s",
			short_name(dev), direction, used / capacity * 100, rate,
			q->shaper != SIZE_MAX ? "its shaper lets through"
					      : "the link was negotiated at",
			q->backlog, by.n ? "; most is sent by " : "", sender);
	netif_offends(f, dev, NAN);
	for (unsigned i = 0; i < by.n; i++)
		end_offends(f, v, sock_end(v, by.top[i]),
			    (int)whole(last_value(v, M_SOCK_PEER_PORT, by.top[i])), NAN);
	for (unsigned i = 0; i < by.n; i++)
		end_suffers(f, v, sock_end(v, by.top[i]),
			    (int)whole(last_value(v, M_SOCK_PEER_PORT, by.top[i])));
	f->impact.lost = by.waiting > 0 ? by.waiting : fmin(1, q->backlog);
	f->estimated = true;
	f->confidence = by.n ? 0.9 : 0.8;
	finding_evidence(f, "bits sent or received", used, "bit/s", r->floor * capacity,
			 q->shaper != SIZE_MAX ? RTNL : NETDEV);
	finding_evidence(f, "capacity", capacity, "bit/s", NAN,
			 q->shaper != SIZE_MAX ? RTNL : "ethtool");
	finding_evidence(f, "qdisc.length", q->backlog, "packets", 1, RTNL);
	finding_evidence(f, "qdisc.drops", q->drops, "1/s", NAN, RTNL);
	if (q->overlimits > 0)
		finding_evidence(f, "qdisc.overlimits", q->overlimits, "1/s", NAN, RTNL);
	finding_next(f, "tc -s qdisc show dev %s", short_name(dev));
	finding_next(f, "ss -tinp");
}

void net_link_saturated(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t i = 0; i < netifs(v); i++) {
		struct queue q = queue_of(v, netif_name(v, i));
		double speed = last_value(v, M_NETIF_SPEED, i),
		       tx = net_rate(v, M_NETIF_TX_BYTES, i) * 8,
		       rx = net_rate(v, M_NETIF_RX_BYTES, i) * 8;
		double capacity = !isnan(q.capacity)    ? q.capacity
				  : netif_virtual(v, i) ? NAN
							: speed;
		double lost = or_zero(net_rate(v, M_NETIF_RX_MISSED, i)) +
			      or_zero(net_rate(v, M_NETIF_RX_FIFO, i));

		if (q.shaper != SIZE_MAX)
			tx = net_rate(v, M_QDISC_BYTES, q.shaper) * 8;
		if (tx >= r->floor * capacity && q.backlog >= 1)
			saturated_finding(r, v, fs, i, &q, tx, capacity, "sends");
		/* nobody sees the queue on the other side: a full link that loses packets in its ring is full enough */
		else if (!netif_virtual(v, i) && rx >= 0.95 * speed && lost >= 1)
			saturated_finding(r, v, fs, i, &q, rx, speed, "receives");
	}
}

/* ---- shaped classes ---- */

/* Packets waiting in a class, or in the discipline below it. */
static double waiting_in(const struct view *v, size_t class)
{
	double most = or_zero(net_mean(v, M_QDISC_QLEN, class));

	for (size_t q = 0; q < snapshot_rows(v->last, SCOPE_QDISC); q++)
		if (!strcmp(last_text(v, M_QDISC_PARENT, q),
			    snapshot_name(v->last, SCOPE_QDISC, class)))
			most = fmax(most, or_zero(net_mean(v, M_QDISC_QLEN, q)));
	return most;
}

static bool is_leaf(const struct view *v, size_t class)
{
	for (size_t q = 0; q < snapshot_rows(v->last, SCOPE_QDISC); q++)
		if (last_value(v, M_QDISC_CLASS, q) == 1 &&
		    !strcmp(last_text(v, M_QDISC_PARENT, q),
			    snapshot_name(v->last, SCOPE_QDISC, class)))
			return false;
	return true;
}

void net_shaped_class(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t c = 0; c < snapshot_rows(v->last, SCOPE_QDISC); c++) {
		double ceil = last_value(v, M_QDISC_CEIL, c),
		       rate = net_rate(v, M_QDISC_BYTES, c) * 8, waiting, root_rate = NAN;
		const char *dev = last_text(v, M_QDISC_DEV, c),
			   *name = snapshot_name(v->last, SCOPE_QDISC, c);
		char shown[32], sender[200] = "";
		struct senders by;
		struct finding *f;
		struct queue q;

		if (last_value(v, M_QDISC_CLASS, c) != 1 || !(rate >= r->floor * ceil) ||
		    !is_leaf(v, c))
			continue;
		waiting = waiting_in(v, c);
		q = queue_of(v, dev);
		if (q.shaper == c || !(waiting >= 1))
			continue;
		for (size_t k = 0; k < snapshot_rows(v->last, SCOPE_QDISC); k++)
			if (on_dev(v, k, dev) && is_root(v, k))
				root_rate = net_rate(v, M_QDISC_BYTES, k) * 8;
		if (root_rate >= 0.9 * q.capacity)
			continue; /* the whole link is full: that is another finding */
		by = senders_by(v, dev);
		if (by.n)
			sender_label(v, by.top[0], sender, sizeof(sender));
		f = rule_fire(r, fs);
		snprintf(f->instance, sizeof(f->instance), "%s", name);
		finding_summary(
			f,
			"Traffic class %s is at %.0f %% of its ceiling of %s with %.0f packets waiting, while the link has room%s%s",
			short_name(name), rate / ceil * 100,
			unit_format(shown, sizeof(shown), UNIT_BITS, 1, ceil), waiting,
			by.n ? "; busiest sender on the interface: " : "", sender);
		netif_offends(f, dev, NAN);
		for (unsigned i = 0; i < by.n; i++)
			end_suffers(f, v, sock_end(v, by.top[i]),
				    (int)whole(last_value(v, M_SOCK_PEER_PORT, by.top[i])));
		f->impact.lost = by.waiting > 0 ? by.waiting : fmin(1, waiting);
		f->estimated = true;
		f->confidence = 0.85;
		finding_evidence(f, "qdisc.bytes of the class", rate, "bit/s", r->floor * ceil,
				 RTNL);
		finding_evidence(f, "qdisc.ceil", ceil, "bit/s", NAN, RTNL);
		finding_evidence(f, "qdisc.length", waiting, "packets", 1, RTNL);
		finding_evidence(f, "qdisc.bytes of the root", root_rate, "bit/s",
				 isnan(q.capacity) ? NAN : 0.9 * q.capacity, RTNL);
		finding_next(f, "tc -s class show dev %s", short_name(dev));
	}
}

/* ---- drops in queues ---- */

void net_qdisc_drops(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t i = 0; i < netifs(v); i++) {
		const char *dev = netif_name(v, i);
		struct queue q = queue_of(v, dev);
		struct senders by;
		char sender[200] = "";
		struct finding *f;

		/* fq_codel and its kind drop a little of every bulk flow: that is how they tell it to slow down */
		if (!(q.drops >= r->floor) || q.drops < 0.01 * (q.packets + q.drops))
			continue;
		by = senders_by(v, dev);
		if (by.n)
			sender_label(v, by.top[0], sender, sizeof(sender));
		f = rule_fire(r, fs);
		snprintf(f->instance, sizeof(f->instance), "%s", dev);
		finding_summary(f, "The send queue of %s drops %.0f packets/s (%.1f %%)%s%s",
				short_name(dev), q.drops, q.drops / (q.packets + q.drops) * 100,
				by.n ? "; busiest sender: " : "", sender);
		netif_offends(f, dev, NAN);
		for (unsigned k = 0; k < by.n; k++)
			end_offends(f, v, sock_end(v, by.top[k]),
				    (int)whole(last_value(v, M_SOCK_PEER_PORT, by.top[k])), NAN);
		f->impact.failed = q.drops;
		finding_evidence(f, "qdisc.drops", q.drops, "1/s", r->floor, RTNL);
		finding_evidence(f, "qdisc.packets", q.packets, "1/s", NAN, RTNL);
		finding_evidence(f, "qdisc.length", q.backlog, "packets", NAN, RTNL);
		finding_next(f, "tc -s qdisc show dev %s", short_name(dev));
	}
}

/* ---- interfaces ---- */

void net_interface_errors(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t i = 0; i < netifs(v); i++) {
		double rx = or_zero(net_rate(v, M_NETIF_RX_ERRORS, i)),
		       tx = or_zero(net_rate(v, M_NETIF_TX_ERRORS, i));
		double carrier = or_zero(net_rate(v, M_NETIF_TX_CARRIER, i)),
		       crc = net_rate(v, M_NETIF_RX_CRC, i);
		double ring = or_zero(net_rate(v, M_NETIF_RX_MISSED, i)) +
			      or_zero(net_rate(v, M_NETIF_RX_FIFO, i));
		double packets = or_zero(net_rate(v, M_NETIF_RX_PACKETS, i)) +
				 or_zero(net_rate(v, M_NETIF_TX_PACKETS, i));
		double errors = fmax(0, rx - ring) + tx +
				carrier; /* drivers count missed packets among the errors */
		const char *name = netif_name(v, i);
		struct finding *f;

		/* a tunnel without a route counts errors too: a hundredth of its packets is a fault */
		if (!(errors >= r->floor) ||
		    errors < (netif_virtual(v, i) ? 0.01 : 1e-4) * (packets + errors))
			continue;
		f = rule_fire(r, fs);
		snprintf(f->instance, sizeof(f->instance), "%s", name);
		finding_summary(
			f,
			"%s has %.1f broken packets/s (%.2f %% of its traffic): %.1f received, %.1f sent; cable, transceiver, duplex or driver",
			short_name(name), errors, errors / (packets + errors) * 100,
			fmax(0, rx - ring), tx + carrier);
		netif_offends(f, name, 1);
		f->impact.failed = errors;
		finding_evidence(f, "net.rx_errors", rx, "1/s", NAN, NETDEV);
		finding_evidence(f, "net.tx_errors", tx, "1/s", NAN, NETDEV);
		if (!isnan(crc))
			finding_evidence(f, "net.rx_crc_errors", crc, "1/s", NAN, RTNL);
		finding_evidence(f, "net.tx_carrier_errors", carrier, "1/s", NAN, NETDEV);
		finding_next(f, "ip -s -s link show %s", short_name(name));
		finding_next(f, "ethtool -S %s; ethtool %s", short_name(name), short_name(name));
	}
}

void net_ring_drops(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t i = 0; i < netifs(v); i++) {
		double missed = fmax(or_zero(net_rate(v, M_NETIF_RX_MISSED, i)),
				     or_zero(net_rate(v, M_NETIF_RX_FIFO, i)));
		double driver = or_zero(net_rate(v, M_NETIF_DRIVER_DROPS, i)),
		       packets = or_zero(net_rate(v, M_NETIF_RX_PACKETS, i));
		double lost = fmax(missed, driver);
		const char *name = netif_name(v, i);
		struct finding *f;

		if (!(lost >= r->floor) || lost < 1e-4 * (packets + lost) || netif_virtual(v, i))
			continue;
		f = rule_fire(r, fs);
		snprintf(f->instance, sizeof(f->instance), "%s", name);
		finding_summary(
			f,
			"%s loses %.1f packets/s (%.2f %%) before the kernel sees them: its receive ring is full when the CPU comes to empty it",
			short_name(name), lost, lost / (packets + lost) * 100);
		netif_offends(f, name, 1);
		f->impact.failed = lost;
		/* what a driver's own names mean is the driver's secret */
		f->confidence = missed >= r->floor ? 0.9 : 0.6;
		finding_evidence(f, "net.rx_missed, net.rx_fifo_errors", missed, "1/s", r->floor,
				 RTNL);
		finding_evidence(f, "net.driver_drops", driver, "1/s", NAN, "ethtool -S");
		finding_next(f, "ethtool -S %s | grep -iE 'drop|miss|err|no_buf'",
			     short_name(name));
		finding_next(f, "ethtool -g %s", short_name(name));
	}
}

void net_cloud_allowance(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t i = 0; i < netifs(v); i++) {
		double over = net_rate(v, M_NETIF_ALLOWANCE, i);
		const char *name = netif_name(v, i);
		struct finding *f;

		if (!(over >= r->floor))
			continue;
		f = rule_fire(r, fs);
		snprintf(f->instance, sizeof(f->instance), "%s", name);
		finding_summary(
			f,
			"The provider holds back or drops %.1f packets/s on %s: the instance type's allowance (bandwidth, packets or connections) is used up",
			over, short_name(name));
		netif_offends(f, name, 1);
		f->impact.failed = over;
		finding_evidence(f, "net.allowance_exceeded", over, "1/s", r->floor, "ethtool -S");
		finding_next(f, "ethtool -S %s | grep allowance", short_name(name));
	}
}

void net_link_flap(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t i = 0; i < netifs(v); i++) {
		double changes =
			interval_delta(v->window, M_NETIF_CARRIER_CHANGES,
				       interval_find(v->window, SCOPE_NETIF,
						     snapshot_id(v->last, SCOPE_NETIF, i)));
		const char *name = netif_name(v, i);
		struct finding *f;

		/* virtual interfaces come and go with what they belong to */
		if (!(changes >= r->floor) || netif_virtual(v, i))
			continue;
		f = rule_fire(r, fs);
		snprintf(f->instance, sizeof(f->instance), "%s", name);
		finding_summary(
			f,
			"%s lost and found its carrier: %.0f changes in the window; it is %s now",
			short_name(name), changes,
			last_value(v, M_NETIF_UP, i) == 1 ? "up" : "down");
		netif_offends(f, name, 1);
		f->impact.failed = changes / interval_seconds(v->window);
		finding_evidence(f, "net.carrier_changes", changes, "changes", r->floor, RTNL);
		finding_next(f, "dmesg -T | grep -i %s", short_name(name));
		finding_next(f, "ethtool %s", short_name(name));
	}
}

void net_low_speed(const struct rule *r, const struct view *v, struct findings *fs)
{
	for (size_t i = 0; i < netifs(v); i++) {
		double speed = last_value(v, M_NETIF_SPEED, i),
		       most = last_value(v, M_NETIF_SPEED_MAX, i);
		double used = fmax(or_zero(net_rate(v, M_NETIF_TX_BYTES, i)),
				   or_zero(net_rate(v, M_NETIF_RX_BYTES, i))) *
			      8 / speed;
		bool half = last_value(v, M_NETIF_HALF_DUPLEX, i) == 1;
		const char *name = netif_name(v, i);
		char now[32], could[32];
		struct finding *f;

		/* a fast card on a slower switch is normal: a tenth of its speed is a bad cable or a forced setting */
		if (netif_virtual(v, i) || last_value(v, M_NETIF_UP, i) != 1 ||
		    (!half && !(speed * 10 <= most)))
			continue;
		f = rule_fire(r, fs);
		snprintf(f->instance, sizeof(f->instance), "%s", name);
		finding_summary(f, "%s runs at %s%s though it can do %s, and is %.0f %% used",
				short_name(name),
				unit_format(now, sizeof(now), UNIT_BITS, 1, speed),
				half ? " half duplex" : "",
				unit_format(could, sizeof(could), UNIT_BITS, 1, most), used * 100);
		netif_offends(f, name, 1);
		f->severity = used >= r->floor ? SEV_WARN : SEV_INFO;
		f->impact.lost = used >= r->floor ? used : NAN;
		finding_evidence(f, "net.speed", speed, "bit/s", most, "ethtool");
		finding_evidence(f, "share of it in use", used, "ratio", r->floor, NETDEV);
		finding_next(f, "ethtool %s", short_name(name));
	}
}

/* ---- packets and CPUs ---- */

void net_softnet_drops(const struct rule *r, const struct view *v, struct findings *fs)
{
	double drops = 0, squeezed = 0, packets = 0, worst = 0;
	const char *cpu = "";
	struct finding *f;

	for (size_t i = 0; i < interval_rows(v->window, SCOPE_CPU); i++) {
		double d = or_zero(interval_rate(v->window, M_CPU_NET_DROPS, i));

		drops += d;
		squeezed += or_zero(interval_rate(v->window, M_CPU_NET_SQUEEZED, i));
		packets += or_zero(interval_rate(v->window, M_CPU_NET_PACKETS, i));
		if (d > worst) {
			worst = d;
			cpu = interval_name(v->window, SCOPE_CPU, i);
		}
	}
	if (!(drops >= r->floor) || drops < 1e-4 * (packets + drops))
		return;
	f = rule_fire(r, fs);
	finding_summary(
		f,
		"%.1f packets/s are dropped because the input queue of a CPU is full (most on %s: %.0f %%)",
		drops, cpu, worst / drops * 100);
	finding_offender(f, PARTY_KERNEL, cpu, 0, worst / drops);
	f->impact.failed = drops;
	finding_evidence(f, "cpu.net_drops", drops, "1/s", r->floor, "proc/net/softnet_stat");
	finding_evidence(f, "cpu.net_packets", packets, "1/s", NAN, "proc/net/softnet_stat");
	finding_evidence(f, "cpu.net_squeezed", squeezed, "1/s", NAN, "proc/net/softnet_stat");
	finding_next(f, "sysctl net.core.netdev_max_backlog net.core.netdev_budget");
	finding_next(f, "mpstat -I SCPU -P ALL 1 3");
}

/* The process on this machine that sends most datagrams, as far as CPU time in the kernel tells. */
static size_t flooder(const struct view *v, double *system)
{
	size_t worst = SIZE_MAX;

	*system = 0;
	for (size_t s = 0; s < sockets_of(v); s++) {
		double cpu = sock_is(v, s, M_SOCK_PROTO, "udp") &&
					     sock_is(v, s, M_SOCK_STATE, "ESTAB")
				     ? system_cpu_of(v, sock_end(v, s).pid)
				     : NAN;

		if (cpu > *system) {
			*system = cpu;
			worst = s;
		}
	}
	return worst;
}

void net_packet_storm(const struct rule *r, const struct view *v, struct findings *fs)
{
	double packets = 0, most = 0, bytes = NAN, system,
	       softirq = or_zero(system_rate(v->window, M_SYS_SOFTIRQ)), wasted;
	const char *dev = "", *way = "received";
	char sender[96], label[160] = "";
	struct finding *f;
	size_t who;

	for (size_t i = 0; i < interval_rows(v->window, SCOPE_CPU); i++)
		packets += or_zero(interval_rate(v->window, M_CPU_NET_PACKETS, i));
	for (size_t i = 0; i < netifs(v); i++) {
		double rx = or_zero(net_rate(v, M_NETIF_RX_PACKETS, i)),
		       tx = or_zero(net_rate(v, M_NETIF_TX_PACKETS, i));

		/* of a veth pair the end in our namespace is the one to name */
		if (fmax(rx, tx) <= most || *last_text(v, M_NETIF_NETNS, i))
			continue;
		most = fmax(rx, tx);
		way = rx >= tx ? "received" : "sent";
		bytes = (rx >= tx ? net_rate(v, M_NETIF_RX_BYTES, i)
				  : net_rate(v, M_NETIF_TX_BYTES, i)) /
			most;
		dev = netif_name(v, i);
	}
	who = flooder(v, &system);
	/* the sender's kernel time is the storm's as well: on one machine its system call carries the packet to the other end */
	wasted = softirq + (who == SIZE_MAX ? 0 : system);
	if (!(packets >= r->floor) || !(bytes <= 300) || !(wasted >= r->warn))
		return;
	f = rule_fire(r, fs);
	snprintf(f->instance, sizeof(f->instance), "%s", dev);
	if (who != SIZE_MAX)
		snprintf(label, sizeof(label), ", by %s to %s:%d",
			 end_label(sock_end(v, who), "a program", sender, sizeof(sender)),
			 last_text(v, M_SOCK_REMOTE, who),
			 (int)whole(last_value(v, M_SOCK_PEER_PORT, who)));
	finding_summary(
		f,
		"%.0f small packets/s (%.0f bytes on average) are %s on %s%s: handling them takes %.2f CPUs",
		most, bytes, way, dev, label, wasted);
	netif_offends(f, dev, NAN);
	if (who != SIZE_MAX)
		end_offends(f, v, sock_end(v, who),
			    (int)whole(last_value(v, M_SOCK_PEER_PORT, who)), NAN);
	for (size_t s = 0; s < sockets_of(v); s++)
		if (sock_is(v, s, M_SOCK_PROTO, "udp") &&
		    or_zero(sock_grown(v, M_SOCK_DROPS, s)) >= interval_seconds(v->window))
			end_suffers(f, v, sock_end(v, s),
				    (int)whole(last_value(v, M_SOCK_PORT, s)));
	f->impact.wasted = wasted;
	f->confidence = who != SIZE_MAX ? 0.9 : 0.75;
	finding_evidence(f, "cpu.net_packets", packets, "1/s", r->floor, "proc/net/softnet_stat");
	finding_evidence(f, "bytes per packet", bytes, "bytes", 300, NETDEV);
	finding_evidence(f, "sys.cpu.softirq", softirq, "s/s", NAN, "proc/stat");
	if (who != SIZE_MAX)
		finding_evidence(f, "system CPU time of the sender", system, "s/s", NAN,
				 "proc/PID/stat");
	finding_next(f, "sar -n DEV 1 3; mpstat -P ALL 1 3");
	finding_next(f, "tcpdump -c 50 -ni %s", dev);
}
