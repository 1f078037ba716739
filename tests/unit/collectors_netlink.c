/* SPDX-License-Identifier: Apache-2.0 */
/* Netlink messages as they should not be. */
#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/inet_diag.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "collectors/pack.h"
#include "collectors/rtnl.h"
#include "collectors/sockdiag.h"
#include "model/host.h"
#include "tests/unit/unit.h"

struct seen {
	unsigned n;
	size_t bytes;
	int stop_at;
};

static int see(void *ctx, uint16_t type, const void *p, size_t n)
{
	struct seen *s = ctx;
	const unsigned char *at = p;
	volatile unsigned char sum = 0;

	for (size_t i = 0; i < n; i++) /* a sanitizer sees a byte too many */
		sum = (unsigned char)(sum + at[i]);
	s->bytes += n;
	(void)type;
	return ++s->n == (unsigned)s->stop_at ? 17 : 0;
}

static size_t put(char *b, size_t at, uint16_t type, uint16_t flags, uint32_t seq, size_t payload)
{
	struct nlmsghdr h = { .nlmsg_len = (uint32_t)NLMSG_LENGTH(payload),
			      .nlmsg_type = type,
			      .nlmsg_flags = flags,
			      .nlmsg_seq = seq };

	memcpy(b + at, &h, sizeof(h));
	memset(b + at + NLMSG_HDRLEN, 0, payload);
	return at + NLMSG_ALIGN(h.nlmsg_len);
}

TEST(a_dump_ends_with_its_last_message)
{
	char b[512] __attribute__((aligned(4)));
	struct seen s = { 0 };
	bool intr = false;
	size_t n = put(b, 0, 20, NLM_F_MULTI, 5, 7);

	n = put(b, n, 20, NLM_F_MULTI, 5, 12);
	CHECK_INT(netlink_walk(b, n, 5, &intr, see, &s), NETLINK_MORE);
	n = put(b, n, NLMSG_DONE, NLM_F_MULTI | NLM_F_DUMP_INTR, 5, 4);
	s = (struct seen){ 0 };
	CHECK_INT(netlink_walk(b, n, 5, &intr, see, &s), 0);
	CHECK_INT(s.n, 2);
	CHECK_INT((long long)s.bytes, 19);
	CHECK(intr);
}

TEST(answers_to_older_questions_are_passed_over)
{
	char b[512] __attribute__((aligned(4)));
	struct seen s = { 0 };
	bool intr = false;
	size_t n = put(b, 0, NLMSG_ERROR, 0, 4, 4);

	n = put(b, n, 20, 0, 5, 8);
	CHECK_INT(netlink_walk(b, n, 5, &intr, see, &s), 0);
	CHECK_INT(s.n, 1);
}

TEST(an_error_of_the_kernel_is_the_answer)
{
	char b[64] __attribute__((aligned(4)));
	struct seen s = { 0 };
	bool intr = false;
	int32_t code = -ENOENT;
	size_t n = put(b, 0, NLMSG_ERROR, 0, 1, 20);

	memcpy(b + NLMSG_HDRLEN, &code, sizeof(code));
	CHECK_INT(netlink_walk(b, n, 1, &intr, see, &s), -ENOENT);
	CHECK_INT(s.n, 0);
}

TEST(a_reader_that_has_enough_stops_the_walk)
{
	char b[512] __attribute__((aligned(4)));
	struct seen s = { .stop_at = 1 };
	bool intr = false;
	size_t n = put(b, put(b, 0, 20, NLM_F_MULTI, 1, 4), 20, NLM_F_MULTI, 1, 4);

	CHECK_INT(netlink_walk(b, n, 1, &intr, see, &s), 17);
	CHECK_INT(s.n, 1);
}

TEST(message_lengths_that_lie_are_refused)
{
	static const uint32_t lengths[] = { 0, 1, 15, 61, 0x7fffffff, 0xffffffff };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		char *b = malloc(60);
		struct seen s = { 0 };
		bool intr = false;

		put(b, 0, 20, NLM_F_MULTI, 1, 44);
		memcpy(b, &lengths[i], 4);
		CHECK_INT(netlink_walk(b, 60, 1, &intr, see, &s), -EBADMSG);
		free(b);
	}
}

