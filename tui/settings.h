/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_TUI_SETTINGS_H
#define SIXTY_TUI_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

/* What a person has set, as lines of "key = value":
 *
 *   interval = 1
 *   theme = default
 *   columns = pid user state cpu wait disk rss command
 *
 * Lines that are not known here (of a newer version, or comments) are kept as they are. */
#define SETTINGS_NAME 32
#define SETTINGS_LIST 512

struct settings {
	double seconds; /* between refreshes */
	char theme[SETTINGS_NAME];
	char columns[SETTINGS_LIST]; /* of processes: names of tui/procs_columns.c and metrics; "" is the default */
	char sort[SETTINGS_NAME * 2];
	bool reverse, tree, threads, kernel; /* kernel threads are shown */
	struct buf unknown;                  /* lines that were not understood */
};

#define SETTINGS_SECONDS_LEAST 0.1
#define SETTINGS_SECONDS_MOST  60

void settings_init(struct settings *s);
void settings_done(struct settings *s);
/* The text of a file. On an error `s` holds the defaults; the sentence names the line. */
int settings_parse(struct settings *s, struct text file, struct err *e);
void settings_format(const struct settings *s, struct buf *out);

#endif
