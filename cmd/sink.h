/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CMD_SINK_H
#define SIXTY_CMD_SINK_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* Where output goes: standard output, a device or a pipe, which get it as it is written, or a file, which appears whole or
 * not at all.
 *
 *   sink_open  →  write to fd  →  sink_keep, or sink_drop */
struct sink {
	const char *file;
	int fd;
	bool whole;  /* it is a file: nobody sees it before sink_keep() */
	bool named;  /* it lies in `part` meanwhile */
	mode_t mode; /* of the file that is replaced; 0: there is none */
	char dir[512], part[600];
};

/* file: NULL or "-" is standard output; must live as long as the sink. 0 or -errno with a sentence. */
int sink_open(struct sink *k, const char *file, struct err *e);
/* All is written: the file appears, in place of an old one. 0 or -errno with a sentence; closed in any case. */
int sink_keep(struct sink *k, struct err *e);
/* Nothing is left of a file. */
void sink_drop(struct sink *k);

#endif
