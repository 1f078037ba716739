/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_HIST_H
#define SIXTY_MODEL_HIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"
#include "bpf/wire.h"

/* A distribution of values: log-linear slots (bpf/wire.h), as the kernel counts them. Distributions can be added and subtracted;
 * values are whole numbers: nanoseconds, bytes, things. */
struct hist {
	uint64_t sum;
	uint64_t max;   /* the largest value ever; 0 when max_known is false */
	bool max_known; /* it is the largest of those that are counted here */
	uint64_t slots[HIST_SLOTS];
};

/* What a value in the middle of a slot can be off by, relative to itself. */
#define HIST_ERROR (1.0 / (2 * HIST_SUB))

/* Edges of a slot: values from low on, and below high. The last slot that is used has no upper edge: UINT64_MAX. */
uint64_t hist_low(unsigned slot);
uint64_t hist_high(unsigned slot);

void hist_add(struct hist *h, uint64_t value, uint64_t times);
void hist_merge(struct hist *into, const struct hist *h);
/* What has come since `before`. A counter that went back (it was read while it grew) is 0. The maximum is known if it has grown. */
void hist_subtract(struct hist *h, const struct hist *before);

uint64_t hist_count(const struct hist *h);
double hist_mean(const struct hist *h); /* NaN: empty */
/* The maximum, or the upper edge of the highest slot that is not empty. 0: empty. */
uint64_t hist_max(const struct hist *h);

/* The value that a share of q (0 to 1) of all values is not above: the middle of its slot. NaN: empty. */
double hist_percentile(const struct hist *h, double q);
/* Values from which on a percentile means something: 10 of them must lie above it. 0: always. */
uint64_t hist_least(double q);

/* ---- kinds ---- */

struct hist_measure {
	const char *name; /* "wait" */
	const char *what;
};

struct hist_kind {
	const char *name; /* as typed */
	const char *what; /* what a value is, for people */
	enum unit unit;   /* of the values: seconds are counted in nanoseconds */
	const struct hist_measure
		*measures;      /* ended by a row without a name; at most WIRE_HIST_MEASURES */
	unsigned keys;          /* 1u << enum wire_hist_key that --per can name */
	enum wire_hist_key key; /* without --per */
	bool process;           /* -p and -C can be had */
	const char *limits;     /* what it needs, and what it cannot see; "" */
	const char *price;      /* what it costs whom; "" for next to nothing */
};

extern const struct hist_kind hist_kinds[HIST_KINDS];
enum wire_hist_kind hist_kind_by_name(const char *name); /* HIST_KINDS: there is none */
unsigned hist_measures(enum wire_hist_kind k);
/* "disk"; also the word of --per and the member of a key in JSON. */
const char *hist_key_name(enum wire_hist_key key);
enum wire_hist_key hist_key_by_name(const char *name); /* HIST_KEYS: there is none */

/* What a value is in the unit that is shown: seconds for nanoseconds. */
double hist_value(enum wire_hist_kind k, double raw);

/* ---- rows of a report ---- */

struct hist_row {
	enum wire_hist_kind kind;
	unsigned measure;
	enum wire_hist_key by;
	bool rest;     /* of keys that found no place of their own */
	uint64_t key;  /* number of the CPU, process, line, … */
	char name[64]; /* raw; "" for all */
	struct hist h;
	/* what has not ended, and is not in h; of the row without a key */
	bool open_known;
	uint64_t open, open_sum, open_max;
};

/* How calls have failed. */
struct hist_failure {
	char call[32];
	unsigned number, code; /* of the call; errno, or one of the kernel's own */
	uint64_t count;
};

struct hists {
	struct hist_row *rows;
	size_t n, cap;
	struct hist_failure *failures;
	size_t nfailures, failures_cap;
};

void hists_done(struct hists *s);
void hists_clear(struct hists *s); /* keeps the memory */
void hists_copy(struct hists *to, const struct hists *from);
struct hist_row *hists_row(struct hists *s, enum wire_hist_kind k, unsigned measure,
			   enum wire_hist_key by, uint64_t key,
			   bool rest); /* finds it, or adds it */
struct hist_failure *hists_failure(struct hists *s, unsigned number, unsigned code);
/* What has come since: rows of `before` are subtracted where they are the same. */
void hists_subtract(struct hists *s, const struct hists *before);
/* Rows without values go, unless they are the only one of their kind and measure 0; then kinds in order, and in each the
 * largest sum first. */
void hists_tidy(struct hists *s);

#endif
