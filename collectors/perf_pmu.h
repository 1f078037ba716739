/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_PERF_PMU_H
#define SIXTY_COLLECTORS_PERF_PMU_H

#include <stddef.h>

#include "base/text.h"
#include "collectors/perf_events.h"

/* "msr/tsc/", "cpu/event=0x3c,umask=1/": the name of a PMU and terms, as the kernel describes both below
 * /sys/bus/event_source/devices. Fills in type, configuration, unit and scale. 0; -ENOENT, -EINVAL with a sentence. */
int perf_pmu_find(const struct root *root, struct text name, struct perf_event *out, struct err *e);

/* The CPUs on which a PMU that is not each CPU's own is counted: sets bits of mask[words]. False: it is each CPU's. */
bool perf_pmu_cpus(const struct root *root, const char *pmu, uint64_t *mask, size_t words);

#endif
