/* SPDX-License-Identifier: Apache-2.0 */
/* sixty doctor --prove: what it is about to do, and then a line for each thing that an eBPF program was asked for. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cmd/doctor.h"
#include "cmd/output.h"
#include "collectors/host.h"
#include "engine/prove.h"
#include "export/fields.h"
#include "export/style.h"

#define INDENT 9

/* Before anything is done, and where it is read also when the result goes to a file. */
static void announce(void)
{
	fprintf(stderr, "sixty doctor --prove, for about three seconds:\n");
	for (size_t i = 0; prove_plan[i]; i++)
		fprintf(stderr, "  * %s\n", prove_plan[i]);
	fflush(stderr);
}

/* ---- text ---- */

static void line(struct buf *out, const struct style *s, const struct proof *p, bool first)
{
	static const enum ink ink_of[] = { INK_GOOD, INK_ALARM, INK_WARN };
	struct para para;
	char text[320];

	buf_str(out, "  ");
	style_ink(out, s, ink_of[p->verdict]);
	style_cell(out, s, proof_word(p->verdict), -(INDENT - 3));
	style_ink(out, s, INK_PLAIN);
	buf_char(out, ' ');
	style_name(out, s, first ? p->program : "", -24);
	para_begin(&para, out, s, INDENT + 25, INDENT + 3);
	para.fresh = false;
	if (p->verdict == PROOF_CANNOT)
		snprintf(text, sizeof(text), "cannot be proved here: %s", p->why);
	else
		snprintf(text, sizeof(text), "%s: measured %s, known %s", p->did, p->measured,
			 p->bound);
	para_words(&para, INK_PLAIN, text);
	para_end(&para);
}

static void proofs_text(struct buf *out, const struct style *s, const struct proofs *p,
			const struct host *h)
{
	struct para para;
	char text[200];

	snprintf(text, sizeof(text),
		 "What the eBPF programs measure, against what is known (Linux %s %s, %.1f s)",
		 h->kernel, h->arch, p->seconds);
	para_begin(&para, out, s, 0, 2);
	para_words(&para, INK_TITLE, text);
	para_end(&para);
	for (size_t i = 0; i < p->n; i++)
		line(out, s, &p->list[i],
		     !i || strcmp(p->list[i].program, p->list[i - 1].program) != 0);
	buf_printf(out, "  %zu passed, %zu wrong, %zu cannot be proved here\n",
		   p->count[PROOF_PASS], p->count[PROOF_WRONG], p->count[PROOF_CANNOT]);
}

/* ---- JSON ---- */

static void proofs_json(struct buf *out, const struct proofs *p, const struct host *h)
{
	struct json j;

	json_begin(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "sixty.prove/1");
	doctor_put_host(&j, h);
	json_number(&j, "seconds", p->seconds);
	json_array(&j, "proofs");
	for (size_t i = 0; i < p->n; i++) {
		json_object(&j, NULL);
		json_string(&j, "program", p->list[i].program);
		json_string(&j, "verdict", proof_word(p->list[i].verdict));
		json_known(&j, "did", p->list[i].did);
		json_known(&j, "measured", p->list[i].measured);
		json_known(&j, "known", p->list[i].bound);
		json_known(&j, "why", p->list[i].why);
		json_end_object(&j);
	}
	json_end_array(&j);
	for (unsigned v = 0; v < PROOF_VERDICTS; v++)
		json_u64(&j, proof_word((enum proof_verdict)v), p->count[v]);
	json_end_object(&j);
	buf_char(out, '\n');
}

int doctor_prove(const struct output *o)
{
	struct proofs p = { 0 };
	struct buf b = { 0 };
	struct err e = { 0 };
	struct host host = { 0 };
	struct root root;
	int err, status;

	if (root_open(&root, "/", &e))
		return output_error(&e);
	host_read(&host, &root);
	root_close(&root);
	announce();
	err = prove(&p, &e);
	if (err) {
		proofs_done(&p);
		return output_error(&e);
	}
	if (o->args->json)
		proofs_json(&b, &p, &host);
	else
		proofs_text(&b, &o->style, &p, &host);
	status = output_done(o, &b);
	if (!status && (p.count[PROOF_WRONG] || !p.count[PROOF_PASS]))
		status = 1;
	proofs_done(&p);
	return status;
}
