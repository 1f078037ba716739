/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_LOGLINE_H
#define SIXTY_COLLECTORS_LOGLINE_H

#include <stdint.h>

#include "base/text.h"
#include "model/event.h"

/* What one line of the kernel log says. Strings are cut to fit and raw. */
struct logline {
	enum event_kind kind;
	char device[48]; /* "sda", "ata3.00", "eth0", "MC0" */
	int64_t pid;     /* 0: none */
	char comm[32];
	char cgroup[160];
};

/* level: a line of error or worse that no pattern knows is EVENT_OTHER_ERROR. */
void logline_read(struct text line, unsigned level, struct logline *out);

#endif
