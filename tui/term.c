/* SPDX-License-Identifier: Apache-2.0 */
/* ncurses at arm's length: it writes into a file in memory, and what it wrote goes to the terminal when there is room.
 *
 * The modes of the terminal are set here, because ncurses would set them on the file. */
#include "tui/term.h"

#include <errno.h>
#include <fcntl.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#undef columns /* <term.h> has a word for each capability */

#include "base/mem.h"

#define CLOSE_MS 300 /* for how long the end may wait for a terminal that does not read */

struct terminal {
	int tty;    /* our own open file: its O_NONBLOCK is nobody else's */
	int memory; /* what ncurses writes to */
	FILE *in, *out;
	SCREEN *screen;
	WINDOW *keys; /* a pad: reading keys from it draws nothing */
	struct termios before;
	bool raw;
	struct buf pending;
	size_t sent; /* of it */
	unsigned columns, rows;
	struct canvas shown;
	bool all; /* the next canvas is put as a whole */
	bool color;
	attr_t looks[PAINT_MAX];
	short pairs[PAINT_MAX];
};

/* ---- bytes ---- */

/* What ncurses has written becomes pending. */
static void take_output(struct terminal *t)
{
	off_t size;

	fflush(t->out);
	size = lseek(t->memory, 0, SEEK_CUR);
	if (size <= 0)
		return;
	buf_reserve(&t->pending, (size_t)size);
	if (pread(t->memory, t->pending.data + t->pending.len, (size_t)size, 0) == size) {
		t->pending.len += (size_t)size;
		t->pending.data[t->pending.len] = '\0';
	}
	(void)!ftruncate(t->memory, 0);
	lseek(t->memory, 0, SEEK_SET);
}

bool term_pending(const struct terminal *t)
{
	return t->sent < t->pending.len;
}

int term_flush(struct terminal *t)
{
	while (term_pending(t)) {
		ssize_t n = write(t->tty, t->pending.data + t->sent, t->pending.len - t->sent);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		t->sent += (size_t)n;
	}
	buf_clear(&t->pending);
	t->sent = 0;
	return 0;
}

static void flush_within(struct terminal *t, int ms)
{
	struct pollfd p = { .fd = t->tty, .events = POLLOUT };

	while (!term_flush(t) && term_pending(t))
		if (poll(&p, 1, ms) <= 0)
			return;
}

/* ---- modes ---- */

static void set_raw(struct terminal *t)
{
	struct termios raw = t->before;

	cfmakeraw(&raw);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	t->raw = !tcsetattr(t->tty, TCSADRAIN, &raw);
}

void term_resized(struct terminal *t)
{
	struct winsize w = { 0 };

	if (ioctl(t->tty, TIOCGWINSZ, &w) || !w.ws_col || !w.ws_row)
		w = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	t->columns = w.ws_col > CANVAS_MOST ? CANVAS_MOST : w.ws_col;
	t->rows = w.ws_row > CANVAS_MOST ? CANVAS_MOST : w.ws_row;
	resizeterm((int)t->rows, (int)t->columns);
	term_redraw(t);
}

void term_size(const struct terminal *t, unsigned *columns, unsigned *rows)
{
	*columns = t->columns;
	*rows = t->rows;
}

void term_redraw(struct terminal *t)
{
	t->all = true;
	clearok(curscr, TRUE);
}

/* ---- colours ---- */

static attr_t attributes(unsigned look)
{
	return (look & LOOK_BOLD ? A_BOLD : 0) | (look & LOOK_DIM ? A_DIM : 0) |
	       (look & LOOK_REVERSE ? A_REVERSE : 0) | (look & LOOK_UNDERLINE ? A_UNDERLINE : 0);
}

void term_theme(struct terminal *t, const struct term_options *o)
{
	t->color = o->color && o->theme->colors && has_colors();
	if (t->color) {
		start_color();
		use_default_colors();
	}
	for (int p = 0; p < PAINT_MAX; p++) {
		const struct look *l = &o->theme->looks[p];
		int fore = COLORS >= 256 ? l->fore : l->fore_8,
		    back = COLORS >= 256 ? l->back : l->back_8;

		t->looks[p] = attributes(l->attr);
		t->pairs[p] = 0;
		if (!t->color) {
			/* what a colour would have told */
			if (o->theme->colors && l->back != COLOR_OWN)
				t->looks[p] |= A_REVERSE;
			continue;
		}
		if (fore == COLOR_OWN && back == COLOR_OWN)
			continue;
		if (init_pair((short)(p + 1), (short)fore, (short)back) == OK)
			t->pairs[p] = (short)(p + 1);
	}
	t->all = true;
}

/* ---- opening and closing ---- */

