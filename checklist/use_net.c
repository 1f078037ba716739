/* SPDX-License-Identifier: Apache-2.0 */
/* USE of the network: interfaces, TCP, UDP, tables; sar -n DEV, sar -n TCP,ETCP. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/makers.h"
#include "checklist/rule.h"

#define MATTERS_USED 0.5 /* of a link or a table: worth a line in the short form */

static double or_zero(double x)
{
	return isnan(x) ? 0 : x;
}

static void reason(char *out, size_t size, double value, const char *why)
{
	if (isnan(value))
		snprintf(out, size, "%s", why);
}

/* Sum of the known ones; NaN when none is. */
static double sum_of(const struct interval *iv, const enum metric_id *ids, size_t n, size_t row)
{
	double sum = NAN;

	for (size_t i = 0; i < n; i++) {
		double d = interval_delta(iv, ids[i], row);

		if (!isnan(d))
			sum = or_zero(sum) + d;
	}
	return sum;
}

/* ---- interfaces ---- */

/* Bits per second of the fuller direction against the negotiated speed. A veth's or a bridge's speed is made up. */
static double link_share(const struct interval *iv, size_t row, double speed)
{
	double rx = interval_rate(iv, M_NETIF_RX_BYTES, row),
	       tx = interval_rate(iv, M_NETIF_TX_BYTES, row);

	return speed > 0 ? 8 * fmax(rx, tx) / speed : NAN;
}

static double speed_of(const struct view *v, struct row_id id)
{
	return view_label(v, M_NETIF_KIND, id) ? NAN : view_last(v, M_NETIF_SPEED, id);
}

static double worst_link_share(const struct view *v, struct row_id id, double speed)
{
	double worst = NAN;

	for (size_t i = 0; i < v->nseconds; i++)
		worst = fmax(worst,
			     link_share(v->seconds[i],
					interval_find(v->seconds[i], SCOPE_NETIF, id), speed));
	return worst;
}

static void add_interface(const struct view *v, struct report *out, size_t row)
{
	static const enum metric_id errors[] = {
		M_NETIF_RX_ERRORS, M_NETIF_TX_ERRORS,    M_NETIF_RX_DROPS,
		M_NETIF_TX_DROPS,  M_NETIF_DRIVER_DROPS, M_NETIF_COLLISIONS,
	};
	static const enum metric_id full[] = { M_NETIF_RX_FIFO, M_NETIF_RX_MISSED,
					       M_NETIF_TX_FIFO };
	const struct interval *iv = v->window;
	struct row_id id = interval_row(iv, SCOPE_NETIF, row)->id;
	double speed = speed_of(v, id);
	struct use_row *u = report_use(out, RES_NET, interval_name(iv, SCOPE_NETIF, row));

	u->utilization = link_share(iv, row, speed);
	u->worst_second = worst_link_share(v, id, speed);
	u->saturation = sum_of(iv, full, sizeof(full) / sizeof(*full), row) / interval_seconds(iv);
	u->saturation_unit = "packets/s no room";
	u->errors = sum_of(iv, errors, sizeof(errors) / sizeof(*errors), row);
	u->matters = u->utilization >= MATTERS_USED || u->saturation > 0 || u->errors > 0;
	reason(u->why_utilization, sizeof(u->why_utilization), u->utilization,
	       view_label(v, M_NETIF_KIND, id) ? "no hardware: no speed to compare with"
					       : "the driver tells no speed");
	reason(u->why_saturation, sizeof(u->why_saturation), u->saturation,
	       "the driver counts no full rings");
	reason(u->why_errors, sizeof(u->why_errors), u->errors,
	       why_text(interval_why(iv, M_NETIF_RX_ERRORS, row)));
}

/* ---- protocols and tables ---- */

