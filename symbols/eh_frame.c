/* SPDX-License-Identifier: Apache-2.0 */
/* .eh_frame: what a compiler says about the stack of each function, address by address (DWARF 5, 6.4; the differences of
 * .eh_frame are in the Linux Standard Base, 10.6). Byte codes are run once, here, and what comes out are rows that can be
 * searched in the kernel.
 *
 *   CIE   what many functions have in common, with a first rule
 *   FDE   a function: its addresses, and how the rule changes from one to the next
 *
 * Only what leads to the caller is kept: the CFA, the frame pointer and the return address. */
#include "symbols/eh_frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define REMEMBERED 16u
#define STEPS_MAX  (64u << 20) /* byte codes of one section: libraries of 100 MB have 10 million */
#define PADDING    16u         /* between functions: nobody is ever there */

const struct unwind_machine unwind_x86_64 = { .sp = 7, .fp = 6, .ra = 16 };
const struct unwind_machine unwind_arm64 = { .sp = 31, .fp = 29, .ra = 30, .ra_in_register = true };

/* ---- bytes ---- */

struct bytes {
	const uint8_t *p, *end;
	bool bad; /* somebody wanted more than there is */
};

static size_t left(const struct bytes *b)
{
	return (size_t)(b->end - b->p);
}

static uint64_t take(struct bytes *b, size_t n)
{
	uint64_t v = 0;

	if (left(b) < n) {
		b->bad = true;
		b->p = b->end;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)b->p[i] << (8 * i);
	b->p += n;
	return v;
}

static int64_t take_signed(struct bytes *b, size_t n)
{
	uint64_t v = take(b, n);

	if (n < 8 && v >> (8 * n - 1))
		v |= ~0ull << (8 * n);
	return (int64_t)v;
}

static uint64_t take_leb(struct bytes *b, bool is_signed)
{
	uint64_t v = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = (uint8_t)take(b, 1);
		if (shift < 64)
			v |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while ((byte & 0x80) && !b->bad);
	if (is_signed && (byte & 0x40) && shift < 64)
		v |= ~0ull << shift;
	return v;
}

static uint64_t uleb(struct bytes *b)
{
	return take_leb(b, false);
}

static int64_t sleb(struct bytes *b)
{
	return (int64_t)take_leb(b, true);
}

/* The next n bytes as bytes of their own. */
static struct bytes cut(struct bytes *b, uint64_t n)
{
	struct bytes part = { b->p, b->p, false };

	if (n > left(b)) {
		b->bad = true;
		n = left(b);
	}
	b->p += n;
	part.end = b->p;
	return part;
}

/* ---- pointers ---- */

enum {
	PE_ABSOLUTE = 0x00,
	PE_ULEB = 0x01,
	PE_U2 = 0x02,
	PE_U4 = 0x03,
	PE_U8 = 0x04,
	PE_SLEB = 0x09,
	PE_S2 = 0x0a,
	PE_S4 = 0x0b,
	PE_S8 = 0x0c,
	PE_RELATIVE = 0x10, /* to where it stands */
	PE_OMIT = 0xff,
};

struct section {
	const uint8_t *data, *end;
	uint64_t address;
};

static uint64_t take_value(struct bytes *b, unsigned form)
{
	switch (form & 0x0f) {
	case PE_ABSOLUTE:
	case PE_U8:
	case PE_S8:
		return take(b, 8);
	case PE_ULEB:
		return uleb(b);
	case PE_U2:
		return take(b, 2);
	case PE_U4:
		return take(b, 4);
	case PE_SLEB:
		return (uint64_t)sleb(b);
	case PE_S2:
		return (uint64_t)take_signed(b, 2);
	case PE_S4:
		return (uint64_t)take_signed(b, 4);
	default:
		b->bad = true;
		return 0;
	}
}

static uint64_t take_pointer(struct bytes *b, unsigned encoding, const struct section *s)
{
	uint64_t here = s->address + (uint64_t)(b->p - s->data), v = take_value(b, encoding);

	switch (encoding & 0xf0) {
	case PE_ABSOLUTE:
		return v;
	case PE_RELATIVE:
		return v + here;
	default: /* relative to something else, or indirect: nobody writes that for functions */
		b->bad = true;
		return 0;
	}
}

/* ---- rules while they are made ---- */

