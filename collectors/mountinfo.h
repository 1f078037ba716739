/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_MOUNTINFO_H
#define SIXTY_COLLECTORS_MOUNTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* One line of /proc/PID/mountinfo; texts point into the file and are still escaped. */
struct mount {
	uint64_t id, parent, devno;
	struct text root; /* of the file system, that is seen at the mount point */
	struct text point;
	struct text options; /* of this mount */
	struct text type;
	struct text source;
	struct text super; /* options of the file system */
};

/* False if the line is not one. */
bool mountinfo_line(struct text line, struct mount *m);

/* Undo \040 \011 \012 \134 \043; cut at size - 1. Any byte but NUL may come out. Returns the length. */
size_t mountinfo_unescape(char *out, size_t size, struct text t);

/* Is `word` one of the options ("rw,relatime,emergency_ro")? */
bool mountinfo_has(struct text options, const char *word);

/* What is known of a type of file system. */
struct fs_kind {
	const char *type;
	bool pseudo; /* no space of its own: proc, cgroup … */
	bool remote; /* its server may not answer: never asked but in a child, and not every second */
	bool image;       /* read-only and full by nature: squashfs, iso9660 */
	bool layer;       /* shows the space of another: overlay */
	bool untouchable; /* asking mounts something: autofs */
};

struct fs_kind fs_kind(struct text type);

#endif
