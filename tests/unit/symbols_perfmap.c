/* SPDX-License-Identifier: Apache-2.0 */
/* Maps of code that was made at run time. */
#include <string.h>

#include "base/mem.h"
#include "symbols/perfmap.h"
#include "tests/unit/unit.h"

static const char *name_at(const struct perfmap *m, uint64_t address)
{
	static char name[64];

	return text_copy(name, sizeof(name), perfmap_find(m, address));
}

TEST(code_made_at_run_time_is_named_by_its_map)
{
	struct perfmap m;

	perfmap_parse(
		text_of("1000 20 first\n0x1020 0x10 LazyCompile:*sum /a b.js:3\nnonsense\n2000 zz x\n3000 0 empty\n"
			"4000 10\nffffffffffffffff 10 beyond\n"),
		&m);
	CHECK_UINT(m.n, 2);
	CHECK_STR(name_at(&m, 0x1000), "first");
	CHECK_STR(name_at(&m, 0x101f), "first");
	CHECK_STR(name_at(&m, 0x1020), "LazyCompile:*sum /a b.js:3");
	CHECK_STR(name_at(&m, 0x1030), "");
	CHECK_STR(name_at(&m, 0xfff), "");
	mem_free(m.list);
}

TEST(code_that_took_the_place_of_other_code_has_the_name)
{
	struct perfmap m;

	perfmap_parse(text_of("1000 100 old\n1040 10 new\n1000 10 newest\n"), &m);
	CHECK_STR(name_at(&m, 0x1000), "newest");
	CHECK_STR(name_at(&m, 0x1020), "old");
	CHECK_STR(name_at(&m, 0x1045), "new");
	CHECK_STR(name_at(&m, 0x1055), "old");
	mem_free(m.list);
}

TEST(a_map_without_lines_names_nothing)
{
	struct perfmap m;

	perfmap_parse(text_n("", 0), &m);
	CHECK_STR(name_at(&m, 0x1000), "");
	perfmap_parse(text_n("1000 20 cut", 11), &m);
	CHECK_STR(name_at(&m, 0x1000), "cut");
	mem_free(m.list);
}
