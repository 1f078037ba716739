/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz what reads programs that may be hostile: symbol tables of ELF files, and maps of processes. The first byte chooses. */
#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "symbols/elf.h"
#include "symbols/maps.h"

static void fuzz_elf(const uint8_t *data, size_t size)
{
	static const uint64_t places[] = { 0, 1, 64, 4096, 4100, 0x7fffffff, UINT64_MAX };
	struct elf_place list[sizeof(places) / sizeof(*places)];
	size_t n = sizeof(places) / sizeof(*places);
	int fd = memfd_create("elf", 0);

	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	for (size_t i = 0; i < n; i++)
		list[i].offset = places[i];
	elf_name(fd, list, n);
	for (size_t i = 0; i < n; i++)
		require(memchr(list[i].name, 0, sizeof(list[i].name)) != NULL);
	close(fd);
}

static void fuzz_maps(const uint8_t *data, size_t size)
{
	struct text in = fuzz_copy(data, size);
	struct mapping *list;
	size_t n = maps_parse(in, &list);

	for (size_t i = 0; i < n; i++) {
		struct text name = maps_name(&list[i]);

		require(name.p >= in.p && name.end <= in.end && name.p <= name.end);
		require(maps_find(list, n, list[i].start) == &list[i]);
		require(maps_find(list, n, list[i].end - 1) == &list[i]);
	}
	mem_free(list);
	free((char *)in.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (fuzz_choice(&data, &size) & 1)
		fuzz_maps(data, size);
	else
		fuzz_elf(data, size);
	return 0;
}
