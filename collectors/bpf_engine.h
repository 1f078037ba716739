/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_BPF_ENGINE_H
#define SIXTY_COLLECTORS_BPF_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The one BPF object of the program: loaded with what is wanted, attached, and asked for its maps by name. Nothing is
 * pinned: programs, links and maps are gone with the last descriptor, however sixty ends.
 *
 *   bpf_engine_open  →  bpf_engine_fd, bpf_engine_sweep, …  →  bpf_engine_close
 *
 * A program that the kernel refuses is left out and its reason kept; opening fails only when nothing is left. */
struct bpf_engine;
struct wire_hist_config;
struct perf_event_attr;
struct wire_red_config;

/* Groups of programs, as a mask of 64 bits; a program may serve several. bpf_probes[] says what each is for. */
enum bpf_group {
	BPF_TIME = 1u << 0,    /* where the time of threads goes, and who took it */
	BPF_IRQ = 1u << 1,     /* what interrupts take */
	BPF_SAMPLES = 1u << 2, /* what runs: a sample of every CPU, SAMPLE_HZ times a second */
	BPF_TABLE = 1u << 3,   /* the process table */
	BPF_WAKE =
		1u
		<< 4, /* why locks are held: only while somebody waits for locks, see bpf_engine_start */
	BPF_NOTED = 1u << 5,      /* distributions of requests that are noted where they begin */
	BPF_PROFILE = 1u << 6,    /* whole stacks of what runs, bpf_options::hz times a second */
	BPF_CHILDREN = 1u << 7,   /* and children of those that are profiled */
	BPF_BYTES = 1u << 8,      /* what threads send and receive */
	BPF_RED = 1u << 12,       /* requests of services, see bpf_options::red */
	BPF_RED_QUEUE = 1u << 13, /* and how long they lie unread */
	BPF_WAITS = 1u << 9,      /* stacks of what is off the CPU, in place of BPF_TIME */
	BPF_WAKERS = 1u << 10,    /* and who wakes it */
};

#define BPF_EVENT (1u << 11) /* whole stacks where a tracepoint is hit: bpf_options::event */

#define SAMPLE_HZ 49 /* no multiple of anything that a program or the kernel does regularly */

/* Events have a group each (enum wire_trace); a long wait for a CPU is told by the programs of BPF_TIME. */
#define BPF_TRACE(event) (1u << (16 + (event)))
#define BPF_TRACES       (0xffffu << 16)

/* Distributions too (enum wire_hist_kind); those of the scheduler are told by the programs of BPF_TIME. */
#define BPF_HIST(kind) (1ull << (32 + (kind)))
#define BPF_HISTS      (~0ull << 32)

/* What is set before the programs are loaded, besides what is wanted. Zero is what triage needs. */
struct bpf_options {
	uint32_t pid;      /* events of this process only; 0: of all */
	uint64_t slow_ns;  /* block I/O and fsync from here on are events */
	uint64_t runq_ns;  /* waits for a CPU from here on are events; 0: none */
	size_t ring_bytes; /* of the ring of events: a power of two */
	bool suspect;      /* attach at once what would wait for a suspicion */
	bool group_dead, victim_task,
		reset_reason; /* arguments that tracepoints have here: see struct wire_config */
	unsigned hz;          /* samples for profiles */
	uint64_t group; /* of which threads are told whether they are in it; 0: none (collectors/hist_target.h) */
	unsigned group_in, group_level;
	const struct wire_profile_config *profile; /* NULL: no profile */
	const struct perf_event_attr
		*event; /* what is sampled, or the tracepoint; NULL: a clock, hz times a second */
	const struct wire_hist_config
		*hist; /* NULL: no distributions; of a profile: the control group only */
	uint32_t hist_cells;
	const struct wire_red_config *red; /* of BPF_RED; NULL: nothing is followed */
};

struct bpf_probe {
	const char *program; /* its name in the object */
	uint64_t group;      /* all that it serves */
	int counter;         /* enum wire_program whose events it counts; -1: those of its pair */
	bool needed;         /* without it the group is worth nothing */
	const char *what;    /* for doctor and the ledger */
	const char *without; /* what is lost without it */
	const char *instead_of; /* the program that does the same on newer kernels, or NULL */
};

extern const struct bpf_probe bpf_probes[]; /* ended by a row without a name */

