/* SPDX-License-Identifier: Apache-2.0 */
/* rtnetlink messages of links, queueing disciplines and classes. See rtnl.h. */
#include "collectors/rtnl.h"

#include <linux/gen_stats.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define ROW_NAME 128

struct walk {
	struct links *links;
	struct snapshot *out;
	const char *prefix, *netns;
	unsigned rows;
};

void links_done(struct links *l)
{
	mem_free(l->list);
	*l = (struct links){ 0 };
}

static struct link *link_by_index(struct links *l, int index)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].index == index)
			return &l->list[i];
	return NULL;
}

/* ---- links ---- */

static void set(struct snapshot *out, enum metric_id id, enum file_id file, size_t row, uint64_t v)
{
	snapshot_set(out, id, row, v, metric_source(id, file));
}

static void set_text(struct snapshot *out, enum metric_id id, enum file_id file, size_t row,
		     const char *text)
{
	snapshot_set_text(out, id, row, text, strlen(text), metric_source(id, file));
}

/* Sums as /proc/net/dev makes them. */
static void put_stats(struct snapshot *out, size_t row, const struct rtnl_link_stats64 *s)
{
	const struct {
		enum metric_id id;
		uint64_t v;
	} cells[] = {
		{ M_NETIF_RX_BYTES, s->rx_bytes },
		{ M_NETIF_RX_PACKETS, s->rx_packets },
		{ M_NETIF_RX_ERRORS, s->rx_errors },
		{ M_NETIF_RX_DROPS, s->rx_dropped + s->rx_missed_errors },
		{ M_NETIF_RX_FIFO, s->rx_fifo_errors },
		{ M_NETIF_RX_FRAME,
		  s->rx_length_errors + s->rx_over_errors + s->rx_crc_errors + s->rx_frame_errors },
		{ M_NETIF_MULTICAST, s->multicast },
		{ M_NETIF_TX_BYTES, s->tx_bytes },
		{ M_NETIF_TX_PACKETS, s->tx_packets },
		{ M_NETIF_TX_ERRORS, s->tx_errors },
		{ M_NETIF_TX_DROPS, s->tx_dropped },
		{ M_NETIF_TX_FIFO, s->tx_fifo_errors },
		{ M_NETIF_COLLISIONS, s->collisions },
		{ M_NETIF_TX_CARRIER, s->tx_carrier_errors + s->tx_aborted_errors +
					      s->tx_window_errors + s->tx_heartbeat_errors },
		{ M_NETIF_RX_MISSED, s->rx_missed_errors },
		{ M_NETIF_RX_CRC, s->rx_crc_errors },
	};

	for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++)
		set(out, cells[i].id, F_RTNL_LINK, row, cells[i].v);
}

static void put_link(struct snapshot *out, size_t row, const struct ifinfomsg *m, const char *attrs,
		     size_t n)
{
	struct rtnl_link_stats64 stats = { 0 };
	struct attr a;
	bool carrier = m->ifi_flags & IFF_RUNNING;
	size_t known = 0;

	if (attr_find(attrs, n, IFLA_STATS64, &a)) {
		/* the kernel's struct may be shorter or longer than ours */
		known = a.n < sizeof(stats) ? a.n : sizeof(stats);
		memcpy(&stats, a.p, known);
	}
	if (known >= offsetof(struct rtnl_link_stats64, rx_compressed))
		put_stats(out, row, &stats);
	if (attr_find(attrs, n, IFLA_CARRIER, &a))
		carrier = attr_u8(&a);
	set(out, M_NETIF_UP, F_RTNL_LINK, row, (m->ifi_flags & IFF_UP) && carrier);
	if (attr_find(attrs, n, IFLA_CARRIER_CHANGES, &a))
		set(out, M_NETIF_CARRIER_CHANGES, F_RTNL_LINK, row, attr_u32(&a));
	if (attr_find(attrs, n, IFLA_MTU, &a))
		set(out, M_NETIF_MTU, F_RTNL_LINK, row, attr_u32(&a));
	if (attr_find(attrs, n, IFLA_LINK, &a))
		set(out, M_NETIF_LINK, F_RTNL_LINK, row, attr_u32(&a));
	set(out, M_NETIF_INDEX, F_RTNL_LINK, row, (uint64_t)m->ifi_index);
}

