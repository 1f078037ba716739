/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_NAMING_H
#define SIXTY_ENGINE_NAMING_H

#include "collectors/collector.h"

/* What collectors ask for the names of functions of the kernel, who know nothing of symbols: the kernel itself, and where it
 * cannot tell, one pass over /proc/kallsyms (some 50 ms of CPU). */
name_kernel_fn naming_kernel;

#endif
