/* SPDX-License-Identifier: Apache-2.0 */
/* The dashboard around its screens: the lines at the top and the bottom, help, questions, keys that work everywhere. */
#include "tui/ui.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "tui/deeds.h"
#include "tui/procs.h"

size_t screens_count(void)
{
	size_t n = 0;

	while (screens[n].name)
		n++;
	return n;
}

size_t screen_by_name(const char *name)
{
	for (size_t i = 0; screens[i].name; i++)
		if (!strcasecmp(screens[i].name, name))
			return i;
	return SIZE_MAX;
}

void ui_init(struct ui *ui, const struct ui_owner *owner)
{
	memset(ui, 0, sizeof(*ui));
	ui->owner = owner;
	settings_init(&ui->settings);
	ui->procs = procs_new();
	for (size_t i = 0; i < sizeof(ui->lists) / sizeof(*ui->lists); i++)
		ui->lists[i].sort = 1; /* behind the name: the number that people look for */
}

void ui_done(struct ui *ui)
{
	procs_free(ui->procs);
	history_done(&ui->history);
	settings_done(&ui->settings);
}

void ui_refresh(struct ui *ui, const struct now *now)
{
	ui->now = *now;
	if (now->nseconds)
		history_add(&ui->history, now);
}

void ui_forget(struct ui *ui)
{
	history_done(&ui->history);
	ui->since_ns = 0;
}

void ui_judged(struct ui *ui, const struct report *r)
{
	bool same = ui->report && ui->since_ns && r->verdict == ui->verdict &&
		    (r->verdict == VERDICT_HEALTHY ||
		     (r->findings.n && !strcmp(r->findings.list[0].id, ui->summary)));

	ui->report = r;
	ui->judged_ns = ui->now.wall_ns;
	if (!same)
		ui->since_ns = r->start_wall_ns;
	ui->verdict = r->verdict;
	/* what the verdict is about: its sentence has numbers that move */
	snprintf(ui->summary, sizeof(ui->summary), "%s",
		 r->findings.n ? r->findings.list[0].id : "");
}

void ui_say(struct ui *ui, bool bad, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ui->message, sizeof(ui->message), fmt, ap);
	va_end(ap);
	ui->bad = bad;
}

/* ---- values ---- */

double ui_value(const struct ui *ui, enum metric_id id, struct row_id row)
{
	const struct metric *m = metric_get(id);
	const struct view *v = ui->report ? ui->report->view : NULL;
	double x = now_value(&ui->now, id, row);

	if (!isnan(x) || !v)
		return x;
	if (m->kind == KIND_GAUGE || m->kind == KIND_LABEL)
		return view_last(v, id, row);
	return interval_value(v->window, id, interval_find(v->window, m->scope, row));
}

const char *ui_text(const struct ui *ui, enum metric_id id, struct row_id row)
{
	const char *text = now_text(&ui->now, id, row);

	return text || !ui->report || !ui->report->view ? text
							: view_label(ui->report->view, id, row);
}

const char *ui_cell(const struct ui *ui, enum metric_id id, struct row_id row, char *out,
		    size_t size)
{
	const struct metric *m = metric_get(id);
	double v = ui_value(ui, id, row);

	if (isinf(v))
		snprintf(out, size, "max");
	else if (m->unit == UNIT_SECONDS &&
		 m->kind == KIND_COUNTER) /* s/s is a share of the time */
		unit_format(out, size, UNIT_RATIO, 0, v);
	else
		unit_format(out, size, m->unit, m->kind == KIND_COUNTER, v);
	return out;
}

/* ---- the frame ---- */

static void clock_text(const struct ui *ui, int64_t wall_ns, char *out, size_t size)
{
	time_t t = (time_t)(wall_ns / 1000000000);
	struct tm tm;

	out[0] = '\0';
	if (wall_ns > 0 && (ui->replay ? gmtime_r(&t, &tm) : localtime_r(&t, &tm)))
		strftime(out, size, ui->replay ? "%Y-%m-%d %H:%M:%S UTC" : "%H:%M:%S", &tm);
}

