/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_PROFILING_PARTS_H
#define SIXTY_ENGINE_PROFILING_PARTS_H

/* What profiling.c, which watches, and profile_result.c, which makes stacks and a report of it, share. */
#include "base/root.h"
#include "collectors/bpf_profile.h"
#include "collectors/host.h"
#include "collectors/perf_events.h"
#include "engine/command.h"
#include "engine/loop.h"
#include "engine/profile_names.h"
#include "engine/profiling.h"
#include "engine/waiting.h"

struct profiling {
	struct profiling_args args;
	struct root root;
	struct host host;
	struct programs programs;
	struct bpf_profile *bpf;
	struct perf_event event; /* where another one is wanted than time on CPUs */
	struct rawstacks raw;
	struct pythons pythons;
	struct waiting waiting;
	struct started command;
	struct profiling_result result;
	struct report report;
	struct naming_loss unnamed;
	struct wire_counts counts; /* when it began */
	struct loop loop;
	bool calibrating, full;
	uint64_t started_ns, stopped_ns, ticks;
	double open_seconds;
};

static inline const struct profile_kind *kind_of(const struct profiling *p)
{
	return &profile_kinds[p->args.mode];
}

#endif
