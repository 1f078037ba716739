/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a request asks for and what its answer says, read from the first bytes of each.
 *
 * Of these bytes nothing is kept but a name: a verb of a list, a route without its query and without whatever looks like an
 * identifier, a command of Redis, a code of an error. What is in no list has no name. */
#ifndef SIXTY_BPF_RED_TEXT_H
#define SIXTY_BPF_RED_TEXT_H

#include "bpf/red.bpf.h"
#include "bpf/ladder.bpf.h"

/* ---- where the bytes are ---- */

struct red_bytes {
	const char *at; /* in the memory of the program that moves them; 0: out of reach */
	__u32 n;        /* of them, that lie there */
};

union red_head {
	__u64 words[8];
	__u32 halves[16];
	char text[64];
	__u8 bytes[64];
};

hidden void red_find(__u32 bytes, struct red_bytes *b)
{
	struct {
		__u64 at, n;
	} piece = {};
	struct call c = {};
	__u64 message[3]; /* of a struct msghdr: its third word is the address of the pieces */
	__u32 kind;

	b->at = 0;
	b->n = 0;
	if (!config.red.content)
		return;
	call_of(bpf_get_current_task_btf(), &c);
	if (c.nr < 0 || c.nr >= WIRE_SYSCALLS)
		return;
	kind = config.red.calls[c.nr & (WIRE_SYSCALLS - 1)];
	if (kind == RED_CALL_BUFFER) {
		b->at = (const char *)c.a1;
		b->n = bytes;
		return;
	}
	if (kind == RED_CALL_MESSAGE) {
		if (bpf_probe_read_user(message, sizeof(message), (void *)c.a1))
			return;
		c.a1 = message[2];
	} else if (kind != RED_CALL_VECTOR) {
		return;
	}
	if (bpf_probe_read_user(&piece, sizeof(piece), (void *)c.a1))
		return;
	b->at = (const char *)piece.at;
	b->n = piece.n < bytes ? piece.n : bytes;
}

/* Zero behind what there is. False: out of reach. */
hidden bool red_read(const struct red_bytes *b, __u32 from, union red_head *h)
{
	__u32 n = b->n - from;

	__builtin_memset(h, 0, sizeof(*h));
	if (!b->at || from >= b->n)
		return false;
	if (n >= sizeof(*h))
		return !bpf_probe_read_user(h, sizeof(*h), b->at + from);
	barrier_var(n);
	n &= sizeof(*h) - 1;
	return !bpf_probe_read_user(h, n, b->at + from);
}

hidden __u32 red_be32(const union red_head *h, __u32 half)
{
	return __builtin_bswap32(h->halves[half]);
}

/* "GET " as a number: of the first four bytes */
#define RED_FOUR(a, b, c, d) ((__u32)(a) | (__u32)(b) << 8 | (__u32)(c) << 16 | (__u32)(d) << 24)
#define RED_EIGHT(a, b, c, d, e, f, g, h) \
	((__u64)RED_FOUR(a, b, c, d) | (__u64)RED_FOUR(e, f, g, h) << 32)

hidden bool red_is_letter(char c)
{
	return (__u8)((c | 32) - 'a') < 26;
}

/* Up to eight letters from there on, as capitals; what follows them is looked at by nobody. */
hidden __u64 red_verb(const union red_head *h, __u32 from)
{
	__u64 word = 0;

	for (__u32 i = 0; i < 8; i++) {
		char c = h->text[(from + i) & 63];

		if (!red_is_letter(c))
			break;
		word |= (__u64)(__u8)(c & ~32) << (8 * i);
	}
	return word;
}

/* ---- HTTP ---- */

hidden bool red_is_method(__u32 four)
{
	switch (four) {
	case RED_FOUR('G', 'E', 'T', ' '):
	case RED_FOUR('P', 'O', 'S', 'T'):
	case RED_FOUR('P', 'U', 'T', ' '):
	case RED_FOUR('H', 'E', 'A', 'D'):
	case RED_FOUR('D', 'E', 'L', 'E'):
	case RED_FOUR('O', 'P', 'T', 'I'):
	case RED_FOUR('P', 'A', 'T', 'C'):
	case RED_FOUR('C', 'O', 'N', 'N'):
	case RED_FOUR('T', 'R', 'A', 'C'):
		return true;
	}
	return false;
}

