/* SPDX-License-Identifier: Apache-2.0 */
/* Which format a file of stacks has, and who writes it. */
#include "cmd/stackfile.h"

#include <errno.h>
#include <string.h>

#include "cmd/output.h"
#include "export/stacks.h"
#include "flamegraph/svg.h"

typedef int write_fn(struct buf *out, const struct stackset *ss, const struct stackfile_args *a,
		     struct err *e);

static int write_svg(struct buf *out, const struct stackset *ss, const struct stackfile_args *a,
		     struct err *e)
{
	struct svg_args args = { .title = a->title,
				 .width = (unsigned)a->width,
				 .min_width = a->min_width,
				 .palette = (enum palette)a->colors,
				 .reverse = a->reverse,
				 .icicle = a->icicle,
				 .before = a->before };

	return svg_write(out, ss, &args, e);
}

static int write_folded(struct buf *out, const struct stackset *ss, const struct stackfile_args *a,
			struct err *e)
{
	(void)a;
	return stacks_folded(out, ss, e);
}

static int write_pprof(struct buf *out, const struct stackset *ss, const struct stackfile_args *a,
		       struct err *e)
{
	(void)a;
	return stacks_pprof(out, ss, e);
}

static int write_speedscope(struct buf *out, const struct stackset *ss,
			    const struct stackfile_args *a, struct err *e)
{
	(void)a;
	return stacks_speedscope(out, ss, e);
}

static int write_profile(struct buf *out, const struct stackset *ss, const struct stackfile_args *a,
			 struct err *e)
{
	(void)a;
	return stacks_profile(out, ss, e);
}

/* A longer suffix stands before the one that it ends in. */
/* clang-format off */
static const struct {
	const char *suffix;
	write_fn *write;
	bool picture; /* it can be turned round */
} formats[] = {
	{ ".svg",             write_svg,        true },
	{ ".folded",          write_folded,     false },
	{ ".pb.gz",           write_pprof,      false },
	{ ".speedscope.json", write_speedscope, false },
	{ ".json",            write_profile,    false },
};
/* clang-format on */

#define FORMATS (sizeof(formats) / sizeof(*formats))

static size_t format_of(const char *file)
{
	size_t n = strlen(file), i = 0;

	for (; i < FORMATS; i++) {
		size_t m = strlen(formats[i].suffix);

		if (n > m && !strcmp(file + n - m, formats[i].suffix))
			break;
	}
	return i;
}

int stackfile_check(const char *file, const struct stackfile_args *a, struct err *e)
{
	size_t i = file ? format_of(file) : FORMATS;

	if (file && i == FORMATS)
		return err_set(e, -EINVAL, "cannot tell the format of '%s': it has to end in %s",
			       file, STACKFILE_SUFFIXES);
	if (a->before && (!file || !formats[i].picture))
		return err_set(e, -EINVAL, "a difference is a picture: -o FILE.svg");
	if (file && !formats[i].picture && (a->reverse || a->icicle))
		return err_set(e, -EINVAL,
			       "--reverse and --icicle change pictures, not what is in a %s file",
			       formats[i].suffix);
	return 0;
}

int stackfile_write(const char *file, const struct stackset *ss, const struct stackfile_args *a,
		    const struct style *s, struct err *e)
{
	struct stacks_text_args text = { .reverse = a->reverse, .icicle = a->icicle };
	struct buf b = { 0 };
	int err = stackfile_check(file, a, e);

	if (!err)
		err = file ? formats[format_of(file)].write(&b, ss, a, e)
			   : stacks_text(&b, ss, s, &text, e);
	if (!err)
		err = output_text(file, &b, e);
	buf_done(&b);
	return err;
}
