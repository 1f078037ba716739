/* SPDX-License-Identifier: Apache-2.0 */
/* sixty profile: where a process, a control group or the machine spends its CPU time, as whole stacks. */
#include "cmd/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "cmd/output.h"
#include "cmd/stackfile.h"
#include "cmd/target.h"
#include "engine/profile_names.h"
#include "engine/profiling.h"
#include "export/text.h"
#include "flamegraph/svg.h"

#define PIDS_MAX 1024

struct profile_args {
	const char *pids, *ns, *cgroup;
	struct stackfile_args file;
	struct output_args output;
	bool all, no_kernel, no_inline, lines, debuginfod, per_thread;
	int hz;
	bool modes[PROFILE_MODES];
	double seconds, period;
	double shortest, longest; /* the waits' in milliseconds */
	const char *event;
};

static const struct profile_args defaults = {
	.hz = 99,
	.file = { .width = SVG_WIDTH, .min_width = SVG_MIN_WIDTH },
};

#define SECONDS_DEFAULT 10
#define MODE(name, mode, help)                                                                   \
	{                                                                                        \
		0, name, OPT_FLAG, offsetof(struct profile_args, modes[mode]), NULL, help, 0, 0, \
			NULL                                                                     \
	}

/* clang-format off */
static const struct opt opts[] = {
	{ 'p', "pid", OPT_STRING, offsetof(struct profile_args, pids), "PID[,PID]",
	  "these processes, with their children", 0, 0, NULL },
	{ 0, "ns", OPT_STRING, offsetof(struct profile_args, ns), "WHERE",
	  "PIDs are numbers in the PID namespace of WHERE: of a process, or of a container by its id or control group", 0, 0, NULL },
	{ 'C', "cgroup", OPT_STRING, offsetof(struct profile_args, cgroup), "CGROUP",
	  "processes in this control group or below it: /PATH, memory:/PATH, cpu:/PATH, or the first digits of a container's id",
	  0, 0, NULL },
	{ 'a', "all", OPT_FLAG, offsetof(struct profile_args, all), NULL,
	  "all processes; the same as none of -p, -C and a command", 0, 0, NULL },
	{ 'F', "frequency", OPT_INT, offsetof(struct profile_args, hz), "HZ",
	  "samples per second on each CPU", 1, 10000, NULL },
	{ 'e', "event", OPT_STRING, offsetof(struct profile_args, event), "EVENT",
	  "where this happens, instead of time on CPUs: page-faults, cycles, cache-misses, sched:sched_switch, r1a2, what libpfm4 knows", 0, 0, NULL },
	{ 'c', "period", OPT_DOUBLE, offsetof(struct profile_args, period), "COUNT",
	  "with -e: a sample every so many events on each CPU, instead of -F; 0 for -F, which for a tracepoint is every one", 0, 1e12, NULL },
	{ 'd', "duration", OPT_DOUBLE, offsetof(struct profile_args, seconds), "SECONDS",
	  "watch this long; 0 for ten seconds, or until the command ends", 0, 3600, NULL },
	{ 'o', "output", OPT_STRING, offsetof(struct profile_args, output.file), "FILE",
	  "write FILE, whole or not at all; it ends in .svg, .folded, .pb.gz (pprof), .speedscope.json or .json", 0, 0, NULL },
	MODE("cpu", PROFILE_CPU, "what runs on CPUs: this is what it does anyway"),
	MODE("off-cpu", PROFILE_OFF_CPU, "time off the CPU: where threads wait, for what, and who wakes them"),
	MODE("wall", PROFILE_WALL, "all time of its threads, on CPUs and off them, in one graph"),
	MODE("wakeup", PROFILE_WAKEUP, "time off the CPU with the stacks of those who end it, and of who woke them"),
	{ 0, "shortest", OPT_DOUBLE, offsetof(struct profile_args, shortest), "MS",
	  "of waits: only those of this many milliseconds and more", 0, 3600000, NULL },
	{ 0, "longest", OPT_DOUBLE, offsetof(struct profile_args, longest), "MS",
	  "and of this many and less; 0 for any", 0, 3600000, NULL },
	{ 0, "no-kernel", OPT_FLAG, offsetof(struct profile_args, no_kernel), NULL,
	  "without functions of the kernel: its time goes to who called it", 0, 0, NULL },
	{ 0, "no-inline", OPT_FLAG, offsetof(struct profile_args, no_inline), NULL,
	  "without functions that the compiler has put into their callers: their time goes to those", 0, 0, NULL },
	{ 0, "lines", OPT_FLAG, offsetof(struct profile_args, lines), NULL,
	  "with files and lines of the source, from debug information", 0, 0, NULL },
	{ 0, "debuginfod", OPT_FLAG, offsetof(struct profile_args, debuginfod), NULL,
	  "fetch debug information that is not here from the servers of DEBUGINFOD_URLS (libdebuginfod)", 0, 0, NULL },
	{ 0, "per-thread", OPT_FLAG, offsetof(struct profile_args, per_thread), NULL,
	  "tell threads apart", 0, 0, NULL },
	STACKFILE_OPTS(struct profile_args, file),
	STACKREPORT_OPTS(struct profile_args, output),
	{ .name = NULL }
};
/* clang-format on */

