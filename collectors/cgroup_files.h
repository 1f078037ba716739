/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_CGROUP_FILES_H
#define SIXTY_COLLECTORS_CGROUP_FILES_H

#include "base/text.h"
#include "collectors/cgroup_tree.h"
#include "model/snapshot.h"

/* The files of a control group, and how their text becomes cells. Which key is which metric is in model/metrics.def. */
enum cgroup_pace {
	CGROUP_LIMIT,  /* set by an administrator: read once, kept for half a minute */
	CGROUP_COUNTER /* read at each end of the window */
};

enum cgroup_shape {
	CGROUP_WORDS,     /* "max 100000": columns */
	CGROUP_KEYED,     /* "anon 1234" lines */
	CGROUP_NESTED,    /* pressure */
	CGROUP_LABEL,     /* the line is a label */
	CGROUP_IO_STAT,   /* "8:0 rbytes=1 wbytes=2 …" */
	CGROUP_IO_MAX,    /* "8:0 rbps=1048576 wbps=max …" */
	CGROUP_BLKIO,     /* "8:0 Read 123" */
	CGROUP_BLKIO_MAX, /* "8:0 1048576" */
	CGROUP_FREEZER    /* THAWED, FREEZING, FROZEN */
};

struct cgroup_file {
	const char *controller; /* v1: hierarchy that has the file; v2: "" */
	const char *name;
	const char *otherwise; /* an older name, or NULL */
	enum file_id file;
	enum cgroup_shape shape;
	enum cgroup_pace pace;
	bool limits; /* a finite number in it makes the group limited */
};

extern const struct cgroup_file cgroup_files[];
extern const size_t cgroup_nfiles;

static inline bool cgroup_file_of(const struct cgroup_file *f, const struct cgroup_mount *m)
{
	return m->v2 ? !*f->controller : *f->controller && cgroup_carries(m, f->controller);
}

/* Devices by number; names are those of /sys/dev/block. */
#define CGROUP_DEVICES 64

struct cgroup_devices {
	struct {
		unsigned major, minor;
		char name[32];
	} list[CGROUP_DEVICES];
	size_t n;
};

/* Rows of one group in one snapshot. */
#define CGROUP_LIMITED_DEVICES 8

struct cgroup_row {
	struct snapshot *out;
	const struct root *root;
	struct cgroup_devices *devices;
	char path[CGROUP_PATH + 256]; /* as in /proc/PID/cgroup */
	char dir[CGROUP_PATH + 256];  /* below / */
	char name[CGROUP_PATH + 400]; /* of the group's row */
	const char *controllers;
	size_t row;
	/* rows of devices with a limit of their own; io.stat adds what went to them */
	struct {
		unsigned major, minor;
		size_t row;
	} limited[CGROUP_LIMITED_DEVICES];
	size_t nlimited;
};

/* Make the row of a group, path as the walk gives it; root and devices are the caller's. */
void cgroup_row_open(struct cgroup_row *r, struct snapshot *out, const struct cgroup_mount *m,
		     const char *path);

/* Put the text of a file into the row's cells. Limits have to come before counters. */
void cgroup_file_parse(const struct cgroup_file *f, struct text in, struct cgroup_row *r);

/* Is a limit set by this text? For files with `limits`. */
bool cgroup_file_limits(const struct cgroup_file *f, struct text in);

/* A number, or "max", "-1" and v1's 2^63 less a page as VALUE_UNLIMITED. */
bool cgroup_number(struct text in, uint64_t *v);

#endif
