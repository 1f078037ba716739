/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CMD_DOCTOR_H
#define SIXTY_CMD_DOCTOR_H

#include <stdbool.h>

#include "base/root.h"
#include "model/host.h"

/* One question about the machine: what was found, what is lost by it, how to get it. */
enum health { HEALTH_OK, HEALTH_LIMITED, HEALTH_MISSING };

struct diagnosis {
	enum health health;
	char found[240];
	char lost[240];   /* "" when nothing is */
	char remedy[240]; /* "" when there is none */
};

struct doctor_check {
	const char *id, *title;
	bool used; /* by this release; else it is what eBPF and profiling will need */
	void (*probe)(const struct root *root, struct diagnosis *d);
};

extern const struct doctor_check doctor_checks[]; /* ended by a row with a NULL id */

/* Probes that talk to the kernel over sockets; doctor_net.c. */
void probe_sock_diag(const struct root *root, struct diagnosis *d);
void probe_taskstats(const struct root *root, struct diagnosis *d);

void diagnosis_set(struct diagnosis *d, enum health h, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

struct json;
struct output;

void doctor_put_host(struct json *j, const struct host *h);

/* Prove what the programs measure; doctor_prove.c. The exit status: 1 when something is wrong, or nothing could be proved. */
int doctor_prove(const struct output *o);

#endif