TEST(attribute_lengths_that_lie_end_the_walk)
{
	static const uint16_t lengths[] = { 0, 3, 13, 0xffff };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		char *b = malloc(20);
		const char *p = b, *end = b + 20;
		struct nlattr first = { .nla_len = 8, .nla_type = 1 },
			      bad = { .nla_len = lengths[i], .nla_type = 2 };
		struct attr a;

		memset(b, 0, 20);
		memcpy(b, &first, sizeof(first));
		memcpy(b + 8, &bad, sizeof(bad));
		CHECK(attr_next(&p, end, &a));
		CHECK_INT(a.type, 1);
		CHECK_INT((long long)a.n, 4);
		CHECK(!attr_next(&p, end, &a));
		CHECK(!attr_find(b, 20, 2, &a));
		free(b);
	}
}

TEST(an_attribute_too_short_for_its_number_is_zero)
{
	struct attr a = { .type = 1, .p = "\x07\x08", .n = 2 };
	char text[2];
	uint16_t two = 0;

	CHECK_INT(attr_u32(&a), 0);
	CHECK_INT((long long)attr_u64(&a), 0);
	CHECK_INT(attr_u8(&a), 7);
	CHECK(attr_get(&a, 0, &two, 2));
	CHECK(!attr_get(&a, 1, &two, 2));
	CHECK(!attr_get(&a, SIZE_MAX, &two, 2));
	CHECK_STR(attr_text(&a, text, sizeof(text)), "\x07");
}

TEST(a_request_has_room_for_what_fits)
{
	struct {
		struct nlmsghdr h;
		char room[16];
	} q = { .h = { .nlmsg_len = NLMSG_HDRLEN } };
	char big[16] = { 0 };

	CHECK(attr_put(&q.h, sizeof(q), 1, "abcd", 4));
	CHECK_INT(q.h.nlmsg_len, NLMSG_HDRLEN + 8);
	CHECK(!attr_put(&q.h, sizeof(q), 2, big, 5));
	CHECK(attr_put(&q.h, sizeof(q), 2, big, 4));
	CHECK_INT(q.h.nlmsg_len, sizeof(q));
}

/* ---- sockets ---- */

static size_t inet(char *b, uint8_t state, const void *info, size_t info_size)
{
	struct inet_diag_msg m = { .idiag_family = AF_INET,
				   .idiag_state = state,
				   .idiag_timer = 1,
				   .idiag_retrans = 3,
				   .idiag_inode = 77,
				   .idiag_rqueue = 5,
				   .idiag_wqueue = 6 };
	struct nlattr a = { .nla_type = INET_DIAG_INFO,
			    .nla_len = (uint16_t)(NLA_HDRLEN + info_size) };

	m.id.idiag_sport = __builtin_bswap16(80);
	m.id.idiag_dport = __builtin_bswap16(40000);
	m.id.idiag_cookie[0] = 9;
	m.id.idiag_cookie[1] = 1;
	memcpy(m.id.idiag_src, "\x7f\0\0\1", 4);
	memcpy(b, &m, sizeof(m));
	memcpy(b + NLMSG_ALIGN(sizeof(m)), &a, sizeof(a));
	memcpy(b + NLMSG_ALIGN(sizeof(m)) + NLA_HDRLEN, info, info_size);
	return NLMSG_ALIGN(sizeof(m)) + NLA_ALIGN(a.nla_len);
}

