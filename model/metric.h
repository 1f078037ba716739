/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_METRIC_H
#define SIXTY_MODEL_METRIC_H

#include <stddef.h>
#include <stdint.h>

#include "base/units.h"

struct host;

/* What a row of a snapshot is about. The order is that of documentation and of captured files. */
enum scope {
	SCOPE_SYSTEM,
	SCOPE_CPU,
	SCOPE_IRQ,
	SCOPE_NUMA,
	SCOPE_SLAB,
	SCOPE_DISK,
	SCOPE_FS,
	SCOPE_NETIF,
	SCOPE_QDISC,
	SCOPE_NETNS,
	SCOPE_SOCKET,
	SCOPE_ENDPOINT,
	SCOPE_CGROUP,
	SCOPE_PROCESS,
	SCOPE_THREAD,
	SCOPE_EVENT,
	SCOPE_TIME,
	SCOPE_PAIR,
	SCOPE_STACK,
	SCOPE_MECHANISM,
	SCOPE_MAX
};

enum metric_kind {
	KIND_COUNTER, /* grows; the interval holds differences */
	KIND_GAUGE,   /* a level; the interval holds last, peak and time-weighted mean */
	KIND_LABEL,   /* a name or a constant: only in snapshots */
	KIND_DERIVED  /* computed from others, in intervals only */
};

enum resource {
	RES_CPU,
	RES_LOCK,
	RES_MEMORY,
	RES_DISK,
	RES_FS,
	RES_NET,
	RES_APP,
	RES_KERNEL,
	RES_MAX
};

enum aspect {
	ASPECT_CONTEXT,
	ASPECT_UTILIZATION,
	ASPECT_SATURATION,
	ASPECT_ERRORS,
	ASPECT_RATE,
	ASPECT_DURATION
};

/* From the kernel's unit to the base unit. Ticks and pages depend on the machine (or the capture). */
enum scale {
	SCALE_ONE,
	SCALE_KIB,
	SCALE_MIB,
	SCALE_PAGES,
	SCALE_SECTORS,
	SCALE_TICKS,
	SCALE_SEC,
	SCALE_MSEC,
	SCALE_USEC,
	SCALE_NSEC,
	SCALE_CENTI,
	SCALE_MILLI,
	SCALE_MICRO,
	SCALE_KILO,
	SCALE_MEGA,
	SCALE_SIGNED, /* the raw value is an int64_t: nice values */
	SCALE_MAX
};

/* Files that are read whole and parsed by shape; the table is model/files.def. Sources that are not regular
 * files (netlink, /proc/PID, kmsg …) have a row there too, with shape OWN: their collector fills the columns itself. */
enum file_shape {
	SHAPE_KEYED, /* "key value" or "key: value kB" lines: meminfo, vmstat, cpu.stat */
	SHAPE_PAIRS, /* a line of names, a line of values: net/snmp, net/netstat; key is "Tcp.RetransSegs" */
	SHAPE_NESTED,   /* "some avg10=0.00 total=1": pressure; key is "some.total" */
	SHAPE_FIELDS,   /* the n-th word of the file: loadavg, uptime, file-nr */
	SHAPE_LABELLED, /* "TCP: inuse 5 orphan 0": net/sockstat; key is "TCP.inuse" */
	SHAPE_DEVICES, /* a line per device; words counted from 1, the device's own name and numbers included */
	SHAPE_OWN /* not generic: a collector of its own */
};

enum file_pace {
	PACE_FAST,
	PACE_SECOND,
	PACE_EDGE
}; /* every 100 ms, every second, at the window's two ends */

enum file_id {
#define FILE_ROW(id, path, shape, scope, pace, what) F_##id,
#include "model/files.def"
#undef FILE_ROW
	F_MAX
};

struct file_row {
	const char *name; /* "STAT" */
	const char *path; /* "proc/stat", below the root */
	enum file_shape shape;
	enum scope scope;
	enum file_pace pace;
	const char *what;
};

enum metric_id {
	M_NONE,
#define METRIC(id, ...)  M_##id,
#define DERIVED(id, ...) M_##id,
#define SOURCE(...)
#include "model/metrics.def"
#undef METRIC
#undef DERIVED
#undef SOURCE
	M_MAX
};

struct source {
	enum file_id file;
	const char *key; /* for KEYED, PAIRS, NESTED, LABELLED */
	int col;         /* for FIELDS and DEVICES, from 1 */
	enum scale scale;
};

#define METRIC_SOURCES 4
#define METRIC_INPUTS  6

struct metric {
	const char *name; /* "disk.busy": stable, what JSON, list and rules use */
	enum unit unit;   /* base unit; a counter's rate is unit per second */
	enum metric_kind kind;
	enum scope scope;
	enum resource resource;
	enum aspect aspect;
	const char *help;
	unsigned column; /* in its scope's tables */
	unsigned nsources;
	struct source sources[METRIC_SOURCES]; /* the first that answers wins */
	double (*derive)(const double *in);
	enum metric_id inputs[METRIC_INPUTS];
};

extern const struct file_row files[F_MAX];

/* Build the tables from metrics.def; called once, before anything else of the model. */
void metrics_init(void);

const struct metric *metric_get(enum metric_id id);
enum metric_id metric_by_name(const char *name); /* M_NONE if unknown */
unsigned scope_columns(enum scope s);
enum metric_id scope_metric(enum scope s, unsigned column);
const char *scope_name(enum scope s);
const char *resource_name(enum resource r);
const char *aspect_name(enum aspect a);
const char *kind_name(enum metric_kind k);

/* 1 + index of the metric's source that is this file: what a snapshot's cell records. 0 if there is none. */
unsigned metric_source(enum metric_id id, enum file_id file);

double scale_factor(enum scale s, const struct host *h);

/* A raw value in base units; a limit that is not there (VALUE_UNLIMITED) is infinite. */
double scale_value(uint64_t raw, enum scale s, const struct host *h);

/* A limit that is not there: kernel words "max" and "unlimited", and v1's 2^63 rounded to pages. Not the same as absent. */
#define VALUE_UNLIMITED UINT64_MAX

#endif
