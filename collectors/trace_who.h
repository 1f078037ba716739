/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_TRACE_WHO_H
#define SIXTY_COLLECTORS_TRACE_WHO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/root.h"

/* Who is behind an event: executables of processes, read once per process and exec; paths of control groups by the
 * kernel's numbers. Both are caches of a fixed size. Strings live until the next call. */
struct trace_who;

struct trace_who *trace_who_new(const struct root *root, unsigned ticks_per_second);
void trace_who_free(struct trace_who *w); /* accepts NULL */

/* Path of the executable, NULL when it cannot be told any more. start: ns of CLOCK_BOOTTIME. */
const char *trace_who_exe(struct trace_who *w, uint32_t pid, uint64_t start);
/* It runs another program now. path: as it was given, in case it has ended already. */
void trace_who_exec(struct trace_who *w, uint32_t pid, uint64_t start, const char *path);
/* Name of a process that runs now, or NULL. */
const char *trace_who_comm(struct trace_who *w, uint32_t pid);

/* Path of a group by its number in one hierarchy: which = 0 unified, 1 memory, 2 cpu. NULL: not known. */
const char *trace_who_group(struct trace_who *w, const uint64_t ids[3], unsigned which);
/* The one that says most: the first that is not the root of its hierarchy. */
const char *trace_who_cgroup(struct trace_who *w, const uint64_t ids[3]);
/* Is it the group, or below it? pattern: "/path", "memory:/path", or the beginning of a container's id. */
bool trace_who_in_cgroup(struct trace_who *w, const uint64_t ids[3], const char *pattern);
/* The same for a path as /proc/PID/cgroup has it, whose hierarchy the pattern does not name. */
bool trace_who_path_matches(const char *path, const char *pattern);
/* A pattern that can match something. */
int trace_who_check_pattern(const char *pattern, struct err *e);

#endif
