/* SPDX-License-Identifier: Apache-2.0 */
/* Call frame information made by hand: what each code does, and what no compiler has written. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "symbols/eh_frame.h"
#include "tests/unit/unit.h"

#define AT 0x1000 /* where the section is loaded */

struct section {
	uint8_t bytes[4096];
	size_t n;
};

static void byte(struct section *s, unsigned v)
{
	s->bytes[s->n++] = (uint8_t)v;
}

static void word(struct section *s, uint64_t v)
{
	for (int i = 0; i < 4; i++)
		byte(s, v >> (8 * i) & 0xff);
}

static void bytes(struct section *s, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s->bytes[s->n + i] = p[i];
	s->n += n;
}

/* An entry whose length is written when it ends. */
static size_t begin(struct section *s)
{
	word(s, 0);
	return s->n;
}

static void end(struct section *s, size_t from)
{
	while ((s->n - from) % 8 != 4)
		byte(s, 0);
	s->bytes[from - 4] = (uint8_t)(s->n - from);
	s->bytes[from - 3] = (uint8_t)((s->n - from) >> 8);
}

/* What gcc writes for x86-64: rsp + 8, the return address at CFA − 8. */
static void cie(struct section *s)
{
	static const uint8_t body[] = { 1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x1b, 0x0c, 7, 8, 0x90, 1 };
	size_t from = begin(s);

	word(s, 0);
	bytes(s, body, sizeof(body));
	end(s, from);
}

/* A function at an address (relative to where that stands, as linkers write it) whose CIE is the first of the section. */
static void fde(struct section *s, uint64_t pc, uint32_t size, const uint8_t *code, size_t n)
{
	size_t from = begin(s);

	word(s, s->n);
	word(s, pc - (AT + s->n));
	word(s, size);
	byte(s, 0);
	bytes(s, code, n);
	end(s, from);
}

static int read_section(const struct section *s, struct unwind_rows *r)
{
	uint8_t *exact = malloc(s->n ? s->n : 1); /* so that a sanitizer sees a read past the end */
	int err;

	memcpy(exact, s->bytes, s->n);
	memset(r, 0, sizeof(*r));
	err = eh_frame_rows(exact, s->n, AT, &unwind_x86_64, r);
	unwind_rows_order(r);
	free(exact);
	return err;
}

#define CHECK_RULE(r, pc, how_, cfa_, fp_)                                \
	do {                                                              \
		const struct wire_rule *rule = unwind_rows_find((r), pc); \
		CHECK_INT(rule->how, how_);                               \
		CHECK_INT(rule->cfa, cfa_);                               \
		CHECK_INT(rule->fp, fp_);                                 \
	} while (0)

TEST(rules_of_a_function_change_from_address_to_address)
{
	/* push rbp; mov rbp, rsp; …; leave; ret */
	static const uint8_t code[] = { 0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x60, 0x0c, 7, 8 };
	struct section s = { .n = 0 };
	struct unwind_rows r;

	cie(&s);
	fde(&s, 0x5000, 0x40, code, sizeof(code));
	CHECK_INT(read_section(&s, &r), 0);
	CHECK_UINT(r.functions, 1);
	CHECK_UINT(r.refused, 0);
	CHECK_RULE(&r, 0x4fff, UNWIND_GAP, 0, 0);
	CHECK_RULE(&r, 0x5000, UNWIND_SP, 8, 0);
	CHECK_RULE(&r, 0x5001, UNWIND_SP, 16, -2);
	CHECK_RULE(&r, 0x5004, UNWIND_FP, 16, -2);
	CHECK_RULE(&r, 0x5023, UNWIND_FP, 16, -2);
	CHECK_RULE(&r, 0x5024, UNWIND_SP, 8, -2);
	CHECK_RULE(&r, 0x503f, UNWIND_SP, 8, -2);
	CHECK_RULE(&r, 0x5040, UNWIND_GAP, 0, 0);
	CHECK_INT(unwind_rows_find(&r, 0x5001)->ra, -1);
	unwind_rows_done(&r);
}

