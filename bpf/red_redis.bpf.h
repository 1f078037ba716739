/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Redis: commands and replies say how long they are, so that batches can be taken apart without a look at keys and values.
 *
 *   *3\r\n$3\r\nSET\r\n$7\r\n…\r\n$2\r\n…\r\n          a command: an array of strings, the first is its name
 *   +OK\r\n  -ERR …\r\n  :7\r\n  $3\r\n…\r\n  *2\r\n…     replies; an array has elements that are replies
 *
 * What a piece of the stream leaves open is kept with the connection: struct red_rest. Where a length itself is cut in two the
 * rest of the batch counts as one. */
#ifndef SIXTY_BPF_RED_REDIS_H
#define SIXTY_BPF_RED_REDIS_H

#include "bpf/red_text.bpf.h"

#define RED_STEPS 4096        /* headers of one piece that are read */
#define RED_LINE  0x80000000u /* in red_rest::skip: in a line whose end was not seen */

struct red_walk {
	union red_head head; /* cleared at once */
	struct red_bytes bytes;
	__u32 at;
	__u32 slot;
	struct red_rest rest;
	__u32 name;  /* the next string is the name of a command */
	__u32 cell;  /* of the last command */
	__u32 count; /* commands or replies that are whole */
	__u32 begun; /* that began here */
	__u32 errors, moved;
	__u32 torn;
	__u32 by_design; /* the last command waits for something to happen */
	__u64 error;     /* the last one's first letters */
};

#define RED_NULL    0xffffffffu       /* "$-1": there is none */
#define RED_INVALID 0xffffffffffffull /* it is no number, or cut */

/* "*12\r\n": its value; how long the line is stands in the upper half. */
__noinline __u64 red_number(const union red_head *h)
{
	__u32 v = 0;
	__u64 i;

	if (!h)
		return RED_INVALID;
	if (h->text[1] == '-')
		return h->text[3] == '\r' ? 5ull << 32 | RED_NULL : RED_INVALID;
	for (i = 1; i < 12; i++) {
		__u32 digit = (__u8)(h->text[i] - '0');

		if (digit > 9)
			break;
		v = v * 10 + digit;
	}
	if (i < 2 || h->text[i] != '\r' || v > 1u << 29)
		return RED_INVALID;
	return (i + 2) << 32 | v;
}

/* Bytes in front of the first carriage return; 64: there is none. */
__noinline __u32 red_line_length(const union red_head *h)
{
	__u32 i;

	if (!h)
		return 0;
	for (i = 0; i < 64; i++)
		if (h->text[i] == '\r')
			break;
	return i;
}

/* Not on the stack, as struct red_route. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct red_walk);
} red_walks SEC(".maps");

hidden struct red_walk *red_walk_begin(void)
{
	__u32 zero = 0;
	struct red_walk *w = bpf_map_lookup_elem(&red_walks, &zero);

	if (w)
		__builtin_memset(w, 0, sizeof(*w));
	return w;
}

/* The name of a command stands behind "$3\r\n". Whatever has other signs than letters and dots is none. */
__noinline __u32 red_name_command(__u32 slot, const union red_head *h, __u32 from, __u32 n)
{
	union red_name name = {};

	if (!h || n > 20)
		return red_name_word(slot, RED_OPERATION, RED_OTHER);
	for (__u32 i = 0; i < 20; i++) {
		char c = h->text[(from + i) & 63];

		if (i >= n)
			break;
		if (!red_is_letter(c) && c != '.')
			return red_name_word(slot, RED_OPERATION, RED_OTHER);
		name.text[i] = c == '.' ? c : c & ~32;
	}
	return red_cell(slot, RED_OPERATION, &name);
}

/* Commands that answer when something happens. */
hidden bool red_waits(__u64 verb)
{
	switch (verb) {
	case RED_EIGHT('B', 'L', 'P', 'O', 'P', 0, 0, 0):
	case RED_EIGHT('B', 'R', 'P', 'O', 'P', 0, 0, 0):
	case RED_EIGHT('B', 'R', 'P', 'O', 'P', 'L', 'P', 'U'):
	case RED_EIGHT('B', 'L', 'M', 'O', 'V', 'E', 0, 0):
	case RED_EIGHT('B', 'L', 'M', 'P', 'O', 'P', 0, 0):
	case RED_EIGHT('B', 'Z', 'P', 'O', 'P', 'M', 'I', 'N'):
	case RED_EIGHT('B', 'Z', 'P', 'O', 'P', 'M', 'A', 'X'):
	case RED_EIGHT('B', 'Z', 'M', 'P', 'O', 'P', 0, 0):
	case RED_EIGHT('X', 'R', 'E', 'A', 'D', 0, 0, 0):
	case RED_EIGHT('X', 'R', 'E', 'A', 'D', 'G', 'R', 'O'):
	case RED_EIGHT('W', 'A', 'I', 'T', 0, 0, 0, 0):
	case RED_EIGHT('S', 'U', 'B', 'S', 'C', 'R', 'I', 'B'):
	case RED_EIGHT('P', 'S', 'U', 'B', 'S', 'C', 'R', 'I'):
	case RED_EIGHT('M', 'O', 'N', 'I', 'T', 'O', 'R', 0):
	case RED_EIGHT('P', 'S', 'Y', 'N', 'C', 0, 0, 0):
		return true;
	}
	return false;
}

