/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines as tables: one row per option gives parsing, range errors and help.
 *
 * getopt_long() is not used: it prints by itself, takes one table only and keeps its state in
 * globals. The rules are the same. */
#include "base/opts.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

#define TEXT_COLUMN_MAX 30 /* a longer left side puts its text on the next line */

struct parser {
	const struct opt *const *tables;
	size_t ntables;
	char *args;
	const char *command;
	int argc, at; /* argv[at] is looked at */
	char **argv;
	struct err *e;
};

static const struct opt help_row = {
	.flag = 'h', .name = "help", .type = OPT_FLAG, .help = "Print this help"
};

static bool is_row(const struct opt *o)
{
	return o->flag || o->name;
}

/* The sentence, and where to read more. `what` is already safe to print. */
static int refuse(const struct parser *p, const char *what)
{
	const bool top = !strcmp(p->command, "sixty");

	return err_set(p->e, -EINVAL, "%s (see sixty%s%s --help)", what, top ? "" : " ",
		       top ? "" : p->command);
}

/* What the person typed, cut and safe for a terminal. */
static const char *shown(char out[96], const char *s)
{
	return text_printable_into(out, 96, s, strlen(s));
}

/* Values */

static bool parse_int(const char *value, double *v)
{
	struct text t = text_of(value);
	int64_t n;

	text_skip(&t, "+");
	if (!text_s64(&t, &n) || text_len(t))
		return false;
	*v = (double)n;
	return true;
}

/* Decimal, with a point in every locale; digits that a double cannot hold are dropped. */
static bool parse_double(const char *value, double *v)
{
	const bool minus = *value == '-';
	double n = 0, scale = 0; /* scale: 0 until the point, then a power of ten */
	bool any = false;

	if (*value == '-' || *value == '+')
		value++;
	for (; *value; value++) {
		if (*value == '.' && scale == 0) {
			scale = 1;
			continue;
		}
		if (*value < '0' || *value > '9')
			return false;
		any = true;
		if (scale > 0 && n >= 1e15)
			continue;
		n = n * 10 + (*value - '0');
		scale *= 10;
	}
	if (scale > 0)
		n /= scale;
	*v = minus ? -n : n;
	return any && isfinite(n);
}

static void print_double(struct buf *out, double v)
{
	char s[40];
	size_t n = (size_t)snprintf(s, sizeof(s), "%.6f", v);

	/* Fixed notation, so that what help prints can be typed back; the locale's point is not. */
	for (char *c = s; *c; c++) {
		if (!strchr("0123456789-", *c))
			*c = '.';
	}
	while (s[n - 1] == '0')
		n--;
	if (s[n - 1] == '.')
		n--;
	buf_add(out, s, n);
}

static bool has_range(const struct opt *o)
{
	return o->min < o->max;
}

static bool in_range(const struct opt *o, double v)
{
	if (has_range(o) && (v < o->min || v > o->max))
		return false;
	return o->type != OPT_INT || (v >= INT_MIN && v <= INT_MAX);
}

static int refuse_range(const struct parser *p, const struct opt *o, const char *typed,
			const char *value)
{
	struct buf what = { 0 };
	char safe[96];
	int rc;

	buf_printf(&what, "%s %s: must be between ", typed, shown(safe, value));
	print_double(&what, has_range(o) ? o->min : INT_MIN);
	buf_str(&what, " and ");
	print_double(&what, has_range(o) ? o->max : INT_MAX);
	rc = refuse(p, what.data);
	buf_done(&what);
	return rc;
}

static void list_choices(struct buf *out, const struct opt *o)
{
	for (const char *const *c = o->choices; *c; c++)
		buf_printf(out, "%s%s", c == o->choices ? "" : ", ", *c);
}

static int set_choice(const struct parser *p, const struct opt *o, const char *typed,
		      const char *value, int *field)
{
	struct buf what = { 0 };
	char safe[96];
	int rc;

	for (int i = 0; o->choices[i]; i++) {
		if (!strcmp(o->choices[i], value)) {
			*field = i;
			return 0;
		}
	}
	buf_printf(&what, "%s %s: must be one of ", typed, shown(safe, value));
	list_choices(&what, o);
	rc = refuse(p, what.data);
	buf_done(&what);
	return rc;
}

static int set_number(const struct parser *p, const struct opt *o, const char *typed,
		      const char *value, void *field)
{
	const bool whole = o->type == OPT_INT;
	char safe[96], what[256];
	double v;

	if (!(whole ? parse_int(value, &v) : parse_double(value, &v))) {
		snprintf(what, sizeof(what), "%s %s: is not a %snumber", typed, shown(safe, value),
			 whole ? "whole " : "");
		return refuse(p, what);
	}
	if (!in_range(o, v))
		return refuse_range(p, o, typed, value);
	if (whole)
		*(int *)field = (int)v;
	else
		*(double *)field = v;
	return 0;
}

