/* SPDX-License-Identifier: Apache-2.0 */
/* The writing side of captures: gather files and tables in memory, write them when the window is over.
 *
 *   DIR/meta          last of all: without it the directory is no capture
 *   DIR/NNNN/…        raw files
 *   DIR/NNNN/tables   one TSV per scope of what has no file and is read each second
 *   DIR/NNNN/ends     the same of what is read at the window's ends only */
#include "engine/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "collectors/collector.h"
#include "model/tsv.h"

#define HELD_MOST (64u << 20) /* bytes in memory; a step of a large machine has a few MB */

struct recorded {
	char *path;      /* below dir */
	struct buf data; /* empty once it is written */
	bool written;
};

int recording_open(struct recording *r, const char *dir, struct err *e)
{
	memset(r, 0, sizeof(*r));
	if (mkdir(dir, 0755) && (errno != EEXIST || rmdir(dir) || mkdir(dir, 0755))) {
		if (errno == ENOTEMPTY || errno == EEXIST)
			return err_set(
				e, -EEXIST,
				"cannot capture into %s: it is not empty; name a new directory",
				dir);
		return err_errno(e, -errno, "cannot create the directory %s", dir);
	}
	r->dir = dir;
	return 0;
}

/* ---- gathering ---- */

static struct buf *add_file(struct recording *r, const char *path)
{
	r->files = mem_grow(r->files, &r->files_cap, r->nfiles + 1, sizeof(*r->files));
	r->files[r->nfiles].path = mem_dup(path);
	return &r->files[r->nfiles++].data;
}

static void add_raw(struct recording *r, size_t step, const struct root *root, const char *file)
{
	struct buf text = { 0 }, *kept;
	char path[512];

	if (root_read(root, file, &text, ROOT_FILE_CAP)) {
		buf_done(&text);
		return; /* not there: absent in the replay as well */
	}
	snprintf(path, sizeof(path), "%04zu/%s", step, file);
	kept = add_file(r, path);
	*kept = text;
	r->held += text.cap;
}

/* Is it copied as a file? */
static bool is_raw(enum file_id id)
{
	if (files[id].shape != SHAPE_OWN)
		return true;
	for (size_t i = 0; collectors[i]; i++)
		for (const char *const *f = collectors[i]->files; f && *f; f++)
			if (!strcmp(*f, files[id].path))
				return true;
	return false;
}

/* The rows and cells of a table that no raw file brings back. */
static void without_raw(struct snapshot *out, const struct snapshot *in, enum scope sc,
			const bool *raw)
{
	const struct table *t = &in->tables[sc];

	if (t->time_ns)
		snapshot_begin(out, sc, t->time_ns);
	for (size_t row = 0; row < t->nrows; row++) {
		const char *name = snapshot_name(in, sc, row);
		size_t to = SIZE_MAX, filled = 0;

		for (unsigned c = 0; c < t->ncols; c++) {
			enum metric_id id = scope_metric(sc, c);
			const struct metric *m = metric_get(id);
			unsigned source = t->sources[row * t->ncols + c];

			filled += source > 0;
			if (!source || source > m->nsources || raw[m->sources[source - 1].file])
				continue;
			if (to == SIZE_MAX)
				to = snapshot_row(out, sc, t->ids[row], name, strlen(name));
			if (m->unit == UNIT_TEXT)
				snapshot_set_text(out, id, to, snapshot_text(in, id, row),
						  strlen(snapshot_text(in, id, row)), source);
			else
				snapshot_set(out, id, to, t->values[row * t->ncols + c], source);
		}
		if (!filled)
			snapshot_row(out, sc, t->ids[row], name, strlen(name));
	}
}

static void add_tables(struct recording *r, size_t step, const char *folder,
		       const struct snapshot *s)
{
	bool raw[F_MAX];

	for (enum file_id id = 0; id < F_MAX; id++)
		raw[id] = is_raw(id);
	for (int sc = 0; sc < SCOPE_MAX; sc++) {
		struct snapshot own;
		struct buf *b;
		char path[64];

		snapshot_init(&own, s->host);
		without_raw(&own, s, sc, raw);
		if (snapshot_rows(&own, sc)) {
			snprintf(path, sizeof(path), "%04zu/%s/%s.tsv", step, folder,
				 scope_name(sc));
			b = add_file(r, path);
			buf_printf(b, CAPTURE_READ_AT "%" PRIu64 "\n", own.tables[sc].time_ns);
			tsv_write(b, &own, sc);
			r->held += b->cap;
		}
		snapshot_done(&own);
	}
}

