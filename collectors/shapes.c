/* SPDX-License-Identifier: Apache-2.0 */
/* Walking the lines and words of files whose shape is generic. See shapes.h. */
#include "collectors/shapes.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- what is wanted of a file ---- */

static int by_key(const void *x, const void *y)
{
	const struct want *a = x, *b = y;

	if (a->key && b->key)
		return strcmp(a->key, b->key);
	return a->col - b->col;
}

void wants_find(struct wants *f, enum file_id file)
{
	size_t cap = 0;

	*f = (struct wants){ 0 };

	for (enum metric_id id = M_NONE + 1; id < M_MAX; id++) {
		const struct metric *m = metric_get(id);

		for (unsigned s = 0; s < m->nsources; s++) {
			const struct source *src = &m->sources[s];

			if (src->file != file)
				continue;
			f->list = mem_grow(f->list, &cap, f->n + 1, sizeof(*f->list));
			f->list[f->n++] = (struct want){
				.key = src->key,
				.key_len = src->key ? strlen(src->key) : 0,
				.col = src->col,
				.id = id,
				.source = s + 1,
				.scale = src->scale,
			};
		}
	}
	if (f->n)
		qsort(f->list, f->n, sizeof(*f->list), by_key);
}

/* Compare a key given as prefix.name (prefix may be empty) with a wanted key. */
static int compare_key(const struct want *w, struct text prefix, struct text name)
{
	const char *k = w->key;
	size_t n = text_len(prefix);

	if (n) {
		int c = strncmp(k, prefix.p, n);

		if (c)
			return c;
		if (k[n] != '.')
			return (unsigned char)k[n] - '.';
		k += n + 1;
	}
	n = text_len(name);
	if (strncmp(k, name.p, n))
		return strncmp(k, name.p, n);
	return (unsigned char)k[n];
}

/* First wanted entry with this key; several metrics may want the same one. */
static struct want *find_key(const struct wants *f, struct text prefix, struct text name)
{
	size_t lo = 0, hi = f->n;

	/* strncmp() ends at a NUL, and compare_key() would go on behind it. */
	if (memchr(prefix.p, '\0', text_len(prefix)) || memchr(name.p, '\0', text_len(name)))
		return NULL;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare_key(&f->list[mid], prefix, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < f->n && !compare_key(&f->list[lo], prefix, name) ? &f->list[lo] : NULL;
}

static unsigned decimals(enum scale s)
{
	return s == SCALE_CENTI ? 2 : s == SCALE_MILLI ? 3 : s == SCALE_MICRO ? 6 : 0;
}

static bool number(struct text t, enum scale scale, uint64_t *v)
{
	if (text_eq(t, "max") || text_eq(t, "unlimited")) {
		*v = VALUE_UNLIMITED;
		return true;
	}
	if (scale == SCALE_SIGNED)
		return text_s64(&t, (int64_t *)v);
	return decimals(scale) ? text_fixed(&t, decimals(scale), v) : text_u64(&t, v);
}

static void put(const struct wants *f, struct want *w, struct snapshot *out, size_t row,
		struct text value)
{
	const struct want *first = w;
	uint64_t v;

