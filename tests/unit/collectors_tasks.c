/* SPDX-License-Identifier: Apache-2.0 */
/* Processes and threads on trees made by hand, friendly and not. */
#include "collectors/tasks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/mem.h"
#include "collectors/table.h"
#include "tests/unit/rig.h"
#include "tests/unit/unit.h"

/* ---- a tree ---- */

struct task {
	int pid, tid; /* tid 0: the process itself */
	const char *comm;
	char state;
	int ppid, nice, threads;
	long start, ticks, minflt;
};

static void put_stat(const struct task *k)
{
	char path[80], text[512];

	if (k->tid)
		snprintf(path, sizeof(path), "proc/%d/task/%d/stat", k->pid, k->tid);
	else
		snprintf(path, sizeof(path), "proc/%d/stat", k->pid);
	/*               3  4  5 6 7 8  9       10 11 12 13 14 15 16 17 18 19 20 21 22 23      24  25 … */
	snprintf(
		text, sizeof(text),
		"%d (%s) %c %d 1 1 0 -1 4194560 %ld 0 3 0 %ld 5 7 8 20 %d %d 0 %ld 8192000 100 18446744073709551615 1 2 3 4 5 0 0 0 0 "
		"0 0 0 17 1 0 0 42 0 0 0 0 0 0 0 0 0 0\n",
		k->tid ? k->tid : k->pid, k->comm, k->state, k->ppid, k->minflt, k->ticks, k->nice,
		k->threads ? k->threads : 1, k->start);
	unit_file(path, text);
}

static void put_file(int pid, int tid, const char *name, const char *text)
{
	char path[96];

	if (tid)
		snprintf(path, sizeof(path), "proc/%d/task/%d/%s", pid, tid, name);
	else
		snprintf(path, sizeof(path), "proc/%d/%s", pid, name);
	unit_file(path, text);
}

/* A thread that sleeps on a channel, with its turns on a CPU. */
static void put_thread(int pid, int tid, char state, const char *wchan, long slices)
{
	struct task k = { .pid = pid,
			  .tid = tid,
			  .comm = "worker",
			  .state = state,
			  .ppid = 1,
			  .start = 50,
			  .ticks = 1 };
	char sched[64];

	put_stat(&k);
	snprintf(sched, sizeof(sched), "%ld %ld %ld\n", slices * 1000, slices * 10, slices);
	put_file(pid, tid, "schedstat", sched);
	put_file(pid, tid, "wchan", wchan);
}

static void put_futex(int pid, int tid, unsigned long word, unsigned op, unsigned value,
		      unsigned long timeout)
{
	char line[160];

	snprintf(line, sizeof(line), "%ld 0x%lx 0x%x 0x%x 0x%lx 0x0 0x0 0x7ffe00 0x7fff00\n",
		 (long)SYS_futex, word, op, value, timeout);
	put_file(pid, tid, "syscall", line);
}

/* A process that has run a tick more each time it is written, so that it is followed from the second reading on. */
static void put_busy(int pid, long ticks, int threads)
{
	put_stat(&(struct task){ .pid = pid,
				 .comm = "busy",
				 .state = 'S',
				 .ppid = 1,
				 .start = 50,
				 .ticks = ticks,
				 .threads = threads });
}

/* As if each reading were the last: none is left out because the one before was dear. */
static void open_rig(struct rig *r)
{
	rig_open(r, &collector_tasks);
	r->env.closing = true;
}

/* Samples a second of ticks; time stands still in a hand-made tree, so the clock is ours. */
static uint64_t tick(struct rig *r, uint64_t now, int times)
{
	for (int i = 0; i < times; i++)
		r->c->tick(r->state, now += 100000000);
	return now;
}

static double thread_value(struct rig *r, enum metric_id id, uint64_t tid)
{
	return snapshot_value(&r->snap[1], id,
			      snapshot_find(&r->snap[1], SCOPE_THREAD, (struct row_id){ tid, 50 }));
}

/* ---- parsing ---- */

