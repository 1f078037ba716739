/* SPDX-License-Identifier: Apache-2.0 */
/* sixty trace: events as they happen, several kinds on one line of time. */
#include "cmd/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/output.h"
#include "cmd/sink.h"
#include "cmd/target.h"
#include "collectors/trace_who.h"
#include "engine/loop.h"
#include "engine/tracing.h"
#include "export/style.h"
#include "export/trace.h"

#define CHUNK 4096 /* PIPE_BUF: what a pipe that is ready takes without blocking */

enum stamps { STAMPS_WALL, STAMPS_DELTA, STAMPS_BOOT };
static const char *const stamps[] = { "wall", "delta", "boot", NULL };
static const char *const formats[] = { "text", "json", "csv", NULL };

struct trace_args {
	int pid, count, format, stamps, color;
	const char *cgroup, *comm, *min, *file, *ns;
	double seconds, budget;
	bool json, ascii, verbose;
};

static const struct trace_args defaults = { .min = "10ms", .budget = 25 };

/* clang-format off */
static const struct opt opts[] = {
	PID_OPTS(struct trace_args, pid, ns, "events of this process only; 0 for all"),
	{ 'C', "cgroup", OPT_STRING, offsetof(struct trace_args, cgroup), "CGROUP",
	  "events of processes in this control group or below it: /PATH, memory:/PATH, cpu:/PATH, or the first digits of a container's id",
	  0, 0, NULL },
	{ 0, "comm", OPT_STRING, offsetof(struct trace_args, comm), "NAME",
	  "events of processes with this name; * and ? stand for any letters", 0, 0, NULL },
	{ 0, "min", OPT_STRING, offsetof(struct trace_args, min), "DURATION",
	  "what is slow, for bio, fsync and runq: 500us, 10ms, 1.5s", 0, 0, NULL },
	{ 'n', "count", OPT_INT, offsetof(struct trace_args, count), "COUNT",
	  "end after so many events; 0 for no limit", 0, 2147483647, NULL },
	{ 'd', "duration", OPT_DOUBLE, offsetof(struct trace_args, seconds), "SECONDS",
	  "end after this time; 0 for no limit", 0, 1000000, NULL },
	{ 0, "json", OPT_FLAG, offsetof(struct trace_args, json), NULL,
	  "the same as --format json", 0, 0, NULL },
	{ 0, "format", OPT_CHOICE, offsetof(struct trace_args, format), "FORM",
	  "one line per event, as text, as a JSON object, or as CSV", 0, 0, formats },
	{ 'o', "output", OPT_STRING, offsetof(struct trace_args, file), "FILE",
	  "write to FILE, which appears whole, when it is over, or not at all", 0, 0, NULL },
	{ 0, "timestamps", OPT_CHOICE, offsetof(struct trace_args, stamps), "KIND",
	  "local time, time since the line before, or time since boot", 0, 0, stamps },
	{ 'v', "verbose", OPT_FLAG, offsetof(struct trace_args, verbose), NULL,
	  "executable, parent and user in every line", 0, 0, NULL },
	{ 0, "budget", OPT_DOUBLE, offsetof(struct trace_args, budget), "PCT",
	  "percent of one CPU that reading may take; what is not read in time is lost and counted", 1, 100, NULL },
	{ 0, "color", OPT_CHOICE, offsetof(struct trace_args, color), "WHEN",
	  "colours; NO_COLOR is respected", 0, 0, output_colors },
	{ 0, "ascii", OPT_FLAG, offsetof(struct trace_args, ascii), NULL,
	  "no characters beyond ASCII", 0, 0, NULL },
	{ .name = NULL }
};
/* clang-format on */

struct printer {
	const struct trace_args *args;
	const struct trace_writer *writer;
	const struct trace_names *names;
	struct style style;
	unsigned events;
	struct buf out;
	struct sink to;
	int unwritten;   /* what has ended the last write; 0: nothing */
	uint64_t before; /* time of the line before; 0: there was none */
	int signals;     /* what write_batch() got last; -1 before */
};

/* ---- time ---- */

/* Events come with the monotonic clock; what it is by another clock is asked anew, since clocks are set. */
static int64_t by_clock(uint64_t time, clockid_t id)
{
	return (int64_t)(time + clock_ns(id) - clock_ns(CLOCK_MONOTONIC));
}

static void stamp_wall(char *out, size_t size, uint64_t time, bool whole)
{
	int64_t ns = by_clock(time, CLOCK_REALTIME);
	time_t seconds = (time_t)(ns / 1000000000);
	char date[40] = "", zone[16] = "";
	struct tm tm;

	if (!localtime_r(&seconds, &tm)) {
		snprintf(out, size, "-");
		return;
	}
	strftime(date, sizeof(date), whole ? "%Y-%m-%dT%H:%M:%S" : "%H:%M:%S", &tm);
	if (whole)
		strftime(zone, sizeof(zone), "%z", &tm);
	/* RFC 3339 has a colon in the zone */
	snprintf(out, size, "%s.%06u%.3s%s%s", date, (unsigned)(ns % 1000000000 / 1000), zone,
		 whole && zone[0] ? ":" : "", zone[0] ? zone + 3 : "");
}

