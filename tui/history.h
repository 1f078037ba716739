/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_TUI_HISTORY_H
#define SIXTY_TUI_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "model/now.h"

/* The last few hundred refreshes, for what is drawn over time. */
#define HISTORY_POINTS 300
#define HISTORY_CPUS   256

enum track {
	TRACK_CPU,
	TRACK_MEMORY,
	TRACK_SWAP,
	TRACK_DISK,    /* busiest disk */
	TRACK_DISK_IN, /* bytes/s */
	TRACK_DISK_OUT,
	TRACK_NET_IN,
	TRACK_NET_OUT,
	TRACK_PSI_CPU,
	TRACK_PSI_IO,
	TRACK_PSI_MEMORY,
	TRACK_FAULTS,
	TRACK_SWITCHES,
	TRACK_MAX
};

struct history {
	float points[TRACK_MAX][HISTORY_POINTS]; /* oldest first */
	size_t n;
	float (*cpus)[HISTORY_POINTS]; /* busy share of each */
	struct row_id ids[HISTORY_CPUS];
	size_t ncpus;
};

void history_add(struct history *h, const struct now *now);
void history_done(struct history *h);
/* Largest known value of the last n points; 0 when there is none. */
double history_most(const float *v, size_t n);

#endif
