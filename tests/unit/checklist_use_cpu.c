/* SPDX-License-Identifier: Apache-2.0 */
/* USE rows of CPUs, and uptime, vmstat, mpstat: the quantities people know. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/makers.h"
#include "tests/unit/scene.h"
#include "tests/unit/unit.h"

#define WINDOW 10.0

/* Seconds of each mode in the window. */
static struct row_id cpu(struct scene *s, const char *name, double user, double nice, double system,
			 double idle, double iowait, double irq, double softirq, double steal,
			 double guest)
{
	static const enum metric_id one[] = { M_CPU_USER,    M_CPU_NICE,   M_CPU_SYSTEM,
					      M_CPU_IDLE,    M_CPU_IOWAIT, M_CPU_IRQ,
					      M_CPU_SOFTIRQ, M_CPU_STEAL,  M_CPU_GUEST };
	static const enum metric_id all[] = { M_SYS_USER,    M_SYS_NICE,   M_SYS_SYSTEM,
					      M_SYS_IDLE,    M_SYS_IOWAIT, M_SYS_IRQ,
					      M_SYS_SOFTIRQ, M_SYS_STEAL,  M_SYS_GUEST };
	const double v[] = { user, nice, system, idle, iowait, irq, softirq, steal, guest };
	struct row_id row = scene_named(s, SCOPE_CPU, name);

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		uint64_t before = 5000, now = 5000;

		scene_grow(s, one[i], row, v[i]);
		if (snapshot_raw(&s->last, all[i], 0, &now) &&
		    snapshot_raw(&s->first, all[i], 0, &before))
			scene_grow(s, all[i], scene_system, v[i] + (double)(now - before) / 100);
		else
			scene_grow(s, all[i], scene_system, v[i]);
	}
	scene_grow(s, M_CPU_GUEST_NICE, row, 0);
	scene_grow(s, M_SYS_GUEST_NICE, scene_system, 0);
	return row;
}

static struct use_row *use_of(struct report *r, const char *instance)
{
	for (size_t i = 0; i < r->nuse; i++)
		if (!strcmp(r->use[i].instance, instance))
			return &r->use[i];
	unit_fail(__FILE__, __LINE__, "no USE row %s", instance);
}

static int column_of(const struct sheet *s, const char *key)
{
	for (unsigned c = 0; c < s->ncolumns; c++)
		if (!strcmp(s->columns[c].key, key))
			return (int)c;
	unit_fail(__FILE__, __LINE__, "no column %s", key);
}

static double number(const struct sheet *s, size_t row, const char *key)
{
	return s->cells[row * s->ncolumns + (size_t)column_of(s, key)].number;
}

static const char *text(const struct report *r, const struct sheet *s, size_t row, const char *key)
{
	return r->strings.data + s->cells[row * s->ncolumns + (size_t)column_of(s, key)].text;
}

TEST(use_of_cpus_counts_iowait_and_steal_as_not_used)
{
	struct use_row *u;
	struct scene s;

	scene_open(&s, 2, WINDOW);
	cpu(&s, "cpu0", 4, 1, 2, 1, 1, 0.25, 0.25, 0.5, 1);
	cpu(&s, "cpu1", 1, 0, 0, 9, 0, 0, 0, 0, 0);
	scene_level(&s, M_SYS_CPUS, scene_system, 2);
	scene_grow(&s, M_PSI_CPU_SOME, scene_system, 0.5);
	scene_build(&s);
	use_cpu(&s.view, &s.report);
	u = use_of(&s.report, "all");
	CHECK_NEAR(u->utilization, (7.5 + 1) / 20, 1e-6);
	CHECK_NEAR(u->saturation, 0.05, 1e-6);
	CHECK_HAS(u->saturation_unit, "PSI");
	CHECK(u->matters);
	CHECK(isnan(u->errors));
	CHECK(u->why_errors[0]);
	u = use_of(&s.report, "cpu0");
	CHECK_NEAR(u->utilization, 0.75, 1e-6);
	CHECK(u->matters);
	CHECK(isnan(u->saturation));
	CHECK_HAS(u->why_saturation, "SCHEDSTATS");
	u = use_of(&s.report, "cpu1");
	CHECK_NEAR(u->utilization, 0.1, 1e-6);
	CHECK(!u->matters);
	scene_close(&s);
}

