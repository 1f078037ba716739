/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at all connections now and then. See sock_sampler.h. */
#include "collectors/sock_sampler.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"

#define LONGEST_STEP  5000000000u /* a look that comes later than this covers no more */
#define UDP_PATIENCE  900000000u  /* an answer to a datagram that takes longer is worth counting */
#define FIRST_LOOK    1
#define CAUGHT_ENOUGH 6
#define QUIET_MS      60
#define ALL_STATES    (((1u << SOCK_STATE_MAX) - 1) & ~(1u << SOCK_TIME_WAIT | 1u << SOCK_LISTEN))

enum { CA_RECOVERY = 3, CA_LOSS = 4 };

struct sampler *sampler_new(void)
{
	return mem_alloc(sizeof(struct sampler));
}

void sampler_free(struct sampler *s)
{
	if (!s)
		return;
	mem_free(s->endpoints);
	mem_free(s->tracked);
	mem_free(s->slots);
	mem_free(s);
}

/* ---- endpoints ---- */

static void set_bit(struct sampler *s, enum sock_proto p, uint16_t port)
{
	s->listening[p == PROTO_UDP][port / 8] |= (uint8_t)(1u << port % 8);
}

static bool has_bit(const struct sampler *s, enum sock_proto p, uint16_t port)
{
	return s->listening[p == PROTO_UDP][port / 8] >> port % 8 & 1;
}

bool sampler_is_bound(const struct sampler *s, enum sock_proto p, uint16_t port)
{
	return p != PROTO_UNIX && has_bit(s, p, port);
}

static void remember_own(struct sampler *s, const struct sock_addr *a)
{
	if (sock_addr_any(a))
		return;
	for (unsigned i = 0; i < s->nown; i++)
		if (sock_addr_same(&s->own[i], a))
			return;
	if (s->nown < sizeof(s->own) / sizeof(*s->own))
		s->own[s->nown++] = *a;
}

static bool is_own(const struct sampler *s, const struct sock_addr *a)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	if (a->family == AF_INET ? a->ip[0] == 127 : !memcmp(a->ip, loopback6, 16))
		return true;
	for (unsigned i = 0; i < s->nown; i++)
		if (sock_addr_same(&s->own[i], a))
			return true;
	return false;
}

static bool same_endpoint(const struct endpoint *e, enum sock_proto p, const struct sock_addr *a,
			  uint16_t port)
{
	return e->proto == p && e->port == port && sock_addr_same(&e->addr, a);
}

static uint32_t hash_addr(const struct sock_addr *a)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < sizeof(a->ip); i++)
		h = (h ^ a->ip[i]) * 16777619u;
	return h;
}

/* Where an endpoint is, or the free slot where it would be. UNIX sockets have no slot. */
static uint16_t *slot_for(struct sampler *s, enum sock_proto p, const struct sock_addr *a,
			  uint16_t port)
{
	uint32_t i = (hash_addr(a) ^ (port * 2u + p) * 2654435761u) % (4 * ENDPOINTS_CAP);

	while (s->endpoint_slots[i] &&
	       !same_endpoint(&s->endpoints[s->endpoint_slots[i] - 1], p, a, port))
		i = (i + 1) % (4 * ENDPOINTS_CAP);
	return &s->endpoint_slots[i];
}

static struct endpoint *find(struct sampler *s, enum sock_proto p, const struct sock_addr *a,
			     uint16_t port)
{
	uint16_t at = *slot_for(s, p, a, port);

	return at ? &s->endpoints[at - 1] : NULL;
}

static struct endpoint *new_endpoint(struct sampler *s)
{
	if (s->nendpoints == ENDPOINTS_CAP) {
		s->beyond++;
		return NULL;
	}
	s->endpoints =
		mem_grow(s->endpoints, &s->endpoints_cap, s->nendpoints + 1, sizeof(*s->endpoints));
	return &s->endpoints[s->nendpoints++];
}

