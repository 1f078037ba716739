/* SPDX-License-Identifier: Apache-2.0 */
/* The CPU's rules: fires on, silent on. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/cpu.h"
#include "tests/unit/scene.h"
#include "tests/unit/unit.h"

#define WINDOW 10.0

/* CPUs with so much of their time used; the rest idle. */
static void cpus(struct scene *s, unsigned n, const double *used)
{
	double sum = 0;
	char name[16];

	for (unsigned i = 0; i < n; i++) {
		struct row_id cpu;

		snprintf(name, sizeof(name), "cpu%u", i);
		cpu = scene_named(s, SCOPE_CPU, name);
		scene_grow(s, M_CPU_USER, cpu, used[i] * WINDOW);
		scene_grow(s, M_CPU_IDLE, cpu, (1 - used[i]) * WINDOW);
		scene_grow(s, M_CPU_IOWAIT, cpu, 0);
		scene_grow(s, M_CPU_IRQ, cpu, 0);
		scene_grow(s, M_CPU_SOFTIRQ, cpu, 0);
		sum += used[i];
	}
	scene_grow(s, M_SYS_USER, scene_system, sum * WINDOW);
	scene_grow(s, M_SYS_IDLE, scene_system, (n - sum) * WINDOW);
	scene_grow(s, M_SYS_IOWAIT, scene_system, 0);
	scene_grow(s, M_SYS_STEAL, scene_system, 0);
	scene_level(s, M_SYS_CPUS, scene_system, n);
}

static void two_cpus(struct scene *s, double a, double b)
{
	scene_open(s, 2, WINDOW);
	cpus(s, 2, (double[]){ a, b });
}

/* A process of one thread, per second of window: run and wait. */
static struct row_id runner(struct scene *s, int64_t pid, const char *comm, double run, double wait)
{
	struct row_id p = scene_process(s, pid, comm), t = scene_thread(s, pid, pid, comm);

	scene_grow(s, M_PROC_USER, p, run * WINDOW);
	scene_grow(s, M_PROC_SYSTEM, p, 0);
	scene_grow(s, M_THREAD_USER, t, run * WINDOW);
	scene_grow(s, M_THREAD_SYSTEM, t, 0);
	scene_grow(s, M_THREAD_RUN, t, run * WINDOW);
	scene_grow(s, M_THREAD_RUNNABLE, t, wait * WINDOW);
	scene_grow(s, M_THREAD_SLICES, t, 1000);
	scene_level(s, M_PROC_NICE, p, 0);
	scene_level(s, M_PROC_POLICY, p, 0);
	scene_level(s, M_THREAD_NICE, t, 0);
	scene_level(s, M_THREAD_POLICY, t, 0);
	scene_level(s, M_PROC_KTHREAD, p, 0);
	scene_text(s, M_PROC_CGROUP, p, "0::/");
	return p;
}

static struct row_id thread_of(int64_t tid, struct row_id process)
{
	return (struct row_id){ (uint64_t)tid, process.birth };
}

static bool fires(struct scene *s, const char *id)
{
	scene_judge(s, id);
	return scene_finding(s, id) != NULL;
}

/* ---- saturation ---- */

TEST(full_cpus_with_waiting_threads_are_saturated_and_name_offender_and_victim)
{
	const struct finding *f;
	struct scene s;

	two_cpus(&s, 1, 1);
	runner(&s, 100, "transcoded", 1.8, 4.0);
	runner(&s, 200, "webwork", 0.2, 1.0);
	scene_grow(&s, M_PSI_CPU_SOME, scene_system, 9.5);
	CHECK(fires(&s, "cpu.saturated"));
	f = scene_finding(&s, "cpu.saturated");
	CHECK_STR(f->offenders[0].name, "transcoded");
	CHECK_NEAR(f->offenders[0].share, 0.9, 0.01);
	CHECK_NEAR(f->impact.lost, 5.0, 0.01);
	CHECK_INT((int)f->nvictims, 2);
	CHECK_HAS(f->summary, "transcoded[100]");
	scene_close(&s);
}

