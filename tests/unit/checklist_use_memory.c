/* SPDX-License-Identifier: Apache-2.0 */
/* USE rows of memory and of limits, and free. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/makers.h"
#include "tests/unit/scene.h"
#include "tests/unit/unit.h"

#define MIB (1024.0 * 1024)

static const struct use_row *use_of(const struct scene *s, const char *instance)
{
	for (size_t i = 0; i < s->report.nuse; i++)
		if (!strcmp(s->report.use[i].instance, instance))
			return &s->report.use[i];
	return NULL;
}

TEST(memory_in_use_is_what_is_not_available)
{
	struct scene s;

	scene_open(&s, 2, 10);
	scene_level(&s, M_MEM_TOTAL, scene_system, 1000 * MIB);
	scene_move(&s, M_MEM_AVAILABLE, scene_system, 800 * MIB, 600 * MIB);
	scene_grow(&s, M_PSI_MEM_SOME, scene_system, 2);
	scene_grow(&s, M_OOM_KILL, scene_system, 3);
	scene_build(&s);
	use_memory(&s.view, &s.report);
	CHECK_NEAR(use_of(&s, "all")->utilization, 0.3, 1e-6);
	CHECK_NEAR(use_of(&s, "all")->worst_second, 0.39,
		   1e-6); /* of the last, in which 620 to 600 were left */
	CHECK_NEAR(use_of(&s, "all")->saturation, 0.2, 1e-6);
	CHECK_STR(use_of(&s, "all")->saturation_unit, "s/s stalled");
	CHECK_NEAR(use_of(&s, "all")->errors, 3, 0);
	CHECK(!use_of(&s, "swap"));
	scene_close(&s);
}

TEST(what_memory_does_not_tell_has_a_reason)
{
	struct scene s;

	scene_open(&s, 2, 10);
	scene_build(&s);
	use_memory(&s.view, &s.report);
	step_free(&s.view, &s.report);
	CHECK(isnan(use_of(&s, "all")->utilization));
	CHECK(use_of(&s, "all")->why_utilization[0]);
	CHECK(use_of(&s, "all")->why_saturation[0]);
	CHECK(use_of(&s, "all")->why_errors[0]);
	CHECK_HAS(s.report.sheets[0].note, "cannot be read");
	scene_close(&s);
}

TEST(swap_nodes_and_pools_have_rows_when_they_are_there)
{
	struct scene s;
	struct row_id row;

	scene_open(&s, 2, 10);
	scene_level(&s, M_SWAP_TOTAL, scene_system, 100 * MIB);
	scene_level(&s, M_SWAP_FREE, scene_system, 25 * MIB);
	scene_grow(&s, M_SWAP_IN, scene_system, 10 * MIB);
	scene_grow(&s, M_SWAP_OUT, scene_system, 20 * MIB);
	for (int i = 0; i < 2; i++) {
		row = scene_named(&s, SCOPE_NUMA, i ? "node1" : "node0");
		scene_level(&s, M_NODE_TOTAL, row, 1000 * MIB);
		scene_level(&s, M_NODE_FREE, row, 100 * MIB);
		scene_level(&s, M_NODE_ACTIVE_FILE, row, 150 * MIB);
	}
	scene_named(&s, SCOPE_NUMA, "node0/Normal");
	row = scene_named(&s, SCOPE_NUMA, "pool 2048kB");
	scene_level(&s, M_POOL_TOTAL, row, 10);
	scene_level(&s, M_POOL_FREE, row, 4);
	scene_build(&s);
	use_memory(&s.view, &s.report);
	CHECK_NEAR(use_of(&s, "swap")->utilization, 0.75, 1e-6);
	CHECK_NEAR(use_of(&s, "swap")->saturation, 3 * MIB, 4096);
	CHECK_NEAR(use_of(&s, "node1")->utilization, 0.75, 1e-6);
	CHECK_NEAR(use_of(&s, "pool 2048kB")->utilization, 0.6, 1e-6);
	CHECK(!use_of(&s, "node0/Normal"));
	scene_close(&s);
}

TEST(free_shows_what_free_shows)
{
	struct scene s;
	const struct sheet *sheet;

	scene_open(&s, 2, 10);
	scene_level(&s, M_MEM_TOTAL, scene_system, 1000 * MIB);
	scene_level(&s, M_MEM_AVAILABLE, scene_system, 700 * MIB);
	scene_level(&s, M_MEM_FREE, scene_system, 100 * MIB);
	scene_level(&s, M_MEM_SHMEM, scene_system, 5 * MIB);
	scene_level(&s, M_MEM_BUFFERS, scene_system, 10 * MIB);
	scene_level(&s, M_MEM_CACHED, scene_system, 500 * MIB);
	scene_level(&s, M_MEM_SLAB_RECLAIMABLE, scene_system, 90 * MIB);
	scene_level(&s, M_SWAP_TOTAL, scene_system, 0);
	scene_level(&s, M_SWAP_FREE, scene_system, 0);
	scene_build(&s);
	step_free(&s.view, &s.report);
	sheet = &s.report.sheets[0];
	CHECK_UINT(sheet->nrows, 2);
	CHECK_NEAR(sheet->cells[1].number, 1000, 1e-6);
	CHECK_NEAR(sheet->cells[2].number, 300, 1e-6);
	CHECK_NEAR(sheet->cells[3].number, 100, 1e-6);
	CHECK_NEAR(sheet->cells[5].number, 600, 1e-6);
	CHECK_NEAR(sheet->cells[6].number, 700, 1e-6);
	CHECK(!sheet->matters[1]);
	scene_close(&s);
}

