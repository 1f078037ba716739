/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_NETLINK_H
#define SIXTY_COLLECTORS_NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Questions to the kernel over netlink: requests that answer with many messages (dumps) or one.
 *
 * Lengths in messages come from the kernel and are checked all the same: nothing here reads past the bytes received. */
#define NETLINK_BUFFER 32768 /* the kernel fills at most this much at a time */

struct netlink {
	int fd, protocol;
	uint32_t seq;
	char *buffer;
};

/* protocol: NETLINK_SOCK_DIAG, NETLINK_ROUTE. The socket belongs to the network namespace it was opened in. */
int netlink_open(struct netlink *nl, int protocol, struct err *e);
void netlink_close(
	struct netlink *nl); /* accepts one that is closed or zeroed with fd 0 and no buffer */

/* One message of an answer. Non-zero ends the walk: positive is no error (the socket is opened anew then). */
typedef int netlink_message_fn(void *ctx, uint16_t type, const void *payload, size_t n);

/* Send the request (nlmsghdr first; length and sequence are filled in here) and give every message of the answer to fn.
 * 0; what fn returned if it stopped; -errno as the kernel said; -EAGAIN when the kernel says that the dump is
 * inconsistent because something changed meanwhile (everything was handed out, ask again for a better one). */
int netlink_ask(struct netlink *nl, struct nlmsghdr *request, size_t n, netlink_message_fn *fn,
		void *ctx);

/* Dump, again up to three times while it is inconsistent; the last answer counts. fn must accept a thing twice. */
int netlink_dump(struct netlink *nl, struct nlmsghdr *request, size_t n, netlink_message_fn *fn,
		 void *ctx);

/* What one datagram says. NETLINK_MORE: read on; 0: the answer is complete; otherwise as netlink_ask(). */
#define NETLINK_MORE (-1000000)
int netlink_walk(const void *p, size_t n, uint32_t seq, bool *interrupted, netlink_message_fn *fn,
		 void *ctx);

/* ---- attributes ---- */

struct attr {
	uint16_t type; /* without the flags */
	const char *p;
	size_t n;
};

/* The next attribute of [*p, end), or false at the end or at the first one whose length is nonsense. */
bool attr_next(const char **p, const char *end, struct attr *out);
/* The first attribute of this type among [p, p + n); false if there is none. */
bool attr_find(const char *p, size_t n, uint16_t type, struct attr *out);

/* Numbers in host order; 0 when the attribute is too short. */
uint8_t attr_u8(const struct attr *a);
uint32_t attr_u32(const struct attr *a);
uint64_t attr_u64(const struct attr *a);
/* Text up to its NUL (or the attribute's end) into out. Returns out. */
char *attr_text(const struct attr *a, char *out, size_t size);
/* n bytes at an offset of the attribute; false (out untouched) if it is not that long. */
bool attr_get(const struct attr *a, size_t offset, void *out, size_t n);

/* Append an attribute to a request that has `size` bytes of room. False when it does not fit. */
bool attr_put(struct nlmsghdr *h, size_t size, uint16_t type, const void *p, size_t n);

#endif