TEST(a_state_that_was_remembered_comes_back)
{
	static const uint8_t code[] = { 0x41, 0x0e, 32, 0x0a, 0x41, 0x0e, 8, 0x41, 0x0b };
	struct section s = { .n = 0 };
	struct unwind_rows r;

	cie(&s);
	fde(&s, 0x5000, 0x40, code, sizeof(code));
	CHECK_INT(read_section(&s, &r), 0);
	CHECK_RULE(&r, 0x5001, UNWIND_SP, 32, 0);
	CHECK_RULE(&r, 0x5002, UNWIND_SP, 8, 0);
	CHECK_RULE(&r, 0x5003, UNWIND_SP, 32, 0);
	unwind_rows_done(&r);
}

/* Seen in libc: the end of one function stood over the beginning of the next, which had the same rule as the one before. */
TEST(a_function_that_begins_where_another_ends_has_its_rule)
{
	struct section s = { .n = 0 };
	struct unwind_rows r;

	cie(&s);
	fde(&s, 0x5000, 0x40, NULL, 0);
	fde(&s, 0x5040, 0x40, NULL, 0);
	CHECK_INT(read_section(&s, &r), 0);
	CHECK_RULE(&r, 0x503f, UNWIND_SP, 8, 0);
	CHECK_RULE(&r, 0x5040, UNWIND_SP, 8, 0);
	CHECK_RULE(&r, 0x507f, UNWIND_SP, 8, 0);
	CHECK_RULE(&r, 0x5080, UNWIND_GAP, 0, 0);
	CHECK_UINT(r.n, 2);
	unwind_rows_done(&r);
}

TEST(expressions_of_linkers_signals_and_aligned_stacks_are_known)
{
	static const uint8_t plt[] = { 0x0f, 11,   0x77, 8,    0x80, 0,   0x3f,
				       0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22 };
	static const uint8_t signal[] = { 0x0f,     4,    0x77, 0xa0, 1,  0x06, 0x10, 6,    2,
					  0x76 + 1, 0xf8, 0x00, 0x10, 16, 3,    0x77, 0xa8, 1 };
	static const uint8_t aligned[] = { 0x0f, 3, 0x76, 0x78, 0x06, 0x10, 6, 2, 0x76, 0 };
	static const uint8_t other[] = { 0x0c, 3, 16 };
	static const uint8_t outermost[] = { 0x07, 16 };
	struct section s = { .n = 0 };
	struct unwind_rows r;

	cie(&s);
	fde(&s, 0x5000, 0x40, plt, sizeof(plt));
	fde(&s, 0x6000, 0x40, signal, sizeof(signal));
	fde(&s, 0x7000, 0x40, aligned, sizeof(aligned));
	fde(&s, 0x8000, 0x40, other, sizeof(other));
	fde(&s, 0x9000, 0x40, outermost, sizeof(outermost));
	CHECK_INT(read_section(&s, &r), 0);
	CHECK_RULE(&r, 0x5000, UNWIND_PLT, 11, 0);
	CHECK_INT(unwind_rows_find(&r, 0x6000)->how,
		  UNWIND_HARD); /* its rbp is said with a byte too few */
	CHECK_RULE(&r, 0x7000, UNWIND_FP_LOAD, -8, 0);
	CHECK_INT(unwind_rows_find(&r, 0x7000)->ra, -1);
	CHECK_INT(unwind_rows_find(&r, 0x8000)->how, UNWIND_HARD);
	CHECK_INT(unwind_rows_find(&r, 0x9000)->how, UNWIND_END);
	unwind_rows_done(&r);
}

TEST(a_signal_frame_tells_where_everything_lies)
{
	static const uint8_t signal[] = { 0x0f, 4,    0x77, 0xa0, 1,  0x06, 0x10, 6,    3,
					  0x77, 0xf8, 0,    0x10, 16, 3,    0x77, 0xa8, 1 };
	struct section s = { .n = 0 };
	struct unwind_rows r;

	cie(&s);
	fde(&s, 0x6000, 0x40, signal, sizeof(signal));
	CHECK_INT(read_section(&s, &r), 0);
	CHECK_RULE(&r, 0x6000, UNWIND_SIGNAL, 160, 15);
	CHECK_INT(unwind_rows_find(&r, 0x6000)->ra, 21);
	unwind_rows_done(&r);
}