static struct row_id group(struct scene *s, const char *path)
{
	struct row_id g = scene_named(s, SCOPE_CGROUP, path);

	scene_text(s, M_CG_PATH, g, path);
	scene_text(s, M_CG_CONTROLLERS, g, "");
	return g;
}

TEST(only_limits_that_are_set_have_rows_and_cache_does_not_fill_them)
{
	struct scene s;
	struct row_id g;

	scene_open(&s, 2, 10);
	g = group(&s, "/full-of-cache");
	scene_level(&s, M_CG_MEM_LIMIT, g, 100 * MIB);
	scene_level(&s, M_CG_MEM_CURRENT, g, 100 * MIB);
	scene_level(&s, M_CG_MEM_INACTIVE_FILE, g, 90 * MIB);
	g = group(&s, "/near");
	scene_level(&s, M_CG_CPU_QUOTA, g, 0.05);
	scene_level(&s, M_CG_CPU_PERIOD, g, 0.1);
	scene_grow(&s, M_CG_CPU_USAGE, g, 4.5);
	scene_grow(&s, M_CG_CPU_THROTTLED_TIME, g, 2);
	scene_level(&s, M_CG_PIDS_MAX, g, 60);
	scene_level(&s, M_CG_PIDS_CURRENT, g, 59);
	scene_grow(&s, M_CG_PIDS_REJECTED, g, 7);
	g = group(&s, "/free");
	scene_level(&s, M_CG_MEM_LIMIT, g, INFINITY);
	scene_level(&s, M_CG_PIDS_MAX, g, 1000);
	scene_level(&s, M_CG_PIDS_CURRENT, g, 3);
	scene_build(&s);
	use_cgroups(&s.view, &s.report);
	CHECK_UINT(s.report.nuse, 3);
	CHECK_NEAR(use_of(&s, "/full-of-cache memory")->utilization, 0.1, 1e-6);
	CHECK(!use_of(&s, "/full-of-cache memory")->matters);
	CHECK_NEAR(use_of(&s, "/near cpu quota")->utilization, 0.9, 1e-6);
	CHECK_NEAR(use_of(&s, "/near cpu quota")->saturation, 0.2, 1e-6);
	CHECK_NEAR(use_of(&s, "/near tasks")->errors, 7, 0);
	CHECK(use_of(&s, "/near tasks")->matters);
	scene_close(&s);
}

TEST(of_many_limits_the_nearest_are_shown)
{
	struct scene s;

	scene_open(&s, 2, 10);
	for (int i = 0; i < 100; i++) {
		char name[32];
		struct row_id g;

		snprintf(name, sizeof(name), "/g%02d", i);
		g = group(&s, name);
		scene_level(&s, M_CG_MEM_LIMIT, g, 100 * MIB);
		scene_level(&s, M_CG_MEM_CURRENT, g, (i * 37 % 100) * MIB);
	}
	scene_build(&s);
	use_cgroups(&s.view, &s.report);
	CHECK_UINT(s.report.nuse, 32);
	CHECK_NEAR(s.report.use[0].utilization, 0.99, 1e-6);
	CHECK_NEAR(s.report.use[31].utilization, 0.68, 1e-6);
	scene_close(&s);
}

TEST(limits_of_devices_show_the_tightest_direction)
{
	struct scene s;
	struct row_id d;

	scene_open(&s, 2, 10);
	group(&s, "/geo");
	d = scene_named(&s, SCOPE_CGROUP, "/geo [vda]");
	scene_text(&s, M_CG_PATH, d, "/geo");
	scene_text(&s, M_CG_CONTROLLERS, d, "");
	scene_text(&s, M_CG_IO_DEVICE, d, "vda");
	scene_level(&s, M_CG_IO_MAX_RBPS, d, 10 * MIB);
	scene_level(&s, M_CG_IO_MAX_WBPS, d, INFINITY);
	scene_level(&s, M_CG_IO_MAX_WIOPS, d, 100);
	scene_grow(&s, M_CG_IO_READ_BYTES, d, 40 * MIB);
	scene_grow(&s, M_CG_IO_WRITES, d, 950);
	scene_build(&s);
	use_cgroups(&s.view, &s.report);
	CHECK_NEAR(use_of(&s, "/geo io of vda")->utilization, 0.95, 1e-6);
	CHECK(use_of(&s, "/geo io of vda")->matters);
	scene_close(&s);
}
