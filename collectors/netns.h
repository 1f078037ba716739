/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_NETNS_H
#define SIXTY_COLLECTORS_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Network namespaces: those that running processes live in, and those with a name in /run/netns.
 *
 * Entering one changes the calling thread, and a descriptor of one keeps it alive: so this is for a helper process, which
 * enters, looks, and leaves nothing open. */
#define NETNS_CAP 64

struct netns {
	uint64_t inode;
	pid_t pid; /* one that lives there; 0: only a name */
	unsigned processes;
	char comm[16];
	char name[48]; /* in /run/netns, "" when it has none there */
};

struct netns_list {
	struct netns list[NETNS_CAP]; /* [0] is our own */
	size_t n;
	unsigned left_out;      /* processes that were not asked: too many for the time allowed */
	unsigned asked, denied; /* processes looked at; those that may not be looked into */
	unsigned beyond;        /* namespaces beyond the cap */
};

/* Look at the processes below /proc until about `budget_ns` of CPU time is used up. -errno if there is no /proc. */
int netns_find(struct netns_list *l, uint64_t budget_ns);

/* The namespace of a process. 0 or -errno. proc: fd of /proc. */
int netns_of_process(int proc, pid_t pid, uint64_t *inode);

/* Go into a namespace. -ESTALE when it is not that one any more, -EPERM without CAP_SYS_ADMIN. */
int netns_enter(const struct netns *ns);
/* And back: an fd of /proc/self/ns/net taken before. */
int netns_return(int own);

/* "netns:4026532201", what its rows are called. Returns out. */
char *netns_row_name(const struct netns *ns, char *out, size_t size);

/* CPU time of this process, ns. */
uint64_t clock_cpu_ns(void);

#endif
