/* SPDX-License-Identifier: Apache-2.0 */
/* USE of memory, swap, NUMA nodes and huge page pools; free.
 *
 * Page cache is memory at work that can be had back at once, so utilization counts what cannot: total less available. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "checklist/makers.h"
#include "checklist/rule.h"

static const struct row_id machine;

static double last(const struct view *v, enum metric_id id)
{
	return view_last(v, id, machine);
}

static void reason(char *out, size_t size, double value, const char *why)
{
	if (isnan(value))
		snprintf(out, size, "%s", why);
}

static double zero(double x)
{
	return isnan(x) ? 0 : x;
}

/* ---- USE ---- */

static double sum_known(double a, double b)
{
	return isnan(a) ? b : isnan(b) ? a : a + b;
}

/* The second in which least was available. */
static double worst_use(const struct view *v)
{
	double worst = NAN;

	for (size_t i = 0; i < v->nseconds; i++) {
		double use = 1 - system_value(v->seconds[i], M_MEM_AVAILABLE) /
					 system_value(v->seconds[i], M_MEM_TOTAL);

		if (!isnan(use) && !(use <= worst))
			worst = use;
	}
	return worst;
}

/* PSI where there is one; else what the kernel counts when memory is short. */
static double saturation(const struct view *v, const char **unit)
{
	double stalled = system_rate(v->window, M_PSI_MEM_SOME);

	*unit = "s/s stalled";
	if (!isnan(stalled))
		return stalled;
	*unit = "bytes/s swapped or read again";
	return sum_known(sum_known(system_rate(v->window, M_SWAP_IN),
				   system_rate(v->window, M_SWAP_OUT)),
			 system_rate(v->window, M_REFAULT_FILE));
}

static void use_machine(const struct view *v, struct report *out)
{
	double available = system_value(v->window, M_MEM_AVAILABLE),
	       total = system_value(v->window, M_MEM_TOTAL);
	struct use_row *u = report_use(out, RES_MEMORY, "all");

	u->matters = true;
	u->utilization = 1 - available / total;
	u->worst_second = worst_use(v);
	u->saturation = saturation(v, &u->saturation_unit);
	u->errors = sum_known(sum_known(system_delta(v->window, M_OOM_KILL),
					system_delta(v->window, M_ECC_UNCORRECTED)),
			      system_delta(v->window, M_ECC_CORRECTED));
	reason(u->why_utilization, sizeof(u->why_utilization), u->utilization,
	       "no MemAvailable (before 3.14)");
	reason(u->why_saturation, sizeof(u->why_saturation), u->saturation,
	       "neither /proc/pressure nor /proc/vmstat");
	reason(u->why_errors, sizeof(u->why_errors), u->errors,
	       "no oom_kill in /proc/vmstat (before 4.13), no EDAC");
}

static void use_swap(const struct view *v, struct report *out)
{
	double total = last(v, M_SWAP_TOTAL),
	       traffic = sum_known(system_rate(v->window, M_SWAP_IN),
				   system_rate(v->window, M_SWAP_OUT));
	struct use_row *u;

	if (!(total > 0))
		return;
	u = report_use(out, RES_MEMORY, "swap");
	u->matters = traffic > 0;
	u->utilization = 1 - last(v, M_SWAP_FREE) / total;
	u->saturation = traffic;
	u->saturation_unit = "bytes/s in and out";
	snprintf(u->why_errors, sizeof(u->why_errors), "errors of swap are those of its disk");
	reason(u->why_saturation, sizeof(u->why_saturation), traffic,
	       "no pswpin and pswpout in /proc/vmstat");
}

static bool is_node(const char *name)
{
	struct text t = text_of(name);
	uint64_t n;

	return text_skip(&t, "node") && text_is_u64(t, &n);
}

static void use_node(const struct view *v, struct report *out, size_t row)
{
	double total = snapshot_value(v->last, M_NODE_TOTAL, row),
	       room = snapshot_value(v->last, M_NODE_FREE, row);
	size_t w = interval_find(v->window, SCOPE_NUMA, snapshot_id(v->last, SCOPE_NUMA, row));
	struct use_row *u = report_use(out, RES_MEMORY, snapshot_name(v->last, SCOPE_NUMA, row));

	room += zero(snapshot_value(v->last, M_NODE_ACTIVE_FILE, row)) +
		zero(snapshot_value(v->last, M_NODE_INACTIVE_FILE, row)) +
		zero(snapshot_value(v->last, M_NODE_SLAB_RECLAIMABLE, row));
	u->utilization = fmax(0, 1 - room / total);
	u->saturation = interval_rate(v->window, M_NODE_FOREIGN, w);
	u->saturation_unit = "bytes/s placed on other nodes";
	u->matters = u->saturation > 0 && u->utilization > 0.9;
	snprintf(u->why_errors, sizeof(u->why_errors),
		 "errors are counted per controller: see all");
	reason(u->why_utilization, sizeof(u->why_utilization), u->utilization,
	       "no meminfo of the node");
	reason(u->why_saturation, sizeof(u->why_saturation), u->saturation,
	       "no numastat of the node");
}

