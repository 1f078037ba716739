/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CMD_TARGET_H
#define SIXTY_CMD_TARGET_H

#include "base/opts.h"

/* The options that say which process a command is about: the same wherever there is one. */
#define PID_OPTS(type, pid, ns, help)                                                                                                \
	{ 'p', "pid", OPT_INT, offsetof(type, pid), "PID", help, 0, 4194304, NULL },                                                 \
	{                                                                                                                            \
		0, "ns", OPT_STRING, offsetof(type, ns), "WHERE",                                                                    \
			"PID is a number in the PID namespace of WHERE: of a process, or of a container by its id or control group", \
			0, 0, NULL                                                                                                   \
	}

/* Turn what was given into the number in /proc, *found; 0 stays 0. Returns the exit status: 0, or 1 or 2 with the reason
 * printed. */
int target_pid(const char *command, int pid, const char *ns, int *found);

#endif
