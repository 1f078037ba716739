/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the network: fires on, silent on. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/net.h"
#include "tests/unit/scene.h"
#include "tests/unit/unit.h"

#define WINDOW 10.0

/* ---- a machine with a network ---- */

static void machine(struct scene *s)
{
	static const enum metric_id counters[] = {
		M_TCP_ACTIVE,
		M_TCP_PASSIVE,
		M_TCP_ATTEMPT_FAILS,
		M_TCP_ESTAB_RESETS,
		M_TCP_OUT_RSTS,
		M_TCP_RETRANS,
		M_TCP_SYN_RETRANS,
		M_TCP_TIMEOUTS,
		M_TCP_DSACK_RECV,
		M_TCP_LISTEN_OVERFLOWS,
		M_TCP_LISTEN_DROPS,
		M_TCP_SYNCOOKIES,
		M_TCP_REQQ_COOKIES,
		M_TCP_REQQ_DROPS,
		M_TCP_TW_OVERFLOW,
		M_TCP_EMBRYONIC,
		M_TCP_ABORT_DATA,
		M_TCP_ABORT_CLOSE,
		M_TCP_ABORT_MEMORY,
		M_TCP_MEM_PRESSURES,
		M_TCP_OFO_DROPS,
		M_UDP_IN,
		M_UDP_OUT,
		M_UDP_NO_PORTS,
		M_UDP_RCVBUF_ERRS,
		M_NEIGH_FULL,
		M_CONNTRACK_DROPS,
		M_CONNTRACK_EARLY_DROPS,
		M_CONNTRACK_INSERT_FAILED,
		M_SYS_SOFTIRQ,
	};

	scene_open(s, 2, WINDOW);
	for (size_t i = 0; i < sizeof(counters) / sizeof(*counters); i++)
		scene_grow(s, counters[i], scene_system, 0);
	scene_grow(s, M_TCP_OUT_SEGS, scene_system, 10000);
	scene_level(s, M_PORTS_FIRST, scene_system, 32768);
	scene_level(s, M_PORTS_LAST, scene_system, 60999);
	scene_level(s, M_TW_REUSE, scene_system, 2);
	scene_level(s, M_TCP_MEMORY, scene_system, 1e6);
	scene_level(s, M_TCP_MEM_PRESSURE, scene_system, 1e9);
	scene_level(s, M_TCP_MEM_LIMIT, scene_system, 2e9);
	scene_level(s, M_CONNTRACK_COUNT, scene_system, 100);
	scene_level(s, M_CONNTRACK_MAX, scene_system, 1000);
}

static struct row_id endpoint(struct scene *s, const char *name, const char *proto,
			      const char *address, int port, bool local)
{
	static const enum metric_id sums[] = {
		M_EP_CONNECTING, M_EP_RETRYING,     M_EP_HALF_OPEN, M_EP_CLIENTS, M_EP_SERVED,
		M_EP_AWAITING,   M_EP_AWAITING_NEW, M_EP_WORKING,   M_EP_UNREAD,  M_EP_QUEUED,
		M_EP_QUEUE_BUSY, M_EP_PINNED,       M_EP_RECOVERY,  M_EP_STALLED, M_EP_ZERO_WINDOW,
		M_EP_NAGLE,      M_EP_SEEN_NEW,     M_EP_SYN_HITS,
	};
	struct row_id id = scene_named(s, SCOPE_ENDPOINT, name);

	scene_text(s, M_EP_PROTO, id, proto);
	scene_text(s, M_EP_ADDRESS, id, address);
	scene_level(s, M_EP_PORT, id, port);
	scene_level(s, M_EP_LOCAL, id, local);
	scene_level(s, M_EP_OURS, id, 1);
	for (size_t i = 0; i < sizeof(sums) / sizeof(*sums); i++)
		scene_grow(s, sums[i], id, 0);
	scene_grow(s, M_EP_SAMPLED, id, WINDOW);
	return id;
}

static struct row_id service(struct scene *s)
{
	struct row_id id = endpoint(s, "tcp 10.0.0.1:80", "tcp", "10.0.0.1", 80, true);

	scene_level(s, M_EP_SERVER_PID, id, 100);
	scene_text(s, M_EP_SERVER_COMM, id, "served");
	scene_level(s, M_EP_CLIENT_PID, id, 200);
	scene_text(s, M_EP_CLIENT_COMM, id, "clientd");
	scene_level(s, M_EP_BACKLOG_LIMIT, id, 16);
	scene_level(s, M_EP_BACKLOG_PEAK, id, 0);
	return id;
}

/* A connection of the service; seen from its client. */
static struct row_id connection(struct scene *s, unsigned n)
{
	struct row_id id = { .key = 1000 + n };

	snapshot_row(&s->first, SCOPE_SOCKET, id, "", 0);
	snapshot_row(&s->last, SCOPE_SOCKET, id, "", 0);
	scene_text(s, M_SOCK_PROTO, id, "tcp");
	scene_text(s, M_SOCK_STATE, id, "ESTAB");
	scene_text(s, M_SOCK_LOCAL, id, "10.0.0.1");
	scene_text(s, M_SOCK_REMOTE, id, "10.0.0.1");
	scene_text(s, M_SOCK_ENDPOINT, id, "tcp 10.0.0.1:80");
	scene_level(s, M_SOCK_PORT, id, 40000 + n);
	scene_level(s, M_SOCK_PEER_PORT, id, 80);
	scene_level(s, M_SOCK_SERVER, id, 0);
	scene_level(s, M_SOCK_PID, id, 200);
	scene_text(s, M_SOCK_COMM, id, "clientd");
	return id;
}

