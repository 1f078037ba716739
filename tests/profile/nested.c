/* SPDX-License-Identifier: Apache-2.0 */
/* Two functions that are always inlined, one in the other, and one that is not: nested SECONDS of CPU time */
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
static volatile uint64_t sink;
static inline __attribute__((always_inline)) void innermost(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		sink += i * i;
}
static inline __attribute__((always_inline)) void middle(uint64_t n)
{
	innermost(n);
}
__attribute__((noinline)) void outer(void)
{
	middle(200000);
}
int main(int argc, char **argv)
{
	clock_t end = (argc > 1 ? atoi(argv[1]) : 2) * CLOCKS_PER_SEC;

	while (clock() < end)
		outer();
}