enum where { SAME, AT_CFA, EXPRESSION, LOST, NO_CALLER };

struct saved {
	enum where where;
	int64_t offset;          /* AT_CFA */
	struct bytes expression; /* EXPRESSION: its value is the address */
};

struct state {
	uint64_t cfa_register;
	int64_t cfa_offset;
	bool cfa_is_expression;
	struct bytes cfa_expression;
	struct saved fp, ra;
};

struct cie {
	const uint8_t *start;
	uint64_t code_align;
	int64_t data_align;
	uint64_t ra;
	unsigned encoding; /* of the addresses of functions */
	bool has_size, usable;
	struct state first;
};

struct reader {
	struct section section;
	const struct unwind_machine *machine;
	struct unwind_rows *out;
	struct cie cie; /* the last one: functions that share one mostly follow each other */
	uint64_t steps;
	bool full;
};

#define OP_DEREF 0x06
#define OP_BREG0 0x70

/* "breg N, offset", and "deref" behind it or not. */
static bool is_register_plus(struct bytes x, uint64_t reg, bool deref, int64_t *offset)
{
	if (take(&x, 1) != OP_BREG0 + reg)
		return false;
	*offset = sleb(&x);
	if (deref && take(&x, 1) != OP_DEREF)
		return false;
	return !x.bad && !left(&x);
}

/* What linkers write for the procedure linkage table: rsp + 8 + ((rip & 15) >= N) << 3. */
static bool is_plt(struct bytes x, int64_t *from)
{
	static const uint8_t head[] = { 0x77, 8, 0x80, 0, 0x3f, 0x1a },
			     tail[] = { 0x2a, 0x33, 0x24, 0x22 };

	if (left(&x) != sizeof(head) + 1 + sizeof(tail) || memcmp(x.p, head, sizeof(head)) != 0 ||
	    memcmp(x.p + sizeof(head) + 1, tail, sizeof(tail)) != 0)
		return false;
	*from = x.p[sizeof(head)] - 0x30; /* DW_OP_lit0 */
	return *from >= 0 && *from < 16;
}

static bool fits(int64_t offset, __s8 *units)
{
	if (offset % 8 || offset / 8 < INT8_MIN || offset / 8 > INT8_MAX)
		return false;
	*units = (__s8)(offset / 8);
	return true;
}

/* The frame of a signal: everything lies at fixed distances from the stack pointer. */
static bool make_signal(const struct unwind_machine *m, const struct state *s, struct wire_rule *r)
{
	int64_t cfa, fp, ra;

	if (!is_register_plus(s->cfa_expression, m->sp, true, &cfa) || cfa < 0 || cfa > 4096 ||
	    s->ra.where != EXPRESSION || s->fp.where != EXPRESSION ||
	    !is_register_plus(s->ra.expression, m->sp, false, &ra) ||
	    !is_register_plus(s->fp.expression, m->sp, false, &fp))
		return false;
	r->how = UNWIND_SIGNAL;
	r->cfa = (__s32)cfa;
	return fits(ra, &r->ra) && fits(fp, &r->fp);
}

static bool make_return(const struct unwind_machine *m, const struct state *s, struct wire_rule *r)
{
	if (s->ra.where == SAME)
		return m->ra_in_register;
	return s->ra.where == AT_CFA && s->ra.offset && fits(s->ra.offset, &r->ra);
}

/* Functions that align their stack keep the CFA below the frame pointer, and the old frame pointer where the new one points. */
static bool make_aligned(const struct unwind_machine *m, const struct state *s, struct wire_rule *r)
{
	int64_t cfa, fp;

	if (!is_register_plus(s->cfa_expression, m->fp, true, &cfa) || cfa < -32768 ||
	    cfa > 32767 || s->fp.where != EXPRESSION ||
	    !is_register_plus(s->fp.expression, m->fp, false, &fp))
		return false;
	r->how = UNWIND_FP_LOAD;
	r->cfa = (__s32)cfa;
	return fits(fp, &r->fp) && make_return(m, s, r);
}

