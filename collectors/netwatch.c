/* SPDX-License-Identifier: Apache-2.0 */
/* The helper that watches sockets. See netwatch.h.
 *
 * What it may cost decides how often it looks: one look at all connections walks the kernel's hash table, a millisecond on
 * a machine of 8 GB even when it is empty. Ours is looked at every second or two while it is quiet, others at the window's
 * ends only; where connections fail, stall or come and go fast, more often, within a larger budget. */
#include "collectors/netwatch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "collectors/collector.h"
#include "collectors/hexstat.h"
#include "collectors/netns.h"
#include "collectors/pack.h"
#include "collectors/rtnl.h"
#include "collectors/shapes.h"
#include "collectors/sock_hunter.h"
#include "collectors/sock_rows.h"

#define MS 1000000ull
#define LISTEN_NS \
	(450 * MS) /* between two looks at listening sockets; a little less than 5 ticks */
#define LOOK_NS         (1450 * MS) /* … at all of them */
#define LOOK_CALM_NS    (2900 * MS) /* … when the last one saw nobody wait */
#define CHECK_NS        (950 * MS)  /* … at the counters */
#define OTHER_NS        (2900 * MS) /* … at one of the other namespaces' */
#define LOOK_TROUBLE_NS (280 * MS)
#define ENDLESS_NS \
	(5400 * MS) /* … where there is no end: a little more than the ends of halves are apart */
#define ENDLESS_FIND_NS (19000 * MS) /* … at everybody's namespace there */
#define RING_NS         (3000u * MS) /* one quiet half second does not end the trouble */
#define FIND_BUDGET     (4 * MS)     /* CPU time: for finding namespaces */
#define FOLLOWED        6 /* other namespaces whose connections are looked at from the start */
#define CHECKED         4 /* whose counters are looked at in one tick */
#define TIME_WAIT_MANY  200
#define TIME_WAIT_LOOK  8000
#define TIME_WAIT_REST  (2000 * MS)
#define ROUTES          16
#define FILE_CAP        (1u << 20)

enum { W_SNMP, W_SNMP6, W_NETSTAT, W_SOCKSTAT, WANTED };

static const struct {
	enum file_id file;
	enum file_shape shape;
	const char *path; /* /proc/self/net is that of the namespace we are in */
} wanted_files[WANTED] = {
	[W_SNMP] = { F_NETNS_SNMP, SHAPE_PAIRS, "/proc/self/net/snmp" },
	[W_SNMP6] = { F_NETNS_SNMP6, SHAPE_KEYED, "/proc/self/net/snmp6" },
	[W_NETSTAT] = { F_NETNS_NETSTAT, SHAPE_PAIRS, "/proc/self/net/netstat" },
	[W_SOCKSTAT] = { F_NETNS_SOCKSTAT, SHAPE_LABELLED, "/proc/self/net/sockstat" },
};

/* Counters that say whether a namespace is in trouble, and how much of each in a second. `hunt`: something is so short
 * that its process must be looked for in another way. */
static const struct {
	enum metric_id id;
	double per_second;
	bool hunt;
} alarms[] = {
	{ M_NETNS_TCP_ATTEMPT_FAILS, 10, true }, { M_NETNS_TCP_ESTAB_RESETS, 10, true },
	{ M_NETNS_TCP_ACTIVE, 300, true },       { M_NETNS_TCP_PASSIVE, 300, true },
	{ M_NETNS_TCP_SYN_RETRANS, 1, false },   { M_NETNS_TCP_RETRANS, 10, false },
	{ M_NETNS_TCP_LISTEN_DROPS, 1, false },  { M_NETNS_TCP_REQQ_COOKIES, 10, false },
	{ M_NETNS_UDP_NO_PORTS, 10, true },      { M_NETNS_TCP_ZERO_WINDOW_TO, 2, false },
	{ M_NETNS_UDP_OUT, 20000, false },       { M_NETNS_UDP6_OUT, 20000, false },
};
#define ALARMS (sizeof(alarms) / sizeof(*alarms))