#define RED_SEGMENTS 4  /* of a route that are kept */
#define RED_SEGMENT  24 /* longer ones are taken for identifiers */
#define RED_ROUTE    40 /* where no further one begins */

/* Not on the stack: there the verifier would follow every value that it can have. */
struct red_route {
	union red_head head; /* cleared at once */
	union red_name name;
	__u32 at;    /* in name */
	__u32 begin; /* there, of the segment */
	__u32 segments;
	__u32 in_path; /* 0: the method; 1: the path must begin; 2: it has */
	__u32 odd;     /* the segment is no plain word */
	__u32 whole;   /* its end was seen */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct red_route);
} red_routes SEC(".maps");

hidden void red_put_char(struct red_route *r, char c)
{
	if (r->at < WIRE_RED_NAME - 1)
		r->name.text[r->at++ & 63] = c;
}

/* What a segment was written over by something shorter has left behind the end. By words: of characters each would be a
 * branch for the verifier. Not static: it looks at it once. */
__noinline int red_wipe(struct red_route *r)
{
	__u32 at;

	if (!r)
		return 0;
	at = r->at;
	for (__u32 w = 0; w < WIRE_RED_NAME / 8; w++) {
		if (at <= 8 * w)
			r->name.words[w] = 0;
		else if (at < 8 * w + 8)
			r->name.words[w] &= (1ull << 8 * (at & 7)) - 1;
	}
	return 0;
}

hidden void red_end_segment(struct red_route *r)
{
	if (!r->odd)
		return;
	r->at = r->begin;
	red_put_char(r, ':');
	red_put_char(r, 'i');
	red_put_char(r, 'd');
}

hidden bool red_is_version(const struct red_route *r, char c)
{
	return (__u8)(c - '0') < 10 && r->at - r->begin <= 2 && r->at > r->begin &&
	       r->name.text[r->begin & 63] == 'v';
}

static long red_route_step(__u32 i, void *ctx)
{
	struct red_route *r = *(struct red_route **)ctx;
	char c = r->head.text[i & 63];

	if (!r->in_path) {
		red_put_char(r, red_is_letter(c) ? c : ' ');
		r->in_path = !red_is_letter(c);
		return r->at > 10;
	}
	if (r->in_path == 1) {
		if (c != '/') { /* of a proxy: it may have a name and a password in it */
			red_put_char(r, '*');
			r->whole = 1;
			return 1;
		}
		r->in_path = 2;
		red_put_char(r, c);
		r->begin = r->at;
		return 0;
	}
	if (c == ' ' || c == '?' || c == '#' || c == ';' || c == '\r' || c == '\n') {
		red_end_segment(r);
		r->whole = 1;
		return 1;
	}
	if (c == '/') {
		red_end_segment(r);
		red_put_char(r, c);
		r->begin = r->at;
		r->odd = 0;
		r->segments++;
		if (r->segments < RED_SEGMENTS && r->at < RED_ROUTE)
			return 0;
		red_put_char(r, '*');
		r->whole = 1;
		return 1;
	}
	if (!red_is_letter(c) && c != '-' && c != '_' && c != '.' && !red_is_version(r, c))
		r->odd = 1;
	if (r->at - r->begin >= RED_SEGMENT)
		r->odd = 1;
	red_put_char(r, c);
	return 0;
}

/* "GET /users/:id/orders" */
__noinline __u32 red_name_route(__u32 slot, const union red_head *h)
{
	__u32 zero = 0;
	struct red_route *r = bpf_map_lookup_elem(&red_routes, &zero);

	if (!h || !r)
		return 0;
	__builtin_memset(r, 0, sizeof(*r));
	__builtin_memcpy(&r->head, h, sizeof(r->head));
	bpf_loop(sizeof(r->head), red_route_step, &r, 0);
	__builtin_memset(&r->head, 0, sizeof(r->head));
	if (!r->whole) { /* what is cut may have been the beginning of an identifier */
		r->at = r->begin;
		red_put_char(r, '*');
	}
	red_wipe(r);
	return red_cell(slot, RED_OPERATION, &r->name);
}

/* ---- SQL ---- */

