/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks that others wrote, in every format: what they become, and what is refused with which words. */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "export/stacks.h"
#include "flamegraph/read.h"
#include "tests/unit/unit.h"

/* What a text is as folded text. */
static const char *folded(const char *text, enum read_format expected)
{
	static struct buf out;
	struct stackset *ss = stackset_new();
	enum read_format format;
	struct err e = { 0 };

	buf_clear(&out);
	if (read_stacks(ss, text_of(text), &format, &e) || stacks_folded(&out, ss, &e))
		unit_fail(__FILE__, __LINE__, "%s", e.msg);
	CHECK_STR(read_format_name(format), read_format_name(expected));
	stackset_free(ss);
	return out.data;
}

/* The sentence with which a text is refused. */
static const char *refused(const char *text, size_t n)
{
	static struct err e;
	struct stackset *ss = stackset_new();

	e = (struct err){ 0 };
	if (!read_stacks(ss, text_n(text, n), NULL, &e))
		unit_fail(__FILE__, __LINE__, "not refused: %.80s", text);
	stackset_free(ss);
	return e.msg;
}

TEST(folded_text_is_summed_and_sorted)
{
	CHECK_STR(folded("main;write 3\nmain;read;copy_[k] 5\r\n\nmain;write 4\nidle 0\n",
			 READ_FOLDED),
		  "main;read;copy_[k] 5\nmain;write 7\n");
	CHECK_STR(folded("a;b 0.5\na;b 1.25\n", READ_FOLDED), "a;b 1.750\n");
}

TEST(a_name_may_hold_blanks_and_what_is_no_name_is_nothing)
{
	CHECK_STR(folded("operator new(unsigned long);std::map<int, int> 2\n;;a;;b; 3\n",
			 READ_FOLDED),
		  "a;b 3\noperator new(unsigned long);std::map<int, int> 2\n");
}

/* A line shares its beginning with the one before it, but only in whole names. */
TEST(a_name_that_begins_like_the_one_before_is_another)
{
	CHECK_STR(folded("ab;cd;ef 1\nab;c;ef 1\nab;cd 1\nab;cde;ef 1\nab 1\nabc;cd 1\n",
			 READ_FOLDED),
		  "ab 1\nab;c;ef 1\nab;cd 1\nab;cd;ef 1\nab;cde;ef 1\nabc;cd 1\n");
}

TEST(lines_that_are_no_stack_are_counted)
{
	struct stackset *ss = stackset_new();

	CHECK_INT(
		read_stacks(
			ss,
			text_of("# a comment\na;b 1\na;b 1\nnothing\na;b 1\na;b 1\na;c x\na;d -4\na;e 1e99\n"),
			NULL, NULL),
		0);
	CHECK_NEAR(stackset_lost(ss), 4, 0);
	CHECK_UINT(ss->nsamples, 4);
	stackset_free(ss);
	CHECK_HAS(refused("a;b 1\n\1\2\nx\n", 10), "2 of 3 lines");
	CHECK_HAS(refused("nothing\n", 8), "main;read 5");
	CHECK_HAS(refused("", 0), "empty");
}

TEST(a_folded_stack_that_is_too_deep_is_refused)
{
	struct buf b = { 0 };

	for (unsigned i = 0; i < 5000; i++)
		buf_str(&b, "f;");
	buf_str(&b, "g 1\n");
	CHECK_HAS(refused(b.data, b.len), "line 1: a stack of more than 4096 frames");
	buf_done(&b);
}

/* ---- perf script ---- */

