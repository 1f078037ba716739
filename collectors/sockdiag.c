/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of sock_diag turned into `struct sock`. See sockdiag.h. */
#include "collectors/sockdiag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* linux/tcp.h and netinet/tcp.h cannot be included together. */
#define TIMER_RETRANS     1 /* other timers count other things in idiag_retrans */
#define IPPROTO_OF(proto) ((proto) == PROTO_TCP ? IPPROTO_TCP : IPPROTO_UDP)

/* ---- INET ---- */

static void address(struct sock_addr *out, uint8_t family, const __be32 *words)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(out, 0, sizeof(*out));
	if (family == AF_INET6 && memcmp(words, mapped, sizeof(mapped))) {
		out->family = AF_INET6;
		memcpy(out->ip, words, 16);
	} else {
		out->family = AF_INET;
		memcpy(out->ip, words + (family == AF_INET6 ? 3 : 0), 4);
	}
}

static void take_memory(struct sock *out, const struct attr *a)
{
	uint32_t words[SK_MEMINFO_DROPS + 1];

	if (!attr_get(a, 0, words, sizeof(words))) /* before 4.13 drops were not there */
		return;
	out->has_mem = true;
	out->rmem = words[SK_MEMINFO_RMEM_ALLOC];
	out->rcvbuf = words[SK_MEMINFO_RCVBUF];
	out->sndbuf = words[SK_MEMINFO_SNDBUF];
	out->drops = words[SK_MEMINFO_DROPS];
}

bool sock_of_inet(struct sock *out, enum sock_proto proto, const void *p, size_t n)
{
	struct inet_diag_msg m;
	const char *at = p, *end = at + n;
	struct attr a;

	if (n < sizeof(m))
		return false;
	memcpy(&m, at, sizeof(m));
	*out = (struct sock){
		.proto = proto,
		.state = m.idiag_state,
		.uid = m.idiag_uid,
		.inode = m.idiag_inode,
		.cookie = m.id.idiag_cookie[0] | (uint64_t)m.id.idiag_cookie[1] << 32,
		.local_port = ntohs(m.id.idiag_sport),
		.remote_port = ntohs(m.id.idiag_dport),
		.retransmits = m.idiag_timer == TIMER_RETRANS ? m.idiag_retrans : 0,
		.rqueue = m.idiag_rqueue,
		.wqueue = m.idiag_wqueue,
	};
	if (out->state <= 0 || out->state >= SOCK_STATE_MAX)
		return false;
	if (out->state == SOCK_NEW_SYN_RECV)
		out->state = SOCK_SYN_RECV;
	address(&out->local, m.idiag_family, m.id.idiag_src);
	address(&out->remote, m.idiag_family, m.id.idiag_dst);
	at += NLMSG_ALIGN(sizeof(m)) < n ? NLMSG_ALIGN(sizeof(m)) : n;
	while (attr_next(&at, end, &a)) {
		if (a.type == INET_DIAG_INFO && proto == PROTO_TCP) {
			out->info_size = a.n < sizeof(out->info) ? a.n : sizeof(out->info);
			memcpy(&out->info, a.p, out->info_size);
		} else if (a.type == INET_DIAG_SKMEMINFO) {
			take_memory(out, &a);
		}
	}
	return true;
}

struct walk {
	enum sock_proto proto;
	sock_fn *fn;
	void *ctx;
};

static int inet_message(void *ctx, uint16_t type, const void *p, size_t n)
{
	const struct walk *w = ctx;
	struct sock s;

	if ((type != SOCK_DIAG_BY_FAMILY && type != TCPDIAG_GETSOCK) ||
	    !sock_of_inet(&s, w->proto, p, n))
		return 0;
	return w->fn(w->ctx, &s);
}

static int ask_family(struct netlink *nl, uint8_t family, uint32_t states, uint8_t ext,
		      struct walk *w)
{
	struct {
		struct nlmsghdr h;
		struct inet_diag_req_v2 r;
	} q = {
		.h = { .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_DUMP },
		.r = { .sdiag_family = family,
		       .sdiag_protocol = IPPROTO_OF(w->proto),
		       .idiag_states = states,
		       .idiag_ext = ext },
	};

	return netlink_ask(nl, &q.h, sizeof(q), inet_message, w);
}

/* The older question answers for both families in one walk of the kernel's hash table, which is what costs
 * (a millisecond on a machine of 8 GB, however few sockets there are). It knows TCP only. */
static int ask_both(struct netlink *nl, uint32_t states, uint8_t ext, struct walk *w)
{
	struct {
		struct nlmsghdr h;
		struct inet_diag_req r;
	} q = {
		.h = { .nlmsg_type = TCPDIAG_GETSOCK, .nlmsg_flags = NLM_F_DUMP },
		.r = { .idiag_family = AF_INET, .idiag_states = states, .idiag_ext = ext },
	};

	return netlink_ask(nl, &q.h, sizeof(q), inet_message, w);
}

