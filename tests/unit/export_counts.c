/* SPDX-License-Identifier: Apache-2.0 */
#include "export/counts.h"

#include <string.h>

#include "tests/unit/unit.h"

static struct counts counts;
static struct report report;
static struct buf out;
static const struct style plain = { .columns = 100, .ascii = true };

static struct count_row *row(const char *name, uint64_t raw)
{
	struct count_row *r = counts_add(&counts);

	report = (struct report){ .parts = REPORT_COUNTS, .counts = &counts, .seconds = 2 };
	counts.seconds = 2;
	strcpy(counts.target, "a\033b[7]");
	strcpy(r->name, name);
	r->raw = raw;
	r->enabled_ns = r->running_ns = 1000;
	return r;
}

static const char *text(void)
{
	buf_clear(&out);
	text_counts(&out, &report, &plain);
	return out.data;
}

static const char *json(void)
{
	struct json j;

	buf_clear(&out);
	json_begin(&j, &out);
	json_object(&j, NULL);
	json_counts(&j, &report);
	json_end_object(&j);
	return out.data;
}

TEST(counts_are_printed_as_whole_numbers_with_their_rate)
{
	row("page-faults", 1234567);
	CHECK_HAS(text(), "page-faults                 1234567");
	CHECK_HAS(text(), "617 k /s");
	CHECK_HAS(text(), "a\\x1bb[7]");
	CHECK(!strstr(text(), "multiplied"));
}

TEST(an_event_that_took_turns_says_how_long_it_was_counted)
{
	row("cycles", 100)->running_ns = 250;
	CHECK_HAS(text(), "400");
	CHECK_HAS(text(), "25.0 % of the time, multiplied up");
	CHECK_HAS(json(), "\"count\":400");
	CHECK_HAS(json(), "\"counted\":0.25");
}

TEST(what_cannot_be_counted_says_why_once_and_is_null)
{
	strcpy(row("cycles", 0)->why, "no PMU here");
	strcpy(row("instructions", 0)->why, "no PMU here");
	row("cs", 0);
	CHECK_HAS(text(), "cycles, instructions: no PMU here");
	CHECK_HAS(
		json(),
		"{\"event\":\"cycles\",\"unit\":\"\",\"mode\":\"all\",\"count\":null,\"per_second\":null,"
		"\"counted\":null,\"reason\":\"no PMU here\"}");
	CHECK_HAS(json(), "{\"event\":\"cs\",\"unit\":\"\",\"mode\":\"all\",\"count\":0,");
	buf_clear(&out);
	csv_counts(&out, &report);
	CHECK(!strstr(out.data, "cycles"));
	CHECK_HAS(out.data, "\"cs\",all,0,\"\",1");
	buf_clear(&out);
	openmetrics_counts(&out, &report);
	CHECK(!strstr(out.data, "cycles"));
	CHECK_HAS(out.data, "sixty_stat_count{event=\"cs\",mode=\"all\",unit=\"\"} 0");
}

TEST(an_event_that_may_be_counted_in_the_program_only_says_so)
{
	row("page-faults", 5)->kernel = false;
	row("cs:u", 5)->kernel = false;
	CHECK_HAS(text(), "page-faults:u");
	CHECK(!strstr(text(), "cs:u:u"));
	CHECK_HAS(json(), "\"mode\":\"user\"");
}

TEST(a_ratio_is_printed_with_its_base)
{
	row("branches", 2000000)->role = COUNT_BRANCHES;
	row("branch-misses", 50000)->role = COUNT_BRANCH_MISSES;
	CHECK_HAS(text(), "branches mispredicted");
	CHECK_HAS(text(), "2.50 %  of 2.0 M branches");
	CHECK_HAS(
		json(),
		"{\"name\":\"branches mispredicted\",\"value\":0.025,\"of\":\"branches\",\"base\":2000000,\"counted\":1}");
}
