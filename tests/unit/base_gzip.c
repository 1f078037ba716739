/* SPDX-License-Identifier: Apache-2.0 */
#include "base/gzip.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

TEST(what_is_packed_comes_back)
{
	struct buf in = { 0 }, packed = { 0 }, out = { 0 };

	for (unsigned i = 0; i < 100000; i++)
		buf_printf(&in, "line %u\n", i * 7919 % 1000);
	gzip_pack(text_n(in.data, in.len), &packed);
	CHECK(gzip_is(text_n(packed.data, packed.len)));
	CHECK(packed.len < in.len / 2);
	CHECK_INT(gzip_unpack(text_n(packed.data, packed.len), &out, in.len, NULL), 0);
	CHECK_UINT(out.len, in.len);
	CHECK(!memcmp(out.data, in.data, in.len));
	buf_done(&in);
	buf_done(&packed);
	buf_done(&out);
}

TEST(several_members_are_one_text)
{
	struct buf packed = { 0 }, out = { 0 };

	gzip_pack(text_of("one "), &packed);
	gzip_pack(text_of(""), &packed);
	gzip_pack(text_of("two"), &packed);
	CHECK_INT(gzip_unpack(text_n(packed.data, packed.len), &out, 100, NULL), 0);
	CHECK_STR(out.data, "one two");
	buf_done(&packed);
	buf_done(&out);
}

TEST(a_bomb_and_a_damaged_file_are_refused)
{
	struct buf in = { 0 }, packed = { 0 }, out = { 0 };
	struct err e = { 0 };

	buf_fill(&in, 'x', 8u << 20);
	gzip_pack(text_n(in.data, in.len), &packed);
	CHECK_INT(gzip_unpack(text_n(packed.data, packed.len), &out, 1u << 20, &e), -EFBIG);
	CHECK_HAS(e.msg, "1 MiB");
	CHECK(out.len < 2u << 20);
	buf_clear(&out);
	CHECK_INT(gzip_unpack(text_n(packed.data, packed.len / 2), &out, in.len, &e), -EINVAL);
	CHECK_HAS(e.msg, "in the middle");
	buf_clear(&packed);
	buf_clear(&out);
	gzip_pack(text_of("a text in which no two parts are the same"), &packed);
	packed.data[packed.len / 2] ^= 0x55;
	CHECK_INT(gzip_unpack(text_n(packed.data, packed.len), &out, in.len, &e), -EINVAL);
	CHECK_INT(gzip_unpack(text_of("\x1f\x8b"), &out, 10, &e), -EINVAL);
	buf_done(&in);
	buf_done(&packed);
	buf_done(&out);
}
