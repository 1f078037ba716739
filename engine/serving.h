/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_SERVING_H
#define SIXTY_ENGINE_SERVING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/intervals.h"
#include "model/report.h"

/* Requests of services, interval by interval. Counted in the kernel; user space wakes up ten times a second at most, and reads
 * at the end of each interval.
 *
 *   serving_open  →  serving_run  →  serving_close */
struct serving;

struct serving_args {
	int port;           /* 0: all */
	const char *cgroup; /* NULL: all */
	bool no_content, no_clients;
	struct interval_args run; /* pid: 0: all */
};

int serving_open(struct serving **out, const struct serving_args *a, struct err *e);
int serving_run(struct serving *s, struct err *e); /* see intervals_run() */
const struct budget_excess *serving_excess(
	const struct serving *s);      /* NULL: the budget has not ended it */
void serving_close(struct serving *s); /* accepts NULL */

#endif
