/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_SYMBOLS_ELF_H
#define SIXTY_SYMBOLS_ELF_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_SYMBOL 160 /* bytes of a name, demangled, with its NUL */

/* Where in a file a sample lies, and what function that is. */
struct elf_place {
	uint64_t offset; /* in the file: address − start of the mapping + offset of the mapping */
	uint64_t start;  /* of the function, as the file numbers addresses; 0: not found */
	uint64_t size;   /* of it; 0: the table does not say */
	unsigned rank;   /* of what is called by several names: local 0, weak 1, global 2 */
	char name[ELF_SYMBOL]; /* "" when no symbol covers it */
};

/* Name the functions at n places (any order, kept) of the ELF file fd: .symtab (of its debug file or .gnu_debugdata, where it was
 * stripped), then .dynsym, with C++ and Rust names demangled (libiberty). Returns 0, or -EINVAL for a file that is no ELF object that can be read; what has no name keeps "".
 * The file may be hostile: call it in a child process that may crash or hang (base/child.h). */
int elf_name(int fd, struct elf_place *list, size_t n);

/* The name as it was written in the source: C++ and Rust demangled. Returns out. */
char *elf_plain_name(const char *raw, char *out, size_t size);

/* The value of a defined symbol, by its name. 0; -ENOENT; -EINVAL: it is no ELF object that can be read. */
int elf_symbol(int fd, const char *name, uint64_t *value);

struct sought;
/* Addresses of places in the file, ascending, each with a pointer to its place; those that no segment loads are left out. out has room
 * for n. Returns how many. */
size_t elf_addresses(Elf *elf, const uint64_t *places, size_t n, struct sought *out);

/* Its compressed sections would take more than 1 GiB, or their sizes cannot be told. */
bool elf_bombs(Elf *elf);

#endif
