/* SPDX-License-Identifier: Apache-2.0 */
/* Storms: rates are nothing without the CPU time they burn, and each party has one mechanism. */
#include <math.h>
#include <stdio.h>

#include "checklist/cpu.h"
#include "tests/unit/scene.h"
#include "tests/unit/unit.h"

#define WINDOW 10.0

static void machine(struct scene *s, double used, double ctxt, double forks)
{
	scene_open(s, 2, WINDOW);
	for (int i = 0; i < 2; i++) {
		struct row_id cpu = scene_named(s, SCOPE_CPU, i ? "cpu1" : "cpu0");

		scene_grow(s, M_CPU_IDLE, cpu, (2 - used) / 2 * WINDOW);
		scene_grow(s, M_CPU_IRQ_LOC, cpu, 250 * WINDOW);
		scene_grow(s, M_CPU_IRQ_TLB, cpu, 50 * WINDOW);
	}
	scene_grow(s, M_SYS_IDLE, scene_system, (2 - used) * WINDOW);
	scene_grow(s, M_SYS_IOWAIT, scene_system, 0);
	scene_level(s, M_SYS_CPUS, scene_system, 2);
	scene_grow(s, M_CTXT, scene_system, ctxt * WINDOW);
	scene_grow(s, M_FORKS, scene_system, forks * WINDOW);
}

struct habits {
	double user, system;                  /* CPUs */
	double voluntary, involuntary;        /* per second */
	double reads, bytes_per_read, faults; /* per second */
	int threads;
	double wait;           /* s/s, all threads */
	enum metric_id sleeps; /* where its threads sleep */
};

static struct row_id party(struct scene *s, int64_t pid, const char *comm, const struct habits *h)
{
	struct row_id p = scene_process(s, pid, comm);
	double n = h->threads ? h->threads : 1;

	scene_grow(s, M_PROC_USER, p, h->user * WINDOW);
	scene_grow(s, M_PROC_SYSTEM, p, h->system * WINDOW);
	scene_grow(s, M_PROC_VCSW, p, h->voluntary * WINDOW);
	scene_grow(s, M_PROC_NVCSW, p, h->involuntary * WINDOW);
	scene_grow(s, M_PROC_SYSCR, p, h->reads * WINDOW);
	scene_grow(s, M_PROC_SYSCW, p, 0);
	scene_grow(s, M_PROC_RCHAR, p, h->reads * h->bytes_per_read * WINDOW);
	scene_grow(s, M_PROC_WCHAR, p, 0);
	scene_grow(s, M_PROC_MINFLT, p, h->faults * WINDOW);
	scene_level(s, M_PROC_KTHREAD, p, 0);
	scene_text(s, M_PROC_CGROUP, p, "0::/");
	for (int i = 0; i < n; i++) {
		struct row_id t = scene_thread(s, pid, pid + i, comm);

		scene_grow(s, M_THREAD_USER, t, h->user * WINDOW / n);
		scene_grow(s, M_THREAD_SYSTEM, t, h->system * WINDOW / n);
		scene_grow(s, M_THREAD_RUN, t, (h->user + h->system) * WINDOW / n);
		scene_grow(s, M_THREAD_RUNNABLE, t, h->wait * WINDOW / n);
		scene_grow(s, M_THREAD_SLICES, t, (h->voluntary + h->involuntary) * WINDOW / n);
		scene_grow(s, M_THREAD_ONRUN, t, 1);
		if (h->sleeps != M_NONE)
			scene_grow(s, h->sleeps, t, 8);
	}
	return p;
}

static const char *const storms[] = {
	"cpu.syscall_storm",         "cpu.context_switch_storm",  "cpu.sched_yield_storm",
	"cpu.thundering_herd",       "cpu.timer_interrupt_storm", "cpu.tlb_shootdown_ipi",
	"cpu.short_lived_processes",
};

/* That storm fires, and no other. */
static const struct finding *only(struct scene *s, const char *id)
{
	const struct finding *found = NULL;

	for (size_t i = 0; i < sizeof(storms) / sizeof(*storms); i++) {
		scene_judge(s, storms[i]);
		if (scene_finding(s, storms[i]) && storms[i] != id)
			unit_fail(__FILE__, __LINE__, "%s fired", storms[i]);
	}
	if (id) {
		found = scene_finding(s, id);
		if (!found)
			unit_fail(__FILE__, __LINE__, "%s did not fire", id);
	}
	return found;
}

