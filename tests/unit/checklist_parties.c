/* SPDX-License-Identifier: Apache-2.0 */
#include "checklist/parties.h"

#include <stdio.h>

#include "tests/unit/scene.h"
#include "tests/unit/unit.h"

TEST(parties_are_ranked_by_cpu_time_with_their_share)
{
	struct scene s;
	struct ranking r;

	scene_open(&s, 2, 10);
	scene_grow(&s, M_PROC_USER, scene_process(&s, 10, "small"), 1.0);
	struct row_id big = scene_process(&s, 20, "big");
	scene_grow(&s, M_PROC_USER, big, 2.0);
	scene_grow(&s, M_PROC_SYSTEM, big, 1.0);
	scene_process(&s, 30, "asleep");
	scene_build(&s);
	rank_cpu(&s.view, &r);
	CHECK_INT((int)r.n, 2);
	CHECK_STR(r.top[0].name, "big");
	CHECK_INT(r.top[0].pid, 20);
	CHECK_NEAR(r.top[0].amount, 0.3, 1e-6);
	CHECK_NEAR(r.top[0].share, 0.75, 1e-6);
	CHECK_NEAR(r.total, 0.4, 1e-6);
	scene_close(&s);
}

TEST(processes_of_one_name_in_one_cgroup_are_one_party)
{
	struct scene s;
	struct ranking r;
	char label[128];

	scene_open(&s, 2, 10);
	for (int i = 0; i < 12; i++) {
		struct row_id p = scene_process(&s, 100 + i, "worker");

		scene_grow(&s, M_PROC_USER, p, i == 5 ? 2.0 : 1.0);
		scene_text(&s, M_PROC_CGROUP, p, i < 10 ? "0::/web" : "0::/batch");
	}
	scene_build(&s);
	rank_cpu(&s.view, &r);
	CHECK_INT((int)r.n, 2);
	CHECK_INT((int)r.top[0].processes, 10);
	CHECK_INT(r.top[0].pid, 105);
	CHECK_NEAR(r.top[0].amount, 1.1, 1e-6);
	CHECK_STR(member_label(label, sizeof(label), &r.top[0]),
		  "worker[105] and 9 more of its name");
	CHECK(ranking_find(&r, &s.view, 103) == &r.top[0]);
	CHECK(ranking_find(&r, &s.view, 111) == &r.top[1]);
	CHECK(ranking_find(&r, &s.view, 9999) == NULL);
	scene_close(&s);
}

TEST(more_parties_than_fit_keep_the_largest)
{
	struct scene s;
	struct ranking r;
	struct finding *f;
	char name[16];

	scene_open(&s, 2, 10);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		scene_grow(&s, M_PROC_USER, scene_process(&s, 100 + i, name),
			   0.1 * ((i * 7) % 40 + 1));
	}
	scene_build(&s);
	rank_cpu(&s.view, &r);
	CHECK_INT((int)r.n, FINDING_PARTIES);
	CHECK_INT((int)r.parties, 40);
	for (size_t i = 0; i < r.n; i++)
		CHECK_NEAR(r.top[i].amount, 0.4 - 0.01 * (double)i, 1e-6);
	f = finding_add(&s.report.findings, "cpu.saturated", RES_CPU, ASPECT_SATURATION);
	finding_offenders(f, &s.view, &r, 3, 0.01);
	CHECK_INT((int)f->noffenders, 3);
	finding_victims(f, &s.view, &r, 8, 0.99);
	CHECK_INT((int)f->nvictims, 0);
	scene_close(&s);
}

TEST(a_process_born_in_the_window_counts_its_time_over_the_whole_window)
{
	struct scene s;
	struct ranking r;

	scene_open(&s, 2, 10);
	scene_grow(&s, M_PROC_USER, scene_born_process(&s, 77, "young"), 4.0);
	scene_build(&s);
	rank_cpu(&s.view, &r);
	CHECK_INT((int)r.n, 1);
	CHECK_NEAR(r.top[0].amount, 0.4, 1e-6);
	scene_close(&s);
}