static const char perf_text[] =
	"# ========\n# hostname : web1\n# cmdline : /usr/bin/perf record -g -a\n#\n"
	"java 24636/25607 [000] 100.500000:    10101 cycles: \n"
	"\t    7f722d142778 Ljava/io/PrintStream;::print (/tmp/perf-19982.map)\n"
	"\t    7f72 start_thread+0xd1 (/lib/libpthread.so)\n"
	"\n"
	"V8 Worker 77 [001] 101.250000:    20 cycles:u: \n"
	"\t 1 other (/bin/x)\n"
	"\n"
	"V8 Worker 77 [001] 101.250000:    20 cycles: \n"
	"\tffffffff8103ce3b native_safe_halt+0x6 ([kernel.kallsyms])\n"
	"\t    4005b1 std::vector<int>::push_back(int&&) (inlined)\n"
	"\t    4005b1 ns::(anonymous namespace)::f(int) (/bin/app)\n"
	"\t    4005b2 net/http.(*Client).Do (/bin/app)\n"
	"\t    4005b3 a->b (/bin/app)\n"
	"\t    4005b3 [unknown] (/usr/lib/libfoo.so.1)\n"
	"\t    4005b3  (/usr/lib/libbar.so.1)\n"
	"\t    4005b4 [unknown] ([unknown])\n"
	"\t    4005b5 \"quoted;name\" (/bin/app)\n";

TEST(perf_script_is_folded_as_stackcollapse_does_it)
{
	CHECK_STR(
		folded(perf_text, READ_PERF),
		"V8_Worker;quoted:name;[unknown];[libbar.so.1];[libfoo.so.1];a;b_[i];net/http.(*Client).Do;"
		"ns::(anonymous namespace)::f;std::vector<int>::push_back_[i];native_safe_halt_[k] 20\n"
		"java;start_thread;java/io/PrintStream:::print_[j] 10101\n");
}

TEST(perf_script_has_times_threads_and_a_host)
{
	struct stackset *ss = stackset_new();

	CHECK_INT(read_stacks(ss, text_of(perf_text), NULL, NULL), 0);
	CHECK_UINT(ss->nsamples, 2);
	CHECK_UINT(ss->sample[0].time_ns, 0);
	CHECK_UINT(ss->sample[1].time_ns, 750000000);
	CHECK_INT(ss->thread[ss->sample[0].thread].pid, 24636);
	CHECK_INT(ss->thread[ss->sample[0].thread].tid, 25607);
	CHECK_STR(stackset_text(ss, ss->about.host), "web1");
	CHECK_STR(stackset_text(ss, ss->about.event), "cycles");
	CHECK_STR(stackset_text(ss, ss->value[0].name), "cycles");
	CHECK_STR(stackset_text(ss, ss->loss[0].what), "samples of other events than cycles");
	CHECK_NEAR(stackset_lost(ss), 1, 0);
	stackset_free(ss);
}

TEST(perf_script_without_times_periods_and_indentation_is_read)
{
	CHECK_STR(
		folded("func_ab 15294 cpu-clock: \n400570 func_b (/root/func_ab)\n4005b1 main (/root/func_ab)\n\n",
		       READ_PERF),
		"func_ab;main;func_b 1\n");
}

/* ---- speedscope ---- */

#define SHARED \
	"\"shared\":{\"frames\":[{\"name\":\"main\"},{\"name\":\"a \\u00e9\\n\",\"file\":\"x.c\",\"line\":7}]}"

TEST(speedscope_samples_and_events_become_stacks)
{
	CHECK_STR(
		folded("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\"profiles\":["
		       "{\"type\":\"sampled\",\"name\":\"t\",\"unit\":\"milliseconds\",\"samples\":[[0],[0,1]],\"weights\":[1,2.5]},"
		       "{\"type\":\"evented\",\"unit\":\"seconds\",\"startValue\":0,\"events\":[{\"type\":\"O\",\"frame\":0,\"at\":1},"
		       "{\"type\":\"O\",\"frame\":1,\"at\":1.5},{\"type\":\"C\",\"frame\":1,\"at\":2},{\"type\":\"C\",\"frame\":0,\"at\":3}]},"
		       "{\"type\":\"sampled\",\"unit\":\"bytes\",\"samples\":[[0]],\"weights\":[1]}]," SHARED
		       "}",
		       READ_SPEEDSCOPE),
		"main 1501000000\nmain;a é\\x0a 502500000\n");
}

#define SPEEDSCOPE(profiles) "{\"exporter\":\"speedscope\"," SHARED ",\"profiles\":[" profiles "]}"

