/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_PROVE_STAGE_H
#define SIXTY_ENGINE_PROVE_STAGE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/root.h"

/* What `sixty doctor --prove` plays, and where: the parts of engine/prove.c. */

/* ---- the place: what is made for it, and is gone with it (prove_place.c) ---- */

#define PROVE_WHY 160

struct prove_place {
	pid_t janitor; /* removes the control groups if we are killed; 0: none */
	int janitor_pipe;
	char cpu[256], memory[256]; /* own control groups; "": could not be made, because … */
	char why_cpu[PROVE_WHY], why_memory[PROVE_WHY];
	bool v2_cpu, v2_memory;
	int loop, file; /* a loop device and the nameless file behind it; -1: none, because … */
	char why_loop[PROVE_WHY], why_file[PROVE_WHY];
	char loop_name[16];
	unsigned loop_major, loop_minor;
	char dir[64]; /* where the file is */
	bool ext4;
	bool net; /* a network namespace of our own, with a loopback that is up */
	char why_net[PROVE_WHY];
};

/* Makes what can be made; what cannot has its reason. Moves the caller to the network namespace. */
void prove_place_open(struct prove_place *p, const struct root *root);
void prove_place_close(struct prove_place *p);

#define PROVE_QUOTA_US  10000
#define PROVE_PERIOD_US 50000

/* ---- what is played, and what the players know of it (prove_play.c) ---- */

enum prove_role {
	ROLE_SLEEPER,
	ROLE_HEAVY, /* computes at nice 0, beside */
	ROLE_LIGHT, /* one that computes at nice 5, on the same CPU */
	ROLE_HOLDER,
	ROLE_WAITER,
	ROLE_WRITER,
	ROLE_WRITER2,
	ROLE_NET,
	ROLES
};

#define PROVE_SLEEPS    20
#define PROVE_SLEEP_NS  5000000u
#define PROVE_LOCKS     5
#define PROVE_LOCK_NS   20000000u
#define PROVE_HOGS_NS   400000000u
#define PROVE_WRITES_NS 250000000u
#define PROVE_READS     16
#define PROVE_SYNCS     3
#define PROVE_BIRTHS    8
#define PROVE_CHILDREN  3 /* that exec, and as many that exit with PROVE_STATUS */
#define PROVE_STATUS    7
#define PROVE_OPENS     10
#define PROVE_CALLS     1000
#define PROVE_SIGNALS   5
#define PROVE_CONNECTS  5
#define PROVE_REFUSED   3
#define PROVE_DATAGRAMS 10
#define PROVE_PACKETS   200
#define PROVE_TOUCHED   (4u << 20) /* bytes of memory */
#define PROVE_ABSENT    "/sixty-proves-that-this-is-absent-"

/* In memory that the players and the judge share. Times in nanoseconds; a counter is final once `finished` is told. */
struct prove_facts {
	uint32_t tids[ROLES];
	uint32_t address;     /* of this run, in host order: 127.x.y.z */
	uint64_t wall[ROLES]; /* what the acts of a role took by its own clock */
	uint64_t born_least,
		born_most; /* lives of the newborn threads, by their clock and by their parent's */
	uint32_t born, children, opens, calls, signals, reads, syncs, bare_reads;
	uint64_t reads_wall;
	uint32_t connects, refused, datagrams, packets;
	uint64_t retransmits; /* RetransSegs of the namespace */
	uint64_t resets;      /* OutRsts */
	uint64_t no_ports;    /* datagrams for nobody */
	uint32_t reclaims;
	uint64_t reclaim_wall;
	char why_reads[PROVE_WHY], why_syncs[PROVE_WHY], why_net[PROVE_WHY], why_reclaim[PROVE_WHY],
		why_children[PROVE_WHY];
};

struct prove_troupe {
	pid_t pid;       /* the process of most players */
	pid_t throttled; /* the one that meets a quota; 0: there is none */
	struct prove_facts *facts;
	int orders, quota, answers;
};

/* Fork the players: ready and asleep when it returns. */
int prove_troupe_open(struct prove_troupe *t, const struct prove_place *p, struct err *e);
/* They begin, and send a byte over `answers` when all is done; after that they sleep. */
void prove_troupe_begin(struct prove_troupe *t);
void prove_troupe_close(struct prove_troupe *t); /* accepts one that is not open */

/* For the players: clock, and the acts of the network. */
uint64_t prove_now(void);
void prove_play_net(struct prove_facts *f);

#endif
