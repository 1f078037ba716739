/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_NETWATCH_H
#define SIXTY_COLLECTORS_NETWATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/host.h"

/* The helper that watches sockets, in our network namespace and in those of containers.
 *
 * It runs as a process of its own because entering a namespace changes the whole process, and because rtnetlink may hang.
 * A question is one byte; an answer is a head and a packed snapshot. */
enum netwatch_question {
	NETWATCH_TICK = 'T',  /* look again if it is time to; nothing but the head comes back */
	NETWATCH_READ = 'R',  /* everything about sockets and other namespaces' counters */
	NETWATCH_LINKS = 'L', /* interfaces of other namespaces, ethtool of ours */
	NETWATCH_OWN = 'K',   /* interfaces and queueing disciplines of ours */
};

enum netwatch_part { PART_SOCKETS, PART_OWNERS, PART_NETNS, PART_LINKS, PARTS };

struct netwatch_head {
	struct {
		int32_t code;
		char why[120];
	} part[PARTS];
	uint8_t hunting; /* ask every 100 ms: somebody opens connections fast, or they fail */
};

struct netwatch;

/* Before the fork. `endless`: somebody looks on all day, so connections are looked at less often while nothing is wrong. */
struct netwatch *netwatch_new(const struct host *h, bool endless);
void netwatch_free(struct netwatch *w);

/* A child_answer_fn; ctx is the struct netwatch. */
int netwatch_answer(void *ctx, const void *request, size_t n, struct buf *answer, int *fd);

#endif
