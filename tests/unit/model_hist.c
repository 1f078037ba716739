/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/hist.h"
#include "tests/unit/unit.h"

TEST(hist_slots_hold_what_they_say)
{
	for (uint64_t v = 0; v < 100000; v++) {
		unsigned s = hist_slot(v);

		CHECK(hist_low(s) <= v && v < hist_high(s));
	}
	for (int shift = 3; shift < 64; shift++)
		for (int64_t d = -2; d <= 2; d++) {
			uint64_t v = (1ull << shift) + (uint64_t)d;
			unsigned s = hist_slot(v);

			CHECK(s < HIST_SLOTS);
			CHECK(hist_low(s) <= v && (v < hist_high(s) || hist_high(s) == UINT64_MAX));
		}
	CHECK_UINT(hist_slot(0), 0);
	CHECK_UINT(hist_slot(1), 1);
	CHECK(hist_slot(UINT64_MAX) < HIST_SLOTS);
}

TEST(hist_slots_have_no_gaps_and_grow)
{
	for (unsigned s = 0; s < 495; s++) {
		CHECK_UINT(hist_high(s), hist_low(s + 1));
		CHECK(hist_low(s) < hist_high(s));
	}
	CHECK_UINT(hist_high(495), UINT64_MAX);
	CHECK_UINT(hist_low(500), UINT64_MAX);
}

TEST(hist_middles_are_off_by_a_sixteenth_at_most)
{
	for (unsigned s = 0; s < 495; s++) {
		double low = (double)hist_low(s), high = (double)hist_high(s) - 1;
		double middle = (low + high) / 2;

		CHECK(high - middle <= HIST_ERROR * high);
		CHECK(low == 0 || middle - low <= HIST_ERROR * low);
	}
}

static int order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

TEST(hist_percentiles_are_those_of_the_values)
{
	static uint64_t values[20000];
	const double qs[] = { 0.01, 0.5, 0.9, 0.99, 0.999, 1 };
	size_t n = sizeof(values) / sizeof(*values);
	struct hist h = { 0 };
	uint64_t sum = 0;

	srand(60);
	for (size_t i = 0; i < n; i++) {
		values[i] = (uint64_t)exp((double)rand() / RAND_MAX * 25);
		hist_add(&h, values[i], 1);
		sum += values[i];
	}
	qsort(values, n, sizeof(*values), order);
	for (size_t i = 0; i < sizeof(qs) / sizeof(*qs); i++) {
		double want = (double)values[(size_t)ceil(qs[i] * (double)n) - 1];

		CHECK(fabs(hist_percentile(&h, qs[i]) - want) <= HIST_ERROR * want);
	}
	CHECK_UINT(hist_count(&h), n);
	CHECK_UINT(h.sum, sum);
	CHECK_NEAR(hist_mean(&h), (double)sum / (double)n, 1);
	CHECK(h.max_known);
	CHECK_UINT(hist_max(&h), values[n - 1]);
}

TEST(hist_of_nothing_says_nothing)
{
	struct hist h = { 0 };

	CHECK_UINT(hist_count(&h), 0);
	CHECK(isnan(hist_percentile(&h, 0.5)));
	CHECK(isnan(hist_mean(&h)));
	CHECK_UINT(hist_max(&h), 0);
}

TEST(hist_percentiles_need_ten_values_above_them)
{
	CHECK_UINT(hist_least(0.5), 0);
	CHECK_UINT(hist_least(0.9), 0);
	CHECK_UINT(hist_least(0.99), 1000);
	CHECK_UINT(hist_least(0.999), 10000);
}

TEST(hist_subtracts_what_came_before)
{
	struct hist before = { 0 }, now;

	hist_add(&before, 1000, 3);
	hist_add(&before, 5000, 1);
	now = before;
	hist_add(&now, 2000, 2);
	hist_subtract(&now, &before);
	CHECK_UINT(hist_count(&now), 2);
	CHECK_UINT(now.sum, 4000);
	/* the largest ever is not one of these: what is left is the edge of the slot */
	CHECK(!now.max_known);
	CHECK_UINT(hist_max(&now), hist_high(hist_slot(2000)) - 1);
}