static void add_tcp(const struct view *v, struct report *out)
{
	const struct interval *iv = v->window;
	double sent = system_delta(iv, M_TCP_OUT_SEGS), again = system_delta(iv, M_TCP_RETRANS);
	struct use_row *u = report_use(out, RES_NET, "tcp");

	/* the kernel counts segments that carry only retransmitted data apart from those sent */
	u->saturation = again / fmax(1, sent + again);
	u->saturation_unit = "of segments sent again";
	u->errors = or_zero(system_delta(iv, M_TCP_IN_ERRS)) +
		    or_zero(system_delta(iv, M_TCP_LISTEN_DROPS)) +
		    or_zero(system_delta(iv, M_TCP_ATTEMPT_FAILS)) +
		    or_zero(system_delta(iv, M_TCP_ESTAB_RESETS));
	if (isnan(system_delta(iv, M_TCP_IN_ERRS)))
		u->errors = NAN;
	u->matters = u->errors > 0 || u->saturation > 0.001;
	snprintf(u->why_utilization, sizeof(u->why_utilization), "a protocol has no capacity");
	reason(u->why_saturation, sizeof(u->why_saturation), u->saturation, "no /proc/net/snmp");
	reason(u->why_errors, sizeof(u->why_errors), u->errors, "no /proc/net/snmp");
}

static void add_udp(const struct view *v, struct report *out)
{
	static const enum metric_id overflow[] = { M_UDP_RCVBUF_ERRS, M_UDP6_RCVBUF_ERRS };
	static const enum metric_id errors[] = { M_UDP_NO_PORTS, M_UDP6_NO_PORTS, M_UDP_RCVBUF_ERRS,
						 M_UDP6_RCVBUF_ERRS };
	const struct interval *iv = v->window;
	struct use_row *u = report_use(out, RES_NET, "udp");

	u->saturation = sum_of(iv, overflow, 2, 0) / interval_seconds(iv);
	u->saturation_unit = "datagrams/s no room";
	u->errors = sum_of(iv, errors, 4, 0);
	u->matters = u->errors > 0;
	snprintf(u->why_utilization, sizeof(u->why_utilization), "a protocol has no capacity");
	reason(u->why_saturation, sizeof(u->why_saturation), u->saturation, "no /proc/net/snmp");
	reason(u->why_errors, sizeof(u->why_errors), u->errors, "no /proc/net/snmp");
}

static void add_conntrack(const struct view *v, struct report *out)
{
	const struct row_id system = { 0 };
	double used = view_last(v, M_CONNTRACK_COUNT, system),
	       most = view_last(v, M_CONNTRACK_MAX, system);
	struct use_row *u;

	if (isnan(used) && isnan(most))
		return; /* netfilter does not track here */
	u = report_use(out, RES_NET, "conntrack");
	u->utilization = most > 0 ? used / most : NAN;
	u->errors = system_delta(v->window, M_CONNTRACK_DROPS);
	u->matters = u->utilization >= MATTERS_USED || u->errors > 0;
	reason(u->why_utilization, sizeof(u->why_utilization), u->utilization,
	       "no limit can be read");
	snprintf(u->why_saturation, sizeof(u->why_saturation),
		 "a full table drops, it does not queue");
	reason(u->why_errors, sizeof(u->why_errors), u->errors, "no /proc/net/stat/nf_conntrack");
}

/* Ports run out per destination: the one that most local ports go to. */
static void add_ports(const struct view *v, struct report *out)
{
	const struct row_id system = { 0 };
	double first = view_last(v, M_PORTS_FIRST, system),
	       last = view_last(v, M_PORTS_LAST, system), most = NAN;
	struct use_row *u;

	for (size_t r = 0; r < snapshot_rows(v->last, SCOPE_ENDPOINT); r++)
		most = fmax(most, snapshot_value(v->last, M_EP_PORTS_USED, r));
	if (isnan(first) || isnan(last))
		return;
	u = report_use(out, RES_NET, "local ports");
	u->utilization = last > first ? or_zero(most) / (last - first + 1) : NAN;
	u->matters = u->utilization >= MATTERS_USED;
	reason(u->why_utilization, sizeof(u->why_utilization), u->utilization,
	       "ip_local_port_range is one port");
	snprintf(u->why_saturation, sizeof(u->why_saturation), "connect fails, it does not queue");
	snprintf(u->why_errors, sizeof(u->why_errors),
		 "failed connects for want of a port are not counted");
}

void use_net(const struct view *v, struct report *out)
{
	for (size_t r = 0; r < interval_rows(v->window, SCOPE_NETIF); r++)
		add_interface(v, out, r);
	add_tcp(v, out);
	add_udp(v, out);
	add_conntrack(v, out);
	add_ports(v, out);
}

/* ---- sar -n DEV ---- */

