/* SPDX-License-Identifier: Apache-2.0 */
/* Control groups as rules ask about them, and the CPU quota. */
#include "checklist/cgroup.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/scene.h"
#include "tests/unit/unit.h"

static struct row_id group(struct scene *s, const char *controllers, const char *path)
{
	char name[256];
	struct row_id g;

	snprintf(name, sizeof(name), "%s%s%s", controllers, *controllers ? ":" : "", path);
	g = scene_named(s, SCOPE_CGROUP, name);
	scene_text(s, M_CG_PATH, g, path);
	scene_text(s, M_CG_CONTROLLERS, g, controllers);
	scene_text(s, M_CG_DIR, g, "sys/fs/cgroup/x");
	scene_level(s, M_CG_GROUPS, scene_system, 1);
	return g;
}

static size_t row(struct scene *s, const char *name)
{
	return snapshot_find_name(&s->last, SCOPE_CGROUP, name);
}

TEST(a_process_is_found_in_the_hierarchy_that_carries_the_controller)
{
	struct scene s;
	struct row_id p;

	scene_open(&s, 2, 10);
	group(&s, "memory", "/m");
	group(&s, "cpu,cpuacct", "/c");
	group(&s, "", "/u");
	p = scene_process(&s, 10, "app");
	scene_text(&s, M_PROC_CGROUP, p, "4:memory:/m/leaf\n3:cpu,cpuacct:/c\n0::/u");
	group(&s, "memory", "/m/leaf");
	scene_build(&s);
	CHECK_UINT(cgroup_of(&s.view, p, "memory"), row(&s, "memory:/m/leaf"));
	CHECK_UINT(cgroup_of(&s.view, p, "cpuacct"), row(&s, "cpu,cpuacct:/c"));
	CHECK_UINT(cgroup_of(&s.view, p, "pids"), row(&s, "/u"));
	CHECK_UINT(cgroup_parent(&s.view, row(&s, "memory:/m/leaf")), row(&s, "memory:/m"));
	CHECK(cgroup_parent(&s.view, row(&s, "memory:/m")) == CGROUP_NONE);
	CHECK(cgroup_contains(&s.view, row(&s, "memory:/m"), p));
	CHECK(cgroup_contains(&s.view, row(&s, "/u"), p));
	CHECK(!cgroup_contains(&s.view, row(&s, "cpu,cpuacct:/c"), scene_process(&s, 11, "other")));
	scene_close(&s);
}

TEST(a_path_that_begins_alike_is_another_group)
{
	struct scene s;
	struct row_id p;

	scene_open(&s, 2, 10);
	group(&s, "", "/svc");
	p = scene_process(&s, 10, "app");
	scene_text(&s, M_PROC_CGROUP, p, "0::/svc-other");
	group(&s, "", "/svc-other");
	scene_build(&s);
	CHECK(!cgroup_contains(&s.view, row(&s, "/svc"), p));
	CHECK(!cgroup_is_above(&s.view, row(&s, "/svc"), row(&s, "/svc-other")));
	scene_close(&s);
}

TEST(the_tightest_limit_may_be_an_ancestors)
{
	struct scene s;
	size_t where = CGROUP_NONE;
	struct row_id top, leaf;

	scene_open(&s, 2, 10);
	top = group(&s, "", "/a");
	leaf = group(&s, "", "/a/b");
	scene_level(&s, M_CG_MEM_LIMIT, top, 1 << 20);
	scene_level(&s, M_CG_MEM_LIMIT, leaf, INFINITY);
	scene_build(&s);
	CHECK_NEAR(cgroup_tightest(&s.view, M_CG_MEM_LIMIT, row(&s, "/a/b"), &where), 1 << 20, 0);
	CHECK_UINT(where, row(&s, "/a"));
	CHECK(isnan(cgroup_tightest(&s.view, M_CG_PIDS_MAX, row(&s, "/a/b"), NULL)));
	scene_close(&s);
}

