/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says of its PMUs:
 *
 *   DEVICE/type              8
 *   DEVICE/events/tsc        event=0x00              an event is a list of terms
 *   DEVICE/events/tsc.scale, .unit                   of which one count is so many
 *   DEVICE/format/event      config:0-7,32-35        a term is bits of one of three words */
#include "collectors/perf_pmu.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define DEVICES  "sys/bus/event_source/devices"
#define FILE_MAX 4096
#define NESTED   2 /* an event is terms; a term of it is no event again */

struct pmu {
	const struct root *root;
	char name[32];
	struct perf_event *out;
	struct err *e;
};

/* clang-format off */
static const struct {
	const char *name;
	enum count_role role;
} roles[] = {
	{ "slots",                    COUNT_SLOTS },
	{ "topdown-retiring",         COUNT_RETIRING },
	{ "topdown-bad-spec",         COUNT_BAD_SPECULATION },
	{ "topdown-fe-bound",         COUNT_FRONTEND_BOUND },
	{ "topdown-be-bound",         COUNT_BACKEND_BOUND },
	{ "topdown-total-slots",      COUNT_TOTAL_SLOTS },
	{ "topdown-slots-issued",     COUNT_SLOTS_ISSUED },
	{ "topdown-slots-retired",    COUNT_SLOTS_RETIRED },
	{ "topdown-fetch-bubbles",    COUNT_FETCH_BUBBLES },
	{ "topdown-recovery-bubbles", COUNT_RECOVERY_BUBBLES },
};
/* clang-format on */

/* A name that may be part of a path. */
static bool is_name(struct text t)
{
	for (const char *p = t.p; p < t.end; p++)
		if (!isalnum((unsigned char)*p) && *p != '_' && *p != '-' && *p != '.')
			return false;
	return text_len(t) > 0 && text_len(t) < 64 && *t.p != '.';
}

static int read_file(const struct pmu *p, const char *folder, struct text file, const char *suffix,
		     struct buf *b)
{
	char path[256];

	snprintf(path, sizeof(path), DEVICES "/%s/%s%.*s%s", p->name, folder, (int)text_len(file),
		 file.p, suffix);
	return root_read(p->root, path, b, FILE_MAX);
}

/* ---- terms ---- */

static uint64_t *word_of(struct perf_event *out, struct text *format)
{
	struct text word;

	if (!text_until(format, ':', &word))
		return NULL;
	if (text_eq(word, "config"))
		return &out->config;
	if (text_eq(word, "config1"))
		return &out->config1;
	return text_eq(word, "config2") ? &out->config2 : NULL;
}

/* The bits of v go to the places of the format, the lowest first. False: it is none, or v does not fit. */
static bool put_bits(struct text format, struct perf_event *out, uint64_t v)
{
	uint64_t *word = word_of(out, &format);
	struct text range;

	while (word && text_until(&format, ',', &range)) {
		uint64_t from, to;

		if (!text_u64(&range, &from))
			return false;
		to = from;
		if (text_skip(&range, "-") && !text_u64(&range, &to))
			return false;
		if (from > to || to > 63)
			return false;
		for (uint64_t bit = from; bit <= to; bit++, v >>= 1)
			*word = (*word & ~(1ull << bit)) | (v & 1) << bit;
	}
	return word && !v;
}

static bool term_value(struct text t, uint64_t *v)
{
	if (text_starts(t, "0x"))
		return text_hex(&t, v) && !text_len(t);
	return text_is_u64(t, v);
}

static int put_terms(struct pmu *p, struct text terms, unsigned depth);