static const struct sheet_column dev_columns[] = {
	{ "IFACE", "iface", -1, -10 },  { "rxpck/s", "rxpck_s", 1, 8 },
	{ "txpck/s", "txpck_s", 1, 8 }, { "rxkB/s", "rxkB_s", 1, 8 },
	{ "txkB/s", "txkB_s", 1, 8 },   { "rxcmp/s", "rxcmp_s", 1, 7 },
	{ "txcmp/s", "txcmp_s", 1, 7 }, { "rxmcst/s", "rxmcst_s", 1, 8 },
	{ "%ifutil", "ifutil", 1, 7 },
};

void step_sar_dev(const struct view *v, struct report *out)
{
	static const enum metric_id rates[] = {
		M_NETIF_RX_PACKETS,    M_NETIF_TX_PACKETS,    M_NETIF_RX_BYTES,  M_NETIF_TX_BYTES,
		M_NETIF_RX_COMPRESSED, M_NETIF_TX_COMPRESSED, M_NETIF_MULTICAST,
	};
	struct sheet *s = report_sheet(
		out, "sar-dev", "which interface carries how much (sar -n DEV, kB = 1024 bytes)",
		dev_columns, sizeof(dev_columns) / sizeof(*dev_columns));
	struct interval *iv = v->window;

	for (size_t r = 0; r < interval_rows(iv, SCOPE_NETIF); r++) {
		struct row_id id = interval_row(iv, SCOPE_NETIF, r)->id;
		double packets = or_zero(interval_rate(iv, M_NETIF_RX_PACKETS, r)) +
				 or_zero(interval_rate(iv, M_NETIF_TX_PACKETS, r));
		size_t row = sheet_row(s, packets >= 1);

		sheet_text(out, s, row, 0, interval_name(iv, SCOPE_NETIF, r));
		for (unsigned c = 0; c < sizeof(rates) / sizeof(*rates); c++)
			sheet_number(s, row, c + 1,
				     interval_rate(iv, rates[c], r) /
					     (c == 2 || c == 3 ? 1024 : 1));
		sheet_number(s, row, 8, 100 * link_share(iv, r, speed_of(v, id)));
	}
	if (!s->nrows)
		snprintf(s->note, sizeof(s->note),
			 "no interface was read: no /proc/net/dev and no rtnetlink");
}

/* ---- sar -n TCP,ETCP ---- */

static const struct sheet_column tcp_columns[] = {
	{ "second", "second", -1, -6 },     { "active/s", "active_s", 1, 8 },
	{ "passive/s", "passive_s", 1, 9 }, { "iseg/s", "iseg_s", 1, 8 },
	{ "oseg/s", "oseg_s", 1, 8 },       { "atmptf/s", "atmptf_s", 1, 8 },
	{ "estres/s", "estres_s", 1, 8 },   { "retrans/s", "retrans_s", 1, 9 },
	{ "isegerr/s", "isegerr_s", 1, 9 }, { "orsts/s", "orsts_s", 1, 7 },
};

static void tcp_row(struct report *out, struct sheet *s, const struct interval *iv,
		    const char *name, bool matters)
{
	static const enum metric_id rates[] = {
		M_TCP_ACTIVE,   M_TCP_PASSIVE,       M_TCP_IN_SEGS,
		M_TCP_OUT_SEGS, M_TCP_ATTEMPT_FAILS, M_TCP_ESTAB_RESETS,
		M_TCP_RETRANS,  M_TCP_IN_ERRS,       M_TCP_OUT_RSTS,
	};
	size_t row = sheet_row(s, matters);

	sheet_text(out, s, row, 0, name);
	for (unsigned c = 0; c < sizeof(rates) / sizeof(*rates); c++)
		sheet_number(s, row, c + 1, system_rate(iv, rates[c]));
}

void step_sar_tcp(const struct view *v, struct report *out)
{
	struct sheet *s = report_sheet(out, "sar-tcp",
				       "connections, failures, retransmissions (sar -n TCP,ETCP)",
				       tcp_columns, sizeof(tcp_columns) / sizeof(*tcp_columns));
	char name[24];

	for (size_t i = 0; i < v->nseconds; i++) {
		snprintf(name, sizeof(name), "%zu", i + 1);
		tcp_row(out, s, v->seconds[i], name, false);
	}
	tcp_row(out, s, v->window, "mean", true);
}
