/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_HIST_TARGET_H
#define SIXTY_COLLECTORS_HIST_TARGET_H

#include "collectors/bpf_hists.h"

/* What -C and --disk name, as the numbers that programs compare. Errors are sentences for people. */

/* Into w->disk; also sets w->untimed when that queue, or without a name any queue, keeps no times. */
int hist_find_disk(const struct root *root, const char *name, struct hist_wish *w, struct err *e);
/* Into w->group and what belongs to it. -EINVAL: no pattern of a group; -ENOENT: there is none. */
int hist_find_group(const struct root *root, const char *pattern, struct hist_wish *w,
		    struct err *e);

#endif
