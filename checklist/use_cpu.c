/* SPDX-License-Identifier: Apache-2.0 */
/* USE of CPUs; uptime, vmstat, mpstat. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/cpu.h"
#include "checklist/makers.h"
#include "checklist/rule.h"

/* ---- USE ---- */

/* Heat and machine checks, where the machine counts them. NaN when it counts neither. */
static double cpu_errors(const struct view *v, size_t row)
{
	static const enum metric_id ids[] = { M_CPU_CORE_THROTTLES, M_CPU_PACKAGE_THROTTLES,
					      M_CPU_IRQ_MCE, M_CPU_IRQ_THERMAL };
	double sum = NAN;

	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		double d = interval_delta(v->window, ids[i], row);

		if (!isnan(d))
			sum = (isnan(sum) ? 0 : sum) + d;
	}
	return sum;
}

static void why(char *out, size_t size, double value, const char *reason)
{
	if (isnan(value))
		snprintf(out, size, "%s", reason);
}

static struct use_row *add_cpu(const struct view *v, struct report *out, size_t row)
{
	const struct interval *iv = v->window;
	struct use_row *u = report_use(out, RES_CPU, interval_name(iv, SCOPE_CPU, row));

	u->utilization = interval_value(iv, M_CPU_BUSY, row);
	u->worst_second = view_worst(v, M_CPU_BUSY, interval_row(iv, SCOPE_CPU, row)->id);
	u->saturation = interval_rate(iv, M_CPU_RUNNABLE, row);
	u->saturation_unit = "s/s waiting";
	u->errors = cpu_errors(v, row);
	why(u->why_utilization, sizeof(u->why_utilization), u->utilization,
	    interval_row(iv, SCOPE_CPU, row)->gone ? "went offline in the window"
						   : why_text(interval_why(iv, M_CPU_BUSY, row)));
	why(u->why_saturation, sizeof(u->why_saturation), u->saturation,
	    "per CPU only with CONFIG_SCHEDSTATS: see all");
	why(u->why_errors, sizeof(u->why_errors), u->errors,
	    "no thermal or machine check counters");
	return u;
}

static void add_all(const struct view *v, struct report *out)
{
	struct use_row *u = report_use(out, RES_CPU, "all");
	const struct row_id system = { 0 };
	const char *source;
	double sum = NAN;

	for (size_t c = 0; c < interval_rows(v->window, SCOPE_CPU); c++) {
		double e = cpu_errors(v, c);

		if (!isnan(e))
			sum = (isnan(sum) ? 0 : sum) + e;
	}
	u->utilization = system_value(v->window, M_SYS_BUSY);
	u->worst_second = view_worst(v, M_SYS_BUSY, system);
	u->saturation = cpu_waiting(v, &source);
	u->saturation_unit = source;
	u->errors = sum;
	u->matters = true;
	why(u->why_utilization, sizeof(u->why_utilization), u->utilization,
	    why_text(interval_why(v->window, M_SYS_BUSY, 0)));
	why(u->why_saturation, sizeof(u->why_saturation), u->saturation,
	    "needs /proc/pressure, schedstat or root");
	why(u->why_errors, sizeof(u->why_errors), u->errors,
	    "no thermal or machine check counters");
}

void use_cpu(const struct view *v, struct report *out)
{
	size_t n = interval_rows(v->window, SCOPE_CPU), worst = SIZE_MAX, first = out->nuse + 1,
	       at = 0;
	double most = -1;

	add_all(v, out);
	for (size_t c = 0; c < n; c++) {
		if (isnan(interval_rate(v->window, M_CPU_IDLE, c)) &&
		    !interval_row(v->window, SCOPE_CPU, c)->gone)
			continue; /* known to softirqs only: not online */
		if (interval_value(v->window, M_CPU_BUSY, c) > most) {
			most = interval_value(v->window, M_CPU_BUSY, c);
			worst = at;
		}
		add_cpu(v, out, c);
		at++;
	}
	if (worst != SIZE_MAX && at > 1)
		out->use[first + worst].matters = true;
}

/* ---- uptime ---- */

/* Where the load goes, and what that says about the time before the window. */
static const char *trend(double load1, double load5, double load15, double cpus)
{
	if (isnan(load1) || isnan(load15))
		return "unknown";
	if (load1 > 1.3 * load15 + 0.3)
		return load1 > 1.3 * load5 + 0.3 ? "rising" : "higher than 15 minutes ago";
	if (load15 > 1.3 * load1 + 0.3)
		return load15 > cpus ? "falling: it was worse before the window" : "falling";
	if (load5 > 1.3 * load1 + 0.3 && load5 > cpus)
		return "falling: it was worse before the window";
	return "steady";
}

