/* SPDX-License-Identifier: Apache-2.0 */
/* Files of /proc/net: their shapes, and what goes wrong with them. */
#include <math.h>
#include <string.h>

#include "collectors/hexstat.h"
#include "collectors/shapes.h"
#include "collectors/table.h"
#include "tests/unit/rig.h"
#include "tests/unit/unit.h"

static void read_text(struct rig *r, const char *path, const char *text)
{
	unit_file(path, text);
	rig_open(r, &collector_files_second);
	rig_read(r);
}

TEST(snmp_columns_are_found_by_name_in_any_order)
{
	struct rig r;

	read_text(&r, "proc/net/snmp",
		  "Tcp: RetransSegs Unheard ActiveOpens\nTcp: 7 99 12\nUdp: NoPorts\nUdp: 3\n");
	CHECK_NEAR(rig_value(&r, M_TCP_RETRANS, NULL), 7, 0);
	CHECK_NEAR(rig_value(&r, M_TCP_ACTIVE, NULL), 12, 0);
	CHECK_NEAR(rig_value(&r, M_UDP_NO_PORTS, NULL), 3, 0);
	CHECK(isnan(rig_value(&r, M_TCP_PASSIVE, NULL)));
	rig_close(&r);
}

TEST(a_value_line_that_is_too_short_leaves_the_rest_absent)
{
	struct rig r;

	read_text(&r, "proc/net/netstat",
		  "TcpExt: ListenOverflows ListenDrops TCPTimeouts\nTcpExt: 5 6\n");
	CHECK_NEAR(rig_value(&r, M_TCP_LISTEN_OVERFLOWS, NULL), 5, 0);
	CHECK_NEAR(rig_value(&r, M_TCP_LISTEN_DROPS, NULL), 6, 0);
	CHECK(isnan(rig_value(&r, M_TCP_TIMEOUTS, NULL)));
	rig_close(&r);
}

TEST(a_line_of_names_without_its_values_is_no_pair)
{
	struct rig r;

	read_text(&r, "proc/net/snmp",
		  "Ip: InReceives\nTcp: ActiveOpens\nTcp: 4\nUdp: InDatagrams");
	CHECK_NEAR(rig_value(&r, M_TCP_ACTIVE, NULL), 4, 0);
	CHECK(isnan(rig_value(&r, M_IP_IN, NULL)));
	CHECK(isnan(rig_value(&r, M_UDP_IN, NULL)));
	rig_close(&r);
}

TEST(a_negative_number_is_no_counter)
{
	struct rig r;

	read_text(&r, "proc/net/snmp", "Tcp: MaxConn ActiveOpens RetransSegs\nTcp: -1 -5 2\n");
	CHECK(isnan(rig_value(&r, M_TCP_ACTIVE, NULL)));
	CHECK_NEAR(rig_value(&r, M_TCP_RETRANS, NULL), 2, 0);
	rig_close(&r);
}

TEST(a_counter_of_net_dev_may_be_glued_to_the_name)
{
	struct rig r;

	read_text(
		&r, "proc/net/dev",
		"Inter-|   Receive                    |  Transmit\n face |bytes packets errs drop|bytes\n"
		"eth0:123 4 5 6 7 8 9 10 1001 11 12 13 14 15 16 17\n"
		"    lo:       9 1\n");
	CHECK_NEAR(rig_value(&r, M_NETIF_RX_BYTES, "eth0"), 123, 0);
	CHECK_NEAR(rig_value(&r, M_NETIF_RX_PACKETS, "eth0"), 4, 0);
	CHECK_NEAR(rig_value(&r, M_NETIF_RX_ERRORS, "eth0"), 5, 0);
	CHECK_NEAR(rig_value(&r, M_NETIF_TX_BYTES, "eth0"), 1001, 0);
	CHECK_NEAR(rig_value(&r, M_NETIF_TX_COMPRESSED, "eth0"), 17, 0);
	CHECK_NEAR(rig_value(&r, M_NETIF_RX_PACKETS, "lo"), 1, 0);
	CHECK(isnan(rig_value(&r, M_NETIF_TX_BYTES, "lo")));
	rig_close(&r);
}

