/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots and intervals: absent is not zero, a reset is not 2^64, and seconds are counted per cell. */
#include <math.h>
#include <string.h>

#include "model/host.h"
#include "model/interval.h"
#include "model/snapshot.h"
#include "tests/unit/unit.h"

static const struct host machine = { .cpus = 2, .page_size = 4096, .ticks_per_second = 100 };

#define SECOND 1000000000ull

static void open_at(struct snapshot *s, enum scope scope, uint64_t seconds)
{
	metrics_init();
	snapshot_init(s, &machine);
	s->time_ns = seconds * SECOND;
	snapshot_begin(s, scope, seconds * SECOND);
}

static void disk(struct snapshot *s, const char *name, uint64_t reads)
{
	size_t row = snapshot_named_row(s, SCOPE_DISK, name, strlen(name));

	snapshot_set(s, M_DISK_READS, row, reads, 1);
}

static void task(struct snapshot *s, uint64_t pid, uint64_t start, uint64_t ticks)
{
	size_t row = snapshot_row(s, SCOPE_PROCESS, (struct row_id){ pid, start }, "task", 4);

	snapshot_set(s, M_PROC_USER, row, ticks, 1);
}

TEST(a_cell_that_was_not_set_is_unknown_not_zero)
{
	struct snapshot s;
	uint64_t raw;

	open_at(&s, SCOPE_SYSTEM, 1);
	snapshot_system_row(&s);
	CHECK(isnan(snapshot_value(&s, M_MEM_TOTAL, 0)));
	CHECK(!snapshot_raw(&s, M_MEM_TOTAL, 0, &raw));
	CHECK(isnan(snapshot_value(&s, M_MEM_TOTAL, 77)));
	CHECK(isnan(snapshot_value(&s, M_DISK_BUSY, 0)));
	snapshot_set(&s, M_MEM_TOTAL, 0, 0, 1);
	CHECK(snapshot_value(&s, M_MEM_TOTAL, 0) == 0);
	snapshot_done(&s);
}

TEST(values_are_scaled_to_base_units_by_their_source)
{
	struct snapshot s;

	open_at(&s, SCOPE_SYSTEM, 1);
	snapshot_system_row(&s);
	snapshot_set(&s, M_MEM_TOTAL, 0, 3, 1);
	snapshot_set(&s, M_SWAP_IN, 0, 2, 1);
	snapshot_set(&s, M_LOAD1, 0, 150, 1);
	CHECK_NEAR(snapshot_value(&s, M_MEM_TOTAL, 0), 3072, 0);
	CHECK_NEAR(snapshot_value(&s, M_SWAP_IN, 0), 8192, 0);
	CHECK_NEAR(snapshot_value(&s, M_LOAD1, 0), 1.5, 1e-9);
	snapshot_done(&s);
}

TEST(an_unlimited_value_is_infinite_and_a_signed_one_negative)
{
	struct snapshot s;

	open_at(&s, SCOPE_PROCESS, 1);
	task(&s, 1, 1, 1);
	snapshot_set(&s, M_PROC_NICE, 0, (uint64_t)-5, 1);
	CHECK_NEAR(snapshot_value(&s, M_PROC_NICE, 0), -5, 0);
	CHECK(isinf(scale_value(VALUE_UNLIMITED, SCALE_KIB, &machine)));
	snapshot_done(&s);
}

TEST(the_better_source_of_a_metric_wins_in_either_order)
{
	struct snapshot s;

	open_at(&s, SCOPE_SYSTEM, 1);
	snapshot_system_row(&s);
	snapshot_set(&s, M_MEM_TOTAL, 0, 10, 2);
	snapshot_set(&s, M_MEM_TOTAL, 0, 20, 1);
	snapshot_set(&s, M_MEM_TOTAL, 0, 30, 2);
	snapshot_set(&s, M_MEM_TOTAL, 0, 40, 0); /* no source: nothing was read */
	CHECK_NEAR(snapshot_value(&s, M_MEM_TOTAL, 0), 20 * 1024, 0);
	snapshot_add(&s, M_MEM_TOTAL, 0, 5, 1);
	CHECK_NEAR(snapshot_value(&s, M_MEM_TOTAL, 0), 25 * 1024, 0);
	snapshot_done(&s);
}