static bool make_plain(const struct unwind_machine *m, const struct state *s, struct wire_rule *r)
{
	int64_t from;

	if (s->fp.where == AT_CFA ? !s->fp.offset || !fits(s->fp.offset, &r->fp)
				  : s->fp.where != SAME)
		return false;
	if (!make_return(m, s, r))
		return false;
	if (s->cfa_is_expression) {
		r->how = UNWIND_PLT;
		if (!is_plt(s->cfa_expression, &from))
			return false;
		r->cfa = (__s32)from;
		return true;
	}
	r->how = s->cfa_register == m->sp ? UNWIND_SP : UNWIND_FP;
	r->cfa = (__s32)s->cfa_offset;
	return (s->cfa_register == m->sp || s->cfa_register == m->fp) && s->cfa_offset == r->cfa;
}

static struct wire_rule make_rule(const struct unwind_machine *m, const struct state *s)
{
	static const struct wire_rule none;
	struct wire_rule r = none;

	if (s->ra.where == NO_CALLER) {
		r.how = UNWIND_END;
		return r;
	}
	if (make_plain(m, s, &r))
		return r;
	r = none;
	if (s->cfa_is_expression && make_signal(m, s, &r))
		return r;
	r = none;
	if (s->cfa_is_expression && make_aligned(m, s, &r))
		return r;
	r = none;
	r.how = UNWIND_HARD;
	return r;
}

static void add_row(struct reader *rd, uint64_t pc, struct wire_rule rule)
{
	struct unwind_rows *o = rd->out;

	if (o->n >= UNWIND_ROWS_MAX) {
		rd->full = true;
		return;
	}
	o->list = mem_grow(o->list, &o->cap, o->n + 1, sizeof(*o->list));
	o->list[o->n++] = (struct unwind_row){ pc, rule };
}

/* ---- byte codes ---- */

enum {
	CFA_NOP = 0x00,
	CFA_SET_LOC,
	CFA_ADVANCE1,
	CFA_ADVANCE2,
	CFA_ADVANCE4,
	CFA_OFFSET_EXTENDED,
	CFA_RESTORE_EXTENDED,
	CFA_UNDEFINED,
	CFA_SAME_VALUE,
	CFA_REGISTER,
	CFA_REMEMBER,
	CFA_RESTORE_STATE,
	CFA_DEF,
	CFA_DEF_REGISTER,
	CFA_DEF_OFFSET,
	CFA_DEF_EXPRESSION,
	CFA_EXPRESSION,
	CFA_OFFSET_EXTENDED_SF,
	CFA_DEF_SF,
	CFA_DEF_OFFSET_SF,
	CFA_VAL_OFFSET,
	CFA_VAL_OFFSET_SF,
	CFA_VAL_EXPRESSION,
	CFA_ARM64_NEGATE_RA = 0x2d, /* the return address is signed from here on, or no longer */
	CFA_ARGS_SIZE = 0x2e,
	CFA_NEGATIVE_OFFSET = 0x2f,
	CFA_ADVANCE = 0x40,
	CFA_OFFSET = 0x80,
	CFA_RESTORE = 0xc0,
};

/* The rule of a register that we follow, or NULL. */
static struct saved *saved_of(const struct reader *rd, struct state *s, uint64_t reg)
{
	if (reg == rd->machine->fp)
		return &s->fp;
	return reg == rd->cie.ra ? &s->ra : NULL;
}

static void set_saved(const struct reader *rd, struct state *s, uint64_t reg, enum where where,
		      int64_t offset)
{
	struct saved *r = saved_of(rd, s, reg);

	if (r)
		*r = (struct saved){ .where = where, .offset = offset };
}

static void restore(const struct reader *rd, struct state *s, uint64_t reg)
{
	struct state first = rd->cie.first;
	struct saved *r = saved_of(rd, s, reg);

	if (r)
		*r = *saved_of(rd, &first, reg);
}

/* a × b, where a hostile file may choose both. */
static int64_t times(uint64_t a, int64_t b)
{
	return (int64_t)(a * (uint64_t)b);
}

struct run {
	struct bytes code;
	struct state now, remembered[REMEMBERED];
	unsigned nremembered;
	uint64_t pc, end; /* of the function; both 0 in a CIE, whose code moves nowhere */
};

/* The rule so far holds up to where the next one begins. */
static bool advance(struct reader *rd, struct run *r, uint64_t to)
{
	if (to < r->pc || to > r->end)
		return false;
	if (to > r->pc)
		add_row(rd, r->pc, make_rule(rd->machine, &r->now));
	r->pc = to;
	return true;
}

