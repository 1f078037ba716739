/* SPDX-License-Identifier: Apache-2.0 */
/* From findings to a verdict: symptoms go under causes, lost seconds are claimed once, silence is said. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/rule.h"
#include "tests/unit/unit.h"

static const struct host machine = { .cpus = 2, .page_size = 4096, .ticks_per_second = 100 };

struct scene {
	struct snapshot first, last;
	struct interval window;
	struct lost_row lost[2];
	struct view v;
	struct report r;
};

/* What nobody calls a machine healthy without. */
static void read_basics(struct snapshot *s, uint64_t seconds)
{
	size_t row = snapshot_system_row(s);

	s->time_ns = seconds * 1000000000;
	snapshot_begin(s, SCOPE_SYSTEM, s->time_ns);
	snapshot_begin(s, SCOPE_PROCESS, s->time_ns);
	snapshot_set(s, M_SYS_IDLE, row, seconds * 200, 1);
	snapshot_set(s, M_MEM_FREE, row, 1 << 20, 1);
}

static void open_scene(struct scene *s)
{
	metrics_init();
	memset(s, 0, sizeof(*s));
	snapshot_init(&s->first, &machine);
	snapshot_init(&s->last, &machine);
	interval_init(&s->window, &machine);
	read_basics(&s->first, 1);
	read_basics(&s->last, 11);
	interval_diff(&s->window, &s->first, &s->last);
	s->lost[0] = (struct lost_row){ .id = { 7, 1 }, .name = "waiter", .pid = 7 };
	s->v = (struct view){ .host = &machine,
			      .window = &s->window,
			      .first = &s->first,
			      .last = &s->last,
			      .lost = s->lost };
	report_init(&s->r, "sixty.triage/1", &machine);
}

static void close_scene(struct scene *s)
{
	report_done(&s->r);
	interval_done(&s->window);
	snapshot_done(&s->first);
	snapshot_done(&s->last);
}

/* A pair of ids of the catalogue where the first names the second as its symptom. */
static void any_pair(const struct rule **cause, char *symptom, size_t size)
{
	for (size_t t = 0; rules[t]; t++)
		for (const struct rule *r = rules[t]; r->id; r++)
			if (r->symptoms && strchr(r->symptoms, '.')) {
				*cause = r;
				snprintf(symptom, size, "%.*s", (int)strcspn(r->symptoms, " "),
					 r->symptoms);
				return;
			}
}

static struct finding *fire(struct scene *s, const char *id, const char *who, int64_t pid,
			    double lost)
{
	struct finding *f = finding_add(&s->r.findings, id, RES_CPU, ASPECT_SATURATION);

	f->impact.lost = lost;
	finding_summary(f, "%s by %s", id, who);
	finding_offender(f, PARTY_PROCESS, who, pid, 0.9);
	return f;
}

TEST(a_quiet_machine_is_healthy_and_says_what_was_cleared)
{
	struct scene s;

	open_scene(&s);
	checklist_conclude(&s.v, &s.r);
	CHECK_INT(s.r.verdict, VERDICT_HEALTHY);
	CHECK_HAS(s.r.summary, "No limiting factor");
	CHECK(isnan(s.r.explained));
	CHECK(s.r.findings.ncleared > 0);
	close_scene(&s);
}

TEST(lost_time_without_a_cause_is_inconclusive_not_healthy)
{
	struct scene s;

	open_scene(&s);
	s.lost[0].lost = s.lost[0].time[CAUSE_DISK] = 20;
	s.v.nlost = 1;
	checklist_conclude(&s.v, &s.r);
	CHECK_INT(s.r.verdict, VERDICT_INCONCLUSIVE);
	CHECK_HAS(s.r.summary, "waiter[7]");
	CHECK_NEAR(s.r.lost_total, 2, 1e-9);
	close_scene(&s);
}

/* Two CPUs that are busy for 40 % of ten seconds. */
static void read_cpus(struct snapshot *s, uint64_t seconds)
{
	snapshot_begin(s, SCOPE_CPU, s->time_ns);
	for (int cpu = 0; cpu < 2; cpu++) {
		size_t row = snapshot_named_row(s, SCOPE_CPU, cpu ? "cpu1" : "cpu0", 4);

		snapshot_set(s, M_CPU_IDLE, row, seconds * 60, 1);
		snapshot_set(s, M_CPU_IOWAIT, row, 0, 1);
	}
}

TEST(waits_that_come_with_busy_cpus_need_no_cause)
{
	struct scene s;

	open_scene(&s);
	read_cpus(&s.first, 1);
	read_cpus(&s.last, 11);
	interval_clear(&s.window);
	interval_diff(&s.window, &s.first, &s.last);
	s.v.nlost = 1;
	s.lost[0].lost = s.lost[0].time[CAUSE_RUNNABLE] = 5.5;
	checklist_conclude(&s.v, &s.r);
	CHECK_INT(s.r.verdict, VERDICT_HEALTHY);
	/* at 40 % there are 0.2 threads in a queue at most, and 0.1 of each CPU are let pass */
	s.lost[0].lost = s.lost[0].time[CAUSE_RUNNABLE] = 6.5;
	checklist_conclude(&s.v, &s.r);
	CHECK_INT(s.r.verdict, VERDICT_INCONCLUSIVE);
	s.lost[0].lost = s.lost[0].time[CAUSE_DISK] = 5.5;
	s.lost[0].time[CAUSE_RUNNABLE] = 0;
	checklist_conclude(&s.v, &s.r);
	CHECK_INT(s.r.verdict, VERDICT_INCONCLUSIVE);
	close_scene(&s);
}

