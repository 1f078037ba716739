/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CHECKLIST_DISK_LOAD_H
#define SIXTY_CHECKLIST_DISK_LOAD_H

#include <stdbool.h>

#include "checklist/parties.h"
#include "model/view.h"

/* What a disk did in the window, and whose I/O it was. */
#define DISK_LOWER_MAX 8

struct disk_load {
	size_t row; /* of the window's DISK table */
	struct row_id id;
	const char *name, *kind, *alias;
	double reads, writes, discards, flushes, iops; /* per second */
	double read_bytes, write_bytes;
	double await, flush_await; /* seconds; NaN: nothing completed */
	double size;               /* mean bytes of a read or write */
	double queue, busy;        /* mean requests in flight; share of time with any */
	double in_flight;          /* at the end */
	double deep; /* share of the seconds with two requests or more in flight on average */
	double unloaded; /* the device's own time for a request when nobody else was there, as far as seen */
	double norm;   /* what its class takes for a request of this size */
	double stuck;  /* seconds up to the end in which it held requests and completed none */
	double weight; /* how much of the waiting for disks may be due to it */
	size_t lower[DISK_LOWER_MAX], nlower; /* indices of the disks it is made of */
	bool explained;                       /* by the time of those below it */
	bool suspended;                       /* by the device mapper, all through the window */
};

struct disk_loads {
	const struct view *v;
	struct disk_load *list; /* disks that did or held any I/O */
	size_t n, cap;
};

void disk_loads_init(struct disk_loads *l, const struct view *v);
void disk_loads_done(struct disk_loads *l);

/* Time lost in the given causes by processes that use the disk, those of stacked devices above it included. Where it is
 * not known which disks a process uses, its time is divided by how much each disk had to wait for. */
void disk_victims(const struct disk_loads *l, size_t disk, const enum cause *causes, size_t n,
		  struct ranking *out);
/* Bytes that processes read and wrote per second, in the same way. */
void disk_users(const struct disk_loads *l, size_t disk, struct ranking *out);
/* Is it known for the process with the largest part which disks it uses? */
bool disk_users_known(const struct disk_loads *l, const struct ranking *r);

/* "vda", "dm-0 (vg-data)", "loop0 (/srv/img)". */
char *disk_label(char *out, size_t size, const struct disk_load *d);
/* "reads 4 KiB blocks at 51 k/s", "writes 256 KiB blocks at 2.5 GB/s": the larger direction. */
char *disk_work(char *out, size_t size, const struct disk_load *d);
/* "random (4 KiB on average)" by size alone. */
const char *disk_pattern(const struct disk_load *d);

/* Seconds per second that a process lost to the causes; kernel threads lose nothing, they wait for others. */
double lost_to_causes(const struct view *v, const struct lost_row *row, const enum cause *causes,
		      size_t n);

/* The file system a path of our own namespace lies on: row of view->last, SIZE_MAX if unknown. */
size_t fs_of_path(const struct view *v, const char *path);
/* Use of a file system or disk by a process in a label of users ("pid:use:times …"): 'w', 'r', or 0. *times may be NULL. */
char users_find(const char *users, int64_t pid, unsigned *times);

#endif
