/* SPDX-License-Identifier: Apache-2.0 */
/* The screen of processes and its keys: those of htop and top, where they have them. */
#include "tui/procs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "tui/grid.h"
#include "tui/screens.h"

struct procs *procs_new(void)
{
	return mem_alloc(sizeof(struct procs));
}

static void drop_regex(struct procs *p)
{
	if (p->has_re)
		regfree(&p->re);
	p->has_re = false;
}

void procs_free(struct procs *p)
{
	if (!p)
		return;
	drop_regex(p);
	mem_free(p->rows);
	mem_free(p);
}

void procs_set_filter(struct ui *ui, const char *text)
{
	struct procs *p = ui->procs;
	struct text rest, term;
	char pattern[UI_LINE];

	snprintf(p->filter, sizeof(p->filter), "%s", text);
	drop_regex(p);
	rest = text_of(p->filter);
	while (text_word(&rest, &term))
		if (text_skip(&term, "re:") && text_len(term) && !p->has_re) {
			text_copy(pattern, sizeof(pattern), term);
			/* one that is not complete yet lets everything through */
			p->has_re = !regcomp(&p->re, pattern, REG_EXTENDED | REG_ICASE | REG_NOSUB);
		}
}

void procs_search(struct ui *ui, const char *text, bool next)
{
	struct procs *p = ui->procs;
	struct list *l = &ui->lists[SCREEN_PROCESSES];
	struct psource s;

	snprintf(p->search, sizeof(p->search), "%s", text);
	psource_open(&s, ui);
	for (size_t i = 0; *text && s.s && i < p->nrows; i++) {
		size_t at = (l->at + i + (next ? 1 : 0)) % p->nrows;

		/* rows are of the last drawing: who is gone since is not looked at */
		if (p->rows[at].thread || !prow_of(&s, p->rows[at].id, &p->rows[at]) ||
		    !strcasestr(prow_command(&s, &p->rows[at]), text))
			continue;
		l->at = at;
		l->held = true;
		l->id = p->rows[at].id;
		break;
	}
	psource_close(&s);
}

/* ---- columns and order ---- */

static void sort_by(struct ui *ui, const char *key)
{
	struct procs *p = ui->procs;
	struct list *l = &ui->lists[SCREEN_PROCESSES];

	for (int i = 0; i < p->ncolumns; i++)
		if (!strcmp(p->columns[i].key, key)) {
			l->sort = i;
			l->reverse = false;
			snprintf(ui->settings.sort, sizeof(ui->settings.sort), "%s", key);
			return;
		}
	ui_say(ui, true, "the column '%s' is not shown: c chooses columns", key);
}

/* Without a choice, as many as there is room for besides the command. */
static const char *columns_for(const struct ui *ui, int columns)
{
	if (ui->settings.columns[0])
		return ui->settings.columns;
	return columns >= 140 ? procs_default : columns >= 110 ? procs_medium : procs_narrow;
}

static void make_columns(struct ui *ui, int columns)
{
	struct procs *p = ui->procs;
	struct list *l = &ui->lists[SCREEN_PROCESSES];
	const char *want = columns_for(ui, columns);

	if (p->columns_made && !strcmp(p->chosen, want))
		return;
	procs_choose(p, want);
	l->sort = 0;
	for (int i = 0; i < p->ncolumns; i++)
		if (!strcmp(p->columns[i].key, ui->settings.sort[0] ? ui->settings.sort : "cpu"))
			l->sort = i;
	l->reverse = ui->settings.reverse;
}

/* ---- the table ---- */

struct table_of {
	struct ui *ui;
	const struct psource *s;
};

static bool tagged(const struct procs *p, struct row_id id)
{
	for (size_t i = 0; i < p->ntags; i++)
		if (p->tags[i].key == id.key && p->tags[i].birth == id.birth)
			return true;
	return false;
}

static enum paint cell(void *ctx, size_t row, int column, char *out, size_t size)
{
	const struct table_of *t = ctx;
	const struct procs *p = t->ui->procs;
	const struct prow *r = &p->rows[row];
	const struct pcolumn *c = &p->columns[column];

	pcell(t->s, r, c, out, size);
	if (!strcmp(c->key, "state"))
		return out[0] == 'R'   ? PAINT_GOOD
		       : out[0] == 'D' ? PAINT_WARN
		       : out[0] == 'Z' ? PAINT_CRIT
				       : PAINT_DIM;
	if (!strcmp(c->key, "command") || !strcmp(c->key, "pid"))
		return PAINT_PLAIN;
	if (!strcmp(out, "0.0") || !strcmp(out, "-") || out[0] == '0')
		return PAINT_DIM;
	return !strcmp(c->key, "why") ? PAINT_WARN : PAINT_PLAIN;
}

