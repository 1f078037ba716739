/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_PID_TARGET_H
#define SIXTY_COLLECTORS_PID_TARGET_H

#include "base/err.h"
#include "base/root.h"

/* The process that -p and --ns name, by its number in /proc.
 *
 * ns: NULL when pid is that number already; else whose PID namespace pid is a number of: a process by its number, or a
 * container by the first digits of its id or the path of its control group, as -C takes it.
 * 0 and *found; -ESRCH: there is no such process, or no such namespace; -EINVAL: what ns is makes no sense. Errors are sentences
 * for people. */
int pid_target_find(const struct root *root, int pid, const char *ns, int *found, struct err *e);

#endif
