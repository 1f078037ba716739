/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CHECKLIST_MAKERS_H
#define SIXTY_CHECKLIST_MAKERS_H

#include "model/report.h"
#include "model/view.h"

/* Each fills its rows of the USE table, or its sheet of the checklist; each lives in the file of its resource. */
void use_cpu(const struct view *v, struct report *out);
void use_memory(const struct view *v, struct report *out);
void use_disk(const struct view *v, struct report *out);
void use_fs(const struct view *v, struct report *out);
void use_net(const struct view *v, struct report *out);
void use_cgroups(const struct view *v, struct report *out);
void use_kernel_tables(const struct view *v, struct report *out);

void step_uptime(const struct view *v, struct report *out);
void step_dmesg(const struct view *v, struct report *out);
void step_vmstat(const struct view *v, struct report *out);
void step_mpstat(const struct view *v, struct report *out);
void step_pidstat(const struct view *v, struct report *out);
void step_iostat(const struct view *v, struct report *out);
void step_free(const struct view *v, struct report *out);
void step_sar_dev(const struct view *v, struct report *out);
void step_sar_tcp(const struct view *v, struct report *out);
void step_top(const struct view *v, struct report *out);

#endif