TEST(ten_thousand_rows_are_found_by_identity)
{
	struct snapshot s;

	open_at(&s, SCOPE_PROCESS, 1);
	for (uint64_t pid = 1; pid <= 10000; pid++)
		task(&s, pid, pid * 3, pid);
	CHECK_INT(snapshot_rows(&s, SCOPE_PROCESS), 10000);
	for (uint64_t pid = 1; pid <= 10000; pid += 7)
		CHECK_INT(snapshot_find(&s, SCOPE_PROCESS, (struct row_id){ pid, pid * 3 }),
			  pid - 1);
	CHECK(snapshot_find(&s, SCOPE_PROCESS, (struct row_id){ 5, 5 }) == SIZE_MAX);
	snapshot_clear(&s);
	CHECK(snapshot_find(&s, SCOPE_PROCESS, (struct row_id){ 1, 3 }) == SIZE_MAX);
	snapshot_done(&s);
}

TEST(merging_joins_cells_and_texts_of_the_same_thing)
{
	struct snapshot a, b;
	size_t row;

	open_at(&a, SCOPE_PROCESS, 1);
	open_at(&b, SCOPE_PROCESS, 2);
	task(&a, 7, 9, 100);
	row = snapshot_row(&b, SCOPE_PROCESS, (struct row_id){ 7, 9 }, "task", 4);
	snapshot_set_text(&b, M_PROC_CGROUP, row, "0::/x", 5, 1);
	snapshot_merge(&a, &b);
	CHECK_INT(snapshot_rows(&a, SCOPE_PROCESS), 1);
	CHECK_STR(snapshot_text(&a, M_PROC_CGROUP, 0), "0::/x");
	CHECK_NEAR(snapshot_value(&a, M_PROC_USER, 0), 1, 1e-9);
	CHECK(a.time_ns == 2 * SECOND);
	CHECK(snapshot_text(&a, M_PROC_USER, 0) == NULL);
	snapshot_done(&a);
	snapshot_done(&b);
}

TEST(a_table_that_was_not_read_again_is_taken_from_the_reading_before)
{
	struct snapshot a, b;
	size_t row;

	open_at(&a, SCOPE_PROCESS, 1);
	open_at(&b, SCOPE_DISK, 2);
	a.tables[SCOPE_DISK].time_ns = 1 * SECOND;
	task(&a, 7, 9, 100);
	row = snapshot_row(&a, SCOPE_PROCESS, (struct row_id){ 7, 9 }, "task", 4);
	snapshot_set_text(&a, M_PROC_CGROUP, row, "0::/x", 5, 1);
	disk(&a, "old", 100);
	disk(&b, "new", 500);
	snapshot_take(&b, &a);
	CHECK_UINT(b.tables[SCOPE_PROCESS].time_ns, 1 * SECOND);
	CHECK_STR(snapshot_name(&b, SCOPE_PROCESS, 0), "task");
	CHECK_STR(snapshot_text(&b, M_PROC_CGROUP, 0), "0::/x");
	CHECK_UINT(snapshot_find(&b, SCOPE_PROCESS, (struct row_id){ 7, 9 }), 0);
	CHECK_UINT(snapshot_rows(&b, SCOPE_DISK), 1);
	CHECK_STR(snapshot_name(&b, SCOPE_DISK, 0), "new");
	/* and the one before can be filled anew */
	snapshot_clear(&a);
	task(&a, 8, 9, 50);
	CHECK_UINT(snapshot_rows(&a, SCOPE_PROCESS), 1);
	CHECK_UINT(snapshot_find(&a, SCOPE_PROCESS, (struct row_id){ 8, 9 }), 0);
	CHECK(snapshot_find(&a, SCOPE_PROCESS, (struct row_id){ 7, 9 }) == SIZE_MAX);
	CHECK_STR(snapshot_name(&b, SCOPE_PROCESS, 0), "task");
	snapshot_done(&a);
	snapshot_done(&b);
}

