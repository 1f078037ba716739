/* SPDX-License-Identifier: Apache-2.0 */
#include "symbols/sought.h"

#include <stdlib.h>

static int by_address(const void *a, const void *b)
{
	const struct sought *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

void sought_sort(struct sought *list, size_t n)
{
	if (n)
		qsort(list, n, sizeof(*list), by_address);
}

size_t sought_from(const struct sought *list, size_t n, uint64_t at)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (list[mid].address < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}
