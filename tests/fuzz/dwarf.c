/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz debug information of programs that may be hostile, and what a child that such a one has taken over may send. The first byte
 * chooses. */
#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "symbols/dwarf.h"
#include "symbols/image_lines.h"

#define PLACES 64

static void look(void *ctx, const struct dwarf_step *s)
{
	const size_t *most = ctx;

	require(s->place < *most);
	require(strlen(s->name) + strlen(s->file) < 1u << 20);
}

static void fuzz_file(const uint8_t *data, size_t size)
{
	struct dwarf_question q = { .n = PLACES, .lines = true };
	uint64_t places[PLACES];
	size_t most = PLACES;

	for (size_t i = 0; i < PLACES; i++)
		places[i] = i * 67;
	q.fd = memfd_create("dwarf", 0);
	q.places = places;
	q.until_ns = clock_ns(CLOCK_MONOTONIC) + 1000000000u;
	require(q.fd >= 0 && write(q.fd, data, size) == (ssize_t)size);
	dwarf_find(&q, look, &most);
	close(q.fd);
}

static void fuzz_answer(const uint8_t *data, size_t size)
{
	struct buf b = { 0 };
	size_t most = 105;

	buf_add(&b, data, size);
	image_lines_take(&b, 5, 100, look, &most);
	buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (fuzz_choice(&data, &size) & 1)
		fuzz_answer(data, size);
	else
		fuzz_file(data, size);
	return 0;
}