TEST(a_socket_is_read_with_as_much_of_tcp_info_as_the_kernel_has)
{
	struct tcp_info i = { .tcpi_retransmits = 2,
			      .tcpi_unacked = 4,
			      .tcpi_total_retrans = 11,
			      .tcpi_segs_out = 99 };
	char b[1024], text[64];
	struct sock s;
	size_t n = inet(b, SOCK_ESTABLISHED, &i, offsetof(struct tcp_info, tcpi_segs_out));

	CHECK(sock_of_inet(&s, PROTO_TCP, b, n));
	CHECK_INT(s.local_port, 80);
	CHECK_INT(s.remote_port, 40000);
	CHECK_UINT(s.cookie, 9 | 1ull << 32);
	CHECK_INT(s.inode, 77);
	CHECK_INT(s.retransmits, 3);
	CHECK_STR(sock_addr_text(&s.local, text, sizeof(text)), "127.0.0.1");
	CHECK(SOCK_HAS(&s, tcpi_total_retrans));
	CHECK_INT(s.info.tcpi_total_retrans, 11);
	CHECK(!SOCK_HAS(&s, tcpi_segs_out));
	CHECK_INT(s.info.tcpi_segs_out, 0);
}

TEST(a_longer_tcp_info_of_a_newer_kernel_is_cut)
{
	char b[2048], info[sizeof(struct tcp_info) + 64];
	struct sock s;
	size_t n;

	memset(info, 1, sizeof(info));
	n = inet(b, SOCK_ESTABLISHED, info, sizeof(info));
	CHECK(sock_of_inet(&s, PROTO_TCP, b, n));
	CHECK_INT((long long)s.info_size, sizeof(struct tcp_info));
}

TEST(socket_messages_cut_anywhere_do_no_harm)
{
	struct tcp_info i = { 0 };
	char whole[1024];
	size_t n = inet(whole, SOCK_ESTABLISHED, &i, sizeof(i));

	for (size_t cut = 0; cut <= n; cut++) {
		char *b = malloc(cut ? cut : 1);
		struct sock s;

		memcpy(b, whole, cut);
		CHECK_INT(sock_of_inet(&s, PROTO_TCP, b, cut), cut >= sizeof(struct inet_diag_msg));
		sock_of_unix(&s, b, cut);
		free(b);
	}
}

TEST(random_bytes_are_no_danger)
{
	uint64_t x = 88172645463325252ull;
	struct snapshot out = { 0 };
	struct links l = { 0 };
	struct host h = { .page_size = 4096, .ticks_per_second = 100 };

	metrics_init();
	snapshot_init(&out, &h);
	for (int round = 0; round < 4000; round++) {
		size_t n = (size_t)(x % 400);
		char *b = malloc(n ? n : 1);
		struct sock s;

		for (size_t k = 0; k < n; k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			b[k] = (char)(round % 2
					      ? x
					      : x % 5); /* small numbers look like lengths and types */
		}
		sock_of_inet(&s, PROTO_TCP, b, n);
		sock_of_inet(&s, PROTO_UDP, b, n);
		sock_of_unix(&s, b, n);
		rtnl_link_message(&l, &out, "", "", b, n);
		rtnl_tc_message(&l, &out, "", round & 2, b, n);
		unpack_snapshot(&out, b, n);
		free(b);
		if (round % 100 == 0)
			snapshot_clear(&out);
	}
	links_done(&l);
	snapshot_done(&out);
}

