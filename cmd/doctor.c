/* SPDX-License-Identifier: Apache-2.0 */
/* sixty doctor: what works on this machine, what does not, why, and how to get it. */
#include "cmd/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "collectors/bpf_engine.h"
#include "collectors/collector.h"
#include "engine/session.h"
#include "export/fields.h"
#include "export/style.h"

#define LOOK_SECONDS 0.2 /* long enough for every collector to read twice */

struct doctor_args {
	struct output_args output;
	bool prove;
};

static const struct doctor_args defaults = { .output = { .json = false } };

/* clang-format off */
static const struct opt opts[] = {
	{ 0, "prove", OPT_FLAG, offsetof(struct doctor_args, prove), NULL,
	  "let every eBPF program measure known work for three seconds, and compare; says before what it makes and does", 0, 0, NULL },
	PRINT_OPTS(struct doctor_args, output),
	{ .name = NULL }
};
/* clang-format on */

/* Everything that is printed, gathered first. */
struct chart {
	const struct host *host;
	struct diagnosis checks[32];
	size_t nchecks;
	const struct status *sources;
	size_t nsources;
	const struct bpf_engine *bpf;
};

static const char *const health_words[] = { "ok", "limited", "missing" };

/* ---- text ---- */

static void mark(struct buf *out, const struct style *s, enum health h)
{
	static const enum ink ink_of[] = { INK_PLAIN, INK_WARN, INK_ALARM };

	buf_str(out, "  ");
	style_ink(out, s, ink_of[h]);
	style_cell(out, s, health_words[h], -7);
	if (ink_of[h])
		style_ink(out, s, INK_PLAIN);
	buf_char(out, ' ');
}

static void hanging(struct buf *out, const struct style *s, const char *lead, const char *text)
{
	struct para p;

	if (!*text)
		return;
	buf_fill(out, ' ', 10);
	para_begin(&p, out, s, 10, 12);
	para_piece(&p, INK_STRONG, lead);
	para_words(&p, INK_PLAIN, text);
	para_end(&p);
}

static void check_text(struct buf *out, const struct style *s, const struct doctor_check *c,
		       const struct diagnosis *d)
{
	struct para p;

	mark(out, s, d->health);
	style_name(out, s, c->title, -20);
	para_begin(&p, out, s, 30, 12);
	p.fresh = false;
	para_words(&p, INK_PLAIN, d->found);
	para_end(&p);
	hanging(out, s, "lost:", d->lost);
	hanging(out, s, "to get it:", d->remedy);
}

static void checks_text(struct buf *out, const struct style *s, const struct chart *c, bool used)
{
	for (size_t i = 0; i < c->nchecks; i++)
		if (doctor_checks[i].used == used)
			check_text(out, s, &doctor_checks[i], &c->checks[i]);
}

/* Every source that did not answer, and those that say which way they went. */
static void sources_text(struct buf *out, const struct style *s, const struct chart *c)
{
	unsigned fine = 0;
	struct para p;

	for (size_t i = 0; i < c->nsources; i++) {
		const struct status *st = &c->sources[i];

		fine += !st->code;
		if (!st->code && !*st->why)
			continue;
		mark(out, s, st->code ? HEALTH_MISSING : HEALTH_OK);
		para_begin(&p, out, s, 10, 12);
		para_piece(&p, INK_PLAIN, st->name);
		para_words(&p, INK_PLAIN, ": ");
		para_words(&p, INK_PLAIN, st->why);
		para_end(&p);
	}
	buf_printf(out, "  %u of %zu sources answer\n", fine, c->nsources);
}

/* Every program: how it is attached, or why it is not and what is lost. */
static void programs_text(struct buf *out, const struct style *s, const struct chart *c)
{
	for (size_t i = 0; bpf_probes[i].program; i++) {
		const struct bpf_fate *f = bpf_engine_fate(c->bpf, i);
		char text[256];
		struct para p;

		if (f->spare)
			continue;
		mark(out, s, f->attached ? HEALTH_OK : HEALTH_MISSING);
		style_name(out, s, bpf_probes[i].program, -20);
		para_begin(&p, out, s, 30, 12);
		p.fresh = false;
		snprintf(text, sizeof(text), "%s: %s", f->attached ? f->how : "not attached",
			 f->attached ? bpf_probes[i].what : f->why);
		para_words(&p, INK_PLAIN, text);
		para_end(&p);
		if (!f->attached)
			hanging(out, s, "lost:", bpf_probes[i].without);
	}
}

static void chart_text(struct buf *out, const struct style *s, const struct chart *c)
{
	char text[320], memory[32];
	struct para p;

	snprintf(text, sizeof(text), "Linux %s %s, %u CPUs, %s", c->host->kernel, c->host->arch,
		 c->host->cpus,
		 unit_format(memory, sizeof(memory), UNIT_BYTES, 0, (double)c->host->memory_bytes));
	para_begin(&p, out, s, 0, 2);
	para_piece(&p, INK_STRONG, c->host->hostname);
	para_words(&p, INK_PLAIN, text);
	if (*c->host->virtualization)
		para_words(&p, INK_PLAIN,
			   strcmp(c->host->virtualization, "none") ? c->host->virtualization
								   : "bare metal");
	if (c->host->container)
		para_words(&p, INK_PLAIN, "in a container");
	para_end(&p);
	buf_char(out, '\n');
	style_put(out, s, INK_TITLE, "What triage uses");
	buf_char(out, '\n');
	checks_text(out, s, c, true);
	buf_char(out, '\n');
	style_put(out, s, INK_TITLE, "Sources");
	buf_char(out, '\n');
	sources_text(out, s, c);
	buf_char(out, '\n');
	if (c->bpf) {
		style_put(out, s, INK_TITLE, "eBPF programs");
		buf_char(out, '\n');
		programs_text(out, s, c);
		buf_char(out, '\n');
	}
	style_put(out, s, INK_TITLE, "Not used by this release");
	buf_char(out, '\n');
	checks_text(out, s, c, false);
}