TEST(full_cpus_on_which_nobody_waits_are_not_saturated)
{
	struct scene s;

	two_cpus(&s, 1, 1);
	runner(&s, 100, "a", 1.0, 0.01);
	runner(&s, 200, "b", 1.0, 0.01);
	CHECK(!fires(&s, "cpu.saturated"));
	CHECK(!fires(&s, "cpu.runqueue_latency_bursts"));
	scene_close(&s);
}

TEST(a_niced_batch_that_waits_for_itself_is_healthy)
{
	struct scene s;

	two_cpus(&s, 1, 1);
	for (int i = 0; i < 6; i++) {
		struct row_id p = runner(&s, 100 + i, "batch", 0.33, 0.66);

		scene_level(&s, M_PROC_NICE, p, 19);
	}
	scene_level(&s, M_PROCS_RUNNING, scene_system, 7);
	scene_grow(&s, M_PSI_CPU_SOME, scene_system, 9.9);
	runner(&s, 300, "sshd", 0.001, 0.0005);
	scene_judge_table(&s, rules_cpu);
	CHECK_INT((int)s.report.findings.n, 0);
	scene_close(&s);
}

TEST(moderate_load_with_a_little_queueing_is_healthy)
{
	struct scene s;

	two_cpus(&s, 0.4, 0.4);
	for (int i = 0; i < 4; i++)
		runner(&s, 100 + i, "service", 0.2, 0.03);
	scene_judge_table(&s, rules_cpu);
	CHECK_INT((int)s.report.findings.n, 0);
	CHECK_INT((int)s.report.findings.ncleared, 0);
	scene_close(&s);
}

TEST(an_idle_machine_is_cleared_with_its_numbers)
{
	struct scene s;

	two_cpus(&s, 0.02, 0.01);
	runner(&s, 100, "sshd", 0.01, 0.001);
	scene_grow(&s, M_PSI_CPU_SOME, scene_system, 0.02);
	scene_judge_table(&s, rules_cpu);
	CHECK_INT((int)s.report.findings.n, 0);
	CHECK_INT((int)s.report.findings.ncleared, 1);
	CHECK_HAS(s.report.findings.cleared[0].why, "0.002 s/s");
	scene_close(&s);
}

TEST(short_lived_waiters_are_seen_in_the_run_queue_and_in_psi)
{
	const struct finding *f;
	struct scene s;

	two_cpus(&s, 1, 1);
	runner(&s, 100, "make", 0.05, 0.0);
	scene_level(&s, M_PROCS_RUNNING, scene_system, 11);
	scene_grow(&s, M_PSI_CPU_SOME, scene_system, 9.8);
	CHECK(fires(&s, "cpu.saturated"));
	f = scene_finding(&s, "cpu.saturated");
	CHECK(f->estimated);
	CHECK(f->impact.lost > 4 && f->impact.lost < 9);
	scene_close(&s);
}

TEST(waiting_behind_a_quota_belongs_to_the_quota)
{
	struct scene s;
	struct row_id p, cg;

	two_cpus(&s, 0.25, 0.1);
	p = runner(&s, 100, "billingd", 0.25, 1.7);
	scene_text(&s, M_PROC_CGROUP, p, "3:cpu,cpuacct:/svc/billing\n0::/");
	cg = scene_named(&s, SCOPE_CGROUP, "cpu,cpuacct:/svc");
	scene_grow(&s, M_CG_CPU_PERIODS, cg, 100);
	scene_grow(&s, M_CG_CPU_THROTTLED, cg, 95);
	scene_named(&s, SCOPE_CGROUP, "cpu,cpuacct:/svc/billing");
	scene_judge_table(&s, rules_cpu);
	CHECK(scene_finding(&s, "cpu.saturated") == NULL);
	CHECK(scene_finding(&s, "cpu.runqueue_latency_bursts") == NULL);
	scene_close(&s);
}

