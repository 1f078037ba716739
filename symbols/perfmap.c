/* SPDX-License-Identifier: Apache-2.0 */
/* The file that makers of code at run time write for profilers (tools/perf/Documentation/jit-interface.txt of the kernel). */
#include "symbols/perfmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define LINES_MAX 2000000u
#define BACK      64u /* older code that may reach over what begins behind it */

/* By start; of those with one start the last line comes last. */
static int by_start(const void *a, const void *b)
{
	const struct perfmap_entry *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->line > y->line) - (x->line < y->line);
}

void perfmap_parse(struct text in, struct perfmap *out)
{
	struct text line;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < LINES_MAX && text_line(&in, &line); i++) {
		struct perfmap_entry e = { .line = i };

		if (!text_hex(&line, &e.start) || !text_hex(&line, &e.size) || !e.size ||
		    e.start + e.size < e.start)
			continue;
		e.name = text_trim(line);
		if (!text_len(e.name))
			continue;
		out->list = mem_grow(out->list, &out->cap, out->n + 1, sizeof(*out->list));
		out->list[out->n++] = e;
	}
	perfmap_order(out);
}

void perfmap_order(struct perfmap *m)
{
	if (m->n)
		qsort(m->list, m->n, sizeof(*m->list), by_start);
}

struct text perfmap_find(const struct perfmap *m, uint64_t address)
{
	const struct perfmap_entry *best = NULL;
	size_t lo = 0, hi = m->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (m->list[mid].start <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (size_t i = lo; i && lo - i < BACK; i--) {
		const struct perfmap_entry *e = &m->list[i - 1];

		if (address - e->start < e->size && (!best || e->line > best->line))
			best = e;
	}
	return best ? best->name : text_n("", 0);
}
