/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tests/unit/sample.h"
#include "tests/unit/scene.h"
#include "tests/unit/unit.h"

#define NASTY "=\033x\n\"\\,\xff"

static const struct style plain = { .columns = 80 }, verbose = { .columns = 80, .verbose = true };

/* A view with a hostile disk, a process whose number comes twice, and a table row of each common kind. */
static void open_view(struct scene *s, struct report *r)
{
	struct row_id p;

	scene_open(s, 2, 10);
	scene_level(s, M_LOAD1, scene_system, 1.25);
	scene_grow(s, M_DISK_READS, scene_named(s, SCOPE_DISK, NASTY), 120);
	scene_grow(s, M_DISK_IO_MS, scene_named(s, SCOPE_DISK, NASTY), 2.5);
	scene_grow(s, M_NETIF_RX_BYTES, scene_named(s, SCOPE_NETIF, "eth0"), 1e6);
	scene_level(s, M_MEM_TOTAL, scene_system, INFINITY);
	p = scene_process(s, 4242, "first, of its name");
	scene_grow(s, M_PROC_USER, p, 1);
	p = scene_born_process(s, 4242, "first, of its name");
	scene_grow(s, M_PROC_USER, p, 2);
	scene_grow(s, M_THREAD_RUN, scene_thread(s, 4242, 4243, "worker"), 1);
	scene_build(s);
	sample_sick(r);
	r->view = &s->view;
}

/* ---- OpenMetrics ---- */

static bool is_name(struct text t)
{
	if (!text_len(t) || isdigit((unsigned char)*t.p))
		return false;
	for (; t.p < t.end; t.p++)
		if (!isalnum((unsigned char)*t.p) && *t.p != '_')
			return false;
	return true;
}

/* name{label="value",…} number: what is behind the name, or false. */
static bool is_sample(struct text line, struct text *name, double *v)
{
	char number[64];

	*name = (struct text){ line.p, line.p };
	while (name->end < line.end && *name->end != '{' && *name->end != ' ')
		name->end++;
	line.p = name->end;
	if (line.p < line.end && *line.p == '{') {
		bool quoted = false;

		for (line.p++; line.p < line.end && (quoted || *line.p != '}'); line.p++) {
			if (*line.p == '"')
				quoted = !quoted;
			if (*line.p == '\\' && !strchr("\\\"n", *++line.p))
				return false;
		}
		if (!text_skip(&line, "}"))
			return false;
	}
	if (!text_skip(&line, " "))
		return false;
	text_copy(number, sizeof(number), line);
	*v = strtod(strcmp(number, "+Inf") ? number : "inf", NULL);
	return is_name(*name) && text_len(line) && !strchr(number, ' ');
}

struct family {
	char name[128], type[32], unit[32];
	bool ended;
};

static bool text_ends(struct text t, const char *suffix)
{
	size_t n = strlen(suffix);

	return text_len(t) >= n && !memcmp(t.end - n, suffix, n);
}

/* Every rule of the format that our output could break. */
static void check_openmetrics(const char *out)
{
	static struct family families[2000];
	struct text rest = text_of(out), line, name, word;
	struct family *now = NULL;
	size_t n = 0;
	bool eof = false;

	while (text_line(&rest, &line)) {
		double v;

		CHECK(!eof);
		if (text_eq(line, "# EOF")) {
			eof = true;
			continue;
		}
		if (text_skip(&line, "# TYPE ")) {
			CHECK(text_word(&line, &name) && is_name(name));
			for (size_t i = 0; i < n; i++)
				CHECK(!text_eq(name, families[i].name));
			CHECK(n < sizeof(families) / sizeof(*families));
			now = &families[n++];
			*now = (struct family){ .ended = false };
			text_copy(now->name, sizeof(now->name), name);
			CHECK(text_word(&line, &word));
			text_copy(now->type, sizeof(now->type), word);
			continue;
		}
		CHECK(now);
		if (text_skip(&line, "# UNIT ")) {
			CHECK(text_word(&line, &name) && text_eq(name, now->name));
			CHECK(text_word(&line, &word));
			text_copy(now->unit, sizeof(now->unit), word);
			CHECK(text_ends(name, now->unit));
			continue;
		}
		if (text_skip(&line, "# HELP ")) {
			CHECK(text_word(&line, &name) && text_eq(name, now->name));
			continue;
		}
		CHECK(is_sample(line, &name, &v));
		if (!strcmp(now->type, "counter")) {
			CHECK(text_ends(name, "_total") && v >= 0);
			name.end -= strlen("_total");
		} else {
			CHECK(!text_ends(name, "_total"));
		}
		CHECK(text_eq(name, now->name));
	}
	CHECK(eof);
}