TEST(interfaces_may_have_names_made_of_digits_only_if_the_kernel_says_so)
{
	struct rig r;

	read_text(&r, "proc/net/dev", "a.b-c@7: 1 2 3 4 5 6 7 8 9 10\n: 1 2 3\n\x01\xff: 5 6\n");
	CHECK_NEAR(rig_value(&r, M_NETIF_RX_BYTES, "a.b-c@7"), 1, 0);
	CHECK(rig_row(&r, SCOPE_NETIF, "") == SIZE_MAX);
	rig_close(&r);
}

TEST(sockstat_and_snmp6_are_read_by_label_and_key)
{
	struct rig r;

	unit_file("proc/net/sockstat",
		  "sockets: used 15\nTCP: inuse 1 orphan 2 tw 3 alloc 4 mem 5\nUDP: inuse 6 mem\n");
	unit_file("proc/net/snmp6", "Udp6InDatagrams                 \t21\nUdp6NoPorts\tx\n");
	rig_open(&r, &collector_files_second);
	r.host.page_size = 4096;
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_TCP_TIME_WAIT, NULL), 3, 0);
	CHECK_NEAR(rig_value(&r, M_TCP_MEMORY, NULL), 5 * 4096, 0);
	CHECK(isnan(rig_value(&r, M_UDP_MEMORY, NULL)));
	CHECK_NEAR(rig_value(&r, M_UDP6_IN, NULL), 21, 0);
	CHECK(isnan(rig_value(&r, M_UDP6_NO_PORTS, NULL)));
	rig_close(&r);
}

TEST(softnet_lines_say_whose_they_are_or_go_by_their_order)
{
	struct rig r;

	unit_file(
		"proc/net/softnet_stat",
		"0000000d 00000002 00000001 0 0 0 0 0 0 0 0 00000007 00000003\n" /* 5.10 and later: CPU 3 */
		"000000ff 0 0\n" /* old and short: the second line */
		"00000001 00\n"  /* too short to mean anything */
		"zz 1 2 3\n"
		"0000000a 0 0 0 0"); /* cut off */
	rig_open(&r, &collector_softnet);
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_CPU_NET_PACKETS, "cpu3"), 13, 0);
	CHECK_NEAR(rig_value(&r, M_CPU_NET_DROPS, "cpu3"), 2, 0);
	CHECK_NEAR(rig_value(&r, M_CPU_NET_BACKLOG, "cpu3"), 7, 0);
	CHECK_NEAR(rig_value(&r, M_CPU_NET_PACKETS, "cpu1"), 255, 0);
	CHECK(isnan(rig_value(&r, M_CPU_NET_BACKLOG, "cpu1")));
	CHECK(rig_row(&r, SCOPE_CPU, "cpu2") == SIZE_MAX);
	CHECK(rig_row(&r, SCOPE_CPU, "cpu4") == SIZE_MAX);
	rig_close(&r);
}

TEST(neighbour_tables_of_both_families_add_up)
{
	struct rig r;

	unit_file("proc/net/stat/arp_cache",
		  "entries  allocs table_fulls\n00000010 1 00000002\n00000010 3 00000001\n");
	unit_file("proc/net/stat/ndisc_cache",
		  "entries  allocs table_fulls\n00000001 1 00000004\n");
	rig_open(&r, &collector_softnet);
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_NEIGH_FULL, NULL), 7, 0);
	CHECK_NEAR(rig_value(&r, M_NEIGH_ENTRIES, NULL), 17, 0);
	CHECK(isnan(rig_value(&r, M_CONNTRACK_DROPS, NULL)));
	rig_close(&r);
}

TEST(hexadecimal_columns_are_summed_by_name)
{
	uint64_t v = 5;

	CHECK(hexstat_sum(text_of("entries drop early_drop\n1 a ff\n2 b 1\n"), "early_drop", &v));
	CHECK_UINT(v, 0x100);
	CHECK(hexstat_sum(text_of("drop\nx\n3\n"), "drop", &v));
	CHECK_UINT(v, 3);
	CHECK(!hexstat_sum(text_of("drop\n"), "drop", &v));
	CHECK(!hexstat_sum(text_of(""), "drop", &v));
	CHECK(!hexstat_sum(text_of("entries\n1\n"), "drop", &v));
	CHECK(hexstat_first(text_of("entries x\n20 1\n30 1\n"), "entries", &v));
	CHECK_UINT(v, 0x20);
}
