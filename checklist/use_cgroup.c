/* SPDX-License-Identifier: Apache-2.0 */
/* USE of control groups: one row per limit that somebody has set.
 *
 * A limit of tasks stands on every service of a systemd machine, so those rows are shown from half full on. Memory that
 * can be dropped does not count as used: a group that fills its limit with cache is not full. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checklist/cgroup.h"
#include "checklist/makers.h"
#include "checklist/rule.h"

#define ROWS_MAX    32
#define NEAR        0.8 /* of a limit: worth a line in the short form */
#define TASKS_SHOWN 0.5

static double zero(double x)
{
	return isnan(x) ? 0 : x;
}

static void reason(char *out, size_t size, double value, const char *why)
{
	if (isnan(value))
		snprintf(out, size, "%s", why);
}

static void name_row(struct use_row *u, const struct view *v, size_t group, const char *what)
{
	snprintf(u->instance, sizeof(u->instance), "%.70s %s", cgroup_path(v, group), what);
}

static struct use_row blank(enum resource res)
{
	return (struct use_row){
		.resource = res,
		.utilization = NAN,
		.saturation = NAN,
		.errors = NAN,
		.worst_second = NAN,
		.saturation_unit = "",
	};
}

/* ---- one limit each; false: this group has none ---- */

static bool cpu_quota(const struct view *v, size_t g, struct use_row *u)
{
	static const enum metric_id cpu[] = { M_PROC_USER, M_PROC_SYSTEM };
	double allowed = cgroup_cpus(v, g), used = cgroup_rate(v, M_CG_CPU_USAGE, g);
	struct ranking r;

	if (!isfinite(allowed) || !(allowed > 0))
		return false;
	*u = blank(RES_CPU);
	name_row(u, v, g, "cpu quota");
	/* v1 with cpuacct in another hierarchy: add up who lives there */
	if (isnan(used)) {
		cgroup_rank(v, g, cpu, 2, &r);
		used = r.total;
	}
	u->utilization = used / allowed;
	u->saturation = cgroup_rate(v, M_CG_CPU_THROTTLED_TIME, g);
	u->saturation_unit = "s/s throttled";
	snprintf(u->why_errors, sizeof(u->why_errors), "a quota has no errors");
	reason(u->why_saturation, sizeof(u->why_saturation), u->saturation,
	       "cpu.stat was not there at both ends");
	u->matters = u->saturation > 0;
	return true;
}

static bool memory_limit(const struct view *v, size_t g, struct use_row *u)
{
	double limit = fmin(cgroup_level(v, M_CG_MEM_LIMIT, g), cgroup_level(v, M_CG_MEM_HIGH, g)),
	       cache;

	if (!isfinite(limit) || !(limit > 0))
		return false;
	*u = blank(RES_MEMORY);
	name_row(u, v, g, "memory");
	cache = zero(cgroup_level(v, M_CG_MEM_ACTIVE_FILE, g)) +
		zero(cgroup_level(v, M_CG_MEM_INACTIVE_FILE, g)) -
		zero(cgroup_level(v, M_CG_MEM_DIRTY, g));
	u->utilization = (cgroup_level(v, M_CG_MEM_CURRENT, g) - fmax(0, cache)) / limit;
	u->saturation = cgroup_rate(v, M_CG_PSI_MEM_SOME, g);
	u->saturation_unit = "s/s stalled";
	if (isnan(u->saturation)) {
		u->saturation = cgroup_rate(v, M_CG_MEM_REFAULT_FILE, g) +
				zero(cgroup_rate(v, M_CG_MEM_REFAULT_ANON, g));
		u->saturation_unit = "bytes/s that came back";
	}
	u->errors = cgroup_delta(v, M_CG_MEM_OOM_KILLS, g);
	reason(u->why_utilization, sizeof(u->why_utilization), u->utilization,
	       "memory of the group cannot be read");
	reason(u->why_saturation, sizeof(u->why_saturation), u->saturation,
	       "no pressure file (v1), no refaults (before 5.9)");
	reason(u->why_errors, sizeof(u->why_errors), u->errors,
	       "no count of kills (v1 before 4.13)");
	u->matters = u->utilization >= NEAR || u->errors > 0;
	return true;
}