static const struct finding *judge(struct scene *s, const char *id)
{
	scene_judge(s, id);
	return scene_finding(s, id);
}

static bool names(const struct finding *f, const char *name, int port)
{
	for (unsigned i = 0; i < f->noffenders; i++)
		if (!strcmp(f->offenders[i].name, name) && (!port || f->offenders[i].port == port))
			return true;
	return false;
}

/* ---- loss ---- */

static void lossy(struct scene *s, double retrans, double segments, double recovering)
{
	struct row_id e, c;

	machine(s);
	e = service(s);
	c = connection(s, 1);
	scene_grow(s, M_TCP_RETRANS, scene_system, retrans);
	scene_grow(s, M_TCP_OUT_SEGS, scene_system, segments);
	scene_grow(s, M_SOCK_RETRANS, c, retrans);
	scene_grow(s, M_SOCK_DATA_SEGS_OUT, c, segments);
	scene_grow(s, M_SOCK_BUSY, c, WINDOW);
	scene_grow(s, M_EP_RECOVERY, e, recovering);
}

TEST(loss_that_stalls_connections_is_found_with_its_port)
{
	struct scene s;
	const struct finding *f;

	lossy(&s, 500, 10000, 5);
	f = judge(&s, "net.tcp_packet_loss");
	CHECK(f != NULL);
	CHECK_NEAR(f->impact.lost, 0.5, 1e-9);
	CHECK(names(f, "10.0.0.1:80", 80));
	CHECK_STR(f->victims[0].name, "clientd");
	scene_close(&s);
}

TEST(a_few_retransmissions_are_normal)
{
	struct scene s;

	lossy(&s, 3, 100000, 0.02);
	CHECK(!judge(&s, "net.tcp_packet_loss"));
	scene_close(&s);
}

TEST(loss_that_costs_no_time_is_normal)
{
	struct scene s;

	lossy(&s, 500, 10000, 0.1);
	CHECK(!judge(&s, "net.tcp_packet_loss"));
	scene_close(&s);
}

TEST(segments_that_arrived_twice_were_not_lost)
{
	struct scene s;

	lossy(&s, 500, 10000, 5);
	scene_grow(&s, M_TCP_DSACK_RECV, scene_system, 500);
	CHECK(!judge(&s, "net.tcp_packet_loss"));
	scene_close(&s);
}

TEST(a_loss_in_another_namespace_is_its_own)
{
	struct scene s;
	struct row_id ns;
	const struct finding *f;

	machine(&s);
	ns = scene_named(&s, SCOPE_NETNS, "netns:99");
	scene_text(&s, M_NETNS_LABEL, ns, "ctr-a");
	scene_grow(&s, M_NETNS_TCP_OUT_SEGS, ns, 1000);
	scene_grow(&s, M_NETNS_TCP_RETRANS, ns, 100);
	scene_grow(&s, M_NETNS_TCP_TIMEOUTS, ns, 50);
	f = judge(&s, "net.tcp_packet_loss");
	CHECK(f != NULL);
	CHECK_HAS(f->summary, "network namespace ctr-a");
	CHECK(names(f, "ctr-a", 0));
	scene_close(&s);
}

/* ---- accept queues ---- */

static struct row_id overflowing(struct scene *s, double drops)
{
	struct row_id e, l = { .key = 500 };

	machine(s);
	e = service(s);
	snapshot_row(&s->first, SCOPE_SOCKET, l, "", 0);
	snapshot_row(&s->last, SCOPE_SOCKET, l, "", 0);
	scene_text(s, M_SOCK_PROTO, l, "tcp");
	scene_text(s, M_SOCK_STATE, l, "LISTEN");
	scene_level(s, M_SOCK_PORT, l, 80);
	scene_grow(s, M_SOCK_DROPS, l, drops);
	scene_grow(s, M_TCP_LISTEN_OVERFLOWS, scene_system, drops);
	scene_grow(s, M_TCP_LISTEN_DROPS, scene_system, drops);
	scene_grow(s, M_EP_QUEUED, e, 170);
	scene_grow(s, M_EP_QUEUE_BUSY, e, WINDOW);
	scene_level(s, M_EP_BACKLOG_PEAK, e, 17);
	return e;
}

TEST(a_full_accept_queue_that_drops_names_the_server)
{
	struct scene s;
	const struct finding *f;

	overflowing(&s, 500);
	f = judge(&s, "net.listen_overflow");
	CHECK(f != NULL);
	CHECK_NEAR(f->impact.failed, 50, 1e-9);
	CHECK(names(f, "served", 80));
	CHECK_STR(f->victims[0].name, "clientd");
	scene_close(&s);
}

TEST(overflows_of_long_ago_are_history)
{
	struct scene s;

	overflowing(&s, 0);
	CHECK(!judge(&s, "net.listen_overflow"));
	scene_close(&s);
}

TEST(drops_with_room_in_the_accept_queue_are_another_matter)
{
	struct scene s;
	struct row_id e = overflowing(&s, 500);

	scene_level(&s, M_EP_BACKLOG_PEAK, e, 3);
	CHECK(!judge(&s, "net.listen_overflow"));
	scene_close(&s);
}