TEST(a_reading_that_would_cost_too_much_is_left_out_but_not_the_last)
{
	struct rig r;

	put_stat(&(struct task){ .pid = 9, .comm = "x", .state = 'S', .start = 1 });
	rig_open(&r, &collector_tasks);
	rig_read(&r);
	rig_read(&r);
	rig_read(&r); /* no time has passed since the one before */
	CHECK_UINT(r.snap[1].tables[SCOPE_PROCESS].time_ns, 0);
	r.env.closing = true;
	rig_read(&r);
	CHECK_INT(snapshot_rows(&r.snap[1], SCOPE_PROCESS), 1);
	rig_close(&r);
}

TEST(a_name_may_hold_brackets_blanks_and_control_bytes)
{
	struct rig r;

	put_stat(&(struct task){ .pid = 10,
				 .comm = ") 1 (\x01\x1b[31m x) R 2 (",
				 .state = 'S',
				 .ppid = 7,
				 .nice = -20,
				 .start = 99 });
	open_rig(&r);
	CHECK_INT(rig_read(&r), 0);
	CHECK_INT(snapshot_rows(&r.snap[1], SCOPE_PROCESS), 1);
	CHECK_STR(snapshot_name(&r.snap[1], SCOPE_PROCESS, 0), ") 1 (\x01\x1b[31m x) R 2 (");
	CHECK_UINT(snapshot_id(&r.snap[1], SCOPE_PROCESS, 0).key, 10);
	CHECK_UINT(snapshot_id(&r.snap[1], SCOPE_PROCESS, 0).birth, 99);
	CHECK_NEAR(snapshot_value(&r.snap[1], M_PROC_PPID, 0), 7, 0);
	CHECK_NEAR(snapshot_value(&r.snap[1], M_PROC_NICE, 0), -20, 0);
	CHECK_NEAR(snapshot_value(&r.snap[1], M_PROC_STATE, 0), 'S', 0);
	CHECK_NEAR(snapshot_value(&r.snap[1], M_PROC_SYSTEM, 0), 0.05, 1e-9);
	CHECK_NEAR(snapshot_value(&r.snap[1], M_PROC_CHILD_USER, 0), 0.07, 1e-9);
	CHECK_NEAR(snapshot_value(&r.snap[1], M_PROC_RSS, 0), 409600, 0);
	CHECK_NEAR(snapshot_value(&r.snap[1], M_PROC_MAJFLT, 0), 3, 0);
	CHECK_NEAR(snapshot_value(&r.snap[1], M_PROC_BLKIO_DELAY, 0), 0.42, 1e-9);
	CHECK_NEAR(snapshot_value(&r.snap[1], M_PROC_KTHREAD, 0), 0, 0);
	rig_close(&r);
}

TEST(a_file_that_is_binary_or_huge_is_no_process)
{
	static char huge[3 * TASK_TEXT];
	struct rig r;

	memset(huge, '7', sizeof(huge) - 1);
	put_file(20, 0, "stat", huge);
	put_file(21, 0, "stat", "\x01\x02\xff\xfe");
	put_file(22, 0, "comm", "no stat here");
	put_stat(&(struct task){ .pid = 23, .comm = "fine", .state = 'S', .start = 1 });
	put_stat(&(struct task){ .pid = 24, .comm = "liar", .state = 'S', .start = 1 });
	put_file(25, 0, "stat",
		 "24 (somebody else) S 1 1 1 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 77 0 0 0\n");
	open_rig(&r);
	CHECK_INT(rig_read(&r), 0);
	CHECK_INT(snapshot_rows(&r.snap[1], SCOPE_PROCESS), 2);
	CHECK(rig_row(&r, SCOPE_PROCESS, "fine") != SIZE_MAX);
	CHECK(rig_row(&r, SCOPE_PROCESS, "liar") != SIZE_MAX);
	CHECK_NEAR(rig_value(&r, M_PROCESSES, ""), 2, 0);
	rig_close(&r);
}

TEST(a_machine_without_proc_is_an_error_and_no_crash)
{
	struct rig r;

	rig_directory("sys");
	open_rig(&r);
	CHECK(rig_read(&r) < 0);
	r.c->tick(r.state, 1);
	rig_close(&r);
}

/* ---- sweeps ---- */