struct ns_watch {
	struct netns ns;
	struct sampler *sampler; /* NULL: its connections are not looked at */
	struct sock_rows rows;
	uint64_t marks[ALARMS], marked_ns;
	uint64_t looked_ns, time_wait_ns, time_wait;
	uint64_t waits_ns;            /* that the looks so far have seen */
	bool calm;                    /* the last look has seen none */
	uint64_t trouble_ns, hunt_ns; /* when an alarm rang last */
	bool trouble, hunt;
	bool failing; /* connections fail at once: their endpoint is hard to catch */
	bool flood;   /* datagrams are sent fast */
	bool present;
};

struct netwatch {
	struct host host;
	struct snapshot out, scratch;
	struct buf text;
	struct wants wants[WANTED];
	struct netlink diag;     /* of our own namespace, kept open */
	int own;                 /* fd of our own namespace */
	struct ns_watch *spaces; /* [0] is ours */
	size_t nspaces, spaces_cap, next_check;
	struct owners owners;
	struct hunter hunter;
	struct links links;
	uint64_t began_ns, first_cpu_ns, listened_ns, other_ns, found_ns;
	unsigned reads;
	bool endless;
	struct netwatch_head head;
};

struct netwatch *netwatch_new(const struct host *h, bool endless)
{
	struct netwatch *w = mem_alloc(sizeof(*w));

	w->endless = endless;
	w->host = *h;
	w->own = -1;
	snapshot_init(&w->out, &w->host);
	snapshot_init(&w->scratch, &w->host);
	return w;
}

void netwatch_free(struct netwatch *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->nspaces; i++) {
		sampler_free(w->spaces[i].sampler);
		sock_rows_done(&w->spaces[i].rows);
	}
	mem_free(w->spaces);
	for (int i = 0; i < WANTED; i++)
		wants_done(&w->wants[i]);
	netlink_close(&w->diag);
	if (w->own >= 0)
		close(w->own);
	owners_done(&w->owners);
	hunter_done(&w->hunter);
	links_done(&w->links);
	snapshot_done(&w->out);
	snapshot_done(&w->scratch);
	buf_done(&w->text);
	mem_free(w);
}