hidden bool red_is_sql(__u64 verb)
{
	switch (verb) {
	case RED_EIGHT('S', 'E', 'L', 'E', 'C', 'T', 0, 0):
	case RED_EIGHT('I', 'N', 'S', 'E', 'R', 'T', 0, 0):
	case RED_EIGHT('U', 'P', 'D', 'A', 'T', 'E', 0, 0):
	case RED_EIGHT('D', 'E', 'L', 'E', 'T', 'E', 0, 0):
	case RED_EIGHT('B', 'E', 'G', 'I', 'N', 0, 0, 0):
	case RED_EIGHT('C', 'O', 'M', 'M', 'I', 'T', 0, 0):
	case RED_EIGHT('R', 'O', 'L', 'L', 'B', 'A', 'C', 'K'):
	case RED_EIGHT('E', 'N', 'D', 0, 0, 0, 0, 0):
	case RED_EIGHT('S', 'T', 'A', 'R', 'T', 0, 0, 0):
	case RED_EIGHT('S', 'E', 'T', 0, 0, 0, 0, 0):
	case RED_EIGHT('S', 'H', 'O', 'W', 0, 0, 0, 0):
	case RED_EIGHT('C', 'O', 'P', 'Y', 0, 0, 0, 0):
	case RED_EIGHT('W', 'I', 'T', 'H', 0, 0, 0, 0):
	case RED_EIGHT('C', 'A', 'L', 'L', 0, 0, 0, 0):
	case RED_EIGHT('E', 'X', 'E', 'C', 'U', 'T', 'E', 0):
	case RED_EIGHT('P', 'R', 'E', 'P', 'A', 'R', 'E', 0):
	case RED_EIGHT('E', 'X', 'P', 'L', 'A', 'I', 'N', 0):
	case RED_EIGHT('V', 'A', 'C', 'U', 'U', 'M', 0, 0):
	case RED_EIGHT('A', 'N', 'A', 'L', 'Y', 'Z', 'E', 0):
	case RED_EIGHT('C', 'R', 'E', 'A', 'T', 'E', 0, 0):
	case RED_EIGHT('D', 'R', 'O', 'P', 0, 0, 0, 0):
	case RED_EIGHT('A', 'L', 'T', 'E', 'R', 0, 0, 0):
	case RED_EIGHT('T', 'R', 'U', 'N', 'C', 'A', 'T', 'E'):
	case RED_EIGHT('L', 'O', 'C', 'K', 0, 0, 0, 0):
	case RED_EIGHT('F', 'E', 'T', 'C', 'H', 0, 0, 0):
	case RED_EIGHT('C', 'L', 'O', 'S', 'E', 0, 0, 0):
	case RED_EIGHT('R', 'E', 'P', 'L', 'A', 'C', 'E', 0):
	case RED_EIGHT('R', 'E', 'L', 'E', 'A', 'S', 'E', 0):
	case RED_EIGHT('D', 'E', 'C', 'L', 'A', 'R', 'E', 0):
	case RED_EIGHT('M', 'E', 'R', 'G', 'E', 0, 0, 0):
	case RED_EIGHT('V', 'A', 'L', 'U', 'E', 'S', 0, 0):
	case RED_EIGHT('L', 'I', 'S', 'T', 'E', 'N', 0, 0):
	case RED_EIGHT('N', 'O', 'T', 'I', 'F', 'Y', 0, 0):
	case RED_EIGHT('D', 'I', 'S', 'C', 'A', 'R', 'D', 0):
	case RED_EIGHT('G', 'R', 'A', 'N', 'T', 0, 0, 0):
	case RED_EIGHT('R', 'E', 'V', 'O', 'K', 'E', 0, 0):
	case RED_EIGHT('U', 'S', 'E', 0, 0, 0, 0, 0):
	case RED_EIGHT('D', 'O', 0, 0, 0, 0, 0, 0):
		return true;
	}
	return false;
}

__noinline __u32 red_name_word(__u32 slot, __u32 kind, __u64 word)
{
	union red_name name = {};

	name.words[0] = word;
	return red_cell(slot, kind, &name);
}

#define RED_OTHER RED_EIGHT('o', 't', 'h', 'e', 'r', 0, 0, 0)

__noinline __u32 red_name_sql(__u32 slot, const union red_head *h, __u32 from)
{
	__u64 verb;

	if (!h)
		return 0;
	for (int i = 0; i < 4; i++)
		if (h->text[from & 63] == ' ' || h->text[from & 63] == '\n')
			from++;
	verb = red_verb(h, from);
	return red_name_word(slot, RED_OPERATION, red_is_sql(verb) ? verb : RED_OTHER);
}