TEST(a_number_that_is_used_again_is_another_process)
{
	struct rig r;

	put_stat(&(struct task){
		.pid = 30, .comm = "first", .state = 'S', .start = 10, .ticks = 900 });
	open_rig(&r);
	rig_read(&r);
	put_stat(&(struct task){
		.pid = 30, .comm = "second", .state = 'S', .start = 777, .ticks = 3 });
	rig_read(&r);
	CHECK_INT(snapshot_rows(&r.snap[1], SCOPE_PROCESS), 1);
	CHECK_UINT(snapshot_id(&r.snap[1], SCOPE_PROCESS, 0).birth, 777);
	CHECK_STR(snapshot_name(&r.snap[1], SCOPE_PROCESS, 0), "second");
	rig_close(&r);
}

TEST(processes_come_and_go_anywhere_in_the_list)
{
	char dir[40], path[48], name[24];
	struct rig r;

	for (int pid = 1; pid <= 900; pid += 3)
		put_stat(&(struct task){ .pid = pid, .comm = "old", .state = 'S', .start = pid });
	open_rig(&r);
	rig_read(&r);
	CHECK_INT(snapshot_rows(&r.snap[1], SCOPE_PROCESS), 300);
	for (int pid = 1; pid <= 900; pid += 3) {
		if (pid % 2) {
			snprintf(path, sizeof(path), "proc/%d/stat", pid);
			snprintf(dir, sizeof(dir), "proc/%d", pid);
			rig_remove(path);
			rig_remove(dir);
		}
		snprintf(name, sizeof(name), "new%d", pid + 1);
		put_stat(&(struct task){
			.pid = pid + 1, .comm = name, .state = 'S', .start = 5000 + pid });
	}
	rig_read(&r);
	CHECK_INT(snapshot_rows(&r.snap[1], SCOPE_PROCESS), 450);
	for (int pid = 1; pid <= 900; pid += 3) {
		struct row_id old = { (uint64_t)pid, (uint64_t)pid },
			      fresh = { (uint64_t)pid + 1, 5000 + (uint64_t)pid };
		size_t row = snapshot_find(&r.snap[1], SCOPE_PROCESS, fresh);

		CHECK((snapshot_find(&r.snap[1], SCOPE_PROCESS, old) == SIZE_MAX) ==
		      (pid % 2 == 1));
		snprintf(name, sizeof(name), "new%d", pid + 1);
		CHECK_STR(snapshot_name(&r.snap[1], SCOPE_PROCESS, row), name);
	}
	rig_close(&r);
}

TEST(children_and_zombies_are_counted_at_their_parent)
{
	struct rig r;

	put_stat(&(struct task){ .pid = 5, .comm = "init", .state = 'S', .start = 1 });
	put_stat(&(struct task){
		.pid = 60, .comm = "cronlike", .state = 'S', .ppid = 5, .start = 2 });
	for (int i = 0; i < 4; i++)
		put_stat(&(struct task){ .pid = 70 + i,
					 .comm = "job",
					 .state = i < 3 ? 'Z' : 'T',
					 .ppid = 60,
					 .start = 3 });
	put_stat(&(struct task){
		.pid = 80, .comm = "orphan", .state = 'D', .ppid = 4711, .start = 3 });
	open_rig(&r);
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_PROC_ZOMBIES, "cronlike"), 3, 0);
	CHECK_NEAR(rig_value(&r, M_PROC_CHILDREN, "cronlike"), 1, 0);
	CHECK_NEAR(rig_value(&r, M_PROC_CHILDREN, "init"), 1, 0);
	CHECK_NEAR(rig_value(&r, M_ZOMBIES, ""), 3, 0);
	CHECK_NEAR(rig_value(&r, M_STOPPED, ""), 1, 0);
	CHECK_NEAR(rig_value(&r, M_BLOCKED_D, ""), 1, 0);
	CHECK_NEAR(rig_value(&r, M_THREADS, ""), 7, 0);
	rig_close(&r);
}

