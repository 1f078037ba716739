/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/pages.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int pages_check(const char *command, const struct output *out, double interval, double least,
		bool count)
{
	if (interval > 0 && !strcmp(out->exporter->name, "openmetrics"))
		return output_usage(command,
				    "a page of openmetrics is one: it does not go with -i");
	if (interval > 0 && interval < least)
		return output_usage(command, "-i takes %g seconds or more", least);
	if (count && !(interval > 0))
		return output_usage(command, "-n counts intervals: it needs -i");
	return 0;
}

int pages_write(struct pages *p, struct buf *b, bool more)
{
	const char *file = p->out.args->file;
	int err = 0;

	if (file) {
		buf_add(&p->held, b->data, b->len);
		if (!more)
			err = output_text(file, &p->held, &p->e);
	} else {
		err = output_text(NULL, b, &p->e);
	}
	buf_done(b);
	return err;
}

int pages_print(void *pages, const struct report *r)
{
	struct pages *p = pages;
	struct buf b = { 0 };

	p->out.exporter->write(&b, r, &p->out.style);
	if (r->more && !strcmp(p->out.exporter->name, "text"))
		buf_char(&b, '\n');
	return pages_write(p, &b, r->more);
}

int pages_status(const struct pages *p, int err)
{
	if (!err || err == -EPIPE)
		return 0;
	if (err != -ECANCELED)
		output_error(&p->e);
	return 1;
}

void pages_excess(const struct budget_excess *x)
{
	char text[200];

	if (!x)
		return;
	snprintf(
		text, sizeof(text),
		"ended after %.1f s: %s cost %.1f %% of a CPU (--budget); this is what was seen until then",
		x->seconds, x->program, 100 * x->share);
	output_note("", text);
}

void pages_done(struct pages *p)
{
	buf_done(&p->held);
}
