/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CMD_GENERATE_H
#define SIXTY_CMD_GENERATE_H

#include "base/buf.h"

/* Files for others, made from the tables of commands and options. */
void generate_man(struct buf *out);
void generate_bash(struct buf *out);
void generate_zsh(struct buf *out);
void generate_fish(struct buf *out);

#endif
