/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_BPF_OBJECT_H
#define SIXTY_COLLECTORS_BPF_OBJECT_H

#include <stddef.h>

/* The ELF file of all BPF programs, which is part of this program; 8-aligned. */
const void *bpf_object_bytes(size_t *size);

#endif