static struct endpoint *find_or_add(struct sampler *s, enum sock_proto p, const struct sock_addr *a,
				    uint16_t port)
{
	uint16_t *at = slot_for(s, p, a, port);
	struct endpoint *e;

	if (*at)
		return &s->endpoints[*at - 1];
	e = new_endpoint(s);
	if (!e)
		return NULL;
	*e = (struct endpoint){
		.proto = p, .addr = *a, .port = port, .ours = is_own(s, a) || sock_addr_any(a)
	};
	*at = (uint16_t)s->nendpoints;
	return e;
}

/* The wildcard addresses of both families are one: a dual-stack server is one service. */
static struct sock_addr plain(const struct sock_addr *a)
{
	return sock_addr_any(a) ? (struct sock_addr){ 0 } : *a;
}

/* The endpoint that somebody listens on for this address: bound to it, or to all addresses. */
static struct endpoint *listener_of(struct sampler *s, enum sock_proto p, const struct sock_addr *a,
				    uint16_t port)
{
	static const struct sock_addr any;
	struct endpoint *e;

	if (!has_bit(s, p, port))
		return NULL;
	e = find(s, p, a, port);
	if (!e || !e->listening)
		e = find(s, p, &any, port);
	return e && e->listening ? e : NULL;
}

struct endpoint *sampler_endpoint(struct sampler *s, const struct sock *sock, bool *server)
{
	struct endpoint *e = listener_of(s, sock->proto, &sock->local, sock->local_port);

	*server = sock->proto == PROTO_TCP && (e || sock->state == SOCK_SYN_RECV);
	if (*server)
		return e ? e : find_or_add(s, sock->proto, &sock->local, sock->local_port);
	if (sock_addr_same(&sock->local, &sock->remote) || is_own(s, &sock->remote)) {
		e = listener_of(s, sock->proto, &sock->remote, sock->remote_port);
		if (e)
			return e;
	}
	return find_or_add(s, sock->proto, &sock->remote, sock->remote_port);
}

char *endpoint_name(const struct endpoint *e, const char *prefix, char *out, size_t size)
{
	char addr[64];

	if (e->proto == PROTO_UNIX)
		snprintf(out, size, "%sunix %s", prefix, e->path);
	else
		snprintf(out, size, "%s%s %s:%u", prefix, sock_proto_name(e->proto),
			 sock_addr_text(&e->addr, addr, sizeof(addr)), e->port);
	return out;
}

static void count_peer(struct endpoint *e, const struct sock_addr *a)
{
	uint32_t h = hash_addr(a);

	for (uint32_t i = 0; i < e->npeers; i++)
		if (e->peers[i] == h)
			return;
	if (e->npeers < PEERS_CAP)
		e->peers[e->npeers++] = h;
}

/* ---- connections ---- */

static size_t slot_of(const struct sampler *s, uint64_t cookie)
{
	size_t i = cookie * 0x9e3779b97f4a7c15u >> 20 & (s->nslots - 1);

	while (s->slots[i] && s->tracked[s->slots[i] - 1].cookie != cookie)
		i = (i + 1) & (s->nslots - 1);
	return i;
}

static void index_tracked(struct sampler *s, size_t want)
{
	mem_free(s->slots);
	s->slots = mem_array(want, sizeof(*s->slots));
	s->nslots = want;
	for (size_t i = 0; i < s->ntracked; i++)
		s->slots[slot_of(s, s->tracked[i].cookie)] = (uint32_t)i + 1;
}

/* Forget connections that are gone: nobody asks for them any more. */
static void forget_gone(struct sampler *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->ntracked; i++)
		if (s->tracked[i].last_look == s->looks)
			s->tracked[kept++] = s->tracked[i];
	if (kept == s->ntracked)
		return;
	s->ntracked = kept;
	index_tracked(s, s->nslots);
}

static struct tracked *known(const struct sampler *s, uint64_t cookie)
{
	uint32_t at = s->nslots ? s->slots[slot_of(s, cookie)] : 0;

	return at ? &s->tracked[at - 1] : NULL;
}

