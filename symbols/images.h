/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_SYMBOLS_IMAGES_H
#define SIXTY_SYMBOLS_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/child.h"
#include "bpf/wire.h"
#include "symbols/dwarf.h"
#include "symbols/unwind.h"

#define IMAGE_NAME 96
#define IMAGE_PATH 512

/* What processes have mapped, and what those files say, asked of a child: a file may lie on a server that does not answer, and
 * may be made to crash or to keep busy whoever reads it. Nothing in the process is stopped.
 *
 *   images_open  →  images_mappings, images_file, images_names  →  images_close */
struct images {
	struct child child;
	bool servers; /* debug files that are not here may be fetched, by debuginfod */
};

struct image_mapping {
	uint64_t start, end, offset;
	uint64_t inode, device; /* inode 0: no file */
	char name[IMAGE_NAME];  /* "[vdso]"; "" for memory without a name */
	char path[IMAGE_PATH];  /* as the process sees it; cut: "" */
};

struct image_file {
	uint64_t base;
	struct unwind_segment segments[UNWIND_SEGMENTS];
	uint32_t nsegments;
	uint32_t nblocks, nrows, refused; /* of its rules */
	int32_t error;                    /* of reading them; 0 or -errno */
	uint32_t spare;
};

int images_open(struct images *im, struct err *e); /* forks: before anything heavy is opened */
void images_close(struct images *im);

/* Code that a process has mapped, by address: *list has *n (mem_free it). 0; -ESRCH, -ENOENT: it is gone; -ETIMEDOUT. */
int images_mappings(struct images *im, int pid, struct image_mapping **list, size_t *n);

/* The file behind a mapping: its head, its rules (mem_free them; NULL: it has none), and a descriptor of it, which keeps it when
 * it is deleted. 0 or -errno. */
int images_file(struct images *im, int pid, const struct image_mapping *m, struct image_file *head,
		struct wire_rules **rules, int *fd);

/* Rules of the kernel's own library in each process, from our own. */
void images_vdso(struct image_file *head, struct wire_rules **rules);

/* Which function is at each of n places of an open file? 0 or -errno. */
#define IMAGE_SYMBOL 160
struct image_symbol {
	char name[IMAGE_SYMBOL]; /* raw, see elf_name(); "" for none */
	uint64_t start; /* where it begins in the file, if that is known without a name; else the place */
};
int images_names(struct images *im, int fd, const uint64_t *places, size_t n,
		 struct image_symbol *names, unsigned deadline_ms);

/* What debug information says of n places of an open file: what is inlined there, and with `lines` its source. Each place once; see
 * dwarf_find(). 0; -ENOENT: there is no debug information; -errno. */
int images_lines(struct images *im, int fd, const uint64_t *places, size_t n, bool lines,
		 unsigned budget_ms, void (*each)(void *ctx, const struct dwarf_step *s),
		 void *ctx);

/* Does an open file belong to the process's user, or to root? 0; -EPERM; -ESRCH. */
int images_owned(struct images *im, int pid, int fd);

/* The address that an open file gives to a symbol of its own. 0; -ENOENT: it has none; -errno. */
int images_symbol(struct images *im, int fd, const char *name, uint64_t *address);

/* /tmp/perf-PID.map of a process that makes code while it runs, as the process sees it: a descriptor, or -errno. -EPERM: it belongs
 * to somebody else. */
int images_jit(struct images *im, int pid);

#endif
