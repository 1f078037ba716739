/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "tests/unit/unit.h"

static const char *str(struct text t)
{
	static char out[4][256];
	static unsigned turn;

	return text_copy(out[turn++ % 4], 256, t);
}

/* Slices */

TEST(lines_end_at_newlines_and_at_the_end)
{
	struct text t = text_of("one\n\nthree\nfour"), l;

	CHECK(text_line(&t, &l));
	CHECK_STR(str(l), "one");
	CHECK(text_line(&t, &l));
	CHECK_STR(str(l), "");
	CHECK(text_line(&t, &l));
	CHECK_STR(str(l), "three");
	CHECK(text_line(&t, &l));
	CHECK_STR(str(l), "four");
	CHECK(!text_line(&t, &l));
	CHECK_UINT(text_len(t), 0);
}

TEST(a_last_newline_makes_no_line_of_its_own)
{
	struct text t = text_of("one\n"), l;

	CHECK(text_line(&t, &l));
	CHECK(!text_line(&t, &l));
}

TEST(every_function_accepts_an_empty_text)
{
	struct text empty[] = { text_of(""), text_of(NULL), text_n(NULL, 5), text_n("x", 0) }, out;
	uint64_t v, mask[1] = { 0 };
	char copy[4];
	int64_t s;

	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		struct text t = empty[i];

		CHECK_UINT(text_len(t), 0);
		CHECK(!text_line(&t, &out));
		CHECK(!text_word(&t, &out));
		CHECK(!text_until(&t, ',', &out));
		text_skip_blanks(&t);
		CHECK(text_skip(&t, ""));
		CHECK(!text_skip(&t, "a"));
		CHECK_UINT(text_len(text_trim(t)), 0);
		CHECK(text_eq(t, ""));
		CHECK(!text_eq(t, "a"));
		CHECK(text_starts(t, ""));
		CHECK(text_has(t, ""));
		CHECK(!text_has(t, "a"));
		CHECK(!text_last(t, 'a'));
		CHECK(!text_u64(&t, &v));
		CHECK(!text_s64(&t, &s));
		CHECK(!text_hex(&t, &v));
		CHECK(!text_fixed(&t, 2, &v));
		CHECK(!text_is_u64(t, &v));
		CHECK_STR(text_copy(copy, sizeof(copy), t), "");
		CHECK_UINT(text_width(t.p, text_len(t)), 0);
		CHECK(text_cpulist(t, mask, 1));
		CHECK_UINT(mask[0], 0);
	}
}

TEST(words_are_separated_by_any_number_of_blanks)
{
	struct text t = text_of("  cpu0\t 12  \n next "), w;

	CHECK(text_word(&t, &w));
	CHECK_STR(str(w), "cpu0");
	CHECK(text_word(&t, &w));
	CHECK_STR(str(w), "12");
	CHECK(text_word(&t, &w));
	CHECK_STR(str(w), "next");
	CHECK(!text_word(&t, &w));
	t = text_of(" \t\n ");
	CHECK(!text_word(&t, &w));
}

TEST(parts_may_be_empty_but_not_behind_the_last_separator)
{
	struct text t = text_of("a,,b,"), p;

	CHECK(text_until(&t, ',', &p));
	CHECK_STR(str(p), "a");
	CHECK(text_until(&t, ',', &p));
	CHECK_STR(str(p), "");
	CHECK(text_until(&t, ',', &p));
	CHECK_STR(str(p), "b");
	CHECK(!text_until(&t, ',', &p));
}

TEST(nul_is_a_separator_like_any_other)
{
	struct text t = text_n("ls\0-l\0", 6), p;

	CHECK(text_until(&t, '\0', &p));
	CHECK_STR(str(p), "ls");
	CHECK(text_until(&t, '\0', &p));
	CHECK_STR(str(p), "-l");
	CHECK(!text_until(&t, '\0', &p));
}

TEST(nothing_behind_the_end_is_read)
{
	struct text t = text_n("12345 abc", 2), w;
	uint64_t v;

	CHECK(text_u64(&t, &v));
	CHECK_UINT(v, 12);
	t = text_n("aXbX", 1);
	CHECK(!text_has(t, "X"));
	CHECK(!text_last(t, 'X'));
	CHECK(!text_starts(t, "aX"));
	CHECK(text_word(&t, &w));
	CHECK_STR(str(w), "a");
	t = text_n("0x12", 2);
	CHECK(!text_hex(&t, &v));
	t = text_n("1.5", 2);
	CHECK(text_fixed(&t, 1, &v));
	CHECK_UINT(v, 10);
}

