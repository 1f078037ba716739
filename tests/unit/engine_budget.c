/* SPDX-License-Identifier: Apache-2.0 */
/* What eBPF programs may cost, and when one is stopped. */
#include <math.h>

#include "engine/budget.h"
#include "tests/unit/unit.h"

TEST(a_program_within_its_budget_runs_to_the_end)
{
	struct budget b;
	size_t who;

	budget_init(&b, 0.01, 10);
	for (int i = 0; i < 10; i++) {
		budget_spend(&b, 0, 0.009, 1);
		CHECK(!budget_exceeded(&b, 1, &who));
	}
}

TEST(a_dear_program_is_stopped_after_the_first_second)
{
	struct budget b;
	size_t who = 99;

	budget_init(&b, 0.01, 10);
	budget_spend(&b, 3, 0.13, 1);
	budget_spend(&b, 4, NAN, 1);
	CHECK(budget_exceeded(&b, 1, &who));
	CHECK_UINT(who, 3);
}

/* 2 % of a CPU in a window of ten seconds: half of it, and not a second more. */
TEST(a_program_that_costs_twice_the_budget_is_stopped_in_the_middle)
{
	struct budget b;
	size_t who;
	int seconds = 0;

	budget_init(&b, 0.01, 10);
	do {
		seconds++;
		budget_spend(&b, 1, 0.02, 1);
	} while (!budget_exceeded(&b, 1, &who));
	CHECK_INT(seconds, 5);
}

TEST(all_programs_together_may_cost_twice_what_one_may)
{
	struct budget b;
	size_t who;
	int seconds = 0;

	budget_init(&b, 0.01, 10);
	do {
		seconds++;
		for (size_t i = 0; i < 4; i++)
			budget_spend(&b, i, i == 2 ? 0.009 : 0.008, 1);
	} while (!budget_exceeded(&b, 1, &who));
	CHECK_INT(seconds, 6); /* 33 ms a second of 200 ms */
	CHECK_UINT(who, 2);
}

/* What was spent is spent: it is no reason to stop those that cost nothing. */
TEST(a_cheap_program_is_not_stopped_for_what_a_dear_one_has_spent)
{
	struct budget b;
	size_t who;

	budget_init(&b, 0.01, 10);
	budget_spend(&b, 0, 0.5, 1);
	budget_spend(&b, 1, 0.0005, 1);
	CHECK(budget_exceeded(&b, 1, &who));
	CHECK_UINT(who, 0);
	budget_spend(&b, 0, NAN, 1);
	budget_spend(&b, 1, 0.0005, 1);
	CHECK(!budget_exceeded(&b, 1, &who));
}

TEST(without_a_budget_nothing_is_stopped)
{
	struct budget b;
	size_t who;

	budget_init(&b, 0, 10);
	budget_spend(&b, 0, 0.9, 1);
	CHECK(!budget_exceeded(&b, 1, &who));
}
