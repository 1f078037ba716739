/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_PACK_H
#define SIXTY_COLLECTORS_PACK_H

#include "base/buf.h"
#include "model/snapshot.h"

/* A snapshot as bytes, to be carried from a helper process to its parent (same program, same machine). */
void pack_snapshot(struct buf *out, const struct snapshot *s);

/* Add what was packed to `into`. False if the bytes make no sense; what was added until then stays. */
bool unpack_snapshot(struct snapshot *into, const void *p, size_t n);

#endif
