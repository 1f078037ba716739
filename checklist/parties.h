/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CHECKLIST_PARTIES_H
#define SIXTY_CHECKLIST_PARTIES_H

#include "model/finding.h"
#include "model/view.h"

/* Who did it, and who suffered: processes ranked by what they took or lost in the window.
 *
 * Processes of one name in one cgroup are one party (forty workers of a server are not forty offenders);
 * the pid is that of the one with the largest part. */
struct member {
	struct row_id id; /* of the process with the largest part */
	int64_t pid;
	const char *name;   /* comm, raw; points into the view */
	unsigned processes; /* how many are summed up here */
	double amount;      /* per second, in the unit of what was asked */
	double share;       /* of the total over all processes */
};

struct ranking {
	struct member top[FINDING_PARTIES];
	size_t n;
	size_t parties; /* how many there are, of which `top` holds the first */
	double total;   /* per second, over all processes */
};

/* Sum of the rates (counters) or means (gauges) of up to `n` metrics of PROCESS scope; unknown ones count as nothing.
 * Processes in which none of them is above zero are left out. */
void rank_metrics(const struct view *v, const enum metric_id *metrics, size_t n,
		  struct ranking *out);
void rank_metric(const struct view *v, enum metric_id metric, struct ranking *out);
/* CPU time, user and system: seconds per second, so that total 1.5 is one and a half CPUs. */
void rank_cpu(const struct view *v, struct ranking *out);
/* Lost thread-seconds per second by one cause of view->lost; CAUSE_MAX: by all that count as lost. */
void rank_lost(const struct view *v, enum cause c, struct ranking *out);
/* Rows of view->lost, by what amount() says of each (per second); NaN and <= 0 are left out. */
void rank_lost_by(const struct view *v,
		  double (*amount)(const struct view *v, const struct lost_row *row,
				   const void *arg),
		  const void *arg, struct ranking *out);
/* Anything else: amount() is asked for every process of the window that moved; NaN and <= 0 are left out. */
void rank_by(const struct view *v,
	     double (*amount)(const struct view *v, size_t row, const void *arg), const void *arg,
	     struct ranking *out);

/* Who ran while others waited for a CPU: waiting behind each process, per second, by the slices that lay in the waits of the
 * victims that is_victim() picks. False where it was not measured; the ranking is empty then. */
bool rank_takers(const struct view *v,
		 bool (*is_victim)(const struct view *v, const struct lost_row *row,
				   const void *arg),
		 const void *arg, struct ranking *out);

/* The member that a process belongs to, or NULL. */
const struct member *ranking_find(const struct ranking *r, const struct view *v, int64_t pid);

/* Sum of the rates of a metric over the processes of a member; NaN when unknown for all of them. */
double member_rate(const struct view *v, const struct member *m, enum metric_id metric);
/* Does the process of this row of the window belong to the member? */
bool member_has(const struct view *v, const struct member *m, size_t row);

/* "postgres[4711]", or "postgres[4711] and 11 more of its name". Returns out. Escaping is the exporter's. */
char *member_label(char *out, size_t size, const struct member *m);
/* The end of a verb behind that label: "s" for one process, "" for several. */
const char *member_s(const struct member *m);
/* The same for a single process. */
char *process_label(char *out, size_t size, const char *name, int64_t pid);
/* "12 threads" / "1 thread". */
char *plural(char *out, size_t size, double n, const char *one, const char *many);

/* Put the first `max` members that have at least `least` of the whole into the finding, with pid, share (or lost) and cgroup. */
void finding_offenders(struct finding *f, const struct view *v, const struct ranking *r, size_t max,
		       double least);
void finding_victims(struct finding *f, const struct view *v, const struct ranking *r, size_t max,
		     double least);

/* CPU cgroup of a process: v1 "cpu" if it has one, else the v2 path. */
char *process_cgroup(const struct view *v, struct row_id process, char *out, size_t size);

#endif
