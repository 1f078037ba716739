/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_TABLE_H
#define SIXTY_COLLECTORS_TABLE_H

#include "collectors/collector.h"

extern const struct collector collector_files_second, collector_files_edge;
extern const struct collector collector_tasks;
extern const struct collector collector_bpf_time, collector_bpf_stacks, collector_cpu,
	collector_cpus, collector_schedstat, collector_interrupts, collector_softirqs;
extern const struct collector collector_cgroups, collector_slab, collector_swap, collector_zones,
	collector_nodes;
extern const struct collector collector_disks, collector_block, collector_filesystems,
	collector_kmsg;

extern const struct collector collector_softnet, collector_sockets, collector_links;

#endif
