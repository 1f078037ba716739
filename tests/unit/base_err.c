/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

TEST(an_error_keeps_its_code_and_its_sentence)
{
	struct err e = { 0 };

	CHECK_INT(err_set(&e, -EINVAL, "%s is %d", "width", 7), -EINVAL);
	CHECK_INT(e.code, -EINVAL);
	CHECK_STR(e.msg, "width is 7");
}

TEST(an_error_that_nobody_wants_still_returns_its_code)
{
	CHECK_INT(err_set(NULL, -EIO, "unseen"), -EIO);
	CHECK_INT(err_errno(NULL, -EPERM, "unseen"), -EPERM);
	CHECK_INT(err_wrap(NULL, -ENOENT, "unseen"), -ENOENT);
}

TEST(an_errno_is_spelled_out_behind_the_sentence)
{
	struct err e = { 0 };

	CHECK_INT(err_errno(&e, -ENOENT, "cannot open %s", "proc/stat"), -ENOENT);
	CHECK_STR(e.msg, "cannot open proc/stat: No such file or directory");
}

TEST(wrapping_puts_context_in_front)
{
	struct err e = { 0 };

	err_set(&e, -EACCES, "no permission");
	CHECK_INT(err_wrap(&e, -EACCES, "disk %d", 3), -EACCES);
	CHECK_STR(e.msg, "disk 3: no permission");
}

TEST(wrapping_nothing_is_the_context_alone)
{
	struct err e = { 0 };

	err_wrap(&e, -EIO, "sampler");
	CHECK_STR(e.msg, "sampler");
}

TEST(an_error_may_quote_itself)
{
	struct err e = { 0 };

	err_set(&e, -EIO, "inner");
	err_set(&e, -EIO, "outer (%s)", e.msg);
	CHECK_STR(e.msg, "outer (inner)");
}

TEST(a_sentence_that_is_too_long_is_cut_and_ends_in_nul)
{
	struct err e;
	char big[1000];

	memset(&e, 'x', sizeof(e));
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_set(&e, -E2BIG, "%s", big);
	CHECK_INT((long long)strlen(e.msg), sizeof(e.msg) - 1);
	err_errno(&e, -E2BIG, "%s", big);
	CHECK_INT((long long)strlen(e.msg), sizeof(e.msg) - 1);
	err_wrap(&e, -E2BIG, "first words");
	CHECK_INT((long long)strlen(e.msg), sizeof(e.msg) - 1);
	CHECK(!strncmp(e.msg, "first words: aaa", 16));
}

TEST(wrapping_an_error_without_an_end_stays_inside_it)
{
	struct err e;

	memset(&e, 'x', sizeof(e));
	err_wrap(&e, -EIO, "outer");
	CHECK_INT((long long)strlen(e.msg), sizeof(e.msg) - 1);
}