static int set_value(const struct parser *p, const struct opt *o, const char *typed,
		     const char *value)
{
	void *field = p->args + o->offset;

	switch (o->type) {
	case OPT_FLAG:
		*(bool *)field = true;
		return 0;
	case OPT_STRING:
		*(const char **)field = value;
		return 0;
	case OPT_CHOICE:
		return set_choice(p, o, typed, value, field);
	case OPT_INT:
	case OPT_DOUBLE:
		break;
	}
	return set_number(p, o, typed, value, field);
}

/* Set from `value`, or from the next argument if there is none behind the option itself. */
static int take_option(struct parser *p, const struct opt *o, const char *typed, const char *value)
{
	char what[160];

	if (o == &help_row)
		return -ECANCELED;
	if (o->type != OPT_FLAG && !value) {
		if (p->at + 1 >= p->argc) {
			snprintf(what, sizeof(what), "%s needs a value: %s", typed,
				 o->arg ? o->arg : "VALUE");
			return refuse(p, what);
		}
		value = p->argv[++p->at];
	}
	return set_value(p, o, typed, value);
}

/* Short options */

static const struct opt *find_flag(const struct parser *p, char flag)
{
	for (size_t i = 0; i < p->ntables; i++) {
		for (const struct opt *o = p->tables[i]; is_row(o); o++) {
			if (o->flag == flag)
				return o;
		}
	}
	return flag == help_row.flag ? &help_row : NULL;
}

static int parse_short(struct parser *p)
{
	/* The argument itself: p->at moves when a value is taken from the next one. */
	for (const char *s = p->argv[p->at] + 1; *s; s++) {
		const struct opt *o = find_flag(p, *s);
		char typed[8] = { '-', *s }, safe[96], what[128];
		uint32_t cp;
		int err;

		if (!o) {
			size_t n = text_utf8(s, strlen(s), &cp);

			text_printable_into(safe, sizeof(safe), s, n ? n : 1);
			snprintf(what, sizeof(what), "unknown option -%s", safe);
			return refuse(p, what);
		}
		if (o->type != OPT_FLAG)
			return take_option(p, o, typed, s[1] ? s + 1 : NULL);
		err = take_option(p, o, typed, NULL);
		if (err)
			return err;
	}
	return 0;
}

/* Long options */

struct match {
	const struct opt *row;
	bool exact;
	unsigned prefixes; /* rows that start with what was typed */
	struct buf names;  /* of these */
};

static void match_row(struct match *m, const struct opt *o, struct text name)
{
	if (!o->name || m->exact)
		return;
	if (text_eq(name, o->name)) {
		m->row = o;
		m->exact = true;
	} else if (text_len(name) && text_len(name) < strlen(o->name) &&
		   !memcmp(o->name, name.p, text_len(name))) {
		buf_printf(&m->names, "%s--%s", m->prefixes++ ? ", " : "", o->name);
		m->row = o;
	}
}

static void match_long(const struct parser *p, struct match *m, struct text name)
{
	for (size_t i = 0; i < p->ntables; i++) {
		for (const struct opt *o = p->tables[i]; is_row(o); o++)
			match_row(m, o, name);
	}
	match_row(m, &help_row, name);
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

#define NAME_MAX_COMPARED 32

/* Levenshtein distance; UINT_MAX for what is too long to be a slip of the fingers. */
static unsigned distance(struct text a, const char *b)
{
	unsigned row[NAME_MAX_COMPARED + 1];
	const size_t n = strlen(b);

	if (n > NAME_MAX_COMPARED || text_len(a) > NAME_MAX_COMPARED)
		return UINT_MAX;
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 0; i < text_len(a); i++) {
		unsigned corner = row[0];

		row[0] = i + 1;
		for (size_t j = 1; j <= n; j++) {
			unsigned above = row[j];

			row[j] = least(least(row[j - 1], above) + 1, corner + (a.p[i] != b[j - 1]));
			corner = above;
		}
	}
	return row[n];
}

static const char *closest(const struct parser *p, struct text name)
{
	const char *best = NULL;
	unsigned best_distance = 3;

	for (size_t i = 0; i < p->ntables; i++) {
		for (const struct opt *o = p->tables[i]; is_row(o); o++) {
			unsigned d = o->name ? distance(name, o->name) : UINT_MAX;

			if (d < best_distance) {
				best_distance = d;
				best = o->name;
			}
		}
	}
	return best;
}

static int refuse_unknown(const struct parser *p, struct text name)
{
	const char *near = closest(p, name);
	char safe[96], what[224];

	text_printable_into(safe, sizeof(safe), name.p, text_len(name));
	if (near)
		snprintf(what, sizeof(what), "unknown option --%s, did you mean --%s?", safe, near);
	else
		snprintf(what, sizeof(what), "unknown option --%s", safe);
	return refuse(p, what);
}