/* No two lines have the same name and labels. */
static void check_unique(const char *out)
{
	struct text rest = text_of(out), line, other, rest2;

	while (text_line(&rest, &line)) {
		const char *end = text_last(line, ' ');

		if (text_starts(line, "#"))
			continue;
		rest2 = rest;
		while (text_line(&rest2, &other))
			CHECK(text_len(other) < (size_t)(end - line.p) ||
			      memcmp(other.p, line.p, (size_t)(end - line.p) + 1) != 0);
	}
}

TEST(openmetrics_is_well_formed_whatever_things_are_called)
{
	struct scene s;
	struct report r;
	const char *out;

	open_view(&s, &r);
	out = sample_print(&r, "openmetrics", &verbose);
	check_openmetrics(out);
	check_unique(out);
	CHECK_HAS(out, "sixty_disk_reads_total{device=\"=\\\\x1bx\\\\x0a\\\"\\\\,\\\\xff\"} ");
	CHECK_HAS(out, "sixty_sys_load1 1.25\n");
	CHECK_HAS(out, "# TYPE sixty_net_rx_bytes counter\n# UNIT sixty_net_rx_bytes bytes\n");
	CHECK_HAS(out, "sixty_thread_run_seconds_total{comm=\"worker\",tid=\"4243\"} ");
	scene_close(&s);
	report_done(&r);
}

TEST(openmetrics_of_hostile_findings_is_well_formed)
{
	struct report r;

	sample_hostile(&r);
	check_openmetrics(sample_print(&r, "openmetrics", &plain));
	check_unique(sample_print(&r, "openmetrics", &plain));
	report_done(&r);
}

TEST(openmetrics_has_one_series_for_a_pid_that_came_twice)
{
	struct scene s;
	struct report r;
	const char *out;

	open_view(&s, &r);
	out = sample_print(&r, "openmetrics", &plain);
	out = strstr(out, "sixty_proc_user_seconds_total{");
	CHECK(out);
	CHECK(!strstr(out + 1, "sixty_proc_user_seconds_total{"));
	scene_close(&s);
	report_done(&r);
}

/* Accounts of processes of the same name hid each other. */
TEST(openmetrics_tells_accounts_of_the_same_name_apart)
{
	struct scene s;
	struct report r;
	const char *out;

	scene_open(&s, 2, 10);
	for (uint64_t pid = 7; pid <= 8; pid++) {
		struct row_id id = { pid, 3 };

		snapshot_row(&s.first, SCOPE_TIME, id, "sh", 2);
		snapshot_row(&s.last, SCOPE_TIME, id, "sh", 2);
		scene_level(&s, M_TIME_PID, id, (double)pid);
		scene_grow(&s, M_TIME_RUN, id, (double)pid);
	}
	scene_build(&s);
	sample_sick(&r);
	r.view = &s.view;
	out = sample_print(&r, "openmetrics", &plain);
	check_unique(out);
	CHECK(strstr(out, "sixty_time_running_seconds_total{comm=\"sh\",pid=\"7\",start=\"3\"} 7"));
	CHECK(strstr(out, "sixty_time_running_seconds_total{comm=\"sh\",pid=\"8\",start=\"3\"} 8"));
	scene_close(&s);
	report_done(&r);
}

TEST(openmetrics_leaves_threads_and_sockets_to_verbose)
{
	struct scene s;
	struct report r;

	open_view(&s, &r);
	CHECK(!strstr(sample_print(&r, "openmetrics", &plain), "sixty_thread_"));
	scene_close(&s);
	report_done(&r);
}

TEST(openmetrics_tells_findings_and_verdict)
{
	struct report r;
	const char *out;

	sample_sick(&r);
	out = sample_print(&r, "openmetrics", &plain);
	CHECK_HAS(out, "sixty_verdict{sixty_verdict=\"actionable\"} 1\n");
	CHECK_HAS(out, "sixty_verdict{sixty_verdict=\"healthy\"} 0\n");
	CHECK_HAS(
		out,
		"sixty_finding{id=\"cpu.saturated\",severity=\"crit\",object=\"\",rank=\"1\"} 1\n");
	CHECK_HAS(
		out,
		"sixty_finding_lost_seconds_per_second{id=\"disk.slow_device\",severity=\"warn\",object=\"vdb\",rank=\"2\"} 0.41\n");
	CHECK_HAS(out, "sixty_lost_seconds_per_second 3.9\n");
	report_done(&r);
}

/* ---- CSV ---- */