TEST(an_idle_group_that_waits_is_background)
{
	struct scene s;

	two_cpus(&s, 1, 1);
	scene_level(&s, M_CG_CPU_IDLE, scene_named(&s, SCOPE_CGROUP, "/low"), 1);
	for (int i = 0; i < 4; i++)
		scene_text(&s, M_PROC_CGROUP, runner(&s, 100 + i, "batch", 0.5, 0.5),
			   "0::/low/deep");
	scene_judge_table(&s, rules_cpu);
	CHECK_INT((int)s.report.findings.n, 0);
	scene_close(&s);
}

/* ---- bursts, masks, sets, real time, neighbours ---- */

TEST(long_queues_with_idle_time_are_bursts)
{
	struct scene s;

	two_cpus(&s, 0.5, 0.5);
	for (int i = 0; i < 24; i++)
		runner(&s, 100 + i, "tickd", 0.04, 0.2);
	CHECK(!fires(&s, "cpu.saturated"));
	CHECK(fires(&s, "cpu.runqueue_latency_bursts"));
	CHECK_STR(scene_finding(&s, "cpu.runqueue_latency_bursts")->offenders[0].name, "tickd");
	CHECK_NEAR(scene_finding(&s, "cpu.runqueue_latency_bursts")->impact.lost, 4.8, 0.01);
	scene_close(&s);
}

TEST(threads_pinned_to_a_full_cpu_while_another_idles_are_an_affinity_imbalance)
{
	const struct finding *f;
	struct scene s;

	two_cpus(&s, 1, 0.05);
	for (int i = 0; i < 5; i++) {
		struct row_id p = runner(&s, 100 + i, "matchd", 0.2, 0.7);

		scene_text(&s, M_THREAD_CPUS_ALLOWED, thread_of(100 + i, p), "0");
	}
	CHECK(fires(&s, "cpu.affinity_imbalance"));
	f = scene_finding(&s, "cpu.affinity_imbalance");
	CHECK_STR(f->offenders[0].name, "matchd");
	CHECK_NEAR(f->impact.lost, 3.5, 0.01);
	CHECK(!fires(&s, "cpu.cpuset_confined"));
	CHECK(!fires(&s, "cpu.runqueue_latency_bursts"));
	CHECK(!fires(&s, "cpu.saturated"));
	scene_close(&s);
}

TEST(a_cpuset_that_confines_is_told_from_a_mask)
{
	struct row_id p, cg;
	struct scene s;

	two_cpus(&s, 1, 0.05);
	cg = scene_named(&s, SCOPE_CGROUP, "cpuset:/small");
	scene_text(&s, M_CG_CPUSET, cg, "0");
	for (int i = 0; i < 5; i++) {
		p = runner(&s, 100 + i, "matchd", 0.2, 0.7);
		scene_text(&s, M_THREAD_CPUS_ALLOWED, thread_of(100 + i, p), "0");
		scene_text(&s, M_PROC_CGROUP, p, "5:cpuset:/small\n0::/");
	}
	CHECK(fires(&s, "cpu.cpuset_confined"));
	CHECK(!fires(&s, "cpu.affinity_imbalance"));
	CHECK_STR(scene_finding(&s, "cpu.cpuset_confined")->offenders[0].name, "matchd");
	scene_close(&s);
}

TEST(pinned_threads_on_a_machine_without_idle_cpus_are_saturation)
{
	struct scene s;

	two_cpus(&s, 1, 1);
	for (int i = 0; i < 5; i++)
		scene_text(&s, M_THREAD_CPUS_ALLOWED,
			   thread_of(100 + i, runner(&s, 100 + i, "matchd", 0.4, 0.7)), "0");
	CHECK(!fires(&s, "cpu.affinity_imbalance"));
	CHECK(fires(&s, "cpu.saturated"));
	scene_close(&s);
}