static struct row_id row_id_of(void *ctx, size_t row)
{
	return ((const struct table_of *)ctx)->ui->procs->rows[row].id;
}

static enum paint row_paint(void *ctx, size_t row)
{
	const struct table_of *t = ctx;

	return tagged(t->ui->procs, t->ui->procs->rows[row].id) ? PAINT_TAG : PAINT_PLAIN;
}

static void draw_summary(struct ui *ui, struct canvas *c, struct area a, const struct psource *s)
{
	const struct procs *p = ui->procs;
	char text[300];

	snprintf(text, sizeof(text), "%zu of %zu%s%s%s%s%s%s", p->nrows,
		 s->s ? snapshot_rows(s->s, SCOPE_PROCESS) : 0,
		 ui->settings.kernel ? "" : "  kernel threads hidden",
		 ui->settings.tree ? "  tree" : "", ui->settings.threads ? "  active threads" : "",
		 p->follow ? "  following" : "", p->filter[0] ? "  filter: " : "", p->filter);
	canvas_text(c, a.x, a.y, a.columns, PAINT_DIM, text);
	if (p->ntags)
		canvas_print(c, a.x + a.columns - 12, a.y, 12, PAINT_TAG, "%5zu tagged", p->ntags);
}

/* Columns of numbers are as wide as they must be; the command has the rest. */
static void draw_table(struct ui *ui, struct canvas *c, struct area a, const struct psource *s)
{
	struct procs *p = ui->procs;
	struct grid_column titles[PROCS_COLUMNS];
	struct table_of t = { ui, s };
	struct grid g = { .columns = titles,
			  .ncolumns = p->ncolumns,
			  .list = &ui->lists[SCREEN_PROCESSES],
			  .nrows = p->nrows,
			  .ctx = &t,
			  .cell = cell,
			  .id = row_id_of,
			  .row = row_paint,
			  .empty = p->filter[0]
					   ? "No process fits the filter (Esc in it clears it)."
					   : "No process was read." };

	for (int i = 0; i < p->ncolumns; i++)
		titles[i] = (struct grid_column){ p->columns[i].title, p->columns[i].width };
	grid_draw(ui, c, a, &g);
}

/* ---- choosing columns ---- */

struct choice {
	char key[64];
	const char *title, *help;
	bool on;
};

static size_t choices(const struct procs *p, struct choice *list, size_t most)
{
	size_t n = 0;
	struct pcolumn c;

	for (int i = 0; i < p->ncolumns && n < most; i++, n++) {
		list[n] = (struct choice){ .title = p->columns[i].title,
					   .help = p->columns[i].help,
					   .on = true };
		snprintf(list[n].key, sizeof(list[n].key), "%s", p->columns[i].key);
	}
	for (const struct pcolumn *k = procs_known; k->key && n < most; k++) {
		bool on = false;

		for (int i = 0; i < p->ncolumns; i++)
			on |= !strcmp(p->columns[i].key, k->key);
		if (on)
			continue;
		list[n] = (struct choice){ .title = k->title, .help = k->help };
		snprintf(list[n++].key, sizeof(list[0].key), "%s", k->key);
	}
	for (unsigned m = 0; m < scope_columns(SCOPE_PROCESS) && n < most; m++) {
		enum metric_id id = scope_metric(SCOPE_PROCESS, m);
		bool on = false;

		for (size_t i = 0; i < n; i++)
			on |= !strcmp(list[i].key, metric_get(id)->name);
		if (on || !procs_column(metric_get(id)->name, &c))
			continue;
		list[n] = (struct choice){ .title = c.title, .help = c.help };
		snprintf(list[n++].key, sizeof(list[0].key), "%s", metric_get(id)->name);
	}
	return n;
}

#define CHOICES 128

static void draw_choice(struct ui *ui, struct canvas *c, struct area a)
{
	struct procs *p = ui->procs;
	struct list *l = &p->choice;
	struct choice list[CHOICES];
	size_t n = choices(p, list, CHOICES);

	canvas_text(c, a.x, a.y, a.columns, PAINT_STRONG,
		    "Columns: Enter puts one in or out, [ and ] move it, Esc is done; W saves");
	l->rows = n;
	l->page = a.rows - 1;
	if (l->at >= n)
		l->at = n ? n - 1 : 0;
	if (l->at < l->top)
		l->top = l->at;
	if (l->page > 0 && l->at >= l->top + (size_t)l->page)
		l->top = l->at - (size_t)l->page + 1;
	for (int y = 0; y < l->page && l->top + (size_t)y < n; y++) {
		const struct choice *o = &list[l->top + (size_t)y];

		canvas_print(c, a.x, a.y + 1 + y, a.columns, o->on ? PAINT_STRONG : PAINT_PLAIN,
			     " [%c] %-12s %-28s %s", o->on ? 'x' : ' ', o->title, o->key, o->help);
		if (l->top + (size_t)y == l->at)
			canvas_repaint(c, a.x, a.y + 1 + y, a.columns, PAINT_SELECT);
	}
}

