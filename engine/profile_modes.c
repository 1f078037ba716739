/* SPDX-License-Identifier: Apache-2.0 */
/* What profiles are of. */
#include "engine/profile_modes.h"

/* clang-format off */
const struct profile_kind profile_kinds[PROFILE_MODES] = {
	[PROFILE_CPU] = {
		.name = "cpu",
		.title = "CPU time", .event = "cpu-clock",
		.value = "samples", .unit = "count", .other = "cpu", .other_unit = "nanoseconds",
		.none = "no sample: nothing of it ran on a CPU in this time (--off-cpu says what it waits for)",
		.samples = true,
	},
	[PROFILE_OFF_CPU] = {
		.name = "off-cpu",
		.title = "time off the CPU", .event = "waits",
		.value = "off-cpu", .unit = "nanoseconds", .other = "waits", .other_unit = "count",
		.none = "no wait: it has not left the CPU in this time (--cpu says what it does)",
		.waits = true, .wakers = WAKERS_NAMED,
	},
	[PROFILE_WALL] = {
		.name = "wall",
		.title = "wall time", .event = "cpu-clock and waits",
		.value = "wall", .unit = "nanoseconds", .other = "samples and waits", .other_unit = "count",
		.none = "nothing of it was there in this time",
		.samples = true, .waits = true, .running = true, .wakers = WAKERS_NAMED,
	},
	[PROFILE_WAKEUP] = {
		.name = "wakeup",
		.title = "time off the CPU by waker", .event = "waits",
		.value = "off-cpu", .unit = "nanoseconds", .other = "waits", .other_unit = "count",
		.none = "no wait: it has not left the CPU in this time (--cpu says what it does)",
		.waits = true, .wakers = WAKERS_WHOLE,
	},
};
/* clang-format on */
