/* SPDX-License-Identifier: Apache-2.0 */
/* Folded text: one stack per line, the outermost caller first, parted by ';', a blank, and how often.
 *
 * Files of a hundred megabytes are usual and mostly sorted, so that a line shares its beginning with the one before it: only
 * what differs is looked up. */
#include "flamegraph/read.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct folded {
	struct stackset *ss;
	struct text last;               /* the stack of the line before */
	size_t depth;                   /* of it */
	size_t ends[STACKSET_DEPTH];    /* its frames: bytes to the end of each */
	uint32_t stack[STACKSET_DEPTH]; /* and the stack up to there */
};

/* "12" or "12.5" behind the last blank; line ends before the blank. */
static bool cut_count(struct text *line, double *count)
{
	const char *blank;
	char copy[32], *end;
	struct text number;

	while (text_len(*line) &&
	       (line->end[-1] == ' ' || line->end[-1] == '\t' || line->end[-1] == '\r'))
		line->end--;
	blank = text_last(*line, ' ');
	if (!blank || blank == line->p)
		return false;
	number = (struct text){ blank + 1, line->end };
	if (text_len(number) >= sizeof(copy) || *number.p < '0' || *number.p > '9')
		return false;
	*count = 0;
	for (const char *p = number.p; p < number.end && text_len(number) < 16; p++) {
		if (*p < '0' || *p > '9') {
			*count = -1;
			break;
		}
		*count = *count * 10 + (*p - '0');
	}
	if (*count < 0 || text_len(number) >= 16) {
		text_copy(copy, sizeof(copy), number);
		*count = strtod(copy, &end);
		if (end != copy + text_len(number) || !(*count <= STACKSET_WEIGHT))
			return false;
	}
	line->end = blank;
	return true;
}

/* Frames that this stack has in common with the last one. */
static size_t common(const struct folded *f, struct text stack)
{
	size_t n = text_len(stack), m = text_len(f->last), i = 0, frames = 0;
	size_t least = n < m ? n : m;

	while (i + 8 <= least && !memcmp(stack.p + i, f->last.p + i, 8))
		i += 8;
	while (i < least && stack.p[i] == f->last.p[i])
		i++;
	/* a frame is the same if it ends in both where it does in the last one */
	while (frames < f->depth && f->ends[frames] <= i &&
	       (f->ends[frames] == n || (f->ends[frames] < n && stack.p[f->ends[frames]] == ';')))
		frames++;
	return frames;
}

static int add_line(struct folded *f, struct text stack, double count, struct err *e)
{
	struct stack_sample s = { .time_ns = STACK_NO_TIME };
	struct text rest = stack, name;
	size_t depth = common(f, stack);
	int err = 0;

	if (depth) {
		s.stack = f->stack[depth - 1];
		rest.p += f->ends[depth - 1];
		text_skip(&rest, ";");
	}
	while (!err && text_until(&rest, ';', &name)) {
		struct frame_text frame = { .name = name };
		const char *end = name.end;
		uint32_t id;

		if (!text_len(name))
			continue;
		frame.kind = frame_kind_cut(&frame.name);
		err = stackset_frame(f->ss, &frame, &id, e);
		if (!err)
			err = stackset_push(f->ss, s.stack, id, &s.stack, e);
		if (err)
			break;
		f->ends[depth] = (size_t)(end - stack.p);
		f->stack[depth++] = s.stack;
	}
	f->last = stack;
	f->depth = depth;
	return err ? err : stackset_add(f->ss, &s, &count, e);
}

int read_folded(struct stackset *ss, struct text in, struct err *e)
{
	struct folded f = { .ss = ss, .last = text_of("") };
	size_t number = 0, bad = 0;
	struct text line;
	double count;
	int err = stackset_value(ss, "samples", "count", e);

	if (err < 0)
		return err;
	while (text_line(&in, &line)) {
		number++;
		line = text_trim(line);
		if (!text_len(line) || *line.p == '#')
			continue;
		if (!cut_count(&line, &count)) {
			bad++;
			continue;
		}
		err = add_line(&f, line, count, e);
		if (err)
			return err_wrap(e, err, "line %zu", number);
	}
	stackset_lose(ss, "lines without a stack and a count", (double)bad);
	if (bad > ss->nsamples)
		return err_set(
			e, -EINVAL,
			"%zu of %zu lines are no stack, a blank and a count, as in \"main;read 5\"",
			bad, bad + ss->nsamples);
	return 0;
}
