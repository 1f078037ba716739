/* SPDX-License-Identifier: Apache-2.0 */
/* pprof's profile.proto. Protocol buffers are fields {number, type, bytes} in any order, so the tables are taken first and
 * samples in a second pass. */
#include "flamegraph/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/pprof.h"

/* ---- fields ---- */

struct field {
	unsigned number;
	uint64_t value;    /* of a number */
	struct text bytes; /* of anything else */
	bool is_bytes;
};

static bool varint(struct text *t, uint64_t *v)
{
	*v = 0;
	for (unsigned shift = 0; shift < 64 && t->p < t->end; shift += 7) {
		unsigned char c = (unsigned char)*t->p++;

		*v |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80))
			return true;
	}
	return false;
}

static bool skip_bytes(struct text *t, uint64_t n, struct text *out)
{
	if (n > text_len(*t))
		return false;
	*out = text_n(t->p, (size_t)n);
	t->p += n;
	return true;
}

enum wire_type { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

/* False at the end, and where it is broken: then t is not empty. */
static bool next_field(struct text *t, struct field *f)
{
	struct text was = *t;
	uint64_t key, n;
	bool good;

	*f = (struct field){ .bytes = text_of("") };
	if (!text_len(*t))
		return false;
	good = varint(t, &key) && key >> 3 && key >> 3 < 1u << 29;
	f->number = (unsigned)(key >> 3);
	switch (good ? key & 7 : 8) {
	case VARINT:
		good = varint(t, &f->value);
		break;
	case FIXED64:
		good = skip_bytes(t, 8, &f->bytes);
		break;
	case FIXED32:
		good = skip_bytes(t, 4, &f->bytes);
		break;
	case BYTES:
		good = varint(t, &n) && skip_bytes(t, n, &f->bytes);
		f->is_bytes = true;
		break;
	default:
		good = false;
	}
	if (!good)
		*t = was;
	return good;
}

/* Numbers of a repeated field, one by one: packed, or a field for each. */
static bool next_number(struct field *f, uint64_t *v)
{
	if (f->is_bytes)
		return text_len(f->bytes) && varint(&f->bytes, v);
	if (!f->number)
		return false;
	*v = f->value;
	f->number = 0;
	return true;
}

/* ---- tables ---- */

struct row {
	uint64_t id;
	struct text message;
};

struct table {
	struct row *row;
	size_t n, cap;
};

struct pprof {
	struct stackset *ss;
	struct text *string;
	size_t nstrings, strings_cap;
	struct table mappings, locations, functions;
	struct text values[STACKSET_VALUES];
	size_t nvalues, values_seen;
	uint64_t time_ns, duration_ns;
	size_t unknown; /* samples with a location that is not there */
	struct buf name;
};

#define ROWS_MOST (1u << 24)

static int grow(void **p, size_t n, size_t *cap, size_t size, struct err *e)
{
	size_t now = n < 64 ? 64 : n * 2;
	void *q;

	if (n < *cap)
		return 0;
	q = n < ROWS_MOST ? mem_try_resize(*p, now, size, SIZE_MAX) : NULL;
	if (!q)
		return err_set(e, -E2BIG, "too many rows in its tables");
	*p = q;
	*cap = now;
	return 0;
}

/* The first number with this field number, or 0. */
static uint64_t number_of(struct text message, unsigned number)
{
	struct field f;

	while (next_field(&message, &f))
		if (f.number == number && !f.is_bytes)
			return f.value;
	return 0;
}

static int add_row(struct table *t, struct text message, struct err *e)
{
	int err = grow((void **)&t->row, t->n, &t->cap, sizeof(*t->row), e);

	if (!err)
		t->row[t->n++] = (struct row){ .id = number_of(message, 1), .message = message };
	return err;
}

static int by_id(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static void sort(struct table *t)
{
	if (t->n)
		qsort(t->row, t->n, sizeof(*t->row), by_id);
}

static const struct row *find(const struct table *t, uint64_t id)
{
	struct row key = { .id = id };

	return t->n ? bsearch(&key, t->row, t->n, sizeof(key), by_id) : NULL;
}

static struct text string_of(const struct pprof *p, uint64_t i)
{
	return i < p->nstrings ? p->string[i] : text_of("");
}

static int take_table(struct pprof *p, const struct field *f, struct err *e)
{
	int err = 0;

	switch (f->number) {
	case PPROF_SAMPLE_TYPE:
		if (p->nvalues < STACKSET_VALUES)
			p->values[p->nvalues++] = f->bytes;
		p->values_seen++;
		break;
	case PPROF_MAPPING:
		err = add_row(&p->mappings, f->bytes, e);
		break;
	case PPROF_LOCATION:
		err = add_row(&p->locations, f->bytes, e);
		break;
	case PPROF_FUNCTION:
		err = add_row(&p->functions, f->bytes, e);
		break;
	case PPROF_STRING_TABLE:
		err = grow((void **)&p->string, p->nstrings, &p->strings_cap, sizeof(*p->string),
			   e);
		if (!err)
			p->string[p->nstrings++] = f->bytes;
		break;
	case PPROF_TIME_NANOS:
		p->time_ns = f->value;
		break;
	case PPROF_DURATION_NANOS:
		p->duration_ns = f->value;
		break;
	}
	return err;
}

static int take_tables(struct pprof *p, struct text in, struct err *e)
{
	struct field f;

	while (next_field(&in, &f)) {
		int err = take_table(p, &f, e);

		if (err)
			return err;
	}
	if (text_len(in))
		return err_set(e, -EINVAL, "it is damaged %zu bytes before its end", text_len(in));
	if (!p->nvalues)
		return err_set(e, -EINVAL, "it does not say what its samples are counted in");
	sort(&p->mappings);
	sort(&p->locations);
	sort(&p->functions);
	return 0;
}

static int take_values(struct pprof *p, struct err *e)
{
	for (size_t i = 0; i < p->nvalues; i++) {
		char name[64], unit[32];
		int err;

		text_copy(name, sizeof(name), string_of(p, number_of(p->values[i], 1)));
		text_copy(unit, sizeof(unit), string_of(p, number_of(p->values[i], 2)));
		err = stackset_value(p->ss, *name ? name : "samples", *unit ? unit : "count", e);
		if (err < 0)
			return err;
	}
	if (p->values_seen > p->nvalues)
		stackset_lose(p->ss, "kinds of values beyond four",
			      (double)(p->values_seen - p->nvalues));
	return 0;
}

/* ---- samples ---- */

/* One function of a location. */
static int push_line(struct pprof *p, struct text line, struct text module, bool inlined,
		     uint32_t *frames, size_t *n, struct err *e)
{
	const struct row *r = find(&p->functions, number_of(line, 1));
	struct text function = r ? r->message : text_of("");
	struct frame_text f = { .module = module };
	uint64_t number = number_of(line, 2);
	int err;

	f.name = string_of(p, number_of(function, 2));
	f.file = string_of(p, number_of(function, 4));
	f.line = number <= UINT32_MAX ? (uint32_t)number : 0;
	f.kind = frame_kind_cut(&f.name);
	if (f.kind == FRAME_USER && inlined)
		f.kind = FRAME_INLINED;
	if (f.kind == FRAME_USER && text_starts(module, "[kernel"))
		f.kind = FRAME_KERNEL;
	err = stackset_frame(p->ss, &f, &frames[*n], e);
	if (!err)
		++*n;
	return err;
}

/* Lines of a location: the innermost first, all but the last inlined into it. Without any, its address. */
static int push_location(struct pprof *p, uint64_t id, uint32_t *frames, size_t *n, struct err *e)
{
	const struct row *r = find(&p->locations, id), *m;
	struct text rest = r ? r->message : text_of(""), module, line = text_of("");
	struct field f;
	bool some = false;
	int err = 0;

	m = find(&p->mappings, number_of(rest, 2));
	module = m ? string_of(p, number_of(m->message, 5)) : text_of("");
	while (!err && next_field(&rest, &f)) {
		if (f.number != 4 || !f.is_bytes)
			continue;
		if (*n + 2 >= STACKSET_DEPTH)
			return err_set(e, -E2BIG, "a stack of more than %d frames", STACKSET_DEPTH);
		if (some)
			err = push_line(p, line, module, true, frames, n, e);
		line = f.bytes;
		some = true;
	}
	if (err || some)
		return err ? err : push_line(p, line, module, false, frames, n, e);
	const char *slash = text_last(module, '/');
	struct text base = slash ? (struct text){ slash + 1, module.end } : module;
	struct frame_text frame = { .module = module };

	if (!r)
		p->unknown++;
	buf_clear(&p->name);
	buf_printf(&p->name, "[%.*s%s0x%llx]", (int)(text_len(base) < 512 ? text_len(base) : 512),
		   base.p, text_len(base) ? "+" : "",
		   r ? (unsigned long long)number_of(r->message, 3) : (unsigned long long)id);
	frame.name = text_n(p->name.data, p->name.len);
	err = stackset_frame(p->ss, &frame, &frames[*n], e);
	if (!err)
		++*n;
	return err;
}

struct label {
	int32_t pid, tid;
	struct text thread, cause;
};

static void take_label(const struct pprof *p, struct text message, struct label *l)
{
	struct text key = string_of(p, number_of(message, 1));
	struct text str = string_of(p, number_of(message, 2));
	uint64_t num = number_of(message, 3);

	if (text_eq(key, "pid") && num <= INT32_MAX)
		l->pid = (int32_t)num;
	else if (text_eq(key, "tid") && num <= INT32_MAX)
		l->tid = (int32_t)num;
	else if (text_eq(key, "thread"))
		l->thread = str;
	else if (text_eq(key, "cause"))
		l->cause = str;
}

static int add_sample(struct pprof *p, struct text message, struct err *e)
{
	struct stack_sample s = { .time_ns = STACK_NO_TIME };
	struct label l = { .thread = text_of(""), .cause = text_of("") };
	double weights[STACKSET_VALUES] = { 0 };
	uint32_t frames[STACKSET_DEPTH];
	size_t n = 0, v = 0;
	struct field f;
	uint64_t x;
	int err = 0;

	while (!err && next_field(&message, &f)) {
		if (f.number == 1)
			while (!err && next_number(&f, &x))
				err = n + 2 < STACKSET_DEPTH
					      ? push_location(p, x, frames, &n, e)
					      : err_set(e, -E2BIG, "a stack of more than %d frames",
							STACKSET_DEPTH);
		else if (f.number == 2)
			while (!err && next_number(&f, &x)) {
				if (x > INT64_MAX)
					err = err_set(e, -EINVAL,
						      "a sample weighs less than nothing");
				else if (v < p->nvalues)
					weights[v++] = (double)x;
			}
		else if (f.number == 3)
			take_label(p, f.bytes, &l);
	}
	if (!err && text_len(message))
		err = err_set(e, -EINVAL, "a sample is damaged");
	while (!err && n > 0)
		err = stackset_push(p->ss, s.stack, frames[--n], &s.stack, e);
	if (!err && (l.pid || l.tid || text_len(l.thread)))
		err = stackset_thread(p->ss, l.pid, l.tid, l.thread, &s.thread, e);
	if (!err)
		err = stackset_string(p->ss, l.cause, &s.cause, e);
	return err ? err : stackset_add(p->ss, &s, weights, e);
}

static int add_samples(struct pprof *p, struct text in, struct err *e)
{
	size_t number = 0;
	struct field f;

	while (next_field(&in, &f)) {
		int err;

		if (f.number != PPROF_SAMPLE || !f.is_bytes)
			continue;
		number++;
		err = add_sample(p, f.bytes, e);
		if (err)
			return err_wrap(e, err, "sample %zu", number);
	}
	return 0;
}

int read_pprof(struct stackset *ss, struct text in, struct err *e)
{
	struct pprof p = { .ss = ss };
	int err = take_tables(&p, in, e);

	if (!err)
		err = take_values(&p, e);
	if (!err)
		err = add_samples(&p, in, e);
	if (!err) {
		ss->about.start_ns = p.time_ns;
		ss->about.seconds = p.duration_ns <= INT64_MAX ? (double)p.duration_ns / 1e9 : 0;
		stackset_lose(ss, "locations that are not in the file", (double)p.unknown);
	}
	mem_free(p.string);
	mem_free(p.mappings.row);
	mem_free(p.locations.row);
	mem_free(p.functions.row);
	buf_done(&p.name);
	return err;
}

/* The first field is a message of a profile, and the whole of it can be walked to its end. */
bool read_is_pprof(struct text in)
{
	struct field f;
	size_t n = 0;

	while (n < 64 && next_field(&in, &f)) {
		bool message = f.number <= PPROF_STRING_TABLE && f.number >= PPROF_SAMPLE_TYPE;

		if (f.number > PPROF_LAST || message != f.is_bytes)
			if (f.number != PPROF_PERIOD_TYPE && f.number != PPROF_COMMENT)
				return false;
		n++;
	}
	return n && (n == 64 || !text_len(in));
}