static void draw_title(struct ui *ui, struct canvas *c)
{
	const struct host *h = ui->now.host;
	char left[300], right[120], when[40], load[40] = "";
	double one = now_system(&ui->now, M_LOAD1), processes = now_system(&ui->now, M_PROCESSES),
	       threads = now_system(&ui->now, M_THREADS);
	int w;

	if (!isnan(one))
		snprintf(load, sizeof(load), " \xc2\xb7 load %.2f %.2f %.2f", one,
			 now_system(&ui->now, M_LOAD5), now_system(&ui->now, M_LOAD15));
	snprintf(left, sizeof(left), " sixty \xc2\xb7 %s%s", h ? h->hostname : "", load);
	if (!isnan(processes) && c->columns >= 100)
		snprintf(left + strlen(left), sizeof(left) - strlen(left),
			 " \xc2\xb7 %.0f processes, %.0f threads", processes, threads);
	clock_text(ui, ui->now.wall_ns, when, sizeof(when));
	if (ui->replay)
		snprintf(right, sizeof(right), "step %zu of %zu \xc2\xb7 %s ", ui->step + 1,
			 ui->steps, when);
	else
		snprintf(right, sizeof(right), "%severy %g s \xc2\xb7 %s ",
			 ui->paused ? "PAUSED \xc2\xb7 " : "", ui->settings.seconds, when);
	canvas_fill(c, 0, 0, (int)c->columns, ' ', PAINT_TITLE);
	w = canvas_width(c, right);
	if (w + 10 > (int)c->columns)
		w = 0;
	else
		canvas_right(c, 0, 0, (int)c->columns, PAINT_TITLE, right);
	canvas_text(c, 0, 0, (int)c->columns - w - 1, PAINT_TITLE, left);
}

static void draw_keys(struct ui *ui, struct canvas *c, int y)
{
	int x = 0, end = (int)c->columns;

	for (size_t i = 0; screens[i].name && x < end; i++) {
		enum paint p = i == ui->screen ? PAINT_KEY_ON : PAINT_KEY_TEXT;
		char key[2] = { screens[i].key, '\0' };

		x += canvas_text(c, x, y, end - x, i == ui->screen ? p : PAINT_KEY, key);
		x += canvas_text(c, x, y, end - x, p, screens[i].tag) + 1;
	}
	x += canvas_text(c, x, y, end - x, PAINT_KEY, "?");
	x += canvas_text(c, x, y, end - x, PAINT_KEY_TEXT, "help ");
	x += canvas_text(c, x, y, end - x, PAINT_KEY, "q");
	canvas_text(c, x, y, end - x, PAINT_KEY_TEXT, "uit");
}

static const char *question(const struct ui *ui, char *out, size_t size)
{
	const char *deed = deed_question(ui, out, size);

	if (deed)
		return deed;
	switch (ui->prompt) {
	case PROMPT_FILTER:
		return "filter (words; user: cgroup: state: re:): ";
	case PROMPT_SEARCH:
		return "search: ";
	case PROMPT_PACE:
		return "seconds between refreshes (0.1 to 60): ";
	case PROMPT_TIME:
		return "go to (HH:MM:SS, or +N -N seconds): ";
	default:
		return "";
	}
}

static void draw_bottom(struct ui *ui, struct canvas *c)
{
	int y = (int)c->rows - 1, x;
	char text[160];

	if (y < 1)
		return;
	if (ui->prompt != PROMPT_NONE) {
		x = canvas_text(c, 0, y, (int)c->columns, PAINT_STRONG,
				question(ui, text, sizeof(text)));
		x += canvas_text(c, x, y, (int)c->columns - x, PAINT_PLAIN, ui->line);
		canvas_fill(c, x, y, 1, ui->ascii ? '_' : 0x2588, PAINT_PLAIN);
	} else if (ui->message[0]) {
		canvas_text(c, 0, y, (int)c->columns, ui->bad ? PAINT_CRIT : PAINT_STRONG,
			    ui->message);
	} else {
		draw_keys(ui, c, y);
	}
}

