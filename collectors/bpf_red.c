/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of services: what the programs are told, and what they have counted. */
#include "collectors/bpf_red.h"

#include <bpf/bpf.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define SERVICES_MOST    256
#define SERVICES_LEAST   16
#define SERVICES_BYTES   (64u << 20) /* of all CPUs */
#define SOCKETS_MOST     65536
#define EPHEMERAL        32768 /* where it cannot be read */

#define CELL_BYTES(type) ((sizeof(type) + 7) & ~(size_t)7)

struct bpf_red {
	struct bpf_engine *engine;
	const struct root *root;
	struct wire_red_config plan;
	int cpus, states_fd, known_fd, services_fd, operations_fd, names_fd, index_fd;
	uint64_t opened_ns;
	double before;            /* seconds from the attaching of programs to opened_ns */
	struct wire_red *service; /* of every CPU */
	struct wire_red_operation *operation; /* the same */
	struct wire_red_index *index;
	struct place { /* of a service: asked once */
		uint32_t pid;
		uint64_t start;
		char container[16], cgroup[192];
	} places[SERVICES_MOST];
};

/* ---- the plan ---- */

static const struct {
	int nr;
	enum wire_red_call call;
} calls[] = {
	{ SYS_read, RED_CALL_BUFFER },      { SYS_write, RED_CALL_BUFFER },
	{ SYS_recvfrom, RED_CALL_BUFFER },  { SYS_sendto, RED_CALL_BUFFER },
	{ SYS_readv, RED_CALL_VECTOR },     { SYS_writev, RED_CALL_VECTOR },
	{ SYS_recvmsg, RED_CALL_MESSAGE },  { SYS_sendmsg, RED_CALL_MESSAGE },
	{ SYS_recvmmsg, RED_CALL_MESSAGE }, { SYS_sendmmsg, RED_CALL_MESSAGE },
};

static uint32_t lowest_ephemeral(const struct root *root)
{
	struct buf b = { 0 };
	uint64_t low = EPHEMERAL;
	struct text t;

	if (!root_read(root, "proc/sys/net/ipv4/ip_local_port_range", &b, 64)) {
		t = text_n(b.data, b.len);
		if (!text_u64(&t, &low) || low > 65535)
			low = EPHEMERAL;
	}
	buf_done(&b);
	return (uint32_t)low;
}

void bpf_red_plan(struct wire_red_config *out, const struct red_wish *w, const struct root *root)
{
	int cpus = bpf_possible_cpus();
	size_t room =
		SERVICES_BYTES / (CELL_BYTES(struct wire_red) * (size_t)(cpus > 0 ? cpus : 1));

	if (room < SERVICES_LEAST)
		room = SERVICES_LEAST;
	*out = (struct wire_red_config){
		.services = room < SERVICES_MOST ? (uint32_t)room : SERVICES_MOST,
		.sockets = SOCKETS_MOST,
		.content = !w->no_content,
		.clients = w->clients,
		.port = w->port,
		.pid = w->pid,
		.ephemeral = lowest_ephemeral(root),
	};
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (calls[i].nr < WIRE_SYSCALLS)
			out->calls[calls[i].nr] = (uint8_t)calls[i].call;
}

/* ---- opening and closing ---- */

/* What it finds is in maps. */
static void ignore(void *ctx, const void *record)
{
	(void)ctx;
	(void)record;
}

static int sweep(struct bpf_red *r, struct err *e)
{
	return bpf_engine_iterate(r->engine, "red_sweep", 1, ignore, NULL, e);
}

