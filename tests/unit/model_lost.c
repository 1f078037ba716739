/* SPDX-License-Identifier: Apache-2.0 */
/* Where the time of processes went, and what a wait channel means. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/host.h"
#include "model/lost.h"
#include "tests/unit/unit.h"

static const struct host machine = { .cpus = 2, .page_size = 4096, .ticks_per_second = 100 };

static void thread(struct snapshot *s, uint64_t tid, uint64_t pid, uint64_t runnable_ms,
		   uint64_t disk_ms, uint64_t futex_ms)
{
	size_t row = snapshot_row(s, SCOPE_THREAD, (struct row_id){ tid, 1 }, "worker", 6);

	snapshot_set(s, M_THREAD_PID, row, pid, 1);
	snapshot_set(s, M_THREAD_RUNNABLE, row, runnable_ms * 1000000, 1);
	snapshot_set(s, M_THREAD_DISK, row, disk_ms * 1000000, 1);
	snapshot_set(s, M_THREAD_FUTEX, row, futex_ms * 1000000, 1);
}

static void process(struct snapshot *s, uint64_t pid, const char *name, uint64_t ticks)
{
	size_t row = snapshot_row(s, SCOPE_PROCESS, (struct row_id){ pid, 1 }, name, strlen(name));

	snapshot_set(s, M_PROC_USER, row, ticks, 1);
}

TEST(threads_add_up_to_processes_and_a_futex_sleep_is_not_lost)
{
	struct snapshot a, b;
	struct interval iv;
	struct lost_row *rows;
	double total;
	size_t n;

	metrics_init();
	snapshot_init(&a, &machine);
	snapshot_init(&b, &machine);
	for (int i = 0; i < SCOPE_MAX; i++) {
		snapshot_begin(&a, i, 1000000000);
		snapshot_begin(&b, i, 11000000000);
	}
	a.time_ns = 1000000000;
	b.time_ns = 11000000000;
	process(&a, 100, "idle", 1);
	process(&b, 100, "idle", 2);
	process(&a, 200, "dbd", 1);
	process(&b, 200, "dbd", 2);
	thread(&a, 100, 100, 0, 0, 0);
	thread(&b, 100, 100, 10, 0, 9000);
	thread(&a, 200, 200, 0, 0, 0);
	thread(&b, 200, 200, 1000, 2000, 0);
	thread(&a, 201, 200, 500, 0, 0);
	thread(&b, 201, 200, 500, 2000, 0);
	interval_init(&iv, &machine);
	interval_diff(&iv, &a, &b);
	rows = lost_build(&iv, &n, &total);
	CHECK_INT(n, 2);
	CHECK_INT(rows[0].pid, 200);
	CHECK_STR(rows[0].name, "dbd");
	CHECK_NEAR(rows[0].time[CAUSE_DISK], 4, 1e-9);
	CHECK_NEAR(rows[0].time[CAUSE_RUNNABLE], 1, 1e-9);
	CHECK_NEAR(rows[0].lost, 5, 1e-9);
	CHECK(rows[0].sampled);
	CHECK_NEAR(rows[1].time[CAUSE_WORK], 9, 1e-9);
	CHECK_NEAR(rows[1].lost, 0.01, 1e-9);
	CHECK_NEAR(total, 0.501, 1e-9);
	mem_free(rows);
	interval_done(&iv);
	snapshot_done(&a);
	snapshot_done(&b);
}

static void two_ends(struct snapshot *a, struct snapshot *b)
{
	metrics_init();
	snapshot_init(a, &machine);
	snapshot_init(b, &machine);
	for (int i = 0; i < SCOPE_MAX; i++) {
		snapshot_begin(a, i, 1000000000);
		snapshot_begin(b, i, 11000000000);
	}
	a->time_ns = 1000000000;
	b->time_ns = 11000000000;
}

static double lost_to_file_locks(uint64_t turns)
{
	struct snapshot a, b;
	struct interval iv;
	struct lost_row *rows;
	double total;
	size_t n;

	two_ends(&a, &b);
	for (struct snapshot *s = &a; s; s = s == &a ? &b : NULL) {
		size_t row = snapshot_row(s, SCOPE_THREAD, (struct row_id){ 20, 1 }, "job", 3);

		snapshot_set(s, M_THREAD_PID, row, 20, 1);
		snapshot_set(s, M_THREAD_FLOCK, row, s == &a ? 0 : 8000000000u, 1);
		snapshot_set(s, M_FLOCK_TURNS, snapshot_system_row(s), s == &a ? 7 : 7 + turns, 1);
	}
	interval_init(&iv, &machine);
	interval_diff(&iv, &a, &b);
	rows = lost_build(&iv, &n, &total);
	CHECK_INT(n, 1);
	CHECK_NEAR(rows[0].time[CAUSE_LOCK] + rows[0].time[CAUSE_WORK], 8, 1e-9);
	total = rows[0].lost;
	mem_free(rows);
	interval_done(&iv);
	snapshot_done(&a);
	snapshot_done(&b);
	return total;
}

TEST(a_file_lock_costs_time_only_where_the_line_moves)
{
	CHECK_NEAR(lost_to_file_locks(40), 8, 1e-9);
	CHECK_NEAR(lost_to_file_locks(3), 0, 1e-9);
}

TEST(a_kernel_thread_that_waits_for_the_disk_has_lost_nothing)
{
	struct snapshot a, b;
	struct interval iv;
	struct lost_row *rows;
	double total;
	size_t n;

	two_ends(&a, &b);
	thread(&a, 300, 300, 0, 0, 0);
	thread(&b, 300, 300, 200, 7000, 0);
	process(&a, 300, "jbd2/vda1-8", 1);
	process(&b, 300, "jbd2/vda1-8", 2);
	for (struct snapshot *s = &a; s; s = s == &a ? &b : NULL)
		snapshot_set(s, M_PROC_KTHREAD,
			     snapshot_find(s, SCOPE_PROCESS, (struct row_id){ 300, 1 }), 1, 1);
	interval_init(&iv, &machine);
	interval_diff(&iv, &a, &b);
	rows = lost_build(&iv, &n, &total);
	CHECK_INT(n, 1);
	CHECK_NEAR(rows[0].time[CAUSE_DISK], 0, 1e-9);
	CHECK_NEAR(rows[0].lost, 0.2, 1e-9);
	mem_free(rows);
	interval_done(&iv);
	snapshot_done(&a);
	snapshot_done(&b);
}

TEST(wait_channels_mean_what_they_mean_in_their_state)
{
	CHECK_INT(wait_of('R', "", false), WAIT_RUN);
	CHECK_INT(wait_of('D', "io_schedule", false), WAIT_DISK);
	CHECK_INT(wait_of('D', "balance_dirty_pages", false), WAIT_WRITEBACK);
	CHECK_INT(wait_of('D', "balance_dirty_pages_ratelimited_flags", false), WAIT_WRITEBACK);
	CHECK_INT(wait_of('D', "__refrigerator", false), WAIT_FROZEN);
	CHECK_INT(wait_of('D', "rwsem_down_read_slowpath", false), WAIT_KLOCK);
	CHECK_INT(wait_of('D', "", false), WAIT_D_OTHER);
	CHECK_INT(wait_of('S', "futex_wait_queue", false), WAIT_FUTEX);
	CHECK_INT(wait_of('S', "futex_wait_queue_me", false), WAIT_FUTEX);
	CHECK_INT(wait_of('S', "ep_poll", false), WAIT_POLL);
	CHECK_INT(wait_of('S', "do_wait_intr_irq", false),
		  WAIT_TIMER); /* timerfd_read, not waitpid */
	CHECK_INT(wait_of('S', "do_wait", false), WAIT_CHILD);
	CHECK_INT(wait_of('S', "0", false), WAIT_SLEEP);
	CHECK_INT(wait_of('S', "jbd2_journal_wait_updates", true), WAIT_SLEEP);
	CHECK_INT(wait_of('I', "worker_thread", true), WAIT_SLEEP);
	CHECK_INT(wait_of('T', "", false), WAIT_FROZEN);
	CHECK_INT(wait_of('t', "", false), WAIT_FROZEN);
	CHECK_INT(wait_of('Z', "", false), WAIT_ZOMBIE);
	CHECK(wait_metric(WAIT_DISK) == M_THREAD_DISK);
	CHECK(wait_metric(WAIT_ZOMBIE) == M_NONE);
}