TEST(a_niced_process_that_waits_for_a_cpu_has_lost_nothing)
{
	struct scene s;
	size_t row;

	open_scene(&s);
	row = snapshot_row(&s.last, SCOPE_PROCESS, (struct row_id){ 7, 1 }, "waiter", 6);
	snapshot_set(&s.last, M_PROC_NICE, row, 19, 1);
	s.lost[0].lost = s.lost[0].time[CAUSE_RUNNABLE] = 20;
	s.v.nlost = 1;
	checklist_conclude(&s.v, &s.r);
	CHECK_INT(s.r.verdict, VERDICT_HEALTHY);
	close_scene(&s);
}

TEST(a_finding_explains_its_share_of_the_lost_time)
{
	struct scene s;

	open_scene(&s);
	s.lost[0].lost = s.lost[0].time[CAUSE_RUNNABLE] = 20;
	s.v.nlost = 1;
	fire(&s, "cpu.saturated", "hog", 9, 1.5);
	checklist_conclude(&s.v, &s.r);
	CHECK_INT(s.r.verdict, VERDICT_ACTIONABLE);
	CHECK_NEAR(s.r.explained, 0.75, 1e-9);
	CHECK_INT(s.r.findings.list[0].severity, SEV_CRIT);
	CHECK_STR(s.r.summary, "cpu.saturated by hog");
	close_scene(&s);
}

TEST(an_unsure_finding_makes_the_verdict_inconclusive)
{
	struct scene s;

	open_scene(&s);
	fire(&s, "cpu.saturated", "hog", 9, 1.5)->confidence = 0.4;
	checklist_conclude(&s.v, &s.r);
	CHECK_INT(s.r.verdict, VERDICT_INCONCLUSIVE);
	close_scene(&s);
}

TEST(a_symptom_of_the_same_process_goes_under_its_cause)
{
	const struct rule *cause = NULL;
	char symptom[64] = "";
	struct scene s;

	any_pair(&cause, symptom, sizeof(symptom));
	CHECK(cause != NULL);
	open_scene(&s);
	fire(&s, symptom, "hog", 9, 0.9);
	fire(&s, cause->id, "hog", 9, 0.5);
	checklist_conclude(&s.v, &s.r);
	CHECK_INT(s.r.findings.n, 1);
	CHECK_STR(s.r.findings.list[0].id, cause->id);
	CHECK_INT(s.r.findings.list[0].nsymptoms, 1);
	CHECK_HAS(s.r.findings.list[0].symptoms[0], symptom);
	close_scene(&s);
}

TEST(the_same_two_by_different_processes_are_two_findings)
{
	const struct rule *cause = NULL;
	char symptom[64] = "";
	struct scene s;

	any_pair(&cause, symptom, sizeof(symptom));
	CHECK(cause != NULL);
	open_scene(&s);
	fire(&s, symptom, "one", 9, 0.9);
	fire(&s, cause->id, "other", 10, 0.5);
	checklist_conclude(&s.v, &s.r);
	CHECK_INT(s.r.findings.n, 2);
	close_scene(&s);
}

TEST(every_rule_says_what_it_asks_and_what_it_needs)
{
	for (size_t t = 0; rules[t]; t++)
		for (const struct rule *r = rules[t]; r->id; r++) {
			CHECK(strchr(r->id, '.') != NULL);
			CHECK(!strncmp(r->id, resource_name(r->resource),
				       strlen(resource_name(r->resource))));
			CHECK(r->question && r->question[strlen(r->question) - 1] == '?');
			CHECK(r->needs && *r->needs);
			CHECK(r->fires && *r->fires);
			CHECK(r->meaning && *r->meaning);
			CHECK(r->action && *r->action);
			CHECK(rule_by_id(r->id) == r);
		}
	CHECK(rule_by_id("cpu.no_such_thing") == NULL);
}

TEST(the_symptoms_that_rules_name_exist)
{
	for (size_t t = 0; rules[t]; t++)
		for (const struct rule *r = rules[t]; r->id; r++) {
			char list[512], *save = NULL;

			snprintf(list, sizeof(list), "%s", r->symptoms ? r->symptoms : "");
			for (char *id = strtok_r(list, " ", &save); id;
			     id = strtok_r(NULL, " ", &save))
				if (!rule_by_id(strncmp(id, "own:", 4) ? id : id + 4))
					unit_fail(__FILE__, __LINE__,
						  "%s names %s, which is no rule", r->id, id);
		}
}

TEST(a_full_machine_that_hurts_only_the_threads_that_fight_over_a_lock_is_its_symptom)
{
	for (int self = 0; self < 2; self++) {
		struct scene s;
		struct finding *f;

		open_scene(&s);
		fire(&s, "cpu.saturated", "dbd", 7, 3)->self_inflicted = self;
		f = fire(&s, "lock.futex_contention", "dbd", 7, 1);
		f->resource = RES_LOCK;
		checklist_conclude(&s.v, &s.r);
		CHECK_INT(s.r.findings.n, self ? 1 : 2);
		CHECK_STR(s.r.findings.list[0].id,
			  self ? "lock.futex_contention" : "cpu.saturated");
		CHECK_NEAR(s.r.findings.list[0].impact.lost, self ? 4 : 3, 1e-9);
		close_scene(&s);
	}
}