TEST(a_realtime_task_in_front_is_named)
{
	struct row_id p;
	struct scene s;

	two_cpus(&s, 1, 1);
	p = runner(&s, 100, "spinrt", 1.8, 0.0);
	scene_level(&s, M_PROC_POLICY, p, 1);
	scene_level(&s, M_THREAD_POLICY, thread_of(100, p), 1);
	runner(&s, 200, "web", 0.1, 0.8);
	CHECK(fires(&s, "cpu.rt_hog"));
	CHECK_STR(scene_finding(&s, "cpu.rt_hog")->offenders[0].name, "spinrt");
	CHECK_STR(scene_finding(&s, "cpu.rt_hog")->victims[0].name, "web");
	CHECK(!fires(&s, "cpu.saturated"));
	scene_close(&s);
}

TEST(a_group_that_gets_far_less_than_its_part_has_a_noisy_neighbour)
{
	struct scene s;

	two_cpus(&s, 1, 1);
	for (int i = 0; i < 4; i++)
		scene_text(&s, M_PROC_CGROUP, runner(&s, 100 + i, "batch", 0.47, 0.3), "0::/batch");
	scene_text(&s, M_PROC_CGROUP, runner(&s, 200, "web", 0.1, 0.8), "0::/web");
	CHECK(fires(&s, "cpu.noisy_neighbour_shares"));
	CHECK_STR(scene_finding(&s, "cpu.noisy_neighbour_shares")->offenders[0].name, "/batch");
	CHECK_STR(scene_finding(&s, "cpu.noisy_neighbour_shares")->victims[0].name, "web");
	scene_close(&s);
}

TEST(groups_that_share_fairly_are_just_saturated)
{
	struct scene s;

	two_cpus(&s, 1, 1);
	for (int i = 0; i < 4; i++)
		scene_text(&s, M_PROC_CGROUP, runner(&s, 100 + i, "batch", 0.25, 0.75),
			   "0::/batch");
	for (int i = 0; i < 4; i++)
		scene_text(&s, M_PROC_CGROUP, runner(&s, 200 + i, "web", 0.25, 0.75), "0::/web");
	CHECK(!fires(&s, "cpu.noisy_neighbour_shares"));
	CHECK(fires(&s, "cpu.saturated"));
	scene_close(&s);
}

/* ---- one thread ---- */

TEST(a_thread_that_never_stops_is_information_and_no_warning)
{
	struct scene s;

	two_cpus(&s, 1, 0.05);
	runner(&s, 100, "pricer", 0.99, 0.001);
	CHECK(fires(&s, "cpu.single_thread_bound"));
	CHECK_INT(scene_finding(&s, "cpu.single_thread_bound")->severity, SEV_INFO);
	CHECK_STR(scene_finding(&s, "cpu.single_thread_bound")->offenders[0].name, "pricer");
	scene_close(&s);
}

TEST(a_niced_thread_or_one_of_many_busy_ones_is_not_single_thread_bound)
{
	struct scene s;

	two_cpus(&s, 1, 0.05);
	struct row_id p = runner(&s, 100, "compress", 0.99, 0.001);
	scene_level(&s, M_THREAD_NICE, thread_of(100, p), 10);
	CHECK(!fires(&s, "cpu.single_thread_bound"));
	scene_close(&s);
	two_cpus(&s, 0.6, 0.6);
	runner(&s, 100, "a", 0.6, 0);
	runner(&s, 200, "b", 0.6, 0);
	CHECK(!fires(&s, "cpu.single_thread_bound"));
	scene_close(&s);
}

/* ---- CPU lists ---- */

TEST(cpu_lists_and_names_are_parsed_and_nonsense_allows_all)
{
	struct cpu_set set;

	cpu_set_parse(&set, "0-1,22");
	CHECK(cpu_set_has(&set, 0));
	CHECK(cpu_set_has(&set, 22));
	CHECK(!cpu_set_has(&set, 2));
	CHECK(!cpu_set_has(&set, 100000));
	cpu_set_parse(&set, "x");
	CHECK(cpu_set_has(&set, 7));
	cpu_set_parse(&set, NULL);
	CHECK(cpu_set_has(&set, 8191));
	CHECK_INT(cpu_number("cpu17"), 17);
	CHECK_INT(cpu_number("cpu"), -1);
	CHECK_INT(cpu_number("cpu99999999"), -1);
	CHECK_INT(cpu_number("disk1"), -1);
}

