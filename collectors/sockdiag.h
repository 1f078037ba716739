/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_SOCKDIAG_H
#define SIXTY_COLLECTORS_SOCKDIAG_H

#include <linux/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collectors/netlink.h"

/* Sockets as the kernel lists them over netlink (sock_diag): what `ss` prints, without the printing. */

/* States have the kernel's numbers, so that masks of 1 << state can be sent as they are. A UDP socket is ESTABLISHED when it is
 * connected and CLOSE when it is not; a listening UNIX socket is LISTEN. */
enum sock_state {
	SOCK_ESTABLISHED = 1,
	SOCK_SYN_SENT,
	SOCK_SYN_RECV,
	SOCK_FIN_WAIT1,
	SOCK_FIN_WAIT2,
	SOCK_TIME_WAIT,
	SOCK_CLOSE,
	SOCK_CLOSE_WAIT,
	SOCK_LAST_ACK,
	SOCK_LISTEN,
	SOCK_CLOSING,
	SOCK_NEW_SYN_RECV,
	SOCK_STATE_MAX
};

enum sock_proto { PROTO_TCP, PROTO_UDP, PROTO_UNIX };

/* An IPv4 address mapped into IPv6 (a dual-stack server) is shown as IPv4. */
struct sock_addr {
	uint8_t family; /* AF_INET, AF_INET6, 0: none */
	uint8_t ip[16];
};

struct sock {
	enum sock_proto proto;
	enum sock_state state;
	struct sock_addr local, remote;
	uint16_t local_port, remote_port;
	uint32_t uid, inode; /* inode 0: not accepted yet, or no process has it any more */
	uint64_t cookie;
	uint8_t retransmits;     /* of what is in flight now */
	uint32_t rqueue, wqueue; /* of a listener: connections not accepted yet, and their limit */
	bool has_mem;
	uint32_t drops, rcvbuf, sndbuf, rmem;
	size_t info_size; /* bytes of `info` that the kernel filled */
	struct tcp_info info;
	char path[109]; /* UNIX: its name, '@' for the abstract ones */
};

/* Does the running kernel know this field of tcp_info? */
#define SOCK_HAS(s, field) \
	((s)->info_size >= offsetof(struct tcp_info, field) + sizeof(((struct tcp_info *)0)->field))

/* Non-zero stops the dump. */
typedef int sock_fn(void *ctx, const struct sock *s);

/* Sockets of both address families whose state is in the mask (1 << state). `detail` asks for tcp_info and memory: costs twice as much. */
int sockdiag_inet(struct netlink *nl, enum sock_proto proto, uint32_t states, bool detail,
		  sock_fn *fn, void *ctx);
/* Listening UNIX sockets. */
int sockdiag_unix(struct netlink *nl, sock_fn *fn, void *ctx);

/* One message's payload. False if it is too short to be a socket. */
bool sock_of_inet(struct sock *out, enum sock_proto proto, const void *p, size_t n);
bool sock_of_unix(struct sock *out, const void *p, size_t n);

const char *sock_state_name(enum sock_state s); /* as ss prints it: "ESTAB" */
const char *sock_proto_name(enum sock_proto p);
bool sock_addr_same(const struct sock_addr *a, const struct sock_addr *b);
bool sock_addr_any(const struct sock_addr *a); /* 0.0.0.0 and :: */
/* "10.0.0.1", "[fe80::1]", "*". */
char *sock_addr_text(const struct sock_addr *a, char *out, size_t size);

#endif
