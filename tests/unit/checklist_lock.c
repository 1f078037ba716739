/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of locks, and their look-alikes. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/claims.h"
#include "tests/unit/scene.h"
#include "tests/unit/unit.h"

/* A process of n threads that wait for a lock: shares of the time, per thread and of the queue. */
static struct row_id lockers(struct scene *s, int64_t pid, unsigned n, double wait, double cpu,
			     double running, double asleep)
{
	struct row_id p = scene_process(s, pid, "ordersd");

	scene_grow(s, M_PROC_USER, p, n * cpu * s->duration);
	scene_grow(s, M_PROC_SAMPLED, p, s->duration);
	scene_grow(s, M_PROC_LOCK_QUEUE, p, s->duration);
	scene_grow(s, M_PROC_LOCK_WAIT, p, n * wait * s->duration);
	scene_grow(s, M_PROC_LOCK_RUNNING, p, running * s->duration);
	scene_grow(s, M_PROC_LOCK_ASLEEP, p, asleep * s->duration);
	scene_grow(s, M_PROC_LOCK_TURNS, p, 5 * s->duration);
	for (unsigned i = 0; i < n; i++) {
		struct row_id t = scene_thread(s, pid, pid + 1 + i, "worker");

		scene_grow(s, M_THREAD_RUN, t, cpu * s->duration);
		scene_grow(s, M_THREAD_MUTEX, t, wait * s->duration);
		scene_grow(s, M_THREAD_FUTEX, t, 0);
		scene_grow(s, M_THREAD_SLICES, t, 100);
	}
	return p;
}

TEST(threads_that_fight_over_a_lock_while_its_holders_run_are_contention)
{
	struct scene s;
	const struct finding *f;

	scene_open(&s, 4, 10);
	lockers(&s, 700, 16, 0.8, 0.1, 0.9, 0.05);
	scene_judge(&s, "lock.futex_contention");
	scene_judge(&s, "lock.convoy_idle_cpu");
	f = scene_finding(&s, "lock.futex_contention");
	CHECK(f != NULL);
	CHECK_NEAR(f->impact.lost, 12.8, 0.01);
	CHECK_INT(f->offenders[0].pid, 700);
	CHECK_HAS(f->summary, "16 threads of ordersd[700]");
	CHECK(f->estimated);
	CHECK(!scene_finding(&s, "lock.convoy_idle_cpu"));
	scene_close(&s);
}

TEST(threads_in_line_behind_a_sleeper_are_a_convoy)
{
	struct scene s;
	struct row_id p;
	const struct finding *f;

	scene_open(&s, 2, 10);
	p = lockers(&s, 700, 12, 0.9, 0.002, 0.02, 0.97);
	scene_text(&s, M_PROC_LOCK_WCHAN, p, "hrtimer_nanosleep");
	scene_judge(&s, "lock.convoy_idle_cpu");
	scene_judge(&s, "lock.futex_contention");
	f = scene_finding(&s, "lock.convoy_idle_cpu");
	CHECK(f != NULL);
	CHECK_HAS(f->summary, "hrtimer_nanosleep");
	CHECK_NEAR(f->impact.lost, 10.8, 0.01);
	CHECK(!scene_finding(&s, "lock.futex_contention"));
	scene_close(&s);
}

/* What wake-ups say of the same waits, in thread-seconds per second. */
static void hand_on(struct scene *s, int64_t pid, double wait, double cpu, double disk,
		    double sleep)
{
	struct row_id t = { (uint64_t)pid, scene_process(s, pid, "ordersd").birth };

	snapshot_row(&s->first, SCOPE_TIME, t, "ordersd", 7);
	snapshot_row(&s->last, SCOPE_TIME, t, "ordersd", 7);
	scene_level(s, M_TIME_PID, t, (double)pid);
	scene_grow(s, M_TIME_TOTAL, t, 16 * s->duration);
	scene_grow(s, M_TIME_RUN, t, 0.2 * s->duration);
	scene_grow(s, M_TIME_MUTEX, t, wait * s->duration);
	scene_grow(s, M_TIME_ROOT_CPU, t, cpu * s->duration);
	scene_grow(s, M_TIME_ROOT_DISK, t, disk * s->duration);
	scene_grow(s, M_TIME_ROOT_SLEEP, t, sleep * s->duration);
}

