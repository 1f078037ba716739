/* SPDX-License-Identifier: Apache-2.0 */
/* Completions for bash, zsh and fish, from the tables of commands, options, rules and formats. */
#include <string.h>

#include "checklist/rule.h"
#include "cmd/commands.h"
#include "cmd/generate.h"
#include "export/exporter.h"

#define LIST_TABLES "metrics rules collectors files events"

static void put_formats(struct buf *out)
{
	for (size_t i = 0; exporters[i]; i++)
		buf_printf(out, "%s%s", i ? " " : "", exporters[i]->name);
}

static void put_rules(struct buf *out)
{
	bool first = true;

	for (size_t t = 0; rules[t]; t++)
		for (const struct rule *r = rules[t]; r->id; r++) {
			buf_printf(out, "%s%s", first ? "" : " ", r->id);
			first = false;
		}
}

static void put_words(struct buf *out, const struct command *c)
{
	const char *what, *word;

	for (size_t i = 0; (word = c->word(i, &what)); i++)
		buf_printf(out, "%s%s", i ? " " : "", word);
}

static void put_choices(struct buf *out, const struct opt *o)
{
	for (const char *const *c = o->choices; *c; c++)
		buf_printf(out, "%s%s", c == o->choices ? "" : " ", *c);
}

static bool takes(const struct opt *o, const char *what)
{
	return o->type == OPT_STRING && o->arg && !strcmp(o->arg, what);
}

/* Single quotes of the shell: ' becomes '\''. */
static void put_quoted(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\'')
			buf_str(out, "'\\''");
		else
			buf_char(out, *s);
	}
}

/* ---- bash ---- */

static void bash_words(struct buf *out, const char *words)
{
	buf_printf(out, "mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$cur\")", words);
}

static void bash_option_values(struct buf *out, const struct command *c)
{
	struct buf list = { 0 };

	for (const struct opt *o = c->opts; o->name; o++) {
		if (o->type == OPT_FLAG)
			continue;
		buf_printf(out, "\t%s:--%s", c->name, o->name);
		if (o->flag)
			buf_printf(out, "|%s:-%c", c->name, o->flag);
		buf_str(out, ") ");
		buf_clear(&list);
		if (o->choices)
			put_choices(&list, o);
		else if (takes(o, "FORMAT"))
			put_formats(&list);
		if (list.len)
			bash_words(out, list.data);
		else if (takes(o, "DIR"))
			buf_str(out, "mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")");
		else if (takes(o, "FILE"))
			buf_str(out, "mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")");
		else
			buf_char(out, ':');
		buf_str(out, "; return ;;\n");
	}
	buf_done(&list);
}

static void bash_options(struct buf *out, const struct command *c)
{
	buf_printf(out, "\t%s) ", c->name);
	if (c->word) {
		buf_str(out, "if [[ $cur != -* ]]; then mapfile -t COMPREPLY < <(compgen -W '");
		put_words(out, c);
		buf_str(out, "' -- \"$cur\"); return; fi; ");
	}
	buf_str(out, "mapfile -t COMPREPLY < <(compgen -W '--help");
	for (const struct opt *o = c->opts; o->name; o++)
		buf_printf(out, " --%s", o->name);
	buf_str(out, "' -- \"$cur\") ;;\n");
}

void generate_bash(struct buf *out)
{
	struct buf list = { 0 };

	buf_str(out,
		"# bash completion for sixty; written by `sixty generate bash`\n\n_sixty()\n{\n"
		"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd=triage word\n"
		"\tCOMPREPLY=()\n"
		"\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n\t\tcase $word in\n\t\t-*) ;;\n\t\t");
	for (size_t i = 0; commands[i]; i++)
		if (commands[i]->summary)
			buf_printf(out, "%s%s", i ? "|" : "", commands[i]->name);
	buf_str(out, ") cmd=$word; break ;;\n\t\tesac\n\tdone\n\tcase $cmd:$prev in\n");
	for (size_t i = 0; commands[i]; i++)
		if (commands[i]->summary)
			bash_option_values(out, commands[i]);
	buf_str(out, "\texplain:explain) ");
	put_rules(&list);
	bash_words(out, list.data);
	buf_str(out, "; return ;;\n\tlist:list) ");
	bash_words(out, LIST_TABLES);
	buf_str(out,
		"; return ;;\n\tcapture:capture) mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"); return ;;\n\tesac\n"
		"\tif [[ $cur != -* && $COMP_CWORD = 1 ]]; then\n\t\t");
	buf_clear(&list);
	for (size_t i = 0; commands[i]; i++)
		if (commands[i]->summary)
			buf_printf(&list, "%s%s", i ? " " : "", commands[i]->name);
	bash_words(out, list.data);
	buf_str(out, "\n\t\treturn\n\tfi\n\tcase $cmd in\n");
	for (size_t i = 0; commands[i]; i++)
		if (commands[i]->summary)
			bash_options(out, commands[i]);
	buf_str(out, "\tesac\n}\n\ncomplete -F _sixty sixty\n");
	buf_done(&list);
}

/* ---- zsh ---- */

/* In a specification of _arguments, brackets and colons are its own. */
static void zsh_text(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if (strchr("[]:\\", *s))
			buf_char(out, '\\');
		if (*s == '\'')
			buf_str(out, "'\\''");
		else
			buf_char(out, *s);
	}
}