TEST(a_broken_speedscope_file_is_refused)
{
	/* clang-format off */
	static const struct { const char *text, *why; } bad[] = {
		{ "{\"speedscope\":", "no JSON object" },
		{ "{\"speedscope\":1}", "no shared.frames" },
		{ "{\"speedscope\":1," SHARED "}", "no profiles" },
		{ SPEEDSCOPE("{\"type\":\"sampled\",\"samples\":[[2]],\"weights\":[1]}"), "not in shared.frames" },
		{ SPEEDSCOPE("{\"type\":\"sampled\",\"samples\":[[-1]],\"weights\":[1]}"), "not in shared.frames" },
		{ SPEEDSCOPE("{\"type\":\"sampled\",\"samples\":[[0],[0]],\"weights\":[1]}"), "fewer weights" },
		{ SPEEDSCOPE("{\"type\":\"sampled\",\"samples\":[[0]],\"weights\":[-1]}"), "weighs -1" },
		{ SPEEDSCOPE("{\"type\":\"sampled\",\"samples\":[[0]],\"weights\":[1e400]}"), "fewer weights" },
		{ SPEEDSCOPE("{\"type\":\"sampled\",\"samples\":[[0] [0]],\"weights\":[1,1]}"), "no JSON" },
		{ SPEEDSCOPE("{\"type\":\"evented\",\"events\":[{\"type\":\"C\",\"frame\":0,\"at\":1}]}"), "closes what is not open" },
		{ SPEEDSCOPE("{\"type\":\"evented\",\"events\":[{\"type\":\"O\",\"frame\":0,\"at\":5},{\"type\":\"C\",\"frame\":0,\"at\":1}]}"), "before the one before" },
		{ SPEEDSCOPE("{\"type\":\"another\"}"), "no samples" },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_HAS(refused(bad[i].text, strlen(bad[i].text)), bad[i].why);
}

/* ---- our own, and pprof, by way of what is written ---- */

static struct stackset *sample_set(void)
{
	struct stackset *ss = stackset_new();
	struct frame_text f[] = {
		{ .name = text_of("main"),
		  .module = text_of("/bin/app"),
		  .file = text_of("app.c"),
		  .line = 12 },
		{ .name = text_of("inner"), .module = text_of("/bin/app"), .kind = FRAME_INLINED },
		{ .name = text_of("vfs_read"), .module = text_of("[kernel]"), .kind = FRAME_KERNEL },
		{ .name = text_of("[blocked: disk]"), .kind = FRAME_BLOCKED },
	};
	struct stack_sample s = { .time_ns = 1234567890123 };
	uint32_t id;

	stackset_value(ss, "samples", "count", NULL);
	stackset_value(ss, "off-cpu", "nanoseconds", NULL);
	stackset_thread(ss, 7, 8, text_of("worker"), &s.thread, NULL);
	stackset_string(ss, text_of("disk"), &s.cause, NULL);
	stackset_string(ss, text_of("web1"), &ss->about.host, NULL);
	ss->about.start_ns = 1764180000123456789;
	ss->about.seconds = 10;
	for (size_t i = 0; i < 4; i++) {
		CHECK_INT(stackset_frame(ss, &f[i], &id, NULL), 0);
		CHECK_INT(stackset_push(ss, s.stack, id, &s.stack, NULL), 0);
		CHECK_INT(stackset_add(ss, &s, (double[]){ 1, 1000003.0 * (double)(i + 1) }, NULL),
			  0);
		s.time_ns = STACK_NO_TIME;
	}
	stackset_lose(ss, "samples: the ring was full", 3);
	return ss;
}

typedef int write_fn(struct buf *out, const struct stackset *ss, struct err *e);

static struct stackset *through(write_fn *write, const struct stackset *ss,
				enum read_format expected)
{
	struct stackset *back = stackset_new();
	enum read_format format;
	struct buf b = { 0 };
	struct err e = { 0 };

	if (write(&b, ss, &e) || read_stacks(back, text_n(b.data, b.len), &format, &e))
		unit_fail(__FILE__, __LINE__, "%s", e.msg);
	CHECK_UINT(format, expected);
	buf_done(&b);
	return back;
}

static void same_folded(const struct stackset *a, const struct stackset *b)
{
	struct buf x = { 0 }, y = { 0 };

	CHECK_INT(stacks_folded(&x, a, NULL), 0);
	CHECK_INT(stacks_folded(&y, b, NULL), 0);
	CHECK_STR(x.data, y.data);
	buf_done(&x);
	buf_done(&y);
}

TEST(our_own_format_brings_everything_back)
{
	struct stackset *a = sample_set(), *b = through(stacks_profile, a, READ_PROFILE), *c;
	struct buf x = { 0 }, y = { 0 };

	same_folded(a, b);
	c = through(stacks_profile, b, READ_PROFILE);
	stacks_profile(&x, b, NULL);
	stacks_profile(&y, c, NULL);
	CHECK_STR(x.data, y.data);
	CHECK_UINT(b->about.start_ns, 1764180000123456789);
	CHECK_UINT(b->sample[0].time_ns, 1234567890123);
	CHECK(b->sample[1].time_ns == STACK_NO_TIME);
	buf_done(&x);
	buf_done(&y);
	stackset_free(a);
	stackset_free(b);
	stackset_free(c);
}

TEST(pprof_keeps_kinds_modules_lines_threads_and_all_values)
{
	struct stackset *a = sample_set(), *b = through(stacks_pprof, a, READ_PPROF);
	uint32_t frames[4];
	const struct stack_frame *f;

	same_folded(a, b);
	CHECK_UINT(b->nvalues, 2);
	CHECK_UINT(b->nsamples, 4);
	CHECK_NEAR(stackset_total(b, 1), stackset_total(a, 1), 0);
	CHECK_INT(b->thread[b->sample[0].thread].tid, 8);
	CHECK_STR(stackset_text(b, b->sample[0].cause), "disk");
	CHECK_UINT(b->about.start_ns, 1764180000123456789);
	CHECK_UINT(stackset_frames(b, b->sample[3].stack, frames, 4), 4);
	f = &b->frame[frames[3]];
	CHECK_STR(stackset_text(b, f->module), "/bin/app");
	CHECK_STR(stackset_text(b, f->file), "app.c");
	CHECK_UINT(f->line, 12);
	CHECK_UINT(b->frame[frames[0]].kind, FRAME_BLOCKED);
	stackset_free(a);
	stackset_free(b);
}

TEST(speedscope_has_a_profile_for_each_value)
{
	struct stackset *a = sample_set(), *b = through(stacks_speedscope, a, READ_SPEEDSCOPE);

	same_folded(a, b);
	CHECK_NEAR(stackset_lost(b), 1,
		   0); /* the profile in nanoseconds is of another unit than the first */
	stackset_free(a);
	stackset_free(b);
}

/* Every text that is cut somewhere is refused or read, and neither crashes nor loops. */
TEST(cut_files_of_every_format_end_in_a_sentence)
{
	static write_fn *const writers[] = { stacks_profile, stacks_speedscope, stacks_pprof };
	struct stackset *a = sample_set();

	for (size_t w = 0; w < 3; w++) {
		struct buf b = { 0 };

		CHECK_INT(writers[w](&b, a, NULL), 0);
		for (size_t n = 1; n + 1 < b.len; n++) {
			struct stackset *ss = stackset_new();
			struct err e = { 0 };

			if (read_stacks(ss, text_n(b.data, n), NULL, &e))
				CHECK(e.msg[0]);
			else
				unit_fail(__FILE__, __LINE__, "%zu of %zu bytes were read", n,
					  b.len);
			stackset_free(ss);
		}
		buf_done(&b);
	}
	stackset_free(a);
}

#define OURS(strings, frames, stacks, samples)                                                                  \
	"{\"schema\":\"sixty.profile/1\",\"values\":[{\"name\":\"samples\",\"unit\":\"count\"}],\"losses\":[]," \
	"\"strings\":" strings ",\"frames\":" frames ",\"stacks\":" stacks                                      \
	",\"threads\":[],\"samples\":" samples "}"

TEST(numbers_that_name_nothing_are_refused)
{
	/* clang-format off */
	static const struct { const char *text, *why; } bad[] = {
		{ OURS("[\"\",\"a\"]", "[[2,0,0,0,0]]", "[]", "[]"), "row 0 of its frames" },
		{ OURS("[\"\",\"a\"]", "[[1,0,0,0,99]]", "[]", "[]"), "row 0 of its frames" },
		{ OURS("[\"\",\"a\"]", "[[1,0,0,0.5]]", "[]", "[]"), "row 0 of its frames" },
		{ OURS("[\"\",\"a\"]", "[[1,0,0,0,0]]", "[[1,1]]", "[]"), "row 0 of its stacks" },
		{ OURS("[\"\",\"a\"]", "[[1,0,0,0,0]]", "[[0,1]]", "[[null,1,0,1,1]]"), "row 0 of its samples" },
		{ OURS("[\"\",\"a\"]", "[[1,0,0,0,0]]", "[[0,1]]", "[[null,0,0,1,-1]]"), "weighs -1" },
		{ OURS("[\"\",\"a\"]", "[[1,0,0,0,0]]", "[[0,1]]", "[[null,0,0,1,1,1]]"), "row 0 of its samples" },
		{ OURS("[\"\",\"a\"]", "[[1,0,0,0,0]]", "[[0,1]]", "[[null,0,0,1e30,1]]"), "row 0 of its samples" },
		{ OURS("[\"\",\"a\"]", "[[1,0,0,0,0]]", "[[0,1]]", "[]"), "no samples" },
		{ OURS("[7]", "[]", "[]", "[]"), "row 0 of its strings" },
		{ OURS("{}", "[]", "[]", "[]"), "no strings" },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_HAS(refused(bad[i].text, strlen(bad[i].text)), bad[i].why);
}

/* sample_type {1, 2}, strings "", "cpu", "count", and what is given */
#define PPROF_HEAD                                 \
	"\x0a\x04\x08\x01\x10\x02\x32\x00\x32\x03" \
	"cpu\x32\x05"                              \
	"count"

TEST(a_hostile_pprof_profile_is_refused)
{
	/* a sample that weighs -1; one of a location that is longer than the file; a length of 2^63 */
	static const char negative[] = PPROF_HEAD
		"\x12\x0f\x0a\x01\x01\x12\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
	static const char beyond[] = PPROF_HEAD "\x12\x7f\x0a\x01";
	static const char huge[] = PPROF_HEAD "\x12\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01";
	static const char untyped[] = "\x32\x00\x32\x01x";
	static const char inside[] = PPROF_HEAD "\x12\x05\x0a\x01\x01\x12\x7f";

	CHECK_HAS(refused(negative, sizeof(negative) - 1), "less than nothing");
	CHECK_HAS(refused(beyond, sizeof(beyond) - 1), "");
	CHECK_HAS(refused(huge, sizeof(huge) - 1), "");
	CHECK_HAS(refused(untyped, sizeof(untyped) - 1), "counted in");
	CHECK_HAS(refused(inside, sizeof(inside) - 1), "damaged");
}

TEST(a_pprof_location_that_is_not_there_has_a_name_and_is_counted)
{
	static const char text[] = PPROF_HEAD "\x12\x06\x0a\x01\x05\x12\x01\x03";
	struct stackset *ss = stackset_new();
	struct buf b = { 0 };

	CHECK_INT(read_stacks(ss, text_n(text, sizeof(text) - 1), NULL, NULL), 0);
	CHECK_INT(stacks_folded(&b, ss, NULL), 0);
	CHECK_STR(b.data, "[0x5] 3\n");
	CHECK_NEAR(stackset_lost(ss), 1, 0);
	buf_done(&b);
	stackset_free(ss);
}
