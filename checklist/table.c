/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked, resource by resource, and what the USE table and the 60-second checklist are made of. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "checklist/makers.h"
#include "checklist/rule.h"

const struct rule *const rules[] = { rules_cpu_cgroup,    rules_cpu,    rules_lock,
				     rules_memory_errors, rules_memory, rules_memory_growth,
				     rules_memory_faults, rules_disk,   rules_fs,
				     rules_net,           rules_app,    rules_app_net,
				     rules_app_red,       rules_kernel, NULL };

const struct use_maker use_makers[] = { { RES_CPU, use_cpu },
					{ RES_MEMORY, use_memory },
					{ RES_DISK, use_disk },
					{ RES_FS, use_fs },
					{ RES_NET, use_net },
					{ RES_APP, use_cgroups },
					{ RES_KERNEL, use_kernel_tables },
					{ 0, NULL } };

const struct step_maker step_makers[] = { { "uptime", step_uptime },
					  { "dmesg", step_dmesg },
					  { "vmstat", step_vmstat },
					  { "mpstat", step_mpstat },
					  { "pidstat", step_pidstat },
					  { "iostat", step_iostat },
					  { "free", step_free },
					  { "sar-dev", step_sar_dev },
					  { "sar-tcp", step_sar_tcp },
					  { "top", step_top },
					  { NULL, NULL } };

const struct rule *rule_by_id(const char *id)
{
	for (size_t t = 0; rules[t]; t++)
		for (const struct rule *r = rules[t]; r->id; r++)
			if (!strcmp(r->id, id))
				return r;
	return NULL;
}

struct finding *rule_fire(const struct rule *r, struct findings *fs)
{
	return finding_add(fs, r->id, r->resource, r->aspect);
}

void rule_unknown(const struct rule *r, struct findings *fs, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	findings_unknown(fs, r->id, "%s", why);
}
