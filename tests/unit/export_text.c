/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "export/progress.h"
#include "tests/unit/sample.h"
#include "tests/unit/scene.h"
#include "tests/unit/unit.h"

static const struct style plain = { .columns = 80 };

static unsigned count_lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* The first n lines. */
static const char *head(const char *text, unsigned n)
{
	static char out[16384];
	size_t i = 0;

	while (n && text[i] && i + 1 < sizeof(out)) {
		out[i] = text[i];
		n -= text[i++] == '\n';
	}
	out[i] = '\0';
	return out;
}

static void check_no_wider(const char *text, unsigned columns)
{
	struct text rest = text_of(text), line;

	while (text_line(&rest, &line))
		if (text_width(line.p, text_len(line)) > columns)
			unit_fail(__FILE__, __LINE__, "%u columns, but: %.*s", columns,
				  (int)text_len(line), line.p);
}

TEST(the_first_screen_holds_the_verdict_and_every_top_finding)
{
	struct report r;
	const char *screen;

	sample_sick(&r);
	screen = head(sample_print(&r, "text", &plain), 24);
	CHECK(!strncmp(screen, "ACTIONABLE: transcoded[4242] keeps both CPUs busy", 49));
	CHECK_HAS(screen, "CRIT cpu.saturated");
	CHECK_HAS(screen, "by     transcoded[4242] 92 % of it, indexd[4300]");
	CHECK_HAS(screen, "hurts  webwork[4711] 1.90 s/s, sshd[812] 0.30 s/s");
	CHECK_HAS(screen, "sched.runq_wait 3.20 s/s (≥ 0.20 s/s)");
	CHECK_HAS(screen, "next   pidstat -t -p 4242 1");
	CHECK_HAS(screen, "WARN disk.slow_device vdb");
	CHECK_HAS(screen, "INFO fs.filling_up");
	report_done(&r);
}

TEST(the_verdict_is_not_said_twice_on_one_screen)
{
	struct report r;
	const char *text;

	sample_sick(&r);
	text = sample_print(&r, "text", &plain);
	text = strstr(text, "keeps both CPUs busy") + 1;
	CHECK(!strstr(text, "keeps both CPUs busy"));
	report_done(&r);
}

TEST(a_healthy_report_says_what_clears_each_resource_first)
{
	struct report r;
	const char *screen;

	sample_healthy(&r);
	screen = head(sample_print(&r, "text", &plain), 10);
	CHECK_HAS(screen, "HEALTHY: No limiting factor");
	CHECK_HAS(screen, "cpu 0.02 s/s waiting for a CPU");
	CHECK_HAS(screen, "disk 0.00 s/s blocked on disks");
	report_done(&r);
}

TEST(text_is_never_wider_than_the_terminal)
{
	for (unsigned columns = 60; columns <= 250; columns += columns < 100 ? 1 : 10)
		for (int form = 0; form < 4; form++) {
			struct style s = { .columns = columns,
					   .verbose = form & 1,
					   .ascii = form & 2 };
			struct report r;

			sample_sick(&r);
			check_no_wider(sample_print(&r, "text", &s), columns);
			report_done(&r);
			sample_hostile(&r);
			check_no_wider(sample_print(&r, "text", &s), columns);
			report_done(&r);
		}
}

TEST(plain_text_has_no_control_byte_but_the_newline)
{
	for (int form = 0; form < 4; form++) {
		struct style s = { .columns = 80, .verbose = form & 1, .ascii = form & 2 };
		struct report r;

		sample_hostile(&r);
		for (const char *c = sample_print(&r, "text", &s); *c; c++) {
			CHECK((unsigned char)*c >= 0x20 || *c == '\n');
			CHECK(*c != 0x7f);
			CHECK(!s.ascii || (unsigned char)*c < 0x80);
		}
		report_done(&r);
	}
}

TEST(colour_changes_nothing_but_the_colour)
{
	struct style s = { .columns = 80, .color = true };
	struct buf bare = { 0 };
	struct report r;

	sample_sick(&r);
	for (const char *c = sample_print(&r, "text", &s); *c; c++) {
		if (*c != '\033') {
			buf_char(&bare, *c);
			continue;
		}
		CHECK(c[1] == '[');
		c += strcspn(c, "m");
	}
	CHECK_HAS(bare.data, " ACTIONABLE  transcoded[4242] keeps both");
	CHECK_HAS(bare.data, " CRIT  cpu.saturated");
	CHECK_HAS(bare.data, "4242   184.3      2.2     0.0  transcoded");
	check_no_wider(bare.data, 80);
	buf_done(&bare);
	report_done(&r);
}