static void tell(struct netwatch *w, enum netwatch_part p, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static void tell(struct netwatch *w, enum netwatch_part p, int code, const char *fmt, ...)
{
	va_list ap;

	w->head.part[p].code = code;
	va_start(ap, fmt);
	vsnprintf(w->head.part[p].why, sizeof(w->head.part[p].why), fmt, ap);
	va_end(ap);
}

/* Things that are made in the child: they would be of no use to the parent. */
static int begin(struct netwatch *w)
{
	struct err e;
	int err;

	if (w->began_ns)
		return 0;
	w->began_ns = clock_boot_ns();
	for (int i = 0; i < WANTED; i++)
		wants_find(&w->wants[i], wanted_files[i].file);
	w->own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	w->spaces = mem_grow(w->spaces, &w->spaces_cap, 1, sizeof(*w->spaces));
	w->nspaces = 1;
	w->spaces[0].present = true;
	err = netlink_open(&w->diag, NETLINK_SOCK_DIAG, &e);
	if (err) {
		tell(w, PART_SOCKETS, err, "%.119s", e.msg);
		return err;
	}
	w->spaces[0].sampler = sampler_new();
	return 0;
}

/* CPU time that may have been used by now, not counting the first reading. */
static bool within_budget(const struct netwatch *w, bool trouble)
{
	double elapsed = (double)(clock_boot_ns() - w->began_ns);

	return (double)(clock_cpu_ns() - w->first_cpu_ns) <
	       3.0 * MS + elapsed * (trouble ? 0.006 : 0.002);
}

/* ---- counters of the namespace that we are in ---- */

static int read_text(struct netwatch *w, const char *path, struct text *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	*out = text_n(NULL, 0);
	if (fd < 0)
		return -errno;
	err = root_reread(fd, &w->text, FILE_CAP);
	close(fd);
	if (!err)
		*out = text_n(w->text.data, w->text.len);
	return err;
}

static void read_wanted(struct netwatch *w, int which, struct snapshot *out, size_t row)
{
	struct text in;

	if (!read_text(w, wanted_files[which].path, &in))
		shape_read(wanted_files[which].shape, &w->wants[which], in, out, SCOPE_NETNS, row);
}

static size_t ns_row(struct snapshot *out, const struct ns_watch *s)
{
	char name[40];

	netns_row_name(&s->ns, name, sizeof(name));
	return snapshot_named_row(out, SCOPE_NETNS, name, strlen(name));
}

/* Did any alarm ring since the last check? */
static void check(struct netwatch *w, struct ns_watch *s)
{
	uint64_t now = clock_boot_ns(), v;
	double seconds = (double)(now - s->marked_ns) * 1e-9;
	size_t row;

	snapshot_clear(&w->scratch);
	row = ns_row(&w->scratch, s);
	read_wanted(w, W_SNMP, &w->scratch, row);
	read_wanted(w, W_NETSTAT, &w->scratch, row);
	for (size_t i = 0; i < ALARMS; i++) {
		if (!snapshot_raw(&w->scratch, alarms[i].id, row, &v))
			continue;
		if (s->marked_ns && v > s->marks[i] &&
		    (double)(v - s->marks[i]) >= alarms[i].per_second * seconds) {
			s->trouble_ns = now;
			if (alarms[i].hunt)
				s->hunt_ns = now;
			s->failing |= alarms[i].id == M_NETNS_TCP_ATTEMPT_FAILS;
			s->flood |= alarms[i].id == M_NETNS_UDP_OUT ||
				    alarms[i].id == M_NETNS_UDP6_OUT;
		}
		s->marks[i] = v;
	}
	s->failing &= s->hunt_ns && now - s->hunt_ns < RING_NS;
	s->trouble = s->trouble_ns && now - s->trouble_ns < RING_NS;
	s->hunt = s->hunt_ns && now - s->hunt_ns < RING_NS;
	s->marked_ns = now;
}

static void put_number(struct netwatch *w, const char *path, enum metric_id first,
		       enum metric_id second, size_t row)
{
	struct text in;
	uint64_t v;

	if (read_text(w, path, &in))
		return;
	if (text_u64(&in, &v))
		snapshot_set(&w->out, first, row, v, metric_source(first, F_NETNS_LIMITS));
	if (second != M_NONE && text_u64(&in, &v))
		snapshot_set(&w->out, second, row, v, metric_source(second, F_NETNS_LIMITS));
}

static void put_conntrack(struct netwatch *w, size_t row)
{
	static const struct {
		enum metric_id id;
		const char *column;
	} cells[] = {
		{ M_NETNS_CONNTRACK_DROPS, "drop" },
		{ M_NETNS_CONNTRACK_EARLY_DROPS, "early_drop" },
		{ M_NETNS_CONNTRACK_INSERT_FAILED, "insert_failed" },
	};
	struct text in;
	uint64_t v;

	if (read_text(w, "/proc/self/net/stat/nf_conntrack", &in))
		return;
	for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++)
		if (hexstat_sum(in, cells[i].column, &v))
			snapshot_set(&w->out, cells[i].id, row, v,
				     metric_source(cells[i].id, F_NETNS_CONNTRACK));
}

