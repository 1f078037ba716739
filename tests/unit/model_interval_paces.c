/* SPDX-License-Identifier: Apache-2.0 */
/* One table filled at two paces: the window is not twice as long for that. */
#include <math.h>

#include "model/host.h"
#include "model/interval.h"
#include "tests/unit/unit.h"

#define SECOND 1000000000ull

static const struct host host = { .ticks_per_second = 100, .page_size = 4096, .cpus = 2 };
static const struct row_id worker = { 42, 100 };

static void reading(struct snapshot *s, uint64_t second, enum metric_id id, uint64_t raw)
{
	snapshot_init(s, &host);
	s->time_ns = (1000 + second) * SECOND;
	snapshot_begin(s, SCOPE_PROCESS, s->time_ns);
	snapshot_set(s, id, snapshot_row(s, SCOPE_PROCESS, worker, "worker", 6), raw, 1);
}

static void add(struct interval *window, uint64_t from, uint64_t to, enum metric_id id, uint64_t a,
		uint64_t b)
{
	struct snapshot x, y;
	struct interval iv;

	reading(&x, from, id, a);
	reading(&y, to, id, b);
	interval_init(&iv, &host);
	interval_diff(&iv, &x, &y);
	interval_add(window, &iv);
	interval_done(&iv);
	snapshot_done(&x);
	snapshot_done(&y);
}

TEST(a_table_that_is_read_at_two_paces_covers_its_time_once)
{
	struct interval window;
	size_t row;

	metrics_init();
	interval_init(&window, &host);
	/* every second: 1 s of CPU time in each of four seconds, nothing in the fifth */
	for (uint64_t i = 0; i < 4; i++)
		add(&window, i, i + 1, M_PROC_USER, 100 * i, 100 * (i + 1));
	add(&window, 4, 5, M_PROC_USER, 400, 400);
	/* at the two ends: another metric of the same row */
	add(&window, 0, 5, M_PROC_MINFLT, 0, 1000);
	row = interval_find(&window, SCOPE_PROCESS, worker);
	CHECK(row != SIZE_MAX);
	CHECK_NEAR(interval_rate(&window, M_PROC_USER, row), 0.8, 1e-9);
	CHECK_NEAR(interval_rate(&window, M_PROC_MINFLT, row), 200, 1e-9);
	CHECK_NEAR(interval_lived(&window, SCOPE_PROCESS, row), 5, 1e-9);
	interval_done(&window);
}

TEST(a_row_that_only_the_second_pace_knows_has_its_whole_time)
{
	struct interval window;
	size_t row;

	metrics_init();
	interval_init(&window, &host);
	for (uint64_t i = 0; i < 5; i++)
		add(&window, i, i + 1, M_PROC_USER, 7, 7); /* asleep: not even a row */
	add(&window, 0, 5, M_PROC_MINFLT, 0, 1000);
	row = interval_find(&window, SCOPE_PROCESS, worker);
	CHECK_NEAR(interval_rate(&window, M_PROC_MINFLT, row), 200, 1e-9);
	CHECK(!interval_row(&window, SCOPE_PROCESS, row)->gone);
	interval_done(&window);
}

TEST(seconds_that_follow_each_other_still_add_up)
{
	struct interval window;
	size_t row;

	metrics_init();
	interval_init(&window, &host);
	for (uint64_t i = 0; i < 10; i++)
		add(&window, i, i + 1, M_PROC_USER, i % 2 ? 50 : 0, i % 2 ? 100 : 50);
	row = interval_find(&window, SCOPE_PROCESS, worker);
	CHECK_NEAR(interval_rate(&window, M_PROC_USER, row), 0.5, 1e-9);
	CHECK_NEAR(interval_lived(&window, SCOPE_PROCESS, row), 10, 1e-9);
	interval_done(&window);
}