int bpf_red_open(struct bpf_red **out, struct bpf_engine *engine,
		 const struct wire_red_config *plan, const struct root *root, struct err *e)
{
	struct bpf_red *r = mem_alloc(sizeof(*r));
	int err;

	*out = NULL;
	r->engine = engine;
	r->root = root;
	r->plan = *plan;
	r->cpus = bpf_engine_cpus(engine);
	r->states_fd = bpf_engine_fd(engine, "red_states");
	r->known_fd = bpf_engine_fd(engine, "red_known");
	r->services_fd = bpf_engine_fd(engine, "red_services");
	r->operations_fd = bpf_engine_fd(engine, "red_operations");
	r->names_fd = bpf_engine_fd(engine, "red_names");
	r->index_fd = bpf_engine_fd(engine, "red_index");
	r->service = mem_array((size_t)r->cpus, CELL_BYTES(struct wire_red));
	r->operation = mem_array((size_t)r->cpus, CELL_BYTES(struct wire_red_operation));
	r->index = mem_alloc(sizeof(*r->index));
	err = sweep(r, e); /* services */
	if (!err)
		err = sweep(r, e); /* and their connections */
	if (err) {
		bpf_red_close(r);
		return err;
	}
	r->opened_ns = clock_ns(CLOCK_MONOTONIC);
	r->before = bpf_engine_age(engine);
	*out = r;
	return 0;
}

void bpf_red_close(struct bpf_red *r)
{
	if (!r)
		return;
	mem_free(r->service);
	mem_free(r->operation);
	mem_free(r->index);
	mem_free(r);
}

/* ---- who it is ---- */

/* The last run of 64 hexadecimal digits in a path is the id of a container. */
static void find_container(const char *path, char *out, size_t size)
{
	size_t run = 0;

	out[0] = '\0';
	for (const char *p = path;; p++) {
		if (isxdigit((unsigned char)*p)) {
			run++;
			continue;
		}
		if (run == 64)
			snprintf(out, size, "%.12s", p - 64);
		run = 0;
		if (!*p)
			return;
	}
}

/* Of the unified hierarchy, or of the first that puts it anywhere. */
static void find_cgroup(const struct root *root, uint32_t pid, char *out, size_t size)
{
	struct buf b = { 0 };
	struct text t, line;
	char path[32];

	out[0] = '\0';
	snprintf(path, sizeof(path), "proc/%u/cgroup", pid);
	if (!root_read(root, path, &b, 16384)) {
		t = text_n(b.data, b.len);
		while (text_until(&t, '\n', &line)) {
			struct text part;

			if (!text_until(&line, ':', &part) || !text_until(&line, ':', &part) ||
			    text_len(line) < 2)
				continue;
			text_copy(out, size, line);
			break;
		}
	}
	buf_done(&b);
}

static void place(struct bpf_red *r, struct red_row *row)
{
	struct place *p = &r->places[row->slot % SERVICES_MOST];

	if (row->pid && (p->pid != row->pid || p->start != row->start)) {
		p->pid = (uint32_t)row->pid;
		p->start = row->start;
		find_cgroup(r->root, p->pid, p->cgroup, sizeof(p->cgroup));
		find_container(p->cgroup, p->container, sizeof(p->container));
	}
	memcpy(row->cgroup, p->cgroup, sizeof(row->cgroup));
	memcpy(row->container, p->container, sizeof(row->container));
}

/* ---- reading ---- */

static void add_hist(struct hist *into, const struct wire_hist *w)
{
	into->sum += w->sum;
	if (w->max > into->max)
		into->max = w->max;
	for (unsigned i = 0; i < HIST_SLOTS; i++)
		into->slots[i] += w->slots[i];
	into->max_known = true;
}

static void add_service(struct red_row *row, const struct wire_red *w)
{
	row->requests += w->requests;
	row->errors += w->errors;
	row->refusals += w->refusals;
	row->silent += w->silent;
	row->bytes_in += w->bytes_in;
	row->bytes_out += w->bytes_out;
	row->batched += w->batched;
	row->unparted += w->unparted;
	row->unread += w->unread;
	row->waiting += w->waiting;
	for (unsigned p = 0; p < RED_PROTOCOLS; p++)
		row->protocols[p] += w->protocols[p];
	add_hist(&row->total, &w->total);
	add_hist(&row->wait, &w->wait);
}

static int read_service(struct bpf_red *r, uint32_t slot, uint32_t last_sweep, bool swept,
			struct reds *out)
{
	struct wire_red_service k;
	struct red_row *row;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	int err = bpf_map_lookup_elem(r->known_fd, &slot, &k);

