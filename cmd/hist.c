/* SPDX-License-Identifier: Apache-2.0 */
/* sixty hist: one kind of distribution, over a window or interval by interval. */
#include "cmd/commands.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cmd/output.h"
#include "cmd/pages.h"
#include "cmd/target.h"
#include "engine/histing.h"
#include "export/hists.h"
#include "export/progress.h"
#include "export/text.h"

struct hist_args {
	double seconds, interval, budget;
	int pid, count;
	const char *ns, *cgroup, *disk, *per;
	bool heat;
	struct output_args output;
};

static const struct hist_args defaults = { .budget = 10 };

#define INTERVAL_LEAST  0.1
#define SECONDS_DEFAULT 10
#define HEAT_INTERVAL   1

/* clang-format off */
static const struct opt opts[] = {
	PID_OPTS(struct hist_args, pid, ns, "this process only; 0 for all"),
	{ 'C', "cgroup", OPT_STRING, offsetof(struct hist_args, cgroup), "CGROUP",
	  "processes in this control group or below it: /PATH, memory:/PATH, cpu:/PATH, or the first digits of a container's id",
	  0, 0, NULL },
	{ 0, "disk", OPT_STRING, offsetof(struct hist_args, disk), "DISK",
	  "requests to this disk only (biolat, bitesize)", 0, 0, NULL },
	{ 0, "per", OPT_STRING, offsetof(struct hist_args, per), "KEY",
	  "one distribution per: all, cpu, process, cause, disk, operation, call, vector, line, function; `sixty list hists` says which can be had",
	  0, 0, NULL },
	PAGES_OPTS(struct hist_args, interval, count),
	{ 'd', "duration", OPT_DOUBLE, offsetof(struct hist_args, seconds), "SECONDS",
	  "watch this long; 0 for ten seconds, or with -i until Ctrl-C", 0, 1000000, NULL },
	{ 0, "heat", OPT_FLAG, offsetof(struct hist_args, heat), NULL,
	  "draw time against value, one column per interval (of a second without -i)", 0, 0, NULL },
	{ 0, "budget", OPT_DOUBLE, offsetof(struct hist_args, budget), "PCT",
	  "end when one eBPF program costs more than this share of one CPU over ten seconds, or all of them twice that; 0 for no limit", 0, 100, NULL },
	OUTPUT_OPTS(struct hist_args, output),
	{ .name = NULL }
};
/* clang-format on */

struct printer {
	struct pages pages;
	struct heat *heat;
	unsigned lines; /* of the heat map that is on the terminal */
};

/* ---- writing ---- */

/* On a terminal the map grows in its place; elsewhere it is drawn once, at the end. */
static int print_heat(struct printer *p, const struct report *r)
{
	bool live = !p->pages.out.args->file && isatty(STDOUT_FILENO);
	struct buf b = { 0 };

	heat_add(p->heat, r);
	if (r->more && !live)
		return 0;
	if (p->lines)
		progress_clear(&b, p->lines + 1); /* the cursor is below them */
	p->lines = heat_draw(&b, p->heat, &p->pages.out.style);
	if (!r->more)
		text_ledger(&b, r, &p->pages.out.style);
	return pages_write(&p->pages, &b, r->more);
}

static int print_interval(void *ctx, const struct report *r)
{
	struct printer *p = ctx;

	return p->heat ? print_heat(p, r) : pages_print(&p->pages, r);
}

/* ---- command ---- */

static void known_keys(const struct hist_kind *k, char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "all");

	for (unsigned i = 1; i < HIST_KEYS && n < size; i++)
		if (k->keys & 1u << i)
			n += (size_t)snprintf(out + n, size - n, ", %s",
					      hist_key_name((enum wire_hist_key)i));
}

static int parse_key(const char *per, enum wire_hist_kind kind, enum wire_hist_key *key)
{
	const struct hist_kind *k = &hist_kinds[kind];
	char known[160];

	*key = k->key;
	if (!per)
		return 0;
	*key = hist_key_by_name(per);
	if (*key == HIST_BY_NOTHING || (*key < HIST_KEYS && (k->keys & 1u << *key)))
		return 0;
	known_keys(k, known, sizeof(known));
	return output_usage("hist", "%s is not told apart by '%s'; --per takes %s", k->name, per,
			    known);
}

static bool is_of_disks(enum wire_hist_kind k)
{
	return k == HIST_BIOLAT || k == HIST_BITESIZE;
}

static int check_filters(const struct hist_args *a, enum wire_hist_kind k)
{
	const char *name = hist_kinds[k].name;

	if ((a->pid || a->cgroup) && !hist_kinds[k].process)
		return output_usage("hist", "%s is nobody's: -p and -C do not go with it", name);
	if (a->disk && !is_of_disks(k))
		return output_usage("hist", "--disk goes with biolat and bitesize, not with %s",
				    name);
	return 0;
}

