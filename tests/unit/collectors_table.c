/* SPDX-License-Identifier: Apache-2.0 */
/* The process table: which way it is read, what a record becomes, and who is missing from it. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bpf/wire.h"
#include "collectors/table.h"
#include "collectors/tasks.h"
#include "tests/unit/rig.h"
#include "tests/unit/unit.h"

/* ---- which way ---- */

static const struct table_facts large = { .live = true,
					  .attached = true,
					  .own_proc = true,
					  .processes = 5000,
					  .files = 1000,
					  .why_not = "because" };

static enum table_way way_of(struct table_facts f, char *why)
{
	return table_choose(&f, why, 256);
}

TEST(a_machine_with_many_processes_is_read_through_the_iterator)
{
	char why[256];

	CHECK_INT(way_of(large, why), TABLE_ITERATOR);
	CHECK_HAS(why, "5000");
}

TEST(a_machine_with_few_processes_is_read_from_files_that_stay_open)
{
	struct table_facts f = large;
	char why[256];

	f.processes = TABLE_LEAST - 1;
	CHECK_INT(way_of(f, why), TABLE_KEPT);
	CHECK_HAS(why, "from 1000 on");
	f.processes = TABLE_LEAST;
	CHECK_INT(way_of(f, why), TABLE_ITERATOR);
}

TEST(where_the_iterator_is_refused_it_is_said_why)
{
	struct table_facts f = large;
	char why[256];

	f.attached = false;
	CHECK_INT(way_of(f, why), TABLE_KEPT);
	CHECK_HAS(why, "because");
}

TEST(numbers_of_another_namespace_than_that_of_proc_are_not_mixed)
{
	struct table_facts f = large;
	char why[256];

	f.own_proc = false;
	CHECK_INT(way_of(f, why), TABLE_KEPT);
	CHECK_HAS(why, "another PID namespace");
}

TEST(without_descriptors_every_file_is_opened_each_time)
{
	struct table_facts f = large;
	char why[256];

	f.files = 0;
	f.attached = false;
	CHECK_INT(way_of(f, why), TABLE_FILES);
	f.live = false;
	f.files = 1000;
	CHECK_INT(way_of(f, why), TABLE_FILES);
}

/* ---- a record ---- */

TEST(a_state_has_the_letter_that_proc_gives_it)
{
	CHECK_INT(table_state(0, 0), 'R');
	CHECK_INT(table_state(0x1, 0), 'S');
	CHECK_INT(table_state(0x2, 0), 'D');
	CHECK_INT(table_state(0x102, 0), 'D'); /* killable */
	CHECK_INT(table_state(0x402, 0), 'I');
	CHECK_INT(table_state(0x4, 0), 'T');
	CHECK_INT(table_state(0x8, 0), 't');
	CHECK_INT(table_state(0x80, 0x10), 'X');
	CHECK_INT(table_state(0x80, 0x20), 'Z');
	CHECK_INT(table_state(0x40, 0), 'P');
	CHECK_INT(table_state(0x2001, 0), 'S'); /* freezable */
	CHECK_INT(table_state(0x8000, 0), 'D'); /* frozen */
	CHECK_INT(table_state(0x1000, 0), 'D'); /* on a lock of a real-time kernel */
}

static void times_are(struct wire_row w, uint64_t user, uint64_t system)
{
	uint64_t u = 0, s = 0;

	table_times(&w, &u, &s);
	CHECK_UINT(u, user);
	CHECK_UINT(s, system);
}

TEST(ticks_say_how_the_measured_time_is_shared)
{
	times_are((struct wire_row){ .utime = 30, .stime = 10, .exec = 1000 }, 750, 250);
	times_are((struct wire_row){ .utime = 30, .exec = 1000 }, 1000, 0);
	times_are((struct wire_row){ .stime = 30, .exec = 1000 }, 0, 1000);
	times_are((struct wire_row){ .exec = 1000 }, 1000, 0);
	/* the product does not fit into 64 bits */
	times_are((struct wire_row){ .utime = 3ull << 60, .stime = 1ull << 60, .exec = 1ull << 62 },
		  3ull << 60, 1ull << 60);
}

TEST(what_was_shown_once_is_not_taken_back)
{
	struct wire_row w = { .utime = 30, .stime = 10, .exec = 1000, .shown_stime = 400 };
	uint64_t u = 0, s = 0;

	table_times(&w, &u, &s);
	CHECK_UINT(s, 400);
	CHECK_UINT(u, 600);
	w.exec = 900; /* less than was shown: nothing moves */
	table_times(&w, &u, &s);
	CHECK_UINT(u, 600);
	CHECK_UINT(s, 400);
	w.exec = 1100;
	w.utime = 0; /* the parts may change, but none falls */
	table_times(&w, &u, &s);
	CHECK_UINT(u, 600);
	CHECK_UINT(s, 500);
}

