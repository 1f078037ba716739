/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_SYMBOLS_IMAGE_LINES_H
#define SIXTY_SYMBOLS_IMAGE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "symbols/dwarf.h"

/* What dwarf_find() says, as bytes between the child that reads files and its parent. */

/* In the child: append what is known of the places of an open file; as much of it as an answer may have. 0 or -errno. */
int image_lines_answer(int fd, const uint64_t *places, size_t n, bool lines, unsigned budget_ms,
		       struct buf *out);

/* In the parent: hand out the steps of an answer to a question of n places, their numbers `from` higher. -EPROTO: it is none. */
int image_lines_take(const struct buf *answer, size_t n, size_t from,
		     void (*each)(void *ctx, const struct dwarf_step *s), void *ctx);

#endif
