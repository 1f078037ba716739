/* SPDX-License-Identifier: Apache-2.0 */
/* One collector on a tree made by hand: see rig.h. */
#include "tests/unit/rig.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/unit.h"

static void open_at(struct rig *r, const struct collector *c, const char *path)
{
	struct err e = { 0 };

	metrics_init();
	memset(r, 0, sizeof(*r));
	r->c = c;
	r->host.ticks_per_second = 100;
	r->host.page_size = 4096;
	r->host.cpus = 2;
	if (root_open(&r->root, path, &e))
		unit_fail(__FILE__, __LINE__, "%s", e.msg);
	r->env = (struct collector_env){
		.root = &r->root,
		.host = &r->host,
		.status = &r->status,
		.nstatus = &r->nstatus,
		.status_cap = &r->status_cap,
	};
	r->state = mem_alloc(c->state_size);
	snapshot_init(&r->snap[0], &r->host);
	snapshot_init(&r->snap[1], &r->host);
	c->open(r->state, &r->env, NULL);
}

void rig_open(struct rig *r, const struct collector *c)
{
	open_at(r, c, unit_tmpdir());
}

void rig_open_live(struct rig *r, const struct collector *c)
{
	open_at(r, c, "/");
}

void rig_reopen(struct rig *r)
{
	r->c->close(r->state);
	memset(r->state, 0, r->c->state_size);
	r->c->open(r->state, &r->env, NULL);
}

void rig_close(struct rig *r)
{
	r->c->close(r->state);
	mem_free(r->state);
	mem_free(r->status);
	snapshot_done(&r->snap[0]);
	snapshot_done(&r->snap[1]);
	root_close(&r->root);
}

int rig_read(struct rig *r)
{
	struct snapshot t = r->snap[0];
	int err;

	r->snap[0] = r->snap[1];
	r->snap[1] = t;
	snapshot_clear(&r->snap[1]);
	err = r->c->read(r->state, &r->snap[1], NULL);
	r->reads++;
	r->snap[1].time_ns = (uint64_t)r->reads * 1000000000u;
	for (int sc = 0; sc < SCOPE_MAX; sc++)
		if (r->snap[1].tables[sc].time_ns)
			r->snap[1].tables[sc].time_ns = r->snap[1].time_ns;
	return err;
}

static void full_path(char *out, size_t size, const char *path)
{
	snprintf(out, size, "%s/%s", unit_tmpdir(), path);
}

void rig_directory(const char *path)
{
	char full[600];

	full_path(full, sizeof(full), path);
	for (char *slash = full + strlen(unit_tmpdir()) + 1; (slash = strchr(slash, '/'));
	     slash++) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	if (mkdir(full, 0755) && errno != EEXIST)
		unit_fail(__FILE__, __LINE__, "%s: %s", full, strerror(errno));
}

void rig_link(const char *path, const char *target)
{
	char full[600], above[600];
	char *slash;

	snprintf(above, sizeof(above), "%s", path);
	slash = strrchr(above, '/');
	if (slash) {
		*slash = '\0';
		rig_directory(above);
	}
	full_path(full, sizeof(full), path);
	unlink(full);
	if (symlink(target, full))
		unit_fail(__FILE__, __LINE__, "%s: %s", full, strerror(errno));
}

void rig_remove(const char *path)
{
	char full[600];

	full_path(full, sizeof(full), path);
	if (remove(full))
		unit_fail(__FILE__, __LINE__, "%s: %s", full, strerror(errno));
}

size_t rig_row(struct rig *r, enum scope sc, const char *name)
{
	for (size_t i = 0; i < snapshot_rows(&r->snap[1], sc); i++)
		if (!strcmp(snapshot_name(&r->snap[1], sc, i), name))
			return i;
	return SIZE_MAX;
}

double rig_value(struct rig *r, enum metric_id id, const char *row)
{
	enum scope sc = metric_get(id)->scope;

	return snapshot_value(&r->snap[1], id, sc == SCOPE_SYSTEM ? 0 : rig_row(r, sc, row));
}

const char *rig_text(struct rig *r, enum metric_id id, const char *row)
{
	enum scope sc = metric_get(id)->scope;

	return snapshot_text(&r->snap[1], id, sc == SCOPE_SYSTEM ? 0 : rig_row(r, sc, row));
}

const char *rig_status(const struct rig *r, const char *name)
{
	for (size_t i = 0; i < r->nstatus; i++)
		if (!strcmp(r->status[i].name, name))
			return r->status[i].why;
	return NULL;
}
