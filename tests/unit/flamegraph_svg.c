/* SPDX-License-Identifier: Apache-2.0 */
/* The SVG: what is in it, what must not be in it, colours. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "flamegraph/drawing.h"
#include "flamegraph/read.h"
#include "tests/unit/unit.h"

static struct stackset *set_of(const char *text)
{
	struct stackset *ss = stackset_new();
	struct err e = { 0 };

	if (read_stacks(ss, text_of(text), NULL, &e))
		unit_fail(__FILE__, __LINE__, "%s", e.msg);
	return ss;
}

static const char *drawn(const char *text, struct svg_args a)
{
	static struct buf out;
	struct stackset *ss = set_of(text);
	struct err e = { 0 };

	buf_clear(&out);
	if (svg_write(&out, ss, &a, &e))
		unit_fail(__FILE__, __LINE__, "%s", e.msg);
	stackset_free(ss);
	return out.data;
}

static void check_has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		unit_fail(__FILE__, __LINE__, "\"%s\" is in it", part);
}

TEST(frames_are_as_wide_as_their_share)
{
	const char *svg = drawn("main;a 75\nmain;b 25\n",
				(struct svg_args){ .width = 420, .min_width = 0.5 });

	CHECK_HAS(svg, "<title>a, 75.00 % of all</title>");
	CHECK_HAS(svg, "x=\"10.0\" y=\"52\" width=\"299.5\"");
	CHECK_HAS(svg, "x=\"310.0\" y=\"52\" width=\"99.5\"");
	CHECK_HAS(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" id=\"flame\" width=\"420\"");
}

TEST(an_icicle_has_the_outermost_caller_at_the_top)
{
	const char *svg = drawn("main;a 1\n", (struct svg_args){ .icicle = true });
	const char *flame;

	CHECK_HAS(svg,
		  "<title>all, 100.00 % of all</title><rect class=\"c60\" x=\"10.0\" y=\"52\"");
	flame = drawn("main;a 1\n", (struct svg_args){ 0 });
	CHECK_HAS(flame,
		  "<title>all, 100.00 % of all</title><rect class=\"c60\" x=\"10.0\" y=\"88\"");
}

TEST(nothing_from_outside_is_markup)
{
	struct buf b = { 0 };
	const char *svg;

	buf_str(&b,
		"a;<script>alert(1)</script>;\"x' onload=\"y\" & ]]> <!-- 1\na;c\x01\x1b[2J\xff\xe2\x80\xae 1\na;");
	buf_fill(&b, '<', 10000);
	buf_str(&b, " 1\n");
	svg = drawn(b.data, (struct svg_args){ .title = "</title><script>alert(2)</script>" });
	check_has_not(svg, "<script>alert");
	check_has_not(svg, "]]> <!--");
	check_has_not(svg, "\x01");
	check_has_not(svg, "\x1b");
	check_has_not(svg, "\xe2\x80\xae");
	check_has_not(svg, "\xff");
	CHECK_HAS(svg, "&lt;script&gt;alert(1)");
	CHECK_HAS(svg, "\\u003cscript\\u003ealert(1)");
	CHECK(strlen(svg) < 100000);
	buf_done(&b);
}

TEST(narrow_frames_are_one_path_per_colour_and_none_is_below_the_limit)
{
	struct buf b = { 0 };
	const char *svg;

	for (unsigned i = 0; i < 400; i++)
		buf_printf(&b, "main;same_name;%03u 10\n", i);
	buf_str(&b, "main;tiny 1\n");
	svg = drawn(b.data, (struct svg_args){ .min_width = 1 });
	CHECK_HAS(svg, "<path class=\"c");
	check_has_not(svg, "<title>tiny");
	buf_done(&b);
}

TEST(a_difference_keeps_what_vanished_and_tells_chance_from_change)
{
	struct stackset *before = set_of("main;gone 100\nmain;same 450\nmain;grown 450\n");
	struct stackset *after = set_of("main;same 960\nmain;grown 1040\n");
	struct svg_args a = { .before = before };
	struct buf b = { 0 };

	CHECK_INT(svg_write(&b, after, &a, NULL), 0);
	CHECK_HAS(b.data, "gone, before 10.00 %, after 0.00 % of all</title><rect class=\"c86\"");
	CHECK_HAS(b.data, "grown, before 45.00 %, after 52.00 % of all</title><rect class=\"c77\"");
	/* 45 and 48 %: 1.5 standard deviations */
	CHECK_HAS(b.data, "same, before 45.00 %, after 48.00 % of all</title><rect class=\"c64\"");
	buf_done(&b);
	stackset_free(before);
	stackset_free(after);
}