TEST(use_of_cpus_takes_waiting_from_schedstat_when_it_is_there)
{
	struct use_row *u;
	struct scene s;

	scene_open(&s, 2, WINDOW);
	scene_grow(&s, M_CPU_RUNNABLE, cpu(&s, "cpu0", 10, 0, 0, 0, 0, 0, 0, 0, 0), 25);
	scene_grow(&s, M_CPU_RUNNABLE, cpu(&s, "cpu1", 10, 0, 0, 0, 0, 0, 0, 0, 0), 15);
	scene_grow(&s, M_CPU_CORE_THROTTLES, scene_named(&s, SCOPE_CPU, "cpu1"), 3);
	scene_level(&s, M_SYS_CPUS, scene_system, 2);
	scene_grow(&s, M_PSI_CPU_SOME, scene_system, 10);
	scene_build(&s);
	use_cpu(&s.view, &s.report);
	u = use_of(&s.report, "all");
	CHECK_NEAR(u->saturation, 4.0, 1e-6);
	CHECK_STR(u->saturation_unit, "s/s waiting");
	CHECK_NEAR(u->errors, 3, 1e-9);
	CHECK_NEAR(use_of(&s.report, "cpu0")->saturation, 2.5, 1e-6);
	CHECK_NEAR(use_of(&s.report, "cpu1")->errors, 3, 1e-9);
	scene_close(&s);
}

TEST(mpstat_shows_guests_beside_user_and_unusual_cpus_matter)
{
	struct scene s;
	struct sheet *sh;

	scene_open(&s, 2, WINDOW);
	cpu(&s, "cpu0", 4, 1, 2, 1, 1, 0.25, 0.25, 0.5, 1);
	cpu(&s, "cpu1", 1, 0, 0, 9, 0, 0, 0, 0, 0);
	scene_level(&s, M_SYS_CPUS, scene_system, 2);
	scene_build(&s);
	step_mpstat(&s.view, &s.report);
	sh = &s.report.sheets[0];
	CHECK_INT((int)sh->nrows, 3);
	CHECK_STR(text(&s.report, sh, 0, "cpu"), "all");
	CHECK_NEAR(number(sh, 0, "usr"), 20, 1e-6); /* (5 - 1 guest) of 20 */
	CHECK_NEAR(number(sh, 0, "guest"), 5, 1e-6);
	CHECK_STR(text(&s.report, sh, 1, "cpu"), "0");
	CHECK_NEAR(number(sh, 1, "usr"), 30, 1e-6);
	CHECK_NEAR(number(sh, 1, "nice"), 10, 1e-6);
	CHECK_NEAR(number(sh, 1, "sys"), 20, 1e-6);
	CHECK_NEAR(number(sh, 1, "iowait"), 10, 1e-6);
	CHECK_NEAR(number(sh, 1, "irq"), 2.5, 1e-6);
	CHECK_NEAR(number(sh, 1, "soft"), 2.5, 1e-6);
	CHECK_NEAR(number(sh, 1, "steal"), 5, 1e-6);
	CHECK_NEAR(number(sh, 1, "idle"), 10, 1e-6);
	CHECK(sh->matters[0]);
	CHECK(sh->matters[1]);
	scene_close(&s);
}

TEST(vmstat_has_a_row_per_second_and_a_mean_that_matters)
{
	struct scene s;
	struct sheet *sh;

	scene_open(&s, 2, WINDOW);
	cpu(&s, "cpu0", 5, 1, 2, 1, 0.5, 0.25, 0.25, 0, 0);
	scene_level(&s, M_SYS_CPUS, scene_system, 1);
	scene_level(&s, M_PROCS_RUNNING, scene_system, 4);
	scene_level(&s, M_PROCS_BLOCKED, scene_system, 2);
	scene_grow(&s, M_INTR, scene_system, 12340);
	scene_grow(&s, M_CTXT, scene_system, 56780);
	scene_grow(&s, M_PAGED_OUT, scene_system, 10240 * 10);
	scene_level(&s, M_MEM_FREE, scene_system, 1 << 20);
	scene_level(&s, M_SWAP_TOTAL, scene_system, 4096 * 100);
	scene_level(&s, M_SWAP_FREE, scene_system, 4096 * 75);
	scene_build(&s);
	step_vmstat(&s.view, &s.report);
	sh = &s.report.sheets[0];
	CHECK_INT((int)sh->nrows, 11);
	CHECK(!sh->matters[0]);
	CHECK(sh->matters[10]);
	CHECK_STR(text(&s.report, sh, 0, "second"), "1");
	CHECK_STR(text(&s.report, sh, 10, "second"), "mean");
	CHECK_NEAR(number(sh, 10, "r"), 3, 1e-6);
	CHECK_NEAR(number(sh, 10, "b"), 2, 1e-6);
	CHECK_NEAR(number(sh, 10, "in"), 1234, 1e-6);
	CHECK_NEAR(number(sh, 10, "cs"), 5678, 1e-6);
	CHECK_NEAR(number(sh, 10, "us"), 60, 1e-6);
	CHECK_NEAR(number(sh, 10, "sy"), 25, 1e-6);
	CHECK_NEAR(number(sh, 10, "wa"), 5, 1e-6);
	CHECK_NEAR(number(sh, 10, "free"), 1024, 1e-6);
	CHECK_NEAR(number(sh, 10, "swpd"), 100, 1e-6);
	CHECK_NEAR(number(sh, 10, "bo"), 10, 1e-6);
	CHECK(isnan(number(sh, 10, "si")));
	CHECK_NEAR(number(sh, 3, "cs"), 5678, 1);
	scene_close(&s);
}