/* ---- JSON ---- */

void doctor_put_host(struct json *j, const struct host *h)
{
	json_object(j, "host");
	json_known(j, "hostname", h->hostname);
	json_known(j, "kernel", h->kernel);
	json_known(j, "arch", h->arch);
	json_u64(j, "cpus", h->cpus);
	json_u64(j, "memory_bytes", h->memory_bytes);
	json_known(j, "virtualization", h->virtualization);
	json_bool(j, "container", h->container);
	json_end_object(j);
}

static void chart_json(struct buf *out, const struct chart *c)
{
	struct json j;

	json_begin(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "sixty.doctor/1");
	doctor_put_host(&j, c->host);
	json_array(&j, "checks");
	for (size_t i = 0; i < c->nchecks; i++) {
		json_object(&j, NULL);
		json_string(&j, "id", doctor_checks[i].id);
		json_string(&j, "title", doctor_checks[i].title);
		json_bool(&j, "used", doctor_checks[i].used);
		json_string(&j, "status", health_words[c->checks[i].health]);
		json_known(&j, "found", c->checks[i].found);
		json_known(&j, "lost", c->checks[i].lost);
		json_known(&j, "remedy", c->checks[i].remedy);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_array(&j, "programs");
	for (size_t i = 0; c->bpf && bpf_probes[i].program; i++) {
		const struct bpf_fate *f = bpf_engine_fate(c->bpf, i);

		if (f->spare)
			continue;
		json_object(&j, NULL);
		json_string(&j, "name", bpf_probes[i].program);
		json_string(&j, "status", health_words[f->attached ? HEALTH_OK : HEALTH_MISSING]);
		json_known(&j, "hook", f->how);
		json_known(&j, "why", f->why);
		json_string(&j, "what", bpf_probes[i].what);
		json_string(&j, "lost", f->attached ? NULL : bpf_probes[i].without);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_array(&j, "sources");
	for (size_t i = 0; i < c->nsources; i++) {
		json_object(&j, NULL);
		json_known(&j, "name", c->sources[i].name);
		json_string(&j, "status",
			    health_words[c->sources[i].code ? HEALTH_MISSING : HEALTH_OK]);
		json_known(&j, "why", c->sources[i].why);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_end_object(&j);
	buf_char(out, '\n');
}

/* ---- command ---- */

static int doctor_run(const void *args, int argc, char **argv)
{
	const struct doctor_args *a = args;
	struct session_args sa = { .seconds = LOOK_SECONDS,
				   .bpf = BPF_TIME | BPF_BYTES | BPF_IRQ | BPF_WAKE | BPF_SAMPLES |
					  BPF_TABLE | BPF_TRACES | BPF_NOTED | BPF_PROFILE |
					  BPF_CHILDREN | BPF_EVENT | BPF_WAITS | BPF_WAKERS |
					  BPF_RED | BPF_RED_QUEUE,
				   .bpf_all = true,
				   .hists = (1u << HIST_KINDS) - 1 };
	struct session *s = NULL;
	struct chart c = { 0 };
	struct buf b = { 0 };
	struct err e = { 0 };
	struct output o;
	struct root root;
	int err, status = 1;

	if (argc)
		return output_usage("doctor", "takes no operand, but got '%s'", argv[0]);
	if (output_open(&o, &a->output, &e))
		return output_refused(&e);
	if (a->prove)
		return doctor_prove(&o);
	if (root_open(&root, "/", &e))
		return output_error(&e);
	err = session_open(&s, &sa, &e);
	if (!err)
		err = session_watch(s, &e);
	if (err) {
		if (err != -EINTR && err != -ECANCELED)
			output_error(&e);
		goto out;
	}
	for (size_t i = 0; i < sizeof(c.checks) / sizeof(*c.checks) && doctor_checks[i].id; i++) {
		doctor_checks[i].probe(&root, &c.checks[i]);
		c.nchecks++;
	}
	c.host = session_host(s);
	c.sources = session_view(s)->status;
	c.nsources = session_view(s)->nstatus;
	c.bpf = session_bpf(s);
	if (a->output.json)
		chart_json(&b, &c);
	else
		chart_text(&b, &o.style, &c);
	status = output_done(&o, &b);
out:
	session_close(s);
	root_close(&root);
	return status;
}

const struct command command_doctor = {
	.name = "doctor",
	.summary = "say what works on this machine, what does not, why, and how to get it",
	.usage = "sixty doctor [--prove] [--json]",
	.description =
		"Tries every source and every right that sixty can use. What is missing costs something: it is said what, and "
		"how to get it. Nothing is changed.\n\n"
		"--prove goes further: it lets processes of its own do known work (sleep, compute, wait for locks, read, sync, connect) "
		"and compares what each program measures of it with what is known. For that it makes a file without a name, a loop device, "
		"control groups and a network namespace, all its own and gone when it ends. It says of each program: pass, wrong, or cannot "
		"be proved here, and why. The exit status is 1 when something is wrong, or nothing could be proved.",
	.examples = "sudo sixty doctor\twhat triage can see as root\n"
		    "sudo sixty doctor --prove\twhether what eBPF measures is true on this kernel\n"
		    "sixty doctor\tand what it can see as you\n",
	.opts = opts,
	.defaults = &defaults,
	.args_size = sizeof(struct doctor_args),
	.run = doctor_run,
};
