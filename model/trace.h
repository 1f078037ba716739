/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_TRACE_H
#define SIXTY_MODEL_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"

/* Events: what there is, and what their records say. One table for parsing, help, lists and all formats. */

/* Records that come from user space. */
struct trace_bpf {
	struct wire_event e;
	uint32_t id, spare;
	char name[64], type[32];
};

enum trace_mount_what { MOUNT_ADDED, MOUNT_REMOVED, MOUNT_CHANGED };

struct trace_mount {
	struct wire_event e;
	uint32_t what, id;
	char type[32], source[256], point[512], options[256];
};

#define TRACE_RECORD_MOST 1400 /* no record is larger */

/* Names for numbers that only the machine itself can tell; each may return NULL, and a member may be NULL. */
struct trace_names {
	void *ctx;
	const char *(*drop_reason)(void *ctx, unsigned reason);
	const char *(*reset_reason)(void *ctx, unsigned reason);
	const char *(*disk)(void *ctx, unsigned major, unsigned minor);
	const char *(*function)(void *ctx, uint64_t address);
	const char *(*comm)(void *ctx, uint32_t pid);
	const char *(*cgroup)(void *ctx, const uint64_t ids[3], unsigned which);
	uint64_t page_bytes;
};

enum trace_value_kind {
	VALUE_NONE,   /* absent: not known, or not meant here */
	VALUE_TEXT,   /* raw: to be escaped */
	VALUE_LIST,   /* texts, each ended by a NUL */
	VALUE_NUMBER, /* without a unit, or an identity */
	VALUE_SECONDS,
	VALUE_BYTES,
	VALUE_RAN /* wire_ran elements: who ran, for how long */
};

struct trace_value {
	enum trace_value_kind kind;
	double number;
	const char *text; /* may point into the record, or to scratch */
	size_t size;      /* bytes of text; elements of ran */
	const struct wire_ran *ran;
	char scratch[WIRE_NAMES * WIRE_NAME + 8];
};

struct trace_column {
	const char *key; /* in JSON and CSV */
	const char *
		label; /* in front of the value in text; "" or with a blank in front: part of what stands before it */
	void (*get)(const void *record, const struct trace_names *n, struct trace_value *out);
	const char *what;
};

struct trace_event {
	const char *name; /* as typed */
	const char *what;
	const char *needs;                  /* besides root and BTF, or what it cannot see; "" */
	const char *price;                  /* what it costs whom; "" for next to nothing */
	bool slow;                          /* --min is its limit */
	bool anonymous;                     /* its records name no process: they pass no filter */
	size_t size;                        /* of its record */
	const struct trace_column *columns; /* ended by a row without a key */
};

extern const struct trace_event trace_events[TRACE_MAX];

/* TRACE_MAX: there is none. */
enum wire_trace trace_event_by_name(const char *name);
/* Is this a whole record of a known event? */
bool trace_record_ok(const void *record, size_t size);
/* The value of a column. */
void trace_get(const struct trace_column *c, const void *record, const struct trace_names *n,
	       struct trace_value *out);

/* "SIGTERM", "RT+3", NULL for what is not a signal. Into out when it has to be made. */
const char *trace_signal_name(int number, char *out, size_t size);
/* "192.0.2.1:80", "[2001:db8::1]:80", "" for no address. Returns out. */
char *trace_address(char *out, size_t size, unsigned family, const uint8_t *address, unsigned port);

#endif