TEST(uptime_says_whether_it_was_worse_before)
{
	static const struct {
		double load1, load5, load15;
		const char *trend;
	} cases[] = {
		{ 8, 4, 1, "rising" },
		{ 0.1, 0.1, 0.1, "steady" },
		{ 2, 2.1, 2, "steady" },
		{ 0.2, 3, 12, "falling: it was worse before the window" },
		{ 0.1, 0.4, 0.6, "falling" },
		{ 0.3, 6, 0.5, "falling: it was worse before the window" },
		{ 4, 4.1, 1, "higher than 15 minutes ago" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct scene s;
		struct sheet *sh;

		scene_open(&s, 2, WINDOW);
		scene_level(&s, M_LOAD1, scene_system, cases[i].load1);
		scene_level(&s, M_LOAD5, scene_system, cases[i].load5);
		scene_level(&s, M_LOAD15, scene_system, cases[i].load15);
		scene_build(&s);
		step_uptime(&s.view, &s.report);
		sh = &s.report.sheets[0];
		CHECK_STR(text(&s.report, sh, 0, "trend"), cases[i].trend);
		CHECK_NEAR(number(sh, 0, "load5"), cases[i].load5, 1e-6);
		CHECK_STR(text(&s.report, sh, 0, "up"), "0 d 00:16");
		scene_close(&s);
	}
}

TEST(a_cpu_that_went_offline_has_a_row_that_says_so)
{
	struct use_row *u;
	struct scene s;

	scene_open(&s, 2, WINDOW);
	cpu(&s, "cpu0", 1, 0, 0, 9, 0, 0, 0, 0, 0);
	snapshot_named_row(&s.first, SCOPE_CPU, "cpu1", 4);
	scene_level(&s, M_SYS_CPUS, scene_system, 1);
	scene_build(&s);
	use_cpu(&s.view, &s.report);
	step_mpstat(&s.view, &s.report);
	u = use_of(&s.report, "cpu1");
	CHECK(isnan(u->utilization));
	CHECK_HAS(u->why_utilization, "offline");
	CHECK_INT((int)s.report.sheets[0].nrows, 2);
	scene_close(&s);
}

TEST(a_resource_is_not_ruled_out_when_a_rule_found_something)
{
	struct scene s;

	scene_open(&s, 2, WINDOW);
	cpu(&s, "cpu0", 1, 0, 0, 9, 0, 0, 0, 0, 0);
	scene_level(&s, M_SYS_CPUS, scene_system, 1);
	scene_build(&s);
	scene_judge(&s, "cpu.saturated");
	CHECK_INT((int)s.report.findings.ncleared, 1);
	finding_add(&s.report.findings, "cpu.syscall_storm", RES_CPU, ASPECT_RATE)->impact.wasted =
		0.5;
	checklist_conclude(&s.view, &s.report);
	for (size_t i = 0; i < s.report.findings.ncleared; i++)
		CHECK(s.report.findings.cleared[i].resource != RES_CPU);
	scene_close(&s);
}

TEST(nothing_read_gives_rows_with_reasons_and_no_crash)
{
	struct scene s;

	scene_open(&s, 2, WINDOW);
	scene_build(&s);
	use_cpu(&s.view, &s.report);
	step_uptime(&s.view, &s.report);
	step_vmstat(&s.view, &s.report);
	step_mpstat(&s.view, &s.report);
	CHECK(isnan(use_of(&s.report, "all")->utilization));
	CHECK(use_of(&s.report, "all")->why_utilization[0]);
	CHECK(use_of(&s.report, "all")->why_saturation[0]);
	CHECK_STR(text(&s.report, &s.report.sheets[0], 0, "trend"), "unknown");
	scene_close(&s);
}
