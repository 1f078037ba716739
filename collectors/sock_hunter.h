/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_SOCK_HUNTER_H
#define SIXTY_COLLECTORS_SOCK_HUNTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/snapshot.h"

/* Who opens sockets fast? A refused connection lives for microseconds and is in no list. But whoever makes thousands of
 * them uses CPU time, and now and then its file table holds a descriptor that was not there a moment ago.
 *
 *   sweep of CPU times ── 500 ms ── sweep ──▶ the busiest are suspects ──▶ their descriptors, hundreds of times a second
 *                                                   ▲                              │
 *                                                   └──── cleared: the next one ◀──┘ */
#define SUSPECTS    8
#define CLEARED     64
#define SUSPECT_FDS 1024 /* descriptors that are told apart; one with more is looked at less */

struct suspect {
	pid_t pid;
	uint64_t start; /* ticks */
	char comm[16];
	uint64_t used;     /* ticks of CPU time between the sweeps */
	uint64_t sockets;  /* descriptors that were not there in the scan before, and are sockets */
	uint64_t vanished; /* … and were gone before one could ask what they are */
	uint64_t scans;
	uint64_t cost_ns;  /* of the last quick scan */
	uint64_t asked_ns; /* when all its descriptors were asked what they are */
	int dir;           /* fd of /proc/PID/fd, + 1 */
	uint64_t open[SUSPECT_FDS / 64];
	uint32_t inode[SUSPECT_FDS];
};

struct cpu_mark {
	pid_t pid;
	uint64_t start, ticks;
	char comm[16];
};

struct hunter {
	int proc; /* fd of /proc, + 1 */
	struct cpu_mark *marks;
	size_t nmarks, marks_cap;
	uint64_t marked_ns, chosen_ns;
	struct suspect *suspects;
	size_t nsuspects;
	unsigned turn, ncleared;
	struct cpu_mark cleared[CLEARED];
};

void hunter_done(struct hunter *h);
/* Do what is due within about half a millisecond of CPU time; call it every 100 ms while there is reason to hunt. */
void hunter_tick(struct hunter *h, uint64_t now_ns);
/* Cells of PROCESS rows. */
void hunter_put(const struct hunter *h, struct snapshot *out);

#endif
