/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing sockets and filling their rows. See sock_rows.h. */
#include "collectors/sock_rows.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"

#define ACTIVE_MS   10000u /* "active": data moved in this time */
#define MUCH_QUEUED 32768u /* bytes: a sender worth a name */

/* ---- choosing ---- */

static uint32_t idle_ms(const struct sock *s)
{
	if (!SOCK_HAS(s, tcpi_last_data_recv))
		return UINT32_MAX;
	return s->info.tcpi_last_data_sent < s->info.tcpi_last_data_recv
		       ? s->info.tcpi_last_data_sent
		       : s->info.tcpi_last_data_recv;
}

static bool is_half_closed(const struct sock *s)
{
	return s->state == SOCK_CLOSE_WAIT || s->state == SOCK_FIN_WAIT1 ||
	       s->state == SOCK_LAST_ACK || s->state == SOCK_CLOSING;
}

/* The class in the upper half, how lately it was active in the lower half; the last bits make the choice the same at both
 * ends of the window. */
static uint64_t score_of(const struct sock *s)
{
	uint64_t class = 0, idle = idle_ms(s);

	if (s->rqueue || s->wqueue || s->drops || s->retransmits || s->state == SOCK_SYN_SENT ||
	    is_half_closed(s))
		class = 3;
	else if (s->state == SOCK_LISTEN || idle < ACTIVE_MS)
		class = 2;
	else if (s->state == SOCK_SYN_RECV ||
		 (s->proto == PROTO_UDP && s->state == SOCK_ESTABLISHED))
		class = 1;
	return class << 62 | (UINT32_MAX - idle) << 16 | (s->cookie & 0xffff);
}

static void swap_rows(struct sock_row *a, struct sock_row *b)
{
	struct sock_row t = *a;

	*a = *b;
	*b = t;
}

static void sift_up(struct sock_rows *r, size_t i)
{
	for (; i && r->rows[i].score < r->rows[(i - 1) / 2].score; i = (i - 1) / 2)
		swap_rows(&r->rows[i], &r->rows[(i - 1) / 2]);
}

static void sift_down(struct sock_rows *r)
{
	for (size_t i = 0;;) {
		size_t least = i;

		for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < r->n; k++)
			if (r->rows[k].score < r->rows[least].score)
				least = k;
		if (least == i)
			return;
		swap_rows(&r->rows[i], &r->rows[least]);
		i = least;
	}
}

void sock_rows_begin(struct sock_rows *r, const struct sampler *s)
{
	r->n = 0;
	r->seen = 0;
	memset(r->by_state, 0, sizeof(r->by_state));
	r->sampler = s;
}

void sock_rows_done(struct sock_rows *r)
{
	mem_free(r->rows);
	*r = (struct sock_rows){ 0 };
}

void sock_rows_see(void *ctx, const struct sock *s, const struct tracked *t,
		   const struct endpoint *e)
{
	struct sock_rows *r = ctx;
	struct sock_row row = { .s = *s, .score = score_of(s) };

	r->seen++;
	r->by_state[s->state] += s->proto == PROTO_TCP;
	if (r->n == SOCK_ROWS && row.score <= r->rows[0].score)
		return;
	if (e)
		row.endpoint = (uint32_t)(e - r->sampler->endpoints) + 1;
	if (t) {
		row.sampled = true;
		row.server = t->server;
		row.is_new = t->first_look > 1;
		memcpy(row.ns, t->ns, sizeof(row.ns));
	}
	if (r->n == SOCK_ROWS) {
		r->rows[0] = row;
		sift_down(r);
		return;
	}
	r->rows = mem_grow(r->rows, &r->cap, r->n + 1, sizeof(*r->rows));
	r->rows[r->n++] = row;
	sift_up(r, r->n - 1);
}

/* ---- owners and routes ---- */

