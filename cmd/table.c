/* SPDX-License-Identifier: Apache-2.0 */
/* The commands, in the order of --help. A new one is a file with a const struct and a row here. */
#include "cmd/commands.h"

/* clang-format off */
const struct command *const commands[] = {
	&command_triage,
	&command_top,
	&command_time,
	&command_profile,
	&command_stat,
	&command_hist,
	&command_red,
	&command_trace,
	&command_flame,
	&command_capture,
	&command_explain,
	&command_list,
	&command_doctor,
	&command_generate,
	NULL
};
/* clang-format on */
