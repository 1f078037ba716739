/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that cost too much are stopped: see budget.h. */
#include "engine/budget.h"

#include <math.h>
#include <string.h>

#define WORTH \
	0.1 /* of what one program may cost: stopping one that costs less than this saves nothing */

void budget_init(struct budget *b, double each, double seconds)
{
	memset(b, 0, sizeof(*b));
	b->each = each;
	b->seconds = seconds;
}

void budget_spend(struct budget *b, size_t program, double cpu_seconds, double seconds)
{
	if (program >= BUDGET_PROGRAMS)
		return;
	b->rate[program] = cpu_seconds > 0 && seconds > 0 ? cpu_seconds / seconds : 0;
	b->spent[program] += cpu_seconds > 0 ? cpu_seconds : 0;
}

bool budget_exceeded(struct budget *b, double seconds, size_t *program)
{
	double all = 0, ahead, most = b->each * b->seconds;
	size_t dearest = 0;

	b->elapsed += seconds;
	ahead = fmin(1, b->seconds - b->elapsed);
	if (!(b->each > 0) || !(ahead > 0))
		return false;
	for (size_t i = 0; i < BUDGET_PROGRAMS; i++) {
		all += b->spent[i] + b->rate[i] * ahead;
		if (b->rate[i] > b->rate[dearest])
			dearest = i;
	}
	*program = dearest;
	return b->rate[dearest] > WORTH * b->each &&
	       (b->spent[dearest] + b->rate[dearest] * ahead > most || all > 2 * most);
}
