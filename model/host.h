/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_HOST_H
#define SIXTY_MODEL_HOST_H

#include <stdbool.h>
#include <stdint.h>

/* What does not change while we look: read once, or from a capture's meta. */
struct host {
	char hostname[128];
	char kernel[128]; /* uname -r */
	char arch[65];
	char virtualization[32]; /* "kvm", "xen", "none", "" when unknown */
	bool container;
	unsigned cpus; /* online when the window opened */
	unsigned possible_cpus;
	uint64_t memory_bytes;
	unsigned ticks_per_second; /* USER_HZ, sysconf(_SC_CLK_TCK) */
	unsigned page_size;
	int64_t boot_wall_ns; /* wall clock at boot */
	bool root;            /* effective UID 0 */
};

#endif