TEST(open_files_are_counted_and_limits_asked_of_who_has_many)
{
	char path[40];
	struct rig r;

	put_stat(&(struct task){ .pid = 90, .comm = "few", .state = 'S', .start = 1 });
	put_stat(&(struct task){ .pid = 91, .comm = "many", .state = 'S', .start = 1 });
	for (int i = 0; i < 64; i++) {
		snprintf(path, sizeof(path), "proc/91/fd/%d", i);
		unit_file(path, "");
	}
	unit_file("proc/90/fd/0", "");
	put_file(90, 0, "limits",
		 "Max open files            1024                 4096                 files\n");
	put_file(91, 0, "limits",
		 "Max open files            65                   4096                 files\n");
	put_file(91, 0, "cgroup", "3:cpu,cpuacct:/svc\n0::/x\n");
	open_rig(&r);
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_PROC_FDS, "few"), 1, 0);
	CHECK(isnan(rig_value(&r, M_PROC_FD_LIMIT, "few")));
	CHECK_NEAR(rig_value(&r, M_PROC_FDS, "many"), 64, 0);
	CHECK_NEAR(rig_value(&r, M_PROC_FD_LIMIT, "many"), 65, 0);
	CHECK_STR(rig_text(&r, M_PROC_CGROUP, "many"), "3:cpu,cpuacct:/svc\n0::/x");
	CHECK(!rig_text(&r, M_PROC_CGROUP, "few"));
	rig_close(&r);
}

/* ---- who is followed ---- */

TEST(threads_are_read_only_of_processes_that_did_something)
{
	struct rig r;

	put_busy(100, 10, 2);
	put_thread(100, 100, 'S', "ep_poll", 5);
	put_thread(100, 101, 'S', "ep_poll", 6);
	put_file(
		100, 0, "io",
		"rchar: 11\nwchar: 12\nsyscr: 13\nsyscw: 14\nread_bytes: 15\nwrite_bytes: 16\ncancelled_write_bytes: 17\n");
	put_file(
		100, 0, "status",
		"Name:\tbusy\nUid:\t0\t1000\t0\t0\nRssAnon:\t     8 kB\nVmSwap:\t 2 kB\nCpus_allowed_list:\t0-1\n");
	put_file(
		100, 101, "status",
		"Name:\tbusy\nCpus_allowed_list:\t1\nvoluntary_ctxt_switches:\t40\nnonvoluntary_ctxt_switches:\t2\n");
	put_stat(&(struct task){
		.pid = 200, .comm = "idle", .state = 'S', .start = 1, .ticks = 99 });
	put_thread(200, 200, 'S', "ep_poll", 5);
	open_rig(&r);
	rig_read(&r);
	CHECK_INT(snapshot_rows(&r.snap[1], SCOPE_THREAD), 0);
	put_busy(100, 11, 2);
	rig_read(&r);
	CHECK_INT(snapshot_rows(&r.snap[1], SCOPE_THREAD), 2);
	CHECK_NEAR(thread_value(&r, M_THREAD_PID, 101), 100, 0);
	CHECK_NEAR(thread_value(&r, M_THREAD_SLICES, 101), 6, 0);
	CHECK_NEAR(thread_value(&r, M_THREAD_RUN, 101), 6e-6, 1e-12);
	CHECK_NEAR(thread_value(&r, M_THREAD_RUNNABLE, 101), 6e-8, 1e-15);
	CHECK_NEAR(thread_value(&r, M_THREAD_VCSW, 101), 40, 0);
	CHECK(isnan(thread_value(&r, M_THREAD_VCSW, 100)));
	CHECK_NEAR(rig_value(&r, M_PROC_WCHAR, "busy"), 12, 0);
	CHECK_NEAR(rig_value(&r, M_PROC_CANCELLED_WRITE, "busy"), 17, 0);
	CHECK_NEAR(rig_value(&r, M_PROC_UID, "busy"), 1000, 0);
	CHECK_NEAR(rig_value(&r, M_PROC_RSS_ANON, "busy"), 8192, 0);
	CHECK_NEAR(rig_value(&r, M_PROC_SWAP, "busy"), 2048, 0);
	CHECK_STR(rig_text(&r, M_PROC_CPUS_ALLOWED, "busy"), "0-1");
	CHECK(isnan(rig_value(&r, M_PROC_WCHAR, "idle")));
	rig_close(&r);
}

