/* SPDX-License-Identifier: Apache-2.0 */
/* Debug files are found by the build-id of the binary, a hash of its contents: a file of another build would name wrong functions,
 * and so is not taken whatever it is called. */
#include "symbols/elf_debug.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gelf.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define ID_LEAST     8u
#define ID_MOST      64u
#define SECTIONS_MAX 65536u
#define DATA_MOST    (64u << 20) /* unpacked */
#define PATH_MOST    1024

struct build_id {
	unsigned char bytes[ID_MOST];
	size_t n;
};

static Elf_Scn *section(Elf *elf, const char *name)
{
	size_t strings, n = 0;
	Elf_Scn *s = NULL;

	if (elf_getshdrstrndx(elf, &strings))
		return NULL;
	while ((s = elf_nextscn(elf, s)) && n++ < SECTIONS_MAX) {
		GElf_Shdr h;
		const char *is = gelf_getshdr(s, &h) ? elf_strptr(elf, strings, h.sh_name) : NULL;

		if (is && !strcmp(is, name))
			return s;
	}
	return NULL;
}

static bool read_id(Elf *elf, struct build_id *id)
{
	Elf_Scn *s = section(elf, ".note.gnu.build-id");
	Elf_Data *d = s ? elf_getdata(s, NULL) : NULL;
	size_t name, desc;
	GElf_Nhdr h;

	if (!d || !gelf_getnote(d, 0, &h, &name, &desc) || h.n_descsz < ID_LEAST ||
	    h.n_descsz > ID_MOST)
		return false;
	id->n = h.n_descsz;
	memcpy(id->bytes, (const char *)d->d_buf + desc, id->n);
	return true;
}

static int open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* An open file with this build-id, or -1. */
static int open_same(const char *path, const struct build_id *id)
{
	int fd = open_regular(path);
	struct build_id found = { .n = 0 };
	Elf *elf;
	bool same;

	if (fd < 0)
		return -1;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	same = elf && read_id(elf, &found) && found.n == id->n &&
	       !memcmp(found.bytes, id->bytes, id->n);
	elf_end(elf);
	if (same)
		return fd;
	close(fd);
	return -1;
}

static int open_by_id(const struct build_id *id)
{
	char path[64 + 2 * ID_MOST];
	size_t n = (size_t)snprintf(path, sizeof(path), "/usr/lib/debug/.build-id/%02x/",
				    id->bytes[0]);

	for (size_t i = 1; i < id->n; i++)
		n += (size_t)snprintf(path + n, sizeof(path) - n, "%02x", id->bytes[i]);
	snprintf(path + n, sizeof(path) - n, ".debug");
	return open_same(path, id);
}

static bool read_link(Elf *elf, int fd, char *name, size_t name_size, char *dir, size_t dir_size)
{
	Elf_Scn *s = section(elf, ".gnu_debuglink");
	Elf_Data *d = s ? elf_getdata(s, NULL) : NULL;
	char self[32], *slash;
	ssize_t n;

	if (!d || !d->d_size || !memchr(d->d_buf, 0, d->d_size))
		return false;
	snprintf(name, name_size, "%s", (const char *)d->d_buf);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, dir, dir_size - 1);
	if (n <= 0 || !*name || strchr(name, '/'))
		return false;
	dir[n] = '\0';
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	return slash != NULL;
}

static int open_by_link(Elf *elf, int fd, const struct build_id *id)
{
	char name[256], dir[PATH_MOST], path[PATH_MOST + 300];
	int found;

	if (!read_link(elf, fd, name, sizeof(name), dir, sizeof(dir)))
		return -1;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	found = open_same(path, id);
	if (found < 0) {
		snprintf(path, sizeof(path), "%s/.debug/%s", dir, name);
		found = open_same(path, id);
	}
	if (found < 0) {
		snprintf(path, sizeof(path), "/usr/lib/debug%s/%s", dir, name);
		found = open_same(path, id);
	}
	return found;
}

static bool servers;

void elf_debug_servers(bool allowed)
{
	servers = allowed;
}

/* The library is no part of what sixty needs: it is looked for when somebody asks. */
static int open_from_servers(const struct build_id *id)
{
	void *lib = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL), *client;
	void *(*begin)(void) = NULL;
	int (*find)(void *, const unsigned char *, int, char **) = NULL;
	void (*end)(void *) = NULL;
	char path[40];
	int fd = -1, same;

	if (lib) {
		*(void **)&begin = dlsym(lib, "debuginfod_begin");
		*(void **)&find = dlsym(lib, "debuginfod_find_debuginfo");
		*(void **)&end = dlsym(lib, "debuginfod_end");
	}
	client = begin && find && end ? begin() : NULL;
	if (client) {
		fd = find(client, id->bytes, (int)id->n, NULL);
		end(client);
	}
	/* the library stays: what it starts may not be taken away */
	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	same = open_same(path, id);
	close(fd);
	return same;
}

int elf_debug_file(Elf *elf, int fd)
{
	struct build_id id;
	int found;

	if (!read_id(elf, &id))
		return -1;
	found = open_by_id(&id);
	if (found < 0)
		found = open_by_link(elf, fd, &id);
	return found < 0 && servers ? open_from_servers(&id) : found;
}

char *elf_debug_data(Elf *elf, size_t *size)
{
	Elf_Scn *s = section(elf, ".gnu_debugdata");
	Elf_Data *d = s ? elf_rawdata(s, NULL) : NULL;
	lzma_stream x = LZMA_STREAM_INIT;
	char *out = NULL;

	if (!d || !d->d_size || lzma_stream_decoder(&x, DATA_MOST, 0) != LZMA_OK)
		return NULL;
	x.next_in = d->d_buf;
	x.avail_in = d->d_size;
	*size = 0;
	for (size_t room = 1u << 20; room <= DATA_MOST; room *= 2) {
		char *more = realloc(out, room);
		lzma_ret rc;

		if (!more)
			break;
		out = more;
		x.next_out = (uint8_t *)out + *size;
		x.avail_out = room - *size;
		rc = lzma_code(&x, LZMA_FINISH);
		*size = room - x.avail_out;
		if (rc == LZMA_STREAM_END) {
			lzma_end(&x);
			return out;
		}
		if (rc != LZMA_OK && rc != LZMA_BUF_ERROR)
			break;
		if (x.avail_out)
			break; /* it ends before it should */
	}
	lzma_end(&x);
	free(out);
	return NULL;
}
