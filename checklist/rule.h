/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CHECKLIST_RULE_H
#define SIXTY_CHECKLIST_RULE_H

#include "model/finding.h"
#include "model/report.h"
#include "model/view.h"

/* One question to the machine. A rule fires on (an absolute floor) AND (a measured impact on somebody in the window);
 * the numbers stand in its row with their reason, the sentence and the parties come from check().
 *
 * A rule with a metric is unknown, without being called, when no source of that metric answered. */
struct rule {
	const char *id;       /* "cpu.saturated": stable, scripts depend on it */
	const char *question; /* "Do threads wait for a CPU because all are busy?" */
	enum resource resource;
	enum aspect aspect;
	enum metric_id
		metric; /* the metric without which nothing can be said; M_NONE: check() decides itself */
	double floor;      /* below it the condition is not there; unit and reason in fires */
	double warn, crit; /* in impact units */
	const char *fires; /* what makes it fire, in words, with the unit of floor */
	const char *
		needs; /* sources; or, with check NULL, what would be needed: "eBPF: owners of futexes" */
	const char *meaning;    /* sixty explain: what it means and how it is measured */
	const char *lookalikes; /* what else looks like it */
	const char *action;     /* what to do */
	const char *
		symptoms; /* blank-separated ids that follow from it: listed under it, not beside it;
			   * "own:ID" where that one harms nobody but its own offenders */
	void (*check)(const struct rule *r, const struct view *v, struct findings *fs);
};

/* One table per resource, each ended by a row with a NULL id; rules[] lists them. */
extern const struct rule *const rules[]; /* NULL-terminated list of tables */
const struct rule *rule_by_id(const char *id);

/* Start a finding of this rule (id, resource, aspect from the row). */
struct finding *rule_fire(const struct rule *r, struct findings *fs);
void rule_unknown(const struct rule *r, struct findings *fs, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Put every rule to the view. */
void checklist_ask(const struct view *v, struct findings *fs);
/* Rank, put symptoms under their causes, claim each lost second once, clear what is left, decide the verdict. */
void checklist_conclude(const struct view *v, struct report *out);
/* Both, then the USE rows and the sheets of the checklist. */
void checklist_run(const struct view *v, struct report *out);

/* USE rows and the ten steps of the 60-second checklist: one function per resource / step in their own tables. */
struct use_maker {
	enum resource resource;
	void (*make)(const struct view *v, struct report *out);
};
struct step_maker {
	const char *step;
	void (*make)(const struct view *v, struct report *out);
};
extern const struct use_maker use_makers[]; /* ended by make == NULL */
extern const struct step_maker step_makers[];

/* The ids of the rules that are tables of their own: */
extern const struct rule rules_memory_growth[], rules_memory_faults[], rules_memory_errors[];
extern const struct rule rules_cpu_cgroup[], rules_cpu[], rules_lock[], rules_memory[],
	rules_disk[], rules_fs[], rules_net[], rules_app[], rules_app_net[], rules_app_red[],
	rules_kernel[];

#endif