/* ---- what takes time away ---- */

TEST(stolen_time_is_a_finding_when_the_guest_wanted_it)
{
	struct scene s;

	scene_open(&s, 2, WINDOW);
	cpus(&s, 2, (double[]){ 0.7, 0.7 });
	scene_grow(&s, M_SYS_IDLE, scene_system, 0.2 * WINDOW);
	scene_grow(&s, M_SYS_STEAL, scene_system, 0.4 * WINDOW);
	runner(&s, 100, "api", 1.4, 0.1);
	CHECK(fires(&s, "cpu.steal"));
	CHECK_NEAR(scene_finding(&s, "cpu.steal")->impact.lost, 0.4, 1e-6);
	scene_close(&s);
	two_cpus(&s, 0.5, 0.5);
	scene_grow(&s, M_SYS_STEAL, scene_system, 0.05 * WINDOW);
	CHECK(!fires(&s, "cpu.steal"));
	scene_close(&s);
}

TEST(a_guest_that_never_saw_steal_does_not_know)
{
	struct scene s;

	two_cpus(&s, 0.5, 0.5);
	snprintf(s.host.virtualization, sizeof(s.host.virtualization), "kvm");
	scene_level(&s, M_SYS_STEAL, scene_system, 0);
	CHECK(!fires(&s, "cpu.steal"));
	CHECK(scene_unknown(&s, "cpu.steal") != NULL);
	scene_close(&s);
}

static void irqs(struct scene *s, const char *cpu, double softirq, double rx)
{
	struct row_id row = scene_named(s, SCOPE_CPU, cpu);

	scene_grow(s, M_CPU_SOFTIRQ, row, softirq * WINDOW);
	scene_grow(s, M_CPU_SI_NET_RX, row, rx * WINDOW);
}

TEST(interrupts_that_fill_all_cpus_are_softirq_saturation_and_name_the_kind)
{
	struct scene s;

	two_cpus(&s, 1, 1);
	irqs(&s, "cpu0", 0.6, 200000);
	irqs(&s, "cpu1", 0.5, 150000);
	CHECK(fires(&s, "cpu.softirq_saturated"));
	CHECK_STR(scene_finding(&s, "cpu.softirq_saturated")->offenders[0].name, "network receive");
	CHECK(!fires(&s, "cpu.irq_imbalance"));
	scene_close(&s);
}

TEST(interrupts_that_fill_one_cpu_while_others_idle_are_an_imbalance)
{
	struct scene s;

	scene_open(&s, 4, WINDOW);
	cpus(&s, 4, (double[]){ 1, 0.1, 0.1, 0.1 });
	irqs(&s, "cpu0", 0.9, 300000);
	irqs(&s, "cpu1", 0.01, 100);
	CHECK(fires(&s, "cpu.irq_imbalance"));
	CHECK_STR(scene_finding(&s, "cpu.irq_imbalance")->instance, "cpu0");
	CHECK(!fires(&s, "cpu.softirq_saturated"));
	scene_close(&s);
}

TEST(busy_network_cards_with_idle_time_left_are_healthy)
{
	struct scene s;

	two_cpus(&s, 0.6, 0.3);
	irqs(&s, "cpu0", 0.35, 100000);
	scene_judge_table(&s, rules_cpu);
	CHECK_INT((int)s.report.findings.n, 0);
	scene_close(&s);
}

