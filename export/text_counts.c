/* SPDX-License-Identifier: Apache-2.0 */
/* Counts for a person: whole numbers, since they are compared; what could not be counted says why in its line, or once for all
 * that have the same reason. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "export/counts.h"
#include "export/style.h"
#include "export/text.h"

#define NAME_LEAST  18u
#define NAME_MOST   44u
#define COUNT_WIDTH 16
#define RATE_WIDTH  12
#define RATIO_WIDTH 26

static unsigned name_width(const struct counts *c)
{
	unsigned width = NAME_LEAST;

	for (size_t i = 0; i < c->n; i++) {
		size_t n = strlen(c->rows[i].name);

		if (n > width)
			width = n < NAME_MOST ? (unsigned)n : NAME_MOST;
	}
	return width;
}

/* "1.98 s", "1234567", "12.3 Joules" */
static void count_text(const struct count_row *row, char *out, size_t size)
{
	double v = count_value(row);

	if (isnan(v))
		snprintf(out, size, "-");
	else if (!strcmp(row->unit, "s"))
		unit_format(out, size, UNIT_SECONDS, 0, v);
	else if (row->unit[0])
		snprintf(out, size, "%.4g %s", v, row->unit);
	else
		snprintf(out, size, "%.0f", v);
}

static void rate_text(const struct count_row *row, double seconds, char *out, size_t size)
{
	double v = count_value(row) / seconds;
	char number[32];

	if (isnan(v) || !(seconds > 0))
		snprintf(out, size, "-");
	else if (!strcmp(row->unit, "s"))
		snprintf(out, size, "%s s/s", style_number(number, sizeof(number), v));
	else
		snprintf(out, size, "%s /s", style_number(number, sizeof(number), v));
}

/* Where it was counted all the time there is nothing to say. */
static void share_text(const struct count_row *row, char *out, size_t size)
{
	double share = count_share(row);

	if (row->why[0])
		snprintf(out, size, "not counted");
	else if (isnan(share))
		snprintf(out, size, "never ran");
	else if (!row->running_ns)
		snprintf(out, size, "no counter was free");
	else if (share < 1)
		snprintf(out, size, "%.1f %% of the time, multiplied up", 100 * share);
	else
		*out = '\0';
}

static void put_row(struct buf *out, const struct style *s, const struct count_row *row,
		    double seconds, int width)
{
	char count[48], rate[48], share[64], name[COUNT_NAME + 8];

	/* it was to be counted in the kernel too, and must not */
	snprintf(name, sizeof(name), "%s%s", row->name,
		 !row->kernel && !strstr(row->name, ":u") ? ":u" : "");
	count_text(row, count, sizeof(count));
	rate_text(row, seconds, rate, sizeof(rate));
	share_text(row, share, sizeof(share));
	buf_str(out, "  ");
	style_name(out, s, name, -width);
	buf_char(out, ' ');
	style_cell(out, s, count, COUNT_WIDTH);
	buf_char(out, ' ');
	style_cell(out, s, rate, RATE_WIDTH);
	if (*share) {
		buf_str(out, "  ");
		style_put(out, s, INK_INFO, share);
	}
	buf_char(out, '\n');
}

/* Each reason once, with all that it is the reason of. */
static void put_reasons(struct buf *out, const struct style *s, const struct counts *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const char *why = c->rows[i].why;
		bool said = false;
		struct para p;

		for (size_t k = 0; k < i; k++)
			said = said || !strcmp(c->rows[k].why, why);
		if (!*why || said)
			continue;
		buf_str(out, "  ");
		para_begin(&p, out, s, 2, 4);
		for (size_t k = i; k < c->n; k++) {
			char name[COUNT_NAME + 2];
			bool more = false;

			if (strcmp(c->rows[k].why, why))
				continue;
			for (size_t m = k + 1; m < c->n; m++)
				more = more || !strcmp(c->rows[m].why, why);
			snprintf(name, sizeof(name), "%s%s", c->rows[k].name, more ? "," : ":");
			para_piece(&p, INK_STRONG, name);
		}
		para_words(&p, INK_PLAIN, why);
		para_end(&p);
	}
}

static void put_ratio(struct buf *out, const struct style *s, const struct count_ratio *r)
{
	char value[32], number[32], base[96], share[64] = "";

	if (r->percent)
		snprintf(value, sizeof(value), "%.2f %%", 100 * r->value);
	else
		snprintf(value, sizeof(value), "%.3f", r->value);
	if (*r->of)
		snprintf(base, sizeof(base), "of %s %s",
			 style_number(number, sizeof(number), r->base), r->of);
	else
		snprintf(base, sizeof(base), "in %s",
			 unit_duration(number, sizeof(number), r->base));
	if (r->counted < 1)
		snprintf(share, sizeof(share), ", counted %.0f %% of the time", 100 * r->counted);
	buf_str(out, "  ");
	style_cell(out, s, r->name, -RATIO_WIDTH);
	buf_char(out, ' ');
	style_cell(out, s, value, 9);
	buf_printf(out, "  %s%s\n", base, share);
}

void text_counts(struct buf *out, const struct report *r, const struct style *s)
{
	const struct counts *c = r->counts;
	struct count_ratio ratios[COUNT_RATIOS];
	size_t n = counts_ratios(c, ratios);
	unsigned width = name_width(c), room = style_columns(s) - COUNT_WIDTH - RATE_WIDTH - 5;
	char title[240];

	snprintf(title, sizeof(title), "Events of %s", c->target);
	text_title(out, s, text_printable_into((char[1000]){ 0 }, 1000, title, strlen(title)));
	for (size_t i = 0; i < c->n; i++)
		put_row(out, s, &c->rows[i], c->seconds, (int)(width < room ? width : room));
	put_reasons(out, s, c);
	if (n)
		text_title(out, s, "Ratios");
	for (size_t i = 0; i < n; i++)
		put_ratio(out, s, &ratios[i]);
}
