/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_PROGRAMS_H
#define SIXTY_ENGINE_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "bpf/wire.h"
#include "symbols/images.h"
#include "symbols/walk.h"

/* Who runs what: processes as samples show them, what they have mapped, and the binaries behind. All is looked at when it is first
 * met, and binaries are held open, so that a process may be gone and a file be replaced when names are wanted.
 *
 * A process that runs another program, and one that has got the number of an earlier one, are others. */
struct bpf_profile;

#define PROGRAM_NO_FILE UINT32_MAX

struct program_file {
	uint64_t device, inode;
	char name[IMAGE_NAME];
	struct image_file head;
	struct wire_rules *rules;
	uint32_t table; /* of the kernel; 0: it has no rules */
	bool dump;      /* of code that a process made, see symbols/jitdump.h; its owner is right */
	unsigned python;         /* minor version of the CPython that it is; 0: it is none */
	uint64_t python_runtime; /* address of its PYTHON_RUNTIME */
	int fd;                  /* -1: not held */
};

/* Beside each struct wire_mapping. */
struct program_place {
	uint32_t file;   /* PROGRAM_NO_FILE: memory */
	uint64_t offset; /* of its start in the file */
	char name[24];   /* of memory: "[heap]", "" */
};

struct program {
	struct wire_program_key key;
	char comm[WIRE_COMM];
	struct wire_mapping *mappings; /* n, behind one that is the kernel's */
	struct program_place *places;  /* likewise */
	size_t n;
	int error; /* its mappings could not be read: -errno */
	bool settled, unlisted;
	bool incomplete;           /* a binary could not be read yet */
	struct wire_python python; /* runtime 0: it runs none */
	int jit;                   /* perf-PID.map, or -1 */
	uint64_t looked_ns;        /* when the mappings were read last */
	unsigned unchanged;        /* so many times in a row they were what they had been */
};

/* What could not be had. */
struct programs_loss {
	uint64_t gone;     /* processes that had ended before their mappings were read */
	uint64_t unread;   /* whose mappings could not be read for another reason */
	uint64_t refused;  /* whose rules found no place */
	uint64_t unlisted; /* processes whose mappings found no place */
};

struct programs {
	struct bpf_profile *profile; /* NULL: nobody is told */
	struct images images;
	struct program *list;
	size_t n, cap;
	uint32_t *slots; /* of a hash table: number + 1 */
	size_t nslots;
	struct program_file *files;
	size_t nfiles, files_cap;
	struct walk_rules *tables;
	size_t ntables, tables_cap;
	uint64_t rule_bytes;
	struct programs_loss loss;
};

int programs_open(struct programs *p, struct err *e); /* forks: call it before anything heavy */
void programs_close(struct programs *p);

/* The number of the program that a sample is of; it is looked at when it is new. */
size_t programs_of(struct programs *p, const struct wire_program_key *key, const char *comm);

/* Somebody was where the program had no code: look again, if that is not too soon. True: something has changed. */
bool programs_look_again(struct programs *p, size_t program);

/* Binaries that could not be read, or not to their end. */
uint64_t programs_unread(const struct programs *p);

/* Walk along a copied stack with what is known now; see walk_copied(). */
size_t programs_walk(const struct programs *p, size_t program, const struct walk_copy *c,
		     uint64_t *ip, size_t max, enum wire_walk *why, bool *guessed);

/* The mapping of an address: its place, and the distance of the address from its start; NULL: none. */
const struct program_place *programs_place(const struct program *g, uint64_t address,
					   uint64_t *distance);

#endif