	if (err || k.key.role == RED_NOBODY)
		return err;
	err = bpf_map_lookup_elem(r->services_fd, &slot, r->service);
	if (err)
		return err;
	row = reds_row(out);
	row->slot = slot;
	row->key = k.key;
	row->pid = k.tgid == WIRE_OUTSIDE ? 0 : k.tgid;
	row->start = k.start;
	memcpy(row->comm, k.comm, sizeof(row->comm));
	row->comm[sizeof(row->comm) - 1] = '\0';
	for (int cpu = 0; cpu < r->cpus; cpu++)
		add_service(row, (const void *)((const char *)r->service +
						(size_t)cpu * CELL_BYTES(struct wire_red)));
	row->swept = swept;
	if (swept && k.sweep == last_sweep) {
		row->open = k.open;
		row->inflight = k.inflight;
		row->backlog = k.backlog;
		row->backlog_most = k.backlog_most;
		if (k.oldest && k.oldest < now)
			row->oldest = (double)(now - k.oldest) * 1e-9;
	}
	place(r, row);
	return 0;
}

/* Words of more than eight letters are cut on their way. */
static void put_name(char *out, size_t size, const char *raw)
{
	static const char *const words[] = {
		"WRONGTYPE", "WRONGPASS",  "BUSYGROUP",  "MASTERDOWN", "CLUSTERDOWN",
		"EXECABORT", "UNKILLABLE", "NOREPLICAS", "UNBLOCKED",
	};

	snprintf(out, size, "%.*s", WIRE_RED_NAME, raw);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strlen(out) == 8 && !strncmp(words[i], out, 8))
			snprintf(out, size, "%s", words[i]);
}

static int read_name(struct bpf_red *r, uint32_t cell, struct reds *out)
{
	struct wire_red_name n;
	struct red_name *name;
	int err = bpf_map_lookup_elem(r->names_fd, &cell, &n);

	if (err || !n.slot)
		return err;
	err = bpf_map_lookup_elem(r->operations_fd, &cell, r->operation);
	if (err)
		return err;
	name = reds_name(out);
	name->cell = cell;
	name->slot = n.slot;
	name->kind = (enum wire_red_kind)n.kind;
	put_name(name->name, sizeof(name->name), n.name);
	for (int cpu = 0; cpu < r->cpus; cpu++) {
		const struct wire_red_operation *o = &r->operation[cpu];

		name->count += o->count;
		name->errors += o->errors;
		name->timed += o->timed;
		name->ns += o->ns;
		name->max = o->max > name->max ? o->max : name->max;
	}
	return 0;
}

int bpf_red_read(struct bpf_red *r, struct reds *out, struct err *e)
{
	double stopped = bpf_engine_stopped(r->engine, BPF_RED);
	struct wire_counts counts;
	struct wire_red_state st;
	uint32_t zero = 0;
	int err = stopped > 0 ? 0 : sweep(r, e);

	if (err)
		return err;
	err = bpf_map_lookup_elem(r->states_fd, &zero, &st);
	for (uint32_t slot = 1; !err && slot <= st.services && slot < r->plan.services; slot++)
		err = read_service(r, slot, st.sweep, !(stopped > 0), out);
	if (!err)
		err = bpf_map_lookup_elem(r->index_fd, &zero, r->index);
	for (uint32_t cell = 1; !err && cell <= r->index->next && cell < WIRE_RED_NAMES; cell++)
		err = read_name(r, cell, out);
	if (!err)
		err = bpf_engine_counts(r->engine, &counts);
	if (err)
		return err_errno(e, err, "cannot read the requests of services");
	out->seconds = stopped > 0 ? stopped - r->before
				   : (double)(clock_ns(CLOCK_MONOTONIC) - r->opened_ns) * 1e-9;
	out->lost_services = counts.loss[LOSS_RED_SERVICES];
	out->lost_sockets = counts.loss[LOSS_RED_SOCKETS];
	out->lost_names = counts.loss[LOSS_RED_NAMES];
	return 0;
}
