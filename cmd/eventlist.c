/* SPDX-License-Identifier: Apache-2.0 */
/* "cycles,cpu/event=0x3c,umask=1/,page-faults" is three events. */
#include "cmd/eventlist.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/output.h"

void eventlist_done(struct eventlist *l)
{
	mem_free(l->text);
	memset(l, 0, sizeof(*l));
}

static int add(const char *command, struct eventlist *out, const char *name)
{
	if (!*name)
		return output_usage(command, "-e takes names of events, separated by commas");
	if (out->n == EVENTS_MAX)
		return output_usage(command, "-e takes %d events at most", EVENTS_MAX);
	out->names[out->n++] = name;
	return 0;
}

int eventlist_parse(const char *command, const char *list, struct eventlist *out)
{
	bool inside = false;
	char *from;
	int status = 0;

	memset(out, 0, sizeof(*out));
	from = out->text = mem_dup(list);
	for (char *p = out->text; !status; p++) {
		char c = *p;

		inside = inside != (c == '/');
		if (c && (c != ',' || inside))
			continue;
		*p = '\0';
		status = add(command, out, from);
		from = p + 1;
		if (!c)
			break;
	}
	return status;
}