/* ---- who ---- */

static int parse_pids(const char *list, const char *ns, int *pids, size_t *n)
{
	struct text t = text_of(list), one;
	uint64_t pid;
	int status;

	while (text_until(&t, ',', &one)) {
		if (!text_is_u64(one, &pid) || !pid || pid > 4194304)
			return output_usage("profile",
					    "-p takes process ids, separated by commas, not '%s'",
					    list);
		if (*n == PIDS_MAX)
			return output_usage("profile", "-p takes %d processes at most", PIDS_MAX);
		pids[(*n)++] = (int)pid;
	}
	for (size_t i = 0; i < *n; i++) {
		status = target_pid("profile", pids[i], ns, &pids[i]);
		if (status)
			return status;
	}
	return *n ? 0 : output_usage("profile", "-p needs a process id");
}

static int check(const struct profile_args *a, int argc)
{
	int ways = (a->pids != NULL) + (a->cgroup != NULL) + a->all + (argc > 0);

	if (ways > 1)
		return output_usage("profile", "takes one of -p, -C, -a and a command");
	if (a->ns && !a->pids)
		return output_usage("profile", "--ns says whose number PID is: it needs -p PID");
	if (a->period > 0 && !a->event)
		return output_usage("profile", "-c counts events: it needs -e EVENT");
	return 0;
}

static int find_mode(const struct profile_args *a, enum profile_mode *mode)
{
	bool found = false;

	*mode = PROFILE_CPU;
	for (unsigned i = 0; i < PROFILE_MODES; i++) {
		if (!a->modes[i])
			continue;
		if (found)
			return output_usage("profile", "takes one of --%s and --%s",
					    profile_kinds[*mode].name, profile_kinds[i].name);
		found = true;
		*mode = (enum profile_mode)i;
	}
	if (found && a->event)
		return output_usage("profile", "--%s and -e are two different things: give one",
				    profile_kinds[*mode].name);
	if ((a->shortest > 0 || a->longest > 0) && !profile_kinds[*mode].waits)
		return output_usage("profile", "--shortest and --longest are of waits: --off-cpu");
	if (a->longest > 0 && a->longest < a->shortest)
		return output_usage("profile", "--longest is less than --shortest");
	return 0;
}

/* ---- while it watches ---- */

static void show_progress(void *ctx, const struct profiling_progress *p)
{
	char of[32] = "", text[160];

	(void)ctx;
	if (p->of > 0)
		snprintf(of, sizeof(of), " of %.0f", p->of);
	snprintf(text, sizeof(text),
		 "\r\033[K%.0f%s s, %llu %s, %llu lost; Ctrl-C ends early and keeps them",
		 p->seconds, of, (unsigned long long)p->samples, p->what,
		 (unsigned long long)p->lost);
	fputs(text, stderr);
}

/* ---- what comes of it ---- */

static void put_amount(struct buf *b, uint64_t n, const char *one, const char *more)
{
	buf_printf(b, "%llu %s", (unsigned long long)n, n == 1 ? one : more);
}

/* How whole the stacks are: each way to fail has its own line, and its own frame in the graph. */
static void put_walks(struct buf *b, const struct profiling_result *r)
{
	buf_printf(b, "  %.2f %% of %llu user stacks are whole",
		   100.0 * (double)r->walks[WALK_WHOLE] / (double)r->walked,
		   (unsigned long long)r->walked);
	buf_printf(b, "; %llu with a frame pointer in place of a rule, %llu from copies\n",
		   (unsigned long long)r->guessed, (unsigned long long)r->copied);
	for (unsigned w = 0; w < WALK_MAX; w++)
		if (r->walks[w] && profile_lost_name((enum wire_walk)w))
			buf_printf(b, "    %6.2f %%  %s\n",
				   100.0 * (double)r->walks[w] / (double)r->walked,
				   profile_lost_name((enum wire_walk)w));
}

