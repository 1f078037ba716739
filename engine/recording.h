/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_RECORDING_H
#define SIXTY_ENGINE_RECORDING_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/capture.h"

/* A capture while it is being made. Nothing is written while the window is watched: the disk may be what is sick, and
 * waiting for it would spoil the very numbers that are to be recorded. Only when much has gathered is it written early. */
struct recording {
	const char *dir;
	struct capture capture; /* host and steps */
	size_t steps_cap;
	struct recorded *files;
	size_t nfiles, files_cap;
	size_t held; /* bytes that are not written yet */
	bool finished;
};

/* dir must be new or empty. */
int recording_open(struct recording *r, const char *dir, struct err *e);
/* One more reading, taken now: raw files below root, `often` (what is read each second) and, at the window's ends,
 * `ends` (what is read only there; NULL in between). Cells that come from the raw files are left out of the tables. */
int recording_step(struct recording *r, const struct root *root, const struct snapshot *often,
		   const struct snapshot *ends, uint64_t boot_ns, int64_t wall_ns, struct err *e);
int recording_finish(struct recording *r, const struct host *host, struct err *e);
/* What was not finished leaves nothing behind. Accepts a zeroed one. */
void recording_close(struct recording *r);

#endif
