/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel did with CPU time: a line per kind of work, with the process that most of it was done for. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "export/style.h"
#include "export/text.h"
#include "model/stacks.h"

#define SHORT_ROWS  4
#define SHORT_LEAST 0.05 /* of one CPU */
#define ROWS_MAX    64
#define NAME_WIDTH  20
#define MARGIN      (2 + NAME_WIDTH + 8 + 2) /* left of whose it is */

/* The number of a process and its name, as far as it is known. */
static void whose(char *out, size_t size, const struct report *r, const struct mechanism_seen *m)
{
	const struct lost_row *l = m->pid > 0 ? view_lost_pid(r->view, m->pid) : NULL;
	char share[32], safe[64] = "";

	if (l)
		text_printable_into(safe, sizeof(safe), l->name, strlen(l->name));
	unit_format(share, sizeof(share), UNIT_RATIO, 0, m->pid_share);
	if (m->pid > 0)
		snprintf(out, size, "%s of it for %s[%" PRId64 "]", share, safe, m->pid);
	else
		out[0] = '\0';
}

void text_kernel(struct buf *out, const struct report *r, const struct style *s)
{
	struct mechanism_seen list[ROWS_MAX];
	size_t n = r->view && r->seconds > 0 ? mechanisms_seen(r->view, list, ROWS_MAX) : 0,
	       shown = 0;

	while (shown < n && (s->verbose || (shown < SHORT_ROWS &&
					    list[shown].seconds >= SHORT_LEAST * r->seconds)))
		shown++;
	if (!shown)
		return;
	text_title(out, s, "What the kernel did, CPU seconds per second by samples");
	for (size_t i = 0; i < shown; i++) {
		char number[32], text[160];
		size_t width;

		buf_str(out, "  ");
		style_cell(out, s, list[i].name, -NAME_WIDTH);
		snprintf(text, sizeof(text), "%8s",
			 style_number(number, sizeof(number), list[i].seconds / r->seconds));
		style_cell(out, s, text, 8);
		whose(text, sizeof(text), r, &list[i]);
		buf_str(out, "  ");
		width = text_width(text, strlen(text));
		if (width > style_columns(s) - MARGIN)
			width = style_columns(s) - MARGIN;
		style_cell(out, s, text, -(int)width);
		buf_char(out, '\n');
	}
	if (n > shown)
		buf_printf(out, "  (+%zu kind%s with --verbose)\n", n - shown,
			   n - shown == 1 ? "" : "s");
}
