/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_COLLECTOR_H
#define SIXTY_COLLECTORS_COLLECTOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/root.h"
#include "model/host.h"
#include "model/snapshot.h"
#include "model/view.h"

/* A collector fills tables of a snapshot from one kind of source. It keeps what it needs between readings
 * (open files, a list of active tasks) in its state, and never subtracts, judges or prints.
 *
 * read() returns 0 or -errno with a sentence; a part that is missing (one file of several) is told by
 * collector_status() and is no failure. Losing a collector never stops sixty. */
struct bpf_engine;
#define KERNEL_NAME  64
#define PROGRAM_NAME 160

/* Names of kernel functions at these addresses; "" where none is known. */
typedef void name_kernel_fn(struct bpf_engine *bpf, const struct root *root,
			    const uint64_t *addresses, size_t n, char (*names)[KERNEL_NAME]);

struct collector_env {
	const struct root *root;
	const struct host *host;
	struct status **status; /* grows; see collector_status() */
	size_t *nstatus, *status_cap;
	bool closing; /* the reading that follows is the collector's last */
	bool edge; /* it is at an end of what is judged; else, watched without an end, what moves fast is enough */
	bool live; /* it is watched without an end: read every time, and keep nothing of who is gone */
	struct bpf_engine *bpf; /* NULL: there is none */
	int64_t pid;            /* the process that is looked at thread by thread; 0: none */
	bool one_group;         /* the time of threads of one control group, and of no others */
	bool time_measured;     /* by eBPF: what state samples would only estimate is left to it */
	name_kernel_fn *name_kernel; /* NULL: nobody can tell */
	/* Names of code addresses of a process, never empty. NULL: nobody can tell. */
	void (*name_program)(void *namer, int pid, const uint64_t *addresses, size_t n,
			     char (*names)[PROGRAM_NAME]);
	void *namer;
};

struct collector {
	const char *name;
	const char *what;  /* for list and doctor */
	const char *needs; /* "" or what is missing without it: "root for other users' processes" */
	enum file_pace pace;
	bool seldom; /* watched without an end it is read at the ends of what is judged, whatever its pace */
	unsigned scopes; /* bit mask of 1u << SCOPE_X that it fills */
	const char *const *
		files; /* NULL-terminated: captured raw, read again in replay; NULL: captured as tables */
	bool keeps_files; /* open, from its first reading on, and they are what everything else stands on */
	unsigned bpf; /* group of eBPF programs (collectors/bpf_engine.h) that it reads; 0: none */
	size_t state_size;
	int (*open)(void *state, const struct collector_env *env, struct err *e);
	int (*read)(void *state, struct snapshot *out, struct err *e);
	/* Optional: called every 100 ms between readings (state sampling), or less often where there is no end and eBPF measures;
	 * must be cheap. */
	void (*tick)(void *state, uint64_t now_ns);
	void (*close)(void *state);
};

extern const struct collector *const collectors[]; /* NULL-terminated; collectors/table.c */

/* Say how a source fared: name must live as long as the session. code 0 with why "" means it works. */
void collector_status(const struct collector_env *env, const char *name, int code, const char *fmt,
		      ...) __attribute__((format(printf, 4, 5)));

/* CLOCK_BOOTTIME in nanoseconds. */
uint64_t clock_boot_ns(void);

/* What a time namespace adds to the kernel's own clock, in nanoseconds: /proc/PID/stat and clock_boot_ns() have it. */
int64_t boot_shift_ns(const struct root *root);

/* Processes that /proc lists. */
size_t tasks_processes(const struct root *root);
/* With fewer, loading the table's iterator costs more than it saves in a window. */
#define TABLE_LEAST 1000

#endif