void sock_rows_want(const struct sock_rows *r, struct owners *o, bool flood)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct sock_row *row = &r->rows[i];
		uint64_t trouble = row->ns[COND_RECOVERY] + row->ns[COND_STALLED] +
				   row->ns[COND_ZERO_WINDOW] + row->ns[COND_NAGLE] +
				   row->ns[COND_CONNECTING];

		if (trouble || row->s.drops || row->s.state == SOCK_CLOSE_WAIT ||
		    row->s.wqueue >= MUCH_QUEUED || row->s.rqueue >= MUCH_QUEUED ||
		    (row->s.state == SOCK_LISTEN && row->s.rqueue) ||
		    (flood && row->s.proto == PROTO_UDP))
			owners_want(o, row->s.inode);
	}
}

static int see_route(void *ctx, uint16_t type, const void *p, size_t n)
{
	struct attr a;

	if (type == RTM_NEWROUTE && n >= NLMSG_ALIGN(sizeof(struct rtmsg)) &&
	    attr_find((const char *)p + NLMSG_ALIGN(sizeof(struct rtmsg)),
		      n - NLMSG_ALIGN(sizeof(struct rtmsg)), RTA_OIF, &a))
		*(uint32_t *)ctx = attr_u32(&a);
	return 0;
}

static void route(struct sock_row *row, struct netlink *nl)
{
	struct {
		struct nlmsghdr h;
		struct rtmsg r;
		char room[64];
	} q = { .h = { .nlmsg_type = RTM_GETROUTE,
		       .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)) } };
	size_t bytes = row->s.remote.family == AF_INET ? 4 : 16;
	char name[IF_NAMESIZE];
	uint32_t index = 0;

	q.r.rtm_family = row->s.remote.family;
	q.r.rtm_dst_len = q.r.rtm_src_len = (unsigned char)(bytes * 8);
	if (!attr_put(&q.h, sizeof(q), RTA_DST, row->s.remote.ip, bytes) ||
	    !attr_put(&q.h, sizeof(q), RTA_SRC, row->s.local.ip, bytes))
		return;
	if (!netlink_ask(nl, &q.h, q.h.nlmsg_len, see_route, &index) && index &&
	    if_indextoname(index, name))
		snprintf(row->netif, sizeof(row->netif), "%s", name);
}

void sock_rows_routes(struct sock_rows *r, struct netlink *nl, unsigned max)
{
	for (unsigned k = 0; k < max; k++) {
		struct sock_row *most = NULL;

		for (size_t i = 0; i < r->n; i++) {
			struct sock_row *row = &r->rows[i];

			if (row->s.proto == PROTO_TCP && row->s.state == SOCK_ESTABLISHED &&
			    row->s.wqueue && !row->netif[0] &&
			    (!most || row->s.wqueue > most->s.wqueue))
				most = row;
		}
		if (!most)
			return;
		route(most, nl);
		if (!most->netif[0])
			return; /* it would be chosen again and again */
	}
}

/* ---- rows ---- */

static void set(struct snapshot *out, enum metric_id id, size_t row, uint64_t v)
{
	snapshot_set(out, id, row, v, 1);
}

static void set_text(struct snapshot *out, enum metric_id id, size_t row, const char *text)
{
	snapshot_set_text(out, id, row, text, strlen(text), 1);
}

