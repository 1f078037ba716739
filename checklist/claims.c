/* SPDX-License-Identifier: Apache-2.0 */
/* Which finding is a cause and which a symptom, and who claims the lost seconds.
 *
 * One cause gives one finding. Rules that look at the same harm from two sides both fire; here the one that explains
 * the other takes it as a symptom, and what is claimed is compared with all that was lost: the verdict says how much
 * stays unexplained. */
#include "checklist/claims.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "checklist/rule.h"

/* ---- causes and symptoms ---- */

/* "own:ID": only where those who suffer are those who do it. */
static bool lists(const char *list, const struct finding *f, bool *as_own)
{
	struct text rest = text_of(list ? list : ""), word;

	while (text_word(&rest, &word)) {
		bool own = text_skip(&word, "own:");

		if (!text_eq(word, f->id))
			continue;
		*as_own = own;
		return !own || f->self_inflicted;
	}
	return false;
}

static bool same_party(const struct party *a, const struct party *b)
{
	if (a->pid && b->pid)
		return a->pid == b->pid;
	if (a->cgroup[0] && !strcmp(a->cgroup, b->cgroup))
		return true;
	return a->name[0] && !strcmp(a->name, b->name);
}

static bool share_a_party(const struct finding *a, const struct finding *b)
{
	for (unsigned i = 0; i < a->noffenders + a->nvictims; i++) {
		const struct party *p = i < a->noffenders ? &a->offenders[i]
							  : &a->victims[i - a->noffenders];

		for (unsigned j = 0; j < b->noffenders + b->nvictims; j++) {
			const struct party *q = j < b->noffenders ? &b->offenders[j]
								  : &b->victims[j - b->noffenders];

			if (same_party(p, q))
				return true;
		}
	}
	return a->instance[0] && !strcmp(a->instance, b->instance);
}

/* Nobody is named on one side: a machine-wide symptom belongs to whatever explains its kind. */
static bool explains(const struct finding *cause, const struct finding *symptom, bool *own)
{
	const struct rule *r = rule_by_id(cause->id);

	*own = false;
	if (cause == symptom || !r)
		return false;
	if (symptom->root != RES_MAX && symptom->root == cause->resource) {
		*own = share_a_party(cause, symptom);
		return *own;
	}
	if (!lists(r->symptoms, symptom, own))
		return false;
	return !symptom->noffenders || !cause->noffenders || share_a_party(cause, symptom);
}

/* The end of the chain of explanations, at most as many steps as there are findings (two rules that name each other
 * as symptoms would otherwise be a ring; the one found first wins). */
static size_t root_cause(const size_t *cause, size_t n, size_t i)
{
	for (size_t steps = 0; steps < n && cause[i] != i; steps++)
		i = cause[i];
	return i;
}

/* The same threads lose more time because of the same cause: theirs is the sum. */
static void take_over(struct finding *cause, const struct finding *symptom)
{
	if (!(symptom->impact.lost > 0))
		return;
	cause->impact.lost = fmax(0, cause->impact.lost) + symptom->impact.lost;
	for (unsigned i = 0; i < symptom->nvictims; i++)
		for (unsigned k = 0; k < cause->nvictims; k++)
			if (same_party(&symptom->victims[i], &cause->victims[k])) {
				cause->victims[k].lost =
					fmax(0, cause->victims[k].lost) + symptom->victims[i].lost;
				break;
			}
}

void claims_fold_symptoms(struct findings *fs)
{
	size_t *cause = mem_array(fs->n + 1, sizeof(*cause)), kept = 0;
	bool *own = mem_array(fs->n + 1, sizeof(*own));

	for (size_t i = 0; i < fs->n; i++)
		cause[i] = i;
	for (size_t i = 0; i < fs->n; i++)
		for (size_t j = 0; j < fs->n && cause[i] == i; j++)
			if (cause[j] != i && root_cause(cause, fs->n, j) != i &&
			    fs->list[j].severity >= SEV_WARN &&
			    explains(&fs->list[j], &fs->list[i], &own[i]))
				cause[i] = j;
	for (size_t i = 0; i < fs->n; i++) {
		struct finding *root = &fs->list[root_cause(cause, fs->n, i)];

		if (cause[i] == i)
			continue;
		finding_symptom(root, "%s: %.120s", fs->list[i].id, fs->list[i].summary);
		if (own[i])
			take_over(root, &fs->list[i]);
	}
	for (size_t i = 0; i < fs->n; i++)
		if (cause[i] == i)
			fs->list[kept++] = fs->list[i];
	fs->n = kept;
	mem_free(cause);
	mem_free(own);
}

