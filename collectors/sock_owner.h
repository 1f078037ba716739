/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_SOCK_OWNER_H
#define SIXTY_COLLECTORS_SOCK_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Which process has a socket: the kernel does not say, so descriptors in /proc/PID/fd are read until it is found.
 *
 * That is dear (a microsecond or two per descriptor of the whole machine), so only those that a finding may name are asked for, the
 * processes that have owned such sockets before are looked at first, and the CPU time is limited. */
#define OWNERS_WANTED 256
#define OWNERS_KNOWN  2048

struct owner {
	uint32_t inode;
	pid_t pid; /* 0: looked for everywhere and not found */
	char comm[16];
};

struct owners {
	struct owner known[OWNERS_KNOWN];
	size_t nknown;
	struct {
		uint32_t inode, walk;
	} wanted[OWNERS_WANTED]; /* walk: walks that had begun when it was asked for */
	size_t nwanted;
	pid_t *pids; /* of a walk that is going on */
	size_t npids, pids_cap, next;
	uint32_t walks;   /* that have begun */
	unsigned starved; /* searches that ran out of time */
	int proc;         /* fd of /proc, opened when first needed; + 1 */
};

void owners_done(struct owners *o);
/* Ask for the owner of an inode (0 is nobody's). */
void owners_want(struct owners *o, uint32_t inode);
/* Look for what is wanted, spending about budget_ns of CPU time at most. True when nothing is wanted any more. */
bool owners_search(struct owners *o, uint64_t budget_ns);
/* NULL: not known (yet). */
const struct owner *owners_find(const struct owners *o, uint32_t inode);

/* Numbers of all processes; *pids grows. 0 or -errno. */
int pids_list(int proc, pid_t **pids, size_t *cap, size_t *n);
/* Call fn for the inode of every socket among the descriptors of a process; non-zero stops. -errno if it may not be looked at. */
int pid_sockets(int proc, pid_t pid, int (*fn)(void *ctx, uint32_t inode), void *ctx);

#endif
