/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of services for a person: a row per service, its errors by kind, what it was asked for. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "export/style.h"
#include "export/text.h"

#define BRIEF_ROWS  6 /* in the report of triage */
#define ROWS        40
#define BRIEF_NAMES 3
#define NAMES       10

/* Columns with what they need; the wide ones only where there is room. */
enum column {
	COL_PROTOCOL,
	COL_RATE,
	COL_ERRORS,
	COL_P50,
	COL_P90,
	COL_P99,
	COL_MAX,
	COL_QUEUE,
	COL_OPEN,
	COL_BACKLOG,
	COL_IN,
	COL_OUT,
	COLUMNS
};

static const struct {
	const char *title;
	int width;
	unsigned least; /* columns of the terminal from which on it is shown */
} columns[COLUMNS] = {
	[COL_PROTOCOL] = { "protocol", -9, 0 }, [COL_RATE] = { "req/s", 7, 0 },
	[COL_ERRORS] = { "err/s", 7, 0 },       [COL_P50] = { "p50", 8, 0 },
	[COL_P90] = { "p90", 8, 100 },          [COL_P99] = { "p99", 8, 0 },
	[COL_MAX] = { "max", 8, 90 },           [COL_QUEUE] = { "queue", 8, 0 },
	[COL_OPEN] = { "open", 5, 0 },          [COL_BACKLOG] = { "backlog", 8, 110 },
	[COL_IN] = { "in/s", 10, 120 },         [COL_OUT] = { "out/s", 10, 130 },
};

#define NAME_LEAST 18

static unsigned name_width(const struct style *s)
{
	unsigned used = 2, all = style_columns(s);

	for (unsigned c = 0; c < COLUMNS; c++)
		if (all >= columns[c].least)
			used += 1 + (unsigned)(columns[c].width < 0 ? -columns[c].width
								    : columns[c].width);
	return all > used + NAME_LEAST ? all - used : NAME_LEAST;
}

static char *label(const struct red_row *row, char *out, size_t size)
{
	char peer[80];
	int n;

	if (row->key.role == RED_SERVER)
		n = snprintf(out, size, "%s:%u", row->comm, row->key.port);
	else
		n = snprintf(out, size, "%s > %s", row->comm, red_peer(row, peer, sizeof(peer)));
	if (row->container[0] && n > 0 && (size_t)n < size)
		snprintf(out + n, size - (size_t)n, " [%s]", row->container);
	return out;
}

static char *duration(char *out, size_t size, double seconds)
{
	if (isnan(seconds))
		snprintf(out, size, "-");
	else
		unit_format(out, size, UNIT_SECONDS, 0, seconds);
	return out;
}

static void cell(enum column c, const struct red_row *row, double seconds, char *out, size_t size)
{
	switch (c) {
	case COL_PROTOCOL:
		snprintf(out, size, "%s%s", red_protocol_name(red_protocol(row)),
			 red_is_opaque(row) ? " *" : "");
		break;
	case COL_RATE:
		style_number(out, size, (double)row->requests / seconds);
		break;
	case COL_ERRORS:
		style_number(out, size, (double)row->errors / seconds);
		break;
	case COL_P50:
		duration(out, size, red_percentile(&row->total, 0.5));
		break;
	case COL_P90:
		duration(out, size, red_percentile(&row->total, 0.9));
		break;
	case COL_P99:
		duration(out, size, red_percentile(&row->total, 0.99));
		break;
	case COL_MAX:
		duration(out, size, red_max(&row->total));
		break;
	case COL_QUEUE:
		duration(out, size,
			 row->key.role == RED_SERVER ? red_percentile(&row->wait, 0.9) : NAN);
		break;
	case COL_OPEN:
		style_number(out, size, row->swept ? row->open : NAN);
		break;
	case COL_BACKLOG:
		style_number(out, size,
			     row->swept && row->key.role == RED_SERVER ? row->backlog : NAN);
		break;
	case COL_IN:
		unit_format(out, size, UNIT_BYTES, 1, (double)row->bytes_in / seconds);
		break;
	case COL_OUT:
		unit_format(out, size, UNIT_BYTES, 1, (double)row->bytes_out / seconds);
		break;
	case COLUMNS:
		break;
	}
}

static void put_head(struct buf *out, const struct style *s)
{
	buf_str(out, "  ");
	style_cell(out, s, "service", -(int)name_width(s));
	for (unsigned c = 0; c < COLUMNS; c++) {
		if (style_columns(s) < columns[c].least)
			continue;
		buf_char(out, ' ');
		style_cell(out, s, columns[c].title, columns[c].width);
	}
	buf_char(out, '\n');
}

static void put_row(struct buf *out, const struct style *s, const struct red_row *row,
		    double seconds)
{
	char text[300];

	buf_str(out, "  ");
	style_name(out, s, label(row, text, sizeof(text)), -(int)name_width(s));
	for (unsigned c = 0; c < COLUMNS; c++) {
		if (style_columns(s) < columns[c].least)
			continue;
		buf_char(out, ' ');
		cell((enum column)c, row, seconds, text, sizeof(text));
		style_cell(out, s, text, columns[c].width);
	}
	buf_char(out, '\n');
}

/* ---- below a row ---- */

