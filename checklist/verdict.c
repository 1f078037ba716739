/* SPDX-License-Identifier: Apache-2.0 */
/* From many answers to one sentence: ask every rule, settle what belongs to whom (claims.c), clear what was checked,
 * conclude. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/claims.h"
#include "checklist/rule.h"
#include "model/stacks.h"

/* Lost time that nothing explains is worth a word from a tenth of the CPUs on, and always from a second per second:
 * the scheduler's ordinary waits of a machine at work stay below. */
#define UNEXPLAINED_SHARE 0.1
#define UNEXPLAINED_MOST  1.0
#define CONFIDENCE_LEAST  0.5
#define ORDINARY_MOST     0.2 /* threads in a CPU's queue, on average */

/* ---- asking ---- */

/* Did any source of the metric answer, in the window or at its end? */
static bool metric_known(const struct view *v, enum metric_id id)
{
	const struct metric *m = metric_get(id);
	uint64_t raw;

	if (m->kind == KIND_DERIVED)
		return metric_known(v, m->inputs[0]);
	for (size_t r = 0; r < snapshot_rows(v->last, m->scope); r++)
		if (snapshot_raw(v->last, id, r, &raw))
			return true;
	/* nothing of its kind on this machine (no disk, no group with a limit) is an answer too, if the table was read */
	return m->scope != SCOPE_SYSTEM && m->scope != SCOPE_CPU &&
	       v->last->tables[m->scope].time_ns;
}

static void why_no_bpf(const struct view *v, char *out, size_t size)
{
	for (size_t i = 0; i < v->nstatus; i++)
		if (!strcmp(v->status[i].name, "eBPF") && v->status[i].code) {
			snprintf(out, size, "eBPF: %s", v->status[i].why);
			return;
		}
	snprintf(out, size, "eBPF: it was not there");
}

static void why_unknown(const struct view *v, enum metric_id id, char *out, size_t size)
{
	const struct metric *m = metric_get(id);
	/* what eBPF would have measured has a plainer source */
	unsigned plain = m->nsources > 1 && m->sources[0].file == F_BPF_TASKS;
	const char *path = m->nsources ? files[m->sources[plain].file].path : m->name;

	for (size_t i = 0; i < v->nstatus; i++)
		if (!strcmp(v->status[i].name, path) && v->status[i].code) {
			snprintf(out, size, "%s: %s", path, v->status[i].why);
			return;
		}
	if (!strncmp(path, "eBPF", 4))
		why_no_bpf(v, out, size);
	else
		snprintf(out, size, "%s is not in %s on this kernel", m->name, path);
}

static void ask(const struct rule *r, const struct view *v, struct findings *fs)
{
	char why[200];

	if (!r->check) {
		rule_unknown(r, fs, "%s", r->needs);
		return;
	}
	if (r->metric != M_NONE && !metric_known(v, r->metric)) {
		why_unknown(v, r->metric, why, sizeof(why));
		rule_unknown(r, fs, "%s", why);
		return;
	}
	r->check(r, v, fs);
}

/* ---- what was seen at all ---- */

/* Without these nobody can call a machine healthy: silence of rules that saw nothing is not an answer. */
static const struct {
	enum metric_id metric;
	const char *what;
} basics[] = {
	{ M_SYS_IDLE, "CPU time (/proc/stat)" },
	{ M_MEM_FREE, "memory (/proc/meminfo)" },
	{ M_PROC_USER, "processes (/proc/PID/stat)" },
};

/* Their names, or "" when all were seen. */
static void list_unseen(const struct view *v, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < sizeof(basics) / sizeof(*basics) && used < size; i++) {
		const struct metric *m = metric_get(basics[i].metric);
		bool seen = m->scope == SCOPE_SYSTEM
				    ? interval_why(v->window, basics[i].metric, 0) != WHY_ABSENT
				    : v->window->tables[m->scope].known;

		if (!seen)
			used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "",
						 basics[i].what);
	}
}

/* ---- clearing ---- */

struct clearance {
	enum resource resource;
	enum cause causes[4]; /* lost time of this kind speaks against it */
	unsigned ncauses;
	const char *what;
};

static const struct clearance clearances[] = {
	{ RES_CPU, { CAUSE_RUNNABLE, CAUSE_THROTTLED }, 2, "waiting for a CPU" },
	{ RES_LOCK, { CAUSE_LOCK }, 1, "blocked on locks" },
	{ RES_MEMORY, { CAUSE_RECLAIM, CAUSE_FAULT }, 2, "stalled in reclaim and page faults" },
	{ RES_DISK, { CAUSE_DISK, CAUSE_WRITEBACK }, 2, "blocked on disks" },
	{ RES_FS, { CAUSE_OTHER }, 1, "blocked in file systems and elsewhere in the kernel" },
};

