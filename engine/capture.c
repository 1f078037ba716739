/* SPDX-License-Identifier: Apache-2.0 */
/* Captures: what was read, as files, so that it can be read again elsewhere. This is the reading side.
 *
 * The copy is raw for regular files (the parser that runs in replay is the parser that runs live) and a TSV table for
 * everything that was never a file. Nothing in it names a user's secrets: argument vectors and environments are not read. */
#include "engine/capture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "model/tsv.h"

#define TABLE_CAP (256u << 20) /* bytes of a captured table */

struct meta_number {
	const char *key;
	size_t offset, size;
	uint64_t least, most;
};

#define NUMBER(field, lo, hi)                                                                   \
	{                                                                                       \
#field, offsetof(struct host, field), sizeof(((struct host *)0)->field), lo, hi \
	}
static const struct meta_number numbers[] = {
	NUMBER(cpus, 1, 65536),
	NUMBER(possible_cpus, 1, 65536),
	NUMBER(memory_bytes, 0, UINT64_MAX),
	NUMBER(page_size, 512, 1 << 21),
	NUMBER(ticks_per_second, 1, 100000),
	NUMBER(boot_wall_ns, 0, INT64_MAX),
	NUMBER(container, 0, 1),
	NUMBER(root, 0, 1),
};

static const struct {
	const char *key;
	size_t offset, size;
} names[] = {
	{ "hostname", offsetof(struct host, hostname), sizeof(((struct host *)0)->hostname) },
	{ "kernel", offsetof(struct host, kernel), sizeof(((struct host *)0)->kernel) },
	{ "arch", offsetof(struct host, arch), sizeof(((struct host *)0)->arch) },
	{ "virtualization", offsetof(struct host, virtualization),
	  sizeof(((struct host *)0)->virtualization) },
};

static void store(struct host *h, const struct meta_number *n, uint64_t v)
{
	char *at = (char *)h + n->offset;

	if (n->size == sizeof(bool))
		*(bool *)at = v != 0;
	else if (n->size == sizeof(unsigned))
		*(unsigned *)at = (unsigned)v;
	else
		memcpy(at, &v, sizeof(v));
}

static bool meta_step(struct capture *c, size_t *cap, struct text line)
{
	struct capture_step st = { 0 };
	uint64_t number;

	if (!text_u64(&line, &number) || number != c->nsteps || c->nsteps == CAPTURE_STEPS ||
	    !text_u64(&line, &st.boot_ns) || !text_s64(&line, &st.wall_ns))
		return false;
	if (c->nsteps && st.boot_ns <= c->steps[c->nsteps - 1].boot_ns)
		return false; /* time goes forward */
	c->steps = mem_grow(c->steps, cap, c->nsteps + 1, sizeof(*c->steps));
	c->steps[c->nsteps++] = st;
	return true;
}

static bool meta_line(struct capture *c, size_t *cap, struct text key, struct text value)
{
	uint64_t v;

	if (text_eq(key, "step"))
		return meta_step(c, cap, value);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (text_eq(key, names[i].key))
			text_copy((char *)&c->host + names[i].offset, names[i].size, value);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (!text_eq(key, numbers[i].key))
			continue;
		if (!text_is_u64(value, &v) || v < numbers[i].least || v > numbers[i].most)
			return false;
		store(&c->host, &numbers[i], v);
	}
	return true; /* keys of other versions are skipped */
}

static int check_format(struct text meta, const char *dir, struct err *e)
{
	struct text line, key;
	uint64_t v;

	if (!text_line(&meta, &line) || !text_word(&line, &key) || !text_eq(key, "format") ||
	    !text_is_u64(line, &v))
		return err_set(e, -EINVAL,
			       "%s/meta does not begin with a format line: not a capture of sixty",
			       dir);
	if (v > CAPTURE_FORMAT)
		return err_set(e, -EINVAL,
			       "%s has capture format %" PRIu64
			       ", this sixty reads up to %d: use a newer sixty",
			       dir, v, CAPTURE_FORMAT);
	return 0;
}

int capture_parse_meta(struct capture *c, struct text meta, const char *dir, struct err *e)
{
	struct text line, key;
	size_t cap = 0, number = 0;
	int err = check_format(meta, dir, e);

	if (err)
		return err;
	while (text_line(&meta, &line)) {
		number++;
		if (!text_word(&line, &key))
			continue;
		if (!meta_line(c, &cap, key, text_trim(line)))
			return err_set(
				e, -EINVAL,
				"%s/meta line %zu: the value of %.*s is broken or out of range",
				dir, number, (int)(text_len(key) < 40 ? text_len(key) : 40), key.p);
	}
	if (!c->host.cpus || !c->host.page_size || !c->host.ticks_per_second)
		return err_set(e, -EINVAL, "%s/meta lacks cpus, page_size or ticks_per_second",
			       dir);
	if (c->nsteps < 2)
		return err_set(e, -EINVAL,
			       "%s holds %zu reading(s): at least 2 are needed for a difference",
			       dir, c->nsteps);
	return 0;
}

int capture_open(struct capture *c, const char *dir, struct err *e)
{
	struct root root = { .fd = -1 };
	struct buf b = { 0 };
	int rc = -EINVAL, err;

	memset(c, 0, sizeof(*c));
	err = root_open(&root, dir, e);
	if (err) {
		rc = err;
		goto out;
	}
	err = root_read(&root, "meta", &b, 1 << 20);
	if (err) {
		rc = err_errno(e, err,
			       "cannot read %s/meta: is %s a directory made by `sixty capture`?",
			       dir, dir);
		goto out;
	}
	err = capture_parse_meta(c, text_n(b.data, b.len), dir, e);
	if (err) {
		rc = err;
		goto out;
	}
	rc = 0;
out:
	root_close(&root);
	buf_done(&b);
	if (rc)
		capture_close(c);
	return rc;
}

void capture_close(struct capture *c)
{
	mem_free(c->steps);
	memset(c, 0, sizeof(*c));
}

/* The line that says when the table was read. */
static bool read_at(struct text *in, uint64_t *ns)
{
	struct text line;

	if (!text_starts(*in, CAPTURE_READ_AT))
		return true;
	return text_line(in, &line) && text_skip(&line, CAPTURE_READ_AT) && text_is_u64(line, ns) &&
	       *ns;
}

static int read_table(struct snapshot *into, enum scope sc, struct text in, uint64_t step_ns,
		      struct err *e)
{
	uint64_t ns = step_ns;

	if (!read_at(&in, &ns))
		return err_set(e, -EINVAL, "line 1: this is not a time");
	if (!into->tables[sc]
		     .time_ns) /* else files were read into it, and their time is that of the step */
		snapshot_begin(into, sc, ns);
	return tsv_read(into, sc, in, e);
}

int capture_read_tables(const struct root *root, const char *folder, struct snapshot *into,
			uint64_t step_ns, struct err *e)
{
	struct buf b = { 0 };
	char path[64];
	int rc = 0;

	for (int sc = 0; sc < SCOPE_MAX && !rc; sc++) {
		snprintf(path, sizeof(path), "%s/%s.tsv", folder, scope_name(sc));
		rc = root_read(root, path, &b, TABLE_CAP);
		if (rc == -ENOENT) {
			rc = 0; /* nothing was recorded of it */
			continue;
		}
		if (rc) {
			err_errno(e, rc, "cannot read %s/%s", root->path, path);
			break;
		}
		rc = read_table(into, sc, text_n(b.data, b.len), step_ns, e);
		if (rc)
			err_wrap(e, rc, "%s/%s", root->path, path);
	}
	buf_done(&b);
	return rc;
}