/* ---- writing ---- */

/* Create the directories of path; the last component is the file's. */
static void make_dirs(char *path, size_t from)
{
	for (char *p = path + from; *p; p++)
		if (*p == '/') {
			*p = '\0';
			mkdir(path, 0755); /* a failure shows when the file is opened */
			*p = '/';
		}
}

static int write_file(const struct recording *r, const char *name, const struct buf *b,
		      struct err *e)
{
	char path[1024];
	int fd, err;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", r->dir, name) >= sizeof(path))
		return err_set(e, -ENAMETOOLONG, "cannot write %s/%s: the path is too long", r->dir,
			       name);
	make_dirs(path, strlen(r->dir) + 1);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return err_errno(e, -errno, "cannot write %s", path);
	err = buf_write(b, fd);
	if (close(fd) && !err)
		err = -errno;
	return err ? err_errno(e, err, "cannot write %s", path) : 0;
}

static int write_held(struct recording *r, struct err *e)
{
	for (size_t i = 0; i < r->nfiles; i++) {
		struct recorded *f = &r->files[i];
		int err;

		if (f->written)
			continue;
		f->written = true; /* or a part of it is there */
		err = write_file(r, f->path, &f->data, e);
		buf_done(&f->data);
		if (err)
			return err;
	}
	r->held = 0;
	return 0;
}

int recording_step(struct recording *r, const struct root *root, const struct snapshot *often,
		   const struct snapshot *ends, uint64_t boot_ns, int64_t wall_ns, struct err *e)
{
	struct capture *c = &r->capture;
	size_t step = c->nsteps;

	c->steps = mem_grow(c->steps, &r->steps_cap, step + 1, sizeof(*c->steps));
	c->steps[c->nsteps++] = (struct capture_step){ .boot_ns = boot_ns, .wall_ns = wall_ns };
	for (enum file_id id = 1; id < F_MAX; id++)
		if (files[id].shape != SHAPE_OWN)
			add_raw(r, step, root, files[id].path);
	for (size_t i = 0; collectors[i]; i++)
		for (const char *const *f = collectors[i]->files; f && *f; f++)
			add_raw(r, step, root, *f);
	add_tables(r, step, "tables", often);
	if (ends)
		add_tables(r, step, "ends", ends);
	return r->held > HELD_MOST ? write_held(r, e) : 0;
}

int recording_finish(struct recording *r, const struct host *h, struct err *e)
{
	struct buf *b;
	int err;

	b = add_file(r, "meta");
	buf_printf(
		b,
		"format %d\nversion %s\nhostname %s\nkernel %s\narch %s\nvirtualization %s\ncontainer %d\nroot %d\n",
		CAPTURE_FORMAT, SIXTY_VERSION, h->hostname, h->kernel, h->arch, h->virtualization,
		h->container, h->root);
	buf_printf(b,
		   "cpus %u\npossible_cpus %u\nmemory_bytes %" PRIu64
		   "\nticks_per_second %u\npage_size %u\nboot_wall_ns %" PRId64 "\n",
		   h->cpus, h->possible_cpus, h->memory_bytes, h->ticks_per_second, h->page_size,
		   h->boot_wall_ns);
	for (size_t i = 0; i < r->capture.nsteps; i++)
		buf_printf(b, "step %04zu %" PRIu64 " %" PRId64 "\n", i,
			   r->capture.steps[i].boot_ns, r->capture.steps[i].wall_ns);
	err = write_held(r, e);
	r->finished = !err;
	return err;
}

/* ---- the end ---- */

/* Remove what was written, and the directories that are empty then. */
static void undo(const struct recording *r)
{
	char path[1024];

	for (size_t i = r->nfiles; i-- > 0;) {
		if (!r->files[i].written)
			continue;
		snprintf(path, sizeof(path), "%s/%s", r->dir, r->files[i].path);
		unlink(path);
		for (char *slash = strrchr(path, '/');
		     slash && (size_t)(slash - path) > strlen(r->dir); slash = strrchr(path, '/')) {
			*slash = '\0';
			if (rmdir(path))
				break;
		}
	}
	rmdir(r->dir);
}

void recording_close(struct recording *r)
{
	if (r->dir && !r->finished)
		undo(r);
	for (size_t i = 0; i < r->nfiles; i++) {
		mem_free(r->files[i].path);
		buf_done(&r->files[i].data);
	}
	mem_free(r->files);
	capture_close(&r->capture);
	memset(r, 0, sizeof(*r));
}