static void put_info(const struct sock *s, struct snapshot *out, size_t row)
{
	const struct tcp_info *i = &s->info;

#define PUT(metric, field)                               \
	do {                                             \
		if (SOCK_HAS(s, field))                  \
			set(out, metric, row, i->field); \
	} while (0)
	PUT(M_SOCK_RTT, tcpi_rtt);
	PUT(M_SOCK_RTO, tcpi_rto);
	PUT(M_SOCK_CWND, tcpi_snd_cwnd);
	PUT(M_SOCK_MSS, tcpi_snd_mss);
	PUT(M_SOCK_PMTU, tcpi_pmtu);
	PUT(M_SOCK_UNACKED, tcpi_unacked);
	PUT(M_SOCK_LOST, tcpi_lost);
	PUT(M_SOCK_BACKOFF, tcpi_retransmits);
	PUT(M_SOCK_CA_STATE, tcpi_ca_state);
	PUT(M_SOCK_NOTSENT, tcpi_notsent_bytes);
	PUT(M_SOCK_SND_WND, tcpi_snd_wnd);
	PUT(M_SOCK_LAST_SENT, tcpi_last_data_sent);
	PUT(M_SOCK_LAST_RECV, tcpi_last_data_recv);
	PUT(M_SOCK_LAST_ACK, tcpi_last_ack_recv);
	PUT(M_SOCK_RETRANS, tcpi_total_retrans);
	PUT(M_SOCK_BYTES_RETRANS, tcpi_bytes_retrans);
	PUT(M_SOCK_SEGS_OUT, tcpi_segs_out);
	PUT(M_SOCK_SEGS_IN, tcpi_segs_in);
	PUT(M_SOCK_DATA_SEGS_OUT, tcpi_data_segs_out);
	PUT(M_SOCK_DATA_SEGS_IN, tcpi_data_segs_in);
	PUT(M_SOCK_BYTES_ACKED, tcpi_bytes_acked);
	PUT(M_SOCK_BYTES_RECEIVED, tcpi_bytes_received);
	PUT(M_SOCK_BUSY, tcpi_busy_time);
	PUT(M_SOCK_RWND_LIMITED, tcpi_rwnd_limited);
	PUT(M_SOCK_SNDBUF_LIMITED, tcpi_sndbuf_limited);
	PUT(M_SOCK_DSACKS, tcpi_dsack_dups);
#undef PUT
	/* the kernel says ~0 until there was a round trip */
	if (SOCK_HAS(s, tcpi_min_rtt) && i->tcpi_min_rtt != UINT32_MAX)
		set(out, M_SOCK_MIN_RTT, row, i->tcpi_min_rtt);
}

static void put_owner(const struct owners *o, uint32_t inode, struct snapshot *out, size_t row)
{
	const struct owner *w = owners_find(o, inode);

	if (!w)
		return;
	set(out, M_SOCK_PID, row, (uint64_t)w->pid);
	set_text(out, M_SOCK_COMM, row, w->comm);
}

static void put_conditions(const struct sock_row *r, struct snapshot *out, size_t row)
{
	static const enum metric_id ids[COND_PER_SOCKET] = {
		[COND_CONNECTING] = M_SOCK_CONNECTING,   [COND_AWAITING] = M_SOCK_AWAITING,
		[COND_WORKING] = M_SOCK_WORKING,         [COND_UNREAD] = M_SOCK_UNREAD,
		[COND_RECOVERY] = M_SOCK_RECOVERY,       [COND_STALLED] = M_SOCK_STALLED,
		[COND_ZERO_WINDOW] = M_SOCK_ZERO_WINDOW, [COND_NAGLE] = M_SOCK_NAGLE,
	};

	for (int c = 0; c < COND_PER_SOCKET; c++)
		if (r->sampled)
			set(out, ids[c], row, r->ns[c]);
}

static void put_row(const struct sock_rows *rs, const struct sock_row *r, const struct owners *o,
		    struct snapshot *out, const char *netns)
{
	const struct sock *s = &r->s;
	struct row_id id = { .key = s->cookie,
			     .birth = *netns ? row_id_of_name(netns, strlen(netns)).key : 0 };
	char text[ENDPOINT_NAME], prefix[64];
	size_t row = snapshot_row(out, SCOPE_SOCKET, id, "", 0);
	bool listening = s->state == SOCK_LISTEN;

