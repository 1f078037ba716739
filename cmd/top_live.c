/* SPDX-License-Identifier: Apache-2.0 */
/* The dashboard on a terminal.
 *
 *   parent   waits; restores the terminal when the child was killed
 *   child    one poll(): timer of the session, signals, terminal
 *
 * What is drawn goes to the terminal as it takes it: nothing here waits for it. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/top.h"
#include "tui/term.h"

struct dash {
	const struct top_args *args;
	struct session *session;
	struct judged judged;
	struct owner *owner;
	struct ui ui;
	struct canvas canvas;
	struct terminal *term;
	int signals;        /* of the terminal: its size, stop and continue */
	bool dirty, broken; /* settings that could not be read are not written over */
	bool quit;
};

static struct term_options look(const struct dash *d)
{
	const struct theme *t = theme_by_name(d->ui.settings.theme);
	const char *no = getenv("NO_COLOR");
	bool color = d->args->output.color == 1 || (d->args->output.color == 0 && !(no && *no));

	return (struct term_options){ .theme = t ? t : themes, .color = color };
}

/* ---- drawing ---- */

static void draw(struct dash *d)
{
	unsigned columns, rows;

	term_size(d->term, &columns, &rows);
	if (columns != d->canvas.columns || rows != d->canvas.rows)
		canvas_size(&d->canvas, columns, rows);
	ui_draw(&d->ui, &d->canvas);
	if (owner_fetch(d->owner))
		ui_draw(&d->ui, &d->canvas); /* with the names that were just learned */
	d->dirty = !term_show(d->term, &d->canvas);
}

static void refresh(struct dash *d, int what)
{
	struct now now;

	session_now(d->session, &now);
	ui_refresh(&d->ui, &now);
	if (what == SESSION_JUDGED) {
		judge(&d->judged, d->session);
		ui_judged(&d->ui, &d->judged.report);
	}
	d->dirty = true;
}

/* ---- a capture ---- */

/* The step that is nearest to so many seconds from the one that is shown. */
static size_t step_at(const struct dash *d, int seconds)
{
	int64_t from, least = INT64_MAX;
	size_t at, n = session_steps(d->session, &at, &from), best = at;

	for (size_t i = 0; i < n; i++) {
		int64_t off = llabs(session_step_time(d->session, i) - from -
				    (int64_t)seconds * 1000000000);

		if (off < least) {
			least = off;
			best = i;
		}
	}
	return best;
}

static int show_step(struct dash *d, size_t step, struct err *e)
{
	int err;

	ui_forget(&d->ui);
	err = session_live_seek(d->session, step, e);
	if (err)
		return err;
	d->ui.step = step;
	refresh(d, SESSION_JUDGED);
	return 0;
}

/* ---- keys ---- */

static void suspend(struct dash *d)
{
	term_leave(d->term);
	raise(SIGSTOP); /* the parent sees it, and stops as well */
	term_return(d->term);
	d->dirty = true;
}

static void save(struct dash *d)
{
	struct err e = { 0 };
	char path[512];

	if (d->broken)
		ui_say(&d->ui, true,
		       "not saved: the file of settings is broken, and is not written over");
	else if (owner_save(&d->ui.settings, path, sizeof(path), &e))
		ui_say(&d->ui, true, "%.120s", e.msg);
	else
		ui_say(&d->ui, false, "saved to %.100s", path);
}

static int do_want(struct dash *d, enum ui_want want, struct err *e)
{
	struct term_options o;

	d->dirty |= want != WANT_NOTHING;
	switch (want) {
	case WANT_QUIT:
		d->quit = true;
		break;
	case WANT_SUSPEND:
		suspend(d);
		break;
	case WANT_REDRAW:
		term_redraw(d->term);
		break;
	case WANT_SIGNAL:
		owner_signal(&d->ui);
		break;
	case WANT_NICE:
		owner_renice(&d->ui);
		break;
	case WANT_AFFINITY:
		owner_allow_cpus(&d->ui);
		break;
	case WANT_IO:
		owner_io_priority(&d->ui);
		break;
	case WANT_SAVE:
		save(d);
		break;
	case WANT_THEME:
		o = look(d);
		term_theme(d->term, &o);
		break;
	case WANT_PACE:
		session_live_pace(d->session, d->ui.settings.seconds);
		break;
	case WANT_STEP:
		return show_step(d, d->ui.number ? step_at(d, d->ui.number) : d->ui.step, e);
	default:
		break;
	}
	return 0;
}

static int take_keys(struct dash *d, struct err *e)
{
	struct key k;
	int err = 0;

	while (!err && !d->quit && term_key(d->term, &k))
		err = do_want(d, ui_key(&d->ui, &k), e);
	return err;
}

static void take_signals(struct dash *d)
{
	struct signalfd_siginfo si;

	while (read(d->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGTSTP) {
			suspend(d);
		} else {
			term_resized(d->term);
			d->dirty = true;
		}
	}
}

/* ---- the loop ---- */

