/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of connections: what they wait for, at which endpoint, and which of them become rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collectors/sock_owner.h"
#include "collectors/sock_rows.h"
#include "collectors/sock_sampler.h"
#include "model/host.h"
#include "tests/unit/unit.h"

#define SECOND 1000000000ull

static struct sock_addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct sock_addr){ .family = AF_INET, .ip = { a, b, c, d } };
}

static struct sock tcp(uint64_t cookie, enum sock_state state, uint16_t local_port,
		       uint16_t remote_port)
{
	return (struct sock){
		.proto = PROTO_TCP,
		.state = state,
		.cookie = cookie,
		.inode = (uint32_t)cookie + 1000,
		.local = v4(10, 0, 0, 1),
		.remote = v4(10, 0, 0, 1),
		.local_port = local_port,
		.remote_port = remote_port,
		.info_size = sizeof(struct tcp_info),
		.info = { .tcpi_data_segs_in = 1,
			  .tcpi_data_segs_out = 1,
			  .tcpi_snd_cwnd = 10,
			  .tcpi_snd_mss = 1448,
			  .tcpi_snd_wnd = 65536 },
	};
}

static struct sock listener(uint16_t port, uint32_t queued)
{
	struct sock s = tcp(1, SOCK_LISTEN, port, 0);

	memset(&s.local, 0, sizeof(s.local));
	memset(&s.remote, 0, sizeof(s.remote));
	s.local.family = AF_INET;
	s.rqueue = queued;
	s.wqueue = 16;
	return s;
}

/* Two looks a second apart at the same sockets. */
static struct sampler *look_twice(const struct sock *list, size_t n, uint16_t port)
{
	struct sampler *s = sampler_new();
	struct sock l = listener(port, 0);

	sampler_listener(s, &l, 0);
	for (int i = 1; i <= 2; i++) {
		sampler_begin(s, (uint64_t)i * SECOND);
		for (size_t k = 0; k < n; k++)
			sampler_socket(s, &list[k], NULL, NULL);
		sampler_end(s);
	}
	return s;
}

static const struct endpoint *named(const struct sampler *s, const char *name)
{
	char text[ENDPOINT_NAME];

	for (size_t i = 0; i < s->nendpoints; i++)
		if (!strcmp(endpoint_name(&s->endpoints[i], "", text, sizeof(text)), name))
			return &s->endpoints[i];
	unit_fail(__FILE__, __LINE__, "no endpoint %s", name);
}

TEST(both_ends_of_a_local_connection_meet_at_the_listening_endpoint)
{
	struct sock list[] = { tcp(10, SOCK_ESTABLISHED, 40000, 80),
			       tcp(11, SOCK_ESTABLISHED, 80, 40000) };
	struct sampler *s = look_twice(list, 2, 80);
	const struct endpoint *e = named(s, "tcp *:80");

	CHECK_UINT(e->ns[COND_CLIENTS], SECOND);
	CHECK_UINT(e->ns[COND_SERVED], SECOND);
	CHECK(e->listening && e->ours);
	CHECK_INT((long long)s->nendpoints, 1);
	sampler_free(s);
}

TEST(the_first_look_covers_no_time_and_a_late_one_not_all_of_it)
{
	struct sock list[] = { tcp(10, SOCK_SYN_SENT, 40000, 80) };
	struct sampler *s = look_twice(list, 1, 443);
	const struct endpoint *e = named(s, "tcp 10.0.0.1:80");

	CHECK_UINT(e->ns[COND_CONNECTING], SECOND);
	CHECK_UINT(s->covered_ns, SECOND);
	sampler_begin(s, 100 * SECOND);
	sampler_socket(s, &list[0], NULL, NULL);
	sampler_end(s);
	CHECK_UINT(named(s, "tcp 10.0.0.1:80")->ns[COND_CONNECTING], 6 * SECOND);
	sampler_free(s);
}