TEST(a_record_becomes_the_columns_of_a_stat_line)
{
	struct host h = { .ticks_per_second = 100, .page_size = 4096 };
	struct wire_row w = { .pid = 7,
			      .state = 1,
			      .prio = 127,
			      .static_prio = 113,
			      .flags = WIRE_KTHREAD,
			      .threads = 3,
			      .start = 5019999999,
			      .vcsw = 5,
			      .nvcsw = 6,
			      .address_pages = 10,
			      .pages = { 1, 20, 300, 4000 } };
	struct task_stat st;

	memset(w.comm, 'x', sizeof(w.comm)); /* no NUL at the end */
	memcpy(w.comm, ") 1 (\n\x1b", 7);
	table_stat(&w, &h, 0, &st);
	CHECK_UINT(text_len(st.comm), sizeof(w.comm));
	CHECK_UINT(st.f[1], 7);
	CHECK_INT((long long)st.f[3], 'S');
	CHECK_UINT(st.f[9], 1);
	CHECK_INT((int64_t)st.f[18], 27);
	CHECK_INT((int64_t)st.f[19], -7);
	CHECK_UINT(st.f[22], 501); /* cut to ticks, as the kernel does */
	CHECK_UINT(st.f[23], 40960);
	CHECK_UINT(st.f[24], 4021);
	CHECK_UINT(st.f[COLUMN_SWAP], 300);
	CHECK_UINT(st.f[COLUMN_VCSW], 5);
	CHECK_UINT(st.f[COLUMN_NVCSW], 6);
	table_stat(&w, &h, -5000000000, &st); /* in a time namespace */
	CHECK_UINT(st.f[22], 1);
}

/* ---- who is missing ---- */

TEST(nothing_is_listed_while_the_numbers_of_threads_agree)
{
	struct table_count c = { .whole = true,
				 .before = 100,
				 .after = 100,
				 .last_before = 50,
				 .last_after = 50,
				 .shown = 100 };

	CHECK(!table_must_list(&c, 0));
	c.shown = 99;
	CHECK(table_must_list(&c, 0));
	CHECK(!table_must_list(&c, 1)); /* that one is known */
	CHECK_INT(table_gap(&c), 1);
	c.shown = 101;
	CHECK(table_must_list(&c, 0));
}

TEST(births_and_deaths_in_the_sweep_are_allowed_for)
{
	struct table_count c = { .whole = true,
				 .before = 100,
				 .after = 100,
				 .last_before = 50,
				 .last_after = 53,
				 .shown = 97 };

	CHECK(!table_must_list(&c,
			       0)); /* three died and three were born, and none of them was seen */
	CHECK_INT(table_gap(&c), 0);
	c.shown = 96;
	CHECK(table_must_list(&c, 0));
	c.last_after = 2; /* numbers began again from below */
	CHECK(table_must_list(&c, 4));
	c = (struct table_count){ .whole = false, .before = 100, .after = 100, .shown = 100 };
	CHECK(table_must_list(&c, 0));
}

/* ---- merging ---- */

static struct wire_row records[8];
static size_t nrecords, fail_after;

static int read_fake(struct tasks *t, void (*each)(void *ctx, const void *row), void *ctx,
		     struct err *e)
{
	(void)t;
	for (size_t i = 0; i < nrecords; i++) {
		if (fail_after && i == fail_after)
			return err_set(e, -EPERM, "a policy forbids it");
		each(ctx, &records[i]);
	}
	return 0;
}

static void put_record(unsigned pid, unsigned threads)
{
	records[nrecords] = (struct wire_row){ .pid = pid,
					       .size = sizeof(struct wire_row),
					       .ppid = 1,
					       .state = 1,
					       .threads = threads,
					       .static_prio = 120,
					       .start = 500000000,
					       .exec = 1000 };
	snprintf(records[nrecords++].comm, WIRE_COMM, "record-%u", pid);
}

static void put_proc(unsigned pid, unsigned threads)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "proc/%u/stat", pid);
	snprintf(
		text, sizeof(text),
		"%u (file-%u) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 %u 0 50 8192 1 0 0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0\n",
		pid, pid, threads);
	unit_file(path, text);
}

static void put_loadavg(unsigned threads)
{
	char text[64];

	snprintf(text, sizeof(text), "0.00 0.00 0.00 1/%u 99\n", threads);
	unit_file("proc/loadavg", text);
}

static struct tasks *open_table(struct rig *r)
{
	struct tasks *t;

	nrecords = fail_after = 0;
	rig_open(r, &collector_tasks);
	r->env.closing = true;
	t = r->state;
	t->table.way = TABLE_ITERATOR;
	t->table.whole = true;
	t->table.read = read_fake;
	return t;
}

