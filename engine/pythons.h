/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_PYTHONS_H
#define SIXTY_ENGINE_PYTHONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"

/* Functions of interpreted programs: code objects have addresses, which are used again when they are gone, and names, which the
 * kernel sends once. Here each has a number that stays. */
struct python_function {
	char *name, *file; /* UTF-8 from outside; "" when it is not known */
	uint32_t line;
};

struct python_place {
	struct wire_program_key key;
	uint64_t code;
	uint32_t function;
};

struct pythons {
	struct python_function *list; /* from 1 */
	size_t n, cap;
	struct python_place *slots; /* of a hash table; function 0: free */
	size_t nslots, used;
};

/* What the kernel has said of a code object: from now on that address means this. */
void pythons_learn(struct pythons *p, const struct wire_program_key *key,
		   const struct wire_python_code *c);
/* The entries of a sample, as numbers of functions (0: not known) with the same marks; in place. */
void pythons_number(const struct pythons *p, const struct wire_program_key *key, uint64_t *entries,
		    size_t n);
void pythons_done(struct pythons *p);

/* Which entries does each call of the interpreter's C function run? Entries are those of a stack, the innermost first; calls is how
 * often the C function is in it. from[i], to[i] get the entries [from, to) of its i-th call from inside, i < calls; whole: the
 * walk of the C stack came to its end, so that the outermost call is known. */
void pythons_share(const uint64_t *entries, size_t n, size_t calls, bool whole, size_t *from,
		   size_t *to);

#endif
