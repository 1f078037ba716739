/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CMD_PAGES_H
#define SIXTY_CMD_PAGES_H

#include <stdbool.h>

#include "base/buf.h"
#include "cmd/output.h"
#include "engine/intervals.h"

/* What commands share that print a report for each interval: one after the other on standard output; a file appears whole, with
 * the last. */
#define PAGES_OPTS(type, interval, count)                                               \
	{ 'i',        "interval",                                                       \
	  OPT_DOUBLE, offsetof(type, interval),                                         \
	  "SECONDS",  "print what came in each interval; 0 for one of all",             \
	  0,          3600,                                                             \
	  NULL },                                                                       \
	{                                                                               \
		'n', "count", OPT_INT, offsetof(type, count), "COUNT",                  \
			"end after so many intervals; 0 for no limit", 0, 1000000, NULL \
	}

struct pages {
	struct output out;
	struct buf held; /* for a file */
	struct err e;
};

/* Do -i (at least so many seconds) and -n go with each other and the format? 0, or the exit status. */
int pages_check(const char *command, const struct output *out, double interval, double least,
		bool count);

/* Print a report: interval_args::on_interval, with a struct pages. 0 or -errno. */
int pages_print(void *pages, const struct report *r);
/* The same of text; frees b. more: the file is not whole yet. */
int pages_write(struct pages *p, struct buf *b, bool more);

/* The exit status after a run that ended with err, which is told unless it is none: a reader that has gone, a signal. */
int pages_status(const struct pages *p, int err);
/* Say that the budget has ended it; NULL: it has not. */
void pages_excess(const struct budget_excess *x);
void pages_done(struct pages *p);

#endif
