/* SPDX-License-Identifier: Apache-2.0 */
/* Every regular file whose shape is generic: "key value" lines, pairs of lines, one line per device …
 *
 * Which file has which shape is in model/files.def, which key or column is which metric is in model/metrics.def;
 * shapes.c knows how to walk lines and words. On the live machine files stay open and are read again from
 * offset 0. */
#include "collectors/collector.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "collectors/shapes.h"

struct open_file {
	const struct file_row *row;
	enum file_id id;
	int fd;   /* -1: not kept open */
	int code; /* 0 or why it cannot be read */
	struct wants wants;
};

struct files_state {
	struct collector_env env;
	struct open_file files[F_MAX];
	size_t n;
	struct buf text;
};

/* ---- the collectors ---- */

static int read_file(struct files_state *s, struct open_file *f)
{
	const struct root *root = s->env.root;

	if (!root->live)
		return root_read(root, f->row->path, &s->text, ROOT_FILE_CAP);
	if (f->fd < 0) {
		f->fd = root_openat(root, f->row->path);
		if (f->fd < 0)
			return f->fd;
	}
	return root_reread(f->fd, &s->text, ROOT_FILE_CAP);
}

static void tell(struct files_state *s, struct open_file *f, int code)
{
	if (code == f->code)
		return;
	f->code = code;
	collector_status(&s->env, f->row->path, code, "%s", code ? strerror(-code) : "");
}

static int files_read(void *state, struct snapshot *out, struct err *e)
{
	struct files_state *s = state;

	(void)e;
	for (size_t i = 0; i < s->n; i++) {
		struct open_file *f = &s->files[i];
		int err = read_file(s, f);

		tell(s, f, err);
		if (err)
			continue;
		snapshot_begin(out, f->row->scope, clock_boot_ns());
		shape_read(f->row->shape, &f->wants, text_n(s->text.data, s->text.len), out,
			   f->row->scope,
			   f->row->shape == SHAPE_DEVICES ? 0 : snapshot_system_row(out));
	}
	return 0;
}

/* Watched without an end, what no screen shows as it moves is read with the ends of what is judged. */
static enum file_pace pace_of(enum file_id id, const struct collector_env *env)
{
	static const enum file_id seldom[] = { F_NETSTAT,   F_SNMP6,        F_SOCKSTAT,
					       F_SOCKSTAT6, F_DENTRY_STATE, F_CONNTRACK_COUNT };

	for (size_t i = 0; env->live && env->root->live && i < sizeof(seldom) / sizeof(*seldom);
	     i++)
		if (seldom[i] == id)
			return PACE_EDGE;
	return files[id].pace;
}

static int open_pace(void *state, const struct collector_env *env, enum file_pace pace)
{
	struct files_state *s = state;

	s->env = *env;
	for (enum file_id id = 1; id < F_MAX; id++) {
		struct open_file *f = &s->files[s->n];

		if (files[id].shape == SHAPE_OWN || pace_of(id, env) != pace)
			continue;
		*f = (struct open_file){ .row = &files[id], .id = id, .fd = -1, .code = 1 };
		wants_find(&f->wants, id);
		if (f->wants.n)
			s->n++;
	}
	return 0;
}

static int open_second(void *state, const struct collector_env *env, struct err *e)
{
	(void)e;
	return open_pace(state, env, PACE_SECOND);
}

static int open_edge(void *state, const struct collector_env *env, struct err *e)
{
	(void)e;
	return open_pace(state, env, PACE_EDGE);
}

static void files_close(void *state)
{
	struct files_state *s = state;

	for (size_t i = 0; i < s->n; i++) {
		if (s->files[i].fd >= 0)
			close(s->files[i].fd);
		wants_done(&s->files[i].wants);
	}
	buf_done(&s->text);
}

static const char *const generic_files[] = {
	NULL
}; /* every row of files.def with a shape: see capture */

const struct collector collector_files_second = {
	.name = "files.second",
	.what = "counters read every second",
	.needs = "",
	.pace = PACE_SECOND,
	.scopes = 1u << SCOPE_SYSTEM | 1u << SCOPE_NETIF,
	.files = generic_files,
	.keeps_files = true,
	.state_size = sizeof(struct files_state),
	.open = open_second,
	.read = files_read,
	.close = files_close,
};

const struct collector collector_files_edge = {
	.name = "files.edge",
	.what = "limits and settings, read at both ends of the window",
	.needs = "",
	.pace = PACE_EDGE,
	.scopes = 1u << SCOPE_SYSTEM,
	.files = generic_files,
	.state_size = sizeof(struct files_state),
	.open = open_edge,
	.read = files_read,
	.close = files_close,
};
