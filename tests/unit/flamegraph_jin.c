/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as slices: values, members, strings, and what is none. */
#include "flamegraph/jin.h"

#include <string.h>

#include "tests/unit/unit.h"

static const char *string(const char *json)
{
	static struct buf b;

	return jin_string(text_of(json), &b) ? b.data ? b.data : "" : "(refused)";
}

TEST(json_strings_become_bytes)
{
	CHECK_STR(string("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "a\"\\/\b\f\n\r\t");
	CHECK_STR(string("\"\\u00e9\\u20ac\\ud83d\\ude00\""), "é€😀");
	CHECK_STR(string("\"\\ud83d!\\ude00\""), "\xef\xbf\xbd!\xef\xbf\xbd");
	CHECK_STR(string("\"\\x\""), "(refused)");
	CHECK_STR(string("\"\\u12\""), "(refused)");
	CHECK_STR(string("\"\\u-123\""), "(refused)");
	CHECK_STR(string("\""), "(refused)");
	CHECK_STR(string("7"), "(refused)");
}

TEST(json_members_are_found_whatever_stands_before_them)
{
	struct text v, d;
	double n;

	CHECK(jin_document(text_of(" {\"a\":[1,{\"b\":\"]}\"}],\"c\":{\"b\":3},\"b\" : -2.5e1} \n"),
			   &d));
	CHECK(jin_member(d, "b", &v) && jin_number(v, &n));
	CHECK_NEAR(n, -25, 0);
	CHECK(jin_member(d, "c", &v) && jin_is_object(v));
	CHECK(!jin_member(d, "d", &v));
	CHECK(!jin_document(text_of("{} {}"), &d));
	CHECK(!jin_document(text_of("{\"a\":[}"), &d));
	CHECK(!jin_document(text_of(""), &d));
}

TEST(a_broken_array_is_told_from_its_end)
{
	static const char *const bad[] = { "[1,]", "[1 2]", "[,1]", "[1,,2]", "[\"a]" };
	struct text list, v;
	bool broken = false;
	size_t n = 0;

	list = jin_inside(text_of("[1, [2,3] ,\"x\"]"));
	while (jin_next(&list, NULL, &v, &broken))
		n++;
	CHECK_UINT(n, 3);
	CHECK(!broken);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		broken = false;
		list = jin_inside(text_of(bad[i]));
		while (jin_next(&list, NULL, &v, &broken))
			continue;
		CHECK(broken);
	}
}

TEST(json_numbers_have_limits)
{
	uint64_t u;
	double n;

	CHECK(jin_u64(text_of("18446744073709551615"), &u));
	CHECK_UINT(u, UINT64_MAX);
	CHECK(jin_u64(text_of("1e3"), &u));
	CHECK_UINT(u, 1000);
	CHECK(!jin_u64(text_of("-1"), &u));
	CHECK(!jin_u64(text_of("1e30"), &u));
	CHECK(!jin_number(text_of("1e999"), &n));
	CHECK(!jin_number(text_of("inf"), &n));
	CHECK(!jin_number(text_of("1x"), &n));
	CHECK(!jin_number(text_of(""), &n));
}