TEST(what_is_absorbed_is_what_a_merge_would_have_made)
{
	struct snapshot a, b;
	size_t row;

	open_at(&a, SCOPE_PROCESS, 3);
	open_at(&b, SCOPE_DISK, 2);
	task(&a, 7, 9, 100);
	row = snapshot_row(&b, SCOPE_PROCESS, (struct row_id){ 7, 9 }, "task", 4);
	snapshot_set_text(&b, M_PROC_CGROUP, row, "0::/x", 5, 1);
	disk(&b, "vda", 500);
	snapshot_absorb(&a, &b);
	CHECK_INT(snapshot_rows(&a, SCOPE_PROCESS), 1); /* both had it: the cells of both */
	CHECK_STR(snapshot_text(&a, M_PROC_CGROUP, 0), "0::/x");
	CHECK_NEAR(snapshot_value(&a, M_PROC_USER, 0), 1, 1e-9);
	CHECK_STR(snapshot_name(&a, SCOPE_DISK, 0), "vda");
	CHECK_UINT(a.tables[SCOPE_DISK].time_ns, 2 * SECOND);
	CHECK(a.time_ns == 3 * SECOND);
	snapshot_done(&a);
	snapshot_done(&b);
}

TEST(room_that_was_reserved_changes_nothing)
{
	struct snapshot a;

	open_at(&a, SCOPE_PROCESS, 1);
	snapshot_reserve(&a, SCOPE_PROCESS, 100);
	CHECK_UINT(snapshot_rows(&a, SCOPE_PROCESS), 0);
	for (int i = 0; i < 300; i++)
		task(&a, i, 9, 100 + i);
	CHECK_UINT(snapshot_rows(&a, SCOPE_PROCESS), 300);
	CHECK_UINT(snapshot_find(&a, SCOPE_PROCESS, (struct row_id){ 299, 9 }), 299);
	CHECK_NEAR(snapshot_value(&a, M_PROC_USER, 299), 3.99, 1e-9);
	snapshot_done(&a);
}

TEST(a_rate_is_growth_over_the_seconds_between_the_readings)
{
	struct snapshot a, b;
	struct interval iv;

	open_at(&a, SCOPE_DISK, 10);
	open_at(&b, SCOPE_DISK, 14);
	disk(&a, "vda", 100);
	disk(&b, "vda", 500);
	interval_init(&iv, &machine);
	interval_diff(&iv, &a, &b);
	CHECK_NEAR(interval_delta(&iv, M_DISK_READS, 0), 400, 0);
	CHECK_NEAR(interval_rate(&iv, M_DISK_READS, 0), 100, 0);
	CHECK_NEAR(interval_seconds(&iv), 4, 0);
	CHECK_INT(interval_find_name(&iv, SCOPE_DISK, "vda"), 0);
	CHECK(interval_find_name(&iv, SCOPE_DISK, "vdb") == SIZE_MAX);
	CHECK(isnan(interval_rate(&iv, M_DISK_READS, SIZE_MAX)));
	interval_done(&iv);
	snapshot_done(&a);
	snapshot_done(&b);
}

TEST(interval_is_unknown_after_counter_reset)
{
	struct snapshot a, b;
	struct interval iv;

	open_at(&a, SCOPE_DISK, 10);
	open_at(&b, SCOPE_DISK, 11);
	disk(&a, "vda", 500);
	disk(&b, "vda", 3);
	interval_init(&iv, &machine);
	interval_diff(&iv, &a, &b);
	CHECK(isnan(interval_rate(&iv, M_DISK_READS, 0)));
	CHECK_INT(interval_why(&iv, M_DISK_READS, 0), WHY_RESET);
	CHECK_INT(iv.resets, 1);
	CHECK(strlen(why_text(WHY_RESET)) > 0);
	interval_done(&iv);
	snapshot_done(&a);
	snapshot_done(&b);
}

TEST(after_a_reset_the_rest_of_the_window_still_counts)
{
	uint64_t reads[] = { 500, 3, 13 };
	struct snapshot s[3];
	struct interval step, sum;

	for (int i = 0; i < 3; i++) {
		open_at(&s[i], SCOPE_DISK, (uint64_t)i + 1);
		disk(&s[i], "vda", reads[i]);
	}
	interval_init(&step, &machine);
	interval_init(&sum, &machine);
	for (int i = 0; i < 2; i++) {
		interval_diff(&step, &s[i], &s[i + 1]);
		interval_add(&sum, &step);
	}
	CHECK_NEAR(interval_rate(&sum, M_DISK_READS, 0), 10,
		   0); /* ten in the one second that is known */
	CHECK_NEAR(interval_seconds(&sum), 2, 0);
	CHECK_INT(sum.resets, 1);
	interval_done(&step);
	interval_done(&sum);
	for (int i = 0; i < 3; i++)
		snapshot_done(&s[i]);
}

