/* SPDX-License-Identifier: Apache-2.0 */
/* A counter that comes from another source than before: the same quantity in another unit. */
#include <math.h>

#include "model/host.h"
#include "model/interval.h"
#include "tests/unit/unit.h"

static const struct host machine = { .ticks_per_second = 100, .page_size = 4096, .cpus = 2 };

struct two {
	struct snapshot a, b;
	struct interval iv;
};

static void read_at(struct snapshot *s, uint64_t ns, uint64_t value, enum file_id file)
{
	size_t row;

	snapshot_init(s, &machine);
	s->time_ns = ns;
	snapshot_begin(s, SCOPE_PROCESS, ns);
	row = snapshot_row(s, SCOPE_PROCESS, (struct row_id){ 7, 1 }, "x", 1);
	snapshot_set(s, M_PROC_USER, row, value, metric_source(M_PROC_USER, file));
	snapshot_set(s, M_PROC_MINFLT, row, ns / 1000000000, metric_source(M_PROC_MINFLT, file));
}

static void between(struct two *w, uint64_t a, enum file_id from, uint64_t b, enum file_id to)
{
	metrics_init();
	read_at(&w->a, 1000000000, a, from);
	read_at(&w->b, 2000000000, b, to);
	interval_init(&w->iv, &machine);
	interval_diff(&w->iv, &w->a, &w->b);
}

static void done(struct two *w)
{
	interval_done(&w->iv);
	snapshot_done(&w->a);
	snapshot_done(&w->b);
}

TEST(a_counter_whose_source_changes_is_compared_in_its_base_unit)
{
	struct two w;

	between(&w, 100, F_PID_STAT, 1250000000, F_BPF_TABLE); /* 1.00 s, then 1.25 s */
	CHECK_NEAR(interval_rate(&w.iv, M_PROC_USER, 0), 0.25, 1e-9);
	CHECK_NEAR(interval_rate(&w.iv, M_PROC_MINFLT, 0), 1, 1e-9);
	CHECK_UINT(w.iv.resets, 0);
	done(&w);
}

TEST(what_the_coarser_source_cuts_off_is_no_reset)
{
	struct two w;

	between(&w, 1259999999, F_BPF_TABLE, 125, F_PID_STAT);
	CHECK_NEAR(interval_rate(&w.iv, M_PROC_USER, 0), 0, 0);
	CHECK_UINT(w.iv.resets, 0);
	done(&w);
	between(&w, 1260000001, F_BPF_TABLE, 120, F_PID_STAT);
	CHECK(isnan(interval_rate(&w.iv, M_PROC_USER, 0)));
	CHECK_INT(interval_why(&w.iv, M_PROC_USER, 0), WHY_RESET);
	done(&w);
}
