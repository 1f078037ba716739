/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CMD_EVENTLIST_H
#define SIXTY_CMD_EVENTLIST_H

#include <stddef.h>

#define EVENTS_MAX 64

/* What -e has: names of events, apart by commas, but for those between the slashes of a PMU's event. */
struct eventlist {
	const char *names[EVENTS_MAX];
	size_t n;
	char *text;
};

/* 0, or the exit status with the reason printed. */
int eventlist_parse(const char *command, const char *list, struct eventlist *out);
void eventlist_done(struct eventlist *l);

#endif
