/* SPDX-License-Identifier: Apache-2.0 */
/* Debug information is a tree for each source file that was compiled ("unit"). What is wanted is found from the outside in, so that
 * of a large binary only a little is read:
 *
 *   ranges of all units ─▶ the unit of an address ─▶ ranges of its functions ─▶ the function ─▶ what is inlined there, and in that
 *
 * Tables of addresses that compilers may write besides (.debug_aranges) are left alone: not all of them do. */
#include "symbols/dwarf.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "symbols/elf.h"
#include "symbols/elf_debug.h"
#include "symbols/sought.h"

#define RANGES_MAX (1u << 22)
#define DEPTH_MAX  32      /* of namespaces, and of blocks */
#define LOOK_AT    1000000 /* entries, for one address */
#define CLOCK_EACH 256     /* entries between two looks at the clock */

struct range {
	uint64_t low, high;
	size_t of; /* index of a unit, or of a function */
};

struct ranges {
	struct range *list;
	size_t n, cap;
	uint64_t longest; /* of one */
};

struct finder {
	const struct dwarf_question *q;
	Dwarf *dwarf;
	Dwarf_Die *units;
	size_t nunits, units_cap;
	struct ranges of_units;
	/* of the unit that is looked at */
	Dwarf_Die *functions;
	size_t nfunctions, functions_cap;
	struct ranges of_functions;
	Dwarf_Files *files;
	size_t looked;
	bool late;
	void (*each)(void *ctx, const struct dwarf_step *s);
	void *ctx;
};

static bool is_late(struct finder *f)
{
	if (!f->late && f->looked++ % CLOCK_EACH == 0)
		f->late = clock_ns(CLOCK_MONOTONIC) >= f->q->until_ns;
	return f->late;
}

/* ---- ranges ---- */

static void add_ranges(struct ranges *r, Dwarf_Die *die, size_t of)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t at = 0;

	while (r->n < RANGES_MAX && (at = dwarf_ranges(die, at, &base, &low, &high)) > 0) {
		if (low >= high)
			continue;
		r->list = mem_grow(r->list, &r->cap, r->n + 1, sizeof(*r->list));
		r->list[r->n++] = (struct range){ low, high, of };
		if (high - low > r->longest)
			r->longest = high - low;
	}
}

static int by_low(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->low > y->low) - (x->low < y->low);
}

static void order(struct ranges *r)
{
	if (r->n)
		qsort(r->list, r->n, sizeof(*r->list), by_low);
}

/* The last that begins at or before the address and covers it; SIZE_MAX: none. */
static size_t covering(const struct ranges *r, uint64_t address)
{
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->list[mid].low <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (size_t i = lo, looked = 0; i-- && looked < 64; looked++) {
		if (address < r->list[i].high)
			return r->list[i].of;
		if (address - r->list[i].low >= r->longest)
			break;
	}
	return SIZE_MAX;
}

/* ---- units and functions ---- */

static void read_units(struct finder *f)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die die, split;
	uint8_t type;

	while (!is_late(f) && f->nunits < RANGES_MAX &&
	       dwarf_get_units(f->dwarf, cu, &cu, NULL, &type, &die, &split) == 0) {
		if (type != DW_UT_compile && type != DW_UT_skeleton)
			continue;
		f->units = mem_grow(f->units, &f->units_cap, f->nunits + 1, sizeof(*f->units));
		f->units[f->nunits] = die;
		add_ranges(&f->of_units, &die, f->nunits++);
	}
	order(&f->of_units);
}

/* Functions lie at the top, or in namespaces and types. */
static bool may_hold_functions(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_structure_type ||
	       tag == DW_TAG_class_type || tag == DW_TAG_union_type ||
	       tag == DW_TAG_enumeration_type || tag == DW_TAG_module;
}