/* What cannot be expressed is said to be so, and not guessed at. */
TEST(a_rule_that_does_not_fit_is_hard)
{
	static const uint8_t far[] = { 0x86, 0x81, 1 };    /* rbp 1032 bytes below the CFA */
	static const uint8_t elsewhere[] = { 0x09, 6, 3 }; /* rbp is in rbx */
	static const uint8_t unknown[] = { 0x41, 0x0e, 16, 0x3f }; /* no such code */
	static const uint8_t back[] = { 0x0b };                    /* nothing was remembered */
	static const uint8_t beyond[] = { 0x04, 0xff, 0xff, 0xff, 0xff };
	struct section s = { .n = 0 };
	struct unwind_rows r;

	cie(&s);
	fde(&s, 0x5000, 0x40, far, sizeof(far));
	fde(&s, 0x6000, 0x40, elsewhere, sizeof(elsewhere));
	fde(&s, 0x7000, 0x40, unknown, sizeof(unknown));
	fde(&s, 0x8000, 0x40, back, sizeof(back));
	fde(&s, 0x9000, 0x40, beyond, sizeof(beyond));
	CHECK_INT(read_section(&s, &r), 0);
	CHECK_INT(unwind_rows_find(&r, 0x5000)->how, UNWIND_HARD);
	CHECK_INT(unwind_rows_find(&r, 0x6000)->how, UNWIND_HARD);
	CHECK_RULE(&r, 0x7000, UNWIND_SP, 8, 0);
	CHECK_INT(unwind_rows_find(&r, 0x7001)->how, UNWIND_HARD);
	CHECK_INT(unwind_rows_find(&r, 0x8000)->how, UNWIND_HARD);
	CHECK_INT(unwind_rows_find(&r, 0x9000)->how, UNWIND_HARD);
	CHECK_UINT(r.refused, 3);
	unwind_rows_done(&r);
}

TEST(sections_that_make_no_sense_have_no_rules)
{
	struct section s = { .n = 0 };
	struct unwind_rows r;

	CHECK_INT(read_section(&s, &r), 0);
	CHECK_UINT(r.n, 0);
	word(&s, 0xffffff); /* longer than the section */
	CHECK_INT(read_section(&s, &r), 0);
	CHECK_UINT(r.n, 0);
	s.n = 0;
	word(&s, 12); /* a function whose CIE would be before the section */
	word(&s, 0x7fffffff);
	word(&s, 0x5000);
	word(&s, 0x40);
	CHECK_INT(read_section(&s, &r), 0);
	CHECK_UINT(r.n, 0);
	CHECK_UINT(r.refused, 1);
	s.n = 0;
	word(&s, 12); /* one that is its own CIE */
	word(&s, 4);
	word(&s, 0x5000);
	word(&s, 0x40);
	CHECK_INT(read_section(&s, &r), 0);
	CHECK_UINT(r.n, 0);
}

/* Every cut and every flipped bit of a section that is right: never a read outside, and rows in order. */
TEST(a_damaged_section_is_read_without_harm)
{
	static const uint8_t code[] = { 0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x60, 0x0c, 7, 8 };
	struct section whole = { .n = 0 };
	struct unwind_rows r;

	cie(&whole);
	fde(&whole, 0x5000, 0x40, code, sizeof(code));
	fde(&whole, 0x5100, 0x40, code, sizeof(code));
	for (size_t i = 0; i < 9 * whole.n; i++) {
		struct section s = whole;

		if (i < whole.n)
			s.n = i;
		else
			s.bytes[(i - whole.n) / 8] ^= (uint8_t)(1u << (i - whole.n) % 8);
		read_section(&s, &r);
		for (size_t k = 1; k < r.n; k++)
			CHECK(r.list[k - 1].pc < r.list[k].pc);
		unwind_rows_done(&r);
	}
}