static bool task_limit(const struct view *v, size_t g, struct use_row *u)
{
	double limit = cgroup_level(v, M_CG_PIDS_MAX, g),
	       refused = cgroup_delta(v, M_CG_PIDS_REJECTED, g);

	if (!isfinite(limit) || !(limit > 0))
		return false;
	*u = blank(RES_APP);
	name_row(u, v, g, "tasks");
	u->utilization = cgroup_level(v, M_CG_PIDS_CURRENT, g) / limit;
	snprintf(u->why_saturation, sizeof(u->why_saturation),
		 "nothing waits at this limit: forks are refused");
	u->errors = refused;
	reason(u->why_utilization, sizeof(u->why_utilization), u->utilization,
	       "pids.current cannot be read");
	reason(u->why_errors, sizeof(u->why_errors), u->errors,
	       "pids.events was not there at both ends");
	u->matters = u->utilization >= NEAR || refused > 0;
	return u->utilization >= TASKS_SHOWN || refused > 0;
}

static double used_of(double rate, double limit)
{
	return isfinite(limit) && limit > 0 ? zero(rate) / limit : NAN;
}

static bool io_limit(const struct view *v, size_t g, struct use_row *u)
{
	double share;

	if (!cgroup_device(v, g))
		return false;
	*u = blank(RES_DISK);
	snprintf(u->instance, sizeof(u->instance), "%.60s io of %.24s", cgroup_path(v, g),
		 cgroup_device(v, g));
	share = fmax(used_of(cgroup_rate(v, M_CG_IO_READ_BYTES, g),
			     cgroup_level(v, M_CG_IO_MAX_RBPS, g)),
		     used_of(cgroup_rate(v, M_CG_IO_WRITE_BYTES, g),
			     cgroup_level(v, M_CG_IO_MAX_WBPS, g)));
	share = fmax(share, used_of(cgroup_rate(v, M_CG_IO_READS, g),
				    cgroup_level(v, M_CG_IO_MAX_RIOPS, g)));
	share = fmax(share, used_of(cgroup_rate(v, M_CG_IO_WRITES, g),
				    cgroup_level(v, M_CG_IO_MAX_WIOPS, g)));
	u->utilization = share;
	u->saturation = cgroup_rate(v, M_CG_PSI_IO_SOME, cgroup_parent(v, g));
	u->saturation_unit = "s/s stalled";
	snprintf(u->why_errors, sizeof(u->why_errors), "a limit has no errors");
	reason(u->why_utilization, sizeof(u->why_utilization), share, "no finite limit");
	reason(u->why_saturation, sizeof(u->why_saturation), u->saturation,
	       "no pressure file of the group (v1)");
	u->matters = share >= NEAR;
	return true;
}

/* ---- all of them, the nearest first ---- */

static int nearest_first(const void *x, const void *y)
{
	const struct use_row *a = x, *b = y;
	double ua = zero(a->utilization), ub = zero(b->utilization);

	if (a->matters != b->matters)
		return a->matters ? -1 : 1;
	if (ua != ub)
		return ua < ub ? 1 : -1;
	return strcmp(a->instance, b->instance);
}

void use_cgroups(const struct view *v, struct report *out)
{
	static bool (*const limits[])(const struct view *v, size_t g, struct use_row *u) = {
		cpu_quota,
		memory_limit,
		task_limit,
		io_limit,
	};
	struct use_row rows[ROWS_MAX + 1] = { 0 }, u;
	size_t n = 0;

	for (size_t g = 0; g < cgroup_count(v); g++)
		for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
			if (!limits[i](v, g, &u))
				continue;
			rows[n++] = u;
			if (n <= ROWS_MAX)
				continue;
			qsort(rows, n, sizeof(*rows), nearest_first);
			n = ROWS_MAX;
		}
	qsort(rows, n, sizeof(*rows), nearest_first);
	for (size_t i = 0; i < n; i++)
		*report_use(out, rows[i].resource, rows[i].instance) = rows[i];
}