/* ---- help ---- */

static const char common_help[] =
	"Everywhere:\n"
	"1 \xe2\x80\xa6 0 L E  the screens below; Tab and Shift-Tab go round\n"
	"space  pause: nothing is read, and the interval after it is as long as the pause was\n"
	"i  seconds between refreshes\n"
	"C  the next theme\n"
	"arrows, PgUp, PgDn, Home, End, wheel  move; left and right scroll columns\n"
	"< >  sort by the column before or after; r turns the order round\n"
	"W  save the settings\n"
	"Ctrl-L  draw anew    Ctrl-Z  suspend    q, Ctrl-C  quit\n"
	"In a capture: [ and ]  a step back and on; { and }  ten steps; g  go to a time";

static int help_lines(struct canvas *c, struct area a, int skip, const char *text)
{
	struct text rest = text_of(text), line;
	int y = -skip;

	while (text_line(&rest, &line)) {
		char one[400];
		struct area part = { a.x, a.y + y, a.columns, a.rows - y };

		text_copy(one, sizeof(one), line);
		if (y >= a.rows)
			break;
		if (!one[0] || y < 0)
			y++; /* a paragraph that is scrolled off counts as a line */
		else
			y += canvas_flow(c, part, PAINT_PLAIN, one);
	}
	return y;
}

static void draw_help(struct ui *ui, struct canvas *c, struct area a)
{
	const struct screen *s = &screens[ui->screen];
	char text[4096];

	snprintf(text, sizeof(text), "%s\n\n%s\n\n%s", s->name, s->help, common_help);
	help_lines(c, (struct area){ a.x + 1, a.y, a.columns - 2, a.rows }, ui->help_top, text);
}

void ui_draw(struct ui *ui, struct canvas *c)
{
	struct area body = { 0, 1, (int)c->columns, (int)c->rows - 2 };

	ui->ascii = c->ascii;
	canvas_clear(c);
	draw_title(ui, c);
	if (body.rows > 0 && ui->help)
		draw_help(ui, c, body);
	else if (body.rows > 0 && !ui->now.nseconds)
		canvas_text(
			c, 1, 1, body.columns - 1, PAINT_DIM,
			ui->replay
				? "The first step of a capture has nothing to compare it with: ] goes on."
				: "Looking \xe2\x80\xa6");
	else if (body.rows > 0)
		screens[ui->screen].draw(ui, c, body);
	draw_bottom(ui, c);
}

/* ---- keys ---- */

static void edit_line(struct ui *ui, const struct key *k)
{
	size_t n = strlen(ui->line);

	if (k->press == PRESS_BACKSPACE && n) {
		do
			n--;
		while (n && ((unsigned char)ui->line[n] & 0xc0) == 0x80);
		ui->line[n] = '\0';
	} else if (k->press == PRESS_CHAR && k->ch == KEY_CTRL('u')) {
		ui->line[0] = '\0';
	} else if (k->press == PRESS_CHAR && k->ch >= ' ' && n + 5 < sizeof(ui->line)) {
		char *p = ui->line + n;
		uint32_t ch = k->ch;

		if (ch < 0x80) {
			*p++ = (char)ch;
		} else if (ch < 0x800) {
			*p++ = (char)(0xc0 | ch >> 6);
			*p++ = (char)(0x80 | (ch & 0x3f));
		} else if (ch < 0x10000) {
			*p++ = (char)(0xe0 | ch >> 12);
			*p++ = (char)(0x80 | (ch >> 6 & 0x3f));
			*p++ = (char)(0x80 | (ch & 0x3f));
		}
		*p = '\0';
	}
}

