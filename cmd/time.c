/* SPDX-License-Identifier: Apache-2.0 */
/* sixty time: where the time of a process's threads goes, measured at every context switch. */
#include "cmd/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/output.h"
#include "cmd/target.h"
#include "collectors/bpf_engine.h"
#include "collectors/trace_who.h"
#include "engine/session.h"

struct time_args {
	double seconds, budget;
	int pid;
	const char *ns, *cgroup;
	struct output_args output;
	const char *replay;
};

static const struct time_args defaults = { .seconds = 10, .budget = 1 };

static const struct opt opts[] = {
	{ 'd', "duration", OPT_DOUBLE, offsetof(struct time_args, seconds), "SECONDS",
	  "watch this long", 1, 60, NULL },
	PID_OPTS(struct time_args, pid, ns, "this process, thread by thread; 0 for all processes"),
	{ 'C', "cgroup", OPT_STRING, offsetof(struct time_args, cgroup), "CGROUP",
	  "threads in this control group or below it, when the window closes or they end: /PATH, memory:/PATH, cpu:/PATH, or the first digits of a container's id",
	  0, 0, NULL },
	{ 0, "budget", OPT_DOUBLE, offsetof(struct time_args, budget), "PCT",
	  "what an eBPF program may cost in percent of any one CPU over the window, and twice that all of them; one that would cost more is stopped, and the report says so (0: no limit)",
	  0, 100, NULL },
	{ 0, "replay", OPT_STRING, offsetof(struct time_args, replay), "DIR",
	  "a capture instead of this machine", 0, 0, NULL },
	OUTPUT_OPTS(struct time_args, output),
	{ .name = NULL }
};

/* Why there is nothing to show; the first line of the status list about eBPF says it. */
static int refuse(const struct view *v, bool replay)
{
	struct err e = { 0 };

	for (size_t i = 0; i < v->nstatus; i++)
		if (!strcmp(v->status[i].name, "eBPF") && v->status[i].code) {
			err_set(&e, v->status[i].code, "cannot measure the time of threads: %s",
				v->status[i].why);
			return output_error(&e);
		}
	err_set(&e, -ENOSYS, "cannot measure the time of threads: %s",
		replay ? "the capture was made without eBPF"
		       : "its programs could not be attached; `sixty doctor` says why");
	return output_error(&e);
}

static int time_run(const void *args, int argc, char **argv)
{
	const struct time_args *a = args;
	struct session_args sa = { .seconds = a->seconds,
				   .replay = a->replay,
				   .pid = a->pid,
				   .cgroup = a->cgroup,
				   .budget = a->budget / 100,
				   .bpf = BPF_TIME | BPF_BYTES | BPF_IRQ | BPF_WAKE | BPF_TABLE };
	struct output out;
	struct session *s = NULL;
	struct report r;
	struct err e = { 0 };
	int status = 1, err, pid = a->pid;

	if (argc)
		return output_usage("time", "takes no operand, but got '%s' (-p PID?)", argv[0]);
	if (a->pid && a->cgroup)
		return output_usage("time", "-p and -C name two different things: give one");
	if (a->cgroup && a->replay)
		return output_usage(
			"time",
			"-C does not go with --replay: a capture does not tell who was in it");
	err = output_open(&out, &a->output, &e);
	if (!err && a->cgroup)
		err = trace_who_check_pattern(a->cgroup, &e);
	if (err)
		return output_refused(&e);
	if (a->ns && a->replay)
		return output_usage(
			"time",
			"--ns does not go with --replay: a capture has the numbers of its own /proc");
	status = a->replay ? 0 : target_pid("time", a->pid, a->ns, &pid);
	if (status)
		return status;
	sa.pid = pid;
	status = 1;
	output_progress(&out, &sa);
	report_init(&r, "sixty.time/1", NULL);
	r.parts = REPORT_TIME;
	r.pid = pid;
	r.cgroup = a->cgroup;
	err = session_open(&s, &sa, &e);
	if (!err)
		err = session_watch(s, &e);
	output_progress_end(&out);
	if (err && err != -EINTR) {
		if (err != -ECANCELED)
			output_error(&e);
		goto out;
	}
	r.interrupted = err == -EINTR;
	session_report(s, &r);
	if (!r.view->nlost || !r.view->lost[0].exact) {
		if (a->cgroup && session_bpf(s) && bpf_engine_has(session_bpf(s), BPF_TIME)) {
			err_set(&e, -ESRCH,
				"no thread was in control group %s when the window closed, and none has ended there",
				a->cgroup);
			output_error(&e);
			goto out;
		}
		status = refuse(r.view, a->replay != NULL);
		goto out;
	}
	if (pid && !view_lost_pid(r.view, pid)) {
		err_set(&e, -ESRCH,
			"process %d ended, or the kernel does not show it to eBPF programs", pid);
		output_error(&e);
		goto out;
	}
	err = output_report(&out, &r, &e);
	if (err && err != -EPIPE)
		output_error(&e);
	status = err ? 1 : 0;
out:
	report_done(&r);
	session_close(s);
	return status;
}

const struct command command_time = {
	.name = "time",
	.summary =
		"say where the time of a process's threads goes: running, waiting, blocked on what",
	.usage = "sixty time [-p PID [--ns WHERE] | -C CGROUP] [-d SECONDS] [--format FORMAT]",
	.description =
		"Measures at every context switch. Each thread's wall time is split into running, waiting for a CPU, throttled, "
		"blocked by cause, and waiting for work; the parts add up. Without -p and -C it lists the processes that lost most.",
	.examples = "sudo sixty time -p 4242\twhat this process does all day\n"
		    "sudo sixty time -p 7 --ns 3f2a90c1d5e8\tprocess 7 of this container\n"
		    "sudo sixty time -C /system.slice/nginx.service\twhere a service's time goes\n"
		    "sudo sixty time -d 3 --json | jq .time\tall processes, for scripts\n",
	.opts = opts,
	.defaults = &defaults,
	.args_size = sizeof(struct time_args),
	.run = time_run,
};