static void read_functions(struct finder *f, Dwarf_Die *parent, unsigned depth)
{
	Dwarf_Die die;
	int more = dwarf_child(parent, &die);

	while (!more && !is_late(f) && f->nfunctions < RANGES_MAX) {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_subprogram) {
			f->functions = mem_grow(f->functions, &f->functions_cap, f->nfunctions + 1,
						sizeof(*f->functions));
			f->functions[f->nfunctions] = die;
			add_ranges(&f->of_functions, &die, f->nfunctions++);
		} else if (depth < DEPTH_MAX && may_hold_functions(tag)) {
			read_functions(f, &die, depth + 1);
		}
		more = dwarf_siblingof(&die, &die);
	}
}

/* ---- one place ---- */

static const char *name_of(Dwarf_Die *die, char *out, size_t size)
{
	Dwarf_Attribute a;
	const char *raw = NULL;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &a) ||
	    dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &a))
		raw = dwarf_formstring(&a);
	if (raw && *raw)
		return elf_plain_name(raw, out, size);
	raw = dwarf_diename(die);
	return raw ? raw : "";
}

static uint32_t number_of(Dwarf_Die *die, unsigned attribute)
{
	Dwarf_Attribute a;
	Dwarf_Word v;

	if (!dwarf_attr(die, attribute, &a) || dwarf_formudata(&a, &v) || v > UINT32_MAX)
		return 0;
	return (uint32_t)v;
}

struct position {
	const char *file;
	uint32_t line;
};

static struct position position_of(struct finder *f, Dwarf_Die *unit, uint64_t address)
{
	struct position p = { "", 0 };
	Dwarf_Line *line = f->q->lines ? dwarf_getsrc_die(unit, address) : NULL;
	const char *file = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
	int n = 0;

	if (line && file && !dwarf_lineno(line, &n) && n > 0) {
		p.file = file;
		p.line = (uint32_t)n;
	}
	return p;
}

/* Where what was inlined was called. */
static struct position call_of(struct finder *f, Dwarf_Die *die)
{
	struct position p = { "", 0 };
	const char *file;

	if (!f->q->lines || !f->files)
		return p;
	p.line = number_of(die, DW_AT_call_line);
	file = dwarf_filesrc(f->files, number_of(die, DW_AT_call_file), NULL, NULL);
	if (file)
		p.file = file;
	return p;
}

/* The block or inlined function below `die` that has the address. */
static bool step_in(struct finder *f, Dwarf_Die *die, uint64_t address, size_t *looked,
		    Dwarf_Die *out)
{
	Dwarf_Die child;
	int more = dwarf_child(die, &child);

	while (!more && !is_late(f) && ++*looked < LOOK_AT) {
		int tag = dwarf_tag(&child);

		if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
		     tag == DW_TAG_try_block || tag == DW_TAG_catch_block) &&
		    dwarf_haspc(&child, address) > 0) {
			*out = child;
			return true;
		}
		more = dwarf_siblingof(&child, &child);
	}
	return false;
}

static void tell(struct finder *f, size_t place, Dwarf_Die *die, const struct position *p,
		 bool inlined)
{
	char name[ELF_SYMBOL];

	f->each(f->ctx, &(struct dwarf_step){ .place = place,
					      .name = name_of(die, name, sizeof(name)),
					      .file = p->file,
					      .line = p->line,
					      .inlined = inlined });
}

static void find_place(struct finder *f, Dwarf_Die *unit, size_t place, uint64_t address)
{
	size_t which = covering(&f->of_functions, address), n = 0, looked = 0;
	Dwarf_Die at, inlined[DWARF_INLINED];
	struct position p;

	if (which == SIZE_MAX)
		return;
	at = f->functions[which];
	for (unsigned depth = 0; depth < DEPTH_MAX * 2 && n < DWARF_INLINED; depth++) {
		if (!step_in(f, &at, address, &looked, &at))
			break;
		if (dwarf_tag(&at) == DW_TAG_inlined_subroutine)
			inlined[n++] = at;
	}
	if (f->late)
		return;
	p = position_of(f, unit, address);
	while (n--) {
		tell(f, place, &inlined[n], &p, true);
		p = call_of(f, &inlined[n]);
	}
	tell(f, place, &f->functions[which], &p, false);
}

