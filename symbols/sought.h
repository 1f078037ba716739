/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_SYMBOLS_SOUGHT_H
#define SIXTY_SYMBOLS_SOUGHT_H

#include <stddef.h>
#include <stdint.h>

/* Addresses whose names are wanted, in ascending order: a symbol table is read once, and what is wanted of each symbol is
 * found by halving. */
struct sought {
	uint64_t address;
	void *place; /* the caller's entry for it */
};

void sought_sort(struct sought *list, size_t n);
size_t sought_from(const struct sought *list, size_t n,
		   uint64_t at); /* the first not below; n: none */

#endif
