/* SPDX-License-Identifier: Apache-2.0 */
/* Walking along a copied stack. */
#include <string.h>

#include "symbols/walk.h"
#include "tests/unit/unit.h"

#define SP 0x7ffe0000ull

/* Three functions at 0x1000, 0x2000 and 0x3000 of a binary that is mapped at 0x400000; nothing from 0x4000 on. */
static struct wire_rules block;
static const struct walk_rules tables[] = { { NULL, 0 }, { &block, 1 } };
static const struct wire_mapping mappings[] = {
	{ .start = 0x400000, .end = 0x410000, .bias = 0x400000, .table = 1, .blocks = 1 },
	{ .start = 0x500000, .end = 0x510000 },
};
static const struct walk_world world = { mappings, 2, tables, 2 };
static uint64_t stack[64];

static void rule(unsigned i, uint32_t pc, enum wire_how how, int cfa, int fp)
{
	block.pc[i] = pc;
	block.rule[i] = (struct wire_rule){ .cfa = cfa, .how = how, .fp = (__s8)fp, .ra = -1 };
}

static void rules(void)
{
	memset(&block.pc, 0xff, sizeof(block.pc));
	rule(0, 0x1000, UNWIND_SP, 16, 0);
	rule(1, 0x2000, UNWIND_FP, 16, -2);
	rule(2, 0x3000, UNWIND_END, 0, 0);
	rule(3, 0x4000, UNWIND_GAP, 0, 0);
}

static size_t walk(uint64_t ip, uint64_t fp, size_t bytes, uint64_t *out, enum wire_walk *why,
		   bool *guessed)
{
	struct walk_copy c = { (const uint8_t *)stack, bytes, { .ip = ip, .sp = SP, .fp = fp } };

	return walk_copied(&world, &c, out, 8, why, guessed);
}

TEST(a_stack_is_walked_by_rules_to_its_end)
{
	enum wire_walk why;
	uint64_t ip[8];
	bool guessed;

	rules();
	stack[1] = 0x402010; /* return address of the first: CFA is SP + 16 */
	stack[4] = 0xabc;    /* the second keeps a frame pointer at SP + 32 */
	stack[5] = 0x403010;
	CHECK_UINT(walk(0x401004, SP + 32, sizeof(stack), ip, &why, &guessed), 3);
	CHECK_UINT(ip[0], 0x401004);
	CHECK_UINT(ip[1], 0x402010);
	CHECK_UINT(ip[2], 0x403010);
	CHECK_INT(why, WALK_WHOLE);
	CHECK(!guessed);
}

/* The last function may call one that never returns: the return address is then that of the next function. */
TEST(a_caller_is_where_it_called_and_not_behind)
{
	enum wire_walk why;
	uint64_t ip[8];
	bool guessed;

	rules();
	stack[1] = 0x403000; /* behind the last byte of the second */
	stack[4] = 0;
	stack[5] = 0x403010;
	CHECK_UINT(walk(0x401004, SP + 32, sizeof(stack), ip, &why, &guessed), 3);
	CHECK_INT(why, WALK_WHOLE);
}

TEST(code_without_rules_is_left_by_frame_pointer)
{
	enum wire_walk why;
	uint64_t ip[8];
	bool guessed;

	rules();
	stack[2] = 0;
	stack[3] = 0x403010;
	CHECK_UINT(walk(0x500004, SP + 16, sizeof(stack), ip, &why, &guessed), 2);
	CHECK_INT(why, WALK_WHOLE);
	CHECK(guessed);
	CHECK_UINT(walk(0x500004, SP - 16, sizeof(stack), ip, &why, &guessed), 1);
	CHECK_INT(why, WALK_GAP);
}

TEST(a_walk_that_fails_says_why)
{
	enum wire_walk why;
	uint64_t ip[8];
	bool guessed;

	rules();
	stack[1] = 0x402010;
	CHECK_UINT(walk(0x401004, SP + 32, 8, ip, &why, &guessed), 1);
	CHECK_INT(why, WALK_SHORT);
	CHECK_UINT(walk(0x401004, SP + 32, 40, ip, &why, &guessed), 2);
	CHECK_INT(why, WALK_SHORT);
	CHECK_UINT(walk(0x401004, SP - 64, sizeof(stack), ip, &why, &guessed), 2);
	CHECK_INT(why, WALK_BACKWARDS);
	stack[1] = 0xdead0000;
	CHECK_UINT(walk(0x401004, SP + 32, sizeof(stack), ip, &why, &guessed), 2);
	CHECK_INT(why, WALK_UNMAPPED);
	rule(0, 0x1000, UNWIND_HARD, 0, 0);
	CHECK_UINT(walk(0x401004, SP + 32, sizeof(stack), ip, &why, &guessed), 1);
	CHECK_INT(why, WALK_HARD);
}

/* A function that calls itself for ever. */
TEST(a_walk_has_an_end)
{
	enum wire_walk why;
	uint64_t ip[8];
	bool guessed;

	rules();
	for (size_t i = 0; i < 64; i++)
		stack[i] = 0x401010;
	CHECK_UINT(walk(0x401004, 0, sizeof(stack), ip, &why, &guessed), 8);
	CHECK_INT(why, WALK_DEEP);
}

/* gcc says "rbp is at CFA − 16" also behind the instruction that has taken it from there. */
TEST(a_frame_pointer_below_the_stack_is_in_its_register_again)
{
	enum wire_walk why;
	uint64_t ip[8];
	bool guessed;

	rules();
	rule(0, 0x1000, UNWIND_SP, 8, -2);
	stack[0] = 0x402010;
	stack[4] = 0;
	stack[5] = 0x403010;
	CHECK_UINT(walk(0x401004, SP + 32, sizeof(stack), ip, &why, &guessed), 3);
	CHECK_INT(why, WALK_WHOLE);
}
