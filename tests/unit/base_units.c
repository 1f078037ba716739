/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "tests/unit/unit.h"

static const char *f(enum unit u, double v)
{
	static char out[4][32];
	static unsigned turn;

	return unit_format(out[turn++ % 4], sizeof(out[0]), u, 0, v);
}

static const char *rate(enum unit u, double v)
{
	static char out[4][32];
	static unsigned turn;

	return unit_format(out[turn++ % 4], sizeof(out[0]), u, 1, v);
}

static const char *duration(double v)
{
	static char out[4][32];
	static unsigned turn;

	return unit_duration(out[turn++ % 4], sizeof(out[0]), v);
}

TEST(every_unit_has_a_name)
{
	for (int u = 0; u < UNIT_MAX; u++) {
		CHECK(unit_name(u, 0));
		CHECK(unit_name(u, 1));
	}
	CHECK_STR(unit_name(UNIT_BYTES, 0), "bytes");
	CHECK_STR(unit_name(UNIT_BYTES, 1), "bytes/s");
	CHECK_STR(unit_name(UNIT_SECONDS, 1), "s/s");
	CHECK_STR(unit_name(UNIT_MAX, 0), "");
	CHECK_STR(unit_name(-1, 1), "/s");
}

TEST(numbers_keep_about_three_digits)
{
	CHECK_STR(f(UNIT_BYTES, 1.5 * (1 << 30)), "1.5 GiB");
	CHECK_STR(rate(UNIT_BYTES, 312.0 * (1 << 20)), "312 MiB/s");
	CHECK_STR(f(UNIT_SECONDS, 0.0042), "4.2 ms");
	CHECK_STR(f(UNIT_RATIO, 0.97), "97 %");
	CHECK_STR(f(UNIT_RATIO, 0.034), "3.4 %");
	CHECK_STR(f(UNIT_RATIO, 12.5), "1250 %");
	CHECK_STR(f(UNIT_COUNT, 12345), "12.3 k");
	CHECK_STR(rate(UNIT_COUNT, 12345), "12.3 k/s");
	CHECK_STR(rate(UNIT_COUNT, 5), "5/s");
	CHECK_STR(f(UNIT_NONE, 0.05), "0.05");
	CHECK_STR(f(UNIT_NONE, 0.5), "0.5");
	CHECK_STR(f(UNIT_NONE, 42.3), "42.3");
	CHECK_STR(f(UNIT_HERTZ, 2.4e9), "2.4 GHz");
	CHECK_STR(f(UNIT_CELSIUS, 61), "61 C");
	CHECK_STR(rate(UNIT_BITS, 9.4e8), "940 Mbit/s");
	CHECK_STR(rate(UNIT_SECONDS, 0.25), "250 ms/s");
	CHECK_STR(f(UNIT_SECONDS, 7200), "2.0 h");
}

TEST(unscaled_whole_numbers_have_no_decimals)
{
	CHECK_STR(f(UNIT_COUNT, 3), "3");
	CHECK_STR(f(UNIT_COUNT, 999), "999");
	CHECK_STR(f(UNIT_BYTES, 1023), "1023 B");
	CHECK_STR(f(UNIT_BYTES, 1024), "1.0 KiB");
	CHECK_STR(f(UNIT_SECONDS, 10), "10 s");
	CHECK_STR(f(UNIT_COUNT, 3.02), "3.0");
}