static void put_counters(struct netwatch *w, struct ns_watch *s, size_t row)
{
	const struct netns *ns = &s->ns;
	const char *label = ns->name[0] ? ns->name : ns->comm;

	for (int i = 0; i < WANTED; i++)
		read_wanted(w, i, &w->out, row);
	put_number(w, "/proc/sys/net/ipv4/ip_local_port_range", M_NETNS_PORTS_FIRST,
		   M_NETNS_PORTS_LAST, row);
	put_number(w, "/proc/sys/net/netfilter/nf_conntrack_count", M_NETNS_CONNTRACK_COUNT, M_NONE,
		   row);
	put_number(w, "/proc/sys/net/netfilter/nf_conntrack_max", M_NETNS_CONNTRACK_MAX, M_NONE,
		   row);
	put_conntrack(w, row);
	snapshot_set(&w->out, M_NETNS_INODE, row, ns->inode, 1);
	snapshot_set(&w->out, M_NETNS_PROCESSES, row, ns->processes, 1);
	snapshot_set_text(&w->out, M_NETNS_LABEL, row, label, strlen(label), 1);
	if (ns->pid) {
		snapshot_set(&w->out, M_NETNS_PID, row, (uint64_t)ns->pid, 1);
		snapshot_set_text(&w->out, M_NETNS_COMM, row, ns->comm, strlen(ns->comm), 1);
	}
}

/* ---- sockets of the namespace that we are in ---- */

static int see_listener(void *ctx, const struct sock *sock)
{
	struct ns_watch *s = ctx;

	sock_rows_see(&s->rows, sock, NULL, NULL);
	return 0;
}

static void count_time_wait(struct ns_watch *s, struct netlink *nl, uint64_t now)
{
	if (s->time_wait < TIME_WAIT_MANY ||
	    (s->time_wait_ns && now - s->time_wait_ns < TIME_WAIT_REST))
		return;
	sampler_count_time_wait(s->sampler, nl, TIME_WAIT_LOOK, s->time_wait);
	s->time_wait_ns = now;
}

/* Did the last look see anybody wait, for whatever reason? The first look has no time behind it: it has not. */
static bool is_calm(struct ns_watch *s)
{
	uint64_t was = s->waits_ns;

	s->waits_ns = 0;
	for (size_t i = 0; i < s->sampler->nendpoints; i++)
		for (enum cond c = 0; c < COND_MAX; c++)
			if (c != COND_CLIENTS && c != COND_SERVED)
				s->waits_ns += s->sampler->endpoints[i].ns[c];
	return s->waits_ns == was && s->sampler->looks > 1;
}

static int look(struct netwatch *w, struct ns_watch *s, struct netlink *nl, bool rows)
{
	uint64_t now = clock_boot_ns();
	int err;

	err = sampler_look_listeners(s->sampler, nl, now);
	if (err)
		return err;
	s->looked_ns = now;
	if (!rows) {
		err = sampler_look(s->sampler, nl, now, NULL, NULL);
		s->calm = !err && is_calm(s);
		return err;
	}
	sock_rows_begin(&s->rows, s->sampler);
	err = sampler_look(s->sampler, nl, now, sock_rows_see, &s->rows);
	if (!err)
		err = sockdiag_inet(nl, PROTO_TCP, 1u << SOCK_LISTEN, true, see_listener, s);
	if (!err && w->reads > 1)
		count_time_wait(s, nl, now);
	return err;
}

/* Endpoints with something wrong get names; in a namespace in trouble also those whose connections come and go. */
static void want_owners(struct netwatch *w, const struct ns_watch *s)
{
	for (size_t i = 0; i < s->sampler->nendpoints; i++) {
		const struct endpoint *e = &s->sampler->endpoints[i];
		uint64_t often = 500 * MS;
		bool either = e->ns[COND_AWAITING] > often || e->ns[COND_UNREAD] > often ||
			      e->ns[COND_RECOVERY] || e->ns[COND_ZERO_WINDOW] ||
			      e->time_wait >= TIME_WAIT_MANY ||
			      (s->trouble && e->new_clients + e->new_served >= 3);
		bool orphan = e->proto == PROTO_UDP && e->ours &&
			      !sampler_is_bound(s->sampler, PROTO_UDP, e->port);
		bool client = either || orphan || e->ns[COND_RETRYING] || e->syn_hits ||
			      e->ns[COND_NAGLE];
		bool server = either || e->ns[COND_QUEUE_BUSY] || e->ns[COND_HALF_OPEN] > often;

		if (client && !e->client_pid)
			owners_want(&w->owners, e->client_inode);
		if (server && !e->server_pid && e->listening)
			owners_want(&w->owners, e->server_inode);
	}
}