static const char switch_storm[] = "cpu.context_switch_storm";

TEST(tiny_pieces_of_work_handed_over_pipes_are_a_switch_storm)
{
	const struct finding *f;
	struct scene s;

	machine(&s, 2, 800000, 1);
	party(&s, 100, "relayd",
	      &(struct habits){ .user = 0.3,
				.system = 1.5,
				.voluntary = 350000,
				.involuntary = 1000,
				.reads = 350000,
				.bytes_per_read = 1,
				.threads = 2,
				.sleeps = M_THREAD_PIPE });
	f = only(&s, storms[1]);
	CHECK_STR(f->id, switch_storm);
	CHECK_STR(f->offenders[0].name, "relayd");
	CHECK_NEAR(f->impact.wasted, 1.5, 0.01);
	CHECK(storm_share(&s.view) > 0.8);
	scene_close(&s);
}

TEST(many_switches_that_cost_little_are_healthy)
{
	struct scene s;

	machine(&s, 0.3, 60000, 1);
	party(&s, 100, "redis-server",
	      &(struct habits){ .user = 0.15,
				.system = 0.12,
				.voluntary = 40000,
				.threads = 1,
				.sleeps = M_THREAD_POLL });
	only(&s, NULL);
	scene_close(&s);
}

TEST(threads_that_work_between_switches_are_no_storm)
{
	struct scene s;

	machine(&s, 2, 30000, 1);
	party(&s, 100, "server",
	      &(struct habits){ .user = 1.6,
				.system = 0.3,
				.voluntary = 22000,
				.threads = 8,
				.sleeps = M_THREAD_SOCKET });
	only(&s, NULL);
	scene_close(&s);
}

TEST(a_million_tiny_reads_are_a_syscall_storm)
{
	const struct finding *f;
	struct scene s;

	machine(&s, 1, 2000, 1);
	party(&s, 100, "csvload",
	      &(struct habits){
		      .user = 0.3, .system = 0.7, .reads = 1e6, .bytes_per_read = 1, .threads = 1 });
	f = only(&s, storms[0]);
	CHECK_STR(f->offenders[0].name, "csvload");
	CHECK_NEAR(f->impact.wasted, 0.7, 0.01);
	CHECK(isnan(f->impact.lost));
	scene_close(&s);
}

TEST(what_a_niced_job_wastes_is_information)
{
	struct row_id p;
	struct scene s;

	machine(&s, 1, 2000, 1);
	p = party(&s, 100, "csvload",
		  &(struct habits){ .user = 0.3,
				    .system = 0.7,
				    .reads = 1e6,
				    .bytes_per_read = 1,
				    .threads = 1 });
	scene_level(&s, M_PROC_NICE, p, 19);
	CHECK_INT(only(&s, storms[0])->severity, SEV_INFO);
	scene_close(&s);
}

TEST(large_reads_are_work_and_no_storm)
{
	struct scene s;

	machine(&s, 1, 2000, 1);
	party(&s, 100, "backup",
	      &(struct habits){ .user = 0.1,
				.system = 0.8,
				.reads = 60000,
				.bytes_per_read = 65536,
				.threads = 1 });
	only(&s, NULL);
	CHECK(scene_unknown(&s, "cpu.syscall_storm") == NULL);
	scene_close(&s);
}

TEST(kernel_time_that_nothing_explains_is_unknown_and_names_the_process)
{
	struct scene s;

	machine(&s, 1, 2000, 1);
	party(&s, 100, "poller", &(struct habits){ .user = 0.2, .system = 0.8, .threads = 1 });
	only(&s, NULL);
	CHECK(scene_unknown(&s, "cpu.syscall_storm") != NULL);
	CHECK_HAS(scene_unknown(&s, "cpu.syscall_storm"), "poller[100]");
	scene_close(&s);
}

