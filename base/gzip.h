/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_BASE_GZIP_H
#define SIXTY_BASE_GZIP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

bool gzip_is(struct text t); /* begins like a gzip file */

/* Append what is packed in t, which may be several members one behind the other. More than cap bytes is -EFBIG, what is no
 * gzip file or ends too early -EINVAL. */
int gzip_unpack(struct text t, struct buf *out, size_t cap, struct err *e);

/* Append t as one gzip member: without a name and without a time, so that the same bytes give the same file. */
void gzip_pack(struct text t, struct buf *out);

#endif