static bool has_finding(const struct findings *fs, enum resource r)
{
	for (size_t i = 0; i < fs->n; i++)
		if (fs->list[i].resource == r && fs->list[i].severity >= SEV_WARN)
			return true;
	return false;
}

static bool is_cleared(const struct findings *fs, enum resource r)
{
	for (size_t i = 0; i < fs->ncleared; i++)
		if (fs->cleared[i].resource == r)
			return true;
	return false;
}

static bool is_unknown(const struct findings *fs, const char *id)
{
	for (size_t i = 0; i < fs->nunknown; i++)
		if (!strcmp(fs->unknown[i].id, id))
			return true;
	return false;
}

/* How many rules of the resource were judged. */
static unsigned judged(const struct findings *fs, enum resource res)
{
	unsigned n = 0;

	for (size_t t = 0; rules[t]; t++)
		for (const struct rule *r = rules[t]; r->id; r++)
			n += r->resource == res && r->check && !is_unknown(fs, r->id);
	return n;
}

/* A rule may have cleared its resource with better numbers than those below, before another one found something. */
static void take_back(struct findings *fs, bool all)
{
	size_t kept = 0;

	for (size_t i = 0; i < fs->ncleared; i++)
		if (!all && !has_finding(fs, fs->cleared[i].resource))
			fs->cleared[kept++] = fs->cleared[i];
	fs->ncleared = kept;
}

static void clear_resources(const struct view *v, struct findings *fs)
{
	double seconds = interval_seconds(v->window);
	char unseen[160];

	list_unseen(v, unseen, sizeof(unseen));
	take_back(fs, unseen[0]);
	if (unseen[0])
		return;
	for (enum resource res = 0; res < RES_MAX; res++) {
		const struct clearance *c = NULL;
		double lost = 0;

		if (has_finding(fs, res) || is_cleared(fs, res) || !judged(fs, res))
			continue;
		for (size_t i = 0; i < sizeof(clearances) / sizeof(*clearances); i++)
			if (clearances[i].resource == res)
				c = &clearances[i];
		if (!c) {
			findings_clear(fs, res, "", "%u conditions looked for, none found",
				       judged(fs, res));
			continue;
		}
		for (size_t i = 0; i < v->nlost; i++)
			for (unsigned k = 0; k < c->ncauses; k++)
				if (c->causes[k] != CAUSE_RUNNABLE ||
				    !claims_is_background(v, v->lost[i].id))
					lost += v->lost[i].time[c->causes[k]];
		findings_clear(fs, res, "", "%.2f s/s %s; %u conditions looked for, none found",
			       lost / seconds, c->what, judged(fs, res));
	}
}

/* ---- conclusion ---- */

static void list_cleared(const struct findings *fs, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < fs->ncleared; i++) {
		const char *name = resource_name(fs->cleared[i].resource);

		if (i && fs->cleared[i].resource == fs->cleared[i - 1].resource)
			continue;
		used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", name);
		if (used >= size)
			return;
	}
}

/* Thread-seconds per second that wait for CPUs as busy as these without anything being wrong: who comes at random, to one
 * that is busy for a share u of the time, finds u² / (1 − u) others in its queue (M/M/1). */
static double ordinary_waits(const struct view *v)
{
	double seconds = interval_seconds(v->window), ordinary = 0, waits = 0;

	for (size_t r = 0; r < interval_rows(v->window, SCOPE_CPU); r++) {
		double u = 1 - interval_rate(v->window, M_CPU_IDLE, r) -
			   interval_rate(v->window, M_CPU_IOWAIT, r);

		if (u > 0) /* and not unknown */
			ordinary += u < 1 ? fmin(ORDINARY_MOST, u * u / (1 - u)) : ORDINARY_MOST;
	}
	for (size_t i = 0; i < v->nlost; i++)
		if (!claims_is_background(v, v->lost[i].id))
			waits += v->lost[i].time[CAUSE_RUNNABLE] / seconds;
	return fmin(ordinary, waits);
}