TEST(a_prefix_is_skipped_only_if_it_is_there)
{
	struct text t = text_of("pid: 5");

	CHECK(!text_skip(&t, "ppid"));
	CHECK(!text_skip(&t, "pid: 5 and more"));
	CHECK(text_skip(&t, "pid:"));
	text_skip_blanks(&t);
	CHECK(text_eq(t, "5"));
	CHECK(!text_eq(t, "55"));
	CHECK(!text_eq(t, ""));
}

TEST(trimming_removes_blanks_and_newlines_at_both_ends)
{
	CHECK_STR(str(text_trim(text_of(" \t a b \r\n"))), "a b");
	CHECK_STR(str(text_trim(text_of("\n\n"))), "");
}

TEST(a_comm_with_parentheses_ends_at_the_last_one)
{
	/* A process may call itself anything: prctl(PR_SET_NAME, ") 1 ("). */
	struct text t = text_of("42 () 1 () S 7 42"), w;
	const char *close = text_last(t, ')');
	uint64_t ppid;

	CHECK(close);
	CHECK_STR(str((struct text){ t.p + 4, close }), ") 1 (");
	t.p = close + 1;
	CHECK(text_word(&t, &w));
	CHECK(text_eq(w, "S"));
	CHECK(text_u64(&t, &ppid));
	CHECK_UINT(ppid, 7);
}

TEST(copies_are_cut_to_fit)
{
	char out[4] = "zzz";

	CHECK_STR(text_copy(out, sizeof(out), text_of("abcdef")), "abc");
	CHECK_STR(text_copy(out, 1, text_of("abcdef")), "");
	out[0] = 'q';
	text_copy(out, 0, text_of("abcdef"));
	CHECK_INT(out[0], 'q');
}

/* Numbers */

TEST(an_unsigned_number_stops_at_the_first_other_byte)
{
	struct text t = text_of("  18446744073709551615kB");
	uint64_t v = 0;

	CHECK(text_u64(&t, &v));
	CHECK_UINT(v, UINT64_MAX);
	CHECK(text_eq(t, "kB"));
}

TEST(a_number_that_does_not_fit_is_refused_and_the_cursor_stays)
{
	const char *bad[] = {
		"18446744073709551616", "99999999999999999999999999", "-1", "+1", "x1", " ", "\n1"
	};
	uint64_t v = 77;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct text t = text_of(bad[i]);

		CHECK(!text_u64(&t, &v));
		CHECK_STR(str(t), bad[i]);
		CHECK_UINT(v, 77);
	}
}

TEST(a_signed_number_reaches_both_ends)
{
	struct text t = text_of("-9223372036854775808 9223372036854775807 -0");
	int64_t v;

	CHECK(text_s64(&t, &v));
	CHECK_INT(v, INT64_MIN);
	CHECK(text_s64(&t, &v));
	CHECK_INT(v, INT64_MAX);
	CHECK(text_s64(&t, &v));
	CHECK_INT(v, 0);
	t = text_of("-9223372036854775809");
	CHECK(!text_s64(&t, &v));
	t = text_of("9223372036854775808");
	CHECK(!text_s64(&t, &v));
	t = text_of("- 5");
	CHECK(!text_s64(&t, &v));
	t = text_of("--5");
	CHECK(!text_s64(&t, &v));
}

TEST(hexadecimal_comes_with_and_without_its_prefix)
{
	struct text t = text_of("0xfFfFffffffffffff 00000000000000000001 7fff-8000 0X10");
	uint64_t v;

	CHECK(text_hex(&t, &v));
	CHECK_UINT(v, UINT64_MAX);
	CHECK(text_hex(&t, &v));
	CHECK_UINT(v, 1);
	CHECK(text_hex(&t, &v));
	CHECK_UINT(v, 0x7fff);
	CHECK(text_skip(&t, "-"));
	CHECK(text_hex(&t, &v));
	CHECK_UINT(v, 0x8000);
	CHECK(text_hex(&t, &v));
	CHECK_UINT(v, 0x10);
	t = text_of("10000000000000000");
	CHECK(!text_hex(&t, &v));
	t = text_of("0xg");
	CHECK(!text_hex(&t, &v));
}

