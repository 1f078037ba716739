/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_SOCK_SAMPLER_H
#define SIXTY_COLLECTORS_SOCK_SAMPLER_H

#include "collectors/sockdiag.h"
#include "model/snapshot.h"

/* What connections of one network namespace wait for, found by looking at all of them about once a second.
 *
 * Each look adds the time since the look before to every condition that a connection is in: time in SYN-SENT, time with a
 * request sent and no answer, time in loss recovery … The sums are kept per connection (for those that live long) and per
 * endpoint, the address and port of the service (for those that come and go between two looks).
 *
 *      client side                      server side
 *      10.0.0.7:43210 ───────────────▶ *:80        both are counted at the endpoint "tcp *:80"
 *
 * On the server side the endpoint is the listening socket's address. */
#define ENDPOINTS_CAP 512
#define TRACKED_CAP   16384
#define PEERS_CAP     64

/* Conditions whose time is summed up; the first ones per connection too. */
enum cond {
	COND_CONNECTING,
	COND_AWAITING,
	COND_WORKING,
	COND_UNREAD,
	COND_RECOVERY,
	COND_STALLED,
	COND_ZERO_WINDOW,
	COND_NAGLE,
	COND_PER_SOCKET,
	COND_RETRYING = COND_PER_SOCKET,
	COND_HALF_OPEN,
	COND_CLIENTS,
	COND_SERVED,
	COND_AWAITING_NEW,
	COND_QUEUED,
	COND_QUEUE_BUSY,
	COND_PINNED,
	COND_MAX
};

struct endpoint {
	enum sock_proto proto;
	struct sock_addr addr;
	uint16_t port;
	char path[109];
	bool listening, ours;
	uint64_t ns[COND_MAX];
	uint64_t new_clients, new_served, syn_hits;
	uint32_t backlog, backlog_limit, backlog_peak;
	uint32_t accepted, accepted_before,
		workers; /* in the look that is going on, in the one before, when pinned */
	uint32_t clients, oldest_ms; /* in the look that is going on */
	uint32_t time_wait, ports_used;
	uint32_t npeers, peers[PEERS_CAP]; /* hashes of different client addresses */
	uint32_t client_inode,
		server_inode;           /* of a connection in trouble, of the listening socket */
	int64_t client_pid, server_pid; /* filled in by whoever finds the owners */
	char client_comm[16], server_comm[16];
};

/* A connection that was seen. */
struct tracked {
	uint64_t cookie, first_ns;
	uint32_t first_look, last_look;
	uint32_t endpoint; /* index */
	bool server;
	uint64_t ns[COND_PER_SOCKET];
};

struct sampler {
	uint32_t looks;
	uint64_t now_ns, dt_ns, covered_ns, listeners_ns;
	struct endpoint *endpoints;
	size_t nendpoints, endpoints_cap;
	uint16_t endpoint_slots[4 * ENDPOINTS_CAP]; /* proto, address, port → index + 1 */
	unsigned caught;                            /* by sampler_catch_connecting() */
	uint64_t beyond; /* connections whose endpoint is beyond the cap */
	struct tracked *tracked;
	size_t ntracked, tracked_cap;
	uint32_t *slots; /* cookie → index + 1 */
	size_t nslots;
	uint8_t listening[2][8192]; /* a bit per port: TCP, UDP */
	struct sock_addr own[32];   /* addresses of this namespace */
	unsigned nown;
};

struct sampler *sampler_new(void);
void sampler_free(struct sampler *s);

/* One look at the listening sockets, which is cheap. */
int sampler_look_listeners(struct sampler *s, struct netlink *nl, uint64_t now_ns);

/* One look at everything but TIME-WAIT. `each` (may be NULL) gets every socket, with its record if it has one. */
typedef void sampler_each_fn(void *ctx, const struct sock *s, const struct tracked *t,
			     const struct endpoint *e);
int sampler_look(struct sampler *s, struct netlink *nl, uint64_t now_ns, sampler_each_fn *each,
		 void *ctx);

/* Only catch connections in SYN-SENT: those that are refused at once are rarely there when one looks. Does nothing once
 * some were caught. */
int sampler_catch_connecting(struct sampler *s, struct netlink *nl);

/* Count TIME-WAIT per endpoint, looking at `limit` of them at most: the kernel's hash order makes the first ones a fair
 * sample of the `total` that there are. */
int sampler_count_time_wait(struct sampler *s, struct netlink *nl, uint32_t limit, uint64_t total);

/* What a look is made of. */
void sampler_begin(struct sampler *s, uint64_t now_ns);
void sampler_listener(struct sampler *s, const struct sock *sock, uint64_t dt_ns);
void sampler_socket(struct sampler *s, const struct sock *sock, sampler_each_fn *each, void *ctx);
void sampler_end(struct sampler *s);

/* The endpoint of a socket, made when new; NULL when there is no room. *server: it is the listening side's. */
struct endpoint *sampler_endpoint(struct sampler *s, const struct sock *sock, bool *server);
/* Is there a socket for this port (a listening one, or a UDP socket without a peer)? */
bool sampler_is_bound(const struct sampler *s, enum sock_proto p, uint16_t port);
/* Name of the endpoint's row, "tcp 10.0.0.1:80", behind a prefix ("" or "netns:4026532201/"). Returns out. */
char *endpoint_name(const struct endpoint *e, const char *prefix, char *out, size_t size);
#define ENDPOINT_NAME 192

#endif