/* Remember owners while they live. */
static void name_parties(struct netwatch *w, struct sampler *s)
{
	for (size_t i = 0; i < s->nendpoints; i++) {
		struct endpoint *e = &s->endpoints[i];
		const struct owner *o = e->client_pid ? NULL
						      : owners_find(&w->owners, e->client_inode);

		if (o) {
			e->client_pid = o->pid;
			memcpy(e->client_comm, o->comm, sizeof(e->client_comm));
		}
	}
}

/* ---- going through the namespaces ---- */

static struct ns_watch *space_of(struct netwatch *w, const struct netns *ns)
{
	struct ns_watch *s;

	for (size_t i = 0; i < w->nspaces; i++)
		if (w->spaces[i].ns.inode == ns->inode)
			return &w->spaces[i];
	if (w->nspaces == 2 * NETNS_CAP) /* namespaces come and go */
		return NULL;
	w->spaces = mem_grow(w->spaces, &w->spaces_cap, w->nspaces + 1, sizeof(*w->spaces));
	s = &w->spaces[w->nspaces++];
	s->ns = *ns;
	if (w->nspaces <= 1 + FOLLOWED)
		s->sampler = sampler_new();
	return s;
}

static void find_spaces(struct netwatch *w)
{
	struct netns_list *l = mem_alloc(sizeof(*l));
	int err = netns_find(l, FIND_BUDGET);

	if (err) {
		tell(w, PART_NETNS, err, "cannot tell network namespaces: %s", strerror(-err));
		goto out;
	}
	for (size_t i = 1; i < w->nspaces; i++)
		w->spaces[i].present = false;
	w->spaces[0].ns = l->list[0];
	for (size_t i = 1; i < l->n; i++) {
		struct ns_watch *s = space_of(w, &l->list[i]);

		if (s) {
			s->ns = l->list[i];
			s->present = true;
		}
	}
	if (l->left_out)
		tell(w, PART_NETNS, 0,
		     "%u processes were not asked for their network namespace: too many",
		     l->left_out);
	else if (l->beyond)
		tell(w, PART_NETNS, 0, "only %d network namespaces are looked into", NETNS_CAP);
	else if (l->denied > l->asked / 2)
		tell(w, PART_NETNS, -EACCES,
		     "the network namespaces of other users' processes need root");
	else
		tell(w, PART_NETNS, 0, "%s", "");
out:
	mem_free(l);
}

/* Run fn inside each other namespace that is there. */
typedef void inside_fn(struct netwatch *w, struct ns_watch *s);

static bool enter(struct netwatch *w, struct ns_watch *s)
{
	int err = s->present && w->own >= 0 ? netns_enter(&s->ns) : -ESTALE;

	if (err == -EPERM)
		tell(w, PART_NETNS, err, "entering other network namespaces needs CAP_SYS_ADMIN");
	if (err)
		s->present = false;
	return !err;
}

static void for_others(struct netwatch *w, inside_fn *fn)
{
	for (size_t i = 1; i < w->nspaces; i++) {
		if (!enter(w, &w->spaces[i]))
			continue;
		fn(w, &w->spaces[i]);
		netns_return(w->own);
	}
}

static void look_inside(struct netwatch *w, struct ns_watch *s, bool rows)
{
	struct netlink nl;

	if (netlink_open(&nl, NETLINK_SOCK_DIAG, NULL))
		return;
	look(w, s, &nl, rows);
	netlink_close(&nl);
}

static void read_other(struct netwatch *w, struct ns_watch *s)
{
	size_t row = ns_row(&w->out, s);
	uint64_t v;

	put_counters(w, s, row);
	if (snapshot_raw(&w->out, M_NETNS_TCP_TIME_WAIT, row, &v))
		s->time_wait = v;
	check(w, s);
	if (!s->sampler && s->trouble && w->nspaces > 1 + FOLLOWED)
		s->sampler = sampler_new();
	if (s->sampler)
		look_inside(w, s, true);
}