TEST(switches_of_a_process_do_not_fall_when_a_thread_ends)
{
	struct rig r;

	put_busy(110, 10, 2);
	for (int tid = 110; tid <= 111; tid++) {
		put_thread(110, tid, 'S', "ep_poll", 5);
		put_file(110, tid, "status",
			 "voluntary_ctxt_switches:\t1000\nnonvoluntary_ctxt_switches:\t10\n");
	}
	open_rig(&r);
	rig_read(&r);
	put_busy(110, 11, 2);
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_PROC_VCSW, "busy"), 0, 0);
	put_thread(110, 110, 'S', "ep_poll", 8);
	put_file(110, 110, "status",
		 "voluntary_ctxt_switches:\t1003\nnonvoluntary_ctxt_switches:\t10\n");
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_PROC_VCSW, "busy"), 3, 0);
	for (const char *const *f =
		     (const char *const[]){ "stat", "schedstat", "wchan", "status", "", NULL };
	     *f; f++) {
		char path[64];

		snprintf(path, sizeof(path), "proc/110/task/111/%s", *f);
		rig_remove(path);
	}
	rig_read(&r);
	CHECK_INT(snapshot_rows(&r.snap[1], SCOPE_THREAD), 1);
	CHECK_NEAR(rig_value(&r, M_PROC_VCSW, "busy"), 3, 0);
	rig_close(&r);
}

TEST(somebody_in_d_is_followed_at_once_and_its_time_is_counted)
{
	struct rig r;
	uint64_t t0;

	put_stat(&(struct task){
		.pid = 120, .comm = "reader", .state = 'D', .ppid = 1, .start = 50 });
	put_thread(120, 120, 'D', "io_schedule", 9);
	open_rig(&r);
	rig_read(&r);
	CHECK_INT(snapshot_rows(&r.snap[1], SCOPE_THREAD), 1);
	t0 = ((struct tasks *)r.state)->list[0]->last_ns;
	tick(&r, t0, 10);
	CHECK_UINT(((struct tasks *)r.state)->list[0]->threads[0].wait_ns[WAIT_DISK], 1000000000);
	put_thread(120, 120, 'D', "balance_dirty_pages", 10);
	tick(&r, t0 + 1000000000, 5);
	CHECK_UINT(((struct tasks *)r.state)->list[0]->threads[0].wait_ns[WAIT_WRITEBACK],
		   500000000);
	CHECK_UINT(((struct tasks *)r.state)->list[0]->threads[0].samples, 15);
	rig_close(&r);
}

/* ---- locks ---- */

static struct followed *followed(struct rig *r)
{
	return ((struct tasks *)r->state)->list[0];
}

/* Three threads of process 300 on futexes, followed and sampled for a second. */
static void lock_scene(struct rig *r)
{
	put_busy(300, 10, 3);
	open_rig(r);
	rig_read(r);
	put_busy(300, 11, 3);
	rig_read(r);
	tick(r, followed(r)->last_ns, 10);
}

TEST(threads_on_one_lock_lose_time_and_the_one_outside_is_the_holder)
{
	struct rig r;
	struct followed *f;

	for (int tid = 300; tid < 303; tid++)
		put_thread(300, tid, 'S', "futex_do_wait", 5);
	put_futex(300, 300, 0x1000, 0x80, 2, 0);
	put_futex(300, 301, 0x1000, 0x80, 2, 0);
	put_futex(300, 302, 0x1000, 0x80, 2, 0);
	lock_scene(&r);
	put_thread(300, 302, 'S', "hrtimer_nanosleep", 6);
	f = followed(&r);
	CHECK_UINT(f->threads[0].wait_ns[WAIT_MUTEX], 1000000000);
	CHECK_UINT(f->threads[0].wait_ns[WAIT_FUTEX], 0);
	CHECK_UINT(f->lock_wait_ns, 3000000000u);
	CHECK_UINT(f->lock_asleep_ns, 0);
	tick(&r, f->last_ns, 5);
	CHECK_UINT(f->lock_asleep_ns, 500000000);
	CHECK_UINT(f->lock_running_ns, 0);
	CHECK_STR(names_text(&((struct tasks *)r.state)->names, votes_winner(&f->holder_wchan)),
		  "hrtimer_nanosleep");
	put_thread(300, 302, 'S', "futex_do_wait", 7);
	put_thread(300, 301, 'R', "0", 6);
	tick(&r, f->last_ns, 2);
	CHECK_UINT(f->lock_running_ns, 200000000);
	CHECK_UINT(f->lock_turns, 1);
	rig_close(&r);
}

