/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CMD_STACKFILE_H
#define SIXTY_CMD_STACKFILE_H

#include "base/err.h"
#include "export/style.h"
#include "flamegraph/palette.h"
#include "model/stackset.h"

/* Stacks into a file whose suffix says the format: .svg, .folded, .pb.gz (pprof), .speedscope.json, .json (sixty.profile/1);
 * without a file, a report for the terminal. */
struct stackfile_args {
	const char *title;             /* NULL: that of the set */
	int width;                     /* of an SVG in pixels; 0: the default */
	double min_width;              /* pixels; below 0: the default */
	int colors;                    /* enum palette */
	bool reverse, icicle;          /* .svg and the report */
	const struct stackset *before; /* .svg only: draw the difference */
};

/* Options of commands that write one. */
#define STACKFILE_OPTS(type, field)                                                                \
	{ 0, "title", OPT_STRING, offsetof(type, field.title), "TEXT", "title of the picture",     \
	  0, 0,       NULL },                                                                      \
		{ 0,                                                                               \
		  "width",                                                                         \
		  OPT_INT,                                                                         \
		  offsetof(type, field.width),                                                     \
		  "PIXELS",                                                                        \
		  "width of the picture without a script; with one it is as wide as the window",   \
		  320,                                                                             \
		  20000,                                                                           \
		  NULL },                                                                          \
		{ 0,          "min-width",                                                         \
		  OPT_DOUBLE, offsetof(type, field.min_width),                                     \
		  "PIXELS",   "frames that are narrower are not drawn until they are zoomed into", \
		  0,          100,                                                                 \
		  NULL },                                                                          \
		{ 0,                                                                               \
		  "colors",                                                                        \
		  OPT_CHOICE,                                                                      \
		  offsetof(type, field.colors),                                                    \
		  "WHAT",                                                                          \
		  "what the colour of a frame stands for",                                         \
		  0,                                                                               \
		  0,                                                                               \
		  palette_names },                                                                 \
		{ 0,        "reverse",                                                             \
		  OPT_FLAG, offsetof(type, field.reverse),                                         \
		  NULL,     "begin with what ran, and who called it on top of it",                 \
		  0,        0,                                                                     \
		  NULL },                                                                          \
	{                                                                                          \
		0, "icicle", OPT_FLAG, offsetof(type, field.icicle), NULL,                         \
			"the outermost caller at the top", 0, 0, NULL                              \
	}

/* And of the report that they print without one, in a struct output_args. */
#define STACKREPORT_OPTS(type, field)                                                       \
	{ 'v',      "verbose",                                                              \
	  OPT_FLAG, offsetof(type, field.verbose),                                          \
	  NULL,     "all functions and levels in the report",                               \
	  0,        0,                                                                      \
	  NULL },                                                                           \
		{ 0,                                                                        \
		  "color",                                                                  \
		  OPT_CHOICE,                                                               \
		  offsetof(type, field.color),                                              \
		  "WHEN",                                                                   \
		  "colours of the report; NO_COLOR is respected",                           \
		  0,                                                                        \
		  0,                                                                        \
		  output_colors },                                                          \
		{ 0,        "ascii",                                                        \
		  OPT_FLAG, offsetof(type, field.ascii),                                    \
		  NULL,     "no characters beyond ASCII in the report",                     \
		  0,        0,                                                              \
		  NULL },                                                                   \
	{                                                                                   \
		0, "columns", OPT_INT, offsetof(type, field.columns), "N",                  \
			"width of the report, 60 to 250; 0 asks the terminal", 0, 250, NULL \
	}

#define STACKFILE_SUFFIXES ".svg, .folded, .pb.gz (pprof), .speedscope.json or .json"

/* Before anything is collected: -EINVAL with a sentence if the suffix is none of these, or does not go with the arguments.
 * file may be NULL. */
int stackfile_check(const char *file, const struct stackfile_args *a, struct err *e);

/* Write it, whole or not at all. -EPIPE: the reader of standard output has gone. */
int stackfile_write(const char *file, const struct stackset *ss, const struct stackfile_args *a,
		    const struct style *s, struct err *e);

#endif
