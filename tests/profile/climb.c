/* SPDX-License-Identifier: Apache-2.0 */
/* A library whose stacks are known: so many calls of itself, the C library's sort, then the other library. */
#include "burn.h"

#include <stdlib.h>

static int climb_compare(const void *a, const void *b)
{
	burn_all();
	return *(const int *)a - *(const int *)b;
}

int climb(int depth)
{
	int list[] = { 3, 1, 2, 0 };

	if (depth)
		return climb(depth - 1) + list[depth & 3]; /* an addition behind it: no jump */
	qsort(list, 4, sizeof(*list), climb_compare);
	return list[1];
}
