/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets, other network namespaces, interfaces and queueing disciplines: what two helpers find out (netwatch.c), taken
 * into the snapshot. One watches sockets and namespaces, from the window's start to its end; the other is asked every
 * second for our interfaces, because the kernel's answer to that may hang. */
#include "collectors/collector.h"

#include <errno.h>
#include <string.h>

#include "base/child.h"
#include "base/mem.h"
#include "collectors/netwatch.h"
#include "collectors/pack.h"

#define TICK_MS  100
#define READ_MS  500
#define LINKS_MS 200
#define IDLE_NS \
	450000000u /* between two questions while nothing is wrong: a little less than 5 ticks */
#define ENDLESS_NS 1950000000u /* … where there is no end */

struct network_state {
	struct collector_env env;
	struct netwatch *watch; /* what the helper begins with */
	struct child child;
	struct buf answer;
	uint64_t asked_ns;
	unsigned patience;
	bool hunting, links_hang;
};

static const char *const part_names[PARTS] = {
	[PART_SOCKETS] = "sock_diag",
	[PART_OWNERS] = "proc/PID/fd of sockets",
	[PART_NETNS] = "other network namespaces",
	[PART_LINKS] = "rtnetlink: links",
};

static int open_child(struct network_state *s, const struct collector_env *env, const char *name,
		      struct err *e)
{
	s->env = *env;
	if (!env->root->live)
		return err_set(e, -EOPNOTSUPP,
			       "answers for the running kernel only, not for a tree of files");
	s->watch = netwatch_new(env->host, env->live);
	return child_open(&s->child, name, netwatch_answer, s->watch, e);
}

static int ask(struct network_state *s, enum netwatch_question q, unsigned deadline_ms,
	       struct snapshot *out, struct netwatch_head *head, struct err *e)
{
	char question = (char)q;
	int err = child_ask(&s->child, &question, 1, deadline_ms, &s->answer, NULL, e);

	if (err)
		return err;
	if (s->answer.len < sizeof(*head))
		return err_set(e, -EBADMSG, "the helper's answer is too short");
	memcpy(head, s->answer.data, sizeof(*head));
	if (out &&
	    !unpack_snapshot(out, s->answer.data + sizeof(*head), s->answer.len - sizeof(*head)))
		return err_set(e, -EBADMSG, "the helper's answer makes no sense");
	return 0;
}

static void tell(struct network_state *s, struct netwatch_head *head, unsigned first, unsigned last)
{
	for (unsigned i = first; i <= last; i++) {
		head->part[i].why[sizeof(head->part[i].why) - 1] = '\0';
		collector_status(&s->env, part_names[i], head->part[i].code, "%s",
				 head->part[i].why);
	}
}

static void network_close(void *state)
{
	struct network_state *s = state;

	child_close(&s->child);
	netwatch_free(s->watch);
	buf_done(&s->answer);
}

/* ---- sockets and namespaces ---- */

static int sockets_open(void *state, const struct collector_env *env, struct err *e)
{
	return open_child(state, env, "sixty-net", e);
}

static int sockets_read(void *state, struct snapshot *out, struct err *e)
{
	struct network_state *s = state;
	struct netwatch_head head;
	int err = ask(s, NETWATCH_READ, READ_MS, out, &head, e);

	if (err)
		return err;
	tell(s, &head, PART_SOCKETS, PART_NETNS);
	if (s->links_hang)
		return 0;
	err = ask(s, NETWATCH_LINKS, LINKS_MS, out, &head, e);
	s->links_hang = err != 0;
	collector_status(&s->env, "ethtool", err, "%s", err ? e->msg : "");
	return 0;
}

static void sockets_tick(void *state, uint64_t now_ns)
{
	struct network_state *s = state;
	struct netwatch_head head;

	if (!s->hunting && now_ns - s->asked_ns < (s->env.live ? ENDLESS_NS : IDLE_NS))
		return;
	s->asked_ns = now_ns;
	s->hunting = !ask(s, NETWATCH_TICK, TICK_MS, NULL, &head, NULL) && head.hunting;
}

/* ---- interfaces ---- */

static int links_open(void *state, const struct collector_env *env, struct err *e)
{
	return open_child(state, env, "sixty-links", e);
}

static int links_read(void *state, struct snapshot *out, struct err *e)
{
	struct network_state *s = state;
	struct netwatch_head head;
	int err;

	if (s->patience) { /* it hung: not every second of a window is to be spent waiting for it */
		s->patience--;
		return 0;
	}
	err = ask(s, NETWATCH_OWN, LINKS_MS, out, &head, e);
	if (err) {
		s->patience = 4;
		return err == -ETIMEDOUT
			       ? err_set(e, err,
					 "no answer within %d ms: somebody holds the kernel's RTNL lock",
					 LINKS_MS)
			       : err;
	}
	tell(s, &head, PART_LINKS, PART_LINKS);
	return 0;
}

const struct collector collector_sockets = {
	.name = "sockets",
	.what = "connections, what they wait for and whose they are; other network namespaces",
	.needs = "root for other users' processes and for other network namespaces",
	.pace = PACE_EDGE,
	.scopes = 1u << SCOPE_SOCKET | 1u << SCOPE_ENDPOINT | 1u << SCOPE_NETNS |
		  1u << SCOPE_NETIF | 1u << SCOPE_QDISC | 1u << SCOPE_PROCESS | 1u << SCOPE_SYSTEM,
	.state_size = sizeof(struct network_state),
	.open = sockets_open,
	.read = sockets_read,
	.tick = sockets_tick,
	.close = network_close,
};

const struct collector collector_links = {
	.name = "links",
	.what = "interfaces and queueing disciplines: carrier, errors by kind, backlog, drops, rates",
	.needs = "",
	.pace = PACE_SECOND,
	.seldom = true,
	.scopes = 1u << SCOPE_NETIF | 1u << SCOPE_QDISC,
	.state_size = sizeof(struct network_state),
	.open = links_open,
	.read = links_read,
	.close = network_close,
};