/* The list of keys without, with, or with another place for one of them. */
static void change_columns(struct ui *ui, int by)
{
	struct procs *p = ui->procs;
	struct choice list[CHOICES];
	size_t n = choices(p, list, CHOICES), at = p->choice.at, on = 0;
	char keys[SETTINGS_LIST] = "";

	while (on < n && list[on].on)
		on++;
	if (at >= n)
		return;
	if (!by) {
		list[at].on = !list[at].on;
	} else {
		long to = (long)at + by;

		if (at >= on || to < 0 || to >= (long)on)
			return;
		struct choice t = list[at];

		list[at] = list[to];
		list[to] = t;
		p->choice.at = (size_t)to;
	}
	for (size_t i = 0; i < n; i++)
		if (list[i].on && strlen(keys) + strlen(list[i].key) + 2 < sizeof(keys))
			snprintf(keys + strlen(keys), sizeof(keys) - strlen(keys), "%s%s",
				 keys[0] ? " " : "", list[i].key);
	if (keys[0])
		snprintf(ui->settings.columns, sizeof(ui->settings.columns), "%s", keys);
	make_columns(ui, 0);
}

static bool choice_key(struct ui *ui, const struct key *k)
{
	struct procs *p = ui->procs;

	if (k->press == PRESS_ESCAPE || (k->press == PRESS_CHAR && k->ch == 'c'))
		p->choosing = false;
	else if (k->press == PRESS_ENTER)
		change_columns(ui, 0);
	else if (k->press == PRESS_CHAR && (k->ch == '[' || k->ch == ']'))
		change_columns(ui, k->ch == '[' ? -1 : 1);
	else
		return list_key(&p->choice, k);
	return true;
}

void procs_draw(struct ui *ui, struct canvas *c, struct area a)
{
	struct procs *p = ui->procs;
	struct psource s;

	make_columns(ui, a.columns);
	if (p->choosing) {
		draw_choice(ui, c, a);
		return;
	}
	psource_open(&s, ui);
	if (p->detail) {
		procs_detail(ui, c, a, &s);
	} else if (s.s) {
		procs_collect(ui, &s);
		if (a.rows > 6) {
			draw_summary(ui, c, (struct area){ a.x, a.y, a.columns, 1 }, &s);
			a.y++;
			a.rows--;
		}
		draw_table(ui, c, a, &s);
	} else {
		canvas_text(c, a.x, a.y, a.columns, PAINT_DIM, "No process was read.");
	}
	psource_close(&s);
}

/* ---- keys ---- */

static struct prow *at_cursor(struct ui *ui)
{
	struct list *l = &ui->lists[SCREEN_PROCESSES];

	return l->at < ui->procs->nrows ? &ui->procs->rows[l->at] : NULL;
}

static void tag(struct ui *ui)
{
	struct procs *p = ui->procs;
	struct prow *r = at_cursor(ui);

	if (!r || r->thread)
		return;
	for (size_t i = 0; i < p->ntags; i++)
		if (p->tags[i].key == r->id.key && p->tags[i].birth == r->id.birth) {
			p->tags[i] = p->tags[--p->ntags];
			return;
		}
	if (p->ntags == PROCS_TAGS) {
		ui_say(ui, true, "%d processes are tagged: that is the most", PROCS_TAGS);
		return;
	}
	p->tags[p->ntags++] = r->id;
	ui->lists[SCREEN_PROCESSES].at++;
	ui->lists[SCREEN_PROCESSES].held = false;
}

/* Whom a signal or a nice value is for: those that are tagged, else the one of the cursor. False, and said, when that
 * cannot be done. */
