/* SPDX-License-Identifier: Apache-2.0 */
/* sixty flame: stacks that somebody has recorded, drawn or converted. */
#include "cmd/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/output.h"
#include "cmd/stackfile.h"
#include "flamegraph/read.h"
#include "flamegraph/svg.h"

struct flame_args {
	struct stackfile_args file;
	struct output_args output;
	bool diff;
};

static const struct flame_args defaults = {
	.file = { .width = SVG_WIDTH, .min_width = SVG_MIN_WIDTH },
};

/* clang-format off */
static const struct opt opts[] = {
	{ 'o', "output", OPT_STRING, offsetof(struct flame_args, output.file), "FILE",
	  "write FILE, whole or not at all; it ends in .svg, .folded, .pb.gz (pprof), .speedscope.json or .json", 0, 0, NULL },
	{ 0, "diff", OPT_FLAG, offsetof(struct flame_args, diff), NULL,
	  "the files are BEFORE and AFTER: draw what has changed", 0, 0, NULL },
	STACKFILE_OPTS(struct flame_args, file),
	STACKREPORT_OPTS(struct flame_args, output),
	{ .name = NULL }
};
/* clang-format on */

/* What is missing is told at once when nothing is printed that tells it. */
static void tell_losses(const struct stackset *ss, const char *path)
{
	for (size_t i = 0; i < ss->nlosses; i++) {
		char text[400];

		snprintf(text, sizeof(text), "%s: missing: %.0f %s", path, ss->loss[i].count,
			 stackset_text(ss, ss->loss[i].what));
		output_note("", text);
	}
}

static int read_one(const char *path, struct stackset *ss, bool tell, struct err *e)
{
	struct buf in = { 0 };
	int err = read_file(path, &in, e);

	if (!err) {
		err = read_stacks(ss, text_n(in.data, in.len), NULL, e);
		if (err)
			err_wrap(e, err, "%s", !strcmp(path, "-") ? "standard input" : path);
	}
	buf_done(&in);
	if (!err && tell)
		tell_losses(ss, path);
	return err;
}

static int flame_run(const void *args, int argc, char **argv)
{
	const struct flame_args *a = args;
	struct stackfile_args file = a->file;
	struct stackset *ss = stackset_new(), *before = a->diff ? stackset_new() : NULL;
	bool tell = a->output.file != NULL;
	struct output out;
	struct err e = { 0 };
	int status = 1, err;

	file.before = before;
	if (a->diff && argc != 2)
		status = output_usage("flame", "--diff takes two files, BEFORE and AFTER");
	else if (!a->diff && argc > 1)
		status = output_usage("flame", "takes one file, or two with --diff");
	else if (!argc && isatty(STDIN_FILENO))
		status = output_usage("flame", "needs a file, or one on its standard input");
	else if (output_open(&out, &a->output, &e) || stackfile_check(a->output.file, &file, &e))
		status = output_usage("flame", "%s", e.msg);
	else {
		err = before ? read_one(argv[0], before, tell, &e) : 0;
		if (!err)
			err = read_one(argc ? argv[argc - 1] : "-", ss, tell, &e);
		if (!err)
			err = stackfile_write(a->output.file, ss, &file, &out.style, &e);
		status = !err || err == -EPIPE ? 0 : output_error(&e);
	}
	stackset_free(ss);
	stackset_free(before);
	return status;
}

const struct command command_flame = {
	.name = "flame",
	.summary = "draw or convert recorded stacks: flame graphs, pprof, speedscope",
	.usage =
		"sixty flame [FILE | --diff BEFORE AFTER] [-o FILE] [--reverse] [--icicle] [--title TEXT] [--width PIXELS] [--min-width PIXELS] "
		"[--colors WHAT]",
	.description =
		"Reads folded text, the output of `perf script`, pprof profiles, speedscope files and its own sixty.profile/1, packed "
		"with gzip or not; which it is it sees by itself. Without FILE it reads standard input. The suffix of -o decides what is "
		"written; without -o it is a report: the functions that took most, and a flame graph of text. An SVG is one file that "
		"needs no network: click to zoom, / to search, ? for all keys; where samples have times, drag over the heat map for a "
		"graph of that range. --diff draws AFTER against BEFORE, both as 100 %; what is grey is within the sampling error.",
	.examples = "perf script | sixty flame -o perf.svg\ta flame graph\n"
		    "sixty flame out.folded\ttop functions on the terminal\n"
		    "sixty flame cpu.pb.gz -o cpu.folded\tfrom pprof to folded text\n"
		    "sixty flame --diff old.folded new.folded -o diff.svg\twhat has changed\n",
	.opts = opts,
	.defaults = &defaults,
	.args_size = sizeof(struct flame_args),
	.run = flame_run,
};
