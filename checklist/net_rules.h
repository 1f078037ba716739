/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CHECKLIST_NET_RULES_H
#define SIXTY_CHECKLIST_NET_RULES_H

#include "checklist/rule.h"

/* What the table in net.c points at. */
#define NET_CHECK(name) void name(const struct rule *r, const struct view *v, struct findings *fs)

/* net_tcp.c */
NET_CHECK(net_packet_loss);
NET_CHECK(net_zero_window);
NET_CHECK(net_sndbuf_limited);
NET_CHECK(net_nagle);
NET_CHECK(net_pmtu_blackhole);
NET_CHECK(net_bufferbloat);
NET_CHECK(net_tcp_memory);
/* net_connect.c */
NET_CHECK(net_listen_overflow);
NET_CHECK(net_accept_slow);
NET_CHECK(net_syn_flood);
NET_CHECK(net_connect_timeout);
NET_CHECK(net_refused);
NET_CHECK(net_reset);
NET_CHECK(net_churn);
/* net_table.c */
NET_CHECK(net_conntrack_full);
NET_CHECK(net_conntrack_insert);
NET_CHECK(net_ports_exhausted);
NET_CHECK(net_timewait_overflow);
NET_CHECK(net_neighbours_full);
/* net_udp.c */
NET_CHECK(net_dns_timeout);
NET_CHECK(net_udp_no_port);
NET_CHECK(net_udp_overflow);
/* net_link.c */
NET_CHECK(net_link_saturated);
NET_CHECK(net_shaped_class);
NET_CHECK(net_qdisc_drops);
NET_CHECK(net_interface_errors);
NET_CHECK(net_ring_drops);
NET_CHECK(net_cloud_allowance);
NET_CHECK(net_link_flap);
NET_CHECK(net_low_speed);
NET_CHECK(net_softnet_drops);
NET_CHECK(net_packet_storm);

#endif