/* How a probe fared. */
struct bpf_fate {
	bool attached;
	bool spare;    /* not attached, and nothing is lost: another program does its work */
	char how[32];  /* "tp_btf/sched_switch" */
	char why[160]; /* when it is not attached, nor spare */
	double ns_per_event; /* measured in this window, what measuring costs taken off; NaN: not measured */
	uint64_t events;
	double stopped; /* seconds after the programs were attached at which it was detached; 0: it was not */
};

/* CPUs that may ever be there, or a negative errno; libbpf says nothing on the terminal from here on. */
int bpf_possible_cpus(void);

/* 0, or -errno with the reason why there is no eBPF here. groups: what is wanted. */
int bpf_engine_open(struct bpf_engine **out, uint64_t groups, struct err *e);
int bpf_engine_open_with(struct bpf_engine **out, uint64_t groups, const struct bpf_options *o,
			 struct err *e);
void bpf_engine_close(struct bpf_engine *b); /* accepts NULL */

/* The group was asked for, and all programs that it needs are attached. */
bool bpf_engine_has(const struct bpf_engine *b, uint64_t group);
/* Why the group is not there: of the first program that it needs. */
const char *bpf_engine_why(const struct bpf_engine *b, uint64_t group);
const struct bpf_fate *bpf_engine_fate(const struct bpf_engine *b, size_t probe);
double bpf_engine_seconds(const struct bpf_engine *b); /* CPU time that loading and attaching took */
/* Since the programs were attached. */
double bpf_engine_age(const struct bpf_engine *b);
/* Seconds of that after which a group was stopped; 0: it was not. */
double bpf_engine_stopped(const struct bpf_engine *b, uint64_t group);
uint64_t bpf_engine_map_bytes(const struct bpf_engine *b);
int bpf_engine_cpus(const struct bpf_engine *b); /* possible ones: values of a per-CPU map */

int bpf_engine_fd(const struct bpf_engine *b, const char *map); /* -1: there is none */

/* Set the first entry of an array map. 0 or -errno. */
int bpf_engine_put(struct bpf_engine *b, const char *map, const void *value);

/* Run the iterator program and hand out its bytes in whole records of `size`, or of what each says in its second word. 0 or
 * -errno. */
#define BPF_SIZE_TOLD 0
int bpf_engine_iterate(struct bpf_engine *b, const char *program, size_t size,
		       void (*each)(void *ctx, const void *record), void *ctx, struct err *e);

/* A run of the iterator program, to be read and closed; -errno with a sentence. */
int bpf_engine_iterator(struct bpf_engine *b, const char *program, struct err *e);

/* Read the per-CPU counters of events and losses (sums over CPUs) into the fates and *sum. 0 or -errno. */
struct wire_counts;
int bpf_engine_counts(struct bpf_engine *b, struct wire_counts *sum);

/* The same, once a second: what each program has cost the CPU that it cost most since the second() before, CPU seconds by its
 * events there and its calibrated price, is bpf_engine_load(); NaN when it is not attached, or not calibrated. */
int bpf_engine_second(struct bpf_engine *b, struct wire_counts *sum);
double bpf_engine_load(const struct bpf_engine *b, size_t probe);

/* Attach the programs of groups that are loaded but wait for a suspicion (BPF_WAKE). */
void bpf_engine_start(struct bpf_engine *b, uint64_t groups);

/* Detach the programs of some groups for good; their maps stay readable. */
void bpf_engine_stop(struct bpf_engine *b, uint64_t groups);

/* Runs that the kernel left out because a program was already running on that CPU. */
uint64_t bpf_engine_recursion(const struct bpf_engine *b);

/* Measure what the programs cost between begin and end: the kernel counts their run time, which costs 75–90 ns an event
 * while it does. Only by descriptor, never by the sysctl: the kernel stops counting when we are gone. */
void bpf_engine_calibrate_begin(struct bpf_engine *b);
void bpf_engine_calibrate_end(struct bpf_engine *b);
/* Runs of a program since calibrate_begin(), as the kernel counts them until calibrate_end(). */
uint64_t bpf_engine_runs(const struct bpf_engine *b, size_t probe);

/* Names of the functions at kernel addresses, as the kernel has them: n of `size` bytes one after another, "" where there is
 * none. 0 or -errno: this kernel cannot tell. */
int bpf_engine_names(struct bpf_engine *b, const uint64_t *addresses, size_t n, size_t size,
		     char *names);

/* Walk a hash map: each(ctx, key, value). The map may change meanwhile. */
int bpf_engine_walk(struct bpf_engine *b, const char *map, size_t key_size, size_t value_size,
		    void (*each)(void *ctx, const void *key, const void *value), void *ctx);

#endif
