/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_NAMER_H
#define SIXTY_ENGINE_NAMER_H

/* What the files share that give names to stacks: profile_names.c, spot_names.c and wait_names.c. */
#include "base/err.h"
#include "base/text.h"
#include "engine/profile_names.h"
#include "model/stackset.h"
#include "symbols/kallsyms.h"

/* A stack that is as deep as stacks may be, with a dozen functions inlined at each place of it: more are left out. */
#define NAMER_FRAMES 4000u

/* Where code is, independent of who runs it. */
struct spot {
	uint32_t owner; /* number of a file, or OF_PROGRAM | number of a program */
	uint32_t frame;
	uint64_t place;             /* in the file, or address */
	uint32_t inlined, ninlined; /* in namer::inlined, the innermost first */
	bool runs_python;
};

struct namer {
	const struct naming_args *args;
	struct stackset *ss;
	struct naming_loss *loss;
	struct err *e;
	struct spot *spots;
	size_t n, cap;
	uint32_t *slots; /* number of a spot + 1 */
	size_t nslots;
	struct kallsym *kernel; /* by address */
	uint32_t *kernel_frames;
	size_t nkernel;
	uint64_t deadline_ns;
	uint32_t *inlined; /* frames */
	size_t ninlined, inlined_cap;
	uint64_t details_ns;                   /* spent on debug information */
	uint32_t *python_frames;               /* by number of a function */
	uint32_t lost[WALK_MAX], lost_program; /* frames */
};

/* The root of a thread's stacks. */
struct namer_root {
	uint32_t thread, stack; /* of the set */
};

int namer_frame(struct namer *nm, struct text name, const char *module, enum frame_kind kind,
		uint32_t *frame);

/* Callers lie behind the call: one byte back is inside it. i: from the innermost. */
static inline uint64_t namer_inside(size_t i, uint64_t ip)
{
	return i ? ip - 1 : ip;
}

/* Find the places in programs that stacks go through, and give each its frame. 0 or -errno. */
void namer_collect(struct namer *nm);
int namer_programs(struct namer *nm);
/* That of the k-th entry of a stack's program part; NULL: there is nothing. */
const struct spot *namer_spot(const struct namer *nm, const struct raw_stack *s, size_t k);

/* The frames of a stack, as numbers, the outermost first. skip: of the kernel's, the innermost that are not wanted. */
size_t namer_frames(const struct namer *nm, const struct raw_stack *s, size_t skip, uint32_t *out);

/* What a frame of the kernel is called; "": it has no name. i: from the innermost. */
const char *namer_kernel(const struct namer *nm, const struct raw_stack *s, size_t i);

/* Add waits, of threads that have these roots. 0 or -errno. */
int namer_waits(struct namer *nm, const struct namer_root *roots);

#endif