TEST(followers_of_a_leader_that_awaits_work_lose_nothing)
{
	struct rig r;

	for (int tid = 300; tid < 303; tid++) {
		put_thread(300, tid, 'S', "futex_do_wait", 5);
		put_futex(300, tid, 0x1000, 0x80, 2, 0);
	}
	put_thread(300, 300, 'S', "inet_csk_accept", 5);
	lock_scene(&r);
	CHECK_UINT(followed(&r)->lock_queue_ns,
		   0); /* the leader was not seen to take part, but it may hold the lock */
	put_thread(300, 300, 'S', "futex_do_wait", 6);
	put_thread(300, 301, 'S', "ep_poll", 6);
	tick(&r, followed(&r)->last_ns, 1);
	put_thread(300, 300, 'S', "hrtimer_nanosleep",
		   7); /* serves what it got, without the lock */
	tick(&r, followed(&r)->last_ns, 10);
	CHECK_UINT(followed(&r)->lock_queue_ns, 0);
	CHECK_UINT(followed(&r)->threads[2].wait_ns[WAIT_MUTEX], 0);
	CHECK_UINT(followed(&r)->threads[2].wait_ns[WAIT_FUTEX], 2100000000);
	rig_close(&r);
}

TEST(idle_workers_on_a_condition_variable_lose_nothing)
{
	struct rig r;

	for (int tid = 300; tid < 303; tid++) {
		put_thread(300, tid, 'S', "futex_do_wait", 5);
		put_futex(300, tid, 0x1000, 0x189, 0, 0);
	}
	lock_scene(&r);
	for (int i = 0; i < 3; i++) {
		CHECK(followed(&r)->threads[i].wait_ns[WAIT_FUTEX] > 0);
		CHECK_UINT(followed(&r)->threads[i].wait_ns[WAIT_MUTEX], 0);
	}
	CHECK_UINT(followed(&r)->lock_queue_ns, 0);
	rig_close(&r);
}

TEST(threads_parked_on_mutexes_of_their_own_lose_nothing)
{
	struct rig r;

	for (int tid = 300; tid < 303; tid++) {
		put_thread(300, tid, 'S', "futex_do_wait", 5);
		put_futex(300, tid, 0x1000 + 64ul * (unsigned)tid, 0x80, 2, 0);
	}
	lock_scene(&r);
	CHECK_UINT(followed(&r)->lock_queue_ns, 0);
	CHECK_UINT(followed(&r)->threads[1].wait_ns[WAIT_MUTEX], 0);
	CHECK_UINT(followed(&r)->threads[1].pending_ns, 1000000000);
	put_thread(300, 301, 'S', "ep_poll", 6);
	tick(&r, followed(&r)->last_ns, 1);
	CHECK_UINT(followed(&r)->threads[1].pending_ns, 0);
	CHECK_UINT(followed(&r)->threads[1].wait_ns[WAIT_FUTEX], 1000000000);
	CHECK_UINT(followed(&r)->threads[1].wait_ns[WAIT_POLL], 100000000);
	rig_close(&r);
}

TEST(waits_that_never_move_on_shared_locks_are_stuck)
{
	struct tasks *t;
	struct rig r;
	uint64_t now;

	put_busy(310, 10, 4);
	for (int tid = 310; tid < 314; tid++) {
		put_thread(310, tid, 'S', "futex_wait_queue", 5);
		put_futex(310, tid, tid < 312 ? 0x2000 : 0x3000, 0x80, 2, 0);
	}
	open_rig(&r);
	rig_read(&r);
	t = r.state;
	now = tick(&r, clock_boot_ns(), 1);
	CHECK_INT(t->nfollowed, 0);
	lock_probe(t, now); /* it used no CPU: only asking finds it */
	CHECK_INT(t->nfollowed, 1);
	tick(&r, now, 40);
	snapshot_clear(&r.snap[1]);
	snapshot_row(&r.snap[1], SCOPE_PROCESS, (struct row_id){ 310, 50 }, "busy", 4);
	lock_put(t, followed(&r), &r.snap[1], 0, followed(&r)->last_ns);
	CHECK_NEAR(rig_value(&r, M_PROC_LOCK_STUCK, "busy"), 4, 0);
	CHECK_NEAR(rig_value(&r, M_PROC_LOCK_STUCK_WORDS, "busy"), 2, 0);
	CHECK(rig_value(&r, M_PROC_LOCK_STUCK_AGE, "busy") > 2.9);
	put_thread(310, 313, 'S', "futex_wait_queue", 6); /* one got a turn, and waits again */
	tick(&r, followed(&r)->last_ns, 10);
	snapshot_clear(&r.snap[1]);
	snapshot_row(&r.snap[1], SCOPE_PROCESS, (struct row_id){ 310, 50 }, "busy", 4);
	lock_put(t, followed(&r), &r.snap[1], 0, followed(&r)->last_ns);
	CHECK_NEAR(rig_value(&r, M_PROC_LOCK_STUCK, "busy"), 3, 0);
	rig_close(&r);
}

