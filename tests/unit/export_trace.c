/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "export/trace.h"
#include "tests/unit/unit.h"

static const struct trace_names nobody = { .page_bytes = 4096 };
static const struct style plain = { .columns = 100 };

static const struct trace_writer *writer(const char *name)
{
	for (const struct trace_writer *w = trace_writers; w->name; w++)
		if (!strcmp(w->name, name))
			return w;
	unit_fail(__FILE__, __LINE__, "there is no %s", name);
}

static const char *line(const char *format, unsigned events, const void *record, const char *exe)
{
	static struct buf out;
	struct trace_line l = { .record = record,
				.time = "12:00:00.000001",
				.exe = exe,
				.cgroup = "/a/b",
				.names = &nobody };

	buf_clear(&out);
	writer(format)->line(&out, events, &plain, &l);
	return out.data;
}

/* Somebody who may choose names may choose these: a new line of our own making, a cleared screen, broken UTF-8. */
static struct wire_exec hostile(void)
{
	struct wire_exec r = {
		.e = { .tag = TRACE_EXEC, .pid = 42, .tid = 42, .comm = "a\n\033[2J\xff\"b" },
		.path = "/tmp/x\r\n12:00 exit",
		.path_size = 20,
		.args_size = 9
	};

	memcpy(r.args, "x\0\xe2\x80\xae\0\0", 8);
	return r;
}

TEST(a_hostile_name_is_one_line_of_text)
{
	struct wire_exec r = hostile();
	const char *s = line("text", 1u << TRACE_EXEC, &r, NULL);

	CHECK(strchr(s, '\n') == s + strlen(s) - 1);
	CHECK(!strchr(s, '\033') && !strchr(s, '\r') && !strstr(s, "\xe2\x80\xae"));
	CHECK_HAS(s, "a\\x0a\\x1b[2J");
	CHECK_HAS(s, "\"/tmp/x\\x0d\\x0a12:00 exit\"");
}

TEST(a_hostile_name_is_one_object_of_json)
{
	struct wire_exec r = hostile();
	const char *s = line("json", 1u << TRACE_EXEC, &r, "/e\"xe");

	CHECK(strchr(s, '\n') == s + strlen(s) - 1);
	CHECK_HAS(s, "\"comm\":\"a\\\\x0a\\\\x1b[2J\\\\xff\\\"b\"");
	CHECK_HAS(s, "\"exe\":\"/e\\\"xe\"");
	CHECK_HAS(s, "\"args\":[\"x\",\"\\\\xe2\\\\x80\\\\xae\",");
	CHECK_HAS(s, "\"cut\":null");
}

TEST(a_hostile_name_is_one_row_of_csv)
{
	struct wire_exec r = hostile();
	const char *s;

	memcpy(r.e.comm, "=cmd|' /C\0", 10);
	s = line("csv", 1u << TRACE_EXEC, &r, NULL);
	CHECK(strchr(s, '\n') == s + strlen(s) - 1);
	CHECK_HAS(s, "\"'=cmd|' /C\"");
	CHECK_HAS(s, "\"/tmp/x\\x0d\\x0a12:00 exit\"");
}

static size_t count(const char *s, char c)
{
	size_t n = 0;

	for (; *s; s++)
		n += *s == c;
	return n;
}

TEST(rows_of_csv_have_as_many_fields_as_the_header_whatever_the_event)
{
	unsigned events = 1u << TRACE_EXIT | 1u << TRACE_TCP | 1u << TRACE_RETRANSMIT |
			  1u << TRACE_OPEN;
	struct wire_exit x = { .e.tag = TRACE_EXIT, .ran_ns = 1 };
	struct wire_retransmit t = { .e.tag = TRACE_RETRANSMIT, .state = 1 };
	struct wire_open o = { .e.tag = TRACE_OPEN, .error = -2, .path = "/p" };
	struct buf head = { 0 };
	size_t commas;

	writer("csv")->head(&head, events, &plain);
	commas = count(head.data, ',');
	CHECK_UINT(count(line("csv", events, &x, NULL), ','), commas);
	CHECK_UINT(count(line("csv", events, &t, NULL), ','), commas);
	CHECK_UINT(count(line("csv", events, &o, NULL), ','), commas);
	CHECK(!strstr(strstr(head.data, "rtt_seconds") + 1,
		      "rtt_seconds")); /* columns of one name are one */
	buf_done(&head);
}

TEST(who_is_not_known_is_absent_and_not_process_0)
{
	struct wire_drop r = { .e.tag = TRACE_DROP, .reason = 3 };

	CHECK_HAS(line("json", 1u << TRACE_DROP, &r, NULL), "\"pid\":null,\"tid\":null");
	CHECK_HAS(line("text", 1u << TRACE_DROP, &r, NULL), "drop        - -  ");
}

TEST(who_ran_instead_is_told_with_shares)
{
	struct wire_runq r = { .e = { .tag = TRACE_RUNQ, .pid = 5 },
			       .wait_ns = 3000000,
			       .ran = { { .ns = 2000000, .tgid = 9 },
					{ .ns = 1000000, .tgid = 0 } } };

	CHECK_HAS(line("text", 1u << TRACE_RUNQ, &r, NULL),
		  "waited 3.0 ms, ran instead [9] 2.0 ms + idle 1.0 ms");
	CHECK_HAS(
		line("json", 1u << TRACE_RUNQ, &r, NULL),
		"\"ran\":[{\"pid\":9,\"comm\":null,\"seconds\":0.002},{\"pid\":0,\"comm\":\"idle\",\"seconds\":0.001}]");
}

static struct trace_totals totals(void)
{
	struct trace_totals t = {
		.events = 1u << TRACE_EXEC | 1u << TRACE_DROP,
		.seconds = 2,
		.lost_known = true,
		.shown = { [TRACE_EXEC] = 5 },
		.ledger = { .nprograms = 2,
			    .programs = { { .name = "trace_exec", .events = 5, .ns_per_event = NAN },
					  { .name = "trace_drop",
					    .events = 7,
					    .ns_per_event = 100 } } }
	};

	return t;
}

TEST(what_was_lost_is_told_by_event)
{
	struct trace_totals t = totals();
	struct buf out = { 0 };

	trace_totals_text(&out, &t, &plain);
	CHECK_HAS(out.data, "5 events in 2 s (exec 5, drop 0); lost none");
	CHECK_HAS(out.data, "and what was not measured");
	t.lost[TRACE_DROP] = 12;
	buf_clear(&out);
	trace_totals_text(&out, &t, &plain);
	CHECK_HAS(out.data, "lost 12 events (drop 12)");
	t.lost_known = false;
	buf_clear(&out);
	trace_totals_text(&out, &t, &plain);
	CHECK_HAS(out.data, "what was lost is not known");
	buf_done(&out);
}

TEST(the_last_object_has_the_schema_and_no_zero_for_the_unknown)
{
	struct trace_totals t = totals();
	struct buf out = { 0 };

	t.lost_known = false;
	trace_totals_json(&out, &t);
	CHECK_HAS(out.data, "{\"schema\":\"sixty.trace/1\",");
	CHECK_HAS(out.data, "\"loss\":{\"events\":{\"exec\":null,\"drop\":null}");
	CHECK_HAS(out.data, "{\"name\":\"trace_exec\",\"events\":5,\"ns_per_event\":null}");
	buf_done(&out);
}