/* A new one. NULL when there is no room. */
static struct tracked *track(struct sampler *s, uint64_t cookie, const struct endpoint *e,
			     bool server)
{
	struct tracked *t;

	if (s->ntracked == TRACKED_CAP)
		return NULL;
	if (2 * (s->ntracked + 1) > s->nslots)
		index_tracked(s, s->nslots ? 2 * s->nslots : 256);
	s->tracked = mem_grow(s->tracked, &s->tracked_cap, s->ntracked + 1, sizeof(*s->tracked));
	t = &s->tracked[s->ntracked++];
	*t = (struct tracked){
		.cookie = cookie,
		.first_ns = s->now_ns,
		.first_look = s->looks,
		.endpoint = (uint32_t)(e - s->endpoints),
		.server = server,
	};
	s->slots[slot_of(s, cookie)] = (uint32_t)s->ntracked;
	return t;
}

/* ---- conditions ---- */

/* A stream in one direction is no conversation: nobody waits for an answer to it. */
static bool converses(uint32_t asked, uint32_t answered)
{
	return asked && asked / 32 <= answered;
}

/* Were there more questions than answers? For those who send the same number of segments each time: k × n or k × (n − 1)
 * answers to n questions. */
static bool owes_answer(uint32_t asked, uint32_t answered)
{
	return asked >= 3 && answered % asked && !(answered % (asked - 1));
}

/* Everything that was written is acknowledged, and what was sent last is younger than what was received last. Ages have the
 * grain of a clock tick. They are the same when a request follows at once on the answer before it, and when an answer
 * follows at once on its request: then an acknowledgement that came later speaks of a request that was taken and not answered,
 * and so do the numbers of segments. */
static bool awaits(const struct sock *s)
{
	const struct tcp_info *i = &s->info;

	if (!SOCK_HAS(s, tcpi_data_segs_out) || s->wqueue || s->rqueue ||
	    !converses(i->tcpi_data_segs_out, i->tcpi_data_segs_in))
		return false;
	if (i->tcpi_last_data_sent != i->tcpi_last_data_recv)
		return i->tcpi_last_data_sent < i->tcpi_last_data_recv;
	return !i->tcpi_data_segs_in || i->tcpi_last_ack_recv < i->tcpi_last_data_recv ||
	       owes_answer(i->tcpi_data_segs_out, i->tcpi_data_segs_in);
}

/* The mirror of it, once the request was read. */
static bool works(const struct sock *s)
{
	const struct tcp_info *i = &s->info;

	if (!SOCK_HAS(s, tcpi_data_segs_out) || s->rqueue ||
	    !converses(i->tcpi_data_segs_in, i->tcpi_data_segs_out))
		return false;
	if (i->tcpi_last_data_recv != i->tcpi_last_data_sent)
		return i->tcpi_last_data_recv < i->tcpi_last_data_sent;
	return !i->tcpi_data_segs_out || owes_answer(i->tcpi_data_segs_in, i->tcpi_data_segs_out);
}

/* Less than a segment waits for the acknowledgement of what is in flight, and nothing else holds it. */
static bool nagles(const struct sock *s)
{
	const struct tcp_info *i = &s->info;

	return SOCK_HAS(s, tcpi_notsent_bytes) && i->tcpi_notsent_bytes &&
	       i->tcpi_notsent_bytes < i->tcpi_snd_mss && i->tcpi_unacked &&
	       i->tcpi_unacked < i->tcpi_snd_cwnd && !i->tcpi_ca_state && !i->tcpi_retransmits &&
	       (!SOCK_HAS(s, tcpi_snd_wnd) || i->tcpi_snd_wnd >= s->wqueue);
}

static bool window_closed(const struct sock *s)
{
	const struct tcp_info *i = &s->info;

	if (!s->wqueue || !s->info_size)
		return false;
	return i->tcpi_probes ||
	       (SOCK_HAS(s, tcpi_snd_wnd) && !i->tcpi_snd_wnd && i->tcpi_notsent_bytes);
}

static void add(struct sampler *s, struct endpoint *e, struct tracked *t, enum cond c)
{
	e->ns[c] += s->dt_ns;
	if (t && c < COND_PER_SOCKET)
		t->ns[c] += s->dt_ns;
}