static int check_format(const struct hist_args *a, const struct output *out)
{
	if (a->heat && strcmp(out->exporter->name, "text") != 0)
		return output_usage("hist", "--heat is text: it does not go with --format %s",
				    out->exporter->name);
	return pages_check("hist", out, a->interval, INTERVAL_LEAST, a->count && !a->heat);
}

static int parse_kind(int argc, char **argv, enum wire_hist_kind *kind)
{
	if (argc != 1)
		return output_usage("hist",
				    "%s, as in `sixty hist runqlat`; `sixty list hists` has them",
				    argc ? "takes one distribution" : "needs a distribution");
	*kind = hist_kind_by_name(argv[0]);
	return *kind < HIST_KINDS
		       ? 0
		       : output_usage("hist",
				      "there is no distribution '%s'; `sixty list hists` has them",
				      argv[0]);
}

static int watch(struct pages *p, const struct histing_args *ha)
{
	struct histing *h = NULL;
	int err = histing_open(&h, ha, &p->e), status;
	char text[200];

	if (err)
		return output_error(&p->e);
	if (hist_kinds[ha->kind].price) {
		snprintf(text, sizeof(text), "%s %s", hist_kinds[ha->kind].name,
			 hist_kinds[ha->kind].price);
		output_note("", text);
	}
	err = histing_run(h, &p->e);
	status = pages_status(p, err);
	if (!err && histing_process_ended(h)) {
		snprintf(text, sizeof(text), "process %d has ended: this is what was seen of it",
			 ha->run.pid);
		output_note("", text);
	}
	pages_excess(histing_excess(h));
	histing_close(h);
	return status;
}

static int hist_run(const void *args, int argc, char **argv)
{
	const struct hist_args *a = args;
	struct printer p = { 0 };
	struct histing_args ha = { .cgroup = a->cgroup,
				   .disk = a->disk,
				   .run = { .interval = a->interval,
					    .seconds = a->seconds,
					    .count = (uint64_t)a->count,
					    .budget = a->budget / 100,
					    .on_interval = print_interval,
					    .ctx = &p } };
	struct err e = { 0 };
	int status = parse_kind(argc, argv, &ha.kind);

	if (status)
		return status;
	if (output_open(&p.pages.out, &a->output, &e))
		return output_refused(&e);
	status = parse_key(a->per, ha.kind, &ha.key);
	if (!status)
		status = check_filters(a, ha.kind);
	if (!status)
		status = check_format(a, &p.pages.out);
	if (!status)
		status = target_pid("hist", a->pid, a->ns, &ha.run.pid);
	if (status)
		return status;
	if (a->heat && !(ha.run.interval > 0))
		ha.run.interval = HEAT_INTERVAL;
	if (!(ha.run.seconds > 0) && !(a->interval > 0) && !a->count)
		ha.run.seconds = SECONDS_DEFAULT;
	if (a->heat)
		p.heat = heat_new();
	status = watch(&p.pages, &ha);
	heat_free(p.heat);
	pages_done(&p.pages);
	return status;
}

static const char *kind_word(size_t i, const char **what)
{
	size_t seen = 0;

	*what = NULL;
	for (size_t k = 0; k < HIST_KINDS; k++)
		if (hist_kinds[k].name && seen++ == i) {
			*what = hist_kinds[k].what;
			return hist_kinds[k].name;
		}
	return NULL;
}

const struct command command_hist = {
	.name = "hist",
	.summary = "show a distribution: waits for a CPU, disk requests, syscalls, interrupts",
	.usage =
		"sixty hist NAME [-p PID [--ns WHERE]] [-C CGROUP] [--disk DISK] [--per KEY] [-d SECONDS] [-i SECONDS [-n COUNT]] [--heat] [--budget PCT] [--json]",
	.description =
		"NAME is one of the words below; `sixty list hists` says what each can be told apart by, what it needs and cannot "
		"see. Values are counted in the kernel, in slots of an eighth of a power of two: percentiles are off by 6.25 % at "
		"most. What has not ended when the window closes is told apart where it is known. p99 is printed from 1000 values "
		"on, p99.9 from 10000. It ends with what the look has cost and what it has missed.",
	.examples =
		"sudo sixty hist runqlat -d 5\twaits for a CPU\n"
		"sudo sixty hist biolat --per operation --disk vda\treads and writes apart\n"
		"sudo sixty hist syscall -p 4242\twhat it asks the kernel for, and what fails\n"
		"sudo sixty hist biolat --heat -i 0.5 -d 30\tdisk latency over time\n"
		"sudo sixty hist runqlat -i 1 -n 60 --json\tone object per second, for scripts\n",
	.opts = opts,
	.defaults = &defaults,
	.args_size = sizeof(struct hist_args),
	.word = kind_word,
	.run = hist_run,
};
