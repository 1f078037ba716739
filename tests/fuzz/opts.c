/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz the option parser: arguments are the NUL-separated parts of the input. Whatever they are,
 * numbers end inside their range, operands are words that were given, and a refusal has a
 * sentence that is safe to print. */
#include "tests/fuzz/fuzz.h"

#include "base/opts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

#define ARGC_MAX 32

static const char *const choices[] = { "text", "json", NULL };

struct args {
	int n, choice;
	double ratio;
	const char *string;
	bool a, b;
};

/* clang-format off */
static const struct opt table[] = {
	{'n', "number", OPT_INT,    offsetof(struct args, n),      "N", "A number", 1, 60, NULL},
	{'r', "ratio",  OPT_DOUBLE, offsetof(struct args, ratio),  "R", "A ratio",  0, 1,  NULL},
	{'c', "choice", OPT_CHOICE, offsetof(struct args, choice), "C", "A choice", 0, 0, choices},
	{'s', "string", OPT_STRING, offsetof(struct args, string), "S", "A string", 0, 0, NULL},
	{'a', "alpha",  OPT_FLAG,   offsetof(struct args, a),      NULL, "A flag",  0, 0, NULL},
	{'b', "alphabet", OPT_FLAG, offsetof(struct args, b),      NULL, "A flag",  0, 0, NULL},
	{.flag = 0},
};
/* clang-format on */

static int split(char *copy, size_t size, char **argv)
{
	int argc = 0;

	argv[argc++] = (char *)"triage";
	for (size_t at = 0; at < size && argc < ARGC_MAX; at += strlen(copy + at) + 1)
		argv[argc++] = copy + at;
	argv[argc] = NULL;
	return argc;
}

static void check(const struct args *args, const struct err *e, int rc)
{
	struct buf safe = { 0 };

	require(rc == 0 || rc == -EINVAL || rc == -ECANCELED);
	require(args->n >= 1 && args->n <= 60);
	require(args->ratio >= 0 && args->ratio <= 1);
	require(args->choice == 0 || args->choice == 1);
	require((rc == -EINVAL) == (e->msg[0] != '\0'));
	text_printable(&safe, e->msg, strlen(e->msg));
	require(strlen(e->msg) == safe.len);
	buf_done(&safe);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct opt *const tables[] = { table };
	struct args args = { .n = 10, .ratio = 0.5 };
	char *copy = malloc(size + 1), *argv[ARGC_MAX + 1];
	struct err e = { 0 };
	int argc, operands, rc;

	if (!copy)
		return 0;
	if (size)
		memcpy(copy, data, size);
	copy[size] = '\0';
	argc = split(copy, size, argv);
	rc = opts_parse(tables, 1, &args, argc, argv, &operands, &e);
	check(&args, &e, rc);
	require(operands >= 0 && operands < argc);
	for (int i = 1; i <= operands; i++)
		require(argv[i] >= copy && argv[i] <= copy + size);
	if (args.string)
		require(args.string >= copy && args.string <= copy + size);
	free(copy);
	return 0;
}
