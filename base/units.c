/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers for people: three digits or so, and a unit.
 *
 * Rounding comes first and the choice of the unit second, so 999.95 k is "1.0 M" and never
 * "1000 k". All digits are printed as integers: the locale has no say in them. */
#include "base/units.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct step {
	double factor;
	const char *suffix;
};

/* How a unit is scaled. `places` is the number of digits that a value keeps, decimals included:
 * with 3, 4.23 is "4.2", 42.3 is "42.3" and 423 is "423"; with 2, 42.3 is "42". */
struct scale {
	const struct step *steps; /* growing; the end has a NULL suffix */
	unsigned places;
};

/* clang-format off */
static const struct step plain_steps[] = {
	{1, ""}, {1e3, "k"}, {1e6, "M"}, {1e9, "G"}, {1e12, "T"}, {1e15, "P"}, {1e18, "E"}, {0, NULL}
};
static const struct step byte_steps[] = {
	{1, "B"}, {0x1p10, "KiB"}, {0x1p20, "MiB"}, {0x1p30, "GiB"}, {0x1p40, "TiB"},
	{0x1p50, "PiB"}, {0x1p60, "EiB"}, {0, NULL}
};
/* Two digits: "-100 kbit/s" is as wide as it may get. */
static const struct step bit_steps[] = {
	{1, "bit"}, {1e3, "kbit"}, {1e6, "Mbit"}, {1e9, "Gbit"}, {1e12, "Tbit"}, {1e15, "Pbit"},
	{0, NULL}
};
static const struct step hertz_steps[] = {
	{1, "Hz"}, {1e3, "kHz"}, {1e6, "MHz"}, {1e9, "GHz"}, {0, NULL}
};
static const struct step time_steps[] = {
	{1e-9, "ns"}, {1e-6, "us"}, {1e-3, "ms"}, {1, "s"}, {60, "min"}, {3600, "h"},
	{86400, "d"}, {365.25 * 86400, "y"}, {0, NULL}
};
static const struct step time_rate_steps[] = {
	{1e-9, "ns"}, {1e-6, "us"}, {1e-3, "ms"}, {1, "s"}, {1e3, "ks"}, {0, NULL}
};
/* 1250 % of a CPU reads better than 1.3 k%. */
static const struct step ratio_steps[] = {
	{1e-2, "%"}, {1e4, "M%"}, {0, NULL}
};
static const struct step celsius_steps[] = {
	{1, "C"}, {0, NULL}
};

static const struct {
	const char  *name, *rate;
	struct scale scale, rate_scale;
} units[UNIT_MAX] = {
	[UNIT_NONE]    = {"",        "/s",        {plain_steps, 3},   {plain_steps, 3}},
	[UNIT_COUNT]   = {"count",   "count/s",   {plain_steps, 3},   {plain_steps, 3}},
	[UNIT_BYTES]   = {"bytes",   "bytes/s",   {byte_steps, 3},    {byte_steps, 3}},
	[UNIT_SECONDS] = {"seconds", "s/s",       {time_steps, 3},    {time_rate_steps, 3}},
	[UNIT_RATIO]   = {"ratio",   "ratio/s",   {ratio_steps, 2},   {ratio_steps, 2}},
	[UNIT_HERTZ]   = {"hertz",   "hertz/s",   {hertz_steps, 3},   {hertz_steps, 3}},
	[UNIT_CELSIUS] = {"celsius", "celsius/s", {celsius_steps, 3}, {celsius_steps, 3}},
	[UNIT_BITS]    = {"bits",    "bits/s",    {bit_steps, 2},     {bit_steps, 2}},
	[UNIT_TEXT]    = {"text",    "text/s",    {NULL, 0},          {NULL, 0}},
};
/* clang-format on */

/* A number as tenths, hundredths or whole: n / 10^decimals. */
struct digits {
	uint64_t n;
	unsigned decimals;
};

static const double powers[] = { 1, 10, 100 };

/* a >= 0 and small enough for 64 bits after the multiplication. */
static struct digits digits_of(double a, unsigned places)
{
	struct digits d = { (uint64_t)llrint(a * 100), 2 };