TEST(a_disk_that_appears_has_no_rate_and_one_that_goes_is_marked)
{
	struct snapshot a, b;
	struct interval iv;
	size_t row;

	open_at(&a, SCOPE_DISK, 1);
	open_at(&b, SCOPE_DISK, 2);
	disk(&a, "sda", 5);
	disk(&b, "sdb", 900);
	interval_init(&iv, &machine);
	interval_diff(&iv, &a, &b);
	row = interval_find_name(&iv, SCOPE_DISK, "sdb");
	CHECK(isnan(interval_rate(&iv, M_DISK_READS, row)));
	CHECK_INT(interval_why(&iv, M_DISK_READS, row), WHY_FIRST);
	CHECK(interval_row(&iv, SCOPE_DISK, row)->born);
	row = interval_find_name(&iv, SCOPE_DISK, "sda");
	CHECK(interval_row(&iv, SCOPE_DISK, row)->gone);
	interval_done(&iv);
	snapshot_done(&a);
	snapshot_done(&b);
}

TEST(a_process_born_in_the_window_counts_from_zero)
{
	struct snapshot a, b;
	struct interval iv;
	size_t row;

	open_at(&a, SCOPE_PROCESS, 100);
	open_at(&b, SCOPE_PROCESS, 110);
	task(&b, 42, 10500, 300); /* started at 105 s, has used 3 s */
	interval_init(&iv, &machine);
	interval_diff(&iv, &a, &b);
	row = interval_find(&iv, SCOPE_PROCESS, (struct row_id){ 42, 10500 });
	CHECK_NEAR(interval_delta(&iv, M_PROC_USER, row), 3, 1e-9);
	CHECK_NEAR(interval_lived(&iv, SCOPE_PROCESS, row), 5, 1e-6);
	interval_done(&iv);
	snapshot_done(&a);
	snapshot_done(&b);
}

TEST(an_older_process_that_was_not_seen_before_has_an_unknown_past)
{
	struct snapshot a, b;
	struct interval iv;

	open_at(&a, SCOPE_PROCESS, 100);
	open_at(&b, SCOPE_PROCESS, 110);
	task(&b, 42, 500, 300); /* started at 5 s: it was there, we did not read it */
	interval_init(&iv, &machine);
	interval_diff(&iv, &a, &b);
	CHECK(isnan(interval_delta(&iv, M_PROC_USER, 0)));
	interval_done(&iv);
	snapshot_done(&a);
	snapshot_done(&b);
}

TEST(a_reused_pid_is_another_process)
{
	struct snapshot a, b;
	struct interval iv;
	size_t row;

	open_at(&a, SCOPE_PROCESS, 100);
	open_at(&b, SCOPE_PROCESS, 110);
	task(&a, 42, 500, 900);
	task(&b, 42, 10200, 100);
	interval_init(&iv, &machine);
	interval_diff(&iv, &a, &b);
	row = interval_find(&iv, SCOPE_PROCESS, (struct row_id){ 42, 10200 });
	CHECK_NEAR(interval_delta(&iv, M_PROC_USER, row), 1, 1e-9);
	CHECK_INT(iv.resets, 0);
	interval_done(&iv);
	snapshot_done(&a);
	snapshot_done(&b);
}

TEST(a_sleeping_process_has_no_row_but_its_seconds_count_when_it_moves)
{
	uint64_t ticks[] = { 100, 100, 100, 500 };
	struct snapshot s[4];
	struct interval step, sum;

	for (int i = 0; i < 4; i++) {
		open_at(&s[i], SCOPE_PROCESS, (uint64_t)i + 1);
		task(&s[i], 42, 5, ticks[i]);
	}
	interval_init(&step, &machine);
	interval_init(&sum, &machine);
	for (int i = 0; i < 3; i++) {
		interval_diff(&step, &s[i], &s[i + 1]);
		CHECK_INT(interval_rows(&step, SCOPE_PROCESS), i == 2);
		interval_add(&sum, &step);
	}
	CHECK_NEAR(interval_delta(&sum, M_PROC_USER, 0), 4, 1e-9);
	CHECK_NEAR(interval_rate(&sum, M_PROC_USER, 0), 4.0 / 3, 1e-9);
	CHECK_NEAR(interval_lived(&sum, SCOPE_PROCESS, 0), 3, 1e-9);
	interval_done(&step);
	interval_done(&sum);
	for (int i = 0; i < 4; i++)
		snapshot_done(&s[i]);
}