int sockdiag_inet(struct netlink *nl, enum sock_proto proto, uint32_t states, bool detail,
		  sock_fn *fn, void *ctx)
{
	uint8_t ext = detail ? 1 << (INET_DIAG_INFO - 1) | 1 << (INET_DIAG_SKMEMINFO - 1) : 0;
	struct walk w = { proto, fn, ctx };
	int rc;

	if (proto == PROTO_TCP) {
		rc = ask_both(nl, states, ext, &w);
	} else {
		rc = ask_family(nl, AF_INET, states, ext, &w);
		if (!rc || rc == -EAGAIN)
			rc = ask_family(nl, AF_INET6, states, ext, &w);
		if (rc == -ENOENT) /* IPv6 may be switched off */
			rc = 0;
	}
	return rc == -EAGAIN ? 0 : rc;
}

/* ---- UNIX ---- */

static void take_path(struct sock *out, const struct attr *a)
{
	size_t n = a->n < sizeof(out->path) - 1 ? a->n : sizeof(out->path) - 1;

	memcpy(out->path, a->p, n);
	out->path[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if (!out->path[i] && (i == 0 || i + 1 < n))
			out->path[i] = '@'; /* abstract names begin with a NUL and may hold more */
}

bool sock_of_unix(struct sock *out, const void *p, size_t n)
{
	struct unix_diag_msg m;
	struct unix_diag_rqlen q;
	const char *at = p, *end = at + n;
	struct attr a;

	if (n < sizeof(m))
		return false;
	memcpy(&m, at, sizeof(m));
	*out = (struct sock){
		.proto = PROTO_UNIX,
		.state = m.udiag_state,
		.inode = m.udiag_ino,
		.cookie = m.udiag_cookie[0] | (uint64_t)m.udiag_cookie[1] << 32,
	};
	if (out->state <= 0 || out->state >= SOCK_STATE_MAX)
		return false;
	at += NLMSG_ALIGN(sizeof(m)) < n ? NLMSG_ALIGN(sizeof(m)) : n;
	while (attr_next(&at, end, &a)) {
		if (a.type == UNIX_DIAG_NAME)
			take_path(out, &a);
		else if (a.type == UNIX_DIAG_UID)
			out->uid = attr_u32(&a);
		else if (a.type == UNIX_DIAG_RQLEN && attr_get(&a, 0, &q, sizeof(q))) {
			out->rqueue = q.udiag_rqueue;
			out->wqueue = q.udiag_wqueue;
		}
	}
	return true;
}

static int unix_message(void *ctx, uint16_t type, const void *p, size_t n)
{
	const struct walk *w = ctx;
	struct sock s;

	if (type != SOCK_DIAG_BY_FAMILY || !sock_of_unix(&s, p, n))
		return 0;
	return w->fn(w->ctx, &s);
}

int sockdiag_unix(struct netlink *nl, sock_fn *fn, void *ctx)
{
	struct walk w = { PROTO_UNIX, fn, ctx };
	struct {
		struct nlmsghdr h;
		struct unix_diag_req r;
	} q = {
		.h = { .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_DUMP },
		.r = { .sdiag_family = AF_UNIX,
		       .udiag_states = 1u << SOCK_LISTEN,
		       .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN },
	};
	int rc = netlink_ask(nl, &q.h, sizeof(q), unix_message, &w);

	return rc == -EAGAIN ? 0 : rc;
}

/* ---- words ---- */

const char *sock_state_name(enum sock_state s)
{
	static const char *const names[SOCK_STATE_MAX] = {
		[SOCK_ESTABLISHED] = "ESTAB",    [SOCK_SYN_SENT] = "SYN-SENT",
		[SOCK_SYN_RECV] = "SYN-RECV",    [SOCK_FIN_WAIT1] = "FIN-WAIT-1",
		[SOCK_FIN_WAIT2] = "FIN-WAIT-2", [SOCK_TIME_WAIT] = "TIME-WAIT",
		[SOCK_CLOSE] = "UNCONN",         [SOCK_CLOSE_WAIT] = "CLOSE-WAIT",
		[SOCK_LAST_ACK] = "LAST-ACK",    [SOCK_LISTEN] = "LISTEN",
		[SOCK_CLOSING] = "CLOSING",      [SOCK_NEW_SYN_RECV] = "SYN-RECV",
	};

	return s > 0 && s < SOCK_STATE_MAX ? names[s] : "?";
}

const char *sock_proto_name(enum sock_proto p)
{
	return p == PROTO_TCP ? "tcp" : p == PROTO_UDP ? "udp" : "unix";
}

bool sock_addr_same(const struct sock_addr *a, const struct sock_addr *b)
{
	return a->family == b->family && !memcmp(a->ip, b->ip, sizeof(a->ip));
}

bool sock_addr_any(const struct sock_addr *a)
{
	static const uint8_t zero[16];

	return !memcmp(a->ip, zero, sizeof(zero));
}

char *sock_addr_text(const struct sock_addr *a, char *out, size_t size)
{
	char ip[INET6_ADDRSTRLEN];

	if (sock_addr_any(a) || !inet_ntop(a->family, a->ip, ip, sizeof(ip)))
		snprintf(out, size, "*");
	else
		snprintf(out, size, a->family == AF_INET6 ? "[%s]" : "%s", ip);
	return out;
}
