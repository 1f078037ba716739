/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_FINDING_H
#define SIXTY_MODEL_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"
#include "model/metric.h"

/* One sentence with evidence: what is wrong, who does it, who suffers. */
enum severity { SEV_INFO, SEV_WARN, SEV_CRIT };

enum party_kind {
	PARTY_PROCESS,
	PARTY_CGROUP,
	PARTY_DEVICE,
	PARTY_FILESYSTEM,
	PARTY_NETIF,
	PARTY_PORT,
	PARTY_NETNS,
	PARTY_KERNEL
};

struct party {
	enum party_kind kind;
	char name[128];   /* comm, path, device, interface: raw, escaped by whoever prints it */
	int64_t pid;      /* 0: none */
	int port;         /* 0: none */
	char cgroup[192]; /* "" when unknown */
	double share;     /* offender: part of the whole, 0..1; NaN unknown */
	double lost;      /* victim: lost seconds per second; NaN unknown */
};

struct evidence {
	char metric[64];
	double value;
	char unit[24];
	double threshold; /* NaN: none */
	char source[64];
};

/* Five faces; NaN where one does not apply (docs/method.md). */
struct impact {
	double lost;   /* thread-seconds lost per second */
	double failed; /* failed operations per second */
	double wasted; /* CPU seconds per second spent in the mechanism */
	double serial; /* seconds per second in which one thread was the bottleneck of queued work */
	double to_limit; /* seconds until a limit is reached */
};

#define FINDING_PARTIES  8
#define FINDING_EVIDENCE 12
#define FINDING_LINES    8
#define FINDING_STACKS   3

/* Where a party was on a CPU, by samples. */
struct party_stack {
	int64_t pid;
	double share; /* of the samples of that process, 0..1 */
	bool kernel;
	const char *frames; /* functions, innermost first, separated by ';': the view's own */
};

struct finding {
	const char *id; /* "cpu.saturated" */
	enum severity severity;
	enum resource resource;
	enum aspect aspect;
	char instance[128]; /* "vda", "/svc-a", "" for the machine: two instances are two findings */
	double confidence;
	bool estimated;
	enum resource
		root; /* a finding of this resource on the same party explains it; RES_MAX: none */
	bool self_inflicted; /* nobody suffers but the offenders themselves */
	struct impact impact;
	char summary[512];
	unsigned noffenders, nvictims, nevidence, nsymptoms, nnext;
	struct party offenders[FINDING_PARTIES], victims[FINDING_PARTIES];
	struct evidence evidence[FINDING_EVIDENCE];
	char symptoms[FINDING_LINES][160];
	char next[FINDING_LINES][200];
	struct party_stack stacks[FINDING_STACKS];
	unsigned nstacks;
};

struct cleared { /* a resource that was checked and is not the limit */
	enum resource resource;
	char instance[64];
	char why[256]; /* with the largest effect still compatible with the data */
};

struct unknown { /* a rule that could not be judged */
	const char *id;
	char why[256];
};

struct findings {
	struct finding *list;
	size_t n, cap;
	struct cleared *cleared;
	size_t ncleared, cleared_cap;
	struct unknown *unknown;
	size_t nunknown, unknown_cap;
};

void findings_init(struct findings *fs);
void findings_done(struct findings *fs);

/* A new finding with every number unknown and confidence 0.9; the pointer is good until the next finding_add. */
struct finding *finding_add(struct findings *fs, const char *id, enum resource r, enum aspect a);
void finding_summary(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Return the entry for further fields, or a scratch one when the list is full. */
struct party *finding_offender(struct finding *f, enum party_kind k, const char *name, int64_t pid,
			       double share);
struct party *finding_victim(struct finding *f, enum party_kind k, const char *name, int64_t pid,
			     double lost);
void finding_evidence(struct finding *f, const char *metric, double value, const char *unit,
		      double threshold, const char *source);
void finding_symptom(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A command to run next; a line that begins with '#' is advice. A command into which an argument brings characters of
 * the shell (quotes, $, ; …) is not kept. */
void finding_next(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void findings_clear(struct findings *fs, enum resource r, const char *instance, const char *fmt,
		    ...) __attribute__((format(printf, 4, 5)));
void findings_unknown(struct findings *fs, const char *id, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Severity of an impact: crit at >= 1 s/s or >= 10 % of the machine's CPUs lost,
 * or a limit less than 10 minutes away; warn otherwise. */
enum severity impact_severity(const struct impact *i, unsigned cpus);

/* Rank: severity, then present loss and failures before serial, wasted and future, then amount x confidence. */
void findings_rank(struct findings *fs);

const char *severity_name(enum severity s);
const char *party_kind_name(enum party_kind k);

#endif