static void conclude(const struct view *v, struct report *out)
{
	const struct findings *fs = &out->findings;
	const struct finding *top = fs->n && fs->list[0].severity >= SEV_WARN ? &fs->list[0] : NULL;
	double floor = fmin(UNEXPLAINED_MOST, UNEXPLAINED_SHARE * v->host->cpus);
	char names[160], unseen[160];

	list_unseen(v, unseen, sizeof(unseen));
	if (top && top->confidence >= CONFIDENCE_LEAST) {
		out->verdict = VERDICT_ACTIONABLE;
		snprintf(out->summary, sizeof(out->summary), "%s", top->summary);
	} else if (top) {
		out->verdict = VERDICT_INCONCLUSIVE;
		snprintf(out->summary, sizeof(out->summary), "Likely, but not certain: %.480s",
			 top->summary);
	} else if (out->lost_total - ordinary_waits(v) >= floor) {
		out->verdict = VERDICT_INCONCLUSIVE;
		snprintf(
			out->summary, sizeof(out->summary),
			"Threads lost %.2f s/s waiting, and no single cause was found (most by %.60s[%lld]).",
			out->lost_total, v->nlost ? v->lost[0].name : "",
			v->nlost ? (long long)v->lost[0].pid : 0);
	} else if (unseen[0]) {
		out->verdict = VERDICT_INCONCLUSIVE;
		snprintf(out->summary, sizeof(out->summary),
			 "Nothing can be said of this machine: no %s to be read; is /proc mounted?",
			 unseen);
	} else {
		out->verdict = VERDICT_HEALTHY;
		list_cleared(fs, names, sizeof(names));
		snprintf(out->summary, sizeof(out->summary), "No limiting factor in %.0f s%s%s.",
			 interval_seconds(v->window), names[0] ? ": cleared are " : "", names);
	}
}

void checklist_ask(const struct view *v, struct findings *fs)
{
	for (size_t t = 0; rules[t]; t++)
		for (const struct rule *r = rules[t]; r->id; r++)
			ask(r, v, fs);
}

/* A capture may say anything, also what divides by zero: no impact is infinite or negative. A limit may be reached now. */
static void keep_finite(struct finding *f)
{
	double *faces[] = { &f->impact.lost, &f->impact.failed, &f->impact.wasted,
			    &f->impact.serial };

	for (size_t i = 0; i < sizeof(faces) / sizeof(*faces); i++)
		if (isinf(*faces[i]) || *faces[i] < 0)
			*faces[i] = NAN;
	if (f->impact.to_limit < 0)
		f->impact.to_limit = 0;
	f->confidence = isnan(f->confidence) ? 0 : fmin(1, fmax(0, f->confidence));
}

/* What was measured in a part of the window only is less sure, by a fifth at most. */
#define PART_COSTS 0.2

static void doubt(const struct view *v, struct finding *f)
{
	if (f->impact.lost > 0 && v->measured > 0 && v->measured < 0.95)
		f->confidence *= 1 - PART_COSTS * (1 - v->measured);
}

void checklist_conclude(const struct view *v, struct report *out)
{
	struct findings *fs = &out->findings;

	for (size_t i = 0; i < fs->n; i++) {
		keep_finite(&fs->list[i]);
		doubt(v, &fs->list[i]);
	}
	for (size_t i = 0; i < fs->n; i++)
		if (fs->list[i].severity == SEV_WARN &&
		    impact_severity(&fs->list[i].impact, v->host->cpus) == SEV_CRIT)
			fs->list[i].severity = SEV_CRIT;
	findings_rank(fs);
	claims_fold_symptoms(fs);
	claims_settle(v, out);
	findings_rank(fs);
	clear_resources(v, fs);
	conclude(v, out);
}

/* What its offenders were doing on CPUs; where none of them is a process that was seen there, what its victims did. */
static void add_stacks(const struct view *v, struct finding *f)
{
	const struct party *lists[] = { f->offenders, f->victims };
	unsigned counts[] = { f->noffenders, f->nvictims };

	for (size_t k = 0; k < 2 && !f->nstacks; k++)
		for (unsigned i = 0; i < counts[k] && !f->nstacks; i++) {
			struct stack_seen seen[FINDING_STACKS];
			const struct party *p = &lists[k][i];

			if (p->pid <= 0)
				continue;
			f->nstacks = (unsigned)stacks_of(v, p->pid, seen, FINDING_STACKS);
			for (unsigned n = 0; n < f->nstacks; n++)
				f->stacks[n] = (struct party_stack){ .pid = p->pid,
								     .share = seen[n].share,
								     .kernel = seen[n].kernel,
								     .frames = seen[n].frames };
		}
}

void checklist_run(const struct view *v, struct report *out)
{
	checklist_ask(v, &out->findings);
	checklist_conclude(v, out);
	for (size_t i = 0; i < out->findings.n; i++)
		add_stacks(v, &out->findings.list[i]);
	for (size_t i = 0; use_makers[i].make; i++)
		use_makers[i].make(v, out);
	for (size_t i = 0; step_makers[i].make; i++)
		step_makers[i].make(v, out);
}