void step_uptime(const struct view *v, struct report *out)
{
	static const struct sheet_column columns[] = {
		{ "up", "up", -1, -14 },    { "load1", "load1", 2, 6 },
		{ "load5", "load5", 2, 6 }, { "load15", "load15", 2, 6 },
		{ "CPUs", "cpus", 0, 4 },   { "trend", "trend", -1, -10 },
	};
	struct sheet *s = report_sheet(out, "uptime", "how much wants to run, rising or falling?",
				       columns, sizeof(columns) / sizeof(*columns));
	double load[3] = { interval_last(v->window, M_LOAD1, 0),
			   interval_last(v->window, M_LOAD5, 0),
			   interval_last(v->window, M_LOAD15, 0) };
	double up = (double)v->last->time_ns * 1e-9;
	size_t row = sheet_row(s, true);
	char text[48];

	snprintf(text, sizeof(text), "%.0f d %02d:%02d", floor(up / 86400),
		 (int)fmod(up / 3600, 24), (int)fmod(up / 60, 60));
	sheet_text(out, s, row, 0, text);
	for (unsigned i = 0; i < 3; i++)
		sheet_number(s, row, 1 + i, load[i]);
	sheet_number(s, row, 4, interval_last(v->window, M_SYS_CPUS, 0));
	sheet_text(out, s, row, 5, trend(load[0], load[1], load[2], v->host->cpus));
}

/* ---- vmstat ---- */

/* Part of all CPU time, in percent, as vmstat and mpstat divide: by what was counted, not by the clock. */
static double percent(double part, double all)
{
	return all > 0 ? 100 * part / all : NAN;
}

static double sum_modes(const struct interval *iv, const enum metric_id *ids, size_t n, size_t row)
{
	double sum = NAN;

	for (size_t i = 0; i < n; i++) {
		double x = interval_rate(iv, ids[i], row);

		if (!isnan(x))
			sum = (isnan(sum) ? 0 : sum) + x;
	}
	return sum;
}

static const enum metric_id system_modes[] = {
	M_SYS_USER,   M_SYS_NICE, M_SYS_SYSTEM,  M_SYS_IDLE,
	M_SYS_IOWAIT, M_SYS_IRQ,  M_SYS_SOFTIRQ, M_SYS_STEAL
};
static const enum metric_id cpu_modes[] = { M_CPU_USER,   M_CPU_NICE, M_CPU_SYSTEM,  M_CPU_IDLE,
					    M_CPU_IOWAIT, M_CPU_IRQ,  M_CPU_SOFTIRQ, M_CPU_STEAL };
#define MODES (sizeof(cpu_modes) / sizeof(*cpu_modes))

static double kib(const struct interval *iv, enum metric_id id)
{
	return interval_last(iv, id, 0) / 1024;
}

static double kib_rate(const struct interval *iv, enum metric_id id)
{
	return interval_rate(iv, id, 0) / 1024;
}

/* sixty itself runs while it counts those who run. */
static double others_running(const struct interval *iv)
{
	double r = interval_mean(iv, M_PROCS_RUNNING, 0);

	return r > 1 ? r - 1 : isnan(r) ? NAN : 0;
}

static void vmstat_row(struct report *out, struct sheet *s, const struct interval *iv,
		       const char *name, bool matters)
{
	double all = sum_modes(iv, system_modes, MODES, 0);
	double user = sum_modes(iv, (enum metric_id[]){ M_SYS_USER, M_SYS_NICE }, 2, 0);
	double system =
		sum_modes(iv, (enum metric_id[]){ M_SYS_SYSTEM, M_SYS_IRQ, M_SYS_SOFTIRQ }, 3, 0);
	double cache = kib(iv, M_MEM_CACHED), slab = kib(iv, M_MEM_SLAB_RECLAIMABLE);
	size_t row = sheet_row(s, matters);
	const double cells[] = {
		others_running(iv),
		interval_mean(iv, M_PROCS_BLOCKED, 0),
		kib(iv, M_SWAP_TOTAL) - kib(iv, M_SWAP_FREE),
		kib(iv, M_MEM_FREE),
		kib(iv, M_MEM_BUFFERS),
		cache + (isnan(slab) ? 0 : slab),
		kib_rate(iv, M_SWAP_IN),
		kib_rate(iv, M_SWAP_OUT),
		kib_rate(iv, M_PAGED_IN),
		kib_rate(iv, M_PAGED_OUT),
		system_rate(iv, M_INTR),
		system_rate(iv, M_CTXT),
		percent(user, all),
		percent(system, all),
		percent(system_rate(iv, M_SYS_IDLE), all),
		percent(system_rate(iv, M_SYS_IOWAIT), all),
		percent(system_rate(iv, M_SYS_STEAL), all),
	};

	sheet_text(out, s, row, 0, name);
	for (unsigned c = 0; c < sizeof(cells) / sizeof(*cells); c++)
		sheet_number(s, row, 1 + c, cells[c]);
}

