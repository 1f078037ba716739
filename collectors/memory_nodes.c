/* SPDX-License-Identifier: Apache-2.0 */
/* Memory by place: NUMA nodes, huge page pools, memory controllers that count errors.
 *
 * Rows: "node0", "pool 2048kB", "mc0", "mc0/dimm1". The distance table and the CPUs of a node never change and are read
 * once. A machine without NUMA has one node, a guest has no memory controllers: both are normal. */
#include "collectors/collector.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "collectors/table.h"

#define NODES_MAX 128
#define POOLS_MAX 16
#define DIMMS_MAX 512

struct nodes_state {
	struct collector_env env;
	struct buf text;
	struct snapshot *out;
	unsigned nodes, pools, dimms;
	char controller[32]; /* whose modules are being listed */
};

static bool numbered(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);

	return !strncmp(name, prefix, n) && isdigit((unsigned char)name[n]) && strlen(name) < 24;
}

#define NODE_DIR "sys/devices/system/node"
#define POOL_DIR "sys/kernel/mm/hugepages"
#define EDAC_DIR "sys/devices/system/edac/mc"

static bool read_text(struct nodes_state *s, struct text *out, const char *dir, const char *a,
		      const char *b)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s/%s", dir, a, b);
	if (root_read(s->env.root, path, &s->text, 64 << 10))
		return false;
	*out = text_n(s->text.data, s->text.len);
	return true;
}

/* ---- nodes ---- */

/* "Node 0 MemTotal:       24683656 kB" */
static void read_meminfo(struct text in, struct snapshot *out, size_t row)
{
	static const enum metric_id ids[] = {
		M_NODE_TOTAL,
		M_NODE_FREE,
		M_NODE_ANON,
		M_NODE_FILE,
		M_NODE_INACTIVE_FILE,
		M_NODE_ACTIVE_FILE,
		M_NODE_SLAB_RECLAIMABLE,
	};
	struct text line, word, key;
	uint64_t v;

	while (text_line(&in, &line)) {
		if (!text_word(&line, &word) || !text_word(&line, &word) ||
		    !text_word(&line, &key) || !text_u64(&line, &v))
			continue;
		if (text_len(key) && key.end[-1] == ':')
			key.end--;
		for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
			unsigned source = metric_source(ids[i], F_NODE_MEMINFO);

			if (text_eq(key, metric_get(ids[i])->sources[source - 1].key))
				snapshot_set(out, ids[i], row, v, source);
		}
	}
}

static void read_numastat(struct text in, struct snapshot *out, size_t row)
{
	static const enum metric_id ids[] = { M_NODE_HIT, M_NODE_MISS, M_NODE_FOREIGN, M_NODE_LOCAL,
					      M_NODE_OTHER };
	struct text line, key;
	uint64_t v;

	while (text_line(&in, &line)) {
		if (!text_word(&line, &key) || !text_u64(&line, &v))
			continue;
		for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
			unsigned source = metric_source(ids[i], F_NODE_NUMASTAT);

			if (text_eq(key, metric_get(ids[i])->sources[source - 1].key))
				snapshot_set(out, ids[i], row, v, source);
		}
	}
}

static void read_label(struct nodes_state *s, enum metric_id id, enum file_id file, size_t row,
		       const char *dir, const char *a, const char *b)
{
	struct text in;

	if (!read_text(s, &in, dir, a, b))
		return;
	in = text_trim(in);
	snapshot_set_text(s->out, id, row, in.p, text_len(in), metric_source(id, file));
}

static int read_node(void *ctx, const char *name)
{
	struct nodes_state *s = ctx;
	struct text in;
	size_t row;

	if (!numbered(name, "node"))
		return 0;
	if (s->nodes++ == NODES_MAX)
		return 1;
	row = snapshot_named_row(s->out, SCOPE_NUMA, name, strlen(name));
	if (read_text(s, &in, NODE_DIR, name, "meminfo"))
		read_meminfo(in, s->out, row);
	if (read_text(s, &in, NODE_DIR, name, "numastat"))
		read_numastat(in, s->out, row);
	read_label(s, M_NODE_DISTANCE, F_NODE_DISTANCE, row, NODE_DIR, name, "distance");
	read_label(s, M_NODE_CPUS, F_NODE_CPULIST, row, NODE_DIR, name, "cpulist");
	return 0;
}

/* ---- huge page pools ---- */

static int read_pool(void *ctx, const char *name)
{
	static const struct {
		const char *file;
		enum metric_id id;
	} files_of_pool[] = {
		{ "nr_hugepages", M_POOL_TOTAL },
		{ "free_hugepages", M_POOL_FREE },
		{ "resv_hugepages", M_POOL_RESERVED },
		{ "surplus_hugepages", M_POOL_SURPLUS },
	};
	struct nodes_state *s = ctx;
	struct text size = text_of(name), in;
	uint64_t kib, v;
	char row_name[48];
	size_t row;

	if (!text_skip(&size, "hugepages-") || !text_u64(&size, &kib) || !text_eq(size, "kB"))
		return 0;
	if (s->pools++ == POOLS_MAX)
		return 1;
	snprintf(row_name, sizeof(row_name), "pool %llukB", (unsigned long long)kib);
	row = snapshot_named_row(s->out, SCOPE_NUMA, row_name, strlen(row_name));
	snapshot_set(s->out, M_POOL_PAGE, row, kib, metric_source(M_POOL_PAGE, F_HUGEPAGES));
	for (size_t i = 0; i < sizeof(files_of_pool) / sizeof(*files_of_pool); i++)
		if (read_text(s, &in, POOL_DIR, name, files_of_pool[i].file) && text_u64(&in, &v))
			snapshot_set(s->out, files_of_pool[i].id, row, v,
				     metric_source(files_of_pool[i].id, F_HUGEPAGES));
	return 0;
}

