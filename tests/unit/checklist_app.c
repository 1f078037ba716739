/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of applications, and their look-alikes; what pidstat, top and the kernel's tables show. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/makers.h"
#include "model/event.h"
#include "tests/unit/scene.h"
#include "tests/unit/unit.h"

static struct row_id proc(struct scene *s, int64_t pid, const char *comm, double cpu)
{
	struct row_id p = scene_process(s, pid, comm);

	scene_grow(s, M_PROC_USER, p, cpu);
	scene_grow(s, M_PROC_SYSTEM, p, 0);
	scene_level(s, M_PROC_STATE, p, 'S');
	return p;
}

/* ---- descriptors ---- */

TEST(a_process_that_runs_at_its_descriptor_limit_fails)
{
	struct scene s;
	struct row_id p;

	scene_open(&s, 2, 10);
	p = proc(&s, 10, "proxyd", 1);
	scene_level(&s, M_PROC_FDS, p, 256);
	scene_level(&s, M_PROC_FD_LIMIT, p, 256);
	p = proc(&s, 11, "parked", 0);
	scene_level(&s, M_PROC_FDS, p, 256);
	scene_level(&s, M_PROC_FD_LIMIT, p, 256);
	p = proc(&s, 12, "free", 1);
	scene_level(&s, M_PROC_FDS, p, 1e5);
	scene_level(&s, M_PROC_FD_LIMIT, p, INFINITY);
	scene_judge(&s, "app.emfile");
	CHECK_INT(s.report.findings.n, 1);
	CHECK_INT(scene_finding(&s, "app.emfile")->offenders[0].pid, 10);
	scene_close(&s);
}

TEST(descriptors_near_the_limit_are_a_warning_while_they_grow_or_the_process_works)
{
	struct scene s;
	struct row_id p;
	const struct finding *f;

	scene_open(&s, 2, 10);
	p = proc(&s, 10, "gatewayd", 1);
	scene_move(&s, M_PROC_FDS, p, 1980, 1990);
	scene_level(&s, M_PROC_FD_LIMIT, p, 2048);
	scene_judge(&s, "app.fd_near_limit");
	f = scene_finding(&s, "app.fd_near_limit");
	CHECK_INT(f->severity, SEV_WARN);
	CHECK_NEAR(f->impact.to_limit, 58, 0.1);
	scene_close(&s);

	scene_open(&s, 2, 10);
	p = proc(&s, 10, "working", 1);
	scene_level(&s, M_PROC_FDS, p, 1990);
	scene_level(&s, M_PROC_FD_LIMIT, p, 2048);
	scene_judge(&s, "app.fd_near_limit");
	CHECK_INT(scene_finding(&s, "app.fd_near_limit")->severity, SEV_WARN);
	scene_close(&s);

	scene_open(&s, 2, 10);
	p = proc(&s, 10, "pool", 0);
	scene_level(&s, M_PROC_FDS, p, 1990);
	scene_level(&s, M_PROC_FD_LIMIT, p, 2048);
	scene_judge(&s, "app.fd_near_limit");
	CHECK_INT(scene_finding(&s, "app.fd_near_limit")->severity, SEV_INFO);
	scene_close(&s);
}

TEST(a_full_table_of_files_names_who_has_most)
{
	struct scene s;
	struct row_id p;

	scene_open(&s, 2, 10);
	p = proc(&s, 10, "hoarder", 1);
	scene_level(&s, M_PROC_FDS, p, 90000);
	scene_level(&s, M_FILES_OPEN, scene_system, 99000);
	scene_level(&s, M_FILES_MAX, scene_system, 100000);
	scene_judge(&s, "app.emfile");
	CHECK_STR(scene_finding(&s, "app.emfile")->offenders[0].name, "hoarder");
	CHECK_HAS(scene_finding(&s, "app.emfile")->summary, "ENFILE");
	scene_close(&s);
}

static void sockets(struct scene *s, unsigned n, const char *state, double pid)
{
	char name[24];

	for (unsigned i = 0; i < n; i++) {
		struct row_id k;

		snprintf(name, sizeof(name), "%s%u", state, i);
		k = scene_named(s, SCOPE_SOCKET, name);
		scene_text(s, M_SOCK_STATE, k, state);
		scene_text(s, M_SOCK_COMM, k, "mailer");
		scene_level(s, M_SOCK_PID, k, pid);
	}
}

