/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz debug information of programs that may be hostile, what a child that such a one has taken over may send, dumps of code made at run
 * time, and strings of interpreters. The first byte chooses. */
#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "symbols/dwarf.h"
#include "symbols/image_lines.h"
#include "symbols/jitdump.h"
#include "symbols/python.h"

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

static void fuzz_dump(const uint8_t *data, size_t size)
{
	int fd = memfd_create("dump", 0);
	struct buf names = { 0 };
	struct perfmap map;

	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	jitdump_read(fd, &map, &names);
	for (size_t i = 0; i < map.n; i++) {
		require(map.list[i].name.p >= names.data);
		require(map.list[i].name.end <= names.data + names.len);
		require(text_len(perfmap_find(&map, map.list[i].start)) > 0);
	}
	mem_free(map.list);
	buf_done(&names);
	close(fd);
}

static void fuzz_text(const uint8_t *data, size_t size)
{
	unsigned wide = fuzz_choice(&data, &size) & 7;
	char out[100];

	python_text(out, sizeof(out), (const char *)data, size, wide);
	require(memchr(out, 0, sizeof(out)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	switch (fuzz_choice(&data, &size) & 3) {
	case 0:
		fuzz_file(data, size);
		break;
	case 1:
		fuzz_answer(data, size);
		break;
	case 2:
		fuzz_dump(data, size);
		break;
	default:
		fuzz_text(data, size);
	}
	return 0;
}
