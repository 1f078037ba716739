/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_INTERVALS_H
#define SIXTY_ENGINE_INTERVALS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "engine/budget.h"
#include "engine/loop.h"
#include "model/report.h"

/* What is counted in the kernel, shown interval by interval: the kernel's counters are never cleared, and an interval is what
 * was counted at its end less what was at its beginning.
 *
 *   loop_open(&iv.loop)  →  fill in the rest  →  intervals_run
 *
 * One thread, one poll(): the next end of an interval, a tenth of a second at most, signals, and whether the reader of standard
 * output is still there. */
struct bpf_engine;

struct interval_args {
	double interval; /* seconds; 0: one interval of all */
	double seconds;  /* 0: until a signal */
	uint64_t count;  /* intervals; 0: no limit */
	int pid;         /* it ends with this process; 0: none */
	double budget; /* share of one CPU that each program may cost (engine/budget.h), in any ten seconds; 0: no limit */
	/* An interval is over; the report holds it and lives until the call returns. Signals have their usual effect meanwhile.
	 * An error ends the run. */
	int (*on_interval)(void *ctx, const struct report *r);
	void *ctx;
};

/* The budget has ended it: by what, and when. */
struct budget_excess {
	const char *program;
	double share, seconds;
};

/* Who is asked for what was counted. 0 or -errno. */
struct interval_source {
	int (*begin)(void *of, struct err *e); /* read what is there before the first interval */
	int (*read)(void *of, struct err *e);  /* read what is there now */
	void (*show)(
		void *of,
		struct report *r); /* put the difference into the report, and keep what was read */
	void (*second)(void *of);  /* once a second; may be NULL */
};

struct intervals {
	struct interval_args args;
	const struct interval_source *source;
	void *of;
	struct bpf_engine *engine; /* of the programs */
	uint64_t groups;           /* of them: stopped when one costs too much */
	double open_seconds;       /* that opening has taken */
	struct loop loop;
	/* afterwards */
	bool ended;                  /* the process has */
	struct budget_excess excess; /* program: NULL while there is none */
	/* inside */
	struct wire_counts counts;        /* when it began */
	uint64_t started_ns, interval_ns; /* of the interval that is open */
	int64_t interval_wall_ns;
	uint64_t ticks, done; /* intervals */
	bool interrupted, calibrating;
	struct budget budget;
};

/* 0, also when SIGINT, the end of the process or the budget has ended it; -ECANCELED: SIGTERM or a hang-up; -EPIPE: the reader has
 * gone. Window, ledger and what is common of the report are filled in here. */
int intervals_run(struct intervals *iv, struct report *r, struct err *e);

#endif