static void use_pool(const struct view *v, struct report *out, size_t row)
{
	double total = snapshot_value(v->last, M_POOL_TOTAL, row);
	struct use_row *u = report_use(out, RES_MEMORY, snapshot_name(v->last, SCOPE_NUMA, row));

	u->utilization = 1 - snapshot_value(v->last, M_POOL_FREE, row) / total;
	snprintf(u->why_saturation, sizeof(u->why_saturation),
		 "the kernel counts no waits for a pool");
	u->errors = system_delta(v->window, M_HUGETLB_ALLOC_FAIL);
	reason(u->why_errors, sizeof(u->why_errors), u->errors,
	       "no htlb_buddy_alloc_fail in /proc/vmstat");
	reason(u->why_utilization, sizeof(u->why_utilization), u->utilization,
	       "the pool says nothing of its free pages");
}

/* Modules and controllers have errors only. */
static void use_controller(const struct view *v, struct report *out, size_t row)
{
	size_t w = interval_find(v->window, SCOPE_NUMA, snapshot_id(v->last, SCOPE_NUMA, row));
	double errors = sum_known(interval_delta(v->window, M_MC_CORRECTED, w),
				  interval_delta(v->window, M_MC_UNCORRECTED, w));
	struct use_row *u;

	if (!(errors > 0))
		return;
	u = report_use(out, RES_MEMORY, snapshot_name(v->last, SCOPE_NUMA, row));
	u->errors = errors;
	u->matters = true;
	snprintf(u->why_utilization, sizeof(u->why_utilization),
		 "needs counters of the memory controller");
	snprintf(u->why_saturation, sizeof(u->why_saturation),
		 "needs counters of the memory controller");
}

void use_memory(const struct view *v, struct report *out)
{
	size_t n = snapshot_rows(v->last, SCOPE_NUMA), nodes = 0;

	use_machine(v, out);
	use_swap(v, out);
	for (size_t row = 0; row < n; row++)
		nodes += is_node(snapshot_name(v->last, SCOPE_NUMA, row));
	for (size_t row = 0; row < n; row++) {
		if (is_node(snapshot_name(v->last, SCOPE_NUMA, row))) {
			if (nodes > 1)
				use_node(v, out, row);
		} else if (snapshot_value(v->last, M_POOL_TOTAL, row) > 0) {
			use_pool(v, out, row);
		} else {
			use_controller(v, out, row);
		}
	}
}

/* ---- free ---- */

static void put_mib(struct sheet *s, size_t row, unsigned col, double bytes)
{
	sheet_number(s, row, col, bytes / (1 << 20));
}

/* As `free -m` of procps 4: used is total less available, buff/cache holds reclaimable kernel objects, too. */
void step_free(const struct view *v, struct report *out)
{
	static const struct sheet_column columns[] = {
		{ "", "kind", -1, -5 },
		{ "total", "total", 0, 8 },
		{ "used", "used", 0, 8 },
		{ "free", "free", 0, 8 },
		{ "shared", "shared", 0, 8 },
		{ "buff/cache", "buff_cache", 0, 10 },
		{ "available", "available", 0, 9 },
	};
	struct sheet *s = report_sheet(out, "free", "free -m: is memory left? (available counts)",
				       columns, sizeof(columns) / sizeof(*columns));
	double total = last(v, M_MEM_TOTAL), available = last(v, M_MEM_AVAILABLE);
	size_t row;

	if (isnan(total)) {
		snprintf(s->note, sizeof(s->note), "/proc/meminfo cannot be read");
		return;
	}
	row = sheet_row(s, true);
	sheet_text(out, s, row, 0, "Mem:");
	put_mib(s, row, 1, total);
	put_mib(s, row, 2, total - available);
	put_mib(s, row, 3, last(v, M_MEM_FREE));
	put_mib(s, row, 4, last(v, M_MEM_SHMEM));
	put_mib(s, row, 5,
		last(v, M_MEM_BUFFERS) + last(v, M_MEM_CACHED) +
			zero(last(v, M_MEM_SLAB_RECLAIMABLE)));
	put_mib(s, row, 6, available);
	row = sheet_row(s, last(v, M_SWAP_TOTAL) > 0);
	sheet_text(out, s, row, 0, "Swap:");
	put_mib(s, row, 1, last(v, M_SWAP_TOTAL));
	put_mib(s, row, 2, last(v, M_SWAP_TOTAL) - last(v, M_SWAP_FREE));
	put_mib(s, row, 3, last(v, M_SWAP_FREE));
}
