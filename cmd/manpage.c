/* SPDX-License-Identifier: Apache-2.0 */
/* The manual page, in mdoc, from the tables of commands and options. */
#include "cmd/generate.h"

#include <string.h>

#include "base/text.h"
#include "cmd/commands.h"

#define SOURCE_COLUMNS 78

static bool ends_sentence(struct text word, struct text rest)
{
	char last = word.end[-1];

	text_skip_blanks(&rest);
	return (last == '.' || last == '?') && text_len(rest) && *rest.p >= 'A' && *rest.p <= 'Z';
}

/* Words of ours: what roff would take for its own is escaped, lines are short, and every sentence begins one. */
static void put_prose(struct buf *out, const char *s)
{
	struct text rest = text_of(s), word;
	size_t column = 0;

	while (text_word(&rest, &word)) {
		if (column && column + 1 + text_len(word) > SOURCE_COLUMNS) {
			buf_char(out, '\n');
			column = 0;
		}
		if (column)
			buf_char(out, ' ');
		else if (*word.p == '.' || *word.p == '\'')
			buf_str(out, "\\&");
		for (const char *c = word.p; c < word.end; c++)
			buf_str(out, *c == '\\' ? "\\e" : (char[]){ *c, '\0' });
		column += 1 + text_len(word);
		if (ends_sentence(word, rest)) {
			buf_char(out, '\n');
			column = 0;
		}
	}
	if (column)
		buf_char(out, '\n');
}

/* Two hyphens between blanks are meant as they are, and not as a dash. */
static void put_usage(struct buf *out, const char *s)
{
	const char *dashes;

	while ((dashes = strstr(s, " -- "))) {
		buf_add(out, s, (size_t)(dashes - s));
		buf_str(out, " \\-\\- ");
		s = dashes + 4;
	}
	buf_str(out, s);
}

/* The help of one option with its default: what opts_help() writes right of the option, three blanks or a line away. */
static void put_option_help(struct buf *out, const struct opt *o, const void *defaults)
{
	struct opt one[2] = { *o, { .name = NULL } };
	struct buf help = { 0 };
	const char *p, *gap, *end;

	opts_help(&help, one, defaults, 100000);
	p = help.data + strspn(help.data, " ");
	end = p + strcspn(p, "\n");
	gap = strstr(p, "   ");
	p = gap && gap < end ? gap : end;
	p += strspn(p, " \n");
	help.data[help.len - 1] = '\0'; /* the last newline */
	put_prose(out, p);
	buf_done(&help);
}

static void put_options(struct buf *out, const struct command *c)
{
	if (!c->opts->name)
		return;
	buf_str(out, ".Bl -tag -width Ds\n");
	for (const struct opt *o = c->opts; o->name; o++) {
		buf_str(out, ".It ");
		if (o->flag)
			buf_printf(out, "Fl %c , ", o->flag);
		buf_printf(out, "Fl \\-%s", o->name);
		if (o->arg && o->type != OPT_FLAG)
			buf_printf(out, " Ar %s", o->arg);
		buf_char(out, '\n');
		put_option_help(out, o, c->defaults);
	}
	buf_str(out, ".El\n");
}

static void put_words(struct buf *out, const struct command *c)
{
	const char *what, *word;

	if (!c->word)
		return;
	buf_str(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; (word = c->word(i, &what)); i++) {
		buf_printf(out, ".It Cm %s\n", word);
		if (what)
			put_prose(out, what);
	}
	buf_str(out, ".El\n");
}

/* Lines of "command<TAB>what it shows". */
static void put_examples(struct buf *out, const char *examples)
{
	struct text rest = text_of(examples), line, command;
	struct buf what = { 0 };

	while (text_line(&rest, &line)) {
		if (!text_until(&line, '\t', &command))
			continue;
		buf_printf(out, ".It Li %.*s\n", (int)text_len(command), command.p);
		buf_clear(&what);
		buf_add(&what, line.p, text_len(line));
		put_prose(out, what.data);
	}
	buf_done(&what);
}

void generate_man(struct buf *out)
{
	buf_str(out,
		".\\\" SPDX-License-Identifier: Apache-2.0\n"
		".\\\" Written by `sixty generate man` from the tables of commands and options; do not edit.\n"
		".Dd $Mdocdate$\n.Dt SIXTY 1\n.Os\n"
		".Sh NAME\n.Nm sixty\n.Nd say why this Linux machine is slow\n"
		".Sh SYNOPSIS\n.Nm\n.Op Ar command\n.Op Ar options\n"
		".Sh DESCRIPTION\n"
		".Nm\nwatches the whole machine for ten seconds and says in one sentence\n"
		"what is wrong, who does it and who suffers.\n"
		"It shows the evidence, what it has ruled out, what it could not see\n"
		"and what looking has cost.\n"
		"It reads\n.Pa /proc ,\n.Pa /sys ,\nnetlink sockets and the kernel log, and changes nothing.\n"
		".Pp\nWithout a command,\n.Nm\nruns\n.Ic triage .\n"
		"As root it sees more;\n.Nm\n.Ic doctor\ntells what is missing.\n"
		".Sh COMMANDS\n");
	for (size_t i = 0; commands[i]; i++) {
		const struct command *c = commands[i];

		if (!c->summary)
			continue;
		buf_printf(out, ".Ss %s\n.D1 ", c->name);
		put_usage(out, c->usage);
		buf_char(out, '\n');
		put_prose(out, c->description);
		put_words(out, c);
		put_options(out, c);
	}
	buf_str(out,
		".Sh ENVIRONMENT\n.Bl -tag -width Ds\n"
		".It Ev NO_COLOR\nNo colour, unless\n.Fl \\-color Cm always\nis given.\n"
		".It Ev TERM\nNo colour and no live picture on a terminal of type\n.Dq dumb .\n"
		".It Ev COLUMNS\nWidth of text that does not go to a terminal.\n"
		".It Ev LC_ALL , LC_CTYPE , LANG\nASCII only, unless the character set is UTF-8.\n"
		".El\n"
		".Sh EXIT STATUS\n.Bl -tag -width Ds\n"
		".It 0\nIt ran, whatever was found.\n"
		".It 1\nIt could not run.\n"
		".It 2\nThe command line was wrong.\n"
		".El\n"
		".Pp\nWith\n.Fl \\-check ,\n0 is healthy, 1 a warning, 2 critical, 3 inconclusive or could not run.\n"
		".Sh EXAMPLES\n.Bl -tag -width Ds\n");
	for (size_t i = 0; commands[i]; i++)
		if (commands[i]->summary && commands[i]->examples)
			put_examples(out, commands[i]->examples);
	buf_str(out,
		".El\n"
		".Sh SEE ALSO\n.Xr dmesg 1 ,\n.Xr free 1 ,\n.Xr iostat 1 ,\n.Xr mpstat 1 ,\n.Xr pidstat 1 ,\n.Xr sar 1 ,\n.Xr top 1 ,\n"
		".Xr uptime 1 ,\n.Xr proc 5 ,\n.Xr vmstat 8\n");
}