/* ---- memory controllers ---- */

static bool read_count(struct nodes_state *s, const char *dir, const char *a, const char *b,
		       uint64_t *v)
{
	struct text in;

	return read_text(s, &in, dir, a, b) && text_u64(&in, v);
}

static void put_errors(struct nodes_state *s, size_t row, bool known_ce, uint64_t ce, bool known_ue,
		       uint64_t ue)
{
	if (known_ce)
		snapshot_set(s->out, M_MC_CORRECTED, row, ce,
			     metric_source(M_MC_CORRECTED, F_EDAC));
	if (known_ue)
		snapshot_set(s->out, M_MC_UNCORRECTED, row, ue,
			     metric_source(M_MC_UNCORRECTED, F_EDAC));
}

static int read_dimm(void *ctx, const char *name)
{
	struct nodes_state *s = ctx;
	char row_name[64];
	uint64_t ce = 0, ue = 0;
	bool known_ce, known_ue;
	size_t row;

	if (!numbered(name, "dimm") && !numbered(name, "rank"))
		return 0;
	if (s->dimms++ == DIMMS_MAX)
		return 1;
	snprintf(row_name, sizeof(row_name), "%s/%s", s->controller, name);
	row = snapshot_named_row(s->out, SCOPE_NUMA, row_name, strlen(row_name));
	known_ce = read_count(s, EDAC_DIR, row_name, "dimm_ce_count", &ce);
	known_ue = read_count(s, EDAC_DIR, row_name, "dimm_ue_count", &ue);
	put_errors(s, row, known_ce, ce, known_ue, ue);
	read_label(s, M_MC_LABEL, F_EDAC, row, EDAC_DIR, row_name, "dimm_label");
	return 0;
}

static int read_controller(void *ctx, const char *name)
{
	struct nodes_state *s = ctx;
	size_t row, system = snapshot_system_row(s->out);
	uint64_t ce = 0, ue = 0;
	bool known_ce, known_ue;
	char path[64];

	if (!numbered(name, "mc"))
		return 0;
	row = snapshot_named_row(s->out, SCOPE_NUMA, name, strlen(name));
	known_ce = read_count(s, EDAC_DIR, name, "ce_count", &ce);
	known_ue = read_count(s, EDAC_DIR, name, "ue_count", &ue);
	put_errors(s, row, known_ce, ce, known_ue, ue);
	if (known_ce)
		snapshot_add(s->out, M_ECC_CORRECTED, system, ce,
			     metric_source(M_ECC_CORRECTED, F_EDAC));
	if (known_ue)
		snapshot_add(s->out, M_ECC_UNCORRECTED, system, ue,
			     metric_source(M_ECC_UNCORRECTED, F_EDAC));
	snprintf(s->controller, sizeof(s->controller), "%s", name);
	snprintf(path, sizeof(path), EDAC_DIR "/%s", name);
	root_list(s->env.root, path, read_dimm, s);
	return 0;
}

/* ---- the collector ---- */

static int nodes_open(void *state, const struct collector_env *env, struct err *e)
{
	struct nodes_state *s = state;

	(void)e;
	s->env = *env;
	return 0;
}

static int nodes_read(void *state, struct snapshot *out, struct err *e)
{
	struct nodes_state *s = state;
	uint64_t now = clock_boot_ns();
	int err;

	(void)e;
	s->out = out;
	s->nodes = s->pools = s->dimms = 0;
	snapshot_begin(out, SCOPE_NUMA, now);
	snapshot_begin(out, SCOPE_SYSTEM, now);
	err = root_list(s->env.root, NODE_DIR, read_node, s);
	collector_status(&s->env, NODE_DIR, err < 0 ? err : 0, "%s",
			 err < 0 ? "no NUMA in this kernel" : "");
	root_list(s->env.root, POOL_DIR, read_pool, s);
	err = root_list(s->env.root, EDAC_DIR, read_controller, s);
	collector_status(&s->env, EDAC_DIR, err < 0 ? err : 0, "%s",
			 err < 0 ? "no memory controller driver counts errors here" : "");
	return 0;
}

static void nodes_close(void *state)
{
	struct nodes_state *s = state;

	buf_done(&s->text);
}

const struct collector collector_nodes = {
	.name = "nodes",
	.what = "memory of NUMA nodes, huge page pools, memory errors",
	.needs = "",
	.pace = PACE_EDGE,
	.scopes = 1u << SCOPE_NUMA | 1u << SCOPE_SYSTEM,
	.state_size = sizeof(struct nodes_state),
	.open = nodes_open,
	.read = nodes_read,
	.close = nodes_close,
};