TEST(verbose_shows_sources_cgroups_and_every_row)
{
	struct style s = { .columns = 100, .verbose = true };
	const char *text;
	struct report r;

	sample_sick(&r);
	text = sample_print(&r, "text", &s);
	CHECK_HAS(text, "from /proc/PID/task/TID/schedstat");
	CHECK_HAS(text, "webwork[4711] 1.90 s/s in /svc/web");
	CHECK_HAS(text, "indexd\n");
	CHECK_HAS(text, "\ncpu    cpu1 ");
	CHECK_HAS(text, "nothing in the window");
	CHECK_HAS(text, "eBPF: owners of futexes: lock.futex_contention");
	report_done(&r);
}

TEST(the_short_form_groups_what_it_leaves_out)
{
	const char *text;
	struct report r;

	sample_sick(&r);
	text = sample_print(&r, "text", &plain);
	CHECK_HAS(text, "cpu0 (+1)");
	CHECK_HAS(text, "eBPF: lock.futex_contention net.bufferbloat\n");
	CHECK_HAS(text, "dev/kmsg: Operation not permitted: kernel.hung_task kernel.soft_lockup\n");
	CHECK_HAS(text, "(+1 row with --verbose)");
	CHECK_HAS(text, "Nothing stands out (--verbose shows all): dmesg");
	report_done(&r);
}

TEST(an_unknown_cell_refers_to_its_reason)
{
	const char *text;
	struct report r;

	sample_sick(&r);
	text = sample_print(&r, "text", &plain);
	CHECK_HAS(text, "- [a]");
	CHECK_HAS(text, "  [a] schedstats are off · [b] no machine check counters here");
	report_done(&r);
}

TEST(a_sheet_wider_than_the_terminal_is_folded_and_repeats_its_first_column)
{
	struct style s = { .columns = 60, .verbose = true };
	const char *text, *second;
	struct report r;

	sample_sick(&r);
	text = strstr(sample_print(&r, "text", &s), "vmstat");
	CHECK(text);
	CHECK_HAS(head(text, 3), " r  b   swpd");
	second = strstr(text, "\n r ");
	second = strstr(second + 1, "\n r ");
	CHECK(second);
	CHECK_HAS(head(second + 1, 1), "wa");
	report_done(&r);
}

TEST(a_folded_sheet_names_its_rows_in_every_block)
{
	static const struct sheet_column columns[] = {
		{ "PID", "pid", 0, 7 },
		{ "aaaaaaaaaaaaaaaa", "a", 1, 6 },
		{ "bbbbbbbbbbbbbbbb", "b", 1, 6 },
		{ "cccccccccccccccc", "c", 1, 6 },
		{ "dddddddddddddddd", "d", 1, 6 },
		{ "Command", "command", -1, -16 },
	};
	struct style s = { .columns = 60, .verbose = true };
	struct sheet *sheet;
	const char *text;
	struct report r;
	size_t row;

	sample_healthy(&r);
	sheet = report_sheet(&r, "pidstat", "pidstat", columns, 6);
	row = sheet_row(sheet, true);
	for (unsigned c = 0; c < 5; c++)
		sheet_number(sheet, row, c, 7);
	sheet_text(&r, sheet, row, 5, "transcoded");
	text = sample_print(&r, "text", &s);
	CHECK_HAS(
		text,
		"\nPID Command    aaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbb\n  7 transcoded              7.0              7.0\n"
		"PID Command    cccccccccccccccc dddddddddddddddd\n  7 transcoded              7.0              7.0\n");
	report_done(&r);
}

TEST(a_long_last_text_flows_beside_the_other_columns)
{
	static const struct sheet_column columns[] = {
		{ "time", "time", 3, 10 },
		{ "level", "level", -1, -8 },
		{ "message", "message", -1, -40 },
	};
	struct style s = { .columns = 60, .verbose = true };
	struct sheet *sheet;
	struct report r;
	size_t row;

	sample_healthy(&r);
	sheet = report_sheet(&r, "dmesg", "dmesg", columns, 3);
	row = sheet_row(sheet, true);
	sheet_number(sheet, row, 0, 12.5);
	sheet_text(&r, sheet, row, 1, "err");
	sheet_text(&r, sheet, row, 2,
		   "Out of memory: Killed process 4242 (transcoded) total-vm:1kB, anon-rss:2kB");
	CHECK_HAS(sample_print(&r, "text", &s),
		  "\n      time  level     message\n"
		  "    12.500  err       Out of memory: Killed process\n"
		  "                      4242 (transcoded) total-vm:1kB,\n"
		  "                      anon-rss:2kB\n");
	report_done(&r);
}