TEST(a_mapped_ipv4_address_is_an_ipv4_address)
{
	struct inet_diag_msg m = { .idiag_family = AF_INET6, .idiag_state = SOCK_LISTEN };
	struct sock s;
	char text[64];

	memcpy(m.id.idiag_src, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\x07", 16);
	CHECK(sock_of_inet(&s, PROTO_TCP, &m, sizeof(m)));
	CHECK_INT(s.local.family, AF_INET);
	CHECK_STR(sock_addr_text(&s.local, text, sizeof(text)), "10.0.0.7");
	CHECK_STR(sock_addr_text(&s.remote, text, sizeof(text)), "*");
	memcpy(m.id.idiag_dst, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	CHECK(sock_of_inet(&s, PROTO_TCP, &m, sizeof(m)));
	CHECK_STR(sock_addr_text(&s.remote, text, sizeof(text)), "[fe80::1]");
}

TEST(the_name_of_an_abstract_socket_begins_with_an_at_sign)
{
	struct {
		struct unix_diag_msg m;
		struct nlattr a;
		char name[8];
		struct nlattr q;
		struct unix_diag_rqlen len;
	} b = {
		.m = { .udiag_state = SOCK_LISTEN, .udiag_ino = 5 },
		.a = { .nla_type = UNIX_DIAG_NAME, .nla_len = NLA_HDRLEN + 4 },
		.name = { 0, 'a', 0, 'b' },
	};
	struct sock s;

	memmove(&b.name[4],
		&(struct nlattr){ .nla_type = UNIX_DIAG_RQLEN, .nla_len = NLA_HDRLEN + 8 }, 4);
	memcpy((char *)&b.q, &(struct unix_diag_rqlen){ .udiag_rqueue = 3, .udiag_wqueue = 128 },
	       8);
	CHECK(sock_of_unix(&s, &b, sizeof(b.m) + 8 + 12));
	CHECK_STR(s.path, "@a@b");
	CHECK_INT(s.rqueue, 3);
	CHECK_INT(s.wqueue, 128);
}

/* ---- links and disciplines ---- */

struct message {
	struct nlmsghdr h;
	char room[1024];
};

static void attribute(struct message *m, uint16_t type, const void *p, size_t n)
{
	CHECK(attr_put(&m->h, sizeof(*m), type, p, n));
}

static void nested(struct message *m, uint16_t type, const struct message *inner)
{
	attribute(m, type, (const char *)inner + NLMSG_HDRLEN, inner->h.nlmsg_len - NLMSG_HDRLEN);
}

static const void *payload(const struct message *m, size_t *n)
{
	*n = m->h.nlmsg_len - NLMSG_HDRLEN;
	return (const char *)m + NLMSG_HDRLEN;
}

static void start(struct message *m, const void *head, size_t n)
{
	memset(m, 0, sizeof(*m));
	memcpy((char *)m + NLMSG_HDRLEN, head, n);
	m->h.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + NLMSG_ALIGN(n));
}

static void link_message(struct message *m, int index, const char *name, const char *kind)
{
	struct rtnl_link_stats64 stats = { .rx_packets = 3,
					   .rx_bytes = 300,
					   .rx_dropped = 4,
					   .rx_missed_errors = 5,
					   .tx_carrier_errors = 6 };
	struct ifinfomsg head = { .ifi_index = index, .ifi_flags = IFF_UP | IFF_RUNNING };
	struct message info;
	uint32_t changes = 8;

	start(m, &head, sizeof(head));
	attribute(m, IFLA_IFNAME, name, strlen(name) + 1);
	attribute(m, IFLA_STATS64, &stats, sizeof(stats));
	attribute(m, IFLA_CARRIER_CHANGES, &changes, sizeof(changes));
	if (!kind)
		return;
	start(&info, "", 0);
	attribute(&info, IFLA_INFO_KIND, kind, strlen(kind) + 1);
	nested(m, IFLA_LINKINFO, &info);
}

static double value(struct snapshot *s, enum metric_id id, const char *row)
{
	return snapshot_value(s, id, snapshot_find_name(s, metric_get(id)->scope, row));
}

TEST(links_give_names_kinds_and_counters_summed_as_in_proc)
{
	struct host h = { .page_size = 4096, .ticks_per_second = 100 };
	struct snapshot out;
	struct links l = { 0 };
	struct message m;
	const void *p;
	size_t n;

	metrics_init();
	snapshot_init(&out, &h);
	link_message(&m, 2, "eth0", NULL);
	p = payload(&m, &n);
	rtnl_link_message(&l, &out, "", "", p, n);
	link_message(&m, 7, "vbr1", "veth");
	p = payload(&m, &n);
	rtnl_link_message(&l, &out, "netns:12/", "netns:12", p, n);
	CHECK_INT((long long)l.n, 2);
	CHECK(l.list[0].hardware);
	CHECK(!l.list[1].hardware);
	CHECK_NEAR(value(&out, M_NETIF_RX_DROPS, "eth0"), 9, 0);
	CHECK_NEAR(value(&out, M_NETIF_TX_CARRIER, "eth0"), 6, 0);
	CHECK_NEAR(value(&out, M_NETIF_CARRIER_CHANGES, "eth0"), 8, 0);
	CHECK_NEAR(value(&out, M_NETIF_UP, "eth0"), 1, 0);
	CHECK_STR(snapshot_text(&out, M_NETIF_KIND,
				snapshot_find_name(&out, SCOPE_NETIF, "netns:12/vbr1")),
		  "veth");
	CHECK_STR(snapshot_text(&out, M_NETIF_NETNS,
				snapshot_find_name(&out, SCOPE_NETIF, "netns:12/vbr1")),
		  "netns:12");
	links_done(&l);
	snapshot_done(&out);
}

TEST(a_shaper_says_its_rate_and_its_backlog)
{
	struct tcmsg head = { .tcm_ifindex = 2, .tcm_handle = 0x80010000, .tcm_parent = TC_H_ROOT };
	struct tc_tbf_qopt parms = { .rate = { .rate = 2500000 } };
	struct gnet_stats_basic basic = { .bytes = 1000, .packets = 10 };
	struct gnet_stats_queue queue = { .qlen = 4, .backlog = 6000, .drops = 5, .overlimits = 7 };
	struct host h = { .page_size = 4096, .ticks_per_second = 100 };
	struct snapshot out;
	struct links l = { 0 };
	struct message m, inner;
	const void *p;
	size_t n;

	metrics_init();
	snapshot_init(&out, &h);
	link_message(&m, 2, "eth0", NULL);
	p = payload(&m, &n);
	rtnl_link_message(&l, &out, "", "", p, n);
	start(&m, &head, sizeof(head));
	attribute(&m, TCA_KIND, "tbf", 4);
	start(&inner, "", 0);
	attribute(&inner, TCA_TBF_PARMS, &parms, sizeof(parms));
	nested(&m, TCA_OPTIONS, &inner);
	start(&inner, "", 0);
	attribute(&inner, TCA_STATS_BASIC, &basic, sizeof(basic));
	attribute(&inner, TCA_STATS_QUEUE, &queue, sizeof(queue));
	nested(&m, TCA_STATS2, &inner);
	p = payload(&m, &n);
	rtnl_tc_message(&l, &out, "", false, p, n);
	CHECK_NEAR(value(&out, M_QDISC_CEIL, "eth0/8001:"), 20e6, 0);
	CHECK_NEAR(value(&out, M_QDISC_BACKLOG, "eth0/8001:"), 6000, 0);
	CHECK_NEAR(value(&out, M_QDISC_DROPS, "eth0/8001:"), 5, 0);
	CHECK_NEAR(value(&out, M_QDISC_BYTES, "eth0/8001:"), 1000, 0);
	CHECK(!snapshot_text(&out, M_QDISC_PARENT,
			     snapshot_find_name(&out, SCOPE_QDISC, "eth0/8001:")));
	CHECK(!l.list[0].classful);
	links_done(&l);
	snapshot_done(&out);
}

TEST(a_class_of_htb_has_a_ceiling_and_a_parent)
{
	struct tcmsg head = { .tcm_ifindex = 2,
			      .tcm_handle = 0x00010010,
			      .tcm_parent = 0x00010001 };
	struct tc_htb_opt parms = { .rate = { .rate = 1000 }, .ceil = { .rate = 4000 } };
	uint64_t ceil64 = 5000000000ull;
	struct host h = { .page_size = 4096, .ticks_per_second = 100 };
	struct snapshot out;
	struct links l = { 0 };
	struct message m, inner;
	const void *p;
	size_t n;

	metrics_init();
	snapshot_init(&out, &h);
	link_message(&m, 2, "eth0", NULL);
	p = payload(&m, &n);
	rtnl_link_message(&l, &out, "", "", p, n);
	start(&m, &head, sizeof(head));
	attribute(&m, TCA_KIND, "htb", 4);
	start(&inner, "", 0);
	attribute(&inner, TCA_HTB_PARMS, &parms, sizeof(parms));
	attribute(&inner, TCA_HTB_CEIL64, &ceil64, sizeof(ceil64));
	nested(&m, TCA_OPTIONS, &inner);
	p = payload(&m, &n);
	rtnl_tc_message(&l, &out, "", true, p, n);
	CHECK_NEAR(value(&out, M_QDISC_RATE, "eth0/1:10"), 8000, 0);
	CHECK_NEAR(value(&out, M_QDISC_CEIL, "eth0/1:10"), 40e9, 0);
	CHECK_NEAR(value(&out, M_QDISC_CLASS, "eth0/1:10"), 1, 0);
	CHECK_STR(snapshot_text(&out, M_QDISC_PARENT,
				snapshot_find_name(&out, SCOPE_QDISC, "eth0/1:10")),
		  "eth0/1:1");
	links_done(&l);
	snapshot_done(&out);
}

TEST(driver_counters_are_told_by_their_names)
{
	static const char *const drops[] = { "rx_dropped",       "rx_missed_errors",
					     "tx_queue_0_drops", "rx_no_buffer_count",
					     "rx_CRC_errs",      "rx_discards" };
	static const char *const others[] = { "rx_packets",
					      "rx_xdp_drop",
					      "rx_cache_miss",
					      "tx_bytes",
					      "bw_in_allowance_exceeded",
					      "" };

	for (size_t i = 0; i < sizeof(drops) / sizeof(*drops); i++)
		CHECK(ethtool_is_drop(drops[i], strlen(drops[i])));
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		CHECK(!ethtool_is_drop(others[i], strlen(others[i])));
	CHECK(ethtool_is_allowance("pps_allowance_exceeded", 22));
	CHECK(!ethtool_is_drop("rx_dr", 5));
}

/* ---- packed snapshots ---- */

TEST(a_snapshot_survives_being_packed)
{
	struct host h = { .page_size = 4096, .ticks_per_second = 100 };
	struct row_id id = { .key = 7, .birth = 9 };
	struct snapshot a, b;
	struct buf bytes = { 0 };
	size_t row;

	metrics_init();
	snapshot_init(&a, &h);
	snapshot_init(&b, &h);
	snapshot_begin(&a, SCOPE_SOCKET, 1234);
	row = snapshot_row(&a, SCOPE_SOCKET, id, "x", 1);
	snapshot_set(&a, M_SOCK_RQUEUE, row, 17, 1);
	snapshot_set_text(&a, M_SOCK_COMM, row, "ng\xff\n", 4, 1);
	row = snapshot_row(&a, SCOPE_PROCESS, id, "p",
			   1); /* cells for a table that is not ours to date */
	snapshot_set(&a, M_PROC_SOCKETS_NEW, row, 3, 1);
	pack_snapshot(&bytes, &a);
	CHECK(unpack_snapshot(&b, bytes.data, bytes.len));
	row = snapshot_find(&b, SCOPE_SOCKET, id);
	CHECK_NEAR(snapshot_value(&b, M_SOCK_RQUEUE, row), 17, 0);
	CHECK_STR(snapshot_text(&b, M_SOCK_COMM, row), "ng\xff\n");
	CHECK(isnan(snapshot_value(&b, M_SOCK_WQUEUE, row)));
	CHECK_UINT(b.tables[SCOPE_SOCKET].time_ns, 1234);
	CHECK_UINT(b.tables[SCOPE_PROCESS].time_ns, 0);
	CHECK_NEAR(snapshot_value(&b, M_PROC_SOCKETS_NEW, snapshot_find(&b, SCOPE_PROCESS, id)), 3,
		   0);
	for (size_t cut = 1; cut < bytes.len;
	     cut++) { /* cut short it is refused or is a shorter snapshot */
		char *part = malloc(cut);

		memcpy(part, bytes.data, cut);
		snapshot_clear(&b);
		unpack_snapshot(&b, part, cut);
		free(part);
	}
	buf_done(&bytes);
	snapshot_done(&a);
	snapshot_done(&b);
}