/* ---- answers ---- */

static uint64_t own_time_wait(struct netwatch *w)
{
	uint64_t v = 0;
	size_t row;

	snapshot_clear(&w->scratch);
	row = ns_row(&w->scratch, &w->spaces[0]);
	read_wanted(w, W_SOCKSTAT, &w->scratch, row);
	return snapshot_raw(&w->scratch, M_NETNS_TCP_TIME_WAIT, row, &v) ? v : 0;
}

static uint64_t look_every(const struct netwatch *w, const struct ns_watch *s)
{
	if (s->trouble)
		return LOOK_TROUBLE_NS;
	if (w->endless)
		return ENDLESS_NS;
	return s->calm ? LOOK_CALM_NS : LOOK_NS;
}

/* In trouble: often. Quiet: one of them every few seconds. */
static bool other_is_due(struct netwatch *w, const struct ns_watch *s, uint64_t now)
{
	if (s->trouble)
		return now - s->looked_ns >= LOOK_NS && within_budget(w, true);
	if (now - w->other_ns < OTHER_NS || now - s->looked_ns < OTHER_NS ||
	    !within_budget(w, false))
		return false;
	w->other_ns = now;
	return true;
}

static void tick(struct netwatch *w)
{
	struct ns_watch *own = &w->spaces[0];
	uint64_t now = clock_boot_ns();

	if (own->hunt) {
		hunter_tick(&w->hunter, now);
		if (own->failing && within_budget(w, true))
			sampler_catch_connecting(own->sampler, &w->diag);
	}
	if (now - w->listened_ns < LISTEN_NS)
		return;
	w->listened_ns = now;
	if (now - own->marked_ns >= CHECK_NS)
		check(w, own);
	if (now - own->looked_ns < look_every(w, own) || !within_budget(w, own->trouble)) {
		sampler_look_listeners(own->sampler, &w->diag, now);
	} else {
		look(w, own, &w->diag, false);
		want_owners(w, own);
	}
	for (int k = 0; k < CHECKED && w->nspaces > 1 && w->reads; k++) {
		struct ns_watch *s = &w->spaces[1 + w->next_check++ % (w->nspaces - 1)];

		if (!enter(w, s))
			continue;
		check(w, s);
		if (s->trouble && !s->sampler)
			s->sampler = sampler_new();
		if (s->sampler && other_is_due(w, s, now)) {
			look_inside(w, s, false);
			want_owners(w, s);
		}
		netns_return(w->own);
		own->hunt |= s->hunt;
		if ((size_t)k + 2 >= w->nspaces)
			break;
	}
	if (within_budget(w, true))
		owners_search(&w->owners, MS);
	for (size_t i = 0; i < w->nspaces; i++)
		if (w->spaces[i].sampler)
			name_parties(w, w->spaces[i].sampler);
}

static void put_all(struct netwatch *w)
{
	char name[40];

	for (size_t i = 0; i < w->nspaces; i++) {
		struct ns_watch *s = &w->spaces[i];

		if (!s->present || !s->sampler)
			continue;
		netns_row_name(&s->ns, name, sizeof(name));
		sock_rows_put(&s->rows, &w->owners, &w->out, i ? name : "",
			      i ? ns_row(&w->out, s) : snapshot_system_row(&w->out));
		sampler_put(s->sampler, &w->owners, &w->out, i ? name : "");
	}
	snapshot_set(&w->out, M_SOCK_SAMPLES, snapshot_system_row(&w->out),
		     w->spaces[0].sampler->looks, metric_source(M_SOCK_SAMPLES, F_SOCK_SAMPLES));
	hunter_put(&w->hunter, &w->out);
}