/* What was measured, and of how much of it the stacks are known. */
static void put_waits(struct buf *b, const struct waiting_result *w)
{
	char seconds[32], shown[32];

	unit_duration(seconds, sizeof(seconds), w->seconds);
	unit_duration(shown, sizeof(shown), w->shown);
	buf_printf(b, "  %s off the CPU were measured, %s are in stacks; ", seconds, shown);
	put_amount(b, w->waits, "wait", "waits");
	buf_printf(b, ", and %llu that had not ended\n", (unsigned long long)w->open);
	if (w->one_in > 1 || w->one_in_long > 1)
		buf_printf(
			b,
			"  stacks were taken of %llu of them; at the busiest moment one in %u, after long waits one in %u;\n"
			"  weights are scaled, waits of a millisecond and more all count\n",
			(unsigned long long)w->chosen, w->one_in, w->one_in_long);
	else
		buf_str(b, "  the stack of every one was taken\n");
	if (w->imputed > 0) {
		unit_duration(seconds, sizeof(seconds), w->imputed);
		buf_printf(
			b,
			"  %s of long waits whose stack was not taken stand with those of the same thread and function\n",
			seconds);
	}
	if (w->filtered)
		buf_printf(b, "  %llu were shorter or longer than is asked for\n",
			   (unsigned long long)w->filtered);
}

static void put_result(struct buf *b, const struct profiling_result *r, const struct stackset *ss,
		       const struct profile_kind *k, const struct style *s)
{
	text_title(b, s, k->waits ? "Waits" : "Samples");
	if (k->waits)
		put_waits(b, &r->waits);
	buf_str(b, "  ");
	if (k->samples) {
		put_amount(b, r->samples, "sample", "samples");
		buf_str(b, ", ");
	}
	buf_printf(b, "%llu lost; ", (unsigned long long)r->lost);
	put_amount(b, r->programs, "program", "programs");
	buf_str(b, ", ");
	put_amount(b, r->files, "binary", "binaries");
	buf_printf(b, "; names took %.0f ms\n", r->naming_seconds * 1e3);
	if (r->walked)
		put_walks(b, r);
	for (size_t i = 0; i < ss->nlosses; i++)
		buf_printf(b, "  missing: %.0f %s\n", ss->loss[i].count,
			   stackset_text(ss, ss->loss[i].what));
}

/* What a person should know besides. */
static void put_notes(const struct profile_args *a, const struct profile_kind *k,
		      const struct profiling_result *r)
{
	char text[200];

	if (r->ended && a->pids)
		output_note("", "what was watched has ended: this is what was seen of it");
	if (r->exit_status > 0 && WIFEXITED(r->exit_status)) {
		snprintf(text, sizeof(text), "the command ended with exit status %d",
			 WEXITSTATUS(r->exit_status));
		output_note("", text);
	} else if (r->exit_status > 0 && WIFSIGNALED(r->exit_status)) {
		snprintf(text, sizeof(text), "the command was killed by signal %d",
			 WTERMSIG(r->exit_status));
		output_note("", text);
	}
	if (!r->samples && a->event)
		output_note("", "no sample: it has not happened in this time");
	else if (!(k->samples && r->samples) && !(k->waits && r->waits.shown > 0))
		output_note("", k->none);
}

static int write_result(const struct profile_args *a, struct profiling *p,
			const struct profile_kind *k, const struct output *o)
{
	struct stackset *ss;
	struct err e = { 0 };
	struct buf b = { 0 };
	int err = profiling_stacks(p, &ss, &e);

	if (err)
		return output_error(&e);
	err = stackfile_write(a->output.file, ss, &a->file, &o->style, &e);
	if (!err) {
		put_result(&b, profiling_result(p), ss, k, &o->style);
		text_ledger(&b, profiling_report(p), &o->style);
		err = output_text(NULL, &b, &e);
		buf_done(&b);
	}
	stackset_free(ss);
	return !err || err == -EPIPE ? 0 : output_error(&e);
}

static int run(const struct profile_args *a, const struct profiling_args *pa,
	       const struct output *o)
{
	const struct profile_kind *k = &profile_kinds[pa->mode];
	struct profiling *p = NULL;
	struct err e = { 0 };
	int err = profiling_open(&p, pa, &e), status;

	if (err) /* an event that nobody knows was typed wrong */
		return pa->event && (err == -ENOENT || err == -EINVAL) ? output_refused(&e)
								       : output_error(&e);
	err = profiling_run(p, &e);
	if (pa->on_progress)
		fputs("\r\033[K", stderr);
	if (err) {
		profiling_close(p);
		return err == -ECANCELED ? 1 : output_error(&e);
	}
	put_notes(a, k, profiling_result(p));
	status = write_result(a, p, k, o);
	profiling_close(p);
	return status;
}

