/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CHECKLIST_CGROUP_H
#define SIXTY_CHECKLIST_CGROUP_H

#include <stdbool.h>

#include "checklist/parties.h"
#include "model/view.h"

/* Control groups as rules ask about them. A group is a row of SCOPE_CGROUP in view->last; CGROUP_NONE is no group.
 * Rows named "… [vda]" hold the limits of one device of a group: cgroup_device() tells them apart. */
#define CGROUP_NONE SIZE_MAX

size_t cgroup_count(const struct view *v); /* rows are 0 … count − 1 */

/* The group of a process under a controller: that of the v1 hierarchy which carries it, else the v2 group. */
size_t cgroup_of(const struct view *v, struct row_id process, const char *controller);
size_t cgroup_parent(const struct view *v, size_t group);
/* Is the process in the group or below it? */
bool cgroup_contains(const struct view *v, size_t group, struct row_id process);
/* Is `group` the other one or above it, in the same hierarchy? */
bool cgroup_is_above(const struct view *v, size_t group, size_t other);

const char *cgroup_path(const struct view *v, size_t group); /* "/svc" */
const char *cgroup_dir(const struct view *v, size_t group);  /* "sys/fs/cgroup/memory/svc" */
const char *cgroup_device(const struct view *v,
			  size_t group); /* "vda" for a row of limits of one device, else NULL */
bool cgroup_is_v2(const struct view *v, size_t group);

/* Growth of a counter in the window; of a group that was made in the window all it has counted. 0: did not move.
 * NaN: unknown. */
double cgroup_delta(const struct view *v, enum metric_id id, size_t group);
double cgroup_rate(const struct view *v, enum metric_id id, size_t group);
/* A gauge at the window's end; INFINITY is "no limit". */
double cgroup_level(const struct view *v, enum metric_id id, size_t group);
double cgroup_level_first(const struct view *v, enum metric_id id, size_t group);

/* The smallest limit over the group and those above it, INFINITY when none is set, NaN when nothing is known; *where
 * (may be NULL) is the group that sets it. Good for memory, tasks, quota per period; not for shares. */
double cgroup_tightest(const struct view *v, enum metric_id id, size_t group, size_t *where);
/* CPUs that the quota of this very group allows: 0.25 for 25 ms in 100 ms. INFINITY, NaN as above. */
double cgroup_cpus(const struct view *v, size_t group);

/* The row of limits of a group on a device; CGROUP_NONE if it has none. */
size_t cgroup_device_row(const struct view *v, size_t group, const char *device);

/* Limits of I/O that hold for a group: the rows of this group and of those above it. Returns how many of at most max. */
size_t cgroup_io_limits(const struct view *v, size_t group, size_t *rows, size_t max);

/* Rank processes of a group (all when CGROUP_NONE) by the sum of lost causes, or of metrics. Background work (nice,
 * SCHED_BATCH, SCHED_IDLE) counts like all other. */
void cgroup_rank_lost(const struct view *v, size_t group, const enum cause *causes, size_t n,
		      struct ranking *out);
void cgroup_rank(const struct view *v, size_t group, const enum metric_id *metrics, size_t n,
		 struct ranking *out);

#endif
