/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/pythons.h"

#include <stdio.h>
#include <string.h>

#include "symbols/python.h"
#include "tests/unit/unit.h"

#define END WIRE_PYTHON_END
#define CUT WIRE_PYTHON_CUT

static size_t from[8], to[8];

static void learn(struct pythons *p, uint32_t tgid, uint64_t code, const char *name)
{
	struct wire_program_key key = { .tgid = tgid };
	struct wire_python_code c = { .code = code, .line = 7 };

	c.name_bytes = (uint8_t)strlen(name);
	memcpy(c.name, name, c.name_bytes);
	pythons_learn(p, &key, &c);
}

TEST(versions_of_python_are_known_by_the_name_of_the_binary)
{
	CHECK_UINT(python_version("python3.11"), 11);
	CHECK_UINT(python_version("libpython3.8.so.1.0"), 8);
	CHECK_UINT(python_version("python3.12 (deleted)"), 12);
	CHECK_UINT(python_version("python3.7"), 0);
	CHECK_UINT(python_version("python3.99"), 0);
	CHECK_UINT(python_version("python3.13t"), 0);
	CHECK_UINT(python_version("python3."), 0);
	CHECK_UINT(python_version("python"), 0);
	CHECK_UINT(python_version("libpython3.11-stubs"), 0);
}

TEST(the_interpreter_is_known_by_its_function_in_all_its_parts)
{
	CHECK(python_runs("_PyEval_EvalFrameDefault"));
	CHECK(python_runs("_PyEval_EvalFrameDefault.cold"));
	CHECK(!python_runs("_PyEval_EvalFrameDefaultX"));
	CHECK(!python_runs(""));
}

TEST(texts_of_python_become_utf_8)
{
	char out[32];

	CHECK_STR(python_text(out, sizeof(out), "work", 4, 0), "work");
	CHECK_STR(python_text(out, sizeof(out),
			      "\xfc"
			      "b",
			      2, 1),
		  "üb");
	CHECK_STR(python_text(out, sizeof(out), "\xc7\x86", 2, 2), "蛇");
	CHECK_STR(python_text(out, sizeof(out), "\x0d\xf4\x01\x00", 4, 4), "🐍");
	CHECK_STR(python_text(out, sizeof(out), "\x00\xd8", 2, 2), "\xef\xbf\xbd");
	CHECK_STR(python_text(out, sizeof(out), "a\0b", 3, 0), "a\xef\xbf\xbd"
							       "b");
	CHECK_STR(python_text(out, 8, "abcdefghij", 10, 0), "abcd");
	CHECK_STR(python_text(out, sizeof(out), "x", 1, 4), "");
}

TEST(an_address_means_what_was_said_of_it_last)
{
	struct pythons p = { 0 };
	struct wire_program_key key = { .tgid = 1 };
	uint64_t entries[] = { 0x1000, 0x1000 | END, 0x3000, END };

	pythons_number(&p, &key, entries, 1);
	CHECK_UINT(entries[0], 0);
	entries[0] = 0x1000;
	learn(&p, 1, 0x1000, "one");
	learn(&p, 2, 0x1000, "other");
	pythons_number(&p, &key, entries, 1);
	CHECK_STR(p.list[entries[0]].name, "one");
	CHECK_UINT(p.list[entries[0]].line, 7);
	learn(&p, 1, 0x1000, "again");
	pythons_number(&p, &key, entries + 1, 3);
	CHECK_UINT(entries[1] & END, END);
	CHECK_STR(p.list[entries[1] & ~END].name, "again");
	CHECK_UINT(entries[2], 0);
	CHECK_UINT(entries[3], ~CUT); /* no function, and not one without a name */
	pythons_done(&p);
}

TEST(many_functions_are_kept_apart)
{
	struct pythons p = { 0 };
	struct wire_program_key key = { .tgid = 1 };
	char name[32];

	for (uint64_t i = 1; i <= 1000; i++) {
		snprintf(name, sizeof(name), "f%d", (int)i);
		learn(&p, 1, i * 64, name);
	}
	for (uint64_t i = 1; i <= 1000; i++) {
		uint64_t entry = i * 64;

		snprintf(name, sizeof(name), "f%d", (int)i);
		pythons_number(&p, &key, &entry, 1);
		CHECK_STR(p.list[entry].name, name);
	}
	pythons_done(&p);
}

TEST(each_call_of_the_interpreter_has_its_own_functions)
{
	const uint64_t entries[] = { 1, 2 | END, 3, 4, 5 | END };

	pythons_share(entries, 5, 2, true, from, to);
	CHECK_UINT(from[0], 0);
	CHECK_UINT(to[0], 2);
	CHECK_UINT(from[1], 2);
	CHECK_UINT(to[1], 5);
}

TEST(a_call_that_has_just_begun_has_none)
{
	const uint64_t entries[] = { 1, 2 | END, 3 | END };

	pythons_share(entries, 3, 3, true, from, to);
	CHECK_UINT(to[0], 0);
	CHECK_UINT(from[1], 0);
	CHECK_UINT(to[1], 2);
	CHECK_UINT(from[2], 2);
	CHECK_UINT(to[2], 3);
}

TEST(a_list_that_was_cut_is_laid_to_the_innermost_call)
{
	const uint64_t entries[] = { 1 | END, 2 | CUT };

	pythons_share(entries, 2, 3, true, from, to);
	CHECK_UINT(to[0], 1);
	CHECK_UINT(from[1], 1);
	CHECK_UINT(to[1], 2);
	CHECK_UINT(to[2], 0);
	pythons_share(entries, 1, 2, false, from, to);
	CHECK_UINT(to[0], 1);
	CHECK_UINT(to[1], 0);
}

TEST(what_is_too_much_belongs_to_the_innermost_call)
{
	const uint64_t entries[] = { 1 | END, 2 | END, 3 | END };

	pythons_share(entries, 3, 2, true, from, to);
	CHECK_UINT(from[0], 0);
	CHECK_UINT(to[0], 2);
	CHECK_UINT(from[1], 2);
	CHECK_UINT(to[1], 3);
	pythons_share(entries, 3, 0, true, from, to);
	pythons_share(entries, 0, 2, true, from, to);
	CHECK_UINT(to[0], 0);
	CHECK_UINT(to[1], 0);
}
