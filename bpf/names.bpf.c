/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of kernel addresses, from the table that the kernel has in memory: a microsecond each, where user space would have
 * to read all of /proc/kallsyms for one. Never attached, only run by hand. */
#include "bpf/common.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_symbols);
} names_asked SEC(".maps");

SEC("raw_tp")
int names_kernel(void *ctx)
{
	static const char format[] =
		"%ps"; /* "vfs_read", "ext4_sync_fs [ext4]", an address where there is none */
	__u32 zero = 0;
	struct wire_symbols *s = bpf_map_lookup_elem(&names_asked, &zero);

	if (!s)
		return 0;
	for (int i = 0; i < WIRE_SYMBOLS && s->ip[i]; i++) {
		__u64 ip = s->ip[i];

		bpf_snprintf(s->name[i], WIRE_SYMBOL, format, &ip, sizeof(ip));
	}
	return 0;
}