TEST(heat_that_slows_busy_cpus_is_a_finding)
{
	struct scene s;
	struct row_id cpu;

	two_cpus(&s, 0.9, 0.9);
	cpu = scene_named(&s, SCOPE_CPU, "cpu1");
	scene_grow(&s, M_CPU_CORE_THROTTLES, cpu, 500);
	scene_grow(&s, M_CPU_CORE_THROTTLED, cpu, 0.6 * WINDOW);
	scene_level(&s, M_CPU_FREQ_MAX, cpu, 3.5e9);
	scene_level(&s, M_CPU_FREQ, cpu, 1.4e9);
	CHECK(fires(&s, "cpu.frequency_throttled"));
	CHECK_NEAR(scene_finding(&s, "cpu.frequency_throttled")->impact.wasted, 0.9 * 0.6 * 0.6,
		   1e-3);
	scene_close(&s);
	two_cpus(&s, 0.9, 0.9);
	scene_grow(&s, M_CPU_CORE_THROTTLES, scene_named(&s, SCOPE_CPU, "cpu1"), 0);
	scene_grow(&s, M_CPU_CORE_THROTTLED, scene_named(&s, SCOPE_CPU, "cpu1"), 0);
	CHECK(!fires(&s, "cpu.frequency_throttled"));
	CHECK(scene_unknown(&s, "cpu.frequency_throttled") == NULL);
	scene_close(&s);
	two_cpus(&s, 0.9, 0.9);
	CHECK(!fires(&s, "cpu.frequency_throttled"));
	CHECK(scene_unknown(&s, "cpu.frequency_throttled") != NULL);
	scene_close(&s);
}

TEST(a_low_clock_counts_only_where_there_is_work)
{
	struct scene s;

	two_cpus(&s, 0.95, 0.02);
	for (int i = 0; i < 2; i++) {
		struct row_id cpu = scene_named(&s, SCOPE_CPU, i ? "cpu1" : "cpu0");

		scene_level(&s, M_CPU_FREQ_MAX, cpu, 3e9);
		scene_level(&s, M_CPU_FREQ, cpu, i ? 0.8e9 : 2.9e9);
	}
	CHECK(!fires(&s, "cpu.frequency_low"));
	CHECK(scene_unknown(&s, "cpu.frequency_low") == NULL);
	scene_close(&s);
	two_cpus(&s, 0.95, 0.02);
	scene_level(&s, M_CPU_FREQ_MAX, scene_named(&s, SCOPE_CPU, "cpu0"), 3e9);
	scene_level(&s, M_CPU_FREQ, scene_named(&s, SCOPE_CPU, "cpu0"), 1.2e9);
	scene_text(&s, M_CPU_GOVERNOR, scene_named(&s, SCOPE_CPU, "cpu0"), "powersave");
	CHECK(fires(&s, "cpu.frequency_low"));
	CHECK_STR(scene_finding(&s, "cpu.frequency_low")->offenders[0].name, "powersave");
	scene_close(&s);
}

TEST(a_kernel_thread_that_burns_a_cpu_is_information_until_somebody_waits)
{
	struct scene s;
	struct row_id p;

	two_cpus(&s, 1, 0.1);
	p = runner(&s, 55, "kworker/u4:2", 0.9, 0);
	scene_level(&s, M_PROC_KTHREAD, p, 1);
	CHECK(fires(&s, "cpu.kthread_hog"));
	CHECK_INT(scene_finding(&s, "cpu.kthread_hog")->severity, SEV_INFO);
	scene_close(&s);
}

/* ---- reasons that were measured ---- */

/* A process with an account: seconds per second of running, waiting, and of the latter for one reason. */
static struct row_id measured(struct scene *s, int64_t pid, const char *comm, double run,
			      double wait, enum metric_id why, double because)
{
	struct row_id t = runner(s, pid, comm, run, wait);

	snapshot_row(&s->first, SCOPE_TIME, t, comm, strlen(comm));
	snapshot_row(&s->last, SCOPE_TIME, t, comm, strlen(comm));
	scene_level(s, M_TIME_PID, t, (double)pid);
	scene_grow(s, M_TIME_TOTAL, t, WINDOW);
	scene_grow(s, M_TIME_RUN, t, run * WINDOW);
	scene_grow(s, M_TIME_RUNNABLE, t, wait * WINDOW);
	scene_grow(s, M_TIME_QUEUED_PASSED, t, 0);
	scene_grow(s, M_TIME_QUEUED_DROWSY, t, 0);
	scene_grow(s, why, t, because * WINDOW);
	return t;
}

