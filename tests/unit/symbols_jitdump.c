/* SPDX-License-Identifier: Apache-2.0 */
/* Dumps of code that was made at run time. */
#include "symbols/jitdump.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/unit.h"

static struct buf file, names;
static struct perfmap map;

static void put(const void *p, size_t n)
{
	buf_add(&file, p, n);
}

static void put32(uint32_t v)
{
	put(&v, sizeof(v));
}

static void put64(uint64_t v)
{
	put(&v, sizeof(v));
}

static void begin(uint32_t magic)
{
	buf_clear(&file);
	put32(magic);
	put32(1);
	put32(40);
	put32(62);
	put32(0);
	put32(4242);
	put64(0);
	put64(0);
}

static void load(uint64_t address, uint64_t size, uint64_t index, const char *name, uint32_t code)
{
	char bytes[256] = { 0 };

	put32(0);
	put32((uint32_t)(16 + 40 + strlen(name) + 1 + code));
	put64(0);
	put64(0);
	put64(address);
	put64(address);
	put64(size);
	put64(index);
	put(name, strlen(name) + 1);
	put(bytes, code);
}

static void move(uint64_t to, uint64_t size, uint64_t index)
{
	put32(1);
	put32(16 + 48);
	put64(0);
	put64(0);
	put64(0);
	put64(0);
	put64(to);
	put64(size);
	put64(index);
}

static int read_it(size_t cut)
{
	int fd = memfd_create("dump", 0), err;

	CHECK(write(fd, file.data, file.len - cut) == (ssize_t)(file.len - cut));
	mem_free(map.list);
	buf_clear(&names);
	err = jitdump_read(fd, &map, &names);
	close(fd);
	return err;
}

static const char *at(uint64_t address)
{
	static char name[64];

	return text_copy(name, sizeof(name), perfmap_find(&map, address));
}

TEST(dumps_are_known_by_their_name)
{
	CHECK(jitdump_is("jit-4242.dump"));
	CHECK(jitdump_is("jit-4242.dump (deleted)"));
	CHECK(!jitdump_is("jit-.dump"));
	CHECK(!jitdump_is("xjit-1.dump"));
	CHECK(!jitdump_is("jit-1.dumb"));
}

TEST(code_is_named_by_its_dump_and_by_what_was_said_last)
{
	begin(0x4a695444);
	load(0x1000, 0x20, 1, "first", 32);
	put32(9); /* a record of another kind */
	put32(16 + 8);
	put64(0);
	put64(0);
	load(0x2000, 0x10, 2, "second", 16);
	move(0x3000, 0x20, 1);
	load(0x1000, 0x10, 3, "again", 0);
	CHECK_INT(read_it(0), 0);
	CHECK_UINT(map.n, 4);
	CHECK_STR(at(0x1000), "again");
	CHECK_STR(at(0x1010), "first");
	CHECK_STR(at(0x200f), "second");
	CHECK_STR(at(0x2010), "");
	CHECK_STR(at(0x3004), "first");
}

TEST(a_dump_that_is_cut_or_none_does_no_harm)
{
	begin(0x4454694a); /* of a machine with another byte order */
	load(0x1000, 0x20, 1, "first", 0);
	CHECK_INT(read_it(0), -EINVAL);
	begin(0x4a695444);
	load(0x1000, 0x20, 1, "first", 0);
	load(0x2000, 0x20, 2, "second", 0);
	CHECK_INT(read_it(20), 0);
	CHECK_UINT(map.n, 1);
	move(0x3000, 0x20, 77);
	load(UINT64_MAX, 0x20, 3, "beyond", 0);
	load(0x4000, 0, 4, "empty", 0);
	put32(0);
	put32(3); /* less than its head */
	CHECK_INT(read_it(0), 0);
	CHECK_UINT(map.n, 2);
	buf_clear(&file);
	buf_char(&file, 'x');
	CHECK_INT(read_it(0), -EINVAL);
}
