/* SPDX-License-Identifier: Apache-2.0 */
/* Names of program addresses: the map of a process, the symbols of an ELF file, and both through a child. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "symbols/elf.h"
#include "symbols/maps.h"
#include "symbols/names.h"
#include "tests/unit/unit.h"

static const char map[] =
	"00400000-00401000 r--p 00000000 08:01 77   /usr/bin/a\n"
	"00401000-00403000 r-xp 00001000 08:01 77   /usr/bin/a\n"
	"nonsense\n"
	"00500000-00400000 r-xp 00000000 08:01 78   /upside/down\n"
	"7f0000000000-7f0000001000 r-xp 00000000 08:01 79 /lib/with blanks (deleted)\n"
	"7f0000002000-7f0000003000 r-xp 00000000 00:00 0 \n"
	"7fff00000000-7fff00001000 r-xp 00000000 00:00 0 [vdso]\n";

static const struct mapping *at(const struct mapping *list, size_t n, uint64_t address, char *name)
{
	const struct mapping *m = maps_find(list, n, address);

	text_copy(name, 64, m ? maps_name(m) : text_of("nothing"));
	return m;
}

TEST(code_of_a_process_is_found_by_address)
{
	struct mapping *list;
	size_t n = maps_parse(text_of(map), &list);
	char name[64];

	CHECK_UINT(n, 4);
	CHECK(at(list, n, 0x400fff, name) == NULL); /* not executable */
	CHECK_UINT(at(list, n, 0x401000, name)->offset, 0x1000);
	CHECK_STR(name, "a");
	CHECK(at(list, n, 0x403000, name) == NULL);
	CHECK_UINT(at(list, n, 0x7f0000000fff, name)->inode, 79);
	CHECK_STR(name, "with blanks");
	CHECK_UINT(at(list, n, 0x7f0000002000, name)->inode, 0);
	CHECK_STR(name, "");
	at(list, n, 0x7fff00000000, name);
	CHECK_STR(name, "[vdso]");
	CHECK(at(list, n, 0, name) == NULL);
	CHECK(at(list, n, UINT64_MAX, name) == NULL);
	mem_free(list);
}

TEST(an_empty_map_has_no_code)
{
	struct mapping *list;

	CHECK_UINT(maps_parse(text_of(""), &list), 0);
	CHECK(maps_find(list, 0, 1) == NULL);
}

/* Functions that this very program has. */
__attribute__((noinline)) static int one_function(int x)
{
	return x * 3 + getpid();
}

__attribute__((noinline)) static int another_function(int x)
{
	return x * 5 + getppid();
}

static uint64_t address_of(int (*f)(int))
{
	return (uint64_t)(uintptr_t)f;
}

TEST(functions_of_a_running_program_are_named)
{
	uint64_t ask[] = { address_of(one_function), address_of(another_function) + 1, 1 };
	char names[3][SYMBOL_NAME];
	struct names s;

	CHECK_INT(names_open(&s, 5000, NULL), 0);
	names_of(&s, getpid(), ask, 3, names);
	CHECK_UINT(s.unanswered, 0);
	names_close(&s);
	CHECK_STR(names[0], "one_function");
	CHECK_STR(names[1], "another_function");
	CHECK_STR(names[2], "[unmapped]");
}

TEST(a_process_that_is_gone_is_said_to_be)
{
	uint64_t ask = address_of(one_function);
	char names[1][SYMBOL_NAME];
	struct names s;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	CHECK_INT(names_open(&s, 5000, NULL), 0);
	names_of(&s, pid, &ask, 1, names);
	CHECK_UINT(s.unanswered, 1);
	names_close(&s);
	CHECK_STR(names[0], "[process ended]");
}

TEST(without_time_nothing_is_asked)
{
	uint64_t ask = address_of(one_function);
	char names[1][SYMBOL_NAME];
	struct names s;

	CHECK_INT(names_open(&s, 0, NULL), 0);
	usleep(1000);
	names_of(&s, getpid(), &ask, 1, names);
	names_close(&s);
	CHECK_STR(names[0], "[not readable in time]");
}

static int name_file(const char *contents, size_t n, struct elf_place *list, size_t count)
{
	char path[512];
	int fd, rc;

	snprintf(path, sizeof(path), "%s/elf", unit_tmpdir());
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0);
	CHECK(write(fd, contents, n) == (ssize_t)n);
	rc = elf_name(fd, list, count);
	close(fd);
	return rc;
}

TEST(what_is_no_elf_file_names_nothing)
{
	struct elf_place p = { .offset = 1 };

	CHECK_INT(name_file("#!/bin/sh\n", 10, &p, 1), -EINVAL);
	CHECK_STR(p.name, "");
	CHECK_INT(name_file("", 0, &p, 1), -EINVAL);
}

/* Our own program, cut anywhere: never a crash, and never a name that is not there. */
TEST(a_file_that_was_cut_names_what_is_left)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	off_t size = lseek(fd, 0, SEEK_END);
	char *all = mem_alloc((size_t)size);

	CHECK(fd >= 0 && pread(fd, all, (size_t)size, 0) == (ssize_t)size);
	close(fd);
	for (int i = 1; i < 40; i++) {
		struct elf_place p = { .offset = 4096 };

		name_file(all, (size_t)size * (size_t)i / 40, &p, 1);
		CHECK(memchr(p.name, '\0', sizeof(p.name)) != NULL);
	}
	mem_free(all);
}
