/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz what leads from frame to frame: call frame information, whole binaries, copies of stacks, maps of code made at run time. The
 * first byte chooses. */
#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "symbols/perfmap.h"
#include "symbols/unwind.h"
#include "symbols/walk.h"

static void require_order(const struct unwind_rows *r)
{
	for (size_t i = 1; i < r->n; i++)
		require(r->list[i - 1].pc < r->list[i].pc);
	for (size_t i = 0; i < r->n; i++)
		require(r->list[i].rule.how <= UNWIND_HARD);
}

static void fuzz_section(const uint8_t *data, size_t size)
{
	const struct unwind_machine *machines[] = { &unwind_x86_64, &unwind_arm64 };
	unsigned which = fuzz_choice(&data, &size);
	struct text in = fuzz_copy(data, size);
	struct unwind_rows r = { 0 };

	eh_frame_rows((const uint8_t *)in.p, size, which & 2 ? 0x400000 : UINT64_MAX - 64,
		      machines[which & 1], &r);
	unwind_rows_order(&r);
	require_order(&r);
	unwind_rows_done(&r);
	free((char *)in.p);
}

static void fuzz_binary(const uint8_t *data, size_t size)
{
	struct text in = fuzz_copy(data, size);
	int fd = memfd_create("elf", 0);
	struct unwind_file f, g;

	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	require(unwind_read(fd, &f) == unwind_read_memory(in.p, size, &g));
	require(f.rows.n == g.rows.n && f.nsegments <= UNWIND_SEGMENTS);
	require_order(&f.rows);
	for (size_t i = 0; i < f.nsegments; i++)
		require(unwind_address(&f, f.segments[i].offset) != UINT64_MAX ||
			f.segments[i].address == UINT64_MAX);
	unwind_file_done(&f);
	unwind_file_done(&g);
	close(fd);
	free((char *)in.p);
}

/* Rules, registers and a stack of any kind. */
static void fuzz_walk(const uint8_t *data, size_t size)
{
	static const struct wire_mapping mappings[] = {
		{ .start = 0x1000, .end = 0x2000, .bias = 0x1000, .table = 1, .blocks = 1 },
		{ .start = 0x3000, .end = 0x4000 },
	};
	struct wire_rules block;
	struct walk_rules tables[2] = { { NULL, 0 }, { &block, 1 } };
	struct walk_world world = { mappings, 2, tables, 2 };
	struct walk_copy c = { .regs = { .ip = 0x1004 } };
	enum wire_walk why = WALK_MAX;
	uint64_t ip[WIRE_USER_FRAMES];
	struct text in;
	bool guessed;
	size_t n;

	if (size < sizeof(block) + sizeof(c.regs))
		return;
	memcpy(&block, data, sizeof(block));
	for (unsigned i = 0; i < WIRE_RULES; i++)
		block.pc[i] = i * 16;
	memcpy(&c.regs, data + sizeof(block), sizeof(c.regs));
	data += sizeof(block) + sizeof(c.regs);
	size -= sizeof(block) + sizeof(c.regs);
	in = fuzz_copy(data, size);
	c.bytes = (const uint8_t *)in.p;
	c.size = size;
	n = walk_copied(&world, &c, ip, WIRE_USER_FRAMES, &why, &guessed);
	require(n >= 1 && n <= WIRE_USER_FRAMES && why < WALK_MAX);
	free((char *)in.p);
}

static void fuzz_perfmap(const uint8_t *data, size_t size)
{
	struct text in = fuzz_copy(data, size);
	struct perfmap m;

	perfmap_parse(in, &m);
	for (size_t i = 0; i < m.n; i++) {
		struct text name = perfmap_find(&m, m.list[i].start);

		require(text_len(name) && name.p >= in.p && name.end <= in.end);
	}
	perfmap_find(&m, UINT64_MAX);
	mem_free(m.list);
	free((char *)in.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	switch (fuzz_choice(&data, &size) & 3) {
	case 0:
		fuzz_section(data, size);
		break;
	case 1:
		fuzz_binary(data, size);
		break;
	case 2:
		fuzz_walk(data, size);
		break;
	default:
		fuzz_perfmap(data, size);
		break;
	}
	return 0;
}
