/* SPDX-License-Identifier: Apache-2.0 */
/* Zones of memory: free memory, watermarks, and free blocks by size (how torn the free memory is).
 *
 *   buddyinfo   Node 0, zone   Normal   2490   1239    627 …     blocks of 1, 2, 4 … pages
 *   zoneinfo    Node 0, zone   Normal
 *                 pages free     1048003
 *                       boost    0
 *                       min      4225
 *
 * The line "pages free" was "  pages free" since ever; boost came with 5.0. A zone's row is "node0/Normal". */
#include "collectors/collector.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "collectors/table.h"

#define ORDERS 11

struct zones_state {
	struct collector_env env;
	struct buf text;
};

/* "Node 0, zone   Normal": false if this is another line. */
static bool zone_row(struct text *line, struct snapshot *out, size_t *row)
{
	struct text zone;
	char name[96];
	uint64_t node;

	if (!text_skip(line, "Node ") || !text_u64(line, &node) || !text_skip(line, ", zone") ||
	    !text_word(line, &zone))
		return false;
	text_copy(name + snprintf(name, sizeof(name), "node%llu/", (unsigned long long)node), 64,
		  zone);
	*row = snapshot_named_row(out, SCOPE_NUMA, name, strlen(name));
	return true;
}

static void read_buddyinfo(struct text in, struct snapshot *out)
{
	static const enum metric_id orders[ORDERS] = {
		M_BUDDY_0, M_BUDDY_1, M_BUDDY_2, M_BUDDY_3, M_BUDDY_4,  M_BUDDY_5,
		M_BUDDY_6, M_BUDDY_7, M_BUDDY_8, M_BUDDY_9, M_BUDDY_10,
	};
	struct text line;
	uint64_t blocks;
	size_t row;

	while (text_line(&in, &line)) {
		if (!zone_row(&line, out, &row))
			continue;
		for (unsigned order = 0; order < 32 && text_u64(&line, &blocks); order++) {
			/* kernels with large pages have more orders: a block of order 12 is four of order 10 */
			enum metric_id id = orders[order < ORDERS ? order : ORDERS - 1];
			unsigned more = order < ORDERS ? 0 : order - (ORDERS - 1);

			snapshot_add(out, id, row, blocks << more, metric_source(id, F_BUDDYINFO));
		}
	}
}

static void read_zoneinfo(struct text in, struct snapshot *out)
{
	static const struct {
		const char *key;
		enum metric_id id;
	} keys[] = {
		{ "min", M_ZONE_MIN },
		{ "low", M_ZONE_LOW },
		{ "high", M_ZONE_HIGH },
		{ "managed", M_ZONE_MANAGED },
	};
	struct text line, word;
	size_t row = SIZE_MAX;
	uint64_t v;

	while (text_line(&in, &line)) {
		if (text_starts(line, "Node ")) {
			if (!zone_row(&line, out, &row))
				row = SIZE_MAX;
			continue;
		}
		if (row == SIZE_MAX || !text_word(&line, &word))
			continue;
		if (text_eq(word, "pages") && text_word(&line, &word) && text_eq(word, "free") &&
		    text_u64(&line, &v))
			snapshot_set(out, M_ZONE_FREE, row, v,
				     metric_source(M_ZONE_FREE, F_ZONEINFO));
		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
			if (text_eq(word, keys[i].key) && text_u64(&line, &v))
				snapshot_set(out, keys[i].id, row, v,
					     metric_source(keys[i].id, F_ZONEINFO));
		if (text_eq(word, "pagesets"))
			row = SIZE_MAX; /* per CPU from here on: "high:" of a pageset is another thing */
	}
}

static int zones_open(void *state, const struct collector_env *env, struct err *e)
{
	struct zones_state *s = state;

	(void)e;
	s->env = *env;
	return 0;
}

static void read_one(struct zones_state *s, const char *path, struct snapshot *out,
		     void (*parse)(struct text, struct snapshot *))
{
	int err = root_read(s->env.root, path, &s->text, ROOT_FILE_CAP);

	collector_status(&s->env, path, err, "%s", err ? strerror(-err) : "");
	if (!err)
		parse(text_n(s->text.data, s->text.len), out);
}

static int zones_read(void *state, struct snapshot *out, struct err *e)
{
	struct zones_state *s = state;

	(void)e;
	snapshot_begin(out, SCOPE_NUMA, clock_boot_ns());
	read_one(s, "proc/buddyinfo", out, read_buddyinfo);
	read_one(s, "proc/zoneinfo", out, read_zoneinfo);
	return 0;
}

static void zones_close(void *state)
{
	struct zones_state *s = state;

	buf_done(&s->text);
}

static const char *const zone_files[] = { "proc/buddyinfo", "proc/zoneinfo", NULL };

const struct collector collector_zones = {
	.name = "zones",
	.what = "free memory, watermarks and free blocks by size of each memory zone",
	.needs = "",
	.pace = PACE_EDGE,
	.scopes = 1u << SCOPE_NUMA,
	.files = zone_files,
	.state_size = sizeof(struct zones_state),
	.open = zones_open,
	.read = zones_read,
	.close = zones_close,
};