void rtnl_link_message(struct links *l, struct snapshot *out, const char *prefix, const char *netns,
		       const void *p, size_t n)
{
	const char *attrs = (const char *)p + NLMSG_ALIGN(sizeof(struct ifinfomsg));
	char name[IFNAMSIZ], kind[32] = "", row_name[ROW_NAME];
	struct ifinfomsg m;
	struct link *link;
	struct attr a, info;
	size_t row;

	if (n < NLMSG_ALIGN(sizeof(m)) || l->n == LINKS_CAP)
		return;
	memcpy(&m, p, sizeof(m));
	n -= NLMSG_ALIGN(sizeof(m));
	if (!attr_find(attrs, n, IFLA_IFNAME, &a) || !*attr_text(&a, name, sizeof(name)))
		return;
	if (attr_find(attrs, n, IFLA_LINKINFO, &info) &&
	    attr_find(info.p, info.n, IFLA_INFO_KIND, &a))
		attr_text(&a, kind, sizeof(kind));
	else if (m.ifi_type == ARPHRD_LOOPBACK)
		snprintf(kind, sizeof(kind), "loopback");
	link = link_by_index(l, m.ifi_index);
	if (!link) {
		l->list = mem_grow(l->list, &l->cap, l->n + 1, sizeof(*l->list));
		link = &l->list[l->n++];
	}
	*link = (struct link){ .index = m.ifi_index };
	memcpy(link->name, name, sizeof(link->name));
	/* a bond has the speed of its members */
	link->hardware = !kind[0] || !strcmp(kind, "bond") || !strcmp(kind, "team");
	snprintf(row_name, sizeof(row_name), "%s%s", prefix, name);
	row = snapshot_named_row(out, SCOPE_NETIF, row_name, strlen(row_name));
	put_link(out, row, &m, attrs, n);
	if (kind[0])
		set_text(out, M_NETIF_KIND, F_RTNL_LINK, row, kind);
	if (*netns)
		set_text(out, M_NETIF_NETNS, F_RTNL_LINK, row, netns);
}

static int see_link(void *ctx, uint16_t type, const void *p, size_t n)
{
	struct walk *w = ctx;

	if (type == RTM_NEWLINK)
		rtnl_link_message(w->links, w->out, w->prefix, w->netns, p, n);
	return 0;
}

int rtnl_links(struct netlink *nl, struct links *l, struct snapshot *out, const char *prefix,
	       const char *netns)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg m;
	} q = { .h = { .nlmsg_type = RTM_GETLINK }, .m = { .ifi_family = AF_UNSPEC } };
	struct walk w = { l, out, prefix, netns, 0 };

	l->n = 0;
	return netlink_dump(nl, &q.h, sizeof(q), see_link, &w);
}

/* ---- queueing disciplines and classes ---- */

/* "eth0/1:" a discipline, "eth0/1:10" a class, "eth0/0:@8002:1" the unnamed one below a class, "eth0/root" unnamed at the root. */
static char *tc_name(const struct link *link, const char *prefix, uint32_t handle, uint32_t parent,
		     char *out, size_t size)
{
	if (TC_H_MIN(handle))
		snprintf(out, size, "%s%s/%x:%x", prefix, link->name, TC_H_MAJ(handle) >> 16,
			 TC_H_MIN(handle));
	else if (handle)
		snprintf(out, size, "%s%s/%x:", prefix, link->name, TC_H_MAJ(handle) >> 16);
	else if (parent == TC_H_ROOT)
		snprintf(out, size, "%s%s/root", prefix, link->name);
	else
		snprintf(out, size, "%s%s/0:@%x:%x", prefix, link->name, TC_H_MAJ(parent) >> 16,
			 TC_H_MIN(parent));
	return out;
}

