/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_DISKS_H
#define SIXTY_COLLECTORS_DISKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/root.h"
#include "base/text.h"
#include "model/snapshot.h"

#define DISK_NAME 32   /* of the kernel, with its NUL */
#define DISK_CAP  4096 /* rows of a hostile or huge machine */

/* Device number in one word, as the kernel keeps it. */
static inline uint64_t devno_of(uint64_t major, uint64_t minor)
{
	return major << 20 | (minor & 0xfffff);
}

/* "8:16" */
bool devno_parse(struct text t, uint64_t *devno);

/* Identity of a disk: its name, and the sequence number that a new disk under an old name does not share
 * (sys/block/NAME/diskseq, since 5.15); before that its device number. */
struct row_id disk_id(const char *name, size_t n, bool has_seq, uint64_t seq, uint64_t devno);

/* The row of a disk by its name, for collectors that read something else of it. A name that is no disk's (a partition)
 * has a row by name alone. */
size_t disk_row(struct snapshot *out, const struct root *r, const char *name);

/* Name below sys/block: a slash in a kernel name ("cciss/c0d0") is written '!'. */
char *disk_sysname(char out[DISK_NAME], const char *name);

/* The whole disk that a device number belongs to (the disk of a partition). False if it has none. */
bool disk_of_devno(const struct root *r, uint64_t devno, char out[DISK_NAME]);
/* The same for the name of a device or partition in /dev. */
bool disk_of_name(const struct root *r, const char *name, char out[DISK_NAME]);

#endif
