/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_SYMBOLS_ELF_DEBUG_H
#define SIXTY_SYMBOLS_ELF_DEBUG_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>

/* Symbols that a binary was stripped of, and where they were put. */

/* An open file with them: by build-id below /usr/lib/debug, then by .gnu_debuglink if the build-id is the same. -1: none.
 * fd: of the binary. */
int elf_debug_file(Elf *elf, int fd);

/* May files that are not here be fetched from the servers of DEBUGINFOD_URLS? No, until this says so. libdebuginfod keeps what it has
 * fetched in its own cache. */
void elf_debug_servers(bool allowed);

/* The section .gnu_debugdata (mini debug information: a compressed ELF file), unpacked; free() it. NULL: none. */
char *elf_debug_data(Elf *elf, size_t *size);

#endif
