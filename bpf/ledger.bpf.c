/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A program that does nothing: what the kernel's measuring of run times adds to every program. It is never attached,
 * only run by hand. */
#include "bpf/common.bpf.h"

SEC("raw_tp")
int ledger_empty(void *ctx)
{
	return 0;
}
