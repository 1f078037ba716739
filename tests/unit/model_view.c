/* SPDX-License-Identifier: Apache-2.0 */
/* Questions that rules ask of a view. */
#include <math.h>
#include <string.h>

#include "model/view.h"
#include "tests/unit/unit.h"

static const struct host machine = { .cpus = 2, .page_size = 4096, .ticks_per_second = 100 };

static void second(struct interval *iv, uint64_t reads)
{
	struct snapshot a, b;

	snapshot_init(&a, &machine);
	snapshot_init(&b, &machine);
	snapshot_begin(&a, SCOPE_DISK, 1000000000);
	snapshot_begin(&b, SCOPE_DISK, 2000000000);
	snapshot_set(&a, M_DISK_READS, snapshot_named_row(&a, SCOPE_DISK, "vda", 3), 0, 1);
	snapshot_set(&b, M_DISK_READS, snapshot_named_row(&b, SCOPE_DISK, "vda", 3), reads, 1);
	interval_init(iv, &machine);
	interval_diff(iv, &a, &b);
	snapshot_done(&a);
	snapshot_done(&b);
}

TEST(the_worst_second_and_the_share_of_bad_seconds)
{
	struct interval s[4], *list[4];
	struct row_id vda;
	struct view v = { .seconds = list, .nseconds = 4 };

	metrics_init();
	vda = row_id_of_name("vda", 3);
	for (int i = 0; i < 4; i++) {
		second(&s[i], (uint64_t)i * 100);
		list[i] = &s[i];
	}
	CHECK_NEAR(view_worst(&v, M_DISK_READS, vda), 300, 0);
	CHECK_NEAR(view_share_at_least(&v, M_DISK_READS, vda, 200), 0.5, 0);
	CHECK(isnan(view_worst(&v, M_DISK_READS, row_id_of_name("vdb", 3))));
	CHECK(isnan(view_share_at_least(&v, M_DISK_READS, row_id_of_name("vdb", 3), 1)));
	for (int i = 0; i < 4; i++)
		interval_done(&s[i]);
}

TEST(the_cgroup_of_a_process_is_found_by_controller_on_v1_v2_and_hybrid)
{
	static const char lines[] = "4:memory:/m\n3:cpu,cpuacct:/svc/a\n0::/unified";
	struct row_id id = { 7, 1 }, gone = { 8, 1 };
	struct snapshot last;
	struct view v = { .last = &last };
	char out[32];
	size_t row;

	metrics_init();
	snapshot_init(&last, &machine);
	row = snapshot_row(&last, SCOPE_PROCESS, id, "x", 1);
	snapshot_set_text(&last, M_PROC_CGROUP, row, lines, strlen(lines), 1);
	CHECK_STR(view_cgroup(&v, id, "cpu", out, sizeof(out)), "/svc/a");
	CHECK_STR(view_cgroup(&v, id, "cpuacct", out, sizeof(out)), "/svc/a");
	CHECK_STR(view_cgroup(&v, id, "", out, sizeof(out)), "/unified");
	CHECK_STR(view_cgroup(&v, id, "pids", out, sizeof(out)), "");
	CHECK_STR(view_cgroup(&v, gone, "cpu", out, sizeof(out)), "");
	CHECK_INT(view_process(&v, 7), 0);
	CHECK(view_process(&v, 9) == SIZE_MAX);
	snapshot_done(&last);
}

TEST(levels_and_their_growth_are_read_from_the_two_ends)
{
	struct snapshot first, last;
	struct view v = { .first = &first, .last = &last };
	struct row_id system = { 0, 0 };

	metrics_init();
	snapshot_init(&first, &machine);
	snapshot_init(&last, &machine);
	snapshot_set(&first, M_MEM_AVAILABLE, snapshot_system_row(&first), 100, 1);
	snapshot_set(&last, M_MEM_AVAILABLE, snapshot_system_row(&last), 40, 1);
	CHECK_NEAR(view_last(&v, M_MEM_AVAILABLE, system), 40 * 1024, 0);
	CHECK_NEAR(view_growth(&v, M_MEM_AVAILABLE, system), -60 * 1024, 0);
	CHECK(isnan(view_growth(&v, M_MEM_TOTAL, system)));
	CHECK(view_label(&v, M_PROC_CGROUP, system) == NULL);
	snapshot_done(&first);
	snapshot_done(&last);
}

TEST(lost_rows_are_found_by_identity_and_by_pid)
{
	struct lost_row rows[] = { { .id = { 7, 1 }, .pid = 7 }, { .id = { 8, 2 }, .pid = 8 } };
	struct view v = { .lost = rows, .nlost = 2 };

	CHECK(view_lost(&v, (struct row_id){ 8, 2 }) == &rows[1]);
	CHECK(view_lost(&v, (struct row_id){ 8, 3 }) == NULL);
	CHECK(view_lost_pid(&v, 7) == &rows[0]);
	CHECK(view_lost_pid(&v, 9) == NULL);
}
