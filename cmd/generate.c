/* SPDX-License-Identifier: Apache-2.0 */
/* sixty generate: what the build makes for the manual and for shells. Not shown in help: people have no use for it. */
#include "cmd/generate.h"

#include <string.h>

#include "cmd/commands.h"
#include "cmd/output.h"

static const struct opt opts[] = { { .name = NULL } };

static const struct {
	const char *what;
	void (*write)(struct buf *out);
} products[] = {
	{ "man", generate_man },
	{ "bash", generate_bash },
	{ "zsh", generate_zsh },
	{ "fish", generate_fish },
};

static int generate_run(const void *args, int argc, char **argv)
{
	static const struct output_args to_stdout = { .file = NULL };
	struct output o = { .args = &to_stdout };
	struct buf b = { 0 };

	(void)args;
	for (size_t i = 0; argc == 1 && i < sizeof(products) / sizeof(*products); i++)
		if (!strcmp(argv[0], products[i].what)) {
			products[i].write(&b);
			return output_done(&o, &b);
		}
	return output_usage("generate", "needs one of: man, bash, zsh, fish");
}

const struct command command_generate = {
	.name = "generate",
	.summary = NULL,
	.usage = "sixty generate man|bash|zsh|fish",
	.description = "Writes the manual page or the completions of a shell to standard output.",
	.examples = NULL,
	.opts = opts,
	.defaults = opts,
	.args_size = 0,
	.run = generate_run,
};
