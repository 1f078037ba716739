/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_HISTING_H
#define SIXTY_ENGINE_HISTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/intervals.h"
#include "model/hist.h"
#include "model/report.h"

/* Watch one kind of distribution, interval by interval.
 *
 *   histing_open  →  histing_run  →  histing_close
 *
 * How it goes on is in engine/intervals.h. */
struct histing;

struct histing_args {
	enum wire_hist_kind kind;
	enum wire_hist_key key;
	const char *cgroup, *disk; /* NULL: all */
	struct interval_args run;  /* pid: 0: all */
};

/* Errors: -EINVAL and the like for a wrong process, disk or group; else what is missing here. */
int histing_open(struct histing **out, const struct histing_args *a, struct err *e);
int histing_run(struct histing *h, struct err *e); /* see intervals_run() */
const struct budget_excess *histing_excess(
	const struct histing *h); /* NULL: the budget has not ended it */
bool histing_process_ended(const struct histing *h);
void histing_close(struct histing *h); /* accepts NULL */

#endif
