/* SPDX-License-Identifier: Apache-2.0 */
/* Findings: what comes first, and how much fits. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/finding.h"
#include "model/report.h"
#include "tests/unit/unit.h"

static struct finding *add(struct findings *fs, const char *id, enum severity sev)
{
	struct finding *f = finding_add(fs, id, RES_CPU, ASPECT_SATURATION);

	f->severity = sev;
	return f;
}

TEST(severity_comes_first_then_present_loss_then_serial_then_wasted_then_future)
{
	static const char *const order[] = { "crit", "lost", "serial", "wasted", "future", "info" };
	struct findings fs;

	findings_init(&fs);
	add(&fs, "future", SEV_WARN)->impact.to_limit = 700;
	add(&fs, "info", SEV_INFO)->impact.lost = 9;
	add(&fs, "wasted", SEV_WARN)->impact.wasted = 50;
	add(&fs, "serial", SEV_WARN)->impact.serial = 0.9;
	add(&fs, "lost", SEV_WARN)->impact.lost = 0.06;
	add(&fs, "crit", SEV_CRIT)->impact.to_limit = 10;
	findings_rank(&fs);
	for (size_t i = 0; i < fs.n; i++)
		CHECK_STR(fs.list[i].id, order[i]);
	findings_done(&fs);
}

TEST(among_equals_the_larger_and_surer_one_comes_first)
{
	struct findings fs;

	findings_init(&fs);
	add(&fs, "small", SEV_WARN)->impact.lost = 0.1;
	add(&fs, "unsure", SEV_WARN)->impact.lost = 0.5;
	fs.list[1].confidence = 0.3;
	add(&fs, "large", SEV_WARN)->impact.lost = 0.4;
	findings_rank(&fs);
	CHECK_STR(fs.list[0].id, "large");
	CHECK_STR(fs.list[1].id, "unsure");
	findings_done(&fs);
}

TEST(an_impact_is_critical_by_amount_or_by_share_of_the_machine)
{
	struct impact none = { NAN, NAN, NAN, NAN, NAN }, i = none;

	CHECK_INT(impact_severity(&none, 2), SEV_INFO);
	i.lost = 0.15;
	CHECK_INT(impact_severity(&i, 2), SEV_WARN);
	CHECK_INT(impact_severity(&i, 1), SEV_CRIT);
	i.lost = 1;
	CHECK_INT(impact_severity(&i, 128), SEV_CRIT);
	i = none;
	i.to_limit = 60;
	CHECK_INT(impact_severity(&i, 2), SEV_CRIT);
	i.to_limit = 2000;
	CHECK_INT(impact_severity(&i, 2), SEV_WARN);
	i.to_limit = 9000;
	CHECK_INT(impact_severity(&i, 2), SEV_INFO);
}

TEST(more_parties_and_evidence_than_fit_are_dropped_without_harm)
{
	struct findings fs;
	struct finding *f;

	findings_init(&fs);
	f = add(&fs, "x", SEV_WARN);
	for (int i = 0; i < 40; i++) {
		finding_offender(f, PARTY_PROCESS, "name", i, 0.5)->port = i;
		finding_victim(f, PARTY_DEVICE, NULL, i, 0.5);
		finding_evidence(f, "m", i, "s", NAN, "src");
		finding_symptom(f, "s %d", i);
		finding_next(f, "n %d", i);
	}
	CHECK_INT(f->noffenders, FINDING_PARTIES);
	CHECK_INT(f->nvictims, FINDING_PARTIES);
	CHECK_INT(f->nevidence, FINDING_EVIDENCE);
	CHECK_INT(f->nsymptoms, FINDING_LINES);
	CHECK_STR(f->next[7], "n 7");
	CHECK_STR(party_kind_name(f->victims[0].kind), "device");
	CHECK_STR(severity_name(f->severity), "warn");
	finding_summary(f, "%0600d", 1);
	CHECK_INT(strlen(f->summary), sizeof(f->summary) - 1);
	findings_done(&fs);
}

TEST(sheets_hold_numbers_and_texts_and_unknown_cells)
{
	static const struct sheet_column columns[] = { { "NAME", "name", -1, -8 },
						       { "N", "n", 1, 5 } };
	struct report r;
	struct sheet *s;

	report_init(&r, "sixty.test/1", NULL);
	s = report_sheet(&r, "step", "title", columns, 2);
	for (int i = 0; i < 100; i++) {
		size_t row = sheet_row(s, i % 2);

		sheet_text(&r, s, row, 0, "x");
		sheet_number(s, row, 1, i);
	}
	sheet_number(s, 1000, 1, 5);
	sheet_number(s, 0, 9, 5);
	CHECK_INT(s->nrows, 100);
	CHECK_NEAR(s->cells[99 * 2 + 1].number, 99, 0);
	CHECK_STR(r.strings.data + s->cells[99 * 2].text, "x");
	CHECK(isnan(report_use(&r, RES_DISK, "vda")->errors));
	CHECK_STR(verdict_name(VERDICT_INCONCLUSIVE), "inconclusive");
	report_done(&r);
}

/* A control group can be called "$(reboot)" by whoever may create one. */
TEST(a_command_is_not_kept_when_a_name_would_act_in_a_shell)
{
	static const char *const names[] = { "/x;reboot", "/$(reboot)", "/`reboot`", "/a'b",
					     "/a\"b",     "/a\nreboot", "/a|b",      "/a&",
					     "/a>b",      "/a\\",       "/*",        "/a#" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct findings fs;
		struct finding *f;

		findings_init(&fs);
		f = finding_add(&fs, "cpu.saturated", RES_CPU, ASPECT_SATURATION);
		finding_next(f, "cat '/sys/fs/cgroup%s/cpu.stat' | head", names[i]);
		CHECK_HAS(f->next[0], "# no command here");
		findings_done(&fs);
	}
}

TEST(a_command_may_have_characters_of_the_shell_that_the_rule_wrote)
{
	struct findings fs;
	struct finding *f;

	findings_init(&fs);
	f = finding_add(&fs, "cpu.saturated", RES_CPU, ASPECT_SATURATION);
	finding_next(f, "du -xsh '%s'/* | sort -h; ss -tinp 'sport = :%d'", "/var/lib/a b", 80);
	CHECK_STR(f->next[0], "du -xsh '/var/lib/a b'/* | sort -h; ss -tinp 'sport = :80'");
	finding_next(f, "# %s must be told", "it's (x)");
	CHECK_STR(f->next[1], "# it's (x) must be told");
	findings_done(&fs);
}