	set_text(out, M_SOCK_PROTO, row, sock_proto_name(s->proto));
	set_text(out, M_SOCK_STATE, row, sock_state_name(s->state));
	set_text(out, M_SOCK_LOCAL, row, sock_addr_text(&s->local, text, sizeof(text)));
	set(out, M_SOCK_PORT, row, s->local_port);
	if (!listening) {
		set_text(out, M_SOCK_REMOTE, row, sock_addr_text(&s->remote, text, sizeof(text)));
		set(out, M_SOCK_PEER_PORT, row, s->remote_port);
		set(out, M_SOCK_NEW, row, r->is_new);
	}
	if (r->endpoint) {
		snprintf(prefix, sizeof(prefix), "%s%s", netns, *netns ? "/" : "");
		set_text(out, M_SOCK_ENDPOINT, row,
			 endpoint_name(&rs->sampler->endpoints[r->endpoint - 1], prefix, text,
				       sizeof(text)));
	}
	set(out, M_SOCK_SERVER, row, listening || r->server);
	set(out, M_SOCK_INODE, row, s->inode);
	set(out, M_SOCK_UID, row, s->uid);
	if (*netns)
		set_text(out, M_SOCK_NETNS, row, netns);
	if (r->netif[0])
		set_text(out, M_SOCK_NETIF, row, r->netif);
	set(out, listening ? M_SOCK_BACKLOG : M_SOCK_RQUEUE, row, s->rqueue);
	set(out, listening ? M_SOCK_BACKLOG_LIMIT : M_SOCK_WQUEUE, row, s->wqueue);
	if (s->has_mem) {
		set(out, M_SOCK_DROPS, row, s->drops);
		set(out, M_SOCK_RCVBUF, row, s->rcvbuf);
		set(out, M_SOCK_SNDBUF, row, s->sndbuf);
	}
	if (!listening)
		put_info(s, out, row);
	put_conditions(r, out, row);
	put_owner(o, s->inode, out, row);
}

static void put_counts(const struct sock_rows *r, struct snapshot *out, bool ours, size_t row)
{
	const struct {
		enum metric_id system, netns;
		uint64_t n;
	} counts[] = {
		{ M_TCP_N_ESTAB, M_NETNS_TCP_N_ESTAB, r->by_state[SOCK_ESTABLISHED] },
		{ M_TCP_N_SYN_SENT, M_NETNS_TCP_N_SYN_SENT, r->by_state[SOCK_SYN_SENT] },
		{ M_TCP_N_SYN_RECV, M_NETNS_TCP_N_SYN_RECV, r->by_state[SOCK_SYN_RECV] },
		{ M_TCP_N_FIN_WAIT, M_NETNS_TCP_N_FIN_WAIT,
		  r->by_state[SOCK_FIN_WAIT1] + r->by_state[SOCK_FIN_WAIT2] },
		{ M_TCP_N_CLOSE_WAIT, M_NETNS_TCP_N_CLOSE_WAIT, r->by_state[SOCK_CLOSE_WAIT] },
		{ M_TCP_N_LAST_ACK, M_NETNS_TCP_N_LAST_ACK,
		  r->by_state[SOCK_LAST_ACK] + r->by_state[SOCK_CLOSING] },
		{ M_SOCKETS_LEFT_OUT, M_NETNS_SOCKETS_LEFT_OUT, r->seen - r->n },
	};

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		set(out, ours ? counts[i].system : counts[i].netns, row, counts[i].n);
}

void sock_rows_put(const struct sock_rows *r, const struct owners *o, struct snapshot *out,
		   const char *netns, size_t ns_row)
{
	for (size_t i = 0; i < r->n; i++)
		put_row(r, &r->rows[i], o, out, netns);
	put_counts(r, out, !*netns, ns_row);
}

/* ---- endpoints ---- */

static void put_party(const struct owners *o, uint32_t inode, int64_t *pid, char comm[16])
{
	const struct owner *w = *pid ? NULL : owners_find(o, inode);

	if (!w)
		return;
	*pid = w->pid;
	memcpy(comm, w->comm, sizeof(w->comm));
}