static bool advance_by(struct reader *rd, struct run *r, uint64_t units)
{
	uint64_t by = units * rd->cie.code_align;

	if (by > r->end - r->pc)
		return false;
	return advance(rd, r, r->pc + by);
}

static void define(struct run *r, uint64_t reg, int64_t offset)
{
	r->now.cfa_register = reg;
	r->now.cfa_offset = offset;
	r->now.cfa_is_expression = false;
}

/* Rules for where a register lies. False: it is none of those. */
static bool run_register(struct reader *rd, struct run *r, unsigned op)
{
	int64_t align = rd->cie.data_align;
	struct bytes *c = &r->code;
	struct saved *saved;
	uint64_t reg;

	if (op < CFA_OFFSET_EXTENDED || op == CFA_REMEMBER || op == CFA_RESTORE_STATE ||
	    (op >= CFA_DEF && op <= CFA_DEF_EXPRESSION) || op == CFA_DEF_SF ||
	    op == CFA_DEF_OFFSET_SF || (op > CFA_VAL_EXPRESSION && op != CFA_NEGATIVE_OFFSET))
		return false;
	reg = uleb(c);
	switch (op) {
	case CFA_OFFSET_EXTENDED:
		set_saved(rd, &r->now, reg, AT_CFA, times(uleb(c), align));
		break;
	case CFA_OFFSET_EXTENDED_SF:
		set_saved(rd, &r->now, reg, AT_CFA, times((uint64_t)sleb(c), align));
		break;
	case CFA_NEGATIVE_OFFSET:
		set_saved(rd, &r->now, reg, AT_CFA, -times(uleb(c), align));
		break;
	case CFA_RESTORE_EXTENDED:
		restore(rd, &r->now, reg);
		break;
	case CFA_UNDEFINED:
		set_saved(rd, &r->now, reg, reg == rd->cie.ra ? NO_CALLER : LOST, 0);
		break;
	case CFA_SAME_VALUE:
		set_saved(rd, &r->now, reg, SAME, 0);
		break;
	case CFA_EXPRESSION:
		saved = saved_of(rd, &r->now, reg);
		if (saved)
			*saved = (struct saved){ .where = EXPRESSION,
						 .expression = cut(c, uleb(c)) };
		else
			cut(c, uleb(c));
		break;
	case CFA_VAL_EXPRESSION:
		cut(c, uleb(c));
		set_saved(rd, &r->now, reg, LOST, 0);
		break;
	default: /* in another register, or a value of its own */
		if (op == CFA_VAL_OFFSET_SF)
			sleb(c);
		else
			uleb(c);
		set_saved(rd, &r->now, reg, LOST, 0);
		break;
	}
	return true;
}

/* Rules for the CFA. False: it is none of those. */
static bool run_cfa(struct reader *rd, struct run *r, unsigned op)
{
	struct bytes *c = &r->code;
	uint64_t reg;

	switch (op) {
	case CFA_DEF:
		reg = uleb(c);
		define(r, reg, (int64_t)uleb(c));
		return true;
	case CFA_DEF_SF:
		reg = uleb(c);
		define(r, reg, times((uint64_t)sleb(c), rd->cie.data_align));
		return true;
	case CFA_DEF_REGISTER:
		define(r, uleb(c), r->now.cfa_offset);
		return true;
	case CFA_DEF_OFFSET:
		define(r, r->now.cfa_register, (int64_t)uleb(c));
		return true;
	case CFA_DEF_OFFSET_SF:
		define(r, r->now.cfa_register, times((uint64_t)sleb(c), rd->cie.data_align));
		return true;
	case CFA_DEF_EXPRESSION:
		r->now.cfa_expression = cut(c, uleb(c));
		r->now.cfa_is_expression = true;
		return true;
	default:
		return false;
	}
}

