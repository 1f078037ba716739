/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_PROFILE_MODES_H
#define SIXTY_ENGINE_PROFILE_MODES_H

#include <stdbool.h>

#include "bpf/wire.h"

/* What a profile may be of. A new one is a row here, and what it needs that the others have not. */
enum profile_mode { PROFILE_CPU, PROFILE_OFF_CPU, PROFILE_WALL, PROFILE_WAKEUP, PROFILE_MODES };

struct profile_kind {
	const char *name;  /* "off-cpu": the option, and what files say */
	const char *title; /* "time off the CPU", before " of …" */
	const char *event;
	const char *value, *unit; /* what is drawn */
	const char *other, *other_unit;
	const char *none; /* what it means if nothing was seen */
	bool samples;     /* what runs is sampled */
	bool waits;       /* time off the CPU is measured */
	bool running;     /* and time on it as well */
	enum wire_wakers wakers;
};

extern const struct profile_kind profile_kinds[PROFILE_MODES];

#endif