TEST(sockets_that_stay_in_close_wait_have_been_forgotten)
{
	struct scene s;
	const struct finding *f;

	scene_open(&s, 2, 10);
	proc(&s, 10, "mailer", 1);
	sockets(&s, 25, "CLOSE-WAIT", 10);
	scene_move(&s, M_TCP_N_CLOSE_WAIT, scene_system, 100, 150);
	scene_judge(&s, "app.close_wait_leak");
	f = scene_finding(&s, "app.close_wait_leak");
	CHECK(f != NULL);
	CHECK_INT(f->severity, SEV_WARN);
	CHECK_INT(f->offenders[0].pid, 10);
	CHECK_HAS(f->summary, "5.0 more a second");
	scene_close(&s);

	scene_open(&s, 2, 10);
	proc(&s, 10, "mailer", 1);
	sockets(&s, 25, "ESTAB", 10);
	scene_level(&s, M_TCP_N_CLOSE_WAIT, scene_system, 0);
	scene_judge(&s, "app.close_wait_leak");
	CHECK(!scene_finding(&s, "app.close_wait_leak"));
	scene_close(&s);
}

TEST(inotify_instances_are_counted_by_user)
{
	struct scene s;
	const struct finding *f;

	scene_open(&s, 2, 10);
	for (int i = 0; i < 4; i++) {
		struct row_id p = proc(&s, 10 + i, i == 2 ? "watcher" : "tail", 1);

		scene_level(&s, M_PROC_OWNER, p, i < 3 ? 1000 : 0);
		scene_level(&s, M_PROC_INOTIFY, p, i == 2 ? 100 : 14);
	}
	scene_level(&s, M_INOTIFY_INSTANCES_MAX, scene_system, 128);
	scene_level(&s, M_FD_WALK_SHARE, scene_system, 1);
	scene_judge(&s, "app.inotify_limit");
	CHECK_INT(s.report.findings.n, 1);
	f = scene_finding(&s, "app.inotify_limit");
	CHECK_STR(f->offenders[0].name, "watcher");
	CHECK_HAS(f->instance, "1000");
	scene_close(&s);

	scene_open(&s, 2, 10);
	scene_level(&s, M_INOTIFY_INSTANCES_MAX, scene_system, 128);
	scene_level(&s, M_FD_WALK_SHARE, scene_system, 0.4);
	scene_judge(&s, "app.inotify_limit");
	CHECK_HAS(scene_unknown(&s, "app.inotify_limit"), "40 %");
	scene_close(&s);
}

/* ---- children ---- */

TEST(zombies_that_grow_are_a_warning_with_the_time_that_is_left)
{
	struct scene s;
	struct row_id p;
	const struct finding *f;

	scene_open(&s, 2, 10);
	p = proc(&s, 10, "cronlike", 1);
	scene_move(&s, M_PROC_ZOMBIES, p, 1900, 2000);
	scene_level(&s, M_ZOMBIES, scene_system, 2000);
	scene_level(&s, M_THREADS, scene_system, 2768);
	scene_level(&s, M_PID_MAX, scene_system, 32768);
	scene_level(&s, M_THREADS_MAX, scene_system, 1e6);
	scene_judge(&s, "app.zombies");
	f = scene_finding(&s, "app.zombies");
	CHECK_INT(f->severity, SEV_WARN);
	CHECK_NEAR(f->impact.to_limit, 3000, 1);
	CHECK_INT(f->offenders[0].pid, 10);
	scene_close(&s);
}

TEST(zombies_that_do_not_grow_are_an_information_and_a_few_are_nothing)
{
	struct scene s;
	struct row_id p;

	scene_open(&s, 2, 10);
	p = proc(&s, 10, "lazy", 1);
	scene_level(&s, M_PROC_ZOMBIES, p, 500);
	p = proc(&s, 11, "usual", 1);
	scene_level(&s, M_PROC_ZOMBIES, p, 3);
	scene_level(&s, M_ZOMBIES, scene_system, 503);
	scene_judge(&s, "app.zombies");
	CHECK_INT(s.report.findings.n, 1);
	CHECK_INT(s.report.findings.list[0].severity, SEV_INFO);
	scene_close(&s);
}