static int open_files(struct terminal *t, struct err *e)
{
	int in;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return err_set(
			e, -ENOTTY,
			"the dashboard needs a terminal; `sixty top -b` prints plain frames");
	t->tty = open("/dev/tty", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (t->tty < 0)
		return err_errno(e, -errno, "cannot open the terminal");
	if (tcgetattr(t->tty, &t->before))
		return err_errno(e, -errno, "cannot ask the terminal for its modes");
	t->memory = memfd_create("sixty-terminal", MFD_CLOEXEC);
	if (t->memory < 0)
		return err_errno(e, -errno, "cannot make room for what is drawn");
	in = fcntl(t->tty, F_DUPFD_CLOEXEC, 3);
	t->in = in < 0 ? NULL : fdopen(in, "r");
	in = fcntl(t->memory, F_DUPFD_CLOEXEC, 3);
	t->out = in < 0 ? NULL : fdopen(in, "w");
	if (!t->in || !t->out)
		return err_errno(e, -errno, "cannot open the terminal");
	return 0;
}

static int start_curses(struct terminal *t, const struct term_options *o, struct err *e)
{
	const char *type = getenv("TERM");

	use_env(FALSE); /* the size is asked for here */
	set_escdelay(25);
	signal(SIGTSTP, SIG_IGN); /* or ncurses takes it */
	t->screen = newterm(NULL, t->out, t->in);
	if (!t->screen)
		return err_set(
			e, -EINVAL,
			"the terminal type '%s' is not known here; set TERM (to xterm or vt100), or use `sixty top -b`",
			type ? type : "");
	t->keys = newpad(1, 1);
	if (!t->keys)
		return err_set(e, -ENOMEM, "cannot read keys");
	nonl();
	leaveok(stdscr, TRUE);
	keypad(t->keys, TRUE);
	nodelay(t->keys, TRUE);
	curs_set(0);
	mouseinterval(0);
	mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	term_theme(t, o);
	term_resized(t);
	return 0;
}

static struct terminal *aborting;

/* Memory has run out: the last thing that can be done for whoever reads the message. */
static void restore_on_abort(void)
{
	static const char plain[] = "\033[?1000l\033[?1006l\033[?1049l\033[?25h\033[0m";

	if (!aborting)
		return;
	(void)!write(aborting->tty, plain, sizeof(plain) - 1);
	tcsetattr(aborting->tty, TCSANOW, &aborting->before);
	fputs("sixty: out of memory: raise the limit (ulimit -v, or memory of the control group) and try again\n",
	      stderr);
	_exit(1);
}

int term_open(struct terminal **out, const struct term_options *o, struct err *e)
{
	struct terminal *t = mem_alloc(sizeof(*t));
	int err;

	t->tty = t->memory = -1;
	err = open_files(t, e);
	if (!err) {
		set_raw(t);
		err = start_curses(t, o, e);
	}
	if (err) {
		term_close(t);
		t = NULL;
	} else {
		aborting = t;
		mem_on_abort(restore_on_abort);
	}
	*out = t;
	return err;
}

void term_close(struct terminal *t)
{
	if (!t)
		return;
	aborting = NULL;
	if (t->screen) {
		endwin();
		take_output(t);
		flush_within(t, CLOSE_MS);
	}
	if (t->raw)
		tcsetattr(t->tty, TCSANOW, &t->before);
	if (t->keys)
		delwin(t->keys);
	if (t->screen)
		delscreen(t->screen);
	if (t->in)
		fclose(t->in);
	if (t->out)
		fclose(t->out);
	if (t->memory >= 0)
		close(t->memory);
	if (t->tty >= 0)
		close(t->tty);
	buf_done(&t->pending);
	canvas_done(&t->shown);
	mem_free(t);
}

int term_fd(const struct terminal *t)
{
	return t->tty;
}

void term_leave(struct terminal *t)
{
	endwin();
	take_output(t);
	flush_within(t, CLOSE_MS);
	tcsetattr(t->tty, TCSADRAIN, &t->before);
}

void term_return(struct terminal *t)
{
	set_raw(t);
	term_resized(t);
	doupdate();
	mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
}

/* ---- drawing ---- */

static bool same(const struct spot *a, const struct spot *b)
{
	return a->paint == b->paint && a->width == b->width && !memcmp(a->ch, b->ch, sizeof(a->ch));
}

static void put_spot(struct terminal *t, int x, int y, const struct spot *s)
{
	wchar_t text[2 + CANVAS_MARKS] = { 0 };
	cchar_t c;

	if (!s->width)
		return; /* its first half covers it */
	for (int i = 0; i <= CANVAS_MARKS && s->ch[i]; i++)
		text[i] = (wchar_t)s->ch[i];
	if (setcchar(&c, text, t->looks[s->paint], t->pairs[s->paint], NULL) == OK)
		mvadd_wch(y, x, &c);
}

bool term_show(struct terminal *t, const struct canvas *c)
{
	bool all = t->all || t->shown.columns != c->columns || t->shown.rows != c->rows;

	if (term_pending(t))
		return false;
	for (unsigned y = 0; y < c->rows; y++)
		for (unsigned x = 0; x < c->columns; x++) {
			size_t i = (size_t)y * c->columns + x;

			if (all || !same(&t->shown.spots[i], &c->spots[i]))
				put_spot(t, (int)x, (int)y, &c->spots[i]);
		}
	if (all)
		canvas_size(&t->shown, c->columns, c->rows);
	memcpy(t->shown.spots, c->spots, (size_t)c->columns * c->rows * sizeof(*c->spots));
	t->all = false;
	wnoutrefresh(stdscr);
	doupdate();
	take_output(t);
	return true;
}

/* ---- keys ---- */

static bool take_mouse(struct key *k)
{
	MEVENT m;

	if (getmouse(&m) != OK)
		return false;
	*k = (struct key){ .press = m.bstate & BUTTON4_PRESSED   ? PRESS_WHEEL_UP
				    : m.bstate & BUTTON5_PRESSED ? PRESS_WHEEL_DOWN
								 : PRESS_CLICK,
			   .x = m.x,
			   .y = m.y };
	return true;
}

static enum press named(wint_t code)
{
	static const struct {
		int code;
		enum press press;
	} names[] = {
		{ KEY_UP, PRESS_UP },
		{ KEY_DOWN, PRESS_DOWN },
		{ KEY_LEFT, PRESS_LEFT },
		{ KEY_RIGHT, PRESS_RIGHT },
		{ KEY_PPAGE, PRESS_PAGE_UP },
		{ KEY_NPAGE, PRESS_PAGE_DOWN },
		{ KEY_HOME, PRESS_HOME },
		{ KEY_END, PRESS_END },
		{ KEY_ENTER, PRESS_ENTER },
		{ KEY_BTAB, PRESS_BACK_TAB },
		{ KEY_BACKSPACE, PRESS_BACKSPACE },
		{ KEY_DC, PRESS_DELETE },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if ((wint_t)names[i].code == code)
			return names[i].press;
	return PRESS_NONE;
}

static struct key plain_key(wint_t ch)
{
	switch (ch) {
	case '\r':
	case '\n':
		return (struct key){ .press = PRESS_ENTER };
	case '\t':
		return (struct key){ .press = PRESS_TAB };
	case 27:
		return (struct key){ .press = PRESS_ESCAPE };
	case 8:
	case 127:
		return (struct key){ .press = PRESS_BACKSPACE };
	default:
		return (struct key){ .press = PRESS_CHAR, .ch = (uint32_t)ch };
	}
}

bool term_key(struct terminal *t, struct key *k)
{
	wint_t ch;
	int got;

	for (;;) {
		got = wget_wch(t->keys, &ch);
		if (got == ERR)
			return false;
		if (got == OK) {
			*k = plain_key(ch);
			return true;
		}
		if (ch == KEY_MOUSE) {
			if (take_mouse(k))
				return true;
		} else if (ch >= KEY_F(1) && ch <= KEY_F(12)) {
			*k = (struct key){ .press = PRESS_FUNCTION, .ch = ch - KEY_F0 };
			return true;
		} else if (named(ch) != PRESS_NONE) {
			*k = (struct key){ .press = named(ch) };
			return true;
		}
	}
}

/* ---- the guard ---- */

struct term_guard {
	int tty;
	struct termios before;
	char restore[256];
};

static void add_string(struct term_guard *g, const char *s)
{
	size_t used = strlen(g->restore);

	if (s && s != (char *)-1 && used + strlen(s) < sizeof(g->restore))
		memcpy(g->restore + used, s, strlen(s) + 1);
}

struct term_guard *term_guard_open(void)
{
	struct term_guard *g;
	int err, tty = open("/dev/tty", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	static char rmcup[] = "rmcup", cnorm[] = "cnorm", sgr0[] = "sgr0", rmkx[] = "rmkx";

	if (tty < 0)
		return NULL;
	g = mem_alloc(sizeof(*g));
	g->tty = tty;
	if (tcgetattr(tty, &g->before) || setupterm(NULL, tty, &err)) {
		term_guard_close(g);
		return NULL;
	}
	add_string(g, "\030"); /* whatever sequence was cut short */
	add_string(g, "\033[?1006l\033[?1000l");
	add_string(g, tigetstr(rmkx));
	add_string(g, tigetstr(sgr0));
	add_string(g, tigetstr(rmcup));
	add_string(g, tigetstr(cnorm));
	del_curterm(cur_term);
	return g;
}

void term_guard_restore(const struct term_guard *g)
{
	struct pollfd p = { .fd = g->tty, .events = POLLOUT };

	tcflush(g->tty, TCOFLUSH); /* what the dead one had sent and nobody has read */
	if (poll(&p, 1, CLOSE_MS) > 0)
		(void)!write(g->tty, g->restore, strlen(g->restore));
	tcsetattr(g->tty, TCSANOW, &g->before);
}

void term_guard_close(struct term_guard *g)
{
	if (!g)
		return;
	close(g->tty);
	mem_free(g);
}