static uint64_t rate_of(const struct attr *options, uint16_t rate64, uint16_t parms, size_t offset)
{
	struct attr a;
	uint32_t rate;

	if (attr_find(options->p, options->n, rate64, &a) && a.n >= sizeof(uint64_t))
		return attr_u64(&a);
	if (attr_find(options->p, options->n, parms, &a) &&
	    attr_get(&a, offset, &rate, sizeof(rate)))
		return rate;
	return 0;
}

static uint64_t curve_of(const struct attr *options, uint16_t type)
{
	struct tc_service_curve c;
	struct attr a;

	return attr_find(options->p, options->n, type, &a) && attr_get(&a, 0, &c, sizeof(c)) ? c.m2
											     : 0;
}

/* Bytes per second that the discipline or class guarantees and enforces; 0: none. */
static void rates(const char *kind, const struct attr *o, uint64_t *rate, uint64_t *ceil)
{
	struct attr a;

	*rate = *ceil = 0;
	if (!strcmp(kind, "tbf")) {
		*rate = *ceil = rate_of(o, TCA_TBF_RATE64, TCA_TBF_PARMS,
					offsetof(struct tc_tbf_qopt, rate.rate));
	} else if (!strcmp(kind, "htb")) {
		*rate = rate_of(o, TCA_HTB_RATE64, TCA_HTB_PARMS,
				offsetof(struct tc_htb_opt, rate.rate));
		*ceil = rate_of(o, TCA_HTB_CEIL64, TCA_HTB_PARMS,
				offsetof(struct tc_htb_opt, ceil.rate));
	} else if (!strcmp(kind, "hfsc")) {
		*rate = curve_of(o, TCA_HFSC_FSC);
		*ceil = curve_of(o, TCA_HFSC_USC);
	} else if (!strcmp(kind, "cake")) {
		*rate = *ceil = attr_find(o->p, o->n, TCA_CAKE_BASE_RATE64, &a) ? attr_u64(&a) : 0;
	} else if (!strcmp(kind, "netem")) {
		/* the fixed struct comes first, attributes behind it */
		struct attr rest = { 0, o->p, o->n };
		size_t skip = NLMSG_ALIGN(sizeof(struct tc_netem_qopt));

		if (o->n >= skip) {
			rest.p += skip;
			rest.n -= skip;
			*rate = *ceil = rate_of(&rest, TCA_NETEM_RATE64, TCA_NETEM_RATE,
						offsetof(struct tc_netem_rate, rate));
		}
	}
}

static void put_tc_stats(struct snapshot *out, size_t row, const char *attrs, size_t n)
{
	struct gnet_stats_basic basic;
	struct gnet_stats_queue queue;
	struct attr stats, a;
	uint64_t packets;

	if (!attr_find(attrs, n, TCA_STATS2, &stats))
		return;
	/* the struct ends in padding that old kernels do not send */
	if (attr_find(stats.p, stats.n, TCA_STATS_BASIC, &a) &&
	    attr_get(&a, 0, &basic,
		     offsetof(struct gnet_stats_basic, packets) + sizeof(basic.packets))) {
		packets = basic.packets;
		if (attr_find(stats.p, stats.n, TCA_STATS_PKT64, &a))
			packets = attr_u64(&a);
		set(out, M_QDISC_BYTES, F_RTNL_QDISC, row, basic.bytes);
		set(out, M_QDISC_PACKETS, F_RTNL_QDISC, row, packets);
	}
	if (attr_find(stats.p, stats.n, TCA_STATS_QUEUE, &a) &&
	    attr_get(&a, 0, &queue, sizeof(queue))) {
		set(out, M_QDISC_QLEN, F_RTNL_QDISC, row, queue.qlen);
		set(out, M_QDISC_BACKLOG, F_RTNL_QDISC, row, queue.backlog);
		set(out, M_QDISC_DROPS, F_RTNL_QDISC, row, queue.drops);
		set(out, M_QDISC_REQUEUES, F_RTNL_QDISC, row, queue.requeues);
		set(out, M_QDISC_OVERLIMITS, F_RTNL_QDISC, row, queue.overlimits);
	}
}

