/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CHECKLIST_EVENTS_H
#define SIXTY_CHECKLIST_EVENTS_H

#include <stdbool.h>

#include "checklist/rule.h"
#include "model/event.h"

/* Lines of the kernel log as rules ask about them: rows of view->last, judged when they came in the window or up to a
 * minute before it. */
struct event_row {
	size_t row;
	enum event_kind kind;
	bool live;   /* came in the window */
	bool kernel; /* logged by the kernel itself, not by a program through /dev/kmsg */
	unsigned level;
	double age;                       /* seconds before the window's end */
	const char *device, *comm, *text; /* never NULL */
	int64_t pid;
};

#define EVENT_JUST_BEFORE 60.0

size_t event_count(const struct view *v);
/* False when the line is older, or from the future of a captured clock. */
bool event_at(const struct view *v, size_t row, struct event_row *out);

/* Can the log be read? If not, why. */
bool events_known(const struct view *v, const char **why);

/* The disk a name in the log means: "sda1" → "sda", "nvme0" → "nvme0n1", "ata3" stays. */
void event_disk(const struct view *v, const char *device, char *out, size_t size);

#endif
