/* SPDX-License-Identifier: Apache-2.0 */
/* sixty triage: watch, judge, say it in one sentence. */
#include "cmd/commands.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "checklist/rule.h"
#include "cmd/output.h"
#include "collectors/bpf_engine.h"
#include "engine/session.h"

struct triage_args {
	double seconds, budget;
	struct output_args output;
	const char *replay;
	bool check;
};

static const struct triage_args defaults = { .seconds = 10, .budget = 1 };

static const struct opt opts[] = {
	{ 'd', "duration", OPT_DOUBLE, offsetof(struct triage_args, seconds), "SECONDS",
	  "watch this long", 1, 60, NULL },
	{ 0, "check", OPT_FLAG, offsetof(struct triage_args, check), NULL,
	  "exit with 0 healthy, 1 warn, 2 crit, 3 inconclusive or could not run (for cron and monitors)",
	  0, 0, NULL },
	{ 0, "budget", OPT_DOUBLE, offsetof(struct triage_args, budget), "PCT",
	  "what an eBPF program may cost in percent of any one CPU over the window, and twice that all of them; one that would cost more is stopped, and the report says so (0: no limit)",
	  0, 100, NULL },
	{ 0, "replay", OPT_STRING, offsetof(struct triage_args, replay), "DIR",
	  "judge a capture instead of this machine", 0, 0, NULL },
	OUTPUT_OPTS(struct triage_args, output),
	{ .name = NULL }
};

/* The worst of what is printed; --check's exit status. */
static int check_status(const struct report *r)
{
	int status = 0;

	if (r->verdict == VERDICT_INCONCLUSIVE)
		return 3;
	for (size_t i = 0; i < r->findings.n; i++)
		if ((int)r->findings.list[i].severity > status)
			status = (int)r->findings.list[i].severity;
	return status;
}

static int triage_run(const void *args, int argc, char **argv)
{
	const struct triage_args *a = args;
	struct session_args sa = { .seconds = a->seconds,
				   .replay = a->replay,
				   .budget = a->budget / 100,
				   .bpf = BPF_TIME | BPF_BYTES | BPF_IRQ | BPF_WAKE | BPF_SAMPLES |
					  BPF_TABLE | BPF_RED | BPF_RED_QUEUE,
				   .hists = 1u << HIST_RUNQLAT | 1u << HIST_BIOLAT,
				   .hists_by_key = true };
	struct output out;
	struct session *s = NULL;
	struct report r;
	struct err e = { 0 };
	int failed = a->check ? 3 : 1, status = failed, err;

	if (argc)
		return output_usage("triage", "takes no operand, but got '%s'", argv[0]);
	err = output_open(&out, &a->output, &e);
	if (err) {
		output_error(&e);
		return a->check ? failed : 2;
	}
	output_progress(&out, &sa);
	report_init(&r, "sixty.triage/1", NULL);
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
	checklist_run(session_view(s), &r);
	err = output_report(&out, &r, &e);
	if (err) {
		if (err != -EPIPE)
			output_error(&e);
		goto out;
	}
	status = a->check ? check_status(&r) : 0;
out:
	report_done(&r);
	session_close(s);
	return status;
}

const struct command command_triage = {
	.name = "triage",
	.summary = "watch for ten seconds, then say what is wrong, who does it and who suffers",
	.usage = "sixty [triage] [-d SECONDS] [--format FORMAT] [--check] [--replay DIR]",
	.description =
		"Reads counters of the whole machine at once, over one window, and prints a verdict with its evidence, the USE "
		"table, the 60-second checklist, what is ruled out, what could not be checked, and what looking cost.",
	.examples =
		"sudo sixty\twhy is this machine slow, now\n"
		"sudo sixty -d 30 --verbose\tall rows, with one line per second where people know it\n"
		"sixty --json | jq .verdict\tfor scripts\n"
		"sixty --check -d 5\tfor cron: exit status 0 to 3\n"
		"sixty --replay DIR\ta capture that somebody sent\n",
	.opts = opts,
	.defaults = &defaults,
	.args_size = sizeof(struct triage_args),
	.run = triage_run,
};