/* ---- PostgreSQL ---- */

/* A message has a letter and its length, which counts itself. */
hidden __u32 red_pg_length(const union red_head *h)
{
	return (__u32)h->bytes[1] << 24 | (__u32)h->bytes[2] << 16 | (__u32)h->bytes[3] << 8 |
	       h->bytes[4];
}

hidden bool red_is_postgres(const union red_head *h, __u32 bytes)
{
	__u32 first = red_be32(h, 0), second = red_be32(h, 1), n = red_pg_length(h);

	if (first == bytes && (second == 196608 || second == 80877103 || second == 80877104))
		return true; /* version 3.0; asks for encryption */
	if (n < 4 || n + 1 > bytes)
		return false;
	if (h->text[0] == 'Q')
		return n + 1 == bytes && red_is_sql(red_verb(h, 5));
	/* something follows a message of the extended protocol; a name and a 0 are in it */
	return (h->text[0] == 'P' || h->text[0] == 'B') && n + 1 < bytes && n < 1u << 24 &&
	       h->bytes[1] == 0;
}

/* Does it ask for something that will be answered with a result? */
hidden bool red_pg_asks(char type)
{
	return type == 'Q' || type == 'P' || type == 'B' || type == 'E' || type == 'F';
}

hidden __u32 red_pg_name(__u32 slot, const union red_head *h)
{
	if (h->text[0] == 'Q')
		return red_name_sql(slot, h, 5);
	if (h->text[0] == 'P' && !h->text[5])
		return red_name_sql(slot, h, 6);
	return red_name_word(slot, RED_OPERATION,
			     h->text[0] == 'P' ? RED_EIGHT('P', 'R', 'E', 'P', 'A', 'R', 'E', 0)
					       : RED_EIGHT('E', 'X', 'E', 'C', 'U', 'T', 'E', 0));
}

/* The class of an error: the first two signs of the five behind a 0 and a 'C'. */
hidden __u64 red_pg_class(const union red_head *h)
{
	__u64 word = RED_EIGHT('?', '?', 0, 0, 0, 0, 0, 0);

	for (int i = 5; i < 60; i++) {
		__u8 a = h->bytes[(i + 2) & 63], b = h->bytes[(i + 3) & 63];

		if (h->text[i] || h->text[i + 1] != 'C')
			continue;
		if ((red_is_letter(a) || (__u8)(a - '0') < 10) &&
		    (red_is_letter(b) || (__u8)(b - '0') < 10))
			word = a | (__u64)b << 8;
		break;
	}
	return word;
}

/* 0: no error among the first messages of the answer. */
__noinline __u64 red_pg_error(const struct red_bytes *b)
{
	union red_head h;
	__u32 at = 0;

	if (!b)
		return 0;
	for (int i = 0; i < 6; i++) {
		if (!red_read(b, at, &h))
			return 0;
		if (h.text[0] == 'E')
			return red_pg_class(&h);
		if (h.text[0] == 'D' || h.text[0] == 'C' || h.text[0] == 'Z')
			return 0;
		at += 1 + red_pg_length(&h);
		if (at >= b->n)
			return 0;
	}
	return 0;
}

/* ---- MySQL ---- */

/* Three bytes of length and a number in front. */
hidden __u32 red_my_length(const union red_head *h)
{
	return h->halves[0] & 0xffffff;
}

hidden bool red_is_mysql(const union red_head *h, __u32 bytes)
{
	return red_my_length(h) + 4 == bytes && !h->bytes[3] && h->bytes[4] == 3 &&
	       red_is_sql(red_verb(h, 5));
}

/* The server greets: version 10, then the number of its release. */
hidden bool red_greets(const union red_head *h, __u32 bytes)
{
	return red_my_length(h) + 4 == bytes && !h->bytes[3] && h->bytes[4] == 10 &&
	       (__u8)(h->bytes[5] - '0') < 10;
}

/* The byte of the command is at `at`. */
hidden __u32 red_my_name(__u32 slot, const union red_head *h, __u32 at)
{
	switch (h->bytes[at]) {
	case 3:
		return red_name_sql(slot, h, at + 1);
	case 14:
		return red_name_word(slot, RED_OPERATION,
				     RED_EIGHT('P', 'I', 'N', 'G', 0, 0, 0, 0));
	case 22:
		return red_name_word(slot, RED_OPERATION,
				     RED_EIGHT('P', 'R', 'E', 'P', 'A', 'R', 'E', 0));
	case 23:
		return red_name_word(slot, RED_OPERATION,
				     RED_EIGHT('E', 'X', 'E', 'C', 'U', 'T', 'E', 0));
	}
	return red_name_word(slot, RED_OPERATION, RED_OTHER);
}

