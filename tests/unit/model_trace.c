/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "model/trace.h"
#include "tests/unit/unit.h"

static const struct trace_names nobody = { .page_bytes = 4096 };

static const struct trace_column *column(enum wire_trace event, const char *key)
{
	for (const struct trace_column *c = trace_events[event].columns; c->key; c++)
		if (!strcmp(c->key, key))
			return c;
	unit_fail(__FILE__, __LINE__, "%s has no column %s", trace_events[event].name, key);
}

/* Valid until the next call. */
static const struct trace_value *value(enum wire_trace event, const char *key, const void *record)
{
	static struct trace_value v;

	trace_get(column(event, key), record, &nobody, &v);
	return &v;
}

static const char *text(enum wire_trace event, const char *key, const void *record)
{
	static char out[1024];
	const struct trace_value *v = value(event, key, record);

	if (v->kind == VALUE_NONE)
		return "absent";
	CHECK(v->size < sizeof(out));
	memcpy(out, v->text, v->size);
	out[v->size] = '\0';
	return out;
}

TEST(every_event_has_a_name_words_columns_and_a_size)
{
	for (unsigned i = 0; i < TRACE_MAX; i++) {
		const struct trace_event *e = &trace_events[i];

		CHECK(e->name && e->what && e->needs && e->price && e->columns);
		CHECK(e->size >= sizeof(struct wire_event) && e->size <= TRACE_RECORD_MOST);
		CHECK(e->columns[0].key);
		for (const struct trace_column *c = e->columns; c->key; c++)
			CHECK_UINT(strspn(c->key, "abcdefghijklmnopqrstuvwxyz_"), strlen(c->key));
		CHECK_INT(trace_event_by_name(e->name), (int)i);
	}
	CHECK_INT(trace_event_by_name("exe"), TRACE_MAX);
	CHECK_INT(trace_event_by_name(""), TRACE_MAX);
}

TEST(a_record_of_another_size_or_event_is_none)
{
	struct wire_exit r = { .e.tag = TRACE_EXIT };

	CHECK(trace_record_ok(&r, sizeof(r)));
	CHECK(!trace_record_ok(&r, sizeof(r) - 1));
	CHECK(!trace_record_ok(&r, sizeof(r) + 8));
	CHECK(!trace_record_ok(&r, 4));
	r.e.tag = TRACE_MAX;
	CHECK(!trace_record_ok(&r, sizeof(r)));
	r.e.tag = TRACE_EXEC;
	CHECK(!trace_record_ok(&r, sizeof(r)));
}

TEST(every_column_of_a_zeroed_and_of_a_full_record_can_be_asked)
{
	static char zero[TRACE_RECORD_MOST], full[TRACE_RECORD_MOST];
	struct trace_value v;

	memset(full, 0xff, sizeof(full));
	for (unsigned i = 0; i < TRACE_MAX; i++)
		for (const struct trace_column *c = trace_events[i].columns; c->key; c++) {
			trace_get(c, zero, &nobody, &v);
			trace_get(c, full, &nobody, &v);
			CHECK(v.kind != VALUE_TEXT || v.size <= TRACE_RECORD_MOST);
			CHECK(v.kind != VALUE_RAN || v.size <= WIRE_RAN);
		}
}

TEST(an_exit_has_either_a_status_or_a_signal)
{
	struct wire_exit r = { .status = 3 << 8, .ran_ns = 2500000, .peak_pages = 10 };

	CHECK_INT((int)value(TRACE_EXIT, "status", &r)->number, 3);
	CHECK_STR(text(TRACE_EXIT, "signal", &r), "absent");
	CHECK_NEAR(value(TRACE_EXIT, "ran_seconds", &r)->number, 0.0025, 1e-12);
	CHECK_INT((int)value(TRACE_EXIT, "peak_rss_bytes", &r)->number, 40960);
	r.status = SIGSEGV | 128;
	CHECK_INT(value(TRACE_EXIT, "status", &r)->kind, VALUE_NONE);
	CHECK_STR(text(TRACE_EXIT, "signal", &r), "SIGSEGV");
	CHECK_STR(text(TRACE_EXIT, "core", &r), "dumped");
}

/* A child that ran for 3 ms between two ticks was shown with 0 s of CPU time. */
TEST(cpu_time_that_nobody_has_accounted_for_is_absent_and_so_is_a_part_of_it)
{
	struct wire_exit r = { .cpu_ns = 0 };

	CHECK_INT(value(TRACE_EXIT, "cpu_seconds", &r)->kind, VALUE_NONE);
	r.cpu_ns = 1000;
	CHECK_INT(value(TRACE_EXIT, "cpu_seconds", &r)->kind, VALUE_SECONDS);
	r.threads_missed = 1;
	CHECK_INT(value(TRACE_EXIT, "cpu_seconds", &r)->kind, VALUE_NONE);
}

TEST(arguments_are_a_list_and_their_size_is_not_believed)
{
	struct wire_exec r = { .args_size = 7, .path = "/bin/a", .path_size = 7 };
	const struct trace_value *v;

	memcpy(r.args, "a\0b c\0", 6);
	v = value(TRACE_EXEC, "args", &r);
	CHECK_INT(v->kind, VALUE_LIST);
	CHECK_UINT(v->size, 7);
	r.args_size = 100000;
	CHECK_UINT(value(TRACE_EXEC, "args", &r)->size, WIRE_ARGS);
	CHECK_STR(text(TRACE_EXEC, "cut", &r), "absent");
	r.args_cut = 1;
	CHECK_STR(text(TRACE_EXEC, "cut", &r), "arguments");
	r.path_size = WIRE_PATH;
	CHECK_STR(text(TRACE_EXEC, "cut", &r), "path and arguments");
	memset(r.path, 'x', sizeof(r.path)); /* no NUL at all */
	CHECK_UINT(value(TRACE_EXEC, "path", &r)->size, WIRE_PATH);
}