TEST(limits_of_devices_hold_for_the_groups_below)
{
	struct scene s;
	size_t rows[4];
	struct row_id dev;

	scene_open(&s, 2, 10);
	group(&s, "", "/a");
	group(&s, "", "/a/b");
	dev = scene_named(&s, SCOPE_CGROUP, "/a [vda]");
	scene_text(&s, M_CG_PATH, dev, "/a");
	scene_text(&s, M_CG_CONTROLLERS, dev, "");
	scene_text(&s, M_CG_IO_DEVICE, dev, "vda");
	scene_build(&s);
	CHECK_UINT(cgroup_io_limits(&s.view, row(&s, "/a/b"), rows, 4), 1);
	CHECK_STR(cgroup_device(&s.view, rows[0]), "vda");
	CHECK_UINT(cgroup_parent(&s.view, rows[0]), row(&s, "/a"));
	CHECK_UINT(cgroup_device_row(&s.view, row(&s, "/a"), "vda"), rows[0]);
	CHECK(cgroup_device_row(&s.view, row(&s, "/a/b"), "vda") == CGROUP_NONE);
	scene_close(&s);
}

TEST(a_counter_that_did_not_move_is_zero_and_one_that_is_not_there_is_unknown)
{
	struct scene s;
	struct row_id quiet, busy;

	scene_open(&s, 2, 10);
	quiet = group(&s, "", "/quiet");
	busy = group(&s, "", "/busy");
	scene_grow(&s, M_CG_CPU_THROTTLED, quiet, 0);
	scene_grow(&s, M_CG_CPU_THROTTLED, busy, 12);
	scene_build(&s);
	CHECK_NEAR(cgroup_delta(&s.view, M_CG_CPU_THROTTLED, row(&s, "/quiet")), 0, 0);
	CHECK_NEAR(cgroup_delta(&s.view, M_CG_CPU_THROTTLED, row(&s, "/busy")), 12, 0);
	CHECK_NEAR(cgroup_rate(&s.view, M_CG_CPU_THROTTLED, row(&s, "/busy")), 1.2, 1e-9);
	CHECK(isnan(cgroup_delta(&s.view, M_CG_MEM_OOM_KILLS, row(&s, "/busy"))));
	CHECK(isnan(cgroup_delta(&s.view, M_CG_CPU_THROTTLED, CGROUP_NONE)));
	scene_close(&s);
}

TEST(a_group_made_in_the_window_counted_from_zero)
{
	struct scene s;
	size_t r;

	scene_open(&s, 2, 10);
	group(&s, "", "/old");
	r = snapshot_named_row(&s.last, SCOPE_CGROUP, "/new", 4);
	snapshot_set(&s.last, M_CG_MEM_OOM_KILLS, r, 3, 1);
	scene_build(&s);
	CHECK_NEAR(cgroup_delta(&s.view, M_CG_MEM_OOM_KILLS, row(&s, "/new")), 3, 0);
	scene_close(&s);
}

/* ---- cpu.cgroup_throttled ---- */

struct quota {
	double quota, periods, throttled, time; /* of the group */
	double waited, ran;                     /* of its process */
	double idle;                            /* of the machine, seconds */
	int nice;
};

static void throttle(struct scene *s, const char *controllers, const char *path, const char *cgroup,
		     const struct quota *q)
{
	struct row_id g, p, t;

	scene_open(s, 2, 10);
	g = group(s, controllers, path);
	scene_level(s, M_CG_CPU_QUOTA, g, q->quota);
	scene_level(s, M_CG_CPU_PERIOD, g, 0.1);
	scene_grow(s, M_CG_CPU_PERIODS, g, q->periods);
	scene_grow(s, M_CG_CPU_THROTTLED, g, q->throttled);
	scene_grow(s, M_CG_CPU_THROTTLED_TIME, g, q->time);
	p = scene_process(s, 4242, "billingd");
	t = scene_thread(s, 4242, 4242, "billingd");
	scene_text(s, M_PROC_CGROUP, p, cgroup);
	scene_level(s, M_PROC_NICE, p, q->nice);
	scene_grow(s, M_PROC_USER, p, q->ran);
	scene_grow(s, M_THREAD_USER, t, q->ran);
	scene_grow(s, M_THREAD_RUNNABLE, t, q->waited);
	scene_grow(s, M_SYS_IDLE, scene_system, q->idle);
	scene_grow(s, M_SYS_IOWAIT, scene_system, 0);
	scene_grow(s, M_SYS_STEAL, scene_system, 0);
	scene_level(s, M_SYS_CPUS, scene_system, 2);
	scene_judge(s, "cpu.cgroup_throttled");
}

