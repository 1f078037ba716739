/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_BASE_OPTS_H
#define SIXTY_BASE_OPTS_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;

/* Options are rows. A command has a struct of its arguments with defaults, and a table of rows
 * that say which field an option fills; parsing, range errors, --help, the man page and
 * completions come from the table. */
enum opt_type {
	OPT_FLAG,   /* bool field: true */
	OPT_INT,    /* int field, min..max */
	OPT_DOUBLE, /* double field, min..max */
	OPT_STRING, /* const char * field, points into argv */
	OPT_CHOICE, /* int field: index into choices[] */
};

struct opt {
	char flag;        /* 'd', or 0 */
	const char *name; /* "duration" */
	enum opt_type type;
	size_t offset;    /* of the field in the argument struct */
	const char *arg;  /* "SECONDS", NULL for a flag */
	const char *help; /* one line, without the default: that is printed from the defaults */
	double min, max;  /* no limits if min is not below max */
	const char *const *choices; /* NULL-terminated, for OPT_CHOICE */
};

/* A table ends with a row that has neither flag nor name: {0}.
 *
 * Fill args (already holding the defaults) from argv[1..]; argv[0] is the command's name. GNU
 * rules: -d10, -d 10, --duration=10, --duration 10, bundled flags (-ab), "--" ends options,
 * unique prefixes of long names; operands are moved to argv[1..*noperands], in their order.
 * -EINVAL with a sentence that names the option, the value, the range and `sixty CMD --help`.
 * -ECANCELED when -h or --help was met (the caller prints help). */
int opts_parse(const struct opt *const *tables, size_t ntables, void *args, int argc, char **argv,
	       int *noperands, struct err *e);

/* Lines of "  -d, --duration SECONDS   text (default 10)" wrapped at `columns`. No default is
 * printed for a flag, an empty string and a number outside min..max, which stands for "not
 * given". */
void opts_help(struct buf *out, const struct opt *table, const void *defaults, unsigned columns);

#endif