static bool number_in(const char *text, long least, long most, int *out)
{
	struct text t = text_trim(text_of(text));
	int64_t v;

	if (!text_s64(&t, &v) || text_len(text_trim(t)) || v < least || v > most)
		return false;
	*out = (int)v;
	return true;
}

static enum ui_want take_pace(struct ui *ui)
{
	struct text t = text_trim(text_of(ui->line));
	uint64_t v;

	if (!text_fixed(&t, 2, &v) || text_len(text_trim(t)) ||
	    (double)v / 100 < SETTINGS_SECONDS_LEAST || (double)v / 100 > SETTINGS_SECONDS_MOST) {
		ui_say(ui, true, "'%.40s' is not between 0.1 and 60 seconds", ui->line);
		return WANT_DRAW;
	}
	ui->settings.seconds = (double)v / 100;
	return WANT_PACE;
}

/* The step of a capture is found by its owner, who has the times: the number is seconds of the day, or what to add. */
static enum ui_want take_time(struct ui *ui)
{
	int h, m, s = 0, add, end = 0;

	if (sscanf(ui->line, "%2d:%2d:%2d%n", &h, &m, &s, &end) >= 2 && h >= 0 && h < 24 &&
	    m >= 0 && m < 60 && s >= 0 && s < 61) {
		int64_t day = ui->now.wall_ns / 1000000000 % 86400;

		ui->number = (int)(h * 3600 + m * 60 + s - day);
		return WANT_STEP;
	}
	if ((ui->line[0] == '+' && number_in(ui->line + 1, 0, 86400, &add)) ||
	    (ui->line[0] == '-' && number_in(ui->line, -86400, 0, &add))) {
		ui->number = add;
		return WANT_STEP;
	}
	ui_say(ui, true, "'%.40s' is neither a time nor +N or -N seconds", ui->line);
	return WANT_DRAW;
}

static enum ui_want answered(struct ui *ui)
{
	enum prompt p = ui->prompt;

	if (deed_answer(ui))
		return WANT_DRAW;
	ui->prompt = PROMPT_NONE;
	if (p == PROMPT_PACE)
		return take_pace(ui);
	if (p == PROMPT_TIME)
		return take_time(ui);
	return WANT_DRAW;
}

static enum ui_want prompt_key(struct ui *ui, const struct key *k)
{
	if (ui->confirm) {
		bool yes = k->press == PRESS_CHAR && (k->ch == 'y' || k->ch == 'Y');
		enum ui_want want = deed_want(ui->prompt);

		ui->prompt = PROMPT_NONE;
		ui->confirm = false;
		if (!yes)
			ui_say(ui, false, "nothing was done");
		return yes ? want : WANT_DRAW;
	}
	if (k->press == PRESS_ENTER)
		return answered(ui);
	if (k->press == PRESS_ESCAPE || (k->press == PRESS_CHAR && k->ch == KEY_CTRL('c'))) {
		if (ui->prompt == PROMPT_FILTER)
			procs_set_filter(ui, "");
		ui->prompt = PROMPT_NONE;
		return WANT_DRAW;
	}
	edit_line(ui, k);
	if (ui->prompt == PROMPT_FILTER)
		procs_set_filter(ui, ui->line);
	if (ui->prompt == PROMPT_SEARCH)
		procs_search(ui, ui->line, false);
	return WANT_DRAW;
}

static enum ui_want go(struct ui *ui, size_t screen)
{
	ui->screen = (unsigned)screen;
	ui->help = false;
	return WANT_DRAW;
}

static enum ui_want step_by(struct ui *ui, long by)
{
	long to = (long)ui->step + by, last = ui->steps ? (long)ui->steps - 1 : 0;

	ui->step = (size_t)(to < 0 ? 0 : to > last ? last : to);
	ui->number = 0;
	return WANT_STEP;
}