static void idle_server(struct scene *s, double polls)
{
	struct row_id p = scene_process(s, 100, "served"), t = scene_thread(s, 100, 100, "served");

	scene_grow(s, M_PROC_USER, p, 0.1);
	scene_grow(s, M_PROC_SYSTEM, p, 0.1);
	scene_grow(s, M_THREAD_RUN, t, 0.2);
	scene_grow(s, M_THREAD_POLL, t, polls);
}

TEST(connections_that_wait_for_an_idle_server_are_its_fault)
{
	struct scene s;
	struct row_id e;

	machine(&s);
	e = service(&s);
	idle_server(&s, 9.5);
	scene_grow(&s, M_EP_QUEUED, e, 40);
	scene_grow(&s, M_EP_QUEUE_BUSY, e, 9);
	CHECK(judge(&s, "net.accept_queue_slow") != NULL);
	scene_close(&s);
}

TEST(an_accept_queue_that_is_emptied_at_once_is_normal)
{
	struct scene s;
	struct row_id e;

	machine(&s);
	e = service(&s);
	idle_server(&s, 9.5);
	scene_grow(&s, M_EP_QUEUED, e, 2);
	scene_grow(&s, M_EP_QUEUE_BUSY, e, 1);
	CHECK(!judge(&s, "net.accept_queue_slow"));
	scene_close(&s);
}

TEST(workers_that_are_all_taken_are_exhausted)
{
	struct scene s;
	struct row_id e;
	const struct finding *f;

	machine(&s);
	e = service(&s);
	idle_server(&s, 0);
	scene_grow(&s, M_TCP_PASSIVE, scene_system, 50);
	scene_grow(&s, M_EP_QUEUED, e, 290);
	scene_grow(&s, M_EP_QUEUE_BUSY, e, WINDOW);
	scene_grow(&s, M_EP_PINNED, e, WINDOW);
	scene_level(&s, M_EP_WORKERS, e, 4);
	f = judge(&s, "app.worker_pool_exhausted");
	CHECK(f != NULL);
	CHECK_NEAR(f->impact.lost, 29, 1e-9);
	CHECK_HAS(f->summary, "All 4 workers of served[100]");
	scene_close(&s);
}

TEST(a_short_queue_that_moves_fast_is_no_exhausted_pool)
{
	struct scene s;
	struct row_id e;

	machine(&s);
	e = service(&s);
	idle_server(&s, 0);
	scene_grow(&s, M_TCP_PASSIVE, scene_system, 50000);
	scene_grow(&s, M_EP_QUEUED, e, 80);
	scene_grow(&s, M_EP_QUEUE_BUSY, e, WINDOW);
	scene_grow(&s, M_EP_PINNED, e, WINDOW);
	scene_level(&s, M_EP_WORKERS, e, 1);
	CHECK(!judge(&s, "app.worker_pool_exhausted"));
	scene_close(&s);
}

/* ---- handshakes ---- */

TEST(half_open_connections_of_many_addresses_are_a_flood)
{
	struct scene s;
	struct row_id e;

	machine(&s);
	e = service(&s);
	scene_grow(&s, M_TCP_SYNCOOKIES, scene_system, 25000);
	scene_grow(&s, M_EP_HALF_OPEN, e, 160);
	scene_level(&s, M_EP_PEERS, e, 64);
	CHECK(judge(&s, "net.syn_flood") != NULL);
	scene_close(&s);
}

TEST(a_crowd_of_real_clients_is_no_flood)
{
	struct scene s;
	struct row_id e;

	machine(&s);
	e = service(&s);
	scene_grow(&s, M_TCP_SYNCOOKIES, scene_system, 2000);
	scene_grow(&s, M_TCP_PASSIVE, scene_system, 30000);
	scene_grow(&s, M_EP_HALF_OPEN, e, 160);
	scene_level(&s, M_EP_PEERS, e, 64);
	CHECK(!judge(&s, "net.syn_flood"));
	scene_close(&s);
}

TEST(syns_sent_again_and_again_are_swallowed_somewhere)
{
	struct scene s;
	struct row_id e;
	const struct finding *f;

	machine(&s);
	e = endpoint(&s, "tcp 10.9.9.9:443", "tcp", "10.9.9.9", 443, false);
	scene_level(&s, M_EP_CLIENT_PID, e, 200);
	scene_text(&s, M_EP_CLIENT_COMM, e, "clientd");
	scene_grow(&s, M_TCP_ACTIVE, scene_system, 60);
	scene_grow(&s, M_EP_CONNECTING, e, 180);
	scene_grow(&s, M_EP_RETRYING, e, 100);
	f = judge(&s, "net.connect_timeout_blackhole");
	CHECK(f != NULL);
	CHECK_NEAR(f->impact.lost, 18, 1e-9);
	CHECK(names(f, "10.9.9.9:443", 443));
	CHECK(names(f, "clientd", 443));
	scene_close(&s);
}

TEST(a_handshake_over_a_long_path_is_no_blackhole)
{
	struct scene s;
	struct row_id e;

	machine(&s);
	e = endpoint(&s, "tcp 10.9.9.9:443", "tcp", "10.9.9.9", 443, false);
	scene_grow(&s, M_TCP_ACTIVE, scene_system, 500);
	scene_grow(&s, M_EP_CONNECTING, e, 60); /* 120 ms each */
	scene_grow(&s, M_EP_CLIENTS, e, 300);
	CHECK(!judge(&s, "net.connect_timeout_blackhole"));
	scene_close(&s);
}