TEST(a_log_that_repeats_itself_is_told_once_with_a_count)
{
	static const struct sheet_column columns[] = {
		{ "ago", "ago", -1, -8 },
		{ "level", "level", -1, -8 },
		{ "message", "message", -1, -40 },
	};
	struct style s = { .columns = 80, .verbose = true };
	struct sheet *sheet;
	const char *text;
	struct report r;

	sample_healthy(&r);
	sheet = report_sheet(&r, "dmesg", "dmesg", columns, 3);
	for (int i = 0; i < 6; i++) {
		size_t row = sheet_row(sheet, true);

		sheet_text(&r, sheet, row, 0, i < 3 ? "9.4 s" : "8.9 s");
		sheet_text(&r, sheet, row, 1, "warning");
		sheet_text(&r, sheet, row, 2, i < 5 ? "table full" : "link down");
	}
	text = sample_print(&r, "text", &s);
	CHECK_HAS(text,
		  "8.9 s     warning   table full (5 times)\n8.9 s     warning   link down\n");
	CHECK(!strstr(text, "9.4 s"));
	report_done(&r);
}

TEST(columns_that_are_zero_everywhere_are_named_when_they_are_left_out)
{
	struct style s = { .columns = 63 };
	const char *text;
	struct report r;

	sample_sick(&r);
	text = sample_print(&r, "text", &s);
	CHECK_HAS(text, "  all 0: si so\n");
	report_done(&r);
}

TEST(a_long_report_says_its_verdict_again_at_the_end_of_a_terminal)
{
	struct style terminal = { .columns = 80, .rows = 24 },
		     tall = { .columns = 80, .rows = 500 };
	const char *text;
	struct report r;

	sample_sick(&r);
	text = sample_print(&r, "text", &terminal);
	text = strstr(text, "What looking cost");
	CHECK_HAS(text, "\nACTIONABLE: transcoded[4242]");
	text = strstr(sample_print(&r, "text", &tall), "What looking cost");
	CHECK(!strstr(text, "ACTIONABLE"));
	text = strstr(sample_print(&r, "text", &plain), "What looking cost");
	CHECK(!strstr(text, "ACTIONABLE"));
	report_done(&r);
}

TEST(an_empty_report_prints_a_verdict_and_a_ledger)
{
	struct report r;
	const char *text;

	sample_healthy(&r);
	r.nuse = r.nsheets = r.findings.ncleared = r.findings.nunknown = 0;
	r.ledger = (struct ledger){ .cpu_seconds_self = 0 };
	text = sample_print(&r, "text", &plain);
	CHECK(count_lines(text) < 12);
	CHECK_HAS(text, "missed  nothing that sixty knows of");
	report_done(&r);
}

/* ---- progress ---- */

TEST(progress_is_two_lines_that_never_wrap_and_can_be_taken_back)
{
	static const char cpu_up[] = "\033[1A";
	struct style s = { .columns = 60 };
	struct buf b = { 0 };
	struct scene sc;
	unsigned drawn;

	scene_open(&sc, 2, 10);
	scene_grow(&sc, M_CPU_IDLE, scene_named(&sc, SCOPE_CPU, "cpu0"), 5);
	scene_grow(&sc, M_DISK_IO_MS,
		   scene_named(&sc, SCOPE_DISK,
			       "a-disk-with-a-very-long-name-indeed-that-does-not-fit"),
		   9);
	scene_grow(&sc, M_NETIF_RX_BYTES, scene_named(&sc, SCOPE_NETIF, "eth0"), 1e9);
	scene_build(&sc);
	drawn = progress_draw(&b, &sc.view, 4, 10, &s, 0);
	CHECK_UINT(drawn, 2);
	CHECK_HAS(b.data, "4 of 10 s");
	CHECK(!strstr(b.data, cpu_up));
	for (char *c = b.data; *c; c++)
		if (*c == '\033') {
			*c = '\n';
			c[1] = c[2] = ' ';
		}
	check_no_wider(b.data, 59);
	buf_clear(&b);
	progress_draw(&b, &sc.view, 5, 10, &s, drawn);
	CHECK(!strncmp(b.data, "\r\033[1A", 5));
	buf_clear(&b);
	progress_clear(&b, drawn);
	CHECK_STR(b.data, "\r\033[1A\033[J");
	buf_clear(&b);
	progress_clear(&b, 0);
	CHECK_UINT(b.len, 0);
	buf_done(&b);
	scene_close(&sc);
}

TEST(progress_has_nothing_to_show_before_the_first_second)
{
	struct style s = { .columns = 80 };
	struct view v = { .nseconds = 0 };
	struct buf b = { 0 };

	CHECK_UINT(progress_draw(&b, &v, 0, 10, &s, 0), 2);
	CHECK_HAS(b.data, "0 of 10 s");
	CHECK(!strstr(b.data, "cpu"));
	buf_done(&b);
}
