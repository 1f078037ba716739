/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of frames: their names, and what is written behind a function to keep them in text. */
#include "model/stackset.h"

#include <string.h>

/* _[k], _[i], _[j] and _[w] are what stack collapsers write; the others follow them. */
/* clang-format off */
static const struct { const char *name, *suffix; } kinds[FRAME_KINDS] = {
	[FRAME_USER]        = { "user",        "" },
	[FRAME_KERNEL]      = { "kernel",      "_[k]" },
	[FRAME_INLINED]     = { "inlined",     "_[i]" },
	[FRAME_JIT]         = { "jit",         "_[j]" },
	[FRAME_INTERPRETED] = { "interpreted", "_[p]" },
	[FRAME_BLOCKED]     = { "blocked",     "_[b]" },
	[FRAME_WAKER]       = { "waker",       "_[w]" },
	[FRAME_LOST]        = { "lost",        "_[l]" },
};
/* clang-format on */

#define SUFFIX 4 /* bytes of one */

const char *frame_kind_suffix(enum frame_kind k)
{
	return kinds[k].suffix;
}

const char *frame_kind_name(enum frame_kind k)
{
	return kinds[k].name;
}

enum frame_kind frame_kind_by_name(struct text name)
{
	for (unsigned k = 0; k < FRAME_KINDS; k++)
		if (text_eq(name, kinds[k].name))
			return (enum frame_kind)k;
	return FRAME_KINDS;
}

enum frame_kind frame_kind_cut(struct text *name)
{
	const char *p = name->end - SUFFIX;

	if (text_len(*name) <= SUFFIX || p[0] != '_' || p[1] != '[' || p[3] != ']')
		return FRAME_USER;
	for (unsigned k = FRAME_USER + 1; k < FRAME_KINDS; k++)
		if (p[2] == kinds[k].suffix[2]) {
			name->end = p;
			return (enum frame_kind)k;
		}
	return FRAME_USER;
}