TEST(syns_to_a_full_accept_queue_here_are_explained_by_it)
{
	struct scene s;
	struct row_id e = overflowing(&s, 500);

	scene_grow(&s, M_EP_CONNECTING, e, 180);
	scene_grow(&s, M_EP_RETRYING, e, 100);
	CHECK(!judge(&s, "net.connect_timeout_blackhole"));
	scene_close(&s);
}

static void refused(struct scene *s, double rate, double cpu)
{
	struct row_id p;

	machine(s);
	p = scene_process(s, 300, "hammerd");
	scene_grow(s, M_TCP_ACTIVE, scene_system, rate * WINDOW);
	scene_grow(s, M_TCP_ATTEMPT_FAILS, scene_system, rate * WINDOW);
	scene_grow(s, M_TCP_OUT_RSTS, scene_system, rate * WINDOW);
	scene_grow(s, M_PROC_USER, p, cpu * WINDOW / 4);
	scene_grow(s, M_PROC_SYSTEM, p, cpu * WINDOW * 3 / 4);
	scene_level(s, M_PROC_NETNS, p, 1);
	scene_grow(s, M_PROC_SOCKETS_NEW, p, 12);
}

TEST(refused_connections_name_who_opens_sockets_fast)
{
	struct scene s;
	struct row_id e;
	const struct finding *f;

	refused(&s, 1600, 0.08);
	e = endpoint(&s, "tcp 127.0.0.1:7415", "tcp", "127.0.0.1", 7415, false);
	scene_grow(&s, M_EP_SYN_HITS, e, 2);
	f = judge(&s, "net.connection_refused");
	CHECK(f != NULL);
	CHECK(names(f, "hammerd", 7415));
	CHECK(names(f, "127.0.0.1:7415", 7415));
	CHECK_NEAR(f->impact.failed, 1600, 1e-6);
	scene_close(&s);
}

TEST(a_failed_probe_now_and_then_is_normal)
{
	struct scene s;

	refused(&s, 1, 0);
	CHECK(!judge(&s, "net.connection_refused"));
	scene_close(&s);
}

TEST(somebody_in_another_namespace_did_not_do_it)
{
	struct scene s;
	struct row_id ns;
	const struct finding *f;

	refused(&s, 1600, 0.08);
	ns = scene_named(&s, SCOPE_NETNS, "netns:1");
	scene_level(&s, M_NETNS_INODE, ns, 1);
	f = judge(&s, "net.connection_refused");
	CHECK(f != NULL);
	CHECK(!names(f, "hammerd", 0));
	scene_close(&s);
}

TEST(retries_without_a_pause_burn_the_client)
{
	struct scene s;
	const struct finding *f;

	refused(&s, 7000, 1.5);
	f = judge(&s, "app.retry_storm");
	CHECK(f != NULL);
	CHECK_NEAR(f->impact.wasted, 1.5, 1e-6);
	CHECK(names(f, "hammerd", 0));
	scene_close(&s);
}

TEST(retries_with_a_pause_are_no_storm)
{
	struct scene s;

	refused(&s, 1600, 0.08);
	CHECK(!judge(&s, "app.retry_storm"));
	scene_close(&s);
}

static void resets(struct scene *s, double rate, double opens, double aborts)
{
	struct row_id e;

	machine(s);
	e = service(s);
	scene_grow(s, M_EP_SEEN_NEW, e, 20);
	scene_grow(s, M_TCP_PASSIVE, scene_system, opens * WINDOW);
	scene_grow(s, M_TCP_ESTAB_RESETS, scene_system, rate * WINDOW);
	scene_grow(s, M_TCP_ABORT_DATA, scene_system, aborts * WINDOW);
}

TEST(a_server_that_resets_its_connections_is_named)
{
	struct scene s;
	const struct finding *f;

	resets(&s, 100, 200, 100);
	f = judge(&s, "net.connection_reset");
	CHECK(f != NULL);
	CHECK(names(f, "served", 80));
	CHECK_STR(f->victims[0].name, "clientd");
	scene_close(&s);
}

TEST(clients_of_a_public_server_may_hang_up_by_reset)
{
	struct scene s;

	resets(&s, 20, 200, 0);
	CHECK(!judge(&s, "net.connection_reset"));
	scene_close(&s);
}

static void churn(struct scene *s, double rate, double peers, double cpu)
{
	struct row_id e, c, d;

	machine(s);
	e = service(s);
	c = scene_process(s, 200, "clientd");
	d = scene_process(s, 100, "served");
	scene_grow(s, M_PROC_SYSTEM, c, cpu * WINDOW / 2);
	scene_grow(s, M_PROC_USER, c, 0.1);
	scene_grow(s, M_PROC_SYSTEM, d, cpu * WINDOW / 2);
	scene_grow(s, M_PROC_USER, d, 0.1);
	scene_grow(s, M_TCP_ACTIVE, scene_system, rate * WINDOW);
	scene_grow(s, M_TCP_PASSIVE, scene_system, rate * WINDOW);
	scene_grow(s, M_EP_SEEN_NEW, e, 50);
	scene_level(s, M_EP_TIME_WAIT, e, 9000);
	scene_level(s, M_EP_PEERS, e, peers);
}

