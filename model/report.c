/* SPDX-License-Identifier: Apache-2.0 */
/* A report is filled by the engine and the checklist, and read by exporters and screens. */
#include "model/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

void report_init(struct report *r, const char *schema, const struct host *h)
{
	memset(r, 0, sizeof(*r));
	r->schema = schema;
	r->parts = REPORT_TRIAGE;
	r->host = h;
	r->explained = NAN;
	findings_init(&r->findings);
	buf_char(&r->strings, '\0');
}

void report_done(struct report *r)
{
	findings_done(&r->findings);
	mem_free(r->use);
	for (size_t i = 0; i < r->nsheets; i++) {
		mem_free(r->sheets[i].cells);
		mem_free(r->sheets[i].matters);
	}
	mem_free(r->sheets);
	buf_done(&r->strings);
	memset(r, 0, sizeof(*r));
}

struct use_row *report_use(struct report *r, enum resource res, const char *instance)
{
	struct use_row *u;

	r->use = mem_grow(r->use, &r->use_cap, r->nuse + 1, sizeof(*r->use));
	u = &r->use[r->nuse++];
	*u = (struct use_row){
		.resource = res,
		.utilization = NAN,
		.saturation = NAN,
		.errors = NAN,
		.worst_second = NAN,
		.saturation_unit = "",
	};
	snprintf(u->instance, sizeof(u->instance), "%s", instance);
	return u;
}

struct sheet *report_sheet(struct report *r, const char *step, const char *title,
			   const struct sheet_column *columns, unsigned ncolumns)
{
	struct sheet *s;

	r->sheets = mem_grow(r->sheets, &r->sheets_cap, r->nsheets + 1, sizeof(*r->sheets));
	s = &r->sheets[r->nsheets++];
	*s = (struct sheet){
		.step = step, .title = title, .columns = columns, .ncolumns = ncolumns
	};
	return s;
}

size_t sheet_row(struct sheet *s, bool matters)
{
	size_t row = s->nrows;

	if (row == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 16;
		s->cells = mem_resize(s->cells, s->cap, s->ncolumns * sizeof(*s->cells));
		s->matters = mem_resize(s->matters, s->cap, sizeof(*s->matters));
	}
	for (unsigned c = 0; c < s->ncolumns; c++)
		s->cells[row * s->ncolumns + c] = (struct sheet_cell){ .number = NAN };
	s->matters[row] = matters;
	s->nrows++;
	return row;
}

void sheet_number(struct sheet *s, size_t row, unsigned col, double v)
{
	if (row < s->nrows && col < s->ncolumns)
		s->cells[row * s->ncolumns + col] = (struct sheet_cell){ .number = v };
}

void sheet_text(struct report *r, struct sheet *s, size_t row, unsigned col, const char *text)
{
	if (row >= s->nrows || col >= s->ncolumns || !text)
		return;
	s->cells[row * s->ncolumns + col] =
		(struct sheet_cell){ .number = NAN, .text = (uint32_t)r->strings.len };
	buf_add(&r->strings, text, strlen(text) + 1);
}

const char *verdict_name(enum verdict v)
{
	static const char *const names[] = { "healthy", "actionable", "inconclusive" };

	return names[v];
}
