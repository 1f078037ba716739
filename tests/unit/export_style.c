/* SPDX-License-Identifier: Apache-2.0 */
#include "export/style.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tests/unit/unit.h"

static const struct style plain = { .columns = 80 }, ascii = { .columns = 80, .ascii = true },
			  narrow = { .columns = 40 }, color = { .columns = 80, .color = true };

static const char *bar(const struct style *s, double ratio, unsigned width)
{
	static struct buf b;

	buf_clear(&b);
	style_bar(&b, s, ratio, width);
	return b.data;
}

TEST(bars_are_as_wide_as_asked_in_every_form)
{
	for (int i = -10; i <= 120; i++) {
		const char *utf8 = bar(&plain, i / 100.0, 7);

		CHECK_UINT(text_width(utf8, strlen(utf8)), 7);
		CHECK_UINT(strlen(bar(&ascii, i / 100.0, 7)), 7);
	}
}

TEST(a_bar_shows_eighths_and_something_for_anything_above_zero)
{
	CHECK_STR(bar(&plain, 0.5, 4), "██  ");
	CHECK_STR(bar(&plain, 0.625, 4), "██▌ ");
	CHECK_STR(bar(&plain, 1, 4), "████");
	CHECK_STR(bar(&plain, 7, 4), "████");
	CHECK_STR(bar(&plain, 0.0001, 4), "▏   ");
	CHECK_STR(bar(&plain, 0, 4), "    ");
	CHECK_STR(bar(&plain, NAN, 4), "    ");
	CHECK_STR(bar(&ascii, 0.5, 4), "##..");
	CHECK_STR(bar(&ascii, 0.0001, 4), "#...");
	CHECK_STR(bar(&ascii, NAN, 4), "    ");
}

static const char *number(double v)
{
	static char out[32];

	return style_number(out, sizeof(out), v);
}

TEST(numbers_have_three_digits_and_nothing_is_not_zero)
{
	CHECK_STR(number(NAN), "-");
	CHECK_STR(number(0), "0");
	CHECK_STR(number(0.001), "<0.01");
	CHECK_STR(number(3.2), "3.20");
	CHECK_STR(number(3), "3");
	CHECK_STR(number(9.996), "10.0");
	CHECK_STR(number(41.26), "41.3");
	CHECK_STR(number(412.6), "413");
	CHECK_STR(number(9999), "9999");
	CHECK_STR(number(12345), "12.3 k");
	CHECK_STR(number(INFINITY), "no limit");
}

static const char *quantity(double v, const char *unit)
{
	static char out[48];

	return style_quantity(out, sizeof(out), v, unit);
}

TEST(quantities_read_like_their_unit)
{
	CHECK_STR(quantity(0.991, "ratio"), "99 %");
	CHECK_STR(quantity(3.2, "s/s"), "3.20 s/s");
	CHECK_STR(quantity(0.048, "s"), "48.0 ms");
	CHECK_STR(quantity(48, "ms"), "48.0 ms");
	CHECK_STR(quantity(1536, "bytes/s"), "1.5 KiB/s");
	CHECK_STR(quantity(7, "count"), "7");
	CHECK_STR(quantity(7, "count/s"), "7/s");
	CHECK_STR(quantity(7, "/s"), "7/s");
	CHECK_STR(quantity(2.5, "requests"), "2.50 requests");
	CHECK_STR(quantity(0.5, "share of the window"), "50 % of the window");
	CHECK_STR(quantity(NAN, "ratio"), "-");
	CHECK_STR(quantity(INFINITY, "bytes"), "no limit");
}

static const char *cell(const struct style *s, const char *text, int width)
{
	static struct buf b;

	buf_clear(&b);
	style_cell(&b, s, text, width);
	return b.data;
}

TEST(cells_are_cut_and_filled_by_columns_and_not_by_bytes)
{
	CHECK_STR(cell(&plain, "ab", 4), "  ab");
	CHECK_STR(cell(&plain, "ab", -4), "ab  ");
	CHECK_STR(cell(&plain, "abcdef", -4), "abc…");
	CHECK_STR(cell(&ascii, "abcdef", -4), "abc~");
	CHECK_STR(cell(&plain, "grün", -5), "grün ");
	CHECK_STR(cell(&plain, "日本語", -6), "日本語");
	CHECK_STR(cell(&plain, "日本語", -5), "日本…");
	CHECK_STR(cell(&plain, "日本語", -4), "日… ");
	CHECK_STR(cell(&plain, "abc", 1), "…");
}

static const char *escaped(const struct style *s, const char *raw)
{
	static struct buf b;

	buf_clear(&b);
	style_escape(&b, s, raw, strlen(raw));
	return b.len ? b.data : "";
}