TEST(thousands_of_short_connections_of_one_client_are_churn)
{
	struct scene s;
	const struct finding *f;

	churn(&s, 5000, 1, 0.8);
	f = judge(&s, "net.connection_churn");
	CHECK(f != NULL);
	CHECK(names(f, "clientd", 80));
	CHECK_NEAR(f->impact.wasted, 0.5, 1e-6);
	scene_close(&s);
}

TEST(many_visitors_are_no_churn)
{
	struct scene s;

	churn(&s, 5000, 64, 0.8);
	CHECK(!judge(&s, "net.connection_churn"));
	scene_close(&s);
}

TEST(moderate_traffic_of_short_connections_is_normal)
{
	struct scene s;

	churn(&s, 300, 1, 0.05);
	CHECK(!judge(&s, "net.connection_churn"));
	scene_close(&s);
}

/* ---- tables ---- */

TEST(a_full_connection_table_that_drops_is_found)
{
	struct scene s;

	machine(&s);
	scene_level(&s, M_CONNTRACK_COUNT, scene_system, 1000);
	scene_grow(&s, M_CONNTRACK_DROPS, scene_system, 300);
	CHECK(judge(&s, "net.conntrack_full") != NULL);
	scene_close(&s);
}

TEST(a_full_connection_table_that_drops_nothing_is_normal)
{
	struct scene s;

	machine(&s);
	scene_level(&s, M_CONNTRACK_COUNT, scene_system, 1000);
	CHECK(!judge(&s, "net.conntrack_full"));
	scene_close(&s);
}

TEST(ports_towards_one_endpoint_run_out)
{
	struct scene s;
	struct row_id e;
	const struct finding *f;

	machine(&s);
	e = service(&s);
	scene_grow(&s, M_TCP_ACTIVE, scene_system, 4000);
	scene_move(&s, M_EP_PORTS_USED, e, 24000, 26232);
	scene_level(&s, M_EP_TIME_WAIT, e, 26000);
	f = judge(&s, "net.ephemeral_ports_exhausted");
	CHECK(f != NULL);
	CHECK_NEAR(f->impact.to_limit, 2000 / 223.2, 0.1);
	scene_close(&s);
}

TEST(time_wait_ports_that_may_be_used_again_do_not_run_out)
{
	struct scene s;
	struct row_id e;

	machine(&s);
	e = service(&s);
	scene_grow(&s, M_TCP_ACTIVE, scene_system, 4000);
	scene_move(&s, M_EP_PORTS_USED, e, 24000, 26232);
	scene_level(&s, M_EP_TIME_WAIT, e, 26000);
	scene_level(&s, M_TW_REUSE, scene_system, 1);
	CHECK(!judge(&s, "net.ephemeral_ports_exhausted"));
	scene_close(&s);
}

/* ---- datagrams ---- */

static struct row_id resolver(struct scene *s, double waiting, double open)
{
	struct row_id e = endpoint(s, "udp 10.0.0.53:53", "udp", "10.0.0.53", 53, false);

	scene_level(s, M_EP_CLIENT_PID, e, 200);
	scene_text(s, M_EP_CLIENT_COMM, e, "clientd");
	scene_grow(s, M_EP_AWAITING, e, waiting);
	scene_grow(s, M_EP_CLIENTS, e, open);
	return e;
}

TEST(look_ups_without_an_answer_name_the_server_and_who_asks)
{
	struct scene s;
	const struct finding *f;

	machine(&s);
	resolver(&s, 40, 60);
	scene_grow(&s, M_UDP_OUT, scene_system, 30);
	f = judge(&s, "net.dns_timeout");
	CHECK(f != NULL);
	CHECK(names(f, "10.0.0.53:53", 53));
	CHECK(names(f, "clientd", 53));
	CHECK_NEAR(f->impact.lost, 4, 1e-9);
	scene_close(&s);
}

TEST(a_cache_with_sockets_open_to_its_servers_is_normal)
{
	struct scene s;

	machine(&s);
	resolver(&s, 0, 80);
	CHECK(!judge(&s, "net.dns_timeout"));
	scene_close(&s);
}

TEST(a_slow_receiver_of_datagrams_is_named)
{
	struct scene s;
	struct row_id u = { .key = 600 };
	const struct finding *f;

	machine(&s);
	snapshot_row(&s.first, SCOPE_SOCKET, u, "", 0);
	snapshot_row(&s.last, SCOPE_SOCKET, u, "", 0);
	scene_text(&s, M_SOCK_PROTO, u, "udp");
	scene_text(&s, M_SOCK_STATE, u, "UNCONN");
	scene_text(&s, M_SOCK_LOCAL, u, "*");
	scene_level(&s, M_SOCK_PORT, u, 8125);
	scene_level(&s, M_SOCK_PID, u, 100);
	scene_text(&s, M_SOCK_COMM, u, "statsd");
	scene_level(&s, M_SOCK_RCVBUF, u, 65536);
	scene_grow(&s, M_SOCK_DROPS, u, 150000);
	scene_grow(&s, M_UDP_RCVBUF_ERRS, scene_system, 150000);
	scene_grow(&s, M_UDP_IN, scene_system, 50000);
	f = judge(&s, "net.udp_rcvbuf_overflow");
	CHECK(f != NULL);
	CHECK(names(f, "statsd", 8125));
	CHECK_NEAR(f->impact.failed, 15000, 1e-6);
	scene_close(&s);
}

TEST(one_lost_datagram_in_a_million_is_normal)
{
	struct scene s;

	machine(&s);
	scene_grow(&s, M_UDP_RCVBUF_ERRS, scene_system, 5);
	scene_grow(&s, M_UDP_IN, scene_system, 5e6);
	CHECK(!judge(&s, "net.udp_rcvbuf_overflow"));
	scene_close(&s);
}

