/* SPDX-License-Identifier: Apache-2.0 */
/* A program that makes code while it runs, and tells of it in a dump: maker SECONDS DIRECTORY. Functions called hot and warm burn three
 * quarters and one quarter of its time. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* push rbp; mov rbp, rsp; mov ecx, N; loop: dec ecx; jnz loop; pop rbp; ret */
static const unsigned char code[] = { 0x55, 0x48, 0x89, 0xe5, 0xb9, 0,    0,   0,
				      0,    0xff, 0xc9, 0x75, 0xfc, 0x5d, 0xc3 };

static int dump;

static void put(const void *p, size_t n)
{
	if (write(dump, p, n) != (ssize_t)n)
		exit(1);
}

static void tell(const char *name, const void *at, uint64_t index)
{
	uint32_t head[2] = { 0, (uint32_t)(16 + 40 + strlen(name) + 1 + sizeof(code)) };
	uint64_t time = 0, what[4] = { (uintptr_t)at, (uintptr_t)at, sizeof(code), index };
	uint32_t who[2] = { (uint32_t)getpid(), (uint32_t)getpid() };

	put(head, sizeof(head));
	put(&time, sizeof(time));
	put(who, sizeof(who));
	put(what, sizeof(what));
	put(name, strlen(name) + 1);
	put(at, sizeof(code));
}

static void (*make(unsigned char *at, uint32_t turns))(void)
{
	void (*f)(void);

	memcpy(at, code, sizeof(code));
	memcpy(at + 5, &turns, sizeof(turns));
	memcpy(&f, &at, sizeof(f));
	return f;
}

int main(int argc, char **argv)
{
	uint32_t header[6] = { 0x4a695444, 1, 40, 62, 0, (uint32_t)getpid() };
	uint64_t rest[2] = { 0, 0 };
	unsigned char *page;
	void (*hot)(void), (*warm)(void);
	char path[512];
	clock_t end;

	if (argc != 3)
		return 2;
	snprintf(path, sizeof(path), "%s/jit-%d.dump", argv[2], (int)getpid());
	dump = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	if (dump < 0 || page == MAP_FAILED)
		return 1;
	put(header, sizeof(header));
	put(rest, sizeof(rest));
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, dump, 0) == MAP_FAILED)
		return 1;
	hot = make(page, 3000000);
	warm = make(page + 64, 1000000);
	tell("hot", page, 1);
	tell("warm", page + 64, 2);
	end = clock() + atoi(argv[1]) * CLOCKS_PER_SEC;
	while (clock() < end) {
		hot();
		warm();
	}
	return 0;
}