TEST(a_syn_that_was_sent_again_is_told_from_one_that_is_young)
{
	struct sock list[] = { tcp(10, SOCK_SYN_SENT, 40000, 9), tcp(11, SOCK_SYN_SENT, 40001, 9) };
	struct sampler *s;
	const struct endpoint *e;

	list[0].retransmits = 2;
	s = look_twice(list, 2, 80);
	e = named(s, "tcp 10.0.0.1:9");
	CHECK_UINT(e->ns[COND_CONNECTING], 2 * SECOND);
	CHECK_UINT(e->ns[COND_RETRYING], SECOND);
	CHECK_UINT(e->syn_hits, 2);
	CHECK_INT(
		e->client_inode,
		1011); /* the latest: it is the likeliest to be there still when it is looked for */
	sampler_free(s);
}

TEST(a_client_waits_from_its_request_to_the_answer)
{
	struct sock list[] = { tcp(10, SOCK_ESTABLISHED, 40000, 80),
			       tcp(11, SOCK_ESTABLISHED, 40001, 80),
			       tcp(12, SOCK_ESTABLISHED, 40002, 80),
			       tcp(13, SOCK_ESTABLISHED, 40003, 80),
			       tcp(14, SOCK_ESTABLISHED, 40004, 80) };
	struct sampler *s;
	const struct endpoint *e;

	list[0].info.tcpi_last_data_sent = 300; /* asked 300 ms ago, heard 900 ms ago */
	list[0].info.tcpi_last_data_recv = 900;
	list[1].info.tcpi_last_data_sent = 900; /* answered */
	list[1].info.tcpi_last_data_recv = 300;
	list[2].info.tcpi_last_data_sent = list[2].info.tcpi_last_data_recv =
		400; /* asked again at once, and it was taken */
	list[2].info.tcpi_last_ack_recv = 360;
	list[3].info.tcpi_last_data_sent = 10; /* a stream: nobody answers those */
	list[3].info.tcpi_last_data_recv = 9000;
	list[3].info.tcpi_data_segs_out = 100000;
	list[3].info.tcpi_data_segs_in = 0;
	list[4].info.tcpi_last_data_sent =
		10; /* not even acknowledged: the network's time, not the server's */
	list[4].info.tcpi_last_data_recv = 900;
	list[4].wqueue = 100;
	s = look_twice(list, 5, 80);
	e = named(s, "tcp *:80");
	CHECK_UINT(e->ns[COND_AWAITING], 2 * SECOND);
	CHECK_UINT(e->ns[COND_AWAITING_NEW], 0);
	CHECK_INT(e->oldest_ms, 400);
	sampler_free(s);
}

TEST(a_connection_that_was_not_there_at_the_first_look_is_new)
{
	struct sock c = tcp(10, SOCK_ESTABLISHED, 40000, 80);
	struct sampler *s = look_twice(NULL, 0, 80);

	c.info.tcpi_last_data_recv = 500;
	sampler_begin(s, 3 * SECOND);
	sampler_socket(s, &c, NULL, NULL);
	sampler_end(s);
	CHECK_UINT(named(s, "tcp *:80")->ns[COND_AWAITING_NEW], SECOND);
	CHECK_UINT(named(s, "tcp *:80")->new_clients, 1);
	sampler_free(s);
}

TEST(a_server_works_once_the_request_is_read)
{
	struct sock list[] = { tcp(10, SOCK_ESTABLISHED, 80, 40000),
			       tcp(11, SOCK_ESTABLISHED, 80, 40001),
			       tcp(12, SOCK_ESTABLISHED, 80, 40002) };
	struct sampler *s;
	const struct endpoint *e;

	for (int i = 0; i < 3; i++) {
		list[i].info.tcpi_last_data_recv = 100;
		list[i].info.tcpi_last_data_sent = 700;
	}
	list[1].rqueue = 500; /* not read yet */
	list[2].inode = 0;    /* not accepted yet */
	s = look_twice(list, 3, 80);
	e = named(s, "tcp *:80");
	CHECK_UINT(e->ns[COND_WORKING], SECOND);
	CHECK_UINT(e->ns[COND_UNREAD], SECOND);
	CHECK_UINT(e->ns[COND_SERVED], 2 * SECOND);
	sampler_free(s);
}

