/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CHECKLIST_DISK_H
#define SIXTY_CHECKLIST_DISK_H

#include "checklist/disk_load.h"
#include "checklist/rule.h"

/* The checks of disk rules, by file, and what they share. */

/* disk_saturated.c */
void check_disk_saturated(const struct rule *r, const struct view *v, struct findings *fs);
void check_noisy_neighbour(const struct rule *r, const struct view *v, struct findings *fs);
/* disk_slow.c */
void check_slow_device(const struct rule *r, const struct view *v, struct findings *fs);
void check_hung_io(const struct rule *r, const struct view *v, struct findings *fs);
/* disk_sync.c */
void check_fsync_storm(const struct rule *r, const struct view *v, struct findings *fs);
void check_writeback(const struct rule *r, const struct view *v, struct findings *fs);
void check_discard_storm(const struct rule *r, const struct view *v, struct findings *fs);
/* disk_limit.c */
void check_io_throttled(const struct rule *r, const struct view *v, struct findings *fs);
/* disk_errors.c */
void check_io_errors(const struct rule *r, const struct view *v, struct findings *fs);
void check_thin_full(const struct rule *r, const struct view *v, struct findings *fs);
void check_raid_degraded(const struct rule *r, const struct view *v, struct findings *fs);
void check_path_down(const struct rule *r, const struct view *v, struct findings *fs);

/* A device is far slower than its class, so that what looks like a queue is the device's own time. */
bool disk_is_slow(const struct disk_load *d);
/* An offender that is the device itself, with its other name in `cgroup`-free text. */
void finding_device(struct finding *f, const struct disk_load *d, double share);
/* Time in which threads of a process wait in functions whose names begin with one of `prefixes` (NULL-terminated),
 * per second, over the waits that count as blocked; pid 0: of all processes but kernel threads. */
double lost_in(const struct view *v, int64_t pid, const char *const *prefixes);

#endif
