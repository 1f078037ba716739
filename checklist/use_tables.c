/* SPDX-License-Identifier: Apache-2.0 */
/* USE of the kernel's tables: tasks, open files, inotify. A table is used by its entries, saturated never, and in error
 * once it is full. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/makers.h"
#include "checklist/rule.h"

#define MATTERS 0.7 /* used: in the short form too */
#define FILLED  0.5 /* of a process's own limit: below it there is nothing to say */

static void table_row(struct report *out, const char *name, double used, double most)
{
	struct use_row *u = report_use(out, RES_KERNEL, name);

	if (most > 0 && used >= 0)
		u->utilization = isinf(most) ? 0 : used / most;
	else
		snprintf(u->why_utilization, sizeof(u->why_utilization), "%s",
			 used >= 0 ? "the limit is not known" : "not counted");
	u->saturation_unit = "waiting";
	snprintf(u->why_saturation, sizeof(u->why_saturation),
		 "nobody waits for an entry: it is there or the call fails");
	snprintf(u->why_errors, sizeof(u->why_errors),
		 "failed calls are not counted by the kernel");
	u->matters = u->utilization >= MATTERS;
}

static double system_level(const struct view *v, enum metric_id id)
{
	return view_last(v, id, (struct row_id){ 0 });
}

/* The process that is nearest to its own limit of open files: of thousands only that one is worth a row. */
static void fullest_process(const struct view *v, struct report *out)
{
	size_t worst = SIZE_MAX;
	double most = FILLED;
	char name[96];

	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_PROCESS); row++) {
		double share = snapshot_value(v->last, M_PROC_FDS, row) /
			       snapshot_value(v->last, M_PROC_FD_LIMIT, row);

		if (share > most) {
			most = share;
			worst = row;
		}
	}
	if (worst == SIZE_MAX)
		return;
	snprintf(name, sizeof(name), "descriptors of %.40s[%llu]",
		 snapshot_name(v->last, SCOPE_PROCESS, worst),
		 (unsigned long long)snapshot_id(v->last, SCOPE_PROCESS, worst).key);
	table_row(out, name, snapshot_value(v->last, M_PROC_FDS, worst),
		  snapshot_value(v->last, M_PROC_FD_LIMIT, worst));
}

static void inotify_instances(const struct view *v, struct report *out)
{
	double sum = 0, limit = system_level(v, M_INOTIFY_INSTANCES_MAX);

	if (!(system_level(v, M_FD_WALK_SHARE) >= 1)) {
		table_row(out, "inotify instances", NAN, limit);
		return;
	}
	/* an upper bound: the limit is per user, the sum is over all */
	for (size_t row = 0; row < snapshot_rows(v->last, SCOPE_PROCESS); row++) {
		double n = snapshot_value(v->last, M_PROC_INOTIFY, row);

		sum += n > 0 ? n : 0;
	}
	table_row(out, "inotify instances", sum, limit);
}

void use_kernel_tables(const struct view *v, struct report *out)
{
	double tasks = system_level(v, M_THREADS);

	table_row(out, "pids", tasks, system_level(v, M_PID_MAX));
	table_row(out, "threads", tasks, system_level(v, M_THREADS_MAX));
	table_row(out, "open files", system_level(v, M_FILES_OPEN), system_level(v, M_FILES_MAX));
	fullest_process(v, out);
	if (system_level(v, M_INOTIFY_INSTANCES_MAX) > 0)
		inotify_instances(v, out);
}
