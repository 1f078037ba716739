/* SPDX-License-Identifier: Apache-2.0 */
#include "model/counts.h"

#include <math.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct counts c;
static struct count_ratio ratios[COUNT_RATIOS];

static struct count_row *row(enum count_role role, uint64_t raw)
{
	struct count_row *r = counts_add(&c);

	r->role = role;
	r->raw = raw;
	r->enabled_ns = r->running_ns = 1000;
	return r;
}

static const struct count_ratio *ratio(const char *name)
{
	size_t n = counts_ratios(&c, ratios);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(ratios[i].name, name))
			return &ratios[i];
	return NULL;
}

TEST(a_count_is_multiplied_up_from_the_time_in_which_it_was_counted)
{
	struct count_row *r = row(COUNT_OTHER, 300);

	CHECK_NEAR(count_value(r), 300, 1e-9);
	CHECK_NEAR(count_share(r), 1, 1e-9);
	r->running_ns = 250;
	CHECK_NEAR(count_value(r), 1200, 1e-9);
	CHECK_NEAR(count_share(r), 0.25, 1e-9);
}

TEST(what_was_never_counted_is_unknown_and_not_zero)
{
	struct count_row *r = row(COUNT_OTHER, 0);

	r->running_ns = 0;
	CHECK(isnan(count_value(r)));
	CHECK_NEAR(count_share(r), 0, 1e-9);
	r->enabled_ns = 0;
	CHECK(isnan(count_share(r)));
	r = row(COUNT_OTHER, 7);
	strcpy(r->why, "no PMU");
	CHECK(isnan(count_value(r)));
	CHECK(isnan(count_share(r)));
}

TEST(a_ratio_stands_with_what_it_is_of)
{
	row(COUNT_CYCLES, 2000);
	row(COUNT_INSTRUCTIONS, 3000)->running_ns = 500;
	CHECK(ratio("instructions per cycle"));
	CHECK_NEAR(ratio("instructions per cycle")->value, 3, 1e-9);
	CHECK_NEAR(ratio("instructions per cycle")->base, 2000, 1e-9);
	CHECK_NEAR(ratio("instructions per cycle")->counted, 0.5, 1e-9);
	CHECK(!ratio("cache misses"));
}

TEST(a_ratio_of_nothing_is_none)
{
	row(COUNT_BRANCHES, 0);
	row(COUNT_BRANCH_MISSES, 0);
	CHECK(!ratio("branches mispredicted"));
}

TEST(what_was_counted_in_the_program_is_no_share_of_what_was_counted_everywhere)
{
	row(COUNT_CYCLES, 2000);
	row(COUNT_INSTRUCTIONS, 3000)->kernel = false;
	CHECK(!ratio("instructions per cycle"));
}

TEST(the_four_shares_of_older_pipelines_add_up_to_all)
{
	static const char *const names[] = { "retiring", "bad speculation", "frontend bound",
					     "backend bound" };
	double sum = 0;

	row(COUNT_TOTAL_SLOTS, 1000);
	row(COUNT_SLOTS_ISSUED, 600);
	row(COUNT_SLOTS_RETIRED, 500);
	row(COUNT_FETCH_BUBBLES, 150);
	row(COUNT_RECOVERY_BUBBLES, 20);
	for (size_t i = 0; i < 4; i++) {
		CHECK(ratio(names[i]));
		sum += ratio(names[i])->value;
	}
	CHECK_NEAR(sum, 1, 1e-9);
	CHECK_NEAR(ratio("bad speculation")->value, 0.12, 1e-9);
	CHECK_NEAR(ratio("backend bound")->value, 0.23, 1e-9);
}

TEST(cpus_are_used_by_threads_and_not_by_a_machine_whose_clock_runs_while_it_is_idle)
{
	struct count_row *r = row(COUNT_TASK_CLOCK, 3000000000u);

	r->scale = 1e-9;
	c.seconds = 2;
	CHECK_NEAR(ratio("CPUs used")->value, 1.5, 1e-9);
	c.machine = true;
	CHECK(!ratio("CPUs used"));
}
