/* SPDX-License-Identifier: Apache-2.0 */
/* Caches of kernel objects.
 *
 *   # name  <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables … : slabdata <active_slabs> <num_slabs> …
 *
 * The memory of a cache is slabs times pages per slab. Only root may read the file. Kernels before 5.9 have a cache per
 * control group and name: "dentry(812:svc)"; those are summed up under the name. */
#include "collectors/collector.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "collectors/table.h"

#define CACHES_MAX 1024

struct slab_state {
	struct collector_env env;
	struct buf text;
};

/* "name active all size per_slab pages : tunables a b c : slabdata active slabs shared" */
static bool parse_cache(struct text line, struct text *name, uint64_t *objects, uint64_t *size,
			uint64_t *pages)
{
	uint64_t all, per_slab, slab_pages, active, slabs;
	struct text word;
	const char *paren;

	if (!text_word(&line, name) || !text_u64(&line, objects) || !text_u64(&line, &all) ||
	    !text_u64(&line, size) || !text_u64(&line, &per_slab) || !text_u64(&line, &slab_pages))
		return false;
	do {
		if (!text_word(&line, &word))
			return false;
	} while (!text_eq(word, "slabdata"));
	if (!text_u64(&line, &active) || !text_u64(&line, &slabs))
		return false;
	paren = memchr(name->p, '(', text_len(*name));
	if (paren && paren > name->p)
		name->end = paren;
	return !__builtin_mul_overflow(slabs, slab_pages, pages);
}

static void read_caches(struct text in, struct snapshot *out)
{
	struct text line, name;
	uint64_t objects, size, pages;

	while (text_line(&in, &line)) {
		size_t row;

		if (text_starts(line, "#") || !parse_cache(line, &name, &objects, &size, &pages))
			continue;
		if (!pages || snapshot_rows(out, SCOPE_SLAB) >= CACHES_MAX)
			continue;
		row = snapshot_named_row(out, SCOPE_SLAB, name.p, text_len(name));
		snapshot_add(out, M_SLAB_BYTES, row, pages,
			     metric_source(M_SLAB_BYTES, F_SLABINFO));
		snapshot_add(out, M_SLAB_OBJECTS, row, objects,
			     metric_source(M_SLAB_OBJECTS, F_SLABINFO));
		snapshot_set(out, M_SLAB_OBJECT_SIZE, row, size,
			     metric_source(M_SLAB_OBJECT_SIZE, F_SLABINFO));
	}
}

static int slab_open(void *state, const struct collector_env *env, struct err *e)
{
	struct slab_state *s = state;

	(void)e;
	s->env = *env;
	return 0;
}

static int slab_read(void *state, struct snapshot *out, struct err *e)
{
	struct slab_state *s = state;
	int err = root_read(s->env.root, "proc/slabinfo", &s->text, ROOT_FILE_CAP);

	(void)e;
	collector_status(&s->env, "proc/slabinfo", err, "%s",
			 err == -EACCES ? "only root may read it"
			 : err          ? strerror(-err)
					: "");
	if (err)
		return 0;
	snapshot_begin(out, SCOPE_SLAB, clock_boot_ns());
	read_caches(text_n(s->text.data, s->text.len), out);
	return 0;
}

static void slab_close(void *state)
{
	struct slab_state *s = state;

	buf_done(&s->text);
}

static const char *const slab_files[] = { "proc/slabinfo", NULL };

const struct collector collector_slab = {
	.name = "slab",
	.what = "memory of each cache of kernel objects",
	.needs = "root",
	.pace = PACE_EDGE,
	.scopes = 1u << SCOPE_SLAB,
	.files = slab_files,
	.state_size = sizeof(struct slab_state),
	.open = slab_open,
	.read = slab_read,
	.close = slab_close,
};