TEST(lost_time_is_ranked_by_cause_and_victims_know_their_cgroup)
{
	struct scene s;
	struct ranking r;
	struct finding *f;

	scene_open(&s, 2, 10);
	struct row_id p = scene_process(&s, 50, "api");
	scene_grow(&s, M_PROC_USER, p, 1.0);
	scene_text(&s, M_PROC_CGROUP, p, "3:cpu,cpuacct:/svc\n0::/");
	scene_grow(&s, M_THREAD_RUNNABLE, scene_thread(&s, 50, 50, "api"), 5.0);
	scene_grow(&s, M_THREAD_RUNNABLE, scene_thread(&s, 50, 51, "api-w"), 3.0);
	scene_build(&s);
	rank_lost(&s.view, CAUSE_RUNNABLE, &r);
	CHECK_INT((int)r.n, 1);
	CHECK_NEAR(r.total, 0.8, 1e-6);
	f = finding_add(&s.report.findings, "cpu.saturated", RES_CPU, ASPECT_SATURATION);
	finding_victims(f, &s.view, &r, 8, 0.01);
	CHECK_INT((int)f->nvictims, 1);
	CHECK_STR(f->victims[0].name, "api");
	CHECK_STR(f->victims[0].cgroup, "/svc");
	CHECK_NEAR(f->victims[0].lost, 0.8, 1e-6);
	rank_lost(&s.view, CAUSE_DISK, &r);
	CHECK_INT((int)r.n, 0);
	scene_close(&s);
}

static void account(struct scene *s, int64_t pid, const char *comm, double run, double wait)
{
	struct row_id p = scene_process(s, pid, comm), t = scene_named(s, SCOPE_TIME, comm);

	scene_grow(s, M_PROC_USER, p, run);
	scene_level(s, M_TIME_PID, t, (double)pid);
	scene_grow(s, M_TIME_TOTAL, t, 10);
	scene_grow(s, M_TIME_RUN, t, run);
	scene_grow(s, M_TIME_RUNNABLE, t, wait);
}

static void pair(struct scene *s, const char *name, int64_t victim, int64_t offender, double wait)
{
	struct row_id p = scene_named(s, SCOPE_PAIR, name);

	scene_level(s, M_PAIR_VICTIM, p, (double)victim);
	scene_level(s, M_PAIR_OFFENDER, p, (double)offender);
	scene_grow(s, M_PAIR_WAIT, p, wait);
}

static bool is_web(const struct view *v, const struct lost_row *row, const void *arg)
{
	(void)v;
	return row->pid == *(const int64_t *)arg;
}

TEST(who_takes_is_told_by_the_slices_in_the_waits_not_by_who_runs_most)
{
	struct scene s;
	struct ranking r;
	int64_t web = 10;

	scene_open(&s, 2, 10);
	account(&s, 10, "web", 1, 4);
	account(&s, 20, "batch", 10, 0); /* runs most, but on the other CPU */
	account(&s, 30, "scan", 5, 3);
	pair(&s, "a", 10, 30, 3.6);
	pair(&s, "b", 10, 20, 0.4);
	pair(&s, "c", 30, 20, 3.0); /* of a victim that is not asked about */
	pair(&s, "d", 10, 0, 1.0);  /* idle time is nobody */
	scene_build(&s);
	CHECK(rank_takers(&s.view, is_web, &web, &r));
	CHECK_INT((int)r.n, 2);
	CHECK_STR(r.top[0].name, "scan");
	CHECK_NEAR(r.top[0].share, 0.9, 1e-6);
	CHECK_NEAR(r.top[0].amount, 0.36, 1e-6);
	scene_close(&s);
}

TEST(without_measured_slices_nobody_is_said_to_have_taken_anything)
{
	struct scene s;
	struct ranking r;
	int64_t web = 10;

	scene_open(&s, 2, 10);
	scene_grow(&s, M_PROC_USER, scene_process(&s, 10, "web"), 1.0);
	scene_build(&s);
	CHECK(!rank_takers(&s.view, is_web, &web, &r));
	CHECK_INT((int)r.n, 0);
	scene_close(&s);
}