TEST(file_locks_name_their_holder)
{
	struct rig r;
	uint64_t now;

	put_stat(&(struct task){ .pid = 400, .comm = "holder", .state = 'S', .start = 1 });
	put_stat(&(struct task){ .pid = 401, .comm = "waiter", .state = 'S', .start = 1 });
	unit_file("proc/locks", "1: POSIX  ADVISORY  READ  77 fe:00:12 0 EOF\n"
				"2: FLOCK  ADVISORY  WRITE 400 fe:00:131 0 EOF\n"
				"2: -> FLOCK  ADVISORY  WRITE 401 fe:00:131 0 EOF\n"
				"2: -> -> FLOCK  ADVISORY  WRITE 402 fe:00:131 0 EOF\n"
				"3: OFDLCK ADVISORY  WRITE -1 fe:00:131 0 EOF\n"
				"broken\n4: -> FLOCK\n");
	open_rig(&r);
	rig_read(&r);
	now = tick(&r, clock_boot_ns(), 1);
	tick(&r, now, 5);
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_PROC_FLOCK_HOLDER, "waiter"), 400, 0);
	CHECK_NEAR(rig_value(&r, M_PROC_FLOCK_INFLICTED, "holder"), 2 * 0.5, 1e-9);
	CHECK(snapshot_find(&r.snap[1], SCOPE_THREAD, (struct row_id){ 401, 1 }) ==
	      SIZE_MAX); /* it has no task directory here */
	CHECK_INT(((struct tasks *)r.state)->nfollowed, 1);
	CHECK_NEAR(rig_value(&r, M_FLOCK_TURNS, ""), 0, 0);
	unit_file("proc/locks", "2: FLOCK  ADVISORY  WRITE 401 fe:00:131 0 EOF\n");
	tick(&r, now + 500000000, 1);
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_FLOCK_TURNS, ""), 2, 0);
	CHECK(isnan(rig_value(&r, M_PROC_FLOCK_HOLDER, "waiter")));
	rig_close(&r);
}

TEST(newborns_are_charged_to_their_parent_and_threads_are_no_children)
{
	struct rig r;
	uint64_t now = clock_boot_ns();

	put_stat(&(struct task){ .pid = 500, .comm = "hookd", .state = 'S', .start = 1 });
	unit_file("proc/loadavg", "0.00 0.00 0.00 1/90 600\n");
	open_rig(&r);
	rig_read(&r);
	now = tick(&r, now, 1);
	unit_file("proc/loadavg", "0.00 0.00 0.00 1/90 603\n");
	put_file(601, 0, "status", "Name:\ttrue\nTgid:\t601\nPid:\t601\nPPid:\t500\n");
	put_file(602, 0, "status", "Name:\ttrue\nTgid:\t602\nPid:\t602\nPPid:\t500\n");
	put_file(603, 0, "status", "Name:\tworker\nTgid:\t500\nPid:\t603\nPPid:\t1\n");
	tick(&r, now, 1);
	rig_read(&r);
	CHECK_NEAR(rig_value(&r, M_PROC_NEWBORN, "hookd"), 2, 0);
	CHECK_STR(rig_text(&r, M_PROC_NEWBORN_NAME, "hookd"), "true");
	rig_close(&r);
}

TEST(this_machine_can_be_read_again_and_again)
{
	struct rig r;

	rig_open_live(&r, &collector_tasks);
	r.env.closing = true;
	for (int i = 0; i < 3; i++) {
		CHECK_INT(rig_read(&r), 0);
		r.c->tick(r.state, clock_boot_ns());
	}
	CHECK(snapshot_rows(&r.snap[1], SCOPE_PROCESS) >= 1);
	CHECK(rig_value(&r, M_PROCESSES, "") >= 1);
	CHECK(rig_value(&r, M_THREADS, "") >= rig_value(&r, M_PROCESSES, ""));
	rig_close(&r);
}
