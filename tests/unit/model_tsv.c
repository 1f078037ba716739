/* SPDX-License-Identifier: Apache-2.0 */
/* Tables as text: what is written is read back, and nothing that is broken is believed. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "model/host.h"
#include "model/tsv.h"
#include "tests/unit/unit.h"

static const struct host machine = { .cpus = 2, .page_size = 4096, .ticks_per_second = 100 };

static void make(struct snapshot *s)
{
	metrics_init();
	snapshot_init(s, &machine);
}

TEST(a_table_survives_a_round_trip_with_hostile_names)
{
	static const char nasty[] = "a\tb\\c\nd) 1 (\x1b[31m-\xe2\x80\xae";
	struct snapshot a, b;
	struct buf out = { 0 };
	struct err e = { 0 };
	size_t row;

	make(&a);
	make(&b);
	row = snapshot_row(&a, SCOPE_PROCESS, (struct row_id){ 7, 812 }, nasty, strlen(nasty));
	snapshot_set(&a, M_PROC_USER, row, UINT64_MAX - 1, 1);
	snapshot_set_text(&a, M_PROC_CGROUP, row, "-", 1, 1);
	snapshot_row(&a, SCOPE_PROCESS, (struct row_id){ 8, 1 }, "", 0);
	tsv_write(&out, &a, SCOPE_PROCESS);
	CHECK_INT(tsv_read(&b, SCOPE_PROCESS, text_n(out.data, out.len), &e), 0);
	CHECK_INT(snapshot_rows(&b, SCOPE_PROCESS), 2);
	CHECK_STR(snapshot_name(&b, SCOPE_PROCESS, 0), nasty);
	CHECK_STR(snapshot_text(&b, M_PROC_CGROUP, 0), "-");
	CHECK_NEAR(snapshot_value(&b, M_PROC_USER, 0), (double)(UINT64_MAX - 1) / 100, 1e3);
	CHECK(isnan(snapshot_value(&b, M_PROC_SYSTEM, 0)));
	CHECK(snapshot_text(&b, M_PROC_CGROUP, 1) == NULL);
	snapshot_done(&a);
	snapshot_done(&b);
	buf_done(&out);
}

TEST(columns_of_another_version_are_skipped)
{
	struct snapshot s;
	struct err e = { 0 };

	make(&s);
	CHECK_INT(
		tsv_read(
			&s, SCOPE_PROCESS,
			text_of("key\tbirth\tname\tproc.from_the_future\tproc.user\n7\t8\t=x\twhatever\t50\n"),
			&e),
		0);
	CHECK_NEAR(snapshot_value(&s, M_PROC_USER, 0), 0.5, 1e-9);
	snapshot_done(&s);
}

TEST(a_broken_table_is_an_error_that_names_the_line)
{
	static const char *const broken[] = {
		"",
		"key\tbirth\n",
		"key\tbirth\tname\tproc.user\n7\t8\t=x\n",
		"key\tbirth\tname\tproc.user\n7\t8\t=x\tmany\n",
		"key\tbirth\tname\tproc.user\n7\t8\t=x\t5@9\n",
		"key\tbirth\tname\tproc.user\n7\t8\t=x\t5@0\n",
		"key\tbirth\tname\tproc.user\n-7\t8\t=x\t5\n",
		"key\tbirth\tname\tproc.user\n7\t8\tx\t5\n",
		"key\tbirth\tname\tproc.user\n7\t8\t=\\q\t5\n",
		"key\tbirth\tname\tproc.user\n7\t8\t=\\x0\t5\n",
		"key\tbirth\tname\tproc.user\n7\t8\t=\\x00\t5\n",
		"key\tbirth\tname\tproc.cgroup\n7\t8\t=x\tno equals sign\n",
		"key\tbirth\tname\tproc.user\n7\t8\t=x\\\t5\n",
	};

	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		struct snapshot s;
		struct err e = { 0 };

		make(&s);
		CHECK(tsv_read(&s, SCOPE_PROCESS, text_of(broken[i]), &e) < 0);
		CHECK(strstr(e.msg, "line ") != NULL);
		snapshot_done(&s);
	}
}

TEST(unlimited_and_second_sources_have_marks_of_their_own)
{
	struct snapshot s, back;
	struct buf out = { 0 };
	struct err e = { 0 };
	uint64_t raw;

	make(&s);
	make(&back);
	snapshot_set(&s, M_MEM_TOTAL, snapshot_system_row(&s), VALUE_UNLIMITED, 1);
	tsv_write(&out, &s, SCOPE_SYSTEM);
	CHECK(strstr(out.data, "\tmax") != NULL);
	CHECK_INT(tsv_read(&back, SCOPE_SYSTEM, text_n(out.data, out.len), &e), 0);
	CHECK(snapshot_raw(&back, M_MEM_TOTAL, 0, &raw) && raw == VALUE_UNLIMITED);
	snapshot_done(&s);
	snapshot_done(&back);
	buf_done(&out);
}

TEST(a_table_with_more_rows_than_can_be_is_refused)
{
	struct buf in = { 0 };
	struct snapshot s;
	struct err e = { 0 };

	make(&s);
	buf_str(&in, "key\tbirth\tname\n");
	for (int i = 0; i < (1 << 18); i++)
		buf_printf(&in, "%d\t0\t=\n", i % 7);
	CHECK_INT(tsv_read(&s, SCOPE_PROCESS, text_n(in.data, in.len), &e), 0);
	buf_str(&in, "8\t0\t=\n");
	CHECK_INT(tsv_read(&s, SCOPE_PROCESS, text_n(in.data, in.len), &e), -EFBIG);
	CHECK_HAS(e.msg, "more than 262144 rows");
	snapshot_done(&s);
	buf_done(&in);
}