static void put_word(struct para *p, bool *any, const char *text)
{
	if (*any)
		para_words(p, INK_PLAIN, "·");
	para_words(p, INK_PLAIN, text);
	*any = true;
}

static void put_errors(struct buf *out, const struct style *s, const struct reds *reds,
		       const struct red_row *row, unsigned most)
{
	const struct red_name *name;
	bool any = false;
	struct para p;
	char text[160];

	if (!row->errors && !row->refusals && !row->silent)
		return;
	buf_str(out, "    ");
	para_begin(&p, out, s, 4, 6);
	para_words(&p, INK_PLAIN, "errors:");
	for (unsigned i = 0; i < most && (name = reds_top(reds, row, RED_ERROR, i)); i++) {
		snprintf(text, sizeof(text), "%s %" PRIu64, name->name, name->count);
		put_word(&p, &any, text);
	}
	if (row->silent) {
		snprintf(text, sizeof(text), "%" PRIu64 " closed without an answer", row->silent);
		put_word(&p, &any, text);
	}
	para_end(&p);
}

static void put_operations(struct buf *out, const struct style *s, const struct reds *reds,
			   const struct red_row *row, unsigned most)
{
	const struct red_name *name;
	char text[160], number[32], each[32];

	for (unsigned i = 0; i < most && (name = reds_top(reds, row, RED_OPERATION, i)); i++) {
		struct para p;

		buf_str(out, "    ");
		para_begin(&p, out, s, 4, 6);
		snprintf(text, sizeof(text), "%s · %s/s", name->name,
			 style_number(number, sizeof(number), (double)name->count / reds->seconds));
		para_words(&p, INK_PLAIN, text);
		if (name->timed) {
			snprintf(text, sizeof(text), "· mean %s",
				 duration(each, sizeof(each),
					  (double)name->ns * 1e-9 / (double)name->timed));
			para_words(&p, INK_PLAIN, text);
		}
		if (name->errors) {
			snprintf(text, sizeof(text), "· %" PRIu64 " errors", name->errors);
			para_words(&p, INK_PLAIN, text);
		}
		para_end(&p);
	}
}

/* What is not as exact as it looks. */
static void put_limits(struct buf *out, const struct style *s, const struct red_row *row)
{
	char text[200];
	struct para p;

	if (!row->unparted && !row->unread && !row->waiting)
		return;
	buf_str(out, "    ");
	para_begin(&p, out, s, 4, 6);
	if (row->unparted) {
		snprintf(text, sizeof(text), "%" PRIu64 " batches could not be taken apart whole.",
			 row->unparted);
		para_words(&p, INK_PLAIN, text);
	}
	if (row->unread) {
		snprintf(text, sizeof(text),
			 "Of %" PRIu64
			 " requests the bytes were out of reach: counted by exchange.",
			 row->unread);
		para_words(&p, INK_PLAIN, text);
	}
	if (row->waiting) {
		snprintf(text, sizeof(text), "%" PRIu64 " wait by design and have no duration.",
			 row->waiting);
		para_words(&p, INK_PLAIN, text);
	}
	para_end(&p);
}

static bool is_shown(const struct red_row *row, bool brief)
{
	return !brief || row->requests || row->errors || row->silent;
}

static void put_words(struct buf *out, const struct style *s, const char *words)
{
	struct para p;

	buf_str(out, "  ");
	para_begin(&p, out, s, 2, 2);
	para_words(&p, INK_PLAIN, words);
	para_end(&p);
}

static void put_legend(struct buf *out, const struct style *s, const struct report *r, size_t left)
{
	char text[200];

	put_words(
		out, s,
		"Durations: from when a request came (or was sent, by a client) to the first byte of its answer, off by 6.25 % at most; "
		"queue: p90 of the part until it was read.");
	for (size_t i = 0; i < r->reds->n; i++)
		if (red_is_opaque(&r->reds->rows[i])) {
			put_words(out, s, "* encrypted or multiplexed: durations per exchange.");
			break;
		}
	if (!left)
		return;
	snprintf(text, sizeof(text), "and %zu more (--json has all)", left);
	put_words(out, s, text);
}

void text_red(struct buf *out, const struct report *r, const struct style *s)
{
	bool brief = r->parts & REPORT_VERDICT && !s->verbose;
	size_t shown = 0, left = 0, most = brief ? BRIEF_ROWS : ROWS;

	if (!r->reds || (brief && r->reds->why[0]))
		return;
	for (size_t i = 0; i < r->reds->n; i++)
		left += is_shown(&r->reds->rows[i], brief);
	if (brief && !left)
		return;
	text_title(out, s, "Requests of services");
	if (!left)
		put_words(out, s, "No service has an open connection, and nothing was asked.");
	if (left)
		put_head(out, s);
	for (size_t i = 0; i < r->reds->n && shown < most; i++) {
		const struct red_row *row = &r->reds->rows[i];

		if (!is_shown(row, brief))
			continue;
		put_row(out, s, row, r->reds->seconds);
		put_errors(out, s, r->reds, row, brief ? BRIEF_NAMES : NAMES);
		if (!brief)
			put_operations(out, s, r->reds, row, s->verbose ? 64 : BRIEF_NAMES);
		if (!brief)
			put_limits(out, s, row);
		shown++;
		left--;
	}
	if (shown)
		put_legend(out, s, r, left);
}
