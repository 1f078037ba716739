/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of requests: what came between two readings, and what is worth showing. */
#include <math.h>
#include <string.h>

#include "model/red.h"
#include "tests/unit/unit.h"

static struct red_row *row(struct reds *r, uint32_t slot, enum wire_red_role role, uint64_t n)
{
	struct red_row *x = reds_row(r);

	x->slot = slot;
	x->key.role = (uint8_t)role;
	x->requests = n;
	x->protocols[RED_HTTP] = n;
	hist_add(&x->total, 1000000, n);
	return x;
}

TEST(two_readings_of_requests_are_subtracted_by_service)
{
	struct reds before = { 0 }, now = { 0 };

	row(&before, 3, RED_SERVER, 10)->errors = 2;
	row(&now, 7, RED_SERVER, 4);
	row(&now, 3, RED_SERVER, 25)->errors = 2;
	now.seconds = 12;
	before.seconds = 2;
	reds_subtract(&now, &before);
	CHECK_INT(now.rows[0].requests, 4); /* was not there before */
	CHECK_INT(now.rows[1].requests, 15);
	CHECK_INT(now.rows[1].errors, 0);
	CHECK_INT(hist_count(&now.rows[1].total), 15);
	CHECK_NEAR(now.seconds, 10, 1e-9);
	reds_done(&before);
	reds_done(&now);
}

TEST(a_counter_of_requests_that_went_back_is_none)
{
	struct reds before = { 0 }, now = { 0 };

	row(&before, 3, RED_SERVER, 10);
	row(&now, 3, RED_SERVER, 9);
	reds_subtract(&now, &before);
	CHECK_INT(now.rows[0].requests, 0);
	reds_done(&before);
	reds_done(&now);
}

TEST(services_come_before_dependencies_and_most_requests_first)
{
	struct reds r = { 0 };

	row(&r, 1, RED_CLIENT, 1000);
	row(&r, 2, RED_SERVER, 5);
	row(&r, 3, RED_SERVER, 50);
	reds_row(&r)->slot = 4; /* nothing happened, nobody is connected */
	reds_tidy(&r);
	CHECK_INT(r.n, 3);
	CHECK_INT(r.rows[0].slot, 3);
	CHECK_INT(r.rows[1].slot, 2);
	CHECK_INT(r.rows[2].slot, 1);
	reds_done(&r);
}

TEST(a_service_speaks_what_most_of_its_requests_speak)
{
	struct red_row x = { 0 };

	CHECK_STR(red_protocol_name(red_protocol(&x)), "tcp");
	x.protocols[RED_PLAIN] = 2;
	x.protocols[RED_REDIS] = 9;
	CHECK_STR(red_protocol_name(red_protocol(&x)), "redis");
	CHECK(!red_is_opaque(&x));
	x.protocols[RED_TLS] = 100;
	CHECK(red_is_opaque(&x));
}

TEST(names_of_a_service_are_ranked_and_those_of_others_left_out)
{
	struct reds r = { 0 };
	struct red_row *x = row(&r, 1, RED_SERVER, 9);
	static const struct {
		uint32_t slot;
		enum wire_red_kind kind;
		const char *name;
		uint64_t count, ns;
	} names[] = {
		{ 1, RED_OPERATION, "GET /a", 100, 5 },  { 1, RED_OPERATION, "GET /b", 1, 900 },
		{ 2, RED_OPERATION, "GET /c", 1, 9000 }, { 1, RED_ERROR, "503", 7, 0 },
		{ 1, RED_OPERATION, "GET /d", 0, 0 },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct red_name *n = reds_name(&r);

		n->cell = (uint32_t)i + 1;
		n->slot = names[i].slot;
		n->kind = names[i].kind;
		n->count = names[i].count;
		n->ns = names[i].ns;
		strcpy(n->name, names[i].name);
	}
	CHECK_STR(reds_top(&r, x, RED_OPERATION, 0)->name, "GET /b");
	CHECK_STR(reds_top(&r, x, RED_OPERATION, 1)->name, "GET /a");
	CHECK(reds_top(&r, x, RED_OPERATION, 2) == NULL);
	CHECK_STR(reds_top(&r, x, RED_ERROR, 0)->name, "503");
	reds_done(&r);
}

TEST(a_peer_is_its_address_with_its_port)
{
	struct red_row x = { .key = { .family = 2, .port = 5432, .addr = { 10, 1, 2, 3 } } };
	char out[80];

	CHECK_STR(red_peer(&x, out, sizeof(out)), "10.1.2.3:5432");
	x.key.family = 10;
	memset(x.key.addr, 0, 16);
	x.key.addr[15] = 1;
	CHECK_STR(red_peer(&x, out, sizeof(out)), "[::1]:5432");
	memcpy(x.key.addr, (uint8_t[]){ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 1 }, 16);
	CHECK_STR(red_peer(&x, out, sizeof(out)), "10.0.0.1:5432");
}
