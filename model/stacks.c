/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of CPUs, as reports need them. */
#include "model/stacks.h"

#include <math.h>
#include <string.h>

static double cell(const struct view *v, enum metric_id id, size_t row)
{
	return snapshot_value(v->last, id, row);
}

/* Make room for one of `size` bytes where `amount` belongs, the largest first, in a list of *n of at most max; amounts goes with
 * it. NULL when it has no place. */
static void *insert(void *list, size_t size, double *amounts, size_t *n, size_t max, double amount)
{
	size_t at = *n, moved;
	char *place;

	while (at && amount > amounts[at - 1])
		at--;
	if (at >= max)
		return NULL;
	if (*n < max)
		++*n;
	moved = *n - 1 - at;
	place = (char *)list + at * size;
	memmove(place + size, place, moved * size);
	memmove(&amounts[at + 1], &amounts[at], moved * sizeof(*amounts));
	amounts[at] = amount;
	return place;
}

#define SAMPLES_LEAST 3  /* fewer are chance */
#define ROWS_MAX      64 /* that are handed out */

size_t stacks_of(const struct view *v, int64_t pid, struct stack_seen *out, size_t max)
{
	size_t rows = v->last ? snapshot_rows(v->last, SCOPE_STACK) : 0, n = 0;
	double amounts[ROWS_MAX];

	if (max > ROWS_MAX)
		max = ROWS_MAX;
	for (size_t i = 0; i < rows; i++) {
		double samples = cell(v, M_STACK_SAMPLES, i), of = cell(v, M_STACK_OF, i);
		const char *frames = snapshot_text(v->last, M_STACK_FRAMES, i);
		struct stack_seen *place;

		if (whole(cell(v, M_STACK_PID, i)) != pid || !frames || !*frames ||
		    !(samples >= SAMPLES_LEAST) || !(of >= samples))
			continue;
		place = insert(out, sizeof(*out), amounts, &n, max, samples);
		if (!place)
			continue;
		*place = (struct stack_seen){ .frames = frames,
					      .share = samples / of,
					      .samples = samples,
					      .kernel = cell(v, M_STACK_KERNEL, i) > 0 };
	}
	return n;
}

size_t mechanisms_seen(const struct view *v, struct mechanism_seen *out, size_t max)
{
	size_t rows = v->last ? snapshot_rows(v->last, SCOPE_MECHANISM) : 0, n = 0;
	double amounts[ROWS_MAX];

	if (max > ROWS_MAX)
		max = ROWS_MAX;
	for (size_t i = 0; i < rows; i++) {
		double seconds = cell(v, M_MECH_TIME, i), samples = cell(v, M_MECH_SAMPLES, i);
		struct mechanism_seen *place;

		if (!(seconds > 0) || !(samples > 0))
			continue;
		place = insert(out, sizeof(*out), amounts, &n, max, seconds);
		if (!place)
			continue;
		*place = (struct mechanism_seen){
			.name = snapshot_name(v->last, SCOPE_MECHANISM, i),
			.seconds = seconds,
			.pid = whole(cell(v, M_MECH_PID, i)),
			.pid_share = fmin(cell(v, M_MECH_PID_SAMPLES, i) / samples, 1),
		};
	}
	return n;
}