TEST(loss_closed_windows_and_held_back_pieces_are_conditions_of_the_sender)
{
	struct sock list[] = { tcp(10, SOCK_ESTABLISHED, 40000, 80),
			       tcp(11, SOCK_ESTABLISHED, 40001, 80),
			       tcp(12, SOCK_ESTABLISHED, 40002, 80),
			       tcp(13, SOCK_ESTABLISHED, 40003, 80) };
	struct sampler *s;
	const struct endpoint *e;

	list[0].info.tcpi_unacked = 3;
	list[0].info.tcpi_ca_state = 4;
	list[0].info.tcpi_retransmits = 2;
	list[1].wqueue = 9000;
	list[1].info.tcpi_snd_wnd = 0;
	list[1].info.tcpi_notsent_bytes = 9000;
	list[2].info.tcpi_unacked = 1;
	list[2].info.tcpi_notsent_bytes = 50;
	list[3].info.tcpi_unacked = 10; /* the congestion window is full: not Nagle's doing */
	list[3].info.tcpi_notsent_bytes = 50;
	s = look_twice(list, 4, 80);
	e = named(s, "tcp *:80");
	CHECK_UINT(e->ns[COND_RECOVERY], SECOND);
	CHECK_UINT(e->ns[COND_STALLED], SECOND);
	CHECK_UINT(e->ns[COND_ZERO_WINDOW], SECOND);
	CHECK_UINT(e->ns[COND_NAGLE], SECOND);
	sampler_free(s);
}

TEST(an_accept_queue_is_integrated_and_its_workers_are_pinned)
{
	struct sampler *s = sampler_new();
	struct sock l = listener(80, 3), worker = tcp(10, SOCK_ESTABLISHED, 80, 40000);
	const struct endpoint *e;

	for (int i = 1; i <= 4; i++) {
		for (size_t k = 0; k < s->nendpoints; k++)
			s->endpoints[k].backlog = 0;
		sampler_listener(s, &l, i == 1 ? 0 : SECOND);
		sampler_begin(s, (uint64_t)i * SECOND);
		sampler_socket(s, &worker, NULL, NULL);
		sampler_end(s);
		worker.cookie++; /* another connection each time, one at a time */
	}
	e = named(s, "tcp *:80");
	CHECK_UINT(e->ns[COND_QUEUED], 9 * SECOND);
	CHECK_UINT(e->ns[COND_QUEUE_BUSY], 3 * SECOND);
	CHECK_UINT(e->ns[COND_PINNED], 3 * SECOND);
	CHECK_INT(e->backlog_peak, 3);
	CHECK_INT(e->backlog_limit, 16);
	CHECK_INT(e->workers, 1);
	CHECK_UINT(e->new_served, 3);
	sampler_free(s);
}

TEST(a_datagram_socket_without_an_answer_for_a_second_waits)
{
	struct sock q = tcp(10, SOCK_ESTABLISHED, 50000, 53);
	struct sampler *s = look_twice(NULL, 0, 80);

	q.proto = PROTO_UDP;
	q.remote = v4(127, 0, 0, 53);
	for (int i = 3; i <= 5; i++) {
		sampler_begin(s, (uint64_t)i * SECOND);
		sampler_socket(s, &q, NULL, NULL);
		sampler_end(s);
	}
	CHECK_UINT(named(s, "udp 127.0.0.53:53")->ns[COND_AWAITING], 2 * SECOND);
	CHECK_INT(named(s, "udp 127.0.0.53:53")->oldest_ms, 2000);
	q.rqueue = 100; /* there it is */
	sampler_begin(s, 6 * SECOND);
	sampler_socket(s, &q, NULL, NULL);
	sampler_end(s);
	CHECK_UINT(named(s, "udp 127.0.0.53:53")->ns[COND_AWAITING], 2 * SECOND);
	sampler_free(s);
}

TEST(a_datagram_socket_from_before_is_nobodys_question)
{
	struct sock q = tcp(10, SOCK_ESTABLISHED, 50000, 53);
	struct sampler *s;

	q.proto = PROTO_UDP;
	s = look_twice(&q, 1, 80);
	sampler_begin(s, 4 * SECOND);
	sampler_socket(s, &q, NULL, NULL);
	sampler_end(s);
	CHECK_UINT(named(s, "udp 10.0.0.1:53")->ns[COND_AWAITING], 0);
	sampler_free(s);
}

