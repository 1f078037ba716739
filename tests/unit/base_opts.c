/* SPDX-License-Identifier: Apache-2.0 */
#include "base/opts.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "tests/unit/unit.h"

static const char *const formats[] = { "text", "json", "csv", NULL };

struct args {
	int duration, pid, format, any;
	double threshold;
	const char *out, *color;
	bool verbose, all, quiet;
};

#define AT(field) offsetof(struct args, field)

/* clang-format off */
static const struct opt table[] = {
	{'d', "duration",  OPT_INT,    AT(duration),  "SECONDS", "Watch for this long", 1, 60, NULL},
	{'p', "pid",       OPT_INT,    AT(pid),       "PID", "Only this process", 1, 4194304, NULL},
	{'t', "threshold", OPT_DOUBLE, AT(threshold), "RATIO", "Report from here on", 0, 1.5, NULL},
	{'f', "format",    OPT_CHOICE, AT(format),    "FORMAT", "How to print", 0, 0, formats},
	{'v', "verbose",   OPT_FLAG,   AT(verbose),   NULL, "Say more", 0, 0, NULL},
	{'a', "all",       OPT_FLAG,   AT(all),       NULL, "Show everything", 0, 0, NULL},
	{.flag = 0},
};
static const struct opt common[] = {
	{'o', "output",    OPT_STRING, AT(out),       "FILE", "Write to FILE", 0, 0, NULL},
	{0,   "color",     OPT_STRING, AT(color),     "WHEN", "Use colours", 0, 0, NULL},
	{'q', NULL,        OPT_FLAG,   AT(quiet),     NULL, "Say less", 0, 0, NULL},
	{0,   "verb",      OPT_INT,    AT(any),       "N", "Any number", 0, 0, NULL},
	{.flag = 0},
};
/* clang-format on */

static const struct opt *const tables[] = { table, common };

static struct args args;
static struct err e;
static char *argv[16];
static int operands;

/* Split at blanks and parse; "" stands for itself in the word {}. */
static int parse(const char *line)
{
	static char copy[1024];
	int argc = 0;

	args = (struct args){ .duration = 10, .threshold = 0.5, .color = "auto" };
	e = (struct err){ 0 };
	text_copy(copy, sizeof(copy), text_of(line));
	for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
		argv[argc++] = strcmp(w, "{}") ? w : copy + strlen(line);
	argv[argc] = NULL;
	return opts_parse(tables, 2, &args, argc, argv, &operands, &e);
}

TEST(no_options_keep_the_defaults)
{
	CHECK_INT(parse("triage"), 0);
	CHECK_INT(args.duration, 10);
	CHECK_NEAR(args.threshold, 0.5, 0);
	CHECK_STR(args.color, "auto");
	CHECK_INT(operands, 0);
}

TEST(a_value_may_be_attached_or_follow)
{
	static const char *const lines[] = { "triage -d20",          "triage -d 20",
					     "triage --duration=20", "triage --duration 20",
					     "triage --dur 20",      "triage --d=20",
					     "triage -d +20",        "triage -d 5 -d 20",
					     "triage -vad20",        "triage -va -d 20" };

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (parse(lines[i]))
			unit_fail(__FILE__, __LINE__, "%s: %s", lines[i], e.msg);
		CHECK_INT(args.duration, 20);
	}
}

TEST(flags_can_be_bundled)
{
	CHECK_INT(parse("triage -avq"), 0);
	CHECK(args.all && args.verbose && args.quiet);
	CHECK_INT(parse("triage -a"), 0);
	CHECK(args.all && !args.verbose && !args.quiet);
}

TEST(strings_and_choices_are_filled_in)
{
	CHECK_INT(parse("triage -o a.svg --format csv --color=never --verb -7"), 0);
	CHECK_STR(args.out, "a.svg");
	CHECK_STR(args.color, "never");
	CHECK_INT(args.format, 2);
	CHECK_INT(args.any, -7);
	CHECK_INT(parse("triage --color= -o -"), 0);
	CHECK_STR(args.color, "");
	CHECK_STR(args.out, "-");
}