TEST(waits_beside_an_idle_cpu_of_the_mask_are_the_schedulers)
{
	const struct finding *f;
	struct scene s;

	two_cpus(&s, 1, 0.05);
	measured(&s, 100, "left", 1, 2, M_TIME_QUEUED_PASSED, 1.9);
	CHECK(fires(&s, "cpu.scheduler_imbalance"));
	f = scene_finding(&s, "cpu.scheduler_imbalance");
	CHECK_NEAR(f->impact.lost, 1.9, 0.01);
	CHECK_STR(f->victims[0].name, "left");
	CHECK(!fires(&s, "cpu.wakeup_latency"));
	scene_close(&s);
}

TEST(waits_beside_idle_cpus_that_proc_stat_does_not_know_are_not_believed)
{
	struct scene s;

	two_cpus(&s, 1, 0.99);
	measured(&s, 100, "left", 1, 2, M_TIME_QUEUED_PASSED, 1.9);
	CHECK(!fires(&s, "cpu.scheduler_imbalance"));
	CHECK(fires(&s, "cpu.saturated"));
	scene_close(&s);
}

TEST(idle_cpus_that_take_long_to_wake_up_are_told_and_quick_ones_are_not)
{
	const struct finding *f;
	struct scene s;

	two_cpus(&s, 0.2, 0.05);
	measured(&s, 100, "ticker", 0.16, 0.3, M_TIME_QUEUED_DROWSY, 0.28);
	CHECK(fires(&s, "cpu.wakeup_latency"));
	f = scene_finding(&s, "cpu.wakeup_latency");
	CHECK_NEAR(f->impact.lost, 0.28, 0.001);
	CHECK_HAS(f->summary, "ticker[100]");
	scene_close(&s);
	two_cpus(&s, 0.2, 0.05);
	measured(&s, 100, "ticker", 0.16, 0.3, M_TIME_QUEUED_WOKEN, 0.28);
	CHECK(!fires(&s, "cpu.wakeup_latency"));
	CHECK(!fires(&s, "cpu.runqueue_latency_bursts"));
	scene_close(&s);
}

TEST(waits_have_their_own_reasons_side_by_side_in_one_process)
{
	struct queue_picture q;
	struct row_id t;
	struct scene s;
	double sum = 0;

	two_cpus(&s, 1, 0.5);
	t = measured(&s, 100, "mixed", 1, 2, M_TIME_QUEUED_PASSED, 0.5);
	scene_grow(&s, M_TIME_QUEUED_STEAL, t, 0.2 * WINDOW);
	scene_grow(&s, M_TIME_QUEUED_IRQ, t, 0.3 * WINDOW);
	scene_grow(&s, M_TIME_QUEUED_REALTIME, t, 0.4 * WINDOW);
	scene_grow(&s, M_TIME_QUEUED_CONFINED, t, 0.1 * WINDOW);
	scene_build(&s);
	queue_classify(&s.view, &q);
	CHECK_NEAR(q.waits[QUEUE_IMBALANCE], 0.5, 1e-6);
	CHECK_NEAR(q.waits[QUEUE_STEAL], 0.2, 1e-6);
	CHECK_NEAR(q.waits[QUEUE_SOFTIRQ], 0.3, 1e-6);
	CHECK_NEAR(q.waits[QUEUE_RT], 0.4, 1e-6);
	CHECK_NEAR(q.waits[QUEUE_AFFINITY], 0.1, 1e-6);
	CHECK_NEAR(q.waits[QUEUE_BURSTS], 0.5, 1e-6); /* what was short, or has not ended */
	for (enum queue_class c = 0; c < QUEUE_CLASSES; c++)
		sum += q.waits[c];
	CHECK_NEAR(sum, 2, 1e-6);
	queue_done(&q);
	scene_close(&s);
}

TEST(niced_threads_that_are_passed_over_have_asked_for_it)
{
	struct scene s;

	two_cpus(&s, 1, 0.05);
	scene_level(&s, M_PROC_NICE, measured(&s, 100, "batch", 1, 2, M_TIME_QUEUED_PASSED, 1.9),
		    19);
	CHECK(!fires(&s, "cpu.scheduler_imbalance"));
	scene_close(&s);
}