/* Fields of the record at *p, quotes undone; *p moves behind its CR LF. */
static unsigned csv_record(const char **p, char fields[][256], unsigned most)
{
	unsigned n = 0;

	for (;;) {
		char *f = fields[n < most ? n : most - 1];
		size_t len = 0;

		if (**p == '"') {
			for (++*p; !(**p == '"' && (*p)[1] != '"'); ++*p) {
				CHECK(**p);
				*p += **p == '"';
				f[len++] = **p;
			}
			++*p;
		}
		while (**p != ',' && **p != '\r') {
			CHECK(**p && **p != '"' && **p != '\n');
			f[len++] = *(*p)++;
		}
		f[len] = '\0';
		n++;
		if (*(*p)++ == '\r')
			break;
	}
	CHECK(*(*p)++ == '\n');
	return n;
}

TEST(csv_keeps_to_rfc_4180_whatever_things_are_called)
{
	char f[6][256];
	struct scene s;
	struct report r;
	const char *p;
	bool disk = false, process = false;

	open_view(&s, &r);
	p = sample_print(&r, "csv", &plain);
	CHECK_UINT(csv_record(&p, f, 6), 6);
	CHECK_STR(f[0], "metric");
	CHECK_STR(f[5], "kind");
	while (*p) {
		CHECK_UINT(csv_record(&p, f, 6), 6);
		CHECK(!strchr("=+-@", *f[2]) || !*f[2]);
		if (!strcmp(f[0], "disk.reads")) {
			disk = true;
			CHECK_STR(f[1], "disk");
			CHECK_STR(f[2], "'=\\x1bx\\x0a\"\\,\\xff");
			CHECK_STR(f[3], "12");
			CHECK_STR(f[4], "count/s");
			CHECK_STR(f[5], "counter");
		}
		if (!strcmp(f[0], "proc.user") && strstr(f[2], "first, of its name")) {
			process = true;
			CHECK(!strncmp(f[2], "4242/", 5));
		}
	}
	CHECK(disk && process);
	scene_close(&s);
	report_done(&r);
}

/* ---- JSON ---- */

TEST(json_shows_absent_as_null_and_never_as_zero)
{
	struct report r;
	const char *out;

	sample_sick(&r);
	out = sample_print(&r, "json", &plain);
	CHECK_HAS(out, "\"failed_ops_per_second\":null");
	CHECK_HAS(
		out,
		"{\"kind\":\"device\",\"name\":\"vdb\",\"pid\":null,\"cgroup\":null,\"share\":null}");
	CHECK_HAS(out, "\"saturation\":null,\"saturation_unit\":null,\"errors\":null");
	CHECK_HAS(
		out,
		"\"reasons\":{\"saturation\":\"schedstats are off\",\"errors\":\"no machine check counters here\"}");
	CHECK_HAS(out,
		  "{\"pid\":4243,\"usr\":0.1,\"system\":null,\"wait\":0,\"command\":\"indexd\"}");
	report_done(&r);
}

TEST(json_says_why_its_empty_sections_are_empty)
{
	struct report r;
	const char *out;

	sample_healthy(&r);
	out = sample_print(&r, "json", &plain);
	CHECK_HAS(out, "\"red\":[],\"time\":[],\"histograms\":[],\"stacks\":[]");
	for (const char *const *id =
		     (const char *const[]){ "red", "time", "histograms", "stacks", NULL };
	     *id; id++) {
		char entry[64];

		snprintf(entry, sizeof(entry), "{\"id\":\"%s\",\"why\":\"", *id);
		CHECK_HAS(out, entry);
	}
	report_done(&r);
}

TEST(json_is_one_line_without_control_bytes)
{
	struct report r;
	const char *out;

	sample_hostile(&r);
	out = sample_print(&r, "json", &plain);
	CHECK(strchr(out, '\n') == out + strlen(out) - 1);
	for (const char *c = out; c[1]; c++)
		CHECK((unsigned char)*c >= 0x20 && *c != 0x7f);
	CHECK(!strstr(out, "\xe2\x80\xae"));
	report_done(&r);
}

TEST(json_has_the_window_in_utc)
{
	struct report r;

	sample_sick(&r);
	CHECK_HAS(sample_print(&r, "json", &plain),
		  "\"window\":{\"start\":\"2023-11-14T22:13:20.123Z\",\"seconds\":10}");
	report_done(&r);
}

TEST(every_exporter_has_a_name_and_a_help)
{
	for (size_t i = 0; exporters[i]; i++) {
		CHECK(exporter_by_name(exporters[i]->name) == exporters[i]);
		CHECK(*exporters[i]->help);
	}
	CHECK(!exporter_by_name("xml"));
}
