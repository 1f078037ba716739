/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_TESTS_FUZZ_STACKS_H
#define SIXTY_TESTS_FUZZ_STACKS_H

#include "tests/fuzz/fuzz.h"

#include "base/mem.h"
#include "export/stacks.h"
#include "flamegraph/read.h"
#include "flamegraph/svg.h"

/* What was read can be written in every format, weighs the same, and no byte of it is markup or a control. */
static inline void fuzz_written(struct stackset *ss)
{
	struct svg_args args = { .min_width = 0.5 };
	struct buf svg = { 0 }, folded = { 0 }, ours = { 0 };
	struct stackset *back = stackset_new();
	struct err e = { 0 };

	require(!stacks_folded(&folded, ss, &e));
	require(!stacks_profile(&ours, ss, &e));
	require(!read_profile(back, text_n(ours.data, ours.len), &e));
	require(back->nsamples == ss->nsamples);
	require(stackset_total(back, 0) == stackset_total(ss, 0));
	if (stackset_total(ss, 0) > 0) {
		require(!svg_write(&svg, ss, &args, &e));
		for (size_t i = 0; i < svg.len; i++)
			require((unsigned char)svg.data[i] >= ' ' || svg.data[i] == '\n' ||
				svg.data[i] == '\t');
	}
	buf_done(&svg);
	buf_done(&folded);
	buf_done(&ours);
	stackset_free(back);
}

static inline int fuzz_reader(read_fn *read, const uint8_t *data, size_t size)
{
	struct text in = fuzz_copy(data, size);
	struct stackset *ss = stackset_new();
	struct err e = { 0 };

	if (read(ss, in, &e))
		require(e.msg[0]);
	else if (ss->nvalues && ss->nsamples)
		fuzz_written(ss);
	free((char *)in.p);
	stackset_free(ss);
	return 0;
}

#endif