TEST(rounding_comes_before_the_choice_of_the_unit)
{
	CHECK_STR(f(UNIT_COUNT, 999.4), "999");
	CHECK_STR(f(UNIT_COUNT, 999.95), "1.0 k");
	CHECK_STR(f(UNIT_COUNT, 999949), "1.0 M");
	CHECK_STR(f(UNIT_COUNT, 999499), "999 k");
	CHECK_STR(f(UNIT_COUNT, 99.95), "100");
	CHECK_STR(f(UNIT_COUNT, 99.94), "99.9");
	CHECK_STR(f(UNIT_BYTES, 1023.7), "1.0 KiB");
	CHECK_STR(f(UNIT_BYTES, 1023.7 * 1024), "1.0 MiB");
	CHECK_STR(f(UNIT_BYTES, 1023.4 * 1024), "1023 KiB");
	CHECK_STR(f(UNIT_SECONDS, 0.9996), "1.0 s");
	CHECK_STR(f(UNIT_SECONDS, 59.96), "1.0 min");
	CHECK_STR(f(UNIT_SECONDS, 59.94), "59.9 s");
	CHECK_STR(f(UNIT_SECONDS, 59.97 * 60), "1.0 h");
	CHECK_STR(f(UNIT_RATIO, 0.0996), "10 %");
	CHECK_STR(f(UNIT_RATIO, 0.999), "100 %");
}

TEST(nothing_and_unknown_look_different)
{
	CHECK_STR(f(UNIT_BYTES, NAN), "-");
	CHECK_STR(f(UNIT_BYTES, 0), "0 B");
	CHECK_STR(f(UNIT_BYTES, -0.0), "0 B");
	CHECK_STR(f(UNIT_SECONDS, 0), "0 s");
	CHECK_STR(f(UNIT_RATIO, 0), "0 %");
	CHECK_STR(rate(UNIT_COUNT, 0), "0/s");
	CHECK_STR(f(UNIT_TEXT, 5), "-");
	CHECK_STR(f(UNIT_MAX, 5), "5");
}

TEST(too_small_and_too_large_say_so)
{
	CHECK_STR(f(UNIT_RATIO, 1e-6), "<0.01 %");
	CHECK_STR(f(UNIT_RATIO, -1e-6), ">-0.1 %");
	CHECK_STR(rate(UNIT_COUNT, 0.001), "<0.01/s");
	CHECK_STR(f(UNIT_BYTES, 1e300), ">999 EiB");
	CHECK_STR(f(UNIT_BYTES, INFINITY), ">999 EiB");
	CHECK_STR(rate(UNIT_BYTES, -INFINITY), "<-99 EiB/s");
}

TEST(negative_numbers_are_mirrored)
{
	CHECK_STR(f(UNIT_BYTES, -1536), "-1.5 KiB");
	CHECK_STR(f(UNIT_COUNT, -999.95), "-1.0 k");
	CHECK_STR(f(UNIT_COUNT, -3), "-3");
	CHECK_STR(duration(-1.5), "-1.5 s");
}

static void check_width(const char *s)
{
	if (strlen(s) > 11)
		unit_fail(__FILE__, __LINE__, "\"%s\" is too wide", s);
}

TEST(no_number_is_wider_than_eleven_columns)
{
	for (int u = 0; u < UNIT_MAX; u++) {
		for (double v = 1e-12; v < 1e40; v *= 1.037) {
			check_width(f(u, v));
			check_width(f(u, -v));
			check_width(rate(u, v));
			check_width(rate(u, -v));
		}
		check_width(rate(u, DBL_MAX));
		check_width(rate(u, DBL_MIN));
	}
}

TEST(a_number_is_cut_to_the_room_there_is)
{
	char out[4] = "zzz";

	CHECK_STR(unit_format(out, sizeof(out), UNIT_BYTES, 0, 1536), "1.5");
	CHECK_STR(unit_duration(out, sizeof(out), 90), "1.5");
}

TEST(durations_read_like_a_sentence)
{
	CHECK_STR(duration(0.85), "850 ms");
	CHECK_STR(duration(3.2), "3.2 s");
	CHECK_STR(duration(10), "10 s");
	CHECK_STR(duration(240), "4 min");
	CHECK_STR(duration(90), "1.5 min");
	CHECK_STR(duration(2.1 * 3600), "2.1 h");
	CHECK_STR(duration(3 * 86400), "3 d");
	CHECK_STR(duration(0), "0 s");
	CHECK_STR(duration(1e-6), "1 us");
	CHECK_STR(duration(59.6), "1 min");
	CHECK_STR(duration(0.9996), "1 s");
	CHECK_STR(duration(NAN), "-");
}