TEST(nothing_to_draw_is_an_error)
{
	struct stackset *ss = stackset_new();
	struct buf b = { 0 };
	struct err e = { 0 };
	struct stack_sample s = { 0 };

	CHECK_INT(svg_write(&b, ss, &(struct svg_args){ 0 }, &e), -EINVAL);
	stackset_value(ss, "samples", "count", NULL);
	stackset_add(ss, &s, &(double){ 0 }, NULL);
	CHECK_INT(svg_write(&b, ss, &(struct svg_args){ 0 }, &e), -EINVAL);
	CHECK_HAS(e.msg, "no samples to draw");
	CHECK_UINT(b.len, 0);
	stackset_free(ss);
}

/* A hundred thousand frames and more: the picture and the array have bounds, and what is left out is told. */
TEST(a_graph_of_many_frames_has_a_bounded_size)
{
	struct buf b = { 0 };
	const char *svg;

	for (unsigned i = 0; i < 150000; i++)
		buf_printf(&b, "f%u;g%u %u\n", i % 300, i, 100 + i % 1000);
	svg = drawn(b.data, (struct svg_args){ .min_width = 0 });
	CHECK(strlen(svg) < 6u << 20);
	CHECK_HAS(svg, "are not in this file");
	buf_done(&b);
}

/* ---- heat map ---- */

TEST(a_sample_lies_in_the_cell_of_its_second_and_phase)
{
	struct stackset *ss = stackset_new();
	struct calltree t;
	struct heat h;
	double *w;

	stackset_value(ss, "samples", "count", NULL);
	for (unsigned i = 0; i < 3; i++) {
		struct stack_sample s = { .time_ns = i == 2 ? 2500000000 : 1010000000 };

		CHECK_INT(stackset_add(ss, &s, &(double){ 2 }, NULL), 0);
	}
	w = stackset_weights(ss, 0, 0, 0);
	CHECK_INT(calltree_build(&t, ss, &(struct calltree_args){ .weights = { w } }, NULL), 0);
	CHECK_INT(heat_make(&h, ss, &t, NULL), 0);
	CHECK_UINT(h.columns, 3);
	CHECK_UINT(h.rows, 50);
	CHECK_UINT(h.n, 2);
	CHECK_UINT(h.cell[0].at, 50);
	CHECK_NEAR(h.cell[0].weight, 4, 0);
	CHECK_UINT(h.cell[1].at, 125);
	free(h.cell);
	free(w);
	calltree_done(&t);
	stackset_free(ss);
}

/* ---- colours ---- */

static double channel(unsigned v)
{
	double c = v / 255.0;

	return c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(unsigned long rgb)
{
	return 0.2126 * channel(rgb >> 16 & 255) + 0.7152 * channel(rgb >> 8 & 255) +
	       0.0722 * channel(rgb & 255);
}

static double contrast(unsigned long a, unsigned long b)
{
	double x = luminance(a), y = luminance(b);

	return x > y ? (x + 0.05) / (y + 0.05) : (y + 0.05) / (x + 0.05);
}

/* Text is #161616 on light and #f4f4f4 on dark fills. */
TEST(names_can_be_read_on_every_colour)
{
	bool all[PALETTE_CLASSES];
	struct buf b = { 0 };
	unsigned n = 0;
	char *dark;

	memset(all, true, sizeof(all));
	palette_css(&b, all);
	dark = strstr(b.data, "@media");
	CHECK(dark);
	for (char *p = b.data; (p = strstr(p, "fill:#")); p += 6, n++) {
		unsigned long rgb = strtoul(p + 6, NULL, 16);
		double c = contrast(rgb, p < dark ? 0x161616 : 0xf4f4f4);

		if (c < 4.5)
			unit_fail(__FILE__, __LINE__, "%.12s: contrast %.2f", p, c);
	}
	CHECK_UINT(n, 2 * PALETTE_CLASSES);
	buf_done(&b);
}

TEST(a_function_has_the_same_colour_in_every_graph)
{
	struct stackset *a = set_of("x;y;main_loop 1\n"),
			*b = set_of("main_loop_[k] 1\nmain_loop 1\n");

	CHECK_UINT(palette_class(PALETTE_KIND, a, 3), palette_class(PALETTE_KIND, b, 2));
	CHECK(palette_class(PALETTE_KIND, b, 1) != palette_class(PALETTE_KIND, b, 2));
	/* the same in ten years */
	CHECK_UINT(palette_class(PALETTE_KIND, a, 3), 0);
	CHECK_UINT(palette_class(PALETTE_GREY, a, 3), 56);
	stackset_free(a);
	stackset_free(b);
}