static void read_all(struct netwatch *w)
{
	struct ns_watch *own = &w->spaces[0];
	uint64_t now = clock_boot_ns();
	struct netlink nl;
	int err;

	w->reads++;
	if (!w->endless || w->reads <= 2 || now - w->found_ns >= ENDLESS_FIND_NS) {
		find_spaces(w);
		w->found_ns = now;
	}
	own->time_wait = own_time_wait(w);
	err = look(w, own, &w->diag, true);
	tell(w, PART_SOCKETS, err, "%s", err ? strerror(-err) : "");
	if (w->reads > 1 && !netlink_open(&nl, NETLINK_ROUTE, NULL)) {
		sock_rows_routes(&own->rows, &nl, ROUTES);
		netlink_close(&nl);
	}
	for (enum scope sc = SCOPE_NETNS; sc <= SCOPE_ENDPOINT; sc++)
		snapshot_begin(&w->out, sc, now);
	snapshot_begin(&w->out, SCOPE_SYSTEM, now);
	for_others(w, read_other);
	for (size_t i = 0; i < w->nspaces; i++)
		if (w->spaces[i].present && w->spaces[i].sampler) {
			want_owners(w, &w->spaces[i]);
			sock_rows_want(&w->spaces[i].rows, &w->owners, w->spaces[i].flood);
		}
	if (!owners_search(&w->owners, w->reads > 1 ? 10 * MS : 2 * MS) && w->reads > 1)
		tell(w, PART_OWNERS, 0,
		     "%zu sockets have no process known: looking for it would have cost too much",
		     w->owners.nwanted);
	put_all(w);
	if (w->reads == 1)
		w->first_cpu_ns = clock_cpu_ns();
}

static void links_of_other(struct netwatch *w, struct ns_watch *s)
{
	char name[40], prefix[48];
	struct netlink nl;

	if (netlink_open(&nl, NETLINK_ROUTE, NULL))
		return;
	netns_row_name(&s->ns, name, sizeof(name));
	snprintf(prefix, sizeof(prefix), "%s/", name);
	if (!rtnl_links(&nl, &w->links, &w->out, prefix, name))
		rtnl_qdiscs(&nl, &w->links, &w->out, prefix);
	ethtool_links(&w->links, &w->out, prefix);
	netlink_close(&nl);
}

static void own_links(struct netwatch *w, bool ethtool)
{
	struct netlink nl;
	int err = netlink_open(&nl, NETLINK_ROUTE, NULL);

	if (!err) {
		/* with ethtool only that is wanted: the rest is read every second by another helper */
		snapshot_clear(&w->scratch);
		err = rtnl_links(&nl, &w->links, ethtool ? &w->scratch : &w->out, "", "");
		if (!err && ethtool)
			ethtool_links(&w->links, &w->out, "");
		else if (!err)
			err = rtnl_qdiscs(&nl, &w->links, &w->out, "");
		netlink_close(&nl);
	}
	tell(w, PART_LINKS, err, "%s", err ? strerror(-err) : "");
}

int netwatch_answer(void *ctx, const void *request, size_t n, struct buf *answer, int *fd)
{
	struct netwatch *w = ctx;
	char question = n ? *(const char *)request : 0;
	int err;

	(void)fd;
	snapshot_clear(&w->out);
	if (question == NETWATCH_TICK || question == NETWATCH_READ) {
		err = begin(w);
		if (!err && question == NETWATCH_READ)
			read_all(w);
		else if (!err)
			tick(w);
		w->head.hunting = w->nspaces && w->spaces[0].hunt;
	} else {
		snapshot_begin(&w->out, SCOPE_NETIF, clock_boot_ns());
		snapshot_begin(&w->out, SCOPE_QDISC, clock_boot_ns());
		own_links(w, question == NETWATCH_LINKS);
		if (question == NETWATCH_LINKS)
			for_others(w, links_of_other);
	}
	buf_add(answer, &w->head, sizeof(w->head));
	pack_snapshot(answer, &w->out);
	return 0;
}
