/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CHECKLIST_MEMORY_PRESSURE_H
#define SIXTY_CHECKLIST_MEMORY_PRESSURE_H

#include "checklist/cgroup.h"
#include "checklist/rule.h"

/* One look at who is short of memory, shared by the rules that tell the kinds apart.
 *
 *                      what comes back                     by which path          who set the limit
 *   swap_thrash        anonymous, while other goes out     faults                 either
 *   swap_disk_latency  anonymous, nothing goes out         faults, mostly in D    either
 *   memcg_reclaim      file pages                          page faults            a control group
 *   pagecache          file pages                          read(), or the machine either
 *   memcg_high         nothing, threads are slowed down    allocation             memory.high
 *   direct_reclaim     nothing, allocations wait           allocation             the machine */
enum shortage {
	SHORTAGE_NONE,
	SHORTAGE_SWAP,
	SHORTAGE_SWAP_DISK,
	SHORTAGE_MEMCG_RECLAIM,
	SHORTAGE_PAGECACHE,
	SHORTAGE_MEMCG_HIGH,
	SHORTAGE_DIRECT_RECLAIM
};

struct pressure {
	size_t group;                      /* CGROUP_NONE: the machine */
	double refault_anon, refault_file; /* bytes per second */
	double swap_in, swap_out;     /* bytes per second, of the machine: groups do not tell */
	double major;                 /* faults per second */
	double limit_hits, high_hits; /* per second */
	double current, limit, high, shmem; /* bytes; the limit INFINITY when there is none */
	double stall;       /* s/s with at least one task stalled on memory (PSI); NaN unknown */
	bool stall_is_own;  /* of the group itself, not the machine's */
	double reads;       /* bytes per second read from storage by the processes concerned */
	double scanned;     /* bytes per second that reclaim looked at; NaN unknown */
	double allocstalls; /* per second, of the machine */
	struct ranking
		blocked; /* processes by time blocked in reclaim and faults, and on disks if what they read came back */
	double lost; /* s/s: the larger of blocked and stalled */
	enum shortage kind;
};

/* Memory of a group (a row with a limit) or of the machine. */
void pressure_of(const struct view *v, size_t group, struct pressure *p);

/* Did the group touch its limit in the window? */
bool pressure_at_limit(const struct pressure *p);

/* Is somebody at normal priority hurt: a process that takes a quarter longer, or 2 % of the CPUs lost? */
bool pressure_hurts(const struct view *v, const struct pressure *p, double least);

/* Has the machine as a whole the shortage, or only groups with a limit? */
bool pressure_is_in_groups(const struct view *v);

/* "cgroup /svc (limit 128 MiB)" or "the machine". */
char *pressure_place(const struct view *v, const struct pressure *p, char *out, size_t size);

/* Instance, loss, victims, evidence and next steps that all kinds have in common. */
void pressure_finding(struct finding *f, const struct rule *r, const struct view *v,
		      const struct pressure *p);

#endif