TEST(datagrams_to_nobody_name_port_and_sender)
{
	struct scene s;
	struct row_id e;
	const struct finding *f;

	machine(&s);
	e = endpoint(&s, "udp 10.0.0.1:514", "udp", "10.0.0.1", 514, false);
	scene_grow(&s, M_EP_CLIENTS, e, WINDOW);
	scene_level(&s, M_EP_CLIENT_PID, e, 200);
	scene_text(&s, M_EP_CLIENT_COMM, e, "loggerd");
	scene_grow(&s, M_UDP_NO_PORTS, scene_system, 5000);
	f = judge(&s, "net.udp_no_port");
	CHECK(f != NULL);
	CHECK(names(f, "loggerd", 514));
	scene_close(&s);
}

/* ---- interfaces ---- */

static struct row_id nic(struct scene *s, const char *name, double mbit, double tx_share)
{
	static const enum metric_id zeros[] = {
		M_NETIF_RX_BYTES, M_NETIF_RX_ERRORS, M_NETIF_TX_ERRORS,    M_NETIF_TX_CARRIER,
		M_NETIF_RX_FIFO,  M_NETIF_RX_MISSED, M_NETIF_DRIVER_DROPS, M_NETIF_CARRIER_CHANGES,
	};
	struct row_id id = scene_named(s, SCOPE_NETIF, name);

	for (size_t i = 0; i < sizeof(zeros) / sizeof(*zeros); i++)
		scene_grow(s, zeros[i], id, 0);
	scene_level(s, M_NETIF_SPEED, id, mbit * 1e6);
	scene_level(s, M_NETIF_SPEED_MAX, id, mbit * 1e6);
	scene_level(s, M_NETIF_UP, id, 1);
	scene_grow(s, M_NETIF_TX_BYTES, id, mbit * 1e6 / 8 * tx_share * WINDOW);
	scene_grow(s, M_NETIF_TX_PACKETS, id, 100000);
	scene_grow(s, M_NETIF_RX_PACKETS, id, 100000);
	return id;
}

static struct row_id qdisc(struct scene *s, const char *name, const char *dev, const char *parent,
			   double ceil, double rate, double waiting)
{
	struct row_id q = scene_named(s, SCOPE_QDISC, name);

	scene_text(s, M_QDISC_DEV, q, dev);
	if (parent)
		scene_text(s, M_QDISC_PARENT, q, parent);
	scene_level(s, M_QDISC_CLASS, q, strstr(name, ":1") != NULL);
	if (ceil > 0)
		scene_level(s, M_QDISC_CEIL, q, ceil);
	scene_grow(s, M_QDISC_BYTES, q, rate / 8 * WINDOW);
	scene_grow(s, M_QDISC_PACKETS, q, rate / 8 / 1000 * WINDOW);
	scene_grow(s, M_QDISC_DROPS, q, 0);
	scene_grow(s, M_QDISC_OVERLIMITS, q, 0);
	scene_level(s, M_QDISC_QLEN, q, waiting);
	return q;
}

TEST(a_link_at_its_shapers_rate_with_a_queue_is_full)
{
	struct scene s;
	struct row_id c;
	const struct finding *f;

	machine(&s);
	nic(&s, "vbr7", 10000, 0.002);
	scene_text(&s, M_NETIF_KIND, scene_named(&s, SCOPE_NETIF, "vbr7"), "veth");
	qdisc(&s, "vbr7/8001:", "vbr7", NULL, 20e6, 19.5e6, 7);
	c = connection(&s, 1);
	scene_text(&s, M_SOCK_NETIF, c, "vbr7");
	scene_grow(&s, M_SOCK_BUSY, c, WINDOW);
	scene_grow(&s, M_SOCK_BYTES_ACKED, c, 24e6);
	scene_level(&s, M_SOCK_WQUEUE, c, 300000);
	f = judge(&s, "net.link_saturated");
	CHECK(f != NULL);
	CHECK(names(f, "vbr7", 0));
	CHECK(names(f, "clientd", 80));
	CHECK_NEAR(f->impact.lost, 1, 1e-9);
	scene_close(&s);
}

TEST(a_veth_has_no_capacity)
{
	struct scene s;

	machine(&s);
	nic(&s, "vbr7", 10, 2);
	scene_text(&s, M_NETIF_KIND, scene_named(&s, SCOPE_NETIF, "vbr7"), "veth");
	qdisc(&s, "vbr7/root", "vbr7", NULL, 0, 20e6, 5);
	CHECK(!judge(&s, "net.link_saturated"));
	scene_close(&s);
}

TEST(a_full_link_without_a_queue_is_well_used)
{
	struct scene s;

	machine(&s);
	nic(&s, "eth0", 1000, 0.95);
	qdisc(&s, "eth0/root", "eth0", NULL, 0, 950e6, 0);
	CHECK(!judge(&s, "net.link_saturated"));
	scene_close(&s);
}