/* One code. False: the rest cannot be understood. */
static bool step(struct reader *rd, struct run *r)
{
	struct bytes *c = &r->code;
	unsigned op = (unsigned)take(c, 1);

	switch (op & 0xc0) {
	case CFA_ADVANCE:
		return advance_by(rd, r, op & 0x3f);
	case CFA_OFFSET:
		set_saved(rd, &r->now, op & 0x3f, AT_CFA, times(uleb(c), rd->cie.data_align));
		return true;
	case CFA_RESTORE:
		restore(rd, &r->now, op & 0x3f);
		return true;
	default:
		break;
	}
	if (run_cfa(rd, r, op) || run_register(rd, r, op))
		return true;
	switch (op) {
	case CFA_NOP:
	case CFA_ARM64_NEGATE_RA:
		return true;
	case CFA_SET_LOC:
		return advance(rd, r, take_pointer(c, rd->cie.encoding, &rd->section));
	case CFA_ADVANCE1:
		return advance_by(rd, r, take(c, 1));
	case CFA_ADVANCE2:
		return advance_by(rd, r, take(c, 2));
	case CFA_ADVANCE4:
		return advance_by(rd, r, take(c, 4));
	case CFA_REMEMBER:
		if (r->nremembered == REMEMBERED)
			return false;
		r->remembered[r->nremembered++] = r->now;
		return true;
	case CFA_RESTORE_STATE:
		if (!r->nremembered)
			return false;
		r->now = r->remembered[--r->nremembered];
		return true;
	case CFA_ARGS_SIZE:
		uleb(c);
		return true;
	default:
		return false;
	}
}

static bool run_all(struct reader *rd, struct run *r)
{
	while (left(&r->code)) {
		if (++rd->steps > STEPS_MAX) {
			rd->full = true;
			return false;
		}
		if (!step(rd, r) || r->code.bad || rd->full)
			return false;
	}
	return true;
}

/* ---- CIE and FDE ---- */

/* The length of what follows, cut off; false at the terminator and at the end. */
static bool take_entry(struct bytes *b, struct bytes *entry)
{
	uint64_t n;

	if (left(b) < 4)
		return false;
	n = take(b, 4);
	if (n == 0xffffffff)
		n = take(b, 8);
	if (!n || b->bad)
		return false;
	*entry = cut(b, n);
	return !b->bad;
}

/* zPLRS: personality, language data, encoding of addresses, a signal's frame. */
static bool read_augmentation(struct bytes *b, const char *text, struct cie *c)
{
	struct bytes data;

	c->encoding = PE_ABSOLUTE;
	if (!*text)
		return true;
	if (*text != 'z')
		return false;
	c->has_size = true;
	data = cut(b, uleb(b));
	for (text++; *text; text++) {
		unsigned form;

		switch (*text) {
		case 'L':
			take(&data, 1);
			break;
		case 'P':
			form = (unsigned)take(&data, 1);
			if (form != PE_OMIT)
				take_value(&data, form);
			break;
		case 'R':
			c->encoding = (unsigned)take(&data, 1);
			break;
		case 'S': /* a signal's frame: its rules say so too */
		case 'B': /* return addresses are signed with the other key */
		case 'G':
			break;
		default:
			return false;
		}
	}
	return !b->bad && !data.bad;
}

static bool parse_cie(struct reader *rd, struct bytes b)
{
	struct cie *c = &rd->cie;
	const char *text;
	const void *nul;
	struct run r = { 0 };
	unsigned version;

	version = (unsigned)take(&b, 1);
	if (version != 1 && version != 3 && version != 4)
		return false;
	nul = left(&b) ? memchr(b.p, 0, left(&b)) : NULL;
	if (!nul)
		return false;
	text = (const char *)b.p;
	b.p = (const uint8_t *)nul + 1;
	if (version == 4 && (take(&b, 1) != 8 || take(&b, 1) != 0))
		return false; /* addresses of other sizes, segments */
	c->code_align = uleb(&b);
	c->data_align = sleb(&b);
	c->ra = version == 1 ? take(&b, 1) : uleb(&b);
	if (b.bad || c->ra != rd->machine->ra || !read_augmentation(&b, text, c))
		return false;
	r.code = b;
	if (!run_all(rd, &r))
		return false;
	c->first = r.now;
	return true;
}

/* at: of its length, where an FDE says its CIE is. */
static bool read_cie(struct reader *rd, const uint8_t *at)
{
	struct bytes b = { at, rd->section.end, false }, entry;

	if (rd->cie.start == at)
		return rd->cie.usable;
	memset(&rd->cie, 0, sizeof(rd->cie));
	rd->cie.start = at;
	if (!take_entry(&b, &entry) || take(&entry, 4) != 0)
		return false;
	rd->cie.usable = parse_cie(rd, entry);
	return rd->cie.usable;
}