static void stamp(struct printer *p, char *out, size_t size, uint64_t time)
{
	int64_t ns;

	switch (p->args->stamps) {
	case STAMPS_DELTA:
		ns = p->before ? (int64_t)(time - p->before) : 0;
		break;
	case STAMPS_BOOT:
		ns = by_clock(time, CLOCK_BOOTTIME);
		break;
	default:
		stamp_wall(out, size, time, p->args->format || p->args->json);
		return;
	}
	snprintf(out, size, "%s%" PRId64 ".%06u", ns < 0 ? "-" : "",
		 (ns < 0 ? -ns : ns) / 1000000000,
		 (unsigned)((ns < 0 ? -ns : ns) % 1000000000 / 1000));
}

/* "10ms", "1.5 s"; a number alone is seconds. */
static int parse_duration(const char *text, uint64_t *ns, struct err *e)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = { { "", 1e9 }, { "s", 1e9 }, { "ms", 1e6 }, { "us", 1e3 }, { "ns", 1 } };
	struct text t = text_of(text);
	uint64_t milli;

	if (text_fixed(&t, 3, &milli) && milli < 1000000000) {
		t = text_trim(t);
		for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
			if (text_eq(t, units[i].unit)) {
				*ns = (uint64_t)((double)milli * units[i].ns / 1000);
				return 0;
			}
	}
	return err_set(e, -EINVAL, "--min takes a duration as 500us, 10ms or 1.5s, not '%s'", text);
}

/* ---- writing ---- */

static void print_event(void *ctx, const void *record, const char *exe, const char *cgroup)
{
	const struct wire_event *e = record;
	struct printer *p = ctx;
	char time[64];
	struct trace_line l = {
		.record = record, .time = time, .exe = exe, .cgroup = cgroup, .names = p->names
	};

	stamp(p, time, sizeof(time), e->time);
	p->before = e->time;
	p->writer->line(&p->out, p->events, &p->style, &l);
}

/* What it is written to may be a pipe whose reader has stopped: signals must get through all the same. */
static int write_batch(void *ctx, int signals)
{
	struct printer *p = ctx;
	struct pollfd fds[2] = { { .fd = p->to.fd, .events = POLLOUT },
				 { .fd = signals, .events = POLLIN } };
	size_t done = 0;
	int err = 0;

	p->signals = signals;
	while (done < p->out.len && !err) {
		size_t n = p->out.len - done;
		ssize_t got;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			err = -errno;
		else if (fds[1].revents)
			err = loop_signal(signals);
		if (err || !fds[0].revents)
			continue;
		got = write(p->to.fd, p->out.data + done, n < CHUNK ? n : CHUNK);
		if (got < 0 && errno != EINTR && errno != EAGAIN)
			err = -errno;
		else if (got > 0)
			done += (size_t)got;
	}
	p->unwritten = err;
	buf_clear(&p->out);
	return err;
}

static int print_totals(struct printer *p, struct tracing *t)
{
	struct trace_totals totals;

	tracing_totals(t, &totals);
	if (!strcmp(p->writer->name, "json")) {
		trace_totals_json(&p->out, &totals);
		return write_batch(p, p->signals);
	}
	trace_totals_text(&p->out, &totals, &p->style);
	buf_write(&p->out, STDERR_FILENO);
	buf_clear(&p->out);
	return 0;
}

/* ---- command ---- */

static void note_prices(const struct trace_args *a, unsigned events)
{
	bool filtered = a->pid || a->cgroup || a->comm;
	char line[300];

	if (events & 1u << TRACE_OPEN) {
		snprintf(line, sizeof(line), "open %s", trace_events[TRACE_OPEN].price);
		output_note("", line);
	}
	for (unsigned i = 0; i < TRACE_MAX; i++)
		if (filtered && events & 1u << i && trace_events[i].anonymous) {
			snprintf(
				line, sizeof(line),
				"no event of kind %s names a process: with -p, -C or --comm none is shown",
				trace_events[i].name);
			output_note("", line);
		}
}

static void note_missing(const struct buf *missing)
{
	struct text all = text_n(missing->data ? missing->data : "", missing->len), line;
	char one[600];

	while (text_line(&all, &line))
		output_note("cannot trace ", text_copy(one, sizeof(one), line));
}

