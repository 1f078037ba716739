/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "tests/unit/scene.h"
#include "tests/unit/unit.h"

/* Steal time of guests has been seen to jump by 2^64 after a migration: sysstat and top printed it as it came. */
TEST(a_counter_that_jumps_by_what_no_machine_can_do_was_reset)
{
	struct scene s;
	struct row_id cpu;

	scene_open(&s, 2, 10);
	cpu = scene_named(&s, SCOPE_CPU, "cpu0");
	scene_grow(&s, M_CPU_STEAL, cpu, 1e15);
	scene_grow(&s, M_CPU_USER, cpu, 5);
	scene_build(&s);
	CHECK(isnan(interval_rate(&s.window, M_CPU_STEAL, 0)));
	CHECK_INT(interval_why(&s.window, M_CPU_STEAL, 0), WHY_RESET);
	CHECK_NEAR(interval_rate(&s.window, M_CPU_USER, 0), 0.5, 1e-6);
	CHECK(s.window.resets > 0);
	scene_close(&s);
}
