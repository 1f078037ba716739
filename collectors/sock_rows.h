/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_SOCK_ROWS_H
#define SIXTY_COLLECTORS_SOCK_ROWS_H

#include "collectors/sock_owner.h"
#include "collectors/sock_sampler.h"
#include "model/snapshot.h"

/* The sockets that become rows. A host may have hundreds of thousands: the interesting ones are kept (something queued,
 * retransmitted, half open, half closed), then those that were active last; the rest is counted. */
#define SOCK_ROWS 2048

struct sock_row {
	struct sock s;
	uint64_t score; /* larger is more interesting */
	uint64_t ns[COND_PER_SOCKET];
	uint32_t endpoint; /* index + 1 */
	bool server, is_new, sampled;
	char netif[16];
};

struct sock_rows {
	struct sock_row *rows; /* a heap: the least interesting one is the first */
	size_t n, cap;
	uint64_t seen, by_state[SOCK_STATE_MAX]; /* TCP by state */
	const struct sampler *sampler;
};

void sock_rows_begin(struct sock_rows *r, const struct sampler *s);
/* A sampler_each_fn with a struct sock_rows. */
void sock_rows_see(void *ctx, const struct sock *s, const struct tracked *t,
		   const struct endpoint *e);
void sock_rows_done(struct sock_rows *r);

/* Ask for the owners that a finding may want to name; of UDP senders too when datagrams are sent fast. */
void sock_rows_want(const struct sock_rows *r, struct owners *o, bool flood);
/* The interface by which packets to the peer leave, for the up to `max` sockets with most to send. nl is NETLINK_ROUTE. */
void sock_rows_routes(struct sock_rows *r, struct netlink *nl, unsigned max);

/* Rows of SOCKET and ENDPOINT scope; counts into the row `ns_row` of NETNS, or of SYSTEM if netns is "" (ours). */
void sock_rows_put(const struct sock_rows *r, const struct owners *o, struct snapshot *out,
		   const char *netns, size_t ns_row);
void sampler_put(struct sampler *s, const struct owners *o, struct snapshot *out,
		 const char *netns);

#endif