TEST(fractions_have_a_point)
{
	static const struct {
		const char *line;
		double v;
	} rows[] = {
		{ "triage -t 1", 1 },
		{ "triage -t .25", 0.25 },
		{ "triage -t 1.", 1 },
		{ "triage -t 0.1", 0.1 },
		{ "triage -t +1.5", 1.5 },
		{ "triage -t -0", 0 },
		{ "triage -t 0.30000000000000000000000000000001", 0.3 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_INT(parse(rows[i].line), 0);
		CHECK_NEAR(args.threshold, rows[i].v, 1e-15);
	}
}

TEST(operands_are_collected_in_their_order)
{
	CHECK_INT(parse("trace open -v exec -d 5 -- -x --help"), 0);
	CHECK_INT(operands, 4);
	CHECK_STR(argv[0], "trace");
	CHECK_STR(argv[1], "open");
	CHECK_STR(argv[2], "exec");
	CHECK_STR(argv[3], "-x");
	CHECK_STR(argv[4], "--help");
	CHECK(args.verbose);
	CHECK_INT(args.duration, 5);
	CHECK_INT(parse("trace - {}"), 0);
	CHECK_INT(operands, 2);
	CHECK_STR(argv[1], "-");
	CHECK_STR(argv[2], "");
}

TEST(asking_for_help_is_not_an_error)
{
	static const char *const lines[] = { "triage -h", "triage --help", "triage --he",
					     "triage -vh", "triage -d 5 -h" };

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		CHECK_INT(parse(lines[i]), -ECANCELED);
		CHECK_STR(e.msg, "");
	}
}

TEST(a_row_may_take_h_for_itself)
{
	static const struct opt own[] = {
		{ 'h', "hz", OPT_INT, AT(any), "N", "Rate", 1, 1000, NULL }, { .flag = 0 }
	};
	static const struct opt *const one[] = { own };
	char *words[] = { (char *)"sixty", (char *)"-h", (char *)"99", NULL };

	CHECK_INT(opts_parse(one, 1, &args, 3, words, &operands, &e), 0);
	CHECK_INT(args.any, 99);
	words[1] = (char *)"--h";
	CHECK_INT(opts_parse(one, 1, &args, 3, words, &operands, &e), -EINVAL);
	CHECK_STR(e.msg, "--h could be --hz, --help (see sixty --help)");
}

