/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz the reader of speedscope files. */
#include "tests/fuzz/stacks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_reader(read_speedscope, data, size);
}