static void next_theme(struct ui *ui)
{
	const struct theme *t = theme_by_name(ui->settings.theme);

	t = t && t[1].name ? t + 1 : themes;
	snprintf(ui->settings.theme, sizeof(ui->settings.theme), "%s", t->name);
	ui_say(ui, false, "theme %s: %s", t->name, t->what);
}

static enum ui_want common_char(struct ui *ui, uint32_t ch)
{
	for (size_t i = 0; screens[i].name; i++)
		if (ch == (unsigned char)screens[i].key)
			return go(ui, i);
	switch (ch) {
	case 'q':
	case KEY_CTRL('c'):
		return WANT_QUIT;
	case KEY_CTRL('z'):
		return WANT_SUSPEND;
	case KEY_CTRL('l'):
		return WANT_REDRAW;
	case ' ':
		ui->paused = !ui->paused && !ui->replay;
		return WANT_DRAW;
	case '?':
	case 'h':
		ui->help = !ui->help;
		ui->help_top = 0;
		return WANT_DRAW;
	case 'i':
		ui->line[0] = '\0';
		ui->prompt = ui->replay ? PROMPT_NONE : PROMPT_PACE;
		return WANT_DRAW;
	case 'C':
		next_theme(ui);
		return WANT_THEME;
	case 'W':
		return WANT_SAVE;
	case '[':
		return ui->replay ? step_by(ui, -1) : WANT_NOTHING;
	case ']':
		return ui->replay ? step_by(ui, 1) : WANT_NOTHING;
	case '{':
		return ui->replay ? step_by(ui, -10) : WANT_NOTHING;
	case '}':
		return ui->replay ? step_by(ui, 10) : WANT_NOTHING;
	case 'g':
		ui->line[0] = '\0';
		ui->prompt = ui->replay ? PROMPT_TIME : PROMPT_NONE;
		return WANT_DRAW;
	default:
		return WANT_NOTHING;
	}
}

/* A click on the line at the bottom chooses a screen, one on a row moves the cursor there. */
static enum ui_want click(struct ui *ui, const struct key *k)
{
	struct list *l = &ui->lists[ui->screen];

	if (k->y >= 2 && k->y - 2 < l->page && l->top + (size_t)k->y - 2 < l->rows) {
		l->at = l->top + (size_t)k->y - 2;
		l->held = false;
	}
	return WANT_DRAW;
}

static enum ui_want help_key(struct ui *ui, const struct key *k)
{
	if (k->press == PRESS_DOWN || k->press == PRESS_PAGE_DOWN)
		ui->help_top += k->press == PRESS_DOWN ? 1 : 10;
	else if (k->press == PRESS_UP || k->press == PRESS_PAGE_UP)
		ui->help_top -= k->press == PRESS_UP ? 1 : 10;
	else if (k->press == PRESS_CHAR && k->ch != 'q' && k->ch != ' ')
		return common_char(ui, k->ch);
	else
		ui->help = false;
	if (ui->help_top < 0)
		ui->help_top = 0;
	return WANT_DRAW;
}

enum ui_want ui_key(struct ui *ui, const struct key *k)
{
	enum ui_want want = WANT_DRAW;
	size_t n = screens_count();

	ui->message[0] = '\0';
	if (ui->prompt != PROMPT_NONE)
		return prompt_key(ui, k);
	if (ui->help)
		return help_key(ui, k);
	if (screens[ui->screen].on_key && screens[ui->screen].on_key(ui, k, &want))
		return want;
	switch (k->press) {
	case PRESS_TAB:
		return go(ui, (ui->screen + 1) % n);
	case PRESS_BACK_TAB:
		return go(ui, (ui->screen + n - 1) % n);
	case PRESS_FUNCTION:
		if (k->ch == 10)
			return WANT_QUIT;
		if (k->ch == 1)
			return common_char(ui, '?');
		return WANT_NOTHING;
	case PRESS_CLICK:
		return click(ui, k);
	case PRESS_CHAR:
		return common_char(ui, k->ch);
	default:
		return WANT_NOTHING;
	}
}