TEST(sleeping_and_stopping_are_not_lost_but_blocking_is)
{
	CHECK(cause_is_lost(CAUSE_RUNNABLE));
	CHECK(cause_is_lost(CAUSE_DISK));
	CHECK(cause_is_lost(wait_cause(WAIT_FLOCK)));
	CHECK(!cause_is_lost(wait_cause(WAIT_FUTEX)));
	CHECK(!cause_is_lost(wait_cause(WAIT_POLL)));
	CHECK(!cause_is_lost(CAUSE_STOPPED));
	CHECK(!cause_is_lost(CAUSE_USER));
	for (enum cause c = 0; c < CAUSE_MAX; c++)
		CHECK(strlen(cause_name(c)) > 0);
	for (enum wait w = 0; w < WAIT_MAX; w++)
		CHECK(strlen(wait_name(w)) > 0);
}

/* ---- measured ---- */

static size_t account(struct snapshot *s, uint64_t key, uint64_t pid, const char *name,
		      uint64_t total_ms)
{
	size_t row = snapshot_row(s, SCOPE_TIME, (struct row_id){ key, 1 }, name, strlen(name));

	snapshot_set(s, M_TIME_PID, row, pid, 1);
	snapshot_set(s, M_TIME_TOTAL, row, total_ms * 1000000, 1);
	return row;
}

