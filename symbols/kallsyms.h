/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_SYMBOLS_KALLSYMS_H
#define SIXTY_SYMBOLS_KALLSYMS_H

#include <stddef.h>
#include <stdint.h>

struct root;

#define KALLSYMS_NAME 64

struct kallsym {
	uint64_t address; /* asked for */
	uint64_t start;   /* of the symbol; 0: not found */
	char name[KALLSYMS_NAME];
	char module[KALLSYMS_NAME]; /* "" for the kernel itself */
};

/* Names for n kernel addresses (any order, kept), in one pass over /proc/kallsyms. 0, -errno, or -EPERM when the kernel
 * shows addresses as 0 (kernel.kptr_restrict, CAP_SYSLOG). */
int kallsyms_resolve(const struct root *root, struct kallsym *list, size_t n);

/* Addresses of n symbols of the kernel itself; 0: there is none of this name, or it is hidden. 0 or -errno. */
int kallsyms_find(const struct root *root, const char *const *names, size_t n, uint64_t *addresses);

#endif