TEST(names_from_outside_cannot_move_the_cursor)
{
	CHECK_STR(escaped(&plain, "a\033[2Jb\r\n"), "a\\x1b[2Jb\\x0d\\x0a");
	CHECK_STR(escaped(&plain, "\xff"), "\\xff");
	CHECK_STR(escaped(&plain, "\xe2\x80\xae"), "\\xe2\\x80\\xae");
	CHECK_STR(escaped(&plain, "grün"), "grün");
	CHECK_STR(escaped(&ascii, "gr\xc3\xbcn"), "gr\\xc3\\xbcn");
}

TEST(signs_of_our_own_have_an_ascii_spelling)
{
	CHECK_STR(escaped(&ascii, "≥ 5 µs → 3 – 4 … ×2"), ">= 5 us -> 3 - 4 ... x2");
}

static const char *words(const struct style *s, unsigned col, unsigned left, const char *text)
{
	static struct buf b;
	struct para p;

	buf_clear(&b);
	buf_fill(&b, ' ', col);
	para_begin(&p, &b, s, col, left);
	para_words(&p, INK_PLAIN, text);
	para_end(&p);
	return b.data;
}

/* No line is wider than the terminal. */
static void check_width(const char *text, unsigned columns)
{
	struct text rest = text_of(text), line;

	while (text_line(&rest, &line))
		CHECK(text_width(line.p, text_len(line)) <= columns);
}

TEST(words_flow_below_their_first_line)
{
	CHECK_STR(words(&narrow, 0, 4, "one two three four five six seven eight nine ten"),
		  "one two three four five six seven eight\n    nine ten\n");
	CHECK_STR(words(&narrow, 0, 0, "  blanks \n and\tlines   are one blank "),
		  "blanks and lines are one blank\n");
	CHECK_STR(words(&narrow, 0, 0, ""), "\n");
}

TEST(a_number_stays_with_its_unit)
{
	CHECK_STR(words(&narrow, 0, 2, "the disk needs so very long that it is 48 ms"),
		  "the disk needs so very long that it is\n  48 ms\n");
}

TEST(a_word_longer_than_the_line_is_broken_at_the_edge)
{
	char longest[200], wide[1 + 3 * 60] = "";

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	check_width(words(&narrow, 0, 4, longest), 40);
	CHECK(strlen(words(&narrow, 0, 4, longest)) > 200);
	for (int i = 0; i < 60; i++)
		strcat(wide, "語");
	check_width(words(&narrow, 0, 3, wide), 40);
}

TEST(no_text_is_wider_than_its_terminal)
{
	for (unsigned columns = 40; columns < 130; columns++) {
		struct style s = { .columns = columns };

		check_width(
			words(&s, 2, 9,
			      "a bb ccc 4444 55 s eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee ff g hhhh 日本語日本語日本語 i jj"),
			columns);
	}
}

static const char *command(const struct style *s, const char *text)
{
	static struct buf b;
	struct para p;

	buf_clear(&b);
	buf_fill(&b, ' ', 9);
	para_begin(&p, &b, s, 9, 11);
	para_command(&p, text);
	para_end(&p);
	return b.data;
}

TEST(a_command_that_does_not_fit_is_continued_as_a_shell_reads_it)
{
	CHECK_STR(command(&narrow, "pidstat -t -p 4242 1"), "         pidstat -t -p 4242 1\n");
	CHECK_STR(command(&narrow, "perf record -F 99 -g -p 4242 -- sleep 10"),
		  "         perf record -F 99 -g -p 4242 \\\n           -- sleep 10\n");
	/* blanks in quotes are not places to break */
	CHECK_STR(
		command(&narrow, "bpftrace -e 'kprobe:a { @[comm] = count(); }' now"),
		"         bpftrace -e \\\n           'kprobe:a { @[comm] = count(); }' \\\n           now\n");
}

/* A backslash does not continue a comment: the second line of one would be run. */
TEST(a_comment_behind_a_command_goes_below_it_and_stays_a_comment)
{
	CHECK_STR(command(&narrow, "cat cpu.stat # twice"), "         cat cpu.stat # twice\n");
	CHECK_STR(
		command(&narrow,
			"cat /sys/fs/cgroup/cpu.stat   # again after a second: nr_throttled"),
		"         cat /sys/fs/cgroup/cpu.stat\n           # again after a second:\n           # nr_throttled\n");
	CHECK_STR(command(&narrow, "echo a#b '# c' $#"), "         echo a#b '# c' $#\n");
}

TEST(colour_is_only_there_when_asked_for_and_is_always_ended)
{
	struct buf b = { 0 };

	style_put(&b, &plain, INK_CRIT, "x");
	CHECK_STR(b.data, "x");
	buf_clear(&b);
	style_put(&b, &color, INK_CRIT, "x");
	CHECK_STR(b.data, "\033[1;37;41mx\033[0m");
	buf_done(&b);
}
