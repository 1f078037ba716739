/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic of distributions. */
#include "model/hist.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SLOTS_USED ((64 - 3) * HIST_SUB + HIST_SUB) /* of a u64 */

/* ---- one ---- */

uint64_t hist_low(unsigned slot)
{
	unsigned power;

	if (slot < 2 * HIST_SUB)
		return slot;
	if (slot >= SLOTS_USED)
		return UINT64_MAX;
	power = slot / HIST_SUB - 1;
	return (uint64_t)(slot - power * HIST_SUB) << power;
}

uint64_t hist_high(unsigned slot)
{
	return slot + 1 < SLOTS_USED ? hist_low(slot + 1) : UINT64_MAX;
}

void hist_add(struct hist *h, uint64_t value, uint64_t times)
{
	if (!times)
		return;
	h->max_known = h->max_known || !hist_count(h);
	h->slots[hist_slot(value)] += times;
	h->sum += value * times;
	if (value > h->max)
		h->max = value;
}

void hist_merge(struct hist *into, const struct hist *h)
{
	if (!hist_count(h))
		return;
	if (!hist_count(into)) {
		*into = *h;
		return;
	}
	into->max_known = into->max_known && h->max_known;
	into->sum += h->sum;
	if (h->max > into->max)
		into->max = h->max;
	for (unsigned i = 0; i < HIST_SLOTS; i++)
		into->slots[i] += h->slots[i];
}

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

void hist_subtract(struct hist *h, const struct hist *before)
{
	if (!hist_count(before))
		return;
	h->max_known = h->max_known && h->max > before->max;
	if (!h->max_known)
		h->max = 0;
	h->sum = minus(h->sum, before->sum);
	for (unsigned i = 0; i < HIST_SLOTS; i++)
		h->slots[i] = minus(h->slots[i], before->slots[i]);
}

uint64_t hist_count(const struct hist *h)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < HIST_SLOTS; i++)
		n += h->slots[i];
	return n;
}

double hist_mean(const struct hist *h)
{
	uint64_t n = hist_count(h);

	return n ? (double)h->sum / (double)n : NAN;
}

uint64_t hist_max(const struct hist *h)
{
	unsigned slot = HIST_SLOTS;

	while (slot && !h->slots[slot - 1])
		slot--;
	if (!slot)
		return 0;
	return h->max_known ? h->max : hist_high(slot - 1) - 1;
}

static double middle(const struct hist *h, unsigned slot)
{
	double low = (double)hist_low(slot), high = (double)hist_high(slot) - 1;
	double max = (double)h->max, m = (low + high) / 2;

	return h->max_known && m > max ? max : m;
}

double hist_percentile(const struct hist *h, double q)
{
	uint64_t n = hist_count(h), seen = 0, rank;

	if (!n)
		return NAN;
	rank = (uint64_t)ceil(q * (double)n);
	if (!rank)
		rank = 1;
	if (rank > n)
		rank = n;
	for (unsigned i = 0; i < HIST_SLOTS; i++) {
		seen += h->slots[i];
		if (seen >= rank)
			return middle(h, i);
	}
	return NAN;
}

uint64_t hist_least(double q)
{
	if (q < 0.985)
		return 0;
	return q < 0.9985 ? 1000 : 10000;
}

/* ---- many ---- */

void hists_done(struct hists *s)
{
	mem_free(s->rows);
	mem_free(s->failures);
	*s = (struct hists){ 0 };
}

void hists_clear(struct hists *s)
{
	s->n = s->nfailures = 0;
}

void hists_copy(struct hists *to, const struct hists *from)
{
	hists_clear(to);
	if (from->n) {
		to->rows = mem_grow(to->rows, &to->cap, from->n, sizeof(*to->rows));
		memcpy(to->rows, from->rows, from->n * sizeof(*to->rows));
	}
	if (from->nfailures) {
		to->failures = mem_grow(to->failures, &to->failures_cap, from->nfailures,
					sizeof(*to->failures));
		memcpy(to->failures, from->failures, from->nfailures * sizeof(*to->failures));
	}
	to->n = from->n;
	to->nfailures = from->nfailures;
}

