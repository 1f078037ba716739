/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_TSV_H
#define SIXTY_MODEL_TSV_H

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "model/snapshot.h"

/* A table of a snapshot as text: a header of column names, then a line per row.
 *
 *   key  birth  name  proc.user  proc.system  proc.cgroup
 *   7    812    sh    14         3@2          0::/a\nb
 *
 * "-" is absent, "max" is unlimited, "@2" says that the second source answered; text has \t \n \\ \xNN escapes
 * and a leading "=" so that "-" can be told from a text that is a dash. */
void tsv_write(struct buf *out, const struct snapshot *s, enum scope scope);

/* Columns that this version does not know are skipped, columns that are not there are absent; a broken line is an
 * error that names its number. */
int tsv_read(struct snapshot *into, enum scope scope, struct text in, struct err *e);

#endif
