/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "tests/unit/unit.h"

static struct buf out;
static struct json j;

static const char *number(double v)
{
	buf_clear(&out);
	json_begin(&j, &out);
	json_number(&j, NULL, v);
	return out.data;
}

static const char *string(const char *s, size_t n)
{
	buf_clear(&out);
	json_begin(&j, &out);
	json_string_n(&j, NULL, s, n);
	return out.data;
}

TEST(json_puts_commas_between_members_and_nowhere_else)
{
	json_begin(&j, &out);
	json_object(&j, NULL);
	json_string(&j, "host", "db1");
	json_array(&j, "disks");
	json_object(&j, NULL);
	json_end_object(&j);
	json_array(&j, NULL);
	json_end_array(&j);
	json_u64(&j, NULL, UINT64_MAX);
	json_s64(&j, NULL, INT64_MIN);
	json_end_array(&j);
	json_bool(&j, "a", true);
	json_bool(&j, "b", false);
	json_null(&j, "c");
	json_string(&j, "d", NULL);
	json_object(&j, "e");
	json_number(&j, "f", 0.5);
	json_end_object(&j);
	json_end_object(&j);
	CHECK_STR(out.data, "{\"host\":\"db1\",\"disks\":[{},[],18446744073709551615,"
			    "-9223372036854775808],\"a\":true,\"b\":false,\"c\":null,\"d\":null,"
			    "\"e\":{\"f\":0.5}}");
}

TEST(json_strings_that_look_like_json_do_not_disturb_the_commas)
{
	json_begin(&j, &out);
	json_array(&j, NULL);
	json_string(&j, NULL, "{");
	json_string(&j, NULL, "[");
	json_string(&j, NULL, "");
	json_end_array(&j);
	CHECK_STR(out.data, "[\"{\",\"[\",\"\"]");
}

TEST(a_second_json_document_starts_without_a_comma)
{
	for (int i = 0; i < 2; i++) {
		json_begin(&j, &out);
		json_object(&j, NULL);
		json_end_object(&j);
		buf_char(&out, '\n');
	}
	CHECK_STR(out.data, "{}\n{}\n");
}

TEST(json_nests_without_a_limit)
{
	json_begin(&j, &out);
	for (int i = 0; i < 1000; i++) {
		json_array(&j, NULL);
		json_u64(&j, NULL, 1);
	}
	for (int i = 0; i < 1000; i++)
		json_end_array(&j);
	CHECK_UINT(out.len, 1000 + 1000 + 999 + 1000);
	CHECK(!strncmp(out.data, "[1,[1,[1", 8));
	CHECK_STR(out.data + out.len - 3, "]]]");
}

TEST(json_escapes_what_json_must_not_hold)
{
	CHECK_STR(string("a\"b\\c/", 6), "\"a\\\"b\\\\c/\"");
	CHECK_STR(string("\n\t\033\0\x7f", 5), "\"\\u000a\\u0009\\u001b\\u0000\\u007f\"");
	CHECK_STR(string("\xc2\x9b", 2), "\"\\u009b\"");
	CHECK_STR(string("\xc3\xa9\xf0\x9f\x94\xa5", 6), "\"\xc3\xa9\xf0\x9f\x94\xa5\"");
	CHECK_STR(string(NULL, 0), "\"\"");
}

TEST(json_is_valid_utf8_whatever_goes_in)
{
	CHECK_STR(string("\xff"
			 "a\xc3",
			 3),
		  "\"\xef\xbf\xbd"
		  "a\xef\xbf\xbd\"");
	CHECK_STR(string("\xed\xa0\x80", 3), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	CHECK_STR(string("\xe6\xbc\xa2", 2), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(json_keys_are_escaped_like_values)
{
	json_begin(&j, &out);
	json_object(&j, NULL);
	json_null(&j, "a\"\n");
	json_end_object(&j);
	CHECK_STR(out.data, "{\"a\\\"\\u000a\":null}");
}

TEST(json_has_no_nan_and_no_infinity)
{
	CHECK_STR(number(NAN), "null");
	CHECK_STR(number(INFINITY), "null");
	CHECK_STR(number(-INFINITY), "null");
}

TEST(json_numbers_are_short_and_read_back)
{
	CHECK_STR(number(0), "0");
	CHECK_STR(number(0.1), "0.1");
	CHECK_STR(number(-2.5), "-2.5");
	CHECK_STR(number(1.0 / 3), "0.333333333");
	CHECK_STR(number(1e-7), "1e-07");
	CHECK_STR(number(1e300), "1e+300");
	CHECK_STR(number(123456.75), "123456.75");
}

TEST(json_keeps_whole_numbers_whole)
{
	CHECK_STR(number(17179869184.0), "17179869184");
	CHECK_STR(number(9007199254740992.0), "9007199254740992");
	CHECK_STR(number(-9007199254740991.0), "-9007199254740991");
	CHECK_STR(number(1e17), "1e+17");
}

/* A locale made for this test: few machines have one with a decimal comma installed. */
static bool use_decimal_comma(void)
{
	char command[256];

	unit_file("comma.src", "LC_NUMERIC\ndecimal_point \",\"\nthousands_sep \"\"\n"
			       "grouping -1\nEND LC_NUMERIC\n");
	snprintf(command, sizeof(command),
		 "cd %s && localedef --no-archive -c -i ./comma.src ./comma >localedef.log 2>&1",
		 unit_tmpdir());
	/* Complains about the categories that the source leaves out, and exits with 1. */
	if (system(command) < 0)
		return false;
	setenv("LOCPATH", unit_tmpdir(), 1);
	return setlocale(LC_NUMERIC, "comma") != NULL;
}

TEST(json_has_a_point_in_every_locale)
{
	char comma[8];

	if (!use_decimal_comma())
		SKIP("localedef cannot make a locale with a decimal comma here");
	snprintf(comma, sizeof(comma), "%.1f", 0.5);
	CHECK_STR(comma, "0,5");
	CHECK_STR(number(0.5), "0.5");
	CHECK_STR(number(1e-7), "1e-07");
	CHECK_STR(number(1.5e-7), "1.5e-07");
}
