/* SPDX-License-Identifier: Apache-2.0 */
/* Findings: filled by rules, ranked here, printed elsewhere. */
#include "model/finding.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void findings_init(struct findings *fs)
{
	memset(fs, 0, sizeof(*fs));
}

void findings_done(struct findings *fs)
{
	mem_free(fs->list);
	mem_free(fs->cleared);
	mem_free(fs->unknown);
	memset(fs, 0, sizeof(*fs));
}

struct finding *finding_add(struct findings *fs, const char *id, enum resource r, enum aspect a)
{
	struct finding *f;

	fs->list = mem_grow(fs->list, &fs->cap, fs->n + 1, sizeof(*fs->list));
	f = &fs->list[fs->n++];
	*f = (struct finding){
		.id = id,
		.severity = SEV_WARN,
		.resource = r,
		.aspect = a,
		.confidence = 0.9,
		.root = RES_MAX,
		.impact = { .lost = NAN,
			    .failed = NAN,
			    .wasted = NAN,
			    .serial = NAN,
			    .to_limit = NAN },
	};
	return f;
}

void finding_summary(struct finding *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->summary, sizeof(f->summary), fmt, ap);
	va_end(ap);
}

static struct party *party(struct party *list, unsigned *n, enum party_kind k, const char *name,
			   int64_t pid)
{
	static struct party scratch;
	struct party *p = *n < FINDING_PARTIES ? &list[(*n)++] : &scratch;

	*p = (struct party){ .kind = k, .pid = pid, .share = NAN, .lost = NAN };
	snprintf(p->name, sizeof(p->name), "%s", name ? name : "");
	return p;
}

struct party *finding_offender(struct finding *f, enum party_kind k, const char *name, int64_t pid,
			       double share)
{
	struct party *p = party(f->offenders, &f->noffenders, k, name, pid);

	p->share = share;
	return p;
}

struct party *finding_victim(struct finding *f, enum party_kind k, const char *name, int64_t pid,
			     double lost)
{
	struct party *p = party(f->victims, &f->nvictims, k, name, pid);

	p->lost = lost;
	return p;
}

void finding_evidence(struct finding *f, const char *metric, double value, const char *unit,
		      double threshold, const char *source)
{
	struct evidence *e;

	if (f->nevidence == FINDING_EVIDENCE)
		return;
	e = &f->evidence[f->nevidence++];
	snprintf(e->metric, sizeof(e->metric), "%s", metric);
	snprintf(e->unit, sizeof(e->unit), "%s", unit);
	snprintf(e->source, sizeof(e->source), "%s", source);
	e->value = value;
	e->threshold = threshold;
}

void finding_symptom(struct finding *f, const char *fmt, ...)
{
	va_list ap;

	if (f->nsymptoms == FINDING_LINES)
		return;
	va_start(ap, fmt);
	vsnprintf(f->symptoms[f->nsymptoms], sizeof(f->symptoms[0]), fmt, ap);
	va_end(ap);
	f->nsymptoms++;
}

static size_t count_char(const char *s, char c)
{
	size_t n = 0;

	for (; *s; s++)
		n += *s == c;
	return n;
}

/* People paste these lines into a root shell, and control groups, paths and interfaces are named by anybody: does the
 * line have more of what a shell acts upon than its format? */
static bool smuggles(const char *fmt, const char *line)
{
	for (const char *c = "'\"\\`$;|&<>(){}*?[]~#!\n"; *c; c++)
		if (count_char(line, *c) > count_char(fmt, *c))
			return true;
	return false;
}

void finding_next(struct finding *f, const char *fmt, ...)
{
	char *line;
	va_list ap;

	if (f->nnext == FINDING_LINES)
		return;
	line = f->next[f->nnext++];
	va_start(ap, fmt);
	vsnprintf(line, sizeof(f->next[0]), fmt, ap);
	va_end(ap);
	if (*line != '#' && smuggles(fmt, line))
		snprintf(line, sizeof(f->next[0]),
			 "# no command here: a name in it has characters that a shell acts upon");
}

void findings_clear(struct findings *fs, enum resource r, const char *instance, const char *fmt,
		    ...)
{
	struct cleared *c;
	va_list ap;

	fs->cleared =
		mem_grow(fs->cleared, &fs->cleared_cap, fs->ncleared + 1, sizeof(*fs->cleared));
	c = &fs->cleared[fs->ncleared++];
	c->resource = r;
	snprintf(c->instance, sizeof(c->instance), "%s", instance ? instance : "");
	va_start(ap, fmt);
	vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
}

void findings_unknown(struct findings *fs, const char *id, const char *fmt, ...)
{
	struct unknown *u;
	va_list ap;

	fs->unknown =
		mem_grow(fs->unknown, &fs->unknown_cap, fs->nunknown + 1, sizeof(*fs->unknown));
	u = &fs->unknown[fs->nunknown++];
	u->id = id;
	va_start(ap, fmt);
	vsnprintf(u->why, sizeof(u->why), fmt, ap);
	va_end(ap);
}

enum severity impact_severity(const struct impact *i, unsigned cpus)
{
	if (i->lost >= 1 || i->lost >= 0.1 * cpus)
		return SEV_CRIT;
	if (i->to_limit < 600)
		return SEV_CRIT;
	if (i->to_limit < 3600 || i->lost > 0 || i->failed > 0 || i->serial > 0 || i->wasted > 0)
		return SEV_WARN;
	return SEV_INFO;
}

/* Present loss and failures, then serial, wasted, future. */
static int face(const struct impact *i)
{
	if (i->lost > 0 || i->failed > 0)
		return 4;
	if (i->serial > 0)
		return 3;
	if (i->wasted > 0)
		return 2;
	return !isnan(i->to_limit);
}

/* Failures and lost seconds have no common unit; a failed operation is weighed as a hundredth of a thread-second,
 * so that a few errors do not outrank a machine that stands still, and a thousand do. */
static double amount(const struct impact *i)
{
	double a = 0;

	if (i->lost > 0)
		a += i->lost;
	if (i->failed > 0)
		a += i->failed * 0.01;
	if (a > 0)
		return a;
	if (i->serial > 0)
		return i->serial;
	if (i->wasted > 0)
		return i->wasted;
	return i->to_limit >= 0 ? 1 / (1 + i->to_limit) : 0;
}

static int by_rank(const void *x, const void *y)
{
	const struct finding *a = x, *b = y;
	double wa = amount(&a->impact) * a->confidence, wb = amount(&b->impact) * b->confidence;

	if (a->severity != b->severity)
		return (int)b->severity - (int)a->severity;
	if (face(&a->impact) != face(&b->impact))
		return face(&b->impact) - face(&a->impact);
	if (wa != wb)
		return wa < wb ? 1 : -1;
	return strcmp(a->id, b->id) ? strcmp(a->id, b->id) : strcmp(a->instance, b->instance);
}

void findings_rank(struct findings *fs)
{
	if (fs->n)
		qsort(fs->list, fs->n, sizeof(*fs->list), by_rank);
}

const char *severity_name(enum severity s)
{
	static const char *const names[] = { "info", "warn", "crit" };

	return names[s];
}

const char *party_kind_name(enum party_kind k)
{
	static const char *const names[] = { "process", "cgroup", "device", "filesystem",
					     "netif",   "port",   "netns",  "kernel" };

	return names[k];
}