TEST(a_class_at_its_ceiling_waits_while_the_link_has_room)
{
	struct scene s;

	machine(&s);
	nic(&s, "eth0", 1000, 0.02);
	qdisc(&s, "eth0/1:", "eth0", NULL, 0, 20e6, 0);
	qdisc(&s, "eth0/1:1", "eth0", "eth0/1:", 1000e6, 20e6, 0);
	qdisc(&s, "eth0/1:10", "eth0", "eth0/1:1", 20e6, 19.8e6, 40);
	CHECK(judge(&s, "net.shaped_class") != NULL);
	scene_judge(&s, "net.link_saturated");
	CHECK(!scene_finding(&s, "net.link_saturated"));
	scene_close(&s);
}

TEST(aqm_drops_are_by_design)
{
	struct scene s;
	struct row_id q;

	machine(&s);
	nic(&s, "eth0", 1000, 0.5);
	q = qdisc(&s, "eth0/root", "eth0", NULL, 0, 500e6, 3);
	scene_grow(&s, M_QDISC_DROPS, q, 500);
	CHECK(!judge(&s, "net.qdisc_drops"));
	scene_grow(&s, M_QDISC_DROPS, q, 0);
	scene_close(&s);
}

TEST(broken_packets_are_told_from_missed_ones)
{
	struct scene s;
	struct row_id n;
	const struct finding *f;

	machine(&s);
	n = nic(&s, "eth0", 1000, 0.1);
	scene_grow(&s, M_NETIF_RX_ERRORS, n, 300);
	f = judge(&s, "net.interface_errors");
	CHECK(f != NULL);
	CHECK_NEAR(f->impact.failed, 30, 1e-9);
	scene_close(&s);

	machine(&s);
	n = nic(&s, "eth0", 1000, 0.1);
	scene_grow(&s, M_NETIF_RX_ERRORS, n, 300);
	scene_grow(&s, M_NETIF_RX_MISSED, n, 300);
	CHECK(!judge(&s, "net.interface_errors"));
	scene_judge(&s, "net.nic_ring_drops");
	CHECK(scene_finding(&s, "net.nic_ring_drops") != NULL);
	scene_close(&s);
}

TEST(a_carrier_that_comes_and_goes_is_a_flap_on_hardware_only)
{
	struct scene s;
	struct row_id n;

	machine(&s);
	n = nic(&s, "eth0", 1000, 0.1);
	scene_grow(&s, M_NETIF_CARRIER_CHANGES, n, 2);
	CHECK(judge(&s, "net.link_flap") != NULL);
	scene_close(&s);

	machine(&s);
	n = nic(&s, "veth1", 1000, 0.1);
	scene_text(&s, M_NETIF_KIND, n, "veth");
	scene_grow(&s, M_NETIF_CARRIER_CHANGES, n, 2);
	CHECK(!judge(&s, "net.link_flap"));
	scene_close(&s);
}

TEST(packets_dropped_by_a_cpu_are_found)
{
	struct scene s;
	struct row_id c;

	machine(&s);
	c = scene_named(&s, SCOPE_CPU, "cpu1");
	scene_grow(&s, M_CPU_NET_PACKETS, c, 100000);
	scene_grow(&s, M_CPU_NET_DROPS, c, 500);
	scene_grow(&s, M_CPU_NET_SQUEEZED, c, 20);
	CHECK(judge(&s, "net.softnet_drops") != NULL);
	scene_close(&s);

	machine(&s);
	c = scene_named(&s, SCOPE_CPU, "cpu1");
	scene_grow(&s, M_CPU_NET_PACKETS, c, 100000);
	scene_grow(&s, M_CPU_NET_DROPS, c, 0);
	scene_grow(&s, M_CPU_NET_SQUEEZED, c, 2000);
	CHECK(!judge(&s, "net.softnet_drops"));
	scene_close(&s);
}

/* ---- what holds a sender ---- */

TEST(a_reader_that_does_not_read_is_named)
{
	struct scene s;
	struct row_id e, c, d;
	const struct finding *f;

	machine(&s);
	e = service(&s);
	c = connection(&s, 1);
	d = connection(&s, 2);
	scene_level(&s, M_SOCK_PORT, d, 80); /* the other end of the first one */
	scene_level(&s, M_SOCK_PEER_PORT, d, 40001);
	scene_level(&s, M_SOCK_SERVER, d, 1);
	scene_level(&s, M_SOCK_PID, d, 100);
	scene_text(&s, M_SOCK_COMM, d, "served");
	scene_level(&s, M_SOCK_RQUEUE, d, 131072);
	scene_grow(&s, M_SOCK_ZERO_WINDOW, c, 9);
	scene_grow(&s, M_SOCK_RWND_LIMITED, c, 9);
	scene_grow(&s, M_SOCK_BUSY, c, WINDOW);
	scene_grow(&s, M_EP_ZERO_WINDOW, e, 9);
	scene_grow(&s, M_EP_CLIENTS, e, WINDOW);
	f = judge(&s, "net.tcp_zero_window");
	CHECK(f != NULL);
	CHECK(names(f, "served", 80));
	CHECK_STR(f->victims[0].name, "clientd");
	scene_close(&s);
}

TEST(a_slow_reader_far_away_is_one_of_many)
{
	struct scene s;
	struct row_id e, c;

	machine(&s);
	e = service(&s);
	c = connection(&s, 1);
	scene_text(&s, M_SOCK_REMOTE, c, "93.1.2.3");
	scene_grow(&s, M_SOCK_ZERO_WINDOW, c, 9);
	scene_grow(&s, M_SOCK_RWND_LIMITED, c, 9);
	scene_grow(&s, M_SOCK_BUSY, c, WINDOW);
	scene_grow(&s, M_EP_ZERO_WINDOW, e, 9);
	scene_grow(&s, M_EP_SERVED, e, 100 * WINDOW);
	CHECK(!judge(&s, "net.tcp_zero_window"));
	scene_close(&s);
}