static void crash(struct scene *s, unsigned i, const char *comm, double live)
{
	char name[24];
	struct row_id e;

	snprintf(name, sizeof(name), "line%u", i);
	e = scene_named(s, SCOPE_EVENT, name);
	scene_level(s, M_EVENT_KIND, e, EVENT_SEGFAULT);
	scene_level(s, M_EVENT_LIVE, e, live);
	scene_level(s, M_EVENT_PID, e, 4000 + i);
	scene_text(s, M_EVENT_COMM, e, comm);
	scene_text(s, M_EVENT_TEXT, e, "agentd[4001]: segfault at 0");
}

TEST(a_program_that_crashes_again_and_again_is_named_with_its_parent)
{
	struct scene s;
	struct row_id p;
	const struct finding *f;

	scene_open(&s, 2, 10);
	p = proc(&s, 10, "watchdogd", 1);
	scene_text(&s, M_PROC_NEWBORN_NAME, p, "agentd");
	scene_grow(&s, M_PROC_NEWBORN, p, 30);
	scene_level(&s, M_PROCESSES, scene_system, 100);
	for (unsigned i = 0; i < 20; i++)
		crash(&s, i, "agentd", 1);
	for (unsigned i = 20; i < 40; i++)
		crash(&s, i, "old", 0); /* long before the window */
	for (unsigned i = 40; i < 42; i++)
		crash(&s, i, "twice", 1);
	scene_judge(&s, "app.crash_loop");
	CHECK_INT(s.report.findings.n, 1);
	f = scene_finding(&s, "app.crash_loop");
	CHECK_STR(f->offenders[0].name, "agentd");
	CHECK_STR(f->offenders[1].name, "watchdogd");
	CHECK_NEAR(f->impact.failed, 2, 1e-9);
	scene_close(&s);
}

/* ---- held ---- */

static struct row_id endpoint(struct scene *s, int64_t server, double awaiting)
{
	struct row_id e = scene_named(s, SCOPE_ENDPOINT, "tcp *:7311");

	scene_level(s, M_EP_SERVER_PID, e, (double)server);
	scene_level(s, M_EP_PORT, e, 7311);
	scene_level(s, M_EP_CLIENT_PID, e, 77);
	scene_text(s, M_EP_CLIENT_COMM, e, "loginweb");
	scene_grow(s, M_EP_AWAITING, e, awaiting * s->duration);
	return e;
}

TEST(a_stopped_process_that_somebody_waits_for_is_named_with_its_port)
{
	struct scene s;
	const struct finding *f;

	scene_open(&s, 2, 10);
	scene_level(&s, M_PROC_STATE, proc(&s, 10, "authd", 0), 'T');
	endpoint(&s, 10, 3);
	scene_judge(&s, "app.process_stopped");
	f = scene_finding(&s, "app.process_stopped");
	CHECK(f != NULL);
	CHECK_INT(f->offenders[0].pid, 10);
	CHECK_INT(f->offenders[0].port, 7311);
	CHECK_STR(f->victims[0].name, "loginweb");
	CHECK_NEAR(f->impact.lost, 3, 0.01);
	CHECK_HAS(f->next[0], "kill -CONT 10");
	scene_close(&s);
}

TEST(a_stopped_job_that_nobody_waits_for_is_nothing)
{
	struct scene s;

	scene_open(&s, 2, 10);
	scene_level(&s, M_PROC_STATE, proc(&s, 10, "vi", 0), 'T');
	proc(&s, 11, "authd", 0);
	endpoint(&s, 11, 3);
	scene_judge(&s, "app.process_stopped");
	CHECK(!scene_finding(&s, "app.process_stopped"));
	scene_close(&s);
}

/* ---- logs ---- */

static void writer(struct scene *s, int64_t pid, double calls, double bytes, double dirtied,
		   double read)
{
	struct row_id p = proc(s, pid, "chattyd", 1);

	scene_grow(s, M_PROC_SYSCW, p, calls * s->duration);
	scene_grow(s, M_PROC_WCHAR, p, bytes * s->duration);
	scene_grow(s, M_PROC_WRITE_BYTES, p, dirtied * s->duration);
	scene_grow(s, M_PROC_RCHAR, p, read * s->duration);
}