/* Samples say that the holder runs: it submits one short request after another. */
TEST(what_holders_wait_for_is_told_by_wake_ups_rather_than_by_samples)
{
	struct scene s;
	const struct finding *f;

	scene_open(&s, 2, 10);
	lockers(&s, 700, 6, 0.8, 0.03, 0.6, 0.4);
	hand_on(&s, 700, 4.8, 0.2, 4.0, 0.1);
	scene_judge(&s, "lock.futex_contention");
	scene_judge(&s, "lock.convoy_idle_cpu");
	CHECK(!scene_finding(&s, "lock.futex_contention"));
	f = scene_finding(&s, "lock.convoy_idle_cpu");
	CHECK(f != NULL);
	CHECK_HAS(f->summary, "whose holder waits for a disk");
	CHECK_INT(f->root, RES_DISK);
	CHECK(!f->estimated);
	scene_close(&s);
}

TEST(roots_of_a_small_part_of_the_waits_say_nothing)
{
	struct scene s;

	scene_open(&s, 2, 10);
	lockers(&s, 700, 6, 0.8, 0.03, 0.6, 0.4);
	hand_on(&s, 700, 4.8, 0, 0.5, 0);
	scene_judge(&s, "lock.futex_contention");
	scene_judge(&s, "lock.convoy_idle_cpu");
	CHECK(scene_finding(&s, "lock.futex_contention") != NULL);
	CHECK(!scene_finding(&s, "lock.convoy_idle_cpu"));
	scene_close(&s);
}

/* Fifty threads behind a lock whose holder waits for the disk are a disk finding. */
TEST(a_line_behind_a_holder_that_waits_for_the_disk_is_a_symptom_of_the_disks_finding)
{
	struct finding *disk, *lock;
	struct findings fs;

	findings_init(&fs);
	disk = finding_add(&fs, "disk.saturated", RES_DISK, ASPECT_SATURATION);
	disk->impact.lost = 0.8;
	finding_offender(disk, PARTY_PROCESS, "etlscan", 9, 1);
	finding_victim(disk, PARTY_PROCESS, "ordersd", 700, 0.8);
	lock = finding_add(&fs, "lock.convoy_idle_cpu", RES_LOCK, ASPECT_DURATION);
	lock->root = RES_DISK;
	lock->impact.lost = 4.8;
	finding_summary(lock, "they stand in line");
	finding_offender(lock, PARTY_PROCESS, "ordersd", 700, 1);
	finding_victim(lock, PARTY_PROCESS, "ordersd", 700, 4.8);
	claims_fold_symptoms(&fs);
	CHECK_UINT(fs.n, 1);
	CHECK_STR(fs.list[0].id, "disk.saturated");
	CHECK_NEAR(fs.list[0].impact.lost, 5.6, 1e-9);
	CHECK_NEAR(fs.list[0].victims[0].lost, 5.6, 1e-9);
	CHECK_HAS(fs.list[0].symptoms[0], "they stand in line");
	findings_done(&fs);
}

TEST(a_line_behind_a_disk_that_nothing_is_found_on_stays_a_finding)
{
	struct finding *other, *lock;
	struct findings fs;

	findings_init(&fs);
	other = finding_add(&fs, "disk.saturated", RES_DISK, ASPECT_SATURATION);
	finding_offender(other, PARTY_PROCESS, "etlscan", 9, 1);
	finding_victim(other, PARTY_PROCESS, "somebody else", 5, 0.8);
	lock = finding_add(&fs, "lock.convoy_idle_cpu", RES_LOCK, ASPECT_DURATION);
	lock->root = RES_DISK;
	finding_offender(lock, PARTY_PROCESS, "ordersd", 700, 1);
	claims_fold_symptoms(&fs);
	CHECK_UINT(fs.n, 2);
	findings_done(&fs);
}

TEST(a_holder_that_never_changes_is_no_convoy)
{
	struct scene s;
	struct row_id p;

	scene_open(&s, 2, 10);
	p = lockers(&s, 700, 12, 0.9, 0.002, 0.02, 0.97);
	scene_grow(&s, M_PROC_LOCK_TURNS, p, 0);
	scene_judge(&s, "lock.convoy_idle_cpu");
	CHECK(!scene_finding(&s, "lock.convoy_idle_cpu"));
	scene_close(&s);
}

