/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_BPF_SYSCALLS_H
#define SIXTY_COLLECTORS_BPF_SYSCALLS_H

#include <stddef.h>
#include <stdint.h>

/* calls[number] = enum wire_call: what a thread that sleeps in that syscall waits for. WIRE_SYSCALLS elements, of this
 * architecture. */
void bpf_syscalls_fill(uint8_t *calls);

/* "openat"; "32-bit" for what is numbered in another way; the number for what this build's headers do not know. Returns out. */
char *bpf_syscall_name(char *out, size_t size, unsigned number);

#endif
