/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/settings.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct settings s;
static struct err e;

static int parse(const char *text)
{
	return settings_parse(&s, text_of(text), &e);
}

TEST(settings_are_read_back_as_they_were_written)
{
	struct buf b = { 0 }, again = { 0 };

	CHECK_INT(
		parse("interval = 2.5\ntheme = safe\ncolumns = pid cpu proc.fds command\nsort = cpu\ntree = yes\n"),
		0);
	CHECK_NEAR(s.seconds, 2.5, 1e-9);
	CHECK_STR(s.theme, "safe");
	CHECK(s.tree && !s.threads);
	settings_format(&s, &b);
	settings_done(&s);
	CHECK_INT(parse(b.data), 0);
	settings_format(&s, &again);
	CHECK_STR(again.data, b.data);
	settings_done(&s);
	buf_done(&b);
	buf_done(&again);
}

TEST(settings_keep_lines_that_they_do_not_know)
{
	struct buf b = { 0 };

	CHECK_INT(parse("# mine\ninterval = 3\nflame.depth = 40\n"), 0);
	settings_format(&s, &b);
	CHECK_HAS(b.data, "# mine\n");
	CHECK_HAS(b.data, "flame.depth = 40\n");
	settings_done(&s);
	buf_done(&b);
}

TEST(settings_that_are_broken_give_a_sentence_and_the_defaults)
{
	static const char *const broken[] = { "interval = soon\n", "interval = 0.05\n",
					      "interval = 61\n",   "theme = pink\n",
					      "tree = maybe\n",    "what is this\n",
					      "interval = 2 s\n" };

	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		char text[200] = "# first\nthreads = yes\n";

		strcat(text, broken[i]);
		CHECK_INT(parse(text), -EINVAL);
		CHECK_HAS(e.msg, "line 3");
		CHECK_NEAR(s.seconds, 1, 1e-9);
		CHECK_STR(s.theme, "default");
		CHECK(!s.threads);
		settings_done(&s);
	}
}

TEST(settings_of_an_empty_file_are_the_defaults)
{
	CHECK_INT(parse(""), 0);
	CHECK_NEAR(s.seconds, 1, 1e-9);
	CHECK_STR(s.columns, "");
	settings_done(&s);
}