/* ---- all of them ---- */

struct wanted {
	size_t unit, place;
	uint64_t address;
};

static int by_unit(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	if (x->unit != y->unit)
		return x->unit < y->unit ? -1 : 1;
	return (x->address > y->address) - (x->address < y->address);
}

static void find_unit(struct finder *f, struct wanted *list, size_t n)
{
	Dwarf_Die unit = f->units[list[0].unit], whole = unit, split = { .addr = NULL };
	size_t nfiles;

	/* what was put in a file of its own (.dwo) has the tree; the lines stay here */
	if (!dwarf_cu_info(unit.cu, NULL, NULL, NULL, &split, NULL, NULL, NULL) && split.addr)
		whole = split;
	f->nfunctions = f->of_functions.n = 0;
	f->of_functions.longest = 0;
	read_functions(f, &whole, 0);
	order(&f->of_functions);
	f->files = NULL;
	if (f->q->lines && dwarf_getsrcfiles(&unit, &f->files, &nfiles))
		f->files = NULL;
	for (size_t i = 0; i < n && !is_late(f); i++)
		find_place(f, &unit, list[i].place, list[i].address);
}

static void find_all(struct finder *f, const struct sought *sought, size_t n)
{
	struct wanted *list = mem_array(n + 1, sizeof(*list));
	size_t wanted = 0;

	read_units(f);
	for (size_t i = 0; i < n; i++) {
		size_t unit = covering(&f->of_units, sought[i].address);

		if (unit != SIZE_MAX)
			list[wanted++] = (struct wanted){
				.unit = unit,
				.place = (size_t)((const uint64_t *)sought[i].place - f->q->places),
				.address = sought[i].address
			};
	}
	if (wanted)
		qsort(list, wanted, sizeof(*list), by_unit);
	for (size_t i = 0, k; i < wanted && !is_late(f); i = k) {
		for (k = i + 1; k < wanted && list[k].unit == list[i].unit; k++)
			;
		find_unit(f, &list[i], k - i);
	}
	mem_free(list);
}

static bool has_units(Elf *elf, Dwarf **out)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;

	if (!elf || elf_kind(elf) != ELF_K_ELF || elf_bombs(elf))
		return false;
	*out = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	if (*out && !dwarf_get_units(*out, cu, &cu, NULL, NULL, &die, NULL))
		return true;
	dwarf_end(*out);
	*out = NULL;
	return false;
}

int dwarf_find(const struct dwarf_question *q, void (*each)(void *ctx, const struct dwarf_step *s),
	       void *ctx)
{
	struct finder f = { .q = q, .each = each, .ctx = ctx };
	struct sought *sought = mem_array(q->n + 1, sizeof(*sought));
	int rc = -EINVAL, other = -1;
	Elf *elf, *debug = NULL;
	size_t n;

	elf_version(EV_CURRENT);
	elf = elf_begin(q->fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF)
		goto out;
	n = elf_addresses(elf, q->places, q->n, sought);
	rc = -ENOENT;
	if (!has_units(elf, &f.dwarf)) {
		other = elf_debug_file(elf, q->fd);
		debug = other >= 0 ? elf_begin(other, ELF_C_READ, NULL) : NULL;
		if (!has_units(debug, &f.dwarf))
			goto out;
	}
	find_all(&f, sought, n);
	rc = f.late ? -ETIMEDOUT : 0;
out:
	dwarf_end(f.dwarf);
	elf_end(debug);
	elf_end(elf);
	if (other >= 0)
		close(other);
	mem_free(f.units);
	mem_free(f.functions);
	mem_free(f.of_units.list);
	mem_free(f.of_functions.list);
	mem_free(sought);
	return rc;
}