TEST(half_open_connections_of_many_addresses_are_counted)
{
	struct sampler *s = sampler_new();
	struct sock l = listener(80, 0);

	sampler_listener(s, &l, 0);
	for (int i = 1; i <= 2; i++) {
		sampler_begin(s, (uint64_t)i * SECOND);
		for (int k = 0; k < 200; k++) {
			struct sock h =
				tcp((uint64_t)k + 10, SOCK_SYN_RECV, 80, (uint16_t)(1000 + k));

			h.remote = v4(172, 16, (uint8_t)(k % 100), 1);
			h.inode = 0;
			sampler_socket(s, &h, NULL, NULL);
		}
		sampler_end(s);
	}
	CHECK_UINT(named(s, "tcp *:80")->ns[COND_HALF_OPEN], 200 * SECOND);
	CHECK_INT(named(s, "tcp *:80")->npeers, PEERS_CAP);
	sampler_free(s);
}

TEST(endpoints_beyond_the_cap_are_counted_and_left_out)
{
	struct sampler *s = sampler_new();

	sampler_begin(s, SECOND);
	for (unsigned k = 0; k < 2 * ENDPOINTS_CAP; k++) {
		struct sock c = tcp(k + 1, SOCK_ESTABLISHED, 40000, 443);

		c.remote = v4(93, 1, (uint8_t)(k >> 8), (uint8_t)k);
		sampler_socket(s, &c, NULL, NULL);
	}
	sampler_end(s);
	CHECK_INT((long long)s->nendpoints, ENDPOINTS_CAP);
	CHECK_UINT(s->beyond, ENDPOINTS_CAP);
	CHECK_INT((long long)s->ntracked, ENDPOINTS_CAP);
	sampler_free(s);
}

TEST(connections_that_are_gone_are_forgotten)
{
	struct sampler *s = sampler_new();

	for (unsigned look = 1; look <= 30; look++) {
		sampler_begin(s, look * SECOND);
		for (unsigned k = 0; k < 1000; k++) {
			struct sock c = tcp(look * 1000 + k, SOCK_ESTABLISHED, 40000, 443);

			sampler_socket(s, &c, NULL, NULL);
		}
		sampler_end(s);
		CHECK_INT((long long)s->ntracked, 1000);
	}
	CHECK_UINT(named(s, "tcp 10.0.0.1:443")->new_clients, 29000);
	sampler_free(s);
}

TEST(unix_sockets_are_endpoints_once_somebody_waits)
{
	struct sampler *s = sampler_new();
	struct sock u = { .proto = PROTO_UNIX,
			  .state = SOCK_LISTEN,
			  .inode = 5,
			  .wqueue = 128,
			  .path = "/run/x.sock" };

	sampler_listener(s, &u, SECOND);
	CHECK_INT((long long)s->nendpoints, 0);
	u.rqueue = 2;
	sampler_listener(s, &u, SECOND);
	CHECK_UINT(named(s, "unix /run/x.sock")->ns[COND_QUEUED], 2 * SECOND);
	sampler_free(s);
}

/* ---- rows ---- */

TEST(of_many_sockets_the_interesting_ones_become_rows)
{
	struct sampler *s = sampler_new();
	struct sock_rows r = { 0 };
	unsigned queued = 0, listening = 0;

	sock_rows_begin(&r, s);
	for (unsigned k = 0; k < 3 * SOCK_ROWS; k++) {
		struct sock c = tcp(k + 1, SOCK_ESTABLISHED, 40000, 443);

		c.info.tcpi_last_data_sent = c.info.tcpi_last_data_recv = 100000 + k;
		if (k % 10 == 7)
			c.wqueue = 5;
		if (k % 100 == 3)
			c.state = SOCK_LISTEN;
		sock_rows_see(&r, &c, NULL, NULL);
	}
	CHECK_INT((long long)r.n, SOCK_ROWS);
	CHECK_UINT(r.seen, 3 * SOCK_ROWS);
	for (size_t i = 0; i < r.n; i++) {
		queued += r.rows[i].s.wqueue == 5;
		listening += r.rows[i].s.state == SOCK_LISTEN;
	}
	CHECK_INT(queued, 614); /* every one of them */
	CHECK_INT(listening, 62);
	sock_rows_done(&r);
	sampler_free(s);
}