	for (; w < f->list + f->n && (w == first || !strcmp(w->key, first->key)); w++)
		if (number(value, w->scale, &v))
			snapshot_set(out, w->id, row, v, w->source);
}

/* ---- shapes ---- */

static const struct text nothing = { "", "" };

static void read_keyed(const struct wants *f, struct text in, struct snapshot *out, size_t row)
{
	struct text line, key, value;
	struct want *w;

	while (text_line(&in, &line)) {
		if (!text_word(&line, &key) || !text_word(&line, &value))
			continue;
		if (text_len(key) && key.end[-1] == ':')
			key.end--;
		w = find_key(f, nothing, key);
		if (w)
			put(f, w, out, row, value);
	}
}

static void read_pairs(const struct wants *f, struct text in, struct snapshot *out, size_t row)
{
	struct text names, values, label, again, name, value;
	struct want *w;

	while (text_line(&in, &names)) {
		struct text rest = in;

		if (!text_until(&names, ':', &label) || !text_line(&rest, &values) ||
		    !text_until(&values, ':', &again) || text_len(label) != text_len(again) ||
		    memcmp(label.p, again.p, text_len(label)))
			continue; /* not a pair: look at the next line */
		in = rest;
		while (text_word(&names, &name) && text_word(&values, &value)) {
			w = find_key(f, label, name);
			if (w)
				put(f, w, out, row, value);
		}
	}
}

static void read_nested(const struct wants *f, struct text in, struct snapshot *out, size_t row)
{
	struct text line, label, word, key;
	struct want *w;

	while (text_line(&in, &line)) {
		if (!text_word(&line, &label))
			continue;
		while (text_word(&line, &word)) {
			if (!text_until(&word, '=', &key))
				continue;
			w = find_key(f, label, key);
			if (w)
				put(f, w, out, row, word);
		}
	}
}

static void read_labelled(const struct wants *f, struct text in, struct snapshot *out, size_t row)
{
	struct text line, label, key, value;
	struct want *w;

	while (text_line(&in, &line)) {
		if (!text_until(&line, ':', &label))
			continue;
		while (text_word(&line, &key) && text_word(&line, &value)) {
			w = find_key(f, label, key);
			if (w)
				put(f, w, out, row, value);
		}
	}
}

/* Words may be divided by '/' as well: "1/234" in loadavg. */
static bool next_field(struct text *in, struct text *out)
{
	while (in->p < in->end && strchr(" \t\n/", *in->p))
		in->p++;
	out->p = in->p;
	while (in->p < in->end && !strchr(" \t\n/", *in->p))
		in->p++;
	out->end = in->p;
	return out->p < out->end;
}

static void read_fields(const struct wants *f, struct text in, struct snapshot *out, size_t row)
{
	struct text word;
	size_t w = 0;
	uint64_t v;

	for (int col = 1; w < f->n && next_field(&in, &word); col++)
		for (; w < f->n && f->list[w].col == col; w++)
			if (number(word, f->list[w].scale, &v))
				snapshot_set(out, f->list[w].id, row, v, f->list[w].source);
}

/* The first word that is not a number names the device. In net/dev it ends in a colon to which the first number may
 * be glued ("eth0:123"); the kernel allows no colon in an interface's name. */
static bool device_name(struct text line, struct text *name)
{
	struct text word;
	uint64_t v;

	while (text_word(&line, &word)) {
		const char *colon = memchr(word.p, ':', text_len(word));

		if (text_is_u64(word, &v))
			continue;
		*name = colon ? text_n(word.p, (size_t)(colon - word.p)) : word;
		return text_len(*name) > 0;
	}
	return false;
}

static bool next_column(struct text *line, struct text *word)
{
	const char *colon;

	if (!text_word(line, word))
		return false;
	colon = memchr(word->p, ':', text_len(*word));
	if (colon) {
		line->p = colon + 1;
		word->end = colon;
	}
	return true;
}

static void read_devices(const struct wants *f, struct text in, struct snapshot *out,
			 enum scope scope)
{
	struct text line, name, word;
	uint64_t v;

	while (text_line(&in, &line)) {
		size_t row, w = 0;

		if (memchr(line.p, '|', text_len(line)) || !device_name(line, &name))
			continue;
		row = snapshot_named_row(out, scope, name.p, text_len(name));
		for (int col = 1; w < f->n && next_column(&line, &word); col++)
			for (; w < f->n && f->list[w].col == col; w++)
				if (number(word, f->list[w].scale, &v))
					snapshot_set(out, f->list[w].id, row, v, f->list[w].source);
	}
}

void shape_read(enum file_shape shape, const struct wants *f, struct text in, struct snapshot *out,
		enum scope scope, size_t row)
{
	switch (shape) {
	case SHAPE_KEYED:
		read_keyed(f, in, out, row);
		break;
	case SHAPE_PAIRS:
		read_pairs(f, in, out, row);
		break;
	case SHAPE_NESTED:
		read_nested(f, in, out, row);
		break;
	case SHAPE_LABELLED:
		read_labelled(f, in, out, row);
		break;
	case SHAPE_FIELDS:
		read_fields(f, in, out, row);
		break;
	case SHAPE_DEVICES:
		read_devices(f, in, out, scope);
		break;
	case SHAPE_OWN:
		break;
	}
}

void wants_done(struct wants *f)
{
	mem_free(f->list);
	*f = (struct wants){ 0 };
}
