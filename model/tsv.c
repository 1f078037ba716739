/* SPDX-License-Identifier: Apache-2.0 */
/* Tables to text and back, for captures. */
#include "model/tsv.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"

/* A table of a capture that somebody sent may say anything, also that there are a billion processes. */
#define ROWS_CAP (1u << 18)

static void put_text(struct buf *out, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '\\')
			buf_str(out, "\\\\");
		else if (c == '\t')
			buf_str(out, "\\t");
		else if (c == '\n')
			buf_str(out, "\\n");
		else if (c < 0x20 || c == 0x7f)
			buf_printf(out, "\\x%02x", c);
		else
			buf_char(out, (char)c);
	}
}

static void put_cell(struct buf *out, const struct snapshot *s, enum metric_id id, size_t row)
{
	const struct metric *m = metric_get(id);
	const struct table *t = &s->tables[m->scope];
	uint8_t source = t->sources[row * t->ncols + m->column];
	uint64_t raw;

	buf_char(out, '\t');
	if (!snapshot_raw(s, id, row, &raw)) {
		buf_char(out, '-');
		return;
	}
	if (m->unit == UNIT_TEXT) {
		buf_char(out, '=');
		put_text(out, snapshot_text(s, id, row));
		return;
	}
	if (raw == VALUE_UNLIMITED)
		buf_str(out, "max");
	else
		buf_printf(out, "%" PRIu64, raw);
	if (source != 1)
		buf_printf(out, "@%u", source);
}

void tsv_write(struct buf *out, const struct snapshot *s, enum scope scope)
{
	const struct table *t = &s->tables[scope];

	buf_str(out, "key\tbirth\tname");
	for (unsigned c = 0; c < t->ncols; c++)
		buf_printf(out, "\t%s", metric_get(scope_metric(scope, c))->name);
	buf_char(out, '\n');
	for (size_t r = 0; r < t->nrows; r++) {
		buf_printf(out, "%" PRIu64 "\t%" PRIu64 "\t=", t->ids[r].key, t->ids[r].birth);
		put_text(out, snapshot_name(s, scope, r));
		for (unsigned c = 0; c < t->ncols; c++)
			put_cell(out, s, scope_metric(scope, c), r);
		buf_char(out, '\n');
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undo put_text; false on a broken escape or a NUL. */
static bool get_text(struct buf *out, struct text in)
{
	buf_clear(out);
	for (; in.p < in.end; in.p++) {
		int hi, lo;

		if (*in.p != '\\') {
			buf_char(out, *in.p);
			continue;
		}
		if (++in.p == in.end)
			return false;
		switch (*in.p) {
		case '\\':
			buf_char(out, '\\');
			break;
		case 't':
			buf_char(out, '\t');
			break;
		case 'n':
			buf_char(out, '\n');
			break;
		case 'x':
			if (in.end - in.p < 3)
				return false;
			hi = hex_digit(in.p[1]);
			lo = hex_digit(in.p[2]);
			if (hi < 0 || lo < 0 || hi * 16 + lo == 0)
				return false;
			buf_char(out, (char)(hi * 16 + lo));
			in.p += 2;
			break;
		default:
			return false;
		}
	}
	return true;
}

static bool get_cell(struct snapshot *into, enum metric_id id, size_t row, struct text cell,
		     struct buf *scratch)
{
	const struct metric *m = metric_get(id);
	struct text digits;
	uint64_t v, source = 1;

	if (text_eq(cell, "-"))
		return true;
	if (m->unit == UNIT_TEXT) {
		if (!text_skip(&cell, "=") || !get_text(scratch, cell))
			return false;
		snapshot_set_text(into, id, row, scratch->data ? scratch->data : "", scratch->len,
				  1);
		return true;
	}
	if (text_has(cell, "@")) {
		if (!text_until(&cell, '@', &digits) || !text_is_u64(cell, &source))
			return false;
	} else {
		digits = cell;
	}
	if (text_eq(digits, "max"))
		v = VALUE_UNLIMITED;
	else if (!text_is_u64(digits, &v))
		return false;
	if (!source || source > m->nsources)
		return false;
	snapshot_set(into, id, row, v, (unsigned)source);
	return true;
}

struct columns {
	enum metric_id *ids;
	size_t n, cap;
};

static bool get_header(struct columns *cols, enum scope scope, struct text line)
{
	struct text word;
	char name[96];

	for (int i = 0; i < 3; i++)
		if (!text_until(&line, '\t', &word))
			return false;
	while (text_until(&line, '\t', &word)) {
		enum metric_id id = metric_by_name(text_copy(name, sizeof(name), word));

		if (metric_get(id)->scope != scope || metric_get(id)->kind == KIND_DERIVED)
			id = M_NONE; /* from another version: skipped */
		cols->ids = mem_grow(cols->ids, &cols->cap, cols->n + 1, sizeof(*cols->ids));
		cols->ids[cols->n++] = id;
		if (cols->n > 4096)
			return false;
	}
	return true;
}

static bool get_row(struct snapshot *into, enum scope scope, const struct columns *cols,
		    struct text line, struct buf *scratch)
{
	struct text word;
	struct row_id id;
	size_t row;

	if (!text_until(&line, '\t', &word) || !text_is_u64(word, &id.key) ||
	    !text_until(&line, '\t', &word) || !text_is_u64(word, &id.birth) ||
	    !text_until(&line, '\t', &word) || !text_skip(&word, "=") || !get_text(scratch, word))
		return false;
	row = snapshot_row(into, scope, id, scratch->data ? scratch->data : "", scratch->len);
	for (size_t c = 0; c < cols->n; c++) {
		if (!text_until(&line, '\t', &word))
			return false;
		if (cols->ids[c] != M_NONE && !get_cell(into, cols->ids[c], row, word, scratch))
			return false;
	}
	return true;
}

int tsv_read(struct snapshot *into, enum scope scope, struct text in, struct err *e)
{
	struct columns cols = { 0 };
	struct buf scratch = { 0 };
	struct text line;
	int rc = -EINVAL;
	size_t number = 1;

	if (!text_line(&in, &line) || !get_header(&cols, scope, line)) {
		rc = err_set(e, -EINVAL, "line 1: this is not the header of a %s table",
			     scope_name(scope));
		goto out;
	}
	while (text_line(&in, &line)) {
		if (number++ > ROWS_CAP) {
			rc = err_set(e, -EFBIG, "more than %u rows, which is more than this reads",
				     ROWS_CAP);
			goto out;
		}
		if (text_len(line) && !get_row(into, scope, &cols, line, &scratch)) {
			rc = err_set(e, -EINVAL, "line %zu: broken row of a %s table", number,
				     scope_name(scope));
			goto out;
		}
	}
	rc = 0;
out:
	mem_free(cols.ids);
	buf_done(&scratch);
	return rc;
}
