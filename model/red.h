/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_RED_H
#define SIXTY_MODEL_RED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "model/hist.h"

/* Requests of services: rate, errors, duration. A row is a service of this machine (whoever listens on a port), or a dependency: a
 * service elsewhere that a process of this machine asks. Counts are what came in the window, once `before` is subtracted. */
struct red_row {
	uint32_t slot; /* of the kernel side: rows of two readings are the same by it */
	struct wire_red_key key;
	int64_t pid; /* of whoever listens, or asks; 0: not known */
	uint64_t start;
	char comm[WIRE_COMM]; /* raw */
	char container[16];   /* first digits of its id; "" */
	char cgroup[192];     /* "" when unknown */
	uint64_t requests, errors, refusals, silent;
	uint64_t bytes_in, bytes_out;
	uint64_t batched, unparted, unread, waiting;
	uint64_t protocols[RED_PROTOCOLS];
	struct hist total, wait;
	/* at the end of the window */
	bool swept; /* what follows is known */
	uint32_t open, inflight, backlog, backlog_most;
	double oldest; /* seconds that the oldest request without an answer has waited; NaN: there is none */
};

/* An operation, or a kind of error, of a service. */
struct red_name {
	uint32_t cell, slot;
	enum wire_red_kind kind;
	char name[WIRE_RED_NAME + 1];
	uint64_t count, errors, timed, ns;
	uint64_t max; /* ns; ever, not only in the window */
};

struct reds {
	struct red_row
		*rows; /* most requests first, services before dependencies, after reds_tidy() */
	size_t n, cap;
	struct red_name *names;
	size_t nnames, names_cap;
	double seconds; /* that the counts cover */
	uint64_t lost_services, lost_sockets, lost_names;
	char why[200]; /* "" or why there is nothing */
};

void reds_done(struct reds *r);
void reds_clear(struct reds *r);                          /* keeps the memory */
void reds_copy(struct reds *to, const struct reds *from); /* `to` is empty or was cleared */
struct red_row *reds_row(struct reds *r);                 /* a new one, all zero */
struct red_name *reds_name(struct reds *r);
/* What has come since. */
void reds_subtract(struct reds *r, const struct reds *before);
/* Rows without requests, connections and anything else to say go; see `rows` for the order of the rest. */
void reds_tidy(struct reds *r);

/* "http", "tcp" … as in JSON; and as people read it: "TLS (exchanges)". */
const char *red_protocol_name(enum wire_red_protocol p);
/* What most requests of a row spoke. RED_PLAIN when there was none. */
enum wire_red_protocol red_protocol(const struct red_row *row);
/* Its durations are of exchanges, not of requests. */
bool red_is_opaque(const struct red_row *row);

/* The address of a dependency: "10.0.0.1:5432". Returns out. */
char *red_peer(const struct red_row *row, char *out, size_t size);

/* The i-th largest name of a kind of a row, by count (kinds of errors) or by time taken (operations), or NULL. */
const struct red_name *reds_top(const struct reds *r, const struct red_row *row,
				enum wire_red_kind kind, unsigned i);

/* A percentile in seconds; NaN where there are too few values. */
double red_percentile(const struct hist *h, double q);
double red_max(const struct hist *h);

#endif
