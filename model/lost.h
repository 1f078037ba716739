/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_LOST_H
#define SIXTY_MODEL_LOST_H

#include "model/view.h"

/* Threads' waits that were measured (there is a TIME table) are brought to the length of the window, which those of
 * processes are as they are read. Once, before the window is looked at. */
void lost_align(struct interval *window);

/* Where the time of each process's active threads went in the window, most lost first. Run-queue waits are the
 * kernel's own nanoseconds; blocked parts are estimated from state samples until the kernel's clock is read directly.
 * Returns an array of *n rows that the caller frees; names point into the interval. */
struct lost_row *lost_build(struct interval *window, size_t *n, double *total_per_second);

/* The same for the threads that have rows of their own (the process that was asked for); NULL without eBPF. */
struct lost_row *lost_threads(struct interval *window, size_t *n);

/* Waits for file locks that end per second: below it a line at a lock is one by design (jobs that must not run at the
 * same time), and waiting in it is not lost. */
#define FLOCK_TURNS_LEAST 0.5

/* The thread metric that holds the sampled time of a wait; M_NONE for WAIT_ZOMBIE. */
enum metric_id wait_metric(enum wait w);

#endif