/* Kinds whose classes are an administrator's; those of fq_codel or mq are flows and queues. */
static bool has_classes(const char *kind)
{
	static const char *const kinds[] = { "htb", "hfsc", "drr", "qfq", "ets", "prio", "cbq" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kind, kinds[i]))
			return true;
	return false;
}

void rtnl_tc_message(struct links *l, struct snapshot *out, const char *prefix, bool class,
		     const void *p, size_t n)
{
	const char *attrs = (const char *)p + NLMSG_ALIGN(sizeof(struct tcmsg));
	char name[ROW_NAME], kind[32];
	uint64_t rate, ceil;
	struct link *link;
	struct tcmsg m;
	struct attr a;
	size_t row;

	if (n < NLMSG_ALIGN(sizeof(m)))
		return;
	memcpy(&m, p, sizeof(m));
	n -= NLMSG_ALIGN(sizeof(m));
	link = link_by_index(l, m.tcm_ifindex);
	if (!link || !attr_find(attrs, n, TCA_KIND, &a))
		return;
	attr_text(&a, kind, sizeof(kind));
	if (!class && has_classes(kind))
		link->classful = true;
	tc_name(link, prefix, m.tcm_handle, m.tcm_parent, name, sizeof(name));
	row = snapshot_named_row(out, SCOPE_QDISC, name, strlen(name));
	set_text(out, M_QDISC_KIND, F_RTNL_QDISC, row, kind);
	set(out, M_QDISC_CLASS, F_RTNL_QDISC, row, class);
	snprintf(name, sizeof(name), "%s%s", prefix, link->name);
	set_text(out, M_QDISC_DEV, F_RTNL_QDISC, row, name);
	if (m.tcm_parent != TC_H_ROOT || class)
		set_text(out, M_QDISC_PARENT, F_RTNL_QDISC, row,
			 tc_name(link, prefix,
				 m.tcm_parent == TC_H_ROOT ? TC_H_MAJ(m.tcm_handle) : m.tcm_parent,
				 TC_H_ROOT, name, sizeof(name)));
	put_tc_stats(out, row, attrs, n);
	if (!attr_find(attrs, n, TCA_OPTIONS, &a))
		return;
	rates(kind, &a, &rate, &ceil);
	if (rate)
		set(out, M_QDISC_RATE, F_RTNL_QDISC, row, rate * 8);
	if (ceil)
		set(out, M_QDISC_CEIL, F_RTNL_QDISC, row, ceil * 8);
}

static int see_qdisc(void *ctx, uint16_t type, const void *p, size_t n)
{
	struct walk *w = ctx;

	if (type == RTM_NEWQDISC)
		rtnl_tc_message(w->links, w->out, w->prefix, false, p, n);
	return ++w->rows == QDISCS_CAP;
}

static int see_class(void *ctx, uint16_t type, const void *p, size_t n)
{
	struct walk *w = ctx;

	if (type == RTM_NEWTCLASS)
		rtnl_tc_message(w->links, w->out, w->prefix, true, p, n);
	return ++w->rows == CLASSES_CAP;
}

int rtnl_qdiscs(struct netlink *nl, struct links *l, struct snapshot *out, const char *prefix)
{
	struct {
		struct nlmsghdr h;
		struct tcmsg m;
	} q = { .h = { .nlmsg_type = RTM_GETQDISC }, .m = { .tcm_family = AF_UNSPEC } };
	struct walk w = { l, out, prefix, "", 0 };
	int rc = netlink_dump(nl, &q.h, sizeof(q), see_qdisc, &w);

	w.rows = 0;
	for (size_t i = 0; i < l->n && rc >= 0; i++) {
		if (!l->list[i].classful)
			continue;
		q.h = (struct nlmsghdr){ .nlmsg_type = RTM_GETTCLASS };
		q.m = (struct tcmsg){ .tcm_family = AF_UNSPEC, .tcm_ifindex = l->list[i].index };
		if (netlink_dump(nl, &q.h, sizeof(q), see_class, &w) > 0)
			break;
	}
	return rc < 0 ? rc : 0;
}