/* "record-2 file-5 …": by number. */
static const char *names_of(struct rig *r)
{
	static char out[256];
	size_t used = 0;

	out[0] = '\0';
	for (int pid = 0; pid < 100; pid++)
		for (size_t i = 0; i < snapshot_rows(&r->snap[1], SCOPE_PROCESS); i++)
			if (snapshot_id(&r->snap[1], SCOPE_PROCESS, i).key == (uint64_t)pid)
				used += (size_t)snprintf(
					out + used, sizeof(out) - used, "%s%s", used ? " " : "",
					snapshot_name(&r->snap[1], SCOPE_PROCESS, i));
	return out;
}

TEST(who_is_hidden_from_the_iterator_is_read_from_proc)
{
	struct tasks *t;
	struct rig r;

	put_proc(2, 1);
	put_proc(5, 1);
	put_proc(7, 3);
	put_proc(9, 1);
	put_loadavg(6);
	t = open_table(&r);
	put_record(2, 1);
	put_record(5, 1);
	put_record(9, 1);
	CHECK_INT(rig_read(&r), 0);
	CHECK_STR(names_of(&r), "record-2 record-5 file-7 record-9");
	CHECK_NEAR(rig_value(&r, M_TABLE_HIDDEN, NULL), 1, 0);
	CHECK_INT(t->table.gap, 0);
	put_proc(8, 1); /* not looked for: the number of threads does not ask for it */
	CHECK_INT(rig_read(&r), 0);
	CHECK_STR(names_of(&r), "record-2 record-5 file-7 record-9");
	CHECK_UINT(snapshot_rows(&r.snap[1], SCOPE_PROCESS), 4);
	put_loadavg(7);
	CHECK_INT(rig_read(&r), 0);
	CHECK_STR(names_of(&r), "record-2 record-5 file-7 file-8 record-9");
	CHECK_NEAR(rig_value(&r, M_TABLE_HIDDEN, NULL), 2, 0);
	rig_close(&r);
}

TEST(a_hidden_process_that_ends_or_shows_itself_is_hidden_no_more)
{
	struct rig r;

	put_proc(2, 1);
	put_proc(7, 1);
	put_proc(8, 1);
	put_loadavg(3);
	open_table(&r);
	put_record(2, 1);
	CHECK_INT(rig_read(&r), 0);
	CHECK_STR(names_of(&r), "record-2 file-7 file-8");
	rig_remove("proc/7/stat");
	put_record(8, 1);
	put_loadavg(2);
	CHECK_INT(rig_read(&r), 0);
	CHECK_STR(names_of(&r), "record-2 record-8");
	CHECK_NEAR(rig_value(&r, M_TABLE_HIDDEN, NULL), 0, 0);
	rig_close(&r);
}

TEST(threads_that_neither_shows_are_no_reason_to_list_again)
{
	struct tasks *t;
	struct rig r;

	put_proc(2, 1);
	put_loadavg(5);
	t = open_table(&r);
	put_record(2, 1);
	CHECK_INT(rig_read(&r), 0);
	CHECK_INT(t->table.gap, 4);
	put_proc(3, 1);
	CHECK_INT(rig_read(&r), 0);
	CHECK_STR(names_of(&r), "record-2");
	rig_close(&r);
}

TEST(a_record_that_is_not_whole_is_read_from_proc)
{
	struct rig r;

	put_proc(2, 1);
	put_proc(5, 1);
	put_loadavg(2);
	open_table(&r);
	put_record(2, 1);
	put_record(5, 1);
	records[0].cut = WIRE_CUT_THREADS;
	CHECK_INT(rig_read(&r), 0);
	CHECK_STR(names_of(&r), "file-2 record-5");
	CHECK_NEAR(rig_value(&r, M_TABLE_HIDDEN, NULL), 0, 0);
	rig_close(&r);
}

/* As the iterator tells of who has not been on a CPU. */
static void put_idle(size_t i)
{
	struct wire_idle idle = { .pid = records[i].pid,
				  .size = sizeof(idle),
				  .start = records[i].start };

	memset(&records[i], 0xee, sizeof(records[i]));
	memcpy(&records[i], &idle, sizeof(idle));
}

TEST(who_has_not_moved_is_shown_as_it_was_told_last)
{
	struct rig r;

	put_proc(2, 1);
	put_proc(5, 1);
	put_loadavg(2);
	open_table(&r);
	r.env.live = true;
	put_record(2, 1);
	put_record(5, 1);
	records[0].vcsw = 77;
	CHECK_INT(rig_read(&r), 0);
	put_idle(0);
	records[1].vcsw = 5;
	CHECK_INT(rig_read(&r), 0);
	CHECK_STR(names_of(&r), "record-2 record-5");
	CHECK_NEAR(rig_value(&r, M_PROC_VCSW, "record-2"), 77, 0);
	CHECK_NEAR(rig_value(&r, M_PROC_VCSW, "record-5"), 5, 0);
	rig_close(&r);
}