TEST(idle_workers_and_little_contention_are_silent)
{
	struct scene s;
	struct row_id p, t;

	scene_open(&s, 4, 10);
	p = scene_process(&s, 800, "poolmgr"); /* a pool on a condition variable */
	scene_grow(&s, M_PROC_SAMPLED, p, 10);
	scene_grow(&s, M_PROC_LOCK_WAIT, p, 0);
	scene_grow(&s, M_PROC_LOCK_QUEUE, p, 0);
	t = scene_thread(&s, 800, 801, "worker");
	scene_grow(&s, M_THREAD_FUTEX, t, 10);
	lockers(&s, 900, 8, 0.05, 0.4, 0.9, 0); /* works 3.2 CPUs, loses 0.4: nobody would notice */
	scene_judge_table(&s, rules_lock);
	for (size_t i = 0; i < s.report.findings.n; i++)
		unit_fail(__FILE__, __LINE__, "%s fired", s.report.findings.list[i].id);
	scene_close(&s);
}

TEST(a_broadcast_that_wakes_everybody_is_not_called_contention)
{
	struct scene s;

	scene_open(&s, 2, 10);
	lockers(&s, 700, 200, 0.25, 0.004, 0.9, 0);
	for (int i = 0; i < 200; i++)
		scene_grow(&s, M_THREAD_FUTEX,
			   (struct row_id){ 701 + (uint64_t)i,
					    snapshot_id(&s.last, SCOPE_THREAD, 0).birth },
			   7.4);
	scene_judge(&s, "lock.futex_contention");
	CHECK(!scene_finding(&s, "lock.futex_contention"));
	scene_close(&s);
}

static struct row_id stuck(struct scene *s, double threads, double words, double age)
{
	struct row_id p = lockers(s, 700, 8, 1, 0, 0, 0);

	scene_level(s, M_PROC_LOCK_STUCK, p, threads);
	scene_level(s, M_PROC_LOCK_STUCK_WORDS, p, words);
	scene_level(s, M_PROC_LOCK_STUCK_AGE, p, age);
	return p;
}

TEST(waits_that_never_end_on_two_locks_are_a_deadlock)
{
	struct scene s;
	const struct finding *f;

	scene_open(&s, 2, 10);
	stuck(&s, 8, 2, 8.9);
	scene_judge(&s, "lock.deadlock");
	f = scene_finding(&s, "lock.deadlock");
	CHECK(f != NULL);
	CHECK_INT(f->severity, SEV_CRIT);
	CHECK(f->confidence < 0.9);
	CHECK_NEAR(f->impact.lost, 8, 1e-9);
	CHECK_INT(f->offenders[0].pid, 700);
	scene_close(&s);
}

TEST(one_lock_or_a_short_wait_or_somebody_outside_is_no_deadlock)
{
	struct scene s;

	scene_open(&s, 2, 10);
	stuck(&s, 8, 1, 8.9);
	scene_judge(&s, "lock.deadlock");
	CHECK(!scene_finding(&s, "lock.deadlock"));
	scene_close(&s);

	scene_open(&s, 2, 10);
	stuck(&s, 8, 2, 2.5);
	scene_judge(&s, "lock.deadlock");
	CHECK(!scene_finding(&s, "lock.deadlock"));
	scene_close(&s);

	scene_open(&s, 2, 10);
	scene_grow(&s, M_PROC_LOCK_ASLEEP, stuck(&s, 8, 2, 8.9), 5);
	scene_judge(&s, "lock.deadlock");
	CHECK(!scene_finding(&s, "lock.deadlock"));
	scene_close(&s);
}

TEST(an_urgent_thread_behind_a_starved_one_is_an_inversion)
{
	struct scene s;
	const struct finding *f;
	struct row_id high, low;

	scene_open(&s, 2, 10);
	lockers(&s, 700, 2, 0.6, 0.01, 0.9, 0);
	high = snapshot_id(&s.last, SCOPE_THREAD, 0);
	low = snapshot_id(&s.last, SCOPE_THREAD, 1);
	scene_level(&s, M_THREAD_RT_PRIORITY, high, 50);
	scene_level(&s, M_THREAD_RT_PRIORITY, low, 0);
	scene_level(&s, M_THREAD_NICE, low, 10);
	scene_grow(&s, M_THREAD_MUTEX, low, 1);
	scene_grow(&s, M_THREAD_RUNNABLE, low, 8);
	scene_judge(&s, "lock.priority_inversion");
	f = scene_finding(&s, "lock.priority_inversion");
	CHECK(f != NULL);
	CHECK(f->confidence <= 0.7);
	CHECK_HAS(f->summary, "thread 701");
	CHECK_HAS(f->summary, "thread 702");
	scene_close(&s);
}