/* An event that the kernel describes. -ENOENT: there is none. */
static int put_event(struct pmu *p, struct text name, unsigned depth)
{
	struct buf b = { 0 };
	char number[64];
	int err = depth < NESTED ? read_file(p, "events/", name, "", &b) : -ENOENT;

	if (!err)
		err = put_terms(p, text_trim(text_n(b.data, b.len)), depth + 1);
	if (!err && !read_file(p, "events/", name, ".scale", &b)) {
		double scale = strtod(
			text_copy(number, sizeof(number), text_trim(text_n(b.data, b.len))), NULL);

		if (isfinite(scale) && scale > 0)
			p->out->scale = scale;
	}
	if (!err && !read_file(p, "events/", name, ".unit", &b))
		text_copy(p->out->unit, sizeof(p->out->unit), text_trim(text_n(b.data, b.len)));
	for (size_t i = 0; !err && i < sizeof(roles) / sizeof(*roles); i++)
		if (text_eq(name, roles[i].name))
			p->out->role = roles[i].role;
	buf_done(&b);
	return err;
}

static int put_term(struct pmu *p, struct text term, unsigned depth)
{
	struct text name, value = text_trim(term);
	struct buf b = { 0 };
	bool alone, put;
	uint64_t v = 1;
	int err;

	alone = !memchr(value.p, '=', text_len(value));
	text_until(&value, '=', &name);
	name = text_trim(name);
	if (!is_name(name) || (!alone && !term_value(text_trim(value), &v)))
		return err_set(p->e, -EINVAL, "event '%s': '%.*s' is no term: NAME or NAME=NUMBER",
			       p->out->name, (int)text_len(term), term.p);
	err = alone ? put_event(p, name, depth) : -ENOENT;
	if (err != -ENOENT)
		return err;
	if (text_starts(name, "config") && !alone)
		return put_bits(text_of(text_eq(name, "config")    ? "config:0-63"
					: text_eq(name, "config1") ? "config1:0-63"
								   : "config2:0-63"),
				p->out, v)
			       ? 0
			       : -EINVAL;
	err = read_file(p, "format/", name, "", &b);
	put = !err && put_bits(text_trim(text_n(b.data, b.len)), p->out, v);
	buf_done(&b);
	if (put)
		return 0;
	return err_set(
		p->e, -ENOENT,
		err ? "event '%s': PMU %s has neither an event nor a term '%.*s'; `ls /" DEVICES
		      "/%s/events` has them"
		    : "event '%s': PMU %s: the number of '%.*s' is too large; see /" DEVICES
		      "/%s/format",
		p->out->name, p->name, (int)text_len(name), name.p, p->name);
}

static int put_terms(struct pmu *p, struct text terms, unsigned depth)
{
	struct text term;
	int err = 0;

	while (!err && text_until(&terms, ',', &term))
		err = put_term(p, term, depth);
	return err;
}

int perf_pmu_find(const struct root *root, struct text name, struct perf_event *out, struct err *e)
{
	struct pmu p = { .root = root, .out = out, .e = e };
	struct text device, terms = name;
	struct buf b = { 0 };
	uint64_t type;
	int err;

	text_until(&terms, '/', &device);
	if (!text_len(terms) || terms.end[-1] != '/' || !is_name(device) ||
	    text_len(device) >= sizeof(p.name))
		return err_set(e, -EINVAL,
			       "event '%s': an event of a PMU is written PMU/EVENT/, as msr/tsc/",
			       out->name);
	terms.end--;
	text_copy(p.name, sizeof(p.name), device);
	err = read_file(&p, "type", text_of(""), "", &b);
	if (err || !text_is_u64(text_n(b.data, b.len), &type) || type > UINT32_MAX) {
		buf_done(&b);
		return err_set(e, -ENOENT,
			       "event '%s': there is no PMU '%s' here; `ls /" DEVICES "` has them",
			       out->name, p.name);
	}
	buf_done(&b);
	out->type = (uint32_t)type;
	memcpy(out->pmu, p.name, sizeof(out->pmu));
	return put_terms(&p, terms, 0);
}

bool perf_pmu_cpus(const struct root *root, const char *pmu, uint64_t *mask, size_t words)
{
	struct buf b = { 0 };
	char path[128];
	bool there;

	snprintf(path, sizeof(path), DEVICES "/%s/cpumask", pmu);
	there = *pmu && !root_read(root, path, &b, FILE_MAX) &&
		text_cpulist(text_trim(text_n(b.data, b.len)), mask, words);
	buf_done(&b);
	return there;
}