TEST(many_small_writes_to_a_file_are_an_information_and_sockets_are_not)
{
	struct scene s;

	scene_open(&s, 2, 10);
	writer(&s, 10, 5000, 2e6, 2e6, 0);
	writer(&s, 11, 5000, 2e6, 0, 0);     /* a socket */
	writer(&s, 12, 5000, 2e9, 2e9, 0);   /* a large copy */
	writer(&s, 13, 5000, 2e6, 2e6, 9e6); /* a filter */
	writer(&s, 14, 50, 2e4, 2e4, 0);     /* a quiet log */
	scene_judge(&s, "app.log_spam");
	CHECK_INT(s.report.findings.n, 1);
	CHECK_INT(s.report.findings.list[0].offenders[0].pid, 10);
	CHECK_INT(s.report.findings.list[0].severity, SEV_INFO);
	scene_close(&s);
}

/* ---- sheets ---- */

static double cell(const struct sheet *s, size_t row, unsigned col)
{
	return s->cells[row * s->ncolumns + col].number;
}

static const char *words(const struct report *r, const struct sheet *s, size_t row, unsigned col)
{
	return r->strings.data + s->cells[row * s->ncolumns + col].text;
}

TEST(pidstat_and_top_show_the_busiest_first)
{
	struct scene s;
	struct row_id p;
	const struct sheet *pidstat, *top;

	scene_open(&s, 2, 10);
	s.host.memory_bytes = 1u << 30;
	p = proc(&s, 20, "small", 1);
	scene_level(&s, M_PROC_RSS, p, 1 << 20);
	p = proc(&s, 21, "large", 8);
	scene_grow(&s, M_PROC_SYSTEM, p, 1);
	scene_grow(&s, M_PROC_MINFLT, p, 500);
	scene_grow(&s, M_PROC_READ_BYTES, p, 10 * 1024 * 1024);
	scene_level(&s, M_PROC_RSS, p, 1 << 28);
	scene_level(&s, M_PROC_NICE, p, -5);
	scene_level(&s, M_PROC_POLICY, p, 0);
	scene_build(&s);
	step_pidstat(&s.view, &s.report);
	step_top(&s.view, &s.report);
	pidstat = &s.report.sheets[0];
	top = &s.report.sheets[1];
	CHECK_INT(pidstat->nrows, 2);
	CHECK_NEAR(cell(pidstat, 0, 0), 21, 0);
	CHECK_NEAR(cell(pidstat, 0, 1), 80, 1e-6);
	CHECK_NEAR(cell(pidstat, 0, 2), 10, 1e-6);
	CHECK_NEAR(cell(pidstat, 0, 4), 90, 1e-6);
	CHECK_NEAR(cell(pidstat, 0, 6), 50, 1e-6);
	CHECK_NEAR(cell(pidstat, 0, 11), 1024, 1e-6);
	CHECK(isnan(cell(pidstat, 1, 11)));
	CHECK(isnan(cell(pidstat, 0, 3)));
	CHECK_STR(words(&s.report, pidstat, 0, 13), "large");
	CHECK_NEAR(cell(top, 0, 7), 90, 1e-6);
	CHECK_NEAR(cell(top, 0, 8), 25, 1e-6);
	CHECK_STR(words(&s.report, top, 0, 2), "15");
	CHECK_STR(words(&s.report, top, 0, 6), "S");
	CHECK_STR(words(&s.report, top, 0, 10), "large");
	scene_close(&s);
}

TEST(kernel_tables_say_how_full_they_are_or_why_that_is_not_known)
{
	struct scene s;

	scene_open(&s, 2, 10);
	scene_level(&s, M_THREADS, scene_system, 900);
	scene_level(&s, M_PID_MAX, scene_system, 1000);
	scene_build(&s);
	use_kernel_tables(&s.view, &s.report);
	CHECK_STR(s.report.use[0].instance, "pids");
	CHECK_NEAR(s.report.use[0].utilization, 0.9, 1e-9);
	CHECK(s.report.use[0].matters);
	CHECK(isnan(s.report.use[2].utilization));
	CHECK_HAS(s.report.use[2].why_utilization, "not counted");
	scene_close(&s);
}
