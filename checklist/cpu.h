/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CHECKLIST_CPU_H
#define SIXTY_CHECKLIST_CPU_H

#include "checklist/parties.h"
#include "checklist/rule.h"

/* What the rules of the CPU share. */

/* Seconds per second that tasks waited for a CPU, all together, and how that is known: per-CPU queues of schedstat,
 * else the followed threads, else (when short-lived tasks waited more than those) the share of time in which PSI saw
 * somebody wait. NaN with source "s/s waiting" when nothing tells. */
double cpu_waiting(const struct view *v, const char **source);

/* Each second that a thread was runnable and did not run has one class. First match wins. */
enum queue_class {
	QUEUE_NONE,
	QUEUE_BACKGROUND, /* niced, batch or idle: waiting is what it asked for */
	QUEUE_THROTTLED,  /* its cgroup's quota had run out */
	QUEUE_CPUSET,     /* CPUs were idle, but outside its cpuset */
	QUEUE_AFFINITY,   /* CPUs were idle, but outside its affinity mask */
	QUEUE_IMBALANCE,  /* a CPU that it may use was idle */
	QUEUE_WAKEUP,     /* its CPU was idle, and took long to wake up */
	QUEUE_WOKEN,      /* the same, in the time that it takes */
	QUEUE_RT,         /* real-time tasks took the CPU */
	QUEUE_SOFTIRQ,    /* interrupts took the CPU */
	QUEUE_STEAL,      /* the hypervisor took the CPU */
	QUEUE_NEIGHBOUR,  /* another cgroup took more than its part */
	QUEUE_SATURATED,  /* all CPUs were busy nearly all the time */
	QUEUE_BURSTS,     /* there was idle time before and after */
	QUEUE_CLASSES
};

struct queue_picture {
	double cpus, busy, idle; /* CPUs: online, used, idle (I/O wait included) */
	double full;             /* share of the seconds in which >= 90 % of all CPUs were used */
	double rt, irq, steal; /* CPUs taken by real-time tasks, by interrupts, by the hypervisor */
	double psi;            /* share of time in which somebody waited */
	double waits[QUEUE_CLASSES]; /* s/s */
	struct row_id taker;         /* for NEIGHBOUR: a process of the cgroup that took most */
	char taker_cgroup[192];
	double (*of)[QUEUE_CLASSES]; /* per row of view->lost: thread-seconds by class */
};

/* Needs queue_done(). */
void queue_classify(const struct view *v, struct queue_picture *q);
void queue_done(struct queue_picture *q);

/* Who waited, in these classes (bit mask of 1u << QUEUE_X). */
void queue_victims(const struct view *v, const struct queue_picture *q, unsigned classes,
		   struct ranking *out);

/* Does the waiting of these parties hurt: one of them with at least `floor` s/s, and (useful + lost) / useful at least
 * `stretch`. */
bool queue_hurts(const struct view *v, const struct ranking *victims, double floor, double stretch);
/* Who ran while the threads of these classes waited; false where only eBPF could tell and was not there. */
bool queue_takers(const struct view *v, const struct queue_picture *q, unsigned classes,
		  struct ranking *out);
/* What the waits were measured by. */
const char *queue_source(const struct view *v);
/* (useful + lost) / useful of a party; INFINITY when it did not run at all. */
double queue_stretch(const struct view *v, const struct member *m);

/* CPUs that a list like "0-3,8" names, among those that are online; NULL or nonsense is all of them. */
struct cpu_set {
	uint64_t bits[128]; /* 8192 CPUs */
};
void cpu_set_parse(struct cpu_set *s, const char *list);
bool cpu_set_has(const struct cpu_set *s, unsigned cpu);
/* Number of a CPU row ("cpu12" is 12); -1 for another name. */
int cpu_number(const char *name);

/* Mechanisms that burn CPU time; each party of processes has at most one. */
enum storm_kind {
	STORM_NONE,
	STORM_TLB,
	STORM_TIMER,
	STORM_YIELD,
	STORM_HERD,
	STORM_SWITCH,
	STORM_SYSCALL,
	STORM_KINDS
};

#define STORMS 4

struct storm {
	enum storm_kind kind;
	struct member who;
	double user, system;          /* CPU seconds per second of the party */
	double wasted;                /* of it, what the mechanism takes */
	double rate;                  /* of the mechanism's events, per second */
	double threads;               /* HERD: that are woken together */
	double calls, bytes_per_call; /* SYSCALL */
	double switches;              /* voluntary and not, per second */
	double run_per_slice, wait_per_slice;
	bool io_known;
};

/* Storms of the window, most wasted first. */
size_t storm_find(const struct view *v, struct storm *out, size_t max);
/* Are the CPUs full because of storms? CPU time of their parties, as a share of all CPU time used. */
double storm_share(const struct view *v);
/* Processes too short-lived to be followed: the CPU time they took, per second; NaN when that cannot be told. */
double short_lived_cpu(const struct view *v);

/* The checks. */
void check_saturated(const struct rule *r, const struct view *v, struct findings *fs);
void check_bursts(const struct rule *r, const struct view *v, struct findings *fs);
void check_neighbour(const struct rule *r, const struct view *v, struct findings *fs);
void check_affinity(const struct rule *r, const struct view *v, struct findings *fs);
void check_cpuset(const struct rule *r, const struct view *v, struct findings *fs);
void check_rt_hog(const struct rule *r, const struct view *v, struct findings *fs);
void check_single_thread(const struct rule *r, const struct view *v, struct findings *fs);
void check_short_lived(const struct rule *r, const struct view *v, struct findings *fs);
void check_syscall_storm(const struct rule *r, const struct view *v, struct findings *fs);
void check_switch_storm(const struct rule *r, const struct view *v, struct findings *fs);
void check_yield_storm(const struct rule *r, const struct view *v, struct findings *fs);
void check_herd(const struct rule *r, const struct view *v, struct findings *fs);
void check_timer_storm(const struct rule *r, const struct view *v, struct findings *fs);
void check_tlb_storm(const struct rule *r, const struct view *v, struct findings *fs);
void check_softirq(const struct rule *r, const struct view *v, struct findings *fs);
void check_irq_imbalance(const struct rule *r, const struct view *v, struct findings *fs);
void check_steal(const struct rule *r, const struct view *v, struct findings *fs);
void check_throttled_frequency(const struct rule *r, const struct view *v, struct findings *fs);
void check_low_frequency(const struct rule *r, const struct view *v, struct findings *fs);
void check_imbalance(const struct rule *r, const struct view *v, struct findings *fs);
void check_wakeup(const struct rule *r, const struct view *v, struct findings *fs);
void check_kthread_hog(const struct rule *r, const struct view *v, struct findings *fs);

#endif