TEST(decimals_become_scaled_integers)
{
	static const struct {
		const char *in;
		unsigned digits;
		uint64_t v;
		const char *rest;
	} rows[] = {
		{ "12.34", 2, 1234, "" }, { "12", 2, 1200, "" },
		{ "12.3", 2, 1230, "" },  { "12.349", 2, 1234, "" },
		{ "0.05", 2, 5, "" },     { "12.34", 0, 12, "" },
		{ "1.", 1, 10, "." },     { "1.x", 1, 10, ".x" },
		{ "7.5.2", 1, 75, ".2" }, { " 3.25 next", 2, 325, " next" },
	};
	uint64_t v;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text t = text_of(rows[i].in);

		CHECK(text_fixed(&t, rows[i].digits, &v));
		CHECK_UINT(v, rows[i].v);
		CHECK_STR(str(t), rows[i].rest);
	}
}

TEST(decimals_that_do_not_fit_are_refused)
{
	const char *bad[] = { "18446744073709551615", "184467440737095516.16", ".5", "-1.0", "x" };
	struct text t;
	uint64_t v = 77;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		t = text_of(bad[i]);
		CHECK(!text_fixed(&t, 2, &v));
		CHECK_UINT(v, 77);
	}
	t = text_of("184467440737095516.159");
	CHECK(text_fixed(&t, 2, &v));
	CHECK_UINT(v, UINT64_MAX);
	t = text_of("1");
	CHECK(!text_fixed(&t, 20, &v));
}

TEST(a_whole_number_has_nothing_else_around_it)
{
	uint64_t v = 0;

	CHECK(text_is_u64(text_of(" 42\n"), &v));
	CHECK_UINT(v, 42);
	CHECK(!text_is_u64(text_of("42 43"), &v));
	CHECK(!text_is_u64(text_of("42x"), &v));
	CHECK(!text_is_u64(text_of("max"), &v));
	CHECK_UINT(v, 42);
}

TEST(cpu_lists_hold_ranges_and_single_cpus)
{
	uint64_t mask[5] = { 0 };

	CHECK(text_cpulist(text_of("0-3,8,63-64, 299\n"), mask, 5));
	CHECK_UINT(mask[0], 0xf | 1u << 8 | 1ull << 63);
	CHECK_UINT(mask[1], 1);
	CHECK_UINT(mask[4], 1ull << (299 - 256));
	CHECK(text_cpulist(text_of("\n"), mask, 5)); /* "offline" of a machine with none */
}

TEST(a_cpu_list_that_makes_no_sense_is_refused)
{
	const char *bad[] = { "3-1",
			      "a",
			      "1-",
			      "-1",
			      "1,,2",
			      "0-64",
			      "64",
			      "1 2",
			      "0-7:2",
			      "0-18446744073709551615",
			      "18446744073709551615" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t mask[1] = { 0 };

		if (text_cpulist(text_of(bad[i]), mask, 1))
			unit_fail(__FILE__, __LINE__, "\"%s\" was accepted", bad[i]);
	}
}

/* Names from outside */

static const char *printable(const char *s, size_t n)
{
	static struct buf b;

	buf_clear(&b);
	text_printable(&b, s, n);
	return b.data;
}

static const char *safe(const char *s)
{
	return printable(s, strlen(s));
}

TEST(what_is_printable_stays_as_it_is)
{
	CHECK_STR(safe("nginx: worker \\ process"), "nginx: worker \\ process");
	CHECK_STR(safe("caf\xc3\xa9 \xe6\xbc\xa2\xe5\xad\x97 \xf0\x9f\x94\xa5"),
		  "caf\xc3\xa9 \xe6\xbc\xa2\xe5\xad\x97 \xf0\x9f\x94\xa5");
	CHECK_STR(safe("\xd9\x86\xe2\x80\x8c\xd9\x87"), "\xd9\x86\xe2\x80\x8c\xd9\x87");
	CHECK_STR(safe(""), "");
}

TEST(control_bytes_cannot_reach_a_terminal)
{
	CHECK_STR(safe("a\033[2Jb\r\n\t\x7f"), "a\\x1b[2Jb\\x0d\\x0a\\x09\\x7f");
	CHECK_STR(printable("a\0b", 3), "a\\x00b");
	CHECK_STR(safe("\xc2\x9b"
		       "31m"),
		  "\\xc2\\x9b31m"); /* U+009B is CSI */
}

