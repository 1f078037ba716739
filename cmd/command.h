/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CMD_COMMAND_H
#define SIXTY_CMD_COMMAND_H

#include <stddef.h>

#include "base/opts.h"

/* A subcommand is one file with one const struct; main.c lists them. */
struct command {
	const char *name;
	const char *summary;     /* one line for `sixty --help` */
	const char *usage;       /* "sixty triage [-d SECONDS] …" */
	const char *description; /* paragraphs for --help and the man page */
	const char *examples;    /* lines of "command   what it shows" */
	const struct opt *opts;  /* ended by a row with a NULL name */
	const void *defaults;
	size_t args_size;
	/* The words that operands are taken from, if those are known: the i-th with what it means (NULL: see elsewhere), NULL
	 * behind the last. For --help, the manual and completions. */
	const char *(*word)(size_t i, const char **what);
	/* operands are argv[0..argc-1]. Exit status: 0 ran, 1 could not run, 2 usage. */
	int (*run)(const void *args, int argc, char **argv);
};

#endif