static void zsh_option(struct buf *out, const struct opt *o)
{
	buf_str(out, "\t\t\t");
	if (o->flag)
		buf_printf(out, "'(-%c --%s)'{-%c,--%s}'", o->flag, o->name, o->flag, o->name);
	else
		buf_printf(out, "'--%s", o->name);
	buf_char(out, '[');
	zsh_text(out, o->help);
	buf_char(out, ']');
	if (o->type != OPT_FLAG) {
		buf_printf(out, ":%s:", o->arg ? o->arg : "value");
		if (o->choices) {
			buf_char(out, '(');
			put_choices(out, o);
			buf_char(out, ')');
		} else if (takes(o, "FORMAT")) {
			buf_char(out, '(');
			put_formats(out);
			buf_char(out, ')');
		} else if (takes(o, "DIR")) {
			buf_str(out, "_files -/");
		} else if (takes(o, "FILE")) {
			buf_str(out, "_files");
		}
	}
	buf_str(out, "' \\\n");
}

static void zsh_command(struct buf *out, const struct command *c)
{
	buf_printf(out, "\t%s)\n\t\t_arguments \\\n", c->name);
	for (const struct opt *o = c->opts; o->name; o++)
		zsh_option(out, o);
	if (!strcmp(c->name, "explain")) {
		buf_str(out, "\t\t\t'1:id:(");
		put_rules(out);
		buf_str(out, ")' \\\n");
	} else if (!strcmp(c->name, "list")) {
		buf_str(out, "\t\t\t'1:table:(" LIST_TABLES ")' \\\n");
	} else if (!strcmp(c->name, "capture")) {
		buf_str(out, "\t\t\t'1:directory:_files -/' \\\n");
	} else if (c->word) {
		buf_str(out, "\t\t\t'*:word:(");
		put_words(out, c);
		buf_str(out, ")' \\\n");
	}
	buf_str(out, "\t\t\t'(-h --help)'{-h,--help}'[print help]'\n\t\t;;\n");
}

void generate_zsh(struct buf *out)
{
	buf_str(out,
		"#compdef sixty\n# zsh completion for sixty; written by `sixty generate zsh`\n\n"
		"local -a commands=(\n");
	for (size_t i = 0; commands[i]; i++)
		if (commands[i]->summary) {
			buf_printf(out, "\t'%s:", commands[i]->name);
			zsh_text(out, commands[i]->summary);
			buf_str(out, "'\n");
		}
	buf_str(out,
		")\nlocal cmd=triage\n\n"
		"if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n\t_describe command commands\n\treturn\nfi\n"
		"if [[ $words[2] != -* ]]; then\n\tcmd=$words[2]\n\tshift words\n\t(( CURRENT-- ))\nfi\n"
		"case $cmd in\n");
	for (size_t i = 0; commands[i]; i++)
		if (commands[i]->summary)
			zsh_command(out, commands[i]);
	buf_str(out, "esac\n");
}

/* ---- fish ---- */

static void fish_condition(struct buf *out, const struct command *c)
{
	if (!strcmp(c->name, "triage")) /* what runs without a command, too */
		buf_str(out,
			"complete -c sixty -n 'not __fish_seen_subcommand_from $__sixty_others'");
	else
		buf_printf(out, "complete -c sixty -n '__fish_seen_subcommand_from %s'", c->name);
}

static void fish_option(struct buf *out, const struct command *c, const struct opt *o)
{
	fish_condition(out, c);
	if (o->flag)
		buf_printf(out, " -s %c", o->flag);
	buf_printf(out, " -l %s", o->name);
	if (o->type != OPT_FLAG) {
		buf_str(out, takes(o, "FILE")  ? " -r -F"
			     : takes(o, "DIR") ? " -x -a '(__fish_complete_directories)'"
					       : " -x");
		if (o->choices || takes(o, "FORMAT")) {
			buf_str(out, " -a '");
			if (o->choices)
				put_choices(out, o);
			else
				put_formats(out);
			buf_char(out, '\'');
		}
	}
	buf_str(out, " -d '");
	put_quoted(out, o->help);
	buf_str(out, "'\n");
}

void generate_fish(struct buf *out)
{
	bool first = true;

	buf_str(out,
		"# fish completion for sixty; written by `sixty generate fish`\n\nset -g __sixty_others");
	for (size_t i = 0; commands[i]; i++)
		if (commands[i]->summary && strcmp(commands[i]->name, "triage") != 0)
			buf_printf(out, " %s", commands[i]->name);
	buf_str(out, "\ncomplete -c sixty -f\n");
	for (size_t i = 0; commands[i]; i++) {
		const struct command *c = commands[i];

		if (!c->summary)
			continue;
		buf_printf(out, "complete -c sixty -n __fish_use_subcommand -a %s -d '", c->name);
		put_quoted(out, c->summary);
		buf_str(out, "'\n");
		for (const struct opt *o = c->opts; o->name; o++)
			fish_option(out, c, o);
		if (!c->word)
			continue;
		buf_printf(out, "complete -c sixty -n '__fish_seen_subcommand_from %s' -a '",
			   c->name);
		put_words(out, c);
		buf_str(out, "'\n");
	}
	buf_str(out,
		"complete -c sixty -n '__fish_seen_subcommand_from list' -a '" LIST_TABLES "'\n"
		"complete -c sixty -n '__fish_seen_subcommand_from explain' -a '");
	for (size_t t = 0; rules[t]; t++)
		for (const struct rule *r = rules[t]; r->id; r++) {
			buf_printf(out, "%s%s", first ? "" : " ", r->id);
			first = false;
		}
	buf_str(out,
		"'\ncomplete -c sixty -n '__fish_seen_subcommand_from capture' -a '(__fish_complete_directories)'\n");
}
