/* SPDX-License-Identifier: Apache-2.0 */
#include "model/red.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"

void reds_done(struct reds *r)
{
	mem_free(r->rows);
	mem_free(r->names);
	*r = (struct reds){ 0 };
}

void reds_clear(struct reds *r)
{
	r->n = r->nnames = 0;
	r->seconds = 0;
	r->lost_services = r->lost_sockets = r->lost_names = 0;
	r->why[0] = '\0';
}

struct red_row *reds_row(struct reds *r)
{
	struct red_row *row;

	r->rows = mem_grow(r->rows, &r->cap, r->n + 1, sizeof(*r->rows));
	row = &r->rows[r->n++];
	memset(row, 0, sizeof(*row));
	row->oldest = NAN;
	return row;
}

struct red_name *reds_name(struct reds *r)
{
	struct red_name *name;

	r->names = mem_grow(r->names, &r->names_cap, r->nnames + 1, sizeof(*r->names));
	name = &r->names[r->nnames++];
	memset(name, 0, sizeof(*name));
	return name;
}

void reds_copy(struct reds *to, const struct reds *from)
{
	for (size_t i = 0; i < from->n; i++)
		*reds_row(to) = from->rows[i];
	for (size_t i = 0; i < from->nnames; i++)
		*reds_name(to) = from->names[i];
	to->seconds = from->seconds;
	to->lost_services = from->lost_services;
	to->lost_sockets = from->lost_sockets;
	to->lost_names = from->lost_names;
	memcpy(to->why, from->why, sizeof(to->why));
}

/* ---- two readings ---- */

/* A counter that went back was read while it grew. */
static void take_off(uint64_t *counter, uint64_t before)
{
	*counter -= before < *counter ? before : *counter;
}

static void subtract_row(struct red_row *row, const struct red_row *b)
{
	take_off(&row->requests, b->requests);
	take_off(&row->errors, b->errors);
	take_off(&row->refusals, b->refusals);
	take_off(&row->silent, b->silent);
	take_off(&row->bytes_in, b->bytes_in);
	take_off(&row->bytes_out, b->bytes_out);
	take_off(&row->batched, b->batched);
	take_off(&row->unparted, b->unparted);
	take_off(&row->unread, b->unread);
	take_off(&row->waiting, b->waiting);
	for (unsigned p = 0; p < RED_PROTOCOLS; p++)
		take_off(&row->protocols[p], b->protocols[p]);
	hist_subtract(&row->total, &b->total);
	hist_subtract(&row->wait, &b->wait);
}

static void subtract_name(struct red_name *name, const struct red_name *b)
{
	take_off(&name->count, b->count);
	take_off(&name->errors, b->errors);
	take_off(&name->timed, b->timed);
	take_off(&name->ns, b->ns);
}

void reds_subtract(struct reds *r, const struct reds *before)
{
	for (size_t i = 0; i < r->n; i++)
		for (size_t k = 0; k < before->n; k++)
			if (before->rows[k].slot == r->rows[i].slot) {
				subtract_row(&r->rows[i], &before->rows[k]);
				break;
			}
	for (size_t i = 0; i < r->nnames; i++)
		for (size_t k = 0; k < before->nnames; k++)
			if (before->names[k].cell == r->names[i].cell) {
				subtract_name(&r->names[i], &before->names[k]);
				break;
			}
	take_off(&r->lost_services, before->lost_services);
	take_off(&r->lost_sockets, before->lost_sockets);
	take_off(&r->lost_names, before->lost_names);
	r->seconds -= before->seconds;
}

static bool says_something(const struct red_row *row)
{
	return row->requests || row->errors || row->silent || row->open || row->backlog ||
	       row->bytes_in || row->bytes_out || row->inflight;
}

static int compare_rows(const void *a, const void *b)
{
	const struct red_row *x = a, *y = b;

	if (x->key.role != y->key.role)
		return x->key.role < y->key.role ? -1 : 1;
	if (x->requests != y->requests)
		return x->requests > y->requests ? -1 : 1;
	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

void reds_tidy(struct reds *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		if (says_something(&r->rows[i]))
			r->rows[n++] = r->rows[i];
	r->n = n;
	if (n)
		qsort(r->rows, n, sizeof(*r->rows), compare_rows);
}

/* ---- what a row says ---- */

const char *red_protocol_name(enum wire_red_protocol p)
{
	static const char *const names[RED_PROTOCOLS] = {
		[RED_UNKNOWN] = "tcp",       [RED_PLAIN] = "tcp",   [RED_HTTP] = "http",
		[RED_HTTP2] = "http2",       [RED_TLS] = "tls",     [RED_REDIS] = "redis",
		[RED_POSTGRES] = "postgres", [RED_MYSQL] = "mysql", [RED_MEMCACHED] = "memcached",
	};

	return names[p];
}

enum wire_red_protocol red_protocol(const struct red_row *row)
{
	enum wire_red_protocol best = RED_PLAIN;

	for (unsigned p = 0; p < RED_PROTOCOLS; p++)
		if (row->protocols[p] > row->protocols[best])
			best = (enum wire_red_protocol)p;
	return best;
}

bool red_is_opaque(const struct red_row *row)
{
	enum wire_red_protocol p = red_protocol(row);

	return p == RED_TLS || p == RED_HTTP2;
}

char *red_peer(const struct red_row *row, char *out, size_t size)
{
	char address[INET6_ADDRSTRLEN] = "?";

	inet_ntop(row->key.family == AF_INET ? AF_INET : AF_INET6, row->key.addr, address,
		  sizeof(address));
	if (!strncmp(address, "::ffff:", 7))
		snprintf(out, size, "%s:%u", address + 7, row->key.port);
	else
		snprintf(out, size, row->key.family == AF_INET ? "%s:%u" : "[%s]:%u", address,
			 row->key.port);
	return out;
}

static uint64_t weight(const struct red_name *name)
{
	return name->kind == RED_ERROR ? name->count : name->ns;
}

/* Larger, or as large and met earlier. */
static bool is_above(const struct red_name *a, const struct red_name *b)
{
	if (weight(a) != weight(b))
		return weight(a) > weight(b);
	if (a->count != b->count)
		return a->count > b->count;
	return a->cell < b->cell;
}

const struct red_name *reds_top(const struct reds *r, const struct red_row *row,
				enum wire_red_kind kind, unsigned i)
{
	const struct red_name *last = NULL;

	for (unsigned k = 0; k <= i; k++) {
		const struct red_name *best = NULL;

		for (size_t n = 0; n < r->nnames; n++) {
			const struct red_name *name = &r->names[n];

			if (name->slot == row->slot && name->kind == kind && name->count &&
			    (!last || is_above(last, name)) && (!best || is_above(name, best)))
				best = name;
		}
		if (!best)
			return NULL;
		last = best;
	}
	return last;
}

double red_percentile(const struct hist *h, double q)
{
	return hist_count(h) < hist_least(q) ? NAN : hist_percentile(h, q) * 1e-9;
}

double red_max(const struct hist *h)
{
	return hist_count(h) ? (double)hist_max(h) * 1e-9 : NAN;
}
