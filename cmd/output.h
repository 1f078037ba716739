/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CMD_OUTPUT_H
#define SIXTY_CMD_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/opts.h"
#include "engine/session.h"
#include "export/exporter.h"
#include "model/report.h"

/* Options that every command which prints a report has, and what they mean. */
struct output_args {
	const char *format;
	bool json;
	const char *file;
	int color; /* index into output_colors */
	bool ascii, verbose;
	int columns; /* 0: the terminal's */
};

extern const char *const output_colors[]; /* auto always never */

#define OUTPUT_OPTS(type, field)                                                          \
	{ 0,          "format",                                                           \
	  OPT_STRING, offsetof(type, field.format),                                       \
	  "FORMAT",   "text, json, openmetrics or csv",                                   \
	  0,          0,                                                                  \
	  NULL },                                                                         \
		{ 0,        "json",                                                       \
		  OPT_FLAG, offsetof(type, field.json),                                   \
		  NULL,     "the same as --format json",                                  \
		  0,        0,                                                            \
		  NULL },                                                                 \
		{ 'o',        "output",                                                   \
		  OPT_STRING, offsetof(type, field.file),                                 \
		  "FILE",     "write to FILE, which appears whole or not at all",         \
		  0,          0,                                                          \
		  NULL },                                                                 \
		{ 'v',      "verbose",                                                    \
		  OPT_FLAG, offsetof(type, field.verbose),                                \
		  NULL,     "every row and every piece of evidence",                      \
		  0,        0,                                                            \
		  NULL },                                                                 \
		{ 0,                                                                      \
		  "color",                                                                \
		  OPT_CHOICE,                                                             \
		  offsetof(type, field.color),                                            \
		  "WHEN",                                                                 \
		  "colours; NO_COLOR is respected",                                       \
		  0,                                                                      \
		  0,                                                                      \
		  output_colors },                                                        \
		{ 0,        "ascii",                                                      \
		  OPT_FLAG, offsetof(type, field.ascii),                                  \
		  NULL,     "no characters beyond ASCII",                                 \
		  0,        0,                                                            \
		  NULL },                                                                 \
	{                                                                                 \
		0, "columns", OPT_INT, offsetof(type, field.columns), "N",                \
			"width of the text, 60 to 250; 0 asks the terminal", 0, 250, NULL \
	}

/* The same for commands that print tables of their own. */
#define PRINT_OPTS(type, field)                                                              \
	{ 0, "json", OPT_FLAG, offsetof(type, field.json), NULL, "print JSON", 0, 0, NULL }, \
		{ 'o',        "output",                                                      \
		  OPT_STRING, offsetof(type, field.file),                                    \
		  "FILE",     "write to FILE, which appears whole or not at all",            \
		  0,          0,                                                             \
		  NULL },                                                                    \
		{ 0,                                                                         \
		  "color",                                                                   \
		  OPT_CHOICE,                                                                \
		  offsetof(type, field.color),                                               \
		  "WHEN",                                                                    \
		  "colours; NO_COLOR is respected",                                          \
		  0,                                                                         \
		  0,                                                                         \
		  output_colors },                                                           \
		{ 0,        "ascii",                                                         \
		  OPT_FLAG, offsetof(type, field.ascii),                                     \
		  NULL,     "no characters beyond ASCII",                                    \
		  0,        0,                                                               \
		  NULL },                                                                    \
	{                                                                                    \
		0, "columns", OPT_INT, offsetof(type, field.columns), "N",                   \
			"width of the text, 60 to 250; 0 asks the terminal", 0, 250, NULL    \
	}

struct output {
	const struct output_args *args;
	const struct exporter *exporter;
	struct style style;
	bool progress; /* stderr is a terminal and nothing was said against it */
	unsigned progress_lines;
};

/* Decide format and style; an unknown format is an error that lists the known ones. */
int output_open(struct output *o, const struct output_args *args, struct err *e);

/* Draw the live picture on stderr while the session watches; a no-op unless stderr is a terminal. */
void output_progress(struct output *o, struct session_args *sa);
void output_progress_end(struct output *o);

/* Write the report where it was asked for. -EPIPE when the reader has gone (no error noise is due). */
int output_report(struct output *o, const struct report *r, struct err *e);
/* Write text where it was asked for: the same rules. */
int output_text(const char *file, const struct buf *b, struct err *e);
/* The same as the end of a command: frees b, returns the exit status (a reader that has gone is no failure). */
int output_done(const struct output *o, struct buf *b);

/* Print "sixty: WHAT TEXT" on stderr, made safe for a terminal: what a user should know, and no failure. */
void output_note(const char *what, const char *text);
/* Print "sixty: message" and return the exit status for "could not run" (1) / wrong usage (2). */
int output_error(const struct err *e);
int output_refused(const struct err *e); /* wrong usage, the sentence is there already */
int output_usage(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
