/* SPDX-License-Identifier: Apache-2.0 */
/* sixty stat: how often events happen, of a process, a command or the machine. */
#include "cmd/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/eventlist.h"
#include "cmd/output.h"
#include "cmd/pages.h"
#include "cmd/target.h"
#include "engine/counting.h"

#define SECONDS_DEFAULT 10
#define INTERVAL_LEAST  0.01

struct stat_args {
	const char *events, *ns;
	double seconds, interval;
	int pid, count;
	bool all;
	struct output_args output;
};

static const struct stat_args defaults = { .seconds = 0 };

/* clang-format off */
static const struct opt opts[] = {
	{ 'e', "event", OPT_STRING, offsetof(struct stat_args, events), "EVENT[,EVENT]",
	  "these, instead of what most want to see: cycles, page-faults, sched:sched_switch, msr/tsc/, r1a2, what libpfm4 knows; "
	  ":u or :k behind it counts the program or the kernel alone", 0, 0, NULL },
	PID_OPTS(struct stat_args, pid, ns, "this process with its threads and children; 0 for all CPUs"),
	{ 'a', "all", OPT_FLAG, offsetof(struct stat_args, all), NULL,
	  "all CPUs; the same as neither -p nor a command", 0, 0, NULL },
	{ 'd', "duration", OPT_DOUBLE, offsetof(struct stat_args, seconds), "SECONDS",
	  "count this long; 0 for ten seconds, with -i until Ctrl-C, or until the command ends", 0, 1000000, NULL },
	PAGES_OPTS(struct stat_args, interval, count),
	OUTPUT_OPTS(struct stat_args, output),
	{ .name = NULL }
};
/* clang-format on */

static void tell_status(int status)
{
	char text[80];

	if (status <= 0)
		return;
	if (WIFEXITED(status))
		snprintf(text, sizeof(text), "the command ended with exit status %d",
			 WEXITSTATUS(status));
	else
		snprintf(text, sizeof(text), "the command was killed by signal %d",
			 WTERMSIG(status));
	output_note("", text);
}

static int count(struct pages *p, const struct counting_args *ca)
{
	struct counting *c = NULL;
	int err = counting_open(&c, ca, &p->e), status;

	if (err)
		return err == -EINVAL || (err == -ENOENT && ca->nevents) ? output_refused(&p->e)
									 : output_error(&p->e);
	status = pages_status(p, counting_run(c, &p->e));
	tell_status(counting_exit_status(c));
	counting_close(c);
	return status;
}

static int check(const struct stat_args *a, const struct output *out, int argc)
{
	if ((a->pid != 0) + a->all + (argc > 0) > 1)
		return output_usage("stat", "takes one of -p, -a and a command");
	return pages_check("stat", out, a->interval, INTERVAL_LEAST, a->count);
}

static int stat_run(const void *args, int argc, char **argv)
{
	const struct stat_args *a = args;
	struct pages p = { 0 };
	struct counting_args ca = { .seconds = a->seconds,
				    .interval = a->interval,
				    .count = (uint64_t)a->count,
				    .on_interval = pages_print,
				    .ctx = &p };
	struct eventlist events = { .n = 0 };
	char **command = NULL;
	int status, pid;

	if (output_open(&p.out, &a->output, &p.e))
		return output_refused(&p.e);
	status = check(a, &p.out, argc);
	if (!status && a->events)
		status = eventlist_parse("stat", a->events, &events);
	if (!status)
		status = target_pid("stat", a->pid, a->ns, &pid);
	if (status)
		goto out;
	ca.events = events.names;
	ca.nevents = events.n;
	ca.pids = &pid;
	ca.npids = pid != 0;
	if (argc) {
		command = mem_array((size_t)argc + 1, sizeof(*command));
		memcpy(command, argv, (size_t)argc * sizeof(*command));
		ca.command = command;
	}
	if (!(ca.seconds > 0) && !argc && !(a->interval > 0))
		ca.seconds = SECONDS_DEFAULT;
	status = count(&p, &ca);
out:
	eventlist_done(&events);
	mem_free(command);
	pages_done(&p);
	return status;
}

const struct command command_stat = {
	.name = "stat",
	.summary = "count events: CPU time, switches, faults, cycles, cache misses, tracepoints",
	.usage =
		"sixty stat [-e EVENT[,EVENT…]] [-p PID [--ns WHERE] | -a | -- COMMAND ARGS] [-d SECONDS] [-i SECONDS [-n COUNT]] [--json]",
	.description =
		"Counts what the kernel and the hardware counters of the CPU (PMU) count, from the beginning to the end of the window or "
		"of a command, with all threads and children. Where events take turns because the PMU has too few counters, the share of "
		"the time in which each was counted is shown, and its number multiplied up. Ratios (instructions per cycle, cache misses, "
		"mispredicted branches, where the pipeline's slots go) stand with what they are of. What cannot be counted here says why. "
		"Nothing is stopped.",
	.examples =
		"sudo sixty stat -p 4242 -d 5\twhat this process costs, in numbers\n"
		"sudo sixty stat -i 1 -- ./build.sh\ta command, with all that it starts, second by second\n"
		"sudo sixty stat -a -e page-faults,sched:sched_switch -i 1\tof the machine, second by second\n",
	.opts = opts,
	.defaults = &defaults,
	.args_size = sizeof(struct stat_args),
	.run = stat_run,
};
