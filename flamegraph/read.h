/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_FLAMEGRAPH_READ_H
#define SIXTY_FLAMEGRAPH_READ_H

#include "base/buf.h"
#include "base/text.h"
#include "model/stackset.h"

/* Stacks that somebody wrote: found out by their contents, not by the name of a file. All of them may be packed with gzip. */
enum read_format {
	READ_FOLDED,     /* "main;read;copy_[k] 5" per line */
	READ_PERF,       /* what `perf script` prints */
	READ_PPROF,      /* a protobuf, profile.proto */
	READ_SPEEDSCOPE, /* JSON of speedscope.app, sampled or evented */
	READ_PROFILE,    /* ours: JSON, sixty.profile/1 */
	READ_FORMATS
};

#define READ_MOST (2ull << 30) /* bytes, unpacked */

const char *read_format_name(enum read_format f);

/* Add the stacks of a text to a set that is new. What was no stack is counted as lost (stackset_lose()); if there was nothing
 * else, or what there is cannot be right, that is -EINVAL. format: what it was taken for; may be NULL. */
int read_stacks(struct stackset *ss, struct text in, enum read_format *format, struct err *e);

/* Read a file; "-" is standard input. Replaces what out holds. */
int read_file(const char *path, struct buf *out, struct err *e);

/* One per format, of what is unpacked already. */
typedef int read_fn(struct stackset *ss, struct text in, struct err *e);
read_fn read_folded, read_perf, read_pprof, read_speedscope, read_profile;

/* What formats ask of the beginning of a text. */
bool read_is_perf(struct text in);
bool read_is_pprof(struct text in);
bool read_is_speedscope(struct text in);
bool read_is_profile(struct text in);

#endif
