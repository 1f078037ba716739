/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_TESTS_PROFILE_BURN_H
#define SIXTY_TESTS_PROFILE_BURN_H

/* CPU time of this thread in the three, by its own clock. */
extern __thread double burn_seconds[3];

void burn_all(
	void); /* libburn: burn_seven, burn_two and burn_one do the same work seven, two and one times */
int climb(int depth); /* libclimb: calls itself, then sorts with a comparison that burns */
double burn_clock(int clock);

#endif