TEST(page_faults_are_left_to_the_rules_of_memory)
{
	struct scene s;

	machine(&s, 1, 2000, 1);
	party(&s, 100, "jsonapi",
	      &(struct habits){ .user = 0.2, .system = 0.8, .faults = 900000, .threads = 4 });
	only(&s, NULL);
	CHECK(scene_unknown(&s, "cpu.syscall_storm") == NULL);
	scene_close(&s);
}

TEST(involuntary_switches_that_no_wake_up_explains_are_yields)
{
	const struct finding *f;
	struct scene s;

	machine(&s, 2, 400000, 1);
	party(&s, 100, "spinner",
	      &(struct habits){ .user = 0.6,
				.system = 1.3,
				.voluntary = 10,
				.involuntary = 390000,
				.threads = 6,
				.wait = 4 });
	f = only(&s, storms[2]);
	CHECK_STR(f->offenders[0].name, "spinner");
	scene_close(&s);
}

TEST(threads_woken_together_for_nothing_are_a_herd)
{
	const struct finding *f;
	struct scene s;

	machine(&s, 0.6, 90000, 1);
	party(&s, 100, "poolmgr",
	      &(struct habits){ .user = 0.05,
				.system = 0.45,
				.voluntary = 40000,
				.threads = 100,
				.wait = 7,
				.sleeps = M_THREAD_FUTEX });
	f = only(&s, storms[3]);
	CHECK_STR(f->offenders[0].name, "poolmgr");
	CHECK_NEAR(f->impact.wasted, 0.5, 0.01);
	scene_close(&s);
}

TEST(a_pool_of_idle_threads_that_looks_around_once_a_second_is_healthy)
{
	struct scene s;

	machine(&s, 0.02, 700, 1);
	party(&s, 100, "jvm",
	      &(struct habits){ .user = 0.005,
				.system = 0.005,
				.voluntary = 300,
				.threads = 300,
				.sleeps = M_THREAD_FUTEX });
	only(&s, NULL);
	scene_close(&s);
}

TEST(timers_far_above_the_tick_are_a_storm_and_the_tick_is_none)
{
	const struct finding *f;
	struct scene s;

	machine(&s, 0.7, 45000, 1);
	scene_grow(&s, M_CPU_IRQ_LOC, scene_named(&s, SCOPE_CPU, "cpu0"), 35000 * WINDOW);
	party(&s, 100, "pacerd",
	      &(struct habits){ .user = 0.05,
				.system = 0.65,
				.voluntary = 20000,
				.reads = 35000,
				.bytes_per_read = 8,
				.threads = 2,
				.sleeps = M_THREAD_TIMER });
	f = only(&s, storms[4]);
	CHECK_STR(f->offenders[0].name, "pacerd");
	scene_close(&s);
	machine(&s, 1.8, 4000, 1);
	for (int i = 0; i < 2; i++)
		scene_grow(&s, M_CPU_IRQ_LOC, scene_named(&s, SCOPE_CPU, i ? "cpu1" : "cpu0"),
			   1000 * WINDOW);
	party(&s, 100, "worker",
	      &(struct habits){ .user = 1.2,
				.system = 0.6,
				.voluntary = 2000,
				.threads = 2,
				.sleeps = M_THREAD_TIMER });
	only(&s, NULL);
	scene_close(&s);
}

TEST(shootdowns_without_faults_are_a_tlb_storm)
{
	const struct finding *f;
	struct scene s;

	machine(&s, 1.8, 4000, 1);
	for (int i = 0; i < 2; i++)
		scene_grow(&s, M_CPU_IRQ_TLB, scene_named(&s, SCOPE_CPU, i ? "cpu1" : "cpu0"),
			   60000 * WINDOW);
	party(&s, 100, "gcheap",
	      &(struct habits){
		      .user = 0.4, .system = 1.2, .voluntary = 500, .threads = 4, .faults = 1000 });
	f = only(&s, storms[5]);
	CHECK_STR(f->offenders[0].name, "gcheap");
	scene_close(&s);
}