/* Nothing more to be read of this piece. */
hidden bool red_is_over(struct red_walk *w)
{
	if (w->at < w->bytes.n)
		return false;
	w->rest.skip = w->at - w->bytes.n;
	return true;
}

static long red_ask_step(__u32 i, void *ctx)
{
	struct red_walk *w = *(struct red_walk **)ctx;
	union red_head *h = &w->head;
	__u64 number;
	__u32 value, n;

	if (red_is_over(w))
		return 1;
	if (!red_read(&w->bytes, w->at, h)) {
		w->torn = 1;
		return 1;
	}
	number = red_number(h);
	value = number;
	n = number >> 32;
	if (number == RED_INVALID || value == RED_NULL ||
	    h->text[0] != (w->rest.elements ? '$' : '*')) {
		w->torn = 1;
		return 1;
	}
	if (!w->rest.elements) {
		w->begun++;
		w->at += n;
		w->rest.elements = value;
		w->name = 1;
		w->count += !value;
		return 0;
	}
	if (w->name) {
		struct wire_red_operation *o;

		w->cell = red_name_command(w->slot, h, n, value);
		w->by_design = red_waits(red_verb(h, n));
		o = red_operation(w->cell);
		if (o)
			o->count++;
		w->name = 0;
	}
	w->at += n + value + 2;
	if (!--w->rest.elements)
		w->count++;
	return 0;
}

/* A line that is longer than what is read of it at once. */
hidden void red_line(struct red_walk *w, const union red_head *h)
{
	__u32 i = red_line_length(h);

	if (i < 62) {
		w->at += i + 2;
		w->rest.skip = 0;
		return;
	}
	w->at += 62;
	w->rest.skip = RED_LINE;
	if (w->at >= w->bytes.n)
		w->torn = 1;
}

/* Of a cluster: ask another. */
hidden bool red_moved(__u64 word)
{
	return word == RED_EIGHT('M', 'O', 'V', 'E', 'D', 0, 0, 0) ||
	       word == RED_EIGHT('A', 'S', 'K', 0, 0, 0, 0, 0);
}

hidden void red_note_error(struct red_walk *w, const union red_head *h)
{
	__u64 word = red_verb(h, 1);

	if (red_moved(word)) {
		w->moved++;
		return;
	}
	w->errors++;
	w->error = word;
}

static long red_answer_step(__u32 i, void *ctx)
{
	struct red_walk *w = *(struct red_walk **)ctx;
	union red_head *h = &w->head;
	__u64 number;
	__u32 value;
	char type;

	if (w->rest.skip == RED_LINE && w->at < w->bytes.n) {
		if (!red_read(&w->bytes, w->at, h))
			return 1;
		red_line(w, h);
		if (w->rest.skip == RED_LINE)
			return w->torn != 0;
		goto element;
	}
	if (red_is_over(w))
		return 1;
	if (!red_read(&w->bytes, w->at, h)) {
		w->torn = 1;
		return 1;
	}
	type = h->text[0];
	if (!w->rest.elements) {
		w->begun++;
		w->rest.elements = 1;
		if (type == '-')
			red_note_error(w, h);
	}
	if (type == '$' || type == '*' || type == '%' || type == '~' || type == '>') {
		number = red_number(h);
		value = number;
		if (number == RED_INVALID) {
			w->torn = 1;
			return 1;
		}
		w->at += number >> 32;
		if (type == '$')
			w->at += value == RED_NULL ? 0 : value + 2;
		else if (value != RED_NULL)
			w->rest.elements += type == '%' ? 2 * value : value;
	} else {
		red_line(w, h);
		if (w->rest.skip == RED_LINE)
			return w->torn != 0;
	}
element:
	if (!--w->rest.elements)
		w->count++;
	return 0;
}

#endif