static void held_back(struct scene *s, double rtt, double min_rtt)
{
	struct row_id e, c;

	machine(s);
	e = service(s);
	c = connection(s, 1);
	scene_grow(s, M_SOCK_NAGLE, c, 8);
	scene_grow(s, M_EP_NAGLE, e, 8);
	scene_level(s, M_SOCK_RTT, c, rtt);
	scene_level(s, M_SOCK_MIN_RTT, c, min_rtt);
}

TEST(small_writes_that_wait_for_delayed_acknowledgements_are_found)
{
	struct scene s;

	held_back(&s, 0.04, 0.0001);
	CHECK(judge(&s, "net.nagle_delayed_ack") != NULL);
	scene_close(&s);
	held_back(&s, 0.08, 0.079); /* over an ocean everything waits */
	CHECK(!judge(&s, "net.nagle_delayed_ack"));
	scene_close(&s);
}

/* ---- services ---- */

static void one_thread(struct scene *s, double run, double unread)
{
	struct row_id e, p, t;

	machine(s);
	e = service(s);
	p = scene_process(s, 100, "served");
	t = scene_thread(s, 100, 100, "served");
	scene_grow(s, M_PROC_USER, p, run * WINDOW);
	scene_grow(s, M_PROC_SYSTEM, p, 0);
	scene_grow(s, M_THREAD_RUN, t, run * WINDOW);
	scene_grow(s, M_EP_UNREAD, e, unread * WINDOW);
}

TEST(one_busy_thread_with_unread_requests_is_saturated)
{
	struct scene s;
	const struct finding *f;

	one_thread(&s, 0.98, 12);
	f = judge(&s, "app.single_threaded_server_saturated");
	CHECK(f != NULL);
	CHECK_NEAR(f->impact.serial, 0.98, 1e-6);
	CHECK(names(f, "served", 80));
	scene_close(&s);
}

TEST(one_busy_thread_without_a_queue_is_only_busy)
{
	struct scene s;

	one_thread(&s, 0.98, 0.1);
	CHECK(!judge(&s, "app.single_threaded_server_saturated"));
	scene_close(&s);
	one_thread(&s, 0.5, 12);
	CHECK(!judge(&s, "app.single_threaded_server_saturated"));
	scene_close(&s);
}

/* Connections that wait so long for each of their answers, while the server sleeps or polls. */
static void slow(struct scene *s, double waiting, double answers, enum metric_id sleep)
{
	struct row_id e, p;

	machine(s);
	e = service(s);
	p = scene_process(s, 100, "served");
	scene_grow(s, M_PROC_USER, p, 0.1);
	scene_grow(s, M_PROC_SYSTEM, p, 0.1);
	scene_grow(s, M_EP_AWAITING, e, 4 * waiting * WINDOW);
	for (unsigned i = 0; i < 4; i++) {
		struct row_id c = connection(s, i), t = scene_thread(s, 100, 100 + i, "served");

		scene_grow(s, M_SOCK_AWAITING, c, waiting * WINDOW);
		scene_grow(s, M_SOCK_DATA_SEGS_IN, c, answers / 4);
		scene_grow(s, M_SOCK_DATA_SEGS_OUT, c, answers / 4);
		scene_grow(s, M_THREAD_RUN, t, 0.05);
		scene_grow(s, sleep, t, 9.5);
	}
}

TEST(requests_that_wait_while_the_server_sleeps_are_answered_slowly)
{
	struct scene s;
	const struct finding *f;

	slow(&s, 0.95, 64, M_THREAD_TIMER);
	f = judge(&s, "app.slow_server");
	CHECK(f != NULL);
	CHECK_NEAR(f->impact.lost, 3.8, 1e-6);
	CHECK(f->confidence <= 0.6);
	CHECK_HAS(f->summary, "asleep by its own timers");
	scene_close(&s);
}

TEST(readers_of_an_empty_queue_wait_by_design)
{
	struct scene s;

	slow(&s, 0.95, 20, M_THREAD_POLL);
	CHECK(!judge(&s, "app.slow_server"));
	scene_close(&s);
	slow(&s, 0.95, 20, M_THREAD_FUTEX); /* an idle pool */
	CHECK(!judge(&s, "app.slow_server"));
	scene_close(&s);
}

TEST(connections_that_never_get_an_answer_are_push_connections)
{
	struct scene s;

	slow(&s, 1, 0, M_THREAD_TIMER);
	CHECK(!judge(&s, "app.slow_server"));
	scene_close(&s);
}

TEST(a_quiet_network_is_quiet)
{
	struct scene s;

	machine(&s);
	service(&s);
	connection(&s, 1);
	nic(&s, "eth0", 1000, 0.2);
	qdisc(&s, "eth0/root", "eth0", NULL, 0, 200e6, 0);
	scene_grow(&s, M_CPU_NET_PACKETS, scene_named(&s, SCOPE_CPU, "cpu0"), 10000);
	scene_grow(&s, M_CPU_NET_DROPS, scene_named(&s, SCOPE_CPU, "cpu0"), 0);
	scene_judge_table(&s, rules_net);
	scene_judge_table(&s, rules_app_net);
	CHECK_INT((long long)s.report.findings.n, 0);
	scene_close(&s);
}
