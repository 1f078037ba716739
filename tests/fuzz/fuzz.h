/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_TESTS_FUZZ_H
#define SIXTY_TESTS_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define require(truth) require_at(truth, #truth, __FILE__, __LINE__)

static inline void require_at(bool truth, const char *what, const char *file, int line)
{
	if (truth)
		return;
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

/* A copy without a NUL behind it, so that the sanitizer sees a read past the end. To be freed by the caller. */
static inline struct text fuzz_copy(const uint8_t *data, size_t size)
{
	char *copy = malloc(size ? size : 1);

	require(copy != NULL);
	if (size)
		memcpy(copy, data, size);
	return text_n(copy, size);
}

/* The first byte of the input, which chooses something, is cut off. */
static inline unsigned fuzz_choice(const uint8_t **data, size_t *size)
{
	unsigned choice = *size ? **data : 0;

	if (*size) {
		++*data;
		--*size;
	}
	return choice;
}

static const struct host fuzz_host = {
	.hostname = "fuzz",
	.kernel = "6.1.0",
	.arch = "x86_64",
	.cpus = 2,
	.possible_cpus = 4,
	.memory_bytes = 1u << 30,
	.ticks_per_second = 100,
	.page_size = 4096,
	.root = true,
};

#endif