TEST(who_is_said_not_to_have_moved_and_was_never_told_is_read_from_proc)
{
	struct rig r;

	put_proc(2, 1);
	put_proc(5, 1);
	put_loadavg(2);
	open_table(&r);
	r.env.live = true;
	put_record(2, 1);
	put_record(5, 1);
	put_idle(1);
	CHECK_INT(rig_read(&r), 0);
	CHECK_STR(names_of(&r), "record-2 file-5");
	records[0].start += 10000000000u; /* the number was given to another one meanwhile */
	put_idle(0);
	CHECK_INT(rig_read(&r), 0);
	CHECK_STR(names_of(&r), "file-2 file-5");
	rig_close(&r);
}

TEST(an_iterator_that_fails_half_way_leaves_the_rest_to_proc)
{
	struct rig r;

	put_proc(2, 1);
	put_proc(5, 1);
	put_proc(9, 1);
	put_loadavg(3);
	open_table(&r);
	put_record(2, 1);
	put_record(5, 1);
	put_record(9, 1);
	fail_after = 1;
	CHECK_INT(rig_read(&r), 0);
	CHECK_STR(names_of(&r), "record-2 file-5 file-9");
	CHECK_HAS(rig_status(&r, "process table"), "a policy forbids it");
	CHECK_INT(rig_read(&r), 0); /* and is not asked again */
	CHECK_STR(names_of(&r), "file-2 file-5 file-9");
	rig_close(&r);
}

TEST(a_number_that_was_given_to_another_process_begins_anew)
{
	struct tasks *t;
	struct rig r;

	put_proc(2, 1);
	put_loadavg(1);
	t = open_table(&r);
	put_record(2, 1);
	records[0].exec = 5000000000;
	CHECK_INT(rig_read(&r), 0);
	CHECK_UINT(task_proc(t, 2)->shown_utime, 5000000000);
	records[0].start = 900000000;
	records[0].exec = 10;
	CHECK_INT(rig_read(&r), 0);
	CHECK_UINT(task_proc(t, 2)->shown_utime, 10);
	CHECK_UINT(task_proc(t, 2)->start, 90);
	rig_close(&r);
}

TEST(owner_and_open_files_are_remembered_of_who_is_not_told_in_full)
{
	struct tasks *t;
	struct rig r;

	put_proc(2, 1);
	put_proc(5, 1);
	put_loadavg(2);
	t = open_table(&r);
	put_record(2, 1);
	put_record(5, 1);
	records[0].full = records[0].has_fds = 1;
	records[0].uid = 1000;
	records[0].fds = 12;
	CHECK_INT(rig_read(&r), 0);
	CHECK_NEAR(rig_value(&r, M_PROC_FDS, "record-2"), 12, 0);
	CHECK(isnan(rig_value(&r, M_PROC_FDS, "record-5"))); /* of it nothing was told */
	CHECK(isnan(rig_value(&r, M_PROC_OWNER, "record-5")));
	r.env.closing = false;
	t->sweeps = 2;
	t->sweep_cost_ns = 0; /* look again at once */
	records[0].full = records[0].has_fds = records[0].fds = 0;
	records[0].uid = 0;
	CHECK_INT(rig_read(&r), 0);
	CHECK_NEAR(rig_value(&r, M_PROC_FDS, "record-2"), 12, 0);
	CHECK_NEAR(rig_value(&r, M_PROC_OWNER, "record-2"), 1000, 0);
	t->sweep_cost_ns = 0;
	records[0].exit_state = 0x20; /* a zombie has no files, but an owner */
	CHECK_INT(rig_read(&r), 0);
	CHECK(isnan(rig_value(&r, M_PROC_FDS, "record-2")));
	CHECK_NEAR(rig_value(&r, M_PROC_OWNER, "record-2"), 1000, 0);
	rig_close(&r);
}

TEST(all_are_told_in_full_at_both_ends_of_the_window_and_between_those_that_came)
{
	struct collector_env env = { 0 };
	struct tasks t = { .env = &env, .table = { .began_ns = 7000000000 } };

	CHECK_UINT(table_since(&t), 0);
	t.sweeps = 2;
	CHECK_UINT(table_since(&t), 6000000000); /* who was dated before and could not be seen */
	env.closing = true;
	CHECK_UINT(table_since(&t), 0);
	env.closing = false;
	t.table.began_ns = 500000000; /* just booted */
	CHECK_UINT(table_since(&t), 0);
}
