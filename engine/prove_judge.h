/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_PROVE_JUDGE_H
#define SIXTY_ENGINE_PROVE_JUDGE_H

#include "collectors/bpf_hists.h"
#include "collectors/bpf_trace.h"
#include "engine/prove.h"
#include "engine/prove_stage.h"

/* What was measured, gathered by prove.c for prove_judge.c. */

struct prove_thread {
	uint32_t tid, tgid;
	bool there;
	uint64_t parts[PART_MAX], roots[ROOT_MAX], seen_ns; /* between the two sweeps */
	uint64_t ran_ns, waited_ns; /* the same by /proc/PID/task/TID/schedstat */
	bool schedstat;
};

/* Events, as far as they are ours. */
struct prove_events {
	uint64_t execs, exits, statuses, opens, sent, delivered, bios, fsyncs, connects, accepts,
		closes, failed, resends, synacks, resets_in, resets_out, nobody, filtered;
	uint64_t lost[TRACE_MAX];
};

/* Interrupts that the kernel has counted itself, read around and within what the programs have counted. */
struct prove_irqs {
	uint64_t least, most; /* UINT64_MAX: there is no upper bound */
	bool known;
};

struct prove_findings {
	const struct prove_place *place;
	const struct prove_facts *facts;
	struct bpf_engine *time;
	struct bpf_trace *trace; /* NULL: there is none, because … */
	char why_trace[ERR_MAX];
	double seconds; /* between the two readings */
	unsigned cpus;  /* online */
	struct prove_thread
		threads[ROLES + 2]; /* by role; then the first thread; then the one with the quota */
	uint64_t dead_threads, dead_seen_ns;
	uint64_t samples;
	double cpu_seconds;  /* of all players, by schedstat */
	struct wire_row row; /* of the players' process */
	bool row_there;
	uint64_t row_threads, row_bytes, page_bytes; /* the same by /proc */
	uint64_t throttled_ns;                       /* by the control group's own account */
	bool throttled_known;
	struct hists hists;
	struct prove_irqs hard, soft;
	bool journal;
	struct prove_events events;
};

#define PROVE_FIRST     ROLES
#define PROVE_THROTTLED (ROLES + 1)

void prove_judge(struct proofs *out, const struct prove_findings *f);

#endif
