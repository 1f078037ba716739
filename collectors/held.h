/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_HELD_H
#define SIXTY_COLLECTORS_HELD_H

#include "base/buf.h"
#include "base/root.h"
#include "base/text.h"

/* A file that is read again and again: on the live machine it stays open and is read from offset 0; in a replay the
 * tree below the root changes, so it is opened each time. Zero-initialised is "not open yet". */
struct held {
	const char *path; /* below the root; must live as long */
	int fd;           /* + 1, so that 0 is "not open" */
};

/* 0 or -errno. *text is good until the next reading into b. */
int held_read(struct held *h, const struct root *root, struct buf *b, struct text *text);
void held_close(struct held *h);

/* Cut what follows the last newline: a file that was cut short must not end in a number that looks whole. */
struct text whole_lines(struct text t);

#endif