static void put_endpoint(const struct sampler *s, struct endpoint *e, const struct owners *o,
			 struct snapshot *out, const char *netns)
{
	static const enum metric_id ids[COND_MAX] = {
		[COND_CONNECTING] = M_EP_CONNECTING,     [COND_AWAITING] = M_EP_AWAITING,
		[COND_WORKING] = M_EP_WORKING,           [COND_UNREAD] = M_EP_UNREAD,
		[COND_RECOVERY] = M_EP_RECOVERY,         [COND_STALLED] = M_EP_STALLED,
		[COND_ZERO_WINDOW] = M_EP_ZERO_WINDOW,   [COND_NAGLE] = M_EP_NAGLE,
		[COND_RETRYING] = M_EP_RETRYING,         [COND_HALF_OPEN] = M_EP_HALF_OPEN,
		[COND_CLIENTS] = M_EP_CLIENTS,           [COND_SERVED] = M_EP_SERVED,
		[COND_AWAITING_NEW] = M_EP_AWAITING_NEW, [COND_QUEUED] = M_EP_QUEUED,
		[COND_QUEUE_BUSY] = M_EP_QUEUE_BUSY,     [COND_PINNED] = M_EP_PINNED,
	};
	char prefix[64], text[ENDPOINT_NAME];
	size_t row;

	snprintf(prefix, sizeof(prefix), "%s%s", netns, *netns ? "/" : "");
	endpoint_name(e, prefix, text, sizeof(text));
	row = snapshot_named_row(out, SCOPE_ENDPOINT, text, strlen(text));
	set_text(out, M_EP_PROTO, row, sock_proto_name(e->proto));
	set_text(out, M_EP_ADDRESS, row,
		 e->proto == PROTO_UNIX ? e->path : sock_addr_text(&e->addr, text, sizeof(text)));
	set(out, M_EP_PORT, row, e->port);
	set(out, M_EP_LOCAL, row,
	    e->listening || (e->ours && sampler_is_bound(s, e->proto, e->port)));
	set(out, M_EP_OURS, row, e->ours);
	if (*netns)
		set_text(out, M_EP_NETNS, row, netns);
	set(out, M_EP_SAMPLED, row, s->covered_ns);
	for (int c = 0; c < COND_MAX; c++)
		set(out, ids[c], row, e->ns[c]);
	set(out, M_EP_SEEN_NEW, row,
	    e->new_clients > e->new_served ? e->new_clients : e->new_served);
	set(out, M_EP_SYN_HITS, row, e->syn_hits);
	set(out, M_EP_TIME_WAIT, row, e->time_wait);
	set(out, M_EP_PORTS_USED, row, e->ports_used > e->clients ? e->ports_used : e->clients);
	set(out, M_EP_PEERS, row, e->npeers);
	set(out, M_EP_OLDEST, row, e->oldest_ms);
	set(out, M_EP_WORKERS, row, e->workers);
	if (e->listening) {
		set(out, M_EP_BACKLOG_LIMIT, row, e->backlog_limit);
		set(out, M_EP_BACKLOG_PEAK, row, e->backlog_peak);
	}
	put_party(o, e->client_inode, &e->client_pid, e->client_comm);
	put_party(o, e->server_inode, &e->server_pid, e->server_comm);
	if (e->client_pid) {
		set(out, M_EP_CLIENT_PID, row, (uint64_t)e->client_pid);
		set_text(out, M_EP_CLIENT_COMM, row, e->client_comm);
	}
	if (e->server_pid) {
		set(out, M_EP_SERVER_PID, row, (uint64_t)e->server_pid);
		set_text(out, M_EP_SERVER_COMM, row, e->server_comm);
	}
}

void sampler_put(struct sampler *s, const struct owners *o, struct snapshot *out, const char *netns)
{
	for (size_t i = 0; i < s->nendpoints; i++)
		put_endpoint(s, &s->endpoints[i], o, out, netns);
}
