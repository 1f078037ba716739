/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_EXPORT_STACKS_H
#define SIXTY_EXPORT_STACKS_H

#include "base/buf.h"
#include "base/err.h"
#include "export/style.h"
#include "model/stackset.h"

/* Stacks in the formats of others, in our own, and for a terminal. Everything is appended to out. 0 or -errno (-ENOMEM).
 *
 *             times   threads  causes  modules  lines   values
 * folded        -        -       -       -        -     one
 * pprof         -        +       +       +        +     all
 * speedscope    -        -       -       -        +     all, a profile for each
 * profile       +        +       +       +        +     all
 *
 * Kinds of frames are suffixes of names ("_[k]") but in our own. */
int stacks_folded(struct buf *out, const struct stackset *ss, struct err *e);
int stacks_pprof(struct buf *out, const struct stackset *ss, struct err *e); /* packed with gzip */
int stacks_speedscope(struct buf *out, const struct stackset *ss, struct err *e);
int stacks_profile(struct buf *out, const struct stackset *ss, struct err *e); /* sixty.profile/1 */

struct stacks_text_args {
	bool reverse; /* callers above what they call */
	bool icicle;  /* the outermost caller at the top */
};
int stacks_text(struct buf *out, const struct stackset *ss, const struct style *s,
		const struct stacks_text_args *a, struct err *e);

/* "1,234 samples", "2.5 s", "3.1 MiB": a weight for people, by the unit of the value. */
char *stacks_weight(char *out, size_t size, const struct stackset *ss, size_t value, double weight);

#endif