TEST(a_quota_that_runs_out_names_group_and_process)
{
	struct quota q = { .quota = 0.025,
			   .periods = 100,
			   .throttled = 98,
			   .time = 7,
			   .waited = 30,
			   .ran = 2.5,
			   .idle = 17 };
	const struct finding *f;
	struct scene s;

	throttle(&s, "cpu", "/svc", "1:cpu:/svc", &q);
	f = scene_finding(&s, "cpu.cgroup_throttled");
	CHECK(f != NULL);
	CHECK_NEAR(f->impact.lost, 3.0, 1e-6);
	CHECK_STR(f->instance, "/svc");
	CHECK_INT(f->offenders[0].kind, PARTY_CGROUP);
	CHECK_STR(f->offenders[0].name, "/svc");
	CHECK_STR(f->offenders[1].name, "billingd");
	CHECK_INT(f->victims[0].pid, 4242);
	CHECK_HAS(f->summary, "0.25 CPUs");
	CHECK_HAS(f->summary, "98 %");
	scene_close(&s);
}

TEST(the_group_with_the_quota_is_named_when_the_process_lives_below_it)
{
	struct quota q = { .quota = 0.1,
			   .periods = 100,
			   .throttled = 50,
			   .time = 4,
			   .waited = 10,
			   .ran = 8,
			   .idle = 10 };
	struct scene s;

	throttle(&s, "", "/pod", "0::/pod/container/leaf", &q);
	CHECK(scene_finding(&s, "cpu.cgroup_throttled") != NULL);
	CHECK_STR(scene_finding(&s, "cpu.cgroup_throttled")->offenders[0].name, "/pod");
	CHECK_INT(scene_finding(&s, "cpu.cgroup_throttled")->victims[0].pid, 4242);
	scene_close(&s);
}

TEST(a_quota_that_never_runs_out_is_silent)
{
	struct quota q = { .quota = 0.1,
			   .periods = 100,
			   .throttled = 0,
			   .time = 0,
			   .waited = 10,
			   .ran = 8,
			   .idle = 10 };
	struct scene s;

	throttle(&s, "", "/pod", "0::/pod", &q);
	CHECK(!scene_finding(&s, "cpu.cgroup_throttled"));
	scene_close(&s);
}

TEST(a_quota_that_holds_back_niced_work_is_silent)
{
	struct quota q = { .quota = 0.1,
			   .periods = 100,
			   .throttled = 90,
			   .time = 9,
			   .waited = 20,
			   .ran = 8,
			   .idle = 10,
			   .nice = 10 };
	struct scene s;

	throttle(&s, "", "/batch", "0::/batch", &q);
	CHECK(!scene_finding(&s, "cpu.cgroup_throttled"));
	scene_close(&s);
}

TEST(a_moment_of_throttling_that_costs_nobody_anything_is_silent)
{
	struct quota q = { .quota = 0.1,
			   .periods = 100,
			   .throttled = 3,
			   .time = 0.02,
			   .waited = 0.05,
			   .ran = 8,
			   .idle = 10 };
	struct scene s;

	throttle(&s, "", "/pod", "0::/pod", &q);
	CHECK(!scene_finding(&s, "cpu.cgroup_throttled"));
	scene_close(&s);
}

TEST(on_a_full_machine_only_what_the_kernel_counted_is_the_quotas)
{
	struct quota q = { .quota = 0.1,
			   .periods = 100,
			   .throttled = 90,
			   .time = 5,
			   .waited = 60,
			   .ran = 9,
			   .idle = 0.2 };
	struct scene s;

	throttle(&s, "", "/pod", "0::/pod", &q);
	CHECK(scene_finding(&s, "cpu.cgroup_throttled") != NULL);
	CHECK_NEAR(scene_finding(&s, "cpu.cgroup_throttled")->impact.lost, 0.5, 1e-6);
	scene_close(&s);
}

TEST(without_control_groups_throttling_is_unknown)
{
	struct scene s;

	scene_open(&s, 2, 10);
	scene_level(&s, M_MEM_TOTAL, scene_system, 1 << 30);
	scene_build(&s);
	checklist_ask(&s.view, &s.report.findings);
	CHECK(scene_unknown(&s, "cpu.cgroup_throttled") != NULL);
	scene_close(&s);
}
