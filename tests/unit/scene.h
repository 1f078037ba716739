/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_TESTS_SCENE_H
#define SIXTY_TESTS_SCENE_H

#include "checklist/rule.h"

/* A machine made by hand, for tests of rules: two snapshots that differ by what the test says.
 *
 *	struct scene s;
 *
 *	scene_open(&s, 2, 10);                                  2 CPUs, a window of 10 s
 *	struct row_id p = scene_process(&s, 4242, "transcoded");
 *	scene_grow(&s, M_PROC_USER, p, 19.0);                   19 s of CPU time in the window
 *	scene_judge(&s, "cpu.saturated");
 *	CHECK(scene_finding(&s, "cpu.saturated") != NULL);
 *
 * Counters start at some number and grow evenly over the seconds of the window; gauges and labels are the same at
 * both ends unless scene_move() says otherwise. What is not set is absent. */
#define SCENE_SECONDS 60

struct scene {
	struct host host;
	double duration;
	struct snapshot first, last;
	struct interval window, parts[SCENE_SECONDS];
	struct interval *seconds[SCENE_SECONDS];
	struct view view;
	struct lost_row *lost;
	struct report report; /* findings land in report.findings */
	bool built;
};

void scene_open(struct scene *s, unsigned cpus, double seconds);
void scene_close(struct scene *s);

/* Rows. A process or thread began long before the window, or (born) in its middle. */
struct row_id scene_process(struct scene *s, int64_t pid, const char *comm);
struct row_id scene_born_process(struct scene *s, int64_t pid, const char *comm);
struct row_id scene_thread(struct scene *s, int64_t pid, int64_t tid, const char *comm);
struct row_id scene_named(struct scene *s, enum scope scope,
			  const char *name); /* "cpu0", "vda", "eth0", "/svc" */
extern const struct row_id scene_system;

/* Values in base units (seconds, bytes, 1.0 = 100 %). */
void scene_grow(struct scene *s, enum metric_id id, struct row_id row, double growth); /* counter */
void scene_level(struct scene *s, enum metric_id id, struct row_id row, double level); /* gauge */
void scene_move(struct scene *s, enum metric_id id, struct row_id row, double from,
		double to); /* gauge */
void scene_text(struct scene *s, enum metric_id id, struct row_id row, const char *text);

/* Make the view; called by the two below when it was not. */
void scene_build(struct scene *s);
/* Run one rule as the checklist does, or every rule of a table. */
void scene_judge(struct scene *s, const char *id);
void scene_judge_table(struct scene *s, const struct rule *table);

const struct finding *scene_finding(const struct scene *s,
				    const char *id);              /* NULL: it did not fire */
const char *scene_unknown(const struct scene *s, const char *id); /* the reason, or NULL */

#endif