static bool same(const struct hist_row *a, const struct hist_row *b)
{
	return a->kind == b->kind && a->measure == b->measure && a->by == b->by &&
	       a->key == b->key && a->rest == b->rest;
}

static struct hist_row *find(const struct hists *s, const struct hist_row *like)
{
	for (size_t i = 0; i < s->n; i++)
		if (same(&s->rows[i], like))
			return &s->rows[i];
	return NULL;
}

struct hist_row *hists_row(struct hists *s, enum wire_hist_kind k, unsigned measure,
			   enum wire_hist_key by, uint64_t key, bool rest)
{
	struct hist_row like = { .kind = k, .measure = measure, .by = by, .key = key, .rest = rest };
	struct hist_row *row = find(s, &like);

	if (row)
		return row;
	s->rows = mem_grow(s->rows, &s->cap, s->n + 1, sizeof(*s->rows));
	s->rows[s->n] = like;
	return &s->rows[s->n++];
}

struct hist_failure *hists_failure(struct hists *s, unsigned number, unsigned code)
{
	for (size_t i = 0; i < s->nfailures; i++)
		if (s->failures[i].number == number && s->failures[i].code == code)
			return &s->failures[i];
	s->failures =
		mem_grow(s->failures, &s->failures_cap, s->nfailures + 1, sizeof(*s->failures));
	s->failures[s->nfailures] = (struct hist_failure){ .number = number, .code = code };
	return &s->failures[s->nfailures++];
}

void hists_subtract(struct hists *s, const struct hists *before)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct hist_row *was = find(before, &s->rows[i]);

		if (was)
			hist_subtract(&s->rows[i].h, &was->h);
	}
	for (size_t i = 0; i < s->nfailures; i++)
		for (size_t k = 0; k < before->nfailures; k++)
			if (before->failures[k].number == s->failures[i].number &&
			    before->failures[k].code == s->failures[i].code)
				s->failures[i].count =
					minus(s->failures[i].count, before->failures[k].count);
}

static int row_order(const void *pa, const void *pb)
{
	const struct hist_row *a = pa, *b = pb;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->measure != b->measure)
		return a->measure < b->measure ? -1 : 1;
	if (a->rest != b->rest)
		return a->rest ? 1 : -1;
	if (a->h.sum != b->h.sum)
		return a->h.sum > b->h.sum ? -1 : 1;
	return a->key < b->key ? -1 : a->key > b->key;
}

static int failure_order(const void *pa, const void *pb)
{
	const struct hist_failure *a = pa, *b = pb;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return a->code < b->code ? -1 : a->code > b->code;
}

/* The row that says that there was nothing. */
static bool stands_for_all(const struct hists *s, const struct hist_row *row)
{
	if (row->measure)
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (s->rows[i].kind == row->kind && hist_count(&s->rows[i].h))
			return false;
	for (size_t i = 0; i < s->n; i++)
		if (s->rows[i].kind == row->kind)
			return &s->rows[i] == row;
	return false;
}

void hists_tidy(struct hists *s)
{
	bool *keep = mem_array(s->n + 1, sizeof(*keep));
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		keep[i] = hist_count(&s->rows[i].h) || s->rows[i].open ||
			  stands_for_all(s, &s->rows[i]);
	for (size_t i = 0; i < s->n; i++)
		if (keep[i])
			s->rows[n++] = s->rows[i];
	s->n = n;
	n = 0;
	for (size_t i = 0; i < s->nfailures; i++)
		if (s->failures[i].count)
			s->failures[n++] = s->failures[i];
	s->nfailures = n;
	mem_free(keep);
	if (s->n)
		qsort(s->rows, s->n, sizeof(*s->rows), row_order);
	if (s->nfailures)
		qsort(s->failures, s->nfailures, sizeof(*s->failures), failure_order);
}
