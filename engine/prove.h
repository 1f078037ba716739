/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_PROVE_H
#define SIXTY_ENGINE_PROVE_H

#include <stddef.h>

#include "base/err.h"

/* Two seconds of known work, and what the eBPF programs say of it: is what they measure true on this very kernel? */

enum proof_verdict { PROOF_PASS, PROOF_WRONG, PROOF_CANNOT, PROOF_VERDICTS };

/* What one program was asked for; a program may have several. */
struct proof {
	const char *program; /* of bpf_probes[] */
	enum proof_verdict verdict;
	char did[128];     /* "slept 20 times for 5 ms"; "" when nothing was */
	char measured[64]; /* "103 ms"; "" when nothing was */
	char bound[64];    /* "100 to 104 ms" */
	char why[200];     /* it cannot be proved here; else "" */
};

struct proofs {
	struct proof *list; /* in the order of bpf_probes[]: of each program one at least */
	size_t n, cap;
	size_t count[PROOF_VERDICTS];
	double seconds;
};

/* What it makes and does, one sentence each, ended by NULL: to be told before. */
extern const char *const prove_plan[];

/* Needs root. Moves the caller to a network namespace of its own for good. 0 when it has run, whatever it found; -errno with a
 * sentence when nothing can be proved at all. */
int prove(struct proofs *out, struct err *e);
void proofs_done(struct proofs *p);

const char *proof_word(enum proof_verdict v); /* "pass", "wrong", "cannot" */

#endif