TEST(hist_maximum_is_known_when_it_has_grown)
{
	struct hist before = { 0 }, now;

	hist_add(&before, 1000, 1);
	now = before;
	hist_add(&now, 7777, 1);
	hist_subtract(&now, &before);
	CHECK(now.max_known);
	CHECK_UINT(hist_max(&now), 7777);
}

TEST(hist_counter_that_went_back_is_zero_and_not_huge)
{
	struct hist before = { 0 }, now = { 0 };

	hist_add(&before, 1000, 5);
	hist_add(&now, 1000, 4);
	hist_subtract(&now, &before);
	CHECK_UINT(hist_count(&now), 0);
	CHECK_UINT(now.sum, 0);
}

TEST(hist_merges_in_any_order)
{
	struct hist a = { 0 }, b = { 0 }, ab, ba;

	hist_add(&a, 10, 1);
	hist_add(&b, 1000000, 2);
	ab = a;
	ba = b;
	hist_merge(&ab, &b);
	hist_merge(&ba, &a);
	CHECK(!memcmp(&ab, &ba, sizeof(ab)));
	CHECK_UINT(hist_count(&ab), 3);
	CHECK_UINT(hist_max(&ab), 1000000);
}

TEST(hist_kinds_are_complete_and_can_be_found)
{
	for (unsigned k = 0; k < HIST_KINDS; k++) {
		if (!hist_kinds[k].name)
			continue;
		CHECK_INT(hist_kind_by_name(hist_kinds[k].name), (int)k);
		CHECK(hist_kinds[k].what && hist_kinds[k].limits && hist_kinds[k].measures);
		CHECK(hist_measures((enum wire_hist_kind)k) >= 1);
		CHECK(hist_measures((enum wire_hist_kind)k) <= WIRE_HIST_MEASURES);
		CHECK(hist_kinds[k].key == HIST_BY_NOTHING ||
		      (hist_kinds[k].keys & 1u << hist_kinds[k].key));
	}
	CHECK_INT(hist_kind_by_name("nonsense"), HIST_KINDS);
	for (unsigned key = 0; key < HIST_KEYS; key++)
		CHECK_INT(hist_key_by_name(hist_key_name((enum wire_hist_key)key)), (int)key);
	CHECK_INT(hist_key_by_name("colour"), HIST_KEYS);
}

static struct hist_row *row(struct hists *s, uint64_t key, uint64_t value, uint64_t times)
{
	struct hist_row *r = hists_row(s, HIST_BIOLAT, 0, HIST_BY_DISK, key, false);

	hist_add(&r->h, value, times);
	return r;
}

TEST(hists_are_subtracted_row_by_row)
{
	struct hists before = { 0 }, now = { 0 };

	row(&before, 1, 100, 5);
	row(&now, 1, 100, 7);
	row(&now, 2, 200, 1);
	hists_failure(&before, 3, 9)->count = 2;
	hists_failure(&now, 3, 9)->count = 5;
	hists_failure(&now, 4, 9)->count = 1;
	hists_subtract(&now, &before);
	CHECK_UINT(hist_count(&hists_row(&now, HIST_BIOLAT, 0, HIST_BY_DISK, 1, false)->h), 2);
	CHECK_UINT(hist_count(&hists_row(&now, HIST_BIOLAT, 0, HIST_BY_DISK, 2, false)->h), 1);
	CHECK_UINT(hists_failure(&now, 3, 9)->count, 3);
	CHECK_UINT(hists_failure(&now, 4, 9)->count, 1);
	hists_done(&before);
	hists_done(&now);
}

TEST(hists_are_in_order_of_their_sums_and_empty_rows_go)
{
	struct hists s = { 0 };

	row(&s, 1, 100, 1);
	row(&s, 2, 100, 0);
	row(&s, 3, 100, 9);
	hists_tidy(&s);
	CHECK_UINT(s.n, 2);
	CHECK_UINT(s.rows[0].key, 3);
	CHECK_UINT(s.rows[1].key, 1);
	hists_done(&s);
}

TEST(hists_keep_one_row_that_says_that_there_was_nothing)
{
	struct hists s = { 0 };

	row(&s, 1, 100, 0);
	row(&s, 2, 100, 0);
	hists_row(&s, HIST_BIOLAT, 1, HIST_BY_DISK, 1, false);
	hists_tidy(&s);
	CHECK_UINT(s.n, 1);
	hists_done(&s);
}
