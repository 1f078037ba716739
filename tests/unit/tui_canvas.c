/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/canvas.h"

#include <math.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct canvas c;
static struct buf out;

static void begin(unsigned columns, unsigned rows, bool ascii)
{
	c.ascii = ascii;
	canvas_size(&c, columns, rows);
}

static const char *shown(void)
{
	buf_clear(&out);
	canvas_dump(&c, &out);
	return out.data;
}

TEST(canvas_cuts_text_with_an_ellipsis)
{
	begin(10, 1, false);
	CHECK_INT(canvas_text(&c, 0, 0, 5, PAINT_PLAIN, "abcdefgh"), 5);
	CHECK_STR(shown(), "abcd…\n");
	begin(10, 1, true);
	canvas_text(&c, 0, 0, 5, PAINT_PLAIN, "abcdefgh");
	CHECK_STR(shown(), "abcd~\n");
}

TEST(canvas_draws_nothing_outside_of_itself)
{
	begin(4, 2, false);
	canvas_text(&c, -2, 0, 10, PAINT_PLAIN, "abcdefgh");
	canvas_text(&c, 0, 7, 10, PAINT_PLAIN, "below");
	canvas_text(&c, 9, 1, 10, PAINT_PLAIN, "beside");
	canvas_fill(&c, -5, 1, 100, 'x', PAINT_PLAIN);
	CHECK_STR(shown(), "cdef\nxxxx\n");
}

TEST(canvas_makes_control_bytes_and_overrides_harmless)
{
	begin(40, 1, false);
	canvas_text(&c, 0, 0, 40, PAINT_PLAIN,
		    "a\033[31mb\rc\n\xe2\x80\xae"
		    "d");
	CHECK(!strchr(shown(), '\033'));
	CHECK(!strchr(shown(), '\r'));
	CHECK_HAS(shown(), "\\x1b");
	CHECK(!strstr(shown(), "\xe2\x80\xae"));
}

TEST(canvas_gives_wide_characters_two_cells_and_never_half_of_one)
{
	begin(5, 1, false);
	CHECK_INT(canvas_text(&c, 0, 0, 5, PAINT_PLAIN, "日本"), 4);
	canvas_text(&c, 1, 0, 1, PAINT_PLAIN, "x"); /* over the second half of the first */
	CHECK_STR(shown(), " x本\n");
	begin(3, 1, false);
	canvas_text(&c, 2, 0, 2, PAINT_PLAIN, "日"); /* has no room at the edge */
	CHECK_STR(shown(), "\n");
}

TEST(canvas_keeps_combining_characters_with_their_letter)
{
	begin(6, 1, false);
	CHECK_INT(canvas_text(&c, 0, 0, 6, PAINT_PLAIN, "e\xcc\x81x"), 2);
	CHECK_STR(shown(), "e\xcc\x81x\n");
}

TEST(canvas_in_ascii_has_nothing_else)
{
	begin(30, 3, true);
	canvas_text(&c, 0, 0, 30, PAINT_PLAIN, "20 µs · ≥ 3 → 日本");
	canvas_bar(&c, 0, 1, 10, 0.55, PAINT_PLAIN);
	canvas_spark(&c, 0, 2, 4, (const float[]){ 0, 1, 2, 4 }, 4, 4, PAINT_PLAIN);
	for (const char *p = shown(); *p; p++)
		CHECK((unsigned char)*p < 0x80);
}

TEST(canvas_bars_show_nothing_for_what_is_unknown_and_something_for_very_little)
{
	begin(4, 1, false);
	canvas_bar(&c, 0, 0, 4, NAN, PAINT_PLAIN);
	CHECK_STR(shown(), "\n");
	canvas_bar(&c, 0, 0, 4, 1e-9, PAINT_PLAIN);
	CHECK_STR(shown(), "▏\n");
	canvas_bar(&c, 0, 0, 4, 17, PAINT_PLAIN);
	CHECK_STR(shown(), "████\n");
}

TEST(canvas_sparks_have_the_newest_at_the_right_and_a_dot_where_nothing_is_known)
{
	begin(5, 1, false);
	canvas_spark(&c, 0, 0, 5, (const float[]){ 9, 8, NAN, 4, 0, 8 }, 6, 8, PAINT_PLAIN);
	CHECK_STR(shown(), "█·▄▁█\n");
}

TEST(canvas_flows_words_into_an_area)
{
	begin(10, 4, false);
	CHECK_INT(canvas_flow(&c, (struct area){ 1, 1, 8, 2 }, PAINT_PLAIN,
			      "one two three four five six"),
		  2);
	CHECK_STR(shown(), "\n one two\n three\n\n");
}
