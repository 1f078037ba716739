/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_CAPTURE_H
#define SIXTY_ENGINE_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/root.h"
#include "base/text.h"
#include "model/host.h"
#include "model/snapshot.h"
#include "model/view.h"

/* A captured directory, readable with a pager:
 *
 *   DIR/meta                      "key value" lines: format, host, one "step" line per reading
 *   DIR/0000/proc/stat …          system files, raw, as they were at that reading
 *   DIR/0000/tables/process.tsv   what has no regular file: one table per scope, metric names as header
 *   DIR/0000/ends/cgroup.tsv      the same of what is read at the window's ends only: in the first and last step
 *
 * A table may begin with a line that says when it was read; otherwise that is the time of its step. */
#define CAPTURE_FORMAT  1
#define CAPTURE_STEPS   3600
#define CAPTURE_READ_AT "# read at " /* and nanoseconds since boot */

struct capture_step {
	uint64_t boot_ns;
	int64_t wall_ns;
};

struct capture {
	struct host host;
	struct capture_step *steps;
	size_t nsteps;
};

/* Writing is recording.h. */

/* Reading. Everything in it may be hostile. */
int capture_open(struct capture *c, const char *dir, struct err *e);
void capture_close(struct capture *c);
/* The text of a meta file into a zeroed capture, to be closed even after an error; dir is for messages. */
int capture_parse_meta(struct capture *c, struct text meta, const char *dir, struct err *e);
/* Add the tables of a step (root is DIR/NNNN) that are in folder ("tables" or "ends") to a snapshot. */
int capture_read_tables(const struct root *root, const char *folder, struct snapshot *into,
			uint64_t step_ns, struct err *e);

#endif