/* One connection with something wrong is enough to name its owner by. */
static void in_trouble(struct endpoint *e, const struct sock *sock, bool server)
{
	if (!server && sock->inode && !e->client_pid)
		e->client_inode = sock->inode;
}

/* Nothing has moved for much longer than a round trip though something is in flight: its acknowledgement, or it, is lost,
 * and the retransmission timer (200 ms and more) has not run out yet. A delayed acknowledgement takes 40 ms. */
static bool waits_for_timer(const struct sock *s)
{
	const struct tcp_info *i = &s->info;
	uint32_t quiet = i->tcpi_last_data_sent < i->tcpi_last_ack_recv ? i->tcpi_last_data_sent
									: i->tcpi_last_ack_recv;

	return i->tcpi_unacked &&
	       (i->tcpi_retransmits || (quiet >= QUIET_MS && quiet > 2 * i->tcpi_rtt / 1000));
}

static void sending_side(struct sampler *s, const struct sock *sock, struct endpoint *e,
			 struct tracked *t, bool server)
{
	const struct tcp_info *i = &sock->info;
	bool stalled, recovering, closed, held;

	if (!sock->info_size)
		return;
	closed = window_closed(sock);
	held = nagles(sock);
	stalled = !closed && waits_for_timer(sock);
	recovering = stalled || (i->tcpi_unacked &&
				 (i->tcpi_ca_state == CA_RECOVERY || i->tcpi_ca_state == CA_LOSS));
	if (recovering)
		add(s, e, t, COND_RECOVERY);
	if (stalled)
		add(s, e, t, COND_STALLED);
	if (closed)
		add(s, e, t, COND_ZERO_WINDOW);
	if (held)
		add(s, e, t, COND_NAGLE);
	if (recovering || closed || held)
		in_trouble(e, sock, server);
}

static void client_side(struct sampler *s, const struct sock *sock, struct endpoint *e,
			struct tracked *t)
{
	add(s, e, t, COND_CLIENTS);
	e->clients++;
	if (!e->client_inode)
		e->client_inode = sock->inode;
	if (!awaits(sock))
		return;
	add(s, e, t, COND_AWAITING);
	if (t && t->first_look > FIRST_LOOK)
		add(s, e, t, COND_AWAITING_NEW);
	if (sock->info.tcpi_last_data_sent > e->oldest_ms)
		e->oldest_ms = sock->info.tcpi_last_data_sent;
	in_trouble(e, sock, false);
}

static void server_side(struct sampler *s, const struct sock *sock, struct endpoint *e,
			struct tracked *t)
{
	if (!sock->inode) /* still in the accept queue */
		return;
	add(s, e, t, COND_SERVED);
	e->accepted++;
	if (sock->rqueue)
		add(s, e, t, COND_UNREAD);
	else if (works(sock))
		add(s, e, t, COND_WORKING);
}

static void tcp_socket(struct sampler *s, const struct sock *sock, struct endpoint *e,
		       struct tracked *t, bool server)
{
	switch (sock->state) {
	case SOCK_SYN_SENT:
		add(s, e, t, COND_CONNECTING);
		if (sock->retransmits)
			add(s, e, NULL, COND_RETRYING);
		else
			e->syn_hits++;
		in_trouble(e, sock, false);
		break;
	case SOCK_SYN_RECV:
		add(s, e, t, COND_HALF_OPEN);
		count_peer(e, &sock->remote);
		break;
	case SOCK_ESTABLISHED:
		if (server)
			server_side(s, sock, e, t);
		else
			client_side(s, sock, e, t);
		sending_side(s, sock, e, t, server);
		break;
	default:
		sending_side(s, sock, e, t, server);
		break;
	}
}

/* A connected UDP socket is a question to somebody. One that was opened while we looked on and has nothing to read for a
 * second waits for an answer. */
