/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_BPF_PARTS_H
#define SIXTY_COLLECTORS_BPF_PARTS_H

/* What the files share that are the engine: bpf_load.c chooses and loads programs, bpf_attach.c attaches and stops them,
 * bpf_cost.c counts their events and what they cost, bpf_engine.c is asked. Nobody else includes this. */
#include "collectors/bpf_engine.h"
#include "collectors/pid_space.h"

#define PROBES_MAX 128
#define NAMES      "names_kernel"

struct bpf_object;
struct bpf_link;

struct bpf_engine {
	struct bpf_object *object;
	struct bpf_link *links[PROBES_MAX];
	struct bpf_link **sample_links; /* one per CPU that is online */
	size_t nsample_links;
	struct bpf_fate fates[PROBES_MAX];
	bool left_out[PROBES_MAX];
	bool switch_state, nameless;
	uint64_t groups;
	struct bpf_options options;
	struct pid_space space;
	int cpus, stats_fd;
	double seconds;
	char *bytes; /* RECORD_BYTES, for iterators */
	struct {
		uint64_t ns, runs;
	} before[PROBES_MAX];
	uint64_t map_bytes;
	uint64_t attached_ns, recursion; /* of programs that are detached */
	uint64_t *seen,
		*grown; /* events: [cpu * PROG_MAX + counter], at the last second() and since the one before */
};

/* The row of bpf_probes; the last one when there is none. */
size_t bpf_probe_of(const char *program);
bool bpf_is_wanted(const struct bpf_engine *b, size_t probe);

/* Does the kernel take the least of programs? 0 or -errno. */
int bpf_try_least(struct err *e);
/* Load all that is wanted; what is refused is left out. 0 or -errno. */
int bpf_load(struct bpf_engine *b, struct err *e);

/* The PID namespace that we are in, before anything is loaded, and what its numbers are, afterwards. 0 or -errno. */
void bpf_read_space(struct bpf_engine *b);
int bpf_find_numbers(struct bpf_engine *b, struct err *e);

void bpf_attach(struct bpf_engine *b);
/* Of two programs that do the same, one is enough. */
void bpf_find_spares(struct bpf_engine *b);
void bpf_stop_samples(struct bpf_engine *b);

#endif