static void part(struct snapshot *s, enum metric_id id, size_t row, uint64_t ms)
{
	snapshot_set(s, id, row, ms * 1000000, 1);
}

TEST(measured_parts_replace_estimates_and_short_lived_children_stand_beside_their_parent)
{
	struct snapshot a, b;
	struct interval iv;
	struct lost_row *rows;
	double total;
	size_t n, row;

	two_ends(&a, &b);
	thread(&a, 300, 300, 0, 0, 0);
	thread(&b, 300, 300, 9000, 9000, 0); /* an estimate that must not be used */
	row = account(&b, 300, 300, "webd", 10000);
	part(&b, M_TIME_RUN, row, 2000);
	part(&b, M_TIME_USER, row, 1500);
	part(&b, M_TIME_SYSTEM, row, 500);
	part(&b, M_TIME_RUNNABLE, row, 1000);
	part(&b, M_TIME_THROTTLED, row, 3000);
	part(&b, M_TIME_MUTEX, row, 500);
	part(&b, M_TIME_KLOCK, row, 500);
	part(&b, M_TIME_POLL, row, 3000);
	row = account(&b, 77777, 300, "sh", 40);
	snapshot_set(&b, M_TIME_SHORT, row, 12, 1);
	part(&b, M_TIME_RUN, row, 40);
	interval_init(&iv, &machine);
	interval_diff(&iv, &a, &b);
	rows = lost_build(&iv, &n, &total);
	CHECK_INT(n, 2);
	CHECK(rows[0].exact && rows[0].split && !rows[0].sampled);
	CHECK_NEAR(rows[0].threads, 10, 1e-9);
	CHECK_NEAR(rows[0].time[CAUSE_USER], 1.5, 1e-9);
	CHECK_NEAR(rows[0].time[CAUSE_SYSTEM], 0.5, 1e-9);
	CHECK_NEAR(rows[0].time[CAUSE_THROTTLED], 3, 1e-9);
	CHECK_NEAR(rows[0].time[CAUSE_LOCK], 1, 1e-9);
	CHECK_NEAR(rows[0].time[CAUSE_WORK], 3, 1e-9);
	CHECK_NEAR(rows[0].lost, 5, 1e-9);
	CHECK_INT(rows[1].short_lived, 12);
	CHECK_INT(rows[1].pid, 300);
	CHECK_NEAR(total, 0.5, 1e-9);
	mem_free(rows);
	rows = lost_threads(&iv, &n);
	CHECK_INT(n, 0);
	mem_free(rows);
	interval_done(&iv);
	snapshot_done(&a);
	snapshot_done(&b);
}

TEST(who_ran_while_others_waited_has_inflicted_it_but_not_on_itself)
{
	struct snapshot a, b;
	struct interval iv;
	struct lost_row *rows;
	double total;
	size_t n;

	two_ends(&a, &b);
	account(&b, 1, 1, "hog", 10000);
	account(&b, 2, 2, "victim", 10000);
	for (int i = 0; i < 3; i++) {
		static const struct {
			uint64_t victim;
			int64_t offender;
			uint64_t ms;
		} pairs[] = { { 2, 1, 4000 }, { 1, 1, 700 }, { 2, -1, 300 } };
		size_t row = snapshot_row(&b, SCOPE_PAIR,
					  (struct row_id){ .key = 10u + (unsigned)i }, "", 0);

		snapshot_set(&b, M_PAIR_VICTIM, row, pairs[i].victim, 1);
		snapshot_set(&b, M_PAIR_OFFENDER, row, (uint64_t)pairs[i].offender, 1);
		part(&b, M_PAIR_WAIT, row, pairs[i].ms);
	}
	interval_init(&iv, &machine);
	interval_diff(&iv, &a, &b);
	rows = lost_build(&iv, &n, &total);
	CHECK_INT(n, 2);
	for (size_t i = 0; i < n; i++)
		CHECK_NEAR(rows[i].inflicted, rows[i].pid == 1 ? 4 : 0, 1e-9);
	mem_free(rows);
	interval_done(&iv);
	snapshot_done(&a);
	snapshot_done(&b);
}

