/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_RTNL_H
#define SIXTY_COLLECTORS_RTNL_H

#include "collectors/netlink.h"
#include "model/snapshot.h"

/* Interfaces, queueing disciplines and their classes over rtnetlink, turned into rows.
 *
 * These questions take the kernel's RTNL lock: when a driver holds it for seconds they hang. So this is for a helper process. */
#define LINKS_CAP   1024
#define QDISCS_CAP  4096
#define CLASSES_CAP 2048

struct link {
	int index;
	char name[16];
	bool hardware; /* no software device: a speed and a driver's counters mean something */
	bool classful; /* has a discipline with classes worth asking for */
};

struct links {
	struct link *list;
	size_t n, cap;
};

/* Rows of NETIF, names prefixed (""; "netns:4026532201/" for another namespace, netns is then its row's name). */
int rtnl_links(struct netlink *nl, struct links *l, struct snapshot *out, const char *prefix,
	       const char *netns);
/* Rows of QDISC for the links found before. */
int rtnl_qdiscs(struct netlink *nl, struct links *l, struct snapshot *out, const char *prefix);
void links_done(struct links *l);

/* One message's payload. */
void rtnl_link_message(struct links *l, struct snapshot *out, const char *prefix, const char *netns,
		       const void *p, size_t n);
void rtnl_tc_message(struct links *l, struct snapshot *out, const char *prefix, bool class,
		     const void *p, size_t n);

/* Speed, duplex and drop counters of hardware interfaces, by ethtool's ioctl. */
void ethtool_links(const struct links *l, struct snapshot *out, const char *prefix);

/* Does the name of a driver's counter speak of lost packets? Of an exceeded allowance? */
bool ethtool_is_drop(const char *name, size_t n);
bool ethtool_is_allowance(const char *name, size_t n);

#endif