TEST(the_same_sockets_are_chosen_at_both_ends)
{
	struct sampler *s = sampler_new();
	struct sock_rows a = { 0 }, b = { 0 };
	unsigned both = 0;

	sock_rows_begin(&a, s);
	sock_rows_begin(&b, s);
	for (unsigned k = 0; k < 2 * SOCK_ROWS; k++) {
		struct sock c = tcp(k * 7919u % 65521u + 1, SOCK_ESTABLISHED, 40000, 443);

		c.info.tcpi_last_data_sent = c.info.tcpi_last_data_recv = 500000;
		sock_rows_see(&a, &c, NULL, NULL);
		c.info.tcpi_last_data_sent = c.info.tcpi_last_data_recv = 510000;
		sock_rows_see(&b, &c, NULL, NULL);
	}
	for (size_t i = 0; i < a.n; i++)
		for (size_t k = 0; k < b.n; k++)
			both += a.rows[i].s.cookie == b.rows[k].s.cookie;
	CHECK_INT(both, SOCK_ROWS);
	sock_rows_done(&a);
	sock_rows_done(&b);
	sampler_free(s);
}

TEST(what_was_left_out_is_counted_by_state)
{
	struct host h = { .page_size = 4096, .ticks_per_second = 100 };
	struct sampler *s = sampler_new();
	struct owners *o = calloc(1, sizeof(*o));
	struct sock_rows r = { 0 };
	struct snapshot out;
	size_t row;

	metrics_init();
	snapshot_init(&out, &h);
	sock_rows_begin(&r, s);
	for (unsigned k = 0; k < SOCK_ROWS + 100; k++) {
		struct sock c = tcp(k + 1, k % 2 ? SOCK_ESTABLISHED : SOCK_CLOSE_WAIT, 40000, 443);

		c.info.tcpi_min_rtt = UINT32_MAX;
		sock_rows_see(&r, &c, NULL, NULL);
	}
	row = snapshot_system_row(&out);
	sock_rows_put(&r, o, &out, "", row);
	CHECK_INT((long long)snapshot_rows(&out, SCOPE_SOCKET), SOCK_ROWS);
	CHECK_NEAR(snapshot_value(&out, M_SOCKETS_LEFT_OUT, row), 100, 0);
	CHECK_NEAR(snapshot_value(&out, M_TCP_N_CLOSE_WAIT, row), (SOCK_ROWS + 100) / 2, 0);
	CHECK(isnan(snapshot_value(&out, M_SOCK_MIN_RTT, 0)));
	CHECK(isnan(snapshot_value(&out, M_SOCK_PID, 0)));
	sock_rows_done(&r);
	snapshot_done(&out);
	free(o);
	sampler_free(s);
}

TEST(our_own_socket_is_found_to_be_ours)
{
	struct owners *o = calloc(1, sizeof(*o));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	const struct owner *w;
	struct stat st;

	CHECK(fd >= 0 && !fstat(fd, &st));
	owners_want(o, (uint32_t)st.st_ino);
	owners_want(o, (uint32_t)st.st_ino);
	owners_want(o, 0);
	CHECK_INT((long long)o->nwanted, 1);
	CHECK(owners_search(o, 20 * SECOND));
	w = owners_find(o, (uint32_t)st.st_ino);
	CHECK(w != NULL);
	CHECK_INT(w->pid, getpid());
	CHECK(!owners_find(o, 1));
	close(fd);
	owners_done(o);
	free(o);
}

TEST(a_socket_that_nobody_has_is_not_looked_for_twice)
{
	struct owners *o = calloc(1, sizeof(*o));

	owners_want(o, 4000000000u);
	CHECK(owners_search(o, 20 * SECOND));
	CHECK(!owners_find(o, 4000000000u));
	owners_want(o, 4000000000u);
	CHECK_INT((long long)o->nwanted, 0);
	owners_done(o);
	free(o);
}