static void add_start(struct unwind_rows *o, uint64_t pc)
{
	if (o->functions >= UNWIND_ROWS_MAX)
		return;
	o->starts = mem_grow(o->starts, &o->starts_cap, o->functions + 1, sizeof(*o->starts));
	o->starts[o->functions++] = pc;
}

static bool read_fde(struct reader *rd, struct bytes b, const uint8_t *id_at, uint64_t id)
{
	static const struct wire_rule gap = { .how = UNWIND_GAP };
	struct run r = { 0 };
	uint64_t size;
	bool whole;

	if (id > (uint64_t)(id_at - rd->section.data) || !read_cie(rd, id_at - id))
		return false;
	r.pc = take_pointer(&b, rd->cie.encoding, &rd->section);
	size = take_value(&b, rd->cie.encoding);
	if (rd->cie.has_size)
		cut(&b, uleb(&b));
	if (b.bad || !size || r.pc + size < r.pc)
		return false;
	r.end = r.pc + size;
	r.code = b;
	r.now = rd->cie.first;
	add_start(rd->out, r.pc);
	whole = run_all(rd, &r);
	if (r.pc < r.end)
		add_row(rd, r.pc,
			whole ? make_rule(rd->machine, &r.now)
			      : (struct wire_rule){ .how = UNWIND_HARD });
	add_row(rd, r.end, gap);
	return whole;
}

int eh_frame_rows(const uint8_t *data, size_t size, uint64_t address,
		  const struct unwind_machine *m, struct unwind_rows *out)
{
	struct reader rd = { .section = { data, data + size, address }, .machine = m, .out = out };
	struct bytes b = { data, data + size, false }, entry;

	while (!rd.full && take_entry(&b, &entry)) {
		const uint8_t *at = entry.p;
		uint64_t id = take(&entry, 4);

		if (id && !read_fde(&rd, entry, at, id))
			out->refused++;
	}
	return rd.full ? -E2BIG : 0;
}

/* ---- rows ---- */

/* Where one function ends and another begins, the beginning counts. */
static int by_address(const void *a, const void *b)
{
	const struct unwind_row *x = a, *y = b;

	if (x->pc != y->pc)
		return x->pc < y->pc ? -1 : 1;
	return (x->rule.how == UNWIND_GAP) - (y->rule.how == UNWIND_GAP);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static bool is_same(const struct wire_rule *a, const struct wire_rule *b)
{
	return a->how == b->how && a->cfa == b->cfa && a->fp == b->fp && a->ra == b->ra;
}

static bool is_padding(const struct unwind_rows *r, size_t i)
{
	return r->list[i].rule.how == UNWIND_GAP && i + 1 < r->n &&
	       r->list[i + 1].pc - r->list[i].pc < PADDING;
}

void unwind_rows_order(struct unwind_rows *r)
{
	size_t kept = 0;
	uint64_t last = 0;

	if (r->n)
		qsort(r->list, r->n, sizeof(*r->list), by_address);
	if (r->functions)
		qsort(r->starts, r->functions, sizeof(*r->starts), by_value);
	for (size_t i = 0; i < r->n; i++) {
		struct unwind_row row = r->list[i];

		/* the first of an address counts, also when it was left out for saying nothing new */
		if ((i && last == row.pc) || is_padding(r, i))
			continue;
		last = row.pc;
		if (!kept || !is_same(&r->list[kept - 1].rule, &row.rule))
			r->list[kept++] = row;
	}
	r->n = kept;
}

void unwind_rows_done(struct unwind_rows *r)
{
	mem_free(r->list);
	mem_free(r->starts);
	memset(r, 0, sizeof(*r));
}

uint64_t unwind_rows_start(const struct unwind_rows *r, uint64_t pc)
{
	size_t lo = 0, hi = r->functions;

	if (unwind_rows_find(r, pc)->how == UNWIND_GAP)
		return UINT64_MAX;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->starts[mid] <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? r->starts[lo - 1] : UINT64_MAX;
}

const struct wire_rule *unwind_rows_find(const struct unwind_rows *r, uint64_t pc)
{
	static const struct wire_rule gap = { .how = UNWIND_GAP };
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->list[mid].pc <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? &r->list[lo - 1].rule : &gap;
}