static int parse_long(struct parser *p)
{
	struct text rest = text_of(p->argv[p->at] + 2), name = { rest.p, rest.p };
	struct match m = { 0 };
	const char *value;
	char typed[80], safe[96], what[512];
	int rc;

	text_until(&rest, '=', &name);
	value = *name.end == '=' ? name.end + 1 : NULL;
	match_long(p, &m, name);
	if (m.row)
		snprintf(typed, sizeof(typed), "--%s", m.row->name);
	if (!m.exact && m.prefixes > 1) {
		text_printable_into(safe, sizeof(safe), name.p, text_len(name));
		snprintf(what, sizeof(what), "--%s could be %s", safe, m.names.data);
		rc = refuse(p, what);
	} else if (!m.row) {
		rc = refuse_unknown(p, name);
	} else if (m.row->type == OPT_FLAG && value) {
		snprintf(what, sizeof(what), "%s takes no value", typed);
		rc = refuse(p, what);
	} else {
		rc = take_option(p, m.row, typed, value);
	}
	buf_done(&m.names);
	return rc;
}

static const char *command_name(int argc, char **argv)
{
	const char *slash;

	if (argc < 1 || !argv[0])
		return "sixty";
	slash = strrchr(argv[0], '/');
	return slash ? slash + 1 : argv[0];
}

int opts_parse(const struct opt *const *tables, size_t ntables, void *args, int argc, char **argv,
	       int *noperands, struct err *e)
{
	struct parser p = { .tables = tables,
			    .ntables = ntables,
			    .args = args,
			    .command = command_name(argc, argv),
			    .argc = argc,
			    .argv = argv,
			    .e = e };
	bool only_operands = false;

	*noperands = 0;
	for (p.at = 1; p.at < argc; p.at++) {
		char *a = argv[p.at];
		int err;

		if (only_operands || a[0] != '-' || !a[1]) {
			/* Never ahead of p.at, so nothing unread is overwritten. */
			argv[++*noperands] = a;
			continue;
		}
		if (!strcmp(a, "--")) {
			only_operands = true;
			continue;
		}
		err = a[1] == '-' ? parse_long(&p) : parse_short(&p);
		if (err)
			return err;
	}
	return 0;
}

/* Help */

static void print_left(struct buf *out, const struct opt *o)
{
	buf_str(out, "  ");
	if (o->flag)
		buf_printf(out, "-%c%s", o->flag, o->name ? ", " : "");
	else
		buf_str(out, "    ");
	if (o->name)
		buf_printf(out, "--%s", o->name);
	if (o->arg && o->type != OPT_FLAG)
		buf_printf(out, " %s", o->arg);
}

static void print_default(struct buf *out, const struct opt *o, const void *defaults)
{
	const void *field = (const char *)defaults + o->offset;
	const char *s;
	double v;

	switch (o->type) {
	case OPT_FLAG:
		return;
	case OPT_STRING:
		s = *(const char *const *)field;
		if (s && *s)
			buf_printf(out, " (default %s)", s);
		return;
	case OPT_CHOICE:
		buf_str(out, " (one of ");
		list_choices(out, o);
		buf_printf(out, "; default %s)", o->choices[*(const int *)field]);
		return;
	case OPT_INT:
	case OPT_DOUBLE:
		break;
	}
	v = o->type == OPT_INT ? *(const int *)field : *(const double *)field;
	if (isfinite(v) && in_range(o, v)) {
		buf_str(out, " (default ");
		print_double(out, v);
		buf_char(out, ')');
	}
}

/* Words of `t` from column `indent` on; the first line starts where the cursor already is. */
static void print_wrapped(struct buf *out, struct text t, size_t indent, size_t columns)
{
	size_t column = indent;
	struct text word;

	while (text_word(&t, &word)) {
		size_t width = text_width(word.p, text_len(word));

		if (column > indent && column + 1 + width > columns) {
			buf_char(out, '\n');
			buf_fill(out, ' ', indent);
			column = indent;
		} else if (column > indent) {
			buf_char(out, ' ');
			column++;
		}
		buf_add(out, word.p, text_len(word));
		column += width;
	}
	buf_char(out, '\n');
}

static size_t text_column(const struct opt *table)
{
	struct buf left = { 0 };
	size_t widest = 0;

	for (const struct opt *o = table; is_row(o); o++) {
		buf_clear(&left);
		print_left(&left, o);
		if (left.len <= TEXT_COLUMN_MAX && left.len > widest)
			widest = left.len;
	}
	buf_done(&left);
	return widest + 3;
}

void opts_help(struct buf *out, const struct opt *table, const void *defaults, unsigned columns)
{
	const size_t indent = text_column(table);
	struct buf text = { 0 };

	for (const struct opt *o = table; is_row(o); o++) {
		size_t before = out->len, left;

		print_left(out, o);
		left = out->len - before;
		if (left + 3 > indent) {
			buf_char(out, '\n');
			left = 0;
		}
		buf_fill(out, ' ', indent - left);
		buf_clear(&text);
		buf_str(&text, o->help);
		if (defaults)
			print_default(&text, o, defaults);
		print_wrapped(out, text_n(text.data, text.len), indent, columns);
	}
	buf_done(&text);
}
