/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "export/hists.h"
#include "tests/unit/unit.h"

static struct hists hists;
static struct report report;

static const struct style plain = { .columns = 200, .ascii = true };

/* A report with one row of this kind. */
static struct hist_row *scene(enum wire_hist_kind kind, enum wire_hist_key by, const char *name)
{
	struct hist_row *row;

	hists_done(&hists);
	report = (struct report){ .seconds = 2, .parts = REPORT_HISTS, .hists = &hists };
	row = hists_row(&hists, kind, 0, by, 7, false);
	strncpy(row->name, name, sizeof(row->name) - 1);
	return row;
}

static const char *text(const struct style *s)
{
	static struct buf out;

	buf_clear(&out);
	text_hists(&out, &report, s);
	return out.data;
}

static const char *json(void)
{
	static struct buf out;
	struct json j;

	buf_clear(&out);
	json_begin(&j, &out);
	json_object(&j, NULL);
	json_hists(&j, &report);
	json_end_object(&j);
	return out.data;
}

TEST(hist_text_says_too_few_instead_of_a_percentile)
{
	struct hist_row *row = scene(HIST_RUNQLAT, HIST_BY_NOTHING, "");

	hist_add(&row->h, 5000, 999);
	CHECK_HAS(text(&plain), "p90 4.9 us");
	CHECK_HAS(text(&plain), "p99 too few (needs 1000)");
	hist_add(&row->h, 5000, 1);
	CHECK_HAS(text(&plain), "p99 4.9 us");
	CHECK_HAS(text(&plain), "p99.9 too few (needs 10000)");
}

TEST(hist_text_has_count_rate_mean_maximum_and_total)
{
	struct hist_row *row = scene(HIST_RUNQLAT, HIST_BY_NOTHING, "");

	hist_add(&row->h, 1000000, 4);
	CHECK_HAS(text(&plain), "4 waits for a CPU");
	CHECK_HAS(text(&plain), "2/s");
	CHECK_HAS(text(&plain), "mean 1.0 ms");
	CHECK_HAS(text(&plain), "max 1.0 ms");
	CHECK_HAS(text(&plain), "total 4.0 ms");
	CHECK_HAS(text(&plain), "100.0 %");
}

TEST(hist_text_tells_a_bound_from_a_maximum)
{
	struct hist_row *row = scene(HIST_BITESIZE, HIST_BY_NOTHING, "");

	hist_add(&row->h, 4096, 3);
	row->h.max_known = false;
	CHECK_HAS(text(&plain), "max <= 4.5 KiB");
}

TEST(hist_text_shows_what_has_not_ended)
{
	struct hist_row *row = scene(HIST_RUNQLAT, HIST_BY_NOTHING, "");

	hist_add(&row->h, 1000, 1);
	row->open_known = true;
	row->open = 2;
	row->open_max = 30000000;
	row->open_sum = 40000000;
	CHECK_HAS(text(&plain), "not ended, and not in it: 2");
	CHECK_HAS(text(&plain), "longest for 30.0 ms");
	CHECK_HAS(json(), "\"open\":{\"count\":2,\"max_age\":0.03,\"sum\":0.04}");
}

TEST(hist_names_are_escaped_everywhere)
{
	struct hist_row *row = scene(HIST_WAKEUP, HIST_BY_PROCESS, "a\033[2J\"\\\n=b");
	struct buf out = { 0 };

	hist_add(&row->h, 1000, 1);
	CHECK(!strchr(text(&plain), '\033'));
	CHECK_HAS(text(&plain), "a\\x1b[2J");
	CHECK(!strchr(json(), '\033'));
	openmetrics_hists(&out, &report);
	CHECK_HAS(out.data, "process=\"a\\\\x1b[2J\\\"");
	CHECK(!strchr(out.data, '\033'));
	buf_clear(&out);
	csv_hists(&out, &report);
	CHECK(!strchr(out.data, '\033'));
	buf_done(&out);
}

TEST(hist_json_is_null_where_there_is_too_little)
{
	scene(HIST_RUNQLAT, HIST_BY_NOTHING, "");
	CHECK_HAS(json(), "\"count\":0,\"sum\":0,\"mean\":null,\"p50\":null");
	CHECK_HAS(json(), "\"max\":null,\"max_exact\":null,\"open\":null");
}

TEST(hist_openmetrics_counts_add_up)
{
	struct hist_row *row = scene(HIST_BIOLAT, HIST_BY_DISK, "vda");
	struct buf out = { 0 };

	hist_add(&row->h, 1000, 2);
	hist_add(&row->h, 100000, 3);
	openmetrics_hists(&out, &report);
	CHECK_HAS(out.data, "# TYPE sixty_hist_biolat_seconds histogram\n");
	CHECK_HAS(
		out.data,
		"sixty_hist_biolat_seconds_bucket{measure=\"total\",disk=\"vda\",le=\"1.023e-06\"} 2\n");
	CHECK_HAS(out.data, "le=\"+Inf\"} 5\n");
	CHECK_HAS(out.data, "sixty_hist_biolat_seconds_count{measure=\"total\",disk=\"vda\"} 5\n");
	buf_done(&out);
}

TEST(hist_many_rows_are_a_table)
{
	struct buf out = { 0 };

	scene(HIST_BIOLAT, HIST_BY_DISK, "first");
	for (uint64_t i = 0; i < 6; i++)
		hist_add(&hists_row(&hists, HIST_BIOLAT, 0, HIST_BY_DISK, i, false)->h, 1000, 1);
	text_hists(&out, &report, &plain);
	CHECK_HAS(out.data, "count      mean       p50       p99       max     total");
	CHECK(!strstr(out.data, "##"));
	buf_done(&out);
}

TEST(heat_map_has_a_column_per_interval_and_forgets_the_oldest)
{
	struct heat *h = heat_new();
	struct buf out = { 0 };
	struct hist_row *row = scene(HIST_RUNQLAT, HIST_BY_NOTHING, "");

	hist_add(&row->h, 1000, 1);
	for (int i = 0; i < 3; i++)
		heat_add(h, &report);
	CHECK(heat_draw(&out, h, &plain) >= 3);
	CHECK_HAS(out.data, "|@@@|");
	CHECK_HAS(out.data, "3 intervals");
	for (int i = 0; i < 300; i++)
		heat_add(h, &report);
	buf_clear(&out);
	heat_draw(&out, h, &plain);
	CHECK_HAS(out.data, "older ones have left");
	buf_done(&out);
	heat_free(h);
}

TEST(heat_map_of_nothing_says_so)
{
	struct heat *h = heat_new();
	struct buf out = { 0 };

	scene(HIST_RUNQLAT, HIST_BY_NOTHING, "");
	heat_add(h, &report);
	CHECK_UINT(heat_draw(&out, h, &plain), 1);
	CHECK_HAS(out.data, "nothing");
	buf_done(&out);
	heat_free(h);
}