TEST(intervals_over_the_same_time_with_other_metrics_are_joined)
{
	struct snapshot a, b, c, d;
	struct interval one, two;

	open_at(&a, SCOPE_SYSTEM, 1);
	open_at(&b, SCOPE_SYSTEM, 3);
	open_at(&c, SCOPE_SYSTEM, 1);
	open_at(&d, SCOPE_SYSTEM, 3);
	snapshot_set(&a, M_SWAP_IN, snapshot_system_row(&a), 0, 1);
	snapshot_set(&b, M_SWAP_IN, snapshot_system_row(&b), 2, 1);
	snapshot_set(&c, M_LOAD1, snapshot_system_row(&c), 100, 1);
	snapshot_set(&d, M_LOAD1, snapshot_system_row(&d), 300, 1);
	interval_init(&one, &machine);
	interval_init(&two, &machine);
	interval_diff(&one, &a, &b);
	interval_diff(&two, &c, &d);
	interval_add(&one, &two);
	CHECK_NEAR(interval_seconds(&one), 2, 0);
	CHECK_NEAR(system_rate(&one, M_SWAP_IN), 4096, 0);
	CHECK_NEAR(system_delta(&one, M_SWAP_IN), 8192, 0);
	CHECK_NEAR(system_value(&one, M_LOAD1), 2, 1e-9);
	CHECK_NEAR(interval_last(&one, M_LOAD1, 0), 3, 1e-9);
	CHECK_NEAR(interval_peak(&one, M_LOAD1, 0), 3, 1e-9);
	CHECK_INT(interval_rows(&one, SCOPE_SYSTEM), 1);
	interval_done(&one);
	interval_done(&two);
	snapshot_done(&a);
	snapshot_done(&b);
	snapshot_done(&c);
	snapshot_done(&d);
}

TEST(a_derived_metric_follows_its_inputs)
{
	struct snapshot a, b;
	struct interval iv;

	open_at(&a, SCOPE_DISK, 1);
	open_at(&b, SCOPE_DISK, 3);
	disk(&a, "vda", 1);
	disk(&b, "vda", 1);
	interval_init(&iv, &machine);
	interval_diff(&iv, &a, &b);
	CHECK(isnan(interval_value(&iv, M_DISK_BUSY, 0)));
	CHECK_INT(interval_why(&iv, M_DISK_BUSY, 0), WHY_ABSENT);
	snapshot_set(&a, M_DISK_IO_MS, 0, 0, 1);
	snapshot_set(&b, M_DISK_IO_MS, 0, 500, 1);
	interval_diff(&iv, &a, &b);
	CHECK_NEAR(interval_value(&iv, M_DISK_BUSY, 0), 0.25, 1e-9);
	interval_done(&iv);
	snapshot_done(&a);
	snapshot_done(&b);
}

TEST(every_metric_has_a_unique_name_a_help_and_a_source)
{
	metrics_init();
	for (enum metric_id id = M_NONE + 1; id < M_MAX; id++) {
		const struct metric *m = metric_get(id);

		CHECK(m->name && m->help && *m->help);
		CHECK(metric_by_name(m->name) == id);
		CHECK(m->kind == KIND_DERIVED ? m->inputs[0] != M_NONE : m->nsources > 0);
		if (m->kind != KIND_DERIVED)
			CHECK(scope_metric(m->scope, m->column) == id);
	}
	CHECK(metric_by_name("no.such.metric") == M_NONE);
	CHECK(scope_metric(SCOPE_DISK, 100000) == M_NONE);
	CHECK(metric_source(M_LOAD1, F_VMSTAT) == 0);
}

TEST(every_scope_has_a_name)
{
	for (enum scope s = 0; s < SCOPE_MAX; s++)
		CHECK(scope_name(s) != NULL);
}