TEST(an_error_names_the_option_the_value_and_the_way_out)
{
	static const struct {
		const char *line, *msg;
	} rows[] = {
		{ "triage -d 0", "-d 0: must be between 1 and 60" },
		{ "triage --dur=61", "--duration 61: must be between 1 and 60" },
		{ "triage -d 99999999999999999999",
		  "-d 99999999999999999999: is not a whole number" },
		{ "triage --duration ten", "--duration ten: is not a whole number" },
		{ "triage --duration=", "--duration : is not a whole number" },
		{ "triage -d 1.5", "-d 1.5: is not a whole number" },
		{ "triage -d 10s", "-d 10s: is not a whole number" },
		{ "triage -d", "-d needs a value: SECONDS" },
		{ "triage --output", "--output needs a value: FILE" },
		{ "triage -t 2", "-t 2: must be between 0 and 1.5" },
		{ "triage -t -0.1", "-t -0.1: must be between 0 and 1.5" },
		{ "triage -t nan", "-t nan: is not a number" },
		{ "triage -t 1e1", "-t 1e1: is not a number" },
		{ "triage -t 0x1", "-t 0x1: is not a number" },
		{ "triage -t .", "-t .: is not a number" },
		{ "triage -t -", "-t -: is not a number" },
		{ "triage -t 1.2.3", "-t 1.2.3: is not a number" },
		{ "triage -f xml", "-f xml: must be one of text, json, csv" },
		{ "triage --format=", "--format : must be one of text, json, csv" },
		{ "triage --verb 2147483648",
		  "--verb 2147483648: must be between -2147483648 and 2147483647" },
		{ "triage --verbose=1", "--verbose takes no value" },
		{ "triage --help=me", "--help takes no value" },
		{ "triage --ver", "--ver could be --verbose, --verb" },
		{ "triage -z", "unknown option -z" },
		{ "triage -vz", "unknown option -z" },
		{ "triage --nothing", "unknown option --nothing" },
		{ "triage --duratoin 5", "unknown option --duratoin, did you mean --duration?" },
		{ "triage --=5", "unknown option --" },
		{ "triage ---", "unknown option ---" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf want = { 0 };

		buf_printf(&want, "%s (see sixty triage --help)", rows[i].msg);
		CHECK_INT(parse(rows[i].line), -EINVAL);
		CHECK_INT(e.code, -EINVAL);
		CHECK_STR(e.msg, want.data);
		buf_done(&want);
	}
}

TEST(an_exact_name_is_not_a_prefix)
{
	CHECK_INT(parse("triage --verb 5"), 0);
	CHECK_INT(args.any, 5);
	CHECK(!args.verbose);
	CHECK_INT(parse("triage --verbo"), 0);
	CHECK(args.verbose);
}

TEST(a_failed_option_leaves_its_field_alone)
{
	CHECK_INT(parse("triage -d 99"), -EINVAL);
	CHECK_INT(args.duration, 10);
	CHECK_INT(parse("triage -f yaml"), -EINVAL);
	CHECK_INT(args.format, 0);
}

TEST(errors_of_the_program_itself_name_no_command)
{
	CHECK_INT(parse("/usr/bin/sixty -z"), -EINVAL);
	CHECK_STR(e.msg, "unknown option -z (see sixty --help)");
	CHECK_INT(opts_parse(tables, 2, &args, 0, argv, &operands, NULL), 0);
}

TEST(what_was_typed_is_made_safe_before_it_is_shown)
{
	CHECK_INT(parse("triage -d \033[2J"), -EINVAL);
	CHECK_STR(e.msg, "-d \\x1b[2J: is not a whole number (see sixty triage --help)");
	CHECK_INT(parse("triage --\033"), -EINVAL);
	CHECK_STR(e.msg, "unknown option --\\x1b (see sixty triage --help)");
	CHECK_INT(parse("triage -\xff"), -EINVAL);
	CHECK_STR(e.msg, "unknown option -\\xff (see sixty triage --help)");
	CHECK_INT(parse("triage -\xc3\xa9"), -EINVAL);
	CHECK_STR(e.msg, "unknown option -\xc3\xa9 (see sixty triage --help)");
}

TEST(a_huge_value_is_cut_in_the_error)
{
	struct buf line = { 0 };

	buf_str(&line, "triage -d ");
	buf_fill(&line, '9', 900);
	CHECK_INT(parse(line.data), -EINVAL);
	CHECK_HAS(e.msg, "99999: is not a whole number (see sixty triage --help)");
	buf_clear(&line);
	buf_str(&line, "triage -t ");
	buf_fill(&line, '9', 900);
	CHECK_INT(parse(line.data), -EINVAL);
	CHECK_HAS(e.msg, "is not a number");
	buf_clear(&line);
	buf_str(&line, "triage --");
	buf_fill(&line, 'v', 900);
	CHECK_INT(parse(line.data), -EINVAL);
	CHECK_HAS(e.msg, "unknown option --vvvv");
	buf_done(&line);
}

TEST(help_shows_every_row_and_its_default)
{
	struct args d = { .duration = 10, .threshold = 0.25, .color = "auto", .format = 1 };
	struct buf b = { 0 };

	opts_help(&b, table, &d, 100);
	opts_help(&b, common, &d, 100);
	CHECK_STR(b.data,
		  "  -d, --duration SECONDS   Watch for this long (default 10)\n"
		  "  -p, --pid PID            Only this process\n"
		  "  -t, --threshold RATIO    Report from here on (default 0.25)\n"
		  "  -f, --format FORMAT      How to print (one of text, json, csv; default json)\n"
		  "  -v, --verbose            Say more\n"
		  "  -a, --all                Show everything\n"
		  "  -o, --output FILE   Write to FILE\n"
		  "      --color WHEN    Use colours (default auto)\n"
		  "  -q                  Say less\n"
		  "      --verb N        Any number (default 0)\n");
	buf_done(&b);
}

TEST(help_wraps_between_words)
{
	static const struct opt rows[] = {
		{ 'x', "x", OPT_FLAG, 0, NULL, "one two three four five six seven eight nine", 0, 0,
		  NULL },
		{ 0, "a-name-that-needs-much-room", OPT_STRING, AT(out), "SOMETHING-LONG",
		  "incomprehensibilities-are-never-cut here", 0, 0, NULL },
		{ .flag = 0 },
	};
	struct buf b = { 0 };

	opts_help(&b, rows, NULL, 32);
	CHECK_STR(b.data, "  -x, --x   one two three four\n"
			  "            five six seven eight\n"
			  "            nine\n"
			  "      --a-name-that-needs-much-room SOMETHING-LONG\n"
			  "            incomprehensibilities-are-never-cut\n"
			  "            here\n");
	buf_done(&b);
}
