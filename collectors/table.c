/* SPDX-License-Identifier: Apache-2.0 */
/* All collectors, in the order in which they are read: at each end of the window the fast ones last, so that they
 * enclose what is judged, and the costly ones first. */
#include "collectors/collector.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "collectors/table.h"

/* clang-format off */
const struct collector *const collectors[] = {
	&collector_filesystems, /* forks its helper: before anything heavy */
	&collector_slab,
	&collector_swap,
	&collector_nodes,
	&collector_zones,
	&collector_cgroups,
	&collector_cpus,
	&collector_schedstat,
	&collector_interrupts,
	&collector_block,
	&collector_kmsg,
	&collector_sockets,
	&collector_files_edge,
	&collector_tasks,
	&collector_files_second,
	&collector_softnet,
	&collector_links,
	&collector_softirqs,
	&collector_disks,
	&collector_cpu,
	&collector_bpf_time,
	&collector_bpf_stacks,
	NULL
};
/* clang-format on */

uint64_t clock_boot_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

int64_t boot_shift_ns(const struct root *root)
{
	struct text all, line, word;
	struct buf b = { 0 };
	int64_t seconds, ns, shift = 0;

	if (!root_read(root, "proc/self/timens_offsets", &b, 4096)) {
		all = text_n(b.data, b.len);
		while (text_line(&all, &line))
			if (text_word(&line, &word) && text_eq(word, "boottime") &&
			    text_s64(&line, &seconds) && text_s64(&line, &ns))
				shift = seconds * 1000000000 + ns;
	}
	buf_done(&b);
	return shift;
}

void collector_status(const struct collector_env *env, const char *name, int code, const char *fmt,
		      ...)
{
	struct status *s = NULL;
	va_list ap;

	for (size_t i = 0; i < *env->nstatus && !s; i++)
		if (!strcmp((*env->status)[i].name, name))
			s = &(*env->status)[i];
	if (!s) {
		*env->status = mem_grow(*env->status, env->status_cap, *env->nstatus + 1,
					sizeof(**env->status));
		s = &(*env->status)[(*env->nstatus)++];
	}
	s->name = name;
	s->code = code;
	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
}