/* ---- lost seconds, each claimed once ---- */

#define KEEPS_STANDING \
	0.3 /* of what it claims a finding must get, or it stands under the one that got it */

bool claims_is_background(const struct view *v, struct row_id process)
{
	double nice = view_last(v, M_PROC_NICE, process),
	       policy = view_last(v, M_PROC_POLICY, process);

	return nice > 0 || policy == 3 || policy == 5; /* SCHED_BATCH, SCHED_IDLE */
}

struct claim {
	double left; /* lost seconds per second that nobody has claimed */
	size_t by;   /* the finding that claimed most of the rest; SIZE_MAX: none */
};

static double lost_rate(const struct view *v, const struct lost_row *row)
{
	double lost = row->lost;

	if (claims_is_background(v, row->id))
		lost -= row->time[CAUSE_RUNNABLE];
	return fmax(0, lost) / interval_seconds(v->window);
}

static double take(struct claim *c, double want, size_t by)
{
	double got = fmin(want, c->left);

	if (got > c->left / 2)
		c->by = by;
	c->left -= got;
	return got;
}

/* A victim may stand for all processes of its name: its own row first, then the others. */
static double take_victim(const struct view *v, struct claim *claims, const struct party *p,
			  size_t by, bool *known, size_t *rival)
{
	double got = 0;

	for (int own = 1; own >= 0; own--)
		for (size_t i = 0; i < v->nlost && got < p->lost; i++) {
			if ((v->lost[i].pid == p->pid) != own ||
			    (!own && strcmp(v->lost[i].name, p->name)))
				continue;
			*known = true;
			if (claims[i].by != SIZE_MAX && claims[i].by != by)
				*rival = claims[i].by;
			got += take(&claims[i], p->lost - got, by);
		}
	return got;
}

/* The part of its claim that a finding gets: 1 when its victims are not among those whose time is known. */
static double granted(const struct view *v, struct claim *claims, const struct finding *f,
		      size_t by, size_t *rival)
{
	double want = 0, got = 0;

	for (unsigned i = 0; i < f->nvictims; i++) {
		const struct party *p = &f->victims[i];
		bool known = false;
		double g;

		if (p->kind != PARTY_PROCESS || !(p->lost > 0))
			continue;
		g = take_victim(v, claims, p, by, &known, rival);
		if (known) {
			want += p->lost;
			got += g;
		}
	}
	return want > 0 ? got / want : 1;
}

static bool only_lost(const struct impact *i)
{
	return !(i->failed > 0) && !(i->wasted > 0) && !(i->serial > 0) && isnan(i->to_limit);
}

void claims_settle(const struct view *v, struct report *out)
{
	struct findings *fs = &out->findings;
	struct claim *claims = mem_array(v->nlost + 1, sizeof(*claims));
	double claimed = 0;
	size_t kept = 0;

	out->lost_total = 0;
	for (size_t i = 0; i < v->nlost; i++) {
		claims[i] = (struct claim){ .left = lost_rate(v, &v->lost[i]), .by = SIZE_MAX };
		out->lost_total += claims[i].left;
	}
	for (size_t i = 0; i < fs->n; i++) {
		struct finding *f = &fs->list[i];
		size_t rival = SIZE_MAX;
		bool claims_some = f->severity >= SEV_WARN && f->impact.lost > 0;
		double part = claims_some ? granted(v, claims, f, kept, &rival) : 1;

		if (part < KEEPS_STANDING && rival < kept && only_lost(&f->impact)) {
			finding_symptom(&fs->list[rival], "%s: %.120s", f->id, f->summary);
			continue;
		}
		if (claims_some) {
			f->impact.lost *= part;
			claimed += f->impact.lost;
		}
		fs->list[kept++] = *f;
	}
	fs->n = kept;
	if (out->lost_total > 0)
		out->explained = fmin(1, claimed / out->lost_total);
	mem_free(claims);
}