TEST(a_failed_open_is_told_by_the_name_of_its_error)
{
	struct wire_open r = { .error = -ENOENT, .path = "/x", .path_size = 3 };

	CHECK_STR(text(TRACE_OPEN, "error", &r), "ENOENT");
	r.error = -511;
	CHECK_STR(text(TRACE_OPEN, "error", &r), "errno 511");
}

TEST(a_signal_names_the_other_side_of_its_direction_only)
{
	struct wire_signal r = {
		.number = SIGUSR1, .other_pid = 7, .other_comm = "b", .handler = 2
	};

	CHECK_STR(text(TRACE_SIGNAL, "action", &r), "sent");
	CHECK_STR(text(TRACE_SIGNAL, "signal", &r), "SIGUSR1");
	CHECK_INT((int)value(TRACE_SIGNAL, "to_pid", &r)->number, 7);
	CHECK_STR(text(TRACE_SIGNAL, "to_comm", &r), "b");
	CHECK_INT(value(TRACE_SIGNAL, "from_pid", &r)->kind, VALUE_NONE);
	CHECK_STR(text(TRACE_SIGNAL, "handler", &r), "absent");
	r.delivered = 1;
	CHECK_INT(value(TRACE_SIGNAL, "to_pid", &r)->kind, VALUE_NONE);
	CHECK_INT((int)value(TRACE_SIGNAL, "from_pid", &r)->number, 7);
	CHECK_STR(text(TRACE_SIGNAL, "handler", &r), "handler");
	r.other_pid = 0;
	CHECK_INT(value(TRACE_SIGNAL, "from_pid", &r)->kind, VALUE_NONE);
}

TEST(signals_have_names_up_to_the_last_real_time_one)
{
	char out[16];

	CHECK_STR(trace_signal_name(SIGTERM, out, sizeof(out)), "SIGTERM");
	CHECK_STR(trace_signal_name(35, out, sizeof(out)), "RT+3");
	CHECK_STR(trace_signal_name(64, out, sizeof(out)), "RT+32");
	CHECK(!trace_signal_name(65, out, sizeof(out)));
	CHECK(!trace_signal_name(0, out, sizeof(out)));
	CHECK(!trace_signal_name(-1, out, sizeof(out)));
}

TEST(addresses_are_written_as_people_write_them)
{
	static const uint8_t four[16] = { 192, 0, 2, 1 },
			     six[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
	char out[64];

	CHECK_STR(trace_address(out, sizeof(out), AF_INET, four, 80), "192.0.2.1:80");
	CHECK_STR(trace_address(out, sizeof(out), AF_INET6, six, 443), "[2001:db8::1]:443");
	CHECK_STR(trace_address(out, sizeof(out), AF_INET6, six, 0), "2001:db8::1");
	CHECK_STR(trace_address(out, sizeof(out), 0, four, 80), "");
	CHECK_STR(trace_address(out, sizeof(out), AF_UNIX, four, 80), "");
}

TEST(bytes_of_a_connection_are_told_when_it_is_closed)
{
	struct wire_tcp r = { .what = TCP_CONNECT, .ns = 1000 };

	CHECK_INT(value(TRACE_TCP, "sent_bytes", &r)->kind, VALUE_NONE);
	r.what = TCP_CLOSE;
	CHECK_INT(value(TRACE_TCP, "sent_bytes", &r)->kind, VALUE_BYTES); /* 0 was counted */
	r.ns = 0;
	CHECK_INT(value(TRACE_TCP, "seconds", &r)->kind,
		  VALUE_NONE); /* its beginning was not seen */
}

TEST(names_of_a_file_are_put_together_from_the_root_down)
{
	struct wire_fsync r = { .names = { "file", "b", "a" } };

	CHECK_STR(text(TRACE_FSYNC, "path", &r), "/a/b/file");
	r.more = 1;
	CHECK_STR(text(TRACE_FSYNC, "path", &r), "../a/b/file");
	for (int i = 0; i < WIRE_NAMES; i++)
		memset(r.names[i], 'n', WIRE_NAME);
	CHECK(value(TRACE_FSYNC, "path", &r)->size <= WIRE_NAMES * (WIRE_NAME + 1) + 2);
}

TEST(numbers_without_a_name_stay_numbers)
{
	struct wire_drop r = { .reason = 70000, .ethertype = 0x88cc };
	struct wire_bio b = { .major = 8, .minor = 16, .op = 1 | 0x800, .sector = UINT64_MAX };

	CHECK_STR(text(TRACE_DROP, "reason", &r), "70000");
	CHECK_STR(text(TRACE_DROP, "protocol", &r), "ethertype 0x88cc");
	CHECK_STR(text(TRACE_DROP, "from", &r), "absent");
	CHECK_STR(text(TRACE_BIO, "disk", &b), "8:16");
	CHECK_STR(text(TRACE_BIO, "operation", &b), "write");
	CHECK_INT(value(TRACE_BIO, "sector", &b)->kind, VALUE_NONE);
	CHECK_INT(value(TRACE_BIO, "device_seconds", &b)->kind, VALUE_NONE);
}