	if (d.n >= 100) {
		d = (struct digits){ (uint64_t)llrint(a * 10), 1 };
		if (d.n >= (places > 2 ? 1000 : 100))
			d = (struct digits){ (uint64_t)llrint(a), 0 };
	}
	return d;
}

static double digits_value(struct digits d)
{
	return (double)d.n / powers[d.decimals];
}

/* Drop decimals that say nothing: 0.50 is "0.5", and a whole number that was not scaled has none. */
static struct digits digits_trim(struct digits d, bool whole)
{
	if (d.decimals == 2 && d.n % 10 == 0)
		d = (struct digits){ d.n / 10, 1 };
	if (d.decimals == 1 && d.n % 10 == 0 && (whole || !d.n))
		d = (struct digits){ d.n / 10, 0 };
	return d;
}

static void digits_print(char *out, size_t size, struct digits d, const char *before)
{
	uint64_t ten = (uint64_t)powers[d.decimals];

	if (d.decimals)
		snprintf(out, size, "%s%llu.%0*llu", before, (unsigned long long)(d.n / ten),
			 (int)d.decimals, (unsigned long long)(d.n % ten));
	else
		snprintf(out, size, "%s%llu", before, (unsigned long long)d.n);
}

/* The largest step that a reaches, and one more if rounding lifts it there. */
static const struct step *step_for(const struct scale *s, double a, struct digits *d)
{
	const double reach = a > 0 ? a : 1; /* nothing at all is "0 s", not "0 ns" */
	const struct step *st = s->steps;

	while (st[1].suffix && reach >= st[1].factor)
		st++;
	if (a / st->factor > 1e9) {
		*d = (struct digits){ 1000000000, 0 };
		return st;
	}
	*d = digits_of(a / st->factor, s->places);
	if (st[1].suffix && digits_value(*d) * st->factor >= st[1].factor) {
		st++;
		*d = digits_of(fmax(a / st->factor, 1), s->places);
	}
	return st;
}

/* "-", "12.3", "<0.01", ">999": the number without its unit. */
static const char *scale_print(char *out, size_t size, const struct scale *s, double v)
{
	const bool minus = v < 0;
	const uint64_t most = minus ? 99 : 999;
	const double a = fabs(v);
	struct digits d;
	const struct step *st = step_for(s, a, &d);

	if (!st[1].suffix && digits_value(d) > (double)most)
		digits_print(out, size, (struct digits){ most, 0 }, minus ? "<-" : ">");
	else if (!d.n && a > 0)
		digits_print(out, size, (struct digits){ 1, minus ? 1 : 2 }, minus ? ">-" : "<");
	else
		digits_print(out, size, digits_trim(d, st->factor == 1 && v == trunc(v)),
			     minus ? "-" : "");
	return st->suffix;
}

const char *unit_name(enum unit u, int per_second)
{
	if ((unsigned)u >= UNIT_MAX)
		u = UNIT_NONE;
	return per_second ? units[u].rate : units[u].name;
}

char *unit_format(char *out, size_t size, enum unit u, int per_second, double v)
{
	const struct scale *s;
	const char *suffix;
	char number[32];

	if ((unsigned)u >= UNIT_MAX)
		u = UNIT_NONE;
	s = per_second ? &units[u].rate_scale : &units[u].scale;
	if (isnan(v) || !s->steps) {
		snprintf(out, size, "-");
		return out;
	}
	suffix = scale_print(number, sizeof(number), s, v);
	snprintf(out, size, "%s%s%s%s", number, *suffix ? " " : "", suffix, per_second ? "/s" : "");
	return out;
}

char *unit_duration(char *out, size_t size, double seconds)
{
	static const struct scale scale = { time_steps, 2 };
	const char *suffix;
	char number[32];
	size_t n;

	if (isnan(seconds)) {
		snprintf(out, size, "-");
		return out;
	}
	suffix = scale_print(number, sizeof(number), &scale, seconds);
	n = strlen(number);
	if (n > 2 && !strcmp(number + n - 2, ".0"))
		number[n - 2] = '\0';
	snprintf(out, size, "%s %s", number, suffix);
	return out;
}