static int parse_events(int argc, char **argv, unsigned *events)
{
	for (int i = 0; i < argc; i++) {
		enum wire_trace event = trace_event_by_name(argv[i]);

		if (event == TRACE_MAX)
			return output_usage("trace",
					    "there is no event '%s'; `sixty list events` has them",
					    argv[i]);
		*events |= 1u << event;
	}
	return argc ? 0
		    : output_usage(
			      "trace",
			      "needs at least one event, as in `sixty trace exec exit`; `sixty list events` has them");
}

static bool wants_color(const struct trace_args *a)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (a->color)
		return a->color == 1;
	return !(no && *no) && !a->file && isatty(STDOUT_FILENO) && term && *term &&
	       strcmp(term, "dumb") != 0;
}

/* The exit status of a run that ended with err. Of one that was cut short nothing is printed, and no file is left. */
static int finish(struct printer *p, struct tracing *t, int err, struct err *e)
{
	if (!err || err == -EINTR) {
		err = print_totals(p, t);
		if (!err)
			return sink_keep(&p->to, e) ? output_error(e) : 0;
	}
	sink_drop(&p->to);
	if (err == -EPIPE)
		return 0;
	if (err == -ECANCELED || err == -EINTR) /* the second Ctrl-C */
		return 1;
	if (err == p->unwritten)
		err_errno(e, err, "cannot write %s",
			  p->args->file ? p->args->file : "to standard output");
	return output_error(e);
}

static int run_tracing(struct printer *p, struct tracing_args *ta)
{
	struct buf missing = { 0 };
	struct tracing *t = NULL;
	struct err e = { 0 };
	int err = sink_open(&p->to, p->args->file, &e), status;

	if (err)
		return output_error(&e);
	ta->out = p->to.fd;
	err = tracing_open(&t, ta, &missing, &e);
	note_missing(&missing);
	buf_done(&missing);
	if (err) {
		sink_drop(&p->to);
		return output_error(&e);
	}
	p->names = tracing_names(t);
	note_prices(p->args, ta->events);
	p->writer->head(&p->out, p->events, &p->style);
	status = finish(p, t, tracing_run(t, &e), &e);
	tracing_close(t);
	return status;
}

static int trace_run(const void *args, int argc, char **argv)
{
	const struct trace_args *a = args;
	struct printer p = { .args = a,
			     .writer = &trace_writers[a->json ? 1 : a->format],
			     .signals = -1 };
	struct tracing_args ta = { .cgroup = a->cgroup,
				   .comm = a->comm,
				   .seconds = a->seconds,
				   .count = (uint64_t)a->count,
				   .budget = a->budget / 100,
				   .on_event = print_event,
				   .on_batch = write_batch,
				   .ctx = &p };
	struct err e = { 0 };
	int status = parse_events(argc, argv, &ta.events), pid = 0;

	if (status)
		return status;
	if (parse_duration(a->min, &ta.slow_ns, &e) ||
	    (a->cgroup && trace_who_check_pattern(a->cgroup, &e)))
		return output_refused(&e);
	status = target_pid("trace", a->pid, a->ns, &pid);
	if (status)
		return status;
	ta.pid = (uint32_t)pid;
	p.events = ta.events;
	p.style = (struct style){ .columns = 100,
				  .color = wants_color(a),
				  .ascii = a->ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
				  .verbose = a->verbose };
	status = run_tracing(&p, &ta);
	buf_done(&p.out);
	return status;
}

static const char *event_word(size_t i, const char **what)
{
	*what = i < TRACE_MAX ? trace_events[i].what : NULL;
	return i < TRACE_MAX ? trace_events[i].name : NULL;
}

const struct command command_trace = {
	.name = "trace",
	.summary = "print events as they happen: processes, files, disks, TCP, drops, signals",
	.usage =
		"sixty trace EVENT... [-p PID [--ns WHERE]] [-C CGROUP] [--comm NAME] [--min DURATION] [-n COUNT] [-d SECONDS] [-o FILE] [--json]",
	.description =
		"EVENT is one or more of the words below; `sixty list events` says what each needs and costs, and has the columns. "
		"Several events are put in order of time. Only the programs of what was asked for are loaded. It ends with Ctrl-C, "
		"and says on standard error (in JSON: in a last object) how many events there were, how many were lost, and what it "
		"has cost.",
	.examples = "sudo sixty trace exec exit\twhat is started, and how it ends\n"
		    "sudo sixty trace tcp retransmit -d 10\tconnections of ten seconds\n"
		    "sudo sixty trace bio fsync --min 50ms\tslow disks, and who waited\n"
		    "sudo sixty trace open -p 4242\tfiles that it does not find\n",
	.opts = opts,
	.defaults = &defaults,
	.args_size = sizeof(struct trace_args),
	.word = event_word,
	.run = trace_run,
};
