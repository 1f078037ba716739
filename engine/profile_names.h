/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_PROFILE_NAMES_H
#define SIXTY_ENGINE_PROFILE_NAMES_H

#include "engine/programs.h"
#include "engine/pythons.h"
#include "engine/rawstacks.h"
#include "model/stackset.h"

struct profile_kind;
struct root;
struct waits;

/* Give the stacks names, and make the set of them: frames of a sample are its process, what could not be walked, functions of the
 * program, functions of the kernel. */
struct naming_args {
	const struct root *root;
	struct programs *programs;
	const struct rawstacks *raw;
	const struct pythons *pythons;
	bool per_thread; /* the thread's name and number behind the process */
	double weight;   /* of a sample that has no weight of its own, in ns */
	bool events; /* weights are numbers of events, the first value of the set; else the second */
	unsigned deadline_ms; /* for all binaries */
	const struct profile_kind *kind;
	const struct waits *waits; /* NULL: none */
	bool inlines;              /* functions that were inlined are frames of their own */
	bool lines;                /* frames have their lines in the source */
};

/* What has no name, and why. */
struct naming_loss {
	uint64_t files;      /* binaries that could not be read in time, or at all */
	bool kernel;         /* the kernel shows no addresses of its functions */
	uint64_t undetailed; /* binaries whose debug information could not be read in time, or at all */
};

/* What a stack lacks whose walk ended so, as its frame says it; NULL: nothing. */
const char *profile_lost_name(enum wire_walk w);

/* ss has its two values already: samples and nanoseconds, events and samples, or time off the CPU and waits. 0 or -errno. */
int profile_name(const struct naming_args *a, struct stackset *ss, struct naming_loss *loss,
		 struct err *e);

#endif
