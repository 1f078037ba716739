/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/naming.h"

#include <stdio.h>

#include "base/mem.h"
#include "collectors/bpf_engine.h"
#include "symbols/kallsyms.h"

void naming_kernel(struct bpf_engine *bpf, const struct root *root, const uint64_t *addresses,
		   size_t n, char (*names)[KERNEL_NAME])
{
	struct kallsym *list;

	if (bpf && !bpf_engine_names(bpf, addresses, n, KERNEL_NAME, *names))
		return;
	list = mem_array(n + 1, sizeof(*list));
	for (size_t i = 0; i < n; i++)
		list[i].address = addresses[i];
	kallsyms_resolve(root, list, n);
	for (size_t i = 0; i < n; i++)
		snprintf(names[i], KERNEL_NAME, "%s", list[i].name);
	mem_free(list);
}