static void flock_waiters(struct scene *s, unsigned n, double turns)
{
	struct row_id h = scene_process(s, 50, "backupd");

	scene_grow(s, M_PROC_FLOCK_INFLICTED, h, n * s->duration);
	for (unsigned i = 0; i < n; i++) {
		struct row_id p = scene_process(s, 60 + i, "mailer"),
			      t = scene_thread(s, 60 + i, 60 + i, "mailer");

		scene_grow(s, M_PROC_SAMPLED, p, s->duration);
		scene_grow(s, M_THREAD_FLOCK, t, 0.8 * s->duration);
	}
	scene_grow(s, M_FLOCK_TURNS, scene_system, turns);
}

TEST(a_file_lock_that_many_want_names_its_holder)
{
	struct scene s;
	const struct finding *f;

	scene_open(&s, 2, 10);
	flock_waiters(&s, 3, 40);
	scene_judge(&s, "lock.flock_contention");
	f = scene_finding(&s, "lock.flock_contention");
	CHECK(f != NULL);
	CHECK(f->severity >= SEV_WARN);
	CHECK_NEAR(f->impact.lost, 2.4, 0.01);
	CHECK_STR(f->offenders[0].name, "backupd");
	CHECK_STR(f->victims[0].name, "mailer");
	scene_close(&s);
}

TEST(a_line_at_a_file_lock_that_hardly_moves_is_an_information)
{
	struct scene s;

	scene_open(&s, 2, 10);
	flock_waiters(&s, 2, 3);
	scene_judge(&s, "lock.flock_contention");
	CHECK_INT(scene_finding(&s, "lock.flock_contention")->severity, SEV_INFO);
	scene_close(&s);
}

/* A process whose samples say how much of its CPU time goes into loops that pause. */
static void spinner(struct scene *s, int64_t pid, double cpus, double wait, unsigned samples,
		    unsigned spinning)
{
	struct row_id t = { (uint64_t)pid, scene_process(s, pid, "quoted").birth };
	size_t first = snapshot_row(&s->first, SCOPE_TIME, t, "quoted", 6),
	       last = snapshot_row(&s->last, SCOPE_TIME, t, "quoted", 6);

	CHECK_INT(first, last);
	scene_level(s, M_TIME_PID, t, (double)pid);
	scene_grow(s, M_TIME_TOTAL, t, 6 * s->duration);
	scene_grow(s, M_TIME_RUN, t, cpus * s->duration);
	scene_grow(s, M_TIME_RUNNABLE, t, wait * s->duration);
	scene_grow(s, M_TIME_IN_USER, t, samples);
	scene_grow(s, M_TIME_IN_KERNEL, t, 0);
	scene_grow(s, M_TIME_SPINNING, t, spinning);
}

TEST(a_process_whose_samples_lie_in_pausing_loops_while_threads_wait_spins)
{
	struct scene s;
	const struct finding *f;

	scene_open(&s, 2, 10);
	spinner(&s, 700, 1.9, 4, 900, 630);
	scene_judge(&s, "lock.spin_busywait");
	f = scene_finding(&s, "lock.spin_busywait");
	CHECK(f != NULL);
	CHECK_NEAR(f->impact.wasted, 0.7 * 1.9, 0.01);
	CHECK_NEAR(f->impact.lost, 4, 0.01);
	CHECK_INT(f->offenders[0].pid, 700);
	CHECK_HAS(f->summary, "70 % of its 1.9 CPUs");
	scene_close(&s);
}

TEST(who_computes_and_who_polls_on_cpus_of_his_own_does_not_spin)
{
	static const struct {
		double cpus, wait;
		unsigned samples, spinning;
	} innocent[] = {
		{ 1.9, 4, 900, 60 },  /* computes, and spins a little before it sleeps */
		{ 1.0, 0, 490, 490 }, /* polls a device; nobody waits */
		{ 0.1, 1, 49, 40 },   /* too little to matter */
		{ 1.9, 4, 25, 25 },   /* too few samples to say */
	};

	for (size_t i = 0; i < sizeof(innocent) / sizeof(*innocent); i++) {
		struct scene s;

		scene_open(&s, 2, 10);
		spinner(&s, 700, innocent[i].cpus, innocent[i].wait, innocent[i].samples,
			innocent[i].spinning);
		scene_judge(&s, "lock.spin_busywait");
		CHECK(!scene_finding(&s, "lock.spin_busywait"));
		CHECK(!scene_unknown(&s, "lock.spin_busywait"));
		scene_close(&s);
	}
}