static void udp_socket(struct sampler *s, const struct sock *sock, struct endpoint *e,
		       struct tracked *t)
{
	add(s, e, t, COND_CLIENTS);
	if (!e->client_inode)
		e->client_inode = sock->inode;
	if (!t || sock->rqueue || t->first_look == FIRST_LOOK ||
	    s->now_ns - t->first_ns < UDP_PATIENCE)
		return;
	add(s, e, t, COND_AWAITING);
	if ((s->now_ns - t->first_ns) / 1000000 > e->oldest_ms)
		e->oldest_ms = (uint32_t)((s->now_ns - t->first_ns) / 1000000);
	in_trouble(e, sock, false);
}

/* ---- a look ---- */

void sampler_begin(struct sampler *s, uint64_t now_ns)
{
	s->dt_ns = s->looks && now_ns > s->now_ns ? now_ns - s->now_ns : 0;
	if (s->dt_ns > LONGEST_STEP)
		s->dt_ns = LONGEST_STEP;
	s->covered_ns += s->dt_ns;
	s->now_ns = now_ns;
	s->looks++;
	for (size_t i = 0; i < s->nendpoints; i++) {
		struct endpoint *e = &s->endpoints[i];

		e->accepted_before = e->accepted;
		e->accepted = e->clients = 0;
		e->oldest_ms = 0;
	}
}

/* Where a socket belongs; counts it when it is new. */
static struct endpoint *place(struct sampler *s, const struct sock *sock, struct tracked **t,
			      bool *server)
{
	struct endpoint *e;

	*t = known(s, sock->cookie);
	if (*t) {
		*server = (*t)->server;
		return &s->endpoints[(*t)->endpoint];
	}
	e = sampler_endpoint(s, sock, server);
	if (!e)
		return NULL;
	*t = track(s, sock->cookie, e, *server);
	if (s->looks > FIRST_LOOK && *server)
		e->new_served++;
	else if (s->looks > FIRST_LOOK)
		e->new_clients++;
	return e;
}

void sampler_socket(struct sampler *s, const struct sock *sock, sampler_each_fn *each, void *ctx)
{
	struct endpoint *e = NULL;
	struct tracked *t = NULL;
	bool server = false;

	remember_own(s, &sock->local);
	if (sock->proto == PROTO_UDP && sock->state != SOCK_ESTABLISHED)
		set_bit(s, PROTO_UDP, sock->local_port);
	else
		e = place(s, sock, &t, &server);
	if (t)
		t->last_look = s->looks;
	if (e && sock->proto == PROTO_TCP)
		tcp_socket(s, sock, e, t, server);
	else if (e)
		udp_socket(s, sock, e, t);
	if (each)
		each(ctx, sock, t, e);
}

void sampler_end(struct sampler *s)
{
	for (size_t i = 0; i < s->nendpoints; i++) {
		struct endpoint *e = &s->endpoints[i];

		if (!e->backlog || !e->accepted)
			continue;
		e->workers = e->accepted;
		if (e->accepted == e->accepted_before)
			e->ns[COND_PINNED] += s->dt_ns;
	}
	forget_gone(s);
}

void sampler_listener(struct sampler *s, const struct sock *sock, uint64_t dt_ns)
{
	struct sock_addr addr = plain(&sock->local);
	struct endpoint *e;

	if (sock->proto == PROTO_UNIX) {
		for (e = s->endpoints; e < s->endpoints + s->nendpoints; e++)
			if (e->proto == PROTO_UNIX && e->server_inode == sock->inode)
				break;
		if (e == s->endpoints + s->nendpoints) {
			e = sock->rqueue ? new_endpoint(s) : NULL;
			if (!e)
				return; /* hundreds of quiet ones are of no interest */
			*e = (struct endpoint){ .proto = PROTO_UNIX, .ours = true };
			memcpy(e->path, sock->path, sizeof(e->path));
		}
	} else {
		set_bit(s, sock->proto, sock->local_port);
		e = find_or_add(s, sock->proto, &addr, sock->local_port);
		if (!e)
			return;
	}
	e->listening = e->ours = true;
	e->server_inode = sock->inode;
	e->backlog += sock->rqueue;
	e->backlog_limit = sock->wqueue > e->backlog_limit ? sock->wqueue : e->backlog_limit;
	e->backlog_peak = e->backlog > e->backlog_peak ? e->backlog : e->backlog_peak;
	e->ns[COND_QUEUED] += (uint64_t)sock->rqueue * dt_ns;
	if (sock->rqueue &&
	    e->backlog == sock->rqueue) /* once, however many sockets share the port */
		e->ns[COND_QUEUE_BUSY] += dt_ns;
}

