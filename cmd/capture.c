/* SPDX-License-Identifier: Apache-2.0 */
/* sixty capture: record what triage would read, to look at it elsewhere. */
#include "cmd/commands.h"

#include <errno.h>
#include <stdio.h>

#include "cmd/output.h"
#include "collectors/bpf_engine.h"
#include "engine/session.h"

struct capture_args {
	double seconds, budget;
	int steps;
};

static const struct capture_args defaults = { .seconds = 10, .budget = 1, .steps = 11 };

static const struct opt opts[] = {
	{ 'd', "duration", OPT_DOUBLE, offsetof(struct capture_args, seconds), "SECONDS",
	  "watch this long", 1, 3600, NULL },
	{ 'n', "count", OPT_INT, offsetof(struct capture_args, steps), "N",
	  "readings, spread evenly over the time, both ends included", 2, 3600, NULL },
	{ 0, "budget", OPT_DOUBLE, offsetof(struct capture_args, budget), "PCT",
	  "what an eBPF program may cost in percent of any one CPU over the window, and twice that all of them; one that would cost more is stopped, and the capture says so (0: no limit)",
	  0, 100, NULL },
	{ .name = NULL }
};

static int capture_run(const void *args, int argc, char **argv)
{
	const struct capture_args *a = args;
	struct session_args sa = { .seconds = a->seconds,
				   .capture_steps = a->steps,
				   .budget = a->budget / 100,
				   .bpf = BPF_TIME | BPF_BYTES | BPF_IRQ | BPF_WAKE | BPF_SAMPLES |
					  BPF_TABLE };
	struct session *s = NULL;
	struct err e = { 0 };
	int err;

	if (argc != 1)
		return output_usage("capture",
				    argc ? "takes one directory, but got %d operands"
					 : "needs the directory to write",
				    argc);
	sa.capture = argv[0];
	err = session_open(&s, &sa, &e);
	if (!err)
		err = session_watch(s, &e);
	session_close(s);
	if (err && err != -EINTR)
		return err == -ECANCELED ? 1 : output_error(&e);
	return 0;
}

const struct command command_capture = {
	.name = "capture",
	.summary =
		"record what triage reads into a directory, to be judged elsewhere with --replay",
	.usage = "sixty capture [-d SECONDS] [-n COUNT] DIR",
	.description =
		"DIR is created; it holds raw copies of the system files that were read and one table per source that is not a file, "
		"all of it text. Argument vectors and environments of processes are not read. Host name, process names, mount points, "
		"addresses of sockets and kernel messages are in it: look before you send it to somebody.",
	.examples = "sudo sixty capture /tmp/slow\tten seconds, eleven readings\n"
		    "sixty --replay /tmp/slow\tthe triage of that moment, anywhere\n",
	.opts = opts,
	.defaults = &defaults,
	.args_size = sizeof(struct capture_args),
	.run = capture_run,
};
