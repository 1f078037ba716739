/* SPDX-License-Identifier: Apache-2.0 */
/* sixty top: the dashboard. Here are its options, and frames and objects for pipes; the terminal is top_live.c's. */
#include "cmd/top.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "checklist/rule.h"
#include "cmd/commands.h"
#include "collectors/bpf_engine.h"

#define ROWS_DEFAULT    40
#define COLUMNS_DEFAULT 100

static const struct top_args defaults = { .budget = 1, .screen = "" };

static const struct opt opts[] = {
	{ 'i', "interval", OPT_DOUBLE, offsetof(struct top_args, seconds), "SECONDS",
	  "between refreshes, 0.1 to 60; without it what was saved, or 1", SETTINGS_SECONDS_LEAST,
	  SETTINGS_SECONDS_MOST, NULL },
	{ 'b', "batch", OPT_FLAG, offsetof(struct top_args, batch), NULL,
	  "print plain frames, each of one interval", 0, 0, NULL },
	{ 'n', "count", OPT_INT, offsetof(struct top_args, count), "N",
	  "with -b and --json: so many, then end (0: until interrupted)", 0, 1000000000, NULL },
	{ 0, "screen", OPT_STRING, offsetof(struct top_args, screen), "NAME",
	  "begin with this one: overview, processes, findings, cost, cpus, disks, network, memory, cgroups, latency, locks, events",
	  0, 0, NULL },
	{ 0, "readonly", OPT_FLAG, offsetof(struct top_args, readonly), NULL,
	  "send no signals and change no priorities and allowed CPUs", 0, 0, NULL },
	{ 0, "replay", OPT_STRING, offsetof(struct top_args, replay), "DIR",
	  "show a capture: [ and ] go a step back and on, g goes to a time", 0, 0, NULL },
	{ 0, "theme", OPT_STRING, offsetof(struct top_args, theme), "NAME",
	  "colours: default, safe (for the colour-blind), mono", 0, 0, NULL },
	{ 0, "rows", OPT_INT, offsetof(struct top_args, rows), "N",
	  "with -b: lines of a frame, 5 to 1000; 0 is 40", 0, 1000, NULL },
	{ 0, "budget", OPT_DOUBLE, offsetof(struct top_args, budget), "PCT",
	  "what an eBPF program may cost in percent of any one CPU over a minute, and twice that all of them; one that would cost more is stopped, and the screen of costs says so (0: no limit)",
	  0, 100, NULL },
	{ 0, "json", OPT_FLAG, offsetof(struct top_args, output.json), NULL,
	  "print one object per interval, of the kind of `sixty triage --json`", 0, 0, NULL },
	{ 0, "color", OPT_CHOICE, offsetof(struct top_args, output.color), "WHEN",
	  "colours; NO_COLOR is respected", 0, 0, output_colors },
	{ 0, "ascii", OPT_FLAG, offsetof(struct top_args, output.ascii), NULL,
	  "no characters beyond ASCII", 0, 0, NULL },
	{ 0, "columns", OPT_INT, offsetof(struct top_args, output.columns), "N",
	  "with -b: width of a frame, 60 to 250; 0 asks the terminal", 0, 250, NULL },
	{ .name = NULL }
};

void top_session_args(struct session_args *sa, const struct top_args *a)
{
	*sa = (struct session_args){ .seconds = 10,
				     .replay = a->replay,
				     .live = true,
				     .budget = a->budget / 100,
				     .bpf = BPF_TIME | BPF_IRQ | BPF_WAKE | BPF_TABLE,
				     .hists = 1u << HIST_RUNQLAT | 1u << HIST_BIOLAT,
				     .hists_by_key = true };
}

void judged_done(struct judged *j)
{
	if (j->filled)
		report_done(&j->report);
	j->filled = false;
}

void judge(struct judged *j, struct session *s)
{
	judged_done(j);
	report_init(&j->report, "sixty.triage/1", NULL);
	session_report(s, &j->report);
	checklist_run(session_view(s), &j->report);
	j->filled = true;
}

/* ---- frames and objects ---- */

struct batch {
	const struct top_args *args;
	struct session *session;
	struct owner *owner; /* NULL: of a capture */
	struct output out;
	struct judged judged;
	struct ui ui;
	struct canvas canvas;
	unsigned done;
};

static int print_frame(struct batch *b, struct err *e)
{
	struct now now;
	struct buf text = { 0 };
	int err;

	session_now(b->session, &now);
	ui_refresh(&b->ui, &now);
	ui_judged(&b->ui, &b->judged.report);
	ui_draw(&b->ui, &b->canvas);
	if (b->owner && owner_fetch(b->owner))
		ui_draw(&b->ui, &b->canvas); /* with command lines */
	if (b->done)
		buf_char(&text, '\n');
	canvas_dump(&b->canvas, &text);
	err = output_text(NULL, &text, e);
	buf_done(&text);
	return err;
}