static bool take_targets(struct ui *ui, const char *what)
{
	struct procs *p = ui->procs;
	struct prow *r = at_cursor(ui);

	if (ui->replay || ui->readonly) {
		ui_say(ui, true, "cannot %s: %s", what,
		       ui->replay ? "this is a capture" : "--readonly was given");
		return false;
	}
	ui->ntargets = 0;
	for (size_t i = 0; i < p->ntags; i++)
		ui->targets[ui->ntargets++] =
			(struct target){ (int64_t)p->tags[i].key, p->tags[i].birth };
	if (p->detail)
		ui->targets[0] = (struct target){ (int64_t)p->of.key, p->of.birth },
		ui->ntargets = 1;
	else if (!ui->ntargets && r && !r->thread)
		ui->targets[ui->ntargets++] = (struct target){ r->pid, r->id.birth };
	ui->line[0] = '\0';
	ui->confirm = false;
	return ui->ntargets > 0;
}

static void toggle_detail(struct ui *ui)
{
	struct procs *p = ui->procs;
	struct prow *r = at_cursor(ui);

	if (p->detail) {
		p->detail = false;
	} else if (r && !r->thread) {
		p->detail = true;
		p->of = r->id;
	}
}

static bool char_key(struct ui *ui, uint32_t ch)
{
	struct procs *p = ui->procs;
	struct settings *s = &ui->settings;

	switch (ch) {
	case 'P':
		sort_by(ui, "cpu");
		return true;
	case 'M':
		sort_by(ui, "rss");
		return true;
	case 'T':
		sort_by(ui, "time");
		return true;
	case 'N':
		sort_by(ui, "pid");
		return true;
	case 'w':
		sort_by(ui, "wait");
		return true;
	case 'D':
		sort_by(ui, "disk");
		return true;
	case 't':
		s->tree = !s->tree;
		return true;
	case 'H':
		s->threads = !s->threads;
		return true;
	case 'K':
		s->kernel = !s->kernel;
		return true;
	case '/':
		ui->prompt = PROMPT_SEARCH;
		ui->line[0] = '\0';
		return true;
	case 'n':
		procs_search(ui, p->search, true);
		return true;
	case '\\':
		ui->prompt = PROMPT_FILTER;
		snprintf(ui->line, sizeof(ui->line), "%s", p->filter);
		return true;
	case 'u':
		ui->prompt = PROMPT_FILTER;
		snprintf(ui->line, sizeof(ui->line), "user:");
		return true;
	case 'F':
		p->follow = !p->follow;
		ui->lists[SCREEN_PROCESSES].held = p->follow;
		return true;
	case 'x':
		tag(ui);
		return true;
	case 'X':
		p->ntags = 0;
		return true;
	case 'c':
		p->choosing = true;
		return true;
	case 'k':
		if (take_targets(ui, "send a signal"))
			ui->prompt = PROMPT_SIGNAL;
		return true;
	case ']':
	case '[':
		return false;
	case 'y':
		if (take_targets(ui, "change the nice value"))
			ui->prompt = PROMPT_NICE;
		return true;
	case 'a':
		if (take_targets(ui, "change the allowed CPUs"))
			ui->prompt = PROMPT_AFFINITY;
		return true;
	case 'I':
		if (take_targets(ui, "change the I/O priority"))
			ui->prompt = PROMPT_IO;
		return true;
	default:
		return false;
	}
}

bool procs_key(struct ui *ui, const struct key *k, enum ui_want *want)
{
	struct procs *p = ui->procs;
	struct list *l = &ui->lists[SCREEN_PROCESSES];
	static const char function_keys[] = { 0, 0, 0, '/', '\\', 't', '>', 0, 'y', 'k' };

	*want = WANT_DRAW;
	if (p->choosing)
		return choice_key(ui, k);
	if (k->press == PRESS_ENTER || (k->press == PRESS_ESCAPE && p->detail)) {
		toggle_detail(ui);
		return true;
	}
	if (k->press == PRESS_ESCAPE && p->filter[0]) {
		procs_set_filter(ui, "");
		return true;
	}
	if (k->press == PRESS_FUNCTION && k->ch < sizeof(function_keys) && function_keys[k->ch])
		return procs_key(ui,
				 &(struct key){ .press = PRESS_CHAR,
						.ch = (unsigned char)function_keys[k->ch] },
				 want);
	if (k->press == PRESS_CHAR && char_key(ui, k->ch))
		return true;
	if (k->press == PRESS_CLICK && !p->detail && k->y == 2 + (l->page > 5)) {
		ui->lists[SCREEN_PROCESSES].top = 0;
		return false;
	}
	if (p->ncolumns && list_sort_key(l, k, p->ncolumns)) {
		snprintf(ui->settings.sort, sizeof(ui->settings.sort), "%s",
			 p->columns[l->sort].key);
		ui->settings.reverse = l->reverse;
		return true;
	}
	return list_key(l, k);
}