TEST(text_cannot_be_reordered_or_hidden)
{
	CHECK_STR(safe("a\xe2\x80\xae"
		       "b"),
		  "a\\xe2\\x80\\xaeb");                              /* U+202E override */
	CHECK_STR(safe("\xe2\x81\xa6"), "\\xe2\\x81\\xa6");          /* U+2066 isolate */
	CHECK_STR(safe("\xe2\x81\xa9"), "\\xe2\\x81\\xa9");          /* U+2069 */
	CHECK_STR(safe("\xe2\x80\xaa"), "\\xe2\\x80\\xaa");          /* U+202A */
	CHECK_STR(safe("\xe2\x80\xa8"), "\\xe2\\x80\\xa8");          /* U+2028 line */
	CHECK_STR(safe("\xe2\x80\xa9"), "\\xe2\\x80\\xa9");          /* U+2029 paragraph */
	CHECK_STR(safe("\xe2\x80\x8b"), "\\xe2\\x80\\x8b");          /* U+200B no width */
	CHECK_STR(safe("\xef\xbb\xbf"), "\\xef\\xbb\\xbf");          /* U+FEFF */
	CHECK_STR(safe("\xf3\xa0\x81\x81"), "\\xf3\\xa0\\x81\\x81"); /* U+E0041 tag */
	CHECK_STR(safe("\xef\xbf\xbf"), "\\xef\\xbf\\xbf");          /* U+FFFF */
}

TEST(broken_utf8_is_shown_byte_by_byte)
{
	CHECK_STR(safe("\xff"
		       "a"),
		  "\\xffa");
	CHECK_STR(safe("\xc3"), "\\xc3"); /* cut short */
	CHECK_STR(safe("\xe6\xbc"), "\\xe6\\xbc");
	CHECK_STR(safe("\xc3"
		       "a"),
		  "\\xc3a");
	CHECK_STR(safe("\x80"), "\\x80");          /* no lead byte */
	CHECK_STR(safe("\xc0\xaf"), "\\xc0\\xaf"); /* overlong '/' */
	CHECK_STR(safe("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");
	CHECK_STR(safe("\xf0\x80\x80\xaf"), "\\xf0\\x80\\x80\\xaf");
	CHECK_STR(safe("\xed\xa0\x80"), "\\xed\\xa0\\x80");          /* surrogate */
	CHECK_STR(safe("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"); /* above U+10FFFF */
	CHECK_STR(safe("\xf5\x80\x80\x80"), "\\xf5\\x80\\x80\\x80");
}

TEST(safe_text_that_does_not_fit_is_cut_between_characters)
{
	char out[8];

	CHECK_STR(text_printable_into(out, sizeof(out), "ab\033cd", 5), "ab\\x1bc");
	CHECK_STR(text_printable_into(out, 6, "ab\033cd", 5), "ab");
	CHECK_STR(text_printable_into(out, 4, "ab\xc3\xa9", 4), "ab");
	CHECK_STR(text_printable_into(out, 5, "ab\xc3\xa9", 4), "ab\xc3\xa9");
	CHECK_STR(text_printable_into(out, 1, "abc", 3), "");
	out[0] = 'q';
	text_printable_into(out, 0, "abc", 3);
	CHECK_INT(out[0], 'q');
}

static size_t width(const char *s)
{
	return text_width(s, strlen(s));
}

TEST(width_counts_terminal_columns)
{
	CHECK_UINT(width("sixty"), 5);
	CHECK_UINT(width("caf\xc3\xa9"), 4);
	CHECK_UINT(width("\xe6\xbc\xa2\xe5\xad\x97"), 4); /* two wide characters */
	CHECK_UINT(width("e\xcc\x81"), 1);                /* combining acute */
	CHECK_UINT(width("\xea\xb0\x80"), 2);             /* Hangul syllable */
	CHECK_UINT(width("\xe1\x84\x80\xe1\x85\xa1"), 2); /* Hangul from two letters */
	CHECK_UINT(width("\xf0\x9f\x94\xa5"), 2);         /* fire */
	CHECK_UINT(width("\xf0\xa0\x80\x80"), 2);         /* U+20000 */
	CHECK_UINT(width("\xef\xbc\xa1"), 2);             /* fullwidth A */
	CHECK_UINT(width("\xef\xbd\xb1"), 1);             /* halfwidth katakana */
	CHECK_UINT(width("\xe2\x96\x88\xe2\x94\x82"), 2); /* block and line drawing */
	CHECK_UINT(width("\xff"), 1);
	CHECK_UINT(width("a\tb"), 2);
}
