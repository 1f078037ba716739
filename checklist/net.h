/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CHECKLIST_NET_H
#define SIXTY_CHECKLIST_NET_H

#include <stdbool.h>

#include "checklist/rule.h"
#include "model/view.h"

/* What rules of the network ask again and again: namespaces, endpoints, sockets, and who is at their ends. */

/* ---- namespaces: ours first, then the others ---- */

struct space {
	const char *row_name; /* "" for ours, else "netns:4026532201" */
	const char *label;    /* "" for ours, else what people call it: a name or a process */
	size_t row;           /* in view->last; SIZE_MAX for ours */
	struct row_id id;
	int64_t pid; /* one that lives there; 0: unknown */
	const char *comm;
};

#define SPACES 160
size_t spaces_of(const struct view *v, struct space out[SPACES]);

enum space_counter {
	NS_TCP_ACTIVE,
	NS_TCP_PASSIVE,
	NS_TCP_ATTEMPT_FAILS,
	NS_TCP_ESTAB_RESETS,
	NS_TCP_IN_SEGS,
	NS_TCP_OUT_SEGS,
	NS_TCP_RETRANS,
	NS_TCP_OUT_RSTS,
	NS_UDP_IN,
	NS_UDP_OUT,
	NS_UDP_NO_PORTS,
	NS_UDP_RCVBUF_ERRS,
	NS_UDP6_IN,
	NS_UDP6_OUT,
	NS_UDP6_NO_PORTS,
	NS_UDP6_RCVBUF_ERRS,
	NS_TCP_SYNCOOKIES,
	NS_TCP_LISTEN_OVERFLOWS,
	NS_TCP_LISTEN_DROPS,
	NS_TCP_TIMEOUTS,
	NS_TCP_DSACK_RECV,
	NS_TCP_ABORT_DATA,
	NS_TCP_ABORT_CLOSE,
	NS_TCP_ABORT_MEMORY,
	NS_TCP_ABORT_TIMEOUT,
	NS_TCP_TW_OVERFLOW,
	NS_TCP_REQQ_COOKIES,
	NS_TCP_REQQ_DROPS,
	NS_TCP_ZERO_WINDOW_TO,
	NS_TCP_SYN_RETRANS,
	NS_CONNTRACK_DROPS,
	NS_CONNTRACK_EARLY_DROPS,
	NS_CONNTRACK_INSERT_FAILED,
	NS_TCP_TIME_WAIT,
	NS_TCP_CURRENT,
	NS_PORTS_FIRST,
	NS_PORTS_LAST,
	NS_CONNTRACK_COUNT,
	NS_CONNTRACK_MAX,
	SPACE_COUNTERS
};

/* Growth in the window, growth per second, level at the end. NaN when unknown. */
double space_delta(const struct view *v, const struct space *s, enum space_counter c);
double space_rate(const struct view *v, const struct space *s, enum space_counter c);
double space_level(const struct view *v, const struct space *s, enum space_counter c);
const struct space *space_by_name(const struct space *s, size_t n, const char *row_name);
/* " in namespace ctr-nat", "" for ours. Returns out. */
char *space_suffix(const struct space *s, char *out, size_t size);

/* ---- cells that count from the first look ---- */

/* Growth of a counter between the two ends; what it holds at the end if the thing was not there at the first look and
 * begins at zero. NaN when unknown. */
double grown(const struct view *v, enum metric_id id, size_t last_row, bool from_zero);
double last_value(const struct view *v, enum metric_id id, size_t last_row);
const char *last_text(const struct view *v, enum metric_id id,
		      size_t last_row); /* "" when absent */

/* ---- endpoints (rows of view->last) ---- */

size_t endpoints_of(const struct view *v);
/* Mean number of connections that are in a condition (M_EP_… in connection-seconds). NaN when not sampled. */
double ep_mean(const struct view *v, enum metric_id id, size_t ep);
double ep_count(const struct view *v, enum metric_id id,
		size_t ep); /* M_EP_SEEN_NEW, M_EP_SYN_HITS */
bool ep_is(const struct view *v, size_t ep, const char *proto);
bool ep_in(const struct view *v, size_t ep, const struct space *s);
/* "127.0.0.1:80", "*:80", "/run/x.sock". Returns out. */
char *ep_label(const struct view *v, size_t ep, char *out, size_t size);
/* The endpoint of this space with most of a condition; SIZE_MAX if none has any. */
size_t ep_most(const struct view *v, const struct space *s, enum metric_id id, const char *proto);
int ep_port(const struct view *v, size_t ep);

/* ---- sockets (rows of view->last) ---- */

size_t sockets_of(const struct view *v);
bool sock_is(const struct view *v, size_t sock, enum metric_id label, const char *text);
bool sock_in(const struct view *v, size_t sock, const struct space *s);
double sock_grown(const struct view *v, enum metric_id id, size_t sock);
bool sock_at(const struct view *v, size_t sock, size_t ep);
/* Is the socket of the listening side? */
bool sock_serves(const struct view *v, size_t sock);

/* ---- parties ---- */

struct end {              /* who is at one end of a connection */
	int64_t pid;      /* 0: unknown */
	const char *comm; /* "" unknown */
};
struct end ep_client(const struct view *v, size_t ep);
struct end ep_server(const struct view *v, size_t ep);
struct end sock_end(const struct view *v, size_t sock);
/* "nginx[812]", or `unknown` when nobody is known. Returns out. */
char *end_label(struct end e, const char *unknown, char *out, size_t size);
/* Put an end into the finding; nothing when unknown. Its time counts as lost only where the scheduler says so. */
void end_offends(struct finding *f, const struct view *v, struct end e, int port, double share);
void end_suffers(struct finding *f, const struct view *v, struct end e, int port);
/* The port itself, named by its address. */
void port_offends(struct finding *f, const struct view *v, size_t ep);
void space_offends(struct finding *f, const struct space *s, int port);

/* CPU seconds per second of a process; NaN when unknown. */
double cpu_of(const struct view *v, int64_t pid);
double system_cpu_of(const struct view *v, int64_t pid);
/* Thread-seconds per second that a process spends in a wait (from samples), all threads together. */
double waits_of(const struct view *v, int64_t pid, enum wait w);
/* The busiest thread: share of the window on a CPU. NaN when its threads were not followed. */
double busiest_thread_of(const struct view *v, int64_t pid, double *second);

/* Who opens sockets fastest in a namespace, as far as it was hunted for; pid 0: nobody was caught. share of what was seen. */
struct end opener_of(const struct view *v, const struct space *s, double *share);

/* ---- interfaces (rows of view->last) ---- */

double net_rate(const struct view *v, enum metric_id id,
		size_t last_row); /* growth per second of a NETIF or QDISC row */
double net_mean(const struct view *v, enum metric_id id, size_t last_row);
/* Is it software (a bridge, a tunnel, veth), whose speed and errors say little? */
bool netif_virtual(const struct view *v, size_t netif);

#endif
