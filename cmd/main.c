/* SPDX-License-Identifier: Apache-2.0 */
/* sixty: which command, which options, then run it. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "export/style.h"
#include "model/metric.h"

#ifndef SIXTY_VERSION
#error "the Makefile says which version this is"
#endif

#define HELP_COLUMNS 80

static const struct style help_style = { .columns = HELP_COLUMNS };

/* A word in front, the rest beside it. */
static void help_row(struct buf *b, const char *left, const char *text, unsigned column)
{
	struct para p;

	buf_printf(b, "  %-*s", (int)column - 2, left);
	if (strlen(left) + 3 > column) {
		buf_char(b, '\n');
		buf_fill(b, ' ', column);
	}
	para_begin(&p, b, &help_style, column, column);
	para_words(&p, INK_PLAIN, text);
	para_end(&p);
}

static void help_paragraph(struct buf *b, const char *text)
{
	struct para p;

	para_begin(&p, b, &help_style, 0, 0);
	para_words(&p, INK_PLAIN, text);
	para_end(&p);
}

static void general_help(struct buf *b)
{
	buf_str(b,
		"usage: sixty [COMMAND] [OPTIONS]\n\nWhy is this Linux machine slow? Watches it for ten seconds and says so.\n\n");
	for (size_t i = 0; commands[i]; i++)
		if (commands[i]->summary)
			help_row(b, commands[i]->name, commands[i]->summary, 12);
	buf_char(b, '\n');
	help_paragraph(
		b,
		"Without a command: sixty triage. `sixty COMMAND --help` explains a command, `sixty --version` says "
		"which sixty this is.");
}

/* Lines of "command<TAB>what it shows". */
static void help_examples(struct buf *b, const char *examples)
{
	struct text rest = text_of(examples), line, command;
	char left[128], right[256];

	while (text_line(&rest, &line)) {
		if (!text_until(&line, '\t', &command))
			continue;
		help_row(b, text_copy(left, sizeof(left), command),
			 text_copy(right, sizeof(right), line), 32);
	}
}

static void help_words(struct buf *b, const struct command *c)
{
	const char *what, *word;

	buf_char(b, '\n');
	for (size_t i = 0; (word = c->word(i, &what)); i++)
		help_row(b, word, what ? what : "", 14);
}

/* A usage that is longer than a line is broken between its parts. */
static void help_usage(struct buf *b, const char *usage)
{
	struct para p;

	buf_str(b, "usage: ");
	para_begin(&p, b, &help_style, 7, 13);
	p.fresh = true;
	para_words(&p, INK_PLAIN, usage);
	para_end(&p);
	buf_char(b, '\n');
}

static void command_help(struct buf *b, const struct command *c)
{
	help_usage(b, c->usage);
	help_paragraph(b, c->description);
	if (c->word)
		help_words(b, c);
	if (c->opts->name) {
		buf_char(b, '\n');
		opts_help(b, c->opts, c->defaults, HELP_COLUMNS);
	}
	if (c->examples) {
		buf_str(b, "\nExamples:\n");
		help_examples(b, c->examples);
	}
}

static int print(struct buf *b)
{
	struct err e = { 0 };
	int err = output_text(NULL, b, &e);

	buf_done(b);
	return !err || err == -EPIPE ? 0 : output_error(&e);
}

static const struct command *command_by_name(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

/* Exit status of a run that says nothing: monitors take 1 and 2 of --check for findings. */
static int failed = 1, refused = 2;

static void note_check(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--check"))
			failed = refused = 3;
}

static int run(const struct command *c, int argc, char **argv)
{
	void *args = mem_alloc(c->args_size ? c->args_size : 1);
	const struct opt *tables[] = { c->opts };
	struct err e = { 0 };
	struct buf b = { 0 };
	int operands = 0, err, status;

	if (c->args_size)
		memcpy(args, c->defaults, c->args_size);
	err = opts_parse(tables, 1, args, argc, argv, &operands, &e);
	if (err == -ECANCELED) {
		command_help(&b, c);
		status = print(&b);
	} else if (err) {
		output_error(&e);
		status = refused;
	} else {
		status = c->run(args, operands, argv + 1);
	}
	mem_free(args);
	return status;
}

/* A parent may have closed what every program expects to be open. The next file would then be standard output: put
 * something there that cannot be used the way it is meant. */
static void fill_standard_files(void)
{
	static const int modes[] = { O_WRONLY, O_RDONLY, O_RDONLY };

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) < 0 &&
		    open("/", O_PATH | O_DIRECTORY) < 0)
			return;
}

/* Nothing can be said about a machine when no memory is to be had; a core file would not help anybody. */
static void out_of_memory(void)
{
	static const char why[] =
		"sixty: out of memory: raise the limit (ulimit -v, or memory of the control group) and try again\n";
	ssize_t n = write(STDERR_FILENO, why, sizeof(why) - 1);

	(void)n;
	_exit(failed);
}

int main(int argc, char **argv)
{
	const char *first = argc > 1 ? argv[1] : "";
	const struct command *c;
	struct buf b = { 0 };

	fill_standard_files();
	note_check(argc, argv);
	mem_on_abort(out_of_memory);
	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	metrics_init();
	if (!strcmp(first, "--version") || !strcmp(first, "-V")) {
		buf_str(&b, "sixty " SIXTY_VERSION "\n");
		return print(&b);
	}
	if (!strcmp(first, "--help") || !strcmp(first, "-h") || !strcmp(first, "help")) {
		c = argc > 2 ? command_by_name(argv[2]) : NULL;
		if (c)
			command_help(&b, c);
		else
			general_help(&b);
		return print(&b);
	}
	if (!*first || *first == '-')
		return run(&command_triage, argc, argv);
	c = command_by_name(first);
	if (!c) {
		struct err e;

		err_set(&e, -EINVAL, "there is no command '%s'; `sixty --help` lists them", first);
		return output_refused(&e);
	}
	argv[1] = argv[0];
	return run(c, argc - 1, argv + 1);
}
