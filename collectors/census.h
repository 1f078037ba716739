/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_CENSUS_H
#define SIXTY_COLLECTORS_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collectors/collector.h"

/* A little of every process at once, through the iterator of the process table where it is attached: for who would list
 * /proc and open one or two files of each. Who is in /proc, but was not among the records (hidden from eBPF, threads came
 * and went, born since), is in it by number only. */
struct census_row {
	int32_t pid;
	bool told; /* else nothing that follows is known, and its files have to be asked */
	bool kernel;
	char state; /* of its first thread */
	uint32_t threads;
	uint64_t start;  /* in ticks, as /proc/PID/stat has it */
	uint64_t io;     /* the lines of /proc/PID/io, added up: only whether it moves matters */
	uint64_t mnt_ns; /* inode number of its mount namespace; 0: it has none any more */
};

struct census {
	struct census_row *rows; /* by pid; n is 0 where it could not be taken */
	size_t n, cap;
	size_t ntold; /* while it is taken: those from here on are by number only */
	int64_t shift_ns;
	unsigned tick_ns;
};

/* Take it anew; empty where the iterator cannot be had, and when it fails. */
void census_take(struct census *c, const struct collector_env *env);
void census_done(struct census *c);

/* Its two steps, for tests. A record must follow those before by number; then all that /proc has. */
struct wire_row;
void census_add(struct census *c, const struct wire_row *w);
int census_list(struct census *c, const struct root *root); /* 0 or -errno */

/* Does /proc show the PID namespace that we are in? It is what the iterator shows. */
bool census_own_proc(const struct root *root);

#endif
