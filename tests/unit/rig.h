/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_TESTS_RIG_H
#define SIXTY_TESTS_RIG_H

#include <stdbool.h>

#include "collectors/collector.h"

/* One collector on a tree made by hand (unit_file() writes it), read as often as a test likes. */
struct rig {
	const struct collector *c;
	struct root root;
	struct host host;
	struct collector_env env;
	struct status *status;
	size_t nstatus, status_cap;
	void *state;
	struct snapshot snap[2]; /* the reading before, the last one */
	int reads;
};

void rig_open(struct rig *r, const struct collector *c);      /* on unit_tmpdir() */
void rig_open_live(struct rig *r, const struct collector *c); /* on the machine itself */
void rig_close(struct rig *r);
/* Read into snap[1]; what was there moves to snap[0]. Readings are a second apart, whatever the clock says. */
int rig_read(struct rig *r);
/* Close and open again: a collector that reads only when it opens. */
void rig_reopen(struct rig *r);

/* A symbolic link below the tree, with the directories it needs; an empty directory. */
void rig_link(const char *path, const char *target);
void rig_directory(const char *path);
void rig_remove(const char *path);

/* Cell of the last reading by the row's name (any row for SYSTEM). NaN / NULL when absent. */
double rig_value(struct rig *r, enum metric_id id, const char *row);
const char *rig_text(struct rig *r, enum metric_id id, const char *row);
size_t rig_row(struct rig *r, enum scope sc, const char *name); /* SIZE_MAX: none */
const char *rig_status(const struct rig *r,
		       const char *name); /* why, "" when well, NULL when not told */

#endif
