/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Programs that are never attached, only run by hand. One does nothing: what the kernel's measuring of run times adds to every
 * program. One finds out whose numbers of processes ours are. */
#include "bpf/numbers.bpf.h"

SEC("raw_tp")
int ledger_empty(void *ctx)
{
	return 0;
}

SEC("raw_tp")
int ledger_ours(void *ctx)
{
	struct ours o;

	find_ours(&o);
	return 0;
}
