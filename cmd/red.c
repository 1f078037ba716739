/* SPDX-License-Identifier: Apache-2.0 */
/* sixty red: requests of every service of the machine, over a window or interval by interval. */
#include "cmd/commands.h"

#include "cmd/output.h"
#include "cmd/pages.h"
#include "cmd/target.h"
#include "engine/serving.h"

struct red_args {
	double seconds, interval, budget;
	int pid, port, count;
	const char *ns, *cgroup;
	bool no_content, no_clients;
	struct output_args output;
};

static const struct red_args defaults = { .budget = 10 };

#define INTERVAL_LEAST  0.1
#define SECONDS_DEFAULT 10

/* clang-format off */
static const struct opt opts[] = {
	PID_OPTS(struct red_args, pid, ns, "services that this process listens for or serves, and what it asks; 0 for all"),
	{ 0, "port", OPT_INT, offsetof(struct red_args, port), "PORT",
	  "the service, and dependencies, at this port only; 0 for all", 0, 65535, NULL },
	{ 'C', "cgroup", OPT_STRING, offsetof(struct red_args, cgroup), "CGROUP",
	  "connections of processes in this control group or below it: /PATH, memory:/PATH, cpu:/PATH, or the first digits of a container's id",
	  0, 0, NULL },
	PAGES_OPTS(struct red_args, interval, count),
	{ 'd', "duration", OPT_DOUBLE, offsetof(struct red_args, seconds), "SECONDS",
	  "watch this long; 0 for ten seconds, or with -i until Ctrl-C", 0, 1000000, NULL },
	{ 0, "no-content", OPT_FLAG, offsetof(struct red_args, no_content), NULL,
	  "look at no byte of what is said: requests are counted by the order of what comes and goes", 0, 0, NULL },
	{ 0, "no-clients", OPT_FLAG, offsetof(struct red_args, no_clients), NULL,
	  "services only, not what processes ask of others", 0, 0, NULL },
	{ 0, "budget", OPT_DOUBLE, offsetof(struct red_args, budget), "PCT",
	  "end when one eBPF program costs more than this share of one CPU over ten seconds, or all of them twice that; 0 for no limit", 0, 100, NULL },
	OUTPUT_OPTS(struct red_args, output),
	{ .name = NULL }
};
/* clang-format on */

static int watch(struct pages *p, const struct serving_args *sa)
{
	struct serving *s = NULL;
	int err = serving_open(&s, sa, &p->e), status;

	if (err)
		return output_error(&p->e);
	status = pages_status(p, serving_run(s, &p->e));
	pages_excess(serving_excess(s));
	serving_close(s);
	return status;
}

static int red_run(const void *args, int argc, char **argv)
{
	const struct red_args *a = args;
	struct pages p = { 0 };
	struct serving_args sa = { .port = a->port,
				   .cgroup = a->cgroup,
				   .no_content = a->no_content,
				   .no_clients = a->no_clients,
				   .run = { .interval = a->interval,
					    .seconds = a->seconds,
					    .count = (uint64_t)a->count,
					    .budget = a->budget / 100,
					    .on_interval = pages_print,
					    .ctx = &p } };
	struct err e = { 0 };
	int status;

	if (argc)
		return output_usage("red", "takes no operand, but got '%s'", argv[0]);
	if (output_open(&p.out, &a->output, &e))
		return output_refused(&e);
	status = pages_check("red", &p.out, a->interval, INTERVAL_LEAST, a->count);
	if (!status)
		status = target_pid("red", a->pid, a->ns, &sa.run.pid);
	if (status)
		return status;
	if (!(sa.run.seconds > 0) && !(a->interval > 0))
		sa.run.seconds = SECONDS_DEFAULT;
	status = watch(&p, &sa);
	pages_done(&p);
	return status;
}

const struct command command_red = {
	.name = "red",
	.summary =
		"requests of every service: rate, errors, duration; and of what is asked elsewhere",
	.usage =
		"sixty red [-p PID [--ns WHERE] | --port PORT | -C CGROUP] [-d SECONDS] [-i SECONDS [-n COUNT]] [--no-content] [--no-clients] [--budget PCT] [--json]",
	.description =
		"A row for each port that somebody listens on, and for each service elsewhere that a process asks: requests and "
		"errors per second, percentiles of durations, how long requests lay unread, open connections. The protocol is told "
		"from the first bytes: HTTP/1, Redis, PostgreSQL, MySQL, memcached; TLS and HTTP/2 are counted by exchange, anything "
		"else on TCP by what comes in and what goes out. Of what is said nothing leaves the kernel but the name of an "
		"operation (a verb, a route without query and identifiers, a command) and the code of an error; with --no-content "
		"not even those are looked at. A service on this machine is told once, where it is served. Counted in the kernel, in "
		"slots of an eighth of a power of two: percentiles are off by 6.25 % at most. Needs a kernel of 6.3 or later.",
	.examples =
		"sudo sixty red -d 5\tall services for five seconds\n"
		"sudo sixty red --port 443 -i 1\tone of them, second by second\n"
		"sudo sixty red -p 4242 --verbose\twhat a process serves and asks, with all operations\n"
		"sudo sixty red --json | jq '.red[] | select(.errors > 0)'\tfor scripts\n",
	.opts = opts,
	.defaults = &defaults,
	.args_size = sizeof(struct red_args),
	.run = red_run,
};