TEST(a_thousand_short_processes_a_second_are_named_by_their_parent)
{
	const struct finding *f;
	struct row_id p;
	struct scene s;

	machine(&s, 1, 9000, 1500);
	p = party(&s, 100, "hookd", &(struct habits){ .user = 0.02, .system = 0.08, .threads = 1 });
	scene_grow(&s, M_PROC_CHILD_USER, p, 3.0);
	scene_grow(&s, M_PROC_CHILD_SYSTEM, p, 5.5);
	scene_grow(&s, M_PROC_NEWBORN, p, 30);
	scene_text(&s, M_PROC_NEWBORN_NAME, p, "true");
	f = only(&s, storms[6]);
	CHECK_STR(f->offenders[0].name, "hookd");
	CHECK_NEAR(f->impact.wasted, 0.85, 0.01);
	CHECK_HAS(f->summary, "true");
	scene_close(&s);
}

TEST(a_parallel_build_is_no_storm_of_short_processes)
{
	struct row_id p;
	struct scene s;

	machine(&s, 2, 3000, 40);
	p = party(&s, 100, "make", &(struct habits){ .user = 0.02, .system = 0.03, .threads = 1 });
	scene_grow(&s, M_PROC_CHILD_USER, p, 18);
	only(&s, NULL);
	scene_close(&s);
	machine(&s, 2, 3000,
		150); /* scripts start some beside it, but the time is the compiler's */
	p = party(&s, 100, "make", &(struct habits){ .user = 0.02, .system = 0.03, .threads = 1 });
	scene_grow(&s, M_PROC_CHILD_USER, p, 19);
	scene_grow(&s, M_FORKS, scene_system, 90 * WINDOW);
	only(&s, NULL);
	scene_close(&s);
}

TEST(a_child_that_ran_for_hours_and_ended_is_no_storm)
{
	struct row_id p;
	struct scene s;

	machine(&s, 0.1, 3000, 150);
	p = party(&s, 100, "sh", &(struct habits){ .user = 0.04, .system = 0.05, .threads = 1 });
	scene_grow(&s, M_PROC_CHILD_USER, p, 7200);
	only(&s, NULL);
	scene_close(&s);
}

TEST(new_threads_are_no_short_lived_processes)
{
	struct scene s;

	machine(&s, 1, 9000, 1500);
	party(&s, 100, "server", &(struct habits){ .user = 0.2, .system = 0.2, .threads = 4 });
	only(&s, NULL);
	scene_close(&s);
}

TEST(full_cpus_are_a_symptom_of_the_storm_that_fills_them)
{
	const struct finding *f;
	struct scene s;

	machine(&s, 2, 800000, 1);
	party(&s, 100, "relayd",
	      &(struct habits){ .user = 0.3,
				.system = 1.6,
				.voluntary = 350000,
				.threads = 6,
				.wait = 3,
				.sleeps = M_THREAD_PIPE });
	scene_judge(&s, "cpu.saturated");
	CHECK(scene_finding(&s, "cpu.saturated") == NULL);
	scene_judge(&s, switch_storm);
	f = scene_finding(&s, switch_storm);
	CHECK(f != NULL);
	CHECK_NEAR(f->impact.lost, 3, 0.01);
	CHECK_INT((int)f->nsymptoms, 1);
	scene_close(&s);
}

TEST(a_small_storm_beside_an_overload_does_not_hide_it)
{
	struct scene s;

	machine(&s, 2, 100000, 1);
	party(&s, 100, "relayd",
	      &(struct habits){ .user = 0.05,
				.system = 0.25,
				.voluntary = 45000,
				.threads = 2,
				.sleeps = M_THREAD_PIPE });
	party(&s, 500, "transcoded",
	      &(struct habits){
		      .user = 1.65, .system = 0.01, .involuntary = 300, .threads = 8, .wait = 6 });
	scene_judge(&s, "cpu.saturated");
	CHECK(scene_finding(&s, "cpu.saturated") != NULL);
	scene_judge(&s, switch_storm);
	CHECK(scene_finding(&s, switch_storm) != NULL);
	CHECK(isnan(scene_finding(&s, switch_storm)->impact.lost));
	scene_close(&s);
}

TEST(every_row_of_the_cpu_explains_itself)
{
	for (const struct rule *r = rules_cpu; r->id; r++) {
		CHECK(rule_by_id(r->id) == r);
		CHECK(r->question && r->fires && r->needs && r->meaning && r->lookalikes &&
		      r->action && r->symptoms);
		CHECK(r->check || r->needs[0]);
	}
}