void step_vmstat(const struct view *v, struct report *out)
{
	static const struct sheet_column columns[] = {
		{ "second", "second", -1, -6 }, { "r", "r", 0, 2 },       { "b", "b", 0, 2 },
		{ "swpd", "swpd", 0, 6 },       { "free", "free", 0, 8 }, { "buff", "buff", 0, 6 },
		{ "cache", "cache", 0, 8 },     { "si", "si", 0, 4 },     { "so", "so", 0, 4 },
		{ "bi", "bi", 0, 6 },           { "bo", "bo", 0, 6 },     { "in", "in", 0, 6 },
		{ "cs", "cs", 0, 6 },           { "us", "us", 0, 3 },     { "sy", "sy", 0, 3 },
		{ "id", "id", 0, 3 },           { "wa", "wa", 0, 3 },     { "st", "st", 0, 3 },
	};
	struct sheet *s = report_sheet(out, "vmstat", "who runs, waits, swaps (KiB, KiB/s)",
				       columns, sizeof(columns) / sizeof(*columns));
	char name[16];

	for (size_t i = 0; i < v->nseconds; i++) {
		snprintf(name, sizeof(name), "%zu", i + 1);
		vmstat_row(out, s, v->seconds[i], name, false);
	}
	vmstat_row(out, s, v->window, "mean", true);
}

/* ---- mpstat ---- */

static void mpstat_row(struct report *out, struct sheet *s, const char *name, const double *rate,
		       double guest, double guest_nice, bool matters)
{
	size_t row = sheet_row(s, matters);
	double all = 0, g = guest > 0 ? guest : 0, gn = guest_nice > 0 ? guest_nice : 0;

	for (size_t i = 0; i < MODES; i++)
		all += isnan(rate[i]) ? 0 : rate[i];
	/* guests are counted inside user and nice by the kernel, beside them by mpstat */
	const double cells[] = {
		rate[0] - g, rate[1] - gn, rate[2], rate[4],    rate[5],
		rate[6],     rate[7],      guest,   guest_nice, rate[3],
	};

	sheet_text(out, s, row, 0, name);
	for (unsigned c = 0; c < sizeof(cells) / sizeof(*cells); c++)
		sheet_number(s, row, 1 + c,
			     isnan(cells[c]) ? NAN : percent(fmax(0, cells[c]), all));
}

/* Does this CPU differ from the others, or do something a CPU should do little of? */
static bool unusual(const struct view *v, size_t row, double mean)
{
	double busy = interval_value(v->window, M_CPU_BUSY, row);
	double irq = sum_modes(v->window, (enum metric_id[]){ M_CPU_IRQ, M_CPU_SOFTIRQ }, 2, row);

	return fabs(busy - mean) > 0.2 || irq > 0.1 ||
	       interval_rate(v->window, M_CPU_STEAL, row) > 0.05;
}

void step_mpstat(const struct view *v, struct report *out)
{
	static const struct sheet_column columns[] = {
		{ "CPU", "cpu", -1, -5 },      { "%usr", "usr", 1, 5 },
		{ "%nice", "nice", 1, 5 },     { "%sys", "sys", 1, 5 },
		{ "%iowait", "iowait", 1, 7 }, { "%irq", "irq", 1, 5 },
		{ "%soft", "soft", 1, 5 },     { "%steal", "steal", 1, 6 },
		{ "%guest", "guest", 1, 6 },   { "%gnice", "gnice", 1, 6 },
		{ "%idle", "idle", 1, 5 },
	};
	struct sheet *s = report_sheet(out, "mpstat", "is one CPU busier than the others?", columns,
				       sizeof(columns) / sizeof(*columns));
	const struct interval *iv = v->window;
	double rate[MODES], mean = system_value(iv, M_SYS_BUSY);

	for (size_t i = 0; i < MODES; i++)
		rate[i] = system_rate(iv, system_modes[i]);
	mpstat_row(out, s, "all", rate, system_rate(iv, M_SYS_GUEST),
		   system_rate(iv, M_SYS_GUEST_NICE), true);
	for (size_t c = 0; c < interval_rows(iv, SCOPE_CPU); c++) {
		const char *name = interval_name(iv, SCOPE_CPU, c);

		for (size_t i = 0; i < MODES; i++)
			rate[i] = interval_rate(iv, cpu_modes[i], c);
		if (isnan(rate[3]))
			continue;
		mpstat_row(out, s, strlen(name) > 3 ? name + 3 : name, rate,
			   interval_rate(iv, M_CPU_GUEST, c),
			   interval_rate(iv, M_CPU_GUEST_NICE, c), unusual(v, c, mean));
	}
}