static int print_one(struct batch *b, struct err *e)
{
	judge(&b->judged, b->session);
	b->judged.report.interval = b->done;
	b->judged.report.more = true; /* as far as is known */
	if (b->args->output.json)
		return output_report(&b->out, &b->judged.report, e);
	return print_frame(b, e);
}

/* 0: all were printed, or an interrupt ended it. */
static int batch_loop(struct batch *b, struct err *e)
{
	struct pollfd p[2] = { { .fd = session_timer(b->session), .events = POLLIN },
			       { .fd = session_signals(b->session), .events = POLLIN } };
	int err = 0;

	while (!err && (!b->args->count || b->done < (unsigned)b->args->count)) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return err_errno(e, -errno, "cannot wait");
		err = session_live_tick(b->session);
		if (err < 0)
			return err == -EINTR ? 0 : err;
		if (err == SESSION_JUDGED) {
			err = print_one(b, e);
			b->done++;
		} else {
			err = 0;
		}
	}
	return err;
}

/* Each step of a capture is a frame; without -n the last one alone is shown. */
static int batch_replay(struct batch *b, struct err *e)
{
	size_t at, steps, count = b->args->count > 0 ? (size_t)b->args->count : 1;
	int64_t wall;
	int err = 0;

	steps = session_steps(b->session, &at, &wall);
	if (count > steps)
		count = steps;
	b->ui.replay = true;
	b->ui.steps = steps;
	for (size_t i = steps - count; i < steps && !err; i++) {
		err = session_live_seek(b->session, i, e);
		b->ui.step = i;
		if (!err)
			err = print_one(b, e);
		b->done++;
	}
	return err;
}

static int batch_run(const struct top_args *a, size_t screen)
{
	struct batch b = { .args = a, .owner = a->replay ? NULL : owner_new() };
	struct live_args la = { .seconds = a->seconds > 0 ? a->seconds : 1, .halves = 1 };
	struct session_args sa;
	struct err e = { 0 };
	int err;

	top_session_args(&sa, a);
	ui_init(&b.ui, b.owner ? owner_ui(b.owner) : NULL);
	b.ui.settings.seconds = la.seconds;
	b.ui.screen = (unsigned)screen;
	err = output_open(&b.out, &a->output, &e);
	if (!err) {
		b.canvas.ascii = b.out.style.ascii;
		canvas_size(&b.canvas,
			    a->output.columns || isatty(STDOUT_FILENO) ? b.out.style.columns
								       : COLUMNS_DEFAULT,
			    a->rows ? (unsigned)a->rows : ROWS_DEFAULT);
		err = session_open(&b.session, &sa, &e);
	}
	if (!err)
		err = session_live_start(b.session, &la, &e);
	if (!err)
		err = a->replay ? batch_replay(&b, &e) : batch_loop(&b, &e);
	judged_done(&b.judged);
	ui_done(&b.ui);
	canvas_done(&b.canvas);
	session_close(b.session);
	owner_free(b.owner);
	if (err && err != -EPIPE && err != -ECANCELED)
		output_error(&e);
	return err && err != -EPIPE;
}

static int top_run(const void *args, int argc, char **argv)
{
	const struct top_args *a = args;
	size_t screen = *a->screen ? screen_by_name(a->screen) : 0;

	if (argc)
		return output_usage("top", "takes no operand, but got '%s'", argv[0]);
	if (screen == SIZE_MAX)
		return output_usage("top", "there is no screen '%s'; `sixty top --help` names them",
				    a->screen);
	if (a->theme && !theme_by_name(a->theme))
		return output_usage("top", "there is no theme '%s': default, safe, mono", a->theme);
	if (a->rows && a->rows < 5)
		return output_usage("top", "--rows takes 5 to 1000");
	if ((a->count || a->rows) && !a->batch && !a->output.json)
		return output_usage("top", "-n and --rows go with -b or --json");
	return a->batch || a->output.json ? batch_run(a, screen) : top_live(a);
}

const struct command command_top = {
	.name = "top",
	.summary = "a live dashboard: the verdict as it changes, and who uses and waits for what",
	.usage =
		"sixty top [-i SECONDS] [-b [-n N]] [--json] [--screen NAME] [--readonly] [--replay DIR]",
	.description =
		"Watches without an end, and judges the last ten seconds every five by the rules of triage. Keys are shown at the "
		"bottom, ? explains the screen that is shown. Settings are kept in $XDG_CONFIG_HOME/sixty/top "
		"(~/.config/sixty/top) by the key W: lines of KEY = VALUE, for interval, theme, columns, sort, reverse, tree, threads and "
		"kernel_threads; lines that are not known are kept.",
	.examples = "sudo sixty top\tthe dashboard\n"
		    "sudo sixty top --screen processes\tbegin with the processes\n"
		    "sixty top --replay DIR\tlook at a capture, step by step\n"
		    "sudo sixty top -b -n 3 -i 2 --screen disks\tthree plain frames\n"
		    "sudo sixty top --json -i 10 | jq .verdict\tone object each ten seconds\n",
	.opts = opts,
	.defaults = &defaults,
	.args_size = sizeof(struct top_args),
	.run = top_run,
};
