/* SPDX-License-Identifier: Apache-2.0 */
/* Names of kernel addresses. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/root.h"
#include "symbols/kallsyms.h"
#include "tests/unit/unit.h"

static int resolve(const char *text, struct kallsym *list, size_t n)
{
	struct root root;
	int rc;

	unit_file("proc/kallsyms", text);
	if (root_open(&root, unit_tmpdir(), NULL))
		unit_fail(__FILE__, __LINE__, "no tree");
	rc = kallsyms_resolve(&root, list, n);
	root_close(&root);
	return rc;
}

static const char table[] = "ffffffff81000000 T _text\n"
			    "ffffffff81000100 t do_first\n"
			    "ffffffff81000100 T alias_of_first\n"
			    "ffffffff81000180 D data_in_between\n"
			    "ffffffff81000200 W weak_one\n"
			    "ffffffffc0000000 t in_module\t[nfs]\n";

TEST(an_address_is_named_by_the_nearest_function_at_or_below_it)
{
	struct kallsym list[] = { { .address = 0xffffffff81000100 },
				  { .address = 0xffffffff810001ff },
				  { .address = 0xffffffff81000250 },
				  { .address = 0xffffffffc0000010 },
				  { .address = 0x1000 } };

	CHECK_INT(resolve(table, list, 5), 0);
	CHECK_STR(list[0].name, "do_first");
	CHECK_STR(list[1].name, "do_first");
	CHECK_STR(list[2].name, "weak_one");
	CHECK_STR(list[3].name, "in_module");
	CHECK_STR(list[3].module, "nfs");
	CHECK_STR(list[4].name, "");
	CHECK_INT(list[4].start, 0);
}

TEST(addresses_that_the_kernel_hides_are_no_names)
{
	struct kallsym one = { .address = 0xffffffff81000100 };

	CHECK_INT(resolve("0000000000000000 T _text\n0000000000000000 t do_first\n", &one, 1),
		  -EPERM);
	CHECK_STR(one.name, "");
}

TEST(a_broken_symbol_table_names_nothing_and_harms_nothing)
{
	struct kallsym one = { .address = 0xffffffff81000100 };
	char line[300];

	CHECK_INT(resolve("", &one, 1), -EPERM);
	CHECK_INT(resolve("ffffffff81000000", &one, 1), -EPERM);
	CHECK_INT(resolve("zz T x\n\n \n123456789012345678 T y\nffffffff81000000 T\n", &one, 1),
		  -EPERM);
	memset(line, 'a', sizeof(line));
	memcpy(line, "ffffffff81000000 T ", 19);
	snprintf(line + 298, 2, "\n");
	CHECK_INT(resolve(line, &one, 1), 0);
	CHECK_INT(strlen(one.name), KALLSYMS_NAME - 1);
}