/* "sixty profile -p 4242 -d 5", for whoever finds the picture later. */
static void say(const struct profile_args *a, enum profile_mode mode, char *const *command,
		char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "sixty profile");

	if (a->pids && n < size)
		n += (size_t)snprintf(out + n, size - n, " -p %s", a->pids);
	if (a->ns && n < size)
		n += (size_t)snprintf(out + n, size - n, " --ns %s", a->ns);
	if (a->cgroup && n < size)
		n += (size_t)snprintf(out + n, size - n, " -C %s", a->cgroup);
	if (mode != PROFILE_CPU && n < size)
		n += (size_t)snprintf(out + n, size - n, " --%s", profile_kinds[mode].name);
	if (a->shortest > 0 && n < size)
		n += (size_t)snprintf(out + n, size - n, " --shortest %g", a->shortest);
	if (a->longest > 0 && n < size)
		n += (size_t)snprintf(out + n, size - n, " --longest %g", a->longest);
	if (a->event && n < size)
		n += (size_t)snprintf(out + n, size - n, " -e %s", a->event);
	if (a->period > 0 && n < size)
		n += (size_t)snprintf(out + n, size - n, " -c %.0f", a->period);
	else if (n < size && profile_kinds[mode].samples && (!a->event || a->hz != defaults.hz))
		n += (size_t)snprintf(out + n, size - n, " -F %d", a->hz);
	if (a->seconds > 0 && n < size)
		n += (size_t)snprintf(out + n, size - n, " -d %g", a->seconds);
	for (size_t i = 0; command && command[i] && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s", i ? " " : " -- ", command[i]);
}

static int profile_run(const void *args, int argc, char **argv)
{
	const struct profile_args *a = args;
	int pids[PIDS_MAX];
	struct profiling_args pa = { .pids = pids,
				     .cgroup = a->cgroup,
				     .hz = (unsigned)a->hz,
				     .event = a->event,
				     .period = (uint64_t)a->period,
				     .seconds = a->seconds,
				     .shortest_ns = (uint64_t)(a->shortest * 1e6),
				     .longest_ns = (uint64_t)(a->longest * 1e6),
				     .no_kernel = a->no_kernel,
				     .no_inline = a->no_inline,
				     .lines = a->lines,
				     .servers = a->debuginfod,
				     .per_thread = a->per_thread };
	char **command = NULL, said[300];
	struct output o;
	struct err e = { 0 };
	int status = check(a, argc);

	if (!status)
		status = find_mode(a, &pa.mode);
	if (!status && a->pids)
		status = parse_pids(a->pids, a->ns, pids, &pa.npids);
	if (status)
		return status;
	if (output_open(&o, &a->output, &e) || stackfile_check(a->output.file, &a->file, &e))
		return output_refused(&e);
	if (argc) {
		command = mem_array((size_t)argc + 1, sizeof(*command));
		memcpy(command, argv, (size_t)argc * sizeof(*command));
		pa.command = command;
	}
	if (!(pa.seconds > 0) && !argc)
		pa.seconds = SECONDS_DEFAULT;
	if (isatty(STDERR_FILENO))
		pa.on_progress = show_progress;
	say(a, pa.mode, command, said, sizeof(said));
	pa.said = said;
	status = run(a, &pa, &o);
	mem_free(command);
	return status;
}

const struct command command_profile = {
	.name = "profile",
	.summary = "say in which functions time goes, on CPUs and off them, with whole stacks",
	.usage =
		"sixty profile [-p PID[,PID…] [--ns WHERE] | -C CGROUP | -a | -- COMMAND ARGS] [-F HZ] [-e EVENT [-c COUNT]] [-d SECONDS] [-o FILE]",
	.description =
		"Samples what runs on every CPU, and walks its stack in the kernel: by the unwind rules of each binary "
		"(.eh_frame), so programs need no frame pointers and no debug information. Of -p and a command children are sampled "
		"too, also those that are born meanwhile. The suffix of -o decides what is written; without -o it is a report. A stack "
		"that could not be followed to its end says so in a frame of its own. Nothing is stopped.",
	.examples = "sudo sixty profile -p 4242 -o out.svg\ta flame graph of this process\n"
		    "sudo sixty profile -p 4242 -e page-faults -c 1\twho touches new memory\n"
		    "sudo sixty profile -F 999 -- ./build.sh\ta command, until it ends\n",
	.opts = opts,
	.defaults = &defaults,
	.args_size = sizeof(struct profile_args),
	.run = profile_run,
};