/* Sweeps lie outside of the window's first and last reading: a thread was 1.01 s in each second. */
TEST(accounts_are_brought_from_their_sweeps_to_the_window)
{
	struct snapshot a, b;
	struct interval iv;
	struct lost_row *rows;
	double total;
	size_t n, row;

	two_ends(&a, &b);
	snapshot_begin(&a, SCOPE_TIME, 500000000);
	snapshot_begin(&b, SCOPE_TIME, 13000000000);
	row = account(&b, 1, 1, "hog", 12500);
	part(&b, M_TIME_RUN, row, 12500);
	part(&b, M_TIME_USER, row, 12000);
	part(&b, M_TIME_SYSTEM, row, 400);
	interval_init(&iv, &machine);
	interval_diff(&iv, &a, &b);
	rows = lost_build(&iv, &n, &total);
	CHECK_INT(n, 1);
	CHECK_NEAR(rows[0].threads, 10, 1e-9);
	CHECK_NEAR(rows[0].time[CAUSE_USER] + rows[0].time[CAUSE_SYSTEM], 10, 1e-9);
	mem_free(rows);
	interval_done(&iv);
	snapshot_done(&a);
	snapshot_done(&b);
}

TEST(waits_of_threads_that_were_measured_in_a_part_of_the_window_stand_for_all_of_it)
{
	struct snapshot a, b;
	struct interval iv;

	two_ends(&a, &b);
	snapshot_begin(&b, SCOPE_TIME,
		       3000000000); /* the programs had to stop after two of ten seconds */
	thread(&a, 300, 300, 0, 0, 0);
	thread(&b, 300, 300, 700, 400, 0);
	account(&b, 300, 300, "webd", 2000);
	interval_init(&iv, &machine);
	interval_diff(&iv, &a, &b);
	lost_align(&iv);
	CHECK_NEAR(interval_delta(&iv, M_THREAD_DISK, 0), 2, 1e-9);
	CHECK_NEAR(interval_delta(&iv, M_THREAD_RUNNABLE, 0), 0.7,
		   1e-9); /* the scheduler's own, of all */
	interval_done(&iv);
	snapshot_done(&a);
	snapshot_done(&b);
}

TEST(bytes_that_nobody_counted_are_unknown_and_not_none)
{
	struct snapshot a, b;
	struct interval iv;
	struct lost_row *rows;
	double total;
	size_t n, row;

	two_ends(&a, &b);
	row = account(&b, 1, 1, "server", 10000);
	snapshot_set(&b, M_TIME_SENT, row, 5000, 1);
	snapshot_set(&b, M_TIME_RECEIVED, row, 0, 1);
	interval_init(&iv, &machine);
	interval_diff(&iv, &a, &b);
	rows = lost_build(&iv, &n, &total);
	CHECK_INT(n, 1);
	CHECK_NEAR(rows[0].sent, 5000, 1e-9);
	CHECK_NEAR(rows[0].received, 0, 1e-9);
	CHECK(isnan(rows[0].io_read) && isnan(rows[0].io_written));
	mem_free(rows);
	interval_done(&iv);
	snapshot_done(&a);
	snapshot_done(&b);
}

TEST(reasons_of_waits_are_parts_of_the_wait)
{
	struct snapshot a, b;
	struct interval iv;
	struct lost_row *rows;
	double total;
	size_t n, row;

	two_ends(&a, &b);
	row = account(&b, 1, 1, "waiter", 10000);
	part(&b, M_TIME_RUNNABLE, row, 4000);
	part(&b, M_TIME_QUEUED_PASSED, row, 2500);
	part(&b, M_TIME_QUEUED_IRQ, row, 500);
	interval_init(&iv, &machine);
	interval_diff(&iv, &a, &b);
	rows = lost_build(&iv, &n, &total);
	CHECK_INT(n, 1);
	CHECK_NEAR(rows[0].queued[QUEUED_PASSED], 2.5, 1e-9);
	CHECK_NEAR(rows[0].queued[QUEUED_IRQ], 0.5, 1e-9);
	CHECK_NEAR(rows[0].queued[QUEUED_DROWSY], 0, 1e-9);
	CHECK_NEAR(rows[0].time[CAUSE_RUNNABLE], 4, 1e-9);
	mem_free(rows);
	interval_done(&iv);
	snapshot_done(&a);
	snapshot_done(&b);
}