/* ---- asking the kernel ---- */

struct look {
	struct sampler *s;
	sampler_each_fn *each;
	void *ctx;
	uint64_t dt_ns;
	uint32_t left;
};

static int see_listener(void *ctx, const struct sock *sock)
{
	struct look *l = ctx;

	sampler_listener(l->s, sock, l->dt_ns);
	return 0;
}

static int see_socket(void *ctx, const struct sock *sock)
{
	struct look *l = ctx;

	sampler_socket(l->s, sock, l->each, l->ctx);
	return 0;
}

int sampler_look_listeners(struct sampler *s, struct netlink *nl, uint64_t now_ns)
{
	struct look l = { .s = s, .dt_ns = s->listeners_ns ? now_ns - s->listeners_ns : 0 };
	int err;

	if (l.dt_ns > LONGEST_STEP)
		l.dt_ns = LONGEST_STEP;
	s->listeners_ns = now_ns;
	for (size_t i = 0; i < s->nendpoints; i++)
		s->endpoints[i].backlog = 0;
	err = sockdiag_inet(nl, PROTO_TCP, 1u << SOCK_LISTEN, false, see_listener, &l);
	sockdiag_unix(nl, see_listener, &l); /* may not be built into the kernel */
	return err;
}

int sampler_look(struct sampler *s, struct netlink *nl, uint64_t now_ns, sampler_each_fn *each,
		 void *ctx)
{
	struct look l = { .s = s, .each = each, .ctx = ctx };
	int err;

	sampler_begin(s, now_ns);
	err = sockdiag_inet(nl, PROTO_TCP, ALL_STATES, true, see_socket, &l);
	if (!err)
		sockdiag_inet(nl, PROTO_UDP, ALL_STATES, true, see_socket, &l);
	sampler_end(s);
	return err;
}

static int catch_connecting(void *ctx, const struct sock *sock)
{
	struct look *l = ctx;
	bool server;
	struct endpoint *e = sock->retransmits ? NULL : sampler_endpoint(l->s, sock, &server);

	if (e && !server) {
		e->syn_hits++;
		l->s->caught++;
		in_trouble(e, sock, false);
	}
	return 0;
}

int sampler_catch_connecting(struct sampler *s, struct netlink *nl)
{
	struct look l = { .s = s };

	if (s->caught >= CAUGHT_ENOUGH)
		return 0;
	return sockdiag_inet(nl, PROTO_TCP, 1u << SOCK_SYN_SENT, true, catch_connecting, &l);
}

static int see_time_wait(void *ctx, const struct sock *sock)
{
	struct look *l = ctx;
	bool server;
	struct endpoint *e = sampler_endpoint(l->s, sock, &server);

	if (e) {
		e->time_wait++;
		e->ports_used += !server;
		count_peer(e, server ? &sock->remote : &sock->local);
	}
	return --l->left == 0;
}

int sampler_count_time_wait(struct sampler *s, struct netlink *nl, uint32_t limit, uint64_t total)
{
	struct look l = { .s = s, .left = limit };
	double scale;
	int rc;

	for (size_t i = 0; i < s->nendpoints; i++) {
		s->endpoints[i].time_wait = 0;
		s->endpoints[i].ports_used = 0;
	}
	rc = sockdiag_inet(nl, PROTO_TCP, 1u << SOCK_TIME_WAIT, false, see_time_wait, &l);
	if (rc < 0)
		return rc;
	scale = rc > 0 && total > limit ? (double)total / limit : 1;
	for (size_t i = 0; i < s->nendpoints; i++) {
		struct endpoint *e = &s->endpoints[i];

		e->time_wait = (uint32_t)(e->time_wait * scale);
		e->ports_used = (uint32_t)(e->ports_used * scale) + e->clients;
	}
	return 0;
}