/* To leave, to forget a statement, to send a part of one: these have no answer. */
hidden bool red_my_asks(__u8 command)
{
	return command != 1 && command != 24 && command != 25;
}

/* An error packet has a '#' and five signs: the class is the first two. */
hidden __u64 red_my_error(const union red_head *h)
{
	if (h->bytes[4] != 0xff)
		return 0;
	return h->bytes[7] == '#' && (__u8)(h->bytes[8] - '0') < 43 &&
			       (__u8)(h->bytes[9] - '0') < 43
		       ? h->bytes[8] | (__u64)h->bytes[9] << 8
		       : RED_EIGHT('?', '?', 0, 0, 0, 0, 0, 0);
}

/* ---- memcached ---- */

hidden bool red_is_memcached(const union red_head *h)
{
	if (!(h->text[0] & 32) || h->text[2] == '\0')
		return false;
	switch (red_verb(h, 0)) {
	case RED_EIGHT('G', 'E', 'T', 0, 0, 0, 0, 0):
	case RED_EIGHT('G', 'E', 'T', 'S', 0, 0, 0, 0):
	case RED_EIGHT('G', 'A', 'T', 0, 0, 0, 0, 0):
	case RED_EIGHT('S', 'E', 'T', 0, 0, 0, 0, 0):
	case RED_EIGHT('A', 'D', 'D', 0, 0, 0, 0, 0):
	case RED_EIGHT('R', 'E', 'P', 'L', 'A', 'C', 'E', 0):
	case RED_EIGHT('A', 'P', 'P', 'E', 'N', 'D', 0, 0):
	case RED_EIGHT('P', 'R', 'E', 'P', 'E', 'N', 'D', 0):
	case RED_EIGHT('C', 'A', 'S', 0, 0, 0, 0, 0):
	case RED_EIGHT('D', 'E', 'L', 'E', 'T', 'E', 0, 0):
	case RED_EIGHT('I', 'N', 'C', 'R', 0, 0, 0, 0):
	case RED_EIGHT('D', 'E', 'C', 'R', 0, 0, 0, 0):
	case RED_EIGHT('T', 'O', 'U', 'C', 'H', 0, 0, 0):
	case RED_EIGHT('S', 'T', 'A', 'T', 'S', 0, 0, 0):
	case RED_EIGHT('V', 'E', 'R', 'S', 'I', 'O', 'N', 0):
		return true;
	}
	return false;
}

hidden __u64 red_memcached_error(const union red_head *h)
{
	switch (h->halves[0]) {
	case RED_FOUR('E', 'R', 'R', 'O'):
		return RED_EIGHT('E', 'R', 'R', 'O', 'R', 0, 0, 0);
	case RED_FOUR('S', 'E', 'R', 'V'):
		return RED_EIGHT('S', 'E', 'R', 'V', 'E', 'R', 0, 0);
	case RED_FOUR('C', 'L', 'I', 'E'):
		return RED_EIGHT('C', 'L', 'I', 'E', 'N', 'T', 0, 0);
	}
	return 0;
}

/* ---- which of them ---- */

__noinline __u32 red_recognise(const union red_head *h, __u32 bytes)
{
	if (!h)
		return RED_PLAIN;
	if (h->halves[0] == RED_FOUR('P', 'R', 'I', ' '))
		return RED_HTTP2;
	if (red_is_method(h->halves[0]))
		return RED_HTTP;
	if ((h->text[0] == '*' || h->text[0] == '$') && (__u8)(h->text[1] - '0') < 10)
		return RED_REDIS;
	if ((h->bytes[0] == 0x16 || h->bytes[0] == 0x17) && h->bytes[1] == 3 && h->bytes[2] < 4)
		return RED_TLS;
	if (red_is_postgres(h, bytes))
		return RED_POSTGRES;
	if (red_is_mysql(h, bytes))
		return RED_MYSQL;
	return red_is_memcached(h) ? RED_MEMCACHED : RED_PLAIN;
}

#endif
