/* SPDX-License-Identifier: Apache-2.0 */
/* Where a report goes and how it looks: the same for every command. */
#include "cmd/output.h"

#include <errno.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "cmd/sink.h"
#include "export/progress.h"

#define COLUMNS_LEAST   60
#define COLUMNS_MOST    250
#define COLUMNS_DEFAULT 80

const char *const output_colors[] = { "auto", "always", "never", NULL };
enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

static unsigned terminal_columns(int fd)
{
	const char *env = getenv("COLUMNS");
	struct winsize w;
	uint64_t n;

	if (isatty(fd) && !ioctl(fd, TIOCGWINSZ, &w) && w.ws_col)
		return w.ws_col;
	if (env && text_is_u64(text_of(env), &n) && n)
		return n > COLUMNS_MOST ? COLUMNS_MOST : (unsigned)n;
	return COLUMNS_DEFAULT;
}

static unsigned terminal_rows(int fd)
{
	struct winsize w;

	return isatty(fd) && !ioctl(fd, TIOCGWINSZ, &w) ? w.ws_row : 0;
}

static unsigned clamp_columns(unsigned n)
{
	return n < COLUMNS_LEAST ? COLUMNS_LEAST : n > COLUMNS_MOST ? COLUMNS_MOST : n;
}

static bool wants_color(const struct output_args *a, int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (a->color == COLOR_ALWAYS)
		return true;
	if (a->color == COLOR_NEVER || (no && *no))
		return false;
	return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

int output_open(struct output *o, const struct output_args *args, struct err *e)
{
	const char *format = args->json ? "json" : args->format ? args->format : "text";
	bool utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	int fd = args->file ? -1 : STDOUT_FILENO;

	memset(o, 0, sizeof(*o));
	o->args = args;
	o->exporter = exporter_by_name(format);
	if (!o->exporter) {
		char known[120] = "";

		for (size_t i = 0; exporters[i]; i++)
			snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s",
				 i ? ", " : "", exporters[i]->name);
		return err_set(e, -EINVAL, "there is no format '%s': --format takes %s", format,
			       known);
	}
	o->style = (struct style){
		.columns = clamp_columns(args->columns ? (unsigned)args->columns
						       : terminal_columns(fd)),
		.rows = terminal_rows(fd),
		.color = wants_color(args, fd),
		.ascii = args->ascii || !utf8,
		.verbose = args->verbose,
	};
	o->progress = isatty(STDERR_FILENO);
	return 0;
}

/* ---- the picture while we wait ---- */

static void show_progress(void *ctx, const struct view *v, double elapsed, double total)
{
	struct output *o = ctx;
	struct style style = o->style;
	struct buf b = { 0 };

	style.columns = clamp_columns(terminal_columns(STDERR_FILENO));
	style.color = wants_color(o->args, STDERR_FILENO);
	o->progress_lines = progress_draw(&b, v, elapsed, total, &style, o->progress_lines);
	buf_write(&b,
		  STDERR_FILENO); /* a terminal that went away is told by a signal, not by this */
	buf_done(&b);
}

void output_progress(struct output *o, struct session_args *sa)
{
	if (!o->progress)
		return;
	sa->on_second = show_progress;
	sa->ctx = o;
}

void output_progress_end(struct output *o)
{
	struct buf b = { 0 };

	if (!o->progress || !o->progress_lines)
		return;
	progress_clear(&b, o->progress_lines);
	buf_write(&b, STDERR_FILENO);
	buf_done(&b);
	o->progress_lines = 0;
}

/* ---- writing ---- */

int output_text(const char *file, const struct buf *b, struct err *e)
{
	struct sink k;
	int err = sink_open(&k, file, e);

	if (err)
		return err;
	err = buf_write(b, k.fd);
	if (!err)
		return sink_keep(&k, e);
	sink_drop(&k);
	if (err == -EPIPE)
		return err;
	return err_errno(e, err, "cannot write %s", file ? file : "to standard output");
}

int output_report(struct output *o, const struct report *r, struct err *e)
{
	struct buf b = { 0 };
	int err;

	o->exporter->write(&b, r, &o->style);
	err = output_text(o->args->file, &b, e);
	buf_done(&b);
	return err;
}

int output_done(const struct output *o, struct buf *b)
{
	struct err e = { 0 };
	int err = output_text(o->args->file, b, &e);

	buf_done(b);
	return !err || err == -EPIPE ? 0 : output_error(&e);
}

void output_note(const char *what, const char *text)
{
	char safe[2000];

	fprintf(stderr, "sixty: %s%s\n", what,
		text_printable_into(safe, sizeof(safe), text, strlen(text)));
}

int output_error(const struct err *e)
{
	char safe[sizeof(e->msg) * 4];

	fprintf(stderr, "sixty: %s\n",
		text_printable_into(safe, sizeof(safe), e->msg, strlen(e->msg)));
	return 1;
}

int output_refused(const struct err *e)
{
	output_error(e);
	return 2;
}

int output_usage(const char *command, const char *fmt, ...)
{
	char text[256], safe[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "sixty %s: %s; see `sixty %s --help`\n", command,
		text_printable_into(safe, sizeof(safe), text, strlen(text)), command);
	return 2;
}