static int loop(struct dash *d, struct err *e)
{
	struct pollfd p[4] = {
		{ .fd = session_timer(d->session), .events = POLLIN },
		{ .fd = session_signals(d->session), .events = POLLIN },
		{ .fd = d->signals, .events = POLLIN },
		{ .fd = term_fd(d->term) },
	};
	int err;

	while (!d->quit) {
		if (d->dirty && !term_pending(d->term))
			draw(d);
		if (term_flush(d->term))
			return -ECANCELED; /* the terminal has gone */
		p[0].fd = d->ui.paused ? -1 : session_timer(d->session);
		p[3].events = (short)(POLLIN | (term_pending(d->term) ? POLLOUT : 0));
		if (d->dirty && !term_pending(d->term))
			continue;
		if (poll(p, 4, -1) < 0 && errno != EINTR)
			return err_errno(e, -errno, "cannot wait");
		if (p[3].revents & (POLLHUP | POLLERR))
			return -ECANCELED;
		if (p[2].revents)
			take_signals(d);
		err = p[3].revents & POLLIN ? take_keys(d, e) : 0;
		if (err)
			return err;
		if (!p[0].revents && !p[1].revents)
			continue;
		err = session_live_tick(d->session);
		if (err < 0)
			return err == -EINTR ? 0 : err;
		if (err > 0)
			refresh(d, err);
	}
	return 0;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTSTP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void settle_settings(struct dash *d)
{
	struct err e = { 0 };

	settings_done(&d->ui.settings);
	if (owner_load(&d->ui.settings, &e)) {
		d->broken = true;
		ui_say(&d->ui, true, "%.120s", e.msg);
	}
	if (d->args->seconds > 0)
		d->ui.settings.seconds = d->args->seconds;
	if (d->args->theme)
		snprintf(d->ui.settings.theme, sizeof(d->ui.settings.theme), "%s", d->args->theme);
}

static int start(struct dash *d, struct err *e)
{
	struct live_args la = { .halves = 2 };
	struct session_args sa;
	struct term_options o;
	struct output out;
	size_t at;
	int64_t wall;
	int err;

	top_session_args(&sa, d->args);
	settle_settings(d);
	la.seconds = d->ui.settings.seconds;
	err = output_open(&out, &d->args->output, e);
	if (err)
		return err;
	d->canvas.ascii = out.style.ascii;
	d->ui.readonly = d->args->readonly;
	d->ui.replay = d->args->replay != NULL;
	d->ui.screen = *d->args->screen ? (unsigned)screen_by_name(d->args->screen) : 0;
	d->signals = open_signals();
	if (d->signals < 0)
		return err_errno(e, -errno, "cannot read signals");
	err = session_open(&d->session, &sa, e);
	if (err)
		return err;
	o = look(d);
	err = term_open(&d->term, &o, e);
	if (err)
		return err;
	session_now(d->session, &d->ui.now);
	if (!d->ui.replay) {
		draw(d);
		term_flush(d->term);
	}
	err = session_live_start(d->session, &la, e);
	if (!err && d->ui.replay) {
		d->ui.steps = session_steps(d->session, &at, &wall);
		d->ui.step = at;
		refresh(d, SESSION_JUDGED);
	}
	d->dirty = true;
	return err;
}

/* In the child. */
static int dashboard(const struct top_args *a)
{
	struct dash d = { .args = a, .signals = -1 };
	struct err e = { 0 };
	int err;

	d.owner = owner_new();
	ui_init(&d.ui, a->replay ? NULL : owner_ui(d.owner));
	err = start(&d, &e);
	if (!err)
		err = loop(&d, &e);
	term_close(d.term);
	judged_done(&d.judged);
	ui_done(&d.ui);
	canvas_done(&d.canvas);
	session_close(d.session);
	owner_free(d.owner);
	if (d.signals >= 0)
		close(d.signals);
	if (err && err != -ECANCELED)
		output_error(&e);
	return err != 0;
}

/* ---- the parent ---- */

static volatile sig_atomic_t child_pid;

static void pass_on(int signal)
{
	if (child_pid > 0)
		kill((pid_t)child_pid, signal);
}

static int wait_for(pid_t child, const struct term_guard *g)
{
	int status;

	for (;;) {
		if (waitpid(child, &status, WUNTRACED) < 0) {
			if (errno == EINTR)
				continue;
			return 1;
		}
		if (WIFSTOPPED(status)) {
			raise(SIGSTOP);
			kill(child, SIGCONT);
			continue;
		}
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		if (g)
			term_guard_restore(g);
		fprintf(stderr, "sixty: the dashboard was ended by signal %d (%s)\n",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
		return 1;
	}
}

int top_live(const struct top_args *a)
{
	struct term_guard *g = term_guard_open();
	pid_t parent = getpid(), child;
	struct sigaction act = { .sa_handler = pass_on };
	int status;

	fflush(NULL);
	child = fork();
	if (child < 0) {
		struct err e = { 0 };

		err_errno(&e, -errno, "cannot start the dashboard");
		term_guard_close(g);
		return output_error(&e);
	}
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(1);
		term_guard_close(g);
		exit(dashboard(a));
	}
	child_pid = child;
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	status = wait_for(child, g);
	term_guard_close(g);
	return status;
}
