/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CMD_COMMANDS_H
#define SIXTY_CMD_COMMANDS_H

#include "cmd/command.h"

/* One per file of this folder; table.c lists them. */
extern const struct command *const commands[]; /* NULL-terminated */
extern const struct command command_triage, command_top, command_capture, command_list,
	command_explain, command_doctor, command_time, command_hist, command_trace,
	command_generate, command_flame, command_profile, command_stat, command_red;

#endif
