/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_PROFILING_H
#define SIXTY_ENGINE_PROFILING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "bpf/wire.h"
#include "engine/profile_modes.h"
#include "engine/waiting.h"
#include "model/report.h"
#include "model/stackset.h"

/* A profile: samples of whole stacks for a while, then their names.
 *
 *   profiling_open  →  profiling_run  →  profiling_stacks, profiling_report  →  profiling_close
 *
 * One thread, one poll(): samples of processes that are met for the first time, a tick, signals. Nothing is stopped, and nothing
 * written to, in any process. */
struct profiling;

struct profiling_progress {
	double seconds, of; /* of: 0: until it ends */
	uint64_t samples, lost;
	const char *what; /* samples are */
};

struct profiling_args {
	enum profile_mode mode;
	const int *pids; /* npids of them, with their children; none: all processes */
	size_t npids;
	const char *cgroup; /* NULL: any */
	char *const
		*command; /* NULL-terminated, to be run and watched with its children; NULL: none */
	unsigned hz;
	const char *event; /* by its name, see collectors/perf_events.h; NULL: time on CPUs */
	uint64_t period;   /* every so many events, in place of hz; 0: not given */
	double seconds;    /* 0: until the command ends, or SIGINT */
	uint64_t shortest_ns, longest_ns; /* of waits; longest 0: all */
	bool no_kernel, per_thread;
	bool no_inline;   /* functions that were inlined are no frames */
	bool lines;       /* frames have their lines in the source */
	bool servers;     /* debug files may be fetched by debuginfod */
	const char *said; /* the command line of the profiler itself; NULL: not known */
	void (*on_progress)(void *ctx,
			    const struct profiling_progress *p); /* some times a second; NULL */
	void *ctx;
};

/* How it went. */
struct profiling_result {
	uint64_t samples, lost;   /* lost: found the ring full */
	uint64_t walked;          /* samples with a user stack */
	uint64_t walks[WALK_MAX]; /* of them, by how the walk ended */
	uint64_t guessed;         /* whole, but with a frame pointer in place of a rule somewhere */
	uint64_t copied;          /* walked along a copy, after the fact */
	uint64_t gone;            /* of processes that had ended before they could be looked at */
	size_t programs, files;
	bool interrupted, ended; /* ended: what was watched has ended */
	int exit_status; /* of the command, as wait() has it; -1: it runs still, or there is none */
	uint64_t unborn; /* children that found no place among those that are sampled */
	double naming_seconds; /* wall time from the last sample to the names */
	struct waiting_result waits;
};

/* Errors: a process, group or command that is not there, or what is missing to sample. */
int profiling_open(struct profiling **out, const struct profiling_args *a, struct err *e);
/* 0, also after SIGINT; -ECANCELED: SIGTERM or a hang-up. */
int profiling_run(struct profiling *p, struct err *e);
/* Make the set of named stacks, once. stackset_free() it. 0 or -errno. */
int profiling_stacks(struct profiling *p, struct stackset **out, struct err *e);
const struct profiling_result *profiling_result(const struct profiling *p);
/* The report of it: window, host, ledger. Lives as long as p. */
const struct report *profiling_report(struct profiling *p);
void profiling_close(struct profiling *p); /* accepts NULL; a command that runs is left alone */

#endif
